"""Python's own functions as a text may use them: `sum`, `max`, `range`, `len`, `float`, ...

On lists and generators they do what Python does; on arrays (traced ones too) `sum`, `max`, `min`, `abs`,
`all`, `any` and `round` are numpy's.  `array` makes an array of nested lists, traced values in them stacked.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from jacobians.errors import BudgetError, ReadingError, ShapeError
from jacobians.reading.limits import combinations, factorial, power

__all__ = ["combinations", "factorial"]

_PLAIN = (int, float, complex, np.ndarray, np.generic, str, type(None))
_NUMBER = (int, float, np.integer, np.floating, np.bool_)


def is_list(value: object) -> bool:
    """Whether `value` is a list, a tuple or a range."""
    return isinstance(value, list | tuple | range)


def is_array(value: object) -> bool:
    """Whether `value` has a shape: an array, a traced value, a numpy number."""
    return hasattr(value, "shape")


def items(value: Any) -> Sequence[Any]:
    """The items of a list, or an array cut along its first axis."""
    if is_list(value):
        return value  # type: ignore[no-any-return]
    if isinstance(value, str) or not hasattr(value, "shape"):
        raise ReadingError(
            f"a {type(value).__name__} has no items to go through", "", "range(n), a list or an array"
        )
    if len(value.shape) == 0:
        raise ShapeError("a scalar has no items to go through", "", "range(n), a list or an array")
    return [value[place] for place in range(value.shape[0])]


def holds_traced(value: Any) -> bool:
    """Whether nested lists hold anything but plain numbers and arrays."""
    if is_list(value):
        return any(holds_traced(part) for part in value)
    return not isinstance(value, _PLAIN) and hasattr(value, "shape")


def array(value: Any, *args: Any, **kwargs: Any) -> Any:
    """`np.array(value)`; nested lists that hold traced values become stacks, an array stays itself."""
    if is_list(value) and holds_traced(value):
        return stacked(value)
    if not is_list(value) and is_array(value):
        plain = type(value) is np.ndarray and (args or kwargs) and value.dtype.kind in "biuf"
        return np.array(value, *args, **kwargs) if plain else value
    dtype = kwargs.get("dtype", args[0] if args else None)
    if dtype in (float, np.float64) and not _is_real(value):
        return np.array(value)
    return np.array(value, *args, **kwargs)


def _is_real(value: Any) -> bool:
    return np.array(value).dtype.kind in "biuf"


def stacked(value: Any) -> Any:
    """Nested lists as one array, by `np.stack` at every level."""
    if not is_list(value):
        return value
    if not value:
        return np.array([])
    return np.stack([stacked(part) for part in value])


def sum_of(value: Any, *args: Any, **kwargs: Any) -> Any:
    """`np.sum` of an array; of a list or a generator Python's sum, term by term."""
    if not is_list(value):
        return np.sum(value, *args, **kwargs)
    if kwargs:
        return np.sum(array(value), *args, **kwargs)
    start = args[0] if args else 0
    if any(is_list(part) or isinstance(part, str) for part in (start, *value)):
        raise ReadingError("sum() of lists is not read", "", "np.sum(np.array(...)), or np.concatenate")
    total = start
    for part in value:
        total = total + part
    return total


class Generated(list[Any]):
    """The items of a generator expression."""


def numpy_sum(value: Any, *args: Any, **kwargs: Any) -> Any:
    """`np.sum`; of a generator the sum of its items, as numpy does."""
    if isinstance(value, Generated):
        return sum_of(value, *args, **kwargs)
    return np.sum(array(value) if is_list(value) else value, *args, **kwargs)


def largest(*args: Any, **kwargs: Any) -> Any:
    """`max`: of plain numbers Python's, of one array numpy's, of several scalars `np.maximum`."""
    return _extreme("max", max, np.max, np.maximum, args, kwargs)


def smallest(*args: Any, **kwargs: Any) -> Any:
    """`min`: of plain numbers Python's, of one array numpy's, of several scalars `np.minimum`."""
    return _extreme("min", min, np.min, np.minimum, args, kwargs)


def _extreme(
    name: str, python: Any, reduce: Any, pair: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    if len(args) == 1 and not is_list(args[0]):
        return reduce(*args, **kwargs)
    if kwargs:
        return reduce(array(args[0]), *args[1:], **kwargs)
    values = args[0] if len(args) == 1 else args
    if any(is_list(value) for value in values):
        raise ReadingError(f"{name}() of lists is not read", "", f"np.{name}(np.array(...))")
    if any(is_array(value) and len(value.shape) for value in values):
        raise ReadingError(
            f"{name}() of several arrays is ambiguous", "", f"np.{name}imum(x, y) or np.{name}(x, axis=0)"
        )
    if all(isinstance(value, int | float) for value in values):
        return python(values)
    result = values[0]
    for value in values[1:]:
        result = pair(result, value)
    return result


def all_of(value: Any, *args: Any, **kwargs: Any) -> Any:
    """`all`: of a list Python's, of an array numpy's."""
    return all(bool(part) for part in value) if is_list(value) else np.all(value, *args, **kwargs)


def any_of(value: Any, *args: Any, **kwargs: Any) -> Any:
    """`any`: of a list Python's, of an array numpy's."""
    return any(bool(part) for part in value) if is_list(value) else np.any(value, *args, **kwargs)


def absolute(value: Any) -> Any:
    """`abs`: of a plain number Python's, of an array numpy's."""
    return abs(value) if isinstance(value, int | float) else np.abs(value)


def rounded(value: Any, digits: int = 0) -> Any:
    """`round`: of a plain number Python's, of an array numpy's."""
    if isinstance(value, int | float):
        return round(value, digits) if digits else round(value)
    return np.round(value, digits)


def raised(base: Any, exponent: Any) -> Any:
    """`pow(base, exponent)`."""
    if isinstance(base, int | float) and isinstance(exponent, int | float):
        return power(base, exponent)
    return np.power(base, exponent)


def length(value: Any) -> Any:
    """`len`: items of a list, or the size of an array's first axis."""
    if is_list(value):
        return len(value)
    if not is_array(value) or len(value.shape) == 0:
        raise ShapeError(
            f"a {'scalar' if is_array(value) else type(value).__name__} has no len()", "", "x.size"
        )
    return value.shape[0]


def numbers(*args: Any) -> range:
    """`range` of at most a million numbers."""
    if not all(isinstance(value, int | np.integer) for value in args):
        for value in filter(holds_traced, args):
            operator.index(value)  # raises an error that names the size, where it is one
        raise ReadingError("range() takes whole numbers", "", "range(n), or np.linspace for fractions")
    found = range(*(int(value) for value in args))
    span = max(found.stop - found.start, found.start - found.stop) // abs(found.step)
    if span > 1_000_000:
        raise BudgetError("range() of more than 1000000 numbers", "", "a smaller size, or np.arange")
    return found


def zipped(*args: Any) -> list[Any]:
    """`zip` as a list."""
    return list(zip(*(items(value) for value in args), strict=False))


def enumerated(value: Any, start: int = 0) -> list[Any]:
    """`enumerate` as a list."""
    return list(enumerate(items(value), start))


def reversed_list(value: Any) -> list[Any]:
    """`reversed` as a list."""
    return list(reversed(items(value)))


def sorted_list(value: Any) -> list[Any]:
    """`sorted` of plain numbers, as a list."""
    found = items(value)
    if not all(isinstance(part, _NUMBER) for part in found):
        raise ReadingError("sorted() takes plain numbers", "", "np.sort(x)")
    return sorted(found)


def listed(value: Any = ()) -> list[Any]:
    """`list`."""
    return list(items(value))


def tupled(value: Any = ()) -> tuple[Any, ...]:
    """`tuple`."""
    return tuple(items(value))


def to_float(value: Any = 0.0) -> Any:
    """`float`: of a plain number Python's; an array keeps its value (so that it can be differentiated)."""
    if isinstance(value, _NUMBER):
        return float(value)
    return _number("float", value)


def to_int(value: Any = 0) -> Any:
    """`int` of a plain number."""
    if isinstance(value, _NUMBER):
        return int(value)
    if is_array(value) and isinstance(value, np.ndarray) and value.size == 1:
        return int(value.reshape(()))
    raise ReadingError(f"int() takes a number, not a {type(value).__name__}", "", "np.floor(x)")


def _number(name: str, value: Any) -> Any:
    if not is_array(value):
        raise ReadingError(f"{name}() takes a number, not a {type(value).__name__}", "", "a number")
    if len(value.shape) and any(size != 1 for size in value.shape):
        raise ShapeError(f"{name}() takes a scalar, the shape is {value.shape}", "", "x.astype(float)")
    return np.reshape(value, ()) if len(value.shape) else value


def exactly(value: Any, number: Callable[[Any], Any]) -> Any:
    """A float array as an object array of exact numbers; anything else as it is."""
    if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
        return value
    exact = np.empty(value.shape, dtype=object)
    exact.reshape(-1)[:] = [number(float(entry)) for entry in value.reshape(-1)]
    return exact
