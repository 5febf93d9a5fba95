"""Pictures: flop against memory, cost against time, the history of a search (extra `plot`)."""

from __future__ import annotations

from math import log10
from typing import TYPE_CHECKING, Any

from ..errors import missing_extra

if TYPE_CHECKING:
    from ..orders import SearchResult
    from .comparison import Comparison


def comparison_figure(found: Comparison, path: str | None = None) -> Any:
    """Two scatter plots, each order a point: flop against peak memory, flop against seconds."""
    figure = _figure(10, 4.5)
    left, right = figure.subplots(1, 2)
    for rows, marker in ((found.rows, "o"), (found.paths, "s")):
        for mode, colour in (("lazy", "C0"), ("materialized", "C3")):
            mine = [one for one in rows if one.row.mode == mode and one.row.flop > 0]
            timed = [one for one in mine if one.seconds is not None]
            kind = ("path, " if marker == "s" else "") + mode
            style = {"c": colour, "marker": marker, "label": kind}
            if mine:
                left.scatter([one.row.flop for one in mine], [one.row.peak_bytes for one in mine], **style)
            if timed:
                right.scatter([one.row.flop for one in timed], [one.seconds for one in timed], **style)
    labels = point_labels(found)
    for k, at in enumerate(labels, start=1):
        left.annotate(str(k), at, (0, 6), textcoords="offset points", fontsize=7, ha="center")
    key = "\n".join(f"{k}  {name}" for k, name in enumerate(labels.values(), start=1))
    left.text(0.98, 0.03, key, transform=left.transAxes, fontsize=6, ha="right", va="bottom")
    left.set(
        xlabel="flop (counted)", ylabel="peak bytes (counted)", title=found.title, xscale="log", yscale="log"
    )
    right.set(
        xlabel="flop (counted)",
        ylabel="seconds (median)",
        title="cost against time",
        xscale="log",
        yscale="log",
    )
    if left.collections:
        left.legend(fontsize=7)
    if any(one.row.flop == 0 for one in (*found.rows, *found.paths)):
        left.annotate("orders of 0 flop are left out", (0.02, 0.02), xycoords="axes fraction", fontsize=6)
    return _done(figure, path)


def point_labels(found: Comparison) -> dict[tuple[int, int], str]:
    """One label for all points (flop, peak bytes) that lie closer than labels do on logarithmic axes."""
    names: dict[tuple[int, int], list[str]] = {}
    for one in (*found.paths, *found.rows):
        flop, peak = one.row.flop, one.row.peak_bytes
        if flop <= 0:
            continue
        near = (at for at in names if _decades(at[0], flop) < 0.4 and _decades(at[1], peak) < 0.12)
        known = names.setdefault(next(near, (flop, peak)), [])
        name = one.row.name.split("  ")[0].split(":")[0]
        if name not in known:
            known.append(name)
    return {at: ", ".join(known[:2]) + (", ..." if known[2:] else "") for at, known in names.items()}


def _decades(a: int, b: int) -> float:
    return abs(log10(max(1, a)) - log10(max(1, b)))


def history_figure(result: SearchResult, named: dict[str, int], path: str | None = None) -> Any:
    """The cost of the best order against the seconds searched, with the named orders and the lower bound."""
    figure = _figure(7, 4.5)
    axes = figure.subplots()
    axes.step(
        [t for t, _ in result.history], [cost for _, cost in result.history], where="post", label="search"
    )
    for k, (name, cost) in enumerate(named.items()):
        axes.axhline(cost, color=f"C{k + 1}", lw=0.8, ls="--", label=f"{name} {cost}")
    axes.axhline(result.lower_bound, color="k", lw=0.8, label=f"lower bound {result.lower_bound}")
    axes.set(xlabel="seconds", ylabel=f"multiplications ({result.rule})", title=str(result))
    axes.legend(fontsize=7)
    return _done(figure, path)


def growth_figure(
    symbol: str, sizes: list[int], series: dict[str, list[float | None]], path: str | None = None
) -> Any:
    """Seconds of each order against a size."""
    figure = _figure(7, 4.5)
    axes = figure.subplots()
    for name, seconds in series.items():
        known = [(n, t) for n, t in zip(sizes, seconds, strict=True) if t is not None]
        axes.plot([n for n, _ in known], [t for _, t in known], "o-", label=name)
    axes.set(xlabel=symbol, ylabel="seconds (median)", xscale="log", yscale="log", title="growth")
    axes.legend(fontsize=7)
    return _done(figure, path)


def _figure(width: float, height: float) -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise missing_extra("matplotlib", "plot", "plots") from None
    return Figure(figsize=(width, height), layout="constrained")


def _done(figure: Any, path: str | None) -> Any:
    if path is not None:
        figure.savefig(path, dpi=120)
    return figure
