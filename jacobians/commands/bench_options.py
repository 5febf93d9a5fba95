"""What `jacobians bench` looks at before it measures anything: numbers, files, options that do not fit.

`settled(args)` raises three-part errors and fills in the defaults.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..bench.timing import check_repeat
from ..errors import JacobiansError, ReadingError, missing_extra

UNITS = {"TB": 10**12, "GB": 10**9, "MB": 10**6, "KB": 10**3, "B": 1}
DEFAULTS = {"syntax": "numpy", "against": "", "limit": "1GB", "repeat": 5, "backend": "numpy", "seed": 0}
DEFAULTS |= {"rule": "plain"}
OUTPUT = {"json", "ascii", "width", "color"}
# What each way of the command uses beside its own option; whatever else is given is refused.
USED = {
    "peers": {"statements", "declared", "against", "repeat", "plot"},
    "graph": {"order_in", "order_out", "plot", "seconds", "seed", "rule"},
    "sweep": {"statements", "declared", "syntax", "wrt", "order", "order_in", "against", "limit", "repeat"}
    | {"backend", "batch", "seconds", "seed", "csv", "plot"},
}


def settled(args: argparse.Namespace) -> None:
    """Raises a JacobiansError for what cannot be run or written; fills in what was not given."""
    _refuse_unused(args)
    if args.csv and args.json:
        raise JacobiansError("CSV and JSON are two forms of one output", "--csv --json", "one of the two")
    for name, value in DEFAULTS.items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    _check_numbers(args)
    if args.plot is not None:
        _check_picture(args.plot)
    for option, path in (("--plot", args.plot), ("--order-out", args.order_out)):
        if path is not None:
            check_writable(option, path)


def _refuse_unused(args: argparse.Namespace) -> None:
    """The first of --peers, --graph and --sweep decides; options that it has no use for are refused."""
    way = next((name for name in USED if getattr(args, name) is not None), None)
    if way is None:
        return
    known = USED[way] | OUTPUT | {way}
    unused = [name for name, value in vars(args).items() if name not in known and _was_given(value)]
    if unused:
        words = ", ".join(_written(name, getattr(args, name)) for name in unused)
        used = ", ".join(
            sorted(_option(name) for name in (USED[way] | {"json"}) - {"statements", "declared"})
        )
        raise JacobiansError(
            f"--{way} does not use {words}", f"--{way} uses {used}", f"--{way} without {words}"
        )


def _was_given(value: Any) -> bool:
    return value is not None and value is not False and value != []


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _written(name: str, value: Any) -> str:
    """An option by its name, a word that is no option as it was given."""
    if name in ("statements", "declared"):
        return value if isinstance(value, str) else " ".join(value)
    return _option(name)


def _check_numbers(args: argparse.Namespace) -> None:
    check_repeat(args.repeat)
    if args.batch is not None and args.batch < 1:
        what = f"a batch of {args.batch} holds no sample"
        raise JacobiansError(what, f"--batch {args.batch}", "--batch 1 or more, or leave it out")
    if args.seed < 0:
        what = "a seed is a whole number that is not negative"
        raise JacobiansError(what, f"--seed {args.seed}", f"--seed {-args.seed}")
    if args.seconds is not None and not args.seconds >= 0:
        what = "the search cannot take so many seconds"
        raise JacobiansError(what, f"--seconds {args.seconds:g}", "0 or more: --seconds 0.3")
    read_bytes(args.limit)


def read_bytes(text: str) -> int:
    """A number of bytes, 1 or more: `1GB`, `500 MB`, `64kB`, `4096`.

    >>> read_bytes("1GB"), read_bytes("500 mb"), read_bytes("4096")
    (1000000000, 500000000, 4096)
    """
    word = text.strip().upper().replace("IB", "B")
    unit = next((unit for unit in UNITS if word.endswith(unit)), "")
    try:
        found = int(float(word[: len(word) - len(unit)]) * UNITS.get(unit, 1))
    except (ValueError, OverflowError):
        what = f"--limit {text!r} is no number of bytes"
        raise ReadingError(what, "a number and a unit: B, kB, MB, GB, TB", "--limit 1GB") from None
    if found < 1:
        what = f"nothing takes as little as --limit {text}"
        raise ReadingError(what, "rows that need more bytes are not run", "1 or more: --limit 1GB")
    return found


def _check_picture(path: str) -> None:
    """Whether matplotlib is there and writes files of this ending."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise missing_extra("matplotlib", "plot", "plots") from None
    known = sorted(Figure().canvas.get_supported_filetypes())
    ending = Path(path).suffix.lower().removeprefix(".")
    if ending and ending not in known:
        what = f"no picture is written as .{ending}"
        raise JacobiansError(what, f"--plot {path}; known: {', '.join(known)}", "--plot picture.png")


def check_writable(option: str, path: str) -> None:
    """Raises a JacobiansError where a file cannot be written; leaves none behind that was not there."""
    place = Path(path)
    try:
        if place.exists() and not (place.is_file() or place.is_dir()):
            return  # a device or a pipe: opening it may wait, or count as writing
        new = not place.exists()
        with place.open("ab"):
            pass
        if new:
            place.unlink()
    except (OSError, ValueError) as error:
        raise JacobiansError(
            f"{option} {path} cannot be written",
            getattr(error, "strerror", None) or str(error),
            "a file in a folder that exists and can be written to",
        ) from None
