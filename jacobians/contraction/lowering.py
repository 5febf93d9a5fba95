"""From a contraction path to numpy calls: which matrix product each step is, and how its operands must lie.

`lower(product, path)` gives the list of `Step`s. A pairwise step with nothing to sum is a broadcasting
multiplication. Any other is a matrix product: its labels are batch (in both and kept), M and N (in one), K
(summed); each of M, K and N must be one axis, which is free where its labels are neighbours in memory. Where
they are not, leading labels are looped over by `np.matmul`'s stacks, which copies nothing, before a copy is
accepted; the order of K is the one that copies less. Many tiny products whose batch axis is innermost in
memory run in `np.einsum`'s C loop, where BLAS would be called once an item.

Operands are taken to be C-contiguous; other memory orders give the same result, perhaps with a copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import prod

from jacobians.contraction.paths import Path
from jacobians.contraction.product import Labels, Product, letter
from jacobians.contraction.schedule import Move
from jacobians.contraction.steps import Shape, Step, View

EINSUM_WORK = 512
"""Multiplications an item up to which np.einsum beats BLAS, batch axis innermost (measured)."""

LOOP_ENTRIES = 64
"""Entries an item from which a loop over BLAS calls beats copying the operand (measured)."""

OUTER_ENTRIES, OUTER_ROW = 1 << 12, 1 << 11
"""From so many entries, in rows this short, np.einsum is the faster outer product (measured: 2 times)."""

COPY_ENTRIES = 1 << 12
"""Entries from which np.einsum beats a copy and a product of a matrix and a vector (measured)."""

COPY_WORK = 1 << 15
"""Multiplications an item from which a copy beats numpy's own loop on a matrix without a contiguous axis."""

REUSE_ENTRIES = 1 << 12
"""Entries from which overwriting an intermediate beats allocating a new array."""


@dataclass(slots=True)
class _Slot:
    """A tensor at planning time: its axes' labels (repeated for a diagonal) and a stride for each label."""

    labels: Labels
    strides: dict[int, int]
    owned: bool = False


def lower(product: Product, path: Path) -> tuple[Step, ...]:
    """The steps of a path; no steps where the product is its only operand unchanged.

    >>> from jacobians.contraction import find_path
    >>> product = Product.parse("ij,j,jk->ik", (2, 3), (3,), (3, 4))
    >>> [s.kind for s in lower(product, find_path(product))]
    ['multiply', 'dot']
    """
    return _Lowering(product).run(path.moves)


def view_of(product: Product, labels: Labels, groups: Sequence[Labels]) -> View:
    """The view of an operand with these labels that has one axis for every group of labels."""
    plan = _Lowering(product)
    return plan._view(plan._slot(labels), groups)


class _Lowering:
    def __init__(self, product: Product) -> None:
        self.product = product
        self.sizes = product.sizes
        self.core = tuple(x for x in product.output if x in product.carried)
        self.slots = [self._slot(labels) for labels in product.operands]
        self.steps: list[Step] = []
        self.ahead: frozenset[int] = frozenset()  # the labels that the reader of the next slot sums

    def run(self, moves: Sequence[Move]) -> tuple[Step, ...]:
        tail = len(moves)
        while tail and moves[tail - 1].kind in ("ones", "scale"):
            tail -= 1
        for k, move in enumerate(moves):
            order = self.core if k >= tail - 1 else None
            slots = [self.slots[i] for i in move.inputs]
            if move.kind == "pair":
                self.ahead = _summed_next(moves[k + 1 :], len(self.slots))
                step, slot = self._pair(move, slots[0], slots[1], order)
            else:
                step, slot = self._single(move, slots, order)
            self.steps.append(step)
            self.slots.append(slot)
        return tuple(self.steps)

    def _slot(self, labels: Labels, owned: bool = False) -> _Slot:
        strides: dict[int, int] = {}
        step = 1
        for x in reversed(labels):
            strides[x] = strides.get(x, 0) + step
            step *= self.sizes[x]
        return _Slot(labels, strides, owned)

    def _shape(self, labels: Iterable[int]) -> Shape:
        return tuple(self.sizes[x] for x in labels)

    def _single(self, move: Move, slots: list[_Slot], order: Labels | None) -> tuple[Step, _Slot]:
        result = move.result if order is None or move.kind == "ones" else order
        shape = self._shape(result)
        if move.kind == "fill":
            return Step("fill", (), (), shape, number=self.product.scale), self._slot(())
        (slot,) = slots
        if move.kind == "sum":
            return self._sum(move, slot, result, shape)
        if move.kind == "ones":
            there = [(x,) if x in slot.strides else () for x in result]
            view = self._view(slot, there)
            return Step("ones", move.inputs, (view,), shape, result_shape=shape), _Slot(result, {})
        view = self._view(slot, [(x,) for x in result])
        number = self.product.scale if move.kind == "scale" else 1
        step = Step("scale" if move.kind == "scale" else "view", move.inputs, (view,), shape, number=number)
        return step, _Slot(result, slot.strides, owned=move.kind == "scale")

    def _sum(self, move: Move, slot: _Slot, result: Labels, shape: Shape) -> tuple[Step, _Slot]:
        there, view = _diagonals(slot.labels)
        axes = tuple(k for k, x in enumerate(there) if x not in result)
        made = tuple(x for x in there if x in result)
        step = Step("sum", move.inputs, (view,), shape, axes=axes, result_axes=_order(made, result))
        return step, replace(self._slot(made, owned=True), labels=result)

    def _pair(self, move: Move, a: _Slot, b: _Slot, order: Labels | None) -> tuple[Step, _Slot]:
        kept = set(move.result)
        if all(x in kept for x in move.labels):
            return self._multiply(move, a, b, order)
        return _Matrices(self, move, a, b, order).step()

    def _multiply(self, move: Move, a: _Slot, b: _Slot, order: Labels | None) -> tuple[Step, _Slot]:
        large, small = (a, b) if len(a.strides) > len(b.strides) else (b, a)
        result = order
        if result is None:
            mine = _by_stride(large, large.strides)
            result = tuple(x for x in _by_stride(small, small.strides) if x not in large.strides) + mine
        partial = len(a.strides) < len(result) and len(b.strides) < len(result)
        if partial and order is None:  # all written anew: what is summed next stands together, in front
            result = tuple(sorted(result, key=lambda x: x not in self.ahead))
        shape = self._shape(result)
        if partial and prod(shape) >= OUTER_ENTRIES and shape[-1] <= OUTER_ROW:
            return self._einsum(move, (a.labels, b.labels), result)
        views = tuple(self._broadcast(slot, result) for slot in (a, b))
        reuse = next((k for k, s in enumerate((a, b)) if s.owned and s.labels == result), None)
        step = Step(
            "multiply", move.inputs, views, shape, reuse=reuse if prod(shape) >= REUSE_ENTRIES else None
        )
        return step, self._slot(result, owned=True)

    def _einsum(self, move: Move, labels: Sequence[Labels], result: Labels) -> tuple[Step, _Slot]:
        names = {x: letter(k) for k, x in enumerate(move.labels)}
        terms = ["".join(names[x] for x in term) for term in (*labels, result)]
        equation = f"{terms[0]},{terms[1]}->{terms[2]}"
        step = Step("einsum", move.inputs, (View(), View()), self._shape(result), equation=equation)
        return step, self._slot(result, owned=True)

    def _broadcast(self, slot: _Slot, result: Labels) -> View:
        """The operand with its axes in the result's order, of size 1 where it lacks one in between."""
        first = next((k for k, x in enumerate(result) if x in slot.strides), len(result))
        return self._view(slot, [(x,) if x in slot.strides else () for x in result[first:]])

    def _view(self, slot: _Slot, groups: Sequence[Labels], contiguous: bool = False) -> View:
        """The operand with one axis for every group of labels, of size 1 for an empty group."""
        there, view = _diagonals(slot.labels)
        wanted = tuple(x for group in groups for x in group)
        merged = any(len(group) != 1 for group in groups)
        full = [group for group in groups if group]
        return View(
            view.diagonals,
            _order(there, wanted),
            tuple(prod(self._shape(group)) for group in groups) if merged else None,
            tuple(k for k, group in enumerate(groups) if not group) if len(wanted) == len(full) else (),
            contiguous,
        )

    def _is_run(self, slot: _Slot, group: Labels) -> bool:
        """Whether the labels, in this order, are one axis without a copy."""
        group = tuple(x for x in group if self.sizes[x] != 1)
        return all(slot.strides[x] == slot.strides[y] * self.sizes[y] for x, y in pairwise(group))

    def _is_unit(self, slot: _Slot, group: Labels) -> bool:
        """Whether the last of the labels is contiguous, or none is longer than 1."""
        group = tuple(x for x in group if self.sizes[x] != 1)
        return not group or slot.strides[group[-1]] == 1


@dataclass(slots=True)
class _Side:
    """One operand of a matrix product: labels looped over, labels of its own axis, entries to be copied."""

    loops: Labels
    own: Labels
    copied: int


class _Matrices:
    """A pairwise step that sums, as a matrix product."""

    def __init__(self, plan: _Lowering, move: Move, a: _Slot, b: _Slot, order: Labels | None) -> None:
        kept = set(move.result)
        self.plan, self.move, self.order = plan, move, order
        self.a, self.b = a, b
        shared = [x for x in a.strides if x in b.strides]
        self.batch = tuple(x for x in shared if x in kept)
        self.summed = tuple(x for x in shared if x not in kept)

    def step(self) -> tuple[Step, _Slot]:
        if self._many_tiny():
            return self._einsum()
        candidates = dict.fromkeys((_by_stride(self.a, self.summed), _by_stride(self.b, self.summed)))
        options = [(k, self._side(self.a, k), self._side(self.b, k)) for k in candidates]
        summed, left, right = min(options, key=lambda option: option[1].copied + option[2].copied)
        vector = self._is_vector(left) or self._is_vector(right)
        if vector and left.copied + right.copied >= COPY_ENTRIES:
            return self._einsum()  # reads each entry once, where the copy would read and write it first
        loops = self._batch_order() + left.loops + right.loops
        order = self.order
        if order is not None and order == loops + right.own + left.own != loops + left.own + right.own:
            self.a, self.b, left, right = self.b, self.a, right, left
            self.move = replace(self.move, inputs=self.move.inputs[::-1])
        made = loops + left.own + right.own
        if loops:
            return self._finish("matmul", self._stacks(loops, left, right, summed), loops, left, right)
        views = (
            self.plan._view(self.a, [g for g in (left.own, summed) if g is summed or g]),
            self.plan._view(self.b, [g for g in (summed, right.own) if g is summed or g]),
        )
        return self._finish("dot", views, loops, left, right) if made else self._scalar(views)

    def _scalar(self, views: tuple[View, View]) -> tuple[Step, _Slot]:
        return Step("dot", self.move.inputs, views, ()), self.plan._slot(())

    def _batch_order(self) -> Labels:
        if self.order is not None:
            return tuple(x for x in self.order if x in self.batch)
        return _by_stride(self.a, self.batch)

    def _stacks(self, loops: Labels, left: _Side, right: _Side, summed: Labels) -> tuple[View, View]:
        sizes = self.plan
        heavy = prod(sizes._shape(left.own + summed + right.own)) >= COPY_WORK
        views = []
        for slot, groups in ((self.a, [left.own, summed]), (self.b, [summed, right.own])):
            first = next((k for k, x in enumerate(loops) if x in slot.strides), len(loops))
            stack: list[Labels] = [(x,) if x in slot.strides else () for x in loops[first:]]
            blas = any(sizes._is_unit(slot, group) for group in groups)
            views.append(sizes._view(slot, [*stack, *groups], contiguous=heavy and not blas))
        return views[0], views[1]

    def _finish(
        self, kind: str, views: tuple[View, View], loops: Labels, left: _Side, right: _Side
    ) -> tuple[Step, _Slot]:
        made = loops + left.own + right.own
        groups = (left.own, right.own)
        merged = any(len(g) != 1 for g in groups) if loops else any(len(g) > 1 for g in groups)
        result = made if self.order is None else self.order
        shape = self.plan._shape(result)
        inner = self.plan._shape(loops) + tuple(prod(self.plan._shape(g)) for g in groups if loops or g)
        step = Step(
            "matmul" if kind == "matmul" else "dot",
            self.move.inputs,
            views,
            shape,
            made=inner if merged else None,
            result_shape=self.plan._shape(made) if merged else None,
            result_axes=_order(made, result),
        )
        return step, replace(self.plan._slot(made, owned=True), labels=result)

    def _side(self, slot: _Slot, summed: Labels) -> _Side:
        """Loops and own axis of an operand: the fewest leading loops without a copy, else a copy."""
        plan = self.plan
        own = _by_stride(slot, (x for x in slot.strides if x not in self.summed and x not in self.batch))
        if plan._is_run(slot, summed):
            for k in range(len(own) + 1):
                loops, rest = own[:k], own[k:]
                entries = prod(plan._shape(rest + summed))
                if k and entries < LOOP_ENTRIES:
                    break
                blas = plan._is_unit(slot, rest) or plan._is_unit(slot, summed)
                if plan._is_run(slot, rest) and (blas or bool(self.batch)):
                    return _Side(loops, rest, 0)
        return _Side((), own, prod(plan._shape(slot.strides)))

    def _is_vector(self, side: _Side) -> bool:
        """Whether M, or N, is 1."""
        return prod(self.plan._shape(side.loops + side.own)) == 1

    def _unit_batch(self) -> int | None:
        """The batch label that is contiguous in both operands."""
        ones = [x for x in self.batch if self.a.strides[x] == self.b.strides[x] == 1]
        return next((x for x in ones if self.plan.sizes[x] > 1), None)

    def _many_tiny(self) -> bool:
        """Whether np.einsum's loop over a batch axis innermost in memory beats a BLAS call an item."""
        rest = [prod(self.plan._shape(x for x in s.strides if x not in self.batch)) for s in (self.a, self.b)]
        summed = prod(self.plan._shape(self.summed))
        if not summed or self._unit_batch() is None:
            return False
        m, n = rest[0] // summed, rest[1] // summed
        return min(m, n) == 1 or m * n * summed <= EINSUM_WORK

    def _einsum(self) -> tuple[Step, _Slot]:
        result = self.order
        if result is None:
            innermost = self._unit_batch()
            result = tuple(sorted(self.move.result, key=lambda x: x == innermost))
        return self.plan._einsum(self.move, (self.a.labels, self.b.labels), result)


def _summed_next(moves: Iterable[Move], slot: int) -> frozenset[int]:
    """The labels that the first of the moves to read a slot sums."""
    reader = next((move for move in moves if slot in move.inputs), None)
    return frozenset(set(reader.labels).difference(reader.result) if reader else ())


def _by_stride(slot: _Slot, labels: Iterable[int]) -> Labels:
    """The labels from outermost to innermost in memory."""
    return tuple(sorted(labels, key=lambda x: -slot.strides[x]))


def _order(there: Labels, wanted: Labels) -> tuple[int, ...] | None:
    """The axis order that brings the labels there into the wanted order; None where they are in it."""
    return None if there == wanted else tuple(there.index(x) for x in wanted)


def _diagonals(labels: Labels) -> tuple[Labels, View]:
    """Axis labels after taking the diagonal of every repeated label, and the view that takes it."""
    there, pairs = list(labels), []
    while len(set(there)) < len(there):
        label = next(x for x in there if there.count(x) > 1)
        first = there.index(label)
        second = there.index(label, first + 1)
        there.pop(second), there.pop(first)
        there.append(label)
        pairs.append((first, second))
    return tuple(there), View(tuple(pairs))
