"""Several hundred claims with known answers: none that is false passes, none that is true is called wrong.

The rows of `data/claims_corpus.json` are textbook derivatives and wrong versions of them, each wrong one with
the reasons that name its error.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from jacobians.checking.tables import Row, judge_record
from jacobians.checking.verdict import REASONS

SIZES = {"m": 4, "n": 3, "p": 2, "q": 5}
ORDERS = {"hessian": 2, "hessian-vec": 2, "mixed": 2, "third": 3}
WORD = re.compile(r"(\w+):([^:{]*)(?::([^{]*))?(?:\{(\w+)\})?")
ROWS = [
    row
    for row in json.loads((Path(__file__).parent / "data" / "claims_corpus.json").read_text())["rows"]
    if not row.startswith("#")
]


def record(row: str, place: int = 0) -> dict[str, Any]:
    """A row in the form of a record, its answers under `truth` and `reasons`."""
    function, inputs, wrt, layout, claim, *reasons = (part.strip() for part in row.split(";;"))
    found: dict[str, Any] = {"id": f"row-{place}", "func": function, "claim": claim, "layout": layout}
    found |= {"wrt": wrt.split(","), "order": ORDERS.get(layout, 1), "structure": "none", "consts": {}}
    found["inputs"], symbols = [], set()
    for word in inputs.split():
        if "=" in word:
            name, _, number = word.partition("=")
            found["consts"][name] = json.loads(number)
            continue
        name, sizes, words, structure = WORD.fullmatch(word).groups()  # type: ignore[union-attr]
        shape = [size for size in sizes.split(",") if size]
        symbols |= {size for size in shape if not size.isdigit()}
        found["structure"] = structure or found["structure"]
        assumed = [one for one in (words or "").split(",") if one]
        found["inputs"].append({"name": name, "shape": shape, "assumptions": assumed})
    found["sizes"] = {name: SIZES[name] for name in sorted(symbols)}
    found["truth"] = "false" if reasons else "true"
    found["reasons"] = reasons[0].split() if reasons else []
    return found


def judged(rows: list[str]) -> list[tuple[dict[str, Any], Row]]:
    """Every row's record and what was found."""
    records = [record(row, place) for place, row in enumerate(rows)]
    return [(made, judge_record(made, place)) for place, made in enumerate(records)]


def told(pairs: list[tuple[dict[str, Any], Row]]) -> list[str]:
    """The claims that were not judged as they should be."""
    return [
        f"{made['func']} by {made['wrt']}: {made['claim']}: {row.verdict.verdict} {row.error}"
        for made, row in pairs
        if row.verdict.verdict != made["truth"]
    ]


def check_all(rows: list[str], diagnosed: float) -> None:
    """Verdicts all right, layouts named right, at least this share of the errors named right."""
    pairs = judged(rows)
    assert not told(pairs)
    assert all(row.verdict.layout == made["layout"] for made, row in pairs if made["truth"] == "true")
    wrong = [(made, row) for made, row in pairs if made["truth"] == "false"]
    named = [row.verdict.reason in made["reasons"] for made, row in wrong]
    assert sum(named) >= diagnosed * len(named)
    assert all(row.verdict.counterexample for _, row in wrong)
    assert all(row.verdict.reason in REASONS for _, row in wrong)


def test_the_rows_are_what_they_say() -> None:
    """Enough rows of both kinds, and every reason is in use but the one for what nothing explains."""
    used = {reason for row in ROWS for reason in record(row)["reasons"]}
    assert len(ROWS) > 400
    assert sum(not record(row)["reasons"] for row in ROWS) > 200
    assert used == set(REASONS)


@pytest.mark.parametrize("part", range(4))
def test_a_fifth_of_the_claims(part: int) -> None:
    """A part of the table, spread over all of it."""
    check_all(ROWS[part * 5 :: 23], diagnosed=0.8)


@pytest.mark.slow
def test_all_claims() -> None:
    """The whole table, with more than nine errors out of ten named right."""
    check_all(ROWS, diagnosed=0.95)


def test_a_wrong_answer_in_the_table_would_be_noticed() -> None:
    """Negative control: a true claim marked false, and a false one marked true, are both told."""
    true, false = "x @ x ;; x:n ;; x ;; gradient ;; 2*x", "x @ x ;; x:n ;; x ;; gradient ;; x"
    assert len(told(judged([true + " ;; factor", false]))) == 2
    assert not told(judged([true, false + " ;; factor"]))


def test_layouts_are_found_where_none_is_asked_for() -> None:
    """Without a layout, true claims are true and the layout is one in which the record's own array stands."""
    rows = [row for row in ROWS[::9] if not record(row)["reasons"]]
    for row in rows:
        made = record(row)
        if made["layout"] == "differential":
            continue
        found = judge_record({**made, "layout": None})
        assert found.verdict.verdict == "true", row
        names = found.verdict.layout + " ".join(found.verdict.evidence)
        assert made["layout"] in names, row


def test_answers_in_a_record_are_never_read() -> None:
    """The verdict is the same whatever the answers say."""
    made = record("x @ x ;; x:n ;; x ;; gradient ;; x")
    answers = {
        "truth": "true",
        "reason": "holds",
        "fix": "x",
        "true_if": None,
        "false_mode": "",
        "difficulty": "easy",
    }
    assert judge_record({**made, **answers}).verdict == judge_record(made).verdict
