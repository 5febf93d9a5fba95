"""A function over a batch: the same graph, every value with one more axis in front.

`vectorize(f)` returns a function of arrays with a leading batch axis (where `in_axes` says so) that computes
f for every row at once.  It is built of ordinary nodes, so its Jacobian shares the batch as a label: nothing
is assumed, and `.core()` gives the per-sample Jacobians.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .axes import Shape, Size
from .containers import bind, flatten
from .errors import ShapeError, UnknownNameError, UnsupportedError, did_you_mean
from .expr import Node, combination, product, topological
from .operation import OPERATIONS, as_node
from .ops.reshaping import reshape_node
from .plan import evaluate
from .traces import trace_function
from .tracing import Traced, unwrap, wrap
from .wiring import Affine, relabel

TRAILING = frozenset(
    {"inv", "pinv", "cumsum", "cumprod", "cholesky", "det", "convolve"}
)  # work on the last axes alone
AXES = frozenset(
    {"softmax", "log_softmax", "logsumexp", "max", "min", "norm", "share", "count_nonzero", "any", "all"}
)


def vectorize(f: Callable[..., Any], in_axes: Mapping[str, int | None] | None = None) -> Callable[..., Any]:
    """`f` over a batch: `g(X)[b] = f(X[b])`, shapes `B x input` to `B x target`.

    Every array argument has a leading batch axis unless `in_axes={"A": None}` says that it is shared; Python
    numbers are shared.  Raises UnsupportedError by name for an operation that cannot be batched, and for a
    batch axis that is not the first; UnknownNameError where `in_axes` names no argument.

    >>> import numpy as np, jacobians as jac
    >>> g = vectorize(lambda x: np.array([x[0] * x[1], np.sin(x[0])]))
    >>> jac.jacobian(g)(np.ones((5, 2))).shape
    (5, 2, 5, 2)
    """
    shared = _shared(in_axes or {})

    def batched(*args: Any, **kwargs: Any) -> Any:
        named = bind(f, args, kwargs)
        _check_names(in_axes or {}, named)
        leaves = {name: flatten(value, name) for name, value in named.items()}
        size = _batch_size(leaves, shared)
        outer = {
            path: as_node(unwrap(leaf))
            for name, (found, _) in leaves.items()
            for path, leaf in found
            if _is_array(leaf)
        }
        examples = {
            name: rebuild([_example(leaf, _has_batch(name, leaf, shared)) for _, leaf in found])
            for name, (found, rebuild) in leaves.items()
        }
        traced = (
            trace_function(f, (), examples)
            if _by_name(f)
            else trace_function(f, tuple(examples.values()), {})
        )
        rows = {
            path: _has_batch(name, leaf, shared)
            for name, (found, _) in leaves.items()
            for path, leaf in found
        }
        known = {n.serial: (outer[n.name or ""], rows[n.name or ""]) for n in traced.variables}
        made = [_whole(batch_node(t, known, size), t.shape, size) for t in traced.targets]
        numeric = not any(isinstance(leaf, Traced) for found, _ in leaves.values() for _, leaf in found)
        return traced.rebuild([np.asarray(v) for v in evaluate(made)] if numeric else [wrap(n) for n in made])

    batched.__name__ = getattr(f, "__name__", "f")
    batched.__signature__ = inspect.signature(f)  # type: ignore[attr-defined]
    return batched


def _shared(in_axes: Mapping[str, int | None]) -> set[str]:
    """The arguments without a batch axis."""
    for name, axis in in_axes.items():
        if axis not in (0, None):
            raise UnsupportedError(
                f"in_axes={{{name!r}: {axis!r}}}: a batch axis is the first",
                f"axis {axis!r} of {name}",
                f"np.moveaxis({name}, {axis!r}, 0)",
            )
    return {name for name, axis in in_axes.items() if axis is None}


def _check_names(in_axes: Mapping[str, int | None], named: Mapping[str, Any]) -> None:
    for name in in_axes:
        if name not in named:
            given = f"arguments: {', '.join(named)}"
            raise UnknownNameError(f"in_axes names {name!r}, no argument", given, did_you_mean(name, named))


def _has_batch(name: str, leaf: Any, shared: set[str]) -> bool:
    return name not in shared and hasattr(leaf, "shape")


def _by_name(f: Callable[..., Any]) -> bool:
    kinds = {p.kind for p in inspect.signature(f).parameters.values()}
    return kinds <= {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, (np.ndarray, np.generic, Traced, float))


def _example(leaf: Any, batched: bool) -> Any:
    """A stand-in of one sample: its values do not matter, only its shape."""
    if not _is_array(leaf):
        return leaf
    shape = np.shape(leaf) if not isinstance(leaf, Traced) else leaf.shape
    dtype = np.float32 if getattr(leaf, "dtype", None) == np.float32 else np.float64
    return np.zeros(shape[1:] if batched else shape, dtype)


def _batch_size(leaves: Mapping[str, Any], shared: set[str]) -> Size:
    found = {
        path: leaf.shape
        for name, (parts, _) in leaves.items()
        if name not in shared
        for path, leaf in parts
        if _is_array(leaf) and hasattr(leaf, "shape")
    }
    sizes: set[Size] = {shape[0] for shape in found.values() if shape}
    if len(sizes) != 1 or any(not shape for shape in found.values()):
        shapes = ", ".join(f"{path} {shape}" for path, shape in found.items())
        raise ShapeError(
            "vectorize needs one batch size",
            f"shapes: {shapes}",
            "a leading batch axis everywhere, or in_axes={name: None}",
        )
    return sizes.pop()


def _whole(found: tuple[Node, bool], shape: Shape, size: Size) -> Node:
    """A result that does not depend on the batch is repeated along it."""
    node, batched = found
    if batched:
        return node
    labels = tuple(range(1, len(shape) + 1))
    return product([(node, labels)], [0, *labels], [size, *shape])


def batch_node(target: Node, known: dict[int, tuple[Node, bool]], size: Size) -> tuple[Node, bool]:
    """`target` rebuilt over batched leaves: the node, and whether it has the batch axis."""
    for node in topological([target]):
        if node.serial in known:
            continue
        args = [known[arg.serial] for arg in node.args]
        if not any(batched for _, batched in args):
            same = all(new is old for (new, _), old in zip(args, node.args, strict=True))
            known[node.serial] = (
                node
                if same
                else Node(node.op, tuple(n for n, _ in args), node.params, node.shape, node.dtype, node.name),
                False,
            )
        else:
            known[node.serial] = (_batched(node, args, size), True)
    return known[target.serial]


Args = Sequence[tuple[Node, bool]]


def _batched(node: Node, args: Args, size: Size) -> Node:
    if node.op == "einsum":
        labels, output, sizes = node.params
        new = len(sizes)
        operands = [(n, (new, *ls) if b else ls) for (n, b), ls in zip(args, labels, strict=True)]
        return product(operands, (new, *output), (*sizes, size))
    if node.op == "combination":
        coefficients, labels, shape = node.params
        parts = [
            (c, n, (*([0] if b else []), *(k + 1 for k in ls)))
            for c, (n, b), ls in zip(coefficients, args, labels, strict=True)
        ]
        return combination(parts, range(len(shape) + 1), (size, *shape))
    if node.op == "reshape":
        return reshape_node(args[0][0], (size, *node.shape))
    if node.op == "select":
        return _select(node, args, size)
    if node.op == "masked":
        return _masked(node, args, size)
    if node.op == "assemble":
        return _assemble(node, args, size)
    if node.op in ("identity", "output"):
        return Node(node.op, (args[0][0],), node.params, (size, *node.shape), node.dtype)
    known = OPERATIONS.get(node.op)
    if node.op == "where" or (known is not None and known.family == "pointwise"):
        nodes = tuple(_aligned(n, b, node.ndim, size) for n, b in args)
        return Node(node.op, nodes, node.params, (size, *node.shape), node.dtype)
    if node.op in AXES and len(args) == 1 and isinstance(node.params, tuple):
        return Node(
            node.op, (args[0][0],), tuple(k + 1 for k in node.params), (size, *node.shape), node.dtype
        )
    if node.op in ("argsort", "argmax", "argmin") and isinstance(node.params, (int, tuple)):
        axis = (
            tuple(k + 1 for k in node.params)
            if isinstance(node.params, tuple)
            else node.params + (node.params >= 0)
        )
        return Node(node.op, (args[0][0],), axis, (size, *node.shape), node.dtype)
    if node.op in TRAILING and len(args) == 1 and node.params in (None, 0):
        return Node(node.op, (args[0][0],), node.params, (size, *node.shape), node.dtype)
    raise UnsupportedError(
        f"{node.op} cannot be vectorized",
        f"shape {node.shape}",
        "write the function with its batch axis, or loop over the rows",
    )


def _aligned(node: Node, batched: bool, ndim: int, size: Size) -> Node:
    """An argument with axes of size 1 behind the batch, so that broadcasting meets the right ones."""
    missing = ndim - (node.ndim - batched)
    return reshape_node(node, (size, *(1,) * missing, *node.shape[1:])) if batched and missing else node


def _select(node: Node, args: Args, size: Size) -> Node:
    coded, shape = node.params
    source, tables = args[0], args[1:]
    shift = range(1, len(shape) + 1)
    slots: list[Any] = [0] if source[1] else []
    for slot in coded:
        if isinstance(slot, tuple):
            _, k, labels = slot
            slots.append(("table", k, (*([0] if tables[k][1] else []), *(label + 1 for label in labels))))
        else:
            slots.append(relabel(slot, shift) if isinstance(slot, (int, Affine)) else slot)
    return Node(
        "select", tuple(n for n, _ in args), (tuple(slots), (size, *shape)), (size, *shape), node.dtype
    )


def _masked(node: Node, args: Args, size: Size) -> Node:
    (mask, by_row), (x, batched) = args
    if not batched:
        x = _whole((x, False), node.shape, size)
    places = tuple(k + 1 for k in node.params)
    return Node("masked", (mask, x), (0, *places) if by_row else places, (size, *node.shape), node.dtype)


def _assemble(node: Node, args: Args, size: Size) -> Node:
    coded, shape = node.params
    made = []
    used = len(coded)
    for (coefficient, labels, slots, sizes, count), (_, batched) in zip(coded, args, strict=False):
        new = len(sizes)
        tables = args[used : used + count]
        used += count
        placed = [
            ("table", s[1], (*([new] if tables[s[1]][1] else []), *s[2])) if isinstance(s, tuple) else s
            for s in slots
        ]
        made.append(
            (coefficient, (new, *labels) if batched else labels, (new, *placed), (*sizes, size), count)
        )
    nodes = tuple(n for n, _ in args)
    return Node("assemble", nodes, (tuple(made), (size, *shape)), (size, *shape), node.dtype)
