"""MathML in which every index letter shows its role: target axis, input axis, or summed over.

`chain(view)` is the chain rule with a drawn brace, shapes and letters under each factor; `chain_sum(view)`
the same as a sum over letters; `entry(view)` what it gives; `title(link)` the object and the space it lives
in.  Each is a row of small `<math>` elements with blanks between, so that lines wrap where a page is narrow.
The roles are classes (`t`, `n`, `s`): without a style sheet nothing is lost but the colour.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..axes import Poly, Shape, Size, show
from ..notation.entries import Expr, Index, Plus
from ..notation.mathml import MathmlPrinter, fraction
from ..notation.naming import Names
from ..notation.reader import Places, read_terms
from ..notation.records import ChainView, Link, names, places
from .markup import tag, text

SLASH = '<mo form="infix" lspace="0.1em" rspace="0.1em">/</mo>'
TARGET, INPUT, SUMMED = "t", "n", "s"
OPEN, CLOSE = '<mo stretchy="false">(</mo>', '<mo stretchy="false">)</mo>'


def row(*parts: str) -> str:
    """An `<mrow>`."""
    return tag("mrow", "".join(parts))


def mo(sign: str) -> str:
    """An operator between two things, also where it stands first or last in its `<math>` element."""
    form = ' form="infix"' if sign in "=+·∈" else ' stretchy="false"' if sign in "[]" else ""
    return f"<mo{form}>{text(sign)}</mo>"


def math(body: str, label: str | None = None) -> str:
    """One `<math>` element, set as in a displayed formula."""
    return tag("math", body, displaystyle="true", aria_label=label)


# ---- roles of letters


@dataclass(frozen=True, slots=True)
class RolePrinter(MathmlPrinter):
    """Entries in MathML, every index letter a `<mi>` of its own with the class of its role."""

    roles: Mapping[str, str] = field(default_factory=dict)

    def letter(self, name: str) -> str:
        """One letter (or index expression) in its role."""
        found = self.roles.get(name)
        return tag("mi", text(name), class_=found)

    def index(self, indices: Sequence[Index]) -> str:
        """Letters under a name, with commas where one is an expression."""
        texts = [str(one).replace("*", "").replace("-", "−") for one in indices]
        plain = all(len(one) == 1 for one in texts)
        return row(("" if plain else "<mo>,</mo>").join(self._one(one) for one in texts))

    def _one(self, one: str) -> str:
        parts = re.findall(r"[^\W\d_]\w*|\d+|\W", one)
        return "".join(
            self.letter(part) if part[0].isalpha() else f"<mn>{part}</mn>" if part.isdigit() else mo(part)
            for part in parts
        )

    def entry(self, name: str, index: Sequence[Index]) -> str:
        return f"<msub><mi>{text(name)}</mi>{self.index(index)}</msub>" if index else f"<mi>{text(name)}</mi>"

    def delta(self, left: Index, right: Index) -> str:
        return f"<msub><mi>δ</mi>{self.index((left, right))}</msub>"

    def sums(self, letters: Sequence[str], body: str) -> str:
        return row(*map(self.sum, letters), body)

    def bracket(self, text: str) -> str:
        tall = "<mfrac" in text or "<munder" in text
        return row("<mo>(</mo>", text, "<mo>)</mo>") if tall else row(OPEN, text, CLOSE)

    def sum(self, letter: str) -> str:
        """One sum sign."""
        return f"<munder><mo>∑</mo>{self.letter(letter)}</munder>"


def printer_of(view: ChainView, known: Names | None = None) -> RolePrinter:
    """The printer that knows the roles of a view's letters."""
    pairs, whole = places(view, known or names(view))
    roles = {letter: SUMMED for pair in pairs for letter in (*pair[0], *pair[1])}
    roles |= dict.fromkeys(whole[0], TARGET)
    roles |= dict.fromkeys(whole[1], INPUT)
    return RolePrinter(roles)


# ---- shapes


def size_math(size: Size) -> str:
    """A size: a number, a letter, or a product such as `M²N`."""
    name = show(size)
    if isinstance(size, int):
        return f"<mn>{name}</mn>"
    return (
        f"<mi>{text(name)}</mi>"
        if isinstance(size, Poly) and len(size.monomials) == 1
        else row(f"<mi>{text(name)}</mi>")
    )


def factor_math(size: Size) -> str:
    """A size among others: a sum in brackets."""
    made = size_math(size)
    return row(OPEN, made, CLOSE) if isinstance(size, Poly) and len(size.monomials) > 1 else made


def _side(shape: Shape, role: str, several: bool) -> str:
    made = "<mo>×</mo>".join(factor_math(size) for size in shape) or "<mn>1</mn>"
    return tag("mrow", f"{OPEN}{made}{CLOSE}" if several and len(shape) > 1 else made, class_=role)


def shape_math(
    target: Shape, given: Shape, roles: tuple[str, str] = (TARGET, INPUT), ones: bool = True
) -> str:
    """`M × (M × N)` with the two groups in their roles; a scalar counts as 1 where `ones`."""
    if ones or (target and given):
        return row(_side(target, roles[0], True), "<mo>×</mo>", _side(given, roles[1], True))
    return _side(target, roles[0], False) if target else _side(given, roles[1], False)


def title(link: Link, view: ChainView) -> str:
    """`∂z/∂A ∈ ℝ^{M×(M×N)}`, and with numbers where they are known."""
    spaces = [(link.target_shape, link.input_shape), (view.at(link.target_shape), view.at(link.input_shape))]
    signs = [
        f"{mo('∈' if k == 0 else '=')}<msup><mi>ℝ</mi>{shape_math(*shapes, ones=False)}</msup>"
        for k, shapes in enumerate(spaces)
        if (k == 0 or shapes != spaces[0]) and (shapes[0] or shapes[1])
    ]
    first, *rest = signs or [f"{mo('∈')}<mi>ℝ</mi>"]
    return " ".join([math(flat_fraction(link) + first), *map(math, rest)])


def flat_fraction(link: Link) -> str:
    """`∂z/∂A` on one line."""
    return row(_flat(link.top[1:], link.bottom[1:]))


def _flat(target: str, given: str) -> str:
    return _raised(f"∂{target}") + SLASH + _raised(f"∂{given}")


def _raised(name: str) -> str:
    """`∂²f` or `∂x∂A` as identifiers, orders as their exponents."""
    made: list[str] = []
    for part in re.findall("∂|[⁰¹²³⁴-⁹]+|[^∂⁰¹²³⁴-⁹]+", name):
        if part[0] in _ORDERS and made:
            made[-1] = f"<msup>{made[-1]}<mn>{''.join(str(_ORDERS.index(c)) for c in part)}</mn></msup>"
        else:
            made.append(f"<mi>{text(part)}</mi>")
    return "".join(made)


_ORDERS = "⁰¹²³⁴⁵⁶⁷⁸⁹"


def derivative(target: str, given: str) -> str:
    """`∂z/∂A` as an element of its own, for tables."""
    return math(_flat(target, given))


# ---- the chain


def brace(ems: float) -> str:
    """A horizontal brace that no font has to stretch, `ems` wide."""
    wide = max(30.0, ems * 10)
    middle = wide / 2
    left = f"M1 1Q1 6 7 6H{middle - 6:g}Q{middle:g} 6 {middle:g} 11"
    right = f"Q{middle:g} 6 {middle + 6:g} 6H{wide - 7:g}Q{wide - 1:g} 6 {wide - 1:g} 1"
    line = 'fill="none" stroke="currentColor" stroke-width="1.1" stroke-linecap="round"'
    size = f'viewBox="0 0 {wide:g} 12" width="{ems:g}em" height="{12 * ems / wide:g}em"'
    return f'<mtext><svg {size} aria-hidden="true"><path d="{left}{right}" {line}/></svg></mtext>'


def braced(view: ChainView, link: Link, pair: Places, printer: RolePrinter, roles: tuple[str, str]) -> str:
    """A fraction over a brace over its shape, the shape in numbers, and its letters."""
    shapes = [(link.target_shape, link.input_shape), (view.at(link.target_shape), view.at(link.input_shape))]
    lines = [shape_math(*shapes[0], roles=roles)]
    lines += [shape_math(*shapes[1], roles=roles)] if shapes[1] != shapes[0] else []
    letters = [printer.letter(one) for one in (*pair[0], *pair[1])]
    lines += [row(*letters)] if letters else []
    tight = 'style="padding:.12em 0"'
    rows = "".join(f"<mtr><mtd {tight}>{line}</mtd></mtr>" for line in [brace(_ems(link, shapes)), *lines])
    return f"<munder>{row(fraction(link))}<mtable>{rows}</mtable></munder>"


def _ems(link: Link, shapes: Sequence[tuple[Shape, Shape]]) -> float:
    """How wide the widest line under a brace is, nearly."""
    longest = max(
        sum(len(show(size)) + 1.2 for size in (*target, *given))
        + 0.9 * (len(target) > 1)
        + 0.9 * (len(given) > 1)
        for target, given in shapes
    )
    name = max(len(link.target_name), len(link.input_name)) + 1
    return max(2.6, 0.72 * longest, 0.85 * name)


def chain(view: ChainView) -> str:
    """The chain rule: the whole, then its factors, each over a brace."""
    known = names(view)
    pairs, whole = places(view, known)
    printer = printer_of(view, known)
    if len(view.links) == 1:
        return math(braced(view, view.links[0], pairs[0], printer, (TARGET, INPUT)))
    parts = [] if view.part else [math(braced(view, view.whole, whole, printer, (TARGET, INPUT)))]
    last = len(view.links) - 1
    for k, (link, pair) in enumerate(zip(view.links, pairs, strict=True)):
        roles = (TARGET if k == 0 else SUMMED, INPUT if k == last else SUMMED)
        sign = mo("·") if k else "" if view.part else mo("=")
        parts.append(math(sign + braced(view, link, pair, printer, roles)))
    return " ".join(parts)


def under(link: Link, pair: Places, printer: RolePrinter) -> str:
    """`(∂z/∂A)_jmn`."""
    letters = (*pair[0], *pair[1])
    if not letters:
        return flat_fraction(link)
    return f"<msub>{row(OPEN, flat_fraction(link), CLOSE)}{row(*map(printer.letter, letters))}</msub>"


def chain_sum(view: ChainView) -> str:
    """`(∂L/∂A)_mn = Σ_i (∂L/∂f)_i (∂f/∂A)_imn`: the chain rule in letters, nothing put in."""
    known = names(view)
    pairs, whole = places(view, known)
    printer = printer_of(view, known)
    middle = [letter for pair in pairs[:-1] for letter in pair[1]]
    factors = [under(link, pair, printer) for link, pair in zip(view.links, pairs, strict=True)]
    first = [] if view.part else [math(under(view.whole, whole, printer) + mo("="))]
    return " ".join([*first, math("".join(map(printer.sum, middle)) + factors[0]), *map(math, factors[1:])])


def put_in(view: ChainView, k: int) -> str:
    """What the k-th factor is, entry by entry."""
    known = names(view)
    pairs, _ = places(view, known)
    return equation(view.links[k], pairs[k], known, printer_of(view, known))


def entry(view: ChainView) -> str:
    """The entry of the whole: `(∂L/∂A)_mn = (f_m − y_m)(1 − f_m²) x_n`; the right-hand side for one path."""
    if view.part:
        return entry_alone(view)
    known = names(view)
    return equation(view.whole, places(view, known)[1], known, printer_of(view, known))


def entry_alone(view: ChainView) -> str:
    """The right-hand side of `entry`."""
    known = names(view)
    return " ".join(
        pieces(read_terms(view.whole.terms, places(view, known)[1], known), printer_of(view, known))
    )


def equation(link: Link, pair: Places, known: Names, printer: RolePrinter) -> str:
    """One Jacobian's entry at its letters, a `<math>` element for each term of a sum."""
    return " ".join(
        [math(under(link, pair, printer) + mo("=")), *pieces(read_terms(link.terms, pair, known), printer)]
    )


def pieces(expr: Expr, printer: RolePrinter) -> list[str]:
    """An expression in pieces between which a line may break."""
    if not isinstance(expr, Plus):
        return [math(printer.print(expr))]
    printed = [printer.print(Plus((term, *rest))) for term, *rest in ([one] for one in expr.terms)]
    return [math(one if k == 0 else _signed(one)) for k, one in enumerate(printed)]


def _signed(one: str) -> str:
    """A later term of a sum, with its sign as one between two things."""
    minus = "<mrow><mo>−</mo>"
    return (
        f'<mrow><mo form="infix">−</mo>{one.removeprefix(minus)}' if one.startswith(minus) else mo("+") + one
    )


def letters_text(view: ChainView) -> tuple[str, str, str]:
    """The letters of the target axes, of the input axes, and of those summed over."""
    known: Any = names(view)
    pairs, whole = places(view, known)
    middle = [letter for pair in pairs[:-1] for letter in pair[1]]
    return "".join(whole[0]), "".join(whole[1]), "".join(middle)
