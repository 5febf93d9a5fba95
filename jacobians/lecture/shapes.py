"""Shapes in the lecture's notation: `M x (M x N)`, target axes first and then input axes.

`Found` is a shape that was computed, `shown` writes it with the letters of a claim, `agrees` holds it against
the shape that a slide states.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ..derivative import Jacobian
from ..errors import JacobiansError
from .errors import ClaimError
from .reading import program

Groups = list[list[str]]


class Found(NamedTuple):
    """A shape that was computed: of a value (`input` is None), or of a Jacobian, `target x input`."""

    target: tuple[int, ...]
    input: tuple[int, ...] | None = None

    @property
    def groups(self) -> list[tuple[int, ...]]:
        """The axes as the lecture groups them: a scalar target is one row, a scalar input one column.

        >>> Found((), (4,)).groups, Found((2,), ()).groups, Found((3,)).groups, Found((), ()).groups
        ([(1,), (4,)], [(2,), (1,)], [(3,)], [])
        """
        if self.input is None:
            return [self.target] if self.target else []
        if not self.target and not self.input:
            return []
        return [self.target or (1,), self.input or (1,)]


def shape_of(found: Jacobian) -> Found:
    """The shape of a Jacobian with numbers."""
    return Found(tuple(int(n) for n in found.target_shape), tuple(int(n) for n in found.input_shape))


def split(stated: str) -> list[str]:
    """The single shapes of a statement such as `1 x 2, 2 x 1`; none for `-`.

    >>> split("3 x 3, 2 x 2"), split("-")
    (['3 x 3', '2 x 2'], [])
    """
    return [] if stated.strip() == "-" else [part.strip() for part in stated.split(",")]


def groups_of(stated: str) -> Groups:
    """The tokens of a stated shape, grouped by its brackets.

    >>> groups_of("M x (M x N)"), groups_of("1 x (D + 1)"), groups_of("scalar")
    ([['M'], ['M', 'N']], [['1'], ['D + 1']], [])
    """
    if stated == "scalar":
        return []
    groups: Groups = []
    for bracket, plain in re.findall(r"\(([^()]*)\)|([^\s()]+(?:\s[+-]\s[^\s()]+)?)", stated):
        if bracket:
            groups.append([token.strip() for token in re.split(r"\sx\s", bracket)])
        elif plain != "x":
            groups.append([plain])
    return groups


def size(token: str, sizes: Mapping[str, int]) -> int:
    """The size that a token such as `M`, `4` or `D + 1` stands for; ClaimError for an unknown letter."""
    try:
        return int(program(token).run(dict(sizes)))
    except ClaimError:
        raise
    except (JacobiansError, TypeError, ValueError):
        known = ", ".join(sizes) or "none"
        raise ClaimError(
            f"the size {token!r} has no value", f"letters with a size: {known}", "a number"
        ) from None


def agrees(stated: str, found: Found, sizes: Mapping[str, int]) -> bool:
    """Whether a computed shape is the stated one; brackets are compared where the statement has any.

    A token `#theta_i` stands for all the input axes together.

    >>> agrees("M x (M x N)", Found((3,), (3, 4)), {"M": 3, "N": 4})
    True
    >>> agrees("(M x M) x N", Found((3,), (3, 4)), {"M": 3, "N": 4})
    False
    >>> agrees("N x 1", Found((), (4,)), {"N": 4})
    False
    """
    groups, known = groups_of(stated), found.groups
    if any(token.startswith("#") for group in groups for token in group):
        whole = [group == ["1"] or group[0].startswith("#") for group in groups]
        return len(groups) == len(known) == 2 and all(whole) and known[0] == (1,) and groups[0] == ["1"]
    numbers = [tuple(size(token, sizes) for token in group) for group in groups]
    if any(len(group) > 1 for group in groups):
        return numbers == known
    return [n for group in numbers for n in group] == [n for group in known for n in group]


def shown(found: Found, stated: str = "", sizes: Mapping[str, int] | None = None) -> str:
    """A computed shape with the letters of the statement where sizes are the same.

    >>> shown(Found((3,), (3, 4)), "M x (M x N)", {"M": 3, "N": 4}), shown(Found((), (4,)))
    ('M x (M x N)', '1 x 4')
    >>> shown(Found((5,)), "D + 1", {"D": 4}), shown(Found(()))
    ('D + 1', 'scalar')
    """
    tokens = [token for group in groups_of(stated) for token in group if token.isalpha() or " " in token]
    letters = {n: letter for letter, n in reversed(list((sizes or {}).items()))} if tokens else {}
    letters.update({size(token, sizes or {}): token for token in tokens})
    letters[1] = "1"
    groups = [[letters.get(n, str(n)) for n in group] for group in found.groups]
    if len(groups) < 2:
        return " x ".join(groups[0]) if groups else "scalar"
    return " x ".join(_bracketed(group) for group in groups)


def _bracketed(group: list[Any]) -> str:
    text = " x ".join(group)
    return f"({text})" if len(group) > 1 or " " in text else text
