"""`jacobians explain TERM`: ten lines on one idea."""

from __future__ import annotations

import argparse
import textwrap

from ..errors import UnknownNameError, did_you_mean
from ..explanations import ALIASES, EXPLANATIONS
from .ops import ASCII
from .output import add_output_arguments, emit, print_json, use_ascii, width_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("term", nargs="*", help="the idea, such as delta, layout, vec")
    add_output_arguments(parser)


def main(args: argparse.Namespace) -> int:
    """Prints the explanation, or the list of ideas."""
    term = "-".join(args.term).lower().replace("_", "-")
    if not term:
        listed = "Explained: " + ", ".join(EXPLANATIONS)
        print_json(list(EXPLANATIONS)) if args.json else print(textwrap.fill(listed, width_of(args)))
        return 0
    known = ALIASES.get(term, term)
    if known not in EXPLANATIONS:
        names = {*EXPLANATIONS, *ALIASES}
        raise UnknownNameError(
            f"{term!r} is not explained here", f"explained: {', '.join(EXPLANATIONS)}", _hint(term, names)
        )
    if args.json:
        print_json({"term": known, "text": EXPLANATIONS[known]})
        return 0
    text = wrapped(EXPLANATIONS[known], width_of(args))
    emit(text.translate(ASCII) if use_ascii(args) else text, args)
    return 0


def _hint(term: str, names: set[str]) -> str:
    close = did_you_mean(term, names)
    return "jacobians explain delta" if close.startswith("one of ") else f"did you mean: {close}"


def wrapped(text: str, width: int) -> str:
    """Paragraphs refilled to the width; indented lines (tables, formulas) stay as they are."""
    blocks = []
    for block in text.split("\n\n"):
        lines = block.split("\n")
        if any(line.startswith("  ") for line in lines):
            blocks.append("\n".join(_kept(lines, width)))
        else:
            blocks.append(textwrap.fill(" ".join(lines), width))
    return "\n\n".join(blocks)


def _kept(lines: list[str], width: int) -> list[str]:
    """Indented lines as they are where they fit; runs of plain lines between them refilled."""
    made: list[str] = []
    run: list[str] = []
    for line in [*lines, "  "]:
        if not line.startswith("  "):
            run.append(line)
            continue
        if run:
            made.append(textwrap.fill(" ".join(run), width))
            run = []
        kept = line.rstrip()
        made += textwrap.wrap(kept, width, subsequent_indent=" " * 15) if len(line) > width else [kept]
    return [line for line in made if line]
