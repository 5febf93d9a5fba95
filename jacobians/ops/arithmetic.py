"""Arithmetic: add, subtract, multiply, negative, positive: broadcast sums, products; none needs a rule."""

from __future__ import annotations

from typing import Any

from ..expr import Node
from ..operation import as_node, operation
from . import _text


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
    return as_node(_text.multiply(as_node(x), as_node(y)))


@operation("multilinear", "x", formula="-δ")
def negative(x: Any) -> Node:
    """z = -x."""
    return _text.scale(-1, as_node(x))


@operation("multilinear", "x", formula="δ")
def positive(x: Any) -> Node:
    """z = x."""
    return as_node(x)
