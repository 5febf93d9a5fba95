"""The moves of the search: two neighbours change places in the elimination order, and only they change cost.

The graph left after eliminating a set depends on that set alone.  So if vertex u is the first of v's
neighbours to be eliminated after v, v may wait for u without changing anything but the cost of u (which now
still sees v) and of v (which no longer sees u).  `Swaps` holds an order together with what each vertex saw
when its turn came, prices such a swap in a few operations on masks, and carries it out.  Longer moves of a
vertex are chains of swaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from .masks import Masks, Relations, State, bits, through

# Two neighbouring vertices in their order, their relations after the swap, their costs after it.
Swap = tuple[int, int, Relations, Relations, int, int]
CLOSE = 1e-9  # positions as close as this are spaced out anew


class Swaps:
    """An elimination order that changes by swaps; `total` is its cost.

    `seen[v]` are the relations of v when it is eliminated, `earlier[v]` is the mask of the neighbours that
    are eliminated before it, and `place[v]` grows along the order.
    """

    __slots__ = (
        "costs",
        "earlier",
        "eliminable",
        "original",
        "place",
        "price",
        "random",
        "seen",
        "taken",
        "total",
    )

    def __init__(self, masks: Masks, rule: str, order: Sequence[int], random: Random) -> None:
        state = State(masks, rule)
        self.original = [state.relations(v) for v in range(masks.count)]
        self.eliminable, self.price, self.random = masks.eliminable, state.price, random
        self.seen = self.original[:]
        self.costs = [0] * masks.count
        self.earlier = [0] * masks.count
        self.place = [0.0] * masks.count
        for k, v in enumerate(order):
            self.place[v] = float(k)
            self.seen[v] = state.relations(v)
            for i in bits((state.pred[v] | state.succ[v]) & self.eliminable):
                self.earlier[i] |= 1 << v
            self.costs[v] = state.eliminate(v)
        self.taken = set(self.place)
        self.total = sum(self.costs)

    def order(self) -> list[int]:
        """The order as it stands."""
        return sorted(range(len(self.place)), key=self.place.__getitem__)

    def next_after(self, v: int) -> int:
        """The first neighbour of v to be eliminated after it, -1 if there is none."""
        relations, place = self.seen[v], self.place
        todo = (relations[0] | relations[1]) & self.eliminable
        first, found = float("inf"), -1
        while todo:
            low = todo & -todo
            todo ^= low
            i = low.bit_length() - 1
            if place[i] < first:
                first, found = place[i], i
        return found

    def last_before(self, u: int) -> int:
        """The last neighbour of u to be eliminated before it, -1 if there is none."""
        todo, place = self.earlier[u], self.place
        last, found = -float("inf"), -1
        while todo:
            low = todo & -todo
            todo ^= low
            i = low.bit_length() - 1
            if place[i] > last:
                last, found = place[i], i
        return found

    def consider(self, v: int, u: int) -> Swap:
        """What swapping v with its neighbour u, which comes next, would lead to; nothing is changed."""
        sees = self._without(u, v)
        before, after, unit_before, unit_after = self.seen[v]
        if before >> u & 1:
            before, unit_before = through(before, unit_before, u, sees[0], sees[2])
        else:
            after, unit_after = through(after, unit_after, u, sees[1], sees[3])
        waits = before, after, unit_before, unit_after
        return v, u, waits, sees, self.price(v, waits), self.price(u, sees)

    def _without(self, u: int, v: int) -> Relations:
        """What u sees if v is still there: its own edges, and what earlier neighbours passed on.

        An edge is a unit if it came from one source only, and as a unit.
        """
        gone = todo = self.earlier[u] & ~(1 << v)
        before, after, unit_before, unit_after = self.original[u]
        bit, seen, several_before, several_after = 1 << u, self.seen, gone, gone
        while todo:
            low = todo & -todo
            todo ^= low
            far_before, far_after, far_unit_before, far_unit_after = seen[low.bit_length() - 1]
            if far_after & bit:
                several_before |= before & far_before
                before |= far_before
                if far_unit_after & bit:
                    unit_before |= far_unit_before
            else:
                several_after |= after & far_after
                after |= far_after
                if far_unit_before & bit:
                    unit_after |= far_unit_after
        return before & ~gone, after & ~gone, unit_before & ~several_before, unit_after & ~several_after

    def carry_out(self, swap: Swap, later: bool) -> None:
        """Swap: v moves on past u if `later`, else u moves back before v."""
        v, u, waits, sees, cost_v, cost_u = swap
        inner, seen, place = self.eliminable, self.seen, self.place
        self._watch(u, (seen[u][0] | seen[u][1] | sees[0] | sees[1]) & inner, sees[0] | sees[1])
        later_than_v = (waits[0] | waits[1]) & inner
        self._watch(v, (seen[v][0] | seen[v][1] | later_than_v) & inner, later_than_v)
        seen[v], seen[u] = waits, sees
        self.total += cost_v + cost_u - self.costs[v] - self.costs[u]
        self.costs[v], self.costs[u] = cost_v, cost_u
        if later:
            low, high = place[u], place[self.next_after(v)] if later_than_v else place[u] + 2
        else:
            last = self.last_before(u)
            low, high = place[last] if last >= 0 else place[v] - 2, place[v]
        self._put(v if later else u, low, high)

    def _put(self, v: int, low: float, high: float) -> None:
        """Give v a place between two others, one that no vertex has."""
        place, taken = self.place, self.taken
        taken.discard(place[v])
        between = low + (high - low) * (0.25 + 0.5 * self.random.random())
        while between in taken:
            between = (low + between) / 2
        place[v] = between
        taken.add(between)
        if high - low < CLOSE:
            for k, i in enumerate(self.order()):
                place[i] = float(k)
            self.taken = set(place)

    def _watch(self, v: int, neighbours: int, later: int) -> None:
        """Note with each of these neighbours whether v is eliminated before it."""
        earlier, bit = self.earlier, 1 << v
        while neighbours:
            low = neighbours & -neighbours
            neighbours ^= low
            i = low.bit_length() - 1
            if later & low:
                earlier[i] |= bit
            else:
                earlier[i] &= ~bit


class UnitlessSwaps(Swaps):
    """The same for rules to which units do not matter; only an optimisation."""

    __slots__ = ()

    def consider(self, v: int, u: int) -> Swap:
        """What swapping v with its neighbour u, which comes next, would lead to; nothing is changed."""
        bit, seen, original = 1 << u, self.seen, self.original[u]
        gone = todo = self.earlier[u] & ~(1 << v)
        before, after = original[0], original[1]
        while todo:
            low = todo & -todo
            todo ^= low
            relations = seen[low.bit_length() - 1]
            if relations[1] & bit:
                before |= relations[0]
            else:
                after |= relations[1]
        sees = before & ~gone, after & ~gone, 0, 0
        relations = seen[v]
        if relations[0] & bit:
            waits = relations[0] ^ bit | sees[0], relations[1], 0, 0
        else:
            waits = relations[0], relations[1] ^ bit | sees[1], 0, 0
        return v, u, waits, sees, self.price(v, waits), self.price(u, sees)


def swaps_for(masks: Masks, rule: str, order: Sequence[int], random: Random) -> Swaps:
    """The swaps of an order under a rule."""
    kind = Swaps if rule == "unit-free" else UnitlessSwaps
    return kind(masks, rule, order, random)
