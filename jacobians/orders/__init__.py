"""Elimination orders on bare graphs: what they cost, and the cheapest that can be found.

from jacobians import orders
g = orders.EliminationGraph.from_edges(edges, inputs=..., outputs=...)
g.cost("reverse", rule="plain")         # or "unit-free", "dense"; an order is a name or a list
r = g.search(seconds=10, seed=0)        # r.order, r.cost, r.lower_bound, r.optimal, r.history
g.auto()                                # the cheapest named order, and which it was
g.accumulate(values, r.order)           # the Jacobian, multiplications counted
orders.load_graphs(path)                # graphs from JSON; save_order, load_order for your own orders
orders.bracket([10, 30, 5, 60])         # chains of Jacobians, with matrix-free factors and seeds
"""

from .chain import Bracketing, bracket
from .files import load_graphs, load_order, save_order
from .graph import NAMES, Choice, EliminationGraph, SearchResult
from .masks import RULES
from .running import Accumulation

__all__ = [
    "NAMES",
    "RULES",
    "Accumulation",
    "Bracketing",
    "Choice",
    "EliminationGraph",
    "SearchResult",
    "bracket",
    "load_graphs",
    "load_order",
    "save_order",
]
