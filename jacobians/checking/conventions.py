"""Functions of matrices as this package takes them, for formulas that are evaluated by numpy.

numpy reads one triangle in `cholesky`, `eigh` and `eigvalsh`, and leaves the signs of eigenvectors and
singular vectors to LAPACK.  `agreed(program)` is the same program with the conventions of this package:
the symmetric part, and the entry of largest magnitude positive.  Complex arguments (a complex step) go
through `cholesky` analytically.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..reading import Program
from ..reading.vocabulary import NUMPY, Entry, Vocabulary

SYMMETRIC = ("cholesky", "eigh", "eigvalsh")


def _plain(value: Any) -> bool:
    return isinstance(value, np.ndarray | np.generic) and np.asarray(value).dtype != object


def _symmetric_part(value: Any) -> Any:
    return (value + np.swapaxes(value, -1, -2)) / 2


def _cholesky(value: Any, *args: Any, **kwargs: Any) -> Any:
    if not _plain(value):
        return np.linalg.cholesky(value, *args, **kwargs)
    value = _symmetric_part(value)
    if not np.iscomplexobj(value) or value.ndim != 2:
        return np.linalg.cholesky(value, *args, **kwargs)
    size = len(value)
    found = np.zeros_like(value)
    for j in range(size):
        found[j, j] = np.sqrt(value[j, j] - found[j, :j] @ found[j, :j])
        found[j + 1 :, j] = (value[j + 1 :, j] - found[j + 1 :, :j] @ found[j, :j]) / found[j, j]
    return found


def _eigvalsh(value: Any, *args: Any, **kwargs: Any) -> Any:
    return np.linalg.eigvalsh(_symmetric_part(value) if _plain(value) else value, *args, **kwargs)


def _eigh(value: Any, *args: Any, **kwargs: Any) -> Any:
    if not _plain(value):
        return np.linalg.eigh(value, *args, **kwargs)
    found = np.linalg.eigh(_symmetric_part(value))
    return found._replace(eigenvectors=found.eigenvectors * _signs(found.eigenvectors))


def _svd(value: Any, *args: Any, **kwargs: Any) -> Any:
    found = np.linalg.svd(value, *args, **kwargs)
    if not _plain(value) or not hasattr(found, "U"):
        return found
    signs, count = _signs(found.U), found.S.shape[-1]
    rows = np.ones(found.Vh.shape[-2])
    rows[:count] = np.real(signs).reshape(-1)[:count]
    return found._replace(U=found.U * signs, Vh=found.Vh * rows[:, None])


def _signs(vectors: Any) -> Any:
    largest = np.take_along_axis(vectors, np.argmax(np.abs(vectors), axis=-2, keepdims=True), -2)
    return np.where(np.real(largest) < 0, -1.0, 1.0)


_CALLS: Mapping[str, Callable[..., Any]] = {
    "cholesky": _cholesky,
    "eigvalsh": _eigvalsh,
    "eigh": _eigh,
    "svd": _svd,
}


def overriding(calls: Mapping[str, Callable[..., Any]], home: str) -> Vocabulary:
    """Numpy's vocabulary with other functions behind some of its names."""

    def function(dotted: str) -> Entry | None:
        entry = NUMPY.function(dotted)
        if entry is not None and entry.numpy and entry.name in calls:
            return replace(entry, call=calls[entry.name])
        return entry

    return replace(NUMPY, function=function, home=home)


AGREED = overriding(_CALLS, "jacobians.checking.conventions:AGREED")


def agreed(program: Program) -> Program:
    """The program with this package's conventions; one in matrix-calculus syntax as it is."""
    return replace(program, vocabulary=AGREED) if program.vocabulary is NUMPY else program


def takes_symmetric(text: str) -> bool:
    """Whether a function of symmetric matrices is called in `text`."""
    return any(name in text for name in SYMMETRIC)
