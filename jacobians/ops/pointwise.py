"""Pointwise operations: one row a function, its derivative as text.

`z = f(x, y)` entry by entry, broadcast as numpy does; the local Jacobian by each argument has the
wiring `(i... | i...)` and one factor f'.  `where` *selects* a derivative, nothing is multiplied by 0, so
that 0 * inf never appears.  Comparisons and rounding have derivative zero.
"""

from __future__ import annotations

from collections.abc import Callable
from math import factorial, isfinite
from typing import Any

import numpy as np

from ..expr import Node, promote
from ..operation import OPERATIONS, SERVES, Operation, as_node, rule
from ..terms import TermSum, canonical, collapse
from . import _text
from ._broadcast import broadcast, labels_in

BUILDERS: dict[str, Callable[..., Any]] = {"where": lambda c, x, y: where(c, x, y)}


def pointwise(
    name: str,
    forward: Callable[..., Any],
    *derivatives: str,
    serves: str | None = None,
    kink: str = "",
    doc: str = "",
) -> None:
    """Registers `name` with its forward and the text of its derivative by each argument in turn.

    A derivative of "0" (a comparison, rounding) makes a node that no derivative flows through.
    """

    def forward_of(params: Any, *arrays: Any) -> Any:
        return forward(*arrays)

    flows = any(text != "0" for text in derivatives)
    rule(name, forward_of, (lambda node, k: _local(node, k, derivatives[k])) if flows else None)

    def build(*args: Any) -> Node:
        return make(name, *args)

    letters = "xyw"[: len(derivatives)]
    build.__doc__ = doc or f"z = {name}({', '.join(letters)}), entry by entry."
    build.__name__ = name
    BUILDERS[name] = build
    formula = "; ".join(f"dz/d{letter} = δ {text}" for letter, text in zip(letters, derivatives, strict=True))
    names = tuple((name if serves is None else serves).split())
    OPERATIONS[name] = Operation(name, "pointwise", build, tuple(letters), names, formula, kink)
    SERVES.update({served: OPERATIONS[name] for served in names})


def make(name: str, *args: Any) -> Node:
    """The node of a pointwise operation: shapes broadcast, integers promoted to floats by its rule."""
    nodes = tuple(as_node(arg) for arg in args)
    common = broadcast(*(node.shape for node in nodes), where=name)
    return Node(name, nodes, None, common.shape, _dtype(name, nodes))


def _dtype(name: str, nodes: tuple[Node, ...]) -> Any:
    if name in TRUTHS:
        return np.dtype(bool)
    dtype = promote(nodes)
    if name in KEEP or dtype is float or getattr(dtype, "kind", "") == "f":
        return dtype
    return float if isinstance(dtype, type) else np.dtype(np.float64)


def _local(node: Node, k: int, text: str) -> TermSum:
    arg = node.args[k]
    if text == "0":
        return TermSum(node.shape, arg.shape)
    names = dict(zip("xyw", node.args, strict=False), z=node)
    slope = _text.expression(text, names, BUILDERS)
    common = broadcast(node.shape, *(a.shape for a in node.args))
    sizes = list(common.sizes)
    factors, coefficient = [], 1
    if isinstance(slope, Node):
        factors.append((slope, labels_in(slope.shape, common.shape, sizes)))
    else:
        coefficient = slope
    labels = common.arguments[1 + k]
    whole = canonical(coefficient, factors, common.output, labels, sizes)
    return TermSum(node.shape, arg.shape, (collapse(whole),))


def where(condition: Any, x: Any, y: Any) -> Node:
    """z = x where the condition holds, else y; dz/dx = δ [condition], selected and not multiplied."""
    held = as_node(condition)
    nodes = (held if held.dtype in (bool, np.bool_) else make("not_equal", held, 0), as_node(x), as_node(y))
    common = broadcast(*(node.shape for node in nodes), where="where")
    return Node("where", nodes, None, common.shape, promote(nodes[1:]))


def _where_local(node: Node, k: int) -> TermSum:
    arg = node.args[k]
    if k == 0:
        return TermSum(node.shape, arg.shape)
    chosen = node.args[0] if k == 1 else make("logical_not", node.args[0])
    common = broadcast(node.shape, *(a.shape for a in node.args))
    sizes = list(common.sizes)
    factors = [(chosen, labels_in(chosen.shape, common.shape, sizes))]
    whole = canonical(1, factors, common.output, common.arguments[1 + k], sizes)
    return TermSum(node.shape, arg.shape, (collapse(whole),))


rule("where", lambda params, c, x, y: np.where(c, x, y), _where_local)
OPERATIONS["where"] = Operation(
    "where", "pointwise", where, ("x", "y"), ("where",), "dz/dx = δ [c]; dz/dy = δ [not c]", ""
)
SERVES["where"] = OPERATIONS["where"]


def _power_local(node: Node, k: int) -> TermSum:
    """Like the row's text, but a constant exponent needs no choice: p x**(p-1), and 2 x for p = 2."""
    exponent = node.args[1]
    if k == 0 and exponent.op == "constant" and exponent.shape == ():
        p = exponent.value if isinstance(exponent.value, (int, float)) else exponent.value.item()
        if isfinite(p):
            simple: dict[float, str] = {0: "0", 1: "1", 2: "2*x"}
            return _local(node, k, simple.get(p, f"{p}*x**({p - 1})"))
    if k == 0 and exponent.op == "constant":
        return _local(node, k, "y*x**where(y == 0, 1.0, y - 1)")
    return _local(node, k, POWER[k])


POWER = (
    "where(logical_and(x == 0, y == 0), 0.0, y*x**(y - 1))",
    "where(x == 0, 0.0, z*log(x))",
)
TRUTHS = {
    "less", "less_equal", "greater", "greater_equal", "equal", "not_equal",
    "logical_not", "logical_and", "logical_or", "logical_xor", "isnan", "isinf", "isfinite", "signbit",
}  # fmt: skip
KEEP = {
    "maximum", "minimum", "abs", "sign", "square", "floor", "ceil", "trunc", "rint", "floor_divide",
    "remainder", "power",
}  # fmt: skip


def _safe_divide(x: Any, y: Any) -> Any:
    zero = np.equal(y, 0)
    return np.where(zero, 0.0, np.divide(x, np.where(zero, 1.0, y))) if np.any(zero) else np.divide(x, y)


def sinc_derivative(n: int, x: Any, ns: Any = np) -> Any:
    """The n-th derivative of sinc: `t s_n + n s_(n-1) = sin(t + n pi/2)`, t = pi x; a power series near 0.

    `ns` holds the functions of x's library: numpy, torch or jax.numpy.
    """
    t = np.pi * (np.asarray(x) if ns is np else x)
    near = ns.abs(t) < n + 2
    safe, small = ns.where(near, 1, t), ns.where(near, t, 0)
    far = ns.sin(safe) / safe
    for k in range(1, n + 1):
        far = (ns.sin(safe + k * np.pi / 2) - k * far) / safe
    series = ns.zeros_like(t)
    for k in range(n + 20, (n - 1) // 2, -1):  # smallest terms first
        series = series + (-1) ** k / (2 * k + 1) / factorial(2 * k - n) * small ** (2 * k - n)
    return np.pi**n * ns.where(near, series, far)


def _sinc_node(x: Any, n: int = 1) -> Node:
    x = as_node(x)
    return Node("sinc_derivative", (x,), n, x.shape, _dtype("sinc", (x,)))


def _sinc_local(node: Node, k: int) -> TermSum:
    labels = tuple(range(node.ndim))
    slope = _sinc_node(node.args[0], node.params + 1)
    return TermSum(node.shape, node.shape, (canonical(1, [(slope, labels)], labels, labels, node.shape),))


rule("sinc_derivative", sinc_derivative, _sinc_local)
BUILDERS["sinc_derivative"] = _sinc_node


def erf(x: Any) -> Any:
    """The error function, `2/sqrt(pi) * integral_0^x exp(-t^2) dt`, to 1e-15 (x real, or near the axis)."""
    from math import erf as scalar

    array = np.asarray(x)
    if array.dtype.kind == "c":
        # the complex step of a test: the first-order term of the derivative is exact there
        real = erf(array.real)
        return real + 1j * array.imag * 2 / np.sqrt(np.pi) * np.exp(-(array.real**2))
    flat = np.fromiter((scalar(v) for v in array.ravel().tolist()), np.float64, array.size)
    return flat.reshape(array.shape).astype(array.dtype if array.dtype.kind == "f" else np.float64)


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)), without overflow for large negative x."""
    array = np.asarray(x)
    e = np.exp(-np.abs(array.real) * 1.0) if array.dtype.kind != "c" else None
    if e is None:
        return 1 / (1 + np.exp(-array))
    return np.where(array >= 0, 1 / (1 + e), e / (1 + e)).astype(e.dtype)


def _softplus(x: Any) -> Any:
    return np.logaddexp(0, x) if np.asarray(x).dtype.kind != "c" else np.log(1 + np.exp(x))


def _logaddexp(x: Any, y: Any) -> Any:
    if np.result_type(x, y).kind == "c":
        return np.log(np.exp(x) + np.exp(y))
    return np.logaddexp(x, y)


def _xlogy(x: Any, y: Any) -> Any:
    zero = np.equal(x, 0)
    return np.where(zero, 0.0, x * np.log(np.where(zero, 1.0, y)))


SPLIT = "where(x == y, 0.5, where(x {} y, 1.0, 0.0))"
OTHER = "where(x == y, 0.5, where(x {} y, 0.0, 1.0))"
_ROWS: list[tuple[Any, ...]] = [
    # name, forward, derivatives by x and y (z is the value), then what differs: serves, kink
    ("divide", np.divide, "1/y", "-z/y", {"serves": "divide true_divide"}),
    ("square", np.square, "2*x"),
    ("sqrt", np.sqrt, "0.5/z"),
    ("cbrt", np.cbrt, "1/(3*square(z))"),
    ("reciprocal", lambda x: 1 / x, "-(z*z)"),
    ("exp", np.exp, "z"),
    ("exp2", lambda x: 2.0**x, "0.6931471805599453*z"),
    ("expm1", np.expm1, "(z + 1)"),
    ("log", np.log, "1/x"),
    ("log2", np.log2, "1.4426950408889634/x"),
    ("log10", np.log10, "0.4342944819032518/x"),
    ("log1p", np.log1p, "1/(1 + x)"),
    ("logaddexp", _logaddexp, "exp(x - z)", "exp(y - z)"),
    ("logaddexp2", lambda x, y: np.logaddexp2(x, y), "exp2(x - z)", "exp2(y - z)"),
    ("sin", np.sin, "cos(x)"),
    ("cos", np.cos, "-sin(x)"),
    ("tan", np.tan, "(1 + z*z)"),
    ("arcsin", np.arcsin, "1/sqrt(1 - x*x)", {"serves": "arcsin asin"}),
    ("arccos", np.arccos, "-1/sqrt(1 - x*x)", {"serves": "arccos acos"}),
    ("arctan", np.arctan, "1/(1 + x*x)", {"serves": "arctan atan"}),
    ("arctan2", np.arctan2, "y/(x*x + y*y)", "-x/(x*x + y*y)", {"serves": "arctan2 atan2"}),
    ("sinh", np.sinh, "cosh(x)"),
    ("cosh", np.cosh, "sinh(x)"),
    ("tanh", np.tanh, "(1 - z*z)"),
    ("arcsinh", np.arcsinh, "1/sqrt(x*x + 1)", {"serves": "arcsinh asinh"}),
    ("arccosh", np.arccosh, "1/sqrt(x*x - 1)", {"serves": "arccosh acosh"}),
    ("arctanh", np.arctanh, "1/(1 - x*x)", {"serves": "arctanh atanh"}),
    ("deg2rad", np.deg2rad, "0.017453292519943295", {"serves": "deg2rad radians"}),
    ("rad2deg", np.rad2deg, "57.29577951308232", {"serves": "rad2deg degrees"}),
    ("abs", np.abs, "sign(x)", {"serves": "absolute abs fabs", "kink": "0 at x = 0"}),
    ("hypot", np.hypot, "safe_divide(x, z)", "safe_divide(y, z)", {"kink": "0 at x = y = 0"}),
    ("safe_divide", _safe_divide, "safe_divide(1.0, y)", "-safe_divide(z, y)",
     {"serves": "", "kink": "0 at y = 0"}),
    ("maximum", np.maximum, SPLIT.format(">"), OTHER.format(">"),
     {"serves": "maximum fmax", "kink": "1/2 to each at x = y"}),
    ("minimum", np.minimum, SPLIT.format("<"), OTHER.format("<"),
     {"serves": "minimum fmin", "kink": "1/2 to each at x = y"}),
    ("sinc", np.sinc, "sinc_derivative(x)"),
    ("sigmoid", sigmoid, "z*(1 - z)", {"serves": "special.expit"}),
    ("softplus", _softplus, "sigmoid(x)", {"serves": ""}),
    ("log_sigmoid", lambda x: -_softplus(-x), "sigmoid(-x)", {"serves": "special.log_expit"}),
    ("erf", erf, "1.1283791670955126*exp(-(x*x))", {"serves": "special.erf"}),
    ("erfc", lambda x: 1 - erf(x), "-1.1283791670955126*exp(-(x*x))", {"serves": "special.erfc"}),
    ("xlogy", _xlogy, "where(x == 0, 0.0, log(y))", "where(x == 0, 0.0, x/y)",
     {"serves": "special.xlogy", "kink": "0 at x = 0"}),
    ("floor", np.floor, "0"),
    ("ceil", np.ceil, "0"),
    ("trunc", np.trunc, "0", {"serves": "trunc fix"}),
    ("rint", np.rint, "0"),
    ("sign", np.sign, "0", {"kink": "0 everywhere, 0 included"}),
    ("heaviside", np.heaviside, "0", "0"),
    ("floor_divide", np.floor_divide, "0", "0"),
    ("remainder", np.remainder, "1", "-floor_divide(x, y)", {"serves": "remainder mod"}),
    *((name, getattr(np, name), "0", "0") for name in ("less", "less_equal", "greater", "greater_equal")),
    *((name, getattr(np, name), "0", "0") for name in ("equal", "not_equal")),
    *((name, getattr(np, name), "0", "0") for name in ("logical_and", "logical_or", "logical_xor")),
    *((name, getattr(np, name), "0") for name in ("logical_not", "isnan", "isinf", "isfinite", "signbit")),
]  # fmt: skip
for _name, _forward, *_rest in _ROWS:
    _more = _rest.pop() if isinstance(_rest[-1], dict) else {}
    pointwise(_name, _forward, *_rest, **_more)


def power(x: Any, y: Any) -> Node:
    """z = x ** y, entry by entry, broadcast; by both arguments."""
    return make("power", x, y)


rule("power", lambda params, x, y: x**y, _power_local)
OPERATIONS["power"] = Operation(
    "power", "pointwise", power, ("x", "y"), ("power", "pow", "float_power"),
    "dz/dx = δ y x**(y - 1); dz/dy = δ z log(x)", "0 by y at x = 0; 0 by x at x = y = 0",
)  # fmt: skip
BUILDERS["power"] = power
SERVES.update({name: OPERATIONS["power"] for name in ("power", "pow", "float_power")})
