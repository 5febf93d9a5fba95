"""Containers: tuples, lists and dicts of arrays as arguments and as results.

`flatten(value)` gives the leaves with their paths and a function that puts leaves back; `bind(f, args,
kwargs)` gives a function's arguments by name.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from .errors import UnsupportedError

Rebuild = Callable[[list[Any]], Any]


def flatten(value: Any, path: str = "") -> tuple[list[tuple[str, Any]], Rebuild]:
    """The leaves of a container as (path, leaf), and the function that rebuilds it from new leaves.

    >>> leaves, rebuild = flatten({"W": 1, "b": [2, 3]}, "p")
    >>> leaves, rebuild([10, 20, 30])
    ([("p['W']", 1), ("p['b'][0]", 2), ("p['b'][1]", 3)], {'W': 10, 'b': [20, 30]})
    """
    if isinstance(value, Mapping):
        parts = [flatten(v, f"{path}[{k!r}]") for k, v in value.items()]
        keys = list(value)
        return _joined(parts, lambda made: dict(zip(keys, made, strict=True)))
    if isinstance(value, (tuple, list)):
        kind = type(value)
        if hasattr(value, "_fields"):
            named = [flatten(v, f"{path}.{field}") for field, v in zip(value._fields, value, strict=True)]
            return _joined(named, lambda made: kind(*made))
        parts = [flatten(v, f"{path}[{k}]") for k, v in enumerate(value)]
        return _joined(parts, kind)
    return [(path, value)], lambda made: made[0]


def _joined(
    parts: list[tuple[list[tuple[str, Any]], Rebuild]], make: Callable[[list[Any]], Any]
) -> tuple[Any, Rebuild]:
    counts = [len(leaves) for leaves, _ in parts]

    def rebuild(made: list[Any]) -> Any:
        at, pieces = 0, []
        for count, (_, inner) in zip(counts, parts, strict=True):
            pieces.append(inner(made[at : at + count]))
            at += count
        return make(pieces)

    return [leaf for leaves, _ in parts for leaf in leaves], rebuild


def signature_of(f: Callable[..., Any]) -> inspect.Signature | None:
    """The signature of `f`, or None where it has none (some built-in functions)."""
    try:
        return _signature(weakref.ref(f))
    except TypeError:  # what cannot be referred to weakly, or has an unhashable part
        return _inspected(f)


@lru_cache(maxsize=512)
def _signature(known: weakref.ref[Callable[..., Any]]) -> inspect.Signature | None:
    """Looked up once for a function that lives: inspecting costs more than a small derivative."""
    f = known()
    return None if f is None else _inspected(f)


def _inspected(f: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(f)
    except (TypeError, ValueError):
        return None


def bind(f: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call by name, defaults included; `*xs` become `xs[0]`, `xs[1]`, ...

    Raises UnsupportedError where the arguments do not fit the function.
    """
    signature = signature_of(f)
    if signature is None:
        return {**{"xyw"[k] if k < 3 else f"x{k}": arg for k, arg in enumerate(args)}, **kwargs}
    try:
        known = signature.bind(*args, **kwargs)
    except TypeError as error:
        raise UnsupportedError(
            f"the arguments do not fit {getattr(f, '__name__', 'f')}{signature}",
            str(error),
            "the arguments of the function itself",
        ) from None
    known.apply_defaults()
    return dict(known.arguments)


def options(f: Callable[..., Any], named: Mapping[str, Any]) -> set[str]:
    """The arguments that a call left at a default that is a Python number: options, not inputs.

    >>> def f(x, slope=0.1): ...
    >>> options(f, bind(f, (1.0,), {})), options(f, bind(f, (1.0, 0.5), {}))
    ({'slope'}, set())
    """
    signature = signature_of(f)
    parameters = signature.parameters if signature is not None else {}
    return {
        name
        for name, value in named.items()
        if name in parameters and isinstance(value, (int, float)) and value is parameters[name].default
    }


def call_with(f: Callable[..., Any], named: Mapping[str, Any]) -> Any:
    """Calls `f` with the arguments that `bind` gave names to; untouched defaults are left to `f`."""
    signature = signature_of(f)
    if signature is None:
        return f(*named.values())
    parameters = signature.parameters
    starred = any(parameters[name].kind is inspect.Parameter.VAR_POSITIONAL and named[name] for name in named)
    given = {k: v for k, v in named.items() if starred or v is not parameters[k].default}
    bound = inspect.BoundArguments(signature, given)
    return f(*bound.args, **bound.kwargs)


class Text(str):
    """An expression, in the place of its value."""

    __slots__ = ()


def display(found: Any) -> str | None:
    """Plain containers of expressions as the expression that makes them; None for any other container.

    >>> display({"A": Text("v1"), "b": (Text("v2"),)})
    "{'A': v1, 'b': (v2,)}"
    """
    if type(found) is Text:
        return str(found)
    if type(found) not in (dict, list, tuple):
        return None
    parts = [display(part) for part in (found.values() if type(found) is dict else found)]
    if None in parts:
        return None
    if type(found) is dict:
        plain = all(type(key) in (str, int) for key in found)
        pairs = ", ".join(f"{key!r}: {part}" for key, part in zip(found, parts, strict=True))
        return f"{{{pairs}}}" if plain else None
    inner = ", ".join(map(str, parts))
    return f"[{inner}]" if type(found) is list else f"({inner}{',' * (len(parts) == 1)})"
