"""The inputs that commands share: statements, declarations, syntax."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from ..errors import JacobiansError
from ..reading.shapes import Declarations, declarations
from ..shapetables import function_of


def add_input_arguments(parser: argparse.ArgumentParser) -> None:
    """`"statements" NAME:SHAPE... [SIZE=INT...]` and `--syntax`."""
    parser.add_argument("statements", help='numpy assignments, such as "z = A @ x + b; f = tanh(z)"')
    parser.add_argument("declared", nargs="*", metavar="NAME:SHAPE or SIZE=INT", help="A:M,N  x:N  s:  M=3")
    parser.add_argument(
        "--syntax",
        choices=("numpy", "matrixcalculus"),
        default="numpy",
        help="how the statements are written",
    )


def read_inputs(args: argparse.Namespace) -> tuple[Callable[..., Any], Declarations]:
    """The function and the declarations of a command line; raises three-part errors."""
    declared = declarations(args.declared)
    if not declared.shapes:
        raise JacobiansError(
            "no input has a shape", f"statements: {args.statements}", "A:M,N x:N b:M after the statements"
        )
    return function_of(args.statements, declared, args.syntax), declared
