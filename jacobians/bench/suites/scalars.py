"""The suites of scalars and of batches: `micro`, `batch`, `problems`.

`cases(scale)` makes them.  The problems are `jacobians.bench.scalar_problems`, the same source run with
each library's functions (`with_namespace`).
"""

from __future__ import annotations

import importlib.util
import math
import sys
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from ... import functions
from .. import scalar_problems
from ..problems import PROBLEMS, Problem
from . import rivals
from .cases import Case, Inputs
from .tensors import Rng, weights
from .tensors import cases as tensor_cases


def polynomial(ns: Any) -> Callable[..., Any]:
    """`x1^2 x2 + x1 x2^3`."""
    return lambda x: x[0] ** 2 * x[1] + x[0] * x[1] ** 3


def combined(ns: Any) -> Callable[..., Any]:
    """`x1^2 + 2 x2` along `x = (sin t, cos t)`."""

    def f(t: Any) -> Any:
        x1, x2 = ns.sin(t), ns.cos(t)
        return x1**2 + 2 * x2

    return f


def polynomial_by_hand(x: np.ndarray) -> list[np.ndarray]:
    """Its gradient on plain floats."""
    a, b = x.tolist()
    bb = b * b
    return [np.array([2 * a * b + bb * b, a * a + 3 * a * bb])]


def combined_by_hand(t: np.ndarray) -> list[np.ndarray]:
    """Its derivative: `2 sin t (cos t - 1)`."""
    s = t.item()
    return [np.array(2 * math.sin(s) * (math.cos(s) - 1))]


def sample_net(ns: Any) -> Callable[..., Any]:
    """Three layers without shifts on one sample."""

    def f(x: Any, A: Any) -> Any:
        for matrix in A:
            x = ns.tanh(matrix @ x)
        return x

    return f


def batch_net(ns: Any) -> Callable[..., Any]:
    """The same on samples in rows."""

    def f(X: Any, A: Any) -> Any:
        for matrix in A:
            X = ns.tanh(X @ matrix.T)
        return X

    return f


def first_net(ns: Any) -> Callable[..., Any]:
    """The net with its first matrix as an argument of its own, on one sample."""
    return lambda x, first, rest: sample_net(ns)(x, [first, *rest])


def batch_first_net(ns: Any) -> Callable[..., Any]:
    """The same on samples in rows."""
    return lambda X, first, rest: batch_net(ns)(X, [first, *rest])


def with_namespace(f: Callable[..., Any], ns: Any) -> Callable[..., Any]:
    """The same source of a problem's function with another library where it says `np`."""
    made: Callable[..., Any] = getattr(_copy(ns), f.__name__)
    return made


@cache
def _copy(ns: Any) -> ModuleType:
    """The module of the problems once more, a real one: torch.compile looks its functions up by name."""
    name = f"{scalar_problems.__name__}_{ns.__name__.replace('.', '_')}"
    spec = importlib.util.spec_from_file_location(name, scalar_problems.__file__)
    assert spec is not None
    assert spec.loader is not None
    made = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    vars(made).update(np=ns, erf=_erf(ns))
    return made


def _erf(ns: Any) -> Any:
    if ns.__name__ == "jax.numpy":
        return importlib.import_module("jax.scipy.special").erf
    return ns.erf if ns.__name__ == "torch" else functions.erf


def problem_case(problem: Problem, batch: int) -> Case:
    """A batch of a scalar problem, every output by every input, sample by sample."""
    count = len(problem.inputs())

    def f(ns: Any) -> Callable[..., Any]:
        return problem.f if ns is np else with_namespace(problem.f, ns)

    def make(rng: Rng) -> Inputs:
        return tuple(problem.batch(batch, int(rng.integers(1000))).values())

    every = tuple(range(count))
    return Case("problems", f"{problem.name}, batch {batch}", f, make, every, "samples", None, f, every)


def _batch_inputs(batch: int, width: int) -> Callable[[Rng], Inputs]:
    return lambda rng: (rng.normal(size=(batch, width)), weights(rng, width, 3)[0])


def _first_inputs(batch: int, width: int) -> Callable[[Rng], Inputs]:
    def make(rng: Rng) -> Inputs:
        A = weights(rng, width, 3)[0]
        return rng.normal(size=(batch, width)), A[0], A[1:]

    return make


def _first_by_hand(X: np.ndarray, first: np.ndarray, rest: list[np.ndarray]) -> rivals.Arrays:
    return rivals.samples_by_first(X, [first, *rest])


def cases(scale: float = 1.0) -> list[Case]:
    """Every case of these suites."""
    b, n = max(2, round(256 * scale)), max(2, round(64 * scale))
    samples = max(2, round(1024 * scale))
    micro = [
        Case(
            "micro",
            "gradient of x1^2 x2 + x1 x2^3",
            polynomial,
            lambda rng: (rng.normal(size=2),),
            (0,),
            "gradient",
            polynomial_by_hand,
        ),
        Case(
            "micro",
            "combined chain rule, df/dt",
            combined,
            lambda rng: (np.asarray(rng.normal()),),
            (0,),
            "gradient",
            combined_by_hand,
        ),
    ]
    small = next(c for c in tensor_cases() if c.suite == "layer")
    micro.append(Case("micro", small.name, small.f, small.make, small.wrt, rival=small.rival))
    batches = [
        Case(
            "batch",
            f"{b} samples, 3 layers, width {n}, by x",
            sample_net,
            _batch_inputs(b, n),
            (0,),
            "samples",
            rivals.samples_by_x,
            batch_net,
            (0,),
        ),
        Case(
            "batch",
            f"{b} samples, 3 layers, width {n}, by A1",
            first_net,
            _first_inputs(b, n),
            (1,),
            "samples",
            _first_by_hand,
            batch_first_net,
            (0,),
        ),
    ]
    problems = [problem_case(p, samples) for p in PROBLEMS.values() if p.batched]
    return [*micro, *batches, *problems]
