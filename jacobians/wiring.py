"""Slots: what stands in the places of a wiring, and the equations that composing solves.

A place of the wiring (one axis of the target or of an input) holds a *slot*:

- a label, an `int`: the axis runs with that label; a label in two places is a Kronecker delta;
- `Affine(offset, strides)`: the index is `offset + sum(stride * label)`: a slice, a shift, a merge
  of axes, or (with no stride) one fixed index;
- `Table(labels, node)`: the index is read from an integer array over the labels: a gather.

The last two are *selections*: they hold integers and never become one-hot arrays.  Composing two
Jacobians says of each middle axis that two slots are equal; `Equations` solves these one at a time,
as a substitution of slots for labels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from .axes import Poly, Size, entries
from .expr import Factor, Node, constant


@dataclass(frozen=True, slots=True)
class Affine:
    """The index `offset + sum(stride * label)`; strides are kept sorted by label, none is zero."""

    offset: Size
    strides: tuple[tuple[int, Size], ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """The index `node[labels]`, an integer array with one axis for each label."""

    labels: tuple[int, ...]
    node: Node


Slot: TypeAlias = int | Affine | Table
Substitution: TypeAlias = Mapping[int, Slot]


class Disjoint(Exception):
    """The two sides of an equation never meet: the composed Term is zero."""


class NotSymbolic(Exception):
    """The equation needs index values that are known only when a plan runs."""


def labels_of(slot: Slot) -> tuple[int, ...]:
    """The labels a slot depends on."""
    if isinstance(slot, int):
        return (slot,)
    return tuple(label for label, _ in slot.strides) if isinstance(slot, Affine) else slot.labels


def affine(offset: Size, strides: Iterable[tuple[int, Size]]) -> Affine:
    """An `Affine` in normal form: equal labels added up, zero strides left out.

    >>> affine(1, [(3, 2), (0, 1), (3, 2)])
    Affine(offset=1, strides=((0, 1), (3, 4)))
    """
    total: dict[int, Size] = {}
    for label, stride in strides:
        total[label] = total.get(label, 0) + stride
    return Affine(offset, tuple(sorted((k, v) for k, v in total.items() if v != 0)))


def plain(slot: Slot, size: Size, sizes: Sequence[Size]) -> Slot:
    """`slot`, as a label where it runs over the whole axis of that `size` in order."""
    if isinstance(slot, Affine) and slot.offset == 0 and len(slot.strides) == 1:
        ((label, stride),) = slot.strides
        if stride == 1 and sizes[label] == size:
            return label
    return slot


def relabel(slot: Slot, names: Mapping[int, int] | Sequence[int]) -> Slot:
    """`slot` with every label renamed."""
    if isinstance(slot, int):
        return names[slot]
    if isinstance(slot, Affine):
        return affine(slot.offset, ((names[label], stride) for label, stride in slot.strides))
    return Table(tuple(names[label] for label in slot.labels), slot.node)


def substitute(slot: Slot, solution: Substitution, sizes: Sequence[Size]) -> Slot:
    """`slot` with other slots put in for some of its labels."""
    if isinstance(slot, int):
        return solution.get(slot, slot)
    if not any(label in solution for label in labels_of(slot)):
        return slot
    if isinstance(slot, Affine):
        inside = [(solution.get(label, label), stride) for label, stride in slot.strides]
        if not any(isinstance(inner, Table) for inner, _ in inside):
            offset: Size = slot.offset
            strides: list[tuple[int, Size]] = []
            for inner, stride in inside:
                if isinstance(inner, int):
                    strides.append((inner, stride))
                elif isinstance(inner, Affine):
                    offset = offset + inner.offset * stride
                    strides += [(label, step * stride) for label, step in inner.strides]
            return affine(offset, strides)
        slot = as_table(slot, sizes)
    node, labels = select((slot.node, slot.labels), solution, sizes)
    return Table(labels, node)


def select(factor: Factor, solution: Substitution, sizes: Sequence[Size]) -> Factor:
    """A factor with slots put in for labels: renamed where they are labels, else gathered.

    `y[labels] = x[slots(labels)]`; an integer constant is gathered at once.
    """
    node, labels = factor
    slots = tuple(solution.get(label, label) for label in labels)
    renamed = tuple(slot for slot in slots if isinstance(slot, int))
    if len(renamed) == len(slots):
        return node, renamed
    out = tuple(dict.fromkeys(label for slot in slots for label in labels_of(slot)))
    return selection(node, slots, out, sizes), out


def selection(node: Node, slots: Sequence[Slot], out: Sequence[int], sizes: Sequence[Size]) -> Node:
    """`y[out] = x[slots(out)]` as a node; a constant table of integers is gathered at once."""
    order = {label: k for k, label in enumerate(out)}
    shape = tuple(sizes[label] for label in out)
    params, tables = encode(slots, order)
    made = Node("select", (node, *tables), (params, shape), shape, node.dtype)
    if node.op == "constant" and node.value is not None and _integers(node, tables):
        known = tuple(map(int, shape))
        return constant(gather(node.value, params, known, [table.value for table in tables]))
    return made


def _integers(node: Node, tables: Sequence[Node]) -> bool:
    return getattr(node.dtype, "kind", "") == "i" and all(table.op == "constant" for table in tables)


def encode(slots: Sequence[Slot], order: Mapping[int, int]) -> tuple[tuple[Any, ...], tuple[Node, ...]]:
    """Slots as hashable parameters, with the nodes of the tables apart (as further arguments)."""
    tables: list[Node] = []
    coded: list[Any] = []
    for slot in slots:
        if isinstance(slot, Table):
            coded.append(("table", len(tables), tuple(order[label] for label in slot.labels)))
            tables.append(slot.node)
        else:
            coded.append(relabel(slot, order))
    return tuple(coded), tuple(tables)


def decode(coded: Sequence[Any], tables: Sequence[Node]) -> tuple[Slot, ...]:
    """The slots that `encode` was given, over the labels 0, 1, ..."""
    return tuple(Table(c[2], tables[c[1]]) if isinstance(c, tuple) else c for c in coded)


def as_table(slot: Slot, sizes: Sequence[Size]) -> Table:
    """A selection with its indices written out (sizes must be numbers)."""
    if isinstance(slot, Table):
        return slot
    slot = Affine(0, ((slot, 1),)) if isinstance(slot, int) else slot
    labels = labels_of(slot)
    if any(isinstance(size, Poly) for size in (slot.offset, *(sizes[label] for label in labels))):
        raise NotSymbolic
    index = np.full(tuple(int(sizes[label]) for label in labels), int(slot.offset), np.intp)
    for axis, (label, stride) in enumerate(slot.strides):
        steps = np.arange(int(sizes[label]), dtype=np.intp) * int(stride)
        index += steps.reshape([-1 if k == axis else 1 for k in range(len(labels))])
    return Table(labels, constant(index))


def strided(coded: Sequence[Any], strides: Sequence[int], ndim: int) -> tuple[int, tuple[int, ...]] | None:
    """The byte offset and strides of a view that walks an array through slots; None if one is a table."""
    offset, steps = 0, [0] * ndim
    for slot, stride in zip(coded, strides, strict=True):
        if isinstance(slot, int):
            steps[slot] += stride
        elif isinstance(slot, Affine):
            offset += int(slot.offset) * stride
            for label, step in slot.strides:
                steps[label] += int(step) * stride
        else:
            return None
    return offset, tuple(steps)


def view(array: np.ndarray, coded: Sequence[Any], shape: tuple[int, ...]) -> np.ndarray | None:
    """The strided view `v[labels] = array[slots(labels)]`, or None where a slot is a table.

    A repeated label walks a diagonal, an affine slot a slice: this one view reads every gather
    without tables, and writes every wiring.
    """
    walk = strided(coded, array.strides, len(shape))
    if walk is None:
        return None
    if 0 in shape:
        return np.empty(shape, array.dtype)
    if array.flags.c_contiguous:
        return np.ndarray(shape, array.dtype, array, walk[0], walk[1])
    starts = (int(slot.offset) if isinstance(slot, Affine) else 0 for slot in coded)
    base = array[tuple(slice(start, start + 1) for start in starts)]
    return np.lib.stride_tricks.as_strided(base, shape, walk[1])


def gather(
    array: np.ndarray, coded: Sequence[Any], shape: tuple[int, ...], tables: Sequence[np.ndarray]
) -> np.ndarray:
    """`y[labels] = array[slots(labels)]`: a view without tables, else numpy's integer indexing."""
    seen = view(array, coded, shape)
    return seen if seen is not None else array[indices(coded, shape, tables)]


def indices(
    coded: Sequence[Any], shape: tuple[int, ...], tables: Sequence[np.ndarray]
) -> tuple[np.ndarray, ...]:
    """One integer array for each slot, broadcast against each other to `shape`."""

    def along(label: int, values: np.ndarray) -> np.ndarray:
        return values.reshape([-1 if k == label else 1 for k in range(len(shape))])

    def index(slot: Any) -> np.ndarray:
        if isinstance(slot, tuple):
            _, number, labels = slot
            order = sorted(range(len(labels)), key=labels.__getitem__)
            table = np.transpose(tables[number], order)
            return table.reshape([shape[k] if k in labels else 1 for k in range(len(shape))])
        strides = ((slot, 1),) if isinstance(slot, int) else slot.strides
        total = np.full((1,) * len(shape), 0 if isinstance(slot, int) else int(slot.offset), np.intp)
        for label, stride in strides:
            total = total + along(label, np.arange(shape[label]) * int(stride))
        return total

    return tuple(index(slot) for slot in coded)


class Equations:
    """Solves `slot = slot` one at a time into a substitution of slots for labels.

    `sizes` grows when an equation needs a new label (one for each pair of places that meet).
    """

    def __init__(self, sizes: Sequence[Size]) -> None:
        self.sizes: list[Size] = list(sizes)
        self.solution: dict[int, Slot] = {}

    def equate(self, left: Slot, right: Slot) -> None:
        """Makes `left` equal `right`; raises Disjoint or NotSymbolic."""
        left = substitute(left, self.solution, self.sizes)
        right = substitute(right, self.solution, self.sizes)
        if left == right:
            return
        if isinstance(left, int) and left not in labels_of(right):
            self._put(left, right)
        elif isinstance(right, int) and right not in labels_of(left):
            self._put(right, left)
        elif not (isinstance(left, Affine) and isinstance(right, Affine) and self._affine(left, right)):
            self._join(as_table(left, self.sizes), as_table(right, self.sizes))

    def _put(self, label: int, slot: Slot) -> None:
        for known, old in self.solution.items():
            self.solution[known] = substitute(old, {label: slot}, self.sizes)
        self.solution[label] = slot

    def _affine(self, left: Affine, right: Affine) -> bool:
        """Solves two affine slots without tables where it can; True when it has."""
        if not left.strides and not right.strides:
            if isinstance(left.offset, Poly) or isinstance(right.offset, Poly):
                raise NotSymbolic
            raise Disjoint
        if left.offset == right.offset and self._digits(left) == self._digits(right) is not None:
            for (a, _), (b, _) in zip(self._sorted(left), self._sorted(right), strict=True):
                self.equate(a, b)
            return True
        if len(left.strides) > 1 or len(right.strides) > 1 or _symbolic(left, right, self.sizes):
            return False
        if not left.strides or not right.strides:
            fixed, moving = (left, right) if not left.strides else (right, left)
            ((label, stride),) = moving.strides
            place, rest = divmod(int(fixed.offset) - int(moving.offset), int(stride))
            if rest or not 0 <= place < int(self.sizes[label]):
                raise Disjoint
            self._put(label, Affine(place))
            return True
        return self._overlap(left, right)

    def _overlap(self, left: Affine, right: Affine) -> bool:
        """`a + s i = b + s k`: i = k + (b - a) / s on the stretch that both reach."""
        ((i, stride),), ((k, other),) = left.strides, right.strides
        if stride != other or i == k:
            return False
        shift, rest = divmod(int(right.offset) - int(left.offset), int(stride))
        start = max(0, -shift)
        length = min(int(self.sizes[k]), int(self.sizes[i]) - shift) - start
        if rest or length <= 0:
            raise Disjoint
        if length == self.sizes[k]:
            self._put(i, affine(shift, [(k, 1)]))
        elif length == self.sizes[i]:
            self._put(k, affine(-shift, [(i, 1)]))
        else:
            new = self._new(length)
            self._put(k, affine(start, [(new, 1)]))
            self._put(i, affine(start + shift, [(new, 1)]))
        return True

    def _sorted(self, slot: Affine) -> list[tuple[int, Size]]:
        return sorted(slot.strides, key=lambda pair: (str(pair[1]), str(self.sizes[pair[0]])))

    def _digits(self, slot: Affine) -> list[tuple[Size, Size]] | None:
        """(stride, size) of each label, where different labels always give different indices."""
        pairs = [(stride, self.sizes[label]) for label, stride in self._sorted(slot)]
        ordered = sorted(pairs, key=lambda pair: (str(pair[0]) != "1", len(str(pair[0])), str(pair[0])))
        if all(isinstance(stride, int) for stride, _ in pairs):
            ordered = sorted(pairs, key=lambda pair: abs(int(pair[0])))
        reach: Size = 1
        for stride, size in ordered:
            if stride != reach and stride != -reach:
                return None
            reach = stride * size
        return pairs

    def _new(self, size: Size) -> int:
        self.sizes.append(size)
        return len(self.sizes) - 1

    def _join(self, left: Table, right: Table) -> None:
        """Pairs up the places where two written-out tables hold the same index."""
        if left.node.op != "constant" or right.node.op != "constant":
            raise NotSymbolic
        if set(left.labels) & set(right.labels):
            return self._join_shared(left, right)
        a, b = left.node.value.ravel(), right.node.value.ravel()
        order = np.argsort(b, kind="stable")
        low = np.searchsorted(b[order], a, "left")
        count = np.searchsorted(b[order], a, "right") - low
        places_a = np.repeat(np.arange(a.size), count)
        within = np.arange(places_a.size) - np.repeat(np.cumsum(count) - count, count)
        places_b = order[np.repeat(low, count) + within]
        if not places_a.size:
            raise Disjoint
        if places_a.size == a.size and (count == 1).all():
            self._place(right.labels, places_b.reshape(left.node.value.shape), left.labels)
        else:
            pair = self._new(int(places_a.size))
            self._place(left.labels, places_a, (pair,))
            self._place(right.labels, places_b, (pair,))
        return None

    def _join_shared(self, left: Table, right: Table) -> None:
        both = tuple(dict.fromkeys((*left.labels, *right.labels)))
        shape = tuple(int(self.sizes[label]) for label in both)
        order = {label: k for k, label in enumerate(both)}
        coded, tables = encode((left, right), order)
        a, b = indices(coded, shape, [table.value for table in tables])
        places = np.flatnonzero(np.broadcast_to(a, shape) == np.broadcast_to(b, shape))
        if not places.size:
            raise Disjoint
        if places.size != entries(shape):
            self._place(both, places, (self._new(int(places.size)),))

    def _place(self, labels: Sequence[int], places: np.ndarray, over: tuple[int, ...]) -> None:
        """Fixes `labels` at flat `places` (in C order over their sizes), read over other labels."""
        if not labels:
            return  # a fixed index has nothing left to choose
        shape = tuple(int(self.sizes[label]) for label in labels)
        for label, index in zip(labels, np.unravel_index(places, shape), strict=True):
            self._put(label, Table(over, constant(index)))


def _symbolic(left: Affine, right: Affine, sizes: Sequence[Size]) -> bool:
    parts: list[Size] = [left.offset, right.offset]
    for label, stride in (*left.strides, *right.strides):
        parts += [stride, sizes[label]]
    return any(isinstance(part, Poly) for part in parts)
