"""A derivative compiled for another library: arrays in, dense arrays out, all of that library.

`compile_for(name, trace, rows, mirror)` plans once; the returned call is jitted under jax, and under torch
it runs as it is or through `torch.compile` (`call.compiled()`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..expr import Node
from ..terms import TermSum, assemble
from ..traces import Trace
from .base import Backend, load
from .execution import executor


class BackendCall:
    """The compiled call: `call(*arrays)` gives the dense Jacobians, mirrored like the uncompiled results.

    `function` is the pure function of arrays behind it, which returns a list of arrays: to be jitted, mapped or
    differentiated by the library.
    """

    def __init__(
        self,
        backend: Backend,
        trace: Trace,
        rows: Sequence[Sequence[TermSum]],
        mirror: Callable[[list[Any]], Any],
    ) -> None:
        self.backend, self.trace = backend, trace
        roots: list[Node] = [assemble(terms) for row in rows for terms in row]
        run = executor(roots, trace.variables, backend)

        self.function, self._mirror = run, mirror
        self._call = backend.compile(run) if backend.name == "jax" else run

    def __call__(self, *arrays: Any) -> Any:
        self.backend.one_library(arrays, [node.name or "" for node in self.trace.variables])
        return self._mirror(list(self._call(*arrays)))

    def compiled(self) -> Callable[..., Any]:
        """The function through the library's own compiler: jax.jit or torch.compile."""
        return self.backend.compile(self.function)


def compile_for(
    name: str, trace: Trace, rows: Sequence[Sequence[TermSum]], mirror: Callable[[list[Any]], Any]
) -> BackendCall:
    """The call for a backend by name; raises MissingExtraError where the library is not installed."""
    return BackendCall(load(name), trace, rows, mirror)
