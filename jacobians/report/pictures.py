"""Drawings as inline SVG: the blocks of a Jacobian, its flattened structure, the graph of named values, bars.

`block_picture(link)` writes every entry that can be nonzero into its block, `structure_picture(link)` shades the
flattened tensor at any size, `graph_picture(...)` draws values from top to bottom with the chain's edges heavy,
`bar(share)` a bar of a cost table.  Lines and letters use `currentColor`; classes only add colour.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from ..axes import Poly, entries, magnitude
from ..layouts import shape_text
from ..notation.blocks import Picture, block_titles, counted, picture
from ..notation.naming import Names
from ..notation.records import Link
from ..notation.svg import layers
from ..terms import TermSum
from .markup import tag, text
from .raster import raster

CELL, GAP, HEAD = 26, 22, 20
BOX, TALL, DOWN, ASIDE = 104, 44, 96, 22
ROWS, COLUMNS = 24, 48


def svg(width: float, height: float, title: str, body: str, class_: str | None = None) -> str:
    """One drawing with a title; it shrinks with the page."""
    return tag(
        "svg", tag("title", text(title)) + body, viewBox=f"0 0 {width:g} {height:g}", width=f"{width:g}",
        height=f"{height:g}", style="max-width:100%;height:auto", role="img", fill="currentColor", font_size="12", text_anchor="middle", class_=class_,
    )  # fmt: skip


# ---- blocks


def block_picture(link: Link, known: Names | None = None, across: int = 560, most: int = 400) -> str | None:
    """One rectangle for each entry, its symbol in those that can be nonzero; None beyond `most` entries."""
    shape = link.terms.shape
    if not shape or any(isinstance(size, Poly) for size in shape) or not 0 < magnitude(entries(shape)) <= most:
        return None
    drawn = picture(link, known)
    if drawn is None:
        return None
    words = shape_text(link.terms.target_shape, link.terms.input_shape)
    return _blocks(_parts(link, drawn), f"{link.title}, {words}: {counted(link)}", across)


def _parts(link: Link, drawn: Picture) -> list[tuple[str, list[list[str | None]]]]:
    if len(drawn.target_shape) == 1 and len(drawn.input_shape) <= 1:
        return [("", [drawn.block((i,))[0] for i in range(drawn.target_shape[0])])]
    return [(name if drawn.target_shape else "", drawn.block(at)) for at, name in block_titles(link, drawn.target_shape)]


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
        inside = _label(columns / 2, -7, name) if name else ""
        inside += "".join(_cell(j * wide, i * CELL, wide, one) for i, row in enumerate(rows) for j, one in enumerate(row))
        body.append(f'<g transform="translate({x + 1} {y + head + 1})">{inside}</g>')
    lines = -(-len(parts) // each)
    return svg(each * step - GAP + 2, lines * (height + head + GAP) - GAP + 2, title, "".join(body), "blocks")


def _cell(x: float, y: float, wide: float, one: str | None) -> str:
    box = f'<rect x="{x:g}" y="{y:g}" width="{wide:g}" height="{CELL}"'
    if not one:
        return f'{box} class="z" fill="none" stroke="currentColor" stroke-opacity=".25"/>'
    shade = f'{box} class="h" fill-opacity=".15" stroke="currentColor" stroke-opacity=".45"/>'
    return shade + (_label(x + wide / 2, y + CELL / 2 + 4, one) if one != "■" else "")


def _label(x: float, y: float, words: str, more: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}"{more}>{text(words)}</text>'


# ---- the flattened tensor


def structure_picture(link: Link, terms: TermSum | None = None, rows: int = ROWS, columns: int = COLUMNS, across: int = 480) -> str | None:
    """The flattened Jacobian on a coarse grid, darker where more entries can be nonzero; None for symbolic sizes."""
    grid = raster(terms or link.terms, rows, columns) if link.terms.shape else None
    if grid is None:
        return None
    high, wide = grid.shape
    size = min(16.0, max(4.0, across / wide))
    body = [f'<rect x=".5" y=".5" width="{wide * size:g}" height="{high * size:g}" fill="none" stroke="currentColor" stroke-opacity=".45"/><g shape-rendering="crispEdges">']
    for i, line in enumerate(grid.tolist()):
        for start, length, share in runs(line):
            body.append(
                f'<rect class="h" x="{start * size + 0.5:g}" y="{i * size + 0.5:g}" width="{length * size:g}" height="{size:g}" fill-opacity="{share:.2g}"/>'
            )
    shape = shape_text(link.terms.target_shape, link.terms.input_shape)
    title = f"{link.title} flattened, {shape}: rows are target entries, columns input entries; {counted(link)}"
    return svg(wide * size + 1, high * size + 1, title, "".join(body) + "</g>", "structure")


def runs(line: Iterable[float]) -> list[tuple[int, int, float]]:
    """Neighbours of one shade as (start, length, shade), the empty ones left out; what is reached is never invisible.

    >>> runs([0.0, 0.001, 0.001, 1.0])
    [(1, 2, 0.2), (3, 1, 0.8)]
    """
    found, start = [], 0
    for shade, group in groupby(round(0.2 + 0.6 * share, 1) if share > 0 else 0.0 for share in line):
        length = len(list(group))
        found += [(start, length, shade)] if shade else []
        start += length
    return found


# ---- the graph


def graph_picture(
    notes: Mapping[str, str], edges: Sequence[tuple[str, str]], heavy: Iterable[tuple[str, str]] = (), labels: Mapping[tuple[str, str], str] | None = None, title: str = "graph of the named values"
) -> str:
    """Values from top to bottom, each below what it is made from; `notes` by name in evaluation order.

    `heavy` edges are drawn strong and carry their `labels`.
    """
    levels, lines = _levels(list(notes), edges)
    order = _ordered(levels, lines)
    longest = max(max(len(name), len(note)) for name, note in notes.items())
    wide = max(BOX, 7 * longest + 18)
    step = wide + ASIDE
    span = max(map(len, order)) * step - ASIDE
    at: dict[str, tuple[float, float]] = {}
    for k, level in enumerate(order):
        left = (span - (len(level) * step - ASIDE)) / 2
        at |= {name: (left + j * step + wide / 2, k * DOWN) for j, name in enumerate(level)}
    strong = set(heavy)
    body = [_edge(at, line, line[0], (line[0], line[-1]) in strong, (labels or {}).get((line[0], line[-1]), "")) for line in lines]
    body += [_box(at[name], wide, name, note, any(name in pair for pair in strong)) for name, note in notes.items()]
    height = (len(order) - 1) * DOWN + TALL
    moved = f'<g transform="translate(1 1)">{"".join(body)}</g>'
    return svg(span + 2, height + 2, title, moved, "graph")


def _levels(names: list[str], edges: Sequence[tuple[str, str]]) -> tuple[list[list[str]], list[list[str]]]:
    """Rows of values (and of places where a long edge passes), and each edge as its stops from row to row."""
    level = dict(layers(names, edges))
    for name in names:  # what nothing is computed into stands just above its first use
        later = [level[b] for a, b in edges if a == name]
        if later and not any(b == name for _, b in edges):
            level[name] = min(later) - 1
    rows: list[list[str]] = [[] for _ in range(max(level.values(), default=0) + 1)]
    for name in names:
        rows[level[name]].append(name)
    lines = []
    for a, b in edges:
        stops = [f"{a}\0{b}\0{k}" for k in range(level[a] + 1, level[b])]
        for k, stop in enumerate(stops, level[a] + 1):
            rows[k].append(stop)
        lines.append([a, *stops, b])
    return rows, lines


def _ordered(rows: list[list[str]], lines: Sequence[Sequence[str]]) -> list[list[str]]:
    """Rows in which neighbours stand near their neighbours above and below: a few sweeps of means."""
    beside: dict[str, list[str]] = {name: [] for row in rows for name in row}
    for line in lines:
        for a, b in zip(line, line[1:], strict=False):
            beside[a].append(b)
            beside[b].append(a)
    for _ in range(4):
        place = {name: (k + 0.5) / len(row) for row in rows for k, name in enumerate(row)}
        for row in rows:
            means = {name: sum(place[n] for n in beside[name]) / max(1, len(beside[name])) for name in row}
            row.sort(key=lambda name: (round(means[name], 6), place[name]))  # noqa: B023
            place |= {name: (k + 0.5) / len(row) for k, name in enumerate(row)}
    return rows


def _edge(at: Mapping[str, tuple[float, float]], line: Sequence[str], name: str, strong: bool, label: str) -> str:
    x, y = at[line[0]][0], at[line[0]][1] + TALL
    path = f"M{x:g} {y:g}"
    for stop in line[1:]:
        u, v = at[stop]
        end = v - 3 if stop == line[-1] else v + TALL / 2
        bend = (end - y) / 2
        path += f"C{x:g} {y + bend:g} {u:g} {end - bend:g} {u:g} {end:g}"
        x, y = u, end
    path += f"M{x - 4:g} {y - 7:g}L{x:g} {y:g}L{x + 4:g} {y - 7:g}"
    look = 'stroke-width="2.2"' if strong else 'stroke-width="1.2" stroke-opacity=".55"'
    drawn = f'<path class="{"chain" if strong else "edge"}" d="{path}" fill="none" stroke="currentColor" {look}/>'
    first, last = at[line[0]], at[line[-1]]
    x, y = (first[0] + last[0]) / 2, (first[1] + last[1] + TALL) / 2
    return drawn + (_label(x + 8, y + 4, label, ' text-anchor="start" class="chain"') if label and strong else "")


def _box(at: tuple[float, float], wide: float, name: str, note: str, strong: bool) -> str:
    x, y = at
    look = 'stroke-width="2"' if strong else 'stroke-opacity=".55"'
    box = f'<rect class="{"on" if strong else "off"}" x="{x - wide / 2:g}" y="{y:g}" width="{wide:g}" height="{TALL}" rx="8" fill-opacity=".06" stroke="currentColor" {look}/>'
    return box + _label(x, y + 18, name, ' font-size="15" font-style="italic"') + _label(x, y + 35, note)


def bar(share: float, label: str) -> str:
    """A bar of a table, `share` (0 to 1) of its width."""
    wide = max(1.0, 120 * share)
    body = f'<rect class="h" x="0" y="2" width="{wide:g}" height="8" rx="1.5" fill-opacity=".75"/>'
    return tag("svg", tag("title", text(label)) + body, viewBox="0 0 120 12", width="120", height="12", role="img", fill="currentColor", class_="bar")
