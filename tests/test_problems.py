"""The shipped problems: published values, Jacobians against differences, and every order giving the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians.bench.problems import PROBLEMS, problem
from jacobians.bench.scalar_problems import call_price
from jacobians.containers import flatten
from jacobians.derivative import Jacobian
from jacobians.errors import UnknownNameError
from jacobians.plan import evaluate
from jacobians.prepared import linear_of
from jacobians.terms import assemble
from jacobians.traces import trace_function
from jacobians.vertex_orders import accumulate_in, elimination_graph

LARGE = ("chain-narrowing", "chain-widening", "chain-600", "chain-waist")


def jacobians_of(name: str) -> dict[tuple[int, str], np.ndarray]:
    """Every Jacobian of a problem as (number of the target, path of the input): dense array."""
    one = PROBLEMS[name]
    found = jac.jacobian(one.derivative, one.wrt)(**one.inputs())
    leaves = [leaf for _, leaf in flatten(found)[0]]
    assert all(isinstance(leaf, Jacobian) for leaf in leaves)
    trace = trace_function(one.derivative, (), one.inputs(), one.wrt)
    width = len(trace.wrt)
    return {(k // width, str(trace.wrt[k % width].name)): np.asarray(leaf) for k, leaf in enumerate(leaves)}


def values(name: str, inputs: dict[str, Any]) -> list[np.ndarray]:
    """The targets; for a second order problem the gradient's entries."""
    return [np.asarray(leaf, float) for _, leaf in flatten(PROBLEMS[name].derivative(**inputs))[0]]


def moved(inputs: dict[str, Any], path: str, step: np.ndarray) -> dict[str, Any]:
    leaves, rebuild = flatten(inputs)
    wanted = [p for p, _ in leaves if p == f"['{path.split('[')[0]}']" + path[len(path.split("[")[0]) :]]
    assert len(wanted) == 1
    made: dict[str, Any] = rebuild(
        [np.asarray(leaf) + step if p == wanted[0] else leaf for p, leaf in leaves]
    )
    return made


@pytest.mark.parametrize("name", [name for name in PROBLEMS if name not in LARGE])
def test_every_entry_against_differences(name: str) -> None:
    """Central differences of the function (of its gradient, where the problem is a Hessian)."""
    inputs = PROBLEMS[name].inputs()
    leaves = dict(flatten(inputs)[0])
    for (k, path), found in jacobians_of(name).items():
        key = f"['{path.split('[')[0]}']" + path[len(path.split("[")[0]) :]
        at = np.asarray(leaves[key], float)
        expected = np.empty(found.shape)
        for place in np.ndindex(at.shape):
            step = np.zeros(at.shape)
            step[place] = h = 1e-6 * max(1e-2, abs(at[place]))
            up, down = values(name, moved(inputs, path, step))[k], values(name, moved(inputs, path, -step))[k]
            expected[(..., *place)] = (up - down) / (2 * h)
        scale = max(1.0, float(np.max(np.abs(expected))))
        assert np.max(np.abs(found - expected)) <= 2e-5 * scale, (k, path)


@pytest.mark.parametrize("name", LARGE)
def test_chains_along_directions(name: str) -> None:
    """A complex step along three directions, exact to rounding."""
    one = PROBLEMS[name]
    inputs, rng = one.inputs(), np.random.default_rng(3)
    J = jac.jacobian(one.f, one.wrt)(**inputs)
    for _ in range(3):
        v = rng.normal(size=inputs["x"].shape)
        expected = one.f(inputs["x"] + 1e-30j * v, inputs["A"]).imag / 1e-30
        assert np.allclose(J.jvp(v), expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "outputs"),
    [
        ("roe-flux-1d", [0.017196699141100908, 0.03398286437626909, 0.034418301339457176]),
        (
            "robot-arm",
            [
                1167.0316087849021,
                23.41769049630126,
                -624.040959804875,
                0.013329875400545076,
                3.081595320938124,
                -3.1082547757886827,
            ],
        ),
    ],
)
def test_published_outputs(name: str, outputs: list[float]) -> None:
    one = PROBLEMS[name]
    assert np.allclose(one.f(**one.inputs()), outputs, rtol=1e-15)


@pytest.mark.parametrize(
    ("name", "rule", "counts"),
    [
        ("roe-flux-1d", "plain", (620, 364, 407)),
        ("roe-flux-1d", "unit-free", (362, 234, 280)),
        ("robot-arm", "plain", (397, 301, 288)),
        ("robot-arm", "unit-free", (227, 221, 179)),
    ],
)
def test_published_counts_of_the_traced_functions(name: str, rule: str, counts: tuple[int, ...]) -> None:
    """Tracing the numpy function finds the published graph: forward, reverse and Markowitz cost the same."""
    one = PROBLEMS[name]
    graph = elimination_graph(linear_of(trace_function(one.f, (), one.inputs())))
    assert tuple(graph.cost(order, rule) for order in ("forward", "reverse", "markowitz")) == counts


def test_roe_flux_in_three_dimensions_is_consistent() -> None:
    """Equal states on both sides: the flux is the Euler flux itself."""
    rho, m1, m2, m3, e = 1.2, 0.3, -0.2, 0.5, 3.0
    p = 0.4 * (e - 0.5 * (m1**2 + m2**2 + m3**2) / rho)
    u = m1 / rho
    found = PROBLEMS["roe-flux-3d"].f(rho, m1, m2, m3, e, rho, m1, m2, m3, e)
    assert np.allclose(found, [m1, m1 * u + p, m2 * u, m3 * u, u * (e + p)])
    other = PROBLEMS["roe-flux-3d"].f(rho, m1, m2, m3, e, rho * 1.1, m1, m2, m3, e)
    assert not np.allclose(found, other)


def test_the_greeks_are_the_first_derivatives_of_the_price() -> None:
    one = PROBLEMS["black-scholes"]
    inputs = one.inputs()
    found = jac.jacobian(call_price)(**inputs)
    assert np.allclose([np.asarray(found[key]) for key in inputs], one.f(**inputs), rtol=1e-13)


def test_a_batch_varies_every_entry() -> None:
    one = PROBLEMS["propane"]
    batch = one.batch(7)
    assert {value.shape for value in batch.values()} == {(7,)}
    rows = [one.f(**{key: value[k] for key, value in batch.items()}) for k in range(7)]
    assert np.allclose(np.stack(one.f(**batch), axis=-1), rows)


def test_unknown_problem() -> None:
    with pytest.raises(UnknownNameError, match="problem 'arm' is not known"):
        problem("arm")


ORDERS = {
    "encoder": 30,
    "perceptron": 60,
    "relu-hessian": 20,
    "layers": 50,
    "roe-flux-1d": 15,
    "heart-dipole": 40,
}


@pytest.mark.parametrize("name", ORDERS)
def test_random_orders_give_the_same_jacobian(name: str) -> None:
    """Softmax, layer norm, residuals, a tied weight, a Hessian, scalars: the order changes cost alone."""
    one = PROBLEMS[name]
    trace = trace_function(one.derivative, (), one.inputs(), one.wrt)
    linear = linear_of(trace)
    known = {n.serial: n.value for n in trace.variables}

    def dense(order: str, seed: int = 0) -> list[np.ndarray]:
        rows = accumulate_in(linear, order, seed=seed).rows
        wanted = [(terms, assemble(terms)) for row in rows for terms in row]
        full = evaluate([node for terms, node in wanted if terms.terms], known)
        left = iter(full)
        return [np.asarray(next(left)) if t.terms else np.zeros([int(n) for n in t.shape]) for t, _ in wanted]

    expected = dense("reverse")
    assert any(np.any(array) for array in expected)
    orders = {tuple(accumulate_in(linear, "random", seed=k).order) for k in range(5)}
    assert len(orders) == 5
    for seed in range(ORDERS[name]):
        for a, b in zip(dense("random", seed), expected, strict=True):
            assert np.allclose(a, b, rtol=1e-8, atol=1e-10 * max(1.0, float(np.max(np.abs(b), initial=0))))
