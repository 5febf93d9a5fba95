"""From a call of a numpy function to nodes: which arguments are traced, and what comes back.

`trace_function(f, args, kwargs, wrt)` runs `f` once on stand-ins and returns a `Trace`: the input
nodes (with their values), the target nodes and how to rebuild both containers.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any, NamedTuple

import numpy as np

from .axes import Shape
from .containers import Rebuild, bind, call_with, flatten, options
from .errors import UnknownNameError, UnsupportedError, did_you_mean
from .expr import Node
from .operation import as_node, is_floating, plain
from .tracing import Traced, unwrap

Wrt = str | int | tuple[str | int, ...] | list[str | int] | None


class Trace(NamedTuple):
    """What a traced call gave: input nodes by argument, target nodes, and the containers around both.

    `variables` are all traced leaves (a plan's inputs), `inputs` those to differentiate by, by argument
    name; `nested` says that some values belong to an outer trace, so that no numbers exist; `stand_ins` are
    the arguments that `f` was run on.
    """

    variables: tuple[Node, ...]
    inputs: dict[str, tuple[tuple[Node, ...], Rebuild]]
    targets: tuple[Node, ...]
    paths: tuple[str, ...]
    rebuild: Rebuild
    single: bool
    nested: bool
    stand_ins: Mapping[str, Any]

    @property
    def wrt(self) -> list[Node]:
        """The nodes to differentiate by, in order."""
        return [node for nodes, _ in self.inputs.values() for node in nodes]

    def check_compilable(self) -> None:
        """Raises UnsupportedError where the arguments were no arrays."""
        if self.nested:
            raise UnsupportedError(
                "compile needs arrays as examples",
                "a traced or symbolic value was given",
                "compile outside of traced functions",
            )


def trace_function(
    f: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], wrt: Wrt = None
) -> Trace:
    """Traces `f` at these arguments; raises three-part errors for what cannot be differentiated."""
    named = bind(f, args, kwargs)
    chosen = chosen_names(named, wrt, options(f, named))
    given = _Given()
    for name, value in named.items():
        given.add(name, value, name in chosen)
    result = _run(f, given.stand_ins)
    leaves, rebuild = flatten(result, "")
    targets = tuple(_target(path, leaf) for path, leaf in leaves)
    for one, node in given.started:
        one.node = node  # whatever `+=` made of an argument
    if not targets:
        raise UnsupportedError(
            "the function returned no array",
            f"it returned {result!r}",
            "return an array, or a container of arrays",
        )
    traced = any(isinstance(leaf, Traced) for v in named.values() for _, leaf in flatten(v)[0])
    return Trace(
        tuple(given.variables),
        {name: given.inputs[name] for name in chosen},
        targets,
        tuple(path for path, _ in leaves),
        rebuild,
        single=len(chosen) == 1 and (wrt is None or isinstance(wrt, (str, int))),
        nested=traced or _open(targets, given.variables),
        stand_ins=given.stand_ins,
    )


class _Given:
    """The arguments on their way to a trace: variables, what is differentiated by, and the stand-ins."""

    def __init__(self) -> None:
        self.variables: list[Node] = []
        self.inputs: dict[str, tuple[tuple[Node, ...], Rebuild]] = {}
        self.stand_ins: dict[str, Any] = {}
        self.started: list[tuple[Traced, Node]] = []

    def add(self, name: str, value: Any, chosen: bool) -> None:
        """One argument, differentiated by where it is `chosen`."""
        leaves, rebuild = flatten(value, name)
        nodes = [_variable(path, leaf, chosen) for path, leaf in leaves]
        held = [leaf if n is None else Traced(n) for n, (_, leaf) in zip(nodes, leaves, strict=True)]
        self.stand_ins[name] = rebuild(held)
        self.started += [(one, n) for one, n in zip(held, nodes, strict=True) if n is not None]
        self.variables += [n for n in nodes if n is not None]
        if chosen:
            self.inputs[name] = _differentiable(name, nodes, leaves, value)


def _run(f: Callable[..., Any], stand_ins: Mapping[str, Any]) -> Any:
    try:
        return call_with(f, stand_ins)
    except ValueError as error:
        if "setting an array element with a sequence" not in str(error):
            raise
        raise UnsupportedError(
            "a traced value was assigned into an array",
            "an array that numpy made holds numbers, and a traced value is none yet",
            "np.stack([...]) or np.concatenate([...]) make the array from its parts",
        ) from error


def chosen_names(named: Mapping[str, Any], wrt: Wrt, left: Container[str] = ()) -> list[str]:
    """The arguments to differentiate by: those named, or every argument that holds floating arrays.

    `left` are options that the call left at their defaults: differentiated by only if they are named.
    """
    if wrt is None:
        floating = [name for name, value in named.items() if name not in left and _holds(value, "f")]
        found = floating or [name for name, value in named.items() if _holds(value, "iuf")]
        if not found:
            raise UnsupportedError(
                "there is nothing to differentiate by",
                f"arguments: {', '.join(map(_described, named.items())) or 'none'}",
                "an argument that is a real array",
            )
        return found
    several = list(wrt) if isinstance(wrt, (tuple, list)) else [wrt]
    names = list(named)
    chosen = []
    for one in several:
        if isinstance(one, int) and not isinstance(one, bool) and -len(names) <= one < len(names):
            chosen.append(names[one])
        elif one in named:
            chosen.append(str(one))
        else:
            raise UnknownNameError(
                f"wrt={one!r} is no argument of the function",
                f"arguments: {', '.join(names)}",
                did_you_mean(str(one), names),
            )
    return chosen


def _described(item: tuple[str, Any]) -> str:
    name, value = item
    kind = value.dtype if isinstance(value, (np.ndarray, np.generic)) else type(value).__name__
    return f"{name} ({kind})"


def _holds(value: Any, kinds: str) -> bool:
    return any(_kind(leaf) in kinds for _, leaf in flatten(value)[0] if _kind(leaf))


def _kind(leaf: Any) -> str:
    if isinstance(leaf, Traced):
        return "f" if is_floating(leaf.node) else "i"
    if isinstance(leaf, bool):
        return ""
    if isinstance(leaf, (int, float)):
        return "f" if isinstance(leaf, float) else "i"
    if isinstance(leaf, (np.ndarray, np.generic)):
        return leaf.dtype.kind
    return "f" if isinstance(leaf, Node) else ""


def _variable(path: str, leaf: Any, chosen: bool) -> Node | None:
    """A named leaf for what is traced; None for what stays as it is (options, flags, index arrays)."""
    if isinstance(leaf, Traced):
        if not chosen:
            return None
        return Node("identity", (leaf.node,), None, leaf.shape, leaf.node.dtype, path)
    if isinstance(leaf, Node):
        return leaf
    kind = _kind(leaf)
    if not kind or (not chosen and not (kind == "f" and isinstance(leaf, (np.ndarray, np.generic)))):
        if chosen and isinstance(leaf, (np.ndarray, np.generic)):
            as_node(leaf)  # says what is wrong with it
        return None
    if kind not in "biuf":
        as_node(leaf)
    plain(leaf)
    array = np.asarray(leaf)
    if array.dtype.kind in "biu" or array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    elif array.dtype == np.float16:
        array = array.astype(np.float32)
    return Node("variable", (), None, array.shape, array.dtype, path, array)


def _differentiable(
    name: str, nodes: list[Node | None], leaves: list[tuple[str, Any]], value: Any
) -> tuple[tuple[Node, ...], Rebuild]:
    """The nodes of one argument, and the container of the results by it (None where a leaf is no array)."""
    kept = tuple(n for n in nodes if n is not None)
    if not kept:
        raise UnsupportedError(
            f"{name} holds no real array",
            f"it is {type(value).__name__}",
            "wrt= an argument with floating values",
        )
    _, rebuild = flatten(value)

    def fill(made: list[Any]) -> Any:
        rest = iter(made)
        return rebuild([None if n is None else next(rest) for n in nodes])

    return kept, fill


def _target(path: str, leaf: Any) -> Node:
    try:
        return as_node(unwrap(leaf))
    except UnsupportedError:
        what = f"the function returned {type(leaf).__name__}" + (f" at {path}" if path else "")
        raise UnsupportedError(
            what, "a derivative needs real arrays", "return an array, or a container of arrays"
        ) from None


def _open(targets: tuple[Node, ...], variables: list[Node]) -> bool:
    """Whether targets depend on an outer trace's values (a closure over a traced value)."""
    known = {n.serial for n in variables}
    stack, seen = list(targets), set()
    while stack:
        node = stack.pop()
        if node.serial in seen or node.serial in known:
            continue
        seen.add(node.serial)
        if node.op == "variable" and node.value is None:
            return True
        stack.extend(node.args)
    return False


def symbolic_variable(name: str, shape: Shape) -> Node:
    """A stand-in without a value, its sizes numbers or symbols."""
    return Node("variable", (), None, shape, np.dtype(np.float64), name)
