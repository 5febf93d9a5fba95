"""`jacobians shapes "statements" NAME:SHAPE...`: the shapes of all Jacobians, in one layout or in all."""

from __future__ import annotations

import argparse

from ..layouts import LAYOUTS, layout_named
from ..notation.printers import ASCII, UNICODE
from ..shapetables import ShapeTable, rows_of
from ..symbolic import symbolic_graph
from .inputs import add_input_arguments, read_inputs
from .output import add_output_arguments, emit, print_json, use_ascii, width_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_input_arguments(parser)
    parser.add_argument("--layout", default="tensor", help=f"all, or one of {', '.join(LAYOUTS)}")
    parser.add_argument("--wrt", action="append", help="only by this argument (may be given several times)")
    parser.add_argument("--target", help="which named value is differentiated (default: the last)")
    add_output_arguments(parser)


def main(args: argparse.Namespace) -> int:
    """Prints the shape table."""
    layout = args.layout if args.layout == "all" else layout_named(args.layout).name
    f, declared = read_inputs(args)
    graph = symbolic_graph(f, declared)
    for label in args.wrt or ():
        graph.shape(label)
    table = ShapeTable(
        rows_of(graph, declared.sizes, args.target, args.wrt, ASCII if use_ascii(args) else UNICODE), layout
    )
    if args.json:
        print_json(table.as_json())
    else:
        emit(table.text(width_of(args), use_ascii(args)), args)
    return 0
