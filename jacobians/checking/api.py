"""`check`: one claim, or two functions, from Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import ReadingError, ShapeError, UnknownNameError
from ..reading.function import ReadFunction
from ..reading.shapes import Size, bindings_from_values, parse_shape
from .equal import judge_same
from .formulas import Formula, formula
from .judging import judge
from .placing import known_layout, order_of
from .points import known_word
from .problem import Input, Problem
from .structure import known_structure
from .verdict import Verdict


def check(
    f: Any,
    claim: Any,
    wrt: str | Iterable[str] | None = None,
    inputs: Mapping[str, Any] | None = None,
    sizes: Mapping[str, int] | None = None,
    layout: str | None = None,
    assume: Mapping[str, Any] | None = None,
    structure: Mapping[str, str] | None = None,
    seed: int = 0,
    *,
    order: int | None = None,
    constants: Mapping[str, Any] | None = None,
    syntax: str = "",
) -> Verdict:
    """Whether `claim` is the derivative of `f` by `wrt`; without `wrt`, whether both are the same function.

    `f` and `claim` are numpy text, matrix-calculus text, index notation (claims), callables or arrays.
    `inputs` gives every input's shape (`{"A": "M,N"}`) or its value, `sizes` numbers for symbols, `assume`
    what holds for values (`{"A": "spd"}`), `structure` entries that are tied (`{"X": "symmetric"}`: the
    derivative is by the shared parameter).  `layout` is one of `placing.NAMES`, None finds it.  `wrt` with
    two names, or `order=2`, asks for a second derivative.  Raises ReadingError, UnknownNameError
    and ShapeError for a question that makes no sense.

    >>> v = check("A @ x", "A", wrt="x", inputs={"A": "m,n", "x": "n"})
    >>> v.verdict, v.layout
    ('true', 'numerator')
    >>> check("u @ A @ x", "A @ u", wrt="x", inputs={"u": "n", "A": "n,n", "x": "n"}).assumption
    'symmetric A'
    """
    function = formula(f, syntax=syntax)
    claimed = formula(
        claim,
        function.names,
        function.kind if function.kind == "matrixcalculus" and _reads(claim) else syntax,
    )
    if isinstance(f, ReadFunction):
        _fitting(f, inputs or {})
    names = () if wrt is None else (wrt,) if isinstance(wrt, str) else tuple(wrt)
    named = known_layout(layout)
    _orders(order)
    _sizes(sizes or {})
    if not named and _means_differential(claimed, names, inputs or {}):
        named = "differential"
    made = _inputs(
        function,
        claimed,
        inputs or {},
        assume or {},
        structure or {},
        dict(sizes or {}),
        constants or {},
        names,
    )
    steps = order or order_of(named) or (len(names) if named != "differential" else 1)
    problem = Problem(
        function, claimed, made, names, steps if names else 0, named, dict(sizes or {}), dict(constants or {})
    )
    return (
        _named_layout(judge(problem, seed, strict=True), problem, layout)
        if names
        else judge_same(problem, seed)
    )


def _orders(order: int | None) -> None:
    if order is not None and order not in (1, 2, 3):
        raise ReadingError(f"order {order} is not judged", "orders: 1, 2, 3", "order 1, 2 or 3")


def _means_differential(claimed: Formula, wrt: tuple[str, ...], known: Iterable[str]) -> bool:
    """Whether a claim without a layout is about differentials: it uses `dX`, which is no input."""
    own = claimed.program.assigned if claimed.program is not None else ()
    return any("d" + name in claimed.names and "d" + name not in (*known, *own) for name in wrt)


def _named_layout(verdict: Verdict, problem: Problem, asked: str | None) -> Verdict:
    if asked or problem.layout != "differential":
        return verdict
    why = f"differential layout, because the claim uses {' and '.join(problem.directions())}"
    return replace(verdict, evidence=(why, *verdict.evidence))


def _sizes(sizes: Mapping[str, int]) -> None:
    for name, size in sizes.items():
        if not isinstance(size, int | np.integer) or isinstance(size, bool) or size < 1:
            raise ShapeError(
                f"size {name} is {str(size)[:40]}: a claim is judged at sizes of 1 and more",
                f"sizes: {', '.join(f'{k}={v}' for k, v in sizes.items())}"[:90],
                f"{name}=3, or no size: one is chosen",
            )


def _fitting(f: ReadFunction, inputs: Mapping[str, Any]) -> None:
    """Raise ShapeError where given arrays do not fit the declarations of a function that was read."""
    arrays = {name: value for name, value in inputs.items() if not isinstance(value, str | tuple)}
    bindings_from_values(f.shapes, arrays)


def _reads(claim: Any) -> bool:
    """Whether a claim's text is in matrix-calculus syntax too."""
    if not isinstance(claim, str):
        return False
    try:
        return formula(claim, syntax="matrixcalculus").program is not None
    except ReadingError:
        return False


def _inputs(
    function: Formula,
    claim: Formula,
    given: Mapping[str, Any],
    assume: Mapping[str, Any],
    structure: Mapping[str, str],
    sizes: Mapping[str, int],
    constants: Mapping[str, Any],
    wrt: tuple[str, ...],
) -> tuple[Input, ...]:
    known = dict.fromkeys([*given])
    if not given:
        raise ReadingError(
            "the inputs have no shapes", f"names: {', '.join(function.names)}", 'inputs={"A": "M,N"}'
        )
    for names, what in ((assume, "assume"), (structure, "structure")):
        for name in names:
            if name not in known:
                raise UnknownNameError(f"{what}: {name!r} is not an input", f"inputs: {', '.join(known)}", "")
    return tuple(_input(name, given[name], assume.get(name, ()), structure.get(name)) for name in known)


def _input(name: str, shape: Any, words: Any, structure: str | None) -> Input:
    value = None
    if isinstance(shape, str):
        parsed: tuple[Size, ...] = parse_shape(name, shape)
    elif isinstance(shape, tuple) and all(isinstance(size, int | str) for size in shape):
        parsed = tuple(size for part in shape for size in parse_shape(name, str(part)))
    else:
        value = np.asarray(shape, dtype=float)
        parsed = tuple(int(size) for size in value.shape)
    listed = [words] if isinstance(words, str) else list(words)
    split = [word for part in listed for word in str(part).replace("+", ",").split(",") if word.strip()]
    return Input(name, parsed, tuple(known_word(word) for word in split), known_structure(structure), value)
