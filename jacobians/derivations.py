"""A derivation: one derivative shown in every notation, from the chain rule down to the pictures.

`show(f, wrt="A", A="M,N", x="N", b="M")` (that is `jac.show`) needs no numbers.  A `Derivation` prints the
chain with shapes under braces, the index sum, the einsum, the deltas put in and summed away, the matrix form
where there is one, and the block picture; `latex()`, `html()`, `svg()`, `numpy()` and `as_json()` give the
same elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .containers import call_with, flatten, signature_of
from .derivative import Jacobian
from .expression import Chain, Graph, graph_of
from .layouts import shape_text
from .notation import text as notation
from .notation.blocks import counted
from .notation.index import index_form, where_lines
from .notation.latex import paths_latex, view_latex
from .notation.printers import UNICODE
from .notation.records import ChainView, Link, held_fixed, names, places
from .reading.shapes import Declarations
from .shapetables import ShapeTable, Source, declared_for, function_of, link_of, rows_of
from .symbolic import symbolic_graph
from .tracing import Traced
from .verbs import derived

PATHS_SHOWN = 6  # chains that are written out one by one


class Derivation:
    """`∂target/∂input` of a function: chain, index form, einsum, matrix form, shapes and pictures.

    `graph` is the function's, `chain` the links between named values, `declared` its shapes and sizes.
    """

    def __init__(
        self, f: Callable[..., Any], declared: Declarations, target: str | None = None, wrt: str | None = None
    ) -> None:
        self.f, self.declared = f, declared
        self.graph = symbolic_graph(f, declared)
        self.sizes = dict(declared.sizes)
        self.target, self.input = target or self.graph.target, wrt or self.graph.inputs[0]
        self.chain: Chain = self.graph.chain(self.target, self.input)

    @property
    def jacobian(self) -> Jacobian:
        """The whole `∂target/∂input`: a Jacobian without numbers where sizes are symbolic."""
        return self.chain.whole

    @property
    def views(self) -> tuple[ChainView, ...]:
        """One view for each path of the chain (the whole alone where there is no path)."""
        whole = link_of(self.jacobian)
        paths = self.chain.paths[:PATHS_SHOWN]
        if not paths or paths == ((),):
            return (ChainView((whole,), whole, self.sizes, self.graph.named),)
        return tuple(
            ChainView(
                tuple(map(link_of, path)),
                self._whole(path, whole),
                self.sizes,
                self.graph.named,
                len(self.chain.paths) > 1,
            )
            for path in paths
        )

    def _whole(self, path: tuple[Jacobian, ...], whole: Link) -> Link:
        """The product along one path; the whole Jacobian where that is the only one."""
        if len(self.chain.paths) == 1:
            return whole
        product = path[0]
        for link in path[1:]:
            product = product @ link
        return Link(whole.target_name, whole.input_name, whole.target_shape, whole.input_shape, product.terms)

    @property
    def view(self) -> ChainView:
        """The whole as a view without links."""
        whole = link_of(self.jacobian)
        return ChainView((whole,), whole, self.sizes, self.graph.named)

    @property
    def shape(self) -> str:
        """`M × (M × N)`."""
        return shape_text(self.jacobian.target_shape, self.jacobian.input_shape)

    def index_form(self) -> str:
        """The entry at its letters: `δ_im (1 − f_i²) x_n`."""
        known = names(self.view)
        return index_form(self.jacobian.terms, places(self.view, known)[1], known, UNICODE)

    def shapes(self, layout: str = "tensor") -> ShapeTable:
        """The shape table of the target by this input."""
        return ShapeTable(rows_of(self.graph, self.sizes, self.target, [self.input]), layout)

    def text(self, width: int = 80, ascii: bool = False) -> str:
        """Everything as text: the chain (path by path), details, and the block picture."""
        views = self.views
        parts = []
        for k, view in enumerate(views):
            if len(views) > 1:
                parts.append("  " + caption(k, views, self.chain))
                parts.append(_indented(notation.chain_text(view, width - 2, ascii)))
            else:
                parts.append(_indented(notation.show_text(view, width - 2, ascii, blocks=False)))
        if len(views) > 1:
            left = len(self.chain.paths) - len(views)
            parts.append(f"  and {left} more paths; " * (left > 0) + "  the sum over all paths:")
            parts.append(_indented(notation.show_text(self.view, width - 2, ascii, blocks=False)))
        if self.jacobian.terms.terms:
            parts.append(_indented(notation.block_text(self.pictured, width - 2, ascii)))
        else:
            parts.append(
                f"  note: {self.target} does not depend on {self.input}, "
                f"so ∂{self.target}/∂{self.input} = 0 with shape {self.shape}"
            )
        made = "\n\n".join(part for part in parts if part)
        return notation.plain_text(made) if ascii else made

    @property
    def pictured(self) -> Link:
        """What the block picture shows: the last factor of three axes or more, else the whole."""
        views = self.views
        links = views[0].links if len(views) == 1 else ()
        chosen = next(
            (link for link in reversed(links) if len(link.terms.shape) > 2),
            views[0].whole if len(views) == 1 else self.view.whole,
        )
        return replace(chosen, terms=at_sizes(chosen.terms, self.sizes))

    def latex(self) -> str:
        """LaTeX: the chain with underbraces, path by path, index form, and matrix form where there is one."""
        views = self.views
        if len(views) == 1:
            return view_latex(views[0])
        written = self.chain.complete and len(views) == len(self.chain.paths)
        return view_latex(self.view, paths_latex(views, self.view, written))

    def numpy(self, style: str = "structured") -> str:
        """A standalone numpy program; raises ReadingError where a size has no number."""
        from .slides import slides
        from .standalone import standalone

        for name in self.declared.names:
            self.declared.shape_of(name, require_numbers=True, purpose="a numpy program")
        graph = symbolic_graph(self.f, self.declared, numbers=True)
        if style == "slides":
            return slides(graph, self.target, [self.input])
        for label, node in graph.named.items():
            node.name = node.name or label
        terms = graph.jacobian(self.target, self.input).terms
        title = f"d{self.target}/d{self.input}"
        return standalone(
            self.target, graph.trace.variables, [(self.target, graph.named[self.target])], [(title, terms)]
        )

    def html(self) -> str:
        """An HTML fragment, no script or style: title, chain in MathML, details, block picture, shapes."""
        from .report.fragments import derivation_html

        return derivation_html(self)

    _repr_html_ = html

    def svg(self) -> str | None:
        """The block picture as an SVG drawing."""
        from .notation.svg import block_svg

        return block_svg(self.pictured)

    def details(self) -> list[dict[str, str]]:
        """Every line of detail as `{label, text}`; a line that goes on under a label repeats it."""
        made: list[dict[str, str]] = []
        for label, text in notation.detail_lines(self.views[0] if len(self.views) == 1 else self.view):
            made.append({"label": label or made[-1]["label"], "text": text})
        return made

    def as_json(self) -> dict[str, Any]:
        """Names, shapes, links of every path, index form, einsum, matrix form, LaTeX and shapes as JSON."""
        return {
            "target": self.target,
            "input": self.input,
            "shape": self.shape,
            "paths": [
                [
                    {"title": link.title, "shape": shape_text(link.target_shape, link.input_shape)}
                    for link in view.links
                ]
                for view in self.views
            ],
            "complete": self.chain.complete,
            "index_form": self.index_form(),
            "where": where_lines(names(self.view)),
            "details": self.details(),
            "nonzero": counted(self.pictured),
            "latex": self.latex(),
            "shapes": self.shapes().as_json(),
        }

    def __repr__(self) -> str:
        wheres = "".join(f", {line}" for line in where_lines(names(self.view)))
        return f"Derivation ∂{self.target}/∂{self.input}: {self.shape}, {self.index_form()}{wheres}"

    def __str__(self) -> str:
        return self.text()


@dataclass(frozen=True, slots=True)
class ChainText:
    """A chain that prints itself: fractions, shapes under braces, index letters."""

    chain: Chain
    views: tuple[ChainView, ...]

    def text(self, width: int = 80, ascii: bool = False) -> str:
        """The chain rule as on the slides, one block for each path."""
        blocks = [notation.chain_text(view, width, ascii) for view in self.views]
        if len(blocks) > 1:
            blocks = [f"{caption(k, self.views, self.chain)}\n\n{one}" for k, one in enumerate(blocks)]
        return "\n\n".join(blocks)

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from .notation.mathml import chain_mathml

        return "".join(f"<p>{chain_mathml(view)}</p>" for view in self.views)


def caption(k: int, views: Sequence[ChainView], chain: Chain) -> str:
    """`path 1 of 2 (h held fixed)`."""
    fixed = held_fixed(views[k], views)
    more = "" if chain.complete else " or more"
    return f"path {k + 1} of {len(chain.paths)}{more}" + (
        f" ({', '.join(fixed)} held fixed)" if fixed else ""
    )


def chain_of(J: Jacobian) -> ChainText:
    """The chain between the named values of the function that a Jacobian comes from."""
    graph = graph_behind(J)
    if graph is None:
        link = link_of(J)
        return ChainText(Chain(link.target_name, link.input_name, ((J,),), J), (ChainView((link,), link),))
    of, by = derived(J)
    target = _target_in(graph, J)
    chain = graph.chain(target, J.input_name)

    def linked(one: Jacobian) -> Link:
        link = link_of(one)
        return replace(link, of=of, by=by) if by and one.target_name == target else link

    whole = linked(chain.whole)
    views = tuple(
        ChainView(tuple(map(linked, path)), whole, {}, graph.named, len(chain.paths) > 1)
        for path in chain.paths[:PATHS_SHOWN]
        if path
    )
    return ChainText(chain, views or (ChainView((whole,), whole, {}, graph.named),))


def view_of(J: Jacobian) -> ChainView:
    """One Jacobian as a view: with the names of its function's variables where those name the target."""
    graph = graph_behind(J)
    link = link_of(J)
    if graph is None or J.input_name not in graph.named:
        return ChainView((link,), link)
    target = _target_in(graph, J)
    again = graph.jacobian(target, J.input_name)
    if again.shape != J.shape:
        return ChainView((link,), link)
    whole = replace(link, target_name=target, terms=again.terms)
    return ChainView((whole,), whole, {}, graph.named)


def _target_in(graph: Graph, J: Jacobian) -> str:
    """The name that a Jacobian's target has in the graph of its function.

    A derivative by several arguments calls its results as these are called: then it is the result of that
    shape whose name begins so.
    """
    name = J.target_name or ""
    if not derived(J)[1]:
        return name if name in graph.named else graph.target
    results = {node.serial for node in graph.trace.targets}
    found = [label for label, node in graph.named.items() if node.serial in results]
    close = [label for label in found if label.rstrip("'") == name]
    return close[0] if close else graph.target


def graph_behind(J: Jacobian) -> Graph | None:
    """The graph of the function that a Jacobian comes from, traced without values; None where unknown."""
    context = J.context
    if isinstance(context, Graph):
        return context
    if not hasattr(context, "stand_ins"):
        return None
    return graph_of(context.f, *call_behind(J), numeric=False)


def call_behind(J: Jacobian) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The call that a Jacobian comes from, with nodes for its arrays."""
    named = {name: _nodes(value) for name, value in J.context.stand_ins.items()}
    return _arguments(J.context.f, named)


def _nodes(value: Any) -> Any:
    leaves, rebuild = flatten(value)
    return rebuild([leaf.node if isinstance(leaf, Traced) else leaf for _, leaf in leaves])


def _arguments(f: Callable[..., Any], named: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments by name as a call: positional as far as the signature wants them so."""
    captured: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def capture(*args: Any, **kwargs: Any) -> None:
        captured.append((args, kwargs))

    signature = signature_of(f)
    if signature is not None:
        capture.__signature__ = signature  # type: ignore[attr-defined]
    call_with(capture, named)
    return captured[0]


def at_sizes(terms: Any, sizes: Mapping[str, int]) -> Any:
    """Terms with numbers put in for symbolic sizes."""
    from .axes import Poly, substitute
    from .terms import Term, TermSum
    from .wiring import Affine

    def put(size: Any) -> Any:
        return size.at(sizes) if isinstance(size, Poly) else size

    def slot(one: Any) -> Any:
        if isinstance(one, Affine):
            return Affine(put(one.offset), tuple((label, put(stride)) for label, stride in one.strides))
        return one

    made = [
        Term(
            put(t.coefficient),
            t.factors,
            tuple(map(slot, t.target)),
            tuple(map(slot, t.input)),
            substitute(t.sizes, sizes),
        )
        for t in terms.terms
    ]
    return TermSum(substitute(terms.target_shape, sizes), substitute(terms.input_shape, sizes), tuple(made))


def _indented(text: str, by: str = "  ") -> str:
    return "\n".join(by + line if line else line for line in text.split("\n"))


def show(
    f: Source, wrt: str | None = None, *, target: str | None = None, syntax: str = "numpy", **declared: Any
) -> Derivation:
    """The derivation of `∂target/∂wrt`, no numbers needed: `show(f, wrt="A", A="M,N", x="N", b="M")`.

    `f` is a numpy function or text; `target` one of its named values (the result), `wrt` an argument (the
    first).  Shapes are `target × (input)`.  Raises UnknownNameError for what is no named value, ReadingError
    for text that cannot be read or an argument without a shape, ShapeError where shapes do not fit.

    >>> show("z = A @ x + b; f = tanh(z)", wrt="A", A="M,N", x="N", b="M")
    Derivation ∂f/∂A: M × (M × N), δ_im (1 − f_i²) x_n
    """
    known = declared_for(f, declared)
    return Derivation(function_of(f, known, syntax), known, target, wrt)
