"""Writing a Jacobian out: zeros, viewed through each wiring, with the core written there.

`zeros_for` makes the array, `write` fills it, one Term at a time.  A repeated label is a diagonal view, an
affine slot a strided one, so only the entries that can be nonzero are touched.
"""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np

from . import pages
from .errors import ShapeError
from .expr import Node
from .ops.structural import add_through, is_injective, spread
from .plan import evaluate
from .terms import Term, TermSum, core
from .wiring import encode, indices, strided, view


def cleared(out: Any, shape: tuple[int, ...]) -> np.ndarray:
    """`out`, filled with zeros; raises ShapeError where it is no array of floats of this shape."""
    array = isinstance(out, np.ndarray)
    if not array or out.shape != shape or out.dtype.kind != "f":
        raise ShapeError(
            "out has another shape" if array and out.dtype.kind == "f" else "out is no array of floats",
            f"out is {f'{out.dtype} {out.shape}' if array else type(out).__name__}, the Jacobian {shape}",
            "np.empty(J.shape)",
        )
    out[...] = 0
    return out  # type: ignore[no-any-return]


def zeros_for(whole: TermSum, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Zeros for a dense Jacobian, on pages chosen by how many of them its wirings reach."""
    if np.dtype(dtype).itemsize * math.prod(shape) < pages.LARGE:
        return np.zeros(shape, dtype)
    return pages.zeros(shape, dtype, reached(whole, shape, dtype))


def reached(whole: TermSum, shape: tuple[int, ...], dtype: Any) -> float:
    """The share of the dense array's pages that its wirings reach."""
    itemsize = np.dtype(dtype).itemsize
    steps = [itemsize * math.prod(shape[k + 1 :]) for k in range(len(shape))]
    walks = []
    for t in whole.terms:
        wiring = t.wiring
        slots, _ = encode((*t.target, *t.input), {label: k for k, label in enumerate(wiring)})
        walk = strided(slots, steps, len(wiring))
        if walk is None:
            return 1.0
        walks.append(([int(t.sizes[k]) for k in wiring], walk[1]))
    return pages.written_fraction(walks, itemsize, itemsize * math.prod(shape))


def write(out: np.ndarray, whole: TermSum) -> np.ndarray:
    """Writes a Jacobian (factors holding their arrays) into zeros, its largest Term first."""
    fresh = True
    for t in sorted(whole.terms, key=lambda t: -math.prod(int(t.sizes[k]) for k in t.wiring)):
        add_term(out, t, fresh)
        fresh = False
    return out


def add_term(out: np.ndarray, t: Term, fresh: bool = False) -> None:
    """Adds one Term into `out`; writes without reading where `out` is `fresh` zeros."""
    wiring = t.wiring
    order = {label: k for k, label in enumerate(wiring)}
    slots, tables = encode((*t.target, *t.input), order)
    sizes = tuple(int(t.sizes[label]) for label in wiring)
    through = view(out, slots, sizes) if is_injective(slots, sizes) else None
    if through is not None and fresh and t.factors and _nothing_summed(t):
        return _write_product(through, t, order)
    node, labels = core(t)
    value = evaluate([node])[0]
    array = spread(np.asarray(value), tuple(order[k] for k in labels), len(wiring))
    if through is not None and fresh:
        np.multiply(array, t.coefficient, out=through) if t.coefficient != 1 else np.copyto(through, array)
        return None
    add_through(out, slots, sizes, evaluate(tables), array, t.coefficient)
    return None


def _nothing_summed(t: Term) -> bool:
    """Whether the Term's factors only need broadcasting products (a mask selects instead)."""
    masked = len(t.factors) > 1 and any(node.dtype == bool for node, _ in t.factors)
    distinct = all(len(set(labels)) == len(labels) for _, labels in t.factors)
    return t.carried <= set(t.wiring) and distinct and not masked


def _write_product(through: np.ndarray, t: Term, order: dict[int, int]) -> None:
    """`through[labels] = coefficient * product of factors`: small products first, the large one in place."""
    arrays = [
        spread(np.asarray(_array(node)), tuple(order[k] for k in labels), through.ndim)
        for node, labels in t.factors
    ]
    if t.coefficient != 1:
        arrays.append(np.asarray(t.coefficient, arrays[0].dtype if arrays[0].dtype.kind == "f" else None))
    while len(arrays) > 2:
        i, j = min(
            combinations(range(len(arrays)), 2), key=lambda pair: _joint(arrays[pair[0]], arrays[pair[1]])
        )
        arrays.append(arrays[i] * arrays[j])
        del arrays[j], arrays[i]
    if len(arrays) == 2:
        np.multiply(arrays[0], arrays[1], out=through)
    else:
        np.copyto(through, arrays[0])


def _array(node: Node) -> Any:
    return node.value if node.value is not None else evaluate([node])[0]


def _joint(a: np.ndarray, b: np.ndarray) -> int:
    return math.prod(np.broadcast_shapes(a.shape, b.shape))


def triplets(whole: TermSum) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...], np.ndarray]:
    """Target places, input places and values of every entry that the Terms reach, one after another."""
    targets: list[list[np.ndarray]] = [[] for _ in whole.target_shape]
    inputs: list[list[np.ndarray]] = [[] for _ in whole.input_shape]
    values: list[np.ndarray] = []
    for t in whole.terms:
        wiring = t.wiring
        order = {label: k for k, label in enumerate(wiring)}
        slots, tables = encode((*t.target, *t.input), order)
        sizes = tuple(int(t.sizes[label]) for label in wiring)
        node, labels = core(t)
        array = spread(np.asarray(_array(node)), tuple(order[k] for k in labels), len(wiring)) * t.coefficient
        values.append(np.broadcast_to(array, sizes).ravel())
        places = [np.broadcast_to(p, sizes).ravel() for p in indices(slots, sizes, evaluate(tables))]
        for held, place in zip([*targets, *inputs], places, strict=True):
            held.append(place)
    empty = np.zeros(0, np.intp)

    def joined(parts: list[np.ndarray]) -> np.ndarray:
        return np.concatenate(parts) if parts else empty

    return (
        tuple(map(joined, targets)),
        tuple(map(joined, inputs)),
        np.concatenate(values) if values else np.zeros(0),
    )
