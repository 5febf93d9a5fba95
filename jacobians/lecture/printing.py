"""Rows for people and programs: `text(rows)` for a terminal, `as_json(rows)` for the rest."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from itertools import groupby

from .rows import FAILS, HOLDS, UNEXPECTED, Row

MARKS = {HOLDS: "✓", FAILS: "✗", UNEXPECTED: "!"}
COLORS = {HOLDS: "32", FAILS: "33", UNEXPECTED: "1;31"}
INDENT = 7  # columns before a row's text
LABELS = 7  # columns of "right", "shape", "proof"
KEYS = ("id", "slide", "claim", "formula", "shape_stated", "shape_found", "verdict", "evidence")

_SYMBOLS = (
    (r"(?<=[A-Z0-9])x(?=[A-Z0-9])", "×"),
    (r"((?:\b[A-Za-z]|\d|\))) x (?=(?:[A-Za-z]\b|\d|\(|#))", r"\1 × "),
    (r"(?<=likelihood) x(?= prior)", " ×"),
    (r"\bR(?=\^| ->)|(?<=-> )R\b", "ℝ"),
    (r"\^T\b", "ᵀ"),
    (r"\^-1", "⁻¹"),
    (r"\^2(?![\d.])", "²"),
    (r"\^3(?![\d.])", "³"),
    (r"\bint (?=[pe(])", "∫ "),
    (r"\bsum_(?=[a-z(])", "Σ_"),
    (r"\|\|", "‖"),
    (r"(?<= )->(?= )", "→"),
    (r">=", "≥"),
    (r"<=", "≤"),
    (r"!=", "≠"),
    (r"\.\.\.", "…"),
    (r"(?<![A-Za-z])(d?)theta(?![A-Za-z])", r"\1θ"),
    (r"\bgamma\b", "γ"),
    (r"\bsigma(?=[_(\b])", "σ"),
    (r"\bSigma\b", "Σ"),
    (r"\beps\b", "ε"),
    (r"\bphi\b", "φ"),
    (r"\bpi\b", "π"),
)


def symbols(line: str) -> str:
    """The lecture's own symbols in place of their ASCII spelling.

    >>> symbols("dL/dtheta: 1 x (M x N), A in R^(2x3), -2 (y - V theta)^T V, ||e||^2")
    'dL/dθ: 1 × (M × N), A in ℝ^(2×3), -2 (y - V θ)ᵀ V, ‖e‖²'
    """
    for pattern, symbol in _SYMBOLS:
        line = re.sub(pattern, symbol, line)
    return line


def as_json(rows: Sequence[Row]) -> list[dict[str, str]]:
    """The rows as dicts with the keys of `KEYS`: id, slide, claim, formula, shapes, verdict, evidence."""
    return [{key: getattr(row, key) for key in KEYS} for row in rows]


def text(rows: Sequence[Row], width: int = 80, ascii: bool = False, color: bool = False) -> str:
    """The rows grouped by slide, the errata after the claims, and a summary.

    No line is longer than `width`; `ascii` avoids every symbol outside ASCII.

    >>> from .judging import run
    >>> print(text(run("30"), ascii=True).splitlines()[5])
     + 30  derivative of sin x: cos x                                         holds
    """
    page = _Page(max(width, 40), ascii, color)
    lines = page.heading(len(rows))
    for title, group in groupby(rows, key=_section):
        lines += ["", page.rule(title)]
        for row in group:
            lines += page.row(row)
    return "\n".join([*lines, "", *page.summary(rows)])


def _section(row: Row) -> str:
    if row.is_erratum:
        return "Errata of the companion notebook" if row.id[0] == "N" else "Errata of the slides"
    return row.slide


class _Page:
    """A width, a set of symbols, and whether to colour."""

    def __init__(self, width: int, ascii: bool, color: bool) -> None:
        self.width, self.ascii, self.color = width, ascii, color

    def heading(self, count: int) -> list[str]:
        lines = [
            "The lecture, claim by claim: Mathematics for Machine Learning",
            "Deep Learning Indaba 2018, after M. Deisenroth 2017. Every verdict is computed now; "
            "shapes are target axes, then (input axes).",
        ]
        return [part for line in lines for part in textwrap.wrap(line, self.width)]

    def rule(self, title: str) -> str:
        line = "-" if self.ascii else "─"
        title = self.shown(title)
        if len(title) > self.width - 4:
            return "\n".join(textwrap.wrap(title, self.width))
        return f"{self.painted(title, '1')} {line * (self.width - len(title) - 1)}"

    def row(self, row: Row) -> list[str]:
        lines = self.first(row)
        if row.is_erratum:
            lines += self.labelled("slide" if row.id[0] == "E" else "where", row.slide)
        if self.head(row) == self.shown(row.claim) and row.formula != "-":
            lines += self.labelled("", row.formula)
        if row.right:
            lines += self.labelled("right", row.right)
        if row.shape_stated != "-":
            lines += self.labelled("shape", f"stated {row.shape_stated}; found {row.shape_found}")
        return lines + self.labelled("proof", row.evidence)

    def head(self, row: Row) -> str:
        """Claim and formula on one line where they fit beside the verdict, else the claim."""
        whole = self.shown(f"{row.claim}: {row.formula}")
        return whole if row.formula != "-" and len(whole) <= self.room(row) else self.shown(row.claim)

    def room(self, row: Row) -> int:
        return self.width - INDENT - len(row.verdict) - 2

    def first(self, row: Row) -> list[str]:
        mark = {"✓": "+", "✗": "x"}.get(MARKS[row.verdict], "!") if self.ascii else MARKS[row.verdict]
        first, *more = textwrap.wrap(self.head(row), self.room(row)) or [""]
        gap = " " * (self.room(row) + 2 - len(first))
        paint = COLORS[row.verdict]
        start = f" {self.painted(mark, paint)} {row.id:<{INDENT - 3}}"
        return [
            start + first + gap + self.painted(row.verdict, paint),
            *(" " * INDENT + line for line in more),
        ]

    def labelled(self, label: str, content: str) -> list[str]:
        inner = self.width - INDENT - LABELS
        wrapped = textwrap.wrap(self.shown(content), inner, break_on_hyphens=False)
        return [" " * INDENT + f"{label if k == 0 else '':<{LABELS}}{line}" for k, line in enumerate(wrapped)]

    def summary(self, rows: Sequence[Row]) -> list[str]:
        claims = [row for row in rows if not row.is_erratum]
        errata = [row for row in rows if row.is_erratum]
        known = [row.id for row in claims if row.verdict == FAILS]
        confirmed = [row.id for row in errata if row.verdict == FAILS]
        other = [row.id for row in rows if not row.as_expected]
        lines = [self.rule("Summary")]
        if claims:
            holding = sum(row.verdict == HOLDS for row in claims)
            failing = f", {len(known)} fail as known ({', '.join(known)})" if known else ""
            lines += textwrap.wrap(
                f"{_count(len(claims), 'claim')}: {holding} hold{'s' * (holding == 1)}{failing}.", self.width
            )
        if errata:
            named = f": {spans(confirmed)}" if confirmed else ""
            lines += textwrap.wrap(
                f"{_count(len(confirmed), 'erratum')} of {len(errata)} confirmed{named}.", self.width
            )
        lines += textwrap.wrap(
            f"Unexpected: {', '.join(other)}." if other else "Nothing unexpected.", self.width
        )
        return lines

    def shown(self, line: str) -> str:
        return line.encode("ascii", "replace").decode() if self.ascii else symbols(line)

    def painted(self, line: str, code: str) -> str:
        return f"\033[{code}m{line}\033[0m" if self.color else line


def _count(n: int, noun: str) -> str:
    plural = "errata" if noun == "erratum" else noun + "s"
    return f"{n} {noun if n == 1 else plural}"


def spans(ids: Sequence[str]) -> str:
    """Ids with runs of three or more written as spans.

    >>> spans(["E1", "E2", "E3", "E5", "N1", "N2"])
    'E1 to E3, E5, N1, N2'
    """
    runs: list[list[str]] = []
    for name in ids:
        if runs and name[0] == runs[-1][-1][0] and int(name[1:]) == int(runs[-1][-1][1:]) + 1:
            runs[-1].append(name)
        else:
            runs.append([name])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(run) for run in runs)
