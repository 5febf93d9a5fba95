"""Pictures with matplotlib (extra `plot`), each drawn into an `ax` that is given or made, and returned.

- `structure(J)`: where the flattened Jacobian can be nonzero, from its wirings alone, at any size;
- `graph(g)`: the graph of a function's named values, as `jac.trace(f)(...)` returns it;
- `heatmap(J, term=0)`: the compressed array of one Term, its wiring in the title.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from .axes import Shape, entries
from .derivative import Jacobian
from .errors import UnknownNameError, UnsupportedError, missing_extra
from .expression import Graph
from .layouts import plain_shape, shape_text
from .notation.letters import place_letters
from .notation.svg import layers
from .report.raster import raster

PIXELS = 240  # cells along an axis of a structure picture
EXACT = 60  # entries along an axis up to which each has a cell with lines around it
BLUE = "#0a58a8"


def _axes(ax: Any) -> Any:
    """The axes given, or new ones; raises MissingExtraError without matplotlib."""
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        raise missing_extra("matplotlib", "plot", "plots") from None
    return plt.subplots(layout="constrained")[1] if ax is None else ax


def structure(J: Jacobian, ax: Any = None) -> Any:
    """Where `J[target, input]` can be nonzero: target entries down, input entries across; returns the axes.

    Read off the wirings, never materialized: large Jacobians are shaded by the share of each cell that can
    be nonzero.  Lines part the blocks of a small one.  Raises UnsupportedError where sizes are symbolic.
    """
    ax = _axes(ax)
    grid = raster(J.terms if J.values is None else J.bound(), PIXELS, PIXELS)
    if grid is None:
        raise UnsupportedError(
            f"{J.title} has no picture: {shape_text(J.target_shape, J.input_shape)}",
            "a picture needs sizes that are numbers, and at least one entry",
            "the Jacobian at arrays",
        )
    high, wide = int(entries(J.target_shape)), int(entries(J.input_shape))
    shaded = np.where(grid > 0, 0.25 + 0.75 * grid, 0.0)
    extent = (-0.5, wide - 0.5, high - 0.5, -0.5)
    ax.imshow(
        shaded,
        cmap=_white_to_blue(),
        vmin=0,
        vmax=1,
        extent=extent,
        interpolation="nearest",
        aspect="equal" if max(high, wide) <= 3 * min(high, wide) else "auto",
    )
    _block_lines(ax, J.target_shape, high, ax.axhline)
    _block_lines(ax, J.input_shape, wide, ax.axvline)
    rows, columns = place_letters(len(J.target_shape), len(J.input_shape))
    ax.set_ylabel(_side(J.target_name or "f", rows, J.target_shape))
    ax.set_xlabel(_side(J.input_name or "x", columns, J.input_shape))
    shape = shape_text(J.target_shape, J.input_shape)
    ax.set_title(f"{J.title}: {shape}\n{J.nnz:,} of {J.size:,} entries can be nonzero", fontsize="medium")
    return _whole_ticks(ax)


def _whole_ticks(ax: Any) -> Any:
    """Ticks at whole numbers: they count entries."""
    from matplotlib.ticker import MaxNLocator

    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    return ax


def _white_to_blue() -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("reach", ["#ffffff", BLUE])


def _block_lines(ax: Any, shape: Shape, size: int, draw: Any) -> None:
    """Thin lines between entries of a small side, stronger ones between blocks of its leading axes."""
    if size > EXACT:
        return
    last = int(shape[-1]) if len(shape) > 1 else 0
    for k in range(1, size):
        block = bool(last) and k % last == 0
        draw(k - 0.5, color="black", linewidth=0.9 if block else 0.3, alpha=0.8 if block else 0.35)


def _side(name: str, letters: Sequence[str], shape: Shape) -> str:
    return f"{name}, {' '.join(letters)}: {plain_shape(shape)}" if shape else f"{name}, a scalar"


def graph(graph: Graph, ax: Any = None) -> Any:
    """The named values from left to right with their shapes, each edge a local Jacobian; returns the axes."""
    ax = _axes(ax)
    edges = [(given, label) for label in graph.nodes for given in graph.before(label)]
    place = _placed(graph.nodes, edges)
    for given, label in edges:
        arrow = {
            "arrowstyle": "-|>",
            "color": "0.45",
            "shrinkA": 26,
            "shrinkB": 28,
            "connectionstyle": "arc3,rad=0.06",
        }
        ax.annotate("", place[label], place[given], arrowprops=arrow, zorder=1)
    for label, (x, y) in place.items():
        edge = BLUE if label == graph.target else "0.45"
        box = {"boxstyle": "round,pad=0.45", "facecolor": "white", "edgecolor": edge, "linewidth": 1.4}
        ax.text(
            x,
            y,
            f"{label}\n{plain_shape(graph.shape(label))}",
            ha="center",
            va="center",
            bbox=box,
            zorder=2,
            color="black",
        )
    xs, ys = zip(*place.values(), strict=True)
    ax.set_xlim(min(xs) - 0.6, max(xs) + 0.6)
    ax.set_ylim(min(ys) - 0.7, max(ys) + 0.7)
    ax.set_axis_off()
    ax.set_title(f"from {', '.join(graph.inputs)} to {graph.target}", fontsize="medium")
    return ax


def _placed(names: Sequence[str], edges: Sequence[tuple[str, str]]) -> dict[str, tuple[float, float]]:
    """Layers from left to right, each column centred; an argument stands just before its first use."""
    level = dict(layers(names, edges))
    for name in names:
        later = [level[b] for a, b in edges if a == name]
        if later and not any(b == name for _, b in edges):
            level[name] = min(later) - 1
    columns: dict[int, list[str]] = {}
    for name in names:
        columns.setdefault(level[name], []).append(name)
    return {
        name: (float(k), (len(column) - 1) / 2 - row)
        for k, column in columns.items()
        for row, name in enumerate(column)
    }


def heatmap(J: Jacobian, ax: Any = None, term: int = 0) -> Any:
    """The compressed array (core) of one Term as a heat map, its wiring in the title; returns the axes.

    A core of more than two axes is shown as a matrix, its first axes flattened down.  Raises
    UnknownNameError where there is no such Term, UnsupportedError where the Jacobian has no numbers.
    """
    count = len(J.terms.terms)
    if not 0 <= term < count:
        raise UnknownNameError(
            f"there is no term {term}",
            f"{J.title} has {count} terms, numbered from 0",
            f"term=0 to term={count - 1}" if count else "J.nnz, it is zero",
        )
    array, wiring = J.core()[term]
    ax = _axes(ax)
    letters, _, places = wiring.partition(":")
    names = letters.split()
    matrix, rows, columns = _as_matrix(np.asarray(array, dtype=float), names)
    most = float(np.max(np.abs(matrix), initial=0.0)) or 1.0
    image = ax.imshow(matrix, cmap="RdBu_r", vmin=-most, vmax=most, interpolation="nearest", aspect="auto")
    ax.figure.colorbar(image, ax=ax, shrink=0.85)
    ax.set_ylabel(" ".join(rows) or "a number")
    ax.set_xlabel(" ".join(columns) or "a number")
    target, _, given = places.strip().partition("|")
    which = f", term {term + 1} of {count}" if count > 1 else ""
    ax.set_title(f"core of {J.title}{which}: wiring ({target.strip()} | {given.strip()})", fontsize="medium")
    return _whole_ticks(ax)


def _as_matrix(array: np.ndarray, names: Sequence[str]) -> tuple[np.ndarray, Sequence[str], Sequence[str]]:
    """A core as a matrix: a vector lies across, more than two axes are flattened down."""
    if array.ndim < 2:
        return array.reshape(1, -1), names[:0], names
    return array.reshape(prod(array.shape[:-1]), array.shape[-1]), names[:-1], names[-1:]
