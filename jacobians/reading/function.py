"""Text to function: `read("z = A @ x + b; f = tanh(z)", A="M,N", x="N", b="M")`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from jacobians.errors import ReadingError, ShapeError, UnknownNameError, did_you_mean
from jacobians.reading import matrix_syntax, numpy_syntax
from jacobians.reading.limits import Budget
from jacobians.reading.program import NameValue, Program
from jacobians.reading.shapes import Declarations, bindings_from_values, declarations_from_keywords, written

SYNTAXES: Mapping[str, Callable[[str], Program]] = {
    "numpy": numpy_syntax.parse,
    "matrixcalculus": matrix_syntax.parse,
}


def parse(text: str, syntax: str = "numpy") -> Program:
    """The program that `text` writes; `syntax` is `numpy` or `matrixcalculus`.

    >>> parse("x'*A*x", "matrixcalculus").names
    ('x', 'A')
    """
    if syntax not in SYNTAXES:
        raise UnknownNameError(f"syntax {syntax!r} is not known", "", did_you_mean(str(syntax), SYNTAXES))
    return SYNTAXES[syntax](text)


class ReadFunction:
    """A function that was read from text: call it with arrays, by position or by name.

    `inputs` are its argument names, `shapes` its `Declarations`, `program` what was read, `assigned` the
    names given values in the text.  `name_value(value, name)` is called for each of these, so that a tracer
    can name intermediates; `with_name_value` sets it.
    """

    def __init__(
        self,
        program: Program,
        shapes: Declarations,
        name_value: NameValue | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.program, self.shapes, self.name_value, self.budget = program, shapes, name_value, budget
        declared = bool(shapes.shapes)
        numbers = (*shapes.symbols, *shapes.constants)
        if declared:
            program.check_names((*shapes.names, *numbers))
        self.inputs = shapes.names if declared else tuple(n for n in program.names if n not in numbers)
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        self.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in self.inputs])
        self.__name__ = program.assigned[-1] if program.steps[-1].targets else "f"

    @property
    def assigned(self) -> tuple[str, ...]:
        """The names given values in the text, in order."""
        return self.program.assigned

    @property
    def text(self) -> str:
        """The text as it was given."""
        return self.program.text

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The value of the last statement.

        Raises ShapeError where an argument does not fit its declaration (naming axis and sizes) or shapes do
        not fit inside the text, ReadingError for missing or surplus arguments.
        """
        return self._run(self.program.run, args, kwargs)

    def all_values(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Every assigned name with its value, and the value of the last statement under ''."""
        values: dict[str, Any] = self._run(self.program.run_all, args, kwargs)
        return values

    def with_name_value(self, name_value: NameValue | None) -> ReadFunction:
        """The same function with another hook for assigned names."""
        return ReadFunction(self.program, self.shapes, name_value, self.budget)

    def __repr__(self) -> str:
        declared = [written(name, shape) for name, shape in self.shapes.shapes.items()]
        return f"<read {' '.join(declared or self.inputs)}: {' '.join(self.text.split())[:60]}>"

    def _run(self, run: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        arrays = self._bind(args, kwargs)
        sizes = bindings_from_values(self.shapes, arrays)
        values = {**sizes, **self.shapes.constants, **arrays}
        try:
            return run(values, self.budget, name_value=self.name_value)
        except ShapeError as error:
            if not sizes or "sizes so far" in error.where:
                raise
            known = "sizes so far: " + " ".join(f"{name}={size}" for name, size in sizes.items())
            raise ShapeError(error.what, f"{error.where}\n{known}", error.instead) from error

    def _bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        try:
            return dict(self.__signature__.bind(*args, **kwargs).arguments)
        except TypeError as error:
            call = f"{self.__name__}({', '.join(self.inputs)})"
            raise ReadingError(f"{self.__name__}: {error}", "", call) from None


def read(
    text: str,
    /,
    *,
    syntax: str = "numpy",
    name_value: NameValue | None = None,
    **shapes: Any,
) -> ReadFunction:
    """A function of arrays from text, its arguments being the names whose shapes are given, in that order.

    `A="M,N"` (or a tuple) gives a shape, `M=3` a size, which the text may use as a number; without any shape
    the arguments are the free names in the order of their first use.  `syntax` is `numpy` or
    `matrixcalculus`.  Raises ReadingError and UnknownNameError with the place in the text.

    >>> import numpy as np
    >>> f = read("z = A @ x + b; f = tanh(z)", A="M,N", x="N", b="M")
    >>> f.inputs, f.assigned
    (('A', 'x', 'b'), ('z', 'f'))
    >>> f(np.zeros((2, 3)), np.ones(3), b=np.zeros(2))
    array([0., 0.])
    """
    return ReadFunction(parse(text, syntax), declarations_from_keywords(**shapes), name_value)
