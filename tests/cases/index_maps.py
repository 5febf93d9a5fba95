"""Rows of the index maps: reshaping, indexing, joining, rearranging, sorting, functions by samples."""

from __future__ import annotations

from typing import Any

import numpy as np

from jacobians import functions

from . import Case

X, Y, V, W = (2, 3, 4), (2, 3), (5,), (3,)
PROMOTES = frozenset({"numpy-promotes"})
PLACES = np.array([[2, 0], [1, 1], [0, 2]])
ALONG = np.array([[[3, 0], [1, 1], [2, 0]], [[0, 0], [3, 2], [1, 3]]])
KNOTS = np.array([-1.6, -0.4, 0.3, 1.1, 1.7])
SAMPLES = np.array([0.5, -1.0, 2.0, 0.25, 3.0])


def _spread(*shape: int) -> Any:
    """Entries at least 0.1 apart in random order: no ties, whatever the step of a difference."""

    def make(rng: np.random.Generator) -> tuple[Any, ...]:
        count = int(np.prod(shape))
        return (rng.permutation(count).reshape(shape) / 3.0 - 1.0 + rng.uniform(-0.1, 0.1, shape),)

    return make


def _sorted(name: str, call: Any, *shape: int, id: str = "", **more: Any) -> Case:
    return Case(name, call, (shape,), oracle="difference", make=_spread(*shape), id=id, **more)


RESHAPING = [
    Case("reshape", lambda x: x.reshape(4, 6), (X,)),
    Case("reshape", lambda x: np.reshape(x, (3, -1)), (X,), id="unknown"),
    Case("reshape", lambda x: np.reshape(x, (6, 4), order="F"), (X,), id="columns"),
    Case("reshape", lambda x: x.reshape(2, 1, 12), (X,), id="merge"),
    Case("reshape", lambda x: (x.reshape(8, 3) ** 2).reshape(X), (X,), id="there-and-back"),
    Case("ravel", lambda x: x.ravel() ** 2, (X,)),
    Case("ravel", lambda x: np.ravel(x, order="F"), (Y,), id="columns"),
    Case("ravel", lambda x: x.flatten() * 2, (Y,), id="flatten"),
    Case("vec", lambda x: functions.vec(x) ** 2, (Y,)),
    Case("atleast_1d", lambda x, y: np.atleast_1d(x, y), ((), W)),
    Case("atleast_2d", lambda x: np.atleast_2d(x) * x, (W,)),
    Case("atleast_3d", lambda x, y: np.atleast_3d(x, y), (W, Y)),
]

INDEXING = [
    Case("getitem", lambda x: x[1], (X,), id="integer"),
    Case("getitem", lambda x: x[:, 1:, ::2], (X,), id="slices"),
    Case("getitem", lambda x: x[..., -1], (X,), id="ellipsis"),
    Case("getitem", lambda x: x[:, None, 1], (X,), id="new-axis"),
    Case("getitem", lambda x: x[::-1, :0:-1], (Y,), id="backwards"),
    Case("getitem", lambda x: x[:, PLACES], (X,), id="array"),
    Case("getitem", lambda x: x[[1, 0, 1], :, [0, 3, 3]], (X,), id="arrays-apart"),
    Case("getitem", lambda x: x[np.arange(12).reshape(3, 4) % 5 > 1], ((3, 4),), id="mask"),
    Case("getitem", lambda x: x[1:] - x[:-1], (V,), id="differences"),
    Case("getitem", lambda x: x[np.argsort(np.arange(5) % 3)] ** 2, (V,), id="permutation"),
    _sorted("getitem", lambda x: x[np.argmax(x)] ** 2, 5, id="traced-integer"),
    Case("take", lambda x: np.take(x, [5, 0, 5]), (Y,)),
    Case("take", lambda x: x.take(PLACES, axis=1), (X,), id="axis"),
    Case("take", lambda x: np.take(x, [4, -1, 7], axis=-1, mode="wrap"), (X,), id="wrap"),
    Case("take", lambda x: np.take(x, [4, -1, 7], axis=1, mode="clip"), (X,), id="clip"),
    Case("take", lambda x: np.take(x, 2, axis=1) ** 2, (X,), id="one"),
    Case("take_along_axis", lambda x: np.take_along_axis(x, ALONG, axis=2), (X,)),
    Case(
        "take_along_axis",
        lambda x: np.take_along_axis(x, ALONG[:, :1, :] % 3, 1) ** 2,
        ((2, 3, 2),),
        id="middle",
    ),
    Case(
        "take_along_axis",
        lambda x: np.take_along_axis(x, np.array([[[-1], [0], [1]]]), axis=2),
        (X,),
        id="stretched",
    ),
    _sorted(
        "take_along_axis",
        lambda x: np.take_along_axis(x, np.argsort(-x, axis=0), axis=0) ** 2,
        4,
        3,
        id="traced",
    ),
    Case("compress", lambda x: np.compress([True, False, True], x, axis=1), (X,)),
    Case("compress", lambda x: np.compress([False, True, True], x) ** 2, (Y,), id="flat"),
    Case("extract", lambda x: np.extract(np.arange(6).reshape(Y) % 2, x) ** 2, (Y,)),
    Case("delete", lambda x: np.delete(x, 1, axis=1), (X,)),
    Case("delete", lambda x: np.delete(x, [0, 3]) ** 2, (Y,), id="flat"),
    Case("delete", lambda x: np.delete(x, slice(1, 3), axis=-1), (X,), id="slice"),
]

JOINING = [
    Case("concatenate", lambda x, y: np.concatenate([x, y]), (Y, (4, 3))),
    Case(
        "concatenate", lambda x, y: np.concatenate((x, y, x), axis=-1) ** 2, (Y, (2, 4)), id="last-axis-twice"
    ),
    Case("concatenate", lambda x, y: np.concat([x, y], axis=None), (Y, (4,)), id="flat"),
    Case("concatenate", lambda x: np.concatenate([x, np.ones((2, 1))], axis=1), (Y,), id="constant"),
    Case("stack", lambda x, y: np.stack([x, y]), (Y, Y)),
    Case("stack", lambda x, y: np.stack([x, y * x], axis=-1), (Y, Y), id="last-axis"),
    Case("stack", lambda x, y: np.stack([x, y]), ((), ()), id="scalars"),
    Case("hstack", lambda x, y: np.hstack([x, y]), (Y, (2, 4))),
    Case("hstack", lambda x, y: np.hstack([x, y]) ** 2, (W, ()), id="vectors"),
    Case("vstack", lambda x, y: np.vstack([x, y]), (Y, W)),
    Case("dstack", lambda x, y: np.dstack([x, y]) ** 2, (Y, Y)),
    Case("column_stack", lambda x, y: np.column_stack([x, y]), ((2,), Y)),
    Case("block", lambda x, y: np.block([[x, np.zeros((2, 2))], [np.ones((1, 3)), y]]), (Y, (2,))),
    Case("block", lambda x, y: np.block([x, y, 2.0]) ** 2, (W, V), id="row"),
    Case("append", lambda x, y: np.append(x, y), (Y, W)),
    Case("append", lambda x, y: np.append(x, y, axis=1), (Y, (2, 4)), id="axis"),
    Case("insert", lambda x, y: np.insert(x, 1, y, axis=1), (Y, (2,)), oracle="difference"),
    Case("insert", lambda x, y: np.insert(x, [0, 2, 5], y), (V, W), oracle="difference", id="several"),
    Case(
        "insert", lambda x, y: np.insert(x, [1], y, axis=0), (Y, (4, 3)), oracle="difference", id="one-place"
    ),
    Case(
        "insert",
        lambda x, y: np.insert(x, slice(0, 2), y, axis=-1) ** 2,
        (Y, ()),
        oracle="difference",
        id="slice",
    ),
    Case("split", lambda x: np.split(x, 2, axis=-1), (X,)),
    Case("split", lambda x: np.split(x, [1, 4])[1] ** 2, (V,), id="places"),
    Case("array_split", lambda x: np.array_split(x, 3), (V,)),
    Case("hsplit", lambda x: np.hsplit(x, [1]), (X,)),
    Case("hsplit", lambda x: np.hsplit(x, [1])[0] ** 2, (V,), id="vector"),
    Case("vsplit", lambda x: np.vsplit(x, 2)[1] ** 2, (X,)),
    Case("dsplit", lambda x: np.dsplit(x, 2), (X,)),
    Case("unstack", lambda x: np.unstack(x, axis=1), (Y,)),
]

REARRANGING = [
    Case("flip", lambda x: np.flip(x), (X,)),
    Case("flip", lambda x: np.flip(x, axis=(0, -1)) ** 2, (X,), id="axes"),
    Case("fliplr", lambda x: np.fliplr(x) * x, (Y,)),
    Case("flipud", lambda x: np.flipud(x) * x, (Y,)),
    *(Case("rot90", lambda x, k=k: np.rot90(x, k), (Y,), id=f"{k}") for k in (-1, 0, 1, 2, 3)),
    Case("rot90", lambda x: np.rot90(x, axes=(2, 1)) ** 2, (X,), id="axes"),
    Case("roll", lambda x: np.roll(x, 2), (V,)),
    Case("roll", lambda x: np.roll(x, -7, axis=1) * x, (X,), id="axis"),
    Case("roll", lambda x: np.roll(x, (1, -1), axis=(0, 2)), (X,), id="axes"),
    Case("roll", lambda x: np.roll(x, 4) ** 2, (Y,), id="flat"),
    Case("roll", lambda x: np.roll(x, 1, 0) + np.roll(x, -1, 0) - 2 * x, (V,), id="laplacian"),
    Case("repeat", lambda x: np.repeat(x, 2), (Y,)),
    Case("repeat", lambda x: x.repeat(3, axis=0) ** 2, (Y,), id="axis"),
    Case("repeat", lambda x: np.repeat(x, [2, 0, 1], axis=1), (X,), id="counts"),
    Case("tile", lambda x: np.tile(x, 2), (Y,)),
    Case("tile", lambda x: np.tile(x, (3, 2, 1)) ** 2, (Y,), id="more-axes"),
    Case("tile", lambda x: np.tile(x, (2,)), (X,), id="fewer-axes"),
    Case("resize", lambda x: np.resize(x, (4, 2)) ** 2, (Y,)),
    Case("resize", lambda x: np.resize(x, 3), (Y,), id="shorter"),
    Case("pad", lambda x: np.pad(x, 1), (Y,)),
    Case("pad", lambda x: np.pad(x, ((0, 2), (1, 0)), constant_values=1.5) ** 2, (Y,), id="values"),
    Case("pad", lambda x: np.pad(x, {-1: (1, 2)}, constant_values=((0, 0), (2, 3))), (Y,), id="mapping"),
    *(
        Case("pad", lambda x, m=m: np.pad(x, ((2, 1), (0, 3)), m) ** 2, ((3, 4),), id=m)
        for m in ("edge", "reflect", "symmetric", "wrap")
    ),
    Case("tril", lambda x: np.tril(x), (Y,)),
    Case("tril", lambda x: np.tril(x, -1) ** 2, (X,), id="below"),
    Case("tril", lambda x: np.tril(x), (W,), id="vector"),
    Case("triu", lambda x: np.triu(x, 1), (X,)),
    Case("triu", lambda x: np.triu(x) ** 2, ((4, 3),), id="square"),
]

SORTING = [
    _sorted("sort", np.sort, 5),
    _sorted("sort", lambda x: np.sort(x, axis=0) ** 2, 3, 4, id="axis"),
    _sorted("sort", lambda x: np.sort(np.tanh(x), axis=None) * np.arange(6.0), 2, 3, id="flat"),
    _sorted("sort", lambda x: np.cumsum(np.sort(x, axis=1), axis=1) ** 2, 2, 3, id="composed"),
    _sorted("argsort", lambda x: x[np.argsort(x, axis=None) // 3] ** 2, 5),
    _sorted("argsort", lambda x: x * x.argsort(axis=0), 3, 2, id="axis"),
    _sorted("argmax", lambda x: x * np.argmax(x, axis=1, keepdims=True), 2, 3),
    _sorted("argmax", lambda x: x * x.argmax(), 2, 3, id="flat"),
    _sorted("argmin", lambda x: x * np.argmin(x, axis=0), 2, 3),
    Case("searchsorted", lambda x: x * np.searchsorted(KNOTS, x), (Y,), oracle="difference"),
    Case(
        "searchsorted",
        lambda x: x * np.searchsorted(KNOTS, x, side="right"),
        (W,),
        oracle="difference",
        id="right",
    ),
    _sorted("median", lambda x: np.median(x) ** 2, 5, id="odd"),
    _sorted("median", lambda x: np.median(x, axis=1), 3, 4, id="even"),
    _sorted("median", lambda x: np.median(x, axis=(0, 2), keepdims=True) * x, 2, 3, 4, id="axes"),
    _sorted("quantile", lambda x: np.quantile(x, 0.3) ** 2, 5),
    _sorted("quantile", lambda x: np.quantile(x, [0.1, 1.0], axis=0), 4, 3, id="several", tags=PROMOTES),
    _sorted(
        "percentile", lambda x: np.percentile(x, [[25, 50, 80]], axis=1, keepdims=True), 2, 5, tags=PROMOTES
    ),
]

SAMPLED = [
    Case("diff", lambda x: np.diff(x), (X,)),
    Case("diff", lambda x: np.diff(x, n=2, axis=0) ** 2, ((4, 3),), id="twice"),
    Case("diff", lambda x, y: np.diff(x, axis=1, prepend=0.0, append=y), (Y, (2, 2)), id="ends"),
    Case("ediff1d", lambda x: np.ediff1d(x), (Y,)),
    Case(
        "ediff1d",
        lambda x, y: np.ediff1d(x, to_end=y, to_begin=np.ones(1, x.dtype)) ** 2,
        (V, W),
        oracle="difference",
        id="ends",
    ),
    Case("gradient", lambda x: np.gradient(x), (V,)),
    Case("gradient", lambda x: np.gradient(x, 0.5, axis=1) ** 2, ((3, 4),), id="spacing"),
    Case(
        "gradient", lambda x: np.gradient(x, 2.0, np.array([0.0, 1.0, 3.0, 4.5])), ((3, 4),), id="coordinates"
    ),
    Case("gradient", lambda x: np.gradient(x, KNOTS, edge_order=2), (V,), id="edge-order"),
    Case("gradient", lambda x: np.gradient(x), ((2,),), id="two-samples"),
    Case("trapezoid", lambda x: np.trapezoid(x), (Y,)),
    Case("trapezoid", lambda y, x: np.trapezoid(y, x, axis=0), (Y, (2,)), id="coordinates"),
    Case("trapezoid", lambda y, x: np.trapezoid(y, x=x, axis=1) ** 2, (Y, Y), id="coordinates-each"),
    Case("trapezoid", lambda y: np.trapezoid(y, dx=0.25, axis=0) ** 2, (Y,), id="spacing"),
    *(
        Case("convolve", lambda x, y, m=m: np.convolve(x, y, m), ((6,), (4,)), id=m)
        for m in ("full", "same", "valid")
    ),
    *(
        Case("convolve", lambda x, y, m=m: np.convolve(x, y, m), ((2,), (5,)), id=f"{m}-longer")
        for m in ("full", "same", "valid")
    ),
    *(
        Case("correlate", lambda x, y, m=m: np.correlate(x, y, m), ((6,), (4,)), id=m, oracle="difference")
        for m in ("full", "same", "valid")
    ),
    *(
        Case(
            "correlate",
            lambda x, y, m=m: np.correlate(x, y, m),
            ((2,), (5,)),
            id=f"{m}-longer",
            oracle="difference",
        )
        for m in ("full", "same", "valid")
    ),
    Case("convolve", lambda x: np.convolve(x, [1.0, -2.0, 0.5], "same") ** 2, (V,), id="constant"),
    Case("correlate", lambda x: np.correlate(x, x, "full"), (W,), id="itself", oracle="difference"),
    Case("interp", lambda f: np.interp(np.linspace(-2, 2, 6), KNOTS, f) ** 2, (V,)),
    Case("interp", lambda x: np.interp(x, KNOTS, SAMPLES), (Y,), (-1.4, 1.6), "difference", id="x"),
    Case(
        "interp",
        lambda x, k, f: np.interp(x, k + KNOTS, f),
        ((4,), (), V),
        oracle="difference",
        make=lambda rng: (np.array([-1.0, 0.1, 0.7, 1.5]), np.float64(0.05), rng.normal(size=5)),
        id="all",
    ),
    Case(
        "interp",
        lambda x: np.interp(x, KNOTS, SAMPLES, left=-1, right=7) * x,
        ((3,),),
        oracle="difference",
        make=lambda rng: (np.array([-3.0, 0.1, 2.5]),),
        id="outside",
    ),
    Case("vander", lambda x: np.vander(x), (W,), tags=PROMOTES),
    Case("vander", lambda x: np.vander(x, 5, increasing=True), (W,), id="increasing", tags=PROMOTES),
    Case(
        "vander",
        lambda x: np.vander(x, 4),
        make=lambda rng: (np.array([0.0, 1.5, -0.3]),),
        shapes=(W,),
        id="zero",
        tags=PROMOTES,
    ),
    Case("vander", lambda x: np.vander(x, 1), (W,), id="one-column", tags=PROMOTES),
    Case("polyval", lambda p, x: np.polyval(p, x), ((4,), Y)),
    Case("polyval", lambda x: np.polyval([2.0, 0.0, -1.0], x) ** 2, ((),), id="constant"),
]

CASES: list[Case] = [*RESHAPING, *INDEXING, *JOINING, *REARRANGING, *SORTING, *SAMPLED]
