"""Several functions timed in turn: ratios are of neighbours in time, so that load hurts both.

`sampled(runs, repeat)` gives seconds by name, one number a round; `ratio(above, below)` is the median of
the rounds' ratios with its quartiles.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import JacobiansError

Run = Callable[[], Any]
Clock = Callable[[], float]
LEAST = 2e-3  # seconds that one sample of a short call takes at the least
MOST = 10_000  # calls in one sample


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times longer one function takes than another: the median of the rounds, and the quartiles."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{show_times(self.median)} ({show_times(self.low)} to {show_times(self.high)})"


def check_repeat(repeat: int) -> None:
    """Raises JacobiansError where nothing would be measured."""
    if repeat < 1:
        raise JacobiansError(
            f"repeat is {repeat}: nothing would be measured", f"repeat={repeat}", "1 or more"
        )


def sampled(
    runs: Mapping[str, Run], repeat: int = 7, least: float = LEAST, clock: Clock = time.perf_counter
) -> dict[str, list[float]]:
    """Seconds of one call of every function, `repeat` samples each, in turn.

    Before every sample the function is called once unmeasured: what another one left behind (memory given
    back late, cold caches) is not its cost. `clock` may be `time.process_time`: seconds of all threads of
    this process, which other processes hardly disturb.
    """
    counts = {name: _count(run, least, clock) for name, run in runs.items()}
    samples: dict[str, list[float]] = {name: [] for name in runs}
    enabled = gc.isenabled()
    gc.disable()
    try:
        for _ in range(max(1, repeat)):
            for name, run in runs.items():
                run()
                samples[name].append(_seconds(run, counts[name], clock))
    finally:
        if enabled:
            gc.enable()
    return samples


def _seconds(run: Run, count: int, clock: Clock) -> float:
    began = clock()
    for _ in range(count):
        run()
    return (clock() - began) / count


def _count(run: Run, least: float, clock: Clock) -> int:
    """How many calls fill a sample, found after one unmeasured call."""
    run()
    first = _seconds(run, 1, clock)
    if first >= least:
        return 1
    return max(1, min(MOST, int(least / max(_seconds(run, 3, clock), 1e-7))))


def median(samples: Sequence[float]) -> float:
    """The middle of the samples, in seconds."""
    return statistics.median(samples)


def ratio(above: Sequence[float], below: Sequence[float]) -> Ratio:
    """`above / below`, round by round.

    >>> ratio([2.0, 4.0, 9.0], [1.0, 2.0, 3.0]).median
    2.0
    """
    each = [a / b for a, b in zip(above, below, strict=True)]
    if len(each) < 2:
        return Ratio(each[0], each[0], each[0])
    low, middle, high = statistics.quantiles(each, n=4, method="inclusive")
    return Ratio(middle, low, high)


def show_times(value: float) -> str:
    """A ratio with two or three digits.

    >>> show_times(0.954), show_times(12.34), show_times(1234.5)
    ('0.95', '12.3', '1234')
    """
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def show_time(seconds: float) -> str:
    """Seconds with the unit that gives three digits.

    >>> show_time(3.2e-7), show_time(4.56e-5), show_time(0.0123), show_time(2.5)
    ('0.32 us', '45.6 us', '12.3 ms', '2.50 s')
    """
    for unit, scale in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= scale:
            return f"{show_times(seconds / scale)} {unit}"
    return f"{show_times(seconds / 1e-6)} us"
