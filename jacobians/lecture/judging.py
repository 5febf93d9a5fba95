"""`judge(claim)`: a claim's verdict, computed; `run()`: all of them.

A claim holds where all its checks hold and its shape is the one found.  A known erratum is confirmed where
the slide's statement fails and what should be there holds.  Anything else is unexpected.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import BudgetError, JacobiansError, ReadingError, ShapeError, did_you_mean
from .calculus import derivative, limit
from .equalities import curly, equal, refusal, refused, true, value
from .errors import ClaimError
from .networks import code, stored
from .optimisation import descent, minimum
from .polynomial import fit
from .probability import integral
from .rows import FAILS, HOLDS, UNEXPECTED, Check, Claim, Finding, Row, load, packaged, select
from .setting import TOLERANCE, setting
from .shapes import Found, agrees, shown, split
from .wording import agreement, small

Judge = Callable[[Any, Check], Finding]

JUDGES: Mapping[str, Judge] = {
    judge.__name__: judge
    for judge in (
        derivative,
        limit,
        equal,
        true,
        value,
        refused,
        curly,
        integral,
        code,
        stored,
        descent,
        minimum,
        fit,
    )
}


def run(only: str | None = None, claims: str | Path | Sequence[Claim] | None = None) -> list[Row]:
    """Every claim of the lecture (or of a file) judged; `only` chooses rows, such as `50-58,E1`.

    Raises ReadingError and UnknownNameError for a choice or a file that cannot be read.

    >>> [row.verdict for row in run("61, 67")]
    ['holds', 'fails (known erratum)']
    """
    listed = packaged() if claims is None else load(claims) if isinstance(claims, str | Path) else claims
    return [judge(claim) for claim in select(listed, only)]


def judge(claim: Claim) -> Row:
    """The verdict on one claim, with the shape found and the numbers that prove it."""
    try:
        return _judged(claim)
    except ClaimError as error:
        raise error.of(claim.id) from error
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, JacobiansError):
            raise
        reason = f"key {error} is missing" if isinstance(error, KeyError) else str(error)
        raise ClaimError("its checks cannot be judged", reason, "see the packaged claims.json").of(
            claim.id
        ) from error


def _judged(claim: Claim) -> Row:
    literal, worst = findings(claim, claim.checks)
    shapes = [finding.shape for finding in literal if finding.shape is not None]
    stated, sizes = split(claim.shape_stated), claim.given.get("sizes", {})
    stated = stated * len(shapes) if "#" in claim.shape_stated else stated
    fits = len(shapes) >= len(stated) and all(
        agrees(s, f, sizes) for s, f in zip(stated, shapes, strict=False)
    )
    holds = fits and all(finding.holds for finding in literal)
    correct, other = findings(claim, claim.right_checks)
    shapes = shapes or [finding.shape for finding in correct if finding.shape is not None]
    worst = max((w for w in (worst, other) if w is not None), default=None)
    verdict, reason = _verdict(claim, holds, all(f.holds for f in correct), worst)
    evidence = _evidence(
        claim.note, reason, literal, _shape_note(literal, shapes, stated, fits), correct, worst
    )
    found = ", ".join(_shown(shapes[: len(stated)], stated, sizes)) or "-"
    return Row(
        claim.id,
        claim.slide,
        claim.claim,
        claim.formula,
        claim.shape_stated,
        found,
        verdict,
        evidence,
        claim.right,
    )


def _evidence(
    note: str,
    reason: str,
    literal: Sequence[Finding],
    shape: str,
    correct: Sequence[Finding],
    worst: float | None,
) -> str:
    """The note, what was found, what is right instead, and the independent check, as one text."""
    known = [*_unique(literal), shape]
    right = [finding for finding in _unique(correct) if finding not in known]
    same = "the same numbers" if _unique(correct) else "computed as written"
    sentences = [note, reason, "; ".join(part for part in known if part)]
    sentences += ["right: " + ("; ".join(right) or same)] if correct else []
    text = ". ".join(sentence for sentence in sentences if sentence) or "computed as written"
    return text + (f"; engine = complex step {agreement(worst)}" if worst is not None else "")


def _verdict(claim: Claim, holds: bool, correct: bool, worst: float | None) -> tuple[str, str]:
    if worst is not None and not worst <= TOLERANCE:
        return UNEXPECTED, f"the engine and the complex step differ by {small(worst)}"
    if claim.expected == "holds":
        return (HOLDS, "") if holds else (UNEXPECTED, "found to fail")
    if holds:
        return UNEXPECTED, "found to hold, a known erratum was expected"
    return (FAILS, "") if correct else (UNEXPECTED, "it fails, and so does what should be right")


def _shape_note(
    findings: Sequence[Finding], shapes: Sequence[Found], stated: Sequence[str], fits: bool
) -> str:
    if fits or not findings or not all(f.holds for f in findings) or not shapes:
        return ""
    return f"the shape is {', '.join(_shown(shapes[: len(stated)], (), {}))}"


def _shown(shapes: Sequence[Found], stated: Sequence[str], sizes: Mapping[str, int]) -> list[str]:
    return [shown(f, stated[k] if k < len(stated) else "", sizes) for k, f in enumerate(shapes)]


def _unique(found: Sequence[Finding]) -> list[str]:
    return list(dict.fromkeys(finding.evidence for finding in found if finding.evidence))


def findings(claim: Claim, checks: Sequence[Check]) -> tuple[list[Finding], float | None]:
    """What each check found, and the largest difference between engine and complex step on the way."""
    made, worst = [], None
    for check in checks:
        if check["kind"] not in JUDGES:
            raise ClaimError(
                f"the kind {check['kind']!r} is not known", "", did_you_mean(check["kind"], JUDGES)
            )
        room = setting(merged(claim.given, check), check.get("exact", False))
        made.append(_found(JUDGES[check["kind"]], room, check))
        worst = max((w for w in (worst, room.worst) if w is not None), default=None)
    return made, worst


def _found(judge_of: Judge, room: Any, check: Check) -> Finding:
    try:
        return judge_of(room, check)
    except ClaimError:
        raise
    except (ShapeError, ReadingError, BudgetError) as error:
        return Finding(False, refusal(error))
    except np.linalg.LinAlgError as error:
        return Finding(False, str(error))


def merged(given: Mapping[str, Any], check: Check) -> dict[str, Any]:
    """A claim's sizes, values, shapes and steps with a check's own on top."""
    keys = ("sizes", "values", "shapes", "steps")
    whole = {key: {**given.get(key, {}), **check.get(key, {})} for key in keys}
    for name in check.get("shapes", {}):
        if name in given.get("values", {}) and name not in check.get("values", {}):
            del whole["values"][name]
    return whole
