"""Tracing: an ordinary numpy function, run on stand-ins, becomes an expression DAG.

`trace_call(f, args, kwargs)` runs `f` on `Traced` values, which answer numpy's protocols
(`__array_ufunc__`, `__array_function__`), operators, methods and indexing with nodes.  `name(value, "z")`
names an intermediate.  What is not supported says so by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from weakref import ref

import numpy as np

from .errors import JacobiansError, ShapeError, UnsupportedError
from .expr import Node
from .operation import OPERATIONS, SERVES, as_node
from .serving import (
    ACCUMULATE,
    METHODS,
    POINTWISE_METHODS,
    REDUCE,
    SUMS_OF_PRODUCTS,
    TYPED,
    VIEWS,
    describe,
    module_of,
    no_attribute,
    served,
    value_needed,
    write_error,
)


class Traced:
    """A stand-in for an array inside a traced function: its shape and type are known, its values are not.

    It follows numpy in what `+=` does: every name of the same array sees the change, and `kin`, the
    stand-ins that are views of one memory, cannot be changed while another of them is in use.
    """

    __slots__ = ("__weakref__", "kin", "node")
    __array_priority__ = 1000.0
    __hash__ = object.__hash__

    def __init__(self, node: Node) -> None:
        self.node = node
        self.kin: list[ref[Traced]] | None = None

    shape = property(lambda self: self.node.shape)
    ndim = property(lambda self: len(self.node.shape))
    T = property(lambda self: self._call("transpose"))
    mT = property(lambda self: self._call("matrix_transpose"))
    real = property(lambda self: self)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The numpy type of its values."""
        made: np.dtype[Any] = np.dtype(self.node.dtype)
        return made

    @property
    def size(self) -> Any:
        """The number of entries."""
        from .axes import entries

        return entries(self.node.shape)

    @property
    def flat(self) -> Any:
        """Its entries one after another."""
        return self._call("ravel")

    def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        return call(OPERATIONS[name].build, (self, *args), kwargs)

    def changed(self, to: Traced, operand: Any) -> Traced:
        """Itself after `+=` an operand and its like: `to` is written over this array, as numpy writes it."""
        if self.node.shape == ():
            return to
        if to.node.shape != self.node.shape:
            raise ShapeError(
                "an array cannot grow in place",
                f"its shape is {self.node.shape}, the result's {to.node.shape}",
                "x = x + y in place of x += y",
            )
        in_use = [other for other in (held() for held in self.kin or ()) if other is not None]
        if any(other is not self and other is not operand for other in in_use):
            raise UnsupportedError(
                "an array and a view of it are in use, and one is changed in place",
                f"the change is to {describe(self.node)}",
                "x = x + y in place of x += y, or .copy() where the view is made",
            )
        narrow = np.dtype(self.node.dtype) == np.float32 != np.dtype(to.node.dtype)
        self.node = to.astype(np.float32).node if narrow else to.node
        return self

    def __getattr__(self, name: str) -> Any:
        if name in METHODS:
            served = SERVES.get(name)
            if served is not None:
                return lambda *args, **kwargs: call(served.build, (self, *args), kwargs)
        if name in POINTWISE_METHODS and name in SERVES:
            return lambda: call(SERVES[name].build, (self,), {})
        if name.startswith("__"):
            raise AttributeError(name)
        raise no_attribute(name)

    def reshape(self, *shape: Any, order: str = "C") -> Any:
        """The same entries under another shape."""
        return self._call("reshape", *shape, order=order)

    def transpose(self, *axes: Any) -> Any:
        """The axes in another order, reversed by default."""
        order = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None
        return self._call("transpose", order)

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        """The same values under another floating type; a cast to integers has derivative zero."""
        return call(OPERATIONS["astype"].build, (self, dtype), {})

    def copy(self, *args: Any) -> Traced:
        """The same value, another array."""
        return Traced(self.node)

    def item(self) -> Any:
        """An error: the value is not known while tracing."""
        raise value_needed("item()")

    def tolist(self) -> Any:
        """An error: the values are not known while tracing."""
        raise value_needed("tolist()")

    def fill(self, value: Any) -> None:
        """An error: a traced value cannot be written to."""
        raise write_error("fill")

    def __getitem__(self, key: Any) -> Any:
        return self._call("getitem", key)

    def __setitem__(self, key: Any, value: Any) -> None:
        raise write_error("an assignment to a part of a traced value")

    def __len__(self) -> int:
        if not self.node.shape:
            raise TypeError("len() of a scalar")
        return int(self.node.shape[0])

    def __iter__(self) -> Iterator[Any]:
        return (self[k] for k in range(len(self)))

    def __bool__(self) -> bool:
        raise UnsupportedError(
            "a branch depends on a traced value",
            f"{describe(self.node)} has no value while the function is traced",
            "np.where(condition, a, b), which follows both branches; np.stack in place of np.array",
        )

    def __float__(self) -> float:
        raise value_needed("float()", self.node)

    def __int__(self) -> int:
        raise value_needed("int()", self.node)

    __index__ = __int__
    __complex__ = __float__

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if kwargs.pop("out", None) is not None:
            raise write_error(f"np.{ufunc.__name__}(..., out=)")
        if kwargs.pop("where", True) is not True:
            raise UnsupportedError(
                f"np.{ufunc.__name__}(..., where=) is not traced", "", "np.where(condition, a, b)"
            )
        wanted = kwargs.pop("dtype", None)
        kwargs = {k: v for k, v in kwargs.items() if k not in ("casting", "order", "subok")}
        made = self._ufunc(ufunc, method, inputs, kwargs)
        return made if wanted is None else made.astype(wanted)

    def _ufunc(self, ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        name = ufunc.__name__
        if method == "__call__":
            return call(served(name, module_of(ufunc)).build, inputs, kwargs)
        if method == "reduce" and name in REDUCE:
            kwargs.setdefault("axis", 0)
            return call(OPERATIONS[REDUCE[name]].build, inputs, kwargs)
        if method == "accumulate" and name in ACCUMULATE:
            kwargs.setdefault("axis", 0)
            return call(OPERATIONS[ACCUMULATE[name]].build, inputs, kwargs)
        if method == "outer":
            return call(_outer(served(name, "numpy").build), inputs, kwargs)
        raise UnsupportedError(
            f"np.{name}.{method} is not traced", "", f"np.{name} itself, and sums of its values"
        )

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if kwargs.get("out") is not None:
            raise write_error(f"np.{func.__name__}(..., out=)")
        return call(served(func.__name__, func.__module__ or "numpy").build, args, kwargs)

    def __repr__(self) -> str:
        return f"Traced({describe(self.node)})"


def _operators() -> None:
    binary = {
        "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "matmul": "matmul",
        "pow": "power", "floordiv": "floor_divide", "mod": "remainder",
    }  # fmt: skip
    for short, name in binary.items():
        setattr(Traced, f"__{short}__", _binary(name))
        setattr(Traced, f"__r{short}__", _binary(name, swapped=True))
        setattr(Traced, f"__i{short}__", _in_place(name))
    truths = {
        "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "eq": "equal",
        "ne": "not_equal", "and": "logical_and", "or": "logical_or", "xor": "logical_xor",
    }  # fmt: skip
    for short, name in truths.items():
        setattr(Traced, f"__{short}__", _binary(name))
    for short, name in {"neg": "negative", "pos": "positive", "abs": "abs", "invert": "logical_not"}.items():
        setattr(Traced, f"__{short}__", _unary(name))


def _binary(name: str, swapped: bool = False) -> Callable[[Any, Any], Any]:
    def operator(self: Traced, other: Any) -> Any:
        if isinstance(other, (str, bytes)) or other is None:
            return NotImplemented
        return call(OPERATIONS[name].build, (other, self) if swapped else (self, other), {})

    return operator


def _in_place(name: str) -> Callable[[Any, Any], Any]:
    build = OPERATIONS[name].build
    return lambda self, other: self.changed(call(build, (self, other), {}), other)


def _unary(name: str) -> Callable[[Any], Any]:
    return lambda self: call(OPERATIONS[name].build, (self,), {})


_operators()


def call(build: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Runs a builder of nodes on traced values: nodes go in, traced values come out."""
    given = [unwrap(arg) for arg in args], {k: unwrap(v) for k, v in kwargs.items()}
    try:
        made = wrap(build(*given[0], **given[1]))
    except TypeError as error:
        if isinstance(error, JacobiansError):
            raise
        _check_arguments(build, *given)
        raise
    name = build.__name__.rstrip("_")
    if not isinstance(made, Traced):
        return made
    if name in VIEWS and args and isinstance(args[0], Traced):
        _share(args[0], made, args[1:])
    if name in SUMS_OF_PRODUCTS and _truths(given[0]):
        return call(OPERATIONS["not_equal"].build, (made, 0), {})
    return made.astype(kwargs["dtype"]) if kwargs.get("dtype") is not None and name in TYPED else made


def _truths(given: list[Any]) -> bool:
    """Whether there are arrays among these arguments, all of them truths."""
    arrays = [one for one in given if isinstance(one, (Node, np.ndarray))]
    return bool(arrays) and all(np.dtype(one.dtype) == np.bool_ for one in arrays)


def _share(array: Traced, view: Traced, key: tuple[Any, ...]) -> None:
    """Notes that two stand-ins are one memory in numpy; an index array makes a copy, which is not noted."""
    if any(isinstance(part, (Traced, np.ndarray, list)) for part in (*key, *_parts(key))):
        return
    array.kin = view.kin = array.kin if array.kin is not None else [ref(array)]
    array.kin.append(ref(view))


def _parts(key: tuple[Any, ...]) -> tuple[Any, ...]:
    return key[0] if len(key) == 1 and isinstance(key[0], tuple) else ()


def _check_arguments(build: Callable[..., Any], args: list[Any], kwargs: Mapping[str, Any]) -> None:
    """Raises UnsupportedError where an operation does not take these arguments; only an error pays for it."""
    from inspect import signature

    try:
        signature(build).bind(*args, **kwargs)
    except TypeError as error:
        label = build.__name__.rstrip("_")
        raise UnsupportedError(
            f"{label} is not traced with these arguments",
            str(error),
            f"the arguments of {label}{signature(build)}",
        ) from None


def unwrap(value: Any) -> Any:
    """Traced values as nodes, inside lists and tuples too; an object array of them is stacked."""
    if isinstance(value, Traced):
        return value.node if value.node.op != "size" else value.node.params
    if isinstance(value, np.ndarray) and value.dtype == object:
        return stacked(value)
    if type(value) in (list, tuple):
        return type(value)(unwrap(v) for v in value)
    if type(value) is slice:
        return slice(*(unwrap(end) for end in (value.start, value.stop, value.step)))
    made = getattr(value, "_traced_node", None)
    return made() if made is not None else value


def wrap(value: Any) -> Any:
    """Nodes as traced values, inside lists and tuples too."""
    if isinstance(value, Node):
        return Traced(value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(wrap(v) for v in value))
    if isinstance(value, (list, tuple)):
        return type(value)(wrap(v) for v in value)
    return value


def stacked(array: np.ndarray) -> Node:
    """An object array of traced scalars, as one node."""
    if array.ndim == 0:
        return as_node(unwrap(array[()]))
    flat = [unwrap(entry) for entry in array.ravel()]
    if array.size == 0 or not any(isinstance(entry, Node) for entry in flat):
        return as_node(np.asarray(flat, float).reshape(array.shape))
    whole = _same_source(flat)
    if whole is not None and whole.shape == array.shape:
        return whole
    made: Node = OPERATIONS["stack"].build([as_node(entry) for entry in flat])
    reshaped: Node = OPERATIONS["reshape"].build(made, array.shape)
    return reshaped


def _same_source(flat: list[Any]) -> Node | None:
    """The array whose entries, in order, these nodes are; only an optimisation of stacking them again."""
    first = flat[0]
    if not isinstance(first, Node) or first.op != "select" or len(first.args) != 1:
        return None
    source = first.args[0]
    places = np.ndindex(*source.shape) if all(isinstance(n, int) for n in source.shape) else iter(())
    for node, place in zip(flat, places, strict=False):
        if not isinstance(node, Node) or node.op != "select" or node.args != (source,):
            return None
        if tuple(getattr(slot, "offset", None) for slot in node.params[0]) != place:
            return None
    return source


def _outer(build: Callable[..., Any]) -> Callable[..., Any]:
    def outer(x: Any, y: Any) -> Any:
        x, y = as_node(x), as_node(y)
        reshape = OPERATIONS["reshape"].build
        return build(reshape(x, x.shape + (1,) * y.ndim), y)

    return outer


def name(value: Any, label: str) -> Any:
    """`value` under a name, so that graphs and chains show it: `z = jac.name(A @ x + b, "z")`.

    Outside a traced function the value is returned as it is.

    >>> name(3.0, "z")
    3.0
    """
    if not isinstance(value, Traced):
        return value
    node = value.node
    if node.name is None and node.op != "constant":
        node.name = label
        return value
    return Traced(Node("identity", (node,), None, node.shape, node.dtype, label))
