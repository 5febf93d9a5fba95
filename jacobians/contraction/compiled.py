"""Products compiled to numpy calls: everything that can be known from the shapes is done once.

    >>> import numpy as np
    >>> product = Product.parse("ij,j->i", (3, 4), (4,))
    >>> run = compile_product(product)
    >>> run(np.ones((3, 4)), np.arange(4.0))
    array([6., 6., 6.])
    >>> run.source(["A", "x"], "y")
    ['y = A @ x']

Each `Step` becomes one closure that does only what that step needs. Any dtype that numpy can multiply and add
works, Python objects included; float32 stays float32.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from operator import attrgetter, methodcaller
from typing import Any

import numpy as np

from jacobians.contraction.cost import Cost
from jacobians.contraction.lowering import lower
from jacobians.contraction.paths import Path, find_path
from jacobians.contraction.product import Product, check_shapes
from jacobians.contraction.source import source_lines
from jacobians.contraction.steps import Step, View, last_uses
from jacobians.contraction.symmetric import find_symmetric, symmetric
from jacobians.errors import ShapeError

Array = np.ndarray[Any, Any]
Run = Callable[[list[Any]], Any]

_shape_of = attrgetter("shape")


class CompiledProduct:
    """A product with its path, steps and cost, called on arrays.

    `product`, `path`, `cost` and `steps` say what it is (a symmetric product, of which half is computed, is
    counted whole); `source(names)` prints it. Calling it checks the shapes; `unchecked(arrays)` is the same
    without the check, on a list of numpy arrays that it may consume.
    """

    __slots__ = (
        "_before",
        "_copy",
        "_last",
        "_out_shape",
        "_program",
        "_shapes",
        "path",
        "product",
        "steps",
        "unchecked",
    )

    def __init__(self, product: Product, path: Path, steps: tuple[Step, ...], copy: bool = False) -> None:
        self.product, self.path, self.steps = product, path, steps
        self._copy = copy and (not steps or steps[-1].kind in ("view", "ones"))
        self._shapes = list(product.shapes)
        self._program = tuple(map(_closure, steps))
        self._last = _into(steps[-1]) if steps else None
        self._before = tuple(zip(self._program[:-1], last_uses(steps, len(product.operands)), strict=False))
        self._out_shape = product.output_shape
        self.unchecked = _straight(self._program, self._before)

    @property
    def cost(self) -> Cost:
        """The counted cost of the path."""
        return self.path.cost

    def __call__(self, *arrays: Any, out: Array | None = None) -> Array:
        """The product of the arrays, in `out` where one is given.

        Where the product does no arithmetic the result may be a view of an operand, read-only for a diagonal
        or axes of ones (`compile_product(..., copy=True)` makes it a new array); otherwise it is new.
        Raises `ShapeError` unless every shape, that of `out` included, is exactly the one compiled for.
        """
        try:
            fits = list(map(_shape_of, arrays)) == self._shapes
        except AttributeError:
            return self(*map(np.asarray, arrays), out=out)
        if not fits:
            check_shapes(self.product, arrays)
        if out is not None:
            return self._call_into(list(arrays), out)
        result: Array = self.unchecked(list(arrays))
        return result.copy() if self._copy else result

    def _call_into(self, slots: list[Any], out: Array) -> Array:
        if out.shape != self._out_shape:
            raise ShapeError(f"out has shape {out.shape}; the result has {self._out_shape}")
        if self._last is None:
            np.copyto(out, slots[0])
            return out
        for closure, dead in self._before:
            slots.append(closure(slots))
            for k in dead:
                slots[k] = None
        if not self._last(slots, out):
            np.copyto(out, self._program[-1](slots))
        return out

    def source(
        self, names: Sequence[str], result: str = "result", taken: Iterable[str] = (), running: bool = False
    ) -> list[str]:
        """Readable numpy lines that compute the product of arrays with these names into `result`."""
        return source_lines(self.steps, names, result, taken, running)

    def __repr__(self) -> str:
        return f"CompiledProduct({self.product.equation()}, {self.path.name}: {self.cost})"


def compile_product(
    product: Product,
    optimize: str | Iterable[tuple[int, int]] = "auto",
    *,
    same: Iterable[tuple[int, int]] = (),
    copy: bool = False,
    seconds: float = 0.0,
) -> CompiledProduct:
    """The product as a callable on numpy arrays, by the path `find_path` finds.

    `same` lists pairs of places whose operands will be one and the same array; a large X^T D X then runs
    through half of the matrix product, as (sqrt(D) X)^T (sqrt(D) X), where no weight is negative, and one
    with several columns of weights through half of its pairs of rows (see `symmetric.py`). `copy=True`
    promises a new, writable result even where a view would do. `seconds` is for `find_path`.

    >>> import numpy as np
    >>> product = Product.parse("ki,k,kj->ij", (5, 3), (5,), (5, 3))
    >>> compile_product(product).cost.flop
    96
    """
    found = find_symmetric(product, tuple(same)) if optimize == "auto" else None
    if found is not None:
        return CompiledProduct(product, *found, copy)
    path = find_path(product, optimize, seconds=seconds)
    return CompiledProduct(product, path, lower(product, path), copy)


def _straight(program: tuple[Run, ...], before: tuple[tuple[Run, tuple[int, ...]], ...]) -> Run:
    """The closures one after the other, every intermediate let go after its last use."""
    if not program:
        return lambda slots: np.asarray(slots[0])
    if len(program) == 1:
        return program[0]
    last = program[-1]

    def run(slots: list[Any]) -> Any:
        append = slots.append
        for closure, done in before:
            append(closure(slots))
            for k in done:
                slots[k] = None
        return last(slots)

    return run


def _closure(step: Step) -> Run:
    """One step as a function of the slots."""
    run = _RUN[step.kind](step)
    after = _after(step)
    return run if after is None else lambda slots: after(run(slots))


def _after(step: Step) -> Callable[[Any], Any] | None:
    if step.kind == "ones":
        return None
    if step.shape == () and step.kind != "fill":
        return _box
    reshape = None if step.result_shape is None else methodcaller("reshape", step.result_shape)
    return _chain(reshape, _transpose(step.result_axes))


def _box(value: Any) -> Array:
    """The array without axes where numpy returns a scalar, or a bare object."""
    if hasattr(value, "dtype"):
        return np.asarray(value)
    boxed = np.empty((), object)
    boxed[()] = value
    return boxed


def _transpose(axes: tuple[int, ...] | None) -> Callable[[Any], Any] | None:
    if axes is None:
        return None
    return attrgetter("T") if axes == tuple(reversed(range(len(axes)))) else methodcaller("transpose", axes)


def _look(view: View) -> Callable[[Any], Any] | None:
    """What a view does to an array, None for nothing."""
    parts: list[Callable[[Any], Any]] = [methodcaller("diagonal", 0, a, b) for a, b in view.diagonals]
    parts += [f for f in (_transpose(view.axes),) if f is not None]
    if view.shape is not None:
        parts.append(methodcaller("reshape", view.shape))
    if view.contiguous:
        parts.append(np.ascontiguousarray)
    return _chain(*parts)


def _chain(*parts: Callable[[Any], Any] | None) -> Callable[[Any], Any] | None:
    """The functions one after the other; None where there is none."""
    first, second, *rest = [f for f in parts if f is not None] + [None, None]
    if first is None or second is None:
        return first
    one, two = first, second
    return _chain(lambda a: two(one(a)), *rest)


def _unary(call: Callable[[Any], Any] | None, step: Step) -> Run:
    (i,), look = step.inputs, _look(step.views[0])
    act = _chain(look, call)
    return (lambda slots: slots[i]) if act is None else (lambda slots: act(slots[i]))


def _binary(call: Callable[[Any, Any], Any], step: Step) -> Run:
    i, j = step.inputs
    left, right = map(_look, step.views)
    if left is None and right is None:
        return lambda slots: call(slots[i], slots[j])
    if right is None and left is not None:
        return lambda slots: call(left(slots[i]), slots[j])
    if left is None and right is not None:
        return lambda slots: call(slots[i], right(slots[j]))
    assert left is not None
    assert right is not None
    return lambda slots: call(left(slots[i]), right(slots[j]))


def _sum(step: Step) -> Run:
    axes = step.axes[0] if len(step.axes) == 1 else step.axes
    add = np.add.reduce
    # the dtype stays as it is, as in einsum; np.sum would widen small integers
    return _unary(lambda a: add(a, axes, a.dtype), step)


def _multiply(step: Step) -> Run:
    plain = _binary(np.multiply, step)
    if step.reuse is None:
        return plain
    i, j = step.inputs if step.reuse == 0 else step.inputs[::-1]
    look = _look(step.views[1 - step.reuse])
    multiply = np.multiply

    def overwrite(slots: list[Any]) -> Any:
        a, b = slots[i], slots[j]
        if a.dtype != b.dtype:
            return plain(slots)
        return multiply(a, b if look is None else look(b), a)

    return overwrite


def _gram(step: Step) -> Run:
    matrix, *weight = (
        _unary(None, replace(step, inputs=(k,), views=(v,)))
        for k, v in zip(step.inputs, step.views, strict=True)
    )
    if not weight:
        # numpy sees one array and its transpose, and computes one half
        return lambda slots: (a := matrix(slots)).T.dot(a)

    def weighted(slots: list[Any]) -> Any:
        a, w = matrix(slots), weight[0](slots)
        if w.dtype.kind == "f" and a.dtype.kind == "f" and w.size and w.min() >= 0:
            half = np.sqrt(w)[:, None] * a
            return half.T.dot(half)
        return a.T.dot(w[:, None] * a)

    return weighted


def _einsum(step: Step) -> Run:
    equation, einsum = step.equation, np.einsum
    i, j = step.inputs
    return lambda slots: einsum(equation, slots[i], slots[j])


def _ones(step: Step) -> Run:
    shape = step.shape
    return _unary(lambda a: np.broadcast_to(a, shape), step)


_RUN: dict[str, Callable[[Step], Run]] = {
    "view": lambda step: _unary(None, step),
    "sum": _sum,
    "multiply": _multiply,
    "dot": lambda step: _binary(np.dot, step),
    "matmul": lambda step: _binary(np.matmul, step),
    "gram": _gram,
    "symmetric": lambda step: _binary(symmetric, step),
    "einsum": _einsum,
    "scale": lambda step: _unary(lambda a: np.multiply(a, step.number), step),
    "ones": _ones,
    "fill": lambda step: lambda slots: np.array(float(step.number)),
}


def _into(step: Step) -> Callable[[list[Any], Array], bool]:
    """A function that computes the last step right into `out`, or answers False where numpy cannot."""
    direct = step.result_shape is None and step.result_axes is None and step.shape != ()
    if not direct or step.kind not in ("multiply", "dot", "matmul", "einsum"):
        return lambda slots, out: False
    calls: dict[str, Callable[..., Any]] = {"multiply": np.multiply, "dot": np.dot, "matmul": np.matmul}
    calls["einsum"] = lambda a, b, out: np.einsum(step.equation, a, b, out=out)
    call = calls[step.kind]
    i, j = step.inputs
    left, right = map(_look, step.views)

    def run(slots: list[Any], out: Array) -> bool:
        a, b = slots[i], slots[j]
        if not (a.dtype == b.dtype == out.dtype and out.flags.c_contiguous):
            return False
        call(a if left is None else left(a), b if right is None else right(b), out)
        return True

    return run
