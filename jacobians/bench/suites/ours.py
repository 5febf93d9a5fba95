"""This package on a case, in every form that it offers: dense, into a kept array, lazy, as a strided view.

`forms(case, inputs)` gives the runs by name: "dense", "reuse", "lazy", "call" (not compiled), and where
they mean something "view" (a block-Toeplitz array, read-only), "core" (sample by sample, or the compressed
Hessian) and "jax plan" (our plan on jax).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import verbs
from ...derivative import Jacobian
from .cases import Case, Inputs, leaves


@dataclass(frozen=True, slots=True)
class Form:
    """A call without arguments, and how its result is read as dense arrays (None: it holds none)."""

    run: Callable[[], Any]
    read: Callable[[Any], list[np.ndarray]] | None


def derivative(case: Case) -> Any:
    """The derivative as our verbs make it."""
    f = (case.batched or case.f)(np)
    if case.kind == "hessian":
        return verbs.hessian(f, case.wrt[0])
    return verbs.jacobian(f, case.wrt[0] if len(case.wrt) == 1 else case.wrt)


def forms(case: Case, inputs: Inputs, on_jax: bool = False) -> dict[str, Form]:
    """Every form of a case, compiled once."""
    made = derivative(case)
    found: dict[str, Form] = {}
    if case.lazy:
        lazily = made.compile(*inputs)
        return {"lazy": Form(lambda: lazily(*inputs), None), "call": Form(lambda: made(*inputs), None)}
    if case.kind == "samples" and set(case.wrt) <= set(case.mapped):
        core = made.compile(*inputs, core=True)
        found["dense"] = Form(lambda: core(*inputs), lambda result: _cores(result, len(inputs[0])))
        if on_jax:
            found["jax plan"] = _on_jax(made, inputs)
    else:
        dense, reuse = made.compile(*inputs, dense=True), made.compile(*inputs, reuse=True)
        found["dense"] = Form(lambda: dense(*inputs), leaves)
        found["reuse"] = Form(lambda: reuse(*inputs), leaves)
    if case.kind == "hessian":
        core = made.compile(*inputs, core=True)
        found["core"] = Form(lambda: core(*inputs), None)
    if case.view:
        view = made.compile(*inputs, dense=True, copy=None)
        found["view"] = Form(lambda: view(*inputs), leaves)
    lazy = made.compile(*inputs)
    found["lazy"] = Form(lambda: lazy(*inputs), None)
    found["call"] = Form(lambda: made(*inputs), None)
    return found


def _on_jax(made: Any, inputs: Inputs) -> Form:
    jax = importlib.import_module("jax")
    jax.config.update("jax_enable_x64", True)
    given = jax.tree.map(jax.numpy.asarray, inputs)
    arrays = jax.tree.leaves(given)
    call = made.compile(*inputs, backend="jax", core=True)
    return Form(
        lambda: jax.block_until_ready(call.arrays(*arrays)),
        lambda result: _cores(call(*given), len(inputs[0])),
    )


def _cores(result: Any, batch: int) -> list[np.ndarray]:
    """The arrays of cores, sample by sample; zeros where nothing depends on an argument."""
    if _is_core(result):
        total = sum((np.asarray(array) for array, _ in result), np.zeros(()))
        return [total if np.ndim(total) else np.full(batch, total)]
    parts = result.values() if isinstance(result, dict) else result
    return [array for part in parts for array in _cores(part, batch)]


def _is_core(result: Any) -> bool:
    pairs = isinstance(result, tuple) and all(isinstance(part, tuple) and len(part) == 2 for part in result)
    return pairs and all(isinstance(wiring, str) for _, wiring in result)


def held_bytes(result: Any) -> int:
    """Bytes of the distinct arrays that lazy Jacobians, or cores, hold."""
    seen: dict[int, int] = {}
    for leaf in leaves(result):
        arrays = (leaf.values or {}).values() if isinstance(leaf, Jacobian) else [leaf]
        seen |= {id(a): np.asarray(a).nbytes for a in arrays if not isinstance(a, str)}
    return sum(seen.values())
