"""One entry of a tensor as an expression: sums, products, powers, deltas and entries `x[i]`.

The records (`Number`, `Entry`, `Delta`, `Call`, `Power`, `Quotient`, `Product`, `Plus`, `Total`) are what the
printers of index notation read; `times`, `plus`, `power`, `quotient` and `total` build them and tidy up as they
go: numbers are multiplied out, `f f` becomes `f²`, a sum inside a product moves to its front.

>>> f = Entry("f", (letter("i"),))
>>> times(2, times(0.5, f), f) == power(f, 2)
True
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..axes import Poly, Size
from ..wiring import Affine, Slot, Table
from ..wiring import affine as _affine


@dataclass(frozen=True, slots=True)
class Index:
    """The index `offset + sum(stride * letter)` of one axis, or one read from a table: `text`."""

    offset: Size = 0
    strides: tuple[tuple[str, Size], ...] = ()
    text: str = ""

    def __str__(self) -> str:
        if self.text:
            return self.text
        parts = [_scaled(stride, letter) for letter, stride in self.strides]
        if self.offset != 0 or not parts:
            parts.append(_size(self.offset))
        return "+".join(parts).replace("+-", "-")


def letter(name: str) -> Index:
    """The index that runs along one letter."""
    return Index(0, ((name, 1),))


def _scaled(stride: Size, name: str) -> str:
    if stride == 1 or stride == -1:
        return name if stride == 1 else f"-{name}"
    return f"{_size(stride)}*{name}"


def _size(size: Size) -> str:
    text = repr(size).replace(" ", "")
    return f"({text})" if isinstance(size, Poly) and len(size.monomials) > 1 else text


def index_of(slot: Slot, along: Mapping[int, Index], tables: Mapping[int, str] | None = None) -> Index:
    """A slot with an index put in for each of its labels: `i`, `i+1`, `4*i+j`, `T[i]`.

    >>> str(index_of(Affine(1, ((0, 2), (1, 1))), {0: letter("i"), 1: letter("j")}))
    '2*i+j+1'
    """
    if isinstance(slot, int):
        return along[slot]
    if isinstance(slot, Table):
        name = (tables or {}).get(slot.node.serial) or slot.node.name or "T"
        return Index(text=f"{name}[{','.join(str(along[label]) for label in slot.labels)}]")
    if any(along[label].text for label, _ in slot.strides):
        parts = [f"{_size(stride)}*{along[label]}" for label, stride in slot.strides]
        return Index(text="+".join([*parts, _size(slot.offset)]))
    offset, strides = slot.offset, []
    for label, stride in slot.strides:
        offset = offset + along[label].offset * stride
        strides += [(name, step * stride) for name, step in along[label].strides]
    merged: Any = _affine(offset, strides)  # type: ignore[arg-type]
    return Index(merged.offset, merged.strides)


@dataclass(frozen=True, slots=True)
class Number:
    """A number, or a count over symbolic sizes."""

    value: Any


@dataclass(frozen=True, slots=True)
class Entry:
    """`name[index]`, one entry of a value; a scalar has no index."""

    name: str
    index: tuple[Index, ...] = ()


@dataclass(frozen=True, slots=True)
class Delta:
    """1 where two indices are equal, else 0."""

    left: Index
    right: Index


@dataclass(frozen=True, slots=True)
class Call:
    """A function of entries, by its numpy name."""

    function: str
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Power:
    """`base ** exponent`, the exponent a number."""

    base: Expr
    exponent: Any


@dataclass(frozen=True, slots=True)
class Quotient:
    """`top / bottom`."""

    top: Expr
    bottom: Expr


@dataclass(frozen=True, slots=True)
class Product:
    """`coefficient * factors`, no factor being a number, a product or a sum over letters."""

    coefficient: Any
    factors: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Plus:
    """A sum of at least two expressions, none of them a sum."""

    terms: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of `body` over letters."""

    letters: tuple[str, ...]
    body: Expr


Expr: TypeAlias = Number | Entry | Delta | Call | Power | Quotient | Product | Plus | Total
ZERO, ONE = Number(0), Number(1)


def tidy(value: Any) -> Any:
    """A coefficient as it is printed: whole floats as integers.

    >>> tidy(2.0), tidy(0.5)
    (2, 0.5)
    """
    if isinstance(value, Poly) or isinstance(value, int):
        return value
    number = float(value)
    return int(number) if number.is_integer() and abs(number) < 1e15 else number


def parts(expr: Expr) -> tuple[tuple[str, ...], Any, tuple[Expr, ...]]:
    """An expression as (letters summed over, coefficient, factors)."""
    match expr:
        case Total(letters, body):
            inner, coefficient, factors = parts(body)
            return letters + inner, coefficient, factors
        case Product(coefficient, factors):
            return (), coefficient, factors
        case Number(value):
            return (), value, ()
    return (), 1, (expr,)


def times(*exprs: Expr | int | float) -> Expr:
    """The product, flat: numbers multiplied, equal factors a power, sums over letters in front."""
    letters: list[str] = []
    coefficient: Any = 1
    powers: dict[Expr, Any] = {}
    for expr in exprs:
        summed, number, factors = parts(expr) if not isinstance(expr, (int, float)) else ((), expr, ())
        letters += summed
        coefficient = coefficient * number
        for factor in factors:
            base, exponent = (factor.base, factor.exponent) if isinstance(factor, Power) else (factor, 1)
            powers[base] = powers.get(base, 0) + exponent
    coefficient = tidy(coefficient)
    made = tuple(f for f in (power(base, exponent) for base, exponent in powers.items()) if f != ONE)
    if coefficient == 0:
        return ZERO
    if not made:
        return total(letters, Number(coefficient))
    body = made[0] if len(made) == 1 and coefficient == 1 else Product(coefficient, made)
    return total(letters, body)


def plus(exprs: Iterable[Expr]) -> Expr:
    """The sum, flat: numbers added, equal terms counted."""
    counts: dict[Expr, Any] = {}
    number: Any = None
    order: list[Expr | None] = []
    for expr in exprs:
        for one in expr.terms if isinstance(expr, Plus) else (expr,):
            if isinstance(one, Number):
                if number is None:
                    order.append(None)
                number = one.value if number is None else number + one.value
                continue
            coefficient, body = _split(one)
            if body not in counts:
                order.append(body)
            counts[body] = counts.get(body, 0) + coefficient
    made = [Number(tidy(number)) if body is None else times(counts[body], body) for body in order]
    kept = [one for one in made if one != ZERO]
    return Plus(tuple(kept)) if len(kept) > 1 else kept[0] if kept else ZERO


def _split(expr: Expr) -> tuple[Any, Expr]:
    letters, coefficient, factors = parts(expr)
    body = factors[0] if len(factors) == 1 else Product(1, factors)
    return coefficient, total(letters, body)


def power(base: Expr, exponent: Any) -> Expr:
    """`base ** exponent`, without powers of powers that are whole, and without exponents 0 and 1."""
    exponent = tidy(exponent)
    if exponent == 0:
        return ONE
    if exponent == 1:
        return base
    if isinstance(base, Number) and isinstance(exponent, int) and exponent > 0:
        return Number(tidy(base.value**exponent))
    if isinstance(base, Power) and isinstance(base.exponent, int) and isinstance(exponent, int):
        return power(base.base, base.exponent * exponent)
    if isinstance(base, Product) and isinstance(exponent, int) and exponent > 0:
        return times(tidy(base.coefficient**exponent), *(power(f, exponent) for f in base.factors))
    return Power(base, exponent)


def quotient(top: Expr, bottom: Expr) -> Expr:
    """`top / bottom`, numbers taken out of it."""
    letters, a, factors = parts(top)
    if isinstance(bottom, Number):
        return times(1 / bottom.value, top) if bottom.value not in (0, 1) else top
    if isinstance(bottom, Product) and bottom.coefficient not in (0, 1):
        coefficient = tidy(a / bottom.coefficient)
        return times(coefficient, quotient(total(letters, times(*factors)), times(*bottom.factors)))
    if a == -1 or (a != 1 and factors):
        return times(a, quotient(total(letters, times(*factors)), bottom))
    return Quotient(top, bottom)


def total(letters: Iterable[str], body: Expr) -> Expr:
    """The sum over letters; none, and it is the body."""
    letters = tuple(letters)
    if not letters or body == ZERO:
        return body
    if isinstance(body, Total):
        return Total(letters + body.letters, body.body)
    return Total(letters, body)
