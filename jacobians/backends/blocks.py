"""Dense Jacobians beyond one machine's memory: a dask array whose chunks are built from the core on demand.

`materialize(J, chunks)` never holds more than the chunks that are being worked on; every chunk picks its part
of the wiring and writes that alone.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from ..axes import number
from ..dense import write, zeros_for
from ..derivative import Jacobian
from ..errors import ShapeError, missing_extra
from ..ops.indexing import slots_of
from ..picking import pick
from ..terms import TermSum


def _dask_array() -> Any:
    try:
        return importlib.import_module("dask.array")
    except ImportError:
        raise missing_extra("dask", "dask", "chunked results") from None


def materialize(J: Jacobian, chunks: Any = "auto") -> Any:
    """The dense tensor as a dask array; `chunks` is anything dask reads (sizes of each axis, or "auto").

    Raises ShapeError for chunks that the shape cannot be split into.
    """
    array = _dask_array()
    shape = tuple(number(n, "materialize") for n in J.shape)
    sizes = _sizes(array, chunks, shape, J.dtype)
    held = J.bound()
    split = len(J.target_shape)
    return array.map_blocks(
        _block,
        chunks=sizes,
        dtype=J.dtype,
        whole=held,
        split=split,
        kind=str(J.dtype),
        meta=np.empty((0,) * len(shape), J.dtype),
    )


def _sizes(array: Any, chunks: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """The sizes of the chunks along each axis, as dask reads them; raises ShapeError for what it cannot."""
    whole = " × ".join(map(str, shape)) or "a scalar"
    try:
        if isinstance(chunks, bool):
            raise ValueError("a truth value is no size")
        if isinstance(chunks, dict) and not all(axis in range(-len(shape), len(shape)) for axis in chunks):
            raise ValueError(f"the axes are 0 to {len(shape) - 1}")
        return array.core.normalize_chunks(chunks, shape, dtype=dtype)
    except ZeroDivisionError:
        why = "a chunk has at least one entry"
    except Exception as error:  # whatever dask raises: it says what it could not read
        why = (str(error) or type(error).__name__).splitlines()[0]
    raise ShapeError(
        f"chunks={chunks!r} cannot split the dense Jacobian",
        f"it is {whole}; {why}",
        f'a size such as 2, one size for each of the {len(shape)} axes, or "auto"',
    )


def _block(whole: TermSum, split: int, kind: str, block_info: Any = None) -> np.ndarray:
    """One chunk, from the part of every Term that reaches it."""
    where = block_info[None]["array-location"]
    shape = tuple(stop - start for start, stop in where)
    key = tuple(slice(start, stop) for start, stop in where)
    part = pick(whole, slots_of(whole.shape, key), split)
    return write(zeros_for(part, shape, np.dtype(kind)), part)


def per_sample(f: Any, samples: Any) -> Any:
    """The Jacobian of `f` for every sample of a dask array: `B x target x input`, chunk by chunk of samples.

    `f` is a function of one sample (one array); `samples` is chunked along its first axis alone.
    """
    array = _dask_array()
    samples = samples.rechunk({axis: -1 for axis in range(1, samples.ndim)})
    example = np.asarray(f(np.ones(samples.shape[1:], samples.dtype)))
    shape = (*example.shape, *samples.shape[1:])
    return array.map_blocks(
        _samples, samples, f=f, targets=example.ndim, dtype=samples.dtype,
        chunks=(samples.chunks[0], *((n,) for n in shape)),
        drop_axis=list(range(1, samples.ndim)), new_axis=list(range(1, 1 + len(shape))),
        meta=np.empty((0,) * (1 + len(shape)), samples.dtype),
    )  # fmt: skip


def _samples(block: np.ndarray, f: Any, targets: int) -> np.ndarray:
    from ..batching import vectorize
    from ..verbs import jacobian

    whole = jacobian(vectorize(f))(block)
    here = np.arange(block.shape[0])
    everything = (slice(None),)
    return np.asarray(whole[(here, *everything * targets, here, *everything * (block.ndim - 1))])
