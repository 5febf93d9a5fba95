"""`jacobians report "statements" NAME:SHAPE... --wrt A -o f.html`: a derivative as a self-contained page."""

from __future__ import annotations

import argparse

from ..derivations import Derivation
from ..report.page import report_page, write_whole
from .inputs import add_input_arguments, read_inputs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_input_arguments(parser)
    parser.add_argument("--wrt", help="the argument to differentiate by (default: the first)")
    parser.add_argument("--target", help="the named value that is differentiated (default: the last)")
    parser.add_argument(
        "-o", "--output", help="write the page to this file (an older one is replaced) instead of printing it"
    )


def main(args: argparse.Namespace) -> int:
    """Prints the page, or writes it whole and says where."""
    f, declared = read_inputs(args)
    page = report_page(Derivation(f, declared, args.target, args.wrt))
    if args.output:
        print(write_whole(args.output, page))
    else:
        print(page, end="")
    return 0
