"""`jacobians lecture`: every claim of the lecture judged, its errata found.

Exit status 0 where every verdict is as expected (claims hold, known errata are found), 1 otherwise.
"""

from __future__ import annotations

import argparse

from ..commands.output import add_output_arguments, print_json, use_ascii, use_color, width_of
from .judging import run
from .printing import as_json, text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--only", metavar="IDS", help="claims to judge, such as 50-58,E1")
    parser.add_argument(
        "--claims", metavar="FILE", help="judge this list instead (JSON, as the packaged claims.json)"
    )
    add_output_arguments(parser)


def main(args: argparse.Namespace) -> int:
    """Judges the claims, prints them, and returns the exit status."""
    rows = run(args.only, args.claims)
    if args.json:
        print_json(as_json(rows))
    else:
        print(text(rows, width_of(args), use_ascii(args), use_color(args)))
    return 0 if all(row.as_expected for row in rows) else 1
