"""Numbers in evidence: `small(error)`, `number(value)`, `agreement(error)`."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np


def small(error: float) -> str:
    """An error with one digit.

    >>> small(0.0), small(1.23e-11), small(0.784)
    ('0', '1e-11', '0.78')
    """
    if error == 0:
        return "0"
    return f"{error:.2g}" if 1e-3 <= error < 1e4 else f"{error:.0e}"


def number(value: Any, digits: int = 4) -> str:
    """A number, a fraction or a small array.

    >>> number(Fraction(3, 5)), number(7.35150827), number(np.array([[1.0], [-12.5]]))
    ('3/5', '7.352', '[[1], [-12.5]]')
    """
    if isinstance(value, np.ndarray) and value.ndim:
        return "[" + ", ".join(number(part, digits) for part in value) + "]"
    if isinstance(value, np.ndarray):
        return number(value.item(), digits)
    if isinstance(value, list | tuple):
        return number(np.array(value), digits)
    if isinstance(value, bool | np.bool_ | Fraction | int):
        return str(value)
    return f"{float(value) + 0.0:.{digits}g}"


def agreement(error: float) -> str:
    """How far two results are apart, in words.

    >>> agreement(0.0), agreement(2.2e-16), agreement(float("inf"))
    ('exactly', 'to 2e-16', 'not: the shapes differ')
    """
    if error == float("inf"):
        return "not: the shapes differ"
    return "exactly" if error == 0 else f"to {small(error)}"
