"""A derivative compiled for another library: arrays in, dense arrays out, all of that library.

`compile_for(name, trace, rows, mirror, wanted)` plans once; the returned call is jitted under jax, and under
torch it runs as it is or through `torch.compile` (`call.compiled()`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..arguments import shapes_of
from ..budget import afford
from ..containers import flatten, signature_of
from ..expr import MAY_SHARE, Node, array_type, combination
from ..terms import Term, TermSum, assemble, core
from ..traces import Trace
from .base import Backend, load
from .execution import executor
from .operands import Operands, as_numpy
from .operating import tensor


class Wanted(NamedTuple):
    """What a call returns, and what it was made from.

    Cores or dense arrays of at most `limit` bytes each, the `value` beside them; `names` are the targets'.
    Without `f` the call takes the traced leaves themselves.  `again` is the function that `compile` was asked
    of, with the options, for a call that is pickled.
    """

    core: bool = False
    value: bool = False
    limit: int | None = None
    names: Sequence[str] = ()
    f: Callable[..., Any] | None = None
    examples: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = {}
    again: tuple[Any, Mapping[str, Any]] | None = None


class BackendCall:
    """A derivative compiled for torch or jax: f's arguments as its arrays in, its arrays out.

    The results stand in the containers of the uncompiled call, dense (or as cores), after the value where
    `value_and_jacobian` was compiled.  Every array must have its example's shape; real numbers of another
    type are converted to the example's type, as compiled numpy calls do; options are built in.

    `function(*leaves)` is the pure function of the traced arrays behind it, in the order of f's arguments, to
    be jitted, mapped or differentiated by the library: it returns what the call returns (of cores a list of
    their arrays).  `arrays(*leaves)` gives the arrays as a list without checks and containers, compiled
    where the library compiles at once: for hot loops.
    """

    def __init__(
        self,
        backend: Backend,
        trace: Trace,
        rows: Sequence[Sequence[TermSum]],
        mirror: Callable[[list[Any]], Any],
        wanted: Wanted,
    ) -> None:
        self.backend, self.trace, self.wanted, self._mirror = backend, trace, wanted, mirror
        whole = [terms for row in rows for terms in row]
        self.results = len(whole)
        if not wanted.core:
            _afford(trace, whole, wanted)
        types = [_floating(target) for target, row in zip(trace.targets, rows, strict=True) for _ in row]
        made = [(n, dtype) for t, dtype in zip(whole, types, strict=True) for n in _made(t, dtype, wanted)]
        values = [(target, array_type(target.dtype)) for target in trace.targets if wanted.value]
        run = _copied([*values, *made], trace, backend)
        self._wirings = [_wirings(terms) for terms in whole] if wanted.core else None
        self.arrays: Callable[..., list[Any]] = backend.compile(run) if backend.name == "jax" else run

        def function(*leaves: Any) -> Any:
            return run(*leaves) if wanted.core else self._contained(run(*leaves))

        self.function: Callable[..., Any] = function
        self._operands = Operands(backend, wanted.f, wanted.examples, wanted.kwargs, trace)
        signature = None if wanted.f is None else signature_of(wanted.f)
        if signature is not None:
            self.__signature__ = signature

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._contained(self.arrays(*self._operands.of(args, kwargs)))

    def _contained(self, found: Sequence[Any]) -> Any:
        """The arrays in the containers of the uncompiled results, after the value if it is wanted."""
        count = len(self.trace.targets) if self.wanted.value else 0
        made = list(found[count:])
        if self._wirings is not None:
            rest = iter(made)
            made = [tuple((next(rest), wiring) for wiring in mine) for mine in self._wirings]
        result = self._mirror(made)
        return (self.trace.rebuild(list(found[:count])), result) if self.wanted.value else result

    def compiled(self) -> Callable[..., Any]:
        """`function` through the library's own compiler: jax.jit or torch.compile."""
        return self.backend.compile(self.function)

    def __reduce__(self) -> Any:
        """A compiled call travels as what it was made from, and is compiled again where it arrives."""
        if self.wanted.again is None:
            raise TypeError("a call that was not made by compile cannot be pickled")
        function, options = self.wanted.again
        return _again, (function, options, shapes_of(self.wanted.examples), shapes_of(self.wanted.kwargs))

    def __repr__(self) -> str:
        label = getattr(self.wanted.f, "__name__", "f")
        kind = "factored (cores)" if self.wanted.core else "dense"
        several = f"{self.results} Jacobians" if self.results != 1 else "1 Jacobian"
        value = "the value and " if self.wanted.value else ""
        return f"Compiled derivative of {label} on {self.backend.name}: {value}{several}, {kind}"


def _again(function: Any, options: Mapping[str, Any], examples: Any, kwargs: Any) -> Any:
    return function.compile(*examples, **options, **kwargs)


def _floating(target: Node) -> Any:
    """The type of a Jacobian of `target`: its own, or float64."""
    return np.dtype(target.dtype if getattr(target.dtype, "kind", "") == "f" else np.float64)


def _made(terms: TermSum, dtype: Any, wanted: Wanted) -> list[Node]:
    """The nodes of a Jacobian's arrays: its cores, or the dense tensor, of that type from the start."""
    return _cores(terms) if wanted.core else [assemble(terms, dtype)]


def _copied(roots: Sequence[tuple[Node, Any]], trace: Trace, backend: Backend) -> Callable[..., list[Any]]:
    """The roots' values in their types, as arrays that share no memory with the arguments."""
    run = executor([root for root, _ in roots], trace.variables, backend)
    types = [dtype for _, dtype in roots]
    shared = [root.op in MAY_SHARE for root, _ in roots]

    def arrays(*leaves: Any) -> list[Any]:
        found = [tensor(backend, leaves[0], v, t) for v, t in zip(run(*leaves), types, strict=True)]
        return [backend.copy(v) if own else v for v, own in zip(found, shared, strict=True)]

    return arrays


def _afford(trace: Trace, whole: Sequence[TermSum], wanted: Wanted) -> None:
    """Raises BudgetError where a dense result has more bytes than the limit."""
    names = wanted.names or [node.name or "f" for node in trace.targets]
    pairs = [
        (name, target, node) for name, target in zip(names, trace.targets, strict=True) for node in trace.wrt
    ]
    for terms, (name, target, node) in zip(whole, pairs, strict=True):
        afford(
            tuple(map(int, terms.shape)), _floating(target), wanted.limit, partial(_refusal, name, node.name)
        )


def _refusal(name: str, given: str | None) -> tuple[str, str, str]:
    return (
        f"the dense Jacobian of {name} by {given}",
        "a call on another library returns dense arrays",
        "core=True, which keeps the factors; or a larger max_bytes",
    )


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


def traceable(
    name: str, examples: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Examples with the backend's arrays, in containers too, as numpy's: what a trace is made from."""
    backend = load(name)

    def read(value: Any, path: str) -> Any:
        leaves, rebuild = flatten(value, path)
        return rebuild([as_numpy(backend, leaf, at) for at, leaf in leaves])

    given = tuple(read(value, f"example {k}") for k, value in enumerate(examples))
    return given, {key: read(value, key) for key, value in kwargs.items()}


def compile_for(
    name: str,
    trace: Trace,
    rows: Sequence[Sequence[TermSum]],
    mirror: Callable[[list[Any]], Any],
    wanted: Wanted | None = None,
) -> BackendCall:
    """The call for a backend by name, giving dense Jacobians or (`wanted.core`) what `J.core()` gives.

    Raises MissingExtraError where the library is not installed, BudgetError beyond `wanted.limit` bytes.
    """
    trace.check_compilable()
    return BackendCall(load(name), trace, rows, mirror, wanted or Wanted())
