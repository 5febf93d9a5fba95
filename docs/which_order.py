"""The numbers of the page "Which order?": `python docs/which_order.py` counts, searches and measures anew,
writes the tables between the comments of docs/which-order.md, and draws the pictures.

    TABLES      the tables by name, each a function of the recorded `Measurements`
    counted     the cells of a table that take no search and no clock: what the tests compare with the page
    find        the best order of a scalar problem over `SEEDS`, in `TRIES` tries
    measure_graph, measure_plans    seconds of every order on batches
    table_in, with_table    a table read from the page, and put into it
"""

from __future__ import annotations

import gc
import re
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from jacobians.batching import vectorize
from jacobians.bench.measuring import environment, show_environment
from jacobians.bench.problems import problem
from jacobians.bench.running import order_run
from jacobians.bench.timing import Ratio, ratio
from jacobians.contraction.paths import find_path
from jacobians.contraction.product import Product
from jacobians.cost_table import show_flop
from jacobians.costing import accumulated, costs
from jacobians.errors import UnsupportedError
from jacobians.expression import graph_of
from jacobians.orders import EliminationGraph, SearchResult, load_graphs
from jacobians.prepared import linear_of
from jacobians.traces import trace_function
from jacobians.vertex_orders import elimination_graph

DOCS = Path(__file__).parent
PAGE = DOCS / "which-order.md"
SCALAR = ("roe-flux-1d", "roe-flux-3d", "robot-arm", "heart-dipole", "propane", "black-scholes")
TENSOR = (
    "chain-narrowing", "chain-widening", "chain-600", "chain-waist", "perceptron", "layers", "encoder",
    "logistic", "factorization", "relu-hessian",
)  # fmt: skip
RULES = ("plain", "unit-free")
NAMED = ("forward", "reverse", "markowitz", "greedy")
SEEDS, TRIES = (0, 1, 2), 600_000
BATCH, ROUNDS, SAMPLE = 1024, 41, 4e-3  # samples at once; measurements; seconds that one takes at the least
RANDOM = 4  # random orders measured beside the named ones
PUBLISHED = {  # by plain counting: forward, reverse, Markowitz, reinforcement learning
    "roe-flux-1d": (620, 364, 407, 320),
    "robot-arm": (397, 301, 288, 231),
}
FILE = DOCS.parent / "tests" / "data" / "elimination_graphs.json"
GRAPHS = {"roe-flux-1d": "RoeFlux_1d", "robot-arm": "RobotArm_6DOF"}  # the published graphs in the file
CHAIN = Product.parse("a,ab,b,bc,c,cd,d,de->ae", *([(600,), (600, 600)] * 4))
PATHS = {
    "auto": "this package's `auto`",
    "dp": "opt_einsum's `dp`",
    "greedy": "opt_einsum's `greedy`",
    "branch-2": "opt_einsum's `branch-2`",
    "left-to-right": "left to right",
    "right-to-left": "right to left",
    "optimal": "opt_einsum's `optimal`",
}
Row = list[str]
TENSOR_HEAD = ["problem", "multiplications", *NAMED, "dp", "auto", "takes"]
PATH_HEAD = ["path", "flop", "largest array, entries", "times the cheapest"]


@dataclass(frozen=True, slots=True)
class Found:
    """The searches of one problem under one rule, one for each seed, and the processor seconds of each."""

    results: tuple[SearchResult, ...]
    seconds: tuple[float, ...]

    @property
    def best(self) -> SearchResult:
        """The cheapest."""
        return min(self.results, key=lambda one: one.cost)

    @property
    def hits(self) -> int:
        """How many seeds found the cheapest."""
        return sum(one.cost == self.best.cost for one in self.results)


@dataclass(frozen=True, slots=True)
class Timed:
    """Orders of one problem: the operations counted, the seconds sampled round by round."""

    counts: Mapping[str, int]
    samples: Mapping[str, Sequence[float]]

    def milliseconds(self, name: str) -> float:
        """The median."""
        return statistics.median(self.samples[name]) * 1e3

    def over(self, name: str, other: str) -> Ratio:
        """How many times longer an order takes than another, from neighbours in time."""
        return ratio(self.samples[name], self.samples[other])

    @property
    def rank_correlation(self) -> float:
        """Spearman's, of counts and median seconds."""
        pairs = [[self.counts[name], self.milliseconds(name)] for name in self.samples]
        return float(np.corrcoef([ranks(column) for column in zip(*pairs, strict=True)])[0, 1])


@dataclass(frozen=True, slots=True)
class Measurements:
    """What takes time to find: searches by (problem, rule), and times by problem of graphs and of plans."""

    found: Mapping[tuple[str, str], Found]
    graphs: Mapping[str, Timed]
    plans: Mapping[str, Timed]


def ranks(values: Sequence[float]) -> np.ndarray:
    """The place of each value in ascending order, equal ones sharing theirs.

    >>> ranks([30, 10, 20, 10]).tolist()
    [3.0, 0.5, 2.0, 0.5]
    """
    array = np.asarray(values, float)
    found: np.ndarray = (array[:, None] > array).sum(1) + ((array[:, None] == array).sum(1) - 1) / 2
    return found


# ---- counting, searching, measuring


@cache
def scalar_graph(name: str) -> EliminationGraph:
    """The graph of a problem, one vertex for each scalar operation: as published, or traced."""
    if name in GRAPHS:
        return load_graphs(FILE)[GRAPHS[name]]
    one = problem(name)
    return elimination_graph(linear_of(trace_function(one.f, (), one.inputs(), one.wrt)))


def find(name: str, rule: str) -> Found:
    """The best of one search for each seed; the number of tries makes it independent of the clock."""
    results, seconds = [], []
    for seed in SEEDS:
        began = time.process_time()
        results.append(scalar_graph(name).search(seconds=600, seed=seed, rule=rule, tries=TRIES))
        seconds.append(time.process_time() - began)
    return Found(tuple(results), tuple(seconds))


def measure_graph(name: str, best: Sequence[Any]) -> Timed:
    """Accumulation alone, from given local Jacobians of length B; `best` is called "search"."""
    graph, rng = scalar_graph(name), np.random.default_rng(0)
    values = {edge: rng.normal(size=BATCH) for edge in graph.edges}
    orders = {order: graph.order(order) for order in NAMED} | {"search": tuple(best)}
    orders |= {f"random {k}": graph.order("random", seed=k) for k in range(RANDOM)}
    runs = {label: lambda order=order: graph.accumulate(values, order) for label, order in orders.items()}
    return Timed({label: graph.cost(order) for label, order in orders.items()}, sampled(runs))


def measure_plans(name: str) -> Timed:
    """The function and its Jacobians by the package's plan: multiplications and additions for each sample."""
    graph, linear = batch_graph(name)
    made = {order: accumulated(linear, order, seconds=4) for order in (*NAMED, "search")}
    made |= {f"random {k}": accumulated(linear, "random", seed=k) for k in range(RANDOM)}
    runs = {label: order_run(graph.trace, each.rows, dense=False) for label, each in made.items()}
    return Timed({label: each.tally().flop // BATCH for label, each in made.items()}, sampled(runs))


@cache
def batch_graph(name: str) -> tuple[Any, Any]:
    """A problem on a batch: its graph, and the graph of its local Jacobians."""
    one = problem(name)
    graph = graph_of(vectorize(one.f), (), one.batch(BATCH), one.wrt, numeric=False)
    return graph, linear_of(graph.trace, "lazy")


def plan_flop(name: str, order: str) -> int:
    """Multiplications and additions of the plan for each sample, beyond the function and local Jacobians."""
    return accumulated(batch_graph(name)[1], order).tally().flop // BATCH


def sampled(runs: Mapping[str, Callable[[], Any]]) -> dict[str, list[float]]:
    """Processor seconds of one call, in turn: waiting for other programs is not counted."""
    counts = {label: _calls(run) for label, run in runs.items()}
    samples: dict[str, list[float]] = {label: [] for label in runs}
    gc.disable()
    for _ in range(ROUNDS):
        for label, run in runs.items():
            samples[label].append(_seconds(run, counts[label]))
    gc.enable()
    return samples


def _calls(run: Callable[[], Any]) -> int:
    run()
    return max(1, round(SAMPLE / max(_seconds(run, 3), 1e-6)))


def _seconds(run: Callable[[], Any], count: int) -> float:
    began = time.process_time()
    for _ in range(count):
        run()
    return (time.process_time() - began) / count


# ---- tables: a head, and rows of text


def published(done: Measurements) -> list[Row]:
    """Every scalar problem under both rules: named orders, the search, the bound, the quality."""
    head = ["graph", "rule", *NAMED, "search", "seeds", "lower bound", "the search's order is", "seconds"]
    rows = [head]
    for (name, rule), found in done.found.items():
        best = found.best
        rows.append(
            [
                *published_counts(name, rule)[:6],
                str(best.cost),
                f"{found.hits} of {len(SEEDS)}",
                str(best.lower_bound),
                quality(best.cost, best.lower_bound),
                show_seconds(found),
            ]
        )
    return rows


def published_counts(name: str, rule: str) -> Row:
    """What of a row is counted: graph, rule, the named orders' costs, the lower bound."""
    graph = scalar_graph(name)
    named = [str(graph.cost(order, rule)) for order in NAMED]
    return [name, rule, *named, str(graph.lower_bound(rule))]


def quality(cost: int, bound: int) -> str:
    """In words: optimal, or how far from the bound at the most.

    >>> quality(221, 221), quality(295, 223)
    ('**optimal**', 'within 32 %')
    """
    return "**optimal**" if cost == bound else f"within {100 * (cost / bound - 1):.0f} %"


def show_seconds(found: Found) -> str:
    """The median over the seeds."""
    seconds = statistics.median(found.seconds)
    return f"{seconds:.1f}" if seconds >= 0.1 else "under 0.1"


def records(done: Measurements) -> list[Row]:
    """The two published graphs: counts of the literature beside ours."""
    rows = [["graph", "", *NAMED[:3], "reinforcement learning", "search", "seconds"]]
    for name, known in PUBLISHED.items():
        found = done.found[name, "plain"]
        rows.append([name, "published", *map(str, known), "–", "–"])
        rows.append([name, "here", *records_counts(name), "–", str(found.best.cost), show_seconds(found)])
    return rows


def records_counts(name: str) -> Row:
    """What of a row is counted."""
    return [str(scalar_graph(name).cost(order)) for order in NAMED[:3]]


def tensors(done: Measurements | None = None) -> list[Row]:
    """Every tensor problem in every order, by the dense rule and by its plan, and what `auto` takes."""
    return [TENSOR_HEAD, *(row for name in TENSOR for row in tensor_counts(name))]


@cache
def tensor_counts(name: str) -> tuple[Row, Row]:
    """The two rows of a problem: dense (two dense arrays for each elimination), structured (the plan's)."""
    one = problem(name)
    lazy = {order: _cost_row(one, order) for order in (*NAMED, "dp", "auto")}
    dense, structured = (
        ["–" if row is None else show_flop(getattr(row, kind)) for row in lazy.values()]
        for kind in ("dense", "multiplications")
    )
    chosen = lazy["auto"].name.removeprefix("auto: ")
    return [name, "dense", *dense, chosen], [name, "structured", *structured, chosen]


def _cost_row(one: Any, order: str) -> Any:
    try:
        return costs(one.derivative, one.wrt, orders=[order], modes=["lazy"])(**one.inputs()).rows[0]
    except UnsupportedError:  # dp where it is no chain
        return None


def paths(done: Measurements | None = None) -> list[Row]:
    """Contraction paths of one product: flop, the largest array, times the cheapest."""
    return [PATH_HEAD, *map(path_counts, PATHS)]


@cache
def path_counts(name: str) -> Row:
    """One path."""
    cost, least = find_path(CHAIN, name).cost, find_path(CHAIN).cost
    largest = max(cost.largest_result, cost.largest_intermediate)
    return [PATHS[name], show_flop(cost.flop), show_flop(largest), f"{cost.flop / least.flop:.2f}"]


def times(done: Measurements) -> list[Row]:
    """Counted and measured for every named order and the search, on batches."""
    rows = [
        ["problem", "order", "multiplications (plain)", "accumulating, ms", "flop of the plan", "plan, ms"]
    ]
    for name in PUBLISHED:
        graph, plan = done.graphs[name], done.plans[name]
        for order in (*NAMED, "search"):
            counted, timed = graph.counts[order], graph.milliseconds(order)
            more = [str(plan.counts[order]), f"{plan.milliseconds(order):.2f}"]
            rows.append([name, order, str(counted), f"{timed:.2f}", *more])
    return rows


def correlations(done: Measurements) -> list[Row]:
    """Rank correlations, and the searched order's time as a share of reverse's and forward's."""
    what = [("graph", done.graphs), ("plan", done.plans)]
    rows = [
        ["problem", "measured", "rank correlation", "search / reverse", "search / forward", "is faster than"]
    ]
    for name in done.graphs:
        for label, timed in what:
            each = timed[name]
            over = {order: each.over("search", order) for order in ("reverse", "forward")}
            shown = [shown_ratio(one) for one in over.values()]
            verdict = " and ".join(order for order, one in over.items() if one.high < 1) or "neither, clearly"
            rows.append([name, label, f"{each.rank_correlation:.2f}", *shown, verdict])
    return rows


def shown_ratio(one: Ratio) -> str:
    """The median, and the quartiles in brackets."""
    return f"{one.median:.2f} ({one.low:.2f}–{one.high:.2f})"


def conditions(done: Measurements) -> list[Row]:
    """Where the measured numbers come from."""
    known = environment()
    known["versions"] = {name: known["versions"][name] for name in ("numpy", "opt_einsum")}
    return [["measured with"], [f"{known['system']}, {show_environment(known)}"]]


TABLES: dict[str, Callable[[Measurements], list[Row]]] = {
    "records": records,
    "published": published,
    "tensors": tensors,
    "paths": paths,
    "times": times,
    "correlations": correlations,
    "conditions": conditions,
}


def counted(table: str, row: Sequence[str]) -> dict[str, str] | None:
    """What the columns of a row must say, by counting alone; None where nothing in it is counted."""
    if table == "published":
        *counts, bound = published_counts(row[0], row[1])
        return dict(zip(("graph", "rule", *NAMED), counts, strict=True)) | {"lower bound": bound}
    if table == "records" and row[1] == "here":
        return dict(zip(NAMED[:3], records_counts(row[0]), strict=True))
    if table == "tensors":
        return dict(zip(TENSOR_HEAD, tensor_counts(row[0])[row[1] == "structured"], strict=True))
    if table == "paths":
        name = next(key for key, shown in PATHS.items() if shown == row[0])
        return dict(zip(PATH_HEAD, path_counts(name), strict=True))
    if table == "times" and row[1] != "search":
        plain, flop = scalar_graph(row[0]).cost(row[1]), plan_flop(row[0], row[1])
        return {"multiplications (plain)": str(plain), "flop of the plan": str(flop)}
    return None


# ---- the page


def region(name: str) -> re.Pattern[str]:
    """What stands between the comments of a table."""
    return re.compile(rf"(?<=<!-- table: {name} -->\n\n).*?(?=\n\n<!-- end -->)", re.S)


def with_table(text: str, name: str, rows: Sequence[Row]) -> str:
    """The page with a table replaced; numbers stand on the right."""
    head, *body = rows
    rule = [":--" if _is_text([row[k] for row in body]) else "--:" for k in range(len(head))]
    lines = ["| " + " | ".join(row) + " |" for row in (head, rule, *body)]
    new, count = region(name).subn(lambda found: "\n".join(lines), text)
    if count != 1:
        raise ValueError(f"{PAGE.name} has {count} places for the table {name!r}")
    return new


def _is_text(cells: Sequence[str]) -> bool:
    return not any(cell[:1].isdigit() for cell in cells) or any(" " in cell for cell in cells)


def table_in(text: str, name: str) -> list[dict[str, str]]:
    """The rows of a table of the page, each by column."""
    found = region(name).search(text)
    if found is None:
        raise ValueError(f"{PAGE.name} has no table {name!r}")
    head, _, *body = [[cell.strip() for cell in line.strip("|").split("|")] for line in found[0].splitlines()]
    return [dict(zip(head, row, strict=True)) for row in body]


def main() -> None:
    """Everything anew: some minutes."""
    found = {}
    for name in SCALAR:
        for rule in RULES:
            found[name, rule] = find(name, rule)
            print(name, rule, found[name, rule].best, flush=True)
    graphs, plans = {}, {}
    for name in SCALAR:
        graphs[name] = measure_graph(name, found[name, "plain"].best.order)
        plans[name] = measure_plans(name)
        print(name, "measured", flush=True)
    done = Measurements(found, graphs, plans)
    from which_order_figures import draw  # late, so that counting needs no matplotlib

    text = PAGE.read_text("utf-8")
    for name, table in TABLES.items():
        text = with_table(text, name, table(done))
    PAGE.write_text(text, "utf-8")
    draw(done, DOCS / "figures")


if __name__ == "__main__":
    main()
