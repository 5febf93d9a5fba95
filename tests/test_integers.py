"""Integer arrays in differentiated functions: numbers like others, which never wrap in a derivative.

numpy converts an integer array where it meets a floating one; the factors of a derivative would meet each
other as integers first, and 100 * 100 is 16 in eight bits.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import expr, operation
from jacobians.errors import UnsupportedError
from jacobians.expr import Node
from jacobians.operation import RULES, as_node

KINDS = (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32, np.uint64, np.int64)
rng = np.random.default_rng(17)
w = rng.uniform(0.5, 2.0, size=3)
L, X = np.array([3, 100, 2]), (np.arange(12).reshape(4, 3) * 20) % 127
large = np.array([120, 90, 127])

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "a difference": lambda w, L, X: w - L * w,
    "a product of matrices": lambda w, L, X: X.T @ (X @ w),
    "a sum of rows": lambda w, L, X: np.sum(X @ w),
    "least squares": lambda w, L, X: np.sum((X @ w - 1) ** 2),
    "a negative coefficient": lambda w, L, X: -4 * (L * w),
    "twice": lambda w, L, X: L * (L * w) * L,
    "a quotient": lambda w, L, X: (L * w) / (L + w) / L,
    "einsum": lambda w, L, X: np.einsum("ij,ik,k->j", X, X, w),
    "a power": lambda w, L, X: w**L * L,
    "a base": lambda w, L, X: L**w * L,
    "a choice": lambda w, L, X: np.where(w > 1, L, w) * w * L,
    "the larger": lambda w, L, X: np.maximum(L, w) * L * w,
    "places and numbers": lambda w, L, X: np.take(w, X[0] % 3) * X[0] * L,
    "an outer product": lambda w, L, X: np.outer(w, L) @ L,
    "samples": lambda w, L, X: np.sum(np.tanh(X @ np.outer(w, w) / 100) @ L),
    "a running sum": lambda w, L, X: np.cumsum(L * w) * L,
    "a mean": lambda w, L, X: np.mean(L * w) * L,
    "Kronecker products": lambda w, L, X: np.kron(L, w) * np.kron(w, L),
    "a solution": lambda w, L, X: np.linalg.solve(np.diag(L * w) + X.T @ (X * w), L),
    "samples between": lambda w, L, X: np.interp(w, np.array([0.0, 1.0, 3.0]), L) * L,
    "places of samples": lambda w, L, X: np.interp(30 * w, np.sort(L), np.array([0.0, 2.0, 1.0])),
    "an average": lambda w, L, X: np.average(w, weights=L),
    "powers": lambda w, L, X: np.polyval(w, L),
    "ranks": lambda w, L, X: np.argsort(w) * L * w * L,
    "rounded": lambda w, L, X: np.floor(w).astype(int) * L * w * L,
}


def forms(f: Callable[[Any], Any]) -> dict[str, Any]:
    """The dense Jacobian of f at w in every way there is."""
    J = jac.jacobian(f)
    scope: dict[str, Any] = {}
    with suppress(UnsupportedError):  # of samples there is no printed program
        exec(jac.source(f)(w), scope)
    printed = {"printed": scope["f"](w)[1]} if scope else {}
    return printed | {
        "call": J(w).materialize(),
        "every Jacobian dense": jac.jacobian(f, mode="materialized")(w).materialize(),
        "lazy": J.compile(w)(w).materialize(),
        "dense": J.compile(w, dense=True)(w),
        "reuse": J.compile(w, reuse=True)(w),
        "columns": np.stack([J(w).jvp(e) for e in np.eye(3)], -1),
    }


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_an_integer_array_is_the_same_as_its_floats(name: str, kind: Any) -> None:
    f = FUNCTIONS[name]
    L_, X_ = L.astype(kind), X.astype(kind)
    floats = L.astype(float), X if name == "places and numbers" else X.astype(float)
    expected = np.asarray(jac.jacobian(lambda w: f(w, *floats))(w))
    close = {"rtol": 1e-10, "atol": 1e-10 * abs(expected).max()}
    for form, got in forms(lambda w: f(w, L_, X_)).items():
        np.testing.assert_allclose(got, expected, **close, err_msg=form)
    given = jac.jacobian(f, "w")(w, L_, X_)
    np.testing.assert_allclose(np.asarray(given), expected, **close)


@pytest.mark.parametrize("name", [name for name, f in FUNCTIONS.items() if np.ndim(f(w, L, X)) == 0])
@pytest.mark.parametrize("kind", KINDS)
def test_second_derivatives_with_integer_arrays(name: str, kind: Any) -> None:
    f = FUNCTIONS[name]
    expected = np.asarray(jac.hessian(lambda w: f(w, L.astype(float), X.astype(float)))(w))
    hessian = jac.hessian(lambda w: f(w, L.astype(kind), X.astype(kind)))
    close = {"rtol": 1e-10, "atol": 1e-10 * (1 + abs(expected).max())}
    np.testing.assert_allclose(np.asarray(hessian(w)), expected, **close)
    np.testing.assert_allclose(hessian.compile(w, dense=True)(w), expected, **close)


def test_the_values_are_numpys() -> None:
    """What numpy itself computes with integers alone stays what it is: it wraps."""
    small = large.astype(np.int8)
    value, J = jac.value_and_jacobian(lambda w: (small * small) * w)(w)
    assert np.array_equal(value, (small * small) * w)
    assert np.array_equal(np.asarray(J), np.diag((small * small).astype(float)))


def test_float32_stays_float32() -> None:
    small, half = large.astype(np.int8), w.astype(np.float32)
    for f in (lambda w: small * (small * w), lambda w: np.tanh(small * w) @ small):
        J = jac.jacobian(f)
        assert J(half).dtype == np.float32
        assert J.compile(half, dense=True)(half).dtype == np.float32
    assert jac.jacobian(lambda w: large * w)(half).dtype == np.float64  # int64, as in numpy


def test_an_integer_array_that_changes_is_read_anew() -> None:
    held = large.astype(np.int16)
    J = jac.jacobian(lambda w: held * (held * w))
    first = np.asarray(J(w)).diagonal().copy()
    held[0] = 2
    assert np.array_equal(np.asarray(J(w)).diagonal(), [4.0, *first[1:]])


def test_a_rule_of_ones_own_can_take_places(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole numbers that are places stay what they are where the rule says so."""
    monkeypatch.setattr(operation, "RULES", dict(RULES))
    monkeypatch.setattr(operation, "TAKE_INTEGERS", expr.TAKE_INTEGERS)
    try:
        operation.rule("rows of", lambda params, x, i: 2 * x[i], takes_integers=True)
        x, places = as_node(np.array([1.0, 2.0, 3.0])), as_node(np.array([2, 0]))
        node = Node("rows of", (x, places), None, (2,))
        assert node.args == (x, places)
        other = Node("multiply rows", (x, places), None, (2,))
        assert other.args[0] is x
        assert other.args[1].op == "astype"
        assert other.args[1].dtype == np.float64
        assert Node("argsort", (places,), 0, (2,), places.dtype).args == (places,)
    finally:
        expr.TAKE_INTEGERS.discard("rows of")


def test_whole_numbers_in_linear_algebra_make_it_double() -> None:
    half, small = w.astype(np.float32), np.array([100, 1, 127], np.int8)
    value, J = jac.value_and_jacobian(lambda x: np.linalg.solve(np.diag(x), small))(half)
    assert value.dtype == np.linalg.solve(np.diag(half), small).dtype == np.float64
    assert J.dtype == np.float64


def test_truths_do_not_promote_a_compiled_call() -> None:
    mask, masks, half = np.array([True, False, True]), np.eye(3, dtype=bool), np.ones(3, np.float32)

    def f(x: Any) -> Any:
        return np.sum((masks @ x - mask) ** 2 * mask)

    assert jac.jacobian(f)(half).dtype == np.float32
    assert jac.jacobian(f).compile(half, dense=True)(half).dtype == np.float32
    scope: dict[str, Any] = {}
    exec(jac.source(f)(half), scope)
    np.testing.assert_allclose(scope["f"](half)[1], np.asarray(jac.jacobian(f)(half)))


def test_a_printed_program_has_floats_and_no_conversions() -> None:
    small = large.astype(np.int16)
    text = jac.source(lambda w: small * w + small * np.sin(w))(w)
    assert text.count("np.array([120.0, 90.0, 127.0])") == 1
    assert "astype" not in text
    kept = jac.source(lambda w: small * w + np.sum(w) * (small * np.argsort(w)))(w)
    assert "np.int16" in kept  # where it meets whole numbers as well, it is one
    scope: dict[str, Any] = {}
    exec(kept, scope)
    f = jac.jacobian(lambda w: small * w + np.sum(w) * (small * np.argsort(w)))
    np.testing.assert_allclose(scope["f"](w)[1], np.asarray(f(w)))
