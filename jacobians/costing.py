"""What a Jacobian costs in every elimination order, counted exactly before anything runs: `costs`.

>>> import numpy as np
>>> def f(A, x, b):
...     z = A @ x + b
...     return np.tanh(z)
>>> table = costs(f, wrt="A", orders=["reverse", "forward"])(np.ones((3, 4)), np.ones(4), np.ones(3))
>>> [(row.name, row.mode, row.multiplications, row.additions) for row in table.rows][:2]
[('reverse', 'lazy', 15, 3), ('reverse', 'materialized', 138, 147)]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .chain_costs import chain_product
from .cost_table import CostRow, CostTable
from .counting import written_cost
from .derivative import show_shape
from .errors import BudgetError
from .expr import Node
from .expression import Graph, graph_of
from .graph import Linear
from .orders import EliminationGraph
from .prepared import MODES, linear_of
from .terms import assembled
from .traces import Wrt
from .vertex_orders import (
    FEW,
    Accumulated,
    accumulate_in,
    bare_cost,
    elimination_graph,
    is_chain,
    labels,
    named,
)

Order = str | Sequence[str]
LISTED = ("reverse", "forward", "markowitz", "greedy", "dp", "exact", "search", "random", "auto")


def costs(
    f: Callable[..., Any],
    wrt: Wrt = None,
    *,
    orders: Sequence[Order] | None = None,
    modes: Sequence[str] = MODES,
    seconds: float = 0.3,
    seed: int = 0,
) -> Callable[..., CostTable]:
    """A function of f's arguments that returns the `CostTable` of its Jacobian.

    `orders` are names or lists of vertices (all that apply by default), `modes` "lazy" and "materialized",
    `seconds` limits the search, `seed` decides "search" and "random".  A row's `multiplications` and
    `additions` are scalar operations (flop = both), `largest_...` entries, `peak_bytes` bytes.  Raises
    UnknownNameError for what is no order or mode, BudgetError where "exact" is asked of too large a graph.

    >>> table = costs(lambda x: np.tanh(np.sin(x)), orders=["reverse"], modes=["lazy"])(np.ones(3))
    >>> [(row.name, row.multiplications, row.peak_bytes) for row in table.rows]
    [('reverse', 6, 128)]
    """

    def counted(*args: Any, **kwargs: Any) -> CostTable:
        graph = named_graph(graph_of(f, args, kwargs, wrt, numeric=False))
        rows = [
            row
            for mode in modes
            for row in order_rows(linear_of(graph.trace, mode), mode, orders, seconds=seconds, seed=seed)
        ]
        return CostTable(title_of(graph), tuple(together(rows)), path_rows(graph))

    return counted


def together(rows: Sequence[CostRow]) -> list[CostRow]:
    """Rows of one order side by side, the lazy one first."""
    names = list(dict.fromkeys(row.name.split(":")[0] for row in rows))
    return sorted(rows, key=lambda row: (names.index(row.name.split(":")[0]), MODES.index(row.mode)))


def named_graph(graph: Graph) -> Graph:
    """The graph, its named values' names given to their nodes, so that orders can be read and written."""
    for label, node in graph.named.items():
        node.name = node.name or label
    return graph


def title_of(graph: Graph) -> str:
    """`∂L/∂A, (100 × 784)` for every target and input."""
    made = [
        f"∂{_label(graph, t)}/∂{n.name}, {show_shape(t.shape, n.shape).replace(' x ', ' × ')}"
        for t in graph.trace.targets
        for n in graph.trace.wrt
    ]
    return "; ".join(made) if len(made) <= 4 else f"{made[0]}, ... ({len(made)} Jacobians)"


def _label(graph: Graph, target: Node) -> str:
    """The name of a result; f[0], f[1], ... for those of a tuple."""
    found = graph._order[target.serial]
    return f"f[{found}]" if found.isdigit() else found


def path_rows(graph: Graph) -> tuple[CostRow, ...]:
    """The brackets of the chain from the only target to the only input; none where it is no chain."""
    if len(graph.trace.wrt) != 1 or len(graph.named) > 200:
        return ()
    chain = chain_product(graph, str(graph.trace.wrt[0].name))
    return () if chain is None else chain.rows(itemsize_of(graph))


def itemsize_of(graph: Graph) -> int:
    """Bytes of an entry of the (first) target's Jacobian."""
    dtype = graph.trace.targets[0].dtype
    return np.dtype(dtype).itemsize if getattr(dtype, "kind", "") == "f" else 8


def order_rows(
    linear: Linear, mode: str, orders: Sequence[Order] | None = None, *, seconds: float = 0.3, seed: int = 0
) -> list[CostRow]:
    """The counted row of every order on one graph of local Jacobians."""
    bare = elimination_graph(linear)
    wanted = applicable(linear, bare) if orders is None else orders
    rows = []
    for order in wanted:
        try:
            found = accumulated(linear, order, seconds=seconds, seed=seed)
        except BudgetError:  # exact on a graph that is too large
            if orders is not None:
                raise
            continue
        rows.append(order_row(linear, bare, order, found, mode))
    return rows


def applicable(linear: Linear, bare: EliminationGraph) -> list[str]:
    """The orders that a table lists: dp for chains alone, exact for small graphs alone."""
    left_out = ({"dp"} if not is_chain(bare) else set()) | (
        {"exact"} if len(linear.interior) > FEW else set()
    )
    return [name for name in LISTED if name not in left_out]


def accumulated(linear: Linear, order: Order, *, seconds: float | None = None, seed: int = 0) -> Accumulated:
    """The Jacobians in an order given as a name or as a list of names."""
    chosen = order if isinstance(order, str) else named(linear, order)
    return accumulate_in(linear, chosen, seconds=seconds, seed=seed)


def order_row(
    linear: Linear, bare: EliminationGraph, order: Order, found: Accumulated, mode: str, dense: bool = True
) -> CostRow:
    """The row of one elimination, counted up to the dense result, or (`dense=False`) up to its factors."""
    if mode == "materialized":
        found = Accumulated(
            found.name, found.order, [[assembled(t) for t in row] for row in found.rows], found.targets
        )
    tally, known = found.tally(), labels(linear)
    written = [written_cost(terms) for row in found.rows for terms in row if terms.terms and dense]
    name = order if isinstance(order, str) else "given"
    return CostRow(
        name=f"auto: {found.name}" if name == "auto" else name,
        order=tuple(known[v] for v in found.order),
        path="auto",
        mode=mode,
        multiplications=tally.multiplications + sum(w.multiplications for w in written),
        additions=tally.additions + sum(w.additions for w in written),
        largest_result=max([tally.largest, *(w.largest for w in written)]),
        largest_intermediate=tally.largest,
        largest_tensor=max([tally.largest, *(w.largest for w in written)]),
        peak_bytes=max(tally.peak_bytes, sum(w.peak_bytes for w in written)),
        steps=tally.steps,
        evaluations=tally.evaluations,
        structured=tally.multiplications,
        plain=bare_cost(bare, found.order, "plain"),
        unit_free=bare_cost(bare, found.order, "unit-free"),
        dense=bare_cost(bare, found.order, "dense"),
    )
