"""Where a flattened Jacobian can be nonzero, on a coarse grid, at any size.

`raster(terms, rows, columns)` gives the share of entries that the wirings reach in each cell: exactly where
a Term has few places, else from an even lattice of them, so that a tensor of 10^12 entries takes a
millisecond.  No factor is looked at, only wirings (and the integers of index tables).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from ..axes import Poly, Shape
from ..terms import Term, TermSum
from ..wiring import Affine, Slot, Table

PER_CELL = 4  # lattice points for each row and each column of the grid
AT_MOST = 60_000  # places of one Term that are looked at


def raster(terms: TermSum, rows: int, columns: int) -> np.ndarray | None:
    """Shares (0 to 1) of a grid: target entries from top to bottom, input entries from left to right.

    At most `rows` by `columns` cells, and no more than there are entries.  None for symbolic sizes and for
    index tables that are known only when a plan runs.
    """
    if any(isinstance(size, Poly) for size in terms.shape) or any(_unknown(t) for t in terms.terms):
        return None
    target, given = _integers(terms.target_shape), _integers(terms.input_shape)
    high, wide = prod(target), prod(given)
    if not high * wide:
        return None
    grid = (cells_of(high, rows), cells_of(wide, columns))
    shares = np.zeros(grid)
    area = np.outer(_lengths(high, grid[0]), _lengths(wide, grid[1]))
    for term in terms.terms:
        values, weight = _places(term, grid)
        row = _cells(term.target, target, values, grid[0])
        column = _cells(term.input, given, values, grid[1])
        flat = np.broadcast_to(
            row * grid[1] + column,
            np.broadcast_shapes(row.shape, column.shape, *(v.shape for v in values.values())),
        )
        found = np.bincount(flat.ravel(), minlength=grid[0] * grid[1]).reshape(grid) * weight / area
        shares = np.minimum(
            1.0, np.maximum(shares, np.minimum(found, 1.0)) if _overlap(terms) else shares + found
        )
    return shares


def cells_of(size: int, most: int) -> int:
    """How many cells an axis of `size` entries has: equal groups where that leaves half of `most`."""
    count = min(size, most)
    return next((k for k in range(count, count // 2, -1) if size % k == 0), count)


def _lengths(size: int, cells: int) -> np.ndarray:
    edges = -(-np.arange(cells + 1, dtype=object) * size // cells)
    return np.diff(edges).astype(float)


def _integers(shape: Shape) -> tuple[int, ...]:
    return tuple(int(size) for size in shape)


def _unknown(term: Term) -> bool:
    return any(isinstance(slot, Table) and slot.node.value is None for slot in (*term.target, *term.input))


def _overlap(terms: TermSum) -> bool:
    """Whether Terms can reach the same entries: then the larger share is shown, not the sum."""
    return len({t.pattern for t in terms.terms}) < len(terms.terms)


def _places(term: Term, grid: tuple[int, int]) -> tuple[dict[int, np.ndarray], float]:
    """The wiring's labels on an even lattice, as an open mesh, and how many places a point stands for."""
    labels = term.wiring
    sizes = {label: int(term.sizes[label]) for label in labels}
    counts = sizes if prod(sizes.values()) <= AT_MOST else _counts(term, sizes, grid)
    values = {}
    for k, label in enumerate(labels):
        points = ((np.arange(counts[label]) + 0.5) * (sizes[label] / counts[label])).astype(np.int64)
        values[label] = points.reshape([-1 if j == k else 1 for j in range(len(labels))])
    return values, float(prod(sizes.values())) / prod(counts.values())


def _counts(term: Term, sizes: Mapping[int, int], grid: tuple[int, int]) -> dict[int, int]:
    """Lattice points for each label: enough for the grid, the slow axes of either side first."""
    counts = dict.fromkeys(sizes, 1)
    for side, cells in ((term.target, grid[0]), (term.input, grid[1])):
        wanted = PER_CELL * cells
        for slot in side:
            for label in labels_by_stride(slot):
                counts[label] = max(counts[label], min(sizes[label], wanted))
                wanted = -(-wanted // counts[label])
    while prod(counts.values()) > AT_MOST:
        most = max(counts, key=lambda label: counts[label])
        counts[most] = -(-counts[most] // 2)
    return counts


def labels_by_stride(slot: Slot) -> Sequence[int]:
    """The labels of a slot, the one with the largest stride first."""
    if isinstance(slot, int):
        return (slot,)
    if isinstance(slot, Affine):
        return [label for label, _ in sorted(slot.strides, key=lambda one: -abs(int(one[1])))]
    return slot.labels


def _cells(
    slots: Sequence[Slot], shape: tuple[int, ...], values: Mapping[int, np.ndarray], cells: int
) -> np.ndarray:
    """The cell that each point falls in along one side of the flattened tensor."""
    total = prod(shape)
    flat: Any = np.zeros((), np.int64 if total < 2**62 else float)
    for slot, size in zip(slots, shape, strict=True):
        flat = flat * size + _index(slot, values)
    if total * cells < 2**62:
        return np.asarray(flat * cells // total, dtype=np.int64)
    return np.minimum(np.asarray(flat / total * cells, dtype=np.int64), cells - 1)


def _index(slot: Slot, values: Mapping[int, np.ndarray]) -> Any:
    if isinstance(slot, int):
        return values[slot]
    if isinstance(slot, Affine):
        return sum(
            (int(stride) * values[label] for label, stride in slot.strides), start=np.int64(int(slot.offset))
        )
    return np.asarray(slot.node.value)[tuple(values[label] for label in slot.labels)]
