"""Rows of the pointwise operations: away from kinks here, at kinks in `KINKS`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from math import erf, factorial
from typing import Any

import numpy as np

from jacobians.operation import OPERATIONS
from jacobians.tracing import Traced, call

from . import Case

APART = (0.3, 1.4)  # entries with one sign, away from 0
POSITIVE = (0.5, 2.0)


def built(name: str, primal: Callable[..., Any]) -> Callable[..., Any]:
    """An operation that no numpy function stands for: its builder where it is traced, else `primal`."""

    @functools.wraps(primal)
    def run(*args: Any) -> Any:
        if any(isinstance(arg, Traced) for arg in args):
            return call(OPERATIONS[name].build, args, {})
        return primal(*args)

    return run


def _unary(
    name: str,
    function: Callable[..., Any],
    domain: tuple[float, float] = (-1.5, 1.5),
    oracle: str = "complex",
    **more: Any,
) -> Case:
    return Case(name, lambda x: function(x), ((2, 3),), domain, oracle, **more)


def _erf(x: Any) -> Any:
    return np.vectorize(erf, otypes=[np.asarray(x).dtype])(x)


def _sinc_series(x: Any) -> Any:
    """sinc by its power series: exact on the small arguments of these rows, where sin(t) / t is 0 / 0."""
    t = np.pi * np.asarray(x)
    return np.sum([(-1) ** k * t ** (2 * k) / factorial(2 * k + 1) for k in range(12)], axis=0)


UNARY = [
    _unary("square", np.square),
    _unary("sqrt", np.sqrt, POSITIVE),
    _unary("cbrt", np.cbrt, POSITIVE, "difference"),
    _unary("cbrt", np.cbrt, (-2.0, -0.5), "difference", id="negative"),
    _unary("reciprocal", np.reciprocal, POSITIVE),
    _unary("exp", np.exp),
    _unary("exp2", np.exp2, primal=lambda x: 2.0**x),
    _unary("expm1", np.expm1),
    _unary("log", np.log, POSITIVE),
    _unary("log2", np.log2, POSITIVE),
    _unary("log10", np.log10, POSITIVE),
    _unary("log1p", np.log1p, (-0.7, 2.0)),
    _unary("sin", np.sin),
    _unary("cos", np.cos),
    _unary("tan", np.tan, (-1.2, 1.2)),
    _unary("arcsin", np.arcsin, (-0.8, 0.8)),
    _unary("arcsin", np.asin, (-0.8, 0.8), id="asin"),
    _unary("arccos", np.arccos, (-0.8, 0.8)),
    _unary("arctan", np.arctan),
    _unary("sinh", np.sinh),
    _unary("cosh", np.cosh),
    _unary("tanh", np.tanh),
    _unary("arcsinh", np.arcsinh),
    _unary("arccosh", np.arccosh, (1.3, 3.0)),
    _unary("arctanh", np.arctanh, (-0.8, 0.8)),
    _unary("deg2rad", np.deg2rad, (-90.0, 90.0), "difference"),
    _unary("deg2rad", np.radians, (-90.0, 90.0), "difference", id="radians"),
    _unary("rad2deg", np.rad2deg, oracle="difference"),
    _unary("abs", np.abs, APART, "difference"),
    _unary("abs", np.absolute, (-1.4, -0.3), "difference", id="negative"),
    Case("abs", lambda x: abs(x), ((3,),), APART, "difference", id="builtin"),
    Case("abs", lambda x: np.fabs(x), ((3,),), (-1.4, -0.3), "difference", id="fabs"),
    _unary("sinc", np.sinc, (0.2, 1.8)),
    _unary("sinc", np.sinc, (-1e-3, 1e-3), id="near-zero", primal=_sinc_series),
    Case(
        "sinc",
        np.sinc,
        ((3,),),
        make=lambda rng: (np.array([0.0, 1e-9, -2e-2]),),
        id="at-zero",
        primal=_sinc_series,
    ),
    _unary("sigmoid", built("sigmoid", lambda x: 1 / (1 + np.exp(-x))), (-4.0, 4.0)),
    _unary("softplus", built("softplus", lambda x: np.log(1 + np.exp(x))), (-4.0, 4.0)),
    _unary("log_sigmoid", built("log_sigmoid", lambda x: -np.log(1 + np.exp(-x))), (-4.0, 4.0)),
    _unary("erf", built("erf", _erf), (-2.0, 2.0), "difference"),
    _unary("erfc", built("erfc", lambda x: 1 - _erf(x)), (-2.0, 2.0), "difference"),
    Case("tanh", np.tanh, ((),), id="scalar"),
    Case("tanh", lambda x: np.tanh(np.sin(x) * x), ((2, 1, 3),), id="composed"),
    Case("exp", lambda x: np.exp(-x * x / 2), ((4,),), id="gaussian"),
]

BINARY = [
    Case("divide", lambda x, y: x / y, ((2, 3), (2, 3)), POSITIVE),
    Case("divide", np.divide, ((2, 3), (3,)), POSITIVE, id="new-axis"),
    Case("divide", np.true_divide, ((2, 1), (1, 3)), (-2.0, -0.5), id="size-one-both"),
    Case("divide", lambda y: 1 / y, ((3,),), POSITIVE, id="number-left"),
    Case("divide", lambda x: x / 3, ((3,),), id="number-right"),
    Case("divide", lambda x, y: x / y, ((), (3,)), POSITIVE, id="scalar-argument"),
    Case("divide", lambda x: x / x.sum(axis=1, keepdims=True), ((2, 3),), POSITIVE, id="normalised"),
    Case("safe_divide", built("safe_divide", lambda x, y: x / y), ((2, 3), (3,)), POSITIVE),
    Case("logaddexp", np.logaddexp, ((2, 3), (3,)), primal=lambda x, y: np.log(np.exp(x) + np.exp(y))),
    Case("logaddexp2", np.logaddexp2, ((2, 3), (2, 1)), primal=lambda x, y: np.log2(2.0**x + 2.0**y)),
    Case("arctan2", np.arctan2, ((2, 3), (3,)), POSITIVE, "difference"),
    Case("arctan2", np.atan2, ((3,), (3,)), (-2.0, -0.5), "difference", id="third-quadrant"),
    Case("hypot", np.hypot, ((2, 1), (3,)), POSITIVE, "difference"),
    Case("xlogy", built("xlogy", lambda x, y: x * np.log(y)), ((2, 3), (3,)), POSITIVE),
    Case(
        "remainder",
        lambda x, y: x % y,
        ((2, 3), (3,)),
        oracle="difference",
        make=lambda rng: (rng.uniform(3.1, 3.4, (2, 3)), rng.uniform(0.9, 1.0, 3)),
        id="operator",
    ),
    Case(
        "remainder",
        np.mod,
        ((3,), (3,)),
        oracle="difference",
        make=lambda rng: (rng.uniform(-1.4, -1.1, 3), rng.uniform(0.9, 1.0, 3)),
        id="negative",
    ),
]


def _powers() -> list[Case]:
    rows = [
        Case("power", lambda x, y: x**y, ((2, 3), (2, 3)), POSITIVE, id="both"),
        Case("power", np.power, ((2, 3), (3,)), POSITIVE, id="new-axis"),
        Case("power", np.power, ((2, 1), (1, 3)), POSITIVE, id="size-one-both"),
        Case(
            "power",
            np.float_power,
            ((3,), (3,)),
            POSITIVE,
            id="float_power",
            tags=frozenset({"numpy-promotes"}),
        ),
        Case("power", np.pow, ((3,), (3,)), POSITIVE, id="pow"),
        Case("power", lambda y: 2**y, ((3,),), id="number-base"),
        Case("power", lambda y: np.float64(0.5) ** y, ((3,),), id="numpy-scalar-base"),
        Case("power", lambda x: x**x, ((3,),), POSITIVE, id="same-argument"),
        Case("power", lambda x: x ** np.array(3), ((3,),), id="zero-dimensional-exponent"),
        Case("power", lambda x: x ** np.array([3.0, 0.5, -2.0]), ((2, 3),), POSITIVE, id="array-exponent"),
        Case("power", lambda x: x ** np.array([0, 1, 2, 3]), ((4,),), (-1.5, -0.5), id="integer-exponents"),
        Case(
            "power",
            lambda x: x ** np.array([0, 1, 2, 3]),
            ((4,),),
            id="integer-exponents-at-zero",
            make=lambda rng: (np.array([0.0, 0.0, 0.0, 0.5]),),
        ),
        Case(
            "power",
            lambda x, y: x**y,
            ((3,), (3,)),
            id="exponents-at-zero",
            make=lambda rng: (np.array([0.7, 1.3, 2.0]), np.array([0.0, 1.0, 2.0])),
        ),
        Case("power", lambda x, n: x**n, ((3,), ()), POSITIVE, id="scalar-exponent-argument"),
    ]
    for p in (0, 1, 2, 3, 1.0, 2.0, 3.0):
        rows.append(Case("power", lambda x, p=p: x**p, ((2, 3),), id=f"{p}"))
        zero = lambda rng: (np.array([0.0, 0.7, -0.4]),)  # noqa: E731
        rows.append(Case("power", lambda x, p=p: x**p, ((3,),), make=zero, id=f"{p}-at-zero"))
    for p in (-1, -2, 0.5, -0.5, 1.5):
        rows.append(Case("power", lambda x, p=p: x**p, ((2, 3),), POSITIVE, id=f"{p}"))
    return rows


def _apart(rng: np.random.Generator) -> tuple[Any, ...]:
    """Two arrays whose broadcast entries are at least 0.1 apart, on both sides of each other."""
    x = rng.permutation(np.arange(6.0)).reshape(2, 3) + rng.uniform(-0.2, 0.2, (2, 3))
    return x, rng.permutation(np.arange(3.0)) * 2 + 0.5 + rng.uniform(-0.2, 0.2, 3)


def _chosen(*bounds: Any) -> Callable[[Any], Any]:
    return lambda x: np.clip(x, *bounds) * x


def _branch(test: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, y: np.where(test(x, y), x * x * y, np.sin(y))


CHOICES = [
    Case("maximum", np.maximum, ((2, 3), (3,)), oracle="difference", make=_apart),
    Case("maximum", np.fmax, ((2, 3), (3,)), oracle="difference", make=_apart, id="fmax"),
    Case("maximum", lambda x: np.maximum(x, 0) ** 2, ((2, 3),), APART, "difference", id="number"),
    Case("maximum", lambda x: np.maximum(0, -x), ((2, 3),), APART, "difference", id="number-left"),
    Case("minimum", np.minimum, ((2, 3), (3,)), oracle="difference", make=_apart),
    Case("minimum", np.fmin, ((2, 3), (3,)), oracle="difference", make=_apart, id="fmin"),
    Case(
        "minimum",
        lambda x, y: np.minimum(x * y, y),
        ((2, 3), (3,)),
        oracle="difference",
        make=_apart,
        id="composed",
    ),
    Case(
        "clip", _chosen(0.5, 3.6), ((2, 3),), oracle="difference", make=lambda rng: _apart(rng)[:1], id="both"
    ),
    Case(
        "clip",
        lambda x: x.clip(1.5, 3.6),
        ((2, 3),),
        oracle="difference",
        make=lambda rng: _apart(rng)[:1],
        id="method",
    ),
    Case(
        "clip",
        _chosen(None, 3.6),
        ((2, 3),),
        oracle="difference",
        make=lambda rng: _apart(rng)[:1],
        id="high",
    ),
    Case(
        "clip", _chosen(1.5, None), ((2, 3),), oracle="difference", make=lambda rng: _apart(rng)[:1], id="low"
    ),
    Case(
        "clip",
        lambda x, y: np.clip(x, y, y + 2.03),
        ((2, 3), (3,)),
        oracle="difference",
        make=_apart,
        id="bounds-traced",
    ),
    Case(
        "where", lambda x, y: np.where(x > y, x * y, y * y), ((2, 3), (3,)), oracle="difference", make=_apart
    ),
    Case(
        "where",
        lambda x: np.where(x > 2.5, np.exp(-x), 0.0),
        ((2, 3),),
        oracle="difference",
        make=lambda rng: _apart(rng)[:1],
        id="number",
    ),
    Case(
        "where", lambda x, y: np.where(np.array([True, False, True]), x, y), ((2, 3), ()), id="constant-mask"
    ),
    Case(
        "where", lambda x, y: np.where(np.array([[True], [False]]), x, y), ((3,), (2, 1)), id="broadcast-mask"
    ),
    Case(
        "where",
        lambda x: np.where(x > 0, np.sqrt(np.where(x > 0, x, 1.0)), x),
        ((3,),),
        oracle="difference",
        make=lambda rng: (np.array([0.4, -0.7, 1.3]),),
        id="guarded",
    ),
    Case("where", lambda x, y: np.where(True, x, y), ((3,), (2, 1)), id="scalar-mask"),
]

ROUNDING = [
    *(
        Case(name, lambda x, f=f: f(x) * x, ((2, 3),), (0.1, 0.4), "difference", id="times-x")
        for name, f in (
            ("floor", lambda x: np.floor(x + 2.3)),
            ("ceil", lambda x: np.ceil(x + 1.3)),
            ("trunc", lambda x: np.trunc(x + 1.3)),
            ("rint", lambda x: np.rint(x + 0.7)),
            ("sign", lambda x: np.sign(x - 0.7)),
        )
    ),
    Case("floor", np.floor, ((3,),), (0.1, 0.9), "difference"),
    Case("trunc", np.fix, ((3,),), (1.1, 1.9), "difference", id="fix"),
    Case("rint", lambda x: np.round(x) + x, ((3,),), (0.6, 1.4), "difference", id="round"),
    Case("heaviside", lambda x, y: np.heaviside(x, 0.5) * y, ((2, 3), (3,)), APART, "difference"),
    Case(
        "floor_divide",
        lambda x, y: x // y + x,
        ((2, 3), (3,)),
        oracle="difference",
        make=lambda rng: (rng.uniform(3.1, 3.4, (2, 3)), rng.uniform(0.9, 1.0, 3)),
    ),
]

TRUTHS = [
    *(
        Case(name, _branch(f), ((2, 3), (3,)), oracle="difference", make=_apart)
        for name, f in (
            ("less", lambda x, y: x < y),
            ("less_equal", lambda x, y: x <= y),
            ("greater", lambda x, y: x > y),
            ("greater_equal", lambda x, y: x >= y),
            ("equal", lambda x, y: x == y),
            ("not_equal", lambda x, y: x != y),
            ("logical_and", lambda x, y: (x > 1.5) & (y < 4.0)),
            ("logical_or", lambda x, y: np.logical_or(x > 2.5, y < 2.0)),
            ("logical_xor", lambda x, y: (x > 2.5) ^ (y < 2.0)),
            ("logical_not", lambda x, y: ~(x > y)),
            ("isnan", lambda x, y: np.isnan(x * y)),
            ("isinf", lambda x, y: np.isinf(x + y)),
            ("isfinite", lambda x, y: np.isfinite(x + y)),
            ("signbit", lambda x, y: np.signbit(x - 2.4)),
        )
    ),
    Case("less", np.less, ((2, 3), (3,)), oracle="difference", make=_apart, id="alone"),
]

CASES: list[Case] = [*UNARY, *BINARY, *_powers(), *CHOICES, *ROUNDING, *TRUTHS]


@dataclass(frozen=True)
class Kink:
    """Where the derivative is a convention: `call` at `point` has the Jacobian `expected` by each input."""

    name: str
    call: Callable[..., Any]
    point: tuple[Any, ...]
    expected: tuple[Any, ...]
    id: str = ""

    @property
    def label(self) -> str:
        """The name of the row in test reports."""
        return f"{self.name}-{self.id}" if self.id else self.name


ONE, NONE = np.eye(2), np.zeros((2, 2))  # dense expectations of a test, two entries each
AT = np.array([0.0, 2.0])
KINKS = [
    Kink("abs", np.abs, (np.array([0.0, -2.0]),), (np.diag([0.0, -1.0]),)),
    Kink("sign", np.sign, (AT,), (NONE,)),
    Kink("maximum", np.maximum, (AT, np.array([0.0, 1.0])), (np.diag([0.5, 1.0]), np.diag([0.5, 0.0]))),
    Kink("maximum", lambda x: np.maximum(x, 0), (AT,), (np.diag([0.5, 1.0]),), "number"),
    Kink("maximum", lambda x: np.maximum(x, x), (AT,), (ONE,), "of-equals"),
    Kink("minimum", np.minimum, (AT, np.array([0.0, 1.0])), (np.diag([0.5, 0.0]), np.diag([0.5, 1.0]))),
    Kink("hypot", np.hypot, (AT, np.zeros(2)), (np.diag([0.0, 1.0]), NONE)),
    Kink("where", lambda x: np.where(x > 0, np.log(x), 0.0), (AT,), (np.diag([0.0, 0.5]),), "log-at-zero"),
    Kink(
        "where",
        lambda x: np.where(x == 0, 1.0, np.sin(x) / x),
        (AT,),
        (np.diag([0.0, np.cos(2.0) / 2 - np.sin(2.0) / 4]),),
        "quotient-at-zero",
    ),
    Kink("power", lambda x: x**2, (AT,), (np.diag([0.0, 4.0]),), "square-at-zero"),
    Kink(
        "power",
        lambda x, y: x**y,
        (AT, np.array([2.0, 3.0])),
        (np.diag([0.0, 12.0]), np.diag([0.0, 8 * np.log(2)])),
        "zero-base",
    ),
    Kink(
        "power",
        lambda x, y: x**y,
        (AT, np.array([0.0, 0.0])),
        (NONE, np.diag([0.0, np.log(2.0)])),
        "zero-exponent",
    ),
    Kink(
        "xlogy",
        built("xlogy", lambda x, y: x * np.log(y)),
        (AT, np.array([0.0, 3.0])),
        (np.diag([0.0, np.log(3.0)]), np.diag([0.0, 2 / 3])),
        "zero",
    ),
    Kink(
        "safe_divide",
        built("safe_divide", np.divide),
        (AT, np.array([0.0, 4.0])),
        (np.diag([0.0, 0.25]), np.diag([0.0, -0.125])),
        "zero",
    ),
    Kink("floor", np.floor, (AT,), (NONE,)),
]
