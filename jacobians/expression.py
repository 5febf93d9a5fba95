"""The graph of a traced function, by the names of its values: what `jac.trace(f)(A, x, b)` returns.

`Graph.nodes` are the named values (arguments, results, intermediates named by `jac.name` or by the function's
own local variables); `local(target, input)` is the Jacobian of one by another with every other named value
held fixed; `chain(target, input)` the links between them, one path or several, and `jacobian(target, input)`
their sum.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any, TypeVar

import numpy as np

from .axes import Shape
from .derivative import Jacobian, evaluated, show_shape
from .errors import UnknownNameError, did_you_mean
from .expr import Node, topological
from .graph import linearize
from .traces import Trace, Wrt, trace_function
from .tracing import Traced
from .vertex_orders import accumulate_in

Result = TypeVar("Result")
PATHS_AT_MOST = 64  # paths of a chain that are listed one by one


@dataclass(frozen=True, slots=True)
class Chain:
    """The chain rule between two named values: each path a tuple of links, from the target to the input.

    `whole` is the sum over paths of the product of the links; `complete` is False where there are more than
    64 paths and only the first are listed.
    """

    target: str
    input: str
    paths: tuple[tuple[Jacobian, ...], ...]
    whole: Jacobian
    complete: bool = True

    @property
    def shapes(self) -> tuple[tuple[Shape, ...], ...]:
        """The shape of every link, path by path."""
        return tuple(tuple(link.shape for link in path) for path in self.paths)

    def __repr__(self) -> str:
        products = [" · ".join(f"∂{k.target_name}/∂{k.input_name}" for k in p) or "1" for p in self.paths]
        more = "" if self.complete else " + ..."
        return f"∂{self.target}/∂{self.input} = " + (" + ".join(products) or "0") + more


class Graph:
    """The named values of a traced function, and the Jacobians between them."""

    def __init__(self, trace: Trace, named: Mapping[str, Node], numeric: bool) -> None:
        self.trace, self.numeric = trace, numeric
        self.named = dict(named)
        self._order = {node.serial: label for label, node in self.named.items()}

    @property
    def nodes(self) -> tuple[str, ...]:
        """The names, in evaluation order."""
        return tuple(sorted(self.named, key=lambda label: self.named[label].serial))

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the arguments."""
        return tuple(node.name or "" for node in self.trace.variables)

    @property
    def target(self) -> str:
        """The name of the (first) result."""
        return self._order[self.trace.targets[0].serial]

    def shape(self, label: str) -> Shape:
        """The shape of a named value."""
        return self._node(label).shape

    def value(self, label: str) -> Any:
        """The array of a named value; raises UnsupportedError where sizes are symbolic."""
        from .plan import evaluate

        return np.asarray(evaluate([self._node(label)])[0])

    def _node(self, label: str) -> Node:
        if label not in self.named:
            raise UnknownNameError(
                f"{label!r} is no named value of this function",
                f"names: {', '.join(self.nodes)}",
                did_you_mean(label, self.named),
            )
        return self.named[label]

    def local(self, target: str, input: str) -> Jacobian:
        """`∂target/∂input` with every other named value held fixed: a link of the chain."""
        node = self._node(target)
        self._node(input)
        stops = [n for n in self.named.values() if n.serial < node.serial]
        terms = dict(zip((n.serial for n in stops), linearize([node], stops).eliminate()[0], strict=True))
        place = self.named[input].serial
        if place not in terms:
            from .terms import TermSum, identity

            same = (
                identity(node.shape) if place == node.serial else TermSum(node.shape, self.named[input].shape)
            )
            return self._made(same, target, input)
        return self._made(terms[place], target, input)

    def jacobian(self, target: str, input: str, order: str = "reverse") -> Jacobian:
        """The whole `∂target/∂input`, through every path."""
        rows = accumulate_in(linearize([self._node(target)], [self._node(input)]), order).rows
        return self._made(rows[0][0], target, input)

    def _made(self, terms: Any, target: str, input: str) -> Jacobian:
        dtype = np.dtype(self.named[target].dtype)
        dtype = dtype if dtype.kind == "f" else np.dtype(np.float64)
        if not self.numeric:
            return Jacobian(terms, None, target, input, dtype, self)
        made = evaluated(terms, target, input, dtype)
        made.context = self
        return made

    def chain(self, target: str | None = None, input: str | None = None) -> Chain:
        """The links from `target` (the result) to `input` (the first argument), path by path.

        One name alone that is an argument's is the input: `chain("A")` ends at A.
        """
        if input is None and target in self.inputs:
            target, input = None, target
        target = target or self.target
        input = input or self.inputs[0]
        self._node(target), self._node(input)
        known = self.links(target)
        paths: list[tuple[Jacobian, ...]] = []
        complete = self._walk(target, input, known, (), paths)
        return Chain(target, input, tuple(paths), self.jacobian(target, input), complete)

    def links(self, target: str) -> dict[str, dict[str, Jacobian]]:
        """For every named value that `target` depends on: its Jacobians by those it is made from."""
        found: dict[str, dict[str, Jacobian]] = {}
        waiting = [target]
        while waiting:
            label = waiting.pop()
            if label in found:
                continue
            node = self.named[label]
            stops = [n for n in self.named.values() if n.serial < node.serial]
            rows = linearize([node], stops).eliminate()[0] if node.op not in ("variable",) else []
            found[label] = {
                self._order[stop.serial]: self._made(terms, label, self._order[stop.serial])
                for stop, terms in zip(stops, rows, strict=False)
                if terms.terms
            }
            waiting += found[label]
        return found

    def _walk(
        self,
        at: str,
        input: str,
        known: dict[str, dict[str, Jacobian]],
        path: tuple[Jacobian, ...],
        paths: list[tuple[Jacobian, ...]],
    ) -> bool:
        if at == input:
            paths.append(path)
            return True
        for label, link in sorted(known[at].items(), key=lambda item: self.named[item[0]].serial):
            if len(paths) >= PATHS_AT_MOST:
                return False
            if not self._walk(label, input, known, (*path, link), paths):
                return False
        return True

    def __repr__(self) -> str:
        lines = ["Graph of named values:"]
        for label in self.nodes:
            node = self.named[label]
            made = ", ".join(self.before(label))
            kind = "argument" if node.op == "variable" else f"from {made}" if made else "constant"
            lines.append(f"  {label}: {show_shape(node.shape, ()) if node.shape else 'scalar'}, {kind}")
        return "\n".join(lines)

    def before(self, label: str) -> tuple[str, ...]:
        """The named values that a value is made from directly, in evaluation order."""
        node = self._node(label)
        stops = {n.serial for n in self.named.values() if n.serial < node.serial}
        stack, seen, found = list(node.args), set(), set()
        while stack:
            one = stack.pop()
            if one.serial in seen:
                continue
            seen.add(one.serial)
            if one.serial in stops:
                found.add(one.serial)
            else:
                stack.extend(one.args)
        return tuple(self._order[serial] for serial in sorted(found))


def named_values(trace: Trace, seen: Mapping[str, Any], result: str = "f") -> dict[str, Node]:
    """Names for nodes: arguments, `jac.name`, the function's own variables, and the results."""
    useful = {n.serial: n for n in topological(trace.targets)}
    named = {n.name: n for n in (*trace.variables, *useful.values()) if n.name and n.op != "size"}
    taken = {n.serial for n in named.values()}
    for label, value in seen.items():
        node = value.node if isinstance(value, Traced) else None
        if (
            node is not None
            and node.serial in useful
            and node.serial not in taken
            and label not in named
            and node.op != "constant"
        ):
            named[label] = node
            taken.add(node.serial)
    for path, node in zip(trace.paths, trace.targets, strict=True):
        if node.serial not in taken:
            label = path.strip("[]'.") or result
            while label in named:
                label += "'"
            named[label] = node
            taken.add(node.serial)
    return named


def watched(f: Callable[..., Any], run: Callable[[], Result]) -> tuple[Result, dict[str, Any]]:
    """Runs `run()` and also returns the local variables that `f` had when it returned."""
    code: CodeType | None = getattr(f, "__wrapped_code__", getattr(f, "__code__", None))
    seen: dict[str, Any] = {}

    def profile(frame: FrameType, event: str, arg: Any) -> None:
        if event == "return" and frame.f_code is code:
            seen.update({k: v for k, v in frame.f_locals.items() if isinstance(v, Traced)})

    if code is None:
        return run(), seen
    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        return run(), seen
    finally:
        sys.setprofile(before)


def graph_of(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    wrt: Wrt = None,
    numeric: bool = True,
) -> Graph:
    """The graph of `f` at these arguments (arrays, or symbolic variables with `numeric=False`)."""
    trace, seen = watched(f, lambda: trace_function(f, args, kwargs, wrt))
    label = getattr(f, "__name__", "f")
    return Graph(trace, named_values(trace, seen, "f" if not label.isidentifier() else label), numeric)
