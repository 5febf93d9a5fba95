"""Operations: what is known of each, and the registry that everything else reads.

Two records, because a user's operation and a node are not the same thing: `np.matmul` and `np.trace` are
different *operations* and both build an einsum *node*.

- `Rule` belongs to a node: how it runs (`forward`) and its local Jacobian by each argument (`local`);
- `Operation` belongs to a name users know: a function that builds nodes, with its documentation.

`rule(...)` and `operation(...)` register; `local_jacobian(node, k)` reads a rule; `as_node` turns
arrays and Python numbers into constants.  The registry is filled when the package is imported and then
only read: it is the package's only global state beside caches, which change time and not results.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np

from .axes import Poly
from .errors import UnsupportedError
from .expr import TAKE_INTEGERS, Node, constant, size_value
from .terms import TermSum

Local = Callable[[Node, int], TermSum]
F = TypeVar("F", bound=Callable[..., Any])


class Rule(NamedTuple):
    """How a node runs and differentiates.

    `forward(params, *arrays)` gives its value (a tuple where it has several outputs); `local(node, k)`
    gives the local Jacobian by argument `k`, shape `node.shape x node.args[k].shape`; None means that
    the derivative is zero everywhere (comparisons, rounding).  `views` says that the value may share
    memory with an argument.
    """

    name: str
    forward: Callable[..., Any]
    local: Local | None = None
    views: bool = False


class Operation(NamedTuple):
    """An operation as users know it: `build` takes nodes (and arrays) and returns nodes.

    `serves` are the numpy functions it stands for ("linalg.inv"); `arguments` are the array arguments by
    which local Jacobians exist; `formula` is the local Jacobian as text, `kink` the convention where the
    derivative is one.
    """

    name: str
    family: str
    build: Callable[..., Any]
    arguments: tuple[str, ...]
    serves: tuple[str, ...]
    formula: str
    kink: str

    @property
    def doc(self) -> str:
        """The documentation of the builder."""
        return self.build.__doc__ or ""


RULES: dict[str, Rule] = {}
OPERATIONS: dict[str, Operation] = {}
SERVES: dict[str, Operation] = {}  # by numpy's name: "tanh", "linalg.inv", "special.expit"


def rule(
    name: str,
    forward: Callable[..., Any],
    local: Local | None = None,
    views: bool = False,
    takes_integers: bool = False,
) -> None:
    """Registers how nodes named `name` run and differentiate.

    Integer arguments of a node with floating values are converted to floats before it is made, unless it
    `takes_integers`: they are places, and not numbers.
    """
    if name in RULES:
        raise ValueError(f"two rules are named {name}")
    if takes_integers:
        TAKE_INTEGERS.add(name)
    RULES[name] = Rule(name, forward, local, views)


def operation(
    family: str,
    arguments: str = "x",
    serves: str | None = None,
    formula: str = "",
    kink: str = "",
    name: str | None = None,
) -> Callable[[F], F]:
    """Decorator that registers a builder of nodes under its function's name.

    `arguments` and `serves` are words separated by blanks; an operation serves the numpy function of
    its own name unless told otherwise ("" for none).
    """

    def register(build: F) -> F:
        known = name or build.__name__.rstrip("_")
        if known in OPERATIONS:
            raise ValueError(f"two operations are named {known}")
        names = tuple((known if serves is None else serves).split())
        made = Operation(known, family, build, tuple(arguments.split()), names, formula, kink)
        OPERATIONS[known] = made
        for served in names:
            SERVES[served] = made
        return build

    return register


def local_jacobian(node: Node, k: int) -> TermSum:
    """The local Jacobian of `node` by its argument number `k`: `node.shape x node.args[k].shape`."""
    known = RULES[node.op]
    if known.local is None:
        return TermSum(node.shape, node.args[k].shape)
    return known.local(node, k)


def as_node(value: Any) -> Node:
    """`value` as a node: nodes as they are, arrays and numbers as constants.

    Raises UnsupportedError for complex and object arrays, and for what is no array at all.
    """
    if isinstance(value, Node):
        return value
    if type(value) in (bool, int, float):
        return constant(value)
    if isinstance(value, Poly):
        return size_value(value)
    plain(value)
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise UnsupportedError(
            f"an array of type {array.dtype} has no derivative here",
            f"value of type {type(value).__name__}, shape {array.shape}",
            "real numbers: x.real and x.imag apart, or .astype(float)",
        )
    if array.dtype == np.float16 or array.dtype.itemsize > 8:
        array = array.astype(np.float32 if array.dtype == np.float16 else np.float64)
    return constant(array)


def plain(value: Any) -> None:
    """Raises UnsupportedError for arrays whose operations mean something else than numpy's own."""
    masked = sys.modules.get("numpy.ma")  # a masked array has loaded it; looking into it costs 7 ms
    if isinstance(value, np.matrix) or (masked is not None and isinstance(value, masked.MaskedArray)):
        raise UnsupportedError(
            f"{type(value).__name__} has operations of its own", f"shape {value.shape}", "np.asarray(x)"
        )


def is_floating(node: Node) -> bool:
    """Whether derivatives flow through `node` (real floating values, not integers or truths)."""
    return node.dtype is float or getattr(node.dtype, "kind", "") == "f"
