"""The benchmark as text: one line a case, ratios with their quartiles, and where a peer wins.

`text(rows)` is the table, `losses(rows)` the cases in which a peer is ahead.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence

from ...threads import count
from ..measuring import THREADS as BLAS
from ..timing import Ratio, median, show_time, show_times
from .libraries import THREADS
from .measure import Row

FORMS = ("dense", "reuse", "view", "core", "jax plan", "lazy", "call")
COLUMNS = ("jax", "torch", "by hand", *FORMS)
NOTE = """Times are medians of calls made in turn, in one process; compiling is apart.
faster: the best peer's time over our dense result's (for samples: their cores), as made, with its quartiles.
read: the same where every result is then read once in full: pages of zeros that nothing wrote cost
  their reader, so this is what a user who needs all entries sees.
dense/hand: our dense time over that of structured numpy by hand."""


def text(rows: Sequence[Row]) -> str:
    """The table, suite by suite."""
    shown = [column for column in COLUMNS if any(column in row.made for row in rows)]
    head = ["case", *shown, "faster", "read", "dense/hand"]
    lines = [
        [f"{row.suite}: {row.name}", *(_time(row, column) for column in shown), *_ratios(row)] for row in rows
    ]
    widths = [max(len(line[k]) for line in [head, *lines]) for k in range(len(head))]
    printed = [
        "  ".join(
            _cell(cell, width, k) for k, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in [head, *lines]
    ]
    return "\n".join(
        [*printed, "", NOTE, threads({name for row in rows for name in row.made}), *losses(rows)]
    )


def threads(columns: Collection[str]) -> str:
    """Which threads everybody who was measured has, as far as they were set here."""
    given = {name: os.environ[name] for name in BLAS if os.environ.get(name)}
    blas = " ".join(f"{name}={value}" for name, value in given.items()) or "as many as it chooses"
    parts = [f"torch {THREADS}"] if "torch" in columns else []
    parts += ["jax as many as XLA chooses"] if "jax" in columns else []
    parts += [f"numpy's BLAS {blas}", f"our elementwise work {count()}"]
    return "threads: " + ", ".join(parts) + "."


def _cell(cell: str, width: int, k: int) -> str:
    return cell.ljust(width) if k == 0 else cell.rjust(width)


def _time(row: Row, column: str) -> str:
    return show_time(median(row.made[column])) if column in row.made else "-"


def _ratios(row: Row) -> list[str]:
    hand = row.slower_than_hand()
    return [
        _shown(row.faster()),
        _shown(row.faster(read=True)),
        "-" if hand is None else show_times(hand.median),
    ]


def _shown(found: Ratio | None) -> str:
    return (
        "-"
        if found is None
        else f"{show_times(found.median)} [{show_times(found.low)}, {show_times(found.high)}]"
    )


def losses(rows: Sequence[Row]) -> list[str]:
    """A line for every case in which a peer is ahead of our best dense form."""
    found = []
    for row in rows:
        forms = {form: row.faster(form) for form in ("dense", "jax plan")}
        best = max((one.median for one in forms.values() if one is not None), default=None)
        if best is not None and best < 1:
            found.append(
                f"{row.best_peer()} is ahead in {row.suite}: {row.name}, {show_times(1 / best)} times"
            )
    return found
