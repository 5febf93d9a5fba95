"""What the orders of a Jacobian cost, counted and never run, as the rows of two tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ..cost_table import CostRow, show_flop, show_size
from ..costing import named_graph, order_rows, path_rows
from ..counting import Tally, count_nodes
from ..errors import JacobiansError
from ..expr import topological
from ..expression import Graph
from ..prepared import MODES, linear_of
from .markup import scroll, table, text
from .pictures import bar

ORDERS = ("reverse", "forward", "markowitz")
WORDS = {"lazy": "δ kept as a shared index", "materialized": "dense local Jacobians"}


@dataclass(frozen=True, slots=True)
class Costs:
    """Counted rows: elimination orders in both modes, brackets of the chain, and the function itself."""

    orders: tuple[CostRow, ...]
    brackets: tuple[CostRow, ...]
    function: Tally


def counted(graph: Graph, target: str, given: str) -> Costs:
    """The costs of `∂target/∂given`, up to the dense result; every size must be a number."""
    node, variable = graph.named[target], graph.named[given]
    trace = graph.trace._replace(targets=(node,), inputs={given: ((variable,), graph.trace.rebuild)})
    alone = named_graph(Graph(trace, graph.named, False))
    rows: list[CostRow] = []
    for mode in MODES:
        for order in ORDERS:
            try:
                rows += order_rows(linear_of(trace, mode), mode, [order])
            except JacobiansError:
                continue  # an order that this graph does not have
    forward = [n for n in topological([node]) if n.op not in ("variable", "constant")]
    return Costs(tuple(rows), path_rows(alone), count_nodes(forward))


def order_table(costs: Costs) -> str:
    """Elimination orders: δ kept against dense local Jacobians."""
    rows = merged(costs.orders)
    head = ["elimination order", "local Jacobians", "flop", "", "largest array", "peak"]
    shares = logarithms([row.flop for _, row in rows])
    cells = [
        [
            text(name),
            WORDS[row.mode],
            show_flop(row.flop),
            bar(share, f"{name}: {row.flop} flop"),
            show_size(row.largest_tensor * row.itemsize),
            show_size(row.peak_bytes),
        ]
        for (name, row), share in zip(rows, shares, strict=True)
    ]
    return scroll(
        table("Elimination orders, counted up to the dense result", head, cells, "numbers costs"),
        "costs of elimination orders",
    )


def bracket_table(costs: Costs) -> str:
    """The brackets of the chain, each a contraction path over dense links."""
    head = ["order of the product", "flop", "", "largest result", "largest tensor"]
    shares = logarithms([row.flop for row in costs.brackets])
    cells = [
        [
            text(row.name),
            show_flop(row.flop),
            bar(share, f"{row.name}: {row.flop} flop"),
            show_size(row.largest_result * row.itemsize),
            show_size(row.largest_tensor * row.itemsize),
        ]
        for row, share in zip(costs.brackets, shares, strict=True)
    ]
    return scroll(
        table(
            "The product of the chain in every order of brackets, its links given",
            head,
            cells,
            "numbers costs",
        ),
        "costs of contraction orders",
    )


def merged(rows: Sequence[CostRow]) -> list[tuple[str, CostRow]]:
    """Rows of one mode and one cost under their names together.

    Orders that cost the same in every column are one line: `reverse, markowitz`.
    """
    found: dict[tuple[object, ...], tuple[list[str], CostRow]] = {}
    for row in rows:
        key = (row.mode, row.multiplications, row.additions, row.largest_tensor, row.peak_bytes)
        found.setdefault(key, ([], row))[0].append(row.name)
    return [(", ".join(names), row) for names, row in found.values()]


def logarithms(counts: Sequence[int]) -> list[float]:
    """Lengths of bars on a logarithmic scale from 1 to the largest.

    >>> logarithms([1, 10, 100])
    [0.0, 0.5, 1.0]
    """
    most = math.log(max((*counts, 2)))
    return [math.log(max(count, 1)) / most for count in counts]
