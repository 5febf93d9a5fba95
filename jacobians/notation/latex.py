"""LaTeX of index forms, matrix forms and chains.

`chain_latex(view)` puts `\\underbrace{...}_{M \\times (M \\times N)}` under every factor;
`chain_latex(view, mathtext=True)` writes the shape as a subscript instead, for matplotlib's mathtext, which
has no underbrace.  `index_latex`, `matrix_latex` and `LATEX.print(expr)` need nothing beyond mathtext.

>>> from .entries import ONE, Delta, Entry, letter, plus, power, times
>>> i, m = letter("i"), letter("m")
>>> print(LATEX.print(times(Delta(i, m), plus([ONE, times(-1, power(Entry("f", (i,)), 2))]))))
\\delta_{im} \\left(1 - f_{i}^{2}\\right)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..axes import Poly, Shape, Size
from ..expr import Node
from .entries import Expr, Index
from .forms import ATOM as FORM_ATOM
from .forms import HADAMARD, PLUS, Form, FormPrinter, Printed, write_plus
from .forms import POWER as FORM_POWER
from .forms import PRODUCT as FORM_PRODUCT
from .index import index_form, meaning
from .matrix import MatrixForm, matrix_form
from .naming import Names
from .printers import ATOM, COMPARE, PRODUCT, SUM, Printer, number_text, signed, subscript
from .records import ChainView, Link, held_fixed, names, places

GREEK = {
    "alpha", "beta", "gamma", "epsilon", "zeta", "eta", "theta", "kappa", "lambda", "mu", "nu", "xi",
    "pi", "rho", "sigma", "tau", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Sigma",
    "Phi", "Psi", "Omega",
}  # fmt: skip
# (a value called delta is no Kronecker delta: it stays a word)
_LETTERS = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho",
    "σ": "sigma", "τ": "tau", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta",
    "Θ": "Theta", "Λ": "Lambda", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
LATEX_FUNCTIONS = {
    "exp",
    "log",
    "sin",
    "cos",
    "tan",
    "sinh",
    "cosh",
    "tanh",
    "det",
    "arcsin",
    "arccos",
    "arctan",
}


def latex_name(name: str) -> str:
    """A value's name in LaTeX: `x`, `\\theta`, `A_{1}`, `\\mathrm{loss}`.

    >>> print(latex_name("theta"), latex_name("A1"), latex_name("loss"), latex_name("x_new"), latex_name("λ"))
    \\theta A_{1} \\mathrm{loss} x_{\\mathrm{new}} \\lambda
    """
    name = "".join(_LETTERS.get(c, c) for c in name) if len(name.rstrip("0123456789")) == 1 else name
    if "(" in name:
        return _latex_applied(name)
    stem = name.rstrip("0123456789")
    if stem != name and stem and "_" not in name:
        return f"{latex_name(stem)}_{{{name[len(stem) :]}}}"
    if "_" in name.strip("_"):
        first, _, rest = name.partition("_")
        return f"{latex_name(first)}_{{\\mathrm{{{_escaped(rest)}}}}}"
    if name in GREEK:
        return f"\\{name}"
    return name if len(name) == 1 else f"\\mathrm{{{_escaped(name)}}}"


def _escaped(name: str) -> str:
    return "".join(f"\\{c}" if c in "_%#&$" else c for c in name)


def _latex_applied(name: str) -> str:
    function, _, rest = name.partition("(")
    inside, _, after = rest.rpartition(")")
    if function == "inv" and not after and "(" not in inside:
        return f"({latex_name(inside)}^{{-1}})"
    args = ", ".join(latex_name(part.strip()) for part in inside.split(","))
    return f"{latex_function(function)}({args}){after}"


def latex_function(function: str) -> str:
    """A function's name in LaTeX."""
    if function in LATEX_FUNCTIONS:
        return f"\\{function}"
    return f"\\operatorname{{{_escaped(function)}}}"


@dataclass(frozen=True, slots=True)
class LatexPrinter(Printer):
    """LaTeX that plain LaTeX, KaTeX, MathJax and matplotlib's mathtext read."""

    def number(self, value: Any) -> str:
        return number_text(value) if not isinstance(value, Poly) else latex_size(value)

    def entry(self, name: str, index: Sequence[Index]) -> str:
        text = latex_name(name)
        if not index:
            return text
        text = f"{{{text}}}" if "_" in text else text
        return f"{text}_{{{subscript(index)}}}"

    def delta(self, left: Index, right: Index) -> str:
        return f"\\delta_{{{subscript((left, right))}}}"

    def call(self, function: str, args: Sequence[Expr]) -> tuple[str, int]:
        inside = [self.print(arg) for arg in args]
        if function == "holds":
            return f"\\left[{inside[0]}\\right]", ATOM
        if function == "abs":
            return f"\\left|{inside[0]}\\right|", ATOM
        if function == "sqrt":
            return f"\\sqrt{{{inside[0]}}}", ATOM
        if function == "logical_not":
            return f"\\neg {self.walk(args[0], ATOM)}", SUM
        if function in COMPARE:
            return f"{inside[0]} {_LATEX_SIGN.get(function, COMPARE[function])} {inside[1]}", SUM
        return f"{latex_function(function)}\\left({', '.join(inside)}\\right)", ATOM

    def power(self, base: str, exponent: Any) -> str:
        return f"{base}^{{{number_text(exponent)}}}"

    def quotient(self, top: Expr, bottom: Expr) -> tuple[str, int]:
        return f"\\frac{{{self.print(top)}}}{{{self.print(bottom)}}}", PRODUCT

    def sums(self, letters: Sequence[str], body: str) -> str:
        return " ".join([*(f"\\sum_{{{letter}}}" for letter in letters), body])

    def join(self, parts: Sequence[str]) -> str:
        return " ".join(parts)

    def add(self, parts: Sequence[tuple[bool, str]]) -> str:
        return signed(parts, "-")

    def minus(self, text: str) -> str:
        return "-" + text

    def bracket(self, text: str) -> str:
        return f"\\left({text}\\right)"


_LATEX_SIGN = {"greater_equal": "\\geq", "less_equal": "\\leq", "not_equal": "\\neq"}


def latex_size(size: Any) -> str:
    """A size in LaTeX: `M^{2} N`.

    >>> from ..axes import symbol
    >>> print(latex_size(symbol("M") ** 2 * symbol("N") + 1))
    M^{2} N + 1
    """
    if not isinstance(size, Poly):
        return str(size)
    words = repr(size).replace("**", "^").replace("*", " ").split(" ")
    return " ".join(f"{w[: w.index('^')]}^{{{w[w.index('^') + 1 :]}}}" if "^" in w else w for w in words)


LATEX = LatexPrinter()


def _times(p: FormPrinter, form: Form) -> Printed:
    return " ".join(p.at(arg, FORM_PRODUCT) for arg in form.args), FORM_PRODUCT


def _scaled(p: FormPrinter, form: Form) -> Printed:
    negative = not isinstance(form.value, Poly) and form.value < 0
    size = -form.value if negative else form.value
    number = "" if size == 1 else f"{LATEX.number(size)} "
    text = number + p.at(form.args[0], FORM_PRODUCT)
    return (f"-{text}", PLUS) if negative else (text, FORM_PRODUCT)


def _power(p: FormPrinter, form: Form) -> Printed:
    dot = "\\odot " if form.kind == "m" else ""
    return f"{p.at(form.args[0], FORM_ATOM)}^{{{dot}{number_text(form.value)}}}", FORM_POWER


def _transposed(p: FormPrinter, form: Form) -> Printed:
    (inner,) = form.args
    if inner.op == "call" and inner.value == "inv":
        return f"{p.at(inner.args[0], FORM_ATOM)}^{{-\\top}}", FORM_POWER
    return f"{p.at(inner, FORM_ATOM)}^{{\\top}}", FORM_POWER


def _call(p: FormPrinter, form: Form) -> Printed:
    if form.value == "inv":
        return f"{p.at(form.args[0], FORM_ATOM)}^{{-1}}", FORM_POWER
    inside = [p.print(arg) for arg in form.args]
    if form.value in COMPARE:
        return f" {_LATEX_SIGN.get(form.value, COMPARE[form.value])} ".join(inside), PLUS
    if form.value == "holds":
        return f"\\left[{inside[0]}\\right]", FORM_ATOM
    if form.value == "sqrt":
        return f"\\sqrt{{{inside[0]}}}", FORM_ATOM
    return f"{latex_function(form.value)}\\left({', '.join(inside)}\\right)", FORM_ATOM


def _function(text: str) -> Callable[[FormPrinter, Form], Printed]:
    return lambda p, form: (f"\\operatorname{{{text}}}\\left({p.print(form.args[0])}\\right)", FORM_ATOM)


TEX = FormPrinter(
    {
        "value": lambda p, form: (latex_name(str(form.value)), FORM_ATOM),
        "number": lambda p, form: (LATEX.number(form.value), FORM_ATOM),
        "eye": lambda p, form: (f"I_{{{latex_size(form.value)}}}", FORM_ATOM),
        "ones": lambda p, form: (f"1_{{{latex_size(form.value)}}}", FORM_ATOM),
        "K": lambda p, form: (f"K_{{{', '.join(map(latex_size, form.value))}}}", FORM_ATOM),
        "tri": lambda p, form: ("\\operatorname{tri}", FORM_ATOM),
        "T": _transposed,
        "times": _times,
        "by": _times,
        "hadamard": lambda p, form: p.joined(form, " \\odot ", HADAMARD, FORM_PRODUCT),
        "kron": lambda p, form: p.joined(form, " \\otimes ", HADAMARD, FORM_PRODUCT),
        "quotient": lambda p, form: (
            f"\\frac{{{p.print(form.args[0])}}}{{{p.print(form.args[1])}}}",
            FORM_PRODUCT,
        ),
        "plus": write_plus,
        "scaled": _scaled,
        "power": _power,
        "call": _call,
        "diag": _function("diag"),
        "diagonal": _function("diag"),
        "trace": _function("tr"),
        "sum": _function("sum"),
        "vec": lambda p, form: _function("vec" if form.value == "F" else "vecr")(p, form),
    },
    ("\\left(", "\\right)"),
    "-",
)


def index_latex(link: Link, known: Names | None = None) -> str:
    """The index form of a Jacobian in LaTeX."""
    return index_form(link.terms, None, known, LATEX)


def matrix_latex(form: MatrixForm) -> str:
    """A matrix form in LaTeX."""
    return TEX.print(form.form)


def fraction(link: Link) -> str:
    """`\\frac{\\partial z}{\\partial A}`."""
    order, name = link.above
    under = " \\, ".join(f"\\partial {latex_name(given)}{_order(times)}" for given, times in link.below)
    return f"\\frac{{\\partial{_order(order)} {latex_name(name)}}}{{{under}}}"


def _order(order: int) -> str:
    return "" if order == 1 else f"^{order}" if order < 10 else f"^{{{order}}}"


def shape_latex(target: Shape, given: Shape) -> str:
    """`M \\times (M \\times N)`; a scalar counts as 1."""

    def one(size: Size) -> str:
        text = latex_size(size)
        return f"({text})" if " + " in text or " - " in text else text

    def side(shape: Shape) -> str:
        text = " \\times ".join(map(one, shape)) or "1"
        return f"({text})" if len(shape) > 1 else text

    return f"{side(target)} \\times {side(given)}"


def _braced(link: Link, mathtext: bool = False) -> str:
    shape = shape_latex(link.target_shape, link.input_shape)
    if mathtext:
        return f"{fraction(link)}_{{\\,[{shape}]}}"
    return f"\\underbrace{{{fraction(link)}}}_{{{shape}}}"


def chain_latex(view: ChainView, mathtext: bool = False) -> str:
    """The chain rule with a shape under every factor: one line of LaTeX (without dollar signs)."""
    factors = [_braced(link, mathtext) for link in view.links]
    if len(factors) == 1:
        return factors[0]
    return " = ".join([_braced(view.whole, mathtext), " \\, ".join(factors)])


def paths_latex(views: Sequence[ChainView], whole: ChainView, complete: bool) -> str:
    """The derivative as the sum of the products along its paths, a line each."""
    products = []
    for view in views:
        product, fixed = " \\, ".join(map(_braced, view.links)), held_fixed(view, views)
        under = ", ".join(map(latex_name, fixed))
        products.append(f"\\left. {product} \\right|_{{{under}}}" if fixed else product)
    more = [] if complete else ["\\cdots"]
    return f"{_braced(whole.whole)} = " + " \\\\\n&\\quad + ".join([*products, *more])


def view_latex(view: ChainView, chain: str = "") -> str:
    """What a slide needs, as an `aligned` block: chain, index form, matrix form, what letters stand for."""
    known = names(view)
    _, whole = places(view, known)
    letters = "".join((*whole[0], *whole[1]))
    entry = f"\\left({fraction(view.whole)}\\right)_{{{letters}}}" if letters else fraction(view.whole)
    lines = [chain or chain_latex(view), f"{entry} &= {index_form(view.whole.terms, whole, known, LATEX)}"]
    matrix = matrix_form(view.whole.terms, None, known)
    if matrix is not None:
        lines.append(f"{_left(view.whole, matrix.layout)} &= {matrix_latex(matrix)}")
    lines[0] = lines[0].replace(" = ", " &= ", 1)
    lines += where_latex(known, "\n".join(lines))
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def _left(link: Link, layout: str) -> str:
    """The derivative that a matrix form is equal to: of vec f by vec A where it is that layout's."""
    if not layout.startswith("vec") or link.by:
        return fraction(link)

    def vec(name: str, shape: Shape) -> str:
        operator = "\\operatorname{vec}" if layout == "vec" else "\\operatorname{vecr}"
        return f"{operator}\\left({latex_name(name)}\\right)" if len(shape) > 1 else latex_name(name)

    above, below = vec(link.target_name, link.target_shape), vec(link.input_name, link.input_shape)
    return f"\\frac{{\\partial {above}}}{{\\partial {below}^{{\\top}}}}"


def where_latex(known: Names, shown: str) -> list[str]:
    """What the letters made for long values stand for, one line of LaTeX for each that is shown."""
    lines: list[str] = []
    for name, node in reversed(known.where):
        text = latex_name(name)
        if re.search(rf"(?<![A-Za-z\\]){re.escape(text)}(?![A-Za-z])", "\n".join([shown, *lines])):
            lines.insert(0, _where_latex(text, meaning(name, node, known), node))
    return lines


def _where_latex(name: str, found: Any, node: Node) -> str:
    match found:
        case Form():
            return f"{name} &= {TEX.print(found)}"
        case entry, places:
            index = f"_{{{''.join(places)}}}" if places else ""
            return f"{name}{index} &= {LATEX.print(entry)}"
    if node.op in ("constant", "variable"):
        shape = " \\times ".join(map(latex_size, node.shape))
        return f"{name} &\\in \\mathbb{{R}}^{{{shape}}}"
    words = _escaped(found).replace("{", "\\{").replace("}", "\\}").replace(" ", "\\ ")
    return f"{name} &= \\mathrm{{{words}}}"
