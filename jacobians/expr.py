"""Expressions: a DAG of immutable nodes with known shapes.

`variable` and `constant` make leaves; `topological` lists what some nodes are built from, arguments first.
A node knows shapes and types, never values (constants excepted): values come when a plan runs it.  Two
operations belong to the notation itself and are made here, because Terms are built from them:

- `product(operands, output, sizes)`: one einsum of any number of nodes;
- `combination(parts, output, sizes)`: a weighted sum of nodes, broadcast over labels.
"""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from .axes import Poly, Shape, Size, symbol

FLOAT64 = np.dtype(np.float64)
INTEGER_KINDS = ("i", "u")
_serials = itertools.count()


class Node:
    """One value of the computation: an operation's name, its arguments, and what is known of the result.

    `serial` grows with creation, so sorting by it is a topological order.  `dtype` is a numpy dtype,
    or a Python type for Python scalars (they do not promote: float32 stays float32).  What a floating value
    is computed from is floating: integer arrays are converted first, as numpy does within the operation, so
    that a factor of a derivative, L of `L * w`, never meets another as an integer and wraps.
    """

    __slots__ = ("args", "dtype", "name", "op", "params", "serial", "shape", "value")

    def __init__(
        self,
        op: str,
        args: tuple[Node, ...] = (),
        params: Any = None,
        shape: Shape = (),
        dtype: Any = FLOAT64,
        name: str | None = None,
        value: Any = None,
    ) -> None:
        self.op, self.args, self.params = op, _converted(op, args, dtype), params
        self.shape, self.dtype = shape, dtype
        self.name, self.value = name, value
        self.serial = next(_serials)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __repr__(self) -> str:
        return f"<{self.name or self.op} {'x'.join(map(str, self.shape)) or 'scalar'}>"


TAKE_INTEGERS: set[str] = set()
"""Operations whose integer arguments are places, or are converted by it: their rules say so."""


def _converted(op: str, args: tuple[Node, ...], dtype: Any) -> tuple[Node, ...]:
    """The arguments of an operation, integer arrays as floats where its result is floating."""
    for arg in args:
        if arg.dtype is not FLOAT64 and getattr(arg.dtype, "kind", "") in INTEGER_KINDS:
            break
    else:
        return args
    if op in TAKE_INTEGERS or getattr(dtype, "kind", "") != "f":
        return args
    return tuple(
        Node("astype", (arg,), dtype, arg.shape, dtype)
        if getattr(arg.dtype, "kind", "") in INTEGER_KINDS
        else arg
        for arg in args
    )


MAY_SHARE = frozenset({"variable", "constant", "identity", "select", "reshape", "einsum", "output"})
"""Operations whose value may share memory with an argument."""


def variable(name: str, shape: Shape, dtype: Any = FLOAT64) -> Node:
    """A leaf whose value is given when a plan runs."""
    return Node("variable", (), None, shape, dtype, name)


def constant(value: Any) -> Node:
    """A leaf that holds its value: an array, or a Python scalar (which stays one, so types are kept)."""
    if type(value) in (bool, int, float):
        return Node("constant", (), None, (), type(value), None, value)
    array = np.asarray(value)
    return Node("constant", (), None, array.shape, array.dtype, None, array)


def promote(nodes: Iterable[Node]) -> Any:
    """The type of a result computed from `nodes`; Python scalars do not promote an array's type."""
    strong: list[Any] = []
    weak: list[type] = [bool]
    for node in nodes:
        (weak if isinstance(node.dtype, type) else strong).append(node.dtype)
    kind = max(weak, key=(bool, int, float).index)
    if not strong:
        return kind
    dtype = strong[0] if len(set(strong)) == 1 else np.result_type(*strong)
    if kind is float and dtype.kind in "biu":
        return np.dtype(np.float64)
    return np.dtype(np.int64) if kind is int and dtype.kind == "b" else dtype


def array_type(dtype: Any) -> np.dtype[Any]:
    """The numpy type of an array made of values of this type: of Python numbers, what numpy makes of them.

    >>> array_type(float), array_type(np.dtype(np.float32))
    (dtype('float64'), dtype('float32'))
    """
    made: np.dtype[Any] = np.dtype(dtype)
    return made


def topological(roots: Iterable[Node], stop: Container[int] = ()) -> list[Node]:
    """Every node that `roots` are built from (themselves included), arguments before their users.

    What lies behind a node to `stop` at (by serial) is not looked at.
    """
    seen: dict[int, Node] = {}
    stack = list(roots)
    while stack:
        node = stack.pop()
        if node.serial not in seen:
            seen[node.serial] = node
            if node.serial not in stop:
                stack.extend(node.args)
    return [seen[serial] for serial in sorted(seen)]


Factor = tuple[Node, tuple[int, ...]]  # a node with one label for each of its axes


def product(operands: Sequence[Factor], output: Sequence[int], sizes: Sequence[Size]) -> Node:
    """`y[output] = sum over the other labels of the product of the operands`, as one node.

    `sizes[label]` is each label's size; labels are renumbered, so that equal products have equal
    parameters.  An output label that no operand carries is an axis of ones.
    """
    masks, operands = _selections(operands, set(output))
    if any(node.dtype == bool for node, _ in operands):
        operands = _counted(_masked(operands), output)
    if masks and len(operands) == 1 and operands[0][1] == tuple(output):
        node = operands[0][0]
    else:
        node = _einsum(operands, output, sizes)
    for mask, labels in masks:
        where = tuple(list(output).index(label) for label in labels)
        node = Node("masked", (mask, node), where, node.shape, node.dtype)
    return node


def _einsum(operands: Sequence[Factor], output: Sequence[int], sizes: Sequence[Size]) -> Node:
    nodes = tuple([node for node, _ in operands])
    params, shape = _spelled(tuple([labels for _, labels in operands]), tuple(output), tuple(sizes))
    dtype = array_type(promote(nodes)) if shape else promote(nodes)
    return Node("einsum", nodes, params, shape, dtype)


@lru_cache(4096)
def _spelled(
    carried: tuple[tuple[int, ...], ...], output: tuple[int, ...], sizes: tuple[Size, ...]
) -> tuple[Any, Shape]:
    """The parameters of an einsum, its labels renumbered from the output on, and the shape of its result."""
    order: dict[int, int] = {}
    for label in itertools.chain(output, *carried):
        order.setdefault(label, len(order))
    operands = tuple([tuple([order[label] for label in labels]) for labels in carried])
    out = tuple([order[label] for label in output])
    shape = tuple([sizes[label] for label in output])
    return (operands, out, tuple([sizes[label] for label in order])), shape


def _selections(operands: Sequence[Factor], output: set[int]) -> tuple[list[Factor], Sequence[Factor]]:
    """Masks over output labels, and the other operands: such a mask selects from the finished product.

    A mask that an operand went through earlier comes out of it again, so that what is infinite where
    nothing is selected never meets a 0, in whatever order factors are multiplied.
    """
    if not any(node.dtype == bool or node.op == "masked" for node, _ in operands):
        return [], operands
    masks: list[Factor] = []
    rest: list[Factor] = []
    for node, labels in operands:
        while node.op == "masked" and len(set(labels)) == len(labels):
            own = tuple(labels[k] for k in node.params)
            if not set(own) <= output:
                break
            masks.append((node.args[0], own))
            node = node.args[1]
        whole = node.dtype == bool and set(labels) <= output and len(set(labels)) == len(labels)
        (masks if whole else rest).append((node, labels))
    if all(node.dtype == bool for node, _ in rest):
        return [], operands
    known = {(mask.serial, labels): (mask, labels) for mask, labels in masks}
    return list(known.values()), rest


def _masked(operands: Sequence[Factor]) -> list[Factor]:
    """Masks put into the operands that carry all their labels: selected there, never multiplied by 0."""
    masks = [f for f in operands if f[0].dtype == bool and len(set(f[1])) == len(f[1])]
    kept = [f for f in operands if not any(f is mask for mask in masks)]
    for mask, labels in masks:
        used = False
        for k, (node, carried) in enumerate(kept):
            if node.dtype != bool and set(labels) <= set(carried) and len(set(carried)) == len(carried):
                where = tuple(carried.index(label) for label in labels)
                kept[k] = Node("masked", (mask, node), where, node.shape, node.dtype), carried
                used = True
        if not used:
            kept.append((mask, labels))
    return kept


def _counted(operands: Sequence[Factor], output: Sequence[int]) -> list[Factor]:
    """Masks that are summed over, as numbers: a sum of truths is a count, and numpy would make it a truth."""
    strong = [node.dtype for node, _ in operands if node.dtype != bool and not isinstance(node.dtype, type)]
    dtype = np.result_type(*strong) if strong else np.dtype(np.float64)
    counted = []
    for node, labels in operands:
        if node.dtype == bool and not set(labels) <= set(output):
            node = Node("astype", (node,), dtype, node.shape, dtype)
        counted.append((node, labels))
    return counted


def size_value(count: Poly) -> Node:
    """A count over sizes without numbers as a value that is computed with: the N of `sum(x) / N`."""

    def monomial(powers: tuple[tuple[str, int], ...]) -> Node:
        factors = [Node("size", (), symbol(s), (), float, s) for s, power in powers for _ in range(power)]
        if not factors:
            return constant(1.0)
        return factors[0] if len(factors) == 1 else product([(node, ()) for node in factors], (), ())

    parts = [(coefficient, monomial(powers), ()) for powers, coefficient in count.monomials.items()]
    return parts[0][1] if len(parts) == 1 and parts[0][0] == 1 else combination(parts, (), ())


def combination(
    parts: Sequence[tuple[Any, Node, tuple[int, ...]]], output: Sequence[int], sizes: Sequence[Size]
) -> Node:
    """`y[output] = sum of coefficient * node[labels]`, broadcast over labels a part does not carry."""
    order = {label: k for k, label in enumerate(output)}
    nodes = tuple(node for _, node, _ in parts)
    params = (
        tuple(coefficient for coefficient, _, _ in parts),
        tuple(tuple(order[label] for label in labels) for _, _, labels in parts),
        tuple(sizes[label] for label in output),
    )
    weights = [constant(c) for c, _, _ in parts if isinstance(c, float)]
    dtype = promote((*nodes, *weights))
    dtype = np.dtype(np.float32) if np.dtype(dtype).kind == "b" else dtype  # masks add as numbers
    return Node("combination", nodes, params, params[2], dtype)
