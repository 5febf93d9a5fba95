"""Joining and splitting: whole arrays placed into a larger one, and stretches of one taken out.

`concatenate`, `stack`, `hstack`, `vstack`, `dstack`, `column_stack`, `block`, `append` and `insert` join;
`split`, `array_split`, `hsplit`, `vsplit`, `dsplit` and `unstack` take apart.  Each part is wired through an
affine slot (its offset along the joined axis), so the Jacobian by a part is a stretch of the identity and
costs nothing.  `place` is what other operations use.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..axes import Size, number
from ..errors import ShapeError
from ..expr import Node
from ..operation import as_node, operation
from ..terms import Term, TermSum, assemble
from ..wiring import Slot, affine
from ._broadcast import axes_of
from .indexing import getitem, take
from .multilinear import broadcast_to, moveaxis
from .reshaping import atleast, reshape_node


def place(parts: Sequence[tuple[Node, int]], axis: int, length: Size) -> Node:
    """An array of zeros with each part put in at its offset along `axis`, as one node."""
    first = parts[0][0]
    shape = (*first.shape[:axis], length, *first.shape[axis + 1 :])
    made = []
    for node, offset in parts:
        labels = tuple(range(node.ndim))
        target: list[Slot] = list(labels)
        if node.shape[axis] != length:
            target[axis] = affine(offset, [(axis, 1)])
        made.append(Term(1, ((node, labels),), tuple(target), (), node.shape))
    return assemble(TermSum(shape, (), tuple(made)))


@operation("index map", "parts", serves="concatenate concat", formula="(i | i - offset) by each part")
def concatenate(parts: Any, axis: Any = 0, out: None = None, dtype: Any = None, casting: Any = None) -> Node:
    """z = the parts after one another along an axis (all flattened where axis is None)."""
    nodes = _nodes(parts)
    if axis is None:
        nodes, axis = [reshape_node(n, (-1,)) for n in nodes], 0
    if not nodes or any(n.ndim == 0 for n in nodes):
        raise ShapeError("concatenate needs arrays with axes", f"{len(nodes)} parts", "np.stack for scalars")
    (axis,) = axes_of(axis, nodes[0].ndim)
    for node in nodes[1:]:
        rest = [n for k, n in enumerate(node.shape) if k != axis]
        if node.ndim != nodes[0].ndim or rest != [n for k, n in enumerate(nodes[0].shape) if k != axis]:
            raise ShapeError(
                "concatenate needs equal sizes on the other axes",
                f"shapes {nodes[0].shape} and {node.shape}, joined along axis {axis}",
                "np.broadcast_to, or another axis",
            )
    offsets: list[Any] = [0]
    for node in nodes:
        offsets.append(offsets[-1] + node.shape[axis])
    parts_ = [(n, o) for n, o in zip(nodes, offsets, strict=False) if n.shape[axis] != 0]
    return place(parts_ or [(nodes[0], 0)], axis, offsets[-1])


def _nodes(parts: Any) -> list[Node]:
    """The parts as nodes; one array stands for its slices along the first axis."""
    if isinstance(parts, Node):
        return [getitem(parts, k) for k in range(number(parts.shape[0], "a join"))]
    return [as_node(np.asarray(part) if isinstance(part, (bool, int, float)) else part) for part in parts]


@operation("index map", "parts", formula="(k i... | i...) by part k")
def stack(parts: Any, axis: int = 0, out: None = None, dtype: Any = None, casting: Any = None) -> Node:
    """z[k] = parts[k]: equal shapes along a new axis."""
    nodes = _nodes(parts)
    if not nodes:
        raise ShapeError("stack needs at least one array", "", "np.zeros((0, ...))")
    (axis,) = axes_of(axis, nodes[0].ndim + 1)
    for node in nodes:
        if node.shape != nodes[0].shape:
            raise ShapeError(
                "stack needs equal shapes", f"{nodes[0].shape} and {node.shape}", "np.concatenate"
            )
    return concatenate([reshape_node(n, (*n.shape[:axis], 1, *n.shape[axis:])) for n in nodes], axis)


@operation("index map", "parts")
def hstack(parts: Any, dtype: Any = None, casting: Any = None) -> Node:
    """z = the parts side by side: along axis 1, vectors after one another."""
    nodes = [atleast(n, 1) for n in _nodes(parts)]
    return concatenate(nodes, 0 if nodes and nodes[0].ndim == 1 else 1)


@operation("index map", "parts", serves="vstack row_stack")
def vstack(parts: Any, dtype: Any = None, casting: Any = None) -> Node:
    """z = the parts below one another: along axis 0, a vector being a row."""
    return concatenate([atleast(n, 2) for n in _nodes(parts)], 0)


@operation("index map", "parts")
def dstack(parts: Any) -> Node:
    """z = the parts behind one another: along axis 2, a matrix being a layer."""
    return concatenate([atleast(n, 3) for n in _nodes(parts)], 2)


@operation("index map", "parts")
def column_stack(parts: Any) -> Node:
    """z = the parts side by side, a vector being a column."""
    nodes = _nodes(parts)
    return concatenate([n if n.ndim > 1 else reshape_node(n, (-1, 1)) for n in nodes], 1)


@operation("index map", "parts")
def block(parts: Any) -> Node:
    """z = a matrix of blocks: the innermost lists side by side, the outer ones below one another."""
    depth, widest = _depth(parts), _widest(parts)
    ndim = max(depth, widest)

    def joined(part: Any, level: int) -> Node:
        if not isinstance(part, list):
            return _leading(_nodes([part])[0], ndim)
        return concatenate([joined(p, level + 1) for p in part], level - depth)

    return joined(parts, 0)


def _depth(parts: Any) -> int:
    if not isinstance(parts, list):
        return 0
    depths = {_depth(part) for part in parts}
    if len(depths) != 1:
        raise ShapeError("block needs lists of one depth", f"depths {sorted(depths)}", "[[A, B], [C, D]]")
    return 1 + depths.pop()


def _widest(parts: Any) -> int:
    return max(map(_widest, parts)) if isinstance(parts, list) else as_node(parts).ndim


def _leading(x: Node, ndim: int) -> Node:
    return reshape_node(x, (1,) * (ndim - x.ndim) + x.shape) if x.ndim < ndim else x


@operation("index map", "x values")
def append(x: Any, values: Any, axis: Any = None) -> Node:
    """z = x, then the values, along an axis (both flattened by default)."""
    return concatenate([x, values], axis)


@operation("index map", "x values")
def insert(x: Any, obj: Any, values: Any, axis: Any = None) -> Node:
    """z = x with values put in before constant places, along an axis (x flattened by default)."""
    x, values = as_node(x), as_node(values)
    if axis is None:
        x, axis = reshape_node(x, (-1,)), 0
    (axis,) = axes_of(axis, x.ndim)
    length = number(x.shape[axis], "np.insert")
    places = np.arange(length)[obj] if isinstance(obj, slice) else np.asarray(obj)
    values = _leading(values, x.ndim)
    places = np.flatnonzero(places) if places.dtype == bool else places.astype(np.intp)
    if places.ndim == 0:
        values = moveaxis(values, 0, axis)
    count = number(values.shape[axis], "np.insert") if places.size == 1 else places.size
    values = broadcast_to(values, (*x.shape[:axis], count, *x.shape[axis + 1 :]))
    order = np.insert(np.arange(length), places, np.arange(length, length + count))
    return take(concatenate([x, values], axis), order, axis)


@operation("index map", "x", serves="array_split")
def array_split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Node]:
    """z_k = the k-th stretch of x along an axis: that many of nearly equal length, or cut at places."""
    x = as_node(x)
    (axis,) = axes_of(axis, x.ndim)
    cuts = _cuts(indices_or_sections, x.shape[axis], exact=False)
    return [_stretch(x, axis, a, b) for a, b in zip([0, *cuts], [*cuts, None], strict=True)]


@operation("index map", "x", serves="split")
def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Node]:
    """z_k = the k-th stretch of x along an axis: that many of equal length, or cut at places."""
    x = as_node(x)
    (axis,) = axes_of(axis, x.ndim)
    _cuts(indices_or_sections, x.shape[axis], exact=True)
    return array_split(x, indices_or_sections, axis)


def _cuts(given: Any, size: Size, exact: bool) -> list[Any]:
    if np.ndim(given) > 0:
        return [int(cut) for cut in given]
    count, length = int(given), number(size, "a split into equal parts")
    if count < 1 or (exact and length % count):
        raise ShapeError(
            f"cannot split into {count} equal parts",
            f"the axis has size {length}",
            "np.array_split, or the places to cut at",
        )
    each, longer = divmod(length, count)
    return [k * each + min(k, longer) for k in range(1, count)]


def _stretch(x: Node, axis: int, start: int, stop: int | None) -> Node:
    return getitem(x, (slice(None),) * axis + (slice(start, stop),))


@operation("index map", "x")
def hsplit(x: Any, indices_or_sections: Any) -> list[Node]:
    """z_k = the k-th stretch of x along axis 1 (axis 0 of a vector)."""
    x = as_node(x)
    return split(x, indices_or_sections, 1 if x.ndim > 1 else 0)


@operation("index map", "x")
def vsplit(x: Any, indices_or_sections: Any) -> list[Node]:
    """z_k = the k-th stretch of x along axis 0."""
    return split(x, indices_or_sections, 0)


@operation("index map", "x")
def dsplit(x: Any, indices_or_sections: Any) -> list[Node]:
    """z_k = the k-th stretch of x along axis 2."""
    return split(x, indices_or_sections, 2)


@operation("index map", "x")
def unstack(x: Any, axis: int = 0) -> tuple[Node, ...]:
    """z_k = x[k]: the slices along an axis."""
    x = as_node(x)
    (axis,) = axes_of(axis, x.ndim)
    count = number(x.shape[axis], "np.unstack")
    return tuple(getitem(x, (slice(None),) * axis + (k,)) for k in range(count))
