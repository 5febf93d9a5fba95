"""Products of tensors: every way to run one gives what np.einsum gives."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacobians.contraction import (
    OPTIMIZERS,
    Product,
    compile_product,
    find_path,
    lower,
    reference,
    run_steps,
)
from jacobians.contraction.lowering import COPY_ENTRIES, EINSUM_WORK, LOOP_ENTRIES, OUTER_ENTRIES
from jacobians.contraction.steps import KINDS
from jacobians.contraction.symmetric import GRAM_SIZE, PAIR_TERMS, symmetric
from jacobians.errors import JacobiansError, ReadingError, ShapeError

SIZES = dict(zip("ijklmnb", (2, 3, 4, 5, 6, 7, 8), strict=True))

PRODUCTS = [
    # hadamard and outer
    "i,i->i",
    "ij,ij->ij",
    "ij,ij->ji",
    "ij,j->ij",
    "i,ij->ij",
    "i,j->ij",
    "i,j->ji",
    "ij,kl->ikjl",
    "i,j,k->kij",
    # inner, matrix and vector products
    "i,i->",
    "ij,ij->",
    "ij,ji->",
    "ij,j->i",
    "i,ij->j",
    "ij,jk->ik",
    "ij,jk->ki",
    "ji,jk->ik",
    "ij,kj->ik",
    "ji,kj->ki",
    "ijk,kl->ijl",
    "ijk,kl->lij",
    "ijk,ikl->jl",
    "ijk,kil->jl",
    "ijk,kil->lj",
    "ikj,k->ij",
    "ikj,kn->inj",
    "nij,nj->i",
    # batches
    "bij,bjk->bik",
    "bij,bjk->ikb",
    "ijb,jkb->ikb",
    "ibj,jbk->bki",
    "bi,bi->b",
    "bij,bj->bi",
    "bi,bj->bij",
    "bmij,bmjk->mbik",
    "bimj,bnj->bimn",
    # diagonals, traces and sums
    "ii->i",
    "ii->",
    "iii->i",
    "iji->j",
    "iji->ij",
    "ijij->ji",
    "ii,i->i",
    "ii,ij->j",
    "iij,jk->ik",
    "ij->j",
    "ij->i",
    "ij->",
    "ijk->ki",
    "ij->ji",
    "ij->ij",
    "ij,kl->ik",
    "ij,kl->",
    # chains
    "ij,jk,kl->il",
    "i,ij,j,jk,k->k",
    "ij,j,jk,k,kl,l,lm->im",
    "i,i,i,i->i",
    "ij,j,jk,k,kl,l,lm,m,mn,n,nb->ib",
    # scalars
    "->",
    ",->",
    ",i->i",
    "i,,j,->ji",
]


def arrays_for(product: Product, dtype: Any = float, seed: int = 0) -> list[np.ndarray]:
    """Small integers in the dtype, so that every order of exact arithmetic gives the same."""
    rng = np.random.default_rng(seed)
    made = []
    for shape in product.shapes:
        values = rng.integers(-3, 4, size=shape)
        if dtype is object:
            values = np.array([Fraction(int(x), 2) for x in values.ravel()], object).reshape(shape)
        made.append(np.asarray(values, dtype=dtype))
    return made


def parse(equation: str, **sizes: int) -> Product:
    sizes = SIZES | sizes
    shapes = [tuple(sizes[x] for x in term) for term in equation.split("->")[0].split(",")]
    return Product.parse(equation, *shapes)


def assert_same(got: Any, expected: np.ndarray) -> None:
    assert isinstance(got, np.ndarray)
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    assert np.array_equal(got, expected)


@pytest.mark.parametrize("equation", PRODUCTS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex64, np.int64, object])
def test_every_way_to_run_a_product_agrees_with_einsum(equation: str, dtype: Any) -> None:
    product = parse(equation)
    arrays = arrays_for(product, dtype)
    expected = np.asarray(np.einsum(equation, *arrays), dtype)
    assert_same(reference(product, *arrays), expected)
    compiled = compile_product(product)
    assert_same(compiled(*arrays), expected)
    out = np.full(expected.shape, 9).astype(dtype)
    assert compiled(*arrays, out=out) is out
    assert_same(out, expected)
    assert np.array_equal(run_steps(compiled.steps, arrays, np), expected)
    strided = [np.asfortranarray(x) if x.ndim else x for x in arrays]
    assert_same(compiled(*strided), expected)


@pytest.mark.parametrize("equation", PRODUCTS)
def test_the_printed_source_computes_the_product(equation: str) -> None:
    product = parse(equation)
    names = [f"x{k}" for k in range(len(product.operands))]
    arrays = arrays_for(product)
    scope: dict[str, Any] = dict(zip(names, arrays, strict=True), np=np)
    exec("\n".join(compile_product(product).source(names, "y")), scope)
    assert np.array_equal(scope["y"], np.einsum(equation, *arrays))


@pytest.mark.parametrize(
    ("equation", "lines"),
    [
        ("ij,j->i", ["y = A @ B"]),
        ("ji,jk->ik", ["y = A.T @ B"]),
        ("ij,jk->ki", ["y = B.T @ A.T"]),
        ("i,ij->ij", ["y = A[:, None] * B"]),
        ("i,j->ij", ["y = A[:, None] * B"]),
        ("bij,bj->bi", ["y = (A @ B[:, :, None]).reshape(8, 2)"]),
        ("ii->", ["y = A.diagonal().sum(axis=0)"]),
        ("iji->ij", ["y = A.diagonal(0, 0, 2).T"]),
        ("ij,j,jk->ik", ["t1 = A * B", "y = t1 @ C"]),
    ],
)
def test_source_reads_as_a_student_would_write_it(equation: str, lines: list[str]) -> None:
    product = parse(equation)
    assert compile_product(product).source(list("ABC")[: len(product.operands)], "y") == lines


def test_source_avoids_the_operands_names() -> None:
    assert compile_product(parse("ij,j,jk->ik")).source(["A", "t1", "B"], "y")[0] == "t2 = A * t1"


@pytest.mark.parametrize(
    ("operands", "output", "expected"),
    [
        ([(0,)], (0, 1), lambda x: np.stack([x] * 3, axis=1)),  # an axis of ones after
        ([(0,)], (1, 0), lambda x: np.stack([x] * 3)),  # and before
        ([(0,)], (0,), lambda x: 3 * x),  # a summed label that nobody carries is the number n
        ([(0,)], (), lambda x: 3 * x.sum()),
        ([(0,), (0,)], (1, 0), lambda x, y: np.stack([x * y] * 3)),
        ([(0,), (0,)], (), lambda x, y: 3 * (x @ y)),
        ([()], (1, 0), lambda x: np.full((3, 2), x)),
        ([], (), lambda: np.array(6.0)),
        ([], (0, 1), lambda: np.ones((2, 3))),
        ([], (0,), lambda: np.full(2, 3.0)),
    ],
)
def test_broadcast_ones_and_summed_labels_that_no_operand_carries(
    operands: list[tuple[int, ...]], output: tuple[int, ...], expected: Any
) -> None:
    product = Product(tuple(operands), output, (2, 3))
    arrays = arrays_for(product, seed=2)
    want = np.asarray(expected(*arrays), float)
    compiled = compile_product(product)
    assert_same(reference(product, *arrays), want)
    assert_same(compiled(*arrays), want)
    assert_same(compiled(*arrays, out=np.zeros(want.shape)), want)
    names = ["a", "b"][: len(arrays)]
    scope: dict[str, Any] = dict(zip(names, arrays, strict=True), np=np)
    exec("\n".join(compiled.source(names)), scope)
    assert np.array_equal(scope["result"], want)


@st.composite
def products(draw: st.DrawFn) -> Product:
    labels = draw(st.integers(1, 6))
    sizes = tuple(draw(st.lists(st.sampled_from([0, 1, 2, 3, 4, 5]), min_size=labels, max_size=labels)))
    label = st.integers(0, labels - 1)
    operands = draw(st.lists(st.lists(label, max_size=4).map(tuple), max_size=5))
    output = draw(st.lists(label, unique=True, max_size=4))
    return Product(tuple(operands), tuple(output), sizes)


@given(
    products(), st.sampled_from([x for x in OPTIMIZERS if x != "cotengra"]), st.sampled_from([float, object])
)
def test_random_products_agree_with_the_reference_under_every_optimizer(
    product: Product, name: str, dtype: Any
) -> None:
    arrays = arrays_for(product, dtype)
    expected = reference(product, *arrays)
    compiled = compile_product(product, name)
    got = compiled(*arrays)
    assert got.shape == expected.shape
    assert np.array_equal(got, expected)
    assert np.array_equal(run_steps(compiled.steps, arrays, np), expected)


@st.composite
def large_pairs(draw: st.DrawFn) -> Product:
    """Two operands with distinct labels and sizes at which loops, copies and einsum are chosen."""
    sizes = tuple(draw(st.lists(st.integers(1, 9), min_size=6, max_size=6)))
    operands = tuple(tuple(draw(st.permutations(range(6)))[: draw(st.integers(2, 4))]) for _ in range(2))
    carried = sorted({x for labels in operands for x in labels})
    output = tuple(draw(st.permutations(carried))[: draw(st.integers(0, 4))])
    return Product(operands, output, sizes)


@given(large_pairs())
def test_random_pairs_agree_with_the_reference(product: Product) -> None:
    arrays = arrays_for(product)
    assert np.array_equal(compile_product(product)(*arrays), reference(product, *arrays))


def test_a_wrong_product_is_told_from_the_right_one() -> None:
    arrays = arrays_for(parse("ij,jk->ik", k=2))
    right = compile_product(parse("ij,jk->ik", k=2))(*arrays)
    swapped = compile_product(parse("ij,jk->ki", k=2))(*arrays)
    assert right.shape == swapped.shape
    assert not np.array_equal(right, swapped)


def kinds(equation: str, **sizes: int) -> list[str]:
    product = parse(equation, **sizes)
    return [step.kind for step in lower(product, find_path(product))]


@pytest.mark.parametrize(
    ("equation", "expected"),
    [
        ("ij->ij", []),
        ("ii->i", ["view"]),
        ("ij->j", ["sum"]),
        ("ij,j->ij", ["multiply"]),
        ("ij,jk->ik", ["dot"]),
        ("i,i->", ["dot"]),
        ("bij,bjk->bik", ["matmul"]),
        ("ij,j,jk->ik", ["multiply", "dot"]),
        ("ij,kj->ki", ["dot"]),
    ],
)
def test_each_step_is_the_cheapest_numpy_call_for_it(equation: str, expected: list[str]) -> None:
    assert kinds(equation) == expected


def test_matrix_products_copy_nothing_where_memory_allows() -> None:
    (step,) = lower(product := parse("ikj,kn->inj", i=9, k=30, j=20), find_path(product))
    assert step.kind == "matmul"  # a loop over i, where tensordot would copy the first operand
    array = np.zeros(product.shapes[0])
    view = step.views[step.inputs.index(0)]
    looked = array if view.axes is None else array.transpose(view.axes)
    assert np.shares_memory(looked if view.shape is None else looked.reshape(view.shape), array)


def test_small_loops_copy_instead() -> None:
    assert kinds("ikj,kn->inj", k=2, j=2) == ["dot"]
    assert LOOP_ENTRIES > 2 * 2


def test_tiny_products_with_the_batch_innermost_go_to_einsum() -> None:
    assert kinds("ijb,jkb->ikb", b=100) == ["einsum"]
    assert kinds("ijb,jkb->ikb", i=20, j=20, k=20, b=100) == ["matmul"]
    assert 20**3 > EINSUM_WORK > 2 * 3 * 4


def test_a_matrix_that_would_be_copied_for_a_vector_goes_to_einsum() -> None:
    assert kinds("nij,nj->i", n=200, i=6, j=7) == ["einsum"]
    assert kinds("nij,nj->i", n=5, i=6, j=7) == ["dot"]
    assert 200 * 6 * 7 > COPY_ENTRIES > 5 * 6 * 7


def test_large_outer_products_go_to_einsum() -> None:
    assert kinds("bi,bj->bij", b=300, i=10, j=11) == ["einsum"]
    assert OUTER_ENTRIES < 300 * 110
    assert kinds("bi,bj->bij") == ["multiply"]


def test_overwriting_an_intermediate_never_touches_an_operand() -> None:
    product = parse("i,i,i,i->i", i=5000)
    compiled = compile_product(product)
    assert any(step.reuse is not None for step in compiled.steps)
    arrays = arrays_for(product)
    before = [x.copy() for x in arrays]
    assert np.array_equal(compiled(*arrays), arrays[0] * arrays[1] * arrays[2] * arrays[3])
    assert all(np.array_equal(x, y) for x, y in zip(arrays, before, strict=True))


def test_mixed_dtypes_promote_even_where_an_intermediate_could_be_overwritten() -> None:
    product = parse("i,i,i->i", i=5000)
    single, double = np.full(5000, 3, np.float32), np.full(5000, 1 + 1e-9)
    for arrays in ((single, single, double), (double, single, single), (single, double, single)):
        result = compile_product(product)(*arrays)
        assert result.dtype == np.float64
        assert np.all(result > 9)  # the 1e-9 is lost in float32


def test_run_steps_takes_a_library_with_torch_names() -> None:
    names = ("matmul", "multiply", "sum", "einsum", "reshape", "diagonal", "broadcast_to", "full")
    torchlike = SimpleNamespace(permute=np.transpose, **{x: getattr(np, x) for x in names})
    seen = set()
    for equation in PRODUCTS:
        product = parse(equation)
        steps = compile_product(product).steps
        seen |= {step.kind for step in steps}
        arrays = arrays_for(product)
        assert np.array_equal(run_steps(steps, arrays, torchlike), np.einsum(equation, *arrays))
    assert seen == {"view", "sum", "multiply", "dot", "matmul", "einsum"}
    assert seen < set(KINDS)


def test_results_may_be_views_and_copy_makes_them_new() -> None:
    array = np.ones((4, 4))
    diagonal = parse("ii->i", i=4)
    view = compile_product(diagonal)(array)
    assert np.shares_memory(view, array)
    assert not view.flags.writeable
    fresh = compile_product(diagonal, copy=True)(array)
    assert not np.shares_memory(fresh, array)
    assert fresh.flags.writeable
    ones = compile_product(Product(((0,),), (0, 1), (4, 3)), copy=True)(array[0])
    ones[0, 0] = 5
    assert ones[0, 1] == 1
    unchanged = parse("ij->ij", i=4, j=4)
    assert compile_product(unchanged)(array) is array
    assert not np.shares_memory(compile_product(unchanged, copy=True)(array), array)


def test_out_may_be_an_operand_strided_or_of_another_dtype() -> None:
    compiled = compile_product(parse("ij,jk->ik", i=4, j=4, k=4))
    a, b = np.arange(16.0).reshape(4, 4), np.arange(16.0)[::-1].reshape(4, 4)
    expected = np.einsum("ij,jk->ik", a, b)
    wide = np.zeros((4, 8))
    compiled(a, b, out=wide[:, ::2])
    assert np.array_equal(wide[:, ::2], expected)
    assert not wide[:, 1::2].any()
    single = np.zeros((4, 4), np.float32)
    assert np.array_equal(compiled(a, b, out=single), expected)
    compiled(a, b, out=a)
    assert np.array_equal(a, expected)


def test_lists_and_numbers_are_taken_as_arrays() -> None:
    assert np.array_equal(compile_product(parse("ij,j->i"))([[1, 2, 3], [4, 5, 6]], [1, 0, 1]), [4, 10])
    assert compile_product(parse(",i->i"))(2.0, np.ones(2)).tolist() == [2.0, 2.0]


@pytest.mark.parametrize(("rows", "terms"), [(GRAM_SIZE, GRAM_SIZE), (GRAM_SIZE + 10, 500)])
@pytest.mark.parametrize("output", ["ij", "ji"])
def test_a_product_with_the_same_operand_twice_uses_one_half(rows: int, terms: int, output: str) -> None:
    product = parse(f"ki,k,kj->{output}", i=rows, j=rows, k=terms)
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(terms, rows)), rng.uniform(size=terms)
    half = compile_product(product, same=[(0, 2)])
    assert [step.kind for step in half.steps] == ["gram"]
    result = half(x, w, x)
    assert np.allclose(result, x.T @ (w[:, None] * x), rtol=1e-12, atol=1e-10)
    assert np.array_equal(result, result.T)
    mixed = w - 0.5  # negative weights have no square root
    assert np.allclose(half(x, mixed, x), x.T @ (mixed[:, None] * x), rtol=1e-12, atol=1e-10)
    assert np.allclose(run_steps(half.steps, [x, w, x], np), result, rtol=1e-12, atol=1e-10)
    scope: dict[str, Any] = {"np": np, "x": x, "w": w}
    exec("\n".join(half.source(["x", "w", "x"], "y")), scope)
    assert np.allclose(scope["y"], result, rtol=1e-12, atol=1e-10)
    assert half.cost == compile_product(product).cost


def test_several_weights_and_axes_make_one_symmetric_product() -> None:
    product = parse("lkim,k,lk,lkjn->imjn", i=20, m=20, j=20, n=20, k=11, l=10)
    rng = np.random.default_rng(1)
    x, v, w = rng.normal(size=(10, 11, 20, 20)), rng.uniform(size=11), rng.uniform(size=(10, 11))
    half = compile_product(product, same=[(0, 3)])
    assert [step.kind for step in half.steps] == ["multiply", "gram"]
    flat = x.reshape(110, 400)
    expected = flat.T @ ((w * v).reshape(110, 1) * flat)
    assert np.allclose(half(x, v, w, x), expected.reshape(20, 20, 20, 20), rtol=1e-12, atol=1e-10)
    assert np.allclose(run_steps(half.steps, [x, v, w, x], np).reshape(400, 400), expected)


PAIRS = {"i": 11, "j": 11, "k": 20, "m": 3, "n": 3, "l": 4, "r": 7, "s": 2, "u": 2, "v": 2}


@pytest.mark.parametrize(
    ("equation", "same", "kinds"),
    [
        ("ki,kj,kr->ijr", (0, 1), ["symmetric"]),
        ("ki,kj,rk->rij", (0, 1), ["view", "symmetric"]),
        ("ik,jk,kr->irj", (0, 1), ["symmetric"]),
        ("kr,ki,k,ks,kj->sjir", (1, 4), ["multiply", "multiply", "symmetric"]),
        ("kil,kjl,klr->ijr", (0, 1), ["symmetric"]),
        ("lkm,r,lkn,lkr,r->nrm", (0, 2), ["multiply", "multiply", "symmetric"]),
        ("kmu,kil,knv->miunlv", (0, 2), ["symmetric"]),
    ],
)
@pytest.mark.parametrize("kind", [np.float64, np.float32, np.complex128, np.int32, object])
def test_columns_of_weights_need_half_of_the_pairs(
    equation: str, same: tuple[int, int], kinds: list[str], kind: Any
) -> None:
    product = parse(equation, **PAIRS)
    rng = np.random.default_rng(2)
    arrays = [(9 * rng.normal(size=shape)).astype(kind) for shape in product.shapes]
    arrays[same[1]] = arrays[same[0]]
    half = compile_product(product, same=[same])
    assert [step.kind for step in half.steps] == kinds
    expected = np.einsum(equation, *[x.astype(np.complex128) for x in arrays])
    near = (1e-5 if kind is np.float32 else 1e-13) * abs(expected).max()
    bounds: Any = {"rtol": 0, "atol": near}
    result = half(*arrays)
    assert result.dtype == kind
    assert np.allclose(result.astype(np.complex128), expected, **bounds)
    out = np.empty(result.shape, kind)
    assert half(*arrays, out=out) is out
    assert np.array_equal(out, result)
    if kind is not object:
        assert np.allclose(run_steps(half.steps, arrays, np), expected, **bounds)
    names = [f"x{min(k, same[0]) if k in same else k}" for k in range(len(arrays))]
    for running in (False, True):
        scope: dict[str, Any] = {"np": np, **dict(zip(names, arrays, strict=True))}
        if running:
            scope["symmetric"] = symmetric
        exec("\n".join(half.source(names, "y", running=running)), scope)
        assert np.allclose(scope["y"].astype(np.complex128), expected, **bounds)
    assert half.cost == compile_product(product).cost


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.int16, np.int64, np.float32, bool])
@pytest.mark.parametrize("weights", [np.float32, np.float64, np.int64])
def test_pairs_are_multiplied_in_the_type_of_the_result(kind: Any, weights: Any) -> None:
    product = parse("ki,kj,kr->ijr", **PAIRS)
    rng = np.random.default_rng(3)
    x, w = (100 * rng.uniform(size=(20, 11))).astype(kind), (9 * rng.normal(size=(20, 7))).astype(weights)
    half = compile_product(product, same=[(0, 1)])
    assert [step.kind for step in half.steps] == ["symmetric"]
    result = half(x, x, w)
    expected = np.einsum("ki,kj,kr->ijr", x.astype(float), x.astype(float), w.astype(float))
    assert result.dtype == np.result_type(kind, weights)
    near = 1e-5 if result.dtype == np.float32 else 1e-13
    assert np.allclose(result, expected, rtol=0, atol=near * abs(expected).max())
    printed = compile_product(product, same=[(0, 1)]).source(["x", "x", "w"], "y")
    scope: dict[str, Any] = {"np": np, "x": x, "w": w}
    exec("\n".join(printed), scope)
    assert np.allclose(scope["y"], expected, rtol=0, atol=near * abs(expected).max())


@pytest.mark.parametrize(
    ("kind", "size", "weight"),
    [(np.float32, 1e25, 1e-30), (np.float32, 1e-24, 1e30), (float, 1e160, 1e-170), (float, 1e-170, 1e160)],
)
def test_squares_beyond_the_range_are_never_made(kind: Any, size: float, weight: float) -> None:
    rng = np.random.default_rng(4)
    a, w = rng.uniform(1, 2, size=(11, 20)), rng.uniform(1, 2, size=(20, 7))
    large, small = (size * a).astype(kind), (weight * w).astype(kind)
    found = symmetric(large, small).astype(float)
    expected = symmetric(a, w) * size * weight * size
    assert np.allclose(found, expected, rtol=1e-5 if kind is np.float32 else 1e-12)
    nothing = symmetric(large, 0 * small)
    assert not nothing.any()


def test_half_of_the_pairs_is_what_is_multiplied() -> None:
    counted: list[int] = []

    class Counting(np.ndarray):
        def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **kwargs: Any) -> Any:
            counted.extend([args[0].size] if ufunc is np.multiply else [])
            made = getattr(ufunc, method)(*map(np.asarray, args[:2]), **{**kwargs, "out": None})
            return np.asarray(made).view(Counting)

        def dot(self, other: Any, out: Any = None) -> Any:
            counted.append(self.size * other.shape[1])
            return np.asarray(self).dot(other)

    a, w = np.ones((11, 20)), np.ones((20, 7))
    symmetric(a.view(Counting), w)
    assert counted == [66 * 20, 66 * 20 * 7]


@pytest.mark.parametrize(
    ("equation", "why"),
    [
        ("ki,kj,k->ij", "one column, and small"),
        ("ki,kj,kr,ks->ijs", "a label of the weights is summed"),
        ("ki,kj,kr,ir->ijr", "weights of one side"),
        ("ki,kj,r->ijr", "weights without the summed label: r is multiplied last"),
        ("ki,jk,kr->ijr", "one transposed"),
        ("ki,kj,kr->kijr", "nothing is summed"),
        ("ki,kj,k,r->ijr", "the columns are multiples of one another"),
        ("ki,kj,kl->ijl", "few columns"),
        ("k,k,kij->ij", "vectors have no pairs"),
        ("kij,kji,kr->ijr", "the axes of one are those of the other, turned around"),
        ("kii,kjj,kr->ijr", "diagonals"),
        ("ki,kj->ij", "no weights"),
    ],
)
def test_where_pairs_are_not_symmetric_they_are_left_alone(equation: str, why: str) -> None:
    sizes = {**PAIRS, "k": 11, "r": 12} if "jk" in equation or "kji" in equation else PAIRS
    product = parse(equation, **sizes)
    kinds = [step.kind for step in compile_product(product, same=[(0, 1)]).steps]
    assert "symmetric" not in kinds, why


@pytest.mark.parametrize(
    ("sizes", "pays"),
    [
        ({"i": 12, "k": PAIR_TERMS, "r": 6}, True),
        ({"i": 12, "k": PAIR_TERMS - 1, "r": 6}, False),
        ({"i": 13, "k": PAIR_TERMS, "r": 6}, False),  # columns: half of the rows
        ({"i": 2, "k": 100, "r": 2}, True),
        ({"i": 1, "k": 100, "r": 9}, False),
        ({"i": 31, "k": 528, "r": 31}, True),
        ({"i": 31, "k": 529, "r": 31}, False),  # 262,384 entries of pairs
        ({"i": 64, "k": 64, "r": 64}, True),
        ({"i": 64, "k": 64, "r": 65}, False),  # entries of the result
    ],
)
def test_pairs_of_rows_are_used_where_they_pay(sizes: dict[str, int], pays: bool) -> None:
    product = parse("ki,kj,kr->ijr", j=sizes["i"], **sizes)
    assert ([s.kind for s in compile_product(product, same=[(0, 1)]).steps] == ["symmetric"]) == pays


def test_a_factor_of_a_label_that_nothing_carries_is_kept() -> None:
    product = Product(((0, 1), (0, 2), (0, 3)), (1, 2, 3), (20, 11, 11, 7, 3))
    assert product.scale == 3
    compiled = compile_product(product, same=[(0, 1)])
    x, w = np.ones((20, 11)), np.ones((20, 7))
    assert np.array_equal(compiled(x, x, w), np.full((11, 11, 7), 60.0))


@pytest.mark.parametrize("equation", ["ki,ki,kj->ij", "ki,kj,k->ikj", "ki,k,jk->ij", "ki,kj,i->ij"])
def test_what_is_not_symmetric_is_left_alone(equation: str) -> None:
    product = parse(equation, i=500, j=500, k=500)
    hint = [(0, 1)] if equation != "ki,k,jk->ij" else [(0, 2)]
    assert "gram" not in [step.kind for step in compile_product(product, same=hint).steps]


def test_float32_and_memory_are_as_counted() -> None:
    product = parse("ij,jk,kl->il", i=200, j=300, k=250, l=220)
    compiled = compile_product(product)
    arrays = [x.astype(np.float32) for x in arrays_for(product)]
    tracemalloc.start()
    compiled(*arrays)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    operands = sum(x.nbytes for x in arrays)
    counted = find_path(product, compiled.path.pairs, itemsize=4).cost.peak_bytes - operands
    assert counted <= peak <= counted + 20_000


def test_sizes_are_checked_before_numpy_could_broadcast() -> None:
    with pytest.raises(ShapeError) as caught:
        Product.of([(0, 1), (1,)], (0,), [(3, 4), (1,)], names=["A", "x"], axis_names=["m", "n"])
    assert str(caught.value).startswith("axis n is 4 in A and 1 in x\n")
    assert "nothing is broadcast in a contraction" in str(caught.value)
    compiled = compile_product(parse("ij,jk->ik"))
    with pytest.raises(ShapeError, match=r"operand 1 has shape \(1, 4\); this product is for \(3, 4\)"):
        compiled(np.ones((2, 3)), np.ones((1, 4)))
    with pytest.raises(ShapeError, match="1 operands given, 2 needed"):
        compiled(np.ones((2, 3)))
    with pytest.raises(ShapeError, match=r"out has shape \(4, 2\)"):
        compiled(np.ones((2, 3)), np.ones((3, 4)), out=np.ones((4, 2)))


def test_products_that_mean_nothing_are_errors() -> None:
    with pytest.raises(ShapeError, match="the output repeats a label: i->ii"):
        Product(((0,),), (0, 0), (2,))
    with pytest.raises(ShapeError, match="label 3 has no size"):
        Product(((3,),), (), (2,))
    with pytest.raises(ShapeError, match="cannot have size -1"):
        Product(((0,),), (), (-1,))
    with pytest.raises(ShapeError, match="A has 1 axes and 2 labels"):
        Product.of([(0, 1)], (0,), [(3,)], names=["A"])
    with pytest.raises(ShapeError, match=r"label 1 \(j\) has no size"):
        Product.of([(0,)], (0, 1), [(3,)])
    with pytest.raises(ReadingError, match="cannot read the product 'ij,j'"):
        Product.parse("ij,j", (2, 3), (3,))
    with pytest.raises(ShapeError, match="has 2 operands and 1 shapes"):
        Product.parse("ij,j->i", (2, 3))
    many = Product(tuple((k, k + 1) for k in range(60)), (0, 60), (1,) * 61)
    with pytest.raises(JacobiansError, match="at most 52 labels"):
        reference(many, *[np.ones((1, 1))] * 60)
    assert compile_product(many)(*[np.full((1, 1), 2.0)] * 60).tolist() == [[2.0**60]]
