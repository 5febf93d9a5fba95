"""Rules written as text: `"1 - z**2"` for a pointwise derivative, Terms for the written-out ones.

The text is the mathematics, so it is stated once: `expression` builds nodes from it, the tables of
operations print it.  Letters: `x`, `y` (and `w`) are the arguments, `z` is the value.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from ..expr import Node, combination, product
from ..operation import as_node
from ._broadcast import aligned, broadcast

Build = Callable[..., Node]


def add(left: Any, right: Any, sign: float = 1) -> Any:
    """`left + sign * right` of nodes or numbers, broadcast."""
    if not isinstance(left, Node) and not isinstance(right, Node):
        return left + sign * right
    nodes = (as_node(left), as_node(right))
    common = broadcast(*(node.shape for node in nodes), where="+" if sign == 1 else "-")
    parts = [
        (c, *aligned(n, labels, common))
        for c, n, labels in zip((1, sign), nodes, common.arguments, strict=True)
    ]
    return combination(parts, common.output, common.sizes)


def scale(coefficient: Any, node: Node) -> Node:
    """`coefficient * node`, the coefficient a number."""
    labels = tuple(range(node.ndim))
    return combination([(coefficient, node, labels)], labels, node.shape)


def multiply(left: Any, right: Any) -> Any:
    """`left * right` of nodes or numbers, broadcast; a number becomes a coefficient."""
    left, right = _number(left), _number(right)
    if not isinstance(left, Node):
        return scale(left, right) if isinstance(right, Node) else left * right
    if not isinstance(right, Node):
        return scale(right, left)
    common = broadcast(left.shape, right.shape, where="*")
    return product(list(zip((left, right), common.arguments, strict=True)), common.output, common.sizes)


def _number(value: Any) -> Any:
    """A Python number that has become a constant node, as the number again."""
    plain = isinstance(value, Node) and value.op == "constant" and isinstance(value.dtype, type)
    return value.value if plain else value


@cache
def _parsed(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def expression(text: str, names: Mapping[str, Any], functions: Mapping[str, Build]) -> Any:
    """The node (or number) that a rule's text describes, over the named nodes."""

    def build(tree: ast.AST) -> Any:
        match tree:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name):
                return names[name]
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return multiply(-1, build(operand))
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return add(build(left), build(right))
            case ast.BinOp(left=left, op=ast.Sub(), right=right):
                return add(build(left), build(right), -1)
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                return multiply(build(left), build(right))
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                return functions["divide"](build(left), build(right))
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return functions["power"](build(left), build(right))
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                return functions[_COMPARISONS[type(op)]](build(left), build(right))
            case ast.Call(func=ast.Name(id=name), args=args):
                return functions[name](*(build(arg) for arg in args))
        raise ValueError(f"a rule cannot contain {ast.unparse(tree)}")

    return build(_parsed(text))


_COMPARISONS: dict[type, str] = {
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
    ast.Eq: "equal",
    ast.NotEq: "not_equal",
}
