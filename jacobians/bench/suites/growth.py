"""Growth: seconds and bytes of lazy Jacobians against depth, batch and size, which should be straight lines.

`curves()` measures them; `exponent(curve)` is the slope on logarithmic axes (1: linear); `plot(curves,
path)` draws them (extra `plot`).
"""

from __future__ import annotations

import importlib
import textwrap
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import verbs
from ...errors import missing_extra
from ..timing import median
from . import scalars, tensors
from .ours import held_bytes

DEPTHS = (10, 30, 100, 300, 1000)
BATCHES = (64, 128, 256, 512, 1024)
SIZES = (100, 200, 400, 800, 1600)


@dataclass(frozen=True, slots=True)
class Curve:
    """Something measured at several sizes: seconds of a call, the peak bytes it allocates, bytes it keeps."""

    name: str
    axis: str
    sizes: tuple[int, ...]
    seconds: tuple[float, ...]
    peak: tuple[int, ...]
    held: tuple[int, ...]

    def exponent(self, what: str = "seconds") -> float:
        """The slope of `what` against size on logarithmic axes."""
        values = np.log(np.maximum(getattr(self, what), 1e-12))
        return float(np.polyfit(np.log(self.sizes), values, 1)[0])


def curves(repeat: int = 5, shorter: int = 0) -> list[Curve]:
    """Depth of a net, samples of a batch, entries of a layer; `shorter` leaves out as many large ones."""
    stop = None if not shorter else -shorter
    return [
        _curve(
            "lazy Jacobians of a net by all A, b, width 16, planned before",
            "layers",
            DEPTHS[:stop],
            _depth,
            repeat,
        ),
        _curve(
            "first call of the same: traced, ordered, planned and run",
            "layers",
            DEPTHS[:stop],
            _first_depth,
            1,
        ),
        _curve("per-sample Jacobians by x, 3 layers, width 32", "samples", BATCHES[:stop], _batch, repeat),
        _curve(
            "lazy dz/dA and df/dA of an M x M layer",
            "M x M",
            tuple(n * n for n in SIZES[:stop]),
            _layer,
            repeat,
        ),
    ]


def _curve(
    name: str, axis: str, sizes: Sequence[int], make: Callable[[int], Callable[[], Any]], repeat: int
) -> Curve:
    seconds, peaks, held = [], [], []
    for size in sizes:
        run = make(size)
        if repeat > 1:
            run()
        samples = []
        for _ in range(repeat):
            began = time.perf_counter()
            result = run()
            samples.append(time.perf_counter() - began)
        tracemalloc.start()
        run()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        seconds.append(median(samples))
        held.append(held_bytes(result))
    return Curve(name, axis, tuple(sizes), tuple(seconds), tuple(peaks), tuple(held))


def _net(depth: int) -> tuple[Any, tuple[Any, ...]]:
    rng = np.random.default_rng(depth)
    return tensors.net(np), (rng.normal(size=16), *tensors.weights(rng, 16, depth))


def _depth(depth: int) -> Callable[[], Any]:
    f, inputs = _net(depth)
    call = verbs.jacobian(f, (1, 2)).compile(*inputs)
    return lambda: call(*inputs)


def _first_depth(depth: int) -> Callable[[], Any]:
    f, inputs = _net(depth)
    return lambda: verbs.jacobian(f, (1, 2))(*inputs)


def _batch(batch: int) -> Callable[[], Any]:
    rng = np.random.default_rng(batch)
    inputs = rng.normal(size=(batch, 32)), tensors.weights(rng, 32, 3)[0]
    call = verbs.jacobian(scalars.batch_net(np), 0).compile(*inputs, core=True)
    return lambda: call(*inputs)


def _layer(entries: int) -> Callable[[], Any]:
    n = round(entries**0.5)
    rng = np.random.default_rng(n)
    inputs = rng.normal(size=(n, n)) / n, rng.normal(size=n), rng.normal(size=n)
    call = verbs.jacobian(tensors.layer(np), 0).compile(*inputs)
    return lambda: call(*inputs)


def figure(found: Sequence[Curve]) -> Any:
    """The curves on logarithmic axes, each with a straight line of slope 1, as a matplotlib figure."""
    try:
        made: Any = importlib.import_module("matplotlib.figure").Figure(
            figsize=(3.6 * len(found), 3.4), layout="constrained"
        )
    except ImportError:
        raise missing_extra("matplotlib", "plot", "plots") from None
    axes = made.subplots(1, len(found), squeeze=False)
    for axis, curve in zip(axes[0], found, strict=True):
        axis.loglog(curve.sizes, curve.seconds, "o-", label="seconds")
        first = curve.seconds[0] / curve.sizes[0]
        axis.loglog(curve.sizes, [first * size for size in curve.sizes], ":", color="gray", label="linear")
        axis.set_title("\n".join(textwrap.wrap(curve.name, 34)), fontsize=9)
        axis.set_xlabel(curve.axis)
        axis.set_ylabel("seconds")
        axis.tick_params(which="minor", labelleft=False, labelbottom=False)
        axis.legend(frameon=False)
    return made


def plot(found: Sequence[Curve], path: str) -> None:
    """The figure, written into a file."""
    figure(found).savefig(path)


def text(found: Sequence[Curve]) -> str:
    """The curves as lines: sizes, seconds, and the slopes of seconds and of peak bytes."""
    from ..timing import show_time

    lines = []
    for curve in found:
        points = ", ".join(f"{n}: {show_time(s)}" for n, s in zip(curve.sizes, curve.seconds, strict=True))
        lines.append(
            f"{curve.name}\n  {points}\n  slope {curve.exponent():.2f} in seconds, "
            f"{curve.exponent('peak'):.2f} in peak bytes"
        )
    return "\n".join(lines)
