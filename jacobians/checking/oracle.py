"""Derivatives from values of the function alone, independent of the engine.

`along(g, order)` is the derivative of order 1 to 3 of a curve `g(t)` at 0: by complex step, by Cauchy's
integral over a small circle, or, for functions that numpy does not continue to complex numbers, by a
polynomial through values on a short interval.  `directional` applies it along directions of the inputs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Curve = Callable[[Any], Array]
Function = Callable[[Mapping[str, Any]], Any]
STEP = 1e-30
RADIUS, CIRCLE = 0.04, 16
INTERVALS = (0.03, 0.003, 0.0003)
NODES, DEGREE = 13, 9


class NotAnalytic(Exception):
    """The function does not take complex numbers."""


def by_complex(g: Curve, order: int) -> Array:
    """The derivative at 0 from complex values: exact to rounding where g is analytic.

    Raises NotAnalytic where g refuses complex numbers or returns no finite ones.
    """
    try:
        with np.errstate(all="ignore"):
            found = np.imag(g(complex(0, STEP))) / STEP if order == 1 else _circle(g, order)
    except Exception as error:
        raise NotAnalytic(str(error)) from error
    if not np.all(np.isfinite(found)):
        raise NotAnalytic("not finite")
    return np.asarray(found)


def _circle(g: Curve, order: int) -> Array:
    """`order! / (N r^order) sum_j g(r w^j) w^(-j order)`; g is real on the real line, so half of it does."""
    total: Any = 0.0
    for j in range(CIRCLE // 2 + 1):
        turn = np.exp(2j * np.pi * j / CIRCLE)
        part = np.real(g(RADIUS * turn) * turn ** (-order))
        total = total + (part if j in (0, CIRCLE // 2) else 2 * part)
    return np.asarray(total * math.factorial(order) / CIRCLE / RADIUS**order)


@cache
def _weights(order: int) -> tuple[Array, Array]:
    nodes = np.cos(np.pi * (np.arange(NODES) + 0.5) / NODES)
    fit = np.linalg.pinv(np.vander(nodes, DEGREE + 1, increasing=True))
    return nodes, fit[order] * math.factorial(order)


def by_interval(g: Curve, order: int, width: float) -> Array:
    """The derivative at 0 from real values: of the polynomial of degree 9 nearest to g on [-width, width]."""
    nodes, weights = _weights(order)
    values = [np.asarray(g(width * node), dtype=float) for node in nodes]
    return np.asarray(sum(w * v for w, v in zip(weights, values, strict=True)) / width**order)


def directional(
    f: Function, point: Mapping[str, Any], slots: Sequence[str], directions: Mapping[str, Array], how: str
) -> Array:
    """`D^k f [d, ..., d]`, k = len(slots), where every slot has the direction of its input.

    Mixed second derivatives come from `D^2 f` along (u, v) and (u, -v).  `how` is `complex`, or the width of
    an interval.
    """

    def curve(signs: Mapping[str, float]) -> Curve:
        def g(t: Any) -> Array:
            moved = {name: point[name] + t * signs[name] * directions[name] for name in dict.fromkeys(slots)}
            return np.asarray(f({**point, **moved}))

        return g

    def derive(g: Curve) -> Array:
        return by_complex(g, len(slots)) if how == "complex" else by_interval(g, len(slots), float(how))

    names = list(dict.fromkeys(slots))
    if len(names) == 1 or len(slots) == 1:
        return derive(curve(dict.fromkeys(names, 1.0)))
    if len(names) == 2 and len(slots) == 2:
        first, second = names
        plus = derive(curve({first: 1.0, second: 1.0}))
        minus = derive(curve({first: 1.0, second: -1.0}))
        return (plus - minus) / 4
    raise NotAnalytic("mixed third derivatives")


def contracted(tensor: Array, target: int, directions: Sequence[Array]) -> Array:
    """The tensor `target axes, then the axes of every input`, summed with one direction for each input."""
    for direction in reversed(directions):
        tensor = (
            np.tensordot(tensor, direction, axes=direction.ndim) if direction.ndim else tensor * direction
        )
    return tensor


def whole(f: Function, point: Mapping[str, Any], slots: Sequence[str], how: str) -> Array:
    """The full derivative tensor, entry by entry: order 1, or order 2 by one input through D^2 f [u, u]."""
    shapes = [np.shape(point[name]) for name in slots]
    if len(slots) == 1:
        columns = [directional(f, point, slots, {slots[0]: unit}, how) for unit in _units(shapes[0])]
        return _stacked(columns, shapes[0])
    if len(slots) != 2:
        raise NotAnalytic("a full third derivative")
    if len(set(slots)) == 2:
        rows = [
            [
                directional(f, point, slots, dict(zip(slots, (u, v), strict=True)), how)
                for v in _units(shapes[1])
            ]
            for u in _units(shapes[0])
        ]
        return _stacked([_stacked(row, shapes[1]) for row in rows], shapes[0], len(shapes[1]))
    units = _units(shapes[0])
    pure = [directional(f, point, slots, {slots[0]: u}, how) for u in units]
    rows = [
        [
            pure[i]
            if i == j
            else (_sum_of(f, point, slots, units[i] + units[j], how) - pure[i] - pure[j]) / 2
            for j in range(len(units))
        ]
        for i in range(len(units))
    ]
    return _stacked([_stacked(row, shapes[0]) for row in rows], shapes[0], len(shapes[0]))


def _sum_of(f: Function, point: Mapping[str, Any], slots: Sequence[str], u: Array, how: str) -> Array:
    return directional(f, point, slots, {slots[0]: u}, how)


def _units(shape: tuple[int, ...]) -> list[Array]:
    count = math.prod(shape)
    return [np.where(np.arange(count) == k, 1.0, 0.0).reshape(shape) for k in range(count)]


def _stacked(parts: list[Array], shape: tuple[int, ...], trailing: int = 0) -> Array:
    """Parts indexed by the entries of an input, its axes placed before the `trailing` axes of the parts."""
    if not parts:
        return np.zeros(shape)
    rank = parts[0].ndim - trailing
    joined = np.stack(parts, axis=rank)
    return joined.reshape((*joined.shape[:rank], *shape, *joined.shape[rank + 1 :]))
