"""Which factors of a product become one node: pairs are merged while the result is no larger than they are.

`groups_of(carried, wanted, sizes)` decides, from labels alone; `contracted(factors, wanted, sizes)` is what
`terms.collapse` does to a Term's factors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import NamedTuple, TypeAlias

from .axes import Size, magnitude
from .expr import Factor, Node, product

MANY = 8  # factors that may stay apart; beyond, the best pair is merged even where the result is larger

Labels: TypeAlias = tuple[int, ...]


class Group(NamedTuple):
    """Factors that become one: their `places`, the labels that each carries, and those of the result."""

    places: tuple[int, ...]
    labels: tuple[Labels, ...]
    out: Labels

    def made(self, nodes: Sequence[Node], sizes: Sequence[Size]) -> Node:
        """The node of the group, from the nodes of all factors."""
        if len(self.places) == 1 and self.labels[0] == self.out:
            return nodes[self.places[0]]
        operands = [(nodes[k], labels) for k, labels in zip(self.places, self.labels, strict=True)]
        return product(operands, self.out, sizes)


def contracted(factors: Sequence[Factor], wanted: set[int], sizes: Sequence[Size]) -> list[Factor]:
    """The same product in fewer factors, where labels that are not `wanted` are summed.

    A pair is merged where its result has no more entries than the two have apart.
    """
    nodes = [node for node, _ in factors]
    groups = groups_of([labels for _, labels in factors], wanted, sizes)
    return [(group.made(nodes, sizes), group.out) for group in groups]


def groups_of(carried: Sequence[Labels], wanted: set[int], sizes: Sequence[Size]) -> list[Group]:
    """The groups of factors that become one node each, given the labels that every factor carries."""
    groups = [[k] for k in range(len(carried))]
    if len(groups) > 1:
        _merge(groups, [_mask(labels) for labels in carried], _mask(wanted), sizes)
    found = []
    for group in groups:
        labels = [carried[k] for k in group]
        keep = wanted.union(*(carried[k] for other in groups if other is not group for k in other))
        out = tuple(dict.fromkeys(label for own in labels for label in own if label in keep))
        found.append(Group(tuple(group), tuple(labels), out))
    return found


def _mask(labels: Iterable[int]) -> int:
    """A set of labels as the bits of a number."""
    mask = 0
    for label in labels:
        mask |= 1 << label
    return mask


def _merge(groups: list[list[int]], masks: list[int], wanted: int, sizes: Sequence[Size]) -> None:
    """Merges the best pair of groups, again and again; `masks` are the labels that each carries."""
    size = [magnitude(s) for s in sizes]

    def area(mask: int) -> float:
        total = 1.0
        while mask:
            low = mask & -mask
            total *= size[low.bit_length() - 1]
            mask ^= low
        return total

    while len(groups) > 1:
        kept = [area(mask & _others(masks, wanted, k, k)) for k, mask in enumerate(masks)]
        best, choice = None, None
        for i, j in combinations(range(len(groups)), 2):
            result = area((masks[i] | masks[j]) & _others(masks, wanted, i, j))
            gain = result - kept[i] - kept[j]
            if (gain <= 0 or len(groups) > MANY) and (best is None or gain < best):
                best, choice = gain, (i, j)
        if choice is None:
            return
        i, j = choice
        groups[i] += groups.pop(j)
        masks[i] |= masks.pop(j)


def _others(masks: Sequence[int], wanted: int, i: int, j: int) -> int:
    """The labels that are needed outside the groups i and j."""
    for k, mask in enumerate(masks):
        if k not in (i, j):
            wanted |= mask
    return wanted
