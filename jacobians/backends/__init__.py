"""Other array libraries to run a plan on: torch, jax and dask, each an extra.

`load(name)` gives a `Backend` (torch or jax); `executor(roots, inputs, backend)` runs nodes with it:
contractions through the library's own matmul and einsum, pointwise functions through its namespace, on the
device of the operands. `blocks.materialize` builds a dense Jacobian as a dask array, chunk by chunk from the
core.
"""

from .base import Backend, load
from .execution import executor

__all__ = ["Backend", "executor", "load"]
