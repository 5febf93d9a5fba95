"""What a compiled call prints for speed: powers, quotients, numbers, products, containers.

Every rewritten line is checked against the plan, which knows none of this.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import namedtuple
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import jacobians as jac
from jacobians.codegen import RESERVED
from jacobians.containers import Text, display
from jacobians.errors import ShapeError, UnsupportedError

rng = np.random.default_rng(21)
x, y, t = rng.normal(size=5), rng.normal(size=5), rng.uniform(0.5, 2.0, size=5)
A, u, w = rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=3)


def agrees(f: Any, *args: Any, rtol: float = 1e-12) -> Any:
    """The compiled call, checked against the plain one."""
    call = jac.jacobian(f).compile(*args, dense=True)
    for got, want in zip(leaves(call(*args)), leaves(jac.jacobian(f)(*args)), strict=True):
        np.testing.assert_allclose(got, np.asarray(want), rtol=rtol, atol=1e-13)
    return call


def leaves(found: Any) -> list[Any]:
    if isinstance(found, (dict, list, tuple)):
        return [
            leaf for part in (found.values() if isinstance(found, dict) else found) for leaf in leaves(part)
        ]
    return [found]


@pytest.mark.parametrize("exponent", [2, 3, 4, 5, 7, 12, 16, 3.0])
def test_a_whole_power_is_a_product(exponent: float) -> None:
    call = agrees(lambda x: x**exponent, x, rtol=1e-13)
    assert "**" not in call.source


@pytest.mark.parametrize("exponent", [18, -2, 2.5, 0.5, 1, 0])
def test_other_powers_stay_powers(exponent: float) -> None:
    call = agrees(lambda t: t**exponent, t)
    assert ("**" in call.source) == (exponent not in (0, 1))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_powers_at_the_ends_of_the_numbers_are_numpys() -> None:
    odd = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e200, 1e-200])
    for exponent in (2, 3, 6):
        call = jac.jacobian(lambda x, n=exponent: np.sum(x**n)).compile(odd, dense=True)
        np.testing.assert_array_equal(call(odd), exponent * odd ** (exponent - 1))


def test_powers_of_whole_numbers_and_of_other_types_keep_their_type() -> None:
    counts = np.array([1, 2, 3])
    call = jac.jacobian(lambda x: x[:3] * counts**2.0 + x[:3] ** 3).compile(x.astype(np.float32))
    assert (
        np.asarray(call(x.astype(np.float32))).dtype
        == np.asarray(jac.jacobian(lambda x: x[:3] * counts**2.0 + x[:3] ** 3)(x.astype(np.float32))).dtype
    )


def test_powers_of_one_value_share_its_square() -> None:
    call = agrees(lambda x, y: (x * y**2, x * y**3, y**5), x, y)
    assert call.source.count("y * y") == 1


def test_the_gradient_of_a_polynomial_takes_seven_operations() -> None:
    """x1^2 x2 + x1 x2^3: x2 (2 x1 + x2^2) and x1 (x1 + 3 x2^2)."""
    call = agrees(lambda x: x[0] ** 2 * x[1] + x[0] * x[1] ** 3, x[:2])
    lines = call.source.partition("tolist()")[2]
    assert sum(lines.count(f" {sign} ") for sign in "*+-") == 7


@given(st.floats(-3, 3), st.floats(-3, 3), st.integers(2, 9), st.integers(2, 9))
def test_polynomials_agree_everywhere(a: float, b: float, n: int, m: int) -> None:
    def f(x: Any) -> Any:
        return x[0] ** n * x[1] + 2 * x[0] * x[1] ** m - 3 * x[0] ** n

    point = np.array([a, b])
    got = jac.jacobian(f).compile(point, dense=True)(point)
    np.testing.assert_allclose(got, np.asarray(jac.jacobian(f)(point)), rtol=1e-10, atol=1e-10)


def test_a_quotient_leaves_its_coefficient_to_the_sum_that_it_stands_in() -> None:
    call = agrees(lambda x, t: (-3 * x) / (2 * t) + x / t, x, t)
    assert call.source.count(" / ") == 3  # x / t, the same over t, 1 / t
    assert "-x" not in call.source
    call = agrees(lambda x, t: (x / t) ** 2 - 1.5 * (x / t) ** 2, x, t)
    assert "1.5" not in call.source
    assert "n1_5" not in call.source


def test_a_difference_is_turned_around() -> None:
    call = agrees(lambda x, y: -x * (1 - y), x, y)
    assert "y - n1" in call.source


def test_numbers_that_meet_arrays_are_arrays_of_their_type() -> None:
    call = agrees(lambda x: 0.5 * np.tanh(x) + 1 / (3 + x**2), x)
    assert re.search(r"\bn3\b", call.source)
    assert not re.search(r"\b3\.?0? [-+*/]|[-+*/] 3\b", call.source)
    small = x.astype(np.float32)
    found = jac.jacobian(lambda x: 0.1 * np.tanh(x)).compile(small, dense=True)(small)
    assert found.dtype == np.float32


def test_negative_small_and_large_numbers_have_names() -> None:
    call = agrees(lambda x: np.exp(-1e-5 * x) * 1e20 - 2.5e-7, x, rtol=1e-11)
    names = set(re.findall(r"\bn[m\d]\w*", call.source))
    assert {name for name in names if "_" not in name} == {"nm1em05"}
    assert len(names) == 2  # and -1e15, as floats multiply


def test_matrices_are_multiplied_by_the_method() -> None:
    call = agrees(lambda A, u: np.tanh(A @ u), A, u)
    assert "A.dot(u)" in call.source
    assert "@" not in call.source


@pytest.mark.parametrize("size", [2, 30, 80])
def test_outer_products_of_every_size(size: int) -> None:
    v = rng.normal(size=size)
    agrees(lambda A, v: A @ v, rng.normal(size=(3, size)), v)
    agrees(lambda v, w: np.outer(v, w), v, w)
    agrees(lambda v: np.outer(v, v) / (v @ v), v)


def test_a_kept_gradient_is_stored_entry_by_entry() -> None:
    def f(x: Any) -> Any:
        return x[0] ** 2 * x[1] + x[0] * x[1] ** 3

    call = jac.jacobian(f).compile(x[:2], reuse=True)
    first = call(x[:2])
    assert not first.flags.writeable
    np.testing.assert_allclose(first, np.asarray(jac.jacobian(f)(x[:2])))
    assert call(y[:2]) is first
    np.testing.assert_allclose(first, np.asarray(jac.jacobian(f)(y[:2])))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_kept_gradient_where_floats_would_raise_is_numpys() -> None:
    call = jac.jacobian(lambda x: np.log(x[0]) * x[1]).compile(x[:2], reuse=True)
    np.testing.assert_array_equal(call(np.array([0.0, 2.0])), [np.inf, -np.inf])
    np.testing.assert_allclose(call(np.array([2.0, 3.0])), [1.5, np.log(2)])


Pair = namedtuple("Pair", "first second")


@pytest.mark.parametrize(
    "made",
    [
        lambda x, y: (x * y, [x + y, {"a": x, 3: y}]),
        lambda x, y: Pair(x * y, x),
        lambda x, y: {"only": x * y},
        lambda x, y: [x],
    ],
)
def test_results_come_in_the_containers_of_the_function(made: Any) -> None:
    got, want = jac.jacobian(made).compile(x, y, dense=True)(x, y), jac.jacobian(made)(x, y)

    def same(a: Any, b: Any) -> None:
        if isinstance(b, jac.Jacobian):
            np.testing.assert_allclose(a, np.asarray(b))
            return
        assert type(a) is type(b)
        pairs = [(a[k], b[k]) for k in b] if isinstance(b, dict) else zip(a, b, strict=True)
        for one, other in pairs:
            same(one, other)

    same(got, want)


def test_only_plain_containers_are_printed() -> None:
    one = Text("v1")
    assert display((one,)) == "(v1,)"
    assert display([one, {"a": one, 2: (one, one)}]) == "[v1, {'a': v1, 2: (v1, v1)}]"
    assert display(Pair(one, one)) is None
    assert display({(1, 2): one}) is None
    assert display([one, None]) is None
    assert display("v1") is None


def test_batched_problems_let_go_of_what_they_no_longer_need() -> None:
    B = 1024
    a, b = rng.normal(size=B), rng.normal(size=B)

    def f(a: Any, b: Any) -> Any:
        for _ in range(5):
            a, b = a * b + 1, np.sin(a) * b
        return a

    source = jac.jacobian(f).compile(a, b, core=True).source
    assert "del " in source
    assert "np.multiply(" in source


def test_a_folded_number_of_numpys_is_no_text() -> None:
    small = x.astype(np.float32)
    agrees(lambda x: np.float32(0.5) * np.tanh(np.float32(0.5)) / (2.5 + np.tanh(x)), small, rtol=1e-5)


def test_a_coefficient_goes_into_the_smallest_operand_of_a_sum() -> None:
    """The core of a two-layer Hessian: -2 v_m (30 products), not -2 times all m x n x q entries."""
    X, W, v = rng.normal(size=(7, 3)), rng.normal(size=(4, 3)), rng.normal(size=4)

    def f(W: Any, v: Any, X: Any) -> Any:
        return np.sum(np.tanh(X @ W.T) @ v)

    call = jac.hessian(f, "W").compile(W, v, X, core=True)
    ((values, _),) = call(W, v, X)
    ((want, _),) = jac.hessian(f, "W")(W, v, X).core()
    np.testing.assert_allclose(values, np.asarray(want).reshape(values.shape), rtol=1e-12)
    assert "nm2 * v" in call.source
    assert not re.search(r"return .*nm2", call.source)
    lazy = jac.hessian(f, "W").compile(W, v, X)  # its coefficient is never multiplied
    assert "nm2 * v" not in lazy.source


SHAPES = [(3,), (1,), (2, 2), (2, 1), (2, 0), (0,), (), (2, 2, 2)]


ODD = [
    lambda x, y, z: x[0] * np.where(y > 0, 2, 3.0),
    lambda x, y, z: x[0] * (1.0 * (y > 0)),
    lambda x, y, z: x[0] * ((y > 0) + 1.0 * (y > 1)),
    lambda x, y, z: x[0] * np.where(y > 0, True, 0.5),
    lambda x, y, z: x[0] * np.where(y > 0, 2, y),
    lambda x, y, z: x[0] * z * np.where(y > 0, 2, y),
    lambda x, y, z: x[0] * 2 * (y > 0) + x[1],
]


@pytest.mark.parametrize("f", ODD)
@pytest.mark.parametrize("wrt", ["x", "z", ("x", "y", "z")])
@pytest.mark.parametrize("options", [{"dense": True}, {}, {"reuse": True}, {"core": True}])
def test_what_may_be_a_whole_number_says_nothing_about_rows(f: Any, wrt: Any, options: Any) -> None:
    call = jac.value_and_jacobian(f, wrt).compile(np.ones(2), 1.5, 2.5, **options)
    for rows in ([[1.0, 2.0], [3.0, 4.0]], [[1.0], [2.0]], np.ones((2, 0))):
        with pytest.raises(ShapeError):
            call(np.array(rows), 1.5, 2.5)


@pytest.mark.parametrize("given", [np.ones(shape) for shape in SHAPES])
@pytest.mark.parametrize(
    ("f", "checked"),
    [
        (lambda x: x[0] ** 2 * x[1], ""),  # entries are multiplied, which rows cannot be
        (lambda x: np.sin(x[0]) * x[1], ""),
        (lambda x: np.exp(x[0] + x[1]), "x.ndim == 1"),  # rows can be added
        (lambda x: np.where(x[0] < x[1], 2 * x[0], 3 * x[1]), "x.ndim == 1"),
        (lambda x: 3 * np.sin(x[0]) + x[1], "x.ndim == 1"),
        (lambda x: (x[0] > x[1]) * x[0] + 3 * x[1], "x.ndim == 1"),  # rows can be taken once, or not at all
    ],
)
@pytest.mark.parametrize("make", [jac.jacobian, jac.value_and_jacobian])
@pytest.mark.parametrize("options", [{"dense": True}, {}, {"reuse": True}, {"core": True}])
def test_entries_that_are_unpacked_are_counted(
    f: Any, checked: str, given: Any, make: Any, options: Any
) -> None:
    call = make(f).compile(np.ones(2), **options)
    if make is jac.value_and_jacobian and options == {"dense": True}:
        assert ("x.ndim" in call.source, "x.shape" in call.source) == (checked != "", False)
    with pytest.raises(ShapeError, match=rf"x has shape {re.escape(str(np.shape(given)))}") as caught:
        call(given)
    assert caught.value.__context__ is None  # nothing about unpacking


def test_only_where_all_entries_are_unpacked_axes_say_enough() -> None:
    constant = jac.jacobian(lambda x: 3.0 * x[0] + x[1]).compile(np.ones(2), dense=True)
    matrix = jac.jacobian(lambda X: X[0, 0] * X[1, 0]).compile(np.ones((2, 1)), dense=True)
    for call, other in ((constant, np.ones(3)), (matrix, np.ones((1, 2)))):
        with pytest.raises(ShapeError):
            call(other)


def test_a_hessian_summed_over_samples_multiplies_half_of_the_pairs() -> None:
    X, W, v = rng.normal(size=(20, 12)), rng.normal(size=(11, 12)), rng.normal(size=11)
    hessian = jac.hessian(lambda W, X, v: np.sum(np.tanh(X @ W.T) @ v), "W")
    call = hessian.compile(W, X, v, dense=True)
    assert "= (symmetric(X.T, " in call.source
    dense = call(W, X, v)
    f = np.tanh(X @ W.T)
    core = np.einsum("bi,bm,bn->imn", -2 * v * f * (1 - f**2), X, X)
    expected = np.zeros((11, 12, 11, 12))
    expected[range(11), :, range(11)] = core
    np.testing.assert_allclose(dense, expected, rtol=1e-12, atol=1e-13)
    assert np.array_equal(dense, dense.transpose(2, 3, 0, 1))
    np.testing.assert_allclose(np.asarray(hessian(W, X, v)), expected, rtol=1e-12, atol=1e-13)
    half = [x.astype(np.float32) for x in (W, X, v)]
    assert hessian.compile(*half, dense=True)(*half).dtype == np.float32
    few = hessian.compile(W, X[:3], v, dense=True)
    assert "symmetric(" not in few.source


def test_the_memory_of_pairs_comes_back() -> None:
    """In a process of its own, where no memory is at hand: page faults would cost more than all else."""
    code = (
        "import resource, numpy as np, jacobians as jac\n"
        "W, X = np.ones((30, 40)), np.ones((100, 40))\n"
        "c = jac.hessian(lambda W, X: np.sum(np.tanh(X @ W.T)), 'W').compile(W, X, core=True)\n"
        "assert 'symmetric(' in c.source\n"
        "for _ in range(20): c(W, X)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "for _ in range(20): c(W, X)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)
    assert int(found.stdout) < 20 * 40  # 2.9 MB a call are 700 pages


def test_arguments_may_have_the_names_of_helpers() -> None:
    for name in sorted({*RESERVED, "symmetric", "in_blocks", "empty_2", "result", "fix", "dtype"}):
        scope: dict[str, Any] = {"numpy": np}
        exec(f"def f({name}, W): return numpy.sum(numpy.tanh({name} @ W.T))", scope)
        X, W = rng.normal(size=(20, 6)), rng.normal(size=(4, 6))
        hessian = jac.hessian(scope["f"], "W")
        call = hessian.compile(X, W, dense=True)
        assert "symmetric" in call.source
        np.testing.assert_allclose(call(X, W), np.asarray(hessian(X, W)), rtol=1e-12, atol=1e-13)
        cube = jac.jacobian(lambda x: x**3, "x").compile(2.0, dense=True)
        assert cube(2.0) == 12.0


def test_a_refusal_of_a_scalar_call_is_no_answer() -> None:
    """What a call of scalars refuses is not computed by the program of arrays instead."""

    def power(x: Any, n: int = 2) -> Any:
        return x[0] ** n * x[1]

    given = np.array([2.0, 3.0])
    for make in (jac.jacobian, jac.value_and_jacobian):
        for options in ({"dense": True}, {}, {"reuse": True}):
            call = make(power, "x").compile(given, **options)
            assert "x_0" in call.source
            call(given, n=2)
            for args, named in (
                ((given, 3), {}),
                ((given,), {"n": 3}),
                ((given, 2, 3), {}),
                ((given,), {"k": 2}),
            ):
                with pytest.raises(UnsupportedError):
                    call(*args, **named)
    call = jac.jacobian(lambda x: x[0] ** 2 * x[1]).compile(given, dense=True)
    fixed = np.empty(2)
    fixed.flags.writeable = False
    for out in (np.empty(7), "nonsense", fixed):
        with pytest.raises((ShapeError, UnsupportedError)):
            call(given, out=out)
    with pytest.raises(UnsupportedError, match="too many positional"):
        call(given, given, given)


def test_scalar_calls_heed_numpys_error_state() -> None:
    call = jac.jacobian(np.log).compile(1.0, dense=True)
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        call(0.0)
    with np.errstate(divide="ignore"):
        assert call(0.0) == np.inf
