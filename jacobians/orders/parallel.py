"""The search on several cores: `search_all` runs one search for each worker and keeps the cheapest order."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING

from .masks import Masks
from .search import Found, Progress, best_order

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

_done: list[Event] = []  # in a worker: set once some worker has proven that its order is optimal


def search_all(
    masks: Masks,
    rule: str,
    seconds: float,
    seed: int,
    tries: int | None,
    workers: int,
    progress: Progress | None,
) -> Found:
    """`best_order` with one or more workers; the first of them does what a single one would do."""
    if workers <= 1:
        return best_order(masks, rule, seconds, seed, tries, progress)
    # late, because importing processes would double what importing this package costs
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from multiprocessing import get_context

    context, began = get_context("spawn"), perf_counter()
    event = context.Event()
    best: Found | None = None
    history: list[tuple[float, int]] = []
    with ProcessPoolExecutor(workers, context, _start, (event,)) as pool:
        jobs = [pool.submit(_work, masks, rule, seconds, seed, k, tries) for k in range(workers)]
        for job in as_completed(jobs):
            found = job.result()
            history += found.history
            if best is None or (found.cost, -found.lower_bound) < (best.cost, -best.lower_bound):
                best = found
                if progress:
                    progress(perf_counter() - began, found.cost, found.lower_bound)
            if found.cost == found.lower_bound:
                event.set()
    assert best is not None
    return Found(best.order, best.cost, best.lower_bound, _improvements(history))


def _start(event: Event) -> None:
    """Let a worker know when the others are done."""
    _done.append(event)


def _work(masks: Masks, rule: str, seconds: float, seed: int, k: int, tries: int | None) -> Found:
    """One worker's search; worker 0 has the seed itself."""
    stop: Callable[[], bool] = _done[0].is_set
    return best_order(masks, rule, seconds, seed if k == 0 else f"{seed} {k}", tries, None, stop)


def _improvements(history: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """What was the cheapest at each time, over all workers."""
    kept: list[tuple[float, int]] = []
    for moment, cost in sorted(history):
        if not kept or cost < kept[-1][1]:
            kept.append((moment, cost))
    return kept
