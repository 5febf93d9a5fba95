"""Inverses, systems, powers: inv, pinv, solve, lstsq, matrix_power, multi_dot, tensorinv, tensorsolve, cond.

Local Jacobians keep their factors apart: `inv` is `(i j | k l)  -z[i,k] z[l,j]`, two matrices and never n^4
entries. Leading axes are a batch: a label that target and input share.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..axes import Shape, entries
from ..errors import ShapeError, SingularMatrixError, UnsupportedError
from ..expr import Node
from ..operation import as_node, operation, rule
from ..terms import TermSum, add
from ._broadcast import axes_of, broadcast
from ._matrices import batch_of, floating, guarded, is_longer, matrix, show, square, triangle
from ._written import terms
from .arithmetic import multiply, subtract
from .indexing import getitem
from .multilinear import broadcast_to, contract, einsum, matmul, sum, transpose
from .pointwise import make
from .reshaping import reshape_node
from .spectral import svdvals

REMEDY = "a regular matrix; np.linalg.pinv or adding a multiple of the identity"


def inverse(x: Node) -> Node:
    """The node of the inverses of square matrices."""
    return Node("inv", (x,), None, x.shape, floating(x))


@operation("matrix", serves="linalg.inv", formula="(i j | k l)  -z[i,k] z[l,j]")
def inv(x: Any) -> Node:
    """The inverses of the matrices in x.

    `dz[i,j]/dx[k,l] = -z[i,k] z[l,j]`, shape `(batch x n x n) x (batch x n x n)`.  Raises ShapeError where
    x is not square, SingularMatrixError where it has no inverse.

    >>> import numpy as np, jacobians as jac
    >>> jac.jacobian(np.linalg.inv)(np.diag([1.0, 2.0]))[0, 1]
    Jacobian of inv of shape (2 x 2) by a: 4 of 4 entries can be nonzero, 32 B if materialized
    """
    return inverse(square(x, "inv"))


def _inv_local(node: Node, k: int) -> TermSum:
    return terms("...ij|...kl: -1 z[...ik] z[...lj]", {"z": node}, node.shape, node.shape)


rule(
    "inv",
    guarded(lambda params, x: np.linalg.inv(x), "the matrix is singular: it has no inverse", REMEDY),
    _inv_local,
)


@operation(
    "matrix",
    "a b",
    serves="linalg.solve",
    formula="(i j | k l)  -inv(a)[i,k] z[l,j] by a; (i j | k j)  inv(a)[i,k] by b",
)
def solve(a: Any, b: Any) -> Node:
    """z with a z = b, for square matrices a; b is a vector where it has one axis, else matrices (numpy 2).

    `dz[i,j]/da[k,l] = -inv(a)[i,k] z[l,j]` and `dz[i,j]/db[k,j] = inv(a)[i,k]`, batch axes broadcast.  Raises
    ShapeError where sizes do not fit, SingularMatrixError where a has no inverse.

    >>> import numpy as np, jacobians as jac
    >>> a, b = np.diag([1.0, 2.0]), np.ones(2)
    >>> np.asarray(jac.jacobian(np.linalg.solve, wrt="b")(a, b))
    array([[1. , 0. ],
           [0. , 0.5]])
    """
    a, b = square(a, "solve"), as_node(b)
    column = ("j",) if b.ndim > 1 else ()
    if b.ndim == 0 or b.shape[-len(column) - 1] != a.shape[-1]:
        raise ShapeError(
            "solve: the sizes of a and b do not fit",
            f"a is {show(a.shape)}, b is {show(b.shape)}",
            f"{a.shape[-1]} rows in b; b[..., None] for a batch of vectors (only one axis reads as a vector)",
        )
    batch = broadcast(batch_of(a), b.shape[:-2], where="the batch axes of solve").shape
    a, b = _stretched(a, batch, 2), _stretched(b, batch, 2) if column else b
    shape = (*batch, *b.shape[-len(column) - 1 :])
    return Node("solve", (a, b), None, shape, floating(a, b))


def _stretched(x: Node, batch: Shape, own: int) -> Node:
    """`x` with its batch broadcast, where one of its batch axes is a 1 that has to become longer."""
    mine = x.shape[: x.ndim - own]
    same = all(m == n for m, n in zip(reversed(mine), reversed(batch), strict=False))
    return x if same else broadcast_to(x, (*batch, *x.shape[x.ndim - own :]))


def _solve(params: None, a: Any, b: Any) -> Any:
    return np.linalg.solve(a, b[:, None])[..., 0] if np.ndim(b) == 1 else np.linalg.solve(a, b)


def _solve_local(node: Node, k: int) -> TermSum:
    a, b = node.args
    names = {"y": inverse(a), "z": node}
    if b.ndim == 1:
        text = ("...i|...kl: -1 y[...ik] z[...l]", "...i|k: y[...ik]")[k]
    else:
        text = ("...ij|...kl: -1 y[...ik] z[...lj]", "...ij|...kj: y[...ik]")[k]
    return terms(text, names, node.shape, node.args[k].shape)


rule("solve", guarded(_solve, "the matrix of the system is singular", REMEDY), _solve_local)


@operation(
    "matrix",
    serves="linalg.pinv",
    formula="(i j | k l)  -z[i,k] z[l,j] + the residual's part; full rank only",
)
def pinv(x: Any, rcond: Any = None, hermitian: bool = False, rtol: Any = None) -> Node:
    """The pseudo-inverses z of the m x n matrices in x, differentiable where the rank is full.

    `dz[i,j]/dx[k,l] = -z[i,k] z[l,j] + (z z^T)[i,l] (δ[k,j] - (x z)[k,j])` for m > n, and
    `... + (δ[i,l] - (z x)[i,l]) (z^T z)[k,j]` for m < n (Golub and Pereyra, 1973).  The derivative raises
    SingularMatrixError where the rank is not full: the pseudo-inverse jumps there.

    >>> import numpy as np, jacobians as jac
    >>> jac.jacobian(np.linalg.pinv)(np.arange(6.0).reshape(3, 2)).shape
    (2, 3, 3, 2)
    """
    if hermitian:
        raise UnsupportedError("pinv(hermitian=True) is not traced", "", "pinv(x), which needs no symmetry")
    x = matrix(x, "pinv")
    shape = (*batch_of(x), x.shape[-1], x.shape[-2])
    return Node("pinv", (x,), (rcond, rtol), shape, floating(x))


def _pinv(params: tuple[Any, Any], x: Any) -> Any:
    rcond, rtol = params
    cut = {"rcond": rcond} if rcond is not None else {"rtol": rtol} if rtol is not None else {}
    return np.linalg.pinv(x, **cut)


def full_rank(z: Node, x: Node, what: str) -> Node:
    """The pseudo-inverses `z` of `x`; raises SingularMatrixError when it runs and a rank is not full."""
    return Node("full_rank", (z, x), what, z.shape, z.dtype)


def _full_rank(what: str, z: Any, x: Any) -> Any:
    rank = np.einsum("...ij,...ji->...", z, x).real  # z x projects onto the rows of x
    if np.any(rank < min(np.shape(x)[-2:]) - 0.5):
        raise SingularMatrixError(
            f"{what} at a matrix whose rank is not full",
            f"x is {show(np.shape(x))}, rank {np.min(rank):.0f}",
            "a matrix of full rank, or solve(x.T @ x + c * identity, x.T)",
        )
    return z


def _full_rank_local(node: Node, k: int) -> TermSum:
    arg = node.args[k]
    if k == 1:
        return TermSum(node.shape, arg.shape)
    return terms("...ij|...ij: 1", {}, node.shape, arg.shape)


def _pinv_local(node: Node, k: int) -> TermSum:
    x = node.args[0]
    text = "...ij|...kl: -1 z[...ik] z[...lj]"
    names = {"z": full_rank(node, x, "pinv has no derivative"), "x": x}
    found = [terms(text, names, node.shape, x.shape)]
    if x.shape[-2] != x.shape[-1]:
        for residual in _RESIDUALS[is_longer(*x.shape[-2:])]:
            found.append(terms(residual, names, node.shape, x.shape))
    return add(found)


_RESIDUALS = {
    True: ("...ij|...jl: z[...iq] z[...lq]", "...ij|...kl: -1 z[...iq] z[...lq] x[...kp] z[...pj]"),
    False: ("...ij|...ki: z[...qk] z[...qj]", "...ij|...kl: -1 z[...ip] x[...pl] z[...qk] z[...qj]"),
}
rule("pinv", guarded(_pinv, "pinv failed", "finite entries"), _pinv_local)
rule("full_rank", _full_rank, _full_rank_local, views=True)


@operation("matrix", "a b", serves="linalg.lstsq", formula="by a and b through z = pinv(a) b")
def lstsq(a: Any, b: Any, rcond: Any = None) -> tuple[Any, ...]:
    """Least squares `min |a z - b|^2`, a of full rank: (z, residuals, rank, singular values).

    `z = pinv(a) b`; the residuals are `sum_i (b - a z)[i]^2` where m > n and have no entries else, as
    numpy's. Raises ShapeError where sizes do not fit, SingularMatrixError where the rank of a is not full.
    """
    a, b = matrix(a, "lstsq"), as_node(b)
    if a.ndim > 2 or b.ndim not in (1, 2) or b.shape[0] != a.shape[0]:
        raise ShapeError(
            "lstsq needs one matrix and as many values as it has rows",
            f"a is {show(a.shape)}, b is {show(b.shape)}",
            "np.linalg.pinv(a) @ b for a batch",
        )
    z = matmul(full_rank(pinv(a, rcond), a, "lstsq is not traced"), b)
    tall = is_longer(*a.shape)
    rank = a.shape[1 if tall else 0]
    if not tall:
        return z, as_node(np.zeros(0)), rank, svdvals(a)
    rest = make("square", subtract(b, matmul(a, z)))
    residuals = sum(rest, 0)
    return z, residuals if b.ndim == 2 else reshape_node(residuals, (1,)), rank, svdvals(a)


@operation(
    "matrix", serves="linalg.matrix_power", formula="sum over p of (i j | k l)  (x^p)[i,k] (x^(n-1-p))[l,j]"
)
def matrix_power(x: Any, n: int) -> Node:
    """The n-th powers of the matrices in x; `x^-n` is the n-th power of the inverse, `x^0` the identity.

    `dz[i,j]/dx[k,l] = sum_{p<n} (x^p)[i,k] (x^(n-1-p))[l,j]`, by the chain rule through repeated squares.
    Raises ShapeError where x is not square, SingularMatrixError for a negative power of a singular matrix.
    """
    x = square(x, "matrix_power")
    if not isinstance(n, (int, np.integer)):
        raise UnsupportedError(
            "matrix_power needs an integer power", f"n is {n!r}", "eigh for powers of symmetric matrices"
        )
    if n == 0:
        return broadcast_to(triangle(x.shape[-1], 0, 1, floating(x)), x.shape)
    return _power(inverse(x) if n < 0 else x, abs(int(n)))


def _power(base: Node, n: int) -> Node:
    whole: Node | None = None
    while n:
        n, odd = divmod(n, 2)
        if odd:
            whole = base if whole is None else matmul(whole, base)
        base = matmul(base, base) if n else base
    assert whole is not None
    return whole


@operation("matrix", "arrays", serves="linalg.multi_dot")
def multi_dot(arrays: Any, out: None = None) -> Node:
    """The product of matrices, a vector perhaps first and last, contracted along its cheapest path."""
    nodes = [as_node(array) for array in arrays]
    ends = {0, len(nodes) - 1}
    if len(nodes) < 2 or any(
        node.ndim != 2 and not (node.ndim == 1 and k in ends) for k, node in enumerate(nodes)
    ):
        raise ShapeError(
            "multi_dot needs two or more matrices, or vectors at the ends",
            ", ".join(show(node.shape) for node in nodes),
            "np.einsum or @ for batches",
        )
    labels = [(k, k + 1) for k in range(len(nodes))]
    spelled = [
        ls if n.ndim == 2 else ls[:1] if k else ls[1:]
        for k, (n, ls) in enumerate(zip(nodes, labels, strict=True))
    ]
    output = [0] * (nodes[0].ndim == 2) + [len(nodes)] * (nodes[-1].ndim == 2)
    return contract(list(zip(nodes, spelled, strict=True)), output, "multi_dot")


@operation("matrix", serves="linalg.tensorinv", formula="that of inv, reshaped")
def tensorinv(x: Any, ind: int = 2) -> Node:
    """The inverse of x for tensordot over its first `ind` axes: x as a matrix, inverted."""
    x = as_node(x)
    rows, columns = x.shape[:ind], x.shape[ind:]
    return reshape_node(inv(reshape_node(x, (entries(rows), entries(columns)))), columns + rows)


@operation("matrix", "a b", serves="linalg.tensorsolve", formula="that of solve, reshaped")
def tensorsolve(a: Any, b: Any, axes: Any = None) -> Node:
    """z with tensordot(a, z, z.ndim) = b, the `axes` of a moved to its end first."""
    a, b = as_node(a), as_node(b)
    if axes is not None:
        last = axes_of(axes, a.ndim)
        a = transpose(a, [k for k in range(a.ndim) if k not in last] + list(last))
    n = entries(b.shape)
    shape = a.shape[b.ndim :]
    return reshape_node(solve(reshape_node(a, (n, entries(shape))), reshape_node(b, (n,))), shape)


@operation("matrix", serves="linalg.matrix_rank", formula="0")
def matrix_rank(x: Any, tol: Any = None, hermitian: bool = False, rtol: Any = None) -> Node:
    """The ranks of the matrices in x: integers, which have derivative zero."""
    x = matrix(x, "matrix_rank")
    return Node("matrix_rank", (x,), (tol, hermitian, rtol), batch_of(x), np.dtype(np.int64))


def _matrix_rank(params: tuple[Any, bool, Any], x: Any) -> Any:
    tol, hermitian, rtol = params
    return np.linalg.matrix_rank(x, tol, hermitian, **({} if rtol is None else {"rtol": rtol}))


rule("matrix_rank", _matrix_rank)


@operation("matrix", serves="linalg.cond", formula="through the singular values; through inv for p='fro'")
def cond(x: Any, p: Any = None) -> Node:
    """The condition numbers `|x| |inv(x)|` of the matrices in x; p is None, 2, -2 (spectral) or "fro"."""
    x = matrix(x, "cond")
    if p in (None, 2, -2):
        s = svdvals(x)
        largest, smallest = getitem(s, (..., 0)), getitem(s, (..., -1))
        return make("divide", *((smallest, largest) if p == -2 else (largest, smallest)))
    if p != "fro":
        raise UnsupportedError(
            f"cond(p={p!r}) is not traced", "", "p=None, 2, -2 or 'fro'; norm(x, p) * norm(inv(x), p)"
        )
    squares = [einsum("...ij,...ij->...", m, m) for m in (x, inv(x))]
    return make("sqrt", multiply(*squares))
