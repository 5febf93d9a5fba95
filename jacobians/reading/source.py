"""Statements of a text and places in them, before anything is parsed.

- `split_statements(text)` cuts a text at `;` and line ends outside brackets, and refuses what no reader
  should meet: too long, brackets nested too deep, unclosed or crossed, a quote used as a transpose.
- `Statement` is one of them; `Statement.error(...)` builds an error with a caret under the place.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from jacobians.errors import BudgetError, JacobiansError, ReadingError, caret

MAX_TEXT = 20_000  # characters
MAX_NESTING = 50  # brackets inside one another, and levels of a syntax tree
MAX_STATEMENTS = 1_000
MAX_SHOWN = 90  # characters of a line that an error shows

_CLOSING = {")": "(", "]": "[", "}": "{"}
_WITH_STRINGS = re.compile(r"#[^\n]*|'[^'\n]*'|\"[^\"\n]*\"|[()\[\]{};\n'\"\\]")
_WITHOUT_STRINGS = re.compile(r"#[^\n]*|[()\[\]{};\n\"\\]")


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a text: its own text, its number from 1, and how many there are.

    >>> print(Statement("z = W @ x", 2, 3).error("unknown name 'W'", 4, 5))
    unknown name 'W'
      statement 2: z = W @ x
                       ^
    """

    text: str
    number: int
    count: int

    def error(
        self,
        what: str,
        start: int,
        end: int | None = None,
        instead: str = "",
        *,
        note: str = "",
        kind: type[JacobiansError] = ReadingError,
    ) -> JacobiansError:
        """The error `kind` with a caret under characters `start` to `end`; `note` stands beside the caret."""
        return kind(what, self.where(start, end, note), instead)

    def where(self, start: int, end: int | None = None, note: str = "") -> str:
        """The line that holds character `start`, with carets up to `end`, cropped to a readable width."""
        start = min(start, len(self.text))
        begin = self.text.rfind("\n", 0, start) + 1
        stop = self.text.find("\n", start)
        line = self.text[begin : stop if stop >= 0 else len(self.text)]
        first = start - begin
        last = min(max(end - begin if end is not None else first + 1, first + 1), max(len(line), first + 1))
        line, first, last = _crop(line, first, last)
        label = f"statement {self.number}: " if self.count > 1 else ""
        shown = caret(label + line, len(label) + first, len(label) + last)
        return f"{shown}  {note}" if note else shown

    def span(self, node: ast.AST) -> tuple[int, int]:
        """First and last (exclusive) character of a syntax tree node of this statement."""
        line, end_line = getattr(node, "lineno", 1), getattr(node, "end_lineno", None)
        start = self._offset(line, getattr(node, "col_offset", 0))
        stop = self._offset(end_line or line, getattr(node, "end_col_offset", None) or 0)
        return start, max(stop, start + 1)

    def segment(self, node: ast.AST) -> str:
        """The node's own text on one line, shortened in the middle if long."""
        start, stop = self.span(node)
        text = " ".join(self.text[start:stop].split())
        return text if len(text) <= 60 else f"{text[:40]} ... {text[-15:]}"

    def _offset(self, line: int, column: int) -> int:
        # ast counts columns in UTF-8 bytes
        lines = self.text.split("\n")
        before = sum(len(text) + 1 for text in lines[: line - 1])
        here = lines[line - 1] if line <= len(lines) else ""
        return before + len(here.encode("utf-8", "replace")[:column].decode("utf-8", "ignore"))


def _crop(line: str, first: int, last: int) -> tuple[str, int, int]:
    if len(line) <= MAX_SHOWN:
        return line, first, last
    begin = max(0, min(first - MAX_SHOWN // 3, len(line) - MAX_SHOWN))
    shown = line[begin : begin + MAX_SHOWN]
    head, tail = "..." if begin else "", "..." if begin + MAX_SHOWN < len(line) else ""
    shift = len(head) - begin
    return head + shown + tail, first + shift, min(last + shift, len(head) + MAX_SHOWN)


@dataclass(slots=True)
class _Scan:
    """The state of one pass over a text: open brackets, and the bracket pair closed last."""

    text: str
    opened: list[int] = field(default_factory=list)
    closed: tuple[int, int] = (-1, -1)

    def fail(self, what: str, at: int, instead: str = "") -> JacobiansError:
        """An error at character `at` of the whole text."""
        before = self.text[:at]
        number = 1 + sum(1 for part in re.split(r"[;\n]", before)[:-1] if part.strip())
        begin = max(before.rfind("\n"), before.rfind(";")) + 1
        line = re.split(r"[;\n]", self.text[begin:], maxsplit=1)[0]
        skipped = len(line) - len(line.lstrip())
        many = 2 if re.search(r"[;\n]\s*\S", self.text) else 1
        return Statement(line.strip(), number, many).error(what, at - begin - skipped, None, instead)

    def bracket(self, at: int) -> None:
        """Open or close the bracket at `at`."""
        sign = self.text[at]
        if sign not in _CLOSING:
            self.opened.append(at)
            if len(self.opened) > MAX_NESTING:
                raise self.fail(
                    f"brackets nest deeper than {MAX_NESTING}", at, "name the inner parts: z = ...; f = ..."
                )
            return
        if not self.opened:
            raise self.fail(f"{sign!r} closes no bracket", at, "remove it, or open one before")
        start = self.opened.pop()
        if self.text[start] != _CLOSING[sign]:
            raise self.fail(
                f"{sign!r} closes {self.text[start]!r}", at, "close brackets in the order they were opened"
            )
        self.closed = (start, at)

    def quote(self, at: int) -> None:
        """Refuse a quote that stands where a transpose would."""
        before = self.text[:at]
        word = re.search(r"[^\W\d][\w.]*$", before)
        if word is None and before[-1:] in (")", "]") and self.closed[1] == at - 1:
            start = self.closed[0]
            word = re.search(r"[\w.]*$", before[:start])
            begin = word.start() if word else start
        elif word is not None:
            begin = word.start()
        else:
            return
        name = self.text[begin:at]
        shown = name if len(name) <= 40 else name[:18] + "..." + name[-18:]
        hint = f"write {shown}.T (matrixcalculus.org syntax: * is \u2299 here, @ is the product)"
        raise self.fail(f'cannot read "{shown}\'": a quote is not transpose', at, hint)


def check_numbers(statement: Statement) -> None:
    """Refuse a number that runs into a word: `1for` is no number, and Python only warns of it."""
    found = re.search(r"(?<!\w)\d[\d.]*(?:and|else|for|if|in|is|not|or)\b", statement.text)
    if found:
        raise statement.error("a space is missing after the number", *found.span(), "1 if x else 2")


def split_statements(text: str, *, strings: bool = True) -> tuple[Statement, ...]:
    """The statements of `text`: cut at `;` and line ends outside brackets, comments dropped.

    With `strings=False` a single quote is an ordinary character (a transpose).
    Raises ReadingError or BudgetError for a text that is empty, too long or badly bracketed.

    >>> [s.text for s in split_statements("z = A @ x; f = tanh(z)  # layer")]
    ['z = A @ x', 'f = tanh(z)']
    """
    if not isinstance(text, str):
        raise ReadingError(
            f"a text is expected, not {type(text).__name__}", "", 'a string such as "A @ x + b"'
        )
    if len(text) > MAX_TEXT:
        raise BudgetError(
            f"the text has {len(text)} characters, the limit is {MAX_TEXT}", "", "a shorter text"
        )
    parts = [part for part in _parts(text, strings) if part]
    if not parts:
        raise ReadingError("there is no statement to read", "", 'a text such as "z = A @ x + b"')
    if len(parts) > MAX_STATEMENTS:
        raise BudgetError(
            f"there are {len(parts)} statements, the limit is {MAX_STATEMENTS}", "", "a shorter text"
        )
    return tuple(Statement(part, number, len(parts)) for number, part in enumerate(parts, 1))


def _parts(text: str, strings: bool) -> Iterator[str]:
    scan, begin, pieces = _Scan(text), 0, list[str]()
    for match in (_WITH_STRINGS if strings else _WITHOUT_STRINGS).finditer(text):
        at, sign = match.start(), match.group()
        if sign[0] == "#":
            pieces.append(text[begin:at])
            begin = match.end()
        elif sign[0] in "'\"":
            scan.quote(at)
            if "\\" in sign:
                raise scan.fail("a backslash cannot be read", at, "strings without it")
            if len(sign) == 1:
                raise scan.fail(f"the quote {sign} is never closed", at, "close it, or remove it")
        elif sign == "\\":
            raise scan.fail(
                "a backslash cannot be read", at, "line breaks inside brackets, or ; between statements"
            )
        elif sign in ";\n":
            if not scan.opened:
                yield "".join([*pieces, text[begin:at]]).strip()
                begin, pieces = match.end(), []
            elif sign == ";":
                raise scan.fail("';' stands inside a bracket", at, "close the bracket first")
        else:
            scan.bracket(at)
    if scan.opened:
        at = scan.opened[-1]
        raise scan.fail(f"{text[at]!r} is never closed", at, "close it")
    yield "".join([*pieces, text[begin:]]).strip()
