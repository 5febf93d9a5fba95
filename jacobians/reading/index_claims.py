"""Index notation: `parse_index_claim("i|m n: delta[i,m] * x[n]")` gives an `IndexClaim`.

Before the colon stand the axes of the result, a bar between target and input axes if wanted; after it a
formula over indexed names.  `delta[i,m]` is the Kronecker delta.  A letter that is no axis is summed: inside
the smallest product that repeats it (so that `tanh(A[i,k]*x[k])` is tanh of the sum), and over the whole
term if no product repeats it (so that `(x[k] - c)**2` is a sum of squares).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from jacobians.errors import BudgetError, JacobiansError, ReadingError, ShapeError, did_you_mean
from jacobians.reading.allowed import POINTWISE, POINTWISE_EXTRA
from jacobians.reading.index_evaluation import (
    DELTAS,
    Evaluation,
    indices_of,
    is_delta,
    uses,
    value_of,
    whole_number,
)
from jacobians.reading.limits import Budget, Meter
from jacobians.reading.source import MAX_NESTING, Statement, check_numbers, split_statements
from jacobians.reading.wording import words as shape_words

_AXES = r"[^\W\d]\w*(?:[\s,]+[^\W\d]\w*)*"
_HEADER = re.compile(rf"\s*(?!lambda\b)(?:{_AXES}\s*)?(?:\|\s*(?:{_AXES}\s*)?)?:(?!=)")
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)


def is_index_claim(text: str) -> bool:
    """Whether `text` looks like index notation: axes, a colon, a formula.

    >>> is_index_claim("i|m n: delta[i,m] * x[n]"), is_index_claim("x[:, None] * y")
    (True, False)
    """
    return _HEADER.match(text[:200]) is not None


@dataclass(frozen=True, eq=False)
class IndexClaim:
    """A formula in index notation.

    `axes` are all axes of the result in order; `target_axes` and `input_axes` are the two groups, None where
    no bar separates them.  `names` are the indexed and plain names of the formula, without the delta.
    """

    text: str
    axes: tuple[str, ...]
    target_axes: tuple[str, ...] | None
    input_axes: tuple[str, ...] | None
    names: tuple[str, ...]
    statement: Statement
    node: ast.expr

    def letters(self) -> tuple[str, ...]:
        """Every letter: the axes, then the summed letters in order."""
        inner = [letter for use in uses(self.node) for letter in indices_of(use) if isinstance(letter, str)]
        return tuple(dict.fromkeys([*self.axes, *inner]))

    def summed(self) -> tuple[str, ...]:
        """The letters that are summed over."""
        return tuple(letter for letter in self.letters() if letter not in self.axes)

    def check_names(self, known: tuple[str, ...]) -> None:
        """Raise UnknownNameError, with its place, for the first name that is not among `known`."""
        for name in ast.walk(self.node):
            if isinstance(name, ast.Name) and name.id in self.names:
                value_of(self.statement, name, dict.fromkeys(known))

    def run(
        self, values: Mapping[str, Any], sizes: Mapping[str, int] | None = None, budget: Budget | None = None
    ) -> Any:
        """The dense array of shape `axes`.

        `values` gives the names; the letters take their sizes from them, through deltas too, and what is left
        from `sizes`.  Raises ShapeError where a letter has two sizes or none, UnknownNameError for a missing
        name, BudgetError where the arrays would be too large.

        >>> claim = parse_index_claim("i|m n: delta[i,m] * x[n]")
        >>> claim.run({"x": np.arange(4.0)}, sizes={"i": 3}).shape
        (3, 3, 4)
        """
        known = self._sizes(values, dict(sizes or {}))
        return Evaluation(self.statement, values, known, Meter(budget or Budget())).result(
            self.node, self.axes
        )

    def _sizes(self, values: Mapping[str, Any], given: dict[str, int]) -> dict[str, int]:
        found: dict[str, int] = {}
        source: dict[str, str] = {}
        for use in uses(self.node):
            name = use.value.id  # type: ignore[attr-defined]
            if is_delta(use):
                continue
            shape = np.shape(value_of(self.statement, use, values))
            for letter, size in zip(_checked_indices(self, use, name, shape), shape, strict=True):
                if isinstance(letter, int):
                    continue
                if found.setdefault(letter, size) != size:
                    note = f"size {letter} is {found[letter]} from {source[letter]} and {size} from {name}"
                    raise self.fail(use, note, "one letter, one size", ShapeError)
                source.setdefault(letter, name)
        self._join_deltas(found, given)
        for letter in self.letters():
            if letter not in found:
                raise ShapeError(
                    f"axis {letter} has no size: no factor but a delta carries it",
                    self.text[:90],
                    f"sizes={{'{letter}': 3}}",
                )
        return found

    def _join_deltas(self, found: dict[str, int], given: dict[str, int]) -> None:
        """Letters joined by a delta have one size; sizes given from outside fill what is left."""
        pairs = [[str(letter) for letter in indices_of(use)] for use in uses(self.node) if is_delta(use)]
        self._spread(pairs, found)
        for letter, size in given.items():
            if letter in self.letters() and found.setdefault(letter, size) != size:
                what = f"size {letter} is {found[letter]} by the factors and {size} as given"
                raise ShapeError(what, self.text[:90], "one letter, one size")
        self._spread(pairs, found)

    def _spread(self, pairs: list[list[str]], found: dict[str, int]) -> None:
        for _ in pairs:
            for one, two in pairs:
                known = found.get(one, found.get(two))
                if known is None:
                    continue
                if found.setdefault(one, known) != found.setdefault(two, known):
                    what = f"delta[{one},{two}] joins axes of sizes {found[one]} and {found[two]}"
                    raise ShapeError(what, self.text[:90], "axes of one size")

    def fail(
        self, node: ast.AST, what: str, instead: str, kind: type[JacobiansError] = ReadingError
    ) -> JacobiansError:
        """An error with a caret under `node`."""
        return self.statement.error(what, *self.statement.span(node), instead, kind=kind)


def _checked_indices(
    claim: IndexClaim, use: ast.Subscript, name: str, shape: tuple[int, ...]
) -> tuple[str | int, ...]:
    indices = indices_of(use)
    if len(indices) != len(shape):
        what = f"{name} has {len(indices)} indices and its value has {len(shape)} axes ({shape_words(shape)})"
        raise claim.fail(use, what, "one index for each axis", ShapeError)
    for index, size in zip(indices, shape, strict=True):
        if isinstance(index, int) and not -size <= index < size:
            raise claim.fail(
                use, f"index {index} is out of bounds for size {size}", "a smaller index", ShapeError
            )
    return indices


def parse_index_claim(text: str) -> IndexClaim:
    """The claim that `text` writes: `axes: formula`.

    Raises ReadingError with a caret.

    >>> claim = parse_index_claim("n i m: x[n] * delta[i,m]")
    >>> claim.axes, claim.target_axes, claim.names
    (('n', 'i', 'm'), None, ('x',))
    """
    statements = split_statements(text, strings=False)
    statement = statements[0]
    if len(statements) > 1:
        raise statements[1].error("index notation is one formula", 0, None, "i|m n: delta[i,m] * x[n]")
    header, colon, _ = statement.text.partition(":")
    if not colon or "[" in header or "(" in header:
        raise statement.error(
            "the axes before the colon are missing", 0, None, "i|m n: " + statement.text[:40]
        )
    # the header is blanked out byte by byte, so that places in the formula stay places in the text
    blank = " " * len(header.encode("utf-8", "replace"))
    formula = blank + " " + statement.text[len(header) + 1 :]
    node = _formula(statement, formula)
    inner = {letter for use in uses(node) for letter in indices_of(use) if isinstance(letter, str)}
    groups = [_axes(statement, part, inner) for part in header.split("|")]
    if len(groups) > 2:
        raise statement.error(
            "there is more than one bar", header.rindex("|"), None, "target axes | input axes"
        )
    axes = tuple(axis for group in groups for axis in group)
    if len(set(axes)) < len(axes):
        twice = next(axis for axis in axes if axes.count(axis) > 1)
        raise statement.error(
            f"axis {twice} stands twice before the colon", 0, len(header), "a delta: i j: delta[i,j]"
        )
    split = len(groups) == 2
    names = _names(node)
    return IndexClaim(
        text, axes, groups[0] if split else None, groups[1] if split else None, names, statement, node
    )


def _axes(statement: Statement, part: str, inner: set[str]) -> tuple[str, ...]:
    found: list[str] = []
    for word in re.split(r"[\s,]+", part.strip()):
        if not word:
            continue
        if not re.fullmatch(r"[^\W\d]\w*", word):
            raise statement.error(
                f"{word[:30]!r} is not an axis", statement.text.index(word), None, "letters: i|m n"
            )
        # "mn" is two axes where the formula knows the letters and not the word
        found += list(word) if word not in inner and len(word) > 1 and set(word) <= inner else [word]
    return tuple(found)


def _names(node: ast.expr) -> tuple[str, ...]:
    letters = {id(part) for use in uses(node) for part in ast.walk(use.slice)}
    called = {id(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)}
    found = [n for n in ast.walk(node) if isinstance(n, ast.Name) and id(n) not in letters | called]
    ordered = sorted(found, key=lambda name: (name.lineno, name.col_offset))
    return tuple(dict.fromkeys(name.id for name in ordered if name.id not in DELTAS))


def _formula(statement: Statement, formula: str) -> ast.expr:
    check_numbers(statement)
    try:
        tree = ast.parse("(" + formula[1:] + "\n)", mode="eval").body
    except SyntaxError as error:
        ended = (error.lineno or 1) > 1 + statement.text.count("\n")
        place = len(statement.text) if ended else max((error.offset or 1) - 1, 0)
        what = f"cannot read the formula: {error.msg}"[:120]
        raise statement.error(what, place, None, "delta[i,m] * x[n]") from None
    except (RecursionError, MemoryError):
        what = "the formula nests too deep"
        raise statement.error(what, 0, None, "fewer levels", kind=BudgetError) from None
    except ValueError as error:
        what = f"cannot read the formula: {error}"[:120]
        raise statement.error(what, 0, None, "plain characters") from None
    _check(statement, tree)
    return tree


def _check(statement: Statement, root: ast.expr) -> None:
    waiting: list[tuple[ast.AST, int]] = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > MAX_NESTING:
            what = f"the formula nests deeper than {MAX_NESTING}"
            raise statement.error(what, *statement.span(node), "fewer levels", kind=BudgetError)
        left = node.left if isinstance(node, ast.BinOp) else None
        children = _children(statement, node)
        waiting += [(child, depth if child is left else depth + 1) for child in children]


def _children(statement: Statement, node: ast.AST) -> list[ast.AST]:
    """The parts of a node to be checked; the node itself is on the allow-list, or an error is raised."""
    span = statement.span(node)
    if isinstance(node, ast.BinOp) and isinstance(node.op, _OPERATORS):
        return [node.left, node.right]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        return [node.operand]
    if (
        isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
    ):
        if isinstance(node.value, int) and node.value.bit_length() > 140:
            raise statement.error("a whole number of more than 140 bits", *span, "a float such as 1e50")
        return []
    if isinstance(node, ast.Name):
        return []
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        _check_indices(statement, node)
        return []
    if isinstance(node, ast.Call) and not node.keywords:
        _check_function(statement, node)
        return list(node.args)
    raise statement.error(
        "this cannot stand in index notation", *span, "products of indexed names: delta[i,m] * x[n]"
    )


def _check_indices(statement: Statement, use: ast.Subscript) -> None:
    parts = use.slice.elts if isinstance(use.slice, ast.Tuple) else [use.slice]
    for part in parts:
        try:
            whole = isinstance(part, ast.Name) or whole_number(part) is not None
        except ValueError:
            whole = False
        if not whole:
            raise statement.error("an index is a letter or a number", *statement.span(part), "A[i,k]")
    assert isinstance(use.value, ast.Name)
    letters_only = all(isinstance(part, ast.Name) for part in parts)
    if use.value.id in DELTAS and (len(parts) != 2 or not letters_only):
        raise statement.error("a delta has two letters", *statement.span(use), "delta[i,m]")


def _check_function(statement: Statement, call: ast.Call) -> None:
    name = statement.segment(call.func).removeprefix("np.")
    if not isinstance(call.func, ast.Name | ast.Attribute) or name not in POINTWISE | POINTWISE_EXTRA:
        close = did_you_mean(name, POINTWISE | POINTWISE_EXTRA)
        hint = close if not close.startswith("one of") else "tanh, exp, log, sqrt, ..."
        what = f"'{name[:40]}' is not a function of single entries"
        raise statement.error(what, *statement.span(call.func), hint)
