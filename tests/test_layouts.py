"""Layouts: shapes, permutations, round trips and the chain rule in each."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacobians.axes import symbol
from jacobians.errors import LayoutError, UnknownNameError
from jacobians.layouts import (
    LAYOUTS,
    from_layout,
    has_place,
    layout_named,
    layout_recipe,
    layout_shape,
    layout_text,
    plain_shape,
    product,
    shape_text,
    to_layout,
)

M, N = symbol("M"), symbol("N")
SHAPES = ((), (3,), (2, 5))
INPUTS = ((), (4,), (7, 6), (2, 3, 5))


# target, input, layout, shape: written by hand from the definitions
EXPECTED = [
    ((3,), (4,), "tensor", (3, 4)),
    ((3,), (4,), "numerator", (3, 4)),
    ((3,), (4,), "denominator", (4, 3)),
    ((3,), (4,), "vec", (3, 4)),
    ((3,), (4,), "vec-row", (3, 4)),
    ((3,), (3, 4), "tensor", (3, 3, 4)),
    ((3,), (3, 4), "vec", (3, 12)),
    ((3,), (3, 4), "vec-rows", (3, 12)),
    ((), (4,), "tensor", (4,)),
    ((), (4,), "numerator", (1, 4)),
    ((), (4,), "denominator", (4, 1)),
    ((), (4,), "vec-columns", (1, 4)),
    ((), (4,), "gradient", (4,)),
    ((), (3, 4), "numerator", (4, 3)),
    ((), (3, 4), "denominator", (3, 4)),
    ((), (3, 4), "vec", (1, 12)),
    ((), (3, 4), "gradient", (3, 4)),
    ((5,), (), "numerator", (5, 1)),
    ((5,), (), "denominator", (1, 5)),
    ((2, 5), (), "numerator", (2, 5)),
    ((2, 5), (), "denominator", (5, 2)),
    ((), (), "numerator", (1, 1)),
    ((), (), "gradient", ()),
    ((M,), (M, N), "tensor", (M, M, N)),
    ((M,), (M, N), "vec", (M, M * N)),
    ((M, N), (M, N), "vec-row", (M * N, M * N)),
    ((), (M, N), "numerator", (N, M)),
]


@pytest.mark.parametrize(("target", "given_", "name", "shape"), EXPECTED)
def test_shape(target, given_, name, shape):
    assert layout_shape(name, target, given_) == shape


def test_every_place_and_only_those():
    places = {
        (name, len(t), len(s)) for name in LAYOUTS for t in SHAPES for s in INPUTS if has_place(name, t, s)
    }
    everywhere = {(n, t, s) for n in ("tensor", "vec", "vec-row") for t in range(3) for s in range(4)}
    matrices = {
        (n, t, s) for n in ("numerator", "denominator") for t in range(3) for s in range(3) if t + s < 3
    }
    assert places == everywhere | matrices | {("gradient", 0, s) for s in range(4)}


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize(("target", "given_"), list(itertools.product(SHAPES, INPUTS)))
def test_round_trip(name, target, given_):
    if not has_place(name, target, given_):
        with pytest.raises(LayoutError):
            to_layout(np.zeros(target + given_), name, target, given_)
        return
    tensor = np.arange(float(np.prod(target + given_))).reshape(target + given_)
    there = to_layout(tensor, name, target, given_)
    assert there.shape == layout_shape(name, target, given_)
    back = from_layout(there, name, target, given_)
    assert back.shape == tensor.shape
    np.testing.assert_array_equal(back, tensor)


@given(st.lists(st.integers(1, 4), max_size=3), st.lists(st.integers(1, 4), max_size=3))
def test_vec_layouts_are_the_two_ravels(target, given_):
    target, given_ = tuple(target), tuple(given_)
    tensor = np.random.default_rng(0).normal(size=target + given_)
    columns, rows = (to_layout(tensor, name, target, given_) for name in ("vec", "vec-row"))
    for t in np.ndindex(target):
        for s in np.ndindex(given_):
            f = [
                int(np.ravel_multi_index(i, n, order="F")) if n else 0 for i, n in ((t, target), (s, given_))
            ]
            c = [int(np.ravel_multi_index(i, n)) if n else 0 for i, n in ((t, target), (s, given_))]
            assert columns[tuple(f)] == tensor[t + s] == rows[tuple(c)]


def test_kronecker_products_of_the_affine_map():
    """d(Ax)/dA is xᵀ ⊗ I with columns stacked, I ⊗ xᵀ with rows stacked."""
    x = np.array([2.0, 3.0, 5.0, 7.0])
    tensor = np.einsum("im,n->imn", np.eye(3), x)
    columns, rows = (to_layout(tensor, name, (3,), (3, 4)) for name in ("vec", "vec-row"))
    np.testing.assert_array_equal(columns, np.kron(x[None], np.eye(3)))
    np.testing.assert_array_equal(rows, np.kron(np.eye(3), x[None]))
    assert not np.array_equal(columns, rows)  # so the two layouts are told apart


@pytest.mark.parametrize("name", ["tensor", "vec", "vec-row"])
@given(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2))
def test_chain_rule_of_tensors(name, outer, middle, inner):
    check_chain(name, (2, 5)[:outer], (3, 4)[:middle], (7, 6)[:inner])


@pytest.mark.parametrize("name", ["numerator", "denominator"])
@pytest.mark.parametrize(("outer", "inner"), list(itertools.product(((), (2,)), ((), (7,)))))
@pytest.mark.parametrize("middle", [(), (3,)])
def test_chain_rule_of_vectors(name, outer, middle, inner):
    check_chain(name, outer, middle, inner)


def check_chain(name, outer, middle, inner):
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=outer + middle), rng.normal(size=middle + inner)
    whole = to_layout(np.tensordot(a, b, axes=len(middle)), name, outer, inner)
    left, right = to_layout(a, name, outer, middle), to_layout(b, name, middle, inner)
    np.testing.assert_allclose(product(name, left, right, len(middle)), whole)


def test_the_order_of_the_chain_matters():
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    right = to_layout(a @ b, "denominator", (3,), (3,))
    left, inner = (to_layout(part, "denominator", (3,), (3,)) for part in (a, b))
    assert not np.allclose(left @ inner, right)
    np.testing.assert_allclose(product("denominator", left, inner), right)


def test_gradient_has_no_chain_rule():
    with pytest.raises(LayoutError, match="gradient layout has no chain rule"):
        product("gradient", np.zeros(3), np.zeros(4))


@given(
    st.sampled_from(sorted(LAYOUTS)),
    st.lists(st.integers(1, 4), max_size=2),
    st.lists(st.integers(1, 4), max_size=3),
)
def test_the_recipe_is_what_is_done(name, target, given_):
    target, given_ = tuple(target), tuple(given_)
    if not has_place(name, target, given_):
        return
    tensor = np.random.default_rng(3).normal(size=target + given_)
    done = eval(layout_recipe(name, target, given_), {"J": tensor})
    np.testing.assert_array_equal(done, to_layout(tensor, name, target, given_))


def test_recipe_with_symbols():
    assert layout_recipe("vec", (M,), (M, N)) == "J.transpose(0, 2, 1).reshape(M, M*N)"


def test_no_place_says_why():
    with pytest.raises(LayoutError) as caught:
        layout_shape("numerator", (M,), (M, N), "z", "A")
    assert caught.value.what == "numerator layout has no place for ∂z/∂A: rank 3, M × (M × N)"
    assert caught.value.instead == "--layout vec, vec-row or tensor"
    with pytest.raises(LayoutError) as caught:
        layout_shape("gradient", (3,), (4,), "z", "x")
    assert caught.value.what == "gradient layout needs a scalar target; z has 3 entries"
    assert caught.value.instead == "∂(sum z)/∂x, or --layout numerator"


def test_an_unknown_layout():
    with pytest.raises(UnknownNameError) as caught:
        layout_named("numerater")
    assert (caught.value.what, caught.value.instead) == ("layout 'numerater' is not known", "numerator")
    assert "tensor, numerator, denominator, vec, vec-row, gradient" in caught.value.where


def test_an_array_of_another_shape():
    with pytest.raises(LayoutError, match="array 4 × 3, layout 3 × 4 for 3 × 4"):
        from_layout(np.zeros((4, 3)), "numerator", (3,), (4,))


def test_the_table_of_shapes():
    row = [layout_text(name, (), (3, 4)) for name in LAYOUTS]
    assert row == ["(3 × 4)", "4 × 3", "3 × 4", "1 × 12", "1 × 12", "3 × 4"]
    row = [layout_text(name, (3,), (3, 4)) for name in LAYOUTS]
    assert row == ["3 × (3 × 4)", "none, rank 3", "none, rank 3", "3 × 12", "3 × 12", "–"]


def test_shapes_as_text():
    assert shape_text((M,), (M, N), "×") == "M×(M×N)"
    assert shape_text((2, 5), (3,)) == "(2 × 5) × 3"
    assert shape_text((), ()) == "scalar"
    assert plain_shape((M * N, 2 * M + 1)) == "MN × (2M + 1)"
