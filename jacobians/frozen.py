"""Compiled calls: a frozen trace, generated numpy, the same results, for hot loops.

`Compiled` (the `compile` method of what `jac.jacobian` returns) traces once and prints everything as one
Python function: checks, the plan, and how factors become Jacobians.  Graphs of scalars become plain-float
code. `dense=True` returns arrays; `reuse=True` owns the array it returns: read-only, valid until the next
call, refilled only where entries can differ; `copy=None` may return a read-only block-Toeplitz view;
`core=True` returns what `J.core()` gives; `out=` writes into the caller's array, whole.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile
from types import MappingProxyType
from typing import Any

import numpy as np

from .arguments import ABSENT, Arguments, fixer, shapes_of, snapshot, weakly
from .codegen import Program, body_of, build, program
from .containers import Text, bind, display
from .errors import ShapeError, UnsupportedError
from .expr import Node, array_type
from .inline import array_lines
from .prepared import accumulate
from .results import Form, Origin, Results, Title, nodes_of
from .scalars import FAILS, scalar_program
from .simplify import simplified
from .terms import TermSum
from .traces import Wrt, trace_function
from .writing import settled, writer


class Compiled:
    """A derivative compiled for arguments of the examples' shapes and types.

    Calling it gives what the uncompiled function gives; `source` is the generated program.  Values that
    the function took from outside (closures) are frozen at compile time.
    """

    def __init__(
        self, f: Callable[..., Any], wrt: Wrt, order: Any, examples: tuple[Any, ...], kwargs: dict[str, Any],
        name: Callable[[Node, str], str], form: Form, value: bool = False,
    ) -> None:  # fmt: skip
        self.f, self.wrt, self.form, self.value = f, wrt, form, value
        self._rest = order, snapshot(examples), snapshot(kwargs), name
        self.trace = trace_function(f, examples, kwargs, wrt)
        self.trace.check_compilable()
        rows = accumulate(self.trace, order)
        shaped = [form.shaped(terms) for row in rows for terms in row]
        stop = {n.serial for n in self.trace.variables}
        beside = self.trace.targets if value else ()
        wholes, self.values = simplified(
            shaped, beside, stop, splice=form.name == "dense", written=form.name != "lazy"
        )
        pairs = [
            (t, p, n)
            for t, p in zip(self.trace.targets, self.trace.paths, strict=True)
            for n in self.trace.wrt
        ]
        self.titles = [
            Title(terms, name(target, path), node.name, _floating(target))
            for terms, (target, path, node) in zip(wholes, pairs, strict=True)
        ]
        self.factors = {n.serial: n for title in self.titles for n in nodes_of(title.terms)}
        self._fill: tuple[Callable[..., Any] | None] | None = None
        self._arguments = Arguments(f, examples, kwargs, self.trace)
        self._call = self._generate()
        self._call.__qualname__ = getattr(f, "__name__", "f")  # as Python calls it in errors of its own
        if self._call.__defaults__:  # it takes what f takes: calling it costs no detour
            members = {"__call__": staticmethod(self._call), "__slots__": (), "__doc__": Compiled.__doc__}
            self.__class__ = type("Compiled", (Compiled,), members)

    # ---- the generated function

    def _generate(self) -> Callable[..., Any]:
        """The whole call as one function of the traced variables' arrays."""
        roots = [*self.factors.values(), *self.values]
        inputs = self.trace.variables
        plain = program(roots, inputs, running=True)
        slow = self._finished(plain, [plain.names[n.serial] for n in inputs])
        fast = scalar_program(roots, inputs)
        if fast is None:
            return slow
        made, lines, shape_checks = fast
        names = [made.names[-1 - k] for k in range(len(inputs))]
        return self._finished(made, names, lines, shape_checks, slow)

    def _finished(
        self, made: Program, arguments: list[str], before: Sequence[str] = (),
        shape_checks: Mapping[str, str] = MappingProxyType({}), slow: Callable[..., Any] | None = None,
    ) -> Callable[..., Any]:  # fmt: skip
        """The function of a program; where floats fail (log of 0, overflow) `slow` gives numpy's answer."""
        scalar = slow is not None
        checks = [
            self._check(made, name, n, shape_checks.get(name))
            for name, n in zip(arguments, self.trace.variables, strict=True)
        ]
        made.lines = [*checks, *before, *made.lines]
        printed = Results(made, self.form, scalar, self.value, Origin(self.f, self.trace))
        results = [printed.of(title) for title in self.titles]
        for kept in printed.kept:  # an argument that is an earlier result would change while it is read
            made.bindings["shares"] = np.may_share_memory
            made.lines[len(checks) : len(checks)] = [
                f"if {name}.base is not None and shares({name}, {kept}): {name} = {name}.copy()"
                for name in arguments
            ]
        returned = self._returned(made, results)
        body = body_of(made, arguments, returned)
        self.source = "\n".join([f"def call({', '.join(arguments)}):", *("    " + line for line in body)])
        if self._direct(arguments):
            arguments = self._as_f(made, arguments)
        weakref.finalize(self, made.memory.clear).atexit = False
        return build(made, arguments, returned, FAILS if scalar else (), slow)

    def _as_f(self, made: Program, arguments: list[str]) -> list[str]:
        """The parameters of a function that is called as f is; options of f, if there are any, by name."""
        extra, given = ("**_named", "_named") if self._arguments.options else ("out=None", "out is not None")
        named = "**_named" if self._arguments.options else "out=out"
        odd = f"_odd(({', '.join(arguments)},), _surplus, {named})"
        made.first.append(f"if _surplus or {given}: return {odd}")
        made.bindings |= {"_odd": weakly(self._odd), "_absent": ABSENT}
        return [*(f"{name}=_absent" for name in arguments), "*_surplus", extra]

    def _direct(self, arguments: list[str]) -> bool:
        """Whether the generated function can be called as f is, by position and by name."""
        named = arguments == [n.name for n in self.trace.variables] and "out" not in arguments
        return self._arguments.direct and named

    def _check(self, made: Program, name: str, node: Node, shape: str | None = None) -> str:
        """An argument of another type or shape goes to the slow conversion, which says what is wrong.

        `shape` is what must be checked of its shape, where the program fails for some others by itself: each
        check takes 20 to 30 ns.
        """
        fix, dtype = made.fresh("fix"), made.fresh("dtype")
        made.bindings |= {fix: fixer(node, weakly(self._missing)), dtype: node.dtype, "ndarray": np.ndarray}
        shape = f"{name}.shape == {node.shape}" if shape is None else shape
        right = " and ".join(filter(None, [f"type({name}) is ndarray", shape, f"{name}.dtype is {dtype}"]))
        return f"if not ({right}): {name} = {fix}({name})"

    def _missing(self, name: str) -> Any:
        """The default of an argument that a call leaves out; raises UnsupportedError where it has none."""
        before = [n.name for n in self.trace.variables].index(name)
        return bind(self.f, (0,) * before, {})[name]

    def _odd(
        self, values: tuple[Any, ...], surplus: tuple[Any, ...], *, out: Any = None, **named: Any
    ) -> np.ndarray:
        """A call that is no plain one: with `out=`, options, or more arguments than there are."""
        first = [*takewhile(lambda value: value is not ABSENT, values)]
        rest = {str(n.name): v for n, v in zip(self.trace.variables, values, strict=True)}
        later = {name: v for name, v in [*rest.items()][len(first) :] if v is not ABSENT}
        found = self._arguments.values((*first, *surplus), later | named)
        result: np.ndarray = self._call(*found) if out is None else self._into(found, out)
        return result

    def _returned(self, made: Program, results: list[str]) -> str:
        inner = results[0]
        bare = all([n.name for n in nodes] == [key] for key, (nodes, _) in self.trace.inputs.items())
        if not (self.trace.single and bare and self.trace.paths == ("",)):
            inner = display(self._mirror()([Text(name) for name in results])) or ""
        if not inner:
            mirror = made.fresh("mirror")
            made.bindings[mirror] = self._mirror()
            inner = f"{mirror}([{', '.join(results)}])"
        if not self.value:
            return inner
        wrap = made.fresh("values")
        types = [array_type(target.dtype) for target in self.trace.targets]
        made.bindings[wrap] = lambda found: self.trace.rebuild(
            [np.array(value, dtype) for value, dtype in zip(found, types, strict=True)]
        )
        return f"({wrap}([{', '.join(made.names[t.serial] for t in self.values)}]), {inner})"

    def _mirror(self) -> Callable[[list[Any]], Any]:
        from .verbs import mirrored

        width, trace = len(self.trace.wrt), self.trace
        return lambda made: trace.rebuild(
            [mirrored(trace, made[k : k + width]) for k in range(0, len(made), width)]
        )

    # ---- calling it

    def __call__(self, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        if out is not None and "out" in self._arguments.takes:  # an argument of f has the name
            args, kwargs, out = args, kwargs | {"out": out}, None
        values = self._arguments.values(args, kwargs)
        return self._call(*values) if out is None else self._into(values, out)

    def _into(self, values: Sequence[Any], out: Any) -> np.ndarray:
        """The one result, written into the caller's array, whole."""
        if len(self.titles) != 1 or self.value or self.form.name == "core":
            several = f"{len(self.titles)} Jacobians" if len(self.titles) != 1 else "cores"
            raise UnsupportedError(
                "out= takes one dense result",
                f"this call returns {'the value too' if self.value else several}",
                "jac.jacobian by one argument, without core=",
            )
        (title,) = self.titles
        shape = tuple(int(n) for n in title.terms.shape)
        if not isinstance(out, np.ndarray):
            wanted = f"np.empty({shape}, {title.dtype})"
            raise UnsupportedError("out is no array", f"it is of type {type(out).__name__}", wanted)
        if out.shape != shape:
            raise ShapeError(
                "out has another shape", f"out {np.shape(out)}, the result {shape}", "np.empty of that shape"
            )
        if not (out.flags.writeable and np.can_cast(title.dtype, out.dtype, "same_kind")):
            raise UnsupportedError(
                "out cannot take the result",
                f"out is {out.dtype}{'' if out.flags.writeable else ', read-only'}; the result {title.dtype}",
                f"np.empty({shape}, {title.dtype})",
            )
        apart = not any(np.may_share_memory(out, a) for a in values if isinstance(a, np.ndarray))
        whole = apart and out.flags.c_contiguous and out.dtype == title.dtype
        fill = self._filler() if whole else None
        if fill is not None:
            fill(*values, out)
            return out
        found = _only(self._call(*values))
        out[...] = np.asarray(found)
        return out

    def _filler(self) -> Callable[..., Any] | None:
        """The generated function that fills an array, made when asked for; None where tables are needed."""
        if self._fill is None:
            (title,) = self.titles
            terms = TermSum(
                title.terms.target_shape, title.terms.input_shape, tuple(map(settled, title.terms.terms))
            )
            known = writer(terms, title.dtype)
            made = program(nodes_of(terms), self.trace.variables, running=True)
            arguments = [made.names[n.serial] for n in self.trace.variables]
            checks = [self._check(made, a, n) for a, n in zip(arguments, self.trace.variables, strict=True)]
            made.lines = [
                *checks,
                *made.lines,
                *(array_lines(made, "out", known, given=True) if known else []),
            ]
            self._fill = (build(made, [*arguments, "out"], "out") if known else None,)
        return self._fill[0]

    @property
    def __signature__(self) -> inspect.Signature:
        """f's own, and `out`."""
        known = inspect.signature(self.f)
        out = inspect.Parameter("out", inspect.Parameter.KEYWORD_ONLY, default=None)
        rest = [p for p in known.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
        last = [p for p in known.parameters.values() if p.kind is inspect.Parameter.VAR_KEYWORD]
        free = "out" not in known.parameters
        return known.replace(parameters=[*rest, *[out] * free, *last])

    def __reduce__(self) -> Any:
        """A compiled call travels as what it was made from, and is compiled again where it arrives."""
        order, examples, kwargs, name = self._rest
        given = shapes_of(examples), shapes_of(kwargs)
        return Compiled, (self.f, self.wrt, order, *given, name, self.form, self.value)

    def __repr__(self) -> str:
        lines, label = self.source.count("\n"), getattr(self.f, "__name__", "f")
        return f"Compiled derivative of {label}: {lines} lines, {len(self.factors)} factors"


def _only(found: Any) -> Any:
    """The one Jacobian in its containers."""
    while isinstance(found, (dict, list, tuple)):
        (found,) = found.values() if isinstance(found, dict) else found
    return found


def _floating(node: Node) -> np.dtype[Any]:
    return np.dtype(node.dtype) if getattr(node.dtype, "kind", "") == "f" else np.dtype(np.float64)
