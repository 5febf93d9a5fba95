"""The peers benchmark: this package beside jitted JAX, torch.func and structured numpy by hand.

- `peers_main(suites, ...)` runs suites and prints the table or JSON: `jacobians bench --peers [SUITE...]`.
- `run(suites, ...)` gives the rows; `SUITES` names the suites; `all_cases(scale)` the cases.

Each peer at its best (the faster of jacrev and jacfwd, jitted; torch compiled or not), the calls
interleaved, compile time apart, all results compared; the table says which threads each has.
"""

from __future__ import annotations

import json as _json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from ...errors import JacobiansError, UnknownNameError, did_you_mean
from ..measuring import environment, show_environment
from ..timing import check_repeat
from . import cold, growth, libraries, scalars, table, tensors
from .cases import Case
from .measure import Row, measured

SUITES = ("layer", "mlp", "loss", "matmul", "elementwise", "hessian", "matrix", "micro", "batch", "problems")

__all__ = ["SUITES", "Case", "Row", "all_cases", "measured", "peers_main", "run"]


def all_cases(scale: float = 1.0) -> list[Case]:
    """Every case of every suite, sizes multiplied by `scale`."""
    return [*tensors.cases(scale), *scalars.cases(scale)]


def run(
    suites: str | Sequence[str] = (), *,
    peers: str | Sequence[str] = libraries.LIBRARIES, repeat: int = 7, scale: float = 1.0,
    compiled: bool = True, cpu: bool = False, say: Callable[[str], None] | None = None,
) -> list[Row]:  # fmt: skip
    """The rows of the suites named (none: all); raises UnknownNameError, MissingExtraError, Disagreement.

    A string is one name.  With `cpu` seconds are those of the processor, for a machine that others use too.
    """
    chosen, peers = _names(suites) or list(SUITES), _names(peers)
    _check_numbers(repeat, scale)
    for name in chosen:
        if name not in SUITES:
            raise UnknownNameError(
                f"suite {name!r} is not known", f"suites: {', '.join(SUITES)}", did_you_mean(name, SUITES)
            )
    for library in peers:
        libraries.namespace(library)
    rows = []
    clock = time.process_time if cpu else time.perf_counter
    for case in all_cases(scale):
        if case.suite in chosen:
            if say is not None:
                say(f"{case.suite}: {case.name}")
            rows.append(measured(case, peers, repeat, compiled, clock=clock))
    return rows


def _names(given: str | Sequence[str]) -> list[str]:
    """Names as a list; a string is one name."""
    return [given] if isinstance(given, str) else list(given)


def _check_numbers(repeat: int, scale: float) -> None:
    check_repeat(repeat)
    if not 0 < scale < float("inf"):
        what = f"scale is {scale}: sizes are multiplied by it"
        raise JacobiansError(what, f"scale={scale}", "a number above 0: scale=0.1")


def peers_main(
    suites: str | Sequence[str] = (), json: bool = False, *,
    peers: str | Sequence[str] = libraries.LIBRARIES, repeat: int = 7,
    scale: float = 1.0, compiled: bool = True, cpu: bool = False, grow: bool = False, plot: str | None = None,
    start: bool = False,
) -> str:  # fmt: skip
    """Runs the suites and prints the table, or JSON; returns what it printed.

    `grow` adds the curves of growth (`plot` draws them into that file), `start` the first results of cold
    processes.
    """
    rows = run(suites, peers=peers, repeat=repeat, scale=scale, compiled=compiled, cpu=cpu, say=_to_stderr)
    found = growth.curves() if grow or plot else []
    starts = cold.first_results(_names(peers)) if start else {}
    if plot:
        growth.plot(found, plot)
    shown = _as_json(rows, found, starts) if json else _as_text(rows, found, starts)
    print(shown)
    return shown


def _to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _as_json(rows: Sequence[Row], found: Sequence[growth.Curve], starts: dict[str, list[float]]) -> str:
    curves = [
        {name: getattr(curve, name) for name in ("name", "axis", "sizes", "seconds", "peak", "held")}
        for curve in found
    ]
    whole: dict[str, Any] = {"environment": environment(), "rows": [row.to_dict() for row in rows]}
    whole |= {"growth": curves, "first_result_seconds": starts}
    return _json.dumps(whole, indent=1)


def _as_text(rows: Sequence[Row], found: Sequence[growth.Curve], starts: dict[str, list[float]]) -> str:
    from ..timing import median, show_time

    parts = [show_environment(environment()), "", table.text(rows)]
    if found:
        parts += ["", growth.text(found)]
    if starts:
        parts += [
            "",
            "first result of a new process: "
            + ", ".join(f"{name} {show_time(median(s))}" for name, s in starts.items()),
        ]
    return "\n".join(parts)
