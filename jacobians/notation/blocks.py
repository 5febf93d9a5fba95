"""The block picture of a Jacobian: which entries can be nonzero, and which symbol stands there.

`picture(link)` lists the symbols for small sizes (`x₁ x₂ ·`), one block for each target entry;
`density(terms, rows, columns)` is the same as shares of nonzero entries on a coarse grid, for large ones.
Neither computes a number.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ..axes import Poly, Shape, entries, magnitude, show
from ..layouts import shape_text
from ..terms import Term, TermSum
from ..wiring import Slot, Table, encode, indices
from .entries import Call, Entry, Expr, Index, Number, plus, rebuilt, times
from .naming import Names, name_values
from .printers import UNICODE
from .reader import Reader, factor_nodes
from .records import Link

SMALL = 400  # entries that are drawn one by one
LARGE = 2_000_000  # entries beyond which not even a coarse picture is drawn
LONG = 7  # characters of a symbol


@dataclass(frozen=True, slots=True)
class Picture:
    """Symbols by index (target then input), for the entries that can be nonzero."""

    target_shape: tuple[int, ...]
    input_shape: tuple[int, ...]
    cells: Mapping[tuple[int, ...], str] = field(default_factory=dict)

    def block(self, at: tuple[int, ...]) -> list[list[str | None]]:
        """The block of one target entry: rows over the leading input axes, None where it is zero."""
        *lead, last = self.input_shape or (1,)
        index = itertools.product(*(range(n) for n in lead))
        tail = bool(self.input_shape)
        return [[self.cells.get((*at, *row, *((k,) if tail else ()))) for k in range(last)] for row in index]


def picture(link: Link, known: Names | None = None) -> Picture | None:
    """The symbols of every entry that can be nonzero.

    None for symbolic sizes, beyond 400 entries, and for tables known only when a plan runs.
    """
    terms = link.terms
    if any(isinstance(size, Poly) for size in terms.shape) or magnitude(entries(terms.shape)) > SMALL:
        return None
    if any(isinstance(s, Table) and s.node.value is None for t in terms.terms for s in (*t.target, *t.input)):
        return None
    known = known or name_values(factor_nodes(terms))
    cells: dict[tuple[int, ...], list[Expr]] = {}
    for term in terms.terms:
        for at, entry in _entries(term, known):
            cells.setdefault(at, []).append(entry)
    symbols = {at: symbol(plus(found)) for at, found in cells.items()}
    kept = {at: text for at, text in symbols.items() if text != "0"}
    return Picture(_numbers(terms.target_shape), _numbers(terms.input_shape), kept)


def _numbers(shape: Shape) -> tuple[int, ...]:
    return tuple(int(size) for size in shape)


def _entries(term: Term, known: Names) -> Iterator[tuple[tuple[int, ...], Expr]]:
    """Every entry that a Term writes, with its expression."""
    labels = term.wiring
    reader = Reader(known, ())
    inner = [k for k in range(len(term.sizes)) if k not in labels]
    for values in itertools.product(*(range(int(term.sizes[k])) for k in labels)):
        along = {label: Index(value) for label, value in zip(labels, values, strict=True)}
        at = tuple(
            place(slot, dict(zip(labels, values, strict=True))) for slot in (*term.target, *term.input)
        )
        if inner:
            yield at, Entry("■")
            continue
        factors = [decided(reader.factor(n, [along[k] for k in own])) for n, own in term.factors]
        yield at, times(Number(term.coefficient), *factors)


def decided(expr: Expr) -> Expr:
    """`[j ≤ i]` of two numbers as 1 or 0."""
    match expr:
        case Call("holds", (Call("less_equal", (Entry(left, ()), Entry(right, ()))),)):
            if left.lstrip("-").isdigit() and right.lstrip("-").isdigit():
                return Number(int(int(left) <= int(right)))
    return expr


def place(slot: Slot, values: Mapping[int, int]) -> int:
    """The index that a slot holds for values of its labels."""
    if isinstance(slot, int):
        return values[slot]
    if isinstance(slot, Table):
        return (
            int(slot.node.value[tuple(values[label] for label in slot.labels)])
            if slot.node.value is not None
            else 0
        )
    return int(slot.offset) + sum(int(stride) * values[label] for label, stride in slot.strides)


_UNDER = str.maketrans("0123456789,-", "₀₁₂₃₄₅₆₇₈₉,₋")


def symbol(expr: Expr) -> str:
    """An entry in a few characters, indices counted from 1 (`x₁`, `−A₂₁`); `■` where it would be longer."""
    text = UNICODE.print(_counted(expr)).replace(" − ", "−").replace(" + ", "+")
    return text if len(text) <= LONG else "■"


def _counted(expr: Expr) -> Expr:
    match expr:
        case Entry(name, index):
            texts = [
                str(int(one.offset) + 1) if not one.strides and not one.text else str(one) for one in index
            ]
            wide = any(len(text) > 1 for text in texts)
            return Entry(name + ("," if wide else "").join(texts).translate(_UNDER))
    return rebuilt(expr, _counted)


def density(terms: TermSum, rows: int, columns: int) -> np.ndarray | None:
    """The share of entries that can be nonzero in each cell of a grid: target entries by input entries.

    None for symbolic sizes, for more than 2,000,000 entries, and for tables known only when a plan runs.
    """
    shape = terms.shape
    if any(isinstance(size, Poly) for size in shape) or magnitude(entries(shape)) > LARGE:
        return None
    hit = np.zeros(_numbers(shape), bool)
    for term in terms.terms:
        labels = term.wiring
        slots, tables = encode((*term.target, *term.input), {label: k for k, label in enumerate(labels)})
        if any(table.value is None for table in tables):
            return None
        sizes = tuple(int(term.sizes[label]) for label in labels)
        if slots:
            hit[np.broadcast_arrays(*indices(slots, sizes, [t.value for t in tables]))] = True
        else:
            hit[...] = True
    flat = hit.reshape(int(entries(terms.target_shape)), -1)
    return _coarse(_coarse(flat.astype(float), rows).T, columns).T


def _coarse(array: np.ndarray, rows: int) -> np.ndarray:
    """The mean over at most `rows` groups of rows, equal ones where half as many can be."""
    size = array.shape[0]
    count = min(rows, size)
    count = next((k for k in range(count, count // 2, -1) if size % k == 0), count)
    edges = np.linspace(0, size, count + 1).round().astype(int)
    return np.array([array[a:b].mean(axis=0) for a, b in itertools.pairwise(edges)])


def headline(link: Link) -> str:
    """`∂z/∂A: 3 × (3 × 4), 12 of 36 entries can be nonzero`."""
    shape = shape_text(link.terms.target_shape, link.terms.input_shape)
    return f"{link.title}: {shape}, {counted(link)}"


def counted(link: Link) -> str:
    """`12 of 36 entries can be nonzero`, symbolic where sizes are."""
    whole = entries(link.terms.shape)
    return f"{show(link.nonzero)} of {show(whole)} {'entry' if whole == 1 else 'entries'} can be nonzero"


def block_titles(link: Link, target: Sequence[int]) -> list[tuple[tuple[int, ...], str]]:
    """Every target entry and the title of its block: `∂z₁/∂A`."""
    made = []
    inner = replace(link, target_name=link.of, input_name=link.by[0], by=link.by[1:]).title if link.by else ""
    top = f"∂({inner})" if inner else f"∂{link.target_name}"
    for at in itertools.product(*(range(n) for n in target)):
        under = ("," if max((*target, 0)) > 9 else "").join(str(k + 1) for k in at).translate(_UNDER)
        made.append((at, f"{top}{under}/∂{link.input_name}"))
    return made
