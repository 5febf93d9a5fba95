"""Rearranging: the same entries in other places, some of them repeated or left out.

`flip`, `fliplr`, `flipud`, `rot90`, `roll`, `repeat`, `tile`, `resize`, `pad`, `tril`, `triu`.  Where the
places follow a pattern (a flip, a shift, whole copies) the Jacobian is a wiring of strides and works for
symbolic sizes; else it holds integer indices.  No one-hot array appears, and a roll of n entries costs O(n).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..axes import Size, entries, number
from ..errors import ShapeError, UnsupportedError
from ..expr import Node, constant
from ..operation import as_node, operation, rule
from ..wiring import Slot, affine, selection
from . import _text
from ._broadcast import axes_of
from .indexing import getitem, take
from .joining import concatenate, place
from .multilinear import broadcast_to, swapaxes
from .pointwise import where
from .reshaping import reshape_node


@operation("index map", "x", formula="(i | n - 1 - i)")
def flip(x: Any, axis: Any = None) -> Node:
    """z[i] = x[n - 1 - i] along some axes (all by default)."""
    x = as_node(x)
    turned = axes_of(axis, x.ndim)
    slots: list[Slot] = [affine(n - 1, [(k, -1)]) if k in turned else k for k, n in enumerate(x.shape)]
    return selection(x, slots, range(x.ndim), x.shape) if turned else x


@operation("index map", "x")
def fliplr(x: Any) -> Node:
    """z = x with its columns in reverse order."""
    return flip(x, 1)


@operation("index map", "x")
def flipud(x: Any) -> Node:
    """z = x with its rows in reverse order."""
    return flip(x, 0)


@operation("index map", "x")
def rot90(x: Any, k: int = 1, axes: Any = (0, 1)) -> Node:
    """z = x turned by k quarters, from the first towards the second of two axes."""
    x = as_node(x)
    a, b = axes_of(tuple(axes), x.ndim)
    if k % 2 == 0:
        return flip(x, (a, b) if k % 4 else ())
    return swapaxes(flip(x, b), a, b) if k % 4 == 1 else flip(swapaxes(x, a, b), b)


@operation("index map", "x", formula="(i | i - shift), in two stretches")
def roll(x: Any, shift: Any, axis: Any = None) -> Node:
    """z[(i + shift) mod n] = x[i] along an axis (of the flattened x by default): two stretches, two Terms."""
    z: Node = as_node(x)
    if axis is None:
        return reshape_node(roll(reshape_node(z, (-1,)), shift, 0), z.shape)
    shifts, axes = np.broadcast_arrays(np.asarray(shift, np.intp), np.asarray(axis, np.intp))
    for one, along in zip(shifts.ravel().tolist(), axes.ravel().tolist(), strict=True):
        (along,) = axes_of(along, z.ndim)
        before, size = (slice(None),) * along, z.shape[along]
        by = one if not isinstance(size, int) else one % size if size else 0
        if by:
            parts = [getitem(z, (*before, slice(-by, None))), getitem(z, (*before, slice(None, -by)))]
            z = concatenate(parts, along)
    return z


@operation("index map", "x", formula="(r i + j | i)")
def repeat(x: Any, repeats: Any, axis: Any = None) -> Node:
    """z[r i + j] = x[i]: every entry r times in a row (or as often as `repeats` says of each)."""
    x = as_node(x)
    if axis is None:
        x, axis = reshape_node(x, (-1,)), 0
    (axis,) = axes_of(axis, x.ndim)
    counts = np.asarray(repeats)
    before, size, after = x.shape[:axis], x.shape[axis], x.shape[axis + 1 :]
    if counts.size != 1:
        return take(x, np.repeat(np.arange(number(size, "np.repeat")), counts), axis)
    each = int(counts.item())
    wide = broadcast_to(reshape_node(x, (*before, size, 1, *after)), (*before, size, each, *after))
    return reshape_node(wide, (*before, size * each, *after))


@operation("index map", "x", formula="(n j + i | i)")
def tile(x: Any, reps: Any) -> Node:
    """z[n j + i] = x[i]: the whole array next to itself, `reps` times along each axis."""
    x = as_node(x)
    several = tuple(reps) if isinstance(reps, (tuple, list, np.ndarray)) else (reps,)
    ndim = max(x.ndim, len(several))
    counts = (1,) * (ndim - len(several)) + tuple(int(n) for n in several)
    shape = (1,) * (ndim - x.ndim) + x.shape
    apart = tuple(n for size in shape for n in (1, size))
    wide = tuple(n for count, size in zip(counts, shape, strict=True) for n in (count, size))
    whole = tuple(count * size for count, size in zip(counts, shape, strict=True))
    return reshape_node(broadcast_to(reshape_node(x, apart), wide), whole)


@operation("index map", "x")
def resize(x: Any, new_shape: Any) -> Node:
    """z = the entries of x in C order, started over as often as the new shape needs."""
    x = as_node(x)
    shape = tuple(new_shape) if isinstance(new_shape, (tuple, list)) else (new_shape,)
    total, wanted = number(entries(x.shape), "np.resize"), number(entries(shape), "np.resize")
    flat = take(x, np.arange(wanted) % max(total, 1))
    return reshape_node(flat, shape)


GATHERED = ("edge", "reflect", "symmetric", "wrap")  # modes of pad that repeat entries of the array


@operation("index map", "x", formula="(i + before | i)")
def pad(x: Any, pad_width: Any, mode: str = "constant", **more: Any) -> Node:
    """z = x with a border: constant values, or entries of x by "edge", "reflect", "symmetric" or "wrap".

    Raises UnsupportedError for other modes.
    """
    z: Node = as_node(x)
    widths = _widths(pad_width, z.ndim)
    if mode == "constant":
        return _bordered(z, widths, more.get("constant_values", 0))
    if mode not in GATHERED or more.get("reflect_type", "even") != "even":
        raise UnsupportedError(
            f"np.pad with mode {mode!r} is not traced",
            str(more or ""),
            "one of constant, " + ", ".join(GATHERED),
        )
    for axis, width in enumerate(widths):
        if any(width):
            places = np.arange(number(z.shape[axis], "np.pad"))
            z = take(z, np.pad(places, width, mode), axis)  # type: ignore[call-overload]
    return z


def _widths(given: Any, ndim: int) -> list[tuple[int, int]]:
    if isinstance(given, Mapping):
        pairs = {axes_of(axis, ndim)[0]: np.broadcast_to(width, (2,)) for axis, width in given.items()}
        given = [pairs.get(axis, (0, 0)) for axis in range(ndim)]
    try:
        return [(int(a), int(b)) for a, b in np.broadcast_to(np.asarray(given), (ndim, 2))]
    except ValueError:
        raise ShapeError(
            "pad widths do not fit", f"{given} for {ndim} axes", "a pair for each axis"
        ) from None


def _bordered(x: Node, widths: list[tuple[int, int]], values: Any) -> Node:
    if isinstance(values, Node):
        raise UnsupportedError(
            "np.pad with traced constant_values is not traced", "", "np.concatenate or np.block"
        )
    z = x
    for axis, (before, after) in enumerate(widths):
        if before or after:
            z = place([(z, before)], axis, z.shape[axis] + before + after)
    if not np.any(values):
        return z
    inside = np.zeros([number(n, "np.pad") for n in x.shape], np.dtype(x.dtype))
    border = np.pad(inside, widths, constant_values=values)
    return _text.add(z, constant(border))  # type: ignore[no-any-return]


def tri(rows: Size, columns: Size, k: int = 0) -> Node:
    """The mask `[j <= i + k]`, rows x columns, made when a plan runs."""
    return Node("tri", (), (rows, columns, k), (rows, columns), np.dtype(bool))


rule("tri", lambda params: np.tri(params[0], params[1], params[2], bool))


@operation("index map", "x", formula="δ [j <= i + k]")
def tril(x: Any, k: int = 0) -> Node:
    """z[i, j] = x[i, j] where j <= i + k, else 0: selected, so that inf and NaN above are gone."""
    x = _matrix(x, "tril")
    return where(tri(x.shape[-2], x.shape[-1], k), x, 0)


@operation("index map", "x", formula="δ [j >= i + k]")
def triu(x: Any, k: int = 0) -> Node:
    """z[i, j] = x[i, j] where j >= i + k, else 0: selected, so that inf and NaN below are gone."""
    x = _matrix(x, "triu")
    return where(tri(x.shape[-2], x.shape[-1], k - 1), 0, x)


def _matrix(x: Any, what: str) -> Node:
    x = as_node(x)
    if x.ndim < 1:
        raise ShapeError(f"{what} needs an array with axes", "x is a scalar", "a matrix")
    return x if x.ndim > 1 else broadcast_to(x, (x.shape[0], x.shape[0]))
