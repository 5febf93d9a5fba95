"""Whole tables of claims, judged in parallel: `judge_table(records)` and its summary.

Every record is judged in a process of its own pool under a time limit; a malformed or slow one is told by
its id and stops nothing.  `read_table(path)` reads JSON (YAML and TOML where their readers are installed).
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from ..errors import JacobiansError, ReadingError, missing_extra
from .equal import judge_same
from .judging import judge
from .records import identity, malformed, problem_of, records_in
from .verdict import Verdict

LIMIT = 20.0  # seconds for one record
MAX_BYTES = 50_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """One judged record: `error` says why it has no verdict, "" where it has one."""

    id: str
    verdict: Verdict
    seconds: float
    source: str = ""
    kind: str = ""
    error: str = ""

    def as_json(self) -> dict[str, Any]:
        """`id, verdict, reason, layout, correct, seconds` and the rest of the verdict."""
        found = {"id": self.id, **self.verdict.as_json(), "seconds": round(self.seconds, 6)}
        found |= {"source": self.source, "kind": self.kind}
        return found | ({"error": self.error} if self.error else {})


class TimeUp(BaseException):
    """A record took longer than its limit; no handler of ordinary errors on the way may stop it."""


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Raise TimeUp in the block after so many seconds, where the platform has alarms."""
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*args: Any) -> None:
        raise TimeUp

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def judge_record(record: Any, place: int = 0, seed: int = 0, limit: float = LIMIT) -> Row:
    """One record's row; whatever goes wrong becomes a row too."""
    name = identity(record, place)
    labels = [str(record.get(key) or "") if isinstance(record, Mapping) else "" for key in ("source", "kind")]
    start = time.perf_counter()
    error = ""
    try:
        with _limited(limit):
            problem = problem_of(record)
            verdict = judge(problem, seed) if problem.order else judge_same(problem, seed)
    except TimeUp:
        error = f"it took more than {limit:g} s"
        verdict = Verdict("undecided", f"Not judged: {error}.")
    except Exception as caught:  # a record must not stop the table
        error = malformed(caught)
        verdict = Verdict("undecided", f"Not judged: {error}.")
    return Row(name, verdict, time.perf_counter() - start, labels[0], labels[1], error)


def _judge_numbered(task: tuple[int, Any, int, float]) -> Row:
    place, record, seed, limit = task
    return judge_record(record, place, seed, limit)


def judge_table(
    records: Sequence[Any],
    seed: int = 0,
    workers: int | None = None,
    limit: float = LIMIT,
    progress: Callable[[int, int], None] | None = None,
) -> list[Row]:
    """Every record's row, in order; `workers` processes (default: one for each core).

    `progress(done, total)` is called after every record.
    """
    count = (
        workers or len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else workers or os.cpu_count() or 1
    )
    tasks = [(place, record, seed, limit) for place, record in enumerate(records)]
    rows: list[Row] = []
    for row in _rows(tasks, min(count, max(1, len(tasks) // 8))):
        rows.append(row)
        if progress is not None:
            progress(len(rows), len(tasks))
    return rows


def _rows(tasks: list[tuple[int, Any, int, float]], workers: int) -> Iterable[Row]:
    if workers <= 1:
        return map(_judge_numbered, tasks)
    return _in_processes(tasks, workers)


def _in_processes(tasks: list[tuple[int, Any, int, float]], workers: int) -> Iterator[Row]:
    with _single_threads(), ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_judge_numbered, tasks, chunksize=4)


@contextmanager
def _single_threads() -> Iterator[None]:
    """Processes that start in the block use one thread each: the work is in the records, not in matrices."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def read_table(path: str) -> list[Any]:
    """The records in a file (`-` for the standard input); raises ReadingError, MissingExtraError for YAML."""
    text = _text_of(path)
    suffix = Path(path).suffix.lower()
    try:
        if suffix in (".yaml", ".yml"):
            return records_in(_yaml().safe_load(text))
        if suffix == ".toml":
            return records_in(importlib.import_module("tomllib").loads(text))
        return records_in(json.loads(text))
    except (ValueError, RecursionError) as error:
        if isinstance(error, JacobiansError):
            raise
        raise ReadingError(
            f"{path} cannot be read: {error}"[:200], "", "jacobians check --template > claims.json"
        ) from error


def _text_of(path: str) -> str:
    try:
        if path == "-":
            return sys.stdin.read(MAX_BYTES)
        if Path(path).stat().st_size > MAX_BYTES:
            raise ReadingError(f"{path} is larger than {MAX_BYTES // 10**6} MB", "", "several smaller tables")
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReadingError(f"{path} cannot be opened: {error}"[:200], "", "a file of claims") from error


def _yaml() -> Any:
    try:
        return importlib.import_module("yaml")
    except ImportError as error:
        raise missing_extra("pyyaml", "yaml", "YAML tables") from error


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """Counts by verdict: of all, by source, by kind; the median seconds; ids of what is not true."""
    counted = {"all": _counts(rows)}
    by = {key: {name: _counts(group) for name, group in _groups(rows, key)} for key in ("source", "kind")}
    seconds = sorted(row.seconds for row in rows)
    return {
        **counted,
        **by,
        "median_seconds": seconds[len(seconds) // 2] if seconds else 0.0,
        "malformed": [row.id for row in rows if row.error],
    }


def _counts(rows: Iterable[Row]) -> dict[str, int]:
    found = dict.fromkeys(("true", "false", "undecided"), 0)
    for row in rows:
        found[row.verdict.verdict] += 1
    return found


def _groups(rows: Sequence[Row], key: str) -> Iterator[tuple[str, list[Row]]]:
    names = dict.fromkeys(getattr(row, key) or "(none)" for row in rows)
    for name in names:
        yield name, [row for row in rows if (getattr(row, key) or "(none)") == name]
