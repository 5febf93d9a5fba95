"""Costs: what is counted before anything runs is what an instrumented run counts."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import jacobians as jac
from jacobians.chain_costs import chain_product
from jacobians.contraction.paths import find_path
from jacobians.contraction.product import Product
from jacobians.costing import costs
from jacobians.counting import _pair_counts, beyond, count_nodes, factors_of, unique, written_cost
from jacobians.dense import write
from jacobians.derivative import bound
from jacobians.errors import UnknownNameError
from jacobians.expr import topological
from jacobians.expression import graph_of
from jacobians.plan import evaluate
from jacobians.prepared import linear_of
from jacobians.reading import read
from jacobians.traces import trace_function
from jacobians.vertex_orders import accumulate_in

RANDOM = np.random.default_rng(7)


class Number:
    """A number that counts what is multiplied and added."""

    multiplications = additions = 0

    def __init__(self, value: Any) -> None:
        self.value = getattr(value, "value", value)

    def __mul__(self, other: Any) -> Number:
        Number.multiplications += 1
        return Number(self.value * getattr(other, "value", other))

    def __add__(self, other: Any) -> Number:
        Number.additions += 1
        return Number(self.value + getattr(other, "value", other))

    def __sub__(self, other: Any) -> Number:
        Number.additions += 1
        return Number(self.value - getattr(other, "value", other))

    def __rsub__(self, other: Any) -> Number:
        Number.additions += 1
        return Number(getattr(other, "value", other) - self.value)

    def __neg__(self) -> Number:
        return Number(-self.value)

    __rmul__, __radd__ = __mul__, __add__


def counting(array: Any) -> Any:
    made = np.empty(np.shape(array), object)
    for place in np.ndindex(made.shape):
        made[place] = Number(np.asarray(array)[place])
    return made


def reset() -> None:
    Number.multiplications = Number.additions = 0


def affine(A: Any, x: Any, b: Any) -> Any:
    h = A @ x
    return h * b + 2 * b


def twice(A: Any, x: Any) -> Any:
    return (A @ x) * (A @ x) - (x @ x) * (A @ (x + x))


def bilinear(A: Any, B: Any, x: Any) -> Any:
    return (A * 3.0) @ (B @ x) - 2 * (x * x)


def shared(A: Any, x: Any) -> Any:
    h = A @ x
    return np.sum(h * (A.T @ h) * 0.5) * h


def slices(x: Any) -> Any:
    return (x[1:] - x[:-1]) * x[1:] - 4.0 * x[:-1] * x[1:]


def outer(x: Any, y: Any) -> Any:
    return np.einsum("i,j,k->ijk", x, y, x) * y[0]


CASES = [
    (affine, (RANDOM.normal(size=(3, 4)), RANDOM.normal(size=4), RANDOM.normal(size=3))),
    (bilinear, (RANDOM.normal(size=(4, 3)), RANDOM.normal(size=(3, 4)), RANDOM.normal(size=4))),
    (shared, (RANDOM.normal(size=(3, 3)), RANDOM.normal(size=3))),
    (slices, (RANDOM.normal(size=5),)),
    (outer, (RANDOM.normal(size=2), RANDOM.normal(size=3))),
]


@pytest.mark.parametrize("mode", ["lazy", "materialized"])
@pytest.mark.parametrize("order", ["reverse", "forward", "markowitz", "greedy", "random", "auto"])
@pytest.mark.parametrize(("f", "arrays"), CASES, ids=lambda v: getattr(v, "__name__", ""))
def test_counted_is_what_an_instrumented_run_counts(f: Any, arrays: Any, order: str, mode: str) -> None:
    """Factors of the plan, then the dense result: every multiplication and addition is counted beforehand."""
    trace = trace_function(f, arrays, {})
    found = accumulate_in(linear_of(trace, mode), order)
    roots = list(trace.targets)
    if mode == "materialized":  # the dense local Jacobians are given: their zeros are numbers as well
        roots += [n for n in topological(n for n, _ in factors_of(found.rows)) if n.op == "assemble"]
    forward = frozenset(n.serial for n in topological(roots))
    factors = [node for node, _ in factors_of(found.rows)]
    nodes = beyond(factors, roots)
    needed = {a.serial: a for n in nodes for a in n.args if a.serial in forward}
    needed |= {n.serial: n for n in factors if n.serial in forward}
    needed |= {n.serial: n for n in nodes if n.op == "constant"}
    values = {s: counting(evaluate([n])[0]) for s, n in needed.items()}
    tally = count_nodes(nodes, factors)
    reset()
    arrays_of = dict(zip((n.serial for n in factors), evaluate(factors, values), strict=True))
    assert (Number.multiplications, Number.additions) == (tally.multiplications, tally.additions)
    for row in found.rows:
        for terms in row:
            cost = written_cost(terms)
            reset()
            write(
                np.zeros(terms.shape, object), bound(terms, {s: np.asarray(v) for s, v in arrays_of.items()})
            )
            assert (Number.multiplications, Number.additions) == (cost.multiplications, cost.additions)


@pytest.mark.parametrize("order", ["reverse", "forward", "greedy", "auto"])
def test_what_is_computed_twice_is_counted_once(order: str) -> None:
    """From the arguments on: function and Jacobians, equal computations merged by plan and count alike."""
    arrays = (RANDOM.normal(size=(3, 3)), RANDOM.normal(size=3))
    trace = trace_function(twice, arrays, {})
    found = accumulate_in(linear_of(trace), order)
    roots = [*trace.targets, *(node for node, _ in factors_of(found.rows))]
    values = {n.serial: counting(n.value) for n in trace.variables}
    reset()
    evaluate(roots, values)
    tally = count_nodes(unique(topological(roots)))
    assert (Number.multiplications, Number.additions) == (tally.multiplications, tally.additions)
    assert len(unique(topological(roots))) < len(topological(roots))


def test_the_counting_number_counts() -> None:
    """The instrument itself: a matrix product of (2, 3) and (3, 4) is 24 products and 16 sums."""
    reset()
    counting(np.ones((2, 3))) @ counting(np.ones((3, 4)))
    assert (Number.multiplications, Number.additions) == (24, 16)


def loss_table(M: int = 100, N: int = 784) -> Any:
    text = "z = A @ x + b; f = tanh(z); L = 0.5*sum((f - y)**2)"
    f = read(text, A="M,N", x="N", b="M", y="M", name_value=jac.name)
    return costs(f, "A")(np.ones((M, N)), np.ones(N), np.ones(M), np.zeros(M))


def test_brackets_of_a_loss_by_hand() -> None:
    """Three links have three orders; counts by the formulas, M = 100 and N = 784."""
    M, N = 100, 784
    table = loss_table()
    found = {row.name: row for row in table.paths}
    assert list(found) == [
        "δ summed first",
        "reverse   (L·f)·A",
        "forward   L·(f·A)",
        "outside   (L·A)·f",
        "one einsum, no path",
    ]
    assert found["δ summed first"].opt_einsum == M + M * N
    assert found["reverse   (L·f)·A"].opt_einsum == 2 * M * M + 2 * M * M * N
    assert found["forward   L·(f·A)"].opt_einsum == 2 * M**3 * N + 2 * M * M * N
    assert found["outside   (L·A)·f"].opt_einsum == M**3 * N + 2 * M**3 * N
    assert found["one einsum, no path"].opt_einsum == 3 * M**3 * N
    assert found["forward   L·(f·A)"].multiplications == M**3 * N + M * M * N
    assert found["outside   (L·A)·f"].largest_result == M**3 * N
    assert found["reverse   (L·f)·A"].order == ("f", "z")
    assert found["forward   L·(f·A)"].order == ("z", "f")
    assert found["outside   (L·A)·f"].order is None


def test_rules_side_by_side() -> None:
    """On a chain of 7 vertices plain is one a vertex; dense is the product of three sizes."""
    row = loss_table(3, 4)["reverse"]
    assert row.plain == len(row.order or ()) - 1
    assert row.unit_free is not None
    assert row.plain > row.unit_free
    assert row.structured is not None
    assert row.dense is not None
    assert row.dense > row.structured


def test_five_links_list_every_order() -> None:
    """Four links have 15 orders, five 105; six list the named ones."""

    def net(W: Any, x: Any, depth: int) -> Any:
        x = jac.name(np.tanh(W @ x), "h0")
        for k in range(1, depth):
            x = jac.name(np.sin(x), f"h{k}")
        return x

    for depth, count in ((4, 15), (5, 105), (6, 3)):
        g = graph_of(
            lambda W, x, depth=depth: net(W, x, depth), (np.ones((2, 3)), np.ones(3)), {}, "W", False
        )
        chain = chain_product(g, "W")
        assert chain is not None
        assert len(chain.rows()) == count + 2


def test_a_table_fits_80_columns_and_goes_to_json() -> None:
    table = loss_table(30, 40)
    assert max(map(len, repr(table).splitlines())) <= 80
    assert table.text(ascii=True).isascii()
    found = json.loads(table.json())
    assert {row["mode"] for row in found["rows"]} == {"lazy", "materialized"}
    assert found["paths"][0]["flop"] == table.paths[0].flop
    assert table["auto"].name.startswith("auto: ")


def test_orders_of_the_users_own() -> None:
    text = "z = A @ x + b; f = tanh(z)"
    f = read(text, A="M,N", x="N", b="M", name_value=jac.name)
    arrays = (np.ones((3, 4)), np.ones(4), np.ones(3))
    table = costs(f, "A", orders=[["f", "z"], "reverse"])(*arrays)
    given = table["given"]
    assert given.order is not None
    assert given.order[-2:] == ("f", "z")
    again = costs(f, "A", orders=[given.order])(*arrays)["given"]
    assert again == given
    with pytest.raises(UnknownNameError, match="'q', which is no vertex"):
        costs(f, "A", orders=[["q"]])(*arrays)
    with pytest.raises(UnknownNameError) as error:
        costs(f, "A", orders=["fastest"])(*arrays)
    assert "order 'fastest' is not known" in str(error.value)
    assert "greedy" in error.value.instead


def test_negative_control_of_the_count() -> None:
    """A plan that multiplied by deltas would be dearer: the materialized row of the same order is."""
    table = costs(affine, "A", orders=["reverse"])(*CASES[0][1])
    lazy, dense = table.rows
    assert lazy.mode, dense.mode == ("lazy", "materialized")
    assert lazy.flop < dense.flop


# ---- the short ways of counting


def products_of_two() -> Any:
    """Einsum parameters of two operands: matrix products, sums before, diagonals, ones, empty axes."""
    sizes = st.lists(st.sampled_from([0, 1, 2, 3, 5]), min_size=1, max_size=4)

    def operands(sizes: list[int]) -> Any:
        labels = st.sampled_from(range(len(sizes)))
        carried = st.lists(labels, max_size=3).map(tuple)
        output = st.lists(labels, max_size=3, unique=True).map(tuple)
        return st.tuples(st.tuples(carried, carried), output, st.just(tuple(sizes)))

    return sizes.flatmap(operands)


@given(products_of_two())
def test_a_product_of_two_is_counted_as_its_path_is(params: Any) -> None:
    quick, cost = _pair_counts(*params), find_path(Product(*params)).cost
    assert quick is None or quick == (cost.multiplications, cost.additions)


@pytest.mark.parametrize(
    ("text", "shapes", "expected"),
    [
        ("ij,jk->ik", ((2, 3), (3, 4)), (24, 16)),
        ("ij,ij->ij", ((2, 3), (2, 3)), (6, 0)),
        ("ij,j->i", ((2, 3), (3,)), (6, 4)),
        ("ij,k->i", ((2, 3), (4,)), None),
        ("ii,i->i", ((3, 3), (3,)), None),
    ],
)
def test_plain_products_of_two_are_counted_at_once(text: str, shapes: Any, expected: Any) -> None:
    product = Product.parse(text, *shapes)
    assert _pair_counts(product.operands, product.output, product.sizes) == expected
