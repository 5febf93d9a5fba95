"""Judges of values: `equal`, `true`, `value` (its shape), `refused`, `curly` (which d is written)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import BudgetError, JacobiansError, ReadingError, ShapeError
from .errors import ClaimError
from .reading import program
from .rows import Check, Finding
from .setting import Setting, distance
from .shapes import Found
from .wording import agreement, number, small

LONGEST = 44  # characters of a text that evidence repeats


def equal(room: Setting, check: Check) -> Finding:
    """All `terms` are equal: as fractions in an exact setting, else to `tolerance` (relative)."""
    terms = check["terms"]
    if len(terms) < 2:
        raise ClaimError("an equality needs two terms", f"terms: {terms}", '["2/4", "1/2"]')
    first, *others = [np.asarray(room.value(text)) for text in terms]
    if room.exact:
        same = all(first.shape == other.shape and bool(np.all(first == other)) for other in others)
        return Finding(same, _exactly(terms, first, others, same), Found(first.shape))
    error = max(distance(first, other) for other in others)
    holds = error <= check.get("tolerance", 1e-12)
    if holds:
        known = f"{_named(terms[0], first)}, the terms agree" if first.size <= 4 else "the terms agree"
        return Finding(True, f"{known} {agreement(error)}", Found(first.shape))
    return Finding(False, _apart(terms[0], first, others, error), Found(first.shape))


def _named(text: str, found: Any) -> str:
    return number(found) if len(text) > LONGEST else f"{text} = {number(found)}"


def _exactly(terms: list[str], first: Any, others: list[Any], same: bool) -> str:
    if same:
        return f"{_named(terms[0], first)} exactly"
    return " against ".join([_named(terms[0], first), *(number(other) for other in others)])


def _apart(name: str, first: Any, others: list[Any], error: float) -> str:
    worst = max(others, key=lambda other: distance(first, other))
    if worst.shape == first.shape and worst.size > 1 and np.all(worst):
        ratios = first / worst
        if np.ptp(ratios) < 1e-9:
            return f"{name} is {number(ratios.flat[0])} times the other, entry by entry"
    if first.size <= 5 and worst.size <= 5:
        return f"{_named(name, first)} against {number(worst)}"
    return f"{small(error)} relative error"


def true(room: Setting, check: Check) -> Finding:
    """`text` is a comparison that is true; `show` lists texts whose values are the evidence."""
    holds = bool(np.all(room.value(check["text"])))
    shown = [f"{text} = {number(room.value(text))}" for text in check.get("show", [])]
    return Finding(holds, "; ".join(shown) or f"{check['text']}: {str(holds).lower()}")


def value(room: Setting, check: Check) -> Finding:
    """`text` has a value; its shape is the one stated."""
    found = np.asarray(room.value(check["text"]))
    return Finding(True, "", Found(found.shape))


def refused(room: Setting, check: Check) -> Finding:
    """`text` is refused: the shapes do not fit."""
    try:
        found = np.asarray(room.value(check["text"]))
    except ClaimError:
        raise
    except (ShapeError, ReadingError, BudgetError) as error:
        return Finding(True, refusal(error))
    return Finding(False, f"{check['text']} has a value of shape {found.shape}")


def refusal(error: JacobiansError) -> str:
    """Why a text was refused, in one line without the caret."""
    place = " ".join(error.where.split("\n")[-1].replace("^", " ").split())
    return (f"{error.what}: {place}" if place else error.what).replace("×", "x")


def curly(room: Setting, check: Check) -> Finding:
    """The derivative of `text` is `written` with the right d: curly where there are several variables."""
    names = [name for name in program(check["text"]).names if name not in room.sizes]
    right = "curly" if len(names) > 1 else "straight"
    many = f"{len(names)} variable{'s' if len(names) != 1 else ''}"
    return Finding(check["written"] == right, f"{check['text']} has {many}: a {right} d")
