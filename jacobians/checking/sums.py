"""Sums with a wrong, missing or surplus term.

`product_rule(case)` holds the claim against the parts that the product rule adds up, one for each occurrence
of the input; `summands(case)` fits the claim's own summands; `natural_terms(case)` looks for the difference
among terms that come to mind: a transposed twin, a diagonal, an outer product, a constant.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from ..errors import JacobiansError
from .case import NEAR, Case, Finding, placed, statement_texts, wrapped
from .constants import number_text, ratio
from .formulas import formula
from .pieces import HOLE, joined, occurrences, statements
from .placing import gap
from .problem import claim_values
from .structure import tie
from .truth import by_engine

Array = np.ndarray[Any, Any]
MAX_PARTS = 6


def fitted(parts: Sequence[Sequence[Array]], wanted: Sequence[Array]) -> list[float] | None:
    """Numbers a with `wanted = sum_k a_k parts_k` at all samples at once, or None.

    >>> x = np.array([1.0, 2.0]); y = np.array([3.0, 1.0])
    >>> [round(a, 9) for a in fitted([[x], [y]], [x - 2 * y])]
    [1.0, -2.0]
    """
    if not parts or any(p.shape != w.shape for column in parts for p, w in zip(column, wanted, strict=True)):
        return None
    columns = np.stack([np.concatenate([p.reshape(-1) for p in column]) for column in parts], axis=1)
    right = np.concatenate([w.reshape(-1) for w in wanted])
    if not np.all(np.isfinite(columns)) or len(right) < len(parts):
        return None
    found, *_ = np.linalg.lstsq(columns, right, rcond=None)
    rank = np.linalg.matrix_rank(columns, tol=1e-8 * max(np.abs(columns).max(), 1e-12))
    return None if rank < len(parts) or gap(columns @ found, right) > NEAR else [float(a) for a in found]


def _is(number: float, value: float) -> bool:
    return abs(number - value) < 1e-6


def product_rule(case: Case) -> Finding | None:
    """The claim as a sum of the product rule's parts: one left out, or with another sign."""
    found = _of_occurrences(case)
    return found if found is not None and found.reason != "factor" else None


def term_factor(case: Case) -> Finding | None:
    """The claim as a sum of the derivative's terms, one of them with another factor."""
    found = _of_occurrences(case)
    return found if found is not None and found.reason == "factor" else None


def _of_occurrences(case: Case) -> Finding | None:
    """The claim as a sum of parts, one for each occurrence of the input."""
    problem = case.problem
    program = problem.function.program
    if not case.same_shape or case.claimed is None or program is None or problem.function.kind != "numpy":
        return None
    if problem.order != 1 or len(problem.wrt) != 1:
        return None
    name = problem.wrt[0]
    texts = occurrences(program, name)
    if not 2 <= len(texts) <= MAX_PARTS:
        return None
    parts = [_part(case, text, name) for text in texts]
    if any(part is None for part in parts):
        return None
    known = _merged([part for part in parts if part is not None and any(np.any(p) for p in part)])
    numbers = fitted(known, case.claimed) or _grouped(known, case)
    if numbers is None or all(_is(a, 1) for a in numbers):
        return None
    summed = len(split_sum(statements(program)[-1][1])) > 1
    what = "The derivative has a term" if summed else "The product rule has a part"
    return _of_numbers(numbers, f"{what} for each occurrence of {name}")


def _grouped(parts: list[list[Array]], case: Case) -> list[float] | None:
    """Whole coefficients, where parts depend on one another: the fewest that are not 1."""
    assert case.claimed is not None
    tries = sorted(product((1, 0, -1, 2), repeat=len(parts)), key=lambda a: sum(x != 1 for x in a))
    for numbers in tries[1:200]:
        sums = [
            sum((a * p for a, p in zip(numbers, column, strict=True)), 0.0 * column[0])
            for column in zip(*parts, strict=True)
        ]
        if any(np.any(s) for s in sums) and all(
            gap(s, c) < NEAR for s, c in zip(sums, case.claimed, strict=True)
        ):
            return [float(a) for a in numbers]
    return None


def _merged(parts: list[list[Array]]) -> list[list[Array]]:
    """Equal parts as one, which stands for both."""
    found: list[list[Array]] = []
    for part in parts:
        twin = next((k for k, f in enumerate(found) if _is_multiple(part, f)), None)
        if twin is None:
            found.append(part)
        else:
            found[twin] = [a + b for a, b in zip(found[twin], part, strict=True)]
    return found


def _is_multiple(part: list[Array], other: list[Array]) -> bool:
    scale = ratio(other[0], part[0])
    return (
        scale is not None
        and scale > 0
        and all(gap(o * scale, p) < NEAR for p, o in zip(part, other, strict=True))
    )


def _part(case: Case, text: str, name: str) -> list[Array] | None:
    try:
        made = formula(text, syntax="numpy")
        found = []
        for sample in case.samples:
            tensor = by_engine(made, {**sample.point, HOLE: sample.point[name]}, (HOLE,))
            if case.problem.layout == "differential":
                direction = np.asarray(sample.point["d" + name])
                tensor = (
                    np.tensordot(tensor, direction, axes=direction.ndim)
                    if direction.ndim
                    else tensor * direction
                )
            else:
                structure = case.problem.input(name).structure
                tensor = tie(tensor, (structure,), sample.truth.inputs, len(sample.truth.target))
            found.append(tensor)
        return placed(case, found)
    except Exception:  # a part that cannot be computed explains nothing
        return None


def _of_numbers(numbers: list[float], why: str) -> Finding | None:
    """What coefficients of the true parts say about the claim."""
    odd = [a for a in numbers if not _is(a, 1)]
    if all(_is(a, 0) for a in odd):
        return Finding("missing-term", f"{why}; {_count(odd)} missing from the claim.")
    if all(_is(a, -1) for a in odd):
        return Finding("sign", f"{why}; {_count(odd)} there with the opposite sign.")
    if len(odd) == 1:
        times = number_text(odd[0])
        return Finding(
            "factor", f"One term of the derivative stands in the claim {times} times.", factor=odd[0]
        )
    return None


def _count(odd: list[float]) -> str:
    return "one is" if len(odd) == 1 else f"{len(odd)} are"


def split_sum(node: ast.expr) -> list[tuple[int, ast.expr]]:
    """The summands of a tree with their signs, through brackets, signs and constant factors.

    >>> [(s, ast.unparse(n)) for s, n in split_sum(ast.parse("a - (b - c)", mode="eval").body)]
    [(1, 'a'), (-1, 'b'), (1, 'c')]
    """
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        sign = 1 if isinstance(node.op, ast.Add) else -1
        return split_sum(node.left) + [(sign * s, part) for s, part in split_sum(node.right)]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return [(-s, part) for s, part in split_sum(node.operand)]
    return _split_product(node) or [(1, node)]


def _split_product(node: ast.expr) -> list[tuple[int, ast.expr]] | None:
    """`c*(a + b)`, `(a + b) @ x`, `(a + b).T`, `(a + b)[None, :]` as sums of their parts."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.MatMult | ast.Div):
        for side in ("left", "right"):
            inner = getattr(node, side)
            if side == "right" and isinstance(node.op, ast.Div):
                continue
            parts = split_sum(inner) if isinstance(inner, ast.BinOp | ast.UnaryOp) else []
            if len(parts) > 1:
                other = node.right if side == "left" else node.left
                return [
                    (s, ast.BinOp(p, node.op, other) if side == "left" else ast.BinOp(other, node.op, p))
                    for s, p in parts
                ]
    if isinstance(node, ast.Attribute) and node.attr == "T":
        parts = split_sum(node.value)
        return [(s, ast.Attribute(p, "T", ast.Load())) for s, p in parts] if len(parts) > 1 else None
    if isinstance(node, ast.Subscript):
        parts = split_sum(node.value) if isinstance(node.value, ast.BinOp | ast.UnaryOp) else []
        return [(s, ast.Subscript(p, node.slice, ast.Load())) for s, p in parts] if len(parts) > 1 else None
    return None


def summands(case: Case) -> Finding | None:
    """The claim's own summands: one too many, with another sign, or with another factor."""
    claim = case.problem.claim
    if not case.same_shape or claim.program is None or claim.kind != "numpy":
        return None
    *before, (_, root) = statements(claim.program)
    signed = split_sum(root)
    if not 2 <= len(signed) <= MAX_PARTS:
        return None
    texts = [joined([*before, ("", ast.fix_missing_locations(node))]) for _, node in signed]
    values = [case.values(text) for text in texts]
    if any(value is None for value in values):
        return None
    parts = [
        [
            s * np.broadcast_to(v, e.shape) if v.ndim <= e.ndim and _spreads(v, e) else v
            for v, e in zip(value, case.expected, strict=True)
        ]
        for (s, _), value in zip(signed, values, strict=True)
        if value is not None
    ]
    numbers = fitted(parts, case.expected)
    if numbers is None or all(_is(a, 1) for a in numbers):
        return None
    return _repaired_sum(case, numbers, signed, joined(before))


def _spreads(value: Array, like: Array) -> bool:
    try:
        return bool(np.broadcast_shapes(value.shape, like.shape) == like.shape)
    except ValueError:
        return False


def _repaired_sum(
    case: Case, numbers: list[float], signed: list[tuple[int, ast.expr]], before: str
) -> Finding | None:
    odd = [k for k, a in enumerate(numbers) if not _is(a, 1)]
    parts = [
        (float(s) * a, ast.unparse(ast.fix_missing_locations(node)))
        for (s, node), a in zip(signed, numbers, strict=True)
        if not _is(a, 0)
    ]
    text = " + ".join(_times(a, part) for a, part in parts).replace("+ -", "- ")
    text = f"{before}; {text}" if before else text
    correct = text if parts and case.repaired(text) else ""
    shown = ast.unparse(signed[odd[0]][1])
    if all(_is(numbers[k], 0) for k in odd):
        return Finding("extra-term", f"The term {shown} is too much.", correct=correct)
    if all(_is(numbers[k], -1) for k in odd):
        return Finding("sign", f"The term {shown} has the opposite sign.", correct=correct)
    if len(odd) < len(numbers) or len({round(numbers[k], 6) for k in odd}) == 1:
        number = numbers[odd[0]]
        return Finding(
            "factor",
            f"The term {shown} needs the factor {number_text(number)}.",
            factor=number,
            correct=correct,
        )
    return None


def _times(number: float, text: str) -> str:
    if _is(number, 1):
        return text
    return f"-{text}" if _is(number, -1) and not text.startswith("-") else f"{number_text(number)}*({text})"


def natural_terms(case: Case) -> Finding | None:
    """The difference as one natural term times a constant, or times a scalar that varies with the point."""
    if not case.same_shape or case.claimed is None:
        return None
    rest = [e - c for e, c in zip(case.expected, case.claimed, strict=True)]
    varying: Finding | None = None
    for text, values in _candidates(case):
        found = [ratio(v, r) if v.shape == r.shape else None for v, r in zip(values, rest, strict=True)]
        if any(a is None or abs(a) < 1e-6 for a in found):
            continue
        numbers = [float(a) for a in found if a is not None]
        if max(numbers) - min(numbers) < NEAR * max(map(abs, numbers)):
            return _missing(case, numbers[0], text)
        if varying is None and rest[0].size > 2 and _structural(text):
            varying = Finding("missing-term", f"A multiple of {text} is missing.")
    return varying


def _structural(text: str) -> bool:
    """Whether a multiple by any scalar tells something: an identity, an outer product, a diagonal."""
    return text.startswith(("np.eye", "np.outer", "np.einsum", "np.diag(")) or text.isidentifier()


def _missing(case: Case, number: float, text: str) -> Finding:
    front = "" if _is(abs(number), 1) else number_text(abs(number)) + "*"
    sign = "-" if number < 0 else "+"
    correct = wrapped(case, "({}) " + f"{sign} {front}{text}")
    if number < 0 and text in case.problem.claim.text:
        return Finding("extra-term", f"The term {front}{text} is too much.", correct=correct)
    return Finding("missing-term", f"The term {sign}{front}{text} is missing.", correct=correct)


def _candidates(case: Case) -> Iterator[tuple[str, list[Array]]]:
    """Natural terms by their texts, at every sample, of the derivative's shape."""
    before = "".join(f"{text}; " for text in statement_texts(case.problem.claim)[:-1])
    for text in dict.fromkeys(_texts(case)):
        values = None if case.late else case.values(before + text)
        if values is None:
            continue
        values = [
            np.broadcast_to(v, e.shape) if v.ndim == 0 else v
            for v, e in zip(values, case.expected, strict=True)
        ]
        if all(v.shape == e.shape for v, e in zip(values, case.expected, strict=True)):
            yield text, values


def _shapes(case: Case) -> dict[str, tuple[int, ...]]:
    """The shapes of the inputs, and of what the claim's own statements give names to."""
    sample, claim = case.samples[0], case.problem.claim
    found = {name: np.shape(value) for name, value in sample.point.items() if isinstance(value, np.ndarray)}
    if claim.program is not None and claim.kind == "numpy" and claim.program.assigned:
        try:
            own = claim.program.run_all(claim_values(case.problem, sample.point))
        except JacobiansError:
            return found
        found |= {name: np.shape(value) for name, value in own.items() if name}
    return found


def _texts(case: Case) -> Iterator[str]:
    """Texts of terms that come to mind for a derivative of this shape, simple ones first."""
    shape, arrays = case.expected[0].shape, _shapes(case)
    vectors = [name for name, s in arrays.items() if len(s) == 1]
    matrices = [name for name, s in arrays.items() if len(s) == 2]
    scalars = [name for name, s in arrays.items() if s == ()] + list(case.problem.constants)
    yield from ("1.0", *scalars, *(name for name, s in arrays.items() if s == shape))
    if len(shape) == 2:
        yield from _matrix_texts(case, shape, vectors, matrices)
    if len(shape) > 2:
        yield from _tensor_texts(shape, vectors, matrices)
    yield from _claim_parts(case)
    yield from (f"{s}*{name}" for s in scalars for name, kind in arrays.items() if kind == shape)
    turned = [*matrices, *(f"{m}.T" for m in matrices)]
    yield from (f"{one} @ {two}" for one in turned for two in [*vectors, *turned] if len(shape) < 3)
    yield from (f"{a}*({a} @ {b})" for a in vectors for b in vectors if len(shape) == 1)


def _matrix_texts(
    case: Case, shape: tuple[int, ...], vectors: list[str], matrices: list[str]
) -> Iterator[str]:
    if shape[0] == shape[1]:
        yield f"np.eye({shape[0]})"
    yield from (f"{name}.T" for name in matrices)
    yield from (f"np.outer({a}, {b})" for a in vectors for b in vectors)
    yield from (f"np.diag({name})" for name in vectors)
    own = statement_texts(case.problem.claim)
    if len(own) == 1:
        yield from (f"({own[0]}).T", f"np.diag(np.diag({own[0]}))")
    yield from (f"np.diag(np.diag({name}))" for name in matrices)
    yield from (f"np.outer({part}, {part})" for part in _subexpressions(case)[:12])  # the p p^T of a softmax


def _tensor_texts(shape: tuple[int, ...], vectors: list[str], matrices: list[str]) -> Iterator[str]:
    """Deltas with a vector, a matrix or another delta, and outer products, on three or four axes."""
    letters = "ijkl"[: len(shape)]
    for one in range(len(shape)):
        for two in range(one + 1, len(shape)):
            rest = "".join(x for k, x in enumerate(letters) if k not in (one, two))
            pair, size = letters[one] + letters[two], shape[one]
            if shape[one] != shape[two]:
                continue
            others = vectors if len(rest) == 1 else [*matrices, *(f"{m}.T" for m in matrices)]
            yield from (f"np.einsum('{pair},{rest}->{letters}', np.eye({size}), {other})" for other in others)
            if len(rest) == 2 and "".join(sorted(rest)) > pair:
                inner = shape[letters.index(rest[0])]
                yield f"np.einsum('{pair},{rest}->{letters}', np.eye({size}), np.eye({inner}))"
    if len(shape) == 3:
        yield from (f"np.einsum('i,j,k->ijk', {v}, {v}, {v})" for v in vectors)


def _subexpressions(case: Case) -> list[str]:
    """The operations and calls inside the claim and the function, as text."""
    found: list[str] = []
    for given in (case.problem.claim, case.problem.function):
        if given.program is None or given.kind != "numpy":
            continue
        nodes = list(ast.walk(given.program.steps[-1].node))[:40]
        found += [ast.unparse(node) for node in nodes if isinstance(node, ast.BinOp | ast.Call)]
    return list(dict.fromkeys(found))


def _claim_parts(case: Case) -> list[str]:
    """Subexpressions of claim and function, their transposes and diagonals."""
    found: list[str] = []
    for part in _subexpressions(case):
        text = f"({part})"
        found += [text, f"{text}.T", f"np.diag{text}", f"{text}**2"]
    return found[:80]
