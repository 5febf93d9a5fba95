"""Which factors of a product become one node: pairs are merged while the result is no larger than they are.

`contracted(factors, wanted, sizes)` is what `terms.collapse` does to a Term's factors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .axes import Size, magnitude
from .expr import Factor, product

MANY = 8  # factors that may stay apart; beyond, the best pair is merged even where the result is larger


def contracted(factors: Sequence[Factor], wanted: set[int], sizes: Sequence[Size]) -> list[Factor]:
    """The same product in fewer factors, where labels that are not `wanted` are summed.

    A pair is merged where its result has no more entries than the two have apart.
    """
    groups = [[factor] for factor in factors]
    merged: tuple[int, int] | None = (0, 0)
    while merged:
        merged = _best_pair(groups, wanted, sizes)
        if merged:
            i, j = merged
            groups[i] += groups.pop(j)
    return [_contract(group, groups, wanted, sizes) for group in groups]


def _outside(group: Sequence[Factor], groups: Iterable[Sequence[Factor]], wanted: set[int]) -> set[int]:
    rest = {label for other in groups if other is not group for _, labels in other for label in labels}
    return rest | wanted


def _result(group: Sequence[Factor], keep: set[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(label for _, labels in group for label in labels if label in keep))


def _best_pair(groups: list[list[Factor]], wanted: set[int], sizes: Sequence[Size]) -> tuple[int, int] | None:
    if len(groups) < 2:
        return None
    size = [magnitude(s) for s in sizes]

    def area(labels: Iterable[int]) -> float:
        total = 1.0
        for label in labels:
            total *= size[label]
        return total

    carried = [{label for _, labels in group for label in labels} for group in groups]
    kept = [area(_result(group, _outside(group, groups, wanted))) for group in groups]
    best, choice = None, None
    for i in range(len(groups)):
        for j in range(i + 1, len(groups)):
            others = set(wanted).union(*(c for k, c in enumerate(carried) if k not in (i, j)))
            result = area((carried[i] | carried[j]) & others)
            if result <= kept[i] + kept[j] or len(groups) > MANY:
                gain = result - kept[i] - kept[j]
                if best is None or gain < best:
                    best, choice = gain, (i, j)
    return choice


def _contract(
    group: list[Factor], groups: list[list[Factor]], wanted: set[int], sizes: Sequence[Size]
) -> Factor:
    out = _result(group, _outside(group, groups, wanted))
    if len(group) == 1 and group[0][1] == out:
        return group[0]
    return product(group, out, sizes), out
