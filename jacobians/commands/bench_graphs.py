"""`jacobians bench --graph file.json`: named orders and a search on bare graphs, with a lower bound."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

from ..bench.measuring import environment
from ..cost_table import PLAIN, text_table
from ..errors import BudgetError, JacobiansError, UnsupportedError
from ..orders import EliminationGraph, SearchResult, load_graphs, load_order, save_order
from .output import print_json, use_ascii

NAMED = ("forward", "reverse", "markowitz", "greedy", "dp")


def bench_graphs(args: argparse.Namespace, say: Callable[[str], None]) -> int:
    """Searches every graph of the file and prints what its orders cost."""
    graphs = load_graphs(args.graph)
    given = None if args.order_in is None else load_order(args.order_in)
    if (args.plot or args.order_out or args.order_in) and len(graphs) != 1:
        raise JacobiansError(
            f"{args.graph} holds {len(graphs)} graphs",
            "--plot and --order-out are for one",
            "a file with one graph",
        )
    found = []
    for label, graph in graphs.items():
        costs = named_costs(graph, args.rule)
        if given is not None:
            costs["given"] = graph.cost(given, args.rule)
        seconds = 10.0 if args.seconds is None else args.seconds
        result = graph.search(seconds, args.seed, args.rule, progress=_reporter(label, say))
        say("")
        found.append((label, graph, costs, result))
        if args.order_out:
            save_order(args.order_out, result.order)
        if args.plot:
            from ..bench.pictures import history_figure

            history_figure(result, costs, args.plot)
            print(f"picture in {args.plot}", file=sys.stderr)
    if args.json:
        print_json({"environment": environment(), "graphs": [graph_record(*one) for one in found]})
        return 0
    text = "\n\n".join(graph_text(*one) for one in found)
    print(text.translate(PLAIN) if use_ascii(args) else text)
    return 0


def _reporter(label: str, say: Callable[[str], None]) -> Callable[[float, int, int], None]:
    return lambda t, cost, bound: say(f"{label}: {cost} after {t:.1f} s, lower bound {bound}")


def named_costs(graph: EliminationGraph, rule: str) -> dict[str, int]:
    """The multiplications of the polynomial-time orders, and of `exact` where the graph is small."""
    costs = {}
    for name in (*NAMED, "exact"):
        if name == "exact" and len(graph.eliminable) > 20:
            continue
        try:
            costs[name] = graph.cost(name, rule)
        except (UnsupportedError, BudgetError):  # dp where it is no chain, exact where it is too large
            continue
    return costs


def graph_record(
    label: str, graph: EliminationGraph, costs: dict[str, int], result: SearchResult
) -> dict[str, Any]:
    """One graph as JSON: costs by order, the order found, the bound, the history."""
    return {
        "name": label,
        "rule": result.rule,
        "inputs": len(graph.inputs),
        "eliminable": len(graph.eliminable),
        "outputs": len(graph.outputs),
        "edges": len(graph.edges),
        "costs": costs,
        "search": {
            "cost": result.cost,
            "lower_bound": result.lower_bound,
            "optimal": result.optimal,
            "order": list(result.order),
            "history": [list(moment) for moment in result.history],
        },
    }


def graph_text(label: str, graph: EliminationGraph, costs: dict[str, int], result: SearchResult) -> str:
    """One graph as a table."""
    cells = [[name, str(cost)] for name, cost in costs.items()]
    moment = result.history[-1][0] if result.history else 0.0
    cells += [["search", str(result.cost)], ["lower bound", str(result.lower_bound)]]
    quality = "optimal" if result.optimal else f"within {100 * result.gap:.1f} % of the lower bound"
    counts = f"{len(graph.inputs)} inputs, {len(graph.eliminable)} to eliminate, {len(graph.outputs)} outputs"
    return "\n".join(
        [
            f"{label}: {counts}",
            "",
            text_table(["order", f"multiplications ({result.rule})"], cells, 12),
            "",
            f"  The search's order is {quality}; found after {moment:.1f} s.",
        ]
    )
