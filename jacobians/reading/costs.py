"""What one numpy call will cost, from the shapes of its arguments, before it is made.

`cost_of(name, args, kwargs)` gives `(entries, work)`: an upper bound of the array entries it makes and of
the multiplications it takes.  Sizes that are not numbers yet count as 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from jacobians.errors import ReadingError
from jacobians.reading.limits import entries_of, shape_of

Cost = tuple[int, int]
Arguments = Sequence[Any]
Keywords = Mapping[str, Any]


def cost_of(name: str, args: Arguments, kwargs: Keywords) -> Cost:
    """Upper bound of (entries made, multiplications) of the numpy function `name` with these arguments.

    >>> cost_of("eye", (1000,), {})
    (1000000, 1000000)
    """
    rule = _RULES.get(name)
    if rule is None:
        entries = elementwise(args)
        return entries, entries
    return rule(args, kwargs)


def elementwise(args: Arguments) -> int:
    """Entries of the broadcast of all arguments, or of all of them together where that is more."""
    shapes = [_shape(arg) for arg in args]
    axes = max((len(shape) for shape in shapes), default=0)
    padded = [(1,) * (axes - len(shape)) + shape for shape in shapes]
    broadcast = math.prod(max(sizes) for sizes in zip(*padded, strict=True)) if padded else 1
    return max(broadcast, sum(entries_of(arg) for arg in args))


def matmul(left: Any, right: Any) -> Cost:
    """Cost of `left @ right`: result entries, and multiplications as a fast routine takes them."""
    a, b = _shape(left), _shape(right)
    rows, inner = a[-2] if len(a) > 1 else 1, a[-1] if a else 1
    columns = b[-1] if len(b) > 1 else 1
    stacks = [shape[:-2] for shape in (a, b)]
    entries = rows * columns * math.prod(max(math.prod(stack), 1) for stack in stacks if stack)
    return entries, entries * inner // 16


def operator_cost(sign: str, left: Any, right: Any) -> Cost:
    """Cost of `left sign right`: a matrix product, a list repeated, or an elementwise operation."""
    if sign == "@":
        return matmul(left, right)
    if isinstance(left, list | tuple) and isinstance(right, int):
        return _same(entries_of(left) * max(right, 1))
    if isinstance(right, list | tuple) and isinstance(left, int):
        return _same(entries_of(right) * max(left, 1))
    return _same(elementwise((left, right)))


def indexing(value: Any, index: Any) -> Cost:
    """Cost of `value[index]`: a bound where index arrays repeat entries, nothing for slices and integers."""
    parts = index if isinstance(index, tuple) else (index,)
    arrays = [part for part in parts if isinstance(part, list) or shape_of(part)]
    if not arrays:
        return 0, 0
    shape = [size for size in _shape(value) if size]
    repeated = max(entries_of(part) for part in arrays)
    entries = math.prod(shape) * repeated // max(min(shape, default=1), 1)
    return entries, entries


def _shape(value: Any) -> tuple[int, ...]:
    if isinstance(value, list | tuple | range):
        return (entries_of(value),)
    return shape_of(value) or ()


def _whole(value: Any) -> int:
    if isinstance(value, list | tuple):
        return math.prod(_whole(size) for size in value)
    if isinstance(value, np.ndarray):
        return int(np.sum(np.abs(value))) if value.dtype.kind in "iu" else 1
    return abs(int(value)) if isinstance(value, int | np.integer) else 1


def _argument(args: Arguments, kwargs: Keywords, place: int, name: str, default: Any = 1) -> Any:
    found = args[place] if len(args) > place else kwargs.get(name, default)
    return default if found is None else found


def _same(entries: int) -> Cost:
    return entries, entries


def _square(args: Arguments, kwargs: Keywords) -> Cost:
    rows = _argument(args, kwargs, 0, "N")
    return _same(_whole(rows) * _whole(_argument(args, kwargs, 1, "M", rows)))


def _filled(args: Arguments, kwargs: Keywords) -> Cost:
    return _same(_whole(_argument(args, kwargs, 0, "shape")))


def _like(args: Arguments, kwargs: Keywords) -> Cost:
    return _same(max(elementwise(args), _whole(kwargs.get("shape", 1))))


def _arange(args: Arguments, kwargs: Keywords) -> Cost:
    numbers = [*args, *(kwargs[name] for name in ("start", "stop", "step") if name in kwargs)]
    start, stop, step = {0: (0, 1, 1), 1: (0, *numbers, 1), 2: (*numbers, 1)}.get(
        len(numbers), tuple(numbers[:3])
    )
    if not all(isinstance(n, int | float | np.integer | np.floating) for n in (start, stop, step)):
        return 1, 1
    length = (stop - start) / step if step else 0
    return _same(math.ceil(min(max(length, 0), 1e18)))


def _linspace(args: Arguments, kwargs: Keywords) -> Cost:
    return _same(_whole(_argument(args, kwargs, 2, "num", 50)) * elementwise(args[:2]))


def _product(args: Arguments, kwargs: Keywords) -> Cost:
    return _same(math.prod(entries_of(arg) for arg in args))


def _diagonal_matrix(args: Arguments, kwargs: Keywords) -> Cost:
    entries = entries_of(args[0]) if args else 1
    offset = _whole(_argument(args, kwargs, 1, "k", 0))
    flat = len(_shape(args[0])) < 2 if args else False
    return _same((entries + offset) ** 2 if flat else entries)


def _diagflat(args: Arguments, kwargs: Keywords) -> Cost:
    entries = entries_of(args[0]) if args else 1
    return _same((entries + _whole(_argument(args, kwargs, 1, "k", 0))) ** 2)


def _times(place: int, name: str) -> Callable[[Arguments, Keywords], Cost]:
    def rule(args: Arguments, kwargs: Keywords) -> Cost:
        entries = entries_of(args[0]) if args else 1
        return _same(entries * max(1, _whole(_argument(args, kwargs, place, name))))

    return rule


def _vander(args: Arguments, kwargs: Keywords) -> Cost:
    entries = entries_of(args[0]) if args else 1
    return _same(entries * max(1, _whole(_argument(args, kwargs, 1, "N", entries))))


def _pad(args: Arguments, kwargs: Keywords) -> Cost:
    width = _argument(args, kwargs, 1, "pad_width", 0)
    flat = [_whole(part) for part in np.ravel(width)] if entries_of(width) < 100 else [0]
    return _same(math.prod(size + 2 * max(flat, default=0) for size in (_shape(args[0]) if args else ())))


def _matmul(args: Arguments, kwargs: Keywords) -> Cost:
    return matmul(args[0], args[1]) if len(args) > 1 else (1, 1)


def _inner(args: Arguments, kwargs: Keywords) -> Cost:
    return _contraction([*args[:2], ([-1], [-1])], {})


def _contraction(args: Arguments, kwargs: Keywords) -> Cost:
    left, right = (_shape(arg) for arg in args[:2])
    axes = _argument(args, kwargs, 2, "axes", 2)
    places = range(-axes, 0) if isinstance(axes, int) else np.atleast_1d(np.array(axes[0])).tolist()
    joined = max(1, math.prod(left[place] for place in places if -len(left) <= place < len(left)))
    everything = math.prod(left) * math.prod(right)
    return everything // joined**2, everything // joined // 16


def _decomposition(args: Arguments, kwargs: Keywords) -> Cost:
    shape = _shape(args[0]) if args else ()
    square = math.prod(shape[:-2]) * max(shape[-2:], default=1) ** 2
    return max(elementwise(args), square), square * max(shape[-2:], default=1)


def _meshgrid(args: Arguments, kwargs: Keywords) -> Cost:
    return _same(len(args) * math.prod(entries_of(arg) for arg in args))


def _triangle(args: Arguments, kwargs: Keywords) -> Cost:
    rows = _whole(_argument(args, kwargs, 0, "n"))
    return _same(rows * max(rows, _whole(_argument(args, kwargs, 2, "m", rows))))


def _einsum(args: Arguments, kwargs: Keywords) -> Cost:
    if not isinstance(kwargs.get("optimize", False), bool):
        raise ReadingError("optimize= takes True or False here", "", "optimize=True")
    if args and isinstance(args[0], str):
        inputs, arrow, result = args[0].replace(" ", "").partition("->")
        terms: list[Sequence[Any]] = [term.replace("...", ".") for term in inputs.split(",")]
        operands, out = args[1:], result.replace("...", ".") if arrow else None
    else:
        operands, terms = args[0::2], [term for term in args[1::2] if isinstance(term, list | tuple)]
        out = args[-1] if len(args) % 2 else None
        operands = operands[: len(terms)]
    return _einsum_sizes(terms, operands, out)


def _einsum_sizes(terms: Sequence[Sequence[Any]], operands: Arguments, out: Any) -> Cost:
    sizes: dict[Any, int] = {}
    for term, operand in zip(terms, operands, strict=False):
        shape = _shape(operand)
        labels = list(term)
        rest = len(shape) - sum(1 for label in labels if label not in (".", Ellipsis))
        for label in labels:
            taken = max(rest, 0) if label in (".", Ellipsis) else 1
            sizes[label] = max(sizes.get(label, 1), math.prod(shape[:taken]))
            shape = shape[taken:]
    everything = [label for term in terms for label in term]
    kept = (
        out
        if isinstance(out, str | list | tuple)
        else [x for x in sizes if everything.count(x) == 1 or x == "."]
    )
    return math.prod(sizes.get(label, 1) for label in set(kept)), math.prod(sizes.values())


_RULES: dict[str, Callable[[Arguments, Keywords], Cost]] = {
    "eye": _square,
    "identity": _square,
    "tri": _square,
    "zeros": _filled,
    "ones": _filled,
    "full": _filled,
    "indices": lambda args, kwargs: _same(8 * _filled(args, kwargs)[0]),
    "zeros_like": _like,
    "ones_like": _like,
    "full_like": _like,
    "arange": _arange,
    "linspace": _linspace,
    "kron": _product,
    "outer": _product,
    "convolve": _product,
    "diag": _diagonal_matrix,
    "diagflat": _diagflat,
    "vander": _vander,
    "tile": _times(1, "reps"),
    "repeat": _times(1, "repeats"),
    "broadcast_to": lambda args, kwargs: _same(_whole(_argument(args, kwargs, 1, "shape"))),
    "pad": _pad,
    "meshgrid": _meshgrid,
    "ix_": _meshgrid,
    "tril_indices": _triangle,
    "triu_indices": _triangle,
    "diag_indices": lambda args, kwargs: _same(2 * _whole(_argument(args, kwargs, 0, "n"))),
    "matmul": _matmul,
    "dot": _matmul,
    "inner": _inner,
    "tensordot": _contraction,
    "einsum": _einsum,
    **dict.fromkeys(
        [
            "inv",
            "pinv",
            "det",
            "slogdet",
            "solve",
            "cholesky",
            "eigvalsh",
            "eigh",
            "eig",
            "eigvals",
            "svd",
            "svdvals",
            "qr",
            "lstsq",
            "matrix_power",
            "matrix_rank",
            "cond",
            "expm",
            "multi_dot",
        ],
        _decomposition,
    ),
}
