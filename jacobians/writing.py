"""Prepared writing of dense Jacobians: where every Term goes and what is multiplied there, worked out once.

`writer(whole, dtype)` returns a `Writer` of `Region`s, each a strided view of the dense array with the
operands whose broadcast product belongs there; `write(out, factors)` fills zeros with it.  Compiled calls
print the same as lines (`inline`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from . import pages
from .axes import Size
from .dense import reached
from .expr import Factor, product
from .ops.structural import is_injective, spread
from .terms import Term, TermSum, canonical, core
from .wiring import encode, strided

BLOCK = 1 << 15  # entries that are multiplied and added at once, so that they stay in the cache


@dataclass(frozen=True, slots=True)
class Region:
    """Where one Term writes: a strided view of the dense array, and the product that is written there.

    `operands` are (serial, the view's axes that its axes are), multiplied in order, the last multiplication
    straight into the view; `coefficient` goes with the first, which is the smallest.
    """

    sizes: tuple[int, ...]
    offset: int
    strides: tuple[int, ...]
    coefficient: Any
    operands: tuple[tuple[int, tuple[int, ...]], ...]

    @property
    def entries(self) -> int:
        """How many entries it writes."""
        return math.prod(self.sizes)

    def view(self, out: np.ndarray) -> np.ndarray:
        """The view of a C-contiguous array that this Term writes through."""
        return np.ndarray(self.sizes, out.dtype, out, self.offset, self.strides)


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes one Jacobian's Terms, the largest first; `fraction` is the share of pages that they reach."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    regions: tuple[Region, ...]
    fraction: float

    @property
    def covers(self) -> bool:
        """Whether the first region is the whole array, so that nothing needs to be zero before."""
        return bool(self.regions) and self.regions[0].entries == math.prod(self.shape)

    @property
    def large(self) -> bool:
        """Whether the choice of memory pages matters."""
        return self.dtype.itemsize * math.prod(self.shape) >= pages.LARGE

    def new(self) -> np.ndarray:
        """A new array: zeros on pages chosen for what will be written, or empty where all will be."""
        if self.covers:
            return np.empty(self.shape, self.dtype)
        if self.large:
            return pages.zeros(self.shape, self.dtype, self.fraction)
        return np.zeros(self.shape, self.dtype)

    def write(self, out: np.ndarray, factors: Mapping[int, Any]) -> np.ndarray:
        """Fills `out` (from `new`) from the factors' arrays by serial."""
        for k, region in enumerate(self.regions):
            write_product(
                region.view(out), region, [np.asarray(factors[s]) for s, _ in region.operands], k > 0
            )
        return out


def writer(whole: TermSum, dtype: Any) -> Writer | None:
    """The prepared writing of a Jacobian whose Terms are `settled`; None where tables are needed."""
    shape = tuple(int(n) for n in whole.shape)
    steps = [np.dtype(dtype).itemsize * math.prod(shape[k + 1 :]) for k in range(len(shape))]
    regions = []
    for t in sorted(whole.terms, key=lambda t: -math.prod(int(t.sizes[k]) for k in t.wiring)):
        made = _region(t, steps)
        if made is None or 0 in shape:
            return None
        regions.append(made)
    return Writer(shape, np.dtype(dtype), tuple(regions), reached(whole, shape, dtype))


def _region(t: Term, steps: Sequence[int]) -> Region | None:
    wiring = t.wiring
    order = {label: k for k, label in enumerate(wiring)}
    slots, _ = encode((*t.target, *t.input), order)
    sizes = tuple(int(t.sizes[label]) for label in wiring)
    walk = strided(slots, steps, len(wiring))
    if walk is None or not is_injective(slots, sizes):
        return None
    operands = [(node.serial, tuple(order[label] for label in labels)) for node, labels in t.factors]
    operands.sort(key=lambda operand: math.prod(sizes[k] for k in operand[1]))
    return Region(sizes, walk[0], walk[1], t.coefficient, tuple(operands))


def settled(t: Term) -> Term:
    """The Term with factors whose broadcast product is all that is left: sums and masks go into nodes.

    Factors that share a summed label become one node, with those that carry no other labels than it does;
    the rest stays apart, to be multiplied straight into the result.
    """
    masked = len(t.factors) > 1 and any(node.dtype == bool for node, _ in t.factors)
    plain = all(len(set(labels)) == len(labels) for _, labels in t.factors)
    wanted = set(t.wiring)
    if masked or not t.factors or not any(set(labels) <= wanted for _, labels in t.factors):
        return canonical(t.coefficient, [core(t)] if t.factors else [], t.target, t.input, t.sizes)
    if plain and t.carried <= wanted:
        return t
    groups: list[list[Factor]] = []
    for factor in t.factors:
        labels = set(factor[1]) - wanted
        if labels or len(set(factor[1])) < len(factor[1]):
            meets = [g for g in groups if any(labels & set(ls) for _, ls in g)]
            groups = [g for g in groups if g not in meets] + [[*(f for g in meets for f in g), factor]]
    apart = [f for f in t.factors if not any(f is one for g in groups for one in g)]
    for group in groups:
        known = {label for _, ls in group for label in ls}
        group += [f for f in apart if set(f[1]) <= known]
        apart = [f for f in apart if not set(f[1]) <= known]
    made = [_contracted(group, wanted, t.sizes) for group in groups]
    return canonical(t.coefficient, [*made, *apart], t.target, t.input, t.sizes)


def _contracted(group: Sequence[Factor], wanted: set[int], sizes: Sequence[Size]) -> Factor:
    labels = tuple(sorted({label for _, ls in group for label in ls} & wanted))
    return product(group, labels, sizes), labels


def pairing(region: Region) -> list[tuple[int, int]]:
    """Which operands to multiply first, by place in a list that products are appended to; two are left."""
    left = [(k, frozenset(axes)) for k, (_, axes) in enumerate(region.operands)]
    found: list[tuple[int, int]] = []
    while len(left) > 2:
        a, b = min(
            combinations(left, 2),
            key=lambda pair: math.prod(region.sizes[k] for k in pair[0][1] | pair[1][1]),
        )
        left = [operand for operand in left if operand not in (a, b)]
        left.append((len(region.operands) + len(found), a[1] | b[1]))
        found.append((a[0], b[0]))
    return found


def write_product(view: np.ndarray, region: Region, factors: Sequence[np.ndarray], add: bool) -> None:
    """`view = product` or `view += product`, block by block where a temporary is needed."""
    ndim = len(region.sizes)
    arrays = [spread(array, axes, ndim) for array, (_, axes) in zip(factors, region.operands, strict=True)]
    if region.coefficient != 1 and (add or len(arrays) > 1):
        arrays[0] = arrays[0] * region.coefficient
    for i, j in pairing(region):
        arrays.append(arrays[i] * arrays[j])
        arrays[i] = arrays[j] = None
    left = [array for array in arrays if array is not None]
    if not add:
        _assign(view, left, region.coefficient)
    elif len(left) == 2:
        add_blocks(view, *left)
    else:
        np.add(view, left[0] if left else region.coefficient, view)


def _assign(view: np.ndarray, left: Sequence[np.ndarray], coefficient: Any) -> None:
    if len(left) == 2:
        np.multiply(left[0], left[1], view)
    elif left and coefficient != 1:
        np.multiply(coefficient, left[0], view)
    else:
        np.copyto(view, left[0] if left else coefficient)


def add_blocks(view: np.ndarray, a: Any, b: Any) -> None:
    """`view += a * b` by broadcasting, without a temporary larger than a block."""
    if view.ndim == 0 or view.size <= BLOCK:
        np.add(view, np.multiply(a, b), view)
        return
    step = max(1, BLOCK * len(view) // view.size)
    for start in range(0, len(view), step):
        part = slice(start, start + step)
        here = view[part]
        np.add(here, np.multiply(_part(a, part, view), _part(b, part, view)), here)


def _part(array: np.ndarray, part: slice, view: np.ndarray) -> np.ndarray:
    """The part of an operand that meets a part of the view's first axis."""
    return array[part] if array.ndim == view.ndim and len(array) == len(view) else array
