"""`compare`: every elimination order of a Jacobian counted and measured, lazy against materialized.

>>> import numpy as np
>>> f = lambda A, x: np.tanh(A @ x)
>>> found = compare(f, "A", repeat=1, orders=["reverse"])(np.ones((3, 4)), np.ones(4))
>>> [(one.row.name, one.row.mode) for one in found.rows], found.agreement < 1e-12
([('reverse', 'lazy'), ('reverse', 'materialized')], True)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..axes import entries
from ..batching import vectorize
from ..chain_costs import chain_product
from ..containers import bind, flatten
from ..cost_table import CostRow
from ..costing import Order, accumulated, applicable, itemsize_of, named_graph, order_row, title_of, together
from ..errors import BudgetError, UnknownNameError, did_you_mean
from ..expression import Graph, graph_of
from ..graph import Linear
from ..prepared import MODES, linear_of
from ..terms import assembled
from ..traces import Wrt
from ..vertex_orders import elimination_graph, labels
from .comparison import OVER, Comparison, Measured
from .measuring import Timing, environment, interleaved, peak_memory
from .peers import PeerRun, PeerTime, peer_runs
from .running import Run, backend_run, deviation, order_probe, order_run, path_runs
from .timing import check_repeat

BACKENDS = ("numpy", "torch", "jax")
LIMIT = 10**9  # bytes
MOST = 5 * 10**10  # flop: more is counted and not run
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What to compare: see `compare`."""

    orders: Sequence[Order] | None = None
    modes: Sequence[str] = MODES
    repeat: int = 5
    limit: int = LIMIT
    seconds: float = 0.3
    seed: int = 0
    backend: str = "numpy"
    batch: int | None = None
    against: Sequence[str] = ()
    run: bool = True
    say: Say = lambda text: None


@dataclass(frozen=True, slots=True)
class _Job:
    """A counted row and how to run it (None: over the limit)."""

    row: CostRow
    run: Run | None
    skipped: str = ""
    probe: Callable[[], list[Any]] | None = None


def compare(f: Callable[..., Any], wrt: Wrt = None, **options: Any) -> Callable[..., Comparison]:
    """A function of f's arguments that counts and measures every order of its Jacobian.

    Options: `orders` (names or lists of vertices), `modes`, `repeat` (measurements, interleaved), `limit`
    (bytes: larger rows are counted and not run), `seconds` and `seed` of the search, `backend` "numpy",
    "torch" or "jax", `batch` (that many samples, each argument varied), `against` (peers: "jax", "torch"),
    `run=False` (count only: then the arguments' entries are never looked at), `say` (progress).  Raises
    UnknownNameError for names that are not known, MissingExtraError for libraries that are not installed.
    """
    chosen = Options(**options)
    if chosen.backend not in BACKENDS:
        raise UnknownNameError(
            f"backend {chosen.backend!r} is not known",
            f"backends: {', '.join(BACKENDS)}",
            did_you_mean(chosen.backend, BACKENDS),
        )

    check_repeat(chosen.repeat)

    def compared(*args: Any, **kwargs: Any) -> Comparison:
        sample = bind(f, args, kwargs)
        graph = named_graph(graph_of(f, (), sample, wrt, numeric=False))
        peers_of = [chosen.against] if isinstance(chosen.against, str) else chosen.against
        against = peers_of if chosen.run else ()
        if not chosen.batch:
            peers = [peer for name in against for peer in peer_runs(name, graph.trace)]
            return _measured(graph, chosen, peers)
        given, shared = batched_inputs(sample, chosen.batch, chosen.seed)
        peers = [peer for name in against for peer in peer_runs(name, graph.trace, given, shared)]
        whole = graph_of(vectorize(f, dict.fromkeys(shared)), (), given, wrt, numeric=False)
        return _measured(named_graph(whole), chosen, peers)

    return compared


def batched_inputs(given: dict[str, Any], size: int, seed: int = 0) -> tuple[dict[str, Any], list[str]]:
    """Every array argument with a leading axis of `size`, entries varied by 2 %; and what stays shared."""
    rng = np.random.default_rng(seed)
    made: dict[str, Any] = {}
    shared: list[str] = []
    for name, value in given.items():
        leaves, rebuild = flatten(value, name)
        if not all(isinstance(leaf, float) or _is_floating(leaf) for _, leaf in leaves):
            made[name] = value
            shared.append(name)
            continue
        made[name] = rebuild([_varied(np.asarray(leaf), size, rng) for _, leaf in leaves])
    return made, shared


def _is_floating(leaf: Any) -> bool:
    return getattr(getattr(leaf, "dtype", None), "kind", "") == "f"


def _varied(array: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    varied: np.ndarray = array * (1 + 0.02 * rng.uniform(-1, 1, size=(size, *array.shape)))
    return varied


def _measured(graph: Graph, options: Options, peers: Sequence[PeerRun]) -> Comparison:
    jobs = _order_jobs(graph, options)
    paths = [] if options.batch or options.backend != "numpy" else _path_jobs(graph, options)
    everything = [*jobs, *paths]
    unique = _unique(everything)
    runs = [job.run for job in unique if job.run is not None]
    options.say(f"{len(runs)} orders run, {options.repeat} times each")
    peaks = [
        (peak, arrays if job.probe is None else job.probe())
        for job in unique
        if job.run is not None
        for peak, arrays in [peak_memory(job.run)]
    ]
    timings = interleaved([*runs, *(peer.run for peer in peers)], options.repeat)
    first = peaks[0][1] if peaks else None
    results: dict[Any, Measured] = {}
    at = 0
    for job in unique:
        if job.run is None:
            results[_key(job)] = Measured(job.row, skipped=job.skipped)
            continue
        peak, arrays = peaks[at]
        off = None if first is None else deviation(arrays, first)
        results[_key(job)] = Measured(job.row, timings[at], peak, off)
        at += 1
    found = [replace(results[_key(job)], row=job.row) for job in everything]
    return Comparison(
        title=title_of(graph) + (f", a batch of {options.batch}" if options.batch else ""),
        rows=tuple(found[: len(jobs)]),
        paths=tuple(found[len(jobs) :]),
        peers=tuple(
            peer.timed(timing, first) for peer, timing in zip(peers, timings[len(runs) :], strict=True)
        ),
        backend=options.backend,
        batch=options.batch,
        limit=options.limit,
        input_bytes=sum(int(entries(n.shape)) * np.dtype(n.dtype).itemsize for n in graph.trace.variables),
        environment=environment(),
    )


def _key(job: _Job) -> Any:
    """Rows that run the same are run once."""
    return (job.row.order, job.row.mode) if job.row.path == "auto" else job.row.name


def _unique(jobs: Sequence[_Job]) -> list[_Job]:
    found: dict[Any, _Job] = {}
    for job in jobs:
        found.setdefault(_key(job), job)
    return list(found.values())


def _order_jobs(graph: Graph, options: Options) -> list[_Job]:
    found: dict[CostRow, _Job] = {}
    modes = ("lazy",) if options.batch or options.backend != "numpy" else options.modes
    for mode in modes:
        linear = linear_of(graph.trace, mode)
        bare = elimination_graph(linear)
        for order in applicable(linear, bare) if options.orders is None else options.orders:
            if not isinstance(order, str):
                _check_vertices(linear, order)
            options.say(f"counting {order if isinstance(order, str) else 'the given order'}, {mode}")
            try:
                made = accumulated(linear, order, seconds=options.seconds, seed=options.seed)
            except BudgetError:  # exact on a graph that is too large for it
                if options.orders is not None:
                    raise
                continue
            row = order_row(linear, bare, order, made, mode, dense=options.batch is None)
            rows = made.rows if mode == "lazy" else [[assembled(t) for t in one] for one in made.rows]
            job = _job(row, lambda rows=rows: _order_run(graph, rows, options), options)  # type: ignore[misc]
            if options.batch and options.backend == "numpy":
                job = replace(job, probe=lambda rows=rows: order_probe(graph.trace, rows))  # type: ignore[misc]
            found[row] = job
    return [found[row] for row in together(list(found))]


def _check_vertices(linear: Linear, order: Sequence[str]) -> None:
    """Raises UnknownNameError, listing what can be eliminated, for a name that is no vertex."""
    known = list(labels(linear).values())
    named = {node.name for node in linear.nodes.values()}
    for label in order:
        if label not in known and label not in named:
            raise UnknownNameError(
                f"the order names {label!r}, which cannot be eliminated",
                f"vertices, as --order-out writes them: {', '.join(known) or 'none'}",
                did_you_mean(str(label), known),
            )


def _order_run(graph: Graph, rows: Any, options: Options) -> Run:
    if options.backend != "numpy":
        return backend_run(options.backend, graph.trace, rows)
    return order_run(graph.trace, rows, dense=options.batch is None)


def _path_jobs(graph: Graph, options: Options) -> list[_Job]:
    if len(graph.trace.wrt) != 1 or len(graph.named) > 200:
        return []
    chain = chain_product(graph, str(graph.trace.wrt[0].name))
    if chain is None:
        return []
    rows = chain.rows(itemsize_of(graph))
    if not options.run:
        return [_Job(row, None, _reason(row, options)) for row in rows]
    return [_job(row, lambda run=run: run, options) for row, run in zip(rows, path_runs(chain), strict=True)]  # type: ignore[misc]


def _job(row: CostRow, make: Callable[[], Run], options: Options) -> _Job:
    """The row with its run, unless it is over the limit."""
    if row.peak_bytes > options.limit or not options.run:
        return _Job(row, None, _reason(row, options))
    if row.flop > MOST:
        return _Job(row, None, "not run: too long")
    return _Job(row, make())


def _reason(row: CostRow, options: Options) -> str:
    """Why a row is counted alone."""
    return OVER if row.peak_bytes > options.limit else "not run"


__all__ = ["BACKENDS", "LIMIT", "Comparison", "Measured", "PeerTime", "Timing", "batched_inputs", "compare"]
