"""Rows of `jacobians.functions`, and of the functions that only carry numpy code along."""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobians import functions as fn

from . import Case

X, Y, W = (2, 3, 4), (2, 3), (3,)
APART = (0.3, 1.4)
HOLES = np.array([[1.0, np.inf, np.nan], [np.nan, 2.0, -np.inf]])
TEACHER = np.array([[0.2, 0.5, 0.3], [1.0, 0.0, 0.0]])


def _both_signs(rng: np.random.Generator) -> tuple[Any, ...]:
    return (rng.uniform(0.2, 2.0, Y) * np.array([[1, -1, 1], [-1, 1, -1]]),)


def _softmax(x: Any, axis: Any = -1) -> Any:
    return np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)


def _log_softmax(x: Any, axis: Any = -1) -> Any:
    return np.log(_softmax(x, axis))


def _layer_norm(x: Any, gain: Any = 1.0, bias: Any = 0.0, eps: float = 1e-5) -> Any:
    apart = x - x.mean(axis=-1, keepdims=True)
    return apart / np.sqrt((apart**2).mean(axis=-1, keepdims=True) + eps) * gain + bias


def _gelu(x: Any) -> Any:
    """The exact GELU by the power series of erf (enough terms for the entries of these rows)."""
    t = np.asarray(x) / np.sqrt(2.0)
    term, total = t, t
    for n in range(1, 60):
        term = -term * t * t / n
        total = total + term / (2 * n + 1)
    return x * (0.5 + total / np.sqrt(np.pi))


ACTIVATIONS = [
    Case("relu", fn.relu, (Y,), make=_both_signs),
    Case("relu", lambda x: fn.relu(x) ** 2, (Y,), make=_both_signs, id="squared"),
    Case(
        "relu",
        lambda x, y: fn.relu(x + y).sum(axis=1) ** 2,
        (Y, (2, 1)),
        id="mask-summed",
        primal=lambda x, y: np.where((x + y).real > 0, x + y, 0).sum(axis=1) ** 2,
    ),
    Case("leaky_relu", fn.leaky_relu, (Y,), make=_both_signs),
    Case("leaky_relu", lambda x: fn.leaky_relu(x, slope=0.2) ** 2, (Y,), make=_both_signs, id="slope"),
    Case("elu", fn.elu, (Y,), make=_both_signs),
    Case("elu", lambda x: fn.elu(x, alpha=0.5), (Y,), make=_both_signs, id="alpha"),
    Case("silu", fn.silu, (Y,), (-3.0, 3.0), primal=lambda x: x / (1 + np.exp(-x))),
    Case("gelu", fn.gelu, (Y,), (-3.0, 3.0), primal=_gelu),
    Case("normal_cdf", lambda x: fn.gelu(x) / x, (W,), APART, primal=lambda x: _gelu(x) / x, id="in-gelu"),
    Case("sigmoid", fn.sigmoid, (Y,), (-4.0, 4.0), primal=lambda x: 1 / (1 + np.exp(-x)), id="function"),
    Case("sigmoid", fn.expit, ((),), primal=lambda x: 1 / (1 + np.exp(-x)), id="expit"),
    Case("softplus", fn.softplus, (Y,), (-4.0, 4.0), primal=lambda x: np.log(1 + np.exp(x)), id="function"),
    Case("erf", fn.erf, (Y,), oracle="difference", id="function"),
    Case("erfc", fn.erfc, (Y,), oracle="difference", id="function"),
    Case("xlogy", fn.xlogy, (Y, W), APART, primal=lambda x, y: x * np.log(y), id="function"),
]

ALONG_AXES = [
    Case("softmax", fn.softmax, (Y,), primal=_softmax),
    Case("softmax", lambda x: fn.softmax(x, axis=1), (X,), primal=lambda x: _softmax(x, 1), id="middle"),
    Case(
        "softmax",
        lambda x: fn.softmax(x, axis=(0, 2)) ** 2,
        (X,),
        primal=lambda x: _softmax(x, (0, 2)) ** 2,
        id="axes",
    ),
    Case(
        "softmax",
        lambda x: np.exp(x - np.max(x)) / np.exp(x - np.max(x)).sum(),
        ((4,),),
        primal=_softmax,
        id="by-hand",
    ),
    Case("log_softmax", fn.log_softmax, (Y,), primal=_log_softmax),
    Case(
        "log_softmax",
        lambda x: fn.log_softmax(x, axis=0) ** 2,
        (Y,),
        primal=lambda x: _log_softmax(x, 0) ** 2,
        id="axis",
    ),
    Case("logsumexp", fn.logsumexp, (Y,), primal=lambda x: np.log(np.exp(x).sum())),
    Case(
        "logsumexp",
        lambda x: fn.logsumexp(x, axis=1, keepdims=True) * x,
        (X,),
        primal=lambda x: np.log(np.exp(x).sum(axis=1, keepdims=True)) * x,
        id="axis",
    ),
    Case("standardize", lambda x: fn.standardize(x, eps=0.1), (Y,), primal=lambda x: _layer_norm(x, eps=0.1)),
    Case(
        "standardize",
        lambda x: fn.standardize(x, axis=0),
        ((4, 2),),
        primal=lambda x: _layer_norm(x.T).T,
        id="axis",
    ),
    Case("layer_norm", fn.layer_norm, (X, (4,), (4,)), primal=_layer_norm),
    Case(
        "layer_norm",
        lambda x: fn.layer_norm(x, eps=0.01) ** 2,
        (Y,),
        primal=lambda x: _layer_norm(x, eps=0.01) ** 2,
        id="plain",
    ),
    Case(
        "log_softmax",
        lambda x: fn.cross_entropy(x, TEACHER),
        (Y,),
        primal=lambda x: -(TEACHER * _log_softmax(x)).sum(-1),
        id="cross-entropy",
    ),
    Case(
        "log_softmax",
        lambda x: fn.cross_entropy(x, np.array([2, 0]), axis=0),
        ((3, 2),),
        id="cross-entropy-classes",
        primal=lambda x: -_log_softmax(x, 0)[[2, 0], [0, 1]],
    ),
    Case(
        "log_softmax",
        lambda x, p: fn.cross_entropy(x, p),
        (Y, Y),
        primal=lambda x, p: -(p * _log_softmax(x)).sum(-1),
        id="cross-entropy-traced",
    ),
]


def _astype(dtype: Any) -> Any:
    return lambda x: x.astype(dtype) * x


FORMS = [
    Case("zeros_like", lambda x: x + np.zeros_like(x), (Y,)),
    Case("empty_like", lambda x: np.empty_like(x) * 0 + x, (Y,)),
    Case("ones_like", lambda x: x * np.ones_like(x, shape=(4, 2, 3)), (Y,)),
    Case("full_like", lambda x, y: x * np.full_like(x, y), (Y, ()), oracle="difference"),
    Case("full_like", lambda x: x - np.full_like(x, 2.5), (Y,), id="number"),
    Case("shape", lambda x: x * np.shape(x)[1], (Y,)),
    Case("ndim", lambda x: x * np.ndim(x), (Y,)),
    Case("size", lambda x: x * np.size(x) / np.size(x, 1), (Y,)),
    Case("iscomplexobj", lambda x: x.sum() if np.iscomplexobj(x) else x * 1.0, (Y,), oracle="difference"),
    Case("isrealobj", lambda x: x * 2.0 if np.isrealobj(x) else x.sum(), (Y,), oracle="difference"),
    Case("result_type", lambda x: x * np.ones(3, np.result_type(x, np.float32)), (Y,)),
    Case("copy", lambda x: np.copy(x) * x.copy(), (Y,)),
    Case("real", lambda x: np.real(x) * x.real, (Y,), oracle="difference"),
    Case("real", lambda x: np.conj(x) * x, (Y,), oracle="difference", id="conj"),
    Case("imag", lambda x: np.imag(x) + x, (Y,), oracle="difference"),
    Case("astype", _astype(np.float64), (Y,), oracle="difference"),
    Case(
        "astype",
        lambda x: x.astype(np.float32).astype(np.float64) * 2,
        (Y,),
        primal=lambda x: x * 2,
        make=lambda rng: (rng.integers(-9, 9, Y) / 8,),
        id="exact",
    ),
    Case("astype", _astype(int), (Y,), (1.2, 1.8), "difference", id="integers"),
    Case("astype", _astype(bool), (Y,), (1.2, 1.8), "difference", id="truths"),
    Case(
        "round",
        lambda x: np.round(x, 1) * x,
        (Y,),
        oracle="difference",
        make=lambda rng: (rng.integers(-9, 9, Y) / 10 + 0.02,),
    ),
    Case("round", lambda x: x.round() * x, (Y,), (1.6, 2.4), "difference", id="method"),
    Case("round", lambda x: np.around(x) + x, (Y,), (1.6, 2.4), "difference", id="around"),
    Case("clip", lambda x: np.clip(x, min=0.5) * x, (Y,), (0.6, 1.4), "difference", id="keyword"),
    Case(
        "clip", lambda x: np.clip(x, a_min=None, a_max=0.5) * x, (Y,), (0.6, 1.4), "difference", id="keywords"
    ),
    Case(
        "nan_to_num",
        lambda x: np.nan_to_num(x + HOLES, nan=0.5, posinf=2.0, neginf=-3.0) ** 2,
        (Y,),
        APART,
        "difference",
    ),
    Case("select", lambda x, y: np.select([x > 1, x > 0.6], [x * y, y], x), (Y, W), APART, "difference"),
    Case("select", lambda x: np.select([np.array([True, False, False])], [x]), (Y,), id="constant"),
    Case("choose", lambda x, y: np.choose([2, 0, 1], [x, y, x * y]), (Y, W)),
    Case(
        "choose",
        lambda x: np.choose(np.argsort(np.array([3, 1, 2])), [x, x * x, 2 * x]),
        (Y,),
        id="permutation",
    ),
    Case("broadcast_arrays", lambda x, y: np.broadcast_arrays(x, y), (Y, ())),
    Case("meshgrid", lambda x, y: np.meshgrid(x, y), ((2,), W)),
    Case(
        "meshgrid", lambda x, y: np.meshgrid(x, y, indexing="ij", sparse=True)[1] ** 2, ((2,), W), id="open"
    ),
    Case("linspace", lambda x, y: np.linspace(x, y, 4), ((), W)),
    Case("isclose", lambda x: np.where(np.isclose(x, 0.7, atol=0.2), x, x * x), (Y,), oracle="difference"),
    Case("allclose", lambda x: np.where(np.allclose(x, x), x * x, x), (Y,), oracle="difference"),
    Case("array_equal", lambda x: np.where(np.array_equal(x, x * 1), x * x, x), (Y,), oracle="difference"),
]

CASES: list[Case] = [*ACTIVATIONS, *ALONG_AXES, *FORMS]
