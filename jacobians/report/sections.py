"""The sections of a page: each a function of its subject that returns markup, or nothing to say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ..axes import Poly, Shape, entries, magnitude, substitute
from ..derivations import at_sizes
from ..derivative import Jacobian
from ..errors import JacobiansError
from ..layouts import plain_shape
from ..notation.blocks import counted as reached
from ..notation.records import ChainView, Link, alone, held_fixed
from ..shapetables import ShapeRow, fixed_mark, rows_of, table_of
from . import costs, mathematics, tables
from .code import code, programs
from .fragments import steps
from .graphs import graph_picture
from .markup import count, joined, scroll, table, tag, text
from .pictures import block_picture, structure_picture
from .subject import Subject

DRAWN = 30  # named values that a graph draws
STEPPED = 3  # paths up to which each is derived step by step
LABELLED = 8  # edges of the chain that carry the names of their Jacobians
LINES = 150  # of a program
BLOCKS = 150  # entries that a picture writes out
SIZES = (3, 4, 2, 5, 6, 7)  # what symbols without a number (or with a large one) are drawn at
ANSWERS = ("sum over δ", "multiplied")
PICTURED = (
    "One block for each target entry; a cell is filled where the entry can be nonzero, whatever the numbers. "
    "Large tensors are shown flattened: rows are target entries, columns input entries."
)


def soft(words: str) -> str:
    """A remark."""
    return tag("p", words, class_="soft")


def name(words: str) -> str:
    """The name of a value or size."""
    return tag("i", text(words))


# ---- the function


def function_section(subject: Subject) -> str:
    """The source, the graph of named values beside a table of them."""
    graph = subject.graph
    source = code(subject.source, "the function") if subject.source else ""
    if graph is None:
        return source
    shapes = {called(subject, label): graph.shape(label) for label in graph.nodes}
    before = {
        called(subject, label): [called(subject, one) for one in graph.before(label)] for label in graph.nodes
    }
    values = scroll(values_table(shapes, before, subject.sizes), "the named values")
    if len(shapes) > DRAWN:
        return joined([source, values, soft(f"{len(shapes)} values: too many to draw.")])
    return joined([source, tag("div", graph_figure(subject, shapes, before) + values, class_="two")])


def called(subject: Subject, label: str) -> str:
    """The name of a value; where the page is about a derivative's derivative, `∂f/∂x` for that derivative."""
    link = subject.link
    if not link.by or label != link.target_name:
        return label
    return replace(link, input_name=link.by[0], by=link.by[1:]).title


def values_table(
    shapes: Mapping[str, Shape], before: Mapping[str, Sequence[str]], sizes: Mapping[str, int]
) -> str:
    """Every named value, what it is made from, and its shape."""
    rows = []
    for label, shape in shapes.items():
        made = "from " + ", ".join(map(name, before[label])) if before[label] else "argument"
        known = dict.fromkeys([plain_shape(shape), plain_shape(substitute(shape, sizes))])
        rows.append([name(label), made, text(" = ".join(known))])
    caption = "The named values, in the order they are computed"
    return table(caption, ["value", "where from", "shape"], rows, "values")


def graph_figure(subject: Subject, shapes: Mapping[str, Shape], before: Mapping[str, Sequence[str]]) -> str:
    """The graph, the chain from the input to the target drawn strong."""
    paths = subject.chain.paths if subject.chain else ()
    links = {
        (link.input_name or "", called(subject, link.target_name or "")): retitled(subject, link.title)
        for path in paths
        for link in path
    }
    heavy = links if len(links) <= LABELLED else dict.fromkeys(links, "")
    notes = {label: plain_shape(shape) for label, shape in shapes.items()}
    edges = [(given, label) for label in shapes for given in before[label]]
    ends = subject.link.input_name, called(subject, subject.link.target_name)
    title = "Graph of the named values; the chain from {} to {} is drawn strong".format(*ends)
    which = "path" if len(paths) == 1 else "paths"
    caption = f"From top to bottom. Strong: the {which} from {name(ends[0])} to {name(ends[1])}"
    caption += ", each edge with its local Jacobian." if len(links) <= LABELLED else "."
    return tag("figure", graph_picture(notes, edges, heavy, title) + tag("figcaption", caption))


# ---- chain and steps


def chain_section(subject: Subject) -> str:
    """The chain of every path under braces, and the key to the colours."""
    lines: list[str] = []
    several = len(subject.views) > 1
    total = len(subject.chain.paths) if subject.chain else 1
    more = "" if subject.chain is None or subject.chain.complete else " or more"
    for k, view in enumerate(subject.views, 1):
        fixed = held_fixed(view, subject.views)
        note = f" ({text(', '.join(fixed))} held fixed)" if fixed else ""
        lines += [tag("h3", f"Path {k} of {total}{more}{note}")] if several else []
        lines.append(tag("p", mathematics.chain(view), class_="chain"))
    if several:
        left = total - len(subject.views)
        rest = f"; {left} are not written out." if left else "."
        lines.append(tag("p", f"The whole is the sum over the {total}{more} paths{rest}"))
    return joined([*lines, key(max(subject.views, key=lambda view: len(view.links)))])


def key(view: ChainView) -> str:
    """What the colours mean."""
    target, given, middle = mathematics.letters_text(view)
    scalar = "(none: a scalar)"
    parts = [
        tag("span", f"{tag('b', 'target axes')} {target or scalar}", class_="t"),
        tag("span", f"{tag('b', 'input axes')} {given or scalar}", class_="n"),
        *([tag("span", f"{tag('b', 'summed over')} {middle}", class_="s")] if middle else []),
    ]
    return tag("p", " &#160; ".join(parts), class_="key")


def steps_section(subject: Subject) -> str:
    """From the chain in letters to the matrix form: along a few paths, then their sum."""
    if len(subject.views) == 1:
        return steps_list(subject.views[0])
    chosen = subject.views if len(subject.views) <= STEPPED else subject.views[:1]
    parts = []
    for k, view in enumerate(chosen, 1):
        parts += [tag("h3", f"Along path {k}"), steps_list(view)]
    return joined([*parts, tag("h3", "The sum over all paths"), steps_list(subject.whole)])


def steps_list(view: ChainView) -> str:
    """A list of named steps, the answer marked."""
    made = []
    for title, markup in steps(view):
        line = tag("span", text(title)) + tag("div", markup, class_="eq")
        made.append(tag("li", line, class_="answer" if title in ANSWERS else None))
    return tag("ol", "\n".join(made), class_="steps")


# ---- shapes


def shapes_section(subject: Subject) -> str:
    """All local and composed Jacobians, their layouts, and two of them in detail."""
    rows = shape_rows(subject)
    chosen = {link.title: link for link in (*_deepest(subject.links), subject.link)}
    return joined(
        [
            tables.shape_table(rows, index_forms(subject, rows)),
            tables.side_by_side(rows),
            *(tables.layout_table(link, subject.whole) for link in chosen.values()),
        ]
    )


def shape_rows(subject: Subject) -> tuple[ShapeRow, ...]:
    """The rows of the graph; the one row of a Jacobian without a graph."""
    link = subject.link
    if subject.graph is None:
        bare = Jacobian(link.terms, None, link.target_name, link.input_name)
        return table_of(subject.held or bare, "tensor").rows
    rows = rows_of(subject.graph, subject.sizes, link.target_name, [link.input_name])
    return tuple(replace(row, title=retitled(subject, row.title)) for row in rows)


def retitled(subject: Subject, title: str) -> str:
    """The title of a link; where the subject is a derivative of a derivative, with all that it is by."""
    link = subject.link
    target, _, given = title.partition("/∂")
    return replace(link, input_name=given).title if link.by and target == f"∂{link.target_name}" else title


def index_forms(subject: Subject, rows: Sequence[ShapeRow]) -> dict[str, str]:
    """The entry of every Jacobian of the table in mathematics, by title; those that are short enough."""
    links = {subject.link.title: subject.link}
    if subject.graph is not None:
        known = subject.graph.links(subject.link.target_name)
        for target, made in known.items():
            for given, J in made.items():
                one = Link(target, given, J.target_shape, J.input_shape, J.terms)
                links[retitled(subject, one.title + fixed_mark(known, target, given))] = one
    short = {row.title: links[row.title] for row in rows if row.index != "…" and row.title in links}
    views = {title: ChainView((link,), link, {}, subject.whole.named) for title, link in short.items()}
    return {title: mathematics.entry_alone(view) for title, view in views.items()}


def _deepest(links: Iterable[Link]) -> list[Link]:
    """The link with the most axes, where one has three or more."""
    deep = max(links, key=lambda link: len(link.terms.shape))
    return [deep] if len(deep.terms.shape) > 2 else []


# ---- pictures


def blocks_section(subject: Subject) -> str:
    """A picture of every link of the first path and of the whole, all at the same sizes."""
    links = {link.title: link for link in (*subject.views[0].links, subject.link)}
    sizes = drawn_sizes(subject, list(links.values()))
    figures = [
        _figure(_with(link, sizes), subject if link is subject.link else None) for link in links.values()
    ]
    figures = [figure for figure in figures if figure]
    if not figures:
        return ""
    known = ", ".join(f"{name(one)} = {size}" for one, size in sizes.items())
    drawn = tag("div", "\n".join(figures), class_="pictures")
    return joined([tag("p", PICTURED), soft(f"Drawn at {known}.") if known else "", drawn])


def _figure(link: Link, subject: Subject | None) -> str:
    """A picture with its caption; `subject` is that of the whole, whose index tables may be known."""
    held = subject.held if subject is not None else None
    terms = held.bound() if held is not None and held.values is not None else None
    drawn = block_picture(link, most=BLOCKS) or structure_picture(link, terms)
    caption = mathematics.title(link, alone(link)) + "<br>" + text(reached(link))
    return tag("figure", drawn + tag("figcaption", caption)) if drawn else ""


def drawn_sizes(subject: Subject, links: Sequence[Link]) -> dict[str, int]:
    """Sizes for the symbols: the known ones where all pictures stay small with them, else small ones."""
    found = {
        one for link in links for size in link.terms.shape if isinstance(size, Poly) for one in size.symbols()
    }
    symbols = sorted(found)
    known = {one: subject.sizes[one] for one in symbols if one in subject.sizes}
    if len(known) == len(symbols):
        areas = [magnitude(entries(_with(link, known).terms.shape)) for link in links]
        if max(areas) <= BLOCKS:
            return known
    return {one: SIZES[k % len(SIZES)] for k, one in enumerate(symbols)}


def _with(link: Link, sizes: Mapping[str, int]) -> Link:
    terms = at_sizes(link.terms, sizes)
    return replace(link, target_shape=terms.target_shape, input_shape=terms.input_shape, terms=terms)


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
        return soft(text(error.what))
    flop, evaluations = count(found.function.flop), count(found.function.evaluations)
    words = (
        "Counted from shapes and deltas; nothing was run. A flop is a multiplication or an addition; bars "
        f"are logarithmic. The function itself costs {flop} flop and {evaluations} function evaluations."
    )
    brackets = costs.bracket_table(found) if found.brackets else ""
    return joined([tag("p", words), costs.order_table(found), brackets])


def numpy_section(subject: Subject) -> str:
    """Two programs: with the structure used, and with dense local Jacobians as on slides."""
    if subject.numeric is None or subject.graph is None:
        return ""
    if subject.missing:
        return needs_numbers("A program is written", subject.missing)
    try:
        structured, slides = programs(subject.numeric(), subject.link.target_name, subject.link.input_name)
    except JacobiansError as error:
        return soft(text(error.what))
    return joined(
        [
            tag("h3", "With deltas as shared indices"),
            listing(structured.strip(), "numpy program with structure"),
            tag("h3", "As on slides: dense local Jacobians, contracted by einsum"),
            listing(slides.strip(), "numpy program with dense local Jacobians"),
        ]
    )


def listing(program: str, label: str) -> str:
    """A program, or how to print it where helpers make it too long to hand out."""
    lines = len(program.splitlines())
    if lines <= LINES:
        return code(program, label)
    call = tag("code", "jac.source(f, wrt)(...)")
    return soft(f"It has {lines} lines, helpers included; {call} prints it.")


def needs_numbers(what: str, missing: Sequence[str]) -> str:
    """What to add where sizes are symbolic."""
    sizes = " ".join(f"{one}={SIZES[k % len(SIZES)]}" for k, one in enumerate(missing))
    have = "has" if len(missing) == 1 else "have"
    return tag(
        "p", f"{what} for numbers: {', '.join(map(name, missing))} {have} none yet. Add {tag('code', sizes)}."
    )
