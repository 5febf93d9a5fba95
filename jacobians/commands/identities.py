"""`jacobians identities [ID] [--search WORDS] [--check]`: the shipped library of textbook identities."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence

from ..identities import Identity, find, judge, library, search
from .ops import ASCII
from .output import add_output_arguments, emit, print_json, use_ascii, width_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("id", nargs="?", help="one identity, in full")
    parser.add_argument("--search", metavar="WORDS", help="only identities that mention every word")
    parser.add_argument(
        "--check", action="store_true", help="judge them now; exit status 1 if a verdict is not as known"
    )
    add_output_arguments(parser)


def main(args: argparse.Namespace) -> int:
    """Prints the identities, or one in full; with `--check` every verdict is computed."""
    chosen = (find(args.id),) if args.id else search(args.search) if args.search else library()
    if args.check:
        return _check(chosen, args)
    if args.json:
        print_json(
            [{**one.record(), "section": one.section, "truth": one.truth, "note": one.note} for one in chosen]
        )
        return 0
    text = full(chosen[0]) if args.id else table(chosen, width_of(args))
    emit(text.translate(ASCII) if use_ascii(args) else text, args)
    return 0


def _check(chosen: Sequence[Identity], args: argparse.Namespace) -> int:
    rows = [(one, judge(one)) for one in chosen]
    wrong = [one for one, row in rows if row.verdict.verdict != one.truth]
    if args.json:
        print_json([{**row.as_json(), "truth": one.truth} for one, row in rows])
        return 1 if wrong else 0
    ascii = use_ascii(args)
    for one, row in rows:
        mark = {"true": "+" if ascii else "✓", "false": "x" if ascii else "✗"}.get(row.verdict.verdict, "?")
        known = "" if row.verdict.verdict == one.truth else f"   not as known: {one.truth}"
        said = row.verdict.reason or row.verdict.layout or ""
        emit(f"  {mark} {one.id:<28} {row.verdict.verdict:<10} {said}{known}", args)
    false = sum(one.truth == "false" for one in chosen)
    true = len(chosen) - false
    print(f"\n{len(chosen)} identities: {true} true, {false} known errors; {len(wrong)} not as known.")
    return 1 if wrong else 0


def table(chosen: Sequence[Identity], width: int) -> str:
    """One line an identity, by section: its reference, function and derivative."""
    lines: list[str] = []
    section = ""
    for one in chosen:
        if one.section != section:
            section = one.section
            lines += [""] * bool(lines) + textwrap.wrap(f"{section.upper()}  ({one.source})", width)
        sign = "≠" if one.truth == "false" else "="
        text = f"d({one.func})/d{','.join(one.wrt)} {sign} {one.claim}"
        lines += textwrap.wrap(f"{one.id:<24} {text}", width, initial_indent="  ", subsequent_indent=" " * 29)
    example = chosen[0].id if chosen else "logdet"
    return "\n".join([*lines, "", f"{len(chosen)} identities.  One in full: jacobians identities {example}"])


def full(one: Identity) -> str:
    """One identity with its source, shapes, layout and note."""
    facts = [
        ("function", one.func),
        ("derivative by", ", ".join(one.wrt)),
        ("is" if one.truth == "true" else "is not", one.claim),
        ("layout", one.layout),
        ("inputs", one.inputs + (f"  (entries tied: {one.structure})" if one.structure != "none" else "")),
        ("source", f"{one.source}; {one.ref}"),
        ("note", one.note),
    ]
    lines = [f"{one.id}  ({one.section})", ""]
    lines += [f"  {label + ':':<15} {text}" for label, text in facts if text]
    return "\n".join([*lines, "", f"  Judge it now: jacobians identities {one.id} --check"])
