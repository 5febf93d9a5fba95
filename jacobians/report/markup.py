"""Elements of HTML as text: `tag`, `table`, `scroll`; every text that is not markup goes through `text`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape as text

from ..axes import Poly, Size, show

__all__ = ["count", "joined", "scroll", "table", "tag", "text"]


def tag(name: str, content: str = "", **attributes: str | None) -> str:
    """One element; an attribute that is None is left out, `class_` and `for_` lose their underscore.

    >>> tag("p", "a &lt; b", class_="note", id=None)
    '<p class="note">a &lt; b</p>'
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{given}>{content}</{name}>"


def joined(parts: Iterable[str]) -> str:
    """Parts that are not empty, on lines of their own."""
    return "\n".join(part for part in parts if part)


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], class_: str | None = None) -> str:
    """A table of markup cells with a caption, column headers, and the first cell of every row its header."""
    heads = "".join(tag("th", cell, scope="col") for cell in head)
    body = "".join(
        tag("tr", tag("th", first, scope="row") + "".join(tag("td", cell) for cell in rest))
        for first, *rest in rows
    )
    title = tag("caption", caption) if caption else ""
    return tag(
        "table", title + tag("thead", tag("tr", heads)) + tag("tbody", body), class_=class_, cellpadding="5"
    )


def count(size: Size) -> str:
    """A count with its digits in threes: `1 000 000`; a polynomial as it is printed.

    >>> count(1234), count(36_000).split()
    ('1234', ['36', '000'])
    """
    if isinstance(size, Poly) or abs(size) < 10_000:
        return text(show(size))
    return f"{size:,}".replace(",", "\u202f")


def scroll(content: str, label: str) -> str:
    """A box that scrolls sideways by itself, reachable by keyboard."""
    return tag("div", content, class_="scroll", role="region", tabindex="0", aria_label=label)
