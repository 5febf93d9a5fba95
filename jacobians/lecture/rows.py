"""Claims as data and rows as results: `load(file)`, `select(claims, "50-58,E1")`, `Claim`, `Finding`, `Row`.

A claims file is a JSON list of objects.  Needed are `id`, `slide`, `claim` and `checks`, a list of objects
with a `kind` each (see `judging.JUDGES`); `formula`, `shape_stated`, `note`, `given` (`sizes`, `values`,
`shapes`, `steps`), `expected` ("holds", or "fails" for a known erratum) and `right` (`claim`, `checks`: what
should be there instead) may be left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from ..errors import ReadingError, UnknownNameError, did_you_mean
from .errors import ClaimError
from .shapes import Found

HOLDS, FAILS, UNEXPECTED = "holds", "fails (known erratum)", "unexpected"

Check = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: whether the claim holds, the numbers that show it, the shape, if it has one."""

    holds: bool
    evidence: str
    shape: Found | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim of the lecture, as data."""

    id: str
    slide: str
    claim: str
    checks: tuple[Check, ...]
    formula: str = "-"
    shape_stated: str = "-"
    note: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)
    expected: str = "holds"
    right: str = ""
    right_checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One judged claim; `verdict` is "holds", "fails (known erratum)" or "unexpected"."""

    id: str
    slide: str
    claim: str
    formula: str
    shape_stated: str
    shape_found: str
    verdict: str
    evidence: str
    right: str = ""

    @property
    def as_expected(self) -> bool:
        """Whether the verdict is the expected one."""
        return self.verdict != UNEXPECTED

    @property
    def is_erratum(self) -> bool:
        """Whether it stands in the list of errata (E: slides, N: companion notebook)."""
        return self.id[:1] in ("E", "N")


@cache
def packaged() -> tuple[Claim, ...]:
    """The claims of the lecture that come with the package."""
    return parsed((files(__package__) / "claims.json").read_text(encoding="utf-8"), "claims.json")


def load(file: str | Path) -> tuple[Claim, ...]:
    """The claims of a file; raises ReadingError where it is missing, no JSON, or no list of claims."""
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ReadingError(
            f"cannot read the claims file {file}", reason, "the path of a JSON file"
        ) from error
    return parsed(text, str(file))


def parsed(text: str, source: str) -> tuple[Claim, ...]:
    """The claims that a JSON text lists."""
    try:
        rows = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise ReadingError(f"{source} is no JSON", where, "jacobians lecture --json shows rows") from None
    except RecursionError:
        raise ReadingError(f"{source} nests too deep", "", "a list of claims") from None
    if not isinstance(rows, list) or not rows:
        raise ReadingError(
            f"{source} lists no claims", f"it holds a {type(rows).__name__}", "a list of claims"
        )
    claims = tuple(claim_of(row, k) for k, row in enumerate(rows, start=1))
    ids = [claim.id for claim in claims]
    for name in ids:
        if ids.count(name) > 1:
            raise ClaimError("two claims have the same id", source, "an id of its own for each").of(name)
    return claims


def claim_of(row: Any, number: int) -> Claim:
    """One claim of a parsed file, its parts checked."""
    label = str(row.get("id", f"number {number}")) if isinstance(row, dict) else f"number {number}"
    if not isinstance(row, dict):
        raise ClaimError("a claim is an object", f"found {type(row).__name__}", '{"id": ...}').of(label)
    for key in ("id", "slide", "claim", "checks"):
        if key not in row:
            raise ClaimError(f"the key {key!r} is missing", f"keys: {', '.join(row)}", f"add {key!r}").of(
                label
            )
    known = {*Claim.__dataclass_fields__} - {"right_checks"}
    for key in row:
        if key not in known:
            raise ClaimError(f"the key {key!r} is not known", "", did_you_mean(key, known)).of(label)
    parts = {**row, "id": label, **_right(row.get("right"), label)}
    if parts.get("expected", "holds") not in ("holds", "fails"):
        raise ClaimError(f"expected is {parts['expected']!r}", "", '"holds" or "fails"').of(label)
    for key in ("slide", "claim", "formula", "shape_stated", "note"):
        if not isinstance(parts.get(key, ""), str):
            raise ClaimError(f"{key} is no text", "", f'"{key}": "..."').of(label)
    return Claim(**{**parts, "checks": checks_of(row["checks"], label)})


def _right(right: Any, label: str) -> dict[str, Any]:
    if right is None:
        return {}
    if not isinstance(right, dict) or not isinstance(right.get("claim"), str):
        raise ClaimError("right is no object with a claim", "", '{"claim": "...", "checks": [...]}').of(label)
    return {"right": right["claim"], "right_checks": checks_of(right.get("checks", []), label)}


def checks_of(checks: Any, label: str) -> tuple[Check, ...]:
    """The checks of a claim, each an object with a kind."""
    if not isinstance(checks, list) or not all(
        isinstance(c, dict) and isinstance(c.get("kind"), str) for c in checks
    ):
        raise ClaimError("checks is no list of objects with a kind", "", '[{"kind": "equal", ...}]').of(label)
    if not checks:
        raise ClaimError("there is nothing to check", "checks is empty", '[{"kind": "equal", ...}]').of(label)
    return tuple(checks)


def select(claims: Sequence[Claim], only: str | None) -> tuple[Claim, ...]:
    """The claims that a choice such as `50-58,E1` names, in their own order.

    Raises UnknownNameError for an id that is not there, ReadingError for a choice that cannot be read.

    >>> [claim.id for claim in select(packaged(), "7-8, E1")]
    ['7', '8', 'E1']
    """
    if only is None:
        return tuple(claims)
    ids = [claim.id for claim in claims]
    chosen = {name for part in only.split(",") for name in _span(part.strip(), ids)}
    return tuple(claim for claim in claims if claim.id in chosen)


def _nearest(name: str, ids: Sequence[str]) -> str:
    """The closest id, or where its kind of ids ends: numbers are sorted as numbers."""
    kind = name[:1] if name[:1] in "EN" else ""
    tails = [one[len(kind) :] for one in ids if one.startswith(kind)]
    numbers = sorted(int(tail) for tail in tails if tail.isdigit())
    return f"{kind}{numbers[0]} to {kind}{numbers[-1]}" if numbers else did_you_mean(name, ids)


def _span(part: str, ids: Sequence[str]) -> Sequence[str]:
    ends = re.fullmatch(r"([EN]?)(\d+)(?:\s*-\s*([EN]?)(\d+))?", part.upper())
    if not ends:
        raise ReadingError(f"cannot read the choice {part!r}", "", "50-58,E1")
    first = ends[1] + str(int(ends[2]))
    last = first if ends[4] is None else (ends[3] or ends[1]) + str(int(ends[4]))
    for name in (first, last):
        if name not in ids:
            raise UnknownNameError(f"there is no claim {name}", f"{ids[0]} to {ids[-1]}", _nearest(name, ids))
    low, high = ids.index(first), ids.index(last)
    if low > high:
        raise ReadingError(f"the choice {part!r} runs backwards", "", f"{last}-{first}")
    return ids[low : high + 1]
