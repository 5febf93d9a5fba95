"""What is wrong with a claim: rules tried in a fixed order, the first that explains it speaks.

`diagnosed(problem, samples, seed)` gives the verdict on a claim that is known to be wrong.  Every rule is
held against all samples, so that nothing is explained by luck; the right formula is a repaired text where
one is found, else the engine's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np

from ..errors import JacobiansError
from ..layouts import plain_shape, shape_text
from .case import Case, Finding, held_against, statement_texts, wrapped
from .chains import chain_rule
from .constants import constant_factor, inverse_text, number_text, scalar_factor, simple
from .edits import repaired_text
from .formulas import formula
from .placing import gap, no_place
from .problem import Problem
from .proof import prove
from .retries import assumptions, commuting, last_assumptions, left_out, square_only
from .samples import Sample, points_text
from .sums import natural_terms, product_rule, summands, term_factor
from .tidy import scaled, tidied
from .tied import tied_entries
from .verdict import UNEXPLAINED, Verdict, plain
from .witness import inputs_at, worst, wrong_at
from .written import engine_formula

Array = np.ndarray[Any, Any]
Rule = Callable[[Case], Finding | None]
_OF_ORDER = (
    "commutation",
    "axis-order",
    "transpose",
    "unrelated",
)  # what a wrong guess of a layout looks like
USED = 3  # samples that a diagnosis looks at


def diagnosed(problem: Problem, samples: Sequence[Sample], seed: int) -> Verdict:
    """The verdict on a wrong claim: reason, correct formula, worst entry, counterexample."""
    layout = held_against(problem, next((s for s in samples if s.truth.scale > 0), samples[0]))
    case = Case(problem, _telling(samples, layout), layout, seed)
    finding = _explained(case)
    if not problem.layout and layout == "vec" and _of_order(finding):
        other = Case(problem, _telling(samples, "vec-row"), "vec-row", seed)
        second = _explained(other)
        if not _of_order(second) and other.same_shape:
            case, finding = other, second
    correct = _tidy(case, finding.correct or _correct(case))
    wrong = wrong_at(case)
    evidence = [*_evidence(case), *_proof_of(case, correct)]
    return Verdict(
        "false",
        finding.sentence,
        reason=finding.reason,
        layout=finding.layout,
        factor=finding.factor,
        assumption=finding.assumption,
        counterexample=plain(inputs_at(case, wrong)),
        correct=correct,
        evidence=tuple(evidence),
        title=problem.title,
        details=finding.details or worst(case, wrong or case.samples[0]),
    )


def _of_order(finding: Finding) -> bool:
    """Whether a finding may come from a wrong guess of the layout alone."""
    return finding.reason in _OF_ORDER or "wrong order" in finding.sentence


def _explained(case: Case) -> Finding:
    """What the first rule that explains the error finds."""
    findings = (_tried(rule, case) for rule in RULES)
    return next((found for found in findings if found is not None), _unrelated(case))


def _tried(rule: Rule, case: Case) -> Finding | None:
    """What a rule finds; one that breaks on values it cannot handle explains nothing, the verdict stands."""
    try:
        with np.errstate(all="ignore"):
            return rule(case)
    except Exception:
        return None


def _telling(samples: Sequence[Sample], layout: str) -> tuple[Sample, ...]:
    """A few samples: where the claim is wrong first, and one at least where the derivative is not zero."""
    ordered = sorted(samples, key=lambda s: (s.match(layout) != "wrong", s.truth.scale == 0))
    wrong, right = ([s for s in ordered if (s.match(layout) == "wrong") is kind] for kind in (True, False))
    chosen = [*wrong[: USED - bool(right)], *right[:1]]
    if all(s.truth.scale == 0 for s in chosen):
        chosen += [s for s in ordered if s.truth.scale > 0][:1]
    return tuple(chosen)


def _no_place(case: Case) -> Finding | None:
    """A layout that was asked for and has no place for the derivative."""
    sample = case.samples[0]
    if not case.problem.layout or sample.expected(case.layout) is not None:
        return None
    found = _right_elsewhere(case)
    what = no_place(case.problem, sample.truth.target, sample.sizes).what
    what = f"{what[:1].upper()}{what[1:]}."
    return Finding("layout", what, layout=found.layout if found is not None else "")


def _right_elsewhere(case: Case) -> Finding | None:
    for layout in case.layouts():
        if layout != case.layout and all(s.match(layout) == "right" for s in case.samples):
            what = f"The claim is the derivative in {layout} layout, not in {case.layout} layout."
            return Finding("layout", what, layout=layout)
    return None


def _axis_order(case: Case) -> Finding | None:
    if case.claimed is None:
        return None
    rank = case.claimed[0].ndim
    if not 2 <= rank <= 5:
        return None
    for order in permutations(range(rank)):
        if order != tuple(range(rank)) and case.fits(np.transpose(c, order) for c in case.claimed):
            return _reordered(case, order)
    return None


def _reordered(case: Case, order: tuple[int, ...]) -> Finding:
    if len(order) == 2:
        return Finding(
            "transpose",
            "The claim is the transpose of the derivative.",
            correct=wrapped(case, "({}).T"),
        )
    sample = case.samples[0]
    index = case.problem.claim.index
    letters = " ".join(index.axes) if index is not None else ""
    moved = f"({', '.join(index.axes[k] for k in order)})" if index is not None else str(order)
    assert sample.claim is not None
    target, inputs = sample.truth.target, sample.truth.inputs
    result = shape_text(target, inputs[0]) if len(inputs) == 1 else plain_shape(sample.truth.tensor.shape)
    bar = ""
    if index is not None and inputs:
        names = [index.axes[k] for k in order]
        bar = f"{' '.join(names[: len(target)])} | {' '.join(names[len(target) :])}"
    width = max(len(result), len(plain_shape(sample.claim.shape))) + 4
    details = (
        f"claim    {plain_shape(sample.claim.shape):<{width}}{letters}".rstrip(),
        f"result   {result:<{width}}{bar}".rstrip(),
    )
    sentence = f"Moving the claim's axes to {moved} makes it equal at {len(case.samples)} random points."
    correct = f"{bar}: {index.text.partition(':')[2].strip()}" if index is not None else ""
    correct = correct or wrapped(case, "np.transpose({}, " + str(order) + ")")
    return Finding("axis-order", sentence, details=details, correct=correct)


def _sign(case: Case) -> Finding | None:
    if case.same_shape and case.claimed is not None and case.fits(-c for c in case.claimed):
        return Finding(
            "sign",
            "The claim has the opposite sign.",
            factor=-1,
            correct=_scaled(case, -1) or wrapped(case, "-({})"),
        )
    return None


def _factor(case: Case) -> Finding | None:
    found = constant_factor(case)
    if found is None:
        return None
    number, text = found
    plain_number = number_text(number) == text
    inverse = number_text(1 / number) if plain_number else inverse_text(text)
    correct = _scaled(case, number) if plain_number else ""
    correct = correct or wrapped(case, text + "*({})")
    what = f"The claim is {inverse} times the derivative."
    return Finding("factor", what, factor=simple(number), correct=correct)


def _scaled(case: Case, number: float) -> str:
    """The claim times a number as one would write it, "" where that is not right."""
    claim = case.problem.claim
    text = scaled("; ".join(statement_texts(claim)), number) if claim.kind == "numpy" else ""
    return text if text and case.repaired(text) else ""


def _scalar_factor(case: Case) -> Finding | None:
    found = scalar_factor(case)
    if found is None:
        return None
    text, chained = found
    what = f"The derivative is the claim times {text}."
    reason = "chain" if chained else "factor"
    return Finding(reason, what, factor=text, correct=wrapped(case, f"({text})*" + "({})"))


def _shape(case: Case) -> Finding | None:
    """Shapes that do not fit: a diag, a sum, a broadcast, or the text's own."""
    if case.claimed is None:
        return None
    if case.same_shape:
        return None
    for rule in (_diagonal_shape, _sum_shape, _broadcast_shape):
        found = rule(case)
        if found is not None:
            return found
    return None


def _diagonal_shape(case: Case) -> Finding | None:
    assert case.claimed is not None
    ranks = case.claimed[0].ndim, case.expected[0].ndim
    if ranks[1] == 2 * ranks[0] and case.fits(_spread(c) for c in case.claimed):
        return Finding(
            "diagonal", "The derivative is diag of the claim.", correct=wrapped(case, "np.diag({})")
        )
    if ranks == (2, 1) and case.fits(np.diagonal(c) for c in case.claimed):
        return Finding(
            "diagonal", "The derivative is the diagonal of the claim.", correct=wrapped(case, "np.diag({})")
        )
    return None


def _spread(values: Array) -> Array:
    """`claim[a, b]` at the places `[a, b, a, b]`."""
    count = values.size
    return np.asarray((np.eye(count) * values.reshape(-1)).reshape(values.shape * 2))


def _sum_shape(case: Case) -> Finding | None:
    assert case.claimed is not None
    rank = case.claimed[0].ndim
    for axis in range(rank):
        summed = [c.sum(axis=axis) for c in case.claimed]
        for scale, name in ((summed, "sum"), ([c.mean(axis=axis) for c in case.claimed], "mean")):
            if case.fits(scale):
                what = f"The claim must be summed over its axis {axis}."
                return Finding("sum-forgotten", what, correct=wrapped(case, f"np.{name}({{}}, axis={axis})"))
            turned = [np.transpose(a) for a in scale]
            if case.fits(turned):
                return Finding("sum-forgotten", f"The claim must be summed over its axis {axis}.")
    if case.fits(
        np.asarray(c.sum()).reshape(e.shape)
        for c, e in zip(case.claimed, case.expected, strict=True)
        if e.size == 1
    ):
        return Finding(
            "sum-forgotten",
            "The claim must be summed over all of its axes.",
            correct=wrapped(case, "np.sum({})"),
        )
    for axis in range(case.expected[0].ndim):
        if all(
            e.ndim > axis and c.shape == e.sum(axis=axis).shape and gap(c, e.sum(axis=axis)) < 1e-8
            for c, e in zip(case.claimed, case.expected, strict=True)
        ):
            return Finding("shape", f"The claim is the sum of the derivative over its axis {axis}.")
    return None


def _broadcast_shape(case: Case) -> Finding | None:
    """The numbers are there, with another shape: flattened, or spread by broadcasting."""
    assert case.claimed is not None
    pairs = list(zip(case.claimed, case.expected, strict=True))
    for change in (np.asarray, np.transpose):
        if all(c.size == e.size for c, e in pairs) and case.fits(
            change(c).reshape(e.shape) for c, e in pairs
        ):
            shapes = f"{plain_shape(pairs[0][0].shape)}, not {plain_shape(pairs[0][1].shape)}"
            what = f"The numbers are right, but the claim's shape is {shapes}."
            return Finding(
                "shape", what, correct=wrapped(case, "np.reshape({}, " + str(pairs[0][1].shape) + ")")
            )
    spread = [_broadcast(c, e) for c, e in pairs]
    if all(a is not None for a in spread) and case.fits([a for a in spread if a is not None]):
        return Finding("shape", "Only broadcasting makes the claim equal: its own shape is another one.")
    return None


def _broadcast(claim: Array, expected: Array) -> Array | None:
    try:
        return np.broadcast_to(claim, expected.shape)
    except ValueError:
        return None


def _diagonal_part(case: Case) -> Finding | None:
    """Right on the diagonal only, or diagonal where it should be full."""
    if case.claimed is None or not case.same_shape or case.expected[0].ndim % 2 or not case.expected[0].ndim:
        return None
    shapes = [e.shape for e in case.expected]
    if any(s[: len(s) // 2] != s[len(s) // 2 :] for s in shapes):
        return None
    masks = [_spread(np.ones(s[: len(s) // 2])) for s in shapes]
    pairs = list(zip(case.claimed, case.expected, masks, strict=True))
    if case.fits(c * m for c, _, m in pairs):
        return Finding(
            "diagonal",
            "Only the diagonal of the claim is right: entries off it are 0.",
            correct=wrapped(case, "np.diag(np.diag({}))"),
        )
    if all(np.any(e * m) and gap(c * m, e * m) < 1e-8 and not np.any(c * (1 - m)) for c, e, m in pairs):
        return Finding(
            "diagonal",
            "The claim is the diagonal part of the derivative; entries off the diagonal are missing.",
        )
    if all(np.any(c * (1 - m)) and gap(c, e * (1 - m)) < 1e-8 for c, e, m in pairs):
        return Finding("diagonal", "The claim lacks the diagonal of the derivative.")
    return None


def _cannot(case: Case) -> Finding | None:
    """A claim that cannot be evaluated, or has a shape that nothing explains."""
    error = next((s.error for s in case.samples if s.error is not None), None)
    if error is not None:
        return Finding(
            "shape", f"The claim cannot be evaluated: {error.what}.", details=tuple(error.where.splitlines())
        )
    if case.claimed is not None and not case.same_shape:
        shapes = plain_shape(case.claimed[0].shape), plain_shape(case.expected[0].shape)
        what = f"The claim is {shapes[0]}, the derivative in {case.layout} layout is {shapes[1]}."
        return Finding("shape", what)
    return None


def _unrelated(case: Case) -> Finding:
    return Finding("unrelated", UNEXPLAINED)


RULES: tuple[Rule, ...] = (
    _no_place,
    _right_elsewhere,
    tied_entries,
    _axis_order,
    _sign,
    _factor,
    _shape,
    assumptions,
    product_rule,
    summands,
    term_factor,
    _scalar_factor,
    chain_rule,
    natural_terms,
    _diagonal_part,
    repaired_text,
    square_only,
    commuting,
    left_out,
    last_assumptions,
    _cannot,
)


def _correct(case: Case) -> str:
    """The right formula: a repaired text, the engine's matrix or index form, or nothing."""
    found = _tried(repaired_text, case)
    if found is not None and found.correct:
        return found.correct
    return engine_formula(case)


def _proof_of(case: Case, correct: str) -> list[str]:
    """What exact arithmetic says about the right formula, where it can be read and is rational."""
    try:
        problem = replace(case.problem, claim=formula(correct), layout=case.layout)
    except JacobiansError:
        return []
    proof = prove(problem, case.samples[0].sizes, case.layout, np.random.default_rng(case.seed))
    return [f"the right formula is {proof.sentence}"] if proof is not None and proof.holds else []


def _tidy(case: Case, text: str) -> str:
    """A correction without double transposes and signs, where it stays right."""
    short = tidied(text)
    return short if short != text and case.repaired(short) else text


def _evidence(case: Case) -> list[str]:
    sample = case.samples[0]
    how = next((s.truth.how for s in case.samples if " and " in s.truth.how), sample.truth.how)
    sizes = " ".join(f"{name}={size}" for name, size in sample.sizes.items())
    where = points_text(case.problem, case.samples)
    return [f"derivative by {how}, {where}{f' (sizes {sizes})' if sizes else ''}"]
