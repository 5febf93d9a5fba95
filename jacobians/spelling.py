"""How a node is written as numpy source: one expression over the names of its arguments.

`spell(node, names)` gives the expression, or the name of a helper whose own source is added to the program.
What numpy calls by the same name is found, not listed; the table holds the rest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .expr import Node
from .wiring import Affine

OPERATORS = {
    "divide": "{0} / {1}", "power": "{0} ** {1}", "less": "{0} < {1}", "less_equal": "{0} <= {1}",
    "greater": "{0} > {1}", "greater_equal": "{0} >= {1}", "equal": "{0} == {1}", "not_equal": "{0} != {1}",
    "reciprocal": "{one} / {0}", "floor_divide": "{0} // {1}", "remainder": "{0} % {1}",
    "square": "{0} * {0}", "where": "np.where({0}, {1}, {2})", "identity": "{0}", "exp2": "2.0 ** {0}",
    "sigmoid": "{one} / ({one} + np.exp(-{0}))", "softplus": "np.logaddexp(0, {0})",
    "inv": "np.linalg.inv({0})", "solve": "np.linalg.solve({0}, {1})", "pinv": "np.linalg.pinv({0})",
    "cumsum": "np.cumsum({0}, axis=-1)", "cumprod": "np.cumprod({0}, axis=-1)",
    "log_sigmoid": "-np.logaddexp(0, -{0})", "logaddexp": "np.logaddexp({0}, {1})",
}  # fmt: skip
BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, "@": 2, "**": 3}


def spell(node: Node, names: Sequence[str], number: Callable[[Any], str] | None = None) -> str | None:
    """The numpy expression of a node that is no einsum, or None where a helper must be called.

    `number(value)` is the text of a number that meets an array.
    """
    number = number or number_text
    if node.op == "combination":
        return _combination(node, names, number)
    if node.op == "reshape":
        return f"{_tight(names[0])}.reshape({', '.join(map(str, node.shape)) or '()'})"
    if node.op == "output":
        return f"{names[0]}[{node.params}]"
    if node.op == "select":
        return _select(node, names)
    if node.op == "masked":
        return f"np.where({spread(names[0], node.params, node.ndim)}, {names[1]}, 0.0)"
    if node.op in ("max", "min", "argmax", "argmin"):
        return f"np.{node.op}({names[0]}, axis={node.params!r})"
    if node.op in OPERATORS:
        first = node.args[0]
        if node.op == "divide" and first.op == "constant" and type(first.value) in (int, float):
            names = [number(node.args[0].value), names[1]]
        return OPERATORS[node.op].format(*map(_tight, names), one=number(1))
    if node.params is None and isinstance(getattr(np, node.op, None), np.ufunc):
        return f"np.{node.op}({', '.join(names)})"
    return None


def number_text(value: Any) -> str:
    """A number as source, also where its repr is none.

    >>> number_text(2), number_text(0.5), number_text(float("inf"))
    ('2', '0.5', "float('inf')")
    """
    finite = not isinstance(value, float) or math.isfinite(value)
    return repr(value) if finite else f"float({str(float(value))!r})"


Summand = tuple[Any, tuple[int, ...], str | None, Node]


def summands(node: Node, names: Sequence[str]) -> list[Summand]:
    """The parts of a weighted sum: coefficient, labels, name (None of a number) and node.

    What is added comes before what is subtracted, so that no part is negated.
    """
    coefficients, labels, _ = node.params
    found: list[Summand] = []
    for c, carried, name, arg in zip(coefficients, labels, names, node.args, strict=True):
        number = arg.op == "constant" and type(arg.value) in (int, float) and len(names) > 1
        found.append((c * arg.value, carried, None, arg) if number else (c, carried, name, arg))
    return sorted(found, key=lambda part: is_negative(part[0]))


def is_negative(value: Any) -> bool:
    """Whether it is a negative number; symbols are not."""
    return isinstance(value, (int, float)) and value < 0


def _tight(name: str) -> str:
    return name if name.replace("_", "a").replace(".", "a").isalnum() else f"({name})"


def _combination(node: Node, names: Sequence[str], number: Callable[[Any], str]) -> str:
    coefficients, labels, shape = node.params
    text = ""
    for c, carried, name, arg in summands(node, names):
        part = spread(name or "", carried, len(shape))
        if arg.dtype == bool:
            one = "1.0" if np.dtype(node.dtype).itemsize == 8 else f"np.{np.dtype(node.dtype).name}(1)"
            part = f"{_tight(part)} * {one}"
        known = name is None
        sign, size = ("-", -c) if is_negative(c) and (text or c == -1) else ("+", c)
        times = (number if arg.shape or known else number_text)(size)
        body = times if known else part if size == 1 else f"{times} * {_tight(part)}"
        text = f"{text} {sign} {body}" if text else (f"-{_tight(body)}" if sign == "-" else body)
    if (
        tuple(
            np.broadcast_shapes(
                *(_spread_shape(a, ls, len(shape)) for a, ls in zip(node.args, labels, strict=True))
            )
        )
        != shape
    ):
        return f"np.broadcast_to({text}, {shape})"
    return text if len(names) > 1 or coefficients[0] != 1 else f"{text} + 0"


def _spread_shape(node: Node, labels: Sequence[int], ndim: int) -> tuple[Any, ...]:
    if not node.shape:
        return ()
    size = dict(zip(labels, node.shape, strict=True))
    return tuple(size.get(k, 1) for k in range(ndim))


def spread(name: str, labels: Sequence[int], ndim: int) -> str:
    """A name with its axes in label order, and None for labels that it lacks behind its first.

    >>> spread("x", (0,), 3), spread("A", (2, 0), 3), spread("b", (2,), 3)
    ('x[:, None, None]', 'A.transpose(1, 0)[:, None]', 'b')
    """
    order = sorted(range(len(labels)), key=labels.__getitem__)
    if order != list(range(len(labels))):
        name = f"{name}.transpose({', '.join(map(str, order))})"
    places = [":" if k in labels else "None" for k in range(ndim)]
    while places and places[0] == "None":  # numpy adds axes in front by itself
        places.pop(0)
    if "None" not in places:
        return name
    while places[-1] == ":":
        places.pop()
    return f"{name}[{', '.join(places)}]"


def _select(node: Node, names: Sequence[str]) -> str | None:
    """Slices and integers, or one index array; None for what needs a strided view or several tables."""
    coded, shape = node.params
    parts, seen = [], []
    for slot, size in zip(coded, node.args[0].shape, strict=True):
        if isinstance(slot, int):
            parts.append(":")
            seen.append(slot)
        elif isinstance(slot, Affine) and not slot.strides:
            parts.append(str(slot.offset))
        elif isinstance(slot, Affine) and len(slot.strides) == 1:
            ((label, step),) = slot.strides
            parts.append(_slice(int(slot.offset), int(step), shape[label], size))
            seen.append(label)
        elif isinstance(slot, tuple) and len(slot[2]) == 1:
            parts.append(names[1 + slot[1]])
            seen.append(slot[2][0])
        else:
            return None
    tables = sum(isinstance(slot, tuple) for slot in coded)
    fixed = any(isinstance(slot, Affine) and not slot.strides for slot in coded)
    if seen != list(range(len(shape))) or tables > 1 or (tables and fixed):
        return None
    while parts and parts[-1] == ":":
        parts.pop()
    return f"{_tight(names[0])}[{', '.join(parts)}]" if parts else names[0]


def _slice(start: int, step: int, count: int, size: Any) -> str:
    stop: Any = start + step * count
    first = "" if start == 0 and step > 0 else start
    text = f"{first}:{'' if (stop == size and step > 0) or stop < 0 else stop}"
    return text if step == 1 else f"{text}:{step}"
