"""Hostile and random texts through `check`: refused with an error, quickly, and never judged true by luck."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobians.checking import check
from jacobians.checking.tables import judge_record
from jacobians.errors import JacobiansError

HOSTILE = [
    "__import__('os').system('true')",
    "().__class__.__bases__[0].__subclasses__()",
    "x.__class__",
    "(lambda f: f(f))(lambda f: f(f))",
    "sum(1 for a in range(10**6) for b in range(10**6))",
    "[[[0]*9999]*9999]*9999",
    "10**10**10",
    "9**9**9**9",
    "x**(10**9)",
    "np.ones((10**6, 10**6))",
    "np.eye(10**5) @ np.eye(10**5)",
    "np.kron(np.ones((999, 999)), np.ones((999, 999)))",
    "(" * 10**6,
    "[" * 40 + "]" * 40,
    "x" * 10**6,
    "-" * 5000 + "x",
    "np.linalg.matrix_power(np.ones((300, 300)), 10**9)",
    "'a' * 10**9",
    "np.einsum('" + "a" * 10**5 + "', x)",
    "x; import os",
    "open('x')",
    "eval('x')",
    "np.load('x')",
    "i j k l m n o p q r: delta[i,j]*x[k]",
    "\x00",
    "x if x else",
    "",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("as_claim", [True, False])
def test_hostile_text_is_refused_quickly(text: str, as_claim: bool) -> None:
    """An error or a verdict that is not true, within seconds (one on an idle machine)."""
    f, claim = ("np.sum(x)", text) if as_claim else (text, "x")
    start = time.process_time()
    with suppress(JacobiansError):
        assert not check(f, claim, wrt="x", inputs={"x": "n"}, sizes={"n": 3})
    assert time.process_time() - start < 4


@pytest.mark.parametrize(
    "record",
    [
        None,
        [],
        "text",
        {},
        {"id": 3, "func": 7, "claim": "x"},
        {"func": "x", "claim": "x", "inputs": "x"},
        {"func": "x", "claim": "x", "inputs": [{"name": 3}]},
        {
            "func": "x",
            "claim": "x",
            "inputs": [{"name": "x", "shape": ["n"]}],
            "wrt": ["x"],
            "sizes": {"n": -2},
        },
        {
            "func": "x",
            "claim": "x",
            "inputs": [{"name": "x", "shape": ["n"]}],
            "wrt": ["x"],
            "sizes": {"n": 10**9},
        },
        {"func": "x", "claim": "x", "inputs": [{"name": "x", "shape": ["n*n*"]}], "wrt": ["x"]},
        {"func": "x", "claim": "x", "inputs": [{"name": "x", "shape": ["n"]}], "wrt": ["x"], "order": 9},
        {"func": "x", "claim": "x", "inputs": [{"name": "x", "shape": ["n"]}], "wrt": ["x"], "layout": "up"},
        {
            "func": "x",
            "claim": "x",
            "inputs": [{"name": "x", "shape": ["n"]}],
            "wrt": ["x"],
            "consts": {"k": "a"},
        },
        {
            "func": "x",
            "claim": "x",
            "inputs": [{"name": "x", "shape": ["n"]}],
            "wrt": ["x"],
            "structure": "odd",
        },
        {
            "func": "x",
            "claim": "x",
            "inputs": [{"name": "x", "shape": ["m", "n"], "assumptions": ["spd"]}],
            "wrt": ["x"],
        },
    ],
)
def test_malformed_records_are_told(record: Any) -> None:
    """Every one gets a row with an error, under its id or its place."""
    row = judge_record(record, 6)
    assert row.verdict.verdict == "undecided"
    assert row.error
    assert row.id in ("3", "record 7")


WORDS = (
    "x|A|2|0.5| + | - |*| @ |.T|(|)|np.diag(|np.sum(|[0]|[:, None]|, |**2|/|np.exp(|np.linalg.inv("
    "|np.outer(|'|;|=|y|:|if|for"
    "|lambda| in |A[i,k]"
)
PIECES = st.sampled_from(["|i: ", *WORDS.split("|")])


@given(st.lists(PIECES, max_size=9).map("".join))
@settings(max_examples=100, deadline=None)
def test_random_texts_never_crash(text: str) -> None:
    """A verdict or an error of this package, whatever the claim."""
    try:
        found = check("x @ A @ x", text, wrt="x", inputs={"A": "n,n", "x": "n"}, sizes={"n": 3})
    except JacobiansError:
        return
    assert found.verdict in ("true", "false", "undecided")


@given(st.integers(-3, 3), st.integers(-3, 3), st.booleans())
@settings(max_examples=12, deadline=None)
def test_combinations_are_judged_right(a: int, b: int, turned: bool) -> None:
    """`a A x + b A^T x` is the derivative of x A x for a = b = 1, and for no other whole numbers."""
    second = "A.T" if turned else "A"
    found = check("x @ A @ x", f"{a}*A @ x + {b}*{second} @ x", wrt="x", inputs={"A": "n,n", "x": "n"})
    assert bool(found) is (a == 1 and b == 1 and turned)


@given(st.text(max_size=60))
@settings(max_examples=80, deadline=None)
def test_any_characters(text: str) -> None:
    """Characters of every kind."""
    with suppress(JacobiansError):
        check("x @ x", text, wrt="x", inputs={"x": "n"})
