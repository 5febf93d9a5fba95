"""The nodes that Terms are made of, on a library: einsum, combination, select, assemble, masked, views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..expr import Node
from ..ops.structural import compiled, is_injective
from ..wiring import Affine, indices, strided
from .base import Backend
from .operating import Act, Maker, aligned, permute, tensor


def _einsum(node: Node, backend: Backend) -> Act:
    from ..contraction.steps import run_steps

    steps = compiled(node.params).steps
    ns = backend.namespace

    def act(like: Any, *arrays: Any) -> Any:
        return run_steps(steps, arrays, ns) if steps else arrays[0]

    return aligned(node, backend, act)


def _spread(array: Any, labels: Sequence[int], ndim: int, ns: Any) -> Any:
    """Axes in label order, an axis of size 1 for every label that the array lacks."""
    if not hasattr(array, "shape") or len(labels) == 0:
        return array
    order = sorted(range(len(labels)), key=labels.__getitem__)
    array = permute(ns)(array, tuple(order)) if order != list(range(len(labels))) else array
    return array[tuple(slice(None) if k in labels else None for k in range(ndim))]


def _combination(node: Node, backend: Backend) -> Act:
    coefficients, labels, shape = node.params
    ns = backend.namespace

    def act(like: Any, *arrays: Any) -> Any:
        total: Any = 0
        for c, carried, array in zip(coefficients, labels, arrays, strict=True):
            part = _spread(array, carried, len(shape), ns)
            total = total + (part if c == 1 else part * c)
        if not hasattr(total, "shape"):
            total = tensor(backend, like, total, node.dtype)
        return total if tuple(total.shape) == tuple(shape) else ns.broadcast_to(total, shape)

    return aligned(node, backend, act, numbers=True)


def _masked(node: Node, backend: Backend) -> Act:
    ns = backend.namespace
    places = node.params

    def act(like: Any, mask: Any, x: Any) -> Any:
        # zeros and never 0 * x, which would keep a NaN
        return ns.where(_spread(mask, places, node.ndim, ns), x, ns.zeros_like(x))

    return aligned(node, backend, act, first=1)


def _select(node: Node, backend: Backend) -> Act:
    coded, shape = node.params
    key = _slices(coded, shape)
    if key is not None:
        return lambda like, x, *tables: x[key]
    if not any(isinstance(slot, tuple) for slot in coded):
        fixed = [np.broadcast_to(i, shape) for i in indices(coded, shape, ())]
        return lambda like, x: x[tuple(backend.asarray(i, like) for i in fixed)]

    def act(like: Any, x: Any, *tables: Any) -> Any:
        index = [_index(slot, shape, tables, backend, like) for slot in coded]
        if shape == ():  # one entry: torch would ask the device for an index without axes
            return x[tuple(i[None] for i in index)][0]
        return x[tuple(index)]

    return act


def _index(slot: Any, shape: Any, tables: Sequence[Any], backend: Backend, like: Any) -> Any:
    if isinstance(slot, tuple):
        return _spread(tables[slot[1]], slot[2], len(shape), backend.namespace)
    return backend.asarray(indices((slot,), shape, ())[0], like)


def _slices(coded: Sequence[Any], shape: Sequence[int]) -> tuple[Any, ...] | None:
    """A key of slices and integers, where that is all it takes."""
    key: list[Any] = []
    seen = []
    for slot in coded:
        if isinstance(slot, int):
            key.append(slice(0, shape[slot]))
            seen.append(slot)
        elif isinstance(slot, Affine) and not slot.strides:
            key.append(int(slot.offset))
        elif isinstance(slot, Affine) and len(slot.strides) == 1 and int(slot.strides[0][1]) > 0:
            ((label, step),) = slot.strides
            start = int(slot.offset)
            key.append(slice(start, start + int(step) * (shape[label] - 1) + 1, int(step)))
            seen.append(label)
        else:
            return None
    return tuple(key) if seen == list(range(len(shape))) else None


def _assemble(node: Node, backend: Backend) -> Act:
    coded, shape = node.params
    steps = [int(np.prod(shape[k + 1 :], dtype=int)) for k in range(len(shape))]
    dtype = node.dtype if node.dtype.kind == "f" else np.dtype(np.float64)

    def act(like: Any, *arrays: Any) -> Any:
        cores, tables = arrays[: len(coded)], arrays[len(coded) :]
        out = backend.zeros(shape, dtype, like)
        used = 0
        for (coefficient, labels, slots, sizes, count), core in zip(coded, cores, strict=True):
            mine = tables[used : used + count]
            used += count
            value = _spread(core, labels, len(sizes), backend.namespace) * coefficient
            walk = strided(slots, steps, len(sizes)) if is_injective(slots, sizes) else None
            index = [_index(slot, sizes, mine, backend, like) for slot in slots]
            out = backend.add_at(out, tuple(sizes), walk, index, value)
        return out

    return act


def _reshape(node: Node, backend: Backend) -> Act:
    ns, shape = backend.namespace, node.shape
    return aligned(node, backend, lambda like, x: ns.reshape(x, shape))


def _output(node: Node, backend: Backend) -> Act:
    number = node.params
    return lambda like, values: values[number]


STRUCTURE: dict[str, Maker] = {
    "einsum": _einsum,
    "combination": _combination,
    "masked": _masked,
    "select": _select,
    "assemble": _assemble,
    "reshape": _reshape,
    "output": _output,
}
