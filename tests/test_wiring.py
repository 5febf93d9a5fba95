"""Slots and the equations between them, against brute-force loops over the values of every label."""

from __future__ import annotations

from collections import Counter
from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import jacobians as jac
from jacobians.axes import symbol
from jacobians.expr import Node, constant
from jacobians.ops.structural import is_injective
from jacobians.wiring import (
    Affine,
    Disjoint,
    Equations,
    NotSymbolic,
    Slot,
    Table,
    affine,
    as_table,
    decode,
    encode,
    gather,
    labels_of,
    plain,
    relabel,
    select,
    strided,
    substitute,
    view,
)

from .random_terms import array, leaf, points, slots, value_of

SIZES = st.lists(st.integers(1, 4), min_size=4, max_size=4)


# ---- one slot


@given(st.data(), st.integers(1, 4), st.integers(1, 4))
def test_renaming_and_substitution_are_by_value(data: st.DataObject, a: int, b: int) -> None:
    sizes = [a, b, b, a]
    n = data.draw(st.integers(1, 8))
    slot = data.draw(slots(n, [0, 1], sizes))
    names = {0: 3, 1: 2}
    inner = {label: data.draw(slots(sizes[label], [2, 3], sizes)) for label in labels_of(slot)}
    for point in points(sizes):
        moved = [point[names[0]], point[names[1]], 0, 0]
        assert value_of(relabel(slot, names), point) == value_of(slot, moved)
        put = [value_of(inner.get(k, k), point) for k in range(4)]
        assert value_of(substitute(slot, inner, sizes), point) == value_of(slot, put)


@given(st.data(), SIZES)
def test_as_table_and_plain_change_no_value(data: st.DataObject, sizes: list[int]) -> None:
    n = data.draw(st.integers(1, 8))
    slot = data.draw(slots(n, [0, 1, 2], sizes))
    for point in points(sizes):
        assert value_of(as_table(slot, sizes), point) == value_of(slot, point)
        assert value_of(plain(slot, n, sizes), point) == value_of(slot, point)


def test_plain_recognises_whole_axes_only() -> None:
    sizes = (5, 4)
    assert plain(affine(0, [(0, 1)]), 5, sizes) == 0
    for slot in (affine(1, [(1, 1)]), affine(0, [(1, 1)]), affine(4, [(0, -1)])):
        assert plain(slot, 5, sizes) == slot


@given(st.data(), SIZES)
def test_encode_and_decode_are_inverse(data: st.DataObject, sizes: list[int]) -> None:
    wired = [data.draw(slots(n, [0, 1, 2, 3], sizes)) for n in (3, 4)]
    coded, tables = encode(wired, {k: k for k in range(4)})
    assert hash(coded) is not None
    assert decode(coded, tables) == tuple(wired)


# ---- reading and writing through slots


@settings(max_examples=150)
@given(st.data(), SIZES)
def test_gather_is_a_loop(data: st.DataObject, sizes: list[int]) -> None:
    shape = tuple(data.draw(st.lists(st.integers(1, 6), max_size=3)))
    wired = [data.draw(slots(n, range(4), sizes)) for n in shape]
    source = array(data.draw, shape)
    memory = data.draw(st.sampled_from(["C", "F", "reversed"])) if shape else "C"
    if memory == "F":
        source = np.asfortranarray(source)
    if memory == "reversed":
        source = source[(slice(None, None, -1),) * source.ndim]
    coded, tables = encode(wired, {k: k for k in range(4)})
    values = [table.value for table in tables]
    expected = np.zeros(sizes)
    for point in points(sizes):
        expected[point] = source[tuple(value_of(slot, point) for slot in wired)]
    found = gather(source, coded, tuple(sizes), values)
    assert np.array_equal(np.broadcast_to(found, sizes), expected)
    if not tables:
        seen = view(source, coded, tuple(sizes))
        assert seen is not None
        assert np.shares_memory(seen, source)
        assert strided(coded, source.strides, 4) is not None


@settings(max_examples=150)
@given(st.data(), SIZES)
def test_injective_means_that_no_entry_is_reached_twice(data: st.DataObject, sizes: list[int]) -> None:
    """`is_injective` may be careful (False), but never wrong: a write through a view loses nothing."""
    wired = [data.draw(slots(n, range(4), sizes)) for n in (4, 6, 3)]
    used = sorted({label for slot in wired for label in labels_of(slot)})
    coded, _ = encode(wired, {label: k for k, label in enumerate(used)})
    some = [sizes[label] for label in used]
    if is_injective(coded, some):
        reached = Counter(
            tuple(
                value_of(slot, [dict(zip(used, point, strict=True)).get(k, 0) for k in range(4)])
                for slot in wired
            )
            for point in points(some)
        )
        assert max(reached.values()) == 1


def test_injectivity_of_known_wirings() -> None:
    assert is_injective((0, 1, 0), (3, 4))
    assert is_injective((affine(0, [(0, 4), (1, 1)]),), (3, 4))
    assert is_injective((affine(5, [(0, -2)]), 1), (3, 4))
    assert not is_injective((affine(0, [(0, 1), (1, 1)]),), (3, 4))
    assert not is_injective((affine(0, [(0, 3), (1, 1)]),), (3, 4))
    assert not is_injective((Affine(2), 1), (3, 4))


@given(st.data(), SIZES)
def test_select_gathers_a_factor(data: st.DataObject, sizes: list[int]) -> None:
    """`y[labels] = x[slots(labels)]`, at once where x is a constant of integers."""
    solution = {0: data.draw(slots(sizes[0], [2, 3], sizes)), 1: data.draw(slots(sizes[1], [2, 3], sizes))}
    values = array(data.draw, (sizes[0], sizes[1]))
    node, labels = select((constant(values.astype(np.intp)), (0, 1)), solution, sizes)
    made, same = select((leaf(values), (0, 1)), solution, sizes)
    assert labels == same
    assert node.shape == made.shape == tuple(sizes[k] for k in labels)
    tables = all(not isinstance(s, Table) or s.node.op == "constant" for s in solution.values())
    assert (node.op == "constant") == tables
    for point in points(sizes):
        expected = values[value_of(solution[0], point), value_of(solution[1], point)]
        assert node.value[tuple(point[k] for k in labels)] == expected


# ---- equations


def _solve(sizes: list[int], equations: list[tuple[Slot, Slot]]) -> Counter[tuple[int, ...]]:
    """Every assignment of the first labels that the solver describes, with how often it does."""
    solver = Equations(sizes)
    try:
        for left, right in equations:
            solver.equate(left, right)
    except Disjoint:
        return Counter()
    free = [k for k in range(len(solver.sizes)) if k not in solver.solution]
    for slot in solver.solution.values():
        assert set(labels_of(slot)) <= set(free), "a solved label stands in a solution"
    found: Counter[tuple[int, ...]] = Counter()
    for values in points([int(solver.sizes[k]) for k in free]):
        point = [0] * len(solver.sizes)
        for k, value in zip(free, values, strict=True):
            point[k] = value
        found[tuple(value_of(solver.solution.get(k, k), point) for k in range(len(sizes)))] += 1
    return found


def _satisfying(sizes: list[int], equations: list[tuple[Slot, Slot]]) -> Counter[tuple[int, ...]]:
    return Counter(
        point
        for point in points(sizes)
        if all(value_of(a, point) == value_of(b, point) for a, b in equations)
    )


@st.composite
def systems(draw: st.DrawFn) -> tuple[list[int], list[tuple[Slot, Slot]]]:
    """Labels 0 to 2 on the left, 3 to 5 on the right, up to three middle axes."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=6, max_size=6))
    axes = draw(st.lists(st.sampled_from([1, 2, 3, 4, 6, 8]), min_size=1, max_size=3))
    return sizes, [(draw(slots(n, [0, 1, 2], sizes)), draw(slots(n, [3, 4, 5], sizes))) for n in axes]


@settings(max_examples=400, deadline=None)
@given(systems())
def test_equations_describe_each_solution_once(system: tuple[list[int], list[tuple[Slot, Slot]]]) -> None:
    sizes, equations = system
    assert _solve(sizes, equations) == _satisfying(sizes, equations)


@st.composite
def affine_systems(draw: st.DrawFn) -> tuple[list[int], list[tuple[Slot, Slot]]]:
    """Slices, shifts, flips, merges and fixed indices only: what is solved without tables where it can be."""
    sizes = draw(st.lists(st.integers(1, 5), min_size=4, max_size=4))
    equations = []
    for _ in range(draw(st.integers(1, 2))):
        n = draw(st.integers(1, 12))
        pair = []
        for label in (draw(st.sampled_from([0, 1])), draw(st.sampled_from([2, 3]))):
            reach = sizes[label] - 1
            most = (n - 1) // reach if reach else 2
            stride = draw(st.integers(-most, most))
            low, high = min(0, stride * reach), max(0, stride * reach)
            pair.append(affine(draw(st.integers(-low, max(-low, n - 1 - high))), [(label, stride)]))
        equations.append((pair[0], pair[1]))
    return sizes, equations


@settings(max_examples=400, deadline=None)
@given(affine_systems())
@example(([5, 1, 4, 1], [(affine(0, [(0, 1)]), affine(2, [(2, 1)]))]))
@example(([3, 1, 3, 1], [(affine(0, [(0, 2)]), affine(1, [(2, 2)]))]))
@example(([4, 1, 4, 1], [(affine(3, [(0, -1)]), affine(0, [(2, 1)]))]))
@example(([4, 1, 3, 1], [(affine(3, [(0, -1)]), affine(4, [(2, -1)]))]))
def test_affine_equations(system: tuple[list[int], list[tuple[Slot, Slot]]]) -> None:
    sizes, equations = system
    assert _solve(sizes, equations) == _satisfying(sizes, equations)


@given(st.permutations([2, 3, 4]), st.permutations([2, 3, 4]), st.integers(0, 1))
def test_merged_axes_against_merged_axes(left: list[int], right: list[int], flip: int) -> None:
    """`p = n i + j` on both sides, equal digits or not, some of them reversed."""
    sizes = [*left[:2], *right[:2]]
    if left[0] * left[1] != right[0] * right[1]:
        return
    a = affine(0, [(0, left[1]), (1, 1)])
    b = affine(0, [(2, right[1]), (3, 1)])
    if flip:
        a, b = (affine(sizes[k + 1] - 1, [(k, sizes[k + 1]), (k + 1, -1)]) for k in (0, 2))
    assert _solve(sizes, [(a, b)]) == _satisfying(sizes, [(a, b)])


def test_equal_digits_need_no_table() -> None:
    solver = Equations((3, 4, 3, 4))
    solver.equate(affine(0, [(0, 4), (1, 1)]), affine(0, [(2, 4), (3, 1)]))
    assert solver.solution == {0: 2, 1: 3} or solver.solution == {2: 0, 3: 1}


def test_overlapping_stretches_need_no_table() -> None:
    """`x[2:]` against an axis that carries `y[:6]`: one label over what both reach."""
    solver = Equations((5, 6))
    solver.equate(affine(2, [(0, 1)]), affine(0, [(1, 1)]))
    assert not any(isinstance(slot, Table) for slot in solver.solution.values())
    assert len(solver.sizes) == 3
    assert solver.sizes[2] == 4


def test_disjoint_stretches_are_zero() -> None:
    for left, right in (
        (Affine(1), Affine(2)),
        (affine(0, [(0, 1)]), affine(3, [(1, 1)])),
        (affine(0, [(0, 2)]), affine(1, [(1, 2)])),
        (affine(0, [(0, 2)]), Affine(1)),
    ):
        with pytest.raises(Disjoint):
            Equations((3, 3)).equate(left, right)


def test_symbols_are_solved_where_they_can_be() -> None:
    M, N = symbol("M"), symbol("N")
    solver = Equations((M, N, M, N))
    solver.equate(affine(0, [(0, N), (1, 1)]), affine(0, [(2, N), (3, 1)]))
    assert set(solver.solution.values()) <= {0, 1, 2, 3}
    with pytest.raises(NotSymbolic):
        Equations((M, N)).equate(affine(0, [(0, 1)]), affine(2, [(1, 1)]))


def test_tables_of_a_running_plan_are_not_solved() -> None:
    """An index array that is known only when a plan runs: the caller writes the tensor out instead."""
    unknown = Node("variable", (), None, (3,), np.dtype(np.intp), "order")
    with pytest.raises(NotSymbolic):
        Equations((3, 3)).equate(Table((0,), unknown), affine(0, [(1, 2)]))


# ---- index maps of arrays, chained: the Jacobian against numpy on the unit arrays


def _factorings(n: int) -> list[tuple[int, ...]]:
    found = [(n,)]
    for a in range(1, n + 1):
        if n % a == 0:
            found.append((a, n // a))
            found += [(a, b, n // a // b) for b in range(2, n // a + 1) if (n // a) % b == 0]
    return found


def _step(draw: Any, shape: tuple[int, ...]) -> tuple[str, Any]:
    ndim = len(shape)
    kind = draw(st.sampled_from(["reshape", "reshape", "slice", "transpose", "gather", "index", "newaxis"]))
    axis = draw(st.integers(0, max(ndim - 1, 0)))
    if kind == "reshape" or not ndim:
        return "reshape", draw(st.sampled_from(_factorings(prod(shape))))
    before = (slice(None),) * axis
    if kind == "slice":
        start, stop = (
            draw(st.integers(-shape[axis], shape[axis])),
            draw(st.integers(-shape[axis], shape[axis])),
        )
        cut = draw(
            st.sampled_from(
                [
                    slice(None, None, -1),
                    slice(start, stop),
                    slice(start, None, 2),
                    slice(stop, None, -2),
                    slice(1, None),
                ]
            )
        )
        if len(range(*cut.indices(shape[axis]))):
            return "index", (*before, cut)
    if kind == "transpose":
        return "transpose", tuple(draw(st.permutations(range(ndim))))
    if kind == "gather":
        chosen = draw(st.lists(st.integers(-shape[axis], shape[axis] - 1), min_size=1, max_size=4))
        return "index", (*before, np.array(chosen))
    if kind == "newaxis":
        return "index", (*before, None)
    return "index", (*before, draw(st.integers(-shape[axis], shape[axis] - 1))) if ndim > 1 else (..., None)


def _apply(x: Any, steps: list[tuple[str, Any]]) -> Any:
    for kind, what in steps:
        x = x.reshape(what) if kind == "reshape" else x.transpose(what) if kind == "transpose" else x[what]
    return x


def _units(f: Any, shape: tuple[int, ...]) -> np.ndarray:
    """A linear map's Jacobian by applying it to every unit array."""
    columns = [f(unit.reshape(shape)) for unit in np.eye(prod(shape))]
    return np.stack(columns, -1).reshape(*columns[0].shape, *shape)


@settings(max_examples=120, deadline=None)
@given(st.data(), st.sampled_from([(2, 3, 4), (4, 6), (12,), (2, 2, 6)]))
def test_chains_of_index_maps(data: st.DataObject, shape: tuple[int, ...]) -> None:
    steps: list[tuple[str, Any]] = []
    x = np.arange(float(prod(shape))).reshape(shape)
    for _ in range(data.draw(st.integers(1, 6))):
        steps.append(_step(data.draw, _apply(x, steps).shape))

    def f(x: Any) -> Any:
        return _apply(x, steps)

    expected = _units(f, shape)
    for order in ("reverse", "forward", "markowitz"):
        J = jac.jacobian(f, order=order)(x)
        assert np.array_equal(np.asarray(J), expected), (order, steps)
        assert J.nnz <= max(expected.size, 1)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_sums_of_index_maps(data: st.DataObject) -> None:
    """Two chains from one input added: `x[1:] - x[:-1]`, transposes of itself and the like."""
    shape = (4, 6)
    x = np.arange(24.0).reshape(shape)
    chains = []
    for _ in range(2):
        steps: list[tuple[str, Any]] = []
        for _ in range(data.draw(st.integers(1, 3))):
            steps.append(_step(data.draw, _apply(x, steps).shape))
        steps.append(("reshape", (-1,)))
        chains.append(steps)

    def f(x: Any) -> Any:
        left, right = _apply(x, chains[0]), _apply(x, chains[1])
        n = min(left.shape[0], right.shape[0])
        return 2 * left[:n] - 3 * right[-n:]

    expected = _units(f, shape)
    for order in ("reverse", "forward"):
        assert np.array_equal(np.asarray(jac.jacobian(f, order=order)(x)), expected), (order, chains)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.reshape(6, 4).reshape(4, 6).reshape(2, 12),
        lambda x: x.reshape(6, 4)[1:5].reshape(2, 8).T.reshape(4, 4),
        lambda x: x.reshape(3, 8)[:, ::-1].reshape(24)[::5],
        lambda x: x.transpose(2, 0, 1).reshape(4, 6)[:, 1::2].reshape(2, 6),
        lambda x: x[:, ::-1, 1:].reshape(2, 9)[:, :-1].reshape(4, 4)[::-1],
        lambda x: x.reshape(24)[4:20].reshape(4, 4).reshape(2, 8)[1],
        lambda x: x.reshape(4, 6)[np.array([3, 0, 3])].reshape(2, 9)[:, 2:7],
        lambda x: x.reshape(2, 12)[:, 3:9].reshape(3, 4)[1, 1:3],
        lambda x: x.reshape(1, 24, 1).squeeze().reshape(8, 1, 3).transpose(2, 1, 0),
    ],
    ids=range(9),
)
def test_reshapes_across_axes(f: Any) -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    expected = _units(f, x.shape)
    for order in ("reverse", "forward"):
        J = jac.jacobian(f, order=order)(x)
        assert np.array_equal(np.asarray(J), expected)
        second = jac.hessian(lambda x: f(x) ** 2)(x)
        assert np.array_equal(
            np.asarray(second), np.einsum("...abc,...def->...abcdef", 2 * expected, expected)
        )
