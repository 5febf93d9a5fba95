"""The verbs: `jacobian`, `value_and_jacobian`, `hessian`, `trace`, `chain`.

Each takes an ordinary numpy function and returns a function of its arguments.  A call traces afresh, so that
closures are never stale; `compile` freezes the trace for hot loops.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .containers import flatten
from .derivative import Jacobian
from .expr import Node
from .graph import linearize
from .operation import local_jacobian
from .plan import make_plan
from .terms import TermSum, assembled
from .traces import Trace, Wrt, trace_function
from .tracing import Traced


class JacobianFunction:
    """The function that `jacobian(f)` returns: call it with f's arguments."""

    def __init__(
        self, f: Callable[..., Any], wrt: Wrt = None, order: Any = "auto", mode: str = "lazy", value: bool = False
    ) -> None:
        self.f, self.wrt, self.order, self.mode, self.value = f, wrt, order, mode, value
        self.__name__ = f"jacobian_of_{getattr(f, '__name__', 'f')}"
        self.__wrapped__ = f

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        traced = trace_function(self.f, args, kwargs, self.wrt)
        rows = accumulate(traced, self.order, self.mode)
        return self._results(traced, rows)

    def _results(self, traced: Trace, rows: list[list[TermSum]]) -> Any:
        values, held = (None, [Traced(t) for t in traced.targets]) if traced.nested else numbers(traced, rows, self.value)
        made = [
            [self._jacobian(traced, target, path, node, terms, values) for node, terms in zip(traced.wrt, row, strict=True)]
            for target, path, row in zip(traced.targets, traced.paths, rows, strict=True)
        ]
        result = traced.rebuild([mirrored(traced, row) for row in made])
        return (traced.rebuild(held), result) if self.value else result

    def _jacobian(self, traced: Trace, target: Node, path: str, node: Node, terms: TermSum, values: Any) -> Jacobian:
        dtype = target.dtype if getattr(target.dtype, "kind", "") == "f" else np.dtype(np.float64)
        name = target.name or path.strip("[]'") or getattr(self.f, "__name__", "f").replace("<lambda>", "f")
        context = (traced.targets, traced.variables)
        return Jacobian(terms, values, name, node.name, dtype, context)


def mirrored(traced: Trace, row: Sequence[Any]) -> Any:
    """One target's Jacobians in the containers of the inputs: by argument name, or alone for a single one."""
    at, result = 0, {}
    for name, (nodes, rebuild) in traced.inputs.items():
        result[name] = rebuild(list(row[at : at + len(nodes)]))
        at += len(nodes)
    return next(iter(result.values())) if traced.single else result


def accumulate(traced: Trace, order: Any = "auto", mode: str = "lazy") -> list[list[TermSum]]:
    """The Terms of every target by every input."""
    local = local_jacobian if mode == "lazy" else lambda node, k: assembled(local_jacobian(node, k))
    linear = linearize(traced.targets, traced.wrt, local)
    if order == "auto":
        order = "reverse"
    elif not isinstance(order, str):
        named = {n.name: n for n in linear.nodes.values() if n.name}
        order = [named[name] for name in order]
    return linear.eliminate(order)


def numbers(traced: Trace, rows: list[list[TermSum]], with_values: bool) -> tuple[dict[int, Any], list[Any]]:
    """The arrays of every factor (by serial) and, if asked for, of the targets."""
    factors = {n.serial: n for row in rows for terms in row for t in terms.terms for n, _ in t.factors}
    roots = [*factors.values(), *(traced.targets if with_values else ())]
    given = [n for n in traced.variables if n.op == "variable"]
    plan, constants = make_plan(roots, given)
    sources = [n.value for n in given]
    found = plan.run(sources, [n.value for n in constants])
    held = [np.asarray(value) for value in found[len(factors) :]]
    return {serial: _own(value) for serial, value in zip(factors, found, strict=False)}, held


def _own(value: Any) -> Any:
    """A factor's array as the Jacobian's own, so that writing to an argument later changes nothing."""
    return value.copy() if isinstance(value, np.ndarray) and value.base is not None or not isinstance(value, np.ndarray) else value


def jacobian(f: Callable[..., Any], wrt: Wrt = None, *, order: Any = "auto", mode: str = "lazy") -> JacobianFunction:
    """A function that returns the full Jacobian of `f`: shape `target x input`."""
    return JacobianFunction(f, wrt, order, mode)


def value_and_jacobian(f: Callable[..., Any], wrt: Wrt = None, *, order: Any = "auto", mode: str = "lazy") -> JacobianFunction:
    """Like `jacobian`, returning `(value, Jacobian)`."""
    return JacobianFunction(f, wrt, order, mode, value=True)


def hessian(f: Callable[..., Any], wrt: Wrt = None, *, order: Any = "auto") -> Callable[..., Any]:
    """The second derivative `target x input x input`; `wrt=("x", "A")` gives the mixed one, by x and then A."""
    first, second = (wrt[0], wrt[1]) if isinstance(wrt, (tuple, list)) and len(wrt) == 2 else (wrt, wrt)
    return jacobian(jacobian(f, first, order=order), second, order=order)


assert flatten
