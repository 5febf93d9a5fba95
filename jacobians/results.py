"""The lines of what a compiled call returns: lazy Jacobians, dense arrays, arrays that are kept, cores.

`Results(program, form, ...).of(title)` adds the lines that make one Jacobian and returns its expression.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .budget import LIMIT, afford
from .codegen import Program
from .derivative import Jacobian
from .expr import MAY_SHARE, Node
from .inline import (
    array_lines,
    core_text,
    cored,
    held_lines,
    is_new,
    itself,
    maker,
    object_line,
    scalar_entries,
    view_lines,
)
from .terms import TermSum
from .toeplitz import toeplitz_layout
from .traces import Trace
from .writing import Writer, settled, writer

FEW = 6  # entries up to which storing one by one is faster than making an array of a list (measured)


@dataclass(frozen=True, slots=True)
class Form:
    """What a compiled call returns: "lazy" Jacobians, "dense" arrays (kept with `reuse`), "core"s.

    A dense array of more than `limit` bytes is refused.
    """

    name: str = "lazy"
    reuse: bool = False
    view: bool = False
    limit: int | None = LIMIT

    def shaped(self, terms: TermSum) -> TermSum:
        """The Terms as this form writes them."""
        shape = {"lazy": None, "dense": settled, "core": cored}[self.name]
        if shape is None:
            return terms
        return TermSum(terms.target_shape, terms.input_shape, tuple(shape(t) for t in terms.terms))


@dataclass(frozen=True, slots=True)
class Title:
    """One Jacobian to return: its Terms, the names of target and input, its type."""

    terms: TermSum
    target: str | None
    given: str | None
    dtype: np.dtype[Any]

    def too_large(self) -> tuple[str, str, str]:
        """What is refused where it has too many bytes, where, and what to do instead."""
        return (
            f"the dense Jacobian of {self.target} by {self.given}",
            "dense=True, reuse=True or copy=None",
            "compile without them, which keeps the factors; core=True; or a larger max_bytes",
        )


class Origin(NamedTuple):
    """Where the Jacobians of a compiled call come from; they are pickled without it."""

    f: Callable[..., Any]
    trace: Trace

    def __reduce__(self) -> Any:
        return type(None), ()


class Results:
    """Prints the Jacobians of a call into its program: of plain floats (`scalar`), with values (`valued`)."""

    def __init__(self, made: Program, form: Form, scalar: bool, valued: bool, origin: Origin) -> None:
        self.made, self.form, self.scalar, self.valued, self.origin = made, form, scalar, valued, origin
        self.copies: dict[int, str] = {}
        self.given: set[str] = set()
        self.kept: list[str] = []

    def of(self, title: Title) -> str:
        """The expression of one Jacobian, its lines added to the program."""
        return {"dense": self._dense, "core": self._core, "lazy": self._lazy}[self.form.name](title)

    def _own(self, node: Node) -> str:
        """The name of a node's value, copied where it may share memory with an argument."""
        name = self.made.names[node.serial]
        if self.scalar or not node.shape or node.op not in MAY_SHARE or _new_einsum(node):
            return name
        if node.serial not in self.copies:
            self.copies[node.serial] = self.made.fresh("own")
            self.made.lines.append(f"{self.copies[node.serial]} = {name}.copy()")
        return self.copies[node.serial]

    def _lazy(self, title: Title) -> str:
        name = self.made.fresh("result")
        make = maker(title.terms, title.target, title.given, title.dtype, self.origin)
        factors = {n.serial: self._own(n) for n in nodes_of(title.terms)}
        self.made.lines.append(object_line(self.made, name, make, factors))
        return name

    def _core(self, title: Title) -> str:
        return core_text(self.made, title.terms, title.dtype, self._own, self.given)

    def _dense(self, title: Title) -> str:
        terms, dtype = title.terms, title.dtype
        small = self.scalar or all(not n.shape for t in terms.terms for n, _ in t.factors)
        entries = scalar_entries(self.made, terms) if small else None
        if entries is not None:  # so small that a new array costs less than refilling one
            return self._entries(entries, title)
        name = self.made.fresh("result")
        known = writer(terms, dtype)
        layout = toeplitz_layout(terms) if self.form.view and known is not None else None
        seen = view_lines(self.made, layout, dtype, self.form.reuse) if layout is not None else None
        if seen is None:
            afford(tuple(map(int, terms.shape)), dtype, self.form.limit, title.too_large)
        if known is None:
            return self._filled(name, terms, dtype)
        if seen is not None or self.form.reuse:
            name, lines = seen or held_lines(self.made, known)
            self.made.lines += lines
            if self.form.reuse:
                self.kept.append(name)
            return name
        same = self._itself(known, title)
        if same is not None:
            return same
        self.made.lines += array_lines(self.made, name, known)
        return name

    def _filled(self, name: str, terms: TermSum, dtype: np.dtype[Any]) -> str:
        """A dense array whose entries are reached through tables."""
        fill = self.made.fresh("fill")
        self.made.bindings[fill] = lambda found: Jacobian(terms, found, dtype=dtype).materialize(None)
        values = ", ".join(f"{n.serial}: {self.made.names[n.serial]}" for n in nodes_of(terms))
        self.made.lines.append(f"{name} = {fill}({{{values}}})")
        return name

    def _entries(self, entries: list[str], title: Title) -> str:
        shape, name = tuple(int(n) for n in title.terms.shape), self.made.fresh("result")
        kind = "" if title.dtype == np.float64 else f", np.{title.dtype}"
        self.made.bindings |= {"array": np.array, "empty": np.empty}
        if self.form.reuse and title.dtype == np.float64 and 0 < len(entries) <= 2 * FEW:
            return self._kept(entries, shape)
        if len(entries) > FEW:
            reshape = f".reshape({shape})" if len(shape) > 1 else ""
            self.made.lines.append(f"{name} = array([{', '.join(entries)}]{kind}){reshape}")
            return name
        places = [", ".join(map(str, place)) or "()" for place in np.ndindex(*shape)]
        stored = "; ".join(f"{name}[{place}] = {entry}" for place, entry in zip(places, entries, strict=True))
        self.made.lines.append(
            f"{name} = empty({shape[0] if len(shape) == 1 else shape}{kind})"
            + (f"; {stored}" if stored else "")
        )
        return name

    def _kept(self, entries: list[str], shape: tuple[int, ...]) -> str:
        """The entries stored in the array that the call keeps, through its memory: no array is indexed."""
        whole = np.zeros(shape)
        shown, place = whole.view(), self.made.fresh("place")
        shown.flags.writeable = False
        name = self.made.fresh("held")
        self.made.bindings |= {place: whole.reshape(-1).data, name: shown}
        self.made.lines.append("; ".join(f"{place}[{k}] = {entry}" for k, entry in enumerate(entries)))
        return name

    def _itself(self, known: Writer, title: Title) -> str | None:
        """The factor that is the dense Jacobian already, if nobody else holds its array."""
        serial = None if self.valued else itself(known)
        for node in nodes_of(title.terms):
            right = node.serial == serial and node.dtype == title.dtype and is_new(node)
            name = self.made.names[node.serial]
            if right and name not in self.given:
                self.given.add(name)
                return name
        return None


def nodes_of(terms: TermSum) -> list[Node]:
    """The nodes whose values a Jacobian is made of, each once."""
    return list({n.serial: n for t in terms.terms for n in t.nodes}.values())


def _new_einsum(node: Node) -> bool:
    return node.op == "einsum" and sum(map(bool, node.params[0])) > 1
