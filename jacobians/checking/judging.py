"""From samples to a verdict: `judge(problem, seed)`.

A claim is true where it fits at every point, the derivative being known twice; false where it clearly does
not fit at one; undecided where the two ways to the derivative disagree, or gaps stay between right and
wrong.  Exact arithmetic is tried on what looks true.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ..errors import JacobiansError
from .diagnosis import diagnosed
from .placing import layouts_of, no_place
from .problem import SYMMETRIC_WORDS, Problem
from .proof import Proof, prove
from .samples import Sample, Sampler, points_text
from .verdict import Verdict, plain

FEW, MANY, MOST = 3, 10, 24  # points: of smooth formulas, of formulas with branches, at most
_BRANCHES = re.compile(
    r"\b(abs|relu|sign|max\w*|min\w*|where|clip|heaviside|floor|ceil|round|if|sort|median|norm|hinge|leaky_relu|"
    r"elu|absolute|fabs|fmax|fmin|ptp|argmax|argmin)\b|[<>]"
)
_KINKS = "the function may have a kink there, where a derivative is a convention: choose other values"


def judge(problem: Problem, seed: int = 0, strict: bool = False) -> Verdict:
    """The verdict on a problem; raises JacobiansError where the problem itself makes no sense.

    A layout asked for that has no place for the derivative makes a claim false, or raises LayoutError where
    `strict`.
    """
    problem.check()
    sampler = Sampler(problem, seed)
    first = sampler.sample(compare=True)
    if strict and problem.layout and first.expected(problem.layout) is None:
        raise no_place(problem, first.truth.target, first.sizes)
    for _ in range(3):
        if first.truth.agreed is not False:
            break
        first = sampler.sample(compare=True)
    if first.truth.agreed is False:
        return _disagreement(problem, first)
    samples = [first, *_more(problem, sampler, first)]
    doubtful = next((s for s in samples if s.truth.agreed is False), None)
    if doubtful is not None:
        return _disagreement(problem, doubtful)
    return decide(problem, sampler, samples, seed)


def decide(problem: Problem, sampler: Sampler, samples: list[Sample], seed: int) -> Verdict:
    """The verdict that samples allow."""
    usable = [s for s in samples if s.claim is None or s.finite]
    if not usable:
        samples = [*samples, *_where_finite(problem, seed)]
        usable = [s for s in samples if s.finite]
    if not usable:
        return diagnosed(problem, samples, seed)
    if len(usable) < len(samples):
        partial = _partly_defined(problem, samples, usable)
        if partial is not None:
            return partial
    layouts = asked_layouts(problem, usable[0])
    grades = {layout: _grade(usable, layout) for layout in layouts}
    for layout in layouts:
        if grades[layout] == "right":
            return _right(problem, sampler, usable, layout, seed, layouts)
    if all(grade == "wrong" for grade in grades.values()):
        if direction_doubt(problem) and _right_for_symmetric(problem, seed):
            why = "right for symmetric directions and wrong for others; what is meant is not said"
            return _undecided(problem, why)
        return diagnosed(problem, usable, seed)
    return _unclear(problem, sampler, usable, [name for name in layouts if grades[name] == "unclear"], seed)


def _where_finite(problem: Problem, seed: int) -> list[Sample]:
    """Samples of positive entries, small and large: a claim may have numbers there only."""
    found: list[Sample] = []
    for mood in ("positive", "unit", "above"):
        sampler = Sampler(problem, seed + 11)
        try:
            found += [sample for sample in (sampler.sample(mood=mood) for _ in range(3)) if sample.finite]
        except JacobiansError:
            continue
    return found


def _partly_defined(problem: Problem, samples: Sequence[Sample], usable: Sequence[Sample]) -> Verdict | None:
    """A claim that has no finite value at points where the derivative has one, and is right elsewhere."""
    layout = next(
        (name for name in asked_layouts(problem, usable[0]) if _grade(usable, name) == "right"), None
    )
    if layout is None:
        return None
    lost = len(samples) - len(usable)
    point = next(s.point for s in samples if not s.finite)
    return Verdict(
        "false",
        f"The claim has no finite value at {lost} of {len(samples)} points where the derivative exists.",
        reason="assumption",
        assumption=_where_defined(usable, samples, problem),
        counterexample=plain({entry.name: point[entry.name] for entry in problem.inputs}),
        title=problem.title,
    )


def _where_defined(usable: Sequence[Sample], samples: Sequence[Sample], problem: Problem) -> str:
    """`positive x`, where the points with and without a value differ in the sign of an input."""
    lost = [s for s in samples if not s.finite]
    for entry in problem.inputs:
        above = all(np.all(np.asarray(s.point[entry.name]) > 0) for s in usable)
        if above and all(np.any(np.asarray(s.point[entry.name]) <= 0) for s in lost):
            return f"positive {entry.name}"
    return "points where it is defined"


def asked_layouts(problem: Problem, sample: Sample) -> tuple[str, ...]:
    """The layout asked for, or all that have a place."""
    if problem.layout:
        return (problem.layout,)
    return layouts_of(sample.truth.target, sample.truth.inputs, len(set(problem.slots)) > 1)


def _grade(samples: Sequence[Sample], layout: str) -> str:
    """Right at every point, wrong at one, or unclear; a derivative that vanishes at a point shows nothing."""
    found = [sample.match(layout) for sample in samples]
    if "wrong" in found:
        return "wrong"
    telling = [grade for sample, grade in zip(samples, found, strict=True) if sample.truth.scale > 0]
    telling = telling or found
    return "right" if telling.count("right") > len(telling) / 2 and "wrong" not in found else "unclear"


def branching(problem: Problem) -> bool:
    """Whether function or claim has branches, so that one point does not speak for all."""
    return bool(_BRANCHES.search(f"{problem.function.text} ; {problem.claim.text}".replace("->", "")))


def _more(problem: Problem, sampler: Sampler, first: Sample) -> list[Sample]:
    """More samples: until there are enough at which claim and derivative have numbers other than 0."""
    if all(entry.value is not None for entry in problem.inputs):
        return []
    wanted = MANY if branching(problem) or problem.function.kind == "callable" else FEW
    found: list[Sample] = []
    nonzero = int(first.truth.scale > 0 and first.finite)
    wrong = bool(problem.layout) and first.finite and first.match(problem.layout) == "wrong"
    while len(found) < MOST:
        done = len(found) + 1 >= wanted and nonzero
        if done or (wrong and len(found) >= FEW - 1) or (first.error is not None and len(found) >= FEW - 1):
            break
        if len(found) >= MANY and not nonzero and not branching(problem):
            break
        sample = sampler.sample(compare=len(found) == 0)
        nonzero += int(sample.truth.scale > 0 and sample.finite)
        found.append(sample)
    return found


def _right(
    problem: Problem,
    sampler: Sampler,
    samples: list[Sample],
    layout: str,
    seed: int,
    layouts: tuple[str, ...],
) -> Verdict:
    proof = prove(replace(problem, layout=layout), samples[0].sizes, layout, sampler.rng)
    if proof is not None and not proof.holds and max(s.gap(layout) for s in samples) > 1e-14:
        return _close_but_false(problem, samples, proof)
    caution = _of_size_one(problem, samples[0].sizes)
    evidence = [*caution, *_evidence(samples, layout)]
    if proof is not None and proof.holds:
        evidence.append(proof.sentence)
    elsewhere = _other_sizes(problem, layout, seed)
    only = bool(elsewhere) and "only" in elsewhere[0]
    evidence = [*elsewhere, *evidence] if only else [*evidence, *elsewhere]
    others = [n for n in layouts if n != layout and all(s.match(n) == "right" for s in samples)]
    if others:
        evidence.append(f"the same array in {', '.join(others)} layout")
    if all(s.truth.scale == 0 for s in samples):
        evidence.append("the derivative is zero at every point that was tried")
    return Verdict(
        "true",
        _sentence(problem, layout, samples, proof),
        layout=layout,
        evidence=tuple(evidence),
        title=problem.title,
    )


def _sentence(problem: Problem, layout: str, samples: Sequence[Sample], proof: Proof | None) -> str:
    exactly = ", exactly modulo 2^61 - 1 too" if proof is not None and proof.holds else ""
    words = sorted({w for entry in problem.inputs for w in entry.words})
    given = f" for {', '.join(words)} input" if words else ""
    where = points_text(problem, samples)
    return f"The claim equals the derivative in {layout} layout{given} at {where}{exactly}."


def _evidence(samples: Sequence[Sample], layout: str) -> list[str]:
    worst = max(sample.gap(layout) for sample in samples)
    ways = sorted(
        {sample.truth.how for sample in samples if " and " in sample.truth.how} or {samples[0].truth.how}
    )
    sizes = sorted({" ".join(f"{k}={v}" for k, v in s.sizes.items()) for s in samples} - {""})
    at = f" (sizes {'; '.join(sizes)})" if sizes else ""
    return [
        f"derivative by {' / '.join(ways)}",
        f"{points_text(samples[0].problem, samples)}{at}, largest relative difference {worst:.0e}",
    ]


def _other_sizes(problem: Problem, layout: str, seed: int) -> list[str]:
    """Whether the claim holds at other sizes too; one that cannot be evaluated there says nothing."""
    if not problem.sizes or not problem.symbols() or any(e.value is not None for e in problem.inputs):
        return []
    other = problem.other_sizes()
    try:
        sample = Sampler(problem, seed + 1, other).sample()
    except Exception:  # sizes that the texts do not allow show nothing
        return []
    shown = " ".join(f"{name}={size}" for name, size in other.items())
    match = sample.match(layout) if sample.finite else "unclear"
    if match == "right":
        return [f"right at other sizes too ({shown})"]
    given = " ".join(f"{name}={size}" for name, size in problem.sizes.items() if name in other)
    same_shape = np.isfinite(sample.gap(layout))
    if (match == "wrong" and same_shape) or 1 in problem.sizes.values():
        return [f"at {given} only: not right (or not evaluable) at other sizes, such as {shown}"]
    return []


def _of_size_one(problem: Problem, sizes: Mapping[str, int]) -> list[str]:
    """A caution where an axis has size 1: there a sum, a transpose or a broadcast changes nothing."""
    one = [name for name in problem.symbols() if problem.sizes.get(name) == 1]
    shown = [f"{name}=1" for name in one]
    shown += [f"{entry.name} has an axis of size 1" for entry in problem.inputs if 1 in entry.shape]
    if not shown:
        return []
    return [f"caution: {', '.join(shown)}; a missing sum or transpose does not show at size 1"]


def _close_but_false(problem: Problem, samples: Sequence[Sample], proof: Proof) -> Verdict:
    if max(s.gap(problem.layout or "tensor") for s in samples) < 1e-12:
        return _undecided(problem, "rounded numbers agree and exact ones do not: a constant may be rounded")
    return Verdict(
        "false",
        "The claim is close to the derivative but not equal to it.",
        reason="factor",
        evidence=(proof.sentence,),
        title=problem.title,
    )


def _unclear(
    problem: Problem, sampler: Sampler, samples: list[Sample], layouts: Sequence[str], seed: int
) -> Verdict:
    """More points, better conditioned by chance, decide; or exact arithmetic; or nobody does."""
    more = (
        [sampler.sample() for _ in range(8)] if not any(e.value is not None for e in problem.inputs) else []
    )
    for layout in layouts:
        grades = [s.match(layout) for s in [*samples, *more] if s.finite]
        if "wrong" in grades:
            continue
        clear = [s for s in [*samples, *more] if s.finite and s.match(layout) == "right"]
        if len(clear) >= FEW and len(clear) >= len(grades) / 2:
            return _right(problem, sampler, clear, layout, seed, (layout,))
        proof = prove(replace(problem, layout=layout), samples[0].sizes, layout, sampler.rng)
        if proof is not None and proof.holds:
            return Verdict(
                "true",
                "Exact arithmetic shows it.",
                layout=layout,
                evidence=(proof.sentence,),
                title=problem.title,
            )
        if proof is not None:
            return _close_but_false(problem, samples, proof)
    if all("wrong" in [s.match(name) for s in [*samples, *more] if s.finite] for name in layouts):
        return diagnosed(problem, [*samples, *more], seed)
    worst = max(min(s.gap(name) for name in layouts) for s in samples)
    return _undecided(problem, f"differences of {worst:.0e} stay between rounding and an error")


def _disagreement(problem: Problem, sample: Sample) -> Verdict:
    """The engine and the differences disagree; unless the claim is wrong by both, nothing is said."""
    how = f"the engine and differences of the function disagree by {sample.truth.gap:.0e}"
    return replace(_undecided(problem, f"{how}; {_KINKS}"), evidence=(how,))


def _undecided(problem: Problem, why: str) -> Verdict:
    return Verdict("undecided", why[:1].upper() + why[1:] + ".", title=problem.title)


def _right_for_symmetric(problem: Problem, seed: int) -> bool:
    """Whether a differential claim is right where the directions of symmetric inputs are symmetric too."""
    tied = [
        replace(entry, structure="symmetric")
        for entry in problem.inputs
        if entry.name in problem.wrt and len(entry.shape) == 2 and SYMMETRIC_WORDS & set(entry.words)
    ]
    sampler = Sampler(problem.replacing(*tied), seed + 7)
    return all(sampler.sample().match("differential") == "right" for _ in range(2))


def direction_doubt(problem: Problem) -> bool:
    """Whether a differential claim about a symmetric input could mean symmetric directions alone."""
    return problem.layout == "differential" and any(
        SYMMETRIC_WORDS & set(problem.input(name).words) and not problem.symmetric_direction(name)
        for name in problem.wrt
    )
