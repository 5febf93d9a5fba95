"""Formulas as one would write them: `tidied(text)` and `scaled(text, number)`.

A correction is made from the claim's own text, so that it may hold `(A.T).T`, `-(-2 * x)` or `1/2*(2 * A)`.
"""

from __future__ import annotations

import ast
from fractions import Fraction

_PRODUCTS = (ast.Mult, ast.MatMult, ast.Div)


def tidied(text: str) -> str:
    """The text without double transposes and signs, factors 1, exponents 1 and needless brackets.

    >>> tidied("(A.T).T @ x ** 1"), tidied("-(-2*x)"), tidied("(diag(a)) - b"), tidied("a*b")
    ('A @ x', '2 * x', 'diag(a) - b', 'a*b')
    """
    tree = _tree(text)
    if tree is None:
        return text
    before = ast.dump(tree)
    made = ast.fix_missing_locations(_Tidy().visit(tree))
    plain = "; ".join(ast.unparse(part) for part in made.body)
    return text if ast.dump(made) == before and plain.count("(") >= text.count("(") else plain


def scaled(text: str, number: float) -> str:
    """The text times a number, which is joined to the constants in front of it; "" where it cannot be.

    >>> scaled("2*A", 0.5), scaled("x", 2), scaled("-2*x", -1), scaled("A/2", 2), scaled("a - b", -1)
    ('A', '2 * x', '2 * x', 'A', '-(a - b)')
    """
    tree = _tree(text)
    near = Fraction(number).limit_denominator(60)
    if tree is None or not tree.body or not isinstance(tree.body[-1], ast.Expr):
        return ""
    if abs(float(near) - number) > 1e-7 * max(abs(number), 1e-3):
        return ""
    constant, rest = _split(tree.body[-1].value)
    whole = near * constant
    tree.body[-1].value = _joined(whole, rest)
    return "; ".join(ast.unparse(part) for part in ast.fix_missing_locations(tree).body)


def _tree(text: str) -> ast.Module | None:
    try:
        return ast.parse(text.replace("; ", "\n"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _split(node: ast.expr) -> tuple[Fraction, ast.expr | None]:
    """The constants of a product and what is left of it, None for nothing."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return Fraction(str(node.value)), None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        constant, rest = _split(node.operand)
        return -constant, rest
    if isinstance(node, ast.BinOp) and isinstance(node.op, _PRODUCTS):
        constant, left = _split(node.left)
        if isinstance(node.op, ast.Mult) or isinstance(node.right, ast.Constant):
            other, right = _split(node.right)
            if isinstance(node.op, ast.Mult):
                both = ast.BinOp(left, node.op, right) if left is not None and right is not None else None
                return constant * other, both or left or right
            if isinstance(node.op, ast.Div) and right is None and other:
                return constant / other, left
        if left is not None:
            return constant, ast.BinOp(left, node.op, node.right)
    return Fraction(1), node


def _joined(number: Fraction, rest: ast.expr | None) -> ast.expr:
    """`number * rest`, the number in front of the first factor, so that no brackets are needed."""
    if rest is None:
        return ast.parse(str(number), mode="eval").body
    if number == 1:
        return rest
    if number == -1:
        return ast.UnaryOp(ast.USub(), rest)
    if isinstance(rest, ast.BinOp) and isinstance(rest.op, _PRODUCTS):
        return ast.BinOp(_joined(number, rest.left), rest.op, rest.right)
    return ast.BinOp(ast.parse(str(number), mode="eval").body, ast.Mult(), rest)


class _Tidy(ast.NodeTransformer):
    """Inner parts first."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """`A.T.T`."""
        self.generic_visit(node)
        inner = node.value
        if node.attr == "T" and isinstance(inner, ast.Attribute) and inner.attr == "T":
            return inner.value
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        """`-(-x)`, also where the inner sign stands in front of a product."""
        self.generic_visit(node)
        bare = _unsigned(node.operand) if isinstance(node.op, ast.USub) else None
        return node if bare is None else bare

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """`1 * x`, `x * 1`, `x / 1`, `x ** 1`."""
        self.generic_visit(node)
        if isinstance(node.op, ast.Mult | ast.Div | ast.Pow) and _is_one(node.right):
            return node.left
        return node.right if isinstance(node.op, ast.Mult) and _is_one(node.left) else node


def _unsigned(node: ast.expr) -> ast.expr | None:
    """What a minus sign at the front of a product stands before, None where there is none."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return node.operand
    if isinstance(node, ast.BinOp) and isinstance(node.op, _PRODUCTS):
        left = _unsigned(node.left)
        return None if left is None else ast.BinOp(left, node.op, node.right)
    return None


def _is_one(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float) and node.value == 1
