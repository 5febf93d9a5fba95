"""`jacobians.functions` and reductions: plain arrays, conventions at kinks and zeros, Terms, errors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import functions as fn
from jacobians.errors import ShapeError, UnsupportedError
from jacobians.operation import OPERATIONS

POINTWISE = (fn.relu, fn.leaky_relu, fn.elu, fn.sigmoid, fn.softplus, fn.silu, fn.gelu, fn.erf, fn.erfc)
ALONG = (fn.softmax, fn.log_softmax, fn.logsumexp, fn.standardize, fn.layer_norm)
named = pytest.mark.parametrize("f", [*POINTWISE, *ALONG], ids=lambda f: f.__name__)


# ---- on plain arrays


@named
def test_arrays_give_arrays(f: Any) -> None:
    x = np.random.default_rng(0).normal(size=(2, 3))
    z = f(x)
    assert type(z) in (np.ndarray, np.float64)
    assert z.dtype == np.float64
    np.testing.assert_array_equal(f(x.tolist()), z)
    assert f(x.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(f(x.astype(np.float32)), z, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(f(np.array([1, 2])), f(np.array([1.0, 2.0])))


@named
def test_traced_values_are_those_of_plain_arrays(f: Any) -> None:
    x = np.random.default_rng(1).normal(size=(2, 3))
    value, _ = jac.value_and_jacobian(lambda x: f(x))(x)
    np.testing.assert_array_equal(value, f(x))


@named
def test_complex_steps(f: Any) -> None:
    """The imaginary part of f(x + i h v) is h times the derivative along v."""
    rng = np.random.default_rng(2)
    x, v = rng.uniform(0.2, 1.0, (2, 3)) * np.array([1, -1, 1]), rng.normal(size=(2, 3))
    expected = f(x + 1e-25j * v).imag / 1e-25
    np.testing.assert_allclose(jac.jacobian(lambda x: f(x))(x).jvp(v), expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("f", POINTWISE, ids=lambda f: f.__name__)
def test_a_scalar_stays_a_scalar(f: Any) -> None:
    assert np.ndim(f(0.5)) == 0
    assert jac.jacobian(lambda x: f(x))(0.5).shape == ()


def test_values() -> None:
    x = np.linspace(-6, 6, 101)
    np.testing.assert_allclose(fn.erf(x), [math.erf(v) for v in x], rtol=1e-15)
    np.testing.assert_allclose(fn.gelu(x), [v * (1 + math.erf(v / 2**0.5)) / 2 for v in x], atol=1e-15)
    np.testing.assert_array_equal(fn.xlogy([0.0, 2.0], [0.0, 1.0]), [0.0, 0.0])
    np.testing.assert_array_equal(fn.vec(np.arange(6).reshape(2, 3)), [0, 3, 1, 4, 2, 5])
    np.testing.assert_allclose(
        fn.expm(np.array([[0.0, 1.0], [-1.0, 0.0]])), [[np.cos(1), np.sin(1)], [-np.sin(1), np.cos(1)]]
    )


def test_nothing_overflows() -> None:
    x = np.array([-1e3, 0.0, 1e3])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        for f in (fn.sigmoid, fn.softplus, fn.silu, fn.elu, fn.softmax, fn.log_softmax, fn.logsumexp):
            assert np.isfinite(f(x)).all()
            assert np.isfinite(np.asarray(jac.jacobian(lambda x, f=f: f(x))(x))).all()


def test_impossible_entries() -> None:
    """An entry of -inf has probability 0; no entry at all has logarithm -inf."""
    x = np.array([0.0, -np.inf, np.log(3.0)])
    np.testing.assert_allclose(fn.softmax(x), [0.25, 0.0, 0.75])
    assert fn.logsumexp(np.array([-np.inf, -np.inf])) == -np.inf
    np.testing.assert_allclose(np.asarray(jac.jacobian(fn.logsumexp)(x)), [0.25, 0.0, 0.75])
    J = np.asarray(jac.jacobian(lambda x: fn.softmax(x))(x))
    np.testing.assert_allclose(J, np.diag([0.25, 0, 0.75]) - np.outer([0.25, 0, 0.75], [0.25, 0, 0.75]))


def test_every_function_is_documented_with_an_example() -> None:
    for name in fn.__all__:
        doc = getattr(fn, name).__doc__
        assert ">>>" in doc, name
        assert "Local Jacobian" in doc, name


def test_step_by_step() -> None:
    z, dz = jac.ops.relu(np.array([-1.0, 2.0]))
    np.testing.assert_array_equal(z, [0.0, 2.0])
    np.testing.assert_array_equal(np.asarray(dz["x"] if isinstance(dz, dict) else dz), np.diag([0.0, 1.0]))


# ---- Terms


def test_softmax_is_two_terms_and_the_batch_is_shared() -> None:
    x = np.random.default_rng(3).normal(size=(500, 7))
    J = jac.jacobian(lambda x: fn.softmax(x))(x)
    diagonal, outer = sorted(J.terms.terms, key=lambda t: len(t.factors))
    assert (diagonal.coefficient, len(diagonal.factors)) == (1, 1)
    assert diagonal.target == diagonal.input
    assert (outer.coefficient, len(outer.factors)) == (-1, 2)
    assert outer.target[0] == outer.input[0]
    assert outer.target[1] != outer.input[1]
    assert J.nbytes <= 4 * x.nbytes


def test_log_softmax_is_a_delta_less_softmax() -> None:
    J = jac.jacobian(lambda x: fn.log_softmax(x))(np.random.default_rng(4).normal(size=(2, 3)))
    delta, soft = sorted(J.terms.terms, key=lambda t: len(t.factors))
    assert (delta.coefficient, delta.factors, delta.target) == (1, (), delta.input)
    assert (soft.coefficient, len(soft.factors)) == (-1, 1)


def test_layer_norm_shares_the_batch() -> None:
    x = np.random.default_rng(5).normal(size=(300, 5))
    J = jac.jacobian(lambda x: fn.layer_norm(x))(x)
    assert len(J.terms.terms) <= 3
    assert J.nbytes < 20 * x.nbytes


def test_cross_entropy_is_softmax_less_target() -> None:
    x = np.random.default_rng(6).normal(size=(4, 3))
    classes = np.array([2, 0, 1, 1])
    J = np.asarray(jac.jacobian(lambda x: fn.cross_entropy(x, classes).sum())(x))
    target = np.zeros((4, 3))
    target[range(4), classes] = 1
    np.testing.assert_allclose(J, fn.softmax(x) - target, atol=1e-15)
    np.testing.assert_allclose(fn.cross_entropy(x, target), fn.cross_entropy(x, classes))


# ---- conventions: at kinks, at zeros, at ties


ZERO = np.zeros(3)
CONVENTIONS: list[tuple[str, Any, np.ndarray, Any]] = [
    ("relu", fn.relu, np.zeros(1), [[0.0]]),
    ("leaky_relu", fn.leaky_relu, np.zeros(1), [[0.01]]),
    ("elu", lambda x: fn.elu(x, 0.5), np.zeros(1), [[0.5]]),
    ("abs", np.abs, np.zeros(1), [[0.0]]),
    ("clip", lambda x: np.clip(x, 0, 1), np.array([0.0, 1.0]), np.diag([0.5, 0.5])),
    ("max", np.max, np.array([1.0, 3.0, 3.0]), [0.0, 0.5, 0.5]),
    ("min", np.min, np.array([1.0, 1.0, 1.0, 3.0]), [1 / 3, 1 / 3, 1 / 3, 0.0]),
    ("norm", np.linalg.norm, ZERO, ZERO),
    ("norm", lambda x: np.linalg.norm(x, 1), np.array([0.0, -2.0]), [0.0, -1.0]),
    ("norm", lambda x: np.linalg.norm(x, 3), np.array([0.0, -2.0]), [0.0, -1.0]),
    ("norm", lambda x: np.linalg.norm(x, 1.5), ZERO, ZERO),
    ("norm", lambda x: np.linalg.norm(x, np.inf), np.array([2.0, -2.0]), [0.5, -0.5]),
    ("std", np.std, np.ones(3), ZERO),
    ("var", np.var, np.ones(3), ZERO),
    ("median", np.median, np.array([1.0, 1.0, 1.0]), [0.0, 1.0, 0.0]),
    ("round", np.round, np.array([0.5]), [[0.0]]),
    ("xlogy", lambda x: fn.xlogy(x, 0.0), np.zeros(1), [[0.0]]),
]


@pytest.mark.parametrize(("name", "f", "point", "expected"), CONVENTIONS)
def test_conventions(name: str, f: Any, point: np.ndarray, expected: Any) -> None:
    np.testing.assert_allclose(np.asarray(jac.jacobian(lambda x: f(x))(point)), expected, atol=1e-15)
    assert OPERATIONS[name].kink or name == "var"


@pytest.mark.parametrize(
    "f",
    [
        np.linalg.norm,
        lambda x: np.linalg.norm(x, 1.5),
        lambda x: np.linalg.norm(x, 4),
        np.std,
        lambda x: np.linalg.norm(x - x.mean()),
        fn.relu,
        np.abs,
        lambda x: x**1,
        lambda x: np.prod(x),
        lambda x: np.cumprod(x),
        lambda x: fn.layer_norm(x),
        np.max,
    ],
)
def test_second_derivatives_at_zero_are_numbers(f: Any) -> None:
    H = np.asarray(jac.hessian(lambda x: f(x))(ZERO))
    assert np.isfinite(H).all()


def test_the_second_derivative_of_a_square_at_zero_is_two() -> None:
    """The control of the test above: a derivative that is not zero there is not lost to a guard."""
    for f in (lambda x: x**2, lambda x: x**2.0, lambda x: np.linalg.norm(x, 2) ** 2 * 0 + x * x, np.square):
        H = np.asarray(jac.hessian(f)(np.zeros(1)))
        np.testing.assert_array_equal(H, [[[2.0]]])


def test_products_at_zeros() -> None:
    """One zero: only its own derivative is left; two zeros: only the mixed second derivative is."""
    np.testing.assert_array_equal(
        np.asarray(jac.jacobian(np.prod)(np.array([2.0, 0.0, 5.0]))), [0.0, 10.0, 0.0]
    )
    np.testing.assert_array_equal(
        np.asarray(jac.jacobian(np.prod)(np.array([0.0, 0.0, 5.0]))), [0.0, 0.0, 0.0]
    )
    H = np.asarray(jac.hessian(np.prod)(np.array([0.0, 0.0, 5.0])))
    np.testing.assert_array_equal(H, [[0.0, 5.0, 0.0], [5.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    third = np.asarray(jac.jacobian(jac.hessian(np.prod))(np.zeros(3)))
    places = [(i, j, k) for i in range(3) for j in range(3) for k in range(3)]
    expected = [float(len(set(place)) == 3) for place in places]
    np.testing.assert_array_equal(third.ravel(), expected)
    J = np.asarray(jac.jacobian(np.cumprod)(np.array([2.0, 0.0, 5.0])))
    np.testing.assert_array_equal(J, [[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 10.0, 0.0]])


def test_missing_entries_have_no_derivative() -> None:
    x = np.array([1.0, np.nan, 3.0])
    np.testing.assert_array_equal(np.asarray(jac.jacobian(np.nansum)(x)), [1.0, 0.0, 1.0])
    np.testing.assert_array_equal(np.asarray(jac.jacobian(np.nanmean)(x)), [0.5, 0.0, 0.5])
    np.testing.assert_array_equal(np.asarray(jac.jacobian(np.nanmax)(x)), [0.0, 0.0, 1.0])
    np.testing.assert_array_equal(
        np.asarray(jac.jacobian(lambda x: np.nan_to_num(x))(x)), np.diag([1.0, 0.0, 1.0])
    )


def test_a_nan_is_the_maximum_and_carries_the_derivative() -> None:
    np.testing.assert_array_equal(
        np.asarray(jac.jacobian(np.max)(np.array([1.0, np.nan, 3.0]))), [0.0, 1.0, 0.0]
    )


# ---- what numpy code asks along the way


def test_questions_are_answered_while_tracing() -> None:
    asked: dict[str, Any] = {}

    def f(x: Any) -> Any:
        asked.update(
            shape=np.shape(x), ndim=np.ndim(x), size=np.size(x), rows=np.size(x, 0), real=np.isrealobj(x)
        )
        asked.update(complex=np.iscomplexobj(x), type=np.result_type(x, np.float32), scalar=np.isscalar(x))
        return x * np.ones_like(x)

    jac.jacobian(f)(np.ones((2, 3), np.float32))
    assert asked == {
        "shape": (2, 3), "ndim": 2, "size": 6, "rows": 2, "real": True, "complex": False,
        "type": np.float32, "scalar": False,
    }  # fmt: skip


@pytest.mark.parametrize("f", [np.allclose, np.array_equal])
def test_a_branch_on_a_comparison_is_an_error(f: Any) -> None:
    with pytest.raises(UnsupportedError, match="a branch depends on a traced value"):
        jac.jacobian(lambda x: x if f(x, x + 1) else -x)(np.ones(2))


def test_arrays_of_different_shape_are_never_equal() -> None:
    J = jac.jacobian(lambda x: -x if np.array_equal(x, np.ones(3)) else 2 * x)(np.ones(2))
    np.testing.assert_array_equal(np.asarray(J), np.diag([2.0, 2.0]))


@pytest.mark.parametrize(
    ("f", "text"),
    [
        (lambda x: np.max(x, where=x > 0), "np.max(where=)"),
        (lambda x: np.linalg.norm(x, "nucleus"), "norm of order 'nucleus'"),
        (lambda x: np.var(x[:1], ddof=1), "var with ddof=1 needs more entries"),
        (lambda x: np.max(x[:0]), "the max of no entries"),
        (lambda x: np.average(x, weights=np.ones(2)), "weights do not fit"),
        (lambda x: np.cov(x, fweights=[1, 2, 3]), "np.cov with weights"),
        (lambda x: np.linalg.norm(x[None, None], 1), "needs a vector or a matrix"),
        (lambda x: x.astype(complex), "a cast to complex128"),
        (lambda x: fn.cross_entropy(x, np.array([0.5])), "the target of cross_entropy does not fit"),
        (lambda x: np.sum(fn.softmax(x, axis=1)), "axis 1 does not fit"),
    ],
)
def test_errors_have_three_parts(f: Any, text: str) -> None:
    with pytest.raises((ShapeError, UnsupportedError)) as caught:
        jac.jacobian(f)(np.arange(3.0))
    assert text in str(caught.value)
    assert caught.value.instead


# ---- where selects


@pytest.mark.parametrize("order", ["auto", "forward", "reverse"])
@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: np.where(x > 0, np.log(x), 0.0) ** 2, np.diag([0.0, np.log(2.0)])),
        (lambda x: (np.array([3.0, 4.0]) * np.where(x > 0, np.log(x), 0.0)).sum(), [0.0, 2.0]),
        (lambda x: np.where(x > 0, np.sqrt(x), 0.0) @ np.array([3.0, 4.0]), [0.0, np.sqrt(2.0)]),
        (lambda x: np.exp(np.where(x > 0, 1 / x, 0.0)), np.diag([0.0, -np.exp(0.5) / 4])),
        (
            lambda x: np.where(x > 0, x * np.log(x), 0.0).sum() ** 2,
            [0.0, 4 * np.log(2.0) * (1 + np.log(2.0))],
        ),
    ],
    ids=["squared", "weighted", "contracted", "outside", "entropy"],
)
def test_the_branch_not_taken_may_be_infinite(f: Any, expected: Any, order: str) -> None:
    """Nothing is multiplied by 0: whatever the order of the factors, 0 * inf never appears."""
    with np.errstate(divide="ignore", invalid="ignore"):  # numpy computes both branches
        J = np.asarray(jac.jacobian(f, order=order)(np.array([0.0, 2.0])))
    np.testing.assert_allclose(J, expected, atol=1e-14)
