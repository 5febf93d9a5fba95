"""Cost tables: one `CostRow` for each order, a `CostTable` of them that prints, and goes to JSON.

Counts are exact and their units named: multiplications, additions, flop (both; halve for cotengra), entries
of arrays, bytes.  `text_table` lays out columns, `show_flop` and `show_size` write numbers as they do.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from textwrap import wrap
from typing import Any

from .budget import show_bytes

PLAIN = str.maketrans({"∂": "d", "δ": "delta", "×": "x", "·": "*", "–": "-", "≤": "<=", "±": "+-"})


@dataclass(frozen=True, slots=True)
class CostRow:
    """What one order costs, counted before anything runs.

    `name` is what the order is called, `order` the vertices as they are eliminated (None where no
    elimination does this), `path` the contraction path inside the products, `mode` "lazy" (deltas are never
    multiplied) or "materialized" (dense local Jacobians).  `multiplications` and `additions` go up to the
    dense result;
    `largest_result` is the largest array a step makes, `largest_intermediate` the same without the result,
    `largest_tensor` the largest of all, operands included (entries); `peak_bytes` the most that is held at
    once, operands included.  `plain`, `unit_free` and `dense` are the multiplications of the order by the
    rules for bare graphs, `structured` those that the plan executes for the factors of the Jacobian;
    `opt_einsum` is the flop of a path as opt_einsum counts it (a sum over n as n additions, not n - 1).
    """

    name: str
    order: tuple[str, ...] | None
    path: str
    mode: str
    multiplications: int
    additions: int
    largest_result: int
    largest_intermediate: int
    largest_tensor: int
    peak_bytes: int
    steps: int
    itemsize: int = 8
    evaluations: int = 0
    plain: int | None = None
    unit_free: int | None = None
    dense: int | None = None
    structured: int | None = None
    opt_einsum: int | None = None

    @property
    def flop(self) -> int:
        """Multiplications plus additions."""
        return self.multiplications + self.additions

    def to_dict(self) -> dict[str, Any]:
        """The row as JSON-able values, flop and bytes included."""
        found = asdict(self)
        found["order"] = None if self.order is None else list(self.order)
        sizes = {f"{key}_bytes": found[key] * self.itemsize for key in ("largest_result", "largest_tensor")}
        return {**found, "flop": self.flop, **sizes}


@dataclass(frozen=True, slots=True)
class CostTable:
    """The costs of a Jacobian: `rows` of elimination orders, `paths` of the chain's brackets.

    `paths` is empty where the Jacobian is no chain of two to five named links.
    """

    title: str
    rows: tuple[CostRow, ...]
    paths: tuple[CostRow, ...] = ()
    note: str = ""

    def __getitem__(self, name: str) -> CostRow:
        """The first row of that name, or whose name begins with it."""
        for row in (*self.rows, *self.paths):
            if row.name == name or row.name.startswith((name + " ", name + ":")):
                return row
        raise KeyError(name)

    @property
    def cheapest(self) -> CostRow:
        """The row of least flop."""
        return min((*self.rows, *self.paths), key=lambda row: row.flop)

    def to_dict(self) -> dict[str, Any]:
        """The whole table as JSON-able values."""
        return {
            "title": self.title,
            "unit": "flop = multiplications + additions; sizes in entries and bytes",
            "rows": [row.to_dict() for row in self.rows],
            "paths": [row.to_dict() for row in self.paths],
        }

    def json(self, indent: int | None = 1) -> str:
        """The table as a JSON document."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False)

    def text(self, ascii: bool = False) -> str:
        """The table as text of at most 80 columns."""
        parts = [self.title]
        if self.paths:
            parts += ["", path_table(self.paths)]
        parts += ["", order_table(self.rows), "", rules_table(self.rows)]
        parts += [self.note] if self.note else []
        whole = "\n".join(parts)
        return whole.translate(PLAIN) if ascii else whole

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__


def path_table(rows: Sequence[CostRow], more: Sequence[str] = (), heading: str = "") -> str:
    """The brackets of a chain with flop and sizes; `more` is a last column."""
    head = ["order", "flop", "largest result", "largest tensor", *([heading] if more else [])]
    cells = [
        [row.name, show_flop(row.opt_einsum), size(row.largest_result, row), size(row.largest_tensor, row)]
        for row in rows
    ]
    return text_table(head, [cell + ([more[k]] if more else []) for k, cell in enumerate(cells)], 20)


def order_table(rows: Sequence[CostRow], more: Sequence[str] = (), heading: str = "") -> str:
    """The elimination orders, lazy and materialized, with flop, sizes and peak bytes."""
    head = ["elimination order", "local", "flop", "largest", "peak", *([heading] if more else [])]
    cells = [
        [row.name, row.mode, show_flop(row.flop), size(row.largest_tensor, row), show_size(row.peak_bytes)]
        + ([more[k]] if more else [])
        for k, row in enumerate(rows)
        if row in first_of_each(rows)
    ]
    return "\n".join([text_table(head, cells, 20, left=2), *same_orders(rows)])


def first_of_each(rows: Sequence[CostRow]) -> list[CostRow]:
    """The rows without those whose order and mode an earlier one has."""
    first: dict[Any, CostRow] = {}
    for row in rows:
        first.setdefault((row.order, row.mode), row)
    return list(first.values())


def same_orders(rows: Sequence[CostRow]) -> list[str]:
    """A line for every order that has several names: `reverse is also: markowitz, greedy`."""
    names: dict[Any, list[str]] = {}
    for row in rows:
        known = names.setdefault((row.order, row.mode), [])
        known.append(row.name)
    lines = [
        f"  {mode}: {known[0]} is also {', '.join(known[1:])}"
        for (_, mode), known in names.items()
        if known[1:]
    ]
    return [part for line in lines for part in wrap(line, 79, subsequent_indent="    ")]


def rules_table(rows: Sequence[CostRow]) -> str:
    """Multiplications of each elimination order by the rules for bare graphs, and what the plan executes."""
    head = ["multiplications", "plain", "unit-free", "dense", "structured", "steps"]
    cells = [
        [
            row.name,
            *(show_flop(n) for n in (row.plain, row.unit_free, row.dense, row.structured)),
            str(row.steps),
        ]
        for row in first_of_each(rows)
        if row.mode == "lazy"
    ]
    return text_table(head, cells, 20)


def text_table(head: Sequence[str], cells: Sequence[Sequence[str]], first: int, left: int = 1) -> str:
    """Columns two blanks apart, the first `left` ones flush left; `first` is the least width of the first."""
    widths = [max(len(row[k]) for row in [head, *cells]) for k in range(len(head))]
    widths[0] = max(widths[0], first)
    lines = []
    for row in [head, *cells]:
        parts = [
            text.ljust(width) if k < left else text.rjust(width)
            for k, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append(("  " + "  ".join(parts)).rstrip())
    return "\n".join(lines)


def show_flop(count: int | None) -> str:
    """A count: exact up to 9999, three digits beyond.

    >>> show_flop(300), show_flop(78500), show_flop(2352000000), show_flop(None)
    ('300', '7.85e4', '2.35e9', '–')
    """
    if count is None:
        return "–"
    if count < 10_000:
        return str(count)
    digits = len(str(count)) - 1
    mantissa = f"{count / 10**digits:.2f}"
    return f"{mantissa}e{digits}" if mantissa != "10.00" else f"1.00e{digits + 1}"


def size(count: int, row: CostRow) -> str:
    """So many entries of a row in bytes."""
    return show_size(count * row.itemsize)


def show_size(count: int) -> str:
    """Bytes, from a tenth of a megabyte on in MB, GB, TB (powers of 1000).

    >>> show_size(640), show_size(627200), show_size(6272000000)
    ('640 B', '0.6 MB', '6.3 GB')
    """
    return f"{count / 1e6:.1f} MB" if 100_000 <= count < 1_000_000 else show_bytes(count)


__all__ = [
    "CostRow",
    "CostTable",
    "order_table",
    "path_table",
    "rules_table",
    "show_flop",
    "show_size",
    "text_table",
]
