"""Contraction paths: the cheapest by our own count, whoever found it."""

from __future__ import annotations

import random
import sys
import time
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacobians.contraction import (
    OPTIMIZERS,
    Product,
    all_orders,
    compile_product,
    find_path,
    portfolio,
    trees,
)
from jacobians.contraction.paths import EXACT_LIMIT
from jacobians.contraction.trees import Network
from jacobians.errors import BudgetError, JacobiansError, MissingExtraError, UnknownNameError

NAMES = [name for name in OPTIMIZERS if name not in ("auto", "cotengra", "optimal")]


def chain(matrices: int, width: int) -> Product:
    """diag W diag W ... diag: matrices with a diagonal on either side of each."""
    operands: list[tuple[int, ...]] = [(0,)]
    for k in range(matrices):
        operands += [(k, k + 1), (k + 1,)]
    return Product(tuple(operands), (0, matrices), (width,) * (matrices + 1))


@st.composite
def networks(draw: st.DrawFn, smallest: int = 3, largest: int = 5) -> Product:
    labels = draw(st.integers(2, 6))
    sizes = tuple(draw(st.lists(st.integers(1, 9), min_size=labels, max_size=labels)))
    label = st.integers(0, labels - 1)
    operand = st.lists(label, max_size=3).map(tuple)
    operands = draw(st.lists(operand, min_size=smallest, max_size=largest))
    output = draw(st.lists(label, unique=True, max_size=2))
    return Product(tuple(operands), tuple(output), sizes)


@given(networks())
def test_auto_is_the_cheapest_of_all_orders(product: Product) -> None:
    assert find_path(product).cost.flop == all_orders(product)[0].cost.flop


@given(networks(smallest=EXACT_LIMIT + 1, largest=EXACT_LIMIT + 4))
def test_beyond_the_exact_limit_auto_is_never_worse_than_a_polynomial_optimizer(product: Product) -> None:
    best = find_path(product).cost.flop
    for name in ("left-to-right", "right-to-left", "bracketing", "greedy", "branch-1"):
        assert best <= find_path(product, name).cost.flop


@given(networks(), st.sampled_from(NAMES))
def test_every_optimizer_contracts_everything(product: Product, name: str) -> None:
    path = find_path(product, name)
    assert len(path.pairs) == len(product.operands) - 1
    assert path.cost.flop >= find_path(product).cost.flop


@pytest.mark.parametrize("matrices", [4, 5, 12, 40])
def test_a_chain_of_matrices_and_diagonals_never_gets_an_outer_product(matrices: int) -> None:
    """Where opt_einsum's "optimal" has been seen to answer 2.6e11 flop and more, 1.3e9 is right."""
    width = 600
    path = find_path(chain(matrices, width))
    products = (matrices - 1) * (2 * width**3 - width**2)
    assert path.cost.flop == products + (matrices + 1) * width**2
    assert path.cost.largest_intermediate == width**2
    if matrices == 4:
        assert 1.29e9 < path.cost.flop < 1.31e9


@pytest.mark.slow
def test_optimal_alone_is_not_to_be_trusted_on_that_chain() -> None:
    product = chain(4, 600)
    assert len(product.operands) == 9
    assert find_path(product, "optimal").cost.flop > 100 * find_path(product).cost.flop


def test_bracketing_is_exact_on_a_matrix_chain() -> None:
    """Against the textbook's own recurrence for matrix chains."""
    sizes = (800, 10, 700, 810, 20, 600, 30, 40)
    product = Product(tuple((k, k + 1) for k in range(7)), (0, 7), sizes)

    def best(i: int, j: int) -> int:
        if j - i == 1:
            return 0
        return min(
            best(i, k) + best(k, j) + 2 * sizes[i] * sizes[k] * sizes[j] - sizes[i] * sizes[j]
            for k in range(i + 1, j)
        )

    assert find_path(product, "bracketing").cost.flop == best(0, 7)
    assert find_path(product).cost.flop <= best(0, 7) < find_path(product, "left-to-right").cost.flop


def test_polish_repairs_a_bad_tree() -> None:
    rng = random.Random(3)
    labels = 14
    operands = tuple(tuple(rng.sample(range(labels), 3)) for _ in range(13))
    network = Network.of(Product(operands, (0, 1), tuple(rng.randint(2, 9) for _ in range(labels))))
    bad = trees.in_order(13)
    good = trees.polish(network, bad)
    assert trees.tree_flop(network, good) < trees.tree_flop(network, bad) / 10
    assert sorted(k for pair in good for k in pair) == list(range(24))


@given(networks(smallest=6, largest=9))
def test_polish_never_makes_a_tree_worse_and_keeps_its_meaning(product: Product) -> None:
    network, count = Network.of(product), len(product.operands)
    start = trees.in_order(count, reverse=True)
    end = trees.polish(network, start, width=4)
    assert trees.tree_flop(network, end) <= trees.tree_flop(network, start)
    arrays = [np.arange(prod(shape), dtype=float).reshape(shape) % 5 for shape in product.shapes]
    first, second = (compile_product(product, trees.to_pairs(count, x))(*arrays) for x in (start, end))
    assert np.allclose(first, second)


@pytest.mark.parametrize(("factors", "orders"), [(1, 1), (2, 1), (3, 3), (4, 15), (5, 105)])
def test_all_orders_are_all_and_different(factors: int, orders: int) -> None:
    product = Product(tuple((k, k + 1) for k in range(factors)), (0, factors), tuple(range(2, factors + 3)))
    paths = all_orders(product)
    assert len(paths) == orders
    assert len({path.name for path in paths}) == orders
    assert [p.cost.flop for p in paths] == sorted(p.cost.flop for p in paths)


def test_more_than_five_factors_are_counted_not_listed() -> None:
    with pytest.raises(BudgetError, match="6 operands have 945 orders"):
        all_orders(Product(((0,),) * 6, (), (2,)))


def test_pairs_are_opt_einsums_form() -> None:
    from opt_einsum import contract_path

    path, info = contract_path("ij,jk,k->i", (30, 40), (40, 50), (50,), shapes=True, optimize="greedy")
    product = Product.parse("ij,jk,k->i", (30, 40), (40, 50), (50,))
    ours = find_path(product, path)
    assert ours.name == "given"
    assert ours.cost == find_path(product, "greedy").cost
    assert ours.cost.multiplications * 2 == int(info.opt_cost)
    assert trees.to_pairs(3, trees.to_tree(3, ours.pairs)) == ours.pairs


def test_scalars_and_repeated_operands_do_not_confuse_any_optimizer() -> None:
    product = Product(((), (0, 1), (), (0, 1), (1, 2), ()), (2,), (2, 3, 4))
    arrays = [np.full(shape, k + 1.0) for k, shape in enumerate(product.shapes)]
    results = [compile_product(product, name)(*arrays).tolist() for name in NAMES]
    assert results == [[2 * 3 * 1.0 * 2 * 3 * 4 * 5 * 6] * 4] * len(NAMES)


def test_random_greedy_is_repeatable_and_leaves_the_global_generator_alone() -> None:
    product = chain(6, 5)
    random.seed(7)
    expected = random.random()
    random.seed(7)
    first = find_path(product, "random-greedy", seed=3)
    assert random.random() == expected
    assert find_path(product, "random-greedy", seed=3) == first


def test_seconds_buys_restarts_and_is_kept() -> None:
    start = time.perf_counter()
    path = find_path(chain(8, 5), seconds=0.2)
    assert time.perf_counter() - start < 2
    assert path.cost.flop <= find_path(chain(8, 5)).cost.flop


def test_two_operands_ask_no_optimizer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "exact", None)
    assert find_path(Product.parse("ij,j->i", (3, 4), (4,))).pairs == ((0, 1),)
    with pytest.raises(TypeError):
        find_path(Product.parse("ij,j,i->i", (3, 4), (4,), (3,)))


def test_portfolio_is_sorted_and_named() -> None:
    paths = portfolio(Product.parse("ij,jk,kl,l->i", (9, 8), (8, 7), (7, 6), (6,)))
    assert {"auto", "greedy", "dp", "branch-2", "random-greedy", "left-to-right"} <= {
        p.name for p in paths
    } | {"auto"}
    assert [p.cost.flop for p in paths] == sorted(p.cost.flop for p in paths)
    assert paths[0].brackets(["A", "B", "C", "x"]) == "A·(B·(C·x))"
    assert paths[-1].cost.flop > paths[0].cost.flop


def test_planning_is_fast() -> None:
    best = min(_seconds(chain(3, 600)) for _ in range(5))
    assert best < 0.01
    assert min(_seconds(chain(30, 600)) for _ in range(3)) < 0.5


def _seconds(product: Product) -> float:
    start = time.perf_counter()
    find_path(product)
    return time.perf_counter() - start


def test_names_that_are_not_known_are_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    product = Product.parse("ij,jk,k->i", (3, 4), (4, 5), (5,))
    with pytest.raises(UnknownNameError) as caught:
        find_path(product, "gredy")
    assert caught.value.instead == "greedy"
    assert "left-to-right" in caught.value.where
    monkeypatch.setitem(sys.modules, "cotengra", None)
    with pytest.raises(MissingExtraError, match="need cotengra") as missing:
        find_path(product, "cotengra")
    assert missing.value.instead == "pip install 'jacobians[paths]'"
    with pytest.raises(JacobiansError, match="2 tensors are left"):
        find_path(product, [(0, 1)])
