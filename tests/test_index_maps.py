"""What rows cannot say of index maps: Terms and memory, values of later calls, conventions, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians.axes import symbol
from jacobians.errors import JacobiansError, ShapeError, UnsupportedError
from jacobians.graph import linearize
from jacobians.traces import symbolic_variable
from jacobians.tracing import Traced
from jacobians.wiring import Affine, Table

N = 200_000


def held(J: jac.Jacobian) -> int:
    """The entries of all arrays that a Jacobian holds, and of the index tables in its wirings."""
    tables = {s.node for t in J.terms.terms for s in (*t.target, *t.input) if isinstance(s, Table)}
    constants = sum(np.size(node.value) for node in tables if node.op == "constant")
    return sum(np.size(value) for value in (J.values or {}).values()) + constants


# ---- Terms and memory


def test_differences_are_two_terms_without_factors() -> None:
    J = jac.jacobian(lambda x: x[1:] - x[:-1])(np.arange(5.0))
    assert len(J.terms.terms) == 2
    assert all(not t.factors for t in J.terms.terms)
    assert sorted(t.coefficient for t in J.terms.terms) == [-1, 1]
    assert any(isinstance(slot, Affine) for t in J.terms.terms for slot in t.input)


@pytest.mark.parametrize(
    ("f", "terms", "entries"),
    [
        (lambda x: np.roll(x, 3), 2, 0),
        (lambda x: np.roll(x, 1) + np.roll(x, -1) - 2 * x, 5, 0),
        (np.flip, 1, 0),
        (lambda x: np.pad(x, 7), 1, 0),
        (lambda x: np.repeat(x, 3), 1, 0),
        (lambda x: np.tile(x, 3), 1, 0),
        (lambda x: x.reshape(100, -1)[:, ::7], 1, 0),
        (lambda x: np.concatenate([x, x]), 2, 0),
        (lambda x: np.pad(x, 7, "reflect"), 1, N + 14),
        (lambda x: x[np.argsort(x)], 1, N),
        (np.sort, 1, N),
        (lambda x: np.sort(x**2), 1, 2 * N),
        (lambda x: np.convolve(x, np.ones(5)), 1, 5),
    ],
    ids=["roll", "laplacian", "flip", "pad", "repeat", "tile", "slice", "concatenate", "reflect", "gather",
         "sort", "sort-square", "convolve"],
)  # fmt: skip
def test_a_large_index_map_costs_no_more_than_its_indices(f: Any, terms: int, entries: int) -> None:
    """A one-hot array would hold 4e10 entries; here there are the integers, or nothing at all."""
    x = np.random.default_rng(0).permutation(N) + 1.0  # far apart: no step changes the order
    J = jac.jacobian(f)(x)
    assert len(J.terms.terms) == terms
    assert held(J) == entries
    v = np.random.default_rng(1).normal(size=N)
    step = 1e-3 * v
    np.testing.assert_allclose(J.jvp(v), (f(x + step) - f(x - step)) / 2e-3, rtol=1e-6, atol=1e-2)


def test_sort_is_a_selection_by_a_traced_order() -> None:
    x = np.array([2.0, 3.0, 1.0])
    (only,) = jac.jacobian(np.sort)(x).terms.terms
    (slot,) = only.input
    assert isinstance(slot, Table)
    assert slot.node.op == "argsort"
    assert not only.factors


def test_later_calls_sort_anew() -> None:
    """The plan of the first call is reused; its order of the entries must not be."""
    f = jac.jacobian(lambda x: np.sort(x) ** 2)
    for x in ([1.0, 2.0, 3.0], [3.0, 1.0, 2.0], [2.0, 3.0, 1.0]):
        J = f(np.array(x))
        order = np.argsort(x)
        expected = np.zeros((3, 3))
        expected[range(3), order] = 2 * np.sort(x)
        np.testing.assert_array_equal(np.asarray(J), expected)
        np.testing.assert_array_equal(J.jvp(np.arange(3.0)), expected @ np.arange(3.0))
        np.testing.assert_array_equal(J.vjp(np.arange(3.0)), np.arange(3.0) @ expected)
        np.testing.assert_array_equal(np.asarray(J[1]), expected[1])


def test_later_compiled_calls_sort_anew() -> None:
    for dense in (False, True):
        compiled = jac.jacobian(np.sort).compile(np.array([1.0, 2.0, 3.0]), dense=dense)
        np.testing.assert_array_equal(np.asarray(compiled(np.array([3.0, 1.0, 2.0]))).argmax(1), [1, 2, 0])


# ---- conventions


def test_equal_entries_keep_their_order() -> None:
    J = np.asarray(jac.jacobian(np.sort)(np.array([3.0, 1.0, 1.0, 2.0])))
    np.testing.assert_array_equal(J.argmax(1), [1, 2, 3, 0])
    assert J.sum() == 4


@pytest.mark.parametrize("f", [np.argsort, np.argmax, np.argmin, lambda x: np.searchsorted(x, 0.5)])
def test_places_have_no_derivative(f: Any) -> None:
    J = jac.jacobian(f)(np.array([0.3, 0.1, 0.7]))
    assert J.terms.terms == ()
    assert not np.asarray(J).any()


def test_triangles_select() -> None:
    """What a triangle leaves out may be inf or NaN: it is selected away, not multiplied by 0."""
    x = np.array([[1.0, np.inf], [2.0, 3.0]])
    value, J = jac.value_and_jacobian(lambda x: np.tril(x) ** 2)(x)
    np.testing.assert_array_equal(value, [[1.0, 0.0], [4.0, 9.0]])
    assert np.isfinite(np.asarray(J)).all()
    lower = jac.jacobian(lambda x: np.triu(np.log(x)))(np.array([[1.0, 2.0], [0.0, 4.0]]))
    assert np.asarray(lower)[1, 1, 1, 1] == 0.25


def test_interp_at_a_knot_has_the_slope_to_the_right_and_none_outside() -> None:
    knots, values = np.array([0.0, 1.0, 3.0]), np.array([0.0, 2.0, 3.0])
    J = jac.jacobian(lambda x: np.interp(x, knots, values))(np.array([-1.0, 0.0, 1.0, 3.5]))
    np.testing.assert_array_equal(np.diag(np.asarray(J)), [0.0, 2.0, 0.5, 0.0])


@pytest.mark.parametrize(
    ("f", "shape", "terms"),
    [
        (np.flip, ("M", "N"), 1),
        (lambda x: np.roll(x, 2, axis=0), ("M", "N"), 2),
        (lambda x: np.repeat(x, 3, axis=1), ("M", "3*N"), 1),
        (lambda x: np.tile(x, (2, 1)), ("2*M", "N"), 1),
        (lambda x: np.pad(x, 1), ("M + 2", "N + 2"), 1),
        (np.tril, ("M", "N"), 1),
        (lambda x: np.diff(x, axis=0), ("M - 1", "N"), 2),
        (lambda x: np.hstack([x, x]), ("M", "2*N"), 2),
        (lambda x: x[1:, -1], ("M - 1",), 1),
        (lambda x: np.take(x, [2, 0], axis=1), ("M", "2"), 1),
    ],
)
def test_symbolic_sizes(f: Callable[..., Any], shape: tuple[str, ...], terms: int) -> None:
    x = symbolic_variable("x", (symbol("M"), symbol("N")))
    z = f(Traced(x)).node
    assert tuple(map(str, z.shape)) == shape
    ((J,),) = linearize([z], [x]).eliminate("reverse")
    assert len(J.terms) == terms


# ---- errors


X = np.arange(6.0).reshape(2, 3)


@pytest.mark.parametrize(
    ("f", "error", "text"),
    [
        (lambda x: np.nonzero(x)[0], UnsupportedError, "of a traced value has no shape yet"),
        (lambda x: x[x > 0], UnsupportedError, "an index depends on a traced value"),
        (lambda x: np.compress(x[0] > 0, x, axis=1), UnsupportedError, "np.compress of a traced value"),
        (lambda x: np.delete(x, np.argmax(x)), UnsupportedError, "np.delete of a traced value"),
        (lambda x: x[2], ShapeError, "index 2 is out of bounds"),
        (lambda x: np.take(x, [0, 3], axis=1), ShapeError, "axis 1 has size 3"),
        (lambda x: np.take_along_axis(x, np.array([[3]]), 1), ShapeError, "index 3 is out of bounds"),
        (lambda x: np.take_along_axis(x, np.array([0]), 1), ShapeError, "an index for every place"),
        (lambda x: np.split(x, 2, axis=1), ShapeError, "cannot split into 2 equal parts"),
        (lambda x: np.concatenate([x, x[0]]), ShapeError, "equal sizes on the other axes"),
        (lambda x: np.stack([x, x.T]), ShapeError, "stack needs equal shapes"),
        (lambda x: np.block([[x], x]), ShapeError, "lists of one depth"),
        (lambda x: np.flip(x, 2), ShapeError, "axis 2 does not fit"),
        (lambda x: np.pad(x, 1, "linear_ramp"), UnsupportedError, "mode 'linear_ramp'"),
        (lambda x: np.pad(x, ((1, 1, 1),)), ShapeError, "pad widths do not fit"),
        (lambda x: np.convolve(x, [1.0, 2.0]), ShapeError, "np.convolve takes two vectors"),
        (lambda x: np.convolve(x[0], [1.0], "some"), UnsupportedError, "mode 'some' is not known"),
        (lambda x: np.interp(x, [0, 1], [0, 1], period=1), UnsupportedError, "np.interp(period=)"),
        (lambda x: np.interp(x, [0, 1], [0, 1, 2]), ShapeError, "two vectors of samples"),
        (lambda x: np.gradient(x, x[0, 0]), UnsupportedError, "constant spacings only"),
        (lambda x: np.gradient(x[:, :1], axis=1), ShapeError, "too few samples"),
        (lambda x: np.quantile(x, 0.5, method="nearest"), UnsupportedError, "method 'nearest'"),
        (lambda x: np.percentile(x, 120), ShapeError, "a quantile is out of range"),
        (lambda x: np.vander(x), ShapeError, "np.vander takes a vector"),
        (lambda x: np.choose([0, 2], [x[0, 0], x[1, 1]]), ShapeError, "a choice is out of range"),
        (lambda x: np.select([x > 0], [], x), ShapeError, "a choice for each condition"),
    ],
)  # fmt: skip
def test_errors_have_three_parts(f: Any, error: type[JacobiansError], text: str) -> None:
    with pytest.raises(error) as caught:
        jac.jacobian(f)(X)
    assert text in str(caught.value)
    assert caught.value.instead
