"""One entry of a tensor as an expression: sums, products, powers, deltas and entries `x[i]`.

The records (`Number`, `Entry`, `Delta`, `Call`, `Power`, `Quotient`, `Product`, `Plus`, `Total`) are what
the printers of index notation read; `times`, `plus`, `power`, `quotient` and `total` build them and tidy up
as they go: numbers are multiplied out, `f f` becomes `f²`, a sum inside a product moves to its front.

>>> f = Entry("f", (letter("i"),))
>>> times(2, times(0.5, f), f) == power(f, 2)
True
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any, TypeAlias

from ..axes import Poly, Size
from ..wiring import Slot, Table
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

    >>> from ..wiring import Affine
    >>> str(index_of(Affine(1, ((0, 2), (1, 1))), {0: letter("i"), 1: letter("j")}))
    '2*i+j+1'
    """
    if isinstance(slot, int):
        return along[slot]
    if isinstance(slot, Table):
        name = (tables or {}).get(slot.node.serial) or slot.node.name or "T"
        inside = ",".join(str(along[label]) for label in slot.labels)
        return Index(text=f"{name}[{inside}]" if inside else name)
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
    if isinstance(value, (Poly, int)):
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
    """The product, flat: numbers multiplied, equal factors a power, one quotient, sums in front."""
    letters: list[str] = []
    coefficient: Any = 1
    top: Powers = {}
    bottom: Powers = {}
    work = list(reversed(exprs))
    while work:
        expr = work.pop()
        summed, number, factors = parts(expr) if not isinstance(expr, (int, float)) else ((), expr, ())
        letters += summed
        coefficient = coefficient * number
        for factor in factors:
            if isinstance(factor, Quotient):
                work.append(factor.top)
                _count(bottom, factor.bottom)
            else:
                _count(top, factor)
    return total(letters, _made(tidy(coefficient), top, bottom))


Powers: TypeAlias = dict[Any, tuple[Expr, Any]]  # by signature: a base and its exponent


def _count(powers: Powers, expr: Expr) -> None:
    _, number, factors = parts(expr)
    for factor in factors if number == 1 and not isinstance(expr, Total) else (expr,):
        base, exponent = (factor.base, factor.exponent) if isinstance(factor, Power) else (factor, 1)
        key = signature(base)
        known, before = powers.get(key, (base, 0))
        powers[key] = known, before + exponent


def _made(coefficient: Any, top: Powers, bottom: Powers) -> Expr:
    """`coefficient * deltas * top / bottom`, powers of one base on both sides of the bar cancelled."""
    _cofactors(top, bottom)
    both = {key: (base, e - bottom.get(key, (base, 0))[1]) for key, (base, e) in top.items()}
    down = [pair for key, pair in bottom.items() if key not in top]
    down += [(base, -e) for key, (base, e) in both.items() if key in bottom and e < 0]
    made = [power(base, e) for key, (base, e) in both.items() if e > 0 or key not in bottom]
    if coefficient == 0:
        return ZERO
    deltas = sorted((f for f in made if isinstance(f, Delta)), key=lambda d: (str(d.left), str(d.right)))
    made = [f for f in made if not isinstance(f, Delta) and f != ONE]
    if not down:
        return _product(coefficient, (*deltas, *made))
    below = _product(1, tuple(power(base, e) for base, e in down))
    if not made and coefficient in (1, -1) and deltas:
        return _product(coefficient, (Quotient(_product(1, tuple(deltas)), below),))
    sign = -1 if not isinstance(coefficient, Poly) and coefficient < 0 else 1
    return _product(sign, (*deltas, Quotient(_product(sign * coefficient, tuple(made)), below)))


def _cofactors(top: Powers, bottom: Powers) -> None:
    """`cof(X)_mn / det(X)` is `inv(X)_nm`, wherever it is anything."""
    for below, (base, exponent) in list(bottom.items()):
        if not isinstance(base, Entry) or not base.name.startswith("det("):
            continue
        for key, (factor, power) in list(top.items()):
            if isinstance(factor, Entry) and factor.name == "cof" + base.name[3:] and power == exponent == 1:
                del bottom[below], top[key]
                _count(top, Entry("inv" + base.name[3:], factor.index[::-1]))
                break


def _product(coefficient: Any, factors: tuple[Expr, ...]) -> Expr:
    if not factors:
        return Number(coefficient)
    return factors[0] if coefficient == 1 and len(factors) == 1 else Product(coefficient, factors)


def plus(exprs: Iterable[Expr]) -> Expr:
    """The sum, flat: numbers added, terms counted that are equal but for the letters they are summed over."""
    counts: dict[Any, Any] = {}
    bodies: dict[Any, Expr] = {}
    for expr in exprs:
        for one in expr.terms if isinstance(expr, Plus) else (expr,):
            coefficient, body = (one.value, ONE) if isinstance(one, Number) else _split(one)
            key = signature(body)
            bodies.setdefault(key, body)
            counts[key] = counts.get(key, 0) + coefficient
    made = [times(tidy(counts[key]), body) for key, body in bodies.items()]
    kept = [one for one in made if one != ZERO]
    return Plus(tuple(kept)) if len(kept) > 1 else kept[0] if kept else ZERO


def signature(expr: Expr) -> Any:
    """What two expressions share that differ only in the letters summed over and the order of factors."""
    inner = list(_bound(expr))
    if not inner:
        return expr
    letters, coefficient, factors = parts(expr)
    rest = [name for name in inner if name not in letters]
    orders = permutations(letters) if len(letters) <= 3 else (letters,)
    shown = [repr(factor) for factor in factors]
    return min(
        (str(coefficient), tuple(sorted(_renamed(text, (*order, *rest)) for text in shown)))
        for order in orders
    )


def _bound(expr: Expr) -> Iterator[str]:
    """The letters summed over anywhere inside, in order."""
    match expr:
        case Total(letters, body):
            yield from letters
            yield from _bound(body)
        case Call(args=inside) | Product(factors=inside) | Plus(terms=inside):
            for one in inside:
                yield from _bound(one)
        case Power(base=base):
            yield from _bound(base)
        case Quotient(top, bottom):
            yield from _bound(top)
            yield from _bound(bottom)


def _renamed(text: str, letters: Sequence[str]) -> str:
    for k, name in enumerate(letters):
        text = text.replace(f"('{name}'", f"('#{k}'").replace(f", '{name}'", f", '#{k}'")
    return text


def positive_first(expr: Expr) -> Expr:
    """A sum with a positive term first, where it has one."""
    if not isinstance(expr, Plus):
        return expr
    return Plus(tuple(sorted(expr.terms, key=lambda one: is_negative(one) and not isinstance(one, Number))))


def is_negative(expr: Expr) -> bool:
    """Whether an expression is printed with a minus sign."""
    _, coefficient, _ = parts(expr)
    return not isinstance(coefficient, Poly) and coefficient < 0


def _split(expr: Expr) -> tuple[Any, Expr]:
    letters, coefficient, factors = parts(expr)
    return coefficient, total(letters, _product(1, factors))


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
    """`top / bottom`; halves and their like become coefficients."""
    if isinstance(bottom, Number):
        inverse = 1 / bottom.value if bottom.value else 0
        if inverse and len(repr(tidy(inverse))) <= 5:
            return times(tidy(inverse), top)
        return Quotient(top, bottom)
    letters, coefficient, factors = parts(bottom)
    if coefficient not in (0, 1) and factors:
        bottom, scale = total(letters, _product(1, factors)), tidy(1 / coefficient)
        return times(scale, Quotient(ONE, bottom), top)
    return times(Quotient(ONE, bottom), top) if top != ONE else Quotient(ONE, bottom)


def total(letters: Iterable[str], body: Expr) -> Expr:
    """The sum over letters; none, and it is the body."""
    letters = tuple(letters)
    if not letters or body == ZERO:
        return body
    if isinstance(body, Total):
        return Total(letters + body.letters, body.body)
    return Total(letters, body)


def rebuilt(expr: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """The expression with each of its direct parts changed, not tidied up again."""
    match expr:
        case Call(function, args):
            return Call(function, tuple(change(arg) for arg in args))
        case Power(base, exponent):
            return Power(change(base), exponent)
        case Quotient(top, bottom):
            return Quotient(change(top), change(bottom))
        case Product(coefficient, factors):
            return Product(coefficient, tuple(change(factor) for factor in factors))
        case Plus(terms):
            return Plus(tuple(change(term) for term in terms))
        case Total(letters, body):
            return Total(letters, change(body))
    return expr
