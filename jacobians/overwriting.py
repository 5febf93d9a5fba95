"""Generated lines that use memory again: one array serves a whole elementwise run.

`overwritten(lines, arrays, result, new)` rewrites `c = a + b` as `c = np.add(a, b, a)` where a's memory is
free after this line and what comes out has its shape and type, and where no operand can be overwritten as
`c = np.add(a, b, new())`.  Fresh memory costs page faults, and old memory is still in the cache; numpy does
the same for temporaries inside one expression.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

NAME = r"[^\W\d]\w*"
VIEW = r"\.T|\.transpose\([\d, ]*\)|\.reshape\([\d, ]*\)|\[[:, None]*\]"
OPERAND = rf"{NAME}(?:{VIEW})*|\(?-?[\d.]+(?:e[+-]?\d+)?\)?"
LINE = re.compile(rf"({NAME}) = (.*)")
BINARY = re.compile(rf"({OPERAND}) ([-+*/]) ({OPERAND})")
UNARY = re.compile(rf"(?:np\.(\w+)\(({NAME})\)|-({NAME}))")
MATMUL = re.compile(rf"({OPERAND}) @ ({OPERAND})")
RESHAPED = re.compile(rf"\(({OPERAND}) @ ({OPERAND})\)\.reshape\(([\d, ]+)\)")
EINSUM = re.compile(rf'np\.einsum\("([^"]*)", ({NAME}), ({NAME})\)')
SUM = re.compile(rf"{NAME}\.sum\(.*\)")
WORD = re.compile(NAME)
FUNCTION = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide"}
ELEMENTWISE = frozenset({
    "tanh", "exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "log1p", "expm1", "square", "abs",
    "negative", "reciprocal", "arctan", "arcsin", "arccos",
})  # fmt: skip


def overwritten(
    lines: Sequence[str],
    arrays: Mapping[str, Any],
    result: str,
    new: Callable[[str], str | None] = lambda name: None,
    wide: Callable[[str], bool] = lambda name: False,
) -> list[str]:
    """The lines, results written over operands that nobody needs any more, or into memory used before.

    `arrays` are the names whose memory may be used again, with what two arrays must share for that (shape
    and type); `result` is the expression that the lines are for; `new(name)` is the expression of an array
    that waits for the values of this name, before they are reshaped, if there is one; the names that are
    `wide` are computed by several threads.
    """
    free = _free(lines, arrays, result)
    found = []
    for k, line in enumerate(lines):
        parts = LINE.fullmatch(line)
        if parts is None or parts[1] not in arrays:
            found.append(line)
            continue
        kind = arrays[parts[1]]
        operands = [name for name in free.get(k, ()) if arrays[name] == kind]
        made = _over(parts[2], operands, wide(parts[1]))
        if made is None and _is_new(parts[2]) and (place := new(parts[1])) is not None:
            made = _into(parts[2], place, wide(parts[1]))
        found.append(line if made is None else f"{parts[1]} = {made}")
    return found


def call_into(function: str, operands: Sequence[str], place: str, wide: bool) -> str:
    """The call of a ufunc that writes into a place, by several threads where it is `wide`.

    What reads the place in another order than it is written in stays whole.
    """
    safe = all(operand == place or place not in WORD.findall(operand) for operand in operands)
    texts = ", ".join([*operands, place])
    return f"apart(np.{function}, {texts})" if wide and safe else f"np.{function}({texts})"


def einsum_into(equation: str, operands: Sequence[str], place: str, wide: bool) -> str:
    """The same of an outer product."""
    texts = f'"{equation}", {", ".join(operands)}'
    return f"apart_einsum({texts}, {place})" if wide else f"np.einsum({texts}, out={place})"


def _free(lines: Sequence[str], arrays: Mapping[str, Any], result: str) -> dict[int, list[str]]:
    """By line, the arrays that the line uses last and that nothing else is a view of."""
    last = dict.fromkeys(arrays, -1)
    own: set[str] = set()
    for k, line in enumerate([*lines, result]):
        parts = LINE.fullmatch(line)
        new = parts is not None and _is_new(parts[2])
        used = set(WORD.findall(parts[2] if parts else line)).intersection(arrays)
        for name in used:
            last[name] = k
            if not new:
                own.discard(name)
        if parts and new and parts[1] in arrays:
            own.add(parts[1])
    found: dict[int, list[str]] = {}
    for name in sorted(own):
        found.setdefault(last[name], []).append(name)
    return found


def _is_new(right: str) -> bool:
    """Whether the expression makes an array that shares no memory with its operands."""
    call = UNARY.fullmatch(right)
    known = (BINARY, MATMUL, RESHAPED, EINSUM, SUM)
    return bool(call and (call[3] or call[1] in ELEMENTWISE)) or any(form.fullmatch(right) for form in known)


def _over(right: str, operands: Sequence[str], wide: bool) -> str | None:
    """An elementwise expression, written into the first of the operands that stands in it whole."""
    two, one = BINARY.fullmatch(right), UNARY.fullmatch(right)
    places = [two[1], two[3]] if two else [one[2] or one[3]] if one else []
    return next((_into(right, place, wide) for place in places if place in operands), None)


def _into(right: str, place: str, wide: bool) -> str | None:
    """The expression, its result written into a place."""
    if two := BINARY.fullmatch(right):
        return call_into(FUNCTION[two[2]], (two[1], two[3]), place, wide)
    if two := MATMUL.fullmatch(right):
        return call_into("matmul", (two[1], two[2]), place, wide=False)
    if two := EINSUM.fullmatch(right):
        return einsum_into(two[1], (two[2], two[3]), place, wide)
    if two := RESHAPED.fullmatch(right):
        return f"{call_into('matmul', (two[1], two[2]), place, wide=False)}.reshape({two[3]})"
    one = UNARY.fullmatch(right)
    if one and (one[3] or one[1] in ELEMENTWISE):
        return call_into(one[1] or "negative", (one[2] or one[3],), place, wide)
    return None
