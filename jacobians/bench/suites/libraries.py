"""The peers, each at its best: every way to ask jax and torch for the same derivative, compiled apart.

`ways(library, case, inputs)` gives them as `Way`s, called once already; arrays are the library's own,
results are waited for.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import UnknownNameError, did_you_mean, missing_extra
from .cases import Case, Inputs, leaves

LIBRARIES = ("jax", "torch")
THREADS = 2
SEEDS = 50_000_000  # entries of forward mode's identity, beyond which it can only lose
NESTED = 1e5  # the same for forward mode inside reverse mode, which keeps all of its intermediates


@dataclass(frozen=True, slots=True)
class Way:
    """One way to compute a case: its call, the seconds of its first call, and how its result is read."""

    library: str
    how: str
    first: float
    run: Callable[[], Any]
    read: Callable[[Any], list[np.ndarray]]


def namespace(library: str) -> Any:
    """The library's functions under numpy's names, set up for float64 and two threads."""
    if library not in LIBRARIES:
        raise UnknownNameError(
            f"peer {library!r} is not known",
            f"peers: {', '.join(LIBRARIES)}",
            did_you_mean(library, LIBRARIES),
        )
    try:
        found = importlib.import_module(library)
    except ImportError:
        raise missing_extra(library, library, "peers") from None
    if library == "torch":
        found.set_num_threads(THREADS)
        return found
    found.config.update("jax_enable_x64", True)
    return importlib.import_module("jax.numpy")


def ways(library: str, case: Case, inputs: Inputs, compiled: bool = True) -> list[Way]:
    """Every way of a library that works for a case, each called once; `compiled` includes torch.compile."""
    ns = namespace(library)
    compiled = compiled and case.suite != "problems"  # torch 2.13 compiles these, and fails some calls later
    found = []
    seeds = _seeds(case, inputs)
    left_out = {"jacfwd"} if seeds > SEEDS else set()
    left_out |= {"jacrev(jacfwd)"} if seeds > NESTED else set()
    if library == "torch" and compiled:
        ns.compiler.reset()  # it counts what it has compiled for other cases, and gives up
    for how, call in _calls(library, ns, case, compiled, left_out):
        try:
            found.append(_way(library, how, call, _converted(library, inputs)))
        except Exception:  # a way that a library does not support for this function is no way
            continue
    return found


def _seeds(case: Case, inputs: Inputs) -> int:
    """Entries of the identity that forward mode starts from: all inputs squared."""
    sizes = [
        array[0].size if k in case.mapped else array.size
        for k in case.wrt
        for array in map(np.asarray, leaves(inputs[k]))
    ]
    return int(sum(sizes)) ** 2


def _way(library: str, how: str, call: Callable[..., Any], arrays: Any) -> Way:
    def run() -> Any:
        return call(*arrays)

    if library == "jax":
        wait: Callable[[Any], Any] = importlib.import_module("jax").block_until_ready
        run = lambda: wait(call(*arrays))  # noqa: E731
    began = time.perf_counter()
    run()
    return Way(
        library, how, time.perf_counter() - began, run, lambda result: [np.asarray(a) for a in leaves(result)]
    )


def _converted(library: str, value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return type(value)(_converted(library, part) for part in value)
    if library == "jax":
        return importlib.import_module("jax").numpy.asarray(value)
    return importlib.import_module("torch").as_tensor(np.array(value))


def _calls(
    library: str, ns: Any, case: Case, compiled: bool, left_out: Container[str]
) -> Sequence[tuple[str, Callable[..., Any]]]:
    module = importlib.import_module("jax" if library == "jax" else "torch.func")
    names = {"gradient": ["grad", "jacfwd"], "hessian": ["hessian", "jacrev(jacrev)", "jacrev(jacfwd)"]}
    found = []
    for name in names.get(case.kind, ["jacrev", "jacfwd"]):
        if name in left_out:
            continue
        call = _derivative(module, name, case)
        if case.kind == "samples":
            name, call = f"vmap({name})", _mapped(module, call, case)
        if library == "jax":
            found.append((f"jit({name})", module.jit(call)))
            continue
        found.append((name, call))
        if compiled:
            found.append((f"compile({name})", ns.compile(call)))
    return found


def _derivative(module: Any, name: str, case: Case) -> Callable[..., Any]:
    f, wrt = case.f(module.numpy if module.__name__ == "jax" else importlib.import_module("torch")), case.wrt
    places = wrt[0] if len(wrt) == 1 else wrt
    if "(" not in name:
        made: Callable[..., Any] = getattr(module, name)(f, argnums=places)
        return made
    outer, inner = name.rstrip(")").split("(")
    twice: Callable[..., Any] = getattr(module, outer)(
        getattr(module, inner)(f, argnums=places), argnums=places
    )
    return twice


def _mapped(module: Any, call: Callable[..., Any], case: Case) -> Callable[..., Any]:
    def mapped(*arrays: Any) -> Any:
        axes = tuple(0 if k in case.mapped else None for k in range(len(arrays)))
        key = "in_axes" if module.__name__ == "jax" else "in_dims"
        return module.vmap(call, **{key: axes})(*arrays)

    return mapped
