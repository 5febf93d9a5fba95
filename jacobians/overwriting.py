"""Generated lines that use memory again: one array serves a whole elementwise run.

`overwritten(lines, arrays, result, new)` rewrites `c = a + b` as `c = np.add(a, b, a)` where a's memory is
free after this line and what comes out has its shape and type, and where no operand can be overwritten as
`c = np.add(a, b, new())`.  Fresh memory costs page faults, and old memory is still in the cache; numpy does
the same for temporaries inside one expression.  Elementwise lines on large arrays that follow one another
become one call that goes through them block by block (see `threads`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

NAME = r"[^\W\d]\w*"
VIEW = r"\.T|\.transpose\([\d, ]*\)|\.reshape\([\d, ]*\)|\[(?::|None)(?:, (?::|None))*\]"
OPERAND = rf"{NAME}(?:{VIEW})*|\(?-?[\d.]+(?:e[+-]?\d+)?\)?"
LINE = re.compile(rf"({NAME}) = (.*)")
BINARY = re.compile(rf"({OPERAND}) ([-+*/]) ({OPERAND})")
UNARY = re.compile(rf"(?:np\.(\w+)\(({NAME})\)|-({NAME}))")
MATMUL = re.compile(rf"({OPERAND}) @ ({OPERAND})")
DOT = re.compile(rf"({OPERAND})\.dot\(({OPERAND})\)")
RESHAPED = re.compile(rf"\(({OPERAND})(?: @ |\.dot\()({OPERAND})\)?\)\.reshape\(([\d, ]+)\)")
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
    found: list[str | Call] = []
    for k, line in enumerate(lines):
        parts = LINE.fullmatch(line)
        if parts is None or parts[1] not in arrays:
            found.append(line)
            continue
        name, right = parts[1], parts[2]
        operands = [other for other in free.get(k, ()) if arrays[other] == arrays[name]]
        call: str | Call | None = _over(name, right, operands)
        if call is None and _is_new(right) and (place := new(name)) is not None:
            call = _elementwise(name, right, place) or _into(name, right, place, wide(name))
        if isinstance(call, Call) and not (wide(name) and call.is_local):
            call = f"{name} = {call}"
        found.append(line if call is None else call)
    return _gathered(found, arrays)


class Call(NamedTuple):
    """A ufunc of operands whose result, `name`, is written into a place."""

    name: str
    function: str
    operands: tuple[str, ...]
    place: str

    def __str__(self) -> str:
        return f"np.{self.function}({', '.join([*self.operands, self.place])})"

    @property
    def is_local(self) -> bool:
        """Whether it reads its place, if at all, in the order in which it writes it."""
        return self.reads_in_order({self.place})

    def reads_in_order(self, names: Collection[str]) -> bool:
        """Whether it reads each of the names, if at all, whole and in its own order: never a view."""
        return all(
            operand in names or not set(WORD.findall(operand)) & set(names) for operand in self.operands
        )

    def follows(self, run: Sequence[Call], arrays: Mapping[str, Any]) -> bool:
        """Whether it can be computed block by block with the calls of a run.

        What the run makes is read in order, and so was what this call overwrites.
        """
        made = {call.name for call in run} | {call.place for call in run}
        same = arrays[self.name] == arrays[run[0].name]
        return same and self.reads_in_order(made) and all(call.reads_in_order({self.place}) for call in run)


def _gathered(lines: Sequence[str | Call], arrays: Mapping[str, Any]) -> list[str]:
    """The lines, calls that follow one another gathered into one."""
    found: list[str] = []
    run: list[Call] = []
    for line in (*lines, ""):
        if run and not (isinstance(line, Call) and line.follows(run, arrays)):
            found += _run(run)
            run = []
        if isinstance(line, Call):
            run.append(line)
        else:
            found.append(line)
    return found[:-1]


def _run(run: Sequence[Call]) -> list[str]:
    """One call, by several threads; or several together, the places that they need made before."""
    if len(run) == 1:
        (one,) = run
        return [f"{one.name} = apart(np.{one.function}, {', '.join([*one.operands, one.place])})"]
    steps = [f"(np.{call.function}, {', '.join([*call.operands, call.name])})" for call in run]
    return [*(f"{call.name} = {call.place}" for call in run), f"together({', '.join(steps)})"]


def call_into(function: str, operands: Sequence[str], place: str, wide: bool) -> str:
    """The call of a ufunc that writes into a place, by several threads where it is `wide`."""
    texts = ", ".join([*operands, place])
    return f"apart(np.{function}, {texts})" if wide else f"np.{function}({texts})"


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
    known = (MATMUL, DOT, RESHAPED, EINSUM, SUM)
    return _elementwise("", right, "") is not None or any(form.fullmatch(right) for form in known)


def _over(name: str, right: str, operands: Sequence[str]) -> Call | None:
    """An elementwise expression, written into the first of the operands that stands in it whole."""
    call = _elementwise(name, right, "")
    places = [operand for operand in call.operands if operand in operands] if call else []
    return call._replace(place=places[0]) if call and places else None


def _elementwise(name: str, right: str, place: str) -> Call | None:
    """The expression as the call of a ufunc, if it is one."""
    if two := BINARY.fullmatch(right):
        return Call(name, FUNCTION[two[2]], (two[1], two[3]), place)
    one = UNARY.fullmatch(right)
    if one and (one[3] or one[1] in ELEMENTWISE):
        return Call(name, one[1] or "negative", (one[2] or one[3],), place)
    return None


def _into(name: str, right: str, place: str, wide: bool) -> str | None:
    """The line of a product, its result written into a place."""
    if two := MATMUL.fullmatch(right):
        return f"{name} = {'stacked' if wide else 'np.matmul'}({two[1]}, {two[2]}, {place})"
    if two := DOT.fullmatch(right):
        act = f"stacked({two[1]}, " if wide else f"{two[1]}.dot("
        return f"{name} = {act}{two[2]}, {place})"
    if two := EINSUM.fullmatch(right):
        return f"{name} = {einsum_into(two[1], (two[2], two[3]), place, wide)}"
    if two := RESHAPED.fullmatch(right):
        return f"{name} = np.matmul({two[1]}, {two[2]}, {place}).reshape({two[3]})"
    return None
