"""Elimination orders of a linearised graph: every name that `order=` takes, and the cheapest of them.

    accumulate_in   the Jacobians in an order (a name or a list of vertices), its name and its counted cost
    cheapest        `auto`: the polynomial-time orders eliminated without numbers, the cheapest by flop
    sequence        an order by name as a list of vertices
    elimination_graph   the vertices and their sizes as a bare graph for `jacobians.orders`

Bare graphs know sizes, not deltas.  So an order is *found* there by name, and *judged* here: it is eliminated
symbolically and the nodes that this makes are counted, which is what the plan will execute.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

from .axes import Poly, entries, magnitude
from .counting import FlopCounter, Tally, accumulation_cost, factors_of
from .errors import UnknownNameError, did_you_mean
from .expr import Node
from .graph import Linear, State, joined, remove
from .terms import TermSum

if TYPE_CHECKING:
    from .orders import EliminationGraph

Rows = list[list[TermSum]]
POLYNOMIAL = ("reverse", "forward", "markowitz", "greedy", "dp")
SECONDS = 1.0  # that a search takes unless told otherwise
TWO = 2  # vertices that two directions eliminate in every order there is
MANY = 1200  # vertices from which `auto` compares the two directions only: their time is linear in depth
FEW = 8  # vertices up to which "exact" counts what the plan executes; beyond, what the bare graph knows
ABANDON = 1.05  # times the cheapest so far: an order that has cost this much before its end is left


@dataclass(frozen=True, slots=True)
class Accumulated:
    """The Jacobians accumulated in one order: `rows[target][input]`.

    `name` is the order that was taken (what `auto` chose, "given" for a list), `order` its vertices by
    serial.
    """

    name: str
    order: tuple[int, ...]
    rows: Rows
    targets: tuple[Node, ...]

    def tally(self) -> Tally:
        """The cost beyond the function's own evaluation; raises ShapeError where sizes are symbolic."""
        return accumulation_cost(self.rows, self.targets)


def accumulate_in(
    linear: Linear, order: str | Sequence[Node | int], *, seconds: float | None = None, seed: int = 0
) -> Accumulated:
    """The Jacobians in an order; `seconds` limits "search", `seed` decides "search" and "random".

    Raises UnknownNameError for a name that is no order, UnsupportedError for "dp" on what is no chain.
    """
    if order == "auto":
        return cheapest(linear)
    if order == "search":
        return search(linear, SECONDS if seconds is None else seconds, seed)
    if order == "exact" and len(linear.interior) <= FEW and not _symbolic(linear):
        return exact(linear)
    vertices = sequence(linear, order, seed=seed)
    rows = linear.eliminate(vertices)
    return Accumulated(order if isinstance(order, str) else "given", tuple(vertices), rows, linear.targets)


def elimination_graph(linear: Linear) -> EliminationGraph:
    """The vertices by serial, with their numbers of entries; an edge +1 or -1 (an identity) is a unit.

    Targets that lead nowhere are outputs only: eliminating them costs nothing, whenever it takes place.
    """
    from .orders import EliminationGraph  # late, so that importing the package stays cheap

    edges = [(u, v) for v in linear.nodes for u in linear.into[v]]
    return EliminationGraph.from_edges(
        edges,
        inputs=linear.inputs,
        outputs=[t.serial for t in linear.targets if t.serial in linear.nodes],
        eliminable=_onward(linear),
        sizes={v: max(1, int(magnitude(entries(node.shape)))) for v, node in linear.nodes.items()},
        unit_edges=[(u, v) for u, v in edges if _is_unit(linear.into[v][u])],
    )


def _onward(linear: Linear) -> list[int]:
    """The vertices to eliminate that lead to another one, not to a sink alone."""
    return [v for v in linear.interior if any(s in linear.nodes for s in linear.out[v])]


def _is_unit(edge: TermSum) -> bool:
    if len(edge.terms) != 1 or edge.target_shape != edge.input_shape:
        return False
    (only,) = edge.terms
    return (
        only.coefficient in (1, -1)
        and not only.factors
        and only.target == only.input == tuple(range(len(edge.target_shape)))
    )


def rule_for(graph: EliminationGraph) -> str:
    """By what orders are looked for: plain where all vertices have one size (the same, and faster)."""
    return "plain" if len(set(graph.masks.sizes)) <= 1 else "dense"


def sequence(
    linear: Linear, order: str | Sequence[Node | int], *, graph: EliminationGraph | None = None, seed: int = 0
) -> list[int]:
    """The vertices, by serial, in the order of that name or list."""
    if not isinstance(order, str) or order in ("reverse", "forward"):
        return linear.sequence(order)
    graph = graph or elimination_graph(linear)
    return _whole(linear, graph.order(order, rule_for(graph), seed=seed))


def _whole(linear: Linear, order: Iterable[Any]) -> list[int]:
    """An order of the bare graph as one of all vertices: targets that lead nowhere go first."""
    return linear.sequence([int(v) for v in order])


def bare_cost(graph: EliminationGraph, order: Sequence[int], rule: str) -> int:
    """The multiplications of an order of all vertices by a rule of the bare graph."""
    inner = set(graph.eliminable)
    return graph.cost([v for v in order if v in inner], rule)


def labels(linear: Linear) -> dict[int, str]:
    """A name for every vertex to eliminate: its own, or its operation and place (tanh_3), each once."""
    found: dict[int, str] = {}
    taken: set[str] = set()
    for k, v in enumerate(linear.interior):
        node = linear.nodes[v]
        known = node.name or f"{node.op}_{k + 1}"
        found[v] = known if known not in taken else f"{known}_{k + 1}"
        taken.add(found[v])
    return found


def named(linear: Linear, order: Iterable[str]) -> list[Node]:
    """The vertices that a list of names means; raises UnknownNameError for one that is no vertex."""
    known = {n.name: n for n in linear.nodes.values() if n.name}
    known |= {label: linear.nodes[v] for v, label in labels(linear).items() if label not in known}
    chosen = []
    for label in order:
        if label not in known:
            mine = sorted(n.name for n in linear.nodes.values() if n.name)
            raise UnknownNameError(
                f"the order names {label!r}, which is no vertex",
                f"named values: {', '.join(mine)}",
                did_you_mean(str(label), mine or known),
            )
        chosen.append(known[label])
    return chosen


# ---- the cheapest


class _TooDear(Exception):
    """The order has cost more than the cheapest so far allows."""


class Judge:
    """Eliminates one order after another and keeps the cheapest, by the flop that its plan would execute.

    Composed edges are remembered, being shared between orders; an order that has cost more than the
    cheapest so far before its end is left.
    """

    def __init__(self, linear: Linear) -> None:
        self.linear = linear
        self.count = FlopCounter(linear.targets)
        self.known: dict[tuple[int, int, int], tuple[Any, ...]] = {}
        self.tried: set[tuple[int, ...]] = set()
        self.name, self.order, self.rows, self.flop = "", (), None, float("inf")  # type: str, tuple[int, ...], Rows | None, float

    def consider(self, name: str, vertices: Sequence[int]) -> bool:
        """Whether the order is cheaper than all before."""
        order = tuple(vertices)
        if order in self.tried:
            return False
        self.tried.add(order)
        self.spent, self.seen = 0, set[int]()
        try:
            rows = self.linear.eliminate(order, self.join)
        except _TooDear:
            return False
        flop = self.count.flop((node for node, _ in factors_of(rows)), set())
        if flop >= self.flop:
            return False
        self.name, self.order, self.rows, self.flop = name, order, rows, flop
        return True

    def best(self) -> Accumulated:
        """The cheapest order of all."""
        assert self.rows is not None
        return Accumulated(self.name, self.order, self.rows, self.linear.targets)

    def join(self, later: TermSum, earlier: TermSum, old: TermSum | None) -> TermSum:
        """The joined edge, counted; raises _TooDear past the limit."""
        key = (id(later), id(earlier), id(old))
        found = self.known.get(key)
        if found is None:  # the edges are kept too, so that no other takes their places in memory
            found = self.known[key] = (joined(later, earlier, old), later, earlier, old)
        edge: TermSum = found[0]
        if self.rows is not None:
            self.spent += self.count.flop((node for t in edge.terms for node, _ in t.factors), self.seen)
            if self.spent > ABANDON * self.flop + 64:
                raise _TooDear
        return edge


def cheapest(linear: Linear) -> Accumulated:
    """The cheapest of the orders that take polynomial time, by the flop that the plan executes.

    Where sizes are symbolic there is nothing to count: reverse, or forward where the inputs are the smaller
    end.
    """
    if _symbolic(linear):
        return accumulate_in(linear, _smaller_end(linear))
    if len(linear.interior) < 2:
        return accumulate_in(linear, "reverse")
    judge = Judge(linear)
    graph = elimination_graph(linear) if TWO < len(_onward(linear)) < MANY else None
    for name in _candidates(linear, graph):
        judge.consider(name, sequence(linear, name, graph=graph))
    return judge.best()


def _symbolic(linear: Linear) -> bool:
    return any(isinstance(n, Poly) for node in linear.nodes.values() for n in node.shape)


def _smaller_end(linear: Linear) -> str:
    """The direction to go in where only the sizes of both ends are looked at."""
    wide = sum(magnitude(entries(t.shape)) for t in linear.targets)
    return "reverse" if wide <= sum(magnitude(entries(g.shape)) for g in linear.given) else "forward"


def _candidates(linear: Linear, graph: EliminationGraph | None) -> list[str]:
    """The orders to compare, a likely one first: the others are left as soon as they cost more."""
    first = _smaller_end(linear)
    if graph is None:
        return [first, "forward" if first == "reverse" else "reverse"]
    chain = is_chain(graph)
    return [first, *(name for name in POLYNOMIAL if name != first and (chain or name != "dp"))]


def is_chain(graph: EliminationGraph) -> bool:
    """Whether every vertex has one predecessor and one successor, so that the order "dp" exists."""
    pred, succ = graph.masks.pred, graph.masks.succ
    return all(pred[v].bit_count() == 1 == succ[v].bit_count() for v in range(graph.masks.count))


# ---- small graphs


def exact(linear: Linear) -> Accumulated:
    """The cheapest order of a small graph: the cheapest way to every set of eliminated vertices.

    Costs are the flop of the edges that are there then, as the plan would execute it (2^n states).
    """
    judge = Judge(linear)
    inner = linear.interior
    layer: dict[frozenset[int], tuple[int, tuple[int, ...], State]] = {frozenset(): (0, (), linear.state())}
    for _ in inner:
        found: dict[frozenset[int], tuple[int, tuple[int, ...], State]] = {}
        for gone, (_, order, (into, out)) in layer.items():
            for v in inner:
                if v in gone:
                    continue
                state = (
                    {w: dict(edges) for w, edges in into.items()},
                    {w: set(ends) for w, ends in out.items()},
                )
                remove(v, *state, judge.join)
                edges = [edge for ends in state[0].values() for edge in ends.values()]
                flop = judge.count.flop(
                    (n for edge in edges for t in edge.terms for n, _ in t.factors), set()
                )
                known = found.get(gone | {v})
                if known is None or flop < known[0]:
                    found[gone | {v}] = flop, (*order, v), state
        layer = found
    ((_, order, _),) = layer.values()
    return Accumulated("exact", order, linear.eliminate(order, judge.join), linear.targets)


# ---- the search


def search(linear: Linear, seconds: float = SECONDS, seed: int = 0) -> Accumulated:
    """The cheapest order found in `seconds`: the bare graph's search first, then single vertices moved.

    Every move is judged by the flop that the plan would execute; the same seed tries the same moves.
    """
    began = perf_counter()
    best = cheapest(linear)
    if _symbolic(linear) or len(best.order) < 2:
        return best
    from random import Random  # late: hashing comes with it

    judge, graph, random = Judge(linear), elimination_graph(linear), Random(seed)
    judge.consider("search", best.order)
    for rule in ("unit-free", "plain") if rule_for(graph) == "plain" else ("dense", "plain"):
        judge.consider("search", _whole(linear, graph.search(seconds / 4, seed, rule).order))
    misses = 0
    while perf_counter() - began < seconds and misses < 40 * len(judge.order):
        order = list(judge.order)
        v = order.pop(random.randrange(len(order)))
        order.insert(random.randrange(len(order) + 1), v)
        misses = 0 if judge.consider("search", order) else misses + 1
    return judge.best()


__all__ = [
    "Accumulated",
    "accumulate_in",
    "bare_cost",
    "cheapest",
    "elimination_graph",
    "is_chain",
    "labels",
    "named",
    "search",
    "sequence",
]
