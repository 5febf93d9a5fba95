"""Writing a Jacobian out: zeros, viewed through each wiring, with the core written there.

`zeros` makes the array, `add_term` writes one Term into it.  A repeated label is a diagonal view, an
affine slot a strided one, so only the entries that can be nonzero are touched.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .ops.structural import add_through, is_injective, spread
from .plan import evaluate
from .terms import Term, core
from .wiring import encode, view


def zeros(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """An array of zeros of that shape."""
    return np.zeros(shape, dtype)


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
