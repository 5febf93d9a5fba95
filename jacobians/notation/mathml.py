"""MathML of index forms and chains, for pages without a script.

`chain_mathml(view)` is the chain rule with a brace, the shapes and the letters under every factor;
`index_mathml(view)` the entry that it gives.  Both are one `<math>` element of presentation MathML.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from .entries import Expr, Index
from .index import index_form
from .printers import ATOM, COMPARE, PRODUCT, SUM, Printer, number_text, subscript
from .records import ChainView, Link, names, places
from .text import brace_shape


@dataclass(frozen=True, slots=True)
class MathmlPrinter(Printer):
    """Presentation MathML, one element for each piece."""

    def number(self, value: Any) -> str:
        return f"<mn>{escape(number_text(value).replace('-', '−'))}</mn>"

    def entry(self, name: str, index: Sequence[Index]) -> str:
        text = f"<mi>{escape(name)}</mi>"
        return f"<msub>{text}{_indices(index)}</msub>" if index else text

    def delta(self, left: Index, right: Index) -> str:
        return f"<msub><mi>δ</mi>{_indices((left, right))}</msub>"

    def call(self, function: str, args: Sequence[Expr]) -> tuple[str, int]:
        inside = [self.print(arg) for arg in args]
        if function == "holds":
            return _row("<mo>[</mo>", inside[0], "<mo>]</mo>"), ATOM
        if function == "abs":
            return _row("<mo>|</mo>", inside[0], "<mo>|</mo>"), ATOM
        if function == "logical_not":
            return _row("<mo>¬</mo>", self.walk(args[0], ATOM)), SUM
        if function in COMPARE:
            return _row(inside[0], f"<mo>{escape(COMPARE[function])}</mo>", inside[1]), SUM
        body = "<mo>,</mo>".join(inside)
        return _row(f"<mi>{escape(function)}</mi>", f"<mo>(</mo>{body}<mo>)</mo>"), ATOM

    def power(self, base: str, exponent: Any) -> str:
        return f"<msup>{base}<mn>{escape(number_text(exponent).replace('-', '−'))}</mn></msup>"

    def quotient(self, top: Expr, bottom: Expr) -> tuple[str, int]:
        return f"<mfrac>{_row(self.print(top))}{_row(self.print(bottom))}</mfrac>", PRODUCT

    def sums(self, letters: Sequence[str], body: str) -> str:
        return _row(*(f"<munder><mo>∑</mo><mi>{escape(k)}</mi></munder>" for k in letters), body)

    def join(self, parts: Sequence[str]) -> str:
        return _row(*parts)

    def add(self, parts: Sequence[tuple[bool, str]]) -> str:
        made = []
        for k, (negative, part) in enumerate(parts):
            made.append(f"<mo>{'−' if negative else '+'}</mo>" if k or negative else "")
            made.append(part)
        return _row(*made)

    def minus(self, text: str) -> str:
        return _row("<mo>−</mo>", text)

    def bracket(self, text: str) -> str:
        return _row("<mo>(</mo>", text, "<mo>)</mo>")


def _row(*parts: str) -> str:
    return f"<mrow>{''.join(parts)}</mrow>"


def _indices(index: Sequence[Index]) -> str:
    return f"<mi>{escape(subscript(index))}</mi>"


MATHML = MathmlPrinter()

# Drawn, because without a maths font the stretchy brace of MathML stays as narrow as a letter.
BRACE = "border:1px solid;border-top:0;border-radius:0 0 .6em .6em;height:.35em;padding:0"
TIGHT = "margin-top:.2em"


def _math(body: str) -> str:
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">{_row(body)}</math>'


def _change(name: str, order: int = 1, times: int = 1) -> str:
    """`∂x`; with an order `∂²x`, with `times` `∂x²`."""

    def put(text: str, exponent: int) -> str:
        return text if exponent == 1 else f"<msup>{text}<mn>{exponent}</mn></msup>"

    return f"<mrow>{put('<mo>∂</mo>', order)}{put(f'<mi>{escape(name)}</mi>', times)}</mrow>"


def fraction(link: Link) -> str:
    """`∂z/∂A` as a fraction."""
    order, name = link.above
    under = [_change(given, times=times) for given, times in link.below]
    return f"<mfrac>{_change(name, order)}{under[0] if len(under) == 1 else _row(*under)}</mfrac>"


def _braced(view: ChainView, link: Link, pair: tuple[Sequence[str], Sequence[str]]) -> str:
    symbolic = brace_shape(link.target_shape, link.input_shape)
    numeric = brace_shape(view.at(link.target_shape), view.at(link.input_shape))
    lines = [symbolic] + ([numeric] if numeric != symbolic else []) + ["".join((*pair[0], *pair[1]))]
    cells = [f"<mtd><mtext>{escape(line)}</mtext></mtd>" for line in lines if line]
    rows = "".join(f"<mtr>{cell}</mtr>" for cell in (f'<mtd style="{BRACE}"></mtd>', *cells))
    return f'<munder>{fraction(link)}<mtable style="{TIGHT}">{rows}</mtable></munder>'


def chain_mathml(view: ChainView) -> str:
    """The chain rule: fractions with a brace, shapes and index letters under each."""
    pairs, whole = places(view, names(view))
    factors = [_braced(view, link, pair) for link, pair in zip(view.links, pairs, strict=True)]
    if len(factors) == 1 or view.part:
        return _math("<mo>·</mo>".join(factors))
    return _math(f"{_braced(view, view.whole, whole)}<mo>=</mo>{'<mo>·</mo>'.join(factors)}")


def index_mathml(view: ChainView) -> str:
    """The entry of the whole Jacobian in index notation."""
    known = names(view)
    _, whole = places(view, known)
    letters = "".join((*whole[0], *whole[1]))
    left = f"<mrow><mo>(</mo>{fraction(view.whole)}<mo>)</mo></mrow>"
    left = f"<msub>{left}<mi>{escape(letters)}</mi></msub>" if letters else fraction(view.whole)
    return _math(f"{left}<mo>=</mo>{index_form(view.whole.terms, whole, known, MATHML)}")
