"""Memory for arrays that are mostly zeros: pages that nothing writes are never touched.

`zeros(shape, dtype, fraction)` is `np.zeros`, except that a large array of which only a small fraction of the
pages will be written asks for small pages: numpy's own large arrays ask for huge ones, and one written row
then costs 2 MB.  This only defers the cost of zeros that somebody later reads.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

LARGE = 1 << 20  # bytes from which the choice of pages matters
FRACTION = 0.1  # of the pages written, up to which small pages win (measured)
PAGE = mmap.PAGESIZE
_CAN_CHOOSE = all(hasattr(mmap, name) for name in ("MADV_NOHUGEPAGE", "MAP_PRIVATE", "MAP_ANONYMOUS"))


def zeros(shape: tuple[int, ...], dtype: Any, fraction: float = 1.0) -> np.ndarray:
    """An array of zeros; `fraction` is the share of its pages that is about to be written.

    >>> zeros((2, 3), float).sum(), zeros((1000, 1000), float, 0.01).any()
    (np.float64(0.0), np.False_)
    """
    dtype = np.dtype(dtype)
    count = 1
    for size in shape:
        count *= size
    if fraction > FRACTION or count * dtype.itemsize < LARGE or not _CAN_CHOOSE:
        return np.zeros(shape, dtype)
    held = mmap.mmap(-1, count * dtype.itemsize, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    with suppress(OSError):  # a kernel without huge pages has nothing to advise against
        held.madvise(mmap.MADV_NOHUGEPAGE)
    return np.frombuffer(held, dtype).reshape(shape)


def written_fraction(
    walks: Iterable[tuple[Sequence[int], Sequence[int]]], itemsize: int, nbytes: int
) -> float:
    """The share of an array's pages that some strided writes reach: each walk is (sizes, byte strides).

    >>> written_fraction([((500, 400), (1600_000 + 3200, 8))], 8, 800_000_000) < 0.01
    True
    """
    pages = 0.0
    for sizes, strides in walks:
        run, runs = itemsize, 1
        for stride, size in sorted((abs(stride), size) for stride, size in zip(strides, sizes, strict=True)):
            if stride <= max(run, PAGE):  # neighbours on the same page, or just behind the last entry
                run = run + stride * (size - 1)
            else:
                runs *= size
        pages += runs * (run / PAGE + 1)
    return min(1.0, pages * PAGE / max(nbytes, 1))
