"""Indexing: slices, integers, None, `...`, integer and boolean arrays; each a selection, never a one-hot array.

`getitem(x, key)` is `x[key]`; `slots_of(shape, key)` reads the key into slots, which the Jacobian's
own indexing uses too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..axes import Shape, Size, number
from ..errors import ShapeError, UnsupportedError
from ..expr import Node, constant
from ..operation import as_node, operation
from ..wiring import Affine, Slot, Table, affine, selection
from .reshaping import reshape_node


@dataclass(frozen=True, slots=True)
class Key:
    """A key read against a shape: a slot for each axis, the result's labels (None: a new axis) and sizes."""

    slots: tuple[Slot, ...]
    output: tuple[int | None, ...]
    sizes: tuple[Size, ...]


def slots_of(shape: Shape, key: Any) -> Key:
    """Reads an index expression by numpy's rules; raises ShapeError with the axis where it does not fit."""
    items = _expanded(shape, key)
    arrays = [item for item in items if _is_array(item)]
    items = [_bounded(item, shape, axis) for item, axis in _with_axes(items)]
    common = _common(items) if arrays else ()
    sizes: list[Size] = list(common)
    output: list[int | None] = []
    slots: list[Slot] = []
    places: list[int] = []  # where advanced indices stand among the items
    first = 0
    for k, item in enumerate(items):
        if item is None:
            output.append(None)
            continue
        size = shape[len(slots)]
        if isinstance(item, slice):
            label = len(sizes)
            slot, length = _sliced(item, size, label, len(slots))
            sizes.append(length)
            output.append(label)
            slots.append(slot)
            continue
        if arrays:
            if not places:
                first = len(output)
            places.append(k)
        slots.append(_table(item, common) if _is_array(item) else Affine(item))
    if arrays:
        together = places == list(range(places[0], places[0] + len(places)))
        at = first if together else 0
        output[at:at] = range(len(common))
    return Key(tuple(slots), tuple(output), tuple(sizes))


def _is_array(item: Any) -> bool:
    return isinstance(item, (np.ndarray, Node)) and not (isinstance(item, np.ndarray) and item.ndim == 0)


def _expanded(shape: Shape, key: Any) -> list[Any]:
    """The key as a list with one item for each axis, plus the Nones; masks become integer arrays."""
    items: list[Any] = []
    for item in key if isinstance(key, tuple) else (key,):
        items += _item(item)
    used = sum(item is not None and item is not Ellipsis for item in items)
    if sum(item is Ellipsis for item in items) > 1:
        raise ShapeError("an index can have one '...' only", str(key), "slices for the other axes")
    if used > len(shape):
        raise ShapeError(
            f"too many indices: {used} for {len(shape)} axes", f"shape {shape}", "at most one index for each axis"
        )
    fill = [slice(None)] * (len(shape) - used)
    at = next((k for k, item in enumerate(items) if item is Ellipsis), None)
    return items + fill if at is None else items[:at] + fill + items[at + 1 :]


def _item(item: Any) -> list[Any]:
    if item is None or item is Ellipsis or isinstance(item, slice):
        return [item]
    if isinstance(item, (bool, np.bool_)):
        raise UnsupportedError("a single True or False as an index is not supported", "", "x[None] or x[:0]")
    if isinstance(item, (int, np.integer)):
        return [int(item)]
    if isinstance(item, Node):
        if getattr(item.dtype, "kind", "") not in "iu":
            raise UnsupportedError(
                "an index depends on a traced value",
                f"a mask or index of type {item.dtype} has no values while tracing",
                "np.where(mask, x, 0), or an index array made outside the function",
            )
        return [item]
    array = np.asarray(item)
    if array.dtype == bool:
        return list(np.nonzero(array))
    if array.dtype.kind not in "iu" and array.size:
        raise ShapeError(f"an index of type {array.dtype} is no index", str(item), "integers, slices or a boolean mask")
    return [int(array) if array.ndim == 0 else array.astype(np.intp)]


def _with_axes(items: Sequence[Any]) -> list[tuple[Any, int]]:
    axis, found = 0, []
    for item in items:
        found.append((item, axis))
        axis += item is not None
    return found


def _bounded(item: Any, shape: Shape, axis: int) -> Any:
    """Integers counted from the end made non-negative; out of bounds is an error that names the axis."""
    if item is None or isinstance(item, (slice, Node)):
        return item
    size = number(shape[axis], "an index") if not (isinstance(item, int) and item >= 0) else shape[axis]
    low, high = (int(np.min(item)), int(np.max(item))) if np.size(item) else (0, -1)
    if isinstance(size, int) and np.size(item) and (high >= size or low < -size):
        raise ShapeError(
            f"index {high if high >= size else low} is out of bounds", f"axis {axis} has size {size}", f"{-size} to {size - 1}"
        )
    return np.where(item < 0, item + size, item) if isinstance(item, np.ndarray) else item + size if item < 0 else item


def _common(items: Sequence[Any]) -> Shape:
    shapes = [item.shape for item in items if _is_array(item)]
    try:
        return tuple(np.broadcast_shapes(*shapes))
    except ValueError:
        raise ShapeError("index arrays do not fit", f"shapes {shapes}", "equal shapes, or sizes of 1") from None


def _sliced(item: slice, size: Size, label: int, axis: int) -> tuple[Slot, Size]:
    if item == slice(None):
        return label, size
    if item.step in (None, 1) and not isinstance(size, int):
        start, stop = item.start or 0, item.stop
        length = (size if stop is None else size + stop if stop < 0 else stop) - start
        return affine(start if start >= 0 else size + start, [(label, 1)]), length
    start, stop, step = item.indices(number(size, "a slice"))
    length = len(range(start, stop, step))
    slot = affine(start, [(label, step)])
    return (label if start == 0 and step == 1 and length == size else slot), length


def _table(item: Any, common: Shape) -> Slot:
    """An index array as a table over those of the common labels that it really varies along."""
    offset = len(common) - item.ndim
    kept = [k for k in range(item.ndim) if not (item.shape[k] == 1 and common[offset + k] != 1)]
    labels = tuple(offset + k for k in kept)
    shape = tuple(item.shape[k] for k in kept)
    if isinstance(item, Node):
        return Table(labels, reshape_node(item, shape))
    array = item.reshape(shape)
    steps = np.diff(array) if array.ndim == 1 else ()
    if array.ndim == 1 and array.size > 1 and steps[0] != 0 and (steps == steps[0]).all():
        return affine(int(array[0]), [(labels[0], int(steps[0]))])
    return Table(labels, constant(array))


@operation("index map", "x", serves="", formula="(labels | slots)")
def getitem(x: Any, key: Any) -> Node:
    """z = x[key]: `z[labels] = x[slots(labels)]`, a slice, a gather or both."""
    x = as_node(x)
    read = slots_of(x.shape, key)
    labels = [label for label in read.output if label is not None]
    if list(read.slots) == labels == list(range(x.ndim)) and tuple(read.sizes) == x.shape:
        z = x
    else:
        order = {label: k for k, label in enumerate(labels)}
        sizes = [read.sizes[label] for label in labels]
        z = selection(x, [_renamed(slot, order) for slot in read.slots], range(len(labels)), sizes)
    if None not in read.output:
        return z
    return reshape_node(z, tuple(1 if label is None else read.sizes[label] for label in read.output))


def _renamed(slot: Slot, order: dict[int, int]) -> Slot:
    from ..wiring import relabel

    return relabel(slot, order)


@operation("index map", "x")
def take(x: Any, indices: Any, axis: Any = None, out: None = None, mode: str = "raise") -> Node:
    """z = x[..., indices, ...] along an axis, of the flattened x by default."""
    x = as_node(x)
    if axis is None:
        return getitem(reshape_node(x, (-1,)), indices)
    axis = int(axis) + x.ndim if axis < 0 else int(axis)
    if isinstance(indices, list):
        indices = np.asarray(indices, np.intp)
    return getitem(x, (slice(None),) * axis + (indices,))
