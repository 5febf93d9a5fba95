"""Local Jacobians written out as Terms, one line of text each.

`terms("ij|kl: -1 z[ik] z[lj]", names)` reads: target axes i j, input axes k l, then Terms separated by
`;`, each an optional number and factors `name[labels]`.  A letter on both sides of the bar is a Kronecker
delta; a letter only in factors is summed.  A leading `...` stands for batch axes, shared by the target,
the input and every factor that has them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from ..axes import Shape, Size
from ..expr import Node
from ..terms import Term, TermSum, add, canonical, collapse

_FACTOR = re.compile(r"(\w+)\[([^\]]*)\]")


@cache
def _parsed(text: str) -> tuple[str, str, tuple[tuple[float, tuple[tuple[str, str], ...]], ...]]:
    wiring, _, body = text.partition(":")
    target, _, given = (part.strip() for part in wiring.partition("|"))
    parsed = []
    for piece in body.split(";"):
        number = _FACTOR.sub("", piece).strip()
        coefficient = float(number) if number else 1.0
        whole = int(coefficient) if coefficient == int(coefficient) else coefficient
        parsed.append((whole, tuple(_FACTOR.findall(piece))))
    return target.replace(" ", ""), given.replace(" ", ""), tuple(parsed)


def terms(text: str, names: Mapping[str, Node], target_shape: Shape, input_shape: Shape) -> TermSum:
    """The TermSum that `text` writes out over the named nodes: `target_shape x input_shape`."""
    target, given, parsed = _parsed(text)
    made = [
        TermSum(
            target_shape, input_shape, (_one(c, factors, target, given, names, target_shape, input_shape),)
        )
        for c, factors in parsed
    ]
    return add(made)


def _one(
    coefficient: Any,
    factors: tuple[tuple[str, str], ...],
    target: str,
    given: str,
    names: Mapping[str, Node],
    target_shape: Shape,
    input_shape: Shape,
) -> Term:
    order: dict[Any, int] = {}
    sizes: list[Size] = []
    places = [(target, target_shape), (given, input_shape)]
    places += [(labels, names[name].shape) for name, labels in factors]
    spelled = [_labels(text, shape, order, sizes) for text, shape in places]
    nodes = [(names[name], labels) for (name, _), labels in zip(factors, spelled[2:], strict=True)]
    return collapse(canonical(coefficient, nodes, spelled[0], spelled[1], sizes))


def _labels(text: str, shape: Shape, order: dict[Any, int], sizes: list[Size]) -> tuple[int, ...]:
    letters: list[Any] = list(text.replace("...", "").replace(" ", ""))
    if "..." in text:
        batch = len(shape) - len(letters)
        letters = [("batch", batch - k) for k in range(batch)] + letters
    for letter, size in zip(letters, shape, strict=True):
        if letter not in order:
            order[letter] = len(sizes)
            sizes.append(size)
    return tuple(order[letter] for letter in letters)
