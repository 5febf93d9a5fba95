"""Random slots, Terms and arrays for the laws of wiring and Terms, with brute-force meanings.

Everything is small and integer-valued, so that two ways to the same tensor agree exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product as places
from typing import Any

import numpy as np
from hypothesis import strategies as st

from jacobians.expr import Node, constant
from jacobians.terms import Term, TermSum, canonical
from jacobians.wiring import Affine, Slot, Table, affine

Draw = st.DrawFn


def value_of(slot: Slot, point: Sequence[int]) -> int:
    """The index that a slot stands for, its labels having the values of `point`."""
    if isinstance(slot, int):
        return point[slot]
    if isinstance(slot, Affine):
        return int(slot.offset) + sum(int(stride) * point[label] for label, stride in slot.strides)
    return int(slot.node.value[tuple(point[label] for label in slot.labels)])


def points(sizes: Sequence[int]) -> Any:
    """Every assignment of values to labels."""
    return places(*(range(n) for n in sizes))


@st.composite
def affine_slots(draw: Draw, n: int, labels: Sequence[int], sizes: Sequence[int]) -> Affine:
    """An affine slot over some of the labels that stays within an axis of size n."""
    strides: list[tuple[int, int]] = []
    low = high = 0
    for label in draw(st.lists(st.sampled_from(labels), max_size=2, unique=True)):
        room = n - 1 - (high - low)
        reach = sizes[label] - 1
        most = room // reach if reach else 3
        stride = draw(st.integers(-most, most))
        low, high = low + min(0, stride * reach), high + max(0, stride * reach)
        strides.append((label, stride))
    offset = draw(st.integers(-low, n - 1 - high))
    return affine(offset, strides)


def merged(labels: Sequence[int], sizes: Sequence[int]) -> tuple[Affine, int]:
    """The slot of merged axes, `p = n i + j`, and the size of the merged axis."""
    step, strides = 1, []
    for label in reversed(labels):
        strides.append((label, step))
        step *= sizes[label]
    return affine(0, strides), step


@st.composite
def table_slots(draw: Draw, n: int, labels: Sequence[int], sizes: Sequence[int]) -> Table:
    """A table over up to two labels with indices into an axis of size n."""
    chosen = tuple(draw(st.lists(st.sampled_from(labels), max_size=2, unique=True)))
    shape = tuple(sizes[label] for label in chosen)
    count = int(np.prod(shape))
    flat = draw(st.lists(st.integers(0, n - 1), min_size=count, max_size=count))
    return Table(chosen, constant(np.array(flat, np.intp).reshape(shape)))


@st.composite
def slots(draw: Draw, n: int, labels: Sequence[int], sizes: Sequence[int]) -> Slot:
    """Any slot over the labels for an axis of size n: a label, affine, a merge of labels, a table."""
    kinds = ["affine", "affine", "table"]
    whole = [label for label in labels if sizes[label] == n]
    pairs = [(a, b) for a in labels for b in labels if a != b and sizes[a] * sizes[b] == n]
    kinds += ["label"] * 3 * bool(whole) + ["merge"] * 3 * bool(pairs)
    match draw(st.sampled_from(kinds)):
        case "label":
            return draw(st.sampled_from(whole))
        case "merge":
            return merged(draw(st.sampled_from(pairs)), sizes)[0]
        case "table":
            return draw(table_slots(n, labels, sizes))
    return draw(affine_slots(n, labels, sizes))


def array(draw: Draw, shape: tuple[int, ...]) -> np.ndarray:
    """Small whole numbers as floats, reproducible from one drawn seed."""
    seed = draw(st.integers(0, 2**16))
    return np.random.default_rng(seed).integers(-3, 4, size=shape).astype(float)


def leaf(value: np.ndarray) -> Node:
    """A factor that holds its array."""
    return Node("variable", (), None, value.shape, value.dtype, None, value)


@st.composite
def terms(draw: Draw, target: tuple[int, ...], given: tuple[int, ...], kinds: str = "all") -> Term:
    """A random Term `target x input`: deltas, selections, sums, repeated labels, up to three factors."""
    sizes = [draw(st.sampled_from((*target, *given, 2, 3))) for _ in range(draw(st.integers(1, 4)))]
    labels = range(len(sizes))
    made = []
    for n in (*target, *given):
        if kinds == "labels" and n not in sizes:
            sizes.append(n)
            labels = range(len(sizes))
        choices = [label for label in labels if sizes[label] == n]
        made.append(draw(st.sampled_from(choices)) if kinds == "labels" else draw(slots(n, labels, sizes)))
    factors = []
    for _ in range(draw(st.integers(0, 3))):
        carried = tuple(draw(st.lists(st.sampled_from(labels), max_size=3)))
        factors.append((leaf(array(draw, tuple(sizes[label] for label in carried))), carried))
    split = len(target)
    return canonical(draw(st.sampled_from([1, -1, 2])), factors, made[:split], made[split:], sizes)


@st.composite
def sums(
    draw: Draw, target: tuple[int, ...], given: tuple[int, ...], kinds: str = "all", most: int = 3
) -> TermSum:
    """A random Jacobian of up to `most` Terms (none: zero)."""
    count = draw(st.integers(0, most))
    return TermSum(target, given, tuple(draw(terms(target, given, kinds)) for _ in range(count)))


shapes = st.lists(st.sampled_from([1, 2, 3, 4, 6]), max_size=2).map(tuple)


def brute(whole: TermSum) -> np.ndarray:
    """The dense tensor by its meaning: a loop over the values of every label."""
    dense = np.zeros(whole.shape)
    for t in whole.terms:
        for point in points(t.sizes):
            weight = t.coefficient
            for node, carried in t.factors:
                weight = weight * node.value[tuple(point[label] for label in carried)]
            dense[tuple(value_of(slot, point) for slot in (*t.target, *t.input))] += weight
    return dense
