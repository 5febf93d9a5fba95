"""What the allowed names mean: `NUMPY`, the `Vocabulary` of numpy syntax.

- `numpy_function(dotted)`, `numpy_constant(dotted)`: look a name up, with or without its prefix.
- `dotted_name(node, scope)`: the name that a chain such as np.linalg.inv stands for.
- `extra_function(name)`: a function that numpy lacks (relu, softmax, ...).
- `bare_names()`: the operations that need no prefix, for suggestions.
"""

from __future__ import annotations

import ast
import importlib
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from jacobians.errors import MissingExtraError, UnsupportedError
from jacobians.reading import builtin_functions as plain
from jacobians.reading import creation
from jacobians.reading.allowed import CREATION, EXTRA, LINALG, MATH, MATH_SPECIAL, NUMPY_FUNCTIONS
from jacobians.reading.costs import Cost, cost_of, operator_cost

_TYPES: Mapping[str, type] = {"float": float, "int": int, "bool": bool}
_NUMPY_TYPES: Mapping[str, Any] = {
    "float64": np.float64,
    "float32": np.float32,
    "int64": np.int64,
    "bool_": np.bool_,
}
_NUMBERS: Mapping[str, Any] = {"pi": np.pi, "inf": np.inf, "nan": np.nan, "newaxis": None}
_MODULES = {"np", "numpy", "linalg", "scipy", "special", "math", "jac", "jacobians"}
DTYPES = (float, int, bool, np.float64, np.float32, np.int64, np.bool_)

_BUILTINS: Mapping[str, Callable[..., Any]] = {
    "sum": plain.sum_of,
    "abs": plain.absolute,
    "max": plain.largest,
    "min": plain.smallest,
    "all": plain.all_of,
    "any": plain.any_of,
    "round": plain.rounded,
    "pow": plain.raised,
    "len": plain.length,
    "range": plain.numbers,
    "zip": plain.zipped,
    "enumerate": plain.enumerated,
    "reversed": plain.reversed_list,
    "sorted": plain.sorted_list,
    "list": plain.listed,
    "tuple": plain.tupled,
    "float": plain.to_float,
    "int": plain.to_int,
    "bool": bool,
}
_NUMPY_OVERRIDES: Mapping[str, Callable[..., Any]] = {
    "array": plain.array,
    "asarray": plain.array,
    "sum": plain.numpy_sum,
    "ones": creation.ones,
    "zeros": creation.zeros,
    "full": creation.full,
    "eye": creation.eye,
    "identity": creation.eye,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A function a text may call: its short name, how to call it, its cost, and whether it is numpy's."""

    name: str
    call: Callable[..., Any]
    cost: Callable[[Any, Any], Cost] | None = None
    numpy: bool = False

    @property
    def creates(self) -> bool:
        """Whether the result depends on sizes alone (`eye`, `zeros`, ...)."""
        return self.numpy and self.name in CREATION


def _same_value(value: Any) -> Any:
    return value


def _direct(function: Callable[[Any], Any], value: Any) -> Any:
    return function(value)


@dataclass(frozen=True)
class Vocabulary:
    """The names and operators of one syntax.

    `function` and `constant` look a dotted name up (None, KeyError); `cost` is that of an operator; `finish`
    gives the array behind a value, `inside` applies a function to it.  `home` says where it is defined.
    """

    home: str
    function: Callable[[str], Entry | None]
    constant: Callable[[str], Any]
    names: Callable[[], Iterable[str]]
    binary: Mapping[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]]
    unary: Mapping[type[ast.unaryop], Callable[[Any], Any]]
    cost: Callable[[str, Any, Any], Cost] = operator_cost
    finish: Callable[[Any], Any] = field(default=_same_value)
    inside: Callable[[Callable[[Any], Any], Any], Any] = field(default=_direct)

    def __reduce__(self) -> tuple[Callable[[str], Any], tuple[str]]:
        """Pickle by name, so that a program travels to another process."""
        return _vocabulary_at, (self.home,)


def _vocabulary_at(home: str) -> Any:
    module, _, name = home.partition(":")
    return getattr(importlib.import_module(module), name)


@cache
def numpy_function(dotted: str) -> Entry | None:
    """The function called `dotted` in numpy syntax, with or without its prefix, or None.

    >>> numpy_function("np.linalg.inv") is numpy_function("inv"), numpy_function("np.save")
    (True, None)
    """
    prefix, _, name = dotted.rpartition(".")
    if prefix in ("np", "numpy"):
        return _numpy_entry(name)
    if prefix in ("np.linalg", "numpy.linalg", "linalg", "scipy.linalg"):
        return _linalg_entry(name) or (_extra_entry(name) if name == "expm" else None)
    if prefix in ("scipy.special", "special", "jac.functions", "jacobians.functions", "jac", "scipy"):
        return _extra_entry(name)
    if prefix == "math":
        return _math_entry(name)
    return None if prefix else _bare_entry(name)


def _bare_entry(name: str) -> Entry | None:
    if name in _BUILTINS:
        return Entry(name, _BUILTINS[name])
    return _numpy_entry(name) or numpy_function("np.linalg." + name) or _extra_entry(name)


@cache
def _numpy_entry(name: str) -> Entry | None:
    if name not in NUMPY_FUNCTIONS or not (name in _NUMPY_OVERRIDES or hasattr(np, name)):
        return None
    call = _NUMPY_OVERRIDES.get(name) or getattr(np, name)
    return Entry(name, call, lambda args, kwargs: cost_of(name, args, kwargs), numpy=True)


@cache
def _linalg_entry(name: str) -> Entry | None:
    if name not in LINALG or not hasattr(np.linalg, name):
        return None
    return Entry(name, getattr(np.linalg, name), lambda args, kwargs: cost_of(name, args, kwargs), numpy=True)


def _math_entry(name: str) -> Entry | None:
    special: dict[str, Callable[..., Any]] = {"factorial": plain.factorial, "comb": plain.combinations}
    if name in special:
        return Entry(name, special[name])
    if name in MATH_SPECIAL:
        return _extra_entry(MATH_SPECIAL[name])
    return _numpy_entry(name) if name in MATH else None


def _extra_entry(name: str) -> Entry | None:
    if name in ("factorial", "comb"):
        return _math_entry(name)
    if name not in EXTRA:
        return None
    return Entry(name, _Extra(name), lambda args, kwargs: cost_of(name, args, kwargs), numpy=True)


@dataclass(frozen=True, slots=True)
class _Extra:
    """A function numpy lacks, looked up when it is called."""

    name: str

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the package's own function of this name, else SciPy's."""
        return extra_function(self.name)(*args, **kwargs)


def extra_function(name: str) -> Callable[..., Any]:
    """The function `name` that numpy lacks (relu, expit, softmax, ...): this package's own, else SciPy's.

    Raises UnsupportedError or MissingExtraError where there is neither.
    """
    alias = {
        "sigmoid": "expit",
        "logistic": "expit",
        "psi": "digamma",
        "loggamma": "gammaln",
        "swish": "silu",
    }
    for module, names in (("jacobians.functions", (name, alias.get(name, name))), ("scipy.special", (name,))):
        try:
            found = importlib.import_module(module)
        except ImportError:
            continue
        for known in names:
            if hasattr(found, known):
                return getattr(found, known)  # type: ignore[no-any-return]
    try:
        importlib.import_module("scipy.special")
    except ImportError as error:
        hint = "pip install 'jacobians[scipy]'"
        raise MissingExtraError(
            f"{name} is not in jacobians.functions, and SciPy is not installed", "", hint
        ) from error
    raise UnsupportedError(f"{name} has no implementation here", "", "write it out with numpy functions")


def numpy_constant(dotted: str) -> Any:
    """The number or type called `dotted`; KeyError if there is none.

    >>> numpy_constant("np.pi") == np.pi, numpy_constant("float")
    (True, <class 'float'>)
    """
    prefix, _, name = dotted.rpartition(".")
    if not prefix:
        return _TYPES[name] if name in _TYPES else _NUMBERS[name]
    if prefix == "math":
        return {"pi": np.pi, "e": np.e, "inf": np.inf, "nan": np.nan, "tau": 2 * np.pi}[name]
    if prefix in ("np", "numpy"):
        return {**_NUMBERS, **_NUMPY_TYPES, "e": np.e, "euler_gamma": np.euler_gamma}[name]
    raise KeyError(dotted)


def is_module(name: str) -> bool:
    """Whether `name` stands for a module: np, numpy, linalg, scipy, special, math, jac."""
    return name in _MODULES


def dotted_name(node: ast.expr, scope: Mapping[str, Any]) -> str | None:
    """`np.linalg.inv` for such a chain of names that begins with a module, else None; variables win."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id in scope or (parts and not is_module(node.id)):
        return None
    return ".".join([node.id, *reversed(parts)])


@cache
def bare_names() -> tuple[str, ...]:
    """Every operation that is known without a prefix, sorted."""
    names = NUMPY_FUNCTIONS | LINALG | EXTRA | set(_BUILTINS)
    return tuple(sorted(name for name in names if numpy_function(name) is not None))


NUMPY = Vocabulary(
    home="jacobians.reading.vocabulary:NUMPY",
    function=numpy_function,
    constant=numpy_constant,
    names=bare_names,
    binary={
        ast.Add: ("+", operator.add),
        ast.Sub: ("-", operator.sub),
        ast.Mult: ("*", operator.mul),
        ast.Div: ("/", operator.truediv),
        ast.FloorDiv: ("//", operator.floordiv),
        ast.Mod: ("%", operator.mod),
        ast.Pow: ("**", operator.pow),
        ast.MatMult: ("@", operator.matmul),
        ast.BitAnd: ("&", operator.and_),
        ast.BitOr: ("|", operator.or_),
    },
    unary={
        ast.USub: operator.neg,
        ast.UAdd: operator.pos,
        ast.Not: operator.not_,
        ast.Invert: operator.invert,
    },
)
