"""Algebra on nodes before they run: products flattened, common factors taken out, coefficients collected.

`simplified(wholes, others)` rewrites Jacobians (and other nodes that are needed beside them) so that they
cost less:

- a product of products becomes one product, whose contraction path is then found as a whole (`X^T D X`
  through half of a symmetric product, vectors multiplied before matrices);
- `a f + a g` becomes `a (f + g)`;
- constant coefficients move out of products, in the end into the Terms;
- a summed axis of size 1 is dropped.

Whether products are flattened where a part of them is needed elsewhere too is decided by counting.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .axes import Poly, entries, magnitude
from .counting import node_counts
from .expr import Factor, Node, combination, constant, product, topological
from .ops.reshaping import reshape_node
from .plan import evaluate
from .terms import Term, TermSum, canonical

MANY = 12  # factors up to which products are flattened


@dataclass(frozen=True, slots=True)
class Form:
    """`scale * product of factors`, over the labels 0, 1, ... of the value's axes; nothing is summed."""

    scale: Any
    factors: tuple[Factor, ...]


class Simplifier:
    """Rewrites nodes, arguments first; `spread` flattens also what is used more than once."""

    def __init__(self, roots: Sequence[Node], stop: set[int], spread: bool) -> None:
        self.spread = spread
        order = topological(roots, stop)
        self.uses = Counter(arg.serial for node in order if node.serial not in stop for arg in node.args)
        self.uses.update(root.serial for root in roots)
        self.made: dict[int, Node] = {}
        self.bare: dict[int, Node] = {}
        self.forms: dict[int, Form] = {}
        constants: dict[int, Node] = {}  # one array that was captured is one node, however often it is used
        for node in order:
            leaf = node.serial in stop or not node.args
            if leaf:
                node_of = constants.setdefault(id(node.value), node) if node.op == "constant" else node
                self.forms[node.serial], self.made[node.serial] = _atom(node_of), node_of
            else:
                self.forms[node.serial] = self._form(node)

    def node(self, node: Node) -> Node:
        """The node that computes the same."""
        if node.serial not in self.made:
            scale = self.forms[node.serial].scale
            whole = self._bare(node)
            if scale != 1:
                whole = _scaled(scale, whole, node)
            elif whole is not node and whole.name is None and whole.op == node.op:
                whole.name = node.name
            self.made[node.serial] = whole
        return self.made[node.serial]

    def _bare(self, node: Node) -> Node:
        """The node without its coefficient."""
        if node.serial not in self.bare:
            self.bare[node.serial] = _built(self.forms[node.serial].factors, node)
        return self.bare[node.serial]

    def parts(self, node: Node, labels: Sequence[int]) -> tuple[Any, list[Factor]]:
        """A coefficient and the factors to use in place of a node with these labels."""
        form = self.forms[node.serial]
        alone = len(form.factors) == 1
        if alone or (len(form.factors) <= MANY and (self.spread or self.uses[node.serial] == 1)):
            return form.scale, [(n, tuple(labels[k] for k in ls)) for n, ls in form.factors]
        return form.scale, [(self._bare(node), tuple(labels))]

    # ---- one node

    def _form(self, node: Node) -> Form:
        if all(self.node(arg).op == "constant" for arg in node.args) and not _spreads(node):
            return _atom(_folded(node, [self.node(arg) for arg in node.args]))
        if node.op == "einsum" and not any(arg.dtype == bool for arg in node.args):
            return self._product(node)
        if node.op == "combination" and not any(arg.dtype == bool for arg in node.args):
            return self._sum(node)
        args = tuple(self.node(arg) for arg in node.args)
        same = all(new is old for new, old in zip(args, node.args, strict=True))
        return _atom(
            node if same else Node(node.op, args, node.params, node.shape, node.dtype, node.name, node.value)
        )

    def _product(self, node: Node) -> Form:
        labels, output, sizes = node.params
        scale, factors = self._flat(zip(node.args, labels, strict=True))
        factors = [_without_ones(factor, set(output), sizes) for factor in factors]
        carried = {label for _, ls in factors for label in ls}
        place = {label: k for k, label in enumerate(output)}
        if carried == set(output) and len(place) == len(output):
            return Form(scale, tuple((n, tuple(place[k] for k in ls)) for n, ls in factors))
        if scale == 1 and _same(factors, node.args, labels):
            return _atom(node)
        whole = product(factors, output, sizes)
        whole.name = node.name if scale == 1 else None
        return Form(scale, _atom(whole).factors)

    def _flat(self, operands: Iterable[Factor]) -> tuple[Any, list[Factor]]:
        scale: Any = 1
        factors: list[Factor] = []
        for arg, labels in operands:
            one, found = self.parts(arg, labels)
            scale = scale * one
            factors += found
        numbers = [n for n, _ in factors if n.op == "constant" and (n.dtype is int or n.dtype is float)]
        if numbers and len(numbers) < len(factors):
            factors = [factor for factor in factors if factor[0] not in numbers]
            for number in numbers:
                scale = scale * number.value
        return scale, factors

    def _sum(self, node: Node) -> Form:
        coefficients, labels, shape = node.params
        flat = [self._flat([(arg, ls)]) for arg, ls in zip(node.args, labels, strict=True)]
        scales = [c * scale for c, (scale, _) in zip(coefficients, flat, strict=True)]
        if len(flat) == 1 and {k for _, ls in flat[0][1] for k in ls} == set(range(len(shape))):
            return Form(scales[0], tuple(flat[0][1]))
        common = _common([factors for _, factors in flat])
        if common:
            return _factored(common, scales, [factors for _, factors in flat], node)
        parts = [
            (c * self.forms[arg.serial].scale, self._bare(arg), ls)
            for c, arg, ls in zip(coefficients, node.args, labels, strict=True)
        ]
        scale, parts = _turned(parts)
        if scale == 1 and all(arg is old for (_, arg, _), old in zip(parts, node.args, strict=True)):
            return _atom(node)
        made = combination(parts, range(len(shape)), shape)
        made.name = node.name if scale == 1 else None
        return Form(scale, _atom(made).factors)


def _atom(node: Node) -> Form:
    return Form(1, ((node, tuple(range(node.ndim))),))


def _spreads(node: Node) -> bool:
    """Whether it is a broadcasting product, which is better left to the product that it goes into."""
    if node.op != "einsum":
        return False
    labels, output, _ = node.params
    return len(labels) > 1 and any(set(ls) < set(output) for ls in labels if ls)


def _folded(node: Node, args: Sequence[Node]) -> Node:
    """The value of a node whose arguments are known."""
    (value,) = evaluate([Node(node.op, tuple(args), node.params, node.shape, node.dtype)])
    if isinstance(value, tuple):
        return Node(node.op, tuple(args), node.params, node.shape, node.dtype, node.name)
    return constant(node.dtype(value) if isinstance(node.dtype, type) else np.asarray(value, node.dtype))


def _same(factors: Sequence[Factor], args: Sequence[Node], labels: Sequence[Any]) -> bool:
    return len(factors) == len(args) and all(
        n is arg and ls == tuple(given) for (n, ls), arg, given in zip(factors, args, labels, strict=True)
    )


def _built(factors: Sequence[Factor], like: Node) -> Node:
    """A product as a node; `like` itself where nothing has changed."""
    output = tuple(range(like.ndim))
    if len(factors) == 1 and factors[0][1] == output:
        return factors[0][0]
    if like.op == "einsum" and _same(factors, like.args, _renamed(like)):
        return like
    return product(factors, output, like.shape)


def _scaled(scale: Any, node: Node, like: Node) -> Node:
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


def _without_ones(factor: Factor, output: set[int], sizes: Sequence[Any]) -> Factor:
    """The factor without axes of size 1 that are summed."""
    node, labels = factor
    kept = [k for k, label in enumerate(labels) if label in output or sizes[label] != 1]
    if len(kept) == len(labels):
        return factor
    return reshape_node(node, tuple(node.shape[k] for k in kept)), tuple(labels[k] for k in kept)


def _common(products: Sequence[Sequence[Factor]]) -> list[tuple[int, tuple[int, ...]]]:
    """The factors, by serial and labels, that stand in every product."""
    if len(products) < 2:
        return []
    keys = [Counter((n.serial, ls) for n, ls in factors) for factors in products]
    shared = keys[0]
    for other in keys[1:]:
        shared = shared & other
    return [key for key in shared.elements() if key[1]]


def _factored(
    common: list[tuple[int, tuple[int, ...]]],
    scales: Sequence[Any],
    products: Sequence[Sequence[Factor]],
    node: Node,
) -> Form:
    """`common * (sum of what is left of every product)`."""
    shape = node.shape
    left: list[tuple[Any, Node, tuple[int, ...]]] = []
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
    scale, left = _turned(left)
    inner = combination(left, output, shape)
    if {k for _, ls in taken for k in ls} | set(output) != set(range(len(shape))):
        taken.append((constant(np.ones(shape, node.dtype)), tuple(range(len(shape)))))
    return Form(scale, (*taken, (inner, output)))


def _turned(
    parts: list[tuple[Any, Node, tuple[int, ...]]],
) -> tuple[Any, list[tuple[Any, Node, tuple[int, ...]]]]:
    """A sum as a coefficient and a sum: negative as a whole, or all parts with coefficients of one size."""
    if not all(isinstance(c, (int, float)) and c != 0 for c, _, _ in parts):
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
        return constant(1.0)
    return rest[0][0] if len(rest) == 1 and rest[0][1] == labels else product(rest, labels, shape)


# ---- Jacobians


def simplified(
    wholes: Sequence[TermSum], others: Sequence[Node], stop: set[int], splice: bool
) -> tuple[list[TermSum], list[Node]]:
    """The Jacobians and the other nodes rewritten, looking no further than the nodes to `stop` at.

    With `splice` a Term's factors may become several, whose product is then only made in the result.
    """
    roots = [*(n for whole in wholes for t in whole.terms for n in t.nodes), *others]
    if any(isinstance(n, Poly) for root in roots for n in root.shape):
        return list(wholes), list(others)
    best: tuple[float, list[TermSum], list[Node]] | None = None
    for spread in (False, True):
        made = Simplifier(roots, stop, spread)
        found = [
            TermSum(w.target_shape, w.input_shape, tuple(_term(t, made, splice) for t in w.terms))
            for w in wholes
        ]
        beside = [made.node(node) for node in others]
        cost = _cost([*(n for w in found for t in w.terms for n in t.nodes), *beside], stop)
        if splice:
            cost += sum(_written(t) for w in found for t in w.terms)
        if best is None or cost < best[0]:
            best = cost, found, beside
    assert best is not None
    return best[1], best[2]


def _term(t: Term, made: Simplifier, splice: bool) -> Term:
    coefficient, factors = t.coefficient, []
    for node, labels in t.factors:
        scale, found = made.parts(node, labels)
        masked = len(t.factors) > 1 and node.dtype == bool
        repeated = any(len(set(ls)) < len(ls) for _, ls in found)
        if ((len(found) > 1 or found[0][1] != labels) and (repeated or not splice)) or masked:
            scale, found = 1, [(made.node(node), labels)]
        coefficient = coefficient * scale
        factors += found
    return canonical(coefficient, factors, t.target, t.input, t.sizes)


def _cost(roots: Sequence[Node], stop: set[int]) -> float:
    """Multiplications, additions and evaluations of all that the roots need, each value counted once."""
    seen: dict[Any, int] = {}
    place: dict[int, int] = {}
    total = 0
    for node in topological(roots, stop):
        leaf = node.serial in stop or not node.args
        key = node.serial if leaf else (node.op, tuple(place[a.serial] for a in node.args), node.params)
        if key not in seen:
            seen[key] = node.serial
            total += 0 if leaf else sum(node_counts(node))
        place[node.serial] = seen[key]
    return float(total)


def _written(t: Term) -> float:
    """Multiplications that write one Term's product of several factors: small ones first, then the result."""
    parts = sum(magnitude(entries(n.shape)) for n, _ in t.factors) if len(t.factors) > 2 else 0.0
    return magnitude(entries(t.sizes[label] for label in t.wiring)) * (len(t.factors) > 1) + parts
