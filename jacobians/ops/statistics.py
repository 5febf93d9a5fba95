"""Statistics: `mean`, `var`, `std`, `average`, `cov`, `corrcoef`; `nansum`, `nanmean` of what is a number.

The variance of entries that are all equal has derivative 0, and so, by convention, has the deviation.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..axes import Poly, Size, entries, number
from ..errors import ShapeError, UnsupportedError
from ..expr import Node, promote, size_value
from ..operation import as_node, operation, rule
from ..terms import TermSum
from . import _text
from ._axes import by_entries, filled, floating, held, no_where, reduced, reduction
from ._broadcast import axes_of
from .forms import as_float
from .joining import concatenate
from .multilinear import broadcast_to, diagonal, matmul, outer, sum, transpose
from .pointwise import BUILDERS, make
from .reductions import count_nonzero
from .reshaping import atleast, reshape_node


@operation("multilinear", "x")
def mean(x: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: Any = False) -> Node:
    """z = the sum of x over some axes, divided by their number of entries."""
    x = as_node(x)
    count = entries(x.shape[k] for k in axes_of(axis, x.ndim))
    total = sum(x, axis, keepdims=keepdims)
    if isinstance(count, Poly):  # a size without a number divides as a named value
        return _text.expression("x/y", {"x": total, "y": size_value(count)}, BUILDERS)  # type: ignore[no-any-return]
    return _text.scale(1 / count if count else np.nan, total)  # of nothing, as numpy: not a number


rule("size", lambda count: number(count, "a value"))


def _centred(x: Node, gone: tuple[int, ...]) -> Node:
    return _text.add(x, mean(x, gone, keepdims=True), -1)  # type: ignore[no-any-return]


def _run_var(params: Any, x: Any) -> Any:
    (gone, ddof), x = params, np.asarray(x)
    count = math.prod(x.shape[k] for k in gone)
    apart = x - x.mean(axis=gone, keepdims=True)
    return (apart * apart).sum(axis=gone) / (count - ddof)


def _var_local(node: Node, k: int) -> TermSum:
    (x,), (gone, ddof) = node.args, node.params
    return by_entries(node, gone, *_over(2, _centred(x, gone), _count(x, gone) - ddof))


def _std_local(node: Node, k: int) -> TermSum:
    (x,), (gone, ddof) = node.args, node.params
    slope = make("safe_divide", _centred(x, gone), held(node, gone))
    return by_entries(node, gone, *_over(1, slope, _count(x, gone) - ddof))


def _count(x: Node, gone: tuple[int, ...]) -> Size:
    return entries(x.shape[k] for k in gone)


def _over(coefficient: int, x: Node, count: Size) -> tuple[Node, float]:
    """`coefficient x / count` as a factor and a coefficient: a size without a number divides as a value."""
    if isinstance(count, Poly):
        return _text.expression("x/y", {"x": x, "y": size_value(count)}, BUILDERS), coefficient
    return x, coefficient / count


rule("var", _run_var, _var_local)
rule("std", lambda params, x: np.sqrt(_run_var(params, x)), _std_local)


def _spread(op: str, x: Any, axis: Any, ddof: Any, keepdims: Any, more: dict[str, Any]) -> Node:
    x = as_node(x)
    no_where(op, more.get("where", True))
    ddof = more.get("correction", ddof)
    count = _count(x, axes_of(axis, x.ndim))
    if isinstance(count, int) and count <= ddof:
        raise ShapeError(
            f"{op} with ddof={ddof} needs more entries", f"shape {x.shape}, axis {axis}", "a smaller ddof"
        )
    return reduction(op, x, axis, keepdims, ddof, floating(x.dtype))


@operation("written out", "x", formula="(i | i j) 2 (x - mean) / (n - ddof)")
def var(
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: Any = 0,
    keepdims: Any = False,
    **more: Any,
) -> Node:
    """z = sum of (x - mean)**2, divided by n - ddof."""
    return _spread("var", x, axis, ddof, keepdims, more)


@operation(
    "written out", "x", formula="(i | i j) (x - mean) / (z (n - ddof))", kink="0 where all entries are equal"
)
def std(
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    out: None = None,
    ddof: Any = 0,
    keepdims: Any = False,
    **more: Any,
) -> Node:
    """z = the square root of the variance."""
    return _spread("std", x, axis, ddof, keepdims, more)


@operation("written out", "x weights")
def average(
    x: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: Any = False
) -> Any:
    """z = sum(w x) / sum(w) over some axes; with `returned`, also the sum of the weights."""
    x = as_node(x)
    how = reduced(x.shape, axis)
    if weights is None:
        z, total = (
            mean(x, axis, keepdims=keepdims),
            as_node(float(number(entries(x.shape[k] for k in how.gone)))),
        )
    else:
        w = as_node(weights)
        w = as_float(w, promote((x, w)))
        if w.shape != x.shape:
            if axis is None or w.shape != tuple(x.shape[k] for k in axes_of(axis, x.ndim)):
                raise ShapeError(
                    "weights do not fit",
                    f"shape {w.shape} for {x.shape}, axis {axis}",
                    "x's shape, or its axis'",
                )
            w = transpose(w, np.argsort(axes_of(axis, x.ndim)).tolist()) if w.ndim > 1 else w
            w = reshape_node(w, tuple(n if k in how.gone else 1 for k, n in enumerate(x.shape)))
        total = sum(broadcast_to(w, x.shape), axis, keepdims=keepdims)
        z = make("divide", sum(_text.multiply(x, w), axis, keepdims=keepdims), total)
    return (z, broadcast_to(total, z.shape)) if returned else z


@operation("written out", "x y")
def cov(
    x: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None,
    fweights: None = None, aweights: None = None, *, dtype: Any = None,
) -> Node:  # fmt: skip
    """z[i, j] = sum_k (x[i, k] - mean_i)(x[j, k] - mean_j) / (n - ddof), a variable in each row."""
    if fweights is not None or aweights is not None:
        raise UnsupportedError(
            "np.cov with weights is not traced", "", "np.average of products of centred variables"
        )
    rows = _variables(x, rowvar)
    if y is not None:
        rows = concatenate([rows, _variables(y, rowvar)], 0)
    apart = _centred(rows, (1,))
    count = number(rows.shape[1], "np.cov") - ((0 if bias else 1) if ddof is None else ddof)
    if count <= 0:
        raise ShapeError("np.cov needs more observations", f"{rows.shape[1]} of them", "a smaller ddof")
    z = _text.scale(1 / count, matmul(apart, transpose(apart)))
    return reshape_node(z, ()) if z.shape == (1, 1) else z


def _variables(x: Any, rowvar: bool) -> Node:
    x = as_node(x)
    rows = atleast(x, 2)
    return rows if rowvar or x.ndim < 2 else transpose(rows)


@operation("written out", "x y", kink="0 by and for a variable that does not vary")
def corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Node:
    """z[i, j] = c[i, j] / sqrt(c[i, i] c[j, j]), c the covariances."""
    c = cov(x, y, rowvar)
    if c.ndim == 0:
        return make("divide", c, c)
    spread = make("sqrt", diagonal(c))
    return make("safe_divide", c, outer(spread, spread))


@operation("written out", "x", formula="(i | i j) [x is a number]")
def nansum(x: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: Any = False) -> Node:
    """z = the sum of the entries that are numbers."""
    return sum(filled(x, 0)[0], axis, keepdims=keepdims)


@operation("written out", "x", formula="(i | i j) [x is a number] / how many are")
def nanmean(x: Any, axis: Any = None, dtype: Any = None, out: None = None, keepdims: Any = False) -> Node:
    """z = the mean of the entries that are numbers."""
    kept, missing = filled(x, 0)
    count = count_nonzero(make("logical_not", missing), axis, keepdims=keepdims)
    return make("divide", sum(kept, axis, keepdims=keepdims), count)
