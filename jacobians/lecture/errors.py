"""`ClaimError`: a list of claims that cannot be judged."""

from __future__ import annotations

from ..errors import ReadingError


class ClaimError(ReadingError):
    """A claim that cannot be read or judged; `where` names the claim and the place."""

    def of(self, row: str) -> ClaimError:
        """The same error, naming the claim it is about."""
        where = f"claim {row}" + (f": {self.where}" if self.where else "")
        return ClaimError(self.what, where, self.instead)
