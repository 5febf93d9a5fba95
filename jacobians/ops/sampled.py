"""Functions given by samples: differences, slopes, areas, convolutions, interpolation, polynomials.

`diff`, `ediff1d`, `gradient` and `trapezoid` are weighted slices; `convolve` and `correlate` have the
wirings `(j + k | j)` and `(i | i + k)`, no matrix of shifts; `interp` gathers the interval's two ends;
`vander` and `polyval` are powers, exact at 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..axes import number
from ..errors import ShapeError, UnsupportedError
from ..expr import Node, product, promote
from ..operation import as_node, operation, rule
from ..terms import TermSum, canonical
from ..wiring import affine, selection
from . import _text, _written
from ._broadcast import axes_of
from .arithmetic import multiply
from .forms import as_float
from .indexing import getitem, take
from .joining import concatenate, place
from .multilinear import broadcast_to, sum
from .pointwise import make, where
from .rearranging import flip
from .reshaping import reshape_node


def _along(axis: int, *bounds: Any) -> tuple[slice, ...]:
    return (slice(None),) * axis + (slice(*bounds),)


@operation("index map", "x", formula="δ[i + 1, j] - δ[i, j]")
def diff(x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Node:
    """z[i] = x[i + 1] - x[i] along an axis, n times over."""
    z: Node = as_node(x)
    (axis,) = axes_of(axis, z.ndim)
    shape = (*z.shape[:axis], 1, *z.shape[axis + 1 :])
    ends = [
        None if e is None else as_node(e if isinstance(e, Node) else np.asarray(e)) for e in (prepend, append)
    ]
    before, after = (e if e is None or e.ndim else broadcast_to(e, shape) for e in ends)
    if before is not None or after is not None:
        z = concatenate([part for part in (before, z, after) if part is not None], axis)
    for _ in range(n):
        z = _text.add(getitem(z, _along(axis, 1, None)), getitem(z, _along(axis, None, -1)), -1)
    return z


@operation("index map", "x")
def ediff1d(x: Any, to_end: Any = None, to_begin: Any = None) -> Node:
    """z = the differences of neighbours in the flattened x, between other values if given."""
    steps = diff(reshape_node(as_node(x), (-1,)))
    parts = [to_begin, steps, to_end]
    flat = [reshape_node(as_node(part), (-1,)) for part in parts if part is not None]
    return concatenate(flat) if len(flat) > 1 else steps


@operation("index map", "x")
def gradient(x: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """z = the slopes of samples x along each axis: central inside, one-sided at the ends.

    `varargs` are the spacings: one number, or for each axis a number or the (constant) coordinates.
    """
    x = as_node(x)
    axes = axes_of(axis, x.ndim)
    if len(varargs) not in (0, 1, len(axes)) or any(isinstance(v, Node) for v in varargs):
        raise UnsupportedError(
            "np.gradient takes constant spacings only",
            f"{len(varargs)} spacings for {len(axes)} axes",
            "one for each axis",
        )
    spacings = varargs * len(axes) if len(varargs) == 1 else varargs or (1.0,) * len(axes)
    made = [_slopes(x, a, h, edge_order) for a, h in zip(axes, spacings, strict=True)]
    return made[0] if len(made) == 1 else tuple(made)


def _slopes(x: Node, axis: int, spacing: Any, edge_order: int) -> Node:
    size = number(x.shape[axis], "np.gradient")
    if size < edge_order + 1:
        raise ShapeError(
            "too few samples for np.gradient", f"axis {axis} has size {size}", f"at least {edge_order + 1}"
        )
    steps = np.diff(np.asarray(spacing, float)) if np.ndim(spacing) else np.full(size - 1, float(spacing))
    h, k = steps[:-1], steps[1:]
    inner = _weighted(x, axis, 0, [-k / (h * (h + k)), (k - h) / (h * k), h / (k * (h + k))], size - 2)
    if edge_order == 1:
        first = _weighted(x, axis, 0, [-1 / steps[:1], 1 / steps[:1]], 1)
        last = _weighted(x, axis, size - 2, [-1 / steps[-1:], 1 / steps[-1:]], 1)
    else:
        h, k = steps[:1], steps[1:2]
        first = _weighted(
            x, axis, 0, [-(2 * h + k) / (h * (h + k)), (h + k) / (h * k), -h / (k * (h + k))], 1
        )
        h, k = steps[-2:-1], steps[-1:]
        last = _weighted(
            x, axis, size - 3, [k / (h * (h + k)), -(h + k) / (h * k), (2 * k + h) / (k * (h + k))], 1
        )
    return concatenate([first, inner, last], axis)


def _weighted(x: Node, axis: int, start: int, weights: list[np.ndarray], length: int) -> Node:
    """`sum_k weights[k] * x[start + k : start + k + length]`, a weight for each place."""
    total: Any = 0
    for k, weight in enumerate(weights):
        if not weight.size or not weight.any():
            continue
        part = getitem(x, _along(axis, start + k, start + k + length))
        even = (weight == weight[0]).all()
        column = weight.astype(np.dtype(x.dtype)).reshape((-1,) + (1,) * (x.ndim - axis - 1))
        scaled = _text.scale(float(weight[0]), part) if even else _text.multiply(part, as_node(column))
        total = scaled if total == 0 else _text.add(total, scaled)
    return total if isinstance(total, Node) else _text.scale(0.0, getitem(x, _along(axis, 0, length)))


@operation("multilinear", "y x", serves="trapezoid")
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Node:
    """z = sum_i (x[i + 1] - x[i]) (y[i + 1] + y[i]) / 2 along an axis."""
    y = as_node(y)
    (axis,) = axes_of(axis, y.ndim)
    heights = _text.add(getitem(y, _along(axis, 1, None)), getitem(y, _along(axis, None, -1)))
    if x is None:
        return sum(multiply(_text.scale(0.5, heights), dx), axis)
    x = as_node(x)
    if x.ndim == 1:
        x = reshape_node(x, (-1, *(1,) * (y.ndim - axis - 1)))
    widths = diff(x, axis=x.ndim - (y.ndim - axis))
    return sum(_text.multiply(_text.scale(0.5, heights), widths), axis)


def _vectors(x: Any, y: Any, what: str) -> tuple[Node, Node]:
    nodes = as_node(x), as_node(y)
    if any(n.ndim != 1 or n.shape[0] == 0 for n in nodes):
        raise ShapeError(
            f"{what} takes two vectors", f"shapes {nodes[0].shape} and {nodes[1].shape}", "one axis at a time"
        )
    for node in nodes:
        number(node.shape[0], what)
    return nodes


def _convolve_local(node: Node, k: int) -> TermSum:
    """By x: `(j + k | j) y[k]`; by y: `(j + k | k) x[j]`."""
    other, sizes = node.args[1 - k], (node.args[0].shape[0], node.args[1].shape[0])
    sum_of_both = affine(0, [(0, 1), (1, 1)])
    return TermSum(node.shape, (sizes[k],), (canonical(1, [(other, (1 - k,))], [sum_of_both], [k], sizes),))


rule("convolve", lambda params, x, y: np.convolve(x, y), _convolve_local)


@operation("multilinear", "x y", formula="(j + k | j) y[k] by x; (j + k | k) x[j] by y")
def convolve(x: Any, y: Any, mode: str = "full") -> Node:
    """z[j + k] = sum of x[j] y[k] of two vectors: everywhere ("full"), where both reach ("valid"), "same"."""
    x, y = _vectors(x, y, "np.convolve")
    n, m = x.shape[0], y.shape[0]
    if mode == "valid":
        return _slid(x, flip(y)) if n >= m else _slid(y, flip(x))
    if mode not in ("full", "same"):
        raise UnsupportedError(f"mode {mode!r} is not known", "", "full, same or valid")
    z = Node("convolve", (x, y), None, (n + m - 1,), promote((x, y)))
    start, length = (min(n, m) - 1) // 2, max(n, m)
    return z if mode == "full" else getitem(z, slice(start, start + length))


@operation("multilinear", "x y", serves="correlate", formula="(i | i + k) y[k] by x; (i | k) x[i + k] by y")
def correlate(x: Any, y: Any, mode: str = "valid") -> Node:
    """z[i] = sum_k x[i + k] y[k] of two vectors: where both reach ("valid"), everywhere ("full"), "same"."""
    x, y = _vectors(x, y, "np.correlate")
    if x.shape[0] < y.shape[0]:
        return flip(correlate(y, x, mode))
    return _slid(x, y) if mode == "valid" else convolve(x, flip(y), mode)


def _slid(x: Node, y: Node) -> Node:
    """`z[i] = sum_k x[i + k] y[k]` where y, the shorter, fits in: x read through a window, a strided view."""
    sizes = (x.shape[0] - y.shape[0] + 1, y.shape[0])
    window = selection(x, [affine(0, [(0, 1), (1, 1)])], (0, 1), sizes)
    return product([(window, (0, 1)), (y, (1,))], (0,), sizes)


def _interval(params: Any, x: Any, xp: Any) -> Any:
    """The number of the interval `xp[k] <= x < xp[k + 1]`, the outer ones for what lies outside."""
    return np.clip(np.searchsorted(np.real(xp), np.real(x), side="right") - 1, 0, len(xp) - 2)


rule("interval", _interval)


@operation("index map", "x xp fp", kink="the slope to the right at a knot, 0 outside")
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Node:
    """z = fp[k] + (x - xp[k]) (fp[k+1] - fp[k]) / (xp[k+1] - xp[k]), k x's interval; constant outside."""
    x, xp, fp = as_node(x), as_float(as_node(xp)), as_float(as_node(fp))
    if period is not None:
        raise UnsupportedError(
            "np.interp(period=) is not traced", "", "x % period, with the samples of one period"
        )
    if xp.ndim != 1 or xp.shape != fp.shape or number(xp.shape[0], "np.interp") < 2:
        raise ShapeError(
            "np.interp needs two vectors of samples",
            f"xp {xp.shape}, fp {fp.shape}",
            "equal sizes, at least 2",
        )
    low, high = getitem(xp, 0), getitem(xp, -1)
    below, above = make("less", x, low), make("greater", x, high)
    inside = where(below, low, where(above, high, x))
    k = Node("interval", (inside, xp), None, x.shape, np.dtype(np.int64))
    after = _text.add(k, 1)
    start, base = take(xp, k), take(fp, k)
    slope = make("divide", _text.add(take(fp, after), base, -1), _text.add(take(xp, after), start, -1))
    z: Node = _text.add(base, _text.multiply(_text.add(inside, start, -1), slope))
    z = z if left is None else where(below, left, z)
    return z if right is None else where(above, right, z)


def _vander(params: Any, x: Any) -> Any:
    x = np.asarray(x)
    return x[..., None] ** np.arange(params, dtype=x.real.dtype)


def _vander_local(node: Node, k: int) -> TermSum:
    """`d x[i]**k / d x[i] = k x[i]**(k - 1)`: the columns before, each times its number."""
    (x,) = node.args
    count = node.params
    if count < 2:
        return TermSum(node.shape, x.shape)
    lower = Node("vander", (x,), count - 1, (*x.shape, count - 1), node.dtype)
    slope = _text.multiply(lower, as_node(np.arange(1, count, dtype=np.dtype(node.dtype))))
    slope = place([(slope, 1)], x.ndim, count)
    return _written.terms("ik|i: s[ik]", {"s": slope}, node.shape, x.shape)


rule("vander", _vander, _vander_local)


@operation("index map", "x", formula="(i k | i) k x[i]**(k - 1)")
def vander(x: Any, N: Any = None, increasing: bool = False) -> Node:
    """z[i, k] = x[i]**(N - 1 - k), or x[i]**k where `increasing`."""
    x = as_node(x)
    if x.ndim != 1:
        raise ShapeError("np.vander takes a vector", f"x has {x.ndim} axes", "x.ravel()")
    count = number(x.shape[0], "np.vander") if N is None else int(N)
    powers = Node("vander", (x,), count, (*x.shape, count), x.dtype)
    return powers if increasing else flip(powers, 1)


@operation("multilinear", "p x", formula="x**(n - 1 - k) by p; sum_k p[k] k x**(k - 1) by x")
def polyval(p: Any, x: Any) -> Node:
    """z = sum_k p[k] x**(n - 1 - k), entry by entry of x; one contraction with the powers of x."""
    p, x = as_node(p), as_node(x)
    x = as_float(x, promote((p, x)))
    flat = reshape_node(x, (-1,))
    powers = vander(flat, number(p.shape[0], "np.polyval"))
    return reshape_node(product([(powers, (0, 1)), (p, (1,))], (0,), powers.shape), x.shape)
