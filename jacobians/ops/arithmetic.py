"""Arithmetic: add, subtract, multiply, negative, positive: broadcast sums, products; none needs a rule."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import UnsupportedError
from ..expr import Node
from ..operation import as_node, operation
from . import _text
from .pointwise import make


@operation("multilinear", "x y", formula="δ by x; δ by y")
def add(x: Any, y: Any) -> Node:
    """z = x + y, broadcast; truths add to a truth, as in numpy."""
    left, right = as_node(x), as_node(y)
    if _truths(left, right):
        return make("logical_or", left, right)
    return _text.add(left, right)  # type: ignore[no-any-return]


@operation("multilinear", "x y", formula="δ by x; -δ by y")
def subtract(x: Any, y: Any) -> Node:
    """z = x - y, broadcast; truths cannot be subtracted, as in numpy."""
    left, right = as_node(x), as_node(y)
    if _truths(left, right):
        raise UnsupportedError(
            "truths cannot be subtracted", f"shapes {left.shape} and {right.shape}", "x ^ y, or 1.0 * x - y"
        )
    return _text.add(left, right, -1)  # type: ignore[no-any-return]


def _truths(left: Node, right: Node) -> bool:
    return bool(left.dtype == right.dtype == np.dtype(bool))


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
