"""Errors told at their place in the text: `Placed`, the part of an interpreter that knows its statement."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from jacobians.errors import BudgetError, JacobiansError, ReadingError, ShapeError
from jacobians.reading.source import Statement
from jacobians.reading.wording import remedy


class Placed:
    """Knows the `statement` that is being evaluated, and tells every error at its place there."""

    __slots__ = ("statement",)

    def __init__(self) -> None:
        self.statement = Statement("", 1, 1)

    def error(self, what: str, node: ast.AST, instead: str = "", note: str = "") -> JacobiansError:
        """A ReadingError at the place of `node`."""
        instead = instead or "numbers, arrays and numpy functions"
        return self.statement.error(what, *self.statement.span(node), instead, note=note)

    def pay(self, node: ast.AST, spend: Callable[..., None], *amounts: int) -> None:
        """`spend(*amounts)` on the meter; what is too much is told at the place of `node`."""
        try:
            spend(*amounts)
        except BudgetError as error:
            raise self.placed(error, node) from None

    def placed(self, error: JacobiansError, node: ast.AST) -> JacobiansError:
        """The same error with the place of `node`, unless it has a place already."""
        if error.where:
            return error
        return type(error)(error.what, self.statement.where(*self.statement.span(node)), error.instead)

    def guard(self, node: ast.AST, compute: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """`compute(*args, **kwargs)`, its errors told as errors of this text, at this place."""
        try:
            return compute(*args, **kwargs)
        except JacobiansError as error:
            if error.where:
                raise
            raise self.placed(error, node) from error
        except (MemoryError, RecursionError) as error:
            kind = "memory" if isinstance(error, MemoryError) else "nesting"
            raise self.placed(BudgetError(f"{kind} ran out here", "", "smaller sizes"), node) from error
        except Exception as error:
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            error_type = ShapeError if "shape" in reason or "broadcast" in reason else ReadingError
            place = self.statement.where(*self.statement.span(node), note=reason)
            raise error_type(
                f"cannot compute {self.statement.segment(node)}", place, remedy(error)
            ) from error
