"""Matrix forms in MathML: `matrix(form)` sets `((f − y) ⊙ (1 − f²)) xᵀ`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..axes import Poly
from ..notation.forms import ATOM, HADAMARD, PLUS, POWER, PRODUCT, Form, FormPrinter, number, scaled
from ..notation.printers import COMPARE, number_text
from .markup import text
from .mathematics import CLOSE, OPEN, math, mo, row, size_math


def _call(p: FormPrinter, form: Form) -> tuple[str, int]:
    inside = [p.print(arg) for arg in form.args]
    if form.value in COMPARE:
        return row(p.at(form.args[0], HADAMARD), mo(COMPARE[form.value]), p.at(form.args[1], HADAMARD)), PLUS
    if form.value == "holds":
        return row(mo("["), inside[0], mo("]")), ATOM
    if form.value == "inv":
        return f"<msup>{row(p.at(form.args[0], ATOM))}{row(mo('−'), '<mn>1</mn>')}</msup>", POWER
    return _function(form.value, inside), ATOM


def _function(name: str, inside: Sequence[str]) -> str:
    return row(f"<mi>{text(name)}</mi>", OPEN, mo(",").join(inside), CLOSE)


def _named(name: str) -> Callable[[FormPrinter, Form], tuple[str, int]]:
    return lambda p, form: (_function(name, [p.print(form.args[0])]), ATOM)


def _plus(p: FormPrinter, form: Form) -> tuple[str, int]:
    parts = []
    for k, arg in enumerate(form.args):
        positive = _positive(arg)
        sign = mo("−") if positive is not None else mo("+") if k else ""
        parts.append(sign + p.at(positive or arg, HADAMARD))
    return row(*parts), PLUS


def _positive(form: Form) -> Form | None:
    """The positive of a negative summand; None for one that is not negative."""
    if form.op not in ("scaled", "number") or isinstance(form.value, Poly) or form.value >= 0:
        return None
    return scaled(-1, form) if form.op == "scaled" else number(-form.value)


def _scaled(p: FormPrinter, form: Form) -> tuple[str, int]:
    positive = _positive(form)
    if positive is not None:
        return row(mo("−"), p.at(positive, PRODUCT)), PLUS
    return row(
        p.at(number(form.value), PRODUCT), "<mspace width='0.17em'/>", p.at(form.args[0], PRODUCT)
    ), PRODUCT


def _sign(sign: str, binds: int, inside: int) -> Callable[[FormPrinter, Form], tuple[str, int]]:
    return lambda p, form: (row(sign.join(p.at(arg, inside) for arg in form.args)), binds)


def _transposed(p: FormPrinter, form: Form) -> tuple[str, int]:
    (inner,) = form.args
    if inner.op == "call" and inner.value == "inv":
        return f"<msup>{row(p.at(inner.args[0], ATOM))}{row(mo('−'), TRANSPOSE)}</msup>", POWER
    return f"<msup>{row(p.at(inner, ATOM))}{TRANSPOSE}</msup>", POWER


def _power(p: FormPrinter, form: Form) -> tuple[str, int]:
    exponent = f"<mn>{text(number_text(form.value).replace('-', '−'))}</mn>"
    entrywise = row(mo("⊙"), exponent) if form.kind == "m" else exponent
    return f"<msup>{row(p.at(form.args[0], ATOM))}{entrywise}</msup>", POWER


def _with_sizes(name: str) -> Callable[[FormPrinter, Form], tuple[str, int]]:
    def write(p: FormPrinter, form: Form) -> tuple[str, int]:
        sizes = form.value if isinstance(form.value, tuple) else (form.value,)
        return f"<msub><mi>{name}</mi>{row(mo(',').join(size_math(n) for n in sizes[:2]))}</msub>", ATOM

    return write


def _number(p: FormPrinter, form: Form) -> tuple[str, int]:
    return f"<mn>{text(number_text(form.value).replace('-', '−'))}</mn>", ATOM


TRANSPOSE = '<mi mathvariant="normal">T</mi>'
APART = '<mspace width="0.2em"/>'
FORMS = FormPrinter(
    {
        "value": lambda p, form: (f"<mi>{text(str(form.value))}</mi>", ATOM),
        "number": _number,
        "eye": _with_sizes("I"),
        "ones": lambda p, form: (
            (f"<msub><mn>1</mn>{size_math(form.value)}</msub>", ATOM)
            if form.value is not None
            else ("<mn>1</mn>", ATOM)
        ),
        "K": _with_sizes("K"),
        "tri": _with_sizes("tri"),
        "T": _transposed,
        "times": _sign(APART, PRODUCT, PRODUCT),
        "by": _sign(APART, PRODUCT, PRODUCT),
        "hadamard": _sign(mo("⊙"), HADAMARD, PRODUCT),
        "kron": _sign(mo("⊗"), HADAMARD, PRODUCT),
        "quotient": lambda p, form: (
            f"<mfrac>{row(p.print(form.args[0]))}{row(p.print(form.args[1]))}</mfrac>",
            PRODUCT,
        ),
        "plus": _plus,
        "scaled": _scaled,
        "power": _power,
        "call": _call,
        "diag": _named("diag"),
        "diagonal": _named("diag"),
        "trace": _named("tr"),
        "sum": _named("sum"),
        "vec": lambda p, form: (
            _function("vec" if form.value == "F" else "vecr", [p.print(form.args[0])]),
            ATOM,
        ),
    },
    (f"<mrow>{OPEN}", f"{CLOSE}</mrow>"),
    "−",
)


def matrix(form: Form) -> str:
    """A matrix form: `((f − y) ⊙ (1 − f²)) xᵀ`."""
    return math(FORMS.print(form))
