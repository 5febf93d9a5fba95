"""The cheapest order of all, by dynamic programming over connected sets: `cheapest`.

What a vertex costs depends only on the set of vertices eliminated before it, and of that set only on what
is connected with it.  So look at the *last* vertex of a connected set C: when its turn comes, the rest of C
is gone, and that rest has fallen into components that never met.  Hence

    f(C) = min over v in C of  cost(v, with C - v eliminated) + sum of f over the components of C - v

On a chain the connected sets are the intervals, and this is the matrix-chain recursion; on graphs that
resemble trees there are far fewer connected sets than sets.  Lower bounds on single vertices cut it short.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jacobians.errors import BudgetError

from .masks import State, bits, relations

DEEPEST = 200  # vertices in a component: each nests the recursion one level deeper


class _Table:
    """The memory of the recursion: for each connected set its cost and the vertex to eliminate last."""

    def __init__(self, state: State, floors: Sequence[int], limit: int) -> None:
        self.state, self.floors, self.left = state, floors, limit
        self.best: dict[int, tuple[int, int]] = {}

    def cost(self, group: int) -> int:
        """The least cost of eliminating the connected set `group`."""
        known = self.best.get(group)
        return known[0] if known else self._solve(group)

    def _solve(self, group: int) -> int:
        state, floors = self.state, self.floors
        self._spend(group.bit_count())
        floor = sum(floors[v] for v in bits(group))
        options = []
        for v in bits(group):
            cost = state.price(v, relations(state, v, group ^ 1 << v))
            options.append((cost + floor - floors[v], cost, v))
        options.sort()
        best, last = -1, -1
        for at_least, cost, v in options:
            if best >= 0 and at_least >= best:
                break
            for part in components(state, group ^ 1 << v):
                cost += self.cost(part)
            if best < 0 or cost < best:
                best, last = cost, v
        self.best[group] = best, last
        return best

    def _spend(self, evaluations: int) -> None:
        """Raise a BudgetError once more costs were evaluated than the limit allows."""
        self.left -= evaluations
        if self.left < 0:
            raise BudgetError(
                "order 'exact' takes too long on this graph",
                f"{self.state.count} vertices to eliminate, {len(self.best)} connected sets looked at",
                "order='search'",
            )

    def order(self, group: int) -> list[int]:
        """An order that costs what `cost` says."""
        last = self.best[group][1]
        return [*self.orders(group ^ 1 << last), last]

    def orders(self, group: int) -> list[int]:
        """The orders of all the components of `group`, one after another."""
        return [v for part in components(self.state, group) for v in self.order(part)]


def components(state: State, group: int) -> Iterator[int]:
    """The masks of the connected components of the vertices in `group`."""
    pred, succ = state.pred, state.succ
    while group:
        part, new = 0, group & -group
        while new:
            part |= new
            reached = 0
            for i in bits(new):
                reached |= pred[i] | succ[i]
            new = reached & group & ~part
        yield part
        group &= ~part


def cheapest(
    state: State, group: int, floors: Sequence[int] | None = None, limit: int = 600_000
) -> tuple[int, list[int]]:
    """The least cost of eliminating the vertices in the mask `group` from `state`, and an order for it.

    `floors` are lower bounds on the cost of single vertices.  A BudgetError says that it would take more
    than `limit` evaluations of a cost, or that more than 200 vertices are connected.
    """
    parts = list(components(state, group))
    largest = max((part.bit_count() for part in parts), default=0)
    if largest > DEEPEST:
        raise BudgetError(
            f"order 'exact' is for components of at most {DEEPEST} vertices",
            f"{largest} vertices to eliminate are connected",
            "order='search'",
        )
    table = _Table(state, floors or [0] * state.count, limit)
    cost = sum(table.cost(part) for part in parts)
    return cost, table.orders(group)
