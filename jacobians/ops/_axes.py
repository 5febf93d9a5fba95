"""Reductions over axes: which labels stay, which go, and the Terms `(kept | all) factor[all]`.

`Reduced` holds what every reduction needs to know; `by_entries` is the local Jacobian that most of them
have: one factor with the shape of the argument.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..axes import Shape
from ..errors import UnsupportedError
from ..expr import Node
from ..operation import as_node
from ..terms import TermSum, canonical
from ._broadcast import axes_of
from .pointwise import make, where
from .reshaping import reshape_node


class Reduced(NamedTuple):
    """Axes of a shape that are reduced: `gone`, the `kept` ones, the shape without them and with size 1."""

    gone: tuple[int, ...]
    kept: tuple[int, ...]
    shape: Shape
    held: Shape


def reduced(shape: Shape, axis: Any) -> Reduced:
    """How `shape` reduces over `axis` (None: all axes); raises ShapeError where the axis does not fit.

    >>> reduced((3, 4, 5), -2)
    Reduced(gone=(1,), kept=(0, 2), shape=(3, 5), held=(3, 1, 5))
    """
    gone = tuple(sorted(axes_of(axis, len(shape))))
    kept = tuple(k for k in range(len(shape)) if k not in gone)
    held = tuple(1 if k in gone else n for k, n in enumerate(shape))
    return Reduced(gone, kept, tuple(shape[k] for k in kept), held)


def reduction(op: str, x: Node, axis: Any, keepdims: Any, params: Any = None, dtype: Any = None) -> Node:
    """A node that reduces `x` over `axis`; its params are the axes, or the axes and `params`."""
    how = reduced(x.shape, axis)
    z = Node(op, (x,), how.gone if params is None else (how.gone, params), how.shape, dtype or x.dtype)
    return reshape_node(z, how.held) if keepdims is True else z


def by_entries(node: Node, gone: tuple[int, ...], factor: Node, coefficient: Any = 1) -> TermSum:
    """The local Jacobian `(kept | all) coefficient * factor[all]` of a reduction by its argument."""
    shape = node.args[0].shape
    every = tuple(range(len(shape)))
    kept = tuple(k for k in every if k not in gone)
    only = canonical(coefficient, [(factor, every)], kept, every, shape)
    return TermSum(node.shape, shape, (only,))


def held(node: Node, gone: tuple[int, ...]) -> Node:
    """A reduction's value with its axes back as size 1, to be broadcast against its argument."""
    shape = node.args[0].shape
    return reshape_node(node, tuple(1 if k in gone else n for k, n in enumerate(shape)))


def floating(dtype: Any) -> Any:
    """The type of a result that is never an integer."""
    if dtype is float or getattr(dtype, "kind", "") == "f":
        return dtype
    return float if isinstance(dtype, type) else np.dtype(np.float64)


def no_where(what: str, where: Any) -> None:
    """Raises UnsupportedError for numpy's `where=`, which reductions do not take here."""
    if where is not True and where is not np._NoValue:
        raise UnsupportedError(
            f"np.{what}(where=) is not traced", "", f"np.{what}(np.where(condition, x, neutral))"
        )


def filled(x: Any, value: Any) -> tuple[Node, Node]:
    """`x` with `value` where it is not a number, and where that is."""
    x = as_node(x)
    missing = make("isnan", x)
    return where(missing, value, x), missing
