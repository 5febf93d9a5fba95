"""The matrix exponential and its derivatives of every order, as opaque nodes.

`expm(x)` sums `x^p / p!` by the Padé approximant of degree 13 with scaling and squaring (Higham, 2005).
Its k-th Fréchet derivative in unit directions is a tensor of n^(2k+2) entries, read from the exponential of
a block matrix.
"""

from __future__ import annotations

from itertools import permutations
from math import prod
from typing import Any

import numpy as np

from ..expr import Node
from ..operation import operation, rule
from ..terms import Term, TermSum
from ._matrices import affordable, floating, guarded, square

PADE = (
    64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600,
    670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1,
)  # fmt: skip
THETA = 5.371920351148152
"""The 1-norm up to which the approximant of degree 13 is right to the rounding unit of double precision."""
AT_ONCE = 1 << 18
"""Entries of block matrices that are exponentiated at a time: they stay in the cache."""


def exponential(x: Any) -> Any:
    """`sum over p of x^p / p!` of an array of square matrices, real or complex."""
    x = np.asarray(x)
    if x.size == 0:
        return x
    norm = float(np.max(np.sum(np.abs(x), axis=-2)))
    if not np.isfinite(norm):
        raise np.linalg.LinAlgError("not finite")
    squarings = max(0, int(np.ceil(np.log2(norm / THETA)))) if norm > 0 else 0
    a = x * x.dtype.type(0.5**squarings)
    even, odd = _pade(a)
    z = np.linalg.solve(even - odd, even + odd)
    for _ in range(squarings):
        z = z @ z
    return z


def _pade(a: Any) -> tuple[Any, Any]:
    """The even and the odd part of the numerator; the denominator is their difference."""
    b = [a.dtype.type(c / PADE[0]) for c in PADE]
    unit = np.eye(a.shape[-1], dtype=a.dtype)
    a2 = a @ a
    a4 = a2 @ a2
    a6 = a4 @ a2
    odd = a @ (a6 @ (b[13] * a6 + b[11] * a4 + b[9] * a2) + b[7] * a6 + b[5] * a4 + b[3] * a2 + b[1] * unit)
    even = a6 @ (b[12] * a6 + b[10] * a4 + b[8] * a2) + b[6] * a6 + b[4] * a4 + b[2] * a2 + unit
    return even, odd


def frechet(order: int, x: Any) -> Any:
    """The derivative of that order of the exponentials in x: axes `batch, i, j, k1, l1, k2, l2, ...`.

    The exponential of the block matrix with x on the diagonal and unit matrices E1, E2, ... above it has in
    its corner the part of the derivative in which the directions come in this order; the sum over the
    orders is the derivative.
    """
    if order == 0:
        return exponential(x)
    affordable("expm", order, x.shape, 2 * order + 2, x.dtype)
    n, batch = x.shape[-1], x.shape[:-2]
    corner = _corners(np.asarray(x), order).reshape(batch + (n,) * (2 * order + 2))
    total = np.zeros_like(corner)
    for axes in direction_orders(len(batch), order):
        total += corner.transpose(axes)
    return total


def direction_orders(first: int, order: int) -> list[list[int]]:
    """The orders of axes that bring `k1 l1 k2 l2 ... i j`, after `first` others, to `i j` and any pairs."""
    ends, pairs = [first + 2 * order, first + 2 * order + 1], range(order)
    return [
        [*range(first), *ends, *(first + 2 * place + side for place in chosen for side in (0, 1))]
        for chosen in permutations(pairs)
    ]


def unit_blocks(n: int, order: int) -> Any:
    """The unit matrices E1, E2, ... above the block diagonal, zeros on it, for every choice of directions."""
    return _blocks(np.zeros((n, n)), order, np.arange(n ** (2 * order)))


def _corners(x: Any, order: int) -> Any:
    """The corner block for every choice of unit directions: axes `batch, choice, i, j`, some at a time."""
    n, batch, size = x.shape[-1], x.shape[:-2], x.shape[-1] * (order + 1)
    choices = n ** (2 * order)
    made = np.empty((*batch, choices, n, n), x.dtype)
    step = max(1, AT_ONCE // max(1, size * size * prod(batch)))
    for start in range(0, choices, step):
        part = slice(start, min(start + step, choices))
        made[..., part, :, :] = exponential(_blocks(x, order, np.arange(choices)[part]))[..., :n, size - n :]
    return made


def _blocks(x: Any, order: int, choices: Any) -> Any:
    """x on the block diagonal and, above it, the unit matrices whose places the choices number."""
    n = x.shape[-1]
    places = np.unravel_index(choices, (n,) * (2 * order))
    made = np.zeros((*x.shape[:-2], len(choices), n * (order + 1), n * (order + 1)), x.dtype)
    for block in range(order + 1):
        part = slice(block * n, (block + 1) * n)
        made[..., part, part] = x[..., None, :, :]
    for block in range(order):
        row, column = block * n + places[2 * block], (block + 1) * n + places[2 * block + 1]
        made[..., np.arange(len(choices)), row, column] = 1
    return made


@operation(
    "matrix",
    serves="linalg.expm",
    formula="(i j | k l)  the Fréchet derivative of expm in the unit direction k l",
)
def expm(x: Any) -> Node:
    """The matrix exponentials of the matrices in x.

    `dz[i,j]/dx[k,l] = sum over p, q of (x^p)[i,k] (x^q)[l,j] / (p + q + 1)!`, shape `(batch x n x n) x
    (batch x n x n)`, computed as a tensor of n^4 entries.  Raises ShapeError where x is not square,
    SingularMatrixError at NaN or inf.

    >>> import numpy as np, jacobians as jac
    >>> z, dz = jac.ops.expm(np.zeros((2, 2)))
    >>> np.asarray(dz["x"])[0, 1]
    array([[0., 1.],
           [0., 0.]])
    """
    x = square(x, "expm")
    return Node("expm", (x,), 0, x.shape, floating(x))


def _local(node: Node, k: int) -> TermSum:
    """The derivative of the next order: one more pair of axes, which become the input axes."""
    x = node.args[0]
    shape = (*node.shape, *x.shape[-2:])
    tensor = Node("expm", (x,), node.params + 1, shape, node.dtype)
    labels = tuple(range(len(shape)))
    whole = Term(1, ((tensor, labels),), labels[:-2], labels[: x.ndim - 2] + labels[-2:], shape)
    return TermSum(node.shape, x.shape, (whole,))


rule("expm", guarded(frechet, "expm failed", "finite entries"), _local)
