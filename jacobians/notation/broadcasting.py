"""Numpy source of values that have no matrix form, axes stretched as numpy stretches them.

`array_text(node, names)` is the source of any value, for the operands of an einsum: by its matrix form where
there is one.  `numpy_text(node, names)` writes `exp(X) / u[:, None]`, where a matrix form has no place for a
column beside a matrix; None where a value is more than sums, quotients, functions entry by entry, einsums
and new axes.
"""

from __future__ import annotations

from typing import Any

from ..expr import Node
from ..wiring import Affine, decode
from . import forms
from .arrays import Arrays
from .entries import tidy
from .naming import Names, is_opaque, is_pointwise
from .numpy_forms import CODE_COMPARE, NUMPY, numpy_function
from .reader import applied

SUM, PRODUCT, ATOM = range(3)  # how tightly a text binds
LETTERS = "ijklmnpqrstabcdefgh"
INFIX = {"divide": "/", "safe_divide": "/", **CODE_COMPARE}


def array_text(node: Node, names: Names) -> str:
    """A node as numpy source: its name, a formula of whole arrays, or a call of its operation."""
    form = Arrays(names).form(node)
    if form is not None:
        return NUMPY.print(form)
    return numpy_text(node, names) or names.of(node) or applied(node, names)


class Unwritten(Exception):
    """A value that is not written as numpy source."""


def numpy_text(node: Node, names: Names) -> str | None:
    """A value as numpy source, from the names of other values; None where it is not written so."""
    try:
        return _Writer(names).at(node, SUM)
    except Unwritten:
        return None


class _Writer:
    def __init__(self, names: Names) -> None:
        self.names, self.arrays = names, Arrays(names)

    def at(self, node: Node, place: int) -> str:
        """The text of a node at a place that binds as `place` does."""
        return bracketed(self.written(node), place)

    def written(self, node: Node) -> tuple[str, int]:
        name = self.names.of(node)
        if name is not None:
            return name, ATOM
        form = self.arrays.form(node)
        if form is not None:
            text, binds = NUMPY.writers[form.op](NUMPY, form)
            if binds >= forms.POWER:
                return text, ATOM
            return text, PRODUCT if binds >= forms.HADAMARD or form.op == "scaled" else SUM
        write = getattr(self, f"_{node.op}", None)
        if write is not None:
            made: tuple[str, int] = write(node)
            return made
        if is_pointwise(node):
            return self._pointwise(node)
        raise Unwritten(node.op)

    def _identity(self, node: Node) -> tuple[str, int]:
        return self.written(node.args[0])

    def _pointwise(self, node: Node) -> tuple[str, int]:
        if node.op in INFIX:
            left, right = node.args
            return f"{self.at(left, PRODUCT)} {INFIX[node.op]} {self.at(right, ATOM)}", PRODUCT
        if is_opaque(node) or node.params not in (None, ()):
            raise Unwritten(node.op)
        return f"{numpy_function(node.op)}({', '.join(self.at(arg, SUM) for arg in node.args)})", ATOM

    def _combination(self, node: Node) -> tuple[str, int]:
        coefficients, labels, shape = node.params
        text = ""
        for coefficient, arg, own in zip(coefficients, node.args, labels, strict=True):
            size = tidy(coefficient)
            negative = not hasattr(size, "monomials") and size < 0
            size = -size if negative else size
            part = self._spread(arg, own, len(shape), PRODUCT if size == 1 else ATOM)
            part = part if size == 1 else f"{size!r} * {part}"
            text += (" - " if negative else " + ") * bool(text) + "-" * (negative and not text) + part
        return text, PRODUCT if len(node.args) == 1 and not text.startswith("-") else SUM

    def _spread(self, arg: Node, own: tuple[int, ...], ndim: int, place: int) -> str:
        """An argument with a new axis for every label between its own that it lacks."""
        if own == tuple(range(ndim - len(own), ndim)):
            return self.at(arg, place)
        if list(own) != sorted(own):
            raise Unwritten("transposed")
        axes = [":" if k in own else "None" for k in range(min(own, default=0), ndim)]
        return f"{self.at(arg, ATOM)}[{', '.join(axes)}]"

    def _reshape(self, node: Node) -> tuple[str, int]:
        (arg,) = node.args
        if [n for n in arg.shape if n != 1] != [n for n in node.shape if n != 1] or 1 in arg.shape:
            raise Unwritten("reshape")
        axes = ["None" if n == 1 else ":" for n in node.shape]
        return f"{self.at(arg, ATOM)}[{', '.join(axes)}]", ATOM

    def _select(self, node: Node) -> tuple[str, int]:
        """A part cut out by slices and numbers, the axes in order."""
        coded, sizes = node.params
        used: list[int] = []
        parts = []
        for slot, whole in zip(decode(coded, node.args[1:]), node.args[0].shape, strict=True):
            slot = Affine(0, ((slot, 1),)) if isinstance(slot, int) else slot
            if not isinstance(slot, Affine) or len(slot.strides) > 1 or any(s != 1 for _, s in slot.strides):
                raise Unwritten("select")
            used += [label for label, _ in slot.strides]
            ends = (
                (slot.offset, slot.offset + sizes[used[-1]]) if slot.strides else (slot.offset, slot.offset)
            )
            first, last = "" if ends[0] == 0 else f"{ends[0]!r}", "" if ends[1] == whole else f"{ends[1]!r}"
            parts.append(f"{first}:{last}" if slot.strides else f"{slot.offset!r}")
        if used != list(range(len(sizes))):
            raise Unwritten("select")
        return f"{self.at(node.args[0], ATOM)}[{', '.join(parts)}]", ATOM

    def _einsum(self, node: Node) -> tuple[str, int]:
        labels, output, sizes = node.params
        if not set(output) <= {label for own in labels for label in own} or len(sizes) > len(LETTERS):
            raise Unwritten("an axis of ones")
        if len(node.args) == 1 and labels[0] == output:
            return self.written(node.args[0])
        (first, *rest) = labels
        if not rest and output == tuple(label for label in first if label in output):
            gone = [k for k, label in enumerate(first) if label not in output]
            if all(sizes[first[k]] == 1 for k in gone):
                return self._dropped(node.args[0], gone)

        def spelled(own: Any) -> str:
            return "".join(LETTERS[label] for label in own)

        subscripts = f"{','.join(map(spelled, labels))}->{spelled(output)}"
        return f'np.einsum("{subscripts}", {", ".join(self.at(arg, SUM) for arg in node.args)})', ATOM

    def _dropped(self, node: Node, gone: list[int]) -> tuple[str, int]:
        """A value without axes of size 1; those that were made new come off again."""
        kept = tuple(n for k, n in enumerate(node.shape) if k not in gone)
        if self.names.of(node) is None:
            if node.op == "reshape" and node.args[0].shape == kept:
                return self.written(node.args[0])
            if node.op in ("divide", "safe_divide") and node.args[1].shape == ():
                top = bracketed(self._dropped(node.args[0], gone), PRODUCT)
                return f"{top} / {self.at(node.args[1], ATOM)}", PRODUCT
        axes = ["0" if k in gone else ":" for k in range(node.ndim)]
        return f"{self.at(node, ATOM)}[{', '.join(axes)}]", ATOM


def bracketed(written: tuple[str, int], place: int) -> str:
    """A text in brackets where it binds less than its place asks."""
    return written[0] if written[1] >= place else f"({written[0]})"


__all__ = ["array_text", "numpy_text"]
