"""Orders that take polynomial time: `forward`, `reverse`, `scrambled`, `markowitz` and `greedy`.

Each takes a `Masks` (vertices are numbered in evaluation order) and returns the vertices in the order in
which to eliminate them.  `greedy` is the general one: `markowitz` is greedy without look-ahead, and with a
random generator it gives a different start for the search each time.
"""

from __future__ import annotations

from random import Random

from .masks import Masks, Relations, State, bits, through

GONE = float("inf")


def forward(masks: Masks) -> list[int]:
    """Evaluation order: forward mode."""
    return list(range(masks.count))


def reverse(masks: Masks) -> list[int]:
    """Evaluation order backwards: reverse mode."""
    return list(range(masks.count))[::-1]


def scrambled(masks: Masks, seed: int = 0) -> list[int]:
    """A uniformly random order."""
    return Random(seed).sample(range(masks.count), masks.count)


def markowitz(masks: Masks, rule: str = "plain") -> list[int]:
    """Always the vertex of lowest |pred| * |succ|, the first in evaluation order where several are.

    As in the published counts this degree counts every edge, also where units are free; the sizes of the
    vertices enter under the rule `dense`.  (Griewank and Reese, 1991.)
    """
    return greedy(masks, "dense" if rule == "dense" else "plain", look_ahead=0, last=False)


def greedy(
    masks: Masks, rule: str = "plain", look_ahead: float = 1, last: bool = True, noise: Random | None = None
) -> list[int]:
    """Always the vertex v of lowest cost(v) + look_ahead * (what its neighbours cost more once v is gone).

    Of equals the last in evaluation order is taken, or the first; with `noise` a random one, and every
    score is multiplied by a random number near 1.
    """
    state, count = State(masks, rule), masks.count

    def score(v: int) -> float:
        value = state.cost(v) + (look_ahead * _growth(state, v) if look_ahead else 0)
        return value * noise.gauss(1, 0.1) + 0.5 * noise.random() if noise else value

    scores = [score(v) for v in range(count)]
    candidates = range(count)[::-1] if last else range(count)
    order: list[int] = []
    for _ in candidates:
        v = min(candidates, key=scores.__getitem__)
        order.append(v)
        touched = near = (state.pred[v] | state.succ[v]) & state.eliminable
        state.eliminate(v)
        scores[v] = GONE
        if look_ahead:
            for i in bits(near):
                touched |= (state.pred[i] | state.succ[i]) & state.eliminable
        for i in bits(touched):
            scores[i] = score(i)
    return order


def _growth(state: State, v: int) -> int:
    """By how much the elimination of v makes its neighbours dearer, all of them together."""
    before, after, unit_before, unit_after = state.relations(v)
    growth, price = 0, state.price
    for i in bits(before & state.eliminable):
        old: Relations = state.relations(i)
        succ, unit_succ = through(old[1], old[3], v, after, unit_after)
        growth += price(i, (old[0], succ, old[2], unit_succ)) - price(i, old)
    for i in bits(after & state.eliminable):
        old = state.relations(i)
        pred, unit_pred = through(old[0], old[2], v, before, unit_before)
        growth += price(i, (pred, old[1], unit_pred, old[3])) - price(i, old)
    return growth
