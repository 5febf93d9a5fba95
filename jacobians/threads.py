"""Elementwise work on large arrays, shared between threads: numpy lets go of the interpreter meanwhile.

`apart(act, *operands, out)` is `act(*operands, out)` on a few stretches of the first axis at once,
`apart_einsum(equation, a, b, out)` the same for an outer product, `stacked(a, b, out)` for the product of
stacks of small matrices, and `together(*calls)` several calls that
follow one another, in blocks that stay in the cache.  They are as many threads as there are cores, four at
the most, and no more than `OMP_NUM_THREADS` or `OPENBLAS_NUM_THREADS` allow.  `in_blocks(a, b)`
is a matrix product that leaves the cores to them.

>>> a, out = np.arange(6.0).reshape(3, 2), np.empty((3, 2))
>>> apart(np.multiply, a, np.array([1.0, 10.0]), out).tolist()
[[0.0, 10.0], [2.0, 30.0], [4.0, 50.0]]
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from contextvars import copy_context
from functools import cache
from itertools import pairwise, product
from threading import Condition
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

LARGE = 1 << 22  # bytes of a result from which a second thread pays (measured: 0.53 ms become 0.23)
BLOCK = 1 << 15  # entries of a block that several calls go through: 256 kB stay in the cache
SMALL = 1 << 18  # multiplications of a matrix product up to which BLAS runs it in one thread
VECTOR = 9000  # the same of a matrix and a vector (OpenBLAS, interface/gemm.c and gemv.c)
ROWS = 32  # of a block from which a product in blocks is as fast as a whole one
MANY = 1 << 23  # multiplications from which the blocks of a product are shared
PIECES = 8  # stretches for each thread
MOST = 4  # threads: what runs here waits for memory, not for arithmetic
LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@cache
def count() -> int:
    """How many threads there are to share work."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limits = [int(os.environ[name]) for name in LIMITS if os.environ.get(name, "").isdigit()]
    return max(1, min(cores, MOST, *limits))


@cache
def _helpers(process: int) -> ThreadPoolExecutor:
    """The threads beside the caller's, for each process its own: a fork takes none along."""
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(count() - 1, "jacobians")


def apart(act: Callable[..., Any], *arrays: Any) -> np.ndarray:
    """`act(*operands, out)` of a ufunc, in stretches of the first axis; `arrays` ends with `out`."""
    out: np.ndarray = arrays[-1]
    if out.ndim == 0 or count() == 1:
        act(*arrays)
        return out
    whole = [_is_whole(a, out) for a in arrays]

    def stretch(part: slice) -> None:
        act(*[a if one else a[part] for a, one in zip(arrays, whole, strict=True)])

    _each(stretch, _stretches(len(out)))
    return out


def together(*calls: tuple[Any, ...]) -> None:
    """Calls `(act, *operands, out)` of one shape, one after the other in each block of the first axis."""
    out: np.ndarray = calls[0][-1]
    if out.ndim == 0:
        for act, *arrays in calls:
            act(*arrays)
        return
    length, rows = len(out), max(1, BLOCK * len(out) // max(1, out.size))
    known = [(act, arrays, [_is_whole(a, out) for a in arrays]) for act, *arrays in calls]

    def stretch(part: slice) -> None:
        for start in range(part.start, part.stop, rows):
            block = slice(start, min(start + rows, part.stop))
            for act, arrays, whole in known:
                act(*[a if one else a[block] for a, one in zip(arrays, whole, strict=True)])

    _each(stretch, _stretches(length))


def _is_whole(array: Any, out: np.ndarray) -> bool:
    """Whether every stretch of the result reads all of an operand: numbers, and what is broadcast."""
    return getattr(array, "ndim", 0) < out.ndim or len(array) != len(out)


def apart_einsum(equation: str, a: np.ndarray, b: np.ndarray, out: np.ndarray) -> np.ndarray:
    """`np.einsum(equation, a, b, out=out)`, in stretches of the result's first axis."""
    terms, _, letters = equation.partition("->")
    first, pairs = letters[0], list(zip((a, b), terms.split(","), strict=True))

    def stretch(part: slice) -> None:
        cut = [x[tuple(part if letter == first else slice(None) for letter in term)] for x, term in pairs]
        np.einsum(equation, *cut, out=out[part])

    _each(stretch, _stretches(len(out)))
    return out


def stacked(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> np.ndarray:
    """`np.matmul(a, b, out)`: a stack of small matrices is shared; BLAS shares large ones itself."""
    if out.ndim < 3 or math.prod(out.shape[-2:]) * a.shape[-1] > SMALL:
        np.matmul(a, b, out)
        return out
    return apart(np.matmul, a, b, out)


def in_blocks(a: np.ndarray, b: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """`a.dot(b, out)` in blocks that are too small for BLAS to share; many of them are shared here.

    Threads of BLAS look out for more work for some 20 ms before they sleep, on the cores where ours write
    meanwhile: 50 MB then take 3.8 ms and not 2.4.
    """
    rows, columns = _block(a, b)
    if not rows or count() == 1:
        found: np.ndarray = a.dot(b, out)
        return found
    shape = *a.shape[:-1], *b.shape[1:]
    made = np.empty(shape, np.result_type(a, b)) if out is None else out

    def block(place: tuple[slice, ...]) -> None:
        np.matmul(a[place[0]], b if b.ndim == 1 else b[:, place[1]], out=made[place])

    ends = [range(0, length, step) for length, step in zip(shape, (rows, columns), strict=False)]
    places = product(*([slice(i, i + part.step) for i in part] for part in ends))
    if made.size * len(b) < MANY:
        for place in places:
            block(place)
    else:
        _each(block, places)
    return made


def _block(a: np.ndarray, b: np.ndarray) -> tuple[int, int]:
    """Rows and columns of a block that BLAS multiplies alone; 0 where all is one, or none is."""
    if a.ndim != 2 or b.ndim not in (1, 2):
        return 0, 0
    length, columns = a.shape[1], b.shape[-1] if b.ndim == 2 else 1
    most = SMALL if b.ndim == 2 else VECTOR
    if not length or len(a) * length * columns <= most:
        return 0, 0
    rows = most // (length * columns)
    if b.ndim == 1 or rows >= ROWS // 2:
        return rows, columns
    side = math.isqrt(most // length)
    return (side, side) if side >= ROWS else (0, 0)


def copied(array: np.ndarray, out: np.ndarray) -> None:
    """`out = array`, as `apart` calls it."""
    np.copyto(out, array)


def _stretches(length: int) -> list[slice]:
    """An axis in parts, several for each thread."""
    ends = [length * k // (count() * PIECES) for k in range(count() * PIECES + 1)]
    return [slice(i, j) for i, j in pairwise(ends) if i < j]


def _each(act: Callable[[Any], None], parts: Iterable[Any]) -> None:
    """Calls `act` on all parts, in this thread and the helpers; it waits for them whatever happens.

    Each takes the next part when it is done with one: a helper whose core is busy then does less, and is not
    waited for.  After an error no further part is begun.
    """
    job = _Job(act, parts)
    try:
        for _ in range(min(count(), len(job.left)) - 1):
            job.ask()
        job.work()
    finally:
        job.close()
    if job.errors:
        error = job.errors.pop(0)
        try:
            raise error
        finally:
            del error, job  # the error's frames would hold themselves, and all arrays


class _Job:
    """Parts that several threads take one after the other, until it is closed."""

    def __init__(self, act: Callable[[Any], None], parts: Iterable[Any]) -> None:
        self.act: Callable[[Any], None] | None = act
        self.left = deque(parts)
        self.helping, self.changed = 0, Condition()
        self.errors: list[BaseException] = []

    def ask(self) -> None:
        """Asks a helper, in this thread's context (np.errstate); none helps at exit."""
        with suppress(RuntimeError):
            _helpers(os.getpid()).submit(copy_context().run, self.help)

    def help(self) -> None:
        """What a helper does, if it comes before the job is closed."""
        with self.changed:
            act = self.act
            self.helping += act is not None
        if act is None:
            return
        try:
            self.work()
        except BaseException as error:
            self.errors.append(error)
        finally:
            del act
            with self.changed:
                self.helping -= 1
                self.changed.notify()

    def work(self) -> None:
        """Takes parts until none is left."""
        act = self.act
        while act is not None:
            try:
                part = self.left.popleft()
            except IndexError:
                return
            try:
                act(part)
            except BaseException:
                del act
                self.left.clear()
                raise

    def close(self) -> None:
        """Waits until no helper works any more; one that comes later finds nothing, and holds nothing."""
        self.left.clear()
        with self.changed:
            self.act = None
            while self.helping:
                self.changed.wait()
