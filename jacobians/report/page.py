"""One self-contained page about a derivative: `report_page(derivation)`, `report_of(J, path)`.

Graph, chain, index form, einsum, deltas put in and summed away, matrix form, shapes in every layout with
recipes, block pictures, counted costs of orders, and two numpy programs.  MathML and inline SVG, no script,
no font, no request; light and dark, wide and narrow, on paper.  The same input gives the same page, byte for
byte.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from ..axes import Poly, entries
from ..budget import show_bytes
from ..derivative import Jacobian
from ..errors import JacobiansError
from ..layouts import shape_text
from ..notation.records import Link
from . import mathematics, sections
from .markup import count, joined, tag, text
from .subject import Subject, subject_of, subject_of_jacobian

if TYPE_CHECKING:
    from ..derivations import Derivation

SECTIONS: dict[str, tuple[str, Callable[[Subject], str]]] = {
    "function": ("The function", sections.function_section),
    "chain": ("The chain rule", sections.chain_section),
    "steps": ("Step by step", sections.steps_section),
    "shapes": ("Shapes and layouts", sections.shapes_section),
    "blocks": ("Where the zeros are", sections.blocks_section),
    "costs": ("Orders and what they cost", sections.costs_section),
    "numpy": ("In numpy", sections.numpy_section),
}
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
    return JacobiansError(
        f"cannot write {path}",
        error.strerror or str(error),
        "a file in a folder that exists and can be written to",
    )


def page_of(subject: Subject) -> str:
    """The page of one subject, as text."""
    made = [(anchor, heading, section(subject)) for anchor, (heading, section) in SECTIONS.items()]
    known = [one for one in made if one[2]]
    title = f"{subject.link.title} · {shape_text(subject.link.target_shape, subject.link.input_shape)}"
    head = joined(
        [
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f'<meta name="generator" content="jacobians {__version__}">',
            tag("title", text(title)),
            tag("style", files(__package__).joinpath("page.css").read_text("utf-8")),
        ]
    )
    main = joined(_section(k, *one) for k, one in enumerate(known, 1))
    body = joined([header(subject, known), tag("main", f"\n{main}\n"), footer()])
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n'


def _section(number: int, anchor: str, heading: str, content: str) -> str:
    mark = tag("span", str(number), class_="no")
    return tag(
        "section", f"\n{tag('h2', f'{mark} {heading}', id=anchor)}\n{content}\n", aria_labelledby=anchor
    )


# ---- head and foot


def header(subject: Subject, known: Sequence[Section]) -> str:
    """The object, what it is in a sentence, four facts, and the contents."""
    link, view = subject.link, subject.whole
    given = tag("p", "A derivative, in full", class_="over")
    links = "".join(tag("li", tag("a", heading, href=f"#{anchor}")) for anchor, heading, _ in known)
    lines = [
        given,
        tag("h1", mathematics.title(link, view)),
        lede(link),
        facts(subject),
        tag("nav", tag("ol", links), aria_label="contents"),
    ]
    return tag("header", f"\n{joined(lines)}\n", class_="top")


def lede(link: Link) -> str:
    """What the tensor says, in a sentence."""
    target, given = tag("i", text(link.target_name)), tag("i", text(link.input_name))
    if link.by:
        times = {2: "second", 3: "third"}.get(link.above[0], f"{link.above[0]}th")
        inner = ", then by ".join(tag("i", text(one)) for one in (*reversed(link.by), link.input_name))
        words = f"The {times} derivative of {tag('i', text(link.of))}, by {inner}"
        return tag("p", f"{words}: target axes first, then input axes.", class_="lede")
    one = "" if not link.target_shape else " every entry of"
    by = f"by every entry of {given}" if link.input_shape else f"by {given}"
    return tag(
        "p", f"The derivative of{one} {target} {by}: target axes first, then input axes.", class_="lede"
    )


def facts(subject: Subject) -> str:
    """Shape, entries, nonzeros, bytes."""
    link, view = subject.link, subject.whole
    shape = (view.at(link.target_shape), view.at(link.input_shape))
    whole, (nonzero,) = entries(shape[0] + shape[1]), view.at((link.nonzero,))
    dense = f"{count(whole)} × 8 B" if isinstance(whole, Poly) else show_bytes(whole * 8)
    found = [
        (
            "target × input",
            text(
                " = ".join(
                    dict.fromkeys([shape_text(link.target_shape, link.input_shape), shape_text(*shape)])
                )
            ),
        ),
        ("entries", count(whole)),
        ("can be nonzero", count(nonzero)),
        ("dense, in float64", dense),
    ]
    if subject.held is not None and subject.held.values is not None:
        found.append(("held as factors", show_bytes(subject.held.nbytes)))
    return tag(
        "dl", "".join(tag("div", tag("dt", name) + tag("dd", value)) for name, value in found), class_="facts"
    )


def footer() -> str:
    """What made the page."""
    words = "see, check and cost derivatives of vectors, matrices and tensors"
    return tag("footer", tag("p", f"Made by jacobians {__version__}: {words}."))
