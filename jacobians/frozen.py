"""Compiled calls: a frozen trace, generated numpy, the same results, for hot loops.

`Compiled` (the `compile` method of what `jac.jacobian` returns) traces once and prints everything as one Python
function: checks, the plan, and how factors become Jacobians.  Graphs of scalars become plain-float code.
`dense=True` returns arrays; `reuse=True` owns the array it returns: read-only, valid until the next call, refilled
only where entries can differ; `out=` writes into the caller's array, whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .codegen import Program, build, program
from .containers import bind
from .derivative import Jacobian
from .errors import ShapeError, UnsupportedError
from .expr import Node
from .inline import dense_lines, maker, object_line, owned, scalar_entries
from .prepared import accumulate
from .scalars import FAILS, scalar_program
from .terms import TermSum
from .traces import Trace, Wrt, trace_function
from .writing import Writer, writer

COPIED = frozenset({"variable", "constant", "identity", "select", "reshape", "einsum", "output"})  # may share memory


class Compiled:
    """A derivative compiled for arguments of the examples' shapes and types.

    Calling it gives what the uncompiled function gives; `source` is the generated program.  Values that
    the function took from outside (closures) are frozen at compile time.
    """

    def __init__(
        self, f: Callable[..., Any], wrt: Wrt, order: Any, examples: tuple[Any, ...], kwargs: dict[str, Any],
        names: Callable[[Trace, Node, str], str], dense: bool = False, reuse: bool = False, value: bool = False,
    ) -> None:  # fmt: skip
        self.f, self.wrt, self.dense, self.reuse, self.value = f, wrt, dense or reuse, reuse, value
        self.trace = trace_function(f, examples, kwargs, wrt)
        if self.trace.nested:
            raise UnsupportedError("compile needs arrays as examples", "a traced or symbolic value was given", "compile outside of traced functions")
        self.rows = accumulate(self.trace, order)
        self.factors = {n.serial: n for row in self.rows for terms in row for t in terms.terms for n in t.nodes}
        self.titles = [
            (terms, names(self.trace, target, path), node.name, _floating(target))
            for target, path, row in zip(self.trace.targets, self.trace.paths, self.rows, strict=True)
            for node, terms in zip(self.trace.wrt, row, strict=True)
        ]
        self._positions = _positions(f, examples, kwargs, self.trace)
        self._call = self._generate()

    # ---- the generated function

    def _generate(self) -> Callable[..., Any]:
        """The whole call as one function of the traced variables' arrays."""
        roots = [*self.factors.values(), *(self.trace.targets if self.value else ())]
        inputs = self.trace.variables
        plain = program(roots, inputs)
        slow = self._finished(plain, [], scalar=False)
        fast = scalar_program(roots, inputs)
        self.source = "\n".join(["def call(" + ", ".join(plain.names[n.serial] for n in inputs) + "):", *("    " + line for line in plain.lines)])
        if fast is None:
            return slow
        made, lines = fast
        quick = self._finished(made, lines, scalar=True)
        self.source = "\n".join(["def call(" + ", ".join(made.names[-1 - k] for k in range(len(inputs))) + "):", *("    " + line for line in made.lines)])

        def call(*args: Any) -> Any:
            try:
                return quick(*args)
            except FAILS:  # log of 0, overflow: what numpy answers (inf, nan) is what counts
                with np.errstate(all="ignore"):
                    return slow(*args)

        return quick if _never_fails(made.lines) else call

    def _finished(self, made: Program, before: list[str], scalar: bool) -> Callable[..., Any]:
        inputs = self.trace.variables
        arguments = [made.names[-1 - k] if scalar else made.names[n.serial] for k, n in enumerate(inputs)]
        checks = [line for k, n in enumerate(inputs) for line in self._check(made, arguments[k], n)]
        made.lines = [*checks, *before, *made.lines]
        results = []
        if self.dense:
            results = [self._dense(made, k, scalar) for k in range(len(self.titles))]
        else:
            copies = {serial: self._copied(made, serial, node, scalar) for serial, node in self.factors.items()}
            for terms, target, given, dtype in self.titles:
                name = made.fresh("result")
                mine = {n.serial: copies[n.serial] for t in terms.terms for n in t.nodes}
                made.lines.append(object_line(made, name, maker(terms, target, given, dtype, self), mine))
                results.append(name)
        return build(made, arguments, self._returned(made, results))

    def _check(self, made: Program, name: str, node: Node) -> list[str]:
        """An argument of another type or shape goes to the slow conversion, which says what is wrong."""
        fix = made.fresh("fix")
        made.bindings[fix] = _fixer(node)
        dtype = made.fresh("dtype")
        made.bindings[dtype] = node.dtype
        made.taken |= {"ndarray"}
        made.bindings["ndarray"] = np.ndarray
        return [f"if type({name}) is not ndarray or {name}.shape != {node.shape} or {name}.dtype is not {dtype}: {name} = {fix}({name})"]

    def _copied(self, made: Program, serial: int, node: Node, scalar: bool) -> str:
        name = made.names[serial]
        if not scalar and node.shape and node.op in COPIED and not _new_einsum(node):
            copy = made.fresh("own")
            made.lines.append(f"{copy} = {name}.copy()")
            return copy
        return name

    def _dense(self, made: Program, k: int, scalar: bool) -> str:
        terms, _, _, dtype = self.titles[k]
        name = made.fresh("result")
        entries = scalar_entries(made, terms) if scalar or all(not n.shape for t in terms.terms for n, _ in t.factors) else None
        if entries is not None:  # so small that a new array costs less than refilling one
            shape = tuple(int(n) for n in terms.shape)
            reshape = f".reshape({shape})" if len(shape) != 1 else ""
            made.bindings["array"] = np.array
            made.taken |= {"array"}
            kind = "" if dtype == np.float64 else f", np.{dtype}"
            made.lines.append(f"{name} = array([{', '.join(entries)}]{kind}){reshape}")
            return name
        serials = list(dict.fromkeys(n.serial for t in terms.terms for n in t.nodes))
        known = writer(terms, serials, dtype)
        if self.reuse and known is not None:
            return self._reused(made, name, known, serials)
        uses = Counter(serial for t, *_ in self.titles for serial in {n.serial for term in t.terms for n in term.nodes})
        own = frozenset() if self.value else owned([self.factors[s] for s in serials], uses)
        made.lines += dense_lines(made, name, known, terms, serials, own)
        return name

    def _reused(self, made: Program, name: str, known: Writer, serials: Sequence[int]) -> str:
        """The same buffer every time, its views made once."""
        buffer = known.zeros()
        shown = buffer.view()
        shown.flags.writeable = False
        views, refill, held = made.fresh("views"), made.fresh("refill"), made.fresh("held")
        made.bindings.update({views: known.views(buffer), refill: known.refiller(), held: shown})
        made.lines.append(f"{refill}({views}, ({''.join(made.names[s] + ', ' for s in serials)}))")
        return held

    def _returned(self, made: Program, results: list[str]) -> str:
        inner = results[0]
        bare = all([n.name for n in nodes] == [key] for key, (nodes, _) in self.trace.inputs.items())
        if not (self.trace.single and bare and self.trace.paths == ("",)):
            mirror = made.fresh("mirror")
            made.bindings[mirror] = self._mirror()
            inner = f"{mirror}([{', '.join(results)}])"
            if self.trace.paths == ("",) and not self.trace.single and bare:
                inner = "{" + ", ".join(f"{key!r}: {r}" for key, r in zip(self.trace.inputs, results, strict=True)) + "}"
        if not self.value:
            return inner
        wrap = made.fresh("values")
        made.bindings[wrap] = lambda found: self.trace.rebuild([np.array(v) for v in found])
        return f"({wrap}([{', '.join(made.names[t.serial] for t in self.trace.targets)}]), {inner})"

    def _mirror(self) -> Callable[[list[Any]], Any]:
        from .verbs import mirrored

        width, trace = len(self.trace.wrt), self.trace
        return lambda made: trace.rebuild([mirrored(trace, made[k : k + width]) for k in range(0, len(made), width)])

    # ---- calling it

    def __call__(self, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        if out is None and not kwargs and self._positions is None:
            return self._call(*args)
        values = self._values(args, kwargs)
        return self._call(*values) if out is None else self._into(values, out)

    def _values(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Sequence[Any]:
        if self._positions is not None and not kwargs and len(args) == self._positions[0]:
            return [args[k] for k in self._positions[1]]
        if self._positions is None and not kwargs:
            return args
        return [node.value for node in trace_function(self.f, args, kwargs, self.wrt).variables]

    def _into(self, values: Sequence[Any], out: Any) -> np.ndarray:
        found = self._call(*values)
        if not isinstance(found, (Jacobian, np.ndarray)) or self.value:
            raise UnsupportedError("out= takes one result", f"this call has {len(self.titles)}", "wrt= one argument")
        if isinstance(found, Jacobian):
            return found.materialize(out=out)
        if not isinstance(out, np.ndarray) or out.shape != found.shape:
            raise ShapeError("out has another shape", f"out {np.shape(out)}, the result {found.shape}", "np.empty of that shape")
        out[...] = found
        return out

    def __repr__(self) -> str:
        return f"Compiled derivative of {getattr(self.f, '__name__', 'f')}: {self.source.count(chr(10))} lines, {len(self.factors)} factors"


def _floating(node: Node) -> np.dtype[Any]:
    return np.dtype(node.dtype) if getattr(node.dtype, "kind", "") == "f" else np.dtype(np.float64)


def _never_fails(lines: Sequence[str]) -> bool:
    """Whether plain-float code only adds and multiplies, sines and the like: nothing that can raise."""
    text = "\n".join(lines)
    return not any(word in text for word in ("/", "**", "math.log", "math.exp", "math.sqrt", "math.a", "math.cosh", "math.sinh"))


def _new_einsum(node: Node) -> bool:
    return node.op == "einsum" and sum(map(bool, node.params[0])) > 1


def _fixer(node: Node) -> Callable[[Any], np.ndarray]:
    def fix(value: Any) -> np.ndarray:
        array = np.asarray(value, node.dtype)
        if array.shape != node.shape:
            raise ShapeError(
                f"compiled for {node.name} of shape {node.shape}", f"{node.name} has shape {array.shape}", "compile again with an example of that shape"
            )
        return array

    return fix


def _positions(f: Any, examples: tuple[Any, ...], kwargs: dict[str, Any], trace: Trace) -> tuple[int, tuple[int, ...]] | None:
    """Which positional argument each variable is; None where they are the arguments themselves, in order."""
    names = list(bind(f, examples, kwargs))
    places = [names.index(n.name) if n.name in names else -1 for n in trace.variables]
    if places == list(range(len(examples))) and not kwargs:
        return None
    return (len(examples), tuple(places)) if -1 not in places and not kwargs else (-1, ())


def jacobian_terms(compiled: Compiled) -> list[TermSum]:
    """The Terms of every Jacobian that a compiled call returns, in order."""
    return [terms for terms, _, _, _ in compiled.titles]
