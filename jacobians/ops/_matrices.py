"""What operations on matrices share: checks of shapes, errors in three parts, and triangles.

`matrix` and `square` check an argument; `guarded` runs a function of numpy's and says what failed where;
`triangle` is a constant matrix written by its size, so that symbolic sizes work too.  The last two axes are
the matrix, the axes before them are a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import prod
from typing import Any

import numpy as np

from ..axes import Shape, Size, magnitude
from ..errors import BudgetError, ShapeError, SingularMatrixError
from ..expr import Node, promote
from ..operation import as_node, rule

BUDGET = 4 * 2**30  # bytes of one derivative that is computed as a whole tensor


def show(shape: Iterable[Size]) -> str:
    """`3 x 4`, as errors print it.

    >>> show((3, 4))
    '3 x 4'
    """
    return " x ".join(map(str, shape)) or "a scalar"


def matrix(x: Any, where: str) -> Node:
    """`x` as a node; raises ShapeError where it has fewer than two axes."""
    node = as_node(x)
    if node.ndim < 2:
        raise ShapeError(
            f"{where} needs a matrix",
            f"{node.name or 'x'} is {show(node.shape)}",
            "x[:, None] or x.reshape(m, n)",
        )
    return node


def square(x: Any, where: str) -> Node:
    """`x` as a node; raises ShapeError where its last two sizes differ."""
    node = matrix(x, where)
    if node.shape[-1] != node.shape[-2]:
        raise ShapeError(
            f"{where} needs a square matrix",
            f"{node.name or 'x'} is {show(node.shape)}: sizes {node.shape[-2]} and {node.shape[-1]} differ",
            "np.linalg.pinv, np.linalg.svd or np.linalg.lstsq take matrices that are not square",
        )
    return node


def is_longer(m: Size, n: Size) -> bool:
    """Whether size m is larger than n; raises ShapeError where two symbols leave that open.

    >>> is_longer(4, 3), is_longer(3, 3)
    (True, False)
    """
    if m != n and magnitude(m) == magnitude(n):
        raise ShapeError(
            f"which of the sizes {m} and {n} is larger is not known",
            "the derivative is another one on either side",
            "give the symbols numbers, or write one by the other: 2*N x N",
        )
    return magnitude(m) > magnitude(n)


def floating(*nodes: Node) -> Any:
    """The floating type of a result computed from `nodes`: integers make it float64, float32 stays."""
    dtype = promote(nodes)
    whole = any(getattr(node.dtype, "kind", "") in ("b", "i", "u") for node in nodes)
    return dtype if getattr(dtype, "kind", "") == "f" and not whole else np.dtype(np.float64)


def guarded(call: Callable[..., Any], what: str, instead: str) -> Callable[..., Any]:
    """`call(params, *arrays)`, whose LinAlgError becomes a SingularMatrixError in three parts."""

    def run(params: Any, *arrays: Any) -> Any:
        try:
            return call(params, *arrays)
        except np.linalg.LinAlgError as error:
            if isinstance(error, SingularMatrixError):
                raise
            where = f"x is {show(np.shape(arrays[0]))}" + (
                "" if np.isfinite(arrays[0]).all() else " and holds NaN or inf"
            )
            raise SingularMatrixError(what, where, instead) from None

    return run


def affordable(what: str, order: int, shape: Shape, axes: int, dtype: Any) -> None:
    """Raises BudgetError where a derivative of that order, `axes` axes of size n a matrix, passes 4 GiB."""
    *batch, _, n = shape
    needed = prod(batch) * n**axes * np.dtype(dtype).itemsize
    if needed > BUDGET:
        raise BudgetError(
            f"the derivative of order {order} of {what} is a tensor of {needed / 1e9:.3g} GB, limit 4.3 GB",
            f"x is {show(shape)}",
            "a smaller matrix; np.linalg.slogdet, inv and solve keep their factors apart",
        )


def symmetric_part(x: Any) -> Any:
    """`(x + x^T) / 2` of an array of matrices."""
    return (x + np.swapaxes(x, -1, -2)) * np.float32(0.5)


def eps(x: Any) -> float:
    """The rounding unit of an array's type."""
    dtype = np.asarray(x).dtype
    return float(np.finfo(dtype if dtype.kind in "fc" else np.float64).eps)


def triangle(n: Size, below: float, diagonal: float, dtype: Any) -> Node:
    """The n x n matrix with `below` under the diagonal, `diagonal` on it and 0 above it."""
    return Node("triangular_matrix", (), (n, below, diagonal, dtype), (n, n), dtype)


def _triangle(params: tuple[int, float, float, Any]) -> Any:
    n, below, diagonal, dtype = params
    made = np.tri(n, k=-1, dtype=dtype) * np.asarray(below, dtype)
    np.fill_diagonal(made, diagonal)
    return made


rule("triangular_matrix", _triangle)


def batch_of(node: Node) -> Shape:
    """The axes before the last two."""
    return node.shape[:-2]
