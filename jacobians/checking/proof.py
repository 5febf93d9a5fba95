"""Proof where proof is possible: a rational claim compared with the exact derivative at random points.

`prove(problem, sizes, layout, rng)` evaluates function and claim modulo the prime 2^61 - 1 at points drawn
from the whole field and compares the claim, summed with random directions, with the exact directional
derivative.  Equality of two different rational functions of degree d at one such point has a probability of
at most d / p (Schwartz-Zippel); inequality is certain.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..reading.shapes import size_value
from .exact import PRIME, Jet, NotRational, degree, exactly, jets, number, part, residue
from .formulas import BUDGET, Formula
from .placing import restored
from .points import STRUCTURES
from .problem import Problem, claim_values
from .structure import shared

Array = np.ndarray[Any, Any]
POINTS = 2
MAX_WORK = 3_000  # entries of inputs times order: beyond, exact numbers are too slow to wait for
_SUBSPACES = frozenset([*STRUCTURES, "symtensor"])
_DENSE = frozenset(  # these leave an open set of points: a rational identity on it holds everywhere
    {"positive", "nonzero", "open01", "small", "invertible", "posdet", "spd", "gapped"}
    | {"wide", "tall", "square", "real", "distinct"}
)


@dataclass(frozen=True, slots=True)
class Proof:
    """What exact arithmetic found: whether the claim holds, at how many points, with which bound."""

    holds: bool
    points: int
    bound: float

    @property
    def sentence(self) -> str:
        """The evidence in words."""
        if not self.holds:
            return "exact arithmetic modulo 2^61 - 1 shows a difference, which is certain"
        return (
            f"equal modulo 2^61 - 1 at {self.points} random points and directions; a false claim would pass "
            f"with probability below 10^{math.ceil(math.log10(max(self.bound, 1e-300)))} (Schwartz-Zippel)"
        )


def prove(problem: Problem, sizes: Mapping[str, int], layout: str, rng: np.random.Generator) -> Proof | None:
    """The exact comparison, or None where function or claim is not rational or a point has an assumption."""
    if not _possible(problem, sizes):
        return None
    bound, points = 1.0, 0
    for _ in range(POINTS):
        try:
            same, degrees = _compare(problem, sizes, layout, rng)
        except Exception:  # anything that exact numbers cannot do: no proof, no verdict
            return None
        if not same:
            return Proof(False, points + 1, 0.0)
        bound *= min(1.0, max(degrees, 1) / PRIME)
        points += 1
    return Proof(True, points, bound)


def _possible(problem: Problem, sizes: Mapping[str, int]) -> bool:
    if any(given.kind != "numpy" for given in (problem.function, problem.claim)):
        return False
    entries = 0
    for entry in problem.inputs:
        if entry.value is not None or set(entry.words) - _SUBSPACES - _DENSE - {"zero"}:
            return False
        if "gapped" in entry.words and "symmetric" not in entry.words:
            return False
        entries += math.prod(size_value(size, sizes) for size in entry.shape)
    count = math.prod(
        math.prod(size_value(size, sizes) for size in problem.input(name).shape) for name in problem.slots
    )
    return entries * max(problem.order, 1) ** 2 <= 200 and count <= MAX_WORK


def _field(shape: tuple[int, ...], words: frozenset[str], rng: np.random.Generator) -> Array:
    """Random entries of the whole field, tied as the assumptions say."""
    if "zero" in words:
        return np.zeros(shape, dtype=object)
    found = np.empty(shape, dtype=object)
    found.reshape(-1)[:] = [int(v) for v in rng.integers(1, PRIME, max(found.size, 1))[: found.size]]
    if len(shape) == 2:
        for word in ("symmetric", "spd", "symtensor"):
            if word in words and not words & (_SUBSPACES - {"symmetric", "symtensor"}):
                return np.asarray(np.where(np.tri(*shape, dtype=bool), found, found.T))
        for word in STRUCTURES:
            if word in words and word != "symmetric":
                return _tied(found, word)
    elif len(shape) > 2 and "symtensor" in words:
        order = np.sort(np.indices(shape).reshape(len(shape), -1), axis=0)
        return np.asarray(found[tuple(order)].reshape(shape))
    return found


def _tied(values: Array, structure: str) -> Array:
    rows, columns = np.indices(values.shape)
    apart = rows - columns
    if structure == "diagonal":
        return np.asarray(np.where(apart == 0, values, 0))
    if structure in ("lower", "upper"):
        return np.asarray(np.where(apart >= 0 if structure == "lower" else apart <= 0, values, 0))
    if structure == "antisymmetric":
        return np.asarray(np.where(apart > 0, values, np.where(apart < 0, -values.T, 0)))
    if structure == "symtoeplitz":
        return np.asarray(values[abs(apart), 0])
    return np.asarray(np.where(apart >= 0, values[abs(apart), 0], values[0, abs(apart)]))


def _constants(problem: Problem, sizes: Mapping[str, int]) -> dict[str, Any]:
    found: dict[str, Any] = dict(sizes)
    for name, value in problem.constants.items():
        found[name] = number(value) if isinstance(value, float) else value
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            exact = np.empty(value.shape, dtype=object)
            exact.reshape(-1)[:] = [number(float(entry)) for entry in value.reshape(-1)]
            found[name] = exact
    return found


def _run(given: Formula, values: Mapping[str, Any]) -> Any:
    assert given.program is not None
    return exactly(given.program).run(values, BUDGET, number=number)


def _compare(
    problem: Problem, sizes: Mapping[str, int], layout: str, rng: np.random.Generator
) -> tuple[bool, int]:
    slots = problem.slots
    base: dict[str, Array] = {}
    for entry in problem.inputs:
        shape = tuple(size_value(size, sizes) for size in entry.shape)
        words = frozenset([*entry.words, *([entry.structure] if entry.structure else [])])
        base[entry.name] = _field(shape, words, rng)
    directions = [_direction(problem, name, base[name].shape, rng) for name in slots]
    if layout == "differential" and len(set(slots)) == 1:
        directions = [directions[0]] * len(slots)
    constants = _constants(problem, sizes)
    truth, deg = _derivative(problem, base, directions, constants)
    values = {**constants, **{name: jets([value]) for name, value in base.items()}}
    if layout == "differential":
        values |= {"d" + name: jets([d]) for name, d in zip(slots, directions, strict=True)}
    claim = _run(problem.claim, _with_intermediates(problem, values))
    found = np.asarray(claim, dtype=object)
    degrees = deg + degree(found)
    if layout != "differential" and problem.order:
        target = truth.shape
        tensor = restored(found, layout, target, tuple(base[name].shape for name in slots))
        if tensor is None:
            raise NotRational("another shape")
        found = _summed(tensor, directions)
    return _equal(found, truth), degrees


def _with_intermediates(problem: Problem, values: dict[str, Any]) -> Mapping[str, Any]:
    if all(name in values for name in problem.claim.names):
        return values
    return claim_values(problem, values)


def _derivative(
    problem: Problem, base: Mapping[str, Array], directions: list[Array], constants: Mapping[str, Any]
) -> tuple[Array, int]:
    """The exact directional derivative: the coefficient of the product of all infinitesimals."""
    order = len(directions) if problem.order else 0
    slots = problem.slots if problem.order else ()
    total = problem.layout == "differential" and problem.order == 1 and order > 1
    size = 2 if total else 1 << order
    values: dict[str, Any] = dict(constants)
    for name, value in base.items():
        parts: list[Any] = [value] + [np.zeros(value.shape, dtype=object)] * (size - 1)
        for k, slot in enumerate(slots):
            if slot == name:
                structure = "" if problem.layout == "differential" else problem.input(name).structure
                moved = shared(directions[k], structure) % PRIME
                parts[1 if total else 1 << k] = moved
        values[name] = jets(parts)
    result = _run(problem.function, values)
    return part(result, size - 1, size), degree(result)


def _direction(problem: Problem, name: str, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    tied = problem.layout == "differential" and problem.input(name).structure
    words = [str(tied)] if tied else []
    if problem.layout == "differential" and problem.symmetric_direction(name):
        words = ["symmetric"]
    return _field(shape, frozenset(words), rng)


def _summed(tensor: Array, directions: list[Array]) -> Array:
    """The tensor of jets summed with one direction for each input, modulo the prime."""
    for direction in reversed(directions):
        axes = direction.ndim
        numbers = part(tensor, 0, 1)
        tensor = np.tensordot(numbers, direction, axes=axes) % PRIME if axes else numbers * direction % PRIME
    return np.asarray(tensor)


def _equal(left: Array, right: Array) -> bool:
    if left.shape != right.shape and left.size != right.size:
        raise NotRational("another shape")
    pairs = zip(left.reshape(-1), right.reshape(-1), strict=True)
    return all(_residue(a) == _residue(b) for a, b in pairs)


def _residue(entry: Any) -> int:
    return entry.parts[0] if isinstance(entry, Jet) else residue(entry)
