"""What the tables of operations share: the form of an act, and operands brought to one type.

An `Act` is `act(like, *arrays)`: the value of a node from its arguments' values, `like` an array whose device
constants are put on.  A `Maker` makes the act of a node for a backend; a table maps operations to makers.
`elementwise(function)` is the maker of a function whose operands have one type.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..expr import Node, promote
from .base import Backend

Act = Callable[..., Any]
Maker = Callable[[Node, Backend], Act]


def special(ns: Any, module: str, name: str) -> Callable[..., Any]:
    """A function that the library keeps beside its namespace: jax.scipy.special.erf."""
    found: Callable[..., Any] = getattr(
        importlib.import_module(f"{ns.__name__.removesuffix('.numpy')}.{module}"), name
    )
    return found


def permute(ns: Any) -> Callable[[Any, Sequence[int]], Any]:
    """The library's transpose with an order of axes."""
    found: Callable[[Any, Sequence[int]], Any] = getattr(ns, "permute", None) or ns.transpose
    return found


def tensor(backend: Backend, like: Any, value: Any, dtype: Any) -> Any:
    """`value`, an array or a Python number, as an array of numpy's `dtype`."""
    if isinstance(value, (bool, int, float)):
        return backend.asarray(np.asarray(value, dtype), like)
    return backend.cast(value, dtype)


def aligned(node: Node, backend: Backend, act: Act, first: int = 0, numbers: bool = False) -> Act:
    """`act` on operands of the type that numpy would compute in, from argument `first` on.

    The libraries disagree about mixed types (torch refuses some); nodes know theirs when they are made.
    `numbers` says that Python numbers beside arrays may stay what they are.
    """
    mine = node.args[first:]
    literal = [isinstance(arg.dtype, type) and arg.op == "constant" for arg in node.args]
    numbers = numbers and not all(literal)
    known = np.dtype(node.dtype)
    work = known if known.kind == "f" else np.dtype(promote(mine))
    types = [np.dtype(arg.dtype) for arg in node.args[:first]] + [work] * len(mine)
    moved = [
        (k, dtype)
        for k, (arg, dtype) in enumerate(zip(node.args, types, strict=True))
        if (not (numbers and literal[k]) if isinstance(arg.dtype, type) else arg.dtype != dtype)
    ]
    if not moved:
        return act

    def run(like: Any, *arrays: Any) -> Any:
        made = list(arrays)
        for k, dtype in moved:
            made[k] = tensor(backend, like, made[k], dtype)
        return act(like, *made)

    return run


def elementwise(function: Callable[..., Any], numbers: bool = False) -> Maker:
    """The maker of `function(namespace, params, *arrays)`, its arrays of one type."""

    def make(node: Node, backend: Backend) -> Act:
        ns, params = backend.namespace, node.params
        return aligned(node, backend, lambda like, *xs: function(ns, params, *xs), numbers=numbers)

    return make
