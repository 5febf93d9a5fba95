"""Whether two formulas are the same function: `judge_same(problem, seed)`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import JacobiansError
from .placing import FAIL, PASS, gap
from .problem import Problem
from .proof import prove
from .samples import Sampler, evaluated
from .truth import value_at
from .verdict import Verdict, plain

Array = np.ndarray[Any, Any]
POINTS = 12


def judge_same(problem: Problem, seed: int = 0) -> Verdict:
    """True where both have the same values at all points; the evidence says how it is known."""
    problem.check()
    sampler = Sampler(replace(problem, order=0), seed)
    gaps: list[float] = []
    compared = 0
    for k in range(POINTS):
        point = sampler.point()
        sampler.trial = k % 3
        value = value_at(problem.function, point).astype(float)
        other, error = evaluated(problem, problem.claim, point, value.shape)
        if error is not None:
            return Verdict(
                "false", f"The second cannot be evaluated: {error.what}.", reason="shape", title=problem.title
            )
        assert other is not None
        if other.shape != value.shape:
            what = f"The shapes differ: {value.shape} and {other.shape}."
            return Verdict(
                "false", what, reason="shape", counterexample=_inputs(problem, point), title=problem.title
            )
        if not np.all(np.isfinite(other)):
            continue
        compared += bool(np.any(value) or np.any(other))
        distance = gap(other, value)
        gaps.append(distance)
        if distance >= FAIL:
            return _different(problem, sampler, point, value, other)
    if not gaps:
        return Verdict(
            "undecided", "The second has no finite value at any point that was tried.", title=problem.title
        )
    return _same(problem, sampler, gaps, compared)


def _same(problem: Problem, sampler: Sampler, gaps: list[float], compared: int) -> Verdict:
    proof = prove(replace(problem, order=0, wrt=(), layout=""), sampler.sizes(), "", sampler.rng)
    if proof is not None and not proof.holds and max(gaps) > 1e-13:
        return Verdict(
            "false",
            "The two are close but not equal.",
            reason="unrelated",
            evidence=(proof.sentence,),
            title=problem.title,
        )
    if max(gaps) > PASS and (proof is None or not proof.holds):
        return Verdict(
            "undecided",
            f"Differences of {max(gaps):.0e} stay between rounding and an error.",
            title=problem.title,
        )
    evidence = [f"{len(gaps)} random points, largest relative difference {max(gaps):.0e}"]
    evidence += [proof.sentence] if proof is not None and proof.holds else []
    evidence += [] if compared else ["both are zero at every point that was tried"]
    return Verdict("true", "Both have the same values.", evidence=tuple(evidence), title=problem.title)


def _different(
    problem: Problem, sampler: Sampler, point: dict[str, Any], value: Array, other: Array
) -> Verdict:
    """Different functions: a constant between them, and a counterexample of small whole numbers."""
    where, reason, factor, what = point, "unrelated", None, "The two have different values."
    both = [(value, other), *_pairs(problem, sampler)]
    scales = [float(np.sum(b * a)) / float(np.sum(b * b)) for a, b in both if np.any(b)]
    apart = max(scales) - min(scales) if scales else 1.0
    if scales and apart < 1e-9 and all(gap(b * s, a) < 1e-9 for (a, b), s in zip(both, scales, strict=False)):
        factor, reason = round(scales[0], 12), "sign" if abs(scales[0] + 1) < 1e-9 else "factor"
        what = f"The first is {factor:g} times the second."
    for _ in range(4):
        try:
            whole = sampler.point("whole")
            first = value_at(problem.function, whole).astype(float)
        except JacobiansError:
            break
        second, _ = evaluated(problem, problem.claim, whole, first.shape)
        if second is not None and gap(second, first) > FAIL:
            where = whole
            break
    counterexample = _inputs(problem, where)
    return Verdict(
        "false", what, reason=reason, factor=factor, counterexample=counterexample, title=problem.title
    )


def _pairs(problem: Problem, sampler: Sampler) -> list[tuple[Array, Array]]:
    found = []
    for _ in range(2):
        point = sampler.point()
        value = value_at(problem.function, point).astype(float)
        other, _ = evaluated(problem, problem.claim, point, value.shape)
        if other is not None and other.shape == value.shape:
            found.append((value, other))
    return found


def _inputs(problem: Problem, point: dict[str, Any]) -> dict[str, Any]:
    return dict(plain({entry.name: point[entry.name] for entry in problem.inputs}))
