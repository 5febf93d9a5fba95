"""Matrix forms: expressions of whole scalars, vectors and matrices, and how they are printed.

A `Form` is an operation, its arguments and a kind: `s` a scalar, `c` a column, `r` a row, `m` a matrix.
`TEXT.print(form)` reads `((f − y) ⊙ (1 − f²)) xᵀ`; LaTeX and numpy source have printers of their own.

>>> a, x = value("a", 1), value("x", 1)
>>> TEXT.print(times(hadamard(a, x), transposed(x)))
'(a ⊙ x) xᵀ'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from ..axes import Poly, Size, show
from .entries import tidy
from .printers import COMPARE, number_text

KINDS = "scm"  # by the number of axes


@dataclass(frozen=True, slots=True)
class Form:
    """An operation on whole arrays: its name, arguments, what else it needs, and the kind of its result."""

    op: str
    args: tuple[Form, ...] = ()
    value: Any = None
    kind: str = "s"


def value(name: str, rank: int) -> Form:
    """A named scalar, column or matrix."""
    return Form("value", (), name, KINDS[rank])


def number(x: Any) -> Form:
    """A number."""
    return Form("number", (), tidy(x), "s")


def eye(size: Size) -> Form:
    """The identity matrix."""
    return Form("eye", (), size, "m")


def ones(size: Size) -> Form:
    """The column of ones."""
    return Form("ones", (), size, "c")


def transposed(form: Form) -> Form:
    """The transpose: a column becomes a row."""
    if form.op == "T":
        return form.args[0]
    if form.kind == "s" or form.op in ("eye", "diag"):
        return form
    if form.op == "scaled":
        return scaled(form.value, transposed(form.args[0]))
    if form.op == "times":
        return times(transposed(form.args[1]), transposed(form.args[0]))
    if form.op == "by":
        return times(form.args[0], transposed(form.args[1]))
    if form.op == "plus":
        return plus([transposed(arg) for arg in form.args])
    return Form("T", (form,), None, {"c": "r", "r": "c", "m": "m"}[form.kind])


def times(left: Form, right: Form) -> Form:
    """The matrix product; numbers and identities disappear into it."""
    if left.op == "eye" and right.kind != "s":
        return right
    if right.op == "eye" and left.kind != "s":
        return left
    for a, b, swap in ((left, right, False), (right, left, True)):
        if a.op == "quotient" and a.args[1].kind == "s":
            rest = times(b, a.args[0]) if swap else times(a.args[0], b)
            return quotient(rest, a.args[1])
        if a.op == "number":
            return scaled(a.value, b)
        if a.op == "scaled":
            inner = times(b, a.args[0]) if swap else times(a.args[0], b)
            return scaled(a.value, inner)
    if left.op == "diag" and right.kind == "c":
        return hadamard(left.args[0], right)
    if left.kind == "s" or right.kind == "s":
        return Form(
            "by",
            (left, right) if left.kind == "s" else (right, left),
            None,
            (right if left.kind == "s" else left).kind,
        )
    kind = {"mm": "m", "mc": "c", "rm": "r", "rc": "s", "cr": "m"}[left.kind + right.kind]
    return Form("times", (left, right), None, kind)


def hadamard(*forms: Form) -> Form:
    """The product entry by entry of forms of one shape; `v ⊙ v` is `v²`, `(1 / v) ⊙ v²` is `v`."""
    coefficient: Any = 1
    powers: dict[Form, Any] = {}
    work = [(form, 1) for form in reversed(forms)]
    while work:
        form, sign = work.pop()
        if form.op == "scaled":
            coefficient = coefficient * form.value**sign
            work.append((form.args[0], sign))
        elif form.op == "hadamard":
            work += [(arg, sign) for arg in reversed(form.args)]
        elif form.op == "quotient" and form.args[1].kind == form.kind:
            work += [(form.args[1], -sign), (form.args[0], sign)]
        elif form.op == "number":
            coefficient = coefficient * form.value**sign
        else:
            base, exponent = (form.args[0], form.value) if form.op == "power" else (form, 1)
            powers[base] = powers.get(base, 0) + sign * exponent
    plain = {base: e for base, e in powers.items() if base.op != "ones" and e != 0}
    top = [power(base, e) for base, e in plain.items() if e > 0 or (len(plain) == 1 and len(forms) == 1)]
    bottom = [power(base, -e) for base, e in plain.items() if power(base, e) not in top]
    above = _entrywise(top) or (number(1) if bottom else Form("ones", (), None, "s"))
    if not plain:
        return scaled(coefficient, next(base for base in powers if base.op == "ones"))
    below = _entrywise(bottom)
    return scaled(coefficient, above if below is None else quotient(above, below))


def _entrywise(forms: list[Form]) -> Form | None:
    if len(forms) < 2:
        return forms[0] if forms else None
    if all(form.kind == "s" for form in forms):
        return reduce(times, forms)
    return Form("hadamard", tuple(forms), None, max((form.kind for form in forms), key="scrm".index))


def diag(form: Form) -> Form:
    """The diagonal matrix of a column."""
    if form.op == "scaled":
        return scaled(form.value, diag(form.args[0]))
    return eye(form.value) if form.op == "ones" else Form("diag", (form,), None, "m")


def quotient(top: Form, bottom: Form) -> Form:
    """The quotient entry by entry; by a scalar where `bottom` is one."""
    if bottom.op == "number" and bottom.value:
        return scaled(1 / bottom.value, top)
    if bottom.op == "scaled":
        return scaled(1 / bottom.value, quotient(top, bottom.args[0]))
    if top.op == "scaled":
        return scaled(top.value, quotient(top.args[0], bottom))
    if top.op == "number" and top.value != 1:
        return scaled(top.value, quotient(number(1), bottom))
    if top.op == "quotient":
        inner, below = top.args
        if below.kind == bottom.kind:
            return Form("quotient", (inner, hadamard(below, bottom)), None, top.kind)
    if top.op == "by" and bottom in top.args and bottom.kind == "s":
        return top.args[1] if top.args[0] == bottom else top.args[0]
    if bottom.op == "call" and bottom.value == "det":
        inverse = _over_det(top, bottom.args[0])
        if inverse is not None:
            return inverse
    return Form("quotient", (top, bottom), None, max(top.kind, bottom.kind, key="scrm".index))


def _over_det(top: Form, of: Form) -> Form | None:
    """`cof(X) / det(X)` is the transpose of the inverse, wherever it is anything."""
    if of.op == "value" and top == value(f"cof({of.value})", 2):
        return transposed(call("inv", (of,), "m"))
    if top.op in ("vec", "T"):
        inner = _over_det(top.args[0], of)
        if inner is None:
            return None
        return transposed(inner) if top.op == "T" else Form("vec", (inner,), top.value, "c")
    if top.op in ("by", "times"):
        left, right = (_over_det(arg, of) for arg in top.args)
        if left is not None or right is not None:
            return times(left or top.args[0], top.args[1] if left is not None or right is None else right)
    return None


def positive_first(form: Form) -> Form:
    """A sum with a positive term first, where it has one."""
    if form.op != "plus":
        return form
    key = [arg.op == "scaled" and not isinstance(arg.value, Poly) and arg.value < 0 for arg in form.args]
    ordered = [arg for arg, late in zip(form.args, key, strict=True) if not late]
    ordered += [arg for arg, late in zip(form.args, key, strict=True) if late]
    return Form("plus", tuple(ordered), None, form.kind)


def power(base: Form, exponent: Any) -> Form:
    """The power entry by entry."""
    exponent = tidy(exponent)
    return base if exponent == 1 else Form("power", (base,), exponent, base.kind)


def scaled(coefficient: Any, form: Form) -> Form:
    """A number times a form."""
    coefficient = tidy(coefficient)
    if form.op == "number":
        return number(coefficient * form.value)
    if form.op == "scaled":
        return scaled(coefficient * form.value, form.args[0])
    return form if coefficient == 1 else Form("scaled", (form,), coefficient, form.kind)


def plus(forms: list[Form]) -> Form:
    """The sum; a scalar is added to every entry."""
    kind = max((form.kind for form in forms), key="scrm".index)
    counts: dict[Form, Any] = {}
    for form in forms:
        for one in form.args if form.op == "plus" else (form,):
            size, body = (one.value, one.args[0]) if one.op == "scaled" else (1, one)
            size, body = (one.value, number(1)) if one.op == "number" else (size, body)
            counts[body] = counts.get(body, 0) + size
    flat = [scaled(size, body) for body, size in counts.items() if size != 0] or [scaled(0, forms[0])]
    return flat[0] if len(flat) == 1 else Form("plus", tuple(flat), None, kind)


def call(function: str, args: tuple[Form, ...], kind: str | None = None) -> Form:
    """A function of whole arrays, entry by entry unless its kind says otherwise."""
    found = kind or max((form.kind for form in args), key="scrm".index)
    return Form("call", args, function, found)


def lowered(form: Form) -> Form | None:
    """A form of one entry as a scalar; None where it is more than names and what is done entry by entry."""
    if form.kind == "s":
        return form
    if form.op not in ("value", "quotient", "scaled", "plus", "power", "call"):
        return None
    args = [lowered(arg) for arg in form.args]
    return None if None in args else Form(form.op, tuple(filter(None, args)), form.value, "s")


PLUS, HADAMARD, PRODUCT, POWER, ATOM = range(5)
Printed = tuple[str, int]


@dataclass(frozen=True, slots=True)
class FormPrinter:
    """Prints forms by a table of writers; each gives the text and how tightly it binds."""

    writers: Mapping[str, Callable[[FormPrinter, Form], Printed]]
    brackets: tuple[str, str]
    dash: str

    def print(self, form: Form) -> str:
        """The whole form as text."""
        return self.at(form, PLUS)

    def at(self, form: Form, place: int) -> str:
        """The form at a place that binds as `place` does."""
        text, binds = self.writers[form.op](self, form)
        return text if binds >= place else self.brackets[0] + text + self.brackets[1]

    def joined(self, form: Form, sign: str, place: int, inside: int) -> Printed:
        """The arguments with a sign between them."""
        return sign.join(self.at(arg, inside) for arg in form.args), place


def write_plus(p: FormPrinter, form: Form) -> Printed:
    text = ""
    for k, arg in enumerate(form.args):
        negative = arg.op in ("scaled", "number") and not isinstance(arg.value, Poly) and arg.value < 0
        shown = (scaled(-1, arg) if arg.op == "scaled" else number(-arg.value)) if negative else arg
        sign = (f" {p.dash} " if negative else " + ") if k else (p.dash if negative else "")
        text += sign + p.at(shown, HADAMARD)
    return text, PLUS


def write_quotient(binds: int) -> Callable[[FormPrinter, Form], Printed]:
    return lambda p, form: (f"{p.at(form.args[0], PRODUCT)} / {p.at(form.args[1], POWER)}", binds)


def write_scaled(sign: str) -> Callable[[FormPrinter, Form], Printed]:
    def write(p: FormPrinter, form: Form) -> Printed:
        coefficient, (arg,) = form.value, form.args
        negative = not isinstance(coefficient, Poly) and coefficient < 0
        size = -coefficient if negative else coefficient
        if arg.op == "quotient" and arg.args[0].op == "number" and size != 1:
            text = p.at(number(size), PRODUCT) + " / " + p.at(arg.args[1], POWER)
            return (p.dash + text, PLUS) if negative else (text, HADAMARD)
        place = HADAMARD if arg.op == "quotient" else PRODUCT
        text = p.at(arg, place) if size == 1 else p.at(number(size), PRODUCT) + sign + p.at(arg, PRODUCT)
        return (p.dash + text, PLUS) if negative else (text, PRODUCT)

    return write


def _text_times(p: FormPrinter, form: Form) -> Printed:
    return " ".join(p.at(arg, PRODUCT) for arg in form.args), PRODUCT


def _size(size: Size) -> str:
    return show(size)


def _under(size: Size) -> str:
    text = show(size)
    return f"_{text}" if text.isascii() and text.isalnum() else f"_{{{text}}}"


def _text_number(p: FormPrinter, form: Form) -> Printed:
    return number_text(form.value).replace("-", p.dash), ATOM


_SUPER = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _text_power(p: FormPrinter, form: Form) -> Printed:
    base, exponent = p.at(form.args[0], ATOM), number_text(form.value)
    if form.kind == "m":
        exponent = "⊙" + exponent
        return f"{base}^({exponent})", POWER
    return (
        base + exponent.translate(_SUPER) if set(exponent) <= set("-0123456789") else f"{base}^{exponent}"
    ), POWER


def _text_call(p: FormPrinter, form: Form) -> Printed:
    if form.value in COMPARE:
        return f" {COMPARE[form.value]} ".join(p.at(arg, HADAMARD) for arg in form.args), PLUS
    if form.value == "holds":
        return f"[{p.print(form.args[0])}]", ATOM
    if form.value == "inv":
        return f"{p.at(form.args[0], ATOM)}⁻¹", POWER
    return f"{form.value}({', '.join(p.print(arg) for arg in form.args)})", ATOM


def write_function(name: str) -> Callable[[FormPrinter, Form], Printed]:
    return lambda p, form: (f"{name}({p.print(form.args[0])})", ATOM)


def _text_transposed(p: FormPrinter, form: Form) -> Printed:
    inner = form.args[0]
    if inner.op == "call" and inner.value == "inv":
        return f"{p.at(inner.args[0], ATOM)}⁻ᵀ", POWER
    return f"{p.at(inner, ATOM)}ᵀ", POWER


TEXT = FormPrinter(
    {
        "value": lambda p, form: (str(form.value), ATOM),
        "number": _text_number,
        "eye": lambda p, form: (f"I{_under(form.value)}", ATOM),
        "ones": lambda p, form: (f"1{_under(form.value)}", ATOM),
        "K": lambda p, form: (f"K_{{{','.join(map(_size, form.value))}}}", ATOM),
        "tri": lambda p, form: (f"tri({', '.join(map(_size, form.value[:2]))})", ATOM),
        "T": _text_transposed,
        "times": _text_times,
        "by": _text_times,
        "hadamard": lambda p, form: p.joined(form, " ⊙ ", HADAMARD, PRODUCT),
        "kron": lambda p, form: p.joined(form, " ⊗ ", HADAMARD, PRODUCT),
        "quotient": write_quotient(HADAMARD),
        "plus": write_plus,
        "scaled": write_scaled(" "),
        "power": _text_power,
        "call": _text_call,
        "diag": write_function("diag"),
        "diagonal": write_function("diag"),
        "trace": write_function("tr"),
        "sum": write_function("sum"),
        "vec": lambda p, form: (f"{'vec' if form.value == 'F' else 'vecr'}({p.print(form.args[0])})", ATOM),
    },
    ("(", ")"),
    "−",
)


_LOWER = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def ascii_form(form: Form) -> str:
    """The form without letters that plain terminals lack: `((f - y) .* (1 - f^2)) x'`.

    >>> ascii_form(times(value("a", 1), transposed(value("x", 1))))
    "a x'"
    """
    text = TEXT.print(form)
    for letter, plain in (
        ("⁻ᵀ", "^-T"), ("⁻¹", "^-1"), ("ᵀ", "'"), ("(⊙", "(."), ("⊙", ".*"), ("⊗", "kron"), ("−", "-"),
        ("≥", ">="), ("≤", "<="), ("≠", "!="),
    ):  # fmt: skip
        text = text.replace(letter, plain)
    return re.sub("[⁻⁰¹²³⁴-⁹]+", lambda raised: "^" + raised.group().translate(_LOWER), text)
