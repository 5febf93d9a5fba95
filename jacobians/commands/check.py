"""`jacobians check "z = A @ x + b" A:3,4 x:4 b:3 --wrt A --claim "..."`: is a formula right, and if not, why.

`--same F G` compares two functions, `--file claims.json` judges a table, `--template` writes an empty one.
Exit status: 0 true, 1 false or undecided, 2 a usage error.
"""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Sequence
from typing import Any, NoReturn

from ..checking.api import check
from ..checking.placing import NAMES
from ..checking.points import WORDS
from ..checking.records import TEMPLATE
from ..checking.tables import Row, judge_table, read_table, summary
from ..checking.verdict import Verdict, headline
from ..errors import JacobiansError, ReadingError
from ..reading.shapes import Declarations, declarations
from .output import add_output_arguments, bar, emit, print_json, use_ascii, width_of

ASCII = str.maketrans(
    {"✓": "ok", "✗": "x", "∂": "d", "×": "x", "²": "^2", "³": "^3", "δ": "d", "Σ": "sum ", "−": "-", "ᵀ": "'"}
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "words", nargs="*", metavar="statements NAME:SHAPE SIZE=INT", help='"A @ x" A:m,n x:n m=3 n=4'
    )
    parser.add_argument(
        "--wrt",
        action="append",
        default=[],
        metavar="NAME",
        help="differentiate by; twice for a mixed derivative",
    )
    parser.add_argument("--claim", help="numpy, matrix-calculus or index notation")
    parser.add_argument("--same", nargs=2, metavar=("F", "G"), help="are two formulas the same function?")
    parser.add_argument(
        "--file", metavar="TABLE", help="judge a table of claims (JSON; YAML, TOML); - for the standard input"
    )
    parser.add_argument("--template", action="store_true", help="print an empty table to fill in")
    parser.add_argument("--layout", help=f"{', '.join(NAMES)} (default: find it)")
    parser.add_argument(
        "--assume", action="append", default=[], metavar="NAME=WORD", help=f"words: {', '.join(WORDS)}"
    )
    parser.add_argument(
        "--structure",
        action="append",
        default=[],
        metavar="NAME=WORD",
        help="symmetric, diagonal, toeplitz, symtoeplitz, lower: entries are tied",
    )
    parser.add_argument(
        "--order", type=int, default=None, help="order of the derivative (default: the layout's, or 1)"
    )
    parser.add_argument(
        "--syntax",
        choices=("numpy", "matrixcalculus"),
        default="",
        help="how the texts are written (default: either)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of the random points")
    parser.add_argument(
        "--workers", type=int, default=None, help="processes for --file (default: one for each core)"
    )
    add_output_arguments(parser)
    explain_signs(parser)


def explain_signs(parser: argparse.ArgumentParser) -> None:
    """A formula that begins with a minus sign is taken for an option: say how to write it."""
    usual = parser.error

    def error(message: str) -> NoReturn:
        option = message.partition(": expected ")[0].removeprefix("argument ")
        if option in ("--claim", "--same") and "expected" in message:
            what = f"{option} has no value; one that begins with - is taken for an option"
            instead = "--claim=-A" if option == "--claim" else '"(-x)", in brackets'
            raise JacobiansError(what, message, instead)
        usual(message)

    parser.error = error  # type: ignore[method-assign]


def main(args: argparse.Namespace) -> int:
    """Judges one claim, two functions, or a table."""
    if args.template:
        print(json.dumps(TEMPLATE, indent=1))
        return 0
    if args.file is not None:
        return table(args)
    verdict = judged(args)
    if args.json:
        print_json(verdict.as_json())
    else:
        emit(shown(wrapped(str(verdict), width_of(args)), args), args)
    return 0 if verdict else 1


def judged(args: argparse.Namespace) -> Verdict:
    """The verdict on the claim, or the two functions, of a command line."""
    words = list(args.words)
    if args.same is not None:
        f, claim = args.same
    else:
        if not words or args.claim is None:
            raise JacobiansError(
                "check needs statements and a claim", "", '"A @ x" A:m,n x:n --wrt x --claim "A"'
            )
        f, claim = words.pop(0), args.claim
    declared = declarations(words)
    wrt = [name for given in args.wrt for name in given.split(",")]
    if not wrt and args.same is None and len(declared.names) == 1:
        wrt = [*declared.names]
    if not wrt and args.same is None:
        raise JacobiansError(
            "check needs --wrt", f"inputs: {', '.join(declared.names)}", "--wrt x, or --same F G"
        )
    return check(
        f,
        claim,
        wrt=tuple(wrt) or None,
        inputs={name: tuple(map(str, shape)) for name, shape in declared.shapes.items()},
        sizes=dict(declared.sizes),
        layout=args.layout,
        assume=assumptions(args.assume, declared),
        structure=pairs("--structure", args.structure),
        seed=args.seed,
        order=args.order,
        syntax=args.syntax,
    )


def pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    """`X=symmetric` as a mapping; raises ReadingError."""
    found: dict[str, str] = {}
    for word in given:
        name, sign, value = word.partition("=")
        if not (name and sign and value):
            raise ReadingError(f"{option} {word}: NAME=WORD is expected", "", f"{option} A=symmetric")
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def assumptions(given: Sequence[str], declared: Declarations) -> dict[str, tuple[str, ...]]:
    """Assumptions from `--assume A=spd` and from declarations such as `A:n,n:spd`."""
    found = {name: tuple(words) for name, words in declared.assumptions.items()}
    for name, words in pairs("--assume", given).items():
        found[name] = (*found.get(name, ()), *words.split(","))
    return found


def table(args: argparse.Namespace) -> int:
    """Judges a table and prints its summary; 1 if any claim is not true."""
    records = read_table(args.file)
    with bar("judging") as progress:
        rows = judge_table(records, args.seed, args.workers, progress=progress)
    if args.json:
        print_json([row.as_json() for row in rows])
    else:
        emit(shown(report(rows), args), args)
    return 0 if all(row.verdict for row in rows) else 1


def report(rows: Sequence[Row]) -> str:
    """What is not true, one line each, and the counts by source and kind."""
    lines: list[str] = []
    for row in rows:
        if not row.verdict:
            sign = {"false": "✗", "undecided": "?"}[row.verdict.verdict]
            lines.append(
                f"{sign} {row.id}: {headline(row.verdict) if not row.error else 'not judged: ' + row.error}"
            )
            lines += [f"    right: {row.verdict.correct}"] if row.verdict.correct else []
    counts = summary(rows)
    lines += [""] * bool(lines)
    for key in ("source", "kind"):
        lines += _counted(key, counts[key])
    total = counts["all"]
    lines.append(
        f"{len(rows)} claims: {total['true']} true, {total['false']} false, {total['undecided']} undecided; "
        f"median {1e3 * counts['median_seconds']:.0f} ms a claim"
    )
    return "\n".join(lines)


def _counted(key: str, groups: dict[str, Any]) -> list[str]:
    width = max((len(name) for name in groups), default=0)
    width = min(max(width, len(key)), 50)
    lines = [f"{key:<{width}}  true  false  undecided"]
    for name, found in groups.items():
        lines.append(
            f"{name[:width]:<{width}}  {found['true']:4}  {found['false']:5}  {found['undecided']:9}"
        )
    return [*lines, ""]


def wrapped(text: str, width: int) -> str:
    """Lines longer than the width broken between words, what follows indented."""
    lines: list[str] = []
    for line in text.splitlines():
        indent = " " * (len(line) - len(line.lstrip()))
        long = len(line) > width and not line.lstrip().startswith("right")
        lines += (
            textwrap.wrap(
                line, width, subsequent_indent=indent + "  ", break_on_hyphens=False, break_long_words=False
            )
            if long
            else [line]
        )
    return "\n".join(lines)


def shown(text: str, args: argparse.Namespace) -> str:
    """The text, in ASCII where that was asked for or is all that can be printed."""
    return text.translate(ASCII) if use_ascii(args) else text
