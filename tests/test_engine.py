"""The engine end to end: random programs, containers, nesting, depth, laziness, batches, staleness."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jacobians as jac
from jacobians.errors import BudgetError
from jacobians.graph import linearize
from jacobians.plan import make_plan
from jacobians.traces import trace_function

from .oracles import assert_close, differences, largest, listed

RNG = np.random.default_rng(7)
A, X, B = RNG.normal(size=(3, 4)), RNG.normal(size=4), RNG.normal(size=3)


def by(f: Callable[..., Any], *arrays: Any, k: int = 0, **options: Any) -> np.ndarray:
    """The dense Jacobian of `f` by its argument number k."""
    return np.asarray(jac.jacobian(f, wrt=k, **options)(*arrays))


def judge(f: Callable[..., Any], *arrays: Any, tolerance: float = 1e-8) -> None:
    """Every argument's Jacobian against central differences, and every order the same."""
    for k, array in enumerate(arrays):
        if isinstance(array, np.ndarray):
            (expected,) = differences(listed(f), arrays, k)
            for order in ("reverse", "forward", "markowitz"):
                assert_close(
                    by(f, *arrays, k=k, order=order), expected, tolerance, f"{order}, argument {k}", 1e-3
                )


# ---- random programs


def _softmax(x: Any) -> Any:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


# A step takes X of 3 x 4, W of 4 x 4, v of 4 and gives another X of 3 x 4; all steps share W and v.
POOL: dict[str, Callable[[Any, Any, Any], Any]] = {
    "layer": lambda x, w, v: np.tanh(x @ w + v),
    "residual": lambda x, w, v: x + np.sin(x @ w),
    "square": lambda x, w, v: x * x / 4,
    "scaled rows": lambda x, w, v: x * np.array([0.5, -1.0, 2.0])[:, None],
    "gate": lambda x, w, v: x / (1 + np.exp(-x * v)),
    "flip": lambda x, w, v: x[::-1, ::-1] - v,
    "shift": lambda x, w, v: np.concatenate([x[1:], x[:1] * 2]),
    "columns": lambda x, w, v: np.concatenate([x[:, 2:], x[:, :2] + v[:2]], axis=1),
    "reshape": lambda x, w, v: (x.reshape(2, 6)[:, ::-1] + 1).reshape(3, 4),
    "across": lambda x, w, v: x.T.reshape(3, 4) * v,
    "gather": lambda x, w, v: x[:, np.array([3, 0, 0, 1])] + x,
    "gram": lambda x, w, v: (x @ x.T) @ x / 8,
    "outer": lambda x, w, v: x + np.einsum("i,j->ij", x[:, 0], v) / 4,
    "diagonal": lambda x, w, v: x + np.einsum("ii->i", w) * v,
    "centred": lambda x, w, v: x - x.mean(axis=0),
    "total": lambda x, w, v: x + np.sum(x * x) / 16,
    "stacked": lambda x, w, v: np.stack([x[0] * x[1], x[2], v]),
    "where": lambda x, w, v: np.where(np.array([True, False, True, False]), x, np.cos(x)),
    "assembled": lambda x, w, v: x / 2 + np.array([x[0] * 2, v * x[1], x[2] - x[0]]),
    "softmax": lambda x, w, v: _softmax(x),
    "triangle": lambda x, w, v: x @ (w * np.tri(4)),
    "bilinear": lambda x, w, v: np.einsum("ij,jk,k->ij", x, w, v) / 2,
}
programs = st.lists(st.sampled_from(sorted(POOL)), min_size=1, max_size=5)


@settings(max_examples=60, deadline=None)
@given(programs, st.integers(0, 1000))
def test_random_programs(steps: list[str], seed: int) -> None:
    def f(x: Any, w: Any, v: Any) -> Any:
        for step in steps:
            x = POOL[step](x, w, v)
        return x

    rng = np.random.default_rng(seed)
    judge(f, rng.uniform(-1, 1, (3, 4)), rng.uniform(-1, 1, (4, 4)), rng.uniform(-1, 1, 4), tolerance=2e-6)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(sorted(POOL)), min_size=1, max_size=3), st.integers(0, 1000))
def test_random_programs_to_second_order(steps: list[str], seed: int) -> None:
    def f(x: Any, w: Any, v: Any) -> Any:
        for step in steps:
            x = POOL[step](x, w, v)
        return np.sum(x * v, axis=1)

    rng = np.random.default_rng(seed)
    arrays = rng.uniform(-1, 1, (3, 4)), rng.uniform(-1, 1, (4, 4)), rng.uniform(-1, 1, 4)

    def first(x: Any, w: Any, v: Any) -> list[np.ndarray]:
        return [by(f, x, w, v, k=2)]

    for k in (0, 2):
        (expected,) = differences(first, arrays, k)
        found = by(jac.jacobian(f, wrt=2), *arrays, k=k)
        assert_close(found, expected, 1e-6, f"second order by argument {k}", max(largest(found), 1e-2))


@pytest.mark.parametrize("name", sorted(POOL))
def test_each_step_of_the_pool_twice(name: str) -> None:
    step = POOL[name]
    rng = np.random.default_rng(3)
    judge(
        lambda x, w, v: step(step(x, w, v), w, v),
        rng.uniform(-1, 1, (3, 4)),
        rng.uniform(-1, 1, (4, 4)),
        rng.uniform(-1, 1, 4),
    )


def test_a_random_list_of_names_is_an_order() -> None:
    def f(A: Any, x: Any) -> Any:
        z = jac.name(A @ x, "z")
        y = jac.name(np.tanh(z), "y")
        w = jac.name(y * y + z, "w")
        return np.sin(w) @ y

    expected = by(f, A, X)
    for order in (["z", "y", "w"], ["w", "z", "y"], ["y", "w", "z"], ["w"], ()):
        assert_close(by(f, A, X, order=order), expected, 1e-13, str(order))


# ---- containers, arguments, results


class Parameters(NamedTuple):
    W: Any
    b: Any


def test_a_dict_of_arrays_gives_a_dict_of_jacobians() -> None:
    def f(p: Any) -> Any:
        return np.tanh(p["A"] @ p["x"]) + p["b"]

    J = jac.jacobian(f)({"A": A, "x": X, "b": B})
    assert {k: v.shape for k, v in J.items()} == {"A": (3, 3, 4), "x": (3, 4), "b": (3, 3)}
    assert_close(J["A"], by(lambda a: np.tanh(a @ X), A), 1e-14, "A")


def test_nested_containers_are_mirrored() -> None:
    def f(layers: Any, x: Any) -> Any:
        for W, b in layers:
            x = np.tanh(W @ x + b)
        return x

    layers = [(A, B), (RNG.normal(size=(2, 3)), RNG.normal(size=2))]
    J = jac.jacobian(f)(layers, X)
    assert set(J) == {"layers", "x"}
    assert [[j.shape for j in pair] for pair in J["layers"]] == [[(2, 3, 4), (2, 3)], [(2, 2, 3), (2, 2)]]
    assert isinstance(J["layers"], list)
    assert isinstance(J["layers"][0], tuple)
    expected = by(lambda W: f([(W, B), layers[1]], X), A)
    assert_close(J["layers"][0][0], expected, 1e-13, "first W")
    alone = jac.jacobian(f, wrt="layers")(layers, X)
    assert_close(alone[1][1], J["layers"][1][1], 1e-15, "alone")


def test_named_tuples_keep_their_type() -> None:
    J = jac.jacobian(lambda p, x: p.W @ x + p.b, wrt="p")(Parameters(A, B), X)
    assert isinstance(J, Parameters)
    assert_close(J.b, np.eye(3), 1e-15, "b")


def test_results_may_be_containers() -> None:
    def f(A: Any, x: Any) -> Any:
        z = A @ x
        return {"z": z, "parts": (np.tanh(z), [z.sum()])}

    J = jac.jacobian(f)(A, X)
    assert J["z"]["A"].shape == (3, 3, 4)
    assert J["parts"][0]["x"].shape == (3, 4)
    assert J["parts"][1][0]["A"].shape == (3, 4)
    value, only = jac.value_and_jacobian(f, wrt="x")(A, X)
    assert_close(value["parts"][1][0], (A @ X).sum(), 1e-14, "value")
    assert_close(only["parts"][1][0], A.sum(0), 1e-14, "sum")


def test_a_result_that_feeds_another_result() -> None:
    def f(x: Any) -> Any:
        y = np.sin(x)
        return y, y * y, x

    for order in ("reverse", "forward", "markowitz"):
        first, second, third = jac.jacobian(f, order=order)(X)
        assert_close(first, np.diag(np.cos(X)), 1e-14, "y")
        assert_close(second, np.diag(2 * np.sin(X) * np.cos(X)), 1e-14, "y*y")
        assert_close(third, np.eye(4), 1e-14, "x")


def test_the_same_result_twice() -> None:
    first, second = jac.jacobian(lambda x: (x, x))(X)
    assert_close(first, np.eye(4), 1e-15, "first")
    assert_close(second, np.eye(4), 1e-15, "second")


def test_keywords_defaults_and_positions() -> None:
    def f(A: Any, x: Any = X, *, scale: float = 2.0, shift: Any = None) -> Any:
        return scale * (A @ x) if shift is None else scale * (A @ x) + shift

    assert set(jac.jacobian(f)(A)) == {"A", "x"}  # a number left at its default is an option
    assert set(jac.jacobian(f)(A, scale=3.0)) == {"A", "x", "scale"}
    assert_close(jac.jacobian(f, wrt="scale")(A, scale=3.0), A @ X, 1e-14, "scale")
    assert_close(jac.jacobian(f, wrt="shift")(A, shift=B), np.eye(3), 1e-15, "shift")
    assert_close(jac.jacobian(f, wrt=0)(A, x=X), 2 * by(lambda A: A @ X, A), 1e-14, "A")
    assert_close(jac.jacobian(f, wrt=-3)(A), jac.jacobian(f, wrt="x")(A), 1e-15, "from the end")
    both = jac.jacobian(f, wrt=("x", "A"))(A)
    assert list(both) == ["x", "A"]


def test_starred_arguments() -> None:
    def f(*xs: Any, **named: Any) -> Any:
        return xs[0] @ xs[1] + named["b"]

    J = jac.jacobian(f)(A, X, b=B)
    assert [j.shape for j in J["xs"]] == [(3, 3, 4), (3, 4)]
    assert_close(J["named"]["b"], np.eye(3), 1e-15, "b")


def test_numpy_functions_themselves() -> None:
    assert_close(jac.jacobian(np.tanh)(X), np.diag(1 - np.tanh(X) ** 2), 1e-14, "tanh")
    assert_close(jac.jacobian(np.matmul, wrt=0)(A, X), by(lambda A: A @ X, A), 1e-14, "matmul")
    assert_close(jac.jacobian(np.sum, wrt=0)(A), np.ones((3, 4)), 1e-15, "sum")


def test_methods_partials_and_callables() -> None:
    from functools import partial

    class Model:
        W = A

        def __call__(self, x: Any) -> Any:
            return self.W @ x

        def twice(self, x: Any) -> Any:
            return 2 * self(x)

    for f, factor in ((Model(), 1), (Model().twice, 2), (partial(lambda x, k: k * (A @ x), k=3), 3)):
        assert_close(by(f, X), factor * A, 1e-14, "callable")


def test_scalars_and_zero_dimensional_arrays() -> None:
    J = jac.jacobian(lambda t: t**3)(2.0)
    assert J.shape == ()
    assert float(np.asarray(J)) == 12.0
    assert float(np.asarray(jac.jacobian(np.sin)(np.array(0.5)))) == np.cos(0.5)
    assert jac.jacobian(lambda x: x.sum())(X).shape == (4,)
    assert jac.jacobian(lambda t: t * X)(1.5).shape == (4,)
    assert (
        float(np.asarray(jac.jacobian(lambda n: 1.5 * n)(3))) == 1.5
    )  # an integer argument is taken as real


def test_constants_and_independent_results() -> None:
    zero = jac.jacobian(lambda x: np.ones((2, 3)))(X)
    assert zero.shape == (2, 3, 4)
    assert not np.asarray(zero).any()
    assert zero.nnz == 0
    assert zero.jvp(np.ones(4)).shape == (2, 3)
    J = jac.jacobian(lambda A, x: A.sum(), wrt="x")(A, X)
    assert not np.asarray(J).any()
    assert not np.asarray(jac.jacobian(lambda x: 3.0)(X)).any()


def test_the_identity_function() -> None:
    assert_close(jac.jacobian(lambda A: A)(A), np.eye(12).reshape(3, 4, 3, 4), 1e-15, "identity")


def test_arrays_of_traced_values() -> None:
    judge(lambda x: np.array([x[0] * x[1], 2.0, np.sin(x[2])]), X)
    judge(lambda x: np.array([[x[0], 1.0], [x[1] * x[2], x[3]]]) @ np.array([1.0, 2.0]), X)
    judge(lambda x: np.stack([x[k] ** 2 for k in range(4)]), X)
    judge(lambda x: np.array([x, x * 2]).sum(0), X)
    judge(lambda x: sum(x[k] * (k + 1) for k in range(len(x))), X)
    judge(lambda x: np.array([v for v in x]) * 2, X)


# ---- nesting


def test_third_derivatives_by_nesting() -> None:
    third = jac.jacobian(jac.hessian(lambda x: np.sum(np.sin(x) * x[::-1])))(X)
    assert third.shape == (4, 4, 4)

    def second(x: Any) -> list[np.ndarray]:
        return [np.asarray(jac.hessian(lambda x: np.sum(np.sin(x) * x[::-1]))(x))]

    assert_close(third, differences(second, [X], 0)[0], 1e-7, "third order")


def test_third_derivatives_of_functions_of_one_number() -> None:
    f, expected = (lambda t: np.sinc(t) * np.exp(t)), None
    for order in range(1, 4):
        before = f
        f = jac.jacobian(before)
        expected = differences(lambda t, g=before: [np.asarray(g(t), float)], [np.array(0.7)], 0)[0]
        assert_close(np.asarray(f(np.array(0.7))), expected, 1e-8, f"order {order}")


def test_fourth_derivative_of_a_power() -> None:
    f: Any = lambda x: x**5  # noqa: E731
    for _ in range(4):
        f = jac.jacobian(f)
    assert float(np.asarray(f(2.0))) == 240.0


def test_mixed_second_derivatives() -> None:
    def f(A: Any, x: Any) -> Any:
        return np.tanh(A @ x)

    mixed = jac.hessian(f, wrt=("x", "A"))(A, X)
    other = jac.hessian(f, wrt=("A", "x"))(A, X)
    assert mixed.shape == (3, 4, 3, 4)
    assert_close(mixed, np.moveaxis(np.asarray(other), -1, 1), 1e-13, "symmetry")


def test_a_jacobian_inside_a_function_is_its_tensor() -> None:
    """A penalty on the derivative: `sum((dz/dx)^2)` by A."""

    def penalty(A: Any, x: Any) -> Any:
        return np.sum(jac.jacobian(lambda x: np.tanh(A @ x))(x) ** 2)

    judge(penalty, A, X, tolerance=1e-8)
    judge(lambda A, x: np.einsum("ij->j", jac.jacobian(lambda x: np.sin(A @ x))(x)), A, X)
    judge(
        lambda x: (
            jac.jacobian(lambda x: x**3)(x) @ x + np.sum(jac.jacobian(lambda y: np.outer(y, x))(x), (0, 2))
        ),
        X,
    )


def test_a_gradient_step_may_be_differentiated() -> None:
    def step(x: Any, rate: Any) -> Any:
        return x - rate * jac.jacobian(lambda x: np.sum(np.cos(x) * x))(x)

    judge(step, X, np.array(0.1))


def test_functions_of_a_jacobian_that_holds_numbers() -> None:
    """The same trace with another Jacobian in its closure: nothing of the first one is kept."""
    found = []
    for scale in (1.0, 2.0):
        K = jac.jacobian(lambda x, s: np.sin(s * x), wrt=0)(X, scale)
        found.append(by(lambda x, K=K: K @ (x * x), X))
        assert_close(found[-1], np.diag(scale * np.cos(scale * X)) * (2 * X), 1e-13, "through K")
    assert not np.allclose(*found)


# ---- nothing is stale, nothing is shared


def test_a_rebound_closure_changes_the_next_call() -> None:
    weights = {"W": A}
    J = jac.jacobian(lambda x: np.tanh(weights["W"] @ x))
    before = np.asarray(J(X))
    weights["W"] = 2 * A
    assert_close(J(X), by(lambda x: np.tanh(2 * A @ x), X), 1e-14, "after rebinding")
    assert not np.allclose(before, np.asarray(J(X)))


def test_a_captured_array_changed_in_place_changes_the_next_call() -> None:
    held, power = A.copy(), np.array([2.0, 3.0, 2.0, 1.0])
    J = jac.jacobian(lambda x: held @ x**power)
    J(X)
    held *= 3
    power += 1
    assert_close(J(X), 3 * A * (power * X ** (power - 1)), 1e-13, "after writing", 1.0)


@pytest.mark.parametrize("index", [np.array([0, 2, 1]), np.array([3, 3, 0])], ids=["first", "second"])
def test_a_captured_index_array_or_scalar_is_part_of_the_structure(index: np.ndarray) -> None:
    for scale in (2.0, 3.0):
        J = by(lambda x, n=int(scale): n * x[index] ** n, X**2)
        assert_close(J, scale**2 * (X**2) ** (scale - 1) * np.eye(4)[index], 1e-13, "indexed")


def test_writing_to_an_argument_later_changes_nothing() -> None:
    a, x = A.copy(), X.copy()
    for f in (lambda a, x: a @ x, lambda a, x: a.T[1:] * x[1:, None], lambda a, x: (a @ x) * 2.0):
        J = jac.jacobian(f)(a, x)
        before = {name: np.array(j) for name, j in J.items()}
        cores = {name: [c.copy() for c, _ in j.core()] for name, j in J.items()}
        value, _ = jac.value_and_jacobian(f)(a, x)
        kept = np.array(value)
        a *= 2
        x += 1
        for name, j in J.items():
            assert np.array_equal(np.asarray(j), before[name])
            assert all(np.array_equal(c, d) for (c, _), d in zip(j.core(), cores[name], strict=True))
        assert np.array_equal(value, kept)
        a[...], x[...] = A, X


def test_a_value_is_never_the_argument_itself() -> None:
    x = X.copy()
    value, _ = jac.value_and_jacobian(lambda x: x)(x)
    part, _ = jac.value_and_jacobian(lambda x: x[1:])(x)
    x += 100
    assert np.array_equal(value, X)
    assert np.array_equal(part, X[1:])


def test_results_may_be_written_to() -> None:
    J = jac.jacobian(lambda x: np.sin(x))(X)
    dense = np.asarray(J)
    dense[...] = 0
    assert np.asarray(J).any()


# ---- depth


def _counts(f: Callable[..., Any], *arrays: Any) -> tuple[int, int, int]:
    """Vertices of the linearised graph, factors of the Jacobian's Terms, and steps of the plan."""
    traced = trace_function(f, arrays, {}, 0)
    linear = linearize(traced.targets, traced.wrt)
    ((terms,),) = linear.eliminate("reverse")
    nodes = [node for t in terms.terms for node, _ in t.factors]
    plan, _ = make_plan(nodes, traced.variables)
    return len(linear.nodes), len(nodes), len(plan.steps)


def _residual(depth: int) -> Callable[..., Any]:
    weights = [np.random.default_rng(k).normal(size=(5, 5)) / 8 for k in range(depth)]

    def f(r: Any) -> Any:
        for W in weights:
            r = r + np.tanh(W @ r)
        return r

    return f


def test_a_residual_net_of_depth_200_costs_linearly() -> None:
    """The graph has 2^200 paths; its cost is counted in steps, and doubles with the depth."""
    r = np.linspace(-1, 1, 5)
    some, more = _counts(_residual(100), r), _counts(_residual(200), r)
    assert more[0] == 2 * some[0] - 1
    assert more[1] == some[1] <= 4
    assert some[2] < 12 * 100
    assert more[2] <= 2 * some[2] + 10
    start = time.perf_counter()
    J = by(_residual(200), r)
    assert time.perf_counter() - start < 5
    assert_close(J, differences(listed(_residual(200)), [r], 0)[0], 1e-7, "residual net")
    for order in ("forward", "markowitz"):
        assert_close(by(_residual(200), r, order=order), J, 1e-11, order)


def _chain(depth: int) -> Callable[..., Any]:
    W = np.random.default_rng(0).normal(size=(3, 3)) / 2

    def f(x: Any) -> Any:
        for _ in range(depth):
            x = np.tanh(W @ x)
        return x

    return f


def test_a_chain_of_1000_layers_costs_linearly() -> None:
    x = np.array([0.3, -0.2, 0.9])
    some, more = _counts(_chain(500), x), _counts(_chain(1000), x)
    assert more[0] == 2 * some[0] - 1 == 2001
    assert more[1] == some[1] <= 2
    assert some[2] < 8 * 500
    assert more[2] <= 2 * some[2] + 10
    start = time.perf_counter()
    J = by(_chain(1000), x)
    assert time.perf_counter() - start < 10
    product = np.eye(3)
    y = x
    W = np.random.default_rng(0).normal(size=(3, 3)) / 2
    for _ in range(1000):
        y = np.tanh(W @ y)
        product = (1 - y**2)[:, None] * W @ product
    assert_close(J, product, 1e-9, "chain")


def test_a_dense_residual_net_of_shifts_keeps_few_terms() -> None:
    """Index maps at every layer: wirings cannot multiply either."""

    def f(x: Any) -> Any:
        for k in range(40):
            x = x + 0.1 * np.sin(np.concatenate([x[1:], x[:1]])) * (k % 3)
        return x

    x = np.linspace(0, 1, 6)
    traced = trace_function(f, (x,), {}, 0)
    ((terms,),) = linearize(traced.targets, traced.wrt).eliminate("reverse")
    assert len(terms.terms) <= 64
    judge(f, x)


# ---- laziness


M, N = 2000, 1999


def test_dz_dA_at_two_thousand_is_lazy() -> None:
    """64 GB if written out: made, multiplied, indexed and composed without that."""
    big, x = np.ones((M, N)), np.linspace(0, 1, N)
    derivative = jac.jacobian(lambda A, x: A @ x, wrt="A")
    derivative(big, x)
    start = time.perf_counter()
    J = derivative(big, x)
    made = time.perf_counter() - start
    assert J.shape == (M, M, N)
    assert J.nnz == M * N
    assert J.nbytes == x.nbytes
    start = time.perf_counter()
    v, u = np.random.default_rng(0).normal(size=(M, N)), np.linspace(-1, 1, M)
    assert_close(J.jvp(v), v @ x, 1e-12, "jvp")
    assert_close(J.vjp(u), np.outer(u, x), 1e-12, "vjp")
    assert J[3, 3, 5] == x[5]
    assert J[3, 4, 5] == 0
    assert_close(J[3, 3], x, 1e-15, "row")
    assert_close(np.asarray(J[:, 2, 7]), np.eye(M)[2] * x[7], 1e-15, "J[:, 2, 7]")
    assert J[5].shape == (M, N)
    assert J[:, 2].shape == (M, N)
    assert J[2:4].shape == (2, M, N)
    ((core, wiring),) = J.core()
    assert wiring == "k|iik" or core.shape == (N,)
    df = jac.jacobian(np.tanh)(big @ x / 1e3)
    composed = df @ J
    assert composed.shape == (M, M, N)
    assert composed.nnz == M * N
    assert_close(composed[1, 1, :4], (1 - np.tanh(x.sum() / 1e3) ** 2) * x[:4], 1e-12, "composed")
    used = time.perf_counter() - start
    assert made < 0.05, f"{made:.3f} s to make it"
    assert used < 3, f"{used:.3f} s to use it"


def test_materialize_refuses_with_the_size_and_the_remedy() -> None:
    J = jac.jacobian(lambda A, x: jac.name(A @ x, "z"), wrt="A")(np.ones((M, M)), np.ones(M))
    with pytest.raises(BudgetError) as caught:
        J.materialize()
    assert str(caught.value) == (
        "materializing ∂z/∂A needs 64.0 GB (2000 × 2000 × 2000 float64), limit 4.3 GB\n"
        "  16.0 kB of factors are held\n"
        "  try: keep it lazy: J.jvp(v), J.vjp(u), J[i], J.core(); or a larger max_bytes (--limit)"
    )
    with pytest.raises(BudgetError, match=r"needs 288 B .*limit 100 B"):
        jac.jacobian(lambda A, x: A @ x, wrt="A")(A, X).materialize(max_bytes=100)
    assert (
        np.asarray(jac.jacobian(lambda A, x: A @ x, wrt="A")(A, X).materialize(max_bytes=288)).nbytes == 288
    )


def test_a_repr_computes_nothing() -> None:
    J = jac.jacobian(lambda A, x: jac.name(A @ x, "z"), wrt="A")(np.ones((M, M)), np.ones(M))
    assert (
        repr(J)
        == "Jacobian of z of shape 2000 x (2000 x 2000) by A: 4000000 of 8000000000 entries can be nonzero, "
        "64.0 GB if materialized"
    )


def test_jacobians_add_scale_and_compose_as_tensors() -> None:
    J = jac.jacobian(lambda x: np.sin(x))(X)
    K = jac.jacobian(lambda x: x[::-1] * x)(X)
    for lazy, expected in (
        (J + K, np.asarray(J) + np.asarray(K)),
        (J - K, np.asarray(J) - np.asarray(K)),
        (2 * J, 2 * np.asarray(J)),
        (-J, -np.asarray(J)),
        (J @ K, np.asarray(J) @ np.asarray(K)),
        (J @ K + J, np.asarray(J) @ np.asarray(K) + np.asarray(J)),
    ):
        assert isinstance(lazy, jac.Jacobian)
        assert_close(lazy, expected, 1e-14, "algebra")


# ---- a batch is a shared label


def test_a_function_applied_row_by_row_has_per_sample_jacobians() -> None:
    rows = RNG.normal(size=(5, 4))
    J = jac.jacobian(lambda X: np.tanh(X @ A.T))(rows)
    ((core, wiring),) = J.core()
    assert core.shape == (5, 3, 4)
    target, given = wiring.split("|")[-2:] if wiring.count("|") else ("", "")
    assert J.nnz == 5 * 3 * 4
    for sample, block in zip(rows, core, strict=True):
        assert_close(block, by(lambda x: np.tanh(A @ x), sample), 1e-13, "one sample")
    assert target or given


def test_samples_that_interact_share_no_label() -> None:
    rows = RNG.normal(size=(5, 4))

    def f(X: Any) -> Any:
        return np.tanh((X - X.mean(axis=0)) @ A.T)

    J = jac.jacobian(f)(rows)
    assert all(core.shape != (5, 3, 4) for core, _ in J.core()) or len(J.core()) > 1
    assert J.nnz == J.size or len(J.core()) > 1
    judge(f, rows)


# ---- NaN that mathematics does not have


def test_where_selects_and_never_multiplies() -> None:
    x = np.array([-1.0, 0.0, 2.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for f, expected in (
            (lambda x: np.where(x > 0, np.log(x), 0.0), [0, 0, 0.5]),
            (lambda x: np.where(x > 0, np.sqrt(x), 0.0), [0, 0, 0.5 / np.sqrt(2)]),
            (lambda x: np.where(x > 0, np.sin(np.log(x)), x), [1, 1, np.cos(np.log(2)) / 2]),
            (lambda x: 2 * np.where(x != 0, 1 / x, 0.0), [-2, 0, -0.5]),
        ):
            for order in ("reverse", "forward", "markowitz"):
                assert_close(by(f, x, order=order), np.diag(expected), 1e-14, order)
        W = np.arange(6.0).reshape(2, 3)
        for order in ("reverse", "forward", "markowitz"):
            found = by(lambda x: W @ np.where(x > 0, np.log(x), 0.0), x, order=order)
            assert_close(found, W * [0, 0, 0.5], 1e-14, order)
            second = by(jac.jacobian(lambda x: np.where(x > 0, np.log(x), 0.0), order=order), x, order=order)
            assert_close(np.einsum("iii->i", second), [0, 0, -0.25], 1e-14, order)


def test_nan_and_inf_inputs_stay_where_they_are() -> None:
    x = np.array([1.0, np.nan, np.inf, 2.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        J = by(lambda x: x * x, x)
        assert np.array_equal(np.diag(J), [2.0, np.nan, np.inf, 4.0], equal_nan=True)
        assert np.array_equal(J[~np.eye(4, dtype=bool)], np.zeros(12))
        assert np.array_equal(by(lambda x: x[[0, 3]] ** 2, x), [[2.0, 0, 0, 0], [0, 0, 0, 4.0]])


# ---- scipy's functions by name


def test_scipy_functions_are_known_by_name() -> None:
    special = pytest.importorskip("scipy.special")
    for name in ("expit", "erf", "log_expit", "erfc"):
        judge(getattr(special, name), X)
    judge(lambda x: special.xlogy(x, x), X**2 + 0.5)


# ---- the rule of the identity node, and shapes with nothing in them


def test_a_named_argument_is_an_identity() -> None:
    assert_close(by(lambda x: jac.name(x, "y") * 2, X), 2 * np.eye(4), 1e-15, "named")
    assert_close(
        by(lambda x: jac.name(jac.name(np.sin(x), "y"), "w"), X), np.diag(np.cos(X)), 1e-15, "named twice"
    )


def test_large_index_arrays_of_one_shape_are_told_apart() -> None:
    x = np.arange(600.0)
    first, second = np.arange(600), np.arange(600)[::-1].copy()
    first[3], second[3] = 7, 9  # no stride: tables

    def f(index: Any) -> Any:
        return jac.jacobian(lambda x: x[index] * 2.0)(x)

    assert f(first)[3, 7] == 2.0
    assert f(second)[3, 9] == 2.0
    assert f(first)[3, 9] == 0.0


def test_the_function_that_jacobian_returns_says_what_it_is() -> None:
    def layer(A: Any, x: Any, n: int = 2) -> Any:
        return np.tanh(A @ x) ** n

    shown = {
        "Jacobian of layer: call it as layer(A, x)": jac.jacobian(layer),
        "Jacobian of layer by A: call it as layer(A, x)": jac.jacobian(layer, "A"),
        "Hessian of layer by x: call it as layer(A, x)": jac.hessian(layer, "x"),
        "Hessian of layer by x, A: call it as layer(A, x)": jac.hessian(layer, ("x", "A")),
        "Third derivative of layer by x: call it as layer(A, x)": jac.jacobian(jac.hessian(layer, "x"), "x"),
        "Value and Jacobian of f: call it as f(*xs)": jac.value_and_jacobian(lambda *xs: sum(xs)),
        "Jacobian of sin: call it as sin(x)": jac.jacobian(np.sin),
        "Jacobian of f: call it as f(x, y=...)": jac.jacobian(lambda x, /, *, y, **rest: x),
    }
    for text, made in shown.items():
        assert repr(made) == text
