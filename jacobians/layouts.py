"""Layouts: where books and libraries put the axes of a Jacobian.

Inside, a Jacobian is always the tensor `target axes, then input axes`.  A layout is one permutation of
these axes and one reshape, applied at the boundary: `layout_shape` gives the shape (or says why there is
no place), `to_layout` and `from_layout` convert arrays, `layout_recipe` states the permutation and the
reshape as numpy text, `product` is the chain rule in a layout.  `LAYOUTS` holds the six as data: who uses
which, and in which order the chain rule runs.

>>> layout_shape("numerator", (), (3, 4)), layout_shape("vec", (3,), (3, 4))
((4, 3), (3, 12))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .axes import Poly, Shape, Size, entries, show
from .errors import LayoutError, UnknownNameError, did_you_mean

Groups = tuple[
    tuple[int, ...], ...
]  # for each axis of the layout, the tensor's axes merged into it (C order)
MATRIX = 2  # numerator and denominator layout end at matrices


@dataclass(frozen=True, slots=True)
class Layout:
    """A layout: `title` heads its column, `used_by` says where it is met, `chain` how factors are ordered."""

    name: str
    alias: str
    title: str
    rule: str
    used_by: str
    chain: str


LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        Layout(
            "tensor",
            "",
            "tensor",
            "target axes, then input axes",
            "this package, PyTorch, JAX, autograd",
            "left to right, summing over the middle axes",
        ),
        Layout(
            "numerator",
            "",
            "numerator",
            "vector by vector m × n; scalar by vector 1 × n; vector by scalar m × 1; scalar by matrix n × m",
            "Jacobian formulation",
            "left to right",
        ),
        Layout(
            "denominator",
            "",
            "denominator",
            "the transpose of numerator",
            "Hessian formulation",
            "right to left",
        ),
        Layout(
            "vec",
            "vec-columns",
            "vec, columns",
            "d vec F / d vec(X)ᵀ, columns stacked",
            "Magnus & Neudecker, MATLAB (:)",
            "left to right",
        ),
        Layout(
            "vec-row",
            "vec-rows",
            "vec, rows",
            "d vec F / d vec(X)ᵀ, rows stacked",
            "numpy ravel",
            "left to right",
        ),
        Layout(
            "gradient",
            "",
            "gradient",
            "the input's shape, for a scalar target",
            "same shape as the input",
            "none: a gradient is the end of a chain",
        ),
    )
}
_ALIASES = {layout.alias: layout.name for layout in LAYOUTS.values() if layout.alias}


def layout_named(name: str) -> Layout:
    """The layout of that name or alias; raises UnknownNameError with the closest name.

    >>> layout_named("vec-columns").name
    'vec'
    """
    known = LAYOUTS.get(_ALIASES.get(name, name))
    if known is None:
        names = [*LAYOUTS, *_ALIASES]
        raise UnknownNameError(
            f"layout {name!r} is not known", f"layouts: {', '.join(LAYOUTS)}", did_you_mean(name, names)
        )
    return known


def has_place(name: str, target: Shape, input: Shape) -> bool:
    """Whether the layout has a place for a Jacobian of that shape."""
    return axis_groups(layout_named(name).name, len(target), len(input)) is not None


def layout_shape(
    name: str, target: Shape, input: Shape, target_name: str = "f", input_name: str = "x"
) -> Shape:
    """The shape of a Jacobian `target x input` in a layout; sizes may be symbolic.

    Raises LayoutError, saying why, where the layout has no place for it.
    """
    shape = (*target, *input)
    groups = _placed(name, target, input, target_name, input_name)
    return tuple(entries(shape[axis] for axis in group) for group in groups)


def to_layout(array: Any, name: str, target: Shape, input: Shape) -> np.ndarray:
    """The tensor `target x input` in another layout; raises LayoutError where there is no place."""
    groups = _placed(name, target, input)
    moved = np.transpose(np.asarray(array).reshape((*target, *input)), _order(groups))
    return moved.reshape(layout_shape(name, target, input))


def from_layout(array: Any, name: str, target: Shape, input: Shape) -> np.ndarray:
    """The tensor `target x input` from its array in a layout: the inverse of `to_layout`.

    Raises LayoutError where there is no place, or where the array has another shape.
    """
    wanted = layout_shape(name, target, input)
    given = np.asarray(array)
    if given.shape != wanted:
        raise LayoutError(
            f"the array does not have the shape of {layout_named(name).name} layout",
            f"array {plain_shape(given.shape)}, layout {plain_shape(wanted)} for {shape_text(target, input)}",
            "the layout the array is in, or the array's transpose",
        )
    order = _order(_placed(name, target, input))
    shape = (*target, *input)
    apart = given.reshape([shape[axis] for axis in order])
    return np.transpose(apart, np.argsort(order).tolist())


def layout_recipe(name: str, target: Shape, input: Shape) -> str:
    """The permutation and the reshape that take the tensor J to the layout, as numpy text.

    >>> layout_recipe("vec", (2, 5), (3, 4))
    'J.transpose(1, 0, 3, 2).reshape(10, 12)'
    >>> layout_recipe("numerator", (), (3, 4)), layout_recipe("tensor", (3,), (3, 4))
    ('J.transpose(1, 0)', 'J')
    """
    shape = (*target, *input)
    order = _order(_placed(name, target, input))
    moved = tuple(shape[axis] for axis in order)
    wanted = layout_shape(name, target, input)
    text = "J"
    if order != tuple(range(len(order))):
        text += f".transpose({', '.join(map(str, order))})"
    if moved != wanted:
        text += f".reshape({', '.join(map(repr, wanted))})"
    return text


def product(name: str, outer: Any, inner: Any, middle: int = 1) -> np.ndarray:
    """The chain rule in a layout: the Jacobian of a composition from its two factors, both in that layout.

    `outer` is the derivative of the target by the middle value, `inner` that of the middle value by the
    input; `middle` is the number of the middle value's axes, which only the tensor layout needs.  Raises
    LayoutError for the gradient layout, whose factors do not multiply.
    """
    layout = layout_named(name)
    if layout.name == "tensor":
        return np.tensordot(outer, inner, axes=middle)
    if layout.name == "gradient":
        raise LayoutError(
            "gradient layout has no chain rule of its own",
            "a gradient has the input's shape, so two of them share no axis",
            "the chain in numerator layout, transposed at the end",
        )
    left, right = (inner, outer) if layout.chain == "right to left" else (outer, inner)
    return np.asarray(np.matmul(left, right))


def layout_text(name: str, target: Shape, input: Shape) -> str:
    """The shape in a layout as a table shows it: `3 × 12`, `none, rank 3`, or a dash.

    >>> [layout_text(name, (3,), (3, 4)) for name in ("tensor", "numerator", "vec", "gradient")]
    ['3 × (3 × 4)', 'none, rank 3', '3 × 12', '–']
    """
    layout = layout_named(name)
    if layout.name == "tensor":
        return shape_text(target, input)
    if has_place(name, target, input):
        return plain_shape(layout_shape(name, target, input))
    return "–" if layout.name == "gradient" else f"none, rank {len(target) + len(input)}"


def shape_text(target: Shape, input: Shape, times: str = " × ") -> str:
    """`M × (M × N)`: target axes, then the input axes in brackets where there are several.

    >>> shape_text((3,), (3, 4)), shape_text((3,), (4,)), shape_text((), (4,)), shape_text((2, 5), ())
    ('3 × (3 × 4)', '3 × 4', '(4)', '2 × 5')
    """
    left, right = plain_shape(target, times), plain_shape(input, times)
    if not target:
        return f"({right})" if input else "scalar"
    if not input:
        return left
    left = f"({left})" if len(target) > 1 else left
    return left + times + (f"({right})" if len(input) > 1 else right)


def plain_shape(shape: Sequence[Size], times: str = " × ") -> str:
    """`3 × 4`, `MN × 2`; `scalar` where there is no axis."""
    return times.join(_factor(size, times) for size in shape) if shape else "scalar"


def _factor(size: Size, times: str) -> str:
    text = show(size)
    return f"({text})" if isinstance(size, Poly) and len(size.monomials) > 1 and times.strip() else text


def _order(groups: Groups) -> tuple[int, ...]:
    return tuple(axis for group in groups for axis in group)


def axis_groups(name: str, target: int, input: int) -> Groups | None:
    """The tensor's axes merged (in C order) into each axis of a layout; None where there is no place.

    >>> axis_groups("vec", 2, 2), axis_groups("numerator", 0, 2)
    (((1, 0), (3, 2)), ((1,), (0,)))
    """
    first, last = tuple(range(target)), tuple(range(target, target + input))
    if name == "tensor":
        return tuple((axis,) for axis in first + last)
    if name == "vec":
        return first[::-1], last[::-1]
    if name == "vec-row":
        return first, last
    if name == "gradient":
        return tuple((axis,) for axis in last) if not target else None
    numerator = _numerator(target, input)
    return numerator if numerator is None or name == "numerator" else numerator[::-1]


def _numerator(target: int, input: int) -> Groups | None:
    if target + input > MATRIX:
        return None
    if input == MATRIX:
        return (1,), (0,)
    if target == MATRIX:
        return (0,), (1,)
    return tuple(range(target)), tuple(range(target, target + input))


def _placed(name: str, target: Shape, input: Shape, target_name: str = "f", input_name: str = "x") -> Groups:
    layout = layout_named(name)
    groups = axis_groups(layout.name, len(target), len(input))
    if groups is not None:
        return groups
    title = f"∂{target_name}/∂{input_name}"
    if layout.name == "gradient":
        other = "numerator" if has_place("numerator", target, input) else "vec"
        raise LayoutError(
            f"gradient layout needs a scalar target; {target_name} has {show(entries(target))} entries",
            "",
            f"∂(sum {target_name})/∂{input_name}, or --layout {other}",
        )
    rank = len(target) + len(input)
    raise LayoutError(
        f"{layout.name} layout has no place for {title}: rank {rank}, {shape_text(target, input)}",
        "",
        "--layout vec, vec-row or tensor",
    )
