"""Determinants: `det` at every square matrix, singular ones included, and `slogdet` at regular ones.

The derivative of a determinant is the matrix of cofactors, and the k-th derivative is a tensor of minors;
all of them are polynomials in the entries.  `cofactors(k, x)` computes them from the singular value
decomposition, so nothing is ever divided by the determinant and every order is right where the matrix has
no inverse.
"""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np

from ..expr import Node
from ..operation import operation, rule
from ..terms import Term, TermSum
from ._matrices import affordable, batch_of, eps, floating, guarded, square
from ._outputs import named, outputs, several
from ._written import terms
from .matrix import inverse

WELL = 1e6
"""Condition number up to which cofactors are taken from the inverse."""


@operation("matrix", serves="linalg.det", formula="( | k l)  cofactor[k,l], at singular matrices too")
def det(x: Any) -> Node:
    """The determinant of the matrices in x.

    `dz/dx[k,l] = cofactor[k,l] = det(x) inv(x)[l,k]`, shape `batch x (batch x n x n)`; higher derivatives
    are minors, so the order k holds n^(2k) entries.  Raises ShapeError where x is not square.

    >>> import numpy as np, jacobians as jac
    >>> np.asarray(jac.jacobian(np.linalg.det)(np.array([[1.0, 2.0], [2.0, 4.0]]))).round(12)
    array([[ 4., -2.],
           [-2.,  1.]])
    """
    x = square(x, "det")
    return Node("det", (x,), 0, batch_of(x), floating(x))


def _det_local(node: Node, k: int) -> TermSum:
    """`d^(k+1) det`: one more pair of axes, which become the input axes."""
    x, order = node.args[0], node.params + 1
    batch = len(batch_of(x))
    shape = (*node.shape, *x.shape[-2:])
    minors = Node("det", (x,), order, shape, node.dtype)
    labels = tuple(range(len(shape)))
    whole = Term(1, ((minors, labels),), labels[:-2], labels[:batch] + labels[-2:], shape)
    return TermSum(node.shape, x.shape, (whole,))


def cofactors(order: int, x: Any) -> Any:
    """The derivative of that order of the determinants in x: axes `batch, i1, j1, i2, j2, ...`.

    With `x = U S V^T` it is `det(U V) sum over a1...ak of P[a1...ak] det[U[ir,ar] V[jr,as]]`, where P is
    the product of the singular values that the a's leave out: sums of products of the minors of a diagonal
    matrix, rotated back.
    """
    if order == 0:
        return np.linalg.det(x)
    affordable("det", order, x.shape, 2 * order, x.dtype)
    fast = _from_inverse(order, x)
    if fast is not None:
        return _antisymmetric(fast, order)
    u, s, vt = np.linalg.svd(x)
    *batch, n = s.shape
    sign = np.linalg.det(u) * np.linalg.det(vt)
    whole = _products_of_others(s, order) * sign.reshape(*batch, *(1,) * order)
    for _ in range(order):
        done = whole.shape[len(batch) + 1 :]
        flat = np.swapaxes(whole.reshape(*batch, n, -1), -1, -2)
        turned = (flat[..., :, None, :] * u.conj()[..., None, :, :]) @ vt.conj()[..., None, :, :]
        whole = turned.reshape(*batch, *done, n, n)
    return _antisymmetric(whole, order)


def _from_inverse(order: int, x: Any) -> Any:
    """`det(x) inv(x)[j1,i1] inv(x)[j2,i2] ...` where no digits are lost, else None; only an optimisation."""
    try:
        inverse = np.swapaxes(np.linalg.inv(x), -1, -2)
    except np.linalg.LinAlgError:
        return None
    whole = np.linalg.det(x)
    condition = np.abs(x).sum(-1).max(-1, initial=0) * np.abs(inverse).sum(-1).max(-1, initial=0)
    small, large = np.finfo(x.dtype).tiny / eps(x), np.finfo(x.dtype).max * eps(x)
    size = np.abs(whole)
    if not np.all((condition**order < WELL) & (size > small) & (size < large)):
        return None
    for _ in range(order):
        batch = whole.ndim - x.ndim + 2
        whole = whole[..., None, None] * inverse[(..., *(None,) * batch, slice(None), slice(None))]
    return whole


def _products_of_others(s: np.ndarray, order: int) -> np.ndarray:
    """`P[..., a1, ..., ak]`: the product of `s[..., m]` over m unlike every a; 0 where two a's are equal."""
    n = s.shape[-1]
    grid: Any = np.indices((n,) * order, sparse=True)
    made = np.ones((*s.shape[:-1], *(n,) * order), s.dtype)
    for m in range(n):
        left_out = np.logical_or.reduce(np.broadcast_arrays(*(a == m for a in grid)))
        made *= np.where(left_out, np.ones((), s.dtype), s[..., m].reshape(s.shape[:-1] + (1,) * order))
    for p in range(order):
        for q in range(p):
            made = made * (grid[p] != grid[q])
    return made


def _antisymmetric(whole: np.ndarray, order: int) -> np.ndarray:
    """The sum over permutations of the j axes of `i1 j1 i2 j2 ...`, with the permutation's sign."""
    total = np.zeros_like(whole)
    for sign, axes in signed_orders(whole.ndim - 2 * order, order):
        total += sign * whole.transpose(axes)
    return total


def signed_orders(first: int, order: int) -> list[tuple[int, list[int]]]:
    """The orders of axes that permute the j of `i1 j1 i2 j2 ...` after `first` others, each with its sign."""
    found = []
    for chosen in permutations(range(order)):
        axes = list(range(first + 2 * order))
        for place, j in enumerate(chosen):
            axes[first + 2 * place + 1] = first + 2 * j + 1
        found.append((_sign(chosen), axes))
    return found


def _sign(chosen: tuple[int, ...]) -> int:
    return 1 - 2 * (sum(chosen[p] < chosen[q] for p in range(len(chosen)) for q in range(p)) % 2)


rule("det", guarded(cofactors, "det failed", "finite entries"), _det_local)


@operation("matrix", serves="linalg.slogdet", formula="logabsdet: ( | k l)  inv(x)[l,k]; sign: 0")
def slogdet(x: Any) -> Any:
    """The sign and the logarithm of the absolute value of the determinants in x, as numpy's SlogdetResult.

    `d logabsdet/dx[k,l] = inv(x)[l,k]`, the sign's derivative is 0; shapes `batch x (batch x n x n)`.  The
    derivative raises SingularMatrixError where x has no inverse.

    >>> import numpy as np, jacobians as jac
    >>> np.asarray(jac.jacobian(lambda X: np.linalg.slogdet(X).logabsdet)(np.diag([2.0, 4.0])))
    array([[0.5 , 0.  ],
           [0.  , 0.25]])
    """
    x = square(x, "slogdet")
    batch, dtype = batch_of(x), floating(x)
    return named(np.linalg.slogdet, outputs("slogdet", (x,), None, (batch, batch), (dtype, dtype)))


def _logabsdet_local(node: Node, k: int) -> TermSum:
    x = node.args[0].args[k]
    return terms("...|...kl: y[...lk]", {"y": inverse(x)}, node.shape, x.shape)


several("slogdet", lambda params, x: tuple(np.linalg.slogdet(x)), None, _logabsdet_local)
