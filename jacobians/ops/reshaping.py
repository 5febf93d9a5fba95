"""Reshapes: axes that survive whole keep their labels, merged and split ones become affine slots.

Merging axes (i, j) into p puts `p = n i + j` on the target side, splitting does so on the input side; both
are read and written as strided views.  `reshape`, `ravel`, `vec` and `atleast_1d` (2d, 3d) are what users
call, `reshape_node` and `atleast` what other operations use.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..axes import Poly, Shape, Size, divide, entries, number
from ..errors import ShapeError, UnsupportedError
from ..expr import Node, array_type, constant
from ..operation import as_node, operation, rule
from ..terms import TermSum, canonical
from ..wiring import Slot, Table, affine
from ._broadcast import bracketed


def reshape_node(x: Node, shape: Shape) -> Node:
    """`x` with the same entries, in C order, under another shape (-1 is worked out)."""
    shape = _complete(x.shape, shape)
    dtype = array_type(x.dtype) if shape else x.dtype
    return x if shape == x.shape else Node("reshape", (x,), shape, shape, dtype)


def _complete(old: Shape, new: Shape) -> Shape:
    total = entries(old)
    unknown = [k for k, n in enumerate(new) if n == -1]
    if unknown:
        known = entries(n for n in new if n != -1)
        rest = divide(total, known) if len(unknown) == 1 and known != 0 else None
        rest = 0 if rest is None and total == 0 and len(unknown) == 1 and known != 0 else rest
        if rest is None:
            raise ShapeError(
                f"cannot reshape {bracketed(old)} to {bracketed(new)}", f"{total} entries", "at most one -1"
            )
        new = tuple(rest if n == -1 else n for n in new)
    if entries(new) != total:
        raise ShapeError(
            f"cannot reshape {bracketed(old)} to {bracketed(new)}",
            f"{total} entries against {entries(new)}",
            "equal numbers of entries",
        )
    return new


def _blocks(old: Shape, new: Shape) -> Iterator[tuple[list[int], list[int]]]:
    """Pairs the axes of two shapes into the smallest groups with equal products, from the left."""
    i = j = 0
    while i < len(old) or j < len(new):
        left: list[int] = []
        right: list[int] = []
        a: Size = 1
        b: Size = 1
        while (not left and not right) or a != b:
            grow_left = j >= len(new) or (i < len(old) and (not left or _smaller(a, b)))
            if grow_left and i >= len(old):
                raise ShapeError(
                    "these symbolic shapes cannot be matched", f"{old} to {new}", "give the symbols numbers"
                )
            if grow_left:
                a, i = a * old[i], i + 1
                left.append(i - 1)
            else:
                b, j = b * new[j], j + 1
                right.append(j - 1)
        yield left, right


def _smaller(a: Size, b: Size) -> bool:
    if isinstance(a, Poly) or isinstance(b, Poly):
        return divide(b, a) is not None
    return a < b


def reshape_local(node: Node, k: int) -> TermSum:
    """Plain labels where an axis survives, affine slots where axes merge or split, else a table."""
    old, new = node.args[0].shape, node.shape
    if entries(old) == 0:
        return TermSum(new, old)
    target: list[Slot] = [0] * len(new)
    given: list[Slot] = [0] * len(old)
    sizes: list[Size] = []

    def fresh(size: Size) -> int:
        sizes.append(size)
        return len(sizes) - 1

    for left, right in _blocks(old, new):
        if len(left) == 1 and len(right) == 1:
            target[right[0]] = given[left[0]] = fresh(old[left[0]])
        elif len(right) <= 1:
            labels = [fresh(old[axis]) for axis in left]
            for axis, label in zip(left, labels, strict=True):
                given[axis] = label
            for axis in right:
                target[axis] = _merged(labels, sizes)
        else:
            labels = [fresh(new[axis]) for axis in right]
            for axis, label in zip(right, labels, strict=True):
                target[axis] = label
            if len(left) == 1:
                given[left[0]] = _merged(labels, sizes)
            elif left:
                for axis, table in zip(
                    left, _tables([new[a] for a in right], [old[a] for a in left]), strict=True
                ):
                    given[axis] = Table(tuple(labels), constant(table))
    return TermSum(new, old, (canonical(1, (), target, given, sizes),))


def _merged(labels: list[int], sizes: list[Size]) -> Slot:
    strides, step = [], 1
    for label in reversed(labels):
        strides.append((label, step))
        step = step * sizes[label]  # type: ignore[assignment]
    big = [(label, stride) for label, stride in strides if sizes[label] != 1]
    return big[0][0] if len(big) == 1 else affine(0, strides)


def _tables(new: list[Size], old: list[Size]) -> list[np.ndarray]:
    counts = [number(n, "a reshape across axes") for n in new]
    flat = np.arange(int(np.prod(counts))).reshape(counts)
    return list(np.unravel_index(flat, [number(n) for n in old]))


rule("reshape", lambda params, x: np.reshape(x, params), reshape_local, views=True)


def _wanted(shape: Any) -> Shape:
    return tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)


@operation("index map", "x")
def reshape(x: Any, *shape: Any, order: str = "C", newshape: Any = None, copy: Any = None) -> Node:
    """z = the entries of x under another shape, in C order (rows) or F order (columns)."""
    x = as_node(x)
    given = newshape if newshape is not None else shape[0] if len(shape) == 1 else shape
    wanted = _complete(x.shape, _wanted(given))
    if order not in ("C", "F"):
        raise UnsupportedError(
            f"order={order!r} depends on how an array lies in memory",
            f"shape {x.shape}: a traced value has no memory yet",
            'order="C" (rows after one another) or order="F" (columns)',
        )
    if order == "F":
        from .multilinear import transpose

        return transpose(reshape_node(transpose(x), tuple(reversed(wanted))))
    return reshape_node(x, wanted)


@operation("index map", "x", serves="ravel flatten")
def ravel(x: Any, order: str = "C") -> Node:
    """z = the entries of x in one axis, rows after one another (order="F": columns)."""
    return reshape(x, (-1,), order=order)


@operation("index map", "x", serves="")
def vec(x: Any) -> Node:
    """z = the columns of a matrix stacked: vec(X)[i + m j] = X[i, j] (Magnus & Neudecker)."""
    return ravel(x, order="F")


def atleast(x: Node, ndim: int) -> Node:
    """`x` with axes of size 1 added as numpy adds them: a vector is a row, a matrix a layer."""
    if x.ndim >= ndim:
        return x
    if ndim == 3:
        return reshape_node(x, {0: (1, 1, 1), 1: (1, *x.shape, 1), 2: (*x.shape, 1)}[x.ndim])
    return reshape_node(x, (1,) * (ndim - x.ndim) + x.shape)


def _each(arrays: tuple[Any, ...], ndim: int) -> Any:
    made = tuple(atleast(as_node(x), ndim) for x in arrays)
    return made[0] if len(made) == 1 else made


@operation("index map", "x")
def atleast_1d(*arrays: Any) -> Any:
    """z = x, a scalar as a vector of one entry; several arrays give a tuple."""
    return _each(arrays, 1)


@operation("index map", "x")
def atleast_2d(*arrays: Any) -> Any:
    """z = x, a vector as a row; several arrays give a tuple."""
    return _each(arrays, 2)


@operation("index map", "x")
def atleast_3d(*arrays: Any) -> Any:
    """z = x, a matrix as one of a stack, its new axis last; several arrays give a tuple."""
    return _each(arrays, 3)
