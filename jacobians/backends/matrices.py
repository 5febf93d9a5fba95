"""Functions of matrices on a library: its own decompositions, with the signs and conventions of numpy's plan.

Values cannot stop a program that is compiled ahead.  Where the numpy plan raises SingularMatrixError (equal
eigenvalues, a rank that is not full), the entries that do not exist are NaN here; where the library's own
function raises (torch's inv of a singular matrix), that error stays.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..expr import Node
from ..ops._matrices import affordable
from ..ops.determinant import minors
from ..ops.exponential import direction_orders, unit_blocks
from .along import products_of_others
from .base import Backend
from .operating import Act, Maker, elementwise, permute, special


def _turned(ns: Any, x: Any) -> Any:
    return ns.swapaxes(x, -1, -2)


def _symmetric_part(ns: Any, x: Any) -> Any:
    return (x + _turned(ns, x)) * 0.5


def _solve(ns: Any, params: None, a: Any, b: Any) -> Any:
    return ns.linalg.solve(a, b[:, None])[..., 0] if b.ndim == 1 else ns.linalg.solve(a, b)


# ---- decompositions


def _signs(ns: Any, v: Any) -> Any:
    """For each column +1 or -1, so that its entry of largest magnitude becomes positive."""
    if 0 in v.shape:
        return ns.ones_like(v[..., :1, :])
    place = ns.argmax(ns.abs(v), axis=-2, keepdims=True)
    take = getattr(ns, "take_along_dim", None) or ns.take_along_axis
    return 1 - 2 * (take(v, place, -2) < 0) * ns.ones_like(v[..., :1, :])


def _eigh(ns: Any, params: None, x: Any) -> tuple[Any, Any]:
    w, v = ns.linalg.eigh(_symmetric_part(ns, x))
    return w, v * _signs(ns, v)


def _svd(ns: Any, params: None, x: Any) -> tuple[Any, Any, Any]:
    u, s, vt = ns.linalg.svd(x, full_matrices=False)
    signs = _signs(ns, u)
    return u * signs, s, vt * _turned(ns, signs)


def _svd_full(ns: Any, params: None, x: Any) -> tuple[Any, Any, Any]:
    """The extra vectors are any basis of what is left: the library's."""
    u, s, vt = ns.linalg.svd(x, full_matrices=True)
    r = s.shape[-1]
    signs = _signs(ns, u[..., :r])
    left = ns.concatenate([signs, ns.ones_like(u[..., :1, r:])], -1)
    right = ns.concatenate([_turned(ns, signs), ns.ones_like(vt[..., r:, :1])], -2)
    return u * left, s, vt * right


# ---- what exists only apart from equal values, or at full rank


def _gaps(node: Node, backend: Backend) -> Act:
    """`1 / (w[j] - w[m])`, 0 on the diagonal, NaN where two values are equal to rounding."""
    ns, n = backend.namespace, int(node.shape[-1])
    diagonal = np.eye(n, dtype=bool)

    def act(like: Any, w: Any) -> Any:
        apart = w[..., None, :] - w[..., :, None]
        same = ns.abs(apart) <= (n * ns.finfo(w.dtype).eps * _largest(ns, ns.abs(w)))[..., None]
        slopes = ns.where(same, math.nan, 1 / ns.where(same, 1.0, apart))
        return ns.where(backend.asarray(diagonal, like), 0.0, slopes)

    return act


def _largest(ns: Any, s: Any) -> Any:
    """The largest of the last axis, which stays with size 1 (of none: none)."""
    return ns.amax(s, axis=-1, keepdims=True) if s.shape[-1] else s


def _cut(ns: Any, shape: tuple[int, int], s: Any) -> Any:
    """Singular values up to this count as zero: as numpy's matrix_rank does."""
    return _largest(ns, s) * (max(shape) * ns.finfo(s.dtype).eps)


def _full_rank(ns: Any, what: str, z: Any, x: Any) -> Any:
    rank = ns.sum(z * _turned(ns, x), (-2, -1))  # z x projects onto the rows of x
    return ns.where((rank > min(x.shape[-2:]) - 0.5)[..., None, None], z, math.nan)


def _matrix_rank(ns: Any, params: tuple[Any, bool, Any], x: Any) -> Any:
    tol, hermitian, rtol = params
    s = ns.abs(ns.linalg.eigvalsh(x)) if hermitian else ns.linalg.svdvals(x)
    if tol is None and rtol is None:
        cut = _cut(ns, x.shape[-2:], s)
    else:
        cut = tol if tol is not None else rtol * _largest(ns, s)
    return ns.count_nonzero(s > cut, axis=-1)


def _pinv(ns: Any, params: tuple[Any, Any], x: Any) -> Any:
    cut = next((given for given in params if given is not None), 1e-15)  # numpy's, not the library's
    return ns.linalg.pinv(x, rtol=cut)


# ---- derivatives of every order that are computed as whole tensors


def _det(node: Node, backend: Backend) -> Act:
    """The determinant (order 0) and its derivatives, the minors, from the singular value decomposition.

    As in numpy's plan nothing is divided by the determinant; there is no shorter way for matrices far from
    singular, as that would ask for values.
    """
    ns, order, (x,) = backend.namespace, node.params, node.args
    if order == 0:
        return lambda like, x: ns.linalg.det(x)
    affordable("det", order, x.shape, 2 * order, x.dtype)
    others = products_of_others(order, int(x.shape[-1]), backend)

    def act(like: Any, x: Any) -> Any:
        u, s, vt = ns.linalg.svd(x)
        return minors(order, u, s, vt, others(like, s), ns)

    return act


def _expm(node: Node, backend: Backend) -> Act:
    """The exponential (order 0) and its Fréchet derivatives: corners of exponentials of block matrices."""
    ns, order, (x,) = backend.namespace, node.params, node.args
    exponential = getattr(ns.linalg, "matrix_exp", None) or special(ns, "scipy.linalg", "expm")
    if order == 0:
        return lambda like, x: exponential(x)
    affordable("expm", order, x.shape, 2 * order + 2, x.dtype)
    n, batch = int(x.shape[-1]), x.shape[:-2]
    size = n * (order + 1)
    units = unit_blocks(n, order).astype(np.dtype(node.dtype))
    diagonal = np.eye(order + 1, dtype=units.dtype)[:, None, :, None]

    def act(like: Any, x: Any) -> Any:
        blocks = ns.reshape(backend.asarray(diagonal, like) * x[..., None, :, None, :], (*batch, size, size))
        whole = exponential(blocks[..., None, :, :] + backend.asarray(units, like))
        corner = ns.reshape(whole[..., :n, size - n :], batch + (n,) * (2 * order + 2))
        return sum(permute(ns)(corner, axes) for axes in direction_orders(len(batch), order))

    return act


MATRICES: dict[str, Maker] = {
    "inv": elementwise(lambda ns, p, x: ns.linalg.inv(x)),
    "solve": elementwise(_solve),
    "pinv": elementwise(_pinv),
    "full_rank": elementwise(_full_rank),
    "matrix_rank": elementwise(_matrix_rank),
    "cholesky": elementwise(lambda ns, p, x: ns.linalg.cholesky(_symmetric_part(ns, x))),
    "qr": elementwise(lambda ns, p, x: tuple(ns.linalg.qr(x))),
    "slogdet": elementwise(lambda ns, p, x: tuple(ns.linalg.slogdet(x))),
    "eigh": elementwise(_eigh),
    "svd": elementwise(_svd),
    "svd_full": elementwise(_svd_full),
    "gaps": _gaps,
    "significant": elementwise(lambda ns, shape, s: s > _cut(ns, shape, s)),
    "reciprocal_full_rank": elementwise(
        lambda ns, shape, s: ns.where(s > _cut(ns, shape, s), 1 / s, math.nan)
    ),
    "det": _det,
    "expm": _expm,
}
