"""What a Jacobian asks about itself: `J.check(claim)` and `J.orders()`, held against `check` and `costs`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians.errors import ReadingError, UnsupportedError

A, x, b = np.ones((3, 4)), np.arange(4.0), np.zeros(3)


def layer(A: Any, x: Any, b: Any) -> Any:
    z = A @ x + b
    f = np.tanh(z)
    return f


def energy(A: Any, x: Any) -> Any:
    return np.sum((A @ x) ** 3)


def test_a_claim_is_judged_at_the_shapes_of_the_call() -> None:
    J = jac.jacobian(lambda A, x: A @ x, wrt="A")(A, x)
    right = J.check("i|m n: delta[i,m] * x[n]")
    assert (right.verdict, right.layout) == ("true", "tensor")
    wrong = J.check("n i m: delta[i,m] * x[n]")
    assert not wrong
    assert "wrong axis order" in str(wrong)
    assert J.check("np.kron(x, np.eye(3))", layout="vec")
    with pytest.raises(ReadingError):
        J.check("x[")


def test_a_verdict_is_that_of_check() -> None:
    claim = "np.einsum('i,im,n->imn', 1 - np.tanh(A @ x + b)**2, np.eye(3), x)"
    mine = jac.jacobian(layer, wrt="A")(A, x, b).check(claim)
    theirs = jac.check(layer, claim, wrt="A", inputs={"A": "3,4", "x": "4", "b": "3"})
    assert mine == theirs
    assert mine


def test_derivatives_of_higher_order_are_checked_by_their_names() -> None:
    H = jac.hessian(lambda x: np.sum(x**3))(x)
    assert H.check("6 * np.diag(x)").layout == "hessian"
    assert H.check("3 * np.diag(x)").verdict == "false"
    mixed = jac.hessian(energy, wrt=("x", "A"))(A, x)
    assert mixed.check("a|i j: 6 * A[i,b]*x[b]*A[i,a]*x[j] + 3 * delta[a,j] * A[i,b]*x[b] * A[i,c]*x[c]")
    both = jac.hessian(lambda x: np.sum(x**4))
    assert jac.jacobian(both)(x).check("i j k: 24 * x[i] * delta[i,j] * delta[j,k]").layout == "third"


def test_one_result_of_several_and_options_are_known() -> None:
    J = jac.jacobian(lambda A, x: {"z": A @ x, "f": np.tanh(x)}, wrt="x")(A, x)
    assert J["f"].check("diag(1 - tanh(x)**2)")
    assert J["z"].check("A", layout="numerator")

    def leaky(x: Any, slope: float = 0.5) -> Any:
        return slope * x

    assert jac.jacobian(leaky, wrt="x")(x).check("i|j: delta[i,j] / 2")


def test_a_read_function_is_checked_too() -> None:
    f = jac.read("z = A @ x + b; f = tanh(z)", A="M,N", x="N", b="M")
    assert jac.jacobian(f, wrt="A")(A, x, b).check("i|m n: delta[i,m] * (1 - f[i]**2) * x[n]")


def test_orders_are_the_table_of_costs() -> None:
    J = jac.jacobian(layer, wrt="A")(A, x, b)
    assert J.orders() == jac.costs(layer, wrt="A")(A, x, b)
    rows = J.orders(["reverse"], modes=["lazy"]).rows
    assert [(row.name, row.mode) for row in rows] == [("reverse", "lazy")]
    assert jac.hessian(lambda x: np.sum(x**3))(x).orders()["reverse"].order


@pytest.mark.parametrize("question", ["check", "orders"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: jac.jacobian(layer, wrt="A")(A, x, b)[0],
        lambda: 2 * jac.jacobian(layer, wrt="x")(A, x, b) @ jac.jacobian(lambda x: x)(x),
        lambda: jac.jacobian(layer, wrt="A").compile(A, x, b)(A, x, b),
        lambda: jac.jacobian(lambda p: 2 * p["a"])({"a": x})["a"],
        lambda: jac.show("A @ x", A="M,N", x="N").jacobian,
    ],
)
def test_a_jacobian_without_its_function_says_so(question: str, make: Any) -> None:
    with pytest.raises(UnsupportedError, match="does not know the function") as caught:
        getattr(make(), question)(*["A"] * (question == "check"))
    assert "\n  try: jac.c" in str(caught.value)


def test_numbers_are_judged_at_the_point_of_the_call() -> None:
    x = np.array([0.3, -1.2, 2.0])
    J = jac.jacobian(lambda x: x**2)(x)
    for claim in (2 * np.diag(x), np.asarray(J), J, "2*diag(x)"):
        assert J.check(claim)
    assert not J.check(np.diag(x))


def test_the_orders_of_one_result_are_its_own() -> None:
    A, x = np.ones((3, 4)), np.ones(4)
    first, second = jac.jacobian(lambda A, x: (A @ x, np.sum(np.tanh(A @ x) ** 2)), "x")(A, x)
    assert min(row.flop for row in first.orders().rows) == 0
    assert "3 × 4" in str(first.orders())
    assert "(4)" in str(second.orders())
