"""Python as HTML: comments, words and texts in their classes, and the numpy programs of a derivative."""

from __future__ import annotations

import io
import keyword
import tokenize

from ..expression import Graph
from .markup import tag, text

CLASSES = {tokenize.COMMENT: "co", tokenize.STRING: "st", tokenize.NUMBER: "nu"}


def code(source: str, label: str) -> str:
    """A block of Python that scrolls sideways by itself."""
    return tag("pre", tag("code", highlighted(source)), role="region", tabindex="0", aria_label=label)


def highlighted(source: str) -> str:
    """Python with `<span>` around comments, texts, numbers and keywords; unreadable text stays plain."""
    lines = source.splitlines(keepends=True)
    made: list[str] = []
    row, column = 1, 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            kind = (
                "kw"
                if token.type == tokenize.NAME and keyword.iskeyword(token.string)
                else CLASSES.get(token.type)
            )
            if kind is None:
                continue
            made += [
                text(_between(lines, (row, column), token.start), quote=False),
                tag("span", text(token.string, quote=False), class_=kind),
            ]
            row, column = token.end
    except (tokenize.TokenError, IndentationError, SyntaxError):
        return text(source, quote=False)
    return "".join(made) + text(_between(lines, (row, column), (len(lines) + 1, 0)), quote=False)


def _between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    """The text from one place to another (rows from 1)."""
    (a, i), (b, j) = start, end
    if a > len(lines):
        return ""
    if a == b:
        return lines[a - 1][i:j]
    last = lines[b - 1][:j] if b <= len(lines) else ""
    return lines[a - 1][i:] + "".join(lines[a : b - 1]) + last


def programs(graph: Graph, target: str, given: str) -> tuple[str, str]:
    """The numpy program of `∂target/∂given` with its structure used, and in the lecture's style."""
    from ..slides import slides
    from ..standalone import standalone

    for label, node in graph.named.items():
        node.name = node.name or label
    terms = graph.jacobian(target, given).terms
    name = target if target.isidentifier() else "f"
    structured = standalone(
        name, graph.trace.variables, [(target, graph.named[target])], [(f"d{target}/d{given}", terms)]
    )
    return structured, slides(graph, target, [given])
