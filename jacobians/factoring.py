"""Pieces of the algebra on nodes: products as factors, what they share, sums with a common coefficient.

`Monomial` is a value as a coefficient and factors; `merged(order)` finds nodes of equal value;
`factored(...)` writes `a f + a g` as `a (f + g)`.  `simplify` puts them together.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .axes import entries, magnitude
from .expr import Factor, Node, combination, constant, product
from .ops.reshaping import reshape_node
from .plan import evaluate, key_of
from .spelling import is_negative

POWERS = range(
    2, 17
)  # exponents that become products (numpy takes 15 ns an entry for x ** 3, 1 for x * x * x)
Part = tuple[Any, Node, tuple[int, ...]]  # a coefficient, a value, the sum's axes that its own are
ONE = constant(1.0)
MODERATE = 1e9  # float32 ends at 3e38
SMALLER = 4  # times fewer entries of an operand from which it takes a sum's coefficient


@dataclass(frozen=True, slots=True)
class Monomial:
    """`scale * product of factors`, over the labels 0, 1, ... of the value's axes; nothing is summed."""

    scale: Any
    factors: tuple[Factor, ...]


def atom(node: Node) -> Monomial:
    return Monomial(1, ((node, tuple(range(node.ndim))),))


def is_moderate(scale: Any) -> bool:
    """Whether a coefficient may stand elsewhere in a product without overflow or underflow on the way."""
    return not isinstance(scale, (int, float)) or scale == 0 or 1 / MODERATE <= abs(scale) <= MODERATE


def of_one_type(factors: Sequence[Factor], node: Node) -> bool:
    """Whether a value and its factors have one type, numbers aside, so that any order gives it."""
    return all(n.dtype == node.dtype for n, _ in factors if not isinstance(n.dtype, type))


def spreads(node: Node) -> bool:
    """Whether it is a broadcasting product, which is better left to the product that it goes into."""
    if node.op != "einsum":
        return False
    labels, output, _ = node.params
    return len(labels) > 1 and any(set(ls) < set(output) for ls in labels if ls)


def merged(order: Sequence[Node], stop: set[int]) -> dict[int, Node]:
    """The first node with the same value, for every node."""
    known: dict[Any, Node] = {}
    first: dict[int, Node] = {}
    place: dict[int, int] = {}
    for node in order:
        key: Any = node.serial
        if node.op == "constant":
            key = node.dtype, repr(node.value) if isinstance(node.dtype, type) else id(node.value)  # 0, -0
        elif node.serial not in stop and node.args:
            key = value_key(node, place)
        first[node.serial] = known.setdefault(key, node)
        place[node.serial] = first[node.serial].serial
    return first


def value_key(node: Node, place: Mapping[int, int]) -> tuple[Any, ...]:
    """What two nodes share that have one value, arguments by `place`, factors in any order."""
    op, args, *rest = key_of(node, place)
    if op == "einsum" and len(set(node.params[0])) == 1:
        args = tuple(sorted(args))
    return op, args, *rest


def exponent_of(node: Node) -> int:
    """The exponent of a power that becomes a product; 0 for anything else."""
    if node.op not in ("square", "power") or node.args[0].dtype != node.dtype or node.dtype == bool:
        return 0
    if node.op == "square":
        return 2
    given = node.args[1]
    return int(given.value) if given.op == "constant" and not given.shape and given.value in POWERS else 0


def folded(node: Node, args: Sequence[Node]) -> Node:
    """The value of a node whose arguments are known."""
    (value,) = evaluate([Node(node.op, tuple(args), node.params, node.shape, node.dtype)])
    if isinstance(value, tuple):
        return Node(node.op, tuple(args), node.params, node.shape, node.dtype, node.name)
    return constant(node.dtype(value) if isinstance(node.dtype, type) else np.asarray(value, node.dtype))


def same_factors(factors: Sequence[Factor], args: Sequence[Node], labels: Sequence[Any]) -> bool:
    return len(factors) == len(args) and all(
        n is arg and ls == tuple(given) for (n, ls), arg, given in zip(factors, args, labels, strict=True)
    )


def built(factors: Sequence[Factor], like: Node) -> Node:
    """A product as a node; `like` itself where nothing has changed."""
    output = tuple(range(like.ndim))
    if len(factors) == 1 and factors[0][1] == output:
        return factors[0][0]
    if like.op == "einsum" and same_factors(factors, like.args, _renamed(like)):
        return like
    return product(factors, output, like.shape)


def negated_within(factors: Sequence[Factor]) -> tuple[Any, list[Factor]]:
    """`-product` as a coefficient and factors: one that is a difference is turned around, if there is one."""
    found = list(factors)
    for k, (node, labels) in enumerate(found):
        if node.op == "combination" and any(map(is_negative, node.params[0])):
            coefficients, carried, shape = node.params
            parts = [(-c, arg, ls) for c, arg, ls in zip(coefficients, node.args, carried, strict=True)]
            found[k] = combination(parts, range(len(shape)), shape), labels
            return 1, found
    return -1, found


def weighted_within(scale: Any, factors: Sequence[Factor]) -> tuple[Any, list[Factor]]:
    """`scale * sum` as a coefficient and factors: its smallest operand takes it, if it is small."""
    ((node, labels),) = factors
    exact = isinstance(scale, (int, float)) and is_moderate(scale) and getattr(node.dtype, "kind", "") == "f"
    if scale == 1 or not exact or node.op != "einsum":
        return scale, list(factors)
    least = min(node.args, key=lambda arg: magnitude(entries(arg.shape)))
    small = magnitude(entries(least.shape)) * SMALLER <= magnitude(entries(node.shape))
    if not small or least.dtype != node.dtype or node.args.count(least) > 1:
        return scale, list(factors)
    carried, output, sizes = node.params
    args = [scaled(scale, arg, arg) if arg is least else arg for arg in node.args]
    return 1, [(product(list(zip(args, carried, strict=True)), output, sizes), labels)]


def scaled(scale: Any, node: Node, like: Node) -> Node:
    if (
        like.op == "combination"
        and len(like.args) == 1
        and like.args[0] is node
        and like.params[0] == (scale,)
    ):
        return like
    return combination([(scale, node, tuple(range(like.ndim)))], range(like.ndim), like.shape)


def _renamed(node: Node) -> list[tuple[int, ...]]:
    labels, output, _ = node.params
    place = {label: k for k, label in enumerate(output)}
    return [tuple(place.get(k, -1) for k in ls) for ls in labels]


def without_ones(factor: Factor, output: set[int], sizes: Sequence[Any]) -> Factor:
    """The factor without axes of size 1 that are summed."""
    node, labels = factor
    kept = [k for k, label in enumerate(labels) if label in output or sizes[label] != 1]
    if len(kept) == len(labels):
        return factor
    return reshape_node(node, tuple(node.shape[k] for k in kept)), tuple(labels[k] for k in kept)


def common_factors(products: Sequence[Sequence[Factor]]) -> list[tuple[int, tuple[int, ...]]]:
    """The factors, by serial and labels, that stand in every product."""
    if len(products) < 2:
        return []
    keys = [Counter((n.serial, ls) for n, ls in factors) for factors in products]
    shared = keys[0]
    for other in keys[1:]:
        shared = shared & other
    scalars = all(not ls for factors in products for _, ls in factors)
    return [key for key in shared.elements() if key[1] or scalars]  # scalars meet arrays later, and cheaper


def factored(
    common: list[tuple[int, tuple[int, ...]]],
    scales: Sequence[Any],
    products: Sequence[Sequence[Factor]],
    node: Node,
) -> Monomial:
    """`common * (sum of what is left of every product)`."""
    shape = node.shape
    left: list[Part] = []
    taken: list[Factor] = []
    for scale, factors in zip(scales, products, strict=True):
        missing, rest = Counter(common), []
        taken = []
        for factor in factors:
            key = factor[0].serial, factor[1]
            if missing[key] > 0:
                missing[key] -= 1
                taken.append(factor)
            else:
                rest.append(factor)
        labels = tuple(sorted({k for _, ls in rest for k in ls}))
        left.append((scale, _joined(rest, labels, shape), labels))
    output = tuple(sorted({k for _, _, ls in left for k in ls}))
    if {k for _, ls in taken for k in ls} | set(output) != set(range(len(shape))):
        taken.append((constant(np.ones(shape, node.dtype)), tuple(range(len(shape)))))
    scale, left = turned(collected(left))
    if len(left) == 1 and left[0][1].op == "constant" and left[0][1].value == 1:  # a times a number
        return Monomial(scale * left[0][0], tuple(taken))
    return Monomial(scale, (*taken, (combination(left, output, shape), output)))


def collected(parts: Sequence[Part]) -> list[Part]:
    """The parts of a sum, those of one value added up."""
    found: dict[Any, Part] = {}
    for c, node, labels in parts:
        known = found.get((node.serial, labels), (0, node, labels))
        found[node.serial, labels] = known[0] + c, node, labels
    return list(found.values())


def turned(
    parts: list[Part],
) -> tuple[Any, list[Part]]:
    """A sum as a coefficient and a sum: negative as a whole, or all parts with coefficients of one size."""
    if not all(isinstance(c, (int, float)) and c != 0 and math.isfinite(c) for c, _, _ in parts):
        return 1, parts
    sizes = {abs(c) for c, _, _ in parts}
    common = sizes.pop() if len(sizes) == 1 else 1
    if all(c < 0 for c, _, _ in parts):
        common = -common
    if common == 1:
        return 1, parts
    return common, [(_divided(c, common), n, ls) for c, n, ls in parts]


def _divided(c: Any, common: Any) -> Any:
    return c // common if isinstance(c, int) and isinstance(common, int) else c / common


def _joined(rest: list[Factor], labels: tuple[int, ...], shape: Sequence[Any]) -> Node:
    if not rest:
        return ONE
    return rest[0][0] if len(rest) == 1 and rest[0][1] == labels else product(rest, labels, shape)
