"""Inputs whose entries are tied: the derivative by a shared parameter.

`shared(values, structure)` adds up the entries that share a parameter: with `X = X(p)` tied and `G` the
derivative by all entries as if free, entry (i, j) of the derivative by the shared parameter is the sum of
`G[k, l]` over all (k, l) that the parameter of (i, j) stands at.  The map is its own transpose, so the same
function takes a direction of the parameters to a direction of X.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import UnknownNameError, did_you_mean
from .points import STRUCTURES

Array = np.ndarray[Any, Any]


def known_structure(name: str | None) -> str:
    """The structure called `name`, "" for none; raises UnknownNameError."""
    lowered = str(name or "none").strip().lower().replace("_", "-").replace(" ", "-")
    aliases = {"none": "", "lower-triangular": "lower", "symmetric-toeplitz": "symtoeplitz", "tril": "lower"}
    found = aliases.get(lowered, lowered)
    if found and found not in STRUCTURES:
        raise UnknownNameError(
            f"structure {str(name)[:40]!r} is not known",
            f"structures: {', '.join(STRUCTURES)}",
            did_you_mean(found, STRUCTURES),
        )
    return found


def shared(values: Any, structure: str) -> Array:
    """Sums over the entries tied by `structure`, on the last two axes; works on object arrays too.

    >>> shared(np.array([[1, 2], [3, 4]]), "symmetric")
    array([[1, 5],
           [5, 4]])
    """
    values = np.asarray(values)
    if not structure or values.ndim < 2:
        return np.asarray(values)
    rows, columns = np.indices(values.shape[-2:])
    turned = np.swapaxes(values, -1, -2)
    if structure == "symmetric":
        return np.asarray(np.where(rows == columns, values, values + turned))
    if structure == "antisymmetric":
        return np.asarray(values - turned)
    if structure in ("diagonal", "lower", "upper"):
        kept = {"diagonal": rows == columns, "lower": rows >= columns, "upper": rows <= columns}[structure]
        return np.asarray(np.where(kept, values, values * 0))
    apart = rows - columns if structure == "toeplitz" else abs(rows - columns)
    found = values * 0
    for distance in np.unique(apart):
        same = apart == distance
        found[..., same] = values[..., same].sum(axis=-1)[..., None]
    return np.asarray(found)


def tie(
    tensor: Array, structures: tuple[str, ...], inputs: tuple[tuple[int, ...], ...], target: int
) -> Array:
    """The derivative by shared parameters from the one by free entries, input by input.

    `tensor` has `target` target axes, then the axes of every input in `inputs`.
    """
    at = target
    for structure, shape in zip(structures, inputs, strict=True):
        if structure and len(shape) == 2:
            moved = np.moveaxis(tensor, (at, at + 1), (-2, -1))
            tensor = np.moveaxis(shared(moved, structure), (-2, -1), (at, at + 1))
        at += len(shape)
    return tensor
