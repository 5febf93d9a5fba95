"""Arithmetic: add, subtract, multiply, negative and mean; sums of broadcasts and products, so none states a derivative."""

from __future__ import annotations

from typing import Any

from ..axes import Poly, entries, number, show
from ..expr import Node
from ..operation import as_node, operation, rule
from . import _text
from ._broadcast import axes_of
from .multilinear import sum
from .pointwise import BUILDERS


@operation("multilinear", "x y", formula="δ by x; δ by y")
def add(x: Any, y: Any) -> Node:
    """z = x + y, broadcast."""
    return _text.add(as_node(x), as_node(y))  # type: ignore[no-any-return]


@operation("multilinear", "x y", formula="δ by x; -δ by y")
def subtract(x: Any, y: Any) -> Node:
    """z = x - y, broadcast."""
    return _text.add(as_node(x), as_node(y), -1)  # type: ignore[no-any-return]


@operation("multilinear", "x y", formula="δ y by x; δ x by y")
def multiply(x: Any, y: Any) -> Node:
    """z = x * y, entry by entry, broadcast."""
    x, y = as_node(x), as_node(y)
    for number_, node in ((x, y), (y, x)):
        if number_.op == "constant" and number_.shape == () and isinstance(number_.dtype, type):
            return _text.scale(number_.value, node)
    return _text.multiply(x, y)  # type: ignore[no-any-return]


@operation("multilinear", "x", formula="-δ")
def negative(x: Any) -> Node:
    """z = -x."""
    return _text.scale(-1, as_node(x))


@operation("multilinear", "x", formula="δ")
def positive(x: Any) -> Node:
    """z = x."""
    return as_node(x)


@operation("multilinear", "x")
def mean(x: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: Any = False) -> Node:
    """z = the sum of x over some axes, divided by their number of entries."""
    x = as_node(x)
    count = entries(x.shape[k] for k in axes_of(axis, x.ndim))
    total = sum(x, axis, keepdims=keepdims)
    if isinstance(count, Poly):  # a size without a number divides as a named value
        size = Node("size", (), count, (), float, show(count).replace(" ", ""))
        return _text.expression("x/y", {"x": total, "y": size}, BUILDERS)  # type: ignore[no-any-return]
    return _text.scale(1 / count, total)


rule("size", lambda size: number(size, "a mean"))
