"""Functions that numpy lacks, for ordinary numpy code: activations, softmax and its kin, layer norm, expm.

`relu`, `leaky_relu`, `elu`, `sigmoid` (`expit`), `softplus`, `silu`, `gelu`, `erf`, `erfc`, `xlogy`,
`softmax`, `log_softmax`, `logsumexp`, `standardize`, `layer_norm`, `cross_entropy`, `expm` and `vec`.
Each takes arrays and returns arrays (complex ones too, so that a complex step can check it), and is
differentiated where it meets a traced value:

>>> import numpy as np, jacobians as jac
>>> np.asarray(jac.jacobian(relu)(np.array([-1.0, 2.0])))
array([[0., 0.],
       [0., 1.]])
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .errors import ShapeError
from .operation import OPERATIONS, RULES
from .ops._broadcast import axes_of
from .tracing import Traced, call

__all__ = [
    "cross_entropy",
    "elu",
    "erf",
    "erfc",
    "expit",
    "expm",
    "gelu",
    "layer_norm",
    "leaky_relu",
    "log_softmax",
    "logsumexp",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "standardize",
    "vec",
    "xlogy",
]


def _traced(*values: Any) -> bool:
    return any(
        isinstance(v, Traced) or hasattr(v, "_traced_node") or getattr(v, "dtype", None) == np.dtype(object)
        for v in values
    ) or any(_traced(*v) for v in values if isinstance(v, (list, tuple)))


def _pointwise(name: str, *values: Any, params: Any = None) -> Any:
    """The operation `name` where a value is traced, else its forward."""
    if _traced(*values):
        return call(OPERATIONS[name].build, (*values, *(() if params is None else (params,))), {})
    return _result(RULES[name].forward(params, *(_floats(v) for v in values)))


def _along(name: str, x: Any, axis: Any, *more: Any) -> Any:
    """The same for an operation along axes; `more` are further parameters."""
    if _traced(x):
        return call(OPERATIONS[name].build, (x, axis, *more), {})
    x = _floats(x)
    gone = tuple(sorted(axes_of(axis, x.ndim)))
    return _result(RULES[name].forward((gone, *more) if more else gone, x))


def _floats(x: Any) -> np.ndarray:
    array = np.asarray(x)
    return array.astype(float) if array.dtype.kind in "biu" else array


def _result(value: Any) -> Any:
    return value[()] if np.ndim(value) == 0 else value


def relu(x: Any) -> Any:
    """max(x, 0), entry by entry.

    Local Jacobian: `δ [x > 0]`, 0 at the kink x = 0; any shape, target x input of that shape.

    >>> relu([-1.0, 0.0, 2.0])
    array([0., 0., 2.])
    """
    return _pointwise("relu", x)


def leaky_relu(x: Any, slope: float = 0.01) -> Any:
    """x where x > 0, else slope x, entry by entry.

    Local Jacobian: `δ` times 1 where x > 0, else slope (at the kink x = 0 too).

    >>> leaky_relu(np.array([-1.0, 2.0]), 0.1)
    array([-0.1,  2. ])
    """
    return _pointwise("leaky_relu", x, params=float(slope))


def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where x > 0, else alpha (exp(x) - 1), entry by entry.

    Local Jacobian: `δ` times 1 where x > 0, else z + alpha (alpha at the kink x = 0).

    >>> elu(np.array([0.0, 2.0]))
    array([0., 2.])
    """
    return _pointwise("elu", x, params=float(alpha))


def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)), entry by entry, without overflow.

    Local Jacobian: `δ z (1 - z)`.

    >>> sigmoid(np.array([-1e3, 0.0, 1e3]))
    array([0. , 0.5, 1. ])
    """
    return _pointwise("sigmoid", x)


expit = sigmoid


def softplus(x: Any) -> Any:
    """log(1 + exp(x)), entry by entry, without overflow.

    Local Jacobian: `δ sigmoid(x)`.

    >>> softplus(np.array([-1e3, 1e3]))
    array([   0., 1000.])
    """
    return _pointwise("softplus", x)


def silu(x: Any) -> Any:
    """x sigmoid(x), entry by entry.

    Local Jacobian: `δ (s + z (1 - s))` with s = sigmoid(x).

    >>> silu(np.array([0.0, 1e3]))
    array([   0., 1000.])
    """
    return _pointwise("silu", x)


def gelu(x: Any) -> Any:
    """x Φ(x), Φ the standard normal distribution; entry by entry, the exact form by erf.

    Local Jacobian: `δ (Φ(x) + x exp(-x**2 / 2) / sqrt(2 pi))`.

    >>> gelu(np.array([0.0, 1.0])).round(4)
    array([0.    , 0.8413])
    """
    return _pointwise("gelu", x)


def erf(x: Any) -> Any:
    """The error function `2 / sqrt(pi) * integral of exp(-t**2) from 0 to x`, entry by entry.

    Local Jacobian: `δ 2 / sqrt(pi) exp(-x**2)`.

    >>> erf(np.array([0.0, 0.5])).round(4)
    array([0.    , 0.5205])
    """
    return _pointwise("erf", x)


def erfc(x: Any) -> Any:
    """1 - erf(x), entry by entry.

    Local Jacobian: `-δ 2 / sqrt(pi) exp(-x**2)`.

    >>> erfc(np.array([0.0, 0.5])).round(4)
    array([1.    , 0.4795])
    """
    return _pointwise("erfc", x)


def xlogy(x: Any, y: Any) -> Any:
    """x log(y), and 0 where x = 0, entry by entry, broadcast.

    Local Jacobians: `δ log(y)` by x (0 where x = 0), `δ x / y` by y.

    >>> xlogy(np.array([0.0, 2.0]), np.array([0.0, 1.0]))
    array([0., 0.])
    """
    return _pointwise("xlogy", x, y)


def softmax(x: Any, axis: Any = -1) -> Any:
    """z_i = exp(x_i) / sum_j exp(x_j) along an axis (or several), without overflow.

    Local Jacobian: `δ_ij z_i - z_i z_j`, two Terms; the other axes are batch axes, shared labels.

    >>> softmax(np.array([0.0, np.log(3.0)]))
    array([0.25, 0.75])
    """
    return _along("softmax", x, axis)


def log_softmax(x: Any, axis: Any = -1) -> Any:
    """z_i = x_i - log sum_j exp(x_j) along an axis (or several).

    Local Jacobian: `δ_ij - softmax(x)_j`, two Terms.

    >>> np.exp(log_softmax(np.array([0.0, np.log(3.0)]))).round(12)
    array([0.25, 0.75])
    """
    return _along("log_softmax", x, axis)


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """z = log sum_j exp(x_j) over an axis (or several, or all), without overflow.

    Local Jacobian: `softmax(x)_j`, shape (kept axes) x (axes of x).

    >>> (logsumexp(np.array([1e3, 1e3])) - 1e3).round(4), np.log(2).round(4)
    (np.float64(0.6931), np.float64(0.6931))
    """
    if _traced(x):
        return call(OPERATIONS["logsumexp"].build, (x, axis, keepdims), {})
    x = _floats(x)
    gone = tuple(sorted(axes_of(axis, x.ndim)))
    z = RULES["logsumexp"].forward(gone, x)
    return _result(np.expand_dims(z, gone) if keepdims else z)


def standardize(x: Any, axis: Any = -1, eps: float = 1e-5) -> Any:
    """z = (x - mean) / sqrt(var + eps), mean and variance along an axis (or several).

    Local Jacobian: `(δ_ij - 1/n - z_i z_j / n) / sqrt(var + eps)`, three Terms.

    >>> standardize(np.array([1.0, 3.0]), eps=0.0)
    array([-1.,  1.])
    """
    return _along("standardize", x, axis, float(eps))


def layer_norm(x: Any, gain: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """z_i = gain_i (x_i - mean) / sqrt(var + eps) + bias_i along the last axis; both may be left out.

    Local Jacobians: by x that of `standardize` times gain_i; by gain `δ` times its value; by bias `δ`.

    >>> layer_norm(np.array([1.0, 3.0]), np.array([2.0, 2.0]), np.array([0.0, 1.0]), eps=0.0)
    array([-2.,  3.])
    """
    z = standardize(x, -1, eps)
    z = z if gain is None else z * gain
    return z if bias is None else z + bias


def cross_entropy(logits: Any, target: Any, axis: int = -1) -> Any:
    """-sum_j p_j log_softmax(x)_j along an axis: one number for each sample, nothing averaged.

    `target` holds the probabilities p (of the logits' shape) or the integer classes (without that axis).
    Local Jacobian by the logits: `softmax(x)_j - p_j` where p sums to 1.  Raises ShapeError where shapes do
    not fit.

    >>> cross_entropy(np.array([[0.0, np.log(3.0)]]), np.array([1])).round(4)
    array([0.2877])
    """
    logs = log_softmax(logits, axis)
    shape = np.shape(logs)
    if np.shape(target) == shape:
        return -(target * logs).sum(axis=axis)
    (axis,) = axes_of(axis, len(shape))
    classes = np.asarray(target)
    if classes.shape != shape[:axis] + shape[axis + 1 :] or classes.dtype.kind not in "iu":
        raise ShapeError(
            "the target of cross_entropy does not fit",
            f"logits {shape}, target {classes.shape} of type {classes.dtype}",
            "probabilities of the logits' shape, or integer classes without the axis",
        )
    places = np.expand_dims(classes, axis)
    return -np.take_along_axis(logs, places, axis).sum(axis=axis)


def expm(x: Any) -> Any:
    """The matrix exponential `sum_k X**k / k!` of square matrices, batch axes first.

    Local Jacobian: the Frechet derivative, a dense tensor (i j | k l) that one node computes.

    >>> expm(np.zeros((2, 2)))
    array([[1., 0.],
           [0., 1.]])
    """
    return call(OPERATIONS["expm"].build, (x,), {}) if _traced(x) else RULES["expm"].forward(0, _floats(x))


def vec(x: Any) -> Any:
    """The columns of a matrix stacked: `vec(X)[i + m j] = X[i, j]` (Magnus & Neudecker).

    Local Jacobian: a wiring without factors, `(i + m j | i j)`.

    >>> vec(np.array([[1, 2], [3, 4]]))
    array([1, 3, 2, 4])
    """
    return call(OPERATIONS["vec"].build, (x,), {}) if _traced(x) else np.ravel(x, order="F")
