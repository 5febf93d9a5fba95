"""Texts and numbers of claims: `program(text)`, `exact(value)` as fractions, `floating(value)` as floats."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np

from ..errors import JacobiansError
from ..reading.numpy_syntax import parse
from ..reading.program import Program
from .errors import ClaimError


@cache
def program(text: str) -> Program:
    """The program that a claim's text writes; raises ClaimError where it cannot be read."""
    try:
        return parse(text)
    except JacobiansError as error:
        raise ClaimError(error.what, error.where, error.instead) from error


def exact(value: Any) -> Any:
    """A value of a claims file with exact numbers: `"2/5"`, 0.4 and lists of them become fractions.

    >>> exact("2/5"), exact(["1/2", 3]).tolist()
    (Fraction(2, 5), [Fraction(1, 2), Fraction(3, 1)])
    """
    if isinstance(value, list):
        made = np.array(_leaves(value), dtype=object)
        return made
    if isinstance(value, str):
        try:
            return Fraction(value)
        except (ValueError, ZeroDivisionError):
            raise ClaimError(f"{value!r} is no number", "", 'a number such as 0.4 or "2/5"') from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ClaimError(f"{value!r} is no number", "", "a number, a fraction in quotes, or a list of them")
    return value if isinstance(value, int) else Fraction(repr(value))


def _leaves(value: Any) -> Any:
    if isinstance(value, list):
        return [_leaves(part) for part in value]
    return Fraction(exact(value))


def floating(value: Any) -> Any:
    """The same value in floating point; whole numbers stay whole (they may be exponents or sizes).

    >>> floating(["1/2", 3]), floating(5)
    (array([0.5, 3. ]), 5)
    """
    known = exact(value)
    if isinstance(known, np.ndarray):
        return known.astype(float)
    return known if isinstance(known, int) else float(known)
