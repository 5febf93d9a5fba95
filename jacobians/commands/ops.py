"""`jacobians ops [NAME]`: the table of operations, their local Jacobians and their conventions at kinks."""

from __future__ import annotations

import argparse
import inspect
import textwrap

from .. import ops
from ..errors import UnknownNameError, did_you_mean
from ..operation import OPERATIONS, Operation
from .output import add_output_arguments, emit, print_json, use_ascii, width_of

FAMILIES = ("multilinear", "pointwise", "index map", "reduction", "activation", "matrix", "written out")
ASCII = str.maketrans(
    {
        "δ": "d",
        "∂": "d",
        "Σ": "sum ",
        "·": "*",
        "ᵀ": "'",
        "−": "-",
        "ε": "eps",
        "√": "sqrt",
        "σ": "s",
        "⊗": "kron",
        "⊙": ".*",
        "≠": "!=",
        "≤": "<=",
        "≥": ">=",
        "×": "x",
        "²": "^2",
    }
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("name", nargs="?", help="one operation, in full")
    parser.add_argument("--family", help="only one family")
    add_output_arguments(parser)


def main(args: argparse.Namespace) -> int:
    """Prints the table, or one operation with its documentation."""
    assert ops  # importing the package registers every operation
    known = sorted(OPERATIONS.values(), key=lambda op: (_rank(op.family), op.name))
    if args.name is not None:
        if args.name not in OPERATIONS:
            raise UnknownNameError(
                f"{args.name!r} is not an operation",
                f"{len(known)} operations: jacobians ops",
                f"did you mean: {did_you_mean(args.name, OPERATIONS)}",
            )
        known = [OPERATIONS[args.name]]
    if args.family is not None:
        families = {op.family for op in known}
        if args.family not in families:
            raise UnknownNameError(
                f"{args.family!r} is no family",
                f"families: {', '.join(sorted(families))}",
                did_you_mean(args.family, families),
            )
        known = [op for op in known if op.family == args.family]
    if args.json:
        print_json([record(op) for op in known])
        return 0
    text = full(known[0], width_of(args)) if args.name is not None else table(known, width_of(args))
    emit(text.translate(ASCII) if use_ascii(args) else text, args)
    return 0


def _rank(family: str) -> tuple[int, str]:
    return (FAMILIES.index(family) if family in FAMILIES else len(FAMILIES), family)


def record(op: Operation) -> dict[str, object]:
    """One operation as JSON: name, family, arguments, numpy names, local Jacobian, kink, documentation."""
    return {
        "name": op.name,
        "family": op.family,
        "arguments": list(op.arguments),
        "serves": list(op.serves),
        "local_jacobian": op.formula,
        "kink": op.kink,
        "doc": inspect.cleandoc(op.doc),
    }


def table(known: list[Operation], width: int) -> str:
    """One line an operation, by family: its value, and where the derivative is a convention."""
    lines: list[str] = []
    family = ""
    column = max(len(op.name) for op in known) + 2
    for op in known:
        if op.family != family:
            family = op.family
            lines += [""] * bool(lines) + [family.upper()]
        first = inspect.cleandoc(op.doc).split("\n")[0]
        note = f"{first}  Kink: {op.kink}." if op.kink else first
        lines += textwrap.wrap(
            note, width, initial_indent=f"  {op.name:<{column}}", subsequent_indent=" " * (column + 2)
        )
    return "\n".join([*lines, "", f"{len(known)} operations.  One in full: jacobians ops tanh"])


def full(op: Operation, width: int) -> str:
    """One operation: documentation, local Jacobians, kink, numpy names."""
    lines = [f"{op.name}  ({op.family})", "", *("  " + line for line in inspect.cleandoc(op.doc).split("\n"))]
    facts = [
        ("arguments", ", ".join(op.arguments)),
        ("local Jacobian", op.formula),
        ("kink", op.kink),
        (
            "numpy",
            ", ".join(("scipy." if name.startswith("special.") else "np.") + name for name in op.serves),
        ),
    ]
    lines.append("")
    for label, text in facts:
        if text:
            lines += textwrap.wrap(
                text, width, initial_indent=f"  {label + ':':<17}", subsequent_indent=" " * 19
            )
    return "\n".join(lines)
