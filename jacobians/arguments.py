"""How a compiled call takes its arguments: the traced leaves in order, and everything else as it was.

`Arguments(f, examples, kwargs, trace)` works out once where each leaf stands; `values(args, kwargs)` takes
the leaves of a call from there.  What is no traced array (options, index arrays, Python numbers) was built
into the program: a call with another value is refused, as the program could only answer for the old one.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .containers import bind, flatten, signature_of
from .errors import ShapeError, UnsupportedError
from .expr import Node
from .operation import plain
from .traces import Trace

ABSENT = inspect.Parameter.empty  # an argument that a call does not give
Take = Callable[[Any, list[Any]], None]  # appends the traced leaves of a value to a list


class Arguments:
    """Takes the traced leaves of a call's arguments; `direct` if they are the arguments themselves.

    `options` says whether f takes more than what a call gave by position.
    """

    def __init__(
        self, f: Callable[..., Any], examples: tuple[Any, ...], kwargs: Mapping[str, Any], trace: Trace
    ) -> None:
        self.f, self.count = f, len(examples)
        named = bind(f, examples, kwargs)
        traced = {node.name for node in trace.variables}
        self.takes = {name: _take(value, name, traced) for name, value in named.items()}
        names = list(named)
        self.plain = not kwargs and len(names) >= self.count and all(
            value is named[name] for value, name in zip(examples, names, strict=False)
        )  # fmt: skip
        self.positional = [self.takes[name] for name in names[: self.count]]
        left_out: list[Any] = []  # arrays that stand as defaults
        for name in names[self.count :]:
            self.takes[name](named[name], left_out)
        self.plain = self.plain and not left_out
        self.direct = self.plain and [n.name for n in trace.variables] == names[: self.count]
        self.options = _parameters(f) != names[: self.count]

    def values(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Any]:
        """The traced leaves; raises UnsupportedError where the arguments are not those compiled for."""
        found: list[Any] = []
        if self.plain and not kwargs and len(args) == self.count:
            for take, value in zip(self.positional, args, strict=True):
                take(value, found)
            return found
        named = bind(self.f, args, kwargs)
        for name, take in self.takes.items():
            if name not in named:
                raise other_arguments(name, "is missing")
            take(named[name], found)
        return found


def _parameters(f: Callable[..., Any]) -> list[str]:
    """What f takes, `*` and `**` among it, if that is known."""
    signature = signature_of(f)
    return [] if signature is None else [*signature.parameters]


def _take(value: Any, path: str, traced: set[str | None]) -> Take:
    if isinstance(value, Mapping):
        inner = {key: _take(part, f"{path}[{key!r}]", traced) for key, part in value.items()}
        return _mapping(inner, path)
    if isinstance(value, (tuple, list)):
        fields = getattr(value, "_fields", None)
        paths = [f"{path}[{k}]" if fields is None else f"{path}.{fields[k]}" for k in range(len(value))]
        return _sequence([_take(part, at, traced) for part, at in zip(value, paths, strict=True)], path)
    if path in traced:
        return lambda given, found: found.append(given)
    return _frozen(value, path)


def _mapping(inner: Mapping[Any, Take], path: str) -> Take:
    def take(given: Any, found: list[Any]) -> None:
        if not isinstance(given, Mapping) or given.keys() != inner.keys():
            raise other_arguments(path, f"had the keys {', '.join(map(repr, inner))}")
        for key, one in inner.items():
            one(given[key], found)

    return take


def _sequence(inner: list[Take], path: str) -> Take:
    def take(given: Any, found: list[Any]) -> None:
        if not isinstance(given, (tuple, list)) or len(given) != len(inner):
            raise other_arguments(path, f"had {len(inner)} parts")
        for value, one in zip(given, inner, strict=True):
            one(value, found)

    return take


def _frozen(value: Any, path: str) -> Take:
    known = value.copy() if isinstance(value, np.ndarray) else value  # the caller may write to it later

    def take(given: Any, found: list[Any]) -> None:
        if not _same(given, known):
            other = _shown(given) if _shown(given) != _shown(known) else "other values"
            error = other_arguments(path, f"was {_shown(known)} and is built in; the call gives {other}")
            if isinstance(value, np.ndarray):
                error.instead += f", or with {path}.astype(float), which makes it an argument"
            raise error

    return take


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        floating = all(getattr(x, "dtype", np.dtype(int)).kind == "f" for x in (a, b))
        return bool(np.array_equal(a, b, equal_nan=floating))
    return bool(type(a) is type(b) and (a == b or (a != a and b != b)))


def _shown(value: Any) -> str:
    return f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else repr(value)


def other_arguments(path: str, what: str) -> UnsupportedError:
    return UnsupportedError(
        "the call does not have the arguments that it was compiled for",
        f"{path} {what}",
        "compile again with the new arguments as examples",
    )


def fixer(node: Node, missing: Callable[[str | None], Any]) -> Callable[[Any], np.ndarray]:
    """The function that makes of an argument what a program was compiled for; `missing` gives a default."""

    def fix(value: Any) -> np.ndarray:
        value = missing(node.name) if value is ABSENT else value
        plain(value)
        array = real_array(value, node).astype(node.dtype, copy=False)
        check_shape(node, array.shape)
        return array

    return fix


def check_shape(node: Node, shape: tuple[int, ...]) -> None:
    """Raises ShapeError where an argument has another shape than its example."""
    if shape != node.shape:
        raise ShapeError(
            f"compiled for {node.name} of shape {node.shape}",
            f"{node.name} has shape {shape}",
            "compile again with an example of that shape",
        )


def complex_argument(node: Node) -> UnsupportedError:
    """The error for an argument of complex numbers."""
    return UnsupportedError(
        f"{node.name} is complex", "the call was compiled for real numbers", f"{node.name}.real"
    )


def real_array(value: Any, node: Node) -> np.ndarray:
    """An argument as an array of real numbers, whatever numpy makes of it refused by name."""
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        array = np.empty((), object)
    if array.dtype.kind == "c":
        raise complex_argument(node)
    if array.dtype.kind not in "biuf":
        raise UnsupportedError(
            f"{node.name} is no array of real numbers",
            f"value of type {type(value).__name__}",
            f"an array of shape {node.shape}",
        )
    return array


def weakly(method: Callable[..., Any]) -> Callable[..., Any]:
    """A bound method for generated code, which must not keep its object alive."""
    known = weakref.WeakMethod(method)

    def call(*args: Any, **kwargs: Any) -> Any:
        found = known()
        if found is None:
            raise UnsupportedError(
                "the compiled call is gone", "only its __call__ is left", "keep the compiled call itself"
            )
        return found(*args, **kwargs)

    return call


def snapshot(examples: Any) -> Any:
    """Examples as they are now: what is built into the program is copied, as the caller may write to it."""
    leaves, rebuild = flatten(examples, "")
    return rebuild([x.copy() if isinstance(x, np.ndarray) and x.dtype.kind != "f" else x for _, x in leaves])


def shapes_of(examples: Any) -> Any:
    """Examples to be pickled: arrays of real numbers as their shapes, whose values do not matter."""
    leaves, rebuild = flatten(examples, "")
    return rebuild([Zeros(x) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x for _, x in leaves])


class Zeros:
    """An array that is pickled as its shape and type, and comes back as zeros."""

    def __init__(self, like: np.ndarray) -> None:
        self.shape, self.dtype = like.shape, like.dtype.str

    def __reduce__(self) -> Any:
        return np.zeros, (self.shape, self.dtype)
