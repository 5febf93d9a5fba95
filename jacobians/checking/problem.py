"""What is to be judged: `Problem`, its `Input`s, and the sizes and points at which it is tried."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..errors import JacobiansError, ReadingError, ShapeError, UnknownNameError
from ..reading.shapes import Size, size_value, symbols_of
from .conventions import takes_symmetric
from .formulas import Formula
from .points import draw, draw_whole
from .verdict import PAIR

Array = np.ndarray[Any, Any]
Point = dict[str, Any]
MAX_ENTRIES = 4_000  # of one input, and of the derivative: a check needs small sizes
POOL = (3, 4, 2, 5, 6, 7, 8, 9, 10, 11, 12)
SYMMETRIC_WORDS = frozenset(["symmetric", "spd", "symtensor", "symtoeplitz", "gapped", "diagonal"])


@dataclass(frozen=True, slots=True)
class Input:
    """An input: its shape (sizes may be symbols), assumptions on its values, entries that are tied."""

    name: str
    shape: tuple[Size, ...]
    words: tuple[str, ...] = ()
    structure: str = ""
    value: Any = field(default=None, compare=False)

    def assuming(self, *words: str) -> Input:
        """The same input with more assumptions on its values."""
        return replace(self, words=(*self.words, *words))


@dataclass(frozen=True, slots=True)
class Problem:
    """A function, a claim about it, and everything the record says; `order` 0 asks: the same function?"""

    function: Formula
    claim: Formula
    inputs: tuple[Input, ...]
    wrt: tuple[str, ...] = ()
    order: int = 1
    layout: str = ""
    sizes: Mapping[str, int] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)

    @property
    def slots(self) -> tuple[str, ...]:
        """The input of every differentiation, in order: `("x", "x")` for a Hessian."""
        if len(self.wrt) == self.order or self.layout == "differential":
            return self.wrt if len(self.wrt) != 1 else self.wrt * self.order
        return self.wrt * self.order

    @property
    def title(self) -> str:
        """`∂z/∂A`, with the names the texts give."""
        assigned = self.function.program.assigned if self.function.program is not None else ()
        last = self.function.program.steps[-1].targets if self.function.program is not None else ()
        target = assigned[-1] if assigned and last else "f"
        if not self.order:
            return PAIR
        raised = {1: "", 2: "²", 3: "³"}[self.order]
        below = (
            "".join(f"∂{name}" for name in self.slots)
            if len(set(self.slots)) > 1
            else f"∂{self.slots[0]}{raised}"
        )
        return f"∂{raised}{target}/{below}"

    def input(self, name: str) -> Input:
        """The input called `name`."""
        return next(found for found in self.inputs if found.name == name)

    def replacing(self, *changed: Input) -> Problem:
        """The same problem with some inputs replaced."""
        by_name = {found.name: found for found in changed}
        return replace(self, inputs=tuple(by_name.get(found.name, found) for found in self.inputs))

    def symbols(self) -> tuple[str, ...]:
        """The symbols in shapes, in order."""
        found = [name for entry in self.inputs for size in entry.shape for name in symbols_of(size)]
        return tuple(dict.fromkeys(found))

    def free_symbols(self) -> tuple[str, ...]:
        """The symbols without a given size."""
        return tuple(name for name in self.symbols() if name not in self.sizes)

    def trial_sizes(self, trial: int = 0) -> dict[str, int]:
        """Sizes for all symbols: those given, others pairwise different, new ones at every trial."""
        found = {name: int(size) for name, size in self.sizes.items()}
        taken = set(found.values()) | {size for e in self.inputs for size in e.shape if isinstance(size, int)}
        pool = [size for size in POOL[trial % 3 :] if size not in taken]
        for name in self.free_symbols():
            found[name] = pool.pop(0) if pool else 3
        for entry in self.inputs:
            if len(entry.shape) == 2 and set(entry.words) & {"wide", "tall"}:
                _order_sizes(entry, found, self.sizes)
        return found

    def other_sizes(self) -> dict[str, int]:
        """Every size one larger: equal sizes stay equal, different ones different."""
        return {name: size + 1 for name, size in self.trial_sizes().items()}

    def directions(self) -> tuple[str, ...]:
        """The names of the directions that a claim in differential layout uses: `dX`."""
        return tuple("d" + name for name in dict.fromkeys(self.wrt))

    def symmetric_direction(self, name: str) -> bool:
        """Whether the direction of `name` stays among symmetric matrices."""
        entry = self.input(name)
        tied = entry.structure in ("symmetric", "symtoeplitz")
        return tied or (bool(SYMMETRIC_WORDS & set(entry.words)) and takes_symmetric(self.function.text))

    def check(self) -> None:
        """Raise where the problem makes no sense: an unknown name, a size beyond what a check needs."""
        names = [entry.name for entry in self.inputs]
        for name in self.wrt:
            if name not in names:
                raise UnknownNameError(
                    f"wrt {name!r} is not an input", f"inputs: {', '.join(names)}", "one of them"
                )
        sizes = self.trial_sizes()
        for entry in self.inputs:
            if any(size_value(size, sizes) < 1 for size in entry.shape):
                what = f"{entry.name} has no entries: there is nothing to judge"
                raise ShapeError(
                    what, f"{entry.name}:{','.join(map(str, entry.shape))}", "sizes such as 3 and 4"
                )
            count = int(np.prod([float(size_value(size, sizes)) for size in entry.shape] or [1.0]))
            if count > MAX_ENTRIES:
                what = f"{entry.name} has {count} entries; a check needs no more than {MAX_ENTRIES}"
                raise ReadingError(what, "", "sizes such as 3 and 4")
        for given in (self.function, self.claim):
            directions = self.directions() if self.layout == "differential" else ()
            known = (*names, *sizes, *self.constants, *directions, *self._intermediates(given))
            if given.program is not None:
                given.program.check_names(known)
            if given.index is not None:
                given.index.check_names((*known, *(name for name, _ in given.parts)))
                for _, program in given.parts:
                    program.check_names(known)

    def _intermediates(self, given: Formula) -> tuple[str, ...]:
        program = self.function.program
        return program.assigned if program is not None and given is self.claim else ()


def _order_sizes(entry: Input, found: dict[str, int], given: Mapping[str, int]) -> None:
    """Swap two free sizes where the matrix would be tall and must be wide, or the other way round."""
    rows, columns = entry.shape
    if not (isinstance(rows, str) and isinstance(columns, str) and rows in found and columns in found):
        return
    wrong = found[rows] >= found[columns] if "wide" in entry.words else found[rows] <= found[columns]
    if wrong and rows not in given and columns not in given:
        found[rows], found[columns] = found[columns], found[rows]


def shapes_at(problem: Problem, sizes: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """Every input's shape in numbers."""
    return {e.name: tuple(size_value(size, sizes) for size in e.shape) for e in problem.inputs}


def draw_point(problem: Problem, sizes: Mapping[str, int], rng: np.random.Generator, mood: str) -> Point:
    """Values for all inputs (and directions), the sizes and constants beside them.

    `mood` as in `points.draw`; `whole` asks for small whole numbers where the assumptions allow them.
    """
    point: Point = {**sizes, **problem.constants}
    general = "eigvals(" in problem.function.text or "eig(" in problem.function.text
    for entry in problem.inputs:
        if entry.value is not None:
            point[entry.name] = np.asarray(entry.value, dtype=float)
            continue
        shape = tuple(size_value(size, sizes) for size in entry.shape)
        words = (*entry.words, *([entry.structure] if entry.structure else []))
        words = (*words, "general") if general and not SYMMETRIC_WORDS & {*words} - {"gapped"} else words
        whole = draw_whole(shape, words, rng) if mood == "whole" else None
        point[entry.name] = whole if whole is not None else draw(shape, words, rng, mood)
    if problem.layout == "differential":
        for name in dict.fromkeys(problem.wrt):
            point["d" + name] = _direction(problem, name, point[name].shape, rng, mood)
    return point


def _direction(
    problem: Problem, name: str, shape: tuple[int, ...], rng: np.random.Generator, mood: str
) -> Array:
    structure = problem.input(name).structure
    word = structure or ("symmetric" if problem.symmetric_direction(name) else "")
    found = rng.integers(1, 5, shape) * 1.0 if mood == "whole" else rng.uniform(-1.5, 1.5, shape)
    if not word or len(shape) != 2:
        return found
    if word == "lower":
        return np.tril(found)
    return draw(shape, [word], rng) if mood != "whole" else found + found.T


def claim_values(problem: Problem, point: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a claim may use: the point, and the values that the function's own text gives names to."""
    needed = [name for name in problem.claim.names if name not in point]
    program = problem.function.program
    if not needed or program is None:
        return point
    try:
        found = program.run_all(point)
    except JacobiansError:
        return point
    return {**{name: found[name] for name in needed if name in found}, **point}


def names_of(inputs: Iterable[Input]) -> tuple[str, ...]:
    """The names of inputs, in order."""
    return tuple(entry.name for entry in inputs)
