"""The command line: `jacobians COMMAND "statements" NAME:SHAPE... [SIZE=INT...]`.

Each command lives in a module of its own with `add_arguments(parser)` and `main(args) -> exit status`; this
one finds it, prints errors in three parts and never a traceback (unless `--debug`).  Exit status: 0 done, 1 a
verdict that is not "true", 2 a usage error.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from . import __version__
from .errors import JacobiansError, did_you_mean

COMMANDS = {
    "lecture": ("jacobians.lecture.command", "run every worked example of the lecture and list its errata"),
    "shapes": (
        "jacobians.commands.shapes",
        "the shapes of the local and composed Jacobians, in every layout",
    ),
    "show": (
        "jacobians.commands.show",
        "the chain with shapes, index form, einsum, matrix form, block picture",
    ),
    "check": ("jacobians.commands.check", "is a formula right, in which layout, and if not, what is wrong"),
    "bench": ("jacobians.commands.bench", "flops, peak memory and seconds of every order"),
    "report": ("jacobians.commands.report", "all of it in one self-contained page"),
    "identities": ("jacobians.commands.identities", "the shipped library of textbook identities"),
    "explain": (
        "jacobians.commands.explain",
        "ten lines on delta, layout, vec, einsum, elimination order, ...",
    ),
    "ops": ("jacobians.commands.ops", "the table of operations, local Jacobians and kinks"),
}


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors have three parts and exit status 2."""

    def error(self, message: str) -> NoReturn:
        known, _, rest = message.partition("unrecognized arguments: -")
        if rest and not known and not rest.startswith("-"):
            raise JacobiansError(
                message, "a formula that begins with - is taken for an option", f'"(-{rest})", in brackets'
            )
        options = self._option_string_actions
        close = did_you_mean(f"-{rest}".split()[0].partition("=")[0], options) if rest else ""
        instead = f"did you mean: {close}" if close in options else f"{self.prog} --help"
        raise JacobiansError(message, self.format_usage().strip(), instead)


def available() -> dict[str, tuple[str, str]]:
    """The commands whose modules are installed."""
    return {name: entry for name, entry in COMMANDS.items() if importlib.util.find_spec(entry[0])}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    _replace_unprintable()
    try:
        return _run(words)
    except JacobiansError as error:
        if debug:
            raise
        print(_printable(f"error: {error}"), file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if debug:
            raise
        print(_printable(f"error: {_of_the_system(error)}"), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _of_the_system(error: OSError) -> JacobiansError:
    """An error of the operating system in three parts."""
    reason = error.strerror or str(error)
    if error.filename is None:
        return JacobiansError("the system refused to read or write", reason, "--debug for the traceback")
    return JacobiansError(
        f"{error.filename} cannot be opened",
        reason,
        "a file that can be read, or one in a folder that exists and can be written to",
    )


def _run(words: list[str]) -> int:
    commands = available()
    if not words or words[0] in ("-h", "--help"):
        print(_overview(commands))
        return 0
    if words[0] == "--version":
        print(f"jacobians {__version__}")
        return 0
    if words[0] not in commands:
        raise JacobiansError(
            f"{words[0]!r} is no command",
            f"commands: {', '.join(commands)}",
            _nearest(words[0], commands),
        )
    name, (place, about) = words[0], commands[words[0]]
    module = importlib.import_module(place)
    parser = Parser(
        prog=f"jacobians {name}",
        description=about[0].upper() + about[1:] + ".",
        epilog="Errors: add --debug for the traceback.",
    )
    module.add_arguments(parser)
    status: int = module.main(parser.parse_intermixed_args(words[1:]))
    sys.stdout.flush()
    return status


def _nearest(word: str, commands: dict[str, tuple[str, str]]) -> str:
    close = did_you_mean(word, commands)
    return "jacobians --help" if close.startswith("one of ") else f"did you mean: jacobians {close}"


def _overview(commands: dict[str, tuple[str, str]]) -> str:
    width = max(map(len, commands))
    lines = [f"jacobians {__version__}: see, check and cost derivatives of vectors, matrices and tensors", ""]
    lines += [f"  {name:<{width}}  {about}" for name, (_, about) in commands.items()]
    lines += [
        "",
        '  jacobians show "z = A @ x + b; f = tanh(z)" A:M,N x:N b:M --wrt A',
        "  jacobians COMMAND --help",
    ]
    return "\n".join(lines)


def _printable(text: str) -> str:
    """An error in ASCII where the standard error's encoding lacks a symbol."""
    try:
        text.encode(sys.stderr.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        from .notation.text import plain_text

        return plain_text(text)
    return text


def _replace_unprintable() -> None:
    """An output that lacks a symbol gets a replacement for it, never an exception."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


if __name__ == "__main__":
    sys.exit(main())
