"""Explicit Jacobians of vectors, matrices and tensors: see, check and cost a derivative.

>>> import numpy as np, jacobians as jac
>>> A, x, b = np.ones((3, 4)), np.arange(4.0), np.zeros(3)
>>> J = jac.jacobian(lambda A, x, b: np.tanh(A @ x + b), wrt="A")(A, x, b)
>>> J.shape, np.asarray(J).shape
((3, 3, 4), (3, 3, 4))
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import bench as bench
    from . import functions as functions
    from . import ops as ops
    from . import orders as orders
    from . import plots as plots
    from .steps import chain as chain

from .derivative import Jacobian
from .errors import JacobiansError
from .tracing import name
from .verbs import hessian, jacobian, trace, value_and_jacobian

__version__ = "0.1.0"
__all__ = [
    "Jacobian",
    "JacobiansError",
    "bench",
    "chain",
    "check",
    "costs",
    "functions",
    "hessian",
    "jacobian",
    "name",
    "ops",
    "orders",
    "plots",
    "read",
    "shapes",
    "show",
    "source",
    "trace",
    "value_and_jacobian",
    "vectorize",
]

_VERBS = {  # names whose modules are loaded when first used
    "chain": "steps",
    "check": "checking",
    "costs": "costing",
    "read": "symbolic",
    "shapes": "shapetables",
    "show": "derivations",
    "source": "standalone",
    "vectorize": "batching",
}
_LATE = ("bench", "functions", "ops", "orders", "plots")  # loaded when first used: importing stays cheap


def __getattr__(attribute: str) -> Any:
    if attribute in _VERBS:
        return getattr(importlib.import_module(f".{_VERBS[attribute]}", __name__), attribute)
    if attribute in _LATE:
        return importlib.import_module(f".{attribute}", __name__)
    raise AttributeError(f"module 'jacobians' has no attribute {attribute!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
