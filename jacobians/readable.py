"""How operations that are no single numpy function are written in a program to read.

`readable(node, names)` gives an expression over numpy alone (a compiled call uses the package's own function
instead), and raises UnsupportedError by name for an operation that has none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .errors import UnsupportedError
from .expr import Node
from .spelling import spell, spread
from .wiring import Affine

Write = Callable[[Any, Sequence[str]], str]

PLAIN: dict[str, str] = {
    "relu": "np.maximum({0}, 0.0)",
    "silu": "{0} / (1 + np.exp(-{0}))",
    "sinc": "np.sinc({0})",
    "safe_divide": "np.where({1} == 0, 0.0, {0} / np.where({1} == 0, 1.0, {1}))",
    "xlogy": "np.where({0} == 0, 0.0, {0} * np.log(np.where({0} == 0, 1.0, {1})))",
    "cholesky": "np.linalg.cholesky(({0} + np.swapaxes({0}, -1, -2)) / 2)",
    "convolve": "np.convolve({0}, {1})",
    "slogdet": "np.linalg.slogdet({0})",
    "svd": "np.linalg.svd({0}, full_matrices=False)",
    "svd_full": "np.linalg.svd({0}, full_matrices=True)",
    "qr": "np.linalg.qr({0})",
    "full_rank": "{0}",
    "rint": "np.rint({0})",
    "heaviside": "np.heaviside({0}, {1})",
}


def _axes(node: Node) -> Any:
    return node.params[0] if isinstance(node.params, tuple) and len(node.params) == 1 else node.params


def _lowered(node: Node, names: Sequence[str]) -> str:
    """The argument less its maximum: exp of it cannot overflow."""
    return f"{names[0]} - {names[0]}.max({_axes(node)}, keepdims=True)"


BY_PARAMETERS: dict[str, Callable[[Node, Sequence[str]], str]] = {
    "leaky_relu": lambda n, a: f"np.where({a[0]} > 0, {a[0]}, {n.params!r} * {a[0]})",
    "elu": lambda n, a: f"np.where({a[0]} > 0, {a[0]}, {n.params!r} * np.expm1(np.minimum({a[0]}, 0)))",
    "softmax": lambda n, a: (
        f"np.exp({_lowered(n, a)}) / np.exp({_lowered(n, a)}).sum({_axes(n)}, keepdims=True)"
    ),
    "log_softmax": lambda n, a: (
        f"{_lowered(n, a)} - np.log(np.exp({_lowered(n, a)}).sum({_axes(n)}, keepdims=True))"
    ),
    "logsumexp": lambda n, a: f"{a[0]}.max({_axes(n)}) + np.log(np.exp({_lowered(n, a)}).sum({_axes(n)}))",
    "norm": lambda n, a: f"np.sqrt(({a[0]} * {a[0]}).sum({_axes(n)}))",
    "var": lambda n, a: f"{a[0]}.var({n.params[0]}, ddof={n.params[1]})",
    "std": lambda n, a: f"{a[0]}.std({n.params[0]}, ddof={n.params[1]})",
    "standardize": lambda n, a: (
        f"({a[0]} - {a[0]}.mean({n.params[0]}, keepdims=True)) / "
        f"np.sqrt({a[0]}.var({n.params[0]}, keepdims=True) + {n.params[1]!r})"
    ),
    "share": lambda n, a: f"({a[0]} == {a[1]}) / ({a[0]} == {a[1]}).sum({_axes(n)}, keepdims=True)",
    "argsort": lambda n, a: f'np.argsort({a[0]}, {n.params!r}, kind="stable")',
    "searchsorted": lambda n, a: f"np.searchsorted({a[0]}, {a[1]}, side={n.params!r})",
    "count_nonzero": lambda n, a: f"np.count_nonzero({a[0]}, axis={n.params!r})",
    "any": lambda n, a: f"np.any({a[0]}, axis={n.params!r})",
    "all": lambda n, a: f"np.all({a[0]}, axis={n.params!r})",
    "astype": lambda n, a: f"np.asarray({a[0]}).astype(np.{n.params.name.replace('bool', 'bool_')})",
    "round": lambda n, a: f"np.round({a[0]}, {n.params!r})",
    "tri": lambda n, a: f"np.tri({n.params[0]}, {n.params[1]}, {n.params[2]}, bool)",
    "triangular_matrix": lambda n, a: (
        f"np.tril(np.full(({n.params[0]}, {n.params[0]}), {n.params[1]!r}), -1)"
        f" + {n.params[2]!r} * np.eye({n.params[0]})"
    ),
    "det": lambda n, a: _det(n, a[0]),
    "eigh": lambda n, a: f"np.linalg.eigh(({a[0]} + np.swapaxes({a[0]}, -1, -2)) / 2)",
}


def _det(node: Node, name: str) -> str:
    if node.params == 0:
        return f"np.linalg.det({name})"
    if node.params == 1:
        return f"np.linalg.det({name})[..., None, None] * np.swapaxes(np.linalg.inv({name}), -1, -2)"
    raise _unwritten(node)


def readable(node: Node, names: Sequence[str]) -> str:
    """The numpy expression of a node that is no einsum and no assembly."""
    tight = [name if name.isidentifier() else f"({name})" for name in names]
    if node.op == "select":
        return spell(node, names) or _gathered(node, tight)
    if node.op in PLAIN:
        return PLAIN[node.op].format(*tight)
    if node.op in BY_PARAMETERS:
        return BY_PARAMETERS[node.op](node, tight)
    text = spell(node, names)
    if text is None:
        raise _unwritten(node)
    return text


def _unwritten(node: Node) -> UnsupportedError:
    return UnsupportedError(
        f"{node.op} cannot be written as one line of numpy",
        "a printed program imports numpy alone",
        "jac.jacobian(f), or its .compile(...) for speed",
    )


def _gathered(node: Node, names: Sequence[str]) -> str:
    """A gather by one broadcast index array for each axis."""
    coded, shape = node.params
    parts = [index_text(slot, len(shape), shape, names[1:]) for slot in coded]
    return f"{names[0]}[{', '.join(parts)}]"


def index_text(slot: Any, ndim: int, sizes: Sequence[Any], tables: Sequence[str]) -> str:
    """A coded slot as an index array that broadcasts over `ndim` labels."""
    if isinstance(slot, tuple):
        _, number, labels = slot
        return spread(tables[number], labels, ndim)
    if isinstance(slot, int):
        slot = Affine(0, ((slot, 1),))
    parts = []
    for label, stride in slot.strides:
        steps = spread(f"np.arange({sizes[label]})", (label,), ndim)
        parts.append(steps if stride == 1 else f"{stride} * {steps}")
    parts += [str(slot.offset)] if slot.offset != 0 or not parts else []
    return " + ".join(parts).replace("+ -", "- ")
