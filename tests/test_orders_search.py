"""Bounds, the exact order, the search with its moves, and the bracketing of chains."""

from __future__ import annotations

import random
from functools import cache
from itertools import pairwise, permutations
from time import process_time

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jacobians import orders
from jacobians.errors import BudgetError, ShapeError
from jacobians.orders import EliminationGraph, bracket
from jacobians.orders import search as search_module
from jacobians.orders.bounds import smallest_cut
from jacobians.orders.exact import cheapest
from jacobians.orders.masks import State, relations
from jacobians.orders.search import price
from jacobians.orders.swaps import Swaps, UnitlessSwaps, swaps_for

from .test_orders import GRAPHS, graphs

ROE, ROBOT = GRAPHS["RoeFlux_1d"], GRAPHS["RobotArm_6DOF"]


def layered(width: int, depth: int, seed: int = 0) -> EliminationGraph:
    """A sparse graph of `width * depth` vertices to eliminate, each with one to three predecessors."""
    rng = random.Random(seed)
    layers = [[(k, i) for i in range(width)] for k in range(depth + 2)]
    edges = []
    for before, layer in pairwise(layers):
        edges += [(a, v) for v in layer for a in rng.sample(before, rng.randint(1, 3))]
    return EliminationGraph.from_edges(edges, inputs=layers[0], outputs=layers[-1])


# Exact orders and bounds


@settings(deadline=None)
@given(graphs(largest=5))
def test_exact_is_the_cheapest_of_all_permutations(case: tuple) -> None:
    graph = case[0]
    for rule in orders.RULES:
        costs = [graph.cost(order, rule) for order in permutations(graph.eliminable)]
        assert graph.cost("exact", rule) == min(costs)
        assert graph.lower_bound(rule) <= min(costs)


def test_the_lower_bound_is_not_trivially_small() -> None:
    # Two inputs and two outputs through one vertex: 2 * 2, which every order takes; 5 would be wrong.
    edges = [("a", "v"), ("b", "v"), ("v", "y"), ("v", "z")]
    graph = EliminationGraph.from_edges(
        edges, inputs="ab", outputs="yz", sizes=dict(zip("abvyz", (2, 3, 5, 7, 11), strict=True))
    )
    assert graph.lower_bound("plain") == graph.cost("exact") == 4
    assert graph.lower_bound("dense") == graph.cost("exact", "dense") == 5 * (2 + 3) * (7 + 11)


@settings(deadline=None)
@given(graphs(largest=8))
def test_a_cut_is_as_large_as_the_paths_are_many(case: tuple) -> None:
    # Menger, the other way round: no set of fewer vertices than the flow says cuts v from the inputs.
    masks = case[0].masks
    total = len(masks.pred)
    for v in range(masks.count):
        cut = smallest_cut(masks.pred[v], masks.sources, masks.pred, masks.succ, (1,) * total)
        smallest = min(
            (
                m.bit_count()
                for m in range(1 << total)
                if m.bit_count() <= 3 and not m >> v & 1 and cuts(masks, v, m)
            ),
            default=4,
        )
        assert min(cut, 4) == smallest


def cuts(masks: object, v: int, removed: int) -> bool:
    """Whether every path from an input to v runs through a removed vertex."""
    reached = todo = masks.pred[v] & ~removed
    while todo:
        i = todo.bit_length() - 1
        todo ^= 1 << i
        new = masks.pred[i] & ~removed & ~reached
        reached |= new
        todo |= new
    return not reached & masks.sources


@settings(deadline=None)
@given(graphs(), st.randoms(use_true_random=False))
def test_what_is_left_depends_on_the_set_that_is_gone_only(case: tuple, rng: random.Random) -> None:
    masks = case[0].masks
    gone = [v for v in range(masks.count) if rng.random() < 0.6]
    for rule in orders.RULES:
        fresh, state = State(masks, rule), State(masks, rule)
        for v in rng.sample(gone, len(gone)):
            state.eliminate(v)
        for v in set(range(masks.count)) - set(gone):
            assert relations(fresh, v, sum(1 << i for i in gone)) == state.relations(v)


def test_exact_gives_up_with_a_way_out() -> None:
    masks = ROE.masks
    with pytest.raises(BudgetError) as error:
        cheapest(State(masks, "plain"), masks.eliminable, limit=5_000)
    assert error.value.what == "order 'exact' takes too long on this graph"
    assert error.value.instead == "order='search'"
    with pytest.raises(BudgetError, match="components of at most 200 vertices"):
        layered(20, 20).order("exact")


# The search


@settings(deadline=None)
@given(graphs(), st.randoms(use_true_random=False))
def test_swaps_keep_count(case: tuple, rng: random.Random) -> None:
    masks = case[0].masks
    assume(masks.count)
    for rule in orders.RULES:
        start = rng.sample(range(masks.count), masks.count)
        swaps = swaps_for(masks, rule, start, rng)
        for _ in search_module.wander(swaps, 5.0, 40):
            assert swaps.total == price(masks, rule, swaps.order())


def test_the_short_cut_for_rules_without_units_agrees_with_the_general_moves() -> None:
    masks = ROE.masks
    for rule in ("plain", "dense"):
        runs = []
        for kind in (Swaps, UnitlessSwaps):
            swaps = kind(masks, rule, range(masks.count), random.Random(5))
            runs.append([swaps.total for _ in search_module.wander(swaps, 2.0, 3_000)])
        assert len(runs[0]) > 1_000
        assert runs[0] == runs[1]


@settings(deadline=None)
@given(graphs(largest=7), st.booleans())
def test_search_finds_the_exact_order_of_small_graphs(case: tuple, annealed: bool) -> None:
    graph = case[0]
    for rule in orders.RULES:
        with pytest.MonkeyPatch.context() as patch:
            if annealed:
                patch.setattr(search_module, "SMALL", 0)
            result = graph.search(seconds=20, seed=1, rule=rule, tries=6_000)
        assert result.cost == graph.cost("exact", rule) == graph.cost(result.order, rule)
        assert result.lower_bound <= result.cost
        assert result.optimal is (result.lower_bound == result.cost)
        assert annealed or result.optimal


def test_search_tells_what_it_found() -> None:
    calls: list[tuple[float, int, int]] = []
    result = ROE.search(seconds=60, seed=3, tries=60_000, progress=lambda *call: calls.append(call))
    costs = [cost for _, cost in result.history]
    assert costs == sorted(set(costs), reverse=True)
    assert costs[-1] == result.cost == calls[-1][1] == ROE.cost(result.order)
    assert result.cost < 320  # the record published before
    assert not result.optimal
    assert result.lower_bound == 223
    assert str(result).startswith(f"{result.cost} multiplications (plain), within ")
    assert result.gap == pytest.approx(result.cost / 223 - 1)


def test_the_same_seed_takes_the_same_way_and_another_one_does_not() -> None:
    runs = [ROE.search(seconds=60, seed=seed, tries=20_000) for seed in (4, 4, 5)]
    assert runs[0].order == runs[1].order != runs[2].order


def test_search_stops_at_the_bound() -> None:
    result = ROBOT.search(seconds=30)
    assert result.optimal
    assert result.cost == 221
    assert str(result) == "221 multiplications (plain), optimal"
    assert result.history[-1][0] < 10


def test_search_keeps_its_time() -> None:
    began = process_time()
    ROE.search(seconds=0.3)
    assert process_time() - began < 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("graph", "rule", "target"),
    [(ROE, "plain", 295), (ROBOT, "plain", 221), (ROE, "unit-free", 184), (ROBOT, "unit-free", 151)],
    ids=["roe", "robot", "roe unit-free", "robot unit-free"],
)
def test_the_best_known_costs_are_reached_with_nine_seeds_of_ten(
    graph: EliminationGraph, rule: str, target: int
) -> None:
    # A core makes 150,000 tries a second and more, so that 1,200,000 take less than ten seconds.
    def reached(seed: int) -> bool:
        return any(
            graph.search(seconds=600, seed=seed, rule=rule, tries=tries).cost <= target
            for tries in (200_000, 1_200_000)
        )

    assert sum(map(reached, range(10))) >= 9


@pytest.mark.slow
def test_several_workers_find_no_less_than_one() -> None:
    alone = ROE.search(seconds=60, seed=2, tries=20_000)
    calls: list[tuple[float, int, int]] = []
    both = ROE.search(seconds=60, seed=2, tries=20_000, workers=2, progress=lambda *call: calls.append(call))
    assert both.cost <= alone.cost
    assert both.cost == ROE.cost(both.order) == both.history[-1][1] == calls[-1][1]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["forward", "reverse", "markowitz", "greedy"])
def test_named_orders_of_a_thousand_vertices_take_less_than_a_second(name: str) -> None:
    graph = layered(5, 200)
    began = process_time()
    graph.cost(name)
    assert process_time() - began < 1


# Chains


def reference_bracket(sizes: tuple[int, ...], work: tuple[int, ...] | None, local: tuple[int, ...]) -> int:
    """The recursion for chains as it stands in the literature."""

    @cache
    def least(i: int, j: int) -> int:
        if j - i == 1:
            return local[i]
        options = [least(i, k) + least(k, j) + sizes[i] * sizes[k] * sizes[j] for k in range(i + 1, j)]
        if work is not None:
            options += [least(i, k) + sizes[i] * sum(work[k:j]) for k in range(i + 1, j)]
            options += [least(k, j) + sizes[j] * sum(work[i:k]) for k in range(i + 1, j)]
            options += [sizes[i] * sum(work[i:j]), sizes[j] * sum(work[i:j])]
        return min(options)

    return least(0, len(sizes) - 1)


def chain_graph(sizes: tuple[int, ...]) -> EliminationGraph:
    n = len(sizes) - 1
    edges = [(k, k + 1) for k in range(n)]
    return EliminationGraph.from_edges(edges, inputs=[0], outputs=[n], sizes=dict(enumerate(sizes)))


@settings(deadline=None)
@given(st.lists(st.integers(1, 30), min_size=2, max_size=9), st.data())
def test_brackets_cost_the_least(sizes: list[int], data: st.DataObject) -> None:
    n, dims = len(sizes) - 1, tuple(sizes)
    numbers = st.lists(st.integers(0, 300), min_size=n, max_size=n).map(tuple)
    work, local = data.draw(st.none() | numbers), data.draw(numbers)
    assert bracket(dims, work=work, local=local).cost == reference_bracket(dims, work, local)
    graph = chain_graph(dims)
    assert graph.cost("dp", "dense") == bracket(dims).cost == graph.cost("exact", "dense")
    order = [v for v in bracket(dims).order]
    assert graph.cost(order, "dense") == bracket(dims).cost
    assert sorted(bracket(dims, work=work).order) == list(range(1, n))


def test_seeds_are_factors_at_the_ends() -> None:
    sizes = (4, 30, 20, 6)
    assert bracket(sizes, left=1).cost == bracket((*sizes, 1)).cost
    assert bracket(sizes, right=2).cost == bracket((2, *sizes)).cost
    assert bracket(sizes, left=1).text == "((U J3) J2) J1"
    assert bracket(sizes, right=1).text == "J3 (J2 (J1 V))"


def test_cheap_factors_are_applied_and_not_multiplied() -> None:
    # A diagonal of 100 numbers between two matrices: its JVP takes 100 multiplications.
    sizes, work = (10, 100, 100, 10), (1000, 100, 1000)
    assert bracket(sizes, local=(0, 0, 0)).cost == 100 * 100 * 10 + 10 * 100 * 10
    applied = bracket(sizes, work=work, local=(0, 0, 0))
    assert applied.cost == 10 * 100 + 10 * 100 * 10
    assert applied.text in ("vjp(J3, J2) J1", "J3 jvp(J2, J1)")
    seeded = bracket((100, 100, 100), work=(100, 100), left=1)
    assert (seeded.text, seeded.cost) == ("vjp(vjp(U, J2), J1)", 200)


def test_a_known_chain_by_hand() -> None:
    # (10 x 100)(100 x 5)(5 x 50), target first: the textbook's 7,500 against 75,000.
    best = bracket((50, 5, 100, 10))
    assert best.cost == 7500
    assert best.text == "(J3 J2) J1"
    assert best.order == (2, 1)


def test_the_chain_of_the_issue_goes_from_the_narrow_end() -> None:
    wide = chain_graph((1000, 500, 250, 100, 10))
    assert wide.order("dp", "dense") == wide.order("reverse")
    assert wide.auto("dense").cost == wide.cost("dp", "dense")
    narrow = chain_graph((10, 100, 250, 500, 1000))
    assert narrow.order("dp", "dense") == narrow.order("forward")


def test_costs_too_large_for_machine_integers_are_exact() -> None:
    big = 10**12
    assert bracket((big, big + 1, big, 3)).cost == 3 * big * (big + 1) * 2


@pytest.mark.slow
def test_a_chain_of_a_thousand_is_bracketed_in_seconds() -> None:
    rng = random.Random(1)
    sizes = [rng.randint(1, 50) for _ in range(1001)]
    began = process_time()
    assert len(bracket(sizes).order) == 999
    assert process_time() - began < 5


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"sizes": [4]}, "a chain has at least two sizes"),
        ({"sizes": [4, 0]}, "sizes in a chain are at least 1"),
        ({"sizes": [4, 3], "left": 0}, "sizes in a chain are at least 1"),
        ({"sizes": [4, 3, 2], "work": [1]}, "work has 1 numbers for 2 factors"),
        ({"sizes": [4, 3, 2], "local": [1, 2, 3]}, "local has 3 numbers for 2 factors"),
    ],
)
def test_chains_that_are_none(arguments: dict, text: str) -> None:
    with pytest.raises(ShapeError) as error:
        bracket(**arguments)
    assert error.value.what == text
