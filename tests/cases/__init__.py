"""One row for each operation: what to call it with, and how its derivative is judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Case:
    """An operation called on random arrays; every property of `test_operations.py` is checked from this row.

    `call` takes the arrays of `shapes` and uses numpy (or `jacobians.functions`); the traced function
    is this very call.  `primal` is what the value and the oracle use where numpy's own function is not the
    traced one (it symmetrises, say).  `domain` bounds the random entries; `make` builds special inputs.
    `oracle` is "complex" (complex step) or "difference" (fourth-order central differences).
    `order` is the highest derivative that is tested; `argnums` the arguments differentiated (all).
    """

    name: str
    call: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...]
    domain: tuple[float, float] = (-1.5, 1.5)
    oracle: str = "complex"
    order: int = 2
    primal: Callable[..., Any] | None = None
    make: Callable[[np.random.Generator], tuple[Any, ...]] | None = None
    argnums: tuple[int, ...] | None = None
    id: str = ""
    tags: frozenset[str] = field(default_factory=frozenset)

    @property
    def label(self) -> str:
        """The name of the row in test reports."""
        return f"{self.name}-{self.id}" if self.id else self.name

    def arrays(self, seed: int = 0) -> tuple[Any, ...]:
        """The arguments, random and reproducible."""
        rng = np.random.default_rng([seed, *map(ord, self.label)])
        if self.make is not None:
            return self.make(rng)
        return tuple(rng.uniform(*self.domain, size=shape) for shape in self.shapes)
