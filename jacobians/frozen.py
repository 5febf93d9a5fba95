"""Compiled calls: a frozen trace, generated numpy, the same results, for hot loops.

`freeze(function, examples)` (the `compile` method of what `jac.jacobian` returns) traces once and prints the plan
as a Python function.  The call then only checks shapes, runs that function and wraps the factors.  Graphs of
scalars become plain-float code.  `dense=True` returns arrays, `reuse=True` owns the array it returns: read-only,
valid until the next call, refilled only where entries can differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .codegen import build, program
from .derivative import Jacobian
from .errors import ShapeError, UnsupportedError
from .expr import Node
from .prepared import accumulate
from .scalars import scalar_call
from .terms import TermSum
from .traces import Trace, Wrt, trace_function
from .writing import Writer, writer


class Compiled:
    """A derivative compiled for arguments of the examples' shapes.

    Calling it gives what the uncompiled function gives; `source` is the generated program.  Values that
    the function took from outside (closures) are frozen at compile time.
    """

    def __init__(
        self, f: Callable[..., Any], wrt: Wrt, order: Any, examples: tuple[Any, ...], kwargs: dict[str, Any],
        names: Callable[[Trace, Node, str], str], dense: bool = False, reuse: bool = False, value: bool = False,
    ) -> None:  # fmt: skip
        self.f, self.wrt, self.dense, self.reuse, self.value = f, wrt, dense or reuse, reuse, value
        self.trace = trace_function(f, examples, kwargs, wrt)
        self.rows = accumulate(self.trace, order)
        self._layout(names)
        self._generate()
        self._places = _positions(f, examples, kwargs, self.trace)
        self._shapes = [node.shape for node in self.trace.variables]
        self._dtypes = [node.dtype for node in self.trace.variables]

    def _layout(self, names: Callable[[Trace, Node, str], str]) -> None:
        """Factors in one order, and what each Jacobian needs of them."""
        whole = [terms for row in self.rows for terms in row]
        self.factors = {n.serial: n for terms in whole for t in terms.terms for n in t.nodes}
        self.serials = tuple(self.factors)
        self._borrowed = tuple(
            k for k, n in enumerate(self.factors.values()) if n.op in ("variable", "constant", "identity", "select", "reshape", "einsum", "output")
        )
        self._titles = [
            (terms, names(self.trace, target, path), node.name, np.dtype(target.dtype if getattr(target.dtype, "kind", "") == "f" else np.float64))
            for target, path, row in zip(self.trace.targets, self.trace.paths, self.rows, strict=True)
            for node, terms in zip(self.trace.wrt, row, strict=True)
        ]
        self._writers = [writer(terms, self.serials, dtype) for terms, _, _, dtype in self._titles] if self.dense else []
        self._held: list[tuple[np.ndarray, tuple[np.ndarray, ...], np.ndarray] | None] = [None] * len(self._titles)

    def _generate(self) -> None:
        roots = [*self.factors.values(), *(self.trace.targets if self.value else ())]
        made = program(roots, self.trace.variables)
        result = "(" + "".join(made.names[root.serial] + ", " for root in roots) + ")"
        arguments = [made.names[node.serial] for node in self.trace.variables]
        self.source = "\n".join([f"def call({', '.join(arguments)}):", *("    " + line for line in made.lines), f"    return {result}"])
        self._run = scalar_call(roots, self.trace.variables) or build(made, arguments, result)

    def __call__(self, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        values = self._values(args, kwargs)
        found = self._run(*values)
        if self.value:
            count = len(self.serials)
            held = self.trace.rebuild([np.array(v) for v in found[count:]])
            return held, self._results(found[:count], out)
        return self._results(found, out)

    def _values(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Sequence[Any]:
        if self._places is None or kwargs or len(args) != self._places[0]:
            again = trace_function(self.f, args, kwargs, self.wrt)
            values: Sequence[Any] = [node.value for node in again.variables]
        else:
            values = [args[k] for k in self._places[1]]
        checked = []
        for value, shape, dtype, node in zip(values, self._shapes, self._dtypes, self.trace.variables, strict=True):
            if type(value) is not np.ndarray or value.dtype is not dtype:
                value = np.asarray(value, dtype)
            if value.shape != shape:
                raise ShapeError(
                    f"compiled for {node.name} of shape {shape}", f"{node.name} has shape {value.shape}", "compile again with an example of that shape"
                )
            checked.append(value)
        return checked

    def _results(self, found: Sequence[Any], out: Any) -> Any:
        if self.dense:
            made: list[Any] = [self._dense(k, found, out) for k in range(len(self._titles))]
        else:
            if self._borrowed:
                found = list(found)
                for k in self._borrowed:
                    value = found[k]
                    if isinstance(value, np.ndarray):
                        found[k] = value.copy()
            values = dict(zip(self.serials, found, strict=True))
            made = [Jacobian(terms, values, target, given, dtype, self) for terms, target, given, dtype in self._titles]
        if self.trace.single and len(made) == 1 and self.trace.paths == ("",):
            return made[0]
        from .verbs import mirrored

        width = len(self.trace.wrt)
        return self.trace.rebuild([mirrored(self.trace, made[k : k + width]) for k in range(0, len(made), width)])

    def _dense(self, k: int, found: Sequence[Any], out: Any) -> np.ndarray:
        known: Writer | None = self._writers[k]
        terms, target, given, dtype = self._titles[k]
        if known is None:
            values = dict(zip(self.serials, found, strict=True))
            return Jacobian(terms, values, target, given, dtype).materialize(out=out)
        if out is not None:
            if len(self._titles) > 1:
                raise UnsupportedError("out= takes one result", f"this call has {len(self._titles)}", "wrt= one argument")
            return Jacobian(terms, dict(zip(self.serials, found, strict=True)), target, given, dtype).materialize(out=out)
        if not self.reuse:
            return known.write(known.zeros(), found)
        held = self._held[k]
        if held is None:
            buffer = known.zeros()
            shown = buffer.view()
            shown.flags.writeable = False
            held = self._held[k] = (buffer, known.views(buffer), shown)
        known.refill(held[1], found)
        return held[2]

    def __repr__(self) -> str:
        return f"Compiled derivative of {getattr(self.f, '__name__', 'f')}: {self.source.count(chr(10)) - 1} lines, {len(self.serials)} factors"


def _positions(f: Any, examples: tuple[Any, ...], kwargs: dict[str, Any], trace: Trace) -> tuple[int, tuple[int, ...]] | None:
    """Which positional argument each traced variable is, where every one is a whole argument; else None."""
    from .containers import bind

    named = list(bind(f, examples, {}) if not kwargs else ())
    places = []
    for node in trace.variables:
        if node.name not in named[: len(examples)]:
            return None
        places.append(named.index(node.name))
    return len(examples), tuple(places)


def dense_terms(compiled: Compiled) -> list[TermSum]:
    """The Terms of every Jacobian that a compiled call returns, in order."""
    return [terms for terms, _, _, _ in compiled._titles]
