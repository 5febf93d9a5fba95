"""The Jacobian object: one tensor, target axes first and then input axes, kept as Terms.

A `Jacobian` is lazy: it holds the factors' arrays and the wiring, and answers `shape`, `core()`, `nnz`,
`jvp`, `vjp`, indexing, `J @ K` and `J + K` from them; `materialize()` (or `np.asarray(J)`) writes the dense
tensor.  Mathematically that is the identity: it changes cost, not meaning.  A repr never computes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .axes import Poly, Shape, entries, magnitude, number, show
from .budget import LIMIT, afford, show_bytes
from .dense import cleared, triplets, write, zeros_for
from .errors import ShapeError, UnknownNameError, UnsupportedError
from .expr import Node, constant
from .ops.indexing import slots_of
from .picking import pick, seed
from .plan import evaluate
from .presentation import Presented
from .terms import Term, TermSum, add, assemble, compose, core
from .tracing import Traced
from .wiring import Slot, Table


class Jacobian(Presented):
    """`d target / d input`, shape `target_shape + input_shape`, as a sum of Terms.

    `terms` is the TermSum; `values` maps the serial of each factor's node to its array (empty while a
    function is being traced or where sizes are symbolic: then there are shapes and notation, no numbers).

    >>> import numpy as np, jacobians as jac
    >>> A, x = np.arange(12.0).reshape(3, 4), np.arange(4.0)
    >>> J = jac.jacobian(lambda A, x: A @ x, wrt="A")(A, x)
    >>> J
    Jacobian of f of shape 3 x (3 x 4) by A: 12 of 36 entries can be nonzero, 288 B if materialized
    >>> J.core(), J.triplets()[2].size, len(J.bound().terms)
    (((array([0., 1., 2., 3.]), 'n: i|i n'),), 12, 1)
    >>> J.jvp(np.ones((3, 4))).tolist(), J.vjp(np.ones(3)).shape, J.materialize().shape
    ([6.0, 6.0, 6.0], (3, 4), (3, 3, 4))
    """

    __slots__ = ("values",)
    __array_priority__ = 1001.0

    def __init__(
        self,
        terms: TermSum,
        values: Mapping[int, Any] | None = None,
        target_name: str | None = None,
        input_name: str | None = None,
        dtype: Any = np.float64,
        context: Any = None,
    ) -> None:
        self.terms = terms
        self.values = values
        self.target_name, self.input_name = target_name, input_name
        self.dtype = np.dtype(dtype)
        self.context = context

    # ---- shapes and counts

    @property
    def shape(self) -> Shape:
        """Target axes, then input axes."""
        return self.terms.shape

    @property
    def target_shape(self) -> Shape:
        """The shape of what is differentiated."""
        return self.terms.target_shape

    @property
    def input_shape(self) -> Shape:
        """The shape of what it is differentiated by."""
        return self.terms.input_shape

    @property
    def ndim(self) -> int:
        """The number of axes of the tensor."""
        return len(self.shape)

    @property
    def size(self) -> Any:
        """The number of entries of the dense tensor; a polynomial where sizes are symbolic."""
        return entries(self.shape)

    @property
    def nnz(self) -> Any:
        """How many entries can be nonzero: those its wirings reach (equal Terms that overlap count once)."""
        seen = {t.pattern: entries(t.sizes[k] for k in t.wiring) for t in self.terms.terms}
        total: Any = 0
        for count in seen.values():
            total = total + count
        if isinstance(total, int) and isinstance(self.size, int):
            return min(total, self.size)
        return self.size if magnitude(total) > magnitude(self.size) else total

    @property
    def nbytes(self) -> int:
        """Bytes of the factors that are held (not of the dense tensor)."""
        return sum(np.asarray(array).nbytes for array in (self.values or {}).values())

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a scalar Jacobian")
        return number(self.shape[0], "len()")

    def __iter__(self) -> Iterator[Any]:
        return (self[k] for k in range(len(self)))

    def __repr__(self) -> str:
        shape = show_shape(self.target_shape, self.input_shape)
        kind, of, by = self._kind()
        if isinstance(self.size, Poly) or isinstance(self.nnz, Poly):
            counts = f"{show(self.nnz)} of {show(self.size)} entries can be nonzero"
            return f"{kind}{of}, shape {shape}{by}: {counts}"
        nbytes = show_bytes(self.size * self.dtype.itemsize)
        counts = f"{self.nnz} of {self.size} entries can be nonzero, {nbytes} if materialized"
        return f"{kind}{of} of shape {shape}{by}: {counts}"

    # ---- numbers

    def bound(self) -> TermSum:
        """The Terms with every factor a leaf that holds its array; UnsupportedError without numbers."""
        if self.values is None:
            raise UnsupportedError(
                "this Jacobian has no numbers",
                "it was made from symbolic sizes, or inside a function that is being traced",
                "call the derivative with arrays",
            )
        return bound(self.terms, self.values)

    def core(self) -> tuple[tuple[np.ndarray, str], ...]:
        """The compressed arrays and their wirings, one pair for each Term: ((array, "n: i|i n"), ...).

        The array runs over the letters before the colon; after it stands `target|input`.  A batch is a letter
        on both sides of the bar, so the core of a row-by-row function is its per-sample Jacobians.
        """
        from .notation.index import core_wiring

        made = []
        for t in self.bound().terms:
            labels = tuple(k for k in t.wiring if k in t.carried)
            array = np.asarray(_core_array(t, labels)) * t.coefficient
            made.append((array.astype(self.dtype, copy=False), core_wiring(t, labels)))
        return tuple(made)

    def materialize(
        self, max_bytes: int | None = LIMIT, out: np.ndarray | None = None, copy: bool | None = True,
        backend: str = "numpy", chunks: Any = "auto",
    ) -> Any:  # fmt: skip
        """The dense tensor `target x input`; raises BudgetError beyond `max_bytes` bytes (default 4 GiB).

        Mathematically this is the identity.  `out` (ShapeError for another shape) is filled and returned.
        With `copy=None` the result may be a read-only view of a small buffer, where a delta's label is in no
        factor (dz/dA, dC/dA): made for nothing, the cost of its zeros is paid by whoever reads them.
        `backend="dask"` gives a dask array whose `chunks` are built on demand, of any size (UnknownNameError
        for other names).
        """
        if backend not in ("numpy", "dask"):
            raise UnknownNameError(
                f"backend {backend!r} is not known", "backends: numpy, dask", "numpy, and convert the array"
            )
        if backend == "dask":
            from .backends.blocks import materialize

            return materialize(self, chunks)
        if copy is None and out is None:
            from .toeplitz import toeplitz_view  # late: importing stays cheap

            seen = toeplitz_view(self.bound(), self.dtype)
            if seen is not None:
                return seen
        shape = tuple(number(n, "materialize") for n in self.shape)
        if out is None:
            afford(shape, self.dtype, max_bytes, self._too_large)
        made = zeros_for(self.terms, shape, self.dtype) if out is None else cleared(out, shape)
        return write(made, self.bound())

    def _too_large(self) -> tuple[str, str, str]:
        return (
            f"materializing {self.title}",
            f"{show_bytes(self.nbytes)} of factors are held",
            "keep it lazy: J.jvp(v), J.vjp(u), J[i], J.core(); or a larger max_bytes (--limit)",
        )

    def triplets(self) -> tuple[tuple[np.ndarray, ...], tuple[np.ndarray, ...], np.ndarray]:
        """Target places, input places, values of every entry wirings reach; places may repeat (they add)."""
        return triplets(self.bound())

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        dense: np.ndarray = self.materialize()
        return dense if dtype is None else dense.astype(dtype)

    def __float__(self) -> float:
        """The number, where target and input are scalars; TypeError where there are axes."""
        return float(self.materialize())

    def jvp(self, v: Any) -> np.ndarray:
        """Pushes v of input shape: `(J v)[i...] = sum_m J[i..., m...] v[m...]`; else raises ShapeError."""
        return self._contract(
            compose(self.bound(), seed(v, self.input_shape, True, "jvp", self.dtype)), self.target_shape
        )

    def vjp(self, u: Any) -> np.ndarray:
        """Pulls u of target shape: `(u J)[m...] = sum_i u[i...] J[i..., m...]`; else raises ShapeError."""
        return self._contract(
            compose(seed(u, self.target_shape, False, "vjp", self.dtype), self.bound()), self.input_shape
        )

    def _contract(self, whole: TermSum, shape: Shape) -> np.ndarray:
        out = np.asarray(evaluate([assemble(whole)])[0]) if whole.terms else np.zeros(shape)
        return out.astype(self.dtype, copy=False).reshape(shape)

    # ---- algebra

    def __matmul__(self, other: Any) -> Any:
        """Compose: `(J @ K)[target, input] = sum over the middle axes of J K` (an array is the tensor)."""
        if isinstance(other, Jacobian):
            return self._with(compose, other)
        if self.values is None:
            return Traced(self._traced_node()) @ other
        return np.asarray(self) @ other

    def _with(self, combine: Any, other: Jacobian) -> Jacobian:
        if self.values is None or other.values is None:
            terms = combine(self.terms, other.terms)
            return Jacobian(terms, None, self.target_name, other.input_name, self.dtype)
        whole = combine(self.bound(), other.bound())
        return evaluated(whole, self.target_name, other.input_name, np.result_type(self.dtype, other.dtype))

    def __add__(self, other: Any) -> Any:
        if isinstance(other, Jacobian):
            if (self.target_shape, self.input_shape) != (other.target_shape, other.input_shape):
                raise ShapeError(
                    "cannot add two Jacobians of different shapes",
                    f"{show_shape(self.target_shape, self.input_shape)} and "
                    f"{show_shape(other.target_shape, other.input_shape)}",
                    "the sum rule needs one target and one input",
                )
            return self._with(lambda a, b: add([a, b]), other)
        return self._array(other, lambda a, b: a + b)

    def __sub__(self, other: Any) -> Any:
        return self + -1 * other if isinstance(other, Jacobian) else self._array(other, lambda a, b: a - b)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, (int, float, np.integer, np.floating)):
            terms = tuple(t.scaled(other) for t in self.terms.terms)
            scaled = TermSum(self.target_shape, self.input_shape, terms)
            return Jacobian(scaled, self.values, self.target_name, self.input_name, self.dtype, self.context)
        return self._array(other, lambda a, b: a * b)

    __rmul__ = __mul__

    def __radd__(self, other: Any) -> Any:
        return self._array(other, lambda a, b: b + a)

    def __rsub__(self, other: Any) -> Any:
        return self._array(other, lambda a, b: b - a)

    def __truediv__(self, other: Any) -> Any:
        return (
            self * (1 / other) if isinstance(other, (int, float)) else self._array(other, lambda a, b: a / b)
        )

    def __neg__(self) -> Jacobian:
        return self * -1  # type: ignore[no-any-return]

    def __rmatmul__(self, other: Any) -> Any:
        return self._array(other, lambda a, b: b @ a)

    def __pow__(self, other: Any) -> Any:
        return self._array(other, lambda a, b: a**b)

    def _array(self, other: Any, act: Any) -> Any:
        """Arithmetic with what is no Jacobian: the Jacobian acts as its tensor."""
        mine = Traced(self._traced_node()) if self.values is None else np.asarray(self)
        return act(mine, other)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return getattr(ufunc, method)(*(_tensor(x) for x in inputs), **kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return func(*_tensors(args), **{k: _tensor(v) for k, v in kwargs.items()})

    def _traced_node(self) -> Node:
        return assemble(self.bound() if self.values is not None else self.terms)

    # ---- indexing

    def __getitem__(self, key: Any) -> Any:
        """A part of the tensor, indexed as numpy does: target axes first, then input axes.

        A single entry is a number; otherwise a Jacobian of fewer axes.
        """
        read = slots_of(self.shape, key)
        split = len(self.target_shape)
        known = None if self.values is None else self.bound()
        picked = pick(known or self.terms, read, split)
        if not picked.shape and known is not None:
            return self.dtype.type(evaluate([assemble(picked)])[0]) if picked.terms else self.dtype.type(0)
        if known is None:
            return Jacobian(picked, None, self.target_name, self.input_name, self.dtype)
        return evaluated(picked, self.target_name, self.input_name, self.dtype)


def _tensor(value: Any) -> Any:
    if isinstance(value, Jacobian):
        return np.asarray(value) if value.values is not None else Traced(value._traced_node())
    return value


def _tensors(value: Any) -> Any:
    if isinstance(value, (tuple, list)):
        return type(value)(_tensors(v) for v in value)
    return _tensor(value)


def bound(terms: TermSum, values: Mapping[int, Any]) -> TermSum:
    """The same Terms with the arrays put in: a leaf for every factor's node, integers for every table."""
    leaves: dict[int, Node] = {}

    def leaf(node: Node) -> Node:
        if node.serial not in values:
            return node
        if node.serial not in leaves:
            made = Node("variable", (), None, node.shape, node.dtype, node.name, values[node.serial])
            leaves[node.serial] = made
        return leaves[node.serial]

    def fixed(slot: Slot) -> Slot:
        if isinstance(slot, Table) and slot.node.serial in values:
            return Table(slot.labels, constant(values[slot.node.serial]))
        return slot

    def slots(given: tuple[Slot, ...]) -> tuple[Slot, ...]:
        return tuple(fixed(slot) for slot in given)

    made = [
        Term(
            t.coefficient,
            tuple((leaf(n), ls) for n, ls in t.factors),
            slots(t.target),
            slots(t.input),
            t.sizes,
        )
        for t in terms.terms
    ]
    return TermSum(terms.target_shape, terms.input_shape, tuple(made))


def evaluated(whole: TermSum, target_name: Any, input_name: Any, dtype: Any) -> Jacobian:
    """A Jacobian with numbers, from Terms whose factors can all be computed from leaves."""
    nodes = list({node.serial: node for t in whole.terms for node in t.nodes}.values())
    values = dict(zip((node.serial for node in nodes), evaluate(nodes), strict=True))
    return Jacobian(whole, values, target_name, input_name, dtype)


def _core_array(t: Term, labels: tuple[int, ...]) -> Any:
    return evaluate([core(t, labels)[0]])[0]


def show_shape(target: Shape, given: Shape) -> str:
    """`3 x (3 x 4)`: target axes, then the input axes in brackets.

    >>> show_shape((3,), (3, 4)), show_shape((), (4,)), show_shape((2, 5), ())
    ('3 x (3 x 4)', '(4)', '2 x 5')
    """
    left = " x ".join(map(str, target))
    right = " x ".join(map(str, given))
    if len(target) > 1 and given:
        left = f"({left})"
    if not target:
        return f"({right})" if given else "scalar"
    return left + (f" x ({right})" if len(given) > 1 else f" x {right}" if given else "")
