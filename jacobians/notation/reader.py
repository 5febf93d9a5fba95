"""Nodes and Terms read as expressions of one entry.

`Reader(names).entry(node, index)` is the entry `node[index]`; `Reader.term(term, places)` is a Term's product
with its deltas; `read_terms(terms, places)` is a whole Jacobian: one expression for its entry at the places'
letters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..expr import Node
from ..operation import local_jacobian
from ..terms import Term, TermSum
from ..wiring import Slot, Table, decode, labels_of
from .entries import (
    ONE,
    ZERO,
    Call,
    Delta,
    Entry,
    Expr,
    Index,
    Number,
    index_of,
    letter,
    plus,
    positive_first,
    power,
    quotient,
    tidy,
    times,
    total,
)
from .letters import SUMMED, fresh
from .naming import Names, is_integer, is_opaque, name_values

Places = tuple[Sequence[str], Sequence[str]]  # letters of the target axes, of the input axes


class Reader:
    """Reads entries of nodes, taking a new letter for every sum (so that no letter serves twice)."""

    def __init__(self, names: Names, used: Sequence[str]) -> None:
        self.names = names
        self.used = {*used, *names.taken()}

    def new(self) -> str:
        """A letter that is not in use."""
        name = next(fresh(SUMMED, self.used))
        self.used.add(name)
        return name

    def entry(self, node: Node, index: Sequence[Index]) -> Expr:
        """The entry `node[index]`: by name where it has one, else written out."""
        name = self.names.of(node)
        if name is not None:
            return Entry(name, tuple(index))
        read = _READ.get(node.op)
        if read is not None:
            return read(self, node, index)
        if is_opaque(node):
            return Entry(applied(node, self.names), tuple(index))
        return formula(node.op, tuple(self.entry(arg, _stretched(arg, node, index)) for arg in node.args))

    def term(self, term: Term, places: Sequence[Index]) -> Expr:
        """A Term's entry: a delta for every place whose label stands before it, then the factors."""
        slots = (*term.target, *term.input)
        along, deltas, hidden = self.along(term, slots, places)
        factors = [self.factor(node, [along[label] for label in labels]) for node, labels in term.factors]
        return total(hidden, times(tidy(term.coefficient), *deltas, *factors))

    def factor(self, node: Node, index: Sequence[Index]) -> Expr:
        """The entry of a factor; a truth counts as 1 or 0."""
        found = self.entry(node, index)
        return Call("holds", (found,)) if node.dtype == bool else found

    def along(
        self, term: Term, slots: Sequence[Slot], places: Sequence[Index]
    ) -> tuple[dict[int, Index], list[Expr], list[str]]:
        """An index for every label, the deltas that the wiring says, and the letters to sum over."""
        along: dict[int, Index] = {}
        for slot, place in zip(slots, places, strict=True):
            if isinstance(slot, int):
                along.setdefault(slot, place)
        hidden = []
        for label in range(len(term.sizes)):
            if label not in along:
                hidden.append(self.new())
                along[label] = letter(hidden[-1])
        deltas: list[Expr] = []
        for slot, place in zip(slots, places, strict=True):
            at = index_of(slot, along, self.tables(slot))
            if at != place:
                deltas.append(_delta(place, at, places))
        return along, deltas, hidden

    def tables(self, slot: Slot) -> Mapping[int, str]:
        """The name of a slot's table, if it has one."""
        if not isinstance(slot, Table):
            return {}
        return {slot.node.serial: self.names.of(slot.node) or "T"}


def _delta(place: Index, at: Index, places: Sequence[Index]) -> Delta:
    """The delta of an axis: two letters in the order of the axes, or the axis and an index arithmetic."""
    if at in places and places.index(at) < places.index(place):
        return Delta(at, place)
    return Delta(place, at)


def applied(node: Node, names: Names) -> str:
    """A function without a formula, by name: `inv(X)`, `det(X)`, `eigh(X)[0]`."""
    if node.op == "output":
        return f"{applied(node.args[0], names)}[{node.params}]"
    if node.op == "reshape" and all(size == 1 for size in node.shape):
        return _argument(node.args[0], names)
    if node.op == "det" and node.params:
        return f"{'cof' if node.params == 1 else f'minors{node.params}'}({_argument(node.args[0], names)})"
    return f"{node.op}({', '.join(_argument(arg, names) for arg in node.args)})"


def _argument(node: Node, names: Names) -> str:
    if node.op == "constant" and node.shape == ():
        return str(node.value)
    return names.of(node) or applied(node, names)


def formula(op: str, args: tuple[Expr, ...]) -> Expr:
    """A pointwise function of entries as a formula where it has one, else as a call."""
    match op, args:
        case "divide", (top, bottom):
            return quotient(top, bottom)
        case "safe_divide", (top, bottom):
            return quotient(top, bottom)
        case "reciprocal", (x,):
            return quotient(ONE, x)
        case "square", (x,):
            return power(x, 2)
        case "power", (x, Number(value)):
            return power(x, value)
    return Call(op, args)


def _stretched(arg: Node, node: Node, index: Sequence[Index]) -> list[Index]:
    """The index of an argument that was broadcast: 0 along an axis of size 1 that was stretched."""
    sizes = node.shape[len(node.shape) - arg.ndim :]
    own = index[len(index) - arg.ndim :]
    return [
        Index() if size == 1 and wide != 1 else at
        for size, wide, at in zip(arg.shape, sizes, own, strict=True)
    ]


def _constant(reader: Reader, node: Node, index: Sequence[Index]) -> Expr:
    return Number(tidy(node.value.item() if hasattr(node.value, "item") else node.value))


def _einsum(reader: Reader, node: Node, index: Sequence[Index]) -> Expr:
    labels, output, sizes = node.params
    along = dict(zip(output, index, strict=True))
    summed = [label for label in range(len(sizes)) if label not in along]
    letters = {label: reader.new() for label in summed if sizes[label] != 1}
    along.update({label: Index() for label in summed})  # one entry is no sum
    along.update({label: letter(name) for label, name in letters.items()})
    factors = [reader.factor(a, [along[k] for k in own]) for a, own in zip(node.args, labels, strict=True)]
    return total(letters.values(), times(*factors))


def _combination(reader: Reader, node: Node, index: Sequence[Index]) -> Expr:
    coefficients, labels, _ = node.params
    made = zip(coefficients, node.args, labels, strict=True)
    return positive_first(
        plus(times(tidy(c), reader.factor(arg, [index[k] for k in own])) for c, arg, own in made)
    )


def _select(reader: Reader, node: Node, index: Sequence[Index]) -> Expr:
    coded, _ = node.params
    along = dict(enumerate(index))
    slots = decode(coded, node.args[1:])
    return reader.entry(node.args[0], [index_of(slot, along, reader.tables(slot)) for slot in slots])


def _masked(reader: Reader, node: Node, index: Sequence[Index]) -> Expr:
    mask = reader.entry(node.args[0], [index[k] for k in node.params])
    return times(Call("holds", (mask,)), reader.entry(node.args[1], index))


def _first(reader: Reader, node: Node, index: Sequence[Index]) -> Expr:
    return reader.entry(node.args[0], index)


def _where(reader: Reader, node: Node, index: Sequence[Index]) -> Expr:
    condition, x, y = (reader.entry(arg, _stretched(arg, node, index)) for arg in node.args)
    if y == ZERO:
        return times(Call("holds", (condition,)), x)
    return Call("where", (condition, x, y))


def _astype(reader: Reader, node: Node, index: Sequence[Index]) -> Expr:
    """A conversion that changes no value is not shown."""
    inner = reader.factor(node.args[0], index)
    return Call("astype", (inner,)) if is_integer(node) and not is_integer(node.args[0]) else inner


def _assemble(reader: Reader, node: Node, index: Sequence[Index]) -> Expr:
    coded, _ = node.params
    made, used = [], len(coded)
    for (coefficient, labels, slots, sizes, count), core in zip(coded, node.args, strict=False):
        found = decode(slots, node.args[used : used + count])
        used += count
        made.append(reader.term(Term(coefficient, ((core, tuple(labels)),), found, (), tuple(sizes)), index))
    return plus(made)


def _reshape(reader: Reader, node: Node, index: Sequence[Index]) -> Expr:
    """By index arithmetic where axes are split or only sizes 1 come and go, else as a call."""
    if all(size == 1 for size in node.shape):
        return reader.entry(node.args[0], [Index()] * node.args[0].ndim)
    terms = local_jacobian(node, 0).terms
    (only,) = terms if len(terms) == 1 else (None,)
    tabled = only is not None and any(isinstance(slot, Table) for slot in only.input)
    if only is None or tabled or not all(isinstance(s, int) or not labels_of(s) for s in only.target):
        return Entry(applied(node, reader.names), tuple(index))
    along = {slot: at for slot, at in zip(only.target, index, strict=True) if isinstance(slot, int)}
    along.update({label: Index() for label in range(len(only.sizes)) if label not in along})
    return reader.entry(node.args[0], [index_of(slot, along, reader.tables(slot)) for slot in only.input])


def _tri(reader: Reader, node: Node, index: Sequence[Index]) -> Expr:
    row, column = index
    shifted = Index(row.offset + node.params[2], row.strides, row.text)
    return Call("less_equal", (Entry(str(column)), Entry(str(shifted))))


_READ = {
    "constant": _constant,
    "einsum": _einsum,
    "combination": _combination,
    "select": _select,
    "masked": _masked,
    "identity": _first,
    "full_rank": _first,
    "where": _where,
    "reshape": _reshape,
    "tri": _tri,
    "astype": _astype,
    "assemble": _assemble,
}


def factor_nodes(terms: TermSum) -> list[Node]:
    """Every node a Jacobian's notation shows: its factors, and the tables of its selections."""
    return [node for term in terms.terms for node in term_nodes(term)]


def term_nodes(term: Term) -> list[Node]:
    """The factors of one Term and the tables of its selections."""
    slots = (*term.target, *term.input)
    return [node for node, _ in term.factors] + [slot.node for slot in slots if isinstance(slot, Table)]


def read_terms(terms: TermSum, places: Places, names: Names | None = None, used: Sequence[str] = ()) -> Expr:
    """The entry of a Jacobian at the letters of its target and input axes."""
    names = names or name_values(factor_nodes(terms))
    at = [letter(name) for name in (*places[0], *places[1])]
    reader = Reader(names, (*places[0], *places[1], *used))
    return positive_first(plus(reader.term(term, at) for term in terms.terms))
