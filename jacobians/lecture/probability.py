"""The judge of densities: `integral`, by quadrature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .rows import Check, Finding
from .setting import Setting, distance
from .shapes import Found
from .wording import agreement, number

POINTS = {1: 801, 2: 201, 3: 41}  # of each axis, by the number of axes: the grid stays below 100,000 points


def integral(room: Setting, check: Check) -> Finding:
    """The integral of `integrand` over `over` equals `equals`, at each of `at`; `nonnegative` is checked too.

    `over` maps each variable to its two ends (texts or numbers).  The trapezoid rule on a grid: for a density
    that has died out at the ends its error falls faster than any power of the step.
    """
    at = check.get("at", {})
    places = [dict(zip(at, point, strict=True)) for point in zip(*at.values(), strict=True)] if at else [{}]
    found, claimed, lowest = [], [], np.inf
    for place in places:
        total, least = quadrature(room, check["integrand"], check["over"], place)
        found.append(total)
        claimed.append(float(room.value(check["equals"], **place)))
        lowest = min(lowest, least)
    error = distance(claimed, found)
    holds = error <= check.get("tolerance", 1e-9) and (lowest >= 0 or not check.get("nonnegative"))
    if holds:
        return Finding(True, f"integral = {number(found[0])} by quadrature, {agreement(error)}", Found(()))
    return Finding(False, f"integral = {number(found[0])}, claimed {number(claimed[0])}", Found(()))


def quadrature(
    room: Setting, integrand: str, over: Mapping[str, Any], place: Mapping[str, float]
) -> tuple[float, float]:
    """The integral by the trapezoid rule, and the smallest value of the integrand on the grid.

    >>> from .setting import setting
    >>> total, lowest = quadrature(setting({}), "exp(-x**2 / 2)", {"x": [-10, 10]}, {})
    >>> round(total**2 / (2 * np.pi), 12), lowest > 0
    (1.0, True)
    """
    count, volume, axes = POINTS[len(over)], 1.0, {}
    for k, (name, ends) in enumerate(over.items()):
        low, high = (float(room.value(str(end))) for end in ends)
        shape = [1] * len(over)
        shape[k] = count
        axes[name] = np.linspace(low, high, count).reshape(shape)
        volume *= (high - low) / (count - 1)
    values = np.broadcast_to(room.value(integrand, **axes, **place), [count] * len(over))
    return float(np.sum(_ends_halved(values)) * volume), float(np.min(values))


def _ends_halved(values: np.ndarray) -> np.ndarray:
    weighted = np.array(values, dtype=float)
    for axis in range(weighted.ndim):
        view = np.moveaxis(weighted, axis, 0)
        view[0] /= 2
        view[-1] /= 2
    return weighted
