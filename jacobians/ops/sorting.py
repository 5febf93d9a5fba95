"""Sorting and what is read off sorted entries; indices found in an array are integers, no derivative flows.

`argsort`, `argmax`, `argmin` and `searchsorted` give integers that may index traced arrays.  `sort` is a
gather with the indices of an argsort, so its Jacobian is a selection; `median`, `quantile` and `percentile`
take entries of the sorted array.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..axes import number
from ..errors import ShapeError, UnsupportedError
from ..expr import Node
from ..operation import as_node, operation, rule
from . import _text
from ._broadcast import axes_of
from .indexing import take, take_along_axis
from .multilinear import moveaxis
from .reshaping import reshape_node

INTEGER = np.dtype(np.int64)


def _argsort(params: Any, x: Any) -> Any:
    return np.argsort(x, axis=params, kind="stable")


rule("argsort", _argsort)
rule("argmax", lambda params, x: np.argmax(x, axis=params))
rule("argmin", lambda params, x: np.argmin(x, axis=params))
rule("searchsorted", lambda params, x, y: np.searchsorted(x, y, side=params))


@operation("no derivative", "x", kink="zero: which entries are where does not change with small changes")
def argsort(x: Any, axis: Any = -1, kind: Any = None, order: None = None, stable: Any = None) -> Node:
    """z = the places of the entries in increasing order, equal ones in the order they stand in."""
    x = as_node(x)
    if axis is None:
        x, axis = reshape_node(x, (-1,)), 0
    (axis,) = axes_of(axis, x.ndim)
    return Node("argsort", (x,), axis, x.shape, INTEGER)


def _place_of(what: str, x: Any, axis: Any, keepdims: Any) -> Node:
    x = as_node(x)
    ndim = x.ndim
    if axis is None:
        x, a = reshape_node(x, (-1,)), 0
    else:
        (a,) = axes_of(axis, ndim)
    shape = (*x.shape[:a], *x.shape[a + 1 :])
    z = Node(what, (x,), a, shape, INTEGER)
    if keepdims is not True:
        return z
    return reshape_node(z, (1,) * ndim if axis is None else (*shape[:a], 1, *shape[a:]))


@operation("no derivative", "x")
def argmax(x: Any, axis: Any = None, out: None = None, *, keepdims: Any = False) -> Node:
    """z = the place of the largest entry, the first of equal ones."""
    return _place_of("argmax", x, axis, keepdims)


@operation("no derivative", "x")
def argmin(x: Any, axis: Any = None, out: None = None, *, keepdims: Any = False) -> Node:
    """z = the place of the smallest entry, the first of equal ones."""
    return _place_of("argmin", x, axis, keepdims)


@operation("no derivative", "x y", serves="searchsorted")
def searchsorted(x: Any, y: Any, side: str = "left", sorter: None = None) -> Node:
    """z = where each entry of y would be put into the sorted vector x."""
    if sorter is not None:
        raise UnsupportedError("np.searchsorted(sorter=) is not traced", "", "np.searchsorted(x[sorter], y)")
    x, y = as_node(x), as_node(y)
    return Node("searchsorted", (x, y), side, y.shape, INTEGER)


@operation("index map", "x", formula="(i | p[i]), p the order", kink="equal entries keep their order")
def sort(x: Any, axis: Any = -1, kind: Any = None, order: None = None, stable: Any = None) -> Node:
    """z[i] = x[p[i]] along an axis, p the increasing order; equal entries keep their order."""
    x = as_node(x)
    if axis is None:
        x, axis = reshape_node(x, (-1,)), 0
    return take_along_axis(x, argsort(x, axis), axis)


def _on_last(x: Node, axis: Any) -> Node:
    """`x` with the axes that are reduced merged into one, last."""
    gone = axes_of(axis, x.ndim)
    kept = tuple(n for k, n in enumerate(x.shape) if k not in gone)
    if gone != (x.ndim - 1,):
        x = moveaxis(x, gone, tuple(range(x.ndim - len(gone), x.ndim)))
    return reshape_node(x, (*kept, -1)) if len(gone) != 1 else x


@operation("written out", "x", kink="equal entries keep their order")
def quantile(
    x: Any, q: Any, axis: Any = None, out: None = None, overwrite_input: bool = False,
    method: str = "linear", keepdims: Any = False,
) -> Node:  # fmt: skip
    """z = the entry that a share q (constant) of the entries lies below, interpolated linearly."""
    x = as_node(x)
    if isinstance(q, Node) or method != "linear":
        raise UnsupportedError(
            "np.quantile is traced for a constant q and method 'linear'", f"method {method!r}", "np.sort"
        )
    shares = np.asarray(q, float)
    if shares.size and not (shares.min() >= 0 and shares.max() <= 1):
        raise ShapeError(
            "a quantile is out of range", f"q = {q}", "0 to 1 for quantile, 0 to 100 for percentile"
        )
    rows = sort(_on_last(x, axis))
    size = number(rows.shape[-1], "a quantile")
    if size == 0:
        raise ShapeError(
            "a quantile of no entries does not exist", f"shape {x.shape}", "an axis that is not empty"
        )
    at = shares.ravel() * (size - 1)
    low = np.floor(at).astype(np.intp)
    weight = (at - low).astype(np.dtype(x.dtype))
    parts = [take(rows, low, -1), take(rows, np.minimum(low + 1, size - 1), -1)]
    z = _text.multiply(parts[0], as_node(1 - weight))
    if weight.any():
        z = _text.add(z, _text.multiply(parts[1], as_node(weight)))
    gone = axes_of(axis, x.ndim)
    kept = tuple(1 if k in gone else n for k, n in enumerate(x.shape) if keepdims is True or k not in gone)
    return reshape_node(moveaxis(z, -1, 0), (*shares.shape, *kept))


@operation("written out", "x", kink="equal entries keep their order")
def percentile(
    x: Any, q: Any, axis: Any = None, out: None = None, overwrite_input: bool = False,
    method: str = "linear", keepdims: Any = False,
) -> Node:  # fmt: skip
    """z = the entry that q percent (constant) of the entries lie below, interpolated linearly."""
    shares = q if isinstance(q, Node) else np.asarray(q, float) / 100
    return quantile(x, shares, axis, method=method, keepdims=keepdims)


@operation(
    "written out",
    "x",
    formula="1 at the middle entry, 1/2 at each of two",
    kink="equal entries keep their order",
)
def median(
    x: Any, axis: Any = None, out: None = None, overwrite_input: bool = False, keepdims: Any = False
) -> Node:
    """z = the middle one of the sorted entries, or the mean of the two in the middle."""
    return quantile(x, 0.5, axis, keepdims=keepdims)
