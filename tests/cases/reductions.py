"""Rows of the reductions: extremes, products and running sums, norms, statistics, counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import Case
from .index_maps import PROMOTES, _sorted

X, Y, V = (2, 3, 4), (2, 3), (4,)


def _with_zeros(count: int) -> Any:
    """A row of entries with `count` zeros among them."""

    def make(rng: np.random.Generator) -> tuple[Any, ...]:
        x = rng.uniform(0.5, 1.5, (2, 4)) * np.array([1, -1, 1, 1])
        x[0, [1, 3][:count]] = 0.0
        return (x,)

    return make


def _zeros(name: str, call: Any, count: int, id: str = "", order: int = 2) -> Case:
    return Case(name, call, ((2, 4),), make=_with_zeros(count), id=f"{id}zeros-{count}", order=order)


def _missing(*shape: int) -> Any:
    def make(rng: np.random.Generator) -> tuple[Any, ...]:
        x = rng.permutation(int(np.prod(shape))).reshape(shape) / 3.0 - 0.9
        x.flat[[0, 5]] = np.nan
        return (x,)

    return make


def _nan(name: str, call: Any, id: str = "") -> Case:
    """A function of an array with two entries that are not numbers, shifted by a number for every row."""
    hole = _missing(3, 4)(np.random.default_rng(7))[0]
    return Case(name, lambda y: call(hole + y), ((3, 1),), (0.5, 1.5), "difference", id=id)


EXTREMES = [
    _sorted("max", lambda x: np.max(x) ** 2, 2, 3),
    _sorted("max", lambda x: x.max(axis=1), 2, 3, 4, id="axis"),
    _sorted("max", lambda x: np.amax(x, axis=(0, -1), keepdims=True) * x, 2, 3, 4, id="axes"),
    _sorted("max", lambda x: np.max(x, axis=0, initial=0.3), 3, 2, id="initial"),
    _sorted("max", lambda x: np.maximum.reduce(x), 3, 2, id="reduce"),
    _sorted("min", lambda x: np.min(x, axis=0) ** 2, 3, 4),
    _sorted("min", lambda x: np.amin(x), 5, id="all"),
    _sorted("ptp", lambda x: np.ptp(x, axis=1) ** 2, 3, 4),
    _nan("nanmax", lambda x: np.nanmax(x, axis=1)),
    _nan("nanmin", lambda x: np.nanmin(x, axis=0, keepdims=True) ** 2),
]

PRODUCTS = [
    Case("prod", lambda x: np.prod(x), (Y,)),
    Case("prod", lambda x: x.prod(axis=1), (X,), id="axis"),
    Case("prod", lambda x: np.prod(x, axis=(0, 2), keepdims=True) * x, (X,), id="axes"),
    Case("prod", lambda x: np.prod(x, axis=0, initial=2.0), (X,), id="initial"),
    Case("prod", lambda x: np.multiply.reduce(x, axis=1), (Y,), id="reduce"),
    *(_zeros("prod", lambda x: x.prod(axis=1), count) for count in (0, 1, 2)),
    _zeros("prod", lambda x: x.prod(axis=1) ** 2 + x.prod(), 1, "composed-"),
    Case("prod", lambda x: np.prod(x) * x[0], ((1,),), id="one"),
    Case("cumprod", lambda x: np.cumprod(x), (Y,)),
    Case("cumprod", lambda x: x.cumprod(axis=0) ** 2, ((4, 2),), id="axis"),
    *(_zeros("cumprod", lambda x: np.cumprod(x, axis=1), count) for count in (0, 1, 2)),
    Case("cumsum", lambda x: np.cumsum(x), (Y,)),
    Case("cumsum", lambda x: x.cumsum(axis=1) ** 2, (X,), id="axis"),
    Case("cumsum", lambda x: np.add.accumulate(x) ** 2, (V,), id="accumulate"),
    Case("cumsum", lambda x: np.cumsum(np.cumsum(x, axis=0) ** 2, axis=1), (Y,), id="twice"),
    _nan("nanprod", lambda x: np.nanprod(x, axis=1)),
    _nan("nancumsum", lambda x: np.nancumsum(x, axis=1) ** 2),
    _nan("nancumprod", lambda x: np.nancumprod(x, axis=0)),
]

APART = (0.3, 1.4)


def _norm(order: Any, axis: Any = None, shape: tuple[int, ...] = V, id: str = "", **more: Any) -> Case:
    def call(x: Any) -> Any:
        return np.linalg.norm(x - 0.8, ord=order, axis=axis, **more)

    def make(rng: np.random.Generator) -> tuple[Any, ...]:
        return (_signs(rng, shape) + 0.8,)

    return Case("norm", call, (shape,), oracle="difference", make=make, id=f"{order}{id}")


def _signs(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Entries of both signs whose sizes are at least 0.05 apart."""
    count = int(np.prod(shape))
    sizes = 0.3 + rng.permutation(count) / count + rng.uniform(0, 0.05, count)
    return (sizes * np.where(np.arange(count) % 3 == 1, -1, 1)).reshape(shape)


NORMS = [
    Case("norm", lambda x: np.linalg.norm(x), (V,), oracle="difference"),
    Case("norm", lambda x: np.linalg.norm(x) ** 2, (X,), oracle="difference", id="tensor"),
    Case("norm", lambda x: np.linalg.norm(x, axis=1), (X,), oracle="difference", id="axis"),
    Case(
        "norm",
        lambda x: x / np.linalg.norm(x, axis=-1, keepdims=True),
        (Y,),
        oracle="difference",
        id="normalised",
    ),
    Case("norm", lambda x: np.linalg.norm(x, "fro"), (Y,), oracle="difference", id="frobenius"),
    Case("norm", lambda x: np.linalg.norm(x, axis=(0, 2)), (X,), oracle="difference", id="matrices"),
    *(_norm(order) for order in (1, 2, 3, 4, 2.5, 1.5, 0.5, -2, 0, np.inf, -np.inf)),
    *(_norm(order, axis=(0, 2), shape=X, id="-matrices") for order in (1, -1, np.inf, -np.inf)),
    *(_norm(order, shape=Y, id="-matrix") for order in ("nuc", 2, -2)),
    _norm(1, axis=(2, 0), shape=X, id="-keepdims", keepdims=True),
    Case(
        "norm",
        lambda x: np.linalg.norm(x, 3, axis=0),
        ((4, 2),),
        oracle="difference",
        id="3-with-zero",
        make=lambda rng: (np.array([[0.7, 0.0], [-0.4, 0.9], [1.1, 0.3], [0.2, 0.8]]),),
        order=1,
    ),
    Case("vector_norm", lambda x: np.linalg.vector_norm(x), (X,), oracle="difference"),
    Case(
        "vector_norm",
        lambda x: np.linalg.vector_norm(x, axis=(0, 1), ord=3, keepdims=True),
        (X,),
        APART,
        "difference",
        id="order",
    ),
    Case("matrix_norm", lambda x: np.linalg.matrix_norm(x), (X,), oracle="difference"),
    Case(
        "matrix_norm",
        lambda x: np.linalg.matrix_norm(x, ord=1, keepdims=True),
        (X,),
        APART,
        "difference",
        id="columns",
    ),
]


def _variance(x: Any, axis: Any = None, ddof: float = 0, keepdims: bool = False) -> Any:
    """The variance as an analytic function (numpy's own takes sizes of complex numbers)."""
    apart = x - x.mean(axis=axis, keepdims=True)
    squares = (apart * apart).mean(axis=axis, keepdims=keepdims)
    count = apart.size / np.size(squares)
    return squares * count / (count - ddof)


def _cov(x: Any, **more: Any) -> Any:
    apart = x - x.mean(axis=1, keepdims=True)
    return apart @ apart.T / (x.shape[1] - 1)


STATISTICS = [
    Case("var", lambda x: np.var(x), (Y,), primal=_variance),
    Case(
        "var",
        lambda x: x.var(axis=(0, 2), keepdims=True),
        (X,),
        primal=lambda x: _variance(x, (0, 2), 0, True),
        id="axes",
    ),
    Case(
        "var",
        lambda x: np.var(x, axis=1, ddof=1) ** 2,
        (X,),
        primal=lambda x: _variance(x, 1, 1) ** 2,
        id="ddof",
    ),
    Case(
        "var",
        lambda x: np.var(x, correction=1),
        (V,),
        primal=lambda x: _variance(x, None, 1),
        id="correction",
    ),
    Case("std", lambda x: np.std(x, axis=0), ((4, 2),), primal=lambda x: np.sqrt(_variance(x, 0))),
    Case(
        "std",
        lambda x: x.std(ddof=1, keepdims=True) * x,
        (Y,),
        primal=lambda x: np.sqrt(_variance(x, None, 1)) * x,
        id="ddof",
    ),
    Case(
        "std",
        lambda x: (x - x.mean()) / x.std(),
        (V,),
        primal=lambda x: (x - x.mean()) / np.sqrt(_variance(x)),
        id="scores",
    ),
    Case("average", lambda x: np.average(x, axis=1), (X,)),
    Case("average", lambda x, w: np.average(x, weights=w), (Y, Y), APART, id="weights"),
    Case("average", lambda x, w: np.average(x, 1, w, keepdims=True), (X, (3,)), APART, id="axis"),
    Case(
        "average",
        lambda x, w: np.average(x, weights=w, axis=0, returned=True),
        (Y, (2,)),
        APART,
        id="returned",
    ),
    Case("cov", lambda x: np.cov(x), ((3, 4),), primal=_cov, tags=PROMOTES),
    Case("cov", lambda x: np.cov(x.T, rowvar=False), ((3, 4),), primal=_cov, id="columns", tags=PROMOTES),
    Case(
        "cov",
        lambda x, y: np.cov(x, y),
        ((5,), (5,)),
        primal=lambda x, y: _cov(np.stack([x, y])),
        id="two",
        tags=PROMOTES,
    ),
    Case(
        "cov", lambda x: np.cov(x, bias=True), ((5,),), primal=lambda x: _variance(x), id="one", tags=PROMOTES
    ),
    Case("corrcoef", lambda x: np.corrcoef(x), ((3, 4),), oracle="difference", tags=PROMOTES),
    _nan("nansum", lambda x: np.nansum(x, axis=1) ** 2),
    _nan("nanmean", lambda x: np.nanmean(x, axis=0)),
    _nan("nanmean", lambda x: np.nanmean(x) ** 2, "all"),
]

COUNTS = [
    Case("count_nonzero", lambda x: x * np.count_nonzero(x > 0.2, axis=0), (Y,), oracle="difference"),
    Case(
        "any", lambda x: np.where(np.any(x > 1, axis=1, keepdims=True), x, x * x), (Y,), oracle="difference"
    ),
    Case("all", lambda x: np.where((x < 1).all(), x, x * x), (Y,), oracle="difference"),
    Case("nonzero", lambda x: x[np.nonzero([0, 1, 1, 0])], (V,), id="constant"),
]

CASES: list[Case] = [*EXTREMES, *PRODUCTS, *NORMS, *STATISTICS, *COUNTS]
