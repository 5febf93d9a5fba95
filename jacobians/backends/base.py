"""What a backend must be able to do, and how the known ones are loaded."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import UnknownNameError, did_you_mean, missing_extra

BACKENDS = ("torch", "jax")


@dataclass(frozen=True, slots=True)
class Backend:
    """An array library: its namespace, and the few things that libraries spell differently.

    `asarray(value, like)` makes a constant on the device of `like`; `zeros(shape, dtype, like)` an array of
    zeros; `add_at(out, sizes, walk, index, value)` adds through a wiring and returns the result;
    `compile(function)` is jax.jit or torch.compile; `float_dtype(array)` is numpy's name of an array's type.
    """

    name: str
    namespace: Any
    is_array: Callable[[Any], bool]
    asarray: Callable[..., Any]
    zeros: Callable[..., Any]
    add_at: Callable[..., Any]
    compile: Callable[[Callable[..., Any]], Callable[..., Any]]

    def one_library(self, values: Sequence[Any], names: Sequence[str]) -> None:
        """Raises UnsupportedError where an operand is of another library: nothing is converted silently."""
        from ..errors import UnsupportedError

        for value, name in zip(values, names, strict=True):
            if not self.is_array(value):
                library = type(value).__module__.partition(".")[0]
                raise UnsupportedError(
                    f"operands mix {self.name} and {library} ({name} is {type(value).__name__})",
                    f"this call was compiled for {self.name}",
                    "convert one; nothing is converted silently",
                )


def load(name: str) -> Backend:
    """The backend of that name; raises MissingExtraError with the install command where it is missing."""
    if name not in BACKENDS:
        raise UnknownNameError(
            f"backend {name!r} is not known",
            f"backends: numpy, {', '.join(BACKENDS)}, dask",
            did_you_mean(name, [*BACKENDS, "numpy", "dask"]),
        )
    try:
        importlib.import_module(name)
    except ImportError:
        raise missing_extra(name, name, f"arrays of the {name} backend") from None
    made: Backend = importlib.import_module(f".{name}_backend", __package__).make()
    return made
