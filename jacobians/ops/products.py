"""Products and running sums: `prod`, `cumprod`, `cumsum` and their nan-ignoring forms.

Products differentiate by exclusive products (all factors but one, but two, ...), so zeros are right at every
order: nothing is divided by an entry.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from ..axes import entries
from ..expr import Node
from ..operation import as_node, operation, rule
from ..terms import TermSum
from . import _written
from ._axes import filled, no_where, reduced
from ._broadcast import axes_of
from .arithmetic import multiply
from .multilinear import broadcast_to, moveaxis
from .pointwise import where
from .rearranging import tri
from .reshaping import reshape_node


def exclusive(x: Any) -> Any:
    """`y[..., i] = product of x[..., j] over j != i`, from the left times from the right.

    >>> exclusive(np.array([2.0, 0.0, 5.0]))
    array([ 0., 10.,  0.])
    """
    x = np.asarray(x)
    y = np.ones_like(x)
    if x.shape[-1] > 1:
        np.cumprod(x[..., :-1], axis=-1, out=y[..., 1:])
        y[..., :-1] *= np.cumprod(x[..., :0:-1], axis=-1)[..., ::-1]
    return y


def product_derivative(params: Any, x: Any) -> Any:
    """`y[..., i1, ..., ik]`: the product of the entries of x without i1 to ik; 0 where two of these agree."""
    x = np.asarray(x)
    if params == 0:
        return np.prod(x, axis=-1)
    size = x.shape[-1]
    places = [np.arange(size).reshape((-1, *(1,) * (params - 1 - k))) for k in range(params)]
    kept = x.reshape(*x.shape[:-1], *(1,) * (params - 1), size)
    for place in places[:-1]:
        kept = np.where(place == places[-1], 1, kept)
    others, distinct = exclusive(kept), np.True_
    for a, b in combinations(places, 2):
        distinct = distinct & (a != b)
    return others if params == 1 else np.where(distinct, others, 0)


def _product_local(node: Node, k: int) -> TermSum:
    (x,) = node.args
    more = Node("product_derivative", (x,), node.params + 1, (*node.shape, x.shape[-1]), node.dtype)
    letters = "abcdefgh"[: node.params]
    return _written.terms(f"...{letters}|...j: p[...{letters}j]", {"p": more}, node.shape, x.shape)


rule("product_derivative", product_derivative, _product_local)


def _last(x: Node, axis: Any) -> Node:
    """`x` with the reduced axes last, merged into one."""
    how = reduced(x.shape, axis)
    if how.gone != (x.ndim - 1,):
        x = moveaxis(x, how.gone, tuple(range(len(how.kept), x.ndim)))
    return x if len(how.gone) == 1 else reshape_node(x, (*how.shape, entries(x.shape[len(how.kept) :])))


@operation("written out", "x", formula="(i | i j) product of the other entries")
def prod(
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    keepdims: Any = False,
    initial: Any = 1,
    where: Any = True,
) -> Node:
    """z = the product of the entries over some axes; right at zeros, at second order too."""
    x = as_node(x)
    no_where("prod", where)
    how = reduced(x.shape, axis)
    if how.gone:
        x = Node("product_derivative", (_last(x, axis),), 0, how.shape, x.dtype)
    z = reshape_node(x, how.held) if keepdims is True else x
    return z if type(initial) is int and initial == 1 else multiply(z, initial)


def _cumsum_local(node: Node, k: int) -> TermSum:
    (x,) = node.args
    mask = tri(x.shape[-1], x.shape[-1])
    return _written.terms("...i|...j: t[ij]", {"t": mask}, node.shape, x.shape)


def _cumprod_local(node: Node, k: int) -> TermSum:
    """`[j <= i]` times the product of `x[l]` over `l <= i`, `l != j`: exclusive products of masked rows."""
    (x,) = node.args
    n = x.shape[-1]
    mask = tri(n, n)
    rows = where(mask, broadcast_to(reshape_node(x, (*x.shape[:-1], 1, n)), (*x.shape, n)), 1)
    others = Node("product_derivative", (rows,), 1, rows.shape, node.dtype)
    return _written.terms("...i|...j: p[...ij]", {"p": where(mask, others, 0)}, node.shape, x.shape)


rule("cumsum", lambda params, x: np.cumsum(x, axis=-1), _cumsum_local)
rule("cumprod", lambda params, x: np.cumprod(x, axis=-1), _cumprod_local)


def _running(op: str, x: Any, axis: Any) -> Node:
    x = as_node(x)
    if x.dtype == bool:  # truths are counted, as in numpy
        x = Node("astype", (x,), np.dtype(np.int64), x.shape, np.dtype(np.int64))
    if axis is None:
        x, axis = reshape_node(x, (-1,)), 0
    (axis,) = axes_of(axis, x.ndim)
    if axis == x.ndim - 1:
        return Node(op, (x,), None, x.shape, x.dtype)
    moved = moveaxis(x, axis, -1)
    return moveaxis(Node(op, (moved,), None, moved.shape, x.dtype), -1, axis)


@operation("written out", "x", formula="(i | j) [j <= i]")
def cumsum(x: Any, axis: Any = None, dtype: Any = None, out: None = None) -> Node:
    """z[i] = sum of x[j] over j <= i, along an axis (of the flattened x by default)."""
    return _running("cumsum", x, axis)


@operation("written out", "x", formula="(i | j) [j <= i] product of x[l] over l <= i, l != j")
def cumprod(x: Any, axis: Any = None, dtype: Any = None, out: None = None) -> Node:
    """z[i] = product of x[j] over j <= i, along an axis; right at zeros."""
    return _running("cumprod", x, axis)


@operation("written out", "x")
def nanprod(x: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: Any = False) -> Node:
    """z = the product of the entries that are numbers."""
    return prod(filled(x, 1)[0], axis, keepdims=keepdims)


@operation("written out", "x")
def nancumsum(x: Any, axis: Any = None, dtype: Any = None, out: None = None) -> Node:
    """z = the running sum, entries that are no numbers counting as 0."""
    return cumsum(filled(x, 0)[0], axis)


@operation("written out", "x")
def nancumprod(x: Any, axis: Any = None, dtype: Any = None, out: None = None) -> Node:
    """z = the running product, entries that are no numbers counting as 1."""
    return cumprod(filled(x, 1)[0], axis)
