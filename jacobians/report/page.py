"""One self-contained page about a derivative: `report_page(derivation)`, `report_of(J, path)`.

Graph, chain, index form, einsum, deltas put in and summed away, matrix form, shapes in every layout with recipes, block
pictures, counted costs of orders, and two numpy programs.  MathML and inline SVG, no script, no font, no request; light and
dark, wide and narrow, on paper.  The same input gives the same page, byte for byte.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from ..axes import Poly, Shape, magnitude
from ..axes import entries as entries_of
from ..derivative import Jacobian, show_bytes
from ..errors import JacobiansError
from ..layouts import plain_shape, shape_text
from ..notation.blocks import counted as reached
from ..notation.records import ChainView, Link
from ..shapetables import ShapeRow, rows_of, table_of
from . import costs, mathematics, tables
from .code import code, programs
from .fragments import steps
from .markup import count, joined, scroll, table, tag, text
from .pictures import block_picture, graph_picture, structure_picture
from .style import STYLE
from .subject import Subject, subject_of, subject_of_jacobian

if TYPE_CHECKING:
    from ..derivations import Derivation

DRAWN = 30  # named values that a graph draws
BLOCKS = 150  # entries that a picture writes out
SIZES = (3, 4, 2, 5, 6, 7)  # what symbols without a number (or with a large one) are drawn at
Section = tuple[str, str, str]  # anchor, heading, markup


def report_page(derivation: Derivation) -> str:
    """The page of a derivation, as text."""
    return page_of(subject_of(derivation))


def report_of(J: Jacobian, path: str) -> str:
    """Writes the page of a Jacobian to `path`, whole or not at all, and returns the path."""
    return write_whole(path, page_of(subject_of_jacobian(J)))


def write_whole(path: str, content: str) -> str:
    """Writes a file beside its place and renames it, so that nobody ever reads half of it; returns the path.

    Raises JacobiansError where the folder cannot be written to.
    """
    place = Path(path)
    try:
        handle, made = tempfile.mkstemp(prefix=f".{place.name}.", suffix=".part", dir=place.parent)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(made, 0o666 & ~mask)
        os.replace(made, place)
    except OSError as error:
        Path(made).unlink(missing_ok=True)
        raise _unwritable(path, error) from None
    return path


def _unwritable(path: str, error: OSError) -> JacobiansError:
    return JacobiansError(f"cannot write {path}", error.strerror or str(error), "a file in a folder that exists and can be written to")


def page_of(subject: Subject) -> str:
    """The page of one subject, as text."""
    known = [section for section in sections(subject) if section[2]]
    title = f"{subject.link.title} · {shape_text(subject.link.target_shape, subject.link.input_shape)}"
    head = joined(
        [
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f'<meta name="generator" content="jacobians {__version__}">',
            tag("title", text(title)),
            tag("style", STYLE),
        ]
    )
    main = joined(_section(k, *one) for k, one in enumerate(known, 1))
    body = joined([header(subject, known), tag("main", f"\n{main}\n"), footer()])
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n'


def _section(number: int, anchor: str, heading: str, content: str) -> str:
    mark = tag("span", str(number), class_="no")
    return tag("section", f"\n{tag('h2', f'{mark} {heading}', id=anchor)}\n{content}\n", aria_labelledby=anchor)


def sections(subject: Subject) -> list[Section]:
    """The sections in order; one without content is left out."""
    return [
        ("function", "The function", function_section(subject)),
        ("chain", "The chain rule", chain_section(subject)),
        ("steps", "Step by step", steps_section(subject)),
        ("shapes", "Shapes and layouts", shapes_section(subject)),
        ("blocks", "Where the zeros are", blocks_section(subject)),
        ("costs", "Orders and what they cost", costs_section(subject)),
        ("numpy", "In numpy", numpy_section(subject)),
    ]


# ---- head and foot


def header(subject: Subject, known: Sequence[Section]) -> str:
    """The object, what it is in a sentence, four facts, and the contents."""
    link, view = subject.link, subject.whole
    given = tag("p", "A derivative, in full", class_="over")
    links = "".join(tag("li", tag("a", heading, href=f"#{anchor}")) for anchor, heading, _ in known)
    lines = [given, tag("h1", mathematics.title(link, view)), lede(link), facts(subject), tag("nav", tag("ol", links), aria_label="contents")]
    return tag("header", f"\n{joined(lines)}\n", class_="top")


def lede(link: Link) -> str:
    """What the tensor says, in a sentence."""
    target, given = tag("i", text(link.target_name)), tag("i", text(link.input_name))
    one = "" if not link.target_shape else " every entry of"
    by = f"by every entry of {given}" if link.input_shape else f"by {given}"
    return tag("p", f"The derivative of{one} {target} {by}: target axes first, then input axes.", class_="lede")


def facts(subject: Subject) -> str:
    """Shape, entries, nonzeros, bytes."""
    link, view = subject.link, subject.whole
    shape = (view.at(link.target_shape), view.at(link.input_shape))
    whole, (nonzero,) = entries_of(shape[0] + shape[1]), view.at((link.nonzero,))
    dense = f"{count(whole)} × 8 B" if isinstance(whole, Poly) else show_bytes(whole * 8)
    found = [("target × input", text(shape_text(*shape))), ("entries", count(whole)), ("can be nonzero", count(nonzero)), ("dense, in float64", dense)]
    if subject.held is not None and subject.held.values is not None:
        found.append(("held as factors", show_bytes(subject.held.nbytes)))
    return tag("dl", "".join(tag("div", tag("dt", name) + tag("dd", value)) for name, value in found), class_="facts")


def footer() -> str:
    """What made the page."""
    return tag("footer", tag("p", f"Made by jacobians {__version__}: see, check and cost derivatives of vectors, matrices and tensors."))


# ---- the function


def function_section(subject: Subject) -> str:
    """The source, the graph of named values beside a table of them."""
    graph = subject.graph
    source = code(subject.source, "the function") if subject.source else ""
    if graph is None:
        return source
    shapes = {label: graph.shape(label) for label in graph.nodes}
    edges = [(given, label) for label in graph.nodes for given in graph.before(label)]
    rows = [
        [tag("i", text(label)), "argument" if not any(b == label for _, b in edges) else "from " + ", ".join(tag("i", text(a)) for a, b in edges if b == label), _both(shape, subject.sizes)]
        for label, shape in shapes.items()
    ]
    values = scroll(table("The named values, in the order they are computed", ["value", "", "shape"], rows, "values"), "the named values")
    if len(shapes) > DRAWN:
        return joined([source, values, tag("p", f"{len(shapes)} values: too many to draw.", class_="soft")])
    return joined([source, tag("div", graph_figure(subject, shapes, edges) + values, class_="two")])


def _both(shape: Shape, sizes: Mapping[str, int]) -> str:
    from ..axes import substitute

    lines = dict.fromkeys([plain_shape(shape), plain_shape(substitute(shape, sizes))])
    return text(" = ".join(lines))


def graph_figure(subject: Subject, shapes: Mapping[str, Shape], edges: Sequence[tuple[str, str]]) -> str:
    """The graph, the chain from the input to the target drawn strong."""
    paths = subject.chain.paths if subject.chain else ()
    heavy = {(link.input_name or "", link.target_name or ""): f"∂{link.target_name}/∂{link.input_name}" for path in paths for link in path}
    link = subject.link
    notes = {label: plain_shape(shape) for label, shape in shapes.items()}
    drawn = graph_picture(notes, edges, heavy, heavy, f"Graph of the named values; the chain from {link.input_name} to {link.target_name} is drawn strong")
    caption = f"From top to bottom. Strong: the {'path' if len(paths) == 1 else 'paths'} from {tag('i', text(link.input_name))} to {tag('i', text(link.target_name))}, each edge with its local Jacobian."
    return tag("figure", drawn + tag("figcaption", caption))


# ---- chain and steps


def chain_section(subject: Subject) -> str:
    """The chain of every path under braces, and the key to the colours."""
    lines: list[str] = []
    several = len(subject.views) > 1
    total = len(subject.chain.paths) if subject.chain else 1
    more = "" if subject.chain is None or subject.chain.complete else " or more"
    for k, view in enumerate(subject.views, 1):
        lines += [tag("h3", f"Path {k} of {total}{more}")] if several else []
        lines.append(tag("p", mathematics.chain(view), class_="chain"))
    if several:
        left = total - len(subject.views)
        lines.append(tag("p", f"The whole is the sum over all {total}{more} paths" + (f"; {left} are not written out." if left else ".")))
    return joined([*lines, key(subject.views[0])])


def key(view: ChainView) -> str:
    """What the colours mean."""
    target, given, middle = mathematics.letters_text(view)
    parts = [
        tag("span", f"{tag('b', 'target axes')} {target or '(none: a scalar)'}", class_="t"),
        tag("span", f"{tag('b', 'input axes')} {given or '(none: a scalar)'}", class_="n"),
        *([tag("span", f"{tag('b', 'summed over')} {middle}", class_="s")] if middle else []),
    ]
    return tag("p", " &#160; ".join(parts), class_="key")


def steps_section(subject: Subject) -> str:
    """From the chain in letters to the matrix form."""
    parts = []
    if len(subject.views) > 1:
        for k, view in enumerate(subject.views, 1):
            parts += [tag("h3", f"Along path {k}"), steps_list(view)]
        parts += [tag("h3", "Their sum"), steps_list(subject.whole)]
        return joined(parts)
    return steps_list(subject.views[0])


ANSWERS = ("sum over δ", "multiplied")


def steps_list(view: ChainView) -> str:
    """A list of named steps, the answer marked."""
    made = []
    for name, markup in steps(view):
        if not markup:
            continue
        line = tag("div", markup, class_="eq")
        made.append(tag("li", tag("span", text(name)) + line, class_="answer" if name in ANSWERS else None))
    return tag("ol", "\n".join(made), class_="steps")


# ---- shapes


def shapes_section(subject: Subject) -> str:
    """All local and composed Jacobians, their layouts, and two of them in detail."""
    rows = shape_rows(subject)
    chosen = {link.title: link for link in (*_largest(subject.links), subject.link)}
    return joined([tables.shape_table(rows), tables.side_by_side(rows), *(tables.layout_table(link, subject.whole) for link in chosen.values())])


def shape_rows(subject: Subject) -> tuple[ShapeRow, ...]:
    """The rows of the graph; the one row of a Jacobian without a graph."""
    link = subject.link
    if subject.graph is None:
        alone = Jacobian(link.terms, None, link.target_name, link.input_name)
        return table_of(subject.held or alone, "tensor").rows
    return rows_of(subject.graph, subject.sizes, link.target_name, [link.input_name])


def _largest(links: Iterable[Link]) -> list[Link]:
    """The link with the most axes, where one has three or more."""
    deep = max(links, key=lambda link: len(link.terms.shape))
    return [deep] if len(deep.terms.shape) > 2 else []


# ---- pictures


def blocks_section(subject: Subject) -> str:
    """A picture of every link and of the whole."""
    links = {link.title: link for link in (*subject.links, subject.link)}
    figures, sizes = [], dict[str, int]()
    for link in links.values():
        drawn, at = drawn_at(link, subject)
        if drawn:
            figures.append(tag("figure", drawn + tag("figcaption", tag("b", text(f"{link.title} ∈ ℝ^{{{_space(link, at)}}}")) + text(reached(_with(link, at))))))
            sizes |= at
    words = "One block for each target entry; a cell is filled where the entry can be nonzero, whatever the numbers. Large tensors are shown flattened: rows are target entries, columns input entries."
    known = ", ".join(f"{name} = {size}" for name, size in sizes.items())
    note = tag("p", f"Drawn at {known}.", class_="soft") if known else ""
    return joined([tag("p", words), note, tag("div", "\n".join(figures), class_="pictures")]) if figures else ""


def _space(link: Link, sizes: Mapping[str, int]) -> str:
    one = _with(link, sizes)
    return shape_text(one.target_shape, one.input_shape)


def _with(link: Link, sizes: Mapping[str, int]) -> Link:
    from ..derivations import at_sizes

    terms = at_sizes(link.terms, sizes)
    return Link(link.target_name, link.input_name, terms.target_shape, terms.input_shape, terms)


def drawn_at(link: Link, subject: Subject) -> tuple[str, dict[str, int]]:
    """The picture of a link and the sizes it is drawn at: the known ones where they are small, else small ones."""
    symbols = sorted({name for size in link.terms.shape if isinstance(size, Poly) for name in size.symbols()})
    known = {name: subject.sizes[name] for name in symbols if name in subject.sizes}
    small = dict(zip(symbols, SIZES, strict=False))
    for sizes in (known, small):
        if set(sizes) == set(symbols):
            one = _with(link, sizes)
            if magnitude(entries_of(one.terms.shape)) <= BLOCKS or sizes is small:
                found = block_picture(one, most=BLOCKS)
                if found:
                    return found, sizes
    sizes = known if set(known) == set(symbols) else small
    held = subject.held if subject.held is not None and link is subject.link and subject.held.values is not None else None
    return structure_picture(_with(link, sizes), held.bound() if held else None) or "", sizes


# ---- costs and programs


def costs_section(subject: Subject) -> str:
    """Counted costs of orders and brackets; what is missing where sizes have no numbers."""
    if subject.numeric is None or subject.graph is None:
        return ""
    if subject.missing:
        return needs_numbers("Costs are counted", subject.missing)
    try:
        found = costs.counted(subject.numeric(), subject.link.target_name, subject.link.input_name)
    except JacobiansError as error:
        return tag("p", text(error.what), class_="soft")
    words = (
        "Counted from shapes and deltas; nothing was run. A flop is a multiplication or an addition; bars are logarithmic. "
        f"The function itself costs {count(found.function.flop)} flop and {count(found.function.evaluations)} function evaluations."
    )
    return joined([tag("p", words), costs.order_table(found), costs.bracket_table(found) if found.brackets else ""])


def numpy_section(subject: Subject) -> str:
    """Two programs: with the structure used, and with dense local Jacobians as on slides."""
    if subject.numeric is None or subject.graph is None:
        return ""
    if subject.missing:
        return needs_numbers("A program is written", subject.missing)
    try:
        structured, slides = programs(subject.numeric(), subject.link.target_name, subject.link.input_name)
    except JacobiansError as error:
        return tag("p", text(error.what), class_="soft")
    return joined(
        [
            tag("h3", "With deltas as shared indices"), code(structured.strip(), "numpy program with structure"),
            tag("h3", "As on slides: dense local Jacobians, contracted by einsum"), code(slides.strip(), "numpy program with dense local Jacobians"),
        ]
    )  # fmt: skip


def needs_numbers(what: str, missing: Sequence[str]) -> str:
    """What to add where sizes are symbolic."""
    words = " ".join(f"{name}={size}" for name, size in zip(missing, SIZES * len(missing), strict=False))
    return tag("p", f"{what} for numbers: {', '.join(tag('i', text(name)) for name in missing)} {'has' if len(missing) == 1 else 'have'} none yet. Add {tag('code', words)}.")
