"""The search for a cheap elimination order: `best_order`, any-time, seeded, budgeted in seconds.

It anneals an order by swaps of neighbours (see `swaps`), again and again with ever longer schedules,
beginning with the best of many greedy starts, and polishes what comes out with an exact dynamic program in
a sliding window.  Small graphs are solved exactly instead, and it stops as soon as a lower bound is reached,
so that a result can say that it is optimal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from math import log
from random import Random
from time import perf_counter

from jacobians.errors import BudgetError

from . import named
from .bounds import vertex_bounds
from .chain import branching, chain_order
from .exact import cheapest
from .masks import Masks, State
from .swaps import Swaps, swaps_for

Progress = Callable[[float, int, int], None]

FIRST = 200  # swaps tried for each vertex in the shortest schedule
LONGEST = 128  # the longest schedule in terms of the shortest
HOT = (0.5, 1.5)  # the first temperature lies between these, in average swaps
COLD = (0.15, 0.35)  # and the last one between these, in smallest swaps
POOL, FRESH = 4, 0.5  # orders that are annealed further, and how often a fresh one is tried instead
CHECK = 512  # swaps between two looks at the clock
WINDOW = 10  # vertices that the exact program rearranges at a time
SMALL, EXACT = 30, 20_000  # vertices, and evaluations of their costs, up to which a graph is solved exactly


@dataclass(frozen=True, slots=True)
class Found:
    """The cheapest order found, its cost, a lower bound, and (seconds, cost) of every improvement."""

    order: list[int]
    cost: int
    lower_bound: int
    history: list[tuple[float, int]]


class _Finished(Exception):
    """The time is over, or the lower bound is reached."""


class _Search:
    """The best order so far, the clock, and the random numbers."""

    def __init__(
        self,
        masks: Masks,
        rule: str,
        seconds: float,
        seed: int | str,
        tries: int | None,
        progress: Progress | None,
        stop: Callable[[], bool],
    ) -> None:
        self.masks, self.rule, self.progress, self.stop = masks, rule, progress, stop
        self.random = Random(seed)
        self.began = perf_counter()
        self.deadline = self.began + seconds
        self.tries = float("inf") if tries is None else tries
        self.order: list[int] = []
        self.cost = self.polished = -1
        self.history: list[tuple[float, int]] = []
        self.floors = [0] * masks.count
        self.lower_bound = 0

    def run(self) -> Found:
        """Starts, bounds, the exact program where it can, then one schedule after another."""
        try:
            self._begin()
            self._race()
        except _Finished:
            pass
        return Found(self.order, self.cost, self.lower_bound, self.history)

    def _race(self) -> None:
        """Anneal the named orders, then fresh ones and the survivors, in schedules of many lengths.

        Where a schedule ends depends on where it begins, hence many starts and a pool of survivors.  The
        lengths follow the ruler sequence 1 2 1 4 1 2 1 8 ..., which gives each length the same time.
        """
        unit = FIRST * self.masks.count
        pool = [self._anneal(start, unit) for start in self._starts()]
        for k in count(1):
            self._polish()
            self._check()
            pool = sorted(pool)[:POOL]
            length = unit * min(k & -k, LONGEST)
            if self.random.random() < FRESH:
                pool.append(self._anneal(self._fresh(), length))
            else:
                parent = int(self.random.random() * len(pool))
                pool[parent] = min(pool[parent], self._anneal(pool[parent][1], length))

    def _begin(self) -> None:
        masks, rule = self.masks, self.rule
        for order in (named.reverse(masks), named.forward(masks), named.markowitz(masks, rule)):
            self._offer(order)
        self._offer(named.greedy(masks, rule))
        self.floors = vertex_bounds(masks, rule, (self.deadline - perf_counter()) / 4)
        self.lower_bound = sum(self.floors)
        self._check()
        cheapest_order = self._exact()
        if cheapest_order is not None:
            self.lower_bound = self._offer(cheapest_order)
            raise _Finished

    def _exact(self) -> list[int] | None:
        """The cheapest order of a chain or of a small graph."""
        if branching(self.masks) < 0:
            return chain_order(self.masks, self.rule)
        if self.masks.count > SMALL:
            return None
        try:
            return cheapest(State(self.masks, self.rule), self.masks.eliminable, self.floors, EXACT)[1]
        except BudgetError:
            return None

    def _offer(self, order: list[int]) -> int:
        """Keep `order` if it is the cheapest so far; returns its cost."""
        cost = price(self.masks, self.rule, order)
        if self.cost < 0 or cost < self.cost:
            self.order, self.cost = order, cost
            self.history.append((perf_counter() - self.began, cost))
            self._report()
        return cost

    def _report(self) -> None:
        if self.progress:
            self.progress(perf_counter() - self.began, self.cost, self.lower_bound)

    def _check(self) -> None:
        """Raise _Finished if there is nothing more to do, or no time to do it in."""
        if self.cost <= self.lower_bound or perf_counter() > self.deadline or self.tries <= 0 or self.stop():
            raise _Finished

    def _starts(self) -> Iterator[list[int]]:
        """The orders with names."""
        masks, rule = self.masks, self.rule
        yield self.order
        yield named.reverse(masks)
        yield named.forward(masks)
        yield named.markowitz(masks, rule)
        yield named.greedy(masks, rule)

    def _fresh(self) -> list[int]:
        """A random order, or a greedy one with noise: the best of a few."""
        if self.random.random() < 0.25:
            return self.random.sample(range(self.masks.count), self.masks.count)
        orders = []
        for look_ahead in (0, 0.5, 1, 2):
            orders.append(named.greedy(self.masks, self.rule, look_ahead, noise=self.random))
            self._check()
        return min(orders, key=self._offer)

    def _anneal(self, order: list[int], length: int) -> tuple[int, list[int]]:
        """One schedule of `length` tries from hot to cold: the cheapest order on the way, and its cost."""
        swaps = swaps_for(self.masks, self.rule, order, self.random)
        step, least = _step_sizes(swaps, self.random)
        temperature = step * self.random.uniform(*HOT)
        cold = least * self.random.uniform(*COLD)
        cooling = (cold / temperature) ** (CHECK / length)
        best = swaps.total, order
        try:
            for _ in range(0, length, CHECK):
                self.tries -= CHECK
                for _ in wander(swaps, temperature, CHECK):
                    if swaps.total < best[0]:
                        best = swaps.total, swaps.order()
                temperature *= cooling
                if best[0] < self.cost:
                    self._offer(best[1])
                self._check()
        finally:
            if best[0] < self.cost:
                self._offer(best[1])
        return best

    def _polish(self) -> None:
        """Rearrange the best order exactly, window after window, as long as it improves."""
        while self.polished != self.cost:
            self.polished = self.cost
            self._offer(self._windows(self.order[:]))

    def _windows(self, order: list[int]) -> list[int]:
        state = State(self.masks, self.rule)
        for at in range(0, len(order), WINDOW // 2):
            window = order[at : at + WINDOW]
            order[at : at + WINDOW] = cheapest(state, sum(1 << v for v in window), self.floors)[1]
            for v in order[at : at + WINDOW // 2]:
                state.eliminate(v)
            self._check()
        return order


def best_order(
    masks: Masks,
    rule: str = "plain",
    seconds: float = 10,
    seed: int | str = 0,
    tries: int | None = None,
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Found:
    """The cheapest order found within `seconds`, or within so many `tries` of swaps, or until `stop()`.

    The same seed takes the same way on any machine; the time decides how far.  `progress` is called with
    the seconds used, the cost and the lower bound at every improvement.
    """
    return _Search(masks, rule, seconds, seed, tries, progress, stop).run()


def price(masks: Masks, rule: str, order: Sequence[int]) -> int:
    """The multiplications that eliminating the vertices in this order takes."""
    state = State(masks, rule)
    return sum(state.eliminate(v) for v in order)


def wander(swaps: Swaps, temperature: float, tries: int) -> Iterator[None]:
    """Try random swaps; take all that cost no more, and dearer ones the more rarely the dearer they are.

    Yields after each swap that was carried out (Metropolis et al., 1953).
    """
    random, costs, size = swaps.random.random, swaps.costs, len(swaps.costs)
    for _ in range(tries):
        v = u = int(random() * size)
        later = random() < 0.5
        if later:
            u = swaps.next_after(v)
        else:
            v = swaps.last_before(u)
        if u < 0 or v < 0:
            continue
        swap = swaps.consider(v, u)
        dearer = swap[4] + swap[5] - costs[v] - costs[u]
        if dearer <= 0 or dearer < -temperature * log(1 - random()):
            swaps.carry_out(swap, later)
            yield


def _step_sizes(swaps: Swaps, random: Random) -> tuple[float, float]:
    """By how much swaps change the cost: on average, and at the least, of a sample."""
    size = len(swaps.costs)
    changes = []
    for _ in range(200):
        v = int(random.random() * size)
        u = swaps.next_after(v)
        if u >= 0:
            swap = swaps.consider(v, u)
            changes.append(abs(swap[4] + swap[5] - swaps.costs[v] - swaps.costs[u]))
    steps = [change for change in changes if change] or [1]
    return sum(steps) / len(steps), min(steps)
