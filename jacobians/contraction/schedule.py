"""A contraction path spelled out: which labels each step joins and which it sums.

`schedule(product, pairs)` turns a path into a straight list of `Move`s over slots: slots 0 .. n-1 are the
operands and every move appends one. Costs (`cost.py`) and numpy calls (`lowering.py`) are both read off this
list, so what is counted is what runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from jacobians.contraction.product import Labels, Product
from jacobians.errors import JacobiansError

Pairs = tuple[tuple[int, int], ...]
MoveKind = Literal["sum", "view", "pair", "scale", "ones", "fill"]


@dataclass(frozen=True, slots=True)
class Move:
    """One step: the slots it reads, the distinct labels they carry together, and the labels of its result.

    `sum` drops labels of one operand; `view` only rearranges one; `pair` multiplies two and sums what nobody
    else needs; `scale` multiplies by the factor n of labels that no operand carries; `ones` adds broadcast
    axes; `fill` is the number that a product without operands is.
    """

    kind: MoveKind
    inputs: Labels
    labels: Labels
    result: Labels


def kept_labels(product: Product) -> tuple[Labels, ...]:
    """Per operand the distinct labels left after summing those that it alone carries and the output does not.

    >>> kept_labels(Product.parse("iik,kj->j", (2, 2, 3), (3, 4)))
    ((1,), (1, 2))
    """
    holders = Counter(x for labels in product.operands for x in set(labels))
    wanted = set(product.output)
    return tuple(
        tuple(x for x in dict.fromkeys(labels) if holders[x] > 1 or x in wanted)
        for labels in product.operands
    )


def schedule(product: Product, pairs: Iterable[tuple[int, int]]) -> tuple[Move, ...]:
    """The moves of a contraction path.

    `pairs` are positions in the list of what is left, the two removed and their product appended, as
    numpy's and opt_einsum's paths are written. An operand's private summed labels are summed right before
    its first use. Raises `JacobiansError` where the pairs do not contract everything into one tensor.

    >>> [m.kind for m in schedule(Product.parse("ij,j,kl->i", (2, 3), (3,), (4, 5)), [(0, 1), (0, 1)])]
    ['pair', 'sum', 'pair']
    """
    return _Scheduler(product).run(list(pairs))


class _Scheduler:
    def __init__(self, product: Product) -> None:
        self.product = product
        self.kept = kept_labels(product)
        self.wanted = set(product.output)
        self.holders = Counter(x for labels in self.kept for x in labels)
        self.labels: list[Labels] = list(product.operands)
        self.moves: list[Move] = []
        self.core = tuple(x for x in product.output if x in product.carried)
        self.scale_at = self._scale_place() if product.scale_labels and product.scale != 1 else None

    def run(self, pairs: Sequence[tuple[int, int]]) -> tuple[Move, ...]:
        count = len(self.product.operands)
        left = list(range(count))
        for pair in pairs:
            self._check(pair, left, pairs)
            i, j = sorted(pair)
            b, a = left.pop(j), left.pop(i)
            left.append(self._join(self._prepare(a), self._prepare(b)))
        if len(left) > 1:
            raise _misfit(pairs, f"{len(left)} tensors are left uncontracted")
        self._finish(left[0] if left else self._append("fill", (), ()))
        return tuple(self.moves)

    def _check(self, pair: tuple[int, int], left: list[int], pairs: Sequence[tuple[int, int]]) -> None:
        if len(pair) != 2 or pair[0] == pair[1] or not all(0 <= k < len(left) for k in pair):
            raise _misfit(pairs, f"{tuple(pair)} are not two places among {len(left)} tensors")

    def _append(self, kind: MoveKind, inputs: Labels, result: Labels) -> int:
        union = tuple(dict.fromkeys(x for k in inputs for x in self.labels[k]))
        self.moves.append(Move(kind, inputs, union, result))
        self.labels.append(result)
        return len(self.labels) - 1

    def _scale_place(self) -> int | None:
        """The factor n goes to the tensor with the fewest axes, the result where it is one of these."""
        fewest = min(range(len(self.kept)), key=lambda k: len(self.kept[k]), default=-1)
        return -1 if fewest < 0 or len(self.core) <= len(self.kept[fewest]) else fewest

    def _prepare(self, slot: int) -> int:
        if slot >= len(self.kept):
            return slot
        place = slot
        if len(self.kept[slot]) < len(set(self.labels[slot])):
            place = self._append("sum", (slot,), self.kept[slot])
        if self.scale_at == slot:
            place = self._append("scale", (place,), self.kept[slot])
        return place

    def _join(self, a: int, b: int) -> int:
        first, second = set(self.labels[a]), set(self.labels[b])
        result = []
        for x in dict.fromkeys((*self.labels[a], *self.labels[b])):
            here = (x in first) + (x in second)
            if x in self.wanted or self.holders[x] > here:
                result.append(x)
                self.holders[x] -= here - 1
        return self._append("pair", (a, b), tuple(result))

    def _finish(self, slot: int) -> None:
        slot = self._prepare(slot)
        if (
            self.labels[slot] != self.core
            and set(self.labels[slot]) == set(self.core)
            and not self._fresh(slot)
        ):
            slot = self._append("view", (slot,), self.core)
        if self.scale_at == -1 and self.kept:
            slot = self._append("scale", (slot,), self.core)
        if len(self.core) < len(self.product.output):
            self._append("ones", (slot,), self.product.output)

    def _fresh(self, slot: int) -> bool:
        """Whether a move made the slot; its axes then come in whatever order is wanted."""
        return slot >= len(self.kept)


def _misfit(pairs: Sequence[tuple[int, int]], why: str) -> JacobiansError:
    return JacobiansError(
        f"the contraction path {list(map(tuple, pairs))} does not fit",
        why,
        "pairs of places in the list of what is left; each product is appended at its end",
    )
