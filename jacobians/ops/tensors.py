"""Products of tensors that are an einsum and something small: `kron` merges axes, `cross` brings an ε."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import UnsupportedError
from ..expr import Node
from ..operation import as_node, operation
from ._broadcast import broadcast
from .multilinear import contract, moveaxis
from .reshaping import reshape_node


@operation("multilinear", "x y")
def kron(x: Any, y: Any) -> Node:
    """z[i p, j q] = x[i, j] y[p, q], the pairs of axes merged: a product and an index map."""
    x, y = as_node(x), as_node(y)
    ndim = max(x.ndim, y.ndim)
    x, y = (reshape_node(n, (1,) * (ndim - n.ndim) + n.shape) for n in (x, y))
    left, right = [("x", k) for k in range(ndim)], [("y", k) for k in range(ndim)]
    both = [label for pair in zip(left, right, strict=True) for label in pair]
    z = contract([(x, left), (y, right)], both, "kron")
    return reshape_node(z, tuple(a * b for a, b in zip(x.shape, y.shape, strict=True)))


LEVI_CIVITA = np.array(
    [
        [[0, 0, 0], [0, 0, 1], [0, -1, 0]],
        [[0, 0, -1], [0, 0, 0], [1, 0, 0]],
        [[0, 1, 0], [-1, 0, 0], [0, 0, 0]],
    ]
)


@operation("multilinear", "x y", serves="cross linalg.cross")
def cross(x: Any, y: Any, axis: int = -1) -> Node:
    """z[i] = sum_jk ε[i,j,k] x[j] y[k], vectors of length 3 along one axis."""
    x, y = as_node(x), as_node(y)
    x, y = moveaxis(x, axis, -1), moveaxis(y, axis, -1)
    if x.shape[-1] != 3 or y.shape[-1] != 3:
        raise UnsupportedError(
            "cross takes vectors of length 3",
            f"lengths {x.shape[-1]} and {y.shape[-1]}",
            "x[0]*y[1] - x[1]*y[0] in the plane",
        )
    common = broadcast(x.shape[:-1], y.shape[:-1], where="cross")
    left, right = common.arguments
    epsilon = as_node(LEVI_CIVITA.astype(np.int8))  # too small to promote float32
    z = contract([(epsilon, "ijk"), (x, (*left, "j")), (y, (*right, "k"))], (*common.output, "i"), "cross")
    return moveaxis(z, -1, axis)
