"""The pictures of the page "Which order?": `draw(measurements, folder)`.

`counts_figure`, `search_figure` and `times_figure` make them; `as_svg` writes one so that it can stand in a
page and is read on light and on dark.
"""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
from which_order import NAMED, PUBLISHED, RANDOM, SCALAR, SEEDS, Measurements, scalar_graph

INK = "#010203"  # becomes the page's own text colour
COLOURS = {
    "forward": "#4c8fdb",
    "reverse": "#e08a2e",
    "markowitz": "#a06cd5",
    "greedy": "#2fa572",
    "search": "#e0484d",
    "random": "#909090",
}
MARKERS = {"forward": ">", "reverse": "<", "markowitz": "D", "greedy": "s", "search": "o", "random": "x"}


def draw(done: Measurements, folder: Path) -> None:
    """The three pictures."""
    pictures = {"counts": counts_figure, "search": search_figure, "times": times_figure}
    for name, make in pictures.items():
        title, figure = make(done)
        (folder / f"which-order-{name}.svg").write_text(as_svg(figure, title, name), "utf-8")


def _axes(width: float, height: float, rows: int = 1, columns: int = 1) -> tuple[Any, np.ndarray]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    return inked(figure), axes


def inked(figure: Any) -> Any:
    """The figure, its axes and texts in the colour that becomes the page's own."""
    for one in figure.axes:
        one.patch.set_alpha(0)
        one.tick_params(which="both", colors=INK)
        for side, spine in one.spines.items():
            spine.set_color(INK)
            spine.set_alpha(0.5)
            spine.set_visible(side in ("left", "bottom"))
        legend = one.get_legend()
        for text in (one.xaxis.label, one.yaxis.label, one.title, *(legend.get_texts() if legend else ())):
            text.set_color(INK)
    return figure


def counts_figure(done: Measurements) -> tuple[str, Any]:
    """Each order's multiplications as a multiple of the lower bound."""
    figure, axes = _axes(7.6, 3.4)
    one = axes[0, 0]
    for k, name in enumerate(reversed(SCALAR)):
        best = done.found[name, "plain"].best
        costs = {order: scalar_graph(name).cost(order) for order in NAMED} | {"search": best.cost}
        one.plot([1, max(costs.values()) / best.lower_bound], [k, k], color=INK, alpha=0.25, lw=0.8, zorder=0)
        for order, cost in costs.items():
            label = order if k == 0 else None
            one.scatter(cost / best.lower_bound, k, 34, COLOURS[order], marker=MARKERS[order], label=label)
    one.axvline(1, color=INK, lw=1, alpha=0.6)
    one.set(yticks=range(len(SCALAR)), yticklabels=SCALAR[::-1], xlim=(0.9, None))
    one.set_xlabel("multiplications (plain) / certified lower bound")
    _legend(one, loc="lower right")
    return "Multiplications of five orders on six graphs, as multiples of the lower bound", figure


def search_figure(done: Measurements) -> tuple[str, Any]:
    """The cost of the best order so far against the seconds, on the Roe flux."""
    figure, axes = _axes(7.6, 3.4)
    one, name = axes[0, 0], "roe-flux-1d"
    found, graph = done.found[name, "plain"], scalar_graph(name)
    for seed, result in zip(SEEDS, found.results, strict=True):
        end = max(found.seconds[seed], result.history[-1][0])
        moments = [*result.history, (end, result.cost)]
        label = "search, three seeds" if seed == 0 else None
        steps = [t for t, _ in moments], [cost for _, cost in moments]
        one.step(*steps, where="post", color=COLOURS["search"], lw=1.2, alpha=0.85, label=label)
    lines = {order: (graph.cost(order), COLOURS[order]) for order in ("reverse", "greedy")}
    lines["reinforcement learning"] = (PUBLISHED[name][3], COLOURS["markowitz"])
    lines["lower bound"] = (found.best.lower_bound, INK)
    for label, (cost, colour) in lines.items():
        one.axhline(cost, color=colour, lw=1, ls="--", label=f"{label}, {cost}")
    one.set(xscale="log", xlabel="seconds", ylabel="multiplications (plain)")
    _legend(one, loc="center left", bbox_to_anchor=(1, 0.5))
    return "The search's best order on the Roe flux against time", figure


def times_figure(done: Measurements) -> tuple[str, Any]:
    """Counted flop of the plan against its seconds, one point for each order."""
    figure, axes = _axes(7.6, 4.8, 2, 3)
    for one, (name, timed) in zip(axes.flat, done.plans.items(), strict=True):
        for order in timed.samples:
            kind = order.split(" ")[0]
            label = None if order in [f"random {k}" for k in range(1, RANDOM)] else kind
            point = timed.counts[order], timed.milliseconds(order)
            one.scatter(*point, 26, COLOURS[kind], marker=MARKERS[kind], label=label)
        one.set_title(f"{name}, rank correlation {timed.rank_correlation:.2f}", fontsize=8.5)
        one.tick_params(labelsize=8)
        most = max(timed.counts.values()), max(map(timed.milliseconds, timed.samples))
        one.set(xlim=(0, 1.1 * most[0]), ylim=(0, 1.1 * most[1]))
    for one in axes[-1]:
        one.set_xlabel("flop for each sample", fontsize=8.5)
    for one in axes[:, 0]:
        one.set_ylabel("milliseconds", fontsize=8.5)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    legend = figure.legend(handles, labels, loc="outside lower center", ncols=6, frameon=False, fontsize=8.5)
    _inked(legend)
    return "Counted operations against measured time for six problems", figure


def _legend(axes: Any, **where: Any) -> None:
    _inked(axes.legend(frameon=False, fontsize=8.5, **where))


def _inked(legend: Any) -> None:
    for text in legend.get_texts():
        text.set_color(INK)


def as_svg(figure: Any, title: str, salt: str) -> str:
    """The picture to be put into a page: its text is text, its ink the page's, its names its own."""
    from matplotlib import rc_context

    out = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": salt, "font.family": "sans-serif"}):
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    text = re.sub(r"<metadata>.*?</metadata>", "", out.getvalue(), flags=re.S)
    text = re.sub(r'(<g|<clipPath|<path) id="(?=[a-z]+\d*_\d+")[^"]*"', r"\1", text[text.index("<svg") :])
    width, height = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text).groups()  # type: ignore[union-attr]
    shape = f'viewBox="0 0 {width} {height}" role="img" aria-label="{title}"'
    look = "display: block; margin: 1rem auto; min-width: 32rem; width: 100%; height: auto"
    spaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
    head = f'<svg {spaces} {shape} style="{look}">'
    body = text[text.index(">") + 1 :].replace(INK, "currentColor")
    return head + "\n" + "\n".join(line.strip() for line in body.splitlines() if line.strip()) + "\n"
