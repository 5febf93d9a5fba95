"""What a notebook shows: an HTML fragment without script or style, that reads well with CSS stripped.

`derivation_html(derivation)` shows title, chain, index forms, picture and shapes; `jacobian_html(J)` one
Jacobian with numbers, of which none is computed and no function run.  Both stay within 15 kB: what does not
fit is left out, with a word on where it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..axes import Poly, Size, show
from ..budget import show_bytes
from ..derivative import Jacobian
from ..expr import topological
from ..layouts import shape_text
from ..notation.blocks import counted
from ..notation.index import einsum_call, index_form
from ..notation.matrix import matrix_form
from ..notation.records import ChainView, Link, held_fixed, names, places
from ..notation.text import chain_einsum
from ..terms import TermSum
from . import mathematics
from .markup import count, table, tag, text
from .matrices import matrix
from .pictures import block_picture, structure_picture
from .subject import held_alone

if TYPE_CHECKING:
    from ..derivations import Derivation

BYTES = 15_000  # of a fragment
SMALL = 48  # entries that a fragment draws one by one
DEEP = 400  # nodes beyond which a repr does not write out an entry
PATHS = 3  # chains that a fragment writes out


def derivation_html(derivation: Derivation) -> str:
    """A derivation as a fragment: title, chain, index form to matrix form, picture, shape table."""
    views, whole = derivation.views, derivation.view
    parts = [heading(whole)]
    several = len(derivation.chain.paths)
    if several > 1:
        parts.append(
            tag("p", f"The sum over {several} paths{'' if derivation.chain.complete else ' or more'}:")
        )
    for k, view in enumerate(views[:PATHS]):
        if len(view.links) > 1 or view.part:
            fixed = held_fixed(view, views)
            note = tag("small", f" ({text(', '.join(fixed))} held fixed)") if fixed else ""
            parts.append(tag("p", "+ " * (k > 0) + mathematics.chain(view) + note))
    if several > PATHS:
        parts.append(tag("p", f"and {several - PATHS} more paths"))
    parts.append(steps_table(views[0] if len(views) == 1 else whole))
    parts.append(picture_of(derivation.pictured))
    parts.append(derivation.shapes()._repr_html_())
    return within(parts, "the whole is in the report: jac.show(...).html(), jacobians report")


def jacobian_html(J: Jacobian) -> str:
    """A Jacobian as a fragment: title, entry in indices, picture, shape, bytes held against bytes dense."""
    view = held_alone(J)
    parts = [heading(view)]
    deep = len(topological([node for t in J.terms.terms for node in t.nodes])) > DEEP
    parts += [] if deep else [tag("p", mathematics.entry(view))]
    parts.append(picture_of(view.whole, None if J.values is None else J.bound(), 0 if deep else SMALL))
    parts.append(held_table(J, view))
    return within(parts, "J.index_form(), J.layouts(), J.chain() and J.report(path) show the rest")


def heading(view: ChainView) -> str:
    """The object and its space."""
    return tag("p", tag("strong", mathematics.title(view.whole, view)))


def within(parts: Sequence[str], note: str) -> str:
    """As many parts as fit; where one is left out, a note on where it is."""
    kept, left, room = [], False, BYTES - len(note.encode()) - 60
    for part in parts:
        size = len(part.encode())
        if size > room:
            left = True
            continue
        kept.append(part)
        room -= size
    return tag("div", "".join(kept) + (tag("p", tag("small", text(note))) if left else ""))


def steps_table(view: ChainView) -> str:
    """From the chain in letters to the matrix form, a row each."""
    rows = [(label, made) for label, made in steps(view) if made]
    body = "".join(tag("tr", tag("th", text(label), scope="row") + tag("td", made)) for label, made in rows)
    return tag("table", tag("tbody", body), cellpadding="5")


def steps(view: ChainView) -> list[tuple[str, str]]:
    """(name, markup) of index form, einsum, what is put in, what deltas sum to, numpy and matrix form."""
    known = names(view)
    pairs, whole = places(view, known)
    made: list[tuple[str, str]] = []
    several = len(view.links) > 1
    if several:
        made.append(("index form", mathematics.chain_sum(view)))
        made.append(("einsum", tag("code", text(chain_einsum(view, pairs, whole)))))
        made += [("put in" if k == 0 else "and", mathematics.put_in(view, k)) for k in range(len(view.links))]
    deltas = any(
        "δ" in index_form(link.terms, pair, known) for link, pair in zip(view.links, pairs, strict=True)
    )
    name = "index form" if not several else "sum over δ" if deltas else "multiplied"
    made.append((name, mathematics.entry(view)))
    calls = [einsum_call(term, whole, known).text for term in view.whole.terms.terms]
    made.append(
        (
            "in numpy",
            "<br>".join(tag("code", text(("+ " if k else "") + call)) for k, call in enumerate(calls)),
        )
    )
    return made + matrix_steps(view) + where_steps(view)


def matrix_steps(view: ChainView) -> list[tuple[str, str]]:
    """The matrix form with its layout and shape; in both vec layouts where it needs them."""
    known = names(view)
    found = matrix_form(view.whole.terms, None, known)
    forms = [found] if found is not None else []
    if found is not None and found.layout == "vec":
        other = matrix_form(view.whole.terms, "vec-row", known)
        forms += [other] if other is not None else []
    return [
        (
            "matrix form" if k == 0 else "and",
            matrix(form.form) + tag("small", f" ({form.layout} layout, {text(shape_text(form.shape, ()))})"),
        )
        for k, form in enumerate(forms)
    ]


def where_steps(view: ChainView) -> list[tuple[str, str]]:
    """What the letters made for long values stand for."""
    from ..notation.index import where_lines

    return [("where" if k == 0 else "and", text(line)) for k, line in enumerate(where_lines(names(view)))]


def picture_of(link: Link, terms: TermSum | None = None, most: int = SMALL) -> str:
    """The blocks of a small Jacobian, the coarse structure of a large one, else the count alone."""
    drawn = block_picture(link, most=most) or structure_picture(link, terms, 16, 32, 320)
    line = tag("p", text(counted(link)))
    return tag("div", drawn) + line if drawn else line


def held_table(J: Jacobian, view: ChainView) -> str:
    """Shape, entries, nonzeros, and bytes held against bytes dense."""
    head = ["Jacobian", "target × input", "entries", "can be nonzero", "held", "dense"]
    dense = _bytes(J.size, J.dtype.itemsize)
    held = "–" if J.values is None else show_bytes(J.nbytes)
    row = [
        text(view.whole.title),
        text(shape_text(J.target_shape, J.input_shape)),
        count(J.size),
        count(J.nnz),
        held,
        dense,
    ]
    return table("", head, [row])


def _bytes(size: Size, itemsize: int) -> str:
    return f"{show(size * itemsize)} B" if isinstance(size, Poly) else show_bytes(size * itemsize)


__all__ = ["derivation_html", "jacobian_html"]
