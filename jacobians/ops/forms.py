"""What ordinary numpy code asks along the way, so that it traces as it is.

Constants by shape (`zeros_like`, `ones_like`, `full_like`, `empty_like`), questions (`shape`, `ndim`, `size`,
`iscomplexobj`, `result_type`), copies and casts (`copy`, `astype`, `round`, `real`, `imag`), bounds (`clip`,
`nan_to_num`), choices (`select`, `choose`), shapes together (`broadcast_arrays`, `meshgrid`, `linspace`), and
truth values (`isclose`, `allclose`, `array_equal`), which no branch can read while a function is traced.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..axes import entries
from ..errors import ShapeError, UnsupportedError
from ..expr import Node, constant, promote
from ..operation import as_node, operation, rule
from ..terms import TermSum, identity
from . import _text
from ._axes import floating
from ._broadcast import broadcast
from .multilinear import broadcast_to, swapaxes
from .pointwise import make, where
from .reductions import all_
from .reshaping import reshape_node

# ---- constants by shape


def _like(x: Any, value: Any, dtype: Any, shape: Any) -> Node:
    x = as_node(x)
    wanted = x.shape if shape is None else tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    fill = value if isinstance(value, Node) else constant(np.asarray(value, dtype or x.dtype))
    return broadcast_to(fill, wanted)


@operation("no derivative", "x")
def zeros_like(
    x: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, *, device: Any = None
) -> Node:
    """z = zeros of the shape of x, a constant."""
    return _like(x, 0, dtype, shape)


@operation("no derivative", "x", serves="empty_like")
def empty_like(
    x: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, *, device: Any = None
) -> Node:
    """z = zeros of the shape of x: entries that nobody wrote have no other value here."""
    return _like(x, 0, dtype, shape)


@operation("no derivative", "x")
def ones_like(
    x: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None, *, device: Any = None
) -> Node:
    """z = ones of the shape of x, a constant."""
    return _like(x, 1, dtype, shape)


@operation("multilinear", "x fill_value", formula="0 by x; (i | ) by a traced fill value")
def full_like(
    x: Any,
    fill_value: Any,
    dtype: Any = None,
    order: Any = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Node:
    """z = one value everywhere in the shape of x."""
    return _like(x, fill_value, dtype, shape)


# ---- questions that shapes and types answer


@operation("no derivative", "x")
def shape(x: Any) -> Any:
    """The sizes of the axes of x."""
    return as_node(x).shape


@operation("no derivative", "x")
def ndim(x: Any) -> int:
    """The number of axes of x."""
    return as_node(x).ndim


@operation("no derivative", "x")
def size(x: Any, axis: Any = None) -> Any:
    """The number of entries of x, or its size along one axis."""
    x = as_node(x)
    return entries(x.shape) if axis is None else x.shape[axis]


@operation("no derivative", "x")
def iscomplexobj(x: Any) -> bool:
    """False: what is traced is real."""
    return False


@operation("no derivative", "x")
def isrealobj(x: Any) -> bool:
    """True: what is traced is real."""
    return True


@operation("no derivative", "x")
def result_type(*arrays_and_dtypes: Any) -> Any:
    """The numpy type of a result computed from these arrays and types."""
    given = [
        np.zeros((), x.dtype) if isinstance(x, Node) and x.dtype in (bool, int, float) else x
        for x in arrays_and_dtypes
    ]
    return np.result_type(*(x.dtype if isinstance(x, Node) else x for x in given))


# ---- copies, casts and parts


@operation("multilinear", "x", formula="δ")
def copy(x: Any, order: Any = "K", subok: bool = False) -> Node:
    """z = x: traced values are never written to."""
    return as_node(x)


@operation("multilinear", "x", serves="real conj conjugate", formula="δ")
def real(x: Any) -> Node:
    """z = x: what is traced is real, and its own conjugate."""
    return as_node(x)


@operation("no derivative", "x")
def imag(x: Any) -> Node:
    """z = 0: what is traced is real."""
    return zeros_like(x)


def _astype_local(node: Node, k: int) -> TermSum:
    return identity(node.shape) if node.dtype.kind == "f" else TermSum(node.shape, node.shape)


rule("astype", lambda params, x: np.asarray(x).astype(params), _astype_local, takes_integers=True)
rule("round", lambda params, x: np.round(x, params))


@operation("multilinear", "x", formula="δ to floating types, 0 to integers")
def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Node:
    """z = x under another type; a cast to integers or truths has derivative zero."""
    x, wanted = as_node(x), np.dtype(dtype)
    if wanted.kind not in "biuf":
        raise UnsupportedError(
            f"a cast to {wanted} is not traced", "values are real numbers", "float, np.float32 or int"
        )
    return x if wanted == x.dtype else Node("astype", (x,), wanted, x.shape, wanted)


def as_float(x: Node, dtype: Any = np.float64) -> Node:
    """`x`, integers and truths as floats: of this type, if it is a floating one."""
    whole = getattr(x.dtype, "kind", "") in ("b", "i", "u")
    return astype(x, floating(np.dtype(dtype))) if whole else x


@operation("pointwise", "x", serves="round around", formula="0", kink="0 everywhere, at the jumps too")
def round(x: Any, decimals: int = 0, out: None = None) -> Node:
    """z = x rounded to some decimals, halves to even."""
    x = as_node(x)
    return Node("round", (x,), decimals, x.shape, x.dtype)


# ---- bounds


@operation(
    "pointwise", "x a_min a_max", formula="δ [a_min < x < a_max]", kink="1/2 at a bound, and 1/2 to the bound"
)
def clip(
    x: Any,
    a_min: Any = None,
    a_max: Any = None,
    out: None = None,
    *,
    min: Any = None,
    max: Any = None,
    **more: Any,
) -> Node:
    """z = x between two bounds, either of which may be missing; entry by entry, broadcast."""
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    z = as_node(x)
    z = z if low is None else make("maximum", z, low)
    return z if high is None else make("minimum", z, high)


@operation("pointwise", "x", formula="δ [x is finite]")
def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Node:
    """z = x with numbers put in for NaN and the infinities (the largest of the type by default)."""
    x = as_node(x)
    limits = np.finfo(np.dtype(x.dtype) if np.dtype(x.dtype).kind == "f" else np.float64)
    high = float(limits.max) if posinf is None else posinf
    low = float(limits.min) if neginf is None else neginf
    z = where(make("isnan", x), nan, x)
    return where(make("equal", x, np.inf), high, where(make("equal", x, -np.inf), low, z))


# ---- choices


@operation(
    "pointwise", "condlist choicelist default", formula="δ [the first condition that holds is this one]"
)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> Node:
    """z = the choice of the first condition that holds, entry by entry; the default where none does."""
    if len(condlist) != len(choicelist) or not condlist:
        raise ShapeError(
            "select needs a choice for each condition",
            f"{len(condlist)} and {len(choicelist)}",
            "equal lengths",
        )
    z = as_node(default)
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        z = where(condition, choice, z)
    return z


@operation("pointwise", "a choices", formula="δ [a = k] by choice k")
def choose(a: Any, choices: Any, out: None = None, mode: str = "raise") -> Node:
    """z = choices[a], entry by entry, for integers a."""
    a, several = as_node(a), [as_node(choice) for choice in choices]
    if mode != "raise":
        raise UnsupportedError(
            f"np.choose with mode {mode!r} is not traced", "", "a % n or np.clip(a, 0, n - 1)"
        )
    if (
        a.value is not None
        and np.size(a.value)
        and not (np.min(a.value) >= 0 and np.max(a.value) < len(several))
    ):
        raise ShapeError(
            "a choice is out of range", f"{len(several)} choices", f"integers from 0 to {len(several) - 1}"
        )
    z = several[-1]
    for k in reversed(range(len(several) - 1)):
        z = where(make("equal", a, k), several[k], z)
    return broadcast_to(z, broadcast(z.shape, a.shape, where="choose").shape)


# ---- shapes brought together


@operation("multilinear", "x", formula="(i j | j)")
def broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Node, ...]:
    """z_k = each array in the shape common to all."""
    nodes = [as_node(arg) for arg in args]
    common = broadcast(*(node.shape for node in nodes), where="broadcast_arrays").shape
    return tuple(broadcast_to(node, common) for node in nodes)


@operation("multilinear", "x", formula="(i j | i), (i j | j)")
def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Node, ...]:
    """z_k = vector k along an axis of its own, the same along the others."""
    nodes = [as_node(x) for x in xi]
    open_ = [reshape_node(x, (*(1,) * k, -1, *(1,) * (len(nodes) - 1 - k))) for k, x in enumerate(nodes)]
    made = tuple(open_) if sparse else broadcast_arrays(*open_)
    return tuple(swapaxes(x, 0, 1) for x in made) if indexing == "xy" and len(nodes) > 1 else made


@operation("multilinear", "start stop", formula="1 - t by start; t by stop")
def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, **more: Any) -> Node:
    """z[k] = start + t[k] (stop - start), t running from 0 to 1."""
    if more.get("retstep") or more.get("axis", 0) != 0:
        raise UnsupportedError(
            "np.linspace(retstep=, axis=) is not traced", "", "start + (stop - start) * np.linspace(0, 1, n)"
        )
    start, stop = as_node(start), as_node(stop)
    dtype = floating(promote((start, stop)))
    width = len(broadcast(start.shape, stop.shape, where="linspace").shape)
    t = constant(np.linspace(0, 1, num, endpoint, dtype=np.dtype(dtype)).reshape((num,) + (1,) * width))
    return _text.add(_text.multiply(_text.add(1, t, -1), start), _text.multiply(t, stop))  # type: ignore[no-any-return]


# ---- comparisons as truth values


@operation("no derivative", "x y")
def isclose(x: Any, y: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Node:
    """z = whether entries agree: |x - y| <= atol + rtol |y|."""
    x, y = as_node(x), as_node(y)
    bound = _text.add(atol, _text.multiply(rtol, make("abs", y)))
    near = make(
        "logical_and", make("less_equal", make("abs", _text.add(x, y, -1)), bound), make("isfinite", y)
    )
    z = make("logical_or", near, make("equal", x, y))
    return make("logical_or", z, make("logical_and", make("isnan", x), make("isnan", y))) if equal_nan else z


@operation("no derivative", "x y")
def allclose(x: Any, y: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Node:
    """z = whether all entries agree; a truth value that no branch can read while tracing."""
    return all_(isclose(x, y, rtol, atol, equal_nan))


@operation("no derivative", "x y", serves="array_equal array_equiv")
def array_equal(x: Any, y: Any, equal_nan: bool = False) -> Any:
    """z = whether shapes and all entries are equal; a truth value that no branch can read while tracing."""
    x, y = as_node(x), as_node(y)
    return all_(make("equal", x, y)) if x.shape == y.shape else False
