"""The graph as bit masks, the state of an elimination, and what eliminating a vertex costs.

Everything in this package computes on `Masks`: vertex i is bit `1 << i`, the eliminable vertices come
first and in evaluation order, so an edge between two of them always goes from a lower to a higher index.
`State` eliminates vertices one after another, `relations` looks at one vertex with any set of others
already eliminated, and `counter` prices a vertex under a rule:

    plain      |pred| * |succ|, every edge counts (the rule of the literature on scalar graphs)
    unit-free  a product in which one factor is an edge +1 or -1 costs nothing; the product of two units is
               a unit where it makes a new edge, and no edge is a unit once something was added to it
    dense      size(v) * (sizes of the predecessors, summed) * (sizes of the successors, summed)

An output which is eliminated itself has a twin, a sink which only it leads to: the twin receives what the
output passes on to itself, for nothing, so `counted` leaves it out of the price.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from jacobians.errors import UnknownNameError, did_you_mean

RULES = ("plain", "unit-free", "dense")

# Predecessors, successors, and which of the two groups hang on a unit edge.
Relations = tuple[int, int, int, int]
Counter = Callable[[int, Relations], int]


def bits(mask: int) -> Iterator[int]:
    """The indices of the bits set in `mask`, in ascending order.

    >>> list(bits(0b1010))
    [1, 3]
    """
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


@dataclass(frozen=True, slots=True)
class Masks:
    """A directed acyclic graph whose vertices 0 to `count - 1` are to be eliminated.

    `pred[i]` and `succ[i]` are the neighbours of vertex i, `unit_pred` and `unit_succ` those of them on an
    edge +1 or -1; `counted[i]` is the mask of successors whose products are paid for.  `sources` and
    `sinks` are the inputs and the outputs, twins in place of the outputs that are eliminated.
    """

    count: int
    pred: tuple[int, ...]
    succ: tuple[int, ...]
    unit_pred: tuple[int, ...]
    unit_succ: tuple[int, ...]
    counted: tuple[int, ...]
    sizes: tuple[int, ...]
    sources: int
    sinks: int

    @property
    def eliminable(self) -> int:
        """The mask of the vertices to eliminate."""
        return (1 << self.count) - 1


def known_rule(rule: str) -> str:
    """`rule` itself, or an UnknownNameError which names the rules that there are."""
    if rule not in RULES:
        raise UnknownNameError(
            f"cost rule {rule!r} is not known", "rules: " + ", ".join(RULES), did_you_mean(rule, RULES)
        )
    return rule


def counter(masks: Masks, rule: str) -> Counter:
    """The function that prices the elimination of a vertex with given relations, in multiplications."""
    known_rule(rule)
    counted = masks.counted
    if rule == "unit-free":
        return lambda v, r: (r[0] & ~r[2]).bit_count() * (r[1] & ~r[3]).bit_count()
    if rule == "plain":
        return lambda v, r: r[0].bit_count() * (r[1] & counted[v]).bit_count()
    sizes, weight = masks.sizes, weigher(masks.sizes)
    return lambda v, r: sizes[v] * weight(r[0]) * weight(r[1] & counted[v])


def weigher(sizes: tuple[int, ...], keep: int = 1 << 17) -> Callable[[int], int]:
    """The function that sums the sizes of the vertices in a mask; it remembers up to `keep` sums."""
    seen: dict[int, int] = {}

    def weight(mask: int) -> int:
        total = seen.get(mask)
        if total is None:
            if len(seen) >= keep:
                seen.clear()
            total = seen[mask] = sum(sizes[i] for i in bits(mask))
        return total

    return weight


class State:
    """What is left of a graph while its vertices are eliminated; the rule decides only the price."""

    __slots__ = ("count", "eliminable", "pred", "price", "succ", "unit_pred", "unit_succ", "units")

    def __init__(self, masks: Masks, rule: str) -> None:
        self.price = counter(masks, rule)
        self.units = rule == "unit-free"
        self.count, self.eliminable = masks.count, masks.eliminable
        self.pred, self.succ = list(masks.pred), list(masks.succ)
        self.unit_pred = list(masks.unit_pred) if self.units else [0] * len(masks.pred)
        self.unit_succ = list(masks.unit_succ) if self.units else [0] * len(masks.pred)

    def relations(self, v: int) -> Relations:
        """The present relations of vertex v."""
        return self.pred[v], self.succ[v], self.unit_pred[v], self.unit_succ[v]

    def cost(self, v: int) -> int:
        """The multiplications that eliminating vertex v would take now."""
        return self.price(v, (self.pred[v], self.succ[v], self.unit_pred[v], self.unit_succ[v]))

    def eliminate(self, v: int) -> int:
        """Eliminate vertex v and return the multiplications this takes."""
        before, after, unit_before, unit_after = relations = self.relations(v)
        keep, inner = ~(1 << v), self.eliminable
        if self.units:
            _pass_on(self.succ, self.unit_succ, before & inner, unit_before, after, unit_after, keep)
            _pass_on(self.pred, self.unit_pred, after & inner, unit_after, before, unit_before, keep)
            return self.price(v, relations)
        succ, pred = self.succ, self.pred
        todo = before & inner
        while todo:
            low = todo & -todo
            i = low.bit_length() - 1
            succ[i] = (succ[i] | after) & keep
            todo ^= low
        todo = after & inner
        while todo:
            low = todo & -todo
            i = low.bit_length() - 1
            pred[i] = (pred[i] | before) & keep
            todo ^= low
        return self.price(v, relations)


def _pass_on(
    near: list[int], unit_near: list[int], to: int, unit_to: int, new: int, unit_new: int, keep: int
) -> None:
    """Give the neighbours `new` of an eliminated vertex to those on its other side, with their units."""
    for i in bits(to):
        old = near[i]
        fresh_units = unit_new & ~old if unit_to >> i & 1 else 0
        near[i] = (old | new) & keep
        unit_near[i] = (unit_near[i] & ~new | fresh_units) & keep


def relations(state: State, v: int, gone: int) -> Relations:
    """The relations of vertex v once the eliminable vertices in the mask `gone` are eliminated as well.

    They depend on the set alone, not on the order in which it was eliminated.
    """
    before, unit_before = state.pred[v], state.unit_pred[v]
    while todo := before & gone:
        # From the latest to the earliest, so that an edge is complete by the time that it is passed on.
        i = todo.bit_length() - 1
        before, unit_before = through(before, unit_before, i, state.pred[i], state.unit_pred[i])
    after, unit_after = state.succ[v], state.unit_succ[v]
    while todo := after & gone:
        i = (todo & -todo).bit_length() - 1
        after, unit_after = through(after, unit_after, i, state.succ[i], state.unit_succ[i])
    return before, after, unit_before, unit_after


def through(near: int, unit_near: int, i: int, new: int, unit_new: int) -> tuple[int, int]:
    """The neighbours of a vertex after its neighbour i gave way to `new`, and which of them are units."""
    bit = 1 << i
    near ^= bit
    fresh_units = unit_new & ~near if unit_near & bit else 0
    return near | new, unit_near & ~new & ~bit | fresh_units
