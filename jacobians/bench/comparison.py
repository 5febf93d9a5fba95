"""What a comparison found: `Measured` rows and the `Comparison` of them, as text, JSON, CSV and pictures."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..cost_table import PLAIN, CostRow, order_table, path_table, rules_table, show_size, text_table
from .measuring import Timing, show_environment, show_seconds

if TYPE_CHECKING:
    from .peers import PeerTime

COLUMNS = (
    "name", "path", "mode", "flop", "multiplications", "additions", "largest_result_bytes",
    "largest_tensor_bytes", "peak_bytes", "plain", "unit_free", "dense", "structured", "seconds", "spread",
    "measured_peak_bytes", "deviation", "skipped",
)  # fmt: skip
OVER = "over --limit"
RULES = (
    "  plain: edges into a vertex times edges out of it, each as one number;",
    "  unit-free: the same without the products by +1 or -1;",
    "  dense: by the entries of every vertex, as if all blocks were full;",
    "  structured: what the plan multiplies, deltas left out.",
)
RANDOM = "  random: the vertices in an order drawn from --seed, to compare with."


@dataclass(frozen=True, slots=True)
class Measured:
    """A counted row, and what its run took: `timing`, peak bytes, the deviation from the first row's result.

    `skipped` says why it was not run.
    """

    row: CostRow
    timing: Timing | None = None
    peak_bytes: int | None = None
    deviation: float | None = None
    skipped: str = ""

    @property
    def seconds(self) -> float | None:
        """The median time of one call."""
        return None if self.timing is None else self.timing.seconds

    @property
    def shown(self) -> str:
        """The time, or why there is none."""
        return self.skipped if self.timing is None else show_seconds(self.timing.seconds)

    def to_dict(self) -> dict[str, Any]:
        """The row as JSON-able values; seconds, bytes, flop."""
        timing = self.timing
        return {
            **self.row.to_dict(),
            "seconds": None if timing is None else timing.seconds,
            "spread": None if timing is None else timing.spread,
            "repeat": None if timing is None else timing.repeat,
            "measured_peak_bytes": self.peak_bytes,
            "deviation": self.deviation,
            "skipped": self.skipped,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every order of a Jacobian, counted and measured; `peers` are other libraries on the same work.

    `rows` are elimination orders (lazy and materialized), `paths` the brackets of a chain, `environment` says
    where the numbers come from.
    """

    title: str
    rows: tuple[Measured, ...]
    paths: tuple[Measured, ...] = ()
    peers: tuple[PeerTime, ...] = ()
    backend: str = "numpy"
    batch: int | None = None
    limit: int = 10**9
    input_bytes: int = 0
    environment: dict[str, Any] = field(default_factory=dict)

    @property
    def agreement(self) -> float:
        """The largest deviation of any row or peer from the first one, relative to its largest entry."""
        found = [one.deviation for one in (*self.rows, *self.paths)] + [one.deviation for one in self.peers]
        return max((off for off in found if off is not None), default=0.0)

    @property
    def rank_correlation(self) -> float | None:
        """Spearman's correlation of counted flop and measured seconds; None for fewer than three rows."""
        ran = {(one.row.order, one.row.mode, one.row.path): one for one in (*self.rows, *self.paths)}
        pairs = [(one.row.flop, one.seconds) for one in ran.values() if one.seconds is not None]
        if len({flop for flop, _ in pairs}) < 3:
            return None
        flop, seconds = (_ranks([pair[k] for pair in pairs]) for k in (0, 1))
        return float(np.corrcoef(flop, seconds)[0, 1])

    def __getitem__(self, name: str) -> Measured:
        """The first row of that name."""
        for one in (*self.rows, *self.paths):
            if one.row.name == name or one.row.name.startswith((name + " ", name + ":")):
                return one
        raise KeyError(name)

    def to_dict(self) -> dict[str, Any]:
        """The whole comparison as JSON-able values."""
        return {
            "title": self.title,
            "unit": "flop = multiplications + additions; seconds: medians; spread: between quartiles",
            "backend": self.backend,
            "batch": self.batch,
            "limit_bytes": self.limit,
            "input_bytes": self.input_bytes,
            "agreement": self.agreement,
            "rank_correlation": self.rank_correlation,
            "environment": self.environment,
            "rows": [one.to_dict() for one in self.rows],
            "paths": [one.to_dict() for one in self.paths],
            "peers": [one.to_dict() for one in self.peers],
        }

    def json(self, indent: int | None = 1) -> str:
        """The comparison as a JSON document."""
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False)

    def csv(self) -> str:
        """One line for each row, a header first."""
        out = io.StringIO()
        writer = csv.DictWriter(out, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for one in (*self.paths, *self.rows):
            writer.writerow(one.to_dict())
        return out.getvalue()

    def text(self, ascii: bool = False) -> str:
        """The tables as text of at most 80 columns."""
        lines = [self.title, ""]
        if self.paths:
            rows = [one.row for one in self.paths]
            lines += [path_table(rows, [one.shown for one in self.paths], "time"), ""]
        rows = [one.row for one in self.rows]
        lines += [order_table(rows, [one.shown for one in self.rows], "time"), ""]
        lines += [rules_table(rows), *RULES]
        if any(one.timing is not None for one in self.rows):
            lines += ["", measured_table(self.rows)]
        if self.peers:
            lines += ["", peer_table(self.peers, self.rows)]
        lines += ["", *self._notes()]
        whole = "\n".join(lines)
        return whole.translate(PLAIN) if ascii else whole

    def _notes(self) -> list[str]:
        ran = [one for one in (*self.rows, *self.paths) if one.timing is not None]
        notes = ["  flop = multiplications + additions (halve for cotengra)."]
        if self.paths:
            notes.append("  A sum over n: n additions in brackets (as opt_einsum), n - 1 in orders.")
        if any("random" in one.row.name for one in self.rows):
            notes.append(RANDOM)
        if any(one.skipped == OVER for one in (*self.rows, *self.paths)):
            notes.append(
                f"  Not run: over --limit {show_size(self.limit)} (counted peak, operands included)."
            )
        if self.input_bytes > self.limit:
            notes.append(f"  The inputs alone take {show_size(self.input_bytes)}: they were not made.")
        if any(one.deviation is not None for one in ran):
            bound = "0" if self.agreement == 0 else f"{self.agreement:.0e}"
            notes.append(f"  All run orders agree to {bound}.")
        if self.rank_correlation is not None:
            notes.append(f"  Counted flop against time: rank correlation {self.rank_correlation:.2f}.")
        if self.paths:
            notes.append("  3 factors have 3 orders; 4 have 15; 5 have 105; 6 have 945.")
            notes.append("  Listed: all up to 5, named ones beyond.")
        if self.batch:
            notes.append(
                f"  A batch of {self.batch}: factors (per-sample Jacobians), not the dense B × B result."
            )
        shown = show_environment(self.environment) if self.environment else ""
        return [*notes, *([f"  {shown}"] if shown and len(shown) < 78 else _folded(shown))]

    def plot(self, path: str | None = None) -> Any:
        """Pictures of flop against memory and of flop against time; saved where a path is given.

        Raises MissingExtraError without matplotlib (extra `plot`).
        """
        from .pictures import comparison_figure

        return comparison_figure(self, path)

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__


def _ranks(values: Sequence[float]) -> np.ndarray:
    """The rank of each value, equal ones sharing theirs."""
    array = np.asarray(values, float)
    found: np.ndarray = (array[:, None] > array).sum(1) + ((array[:, None] == array).sum(1) - 1) / 2
    return found


def _folded(text: str) -> list[str]:
    from textwrap import wrap

    return wrap(text, 78, initial_indent="  ", subsequent_indent="    ")


def measured_table(rows: Sequence[Measured]) -> str:
    """Time with its spread, measured peak memory and agreement, of what was run."""
    head = ["measured", "local", "time", "spread", "peak", "deviation"]
    cells = []
    seen = set()
    for one in rows:
        key = (one.row.order, one.row.mode)
        if one.timing is None or one.peak_bytes is None or key in seen:
            continue
        seen.add(key)
        spread = f"±{one.timing.spread * 500:.2g} ms"
        shown = [
            show_seconds(one.timing.seconds),
            spread,
            show_size(one.peak_bytes),
            "–" if one.deviation is None else f"{one.deviation:.0e}",
        ]
        cells.append([one.row.name, one.row.mode, *shown])
    return text_table(head, cells, 20, left=2)


def peer_table(peers: Sequence[PeerTime], rows: Sequence[Measured]) -> str:
    """The peers' best times beside ours, compile time apart, and the ratio."""
    ours = min((one.timing.seconds for one in rows if one.timing is not None), default=None)
    head = ["peer", "how", "compile", "time", "theirs / ours"]
    cells = []
    for one in peers:
        ratio = "–" if ours is None else f"{one.timing.seconds / ours:.1f}"
        cells.append(
            [one.name, one.how, show_seconds(one.compile_seconds), show_seconds(one.timing.seconds), ratio]
        )
    return text_table(head, cells, 8, left=2)
