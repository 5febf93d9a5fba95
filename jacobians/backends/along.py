"""What runs along axes on a library: reductions, softmax, running products, sorting, samples.

The libraries take numpy's `axis` and `keepdims`; no axes at all means everything to torch, so `_reduce` never
asks it that.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..expr import Node
from .base import Backend
from .operating import Act, Maker, aligned, elementwise


def _reduce(ns: Any, name: str, x: Any, axes: tuple[int, ...], keepdims: bool = False) -> Any:
    return getattr(ns, name)(x, axis=axes, keepdims=keepdims) if axes else x


def _extreme(name: str) -> Callable[..., Any]:
    return lambda ns, axes, x: _reduce(ns, name, x, axes)


def _top(ns: Any, x: Any, axes: tuple[int, ...]) -> Any:
    """The largest entry over some axes, 0 where it is infinite (or of none): exponents stay in range."""
    if any(x.shape[k] == 0 for k in axes):
        return 0.0
    top = _reduce(ns, "amax", x, axes, True)
    return ns.where(ns.isfinite(top), top, ns.zeros_like(top))


def _softmax(ns: Any, axes: tuple[int, ...], x: Any) -> Any:
    e = ns.exp(x - _top(ns, x, axes))
    return e / _reduce(ns, "sum", e, axes, True)


def _logsumexp(ns: Any, axes: tuple[int, ...], x: Any, keepdims: bool = False) -> Any:
    top = _top(ns, x, axes)
    whole = ns.log(_reduce(ns, "sum", ns.exp(x - top), axes, True)) + top
    shape = [n for k, n in enumerate(x.shape) if k not in axes]
    return whole if keepdims else ns.reshape(whole, shape)


def _var(ns: Any, params: tuple[tuple[int, ...], Any], x: Any) -> Any:
    axes, ddof = params
    apart = x - _reduce(ns, "mean", x, axes, True)
    return _reduce(ns, "sum", apart * apart, axes) / (math.prod([x.shape[k] for k in axes]) - ddof)


def _standardize(ns: Any, params: tuple[tuple[int, ...], float], x: Any) -> Any:
    axes, eps = params
    apart = x - _reduce(ns, "mean", x, axes, True)
    return apart / ns.sqrt(_reduce(ns, "mean", apart * apart, axes, True) + eps)


def _share(node: Node, backend: Backend) -> Act:
    ns, axes = backend.namespace, node.params

    def act(like: Any, x: Any, z: Any) -> Any:
        hit = backend.cast((x == z) | (x != x), node.dtype)
        return hit / _reduce(ns, "sum", hit, axes, True)

    return aligned(node, backend, act)


def _count(name: str) -> Callable[..., Any]:
    """Counts and truths: over no axes each entry by itself."""
    return lambda ns, axes, x: getattr(ns, name)(x, axis=axes) if axes else x != 0


# ---- products of all entries but some


def exclusive(ns: Any, x: Any) -> Any:
    """`y[..., i]` = product of `x[..., j]` over j != i: from the left times from the right."""
    one = ns.ones_like(x[..., :1])
    left = ns.cumprod(ns.concatenate([one, x[..., :-1]], -1), -1)
    right = ns.cumprod(ns.concatenate([one, ns.flip(x[..., 1:], (-1,))], -1), -1)
    return left * ns.flip(right, (-1,))


def products_of_others(order: int, size: int, backend: Backend) -> Act:
    """The act of `product_derivative` of that order on rows of `size` entries."""
    ns = backend.namespace
    if order == 0:
        return lambda like, x: ns.prod(x, -1)
    places = np.indices((size,) * order)
    last = places[-1]
    gone = np.any([place == last for place in places[:-1]], axis=0) if order > 1 else None
    distinct = np.all([places[p] != places[q] for p in range(order) for q in range(p)], axis=0)

    def act(like: Any, x: Any) -> Any:
        kept = ns.reshape(x, (*x.shape[:-1], *(1,) * (order - 1), size))
        if gone is None:
            return exclusive(ns, kept)
        others = exclusive(ns, ns.where(backend.asarray(gone, like), ns.ones_like(kept), kept))
        return ns.where(backend.asarray(distinct, like), others, ns.zeros_like(others))

    return act


def _product_derivative(node: Node, backend: Backend) -> Act:
    return products_of_others(node.params, int(node.args[0].shape[-1]), backend)


# ---- sorting and samples


def _searchsorted(ns: Any, side: str, x: Any, y: Any) -> Any:
    y = y.contiguous() if hasattr(y, "contiguous") else y  # torch warns that it copies
    return ns.searchsorted(x, y, side=side)


def _interval(ns: Any, params: None, x: Any, xp: Any) -> Any:
    return ns.clip(_searchsorted(ns, "right", xp, x) - 1, 0, len(xp) - 2)


def _vander(node: Node, backend: Backend) -> Act:
    powers = np.arange(node.params, dtype=np.dtype(node.dtype))
    return aligned(node, backend, lambda like, x: x[..., None] ** backend.asarray(powers, like))


def _convolve(node: Node, backend: Backend) -> Act:
    ns = backend.namespace
    sizes = [int(arg.shape[0]) for arg in node.args]

    def slid(like: Any, x: Any, y: Any) -> Any:
        """torch: the longer through a window of the shorter's size, a strided view."""
        x, y = (x, y) if sizes[0] >= sizes[1] else (y, x)
        around = ns.nn.functional.pad(x, (min(sizes) - 1,) * 2)
        return ns.matmul(around.unfold(0, min(sizes), 1), ns.flip(y, (0,)))

    if hasattr(ns, "convolve"):
        return aligned(node, backend, lambda like, x, y: ns.convolve(x, y, precision="highest"))
    return aligned(node, backend, slid)


ALONG: dict[str, Maker] = {
    "max": elementwise(_extreme("amax")),
    "min": elementwise(_extreme("amin")),
    "norm": elementwise(lambda ns, axes, x: ns.sqrt(_reduce(ns, "sum", x * x, axes))),
    "softmax": elementwise(_softmax),
    "logsumexp": elementwise(_logsumexp),
    "log_softmax": elementwise(lambda ns, axes, x: x - _logsumexp(ns, axes, x, True)),
    "standardize": elementwise(_standardize),
    "var": elementwise(_var),
    "std": elementwise(lambda ns, params, x: ns.sqrt(_var(ns, params, x))),
    "share": _share,
    "any": elementwise(_count("any")),
    "all": elementwise(_count("all")),
    "count_nonzero": elementwise(_count("count_nonzero")),
    "cumsum": elementwise(lambda ns, p, x: ns.cumsum(x, -1)),
    "cumprod": elementwise(lambda ns, p, x: ns.cumprod(x, -1)),
    "product_derivative": _product_derivative,
    "argsort": elementwise(lambda ns, axis, x: ns.argsort(x, axis=axis, stable=True)),
    "argmax": elementwise(lambda ns, axis, x: ns.argmax(x, axis=axis)),
    "argmin": elementwise(lambda ns, axis, x: ns.argmin(x, axis=axis)),
    "searchsorted": elementwise(_searchsorted),
    "interval": elementwise(_interval),
    "vander": _vander,
    "convolve": _convolve,
}
