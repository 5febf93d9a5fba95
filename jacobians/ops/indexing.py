"""Indexing: slices, integers, None, `...`, integer and boolean arrays: selections, never one-hot arrays.

`getitem(x, key)` is `x[key]`; `take`, `take_along_axis`, `compress`, `extract` and `delete` are numpy's.
`slots_of(shape, key)` reads a key into slots, which the Jacobian's own indexing uses too.  Places that
depend on traced values (`nonzero`) are an error; *integers* of the trace (an argsort) may index.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..axes import Shape, Size, number
from ..errors import ShapeError, UnsupportedError
from ..expr import Node, constant
from ..operation import as_node, operation
from ..wiring import Affine, Slot, Table, affine, relabel, selection
from ._broadcast import axes_of, broadcast
from .reshaping import reshape_node


class Key(NamedTuple):
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
            f"too many indices: {used} for {len(shape)} axes",
            f"shape {shape}",
            "at most one index for each axis",
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
        if getattr(item.dtype, "kind", "") not in ("i", "u"):
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
        raise ShapeError(
            f"an index of type {array.dtype} is no index", str(item), "integers, slices or a boolean mask"
        )
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
    size = shape[axis]
    if not isinstance(size, int) and np.all(np.asarray(item) >= 0):
        return item
    if not isinstance(size, int) and isinstance(item, int):
        return size + item
    size = number(size, "an index array")
    low, high = (int(np.min(item)), int(np.max(item))) if np.size(item) else (0, -1)
    if np.size(item) and (high >= size or low < -size):
        raise ShapeError(
            f"index {high if high >= size else low} is out of bounds",
            f"axis {axis} has size {size}",
            f"{-size} to {size - 1}",
        )
    return np.where(item < 0, item + size, item) if isinstance(item, np.ndarray) else item % size


def _common(items: Sequence[Any]) -> Shape:
    return broadcast(*(item.shape for item in items if _is_array(item)), where="index arrays").shape


def _sliced(item: slice, size: Size, label: int, axis: int) -> tuple[Slot, Size]:
    if item == slice(None):
        return label, size
    if any(isinstance(end, Node) for end in (item.start, item.stop, item.step)):
        raise UnsupportedError(
            "a slice ends at a traced value",
            f"axis {axis}: values are not known while the function is traced",
            "numbers for the sizes, such as N=5, or x[:-1], which counts from the end",
        )
    if item.step in (None, 1) and not isinstance(size, int):
        start, stop = item.start or 0, size if item.stop is None else item.stop
        start, stop = (size + end if isinstance(end, int) and end < 0 else end for end in (start, stop))
        return affine(start, [(label, 1)]), stop - start
    start, stop, step = item.indices(number(size, "a slice"))
    length = len(range(start, stop, step))
    slot = affine(start, [(label, step)])
    return (label if start == 0 and step == 1 and length == size else slot), length


def _table(item: Node | np.ndarray, common: Shape) -> Slot:
    """An index array as a table over those of the common labels that it really varies along."""
    offset = len(common) - item.ndim
    kept = [k for k in range(item.ndim) if not (item.shape[k] == 1 and common[offset + k] != 1)]
    labels = tuple(offset + k for k in kept)
    shape = tuple(item.shape[k] for k in kept)
    if isinstance(item, Node):
        return Table(labels, reshape_node(item, shape))
    array = item.reshape(shape)
    steps = np.diff(array) if array.ndim == 1 else np.empty(0, np.intp)
    if steps.size and steps[0] != 0 and (steps == steps[0]).all():
        return affine(int(array[0]), [(labels[0], int(steps[0]))])
    return Table(labels, constant(array))


@operation("index map", "x", serves="", formula="(labels | slots)")
def getitem(x: Any, key: Any) -> Node:
    """z = x[key]: `z[labels] = x[slots(labels)]`, a slice, a gather or both."""
    x = as_node(x)
    z: Node = x
    read = slots_of(x.shape, key)
    labels = [label for label in read.output if label is not None]
    if not (list(read.slots) == labels == list(range(x.ndim)) and tuple(read.sizes) == x.shape):
        order = {label: k for k, label in enumerate(labels)}
        sizes = [read.sizes[label] for label in labels]
        z = selection(x, [relabel(slot, order) for slot in read.slots], range(len(labels)), sizes)
    if None not in read.output:
        return z
    return reshape_node(z, tuple(1 if label is None else read.sizes[label] for label in read.output))


@operation("index map", "x")
def take(x: Any, indices: Any, axis: Any = None, out: None = None, mode: str = "raise") -> Node:
    """z = x[..., indices, ...] along an axis, of the flattened x by default.

    `mode` "wrap" and "clip" bring constant indices into range as numpy does.
    """
    x = as_node(x)
    if axis is None:
        x, axis = reshape_node(x, (-1,)), 0
    (axis,) = axes_of(axis, x.ndim)
    if not isinstance(indices, Node):
        indices = np.asarray(indices)
        indices = _into_range(indices.astype(np.intp) if not indices.size else indices, x.shape[axis], mode)
    return getitem(x, (slice(None),) * axis + (indices,))


def _into_range(indices: np.ndarray, size: Size, mode: str) -> np.ndarray:
    if mode == "raise":
        return indices
    length = number(size, "an index out of range")
    return indices % length if mode == "wrap" else np.clip(indices, 0, length - 1)


@operation("index map", "x")
def take_along_axis(x: Any, indices: Any, axis: Any = -1) -> Node:
    """z[..., k, ...] = x[..., indices[..., k, ...], ...]: an index of its own for every place.

    `indices` has as many axes as x; sizes of 1 are stretched, as in numpy.
    """
    x = as_node(x)
    if axis is None:
        x, axis = reshape_node(x, (-1,)), 0
    (axis,) = axes_of(axis, x.ndim)
    if not isinstance(indices, Node):
        indices = constant(_bounded(np.asarray(indices, np.intp), x.shape, axis))
    if indices.ndim != x.ndim:
        raise ShapeError(
            "take_along_axis needs an index for every place",
            f"x has {x.ndim} axes, indices {indices.ndim}",
            "np.expand_dims(indices, axis), or np.take for the same indices everywhere",
        )
    others = (*x.shape[:axis], 1, *x.shape[axis + 1 :])
    shape = broadcast(others, indices.shape, where="take_along_axis").shape
    kept = tuple(k for k in range(x.ndim) if indices.shape[k] == shape[k])
    slots: list[Slot] = [k if x.shape[k] == size else Affine(0) for k, size in enumerate(shape)]
    slots[axis] = Table(kept, reshape_node(indices, tuple(shape[k] for k in kept)))
    return selection(x, slots, range(x.ndim), shape)


@operation("index map", "x")
def compress(condition: Any, x: Any, axis: Any = None, out: None = None) -> Node:
    """z = the entries (or slices along an axis) of x where a constant condition holds."""
    x = as_node(x)
    if isinstance(condition, Node):
        raise _unknown_places("np.compress")
    places = np.flatnonzero(np.asarray(condition))
    return take(x, places, axis)


@operation("index map", "x")
def extract(condition: Any, x: Any) -> Node:
    """z = the entries of x where a constant condition holds, in one axis."""
    if isinstance(condition, Node):
        raise _unknown_places("np.extract")
    return take(x, np.flatnonzero(np.asarray(condition)))


@operation("index map", "x")
def delete(x: Any, obj: Any, axis: Any = None) -> Node:
    """z = x without the entries (or slices along an axis) at constant places."""
    x = as_node(x)
    if isinstance(obj, Node):
        raise _unknown_places("np.delete")
    if axis is None:
        x, axis = reshape_node(x, (-1,)), 0
    (axis,) = axes_of(axis, x.ndim)
    return take(x, np.delete(np.arange(number(x.shape[axis], "np.delete")), obj), axis)


@operation("index map", "x", serves="nonzero flatnonzero argwhere unique")
def nonzero(x: Any, *args: Any, **kwargs: Any) -> Node:
    """An error: which entries are found depends on values, which are not known while tracing."""
    raise _unknown_places("np.nonzero, argwhere or unique")


def _unknown_places(what: str) -> UnsupportedError:
    return UnsupportedError(
        f"{what} of a traced value has no shape yet",
        "which entries it finds depends on values that are not known while the function is traced",
        "np.where(condition, x, 0), which keeps the shape, or places found outside the function",
    )
