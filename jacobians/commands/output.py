"""What every command prints with: width, symbols or ASCII, colour, JSON."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

BAR = 30  # characters
SYMBOLS = "∂×δΣ²ᵀ⊙⊗−·✓✗╰┬╯─│≤"


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """`--json`, `--ascii`, `--width`, `--color`: the flags that all commands share."""
    group = parser.add_argument_group("output")
    group.add_argument("--json", action="store_true", help="print one JSON document")
    group.add_argument("--ascii", action="store_true", help="ASCII instead of mathematical symbols")
    group.add_argument("--width", type=int, default=None, help="columns (default: the terminal's, or 80)")
    group.add_argument(
        "--color",
        choices=("auto", "always", "never"),
        default="auto",
        help="colour (auto obeys NO_COLOR; always colours even then, and needs the extra cli)",
    )


def use_ascii(args: argparse.Namespace) -> bool:
    """Whether to print ASCII: asked for, or the output's encoding lacks a symbol."""
    if getattr(args, "ascii", False):
        return True
    try:
        SYMBOLS.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return True
    return False


def width_of(args: argparse.Namespace) -> int:
    """The number of columns: asked for, the terminal's, or 80."""
    if getattr(args, "width", None):
        return max(40, int(args.width))
    return shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else 80


def use_color(args: argparse.Namespace) -> bool:
    """Whether to colour: never where NO_COLOR is set or the output is no terminal, unless forced."""
    choice = getattr(args, "color", "auto")
    if choice != "auto":
        return bool(choice == "always")
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def print_json(document: Any) -> None:
    """One JSON document on the standard output."""
    print(json_text(document))


def json_text(document: Any) -> str:
    """One JSON document."""
    return json.dumps(document, indent=1, ensure_ascii=False, default=str)


STYLES = (
    # what is coloured, and how (rich's words): titles, deltas, verdicts, labels, braces
    (r"∂\w+/∂\w+|d ?\w+/d ?\w+", "bold cyan"),
    (r"δ(_\{[^}]*\}|_\w+)?|\bdelta_\w+", "magenta"),
    (r"✓", "bold green"),
    (r"✗", "bold red"),
    (r"^    (index form|einsum|put in|sum over δ|numpy|matrix form|where) ", "bold"),
    (r"[╰╯┬─│]", "dim"),
    (r"^  (local Jacobian|order|elimination order)   .*", "bold"),
)


def emit(text: str, args: argparse.Namespace) -> None:
    """Prints text, coloured where colour is wanted and rich is installed (extra `cli`)."""
    if not use_color(args):
        print(text)
        return
    try:
        from rich.console import Console
        from rich.text import Text
    except ImportError:
        if getattr(args, "color", "auto") == "always":
            print("note: colour needs rich: pip install 'jacobians[cli]'", file=sys.stderr)
        print(text)
        return
    painted = Text(text)
    for pattern, style in STYLES:
        painted.highlight_regex(re.compile(pattern, re.M), style)
    Console(width=10_000, soft_wrap=True, force_terminal=True, highlight=False).print(painted)


@contextmanager
def bar(what: str) -> Iterator[Callable[[int, int], None] | None]:
    """A bar on a terminal, rich's where it is installed: `shown(done, total)` moves it; None elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    try:
        from rich.console import Console
        from rich.progress import Progress
    except ImportError:
        yield _plain_bar
        print(file=sys.stderr)
        return
    with Progress(console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(what, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)


def _plain_bar(done: int, total: int) -> None:
    filled = BAR * done // max(total, 1)
    print(f"\r[{'#' * filled}{'.' * (BAR - filled)}] {done} of {total}", end="", file=sys.stderr, flush=True)
