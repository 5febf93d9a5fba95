"""The true derivative at a point, known twice: from the engine, and from values of the function alone.

`truth(problem, point)` gives a `Truth`: the full tensor, how it was found and how well the two ways agree.
Where the engine cannot trace the function, differences alone give the tensor and `how` says so.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import JacobiansError
from ..verbs import hessian, jacobian
from .formulas import BUDGET, Formula
from .oracle import NotAnalytic, contracted, directional, whole
from .problem import MAX_ENTRIES, Problem
from .structure import tie

Array = np.ndarray[Any, Any]
Point = Mapping[str, Any]
ORDER = "reverse"  # sizes are small: to look for a cheaper order would take longer than to run
WIDTHS = ("0.03", "0.003", "0.0003")
AGREE = {"complex": (1e-8, 1e-7, 1e-6), "interval": (1e-7, 1e-6, 1e-4)}  # by order, relative


@dataclass(frozen=True, slots=True)
class Truth:
    """The derivative at a point: `tensor` has the target axes, then the axes of every input in `inputs`.

    `value` is the function's own value; `how` is `engine`, `engine and complex step`, `differences`, ...;
    `agreed` says whether the two ways agree (None: not compared at this point).  `linear` is true where the
    claim is about directional derivatives: the tensor is then already contracted with the directions.
    """

    tensor: Array
    target: tuple[int, ...]
    inputs: tuple[tuple[int, ...], ...]
    value: Array
    how: str
    agreed: bool | None
    gap: float = 0.0

    @property
    def trusted(self) -> bool:
        """Whether the engine computed it."""
        return self.how.startswith("engine")

    @property
    def scale(self) -> float:
        """The largest entry; 0 where it is rounding."""
        found = float(np.max(np.abs(self.tensor), initial=0.0))
        return found if found > 1e-7 * self.floor else 0.0

    @property
    def floor(self) -> float:
        """A size below which entries are not told from rounding any better: a millionth of the value."""
        return 1e-6 * _largest(self.value)


def caller(given: Formula, point: Point, names: Sequence[str]) -> Callable[..., Any]:
    """The function of `names` alone, everything else fixed at the point."""

    def f(*args: Any) -> Any:
        values = {**point, **dict(zip(names, args, strict=True))}
        if given.program is not None:
            return given.program.run(values, BUDGET)
        return given.run(values)

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    f.__signature__ = inspect.Signature([inspect.Parameter(n, kind) for n in names])  # type: ignore[attr-defined]
    return f


def value_at(given: Formula, point: Point) -> Array:
    """The function's value as a float array."""
    with np.errstate(all="ignore"):
        return np.asarray(given.run(point))


def by_engine(given: Formula, point: Point, slots: Sequence[str]) -> Array:
    """The derivative tensor by the engine; raises what tracing raises."""
    names = tuple(dict.fromkeys(slots))
    f = caller(given, point, names)
    if len(slots) == 1:
        derive: Any = jacobian(f, slots[0], order=ORDER)
    else:
        derive = hessian(f, (slots[0], slots[1]), order=ORDER)
    if len(slots) == 3:
        derive = jacobian(derive, slots[2], order=ORDER)
    with np.errstate(all="ignore"):
        return np.asarray(derive(*(point[name] for name in names)), dtype=float)


def truth(problem: Problem, point: Point, rng: np.random.Generator, compare: bool = True) -> Truth:
    """The derivative of the problem's function at the point.

    `compare` asks for the second, independent way too.  Raises JacobiansError where neither way works.
    """
    slots = problem.slots
    value = value_at(problem.function, point)
    inputs = tuple(np.shape(point[name]) for name in slots)
    size = value.size * int(np.prod([float(np.prod(shape)) for shape in inputs]))
    if size > 60 * MAX_ENTRIES:
        raise JacobiansError(f"the derivative has {size} entries", "", "smaller sizes")
    if problem.layout == "differential" and problem.order == 1 and len(slots) > 1:
        return _total(problem, point, rng, value, compare)
    try:
        tensor, how = by_engine(problem.function, point, slots), "engine"
        if tensor.shape != (*value.shape, *(n for shape in inputs for n in shape)):
            raise ValueError("another shape")
    except Exception:
        tensor, how = _by_differences(problem.function, point, slots)
        compare = False
    agreed, gap = (None, 0.0)
    if compare:
        agreed, gap, second = _compared(problem.function, point, slots, tensor, value, rng)
        how = f"engine and {second}" if agreed else how
    return _finished(problem, point, Truth(tensor, value.shape, inputs, value, how, agreed, gap))


def _total(problem: Problem, point: Point, rng: np.random.Generator, value: Array, compare: bool) -> Truth:
    """The total differential of several inputs: the sum of each one's own."""
    from dataclasses import replace

    parts = [truth(replace(problem, wrt=(name,)), point, rng, compare) for name in problem.wrt]
    agreed = None if any(part.agreed is None for part in parts) else all(part.agreed for part in parts)
    tensor = np.asarray(sum(part.tensor for part in parts))
    how = next((part.how for part in parts if not part.trusted), parts[0].how)
    return Truth(tensor, value.shape, (), value, how, agreed)


def _finished(problem: Problem, point: Point, found: Truth) -> Truth:
    """Tied entries added up; for a differential, contracted with the directions."""
    slots = problem.slots
    target = len(found.target)
    if problem.layout == "differential":
        tensor = contracted(found.tensor, target, [point["d" + name] for name in slots])
        return Truth(tensor, found.target, (), found.value, found.how, found.agreed, found.gap)
    structures = tuple(problem.input(name).structure for name in slots)
    tensor = tie(found.tensor, structures, found.inputs, target)
    return Truth(tensor, found.target, found.inputs, found.value, found.how, found.agreed, found.gap)


def _compared(
    given: Formula, point: Point, slots: Sequence[str], tensor: Array, value: Array, rng: np.random.Generator
) -> tuple[bool, float, str]:
    """Whether the tensor agrees with differences along a random direction, how far, and how it was found."""
    names = list(dict.fromkeys(slots))
    directions = {name: rng.uniform(-1, 1, np.shape(point[name])) for name in names}
    expected = contracted(tensor, value.ndim, [directions[name] for name in slots])
    scale = max(_largest(expected), 1e-3 * _largest(tensor), 1e-5 * _largest(value), 1e-12)
    best = np.inf
    for how in ("complex", *WIDTHS):
        kind = "complex" if how == "complex" else "interval"
        try:
            with np.errstate(all="ignore"):
                found = directional(given.run, point, slots, directions, how)
        except Exception:
            continue
        gap = float(np.max(np.abs(np.real(found) - expected), initial=0.0)) / scale
        if gap <= AGREE[kind][len(slots) - 1]:
            return True, gap, "complex step" if kind == "complex" else "central differences"
        best = min(best, gap) if np.isfinite(gap) else best
    return False, float(best), "differences"


def _by_differences(given: Formula, point: Point, slots: Sequence[str]) -> tuple[Array, str]:
    """The tensor by differences alone: the complex step where real differences confirm it, else real ones.

    Raises JacobiansError where the differences on two intervals disagree: alone they must be beyond doubt.
    """
    try:
        with np.errstate(all="ignore"):
            wide, real = (whole(given.run, point, slots, width) for width in WIDTHS[:2])
    except NotAnalytic as error:
        raise JacobiansError("the function cannot be differentiated here", str(error), "") from error
    if not np.max(np.abs(wide - real), initial=0.0) <= 1e-5 * max(_largest(real), 1e-9):
        raise JacobiansError("the engine cannot trace the function, and differences of it disagree", "", "")
    try:
        exact = whole(given.run, point, slots, "complex")
    except NotAnalytic:
        return real, "differences"
    near = np.max(np.abs(exact - real), initial=0.0) <= 1e-4 * max(_largest(real), 1e-9)
    return (exact, "complex step") if near else (real, "differences")


def _largest(array: Array) -> float:
    return float(np.max(np.abs(array), initial=0.0))
