"""The numbers of the page "Performance": `python docs/performance.py` measures every case beside JAX and
torch, writes the tables between the comments of docs/performance.md, and draws the figure of growth.

    cases       a line for each case: medians in seconds, ratios with their quartiles
    growth      sizes, seconds and slopes of lazy Jacobians
    start       seconds of whole new processes
    conditions  where the numbers come from

`python docs/performance.py --cpu` counts seconds of the processor, for a machine that others use too;
`--eager` leaves out torch.compile, which takes most of the time.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from which_order import with_table
from which_order_figures import as_svg, inked

from jacobians.bench.measuring import environment, show_environment
from jacobians.bench.suites import SUITES, Row, cold, growth, run
from jacobians.bench.timing import Ratio, median, show_time, show_times
from jacobians.cost_table import show_size

PAGE = Path(__file__).with_name("performance.md")
FIGURE = Path(__file__).with_name("figures") / "growth.svg"
HEAD = [
    "case", "JAX", "torch", "by hand", "dense", "kept", "view", "lazy", "core",
    "faster", "made and read", "dense / by hand",
]  # fmt: skip
CPU, EAGER, ROUNDS = "--cpu" in sys.argv, "--eager" in sys.argv, 5
FORMS = ("jax", "torch", "by hand", "dense", "reuse", "view", "lazy", "core")


def cases(rows: Sequence[Row]) -> list[list[str]]:
    """Seconds of everybody, and how many times the best peer's time ours goes into."""
    return [HEAD, *(line(row) for row in rows)]


def line(row: Row) -> list[str]:
    """One case; our plan on JAX is named beside the ratio where it is the faster form."""
    times = [show_time(median(row.made[form])) if form in row.made else "–" for form in FORMS]
    if "compile" in row.how.get("torch", ""):
        times[FORMS.index("torch")] += " (compiled)"
    dense, on_jax, hand = row.faster(), row.faster("jax plan"), row.slower_than_hand()
    faster = shown(dense if dense is not None else row.faster("lazy"))
    if on_jax is not None and (dense is None or on_jax.median > dense.median):
        faster += f", our plan on JAX {shown(on_jax)}"
    return [
        f"{row.suite}: {row.name.replace('|', chr(92) + '|')}",
        *times,
        faster,
        shown(row.faster(read=True)),
        "–" if hand is None else show_times(hand.median),
    ]


def shown(ratio: Ratio | None) -> str:
    """The median, and the quartiles in brackets."""
    if ratio is None:
        return "–"
    return f"{show_times(ratio.median)} ({show_times(ratio.low)}–{show_times(ratio.high)})"


def grown(curves: Sequence[growth.Curve]) -> list[list[str]]:
    """Every curve: its sizes, seconds, slope on logarithmic axes, and what is held at the end."""
    body = [
        [
            curve.name,
            ", ".join(f"{n:,}" for n in curve.sizes),
            ", ".join(map(show_time, curve.seconds)),
            f"{curve.exponent():.2f}",
            f"{curve.exponent('held'):.2f}",
            show_size(curve.held[-1]),
        ]
        for curve in curves
    ]
    return [["", "sizes", "seconds", "slope of seconds", "slope of bytes held", "held by the largest"], *body]


def started(found: dict[str, list[float]]) -> list[list[str]]:
    """Seconds from the start of Python to its end, and how many times ours goes into them."""
    ours = median(found["ours"])
    body = [[name, show_time(median(s)), show_times(median(s) / ours)] for name, s in found.items()]
    return [["new process", "seconds", "times ours"], *body]


def measured(suite: str) -> list[Row]:
    """The rows of a suite, from a process of its own: what one leaves behind is not the next one's."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows"
        options = ["--cpu"] * CPU + ["--eager"] * EAGER
        subprocess.run([sys.executable, __file__, *options, suite, str(path)], check=True)
        found: list[Row] = pickle.loads(path.read_bytes())
    return found


def main() -> None:
    """Everything anew: a quarter of an hour."""
    rows = [row for suite in SUITES for row in measured(suite)]
    curves = growth.curves()
    FIGURE.write_text(as_svg(inked(growth.figure(curves)), "Time against size", "growth"), "utf-8")
    where = f"{environment()['system']}, {show_environment(environment())}"
    clock = "seconds of the processor" if CPU else "seconds of the clock"
    page = PAGE.read_text("utf-8")
    for name, table in {
        "cases": cases(rows),
        "growth": grown(curves),
        "start": started(cold.first_results()),
        "conditions": [["measured with"], [f"{where}; {clock}, medians of {ROUNDS} rounds in turn"]],
    }.items():
        page = with_table(page, name, table)
    PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    match [word for word in sys.argv[1:] if word not in ("--cpu", "--eager")]:
        case [suite, path]:
            rows = run(
                [suite], repeat=ROUNDS, compiled=not EAGER, cpu=CPU, say=lambda text: print(text, flush=True)
            )
            Path(path).write_bytes(pickle.dumps(rows))
        case []:
            main()
        case words:
            usage = "try: python docs/performance.py [--cpu] [--eager]"
            sys.exit(f"error: {' '.join(words)} is not understood\n  {usage}")
