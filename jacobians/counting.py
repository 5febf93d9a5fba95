"""What a plan costs, counted exactly from nodes before anything runs.

`count_nodes(nodes)` adds up what einsums, weighted sums and pointwise functions cost;
`accumulation_cost(rows, targets)` counts what an elimination order adds to the function's own evaluation.
Deltas are never multiplied, so the counts are what the plan really executes.  Units: scalar multiplications
and additions (flop = both), function evaluations apart, entries and bytes of arrays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from .axes import entries, number
from .expr import Node, topological
from .ops.structural import compiled, is_injective
from .plan import repeated
from .terms import Term, TermSum, core
from .wiring import encode

if TYPE_CHECKING:
    from .contraction.cost import Cost

FREE = frozenset({"variable", "constant", "select", "reshape", "identity", "output", "assemble", "masked"})


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of a straight line of nodes.

    `multiplications`, `additions`: scalar operations of contractions and weighted sums; `evaluations`: values
    of pointwise functions and matrix functions; `largest`: entries of the largest array made; `peak_bytes`:
    the most held at once, arguments included; `steps`: nodes computed.
    """

    multiplications: int = 0
    additions: int = 0
    evaluations: int = 0
    largest: int = 0
    peak_bytes: int = 0
    steps: int = 0

    @property
    def flop(self) -> int:
        """Multiplications plus additions (opt_einsum's unit)."""
        return self.multiplications + self.additions


@lru_cache(maxsize=8192)
def einsum_cost(params: Any, same: tuple[tuple[int, int], ...] = ()) -> Cost:
    """The cost of an einsum node by its path; `same`: places that hold one array.

    A symmetric product, of which half is computed, is counted whole.
    """
    from .contraction.paths import find_path  # late: importing the package stays cheap
    from .contraction.product import Product

    if same:
        found: Cost = compiled(params, same).cost
        return found
    return find_path(Product(*params)).cost


def node_counts(node: Node) -> tuple[int, int, int]:
    """Multiplications, additions and function evaluations of one node."""
    if node.op == "einsum":
        same = repeated(node)
        if not same and (pair := _pair_counts(*node.params)):
            return (*pair, 0)
        found = einsum_cost(node.params, same)
        return found.multiplications, found.additions, 0
    if node.op == "combination":
        return (*_combination(node), 0)
    if node.op == "assemble":
        return (*_assemble(node), 0)
    return 0, 0, 0 if node.op in FREE else number(entries(node.shape), "a count")


def _pair_counts(
    operands: Sequence[tuple[int, ...]], output: tuple[int, ...], sizes: Sequence[Any]
) -> tuple[int, int] | None:
    """The counts of a plain product of two, where nothing is summed before: what its path would say."""
    if len(operands) != 2:
        return None
    first, second = set(operands[0]), set(operands[1])
    whole = len(first) == len(operands[0]) and len(second) == len(operands[1])
    if not whole or len(first | second) != len(sizes) or not (first ^ second) <= set(output):
        return None
    union = number(entries(sizes), "a count")
    kept = number(entries(sizes[k] for k in output), "a count")
    return union, 0 if union == kept and len(output) == len(sizes) else max(0, union - kept)


def _combination(node: Node) -> tuple[int, int]:
    """Coefficients other than 1 and -1 multiply; parts add from the left, over the labels so far."""
    coefficients, labels, shape = node.params
    multiplications = additions = 0
    known: set[int] = set()
    for k, (coefficient, carried, part) in enumerate(zip(coefficients, labels, node.args, strict=True)):
        multiplications += number(entries(part.shape)) if coefficient not in (1, -1) else 0
        known |= set(carried)
        additions += number(entries(shape[label] for label in known)) if k else 0
    return multiplications, additions


def _assemble(node: Node) -> tuple[int, int]:
    """Each core, times its coefficient, is added into zeros through its wiring."""
    multiplications = additions = 0
    for (coefficient, _, _, sizes, _), part in zip(node.params[0], node.args, strict=False):
        multiplications += number(entries(part.shape)) if coefficient != 1 else 0
        additions += number(entries(sizes))
    return multiplications, additions


def count_nodes(nodes: Sequence[Node], keep: Iterable[Node] = ()) -> Tally:
    """The counts of computing `nodes` in order, each array held until its last use (`keep` to the end)."""
    last = {arg.serial: k for k, node in enumerate(nodes) for arg in node.args}
    kept = {node.serial for node in keep}
    made = {node.serial for node in nodes}
    outside = {arg.serial: arg for node in nodes for arg in node.args if arg.serial not in made}
    held = peak = sum(_bytes(node) for node in outside.values())
    totals = [0, 0, 0]
    largest = 0
    for k, node in enumerate(nodes):
        totals = [a + b for a, b in zip(totals, node_counts(node), strict=True)]
        if node.op not in ("select", "reshape", "identity", "output"):
            held += _bytes(node)
            largest = max(largest, number(entries(node.shape)))
        peak = max(peak, held)
        for arg in {arg.serial: arg for arg in node.args}.values():
            if (
                last[arg.serial] == k
                and arg.serial in made
                and arg.serial not in kept
                and arg.op not in ("select", "reshape", "identity")
            ):
                held -= _bytes(arg)
    steps = sum(node.op not in FREE for node in nodes)
    return Tally(totals[0], totals[1], totals[2], largest, peak, steps)


def _bytes(node: Node) -> int:
    dtype = np.dtype(node.dtype)
    return int(number(entries(node.shape), "a count") * dtype.itemsize)


def accumulation_cost(rows: Sequence[Sequence[TermSum]], targets: Sequence[Node]) -> Tally:
    """What the factors of these Jacobians cost on top of evaluating the function itself."""
    factors = [node for node, _ in factors_of(rows)]
    return count_nodes(beyond(factors, targets), factors)


def factors_of(rows: Sequence[Sequence[TermSum]]) -> list[tuple[Node, tuple[int, ...]]]:
    """The factors of all Terms, each node once, with its labels in the first Term that has it."""
    found = {
        node.serial: (node, labels)
        for row in rows
        for terms in row
        for t in terms.terms
        for node, labels in t.factors
    }
    return list(found.values())


def beyond(roots: Sequence[Node], known: Sequence[Node]) -> list[Node]:
    """What `roots` need besides all that `known` are built from, equal computations once."""
    given = {node.serial for node in topological(known)}
    return [node for node in unique(topological([*known, *roots])) if node.serial not in given]


class FlopCounter:
    """The flop of nodes beyond what `known` are built from, equal computations once; quick in repetition.

    It remembers what it saw, so that many orders over the same graph are counted in little time.
    """

    def __init__(self, known: Sequence[Node]) -> None:
        self.alias: dict[int, int] = {}
        self.first: dict[Any, int] = {}
        self.costs: dict[int, int] = {}
        self._admit(topological(known))
        self.given = frozenset(self.alias.values())

    def flop(self, roots: Iterable[Node], seen: set[int]) -> int:
        """The flop of what `roots` need and `seen` does not hold yet; it is added to `seen`."""
        stack, total = list(roots), 0
        while stack:
            node = stack.pop()
            if node.serial not in self.alias:
                self._admit(topological([node], self.alias))
            mine = self.alias[node.serial]
            if mine in seen or mine in self.given:
                continue
            seen.add(mine)
            stack.extend(node.args)
            if mine not in self.costs:
                multiplications, additions, _ = node_counts(node)
                self.costs[mine] = multiplications + additions
            total += self.costs[mine]
        return total

    def _admit(self, nodes: Iterable[Node]) -> None:
        alias = self.alias
        for node in nodes:
            if node.serial not in alias:
                alias[node.serial] = self.first.setdefault(_key(node, alias), node.serial)


def written_cost(whole: TermSum, itemsize: int = 8) -> Tally:
    """What writing the dense Jacobian from its factors costs: products into zeros, overlaps added."""
    total = Tally(largest=number(entries(whole.shape), "a count"))
    for k, t in enumerate(sorted(whole.terms, key=lambda t: -reach(t))):
        one = _written(t, fresh=k == 0)
        total = replace(
            total,
            multiplications=total.multiplications + one[0],
            additions=total.additions + one[1],
            steps=total.steps + 1,
        )
    held = sum(number(entries(node.shape)) for t in whole.terms for node, _ in t.factors)
    return replace(total, peak_bytes=(total.largest + held) * itemsize)


def reach(t: Term) -> int:
    """The entries that a Term writes to."""
    return number(entries(t.sizes[k] for k in t.wiring), "a count")


def _written(t: Term, fresh: bool) -> tuple[int, int]:
    """Multiplications and additions of writing one Term, in new zeros or added to what is there."""
    size = reach(t)
    slots, _ = encode((*t.target, *t.input), {label: k for k, label in enumerate(t.wiring)})
    if fresh and is_injective(slots, tuple(t.sizes[label] for label in t.wiring)):
        if t.factors and _only_products(t):
            sides = [frozenset(labels) for _, labels in t.factors]
            return _joined(sides + [frozenset()] * (t.coefficient != 1), t, size), 0
        found = node_counts(core(t)[0])
        return found[0] + (size if t.coefficient != 1 else 0), found[1]
    node, _ = core(t)
    known = (0, 0, 0) if len(t.factors) == 1 and node is t.factors[0][0] else node_counts(node)
    scaled = number(entries(node.shape)) if t.coefficient != 1 else 0
    return known[0] + scaled, known[1] + size


def _only_products(t: Term) -> bool:
    """Whether factors multiply in place (see `dense.write`): nothing summed, no diagonal, no mask."""
    masked = len(t.factors) > 1 and any(node.dtype == bool for node, _ in t.factors)
    return t.carried <= set(t.wiring) and not masked and all(len(set(ls)) == len(ls) for _, ls in t.factors)


def _joined(sides: list[frozenset[int]], t: Term, size: int) -> int:
    """The multiplications of broadcasting factors together: the smallest product first, the last in place."""
    total = 0
    while len(sides) > 2:
        i, j = min(
            combinations(range(len(sides)), 2), key=lambda pair: _volume(sides[pair[0]] | sides[pair[1]], t)
        )
        total += _volume(sides[i] | sides[j], t)
        sides = [side for k, side in enumerate(sides) if k not in (i, j)] + [sides[i] | sides[j]]
    return total + (size if len(sides) == 2 else 0)


def _volume(labels: Iterable[int], t: Term) -> int:
    return number(entries(t.sizes[k] for k in labels))


def unique(nodes: Iterable[Node]) -> list[Node]:
    """The nodes, those that compute the same from the same counted once."""
    first: dict[Any, int] = {}
    alias: dict[int, int] = {}
    kept = []
    for node in nodes:
        mine = alias[node.serial] = first.setdefault(_key(node, alias), node.serial)
        if mine == node.serial:
            kept.append(node)
    return kept


def _key(node: Node, alias: Mapping[int, int]) -> Any:
    """What two nodes share when they compute the same from the same; leaves are themselves."""
    if not node.args:
        return node.op, node.params, node.shape, id(node.value) if node.value is not None else node.serial
    return node.op, tuple([alias[arg.serial] for arg in node.args]), node.params, node.shape, node.dtype
