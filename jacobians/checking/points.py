"""Points at which claims are tried: random values that satisfy assumptions.

`WORDS` lists the assumptions; `draw(shape, words, rng)` gives a float array, `draw_whole` one of small
whole numbers where the assumptions allow that.  Entries stay away from 0 and matrices from singular ones,
so that rounding stays small.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import permutations
from typing import Any

import numpy as np

from ..errors import ReadingError, ShapeError, did_you_mean

Array = np.ndarray[Any, Any]
Rng = np.random.Generator
STRUCTURES = ("symmetric", "diagonal", "toeplitz", "symtoeplitz", "lower", "upper", "antisymmetric")
WORDS: Mapping[str, str] = {
    "positive": "entries above 0",
    "nonzero": "no entry is 0",
    "open01": "entries in (0, 1)",
    "small": "well inside the radius of convergence",
    "invertible": "a matrix with an inverse",
    "posdet": "a determinant above 0",
    "spd": "symmetric positive definite",
    "symmetric": "equal to its transpose",
    "antisymmetric": "minus its transpose",
    "symtensor": "unchanged by any order of its axes",
    "gapped": "distinct eigenvalues (singular values, where it is not square)",
    "orthogonal": "its transpose is its inverse",
    "unit": "norm 1",
    "rowunit": "rows of norm 1",
    "diagonal": "zero off the diagonal",
    "lower": "lower triangular",
    "upper": "upper triangular",
    "toeplitz": "constant along diagonals",
    "symtoeplitz": "symmetric and constant along diagonals",
    "wide": "more columns than rows",
    "tall": "more rows than columns",
    "square": "as many columns as rows",
    "onehot": "one 1, zeros else",
    "onehotrows": "every row one 1, zeros else",
    "binary": "entries 0 or 1",
    "signs": "entries -1 or 1",
    "simplex": "positive, with sum 1",
    "zero": "zeros",
    "scalar": "size 1",
    "distinct": "no two entries equal",
    "real": "real numbers",
}
_ALIASES = {
    "sym": "symmetric",
    "posdef": "spd",
    "pd": "spd",
    "positive-definite": "spd",
    "psd": "spd",
    "skew": "antisymmetric",
    "tril": "lower",
    "triu": "upper",
    "diag": "diagonal",
    "nonsingular": "invertible",
    "symmetric-toeplitz": "symtoeplitz",
    "one-hot": "onehot",
    "lower-triangular": "lower",
    "upper-triangular": "upper",
    "prob": "simplex",
    "nonneg": "positive",
    "full-rank": "real",
}


def known_word(word: str) -> str:
    """The assumption called `word`; raises ReadingError with the closest one.

    >>> known_word("spd")
    'spd'
    """
    lowered = str(word).strip().lower().replace("_", "-").replace(" ", "-")
    found = _ALIASES.get(lowered, lowered)
    if found not in WORDS:
        raise ReadingError(
            f"the assumption {str(word)[:40]!r} is not known",
            f"assumptions: {', '.join(WORDS)}",
            did_you_mean(found, WORDS),
        )
    return found


def draw(shape: tuple[int, ...], words: Iterable[str], rng: Rng, mood: str = "plain") -> Array:
    """A random array that satisfies `words`.

    `mood` is how entries without an assumption are drawn: `plain` (both signs), `positive`, `unit` (0 to 1)
    or `above` (greater than 1), for functions that are defined there only.
    """
    wanted = frozenset(words)
    _check_shape(shape, wanted)
    return np.asarray(_spectral(_structured(_entries(shape, wanted, rng, mood), wanted), wanted, rng))


def _check_shape(shape: tuple[int, ...], words: frozenset[str]) -> None:
    square = len(shape) == 2 and shape[0] == shape[1]
    needs = words & {"spd", "symmetric", "antisymmetric", "posdet", "toeplitz", "symtoeplitz", "square"}
    if needs and not square and len(set(shape)) > 1:
        raise ShapeError(f"{'/'.join(sorted(needs))} takes a square matrix", f"the shape is {shape}", "n,n")


def _entries(shape: tuple[int, ...], words: frozenset[str], rng: Rng, mood: str) -> Array:
    for word, make in _BASES.items():
        if word in words:
            return make(shape, rng)
    if mood == "whole":
        return np.asarray(rng.integers(1, 5, shape) * rng.choice([-1, 1, 1], shape) * 1.0)
    low, high = {"unit": (0.12, 0.88), "above": (1.2, 3.0)}.get(mood, (0.35, 1.6))
    size = rng.uniform(low, high, shape)
    return size if mood != "plain" else size * rng.choice([-1.0, 1.0], shape)


def _one_hot(shape: tuple[int, ...], rng: Rng) -> Array:
    found = np.zeros(shape)
    found.reshape(-1)[rng.integers(found.size)] = 1.0
    return found


def _one_hot_rows(shape: tuple[int, ...], rng: Rng) -> Array:
    found = np.zeros(shape)
    rows = found.reshape(-1, shape[-1])
    rows[np.arange(len(rows)), rng.integers(shape[-1], size=len(rows))] = 1.0
    return found


def _binary(shape: tuple[int, ...], rng: Rng) -> Array:
    found = rng.integers(0, 2, shape) * 1.0
    if found.size > 1 and found.min() == found.max():
        found.reshape(-1)[rng.integers(found.size)] = 1.0 - found.reshape(-1)[0]
    return found


def _simplex(shape: tuple[int, ...], rng: Rng) -> Array:
    found = rng.uniform(0.3, 1.0, shape)
    return np.asarray(found / found.sum(axis=-1, keepdims=True))


_BASES: Mapping[str, Callable[[tuple[int, ...], Rng], Array]] = {
    "zero": lambda shape, rng: np.zeros(shape),
    "onehotrows": _one_hot_rows,
    "onehot": _one_hot,
    "binary": _binary,
    "signs": lambda shape, rng: rng.choice([-1.0, 1.0], shape),
    "simplex": _simplex,
    "open01": lambda shape, rng: rng.uniform(0.12, 0.88, shape),
    "positive": lambda shape, rng: rng.uniform(0.35, 1.6, shape),
}


def _structured(values: Array, words: frozenset[str]) -> Array:
    if values.ndim < 2:
        return values
    if "symtensor" in words:
        orders = permutations(range(values.ndim))
        return np.asarray(np.mean([np.transpose(values, order) for order in orders], axis=0))
    for word in STRUCTURES:
        if word in words:
            return project(values, word)
    return values


def project(values: Array, structure: str) -> Array:
    """The array made structured: the first entry of every tied group stands for all of it."""
    rows, columns = np.indices(values.shape[-2:])
    if structure == "symmetric":
        return (values + np.swapaxes(values, -1, -2)) / 2
    if structure == "antisymmetric":
        return (values - np.swapaxes(values, -1, -2)) / 2
    if structure == "diagonal":
        return np.where(rows == columns, values, 0)
    if structure == "lower":
        return np.where(rows >= columns, np.where(rows == columns, abs(values), values), 0)
    if structure == "upper":
        return np.where(rows <= columns, np.where(rows == columns, abs(values), values), 0)
    apart = rows - columns
    if structure == "symtoeplitz":
        return values[..., abs(apart), 0]
    return np.where(apart >= 0, values[..., abs(apart), 0], values[..., 0, abs(apart)])


def _spectral(values: Array, words: frozenset[str], rng: Rng) -> Array:
    if values.ndim == 0 or values.size == 0:
        return abs(values) if "spd" in words else values
    if words & {"unit", "rowunit"}:
        axis = -1 if "rowunit" in words else None
        return np.asarray(values / np.sqrt((values**2).sum(axis=axis, keepdims=True)))
    if values.ndim != 2:
        return values * (0.2 / max(np.abs(values).max(), 0.2)) if "small" in words else values
    if "orthogonal" in words:
        return np.asarray(np.linalg.qr(values if values.shape[0] >= values.shape[1] else values.T)[0])
    if "gapped" in words:
        return _gapped(values, words, rng)
    if "spd" in words:
        values = _positive_definite(values, words)
    if "small" in words:
        values = values * (0.2 / np.linalg.norm(values, 2))
    return _regular(values, words, rng)


def _positive_definite(values: Array, words: frozenset[str]) -> Array:
    size = len(values)
    if words & {"toeplitz", "symtoeplitz", "diagonal", "lower"}:
        values = (values + values.T) / 2
        return np.asarray(values + (0.5 - min(np.linalg.eigvalsh(values)[0], 0.0)) * np.eye(size))
    return np.asarray(values @ values.T / np.sqrt(size) + 0.4 * np.eye(size))


def _gapped(values: Array, words: frozenset[str], rng: Rng) -> Array:
    rows, columns = values.shape
    size = min(rows, columns)
    spread = np.arange(1, size + 1) * 0.7 + rng.uniform(-0.15, 0.15, size)
    left = np.linalg.qr(rng.normal(size=(rows, rows)))[0][:, :size]
    if rows != columns:
        return np.asarray(left * spread @ np.linalg.qr(rng.normal(size=(columns, columns)))[0][:, :size].T)
    if "general" in words:
        return np.asarray(values * 0.3 + np.diag(spread * 3))
    shift = 0.0 if "spd" in words else spread.mean() + 0.2
    found = (left * (spread - shift)) @ left.T
    return np.asarray((found + found.T) / 2)


def _regular(values: Array, words: frozenset[str], rng: Rng) -> Array:
    """Away from singular matrices, and with a determinant above 0 where that is asked for."""
    rows, columns = values.shape
    if rows != columns or words & set(_BASES) - {"positive"} or "antisymmetric" in words:
        return values
    shift = 0.35 * np.eye(rows)
    for _ in range(12):
        if np.linalg.cond(values) < 60:
            break
        values = values + shift
    if "posdet" in words and np.linalg.det(values) < 0:
        values = _rows_exchanged(values) if not words & set(STRUCTURES) else values + 3 * np.eye(rows)
    return values


def _rows_exchanged(values: Array) -> Array:
    return np.asarray(values[[1, 0, *range(2, len(values))]]) if len(values) > 1 else -values


_NOT_WHOLE = frozenset(
    ["open01", "small", "unit", "rowunit", "orthogonal", "simplex", "gapped", "antisymmetric"]
)


def draw_whole(shape: tuple[int, ...], words: Iterable[str], rng: Rng) -> Array | None:
    """An array of small whole numbers that satisfies `words`, or None where there is none to be had."""
    wanted = frozenset(words)
    if wanted & _NOT_WHOLE:
        return None
    entries = _entries(shape, wanted, rng, "whole")
    if "positive" in wanted:
        entries = rng.integers(1, 5, shape) * 1.0
    if entries.ndim != 2:
        return abs(entries) if "spd" in wanted else entries
    if "symtensor" in wanted or "symmetric" in wanted:
        entries = np.triu(entries) + np.triu(entries, 1).T
    found = _structured(entries, wanted - {"symmetric", "symtensor", "antisymmetric"})
    if "spd" in wanted:
        if wanted & {"toeplitz", "symtoeplitz", "lower", "upper"}:
            return None
        found = found @ found.T + np.eye(len(found))
    if wanted & {"invertible", "posdet", "spd"} and np.linalg.matrix_rank(found) < len(found):
        return None
    if "posdet" in wanted and np.linalg.det(found) < 0:
        found = _rows_exchanged(found)
    return found
