"""What the renderers take: one factor of a chain (`Link`), and a chain with its product (`ChainView`).

Both hold shapes, names and Terms, never numbers.  `places(view)` gives every axis its letter, the same in all
factors; `names(view)` the names of the values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby, pairwise

from ..axes import Shape, Size, entries, magnitude, substitute
from ..expr import Node
from ..terms import TermSum
from .letters import MATRIX, TARGET, axis_names, fresh
from .naming import Names, name_values
from .reader import Places, factor_nodes


def raised(order: int) -> str:
    """An order as an exponent: nothing for 1.

    >>> raised(1), raised(2), raised(12)
    ('', '²', '¹²')
    """
    return "" if order == 1 else str(order).translate(_EXPONENTS)


_EXPONENTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, slots=True)
class Link:
    """`d target / d input`: two names, two shapes (as they are to be shown), and the Terms.

    `axes` are the names of the input's axes, where they have some (`("M", "N")`).  Where the target is itself
    a derivative, `of` is what was differentiated and `by` by what, the last first: `∂²f/∂x∂A` is of f, by A.
    """

    target_name: str
    input_name: str
    target_shape: Shape
    input_shape: Shape
    terms: TermSum
    axes: tuple[str, ...] = ()
    of: str = ""
    by: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """`∂z/∂A`; `∂²f/∂x²` and `∂²f/∂x∂A` where the target is itself a derivative."""
        return f"{self.top}/{self.bottom}"

    @property
    def top(self) -> str:
        """What stands over the bar: `∂z`, `∂²f`."""
        order, name = self.above
        return f"∂{raised(order)}{name}"

    @property
    def bottom(self) -> str:
        """What stands under the bar: `∂A`, `∂x²`, `∂x∂A`."""
        return "".join(f"∂{name}{raised(order)}" for name, order in self.below)

    @property
    def above(self) -> tuple[int, str]:
        """The order of the derivative and what it is of."""
        return 1 + len(self.by), self.of or self.target_name

    @property
    def below(self) -> tuple[tuple[str, int], ...]:
        """What it is by, the last first, each with how many times in a row."""
        return tuple((name, len(list(run))) for name, run in groupby((self.input_name, *self.by)))

    @property
    def nonzero(self) -> Size:
        """How many entries can be nonzero: those that the wirings reach, each wiring counted once."""
        reached = {t.pattern: entries(t.sizes[k] for k in t.wiring) for t in self.terms.terms}
        total: Size = 0
        for count in reached.values():
            total = total + count
        whole = entries(self.terms.shape)
        return whole if magnitude(total) > magnitude(whole) else total


@dataclass(frozen=True, slots=True)
class ChainView:
    """The factors of a chain from the target to the input, and their product.

    `sizes` are numbers for the symbols of the shapes; `named` are the user's own names of values.  `part`:
    the chain is one path of several, its product a term of the derivative and not all of it.
    """

    links: tuple[Link, ...]
    whole: Link
    sizes: Mapping[str, int] = field(default_factory=dict)
    named: Mapping[str, Node] = field(default_factory=dict)
    part: bool = False

    def at(self, shape: Shape) -> Shape:
        """A shape with the numbers put in."""
        return substitute(shape, self.sizes)


def held_fixed(view: ChainView, views: Iterable[ChainView]) -> tuple[str, ...]:
    """The values that a direct path, one of several, holds fixed: those that the other paths go through."""
    if not view.part or len(view.links) > 1:
        return ()
    return tuple(dict.fromkeys(other.links[0].input_name for other in views if len(other.links) > 1))


def alone(link: Link, sizes: Mapping[str, int] | None = None) -> ChainView:
    """A view of one Jacobian that is no product."""
    return ChainView((link,), link, sizes or {})


def names(view: ChainView) -> Names:
    """The names of all values that the view shows, the same in every factor."""
    nodes = [node for link in (*view.links, view.whole) for node in factor_nodes(link.terms)]
    titles = {name for link in (*view.links, view.whole) for name in (link.target_name, link.input_name)}
    return name_values(nodes, view.named, titles)


def places(view: ChainView, known: Names | None = None) -> tuple[tuple[Places, ...], Places]:
    """The letters of every link's axes and of the whole's; what two links share has the same letters."""
    used = set((known or names(view)).taken())
    values = [view.links[0].target_shape, *(link.input_shape for link in view.links)]
    axes = view.whole.axes or axis_names(view.whole.input_shape)
    letters: list[tuple[str, ...]] = []
    last = _input_letters(view.whole.input_shape, axes, used) if any(axes) or len(values[-1]) > 1 else None
    for shape in values[:-1]:
        letters.append(tuple(_take(TARGET, used) for _ in shape))
    letters.append(last or tuple(_take(TARGET, used) for _ in values[-1]))
    pairs = tuple(pairwise(letters))
    return pairs, (letters[0], letters[-1])


def _input_letters(shape: Shape, axes: tuple[str, ...], used: set[str]) -> tuple[str, ...]:
    made = []
    for k in range(len(shape)):
        wanted = axes[k][:1].lower() if k < len(axes) else ""
        if not wanted.isalpha() or wanted in used:
            wanted = next(fresh(MATRIX, used))
        used.add(wanted)
        made.append(wanted)
    return tuple(made)


def _take(pool: str, used: set[str]) -> str:
    found = next(fresh(pool, used))
    used.add(found)
    return found
