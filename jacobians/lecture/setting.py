"""Where claims are judged: the values, the steps of a computation, and its derivatives.

A `Setting` gives a text its value.  Names are inputs (given, or drawn for a shape), sizes, steps ("z" is
`A @ x + b`), and derivatives: `dz_dA` is the engine's Jacobian of step z by A, everything after A computed
anew.  Each derivative is also computed without the engine, by a complex step through the same texts, and
`worst` is the largest difference.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from ..derivative import Jacobian
from ..errors import JacobiansError, did_you_mean
from ..reading.program import Program
from ..verbs import jacobian
from .errors import ClaimError
from .reading import exact, floating, program
from .shapes import size

STEP = 1e-30  # of the complex step: far below rounding, since nothing is subtracted
TOLERANCE = 1e-8  # between the engine and the independent check, relative to the largest entry


@dataclass(frozen=True, slots=True)
class Setting:
    """Values and steps by name; `exact` settings compute with fractions and have no derivatives.

    `found` keeps each derivative that was asked for, and how far the engine and the complex step are apart.
    """

    sizes: Mapping[str, int]
    given: Mapping[str, Any]
    steps: Mapping[str, Program]
    exact: bool = False
    found: dict[tuple[str, str], tuple[Jacobian, float]] = field(default_factory=dict)

    def value(self, text: str, **extra: Any) -> Any:
        """The value of a text; `extra` names come first."""
        return self._run(program(text), {**self.sizes, **self.given, **extra})

    def function(self, of: str, by: str) -> Callable[[Any], Any]:
        """The function of input (or step) `by` whose value is step `of`: what comes after `by` runs anew."""
        return lambda value: self.lookup(of, {**self.sizes, **self.given, by: value})

    def at(self, name: str) -> np.ndarray:
        """The value of a name as an array of floats."""
        return np.asarray(self.lookup(name, {**self.sizes, **self.given}), dtype=float)

    def derivative(self, of: str, by: str) -> Jacobian:
        """The engine's Jacobian `d of / d by`, compared with a complex step on the way."""
        if (of, by) not in self.found:
            for name in (of, by):
                self._known(name)
            function, point = self.function(of, by), self.at(by)
            made = jacobian(function)(point)
            self.found[of, by] = made, distance(np.asarray(made), differenced(function, point))
        return self.found[of, by][0]

    @property
    def worst(self) -> float | None:
        """The largest difference between the engine and the complex step so far; None without derivatives."""
        return max((error for _, error in self.found.values()), default=None)

    def lookup(self, name: str, scope: dict[str, Any]) -> Any:
        """The value of one name in a scope, which keeps what was computed."""
        if name not in scope:
            scope[name] = self._made(name, scope)
        return scope[name]

    def _made(self, name: str, scope: dict[str, Any]) -> Any:
        if name in self.steps:
            return self._run(self.steps[name], scope)
        parts = re.fullmatch(r"d(\w+)_d(\w+)", name)
        if parts and not self.exact:
            return np.asarray(self.derivative(parts[1], parts[2]))
        self._known(name)
        raise ClaimError(f"the name {name!r} has no value here", "", "a step or an input")

    def _run(self, text: Program, scope: dict[str, Any]) -> Any:
        values = {name: self.lookup(name, scope) for name in text.names}
        return text.run(values, number=Fraction if self.exact else None)

    def _known(self, name: str) -> None:
        names = (*self.given, *self.sizes, *self.steps)
        if name not in names:
            hint = did_you_mean(name, names) if names else "give it under values, shapes or steps"
            raise ClaimError(f"the name {name!r} is not known", f"known: {', '.join(names)}", hint)


def setting(data: Mapping[str, Any], is_exact: bool = False) -> Setting:
    """The setting that a claim's `sizes`, `values`, `shapes` and `steps` describe.

    Raises ClaimError for a size that is no number, and for steps that refer to themselves.

    >>> room = setting({"values": {"x": 3.0, "n": 2}, "steps": {"f": "x**n"}})
    >>> room.value("df_dx - n * x"), room.worst
    (np.float64(0.0), 0.0)
    """
    sizes = {str(name): int(n) for name, n in data.get("sizes", {}).items()}
    given = {name: (exact if is_exact else floating)(value) for name, value in data.get("values", {}).items()}
    drawn = {
        name: draw(name, text, sizes) for name, text in data.get("shapes", {}).items() if name not in given
    }
    steps = {name: program(text) for name, text in data.get("steps", {}).items()}
    _check_order(steps)
    return Setting(sizes, {**drawn, **given}, steps, is_exact)


def draw(name: str, shape: str, sizes: Mapping[str, int]) -> np.ndarray:
    """Numbers in (-1, 1) for an input of a shape such as `M,N`, the same for the same name every time."""
    axes = [size(token.strip(), sizes) for token in shape.split(",") if token.strip()]
    generator = np.random.default_rng(zlib.crc32(name.encode()))
    return generator.uniform(-1, 1, axes)


def _check_order(steps: Mapping[str, Program]) -> None:
    before: list[str] = []
    for name, text in steps.items():
        late = [other for other in text.names if other in steps and other not in before]
        if late:
            raise ClaimError(
                f"step {name!r} uses {late[0]!r}, which comes after it",
                text.text,
                "steps in the order of use",
            )
        before.append(name)


def differenced(function: Callable[[Any], Any], at: np.ndarray) -> np.ndarray:
    """The derivative of `function` at a point without the engine, shape `target x input`.

    By a complex step, exact to rounding; where the function takes no complex numbers, by central differences
    of fourth order.

    >>> differenced(lambda x: x**3, np.array([1.0, 2.0]))
    array([[ 3.,  0.],
           [ 0., 12.]])
    """
    try:
        columns = [np.imag(function(moved)) / STEP for moved in _moved(at, STEP * 1j)]
    except (JacobiansError, TypeError):
        h = 1e-3
        near = [[np.asarray(function(m)) for m in _moved(at, s * h)] for s in (-2, -1, 1, 2)]
        columns = [(a - 8 * b + 8 * c - d) / (12 * h) for a, b, c, d in zip(*near, strict=True)]
    target = np.shape(columns[0])
    return np.stack(columns, axis=-1).reshape(target + at.shape)


def _moved(at: np.ndarray, by: complex) -> list[np.ndarray]:
    """`at`, once for each entry, with that entry moved."""
    units = np.eye(at.size).reshape(at.size, *at.shape)
    return [at + by * unit for unit in units]


def distance(claimed: Any, right: Any) -> float:
    """The largest difference, relative to the largest entry of what is right; inf where shapes differ.

    >>> distance([1.0, 2.5], [1.0, 2.0]), distance([1.0], [1.0, 2.0])
    (0.25, inf)
    """
    a, b = np.asarray(claimed), np.asarray(right)
    if a.shape != b.shape:
        return float("inf")
    if a.size == 0:
        return 0.0
    a, b = a.astype(float), b.astype(float)
    largest = float(np.max(np.abs(b)))
    worst = float(np.max(np.abs(a - b)))
    return worst / largest if largest > 0 else worst
