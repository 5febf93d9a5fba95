"""Prepared writing of dense Jacobians: every view worked out once, for compiled calls.

`writer(whole, serials)` returns a `Writer`: `write(out, factors)` fills zeros, `views(out)` and `refill` write again
into an array whose other entries are known to be zero, touching only what can differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import pages
from .dense import zeros_for
from .expr import Node
from .ops.structural import is_injective
from .plan import make_plan
from .terms import Term, TermSum, core
from .wiring import encode, strided

Act = Callable[[np.ndarray, Sequence[Any]], None]


@dataclass(frozen=True, slots=True)
class Region:
    """Where one Term writes: a strided view of the dense array, and how its entries are computed there."""

    sizes: tuple[int, ...]
    offset: int
    strides: tuple[int, ...]
    assign: Act
    add: Act

    def view(self, out: np.ndarray) -> np.ndarray:
        """The view of a C-contiguous array that this Term writes through."""
        return np.ndarray(self.sizes, out.dtype, out, self.offset, self.strides)


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes one Jacobian's Terms, the largest first."""

    whole: TermSum
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    regions: tuple[Region, ...]

    def zeros(self) -> np.ndarray:
        """A new array of zeros, on pages chosen for what will be written."""
        if self.dtype.itemsize * math.prod(self.shape) < pages.LARGE:
            return np.zeros(self.shape, self.dtype)
        return zeros_for(self.whole, self.shape, self.dtype)

    def write(self, out: np.ndarray, factors: Sequence[Any]) -> np.ndarray:
        """Fills `out`, which holds zeros."""
        fresh = True
        for region in self.regions:
            (region.assign if fresh else region.add)(region.view(out), factors)
            fresh = False
        return out

    def views(self, out: np.ndarray) -> tuple[np.ndarray, ...]:
        """The views that `refill` writes through."""
        return tuple(region.view(out) for region in self.regions)

    def refill(self, views: Sequence[np.ndarray], factors: Sequence[Any]) -> None:
        """Writes again what can differ from the last time."""
        for view in views[1:]:
            view[...] = 0
        for k, (region, view) in enumerate(zip(self.regions, views, strict=True)):
            (region.add if k else region.assign)(view, factors)


    def refiller(self) -> Callable[[Sequence[np.ndarray], Sequence[Any]], None]:
        """`refill`, without its loop where there is one Term."""
        if len(self.regions) != 1:
            return self.refill
        assign = self.regions[0].assign
        return lambda views, factors: assign(views[0], factors)


def writer(whole: TermSum, serials: Sequence[int], dtype: Any) -> Writer | None:
    """The prepared writing of a Jacobian whose factors come in the order of `serials`; None where tables are needed."""
    shape = tuple(int(n) for n in whole.shape)
    steps = [np.dtype(dtype).itemsize * math.prod(shape[k + 1 :]) for k in range(len(shape))]
    regions = []
    for t in sorted(whole.terms, key=lambda t: -math.prod(int(t.sizes[k]) for k in t.wiring)):
        made = _region(t, steps, serials)
        if made is None or 0 in shape:
            return None
        regions.append(made)
    return Writer(whole, shape, np.dtype(dtype), tuple(regions))


def _region(t: Term, steps: Sequence[int], serials: Sequence[int]) -> Region | None:
    wiring = t.wiring
    order = {label: k for k, label in enumerate(wiring)}
    slots, _ = encode((*t.target, *t.input), order)
    sizes = tuple(int(t.sizes[label]) for label in wiring)
    walk = strided(slots, steps, len(wiring))
    if walk is None or not is_injective(slots, sizes):
        return None
    assign, add = _acts(t, order, serials)
    return Region(sizes, walk[0], walk[1], assign, add)


def _acts(t: Term, order: dict[int, int], serials: Sequence[int]) -> tuple[Act, Act]:
    """How to assign and to add a Term's entries into its view."""
    value = _value(t, order, serials)
    factors = _broadcasts(t, order, serials)

    def assign(view: np.ndarray, given: Sequence[Any]) -> None:
        view[...] = value(given)

    def add(view: np.ndarray, given: Sequence[Any]) -> None:
        np.add(view, value(given), out=view)

    if factors is not None and len(factors) == 2 and t.coefficient == 1:
        (p, look_p), (q, look_q) = factors

        def multiply(view: np.ndarray, given: Sequence[Any]) -> None:  # only an optimisation: straight into the view
            a, b = given[p], given[q]
            np.multiply(a if look_p is None else look_p(a), b if look_q is None else look_q(b), view)

        return multiply, add
    return assign, add


def _broadcasts(t: Term, order: dict[int, int], serials: Sequence[int]) -> list[tuple[int, Any]] | None:
    """Each factor's place and how to spread it over the view; None where a label is summed or repeated."""
    if not t.factors or not t.carried <= set(t.wiring) or any(len(set(ls)) < len(ls) for _, ls in t.factors):
        return None
    return [(serials.index(n.serial), spreader(tuple(order[k] for k in ls), len(order))) for n, ls in t.factors]


def spreader(labels: tuple[int, ...], ndim: int) -> Callable[[Any], Any] | None:
    """The function that puts an array's axes in label order with None for those it lacks; None for as it is."""
    if labels == tuple(range(ndim - len(labels), ndim)):
        return None
    axes = tuple(sorted(range(len(labels)), key=labels.__getitem__))
    key = tuple(slice(None) if k in labels else None for k in range(ndim))
    if axes == tuple(range(len(labels))):
        return lambda array: array[key]
    return lambda array: array.transpose(axes)[key]


def _value(t: Term, order: dict[int, int], serials: Sequence[int]) -> Callable[[Sequence[Any]], Any]:
    """The Term's core times its coefficient, spread over the view, from the factors' arrays."""
    leaves = {n.serial: Node("variable", (), None, n.shape, n.dtype) for n, _ in t.factors}
    known = Term(t.coefficient, tuple((leaves[n.serial], ls) for n, ls in t.factors), t.target, t.input, t.sizes)
    node, labels = core(known)
    plan, constants = make_plan([node], list(leaves.values()))
    places = [serials.index(serial) for serial in leaves]
    look = spreader(tuple(order[k] for k in labels), len(order))
    fixed = [n.value for n in constants]

    def value(given: Sequence[Any]) -> Any:
        (array,) = plan.run([given[k] for k in places], fixed)
        array = np.asarray(array)
        return (array if look is None else look(array)) * t.coefficient

    return value
