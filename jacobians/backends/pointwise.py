"""Functions of single entries on a library: by its own name, or by a formula where it lacks one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..expr import Node
from ..ops.pointwise import sinc_derivative
from .base import Backend
from .operating import Act, Maker, aligned, elementwise, special


def _relu(ns: Any, x: Any) -> Any:
    return ns.where(x > 0, x, ns.zeros_like(x))


def _softplus(ns: Any, x: Any) -> Any:
    return _relu(ns, x) + ns.log1p(ns.exp(-ns.abs(x)))


def _sigmoid(ns: Any, x: Any) -> Any:
    return 1 / (1 + ns.exp(-x))


def _error_function(ns: Any, name: str) -> Callable[[Any], Any]:
    return getattr(ns, name, None) or special(ns, "scipy.special", name)


def _normal_cdf(ns: Any, x: Any) -> Any:
    return 0.5 * (1 + _error_function(ns, "erf")(x * 0.5**0.5))


def _elu(ns: Any, alpha: float, x: Any) -> Any:
    left = x <= 0
    return ns.where(left, alpha * ns.expm1(ns.where(left, x, ns.zeros_like(x))), x)


def _safe_divide(ns: Any, x: Any, y: Any) -> Any:
    zero = y == 0
    return ns.where(zero, ns.zeros_like(y), x / ns.where(zero, ns.ones_like(y), y))


def _xlogy(ns: Any, x: Any, y: Any) -> Any:
    zero = x == 0
    return ns.where(zero, ns.zeros_like(x), x * ns.log(ns.where(zero, ns.ones_like(x), y)))


# operators, which take Python numbers as they are: no constant has to be put on a device
OPERATORS: dict[str, Callable[..., Any]] = {
    "divide": lambda ns, p, x, y: x / y,
    "power": lambda ns, p, x, y: x**y,
    "floor_divide": lambda ns, p, x, y: x // y,
    "remainder": lambda ns, p, x, y: x % y,
    "less": lambda ns, p, x, y: x < y,
    "less_equal": lambda ns, p, x, y: x <= y,
    "greater": lambda ns, p, x, y: x > y,
    "greater_equal": lambda ns, p, x, y: x >= y,
    "equal": lambda ns, p, x, y: x == y,
    "not_equal": lambda ns, p, x, y: x != y,
}
FORMULAS: dict[str, Callable[..., Any]] = {
    "identity": lambda ns, p, x: x,
    "square": lambda ns, p, x: x * x,
    "reciprocal": lambda ns, p, x: 1 / x,
    "exp2": lambda ns, p, x: 2.0**x,
    "cbrt": lambda ns, p, x: ns.sign(x) * ns.abs(x) ** (1 / 3),
    "sign": lambda ns, p, x: ns.where(x != x, x, ns.sign(x)),  # torch makes NaN 0
    "heaviside": lambda ns, p, x, y: ns.where(x != x, x, ns.heaviside(x, y)),
    "rint": lambda ns, p, x: ns.round(x),
    "round": lambda ns, decimals, x: ns.round(x, decimals=decimals),
    "sinc": lambda ns, p, x: ns.sinc(x),
    "sinc_derivative": lambda ns, order, x: sinc_derivative(order, x, ns),
    "sigmoid": lambda ns, p, x: _sigmoid(ns, x),
    "softplus": lambda ns, p, x: _softplus(ns, x),
    "log_sigmoid": lambda ns, p, x: -_softplus(ns, -x),
    "relu": lambda ns, p, x: _relu(ns, x),
    "leaky_relu": lambda ns, slope, x: ns.where(x > 0, x, x * slope),
    "elu": _elu,
    "silu": lambda ns, p, x: x * _sigmoid(ns, x),
    "gelu": lambda ns, p, x: x * _normal_cdf(ns, x),
    "normal_cdf": lambda ns, p, x: _normal_cdf(ns, x),
    "erf": lambda ns, p, x: _error_function(ns, "erf")(x),
    "erfc": lambda ns, p, x: _error_function(ns, "erfc")(x),
    "safe_divide": lambda ns, p, x, y: _safe_divide(ns, x, y),
    "xlogy": lambda ns, p, x, y: _xlogy(ns, x, y),
}


def _where(node: Node, backend: Backend) -> Act:
    ns = backend.namespace
    return aligned(node, backend, lambda like, c, x, y: ns.where(c, x, y), first=1)


def _astype(node: Node, backend: Backend) -> Act:
    dtype = node.params
    return aligned(node, backend, lambda like, x: backend.cast(x, dtype), first=1)


POINTWISE: dict[str, Maker] = {
    **{name: elementwise(operator, numbers=True) for name, operator in OPERATORS.items()},
    **{name: elementwise(formula) for name, formula in FORMULAS.items()},
    "where": _where,
    "astype": _astype,
}


def named(node: Node, backend: Backend) -> Act | None:
    """The act of a numpy ufunc that the library has under the same name; None for anything else."""
    function = getattr(backend.namespace, node.op, None)
    if node.params is not None or not callable(function):
        return None
    if not isinstance(getattr(np, node.op, None), np.ufunc):
        return None
    return aligned(node, backend, lambda like, *xs: function(*xs))
