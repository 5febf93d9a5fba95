"""Where a claim puts its axes: layouts of first, second and third derivatives.

`arranged(tensor, layout, target, inputs)` gives the array of a layout, None where it has no place;
`restored` goes back; `layouts_of(...)` lists the layouts that could be meant; `gap(claim, expected)`
compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..axes import show, symbol
from ..errors import LayoutError, UnknownNameError, did_you_mean
from ..layouts import LAYOUTS, has_place, layout_named, layout_shape, to_layout
from ..reading.shapes import size_value

if TYPE_CHECKING:
    from .problem import Problem

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]
HIGHER = ("hessian", "hessian-vec", "mixed", "third")
NAMES = (*LAYOUTS, "differential", *HIGHER)
PASS, FAIL = 1e-9, 1e-6  # relative gaps: right, wrong; between them it is not clear
ROUGH = {"differences": (1e-7, 1e-4), "complex step": (1e-8, 1e-5)}  # where the engine could not help


def known_layout(name: str | None) -> str:
    """The layout called `name`, "" for none; raises UnknownNameError.

    >>> known_layout("vec-columns"), known_layout(None)
    ('vec', '')
    """
    if not name:
        return ""
    lowered = str(name).strip().lower().replace("_", "-")
    if lowered in ("differential", *HIGHER):
        return lowered
    try:
        return layout_named(lowered).name
    except UnknownNameError:
        listed = f"layouts: {', '.join(NAMES)}"
        raise UnknownNameError(
            f"layout {str(name)[:40]!r} is not known", listed, did_you_mean(lowered, NAMES)
        ) from None


def order_of(layout: str) -> int:
    """The order of derivative that a layout belongs to, 0 where it does not say."""
    return {"hessian": 2, "hessian-vec": 2, "mixed": 2, "third": 3}.get(layout, 0)


def layouts_of(target: Shape, inputs: tuple[Shape, ...], mixed: bool = False) -> tuple[str, ...]:
    """The layouts that have a place for the derivative, the customary name first where several coincide.

    A scalar target's is called gradient, a vector by a vector numerator, everything else tensor.

    >>> layouts_of((), ((3,),))
    ('gradient', 'tensor', 'numerator', 'denominator', 'vec', 'vec-row')
    >>> layouts_of((), ((3, 4), (3, 4)))
    ('hessian', 'hessian-vec', 'vec-row')
    """
    if not inputs:
        return ("differential",)
    if len(inputs) == 1:
        shape = inputs[0]
        placed = [name for name in LAYOUTS if has_place(name, target, shape)]
        first = "gradient" if not target and shape else "tensor"
        first = "numerator" if len(target) == len(shape) == 1 else first
        return tuple(sorted(placed, key=lambda name: name != first))
    if len(inputs) == 2:
        names = ("mixed",) if mixed else ("hessian",)
        return (*names, "hessian-vec", "vec-row")
    return ("third",)


def no_place(problem: Problem, target: Shape, sizes: Mapping[str, int]) -> LayoutError:
    """The error that says why the layout asked for has no place for the derivative.

    Shapes are written with the symbols of the inputs where these have no given sizes.
    """
    named = {size: symbol(name) for name, size in sizes.items() if name not in problem.sizes}
    free = {} if len(named) + len(problem.sizes) < len(sizes) else named
    shape = tuple(free.get(size, size) for size in target)
    groups = [tuple(_size_of(part, problem.sizes) for part in problem.input(n).shape) for n in problem.slots]
    if len(groups) == 1:
        name = problem.title.partition("/")[0].removeprefix("∂")
        try:
            layout_shape(problem.layout, shape, groups[0], name, problem.slots[0])
        except LayoutError as error:
            return error
    whole = " × ".join(f"({' × '.join(map(show, group))})" for group in groups)
    front = " × ".join([*map(show, shape), whole])
    what = f"{problem.layout} layout has no place for {problem.title}: {front}"
    return LayoutError(what, "", "no --layout: the one that fits is found")


def _size_of(size: int | str, given: Mapping[str, int]) -> Any:
    if isinstance(size, int):
        return size
    return given.get(size) or (symbol(size) if size.isidentifier() else size_value(size, dict(given)))


def arranged(tensor: Array, layout: str, target: Shape, inputs: tuple[Shape, ...]) -> Array | None:
    """The array of a derivative in a layout, or None where the layout has no place for it."""
    if layout == "differential" or not inputs:
        return tensor
    if len(inputs) == 1:
        if layout in HIGHER:
            return None
        return to_layout(tensor, layout, target, inputs[0]) if has_place(layout, target, inputs[0]) else None
    if layout in ("vec", "vec-row", "hessian-vec"):
        return _stacked(tensor, target, inputs, columns=not layout.endswith("row"))
    if layout == "denominator":
        return np.swapaxes(tensor, -1, -2) if tensor.ndim == 2 else None
    if layout == "numerator" and tensor.ndim != 2:
        return None
    wrong = {"gradient": bool(target), "third": len(inputs) != 3, "hessian": len(inputs) != 2}
    return None if wrong.get(layout, False) else tensor


def _stacked(tensor: Array, target: Shape, inputs: tuple[Shape, ...], columns: bool) -> Array:
    """Every input's axes merged into one, its columns (or rows) under one another."""
    order = list(range(len(target)))
    sizes = [*target]
    at = len(target)
    for shape in inputs:
        axes = list(range(at, at + len(shape)))
        order += axes[::-1] if columns else axes
        sizes.append(int(np.prod(shape)))
        at += len(shape)
    return np.transpose(tensor, order).reshape(sizes)


def restored(array: Any, layout: str, target: Shape, inputs: tuple[Shape, ...]) -> Array | None:
    """The tensor from its array in a layout: the inverse of `arranged`, None where shapes do not fit."""
    shape = (*target, *(size for group in inputs for size in group))
    count = int(np.prod(shape)) if shape else 1
    places = arranged(np.arange(count).reshape(shape), layout, target, inputs)
    given = np.asarray(array)
    if places is None or not same_shape(given.shape, places.shape, layout):
        return None
    found = np.empty(count, dtype=given.dtype)
    found[places.reshape(-1)] = given.reshape(-1)
    return found.reshape(shape)


def same_shape(given: Shape, wanted: Shape, layout: str) -> bool:
    """Whether a claim's shape is the layout's.

    A 1-D array has no orientation: it stands for the column of denominator layout and the row (or column)
    of the vec layouts; a number may be written with any number of axes of size 1.

    >>> same_shape((3,), (3, 1), "denominator"), same_shape((3,), (1, 3), "numerator")
    (True, False)
    """
    if given == wanted:
        return True
    if all(size == 1 for size in (*given, *wanted)) and len(given) <= 2:
        return not wanted or layout != "tensor"
    if layout == "denominator" and len(wanted) == 2 and wanted[1] == 1:
        return given == wanted[:1]
    if layout in ("vec", "vec-row") and len(wanted) == 2 and 1 in wanted:
        return given == (max(wanted),)
    return False


def gap(claim: Any, expected: Array, layout: str = "", floor: float = 0.0) -> float:
    """The largest difference relative to the largest entry; inf for other shapes and for infinities.

    The largest entry is taken to be `floor` at least, so that the rounding of a zero is no difference.

    >>> gap(np.array([1.0, 2.0]), np.array([1.0, 2.5]))
    0.2
    """
    given = np.asarray(claim)
    if given.dtype == object or not same_shape(given.shape, expected.shape, layout):
        return np.inf
    given = given.reshape(expected.shape)
    if not (np.all(np.isfinite(given)) and np.all(np.isfinite(expected))):
        return np.inf
    if not given.size:
        return np.inf
    largest = max(float(np.max(np.abs(expected))), float(np.max(np.abs(given))), floor)
    return float(np.max(np.abs(given - expected))) / largest if largest > 0 else 0.0
