"""Which operation serves a call of numpy on a traced value, and what is said where none does."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import ops
from .axes import no_number
from .errors import JacobiansError, UnsupportedError, did_you_mean
from .expr import Node, topological
from .operation import OPERATIONS, SERVES


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


REDUCE = {"add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min"}
ACCUMULATE = {"add": "cumsum", "multiply": "cumprod"}
VIEWS = words("getitem reshape ravel transpose matrix_transpose swapaxes moveaxis squeeze diagonal")
TYPED = words("sum mean prod cumsum cumprod std var trace einsum")  # with dtype=, the type of the result
SUMS_OF_PRODUCTS = words("matmul dot inner vdot tensordot einsum")  # of truths: whether any product holds
METHODS = words(
    """
    sum mean prod max min std var cumsum cumprod trace diagonal dot ravel flatten transpose swapaxes squeeze
    repeat take argsort argmax argmin searchsorted any all nonzero clip round conj conjugate
    """
)
POINTWISE_METHODS = words(
    """
    sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh exp exp2 expm1
    log log2 log10 log1p sqrt cbrt square reciprocal floor ceil rint trunc sign fabs absolute deg2rad rad2deg
    """
)  # numpy calls these on the entries of an object array


def module_of(ufunc: np.ufunc) -> str:
    """Where numpy keeps a ufunc; the others are scipy.special's."""
    return "numpy" if getattr(np, ufunc.__name__, None) is ufunc else "special"


def served(name: str, module: str) -> Any:
    """The operation that a function of numpy or scipy stands for; raises UnsupportedError by its name."""
    place = (
        "linalg." if "linalg" in module else "special." if module == "special" or "scipy" in module else ""
    )
    found = SERVES.get(place + name) or (SERVES.get(name) if place != "linalg." else None)
    if found is None:
        full = "np." + place + name if not place.startswith("special") else "scipy." + place + name
        raise UnsupportedError(
            f"{full} is not traced",
            "it is called on a value that a derivative is taken through",
            _hint(name),
        )
    return found


def _hint(name: str) -> str:
    close = did_you_mean(name, OPERATIONS)
    listed = "operations: jacobians ops"
    return listed if close.startswith("one of ") else f"did you mean {close}? {listed}"


def describe(node: Node) -> str:
    """A node in an error text."""
    return f"{node.name or node.op}, shape {node.shape}"


def no_attribute(name: str) -> JacobiansError:
    """The error where an array has an attribute that a traced value lacks; it is an AttributeError too."""
    made = type("MissingAttribute", (UnsupportedError, AttributeError), {})
    error: JacobiansError = made(
        f".{name} of a traced value is not supported",
        "",
        did_you_mean(name, METHODS | {"T", "shape", "reshape"}),
    )
    return error


def value_needed(what: str, node: Node | None = None) -> JacobiansError:
    """The error where numbers are asked for that are not known yet: values, or sizes that are symbols."""
    leaves = [] if node is None else [n for n in topological([node]) if not n.args]
    sizes = [n.params for n in leaves if n.op == "size"]
    if sizes and all(n.op in ("size", "constant") for n in leaves):
        return no_number("this step", *sizes)
    return UnsupportedError(
        f"{what} needs the value of a traced array",
        "values are not known while the function is traced",
        "keep it an array; to collect scalars: np.stack([a, b]) or np.array([a, b])",
    )


def write_error(what: str) -> UnsupportedError:
    """The error where a part of a traced value is written to."""
    return UnsupportedError(
        f"{what} would write into a traced value in place",
        "entries of a traced value are not assigned one by one",
        "np.where(mask, new, old), np.concatenate([...]) or np.stack([...]) make the changed array",
    )


assert ops  # the operations are registered by importing them
