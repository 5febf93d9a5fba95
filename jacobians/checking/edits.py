"""The smallest change of a claim's text that makes it right: `repaired_text(case)`.

Single changes first, then pairs: a transpose toggled, a sign, a factor 2 or 1/2, factors in another order, a
`diag` added or removed, a term dropped, arguments of `kron` and `outer` exchanged, letters of an `einsum`
permuted, an index, an axis, an exponent.  Every change is judged like a claim.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np

from .case import Case, Finding
from .pieces import joined, statements

MAX_EDITS, MAX_PAIRS = 240, 220
Edit = tuple[str, str, ast.expr]  # reason, words, the node that takes the place


@dataclass(frozen=True, slots=True)
class Change:
    """A changed text, its reason, and what was changed in words."""

    text: str
    reason: str
    words: str
    tree: ast.Module


def repaired_text(case: Case) -> Finding | None:
    """The finding of the smallest change that makes the claim right, None where none was found."""
    if not case.repairs:
        case.repairs.append(_searched(case))
    return case.repairs[0]


def _searched(case: Case) -> Finding | None:
    claim = case.problem.claim
    if claim.program is None or claim.kind != "numpy" or len(claim.text) > 600:
        return None
    base = _module(case)
    ranks = {name: np.ndim(value) for name, value in case.samples[0].point.items()}
    singles: list[Change] = []
    for change in changes(base, ranks):
        if len(singles) >= MAX_EDITS:
            break
        singles.append(change)
        if case.repaired(change.text):
            return Finding(change.reason, change.words, correct=change.text)
    tried = 0
    for first in singles:
        if first.reason not in ("transpose", "sign", "commutation", "factor"):
            continue
        for second in changes(first.tree, ranks):
            if second.reason not in ("transpose", "sign", "factor", "commutation"):
                continue
            tried += 1
            if tried > MAX_PAIRS:
                return None
            if case.repaired(second.text):
                reason = first.reason if first.reason != "factor" else second.reason
                return Finding(reason, f"{first.words} {second.words}", correct=second.text)
    return None


def _module(case: Case) -> ast.Module:
    program = case.problem.claim.program
    assert program is not None
    return ast.parse("\n".join(head + ast.unparse(node) for head, node in statements(program)))


def text_of(tree: ast.Module) -> str:
    """A module as one line of statements."""
    return "; ".join(ast.unparse(statement) for statement in tree.body)


def changes(tree: ast.Module, ranks: dict[str, int]) -> Iterator[Change]:
    """Every single change of a text; `ranks` gives the inputs' numbers of axes."""
    before = text_of(tree)
    seen = {before}
    places = [
        (parent, name, k, node)
        for parent in ast.walk(tree)
        for name, k, node in _children(parent)
        if isinstance(node, ast.expr) and _editable(parent, name)
    ]
    for make in _KINDS:
        for parent, name, k, node in places:
            if make is _signs and isinstance(parent, ast.Call) and isinstance(node, ast.Name):
                continue
            if make is _factors and isinstance(parent, ast.Subscript | ast.Slice | ast.Tuple):
                continue
            for reason, words, new in make(node, ranks):
                text, changed = _with(tree, parent, name, k, new)
                if text not in seen:
                    seen.add(text)
                    yield Change(text, reason, words, changed)


def _children(parent: ast.AST) -> Iterator[tuple[str, int | None, Any]]:
    for name, value in ast.iter_fields(parent):
        if isinstance(value, list):
            yield from ((name, k, item) for k, item in enumerate(value))
        else:
            yield name, None, value


def _editable(parent: ast.AST, name: str) -> bool:
    called = isinstance(parent, ast.Call) and name == "func"
    return not called and name not in ("ctx", "targets", "target", "generators") and not isinstance(parent, ast.keyword)


def _with(tree: ast.Module, parent: ast.AST, name: str, k: int | None, new: ast.expr) -> tuple[str, ast.Module]:
    """The text with one node replaced; the tree itself is put back."""
    if k is None:
        old = getattr(parent, name)
        setattr(parent, name, new)
    else:
        old = getattr(parent, name)[k]
        getattr(parent, name)[k] = new
    try:
        ast.fix_missing_locations(tree)
        return text_of(tree), copy.deepcopy(tree)
    finally:
        if k is None:
            setattr(parent, name, old)
        else:
            getattr(parent, name)[k] = old


def _call(function: str, *args: ast.expr) -> ast.Call:
    return ast.Call(ast.parse(function, mode="eval").body, list(args), [])


def _name(node: ast.AST) -> str:
    return ast.unparse(node.func).rpartition(".")[2] if isinstance(node, ast.Call) else ""


def _transposes(node: ast.expr, ranks: dict[str, int]) -> Iterator[Edit]:
    shown = ast.unparse(node)[:40]
    if isinstance(node, ast.Attribute) and node.attr == "T":
        yield "transpose", f"{shown}: the transpose is too much.", node.value
    elif (isinstance(node, ast.Name) and ranks.get(node.id, 2) == 2) or (
        isinstance(node, ast.Call) and _name(node) in ("inv", "pinv", "outer", "cholesky", "solve", "kron", "einsum")
    ):
        yield "transpose", f"{shown} must be transposed.", ast.Attribute(node, "T", ast.Load())
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        yield "transpose", f"{shown} must be transposed.", ast.Attribute(node, "T", ast.Load())


def _signs(node: ast.expr, ranks: dict[str, int]) -> Iterator[Edit]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        yield "sign", f"The sign before {ast.unparse(node.right)[:40]} is wrong.", ast.BinOp(node.left, other, node.right)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "sign", f"The sign before {ast.unparse(node.operand)[:40]} is wrong.", node.operand
    elif not isinstance(node, ast.Constant | ast.Slice | ast.Tuple | ast.List):
        yield "sign", f"The sign before {ast.unparse(node)[:40]} is wrong.", ast.UnaryOp(ast.USub(), node)


def _factors(node: ast.expr, ranks: dict[str, int]) -> Iterator[Edit]:
    shown = ast.unparse(node)[:40]
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        value = node.value
        for other in dict.fromkeys((2 * value, value / 2, 1, 2, 3, 0.5, 0.25)):
            if other != value:
                yield "factor", f"The factor {shown} should be {other:g}.", ast.Constant(_short(other))
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.MatMult | ast.Pow | ast.Div):
        for other in (2, 0.5):
            yield "factor", f"{shown} needs the factor {other:g}.", ast.BinOp(ast.Constant(other), ast.Mult(), node)
    elif isinstance(node, ast.Name | ast.Call) and not isinstance(node, ast.Constant):
        yield "factor", f"{shown} needs the factor 2.", ast.BinOp(ast.Constant(2), ast.Mult(), node)


def _short(value: float) -> int | float:
    return int(value) if float(value).is_integer() else value


def _chain_of(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return [*_chain_of(node.left), *_chain_of(node.right)]
    return [node]


def _orders(node: ast.expr, ranks: dict[str, int]) -> Iterator[Edit]:
    factors = _chain_of(node)
    if 2 <= len(factors) <= 4:
        for order in permutations(range(len(factors))):
            made = factors[order[0]]
            for k in order[1:]:
                made = ast.BinOp(made, ast.MatMult(), factors[k])
            words = f"The factors of {ast.unparse(node)[:40]} stand in the wrong order."
            yield "commutation", words, made
    if _name(node) in ("kron", "outer", "solve", "tensordot") and isinstance(node, ast.Call) and len(node.args) == 2:
        reason = "transpose" if _name(node) == "outer" else "commutation"
        words = f"The arguments of {_name(node)} stand in the wrong order."
        yield reason, words, ast.Call(node.func, node.args[::-1], node.keywords)


def _diagonals(node: ast.expr, ranks: dict[str, int]) -> Iterator[Edit]:
    shown = ast.unparse(node)[:40]
    if _name(node) in ("diag", "diagflat", "diagonal") and isinstance(node, ast.Call) and len(node.args) == 1:
        yield "diagonal", f"{shown}: one diag too many.", node.args[0]
    elif not isinstance(node, ast.Constant | ast.Slice | ast.Tuple | ast.List):
        yield "diagonal", f"A diag is missing around {shown}.", _call("np.diag", node)
        yield "diagonal", f"Only the diagonal of {shown} belongs there.", _call("np.diag", _call("np.diag", node))


def _drops(node: ast.expr, ranks: dict[str, int]) -> Iterator[Edit]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        yield "extra-term", f"The term {ast.unparse(node.right)[:40]} is too much.", node.left
        kept = node.right if isinstance(node.op, ast.Add) else ast.UnaryOp(ast.USub(), node.right)
        yield "extra-term", f"The term {ast.unparse(node.left)[:40]} is too much.", kept
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div | ast.MatMult):
        shown = ast.unparse(node.right)[:40]
        yield _drop_reason(node.right), f"The factor {shown} is too much.", node.left
        if not isinstance(node.op, ast.Div):
            yield _drop_reason(node.left), f"The factor {ast.unparse(node.left)[:40]} is too much.", node.right
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
    if isinstance(node, ast.Call) and _name(node) == "einsum" and node.args and isinstance(node.args[0], ast.Constant):
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
        yield from _einsum(node, f"{inputs}->{''.join(order)}", "axis-order", "The output axes stand in another order.")
    operands = inputs.split(",")
    for k, letters in enumerate(operands):
        for order in permutations(letters):
            other = ",".join([*operands[:k], "".join(order), *operands[k + 1 :]])
            yield from _einsum(node, f"{other}->{output}", "index", f"The indices of operand {k + 1} are exchanged.")
    for k, one in enumerate(operands):
        for place in range(len(one)):
            for letter in sorted(set(inputs) - {","} - {one[place]}):
                other = ",".join([*operands[:k], one[:place] + letter + one[place + 1 :], *operands[k + 1 :]])
                yield from _einsum(node, f"{other}->{output}", "index", f"An index of operand {k + 1} is wrong.")


def _einsum(node: ast.Call, text: str, reason: str, words: str) -> Iterator[Edit]:
    yield reason, words, ast.Call(node.func, [ast.Constant(text), *node.args[1:]], node.keywords)


_TWINS = {"sin": "cos", "cos": "sin", "sinh": "cosh", "cosh": "sinh", "sum": "mean", "mean": "sum", "exp": "log", "log": "exp"}


def _functions(node: ast.expr, ranks: dict[str, int]) -> Iterator[Edit]:
    """Another exponent, another function, a sum around it."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        for step in (-1, 1, 2, -2):
            other = ast.BinOp(node.right, ast.Add() if step > 0 else ast.Sub(), ast.Constant(abs(step)))
            new = ast.Constant(node.right.value + step) if _number(node.right) else other  # type: ignore[attr-defined]
            yield "unrelated", f"The exponent of {ast.unparse(node)[:40]} is off by {abs(step)}.", ast.BinOp(node.left, ast.Pow(), new)
        yield "unrelated", f"The exponent of {ast.unparse(node)[:40]} is too much.", node.left
    elif isinstance(node, ast.Name | ast.Call) and not isinstance(node, ast.Constant):
        yield "unrelated", f"{ast.unparse(node)[:40]} must be squared.", ast.BinOp(node, ast.Pow(), ast.Constant(2))
    if isinstance(node, ast.Call) and _name(node) in _TWINS:
        twin = ast.parse("np." + _TWINS[_name(node)], mode="eval").body
        reason = "factor" if _name(node) in ("sum", "mean") else "unrelated"
        yield reason, f"{_name(node)} should be {_TWINS[_name(node)]}.", ast.Call(twin, node.args, node.keywords)
    if isinstance(node, ast.Call) and _name(node) == "inv" and node.args:
        yield "unrelated", f"{ast.unparse(node)[:40]}: the inverse is too much.", node.args[0]
    if isinstance(node, ast.Call | ast.BinOp):
        for axis in (0, 1):
            made = _call("np.sum", node)
            made.keywords = [ast.keyword("axis", ast.Constant(axis))]
            yield "sum-forgotten", f"A sum over axis {axis} of {ast.unparse(node)[:40]} is missing.", made
        yield "sum-forgotten", f"A sum over {ast.unparse(node)[:40]} is missing.", _call("np.sum", node)
        yield "diagonal", f"{ast.unparse(node)[:40]} should be its trace.", _call("np.trace", node)


def _number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


_KINDS: tuple[Callable[[ast.expr, dict[str, int]], Iterator[Edit]], ...] = (
    _transposes,
    _signs,
    _orders,
    _diagonals,
    _drops,
    _factors,
    _indices,
    _functions,
)

__all__ = ["Change", "changes", "joined", "repaired_text", "text_of"]
