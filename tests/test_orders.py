"""Elimination orders on bare graphs: costs against published and independent counts, Jacobians, errors."""

from __future__ import annotations

import cmath
import json
import random
from collections.abc import Callable, Hashable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jacobians import orders
from jacobians.errors import JacobiansError, ReadingError, UnknownNameError, UnsupportedError
from jacobians.orders import EliminationGraph

DATA = Path(__file__).parent / "data" / "elimination_graphs.json"
FILE = json.loads(DATA.read_text(encoding="utf-8"))["graphs"]
GRAPHS = orders.load_graphs(DATA)
POLYNOMIAL = ("forward", "reverse", "markowitz", "greedy", "random")


# An independent model: sets of predecessors and successors, an edge +1 or -1 being a member of `units`.


def reference_cost(graph: EliminationGraph, order: list[Hashable], rule: str, units: set, sizes: dict) -> int:
    """The cost of an order, counted on sets."""
    edges, units, total = set(graph.edges), set(units), 0
    for v in order:
        pred = [a for a, b in edges if b == v]
        succ = [b for a, b in edges if a == v]
        for p in pred:
            for s in succ:
                free = (p, v) in units or (v, s) in units
                size = sizes.get(v, 1) * sizes.get(p, 1) * sizes.get(s, 1)
                total += {"plain": 1, "unit-free": int(not free), "dense": size}[rule]
        for p in pred:
            for s in succ:
                both = (p, v) in units and (v, s) in units
                units = units | {(p, s)} if (p, s) not in edges and both else units - {(p, s)}
                edges.add((p, s))
        kept = v in graph.outputs
        edges -= {(v, s) for s in succ} | (set() if kept else {(p, v) for p in pred})
    return total


def path_sums(graph: EliminationGraph, values: dict) -> dict:
    """The Jacobian as the sum over all paths of the products along them (Bauer's formula)."""
    jacobian = {}
    for start in graph.inputs:
        reached: dict[Hashable, Any] = {start: 1}
        for v in (*graph.inputs, *evaluation_order(graph)):
            terms = [reached[a] * values[a, b] for a, b in graph.edges if b == v and a in reached]
            if terms:
                reached[v] = sum(terms)
        jacobian |= {(out, start): reached.get(out, 0) for out in graph.outputs}
    return jacobian


def evaluation_order(graph: EliminationGraph) -> list[Hashable]:
    """All vertices but the inputs, each after its predecessors."""
    done, left = set(graph.inputs), [v for v in graph.names if v not in graph.inputs]
    order = []
    while left:
        v = next(v for v in left if all(a in done for a, b in graph.edges if b == v))
        left.remove(v)
        done.add(v)
        order.append(v)
    return order


@st.composite
def graphs(draw: st.DrawFn, largest: int = 7) -> tuple[EliminationGraph, set, dict]:
    """A random graph with its unit edges and sizes; some outputs lead on and are eliminated as well."""
    n, k = draw(st.integers(1, largest)), draw(st.integers(1, 3))
    names = [f"x{i}" for i in range(k)] + [f"v{i}" for i in range(n)] + ["y", "z"]
    possible = [
        (a, b)
        for j, b in enumerate(names)
        for a in names[: min(j, n + k)]
        if j >= k and not a.startswith("y")
    ]
    edges = draw(st.lists(st.sampled_from(possible), min_size=n, max_size=4 * n, unique=True))
    units = set(draw(st.lists(st.sampled_from(edges), unique=True)))
    sizes = {name: draw(st.integers(1, 5)) for name in names}
    leading = draw(st.booleans())
    graph = EliminationGraph.from_edges(
        edges,
        inputs=names[:k],
        outputs=["y", "z"] + ["v0"] * leading,
        eliminable=None if leading else sorted({v for e in edges for v in e if v.startswith("v")}),
        sizes=sizes,
        unit_edges=units,
    )
    return graph, units, sizes


# Published counts


@pytest.mark.parametrize("name", ["RoeFlux_1d", "RobotArm_6DOF"])
@pytest.mark.parametrize(("rule", "key"), [("plain", "plain"), ("unit-free", "unitfree")])
@pytest.mark.parametrize("order", ["forward", "reverse", "markowitz"])
def test_named_orders_cost_what_is_published(name: str, rule: str, key: str, order: str) -> None:
    assert GRAPHS[name].cost(order, rule=rule) == FILE[name]["counts"][key][order]


@pytest.mark.parametrize("name", ["RoeFlux_1d", "RobotArm_6DOF"])
def test_the_lower_bound_is_the_published_one(name: str) -> None:
    assert GRAPHS[name].lower_bound() == FILE[name]["counts"]["plain"]["lower_bound"]


def test_greedy_with_look_ahead_beats_markowitz() -> None:
    for graph in GRAPHS.values():
        for rule in orders.RULES:
            assert graph.cost("greedy", rule) < graph.cost("markowitz", rule)


# Costs against the independent count


@settings(deadline=None)
@given(graphs(), st.randoms(use_true_random=False))
def test_costs_equal_an_independent_count(case: tuple, rng: random.Random) -> None:
    graph, units, sizes = case
    order = list(graph.eliminable)
    rng.shuffle(order)
    for rule in orders.RULES:
        assert graph.cost(order, rule) == reference_cost(graph, order, rule, units, sizes)
    assert graph.costs(order) == {rule: graph.cost(order, rule) for rule in orders.RULES}


@settings(deadline=None)
@given(graphs())
def test_a_named_order_has_each_vertex_once_and_auto_is_no_dearer(case: tuple) -> None:
    graph = case[0]
    for rule in orders.RULES:
        choice = graph.auto(rule, seconds=0)
        assert choice.cost == graph.cost(choice.order, rule) == choice.costs[choice.name]
        for name in POLYNOMIAL:
            order = graph.order(name, rule)
            assert sorted(order) == sorted(graph.eliminable)
            if name != "random":
                assert choice.cost <= graph.cost(order, rule)


def test_a_unit_is_lost_where_it_meets_another_path() -> None:
    # Both ways from x to w are units; x -> w becomes one by the first and loses it with the second.
    edges = [("x", "u"), ("x", "v"), ("u", "w"), ("v", "w"), ("w", "y")]
    graph = EliminationGraph.from_edges(edges, inputs=["x"], outputs=["y"], unit_edges=edges[:4])
    assert graph.cost(["u", "v", "w"], "unit-free") == 1
    assert graph.cost(["w", "u", "v"], "unit-free") == 0
    alone = EliminationGraph.from_edges(edges[::2], inputs=["x"], outputs=["y"], unit_edges=edges[:3:2])
    assert alone.cost("forward", "unit-free") == 0


def test_an_output_with_successors_can_be_eliminated_and_stays_a_result() -> None:
    edges = [("x", "u"), ("u", "y"), ("y", "w"), ("w", "z")]
    values = dict(zip(edges, (2, 3, 5, 7), strict=True))
    graph = EliminationGraph.from_edges(edges, inputs=["x"], outputs=["y", "z"])
    assert graph.eliminable == ("u", "y", "w")
    for order in (["u", "y", "w"], ["w", "y", "u"], ["y", "w", "u"]):
        jacobian, multiplications = graph.accumulate(values, order)
        assert jacobian == {("y", "x"): 6, ("z", "x"): 210}
        assert multiplications == graph.cost(order)
    fixed = EliminationGraph.from_edges(edges, inputs=["x"], outputs=["y", "z"], eliminable=["u", "w"])
    # Here y -> z is left over; composing it with x -> y takes one multiplication whatever the order.
    jacobian, multiplications = fixed.accumulate(values, "reverse")
    assert jacobian == {("y", "x"): 6, ("z", "x"): 210}
    assert multiplications == fixed.cost("reverse") + 1 == 3


def test_an_input_may_be_an_output() -> None:
    graph = EliminationGraph.from_edges([("x", "y")], inputs=["x", "t"], outputs=["y", "x"])
    jacobian, count = graph.accumulate({("x", "y"): 4.0}, [])
    assert jacobian == {("y", "x"): 4.0, ("y", "t"): 0.0, ("x", "x"): 1.0, ("x", "t"): 0.0}
    assert count == 0


# Jacobians


@settings(deadline=None)
@given(graphs(), st.randoms(use_true_random=False))
def test_every_order_gives_the_sum_over_paths(case: tuple, rng: random.Random) -> None:
    graph = case[0]
    values = {edge: Fraction(rng.randint(-9, 9), rng.randint(1, 5)) for edge in graph.edges}
    expected = path_sums(graph, values)
    for _ in range(5):
        order = rng.sample(graph.eliminable, len(graph.eliminable))
        jacobian, multiplications = graph.accumulate(values, order)
        assert jacobian == expected
        if graph.eliminable == tuple(v for v in graph.names if v.startswith("v")):
            assert multiplications == graph.cost(order)


def complex_atan2(y: complex, x: complex) -> complex:
    """atan2 continued to complex arguments: twice the arctangent of half the angle's tangent."""
    return 2 * cmath.atan(y / (cmath.sqrt(x * x + y * y) + x))


PRIMITIVES: dict[str, Callable[..., complex]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "neg": lambda a: -a,
    "sqrt": cmath.sqrt,
    "sin": cmath.sin,
    "cos": cmath.cos,
    "abs": lambda a: a if a.real > 0 else -a,
    "atan2": complex_atan2,
    "integer_pow": lambda a, y: a**y,
}
STEP = 1e-30


def run_program(program: list, inputs: dict[int, complex]) -> dict[int, complex]:
    """The values of all vertices of a scalar program."""
    values = dict(inputs)
    for vertex, name, arguments, *parameters in program:
        numbers = [argument_value(a, values) for a in arguments]
        values[vertex] = PRIMITIVES[name](*numbers, **(parameters[0] if parameters else {}))
    return values


def argument_value(argument: Any, values: dict[int, complex]) -> complex:
    return complex(argument["const"]) if isinstance(argument, dict) else values[argument]


def local_derivatives(program: list, values: dict[int, complex]) -> dict[tuple[int, int], float]:
    """The derivative of each primitive by each of its arguments, by a complex step in the primitive alone."""
    partials: dict[tuple[int, int], float] = {}
    for vertex, name, arguments, *parameters in program:
        numbers = [argument_value(a, values) for a in arguments]
        for k, argument in enumerate(arguments):
            if isinstance(argument, dict):
                continue
            moved = [z + 1j * STEP * (i == k) for i, z in enumerate(numbers)]
            slope = PRIMITIVES[name](*moved, **(parameters[0] if parameters else {})).imag / STEP
            partials[argument, vertex] = partials.get((argument, vertex), 0.0) + slope
    return partials


@pytest.mark.parametrize("name", list(FILE))
def test_programs_reproduce_their_reference_output(name: str) -> None:
    data = FILE[name]
    values = run_program(data["program"], dict(zip(data["inputs"], data["reference_input"], strict=True)))
    found = [values[v].real for v in data["outputs_in_order"]]
    np.testing.assert_allclose(found, data["reference_output"], rtol=1e-12)


@pytest.mark.parametrize("name", list(FILE))
def test_hundreds_of_random_orders_give_the_jacobian_of_the_program(name: str) -> None:
    data, graph = FILE[name], GRAPHS[name]
    rng = random.Random(7)
    nearby = [z * rng.uniform(0.98, 1.02) for z in data["reference_input"]]
    point = {v: complex(z) for v, z in zip(data["inputs"], nearby, strict=True)}
    assert not any(z.imag for z in run_program(data["program"], point).values())
    partials = local_derivatives(data["program"], run_program(data["program"], point))
    assert set(partials) == set(graph.edges)
    for a, b, value in data["const_edges"]:
        assert partials[a, b] == pytest.approx(value, rel=1e-12)
    expected = {}
    for v in data["inputs"]:
        moved = run_program(data["program"], point | {v: point[v] + 1j * STEP})
        expected |= {(out, v): moved[out].imag / STEP for out in data["outputs"]}
    largest = max(map(abs, expected.values()))
    chosen = [rng.sample(graph.eliminable, len(graph.eliminable)) for _ in range(300)]
    chosen += [list(graph.order(order)) for order in ("forward", "reverse", "markowitz", "greedy")]
    for k, order in enumerate(chosen):
        jacobian, multiplications = graph.accumulate(partials, order)
        assert set(jacobian) == set(expected)
        error = max(abs(jacobian[key] - expected[key]) for key in expected)
        assert error < 1e-9 * largest
        if k % 10 == 0:
            assert multiplications == graph.cost(order)
    wrong = partials | {graph.edges[5]: partials[graph.edges[5]] + 0.1}
    jacobian, _ = graph.accumulate(wrong, "reverse")
    assert max(abs(jacobian[key] - expected[key]) for key in expected) > 1e-6 * largest


def test_accumulate_takes_batches_and_leaves_them_alone() -> None:
    graph = GRAPHS["RobotArm_6DOF"]
    rng = np.random.default_rng(3)
    batch = {edge: rng.normal(size=5) for edge in graph.edges}
    before = {edge: value.copy() for edge, value in batch.items()}
    jacobian, _ = graph.accumulate(batch, "greedy")
    for k in range(5):
        single, _ = graph.accumulate({edge: value[k] for edge, value in before.items()}, "reverse")
        for key, value in single.items():
            np.testing.assert_allclose(np.broadcast_to(jacobian[key], 5)[k], value, rtol=1e-9, atol=1e-9)
    assert all(np.array_equal(batch[edge], before[edge]) for edge in batch)


# Errors


def chain() -> EliminationGraph:
    edges = [("x", "u"), ("u", "v"), ("v", "y")]
    return EliminationGraph.from_edges(edges, inputs=["x"], outputs=["y"])


@pytest.mark.parametrize(
    ("name", "hint"),
    [("fastest", "greedy"), ("revers", "reverse"), ("markovitz", "markowitz"), ("optimal", "exact")],
)
def test_unknown_names_of_orders_get_a_hint(name: str, hint: str) -> None:
    with pytest.raises(UnknownNameError) as error:
        chain().cost(name)
    assert error.value.what == f"order {name!r} is not known"
    assert error.value.where.startswith("orders: reverse, forward, markowitz, greedy, dp, exact, search")
    assert error.value.instead == hint


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: chain().cost("reverse", rule="plane"), "cost rule 'plane' is not known"),
        (lambda: chain().cost(["u"]), "order skips vertex 'v'"),
        (lambda: chain().cost(["u", "v", "u"]), "order has vertex 'u' twice"),
        (lambda: chain().cost(["u", "w"]), "order names 'w', which is not a vertex to eliminate"),
        (lambda: GRAPHS["RoeFlux_1d"].cost("dp"), "order 'dp' is for chains of Jacobians"),
        (lambda: chain().accumulate({}), "edge 'x' -> 'u' has no value"),
        (
            lambda: EliminationGraph.from_edges(
                [("x", "u"), ("u", "v"), ("v", "u"), ("v", "y")], inputs=["x"], outputs=["y"]
            ),
            "the graph has a cycle",
        ),
        (
            lambda: EliminationGraph.from_edges([("x", "y"), ("y", "x")], inputs=["x"], outputs=["y"]),
            "input 'x' has a predecessor",
        ),
        (
            lambda: EliminationGraph.from_edges([("x", "y")], inputs=["x"], outputs=["y"], eliminable=["u"]),
            "vertex 'u' is not in the graph",
        ),
        (
            lambda: EliminationGraph.from_edges([("x", "y")], inputs=["x"], outputs=["y"], eliminable=["x"]),
            "input 'x' cannot be eliminated",
        ),
        (
            lambda: EliminationGraph.from_edges(
                [("x", "y")], inputs=["x"], outputs=["y"], unit_edges=[("x", "z")]
            ),
            "unit edge 'x' -> 'z' is not an edge of the graph",
        ),
        (
            lambda: EliminationGraph.from_edges(
                [("x", "y")], inputs=["x"], outputs=["y"], unit_edges=[("x", "y", 0.5)]
            ),
            "a unit edge is +1 or -1, not 0.5",
        ),
        (
            lambda: EliminationGraph.from_edges([("x", "y")], inputs=["x"], outputs=["y"], sizes={"x": 0}),
            "vertex 'x' has size 0",
        ),
    ],
)
def test_errors_say_what_is_wrong(call: Callable[[], object], text: str) -> None:
    with pytest.raises(JacobiansError) as error:
        call()
    assert error.value.what.startswith(text)


def test_the_error_of_dp_names_the_vertex() -> None:
    edges = [("x", "u"), ("u", "v"), ("u", "y"), ("v", "y")]
    graph = EliminationGraph.from_edges(edges, inputs=["x"], outputs=["y"])
    with pytest.raises(UnsupportedError, match="vertex 'u' has 1 predecessors and 2 successors"):
        graph.order("dp")


# Files


def test_orders_survive_a_file(tmp_path: Path) -> None:
    graph, path = GRAPHS["RoeFlux_1d"], tmp_path / "order.json"
    order = graph.order("greedy")
    orders.save_order(path, order)
    assert json.loads(path.read_text(encoding="utf-8")) == list(order)
    assert graph.cost(orders.load_order(path)) == graph.cost("greedy")
    with pytest.raises(JacobiansError, match="cannot be written as JSON"):
        orders.save_order(path, [("a", 1)])


@pytest.mark.parametrize(
    ("load", "content", "text"),
    [
        (orders.load_order, '{"a": 1}', "an order is a list of vertices"),
        (orders.load_order, "[[1]]", "an order is a list of vertices"),
        (orders.load_order, "[1, ", "the file is not JSON"),
        (orders.load_graphs, "[]", "the file holds no graphs"),
        (orders.load_graphs, '{"graphs": {"g": {"edges": []}}}', "graph 'g' has no list 'inputs'"),
    ],
)
def test_files_that_hold_something_else(
    tmp_path: Path, load: Callable[[Path], object], content: str, text: str
) -> None:
    path = tmp_path / "file.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ReadingError) as error:
        load(path)
    assert error.value.what == text


def test_a_file_may_leave_out_what_has_a_default(tmp_path: Path) -> None:
    path = tmp_path / "graphs.json"
    graph = {"edges": [[1, 2], [2, 3]], "inputs": [1], "outputs": [3], "sizes": {"1": 5, "3": 7}}
    path.write_text(json.dumps({"graphs": {"g": graph}}), encoding="utf-8")
    loaded = orders.load_graphs(path)["g"]
    assert loaded.eliminable == (2,)
    assert loaded.costs("reverse") == {"plain": 1, "unit-free": 1, "dense": 35}
    assert repr(loaded) == "EliminationGraph(1 inputs, 1 to eliminate, 1 outputs, 2 edges)"
