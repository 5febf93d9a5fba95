"""The steps a contraction is lowered to, as plain data, and one interpreter for every array library.

A `Step` reads up to two slots (slots 0 .. n-1 are the operands, every step appends one), looks at each
through a `View`, does one of a closed set of things (`KINDS`), and gives its result its shape and axis order.
`run_steps(steps, operands, namespace)` runs them with the functions of numpy, torch or jax.numpy;
`compiled.py` runs the same list faster on numpy, `source.py` prints it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

Shape = tuple[int, ...]
Kind = Literal[
    "view", "sum", "multiply", "dot", "matmul", "gram", "symmetric", "einsum", "scale", "ones", "fill"
]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class View:
    """How a step looks at an operand: diagonals, then an axis order, then a shape.

    `diagonals`: pairs of axes, each replaced by their diagonal as a new last axis, one pair after the other.
    `axes`: the order of axes, None for as it is. `shape`: the shape after that, None for as it is; it merges
    neighbouring axes or inserts axes of size 1; where it only inserts, `inserted` says which these are.
    `contiguous`: copy where the memory is not in that order.
    """

    diagonals: tuple[tuple[int, int], ...] = ()
    axes: tuple[int, ...] | None = None
    shape: Shape | None = None
    inserted: tuple[int, ...] = ()
    contiguous: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One numpy call: what it does, what it reads, and how the result is shaped.

    | kind | result, before `result_shape` and `result_axes` |
    |---|---|
    | `view` | the viewed operand |
    | `sum` | its sum over `axes` |
    | `multiply` | the broadcasting product of two |
    | `dot` | the product of matrices or vectors, (M, K) times (K, N), M or N may be missing |
    | `matmul` | the product of stacks of matrices, (..., M, K) times (..., K, N), stacks broadcast |
    | `gram` | a^T diag(w) a of a matrix a (K, M) and a vector w (K), or a^T a where one operand is given |
    | `symmetric` | sum_k a[m,k] a[n,k] w[k,r] of a (M, K) and w (K, R), (M M, R) or (M, M, R) |
    | `einsum` | np.einsum with `equation` |
    | `scale` | the operand times `number` |
    | `ones` | the operand broadcast to `result_shape` |
    | `fill` | a tensor without axes that holds `number` |

    `result_shape` and then the axis order `result_axes` give the slot its shape `shape` (None: as it is).
    `made` is the shape of what numpy makes, before `result_shape`, where there is one.
    `reuse` is the place in `inputs` whose array may be overwritten with the result, or None.
    """

    kind: Kind
    inputs: tuple[int, ...]
    views: tuple[View, ...]
    shape: Shape
    axes: tuple[int, ...] = ()
    equation: str = ""
    number: int = 1
    made: Shape | None = None
    result_shape: Shape | None = None
    result_axes: tuple[int, ...] | None = None
    reuse: int | None = None


def last_uses(steps: Sequence[Step], operands: int) -> tuple[tuple[int, ...], ...]:
    """Per step the intermediate slots that nothing reads after it."""
    last = {k: n for n, step in enumerate(steps) for k in step.inputs if k >= operands}
    return tuple(tuple(k for k, at in last.items() if at == n) for n in range(len(steps)))


def run_steps(steps: Sequence[Step], operands: Sequence[Any], namespace: Any) -> Any:
    """The result of the steps on arrays of the library whose functions `namespace` holds.

    It needs `matmul`, `multiply`, `sum`, `einsum`, `reshape`, `diagonal`, `broadcast_to`, `full`, and
    `permute` or `transpose`: numpy, torch and jax.numpy have them. The result may be a view of an operand.

    >>> import numpy as np
    >>> step = Step("dot", (0, 1), (View(), View()), (2,))
    >>> run_steps([step], [np.ones((2, 3)), np.arange(3.0)], np)
    array([3., 3.])
    """
    slots = list(operands)
    for step, dead in zip(steps, last_uses(steps, len(operands)), strict=True):
        slots.append(_run(step, [slots[k] for k in step.inputs], namespace))
        for k in dead:
            slots[k] = None
    return slots[-1]


def _run(step: Step, inputs: list[Any], ns: Any) -> Any:
    arrays = [_look(x, view, ns) for x, view in zip(inputs, step.views, strict=True)]
    if step.kind == "ones":
        return ns.broadcast_to(arrays[0], step.result_shape)
    result = _RUN[step.kind](step, ns, *arrays)
    if step.result_shape is not None:
        result = ns.reshape(result, step.result_shape)
    return result if step.result_axes is None else _permute(ns)(result, step.result_axes)


def _look(array: Any, view: View, ns: Any) -> Any:
    for a, b in view.diagonals:
        array = ns.diagonal(array, 0, a, b)
    if view.axes is not None:
        array = _permute(ns)(array, view.axes)
    return array if view.shape is None else ns.reshape(array, view.shape)


def _permute(ns: Any) -> Any:
    return getattr(ns, "permute", None) or ns.transpose


def _gram(step: Step, ns: Any, a: Any, w: Any = None) -> Any:
    transposed = _permute(ns)(a, (1, 0))
    return ns.matmul(transposed, a if w is None else ns.multiply(ns.reshape(w, (-1, 1)), a))


def _symmetric(step: Step, ns: Any, a: Any, w: Any) -> Any:
    rows, terms = a.shape
    return ns.matmul(a, ns.multiply(ns.reshape(a, (rows, terms, 1)), w))


_RUN: dict[str, Any] = {
    "view": lambda step, ns, a: a,
    "sum": lambda step, ns, a: ns.sum(a, step.axes),
    "multiply": lambda step, ns, a, b: ns.multiply(a, b),
    "dot": lambda step, ns, a, b: ns.matmul(a, b),
    "matmul": lambda step, ns, a, b: ns.matmul(a, b),
    "gram": _gram,
    "symmetric": _symmetric,
    "einsum": lambda step, ns, *arrays: ns.einsum(step.equation, *arrays),
    "scale": lambda step, ns, a: a * step.number,
    "fill": lambda step, ns: ns.full((), float(step.number)),
}
