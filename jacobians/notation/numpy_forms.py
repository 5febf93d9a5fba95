"""Matrix forms as numpy source, vectors being one-dimensional.

>>> from .forms import hadamard, times, transposed, value
>>> f, x = value("f", 1), value("x", 1)
>>> NUMPY.print(times(hadamard(f, x), transposed(x)))
'np.outer(f * x, x)'
"""

from __future__ import annotations

from typing import Any

from ..operation import OPERATIONS
from .forms import (
    ATOM,
    HADAMARD,
    PLUS,
    POWER,
    PRODUCT,
    Form,
    FormPrinter,
    Printed,
    write_function,
    write_plus,
    write_quotient,
    write_scaled,
)


def numpy_function(name: str) -> str:
    """A function as numpy calls it: `np.tanh`, `np.linalg.inv`; its own name where numpy lacks it."""
    known = OPERATIONS.get(name)
    serves = [served for served in (known.serves if known else ()) if not served.startswith("special")]
    best = name if name in serves else serves[0] if serves else ""
    return f"np.{best}" if best else name


def _code_value(p: FormPrinter, form: Form) -> Printed:
    """A value's name; numpy lacks cofactors, so that these are written for a regular matrix."""
    text = str(form.value)
    if text.startswith("cof(") and text[4:-1].isidentifier():
        return f"np.linalg.det({text[4:-1]}) * np.linalg.inv({text[4:-1]}).T", PRODUCT
    return text, ATOM


def _code_times(p: FormPrinter, form: Form) -> Printed:
    left, right = form.args
    if left.kind == "c":
        return f"np.outer({p.print(left)}, {p.print(right)})", ATOM
    if left.op == "diag":
        return f"{p.at(left.args[0], ATOM)}[:, None] * {p.at(right, POWER)}", PRODUCT
    if right.op == "diag":
        return f"{p.at(left, POWER)} * {p.at(right.args[0], POWER)}", PRODUCT
    flat = left.op == "times" and "diag" not in (left.args[0].op, left.args[1].op)
    return f"{p.at(left, PRODUCT if flat else ATOM)} @ {p.at(right, ATOM)}", PRODUCT


CODE_COMPARE = {
    "greater": ">", "greater_equal": ">=", "less": "<", "less_equal": "<=", "equal": "==", "not_equal": "!=",
}  # fmt: skip


def _code_call(p: FormPrinter, form: Form) -> Printed:
    if form.value in CODE_COMPARE:
        return f" {CODE_COMPARE[form.value]} ".join(p.at(arg, HADAMARD) for arg in form.args), PLUS
    if form.value == "astype":
        return f"{p.at(form.args[0], ATOM)}.astype(int)", ATOM
    args = [p.print(arg) for arg in form.args]
    if form.value == "holds":
        return f"np.where({args[0]}, 1, 0)", ATOM
    return f"{numpy_function(form.value)}({', '.join(args)})", ATOM


def _code_kron(p: FormPrinter, form: Form) -> Printed:
    show = two_dimensional if form.kind == "m" else FormPrinter.print
    return f"np.kron({', '.join(show(p, arg) for arg in form.args)})", ATOM


def two_dimensional(p: FormPrinter, form: Form) -> str:
    """A row or column as numpy source with two axes."""
    if form.kind in "rc":
        return p.at(form, ATOM) + ("[None, :]" if form.kind == "r" else "[:, None]")
    return p.print(form)


def _code_transposed(p: FormPrinter, form: Form) -> Printed:
    (arg,) = form.args
    return (f"{p.at(arg, ATOM)}.T", ATOM) if arg.kind == "m" else p.writers[arg.op](p, arg)


def _code_commutation(p: FormPrinter, form: Form) -> Printed:
    m, n = (repr(size).replace(" ", "") for size in form.value)
    return f"np.eye({m}*{n}).reshape({n}, {m}, {m}*{n}).swapaxes(0, 1).reshape({m}*{n}, {m}*{n})", ATOM


NUMPY = FormPrinter(
    {
        "value": _code_value,
        "number": lambda p, form: (repr(form.value), ATOM),
        "eye": lambda p, form: (f"np.eye({form.value})", ATOM),
        "ones": lambda p, form: (f"np.ones({form.value})", ATOM),
        "K": _code_commutation,
        "tri": lambda p, form: (f"np.tri({', '.join(map(repr, form.value))})", ATOM),
        "T": _code_transposed,
        "times": _code_times,
        "by": lambda p, form: p.joined(form, " * ", PRODUCT, ATOM),
        "hadamard": lambda p, form: p.joined(form, " * ", PRODUCT, POWER),
        "kron": _code_kron,
        "quotient": write_quotient(PRODUCT),
        "plus": write_plus,
        "scaled": write_scaled(" * "),
        "power": lambda p, form: (f"{p.at(form.args[0], ATOM)}**{_exponent(form.value)}", POWER),
        "call": _code_call,
        "diag": write_function("np.diag"),
        "diagonal": write_function("np.diag"),
        "trace": write_function("np.trace"),
        "sum": write_function("np.sum"),
        "vec": lambda p, form: (f'np.ravel({p.print(form.args[0])}, "{form.value}")', ATOM),
    },
    ("(", ")"),
    "-",
)


def _exponent(exponent: Any) -> str:
    return repr(exponent) if exponent > 0 else f"({exponent!r})"
