"""Reductions that pick: `max`, `min`, `ptp`, their nan-ignoring forms, and `any`, `all`, `count_nonzero`.

Ties of an extreme share its derivative evenly; counts and truths have no derivative.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeError
from ..expr import Node
from ..operation import as_node, operation, rule
from ..terms import TermSum
from . import _text
from ._axes import by_entries, filled, floating, held, no_where, reduced, reduction
from .multilinear import broadcast_to
from .pointwise import make


def _share(params: Any, x: Any, z: Any) -> Any:
    """For each entry its share of the extreme: 1 over the number of ties, else 0 (NaN ties with NaN)."""
    hit = (x == z) | (x != x)
    return hit / hit.sum(axis=params, keepdims=True).astype(np.asarray(x).dtype)


rule("share", _share)


def _extreme_local(node: Node, k: int) -> TermSum:
    (x,) = node.args
    share = Node("share", (x, held(node, node.params)), node.params, x.shape, floating(x.dtype))
    return by_entries(node, node.params, share)


rule("max", lambda params, x: np.max(x, axis=params), _extreme_local)
rule("min", lambda params, x: np.min(x, axis=params), _extreme_local)
TIES = "ties share evenly: 1/2 to each of two equal entries"


def _extreme(op: str, x: Node, axis: Any, keepdims: Any, initial: Any, where: Any) -> Node:
    no_where(op, where)
    how = reduced(x.shape, axis)
    empty = any(x.shape[k] == 0 for k in how.gone)
    if empty and initial is None:
        raise ShapeError(
            f"the {op} of no entries does not exist", f"shape {x.shape}", f"np.{op}(x, initial=...)"
        )
    if empty:
        return broadcast_to(as_node(initial), how.held if keepdims is True else how.shape)
    z = reduction(op, x, axis, keepdims) if x.ndim else x
    return z if initial is None else make(f"{op}imum", z, initial)


@operation("written out", "x", serves="max amax", formula="(i | i j) [x = z] / number of ties", kink=TIES)
def max(
    x: Any, axis: Any = None, out: None = None, keepdims: Any = False, initial: Any = None, where: Any = True
) -> Node:
    """z = the largest entry over some axes (all by default)."""
    return _extreme("max", as_node(x), axis, keepdims, initial, where)


@operation("written out", "x", serves="min amin", formula="(i | i j) [x = z] / number of ties", kink=TIES)
def min(
    x: Any, axis: Any = None, out: None = None, keepdims: Any = False, initial: Any = None, where: Any = True
) -> Node:
    """z = the smallest entry over some axes (all by default)."""
    return _extreme("min", as_node(x), axis, keepdims, initial, where)


@operation("written out", "x", kink=TIES)
def ptp(x: Any, axis: Any = None, out: None = None, keepdims: Any = False) -> Node:
    """z = the largest entry less the smallest."""
    return _text.add(max(x, axis, None, keepdims), min(x, axis, None, keepdims), -1)  # type: ignore[no-any-return]


@operation("written out", "x", kink=TIES)
def nanmax(x: Any, axis: Any = None, out: None = None, keepdims: Any = False) -> Node:
    """z = the largest of the entries that are numbers."""
    return max(filled(x, -np.inf)[0], axis, None, keepdims)


@operation("written out", "x", kink=TIES)
def nanmin(x: Any, axis: Any = None, out: None = None, keepdims: Any = False) -> Node:
    """z = the smallest of the entries that are numbers."""
    return min(filled(x, np.inf)[0], axis, None, keepdims)


rule("count_nonzero", lambda params, x: np.asarray(np.count_nonzero(x, axis=params)))
rule("any", lambda params, x: np.any(x, axis=params))
rule("all", lambda params, x: np.all(x, axis=params))


@operation("no derivative", "x")
def count_nonzero(x: Any, axis: Any = None, *, keepdims: Any = False) -> Node:
    """z = how many entries are not 0."""
    return reduction("count_nonzero", as_node(x), axis, keepdims, dtype=np.dtype(np.int64))


@operation("no derivative", "x", serves="any")
def any_(x: Any, axis: Any = None, out: None = None, keepdims: Any = False, *, where: Any = True) -> Node:
    """z = whether any entry is not 0."""
    no_where("any", where)
    return reduction("any", as_node(x), axis, keepdims, dtype=np.dtype(bool))


@operation("no derivative", "x", serves="all")
def all_(x: Any, axis: Any = None, out: None = None, keepdims: Any = False, *, where: Any = True) -> Node:
    """z = whether all entries are not 0."""
    no_where("all", where)
    return reduction("all", as_node(x), axis, keepdims, dtype=np.dtype(bool))
