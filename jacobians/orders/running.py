"""Running an elimination on values: `accumulate` gives the Jacobian and counts its own multiplications."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, NamedTuple

from jacobians.errors import UnknownNameError

Vertex = Hashable
Edge = tuple[Vertex, Vertex]


class Accumulation(NamedTuple):
    """The Jacobian as {(output, input): value}, and the multiplications that were performed for it."""

    jacobian: dict[Edge, Any]
    multiplications: int


def accumulate(
    inputs: Iterable[Vertex],
    outputs: Iterable[Vertex],
    edges: Iterable[Edge],
    values: Mapping[Edge, Any],
    order: Iterable[Vertex],
) -> Accumulation:
    """Eliminate the vertices in this order, the local Jacobian of each edge having the given value.

    Pairs of an output and an input without a path between them get 0.0.  Values may be anything that
    multiplies and adds elementwise; they are not changed.
    """
    links = list(edges)
    succ: dict[Vertex, dict[Vertex, Any]] = {}
    pred: dict[Vertex, set[Vertex]] = {}
    for a, b in links:
        if (a, b) not in values:
            raise UnknownNameError(f"edge {a!r} -> {b!r} has no value", "", "one value for each edge")
        succ.setdefault(a, {})[b] = values[a, b]
        pred.setdefault(b, set()).add(a)
    results = set(outputs)
    count = sum(_eliminate(v, succ, pred, keep=v in results) for v in order)
    # Edges that are left between outputs: one all of whose predecessors are inputs is complete.
    inner = results - set(inputs)
    leading = [v for v in inner if succ.get(v)]
    while leading:
        ready = [v for v in leading if inner.isdisjoint(pred.get(v, ()))]
        count += sum(_eliminate(v, succ, pred, keep=True) for v in ready)
        leading = [v for v in leading if v not in ready]
    jacobian = {
        (out, start): 1.0 if out == start else succ.get(start, {}).get(out, 0.0)
        for out in outputs
        for start in inputs
    }
    return Accumulation(jacobian, count)


def _eliminate(
    v: Vertex, succ: dict[Vertex, dict[Vertex, Any]], pred: dict[Vertex, set[Vertex]], keep: bool
) -> int:
    """Join the predecessors of v to its successors; the number of multiplications.

    The edges onwards are dropped, and those that lead to v as well, unless it is to keep them as a result.
    """
    onward, before = succ.pop(v, {}), pred.get(v, set())
    for p in before:
        targets = succ[p]
        factor = targets[v] if keep else targets.pop(v)
        for s, value in onward.items():
            product = value * factor
            targets[s] = targets[s] + product if s in targets else product
            pred[s].add(p)
    for s in onward:
        pred[s].discard(v)
    if not keep:
        pred.pop(v, None)
    return len(before) * len(onward)
