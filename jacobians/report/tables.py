"""The tables of shapes: local and composed Jacobians, and every layout with its recipe."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..axes import Shape, substitute
from ..layouts import LAYOUTS, has_place, layout_recipe, layout_text, shape_text
from ..notation.records import ChainView, Link
from ..shapetables import ShapeRow
from . import mathematics
from .markup import count, scroll, table, tag, text


def shape_table(rows: Sequence[ShapeRow], index: Mapping[str, str]) -> str:
    """One row for each Jacobian: shapes, entries, nonzeros; `index` is markup by title."""
    sizes = any(_numbers(row) for row in rows)
    head = [
        "Jacobian",
        "target × input",
        *(["in numbers"] if sizes else []),
        "entries",
        "can be nonzero",
        "in indices",
    ]
    cells = []
    for row in rows:
        symbolic = shape_text(row.target_shape, row.input_shape)
        (nonzero,) = substitute((row.nonzero,), row.sizes)
        numbers = [text(row.shape)] if sizes else []
        cells.append(
            [
                titled(row),
                text(symbolic),
                *numbers,
                count(row.entries),
                count(nonzero),
                index.get(row.title, text(row.index)),
            ]
        )
    return scroll(
        table("Read a shape as: target axes first, then (input axes)", head, cells), "shapes of the Jacobians"
    )


def titled(row: ShapeRow) -> str:
    """`∂z/∂A` in mathematics."""
    target, _, given = row.title.partition("/")
    return mathematics.derivative(target.removeprefix("∂"), given.removeprefix("∂"))


def _numbers(row: ShapeRow) -> bool:
    return row.shape != shape_text(row.target_shape, row.input_shape)


def side_by_side(rows: Sequence[ShapeRow]) -> str:
    """Every Jacobian in every layout."""
    head = ["Jacobian", *(layout.title for layout in LAYOUTS.values())]
    cells = [[titled(row), *(_cell(row.layout(name)) for name in LAYOUTS)] for row in rows]
    return scroll(table("Every Jacobian in every layout", head, cells), "shapes in every layout")


def _cell(shown: str) -> str:
    if shown == "–" or shown.startswith("none"):
        return tag("span", text(shown), class_="none")
    shape, _, note = shown.partition("  ")
    return text(shape) + (
        " " + tag("i", re.sub(r"_(\w+)", r"<sub>\1</sub>", text(note)), class_="kron") if note else ""
    )


def layout_table(link: Link, view: ChainView) -> str:
    """Each layout for one Jacobian: who uses it, its shape, the recipe, the order of the chain rule."""
    symbolic, numeric = (
        (link.target_shape, link.input_shape),
        (view.at(link.target_shape), view.at(link.input_shape)),
    )
    head = ["layout", "who uses it", "shape", "from the tensor J", "chain rule"]
    cells = [
        [
            tag("b", text(layout.title)),
            text(layout.used_by),
            *_placed(name, symbolic, numeric),
            text(layout.chain),
        ]
        for name, layout in LAYOUTS.items()
    ]
    caption = f"{mathematics.derivative(link.top[1:], link.bottom[1:])} in every layout"
    return scroll(table(caption, head, cells, "layouts"), f"{link.title} in every layout")


def _placed(name: str, symbolic: tuple[Shape, Shape], numeric: tuple[Shape, Shape]) -> tuple[str, str]:
    """The shape in a layout and the recipe for it, or why it has no place there."""
    if not has_place(name, *numeric):
        why = (
            "needs a scalar target"
            if name == "gradient"
            else f"no place: rank {len(symbolic[0] + symbolic[1])}"
        )
        return tag("span", text(layout_text(name, *numeric)), class_="none"), tag("span", why, class_="none")
    shapes = list(dict.fromkeys(layout_text(name, *pair) for pair in (symbolic, numeric)))
    return text(" = ".join(shapes)), tag("code", text(layout_recipe(name, *numeric)))
