"""The chain rule with a link left out: `chain_rule(case)`.

With `f = g(s(x))` a claim may be the derivative of g by s alone (the inner one forgotten), of s by x alone
(the outer one forgotten), or the derivative of f where one step was taken to be the identity.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import JacobiansError
from .case import NEAR, Case, Finding
from .formulas import Formula, formula
from .pieces import HOLE, Piece, pieces
from .placing import arranged, gap
from .samples import Sample
from .structure import tie
from .sums import split_sum
from .truth import by_engine

Array = np.ndarray[Any, Any]
Tensor = Callable[[Sample], tuple[Array, tuple[int, ...], tuple[tuple[int, ...], ...]]]


def chain_rule(case: Case) -> Finding | None:
    """The link of the chain rule that was left out, where leaving it out gives the claim."""
    problem = case.problem
    program = problem.function.program
    if case.claimed is None or program is None or problem.function.kind != "numpy":
        return None
    names = tuple(dict.fromkeys(problem.wrt))
    summed = {ast.unparse(ast.fix_missing_locations(node)) for _, node in split_sum(program.steps[-1].node)}
    summed = summed if len(summed) > 1 else set()
    for piece in pieces(program, names):
        for tensor, words in _variants(problem.slots, piece) if not case.late else ():
            if _is_claim(case, tensor):
                if "outer" in words and piece.text in summed:
                    what = f"The claim is the derivative of {piece.text[:60]} alone: a term is missing."
                    return Finding("missing-term", what)
                return Finding("chain", words)
    return None


def _variants(slots: Sequence[str], piece: Piece) -> list[tuple[Tensor, str]]:
    hollow, inner = _read(piece.hollow), _read(piece.program)
    found: list[tuple[Tensor, str]] = []
    short = piece.text if len(piece.text) <= 40 else piece.text[:37] + "..."
    if hollow is not None:
        for operand in piece.operands:
            step = _read(piece.hollow.replace(HOLE, f"(({operand}) + {HOLE})"))
            base = _read(_before(piece, operand))
            if step is not None and base is not None:
                what = f"The derivative of {short} by {operand} was left out of the chain rule."
                found.append((_identity(step, piece, base, slots), what))
        if len(slots) == 1:
            what = f"The inner derivative was left out: the claim is the derivative by {short}."
            found.append((_outer(hollow, piece), what))
    if inner is not None:
        found.append(
            (
                _inner(inner, slots),
                f"The outer derivative was left out: the claim is the derivative of {short}.",
            )
        )
    return found


def _read(text: str) -> Formula | None:
    try:
        return formula(text, syntax="numpy")
    except JacobiansError:
        return None


def _before(piece: Piece, operand: str) -> str:
    head, sign, _ = piece.program.rpartition("; ")
    return f"{head}{sign}{operand}"


def _identity(step: Formula, piece: Piece, base: Formula, slots: Sequence[str]) -> Tensor:
    """f with `piece` replaced by its operand plus what keeps the value: the step's derivative is 1."""

    def tensor(sample: Sample) -> tuple[Array, tuple[int, ...], tuple[tuple[int, ...], ...]]:
        value, inner = _value(piece.program, sample), np.asarray(base.run(sample.point))
        if value.shape != inner.shape:
            raise ValueError("another shape")
        return (
            by_engine(step, {**sample.point, HOLE: value - inner}, slots),
            sample.truth.target,
            _inputs(sample, slots),
        )

    return tensor


def _outer(hollow: Formula, piece: Piece) -> Tensor:
    def tensor(sample: Sample) -> tuple[Array, tuple[int, ...], tuple[tuple[int, ...], ...]]:
        value = _value(piece.program, sample)
        return by_engine(hollow, {**sample.point, HOLE: value}, (HOLE,)), sample.truth.target, (value.shape,)

    return tensor


def _inner(inner: Formula, slots: Sequence[str]) -> Tensor:
    def tensor(sample: Sample) -> tuple[Array, tuple[int, ...], tuple[tuple[int, ...], ...]]:
        value = np.asarray(inner.run(sample.point))
        return by_engine(inner, sample.point, slots), value.shape, _inputs(sample, slots)

    return tensor


def _inputs(sample: Sample, slots: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    return tuple(np.shape(sample.point[name]) for name in slots)


def _value(text: str, sample: Sample) -> Array:
    return np.asarray(formula(text, syntax="numpy").run(sample.point), dtype=float)


def _is_claim(case: Case, tensor: Tensor) -> bool:
    assert case.claimed is not None
    telling = False
    for sample, claim in zip(case.samples, case.claimed, strict=True):
        try:
            array = _placed(case, sample, *tensor(sample))
        except Exception:  # a variant that cannot be computed explains nothing
            return False
        if array is None or gap(claim, array, case.layout) > NEAR:
            return False
        telling = telling or bool(np.any(array))
    return telling


def _placed(
    case: Case, sample: Sample, array: Array, target: tuple[int, ...], inputs: tuple[tuple[int, ...], ...]
) -> Array | None:
    if case.problem.layout == "differential":
        directions: Mapping[str, Any] = sample.point
        for name in reversed(case.problem.slots):
            direction = np.asarray(directions["d" + name])
            array = (
                np.tensordot(array, direction, axes=direction.ndim) if direction.ndim else array * direction
            )
        return array
    structures = tuple(case.problem.input(name).structure for name in case.problem.slots)
    if any(structures) and inputs == sample.truth.inputs:
        array = tie(array, structures, inputs, len(target))
    return arranged(array, case.layout, target, inputs)
