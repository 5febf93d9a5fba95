"""`jacobians show "statements" NAME:SHAPE... --wrt A`: one derivative in every notation."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..derivations import Derivation
from .inputs import add_input_arguments, read_inputs
from .output import add_output_arguments, emit, print_json, use_ascii, width_of


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
    if args.json:
        print_json(made.as_json())
        return 0
    text = written(made, args)
    if args.output:
        Path(args.output).write_text(text + "\n", encoding="utf-8")
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
        return made.svg() or ""
    return made.text(width_of(args), use_ascii(args))
