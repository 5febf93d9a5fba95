"""Every operation has a row, documentation, a stated derivative; every rule is reached; nothing twice."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from jacobians.expr import topological
from jacobians.operation import OPERATIONS, RULES, SERVES, Operation, local_jacobian
from jacobians.prepared import accumulate
from jacobians.traces import trace_function
from jacobians.verbs import jacobian

from .op_cases import CASES, FAMILIES
from .test_operations import argnums_of

UNCALLED: dict[str, str] = {
    # operation: why it has no row (nothing to differentiate, and nothing that a row could call)
}
LEAVES = {
    "variable",
    "constant",
    "size",
}  # rules without arguments; a size is a symbol until numbers are given
MULTILINEAR_OR_MAP = {"multilinear", "index map"}  # their local Jacobian is derived, so no formula is due
operations = pytest.mark.parametrize("known", OPERATIONS.values(), ids=list(OPERATIONS))


def test_every_operation_has_a_row_and_every_row_an_operation() -> None:
    named = {case.name for case in CASES}
    assert set(OPERATIONS) - named - set(UNCALLED) == set(), "operations without a row in tests/cases"
    assert named - set(OPERATIONS) == set(), "rows that name no operation"
    assert set(UNCALLED) <= set(OPERATIONS), "an exception for an operation that is gone"


def test_no_row_stands_twice() -> None:
    twice = {label: n for label, n in Counter(case.label for case in CASES).items() if n > 1}
    assert twice == {}
    assert all(FAMILIES.values()), "a family of rows is empty"


@operations
def test_documentation(known: Operation) -> None:
    """A sentence for each; a formula where the derivative is stated and not derived."""
    assert known.doc.strip(), f"{known.name} has no docstring"
    assert known.doc.strip().splitlines()[0].rstrip().endswith((".", ":", ";", ",")), known.doc
    assert known.family
    assert known.arguments
    if known.family == "pointwise":
        assert known.formula, f"{known.name} states no derivative"


@pytest.mark.parametrize(
    "name", ["abs", "maximum", "minimum", "hypot", "power", "sign", "clip", "where", "xlogy", "safe_divide"]
)
def test_kinks_are_stated(name: str) -> None:
    """Where the derivative at some point is a convention, the record says which."""
    assert OPERATIONS[name].kink or name == "where"


def test_a_numpy_function_is_served_once() -> None:
    served = Counter(name for known in OPERATIONS.values() for name in known.serves)
    assert {name: n for name, n in served.items() if n > 1} == {}
    assert {name: SERVES[name].name for name in served} == {
        n: known.name for known in OPERATIONS.values() for n in known.serves
    }


def _reached(monkeypatch: pytest.MonkeyPatch) -> tuple[set[str], set[str]]:
    """Names of the nodes that rows run, and of those whose local Jacobian rows ask for."""
    run: set[str] = set()
    asked: set[str] = set()

    def recorded(node: Any, k: int) -> Any:
        asked.add(node.op)
        return local_jacobian(node, k)

    monkeypatch.setattr("jacobians.prepared.local_jacobian", recorded)
    for case in CASES:
        arrays = case.arrays()
        argnums = argnums_of(case, arrays)
        calls = [case.call, jacobian(case.call, wrt=argnums)] if case.order >= 2 else [case.call]
        for call in calls:
            traced = trace_function(call, arrays, {}, argnums)
            rows = accumulate(traced)
            factors = [node for row in rows for terms in row for t in terms.terms for node, _ in t.factors]
            run |= {node.op for node in topological([*traced.targets, *factors])}
    return run, asked


def test_every_rule_is_reached_by_some_row(monkeypatch: pytest.MonkeyPatch) -> None:
    run, asked = _reached(monkeypatch)
    assert set(RULES) - run - LEAVES == set(), "rules whose forward no row runs"
    due = {name for name, known in RULES.items() if known.local is not None}
    assert due - asked - LEAVES - run_only() == set(), "rules whose local Jacobian no row asks for"


def run_only() -> set[str]:
    """Rules of the notation that rows reach in Jacobians only, never as a vertex (test_engine does)."""
    return {"identity"}


def test_the_check_notices_a_missing_row() -> None:
    """The control: with one row's name gone, the sets differ."""
    named = {case.name for case in CASES if case.name != "tanh"}
    assert set(OPERATIONS) - named - set(UNCALLED) == {"tanh"}
