"""What a diagnosis works on: `Case`, a wrong claim with its samples, and `Finding`, what one rule finds.

`case.expected` and `case.claimed` are the arrays at every sample; `case.fits(arrays)` says whether other
arrays are right at all of them; `case.repaired(text)` whether another text is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import JacobiansError
from .formulas import Formula, formula
from .placing import arranged, gap, layouts_of
from .problem import Problem
from .samples import Sample, Sampler, evaluated

Array = np.ndarray[Any, Any]
PATIENCE = 2.5  # seconds; past them what is slow to try is not tried any more
NEAR = 1e-7  # a relative gap below which two arrays are taken to be the same one


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule found: the reason and all that goes into the verdict."""

    reason: str
    sentence: str
    factor: float | str | None = None
    assumption: str = ""
    layout: str = ""
    correct: str = ""
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """A claim that does not fit, its samples, and the layout it is held against."""

    problem: Problem
    samples: tuple[Sample, ...]
    layout: str
    seed: int = 0
    tried: dict[str, bool] = field(default_factory=dict, compare=False)
    repairs: list[Finding | None] = field(default_factory=list, compare=False)
    started: float = field(default_factory=time.monotonic, compare=False)

    @property
    def late(self) -> bool:
        """Whether the search for an explanation has taken long enough."""
        return time.monotonic() - self.started > PATIENCE

    @cached_property
    def expected(self) -> tuple[Array, ...]:
        """The true derivative at every sample, in the layout."""
        found = [sample.expected(self.layout) for sample in self.samples]
        return tuple(e if e is not None else s.truth.tensor for e, s in zip(found, self.samples, strict=True))

    @cached_property
    def claimed(self) -> tuple[Array, ...] | None:
        """The claim at every sample, None where it cannot be evaluated."""
        found = [sample.claim for sample in self.samples]
        return None if any(value is None for value in found) else tuple(v for v in found if v is not None)

    @property
    def same_shape(self) -> bool:
        """Whether the claim has the shape it should have."""
        return self.claimed is not None and all(
            c.shape == e.shape for c, e in zip(self.claimed, self.expected, strict=True)
        )

    def fits(self, arrays: Sequence[Array] | Iterator[Array], near: float = NEAR) -> bool:
        """Whether these arrays, one for each sample, are the true derivative (and not all zero)."""
        found = list(arrays)
        if len(found) != len(self.expected) or not any(np.any(e) for e in self.expected):
            return False
        return all(
            np.shape(a) == e.shape and gap(a, e) <= near for a, e in zip(found, self.expected, strict=True)
        )

    def values(self, text: str) -> list[Array] | None:
        """The values of another text at every sample, None where it cannot be evaluated."""
        try:
            made = formula(text)
        except JacobiansError:
            return None
        found = []
        for sample in self.samples:
            value, _ = evaluated(self.problem, made, sample.point, sample.truth.tensor.shape)
            if value is None or not np.all(np.isfinite(value)):
                return None
            found.append(value)
        return found

    def repaired(self, text: str) -> bool:
        """Whether another text is right at every sample; the first sample is looked at before the rest."""
        if text in self.tried:
            return self.tried[text]
        first = replace(self, samples=self.samples[:1], tried={}, repairs=[])
        values = first.values(text)
        good = values is not None and first.fits(values)
        if good and len(self.samples) > 1:
            rest = self.values(text)
            good = rest is not None and self.fits(rest)
        self.tried[text] = good
        return good

    def layouts(self) -> tuple[str, ...]:
        """All layouts that have a place for the derivative."""
        truth = self.samples[0].truth
        return layouts_of(truth.target, truth.inputs, len(set(self.problem.slots)) > 1)

    def retry(self, changed: Problem, points: int = 3, sizes: dict[str, int] | None = None) -> bool:
        """Whether the claim is right, in this layout, for a changed problem."""
        try:
            sampler = Sampler(replace(changed, layout=self.problem.layout), self.seed + 17, sizes)
            found = [sampler.sample() for _ in range(points)]
        except (JacobiansError, np.linalg.LinAlgError, ValueError):
            return False
        telling = [sample for sample in found if sample.truth.scale > 0]
        return bool(telling) and all(s.match(self.layout) == "right" for s in telling)


def placed(
    case: Case, tensors: Sequence[Array], inputs: Sequence[tuple[tuple[int, ...], ...]] | None = None
) -> list[Array]:
    """Tensors of the true derivative's kind in the layout of the case."""
    found = []
    for k, (tensor, sample) in enumerate(zip(tensors, case.samples, strict=True)):
        groups = sample.truth.inputs if inputs is None else inputs[k]
        array = arranged(tensor, case.layout, sample.truth.target, groups)
        found.append(tensor if array is None else array)
    return found


def held_against(problem: Problem, sample: Sample) -> str:
    """The layout a claim is held against: the one asked for, else the first of its shape, else the first."""
    if problem.layout:
        return problem.layout
    truth = sample.truth
    names = layouts_of(truth.target, truth.inputs, len(set(problem.slots)) > 1)
    for name in names:
        expected = sample.expected(name)
        if expected is not None and sample.claim is not None and expected.shape == sample.claim.shape:
            return name
    return names[0]


def statement_texts(claim: Formula) -> list[str]:
    """The statements of a claim in numpy syntax, none of another."""
    if claim.program is None or claim.kind != "numpy":
        return []
    return [" ".join(step.statement.text.split()) for step in claim.program.steps]


def wrapped(case: Case, template: str) -> str:
    """The claim's text inside a template, its own statements before it; "" where the result is not right."""
    texts = statement_texts(case.problem.claim)
    if not texts:
        return ""
    last = texts[-1] if case.problem.claim.program.steps[-1].targets == () else ""  # type: ignore[union-attr]
    text = "; ".join([*texts[:-1], template.format(last)]) if last else ""
    return text if text and case.repaired(text) else ""
