"""Functions and claims in every form they can be given: `formula(given, names)`.

Numpy text, matrix-calculus text, index notation, a callable, or an array.  A `Formula` has `text`, the
`names` it needs, and `run(values)`; what it is made of stays visible (`program`), for the diagnosis.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from ..errors import JacobiansError, ReadingError, ShapeError
from ..reading import Budget, IndexClaim, Program, is_index_claim, parse, parse_index_claim
from .conventions import agreed

Values = Mapping[str, Any]
BUDGET = Budget(steps=40_000, entries=1_000_000, work=6_000_000)  # of one run: some hundredths of a second


@dataclass(frozen=True, slots=True)
class Formula:
    """A function or a claim; `kind` is `numpy`, `matrixcalculus`, `index`, `callable` or `array`."""

    kind: str
    text: str
    names: tuple[str, ...]
    program: Program | None = None
    index: IndexClaim | None = None
    parts: tuple[tuple[str, Program], ...] = ()  # arrays that an index claim takes entries of: `inv(X)[i,k]`
    call: Callable[..., Any] | None = None
    array: Any = field(default=None, repr=False)

    def run(self, values: Values, shape: tuple[int, ...] | None = None) -> Any:
        """The value where `values` gives the names; `shape` helps an index claim whose deltas lack a size."""
        if self.program is not None:
            return self.program.run({name: values[name] for name in values}, BUDGET)
        if self.index is not None:
            whole = {name: program.run({**values}, BUDGET) for name, program in self.parts}
            return _run_index(self.index, {**values, **whole}, shape)
        if self.call is not None:
            return self.call(*(values[name] for name in self.names))
        return self.array


def formula(given: Any, names: Iterable[str] = (), syntax: str = "") -> Formula:
    """The formula that `given` is: text, a callable, or numbers.

    A text is index notation where it has axes and a colon, numpy where numpy syntax reads it, else
    matrix-calculus syntax (`syntax` asks for one).  Raises ReadingError.

    >>> formula("A @ x").kind, formula("x'*A").kind, formula("i|j: delta[i,j]").kind, formula(2.0).kind
    ('numpy', 'matrixcalculus', 'index', 'array')
    """
    if isinstance(given, Formula):
        return given
    if isinstance(given, str):
        return _from_text(given, syntax)
    if callable(given):
        return _from_callable(given, tuple(names))
    try:
        array = np.asarray(given, dtype=float)
    except (TypeError, ValueError) as error:
        what = f"a {type(given).__name__} is no formula"
        raise ReadingError(what, "", "text, a function of arrays, or an array") from error
    return Formula("array", f"an array of shape {array.shape}", (), array=array)


def _from_text(text: str, syntax: str) -> Formula:
    if syntax != "matrixcalculus" and is_index_claim(text):
        return _indexed(text)
    order = [syntax] if syntax else ["numpy", "matrixcalculus"]
    first: JacobiansError | None = None
    for name in order:
        try:
            program = parse(text, name)
        except JacobiansError as error:
            first = first or error
            continue
        return Formula(name, text, program.names, program=agreed(program))
    assert first is not None
    raise _hinted(text, first)


_ENTRIES = re.compile(r"(?<![\w.])(?:[^\W\d][\w.]*\([\w.@,* ]*\)|[^\W\d]\w*\.T)(?=\[)")


def _indexed(text: str) -> Formula:
    """An index claim; functions of whole matrices with indices behind them are computed first."""
    parts: dict[str, str] = {}
    short = _ENTRIES.sub(lambda found: parts.setdefault(found[0], f"part{len(parts) + 1}_"), text)
    claim = parse_index_claim(short)
    programs = tuple((name, agreed(parse(whole, "numpy"))) for whole, name in parts.items())
    own = [name for name in claim.names if name not in parts.values()]
    names = dict.fromkeys([*own, *(name for _, program in programs for name in program.names)])
    return Formula("index", text, tuple(names), index=claim, parts=programs)


_PRINTED = re.compile(r"(?:\b[^\W\d_][^\W_]*|δ)_(?:\{([a-zA-Z]+)\}|([a-zA-Z]+)\b)")


def _hinted(text: str, error: JacobiansError) -> JacobiansError:
    """The error, with the way to write a printed index form such as `δ_im x_n` where the text is one."""
    factors = list(_PRINTED.finditer(text))
    if not factors or "".join(_PRINTED.split(text)[::3]).strip(" *·"):
        return error
    letters = [letter for found in factors for letter in found[1] or found[2]]
    axes = [letter for letter in dict.fromkeys(letters) if letters.count(letter) == 1]
    uses = [(found[0].partition("_")[0].replace("δ", "delta"), found[1] or found[2]) for found in factors]
    product = " * ".join(f"{name}[{','.join(own)}]" for name, own in uses)
    what = "an index form needs its axes before a colon, and brackets"
    return ReadingError(
        what,
        text[:90],
        f"write it as: {'|'.join([axes[0], ' '.join(axes[1:])])}: {product}"
        if len(axes) > 1
        else f"write it as: |{' '.join(axes)}: {product}",
    )


def _from_callable(call: Callable[..., Any], names: tuple[str, ...]) -> Formula:
    inputs = getattr(call, "inputs", None)
    if inputs is None:
        try:
            parameters = inspect.signature(call).parameters.values()
        except (TypeError, ValueError) as error:
            raise ReadingError(
                "the function has no signature", "", "a lambda with named arguments"
            ) from error
        inputs = [p.name for p in parameters if p.default is inspect.Parameter.empty]
        starred = any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters)
        inputs = list(names) if starred else inputs
    text = getattr(call, "text", None) or getattr(call, "__name__", "f")
    program = getattr(call, "program", None)
    if isinstance(program, Program):
        return Formula("numpy", str(text), program.names, program=agreed(program))
    return Formula("callable", str(text), tuple(inputs), call=call)


def _run_index(claim: IndexClaim, values: Values, shape: tuple[int, ...] | None) -> Any:
    """An index claim; letters that only deltas carry get the sizes with which the claim has `shape`."""
    known = {name: int(value) for name, value in values.items() if isinstance(value, int | np.integer)}
    letters = set(claim.letters())
    try:
        return claim.run(values, {}, BUDGET)
    except ShapeError as error:
        if shape is None or "no size" not in error.what:
            raise
        first = error
    if len(claim.axes) == len(shape):
        try:
            return claim.run(values, dict(zip(claim.axes, shape, strict=True)), BUDGET)
        except ShapeError:
            pass
    free = [letter for letter in claim.axes if letter not in known][:5]
    fitting: list[Any] = []
    for sizes in product(sorted(set(shape)), repeat=len(free)):
        given = {**{k: v for k, v in known.items() if k in letters}, **dict(zip(free, sizes, strict=True))}
        try:
            found = np.asarray(claim.run(values, given, BUDGET))
        except ShapeError:
            continue
        fitting.append(found)
        if sorted(found.shape) == sorted(shape):
            return found
    if fitting:
        return fitting[0]
    raise first
