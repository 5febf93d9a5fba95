"""Tied entries counted wrongly: `tied_entries(case)`.

For a symmetric X the derivative by the shared parameter is `G + G^T - diag(G)`; a claim that is G itself,
`G + G^T`, or their mean, has the symmetric correction wrong.  The same for other structures, and for a
claim that ties entries which are free.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import JacobiansError
from .case import NEAR, Case, Finding, placed
from .placing import gap
from .structure import shared
from .truth import truth

Array = np.ndarray[Any, Any]


def tied_entries(case: Case) -> Finding | None:
    """What a claim did with entries that are tied (or free), where that explains it."""
    problem = case.problem
    if not case.same_shape or problem.layout == "differential" or problem.order != 1:
        return None
    entry = problem.input(problem.wrt[0])
    if len(np.shape(case.samples[0].point[entry.name])) != 2:
        return None
    if not entry.structure:
        return _tied_too_much(case)
    free = _untied(case)
    if free is None:
        return None
    for name, change in _VARIANTS.items():
        values = placed(case, [change(tensor) for tensor in free])
        if _same(case, values):
            return _found(entry.structure, name, entry.name)
    return None


def _untied(case: Case) -> list[Array] | None:
    """The derivative by free entries at every sample."""
    problem = case.problem
    free = problem.replacing(
        *(replace(e, structure="", words=(*e.words, e.structure)) for e in problem.inputs if e.structure)
    )
    try:
        return [truth(free, s.point, np.random.default_rng(0), False).tensor for s in case.samples]
    except JacobiansError:
        return None


def _turn(tensor: Array) -> Array:
    return np.swapaxes(tensor, -1, -2)


def _diagonal(tensor: Array) -> Array:
    return tensor * np.eye(tensor.shape[-1])


_VARIANTS: dict[str, Callable[[Array], Array]] = {
    "G, the derivative by free entries": lambda g: g,
    "G^T": _turn,
    "G + G^T": lambda g: g + _turn(g),
    "(G + G^T)/2": lambda g: (g + _turn(g)) / 2,
    "2 G": lambda g: 2 * g,
    "2 G - diag(G)": lambda g: 2 * g - _diagonal(g),
    "2 G + diag(G)": lambda g: 2 * g + _diagonal(g),
    "G + G^T + diag(G)": lambda g: g + _turn(g) + _diagonal(g),
    "G + G^T - 2 diag(G)": lambda g: g + _turn(g) - 2 * _diagonal(g),
    "(G + G^T - diag(G))/2": lambda g: (g + _turn(g) - _diagonal(g)) / 2,
    "diag(G)": _diagonal,
    "the lower triangle of G": np.tril,
    "the upper triangle of G": np.triu,
}


def _same(case: Case, values: Sequence[Array]) -> bool:
    assert case.claimed is not None
    return all(
        v.shape == c.shape and gap(v, c) <= NEAR and np.any(c)
        for v, c in zip(values, case.claimed, strict=True)
    )


def _found(structure: str, variant: str, name: str) -> Finding:
    right = {
        "symmetric": "G + G^T - diag(G)",
        "diagonal": "diag(G)",
        "lower": "the lower triangle of G",
        "upper": "the upper triangle of G",
        "toeplitz": "the sums of G along its diagonals",
        "symtoeplitz": "the sums of G along its diagonals on both sides",
        "antisymmetric": "G - G^T",
    }[structure]
    reason = "diagonal" if structure == "diagonal" else "symmetric-correction"
    reason = "sum-forgotten" if structure in ("toeplitz", "symtoeplitz") else reason
    what = (
        f"The claim is {variant}; {name} is {structure}, so with G the derivative by free entries "
        f"it should be {right}."
    )
    return Finding(reason, what)


def _tied_too_much(case: Case) -> Finding | None:
    """A claim that is the derivative by shared parameters although the entries are free."""
    for structure in ("symmetric", "diagonal", "toeplitz", "symtoeplitz"):
        shape = np.shape(case.samples[0].point[case.problem.wrt[0]])
        if shape[0] != shape[1]:
            return None
        values = placed(case, [shared(s.truth.tensor, structure) for s in case.samples])
        if structure == "diagonal" and case.samples[0].truth.target != ():
            continue
        if _same(case, values):
            reason = "symmetric-correction" if structure != "diagonal" else "diagonal"
            what = f"The claim ties the entries of a {structure} {case.problem.wrt[0]}; here they are free."
            return Finding(reason, what)
    return None
