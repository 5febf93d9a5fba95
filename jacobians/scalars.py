"""Graphs of scalars as plain-float Python: no array is made between the arguments and the results.

`scalar_call(roots, inputs)` returns a function like the array program's, or None where some step is no scalar.
Where a float operation raises (log of 0, overflow) the array program's answer (inf, nan) is what counts, so the
call falls back to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .codegen import Program, build, program
from .expr import Node
from .plan import needed
from .wiring import Affine

MATH = {
    "sin": "sin", "cos": "cos", "tan": "tan", "tanh": "tanh", "sinh": "sinh", "cosh": "cosh", "exp": "exp", "expm1": "expm1",
    "log": "log", "log1p": "log1p", "log2": "log2", "log10": "log10", "sqrt": "sqrt", "arcsin": "asin", "arccos": "acos",
    "arctan": "atan", "arctan2": "atan2", "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "erf": "erf", "erfc": "erfc",
    "hypot": "hypot",
}  # fmt: skip
PLAIN = {
    "divide": "{0} / {1}", "power": "{0} ** {1}", "square": "{0} * {0}", "reciprocal": "1.0 / {0}", "abs": "abs({0})",
    "less": "{0} < {1}", "less_equal": "{0} <= {1}", "greater": "{0} > {1}", "greater_equal": "{0} >= {1}",
    "equal": "{0} == {1}", "not_equal": "{0} != {1}", "logical_not": "not {0}", "where": "({1} if {0} else {2})", "identity": "{0}",
    "masked": "({1} if {0} else 0.0)",
}  # fmt: skip
FAILS = (ValueError, OverflowError, ZeroDivisionError, TypeError)
SCALARS_AT_MOST = 64  # entries of an input that are unpacked into floats


def scalar_call(roots: Sequence[Node], inputs: Sequence[Node]) -> Callable[..., Any] | None:
    """The plain-float function that computes `roots`, or None where the graph is not one of scalars."""
    nodes = [n for n in needed(roots, {n.serial for n in inputs}) if n not in inputs]
    if not nodes or not all(_is_scalar(n, inputs) for n in nodes) or any(n.dtype != np.float64 or math.prod(n.shape) > SCALARS_AT_MOST for n in inputs):  # type: ignore[arg-type]
        return None
    if any(root in inputs and root.shape for root in roots):
        return None
    made, lines = Program(), []
    entry: dict[tuple[int, int], str] = {}
    arguments = [made.fresh(n.name) for n in inputs]
    for node, name in zip(inputs, arguments, strict=True):
        if not node.shape:
            lines.append(f"{name} = {name}.item()")
            made.names[node.serial] = name
            continue
        parts = [made.fresh(f"{name}_{k}") for k in range(math.prod(node.shape))]  # type: ignore[arg-type]
        flat = "" if len(node.shape) == 1 else ".ravel()"
        lines.append(f"{', '.join(parts)}, = {name}{flat}.tolist()")
        entry.update({(node.serial, k): part for k, part in enumerate(parts)})
    for node in nodes:
        _line(made, lines, node, entry)
    made.lines = lines
    made.bindings["math"] = math
    fast = build(made, arguments, "(" + "".join(made.names[r.serial] + ", " for r in roots) + ")")
    plain = program(roots, inputs)
    slow = build(plain, [plain.names[n.serial] for n in inputs], "(" + "".join(plain.names[r.serial] + ", " for r in roots) + ")")

    def call(*args: Any) -> Any:
        try:
            return fast(*args)
        except FAILS:
            with np.errstate(all="ignore"):
                return slow(*args)

    return call


def _is_scalar(node: Node, inputs: Sequence[Node]) -> bool:
    if node.shape != ():
        return False
    if node.op == "select":
        return node.args[0] in inputs and all(isinstance(s, Affine) and not s.strides for s in node.params[0])
    return node.op in MATH or node.op in PLAIN or node.op in ("einsum", "combination", "constant") or _reads(node)


def _reads(node: Node) -> bool:
    return node.op == "reshape" and node.args[0].shape == ()


def _line(made: Program, lines: list[str], node: Node, entry: dict[tuple[int, int], str]) -> None:
    if node.op == "constant":
        value = node.value if isinstance(node.dtype, type) else node.value.item()
        made.names[node.serial] = f"({value!r})" if math.isfinite(value) else f"float({str(value)!r})"
        return
    if node.op == "select":
        source = node.args[0]
        place = int(np.ravel_multi_index([int(s.offset) for s in node.params[0]], source.shape))  # type: ignore[arg-type]
        made.names[node.serial] = entry[source.serial, place]
        return
    names = [made.names[arg.serial] for arg in node.args]
    name = made.fresh(node.name)
    made.names[node.serial] = name
    lines.append(f"{name} = {_expression(node, names)}")


def _expression(node: Node, names: Sequence[str]) -> str:
    if node.op == "einsum":
        return " * ".join(names) if names else "1.0"
    if node.op == "combination":
        return " + ".join(n if c == 1 else f"{float(c)!r} * {n}" for c, n in zip(node.params[0], names, strict=True))
    if node.op in PLAIN:
        return PLAIN[node.op].format(*names)
    if node.op == "reshape":
        return names[0]
    return f"math.{MATH[node.op]}({', '.join(names)})"
