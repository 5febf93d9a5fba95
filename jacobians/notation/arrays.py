"""Nodes and Terms read as expressions of whole arrays.

`flatten(term, names)` is a Term as one product of atoms (unnamed products inside products are opened);
`Arrays(names).form(node)` is a node of at most two axes as a matrix form, None where there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..axes import Size
from ..expr import Factor, Node
from ..operation import OPERATIONS
from ..terms import Term
from . import forms
from .contract import contract
from .entries import tidy
from .forms import Form
from .naming import Names, is_integer, is_opaque
from .reader import applied


def flatten(term: Term, names: Names) -> tuple[Any, list[Factor], list[Size]]:
    """A Term's coefficient, the atoms of its product, and the size of every label.

    Unnamed products are opened and unnamed multiples give their number to the coefficient, so that
    `einsum(1 - f², f - y) x` is a product of three.
    """
    sizes = list(term.sizes)
    coefficient, atoms = term.coefficient, []
    work = list(reversed(term.factors))
    while work:
        node, labels = work.pop()
        if names.of(node) is None and node.op == "einsum":
            inner, output, own = node.params
            rename = dict(zip(output, labels, strict=True))
            for label in range(len(own)):
                if label not in rename:
                    rename[label] = len(sizes)
                    sizes.append(own[label])
            opened = zip(node.args, inner, strict=True)
            work += reversed([(arg, tuple(rename[k] for k in ls)) for arg, ls in opened])
        elif names.of(node) is None and (one := _multiple(node)) is not None:
            coefficient = coefficient * one[0]
            work.append((node.args[0], tuple(labels[k] for k in one[1])))
        elif node.op == "constant" and node.shape == ():
            coefficient = coefficient * node.value
        else:
            atoms.append((node, labels))
    return tidy(coefficient), atoms, sizes


def _multiple(node: Node) -> tuple[Any, tuple[int, ...]] | None:
    """The number and labels of a node that is one other node times a number (or the same)."""
    if node.op == "identity":
        return 1, tuple(range(node.ndim))
    if node.op == "combination" and len(node.args) == 1:
        coefficients, labels, shape = node.params
        return (coefficients[0], labels[0]) if len(labels[0]) == len(shape) else None
    return None


class Arrays:
    """Reads nodes of at most two axes as forms."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def form(self, node: Node, written: bool = False) -> Form | None:
        """The form of a node; `written` writes out the node itself where it has a name."""
        name = self.names.of(node)
        if node.ndim > 2:
            return None
        if name is not None and not written:
            return forms.value(name, node.ndim)
        if node.op == "constant":
            return (
                forms.number(node.value.item() if hasattr(node.value, "item") else node.value)
                if node.shape == ()
                else None
            )
        read = getattr(self, f"_{node.op}", None)
        if read is not None:
            return read(node)  # type: ignore[no-any-return]
        args = [self.form(arg) for arg in node.args]
        if any(arg is None for arg in args):
            return None
        if is_opaque(node):
            return _applied(node, args, self.names)
        if any(arg.shape != node.shape and any(n != 1 for n in arg.shape) for arg in node.args):
            return None
        return _pointwise(node.op, tuple(arg for arg in args if arg is not None), forms.KINDS[node.ndim])

    def factor(self, node: Node) -> Form | None:
        """The form of a factor; a truth counts as 1 or 0, a triangle of ones as itself."""
        form = self.form(node)
        if form is None or node.dtype != bool or form.op == "tri":
            return form
        return forms.call("holds", (form,))

    def _identity(self, node: Node) -> Form | None:
        return self.form(node.args[0])

    def _einsum(self, node: Node) -> Form | None:
        labels, output, own = node.params
        whole = Term(1, tuple(zip(node.args, labels, strict=True)), output, (), own)
        coefficient, atoms, sizes = flatten(whole, self.names)
        return self.product(coefficient, atoms, sizes, (*output, None, None)[:2])

    def product(
        self, coefficient: Any, atoms: Sequence[Factor], sizes: Sequence[Size], ends: Sequence[int | None]
    ) -> Form | None:
        """A product of atoms over (row, column), times a number."""
        made = []
        for node, labels in atoms:
            form = self.factor(node)
            if form is None:
                return None
            made.append((form, labels))
        whole = contract(made, ends[0], ends[1], sizes)
        return None if whole is None else forms.scaled(coefficient, whole)

    def _combination(self, node: Node) -> Form | None:
        coefficients, labels, shape = node.params
        made = []
        for coefficient, arg, own in zip(coefficients, node.args, labels, strict=True):
            form = self.form(arg)
            if form is None:
                return None
            if own == (1, 0):
                form = forms.transposed(form)
            elif len(own) == 1 and len(shape) == 2:
                outer = forms.ones(shape[1 - own[0]])
                form = (
                    forms.times(form, forms.transposed(outer))
                    if own == (0,)
                    else forms.times(outer, forms.transposed(form))
                )
            made.append(forms.scaled(coefficient, form))
        if shape and all(form.kind == "s" for form in made):
            return None
        return forms.plus(made)

    def _masked(self, node: Node) -> Form | None:
        mask, x = (self.form(arg) for arg in node.args)
        if mask is None or x is None or node.params != tuple(range(node.ndim)):
            return None
        return forms.hadamard(forms.call("holds", (mask,)), x)

    def _full_rank(self, node: Node) -> Form | None:
        return self.form(node.args[0])

    def _select(self, node: Node) -> Form | None:
        return None

    def _reshape(self, node: Node) -> Form | None:
        scalar = self.form(node.args[0])
        if scalar is None or any(size != 1 for size in node.shape):
            return None
        return scalar if scalar.kind == "s" else forms.lowered(scalar) or Form("sum", (scalar,), None, "s")

    def _astype(self, node: Node) -> Form | None:
        inner = self.factor(node.args[0])
        changes = is_integer(node) and not is_integer(node.args[0])
        return forms.call("astype", (inner,)) if inner is not None and changes else inner

    def _tri(self, node: Node) -> Form | None:
        return Form("tri", (), node.params, "m")

    def _assemble(self, node: Node) -> Form | None:
        coded, _ = node.params
        if len(coded) != 1 or coded[0][1:3] != ((0,), (0, 0)):
            return None
        inner = self.form(node.args[0])
        return None if inner is None else forms.scaled(coded[0][0], forms.diag(inner))


def _applied(node: Node, args: Sequence[Form | None], names: Names) -> Form:
    known = node.op in OPERATIONS and not (node.op == "det" and node.params)
    if known and all(arg is not None for arg in args):
        return forms.call(node.op, tuple(arg for arg in args if arg is not None), forms.KINDS[node.ndim])
    return forms.value(applied(node, names), node.ndim)


def _pointwise(op: str, args: tuple[Form, ...], kind: str) -> Form | None:
    match op, args:
        case (("divide" | "safe_divide"), (top, bottom)):
            return forms.quotient(top, bottom)
        case "reciprocal", (x,):
            return forms.quotient(forms.number(1), x)
        case "square", (x,):
            return forms.power(x, 2)
        case "power", (x, Form(op="number", value=exponent)):
            return forms.power(x, exponent)
    return forms.call(op, args, kind)
