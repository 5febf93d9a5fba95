"""Exact numbers: rational functions evaluated modulo a large prime, with their derivatives.

A `Jet` is a number modulo the prime 2^61 - 1 with up to three independent infinitesimals of square zero, so
that the coefficient of their product is an exact directional derivative.  `jets(array, ...)` makes object
arrays of them that run through the same formulas; whatever is not rational raises NotRational.
`EXACT` is the vocabulary whose `inv`, `det`, `solve` and `pinv` work on them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from ..reading import Program
from ..reading.vocabulary import NUMPY
from .conventions import overriding

PRIME = (1 << 61) - 1
MAX_DIGITS = 12  # a decimal with more digits is a rounded number, not an exact one
Array = np.ndarray[Any, Any]


class NotRational(TypeError):
    """Something that is not a rational function of exact numbers."""


@cache
def _pairs(size: int) -> tuple[tuple[tuple[int, int], ...], ...]:
    """For every set of infinitesimals, the ways to split it in two."""
    return tuple(tuple((a, s ^ a) for a in range(s + 1) if a & s == a) for s in range(size))


class Jet:
    """A number modulo 2^61 - 1 with infinitesimals; `degree` bounds its degree as a rational function.

    `parts[s]` is the coefficient of the product of the infinitesimals in the bit set `s`.

    >>> x = Jet((5, 1))
    >>> (x * x * x).parts
    (125, 75)
    """

    __slots__ = ("degree", "fraction", "parts")

    def __init__(self, parts: tuple[int, ...], degree: int = 0, fraction: bool = False) -> None:
        self.parts, self.degree, self.fraction = parts, degree, fraction

    def _lift(self, other: Any) -> Jet:
        if isinstance(other, Jet):
            if len(other.parts) == len(self.parts):
                return other
            raise NotRational("numbers of different orders")
        return Jet((residue(other),) + (0,) * (len(self.parts) - 1))

    def __add__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        b = self._lift(other)
        either = self.fraction or b.fraction
        degree = self.degree + b.degree if either else max(self.degree, b.degree)
        return Jet(tuple((p + q) % PRIME for p, q in zip(self.parts, b.parts, strict=True)), degree, either)

    __radd__ = __add__

    def __neg__(self) -> Jet:
        return Jet(tuple(-p % PRIME for p in self.parts), self.degree, self.fraction)

    def __pos__(self) -> Jet:
        return self

    def __sub__(self, other: Any) -> Any:
        return NotImplemented if isinstance(other, np.ndarray) else self + (-self._lift(other))

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            return NotImplemented
        b = self._lift(other)
        left, right = self.parts, b.parts
        parts = tuple(sum(left[i] * right[j] for i, j in ways) % PRIME for ways in _pairs(len(left)))
        return Jet(parts, self.degree + b.degree, self.fraction or b.fraction)

    __rmul__ = __mul__

    def inverse(self) -> Jet:
        """`1 / x`; raises NotRational where x is 0."""
        first = self.parts[0]
        if first == 0:
            raise NotRational("a division by zero")
        size = len(self.parts)
        guess = Jet((pow(first, -1, PRIME),) + (0,) * (size - 1))
        while size > 1:  # every step of Newton's iteration doubles the order that is right
            guess = guess * (2 - self * guess)
            size //= 2
        return Jet(guess.parts, self.degree, True)

    def __truediv__(self, other: Any) -> Any:
        return NotImplemented if isinstance(other, np.ndarray) else self * self._lift(other).inverse()

    def __rtruediv__(self, other: Any) -> Any:
        return self._lift(other) * self.inverse()

    def __pow__(self, exponent: Any) -> Any:
        if isinstance(exponent, np.ndarray):
            return NotImplemented
        power = whole(exponent)
        base = self if power >= 0 else self.inverse()
        result, power = self._lift(1), abs(power)
        while power:
            result = result * base if power & 1 else result
            base, power = base * base, power >> 1
        return result

    def __rpow__(self, base: Any) -> Any:
        raise NotRational("a variable exponent")

    def conjugate(self) -> Jet:
        """The number itself: it is real."""
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Jet) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(self.parts)

    def _refuse(self, *args: Any) -> Any:
        raise NotRational("exact numbers have no order, no sign and no truth")

    __lt__ = __le__ = __gt__ = __ge__ = __abs__ = __float__ = __int__ = __bool__ = __floordiv__ = __mod__ = (
        _refuse
    )

    def __repr__(self) -> str:
        return f"Jet({self.parts})"


def residue(value: Any) -> int:
    """A plain number modulo the prime; raises NotRational for one that is not exact.

    >>> residue(0.5) * 2 % PRIME
    1
    """
    if isinstance(value, bool | np.bool_ | int | np.integer):
        return int(value) % PRIME
    if isinstance(value, Fraction):
        return value.numerator * pow(value.denominator, -1, PRIME) % PRIME
    if isinstance(value, float | np.floating):
        return residue(decimal(float(value)))
    raise NotRational(f"a {type(value).__name__}")


def decimal(value: float) -> Fraction:
    """A short decimal as a fraction; raises NotRational for a float that was rounded."""
    text = repr(float(value))
    if not np.isfinite(value) or len(text.replace("-", "").replace(".", "")) > MAX_DIGITS:
        raise NotRational(f"{text} is not exact")
    return Fraction(text)


def number(value: Any) -> Fraction:
    """What the interpreter makes of a literal, a quotient, or an entry of `np.eye`."""
    return decimal(value) if isinstance(value, float) else Fraction(value)


def whole(value: Any) -> int:
    """A whole exponent; raises NotRational for any other."""
    if isinstance(value, Jet):
        raise NotRational("a variable exponent")
    if int(value) != value or abs(int(value)) > 64:
        raise NotRational(f"the exponent {value}")
    return int(value)


def jets(values: Sequence[Array]) -> Array:
    """An object array of jets: `values[s]` holds the coefficients (whole numbers) of the bit set `s`."""
    first = np.asarray(values[0], dtype=object)
    found = np.empty(first.shape, dtype=object)
    flat = [np.asarray(v, dtype=object).reshape(-1) for v in values]
    found.reshape(-1)[:] = [Jet(tuple(int(v[k]) % PRIME for v in flat), 1) for k in range(first.size)]
    return found


def part(value: Any, bits: int, size: int) -> Array:
    """The coefficients of the bit set `bits`, as an object array of whole numbers."""
    array = np.asarray(value, dtype=object)
    found = np.empty(array.shape, dtype=object)
    found.reshape(-1)[:] = [_part(entry, bits) for entry in array.reshape(-1)]
    return found


def _part(entry: Any, bits: int) -> int:
    return entry.parts[bits] if isinstance(entry, Jet) else (residue(entry) if bits == 0 else 0)


def degree(value: Any) -> int:
    """The largest degree among the entries."""
    found = [e.degree for e in np.asarray(value, dtype=object).reshape(-1) if isinstance(e, Jet)]
    return max(found, default=0)


# -- linear algebra of object arrays ------------------------------------------------------------------------


def _eliminated(matrix: Any, right: Any) -> tuple[Any, Any]:
    """`inv(matrix) @ right` and the determinant, by Gauss and Jordan."""
    rows = [list(row) for row in np.asarray(matrix, dtype=object)]
    wide = [list(row) for row in np.asarray(right, dtype=object)]
    size, determinant = len(rows), 1
    for k in range(size):
        at = next((i for i in range(k, size) if not _vanishes(rows[i][k])), None)
        if at is None:
            raise NotRational("a singular matrix")
        if at != k:
            rows[k], rows[at], wide[k], wide[at] = rows[at], rows[k], wide[at], wide[k]
            determinant = -determinant
        pivot = rows[k][k]
        determinant = determinant * pivot
        rows[k] = [entry / pivot for entry in rows[k]]
        wide[k] = [entry / pivot for entry in wide[k]]
        for i in range(size):
            if i != k and not _zero(rows[i][k]):
                scale = rows[i][k]
                rows[i] = [a - scale * b for a, b in zip(rows[i], rows[k], strict=True)]
                wide[i] = [a - scale * b for a, b in zip(wide[i], wide[k], strict=True)]
    return np.array(wide, dtype=object), determinant


def _vanishes(entry: Any) -> bool:
    return entry.parts[0] == 0 if isinstance(entry, Jet) else entry == 0


def _zero(entry: Any) -> bool:
    return not any(entry.parts) if isinstance(entry, Jet) else entry == 0


def _identity(size: int) -> Array:
    return np.array([[Fraction(int(i == j)) for j in range(size)] for i in range(size)], dtype=object)


def _exact_entries(array: Any) -> Array:
    given = np.asarray(array)
    if given.dtype == object:
        return given
    found = np.empty(given.shape, dtype=object)
    found.reshape(-1)[:] = [number(float(entry)) for entry in given.reshape(-1)]
    return found


def _square(matrix: Any) -> Array:
    given = _exact_entries(matrix)
    if given.ndim != 2 or given.shape[0] != given.shape[1]:
        raise NotRational("not one square matrix")
    return given


def _of_degree(values: Any, bound: int, fraction: bool) -> Any:
    """The same numbers with the degree that Cramer's rule gives them, not the elimination's."""
    array = np.asarray(values, dtype=object)
    flat = [Jet(e.parts, bound, fraction) if isinstance(e, Jet) else e for e in array.reshape(-1)]
    found = np.empty(array.shape, dtype=object)
    found.reshape(-1)[:] = flat
    return found if found.ndim else found[()]


def _inv(matrix: Any) -> Any:
    given = _square(matrix)
    return _of_degree(_eliminated(given, _identity(len(given)))[0], len(given) * degree(given), True)


def _det(matrix: Any) -> Any:
    given = _square(matrix)
    fraction = any(e.fraction for e in given.reshape(-1) if isinstance(e, Jet))
    return _of_degree(_eliminated(given, _identity(len(given)))[1], len(given) * degree(given), fraction)


def _solve(matrix: Any, right: Any) -> Any:
    given, wanted = _square(matrix), _exact_entries(right)
    columns = wanted[:, None] if wanted.ndim == 1 else wanted
    found = _of_degree(_eliminated(given, columns)[0], len(given) * degree(given) + degree(wanted), True)
    return found[:, 0] if wanted.ndim == 1 else found


def _pinv(matrix: Any) -> Any:
    given = _exact_entries(matrix)
    rows, columns = given.shape
    return given.T @ _inv(given @ given.T) if rows < columns else _inv(given.T @ given) @ given.T


def _matrix_power(matrix: Any, power: Any) -> Any:
    given, count = _square(matrix), whole(power)
    base, found = (given if count >= 0 else _inv(given)), _identity(len(given))
    for _ in range(abs(count)):
        found = found @ base
    return found


_CALLS: Mapping[str, Callable[..., Any]] = {
    "inv": _inv,
    "det": _det,
    "solve": _solve,
    "pinv": _pinv,
    "matrix_power": _matrix_power,
}
EXACT = overriding(_CALLS, "jacobians.checking.exact:EXACT")


def exactly(program: Program) -> Program:
    """The program with exact linear algebra; raises NotRational for one in matrix-calculus syntax."""
    if program.vocabulary.home == "jacobians.reading.matrix_syntax:MATRIX":
        raise NotRational("matrix-calculus syntax")
    assert NUMPY is not EXACT
    return replace(program, vocabulary=EXACT)
