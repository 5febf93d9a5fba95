"""Memory that comes back: large arrays of a compiled call are made over blocks that earlier ones let go.

`Recycler().maker(shape, dtype)` makes new arrays like `np.empty` does.  When an array and every view of it
are gone, its block waits for the next one, its pages mapped and in the cache: fresh ones cost a page fault
every 4 kB, which is more than an elementwise pass over them.  A block is never lent twice at a time.

>>> new = Recycler().maker((256, 256), float)
>>> a, b = new(), new()
>>> here = a.ctypes.data
>>> del a
>>> new().ctypes.data == here, b.ctypes.data == here
(True, False)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any
from weakref import ref

import numpy as np

LEAST, MOST = 1 << 17, 1 << 30  # bytes of an array between which its memory is kept
KEPT = 1 << 30  # bytes that may wait for the next call, at the most


class Recycler:
    """Blocks by size: those that wait (`free`) and those that are lent, with the bytes of all of them."""

    def __init__(self) -> None:
        self.free: dict[int, list[np.ndarray]] = {}
        self.lent: dict[int, tuple[ref[Any], np.ndarray]] = {}
        self.closed = False

    @property
    def waiting(self) -> int:
        """The bytes that wait to be used again."""
        return sum(size * len(blocks) for size, blocks in self.free.items())

    def clear(self) -> None:
        """Lets go of all that waits, and of what comes back later."""
        self.closed = True
        for blocks in self.free.values():
            blocks.clear()

    def maker(self, shape: tuple[int, ...], dtype: Any) -> Callable[[], np.ndarray] | None:
        """The function that makes arrays of a shape and type; None where recycling does not pay."""
        dtype = np.dtype(dtype)
        nbytes = math.prod(shape) * dtype.itemsize
        if not LEAST <= nbytes <= MOST or dtype.hasobject:
            return None
        from ctypes import c_char  # late: only large compiled calls pay for it

        kind = c_char * nbytes
        free, lent = self.free.setdefault(nbytes, []), self.lent

        def back(gone: ref[Any]) -> None:
            _, block = lent.pop(id(gone))
            if not self.closed and self.waiting + nbytes <= KEPT:
                free.append(block)

        def new() -> np.ndarray:
            try:
                block = free.pop()
            except IndexError:
                block = np.empty(nbytes, np.uint8)
            lease = kind.from_buffer(block)  # the array's base: it lives as long as a view of the array does
            watched = ref(lease, back)
            lent[id(watched)] = watched, block
            return np.ndarray(shape, dtype, lease)

        return new
