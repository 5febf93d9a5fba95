"""Derivatives as functions without arguments, ready to be timed: planned and bound to their inputs.

`order_run` runs one elimination order's plan, `path_runs` the rows of a chain, `backend_run` a plan on torch
or jax.  Each returned function gives a list of arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..backends import load
from ..backends.calls import compile_for
from ..chain_costs import ChainProduct
from ..contraction.compiled import compile_product
from ..contraction.product import reference
from ..counting import factors_of
from ..dense import write, zeros_for
from ..derivative import Jacobian, bound
from ..expr import Node
from ..plan import evaluate, make_plan
from ..terms import TermSum
from ..traces import Trace

Run = Callable[[], list[Any]]


def order_run(trace: Trace, rows: Sequence[Sequence[TermSum]], dense: bool = True) -> Run:
    """The function and its Jacobians by this plan; with `dense` written out, else their factors alone."""
    every = [terms for row in rows for terms in row]
    factors = [node for node, _ in factors_of(rows)]
    plan, constants = make_plan(factors, trace.variables)
    values, held = [n.value for n in trace.variables], [n.value for n in constants]

    def run() -> list[Any]:
        found = plan.run(values, held)
        if not dense:
            return found
        by_serial = dict(zip((n.serial for n in factors), map(np.asarray, found), strict=True))
        return [Jacobian(terms, by_serial).materialize(max_bytes=None) for terms in every]

    return run


def order_probe(trace: Trace, rows: Sequence[Sequence[TermSum]], seed: int = 0) -> list[Any]:
    """Every Jacobian of this plan pulled back from one random seed: to compare results that stay lazy."""
    factors = [node for node, _ in factors_of(rows)]
    plan, constants = make_plan(factors, trace.variables)
    found = plan.run([n.value for n in trace.variables], [n.value for n in constants])
    by_serial = dict(zip((n.serial for n in factors), map(np.asarray, found), strict=True))
    rng = np.random.default_rng(seed)
    seeds = [rng.normal(size=[int(n) for n in t.shape]) for t in trace.targets]
    return [Jacobian(terms, by_serial).vjp(u) for u, row in zip(seeds, rows, strict=True) for terms in row]


def backend_run(name: str, trace: Trace, rows: Sequence[Sequence[TermSum]]) -> Run:
    """The same on another library's arrays, compiled where it compiles; waits for the result."""
    backend = load(name)
    call = compile_for(name, trace, rows, lambda made: made)
    like = _first(name, trace)
    arrays = [backend.asarray(n.value, like) for n in trace.variables]

    def run() -> list[Any]:
        found = call(*arrays)
        for array in found:
            wait(array)
        return list(found)

    return run


def _first(name: str, trace: Trace) -> Any:
    if name == "torch":
        import torch

        return torch.as_tensor(np.array(trace.variables[0].value))
    return trace.variables[0].value


def wait(array: Any) -> None:
    """Blocks until the array is computed, where the library answers before that."""
    block = getattr(array, "block_until_ready", None)
    if block is not None:
        block()


def path_runs(chain: ChainProduct) -> list[Run]:
    """What the rows of `chain.rows()` do, in their order: from given local Jacobians to the dense result."""
    links = [link.terms for link in chain.links]
    given = [node for node, _ in factors_of([links])]
    values = evaluate(given)
    known = {node.serial: np.asarray(value) for node, value in zip(given, values, strict=True)}
    paths = sorted(chain.paths(), key=lambda path: path.cost.flop)
    dense: list[Any] = []

    def operands() -> list[Any]:
        """The dense local Jacobians, made when the first row needs them."""
        if not dense:
            dense.extend(write(np.zeros([int(n) for n in link.shape]), bound(link, known)) for link in links)
        return dense

    runs = [_summed_first(chain, given, values)]
    for path in paths:
        product = compile_product(chain.product, path.pairs)
        runs.append(lambda product=product: [product(*operands())])  # type: ignore[misc]
    runs.append(lambda: [reference(chain.product, *operands())])
    return runs


def _summed_first(chain: ChainProduct, given: Sequence[Node], values: Sequence[Any]) -> Run:
    whole = chain.whole()
    factors = [node for node, _ in factors_of([[whole]])]
    plan, constants = make_plan(factors, given)
    held = [n.value if n.value is not None else evaluate([n])[0] for n in constants]
    shape = tuple(int(n) for n in whole.shape)

    def run() -> list[Any]:
        found = plan.run(values, held)
        by_serial = dict(zip((n.serial for n in factors), map(np.asarray, found), strict=True))
        out = zeros_for(whole, shape, np.dtype(np.float64))
        return [write(out, bound(whole, by_serial))]

    return run


def deviation(found: Sequence[Any], reference: Sequence[Any]) -> float:
    """The largest difference between two lists of arrays, relative to the largest entry."""
    worst = 0.0
    for a, b in zip(found, reference, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        if a.shape != b.shape:
            return float("inf")
        scale = float(np.max(np.abs(b), initial=0.0)) or 1.0
        worst = max(worst, float(np.max(np.abs(a - b), initial=0.0)) / scale)
    return worst
