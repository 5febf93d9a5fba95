"""How two Terms meet when they are composed: the algebra of labels alone, worked out once for each pattern.

`meet(outer, inner)` takes what two Terms are apart from their nodes and coefficients, and says what the
composed and collapsed Term looks like.  The layers of a network share their patterns, and so do the orders
in which one graph is eliminated, so most compositions are a look-up and the making of a node.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from .axes import Size
from .collapsing import Group, Labels, groups_of
from .wiring import Slot, labels_of

REMEMBERED = 4096  # patterns kept


class Pattern(NamedTuple):
    """A Term without nodes and coefficient, every slot a label."""

    target: Labels
    input: Labels
    sizes: tuple[Size, ...]
    carried: tuple[Labels, ...]


class Meeting(NamedTuple):
    """What two patterns compose to.

    `summed` are the sizes of labels that nothing carries any more (each a factor of the coefficient);
    `groups` say which factors become one node, over labels of `sizes`; `pattern` is the result.
    """

    summed: tuple[Size, ...]
    groups: tuple[Group, ...]
    sizes: tuple[Size, ...]
    pattern: Pattern


def renumbering(slots: Iterable[Slot], carried: Iterable[Labels]) -> dict[int, int]:
    """A new number for each label: by first appearance in the wiring, then in the factors."""
    order: dict[int, int] = {}
    for slot in slots:
        for label in (slot,) if isinstance(slot, int) else labels_of(slot):
            order.setdefault(label, len(order))
    for labels in carried:
        for label in labels:
            order.setdefault(label, len(order))
    return order


@lru_cache(REMEMBERED)
def meet(outer: Pattern, inner: Pattern) -> Meeting:
    """The chain rule on labels: the middle axes equated, then factors grouped where that is smaller."""
    shift = len(outer.sizes)
    sizes = (*outer.sizes, *inner.sizes)
    now = list(range(len(sizes)))  # what each label is called after the equations so far
    for left, right in zip(outer.input, inner.target, strict=True):
        gone, kept = now[left], now[right + shift]
        if gone != kept:
            now = [kept if label == gone else label for label in now]
    target = tuple([now[label] for label in outer.target])
    input = tuple([now[label + shift] for label in inner.input])
    carried = [tuple([now[label] for label in labels]) for labels in outer.carried]
    carried += [tuple([now[label + shift] for label in labels]) for labels in inner.carried]
    wanted = {*target, *input}
    summed = set(now).difference(wanted, *carried)
    groups = tuple(groups_of(carried, wanted, sizes))
    result = _pattern(target, input, [group.out for group in groups], sizes)
    return Meeting(tuple([sizes[label] for label in sorted(summed)]), groups, sizes, result)


def _pattern(target: Labels, input: Labels, carried: Sequence[Labels], sizes: Sequence[Size]) -> Pattern:
    order = renumbering((*target, *input), carried)

    def renumbered(labels: Labels) -> Labels:
        return tuple([order[label] for label in labels])

    return Pattern(
        renumbered(target),
        renumbered(input),
        tuple([sizes[label] for label in order]),
        tuple([renumbered(labels) for labels in carried]),
    )
