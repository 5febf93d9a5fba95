"""Norms of vectors and matrices: `norm`, `vector_norm`, `matrix_norm`, every order numpy knows.

The derivative of a norm is undefined where it is zero; there it is 0 by convention, at second order too.
Nothing is ever NaN that mathematics does not make so.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeError, UnsupportedError
from ..expr import Node
from ..operation import OPERATIONS, as_node, operation, rule
from ..terms import TermSum
from ._axes import by_entries, floating, held, reduced, reduction
from ._broadcast import axes_of
from .forms import astype
from .multilinear import moveaxis, sum
from .pointwise import make, where
from .reductions import count_nonzero, max, min
from .reshaping import reshape_node

KINK = "0 where the norm is 0; ties of order 1, inf share evenly, |x|' = 0 at 0"


def _run_norm(params: Any, x: Any) -> Any:
    x = np.asarray(x)
    return np.sqrt((x * x).sum(axis=params))


def _norm_local(node: Node, k: int) -> TermSum:
    (x,) = node.args
    return by_entries(node, node.params, make("safe_divide", x, held(node, node.params)))


rule("norm", _run_norm, _norm_local)


def _entry_norm(x: Node, order: Any, axis: Any, keepdims: Any) -> Node:
    """The norm of the entries over some axes, by any order of a vector norm."""
    if order in (None, 2, "fro"):
        return reduction("norm", x, axis, keepdims, dtype=floating(x.dtype))
    size = make("abs", x)
    if order in (np.inf, -np.inf):
        return (max if order > 0 else min)(size, axis, None, keepdims)
    if order == 0:
        return astype(count_nonzero(x, axis, keepdims=keepdims), floating(x.dtype))
    if order == 1:
        return sum(size, axis, keepdims=keepdims)
    if not isinstance(order, (int, float, np.number)):
        raise _unknown(order, "a vector norm has order None, inf, -inf or a number")
    order = float(order)
    if order % 2 == 0 and order > 0:
        return _root(sum(make("power", x, order), axis, keepdims=keepdims), order)
    if order < 0:
        return make("power", sum(make("power", size, order), axis, keepdims=keepdims), 1 / order)
    zero = make("equal", x, 0)
    powers = where(zero, 0.0, make("power", where(zero, 1.0, size), order))
    return _root(sum(powers, axis, keepdims=keepdims), order)


def _root(total: Node, order: float) -> Node:
    """`total**(1 / order)`, with derivatives 0 where the total is 0."""
    zero = make("equal", total, 0)
    return where(zero, 0.0, make("power", where(zero, 1.0, total), 1 / order))


def _matrix_norm(x: Node, order: Any, row: int, column: int, keepdims: Any) -> Node:
    """The norm of matrices on two axes: sums of sizes, entries, or singular values."""
    if order in (None, "fro"):
        return _entry_norm(x, 2, (row, column), keepdims)
    if order in (1, -1, np.inf, -np.inf):
        summed, picked = (row, column) if abs(order) == 1 else (column, row)
        sums = sum(make("abs", x), summed, keepdims=True)
        z = (max if order > 0 else min)(sums, picked, None, True)
    elif order in (2, -2, "nuc"):
        values = _singular_values(moveaxis(x, (row, column), (-2, -1)))
        z = sum(values, -1) if order == "nuc" else (max if order == 2 else min)(values, -1)
    else:
        raise _unknown(order, "a matrix norm has order None, 'fro', 'nuc', inf, -inf, 1, -1, 2 or -2")
    how = reduced(x.shape, (row, column))
    return reshape_node(z, how.held if keepdims is True else how.shape)


def _singular_values(x: Node) -> Node:
    if "svdvals" in OPERATIONS:
        values: Node = OPERATIONS["svdvals"].build(x)
        return values
    made: Node = OPERATIONS["svd"].build(x, compute_uv=False)
    return made


def _unknown(order: Any, instead: str) -> UnsupportedError:
    return UnsupportedError(f"norm of order {order!r} is not known", "", instead)


@operation("written out", "x", serves="linalg.norm", formula="(i | i j) x / z", kink=KINK)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Node:
    """z = the norm: of all entries, of vectors along one axis, or of matrices on two axes."""
    x = as_node(x)
    if axis is None and ord is not None and x.ndim not in (1, 2):
        raise ShapeError(
            "a norm of this order needs a vector or a matrix", f"x has {x.ndim} axes", "axis= one or two axes"
        )
    axes = axes_of(axis, x.ndim)
    if len(axes) == 2 and ord is not None:
        return _matrix_norm(x, ord, axes[0], axes[1], keepdims)
    if len(axes) > 2 and axis is not None:
        raise ShapeError("a norm is taken over one or two axes", f"axis {axis}", "np.linalg.vector_norm")
    return _entry_norm(x, ord, axes, keepdims)


@operation("written out", "x", serves="linalg.vector_norm", formula="(i | i j) x / z", kink=KINK)
def vector_norm(x: Any, /, *, axis: Any = None, keepdims: Any = False, ord: Any = 2) -> Node:
    """z = the vector norm of the entries over some axes (all by default)."""
    return _entry_norm(as_node(x), ord, axis, keepdims)


@operation("written out", "x", serves="linalg.matrix_norm", formula="(i | i j) x / z", kink=KINK)
def matrix_norm(x: Any, /, *, keepdims: Any = False, ord: Any = "fro") -> Node:
    """z = the norm of the matrices on the last two axes."""
    x = as_node(x)
    if x.ndim < 2:
        raise ShapeError("matrix_norm needs a matrix", f"x has {x.ndim} axes", "np.linalg.vector_norm")
    return _matrix_norm(x, ord, x.ndim - 2, x.ndim - 1, keepdims)
