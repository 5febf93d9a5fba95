"""Costs are exact: what is counted before a run is what an instrumented run counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacobians.contraction import Cost, Product, all_orders, compile_product, cost, count, find_path
from jacobians.errors import JacobiansError


class Counted:
    """A number that counts every * and + done with one of its kind."""

    multiplications: ClassVar[int] = 0
    additions: ClassVar[int] = 0

    def __mul__(self, other: Any) -> Counted:
        Counted.multiplications += 1
        return self

    def __add__(self, other: Any) -> Counted:
        # np.einsum starts its sums at 0: that one is no addition of two products
        Counted.additions += not (isinstance(other, int) and other == 0)
        return self

    __rmul__, __radd__ = __mul__, __add__


def instrumented(product: Product, pairs: Any) -> tuple[int, int]:
    arrays = []
    for shape in product.shapes:
        array = np.empty(shape, object)
        array[...] = Counted()
        arrays.append(array)
    Counted.multiplications = Counted.additions = 0
    compile_product(product, pairs)(*arrays)
    return Counted.multiplications, Counted.additions


@pytest.mark.parametrize(
    ("equation", "shapes", "multiplications", "additions"),
    [
        ("i,i->i", [(5,), (5,)], 5, 0),
        ("i,j->ij", [(5,), (3,)], 15, 0),
        ("i,i->", [(5,), (5,)], 5, 4),
        ("ij,j->i", [(3, 4), (4,)], 12, 9),
        ("ij,jk->ik", [(2, 3), (3, 4)], 24, 16),
        ("bij,bjk->bik", [(5, 2, 3), (5, 3, 4)], 120, 80),
        ("ij->j", [(3, 4)], 0, 8),
        ("ii->", [(4, 4)], 0, 3),
        ("ii->i", [(4, 4)], 0, 0),
        ("ij->ji", [(3, 4)], 0, 0),
        ("ij,kl->ik", [(2, 3), (5, 4)], 10, 4 + 15),  # both summed first, then an outer product
        ("ii,ij->j", [(3, 3), (3, 4)], 12, 8),
        (",ij->ij", [(), (3, 4)], 12, 0),
    ],
)
def test_counts_by_hand_and_by_an_instrumented_run(
    equation: str, shapes: list[tuple[int, ...]], multiplications: int, additions: int
) -> None:
    product = Product.parse(equation, *shapes)
    path = find_path(product)
    assert (path.cost.multiplications, path.cost.additions) == (multiplications, additions)
    assert path.cost.flop == multiplications + additions
    assert instrumented(product, path.pairs) == (multiplications, additions)


def test_every_order_of_four_factors_costs_what_it_runs() -> None:
    product = Product.parse("ij,j,jk,k->i", (2, 3), (3,), (3, 4), (4,))
    orders = all_orders(product)
    assert len(orders) == 15
    for path in orders:
        assert instrumented(product, path.pairs) == (path.cost.multiplications, path.cost.additions)
    assert len({path.cost.flop for path in orders}) > 5  # or the test could not tell them apart


@st.composite
def products(draw: st.DrawFn) -> Product:
    sizes = tuple(draw(st.permutations([1, 2, 3, 4, 5])))
    operands = draw(st.lists(st.lists(st.integers(0, 4), max_size=3).map(tuple), min_size=1, max_size=4))
    output = draw(st.lists(st.integers(0, 4), unique=True, max_size=3))
    return Product(tuple(operands), tuple(output), sizes)


@given(products())
def test_random_products_cost_what_they_run(product: Product) -> None:
    path = find_path(product)
    assert instrumented(product, path.pairs) == (path.cost.multiplications, path.cost.additions)


def test_a_factor_for_labels_nobody_carries_is_one_multiplication_an_entry() -> None:
    product = Product(((0, 1), (1,)), (0,), (3, 4, 7))
    assert cost(product, [(0, 1)]).multiplications == 12 + 3
    assert instrumented(product, [(0, 1)]) == (15, 9)
    outer = Product(((0,), (1,)), (0, 1), (3, 4, 7))  # the factor goes to the smaller tensor
    assert cost(outer, [(0, 1)]).multiplications == 12 + 3


def test_an_axis_of_size_zero_costs_nothing() -> None:
    product = Product.parse("ij,jk->ik", (2, 0), (0, 3))
    assert cost(product, [(0, 1)]).flop == 0
    assert compile_product(product)(np.ones((2, 0)), np.ones((0, 3))).tolist() == [[0.0] * 3] * 2


def test_memory_by_hand() -> None:
    product = Product.parse("ij,jk,kl->il", (10, 20), (20, 30), (30, 5))
    forward, backward = cost(product, [(0, 1), (0, 1)]), cost(product, [(1, 2), (0, 1)], itemsize=4)
    operands = 200 + 600 + 150
    assert forward.largest_intermediate == forward.largest_result == 300
    assert forward.peak_bytes == 8 * (operands + 300 + 50)
    assert backward.largest_intermediate == 100
    assert backward.largest_intermediate_bytes == 400
    assert backward.peak_bytes == 4 * (operands + 100 + 50)
    assert (forward.steps, backward.steps) == (2, 2)
    single = cost(Product.parse("ij,j->i", (10, 20), (20,)), [(0, 1)])
    assert (single.largest_result, single.largest_intermediate) == (10, 0)


def test_an_intermediate_is_held_until_its_last_use_only() -> None:
    chain = Product.parse("ij,jk,kl,lm->im", (10, 10), (10, 10), (10, 10), (10, 10))
    left = cost(chain, [(0, 1), (0, 2), (0, 1)])
    assert left.peak_bytes == 8 * (400 + 200)


def test_costs_add_up() -> None:
    a = Cost(10, 5, 1, 7, 3, 56, 24, 100)
    b = Cost(1, 2, 2, 9, 1, 72, 8, 90)
    assert a + b == Cost(11, 7, 3, 9, 3, 72, 24, 100)
    assert (a + b).flop == 18
    assert a + Cost() == a


@dataclass(frozen=True)
class Symbol:
    """A polynomial as a dict of monomials, with + and * alone."""

    terms: tuple[tuple[str, int], ...]

    @staticmethod
    def of(value: Any) -> Symbol:
        return value if isinstance(value, Symbol) else Symbol((("", value),))

    def __add__(self, other: Any) -> Symbol:
        sums = dict(self.terms)
        for name, n in Symbol.of(other).terms:
            sums[name] = sums.get(name, 0) + n
        return Symbol(tuple(sorted((name, n) for name, n in sums.items() if n)))

    def __mul__(self, other: Any) -> Symbol:
        result = Symbol(())
        for one, m in self.terms:
            for two, n in Symbol.of(other).terms:
                result = result + Symbol((("".join(sorted(one + two)), m * n),))
        return result

    __radd__, __rmul__ = __add__, __mul__


def test_symbolic_sizes_give_polynomials() -> None:
    m, n = Symbol((("M", 1),)), Symbol((("N", 1),))
    product = Product(((0, 1), (1,)), (0,), (m, n))
    counted = count(product, [(0, 1)])
    assert counted.multiplications == Symbol((("MN", 1),))
    assert counted.additions == Symbol((("M", -1), ("MN", 1)))
    assert counted.flop == Symbol((("M", -1), ("MN", 2)))
    assert counted.results == (m,)
    numeric = Product(((0, 1), (1,)), (0,), (30, 40))
    assert count(numeric, [(0, 1)]).flop == 2 * 30 * 40 - 30
    assert count(numeric, [(0, 1)], sizes=(m, n)) == counted


def test_a_path_that_does_not_fit_is_an_error() -> None:
    product = Product.parse("ij,jk,k->i", (3, 4), (4, 5), (5,))
    for pairs, why in [
        ([(0, 1)], "2 tensors are left uncontracted"),
        ([(0, 3), (0, 1)], r"\(0, 3\) are not two places among 3 tensors"),
        ([(1, 1), (0, 1)], r"\(1, 1\) are not two places"),
        ([(0, 1), (0, 1), (0, 1)], "not two places among 1"),
    ]:
        with pytest.raises(JacobiansError, match=why):
            cost(product, pairs)
