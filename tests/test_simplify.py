"""What is rewritten before it is compiled costs less and computes the same as the generic way."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jacobians as jac
from jacobians.counting import node_counts
from jacobians.expr import Node, combination, product, topological, variable
from jacobians.factoring import weighted_within
from jacobians.frozen import Form
from jacobians.plan import evaluate
from jacobians.prepared import accumulate
from jacobians.simplify import Simplifier, simplified
from jacobians.terms import Term, TermSum, assemble
from jacobians.traces import trace_function
from jacobians.writing import BLOCK, add_blocks, settled, writer

rng = np.random.default_rng(11)
A, B, x, b = rng.normal(size=(3, 4)), rng.normal(size=(4, 5)), rng.normal(size=4), rng.normal(size=3)
S, X = rng.normal(size=(4, 4)) + 4 * np.eye(4), rng.normal(size=(6, 4))
y, v = np.sign(rng.normal(size=6)), rng.normal(size=3)


def logistic(w):
    return np.sum(np.log1p(np.exp(-y * (X @ w))))


FIRST = {
    "layer": (lambda A, x, b: np.tanh(A @ x + b), (A, x, b)),
    "net": (lambda x, A, B: np.tanh(B.T @ np.tanh(A.T @ A @ x)), (x, A, B)),
    "product": (lambda A, B: A @ B, (A, B)),
    "elementwise": (lambda A: np.sin(A) * np.exp(A), (A,)),
    "inverse": (np.linalg.inv, (S,)),
    "gram": (lambda A: A.T @ A, (A,)),
    "scaled": (lambda x: -3 * x / 7 + 2 * (x - 1) * 4, (x,)),
    "mask": (lambda A: np.where(A > 0, A, 0.25 * A) ** 2, (A,)),
    "slices": (lambda x: x[1:] * x[:-1], (x,)),
    "gather": (lambda x: np.take(x, [2, 0, 2]) * x[1], (x,)),
    "sum of squares": (lambda A, x: np.sum((A @ x) ** 2) / 3, (A, x)),
    "thin": (lambda A, x: A[:1] @ np.outer(x, x), (A, x)),
    "trace": (lambda S: np.trace(S @ S) * S, (S,)),
}
SECOND = {
    "logistic": (logistic, (x,)),
    "factorization": (lambda A: np.sum((np.ones((3, 5)) - A @ B) ** 2), (A,)),
    "two layers": (lambda A: np.sum(np.tanh(X @ A.T) @ v), (A,)),
    "one sample": (lambda A: np.sum(np.tanh(X[:1] @ A.T) @ v), (A,)),
    "cubic": (lambda x: np.sum(x) * x[0] * x[2], (x,)),
    "log det": (lambda S: np.linalg.slogdet(S)[1], (S,)),
}


def cases():
    for name, (f, args) in FIRST.items():
        yield pytest.param(jac.jacobian(f), f, args, id=name)
    for name, (f, args) in SECOND.items():
        yield pytest.param(jac.hessian(f), jac.jacobian(f), args, id=f"{name}, twice")


def leaves(found):
    return [leaf for part in found.values() for leaf in leaves(part)] if isinstance(found, dict) else [found]


@pytest.mark.parametrize(("derivative", "f", "args"), list(cases()))
def test_every_compiled_form_gives_what_the_plan_gives(derivative, f, args):
    wanted = [np.asarray(J) for J in leaves(derivative(*args))]
    for options in ({"dense": True}, {"reuse": True}, {"copy": None}, {"copy": None, "reuse": True}, {}):
        call = derivative.compile(*args, **options)
        for _ in range(2):  # a kept array is filled again
            found = [np.asarray(J) for J in leaves(call(*args))]
            for got, want in zip(found, wanted, strict=True):
                np.testing.assert_allclose(got, want, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(("derivative", "f", "args"), list(cases()))
def test_compiled_cores_are_those_of_the_jacobian(derivative, f, args):
    found = leaves(derivative.compile(*args, core=True)(*args))
    for cores, J in zip(found, leaves(derivative(*args)), strict=True):
        wanted = J.core()
        assert [wiring for _, wiring in cores] == [wiring for _, wiring in wanted]
        for (got, _), (want, _) in zip(cores, wanted, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-11, atol=1e-12)


def terms_of(f, args):
    trace = trace_function(f, args, {})
    rows = [terms for row in accumulate(trace) for terms in row]
    return trace, rows


@pytest.mark.parametrize(("derivative", "f", "args"), list(cases()))
def test_simplified_terms_never_cost_more_and_mean_the_same(derivative, f, args):
    trace, rows = terms_of(f, args)
    stop = {n.serial for n in trace.variables}
    made, _ = simplified(rows, (), stop, splice=False)
    values = {n.serial: n.value for n in trace.variables}
    for old, new in zip(rows, made, strict=True):
        np.testing.assert_allclose(dense(new, values), dense(old, values), rtol=1e-11, atol=1e-12)
    assert cost(made, stop) <= cost(rows, stop)


def dense(terms, values):
    if not terms.terms:
        return np.zeros(terms.shape)
    return evaluate([assemble(terms)], values)[0]


def cost(rows, stop):
    nodes = topological([n for terms in rows for t in terms.terms for n in t.nodes], stop)
    return sum(sum(node_counts(n)) for n in nodes if n.serial not in stop and n.args)


def test_the_logistic_hessian_is_one_symmetric_product_with_vectors_beside_it():
    m, n = 40, 30
    X, y = rng.normal(size=(m, n)), np.sign(rng.normal(size=m))
    trace, rows = terms_of(jac.jacobian(lambda w: np.sum(np.log1p(np.exp(-y * (X @ w))))), (np.zeros(n),))
    stop = {node.serial for node in trace.variables}
    (terms,), _ = simplified(rows, (), stop, splice=True)
    multiplications = sum(
        node_counts(node)[0]
        for node in topological([n for t in terms.terms for n in t.nodes], stop)
        if node.args
    )
    assert multiplications <= m * n * n + m * n + m * n + 10 * m  # X^T D X, D X, X w, vectors
    assert multiplications < sum(
        node_counts(node)[0]
        for node in topological([n for t in rows[0].terms for n in t.nodes], stop)
        if node.args
    )


def test_a_sum_of_products_with_a_common_factor_is_one_product():
    source = jac.jacobian(lambda A: np.sin(A) * np.exp(A)).compile(A, dense=True).source
    assert source.count("np.multiply") == 1
    assert source.count(" * ") == 0


def test_coefficients_cancel_before_anything_runs():
    target = rng.normal(size=(3, 5))
    source = jac.jacobian(lambda A: 0.5 * np.sum((A @ B - target) ** 2)).compile(A, dense=True).source
    assert "0.5" not in source
    assert "2 *" not in source


def test_known_values_are_computed_once():
    source = (
        jac.jacobian(lambda x: np.exp(2.0) * x * np.sum(np.arange(3.0) ** 2)).compile(x, dense=True).source
    )
    assert "np.exp" not in source


def test_a_symmetric_product_is_recognised_through_the_flattening():
    n = 400
    X = rng.normal(size=(n, n))
    y = np.ones(n)
    call = jac.hessian(lambda w: np.sum(np.log1p(np.exp(-y * (X @ w))))).compile(np.zeros(n), dense=True)
    assert "product(" in call.source
    d = 0.25
    np.testing.assert_allclose(call(np.zeros(n)), d * X.T @ X, rtol=1e-10, atol=1e-10)


# ---- single rewrites


def test_products_of_products_are_flattened_unless_they_are_needed_elsewhere():
    a, c = variable("a", (3,)), variable("M", (3, 4))
    inner = product([(a, (0,)), (c, (0, 1))], (0, 1), (3, 4))
    whole = product([(inner, (0, 1)), (c, (0, 2))], (1, 2), (3, 4, 4))
    stop = {a.serial, c.serial}
    assert len(Simplifier([whole], stop, False).node(whole).args) == 3
    kept = Simplifier([whole, inner], stop, False)
    assert len(kept.node(whole).args) == 2
    assert kept.node(inner) is inner


def test_a_summed_axis_of_size_one_is_dropped():
    p, q = variable("p", (1, 3)), variable("q", (1, 4))
    outer = product([(p, (0, 1)), (q, (0, 2))], (1, 2), (1, 3, 4))
    made = Simplifier([outer], {p.serial, q.serial}, False).node(outer)
    assert len(made.params[2]) == 2  # two labels are left
    values = {p.serial: np.ones((1, 3)) * 2, q.serial: np.arange(4.0)[None]}
    np.testing.assert_array_equal(evaluate([made], values)[0], 2 * np.ones((3, 1)) * np.arange(4.0))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_random_sums_of_products_keep_their_values(data):
    leaves = [variable(f"v{k}", shape) for k, shape in enumerate([(2, 3), (3,), (2,), (2, 3), ()])]
    places = [(0, 1), (1,), (0,), (0, 1), ()]
    pool: list[tuple[Node, tuple[int, ...]]] = list(zip(leaves, places, strict=True))
    for _ in range(data.draw(st.integers(1, 6))):
        chosen = [pool[data.draw(st.integers(0, len(pool) - 1))] for _ in range(data.draw(st.integers(1, 3)))]
        if data.draw(st.booleans()):
            labels = tuple(sorted({k for _, ls in chosen for k in ls}))
            pool.append((product(chosen, labels, (2, 3)), labels))
        else:
            parts = [(data.draw(st.sampled_from([1, -1, 2, 0.5, -0.5])), n, ls) for n, ls in chosen]
            pool.append((combination(parts, (0, 1), (2, 3)), (0, 1)))
    root = pool[-1][0]
    stop = {leaf.serial for leaf in leaves}
    values = {leaf.serial: rng.normal(size=leaf.shape) for leaf in leaves}
    for spread in (False, True):
        made = Simplifier([root], stop, spread).node(root)
        np.testing.assert_allclose(
            evaluate([made], values)[0], evaluate([root], values)[0], rtol=1e-12, atol=1e-12
        )


# ---- writing


@pytest.mark.parametrize(("derivative", "f", "args"), list(cases()))
def test_the_prepared_writer_writes_what_materialize_writes(derivative, f, args):
    trace, rows = terms_of(f, args)
    values = {n.serial: n.value for n in trace.variables}
    for terms in rows:
        whole = TermSum(terms.target_shape, terms.input_shape, tuple(map(settled, terms.terms)))
        known = writer(whole, np.float64)
        if known is None:
            continue  # index tables: the generic way is the only one
        nodes = [n for t in whole.terms for n in t.nodes]
        factors = dict(zip((n.serial for n in nodes), evaluate(nodes, values), strict=True))
        np.testing.assert_allclose(
            known.write(known.new(), factors), dense(terms, values), rtol=1e-11, atol=1e-12
        )


def test_settling_keeps_the_outer_product_apart():
    G, W, x = variable("G", (7, 3)), variable("W", (3, 4)), variable("x", (5,))
    t = Term(1, ((G, (0, 3)), (W, (3, 1)), (x, (2,))), (0,), (1, 2), (7, 4, 5, 3))
    made = settled(t)
    assert sorted(n.shape for n, _ in made.factors) == [(5,), (7, 4)]


def test_adding_in_blocks_makes_no_large_temporary():
    rows = 8 * BLOCK // 64
    view, column, row = np.ones((rows, 64)), rng.normal(size=(rows, 1)), rng.normal(size=64)
    tracemalloc.start()
    add_blocks(view, column, row)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    np.testing.assert_allclose(view, 1 + column * row)
    assert peak < view.nbytes / 4


def test_a_compiled_view_holds_a_fraction_of_the_tensor():
    matrix, vector = np.ones((300, 200)), np.arange(200.0)
    call = jac.jacobian(lambda A, x: A @ x, "A").compile(matrix, vector, copy=None)
    call(matrix, vector)
    tracemalloc.start()
    seen = call(matrix, vector)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen.nbytes == 300 * 300 * 200 * 8
    assert not seen.flags.writeable
    assert peak < seen.nbytes / 100
    assert seen[5, 5, 7] == 7.0
    assert seen[5, 6, 7] == 0.0


def test_two_results_never_are_one_array():
    found = jac.jacobian(lambda x, y: x * 1.0 + y * 1.0).compile(x, x, dense=True)(x, x)
    assert not np.shares_memory(found["x"], found["y"])
    gradient = jac.jacobian(lambda A, B: np.sum((A + B) ** 3)).compile(A, A, dense=True)(A, A)
    assert not np.shares_memory(gradient["A"], gradient["B"])


# ---- calling


def test_a_compiled_call_takes_arguments_by_name_and_out():
    call = jac.jacobian(lambda A, x: A @ x, "A").compile(A, x, dense=True)
    np.testing.assert_array_equal(call(x=x, A=A), call(A, x))
    out = np.empty((3, 3, 4))
    assert call(A, x, out=out) is out
    np.testing.assert_array_equal(out, call(A, x))


def test_an_argument_called_out_is_an_argument():
    call = jac.jacobian(lambda out: out * out).compile(x, dense=True)
    np.testing.assert_allclose(call(x), np.diag(2 * x))


def test_forms_name_what_is_returned():
    assert Form().name == "lazy"
    call = jac.jacobian(lambda x: x * x).compile(x, core=True)
    ((array, wiring),) = call(x)
    np.testing.assert_allclose(array, 2 * x)
    assert wiring == "i: i|i"


def test_what_is_no_longer_needed_is_let_go_within_the_call():
    def deep(X):
        for _ in range(20):
            X = np.sin(X) + 1.0
        return np.sum(X)

    X = rng.normal(size=(200, 100))
    call = jac.value_and_jacobian(deep).compile(X)
    call(X)
    tracemalloc.start()
    call(X)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (
        peak < 50 * X.nbytes
    )  # of the 80 arrays that are made, the 20 sines' arguments wait for their cosines
    assert "del " in call.source
    small = jac.jacobian(lambda x: np.sum(np.sin(np.cos(x)))).compile(np.ones(8))
    assert "del " not in small.source


@pytest.mark.parametrize(
    ("scale", "sizes", "dtypes", "within"),
    [
        (3.0, (9, 8, 2), ("f8", "f8"), True),
        (3, (9, 8, 2), ("f4", "f4"), True),
        (1, (9, 8, 2), ("f8", "f8"), False),  # nothing to do
        (3.0, (9, 8, 3), ("f8", "f8"), False),  # 24 entries of 72: more than a fourth
        (3.0, (5, 8, 1), ("f8", "f8"), True),
        (1e300, (9, 8, 2), ("f8", "f8"), False),  # could overflow on the way
        (1e-300, (9, 8, 2), ("f8", "f8"), False),
        (3.0, (9, 8, 2), ("f8", "f4"), False),  # the smallest operand has a smaller type
    ],
)
def test_a_coefficient_goes_within_a_sum_where_that_is_less(
    scale: float, sizes: tuple[int, int, int], dtypes: tuple[str, str], within: bool
) -> None:
    m, n, k = sizes
    a, c = variable("a", (m, k), np.dtype(dtypes[0])), variable("c", (k, n), np.dtype(dtypes[1]))
    node = product([(a, (0, 2)), (c, (2, 1))], (0, 1), (m, n, k))
    left, factors = weighted_within(scale, [(node, (0, 1))])
    assert (left == 1 and factors != [(node, (0, 1))]) == within
    if within:
        values = {a.serial: rng.normal(size=a.shape), c.serial: rng.normal(size=c.shape)}
        (got,) = evaluate([factors[0][0]], values)
        np.testing.assert_allclose(got, scale * (values[a.serial] @ values[c.serial]), rtol=1e-12)


def test_a_coefficient_never_goes_into_an_operand_that_stands_twice() -> None:
    a = variable("a", (2, 3))
    node = product([(a, (0, 1)), (a, (2, 3))], (0, 1, 2, 3), (2, 3, 2, 3))
    assert weighted_within(3.0, [(node, (0, 1, 2, 3))]) == (3.0, [(node, (0, 1, 2, 3))])
