"""The linearised graph: one local Jacobian on every edge, and its elimination.

`linearize(targets, inputs)` keeps the nodes that a derivative flows through; `Linear.eliminate(order)`
removes vertices one by one, each time composing every outgoing with every incoming edge (the chain
rule), and returns the Jacobian of every target by every input.  Any order gives the same Jacobian; orders
differ in cost.  Here `order` is "reverse", "forward" or a list of vertices; `vertex_orders` knows the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from .errors import UnknownNameError, did_you_mean
from .expr import Node, topological
from .operation import is_floating, local_jacobian
from .terms import TermSum, add, compose, identity

Edges = dict[int, dict[int, TermSum]]
State = tuple[
    Edges, dict[int, set[int]]
]  # what is left: edges into, and ends of the edges out of each vertex
Join = Callable[[TermSum, TermSum, TermSum | None], TermSum]  # (later, earlier, the edge so far)
ORDERS = ("reverse", "forward")


@dataclass(slots=True)
class Linear:
    """Vertices (active nodes by serial) and their local Jacobians.

    `into[v][u]` is the Jacobian of vertex v by its predecessor u; `sinks` are extra vertices, one for
    each target, so that a target that feeds another one can be eliminated like any vertex.
    """

    nodes: dict[int, Node]
    into: Edges
    inputs: tuple[int, ...]
    sinks: tuple[int, ...]
    targets: tuple[Node, ...]
    given: tuple[Node, ...]
    out: dict[int, set[int]] = field(default_factory=dict)

    @property
    def interior(self) -> list[int]:
        """The vertices to eliminate, in evaluation order."""
        fixed = set(self.inputs)
        return [v for v in sorted(self.nodes) if v not in fixed]

    def eliminate(
        self, order: str | Sequence[Node | int] = "reverse", join: Join | None = None
    ) -> list[list[TermSum]]:
        """The Jacobian of every target (rows) by every input (columns), accumulated in that order.

        `order` is "reverse", "forward", or vertices (nodes or serials); those it leaves out go first, in
        reverse order.  `vertex_orders` finds better orders.  Raises UnknownNameError for another name.
        """
        into, out = self.state()
        for v in self.sequence(order):
            remove(v, into, out, join or joined)
        return [
            [into[s].get(i, TermSum(t.shape, g.shape)) for i, g in zip(self.inputs, self.given, strict=True)]
            for s, t in zip(self.sinks, self.targets, strict=True)
        ]

    def state(self) -> State:
        """Copies of `into` and `out`, to eliminate from."""
        return {v: dict(edges) for v, edges in self.into.items()}, {
            v: set(ends) for v, ends in self.out.items()
        }

    def sequence(self, order: str | Sequence[Node | int]) -> list[int]:
        """The vertices in the order in which they are eliminated, each once."""
        interior = self.interior
        if isinstance(order, str):
            if order not in ORDERS:
                raise UnknownNameError(
                    f"order {order!r} is not known",
                    f"orders: {', '.join(ORDERS)}",
                    did_you_mean(order, ORDERS),
                )
            return interior[::-1] if order == "reverse" else interior
        inner = set(interior)
        chosen = dict.fromkeys(v if isinstance(v, int) else v.serial for v in order)
        return [v for v in reversed(interior) if v not in chosen] + [v for v in chosen if v in inner]


def joined(later: TermSum, earlier: TermSum, old: TermSum | None) -> TermSum:
    """The composed Jacobian, added to the edge that is there already."""
    new = compose(later, earlier)
    return new if old is None else add([old, new])


def remove(v: int, into: Edges, out: dict[int, set[int]], join: Join = joined) -> None:
    """Eliminates vertex `v`: each successor gets, for each predecessor, the composed Jacobian added."""
    before = into.pop(v, {})
    for s in out.pop(v, ()):
        edges = into[s]
        later = edges.pop(v)
        for p, earlier in before.items():
            edges[p] = join(later, earlier, edges.get(p))
            out[p].add(s)
    for p in before:
        out[p].discard(v)


def linearize(
    targets: Sequence[Node], inputs: Sequence[Node], local: Callable[[Node, int], TermSum] = local_jacobian
) -> Linear:
    """The graph of local Jacobians between `inputs` and `targets`, only what a derivative flows through."""
    active = {node.serial for node in inputs}
    nodes: dict[int, Node] = {node.serial: node for node in inputs}
    out: dict[int, set[int]] = {node.serial: set() for node in inputs}
    into: Edges = {node.serial: {} for node in inputs}
    for node in topological(targets, frozenset(active)):
        if node.serial in active:
            continue
        edges = _edges(node, active, local)
        if edges:
            active.add(node.serial)
            nodes[node.serial], into[node.serial], out[node.serial] = node, edges, set()
            for u in edges:
                out[u].add(node.serial)
    sinks = tuple(-1 - k for k in range(len(targets)))
    for sink, target in zip(sinks, targets, strict=True):
        into[sink] = {}
        if target.serial in active:
            into[sink][target.serial] = identity(target.shape)
            out[target.serial].add(sink)
    whole = Linear(nodes, into, tuple(n.serial for n in inputs), sinks, tuple(targets), tuple(inputs), out)
    _prune(whole)
    return whole


def _edges(node: Node, active: set[int], local: Callable[[Node, int], TermSum]) -> dict[int, TermSum]:
    edges: dict[int, list[TermSum]] = {}
    if not is_floating(node):
        return {}
    source = node.args[0] if node.op == "output" else node  # an output's arguments are its operation's
    for k, arg in enumerate(source.args):
        if arg.serial in active:
            found = local(node, k)
            if found.terms:
                edges.setdefault(arg.serial, []).append(found)
    return {u: add(found) for u, found in edges.items()}


def _prune(whole: Linear) -> None:
    """Drops vertices that reach no target (their edges would only cost)."""
    for v in sorted(whole.nodes, reverse=True):
        if not whole.out[v] and v not in whole.inputs:
            for u in whole.into.pop(v):
                whole.out[u].discard(v)
            del whole.nodes[v], whole.out[v]
