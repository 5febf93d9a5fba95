"""Pieces of a function's text: its subexpressions, and the same text with a name in the place of one.

`pieces(program, names)` lists what depends on the given names; a `Piece` knows its own text (with the
statements it needs before it), and `Piece.hollow` the whole text with `HOLE` where it stood.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

from ..reading import Program

HOLE = "hole_"
MAX_PIECES = 24


@dataclass(frozen=True, slots=True)
class Piece:
    """A subexpression: its text, the program that computes it, and the function with a hole in its place."""

    text: str
    program: str
    hollow: str
    operands: tuple[str, ...]


def statements(program: Program) -> list[tuple[str, ast.expr]]:
    """Every statement as its targets' text (`z = ` or nothing) and its syntax tree."""
    return [
        ("".join(f"{ast.unparse(target)} = " for target in step.targets), step.node) for step in program.steps
    ]


def joined(parts: list[tuple[str, ast.expr]]) -> str:
    """Statements as one text; the last one is the value."""
    return "; ".join(head + ast.unparse(node) for head, node in parts)


def dependent(program: Program, names: tuple[str, ...]) -> set[str]:
    """`names` and every assigned name that is computed from them."""
    found = set(names)
    for head, node in statements(program):
        if found & names_in(node):
            found |= {
                part.strip()
                for part in head.replace("=", ",").replace("(", "").replace(")", "").split(",")
                if part.strip()
            }
    return found


def names_in(node: ast.AST) -> set[str]:
    """The names that are read in a tree."""
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def pieces(program: Program, names: tuple[str, ...]) -> Iterator[Piece]:
    """Subexpressions that depend on `names`, larger ones first; not the names themselves, not the whole."""
    parts = statements(program)
    moving = dependent(program, names)
    seen: set[str] = set()
    for k, (head, root) in enumerate(parts):
        for node in ast.walk(root):
            if not isinstance(node, ast.BinOp | ast.Call | ast.UnaryOp | ast.Subscript | ast.Attribute):
                continue
            if (node is root and k == len(parts) - 1) or not moving & names_in(node) or _bound(root, node):
                continue
            text = ast.unparse(node)
            if text in seen or len(seen) >= MAX_PIECES:
                continue
            seen.add(text)
            before = parts[:k]
            hollow = [*before, (head, replaced(root, text, HOLE)), *parts[k + 1 :]]
            operands = tuple(ast.unparse(part) for part in _operands(node) if moving & names_in(part))
            yield Piece(text, joined([*before, ("", node)]), joined(hollow), operands)


def _operands(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Call):
        return list(node.args)
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    return [node.value] if isinstance(node, ast.Attribute | ast.Subscript) else []


def _bound(root: ast.AST, node: ast.AST) -> bool:
    """Whether the node uses a name that a lambda or a loop binds, or is the name of a function."""
    own: set[str] = set()
    for part in ast.walk(root):
        if isinstance(part, ast.comprehension):
            own |= names_in(part.target)
        elif isinstance(part, ast.Lambda):
            own |= {argument.arg for argument in part.args.args}
        elif isinstance(part, ast.Call) and part.func is node:
            return True
    return bool(own & names_in(node))


def replaced(root: ast.expr, text: str, name: str) -> ast.expr:
    """The tree with `name` in every place where the subexpression `text` stands."""

    class Replace(ast.NodeTransformer):
        def generic_visit(self, node: ast.AST) -> ast.AST:
            if isinstance(node, ast.expr) and not isinstance(node, ast.Name) and ast.unparse(node) == text:
                return ast.Name(name, ast.Load())
            return super().generic_visit(node)

    return Replace().visit(copy.deepcopy(root))  # type: ignore[no-any-return]


def occurrences(program: Program, name: str) -> list[str]:
    """The text with `HOLE` in the place of each single occurrence of `name`, one text for each."""
    parts = statements(program)
    found: list[str] = []
    for k, (head, root) in enumerate(parts):
        count = sum(isinstance(node, ast.Name) and node.id == name for node in ast.walk(root))
        for place in range(count):
            found.append(joined([*parts[:k], (head, _one(root, name, place)), *parts[k + 1 :]]))
    return found


def _one(root: ast.expr, name: str, place: int) -> ast.expr:
    tree = copy.deepcopy(root)
    uses = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == name]
    uses[place].id = HOLE
    return tree
