"""Printers of entry expressions: readable text, its ASCII form, and the code that claims are written in.

`UNICODE.print(expr)`, `ASCII.print(expr)` and `CODE.print(expr)` walk one expression; what differs is how an
entry, a delta, a power, a quotient and a sum over letters are written.  LaTeX and MathML have modules of
their own.

>>> from .entries import ONE, Delta, Entry, letter, plus, power, times
>>> i, m, n = letter("i"), letter("m"), letter("n")
>>> slope = plus([ONE, times(-1, power(Entry("f", (i,)), 2))])
>>> entry = times(Delta(i, m), slope, Entry("x", (n,)))
>>> UNICODE.print(entry), ASCII.print(entry)
('δ_im (1 − f_i²) x_n', 'delta_im (1 - f_i^2) x_n')
>>> CODE.print(entry)
'delta[i,m] * (1 - f[i]**2) * x[n]'
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ..axes import Poly, show
from .entries import Call, Delta, Entry, Expr, Index, Number, Plus, Power, Product, Quotient, Total

SUM, PRODUCT, POWER, ATOM = range(4)  # how tightly an expression binds
COMPARE = {
    "greater": ">", "greater_equal": "≥", "less": "<", "less_equal": "≤", "equal": "=", "not_equal": "≠",
}  # fmt: skip


def number_text(value: Any) -> str:
    """A coefficient: `2`, `0.5`, `1/3`, `MN`.

    >>> number_text(0.5), number_text(1 / 3), number_text(2.0), number_text(1.4426950408889634)
    ('0.5', '1/3', '2', '1.4427')
    """
    if isinstance(value, Poly):
        return show(value)
    if isinstance(value, int) or float(value).is_integer():
        return str(int(value)) if abs(value) < 1e15 else f"{value:.5g}"
    short = repr(float(value))
    if len(short) <= 5:
        return short
    ratio = Fraction(float(value)).limit_denominator(1000)
    exact = float(ratio) == float(value)
    return f"{ratio.numerator}/{ratio.denominator}" if exact else f"{value:.5g}"


class Printer(ABC):
    """Walks an expression; brackets go where an expression binds less tightly than its place asks."""

    def print(self, expr: Expr) -> str:
        """The whole expression as text."""
        return self.walk(expr, SUM)

    def walk(self, expr: Expr, place: int) -> str:
        """The expression at a place that binds as `place` does."""
        text, binds = self._walked(expr)
        return text if binds >= place else self.bracket(text)

    def _walked(self, expr: Expr) -> tuple[str, int]:
        match expr:
            case Number(value):
                negative = not isinstance(value, Poly) and value < 0
                return self.number(value), SUM if negative or _several(value) else ATOM
            case Entry(name, index):
                return self.entry(name, index), ATOM
            case Delta(left, right):
                return self.delta(left, right), ATOM
            case Call(function, args):
                return self.call(function, args)
            case Power(base, exponent):
                return self.power(self.walk(base, ATOM), exponent), POWER
            case Quotient(top, bottom):
                return self.quotient(top, bottom)
            case Product(coefficient, factors):
                return self._product(coefficient, factors)
            case Plus(terms):
                return self._plus(terms), SUM
            case Total(letters, body):
                return self._total(letters, body)
        raise TypeError(expr)

    def _product(self, coefficient: Any, factors: Sequence[Expr]) -> tuple[str, int]:
        parts = [self.walk(factor, PRODUCT) for factor in factors]
        if coefficient == 1:
            return self.join(parts), PRODUCT
        if coefficient == -1:
            return self.minus(self.join(parts)), SUM
        negative = not isinstance(coefficient, Poly) and coefficient < 0
        size = self.walk(Number(-coefficient if negative else coefficient), PRODUCT)
        text = self.join([size, *parts])
        return (self.minus(text), SUM) if negative else (text, PRODUCT)

    def _total(self, letters: Sequence[str], body: Expr) -> tuple[str, int]:
        """A sum over letters, its coefficient in front."""
        if not isinstance(body, Product) or body.coefficient == 1:
            return self.sums(letters, self.walk(body, PRODUCT)), PRODUCT
        inner = body.factors[0] if len(body.factors) == 1 else Product(1, body.factors)
        return self._product(body.coefficient, (Total(tuple(letters), inner),))

    def _plus(self, terms: Sequence[Expr]) -> str:
        made: list[tuple[bool, str]] = []
        for term in terms:
            positive = _opposite(term)
            made.append((positive is not None, self.walk(positive or term, PRODUCT)))
        return self.add(made)

    @abstractmethod
    def number(self, value: Any) -> str: ...
    @abstractmethod
    def entry(self, name: str, index: Sequence[Index]) -> str: ...
    @abstractmethod
    def delta(self, left: Index, right: Index) -> str: ...
    @abstractmethod
    def call(self, function: str, args: Sequence[Expr]) -> tuple[str, int]: ...
    @abstractmethod
    def power(self, base: str, exponent: Any) -> str: ...
    @abstractmethod
    def quotient(self, top: Expr, bottom: Expr) -> tuple[str, int]: ...
    @abstractmethod
    def sums(self, letters: Sequence[str], body: str) -> str: ...
    @abstractmethod
    def join(self, parts: Sequence[str]) -> str: ...
    @abstractmethod
    def add(self, parts: Sequence[tuple[bool, str]]) -> str: ...
    @abstractmethod
    def minus(self, text: str) -> str: ...
    @abstractmethod
    def bracket(self, text: str) -> str: ...


def _several(value: Any) -> bool:
    return isinstance(value, Poly) and len(value.monomials) > 1


def _opposite(term: Expr) -> Expr | None:
    """The positive of a negative term, or None where it is not negative."""
    if isinstance(term, Total):
        inner = _opposite(term.body)
        return None if inner is None else Total(term.letters, inner)
    if isinstance(term, Number) and not isinstance(term.value, Poly) and term.value < 0:
        return Number(-term.value)
    if isinstance(term, Product) and not isinstance(term.coefficient, Poly) and term.coefficient < 0:
        if term.coefficient == -1 and len(term.factors) == 1:
            return term.factors[0]
        return Product(-term.coefficient, term.factors)
    return None


def subscript(index: Sequence[Index]) -> str:
    """Indices under a name: `ij`, or `i+1,j` where they are not single letters.

    >>> from .entries import letter
    >>> subscript((letter("i"), letter("j"))), subscript((Index(1, (("i", 1),)), letter("j")))
    ('ij', 'i+1,j')
    """
    texts = [str(one).replace("*", "") for one in index]
    return "".join(texts) if all(len(text) == 1 for text in texts) else ",".join(texts)


@dataclass(frozen=True, slots=True)
class TextPrinter(Printer):
    """Text for a terminal; `raised` writes exponents, the other fields are symbols."""

    dash: str
    small_delta: str
    big_sigma: str
    raised: bool

    def number(self, value: Any) -> str:
        return number_text(value).replace("-", self.dash)

    def entry(self, name: str, index: Sequence[Index]) -> str:
        return name + self._under(index)

    def _under(self, index: Sequence[Index]) -> str:
        text = subscript(index).replace("-", self.dash)
        plain = len(text) == 1 or (len(text) == len(index) and text.isalnum())
        return "" if not index else f"_{text}" if plain else f"_{{{text}}}"

    def delta(self, left: Index, right: Index) -> str:
        return self.small_delta + self._under((left, right))

    def call(self, function: str, args: Sequence[Expr]) -> tuple[str, int]:
        if function == "holds":
            return f"[{self.print(args[0])}]", ATOM
        if function == "logical_not":
            return f"not {self.walk(args[0], ATOM)}", SUM
        if function in COMPARE:
            sign = COMPARE[function] if self.raised else _ascii(COMPARE[function])
            return f"{self.print(args[0])} {sign} {self.print(args[1])}", SUM
        if function == "abs":
            return f"|{self.print(args[0])}|", ATOM
        return f"{function}({', '.join(self.print(arg) for arg in args)})", ATOM

    def power(self, base: str, exponent: Any) -> str:
        text = number_text(exponent)
        if self.raised and all(c in "-0123456789" for c in text):
            return base + text.translate(_RAISED)
        return f"{base}^{text}" if text.isdigit() else f"{base}^({text})"

    def quotient(self, top: Expr, bottom: Expr) -> tuple[str, int]:
        return f"{self.walk(top, PRODUCT)}/{self.walk(bottom, POWER)}", PRODUCT

    def sums(self, letters: Sequence[str], body: str) -> str:
        return " ".join([*(f"{self.big_sigma}_{letter}" for letter in letters), body])

    def join(self, parts: Sequence[str]) -> str:
        return " ".join(parts).replace(") (", ")(")

    def add(self, parts: Sequence[tuple[bool, str]]) -> str:
        return signed(parts, self.dash)

    def minus(self, text: str) -> str:
        return self.dash + text

    def bracket(self, text: str) -> str:
        return f"({text})"


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _ascii(sign: str) -> str:
    return {"≥": ">=", "≤": "<=", "≠": "!="}.get(sign, sign)


def signed(parts: Sequence[tuple[bool, str]], dash: str) -> str:
    """A sum of parts, each negative or not, with its signs."""
    text = ""
    for k, (negative, part) in enumerate(parts):
        if k:
            text += f" {dash} " if negative else " + "
        elif negative:
            text += dash
        text += part
    return text


@dataclass(frozen=True, slots=True)
class CodePrinter(Printer):
    """The form of claims: `delta[i,m] * (1 - f[i]**2) * x[n]`; a letter the wiring lacks is summed."""

    def number(self, value: Any) -> str:
        return repr(value)

    def entry(self, name: str, index: Sequence[Index]) -> str:
        return f"{name}[{','.join(map(str, index))}]" if index else name

    def delta(self, left: Index, right: Index) -> str:
        return f"delta[{left},{right}]"

    def call(self, function: str, args: Sequence[Expr]) -> tuple[str, int]:
        name = "where" if function == "holds" else function
        inside = [self.print(arg) for arg in args] + (["1", "0"] if function == "holds" else [])
        return f"{name}({', '.join(inside)})", ATOM

    def power(self, base: str, exponent: Any) -> str:
        return f"{base}**{exponent!r}" if exponent > 0 else f"{base}**({exponent!r})"

    def quotient(self, top: Expr, bottom: Expr) -> tuple[str, int]:
        return f"{self.walk(top, PRODUCT)} / {self.walk(bottom, ATOM)}", PRODUCT

    def sums(self, letters: Sequence[str], body: str) -> str:
        return body

    def join(self, parts: Sequence[str]) -> str:
        return " * ".join(parts)

    def add(self, parts: Sequence[tuple[bool, str]]) -> str:
        return signed(parts, "-")

    def minus(self, text: str) -> str:
        return "-" + text

    def bracket(self, text: str) -> str:
        return f"({text})"


UNICODE = TextPrinter("−", "δ", "Σ", True)
ASCII = TextPrinter("-", "delta", "sum", False)
CODE = CodePrinter()
