"""Products of matrices found in an einsum: from atoms with letters to one matrix expression.

`contract(atoms, row, column, sizes)` reads a product of scalars, vectors and matrices, each with its labels,
as a matrix over `row` and `column`: vectors of one label are multiplied entry by entry, a summed label
becomes a matrix product, a repeated one a diagonal or a trace.  It gives None where there is no matrix form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..axes import Size
from . import forms
from .forms import Form

Atom = tuple[Form, tuple[int, ...]]


def contract(
    atoms: Sequence[Atom], row: int | None, column: int | None, sizes: Sequence[Size] | Mapping[int, Size]
) -> Form | None:
    """The product of atoms as a form over (row, column); either may be None, both the same for a diagonal."""
    kept = {label for label in (row, column) if label is not None}
    work = list(atoms)
    while True:
        work = _merged(_diagonals(work, kept))
        step = _next(work, kept, sizes)
        if step is None:
            break
        work = step
    if any(len(labels) > 2 or not set(labels) <= kept for _, labels in work):
        return None
    return _finished(work, row, column, sizes)


def _diagonals(atoms: Sequence[Atom], kept: set[int]) -> list[Atom]:
    """Matrices with a repeated label: a trace where it stands nowhere else, else their diagonal."""
    made: list[Atom] = []
    for k, (form, labels) in enumerate(atoms):
        if len(labels) == 2 and labels[0] == labels[1]:
            elsewhere = any(labels[0] in other for j, (_, other) in enumerate(atoms) if j != k)
            if labels[0] in kept or elsewhere:
                made.append((Form("diagonal", (form,), None, "c"), labels[:1]))
            else:
                made.append((Form("trace", (form,), None, "s"), ()))
        else:
            made.append((form, labels))
    return made


def _merged(atoms: Sequence[Atom]) -> list[Atom]:
    """Atoms over the same labels, multiplied entry by entry."""
    groups: dict[frozenset[int], list[Atom]] = {}
    rest: list[Atom] = []
    for form, labels in atoms:
        if labels and len(labels) <= 2:
            groups.setdefault(frozenset(labels), []).append((form, labels))
        else:
            rest.append((form, labels))
    for same in groups.values():
        labels = same[0][1]
        aligned = [form if own == labels else forms.transposed(form) for form, own in same]
        rest.append((forms.hadamard(*aligned) if len(aligned) > 1 else aligned[0], labels))
    return rest


def _next(atoms: list[Atom], kept: set[int], sizes: Sequence[Size] | Mapping[int, Size]) -> list[Atom] | None:
    """One summed label contracted: those that make a vector or a scalar first; None where none is left."""
    labels = dict.fromkeys(label for _, own in atoms for label in own if label not in kept)
    for most in (1, 2):
        for label in labels:
            made = _summed(atoms, label, most, kept, sizes)
            if made is not None:
                return made
    return None


def _summed(
    atoms: list[Atom], label: int, most: int, kept: set[int], sizes: Sequence[Size] | Mapping[int, Size]
) -> list[Atom] | None:
    """The sum over `label`, of at most `most` matrices that carry it."""
    inside = [atom for atom in atoms if label in atom[1]]
    outside = [atom for atom in atoms if label not in atom[1]]
    vectors = [form for form, labels in inside if len(labels) == 1]
    matrices = [(form, labels) for form, labels in inside if len(labels) == 2]
    if len(matrices) > most or len(vectors) + len(matrices) < len(inside):
        return None
    vector = vectors[0] if vectors else None
    if not matrices:
        if vector is None:
            return outside
        whole = forms.lowered(vector) if sizes[label] == 1 else None
        return [*outside, (whole or _sum_of(vector), ())]
    if len(matrices) == 1:
        (form, labels) = matrices[0]
        other = labels[1] if labels[0] == label else labels[0]
        left = form if labels[1] == label else forms.transposed(form)
        if vector is None and other not in kept and not any(other in own for _, own in outside):
            return [*outside, (Form("sum", (form,), None, "s"), ())]
        return [*outside, (forms.times(left, vector or forms.ones(sizes[label])), (other,))]
    (a, first), (b, second) = matrices
    left = a if first[1] == label else forms.transposed(a)
    right = b if second[0] == label else forms.transposed(b)
    if vector is not None:
        left = forms.times(left, forms.diag(vector))
    ends = (first[0] if first[1] == label else first[1], second[1] if second[0] == label else second[0])
    return [*outside, (forms.times(left, right), ends)]


def _sum_of(vector: Form) -> Form:
    """The sum of a column's entries; of a product of two, `aᵀ b`."""
    if vector.op == "hadamard":
        first, *rest = vector.args
        return forms.times(forms.transposed(first), forms.hadamard(*rest))
    if vector.op == "power" and vector.value == 2:
        return forms.times(forms.transposed(vector.args[0]), vector.args[0])
    return Form("sum", (vector,), None, "s")


def _finished(
    atoms: Sequence[Atom],
    row: int | None,
    column: int | None,
    sizes: Sequence[Size] | Mapping[int, Size],
) -> Form:
    scalars = [form for form, labels in atoms if not labels]
    vectors = {labels[0]: form for form, labels in atoms if len(labels) == 1}
    matrix = next(((form, labels) for form, labels in atoms if len(labels) == 2), None)
    whole = _placed(vectors, matrix, row, column, sizes)
    for scalar in reversed(scalars):
        whole = scalar if whole is None else forms.times(scalar, whole)
    return whole or forms.number(1)


def _placed(
    vectors: Mapping[int, Form],
    matrix: Atom | None,
    row: int | None,
    column: int | None,
    sizes: Sequence[Size] | Mapping[int, Size],
) -> Form | None:
    if row is None and column is None:
        return None
    if row is not None and row == column:
        return forms.diag(vectors[row]) if row in vectors else forms.eye(sizes[row])
    if row is None or column is None:
        label = row if row is not None else column
        assert label is not None
        vector = vectors.get(label, forms.ones(sizes[label]))
        return vector if column is None else forms.transposed(vector)
    if matrix is None:
        left = vectors.get(row, forms.ones(sizes[row]))
        right = vectors.get(column, forms.ones(sizes[column]))
        return forms.times(left, forms.transposed(right))
    form = matrix[0] if matrix[1][0] == row else forms.transposed(matrix[0])
    if row in vectors:
        form = forms.times(forms.diag(vectors[row]), form)
    if column in vectors:
        form = forms.times(form, forms.diag(vectors[column]))
    return form
