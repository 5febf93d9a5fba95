"""Source lines that turn factors into results in a compiled call: Jacobian objects, cores, dense arrays.

`object_line(...)` makes the lazy object, `core_text(...)` what `J.core()` gives; `array_lines(...)` writes
a dense array with every view worked out beforehand, `held_lines(...)` writes into one that is kept,
`view_lines(...)` makes a block-Toeplitz view.  The lines run in the namespace of the generated function.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from string import ascii_lowercase
from typing import Any

import numpy as np

from .codegen import Program
from .contraction.lowering import OUTER_ENTRIES, OUTER_ROW
from .derivative import Jacobian
from .expr import Node
from .overwriting import call_into, einsum_into
from .spelling import number_text, spread
from .terms import Term, TermSum, canonical, core
from .toeplitz import Layout
from .wiring import Affine
from .writing import Region, Writer, add_blocks, pairing, writer

LONG_ROW = (
    64  # entries of the last axis from which np.einsum is the faster outer product (measured: 1.6 times)
)
Operand = tuple[str, tuple[int, ...]]  # a name, and the view's axes that its own are, ascending
READ_OFTEN = 16  # times an operand is read from which laying it out in the order of reading pays


def object_line(made: Program, name: str, make: Callable[..., Any], factors: dict[int, str]) -> str:
    """`name = make({serial: array, ...})` for a lazy Jacobian."""
    maker = made.fresh("make")
    made.bindings[maker] = make
    held = ", ".join(f"{serial}: {source}" for serial, source in factors.items())
    return f"{name} = {maker}({{{held}}})"


def maker(
    terms: TermSum, target: str | None, given: str | None, dtype: Any, context: Any
) -> Callable[[Any], Jacobian]:
    """A function from factor values to the Jacobian: its fields set directly."""
    new = Jacobian.__new__
    dtype = np.dtype(dtype)

    def make(values: Any) -> Jacobian:
        made = new(Jacobian)
        made.terms, made.values, made.target_name, made.input_name = terms, values, target, given
        made.dtype, made.context = dtype, context
        return made

    return make


def cored(t: Term) -> Term:
    """The Term with its core as the only factor, axes in the order of `J.core()`."""
    labels = tuple(k for k in t.wiring if k in t.carried)
    return canonical(t.coefficient, [core(t, labels)] if t.factors else [], t.target, t.input, t.sizes)


def core_text(
    made: Program, terms: TermSum, dtype: np.dtype[Any], name_of: Callable[[Node], str], given: set[str]
) -> str:
    """The tuple of (array, wiring) pairs of a Jacobian whose Terms are `cored`; what is `given` is copied."""
    from .notation.index import core_wiring

    parts = []
    for t in terms.terms:
        texts = [name_of(node) for node, _ in t.factors]
        node, axes = t.factors[0] if t.factors else (None, ())
        number = _number(made, t.coefficient, axes, node and node.dtype)
        text = " * ".join([number] * (t.coefficient != 1 or not texts) + texts)
        if t.coefficient == -1 and axes and node and node.dtype != np.bool_:
            text = f"-{texts[0]}"
        if not t.carried or t.factors[0][0].dtype != dtype:
            text = f"np.asarray({text}, np.{dtype})"
        elif text in given:
            text = f"{text}.copy()"
        given.add(text)
        parts.append(f"({text}, {core_wiring(t, t.factors[0][1] if t.factors else ())!r}), ")
    return f"({''.join(parts)})"


def scalar_entries(made: Program, terms: TermSum) -> list[str] | None:
    """Every entry of a small dense Jacobian as an expression: fixed places, factors that are scalars."""
    shape = tuple(int(n) for n in terms.shape)
    size = math.prod(shape)
    if size > 256:
        return None
    parts: list[list[str]] = [[] for _ in range(size)]
    for t in terms.terms:
        places = [_fixed(slot, t) for slot in (*t.target, *t.input)]
        if None in places or any(n.shape for n, _ in t.factors):
            return None
        flat = int(np.ravel_multi_index(places, shape)) if shape else 0  # type: ignore[arg-type]
        names = [made.names[n.serial] for n, _ in t.factors]
        scale = [number_text(float(t.coefficient))] if t.coefficient != 1 or not names else []
        text = " * ".join(scale + names)
        parts[flat].append(text)
    return [" + ".join(part) or "0.0" for part in parts]


def _fixed(slot: Any, t: Term) -> int | None:
    if isinstance(slot, Affine) and not slot.strides:
        return int(slot.offset)
    return 0 if isinstance(slot, int) and t.sizes[slot] == 1 else None


def array_lines(made: Program, name: str, known: Writer, given: bool = False) -> list[str]:
    """Lines that make a dense Jacobian called `name` from the factors' variables, or fill a `given` one."""
    product = None if given else _plain(made, known)
    if product is not None:
        return [f"{name} = {product}"]
    dtype = _bound(made, "dtype", known.dtype)
    if given:
        lines = [] if known.covers else [f"{name}.fill(0)"]
    elif known.covers:
        new = made.empty(known.shape, known.dtype) or f"np.empty({known.shape}, {dtype})"
        lines = [f"{name} = {new}"]
    elif known.large:
        lines = [f"{name} = {_bound(made, 'zeros', known.new)}()"]
    else:
        lines = [f"{name} = np.zeros({known.shape}, {dtype})"]
    for k, region in enumerate(known.regions):
        whole = region.strides == _steps(known) and region.sizes == known.shape
        view = f"np.ndarray({region.sizes}, {dtype}, {name}, {region.offset}, {region.strides})"
        lines += product_lines(made, name if whole else view, region, add=k > 0)
    return lines


def held_lines(made: Program, known: Writer) -> tuple[str, list[str]]:
    """The read-only array that a compiled call keeps, and lines that refill what can differ in it."""
    buffer = known.new()
    shown = buffer.view()
    shown.flags.writeable = False
    views = [_bound(made, "view", region.view(buffer)) for region in known.regions]
    lines = [f"{view}[...] = 0" for view in views[1:]]
    for k, (view, region) in enumerate(zip(views, known.regions, strict=True)):
        lines += product_lines(made, view, region, add=k > 0)
    return _bound(made, "held", shown), lines


def view_lines(
    made: Program, layout: Layout, dtype: np.dtype[Any], keep: bool
) -> tuple[str, list[str]] | None:
    """The name of a block-Toeplitz view and the lines that make it; None where its core needs tables."""
    inner = writer(layout.inner, dtype)
    if inner is None or not inner.covers:
        return None
    if keep:
        buffer, centre = layout.buffers(dtype)
        view = _bound(made, "view", inner.regions[0].view(centre))
        return _bound(made, "held", layout.view(buffer)), product_lines(
            made, view, inner.regions[0], add=False
        )
    whole, at, name = made.fresh("buffer"), made.fresh("centre"), made.fresh("result")
    lines = [f"{whole}, {at} = {_bound(made, 'buffers', layout.buffers)}({_bound(made, 'dtype', dtype)})"]
    region = inner.regions[0]
    text = f"np.ndarray({region.sizes}, {at}.dtype, {at}, {region.offset}, {region.strides})"
    lines += product_lines(made, text, region, add=False)
    return name, [*lines, f"{name} = {_bound(made, 'seen', layout.view)}({whole})"]


def _bound(made: Program, wish: str, value: Any) -> str:
    name = made.fresh(wish)
    made.bindings[name] = value
    return name


def _steps(known: Writer) -> tuple[int, ...]:
    return tuple(known.dtype.itemsize * math.prod(known.shape[k + 1 :]) for k in range(len(known.shape)))


def itself(known: Writer) -> int | None:
    """The serial of the factor that is the dense Jacobian already: one Term, every axis plain."""
    if len(known.regions) != 1:
        return None
    (region,) = known.regions
    if (
        region.coefficient != 1
        or len(region.operands) != 1
        or not known.covers
        or region.strides != _steps(known)
    ):
        return None
    ((serial, axes),) = region.operands
    return serial if axes == tuple(range(len(region.sizes))) else None


def _plain(made: Program, known: Writer) -> str | None:
    """The whole array as one product that numpy lays out as it should; None where it is more than that."""
    region = known.regions[0] if len(known.regions) == 1 else None
    if region is None or not known.covers or region.strides != _steps(known) or len(region.operands) != 2:
        return None
    every = {k for _, axes in region.operands for k in axes}
    ordered = all(list(axes) == sorted(axes) for _, axes in region.operands)
    if region.coefficient != 1 or not ordered or every != set(range(len(region.sizes))):
        return None
    if any(made.dtypes.get(serial) != known.dtype for serial, _ in region.operands):
        return None
    ndim = len(region.sizes)
    if region.entries >= OUTER_ENTRIES:
        return None
    named = [(made.names[serial], axes) for serial, axes in region.operands]
    first, second = (spread(name, axes, ndim) for name, axes in named)
    return outer_text(named, region.sizes) or f"{first} * {second}"


def outer_text(operands: Sequence[Operand], sizes: Sequence[int]) -> str | None:
    """The outer product of two vectors, through BLAS: half the time of broadcasting, where it is small.

    A vector of one entry is a number there, and 0 times infinity is 0.
    """
    if [axes for _, axes in operands] not in ([(0,), (1,)], [(1,), (0,)]) or 1 in sizes:
        return None
    column, row = (name for name, _ in sorted(operands, key=lambda operand: operand[1]))
    return f"{column}[:, None].dot({row}[None])"


def product_lines(made: Program, view: str, region: Region, add: bool) -> list[str]:
    """Lines that write (or add) a region's product into the view; the last product goes straight there."""
    lines: list[str] = []
    found = [_operand(made.names[serial], axes, region) for serial, axes in region.operands]
    if region.coefficient != 1 and (len(found) > 1 or add) and found:
        found[0] = _scaled(made, lines, found[0], region.coefficient, made.dtypes.get(region.operands[0][0]))
    used = set()
    for i, j in pairing(region):
        found.append(_multiplied(made, lines, found[i], found[j]))
        used |= {i, j}
    left = [operand for k, operand in enumerate(found) if k not in used]
    if add and not view.isidentifier():
        view = _line(made, lines, view)
    texts = [spread(name, axes, len(region.sizes)) for name, axes in left] or [
        number_text(float(region.coefficient))
    ]
    if add:
        act = f"{_bound(made, 'add_blocks', add_blocks)}({view}, {texts[0]}, {texts[-1]})"
        return [*lines, act if len(left) == 2 else f"np.add({view}, {texts[0]}, {view})"]
    kind = made.dtypes.get(region.operands[0][0], float) if left else float
    wide = made.shares(region.sizes, kind, view)
    if len(left) == 2:
        return [*lines, _product_into(view, left, texts, region, wide)]
    if left and region.coefficient != 1:
        number = _number(made, region.coefficient, left[0][1], made.dtypes.get(region.operands[0][0]))
        return [call_into("multiply", (number, texts[0]), view, wide)]
    copy = f"apart(copied, {texts[0]}, {view})" if wide and left else f"{view}[...] = {texts[0]}"
    return [*lines, copy]


def _product_into(
    view: str, left: Sequence[Operand], texts: Sequence[str], region: Region, wide: bool
) -> str:
    """One call that multiplies two operands into the view."""
    last = len(region.sizes) - 1
    outer = outer_text(left, region.sizes) if region.entries < OUTER_ENTRIES else None
    if outer is not None:
        return f"{view}[...] = {outer}"
    rows = [last in axes for _, axes in left]
    if sum(rows) == 1 and region.entries >= OUTER_ENTRIES and LONG_ROW <= region.sizes[last] <= OUTER_ROW:
        whole = last - 1 in left[rows.index(True)][1] and last - 1 not in left[rows.index(False)][1]
        if whole:  # numpy runs over both axes at once
            return call_into("multiply", texts, view, wide)
        first, second = ("".join(ascii_lowercase[k] for k in axes) for _, axes in left)
        out = ascii_lowercase[: last + 1]
        if set(first + second) == set(out):
            return einsum_into(f"{first},{second}->{out}", (left[0][0], left[1][0]), view, wide)
    return call_into("multiply", texts, view, wide)


def _scaled(made: Program, lines: list[str], operand: Operand, coefficient: Any, dtype: Any) -> Operand:
    if coefficient == -1 and dtype != np.bool_:  # numpy does not negate truths
        return _line(made, lines, f"-{operand[0]}"), operand[1]
    number = _number(made, coefficient, operand[1], dtype)
    return _line(made, lines, f"{number} * {operand[0]}"), operand[1]


def _number(made: Program, value: Any, axes: Sequence[int], dtype: Any) -> str:
    """A coefficient as text, where it meets an operand with these axes."""
    return made.number(float(value), dtype) if axes and dtype is not None else number_text(float(value))


def _multiplied(made: Program, lines: list[str], one: Operand, other: Operand) -> Operand:
    """The product of two operands over the axes that either has."""
    axes = tuple(sorted({*one[1], *other[1]}))
    place = {axis: k for k, axis in enumerate(axes)}
    texts = [spread(name, tuple(place[k] for k in own), len(axes)) for name, own in (one, other)]
    return _line(made, lines, f"{texts[0]} * {texts[1]}"), axes


def _line(made: Program, lines: list[str], text: str) -> str:
    name = made.fresh("part")
    lines.append(f"{name} = {text}")
    return name


def _operand(name: str, axes: Sequence[int], region: Region) -> Operand:
    """An operand with its axes in the view's order; laid out that way too, where it is read many times."""
    order = sorted(range(len(axes)), key=axes.__getitem__)
    if order != list(range(len(axes))):
        entries = math.prod(region.sizes[k] for k in axes)
        name = f"{name}.transpose({', '.join(map(str, order))})"
        if region.entries >= READ_OFTEN * entries:
            name = f"np.ascontiguousarray({name})"
    return name, tuple(sorted(axes))


def is_new(node: Node) -> bool:
    """Whether the value is a new array of the whole shape: arithmetic on two or more arrays, or a ufunc."""
    if node.op == "einsum":
        labels, output, _ = node.params
        return sum(map(bool, labels)) > 1 and set(output) <= {k for ls in labels for k in ls}
    return isinstance(getattr(np, node.op, None), np.ufunc)
