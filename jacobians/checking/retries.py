"""Assumptions under which a wrong claim is right, shown by trying again there.

`assumptions(case)` tries symmetric, positive definite and positive inputs, `square_only(case)` equal sizes,
`commuting(case)` matrices that commute, `last_assumptions(case)` orthogonal, unit and scalar inputs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..errors import JacobiansError
from .case import Case, Finding
from .problem import Input, Problem
from .samples import Sampler

NAMES = {
    "symmetric": "symmetric",
    "antisymmetric": "antisymmetric",
    "spd": "symmetric positive definite",
    "positive": "positive",
    "orthogonal": "orthogonal",
    "unit": "unit",
    "simplex": "probability vectors",
    "diagonal": "diagonal",
    "rowunit": "unit rows",
    "symtensor": "fully symmetric",
}
_TAKEN = frozenset(
    {"symmetric", "antisymmetric", "spd", "gapped", "orthogonal", "diagonal", "lower", "upper"}
    | {"toeplitz", "symtoeplitz", "symtensor", "onehot", "onehotrows", "binary", "signs", "zero"}
    | {"unit", "rowunit", "simplex"}
)


def _square_inputs(case: Case) -> list[Input]:
    shapes = {name: np.shape(value) for name, value in case.samples[0].point.items()}
    return [
        entry
        for entry in case.problem.inputs
        if entry.value is None
        and len(shapes[entry.name]) == 2
        and shapes[entry.name][0] == shapes[entry.name][1]
        and not _TAKEN & set(entry.words)
        and not entry.structure
    ]


def _open_inputs(case: Case, rank: tuple[int, ...]) -> list[Input]:
    return [
        entry
        for entry in case.problem.inputs
        if entry.value is None
        and len(entry.shape) in rank
        and not (_TAKEN | {"positive", "open01"}) & set(entry.words)
    ]


def _sets(entries: list[Input]) -> Iterator[list[Input]]:
    """Every one alone, then all together."""
    yield from ([entry] for entry in entries)
    if len(entries) > 1:
        yield entries


def _try(case: Case, word: str, entries: list[Input]) -> Finding | None:
    for chosen in _sets(entries):
        if case.late:
            return None
        changed = case.problem.replacing(*(entry.assuming(word) for entry in chosen))
        if case.retry(changed):
            names = " and ".join(entry.name for entry in chosen)
            condition = f"{NAMES[word]} {names}"
            return Finding(
                "assumption",
                f"True for {condition}, and only then: right at random points of that kind, wrong at others.",
                assumption=condition,
            )
    return None


def assumptions(case: Case) -> Finding | None:
    """Symmetric matrices, positive definite ones, positive entries."""
    if not case.same_shape:
        return None
    square = _square_inputs(case)
    cubes = [
        e
        for e in case.problem.inputs
        if len(e.shape) > 2 and len(set(e.shape)) == 1 and not _TAKEN & set(e.words)
    ]
    tries = (
        ("symmetric", square),
        ("symtensor", cubes),
        ("positive", _positive_candidates(case)),
        ("spd", square),
    )
    for word, entries in tries:
        found = _try(case, word, entries)
        if found is not None:
            return found
    return None


def _positive_candidates(case: Case) -> list[Input]:
    return [entry for entry in _open_inputs(case, (0, 1, 2)) if "spd" not in entry.words]


def last_assumptions(case: Case) -> Finding | None:
    """Orthogonal and unit inputs, and probability vectors: tried after everything else."""
    if not case.same_shape:
        return None
    square, vectors = _square_inputs(case), _open_inputs(case, (1,))
    for word, entries in (("orthogonal", square), ("unit", vectors), ("simplex", vectors)):
        for entry in entries:
            found = _try(case, word, [entry])
            if found is not None:
                return found
    return None


def left_out(case: Case) -> Finding | None:
    """An input that the claim should be multiplied by: right where that input is 1 everywhere."""
    if not case.same_shape:
        return None
    for entry in case.problem.inputs:
        if entry.name in case.problem.wrt or entry.value is not None or len(entry.shape) > 1 or entry.words:
            continue
        ones = replace(entry, value=np.ones_like(case.samples[0].point[entry.name]))
        if case.retry(case.problem.replacing(ones), sizes=dict(case.samples[0].sizes)):
            what = f"Right where every entry of {entry.name} is 1: the factor {entry.name} was left out."
            return Finding("chain", what, factor=entry.name)
    return None


def square_only(case: Case) -> Finding | None:
    """A claim that needs equal sizes: right where all symbols are one number."""
    symbols = case.problem.symbols()
    if len(symbols) < 2 or len(set(case.samples[0].sizes[name] for name in symbols)) < 2:
        return None
    sizes = {**case.samples[0].sizes, **dict.fromkeys(symbols, 3)}
    if not case.retry(case.problem, sizes=sizes):
        return None
    matrices = [
        entry.name
        for entry in case.problem.inputs
        if len(entry.shape) == 2 and entry.shape[0] != entry.shape[1]
    ]
    what = f"square {' and '.join(matrices)}" if matrices else f"equal sizes {' = '.join(symbols)}"
    return Finding("assumption", f"True for {what}, and only then.", assumption=what)


def commuting(case: Case) -> Finding | None:
    """Right where all square matrices commute: polynomials of one matrix that is not symmetric."""
    entries = _square_inputs(case)
    if not case.same_shape or not entries or _size_of(case, entries) is None:
        return None
    if len(entries) == 1 and len(case.problem.inputs) == 1 and case.problem.layout != "differential":
        return None
    if not _right_if_commuting(case, entries):
        return None
    return Finding("commutation", "Right for matrices that commute: factors stand in the wrong order.")


def _size_of(case: Case, entries: list[Input]) -> int | None:
    sizes = {np.shape(case.samples[0].point[entry.name])[0] for entry in entries}
    return sizes.pop() if len(sizes) == 1 else None


def _right_if_commuting(case: Case, entries: list[Input]) -> bool:
    problem: Problem = replace(case.problem, layout=case.problem.layout)
    rng = np.random.default_rng(case.seed + 29)
    size = _size_of(case, entries)
    assert size is not None
    for _ in range(3):
        base = rng.uniform(-1, 1, (size, size)) + 1.5 * np.eye(size)
        made = {
            e.name: rng.uniform(0.5, 1.5) * np.eye(size) + rng.uniform(0.5, 1.5) * base + 0.3 * base @ base
            for e in entries
        }
        try:
            sampler = Sampler(problem, case.seed + 31, case.samples[0].sizes)
            point = {**sampler.point(), **made}
            for name in problem.wrt if problem.layout == "differential" else ():
                if "d" + name in point and np.shape(point["d" + name]) == (size, size):
                    point["d" + name] = rng.uniform(0.5, 1.5) * base + np.eye(size)
            sample = sampler.at(point)
        except (JacobiansError, np.linalg.LinAlgError, ValueError):
            return False
        if sample.match(case.layout) != "right":
            return False
    return True
