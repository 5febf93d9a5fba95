"""The shape table: every local Jacobian and the composed ones, `target x input`, in one layout or in all.

`shapes(f, layout="all", A="M,N", x="N", b="M")` (that is `jac.shapes`) needs no numbers; sizes given as `M=3`
are put in.  The table prints for 80 columns, as HTML and as JSON.
"""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .axes import Shape, Size, entries, show, substitute
from .derivative import Jacobian
from .expr import Node
from .expression import Graph
from .layouts import LAYOUTS, layout_named, layout_recipe, layout_text, shape_text
from .notation.index import index_form, where_lines
from .notation.matrix import matrix_form
from .notation.printers import ASCII, UNICODE, Printer
from .notation.records import ChainView, Link, names, places
from .reading.function import ReadFunction
from .reading.shapes import Declarations, declarations_from_keywords
from .symbolic import read, symbolic_graph
from .verbs import derived

Source = Callable[..., Any] | str
PLAIN = str.maketrans(
    {
        "∂": "d",
        "×": "x",
        "²": "^2",
        "³": "^3",
        "⁴": "^4",
        "δ": "delta",
        "–": "-",
        "−": "-",
        "ᵀ": "'",
        **{under: str(k) for k, under in enumerate("₀₁₂₃₄₅₆₇₈₉")},
        "⊗": "(x)",
    }
)
KRONECKER = ("vec", "vec-row")


@dataclass(frozen=True, slots=True)
class ShapeRow:
    """One Jacobian: its title, shapes, how many entries it has and can be nonzero, and its index form.

    `kind` is "local" for a link between neighbouring named values, "composed" for the result by an argument.
    """

    title: str
    target_shape: Shape
    input_shape: Shape
    index: str
    nonzero: Size
    kind: str
    notes: Mapping[str, str]
    sizes: Mapping[str, int]

    def shown(self, shape: Shape) -> Shape:
        """A shape with the numbers put in that are known."""
        return substitute(shape, self.sizes)

    @property
    def shape(self) -> str:
        """`M × (M × N)`."""
        return shape_text(self.shown(self.target_shape), self.shown(self.input_shape))

    @property
    def entries(self) -> Size:
        """How many entries the tensor has."""
        return entries(self.shown(self.target_shape) + self.shown(self.input_shape))

    def layout(self, name: str) -> str:
        """The shape in a layout, or why it has no place there."""
        text = layout_text(name, self.shown(self.target_shape), self.shown(self.input_shape))
        note = self.notes.get(name, "")
        return f"{text}  {note}" if note else text


@dataclass(frozen=True, slots=True)
class ShapeTable:
    """Rows of shapes; printing it shows `layout`, or with "all" every layout side by side."""

    rows: tuple[ShapeRow, ...]
    layout: str = "tensor"

    def text(self, width: int = 80, ascii: bool = False) -> str:
        """The table as text; columns that do not fit in `width` follow below."""
        made = self._layouts(width) if self.layout == "all" else self._one(width)
        return made.translate(PLAIN) if ascii else made

    def _one(self, width: int) -> str:
        heading = "target × input" if self.layout == "tensor" else f"{self.layout} layout"
        first = "local Jacobian" if self.rows and self.rows[0].kind == "local" else "Jacobian"
        titles = [first, *(r.title for r in self.rows)]
        columns = [
            [heading, *(r.shape if self.layout == "tensor" else r.layout(self.layout) for r in self.rows)],
            ["entries", *(show(r.entries) for r in self.rows)],
            ["in indices", *(r.index for r in self.rows)],
            ["nonzero", *(show(_at(r.nonzero, r.sizes)) for r in self.rows)],
        ]
        breaks = [k for k, r in enumerate(self.rows) if k and r.kind != self.rows[k - 1].kind]
        gap = 3 if len(_fitting(columns, titles, width - 2, 3)) == 1 else 2
        groups = _fitting(columns, titles, width - 2, gap)
        lines = [line for group in groups for line in [*columns_text([titles, *group], breaks, gap), ""]]
        free = sorted(
            {
                name
                for r in self.rows
                for size in (*r.target_shape, *r.input_shape)
                if not isinstance(size, int)
                for name in size.symbols()
            }
            - set(self.rows[0].sizes if self.rows else ())
        )
        notes = [reading_of(self.layout)]
        if free:
            notes.append(
                "Sizes: add "
                + " ".join(f"{name}={k + 3}" for k, name in enumerate(free))
                + ".   Other books: --layout all.   Why δ?  jacobians explain delta"
            )
        else:
            notes.append("Other books: --layout all.   Why δ?  jacobians explain delta")
        return "\n".join([f"  {line}".rstrip() for line in [*lines, *_folded(notes, width - 2)]])

    def _layouts(self, width: int) -> str:
        columns = [[layout.title, *(r.layout(name) for r in self.rows)] for name, layout in LAYOUTS.items()]
        titles = [r.title for r in self.rows]
        groups = _fitting(columns, titles, width - 2)
        blocks = [
            "\n".join("  " + line for line in columns_text([["", *titles], *group], gap=2))
            for group in groups
        ]
        legend = [f"{layout.title:<14} {layout.used_by}" for layout in LAYOUTS.values()]
        order = "left to right in tensor, numerator and vec; right to left in denominator"
        last = textwrap.wrap(f"{'chain rule':<14} {order}", width - 2, subsequent_indent=" " * 15)
        return "\n\n".join([*blocks, "\n".join("  " + line for line in [*legend, *last])])

    def as_json(self) -> list[dict[str, Any]]:
        """A list of rows: title, kind, shapes, entries, nonzero, index form, every layout's shape, recipe."""
        return [
            {
                "title": r.title,
                "kind": r.kind,
                "target_shape": [str(n) for n in r.target_shape],
                "input_shape": [str(n) for n in r.input_shape],
                "shape": r.shape,
                "entries": str(r.entries),
                "nonzero": str(_at(r.nonzero, r.sizes)),
                "index_form": r.index,
                "layouts": {name: r.layout(name) for name in LAYOUTS},
                "recipes": {name: _recipe(name, r) for name in LAYOUTS},
            }
            for r in self.rows
        ]

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        names = list(LAYOUTS) if self.layout == "all" else [self.layout]
        head = "".join(
            f"<th>{html.escape(text)}</th>"
            for text in ["", *(LAYOUTS[n].title for n in names), "entries", "in indices", "nonzero"]
        )
        body = "".join(_html_row(r, names) for r in self.rows)
        note = "" if self.layout == "all" else f"<p>{html.escape(reading_of(self.layout))}</p>"
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{note}"


def _html_row(row: ShapeRow, names: Sequence[str]) -> str:
    nonzero = show(_at(row.nonzero, row.sizes))
    texts = [*(row.layout(name) for name in names), show(row.entries), row.index, nonzero]
    cells = "".join(f"<td>{html.escape(text)}</td>" for text in texts)
    return f"<tr><th>{html.escape(row.title)}</th>{cells}</tr>"


def reading_of(layout: str) -> str:
    """How to read a shape in a layout."""
    if layout == "tensor":
        return "Read a shape as: target axes first, then (input axes)."
    known = LAYOUTS[layout]
    return f"Shapes in the {layout} layout: {known.used_by}."


def _numbered(text: str, sizes: Mapping[str, int]) -> str:
    """Unit matrices with the numbers that are known: `I_M` as `I₃`."""
    under = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
    return re.sub(
        r"I_(\w+)", lambda m: f"I{str(sizes[m[1]]).translate(under)}" if m[1] in sizes else m[0], text
    )


def _at(size: Size, sizes: Mapping[str, int]) -> Size:
    return substitute((size,), sizes)[0]


def _recipe(name: str, row: ShapeRow) -> str | None:
    from .layouts import has_place

    shapes = row.shown(row.target_shape), row.shown(row.input_shape)
    return layout_recipe(name, *shapes) if has_place(name, *shapes) else None


def columns_text(columns: Sequence[Sequence[str]], breaks: Sequence[int] = (), gap: int = 3) -> list[str]:
    """Lines of a table from its columns, left-aligned; an empty line before each row of `breaks`."""
    widths = [max(map(len, column)) for column in columns]
    lines = []
    for k, cells in enumerate(zip(*columns, strict=True)):
        if k - 1 in breaks:
            lines.append("")
        lines.append((" " * gap).join(f"{cell:<{w}}" for cell, w in zip(cells, widths, strict=True)).rstrip())
    return lines


def _folded(notes: Sequence[str], width: int) -> list[str]:
    """Notes of at most the width, broken between their sentences."""
    lines: list[str] = []
    for note in notes:
        line = ""
        for sentence in note.split(" " * 3):
            longer = f"{line}   {sentence}" if line else sentence
            if line and len(longer) > width:
                lines.append(line)
                longer = sentence
            line = longer
        lines.append(line)
    return lines


def _fitting(columns: list[list[str]], titles: list[str], width: int, gap: int = 2) -> list[list[list[str]]]:
    """Columns in groups that fit side by side."""
    first = max(map(len, titles), default=0)
    groups: list[list[list[str]]] = [[]]
    used = first
    for column in columns:
        wide = max(map(len, column)) + gap
        if groups[-1] and used + wide > width:
            groups.append([])
            used = first
        groups[-1].append(column)
        used += wide
    return groups


def link_of(J: Jacobian) -> Link:
    """A Jacobian as what the renderers take; a derivative as target with what it is of and by."""
    of, by = derived(J)
    target, given = J.target_name or "f", J.input_name or "x"
    return Link(target, given, J.target_shape, J.input_shape, J.terms, of=of, by=by)


def rows_of(
    graph: Graph,
    sizes: Mapping[str, int],
    target: str | None = None,
    wrt: list[str] | None = None,
    printer: Printer = UNICODE,
) -> tuple[ShapeRow, ...]:
    """The local Jacobians along all chains to the target, then the composed ones by every argument."""
    target = target or graph.target
    graph.shape(target)  # an unknown name is told here
    chosen = wrt or [label for label in graph.inputs]
    found = graph.links(target)
    on_the_way = {label for label in found if any(_reaches(found, label, end) for end in chosen)}
    links = {
        (label, given): J
        for label, made in found.items()
        for given, J in made.items()
        if given in on_the_way or given in chosen
    }
    order = {label: k for k, label in enumerate(graph.nodes)}
    local = sorted(links, key=lambda pair: (order[pair[0]], order[pair[1]]))
    rows = []
    for pair in local:
        row = _row(links[pair], graph.named, "local", sizes, printer)
        rows.append(replace(row, title=row.title + fixed_mark(found, *pair)))
    for label in chosen:
        if ((target, label) not in links or fixed_beside(found, target, label)) and label != target:
            rows.append(_row(graph.jacobian(target, label), graph.named, "composed", sizes, printer))
    return tuple(rows)


def fixed_beside(links: Mapping[str, Mapping[str, Jacobian]], target: str, given: str) -> list[str]:
    """The values that a link holds fixed: those through which its target is made from its input, too."""
    return [one for one in links[target] if one != given and _reaches(links, one, given)]


def fixed_mark(links: Mapping[str, Mapping[str, Jacobian]], target: str, given: str) -> str:
    """` |h` after the title of a link that holds h fixed."""
    fixed = fixed_beside(links, target, given)
    return f" |{','.join(fixed)}" if fixed else ""


def _reaches(links: Mapping[str, Mapping[str, Jacobian]], label: str, end: str) -> bool:
    """Whether a named value is made from another, by the links known."""
    stack, seen = [label], set()
    while stack:
        one = stack.pop()
        if one == end:
            return True
        if one not in seen:
            seen.add(one)
            stack += links.get(one, {})
    return False


def _row(
    J: Jacobian,
    named: Mapping[str, Node],
    kind: str,
    sizes: Mapping[str, int],
    printer: Printer,
    link: Link | None = None,
) -> ShapeRow:
    link = link or link_of(J)
    view = ChainView((link,), link, sizes, named)
    known = names(view)
    _, letters = places(view, known)
    index = index_form(J.terms, letters, known, printer)
    wheres = [line for line in where_lines(known, printer) if _stands(line.split(" = ")[0], index)]
    index = "; ".join([index, *wheres])
    index = index if len(index) <= 40 else "…"
    notes = {}
    for layout in KRONECKER:
        form = matrix_form(J.terms, layout, known) if len(J.shape) > 2 else None
        if form is not None and len(form.text) <= 16:
            tight = form.text.replace(" ⊗ ", "⊗")
            notes[layout] = _numbered(form.text if " " in tight else tight, sizes)
    return ShapeRow(link.title, J.target_shape, J.input_shape, index, link.nonzero, kind, notes, sizes)


def _stands(name: str, text: str) -> bool:
    """Whether a name stands in an index form."""
    return re.search(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", text) is not None


def table_of(J: Jacobian, layout: str) -> ShapeTable:
    """The table of one Jacobian alone."""
    view = J.view()
    shown = Jacobian(view.whole.terms, None, view.whole.target_name, view.whole.input_name, J.dtype)
    return ShapeTable((_row(shown, view.named, "local", {}, UNICODE, view.whole),), layout)


def function_of(f: Source, declared: Declarations, syntax: str = "numpy") -> Callable[..., Any]:
    """`f`, read first where it is text."""
    if not isinstance(f, str):
        return f
    shapes: dict[str, Any] = {name: ",".join(map(str, shape)) for name, shape in declared.shapes.items()}
    return read(f, syntax=syntax, **shapes, **declared.sizes)


def declared_for(f: Source, keywords: Mapping[str, Any]) -> Declarations:
    """The declarations given as keywords; those of a read function where none are given."""
    declared = declarations_from_keywords(**keywords)
    if isinstance(f, ReadFunction) and not declared.shapes:
        return Declarations(f.shapes.shapes, {**f.shapes.sizes, **declared.sizes}, f.shapes.constants)
    return declared


def shapes(
    f: Source,
    *,
    layout: str = "tensor",
    wrt: str | list[str] | None = None,
    target: str | None = None,
    syntax: str = "numpy",
    **declared: Any,
) -> ShapeTable:
    """The shape table of a function or a text, no numbers needed: `shapes(f, A="M,N", x="N", b="M")`.

    A row a Jacobian: its shape `target × (input)`, or the one of `layout` ("all" for every layout), entries
    and nonzeros.  Raises UnknownNameError for what is no layout, input or declared name, ReadingError for an
    argument without a shape, ShapeError where shapes do not fit.

    >>> shapes("z = A @ x", A="M,N", x="N").rows[0].shape
    'M × (M × N)'
    """
    if layout != "all":
        layout = layout_named(layout).name
    known = declared_for(f, declared)
    graph = symbolic_graph(function_of(f, known, syntax), known)
    chosen = [wrt] if isinstance(wrt, str) else wrt
    return ShapeTable(rows_of(graph, known.sizes, target, chosen), layout)


__all__ = ["ASCII", "ShapeRow", "ShapeTable", "shapes"]
