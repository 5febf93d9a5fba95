"""What bad input gets: an error in three parts (what, where, what instead), or the right answer."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians.errors import (
    JacobiansError,
    ShapeError,
    UnknownNameError,
    UnsupportedError,
    caret,
    did_you_mean,
    missing_extra,
)

A, X, B = np.arange(12.0).reshape(3, 4), np.arange(1.0, 5.0), np.ones(3)


def error_of(f: Callable[..., Any], *args: Any, **options: Any) -> JacobiansError:
    """The error that the derivative of `f` by x raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with pytest.raises(JacobiansError) as caught:
            jac.jacobian(f, **{"wrt": "x", **options})(*args)
    return caught.value


# ---- the three parts


def test_an_error_is_printed_in_three_parts() -> None:
    error = ShapeError("shapes do not fit", "A is 3 x 4\nx is 3", "A.T @ x")
    assert (error.what, error.where, error.instead) == ("shapes do not fit", "A is 3 x 4\nx is 3", "A.T @ x")
    assert str(error) == "shapes do not fit\n  A is 3 x 4\n  x is 3\n  try: A.T @ x"
    assert str(JacobiansError("short")) == "short"


def test_errors_are_also_the_built_in_ones() -> None:
    """`except ValueError` around numpy code keeps catching shapes, `except KeyError` names."""
    for kind, built_in in (
        (ShapeError, ValueError),
        (UnknownNameError, KeyError),
        (UnsupportedError, TypeError),
    ):
        assert issubclass(kind, built_in)
        assert str(kind("what", "where", "instead")) == "what\n  where\n  try: instead"


def test_hints() -> None:
    assert did_you_mean("revers", ["reverse", "forward"]) == "reverse"
    assert did_you_mean("q", ["x", "A"]) == "one of A, x"
    assert caret("z = A @ x", 4, 9) == "z = A @ x\n    ^^^^^"
    assert str(missing_extra("matplotlib", "plot", "plots")).endswith("try: pip install 'jacobians[plot]'")


# ---- shapes

EQUAL = "sizes must be equal; nothing is broadcast in a contraction"
SHAPES: dict[str, tuple[Callable[..., Any], tuple[Any, ...], str, str, str]] = {
    "matmul": (
        lambda A, x: A @ x,
        (A, np.ones(3)),
        "shapes do not fit in @: sizes 4 and 3 differ",
        "axis 1 of A (3 x 4) against axis 0 of x (3)",
        EQUAL,
    ),
    "matmul of size one": (
        lambda A, x: A @ x,
        (A, np.ones(1)),
        "shapes do not fit in @: sizes 4 and 1 differ",
        "axis 1 of A (3 x 4) against axis 0 of x (1)",
        EQUAL,
    ),
    "a named intermediate": (
        lambda A, x: jac.name(2 * A, "G") @ x,
        (A, np.ones(3)),
        "shapes do not fit in @: sizes 4 and 3 differ",
        "axis 1 of G (3 x 4) against axis 0 of x (3)",
        EQUAL,
    ),
    "einsum of size one": (
        lambda A, x: np.einsum("ij,j->i", A, x),
        (A, np.ones(1)),
        "shapes do not fit in einsum 'ij,j->i': sizes 4 and 1 differ",
        "axis 1 of A (3 x 4) against axis 0 of x (1)",
        EQUAL,
    ),
    "tensordot": (
        lambda A, x: np.tensordot(A, x, 1),
        (A, B),
        "shapes do not fit in tensordot: sizes 4 and 3 differ",
        "axis 1 of A (3 x 4) against axis 0 of x (3)",
        EQUAL,
    ),
    "tensordot axes": (
        lambda A, x: np.tensordot(A, x, ((0, 1), (0,))),
        (A, X),
        "tensordot pairs unequal numbers of axes",
        "axes ((0, 1), (0,))",
        "one axis of y for each axis of x",
    ),
    "matmul of a number": (
        lambda A, x: A @ x,
        (A, np.float64(2.0)),
        "matmul needs arrays with axes",
        "x is (3 x 4), y is ()",
        "x * y",
    ),
    "einsum letters": (
        lambda A, x: np.einsum("ijk,j->i", A, x),
        (A, X),
        "einsum 'ijk,j->i': 'ijk' has 3 letters",
        "A (3 x 4) has 2 axes",
        "one letter for each axis",
    ),
    "einsum operands": (
        lambda A, x: np.einsum("ij->i", A, x),
        (A, X),
        "einsum 'ij->i' names 1 operands, 2 are given",
        "",
        "one group of letters each",
    ),
    "addition": (
        lambda A, x: A + x,
        (A, B),
        "shapes do not fit in +",
        "3 x 4 and (3,): sizes 4 and 3 differ",
        "make the sizes equal, or one of them 1",
    ),
    "axis": (
        lambda A, x: A.sum(axis=2) + x,
        (A, X),
        "axis 2 does not fit",
        "the array has 2 axes",
        "axes from -2 to 1, each once",
    ),
    "axis twice": (
        lambda A, x: A.sum(axis=(0, 0)) + x,
        (A, X),
        "axis (0, 0) does not fit",
        "the array has 2 axes",
        "axes from -2 to 1, each once",
    ),
    "reshape": (
        lambda A, x: A.reshape(5, 2) + x[0],
        (A, X),
        "cannot reshape (3 x 4) to (5 x 2)",
        "12 entries against 10",
        "equal numbers of entries",
    ),
    "index": (
        lambda A, x: x[4],
        (A, X),
        "index 4 is out of bounds",
        "axis 0 has size 4",
        "-4 to 3",
    ),
    "many indices": (
        lambda A, x: x[0, 0],
        (A, X),
        "too many indices: 2 for 1 axes",
        "shape (4,)",
        "at most one index for each axis",
    ),
    "an index that is none": (
        lambda A, x: x[1.5],
        (A, X),
        "an index of type float64 is no index",
        "1.5",
        "integers, slices or a boolean mask",
    ),
    "concatenate": (
        lambda A, x: np.concatenate([A, x]),
        (A, X),
        "concatenate needs equal sizes on the other axes",
        "shapes (3, 4) and (4,), joined along axis 0",
        "np.broadcast_to, or another axis",
    ),
    "stack": (
        lambda A, x: np.stack([x, B]),
        (A, X),
        "stack needs equal shapes",
        "(4,) and (3,)",
        "np.concatenate",
    ),
    "squeeze": (
        lambda A, x: np.squeeze(x * A, 0),
        (A, X),
        "squeeze takes axes of size 1 only",
        "x is (3 x 4), axis 0",
        "x.sum(axis)",
    ),
    "diag": (
        lambda A, x: np.diag(np.ones((2, 3, 4)) * x),
        (A, X),
        "diag takes a vector or a matrix",
        "x is (2 x 3 x 4)",
        "np.diagonal",
    ),
}


@pytest.mark.parametrize(("f", "args", "what", "where", "instead"), SHAPES.values(), ids=SHAPES)
def test_shapes(f: Any, args: Any, what: str, where: str, instead: str) -> None:
    error = error_of(f, *args)
    assert isinstance(error, ShapeError)
    assert (error.what, error.where, error.instead) == (what, where, instead)


def test_size_one_broadcasts_where_numpy_does() -> None:
    """The control: `+` with a size of 1 is right, and only a contraction refuses it."""
    J = jac.jacobian(lambda A, x: A + x, wrt="x")(A, np.ones(1))
    assert np.array_equal(np.asarray(J), np.ones((3, 4, 1)))


# ---- names


def test_names_of_arguments() -> None:
    def f(A: Any, x: Any) -> Any:
        return A @ x

    error = error_of(f, A, X, wrt="y")
    assert (error.what, error.where, error.instead) == (
        "wrt='y' is no argument of the function",
        "arguments: A, x",
        "one of A, x",
    )
    for wrong in (2, -3, ("x", "b"), True, 1.5):
        assert isinstance(error_of(f, A, X, wrt=wrong), UnknownNameError)
    assert error_of(lambda weights, x: x, A, X, wrt="weight").instead == "weights"


def test_names_of_orders_and_modes() -> None:
    def f(A: Any, x: Any) -> Any:
        return np.tanh(jac.name(A @ x, "z"))

    error = error_of(f, A, X, order="revers")
    assert (error.what, error.instead) == ("order 'revers' is not known", "reverse")
    assert "reverse, forward" in error.where
    assert error_of(f, A, X, order=["y"]).what == "the order names 'y', which is no vertex"
    error = error_of(f, A, X, mode="lasy")
    assert str(error) == "mode 'lasy' is not known\n  modes: lazy, materialized\n  try: lazy"


def test_arguments_that_do_not_fit_the_function() -> None:
    def f(A: Any, x: Any) -> Any:
        return A @ x

    assert str(error_of(f, A)) == (
        "the arguments do not fit f(A: 'Any', x: 'Any') -> 'Any'\n"
        "  missing a required argument: 'x'\n"
        "  try: the arguments of the function itself"
    )
    assert error_of(f, A, X, X).where == "too many positional arguments"
    with pytest.raises(AttributeError):
        _ = jac.jacobiann  # type: ignore[attr-defined]


# ---- types


def test_complex_and_object_arrays() -> None:
    error = error_of(lambda A, x: A @ x, A, X + 0j)
    assert str(error) == (
        "an array of type complex128 has no derivative here\n"
        "  value of type ndarray, shape (4,)\n"
        "  try: real numbers: x.real and x.imag apart, or .astype(float)"
    )
    for f, args in (
        (lambda A, x: A @ x, (A + 0j, X)),
        (lambda A, x: A @ x * 1j, (A, X)),
        (lambda A, x: A @ x, (A, X.astype(object))),
        (lambda A, x: x, (A, np.array([{}, None], object))),
        (lambda A, x: x.astype(complex), (A, X)),
    ):
        assert isinstance(error_of(f, *args), UnsupportedError)


def test_nothing_to_differentiate_by() -> None:
    for args in (("text",), (np.array(["a"]),), (np.array([True, False]),), (None,)):
        error = error_of(lambda x: 1.0, *args, wrt=None)
        assert error.what == "there is nothing to differentiate by"
        assert error.where.startswith("arguments: x")
    assert error_of(lambda: 1.0, wrt=None).where == "arguments: none"
    assert error_of(lambda x: 1.0, "text").what == "x holds no real array"


def test_integers_halves_and_long_doubles_are_taken_as_floats() -> None:
    for kind, expected in (
        (int, "f8"),
        (np.int32, "f8"),
        (np.float16, "f4"),
        (np.float32, "f4"),
        (np.longdouble, "f8"),
    ):
        J = jac.jacobian(lambda x: x * x)(np.array([1, 2], kind))
        assert J.dtype == np.dtype(expected)
        assert np.array_equal(np.asarray(J), np.diag([2.0, 4.0]))


# ---- values that are not known while tracing


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x if x[0] > 0 else -x,
        lambda x: max(x[0], x[1]),
        lambda x: [v for v in x if v],
        lambda x: x[0] > 0 and x,
        lambda x: sorted([x[0], x[1]]),
    ],
    ids=["if", "max", "truth", "and", "sorted"],
)
def test_a_branch_on_a_traced_value(f: Any) -> None:
    error = error_of(f, X)
    assert error.what == "a branch depends on a traced value"
    assert "has no value while the function is traced" in error.where
    assert error.instead.startswith("np.where(condition, a, b), which follows both branches")


@pytest.mark.parametrize(
    "f",
    [
        lambda x: float(x[0]),
        lambda x: np.ones(int(x[0])),
        lambda x: math.sin(x[0]),
        lambda x: x[0].item(),
        lambda x: x.tolist(),
        lambda x: range(x[0]),
    ],
    ids=["float", "int", "math", "item", "tolist", "range"],
)
def test_a_value_that_is_needed_as_a_number(f: Any) -> None:
    error = error_of(f, X)
    assert error.what.endswith("needs the value of a traced array")
    assert error.instead.startswith("keep it an array")


def test_a_mask_of_traced_values() -> None:
    error = error_of(lambda x: x[x > 0], X)
    assert error.what == "an index depends on a traced value"
    assert error.instead == "np.where(mask, x, 0), or an index array made outside the function"
    assert "has no shape yet" in error_of(lambda x: np.nonzero(x), X).what


def _assigns(x: Any) -> Any:
    x[0] = 1.0
    return x


def _fills(x: Any) -> Any:
    y = np.zeros(4)
    y[0] = x[0]
    return y


def _adds_to_a_constant(x: Any) -> Any:
    y = np.zeros(4)
    y += x
    return y


@pytest.mark.parametrize(
    "f",
    [
        _assigns,
        _fills,
        _adds_to_a_constant,
        lambda x: np.add(x, x, out=np.ones(4)),
        lambda x: np.sum(x, out=np.ones(())),
        lambda x: x.fill(0),
    ],
    ids=["assign", "into an array", "+= of an array", "out= of a ufunc", "out=", "fill"],
)
def test_writing_in_place_names_the_functional_form(f: Any) -> None:
    error = error_of(f, X)
    assert "np.stack([...])" in error.instead
    assert "np.concatenate([...])" in error.instead


def test_where_of_a_ufunc() -> None:
    assert error_of(lambda x: np.add(x, x, where=X > 0), X).instead == "np.where(condition, a, b)"


# ---- results


@pytest.mark.parametrize(
    ("result", "what"),
    [
        (None, "the function returned NoneType"),
        ("text", "the function returned str"),
        ({"a": {1}}, "the function returned set at ['a']"),
        ([X, None], "the function returned NoneType at [1]"),
    ],
    ids=["None", "text", "set", "nested"],
)
def test_functions_that_return_no_array(result: Any, what: str) -> None:
    error = error_of(lambda x: result, X)
    assert (error.what, error.instead) == (what, "return an array, or a container of arrays")


def test_a_function_that_returns_nothing_at_all() -> None:
    for nothing in ((), [], {}):
        error = error_of(lambda x, n=nothing: n, X)
        assert (error.what, error.where) == ("the function returned no array", f"it returned {nothing!r}")


def test_an_error_of_the_function_is_its_own() -> None:
    with pytest.raises(ZeroDivisionError):
        jac.jacobian(lambda x: x / (1 // 0))(X)
    with pytest.raises(ValueError, match="mine"):
        jac.jacobian(_raises)(X)


def _raises(x: Any) -> Any:
    raise ValueError("mine")


# ---- what numpy can and this cannot, by name


@pytest.mark.parametrize(
    ("f", "named"),
    [
        (lambda x: np.linalg.eig(np.outer(x, x)), "np.linalg.eig"),
        (lambda x: np.gcd(x, 2), "np.gcd"),
        (lambda x: np.add.reduceat(x, [0, 2]), "np.add.reduceat"),
        (lambda x: np.add.at(x, 0, 1), "np.add.at"),
        (lambda x: np.fft.fft(x), "fft"),
        (lambda x: np.packbits(x), "np.packbits"),
    ],
    ids=["eig", "gcd", "reduceat", "at", "fft", "packbits"],
)
def test_unsupported_functions_are_named(f: Any, named: str) -> None:
    error = error_of(f, X)
    assert isinstance(error, UnsupportedError)
    assert named in error.what
    assert error.what.endswith("is not traced")
    assert error.instead
    assert len(str(error).splitlines()[-1]) < 200


def test_near_misses_are_suggested() -> None:
    assert "eigh" in error_of(lambda x: np.linalg.eig(np.outer(x, x)), X).instead


def test_attributes_that_arrays_have_and_traced_values_lack() -> None:
    error = error_of(lambda x: x.sort(), X)
    assert error.what == ".sort of a traced value is not supported"
    assert isinstance(error, AttributeError)
    assert not np.asarray(jac.jacobian(lambda x: x * hasattr(x, "nonsense"))(X)).any()


def test_cross_of_plane_vectors() -> None:
    error = error_of(lambda x: np.cross(x[:2], x[2:]), X)
    assert (error.what, error.instead) == (
        "cross takes vectors of length 3",
        "x[0]*y[1] - x[1]*y[0] in the plane",
    )


# ---- the Jacobian object


def test_seeds_indices_and_compositions_that_do_not_fit() -> None:
    J = jac.jacobian(lambda A, x: A @ x, wrt="A")(A, X)
    K = jac.jacobian(lambda A, x: A @ x, wrt="x")(A, X)
    for act, what, where in (
        (lambda: J.jvp(B), "jvp: the seed has another shape", "seed (3,), input axes (3, 4)"),
        (lambda: J.vjp(X), "vjp: the seed has another shape", "seed (4,), target axes (3,)"),
        (lambda: J[3], "index 3 is out of bounds", "axis 0 has size 3"),
        (lambda: J[0, 0, 0, 0], "too many indices: 4 for 3 axes", "shape (3, 3, 4)"),
        (lambda: J + K, "cannot add two Jacobians of different shapes", "3 x (3 x 4) and 3 x 4"),
        (
            lambda: J.materialize(out=np.ones((2, 2))),
            "out has another shape",
            "out is float64 (2, 2), the Jacobian (3, 3, 4)",
        ),
        (
            lambda: J @ K,
            "cannot contract two Jacobians: their middle axes differ",
            "input axes (3, 4) against target axes (3,)",
        ),
    ):
        with pytest.raises(ShapeError) as caught:
            act()
        assert (caught.value.what, caught.value.where) == (what, where)
        assert caught.value.instead


def test_a_jacobian_that_is_being_traced_has_no_numbers() -> None:
    def f(x: Any) -> Any:
        inner = jac.jacobian(lambda x: x * x)(x)
        return inner.core()[0][0]

    assert error_of(f, X).what == "this Jacobian has no numbers"


# ---- odd but right: empty, zero-dimensional, not finite


@pytest.mark.parametrize("shape", [(0, 4), (3, 0), (0, 0)], ids=str)
def test_empty_arrays(shape: tuple[int, int]) -> None:
    a, x = np.ones(shape), np.ones(shape[1])
    for f in (
        lambda A, x: np.tanh(A @ x),
        lambda A, x: A * x,
        lambda A, x: A.sum(0) + x,
        lambda A, x: A.T[::-1],
    ):
        y = f(a, x)
        for name, J in jac.jacobian(f)(a, x).items():
            given = {"A": a, "x": x}[name]
            dense = np.asarray(J)
            assert dense.shape == J.shape == y.shape + given.shape
            assert not dense.any() or dense.size
            assert J.jvp(np.ones(given.shape)).shape == y.shape
            assert J.vjp(np.ones(y.shape)).shape == given.shape
            assert J.nnz <= J.size


def test_parts_with_no_entries() -> None:
    x = np.array([2.0, 3.0])
    for f, expected in (
        (lambda x: np.concatenate([x, x[:0], x * x]), np.concatenate([np.eye(2), np.diag(2 * x)])),
        (lambda x: x[2:], np.zeros((0, 2))),
        (lambda x: x[np.array([], int)] * 2, np.zeros((0, 2))),
        (lambda x: x[2:].sum() + x[0], np.array([1.0, 0.0])),
        (lambda x: x[:0].reshape(0, 3).sum(0), np.zeros((3, 2))),
        (lambda x: np.ones((2, 0)) @ np.outer(x[:0], x), np.zeros((2, 2, 2))),
    ):
        for order in ("reverse", "forward"):
            assert np.array_equal(np.asarray(jac.jacobian(f, order=order)(x)), expected)
    assert jac.hessian(lambda x: (x * x).sum())(np.ones(0)).shape == (0, 0)


def test_reductions_of_nothing() -> None:
    assert np.asarray(jac.jacobian(lambda x: x.sum())(np.ones(0))).shape == (0,)
    assert error_of(lambda x: x.max(), np.ones(0)).what == "the max of no entries does not exist"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        value, J = jac.value_and_jacobian(lambda x: x.mean())(np.ones(0))
    assert np.isnan(value)
    assert J.shape == (0,)


def test_zero_dimensional_arrays() -> None:
    t = np.array(0.5)
    for f, expected in (
        (lambda x: np.sin(x) * 2, 2 * np.cos(0.5)),
        (lambda x: x[()] ** 2, 1.0),
        (lambda x: x.reshape(1)[0] + x.sum() + x.T, 3.0),
        (lambda x: np.stack([x, x]).sum(), 2.0),
        (lambda x: np.broadcast_to(x, (2, 3)).sum(), 6.0),
    ):
        J = jac.jacobian(f)(t)
        assert J.shape == ()
        assert np.isclose(float(np.asarray(J)), expected, rtol=1e-14)
        assert np.isclose(J.jvp(2.0), 2 * expected)
    with pytest.raises(TypeError, match="scalar"):
        len(jac.jacobian(lambda x: x * x)(t))
    with pytest.raises(TypeError, match="scalar"):
        jac.jacobian(lambda x: list(x[0]))(X)


def test_not_a_number_and_infinity() -> None:
    """What is not finite stays in its own entry: the zeros of the dense tensor are zeros."""
    x = np.array([1.0, np.nan, np.inf])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for f, slope in (
            (lambda x: x * x, 2 * x),
            (np.tanh, 1 - np.tanh(x) ** 2),
            (lambda x: 3 * x, [3.0] * 3),
        ):
            J = np.asarray(jac.jacobian(f)(x))
            assert np.array_equal(np.diag(J), slope, equal_nan=True)
            assert (
                np.array_equal(J - np.diag(np.diag(J)), np.diag(np.zeros(3)), equal_nan=True)
                or np.isnan(slope).any()
            )
            assert not J[~np.eye(3, dtype=bool)].any()
        by_a = np.asarray(jac.jacobian(lambda A, x: A @ x, wrt="A")(np.ones((2, 3)), x))
    assert np.array_equal(by_a[0, 0], x, equal_nan=True)
    assert not by_a[0, 1].any()


@pytest.mark.parametrize("options", [{"order": None}, {"order": 3}, {"mode": None}, {"mode": []}])
def test_what_is_no_order_and_no_mode(options: dict[str, Any]) -> None:
    error = error_of(lambda x: x**2, X, **options)
    ((kind, value),) = options.items()
    assert error.what in (f"order={value!r} is no order", f"mode {value!r} is not known")
    assert kind in error.what
    assert error.where
    assert error.instead


@pytest.mark.parametrize("split", [-1, 3])
def test_a_link_of_a_chain_has_at_most_all_its_axes_as_target_axes(split: int) -> None:
    with pytest.raises(ShapeError, match=f"{split} target axes of an array of 2 axes"):
        jac.chain((A, split))


def test_materialize_knows_two_backends() -> None:
    with pytest.raises(UnknownNameError, match="backend 'torch' is not known"):
        jac.jacobian(np.sin)(X).materialize(backend="torch")


def test_iterating_over_a_jacobian_ends() -> None:
    J = jac.jacobian(lambda x: A @ x)(X)
    rows = list(J)
    np.testing.assert_array_equal([np.asarray(row) for row in rows], A)
    with pytest.raises(TypeError, match="scalar Jacobian"):
        iter(jac.jacobian(np.sin)(0.5)).__next__()


@pytest.mark.parametrize("p", [True, False, math.inf, -math.inf, math.nan])
def test_odd_exponents_are_answered_as_numpy_answers_them(p: float) -> None:
    x = np.array([0.5, 0.25])
    got = np.diag(np.asarray(jac.jacobian(lambda x: x**p)(x)))
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(got, p * x ** (p - 1.0))


def test_arguments_that_an_operation_does_not_take() -> None:
    error = error_of(lambda x: np.sum(x, initial=3.0), X)
    assert error.what == "sum is not traced with these arguments"
    assert "'initial'" in error.where
    assert error.instead.startswith("the arguments of sum(x")


@pytest.mark.parametrize("order", ["K", "A"])
def test_an_order_that_depends_on_memory(order: str) -> None:
    error = error_of(lambda x: x.T.ravel(order), A)
    assert error.what == f"order={order!r} depends on how an array lies in memory"


def test_truths_add_to_a_truth_as_in_numpy() -> None:
    def f(x: Any) -> Any:
        return x * ((x > 1.5) + (x > 2.5))

    value, J = jac.value_and_jacobian(f)(X)
    np.testing.assert_array_equal(value, f(X))
    np.testing.assert_array_equal(np.asarray(J), np.diag([0.0, 1.0, 1.0, 1.0]))
    assert error_of(lambda x: x * ((x > 1.5) - (x > 2.5)), X).what == "truths cannot be subtracted"


def test_flat_is_indexed_and_iterated() -> None:
    got = jac.jacobian(lambda x: x.flat[5] * sum(x.flat))(A)
    np.testing.assert_array_equal(
        np.asarray(got), A[1, 1] + np.where(np.arange(12) == 5, A.sum(), 0).reshape(3, 4)
    )


def _doubled(v: Any) -> None:
    v *= 2


def _in_place_alias(x: Any) -> Any:
    y = x
    y += 1
    return x * y


def _in_place_helper(x: Any) -> Any:
    y = 1.0 * x
    _doubled(y)
    return y * x


def _in_place_copy(x: Any) -> Any:
    y = x.copy()
    y *= x
    return y * x


def _in_place_number(x: Any) -> Any:
    total = x.sum()
    before = total
    total += x[0, 0]
    return total * before


def _in_place_gathered(x: Any) -> Any:
    y = x[[0, 1]]
    y *= 2
    return y.sum() + x.sum()


def _in_place_temporary(x: Any) -> Any:
    y = (x * x).reshape(-1)
    y += x.ravel()
    return y


def _in_place_transposed(x: Any) -> Any:
    y = x[:, :3] * x[:, 1:]
    y += y.T
    return y


@pytest.mark.parametrize(
    "f",
    [
        _in_place_alias, _in_place_helper, _in_place_copy, _in_place_number, _in_place_gathered,
        _in_place_temporary, _in_place_transposed,
    ],
)  # fmt: skip
def test_a_change_in_place_is_seen_under_every_name_as_in_numpy(f: Any) -> None:
    got = np.asarray(jac.jacobian(f)(A))
    step = 1e-6
    for k in range(A.size):
        up, down = A.copy(), A.copy()
        up.flat[k] += step
        down.flat[k] -= step
        wanted = (f(up) - f(down)) / (2 * step)
        np.testing.assert_allclose(got.reshape(*np.shape(wanted), -1)[..., k], wanted, atol=1e-6)


def _through_a_view(x: Any) -> Any:
    y = x[0]
    y *= 2
    return x * x


def _under_a_view(x: Any) -> Any:
    z = x * x
    y = z[0]
    z += 1
    return y * z


@pytest.mark.parametrize("f", [_through_a_view, _under_a_view])
def test_a_change_in_place_that_a_view_would_see(f: Any) -> None:
    error = error_of(f, A)
    assert error.what == "an array and a view of it are in use, and one is changed in place"
    assert error.instead == "x = x + y in place of x += y, or .copy() where the view is made"


def test_an_array_cannot_grow_in_place() -> None:
    def grown(x: Any) -> Any:
        x += np.ones((2, 1))
        return x

    assert error_of(grown, X).what == "an array cannot grow in place"


def test_the_condition_of_where_is_a_truth() -> None:
    got = np.asarray(jac.jacobian(lambda x: np.where(x - 1.5, x**2, 5 * x))(X))
    np.testing.assert_allclose(got, np.diag(np.where(X - 1.5, 2 * X, 5.0)))
    got = np.asarray(jac.jacobian(lambda x: np.where(np.array([2, 0, 1, 0]), x**2, 5 * x))(X))
    np.testing.assert_allclose(got, np.diag(np.where([2, 0, 1, 0], 2 * X, 5.0)))


@pytest.mark.parametrize("running", [np.cumsum, np.cumprod])
def test_running_sums_count_truths_as_numpy_does(running: Callable[..., Any]) -> None:
    def f(x: Any) -> Any:
        return x * (1 + running(x > 1.5))

    value, J = jac.value_and_jacobian(f)(X)
    np.testing.assert_array_equal(value, f(X))
    np.testing.assert_array_equal(np.diag(np.asarray(J)), 1 + running(X > 1.5))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x * ((x > 1.5) @ (x > -2)),
        lambda x: x * np.einsum("i,i->", x > 1.5, x > -2),
        lambda x: x * np.dot(x > 1.5, np.array([True, True, True, True])),
        lambda x: x * (np.arange(4) @ (x > 1.5)),
        lambda x: x * np.tensordot(x > 1.5, x > -2, 1),
        lambda x: x * np.einsum("i->", x > 1.5),
    ],
)
def test_sums_of_products_of_truths_are_truths_as_in_numpy(f: Any) -> None:
    value, J = jac.value_and_jacobian(f)(X)
    np.testing.assert_array_equal(value, f(X))
    np.testing.assert_array_equal(np.diag(np.asarray(J)), f(X) / X)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(x, dtype=np.float32),
        lambda x: np.add(x, x, dtype=np.float32),
        lambda x: x.cumsum(dtype="f4"),
        lambda x: np.mean(x, dtype=float),
    ],
)
def test_the_type_that_is_asked_for(f: Any) -> None:
    value, J = jac.value_and_jacobian(f)(X)
    assert value.dtype == np.asarray(J).dtype == f(X).dtype
    np.testing.assert_array_equal(value, f(X))


def test_what_is_no_function_no_array_and_no_real_number() -> None:
    J = jac.jacobian(np.sin)(X)
    for act, what, instead in (
        (lambda: jac.jacobian(3), "there is no function to differentiate", "a function of arrays"),
        (
            lambda: jac.hessian("x*x"),
            "there is no function to differentiate",
            "jac.jacobian(jac.read('x*x'))",
        ),
        (lambda: J.materialize(out=np.zeros((4, 4), int)), "out is no array of floats", "np.empty(J.shape)"),
        (lambda: J.materialize(out=[1]), "out is no array of floats", "np.empty(J.shape)"),
        (
            lambda: J.jvp("abc"),
            "jvp: the seed is not of real numbers",
            "an array of real numbers; the real and the imaginary part one after another",
        ),
        (
            lambda: J.vjp(1j * X),
            "vjp: the seed is not of real numbers",
            "an array of real numbers; the real and the imaginary part one after another",
        ),
    ):
        with pytest.raises(JacobiansError) as caught:
            act()
        assert (caught.value.what, caught.value.instead) == (what, instead)
    with pytest.raises(UnknownNameError):
        jac.shapes("z = A @ x", target="q", A="M,N", x="N")


def test_a_style_of_source_that_is_not_known() -> None:
    with pytest.raises(UnknownNameError) as caught:
        jac.source(lambda A, x: A @ x, style="slide")
    assert (caught.value.what, caught.value.instead) == ("style 'slide' is not known", "slides")


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 4)])
@pytest.mark.parametrize("f", [jac.functions.softmax, jac.functions.log_softmax])
def test_softmax_over_no_entries_is_empty(f: Any, shape: tuple[int, ...]) -> None:
    value, J = jac.value_and_jacobian(f)(np.ones(shape))
    assert np.shape(value) == shape
    assert np.asarray(J).shape == shape + shape
