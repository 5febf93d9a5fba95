"""Errors in three parts: what is wrong, where, and what to do instead.

Everything this package raises on purpose is a `JacobiansError`.  Catch that one class;
`error.what`, `error.where` and `error.instead` hold the parts, `str(error)` all of them.
"""

from __future__ import annotations

from collections.abc import Iterable

from numpy.linalg import LinAlgError


class JacobiansError(Exception):
    """An error that says what is wrong, where, and what to do instead.

    >>> print(JacobiansError("shapes do not fit", "A is 3 x 4, x is 3", "A.T @ x"))
    shapes do not fit
      A is 3 x 4, x is 3
      try: A.T @ x
    """

    def __init__(self, what: str, where: str = "", instead: str = "") -> None:
        self.what, self.where, self.instead = what, where, instead
        super().__init__(what, where, instead)

    def __str__(self) -> str:
        lines = [self.what]
        lines += ["  " + line for line in self.where.splitlines()]
        lines += ["  try: " + self.instead] if self.instead else []
        return "\n".join(lines)


class ShapeError(JacobiansError, ValueError):
    """Shapes or sizes that do not fit one another."""


class UnknownNameError(JacobiansError, KeyError):
    """A name that is not known here: an argument, an intermediate, an order, a layout."""

    __str__ = JacobiansError.__str__


class UnsupportedError(JacobiansError, TypeError):
    """Something numpy can do and this package cannot; `instead` names what it can."""


class SingularMatrixError(JacobiansError, LinAlgError):
    """A matrix at which an operation, or its derivative, does not exist."""


class ReadingError(JacobiansError, ValueError):
    """Text that cannot be read; `where` shows the line with a caret under the place."""


class LayoutError(JacobiansError, ValueError):
    """An object for which the layout asked for has no place."""


class BudgetError(JacobiansError, MemoryError):
    """An array or a computation larger than the limit that was set for it."""


class MissingExtraError(JacobiansError, ImportError):
    """An optional package that is not installed; `instead` is the install command."""


LISTED = 16  # names that a hint lists


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The closest of `known` to `name` as a hint, else the known names listed.

    >>> did_you_mean("sofmax", ["softmax", "tanh"])
    'softmax'
    >>> did_you_mean("q", ["A", "x"])
    'one of A, x'
    """
    from difflib import get_close_matches  # late: only an error pays for it

    known = sorted(known)
    close = get_close_matches(name, known, n=1)
    if close:
        return close[0]
    return "one of " + ", ".join(known if len(known) <= LISTED else [*known[:LISTED], "..."])


def caret(line: str, start: int, end: int | None = None) -> str:
    """`line` with carets under columns `start` to `end` (0-based, end exclusive).

    >>> print(caret("z = A @ x", 4, 9))
    z = A @ x
        ^^^^^
    """
    width = max(1, (end if end is not None else start + 1) - start)
    return f"{line}\n{' ' * start}{'^' * width}"


def missing_extra(package: str, extra: str, purpose: str) -> MissingExtraError:
    """The error for an optional `package` of the named `extra` that is not installed.

    >>> print(missing_extra("matplotlib", "plot", "plots"))
    plots need matplotlib
      try: pip install 'jacobians[plot]'
    """
    return MissingExtraError(f"{purpose} need {package}", "", f"pip install 'jacobians[{extra}]'")
