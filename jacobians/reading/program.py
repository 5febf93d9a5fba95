"""A text that has been read: `Program`, its names, and its runs.

`Program.run(values)` gives the value of the last statement, `Program.run_all(values)` every assigned name
too.  Values may be arrays, traced values, or object arrays of exact numbers.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from jacobians.errors import BudgetError, ShapeError, UnknownNameError, did_you_mean
from jacobians.reading.builtin_functions import items
from jacobians.reading.interpreter import Interpreter, Lambda
from jacobians.reading.limits import Budget, Meter, entries_of
from jacobians.reading.source import Statement
from jacobians.reading.vocabulary import Vocabulary

NameValue = Callable[[Any, str], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One statement: what it computes, and the targets its value is given to (none for a bare expression)."""

    statement: Statement
    targets: tuple[ast.expr, ...]
    node: ast.expr


@dataclass(frozen=True, slots=True)
class Use:
    """Where a name is used first: statement and characters."""

    statement: Statement
    start: int
    end: int


@dataclass(frozen=True, eq=False)
class Program:
    """A text that has been read.

    `names` are the free names in the order of their first use, `assigned` the names given a value in the
    text, in order.  Made by `numpy_syntax.parse` and `matrix_syntax.parse`.
    """

    text: str
    steps: tuple[Step, ...]
    uses: Mapping[str, Use]
    assigned: tuple[str, ...]
    vocabulary: Vocabulary

    @property
    def names(self) -> tuple[str, ...]:
        """The free names, in the order of their first use."""
        return tuple(self.uses)

    def run(
        self,
        values: Mapping[str, Any],
        budget: Budget | None = None,
        *,
        name_value: NameValue | None = None,
        number: Callable[[Any], Any] | None = None,
    ) -> Any:
        """The value of the last statement.

        `values` gives the free names.  `name_value(value, name)` is called for every assigned name and its
        result used.  With `number` (such as `Fraction`) decimal literals, quotients of whole numbers and
        arrays such as `np.eye(n)` become exact.  Raises UnknownNameError for a name without a value,
        ShapeError where shapes do not fit, BudgetError beyond the budget, ReadingError for the rest.
        """
        return self._run(values, budget, name_value, number)[1]

    def run_all(
        self,
        values: Mapping[str, Any],
        budget: Budget | None = None,
        *,
        name_value: NameValue | None = None,
        number: Callable[[Any], Any] | None = None,
    ) -> dict[str, Any]:
        """All assigned names with their values, and the value of the last statement under the name ''."""
        scope, result = self._run(values, budget, name_value, number)
        found: dict[str, Any] = {}
        for name in self.assigned:
            if not isinstance(scope[name], Lambda):
                self.vocabulary.inside(partial(found.__setitem__, name), scope[name])
        return {**found, "": result}

    def check_names(self, known: Mapping[str, Any] | tuple[str, ...], declaration: str = "rows,cols") -> None:
        """Raise UnknownNameError, with its place, for the first free name that is not among `known`."""
        for name, use in self.uses.items():
            if name not in known:
                raise self._unknown(name, use, tuple(known), declaration)

    def _unknown(self, name: str, use: Use, known: tuple[str, ...], declaration: str) -> UnknownNameError:
        before = [target for step in self.steps[: use.statement.number - 1] for target in target_names(step)]
        every = (*known, *before)
        listed = f"known: {', '.join(every)}" if every else "no names are known"
        close = did_you_mean(name, every) if every else ""
        hint = f"declare {name}:{declaration}" + (f", or write {close}" if close in every else "")
        error = use.statement.error(
            f"unknown name '{name}' in statement {use.statement.number}",
            use.start,
            use.end,
            hint,
            note=listed,
            kind=UnknownNameError,
        )
        assert isinstance(error, UnknownNameError)
        return error

    def _run(
        self,
        values: Mapping[str, Any],
        budget: Budget | None,
        name_value: NameValue | None,
        number: Callable[[Any], Any] | None,
    ) -> tuple[dict[str, Any], Any]:
        self.check_names(tuple(values))
        given = sum(entries_of(value) for value in values.values())
        meter = Meter(budget if budget is not None else Budget().for_values(given))
        interpreter = Interpreter(self.vocabulary, meter, number)
        scope = {name: _protected(value) for name, value in values.items()}
        result: Any = None
        for step in self.steps:
            interpreter.statement = step.statement
            result = self._step(interpreter, step, scope, name_value)
        if isinstance(result, Lambda | type | str | slice | type(None) | type(...)):
            raise self.steps[-1].statement.error(
                "the last statement is no number and no array", 0, None, "f(x)"
            )
        meter.charge(entries_of(result))
        return scope, self._finished(result)

    def _finished(self, result: Any) -> Any:
        last = self.steps[-1].statement
        try:
            return self.vocabulary.finish(result)
        except ShapeError as error:
            place = last.where(0, len(last.text))
            raise ShapeError(error.what, error.where or place, error.instead) from error

    def _step(
        self, interpreter: Interpreter, step: Step, scope: dict[str, Any], name_value: NameValue | None
    ) -> Any:
        try:
            result = interpreter.evaluate(step.node, scope)
        except RecursionError as error:
            place = step.statement.where(0, None)
            raise BudgetError("the statement nests too deep", place, "name the inner parts") from error
        for target in step.targets:
            result = self._assign(interpreter, target, result, scope, name_value)
        return result

    def _assign(
        self,
        interpreter: Interpreter,
        target: ast.expr,
        value: Any,
        scope: dict[str, Any],
        named: NameValue | None,
    ) -> Any:
        if named is not None and not isinstance(target, ast.Name):
            names = [part.id for part in getattr(target, "elts", []) if isinstance(part, ast.Name)]
            parts = (
                items(value)
                if hasattr(value, "shape")
                else list(value)
                if isinstance(value, list | tuple)
                else []
            )
            if len(parts) == len(names):
                value = tuple(self._named(part, name, named) for part, name in zip(parts, names, strict=True))
        elif named is not None and isinstance(target, ast.Name):
            value = self._named(value, target.id, named)
        interpreter.assign(target, value, scope)
        return value

    def _named(self, value: Any, name: str, named: NameValue) -> Any:
        def give(inner: Any) -> Any:
            return named(inner, name) if hasattr(inner, "shape") else inner

        return self.vocabulary.inside(give, value)


def target_names(step: Step) -> list[str]:
    """The names that a statement gives a value to."""
    return [node.id for target in step.targets for node in ast.walk(target) if isinstance(node, ast.Name)]


def _protected(value: Any) -> Any:
    """A read-only view of a plain array, so that no text can write into its arguments."""
    if type(value) is not np.ndarray:
        return value
    view = value.view()
    view.flags.writeable = False
    return view
