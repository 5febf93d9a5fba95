"""What a backend must be able to do, and how the known ones are loaded."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..errors import UnknownNameError, did_you_mean, missing_extra

BACKENDS = ("torch", "jax")


@dataclass(frozen=True, slots=True)
class Backend:
    """An array library: its namespace, and the few things that libraries spell differently.

    `asarray(value, like)` makes a constant on the device of `like`; `zeros(shape, dtype, like)` an array of
    zeros; `add_at(out, sizes, walk, index, value)` adds through a wiring and returns the result;
    `compile(function)` is jax.jit or torch.compile; `cast(array, dtype)` gives an array of numpy's `dtype`;
    `copy(array)` shares no memory that could be written to; `numpy(array)` is the array as numpy's.
    """

    name: str
    namespace: Any
    is_array: Callable[[Any], bool]
    asarray: Callable[..., Any]
    zeros: Callable[..., Any]
    add_at: Callable[..., Any]
    compile: Callable[[Callable[..., Any]], Callable[..., Any]]
    cast: Callable[[Any, Any], Any]
    copy: Callable[[Any], Any]
    numpy: Callable[[Any], Any]


def load(name: str) -> Backend:
    """The backend of that name; raises MissingExtraError with the install command where it is missing."""
    if not isinstance(name, str) or name not in BACKENDS:
        raise _unknown(name)
    try:
        importlib.import_module(name)
    except ImportError:
        raise missing_extra(name, name, f"arrays of the {name} backend") from None
    made: Backend = importlib.import_module(f".{name}_backend", __package__).make()
    return made


def _unknown(name: Any) -> UnknownNameError:
    known = ("numpy", *BACKENDS)
    if name == "dask":
        return UnknownNameError(
            "backend 'dask' compiles nothing",
            f"backends: {', '.join(known)}",
            'J.materialize(backend="dask") of an uncompiled Jacobian, a dask array',
        )
    return UnknownNameError(
        f"backend {name!r} is not known", f"backends: {', '.join(known)}", did_you_mean(str(name), known)
    )
