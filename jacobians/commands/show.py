"""`jacobians show "statements" NAME:SHAPE... --wrt A`: one derivative in every notation."""

from __future__ import annotations

import argparse

from ..derivations import Derivation
from ..errors import ReadingError
from ..report.page import write_whole
from .inputs import add_input_arguments, read_inputs
from .output import add_output_arguments, emit, json_text, use_ascii, width_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_input_arguments(parser)
    parser.add_argument("--wrt", help="the argument to differentiate by (default: the first)")
    parser.add_argument("--target", help="the named value that is differentiated (default: the last)")
    parser.add_argument(
        "--as",
        dest="form",
        choices=("text", "latex", "numpy", "slides", "html", "svg"),
        default="text",
        help="how it is written",
    )
    parser.add_argument("-o", "--output", help="write to this file instead of printing")
    add_output_arguments(parser)


def main(args: argparse.Namespace) -> int:
    """Prints (or writes) the derivation."""
    f, declared = read_inputs(args)
    made = Derivation(f, declared, args.target, args.wrt)
    text = json_text(made.as_json()) if args.json else written(made, args)
    if args.output:
        write_whole(args.output, text + "\n")
    elif args.json:
        print(text)
    else:
        emit(text, args) if args.form == "text" else print(text)
    return 0


def written(made: Derivation, args: argparse.Namespace) -> str:
    """The derivation in the form asked for."""
    if args.form == "latex":
        return made.latex()
    if args.form in ("numpy", "slides"):
        return made.numpy("slides" if args.form == "slides" else "structured").rstrip()
    if args.form == "html":
        return made.html()
    if args.form == "svg":
        return drawing(made)
    return made.text(width_of(args), use_ascii(args))


def drawing(made: Derivation) -> str:
    """The block picture as SVG; raises ReadingError where there is none."""
    for name in made.declared.names:
        made.declared.shape_of(name, require_numbers=True, purpose="a picture")
    found = made.svg()
    if not found:
        raise ReadingError(
            "there is no picture of this Jacobian",
            f"∂{made.target}/∂{made.input} has shape {made.shape}",
            "smaller sizes, or --as text",
        )
    return found
