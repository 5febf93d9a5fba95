"""Every operation, judged from its row alone: value, derivatives, adjoint, orders, modes, indexing, types.

The oracle is the primal, by complex step or central differences; every entry is compared, to 1e-8 of the
largest entry at first order (both oracles reach it on these rows) and 1e-6 at second order.  A deliberately
wrong rule must fail each property (the controls at the end).
"""

from __future__ import annotations

import dataclasses
import functools
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import operation, prepared
from jacobians.containers import flatten
from jacobians.graph import linearize
from jacobians.operation import RULES, Rule
from jacobians.traces import trace_function

from .cases import Case
from .cases.pointwise import KINKS, Kink
from .op_cases import CASES
from .oracles import arrays_of, assert_close, complex_step, differences, first_derivatives, largest, listed

FIRST, SECOND = 1e-8, 1e-6
rows = pytest.mark.parametrize("case", CASES, ids=[case.label for case in CASES])


# ---- one row, asked once


def argnums_of(case: Case, arrays: tuple[Any, ...]) -> tuple[int, ...]:
    if case.argnums is not None:
        return case.argnums
    return tuple(
        k for k, a in enumerate(arrays) if isinstance(a, np.ndarray | np.floating) and a.dtype.kind == "f"
    )


def jacobians_of(case: Case, arrays: tuple[Any, ...], **options: Any) -> list[list[jac.Jacobian]]:
    """The Jacobians of every target (rows) by every differentiated argument (columns)."""
    argnums = argnums_of(case, arrays)
    found = jac.jacobian(case.call, wrt=argnums, **options)(*arrays)
    made = [leaf for _, leaf in flatten(found)[0]]
    return [made[k : k + len(argnums)] for k in range(0, len(made), len(argnums))]


@functools.cache
def _known(case: Case) -> tuple[tuple[Any, ...], list[list[jac.Jacobian]], list[list[np.ndarray]]]:
    arrays = case.arrays()
    made = jacobians_of(case, arrays)
    return arrays, made, [[np.asarray(J) for J in row] for row in made]


def dense_of(case: Case) -> tuple[tuple[Any, ...], list[list[jac.Jacobian]], list[list[np.ndarray]]]:
    """Arguments, Jacobians and their dense tensors, computed once for all properties of a row."""
    return _known(case)


def compare(found: list[list[Any]], expected: list[list[Any]], tolerance: float, what: str) -> None:
    """Entry by entry; errors count against the largest entry of the whole row of Jacobians of one target."""
    for t, (mine, theirs) in enumerate(zip(found, expected, strict=True)):
        scale = max(map(largest, theirs))
        for k, (a, b) in enumerate(zip(mine, theirs, strict=True)):
            assert_close(a, b, tolerance, f"{what}, target {t} by argument {k}", max(scale, 1e-3))


# ---- the properties, as functions of a row (the controls call them too)


def check_value(case: Case) -> None:
    arrays = case.arrays()
    value, _ = jac.value_and_jacobian(case.call, wrt=argnums_of(case, arrays))(*arrays)
    expected = arrays_of((case.primal or case.call)(*arrays))
    for mine, theirs in zip(arrays_of(value), expected, strict=True):
        assert_close(mine, theirs, 1e-13, "value")


def check_first(case: Case) -> None:
    arrays, _, found = dense_of(case)
    oracle = complex_step if case.oracle == "complex" else differences
    columns = [oracle(listed(case.primal or case.call), arrays, k) for k in argnums_of(case, arrays)]
    compare(found, [list(row) for row in zip(*columns, strict=True)], FIRST, "Jacobian")


def check_second(case: Case) -> None:
    arrays, _, found = dense_of(case)
    argnums = argnums_of(case, arrays)
    first = first_derivatives(case.call, arrays, argnums)
    flat = [dense for row in found for dense in row]
    compare([first(*arrays)], [flat], 1e-12, "the first order as it is differenced")
    for j, k in enumerate(argnums):
        hessian = jac.jacobian(jac.jacobian(case.call, wrt=argnums), wrt=k)(*arrays)
        mine = [np.asarray(leaf) for _, leaf in flatten(hessian)[0]]
        compare([mine], [differences(first, arrays, k)], SECOND, f"second order by argument {j}")


def check_adjoint(case: Case) -> None:
    _, made, found = dense_of(case)
    rng = np.random.default_rng(1)
    for row, dense in zip(made, found, strict=True):
        for J, D in zip(row, dense, strict=True):
            u, v = rng.normal(size=J.target_shape), rng.normal(size=J.input_shape)
            pushed, pulled = J.jvp(v), J.vjp(u)
            assert pushed.shape == J.target_shape
            assert pulled.shape == J.input_shape
            assert_close(pushed, np.tensordot(D, v, v.ndim), 1e-11, "jvp", largest(D))
            assert_close(pulled, np.tensordot(u, D, u.ndim), 1e-11, "vjp", largest(D))
            assert_close(
                np.sum(u * pushed), np.sum(pulled * v), 1e-11, "<u, Jv> = <J^T u, v>", largest(D) * D.size
            )


def check_orders(case: Case) -> None:
    arrays, _, found = dense_of(case)
    for order in ("forward", "reverse", "markowitz"):
        made = jacobians_of(case, arrays, order=order)
        compare([[np.asarray(J) for J in row] for row in made], found, 1e-12, order)
    compare(_shuffled(case, arrays), found, 1e-12, "random order")


def _shuffled(case: Case, arrays: tuple[Any, ...]) -> list[list[np.ndarray]]:
    from jacobians.plan import evaluate
    from jacobians.terms import assemble

    traced = trace_function(case.call, arrays, {}, argnums_of(case, arrays))
    linear = linearize(traced.targets, traced.wrt, operation.local_jacobian)
    order = [linear.nodes[v] for v in np.random.default_rng(2).permutation(linear.interior)]
    table = linear.eliminate(order)
    nodes = [assemble(terms) for row in table for terms in row]
    dense = iter(evaluate(nodes, {n.serial: n.value for n in traced.variables}))
    return [[np.asarray(next(dense)) for _ in row] for row in table]


def check_modes(case: Case) -> None:
    arrays, made, found = dense_of(case)
    again = jacobians_of(case, arrays, mode="materialized")
    compare([[np.asarray(J) for J in row] for row in again], found, 1e-12, "materialized mode")
    for row, dense in zip(made, found, strict=True):
        for J, D in zip(row, dense, strict=True):
            compare([[J.materialize(out=np.full(J.shape, np.nan))]], [[D]], 1e-15, "materialize into out")
            assert np.count_nonzero(D) <= J.nnz <= J.size


def check_indexing(case: Case) -> None:
    _, made, found = dense_of(case)
    for row, dense in zip(made, found, strict=True):
        for J, D in zip(row, dense, strict=True):
            for key in keys(D.shape):
                assert_close(np.asarray(J[key]), D[key], 1e-13, f"J[{key}]", largest(D))


def keys(shape: tuple[int, ...]) -> list[Any]:
    """Index expressions that fit: entries, rows, stretches, reversed and strided slices, an index array."""
    last = tuple(n - 1 for n in shape)
    found: list[Any] = [last, ..., tuple(n // 2 for n in shape)]
    if shape:
        found += [
            0,
            -1,
            (slice(None), -1) if len(shape) > 1 else slice(1),
            (..., 0),
            (..., slice(None, None, -1)),
        ]
        found += [
            slice(0, 1),
            (..., slice(1, None, 2)),
            (..., np.array([shape[-1] - 1, 0])),
            (None, ..., None),
        ]
    if len(shape) > 1:
        first, end = np.array([shape[0] - 1, 0, 0]), np.array([0, shape[-1] - 1, shape[-1] // 2])
        found += [(first, ..., end), (first[:, None], ..., end), np.arange(shape[0]) % 2 == 0]
    return found


def check_types(case: Case) -> None:
    arrays, made, _ = dense_of(case)
    argnums = argnums_of(case, arrays)
    halved = tuple(a.astype(np.float32) if k in argnums else a for k, a in enumerate(arrays))
    value, single = jac.value_and_jacobian(case.call, wrt=argnums)(*halved)
    expected = arrays_of(case.call(*halved))
    flat = [leaf for _, leaf in flatten(single)[0]]
    for t, (y, theirs) in enumerate(zip(arrays_of(value), expected, strict=True)):
        if case.tags & {"numpy-promotes"}:  # numpy itself makes float64 of this call
            theirs = theirs.astype(y.dtype)
        assert y.dtype == theirs.dtype, f"target {t} is {y.dtype}, numpy gives {theirs.dtype}"
        for J, full in zip(flat[t * len(argnums) :], made[t], strict=False):
            wanted = theirs.dtype if theirs.dtype.kind == "f" else np.float64
            assert J.dtype == np.asarray(J).dtype == wanted, f"the Jacobian is {J.dtype}, not {wanted}"
            assert_close(
                np.asarray(J, float), np.asarray(full), 3e-4, "float32", max(largest(np.asarray(full)), 1e-2)
            )


def check_shape(case: Case) -> None:
    arrays, made, found = dense_of(case)
    targets = arrays_of((case.primal or case.call)(*arrays))
    for y, row, dense in zip(targets, made, found, strict=True):
        for k, J, D in zip(argnums_of(case, arrays), row, dense, strict=True):
            assert J.shape == D.shape == y.shape + np.shape(arrays[k])
            assert (J.target_shape, J.input_shape) == (y.shape, np.shape(arrays[k]))
            assert not np.isnan(D).any()


# ---- every property on every row


@rows
def test_value_and_shape(case: Case) -> None:
    check_value(case)
    check_shape(case)


@rows
def test_every_entry_of_the_jacobian(case: Case) -> None:
    check_first(case)


@pytest.mark.parametrize("case", [c for c in CASES if c.order >= 2], ids=lambda case: case.label)
def test_second_order(case: Case) -> None:
    check_second(case)


@rows
def test_adjoint_identity(case: Case) -> None:
    check_adjoint(case)


@rows
def test_orders_agree(case: Case) -> None:
    check_orders(case)


@rows
def test_lazy_equals_materialized(case: Case) -> None:
    check_modes(case)


@rows
def test_indexing_is_dense_indexing(case: Case) -> None:
    check_indexing(case)


@rows
def test_float32_stays_float32(case: Case) -> None:
    check_types(case)


@pytest.mark.parametrize("kink", KINKS, ids=lambda kink: kink.label)
def test_conventions_at_kinks(kink: Kink) -> None:
    """The Jacobian at the kink is the stated convention, and no order makes a NaN of it."""
    argnums = tuple(range(len(kink.point)))
    for order in ("reverse", "forward"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # numpy warns of log(0) in the branch not taken
            made = jac.jacobian(kink.call, wrt=argnums, order=order)(*kink.point)
        for (_, J), expected in zip(flatten(made)[0], kink.expected, strict=True):
            assert_close(np.asarray(J), expected, 1e-12, kink.label, 1.0)


# ---- controls: a wrong rule, and each property fails


PROPERTIES = [check_first, check_adjoint, check_orders, check_modes, check_indexing, check_types, check_shape]


def _control(name: str) -> Case:
    """A fresh row (nothing of it is known yet) on which the wrong rules below are tried."""
    return Case(name, lambda x, y: np.tanh(x * y).sum(0), ((2, 3), (3,)), id="control")


def test_the_control_row_passes() -> None:
    for check in (*PROPERTIES, check_value, check_second):
        check(_control("right"))


@pytest.fixture
def wrong_rule(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Replaces parts of a rule for one test; derivatives prepared under the wrong rule are forgotten."""

    def replace(name: str, **changes: Any) -> None:
        prepared._prepare.cache_clear()
        monkeypatch.setitem(RULES, name, RULES[name]._replace(**changes))

    yield replace
    prepared._prepare.cache_clear()


def test_a_rule_off_by_1e7_fails(wrong_rule: Callable[..., None]) -> None:
    right: Rule = RULES["tanh"]

    def local(node: Any, k: int) -> Any:
        found = right.local(node, k)  # type: ignore[misc]
        return dataclasses.replace(found, terms=tuple(t.scaled(1 + 1e-7) for t in found.terms))

    wrong_rule("tanh", local=local)
    with pytest.raises(AssertionError, match="Jacobian, target 0"):
        check_first(_control("off"))


def test_a_transposed_rule_fails(wrong_rule: Callable[..., None]) -> None:
    right: Rule = RULES["einsum"]

    def local(node: Any, k: int) -> Any:
        found = right.local(node, k)  # type: ignore[misc]
        if node.shape != node.args[k].shape or node.ndim != 2:
            return found
        swapped = tuple(dataclasses.replace(t, target=t.target[::-1]) for t in found.terms)
        return dataclasses.replace(found, terms=swapped)

    wrong_rule("einsum", local=local)
    case = Case("control", lambda x: x @ CONTROL, ((3, 3),), id="transposed")
    with pytest.raises(AssertionError, match="Jacobian, target 0"):
        check_first(case)


CONTROL = np.arange(9.0).reshape(3, 3) + np.eye(3)


def test_a_wrong_derivative_of_the_derivative_fails(wrong_rule: Callable[..., None]) -> None:
    """First order right, second wrong: cos is the slope of sin, and its own rule is broken."""
    wrong_rule("cos", local=None)
    case = Case("control", lambda x: np.sin(x), ((3,),), id="second")
    check_first(case)
    with pytest.raises(AssertionError, match="second order"):
        check_second(case)


def test_a_wrong_forward_fails(wrong_rule: Callable[..., None]) -> None:
    wrong_rule("tanh", forward=lambda params, x: np.tanh(x) + 1e-9)
    with pytest.raises(AssertionError, match="value"):
        check_value(_control("forward"))


@pytest.mark.parametrize(
    ("check", "match"),
    [
        (check_adjoint, "jvp"),
        (check_orders, "forward"),
        (check_modes, "materialized"),
        (check_indexing, "J"),
        (check_types, "float32"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_each_property_notices_a_wrong_entry(check: Any, match: str, wrong_rule: Callable[..., None]) -> None:
    """The dense tensor that a property compares with is altered in one entry: the property must fail."""
    case = _control(check.__name__)
    _, _, found = dense_of(case)
    if check is check_types:
        return _types_control(case, wrong_rule)
    found[0][0].flat[-1] += 1e-6
    with pytest.raises(AssertionError, match=match):
        check(case)
    return None


def _types_control(case: Case, wrong_rule: Callable[..., None]) -> None:
    wrong_rule("tanh", forward=lambda params, x: np.tanh(np.asarray(x, float)))
    with pytest.raises(AssertionError, match="target 0 is float64"):
        check_types(case)
