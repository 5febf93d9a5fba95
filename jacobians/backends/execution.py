"""Running nodes on a backend: the same plan, each operation through the library's own functions.

`executor(roots, inputs, backend)` returns a pure function of arrays; under jax it can be jitted and
differentiated, under torch compiled.  An operation that the library lacks says so by name when the executor
is made.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import UnsupportedError
from ..expr import Node, topological
from ..ops.structural import compiled, is_injective
from ..wiring import Affine, indices, strided
from .base import Backend

Act = Callable[..., Any]
FORMULAS: dict[str, Callable[[Any], Act]] = {
    "divide": lambda ns: lambda x, y: x / y,
    "power": lambda ns: lambda x, y: x**y,
    "square": lambda ns: lambda x: x * x,
    "reciprocal": lambda ns: lambda x: 1 / x,
    "exp2": lambda ns: lambda x: 2.0**x,
    "cbrt": lambda ns: lambda x: ns.sign(x) * ns.abs(x) ** (1 / 3),
    "sigmoid": lambda ns: lambda x: 1 / (1 + ns.exp(-x)),
    "softplus": lambda ns: lambda x: ns.maximum(x, 0 * x) + ns.log1p(ns.exp(-ns.abs(x))),
    "log_sigmoid": lambda ns: lambda x: -(ns.maximum(-x, 0 * x) + ns.log1p(ns.exp(-ns.abs(x)))),
    "identity": lambda ns: lambda x: x,
    "less": lambda ns: lambda x, y: x < y,
    "less_equal": lambda ns: lambda x, y: x <= y,
    "greater": lambda ns: lambda x, y: x > y,
    "greater_equal": lambda ns: lambda x, y: x >= y,
    "equal": lambda ns: lambda x, y: x == y,
    "not_equal": lambda ns: lambda x, y: x != y,
    "floor_divide": lambda ns: lambda x, y: x // y,
    "remainder": lambda ns: lambda x, y: x % y,
    "safe_divide": lambda ns: lambda x, y: ns.where(y == 0, 0 * (x + y), x / ns.where(y == 0, 1 + 0 * y, y)),
    "xlogy": lambda ns: (
        lambda x, y: ns.where(x == 0, 0 * (x + y), x * ns.log(ns.where(x == 0, 1 + 0 * y, y)))
    ),
}
for _name in ("erf", "erfc"):
    FORMULAS[_name] = lambda ns, name=_name: getattr(ns, name, None) or _special(ns, name)  # type: ignore[misc]
LINALG = {"inv": "inv", "solve": "solve", "pinv": "pinv"}
AXES = frozenset({"softmax", "log_softmax", "logsumexp", "max", "min", "norm"})


def _special(ns: Any, name: str) -> Act:
    """A function that the library keeps beside its namespace."""
    found: Act = getattr(importlib.import_module(ns.__name__.removesuffix(".numpy") + ".scipy.special"), name)
    return found


def executor(roots: Sequence[Node], inputs: Sequence[Node], backend: Backend) -> Callable[..., list[Any]]:
    """A function of the inputs' arrays that returns the roots' values."""
    nodes = [n for n in topological(roots, {n.serial for n in inputs}) if n not in inputs]
    acts = [
        (n.serial, _act(n, backend), tuple(a.serial for a in n.args))
        for n in nodes
        if n.op not in ("constant", "variable")
    ]
    constants = [(n.serial, n) for n in nodes if n.op in ("constant", "variable")]

    def run(*arrays: Any) -> list[Any]:
        like = arrays[0]
        values: dict[int, Any] = {n.serial: a for n, a in zip(inputs, arrays, strict=True)}
        for serial, node in constants:
            scalar = isinstance(node.dtype, type)
            values[serial] = node.value if scalar else backend.asarray(node.value, like)
        for serial, act, args in acts:
            values[serial] = act(like, *(values[k] for k in args))
        return [values[root.serial] for root in roots]

    return run


def _act(node: Node, backend: Backend) -> Act:
    ns = backend.namespace
    special = {
        "einsum": _einsum,
        "combination": _combination,
        "select": _select,
        "assemble": _assemble,
        "masked": _masked,
        "where": _where,
    }
    if node.op in special:
        return special[node.op](node, backend)
    if node.op == "reshape":
        return lambda like, x: ns.reshape(x, node.shape)
    if node.op in FORMULAS:
        formula = FORMULAS[node.op](ns)
        return lambda like, *xs: formula(*xs)
    if node.op in LINALG and hasattr(ns, "linalg"):
        return _linalg(node, ns)
    if node.op in AXES and isinstance(node.params, tuple):
        return _reduction(node, ns)
    if node.op == "cumsum":
        return lambda like, x: ns.cumsum(x, -1)
    function = getattr(ns, node.op, None)
    if node.params is None and callable(function) and isinstance(getattr(np, node.op, None), np.ufunc):
        return lambda like, *xs: function(*_tensors(backend, like, xs))
    raise UnsupportedError(
        f"{node.op} does not run on {backend.name} yet", f"a value of shape {node.shape}", "backend='numpy'"
    )


def _tensors(backend: Backend, like: Any, values: Sequence[Any]) -> list[Any]:
    """Python scalars as arrays: torch's functions take no numbers."""
    return [backend.asarray(np.asarray(v, float), like) if isinstance(v, (int, float)) else v for v in values]


def _linalg(node: Node, ns: Any) -> Act:
    function = getattr(ns.linalg, LINALG[node.op])
    if node.op == "solve" and node.args[1].ndim == 1:
        return lambda like, a, b: function(a, b[:, None])[..., 0]
    return lambda like, *xs: function(*xs)


def _reduction(node: Node, ns: Any) -> Act:
    axes = node.params

    def _extreme(name: str, x: Any, keep: bool) -> Any:
        function = getattr(ns, f"a{name}")
        return (
            function(x, dim=axes, keepdim=keep)
            if hasattr(ns, "from_numpy")
            else function(x, axis=axes, keepdims=keep)
        )

    def _top(x: Any) -> Any:
        return _extreme("max", x, True)

    def _sum(x: Any, keep: bool) -> Any:
        return ns.sum(x, axes, keepdims=keep)

    def softmax(x: Any) -> Any:
        e = ns.exp(x - _top(x))
        return e / _sum(e, True)

    table: dict[str, Callable[[Any], Any]] = {
        "softmax": softmax,
        "log_softmax": lambda x: x - _top(x) - ns.log(_sum(ns.exp(x - _top(x)), True)),
        "logsumexp": lambda x: ns.log(_sum(ns.exp(x - _top(x)), False)) + ns.reshape(_top(x), node.shape),
        "max": lambda x: _extreme("max", x, False),
        "min": lambda x: _extreme("min", x, False),
        "norm": lambda x: ns.sqrt(_sum(x * x, False)),
    }
    act = table[node.op]
    return lambda like, x: act(x)


def _einsum(node: Node, backend: Backend) -> Act:
    from ..contraction.steps import run_steps

    steps = compiled(node.params).steps
    ns = backend.namespace

    def act(like: Any, *arrays: Any) -> Any:
        whole = _tensors(backend, like, arrays)
        whole = [
            a * backend.asarray(np.ones((), np.float32), like) if "bool" in str(a.dtype) else a for a in whole
        ]
        if not steps:
            return whole[0]
        return run_steps(steps, whole, ns)

    return act


def _spread(array: Any, labels: Sequence[int], ndim: int, ns: Any) -> Any:
    """Axes in label order, an axis of size 1 for every label that the array lacks."""
    if not hasattr(array, "shape") or len(labels) == 0:
        return array
    order = sorted(range(len(labels)), key=labels.__getitem__)
    permute = getattr(ns, "permute", None) or ns.transpose
    array = permute(array, tuple(order)) if order != list(range(len(labels))) else array
    return array[tuple(slice(None) if k in labels else None for k in range(ndim))]


def _combination(node: Node, backend: Backend) -> Act:
    coefficients, labels, shape = node.params
    ns = backend.namespace

    def act(like: Any, *arrays: Any) -> Any:
        total: Any = 0
        for c, carried, array in zip(coefficients, labels, arrays, strict=True):
            part = _spread(array, carried, len(shape), ns)
            total = total + (part if c == 1 and not _is_mask(part) else part * c)
        total = _tensors(backend, like, [total])[0]
        return total if tuple(total.shape) == tuple(shape) else ns.broadcast_to(total, shape)

    return act


def _is_mask(part: Any) -> bool:
    return "bool" in str(getattr(part, "dtype", ""))


def _where(node: Node, backend: Backend) -> Act:
    ns = backend.namespace
    return lambda like, c, x, y: ns.where(*_tensors(backend, like, [c]), *_tensors(backend, like, [x, y]))


def _masked(node: Node, backend: Backend) -> Act:
    ns = backend.namespace
    places = node.params
    # zeros and never 0 * x, which would keep a NaN
    return lambda like, mask, x: ns.where(_spread(mask, places, node.ndim, ns), x, ns.zeros_like(x))


def _select(node: Node, backend: Backend) -> Act:
    coded, shape = node.params
    key = _slices(coded, shape)
    if key is not None:
        return lambda like, x, *tables: x[key]
    if not any(isinstance(slot, tuple) for slot in coded):
        fixed = [np.broadcast_to(i, shape) for i in indices(coded, shape, ())]
        return lambda like, x: x[tuple(backend.asarray(i, like) for i in fixed)]

    def act(like: Any, x: Any, *tables: Any) -> Any:
        return x[tuple(_index(slot, shape, tables, backend, like) for slot in coded)]

    return act


def _index(slot: Any, shape: Any, tables: Sequence[Any], backend: Backend, like: Any) -> Any:
    if isinstance(slot, tuple):
        return _spread(tables[slot[1]], slot[2], len(shape), backend.namespace)
    return backend.asarray(indices((slot,), shape, ())[0], like)


def _slices(coded: Sequence[Any], shape: Sequence[int]) -> tuple[Any, ...] | None:
    """A key of slices and integers, where that is all it takes."""
    key: list[Any] = []
    seen = []
    for slot in coded:
        if isinstance(slot, int):
            key.append(slice(0, shape[slot]))
            seen.append(slot)
        elif isinstance(slot, Affine) and not slot.strides:
            key.append(int(slot.offset))
        elif isinstance(slot, Affine) and len(slot.strides) == 1 and int(slot.strides[0][1]) > 0:
            ((label, step),) = slot.strides
            start = int(slot.offset)
            key.append(slice(start, start + int(step) * (shape[label] - 1) + 1, int(step)))
            seen.append(label)
        else:
            return None
    return tuple(key) if seen == list(range(len(shape))) else None


def _assemble(node: Node, backend: Backend) -> Act:
    coded, shape = node.params
    steps = [int(np.prod(shape[k + 1 :], dtype=int)) for k in range(len(shape))]

    def act(like: Any, *arrays: Any) -> Any:
        cores, tables = arrays[: len(coded)], arrays[len(coded) :]
        dtype = next(
            (str(c.dtype).split(".")[-1] for c in cores if hasattr(c, "dtype") and "float" in str(c.dtype)),
            str(like.dtype).split(".")[-1],
        )
        out = backend.zeros(shape, dtype, like)
        used = 0
        for (coefficient, labels, slots, sizes, count), core in zip(coded, cores, strict=True):
            mine = tables[used : used + count]
            used += count
            value = _spread(core, labels, len(sizes), backend.namespace) * coefficient
            walk = strided(slots, steps, len(sizes)) if is_injective(slots, sizes) else None
            index = [_index(slot, sizes, mine, backend, like) for slot in slots]
            out = backend.add_at(out, tuple(sizes), walk, index, value)
        return out

    return act
