"""The bytes that a dense Jacobian may take: counted before anything is made.

`afford(shape, dtype, limit, refusal)` raises BudgetError beyond the limit, `check_limit(limit)` what is no
limit; `show_bytes(count)` writes a number of bytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

import numpy as np

from .errors import BudgetError, UnsupportedError

LIMIT = 4 * 2**30  # bytes of a dense Jacobian unless told otherwise


def afford(
    shape: Sequence[int], dtype: Any, limit: int | None, refusal: Callable[[], tuple[str, str, str]]
) -> None:
    """Raises BudgetError where an array of this shape has more than `limit` bytes; None is no limit.

    `refusal()` is what is too large, where, and what to do instead: found out only where it is said.

    >>> afford((3, 3, 4), float, 1000, lambda: ("the Jacobian", "", ""))
    >>> afford((3, 3, 4), float, 100, lambda: ("the Jacobian", "", ""))
    Traceback (most recent call last):
    jacobians.errors.BudgetError: the Jacobian needs 288 B (3 × 3 × 4 float64), limit 100 B
    """
    check_limit(limit)
    kind = np.dtype(dtype)
    needed = math.prod(shape) * kind.itemsize
    if limit is not None and needed > limit:
        what, where, instead = refusal()
        most = math.floor(limit)
        exact = show_bytes(needed) == show_bytes(most)
        raise BudgetError(
            f"{what} needs {f'{needed:,} B' if exact else show_bytes(needed)} "
            f"({' × '.join(map(str, shape))} {kind}), limit {f'{most:,} B' if exact else show_bytes(most)}",
            where,
            instead,
        )


def check_limit(limit: Any) -> None:
    """Raises UnsupportedError for what is no number of bytes, nor None for any size."""
    number = isinstance(limit, Real) and not isinstance(limit, bool) and float(limit) >= 0
    if limit is not None and not number:
        raise UnsupportedError(
            "max_bytes is a number of bytes", f"max_bytes={limit!r}", "2**30, or None for any size"
        )


def show_bytes(count: int) -> str:
    """A number of bytes with its unit, powers of 1000.

    >>> show_bytes(288), show_bytes(8_589_934_592)
    ('288 B', '8.6 GB')
    """
    for unit, scale in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}" if count < 1000 * scale else f"{count / scale:.3g} {unit}"
    return f"{count} B"
