"""Measuring: seconds interleaved, peak memory, and the environment that numbers belong to.

`interleaved(runs, repeat)` times several functions in turn, so that a busy moment hurts all alike;
`peak_memory` is what one call allocates; `environment()` says on what machine, with which versions and
threads.
"""

from __future__ import annotations

import mmap
import os
import platform
import statistics
import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

Run = Callable[[], Any]
MEMORY = "peak of the arrays allocated during one call (tracemalloc, plus results on memory maps)"
LEAST = 2e-4  # seconds that one measurement takes at the least: shorter calls are repeated within it
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
PACKAGES = ("jacobians", "numpy", "opt_einsum", "torch", "jax")


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one call: the median of `repeat` measurements, and the spread between their quartiles."""

    seconds: float
    spread: float
    repeat: int


def interleaved(runs: Sequence[Run], repeat: int = 5) -> list[Timing]:
    """The timing of each function, measured in turn; every one is called once before, unmeasured."""
    counts = [_calls(run) for run in runs]
    found: list[list[float]] = [[] for _ in runs]
    for _ in range(max(1, repeat)):
        for run, count, mine in zip(runs, counts, found, strict=True):
            began = time.perf_counter()
            for _ in range(count):
                run()
            mine.append((time.perf_counter() - began) / count)
    return [Timing(statistics.median(mine), _spread(mine), len(mine)) for mine in found]


def _calls(run: Run) -> int:
    """How many calls fill one measurement."""
    run()
    began = time.perf_counter()
    run()
    return max(1, min(1000, int(LEAST / max(time.perf_counter() - began, 1e-7))))


def _spread(values: Sequence[float]) -> float:
    if len(values) < 2:
        return 0.0
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return high - low


def peak_memory(run: Run) -> tuple[int, Any]:
    """The bytes that one call holds at most beyond what was there before, and what it returns."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        result = run()
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    return max(0, peak) + sum(_mapped(array) for array in result), result


def _mapped(array: Any) -> int:
    """Bytes of an array that lives on a memory map, which tracemalloc does not see."""
    base = array
    while isinstance(getattr(base, "base", None), np.ndarray):
        base = base.base
    owner = getattr(base, "base", None)
    owner = owner.obj if isinstance(owner, memoryview) else owner
    return int(array.nbytes) if isinstance(owner, mmap.mmap) else 0


def environment() -> dict[str, Any]:
    """Versions, processor, cores and threads."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": cores,
        "threads": {name: os.environ[name] for name in THREADS if name in os.environ} or "library defaults",
        "blas": _blas(),
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
        "memory": MEMORY,
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _blas() -> str:
    config: Any = np.show_config(mode="dicts")
    found: Mapping[str, Any] = (config or {}).get("Build Dependencies", {}).get("blas", {})
    return f"{found.get('name', 'unknown')} {found.get('version', '')}".strip()


def show_environment(known: Mapping[str, Any]) -> str:
    """The environment in one line."""
    versions = ", ".join(
        f"{name} {number}" for name, number in known["versions"].items() if name != "jacobians"
    )
    threads = known["threads"]
    shown = threads if isinstance(threads, str) else " ".join(f"{k}={v}" for k, v in threads.items())
    return f"python {known['python']}, {versions}, {known['cores']} cores, threads: {shown}"


def show_seconds(seconds: float) -> str:
    """A time in milliseconds with three digits, its points under one another.

    >>> show_seconds(0.00004), show_seconds(0.015), show_seconds(2.847)
    ('0.04 ms', '15.0  ms', '2847    ms')
    """
    ms = seconds * 1000
    if ms >= 100:
        return f"{ms:.0f}    ms"
    return f"{ms:.1f}  ms" if ms >= 10 else f"{ms:.2f} ms" if ms >= 0.01 else f"{ms:.4f} ms"
