"""Evaluation of index notation: tensors whose axes have letters.

`Evaluation.result(node, axes)` gives the dense array of a formula.  A letter that is no axis is summed
inside the smallest product that repeats it, else over the whole term.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial, reduce
from itertools import count
from operator import truediv
from typing import Any

import numpy as np

from jacobians.errors import (
    BudgetError,
    JacobiansError,
    ReadingError,
    ShapeError,
    UnknownNameError,
    did_you_mean,
)
from jacobians.reading.limits import Meter, pointwise_power
from jacobians.reading.source import Statement
from jacobians.reading.vocabulary import numpy_function
from jacobians.reading.wording import words as shape_words

DELTAS = ("delta", "δ")


@dataclass(frozen=True, slots=True)
class Tensor:
    """An array whose axes have letters."""

    letters: tuple[str, ...]
    array: Any


def uses(node: ast.AST) -> list[ast.Subscript]:
    """The indexed names of a formula, in order."""
    found = [child for child in ast.walk(node) if isinstance(child, ast.Subscript)]
    return sorted(found, key=lambda use: (use.lineno, use.col_offset))


def indices_of(use: ast.Subscript) -> tuple[str | int, ...]:
    """The letters and numbers in the brackets of an indexed name."""
    parts = use.slice.elts if isinstance(use.slice, ast.Tuple) else [use.slice]
    return tuple(part.id if isinstance(part, ast.Name) else whole_number(part) for part in parts)


def whole_number(part: ast.expr) -> int:
    """The whole number that stands as an index; ValueError if it is something else."""
    found = ast.literal_eval(part) if isinstance(part, ast.Constant | ast.UnaryOp) else None
    if type(found) is not int or abs(found) >= 10**9:
        raise ValueError("an index is a letter or a number")
    return found


def is_delta(use: ast.Subscript) -> bool:
    """Whether `use` is a Kronecker delta."""
    return isinstance(use.value, ast.Name) and use.value.id in DELTAS


def value_of(statement: Statement, node: ast.AST, values: Mapping[str, Any]) -> Any:
    """The value of a plain or indexed name; UnknownNameError where there is none."""
    name = node.value if isinstance(node, ast.Subscript) else node
    assert isinstance(name, ast.Name)
    if name.id not in values:
        known = ", ".join(values) or "nothing"
        what, where = (
            f"unknown name '{name.id}'",
            statement.where(*statement.span(name), f"known: {known}"),
        )
        raise UnknownNameError(what, where, did_you_mean(name.id, values) if values else "give it a value")
    return values[name.id]


class Evaluation:
    """One run: tensors with lettered axes, summed by the rule that the module states."""

    def __init__(
        self, statement: Statement, values: Mapping[str, Any], sizes: Mapping[str, int], meter: Meter
    ) -> None:
        self.statement, self.values, self.sizes, self.meter = statement, values, sizes, meter

    def result(self, node: ast.expr, axes: tuple[str, ...]) -> Any:
        """The dense array of the formula `node` over `axes`."""
        total = reduce(self.add, (self.summed(term, axes) for term in self.terms(node, frozenset(axes))))
        missing = [axis for axis in axes if axis not in total.letters]
        full = self.aligned(total, (*total.letters, *missing))
        self.charge(axes)
        ordered = np.transpose(full, [(*total.letters, *missing).index(axis) for axis in axes])
        return np.array(np.broadcast_to(ordered, [self.sizes[axis] for axis in axes]))

    def terms(self, node: ast.expr, axes: frozenset[str]) -> Iterable[Tensor]:
        """The terms of the outermost sum, with their signs."""
        spine: list[tuple[ast.operator, ast.expr]] = []
        while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
            spine.append((node.op, node.right))
            node = node.left
        yield self.evaluate(node, axes)
        for sign, right in reversed(spine):
            term = self.evaluate(right, axes)
            yield Tensor(term.letters, -term.array) if isinstance(sign, ast.Sub) else term

    def fail(
        self, node: ast.AST, what: str, instead: str, kind: type[JacobiansError] = ReadingError
    ) -> JacobiansError:
        """An error with a caret under `node`."""
        return self.statement.error(what, *self.statement.span(node), instead, kind=kind)

    def summed(self, tensor: Tensor, kept: Iterable[str]) -> Tensor:
        """`tensor` summed over the letters that are not `kept`."""
        kept = tuple(kept)
        axes = tuple(place for place, letter in enumerate(tensor.letters) if letter not in kept)
        letters = tuple(letter for letter in tensor.letters if letter in kept)
        return Tensor(letters, np.sum(tensor.array, axis=axes)) if axes else tensor

    def charge(self, letters: Iterable[str], work: int = 0) -> None:
        """Pay for an array over `letters`."""
        entries = 1
        for letter in dict.fromkeys(letters):
            entries *= self.sizes[letter]
        try:
            self.meter.charge(entries, work)
        except BudgetError as error:
            raise BudgetError(error.what, self.statement.text[:90], error.instead) from None

    def evaluate(self, node: ast.expr, kept: frozenset[str]) -> Tensor:
        """The tensor of `node`; letters in `kept` are needed outside and never summed here."""
        self.meter.step()
        if isinstance(node, ast.Constant):
            return Tensor((), node.value)
        if isinstance(node, ast.Name):
            return self.scalar(node)
        if isinstance(node, ast.Subscript):
            return self.indexed(node, kept)
        if isinstance(node, ast.UnaryOp):
            inner = self.evaluate(node.operand, kept)
            return Tensor(inner.letters, -inner.array) if isinstance(node.op, ast.USub) else inner
        if isinstance(node, ast.Call):
            return self.called(node, kept)
        assert isinstance(node, ast.BinOp)
        if isinstance(node.op, ast.Mult | ast.Div):
            return self.product(node, kept)
        return self.chain(node, kept)

    def scalar(self, node: ast.Name) -> Tensor:
        """A plain name: a number."""
        value = value_of(self.statement, node, self.values)
        if np.shape(value) != ():
            what = f"{node.id} has no indices and its value is {shape_words(np.shape(value))}"
            raise self.fail(
                node, what, f"{node.id}[{','.join('ijklmn'[: len(np.shape(value))])}]", ShapeError
            )
        return Tensor((), value)

    def indexed(self, node: ast.Subscript, kept: frozenset[str]) -> Tensor:
        """A factor: a repeated letter is a diagonal, summed if nothing else needs it."""
        indices = indices_of(node)
        if is_delta(node):
            self.charge(str(letter) for letter in indices)
            array: Any = np.eye(self.sizes[str(indices[0])])
        else:
            array = np.asarray(value_of(self.statement, node, self.values))
        array = array[tuple(slice(None) if isinstance(index, str) else index for index in indices)]
        letters = [index for index in indices if isinstance(index, str)]
        distinct = tuple(dict.fromkeys(letters))
        if len(distinct) < len(letters):
            repeated = [letter for letter in distinct if letters.count(letter) > 1 and letter not in kept]
            places = {letter: place for place, letter in enumerate(distinct)}
            array = np.einsum(array, [places[letter] for letter in letters], list(range(len(distinct))))
            return self.summed(Tensor(distinct, array), [x for x in distinct if x not in repeated])
        return Tensor(distinct, array)

    def aligned(self, tensor: Tensor, letters: tuple[str, ...]) -> Any:
        """The array with an axis for each of `letters`, of size 1 where it has none."""
        order = [tensor.letters.index(letter) for letter in letters if letter in tensor.letters]
        array = np.transpose(tensor.array, order)
        return array[tuple(slice(None) if letter in tensor.letters else None for letter in letters)]

    def together(self, function: Any, *tensors: Tensor) -> Tensor:
        """`function` entry by entry over all letters."""
        letters = tuple(dict.fromkeys(letter for tensor in tensors for letter in tensor.letters))
        self.charge(letters)
        arrays = [self.aligned(tensor, letters) if letters else tensor.array for tensor in tensors]
        return Tensor(letters, function(*arrays))

    def add(self, left: Tensor, right: Tensor) -> Tensor:
        """The sum of two tensors."""
        return self.together(lambda one, two: one + two, left, right)

    def chain(self, node: ast.BinOp, kept: frozenset[str]) -> Tensor:
        """A sum, difference or power of parts."""
        rights: list[tuple[ast.operator, ast.expr]] = []
        first: ast.expr = node
        while isinstance(first, ast.BinOp) and not isinstance(first.op, ast.Mult | ast.Div):
            rights.append((first.op, first.right))
            first = first.left
        value = self.evaluate(first, kept)
        for sign, right in reversed(rights):
            value = self.together(_POINTWISE[type(sign)], value, self.evaluate(right, kept))
        return value

    def called(self, node: ast.Call, kept: frozenset[str]) -> Tensor:
        """A function of single entries."""
        entry = numpy_function(self.statement.segment(node.func))
        assert entry is not None
        parts = [self.evaluate(argument, kept) for argument in node.args]
        return self.together(self.guarded(node, entry.call), *parts)

    def guarded(self, node: ast.AST, function: Any) -> Any:
        """`function`, its errors told at the place of `node`."""

        def call(*args: Any) -> Any:
            try:
                return function(*args)
            except JacobiansError as error:
                place = self.statement.where(*self.statement.span(node))
                raise type(error)(error.what, error.where or place, error.instead) from error
            except Exception as error:
                raise self.fail(node, f"cannot compute this: {error}"[:120], "other values") from error

        return call

    def product(self, node: ast.BinOp, kept: frozenset[str]) -> Tensor:
        """A product: letters that at least two factors carry, and nothing outside needs, are summed here."""
        factors = _factors(node)
        carried = [_letters_of(part) for part, _ in factors]
        times: list[Tensor] = []
        over: list[Tensor] = []
        for place, (part, inverted) in enumerate(factors):
            others = frozenset[str]().union(*carried[:place], *carried[place + 1 :])
            tensor = self.evaluate(part, kept | others)
            if inverted and tensor.letters:
                tensor, inverted = (
                    Tensor(tensor.letters, self.guarded(part, _reciprocal)(tensor.array)),
                    False,
                )
            (over if inverted else times).append(tensor)
        repeated = {x for group in carried for x in group if sum(x in other for other in carried) > 1}
        result = self.multiplied(times, repeated - kept)
        return reduce(partial(self.together, self.guarded(node, truediv)), over, result)

    def multiplied(self, tensors: list[Tensor], gone: set[str]) -> Tensor:
        """The product of tensors, summed over the letters in `gone` as soon as no other tensor has them."""
        result, *rest = tensors
        for place, tensor in enumerate(rest):
            later = {letter for other in rest[place + 1 :] for letter in other.letters}
            result = self.pair(result, tensor, gone - later)
        return self.summed(result, [letter for letter in result.letters if letter not in gone])

    def pair(self, left: Tensor, right: Tensor, gone: set[str]) -> Tensor:
        """The product of two tensors, summed over `gone`."""
        if not left.letters or not right.letters:
            return self.together(lambda one, two: one * two, left, right)
        union = tuple(dict.fromkeys((*left.letters, *right.letters)))
        out = tuple(letter for letter in union if letter not in gone)
        numbered = dict(zip(union, count(), strict=False))
        work = 1
        for letter in union:
            work *= self.sizes[letter]
        self.charge(out, work)
        labels = [[numbered[letter] for letter in letters] for letters in (left.letters, right.letters, out)]
        return Tensor(out, np.einsum(left.array, labels[0], right.array, labels[1], labels[2]))


_POINTWISE: Mapping[type[ast.operator], Any] = {
    ast.Add: lambda one, two: one + two,
    ast.Sub: lambda one, two: one - two,
    ast.Pow: pointwise_power,
}


def _reciprocal(value: Any) -> Any:
    return 1 / value


def _factors(node: ast.expr) -> list[tuple[ast.expr, bool]]:
    """The factors of a chain of products, and whether each divides."""
    found: list[tuple[ast.expr, bool]] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        found.append((node.right, isinstance(node.op, ast.Div)))
        node = node.left
    return [(node, False), *reversed(found)]


def _letters_of(node: ast.expr) -> set[str]:
    return {letter for use in uses(node) for letter in indices_of(use) if isinstance(letter, str)}
