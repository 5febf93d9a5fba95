"""Rules of the nodes that Terms are made of: einsum, combination, select, assemble.

All four are multilinear, so each local Jacobian is derived once: the same expression with that
argument left out, its labels moved to the input side.  These rules serve every operation that
is written as an einsum, a sum or an index map, and every Jacobian that is differentiated again.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ..expr import Node
from ..operation import rule
from ..terms import Term, TermSum, canonical, collapse, identity
from ..wiring import Affine, decode, gather, indices, view


def run_einsum(params: Any, *arrays: Any) -> Any:
    """`y[output] = sum of the product of the operands`, by the contraction path of the portfolio."""
    return compiled(params)(*arrays)


@lru_cache(maxsize=4096)
def compiled(params: Any, same: tuple[tuple[int, int], ...] = ()) -> Any:
    """The compiled einsum of a node's parameters (operand labels, output labels, sizes).

    `same` lists pairs of places where one and the same array will stand.
    """
    from ..contraction.compiled import compile_product  # late: only a first contraction pays for it
    from ..contraction.product import Product

    return compile_product(Product(*params), same=same)


def symmetric_over(maker: Any) -> Any:
    """The helper for products in which one array stands twice, over memory of `maker(shape, dtype)()`."""
    from ..contraction.symmetric import symmetric_over  # late: only a first contraction pays for it

    return symmetric_over(maker)


def einsum_local(node: Node, k: int) -> TermSum:
    """`d y[output] / d x_k[labels] = product of the other operands`, wired `(output | labels of k)`."""
    labels, output, sizes = node.params
    others = [(arg, labels[j]) for j, arg in enumerate(node.args) if j != k]
    whole = canonical(1, others, output, labels[k], sizes, range(len(sizes)))
    return TermSum(node.shape, node.args[k].shape, (collapse(whole),))


def run_combination(params: Any, *arrays: Any) -> Any:
    """`y[output] = sum of coefficient * x[labels]`, parts broadcast over labels that they lack."""
    coefficients, labels, shape = params
    total: Any = None
    for coefficient, carried, array in zip(coefficients, labels, arrays, strict=True):
        part = spread(array, carried, len(shape))
        if getattr(part, "dtype", None) == np.bool_:
            exact = np.float32 if isinstance(coefficient, int) else np.float64
            part = np.multiply(part, exact(1))  # masks add as numbers, 0.01 as exactly as float64 can
        if coefficient == -1 and total is not None:
            total = total - part
            continue
        part = part if coefficient == 1 else -part if coefficient == -1 else part * coefficient
        total = part if total is None else total + part
    if np.shape(total) != tuple(shape):
        total = np.broadcast_to(total, shape)
    return total


def spread(array: Any, labels: tuple[int, ...], ndim: int) -> Any:
    """`array` with its axes in label order and an axis of size 1 for every label that it lacks."""
    if labels == tuple(range(ndim)):
        return array
    order = sorted(range(len(labels)), key=labels.__getitem__)
    if order != list(range(len(labels))):
        array = np.transpose(array, order)
    if len(labels) == 0:
        return array
    present = set(labels)
    return np.asarray(array)[tuple(slice(None) if k in present else None for k in range(ndim))]


def combination_local(node: Node, k: int) -> TermSum:
    """`d y[output] / d x_k[labels] = coefficient`, wired `(output | labels of k)`."""
    coefficients, labels, shape = node.params
    output = tuple(range(len(shape)))
    return TermSum(
        node.shape, node.args[k].shape, (Term(coefficients[k], (), output, labels[k], node.shape),)
    )


def run_select(params: Any, array: Any, *tables: Any) -> Any:
    """`y[labels] = x[slots(labels)]`: a strided view, or numpy's integer indexing."""
    coded, shape = params
    return gather(np.asarray(array), coded, shape, tables)


def select_local(node: Node, k: int) -> TermSum:
    """`d y[labels] / d x[slots]`: the wiring `(labels | slots)` with no factor; zero by the tables."""
    coded, shape = node.params
    if k > 0:
        return TermSum(node.shape, node.args[k].shape)
    slots = decode(coded, node.args[1:])
    whole = canonical(1, (), tuple(range(len(shape))), slots, shape)
    return TermSum(node.shape, node.args[0].shape, (whole,))


def run_assemble(params: Any, *arrays: Any) -> np.ndarray:
    """The dense tensor: zeros, viewed through each wiring, with that Term's core added."""
    coded, shape = params
    cores, tables = arrays[: len(coded)], arrays[len(coded) :]
    dtype = np.result_type(*cores) if cores else np.dtype(np.float64)
    out = np.zeros(shape, dtype if dtype.kind in "fcO" else np.float64)
    used = 0
    for (coefficient, labels, slots, sizes, count), core in zip(coded, cores, strict=True):
        add_through(
            out, slots, sizes, tables[used : used + count], spread(core, labels, len(sizes)), coefficient
        )
        used += count
    return out


def add_through(out: np.ndarray, slots: Any, sizes: Any, tables: Any, core: Any, coefficient: Any) -> None:
    """`out[slots(labels)] += coefficient * core[labels]`, for a core broadcastable to `sizes`."""
    part = core if coefficient == 1 else core * coefficient
    seen = view(out, slots, tuple(sizes)) if is_injective(slots, sizes) else None
    if seen is not None:
        seen += part
    else:
        places = np.broadcast_arrays(*indices(slots, tuple(sizes), tables)) if slots else ()
        np.add.at(out, tuple(places), np.broadcast_to(part, sizes))


def is_injective(slots: Any, sizes: Any) -> bool:
    """Whether different labels reach different entries for certain, slot by slot.

    A label that stands alone is known; an affine slot then tells its other labels apart if
    they count like the digits of a number (a slice, a shift, a merge of axes).
    """
    if any(isinstance(slot, tuple) for slot in slots):
        return False
    known: set[int] = set()
    before = -1
    while len(known) > before:
        before = len(known)
        for slot in slots:
            known |= {slot} if isinstance(slot, int) else _digits(slot, known, sizes)
    return len(known) == len(sizes)


def _digits(slot: Affine, known: set[int], sizes: Any) -> set[int]:
    """The labels of an affine slot that its index determines, once the `known` ones are."""
    reach = 0
    unknown = [(abs(int(stride)), label) for label, stride in slot.strides if label not in known]
    for stride, label in sorted(unknown):
        if stride <= reach:
            return set()
        reach += stride * (sizes[label] - 1)
    return {label for _, label in unknown}


def assemble_local(node: Node, k: int) -> TermSum:
    """By a core: that Term's wiring as target slots, the core's own labels as input; zero by tables."""
    coded, _ = node.params
    if k >= len(coded):
        return TermSum(node.shape, node.args[k].shape)
    coefficient, labels, slots, sizes, count = coded[k]
    used = len(coded) + sum(part[4] for part in coded[:k])
    found = decode(slots, node.args[used : used + count])
    whole = canonical(coefficient, (), found, labels, sizes)
    return TermSum(node.shape, node.args[k].shape, (whole,))


def run_masked(params: Any, mask: Any, x: Any) -> Any:
    """`y[labels] = x[labels] where mask[params] else 0`: selects, so that 0 * inf never appears."""
    return np.where(spread(mask, params, np.ndim(x)), x, np.zeros((), np.asarray(x).dtype))


def masked_local(node: Node, k: int) -> TermSum:
    """By x: `(i... | i...) mask`; zero by the mask."""
    if k == 0:
        return TermSum(node.shape, node.args[0].shape)
    labels = tuple(range(node.ndim))
    only = canonical(1, [(node.args[0], node.params)], labels, labels, node.shape)
    return TermSum(node.shape, node.shape, (only,))


rule("einsum", run_einsum, einsum_local, views=True)
rule("combination", run_combination, combination_local, views=True)
rule("select", run_select, select_local, views=True, takes_integers=True)
rule("assemble", run_assemble, assemble_local, takes_integers=True)
rule("identity", lambda params, x: x, lambda node, k: identity(node.shape), views=True)
rule("masked", run_masked, masked_local)
rule("variable", lambda params: None)
rule("constant", lambda params: None)
