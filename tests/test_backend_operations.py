"""Every operation on torch and jax, from its row alone: value and Jacobians are those of the numpy plan.

What a library cannot run stands in `EXCEPTIONS` with the reason, must be refused in three parts, and fails
here once it runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians.backends import load
from jacobians.backends.execution import TABLE, executor
from jacobians.backends.pointwise import named
from jacobians.containers import flatten
from jacobians.errors import BudgetError, UnsupportedError
from jacobians.expr import Node, variable
from jacobians.operation import RULES

from .cases import Case
from .libraries import converter
from .op_cases import CASES
from .oracles import assert_close
from .test_operations import argnums_of

pytestmark = pytest.mark.peers
BOTH = pytest.mark.parametrize("backend", ["jax", "torch"])
TOLERANCE = {"float64": 1e-9, "float32": 2e-3}  # of the largest entry
EXCEPTIONS: dict[tuple[str, str], str] = {}  # (library, row): why it cannot run there; none at present

OWN = frozenset(RULES)  # those of the package: examples in the documentation register more
# one row of each operation; the others are slow on jax, which compiles every one of them
FIRST = {case.name: case.label for case in reversed(CASES)}.values()
ROWS = [pytest.param(case, id=case.label) for case in CASES]
ON_JAX = [
    pytest.param(case, id=case.label, marks=() if case.label in FIRST else pytest.mark.slow) for case in CASES
]


def typed(case: Case, dtype: str) -> tuple[Any, ...]:
    """The arguments of a row, floating ones of that type."""

    def one(value: Any) -> Any:
        floating = isinstance(value, np.ndarray | np.floating) and value.dtype.kind == "f"
        return value.astype(dtype) if floating else value

    return tuple(map(one, case.arrays()))


def on_library(to: Callable[[Any], Any], arrays: tuple[Any, ...]) -> list[Any]:
    return [to(v) if isinstance(v, np.ndarray | np.generic) else v for v in arrays]


def flat(result: Any) -> list[np.ndarray]:
    return [np.asarray(leaf) for _, leaf in flatten(result)[0]]


def agrees(case: Case, backend: str, dtype: str) -> None:
    to = converter(backend)
    arrays = typed(case, dtype)
    derivative = jac.value_and_jacobian(case.call, wrt=argnums_of(case, arrays))
    if (backend, case.label) in EXCEPTIONS:
        with pytest.raises(UnsupportedError) as caught:
            derivative.compile(*arrays, backend=backend)
        assert caught.value.where
        assert caught.value.instead
        return
    wanted = flat(derivative(*arrays))
    found = flat(derivative.compile(*arrays, backend=backend)(*on_library(to, arrays)))
    assert [f.dtype for f in found] == [w.dtype for w in wanted]
    for k, (f, w) in enumerate(zip(found, wanted, strict=True)):
        assert_close(f, w, TOLERANCE[dtype], f"result {k}", 1e-3)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("case", ROWS)
def test_an_operation_on_torch(case: Case, dtype: str) -> None:
    agrees(case, "torch", dtype)


@pytest.mark.parametrize("case", ON_JAX)
def test_an_operation_on_jax(case: Case) -> None:
    agrees(case, "jax", "float64")


IN_SINGLE = (
    "matmul-constant-right", "maximum-number", "det", "eigh-vectors", "prod", "expm", "where-scalar-mask",
)  # fmt: skip


@pytest.mark.parametrize("label", IN_SINGLE)
def test_float32_on_jax(label: str) -> None:
    agrees(row(label), "jax", "float32")


def row(label: str) -> Case:
    return next(case for case in CASES if case.label == label)


@BOTH
def test_every_rule_has_an_act(backend: str) -> None:
    """Rules without a row of their own too; nodes without arguments are made by numpy."""
    converter(backend)
    library, made = load(backend), {"variable", "constant", "size", "tri", "triangular_matrix"}
    x = variable("x", (3,))
    unknown = {op for op in OWN if op not in TABLE and named(Node(op, (x,), None, (3,)), library) is None}
    assert unknown <= made


@BOTH
def test_a_rule_of_numpy_alone_is_refused_in_three_parts(backend: str) -> None:
    converter(backend)
    x = variable("x", (3,))
    with pytest.raises(UnsupportedError, match=f"own_rule does not run on {backend}") as caught:
        executor([Node("own_rule", (x,), None, (3,), x.dtype)], [x], load(backend))
    assert caught.value.where == "a value of shape (3,): only its numpy function is known"
    assert "backend='numpy'" in caught.value.instead


def test_everything_is_made_on_the_device_of_the_operands() -> None:
    """A tensor on torch's device without memory meets no constant of another device."""
    to = converter("torch")
    for case in CASES:
        arrays = case.arrays()
        call = jac.value_and_jacobian(case.call, argnums_of(case, arrays)).compile(*arrays, backend="torch")
        leaves = call._operands.of(tuple(on_library(to, arrays)), {})
        found = call.arrays(*(leaf.to("meta") for leaf in leaves))
        assert {array.device.type for array in found} == {"meta"}, case.label


WHOLE = (
    "det-batch", "eigh-vectors", "svd-tall-u", "qr-q", "expm", "sort", "prod", "cumprod", "std", "interp",
    "getitem-traced-integer",
)  # fmt: skip


@pytest.mark.parametrize("label", WHOLE)
def test_torch_compiles_without_a_break(label: str) -> None:
    to = converter("torch")
    torch = pytest.importorskip("torch")
    case = row(label)
    arrays = case.arrays()
    call = jac.jacobian(case.call, wrt=argnums_of(case, arrays)).compile(*arrays, backend="torch")
    given = on_library(to, arrays)
    torch._dynamo.reset()  # it compiles one function eight times at most, and `arrays` is one to it
    found = torch.compile(call.arrays, backend="eager", fullgraph=True)(*call._operands.of(tuple(given), {}))
    for f, w in zip(flat(found), flat(call(*given)), strict=True):
        assert_close(f, w, 1e-12, label)


@pytest.mark.parametrize("f", [np.linalg.det, np.prod, np.sort, jac.functions.expm, np.linalg.eigvalsh])
def test_jax_maps_what_it_runs(f: Any) -> None:
    to = converter("jax")
    jax = pytest.importorskip("jax")
    batch = np.random.default_rng(3).normal(size=(4, 3, 3))
    batch += np.swapaxes(batch, -1, -2)
    mapped = jax.vmap(jac.jacobian(f).compile(batch[0], backend="jax").function)(to(batch))
    for found, given in zip(mapped, batch, strict=True):
        assert_close(found, np.asarray(jac.jacobian(f)(given)), 1e-9, "mapped", 1e-3)


@BOTH
@pytest.mark.parametrize("label", ["det-rank-2-of-4", "prod-zeros-1", "expm", "sinc-near-zero", "std"])
def test_second_derivatives(label: str, backend: str) -> None:
    to = converter(backend)
    case = row(label)
    arrays = case.arrays()
    derivative = jac.hessian(case.call)
    found = derivative.compile(*arrays, backend=backend)(*on_library(to, arrays))
    for f, w in zip(flat(found), flat(derivative(*arrays)), strict=True):
        assert_close(f, w, 1e-9, label, 1e-3)


@BOTH
def test_values_that_do_not_exist_are_not_numbers(backend: str) -> None:
    """Where the numpy plan raises SingularMatrixError; entries that do exist are right beside them."""
    to = converter(backend)
    twice = np.diag([1.0, 1.0, 2.0])
    call = jac.jacobian(lambda x: np.linalg.eigh(x).eigenvectors).compile(twice, backend=backend)
    (found,) = flat(call(to(twice)))
    assert np.isnan(found[:, :2]).any()
    assert np.isfinite(found[:, 2]).all()
    for f, x in ((np.linalg.pinv, np.ones((3, 2))), (lambda x: np.linalg.svd(x).U, np.eye(2))):
        assert np.isnan(flat(jac.jacobian(f).compile(x, backend=backend)(to(x)))[0]).any()


@BOTH
def test_what_raises_a_budget_error_says_so_when_it_is_compiled(backend: str) -> None:
    converter(backend)
    x = np.ones((200, 200))
    for f in (jac.functions.expm, lambda x: jac.jacobian(np.linalg.det)(x)):
        with pytest.raises(BudgetError, match="derivative of order"):
            jac.jacobian(f).compile(x, backend=backend, max_bytes=None)
