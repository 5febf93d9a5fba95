"""What the peers benchmark measures: functions written once over a namespace, inputs, hand-written rivals.

A `Case` holds `f(ns)`, the function in numpy, jax.numpy or torch alike; `kind` says what is computed:

- "jacobian": the dense Jacobians of f by every argument in `wrt`;
- "hessian": the dense Hessian by the one argument in `wrt`;
- "gradient": a Jacobian of a scalar, for which peers have a verb of their own;
- "samples": Jacobians sample by sample, the arguments in `mapped` having a batch axis in front.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Kind = Literal["jacobian", "hessian", "gradient", "samples"]
Inputs = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the benchmark.

    `rival(*inputs)` is structured numpy by hand, a list of dense arrays in the order of `wrt`;
    `batched(ns)` is the function on the whole batch where `kind` is "samples"; `view` says that a strided
    view is worth a column, `lazy` that dense results would be too large and are left out.
    """

    suite: str
    name: str
    f: Callable[[Any], Callable[..., Any]]
    make: Callable[[np.random.Generator], Inputs]
    wrt: tuple[int, ...]
    kind: Kind = "jacobian"
    rival: Callable[..., Sequence[np.ndarray]] | None = None
    batched: Callable[[Any], Callable[..., Any]] | None = None
    mapped: tuple[int, ...] = ()
    view: bool = False
    lazy: bool = False

    def inputs(self, seed: int = 0) -> Inputs:
        """The arguments, decided by `seed`."""
        return self.make(np.random.default_rng(seed))


def leaves(value: Any) -> list[Any]:
    """The arrays in nested containers, in order.

    >>> leaves({"a": (1, [2]), "b": 3})
    [1, 2, 3]
    """
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in leaves(part)]
    if isinstance(value, (tuple, list)):
        return [leaf for part in value for leaf in leaves(part)]
    return [value]
