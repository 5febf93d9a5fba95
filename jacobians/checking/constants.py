"""Constant and scalar factors between a claim and the truth.

`constant_factor(case)` finds a number that is the same at all points (and the size it depends on);
`scalar_factor(case)` a scalar of the problem, such as det(X) or the function itself, that was left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from ..errors import JacobiansError
from .case import NEAR, Case
from .placing import gap
from .samples import Sampler

Array = np.ndarray[Any, Any]


def simple(number: float) -> float | int:
    """A number as a whole one, or a short fraction's value, where it is near one.

    >>> simple(1.9999999999), simple(0.3333333333333)
    (2, 0.3333333333333333)
    """
    near = Fraction(number).limit_denominator(60)
    value = float(near) if abs(float(near) - number) < 1e-7 * max(abs(number), 1e-3) else number
    return int(value) if float(value).is_integer() else value


def number_text(number: float) -> str:
    """`2`, `1/2`, `0.34`: a number as it is written in a formula.

    >>> number_text(0.5), number_text(-2.0), number_text(0.123456789)
    ('1/2', '-2', '0.123457')
    """
    near = Fraction(number).limit_denominator(60)
    if abs(float(near) - number) > 1e-7 * max(abs(number), 1e-3):
        return f"{number:.6g}"
    return str(near)


def ratio(claim: Array, expected: Array) -> float | None:
    """The number c with `expected = c * claim`, or None."""
    size = float(np.sum(claim * claim))
    if claim.shape != expected.shape or size == 0 or not np.any(expected):
        return None
    found = float(np.sum(claim * expected)) / size
    return found if gap(claim * found, expected) < NEAR else None


def ratios(case: Case) -> list[float] | None:
    """The ratio at every sample, None where one sample has none."""
    if case.claimed is None or not case.same_shape:
        return None
    found = [ratio(c, e) for c, e in zip(case.claimed, case.expected, strict=True)]
    return None if any(r is None for r in found) else [float(r) for r in found if r is not None]


def constant_factor(case: Case) -> tuple[float, str] | None:
    """A constant factor other than 1, and its text: a size such as `n` where it changes with the sizes."""
    found = ratios(case)
    if found is None:
        return None
    sizes = case.samples[0].sizes
    differ = any(dict(s.sizes) != dict(sizes) for s in case.samples)
    if max(found) - min(found) > NEAR * max(map(abs, found)):
        return _sized(found, [s.sizes for s in case.samples]) if differ else None
    if abs(found[0] - 1) < NEAR:
        return None
    if differ:
        return found[0], number_text(found[0])
    other = _at_other_sizes(case)
    if other is not None and abs(other[0] - found[0]) > NEAR * abs(found[0]):
        named = _sized([found[0], other[0]], [sizes, other[1]])
        if named is not None:
            return named
    return found[0], number_text(found[0])


def inverse_text(text: str) -> str:
    """One over a factor that is written with sizes.

    >>> inverse_text("(1/n)"), inverse_text("n"), inverse_text("2*(1/(m*n))")
    ('n', '(1/n)', '1/2*m*n')
    """
    front, star, size = text.rpartition("*") if "(" not in text else text.partition("*")
    if not star or text.startswith("("):
        front, size = "", text
    turned = size[3:-1].strip("()") if size.startswith("(1/") else f"(1/{size})"
    return f"{number_text(1 / float(Fraction(front)))}*{turned}" if front else turned


def _at_other_sizes(case: Case) -> tuple[float, Mapping[str, int]] | None:
    if not case.problem.symbols():
        return None
    other = case.problem.other_sizes()
    try:
        sample = Sampler(case.problem, case.seed + 3, other).sample()
    except (JacobiansError, ValueError, np.linalg.LinAlgError):
        return None
    expected = sample.expected(case.layout)
    if expected is None or sample.claim is None:
        return None
    found = ratio(sample.claim, expected)
    return None if found is None else (found, other)


def _sized(found: list[float], sizes: list[Mapping[str, int]]) -> tuple[float, str] | None:
    """A factor that is a size, its inverse, or a product of two, times a constant."""
    for text, values in _of_sizes(sizes).items():
        constants = [r / v for r, v in zip(found, values, strict=True)]
        if max(constants) - min(constants) < NEAR * max(map(abs, constants)):
            front = number_text(constants[0])
            return found[0], text if front == "1" else f"{front}*{text}"
    return None


def _of_sizes(sizes: list[Mapping[str, int]]) -> dict[str, list[float]]:
    names = list(sizes[0])
    found: dict[str, list[float]] = {}
    for name in names:
        found[name] = [float(s[name]) for s in sizes]
        found[f"(1/{name})"] = [1.0 / s[name] for s in sizes]
    for k, one in enumerate(names):
        for two in names[k:]:
            found[f"({one}*{two})"] = [float(s[one] * s[two]) for s in sizes]
            found[f"(1/({one}*{two}))"] = [1.0 / (s[one] * s[two]) for s in sizes]
    return found


def scalar_factor(case: Case) -> tuple[str, bool] | None:
    """A scalar that the claim must be multiplied by, and whether it is the function itself."""
    found = ratios(case)
    if found is None or len(found) < 2:
        return None
    for text, chained in _scalars(case):
        values = case.values(text)
        if values is None or any(v.ndim or abs(v) < 1e-12 for v in values):
            continue
        numbers = [float(v) for v in values]
        if max(numbers) - min(numbers) < 1e-9:
            continue
        for power, shape in (
            (1, "{}"),
            (-1, "1/{}"),
            (2, "{}**2"),
            (-2, "1/{}**2"),
            (0.5, "np.sqrt({})"),
            (-0.5, "1/np.sqrt({})"),
        ):
            if power in (0.5, -0.5) and min(numbers) <= 0:
                continue
            constants = [r / n**power for r, n in zip(found, numbers, strict=True)]
            if max(constants) - min(constants) < NEAR * max(map(abs, constants)):
                front = number_text(constants[0])
                whole = shape.format(text if text.isidentifier() or text.endswith(")") else f"({text})")
                return (whole if front == "1" else f"{front}*{whole}"), chained
    return None


def _scalars(case: Case) -> list[tuple[str, bool]]:
    """Scalars that come to mind: the function, and norms, traces, determinants, sums of the inputs."""
    function = case.problem.function
    found: list[tuple[str, bool]] = []
    if function.kind == "numpy" and function.program is not None and len(function.program.steps) == 1:
        found.append((f"({function.text})", True))
    for name, shape in ((k, np.shape(v)) for k, v in case.samples[0].point.items()):
        if len(shape) == 0 and isinstance(case.samples[0].point[name], np.ndarray):
            found += [] if name in case.problem.wrt else [(name, False)]
        elif len(shape) == 1:
            found += [
                (f"({name} @ {name})", False),
                (f"np.sum({name})", False),
                (f"np.sum(np.exp({name}))", False),
            ]
        elif len(shape) == 2:
            found += [(f"np.sum({name}*{name})", False), (f"np.sum({name})", False)]
            if shape[0] == shape[1]:
                found += [(f"np.linalg.det({name})", False), (f"np.trace({name})", False)]
    return found
