"""Dense Jacobians for nothing: a delta that the core does not depend on is a block-Toeplitz view.

`dz/dA = δ_im x_n` depends on i and m through m - i alone, so a buffer of 2M - 1 rows of which one is x,
walked backwards along i and forwards along m, *is* the M x M x N tensor: a true, read-only array of all
entries over a fraction of the memory.  `toeplitz_view(whole, dtype)` makes it, or returns None where it
does not apply; `toeplitz_layout(whole)` is its plan.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import pages
from .dense import write
from .terms import Term, TermSum, canonical


def free_deltas(t: Term) -> dict[int, tuple[int, int]]:
    """The labels in exactly two plain places that no factor carries: label -> the two places."""
    slots = (*t.target, *t.input)
    places: dict[int, list[int]] = {}
    for place, slot in enumerate(slots):
        for label in [slot] if isinstance(slot, int) else _inside(slot):
            places.setdefault(label, []).append(place if isinstance(slot, int) else -1)
    return {
        label: (where[0], where[1])
        for label, where in places.items()
        if len(where) == 2 and -1 not in where and label not in t.carried and t.sizes[label] != 1
    }


def _inside(slot: Any) -> tuple[int, ...]:
    from .wiring import labels_of

    return labels_of(slot)


@dataclass(frozen=True, slots=True)
class Layout:
    """How a dense Jacobian lies in a smaller buffer: `inner`, written at the centre, is all that is not zero.

    `offset` and `strides` count entries; the centre starts at `offset`.
    """

    shape: tuple[int, ...]
    buffer: tuple[int, ...]
    inner: TermSum
    offset: int
    strides: tuple[int, ...]

    def buffers(self, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
        """A new buffer of zeros and its centre, which is C-contiguous."""
        dtype = np.dtype(dtype)
        filled = math.prod(self.inner.shape) * dtype.itemsize
        whole = pages.zeros(self.buffer, dtype, filled / max(1, math.prod(self.buffer) * dtype.itemsize))
        return whole, np.ndarray(self.inner.shape, dtype, whole, self.offset * dtype.itemsize)

    def view(self, whole: np.ndarray) -> np.ndarray:
        """The dense tensor, read-only, over a buffer."""
        size = whole.itemsize
        strides = tuple(size * stride for stride in self.strides)
        seen = np.ndarray(self.shape, whole.dtype, whole, self.offset * size, strides)
        seen.flags.writeable = False
        return seen


def toeplitz_layout(whole: TermSum) -> Layout | None:
    """The layout of a Jacobian of one Term with a free delta, else None; strides are counted in entries."""
    if len(whole.terms) != 1:
        return None
    (t,) = whole.terms
    deltas = free_deltas(t)
    shape = tuple(int(n) for n in whole.shape)
    if not deltas or 0 in shape:
        return None
    slots = (*t.target, *t.input)
    paired = {place for pair in deltas.values() for place in pair}
    rest = [place for place in range(len(slots)) if place not in paired]
    inner = tuple(shape[place] for place in rest)
    sizes = [int(t.sizes[label]) for label in deltas]
    buffer = (*(2 * n - 1 for n in sizes), *inner)
    steps = [math.prod(buffer[k + 1 :]) for k in range(len(buffer))]
    left = canonical(t.coefficient, t.factors, [slots[place] for place in rest], (), t.sizes)
    strides = [0] * len(slots)
    for step, (first, second) in zip(steps, deltas.values(), strict=False):
        strides[first], strides[second] = -step, step
    for step, place in zip(steps[len(deltas) :], rest, strict=True):
        strides[place] = step
    middle = sum((n - 1) * step for n, step in zip(sizes, steps, strict=False))
    return Layout(shape, buffer, TermSum(inner, (), (left,)), middle, tuple(strides))


def toeplitz_view(whole: TermSum, dtype: Any) -> np.ndarray | None:
    """The read-only view of a Jacobian of one Term (factors hold their arrays) with a free delta, or None.

    Building it touches the core alone; the cost of the zeros is only deferred to whoever reads them.
    """
    layout = toeplitz_layout(whole)
    if layout is None:
        return None
    buffer, centre = layout.buffers(dtype)
    write(centre, layout.inner)
    return layout.view(buffer)
