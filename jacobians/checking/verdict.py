"""The answer of a check: `Verdict`, and the closed list of `REASONS` why a claim is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

REASONS: Mapping[str, str] = {
    "layout": "right in another layout than the one asked for",
    "transpose": "a transpose is missing, or one too many",
    "axis-order": "the right numbers with their axes in another order",
    "sign": "the opposite sign, of the whole or of one term",
    "factor": "a constant factor is wrong, of the whole or of one term",
    "missing-term": "a term is missing",
    "extra-term": "a term is too much",
    "chain": "an inner (or outer) derivative of the chain rule was left out",
    "commutation": "factors stand in the wrong order",
    "diagonal": "a diag is missing, or one too many",
    "assumption": "true only for symmetric, square, positive, ... input",
    "symmetric-correction": "entries that are tied by symmetry are counted wrongly",
    "index": "an index, an exponent or an axis is the wrong one",
    "shape": "the claim has a shape that no layout has",
    "sum-forgotten": "a sum over an axis was left out",
    "unrelated": "no error of the other kinds explains it",
}
UNEXPLAINED = "No transpose, layout, factor, term or assumption that was tried makes it right."
PAIR = "the first and the second formula"  # the title where two functions are compared
SIGNS = {"true": "✓", "false": "✗", "undecided": "?"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `check` found; true in a condition only if the claim is right.

    `verdict` is "true", "false" or "undecided"; `reason` is one of `REASONS` for a false claim, else "".
    `layout` names the layout in which the claim is right ("" where there is none).  `factor` times the
    claim is the derivative, `assumption` the condition under which the claim would be right,
    `counterexample` an input at which it is wrong, `correct` a right formula in the layout asked for,
    `evidence` what was done to know it, `sentence` all of it in one sentence.

    >>> bool(Verdict("undecided", "nothing to compare"))
    False
    """

    verdict: str
    sentence: str
    reason: str = ""
    layout: str = ""
    factor: float | str | None = None
    assumption: str = ""
    counterexample: Mapping[str, Any] | None = None
    correct: str = ""
    evidence: tuple[str, ...] = ()
    title: str = "∂f/∂x"
    details: tuple[str, ...] = field(default=())

    def __bool__(self) -> bool:
        return self.verdict == "true"

    def as_json(self) -> dict[str, Any]:
        """The verdict as plain data: strings, numbers, lists."""
        found = {name: getattr(self, name) for name in self.__slots__}
        found["evidence"], found["details"] = list(self.evidence), list(self.details)
        found["counterexample"] = plain(self.counterexample)
        found["factor"] = plain(self.factor)
        return found

    def __str__(self) -> str:
        said = headline(self)
        head = f"{SIGNS[self.verdict]} {self.title}{' ' if said.startswith('are ') else ': '}{said}"
        lines = [head, *("    " + line for line in self.details)]
        if self.sentence and self.sentence not in head:
            lines.append("  " + self.sentence)
        if self.correct:
            lines.append(f"  right{f' in {self.layout} layout' if self._asked() else ''}: {self.correct}")
        if self.counterexample:
            inputs = ", ".join(f"{name} = {value}" for name, value in plain(self.counterexample).items())
            lines.append(f"  wrong at: {inputs}")
        lines += [f"  {line}" for line in self.evidence]
        return "\n".join("  " + line for line in lines)

    def _asked(self) -> bool:
        return bool(self.layout) and self.verdict == "true"


def headline(verdict: Verdict) -> str:
    """What the first line of a verdict says after the title.

    >>> headline(Verdict("false", "", reason="axis-order"))
    'right numbers, wrong axis order'
    """
    if verdict.verdict == "true":
        return f"right, in {verdict.layout} layout" if verdict.layout else "are the same function"
    if verdict.verdict == "undecided":
        return "undecided"
    if verdict.title == PAIR:
        return "are different functions"
    if verdict.reason == "assumption" and verdict.assumption:
        return f"true for {verdict.assumption}, and only then"
    if verdict.reason == "layout" and verdict.layout:
        return f"right numbers, but this is {verdict.layout} layout"
    if verdict.reason == "axis-order":
        return "right numbers, wrong axis order"
    if verdict.reason == "layout" and not verdict.layout:
        return "wrong: the layout asked for has no place for the derivative"
    if verdict.reason == "unrelated" and verdict.sentence not in ("", UNEXPLAINED):
        return "wrong"
    return f"wrong: {REASONS.get(verdict.reason, verdict.reason)}"


def plain(value: Any) -> Any:
    """Arrays and numpy numbers inside `value` as lists and Python numbers.

    >>> plain({"x": np.array([1.0, 2.5])})
    {'x': [1, 2.5]}
    """
    if isinstance(value, Mapping):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1e15 else round(value, 12)
    return value
