"""Drawings as inline SVG: the blocks of a Jacobian, its flattened structure, bars.

`block_picture(link)` writes every entry that can be nonzero into its block, `structure_picture(link)` shades
the flattened tensor at any size, `bar(share)` is a bar of a cost table.  Lines and letters use
`currentColor`; classes only add colour.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from ..axes import Poly, entries, magnitude
from ..layouts import shape_text
from ..notation.blocks import Picture, block_titles, counted, picture
from ..notation.naming import Names
from ..notation.records import Link
from ..terms import TermSum
from .markup import tag, text
from .raster import raster

CELL, GAP, HEAD = 26, 22, 20
ROWS, COLUMNS = 24, 48


def svg(width: float, height: float, title: str, body: str, class_: str | None = None) -> str:
    """One drawing with a title; it shrinks with the page."""
    size = {"viewBox": f"0 0 {width:g} {height:g}", "width": f"{width:g}", "height": f"{height:g}"}
    look = {"fill": "currentColor", "font_size": "12", "text_anchor": "middle", "class_": class_}
    fit = "max-width:100%;height:auto"
    return tag("svg", tag("title", text(title)) + body, **size, style=fit, role="img", **look)


def label(x: float, y: float, words: str, more: str = "") -> str:
    """Words at a place, centred."""
    return f'<text x="{x:g}" y="{y:g}"{more}>{text(words)}</text>'


def rect(x: float, y: float, width: float, height: float, class_: str, look: str) -> str:
    """A rectangle."""
    return f'<rect class="{class_}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" {look}/>'


# ---- blocks


def block_picture(link: Link, known: Names | None = None, across: int = 560, most: int = 400) -> str | None:
    """One rectangle for each entry, its symbol in those that can be nonzero; None beyond `most` entries."""
    shape = link.terms.shape
    if (
        not shape
        or any(isinstance(size, Poly) for size in shape)
        or not 0 < magnitude(entries(shape)) <= most
    ):
        return None
    drawn = picture(link, known)
    if drawn is None:
        return None
    words = shape_text(link.terms.target_shape, link.terms.input_shape)
    return _blocks(_parts(link, drawn), f"{link.title}, {words}: {counted(link)}", across)


def _parts(link: Link, drawn: Picture) -> list[tuple[str, list[list[str | None]]]]:
    if len(drawn.target_shape) == 1 and len(drawn.input_shape) <= 1:
        return [("", [drawn.block((i,))[0] for i in range(drawn.target_shape[0])])]
    return [
        (name if drawn.target_shape else "", drawn.block(at))
        for at, name in block_titles(link, drawn.target_shape)
    ]


def _blocks(parts: Sequence[tuple[str, list[list[str | None]]]], title: str, across: int) -> str:
    longest = max((len(cell) for _, rows in parts for row in rows for cell in row if cell), default=1)
    wide = max(CELL, 7 * longest + 8)
    height, columns = len(parts[0][1]) * CELL, len(parts[0][1][0]) * wide
    head = HEAD if any(name for name, _ in parts) else 0
    step = max(columns, 7 * max(len(name) for name, _ in parts)) + GAP
    each = min(len(parts), max(1, (across + GAP) // step))
    body = []
    for k, (name, rows) in enumerate(parts):
        x, y = (k % each) * step, (k // each) * (height + head + GAP)
        inside = (label(columns / 2, -7, name) if name else "") + _cells(rows, wide)
        body.append(f'<g transform="translate({x + 1} {y + head + 1})">{inside}</g>')
    lines = -(-len(parts) // each)
    return svg(each * step - GAP + 2, lines * (height + head + GAP) - GAP + 2, title, "".join(body), "blocks")


def _cells(rows: Sequence[Sequence[str | None]], wide: int) -> str:
    """The cells of a block: those that are zero, those that are not, and the symbols in these."""
    zeros: list[str] = []
    hits: list[str] = []
    words: list[str] = []
    for i, row in enumerate(rows):
        for j, one in enumerate(row):
            box = f'<rect x="{j * wide}" y="{i * CELL}" width="{wide}" height="{CELL}"/>'
            (hits if one else zeros).append(box)
            if one and one != "■":
                words.append(label((j + 0.5) * wide, (i + 0.5) * CELL + 4, one))
    none = f'<g fill="none" stroke="currentColor" stroke-opacity=".3">{"".join(zeros)}</g>' if zeros else ""
    shade = 'class="h" fill-opacity=".15" stroke="currentColor" stroke-opacity=".5"'
    return none + (f"<g {shade}>{''.join(hits)}</g>" if hits else "") + "".join(words)


# ---- the flattened tensor


def structure_picture(
    link: Link, terms: TermSum | None = None, rows: int = ROWS, columns: int = COLUMNS, across: int = 480
) -> str | None:
    """The flattened Jacobian on a coarse grid, darker where more can be nonzero; None for symbolic sizes."""
    grid = raster(terms or link.terms, rows, columns) if link.terms.shape else None
    if grid is None:
        return None
    high, wide = grid.shape
    size = min(16.0, max(4.0, across / wide))
    frame = rect(
        0.5, 0.5, wide * size, high * size, "z", 'fill="none" stroke="currentColor" stroke-opacity=".45"'
    )
    cells = "".join(
        rect(start * size + 0.5, i * size + 0.5, length * size, size, "h", f'fill-opacity="{share:.2g}"')
        for i, line in enumerate(grid.tolist())
        for start, length, share in runs(line)
    )
    shape = shape_text(link.terms.target_shape, link.terms.input_shape)
    words = "rows are target entries, columns input entries"
    title = f"{link.title} flattened, {shape}: {words}; {counted(link)}"
    body = f'{frame}<g shape-rendering="crispEdges">{cells}</g>'
    return svg(wide * size + 1, high * size + 1, title, body, "structure")


def runs(line: Iterable[float]) -> list[tuple[int, int, float]]:
    """Neighbours of one shade as (start, length, shade), the empty ones left out.

    What can be nonzero is never too light to see.

    >>> runs([0.0, 0.001, 0.001, 1.0])
    [(1, 2, 0.2), (3, 1, 0.8)]
    """
    found, start = [], 0
    for shade, group in groupby(round(0.2 + 0.6 * share, 1) if share > 0 else 0.0 for share in line):
        length = len(list(group))
        found += [(start, length, shade)] if shade else []
        start += length
    return found


def bar(share: float, words: str) -> str:
    """A bar of a table, `share` (0 to 1) of its width."""
    body = rect(0, 2, max(1.0, 120 * share), 8, "h", 'rx="1.5" fill-opacity=".75"')
    return svg(120, 12, words, body, "bar")
