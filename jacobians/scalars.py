"""Graphs of scalars as plain-float Python: no array is made between the arguments and the results.

`scalar_program(roots, inputs)` gives a program like the array one, or None where some step is no scalar.
Where a float operation raises (log of 0, overflow) the array program's answer (inf, nan) is what counts, so
the call falls back to it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .axes import entries, magnitude, number
from .codegen import Program, argument_name
from .expr import Node, topological
from .spelling import number_text, summands
from .wiring import Affine

MATH = {
    "sin": "sin", "cos": "cos", "tan": "tan", "tanh": "tanh", "sinh": "sinh", "cosh": "cosh",
    "exp": "exp", "expm1": "expm1", "log": "log", "log1p": "log1p", "log2": "log2", "log10": "log10",
    "sqrt": "sqrt", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2",
    "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "erf": "erf", "erfc": "erfc",
    "hypot": "hypot",
}  # fmt: skip
PLAIN = {
    "divide": "{0} / {1}", "power": "math.pow({0}, {1})", "reciprocal": "1.0 / {0}",
    "abs": "abs({0})",
    "less": "{0} < {1}", "less_equal": "{0} <= {1}", "greater": "{0} > {1}", "greater_equal": "{0} >= {1}",
    "equal": "{0} == {1}", "not_equal": "{0} != {1}", "logical_not": "not {0}",
    "where": "({1} if {0} else {2})", "identity": "{0}",
    "masked": "({1} if {0} else 0.0)",
}  # fmt: skip
FAILS = (ValueError, OverflowError, ZeroDivisionError, TypeError)
SCALARS_AT_MOST = 64  # entries of an input that are unpacked into floats


def scalar_program(
    roots: Sequence[Node], inputs: Sequence[Node]
) -> tuple[Program, list[str], dict[str, str]] | None:
    """The plain-float program that computes `roots`; None where a step is no scalar, or not of one number.

    The arguments' own names are `program.names[-1]`, `names[-2]`, ... in order.  With it come the lines that
    unpack the arguments, and by name what is left to check of the shape of some ("" for nothing): unpacking
    a vector fails where it has more or fewer entries, and a product where they are no numbers but rows.
    """
    nodes = [n for n in topological(roots, {n.serial for n in inputs}) if n not in inputs]
    if not nodes or not all(_is_scalar(n, inputs) for n in nodes):
        return None
    if any(n.dtype != np.float64 or magnitude(entries(n.shape)) > SCALARS_AT_MOST for n in inputs):
        return None
    if any(root in inputs and root.shape for root in roots):
        return None
    made = Program()
    made.taken |= {"math", "out"}
    made.bindings["math"] = math
    used = {(n.args[0].serial, _place(n)) for n in nodes if n.op == "select"}
    before, entry, checks = _unpacked(made, inputs, used, _multiplied(nodes))
    known: dict[Any, str] = {}
    for node in nodes:
        args = tuple(made.names.get(a.serial, a.serial) for a in node.args)
        key = node.op, args, node.params, id(node.value) if node.op == "constant" else 0
        if key in known:
            made.names[node.serial] = known[key]
            continue
        _line(made, made.lines, node, entry)
        known[key] = made.names[node.serial]
    return made, before, checks


def _multiplied(nodes: Sequence[Node]) -> set[int]:
    """The arguments of which an entry is multiplied by a float, or by another entry: no list can be.

    A list times 2, or times True, is a list: what else is multiplied must be a float whatever comes in, which
    a choice between numbers or a sum is not.
    """
    floats: set[int] = set()
    found: set[int] = set()
    for node in nodes:
        product = node.op == "einsum" and node.args and all(arg.serial in floats for arg in node.args)
        if product and len(node.args) > 1:
            found |= {arg.args[0].serial for arg in node.args if arg.op == "select"}
        if product or node.op in ("select", "divide", "reciprocal", *MATH):
            floats.add(node.serial)
    return found


def _unpacked(
    made: Program, inputs: Sequence[Node], used: set[tuple[int, int]], multiplied: set[int]
) -> tuple[list[str], dict[tuple[int, int], str], dict[str, str]]:
    """The lines that take the used entries out of the arguments, what entries are called, what to check."""
    lines, entry, checks = list[str](), dict[tuple[int, int], str](), dict[str, str]()
    for k, node in enumerate(inputs):
        name = made.names[-1 - k] = made.fresh(argument_name(node))
        if not node.shape:
            made.names[node.serial] = made.fresh(f"{name}_0")
            lines.append(f"{made.names[node.serial]} = {name}.item()")
            checks[name] = f"{name}.ndim == 0"
            continue
        parts = [made.fresh(f"{name}_{j}") for j in range(number(entries(node.shape)))]
        flat = "" if len(node.shape) == 1 else ".ravel()"
        if any((node.serial, j) in used for j in range(len(parts))):
            lines.append(f"{', '.join(parts)}, = {name}{flat}.tolist()")
            if node.ndim == 1:
                checks[name] = "" if node.serial in multiplied else f"{name}.ndim == 1"
        entry.update({(node.serial, j): part for j, part in enumerate(parts)})
    return lines, entry, checks


def _place(node: Node) -> int:
    return int(
        np.ravel_multi_index([int(s.offset) for s in node.params[0]], tuple(map(int, node.args[0].shape)))
    )


def _is_scalar(node: Node, inputs: Sequence[Node]) -> bool:
    if node.shape != ():
        return False
    if node.op == "select":
        return node.args[0] in inputs and all(isinstance(s, Affine) and not s.strides for s in node.params[0])
    known = node.op in MATH or node.op in PLAIN or node.op in ("einsum", "combination", "constant", "reshape")
    return known and all(arg.shape == () for arg in node.args)


def _line(made: Program, lines: list[str], node: Node, entry: dict[tuple[int, int], str]) -> None:
    if node.op == "constant":
        value = node.value if isinstance(node.dtype, type) else node.value.item()
        made.names[node.serial] = f"({number_text(value)})"
        return
    if node.op == "select":
        made.names[node.serial] = entry[node.args[0].serial, _place(node)]
        return
    names = [made.names[arg.serial] for arg in node.args]
    name = made.fresh(node.name)
    made.names[node.serial] = name
    lines.append(f"{name} = {_expression(node, names)}")


def _expression(node: Node, names: Sequence[str]) -> str:
    if node.op == "einsum":
        return " * ".join(names) if names else "1.0"
    if node.op == "combination":
        return _sum(node, names)
    if node.op in PLAIN:
        return PLAIN[node.op].format(*names)
    if node.op == "reshape":
        return names[0]
    return f"math.{MATH[node.op]}({', '.join(names)})"


def _sum(node: Node, names: Sequence[str]) -> str:
    """A weighted sum."""
    text = ""
    for c, _, name, _ in summands(node, names):
        sign, size = ("-" if c < 0 else "+"), abs(float(c))
        part = number_text(size) if name is None else name if size == 1 else f"{number_text(size)} * {name}"
        text = f"{text} {sign} {part}" if text else "-" * (c < 0) + part
    return text
