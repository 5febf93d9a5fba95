"""Values and operators of matrix-calculus syntax: columns, rows, and constants that find their size.

A 1-D array is a column; `x'` is a `Row`; `vector(1)`, `matrix(1)` and `eye` are `Lazy` until they meet a
value of known size.  `times`, `elementwise`, `transposed` and the functions of `FUNCTIONS` look at
ranks alone, so that traced values pass through; `plain_value` gives the array of natural rank at the end.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from jacobians.errors import JacobiansError, ShapeError
from jacobians.reading import creation
from jacobians.reading.costs import Cost
from jacobians.reading.limits import pointwise_power, shape_of
from jacobians.reading.wording import words

Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Row:
    """A transposed vector: a 1-D array that stands as a row."""

    value: Any


@dataclass(frozen=True, slots=True)
class Lazy:
    """A constant whose size is not known yet.

    `kind` is `column`, `row`, `matrix` or `eye` (`value` is then the number in it), or `wide` (n x ?) and
    `tall` (? x n), where `value` is the 2-D array to be stretched.
    """

    kind: str
    value: Any


_NAMES = {"s": "a scalar", "c": "a column", "r": "a row", "m": "a matrix"}
_TRANSPOSED = {"column": "row", "row": "column", "wide": "tall", "tall": "wide"}


def rank(value: Any) -> str:
    """`s`, `c`, `r` or `m`: scalar, column, row or matrix."""
    if isinstance(value, Row):
        return "r"
    axes = len(getattr(value, "shape", ()))
    if axes > 2:
        raise ShapeError(f"a value of {axes} axes has no place in matrix syntax", "", "numpy syntax")
    return "scm"[axes]


def _raw(value: Any) -> Any:
    return value.value if isinstance(value, Row) else value


def _like(kind: str, value: Any) -> Any:
    return Row(value) if kind == "r" else value


def _described(value: Any) -> str:
    kind = rank(value)
    shape = shape_of(_raw(value))
    return _NAMES[kind] + (f" of {words(shape)}" if shape and kind != "s" else "")


def _unknown_size(what: str = "a constant such as vector(1) or eye") -> JacobiansError:
    return ShapeError(
        f"the size of {what} cannot be known here", "", "vector(1, n), matrix(1, m, n) or eye(n)"
    )


def plain_value(value: Any) -> Any:
    """The array itself: a row as a 1-D array.  Raises ShapeError for a constant that never met a size."""
    if isinstance(value, Lazy):
        raise _unknown_size()
    return _raw(value)


def inside(function: Callable[[Any], Any], value: Any) -> Any:
    """`function` applied to the array within `value`, which keeps its standing as a row."""
    if isinstance(value, Lazy):
        return value
    return Row(function(value.value)) if isinstance(value, Row) else function(value)


def transposed(value: Any) -> Any:
    """`x'`: a row of a column, a column of a row, the transpose of a matrix; a scalar is its own."""
    if isinstance(value, Lazy):
        turned = np.transpose(value.value) if value.kind in ("wide", "tall") else value.value
        return Lazy(_TRANSPOSED.get(value.kind, value.kind), turned)
    kind = rank(value)
    if kind == "m":
        return np.transpose(value)
    return {"c": Row(value), "r": _raw(value), "s": value}[kind]


def negative(value: Any) -> Any:
    """`-x`."""
    if isinstance(value, Lazy):
        return Lazy(value.kind, -value.value)
    return _like(rank(value), -_raw(value))


def times(left: Any, right: Any) -> Any:
    """The matrix product `left * right`; a scalar scales, a column times a row is the outer product."""
    if isinstance(left, Lazy) or isinstance(right, Lazy):
        return _times_lazy(left, right)
    one, two = rank(left), rank(right)
    a, b = _raw(left), _raw(right)
    if "s" in (one, two):
        return _like(two if one == "s" else one, a * b)
    if one + two not in ("rc", "cr", "mc", "mm", "rm"):
        raise _no_product(left, right)
    if one + two == "cr":
        return np.outer(a, b)
    if a.shape[-1] != b.shape[0]:
        inner = f"the inner sizes {a.shape[-1]} and {b.shape[0]} differ"
        what = f"{_described(left)} times {_described(right)}: {inner}"
        raise ShapeError(what, "", "vectors of one size" if one + two == "rc" else "a transpose: A'*x")
    return _like("r" if two == "m" and one == "r" else "m", a @ b)


def _no_product(left: Any, right: Any) -> JacobiansError:
    hints = {
        "cc": "x'*y (inner), x*y' (outer) or x.*y (elementwise)",
        "rr": "x'*y (inner), x*y' (outer) or x.*y (elementwise)",
        "mr": "A*x for a column, or x'*A",
        "cm": "x'*A for a row, or A*x",
    }
    what = f"{_described(left)} times {_described(right)} has no meaning"
    return ShapeError(what, "", hints[rank(left) + rank(right)])


def _times_lazy(left: Any, right: Any) -> Any:
    for one, two in ((left, right), (right, left)):
        if isinstance(one, Lazy) and not isinstance(two, Lazy):
            if rank(two) == "s":
                return Lazy(one.kind, two * one.value)
            if one.kind == "eye":
                return _like(rank(two), one.value * _raw(two))
    if isinstance(left, Lazy) and isinstance(right, Lazy):
        if "eye" in (left.kind, right.kind):
            return Lazy(right.kind if left.kind == "eye" else left.kind, left.value * right.value)
        raise _unknown_size()
    if isinstance(right, Lazy):
        return _times_lazy_right(left, right)
    return transposed(_times_lazy_right(transposed(right), transposed(left)))


def _times_lazy_right(left: Any, right: Lazy) -> Any:
    """`left * right` where only the right one has no size yet."""
    if right.kind == "row" and rank(left) == "c":
        return Lazy("wide", np.reshape(left, (-1, 1)) * right.value)
    if right.kind == "row" or rank(left) not in "rm":
        raise _unknown_size()
    if right.kind == "tall":
        return times(_row_sums(left), Row(np.reshape(right.value, (-1,))))
    if right.kind == "column":
        return _scaled(right.value, _row_sums(left))
    if right.kind == "wide":
        summed = times(left, np.reshape(right.value, (-1,)))
    else:
        summed = _scaled(right.value, _row_sums(left))
    return Lazy("row", summed) if rank(left) == "r" else Lazy("wide", np.reshape(summed, (-1, 1)))


def _row_sums(value: Any) -> Any:
    return np.sum(_raw(value), axis=-1)  # times a column of ones: no size needs a number


def _scaled(number: Any, array: Any) -> Any:
    return array if isinstance(number, int) and number == 1 else number * array


def sized(value: Lazy, like: Any) -> Any:
    """The constant beside `like` in an elementwise operation: numpy stretches it, sizes may be symbols."""
    kind = rank(like)
    if value.kind == {"c": "column", "r": "row", "m": "matrix"}[kind]:
        return value.value
    if kind == "m" and value.kind == "eye":
        rows, columns = like.shape
        if rows != columns:
            what = f"eye takes the size of {_described(like)}, which is not square"
            raise ShapeError(what, "", "a square matrix")
        return value.value * (np.eye(rows) if isinstance(rows, int) else np.diag(np.ones_like(like[0])))
    if kind == "m" and value.kind in ("wide", "tall"):
        return value.value
    raise ShapeError(
        f"{value.kind} constant and {_described(like)} do not fit", "", "the same shape on both sides"
    )


def elementwise(function: Function, *values: Any) -> Any:
    """`function` entry by entry: all values stand alike, scalars apart.  Nothing else is broadcast."""
    known = [value for value in values if not isinstance(value, Lazy) and rank(value) != "s"]
    if not known and any(isinstance(value, Lazy) for value in values):
        return _elementwise_lazy(function, values)
    filled = [sized(value, known[0]) if isinstance(value, Lazy) else value for value in values]
    kinds = {rank(value) for value in filled} - {"s"}
    shapes = {_raw(value).shape for value in known}
    if len(kinds) > 1 or len(shapes) > 1:
        described = " and ".join(_described(value) for value in known)
        raise ShapeError(f"{described} are not of one shape", "", "x*vector(1)' to repeat a column")
    return _like(kinds.pop() if kinds else "s", function(*(_raw(value) for value in filled)))


def _elementwise_lazy(function: Function, values: tuple[Any, ...]) -> Lazy:
    kinds = {value.kind for value in values if isinstance(value, Lazy)}
    keeps_zero = function in (operator.add, operator.sub) and all(isinstance(value, Lazy) for value in values)
    if len(kinds) > 1 or ("eye" in kinds and not keeps_zero):
        raise _unknown_size()
    return Lazy(kinds.pop(), function(*(v.value if isinstance(v, Lazy) else v for v in values)))


def over(left: Any, right: Any) -> Any:
    """`left / right`, where `right` is a scalar."""
    if isinstance(right, Lazy) or rank(right) != "s":
        raise ShapeError("/ divides by a scalar", "", "./ for elementwise division, inv(A)*b for a solution")
    return (
        Lazy(left.kind, left.value / right)
        if isinstance(left, Lazy)
        else _like(rank(left), _raw(left) / right)
    )


def raised(base: Any, exponent: Any) -> Any:
    """`base ^ exponent`: of scalars, or a whole power of a square matrix."""
    if isinstance(exponent, Lazy) or rank(exponent) != "s":
        raise ShapeError("^ takes a scalar exponent", "", ".^ for an elementwise power")
    if isinstance(base, Lazy) or rank(base) in "cr":
        raise ShapeError("^ takes a scalar or a square matrix", "", ".^ for an elementwise power")
    if rank(base) == "m":
        if not isinstance(exponent, int):
            raise ShapeError("^ of a matrix takes a whole number", "", ".^ for an elementwise power")
        return np.linalg.inv(base) if exponent == -1 else np.linalg.matrix_power(base, exponent)
    return pointwise_power(base, exponent)


def operator_cost(sign: str, left: Any, right: Any) -> Cost:
    """Entries and multiplications of `left sign right`."""
    (a, b), (c, d) = _sizes(left), _sizes(right)
    if sign == "*" and a * b != 1 and c * d != 1:
        return a * d, a * b * d // 16
    if sign == "^" and a > 1:
        return a * b, 64 * a * a * b // 16
    entries = max(a, c) * max(b, d)
    return entries, entries


def _sizes(value: Any) -> tuple[int, int]:
    if isinstance(value, Lazy):
        value = value.value
    shape = shape_of(_raw(value)) or ()
    if len(shape) == 2:
        return shape[0], shape[1]
    size = shape[0] if len(shape) == 1 else 1
    return (1, size) if isinstance(value, Row) else (size, 1)


# -- functions by name --------------------------------------------------------------------------------------


def _square(name: str, value: Any) -> Any:
    if isinstance(value, Lazy):
        raise _unknown_size()
    shape: tuple[Any, ...] = _raw(value).shape if rank(value) != "s" else ()
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ShapeError(f"{name} takes a square matrix, not {_described(value)}", "", f"{name}(X'*X)")
    return value


def trace(value: Any) -> Any:
    """Sum of the diagonal; of a scalar (x'*A*x) itself."""
    return value if not isinstance(value, Lazy) and rank(value) == "s" else np.trace(_square("tr", value))


def determinant(value: Any) -> Any:
    """Determinant."""
    return np.linalg.det(_square("det", value))


def log_determinant(value: Any) -> Any:
    """Logarithm of the absolute determinant."""
    return np.linalg.slogdet(_square("logdet", value))[1]


def inverse(value: Any) -> Any:
    """Inverse; of a scalar the reciprocal."""
    if not isinstance(value, Lazy) and rank(value) == "s":
        return 1 / value
    if isinstance(value, Lazy) and value.kind == "eye":
        return Lazy("eye", 1 / value.value)
    return np.linalg.inv(_square("inv", value))


def adjugate(value: Any) -> Any:
    """Adjugate of an invertible matrix, det(X) * inv(X)."""
    return determinant(value) * np.linalg.inv(_square("adj", value))


def pseudo_inverse(value: Any) -> Any:
    """Pseudoinverse of a matrix."""
    return np.linalg.pinv(plain_value(value))


def one_norm(value: Any) -> Any:
    """Sum of the absolute entries."""
    return np.sum(np.abs(plain_value(value)))


def two_norm(value: Any) -> Any:
    """Square root of the sum of squares (of a matrix: its Frobenius norm)."""
    found = plain_value(value)
    return np.abs(found) if rank(value) == "s" else np.linalg.norm(found)


def total(value: Any) -> Any:
    """Sum of all entries."""
    return np.sum(plain_value(value))


def average(value: Any) -> Any:
    """Mean of all entries."""
    return np.mean(plain_value(value))


def largest(value: Any) -> Any:
    """Largest entry."""
    return np.max(plain_value(value))


def smallest(value: Any) -> Any:
    """Smallest entry."""
    return np.min(plain_value(value))


def diagonal(value: Any) -> Any:
    """Diagonal matrix of a vector; the diagonal of a matrix."""
    if isinstance(value, Lazy) and value.kind in ("column", "row"):
        raise _unknown_size("diag(vector(1))")
    return np.diag(plain_value(value))


def ones_vector(number: Any = 1, size: Any = None) -> Any:
    """`vector(c)`: a column of c, as long as it needs to be; `vector(c, n)` of n entries."""
    return Lazy("column", number) if size is None else number * creation.ones(size)


def ones_matrix(number: Any = 1, rows: Any = None, columns: Any = None) -> Any:
    """`matrix(c)`: a matrix of c, as large as it needs to be; `matrix(c, m, n)`."""
    shape = (rows, rows if columns is None else columns)
    return Lazy("matrix", number) if rows is None else number * creation.ones(shape)


def identity(size: Any = None) -> Any:
    """`eye`: the identity, as large as it needs to be; `eye(n)`."""
    return Lazy("eye", 1) if size is None else creation.eye(size)


def kronecker(left: Any, right: Any) -> Any:
    """Kronecker product of two matrices."""
    return np.kron(plain_value(left), plain_value(right))


def stacked_columns(value: Any) -> Any:
    """`vec(X)`: the columns of X under one another."""
    return np.ravel(np.transpose(plain_value(value)))


FUNCTIONS: dict[str, Function] = {
    "tr": trace,
    "trace": trace,
    "det": determinant,
    "logdet": log_determinant,
    "inv": inverse,
    "adj": adjugate,
    "pinv": pseudo_inverse,
    "norm1": one_norm,
    "norm2": two_norm,
    "norm": two_norm,
    "sum": total,
    "mean": average,
    "max": largest,
    "min": smallest,
    "diag": diagonal,
    "vector": ones_vector,
    "ones": ones_vector,
    "matrix": ones_matrix,
    "eye": identity,
    "kron": kronecker,
    "vec": stacked_columns,
}
