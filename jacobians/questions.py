"""What a Jacobian asks the rest of the package about itself: `J.check(claim)` and `J.orders()`.

Both go back to the function that it is the derivative of, at the shapes that the function was called with.
A claim in words is judged at random points, a claim in numbers at the point of the call: elsewhere it says
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

import numpy as np

from .checking import Verdict, check
from .containers import flatten
from .cost_table import CostTable
from .costing import costs
from .derivations import call_behind
from .derivative import Jacobian
from .errors import UnsupportedError
from .verbs import JacobianFunction, derived


def check_of(J: Jacobian, claim: Any, **options: Any) -> Verdict:
    """Whether `claim` is this Jacobian: `checking.check` at the shapes of the call, or at its point."""
    f, inputs = _function_of(J, "jac.check(f, claim, wrt=..., inputs=...)")
    if isinstance(claim, Jacobian | np.ndarray):
        claim, inputs = np.asarray(claim), {name: _value(v) for name, v in J.context.stand_ins.items()}
    f = _one_result(f, J.context.path)
    while isinstance(f, JacobianFunction):
        f = f.f
    wrt = [*reversed(derived(J)[1]), J.input_name or ""]
    return check(f, claim, wrt, inputs, **options)


def orders_of(J: Jacobian, orders: Sequence[str | Sequence[str]] | None = None, **options: Any) -> CostTable:
    """The cost of every elimination order of this Jacobian, counted: `costing.costs` at the call's shapes."""
    f, _ = _function_of(J, "jac.costs(f, wrt=...)(A, x)")
    f = _one_result(f, J.context.path)
    args, kwargs = call_behind(J)
    return costs(f, J.input_name, orders=orders, **options)(*args, **kwargs)


def _function_of(J: Jacobian, instead: str) -> tuple[Any, Mapping[str, Any]]:
    """The function behind a Jacobian, and its arguments' shapes (of options, the values)."""
    inputs = {name: _given(value) for name, value in getattr(J.context, "stand_ins", {}).items()}
    if J.input_name not in inputs or None in inputs.values():
        raise UnsupportedError(
            f"{J.title} does not know the function that it is the derivative of",
            "it was composed, cut out or compiled, or an argument is no array",
            instead,
        )
    return J.context.f, inputs


def _one_result(f: Callable[..., Any], path: str) -> Callable[..., Any]:
    """`f` with one of its results alone."""
    if not path or isinstance(f, JacobianFunction):
        return f

    @wraps(f)
    def one(*args: Any, **kwargs: Any) -> Any:
        return dict(flatten(f(*args, **kwargs))[0])[path]

    return one


def _value(value: Any) -> Any:
    """What the function was called with."""
    known = getattr(getattr(value, "node", None), "value", value)
    return value if known is None else known


def _given(value: Any) -> Any:
    if isinstance(value, int | float):
        return float(value)
    shape = getattr(value, "shape", None)
    return None if shape is None else tuple(size if isinstance(size, int) else str(size) for size in shape)
