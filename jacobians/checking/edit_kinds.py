"""Kinds of changes to a claim's text: `KINDS`, in the order in which they are tried.

Each takes a node and the inputs' numbers of axes, and yields edits: a reason, words, the node in its place.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from itertools import permutations

Edit = tuple[str, str, ast.expr]


def _call(function: str, *args: ast.expr) -> ast.Call:
    return ast.Call(ast.parse(function, mode="eval").body, list(args), [])


def _name(node: ast.AST) -> str:
    return ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""


def _transposes(node: ast.expr, ranks: dict[str, int]) -> Iterator[Edit]:
    shown = ast.unparse(node)[:40]
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield "transpose", f"{shown}: the transpose is too much.", node.value
    elif (
        (isinstance(node, ast.Name) and ranks.get(node.id, 2) == 2)
        or (
            isinstance(node, ast.Call)
            and _name(node) in ("inv", "pinv", "outer", "cholesky", "solve", "kron", "einsum")
        )
        or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult))
    ):
        yield "transpose", f"{shown} must be transposed.", ast.Attribute(node, "T", ast.Load())


def signs(node: ast.expr, ranks: dict[str, int]) -> Iterator[Edit]:
    """Another sign."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        yield (
            "sign",
            f"The sign before {ast.unparse(node.right)[:40]} is wrong.",
            ast.BinOp(node.left, other, node.right),
        )
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "sign", f"The sign before {ast.unparse(node.operand)[:40]} is wrong.", node.operand
    elif not isinstance(node, ast.Constant | ast.Slice | ast.Tuple | ast.List):
        yield "sign", f"The sign before {ast.unparse(node)[:40]} is wrong.", ast.UnaryOp(ast.USub(), node)


def factors(node: ast.expr, ranks: dict[str, int]) -> Iterator[Edit]:
    """Another constant factor."""
    shown = ast.unparse(node)[:40]
    if (
        isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
    ):
        value = node.value
        for other in dict.fromkeys((2 * value, value / 2, 1, 2, 3, 0.5, 0.25)):
            if other != value:
                yield "factor", f"The factor {shown} should be {other:g}.", ast.Constant(_short(other))
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.MatMult | ast.Pow | ast.Div):
        for other in (2, 0.5):
            yield (
                "factor",
                f"{shown} needs the factor {other:g}.",
                ast.BinOp(ast.Constant(other), ast.Mult(), node),
            )
    elif isinstance(node, ast.Name | ast.Call) and not isinstance(node, ast.Constant):
        yield "factor", f"{shown} needs the factor 2.", ast.BinOp(ast.Constant(2), ast.Mult(), node)


def _short(value: float) -> int | float:
    return int(value) if float(value).is_integer() else value


def _chain_of(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return [*_chain_of(node.left), *_chain_of(node.right)]
    return [node]


def _orders(node: ast.expr, ranks: dict[str, int]) -> Iterator[Edit]:
    parts = _chain_of(node)
    if 2 <= len(parts) <= 4:
        for order in permutations(range(len(parts))):
            made = parts[order[0]]
            for k in order[1:]:
                made = ast.BinOp(made, ast.MatMult(), parts[k])
            words = f"The factors of {ast.unparse(node)[:40]} stand in the wrong order."
            yield "commutation", words, made
    if (
        _name(node) in ("kron", "outer", "solve", "tensordot")
        and isinstance(node, ast.Call)
        and len(node.args) == 2
    ):
        reason = "transpose" if _name(node) == "outer" else "commutation"
        words = f"The arguments of {_name(node)} stand in the wrong order."
        yield reason, words, ast.Call(node.func, node.args[::-1], node.keywords)


def _diagonals(node: ast.expr, ranks: dict[str, int]) -> Iterator[Edit]:
    shown = ast.unparse(node)[:40]
    if _name(node) in ("diag", "diagflat", "diagonal") and isinstance(node, ast.Call) and len(node.args) == 1:
        yield "diagonal", f"{shown}: one diag too many.", node.args[0]
    elif not isinstance(node, ast.Constant | ast.Slice | ast.Tuple | ast.List):
        yield "diagonal", f"A diag is missing around {shown}.", _call("np.diag", node)
        yield (
            "diagonal",
            f"Only the diagonal of {shown} belongs there.",
            _call("np.diag", _call("np.diag", node)),
        )


def _drops(node: ast.expr, ranks: dict[str, int]) -> Iterator[Edit]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        yield "extra-term", f"The term {ast.unparse(node.right)[:40]} is too much.", node.left
        kept = node.right if isinstance(node.op, ast.Add) else ast.UnaryOp(ast.USub(), node.right)
        yield "extra-term", f"The term {ast.unparse(node.left)[:40]} is too much.", kept
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div | ast.MatMult):
        shown = ast.unparse(node.right)[:40]
        yield _drop_reason(node.right), f"The factor {shown} is too much.", node.left
        if not isinstance(node.op, ast.Div):
            yield (
                _drop_reason(node.left),
                f"The factor {ast.unparse(node.left)[:40]} is too much.",
                node.right,
            )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        words = f"{ast.unparse(node.right)[:40]} multiplies instead of dividing."
        yield "unrelated", words, ast.BinOp(node.left, ast.Mult(), node.right)


def _drop_reason(node: ast.expr) -> str:
    return "factor" if isinstance(node, ast.Constant) else "chain"


def _indices(node: ast.expr, ranks: dict[str, int]) -> Iterator[Edit]:
    if isinstance(node, ast.Subscript):
        for part in ast.walk(node.slice):
            if isinstance(part, ast.Constant) and type(part.value) is int:
                for step in (-1, 1):
                    yield from _stepped(node, part, step)
    if (
        isinstance(node, ast.Call)
        and _name(node) == "einsum"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    ):
        yield from _einsums(node, str(node.args[0].value))
    if isinstance(node, ast.Call):
        for k, pair in enumerate(node.keywords):
            if pair.arg == "axis" and isinstance(pair.value, ast.Constant) and type(pair.value.value) is int:
                other = ast.keyword("axis", ast.Constant(1 - pair.value.value))
                made = ast.Call(node.func, node.args, [*node.keywords[:k], other, *node.keywords[k + 1 :]])
                yield "index", f"The axis of {_name(node)} is the other one.", made


def _stepped(node: ast.Subscript, part: ast.Constant, step: int) -> Iterator[Edit]:
    old = part.value
    assert isinstance(old, int)
    part.value = old + step
    made = copy.deepcopy(node)
    part.value = old
    yield "index", f"The index in {ast.unparse(node)[:40]} is off by one.", made


def _einsums(node: ast.Call, text: str) -> Iterator[Edit]:
    inputs, arrow, output = text.replace(" ", "").partition("->")
    if not arrow:
        return
    for order in permutations(output):
        yield from _einsum(
            node, f"{inputs}->{''.join(order)}", "axis-order", "The output axes stand in another order."
        )
    operands = inputs.split(",")
    for k, letters in enumerate(operands):
        for order in permutations(letters):
            other = ",".join([*operands[:k], "".join(order), *operands[k + 1 :]])
            yield from _einsum(
                node, f"{other}->{output}", "index", f"The indices of operand {k + 1} are exchanged."
            )
    for k, one in enumerate(operands):
        for place in range(len(one)):
            for letter in sorted(set(inputs) - {","} - {one[place]}):
                other = ",".join([*operands[:k], one[:place] + letter + one[place + 1 :], *operands[k + 1 :]])
                yield from _einsum(
                    node, f"{other}->{output}", "index", f"An index of operand {k + 1} is wrong."
                )


def _einsum(node: ast.Call, text: str, reason: str, words: str) -> Iterator[Edit]:
    yield reason, words, ast.Call(node.func, [ast.Constant(text), *node.args[1:]], node.keywords)


_TWINS = {
    "sin": "cos",
    "cos": "sin",
    "sinh": "cosh",
    "cosh": "sinh",
    "sum": "mean",
    "mean": "sum",
    "exp": "log",
    "log": "exp",
}


def _functions(node: ast.expr, ranks: dict[str, int]) -> Iterator[Edit]:
    """Another exponent, another function, a sum around it."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        for step in (-1, 1, 2, -2):
            other = ast.BinOp(node.right, ast.Add() if step > 0 else ast.Sub(), ast.Constant(abs(step)))
            new = ast.Constant(node.right.value + step) if _number(node.right) else other  # type: ignore[attr-defined]
            yield (
                "unrelated",
                f"The exponent of {ast.unparse(node)[:40]} is off by {abs(step)}.",
                ast.BinOp(node.left, ast.Pow(), new),
            )
        yield "unrelated", f"The exponent of {ast.unparse(node)[:40]} is too much.", node.left
    elif isinstance(node, ast.Name | ast.Call) and not isinstance(node, ast.Constant):
        yield (
            "unrelated",
            f"{ast.unparse(node)[:40]} must be squared.",
            ast.BinOp(node, ast.Pow(), ast.Constant(2)),
        )
    if isinstance(node, ast.Call) and _name(node) in _TWINS:
        twin = ast.parse("np." + _TWINS[_name(node)], mode="eval").body
        reason = "factor" if _name(node) in ("sum", "mean") else "unrelated"
        yield (
            reason,
            f"{_name(node)} should be {_TWINS[_name(node)]}.",
            ast.Call(twin, node.args, node.keywords),
        )
    if isinstance(node, ast.Call) and _name(node) == "inv" and node.args:
        yield "unrelated", f"{ast.unparse(node)[:40]}: the inverse is too much.", node.args[0]
    if isinstance(node, ast.Call | ast.BinOp):
        for axis in (0, 1):
            made = _call("np.sum", node)
            made.keywords = [ast.keyword("axis", ast.Constant(axis))]
            yield "sum-forgotten", f"A sum over axis {axis} of {ast.unparse(node)[:40]} is missing.", made
        yield "sum-forgotten", f"A sum over {ast.unparse(node)[:40]} is missing.", _call("np.sum", node)
        yield "diagonal", f"{ast.unparse(node)[:40]} should be its trace.", _call("np.trace", node)


def _left_out(node: ast.expr, ranks: dict[str, int]) -> Iterator[Edit]:
    """A factor that was left out: a matrix on either side, a vector or a scalar."""
    if not isinstance(node, ast.BinOp | ast.Call | ast.UnaryOp):
        return
    for name, rank in ranks.items():
        words = f"The factor {name} is missing at {ast.unparse(node)[:40]}."
        given = ast.Name(name, ast.Load())
        if rank < 2:
            yield "chain" if rank else "factor", words, ast.BinOp(given, ast.Mult(), node)
            continue
        for factor in (given, ast.Attribute(given, "T", ast.Load())):
            yield "chain", words, ast.BinOp(factor, ast.MatMult(), node)
            yield "chain", words, ast.BinOp(node, ast.MatMult(), factor)


def _number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


KINDS: tuple[Callable[[ast.expr, dict[str, int]], Iterator[Edit]], ...] = (
    _transposes,
    signs,
    _orders,
    _diagonals,
    _drops,
    factors,
    _indices,
    _functions,
    _left_out,
)
