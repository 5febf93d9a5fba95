"""Text for terminals, mail and doctests: the chain under braces, its index sum, and the block picture.

`chain_text(view)` is the chain rule with shapes and letters under every factor, `detail_lines(view)` the
index form, the einsum, each delta put in and summed away and the matrix form, `block_text(link)` the picture
of a tensor; `show_text(view)` is all of it.  Lines keep to `width`; `ascii=True` uses no other characters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..axes import Shape, Size, show
from ..layouts import plain_shape, shape_text
from .blocks import Picture, block_titles, counted, density, picture
from .index import einsum_call, index_form, where_lines
from .letters import axis_names, place_letters
from .matrix import matrix_form
from .naming import Names
from .printers import ASCII, UNICODE
from .records import ChainView, Link, names, places

INDENT = "  "
SHADES = " ░▒▓█"


def plain_text(text: str) -> str:
    """The same in ASCII, where an encoding lacks a symbol.

    >>> plain_text("∂z/∂A: δ, 3 × 4 · x₁²")
    'd z/d A: delta, 3 x 4 . x1^2'
    """
    return "".join(_PLAIN.get(c, c) for c in text)


_PLAIN = {
    "∂": "d ", "×": "x", "·": ".", "−": "-", "–": "-", "δ": "delta", "Σ": "sum", "∈": "in", "…": "...",
    "│": "|", "─": "-", "╰": "\\", "╯": "/", "┬": "_", "⊙": ".*", "⊗": "kron", "ᵀ": "'", "■": "#",
    "≤": "<=", "≥": ">=", "≠": "!=", "░": ".", "▒": "o", "▓": "O", "█": "#", "₋": "-", "⁻": "^-",
    **{c: str(k) for k, c in enumerate("₀₁₂₃₄₅₆₇₈₉")}, **{c: f"^{k}" for k, c in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Column:
    """One factor: a fraction over a brace over its shapes and letters."""

    top: str
    bottom: str
    below: tuple[str, ...]
    sign: str

    @property
    def width(self) -> int:
        return max(5, len(self.top), len(self.bottom), *(len(line) for line in self.below))

    def lines(self, ascii: bool) -> list[str]:
        """The factor's rows, each as wide as the column."""
        bar = ("-" if ascii else "─") * max(len(self.top), len(self.bottom), 4)
        rows = [self.top, bar, self.bottom, brace(self.width, ascii), *self.below]
        return [row.center(self.width) for row in rows]


def brace(width: int, ascii: bool = False) -> str:
    """A brace that opens upwards.

    >>> brace(7), brace(8, ascii=True)
    ('╰──┬──╯', '\\\\______/')
    """
    if ascii:
        return "\\" + "_" * (width - 2) + "/"
    left = (width - 3) // 2
    return "╰" + "─" * left + "┬" + "─" * (width - 3 - left) + "╯"


def brace_shape(target: Shape, given: Shape) -> str:
    """A shape as it stands under a brace: `M×(M×N)`; a scalar counts as 1.

    >>> brace_shape((), (3, 4)), brace_shape((3,), (3, 4)), brace_shape((3,), ())
    ('1×(3×4)', '3×(3×4)', '3×1')
    >>> from ..axes import symbol
    >>> brace_shape((symbol("n") - 1,), (symbol("n"),))
    '(n−1)×n'
    """

    def one(size: Size) -> str:
        text = show(size)
        return f"({text.replace(' - ', '−').replace(' + ', '+')})" if " " in text else text

    def side(shape: Shape) -> str:
        text = "×".join(map(one, shape)) or "1"
        return f"({text})" if len(shape) > 1 else text

    return f"{side(target)}×{side(given)}"


def chain_text(view: ChainView, width: int = 80, ascii: bool = False) -> str:
    """The chain rule as on the slides: fractions, braces, shapes (symbolic and numeric), index letters."""
    pairs, whole = places(view, names(view))
    single = len(view.links) == 1 or view.part
    columns = [] if single else [_column(view, view.whole, whole, "", ascii)]
    for k, (link, pair) in enumerate(zip(view.links, pairs, strict=True)):
        sign = ("" if single else "=") if k == 0 else ("." if ascii else "·")
        columns.append(_column(view, link, pair, sign, ascii))
    rows: list[str] = []
    for line in _wrapped(columns, width):
        rows += ([""] if rows else []) + _row(line, ascii)
    return "\n".join(row.rstrip() for row in rows)


def _column(
    view: ChainView, link: Link, pair: tuple[Sequence[str], Sequence[str]], sign: str, ascii: bool
) -> _Column:
    shapes = [brace_shape(link.target_shape, link.input_shape)]
    numeric = brace_shape(view.at(link.target_shape), view.at(link.input_shape))
    shapes += [numeric] if numeric != shapes[0] else []
    below = [*shapes, "".join((*pair[0], *pair[1]))]
    change = plain_text if ascii else str
    top, bottom = _sides(link, ascii)
    return _Column(top, bottom, tuple(change(line) for line in below), sign)


def _wrapped(columns: Sequence[_Column], width: int) -> list[list[_Column]]:
    """Columns in lines no wider than `width`."""
    lines: list[list[_Column]] = []
    used = 0
    for column in columns:
        needed = column.width + (3 if column.sign else 0)
        if lines and used + needed <= width:
            lines[-1].append(column)
            used += needed
        else:
            lines.append([column])
            used = needed
    return lines


def _row(columns: Sequence[_Column], ascii: bool) -> list[str]:
    height = max(4 + len(column.below) for column in columns)
    rows = [""] * height
    for column in columns:
        lines = column.lines(ascii)
        lines += [" " * column.width] * (height - len(lines))
        for k, line in enumerate(lines):
            gap = f" {column.sign} " if k == 1 else "   "
            rows[k] += (gap if column.sign else "") + line
    return rows


def detail_lines(view: ChainView, ascii: bool = False) -> list[tuple[str, str]]:
    """(name, text) of the index form, the einsum, the deltas put in and summed away, and the matrix form."""
    known = names(view)
    pairs, whole = places(view, known)
    printer = ASCII if ascii else UNICODE
    left = _entry(view.whole, whole, printer is ASCII)
    answer = f"{left} = {index_form(view.whole.terms, whole, known, printer)}"
    lines: list[tuple[str, str]] = []
    if len(view.links) > 1:
        lines.append(("index form", f"{left} = {_chain_sum(view, pairs, whole, ascii)}"))
        lines.append(("einsum", chain_einsum(view, pairs, whole)))
        lines += [
            (
                "put in" if k == 0 else "",
                f"{_title(link, ascii)} = {index_form(link.terms, pair, known, printer)}",
            )
            for k, (link, pair) in enumerate(zip(view.links, pairs, strict=True))
        ]
        deltas = any("δ" in text or "delta" in text for _, text in lines[2:])
        name = "sum over delta" if ascii else "sum over δ"
        lines.append((name if deltas else "multiplied", answer))
    else:
        lines.append(("index form", answer))
    calls = [einsum_call(term, whole, known).text for term in view.whole.terms.terms]
    label = "numpy" if len(view.links) > 1 else "einsum"
    lines += [(label if k == 0 else "", text if k == 0 else f"+ {text}") for k, text in enumerate(calls)]
    lines += _matrix_lines(view, known, ascii)
    wheres = [plain_text(text) if ascii else text for text in where_lines(known, printer)]
    lines += [("where" if k == 0 else "", text) for k, text in enumerate(wheres)]
    return lines


def _matrix_lines(view: ChainView, known: Names, ascii: bool) -> list[tuple[str, str]]:
    terms = view.whole.terms
    found = matrix_form(terms, None, known)
    if found is None:
        return []
    made = [found]
    if found.layout == "vec":
        other = matrix_form(terms, "vec-row", known)
        made += [other] if other is not None else []
    lines = []
    for k, form in enumerate(made):
        shape = plain_shape(form.shape, " x " if ascii else " × ")
        text = f"{form.ascii if ascii else form.text}   ({form.layout} layout, {shape})"
        lines.append(("matrix form" if k == 0 else "", text))
    return lines


def _title(link: Link, ascii: bool) -> str:
    return "/".join(_sides(link, ascii))


def _sides(link: Link, ascii: bool) -> tuple[str, str]:
    """What stands over and under the bar: `∂²f` and `∂x²`, in ASCII `d^2 f` and `d x^2`."""
    if not ascii:
        return link.top, link.bottom
    order, name = link.above
    under = " ".join(f"d {given}{_power(times)}" for given, times in link.below)
    return f"d{_power(order)} {name}", under


def _power(order: int) -> str:
    return "" if order == 1 else f"^{order}"


def _entry(link: Link, pair: tuple[Sequence[str], Sequence[str]], ascii: bool) -> str:
    letters = (*pair[0], *pair[1])
    title = _title(link, ascii)
    return f"({title}){_under(letters)}" if letters else title


def _under(letters: Sequence[str]) -> str:
    plain = all(len(letter) == 1 for letter in letters)
    return f"_{''.join(letters)}" if plain else f"_{{{','.join(letters)}}}"


def _chain_sum(
    view: ChainView, pairs: Sequence[tuple[Sequence[str], Sequence[str]]], whole: object, ascii: bool
) -> str:
    middle = [letter for pair in pairs[:-1] for letter in pair[1]]
    sigma = "sum" if ascii else "Σ"
    sums = [f"{sigma}_{letter}" for letter in middle]
    factors = [_entry(link, pair, ascii) for link, pair in zip(view.links, pairs, strict=True)]
    return " ".join([*sums, *factors])


def chain_einsum(
    view: ChainView,
    pairs: Sequence[tuple[Sequence[str], Sequence[str]]],
    whole: tuple[Sequence[str], Sequence[str]],
) -> str:
    """The chain as one `np.einsum` over dense local Jacobians: `np.einsum("i,ij,jmn->mn", dL_df, ...)`."""
    groups = ["".join((*target, *given)) for target, given in pairs]
    out = "".join((*whole[0], *whole[1]))
    arrays = ", ".join(f"d{link.target_name}_d{link.input_name}" for link in view.links)
    return f'np.einsum("{",".join(groups)}->{out}", {arrays})'


def block_text(link: Link, width: int = 80, ascii: bool = False, known: Names | None = None) -> str:
    """The block picture: symbols for small sizes, shades for large ones, a count where sizes are symbolic."""
    shape = shape_text(link.terms.target_shape, link.terms.input_shape, "×")
    drawn = picture(link, known)
    head = f"{_title(link, ascii)} ∈ R^{{{shape}}}"
    if drawn is None:
        lines = [*_headed(head, counted(link), width), *_shaded(link, width)]
    elif len(drawn.target_shape) == 1 and len(drawn.input_shape) <= 1:
        lines = [*_headed(head, counted(link), width), *_matrix(drawn)]
    else:
        per = "one block per target entry; " if drawn.target_shape else ""
        lines = [*_headed(head, per + counted(link), width), *_blocks(link, drawn, width)]
    text = "\n".join(line.rstrip() for line in lines)
    return plain_text(text) if ascii else text


def _headed(head: str, text: str, width: int) -> list[str]:
    """Both on one line where they fit, closer together or below one another where not."""
    for gap in ("      ", "  "):
        if len(head + gap + text) <= width:
            return [head + gap + text]
    return [head, INDENT + text]


def _cells(rows: Sequence[Sequence[str | None]], wide: int) -> list[str]:
    return [" ".join((cell or "·").ljust(wide) for cell in row) for row in rows]


def _wide(drawn: Picture) -> int:
    return max((len(text) for text in drawn.cells.values()), default=1)


def _matrix(drawn: Picture) -> list[str]:
    """A vector by a vector (or scalar): one matrix."""
    rows = [drawn.block((i,))[0] for i in range(drawn.target_shape[0])]
    return [f"  │ {text} │" for text in _cells(rows, _wide(drawn))]


def _blocks(link: Link, drawn: Picture, width: int) -> list[str]:
    """One block for each target entry, as many side by side as fit."""
    wide = _wide(drawn)
    labels = _row_labels(link, drawn)
    made = []
    for at, title in block_titles(link, drawn.target_shape):
        rows = [f"│ {text} │" for text in _cells(drawn.block(at), wide)]
        across = max(len(title), *(len(row) for row in rows))
        made.append([title.center(across), *(row.center(across) for row in rows)])
    room = width - len(INDENT) - len(labels[0])
    each = max(1, (room + 3) // (len(made[0][0]) + 3))
    lines: list[str] = []
    for start in range(0, len(made), each):
        rows = ["   ".join(parts) for parts in zip(*made[start : start + each], strict=True)]
        lines += [""] if start else []
        lines += [INDENT + label + row for label, row in zip(labels, rows, strict=True)]
    return lines


def _row_labels(link: Link, drawn: Picture) -> list[str]:
    """`m=1 ` before the rows of a block whose input is a matrix, under an empty one for the titles."""
    if len(drawn.input_shape) != 2:
        return [""] * (1 + len(drawn.block((0,) * len(drawn.target_shape))))
    axes = link.axes or axis_names(link.input_shape)
    letter = place_letters(len(drawn.target_shape), 2, axes)[1][0]
    texts = ["", *(f"{letter}={k + 1} " for k in range(drawn.input_shape[0]))]
    return [text.ljust(max(map(len, texts))) for text in texts]


def _shaded(link: Link, width: int) -> list[str]:
    """Large sizes: the flattened Jacobian on a coarse grid, darker where more entries can be nonzero."""
    grid = density(link.terms, 16, min(60, width - 6))
    if grid is None:
        return []
    lines = ["  rows: target entries; columns: input entries; darker: more can be nonzero"]
    for row in grid:
        lines.append(
            "  │" + "".join(SHADES[0 if v == 0 else 1 + min(3, int(v * 4 - 1e-9))] for v in row) + "│"
        )
    return lines


def fold(label: str, text: str, width: int, room: int = 14) -> list[str]:
    """`label  text` in lines no wider than `width`, broken before signs and factors."""
    lines: list[str] = []
    current = ""
    limit = max(20, width - len(INDENT) - room)
    for word in _GAP.sub("d\\0", text).split(" "):
        candidate = f"{current} {word}" if current else word
        if len(candidate) > limit and current:
            lines.append(current)
            current = "  " + word
        else:
            current = candidate
    lines.append(current)
    folded = [
        f"{INDENT}{(label if k == 0 else '').ljust(room)}{line}".rstrip() for k, line in enumerate(lines)
    ]
    return [line.replace("\0", " ") for line in folded]


_GAP = re.compile(r"\bd (?=\w)")  # the blank of an ASCII `d z/d A`, where no line is broken


def show_text(view: ChainView, width: int = 80, ascii: bool = False, blocks: bool = True) -> str:
    """The chain, what it says in indices, numpy and matrices, and the block picture of a large factor."""
    lines = [chain_text(view, width, ascii), ""]
    rows = detail_lines(view, ascii)
    room = max(len(label) for label, _ in rows) + 2
    for label, text in rows:
        lines += fold(label, text, width, max(room, 14))
    if blocks:
        link = next((one for one in reversed(view.links) if len(one.terms.shape) > 2), view.whole)
        lines += ["", block_text(link, width, ascii)]
    return "\n".join(lines)
