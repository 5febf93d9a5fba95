"""What a contraction path costs, counted exactly before anything runs.

- `cost(product, pairs)` gives a `Cost`: multiplications, additions, flop, largest tensors, peak bytes, steps.
- `count(product, pairs)` gives the arithmetic alone, with nothing but + and *, so that sizes may be symbols.

The convention: a pairwise step whose operands carry the labels U costs prod(U) multiplications and
prod(U) - prod(result) additions; a one-operand step costs no multiplications and prod(operand) - prod(result)
additions (a diagonal counts once). A factor n of a label that no operand carries costs one multiplication an
entry of the tensor it is applied to. Views and axes of ones are free. flop = multiplications + additions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import mul
from typing import Any

from jacobians.contraction.product import Product
from jacobians.contraction.schedule import Move, schedule


@dataclass(frozen=True, slots=True)
class Count:
    """Arithmetic of a path: `multiplications`, `additions` and the entries of each step's result."""

    multiplications: Any
    additions: Any
    results: tuple[Any, ...]

    @property
    def flop(self) -> Any:
        """Multiplications plus additions."""
        return self.multiplications + self.additions


@dataclass(frozen=True, slots=True)
class Cost:
    """The counted cost of a contraction path; `a + b` is the cost of running a and then b.

    `multiplications`, `additions`, `flop` (both together, opt_einsum's unit): scalar operations.
    `steps`: steps that do arithmetic. `largest_result`: entries of the largest tensor a step makes, the
    result included; `largest_intermediate`: the same without the result. The fields in bytes say the same for
    the item size counted with, and `peak_bytes` is the most that is held at once: all operands, and every
    intermediate from the step that makes it to the step that uses it. Copies that bring an operand into the
    layout of a matrix product are not in it.
    """

    multiplications: int = 0
    additions: int = 0
    steps: int = 0
    largest_result: int = 0
    largest_intermediate: int = 0
    largest_result_bytes: int = 0
    largest_intermediate_bytes: int = 0
    peak_bytes: int = 0

    @property
    def flop(self) -> int:
        """Multiplications plus additions."""
        return self.multiplications + self.additions

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.multiplications + other.multiplications,
            self.additions + other.additions,
            self.steps + other.steps,
            max(self.largest_result, other.largest_result),
            max(self.largest_intermediate, other.largest_intermediate),
            max(self.largest_result_bytes, other.largest_result_bytes),
            max(self.largest_intermediate_bytes, other.largest_intermediate_bytes),
            max(self.peak_bytes, other.peak_bytes),
        )

    def __str__(self) -> str:
        return (
            f"{self.flop:,} flop ({self.multiplications:,} multiplications, {self.additions:,} additions) "
            f"in {self.steps} steps, largest intermediate {self.largest_intermediate:,}, "
            f"peak {self.peak_bytes:,} B"
        )


def volume(labels: Iterable[int], sizes: Sequence[Any]) -> Any:
    """The number of entries over these labels, by * alone."""
    return reduce(mul, [sizes[x] for x in labels]) if labels else 1


def _arithmetic(move: Move, sizes: Sequence[Any]) -> tuple[Any, Any]:
    """Multiplications and additions of one move."""
    if move.kind == "scale":
        return volume(move.result, sizes), 0
    if move.kind not in ("pair", "sum"):
        return 0, 0
    union, result = volume(move.labels, sizes), volume(move.result, sizes)
    # a sum over no terms (an axis of size 0) adds nothing, where the formula would say -prod(result)
    additions = 0 if len(move.labels) == len(move.result) or union == 0 else union + result * -1
    return (union if move.kind == "pair" else 0), additions


def count(product: Product, pairs: Iterable[tuple[int, int]], sizes: Sequence[Any] | None = None) -> Count:
    """The arithmetic of a path over `sizes[label]` (the product's own by default), which may be symbols.

    The sizes need + and *, with each other and with integers, and nothing else.

    >>> count(Product.parse("ij,j->i", (3, 4), (4,)), [(0, 1)])
    Count(multiplications=12, additions=9, results=(3,))
    """
    sizes = product.sizes if sizes is None else sizes
    moves = schedule(product, pairs)
    multiplications: Any = 0
    additions: Any = 0
    for move in moves:
        more, plus = _arithmetic(move, sizes)
        multiplications, additions = multiplications + more, additions + plus
    return Count(multiplications, additions, tuple(volume(move.result, sizes) for move in moves))


def cost(product: Product, pairs: Iterable[tuple[int, int]], itemsize: int = 8) -> Cost:
    """The cost of a path; `itemsize` is the number of bytes of an entry.

    >>> print(cost(Product.parse("ij,jk,k->i", (3, 4), (4, 5), (5,)), [(1, 2), (0, 1)]))
    57 flop (32 multiplications, 25 additions) in 2 steps, largest intermediate 4, peak 352 B
    """
    return cost_of(product, schedule(product, pairs), itemsize)


def cost_of(product: Product, moves: Sequence[Move], itemsize: int = 8) -> Cost:
    """The cost of a path that is scheduled already."""
    sizes = product.sizes
    entries = [int(volume(labels, sizes)) for labels in product.operands]
    given = len(entries)
    held = peak = sum(entries)
    multiplications = additions = 0
    made: list[int] = []
    for move in moves:
        more, plus = _arithmetic(move, sizes)
        multiplications, additions = multiplications + more, additions + plus
        made.append(int(volume(move.result, sizes)))
        entries.append(0 if move.kind in ("view", "ones") else made[-1])
        held += entries[-1]
        peak = max(peak, held)
        # a view keeps its base alive; it is only ever the last step
        held -= sum(entries[k] for k in move.inputs if k >= given)
    inner = [n for move, n in zip(moves, made, strict=True) if move is not moves[-1]]
    inner = inner[:-1] if moves and moves[-1].kind == "ones" else inner
    steps = sum(move.kind in ("pair", "sum", "scale") for move in moves)
    largest, between = max(made, default=0), max(inner, default=0)
    return Cost(
        multiplications,
        additions,
        steps,
        largest,
        between,
        largest * itemsize,
        between * itemsize,
        peak * itemsize,
    )
