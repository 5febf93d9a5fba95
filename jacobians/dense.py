"""Writing a Jacobian out: zeros, viewed through each wiring, with the core written there.

`zeros_for` makes the array, `add_term` writes one Term into it.  A repeated label is a diagonal view, an
affine slot a strided one, so only the entries that can be nonzero are touched.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import pages
from .ops.structural import add_through, is_injective, spread
from .plan import evaluate
from .terms import Term, TermSum, core
from .wiring import encode, strided, view


def zeros_for(whole: TermSum, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Zeros for a dense Jacobian, on pages chosen by how many of them its wirings reach."""
    itemsize = np.dtype(dtype).itemsize
    nbytes = itemsize * math.prod(shape)
    if nbytes < pages.LARGE:
        return np.zeros(shape, dtype)
    steps = [itemsize * math.prod(shape[k + 1 :]) for k in range(len(shape))]
    walks = []
    for t in whole.terms:
        wiring = t.wiring
        slots, _ = encode((*t.target, *t.input), {label: k for k, label in enumerate(wiring)})
        walk = strided(slots, steps, len(wiring))
        if walk is None:
            return np.zeros(shape, dtype)
        walks.append(([int(t.sizes[k]) for k in wiring], walk[1]))
    return pages.zeros(shape, dtype, pages.written_fraction(walks, itemsize, nbytes))


def add_term(out: np.ndarray, t: Term, fresh: bool = False) -> None:
    """Adds one Term (factors holding their arrays) into `out`; writes without reading where it is `fresh`."""
    wiring = t.wiring
    order = {label: k for k, label in enumerate(wiring)}
    slots, tables = encode((*t.target, *t.input), order)
    sizes = tuple(int(t.sizes[label]) for label in wiring)
    through = view(out, slots, sizes) if is_injective(slots, sizes) else None
    if through is not None and fresh and _outer_product(t) and t.factors:
        return _write_product(through, t, order)
    node, labels = core(t)
    value = evaluate([node])[0]
    array = spread(np.asarray(value), tuple(order[k] for k in labels), len(wiring))
    if through is not None and fresh:
        np.multiply(array, t.coefficient, out=through) if t.coefficient != 1 else np.copyto(through, array)
        return None
    add_through(out, slots, sizes, evaluate(tables), array, t.coefficient)
    return None


def _outer_product(t: Term) -> bool:
    """Whether the Term's factors only need a broadcasting product: nothing is summed."""
    return len(t.factors) <= 2 and set(t.carried) <= set(t.wiring) and all(
        len(set(labels)) == len(labels) for _, labels in t.factors
    )


def _write_product(through: np.ndarray, t: Term, order: dict[int, int]) -> None:
    arrays = [
        spread(np.asarray(node.value if node.value is not None else evaluate([node])[0]), tuple(order[k] for k in labels), through.ndim)
        for node, labels in t.factors
    ]
    first = arrays[0] if t.coefficient == 1 else arrays[0] * t.coefficient
    if len(arrays) == 2:
        np.multiply(first, arrays[1], out=through)
    else:
        np.copyto(through, first)
