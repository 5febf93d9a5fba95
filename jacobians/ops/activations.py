"""Functions of machine learning: activations, softmax and its kin, layer normalisation.

Pointwise: `relu`, `leaky_relu`, `elu`, `silu`, `gelu` (exact, by erf).  Along axes: `softmax`, `log_softmax`,
`logsumexp`, `standardize`, `layer_norm`, each with its Jacobian written out as the textbook writes it.
Users call them as `jacobians.functions`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..axes import number
from ..expr import Node
from ..operation import as_node, operation, rule
from ..terms import TermSum, add, canonical, collapse
from . import _text
from ._axes import by_entries, floating, reduced, reduction
from ._broadcast import axes_of
from .pointwise import BUILDERS, _local, erf, make, pointwise, sigmoid


def _relu(x: Any) -> Any:
    return np.where(np.real(x) > 0, x, np.zeros_like(x))


def _normal_cdf(x: Any) -> Any:
    x = np.asarray(x)
    half = np.asarray(0.5, x.real.dtype)
    return half * (1 + erf(x * np.sqrt(half)))


pointwise("relu", _relu, "x > 0", serves="", kink="0 at x = 0", doc="z = max(x, 0), entry by entry.")
pointwise(
    "silu",
    lambda x: x * sigmoid(x),
    "(sigmoid(x) + z*(1 - sigmoid(x)))",
    serves="",
    doc="z = x sigmoid(x), entry by entry.",
)
pointwise(
    "normal_cdf", _normal_cdf, "0.3989422804014327*exp(-0.5*x*x)", serves="special.ndtr",
    doc="z = (1 + erf(x / sqrt(2))) / 2: the standard normal distribution, entry by entry.",
)  # fmt: skip
pointwise(
    "gelu", lambda x: x * _normal_cdf(x), "(normal_cdf(x) + 0.3989422804014327*x*exp(-0.5*x*x))", serves="",
    doc="z = x normal_cdf(x), entry by entry: the exact form, by erf.",
)  # fmt: skip


def _leaky_relu(params: Any, x: Any) -> Any:
    return np.where(np.real(x) > 0, x, x * params)


def _elu(params: Any, x: Any) -> Any:
    left = np.real(x) <= 0
    return np.where(left, params * np.expm1(np.where(left, x, 0)), x)


rule("leaky_relu", _leaky_relu, lambda node, k: _local(node, k, f"(x > 0) + {node.params!r}*(x <= 0)"))
rule("elu", _elu, lambda node, k: _local(node, k, f"where(x > 0, 1.0, z + {node.params!r})"))


def _with_parameter(op: str, x: Any, parameter: Any) -> Node:
    x = as_node(x)
    return Node(op, (x,), float(parameter), x.shape, floating(x.dtype))


@operation("pointwise", "x", serves="", formula="dz/dx = δ where(x > 0, 1, slope)", kink="slope at x = 0")
def leaky_relu(x: Any, slope: float = 0.01) -> Node:
    """z = x where x > 0, else slope x, entry by entry."""
    return _with_parameter("leaky_relu", x, slope)


@operation("pointwise", "x", serves="", formula="dz/dx = δ where(x > 0, 1, z + alpha)", kink="alpha at x = 0")
def elu(x: Any, alpha: float = 1.0) -> Node:
    """z = x where x > 0, else alpha (exp(x) - 1), entry by entry."""
    return _with_parameter("elu", x, alpha)


BUILDERS.update(leaky_relu=leaky_relu, elu=elu)

# ---- along axes: the labels of an axis that is normalised over stand once on each side of the wiring


def _two_sided(x: Node, gone: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...], tuple[Any, ...]]:
    """The labels of the target, those of the input (batch axes shared), and all sizes."""
    target = tuple(range(x.ndim))
    return target, tuple(x.ndim + k if k in gone else k for k in target), x.shape + x.shape


def _run_softmax(params: Any, x: Any) -> Any:
    e = np.exp(x - _finite_top(x, params))
    return e / e.sum(axis=params, keepdims=True)


def _finite_top(x: Any, axes: tuple[int, ...]) -> Any:
    """The largest entry over some axes, 0 where it is infinite: exponents stay in range."""
    top = np.max(np.real(x), axis=axes, keepdims=True, initial=-np.inf)  # also of no entries
    return np.where(np.isfinite(top), top, 0).astype(top.dtype)


def _softmax_local(node: Node, k: int) -> TermSum:
    """`δ_ij z_i - z_i z_j`."""
    target, given, sizes = _two_sided(node, node.params)
    diagonal = canonical(1, [(node, target)], target, target, node.shape)
    product = collapse(canonical(-1, [(node, target), (node, given)], target, given, sizes))
    return _sum(node, diagonal, product)


def _log_softmax_local(node: Node, k: int) -> TermSum:
    """`δ_ij - softmax_j`."""
    target, given, sizes = _two_sided(node, node.params)
    soft = Node("softmax", node.args, node.params, node.shape, node.dtype)
    diagonal = canonical(1, [], target, target, node.shape)
    return _sum(node, diagonal, canonical(-1, [(soft, given)], target, given, sizes))


def _sum(node: Node, *terms: Any) -> TermSum:
    return add([TermSum(node.shape, node.args[0].shape, (term,)) for term in terms])


def _run_logsumexp(params: Any, x: Any) -> Any:
    top = _finite_top(x, params)
    with np.errstate(divide="ignore"):  # the logarithm of no probability at all is -inf
        return np.log(np.exp(x - top).sum(axis=params)) + top.squeeze(axis=params)


def _run_log_softmax(params: Any, x: Any) -> Any:
    return x - np.expand_dims(_run_logsumexp(params, x), params)


def _logsumexp_local(node: Node, k: int) -> TermSum:
    (x,) = node.args
    return by_entries(node, node.params, Node("softmax", (x,), node.params, x.shape, node.dtype))


rule("softmax", _run_softmax, _softmax_local)
rule("log_softmax", _run_log_softmax, _log_softmax_local)
rule("logsumexp", _run_logsumexp, _logsumexp_local)


def _normalised(op: str, x: Any, axis: Any, params: Any = None) -> Node:
    x = as_node(x)
    gone = tuple(sorted(axes_of(axis, x.ndim)))
    return Node(op, (x,), gone if params is None else (gone, params), x.shape, floating(x.dtype))


@operation("written out", "x", serves="special.softmax", formula="δ_ij z_i - z_i z_j")
def softmax(x: Any, axis: Any = None) -> Node:
    """z_i = exp(x_i) / sum_j exp(x_j) over some axes (all by default)."""
    return _normalised("softmax", x, axis)


@operation("written out", "x", serves="special.log_softmax", formula="δ_ij - softmax_j")
def log_softmax(x: Any, axis: Any = None) -> Node:
    """z_i = x_i - log sum_j exp(x_j) over some axes (all by default)."""
    return _normalised("log_softmax", x, axis)


@operation("written out", "x", serves="special.logsumexp", formula="(i | i j) softmax[i, j]")
def logsumexp(x: Any, axis: Any = None, keepdims: Any = False) -> Node:
    """z = log sum_j exp(x_j) over some axes (all by default)."""
    x = as_node(x)
    return reduction("logsumexp", x, axis, keepdims, dtype=floating(x.dtype))


def _run_standardize(params: Any, x: Any) -> Any:
    gone, eps = params
    x = np.asarray(x)
    apart = x - x.mean(axis=gone, keepdims=True)
    return apart / np.sqrt((apart * apart).mean(axis=gone, keepdims=True) + eps)


def _standardize_local(node: Node, k: int) -> TermSum:
    """`(δ_ij - 1/n - z_i z_j / n) / sqrt(var + eps)`."""
    (x,), (gone, eps) = node.args, node.params
    target, given, sizes = _two_sided(x, gone)
    how = reduced(x.shape, gone)
    spread = reduction("var", x, gone, False, 0, node.dtype)
    rate = make("power", _text.add(spread, eps), -0.5)
    share: Any = 1.0
    for axis in gone:
        share = share / number(x.shape[axis], "standardize")
    diagonal = canonical(1, [(rate, how.kept)], target, target, x.shape)
    shift = canonical(-share, [(rate, how.kept)], target, given, sizes)
    stretch = canonical(-share, [(rate, how.kept), (node, target), (node, given)], target, given, sizes)
    return _sum(node, diagonal, shift, collapse(stretch))


rule("standardize", _run_standardize, _standardize_local)


@operation("written out", "x", serves="", formula="(δ_ij - 1/n - z_i z_j / n) / sqrt(var + eps)")
def standardize(x: Any, axis: Any = -1, eps: float = 1e-5) -> Node:
    """z = (x - mean) / sqrt(var + eps), mean and variance over some axes."""
    return _normalised("standardize", x, axis, float(eps))


@operation(
    "written out", "x gain bias", serves="", formula="gain_i times standardize's; δ z_i by gain; δ by bias"
)
def layer_norm(x: Any, gain: Any = None, bias: Any = None, eps: float = 1e-5) -> Node:
    """z_i = gain_i (x_i - mean) / sqrt(var + eps) + bias_i along the last axis."""
    z = standardize(x, -1, eps)
    z = z if gain is None else _text.multiply(z, as_node(gain))
    return z if bias is None else _text.add(z, as_node(bias))
