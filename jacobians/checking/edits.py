"""The smallest change of a claim's text that makes it right: `repaired_text(case)`.

Single changes first, then pairs: a transpose toggled, a sign, a factor 2 or 1/2, factors in another order, a
`diag` added or removed, a term dropped, arguments of `kron` and `outer` exchanged, letters of an `einsum`
permuted, an index, an axis, an exponent.  Every change is judged like a claim.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .case import Case, Finding
from .edit_kinds import KINDS, factors, signs
from .pieces import statements

MAX_EDITS, MAX_PAIRS = 320, 160


@dataclass(frozen=True, slots=True)
class Change:
    """A changed text, its reason, and what was changed in words."""

    text: str
    reason: str
    words: str

    @property
    def tree(self) -> ast.Module:
        """The changed text as a tree of its own."""
        return ast.parse(self.text.replace("; ", "\n"))


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
    point = case.samples[0].point
    ranks = {name: np.ndim(value) for name, value in point.items() if isinstance(value, np.ndarray)}
    singles: list[Change] = []
    for change in changes(base, ranks):
        if len(singles) >= MAX_EDITS or case.late:
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
            if tried > MAX_PAIRS or case.late:
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
        if isinstance(node, ast.expr) and _editable(parent, name) and not _stored(node)
    ]
    for make in KINDS:
        for parent, name, k, node in places:
            if make is signs and isinstance(parent, ast.Call) and isinstance(node, ast.Name):
                continue
            exponent = isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Pow) and name == "right"
            if make is factors and (exponent or isinstance(parent, ast.Subscript | ast.Slice | ast.Tuple)):
                continue
            for reason, words, new in make(node, ranks):
                text = _with(tree, parent, name, k, new)
                if text not in seen:
                    seen.add(text)
                    yield Change(text, reason, words)


def _children(parent: ast.AST) -> Iterator[tuple[str, int | None, Any]]:
    for name, value in ast.iter_fields(parent):
        if isinstance(value, list):
            yield from ((name, k, item) for k, item in enumerate(value))
        else:
            yield name, None, value


def _editable(parent: ast.AST, name: str) -> bool:
    called = isinstance(parent, ast.Call) and name == "func"
    return (
        not called
        and name not in ("ctx", "targets", "target", "generators")
        and not isinstance(parent, ast.keyword)
    )


def _stored(node: ast.expr) -> bool:
    return isinstance(getattr(node, "ctx", None), ast.Store)


def _with(tree: ast.Module, parent: ast.AST, name: str, k: int | None, new: ast.expr) -> str:
    """The text with one node replaced; the tree itself is put back."""
    if k is None:
        old = getattr(parent, name)
        setattr(parent, name, new)
    else:
        old = getattr(parent, name)[k]
        getattr(parent, name)[k] = new
    try:
        ast.fix_missing_locations(tree)
        return text_of(tree)
    finally:
        if k is None:
            setattr(parent, name, old)
        else:
            getattr(parent, name)[k] = old
