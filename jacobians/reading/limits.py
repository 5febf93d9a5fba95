"""What a text may cost: a budget, the meter that spends it, and integer arithmetic that cannot explode.

- `Budget(steps, entries, work)`: evaluation steps, array entries made, multiplications.
- `Meter.step`, `Meter.charge`: spend it, and raise BudgetError when it is spent.
- `power`, `multiply`, `factorial`, `combinations`: refuse whole numbers of more than `MAX_BITS` bits.
- `entries_of(value)`: the entries of an array, or of nested lists with shared parts.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from jacobians.errors import BudgetError, ReadingError

MAX_BITS = 4_096  # of a whole number
MAX_LIST_DEPTH = 30  # numpy itself stops at 64 axes


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of one run: evaluation steps, array entries made, multiplications.

    The entries and the work grow with the entries of the values given (see `for_values`).
    """

    steps: int = 400_000
    entries: int = 20_000_000
    work: int = 500_000_000

    def for_values(self, entries: int) -> Budget:
        """The same budget when the values given hold `entries` entries already."""
        return Budget(self.steps, self.entries + 64 * entries, self.work + 2_000 * entries)


class Meter:
    """Counts what a run has spent of its budget.

    >>> Meter(Budget(steps=1)).step(2)
    Traceback (most recent call last):
        ...
    jacobians.errors.BudgetError: the text takes more than 1 steps
      try: fewer or shorter loops, or a larger budget
    """

    __slots__ = ("_entries", "_steps", "_work", "budget")

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._steps = self._entries = self._work = 0

    def step(self, count: int = 1) -> None:
        """Spend `count` steps."""
        self._steps += count
        if self._steps > self.budget.steps:
            raise BudgetError(
                f"the text takes more than {self.budget.steps} steps",
                "",
                "fewer or shorter loops, or a larger budget",
            )

    def charge(self, entries: int, work: int = 0) -> None:
        """Spend `entries` array entries and `work` multiplications, before they are made."""
        self._entries += entries
        self._work += max(work, entries)
        if self._entries > self.budget.entries:
            raise _spent("makes", self._entries, "array entries", self.budget.entries)
        if self._work > self.budget.work:
            raise _spent("takes", self._work, "multiplications", self.budget.work)


def _spent(verb: str, count: int, unit: str, limit: int) -> BudgetError:
    what = f"the text {verb} {_count(count)} {unit}, the limit is {_count(limit)}"
    return BudgetError(what, "", "smaller sizes, or a larger budget")


def _count(number: int) -> str:
    if number < 10**6:
        return str(number)
    return f"{number / 10**6:.0f} million" if number < 10**12 else f"10^{len(str(number)) - 1}"


def is_integer(value: object) -> bool:
    """Whether `value` is a whole Python number (a bool too)."""
    return isinstance(value, int)


def multiply(left: int, right: int) -> int:
    """The product of two whole numbers, refused beyond `MAX_BITS` bits."""
    if left.bit_length() + right.bit_length() > MAX_BITS:
        raise _too_large("*")
    return left * right


def power(base: Any, exponent: Any) -> Any:
    """`base ** exponent` of Python numbers; whole results beyond `MAX_BITS` bits are refused.

    >>> power(2, 10), power(2, -1)
    (1024, 0.5)
    >>> power(10, 10**10)
    Traceback (most recent call last):
        ...
    jacobians.errors.BudgetError: the result of ** has more than 4096 bits
      try: a smaller exponent, or a float such as 10.0
    """
    if is_integer(base) and is_integer(exponent) and exponent > 0:
        if exponent.bit_length() > 64 or base.bit_length() * exponent > MAX_BITS:
            if base in (0, 1):
                return base
            if base == -1:
                return 1 if exponent % 2 == 0 else -1
            raise _too_large("**")
    elif is_integer(exponent) and exponent.bit_length() > MAX_BITS:
        raise _too_large("**")
    return base**exponent


def pointwise_power(base: Any, exponent: Any) -> Any:
    """`base ** exponent`, guarded where both are plain numbers."""
    plain = isinstance(base, int | float) and isinstance(exponent, int | float)
    return power(base, exponent) if plain else base**exponent


def whole_numbers(sign: str, left: int, right: int, number: Callable[[Any], Any] | None) -> Any:
    """`left sign right` of two whole numbers; with `number`, quotients are exact.

    >>> whole_numbers("**", 2, 5, None), whole_numbers("/", 1, 2, None)
    (32, 0.5)
    """
    if sign in ("**", "^", ".^"):
        if number is not None and right < 0:
            return number(left) ** right
        return power(left, right)
    if sign in ("*", ".*"):
        return multiply(left, right)
    if sign in ("/", "./"):
        return number(left) / right if number is not None else left / right
    rules: dict[str, Callable[[int, int], int]] = {
        "+": operator.add,
        "-": operator.sub,
        "//": operator.floordiv,
        "%": operator.mod,
        "&": operator.and_,
        "|": operator.or_,
    }
    if sign not in rules:
        raise ReadingError(f"{sign} takes arrays, not two numbers", "", "*")
    return rules[sign](left, right)


def factorial(number: Any) -> int:
    """`number!`, up to 170, the last one that a float can hold."""
    if not isinstance(number, int | np.integer) or not 0 <= number <= 170:
        raise BudgetError(f"factorial of {number!r:.40}", "", "a whole number from 0 to 170")
    return math.factorial(int(number))


def combinations(number: Any, chosen: Any) -> int:
    """Number of ways to choose `chosen` of `number`, both up to 1000."""
    if not all(isinstance(n, int | np.integer) and 0 <= n <= 1000 for n in (number, chosen)):
        raise BudgetError("comb of numbers outside 0 to 1000", "", "smaller whole numbers")
    return math.comb(int(number), int(chosen))


def _too_large(sign: str) -> BudgetError:
    hint = "a smaller exponent, or a float such as 10.0" if sign == "**" else "a float such as 10.0"
    return BudgetError(f"the result of {sign} has more than {MAX_BITS} bits", "", hint)


def shape_of(value: Any) -> tuple[int, ...] | None:
    """The shape of an array-like as whole numbers, None if it has none or a size is not a number yet."""
    shape = getattr(value, "shape", None)
    if not isinstance(shape, tuple):
        return () if isinstance(value, int | float | complex) else None
    if not all(isinstance(size, int | np.integer) for size in shape):
        return None
    return tuple(int(size) for size in shape)


def entries_of(value: Any) -> int:
    """Entries of an array, or of nested lists as `np.array` would unfold them (shared parts count each time).

    >>> row = [0] * 3
    >>> entries_of([row, row])
    6
    """
    return _unfolded(value, _array_entries, {}, 0)


def items_of(value: Any) -> int:
    """Items of nested lists, where an array is one item; nothing for what is no list.

    >>> items_of([[1, 2], [np.ones(100)]]), items_of(3)
    (3, 0)
    """
    return _unfolded(value, lambda part: 1, {}, 0) if isinstance(value, list | tuple | range) else 0


def _array_entries(value: Any) -> int:
    if isinstance(value, int | float):
        return 1
    shape = shape_of(value)
    return math.prod(shape) if shape else 1


def _unfolded(value: Any, leaf: Callable[[Any], int], seen: dict[int, int], depth: int) -> int:
    if isinstance(value, range):
        return len(value)
    if not isinstance(value, list | tuple):
        return leaf(value)
    if depth > MAX_LIST_DEPTH:
        raise BudgetError(f"lists nest deeper than {MAX_LIST_DEPTH}", "", "an array of fewer axes")
    if id(value) not in seen:
        seen[id(value)] = max(1, sum(_unfolded(part, leaf, seen, depth + 1) for part in value))
    return seen[id(value)]
