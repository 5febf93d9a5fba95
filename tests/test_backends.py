"""The same plan on torch, jax and dask: equal results, clear errors."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians.backends import load
from jacobians.errors import UnknownNameError, UnsupportedError

from .libraries import converter

rng = np.random.default_rng(7)
A, x, b = rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=3)
S = rng.normal(size=(4, 4)) + 4 * np.eye(4)

FUNCTIONS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "layer": (lambda A, x, b: np.tanh(A @ x + b), (A, x, b)),
    "slices": (lambda x: x[1:] - x[:-1], (x,)),
    "scalars": (lambda x: x[0] ** 2 * x[1] + np.sin(x[2]) / x[3], (x,)),
    "softmax": (lambda x: jac.functions.softmax(x), (x,)),
    "logsumexp": (lambda x: jac.functions.logsumexp(x) * np.maximum(x, 0.1), (x,)),
    "inverse": (lambda X: np.linalg.inv(X) @ x, (S,)),
    "where": (lambda x: np.where(x > 0, np.exp(x), x), (x,)),
    "norm": (lambda x: np.linalg.norm(x), (x,)),
    "gram": (lambda X: X.T @ X, (A,)),
    "joined": (lambda x: np.concatenate([x, x[::-1]]), (x,)),
    "reshaped": (lambda x: x.reshape(2, 2) @ x[:2], (x,)),
    "gather": (lambda x: np.take(x, [0, 2, 2]) * x[1], (x,)),
    "loss": (lambda x: np.sum((A @ x) ** 2), (x,)),
}


def leaves(value: Any) -> Any:
    return [leaf for part in value.values() for leaf in leaves(part)] if isinstance(value, dict) else [value]


@pytest.mark.peers
@pytest.mark.parametrize("backend", ["jax", "torch"])
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_backend_gives_the_same_numbers(name: str, order: int, backend: str) -> None:
    convert = converter(backend)
    f, args = FUNCTIONS[name]
    if order == 2 and len(args) > 1:
        pytest.skip("second order is checked on functions of one array")
    derivative: Any = jac.jacobian(f) if order == 1 else jac.hessian(f)
    wanted = leaves(derivative(*args))
    found = leaves(derivative.compile(*args, backend=backend)(*map(convert, args)))
    assert len(found) == len(wanted)
    for got, want in zip(found, wanted, strict=True):
        np.testing.assert_allclose(np.asarray(got), np.asarray(want), rtol=1e-9, atol=1e-12)


@pytest.mark.peers
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_float32_stays_float32(backend: str) -> None:
    convert = converter(backend)
    small = x.astype(np.float32)
    found = jac.jacobian(lambda x: np.tanh(x) * x[0]).compile(small, backend=backend)(convert(small))
    assert "float32" in str(found.dtype)


@pytest.mark.peers
def test_operands_of_two_libraries_are_refused() -> None:
    converter("torch")
    call = jac.jacobian(lambda x: x * x).compile(x, backend="torch")
    with pytest.raises(UnsupportedError, match=r"operands mix torch and numpy \(x is ndarray\)"):
        call(x)


@pytest.mark.peers
def test_the_executor_can_be_mapped_by_jax() -> None:
    converter("jax")
    import jax

    call = jac.jacobian(lambda x: np.sin(x) * x[0]).compile(x, backend="jax")
    batch = rng.normal(size=(5, 4))
    mapped = jax.vmap(call.function)(jax.numpy.asarray(batch))
    wanted = np.stack([np.asarray(jac.jacobian(lambda x: np.sin(x) * x[0])(row)) for row in batch])
    np.testing.assert_allclose(np.asarray(mapped), wanted, rtol=1e-9)


def test_an_unknown_backend_names_those_there_are() -> None:
    with pytest.raises(UnknownNameError, match="backend 'tourch' is not known") as caught:
        load("tourch")
    assert "torch" in str(caught.value)


def test_dask_builds_every_chunk_from_the_core() -> None:
    pytest.importorskip("dask.array")
    for f, wrt in ((lambda A, x: np.tanh(A @ x), "A"), (lambda A, x: (A @ x).reshape(3, 1)[1:].T, "x")):
        J = jac.jacobian(f, wrt)(A, x)
        chunked = J.materialize(backend="dask", chunks=2)
        assert chunked.shape == J.shape
        np.testing.assert_allclose(chunked.compute(), np.asarray(J))


def test_dask_gives_per_sample_jacobians() -> None:
    array = pytest.importorskip("dask.array")
    from jacobians.backends.blocks import per_sample

    samples = rng.normal(size=(11, 4))
    found = per_sample(_row, array.from_array(samples, chunks=(4, 2)))
    wanted = np.stack([np.asarray(jac.jacobian(_row)(row)) for row in samples])
    np.testing.assert_allclose(found.compute(), wanted)


def _row(x: Any) -> Any:
    return np.tanh(A @ x)


@pytest.mark.slow
def test_a_cluster_reduces_a_jacobian_larger_than_its_memory() -> None:
    """Two workers of 300 MB each reduce a dense dz/dA of 3.2 GB: its norm and J^T J, chunk by chunk."""
    distributed = pytest.importorskip("dask.distributed")
    array = pytest.importorskip("dask.array")
    big, v = rng.normal(size=(2000, 100)), rng.normal(size=100)
    J = jac.jacobian(_product, "A")(big, v)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cluster = distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, memory_limit="300MB", dashboard_address=None
        )
        with cluster, distributed.Client(cluster):
            chunked = J.materialize(backend="dask", chunks=(40, 2000, 100))
            assert chunked.nbytes > 4 * 2 * 300e6
            norm = float(array.sqrt((chunked**2).sum()).compute())
    assert norm == pytest.approx(np.sqrt(2000) * np.linalg.norm(v))


def _product(A: Any, x: Any) -> Any:
    return A @ x
