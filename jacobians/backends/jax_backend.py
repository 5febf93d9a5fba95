"""jax: arrays and tracers alike, so the executor can be jitted; writing through a wiring is `.at[].add`."""

from __future__ import annotations

from typing import Any

import numpy as np

from .base import Backend


def make() -> Backend:
    """The jax backend."""
    import jax
    import jax.numpy as jnp

    def known(dtype: Any) -> Any:
        return jax.dtypes.canonicalize_dtype(dtype)  # 32 bits unless jax_enable_x64 is set

    def asarray(value: Any, like: Any) -> Any:
        return jnp.asarray(value)

    def zeros(shape: tuple[int, ...], dtype: Any, like: Any) -> Any:
        return jnp.zeros(shape, known(dtype))

    def add_at(out: Any, sizes: tuple[int, ...], walk: Any, index: Any, value: Any) -> Any:
        if not out.shape:
            return out + jnp.sum(jnp.asarray(value))
        value = jnp.broadcast_to(jnp.asarray(value, out.dtype), sizes)
        return out.at[tuple(jnp.asarray(i) for i in index)].add(value, unique_indices=walk is not None)

    def cast(array: Any, dtype: Any) -> Any:
        return array.astype(known(dtype))

    return Backend(
        "jax", jnp, lambda x: isinstance(x, jax.Array), asarray, zeros, add_at, jax.jit,
        cast, lambda x: x, np.asarray,
    )  # fmt: skip
