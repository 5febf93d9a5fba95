"""`EliminationGraph`: a computational graph without its function, what orders of elimination cost on it,
and the cheapest order that can be found.

    from_edges   the graph, from its edges
    order        a named order as a list of vertices: one of `NAMES`
    cost, costs  the multiplications that an order takes, counted exactly before anything runs
    lower_bound  what no order can undercut
    search       the cheapest order found in a given time, and whether it is proven optimal
    auto         the cheapest of all the orders that take little time to find, and which one it was
    accumulate   the Jacobian, by running an elimination on numbers or arrays
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from jacobians.errors import JacobiansError, UnknownNameError, UnsupportedError, did_you_mean

from . import named
from .bounds import lower_bound, vertex_bounds
from .chain import branching, chain_order
from .exact import cheapest
from .masks import RULES, Masks, State
from .numbering import number_vertices
from .parallel import search_all
from .running import Accumulation, accumulate
from .search import Progress, price

Vertex = Hashable
Edge = tuple[Vertex, Vertex]

NAMES = ("reverse", "forward", "markowitz", "greedy", "dp", "exact", "search", "random", "auto")
MEANT = {
    "fastest": "greedy",
    "cheapest": "auto",
    "best": "search",
    "optimal": "exact",
    "optimum": "exact",
    "backward": "reverse",
    "backwards": "reverse",
}


@dataclass(frozen=True, slots=True)
class SearchResult:
    """An order, what it costs in multiplications, and how good that is known to be.

    `history` holds (seconds, cost) of every improvement.
    """

    order: tuple[Vertex, ...]
    cost: int
    lower_bound: int
    history: tuple[tuple[float, int], ...]
    rule: str

    @property
    def optimal(self) -> bool:
        """Whether no order is cheaper, which is proven if the cost equals the lower bound."""
        return self.cost == self.lower_bound

    @property
    def gap(self) -> float:
        """By which part of the lower bound the cost exceeds it: 0.25 is 25 %."""
        return (
            0.0 if self.optimal else (self.cost / self.lower_bound - 1 if self.lower_bound else float("inf"))
        )

    def __str__(self) -> str:
        if self.optimal:
            quality = "optimal"
        elif self.lower_bound:
            quality = f"within {100 * self.gap:.1f} % of the lower bound {self.lower_bound}"
        else:
            quality = "no lower bound known"
        return f"{self.cost} multiplications ({self.rule}), {quality}"


@dataclass(frozen=True, slots=True)
class Choice:
    """What `auto` chose: the name of an order, the order, its cost, and the costs of all it looked at."""

    name: str
    order: tuple[Vertex, ...]
    cost: int
    costs: dict[str, int]


@dataclass(frozen=True, slots=True)
class EliminationGraph:
    """A directed acyclic graph of inputs, outputs and the vertices between them, which can be eliminated.

    Eliminating a vertex joins each of its predecessors to each of its successors with the product of the
    two local Jacobians, added to what is there already.  When all are eliminated the Jacobian is left.

    >>> g = EliminationGraph.from_edges([("x", "u"), ("u", "v"), ("u", "w"), ("v", "y"), ("w", "y")],
    ...                                 inputs=["x"], outputs=["y"])
    >>> g.cost("reverse"), g.cost("forward"), g.cost(["u", "v", "w"], rule="plain")
    (3, 4, 4)
    >>> print(g.search(seconds=1))
    3 multiplications (plain), optimal
    """

    names: tuple[Vertex, ...]
    inputs: tuple[Vertex, ...]
    outputs: tuple[Vertex, ...]
    edges: tuple[Edge, ...]
    masks: Masks

    @classmethod
    def from_edges(
        cls,
        edges: Iterable[Edge],
        *,
        inputs: Iterable[Vertex],
        outputs: Iterable[Vertex],
        eliminable: Iterable[Vertex] | None = None,
        sizes: Mapping[Any, int] | None = None,
        unit_edges: Iterable[Sequence[Any]] = (),
    ) -> EliminationGraph:
        """The graph with the given edges (from, to), between names of any kind.

        `eliminable` are the vertices to eliminate, in evaluation order where it matters to you which of
        several possible ones; by default all but the inputs and those outputs that lead nowhere.  An output
        among them stays a result, and only its edges onwards are eliminated.  `sizes` are the numbers of
        entries (1 where not given), used by the rule `dense`; `unit_edges` are the edges whose local
        Jacobian is the number +1 or -1, as (from, to) or (from, to, value), used by the rule `unit-free`.
        Raises an error for a cycle, for an input with a predecessor, and for names that are not there.
        """
        return cls(*number_vertices(edges, inputs, outputs, eliminable, sizes or {}, unit_edges))

    @property
    def eliminable(self) -> tuple[Vertex, ...]:
        """The vertices to eliminate, in evaluation order."""
        return self.names[: self.masks.count]

    def __repr__(self) -> str:
        parts = f"{len(self.inputs)} inputs, {self.masks.count} to eliminate, {len(self.outputs)} outputs"
        return f"EliminationGraph({parts}, {len(self.edges)} edges)"

    def cost(self, order: str | Sequence[Vertex], rule: str = "plain") -> int:
        """The multiplications that eliminating in this order takes under a rule; `order` is a name or a list.

        `plain` counts |pred| * |succ| for each vertex; `unit-free` only the pairs without a factor +1 or -1;
        `dense` size(v) * (sizes of the predecessors) * (sizes of the successors), for dense tensors.
        """
        return price(self.masks, rule, self._indices(order, rule))

    def costs(self, order: str | Sequence[Vertex]) -> dict[str, int]:
        """The cost of one order under each of the rules; a named order is made for each rule anew."""
        return {rule: self.cost(order, rule) for rule in RULES}

    def order(
        self,
        order: str | Sequence[Vertex],
        rule: str = "plain",
        *,
        seconds: float | None = None,
        seed: int = 0,
    ) -> tuple[Vertex, ...]:
        """The vertices in the order of that name (one of `NAMES`), or your own list, checked.

        `seconds` limits `search` (10 if not given) and `auto` (0.2), `seed` decides `search` and `random`.
        """
        return tuple(self.names[i] for i in self._indices(order, rule, seconds, seed))

    def lower_bound(self, rule: str = "plain") -> int:
        """A number of multiplications which no order undercuts (see `bounds`)."""
        return lower_bound(self.masks, rule)

    def search(
        self,
        seconds: float = 10,
        seed: int = 0,
        rule: str = "plain",
        *,
        tries: int | None = None,
        workers: int = 1,
        progress: Progress | None = None,
    ) -> SearchResult:
        """The cheapest order found in a number of `seconds`, or of `tries`, which do not depend on the clock.

        The same seed tries the same orders; a longer search never ends with a dearer one.  It stops early
        once the lower bound is reached.  With `workers` as many processes search at the same time, started
        afresh, so that a script needs its `if __name__ == "__main__":`.  At each improvement
        `progress(seconds, cost, lower_bound)` is called.
        """
        found = search_all(self.masks, rule, seconds, seed, tries, workers, progress)
        order = tuple(self.names[i] for i in found.order)
        return SearchResult(order, found.cost, found.lower_bound, tuple(found.history), rule)

    def auto(self, rule: str = "plain", *, seconds: float = 0.2, seed: int = 0) -> Choice:
        """The cheapest of all named orders, searched for the time that is left of `seconds`.

        With `seconds=0` only the orders are compared that take polynomial time.
        """
        began, masks = perf_counter(), self.masks
        orders = {name: self._indices(name, rule) for name in ("reverse", "forward", "markowitz", "greedy")}
        if branching(masks) < 0:
            orders["dp"] = chain_order(masks, rule)
        costs = {name: price(masks, rule, order) for name, order in orders.items()}
        left = seconds - (perf_counter() - began)
        if left > 0:
            found = search_all(masks, rule, left, seed, None, 1, None)
            orders["search"], costs["search"] = found.order, found.cost
        name = min(costs, key=lambda name: costs[name])
        return Choice(name, tuple(self.names[i] for i in orders[name]), costs[name], costs)

    def accumulate(self, values: Mapping[Edge, Any], order: str | Sequence[Vertex] = "auto") -> Accumulation:
        """The Jacobian {(output, input): value} and the multiplications performed, from a value on each edge.

        The values are numbers, or arrays of one length: a batch.  The number of multiplications (of arrays,
        if the values are arrays) is `cost(order, rule="plain")`; where an output that may not be eliminated
        leads to another one, as many come on top as it takes to compose these two, whatever the order.
        """
        return accumulate(self.inputs, self.outputs, self.edges, values, self.order(order))

    def _indices(
        self, order: str | Sequence[Vertex], rule: str, seconds: float | None = None, seed: int = 0
    ) -> list[int]:
        """The order as indices."""
        if not isinstance(order, str):
            return self._listed(order)
        masks = self.masks
        match order:
            case "forward":
                return named.forward(masks)
            case "reverse":
                return named.reverse(masks)
            case "random":
                return named.scrambled(masks, seed)
            case "markowitz":
                return named.markowitz(masks, rule)
            case "greedy":
                return named.greedy(masks, rule)
            case "dp":
                return self._chain(rule)
            case "exact":
                return cheapest(State(masks, rule), masks.eliminable, vertex_bounds(masks, rule))[1]
            case "search":
                return search_all(masks, rule, 10 if seconds is None else seconds, seed, None, 1, None).order
            case "auto":
                choice = self.auto(rule, seconds=0.2 if seconds is None else seconds, seed=seed)
                return self._listed(choice.order)
        hint = MEANT.get(order.lower()) or did_you_mean(order, NAMES)
        raise UnknownNameError(f"order {order!r} is not known", "orders: " + ", ".join(NAMES), hint)

    def _chain(self, rule: str) -> list[int]:
        """The order `dp`, if the graph is a chain."""
        v = branching(self.masks)
        if v >= 0:
            pred, succ = self.masks.pred[v].bit_count(), self.masks.succ[v].bit_count()
            raise UnsupportedError(
                "order 'dp' is for chains of Jacobians",
                f"vertex {self.names[v]!r} has {pred} predecessors and {succ} successors",
                "exact, or search",
            )
        return chain_order(self.masks, rule)

    def _listed(self, order: Sequence[Vertex]) -> list[int]:
        """A list of vertices as indices, once it is known to hold each of them once."""
        index = {name: i for i, name in enumerate(self.eliminable)}
        for k, name in enumerate(order):
            if name not in index:
                known = [str(other) for other in self.eliminable]
                raise UnknownNameError(
                    f"order names {name!r}, which is not a vertex to eliminate",
                    f"place {k + 1} of {len(order)}",
                    did_you_mean(str(name), known) if len(known) <= 30 else "one of graph.eliminable",
                )
        if len(set(order)) < len(order):
            twice = next(name for k, name in enumerate(order) if name in order[:k])
            raise JacobiansError(f"order has vertex {twice!r} twice", "", "each vertex once")
        if len(order) < len(index):
            given = set(order)
            missing = next(name for name in index if name not in given)
            raise JacobiansError(
                f"order skips vertex {missing!r}",
                f"{len(order)} of {len(index)} vertices are in it",
                "each vertex to eliminate once",
            )
        return [index[name] for name in order]
