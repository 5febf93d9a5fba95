"""Joining and splitting: concatenate, stack and their like place whole arrays into a larger one.

Each part is wired through an affine slot (its offset along the joined axis), so the Jacobian by a part is
a stretch of the identity and costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..axes import Size
from ..errors import ShapeError
from ..expr import Node
from ..operation import as_node, operation
from ..terms import Term, TermSum, assemble
from ..wiring import Slot, affine
from .reshaping import reshape_node


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


@operation("index map", "parts", serves="concatenate concat")
def concatenate(parts: Any, axis: Any = 0, out: None = None, dtype: Any = None, casting: Any = None) -> Node:
    """z = the parts after one another along an axis (all flattened where axis is None)."""
    nodes = [as_node(part) for part in parts]
    if axis is None:
        nodes, axis = [reshape_node(n, (-1,)) for n in nodes], 0
    if not nodes or any(n.ndim == 0 for n in nodes):
        raise ShapeError("concatenate needs arrays with axes", f"{len(nodes)} parts", "np.stack for scalars")
    axis = axis + nodes[0].ndim if axis < 0 else axis
    for node in nodes[1:]:
        rest = [n for k, n in enumerate(node.shape) if k != axis]
        if rest != [n for k, n in enumerate(nodes[0].shape) if k != axis]:
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


@operation("index map", "parts")
def stack(parts: Any, axis: int = 0, out: None = None, dtype: Any = None, casting: Any = None) -> Node:
    """z[k] = parts[k]: equal shapes along a new axis."""
    nodes = [as_node(part) for part in parts]
    ndim = nodes[0].ndim + 1
    axis = axis + ndim if axis < 0 else axis
    for node in nodes:
        if node.shape != nodes[0].shape:
            raise ShapeError("stack needs equal shapes", f"{nodes[0].shape} and {node.shape}", "np.concatenate")
    return concatenate([reshape_node(n, (*n.shape[:axis], 1, *n.shape[axis:])) for n in nodes], axis)
