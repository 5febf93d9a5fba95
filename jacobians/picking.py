"""Parts of a Jacobian, and seeds for it, as Jacobians again: both are composed by the chain rule.

`pick(whole, read, split)` is what `J[key]` reads; `seed(value, shape, inward, verb, dtype)` is what
`J.jvp` and `J.vjp` compose with.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .axes import Shape
from .errors import ShapeError, UnsupportedError
from .expr import Node
from .operation import as_node
from .ops.indexing import Key
from .terms import Term, TermSum, canonical, compose
from .wiring import labels_of


def pick(whole: TermSum, read: Key, split: int) -> TermSum:
    """The part of a Jacobian that an index reads, as a Jacobian again (`split` target axes before).

    Axes up to the last one that comes from a target axis are target axes; an index array on both sides pairs
    its places there, as in numpy.
    """
    sizes = list(read.sizes)
    output = []
    for label in read.output:
        output.append(len(sizes) if label is None else label)
        sizes += [1] if label is None else []
    flat = TermSum(whole.shape, (), tuple(_split(t, len(whole.shape)) for t in whole.terms))
    shape = tuple(sizes[label] for label in output)
    chooser = TermSum(shape, whole.shape, (canonical(1, (), output, read.slots, sizes),))
    known = {label for slot in read.slots[:split] for label in labels_of(slot)}
    at = max((k + 1 for k, label in enumerate(output) if label in known), default=0)
    return TermSum(shape[:at], shape[at:], tuple(_split(t, at) for t in compose(chooser, flat).terms))


def _split(t: Term, at: int) -> Term:
    """The same Term with its first `at` slots as the target side."""
    slots = (*t.target, *t.input)
    return Term(t.coefficient, t.factors, slots[:at], slots[at:], t.sizes)


def _real(value: Any, verb: str) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise UnsupportedError(
            f"{verb}: the seed is not of real numbers",
            f"it is {value!r}"[:80] if array.ndim == 0 else f"type {array.dtype}, shape {array.shape}",
            "an array of real numbers; the real and the imaginary part one after another",
        )
    return array


def seed(value: Any, shape: Shape, inward: bool, verb: str, dtype: Any) -> TermSum:
    """A seed as a Jacobian: `shape x ()` for a JVP, `() x shape` for a VJP."""
    node = value if isinstance(value, Node) else as_node(_real(value, verb).astype(dtype, copy=False))
    if node.shape != shape:
        side = "input" if inward else "target"
        raise ShapeError(
            f"{verb}: the seed has another shape",
            f"seed {node.shape}, {side} axes {shape}",
            f"a seed of shape {shape}",
        )
    labels = tuple(range(len(shape)))
    if inward:
        return TermSum(shape, (), (Term(1, ((node, labels),), labels, (), shape),))
    return TermSum((), shape, (Term(1, ((node, labels),), (), labels, shape),))
