"""The algebra of Terms against dense arrays: random Jacobians with deltas, sums, affine slots and tables."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobians.axes import symbol
from jacobians.derivative import Jacobian, evaluated
from jacobians.errors import ShapeError
from jacobians.expr import Node, combination, product, variable
from jacobians.operation import local_jacobian
from jacobians.plan import evaluate
from jacobians.terms import (
    Term,
    TermSum,
    _compose,
    _solved,
    add,
    assemble,
    assembled,
    canonical,
    collapse,
    compose,
    core,
    identity,
    is_identity,
    term,
)
from jacobians.wiring import Affine, Table, affine

from .random_terms import array, brute, leaf, shapes, sums, terms

LAWS = settings(max_examples=120, deadline=None)


def dense(whole: TermSum) -> np.ndarray:
    """The dense tensor as the engine assembles it."""
    return np.asarray(evaluate([assemble(whole)])[0])


def numbers(whole: TermSum) -> Jacobian:
    """A Jacobian object over the Terms (their factors hold arrays)."""
    return Jacobian(whole, {n.serial: n.value for t in whole.terms for n, _ in t.factors})


# ---- a Jacobian means its brute-force loop


@LAWS
@given(st.data(), shapes, shapes)
def test_assemble_and_materialize_are_the_loop_over_labels(
    data: st.DataObject, target: Any, given: Any
) -> None:
    whole = data.draw(sums(target, given))
    expected = brute(whole)
    assert np.array_equal(dense(whole), expected)
    assert np.array_equal(numbers(whole).materialize(), expected)
    assert np.array_equal(brute_of_assembled(whole), expected)
    assert np.count_nonzero(expected) <= numbers(whole).nnz or not whole.terms


def brute_of_assembled(whole: TermSum) -> np.ndarray:
    """One Term without deltas or selections, its factor evaluated."""
    plain = assembled(whole)
    if not plain.terms:
        return np.zeros(whole.shape)
    (only,) = plain.terms
    assert only.target + only.input == tuple(range(len(whole.shape)))
    return only.coefficient * np.asarray(evaluate([only.factors[0][0]])[0])


def test_the_loop_is_noticed_when_an_entry_moves() -> None:
    """The control: one slot shifted by one changes the tensor."""
    t = Term(1, ((leaf(np.arange(1.0, 4.0)), (0,)),), (0,), (affine(1, [(0, 1)]),), (3,))
    whole = TermSum((3,), (5,), (t,))
    moved = TermSum((3,), (5,), (dataclasses.replace(t, input=(affine(2, [(0, 1)]),)),))
    assert np.array_equal(dense(whole), np.eye(3, 5, 1) * [[1], [2], [3]])
    assert not np.array_equal(dense(moved), brute(whole))


# ---- the laws


@LAWS
@given(st.data(), shapes, shapes, shapes)
def test_compose_is_the_dense_product(data: st.DataObject, target: Any, middle: Any, given: Any) -> None:
    outer, inner = data.draw(sums(target, middle)), data.draw(sums(middle, given))
    found = compose(outer, inner)
    assert (found.target_shape, found.input_shape) == (target, given)
    assert np.array_equal(dense(found), np.tensordot(brute(outer), brute(inner), len(middle)))
    assert np.array_equal(np.asarray(numbers(outer) @ numbers(inner)), dense(found))


@settings(max_examples=60, deadline=None)
@given(st.data(), shapes, shapes, shapes, shapes)
def test_compose_is_associative(data: st.DataObject, a: Any, b: Any, c: Any, d: Any) -> None:
    first, second, third = (data.draw(sums(p, q, most=2)) for p, q in ((a, b), (b, c), (c, d)))
    left, right = compose(compose(first, second), third), compose(first, compose(second, third))
    expected = np.tensordot(np.tensordot(brute(first), brute(second), len(b)), brute(third), len(c))
    assert np.array_equal(dense(left), expected)
    assert np.array_equal(dense(right), expected)


@given(st.data(), shapes, shapes, shapes)
def test_terms_that_meet_in_labels_compose_as_the_equations_say(
    data: st.DataObject, target: Any, middle: Any, given: Any
) -> None:
    a, b = data.draw(terms(target, middle, "labels")), data.draw(terms(middle, given, "labels"))
    outer, inner = TermSum(target, middle, (a,)), TermSum(middle, given, (b,))
    (quick,), (generic,) = _compose(a, b, outer, inner), _solved(a, b, outer, inner)
    assert (quick.target, quick.input, quick.sizes) == (generic.target, generic.input, generic.sizes)
    assert quick.coefficient == generic.coefficient
    for (node, labels), (other, same) in zip(quick.factors, generic.factors, strict=True):
        assert labels == same
        assert node is other or (node.op, node.args, node.params) == (other.op, other.args, other.params)


@given(st.data(), shapes, shapes)
def test_the_identity_is_a_unit(data: st.DataObject, target: Any, given: Any) -> None:
    whole = data.draw(sums(target, given))
    assert compose(identity(target), whole) == whole
    assert compose(whole, identity(given)) == whole or is_identity(whole)
    assert is_identity(identity(target))
    assert np.array_equal(dense(identity(target)), np.eye(int(np.prod(target))).reshape(target * 2))


@LAWS
@given(st.data(), shapes, shapes)
def test_add_is_the_dense_sum(data: st.DataObject, target: Any, given: Any) -> None:
    edges = [data.draw(sums(target, given)) for _ in range(data.draw(st.integers(1, 4)))]
    assert np.array_equal(dense(add(edges)), sum(map(brute, edges)))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_many_terms_of_few_wirings_stay_few(data: st.DataObject) -> None:
    """Depth cannot multiply Terms: of equal wiring a handful stay, whatever was added."""
    edges = [data.draw(sums((3,), (3,), "labels")) for _ in range(12)]
    whole = add(edges)
    assert np.array_equal(dense(whole), sum(map(brute, edges)))
    patterns = {t.pattern for t in whole.terms}
    assert len(whole.terms) <= 5 * len(patterns)


@given(st.data(), shapes, shapes)
def test_a_jacobian_minus_itself_is_zero(data: st.DataObject, target: Any, given: Any) -> None:
    whole = data.draw(sums(target, given))
    minus = TermSum(target, given, tuple(t.scaled(-1) for t in whole.terms))
    assert np.array_equal(dense(add([whole, minus])), np.zeros(target + given))


@LAWS
@given(st.data(), shapes, shapes)
def test_collapse_changes_no_value(data: st.DataObject, target: Any, given: Any) -> None:
    t = data.draw(terms(target, given))
    slim = collapse(t)
    assert (slim.target, slim.input) == (t.target, t.input)
    assert len(slim.factors) <= len(t.factors)
    for one in (slim, collapse(slim)):
        assert np.array_equal(dense(TermSum(target, given, (one,))), brute(TermSum(target, given, (t,))))


@given(st.data(), shapes, shapes)
def test_canonical_form_is_a_fixed_point_and_names_do_not_matter(
    data: st.DataObject, target: Any, given: Any
) -> None:
    t = data.draw(terms(target, given))
    again = canonical(t.coefficient, t.factors, t.target, t.input, t.sizes)
    assert again == t
    names = data.draw(st.permutations(range(len(t.sizes))))
    sizes = [0] * len(names)
    for k, name in enumerate(names):
        sizes[name] = t.sizes[k]
    from jacobians.wiring import relabel

    renamed = canonical(
        t.coefficient,
        [(node, tuple(names[k] for k in labels)) for node, labels in t.factors],
        [relabel(slot, names) for slot in t.target],
        [relabel(slot, names) for slot in t.input],
        sizes,
    )
    assert np.array_equal(brute(TermSum(target, given, (renamed,))), brute(TermSum(target, given, (t,))))
    if not any(isinstance(slot, Affine) for slot in (*t.target, *t.input)):
        assert renamed == t


@given(st.data(), shapes, shapes)
def test_core_is_the_tensor_of_the_distinct_labels(data: st.DataObject, target: Any, given: Any) -> None:
    t = data.draw(terms(target, given, "labels"))
    node, labels = core(t)
    value = np.asarray(evaluate([node])[0])
    full = brute(TermSum(target, given, (t,)))
    spread = np.zeros(full.shape)
    for point in np.ndindex(*(t.sizes[k] for k in t.wiring)):
        at = dict(zip(t.wiring, point, strict=True))
        spread[tuple(at[k] for k in (*t.target, *t.input))] += (
            t.coefficient * value[tuple(at[k] for k in labels)]
        )
    assert np.array_equal(spread, full)


@LAWS
@given(st.data(), shapes, shapes)
def test_seeds_and_indexing_agree_with_the_dense_tensor(data: st.DataObject, target: Any, given: Any) -> None:
    J = numbers(data.draw(sums(target, given)))
    D = brute(J.terms)
    v, u = array(data.draw, given), array(data.draw, target)
    assert np.array_equal(J.jvp(v), np.tensordot(D, v, v.ndim))
    assert np.array_equal(J.vjp(u), np.tensordot(u, D, u.ndim))
    key = tuple(data.draw(keys(n)) for n in D.shape)
    assert np.array_equal(np.asarray(J[key]), D[key]), key


@st.composite
def keys(draw: st.DrawFn, n: int) -> Any:
    """An index expression for one axis of size n."""
    one = st.integers(-n, n - 1)
    return draw(
        st.one_of(
            one,
            st.just(slice(None)),
            st.just(slice(None, None, -1)),
            st.builds(lambda a, b: slice(min(a, b) % n, max(a, b) % n + 1), one, one),
            st.lists(one, min_size=2, max_size=2).map(np.array),
        )
    )


# ---- the rules that Terms are made of, differentiated again


@LAWS
@given(st.data(), shapes, shapes)
def test_assemble_is_linear_in_each_core(data: st.DataObject, target: Any, given: Any) -> None:
    """The local Jacobian of `assemble` by a core, contracted with that core, is its share of the tensor."""
    t = data.draw(terms(target, given))
    node = assemble(TermSum(target, given, (t,)))
    by_core = local_jacobian(node, 0)
    value = np.asarray(evaluate([node.args[0]])[0], float)
    assert np.array_equal(
        np.tensordot(dense(by_core), value, value.ndim), dense(TermSum(target, given, (t,)))
    )
    for k in range(1, len(node.args)):
        assert not local_jacobian(node, k).terms


@given(st.data())
def test_product_and_combination_by_each_argument(data: st.DataObject) -> None:
    """Multilinear: the local Jacobian by an argument, contracted with that argument, is the value."""
    sizes = (2, 3, 4)
    pool = st.lists(st.sampled_from([0, 1, 2]), max_size=3).map(tuple)
    carried = [data.draw(pool) for _ in range(data.draw(st.integers(1, 3)))]
    factors = [(leaf(array(data.draw, tuple(sizes[k] for k in labels))), labels) for labels in carried]
    output = tuple(data.draw(st.lists(st.sampled_from([0, 1, 2]), unique=True)))
    node = product(factors, output, sizes)
    value = np.asarray(evaluate([node])[0])
    for k, arg in enumerate(node.args):
        J = dense(local_jacobian(node, k))
        assert np.array_equal(np.tensordot(J, arg.value, arg.ndim), value)
    distinct = [
        (c, n, labels)
        for c, (n, labels) in zip((2, -1, 1), factors, strict=False)
        if len(set(labels)) == len(labels)
    ]
    parts = [(c, n, labels) for c, n, labels in distinct if set(labels) <= set(output)]
    if parts:
        mixed = combination(parts, output, sizes)
        total = sum(
            np.tensordot(dense(local_jacobian(mixed, k)), a.value, a.ndim) for k, a in enumerate(mixed.args)
        )
        assert np.array_equal(total, np.asarray(evaluate([mixed])[0]))


def test_masks_add_as_numbers_and_select_as_masks() -> None:
    """A weighted sum of masks is numbers; a mask beside a factor hides even what is not finite."""
    on, off = leaf(np.array([True, False, True])), leaf(np.array([False, True, True]))
    both = combination([(1, on, (0,)), (2, off, (0,))], (0,), (3,))
    assert both.dtype == np.float32
    assert np.array_equal(
        evaluate([product([(both, (0,)), (leaf(np.ones(3)), (0,))], (0,), (3,))])[0], [1, 2, 3]
    )
    wild = leaf(np.array([2.0, np.inf, 3.0]))
    t = collapse(Term(1, ((on, (0,)), (wild, (0,))), (0,), (0,), (3,)))
    whole = TermSum((3,), (3,), (t,))
    assert np.array_equal(dense(whole), np.diag([2.0, 0, 3.0]))
    assert np.array_equal(evaluated(whole, None, None, float).materialize(), np.diag([2.0, 0, 3.0]))
    more = compose(
        whole,
        TermSum((3,), (3,), (Term(1, ((leaf(np.array([1.0, np.nan, 2.0])), (0,)),), (0,), (0,), (3,)),)),
    )
    assert np.array_equal(dense(more), np.diag([2.0, 0, 6.0]))


# ---- what the normal form keeps


def test_dz_dA_composes_to_one_term_with_its_delta() -> None:
    """f = tanh(z), z = A x: df/dA is `(i | i k)  (1 - f[i]^2) x[k]`: small factors or one core, never n^3."""
    x, slope = leaf(np.arange(4.0)), leaf(np.arange(3.0))
    dz = TermSum((3,), (3, 4), (term(1, [(x, "k")], "i", "ik", {"i": 3, "k": 4}),))
    df = TermSum((3,), (3,), (term(1, [(slope, "i")], "i", "i", {"i": 3}),))
    (only,) = compose(df, dz).terms
    assert (only.target, only.input) == ((0,), (0, 1))
    assert max(node.ndim for node, _ in only.factors) <= 2
    assert np.array_equal(dense(compose(df, dz)), np.einsum("i,k,im->imk", slope.value, x.value, np.eye(3)))


def test_a_kronecker_product_keeps_its_factors_apart() -> None:
    """d inv(Y) has n^4 entries; its Term holds two matrices."""
    y = leaf(np.arange(36.0).reshape(6, 6))
    t = collapse(term(-1, [(y, "ik"), (y, "lj")], "ij", "kl", dict.fromkeys("ijkl", 6)))
    assert [node.shape for node, _ in t.factors] == [(6, 6), (6, 6)]


def test_a_label_carried_by_no_factor_is_ones_and_a_lost_one_counts() -> None:
    ones = TermSum((2,), (3,), (Term(1, (), (0,), (1,), (2, 3)),))
    assert np.array_equal(dense(ones), np.ones((2, 3)))
    total = compose(
        TermSum((), (5,), (Term(1, (), (), (0,), (5,)),)), TermSum((5,), (), (Term(1, (), (0,), (), (5,)),))
    )
    assert [t.coefficient for t in total.terms] == [5]


def test_a_label_may_stand_any_number_of_times() -> None:
    t = Term(1, ((leaf(np.arange(1.0, 4.0)), (0,)),), (0, 0), (0, 0), (3,))
    found = dense(TermSum((3, 3), (3, 3), (t,)))
    assert np.array_equal(np.einsum("iiii->i", found), [1, 2, 3])
    assert np.count_nonzero(found) == 3


def test_disjoint_selections_compose_to_zero() -> None:
    front = TermSum((2,), (6,), (Term(1, (), (0,), (affine(0, [(0, 1)]),), (2,)),))
    back = TermSum((6,), (3,), (Term(1, (), (affine(3, [(0, 1)]),), (0,), (3,)),))
    assert compose(front, back).terms == ()
    assert np.array_equal(dense(compose(front, back)), np.zeros((2, 3)))


def test_an_index_known_only_when_the_plan_runs_is_composed_all_the_same() -> None:
    """A table that is no constant (an argsort, say): the inner Jacobian is written out, and is right."""
    order = Node("variable", (), None, (3,), np.dtype(np.intp), "order", np.array([2, 0, 2]))
    gather = TermSum((3,), (4,), (Term(1, (), (0,), (Table((0,), order),), (3,)),))
    scatter = TermSum((4,), (3,), (Term(1, (), (Table((0,), order),), (0,), (3,)),))
    expected = np.eye(4)[[2, 0, 2]]
    assert np.array_equal(dense(compose(gather, scatter)), expected @ expected.T)
    assert np.array_equal(dense(compose(scatter, gather)), expected.T @ expected)


def test_sizes_may_be_symbols() -> None:
    M, N = symbol("M"), symbol("N")
    A, x = variable("A", (M, N)), variable("x", (N,))
    z = product([(A, (0, 1)), (x, (1,))], (0,), (M, N))
    by_a, by_x = local_jacobian(z, 0), local_jacobian(z, 1)
    assert by_a.shape == (M, M, N)
    assert by_x.shape == (M, N)
    assert compose(identity((M,)), by_a) == by_a
    assert compose(by_x, TermSum((N,), (), (Term(1, (), (0,), (), (N,)),))).shape == (M,)


def test_compose_names_the_axes_that_differ() -> None:
    with pytest.raises(ShapeError) as caught:
        compose(identity((3,)), identity((4,)))
    assert str(caught.value) == (
        "cannot contract two Jacobians: their middle axes differ\n"
        "  input axes (3,) against target axes (4,)\n"
        "  try: compose neighbours of the chain, a step may be missing between them"
    )
