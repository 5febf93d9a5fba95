"""One operation at a time: its value and its local Jacobians, for going through a derivation step by step.

`jac.ops.tanh(z)` is `step(OPERATIONS["tanh"])(z)`: `f, df = jac.ops.tanh(z)` gives the value and a mapping
from argument names to local Jacobians; `chain(df["x"], dz["A"])` composes them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from .derivative import Jacobian
from .errors import ShapeError, UnsupportedError
from .expr import Node
from .operation import Operation, as_node
from .terms import Term, TermSum
from .traces import Wrt
from .tracing import call
from .verbs import value_and_jacobian


def step(known: Operation) -> Callable[..., tuple[Any, dict[str, Any]]]:
    """The function that computes one operation and its local Jacobians by argument name."""

    def run(*args: Any, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        bound = signature.bind(*args, **kwargs)
        names: Wrt = [name for name in known.arguments if name in bound.arguments] or None
        value, local = value_and_jacobian(traced, names)(*args, **kwargs)
        for by in local.values() if isinstance(local, dict) else ():
            if isinstance(by, Jacobian):
                by.target_name = "z"
        return value, local

    def traced(*args: Any, **kwargs: Any) -> Any:
        return call(known.build, args, kwargs)

    signature = _signature(known)
    traced.__signature__ = run.__signature__ = signature  # type: ignore[attr-defined]
    traced.__name__, run.__name__ = "z", known.name  # in every formula z is the value of the operation
    run.__doc__ = f"{known.doc}\n\nReturns (z, local Jacobians by argument name).\n{known.formula}"
    return run


def _signature(known: Operation) -> inspect.Signature:
    own = inspect.signature(known.build)
    if [p.kind for p in own.parameters.values()] != [inspect.Parameter.VAR_POSITIONAL]:
        return own
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Signature([inspect.Parameter(name, kind) for name in known.arguments])


def chain(*links: Any) -> Jacobian:
    """Composes Jacobians from the target to the input: `chain(df_dz, dz_dA)` is `df/dA`.

    `(df/dA)[i, m, n] = sum_j (df/dz)[i, j] (dz/dA)[j, m, n]`, shape `target x input`.  A plain array is
    accepted with its number of target axes: `chain((dL_df, 0), df_dz)`.  Raises ShapeError where neighbours
    do not fit, UnsupportedError for no link at all or an array alone.

    >>> import numpy as np, jacobians as jac
    >>> z, dz = jac.ops.matmul(np.ones((2, 3)), np.ones(3))
    >>> f, df = jac.ops.tanh(z)
    >>> chain(df["x"], dz["x"]).shape
    (2, 2, 3)
    """
    if not links:
        raise UnsupportedError("chain needs at least one Jacobian", "", "chain(df_dz, dz_dA)")
    made = [as_jacobian(link) for link in links]
    whole = made[0]
    for before, link in pairwise(made):
        if whole.input_shape != link.target_shape:
            raise _misfit(before, link)
        whole = whole @ link
    return whole


def as_jacobian(link: Any) -> Jacobian:
    """A Jacobian as it is; `(array, number of target axes)` as a dense one."""
    if isinstance(link, Jacobian):
        return link
    if not (isinstance(link, tuple) and len(link) == 2 and isinstance(link[1], int)):
        raise UnsupportedError(
            f"a link of the chain is {type(link).__name__}",
            "an array does not say which of its axes are target axes",
            "(array, number of target axes)",
        )
    array = np.asarray(link[0])
    node: Node = as_node(array.astype(np.float64) if array.dtype.kind in "biu" else array)
    labels, split = tuple(range(node.ndim)), link[1]
    if not 0 <= split <= node.ndim:
        raise ShapeError(
            f"{split} target axes of an array of {node.ndim} axes",
            f"a link of the chain of shape {node.shape}",
            f"(array, number of target axes), from 0 to {node.ndim}",
        )
    only = Term(1, ((node, labels),), labels[:split], labels[split:], node.shape)
    terms = TermSum(node.shape[:split], node.shape[split:], (only,))
    return Jacobian(terms, {node.serial: node.value}, None, None, node.dtype)


def _misfit(left: Jacobian, right: Jacobian) -> ShapeError:
    def sizes(shape: Any) -> str:
        return "(" + ", ".join(map(str, shape)) + ")"

    missing = f"∂{left.input_name or '?'}/∂{right.target_name or '?'}"
    return ShapeError(
        f"cannot contract {left.title} with {right.title}: "
        f"input axes {left.input_name or ''} {sizes(left.input_shape)} "
        f"against target axes {right.target_name or ''} {sizes(right.target_shape)}",
        "neighbours of a chain share their middle axes",
        f"the step {missing} is missing"
        if left.input_name != right.target_name
        else "links in the order target to input",
    )
