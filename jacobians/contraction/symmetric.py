"""Products in which one array stands twice, X^T D X: half of the matrix product is enough.

`find_symmetric(product, same)` recognises two patterns and gives their steps, after those that multiply all
other operands into one weight.  With a weight for each summed entry, a large product is one `gram` step, for
which BLAS computes one half and mirrors it; with several columns of weights a product that stays in the cache
is one `symmetric` step (a Hessian summed over samples: `sum_k X[k,m] X[k,n] W[k,r]`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from jacobians.contraction import trees
from jacobians.contraction.lowering import lower, view_of
from jacobians.contraction.paths import Path, find_path
from jacobians.contraction.product import Labels, Product
from jacobians.contraction.steps import Kind, Step, View

Maker = Callable[[tuple[int, ...], Any], Callable[[], np.ndarray] | None]

GRAM_SIZE = 384
"""Rows of the result from which one half, mirrored, beats the whole product (measured: 1.4 times at 500)."""

PAIR_TERMS, PAIR_ENTRIES = 16, 1 << 18
"""Summed terms from which pairs of rows pay, and entries of the pairs, or the result, up to which they do."""


@dataclass(frozen=True, slots=True)
class _Twice:
    """An array at places p and q: the labels of its two kinds of axes, the other places and their labels."""

    product: Product
    p: int
    q: int
    others: list[int]
    summed: Labels
    left: Labels
    right: Labels
    rest: Labels

    def entries(self, labels: Labels) -> int:
        return prod(self.product.sizes[x] for x in labels)


def find_symmetric(
    product: Product, same: tuple[tuple[int, int], ...]
) -> tuple[Path, tuple[Step, ...]] | None:
    """The path and steps of a symmetric product, or None where there is none or where it would not pay.

    `same` lists pairs of places that hold one and the same array. The two must agree in the labels K that are
    summed and share no others; the result carries exactly their other labels and those, R, that all other
    operands together carry beside K. The path and its cost are those of the whole product: what runs is less.
    """
    found = [twice for pair in same if (twice := _twice(product, *pair)) is not None]
    return next((made for find in (_gram, _pairs) for twice in found if (made := find(twice))), None)


def _twice(product: Product, p: int, q: int) -> _Twice | None:
    a, b = product.operands[p], product.operands[q]
    summed = tuple(x for x, y in zip(a, b, strict=False) if x == y)
    left, right = _without(a, summed), _without(b, summed)
    others = [k for k in range(len(product.operands)) if k not in (p, q)]
    weights = {x for k in others for x in product.operands[k]}
    rest = tuple(x for x in product.output if x not in (*left, *right))
    fits = (
        len(a) == len(b) == len(set(a)) == len(set(b))
        and not set(left) & set(right)
        and {*left, *right} <= set(product.output)
        and not set(summed) & set(product.output)
        and weights == ({*summed, *rest} if others else set())
        and product.scale == 1
    )
    return _Twice(product, p, q, others, summed, left, right, rest) if fits else None


def _without(labels: Labels, summed: Labels) -> Labels:
    return tuple(x for x in labels if x not in summed)


def _gram(twice: _Twice) -> tuple[Path, tuple[Step, ...]] | None:
    rows, terms = twice.entries(twice.left), twice.entries(twice.summed)
    if twice.rest or rows < GRAM_SIZE or 4 * terms < rows:
        return None
    product, p, count = twice.product, twice.p, len(twice.product.operands)
    tree: trees.Tree = []
    steps: tuple[Step, ...] = ()
    inputs, views = [p], [view_of(product, product.operands[p], (twice.summed, twice.left))]
    if twice.others:
        steps, weight, pairs = _weight(twice)
        tree = [*pairs, (count + len(pairs) - 1 if pairs else twice.others[0], p)]
        inputs.append(weight)
        views.append(View() if len(twice.summed) == 1 else View(shape=(terms,)))
    tree.append((count + len(tree) - 1 if tree else p, twice.q))
    path = find_path(product, trees.to_pairs(count, tree))
    return path, (*steps, _step("gram", twice, inputs, views, (rows, rows) if len(twice.left) > 1 else None))


def _pairs(twice: _Twice) -> tuple[Path, tuple[Step, ...]] | None:
    rows, terms, columns = map(twice.entries, (twice.left, twice.summed, twice.rest))
    half = terms * rows * (rows + 1) // 2
    largest = max(half, rows * rows * columns)
    if not twice.others or min(rows, columns) < 2 or terms < PAIR_TERMS or largest > PAIR_ENTRIES:
        return None
    path = find_path(twice.product)
    if 2 * columns < rows or path.cost.multiplications < half * (columns + 1):  # another order has less
        return None
    steps, weight, _ = _weight(twice)
    views = [
        view_of(twice.product, twice.product.operands[twice.p], (twice.left, twice.summed)),
        View() if len(twice.summed) == len(twice.rest) == 1 else View(shape=(terms, columns)),
    ]
    return path, (*steps, _step("symmetric", twice, [twice.p, weight], views, (rows * rows, columns)))


def _step(
    kind: Kind, twice: _Twice, inputs: list[int], views: list[View], made: tuple[int, ...] | None
) -> Step:
    """The last step, its result in the order of the product's output; `made` where axes were merged."""
    sizes, output = twice.product.sizes, twice.product.output
    labels = twice.left + twice.right + twice.rest
    return Step(
        kind,
        tuple(inputs),
        tuple(views),
        tuple(sizes[x] for x in output),
        made=made,
        result_shape=None if made is None else tuple(sizes[x] for x in labels),
        result_axes=None if labels == output else tuple(labels.index(x) for x in output),
    )


def _weight(twice: _Twice) -> tuple[tuple[Step, ...], int, trees.Tree]:
    """All other operands multiplied into one, summed labels first: the steps, its slot, the tree."""
    product, others, count = twice.product, twice.others, len(twice.product.operands)
    labels = twice.summed + twice.rest
    number = {x: k for k, x in enumerate(labels)}
    operands = tuple(tuple(number[x] for x in product.operands[k]) for k in others)
    weight = Product(operands, tuple(range(len(labels))), tuple(product.sizes[x] for x in labels))
    path = find_path(weight)
    place = others + [count + k for k in range(len(others) + 1)]
    tree = [(place[i], place[j]) for i, j in trees.to_tree(len(others), path.pairs)]
    steps = tuple(replace(step, inputs=tuple(place[k] for k in step.inputs)) for step in lower(weight, path))
    return steps, count + len(steps) - 1 if steps else others[0], tree


def symmetric(a: np.ndarray, w: np.ndarray, places: Sequence[np.ndarray | None] = (None,) * 4) -> np.ndarray:
    """`sum_k a[m,k] a[n,k] w[k,r]`, shape `(M M) x R`, from the pairs m <= n alone.

    An array so large or so small that its squares could leave the range of its type meets the weights first.
    `places` is memory for both rows of every pair, for their products with the weights, and for the result.

    >>> symmetric(np.array([[1, 2], [3, 4]]), np.array([[1, 0], [0, 1]])).tolist()
    [[1, 4], [3, 8], [3, 8], [9, 16]]
    """
    if a.dtype != w.dtype:
        a = a.astype(np.result_type(a, w), copy=False)
    if a.dtype.kind in "fc" and not _is_moderate(a):
        whole: np.ndarray = np.matmul(a, a[:, :, None] * w).reshape(-1, w.shape[1])
        return whole
    first, second, place = _places(len(a))
    one, other, found, out = places
    pairs = a.take(first, 0, one, "clip")
    pairs = np.multiply(pairs, a.take(second, 0, other, "clip"), pairs)
    result: np.ndarray = pairs.dot(w, found).take(place, 0, out, "clip")
    return result


def symmetric_over(maker: Maker) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """`symmetric` of one size over memory that is kept; the result is made by `maker(shape, dtype)()`."""
    waiting: list[Sequence[np.ndarray]] = []  # memory of calls that are done, of any thread
    new = lru_cache(1)(maker)

    def run(a: np.ndarray, w: np.ndarray) -> np.ndarray:
        if a.dtype != w.dtype:
            return symmetric(a, w)
        rows, terms = a.shape
        columns, out = w.shape[1], new((rows * rows, w.shape[1]), a.dtype)
        try:
            places = waiting.pop()
        except IndexError:
            pairs = rows * (rows + 1) // 2
            places = [np.empty((pairs, n), a.dtype) for n in (terms, terms, columns)]
        try:
            return symmetric(a, w, (*places, out and out()))
        finally:
            waiting.append(places)

    return run


def _is_moderate(a: np.ndarray) -> bool:
    """Whether the largest squares, and their products with what is moderate, are in the range of the type."""
    flat, (least, most) = a.ravel("K"), _range(a.dtype)
    return bool(least < abs(np.vdot(flat, flat)) < most)  # without numpy's warning of dot


@lru_cache(maxsize=16)
def _range(dtype: Any) -> tuple[float, float]:
    far = float(np.finfo(dtype).max) ** 0.5
    return 1 / far, far


@lru_cache(maxsize=64)
def _places(rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pairs m <= n of rows, and for all pairs, m n, which of these it is."""
    first, second = np.triu_indices(rows)
    place = np.empty((rows, rows), np.intp)
    place[first, second] = place[second, first] = np.arange(len(first))
    return first, second, place.ravel()
