"""Arrays of other libraries for tests, which are skipped where the library is missing."""

from __future__ import annotations

from typing import Any

import pytest


def converter(name: str) -> Any:
    """The function that makes the library's arrays of numpy's."""
    if name == "jax":
        jax = pytest.importorskip("jax")
        jax.config.update("jax_enable_x64", True)
        return jax.numpy.asarray
    return pytest.importorskip("torch").as_tensor
