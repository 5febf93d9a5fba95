"""Judges of derivatives: `derivative` (a formula or a chain, against the engine), `limit` (quotients)."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from ..derivative import Jacobian
from .errors import ClaimError
from .rows import Check, Finding
from .setting import TOLERANCE, Setting, distance
from .shapes import Found, shape_of, shown
from .wording import agreement, number, small


def derivative(room: Setting, check: Check) -> Finding:
    """`claimed` (a text, or several that should be equal) or `chain` is d `of` / d `by`, in `part` if given.

    Without either, the claim is the shape alone.  A chain lists local Jacobians as "f/z", "z/A".
    """
    of, by = check["of"], check["by"]
    found = room.derivative(of, by)
    if "part" in check:
        found = found[part(check["part"])]
    dense = np.asarray(found)
    shape = shape_of(found) if isinstance(found, Jacobian) else Found((), ())
    error, notes = 0.0, []
    for text in texts(check.get("claimed", [])):
        value = np.asarray(room.value(text))
        error = max(error, distance(value, dense))
        if value.shape != dense.shape:
            notes.append(f"claimed is {shown(Found(value.shape))}, the engine has {shown(shape)}")
    if "chain" in check:
        links = [room.derivative(*link.split("/")) for link in check["chain"]]
        error = max(error, distance(np.asarray(reduce(lambda left, right: left @ right, links)), dense))
    holds = error <= check.get("tolerance", TOLERANCE)
    return Finding(holds, "; ".join(notes) or verdict_on(check, error, dense), shape)


def verdict_on(check: Check, error: float, dense: np.ndarray) -> str:
    """The evidence of a comparison with the engine's Jacobian."""
    name = f"d{check['of']}/d{check['by']}"
    if "claimed" not in check and "chain" not in check:
        return f"{name} by the engine"
    if error > check.get("tolerance", TOLERANCE):
        return f"{name}: claim off by {small(error)} (relative)" + (
            f", right is {number(dense)}" if dense.size <= 3 else ""
        )
    value = f" = {number(float(dense))}" if dense.size == 1 else ""
    return f"{name}{value}: claim = engine {agreement(error)}"


def limit(room: Setting, check: Check) -> Finding:
    """`quotient`, a text in f, f_moved and h, tends to the derivative as h shrinks, its error like h.

    One coordinate of `by` is moved at a time; `h` lists the sizes of the moves.
    """
    of, by, moves = check["of"], check["by"], check["h"]
    right, at, function = np.asarray(room.derivative(of, by)), room.at(by), room.function(of, by)
    if len(moves) < 2:
        raise ClaimError("a limit needs at least two sizes of h", f"h is {moves}", "[0.1, 0.01, 0.001]")
    errors = []
    for h in moves:
        columns = [
            room.value(check["quotient"], f=function(at), f_moved=function(at + h * unit), h=h)
            for unit in np.eye(at.size).reshape(at.size, *at.shape)
        ]
        errors.append(float(np.max(np.abs(np.stack(columns, -1).reshape(right.shape) - right))))
    rates = [errors[k] / errors[k + 1] / (moves[k] / moves[k + 1]) for k in range(len(moves) - 1)]
    holds = all(0.5 < rate < 2 for rate in rates)
    shrinking = ", ".join(small(e) for e in errors)
    return Finding(holds, f"error {shrinking} for h = {', '.join(map(str, moves))}", Found((), ()))


def texts(claimed: str | list[str]) -> list[str]:
    """One text or several as a list."""
    return [claimed] if isinstance(claimed, str) else list(claimed)


def part(text: str) -> Any:
    """An index such as `1, 1:2, :` as numpy takes it.

    >>> part("1, 1:2, :")
    (1, slice(1, 2, None), slice(None, None, None))
    """
    try:
        return tuple(
            slice(*(int(end) if end.strip() else None for end in piece.split(":")))
            if ":" in piece
            else int(piece)
            for piece in text.split(",")
        )
    except ValueError:
        raise ClaimError(
            f"cannot read the part {text!r}", "", "whole numbers and slices: 1, 1:2, :"
        ) from None
