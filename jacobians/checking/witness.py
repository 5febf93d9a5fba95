"""Where a claim is wrong: a point of small whole numbers, and the entry that differs most there.

`wrong_at(case)` finds the sample, `inputs_at` its inputs and `worst` the two values: all of one point.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .case import Case
from .samples import Sample, Sampler


def worst(case: Case, sample: Sample) -> tuple[str, ...]:
    """The entry of a sample where claim and derivative differ most, with both values."""
    claim, expected = sample.claim, sample.expected(case.layout)
    if claim is None or expected is None or claim.shape != expected.shape:
        return ()
    difference = np.abs(claim - expected)
    place = np.unravel_index(int(np.argmax(difference)), difference.shape)
    at = f"[{', '.join(str(int(k)) for k in place)}]" if place else ""
    return (f"claim{at}    {claim[place]:.6g}", f"result{at}   {expected[place]:.6g}")


def wrong_at(case: Case) -> Sample | None:
    """A sample of small whole numbers at which the claim is wrong, else the first if it is wrong there."""
    try:
        sampler = Sampler(case.problem, case.seed + 5)
        for _ in range(4):
            sample = sampler.at(sampler.point("whole"))
            finite = np.all(np.isfinite(sample.truth.tensor)) and (sample.claim is None or sample.finite)
            if finite and sample.match(case.layout) == "wrong" and sample.truth.scale > 0:
                return sample
    except Exception:  # a point that cannot be had is no counterexample
        pass
    return case.samples[0] if case.samples[0].match(case.layout) == "wrong" else None


def inputs_at(case: Case, sample: Sample | None) -> dict[str, Any] | None:
    """The inputs (and directions) of a sample."""
    if sample is None:
        return None
    problem = case.problem
    directions = problem.directions() if problem.layout == "differential" else ()
    names = [*(entry.name for entry in problem.inputs), *directions]
    return {name: sample.point[name] for name in names if name in sample.point}
