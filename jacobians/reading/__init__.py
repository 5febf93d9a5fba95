"""Text to function: numpy syntax, matrix-calculus syntax, index notation, and declarations of shapes.

- `read(text, A="M,N", ...)` gives a function of arrays, `parse(text, syntax)` the `Program` behind it.
- `parse_index_claim("i|m n: delta[i,m] * x[n]")` gives an `IndexClaim`.
- `declarations("A:M,N x:N M=3")` gives `Declarations`.

Nothing that is read is ever handed to Python's own evaluation.
"""

from jacobians.reading.function import ReadFunction, parse, read
from jacobians.reading.index_claims import IndexClaim, is_index_claim, parse_index_claim
from jacobians.reading.limits import Budget
from jacobians.reading.program import Program
from jacobians.reading.shapes import (
    Declarations,
    bindings_from_values,
    declarations,
    declarations_from_keywords,
)

__all__ = [
    "Budget",
    "Declarations",
    "IndexClaim",
    "Program",
    "ReadFunction",
    "bindings_from_values",
    "declarations",
    "declarations_from_keywords",
    "is_index_claim",
    "parse",
    "parse_index_claim",
    "read",
]
