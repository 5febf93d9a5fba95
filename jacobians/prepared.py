"""Prepared calls: what a derivative needs once, kept by the structure of the trace.

`prepare(traced, order, mode, with_values)` eliminates and plans; a later trace of the same structure (same
operations, shapes and scalars, whatever the arrays) gets the same `Prepared` back, so that only tracing and
numpy remain to be done.  Closures are never stale: every call traces, and its constants are bound anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from .errors import UnknownNameError, UnsupportedError, did_you_mean
from .expr import Node, topological
from .graph import Linear, linearize
from .operation import local_jacobian
from .plan import Plan, make_plan
from .terms import TermSum, assembled
from .traces import Trace

MODES = ("lazy", "materialized")
KEPT = 256  # structures that are remembered
DIGESTED = 1024  # bytes from which an integer array is remembered by its digest
SMALL = 64  # entries up to which a remembered structure keeps an array


class Prepared(NamedTuple):
    """The Terms of every target by every input, and the plan of their factors.

    `fixed` are the plan's constants: a place in the trace's own constants, or a value of a rule.
    `borrowed[k]` says that factor k is an input or constant itself, which the caller may write to later.
    """

    rows: tuple[tuple[TermSum, ...], ...]
    plan: Plan
    serials: tuple[int, ...]
    borrowed: tuple[bool, ...]
    fixed: tuple[tuple[int, Any], ...]

    def run(self, traced: Trace, constants: list[Node]) -> tuple[dict[int, Any], list[Any]]:
        """The factors' arrays by serial, and the targets' values where the plan computes them."""
        values = [node.value for node in traced.variables]
        held = [constants[place].value if place >= 0 else value for place, value in self.fixed]
        found = self.plan.run(values, held)
        count = len(self.serials)
        own = {
            serial: _own(value, borrowed)
            for serial, value, borrowed in zip(self.serials, found, self.borrowed, strict=False)
        }
        return own, [_own(value, True) for value in found[count:]]


def _own(value: Any, borrowed: bool) -> Any:
    """An array that nobody else writes to: a copy of what is borrowed or a view."""
    if not isinstance(value, np.ndarray):
        return np.asarray(value)
    return value.copy() if borrowed or value.base is not None else value


class Structure:
    """A trace, compared and hashed by its structure alone."""

    __slots__ = ("constants", "hash", "key", "order", "traced")

    def __init__(self, traced: Trace, order: Any, mode: str, with_values: bool) -> None:
        places: dict[int, int] = {}
        same: dict[int, int] = {}  # a plan computes an array that stands twice in a trace only once
        self.constants: list[Node] = []
        parts: list[Any] = [order, mode, with_values]
        for node in traced.variables:
            places[node.serial] = len(places)
            parts.append((node.shape, node.dtype, node.name, same.setdefault(id(node.value), len(places))))
        for node in topological(traced.targets):
            if node.serial in places:
                continue
            places[node.serial] = len(places)
            if node.op == "constant":
                self.constants.append(node)
                parts.append((_constant_key(node), same.setdefault(id(node.value), len(places))))
            else:
                parts.append((node.op, tuple([places[a.serial] for a in node.args]), node.params, node.name))
        parts.append(tuple(places[n.serial] for n in traced.wrt))
        parts.append(tuple(places[n.serial] for n in traced.targets))
        self.key = tuple(parts)
        self.hash = hash(self.key)
        self.traced: Trace | None = traced
        self.order = (order, mode, with_values)

    def __hash__(self) -> int:
        return self.hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Structure) and self.key == other.key


def _constant_key(node: Node) -> Any:
    """What rules may depend on: a scalar's value, integer arrays whole, floating arrays by shape only."""
    value = node.value
    if isinstance(node.dtype, type):
        return node.dtype, value
    if value.dtype.kind == "f" and value.ndim:
        return value.shape, value.dtype
    content = value.tobytes()
    if len(content) > DIGESTED:
        from hashlib import blake2b  # late: only large arrays need it

        content = blake2b(content).digest()  # a remembered structure holds no large array
    return value.shape, value.dtype, content


@lru_cache(maxsize=KEPT)
def _prepare(structure: Structure) -> Prepared:
    traced = structure.traced
    assert traced is not None
    order, mode, with_values = structure.order
    rows = tuple(map(tuple, accumulate(traced, order, mode)))
    factors = {n.serial: n for row in rows for terms in row for t in terms.terms for n in t.nodes}
    roots = [*factors.values(), *(traced.targets if with_values else ())]
    plan, constants = make_plan(roots, traced.variables)
    place = {node.serial: k for k, node in enumerate(structure.constants)}
    fixed = tuple((place[n.serial], None) if n.serial in place else (-1, n.value) for n in constants)
    borrowed = tuple(n.op in ("variable", "constant", "identity") for n in factors.values())
    return Prepared(rows, plan, tuple(factors), borrowed, fixed)


def prepare(traced: Trace, order: Any, mode: str, with_values: bool) -> tuple[Prepared, list[Node]]:
    """The prepared derivative of a trace, and the trace's constants in the order `Prepared.run` wants."""
    structure = Structure(traced, checked_order(order), checked_mode(mode), with_values)
    return _prepare(structure), structure.constants


def forget(structure_constants: list[Node], traced: Trace) -> None:
    """Drops the arrays of a trace that is kept for its structure only."""
    for node in (*structure_constants, *traced.variables):
        if isinstance(node.value, np.ndarray) and node.value.size > SMALL and node.value.dtype.kind == "f":
            node.value = None


def accumulate(traced: Trace, order: Any = "auto", mode: str = "lazy") -> list[list[TermSum]]:
    """The Terms of every target by every input, in an elimination order; names choose named vertices."""
    linear = linear_of(traced, mode)
    from .vertex_orders import accumulate_in, named  # late: only a derivative pays for it

    order = checked_order(order)
    chosen = order if isinstance(order, str) else named(linear, order)
    rows = accumulate_in(linear, chosen).rows
    return rows if mode == "lazy" else [[assembled(terms) for terms in row] for row in rows]


def linear_of(traced: Trace, mode: str = "lazy") -> Linear:
    """The graph of local Jacobians: with their deltas ("lazy"), or each written out ("materialized")."""
    lazy = checked_mode(mode) == "lazy"
    return linearize(traced.targets, traced.wrt, local_jacobian if lazy else _dense_local)


def checked_mode(mode: Any) -> str:
    """`mode` where it is one; raises UnknownNameError."""
    if mode in MODES:
        return str(mode)
    raise UnknownNameError(
        f"mode {mode!r} is not known", f"modes: {', '.join(MODES)}", did_you_mean(str(mode), MODES)
    )


def checked_order(order: Any) -> str | tuple[Any, ...]:
    """An order as what can be remembered: a name, or a tuple of vertices; raises UnsupportedError."""
    if isinstance(order, str):
        return order
    if isinstance(order, Iterable):
        return tuple(order)
    raise UnsupportedError(
        f"order={order!r} is no order",
        f"it is {type(order).__name__}",
        'a name such as "auto" or "reverse", or a list of named values',
    )


def _dense_local(node: Node, k: int) -> TermSum:
    return assembled(local_jacobian(node, k))
