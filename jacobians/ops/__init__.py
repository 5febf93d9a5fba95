"""Every operation, by family; importing this package fills the registry.

`jacobians.ops.tanh(z)` returns the value and the mapping of local Jacobians by argument name, so that
a lecturer can go step by step: `z, dz = ops.affine(A, x, b)`; `f, df = ops.tanh(z)`.
"""

from __future__ import annotations

from typing import Any

from . import (  # noqa: F401
    activations,
    arithmetic,
    determinant,
    exponential,
    factorizations,
    forms,
    indexing,
    joining,
    matrix,
    multilinear,
    norms,
    pointwise,
    products,
    rearranging,
    reductions,
    reshaping,
    sampled,
    sorting,
    spectral,
    statistics,
    structural,
    tensors,
)


def __getattr__(name: str) -> Any:
    """`ops.<name>`: an operation's value and local Jacobians, step by step."""
    from ..operation import OPERATIONS

    if name in OPERATIONS:
        from ..steps import step

        return step(OPERATIONS[name])
    raise AttributeError(f"no operation is named {name!r}; the table of operations: jacobians ops")
