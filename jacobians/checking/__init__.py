"""Judging formulas that people wrote: `check(f, claim, wrt=...)` and whole tables of claims.

- `check` gives a `Verdict`: true, false or undecided, with the reason, the layout, a counterexample, the
  right formula and the evidence.
- `records.problem_of(record)` reads a record of a table, `tables.judge_table` judges a whole one in parallel.
"""

from __future__ import annotations

from .api import check
from .verdict import REASONS, Verdict

__all__ = ["REASONS", "Verdict", "check"]
