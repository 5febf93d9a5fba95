"""Dense Jacobians for nothing: a delta that the core does not depend on is a block-Toeplitz view.

`dz/dA = δ_im x_n` depends on i and m through m - i alone, so a buffer of 2M - 1 rows of which one is x, walked
backwards along i and forwards along m, *is* the M x M x N tensor: a true, read-only array of all entries over a
fraction of the memory.  `toeplitz_view(whole, dtype)` makes it, or returns None where it does not apply.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .dense import write
from .terms import Term, TermSum, canonical


def free_deltas(t: Term) -> dict[int, tuple[int, int]]:
    """The labels that stand in exactly two plain places and that no factor carries: label -> the two places."""
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


def toeplitz_view(whole: TermSum, dtype: Any) -> np.ndarray | None:
    """The read-only view of a Jacobian of one Term (factors holding their arrays) with a free delta, else None.

    Building it touches the core alone; the cost of the zeros is only deferred to whoever reads them.
    """
    if len(whole.terms) != 1:
        return None
    (t,) = whole.terms
    deltas = free_deltas(t)
    if not deltas:
        return None
    slots = (*t.target, *t.input)
    paired = {place for pair in deltas.values() for place in pair}
    rest = [place for place in range(len(slots)) if place not in paired]
    shape = tuple(int(n) for n in whole.shape)
    inner = tuple(shape[place] for place in rest)
    sizes = [int(t.sizes[label]) for label in deltas]
    buffer = np.zeros((*(2 * n - 1 for n in sizes), *inner), dtype)
    centre = buffer[(*(n - 1 for n in sizes), ...)]
    left = canonical(t.coefficient, t.factors, [slots[place] for place in rest], (), t.sizes)
    write(centre, TermSum(inner, (), (left,)))
    strides = [0] * len(slots)
    for axis, (first, second) in enumerate(deltas.values()):
        strides[first], strides[second] = -buffer.strides[axis], buffer.strides[axis]
    for axis, place in enumerate(rest, len(deltas)):
        strides[place] = buffer.strides[axis]
    offset = sum((n - 1) * buffer.strides[axis] for axis, n in enumerate(sizes))
    if 0 in shape or math.prod(shape) == 0:
        return None
    seen = np.ndarray(shape, dtype, buffer, offset, tuple(strides))
    seen.flags.writeable = False
    return seen
