"""Compiled calls, printed programs, dense writing and batches: the same results as the plain call."""

from __future__ import annotations

import gc
import inspect
import tracemalloc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import pages
from jacobians.errors import JacobiansError, ShapeError, UnsupportedError
from jacobians.toeplitz import toeplitz_view

rng = np.random.default_rng(3)
A, B, x, b = rng.normal(size=(3, 4)), rng.normal(size=(4, 5)), rng.normal(size=4), rng.normal(size=3)
P = {"W": A, "b": b}
ONES = np.ones(4)


def layer(A: Any, x: Any, b: Any) -> Any:
    z = A @ x + b
    return np.tanh(z)


def loss(A: Any, x: Any, b: Any, y: Any) -> Any:
    z = A @ x + b
    f = np.tanh(z)
    return 0.5 * np.sum((f - y) ** 2)


CALLS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "layer": (layer, (A, x, b)),
    "loss": (loss, (A, x, b, np.ones(3))),
    "scalars": (lambda x: x[0] ** 2 * x[1] + x[2] * x[3] ** 3, (x,)),
    "functions of scalars": (lambda x: np.array([np.exp(x[0]) / x[1], np.arctan2(x[2], x[3])]), (x,)),
    "one scalar": (lambda t: np.sin(t) ** 2 + 2 * np.cos(t), (np.float64(0.3),)),
    "a sum of the argument itself": (lambda x: np.cos(np.sum(x)), (x,)),
    "log of zero": (lambda x: np.log(x - x[0]) * x[1], (x,)),
    "one entry backwards": (lambda x: x[:1][::-1] * x, (x,)),
    "slices": (lambda x: x[1:] - x[:-1], (x,)),
    "matrix product": (lambda A, B: A @ B, (A, B)),
    "dict": (lambda p, x: {"z": p["W"] @ x + p["b"], "n": np.sum(x)}, (P, x)),
    "dict of one": (lambda p: p["W"] ** 2, ({"W": A},)),
    "list": (lambda xs: (xs[0] * xs[1], [xs[0].sum()]), ([x, x + 1],)),
    "option": (lambda x, n=3: x**n, (x,)),
    "sorted": (lambda x: np.sort(x)[::-1] * x, (x,)),
    "sorted parts": (lambda x: np.sort(np.concatenate([x, x[:1]])), (x,)),
    "polynomial": (lambda x: np.polyval(x, 2.0), (x,)),
    "norm": (lambda x: np.linalg.norm(x), (x,)),
    "inverse": (lambda x: np.linalg.inv(np.outer(x, x) + np.eye(4)), (x,)),
    "constant": (lambda x: np.ones(3), (x,)),
    "infinite coefficients": (lambda x: np.exp(x) * float("-inf") + x * float("nan"), (x,)),
    "residual": (lambda x: x + np.tanh(A.T @ (A @ x)), (x,)),
}


def same(got: Any, want: Any) -> None:
    if isinstance(want, dict):
        assert list(got) == list(want)
        for key in want:
            same(got[key], want[key])
    elif isinstance(want, (list, tuple)):
        assert type(got) is type(want)
        for one, other in zip(got, want, strict=True):
            same(one, other)
    else:
        np.testing.assert_allclose(np.asarray(got), np.asarray(want), rtol=1e-12, atol=1e-14)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("options", [{}, {"dense": True}, {"reuse": True}], ids=["lazy", "dense", "reuse"])
@pytest.mark.parametrize("name", CALLS)
def test_a_compiled_call_gives_what_the_plain_call_gives(name: str, options: Any) -> None:
    f, args = CALLS[name]
    call = jac.jacobian(f).compile(*args, **options)
    same(call(*args), jac.jacobian(f)(*args))
    moved = tuple(_moved(arg) for arg in args)
    same(call(*moved), jac.jacobian(f)(*moved))


def _moved(arg: Any) -> Any:
    if isinstance(arg, dict):
        return {key: _moved(value) for key, value in arg.items()}
    if isinstance(arg, list):
        return [_moved(value) for value in arg]
    return arg * 1.25 + 0.125 if isinstance(arg, (np.ndarray, np.floating)) else arg


@pytest.mark.parametrize("name", ["layer", "scalars", "dict"])
def test_values_come_with_their_jacobians(name: str) -> None:
    f, args = CALLS[name]
    value, found = jac.value_and_jacobian(f).compile(*args)(*args)
    want, plain = jac.value_and_jacobian(f)(*args)
    same(value, want)
    same(found, plain)


def test_scalar_graphs_make_no_array_on_the_way() -> None:
    source = jac.jacobian(CALLS["scalars"][0]).compile(x).source
    assert ".tolist()" in source
    assert "np." not in source


def test_a_reused_result_is_read_only_and_refilled() -> None:
    call = jac.jacobian(layer, "A").compile(A, x, b, reuse=True)
    first = call(A, x, b)
    kept = first.copy()
    assert not first.flags.writeable
    second = call(A + 1, x, b)
    assert second is first
    assert not np.allclose(first, kept)
    np.testing.assert_allclose(first, np.asarray(jac.jacobian(layer, "A")(A + 1, x, b)))


def test_out_is_written_whole() -> None:
    call = jac.jacobian(layer, "A").compile(A, x, b)
    out = np.full((3, 3, 4), np.nan)
    assert call(A, x, b, out=out) is out
    np.testing.assert_allclose(out, np.asarray(jac.jacobian(layer, "A")(A, x, b)))


def test_another_shape_is_an_error_that_names_the_argument() -> None:
    call = jac.jacobian(layer, "A").compile(A, x, b)
    with pytest.raises(ShapeError, match=r"compiled for x of shape \(4,\)") as caught:
        call(A, np.ones(5), b)
    assert "x has shape (5,)" in str(caught.value)


def test_compiling_inside_a_traced_function_is_refused() -> None:
    def nested(x: Any) -> Any:
        return jac.jacobian(lambda y: y * y).compile(x)(x)

    with pytest.raises(UnsupportedError, match="compile needs arrays as examples"):
        jac.jacobian(nested)(x)


def test_results_do_not_alias_arguments() -> None:
    a = A.copy()
    call = jac.jacobian(lambda A, x: A @ x, "x").compile(a, x)
    held = call(a, x)
    before = np.asarray(held).copy()
    a[:] = 0
    np.testing.assert_array_equal(np.asarray(held), before)


# ---- printed programs


INFINITE, BACKWARDS = "infinite coefficients", "one entry backwards"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("style", ["structured", "slides"])
@pytest.mark.parametrize(
    "name",
    [
        "layer",
        "loss",
        "slices",
        "matrix product",
        "inverse",
        "norm",
        "residual",
        "scalars",
        BACKWARDS,
        INFINITE,
    ],
)
def test_a_printed_program_runs_alone_and_agrees(name: str, style: str) -> None:
    f, args = CALLS[name]
    text = jac.source(f, style=style)(*args)
    assert [line for line in text.splitlines() if line.startswith(("import", "from"))] == [
        "import numpy as np"
    ]
    namespace: dict[str, Any] = {}
    exec(compile(text, "<program>", "exec"), namespace)
    function = [value for value in namespace.values() if callable(value)][-1]
    found = function(*args)
    wanted = jac.jacobian(f)(*args)
    wanted = list(wanted.values()) if isinstance(wanted, dict) else [wanted]
    for got, want in zip(found[-len(wanted) :], wanted, strict=True):
        np.testing.assert_allclose(got, np.asarray(want), rtol=1e-10)


def test_the_slide_program_has_the_diagonal_and_the_lecture_s_einsum() -> None:
    text = jac.source(layer, style="slides")(A, x, b)
    assert "np.diag(" in text
    assert "np.einsum('ij,jkl->ikl'" in text


def test_every_line_of_a_program_says_its_shape() -> None:
    lines = [
        line
        for line in jac.source(layer)(A, x, b).splitlines()
        if " = " in line and "np.zeros" not in line and "arange" not in line
    ]
    assert all("# shape" in line or "# scalar" in line for line in lines)


# ---- dense results that are mostly zero


def test_untouched_pages_are_not_paid_for() -> None:
    J = jac.jacobian(lambda A, x: A @ x, "A")(np.ones((300, 200)), np.arange(200.0))
    dense = J.materialize()
    assert dense.nbytes == 300 * 300 * 200 * 8
    assert dense[7, 7, 5] == 5.0
    assert dense[7, 8, 5] == 0.0
    dense[0, 1, 0] = 3.0  # its own, writable
    assert dense[0, 1, 0] == 3.0


def test_the_fraction_of_written_pages_decides() -> None:
    assert pages.written_fraction([((500, 400), (1_600_000 + 3200, 8))], 8, 800_000_000) < 0.01
    assert pages.written_fraction([((1000, 1000), (8000, 8))], 8, 8_000_000) == 1.0


VIEWS = {
    "dz/dA": lambda: jac.jacobian(lambda A, x: A @ x, "A")(A, x),
    "dC/dA": lambda: jac.jacobian(lambda A, B: A @ B, "A")(A, B),
    "dC/dB": lambda: jac.jacobian(lambda A, B: A @ B, "B")(A, B),
    "factorization Hessian": lambda: jac.hessian(lambda U: np.sum((np.ones((3, 5)) - U @ B) ** 2))(A),
    "identity": lambda: jac.jacobian(lambda x: 3 * x)(A),
}


@pytest.mark.parametrize("name", VIEWS)
def test_a_free_delta_is_a_block_toeplitz_view(name: str) -> None:
    J = VIEWS[name]()
    view = J.materialize(copy=None)
    np.testing.assert_allclose(view, J.materialize())
    assert not view.flags.writeable
    assert np.shares_memory(view, view.base)
    assert J.materialize(copy=True).flags.writeable


def test_a_view_holds_a_fraction_of_the_tensor() -> None:
    J = jac.jacobian(lambda A, x: A @ x, "A")(np.ones((200, 100)), np.ones(100))
    tracemalloc.start()
    view = J.materialize(copy=None)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert view.nbytes == 200 * 200 * 100 * 8
    assert peak < view.nbytes / 50


def test_where_the_core_depends_on_the_label_there_is_no_view() -> None:
    J = jac.jacobian(layer, "A")(A, x, b)
    assert toeplitz_view(J.bound(), J.dtype) is None


# ---- batches

ROWS: dict[str, Callable[..., Any]] = {
    "scalars": lambda x: np.array([x[0] * x[1], np.sin(x[2]) / x[3]]),
    "layer": lambda x: np.tanh(A @ x),
    "slices": lambda x: x[1:] - x[:-1],
    "where": lambda x: np.where(x > 0, x, x**2),
    "softmax": lambda x: np.exp(x) / np.sum(np.exp(x)),
    "outer": lambda x: np.outer(x, x[:3]),
    "joined": lambda x: np.concatenate([x, 2 * x[:2]]),
    "inverse": lambda x: np.linalg.inv(np.outer(x, x) + np.diag(x**2 + 1)),
    "reshaped": lambda x: x.reshape(2, 2).T @ x[:2],
    "sorted": lambda x: np.sort(x),
    "max": lambda x: np.max(x) * x,
    "constant": lambda x: np.ones(2),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_batch_is_the_function_row_by_row_and_shares_its_label(name: str) -> None:
    f, batch = ROWS[name], rng.normal(size=(5, 4))
    g = jac.vectorize(f)
    np.testing.assert_allclose(g(batch), np.stack([f(row) for row in batch]))
    J = jac.jacobian(g)(batch)
    dense = np.asarray(J)
    wanted = np.zeros_like(dense)
    for k, row in enumerate(batch):
        one = np.asarray(jac.jacobian(f)(row))
        wanted[k, ..., k, :] = one
    np.testing.assert_allclose(dense, wanted, atol=1e-14)
    assert all(t.target[0] == t.input[0] for t in J.terms.terms)


def test_shared_arguments_have_no_batch_axis() -> None:
    batch = rng.normal(size=(5, 4))
    g = jac.vectorize(lambda A, x: A @ x, in_axes={"A": None})
    np.testing.assert_allclose(g(A, batch), batch @ A.T)
    assert jac.jacobian(g, "A")(A, batch).shape == (5, 3, 3, 4)


def test_batches_of_two_sizes_are_refused() -> None:
    with pytest.raises(ShapeError, match="vectorize needs one batch size"):
        jac.vectorize(lambda x, y: x * y)(np.ones((5, 4)), np.ones((6, 4)))


def test_python_numbers_are_shared_by_a_batch() -> None:
    g = jac.vectorize(lambda x, slope=2.0: slope * x)
    np.testing.assert_array_equal(g(np.ones((5, 4))), np.full((5, 4), 2.0))
    np.testing.assert_array_equal(g(np.ones((5, 4)), 3.0), np.full((5, 4), 3.0))


def test_a_batch_keeps_float32() -> None:
    X = np.ones((5, 4), np.float32)
    g = jac.vectorize(lambda x: np.sin(x) @ x)
    assert (g(X).dtype, jac.jacobian(g)(X).dtype) == (np.float32, np.float32)


def test_batch_axes_that_cannot_be_are_errors() -> None:
    with pytest.raises(UnsupportedError, match="a batch axis is the first") as raised:
        jac.vectorize(lambda x: x, in_axes={"x": 1})
    assert raised.value.instead == "np.moveaxis(x, 1, 0)"
    with pytest.raises(JacobiansError, match="in_axes names 'y', no argument"):
        jac.vectorize(lambda x: x, in_axes={"y": None})(np.ones((5, 4)))


@pytest.mark.parametrize("form", [{}, {"dense": True}, {"dense": True, "reuse": True}])
@pytest.mark.parametrize("n", [2, 3, 9])
def test_arguments_are_called_as_the_caller_likes(form: dict[str, bool], n: int) -> None:
    x = np.linspace(0.1, 1.0, n)
    wanted = np.asarray(jac.jacobian(lambda x: np.sin(x[:2]) * x[1])(x))
    for f in (
        lambda type: np.sin(type[:2]) * type[1],
        lambda empty: np.sin(empty[:2]) * empty[1],
        lambda array: np.sin(array[:2]) * array[1],
        lambda ndarray: np.sin(ndarray[:2]) * ndarray[1],
        lambda math: np.sin(math[:2]) * math[1],
        lambda out: np.sin(out[:2]) * out[1],
        lambda np_, float: np.sin(np_[:2]) * np_[1] + 0 * float[:2],
    ):
        held = (x,) * f.__code__.co_argcount
        compiled = jac.jacobian(f, wrt=0).compile(*held, **form)
        np.testing.assert_allclose(np.asarray(compiled(*held)), wanted, rtol=1e-12)


@pytest.mark.parametrize("f", [np.sin, np.cos, np.tan])
@pytest.mark.parametrize("dense", [False, True])
def test_compiled_scalars_at_infinity_are_nan_as_in_numpy(f: Any, dense: bool) -> None:
    compiled = jac.jacobian(lambda x: f(x)).compile(1.0, dense=dense)
    with np.errstate(invalid="ignore"):
        assert np.isnan(np.asarray(compiled(np.inf)))


@pytest.mark.parametrize("dense", [False, True])
def test_compiled_coefficients_and_masks_of_every_kind(dense: bool) -> None:
    x = np.ones(3)
    for f, at in (
        (lambda x: np.stack([np.cumsum(x), -np.cumsum(x)]), x),
        (lambda x: x * x * float("inf"), 1.0),
        (lambda x: np.outer(x, x) * float("inf"), x),
    ):
        with np.errstate(invalid="ignore"):
            found = np.asarray(jac.jacobian(f).compile(at, dense=dense)(at))
            np.testing.assert_array_equal(found, np.asarray(jac.jacobian(f)(at)))


@pytest.mark.parametrize(
    ("args", "kwargs", "said"),
    [
        ((A, x, b, b), {}, "too many positional arguments"),
        ((A, x), {}, "missing a required argument: 'b'"),
        ((), {"x": x, "b": b}, "missing a required argument: 'A'"),
    ],
)
@pytest.mark.parametrize("options", [{}, {"dense": True}])
def test_a_compiled_call_says_which_arguments_do_not_fit(
    args: Any, kwargs: Any, said: str, options: Any
) -> None:
    """One argument too many was taken for `out=`, and overwritten where its shape was the result's."""
    call = jac.jacobian(layer, "b").compile(A, x, b, **options)
    with pytest.raises(UnsupportedError) as caught:
        call(*args, **kwargs)
    assert str(caught.value) == (
        f"the arguments do not fit layer{inspect.signature(layer)}\n  {said}\n"
        "  try: the arguments of the function itself"
    )


def test_python_says_which_name_a_compiled_call_does_not_know_as_of_f_itself() -> None:
    call = jac.jacobian(layer, "b").compile(A, x, b, dense=True)
    with pytest.raises(TypeError, match=r"layer\(\) got an unexpected keyword argument 'z'"):
        call(A, x, b, z=1)

    def power(x: Any, n: int = 3) -> Any:
        return x**n

    with pytest.raises(UnsupportedError, match="got an unexpected keyword argument 'k'"):
        jac.jacobian(power).compile(x, dense=True)(x, k=1)


def test_a_surplus_argument_is_not_written_to() -> None:
    given = np.arange(3.0)
    call = jac.jacobian(lambda x: np.sum(x**2)).compile(given, dense=True)
    with pytest.raises(UnsupportedError, match="too many positional arguments"):
        call(given, given)
    assert given.tolist() == [0.0, 1.0, 2.0]


def test_an_argument_may_be_called_out() -> None:
    call = jac.jacobian(lambda x, out: np.sin(x) * out, "x").compile(x, x)
    np.testing.assert_allclose(np.asarray(call(x, x)), np.diag(np.cos(x) * x))


# ---- arguments


def weighted(p: Any, xs: Any, n: int = 2, shift: float = 0.5, *, scale: Any = None) -> Any:
    total = sum(x @ p["W"].T for x in xs)
    return np.tanh(total + p["b"]) ** n * (1.0 if scale is None else scale) + shift


LISTED = ({"W": A, "b": np.ones(3)}, [x, x + 1])


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        (LISTED, {}),
        (({"b": np.ones(3), "W": A}, (x, x + 1)), {}),
        ((LISTED[0],), {"xs": LISTED[1]}),
        ((), {"xs": LISTED[1], "p": LISTED[0], "n": 2}),
    ],
)
def test_containers_are_taken_apart_as_they_come(args: Any, kwargs: Any) -> None:
    call = jac.jacobian(weighted, "p").compile(*LISTED)
    same(call(*args, **kwargs), jac.jacobian(weighted, "p")(*LISTED))


def test_compiled_with_options_and_keywords() -> None:
    call = jac.jacobian(weighted, "p").compile(*LISTED, n=3, scale=np.full(3, 2.0))
    other = ({"W": A + 1, "b": np.zeros(3)}, [x * 2, x])
    want = jac.jacobian(weighted, "p")(*other, n=3, scale=np.full(3, 5.0))
    same(call(*other, n=3, scale=np.full(3, 5.0)), want)


@pytest.mark.parametrize(
    ("args", "kwargs", "where"),
    [
        (LISTED, {"n": 3}, "n was 2 and is built in; the call gives 3"),
        (LISTED, {"shift": 1.5}, "shift was 0.5 and is built in; the call gives 1.5"),
        ((LISTED[0], [x]), {}, "xs had 2 parts"),
        (({"W": A}, LISTED[1]), {}, "p had the keys 'W', 'b'"),
        ((x, LISTED[1]), {}, "p had the keys 'W', 'b'"),
    ],
)
def test_what_was_built_in_cannot_be_changed(args: Any, kwargs: Any, where: str) -> None:
    call = jac.jacobian(weighted, "p").compile(*LISTED)
    with pytest.raises(UnsupportedError) as caught:
        call(*args, **kwargs)
    assert where in str(caught.value)
    assert "compile again" in str(caught.value)


# ---- what a compiled call holds, and what it refuses


def test_what_was_captured_may_be_written_to_afterwards() -> None:
    """Numbers that were folded and arrays that were not are frozen alike."""
    W = rng.normal(size=(3, 4))
    call = jac.jacobian(lambda x: np.tanh(W @ x) @ (2 * W)).compile(x, dense=True)
    scaled = jac.jacobian(lambda x: x * W[0]).compile(x)
    before, lazily = call(x).copy(), np.array(scaled(x))
    W *= 2
    assert np.array_equal(call(x), before)
    assert np.array_equal(scaled(x), lazily)


def test_an_index_array_that_was_written_to_is_another_one() -> None:
    places = np.array([0, 1])
    call = jac.jacobian(lambda x, i: x[i] ** 2, "x").compile(x, places, dense=True)
    call(x, places)
    places[:] = [2, 3]
    with pytest.raises(UnsupportedError, match="the call gives other values"):
        call(x, places)


@pytest.mark.parametrize("options", [{}, {"dense": True}])
def test_a_compiled_call_and_its_memory_go_when_it_is_deleted(options: Any) -> None:
    B = rng.normal(size=(200, 200))
    call = jac.jacobian(lambda B: np.sum(np.exp(np.sin(B)) * B**3)).compile(B, **options)
    result, gone = call(B), weakref.ref(call)
    gc.disable()
    try:
        del call
        assert gone() is None
    finally:
        gc.enable()
    assert np.asarray(result).shape == (200, 200)


def test_options_and_defaults_of_direct_calls() -> None:
    def power(x: Any, n: int = 2) -> Any:
        return x**n

    def weighted_by(x: Any, w: Any = ONES) -> Any:
        return x * w

    call = jac.jacobian(power, "x").compile(x, dense=True)
    assert np.array_equal(call(x, n=2), call(x))
    assert np.array_equal(call(x, 2), call(x))
    for wrong in ((lambda: call(x, n=3)), (lambda: call(x, m=3)), (lambda: call()), (lambda: call(x, 2, 3))):
        with pytest.raises(UnsupportedError, match="try: "):
            wrong()
    both = jac.jacobian(weighted_by).compile(x, x)
    same(both(x), jac.jacobian(weighted_by)(x, np.ones(4)))


def test_out_is_refused_where_numbers_would_be_lost_and_may_be_an_argument() -> None:
    call = jac.jacobian(lambda x: x**2).compile(x, dense=True)
    fixed = np.zeros((4, 4))
    fixed.flags.writeable = False
    for out in (np.zeros((4, 4), int), fixed):
        with pytest.raises(UnsupportedError, match="out cannot take the result"):
            call(x, out=out)
    with pytest.raises(UnsupportedError, match="x is complex"):
        call(x + 1j)
    n = 800
    M, v = rng.normal(size=(n, n)), rng.normal(size=n)
    by_x = jac.jacobian(lambda x, A: x @ A, "x").compile(v, M, dense=True)
    own = M.copy()
    assert np.array_equal(by_x(v, own, out=own), M.T)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@pytest.mark.parametrize("make", [np.matrix, lambda v: np.ma.masked_array(v, np.zeros_like(v))])
def test_arrays_with_operations_of_their_own_are_refused(make: Any) -> None:
    special = make(np.array([[1.0, 2.0]]))
    with pytest.raises(UnsupportedError, match="has operations of its own"):
        jac.jacobian(lambda x: x * x)(special)
