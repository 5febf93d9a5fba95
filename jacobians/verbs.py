"""The verbs: `jacobian`, `value_and_jacobian`, `hessian`, `trace`, `chain`.

Each takes an ordinary numpy function and returns a function of its arguments.  A call traces afresh, so that
closures are never stale; `compile` freezes the trace for hot loops.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .budget import LIMIT, check_limit
from .containers import signature_of
from .derivative import Jacobian
from .errors import UnsupportedError
from .expr import Node
from .prepared import accumulate, forget, prepare
from .presentation import kind_of
from .terms import TermSum
from .traces import Trace, Wrt, trace_function
from .tracing import Traced

if TYPE_CHECKING:
    from .expression import Graph


class Context(NamedTuple):
    """Where a Jacobian comes from: the function, the stand-ins it was traced on, the target and its path."""

    f: Callable[..., Any]
    stand_ins: Mapping[str, Any]
    target: Node
    path: str = ""


class JacobianFunction:
    """The function that `jacobian(f)` returns: call it with f's arguments."""

    def __init__(
        self,
        f: Callable[..., Any],
        wrt: Wrt = None,
        order: Any = "auto",
        mode: str = "lazy",
        value: bool = False,
    ) -> None:
        if not callable(f):
            raise UnsupportedError(
                "there is no function to differentiate",
                f"it is {f!r}"[:80],
                f"jac.jacobian(jac.read({f!r}))" if isinstance(f, str) else "a function of arrays",
            )
        self.f, self.wrt, self.order, self.mode, self.value = f, wrt, order, mode, value
        inner = getattr(f, "label", None) or getattr(f, "__name__", "f").replace("<lambda>", "f")
        self.label = f"∂{inner}" if isinstance(f, JacobianFunction) else inner
        self.__name__, self.__wrapped__ = inner, f

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        traced = self._trace(args, kwargs)
        if traced.nested:
            held: list[Any] = [Traced(t) for t in traced.targets]
            return self._results(traced, accumulate(traced, self.order, self.mode), None, held)
        prepared, constants = prepare(traced, self.order, self.mode, self.value)
        values, held = prepared.run(traced, constants)
        forget(constants, traced)
        return self._results(traced, prepared.rows, values, held)

    def _trace(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Trace:
        """The trace of a call; where the order names vertices, the function's own variables name them."""
        if isinstance(self.order, str):
            return trace_function(self.f, args, kwargs, self.wrt)
        from .expression import named_values, watched

        traced, seen = watched(self.f, lambda: trace_function(self.f, args, kwargs, self.wrt))
        for label, node in named_values(traced, seen).items():
            node.name = node.name or label
        return traced

    def compile(
        self, *examples: Any, dense: bool = False, reuse: bool = False, core: bool = False,
        copy: bool | None = True, backend: str = "numpy", max_bytes: int | None = LIMIT, **kwargs: Any,
    ) -> Any:  # fmt: skip
        """Freezes the trace at these examples: generated numpy without tracing, for hot loops.

        `dense=True` returns arrays instead of Jacobians; `reuse=True` owns the array that it returns
        (read-only, valid until the next call); `copy=None` may return a read-only view of a small buffer, as
        `materialize(copy=None)` does; `core=True` returns what `J.core()` gives, in a batch the Jacobians
        sample by sample.  `backend="jax"` or "torch" runs the same plan with that library, on its arrays, and
        returns dense ones, or cores.  What the function takes from outside is frozen too.  Raises BudgetError
        where a dense array would have more than `max_bytes` bytes (default 4 GiB).  An argument of f that is
        called like one of these options is given by position.
        """
        from .frozen import Compiled
        from .results import Form

        _check_flags(dense=dense, reuse=reuse, core=core, copy=copy)
        check_limit(max_bytes)
        if backend != "numpy":
            return self._compile_for(backend, examples, kwargs, core, max_bytes, reuse, copy)
        if core and (dense or reuse or copy is None):
            raise UnsupportedError(
                "a call returns cores or dense arrays",
                "core=True with dense=, reuse= or copy=None",
                "one of them",
            )
        name = "core" if core else "dense" if dense or reuse or copy is None else "lazy"
        form = Form(name, reuse, copy is None, max_bytes)
        return Compiled(self.f, self.wrt, self.order, examples, kwargs, self._name, form, self.value)

    def __repr__(self) -> str:
        f, orders = self, [self]
        while isinstance(f.f, JacobianFunction):
            f = f.f
            orders.append(f)
        several = [one.wrt if isinstance(one.wrt, (tuple, list)) else [one.wrt] for one in reversed(orders)]
        by = dict.fromkeys(str(name) for names in several for name in names if name is not None)
        kind = "Value and " * self.value + kind_of(len(orders))
        known = signature_of(f.f)
        needed = [p for p in known.parameters.values() if p.default is p.empty] if known else []
        shown = [
            f"{p.name}=..." if p.kind is p.KEYWORD_ONLY else str(p.replace(annotation=p.empty))
            for p in needed
            if p.kind is not p.VAR_KEYWORD
        ]
        call = ", ".join(shown) or "..."
        return f"{kind} of {f.label}{' by ' * bool(by)}{', '.join(by)}: call it as {f.label}({call})"

    def _compile_for(
        self, backend: str, examples: tuple[Any, ...], kwargs: dict[str, Any], core: bool,
        max_bytes: int | None, reuse: bool, copy: bool | None,
    ) -> Any:  # fmt: skip
        from .backends.calls import Wanted, compile_for, traceable

        refused = "reuse=True" if reuse else "copy=None" if copy is None else None
        if refused:
            raise UnsupportedError(
                f"{refused} has no meaning on {backend}",
                "every call there returns new arrays",
                'compile without it, or backend="numpy"',
            )
        examples, kwargs = traceable(backend, examples, kwargs)
        traced = trace_function(self.f, examples, kwargs, self.wrt)
        width = len(traced.wrt)

        def mirror(made: list[Any]) -> Any:
            return traced.rebuild([mirrored(traced, made[k : k + width]) for k in range(0, len(made), width)])

        names = [self._name(target, path) for target, path in zip(traced.targets, traced.paths, strict=True)]
        again = self, {"backend": backend, "core": core, "max_bytes": max_bytes}
        wanted = Wanted(core, self.value, max_bytes, names, self.f, examples, kwargs, again)
        return compile_for(backend, traced, accumulate(traced, self.order), mirror, wanted)

    def _results(self, traced: Trace, rows: Sequence[Sequence[TermSum]], values: Any, held: list[Any]) -> Any:
        made = [
            [
                self._jacobian(traced, target, path, node, terms, values)
                for node, terms in zip(traced.wrt, row, strict=True)
            ]
            for target, path, row in zip(traced.targets, traced.paths, rows, strict=True)
        ]
        result = traced.rebuild([mirrored(traced, row) for row in made])
        return (traced.rebuild(held), result) if self.value else result

    def _name(self, target: Node, path: str) -> str:
        """What a target is called: its own name, its key in the result, or its place there."""
        key = re.fullmatch(r"\['(\w+)'\]|\.(\w+)", path)
        return target.name or (key[1] or key[2] if key else self.label + path)

    def _jacobian(
        self, traced: Trace, target: Node, path: str, node: Node, terms: TermSum, values: Any
    ) -> Jacobian:
        dtype = target.dtype if getattr(target.dtype, "kind", "") == "f" else np.dtype(np.float64)
        name = self._name(target, path)
        context = Context(self.f, traced.stand_ins, target, path)
        return Jacobian(terms, values, name, node.name, dtype, context)


def _check_flags(**flags: Any) -> None:
    """Raises UnsupportedError where an option of `compile` is no truth value: an argument of f, perhaps."""
    for name, value in flags.items():
        if not (isinstance(value, (bool, np.bool_)) or (name == "copy" and value is None)):
            given = f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else repr(value)
            raise UnsupportedError(
                f"{name}= is an option of compile, True or False{', or None' * (name == 'copy')}",
                f"it is {given}",
                "an argument of f that has this name by position",
            )


def derived(J: Jacobian) -> tuple[str, tuple[str, ...]]:
    """What a Jacobian's target is the derivative of, by what (the last first): `f`, `(x,)` of a Hessian."""
    f = getattr(J.context, "f", None)
    arguments = tuple(getattr(J.context, "stand_ins", ()))
    if not arguments and hasattr(J.context, "trace"):  # of a compiled call
        arguments = tuple(str(n.name) for n in J.context.trace.variables)
    of, by = "", []
    while isinstance(f, JacobianFunction):
        wrt = f.wrt
        if isinstance(wrt, int):
            wrt = arguments[wrt] if -len(arguments) <= wrt < len(arguments) else J.input_name
        if not isinstance(wrt, str):  # several: the target is called by the one it is differentiated by
            wrt = J.target_name if J.target_name in arguments else next(iter(arguments), "x")
        by.append(str(wrt))
        of, f = f.label.lstrip("∂"), f.f
    return of, tuple(by)


def mirrored(traced: Trace, row: Sequence[Any]) -> Any:
    """One target's Jacobians in the containers of the inputs: by argument name, or alone for a single one."""
    at, result = 0, {}
    for name, (nodes, rebuild) in traced.inputs.items():
        result[name] = rebuild(list(row[at : at + len(nodes)]))
        at += len(nodes)
    return next(iter(result.values())) if traced.single else result


def jacobian(
    f: Callable[..., Any], wrt: Wrt = None, *, order: Any = "auto", mode: str = "lazy"
) -> JacobianFunction:
    """A function that returns the full Jacobian of `f` at its arguments.

    `J[i..., m...] = d f[i...] / d A[m...]`, shape `target x input`: target axes first, then input axes.
    `wrt` names the argument (or several); without it the result is a mapping by argument name, or the
    Jacobian itself where f has one array argument.  Results mirror f's own containers, then those of the
    arguments.
    `order` is an elimination order, a name or a list of named values; `mode="materialized"` contracts dense
    local Jacobians as the lecture does.  Raises UnknownNameError for a wrong `wrt` or order, UnsupportedError
    for what cannot be traced.

    >>> import numpy as np
    >>> J = jacobian(lambda A, x: A @ x, wrt="A")(np.ones((2, 3)), np.array([5.0, 6.0, 7.0]))
    >>> J.shape, J.index_form(), np.asarray(J)[1].tolist()
    ((2, 2, 3), 'δ_im x_n', [[0.0, 0.0, 0.0], [5.0, 6.0, 7.0]])
    """
    return JacobianFunction(f, wrt, order, mode)


def value_and_jacobian(
    f: Callable[..., Any], wrt: Wrt = None, *, order: Any = "auto", mode: str = "lazy"
) -> JacobianFunction:
    """Like `jacobian`, returning `(value, Jacobian)`: the value is computed once for both.

    The Jacobian has shape `target x input`.  Raises what `jacobian` raises.

    >>> import numpy as np
    >>> value, J = value_and_jacobian(np.sum)(np.array([1.0, 2.0]))
    >>> float(value), np.asarray(J).tolist()
    (3.0, [1.0, 1.0])
    """
    return JacobianFunction(f, wrt, order, mode, value=True)


def trace(f: Callable[..., Any], wrt: Wrt = None) -> Callable[..., Graph]:
    """A function that returns the `Graph` of `f` at its arguments: named values, links, chains.

    Raises UnknownNameError for a wrong `wrt`, UnsupportedError for what cannot be traced.

    >>> import numpy as np, jacobians as jac
    >>> def f(A, x):
    ...     z = A @ x
    ...     return np.tanh(z)
    >>> list(trace(f)(np.ones((2, 3)), np.ones(3)).named)
    ['A', 'x', 'z', 'f']
    """

    from .expression import graph_of

    def traced(*args: Any, **kwargs: Any) -> Graph:
        return graph_of(f, args, kwargs, wrt)

    return traced


def hessian(f: Callable[..., Any], wrt: Wrt = None, *, order: Any = "auto") -> JacobianFunction:
    """A function that returns the second derivative of `f`: the Jacobian of its Jacobian.

    `H[t..., i..., j...] = d2 f[t...] / d x[i...] d x[j...]`, shape `target x input x input`; `wrt=("x", "A")`
    gives the mixed one, by x and then by A.  Deltas stay shared indices; `H.jvp(v)` is a Hessian-vector
    product.  Raises what `jacobian` raises.

    >>> import numpy as np
    >>> H = hessian(lambda x: np.sum(x**3))(np.array([1.0, 2.0]))
    >>> H.index_form(), H.nnz, H.jvp(np.ones(2)).tolist()
    ('6 δ_ij x_i', 2, [6.0, 12.0])
    """
    first, second = (wrt[0], wrt[1]) if isinstance(wrt, (tuple, list)) and len(wrt) == 2 else (wrt, wrt)
    return jacobian(jacobian(f, first, order=order), second, order=order)
