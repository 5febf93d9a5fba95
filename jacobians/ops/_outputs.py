"""Operations with several outputs: one hidden node computes them, `output` nodes pick them.

`several(name, forward, *locals)` registers the hidden node and, for each output, its local Jacobian (None
for zero); `outputs(name, ...)` builds the output nodes; `named(example, values)` puts them into the named
tuple that numpy returns there (`EighResult` and its like), so that `.eigenvalues` and unpacking work on
traced values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from ..axes import Shape
from ..expr import Node
from ..operation import Local, rule
from ..terms import TermSum

LOCALS: dict[str, tuple[Local | None, ...]] = {}


def several(name: str, forward: Callable[..., Any], *locals: Local | None) -> None:
    """Registers a node whose `forward(params, *arrays)` gives a tuple; one local Jacobian for each output.

    `local(node, k)` is asked with the output's node and the number of the hidden node's argument.
    """
    rule(name, forward)
    LOCALS[name] = locals


def outputs(
    name: str, args: tuple[Node, ...], params: Any, shapes: Sequence[Shape], dtypes: Sequence[Any]
) -> tuple[Node, ...]:
    """The output nodes of a new hidden node."""
    hidden = Node(name, args, params, (), dtypes[0])
    made = zip(shapes, dtypes, strict=True)
    return tuple(Node("output", (hidden,), k, shape, dtype) for k, (shape, dtype) in enumerate(made))


def _local(node: Node, k: int) -> TermSum:
    hidden = node.args[0]
    local = LOCALS[hidden.op][node.params]
    return TermSum(node.shape, hidden.args[k].shape) if local is None else local(node, k)


rule("output", lambda params, values: values[params], _local, views=True)


@cache
def _named_tuple(function: Callable[..., Any]) -> type:
    return type(function(np.ones((1, 1))))


def named(function: Callable[..., Any], values: Sequence[Node]) -> Any:
    """`values` in the named tuple that numpy's `function` returns."""
    return _named_tuple(function)(*values)
