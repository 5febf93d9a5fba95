"""A Jacobian for scipy: a sparse matrix of what can be nonzero, or a linear operator that never writes it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .derivative import Jacobian
from .errors import missing_extra
from .presentation import check_vec


def _scipy(module: str) -> Any:
    import importlib

    try:
        return importlib.import_module(f"scipy.{module}")
    except ImportError:
        raise missing_extra("scipy", "scipy", "sparse matrices and linear operators") from None


def to_scipy(J: Jacobian, vec: str = "rows") -> Any:
    """The CSR matrix of a Jacobian, `target entries x input entries`, from its Terms (never made dense)."""
    sparse = _scipy("sparse")
    order = check_vec(vec)
    rows, columns, values = J.triplets()
    shape = (math.prod(J.target_shape), math.prod(J.input_shape))
    flat = [
        np.ravel_multi_index(places, sizes, order=order) if sizes else np.zeros(values.size, np.intp)  # type: ignore[call-overload]
        for places, sizes in ((rows, J.target_shape), (columns, J.input_shape))
    ]
    return sparse.coo_array((values, tuple(flat)), shape=shape).tocsr()


def as_linear_operator(J: Jacobian, vec: str = "rows") -> Any:
    """A LinearOperator whose products are JVPs and VJPs; `vec` names how vectors are flattened."""
    linalg = _scipy("sparse.linalg")
    order: Any = check_vec(vec)
    target, given = J.target_shape, J.input_shape
    return linalg.LinearOperator(
        (math.prod(target), math.prod(given)),
        matvec=lambda v: J.jvp(np.reshape(v, given, order=order)).ravel(order=order),
        rmatvec=lambda u: J.vjp(np.reshape(u, target, order=order)).ravel(order=order),
        dtype=J.dtype,
    )
