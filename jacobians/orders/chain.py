"""Bracketing a chain of Jacobians: `bracket` finds the cheapest way to multiply J_n ... J_2 J_1.

Factor k has the shape d_k x d_{k-1}.  With F(i, j) the least cost of the dense product J_j ... J_{i+1},

    F(i, j) = min over k of  F(i, k) + F(k, j) + d_j d_k d_i          multiply two dense products
                             F(i, k) + d_i (w_{k+1} + ... + w_j)      JVPs: push the columns on, one by one
                             F(k, j) + d_j (w_{i+1} + ... + w_k)      VJPs: pull the rows back

where w_k is the work of one JVP or VJP with factor k, for factors that are cheaper to apply than their
dense matrix is.  Godbole (1973) has the first line; Naumann, "A matrix-free exact Newton method" and
"Matrix-free Jacobian chaining" (2024), the others.  `chain_order` is the same as an elimination order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from jacobians.errors import ShapeError

from .exact import cheapest, components
from .masks import Masks, State, bits

PRODUCT, JVP, VJP = 0, 1, 2
Integers = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Bracketing:
    """The cheapest way to multiply a chain: `cost` in multiplications, `order` and `text`.

    `order` lists the inner positions 1 to n - 1 of the chain (those of the seeds included) as they are
    eliminated; `text` shows the brackets, with jvp(...) and vjp(...) where factors are only applied.
    """

    sizes: tuple[int, ...]
    cost: int
    order: tuple[int, ...]
    text: str


def bracket(
    sizes: Sequence[int],
    *,
    work: Sequence[int] | None = None,
    local: Sequence[int] | None = None,
    left: int | None = None,
    right: int | None = None,
) -> Bracketing:
    """The cheapest bracketing of the chain whose values have the given `sizes`, from input to output.

    `work[k]` is the number of multiplications of one JVP or VJP with factor k (without it all factors are
    dense and given), `local[k]` what its dense matrix costs (0, or with `work` that of one JVP a column or
    one VJP a row).  `left` is the number of rows of a seed that multiplies the chain from the output's side,
    `right` the number of columns of one on the input's side.  Takes O(n^3) steps and O(n^2) memory.

    >>> bracket([10, 30, 5, 60]).text, bracket([10, 30, 5, 60]).cost
    ('J3 (J2 J1)', 4500)
    >>> bracket([100, 100, 100], left=1).text         # a gradient: from the left
    '(U J2) J1'
    """
    dims, weights, costs, names = _with_seeds(sizes, work, local, left, right)
    table = _Chain(dims, weights, costs)
    steps = table.splits()
    order = tuple(v for step in steps for v in _eliminated(*step))
    return Bracketing(tuple(dims), table.cost(), order, _text(steps, names))


def _with_seeds(
    sizes: Sequence[int],
    work: Sequence[int] | None,
    local: Sequence[int] | None,
    left: int | None,
    right: int | None,
) -> tuple[list[int], list[int] | None, list[int], list[str]]:
    """Sizes, work, cost and name of each factor, the seeds being factors like the others."""
    dims, count = list(sizes), len(sizes) - 1
    _check(dims, work, local, left, right)
    weights = list(work) if work is not None else None
    if local is not None:
        costs = list(local)
    else:
        costs = [min(dims[k], dims[k + 1]) * w for k, w in enumerate(work or [0] * count)]
    names = [f"J{k + 1}" for k in range(count)]
    if right is not None:
        weights = [right * dims[0], *weights] if weights is not None else None
        dims, costs, names = [right, *dims], [0, *costs], ["V", *names]
    if left is not None:
        weights = [*weights, left * dims[-1]] if weights is not None else None
        dims, costs, names = [*dims, left], [*costs, 0], [*names, "U"]
    return dims, weights, costs, names


def _check(
    dims: list[int],
    work: Sequence[int] | None,
    local: Sequence[int] | None,
    left: int | None,
    right: int | None,
) -> None:
    """Raise a ShapeError unless sizes, work and seeds make a chain."""
    if len(dims) < 2:
        raise ShapeError("a chain has at least two sizes", f"sizes: {dims}", "bracket([4, 3])")
    given = dims + [size for size in (left, right) if size is not None]
    if min(given) < 1:
        raise ShapeError("sizes in a chain are at least 1", f"sizes and seeds: {given}", "")
    for name, numbers in (("work", work), ("local", local)):
        if numbers is not None and len(numbers) != len(dims) - 1:
            raise ShapeError(
                f"{name} has {len(numbers)} numbers for {len(dims) - 1} factors",
                f"sizes: {dims}",
                "one number for each pair of neighbouring sizes",
            )


@dataclass(slots=True)
class _Chain:
    """The table of the recursion, one diagonal (products of equally many factors) after another."""

    dims: list[int]
    work: list[int] | None
    local: list[int]
    starting: Integers = field(init=False)  # [i, l]: the product of the l factors from position i on
    ending: Integers = field(init=False)  # [j, l]: the product of the l factors up to position j
    choice: Integers = field(init=False)  # [i, l]: 3 * (k - i) + the kind of step

    def __post_init__(self) -> None:
        n = len(self.dims) - 1
        # Machine integers where no cost can overflow them, else Python's own.
        most = (n + 1) * max(self.dims) ** 3 + n * max(self.dims) * max(self.work or [0]) + sum(self.local)
        kind = np.int64 if most < 2**61 else object
        self.starting = np.zeros((n + 1, n + 1), dtype=kind)
        self.ending = np.zeros((n + 1, n + 1), dtype=kind)
        self.choice = np.zeros((n + 1, n + 1), dtype=np.int64)
        self.starting[:n, 1] = self.ending[1:, 1] = np.array(self.local, dtype=kind)
        dims = np.array(self.dims, dtype=kind)
        total = np.cumsum(np.array([0, *(self.work or [0] * n)], dtype=kind))
        for length in range(2, n + 1):
            self._diagonal(length, dims, total)

    def cost(self) -> int:
        """The least cost of the whole chain."""
        return int(self.starting[0, len(self.dims) - 1])

    def _diagonal(self, length: int, dims: Integers, total: Integers) -> None:
        """Fill in the products of `length` factors, all starts i and all splits k at once."""
        n = len(dims) - 1
        rows = np.arange(n - length + 1)
        first, last = dims[: n - length + 1, None], dims[length:, None]
        low = self.starting[: n - length + 1, 0 : length + 1]  # F(i, k) for k = i ... j
        high = self.ending[length:, length::-1]  # F(k, j)
        products = (first * last) * sliding_window_view(dims[1:-1], length - 1)
        products += low[:, 1:-1]  # in place: the time goes to memory
        products += high[:, 1:-1]
        options = [products]
        if self.work is not None:
            done = sliding_window_view(total, length + 1)
            options.append((low + first * (done[:, -1:] - done))[:, :-1])
            options.append((high + last * (done - done[:, :1]))[:, 1:])
        splits = [option.argmin(axis=1) for option in options]
        costs = np.stack([option[rows, k] for option, k in zip(options, splits, strict=True)])
        kinds = costs.argmin(axis=0)
        k = np.stack(splits)[kinds, rows] + np.array([1, 0, 1])[kinds]
        self.starting[rows, length] = self.ending[rows + length, length] = costs[kinds, rows]
        self.choice[rows, length] = 3 * k + kinds

    def splits(self) -> list[tuple[int, int, int, int]]:
        """The steps (i, k, j, kind) of the cheapest way, those that a step builds on before it."""
        todo, steps = [(0, len(self.dims) - 1)], list[tuple[int, int, int, int]]()
        while todo:
            i, j = todo.pop()
            if j - i > 1:
                split, kind = divmod(int(self.choice[i, j - i]), 3)
                k = i + split
                steps.append((i, k, j, kind))
                todo += [(i, k)] * (kind != VJP) + [(k, j)] * (kind != JVP)
        return steps[::-1]


def _eliminated(i: int, k: int, j: int, kind: int) -> list[int]:
    """The positions that one step of a bracketing eliminates, in order."""
    if kind == PRODUCT:
        return [k]
    return list(range(max(k, i + 1), j)) if kind == JVP else list(range(min(k, j - 1), i, -1))


def _text(steps: list[tuple[int, int, int, int]], names: list[str]) -> str:
    """The steps of a bracketing as one formula."""
    texts = {(i, i + 1): name for i, name in enumerate(names)}
    for i, k, j, kind in steps:
        high, low = texts.get((k, j), ""), texts.get((i, k), "")
        if kind == PRODUCT:
            texts[i, j] = f"{_bracketed(high)} {_bracketed(low)}"
        elif kind == JVP:
            texts[i, j] = f"jvp({', '.join(filter(None, (' '.join(names[k:j][::-1]), low)))})"
        else:
            texts[i, j] = f"vjp({', '.join(filter(None, (high, ' '.join(names[i:k][::-1]))))})"
    return texts[0, len(names)]


def _bracketed(text: str) -> str:
    """`text` in brackets if it is a product."""
    return f"({text})" if " " in text and not text.startswith(("jvp", "vjp")) else text


def branching(masks: Masks) -> int:
    """The first vertex to eliminate with several predecessors or successors, -1 if the graph is a chain."""
    ways = (max(masks.pred[v].bit_count(), masks.succ[v].bit_count()) for v in range(masks.count))
    return next((v for v, most in enumerate(ways) if most > 1), -1)


def chain_order(masks: Masks, rule: str) -> list[int]:
    """The cheapest elimination order of a graph without `branching`: of a chain, or of several."""
    state = State(masks, rule)
    if rule == "unit-free":  # what a bracket costs there depends on more than sizes
        return cheapest(state, masks.eliminable)[1]
    sizes = masks.sizes if rule == "dense" else (1,) * len(masks.sizes)
    return [v for part in components(state, masks.eliminable) for v in _part_order(masks, part, sizes)]


def _part_order(masks: Masks, part: int, sizes: Sequence[int]) -> list[int]:
    """The order within one chain; an end that leads nowhere makes every order free."""
    inner = list(bits(part))
    before, after = masks.pred[inner[0]], masks.succ[inner[-1]]
    if not before or not after:
        return inner if not before else inner[::-1]
    path = [before.bit_length() - 1, *inner, after.bit_length() - 1]
    return [inner[k - 1] for k in bracket([sizes[v] for v in path]).order]
