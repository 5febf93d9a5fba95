"""The matrix form of a Jacobian, where it has one.

`matrix_form(terms)` writes products, Hadamard products, diagonals, outer products, traces, transposes and
inverses for objects of at most two axes, and Kronecker products for larger ones in the two vec layouts (`vec`
stacks columns, `vecr` rows, `K_{m,n}` takes vec X to vec Xᵀ).  None means that no such form was found.

>>> from ..expr import variable
>>> from ..terms import TermSum, term
>>> dz_dA = term(1, [(variable("x", (4,)), "n")], "i", "in", {"i": 3, "n": 4})
>>> [matrix_form(TermSum((3,), (3, 4), (dz_dA,)), name).text for name in ("vec", "vec-row")]
['xᵀ ⊗ I_3', 'I_3 ⊗ xᵀ']
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..axes import Shape, Size
from ..layouts import axis_groups, layout_named, layout_shape
from ..terms import Term, TermSum
from . import forms
from .arrays import Arrays, flatten
from .contract import Atom, contract
from .forms import TEXT, Form, ascii_form
from .naming import Names, name_values
from .numpy_forms import NUMPY, two_dimensional
from .reader import factor_nodes

Pair = tuple[int | None, int | None]


@dataclass(frozen=True, slots=True)
class MatrixForm:
    """A matrix expression and the layout and shape that it is in."""

    form: Form
    layout: str
    shape: Shape

    @property
    def text(self) -> str:
        """Readable text: `((f − y) ⊙ (1 − f²)) xᵀ`."""
        return TEXT.print(self.form)

    @property
    def ascii(self) -> str:
        """The same in ASCII: `.*` for ⊙, `'` for ᵀ, `kron` for ⊗."""
        return ascii_form(self.form)

    @property
    def numpy(self) -> str:
        """Numpy source of an array of `shape`, over arrays by their names (vectors with one axis)."""
        text = NUMPY.print(self.form)
        if len(self.shape) == 2 and self.form.kind in "rc":
            return two_dimensional(NUMPY, self.form)
        if len(self.shape) == 2 and self.form.kind == "s":
            return f"np.reshape({text}, (1, 1))"
        return text


def default_layout(terms: TermSum) -> str | None:
    """The layout a matrix form is shown in: gradient, else numerator, else vec; None beyond two axes each."""
    target, given = len(terms.target_shape), len(terms.input_shape)
    if target == 0 and given <= 2:
        return "gradient"
    if target + given <= 2:
        return "numerator"
    return "vec" if target <= 2 and given <= 2 else None


def matrix_form(terms: TermSum, layout: str | None = None, names: Names | None = None) -> MatrixForm | None:
    """The matrix form of a Jacobian in a layout (by default the smallest that has a place), or None."""
    name = default_layout(terms) if layout is None else layout_named(layout).name
    target, given = terms.target_shape, terms.input_shape
    if name is None or max(len(target), len(given)) > 2 or not terms.terms:
        return None
    groups = axis_groups(name, len(target), len(given))
    if groups is None or len(groups) > 2:
        return None
    names = names or name_values(factor_nodes(terms))
    order = "F" if name == "vec" else "C"
    made = [_term_form(term, groups, names, order) for term in terms.terms]
    if any(form is None for form in made):
        return None
    whole = forms.positive_first(forms.plus([form for form in made if form is not None]))
    return MatrixForm(whole, name, layout_shape(name, target, given))


def _term_form(term: Term, groups: Sequence[Sequence[int]], names: Names, order: str) -> Form | None:
    slots = (*term.target, *term.input)
    if not all(isinstance(slot, int) for slot in slots):
        return None
    coefficient, factors, sizes = flatten(term, names)
    arrays = Arrays(names)
    atoms: list[Atom] = []
    for node, labels in factors:
        form = arrays.factor(node)
        if form is None:
            return None
        atoms.append((form, labels))
    rows, columns = ([int(slots[axis]) for axis in group] for group in (*groups, (), ())[:2])  # type: ignore[arg-type]
    if len(rows) <= 1 and len(columns) <= 1:
        ends = (rows[0] if rows else None, columns[0] if columns else None)
        whole = contract(atoms, *ends, sizes)
    else:
        whole = (
            _kronecker(atoms, rows, columns, sizes)
            or _flat(atoms, rows, columns, sizes, order)
            or _weighted(atoms, rows, columns, sizes, order)
        )
    return None if whole is None else forms.scaled(coefficient, whole)


def _kronecker(
    atoms: Sequence[Atom], rows: Sequence[int], columns: Sequence[int], sizes: Sequence[Size]
) -> Form | None:
    """`slow ⊗ fast` where the atoms fall into two parts, one for each pair of a row and a column label."""
    for pairs, crossed in _pairings(rows, columns):
        parts = _parted(atoms, pairs)
        if parts is None:
            continue
        slow, fast = (
            contract(part, *pair, sizes) for part, pair in zip(parts, (pairs[0], pairs[1]), strict=True)
        )
        if slow is None or fast is None:
            return None
        whole = _kron(slow, fast)
        if crossed:
            commute = Form("K", (), (sizes[columns[1]], sizes[columns[0]]), "m")
            whole = forms.times(whole, commute)
        return whole
    return None


def _pairings(rows: Sequence[int], columns: Sequence[int]) -> list[tuple[tuple[Pair, Pair], bool]]:
    """Ways to pair the slow and fast labels of rows and columns; whether they cross over."""
    if len(rows) == 2 and len(columns) == 2:
        (a, b), (c, d) = rows, columns
        return [(((a, c), (b, d)), False), (((a, d), (b, c)), True)]
    if len(columns) == 2 and len(rows) <= 1:
        row = rows[0] if rows else None
        slow, fast = columns
        return [(((None, slow), (row, fast)), False), (((row, slow), (None, fast)), False)]
    slow, fast = rows
    column = columns[0] if columns else None
    return [(((slow, None), (fast, column)), False), (((slow, column), (fast, None)), False)]


def _parted(atoms: Sequence[Atom], pairs: tuple[Pair, Pair]) -> tuple[list[Atom], list[Atom]] | None:
    """The atoms connected with each pair of labels; None where some are connected with both."""
    first, second = ({label for label in pair if label is not None} for pair in pairs)
    if first & second:
        return None
    for labels in (first, second):
        grown = True
        while grown:
            more = {label for _, own in atoms if labels & set(own) for label in own}
            grown = not more <= labels
            labels |= more
    if first & second:
        return None
    inside = [atom for atom in atoms if set(atom[1]) & second]
    return [atom for atom in atoms if not set(atom[1]) & second], inside


def _kron(slow: Form, fast: Form) -> Form:
    parts, scalars, coefficient = [], [], 1
    for form, other in ((slow, fast), (fast, slow)):
        if form.op == "quotient" and form.args[1].kind == "s":
            inner = (form.args[0], other) if form is slow else (other, form.args[0])
            return forms.quotient(_kron(*inner), form.args[1])
        if form.op == "scaled":
            coefficient, form = coefficient * form.value, form.args[0]
        if form.op == "by":
            scalars.append(form.args[0])
            form = form.args[1]
        parts.append(form)
    if scalars:
        whole = _kron(*parts)
        for scalar in scalars:
            whole = forms.times(scalar, whole)
        return forms.scaled(coefficient, whole)
    if any(form.kind == "s" for form in parts):
        return forms.scaled(coefficient, forms.times(*parts))
    if all(form.op == "eye" for form in parts):
        return forms.scaled(coefficient, forms.eye(parts[0].value * parts[1].value))
    kinds = {form.kind for form in parts}
    return forms.scaled(
        coefficient, Form("kron", tuple(parts), None, kinds.pop() if len(kinds) == 1 else "m")
    )


def _flat(
    atoms: Sequence[Atom], rows: Sequence[int], columns: Sequence[int], sizes: Sequence[Size], order: str
) -> Form | None:
    """`diag(vec E)`, and `vec(E) vec(F)ᵀ`, either side of which may be a vector or missing."""
    if len(rows) == 2 and list(columns) == list(rows):
        stacked = _stacked(atoms, rows, sizes, order)
        return None if stacked is None else forms.diag(stacked)
    parts = _parted(
        atoms,
        (
            (rows[0], rows[-1]) if rows else (None, None),
            (columns[0], columns[-1]) if columns else (None, None),
        ),
    )
    if parts is None:
        return None
    left, right = _stacked(parts[0], rows, sizes, order), _stacked(parts[1], columns, sizes, order)
    if left is None or right is None:
        return None
    return forms.times(left, forms.transposed(right))


def _weighted(
    atoms: Sequence[Atom], rows: Sequence[int], columns: Sequence[int], sizes: Sequence[Size], order: str
) -> Form | None:
    """`diag(vec E) (slow ⊗ fast)`, the weights E on the rows, or on the columns and then behind."""
    for ends in (rows, columns):
        own = [atom for atom in atoms if set(atom[1]) == set(ends)]
        if len(set(ends)) < 2 or not own:
            continue
        rest = [atom for atom in atoms if set(atom[1]) != set(ends)]
        inner, weights = _kronecker(rest, rows, columns, sizes), _stacked(own, ends, sizes, order)
        if inner is not None and weights is not None:
            return (
                forms.times(forms.diag(weights), inner)
                if ends is rows
                else forms.times(inner, forms.diag(weights))
            )
    return None


def _stacked(atoms: Sequence[Atom], labels: Sequence[int], sizes: Sequence[Size], order: str) -> Form | None:
    """The atoms as one column over the labels, the first of two varying most slowly."""
    if len(labels) < 2:
        return contract(atoms, labels[0] if labels else None, None, sizes)
    slow, fast = labels
    ends = (fast, slow) if order == "F" else (slow, fast)
    whole = contract(atoms, *ends, sizes)
    return None if whole is None else _vec(whole, order)


def _vec(form: Form, order: str) -> Form:
    """The columns or rows of a matrix as one column, numbers and scalar divisors in front."""
    if form.op == "scaled":
        return forms.scaled(form.value, _vec(form.args[0], order))
    if form.op == "quotient" and form.args[1].kind == "s":
        return forms.quotient(_vec(form.args[0], order), form.args[1])
    return Form("vec", (form,), order, "c")
