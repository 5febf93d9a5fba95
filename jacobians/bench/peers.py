"""Other libraries on the same work, each at its best: `peer_runs("jax", trace)`.

The traced function is rebuilt from the library's own operations, so that f is the same to all.  jax: jitted
`jacrev` and `jacfwd`, in a batch `vmap(jacrev f)`, never `jacrev(vmap f)`; torch: the same of `torch.func`.
Compiling is timed apart; both directions are listed, so that the better one is there.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backends import executor, load
from ..backends.base import Backend
from ..containers import flatten
from ..errors import UnknownNameError, did_you_mean
from ..traces import Trace
from .measuring import Timing
from .running import deviation, wait

PEERS = ("jax", "torch")


@dataclass(frozen=True, slots=True)
class PeerTime:
    """A peer's time: `how` it was asked, seconds of compiling (its first call), and the timing after that."""

    name: str
    how: str
    compile_seconds: float
    timing: Timing
    deviation: float | None

    def to_dict(self) -> dict[str, Any]:
        """JSON-able values; seconds."""
        return {
            "name": self.name,
            "how": self.how,
            "compile_seconds": self.compile_seconds,
            "seconds": self.timing.seconds,
            "spread": self.timing.spread,
            "deviation": self.deviation,
        }


@dataclass(frozen=True, slots=True)
class PeerRun:
    """A peer's call, compiled already."""

    name: str
    how: str
    compile_seconds: float
    run: Callable[[], list[Any]]
    comparable: bool

    def timed(self, timing: Timing, reference: Sequence[Any] | None) -> PeerTime:
        """The run with its timing, and its deviation from our result where both are dense."""
        off = deviation(self.run(), reference) if self.comparable and reference is not None else None
        return PeerTime(self.name, self.how, self.compile_seconds, timing, off)


def peer_runs(
    name: str, trace: Trace, batch: Mapping[str, Any] | None = None, shared: Sequence[str] = ()
) -> list[PeerRun]:
    """The ways to ask a peer for all Jacobians of a trace; raises MissingExtraError without the library.

    `batch` holds arrays with a leading axis of samples by argument (all but the `shared` ones); the trace is
    that of one sample.
    """
    if name not in PEERS:
        raise UnknownNameError(
            f"peer {name!r} is not known", f"peers: {', '.join(PEERS)}", did_you_mean(name, PEERS)
        )
    backend = load(name)
    run = executor(trace.targets, trace.variables, backend)
    places = tuple(k for k, node in enumerate(trace.variables) if node in trace.wrt)

    def f(*arrays: Any) -> tuple[Any, ...]:
        return tuple(run(*arrays))

    values = {node.name: node.value for node in trace.variables}
    axes: tuple[int | None, ...] = ()
    if batch is not None:
        values |= {path: leaf for key, value in batch.items() for path, leaf in flatten(value, key)[0]}
        axes = tuple(None if str(n.name).split("[")[0] in shared else 0 for n in trace.variables)
    arrays = [_array(name, values[node.name]) for node in trace.variables]
    found = []
    for direction in ("jacrev", "jacfwd"):
        how, call = _transformed(name, backend, direction, f, places, axes)
        began = time.perf_counter()
        _wait_all(call(*arrays))
        spent = time.perf_counter() - began
        found.append(PeerRun(name, how, spent, lambda call=call: _wait_all(call(*arrays)), batch is None))  # type: ignore[misc]
    return found


def _transformed(
    name: str,
    backend: Backend,
    direction: str,
    f: Callable[..., Any],
    places: tuple[int, ...],
    axes: tuple[Any, ...],
) -> tuple[str, Callable[..., Any]]:
    """How the peer is asked, and the function that asks it."""
    library = importlib.import_module("jax" if name == "jax" else "torch.func")
    derivative = getattr(library, direction)(f, argnums=places)
    how = f"vmap({direction})" if axes else direction
    over = {"jax": "in_axes", "torch": "in_dims"}[name]
    whole = library.vmap(derivative, **{over: axes}) if axes else derivative
    return (f"jit({how})", backend.compile(whole)) if name == "jax" else (how, whole)


def _array(name: str, value: Any) -> Any:
    if name == "jax":
        jax = importlib.import_module("jax")
        jax.config.update("jax_enable_x64", True)
        return jax.numpy.asarray(value)
    return importlib.import_module("torch").as_tensor(np.array(value))


def _wait_all(found: Any) -> list[Any]:
    """The Jacobians in our order, target by target, once they are computed."""
    flat = [array for row in found for array in row]
    for array in flat:
        wait(array)
    return flat
