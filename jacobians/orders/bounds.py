"""A certified lower bound: no elimination order whatsoever costs less than `lower_bound(masks, rule)`.

When vertex v is eliminated, its predecessors cut it off from the inputs: every path from an input to v in
the original graph ran through one of them.  By Menger's theorem there are therefore at least as many
predecessors as there are paths from the inputs to v that share no vertex but v, and in the same way at
least as many successors as there are disjoint paths from v to the outputs.  So, summed over all v,

    plain      (disjoint paths from the inputs to v) * (disjoint paths from v to the outputs)
    dense      size(v) * (least total size of a set of vertices that cuts v from the inputs) * (... outputs)
    unit-free  as plain, but only paths whose edge at v is no unit: the edge between v and the vertex that
               cuts such a path carries that edge as a factor, so it cannot have become a unit
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter

from .masks import Masks, bits, known_rule


def lower_bound(masks: Masks, rule: str = "plain", seconds: float = float("inf")) -> int:
    """The sum of `vertex_bounds`: a number of multiplications that every order takes at the least."""
    return sum(vertex_bounds(masks, rule, seconds))


def vertex_bounds(masks: Masks, rule: str = "plain", seconds: float = float("inf")) -> list[int]:
    """For each eliminable vertex the least that its elimination costs, whenever it takes place.

    When `seconds` are over, the vertices that are left get the bound 0, which holds as well.
    """
    known_rule(rule)
    sizes = masks.sizes if rule == "dense" else (1,) * len(masks.pred)
    units = rule == "unit-free"
    deadline = perf_counter() + seconds
    bounds = [0] * masks.count
    for v in range(masks.count):
        if perf_counter() > deadline:
            break
        near = masks.pred[v] & ~(masks.unit_pred[v] if units else 0)
        far = masks.succ[v] & masks.counted[v] & ~(masks.unit_succ[v] if units else 0)
        from_inputs = smallest_cut(near, masks.sources, masks.pred, masks.succ, sizes)
        if from_inputs:
            bounds[v] = sizes[v] * from_inputs * smallest_cut(far, masks.sinks, masks.succ, masks.pred, sizes)
    return bounds


def smallest_cut(
    start: int, goal: int, onward: Sequence[int], back: Sequence[int], sizes: Sequence[int]
) -> int:
    """The least total size of vertices that cut `start` from `goal`; ends of the paths may be cut too.

    This is a maximal flow in which every vertex lets through its size (Edmonds and Karp): `onward` are the
    neighbours towards the goal, `back` those the other way.
    """
    room = dict[int, int]()  # of each vertex on a path: the size that is not used up
    flow = dict[tuple[int, int], int]()
    total = 0
    while path := _augmenting_path(start, goal, onward, back, lambda i: room.get(i, sizes[i]), flow, sizes):
        amount = min(limit for _, _, limit in path)
        total += amount
        for kind, edge, _ in path:
            _push(kind, edge, amount, room, flow, sizes)
    return total


# A step of a path: its kind, its edge (a vertex twice for a step within it), and how much it lets through.
Step = tuple[str, tuple[int, int], int]


def _push(
    kind: str,
    edge: tuple[int, int],
    amount: int,
    room: dict[int, int],
    flow: dict[tuple[int, int], int],
    sizes: Sequence[int],
) -> None:
    """Send `amount` along one step."""
    if kind == "through":
        room[edge[0]] = room.get(edge[0], sizes[edge[0]]) - amount
    elif kind == "undo through":
        room[edge[0]] += amount
    else:
        flow[edge] = flow.get(edge, 0) + (amount if kind == "edge" else -amount)


def _augmenting_path(
    start: int,
    goal: int,
    onward: Sequence[int],
    back: Sequence[int],
    room: Callable[[int], int],
    flow: dict[tuple[int, int], int],
    sizes: Sequence[int],
) -> list[Step]:
    """A shortest way to send more from `start` to `goal`, by steps; no steps if there is none.

    Each vertex has an entrance 2 i and an exit 2 i + 1; `came` remembers how each of them was reached.
    """
    came: dict[int, tuple[int, Step | None]] = {2 * i: (-1, None) for i in bits(start)}
    queue = list(came)
    for node in queue:
        i, at_exit = divmod(node, 2)
        if at_exit:
            if goal >> i & 1:
                return _steps(came, node)
            reached = [(2 * j, ("edge", (i, j), sizes[i])) for j in bits(onward[i])]
            if room(i) < sizes[i]:
                reached.append((2 * i, ("undo through", (i, i), sizes[i] - room(i))))
        else:
            reached = [
                (2 * j + 1, ("undo edge", (j, i), flow[j, i])) for j in bits(back[i]) if flow.get((j, i))
            ]
            if room(i):
                reached.append((2 * i + 1, ("through", (i, i), room(i))))
        for other, step in reached:
            if other not in came:
                came[other] = (node, step)
                queue.append(other)
    return []


def _steps(came: dict[int, tuple[int, Step | None]], node: int) -> list[Step]:
    """The steps that led to `node`."""
    steps: list[Step] = []
    while (arrival := came[node])[1] is not None:
        node, step = arrival[0], arrival[1]
        steps.append(step)
    return steps
