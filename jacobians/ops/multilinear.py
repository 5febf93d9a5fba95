"""Multilinear operations: each is an einsum, so none states a derivative.

`einsum` reads numpy's subscripts (ellipsis, repeated labels, no `->`); matmul, dot, inner, outer,
tensordot, trace, transpose, sum, mean, diagonal, diag, broadcast_to and their like write their own.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..axes import Shape, Size, entries, number
from ..errors import ShapeError
from ..expr import Node, product
from ..operation import as_node, operation
from ..wiring import Affine, Slot, selection
from . import _text
from ._broadcast import axes_of, bracketed, broadcast
from .reshaping import reshape_node

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def contract(operands: Sequence[tuple[Node, Sequence[Any]]], output: Sequence[Any], where: str) -> Node:
    """The einsum of nodes over any hashable labels; raises ShapeError where one label has two sizes."""
    order: dict[Any, int] = {}
    sizes: list[Size] = []
    holder: list[str] = []
    for node, labels in operands:
        for axis, (label, size) in enumerate(zip(labels, node.shape, strict=True)):
            here = f"axis {axis} of {node.name or 'an operand'} {bracketed(node.shape)}"
            if label not in order:
                order[label] = len(sizes)
                sizes.append(size)
                holder.append(here)
            elif sizes[order[label]] != size:
                raise ShapeError(
                    f"shapes do not fit in {where}: sizes {sizes[order[label]]} and {size} differ",
                    f"{holder[order[label]]} against {here}",
                    "sizes must be equal; nothing is broadcast in a contraction",
                )
    renamed = [(node, tuple(order[label] for label in labels)) for node, labels in operands]
    return product(renamed, [order[label] for label in output], sizes)


@operation("multilinear", "x y", formula="(i | i k) x[k] by A; (i | k) A[i,k] by x")
def matmul(x: Any, y: Any) -> Node:
    """z = x @ y: `z[...,i,j] = sum_k x[...,i,k] y[...,k,j]`, batch axes broadcast."""
    x, y = as_node(x), as_node(y)
    if x.ndim == 0 or y.ndim == 0:
        raise ShapeError(
            "matmul needs arrays with axes", f"x is {bracketed(x.shape)}, y is {bracketed(y.shape)}", "x * y"
        )
    row, column = ("i",) if x.ndim > 1 else (), ("j",) if y.ndim > 1 else ()
    common = broadcast(x.shape[:-2], y.shape[:-2], where="the batch axes of matmul")
    left, right = common.arguments
    return contract(
        [(x, (*left, *row, "k")), (y, (*right, "k", *column))], (*common.output, *row, *column), "@"
    )


@operation("multilinear", "A x b", serves="", formula="δ_im x_n by A; A by x; δ by b")
def affine(A: Any, x: Any, b: Any) -> Node:
    """z = A x + b: dz/dA is M x (M x N) with `δ[i,m] x[n]`, dz/dx is A, dz/db the identity."""
    return _text.add(matmul(A, x), as_node(b))  # type: ignore[no-any-return]


@operation("multilinear", "x y")
def dot(x: Any, y: Any) -> Node:
    """z = x.dot(y): the last axis of x against the last but one of y (the last of a vector)."""
    x, y = as_node(x), as_node(y)
    if x.ndim == 0 or y.ndim == 0:
        return _text.multiply(x, y)  # type: ignore[no-any-return]
    left = [("x", k) for k in range(x.ndim)]
    right = [("y", k) for k in range(y.ndim)]
    right[-2 if y.ndim > 1 else -1] = left[-1]
    output = left[:-1] + [label for label in right if label != left[-1]]
    return contract([(x, left), (y, right)], output, "dot")


@operation("multilinear", "x y", serves="vdot")
def vdot(x: Any, y: Any) -> Node:
    """z = sum of x * y over all entries, both flattened."""
    x, y = as_node(x), as_node(y)
    if x.shape != y.shape:
        x, y = (reshape_node(n, (entries(n.shape),)) for n in (x, y))
    labels = range(x.ndim)
    return contract([(x, labels), (y, labels)], (), "vdot")


@operation("multilinear", "x y", serves="vecdot linalg.vecdot")
def vecdot(x: Any, y: Any, axis: int = -1) -> Node:
    """z[...] = sum_k x[...,k] y[...,k], the other axes broadcast."""
    x, y = (moveaxis(as_node(n), axis, -1) for n in (x, y))
    common = broadcast(x.shape[:-1], y.shape[:-1], where="vecdot")
    left, right = common.arguments
    return contract([(x, (*left, "k")), (y, (*right, "k"))], common.output, "vecdot")


@operation("multilinear", "x y")
def inner(x: Any, y: Any) -> Node:
    """z[i..., j...] = sum_k x[i..., k] y[j..., k]."""
    x, y = as_node(x), as_node(y)
    if x.ndim == 0 or y.ndim == 0:
        return _text.multiply(x, y)  # type: ignore[no-any-return]
    left = [("x", k) for k in range(x.ndim - 1)]
    right = [("y", k) for k in range(y.ndim - 1)]
    return contract([(x, [*left, "k"]), (y, [*right, "k"])], left + right, "inner")


@operation("multilinear", "x y", serves="outer linalg.outer")
def outer(x: Any, y: Any) -> Node:
    """z[i, j] = x[i] y[j], both flattened."""
    x, y = (n if n.ndim == 1 else reshape_node(n, (entries(n.shape),)) for n in (as_node(x), as_node(y)))
    return contract([(x, "i"), (y, "j")], "ij", "outer")


@operation("multilinear", "x y", serves="tensordot linalg.tensordot")
def tensordot(x: Any, y: Any, axes: Any = 2) -> Node:
    """z = the sum over the paired `axes` of x and y, x's other axes first."""
    x, y = as_node(x), as_node(y)
    if isinstance(axes, (int, np.integer)):
        pairs: list[list[Any]] = [list(range(x.ndim - int(axes), x.ndim)), list(range(int(axes)))]
    else:
        pairs = [[a] if isinstance(a, (int, np.integer)) else list(a) for a in axes]
    a, b = axes_of(tuple(pairs[0]), x.ndim), axes_of(tuple(pairs[1]), y.ndim)
    if len(a) != len(b):
        raise ShapeError(
            "tensordot pairs unequal numbers of axes", f"axes {axes}", "one axis of y for each axis of x"
        )
    left: list[Any] = [("x", k) for k in range(x.ndim)]
    right: list[Any] = [("y", k) for k in range(y.ndim)]
    for p, q in zip(a, b, strict=True):
        right[q] = left[p]
    output = [left[k] for k in range(x.ndim) if k not in a] + [right[k] for k in range(y.ndim) if k not in b]
    return contract([(x, left), (y, right)], output, "tensordot")


@operation("multilinear", "operands")
def einsum(subscripts: Any, *operands: Any, optimize: Any = None) -> Node:
    """z = np.einsum(subscripts, *operands), in every form numpy reads: ellipsis, repeats, no `->`."""
    given_operands: Sequence[Any] = operands
    if not isinstance(subscripts, str):
        subscripts, given_operands = _interleaved((subscripts, *operands))
    nodes = [as_node(operand) for operand in given_operands]
    given, arrow, wanted = subscripts.replace(" ", "").partition("->")
    parts = given.split(",")
    if len(parts) != len(nodes):
        raise ShapeError(
            f"einsum {subscripts!r} names {len(parts)} operands, {len(nodes)} are given",
            "",
            "one group of letters each",
        )
    batch = max(
        (n.ndim - len(p.replace("...", "")) for p, n in zip(parts, nodes, strict=True) if "..." in p),
        default=0,
    )
    labels = [_spelled(p, n, batch, subscripts) for p, n in zip(parts, nodes, strict=True)]
    if arrow:
        output = _expand(wanted, batch)
    else:
        flat = [label for ls in labels for label in ls if isinstance(label, str)]
        output = [*range(-batch, 0), *sorted(label for label in set(flat) if flat.count(label) == 1)]
    known = {label for ls in labels for label in ls}
    if set(output) - known or len(set(output)) != len(output):
        raise ShapeError(
            f"einsum {subscripts!r}: the output must repeat no letter and use only known ones", "", given
        )
    return contract(_stretched(nodes, labels), output, f"einsum {subscripts!r}")


def _interleaved(operands: tuple[Any, ...]) -> tuple[str, list[Any]]:
    last = operands[-1] if len(operands) % 2 else None
    pairs = operands[: len(operands) - (last is not None)]

    def spell(sub: Any) -> str:
        return "".join("..." if s is Ellipsis else LETTERS[s] if isinstance(s, int) else str(s) for s in sub)

    text = ",".join(spell(sub) for sub in pairs[1::2])
    return text + ("->" + spell(last) if last is not None else ""), list(pairs[::2])


def _expand(text: str, batch: int) -> list[Any]:
    head, dots, tail = text.partition("...")
    return [*head, *(range(-batch, 0) if dots else ()), *tail]


def _spelled(text: str, node: Node, batch: int, subscripts: str) -> list[Any]:
    own = node.ndim - len(text.replace("...", ""))
    labels = _expand(text, own) if "..." in text else list(text)
    if len(labels) != node.ndim or own < 0:
        raise ShapeError(
            f"einsum {subscripts!r}: {text!r} has {len(text)} letters",
            f"{node.name or 'the operand'} {bracketed(node.shape)} has {node.ndim} axes",
            "one letter for each axis",
        )
    return labels


def _stretched(nodes: list[Node], labels: list[list[Any]]) -> list[tuple[Node, list[Any]]]:
    """Batch axes of size 1 that an ellipsis stretches get a label of their own."""
    size: dict[Any, Size] = {}
    for node, carried in zip(nodes, labels, strict=True):
        for label, n in zip(carried, node.shape, strict=True):
            if isinstance(label, int) and n != 1:
                size[label] = n
    renamed = []
    for k, (node, carried) in enumerate(zip(nodes, labels, strict=True)):
        own = [
            (k, label) if isinstance(label, int) and n == 1 and size.get(label, 1) != 1 else label
            for label, n in zip(carried, node.shape, strict=True)
        ]
        renamed.append((node, own))
    return renamed


@operation("multilinear", "x")
def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None) -> Node:
    """z = sum_i x[i, i]."""
    return sum(diagonal(x, offset, axis1, axis2), axis=-1)


@operation("multilinear", "x", serves="linalg.trace")
def linalg_trace(x: Any, offset: int = 0, dtype: Any = None) -> Node:
    """z[...] = sum_i x[..., i, i]: np.linalg.trace, over the last two axes."""
    return trace(x, offset, -2, -1)


@operation("multilinear", "x", serves="diagonal")
def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Node:
    """z[..., i] = x[..., i, i + offset], the diagonal's axis last."""
    x = as_node(x)
    if x.ndim < 2:
        raise ShapeError(
            "a diagonal needs two axes", f"x is {bracketed(x.shape)}", "np.diag(x) makes a matrix of a vector"
        )
    a, b = axes_of((axis1, axis2), x.ndim)
    rest = [k for k in range(x.ndim) if k not in (a, b)]
    labels: list[Any] = ["d" if k in (a, b) else k for k in range(x.ndim)]
    if offset == 0 and x.shape[a] == x.shape[b]:
        return contract([(x, labels)], [*rest, "d"], "diagonal")
    rows, columns = (number(x.shape[k], "a diagonal with an offset") for k in (a, b))
    length = max(0, min(rows + min(offset, 0), columns - max(offset, 0)))
    d = len(rest)
    slots: list[Slot] = [0] * x.ndim
    for place, k in enumerate(rest):
        slots[k] = place
    slots[a], slots[b] = Affine(max(-offset, 0), ((d, 1),)), Affine(max(offset, 0), ((d, 1),))
    return selection(x, slots, range(d + 1), [*(x.shape[k] for k in rest), length])


@operation("multilinear", "x", serves="linalg.diagonal")
def linalg_diagonal(x: Any, offset: int = 0) -> Node:
    """z[..., i] = x[..., i, i + offset]: np.linalg.diagonal, over the last two axes."""
    return diagonal(x, offset, -2, -1)


@operation("multilinear", "x")
def transpose(x: Any, axes: Any = None) -> Node:
    """z = x with its axes in another order, reversed by default."""
    x = as_node(x)
    order = tuple(reversed(range(x.ndim))) if axes is None else axes_of(tuple(axes), x.ndim)
    if len(order) != x.ndim:
        raise ShapeError(
            "transpose needs every axis once", f"axes {axes} for {bracketed(x.shape)}", "a permutation"
        )
    return contract([(x, range(x.ndim))], order, "transpose")


@operation("multilinear", "x", serves="matrix_transpose linalg.matrix_transpose")
def matrix_transpose(x: Any) -> Node:
    """z[..., i, j] = x[..., j, i]."""
    return swapaxes(x, -1, -2)


@operation("multilinear", "x")
def swapaxes(x: Any, axis1: int, axis2: int) -> Node:
    """z = x with two axes exchanged."""
    x = as_node(x)
    a, b = axes_of((axis1,), x.ndim)[0], axes_of((axis2,), x.ndim)[0]
    order = list(range(x.ndim))
    order[a], order[b] = b, a
    return transpose(x, order)


@operation("multilinear", "x")
def moveaxis(x: Any, source: Any, destination: Any) -> Node:
    """z = x with some axes moved, the others kept in order."""
    x = as_node(x)
    a, b = axes_of(source, x.ndim), axes_of(destination, x.ndim)
    order = [k for k in range(x.ndim) if k not in a]
    for place, axis in sorted(zip(b, a, strict=True)):
        order.insert(place, axis)
    return transpose(x, order)


@operation("multilinear", "x")
def rollaxis(x: Any, axis: int, start: int = 0) -> Node:
    """z = x with one axis moved before position `start`."""
    x = as_node(x)
    (a,) = axes_of(axis, x.ndim)
    start = start + x.ndim if start < 0 else start
    return moveaxis(x, a, start - 1 if a < start else start)


@operation("multilinear", "x")
def sum(x: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: Any = False) -> Node:
    """z = the sum of x over some axes (all by default)."""
    x = as_node(x)
    gone = axes_of(axis, x.ndim)
    kept = [k for k in range(x.ndim) if k not in gone]
    z = contract([(x, range(x.ndim))], kept, "sum") if gone else x
    return (
        reshape_node(z, tuple(1 if k in gone else n for k, n in enumerate(x.shape)))
        if keepdims is True
        else z
    )


@operation("multilinear", "x")
def broadcast_to(x: Any, shape: Any, subok: bool = False) -> Node:
    """z = x repeated along new axes and along axes of size 1, without a copy."""
    node = as_node(x)
    wanted: Shape = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    common = broadcast(node.shape, wanted, where="broadcast_to")
    if common.shape != wanted:
        raise ShapeError(
            f"{bracketed(node.shape)} does not broadcast to {bracketed(wanted)}", "", "every size equal or 1"
        )
    if node.shape == wanted:
        return node
    return product([(node, common.arguments[0])], common.output, common.sizes)


@operation("multilinear", "x")
def expand_dims(x: Any, axis: Any) -> Node:
    """z = x with axes of size 1 put in."""
    x = as_node(x)
    several = axis if isinstance(axis, (tuple, list)) else (axis,)
    new = axes_of(tuple(several), x.ndim + len(several))
    sizes = iter(x.shape)
    return reshape_node(x, tuple(1 if k in new else next(sizes) for k in range(x.ndim + len(new))))


@operation("multilinear", "x")
def squeeze(x: Any, axis: Any = None) -> Node:
    """z = x without (some of) its axes of size 1."""
    x = as_node(x)
    gone = tuple(k for k, n in enumerate(x.shape) if n == 1) if axis is None else axes_of(axis, x.ndim)
    if any(x.shape[k] != 1 for k in gone):
        raise ShapeError(
            "squeeze takes axes of size 1 only", f"x is {bracketed(x.shape)}, axis {axis}", "x.sum(axis)"
        )
    return reshape_node(x, tuple(n for k, n in enumerate(x.shape) if k not in gone))


@operation("multilinear", "x", serves="diag")
def diag(x: Any, k: int = 0) -> Node:
    """z[i, i] = x[i] of a vector, z[i] = x[i, i] of a matrix."""
    x = as_node(x)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ShapeError("diag takes a vector or a matrix", f"x is {bracketed(x.shape)}", "np.diagonal")
    from ..terms import Term, TermSum, assemble

    n = x.shape[0] + builtins.abs(k)
    shift: Any = 0 if k == 0 else Affine(builtins.abs(k), ((0, 1),))
    place: Any = 0 if k == 0 else Affine(0, ((0, 1),))
    target = (place, shift) if k >= 0 else (shift, place)
    return assemble(TermSum((n, n), (), (Term(1, ((x, (0,)),), target, (), x.shape),)))


@operation("multilinear", "x", serves="diagflat")
def diagflat(x: Any, k: int = 0) -> Node:
    """z[i, i] = x[i], x flattened first."""
    x = as_node(x)
    return diag(reshape_node(x, (entries(x.shape),)), k)
