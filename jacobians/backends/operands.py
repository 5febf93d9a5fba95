"""What a call on another library takes: f's arguments, as one array of that library for every traced leaf.

`Operands(backend, f, examples, kwargs, trace)` binds a call as compiled numpy calls do, and checks library,
shape and type of every leaf.  Checks read shapes and types alone, so that calls can be jitted and mapped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..arguments import Arguments, check_shape, complex_argument, other_arguments
from ..containers import flatten, signature_of
from ..errors import UnsupportedError
from ..expr import Node
from ..traces import Trace
from .base import Backend

NUMBERS = (int, float, complex, np.number)


class Operands:
    """Takes the traced leaves of a call's arguments; without `f` the arguments are the leaves."""

    def __init__(
        self, backend: Backend, f: Callable[..., Any] | None, examples: tuple[Any, ...],
        kwargs: Mapping[str, Any], trace: Trace,
    ) -> None:  # fmt: skip
        self.backend, self.f, self.nodes = backend, f, trace.variables
        self.arguments = None if f is None else Arguments(f, examples, kwargs, trace)
        signature = None if f is None else signature_of(f)
        self.signature = signature
        given = [p.default for p in signature.parameters.values()] if signature is not None else []
        self.defaults = [
            leaf for value in given for _, leaf in flatten(value)[0] if isinstance(leaf, np.ndarray)
        ]
        traced = {node.name for node in self.nodes}
        leaves = [pair for name, value in trace.stand_ins.items() for pair in flatten(value, name)[0]]
        self.built_in = {path for path, leaf in leaves if path not in traced and isinstance(leaf, np.ndarray)}

    def of(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Any]:
        """The leaves of a call as arrays of the library; raises what is wrong with them in three parts."""
        found = list(args) if self.arguments is None else self._values(args, kwargs)
        if len(found) != len(self.nodes):
            names = ", ".join(str(n.name) for n in self.nodes)
            raise other_arguments(names, f"are what it takes; {len(found)} arrays are given")
        like = next((value for value in found if self.backend.is_array(value)), None)
        return [self._operand(value, node, like) for value, node in zip(found, self.nodes, strict=True)]

    def _values(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Any]:
        assert self.arguments is not None
        if self.built_in:
            args, kwargs = self._bound(args, kwargs)
        return self.arguments.values(args, kwargs)

    def _bound(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[tuple[Any, ...], Any]:
        """The call with its defaults, index arrays and flags of the library as numpy's."""
        try:
            known = self.signature.bind(*args, **kwargs) if self.signature is not None else None
        except TypeError:
            known = None  # `Arguments` says what is wrong
        if known is None:
            return args, kwargs
        known.apply_defaults()
        for name, value in known.arguments.items():
            leaves, rebuild = flatten(value, name)
            made = [as_numpy(self.backend, v, at) if at in self.built_in else v for at, v in leaves]
            known.arguments[name] = rebuild(made)
        return known.args, known.kwargs

    def _operand(self, value: Any, node: Node, like: Any) -> Any:
        backend, name = self.backend, node.name
        number = isinstance(value, NUMBERS)
        if not backend.is_array(value) and not number and not any(value is d for d in self.defaults):
            library = type(value).__module__.partition(".")[0].replace("builtins", "Python")
            raise UnsupportedError(
                f"operands mix {backend.name} and {library} ({name} is {type(value).__name__})",
                f"this call was compiled for {backend.name}",
                "convert one; nothing is converted silently",
            )
        shape = () if number else tuple(value.shape)
        if isinstance(value, complex | np.complexfloating) or "complex" in str(getattr(value, "dtype", "")):
            raise complex_argument(node)
        check_shape(node, shape)
        if not backend.is_array(value):
            return backend.asarray(np.asarray(value, node.dtype), like)
        same = str(value.dtype).rpartition(".")[2] == str(node.dtype)
        return value if same else backend.cast(value, node.dtype)


def as_numpy(backend: Backend, value: Any, name: str) -> Any:
    """An array of the library as numpy's; anything else as it is."""
    if not backend.is_array(value):
        return value
    try:
        return backend.numpy(value)
    except Exception as error:  # a tracer, a type that numpy does not have
        raise UnsupportedError(
            f"{name} cannot be read as a numpy array",
            str(error).strip().partition("\n")[0],
            "a numpy array: its values, or as an example its shape, are built into the program",
        ) from None
