"""Arrays made of sizes alone, `ones(N)`, `zeros((M, N))`, `full`, `eye(N)`, where a size may be a symbol too.

While shapes are symbolic a size is a traced value, which numpy itself cannot count with; then the array is
a constant of that shape.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobians.errors import ShapeError


def _symbol(shape: Any) -> Any:
    """The first size in a shape that is no number, None where all are."""
    sizes = shape if isinstance(shape, tuple | list) else (shape,)
    return next((n for n in sizes if not isinstance(n, int | float | np.ndarray | np.generic)), None)


def ones(shape: Any, *args: Any, **kwargs: Any) -> Any:
    """`np.ones`."""
    like = _symbol(shape)
    return np.ones(shape, *args, **kwargs) if like is None else np.ones_like(like, shape=shape)


def zeros(shape: Any, *args: Any, **kwargs: Any) -> Any:
    """`np.zeros`."""
    like = _symbol(shape)
    return np.zeros(shape, *args, **kwargs) if like is None else np.zeros_like(like, shape=shape)


def full(shape: Any, fill_value: Any, *args: Any, **kwargs: Any) -> Any:
    """`np.full`."""
    like = _symbol(shape)
    return (
        np.full(shape, fill_value, *args, **kwargs)
        if like is None
        else np.full_like(like, fill_value, shape=shape)
    )


def eye(rows: Any, *args: Any, **kwargs: Any) -> Any:
    """`np.eye`; of a size without a number, the square one alone."""
    if _symbol((rows, *args)) is None:
        return np.eye(rows, *args, **kwargs)
    if args or kwargs:
        raise ShapeError("eye of sizes without numbers is square", "it has more arguments", "eye(N)")
    return np.diag(ones(rows))
