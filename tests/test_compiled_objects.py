"""A compiled call as an object of Python: pickled, limited, strict about arguments; regressions."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from collections import namedtuple
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians.errors import BudgetError, UnsupportedError

rng = np.random.default_rng(21)
x, y, t = rng.normal(size=5), rng.normal(size=5), rng.uniform(0.5, 2.0, size=5)
A, u, w = rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=3)
Pair = namedtuple("Pair", "first second")


def module_level(A: Any, x: Any, b: Any) -> Any:
    return np.tanh(A @ x + b)


@pytest.mark.parametrize("options", [{}, {"dense": True}, {"reuse": True}, {"core": True}])
def test_a_compiled_call_can_be_pickled_and_copied(options: Any) -> None:
    call = jac.jacobian(module_level, wrt="A").compile(A, u, w, **options)
    for again in (pickle.loads(pickle.dumps(call)), copy.deepcopy(call)):
        assert re.sub(r"\d+: ", "", again.source) == re.sub(r"\d+: ", "", call.source)
        got, want = again(2 * A, u, w), call(2 * A, u, w)
        if options == {"core": True}:
            got, want = got[0][0], want[0][0]
        np.testing.assert_array_equal(np.asarray(got), np.asarray(want))


def test_its_signature_is_the_functions_and_out() -> None:
    call = jac.jacobian(module_level, wrt="A").compile(A, u, w)
    assert [*inspect.signature(call).parameters] == ["A", "x", "b", "out"]


def test_a_dense_result_beyond_the_limit_is_refused_before_anything_is_made() -> None:
    with pytest.raises(
        BudgetError,
        match=r"dense Jacobian of module_level by A needs 288 B \(3 × 3 × 4 float64\), limit 100 B",
    ) as caught:
        jac.jacobian(module_level, wrt="A").compile(A, u, w, dense=True, max_bytes=100)
    assert "max_bytes" in str(caught.value)
    whole = jac.jacobian(module_level, wrt="A").compile(A, u, w, max_bytes=100)
    assert np.asarray(whole(A, u, w)).shape == (3, 3, 4)
    with pytest.raises(BudgetError, match=r"needs 14\.4 GB .*limit 4\.3 GB"):
        jac.jacobian(np.sin).compile(np.broadcast_to(np.float32(0), (200, 300)), dense=True)


def test_a_view_of_a_small_buffer_has_no_limit() -> None:
    call = jac.jacobian(lambda A, x: A @ x, wrt="A").compile(A, u, copy=None, max_bytes=1)
    np.testing.assert_allclose(call(A, u), np.asarray(jac.jacobian(lambda A, x: A @ x, wrt="A")(A, u)))


def test_a_kept_result_may_be_an_argument_of_the_next_call() -> None:
    S = rng.normal(size=(3, 3))
    derivative = jac.jacobian(lambda M: S @ M @ M)
    call, plain = derivative.compile(S, reuse=True), derivative
    first = call(S)
    for part in (first[0, 0], first[:, 1, :, 2], first[1].transpose(1, 0, 2)[0]):
        want = np.asarray(plain(part.copy()))
        np.testing.assert_allclose(call(part), want)


def test_cores_do_not_share_an_array() -> None:
    found = jac.jacobian(lambda x, y: np.tanh(x + y)).compile(x, y, core=True)(x, y)
    (one, _), (other, _) = found["x"][0], found["y"][0]
    np.testing.assert_array_equal(one, other)
    assert not np.shares_memory(one, other)


def test_targets_are_called_by_their_key_or_their_place() -> None:
    found = jac.jacobian(lambda x: (2 * x, [{"s": 3 * x}], {"t": (4 * x,)}))(x)
    names = [J.target_name for J in (found[0], found[1][0]["s"], found[2]["t"][0])]
    assert names == ["f[0]", "f[1][0]['s']", "f[2]['t'][0]"]
    assert jac.jacobian(lambda x: {"loss": x @ x})(x)["loss"].target_name == "loss"
    assert jac.jacobian(lambda x: Pair(2 * x, 3 * x))(x).second.target_name == "second"


# ---- what reviews have found


def both(f: Any, wrt: str, *args: Any) -> tuple[np.ndarray, np.ndarray]:
    derivative = jac.jacobian(f, wrt=wrt)
    return derivative.compile(*args, dense=True)(*args), np.asarray(derivative(*args))


@pytest.mark.parametrize(
    ("f", "x", "y", "wrt"),
    [
        (lambda x, y: (1e-30 * x) / (1e20 * y), np.float32([1e20]), np.float32([1e-20]), "x"),
        (lambda x, y: (1e25 * x) / (1e-25 * y), np.float32([1e-20]), np.float32([1e15]), "y"),
        (lambda x, y: (1e200 * x) / (1e-200 * y), np.array([1e-150]), np.array([1e150]), "x"),
        (lambda x, y: (1e20 * x) * (1e20 * y), np.float32([1e-15, 2e-15]), np.float32([1e-15, 2e-15]), "x"),
        (lambda x, y: (np.inf * x + np.inf * y) * x, np.array([1.5, 2]), np.array([1.5, 2]), "x"),
    ],
)
def test_coefficients_stay_where_they_would_overflow(f: Any, x: Any, y: Any, wrt: str) -> None:
    got, want = both(f, wrt, x, y)
    np.testing.assert_allclose(got, want, rtol=1e-5)


def test_names_that_look_like_numpys_functions_are_names() -> None:
    def f(x: Any, np_exp: Any) -> Any:
        return {"np.exp": np.exp(x) * np_exp, "np.foo": x}

    found = jac.jacobian(f).compile(x, y, dense=True)(x, y)
    assert [*found] == ["np.exp", "np.foo"]
    np.testing.assert_allclose(found["np.exp"]["np_exp"], np.diag(np.exp(x)))


def test_zero_times_infinity_is_not_zero() -> None:
    W, zero, odd = np.ones((1, 3)), np.array([0.0]), np.array([np.inf, np.nan, 3.0])
    call = jac.jacobian(lambda W, v, s: np.sum(s * (W @ v)), wrt="W").compile(W, np.ones(3), zero, dense=True)
    np.testing.assert_array_equal(call(W, odd, zero), [[np.nan, np.nan, 0.0]])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_roots_of_negative_numbers_are_numpys() -> None:
    v = np.arange(1.0, 9)
    call = jac.jacobian(lambda x: sum(x[k] ** 2.5 for k in range(8))).compile(v, dense=True)
    np.testing.assert_allclose(call(v), 2.5 * v**1.5)
    assert np.isnan(call(-v)).all()
    lazy = jac.jacobian(lambda x: x[0] ** 2.5 + x[1] ** 1.5).compile(v[:2])
    assert np.isnan(np.asarray(lazy(-v[:2]))).all()


def test_types_stay_those_of_the_plain_call() -> None:
    a, mask, s = np.array([1.5, 2, 0.3]), np.array([True, False, True]), np.array(0.7)
    call = jac.jacobian(lambda s, x, m: np.where(s * x > 0.1, s * m, x), wrt="s").compile(
        s, a, mask, dense=True
    )
    assert call(s, a, mask).dtype == np.float64
    small = np.array([100] * 3, np.int8)
    got, want = both(lambda a, b, x: (a * x + b * x) * x, "x", small, small.copy(), a)
    np.testing.assert_array_equal(got, want)
    number = np.array([1, 2, 3])
    value, _ = jac.value_and_jacobian(lambda x, w: (x, -(w * (x > 0)))).compile(a, number)(a, number)
    assert value[1].dtype == np.int64


def test_both_zeros_are_kept() -> None:
    with np.errstate(all="ignore"):
        got, want = both(lambda x: x / 0.0 * x + x / (-0.0) * x * x, "x", np.array([1.5, 2.0]))
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize(
    "view",
    [
        lambda h: np.asarray(memoryview(h))[0],
        lambda h: np.lib.stride_tricks.sliding_window_view(h.ravel(), 5)[0],
        lambda h: np.lib.stride_tricks.as_strided(h, (5,), (8,)),
    ],
)
def test_no_view_of_a_kept_result_is_overwritten_while_it_is_read(view: Any) -> None:
    derivative = jac.jacobian(lambda x: np.outer(x, x) @ x)
    call = derivative.compile(t, reuse=True)
    part = view(call(t))
    want = np.asarray(derivative(part.copy()))
    np.testing.assert_allclose(call(part), want)


def gathered(x: Any, i: Any) -> Any:
    return x[i] * 2


def test_a_pickled_call_has_the_indices_of_its_compilation_and_no_values() -> None:
    places = np.array([0, 2])
    call = jac.jacobian(gathered, wrt="x").compile(x, places, dense=True)
    kept, places[:] = places.copy(), [1, 3]
    again = pickle.loads(pickle.dumps(call))
    np.testing.assert_array_equal(again(x, kept), call(x, kept))
    assert len(pickle.dumps(jac.jacobian(np.sin).compile(np.zeros(10**6)))) < 1000


def test_lazy_results_of_a_compiled_call_can_be_pickled() -> None:
    J = jac.jacobian(module_level, wrt="A").compile(A, u, w)(A, u, w)
    np.testing.assert_array_equal(np.asarray(pickle.loads(pickle.dumps(J))), np.asarray(J))


def test_a_call_of_which_only_the_method_is_left_says_so() -> None:
    method = jac.jacobian(lambda x: x * x.sum()).compile(x, dense=True).__call__
    with pytest.raises(UnsupportedError, match="the compiled call is gone"):
        method(x, out=np.empty((5, 5)))


@pytest.mark.parametrize("given", [None, "3", {1.0}, [[1], [2, 3]], np.zeros((), "M8[s]")])
def test_an_argument_that_is_no_number_is_refused_by_name(given: Any) -> None:
    call = jac.jacobian(lambda t: t**3).compile(2.0, dense=True)
    with pytest.raises(UnsupportedError, match="t is no array of real numbers"):
        call(given)


def test_a_masked_array_is_refused_as_in_a_plain_call() -> None:
    call = jac.jacobian(np.tanh).compile(x, dense=True)
    with pytest.raises(UnsupportedError, match="MaskedArray has operations of its own"):
        call(np.ma.masked_array(x, [1, 0, 0, 0, 0]))


def test_an_argument_may_be_called_out() -> None:
    def f(x: Any, out: Any) -> Any:
        return x * out

    call = jac.jacobian(f, "x").compile(x, out=y, dense=True)
    np.testing.assert_allclose(call(x, out=y), np.diag(y))
    np.testing.assert_allclose(call(x, y), np.diag(y))


def test_options_that_exclude_each_other_are_refused() -> None:
    with pytest.raises(UnsupportedError, match="cores or dense arrays"):
        jac.jacobian(np.tanh).compile(x, core=True, dense=True)
    for size in ("1kB", True, float("nan"), 1j, [9], -1):
        for options in ({"dense": True}, {}, {"core": True}):
            with pytest.raises(UnsupportedError, match="max_bytes is a number of bytes"):
                jac.jacobian(np.tanh).compile(x, **options, max_bytes=size)
        with pytest.raises(UnsupportedError, match="max_bytes is a number of bytes"):
            jac.jacobian(np.tanh)(x).materialize(max_bytes=size)
    for size in (np.int64(10**6), np.float32(1e6), 1e6, float("inf")):
        jac.jacobian(np.tanh).compile(x, dense=True, max_bytes=size)


def test_a_limit_that_is_missed_by_little_is_told_in_bytes() -> None:
    J = jac.jacobian(np.tanh)(np.ones(300))
    assert J.materialize(max_bytes=720_000).nbytes == 720_000
    with pytest.raises(BudgetError, match=r"needs 720,000 B \(300 × 300 float64\), limit 719,999 B"):
        J.materialize(max_bytes=719_999)
    with pytest.raises(BudgetError, match=r"needs 720.0 kB \(300 × 300 float64\), limit 700.0 kB"):
        J.materialize(max_bytes=700_000)


def test_an_argument_that_is_named_like_an_option_is_given_by_position() -> None:
    def f(x: Any, copy: Any, dense: Any) -> Any:
        return x * copy * dense

    call = jac.jacobian(f, "x").compile(x, x, x, dense=True)
    np.testing.assert_allclose(call(x, x, x), np.diag(x * x))
    with pytest.raises(UnsupportedError, match="dense= is an option of compile, True or False") as caught:
        jac.jacobian(f, "x").compile(x, x, dense=np.ones(3))
    assert "an array of shape (3,)" in str(caught.value)
    assert "by position" in str(caught.value)
    with pytest.raises(UnsupportedError, match="copy= is an option"):
        jac.jacobian(f, "x").compile(x=x, copy=2.0)


def weighted(x: Any, W: Any = A) -> Any:
    return W @ x


def test_an_array_that_stands_as_a_default_is_an_argument() -> None:
    call = jac.jacobian(weighted, wrt="x").compile(u, dense=True)
    np.testing.assert_array_equal(call(u), A)
    np.testing.assert_array_equal(call(u, 2 * A), 2 * A)
    np.testing.assert_array_equal(call(u, W=3 * A), 3 * A)


def test_labels_that_change_are_told_to_be_floats() -> None:
    labels = np.array([0, 1, 0, 1, 1])
    call = jac.jacobian(lambda w, y: w * y, "w").compile(x, labels, dense=True)
    with pytest.raises(UnsupportedError, match="astype"):
        call(x, 1 - labels)


def test_slides_print_one_target_whole() -> None:
    with pytest.raises(UnsupportedError, match="slides print one target"):
        jac.source(lambda x: (x**2, np.sum(x)), style="slides")(x)
    assert "np.zeros((2, 5))" in jac.source(lambda x: x[0] * 0 + np.ones(2), style="slides")(x)


def test_a_program_names_its_arguments_after_their_places() -> None:
    text = jac.source(lambda p: p["W"] @ p["v"])({"W": A, "v": u})
    assert "def f(p_W, p_v):" in text
