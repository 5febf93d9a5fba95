"""Reads index notation back: `parse_term("i|m n: delta[i,m] * x[n]", {"x": node})` is the TermSum it says.

What `index.claim_form` prints, `parse_term` reads as the same Terms.  The text is parsed with `ast` against a
short list of what may stand in it; nothing in it is evaluated.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..axes import Shape, Size, magnitude, symbol
from ..errors import ReadingError, caret, did_you_mean
from ..expr import Node
from ..terms import Term, TermSum, canonical
from ..wiring import Slot, Table, affine

LIMIT = 10_000  # characters
Linear = dict[str, Size]  # letter -> stride; the offset under ""


@dataclass(slots=True)
class _Reading:
    """One Term being read: labels are letters until the end."""

    coefficient: Any = 1
    deltas: list[tuple[ast.expr, ast.expr]] = field(default_factory=list)
    factors: list[tuple[Node, tuple[str, ...]]] = field(default_factory=list)
    declared: dict[str, Size] = field(default_factory=dict)


def parse_term(
    text: str,
    nodes: Mapping[str, Node],
    target_shape: Shape | None = None,
    input_shape: Shape | None = None,
) -> TermSum:
    """The Jacobian that `target letters|input letters: product + product ...` says, over the named nodes.

    A shape is worked out from the factors where it can be; an axis that no factor carries needs it given.
    Raises ReadingError, with a caret, for what cannot be read.

    >>> from ..expr import variable
    >>> found = parse_term("i|m n: delta[i,m] * x[n]", {"x": variable("x", (4,))}, (3,), (3, 4))
    >>> found.terms[0].target, found.terms[0].input
    ((0,), (0, 1))
    """
    return _Parser(text, nodes, target_shape, input_shape).read()


class _Parser:
    def __init__(
        self, text: str, nodes: Mapping[str, Node], target_shape: Shape | None, input_shape: Shape | None
    ) -> None:
        if len(text) > LIMIT:
            raise ReadingError("the text is too long", f"{len(text)} characters", f"at most {LIMIT}")
        head, colon, self.body = text.partition(":")
        target, bar, given = head.partition("|")
        if not colon or not bar:
            raise ReadingError("a term starts with its axes", text, "i|m n: delta[i,m] * x[n]")
        self.text, self.nodes, self.start = text, nodes, len(head) + 1
        self.target, self.input = target.split(), given.split()
        places = [*self.target, *self.input]
        if len(set(places)) != len(places):
            raise ReadingError("a letter stands twice among the axes", head, "delta[i,m] for equal axes")
        self.shape: dict[str, Size] = {}
        for letters, shape in ((self.target, target_shape), (self.input, input_shape)):
            if shape is not None and len(shape) != len(letters):
                raise ReadingError(
                    f"{len(letters)} letters for {len(shape)} axes", head, "a letter for each axis"
                )
            self.shape.update(zip(letters, shape or (), strict=False))

    def read(self) -> TermSum:
        """Reads every product and gives the sum of those that are not zero."""
        lead = len(self.body) - len(self.body.lstrip())
        self.start += lead
        self.body = self.body.strip()
        try:
            tree = ast.parse(self.body, mode="eval").body
        except (SyntaxError, ValueError, RecursionError) as error:
            at = getattr(error, "offset", 1) or 1
            raise ReadingError(
                "this is no product of entries", self._caret(at - 1), "delta[i,m] * x[n]"
            ) from None
        readings = [self._product(sign, part) for sign, part in self._summands(tree, 1)]
        for reading in readings:
            self._sizes(reading)
        terms = tuple(self._term(reading) for reading in readings if reading.coefficient != 0)
        shapes = [tuple(self._size_of(name) for name in side) for side in (self.target, self.input)]
        return TermSum(shapes[0], shapes[1], terms)

    def _summands(self, tree: ast.expr, sign: int) -> list[tuple[int, ast.expr]]:
        match tree:
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._summands(left, sign) + self._summands(right, sign)
            case ast.BinOp(left=left, op=ast.Sub(), right=right):
                return self._summands(left, sign) + self._summands(right, -sign)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._summands(operand, -sign)
        return [(sign, tree)]

    def _product(self, sign: int, tree: ast.expr) -> _Reading:
        reading = _Reading(sign)
        for part in _factors(tree):
            self._factor(reading, part)
        return reading

    def _factor(self, reading: _Reading, part: ast.expr) -> None:
        match part:
            case ast.Subscript(value=ast.Name(id="delta"), slice=ast.Tuple(elts=[left, right])):
                reading.deltas.append((left, right))
            case ast.Subscript(
                value=ast.Name(id="sum"), slice=ast.Slice(lower=ast.Name(id=name), upper=upper)
            ):
                reading.declared[name] = self._number(upper or part)
            case ast.Subscript(value=ast.Name(id=name), slice=index):
                items = index.elts if isinstance(index, ast.Tuple) else [index]
                reading.factors.append((self._node(name, part), tuple(self._letter(item) for item in items)))
            case ast.Name(id=name) if name in self.nodes:
                reading.factors.append((self.nodes[name], ()))
            case _:
                reading.coefficient = reading.coefficient * self._number(part)

    def _node(self, name: str, part: ast.expr) -> Node:
        if name not in self.nodes:
            raise ReadingError(
                f"unknown name {name!r}", self._caret(part.col_offset), did_you_mean(name, self.nodes)
            )
        return self.nodes[name]

    def _letter(self, tree: ast.expr) -> str:
        if isinstance(tree, ast.Name):
            return tree.id
        raise ReadingError(
            "a factor's index is a letter", self._caret(tree.col_offset), "delta[j,i+1] * x[j]"
        )

    def _number(self, tree: ast.expr) -> Any:
        match tree:
            case ast.Constant(value=int() | float() as value):
                return value
            case ast.Name(id=name):
                return symbol(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self._number(operand)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return self._number(left) + self._number(right)
            case ast.BinOp(left=left, op=ast.Sub(), right=right):
                return self._number(left) - self._number(right)
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                return self._number(left) * self._number(right)
            case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(exponent))) if (
                0 <= exponent < 20
            ):
                return self._number(left) ** exponent
        raise ReadingError(
            "this is no entry and no number", self._caret(tree.col_offset), "x[n], delta[i,m], 0.5"
        )

    def _caret(self, column: int) -> str:
        return caret(self.text, self.start + column)

    def _sizes(self, reading: _Reading) -> None:
        """The sizes that factors give their letters; the same letter must have one size everywhere."""
        own = dict(reading.declared)
        for node, letters in reading.factors:
            if len(letters) != node.ndim:
                raise ReadingError(
                    f"{len(letters)} letters for {node.ndim} axes",
                    self.text,
                    "a letter for each axis of a factor",
                )
            for name, size in zip(letters, node.shape, strict=True):
                table = self.shape if name in (*self.target, *self.input) else own
                if table.setdefault(name, size) != size:
                    raise ReadingError(
                        f"letter {name} has two sizes, {table[name]} and {size}", self.text, "one size"
                    )
        reading.declared = own
        for left, right in reading.deltas:
            if isinstance(left, ast.Name) and isinstance(right, ast.Name):
                for a, b in ((left.id, right.id), (right.id, left.id)):
                    if a in self.shape and b in (*self.target, *self.input):
                        self.shape.setdefault(b, self.shape[a])

    def _size_of(self, name: str) -> Size:
        if name not in self.shape:
            raise ReadingError(f"axis {name} has no size", self.text, "target_shape= and input_shape=")
        return self.shape[name]

    def _term(self, reading: _Reading) -> Term:
        places = [*self.target, *self.input]
        known = {*reading.declared, *(name for _, own in reading.factors for name in own)}.difference(places)
        shown = [name for pair in reading.deltas for tree in pair for name in _names(tree)]
        carried = [name for _, own in reading.factors for name in own]
        hidden = {k: None for k in (*shown, *reading.declared, *carried) if k in known}
        labels = {name: k for k, name in enumerate((*places, *hidden))}
        sizes = [reading.declared[n] if n in hidden else self._size_of(n) for n in labels]
        slots: dict[str, Slot] = {name: labels[name] for name in places}
        for left, right in reading.deltas:
            place, slot = self._equation(left, right, labels, slots, sizes)
            slots[place] = slot
        factors = [(node, tuple(self._label(k, slots, labels) for k in own)) for node, own in reading.factors]
        target, given = ([slots[name] for name in side] for side in (self.target, self.input))
        return canonical(reading.coefficient, factors, target, given, sizes)

    def _label(self, name: str, slots: Mapping[str, Slot], labels: Mapping[str, int]) -> int:
        slot = slots.get(name, labels[name])
        if isinstance(slot, int):
            return slot
        raise ReadingError(
            f"axis {name} is given by a delta", self.text, "the delta's own letters in the factors"
        )

    def _equation(
        self,
        left: ast.expr,
        right: ast.expr,
        labels: Mapping[str, int],
        slots: Mapping[str, Slot],
        sizes: Sequence[Size],
    ) -> tuple[str, Slot]:
        """The place that a delta determines, and the slot it gets: the later of two axes, or a selection."""
        if not isinstance(left, ast.Name) or left.id not in labels:
            raise ReadingError("a delta starts with an axis", self._caret(left.col_offset), "delta[j,i+1]")
        places = [*self.target, *self.input]
        if isinstance(right, ast.Name) and right.id in labels:
            first, second = sorted((left.id, right.id), key=lambda name: labels[name])
            if second not in places:
                first, second = second, first
            small, large = magnitude(sizes[labels[first]]), magnitude(sizes[labels[second]])
            if small == large:
                return second, slots.get(first, labels[first])
            if small > large and first in places:
                first, second = second, first
            return second, affine(0, [(labels[first], 1)])
        if left.id not in places:
            raise ReadingError("a delta starts with an axis", self._caret(left.col_offset), "delta[j,i+1]")
        if isinstance(right, ast.Name) and right.id in self.nodes:
            return left.id, Table((), self.nodes[right.id])
        if isinstance(right, ast.Subscript) and isinstance(right.value, ast.Name):
            items = right.slice.elts if isinstance(right.slice, ast.Tuple) else [right.slice]
            own = tuple(labels[self._letter(item)] for item in items)
            return left.id, Table(own, self._node(right.value.id, right))
        offset, strides = self._linear(right, labels)
        return left.id, affine(offset, strides)

    def _linear(self, tree: ast.expr, labels: Mapping[str, int]) -> tuple[Size, list[tuple[int, Size]]]:
        match tree:
            case ast.Name(id=name) if name in labels:
                return 0, [(labels[name], 1)]
            case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
                sign = 1 if isinstance(op, ast.Add) else -1
                (a, first), (b, second) = self._linear(left, labels), self._linear(right, labels)
                return a + b * sign, first + [(label, stride * sign) for label, stride in second]
            case ast.BinOp(left=left, op=ast.Mult(), right=ast.Name(id=name)) if name in labels:
                return 0, [(labels[name], self._number(left))]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                offset, strides = self._linear(operand, labels)
                return offset * -1, [(label, stride * -1) for label, stride in strides]
        return self._number(tree), []


def _factors(tree: ast.expr) -> list[ast.expr]:
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Mult):
        return [*_factors(tree.left), *_factors(tree.right)]
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
        return [ast.Constant(-1), *_factors(tree.operand)]
    return [tree]


def _names(tree: ast.expr) -> list[str]:
    """The names in an expression, from left to right."""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    return [node.id for node in sorted(found, key=lambda node: node.col_offset)]
