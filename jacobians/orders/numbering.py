"""From edges between names to masks: `number_vertices` numbers the vertices and checks the graph."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import Any

from jacobians.errors import JacobiansError, UnknownNameError, did_you_mean

from .masks import Masks

Vertex = Hashable
Edge = tuple[Vertex, Vertex]
Names = tuple[Vertex, ...]


def number_vertices(
    edges: Iterable[Edge],
    inputs: Iterable[Vertex],
    outputs: Iterable[Vertex],
    eliminable: Iterable[Vertex] | None,
    sizes: Mapping[Any, int],
    unit_edges: Iterable[Sequence[Any]],
) -> tuple[Names, Names, Names, tuple[Edge, ...], Masks]:
    """The names by index, inputs, outputs and edges (each once), and the masks.

    The eliminable vertices come first, in evaluation order.
    """
    starts, ends = tuple(dict.fromkeys(inputs)), tuple(dict.fromkeys(outputs))
    links = tuple(dict.fromkeys((a, b) for a, b in edges))
    units = _units(unit_edges, set(links))
    succ: dict[Vertex, list[Vertex]] = {v: [] for v in starts}
    for a, b in links:
        succ.setdefault(a, []).append(b)
        succ.setdefault(b, [])
    for v in ends:
        succ.setdefault(v, [])
    inner = _inner(succ, starts, ends, eliminable)
    _check(succ, starts, ends, inner, links, sizes)
    ranked = _evaluation_order(succ, inner)
    chosen = set(inner)
    names = [v for v in ranked if v in chosen] + [v for v in ranked if v not in chosen]
    return tuple(names), starts, ends, links, _masks(names, len(inner), starts, ends, links, units, sizes)


def _inner(
    succ: Mapping[Vertex, list[Vertex]],
    starts: Names,
    ends: Names,
    eliminable: Iterable[Vertex] | None,
) -> list[Vertex]:
    """The vertices to eliminate: as given, or all but the inputs and the outputs that lead nowhere."""
    if eliminable is not None:
        return list(dict.fromkeys(eliminable))
    fixed = set(starts) | {v for v in ends if not succ[v]}
    return [v for v in succ if v not in fixed]


def _units(unit_edges: Iterable[Sequence[Any]], links: set[Edge]) -> set[Edge]:
    """The unit edges without their signs."""
    units = set[Edge]()
    for edge in unit_edges:
        link, value = (edge[0], edge[1]), edge[2] if len(edge) > 2 else 1
        if link not in links:
            raise UnknownNameError(f"unit edge {link[0]!r} -> {link[1]!r} is not an edge of the graph")
        if value not in (1, -1):
            raise JacobiansError(
                f"a unit edge is +1 or -1, not {value!r}", f"edge {link[0]!r} -> {link[1]!r}", "leave it out"
            )
        units.add(link)
    return units


def _check(
    succ: Mapping[Vertex, list[Vertex]],
    starts: Names,
    ends: Names,
    inner: list[Vertex],
    links: tuple[Edge, ...],
    sizes: Mapping[Any, int],
) -> None:
    """Raise an error for names that are not there and inputs that are not inputs."""
    for v in inner:
        if v not in succ:
            known = [str(name) for name in succ]
            raise UnknownNameError(f"vertex {v!r} is not in the graph", "", did_you_mean(str(v), known))
    for v in starts:
        if v in inner:
            raise JacobiansError(f"input {v!r} cannot be eliminated", "", "leave it out of eliminable")
    for a, b in links:
        if b in starts:
            raise JacobiansError(
                f"input {b!r} has a predecessor", f"edge {a!r} -> {b!r}", "leave the edge out"
            )
    for v, size in sizes.items():
        if size < 1:
            raise JacobiansError(f"vertex {v!r} has size {size}", "", "sizes of at least 1")


def _evaluation_order(succ: Mapping[Vertex, list[Vertex]], inner: list[Vertex]) -> list[Vertex]:
    """All vertices, each after its predecessors; among those that could come next, the first in `inner`."""
    rank = {v: k for k, v in enumerate([*inner, *(v for v in succ if v not in set(inner))])}
    by_rank = sorted(rank, key=rank.__getitem__)
    waiting = dict.fromkeys(succ, 0)
    for targets in succ.values():
        for b in targets:
            waiting[b] += 1
    ready = [rank[v] for v, number in waiting.items() if not number]
    heapify(ready)
    order = []
    while ready:
        v = by_rank[heappop(ready)]
        order.append(v)
        for b in succ[v]:
            waiting[b] -= 1
            if not waiting[b]:
                heappush(ready, rank[b])
    if len(order) < len(succ):
        stuck = next(v for v, number in waiting.items() if number and _on_cycle(v, succ))
        raise JacobiansError(
            "the graph has a cycle", f"vertex {stuck!r} leads back to itself", "edges that only lead onwards"
        )
    return order


def _on_cycle(v: Vertex, succ: Mapping[Vertex, list[Vertex]]) -> bool:
    """Whether v can be reached from itself."""
    todo, seen = list(succ[v]), set[Vertex]()
    while todo:
        other = todo.pop()
        if other == v:
            return True
        if other not in seen:
            seen.add(other)
            todo += succ[other]
    return False


def _masks(
    names: list[Vertex],
    count: int,
    starts: Names,
    ends: Names,
    links: tuple[Edge, ...],
    units: set[Edge],
    sizes: Mapping[Any, int],
) -> Masks:
    """The masks of the graph; an output to eliminate gets a twin, reached from it by a unit edge."""
    index = {v: i for i, v in enumerate(names)}
    twins = {index[v]: len(names) + k for k, v in enumerate(v for v in ends if index[v] < count)}
    pairs = [(index[a], index[b], (a, b) in units) for a, b in links]
    pairs += [(i, twin, True) for i, twin in twins.items()]
    total = len(names) + len(twins)
    pred, succ, unit_pred, unit_succ = ([0] * total for _ in range(4))
    for i, j, unit in pairs:
        pred[j] |= 1 << i
        succ[i] |= 1 << j
        if unit:
            unit_pred[j] |= 1 << i
            unit_succ[i] |= 1 << j
    widths = [sizes.get(v, 1) for v in names]
    return Masks(
        count=count,
        pred=tuple(pred),
        succ=tuple(succ),
        unit_pred=tuple(unit_pred),
        unit_succ=tuple(unit_succ),
        counted=tuple(~(1 << twins[i]) if i in twins else -1 for i in range(total)),
        sizes=tuple(widths + [widths[i] for i in twins]),
        sources=sum(1 << index[v] for v in starts),
        sinks=sum(1 << twins.get(index[v], index[v]) for v in ends),
    )
