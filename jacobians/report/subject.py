"""What a page is about: one Jacobian with all that is known of where it comes from.

`subject_of(derivation)` and `subject_of_jacobian(J)` make the same record: a page does not ask which it was.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..axes import Poly
from ..derivative import Jacobian
from ..expression import Chain, Graph
from ..notation.records import ChainView, Link
from ..reading.function import ReadFunction
from ..shapetables import link_of

if TYPE_CHECKING:
    from ..derivations import Derivation


@dataclass(frozen=True, slots=True)
class Subject:
    """`∂target/∂input`: views of the chain, the graph it runs through, and what is held of it.

    `views` has one view for each path shown, `whole` the product alone; `graph` is the function's (None where
    it is unknown), `numeric` makes it again with every size a number, `missing` are the sizes that have none.
    """

    views: tuple[ChainView, ...]
    whole: ChainView
    sizes: Mapping[str, int] = field(default_factory=dict)
    chain: Chain | None = None
    graph: Graph | None = None
    numeric: Callable[[], Graph] | None = None
    source: str = ""
    held: Jacobian | None = None

    @property
    def link(self) -> Link:
        """The whole Jacobian."""
        return self.whole.whole

    @property
    def missing(self) -> tuple[str, ...]:
        """Sizes without a number, by name."""
        shapes = (
            [self.graph.shape(label) for label in self.graph.nodes] if self.graph else [self.link.terms.shape]
        )
        found = {
            name for shape in shapes for size in shape if isinstance(size, Poly) for name in size.symbols()
        }
        return tuple(sorted(found - set(self.sizes)))

    @property
    def links(self) -> tuple[Link, ...]:
        """The links of all chains shown, each once."""
        found = {(link.target_name, link.input_name): link for view in self.views for link in view.links}
        return tuple(found.values())


def subject_of(derivation: Derivation) -> Subject:
    """A derivation as the subject of a page."""
    from ..symbolic import symbolic_graph

    def numeric() -> Graph:
        return symbolic_graph(derivation.f, derivation.declared, numbers=True)

    return Subject(
        derivation.views,
        derivation.view,
        derivation.sizes,
        derivation.chain,
        derivation.graph,
        numeric,
        source_of(derivation.f),
    )


def subject_of_jacobian(J: Jacobian) -> Subject:
    """A Jacobian as the subject of a page: with its function's graph and chain where they are known."""
    from ..derivations import chain_of, graph_behind, view_of

    graph = graph_behind(J)
    chain = chain_of(J)
    views, whole = chain.views, view_of(J)
    f = getattr(J.context, "f", None)
    if graph is None or chain.chain.whole.shape != J.shape:
        return Subject((whole,), whole, held=J, source=source_of(f))

    def numeric() -> Graph:
        return graph_behind(J) or graph

    return Subject(views, whole, {}, chain.chain, graph, numeric, source_of(f), J)


def held_alone(J: Jacobian) -> ChainView:
    """A Jacobian as a view of itself: nothing is traced again, so that a repr runs no function."""
    link = link_of(J)
    named = J.context.named if isinstance(J.context, Graph) else {}
    return ChainView((link,), link, {}, named)


def source_of(f: Any) -> str:
    """The text of a function: as it was read, or as Python has it; empty where there is none."""
    if isinstance(f, ReadFunction):
        return "\n".join(
            part.strip() for line in f.text.splitlines() for part in line.split(";") if part.strip()
        )
    try:
        found = textwrap.dedent(inspect.getsource(f))
        tree = ast.parse(found)
    except (OSError, TypeError, SyntaxError):
        return ""
    if tree.body and isinstance(tree.body[0], ast.FunctionDef):
        return found.rstrip()
    inside = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]
    return ast.unparse(inside[0]) if len(inside) == 1 else ""
