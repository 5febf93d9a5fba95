"""What is wrong, in words.

- `mismatch(sign, names, left, right)`: why two shapes do not fit an operator.
- `words(shape)`, `kind_of(value)`: a shape, and the kind of a value.
- `remedy(error)`: what to try after an error of numpy.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobians.reading.limits import shape_of

Names = tuple[str, str]
Shape = tuple[int, ...]


def mismatch(sign: str, names: Names, left: Any, right: Any) -> tuple[str, str] | None:
    """What does not fit in `left sign right`, and what to write instead; None where all is well.

    >>> import numpy as np
    >>> mismatch("@", ("A", "x"), np.ones((3, 4)), np.ones(3))
    ('A is 3 × 4, x is 3: the inner sizes 4 and 3 differ', 'A.T @ x gives 4, or declare x:4')
    """
    a, b = (None if isinstance(value, list | tuple) else shape_of(value) for value in (left, right))
    if a is None or b is None:
        return None
    if sign == "@":
        return _product(names, a, b)
    return _broadcast(sign, names, a, b)


def words(shape: Shape) -> str:
    """`3 × 4` for (3, 4); `a scalar` for ().

    >>> words((3, 4)), words(())
    ('3 × 4', 'a scalar')
    """
    return " × ".join(str(size) for size in shape) or "a scalar"


def _product(names: Names, a: Shape, b: Shape) -> tuple[str, str] | None:
    described = f"{names[0]} is {words(a)}, {names[1]} is {words(b)}"
    if not a or not b:
        return f"{described}: @ takes no scalars", f"{names[0]} * {names[1]}"
    inner = b[-2] if len(b) > 1 else b[0]
    if a[-1] == inner:
        return None
    note = f"{described}: the inner sizes {a[-1]} and {inner} differ"
    return note, _transposed(names, a, b)


def _transposed(names: Names, a: Shape, b: Shape) -> str:
    simple = all(name.isidentifier() for name in names)
    ideas: list[str] = []
    if len(a) == 2 and a[0] == (b[-2] if len(b) > 1 else b[0]):
        shown = names[0] if simple else f"({names[0]})"
        ideas.append(f"{shown}.T @ {names[1]} gives {words((a[1], *b[1:]))}")
    elif len(b) == 2 and b[1] == a[-1]:
        shown = names[1] if simple else f"({names[1]})"
        ideas.append(f"{names[0]} @ {shown}.T gives {words((*a[:-1], b[0]))}")
    if names[1].isidentifier() and len(b) <= 2:
        ideas.append(f"declare {names[1]}:{','.join(map(str, (a[-1], *b[1:])))}")
    return ", or ".join(ideas) or "check the sizes"


def _broadcast(sign: str, names: Names, a: Shape, b: Shape) -> tuple[str, str] | None:
    for one, two in zip(reversed(a), reversed(b), strict=False):
        if one != two and 1 not in (one, two):
            note = f"{names[0]} is {words(a)}, {names[1]} is {words(b)}: the sizes {one} and {two} differ"
            return note, _widened(sign, names, a, b)
    return None


def _widened(sign: str, names: Names, a: Shape, b: Shape) -> str:
    if len(a) == 2 and len(b) == 1 and a[0] == b[0]:
        return f"{names[0]} {sign} {names[1]}[:, None]"
    if len(a) == 1 and len(b) == 2 and b[0] == a[0]:
        return f"{names[0]}[:, None] {sign} {names[1]}"
    if len(a) == len(b) == 2 and a == b[::-1]:
        return f"{names[0]} {sign} {names[1]}.T"
    return f"np.outer({names[0]}, {names[1]})" if sign == "*" and len(a) == len(b) == 1 else "equal sizes"


def kind_of(value: Any) -> str:
    """The kind of a value: `a string`, `a lambda`, ..."""
    names = {str: "a string", list: "a list", tuple: "a tuple", type(None): "None"}
    names |= {type: "a type", range: "a range", int: "a number", float: "a number"}
    return names.get(type(value), f"a {type(value).__name__.lower()}")


def remedy(error: Exception) -> str:
    """What to try after `error`."""
    if isinstance(error, np.linalg.LinAlgError):
        return "other values: the matrix does not allow it"
    if isinstance(error, ZeroDivisionError):
        return "a divisor that is not zero"
    return "look at the shapes and the arguments of this call"
