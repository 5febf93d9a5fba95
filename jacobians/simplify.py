"""Algebra on nodes before they run: products flattened, common factors taken out, coefficients collected.

`simplified(wholes, others)` rewrites Jacobians (and other nodes that are needed beside them) so that they
cost less:

- a product of products becomes one product, whose contraction path is then found as a whole (`X^T D X`
  through half of a symmetric product, vectors multiplied before matrices);
- `a f + a g` becomes `a (f + g)`;
- constant coefficients move out of products, in the end into the Terms;
- a whole power is a product of squares, which powers of one value share;
- a summed axis of size 1 is dropped.

Whether products are flattened where a part of them is needed elsewhere too is decided by counting.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from .axes import Poly, entries, magnitude
from .counting import node_counts
from .expr import Factor, Node, combination, product, topological
from .factoring import (
    Monomial,
    atom,
    built,
    collected,
    common_factors,
    exponent_of,
    factored,
    folded,
    is_moderate,
    merged,
    negated_within,
    of_one_type,
    same_factors,
    scaled,
    spreads,
    turned,
    value_key,
    weighted_within,
    without_ones,
)
from .terms import Term, TermSum, canonical

MANY = 12  # factors up to which products are flattened


class Simplifier:
    """Rewrites nodes, arguments first; `spread` flattens also what is used more than once."""

    def __init__(self, roots: Sequence[Node], stop: set[int], spread: bool) -> None:
        self.spread = spread
        order = topological(roots, stop)
        self.first = merged(order, stop)
        distinct = [node for node in order if self.first[node.serial] is node]
        args = [arg for node in distinct if node.serial not in stop for arg in node.args]
        self.uses = Counter(self.first[node.serial].serial for node in [*args, *roots])
        self.squares = Counter(
            self.first[node.args[0].serial].serial for node in distinct if exponent_of(node) > 2
        )
        self.made: dict[int, Node] = {}
        self.bares: dict[int, Node] = {}
        self.monomials: dict[int, Monomial] = {}
        self.known: dict[Any, Node] = {}
        for node in distinct:
            if node.serial in stop or not node.args:
                self.monomials[node.serial], self.made[node.serial] = atom(node), node
            else:
                self.monomials[node.serial] = self._monomial(node)

    def node(self, node: Node) -> Node:
        """The node that computes the same."""
        node = self.first[node.serial]
        if node.serial not in self.made:
            scale = self.monomials[node.serial].scale
            whole = self.bare(node)
            if scale != 1:
                whole = scaled(scale, whole, node)
            elif whole is not node and whole.name is None and whole.op == node.op:
                whole.name = node.name
            self.made[node.serial] = whole
        return self.made[node.serial]

    def scale(self, node: Node) -> Any:
        """The coefficient of a node."""
        return self.monomials[self.first[node.serial].serial].scale

    def bare(self, node: Node) -> Node:
        """The node without its coefficient."""
        node = self.first[node.serial]
        if node.serial not in self.bares:
            self.bares[node.serial] = self._one(built(self.monomials[node.serial].factors, node))
        return self.bares[node.serial]

    def _one(self, node: Node) -> Node:
        """The node, or the one made before that has its value."""
        place = {arg.serial: arg.serial for arg in node.args}
        return self.known.setdefault(value_key(node, place), node) if node.args else node

    def parts(self, node: Node, labels: Sequence[int]) -> tuple[Any, list[Factor]]:
        """A coefficient and the factors to use in place of a node with these labels."""
        node = self.first[node.serial]
        monomial = self.monomials[node.serial]
        alone = len(monomial.factors) == 1
        if not is_moderate(monomial.scale):
            return 1, [(self.node(node), tuple(labels))]
        few = len(monomial.factors) <= MANY and (self.spread or self.uses[node.serial] == 1)
        if alone or (few and of_one_type(monomial.factors, node)):
            return monomial.scale, [(n, tuple(labels[k] for k in ls)) for n, ls in monomial.factors]
        return monomial.scale, [(self.bare(node), tuple(labels))]

    # ---- one node

    def _monomial(self, node: Node) -> Monomial:
        if all(self.node(arg).op == "constant" for arg in node.args) and not spreads(node):
            return atom(folded(node, [self.node(arg) for arg in node.args]))
        if node.op == "einsum" and not any(arg.dtype == bool for arg in node.args):
            return self._product(node)
        if node.op == "combination" and not any(arg.dtype == bool for arg in node.args):
            return self._sum(node)
        exponent = exponent_of(node)
        if exponent:
            return self._powered(node, exponent)
        if node.op == "divide":
            return self._quotient(node)
        return self._other(node)

    def _other(self, node: Node) -> Monomial:
        args = tuple(self.node(arg) for arg in node.args)
        same = all(new is old for new, old in zip(args, node.args, strict=True))
        new = Node(node.op, args, node.params, node.shape, node.dtype, node.name, node.value)
        return atom(self._one(node if same else new))

    def _powered(self, node: Node, exponent: int) -> Monomial:
        """A power as a product; as one factor where others need it too."""
        base = self.node(node.args[0])
        others = self.squares[self.first[node.args[0].serial].serial] if exponent == 2 else 0
        if self.uses[node.serial] + others > 1:
            return atom(self._power(base, exponent))
        return Monomial(1, tuple(atom(n).factors[0] for n in self._factors(base, exponent)))

    def _quotient(self, node: Node) -> Monomial:
        """A quotient without the coefficients of what it divides."""
        scales = [self.scale(arg) for arg in node.args]
        numbers = all(isinstance(scale, (int, float)) and scale != 0 for scale in scales)
        same_type = of_one_type([(arg, ()) for arg in node.args], node) and node.dtype != int
        scale = scales[0] / scales[1] if numbers and scales[1] != 1 else scales[0]
        if scales == [1, 1] or not numbers or not same_type or not all(map(is_moderate, [*scales, scale])):
            return self._other(node)
        args = tuple(self.bare(arg) for arg in node.args)
        return Monomial(scale, atom(self._one(Node("divide", args, None, node.shape, node.dtype))).factors)

    def _power(self, base: Node, exponent: int) -> Node:
        if exponent == 1:
            return base
        labels = tuple(range(base.ndim))
        return self._one(product([(n, labels) for n in self._factors(base, exponent)], labels, base.shape))

    def _factors(self, base: Node, exponent: int) -> tuple[Node, Node]:
        """Two nodes whose product is a power: halves, or what is even and the base."""
        if exponent % 2:
            return self._power(base, exponent - 1), base
        half = self._power(base, exponent // 2)
        return half, half

    def _product(self, node: Node) -> Monomial:
        labels, output, sizes = node.params
        scale, factors = self._flat(list(zip(node.args, labels, strict=True)))
        factors = [without_ones(factor, set(output), sizes) for factor in factors]
        carried = {label for _, ls in factors for label in ls}
        place = {label: k for k, label in enumerate(output)}
        if carried == set(output) and len(place) == len(output):
            return Monomial(scale, tuple((n, tuple(place[k] for k in ls)) for n, ls in factors))
        if scale == 1 and same_factors(factors, node.args, labels):
            return atom(node)
        if scale == -1:  # inside the sum it costs nothing, and a weight may then be positive
            scale, factors = negated_within(factors)
        whole = product(factors, output, sizes)
        whole.name = node.name if scale == 1 else None
        return Monomial(scale, atom(self._one(whole)).factors)

    def _flat(self, operands: Sequence[Factor]) -> tuple[Any, list[Factor]]:
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
        return (scale, factors) if is_moderate(scale) else (1, [(self.node(arg), ls) for arg, ls in operands])

    def _sum(self, node: Node) -> Monomial:
        coefficients, labels, shape = node.params
        flat = [self._flat([(arg, ls)]) for arg, ls in zip(node.args, labels, strict=True)]
        scales = [c * scale for c, (scale, _) in zip(coefficients, flat, strict=True)]
        if len(flat) == 1 and {k for _, ls in flat[0][1] for k in ls} == set(range(len(shape))):
            return Monomial(scales[0], tuple(flat[0][1]))
        common = common_factors([factors for _, factors in flat])
        if common and all(of_one_type(factors, node) for _, factors in flat):
            return factored(common, scales, [factors for _, factors in flat], node)
        parts = [
            (c * self.scale(arg), self.bare(arg), ls)
            for c, arg, ls in zip(coefficients, node.args, labels, strict=True)
        ]
        scale, parts = turned(collected(parts))
        if (
            scale == 1
            and len(parts) == len(node.args)
            and all(arg is old for (_, arg, _), old in zip(parts, node.args, strict=True))
        ):
            return atom(node)
        made = combination(parts, range(len(shape)), shape)
        made.name = node.name if scale == 1 else None
        return Monomial(scale, atom(self._one(made)).factors)


def simplified(
    wholes: Sequence[TermSum], others: Sequence[Node], stop: set[int], splice: bool, written: bool = True
) -> tuple[list[TermSum], list[Node]]:
    """The Jacobians and the other nodes rewritten, looking no further than the nodes to `stop` at.

    With `splice` a Term's factors may become several, whose product is then only made in the result; with
    `written` its coefficient is multiplied into the result, and so goes into a sum where that costs less.
    """
    roots = [*(n for whole in wholes for t in whole.terms for n in t.nodes), *others]
    if any(isinstance(n, Poly) for root in roots for n in root.shape):
        return list(wholes), list(others)
    best: tuple[float, list[TermSum], list[Node]] | None = None
    for spread in (False, True):
        made = Simplifier(roots, stop, spread)
        found = [
            TermSum(w.target_shape, w.input_shape, tuple(_term(t, made, splice, written) for t in w.terms))
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


def _term(t: Term, made: Simplifier, splice: bool, written: bool) -> Term:
    coefficient, factors = t.coefficient, []
    for node, labels in t.factors:
        scale, found = made.parts(node, labels)
        masked = len(t.factors) > 1 and node.dtype == bool
        repeated = any(len(set(ls)) < len(ls) for _, ls in found)
        if masked:
            scale, found = 1, [(made.node(node), labels)]
        elif (len(found) > 1 or found[0][1] != labels) and (repeated or not splice):
            found = [(made.bare(node), labels)]
        coefficient = coefficient * scale
        factors += found
    if len(factors) == 1 and made.uses[t.factors[0][0].serial] == 1:
        if coefficient == -1:
            coefficient, factors = negated_within(factors)
        if written:
            coefficient, factors = weighted_within(coefficient, factors)
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
