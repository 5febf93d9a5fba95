"""Broadcasting, resolved once: which labels the axes of each argument get.

An axis of size 1 that is stretched to n gets a label of its own, of size 1, so that a contraction
never sees two sizes under one label.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..axes import Shape, Size
from ..errors import ShapeError
from ..expr import Node, product


class Broadcast(NamedTuple):
    """The result's shape and labels (0 to n-1), each argument's labels, and every label's size."""

    shape: Shape
    output: tuple[int, ...]
    arguments: tuple[tuple[int, ...], ...]
    sizes: tuple[Size, ...]


def broadcast(*shapes: Shape, where: str = "broadcasting") -> Broadcast:
    """The common shape of `shapes` by numpy's rule, axes aligned from the right.

    Raises ShapeError where two sizes differ and neither is 1.

    >>> broadcast((3, 1), (4,))
    Broadcast(shape=(3, 4), output=(0, 1), arguments=((0, 2), (1,)), sizes=(3, 4, 1))
    """
    if all(shape == shapes[0] for shape in shapes):
        labels = tuple(range(len(shapes[0])))
        return Broadcast(shapes[0], labels, (labels,) * len(shapes), shapes[0])
    ndim = max(map(len, shapes))
    shape: list[Size] = [1] * ndim
    for one in shapes:
        for axis, size in enumerate(one, ndim - len(one)):
            if shape[axis] == 1:
                shape[axis] = size
            elif size not in (1, shape[axis]):
                raise ShapeError(
                    f"shapes do not fit in {where}",
                    " and ".join(_times(s) for s in shapes) + f": sizes {shape[axis]} and {size} differ",
                    "make the sizes equal, or one of them 1",
                )
    sizes: list[Size] = list(shape)
    arguments = tuple(labels_in(one, shape, sizes) for one in shapes)
    return Broadcast(tuple(shape), tuple(range(ndim)), arguments, tuple(sizes))


def labels_in(one: Shape, shape: Sequence[Size], sizes: list[Size]) -> tuple[int, ...]:
    """The labels of `one` inside the broadcast `shape`; `sizes` gains one of size 1 per stretched axis."""
    labels = []
    for axis, size in enumerate(one, len(shape) - len(one)):
        if size == 1 and shape[axis] != 1:
            sizes.append(1)
            labels.append(len(sizes) - 1)
        else:
            labels.append(axis)
    return tuple(labels)


def aligned(node: Node, labels: Sequence[int], common: Broadcast) -> tuple[Node, tuple[int, ...]]:
    """`node` without its stretched axes, and the labels it keeps (all of them the result's)."""
    kept = tuple(label for label in labels if label < len(common.shape))
    if len(kept) == len(labels):
        return node, kept
    return product([(node, tuple(labels))], kept, common.sizes), kept


def _times(shape: Shape) -> str:
    return " x ".join(map(str, shape)) if len(shape) != 1 else f"({shape[0]},)"


def bracketed(shape: Shape) -> str:
    """A shape as errors print it.

    >>> bracketed((3, 4))
    '(3 x 4)'
    """
    return "(" + " x ".join(map(str, shape)) + ")"


def axes_of(axis: Any, ndim: int, where: str = "axis") -> tuple[int, ...]:
    """`axis` (None, an int or several) as non-negative ints; raises ShapeError out of bounds or twice."""
    if axis is None:
        return tuple(range(ndim))
    several = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    found = tuple(int(a) + ndim if a < 0 else int(a) for a in several)
    if any(not 0 <= a < ndim for a in found) or len(set(found)) != len(found):
        raise ShapeError(
            f"{where} {axis} does not fit",
            f"the array has {ndim} axes",
            f"axes from {-ndim} to {ndim - 1}, each once",
        )
    return found
