"""Sizes of axes: integers, or symbols such as M and N with exact polynomial arithmetic.

`symbol("M")` makes a symbolic size.  Sizes add, multiply and compare like integers, so that
`entries(shape)` counts `M**2*N` as exactly as it counts 36.  `magnitude(size)` orders sizes where a
choice must be made before numbers are known; `number(size)` insists on a number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any, TypeAlias

from .errors import ShapeError

Monomial: TypeAlias = tuple[tuple[str, int], ...]
ASSUMED = 1000  # what a symbol counts for when two symbolic sizes must be ordered


class Poly:
    """A polynomial with integer coefficients over named sizes; never a plain number.

    >>> M, N = symbol("M"), symbol("N")
    >>> M * N + M * N, (M + 1) * N, M * 0, M - M + 3
    (2*M*N, M*N + N, 0, 3)
    """

    __slots__ = ("_hash", "monomials")

    def __init__(self, monomials: Mapping[Monomial, int]) -> None:
        self.monomials = dict(monomials)
        self._hash = hash(frozenset(self.monomials.items()))

    def __add__(self, other: Size) -> Size:
        if not isinstance(other, Poly | int):
            return NotImplemented
        total = dict(self.monomials)
        for monomial, coefficient in _terms(other).items():
            total[monomial] = total.get(monomial, 0) + coefficient
        return _normal(total)

    def __mul__(self, other: Size) -> Size:
        if not isinstance(other, Poly | int):
            return NotImplemented
        total: dict[Monomial, int] = {}
        for left, a in self.monomials.items():
            for right, b in _terms(other).items():
                key = _times(left, right)
                total[key] = total.get(key, 0) + a * b
        return _normal(total)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> Size:
        return self * -1

    def __sub__(self, other: Size) -> Size:
        return self + other * -1

    def __rsub__(self, other: Size) -> Size:
        return self * -1 + other

    def __pow__(self, exponent: int) -> Size:
        return reduce(lambda a, b: a * b, [self] * exponent, 1)  # type: ignore[arg-type,return-value]

    def __floordiv__(self, other: Size) -> Size:
        quotient = divide(self, other)
        if quotient is None:
            raise ShapeError(f"{self} is not a multiple of {other}", "", "give the symbols numbers")
        return quotient

    def __rtruediv__(self, other: object) -> Any:
        raise no_number(f"{other} / ({self})", self)

    def __truediv__(self, other: object) -> Any:
        if not isinstance(other, int | float):
            return NotImplemented
        raise no_number(f"({self}) / {other}", self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Poly) and self.monomials == other.monomials

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return " + ".join(_print(m, c) for m, c in sorted(self.monomials.items(), key=_rank)).replace(
            "+ -", "- "
        )

    def __index__(self) -> int:
        raise ShapeError(f"size {self} has no number yet", "", _remedy(self))

    __int__ = __float__ = __index__

    def __bool__(self) -> bool:
        return True

    def symbols(self) -> tuple[str, ...]:
        """The names of the symbols in it, sorted."""
        return tuple(sorted({name for monomial in self.monomials for name, _ in monomial}))

    def at(self, values: Mapping[str, int]) -> Size:
        """The size with numbers (or other sizes) put in for some symbols."""
        total: Size = 0
        for monomial, coefficient in self.monomials.items():
            part: Size = coefficient
            for name, power in monomial:
                part = part * (values.get(name, symbol(name)) ** power)
            total = total + part
        return total


Size: TypeAlias = int | Poly
Shape: TypeAlias = tuple[Size, ...]


def symbol(name: str) -> Poly:
    """A size that is not a number yet, printed as `name`."""
    return Poly({((name, 1),): 1})


def entries(sizes: Iterable[Size]) -> Size:
    """The product of `sizes`: how many entries an array of that shape has.

    >>> entries((3, 4)), entries((symbol("M"), 3, symbol("M"))), entries(())
    (12, 3*M**2, 1)
    """
    product: Size = 1
    for size in sizes:
        product = product * size
    return product


def magnitude(size: Size) -> float:
    """A number to order sizes by; a symbol counts as 1000.

    >>> magnitude(7), magnitude(symbol("M"))
    (7.0, 1000.0)
    """
    if isinstance(size, Poly):
        return float(size.at({name: ASSUMED for name in size.symbols()}))
    return float(size)


def number(size: Size, what: str = "this") -> int:
    """`size` as an integer; raises ShapeError, naming `what` needs it, where it is symbolic."""
    if isinstance(size, Poly):
        raise no_number(what, size)
    return int(size)


def no_number(what: str, *sizes: Poly) -> ShapeError:
    """The error where `what` needs the number of sizes that are symbols."""
    shown = " and ".join(dict.fromkeys(map(str, sizes)))
    return ShapeError(f"{what} needs a number: size {shown} has none yet", "", _remedy(*sizes))


def divide(size: Size, other: Size) -> Size | None:
    """`size / other` where that is exact (for symbols: by one monomial), else None.

    >>> divide(12, 4), divide(12, 5), divide(symbol("M") * symbol("N"), symbol("N"))
    (3, None, M)
    """
    if isinstance(size, int) and isinstance(other, int):
        return size // other if other and size % other == 0 else None
    divisor = _terms(other)
    if size == other:
        return 1
    if len(divisor) != 1:
        return None
    ((low, b),) = divisor.items()
    quotient: dict[Monomial, int] = {}
    for high, a in _terms(size).items():
        powers = dict(high)
        for name, power in low:
            powers[name] = powers.get(name, 0) - power
        if a % b or min(powers.values(), default=0) < 0:
            return None
        quotient[tuple(sorted((n, p) for n, p in powers.items() if p))] = a // b
    return _normal(quotient)


def substitute(shape: Shape, values: Mapping[str, int]) -> Shape:
    """`shape` with numbers put in for symbols."""
    return tuple(size.at(values) if isinstance(size, Poly) else size for size in shape)


def show(size: Size) -> str:
    """`size` as it is printed in tables: `M²N`-like, without operators.

    >>> M, N = symbol("M"), symbol("N")
    >>> show(M**2 * N), show(2 * M + 1), show(7)
    ('M²N', '2M + 1', '7')
    """
    text = repr(size)
    for power, sign in zip("23456789", "²³⁴⁵⁶⁷⁸⁹", strict=True):
        text = text.replace(f"**{power}", sign)
    return text.replace("*", "")


def _terms(size: Any) -> dict[Monomial, int]:
    return size.monomials if isinstance(size, Poly) else {(): int(size)}


def _times(left: Monomial, right: Monomial) -> Monomial:
    powers = dict(left)
    for name, power in right:
        powers[name] = powers.get(name, 0) + power
    return tuple(sorted(powers.items()))


def _normal(monomials: dict[Monomial, int]) -> Size:
    kept = {monomial: c for monomial, c in monomials.items() if c}
    if not kept:
        return 0
    if len(kept) == 1 and () in kept:
        return kept[()]
    return Poly(kept)


def _rank(item: tuple[Monomial, int]) -> tuple[int, Monomial]:
    return (-sum(power for _, power in item[0]), item[0])


def _print(monomial: Monomial, coefficient: int) -> str:
    powers = [name if power == 1 else f"{name}**{power}" for name, power in monomial]
    if coefficient == -1 and powers:
        return "-" + "*".join(powers)
    return "*".join(([str(coefficient)] if coefficient != 1 or not powers else []) + powers)


def _remedy(*sizes: Poly) -> str:
    names = sorted({name for size in sizes for name in size.symbols()})
    return "add " + " ".join(f"{name}={3 + k}" for k, name in enumerate(names))
