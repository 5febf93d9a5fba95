"""A chain of named links, bracketed in every way: ∂L/∂A of L(f(z(A))) as (L·f)·A, L·(f·A), (L·A)·f.

`chain_product(graph)` finds the links of a Jacobian that is one chain; its `rows()` are counted: "δ summed
first" (deltas identified, never multiplied), every contraction path of the dense links up to five of them,
and one einsum without a path.  A path may take outer products, which no elimination does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from math import prod
from typing import TypeVar

from .axes import number
from .contraction.cost import Cost, volume
from .contraction.paths import Path, all_orders, find_path
from .contraction.product import Product
from .contraction.schedule import Move
from .cost_table import CostRow
from .counting import FlopCounter, beyond, count_nodes, factors_of, written_cost
from .derivative import Jacobian
from .expr import Node
from .expression import Graph
from .terms import TermSum, compose, core

T = TypeVar("T")
LISTED = 5  # links up to which every path is listed


@dataclass(frozen=True, slots=True)
class ChainProduct:
    """The links of a chain, target first, and their product: one label for each axis of each value."""

    links: tuple[Jacobian, ...]
    product: Product

    @property
    def names(self) -> tuple[str, ...]:
        """What each link is called in brackets: its target's name, the last one its input's."""
        return (*(str(k.target_name) for k in self.links[:-1]), str(self.links[-1].input_name))

    def whole(self) -> TermSum:
        """The composed Jacobian, from the end at which that is cheaper."""
        terms = [link.terms for link in self.links]
        count = FlopCounter([node for node, _ in factors_of([terms])])
        ways = [reduce(compose, terms), reduce(lambda inner, outer: compose(outer, inner), terms[::-1])]
        return min(ways, key=lambda way: count.flop((node for node, _ in factors_of([[way]])), set()))

    def rows(self, itemsize: int = 8) -> tuple[CostRow, ...]:
        """The counted rows: deltas summed first, all paths from the cheapest on, one plain einsum."""
        first = self._summed_first(itemsize)
        paths = [self._path(path, itemsize) for path in self.paths()]
        return first, *sorted(paths, key=lambda row: row.flop), self._no_path(itemsize)

    def paths(self) -> tuple[Path, ...]:
        """Every path of up to five links; beyond, the named ones."""
        if len(self.links) <= LISTED:
            return all_orders(self.product)
        return tuple(
            find_path(self.product, name) for name in ("left-to-right", "right-to-left", "bracketing")
        )

    def _summed_first(self, itemsize: int) -> CostRow:
        terms, whole = [link.terms for link in self.links], self.whole()
        known = [node for node, _ in factors_of([terms])]
        factors = [node for node, _ in factors_of([[whole]])]
        tally, written = count_nodes(beyond(factors, known), factors), written_cost(whole, itemsize)
        return CostRow(
            name="δ summed first",
            order=None,
            path="",
            mode="lazy",
            multiplications=tally.multiplications + written.multiplications,
            additions=tally.additions + written.additions,
            largest_result=max(tally.largest, written.largest),
            largest_intermediate=tally.largest,
            largest_tensor=max(tally.largest, written.largest),
            peak_bytes=max(tally.peak_bytes, written.peak_bytes),
            steps=tally.steps + written.steps,
            itemsize=itemsize,
            opt_einsum=_loops(beyond(factors, known))
            + _loops(core(t)[0] for t in whole.terms if len(t.factors) > 1),
        )

    def _path(self, path: Path, itemsize: int) -> CostRow:
        brackets = bracketed(path, self.names)
        order = elimination(path, [str(k.input_name) for k in self.links])
        loops = sum(_loop(move, self.product.sizes) for move in path.moves)
        return self._row(f"{self.kind(path):<9} {brackets}", order, brackets, path.cost, itemsize, loops)

    def kind(self, path: Path) -> str:
        """`reverse` (from the target), `forward`, `nested` (other brackets), `outside` (outer products)."""
        order = elimination(path, range(len(self.links)))
        if order is None:
            return "outside"
        middle = list(range(len(self.links) - 1))
        return "reverse" if list(order) == middle else "forward" if list(order) == middle[::-1] else "nested"

    def _no_path(self, itemsize: int) -> CostRow:
        """One loop over all labels: n - 1 multiplications and one addition each."""
        every = prod(self.product.sizes)
        result = int(volume(self.product.output, self.product.sizes))
        cost = Cost(
            (len(self.links) - 1) * every,
            every - result,
            1,
            result,
            0,
            peak_bytes=itemsize * (result + self._operands()),
        )
        return self._row("one einsum, no path", None, "no path", cost, itemsize, cost.multiplications + every)

    def _operands(self) -> int:
        return sum(prod(shape) for shape in self.product.shapes)

    def _row(
        self, name: str, order: Sequence[str] | None, path: str, cost: Cost, itemsize: int, loops: int
    ) -> CostRow:
        largest = max(cost.largest_result, *(prod(shape) for shape in self.product.shapes))
        return CostRow(
            name=name,
            order=None if order is None else tuple(order),
            path=path,
            mode="materialized",
            multiplications=cost.multiplications,
            additions=cost.additions,
            largest_result=cost.largest_result,
            largest_intermediate=cost.largest_intermediate,
            largest_tensor=largest,
            peak_bytes=cost.peak_bytes * itemsize // 8,
            steps=cost.steps,
            itemsize=itemsize,
            opt_einsum=loops,
        )


def _loop(move: Move, sizes: Sequence[int]) -> int:
    """The flop of one step as opt_einsum counts it: the loop once for each operand, once more for a sum."""
    if move.kind not in ("pair", "sum"):
        return 0
    return int(volume(move.labels, sizes)) * ((move.kind == "pair") + (len(move.labels) > len(move.result)))


def _loops(nodes: Iterable[Node]) -> int:
    """The flop of the products among nodes, as opt_einsum counts it."""
    products = [Product(*node.params) for node in nodes if node.op == "einsum"]
    return sum(_loop(move, product.sizes) for product in products for move in find_path(product).moves)


def bracketed(path: Path, names: Sequence[str]) -> str:
    """A path with brackets, factors in the order of the chain as far as possible: (L·A)·f."""
    parts = [(k, name) for k, name in enumerate(names)]
    for i, j in path.pairs:
        (first, left), (_, right) = sorted((parts[i], parts[j]))
        joined = "·".join(f"({text})" if "·" in text else text for text in (left, right))
        parts = [part for k, part in enumerate(parts) if k not in (i, j)] + [(first, joined)]
    return parts[0][1]


def elimination(path: Path, middles: Sequence[T]) -> tuple[T, ...] | None:
    """The middle values as a path eliminates them; None where it multiplies what are no neighbours."""
    left = [(k, k) for k in range(len(path.pairs) + 1)]
    order: list[T] = []
    for i, j in path.pairs:
        (a, b), (c, d) = sorted((left[i], left[j]))
        if b + 1 != c:
            return None
        order.append(middles[b])
        left = [span for k, span in enumerate(left) if k not in (i, j)] + [(a, d)]
    return tuple(order)


def chain_product(graph: Graph, input: str) -> ChainProduct | None:
    """The links of `graph` from its only result to `input`, None where they are no chain of at least two."""
    if len(graph.trace.targets) != 1:
        return None
    found = graph.chain(graph.target, input)
    if len(found.paths) != 1 or len(found.paths[0]) < 2:
        return None
    links = found.paths[0]
    axes = [tuple(number(n, "a count") for n in links[0].target_shape)]
    axes += [tuple(number(n, "a count") for n in link.input_shape) for link in links]
    starts = [sum(len(shape) for shape in axes[:k]) for k in range(len(axes))]
    labels = [tuple(range(start, start + len(shape))) for start, shape in zip(starts, axes, strict=True)]
    operands = tuple(labels[k] + labels[k + 1] for k in range(len(links)))
    sizes = tuple(n for shape in axes for n in shape)
    return ChainProduct(links, Product(operands, labels[0] + labels[-1], sizes))
