"""Triangular factorizations: cholesky and qr; of each output its own Jacobian.

cholesky is taken on the symmetric part `(x + x^T) / 2`, where numpy reads one triangle; qr keeps numpy's
signs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import UnsupportedError
from ..expr import Node
from ..operation import operation, rule
from ..terms import TermSum, add
from ._matrices import (
    floating,
    guarded,
    is_longer,
    matrix,
    square,
    symmetric_part,
    triangle,
)
from ._outputs import named, outputs, several
from ._written import terms
from .indexing import getitem
from .joining import concatenate
from .matrix import inverse
from .multilinear import matmul, matrix_transpose

# ---- Cholesky


@operation(
    "matrix",
    serves="linalg.cholesky",
    formula="(i j | k l)  z[i,p] Φ[p,j] inv(z)[p,k] inv(z)[j,l], symmetrised over k l",
)
def cholesky(x: Any, upper: bool = False) -> Node:
    """The lower triangular z with `z z^T = (x + x^T) / 2` (or, `upper`, its transpose).

    `dz[i,j]/dx[k,l] = sum_p z[i,p] Φ[p,j] w[p,k] w[j,l]`, symmetrised over k and l, where `w = inv(z)` and
    Φ is 1 below the diagonal and 1/2 on it (Murray, 2016).  Raises ShapeError where x is not square,
    SingularMatrixError where it is not positive definite.

    >>> import numpy as np, jacobians as jac
    >>> jac.jacobian(np.linalg.cholesky)(np.diag([4.0, 9.0]))[0, 0, 0, 0]
    np.float64(0.25)
    """
    x = square(x, "cholesky")
    z = Node("cholesky", (x,), None, x.shape, floating(x))
    return matrix_transpose(z) if upper else z


def _cholesky_local(node: Node, k: int) -> TermSum:
    names = {"z": node, "w": inverse(node), "h": triangle(node.shape[-1], 1, 0.5, node.dtype)}
    text = "...ij|...kl: 0.5 z[...ip] h[pj] w[...pk] w[...jl]; 0.5 z[...ip] h[pj] w[...pl] w[...jk]"
    return terms(text, names, node.shape, node.shape)


rule(
    "cholesky",
    guarded(
        lambda params, x: np.linalg.cholesky(symmetric_part(x)),
        "cholesky needs a positive definite matrix",
        "x @ x.T + c * identity, or np.linalg.eigh for symmetric matrices of any sign",
    ),
    _cholesky_local,
)

# ---- QR


def _triangular(x: Node) -> tuple[Node, ...]:
    *batch, m, n = x.shape
    dtype = floating(x)
    return outputs("qr", (x,), None, ((*batch, m, n), (*batch, n, n)), (dtype, dtype))


@operation(
    "matrix", serves="linalg.qr", formula="q and r through W = q^T dx inv(r): its strict lower part turns q"
)
def qr(x: Any, mode: str = "reduced") -> Any:
    """`q r = x`, q (m x k) with orthonormal columns, r (k x n) upper triangular, k = min(m, n): a QRResult.

    With `M = q^T dx inv(r)` and its strict lower part L: `dq = q (L - L^T) + (1 - q q^T) dx inv(r)` and `dr
    = (M - L + L^T) r`.  Signs are numpy's.  The derivative raises SingularMatrixError where the first k
    columns are dependent.  Modes: reduced, r, and complete where it is the same as reduced.
    """
    x = matrix(x, "qr")
    m, n = x.shape[-2:]
    tall = not is_longer(n, m)
    if mode not in ("reduced", "r") and not (mode == "complete" and (m == n or not tall)):
        raise UnsupportedError(
            f"qr(mode={mode!r}) is not traced",
            f"x is {m} x {n}: further columns of q are any basis",
            "mode='reduced' or 'r'",
        )
    if tall:
        q, r = _triangular(x)
    else:
        q, first = _triangular(getitem(x, (..., slice(0, m))))
        r = concatenate([first, matmul(matrix_transpose(q), getitem(x, (..., slice(m, None))))], -1)
    return r if mode == "r" else named(np.linalg.qr, (q, r))


def _qr_names(node: Node) -> tuple[Node, dict[str, Node]]:
    x = node.args[0].args[0]
    q, r = _triangular(x)
    n = x.shape[-1]
    lower, closed = triangle(n, 1, 0, r.dtype), triangle(n, 1, 1, r.dtype)
    return x, {"q": q, "r": r, "w": inverse(r), "s": lower, "t": closed}


def _q_local(node: Node, k: int) -> TermSum:
    x, names = _qr_names(node)
    turn = "...ij|...kl: q[...ip] s[pj] q[...kp] w[...lj]; -1 q[...ip] s[jp] q[...kj] w[...lp]"
    found = [terms(turn, names, node.shape, x.shape)]
    if x.shape[-2] != x.shape[-1]:
        found += [
            terms(text, names, node.shape, x.shape)
            for text in ("...ij|...il: w[...lj]", "...ij|...kl: -1 q[...ip] q[...kp] w[...lj]")
        ]
    return add(found)


def _r_local(node: Node, k: int) -> TermSum:
    x, names = _qr_names(node)
    text = "...ij|...kl: t[pi] q[...ki] w[...lp] r[...pj]; s[pi] q[...kp] w[...li] r[...pj]"
    return terms(text, names, node.shape, x.shape)


several(
    "qr", guarded(lambda params, x: tuple(np.linalg.qr(x)), "qr failed", "finite entries"), _q_local, _r_local
)
