"""Terms: the normal form of a Jacobian, and the algebra on it.

A Jacobian is a `TermSum`, a sum of `Term`s; a Term is a coefficient, factors (nodes with labels) and a
wiring: the slots of the target axes, then of the input axes.  `compose` is the chain rule,
`add` sums, `collapse` contracts a Term's factors into nodes where that makes them smaller, and
`assemble` writes a TermSum out as one dense node.  Nothing here computes a number.

>>> from jacobians.expr import variable
>>> x = variable("x", (4,))
>>> dz_dA = TermSum((3,), (3, 4), (Term(1, ((x, (1,)),), (0,), (0, 1), (3, 4)),))   # δ_im x_n
>>> compose(identity((3,)), dz_dA) == dz_dA
True
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .axes import Shape, Size, entries, magnitude
from .collapsing import contracted
from .errors import ShapeError
from .expr import Factor, Node, array_type, combination, constant, product, promote
from .meeting import Pattern, meet, renumbering
from .wiring import (
    Disjoint,
    Equations,
    NotSymbolic,
    Slot,
    Table,
    encode,
    labels_of,
    plain,
    relabel,
    select,
    substitute,
)

APART = 4  # Terms of equal wiring that may stay apart before they are collapsed and added
PATTERNS = 16  # different wirings that may stay apart on one edge, if the dense tensor is small
PATTERNS_AT_MOST = 64  # different wirings that may stay apart, however large the dense tensor


@dataclass(frozen=True, slots=True)
class Term:
    """`coefficient * product of factors`, wired `(target slots | input slots)`.

    Labels are 0, 1, ... with `sizes[label]`, local to the Term, in order of first appearance in the
    wiring and then in the factors.  A label the wiring repeats is a Kronecker delta; one that no
    factor carries is a vector of ones; one that the wiring lacks is summed over.
    """

    coefficient: Any
    factors: tuple[Factor, ...]
    target: tuple[Slot, ...]
    input: tuple[Slot, ...]
    sizes: tuple[Size, ...]

    @property
    def wiring(self) -> tuple[int, ...]:
        """The distinct labels of the wiring, in order."""
        return tuple(dict.fromkeys(label for s in (*self.target, *self.input) for label in labels_of(s)))

    @property
    def carried(self) -> frozenset[int]:
        """The labels that factors carry."""
        return frozenset(label for _, labels in self.factors for label in labels)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes whose values the Term needs: its factors', and those of tables that are not constant."""
        tables = [
            s.node for s in (*self.target, *self.input) if isinstance(s, Table) and s.node.op != "constant"
        ]
        return (*(node for node, _ in self.factors), *tables)

    @property
    def pattern(self) -> Any:
        """What two Terms must share to be added without writing anything out."""
        return self.target, self.input, tuple(self.sizes[label] for label in self.wiring)

    def scaled(self, coefficient: Any) -> Term:
        """This Term, its coefficient multiplied."""
        return Term(self.coefficient * coefficient, self.factors, self.target, self.input, self.sizes)


@dataclass(frozen=True, slots=True)
class TermSum:
    """A Jacobian `target_shape x input_shape` as a sum of Terms; no Term means zero."""

    target_shape: Shape
    input_shape: Shape
    terms: tuple[Term, ...] = ()

    @property
    def shape(self) -> Shape:
        """Target axes, then input axes."""
        return self.target_shape + self.input_shape


def term(
    coefficient: Any,
    factors: Iterable[tuple[Node, Iterable[Any]]],
    target: Iterable[Any],
    input: Iterable[Any],
    sizes: Mapping[Any, Size],
) -> Term:
    """A Term from labels that may be any hashable (letters, say), put in canonical order."""
    factors = [(node, tuple(labels)) for node, labels in factors]
    target, input = tuple(target), tuple(input)
    order: dict[Any, int] = {}
    for label in (*target, *input, *(label for _, labels in factors for label in labels)):
        order.setdefault(label, len(order))
    return Term(
        coefficient,
        tuple((node, tuple(order[label] for label in labels)) for node, labels in factors),
        tuple(order[label] for label in target),
        tuple(order[label] for label in input),
        tuple(sizes[label] for label in order),
    )


def identity(shape: Shape) -> TermSum:
    """The derivative of a tensor by itself: every axis a delta, no factor."""
    labels = tuple(range(len(shape)))
    return TermSum(shape, shape, (Term(1, (), labels, labels, shape),))


def is_identity(edge: TermSum) -> bool:
    """Whether composing with `edge` changes nothing."""
    if len(edge.terms) != 1 or edge.target_shape != edge.input_shape:
        return False
    (only,) = edge.terms
    return (
        only.coefficient == 1
        and not only.factors
        and only.target == only.input == tuple(range(len(edge.target_shape)))
    )


def compose(outer: TermSum, inner: TermSum) -> TermSum:
    """The chain rule: `sum over the middle axes of outer[target, middle] * inner[middle, input]`.

    Middle slots are equated, factors put side by side, and each product collapsed; shapes
    `target x middle` and `middle x input` give `target x input`.
    """
    if outer.input_shape != inner.target_shape:
        raise ShapeError(
            "cannot contract two Jacobians: their middle axes differ",
            f"input axes {outer.input_shape} against target axes {inner.target_shape}",
            "compose neighbours of the chain, a step may be missing between them",
        )
    if is_identity(outer):
        return inner
    if is_identity(inner):
        return outer
    try:
        terms = [t for a in outer.terms for b in inner.terms for t in _compose(a, b, outer, inner)]
    except NotSymbolic:
        return compose(outer, assembled(inner))
    return TermSum(outer.target_shape, inner.input_shape, _total(outer, inner, terms))


def _total(outer: TermSum, inner: TermSum, terms: list[Term]) -> tuple[Term, ...]:
    return _add(terms, outer.target_shape, inner.input_shape)


def _compose(a: Term, b: Term, outer: TermSum, inner: TermSum) -> list[Term]:
    first, second = _pattern(a), _pattern(b)
    if first is None or second is None:
        return _solved(a, b, outer, inner)
    found = meet(first, second)
    nodes = [node for node, _ in (*a.factors, *b.factors)]
    coefficient = a.coefficient * b.coefficient
    for size in found.summed:
        coefficient = coefficient * size
    made, labels = [group.made(nodes, found.sizes) for group in found.groups], found.pattern.carried
    whole = found.pattern
    return [Term(coefficient, tuple(zip(made, labels, strict=True)), whole.target, whole.input, whole.sizes)]


def _pattern(t: Term) -> Pattern | None:
    """The Term without nodes and coefficient, if every slot is a label: what `meet` takes."""
    for slot in (*t.target, *t.input):
        if type(slot) is not int:
            return None
    return Pattern(t.target, t.input, t.sizes, tuple([labels for _, labels in t.factors]))  # type: ignore[arg-type]


def _solved(a: Term, b: Term, outer: TermSum, inner: TermSum) -> list[Term]:
    """Two Terms composed whatever their slots hold: equations solved, then the product collapsed."""
    shift = len(a.sizes)
    names = range(shift, shift + len(b.sizes))
    equations = Equations((*a.sizes, *b.sizes))
    try:
        for left, right in zip(a.input, b.target, strict=True):
            equations.equate(left, relabel(right, names))
    except Disjoint:
        return []
    sizes, solution = equations.sizes, equations.solution
    factors = [*a.factors, *((node, tuple(names[k] for k in labels)) for node, labels in b.factors)]
    if solution:
        factors = [select(factor, solution, sizes) for factor in factors]
    target = _slots(a.target, outer.target_shape, solution, sizes)
    input = _slots([relabel(slot, names) for slot in b.input], inner.input_shape, solution, sizes)
    whole = canonical(a.coefficient * b.coefficient, factors, target, input, sizes, _live(equations))
    return [collapse(whole)]


def _live(equations: Equations) -> set[int]:
    return set(range(len(equations.sizes))) - set(equations.solution)


def _slots(
    slots: Sequence[Slot], shape: Shape, solution: Mapping[int, Slot], sizes: Sequence[Size]
) -> tuple[Slot, ...]:
    return tuple(
        plain(substitute(slot, solution, sizes), size, sizes) for slot, size in zip(slots, shape, strict=True)
    )


def canonical(
    coefficient: Any,
    factors: Iterable[Factor],
    target: Sequence[Slot],
    input: Sequence[Slot],
    sizes: Sequence[Size],
    live: Iterable[int] = (),
) -> Term:
    """A Term with its labels renumbered; a `live` label that stands nowhere is summed: a factor n."""
    factors = tuple(factors)
    order = renumbering((*target, *input), (labels for _, labels in factors))
    for label in live:
        if label not in order:
            coefficient = coefficient * sizes[label]
    return Term(
        coefficient,
        tuple((node, tuple(order[label] for label in labels)) for node, labels in factors),
        tuple(relabel(slot, order) for slot in target),
        tuple(relabel(slot, order) for slot in input),
        tuple(sizes[label] for label in order),
    )


def collapse(whole: Term) -> Term:
    """Contracts factors into one node wherever the node is no larger than what goes into it.

    Factors whose product would be larger stay apart (`-Y[i,k] Y[l,j]` keeps two matrices, not
    n^4 entries); a summed label is gone afterwards unless its sum would be larger.
    """
    wanted = set(whole.wiring)
    if not whole.factors or (
        len(whole.factors) == 1 and set(whole.factors[0][1]) <= wanted and _distinct(whole)
    ):
        return whole
    factors = contracted(whole.factors, wanted, whole.sizes)
    return canonical(whole.coefficient, factors, whole.target, whole.input, whole.sizes)


def _distinct(whole: Term) -> bool:
    labels = whole.factors[0][1]
    return len(set(labels)) == len(labels)


def core(whole: Term, carried: Sequence[int] | None = None) -> Factor:
    """The product of a Term's factors as one node over the wiring labels (coefficient left out)."""
    labels = tuple(k for k in whole.wiring if k in whole.carried) if carried is None else tuple(carried)
    if len(whole.factors) == 1 and whole.factors[0][1] == labels:
        return whole.factors[0]
    if not whole.factors:
        return constant(1.0), ()
    return product(whole.factors, labels, whole.sizes), labels


def add(edges: Sequence[TermSum]) -> TermSum:
    """The sum of Jacobians of one shape; Terms of equal wiring are added where that is cheap."""
    first = edges[0]
    if len(edges) == 1:
        return first
    terms = [t for edge in edges for t in edge.terms]
    return TermSum(first.target_shape, first.input_shape, _add(terms, first.target_shape, first.input_shape))


def _add(terms: list[Term], target_shape: Shape, input_shape: Shape) -> tuple[Term, ...]:
    if len(terms) < 2:
        return tuple(t for t in terms if t.coefficient != 0)
    patterns: dict[Any, list[Term]] = {}
    for t in terms:
        patterns.setdefault(t.pattern, []).append(t)
    kept = [t for same in patterns.values() for t in _add_same(same)]
    dense = magnitude(entries(target_shape + input_shape))
    held = sum(magnitude(entries(node.shape)) for t in kept for node, _ in t.factors)
    if len(patterns) > PATTERNS_AT_MOST or (len(patterns) > PATTERNS and dense <= 4 * held + 64):
        return assembled(TermSum(target_shape, input_shape, tuple(kept))).terms
    return tuple(kept)


def _add_same(terms: list[Term]) -> list[Term]:
    """Adds Terms of one wiring: like factors first, then like cores, the rest where they are many."""
    like: dict[Any, Term] = {}
    for t in terms:
        key = tuple((node.serial, labels) for node, labels in t.factors)
        known = like.get(key)
        total = t.coefficient if known is None else known.coefficient + t.coefficient
        like[key] = Term(total, t.factors, t.target, t.input, t.sizes)
    terms = _factored([t for t in like.values() if t.coefficient != 0])
    simple = [t for t in terms if len(t.factors) <= 1]
    apart = [t for t in terms if len(t.factors) > 1]
    if len(apart) + bool(simple) > APART:
        simple, apart = simple + apart, []
    by_labels: list[list[Term]] = []
    for t in sorted(simple, key=lambda t: -len(t.carried)):
        for group in by_labels:
            if t.carried & set(t.wiring) <= group[0].carried or (not apart and len(terms) > APART):
                group.append(t)
                break
        else:
            by_labels.append([t])
    return [_combine(group) for group in by_labels] + apart


def _factored(terms: list[Term]) -> list[Term]:
    """`a f g + b f h` as `f (a g + b h)`, where g and h carry the same labels."""
    known: dict[Any, int] = {}
    kept: list[Term] = []
    for t in terms:
        keys = _all_but_one(t) if len(t.factors) > 1 else {}
        found = next((key for key in keys if key in known), None)
        if found is None:
            known.update(dict.fromkeys(keys, len(kept)))
            kept.append(t)
            continue
        place = known[found]
        other = kept[place]
        known = {key: k for key, k in known.items() if k != place}
        (a, x), (b, y) = (other.factors[_all_but_one(other)[found]], t.factors[keys[found]])
        parts = [(other.coefficient, a, x), (t.coefficient, b, y)]
        rest = [f for k, f in enumerate(t.factors) if k != keys[found]]
        made = canonical(1, [*rest, (combination(parts, x, t.sizes), x)], t.target, t.input, t.sizes)
        kept[place] = made
        known.update(dict.fromkeys(_all_but_one(made), place))
    return kept


def _all_but_one(t: Term) -> dict[Any, int]:
    """For each factor: what the other factors are, and the labels that this one carries."""
    keys: dict[Any, int] = {}
    for k, (_, labels) in enumerate(t.factors):
        rest = [(node.serial, ls) for j, (node, ls) in enumerate(t.factors) if j != k]
        if len(set(labels)) == len(labels) and set(labels) <= set(t.wiring):
            keys[tuple(sorted(rest)), frozenset(labels)] = k
    return keys


def _combine(terms: list[Term]) -> Term:
    if len(terms) == 1:
        return terms[0]
    first = terms[0]
    wiring = first.wiring
    carried = set().union(*(t.carried for t in terms))
    out = tuple(label for label in wiring if label in carried)
    parts = []
    for t in terms:
        node, labels = core(t)
        parts.append((t.coefficient, node, labels))
    sizes = first.sizes[: len(wiring)]
    return canonical(1, [(combination(parts, out, sizes), out)], first.target, first.input, sizes)


def assemble(whole: TermSum, dtype: Any = None) -> Node:
    """The dense tensor of a Jacobian as one node: each core added through its wiring (into this type)."""
    cores = [core(t) for t in whole.terms]
    coded: list[Any] = []
    tables: list[Node] = []
    for t, (_, labels) in zip(whole.terms, cores, strict=True):
        wiring = t.wiring
        slots, found = encode((*t.target, *t.input), {label: k for k, label in enumerate(wiring)})
        coded.append(
            (t.coefficient, tuple(wiring.index(k) for k in labels), slots, t.sizes[: len(wiring)], len(found))
        )
        tables += found
    nodes = tuple(node for node, _ in cores)
    dtype = array_type(promote(nodes) if nodes else float) if dtype is None else dtype
    return Node("assemble", (*nodes, *tables), (tuple(coded), whole.shape), whole.shape, dtype)


def assembled(whole: TermSum) -> TermSum:
    """The same Jacobian as one Term without deltas or selections: its dense tensor is the factor."""
    if not whole.terms:
        return whole
    labels = tuple(range(len(whole.shape)))
    split = len(whole.target_shape)
    only = Term(1, ((assemble(whole), labels),), labels[:split], labels[split:], whole.shape)
    return TermSum(whole.target_shape, whole.input_shape, (only,))
