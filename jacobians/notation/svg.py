"""Pictures as inline SVG: the blocks of a Jacobian, and the graph of an expression.

`block_svg(link)` draws one rectangle for each entry (a coarse grid for large sizes), filled where the entry
can be nonzero; `graph_svg(vertices, edges)` draws a small graph in layers.  Lines and letters use
`currentColor`, so that both read in light and in dark; every picture has a title.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from ..axes import Poly, entries, magnitude
from ..layouts import shape_text
from .blocks import block_titles, counted, density, picture
from .naming import Names
from .records import Link

CELL, GAP, HEAD = 26, 22, 20
FONT = 'font-family="ui-monospace, monospace" font-size="11"'


def _svg(width: float, height: float, title: str, body: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" style="max-width:100%;height:auto" role="img" {FONT} fill="currentColor" '
        f'text-anchor="middle"><title>{escape(title)}</title>{"".join(body)}</svg>'
    )


def _rect(x: float, y: float, width: float, height: float, opacity: float, more: str = "") -> str:
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill-opacity="{opacity:g}" '
        f'stroke="currentColor" stroke-opacity=".35"{more}/>'
    )


def _text(x: float, y: float, text: str, more: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}"{more}>{escape(text)}</text>'


def block_svg(link: Link, known: Names | None = None, across: int = 720) -> str | None:
    """The block picture of a Jacobian: one rectangle for each entry; None where there is no picture."""
    drawn = picture(link, known)
    shape = shape_text(link.terms.target_shape, link.terms.input_shape)
    title = f"{link.title}, {shape}: {counted(link)}"
    if drawn is None:
        return _coarse_svg(link, title, across)
    if len(drawn.target_shape) == 1 and len(drawn.input_shape) <= 1:
        rows = [drawn.block((i,))[0] for i in range(drawn.target_shape[0])]
        blocks = [(link.title, rows)]
    else:
        blocks = [(name, drawn.block(at)) for at, name in block_titles(link, drawn.target_shape)]
    return _blocks_svg(blocks, title, across)


def _blocks_svg(blocks: Sequence[tuple[str, list[list[str | None]]]], title: str, across: int) -> str:
    longest = max((len(text) for _, rows in blocks for row in rows for text in row if text), default=1)
    wide = max(CELL, 8 * longest + 6)
    columns, height = len(blocks[0][1][0]), len(blocks[0][1])
    step = max(columns * wide, 7 * len(blocks[0][0])) + GAP
    each = max(1, int((across + GAP) // step))
    body: list[str] = []
    for k, (name, rows) in enumerate(blocks):
        x = (k % each) * step + 1
        y = (k // each) * (height * CELL + HEAD + GAP) + HEAD
        body.append(_text(x + columns * wide / 2, y - 6, name))
        for i, row in enumerate(rows):
            for j, text in enumerate(row):
                body.append(_rect(x + j * wide, y + i * CELL, wide, CELL, 0.16 if text else 0))
                if text and text != "■":
                    body.append(_text(x + (j + 0.5) * wide, y + (i + 0.5) * CELL + 4, text))
    count = -(-len(blocks) // each)
    total = count * (height * CELL + HEAD + GAP) - GAP + 2
    return _svg(min(each, len(blocks)) * step - GAP + 2, total, title, body)


def _coarse_svg(link: Link, title: str, across: int) -> str | None:
    shape = link.terms.shape
    if any(isinstance(size, Poly) for size in shape) or not magnitude(entries(shape)):
        return None
    grid = density(link.terms, 24, 60)
    if grid is None:
        return None
    size = min(12, across / max(1, grid.shape[1]))
    width, height = grid.shape[1] * size, grid.shape[0] * size
    body = [_rect(1, 1, width, height, 0)]
    for i, row in enumerate(grid.tolist()):
        for start, length, share in _runs(row):
            shade = f'fill-opacity="{0.15 + 0.75 * share:.2g}"'
            x, y = start * size + 1, i * size + 1
            body.append(f'<rect x="{x:g}" y="{y:g}" width="{length * size:g}" height="{size:g}" {shade}/>')
    return _svg(width + 2, height + 2, title, body)


def _runs(row: Sequence[float]) -> list[tuple[int, int, float]]:
    """Neighbours of one share as (start, length, share), without the zeros: one rectangle for each."""
    found, start = [], 0
    for share, group in groupby(round(value, 1) if value > 0.05 else value for value in row):
        length = len(list(group))
        found += [(start, length, share)] if share else []
        start += length
    return found


@dataclass(frozen=True, slots=True)
class Vertex:
    """A value of an expression graph: its name, and what is written under it (an operation, a shape)."""

    name: str
    note: str = ""


def graph_svg(
    vertices: Sequence[Vertex], edges: Sequence[tuple[str, str]], title: str = "expression graph"
) -> str:
    """A graph in layers from left to right: each value to the right of what it is computed from."""
    layer = layers([vertex.name for vertex in vertices], edges)
    columns: dict[int, list[Vertex]] = {}
    for vertex in vertices:
        columns.setdefault(layer[vertex.name], []).append(vertex)
    wide = 8 * max([8, *(max(len(v.name), len(v.note)) for v in vertices)]) + 16
    tall, step = 40, wide + 56
    most = max((len(column) for column in columns.values()), default=1)
    at: dict[str, tuple[float, float]] = {}
    for k, column in columns.items():
        shift = (most - len(column)) / 2
        for row, vertex in enumerate(column):
            at[vertex.name] = (k * step + 1, (row + shift) * (tall + 18) + 1)
    body = [_edge(at[a], at[b], wide, tall) for a, b in edges]
    for vertex in vertices:
        x, y = at[vertex.name]
        body.append(_rect(x, y, wide, tall, 0.06, ' rx="6"'))
        body.append(_text(x + wide / 2, y + (17 if vertex.note else 24), vertex.name))
        if vertex.note:
            body.append(_text(x + wide / 2, y + 32, vertex.note, ' font-size="10"'))
    return _svg(len(columns) * step - 54, most * (tall + 18) - 16, title, body)


def _edge(start: tuple[float, float], end: tuple[float, float], wide: float, tall: float) -> str:
    x, y = start[0] + wide, start[1] + tall / 2
    u, v = end[0], end[1] + tall / 2
    bend = (u - x) / 2
    curve = f"M{x:g} {y:g} C{x + bend:g} {y:g} {u - bend:g} {v:g} {u:g} {v:g}"
    head = f"M{u - 6:g} {v - 4:g} L{u:g} {v:g} L{u - 6:g} {v + 4:g}"
    return f'<path d="{curve} {head}" fill="none" stroke="currentColor" stroke-opacity="0.6"/>'


def layers(vertices: Sequence[str], edges: Sequence[tuple[str, str]]) -> Mapping[str, int]:
    """The longest path to every vertex; vertices are in evaluation order.

    >>> layers(["x", "z", "f"], [("x", "z"), ("z", "f"), ("x", "f")])
    {'x': 0, 'z': 1, 'f': 2}
    """
    layer = dict.fromkeys(vertices, 0)
    for vertex in vertices:
        before = [layer[a] + 1 for a, b in edges if b == vertex]
        layer[vertex] = max(before, default=0)
    return layer
