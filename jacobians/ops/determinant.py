"""Determinants: `det` at every square matrix, singular ones included, and `slogdet` at regular ones.

The derivative of a determinant is the matrix of cofactors, and the k-th derivative is a tensor of minors;
all of them are polynomials in the entries.  `cofactors(k, x)` computes them from the singular value
decomposition, so nothing is ever divided by the determinant and every order is right where the matrix has
no inverse.
"""

from __future__ import annotations

from itertools import permutations
from math import prod
from typing import Any

import numpy as np

from ..expr import Node
from ..operation import operation, rule
from ..terms import Term, TermSum
from ._matrices import affordable, batch_of, eps, floating, guarded, square
from ._outputs import named, outputs, several
from ._written import terms
from .matrix import inverse
from .products import product_derivative

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
    return minors(order, u, s, vt, product_derivative(order, s))


def minors(order: int, u: Any, s: Any, vt: Any, others: Any, ns: Any = np) -> Any:
    """The derivative of that order from `x = u diag(s) vt` and P, the products of the other singular values.

    `ns` holds the functions of the arrays' library: numpy, torch or jax.numpy.
    """
    *batch, n = s.shape
    sign = ns.linalg.det(u) * ns.linalg.det(vt)
    whole = others * ns.reshape(sign, (*batch, *(1,) * order))
    for _ in range(order):
        done = whole.shape[len(batch) + 1 :]
        flat = ns.swapaxes(ns.reshape(whole, (*batch, n, prod(done))), -1, -2)
        turned = (flat[..., :, None, :] * ns.conj(u)[..., None, :, :]) @ ns.conj(vt)[..., None, :, :]
        whole = ns.reshape(turned, (*batch, *done, n, n))
    return _antisymmetric(whole, order, ns)


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


def _antisymmetric(whole: Any, order: int, ns: Any = np) -> Any:
    """The sum over permutations of the j axes of `i1 j1 i2 j2 ...`, with the permutation's sign."""
    first, turned = whole.ndim - 2 * order, getattr(ns, "permute", None) or ns.transpose
    total = ns.zeros_like(whole)
    for chosen in permutations(range(order)):
        axes = list(range(whole.ndim))
        for place, j in enumerate(chosen):
            axes[first + 2 * place + 1] = first + 2 * j + 1
        total = total + _sign(chosen) * turned(whole, axes)
    return total


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
