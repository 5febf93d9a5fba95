"""Eigenvalues and singular values: eigvalsh, eigh, svdvals, svd; of each output its own Jacobian.

Functions of a symmetric matrix are taken on its symmetric part `(x + x^T) / 2`, where numpy reads one
triangle.  Signs: the entry of largest magnitude of every eigenvector and every column of U is positive.
Vectors of equal eigenvalues or singular values have no derivative: a SingularMatrixError.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import SingularMatrixError, UnsupportedError
from ..expr import Node
from ..operation import operation, rule
from ..terms import TermSum, add
from . import _text
from ._matrices import batch_of, eps, floating, guarded, is_longer, matrix, show, square, symmetric_part
from ._outputs import named, outputs, several
from ._written import terms

# ---- symmetric eigenvalues


def _eigen(x: Node) -> tuple[Node, ...]:
    shape, dtype = x.shape, floating(x)
    return outputs("eigh", (x,), None, (shape[:-1], shape), (dtype, dtype))


@operation(
    "matrix",
    serves="linalg.eigvalsh",
    formula="(i | k l)  v[k,i] v[l,i]",
    kink="equal eigenvalues: by the computed vectors",
)
def eigvalsh(x: Any, UPLO: str = "L") -> Node:
    """The eigenvalues of the symmetric part of x, ascending.

    `dw[i]/dx[k,l] = v[k,i] v[l,i]`, shape `(batch x n) x (batch x n x n)`.  Where eigenvalues are equal
    each alone has no derivative: v is then the basis that LAPACK finds, and symmetric functions of w are
    still right.

    >>> import numpy as np, jacobians as jac
    >>> np.asarray(jac.jacobian(np.linalg.eigvalsh)(np.diag([1.0, 2.0])))[0]
    array([[1., 0.],
           [0., 0.]])
    """
    return _eigen(square(x, "eigvalsh"))[0]


@operation(
    "matrix",
    serves="linalg.eigh",
    formula="w: (i | k l)  v[k,i] v[l,i]; v: (i j | k l)  v[i,m] F[m,j] v[k,m] v[l,j], symmetrised over k l",
)
def eigh(x: Any, UPLO: str = "L") -> Any:
    """The eigenvalues w, ascending, and eigenvectors v[:, j] of the symmetric part of x, as an EighResult.

    `dw[i]/dx[k,l] = v[k,i] v[l,i]` and `dv[i,j]/dx[k,l] = sum_m v[i,m] F[m,j] v[k,m] v[l,j]`, symmetrised
    over k and l, where `F[m,j] = 1 / (w[j] - w[m])` off the diagonal.  The entry of largest magnitude of
    each eigenvector is positive. The derivative of v raises SingularMatrixError at equal eigenvalues.
    """
    return named(np.linalg.eigh, _eigen(square(x, "eigh")))


def _run_eigh(params: None, x: Any) -> tuple[Any, Any]:
    w, v = np.linalg.eigh(symmetric_part(x))
    return w, v * _signs(v)


def _signs(v: Any) -> Any:
    """For each column +1 or -1, so that its entry of largest magnitude becomes positive."""
    if v.size == 0:
        return np.ones((*v.shape[:-2], 1, v.shape[-1]), v.dtype)
    largest = np.take_along_axis(v, np.argmax(np.abs(v), axis=-2, keepdims=True), -2)
    return np.where(largest < 0, -1, 1).astype(v.dtype)


def _eigenvalues_local(node: Node, k: int) -> TermSum:
    x = node.args[0].args[0]
    return terms("...i|...kl: v[...ki] v[...li]", {"v": _eigen(x)[1]}, node.shape, x.shape)


def _eigenvectors_local(node: Node, k: int) -> TermSum:
    x = node.args[0].args[0]
    names = {"v": node, "f": gaps(_eigen(x)[0], "eigenvalues")}
    text = "...ij|...kl: 0.5 v[...im] f[...mj] v[...km] v[...lj]; 0.5 v[...im] f[...mj] v[...lm] v[...kj]"
    return terms(text, names, node.shape, x.shape)


several(
    "eigh",
    guarded(_run_eigh, "eigenvalues did not converge", "finite entries"),
    _eigenvalues_local,
    _eigenvectors_local,
)


def gaps(w: Node, what: str) -> Node:
    """`F[m,j] = 1 / (w[j] - w[m])`, 0 on the diagonal; it raises SingularMatrixError at equal ones."""
    return Node("gaps", (w,), what, (*w.shape, w.shape[-1]), w.dtype)


def _gaps(what: str, w: Any) -> Any:
    n = w.shape[-1]
    apart = w[..., None, :] - w[..., :, None]
    same = np.abs(apart) <= n * eps(w) * np.max(np.abs(w), axis=-1, initial=0)[..., None, None]
    diagonal = np.eye(n, dtype=bool)
    if np.any(same & ~diagonal):
        *item, i, j = (int(k) for k in np.argwhere(same & ~diagonal)[0])
        raise SingularMatrixError(
            f"equal {what}: their vectors have no derivative",
            f"numbers {i} and {j}" + (f" of item {tuple(item)}" if item else "") + " are equal to rounding",
            f"functions of the {what} alone, or of the matrix itself",
        )
    return np.where(diagonal, 0, 1 / np.where(diagonal, 1, apart)).astype(w.dtype)


def _gaps_local(node: Node, k: int) -> TermSum:
    """`dF[i,j]/dw[k] = F[i,j]^2 (δ[i,k] - δ[j,k])`."""
    names = {"f": _text.multiply(node, node)}
    shapes = node.shape, node.args[0].shape
    return add(
        [terms("...ij|...i: f[...ij]", names, *shapes), terms("...ij|...j: -1 f[...ij]", names, *shapes)]
    )


rule("gaps", _gaps, _gaps_local)

# ---- singular values


def _singular(x: Node) -> tuple[Node, ...]:
    """U (m x r), s (r) and V^T (r x n) of the economy decomposition, r = min(m, n)."""
    *batch, m, n = x.shape
    r = n if is_longer(m, n) else m
    dtype = floating(x)
    return outputs("svd", (x,), None, ((*batch, m, r), (*batch, r), (*batch, r, n)), (dtype,) * 3)


def _run_svd(params: None, x: Any) -> tuple[Any, Any, Any]:
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    signs = _signs(u)
    return u * signs, s, vt * np.swapaxes(signs, -1, -2)


def _run_full(params: None, x: Any) -> tuple[Any, Any, Any]:
    u, s, vt = np.linalg.svd(x)
    r = s.shape[-1]
    signs = _signs(u[..., :r])
    u[..., :r] *= signs
    vt[..., :r, :] *= np.swapaxes(signs, -1, -2)
    return u, s, vt


FAILED = ("the svd did not converge", "finite entries")


@operation(
    "matrix",
    serves="linalg.svdvals",
    formula="(i | k l)  u[k,i] vt[i,l]",
    kink="0 at a zero singular value; equal ones: by the computed vectors",
)
def svdvals(x: Any) -> Node:
    """The singular values of the matrices in x, descending.

    `ds[i]/dx[k,l] = u[k,i] vt[i,l]`, shape `(batch x r) x (batch x m x n)`, and 0 where `s[i]` is zero to
    rounding.

    >>> import numpy as np, jacobians as jac
    >>> np.asarray(jac.jacobian(np.linalg.svdvals)(np.diag([3.0, 2.0])))[0].round(12)
    array([[1., 0.],
           [0., 0.]])
    """
    return _singular(matrix(x, "svdvals"))[1]


@operation("matrix", serves="linalg.svd", formula="s: (i | k l)  u[k,i] vt[i,l]; u and vt: Townsend (2016)")
def svd(x: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    """The singular value decomposition `x = u diag(s) vt` as numpy's SVDResult, or s alone.

    `ds[i]/dx[k,l] = u[k,i] vt[i,l]`; for u and vt see Townsend (2016), with `F[m,j] = 1 / (s[j]^2 -
    s[m]^2)`.  The entry of largest magnitude of each column of u is positive.  Derivatives of u and vt
    raise SingularMatrixError at equal singular values, and UnsupportedError for the extra columns that
    `full_matrices` adds: they are any basis.
    """
    if hermitian:
        raise UnsupportedError("svd(hermitian=True) is not traced", "", "np.linalg.eigh(x), or svd(x)")
    x = matrix(x, "svd")
    m, n = x.shape[-2:]
    made = _singular(x)
    if not compute_uv:
        return made[1]
    if full_matrices and m != n:
        shapes = ((*batch_of(x), m, m), made[1].shape, (*batch_of(x), n, n))
        made = outputs("svd_full", (x,), None, shapes, (made[1].dtype,) * 3)
    return named(np.linalg.svd, made)


def _svd_parts(node: Node) -> tuple[Node, dict[str, Node]]:
    x = node.args[0].args[0]
    u, s, vt = _singular(x)
    return x, {"u": u, "s": s, "v": vt}


def _s_local(node: Node, k: int) -> TermSum:
    x, names = _svd_parts(node)
    names["p"] = Node("significant", (names["s"],), x.shape[-2:], node.shape, np.dtype(bool))
    return terms("...i|...kl: p[...i] u[...ki] v[...il]", names, node.shape, x.shape)


def _vectors_local(node: Node, k: int) -> TermSum:
    """The turn of u (output 0) or vt within the r vectors, and out of them where its side is longer."""
    x, names = _svd_parts(node)
    s = names["s"]
    names["f"] = gaps(_text.multiply(s, s), "singular values")
    turn, *leave = _U if node.params == 0 else _VT
    found = [terms(turn, names, node.shape, x.shape)]
    if _leaves(x, node.params):
        names["r"] = Node("reciprocal_full_rank", (s,), x.shape[-2:], s.shape, s.dtype)
        found += [terms(text, names, node.shape, x.shape) for text in leave]
    return add(found)


def _leaves(x: Node, output: int) -> bool:
    """Whether the side of u (output 0) or vt (output 2) is longer than the number of singular values."""
    m, n = x.shape[-2:]
    return is_longer(m, n) if output == 0 else is_longer(n, m)


_U = (
    "...ij|...kl: u[...im] f[...mj] u[...km] v[...jl] s[...j]; u[...im] f[...mj] s[...m] v[...ml] u[...kj]",
    "...ij|...il: v[...jl] r[...j]",
    "...ij|...kl: -1 u[...im] u[...km] v[...jl] r[...j]",
)
_VT = (
    "...ji|...kl: v[...mi] f[...mj] v[...ml] u[...kj] s[...j]; v[...mi] f[...mj] s[...m] u[...km] v[...jl]",
    "...ji|...ki: u[...kj] r[...j]",
    "...ji|...kl: -1 v[...mi] v[...ml] u[...kj] r[...j]",
)


def _cut(shape: tuple[int, int], s: Any) -> Any:
    """Singular values up to this count as zero: as numpy's matrix_rank does."""
    return np.max(s, axis=-1, keepdims=True, initial=0) * max(shape) * eps(s)


def _reciprocal(shape: tuple[int, int], s: Any) -> Any:
    if np.any(s <= _cut(shape, s)):
        raise SingularMatrixError(
            "singular vectors have no derivative at a matrix whose rank is not full",
            f"the smallest singular value is {np.min(s):.3g}",
            "functions of the singular values alone, or of the matrix itself",
        )
    return 1 / s


def _reciprocal_local(node: Node, k: int) -> TermSum:
    return terms("...i|...i: -1 r[...i] r[...i]", {"r": node}, node.shape, node.shape)


rule("significant", lambda shape, s: s > _cut(shape, s))
rule("reciprocal_full_rank", _reciprocal, _reciprocal_local)
several("svd", guarded(_run_svd, *FAILED), _vectors_local, _s_local, _vectors_local)


def _full_local(node: Node, k: int) -> TermSum:
    x = node.args[0].args[0]
    if not _leaves(x, node.params):
        return _vectors_local(node, k)
    raise UnsupportedError(
        f"svd with full_matrices=True: {'u' if node.params == 0 else 'vt'} has no derivative",
        f"x is {show(x.shape)}: the vectors beyond min(m, n) are any basis of what is left",
        "np.linalg.svd(x, full_matrices=False)",
    )


several("svd_full", guarded(_run_full, *FAILED), _full_local, _s_local, _full_local)
