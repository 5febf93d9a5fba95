"""Independent derivatives of numpy functions, from the primal alone: never a derivation.

`complex_step` is exact to rounding where the primal is analytic; `differences` is the fourth-order central
difference, whose own error is about 1e-11 of the largest entry at the step used here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jacobians.containers import flatten
from jacobians.plan import make_plan
from jacobians.terms import assemble
from jacobians.traces import trace_function
from jacobians.verbs import accumulate

STEP = 2e-3  # truncation h**4 f5 / 30 and rounding eps / h are both below 1e-11 for these inputs
Function = Callable[..., list[np.ndarray]]


def arrays_of(result: Any) -> list[np.ndarray]:
    """The arrays in a function's result, whatever its container."""
    return [np.asarray(leaf) for _, leaf in flatten(result)[0]]


def listed(call: Callable[..., Any]) -> Function:
    """`call` with its result as a list of arrays."""
    return lambda *arrays: arrays_of(call(*arrays))


def _columns(
    f: Function,
    arrays: Sequence[Any],
    k: int,
    column: Callable[[Function, list[Any], tuple[int, ...]], list[np.ndarray]],
) -> list[np.ndarray]:
    """Every target's Jacobian by argument `k`, one entry of the argument at a time."""
    shape = np.shape(arrays[k])
    targets = [np.shape(y) for y in f(*arrays)]
    dense = [np.zeros(t + shape) for t in targets]
    for place in np.ndindex(*shape):
        for whole, part in zip(dense, column(f, list(arrays), place), strict=True):
            whole[(..., *place)] = part
    return dense


def complex_step(f: Function, arrays: Sequence[Any], k: int) -> list[np.ndarray]:
    """`Im f(x + i h e) / h`: no subtraction, so h may be tiny and nothing cancels."""

    def column(f: Function, given: list[Any], place: tuple[int, ...]) -> list[np.ndarray]:
        moved = np.array(given[k], complex)
        moved[place] += 1e-30j
        given[k] = moved
        return [np.imag(y) / 1e-30 for y in f(*given)]

    return _columns(f, arrays, k, column)


def differences(f: Function, arrays: Sequence[Any], k: int, step: float = STEP) -> list[np.ndarray]:
    """`(8 (f(x+h) - f(x-h)) - (f(x+2h) - f(x-2h))) / 12 h`."""

    def column(f: Function, given: list[Any], place: tuple[int, ...]) -> list[np.ndarray]:
        def at(shift: float) -> list[np.ndarray]:
            moved = np.array(given[k], float)
            moved[place] += shift * step
            return [np.asarray(y, float) for y in f(*given[:k], moved, *given[k + 1 :])]

        near, far = zip(at(1), at(-1), strict=True), zip(at(2), at(-2), strict=True)
        return [(8 * (p - m) - (pp - mm)) / (12 * step) for (p, m), (pp, mm) in zip(near, far, strict=True)]

    return _columns(f, arrays, k, column)


def first_derivatives(call: Callable[..., Any], arrays: Sequence[Any], argnums: Sequence[int]) -> Function:
    """A fast function of the arguments that gives the dense Jacobians (targets by `argnums`): traced once.

    The second-order oracle differences it; its values are compared with the verified Jacobians first.
    """
    traced = trace_function(call, tuple(arrays), {}, tuple(argnums))
    nodes = [assemble(terms) for row in accumulate(traced) for terms in row]
    plan, constants = make_plan(nodes, traced.variables)
    paths = [node.name for node in traced.variables]
    held = [node.value for node in constants]

    def run(*given: Any) -> list[np.ndarray]:
        named = dict(zip(_names(call, given), given, strict=False))
        return [np.array(y) for y in plan.run([np.asarray(named[p], float) for p in paths], held)]

    return run


def _names(call: Callable[..., Any], given: Sequence[Any]) -> list[str]:
    from jacobians.containers import bind

    found: list[str] = []
    for name, value in bind(call, tuple(given), {}).items():
        found += [path for path, _ in flatten(value, name)[0]]
    return found[: len(given)]


def largest(array: Any) -> float:
    """The largest entry in absolute value, at least the smallest normal number."""
    return max(float(np.max(np.abs(array), initial=0.0)), 1e-300)


def assert_close(found: Any, expected: Any, tolerance: float, what: str, scale: float | None = None) -> None:
    """Every entry of `found` is within `tolerance` of `expected`, relative to the largest entry."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, f"{what}: shape {found.shape}, expected {expected.shape}"
    assert np.isfinite(found).all() or not np.isfinite(expected).all(), f"{what}: NaN or inf"
    if found.size:
        error = float(np.max(np.abs(np.subtract(found, expected, dtype=float))))
        bound = tolerance * max(scale or 0.0, largest(expected))
        assert error <= bound, f"{what}: error {error:.2e} over {bound:.2e} (relative to the largest entry)"
