"""The graph of named values as inline SVG, from top to bottom, the chain's edges drawn strong.

Values stand in rows by how far they are from the arguments; an edge that skips rows has a place of its own in
each, so that it passes beside the values; neighbours are drawn to one another by a few sweeps of means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from ..notation.svg import layers
from .pictures import label, rect, svg

BOX, TALL, DOWN, ASIDE = 104, 44, 96, 22


def graph_picture(
    notes: Mapping[str, str],
    edges: Sequence[tuple[str, str]],
    heavy: Mapping[tuple[str, str], str],
    title: str = "graph of the named values",
) -> str:
    """Values from top to bottom, each below what it is made from; `notes` by name in evaluation order.

    `heavy` edges are drawn strong and carry their names.
    """
    levels, lines = _levels(list(notes), edges)
    order = _ordered(levels, lines)
    wide = max(BOX, 7 * max(max(len(name), len(note)) for name, note in notes.items()) + 18)
    step = wide + ASIDE
    span = max(map(len, order)) * step - ASIDE
    at: dict[str, tuple[float, float]] = {}
    for k, level in enumerate(order):
        left = (span - (len(level) * step - ASIDE)) / 2
        at |= {name: (left + j * step + wide / 2, k * DOWN) for j, name in enumerate(level)}
    ends = {name for pair in heavy for name in pair}
    body = [
        _edge(at, line, (line[0], line[-1]) in heavy, heavy.get((line[0], line[-1]), "")) for line in lines
    ]
    body += [_box(at[name], wide, name, note, name in ends) for name, note in notes.items()]
    height = (len(order) - 1) * DOWN + TALL
    return svg(span + 2, height + 2, title, f'<g transform="translate(1 1)">{"".join(body)}</g>', "graph")


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
        for a, b in pairwise(line):
            beside[a].append(b)
            beside[b].append(a)
    for _ in range(4):
        place = {name: (k + 0.5) / len(row) for row in rows for k, name in enumerate(row)}
        for row in rows:
            means = {name: sum(place[n] for n in beside[name]) / max(1, len(beside[name])) for name in row}
            row.sort(key=lambda name: (round(means[name], 6), place[name]))
            place |= {name: (k + 0.5) / len(row) for k, name in enumerate(row)}
    return rows


def _edge(at: Mapping[str, tuple[float, float]], line: Sequence[str], strong: bool, name: str) -> str:
    """A curve from row to row with an arrow; its name beside the middle where it is strong."""
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
    kind = "chain" if strong else "edge"
    drawn = f'<path class="{kind}" d="{path}" fill="none" stroke="currentColor" {look}/>'
    first, last = at[line[0]], at[line[-1]]
    middle = (first[0] + last[0]) / 2 + 8, (first[1] + last[1] + TALL) / 2 + 4
    return drawn + (label(*middle, name, ' text-anchor="start" class="chain"') if name and strong else "")


def _box(at: tuple[float, float], wide: float, name: str, note: str, strong: bool) -> str:
    x, y = at
    look = 'stroke-width="2"' if strong else 'stroke-opacity=".55"'
    look = f'rx="8" fill-opacity=".06" stroke="currentColor" {look}'
    box = rect(x - wide / 2, y, wide, TALL, "on" if strong else "off", look)
    return box + label(x, y + 18, name, ' font-size="15" font-style="italic"') + label(x, y + 35, note)
