"""A derivative compiled for another library: arrays in, dense arrays out, all of that library.

`compile_for(name, trace, rows, mirror)` plans once; the returned call is jitted under jax, and under torch
it runs as it is or through `torch.compile` (`call.compiled()`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..expr import Node, combination
from ..terms import Term, TermSum, assemble, core
from ..traces import Trace
from .base import Backend, load
from .execution import executor


class BackendCall:
    """The compiled call: `call(*arrays)` gives the dense Jacobians, mirrored like the uncompiled results.

    `function` is the pure function of arrays behind it, which returns a list of arrays: to be jitted, mapped
    or differentiated by the library.  `arrays(*arrays)` gives the same list without checks and containers,
    compiled where the library compiles at once: for hot loops.
    """

    def __init__(
        self,
        backend: Backend,
        trace: Trace,
        rows: Sequence[Sequence[TermSum]],
        mirror: Callable[[list[Any]], Any],
        core: bool = False,
    ) -> None:
        self.backend, self.trace = backend, trace
        whole = [terms for row in rows for terms in row]
        roots = [node for terms in whole for node in _cores(terms)] if core else list(map(assemble, whole))
        run = executor(roots, trace.variables, backend)

        self.function, self._mirror = run, mirror
        self._wirings = [_wirings(terms) for terms in whole] if core else None
        self.arrays: Callable[..., list[Any]] = backend.compile(run) if backend.name == "jax" else run

    def __call__(self, *arrays: Any) -> Any:
        self.backend.one_library(arrays, [node.name or "" for node in self.trace.variables])
        found = list(self.arrays(*arrays))
        if self._wirings is None:
            return self._mirror(found)
        rest = iter(found)
        return self._mirror([tuple((next(rest), wiring) for wiring in mine) for mine in self._wirings])

    def compiled(self) -> Callable[..., Any]:
        """The function through the library's own compiler: jax.jit or torch.compile."""
        return self.backend.compile(self.function)


def _labels(t: Term) -> tuple[int, ...]:
    return tuple(k for k in t.wiring if k in t.carried)


def _cores(terms: TermSum) -> list[Node]:
    """The core of every Term with its coefficient, as `J.core()` gives it."""
    found = []
    for t in terms.terms:
        node, labels = core(t, _labels(t))
        found.append(
            combination([(t.coefficient, node, labels)], labels, t.sizes) if t.coefficient != 1 else node
        )
    return found


def _wirings(terms: TermSum) -> list[str]:
    from ..notation.index import core_wiring

    return [core_wiring(t, _labels(t)) for t in terms.terms]


def compile_for(
    name: str,
    trace: Trace,
    rows: Sequence[Sequence[TermSum]],
    mirror: Callable[[list[Any]], Any],
    core: bool = False,
) -> BackendCall:
    """The call for a backend by name, giving dense Jacobians or (`core`) what `J.core()` gives.

    Raises MissingExtraError where the library is not installed.
    """
    return BackendCall(load(name), trace, rows, mirror, core)
