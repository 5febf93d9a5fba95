"""The einsum lines of a Jacobian are numpy: run, and put where their comments say, they are the tensor."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians.expr import topological
from jacobians.notation.records import names
from jacobians.plan import evaluate

rng = np.random.default_rng(8)
GIVEN: dict[str, Any] = {
    "X": rng.uniform(0.5, 2.0, size=(3, 4)),
    "W": rng.normal(size=(4, 2)),
    "S": rng.normal(size=(3, 3)) + 3 * np.eye(3),
    "x": rng.uniform(0.5, 2.0, size=3),
    "y": rng.normal(size=4),
    "b": rng.normal(size=2),
}
FUNCTIONS = {
    "softmax of rows": lambda X: np.exp(X) / np.sum(np.exp(X), axis=1, keepdims=True),
    "softmax of columns": lambda X: np.exp(X) / np.sum(np.exp(X), axis=0),
    "standardized columns": lambda X: (X - X.mean(axis=0)) / X.std(axis=0),
    "standardized rows": lambda X: (X - X.mean(axis=1, keepdims=True)) / X.std(axis=1, keepdims=True),
    "rows of length 1": lambda X: X / np.linalg.norm(X, axis=1, keepdims=True),
    "variance of columns": lambda X: X.var(axis=0, ddof=1),
    "squared differences": lambda x, y: np.sum((x[:, None] - y[None, :]) ** 2),
    "a kernel": lambda x, y: np.exp(-((x[:, None] - y) ** 2)),
    "a table of products": lambda x, y: np.tanh(np.outer(x, y)) * x[:, None],
    "a batch": lambda X, W, b: np.tanh(X @ W + b),
    "weights of rows": lambda x, X: np.sqrt(x)[:, None] * X,
    "a determinant": lambda S: np.linalg.det(S) * np.trace(S),
    "log det": lambda S: np.log(np.linalg.det(S)) ** 2,
    "an inverse": lambda S: np.linalg.inv(S) @ S[:, :1],
    "ratios": lambda x, X: X / (x[:, None] + X),
}


def lines_of(J: Any) -> list[tuple[str, str, str]]:
    """Each call of `J.einsum()`, and which of its letters stand where, by its comment."""
    found = []
    for line in J.einsum().splitlines():
        if not line.startswith("# "):
            call, _, place = line.removeprefix("+ ").partition("   # ")
            which, _, at = place.partition("at J")
            found.append((call, which.strip("[] "), at.strip("[]")))
    return found


def values_of(J: Any, f: Any, given: dict[str, Any]) -> dict[str, Any]:
    """What the lines may use: numpy, the arguments, the result, and the letters that stand for values."""
    known = {**given, "np": np, J.view().whole.target_name: f(**given)}
    for name, node in names(J.view()).where:
        leaves = {leaf.serial: given[leaf.name] for leaf in topological([node]) if leaf.op == "variable"}
        known[name] = evaluate([node], leaves)[0]
    return known


def run_lines(J: Any, known: dict[str, Any]) -> np.ndarray:
    """The sum of all lines, each put in its place."""
    total = np.zeros(J.shape)
    for call, which, place in lines_of(J):
        value = np.asarray(eval(call, {}, known), float)
        letters = place.split(", ") if place else [str(k) for k in range(len(J.shape))]
        distinct = list(dict.fromkeys(letters))
        arrow = re.match(r'[-\d./ *]*np\.einsum\("[^"]*->(\w*)"', call)
        own = which.split(", ") if which else list(arrow[1]) if arrow and place else []
        sizes = {one: min(n for a, n in zip(letters, J.shape, strict=True) if a == one) for one in letters}
        if own:  # else it is stretched as numpy stretches it
            value = value.transpose([own.index(one) for one in distinct if one in own])
            value = value.reshape([sizes[one] if one in own else 1 for one in distinct])
        whole = np.broadcast_to(value, [sizes[one] for one in distinct])
        grid = np.indices(whole.shape)
        np.add.at(total, tuple(grid[distinct.index(one)] for one in letters), whole)
    return total


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_lines_are_numpy_and_add_up_to_the_tensor(name: str) -> None:
    f = FUNCTIONS[name]
    given = {one: GIVEN[one] for one in inspect.signature(f).parameters}
    for wrt in given:
        J = jac.jacobian(f, wrt)(**given)
        np.testing.assert_allclose(run_lines(J, values_of(J, f, given)), np.asarray(J), atol=1e-12)


def test_a_line_in_a_wrong_place_would_be_seen() -> None:
    f = lambda S: np.linalg.inv(S)  # noqa: E731
    J = jac.jacobian(f)(GIVEN["S"])
    known = values_of(J, f, {"S": GIVEN["S"]})
    wrong = {**known, **{one: value.T for one, value in known.items() if isinstance(value, np.ndarray)}}
    assert not np.allclose(run_lines(J, wrong), np.asarray(J))


def test_internal_names_do_not_leak() -> None:
    for f in FUNCTIONS.values():
        given = {one: GIVEN[one] for one in inspect.signature(f).parameters}
        for wrt in given:
            text = jac.jacobian(f, wrt)(**given).einsum()
            assert not re.search(r"\b(combination|divide|safe_divide|reshape|select|cof)\(", text), text
