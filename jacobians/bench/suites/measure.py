"""One case measured: every form of ours, every peer's best way and the hand-written rival, interleaved.

`measured(case, ...)` checks that all dense results agree, chooses each library's fastest way, times
everything in turn, as made and as made and read once in full, and returns a `Row`.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...errors import JacobiansError
from ..timing import Clock, Ratio, median, ratio, sampled
from . import libraries, ours
from .cases import Case, leaves

TOLERANCE = 1e-8  # relative to the largest entry
TRIES = 3  # calls that decide which way of a library is its best
SLOW = 0.5  # seconds of one call after which one is enough


class Disagreement(JacobiansError):
    """Two results of the same case that differ."""


@dataclass(frozen=True, slots=True)
class Row:
    """A case's samples: seconds by what ran ("ours dense", "jax", ...), as made and as made and read."""

    suite: str
    name: str
    made: Mapping[str, list[float]]
    read: Mapping[str, list[float]]
    how: Mapping[str, str]
    compiling: Mapping[str, float]
    nbytes: int
    factors: int
    cold: Mapping[str, float] = field(default_factory=dict)

    @property
    def peers(self) -> list[str]:
        """The libraries that were measured."""
        return [name for name in libraries.LIBRARIES if name in self.made]

    def best_peer(self, read: bool = False) -> str | None:
        """The library that was fastest, as made, or as made and read."""
        samples = self.read if read else self.made
        known = [name for name in self.peers if name in samples]
        return min(known, key=lambda name: median(samples[name]), default=None)

    def faster(self, form: str = "dense", read: bool = False) -> Ratio | None:
        """The best peer's time divided by that of one of our forms."""
        samples, peer = (self.read if read else self.made), self.best_peer(read)
        if peer is None or form not in samples or peer not in samples:
            return None
        return ratio(samples[peer], samples[form])

    def slower_than_hand(self, form: str = "dense") -> Ratio | None:
        """The time of one of our forms divided by the hand-written rival's."""
        if "by hand" not in self.made or form not in self.made:
            return None
        return ratio(self.made[form], self.made["by hand"])

    def to_dict(self) -> dict[str, Any]:
        """JSON-able values; seconds and bytes."""
        known = {
            "faster": self.faster(),
            "faster_read": self.faster(read=True),
            "by_hand": self.slower_than_hand(),
        }
        shown = {
            name: (found.median, found.low, found.high) for name, found in known.items() if found is not None
        }
        return {
            "suite": self.suite, "name": self.name, "best_peer": self.best_peer(), "how": dict(self.how),
            "seconds": {name: median(samples) for name, samples in self.made.items()},
            "seconds_read_once": {name: median(samples) for name, samples in self.read.items()},
            "samples": {name: list(samples) for name, samples in self.made.items()},
            "ratios": shown, "compile_seconds": dict(self.compiling),
            "dense_bytes": self.nbytes, "factor_bytes": self.factors,
        }  # fmt: skip


def measured(
    case: Case,
    peers: Sequence[str] = libraries.LIBRARIES,
    repeat: int = 7,
    compiled: bool = True,
    seed: int = 0,
    clock: Clock = time.perf_counter,
) -> Row:
    """The row of a case; raises Disagreement where two dense results differ."""
    inputs = case.inputs(seed)
    began = time.perf_counter()
    forms = ours.forms(case, inputs, on_jax="jax" in peers)
    compiling = {"ours": time.perf_counter() - began}
    runs: dict[str, tuple[Callable[[], Any], Callable[[Any], list[np.ndarray]] | None]] = {
        name: (form.run, form.read) for name, form in forms.items()
    }
    if case.rival is not None:
        rival = case.rival
        runs["by hand"] = (lambda: rival(*inputs), lambda result: list(result))
    how = {}
    for library in () if case.lazy else peers:
        way = best(libraries.ways(library, case, inputs, compiled))
        if way is not None:
            runs[library], how[library], compiling[library] = (way.run, way.read), way.how, way.first
    nbytes = agree(case, runs)
    factors = ours.held_bytes(forms["lazy"].run())
    made = sampled({name: run for name, (run, _) in runs.items()}, repeat, clock=clock)
    whole = {name: reading(run, read) for name, (run, read) in runs.items() if read is not None}
    return Row(
        case.suite, case.name, made, sampled(whole, repeat, clock=clock), how, compiling, nbytes, factors
    )


def best(ways: Sequence[libraries.Way]) -> libraries.Way | None:
    """The fastest of a library's ways, by the least of a few calls."""

    def least(way: libraries.Way) -> float:
        found = []
        for _ in range(TRIES):
            began = time.perf_counter()
            way.run()
            found.append(time.perf_counter() - began)
            if found[-1] > SLOW:
                break
        return min(found)

    return min(ways, key=least, default=None)


def reading(run: Callable[[], Any], read: Callable[[Any], list[np.ndarray]]) -> Callable[[], float]:
    """The run followed by one full read of its arrays."""
    return lambda: sum(float(array.sum()) for array in read(run()))


def agree(
    case: Case, runs: Mapping[str, tuple[Callable[[], Any], Callable[[Any], list[np.ndarray]] | None]]
) -> int:
    """Compares every dense result with ours; returns the bytes of ours."""
    run, read = runs.get("dense", (None, None))
    if run is None or read is None:
        return 0
    wanted = read(run())
    for name, (other, found) in runs.items():
        if found is not None and name != "dense":
            got = found(other())
            off = max((difference(a, b) for a, b in zip(got, wanted, strict=True)), default=0.0)
            if not off <= TOLERANCE:
                raise Disagreement(
                    f"{case.suite}: {name} and our dense result differ by {off:.2e}", case.name
                )
            del got
            gc.collect()
    return sum(array.nbytes for array in wanted)


def difference(a: np.ndarray, b: np.ndarray) -> float:
    """The largest difference relative to the largest entry, row by row so that no third array is made."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        return float("inf")
    if a.ndim == 0:
        return float(abs(a - b)) / (float(abs(b)) or 1.0)
    worst = max((float(np.abs(x - y).max(initial=0.0)) for x, y in zip(a, b, strict=True)), default=0.0)
    scale = max((float(np.abs(y).max(initial=0.0)) for y in b), default=0.0)
    return worst / (scale or 1.0)


__all__ = ["Disagreement", "Row", "agree", "best", "leaves", "measured", "reading"]
