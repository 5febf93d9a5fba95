"""Source lines that turn factors into results inside a compiled call: Jacobian objects, or dense arrays.

`dense_lines(made, k, writer, ...)` writes one Jacobian's dense array with every view worked out beforehand;
`object_line(...)` makes the lazy object.  The lines run in the namespace of the generated function.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import pages
from .codegen import Program
from .derivative import Jacobian
from .dense import zeros_for
from .expr import Node
from .terms import Term, TermSum
from .wiring import Affine
from .writing import Region, Writer


def object_line(made: Program, name: str, make: Callable[..., Any], factors: dict[int, str]) -> str:
    """`name = make({serial: array, ...})` for a lazy Jacobian."""
    maker = made.fresh("make")
    made.bindings[maker] = make
    held = ", ".join(f"{serial}: {source}" for serial, source in factors.items())
    return f"{name} = {maker}({{{held}}})"


def maker(terms: TermSum, target: str | None, given: str | None, dtype: Any, context: Any) -> Callable[[Any], Jacobian]:
    """A function from factor values to the Jacobian: its fields set directly."""
    new = Jacobian.__new__
    dtype = np.dtype(dtype)

    def make(values: Any) -> Jacobian:
        made = new(Jacobian)
        made.terms, made.values, made.target_name, made.input_name = terms, values, target, given
        made.dtype, made.context = dtype, context
        return made

    return make


def scalar_entries(made: Program, terms: TermSum) -> list[str] | None:
    """Every entry of a small dense Jacobian as an expression, where all slots are fixed places and factors scalars."""
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
        text = " * ".join(([repr(float(t.coefficient))] if t.coefficient != 1 or not names else []) + names)
        parts[flat].append(text)
    return [" + ".join(part) or "0.0" for part in parts]


def _fixed(slot: Any, t: Term) -> int | None:
    if isinstance(slot, Affine) and not slot.strides:
        return int(slot.offset)
    return 0 if isinstance(slot, int) and t.sizes[slot] == 1 else None


def dense_lines(made: Program, name: str, known: Writer | None, terms: TermSum, serials: Sequence[int], own: frozenset[int]) -> list[str]:
    """Lines that make one dense Jacobian called `name` from the factors' variables."""
    factors = [made.names[serial] for serial in serials]
    if known is None:
        fill = made.fresh("fill")
        made.bindings[fill] = _slow(terms, serials)
        return [f"{name} = {fill}({_tuple(factors)})"]
    same = _itself(terms, own)
    if same is not None:
        return [f"{name} = {made.names[same]}"]
    zero = made.fresh("zeros")
    small = known.dtype.itemsize * math.prod(known.shape) < pages.LARGE
    made.bindings[zero] = np.zeros if small else lambda: zeros_for(known.whole, known.shape, known.dtype)
    dtype = made.fresh("dtype")
    made.bindings[dtype] = known.dtype
    lines = [f"{name} = {zero}({known.shape}, {dtype})" if small else f"{name} = {zero}()"]
    for k, (region, t) in enumerate(zip(known.regions, _sorted(terms), strict=True)):
        lines.append(_write(made, name, dtype, region, t, factors, first=k == 0))
    return lines


def _sorted(terms: TermSum) -> list[Term]:
    return sorted(terms.terms, key=lambda t: -math.prod(int(t.sizes[k]) for k in t.wiring))


def _slow(terms: TermSum, serials: Sequence[int]) -> Callable[[Sequence[Any]], np.ndarray]:
    def fill(found: Sequence[Any]) -> np.ndarray:
        return Jacobian(terms, dict(zip(serials, found, strict=True))).materialize()

    return fill


def _itself(terms: TermSum, own: frozenset[int]) -> int | None:
    """The factor that is the dense Jacobian already: one Term, every axis plain, a new array of its own."""
    if len(terms.terms) != 1:
        return None
    (t,) = terms.terms
    if t.coefficient != 1 or len(t.factors) != 1:
        return None
    node, labels = t.factors[0]
    return node.serial if (*t.target, *t.input) == labels == t.wiring and node.serial in own else None


def _write(made: Program, name: str, dtype: str, region: Region, t: Term, factors: Sequence[str], first: bool) -> str:
    view = f"np.ndarray({region.sizes}, {dtype}, {name}, {region.offset}, {region.strides})"
    operands = _operands(made, t)
    if first and operands is not None and len(operands) == 2:
        return f"np.multiply({operands[0]}, {operands[1]}, {view})"
    if first and operands is not None and len(operands) == 1:
        return f"np.copyto({view}, {operands[0]})"
    act = made.fresh("write")
    made.bindings[act] = region.assign if first else region.add
    return f"{act}({view}, {_tuple(factors)})"


def _operands(made: Program, t: Term) -> list[str] | None:
    if not t.factors or not t.carried <= set(t.wiring) or any(len(set(ls)) < len(ls) for _, ls in t.factors):
        return None
    wiring = t.wiring
    texts = [_spread(made.names[n.serial], [wiring.index(k) for k in ls], len(wiring)) for n, ls in t.factors]
    return texts if t.coefficient == 1 else [*texts, repr(float(t.coefficient))]


def _spread(name: str, labels: Sequence[int], ndim: int) -> str:
    order = sorted(range(len(labels)), key=labels.__getitem__)
    if order != list(range(len(labels))):
        name = f"{name}.transpose({', '.join(map(str, order))})"
    if not labels or list(sorted(labels)) == list(range(ndim - len(labels), ndim)):
        return name
    return f"{name}[{', '.join(':' if k in labels else 'None' for k in range(ndim))}]"


def _tuple(names: Sequence[str]) -> str:
    return "(" + "".join(name + ", " for name in names) + ")"


def owned(factors: Sequence[Node], uses: dict[int, int]) -> frozenset[int]:
    """Factors whose arrays nobody else holds: made by arithmetic in this call, and in one Jacobian only."""
    return frozenset(n.serial for n in factors if n.shape and uses.get(n.serial, 0) == 1 and _is_new(n))


def _is_new(node: Node) -> bool:
    """Whether the value is a new array of the whole shape: arithmetic on two or more arrays, or a ufunc."""
    if node.op == "einsum":
        labels, output, _ = node.params
        return sum(map(bool, labels)) > 1 and set(output) <= {k for ls in labels for k in ls}
    return isinstance(getattr(np, node.op, None), np.ufunc)
