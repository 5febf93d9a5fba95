"""Calls compiled for torch and jax take what compiled numpy calls take, and refuse the rest clearly."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians.errors import BudgetError, ShapeError, UnknownNameError, UnsupportedError

from .libraries import converter

rng = np.random.default_rng(11)
A, x = rng.normal(size=(3, 4)), rng.normal(size=4)
BOTH = pytest.mark.parametrize("backend", ["jax", "torch"])
pytestmark = pytest.mark.peers


def layer(A: Any, x: Any) -> Any:
    return np.tanh(A @ x)


def near(found: Any, wanted: Any) -> None:
    np.testing.assert_allclose(np.asarray(found), np.asarray(wanted), rtol=1e-9, atol=1e-12)


@BOTH
def test_the_value_comes_with_the_jacobian(backend: str) -> None:
    to = converter(backend)
    value, J = jac.value_and_jacobian(layer, "x").compile(A, x, backend=backend)(to(A), to(x))
    near(value, layer(A, x))
    near(J, jac.jacobian(layer, "x")(A, x))
    call = jac.value_and_jacobian(lambda x: {"a": x, "b": np.sum(x)}).compile(x, backend=backend)
    given = to(x)
    values, J = call(given)
    near(values["a"], x)
    near(values["b"], x.sum())
    near(J["a"], np.eye(4))
    assert values["a"] is not given, "the value is the caller's array"
    value, cores = jac.value_and_jacobian(np.sin).compile(x, backend=backend, core=True)(to(x))
    near(value, np.sin(x))
    near(cores[0][0], np.cos(x))


@BOTH
def test_another_shape_is_refused(backend: str) -> None:
    to = converter(backend)
    call = jac.jacobian(layer, "x").compile(A, x, backend=backend)
    for wrong in (x[:1], x[:, None], np.float64(2.0), rng.normal(size=5)):
        with pytest.raises(ShapeError, match=r"compiled for x of shape \(4,\)") as caught:
            call(to(A), to(wrong))
        assert str(np.shape(wrong)) in caught.value.where
        assert caught.value.instead == "compile again with an example of that shape"
    with pytest.raises(ShapeError):
        call(to(A), 2.0)


@BOTH
def test_real_numbers_are_converted_and_complex_ones_refused(backend: str) -> None:
    to = converter(backend)
    call = jac.jacobian(lambda A, x: A @ (x * x), "x").compile(A, x, backend=backend)
    for other in (np.float32, np.int32, np.int64, bool, np.float16):
        given = np.array([1, 0, 1, 1]).astype(other)
        found = call(to(A), to(given))
        assert "float64" in str(found.dtype)
        near(found, 2 * A * given.astype(float))
    with pytest.raises(UnsupportedError, match="x is complex"):
        call(to(A), to(x + 1j))
    small = jac.jacobian(np.sin).compile(x.astype(np.float32), backend=backend)
    assert "float32" in str(small(to(x)).dtype)


@BOTH
def test_arguments_by_name_in_containers_and_left_at_defaults(backend: str) -> None:
    to = converter(backend)
    wanted = jac.jacobian(layer)(A, x)
    call = jac.jacobian(layer).compile(A, x, backend=backend)
    for found in (call(A=to(A), x=to(x)), call(x=to(x), A=to(A)), call(to(A), x=to(x))):
        near(found["A"], wanted["A"])
        near(found["x"], wanted["x"])
    call = jac.jacobian(lambda p: p["w"] @ p["b"][0]).compile({"w": A, "b": [x]}, backend=backend)
    found = call({"b": [to(x)], "w": to(A)})
    near(found["b"][0], A)
    call = jac.jacobian(lambda p: p["w"] @ p["b"][0]).compile({"w": to(A), "b": [to(x)]}, backend=backend)
    near(call({"w": to(A), "b": [to(x)]})["b"][0], A)
    with pytest.raises(UnsupportedError, match="does not have the arguments"):
        call({"w": to(A)})


@BOTH
def test_options_are_built_in(backend: str) -> None:
    to = converter(backend)
    call = jac.jacobian(lambda x, n=2: x**n).compile(x, 3, backend=backend)
    near(call(to(x), 3), np.diag(3 * x**2))
    near(call(to(x), n=3), np.diag(3 * x**2))
    for args in ((to(x),), (to(x), 2)):
        with pytest.raises(UnsupportedError, match="does not have the arguments"):
            call(*args)
    places = np.array([0, 2])
    call = jac.jacobian(lambda x, places: x[places] ** 2).compile(x, to(places), backend=backend)
    near(call(to(x), to(places)), jac.jacobian(lambda x: x[places] ** 2)(x))
    near(call(to(x), places), jac.jacobian(lambda x: x[places] ** 2)(x))
    with pytest.raises(UnsupportedError, match="does not have the arguments"):
        call(to(x), to(places + 1))


@BOTH
def test_numbers_and_default_arrays(backend: str) -> None:
    to = converter(backend)
    call = jac.jacobian(lambda x, s: x * s).compile(x, 3.0, backend=backend)
    near(call(to(x), 2)["x"], 2 * np.eye(4))
    near(call(to(x), to(np.float64(2.0)))["s"], x)
    scalars = jac.jacobian(lambda a, b: a * b).compile(1.0, 2.0, backend=backend)
    near(scalars(3.0, 4.0)["a"], 4.0)

    def weighted(x: Any, w: Any = A) -> Any:
        return w @ x

    call = jac.jacobian(weighted, "x").compile(x, backend=backend)
    near(call(to(x)), A)
    near(call(to(x), to(2 * A)), 2 * A)
    near(call(to(x), w=to(2 * A)), 2 * A)


@BOTH
def test_too_few_and_too_many_arguments(backend: str) -> None:
    to = converter(backend)
    call = jac.jacobian(layer).compile(A, x, backend=backend)
    for args, kwargs in (((to(A),), {}), ((to(A), to(x), to(x)), {}), ((to(A),), {"y": to(x)}), ((), {})):
        with pytest.raises(UnsupportedError, match="the arguments do not fit layer") as caught:
            call(*args, **kwargs)
        assert caught.value.where
        assert caught.value.instead
    with pytest.raises(UnsupportedError, match=r"operands mix .* and Python \(x is list\)"):
        call(to(A), [1.0, 2.0, 3.0, 4.0])


@BOTH
def test_a_dense_result_beyond_the_limit_is_refused(backend: str) -> None:
    to = converter(backend)
    with pytest.raises(
        BudgetError, match=r"dense Jacobian of layer by A needs 288 B \(3 × 3 × 4 float64\), limit"
    ) as caught:
        jac.jacobian(layer, "A").compile(A, x, backend=backend, max_bytes=100)
    assert caught.value.where == "a call on another library returns dense arrays"
    jac.jacobian(layer, "A").compile(A, x, backend=backend, max_bytes=288)
    jac.jacobian(layer, "A").compile(A, x, backend=backend, max_bytes=None)
    big = np.ones(30_000)  # 7.2 GB
    with pytest.raises(BudgetError, match=r"needs 7\.2 GB .*limit 4\.3 GB"):
        jac.jacobian(np.sin).compile(big, backend=backend)
    ((core, _),) = jac.jacobian(np.sin).compile(big, backend=backend, core=True)(to(big))
    near(core, np.cos(big))


@BOTH
def test_options_without_a_meaning_are_refused(backend: str) -> None:
    converter(backend)
    for name, refused in (("reuse=True", {"reuse": True}), ("copy=None", {"copy": None})):
        with pytest.raises(UnsupportedError, match=f"{name} has no meaning on {backend}"):
            jac.jacobian(np.sin).compile(x, backend=backend, **refused)
    jac.jacobian(np.sin).compile(x, backend=backend, dense=True)


@BOTH
def test_a_call_says_what_it_is(backend: str) -> None:
    converter(backend)
    call = jac.value_and_jacobian(layer).compile(A, x, backend=backend)
    assert repr(call) == f"Compiled derivative of layer on {backend}: the value and 2 Jacobians, dense", repr(
        call
    )
    assert inspect.signature(call) == inspect.signature(layer)
    assert "torch or jax" in (call.__doc__ or "")


def test_backends_that_compile_nothing() -> None:
    for wrong in ("dask", 3, None, "tourch"):
        with pytest.raises(UnknownNameError) as caught:
            jac.jacobian(np.sin).compile(x, backend=wrong)  # type: ignore[arg-type]
        assert caught.value.where == "backends: numpy, torch, jax"
        assert repr(wrong) in caught.value.what
        assert ('J.materialize(backend="dask")' in caught.value.instead) == (wrong == "dask")


def test_chunks_that_split_nothing() -> None:
    pytest.importorskip("dask.array")
    J = jac.jacobian(layer, "x")(A, x)
    for wrong in (0, (2, 2, 2), (2,), "x", 1.5, None, -2, (2, (2, 3)), {5: 1}, True, (0, 2), object()):
        with pytest.raises(ShapeError, match="cannot split the dense Jacobian") as caught:
            J.materialize(backend="dask", chunks=wrong)
        assert caught.value.where.startswith("it is 3 × 4")
        assert "2 axes" in caught.value.instead
    for right in (2, (3, 2), "auto", -1, {0: 1}, "1MB", ((1, 2), (4,))):
        near(J.materialize(backend="dask", chunks=right).compute(), J)
    near(jac.jacobian(np.sum)(x).materialize(backend="dask", chunks=2).compute(), np.ones(4))


@BOTH
def test_the_function_behind_a_call_returns_what_the_call_returns(backend: str) -> None:
    to = converter(backend)
    for derivative in (jac.jacobian(layer), jac.value_and_jacobian(layer, "x")):
        call = derivative.compile(A, x, backend=backend)
        found, wanted = call.function(to(A), to(x)), call(to(A), to(x))
        assert type(found) is type(wanted)
        for one, other in zip(
            *(v.values() if isinstance(v, dict) else v for v in (found, wanted)), strict=True
        ):
            near(one, other)


def test_calls_are_jitted_mapped_and_compiled() -> None:
    to = converter("jax")
    jax = pytest.importorskip("jax")
    call = jac.jacobian(layer).compile(A, x, backend="jax")
    wanted = call(to(A), to(x))
    near(jax.jit(call)(to(A), x=to(x))["A"], wanted["A"])
    near(jax.jit(call.function)(to(A), to(x))["A"], wanted["A"])
    batch = rng.normal(size=(5, 4))
    near(jax.vmap(call, in_axes=(None, 0))(to(A), to(batch))["x"][2], call(to(A), to(batch[2]))["x"])


def test_torch_compiles_the_function_and_the_call() -> None:
    to = converter("torch")
    torch = pytest.importorskip("torch")
    call = jac.jacobian(layer).compile(A, x, backend="torch")
    wanted = call(to(A), to(x))
    for given in (call.function, call):
        found = torch.compile(given, backend="eager")(to(A), to(x))
        near(found["A"], wanted["A"])


def powers(A: Any, x: Any, n: int = 2) -> Any:
    return np.tanh(A @ x) ** n


@BOTH
@pytest.mark.parametrize("core", [False, True])
@pytest.mark.parametrize("make", [jac.jacobian, jac.value_and_jacobian])
def test_a_call_travels_as_what_it_was_made_from(backend: str, core: bool, make: Any) -> None:
    to = converter(backend)
    call = make(powers, "A").compile(A, x, n=3, backend=backend, core=core)
    data = pickle.dumps(call)
    assert len(data) < 2000
    for again in (pickle.loads(data), copy.deepcopy(call)):
        assert repr(again) == repr(call)
        one, two = call(to(A), to(x), n=3), again(to(A), to(x), n=3)
        if make is jac.value_and_jacobian:
            near(one[0], two[0])
            one, two = one[1], two[1]
        near(*((one[0][0], two[0][0]) if core else (one, two)))
        with pytest.raises(UnsupportedError, match="n was 3 and is built in"):
            again(to(A), to(x))
