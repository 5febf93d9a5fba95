"""The numbers on the page "Which order?" are what is counted now; slow: the searches find what it says."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

DOCS = Path(__file__).parents[1] / "docs"
sys.path.insert(0, str(DOCS))
try:
    import which_order
finally:
    sys.path.remove(str(DOCS))

PAGE = (DOCS / "which-order.md").read_text("utf-8")
COUNTED = ("records", "published", "tensors", "paths", "times")
SLOW = {"opt_einsum's `optimal`"}  # seconds of opt_einsum's own


def rows(table: str) -> list[dict[str, str]]:
    return which_order.table_in(PAGE, table)


def wrong(table: str, row: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Columns of a row that say something else than what is counted now: (said, counted)."""
    expected = which_order.counted(table, list(row.values())) or {}
    return {column: (row[column], now) for column, now in expected.items() if row[column] != now}


def cases(slow: bool) -> list[Any]:
    """Table and row number of every row with something to count."""
    return [
        pytest.param(table, k, id=f"{table}-{k}")
        for table in COUNTED
        for k, row in enumerate(rows(table))
        if (row.get("path") in SLOW) == slow
    ]


@pytest.mark.parametrize(("table", "k"), cases(slow=False))
def test_counts_on_the_page_are_what_is_counted_now(table: str, k: int) -> None:
    assert wrong(table, rows(table)[k]) == {}


@pytest.mark.slow
@pytest.mark.parametrize(("table", "k"), cases(slow=True))
def test_slow_counts_on_the_page_are_what_is_counted_now(table: str, k: int) -> None:
    assert wrong(table, rows(table)[k]) == {}


@pytest.mark.parametrize(
    ("table", "column"),
    [("published", "markowitz"), ("published", "lower bound"), ("tensors", "takes"), ("paths", "flop")],
)
def test_a_changed_number_is_found(table: str, column: str) -> None:
    row = rows(table)[0]
    assert list(wrong(table, row | {column: row[column] + "1"})) == [column]


def test_every_table_has_its_rows() -> None:
    """A table without rows would have nothing wrong."""
    problems = [(name, rule) for name in which_order.SCALAR for rule in which_order.RULES]
    assert [(row["graph"], row["rule"]) for row in rows("published")] == problems
    assert [row["problem"] for row in rows("tensors")][::2] == list(which_order.TENSOR)
    assert [row["path"] for row in rows("paths")] == list(which_order.PATHS.values())
    assert [row["order"] for row in rows("times")] == [*which_order.NAMED, "search"] * 2
    assert len(rows("correlations")) == 2 * len(which_order.SCALAR)


@pytest.mark.parametrize("k", range(12))
def test_searched_orders_lie_between_the_bound_and_the_named_orders(k: int) -> None:
    row = rows("published")[k]
    cost, bound = int(row["search"]), int(row["lower bound"])
    assert bound <= cost <= min(int(row[order]) for order in which_order.NAMED)
    said = row["the search's order is"]
    if said == "**optimal**":
        assert cost == bound
    else:
        assert float(re.fullmatch(r"within (\d+) %", said)[1]) == round(100 * (cost - bound) / bound)  # type: ignore[index]
        assert cost > bound


def test_the_records_hold() -> None:
    """What the literature found is matched, and what is found here is the same in both tables."""
    published = {row["graph"]: row for row in rows("published") if row["rule"] == "plain"}
    theirs = {row["graph"]: row for row in rows("records") if row[""] == "published"}
    ours = {row["graph"]: row for row in rows("records") if row[""] == "here"}
    for name, row in ours.items():
        assert row["search"] == published[name]["search"]
        assert int(row["search"]) < int(theirs[name]["reinforcement learning"])
        assert [row[order] for order in which_order.NAMED[:3]] == [
            theirs[name][order] for order in which_order.NAMED[:3]
        ]


def test_auto_takes_the_cheapest_structured_order() -> None:
    """As the page says of the structured rows."""
    for name in which_order.TENSOR:
        _, structured = which_order.tensor_counts(name)
        row = dict(zip(which_order.TENSOR_HEAD, structured, strict=True))
        known = [float(row[order]) for order in (*which_order.NAMED, "dp") if row[order] != "–"]
        assert float(row["auto"]) == min(known)


@pytest.mark.slow
@pytest.mark.parametrize("k", range(12))
def test_the_search_finds_what_the_page_says(k: int) -> None:
    row = rows("published")[k]
    assert which_order.find(row["graph"], row["rule"]).best.cost <= int(row["search"])


def test_a_table_is_written_and_read() -> None:
    text = "before\n<!-- table: one -->\n\nold\n\n<!-- end -->\nafter, <!-- table: two -->\n\n<!-- end -->"
    made = which_order.with_table(text, "one", [["name", "count"], ["a", "12"], ["b", "3"]])
    assert made.startswith("before\n")
    assert made.endswith(text[text.index("after") :])
    assert "| :-- | --: |" in made
    assert which_order.table_in(made, "one") == [{"name": "a", "count": "12"}, {"name": "b", "count": "3"}]
    with pytest.raises(ValueError, match="0 places for the table 'three'"):
        which_order.with_table(text, "three", [["a"], ["1"]])


def test_rank_correlation() -> None:
    samples = {"a": [1.0, 9.0, 1.0], "b": [2.0, 2.0, 2.0], "c": [3.0, 3.0, 0.0]}
    timed = which_order.Timed({"a": 10, "b": 20, "c": 50}, samples)
    assert timed.milliseconds("a") == 1000
    assert timed.rank_correlation == pytest.approx(1)
    assert which_order.Timed({"a": 3, "b": 2, "c": 1}, samples).rank_correlation == pytest.approx(-1)
    assert which_order.ranks([5, 1, 5]).tolist() == [1.5, 0, 1.5]


def test_orders_that_are_measured_give_one_result() -> None:
    """Every order on the bare graph with the same random local Jacobians."""
    graph, rng = which_order.scalar_graph("black-scholes"), np.random.default_rng(0)
    values = {edge: rng.normal(size=4) for edge in graph.edges}
    found = [graph.accumulate(values, order).jacobian for order in which_order.NAMED]
    for other in found[1:]:
        assert all(np.allclose(value, other[pair]) for pair, value in found[0].items())


@pytest.mark.parametrize("name", re.findall(r"<!-- figure: (\S+) -->", PAGE))
def test_pictures_can_stand_in_a_page(name: str) -> None:
    """No blank line, which would end the HTML block; ink that follows the page; names that do not collide."""
    text = (DOCS / "figures" / name).read_text("utf-8")
    assert text.startswith("<svg ")
    assert text.endswith("</svg>\n")
    assert "\n\n" not in text
    assert "currentColor" in text
    assert not re.search(r"(fill|stroke): ?(#000000|black|#ffffff|white)", text)
    used = set(re.findall(r'href="#(\w+)"', text)) | set(re.findall(r"url\(#(\w+)\)", text))
    assert used <= set(re.findall(r'id="(\w+)"', text))
    others = [p.read_text("utf-8") for p in (DOCS / "figures").glob("which-order-*.svg") if p.name != name]
    assert not used & {found for other in others for found in re.findall(r'id="(\w+)"', other)}
