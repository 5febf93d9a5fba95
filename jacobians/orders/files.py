"""Graphs and orders as JSON: `load_graphs`, `save_order`, `load_order`."""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from jacobians.errors import JacobiansError, ReadingError

from .graph import EliminationGraph

FilePath = str | PathLike[str]

GRAPHS = '{"graphs": {"name": {"edges": [["x", "y"]], "inputs": ["x"], "outputs": ["y"]}}}'
ORDER = '["z", "f"], a list of vertices'


def load_graphs(path: FilePath) -> dict[str, EliminationGraph]:
    """The graphs in a JSON file, by name.

    The file is {"graphs": {name: graph}}, a graph has `edges` [from, to], `inputs`, `outputs`, and if need
    be `eliminable`, `const_pm1_edges` [from, to, +1 or -1] and `sizes` {vertex: size}; others are ignored.
    Raises a ReadingError for anything else.
    """
    content = _read(path, GRAPHS)
    graphs = content.get("graphs") if isinstance(content, dict) else None
    if not isinstance(graphs, dict):
        raise ReadingError("the file holds no graphs", str(path), GRAPHS)
    try:
        return {name: _graph(name, graph) for name, graph in graphs.items()}
    except JacobiansError:
        raise
    except (ValueError, TypeError) as error:
        raise ReadingError("the file holds graphs of another form", f"{path}: {error}", GRAPHS) from error


def _graph(name: str, graph: Any) -> EliminationGraph:
    """One graph of the file."""
    for key in ("edges", "inputs", "outputs"):
        if not isinstance(graph, dict) or not isinstance(graph.get(key), list):
            raise ReadingError(f"graph {name!r} has no list {key!r}", "", '"edges": [["x", "y"]]')
    sizes = dict(graph.get("sizes") or {})
    # The keys of a JSON object are texts, also where the vertices are numbers.
    vertices = {
        str(v): v for v in [*graph["inputs"], *graph["outputs"], *(v for e in graph["edges"] for v in e)]
    }
    return EliminationGraph.from_edges(
        [(a, b) for a, b in graph["edges"]],
        inputs=graph["inputs"],
        outputs=graph["outputs"],
        eliminable=graph.get("eliminable"),
        sizes={vertices.get(v, v): size for v, size in sizes.items()},
        unit_edges=graph.get("const_pm1_edges", ()),
    )


def save_order(path: FilePath, order: Sequence[Hashable]) -> None:
    """Write an order to a file, as a JSON list of its vertices, which have to be texts or whole numbers."""
    for name in order:
        if not isinstance(name, str | int):
            raise JacobiansError(
                f"vertex {name!r} cannot be written as JSON", str(path), "texts or whole numbers as names"
            )
    Path(path).write_text(json.dumps(list(order)) + "\n", encoding="utf-8")


def load_order(path: FilePath) -> list[str | int]:
    """The order in a file that `save_order` wrote, or that you wrote yourself: ["z", "f"].

    Raises a ReadingError for anything else.
    """
    content = _read(path, ORDER)
    if not isinstance(content, list) or not all(isinstance(name, str | int) for name in content):
        raise ReadingError("an order is a list of vertices", str(path), ORDER)
    return content


def _read(path: FilePath, example: str) -> Any:
    """What the JSON file holds; raises a ReadingError that says what such a file looks like: `example`."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}: {error.msg}"
    except UnicodeDecodeError as error:
        where = f"byte {error.start} is not UTF-8"
    except RecursionError:
        where = "it is nested too deeply"
    raise ReadingError("the file is not JSON", f"{path}, {where}", example)
