"""Rows of the matrix operations: inverses, systems, determinants, factorizations, the exponential.

Primals symmetrise where the operation does, fix signs where it does, and are analytic for the complex step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jacobians.operation import OPERATIONS
from jacobians.tracing import Traced, call

from . import Case

T = np.matrix_transpose


def expm(x: Any) -> Any:
    """The traced operation; on arrays a Taylor sum of the matrix halved eight times, squared back."""
    if isinstance(x, Traced):
        return call(OPERATIONS["expm"].build, (x,), {})
    x = np.asarray(x) / np.float32(256)
    power = total = np.broadcast_to(np.eye(x.shape[-1], dtype=x.dtype), x.shape)
    for p in range(1, 20):
        power = power @ x / p
        total = total + power
    for _ in range(8):
        total = total @ total
    return total


def sym(x: Any) -> Any:
    """The symmetric part, without conjugation."""
    return (x + T(x)) / 2


def cholesky(x: Any) -> Any:
    """Column by column, analytic in the entries."""
    x = sym(x)
    n = x.shape[-1]
    z = np.zeros(x.shape, x.dtype)
    for j in range(n):
        rest = x[..., j:, j] - (z[..., j:, :j] @ z[..., j, :j, None])[..., 0]
        z[..., j:, j] = rest / np.sqrt(rest[..., :1])
    return z


def pinv(x: Any) -> Any:
    """By the normal equations, analytic in the entries."""
    if x.shape[-2] >= x.shape[-1]:
        return np.linalg.solve(T(x) @ x, T(x))
    return T(np.linalg.solve(x @ T(x), x))


def qr(x: Any) -> tuple[Any, Any]:
    """Gram and Schmidt, analytic in the entries, with numpy's signs."""
    signs = np.sign(np.diagonal(np.linalg.qr(x.real).R, axis1=-2, axis2=-1))
    r = T(cholesky(T(x) @ x)) * signs[..., :, None]
    return x @ np.linalg.inv(r), r


def fixed(v: Any) -> Any:
    """+1 or -1 for each column: the entry of largest magnitude becomes positive."""
    return np.sign(np.take_along_axis(v, np.abs(v).argmax(-2, keepdims=True), -2))


def eigenvectors(x: Any) -> Any:
    """Of the symmetric part, signs fixed."""
    v = np.linalg.eigh(sym(x)).eigenvectors
    return v * fixed(v)


def singular_vectors(x: Any, side: int) -> Any:
    """u or vt of the economy decomposition, signs fixed by u."""
    u, _, vt = np.linalg.svd(x, full_matrices=False)
    return u * fixed(u) if side == 0 else vt * T(fixed(u))


def spread(n: int, *batch: int) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    """Matrices whose eigenvalues lie well apart, not symmetric."""

    def make(rng: np.random.Generator) -> tuple[Any, ...]:
        return (2.0 * np.diag(np.arange(n)) + rng.uniform(-0.5, 0.5, size=(*batch, n, n)),)

    return make


def positive(n: int, *batch: int) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    """Matrices with positive definite symmetric parts, not symmetric."""
    return lambda rng: (2.0 * np.eye(n) + rng.uniform(-0.5, 0.5, size=(*batch, n, n)),)


def tall(m: int, n: int, *batch: int) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    """m x n matrices whose singular values lie well apart."""

    def make(rng: np.random.Generator) -> tuple[Any, ...]:
        return (np.eye(m, n) * (1.0 + 1.5 * np.arange(n)) + rng.uniform(-0.4, 0.4, size=(*batch, m, n)),)

    return make


def singular(n: int, rank: int, *batch: int) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    """n x n matrices of a lower rank."""

    def make(rng: np.random.Generator) -> tuple[Any, ...]:
        return (
            rng.uniform(-0.6, 0.6, size=(*batch, n, rank)) @ rng.uniform(-0.6, 0.6, size=(*batch, rank, n)),
        )

    return make


def system(
    rows: int, *columns: int, a: tuple[int, ...] = (), b: tuple[int, ...] = ()
) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    """A regular system with right-hand sides, batch axes `a` and `b`."""

    def make(rng: np.random.Generator) -> tuple[Any, ...]:
        left = 2.0 * np.eye(rows) + rng.uniform(-0.5, 0.5, size=(*a, rows, rows))
        return left, rng.uniform(-1, 1, size=(*b, rows, *columns))

    return make


SYSTEMS = [
    Case("solve", np.linalg.solve, ((3, 3), (3,)), make=system(3), id="vector"),
    Case("solve", np.linalg.solve, ((3, 3), (3, 2)), make=system(3, 2), id="matrix"),
    Case("solve", np.linalg.solve, ((2, 3, 3), (2, 3, 4)), make=system(3, 4, a=(2,), b=(2,)), id="batch"),
    Case(
        "solve",
        np.linalg.solve,
        ((2, 3, 3), (3,)),
        make=system(3, a=(2,)),
        id="one-vector-for-a-batch",
        primal=lambda a, b: np.linalg.solve(a, b[:, None])[..., 0],
    ),
    Case(
        "solve",
        np.linalg.solve,
        ((2, 1, 3, 3), (4, 3, 1)),
        make=system(3, 1, a=(2, 1), b=(4,)),
        id="stretched",
    ),
    Case(
        "tensorsolve",
        np.linalg.tensorsolve,
        ((2, 3, 6), (2, 3)),
        make=lambda rng: (
            rng.uniform(-1, 1, (2, 3, 6)) + 2 * np.eye(6).reshape(2, 3, 6),
            rng.uniform(-1, 1, (2, 3)),
        ),
    ),
    Case(
        "tensorsolve",
        lambda a, b: np.linalg.tensorsolve(a, b, axes=(0,)),
        ((6, 2, 3), (2, 3)),
        id="axes",
        make=lambda rng: (
            rng.uniform(-1, 1, (6, 2, 3)) + 2 * np.eye(6).reshape(6, 2, 3),
            rng.uniform(-1, 1, (2, 3)),
        ),
    ),
    Case(
        "lstsq",
        lambda a, b: np.linalg.lstsq(a, b)[0],
        ((4, 2), (4,)),
        primal=lambda a, b: pinv(a) @ b,
        make=lambda rng: (*tall(4, 2)(rng), rng.uniform(-1, 1, 4)),
        id="values",
    ),
    Case(
        "lstsq",
        lambda a, b: np.linalg.lstsq(a, b)[1],
        ((4, 2), (4, 3)),
        id="residuals",
        primal=lambda a, b: ((b - a @ (pinv(a) @ b)) ** 2).sum(0),
        make=lambda rng: (*tall(4, 2)(rng), rng.uniform(-1, 1, (4, 3))),
    ),
]

CASES = [
    Case("inv", np.linalg.inv, ((3, 3),), make=positive(3), order=3),
    Case("inv", np.linalg.inv, ((2, 4, 3, 3),), make=positive(3, 2, 4), id="batch"),
    Case(
        "tensorinv",
        lambda x: np.linalg.tensorinv(x, ind=1),
        ((6, 2, 3),),
        make=lambda rng: (rng.uniform(-1, 1, (6, 2, 3)) + 2 * np.eye(6).reshape(6, 2, 3),),
    ),
    *SYSTEMS,
    Case("pinv", np.linalg.pinv, ((4, 2),), primal=pinv, make=tall(4, 2), id="tall"),
    Case(
        "pinv",
        np.linalg.pinv,
        ((2, 4),),
        primal=lambda x: pinv(x),
        make=lambda rng: (T(tall(4, 2)(rng)[0]),),
        id="wide",
    ),
    Case("pinv", np.linalg.pinv, ((3, 4, 2),), primal=pinv, make=tall(4, 2, 3), id="batch"),
    Case("pinv", np.linalg.pinv, ((3, 3),), primal=np.linalg.inv, make=positive(3), id="square"),
    Case("matrix_power", lambda x: np.linalg.matrix_power(x, 5), ((3, 3),)),
    Case("matrix_power", lambda x: np.linalg.matrix_power(x, 1), ((2, 3, 3),), id="one"),
    Case("matrix_power", lambda x: np.linalg.matrix_power(x, 0), ((2, 3, 3),), id="zero"),
    Case(
        "matrix_power",
        lambda x: np.linalg.matrix_power(x, -3),
        ((2, 3, 3),),
        make=positive(3, 2),
        id="negative",
    ),
    Case("multi_dot", lambda x, y, w: np.linalg.multi_dot([x, y, w]), ((2, 3), (3, 4), (4, 5))),
    Case("multi_dot", lambda x, y, w: np.linalg.multi_dot([x, y, w]), ((3,), (3, 4), (4,)), id="vectors"),
    Case("matrix_rank", np.linalg.matrix_rank, ((2, 3, 4),), oracle="difference"),
    Case("cond", np.linalg.cond, ((3, 3),), make=tall(3, 3), oracle="difference", id="None"),
    Case(
        "cond",
        lambda x: np.linalg.cond(x, -2),
        ((2, 4, 2),),
        make=tall(4, 2, 2),
        oracle="difference",
        id="-2",
    ),
    Case(
        "cond",
        lambda x: np.linalg.cond(x, "fro"),
        ((2, 3, 3),),
        make=positive(3, 2),
        oracle="difference",
        id="fro",
    ),
    Case("det", np.linalg.det, ((3, 3),), order=3),
    Case("det", np.linalg.det, ((2, 3, 3),), id="batch"),
    Case("det", np.linalg.det, ((3, 3),), make=singular(3, 2), order=3, id="rank-2-of-3"),
    Case("det", np.linalg.det, ((4, 4),), make=singular(4, 2), id="rank-2-of-4"),
    Case("det", np.linalg.det, ((2, 2),), make=lambda rng: (np.zeros((2, 2)),), id="zero"),
    Case(
        "slogdet",
        lambda x: np.linalg.slogdet(x).logabsdet,
        ((3, 3),),
        make=positive(3),
        order=3,
        primal=lambda x: np.log(np.linalg.det(x)),
    ),
    Case(
        "slogdet",
        lambda x: np.linalg.slogdet(x)[0],
        ((2, 3, 3),),
        make=positive(3, 2),
        oracle="difference",
        id="sign",
    ),
    Case("cholesky", np.linalg.cholesky, ((3, 3),), primal=cholesky, make=positive(3)),
    Case(
        "cholesky",
        lambda x: np.linalg.cholesky(x, upper=True),
        ((2, 3, 3),),
        primal=lambda x: T(cholesky(x)),
        make=positive(3, 2),
        id="upper-batch",
    ),
    Case(
        "eigvalsh",
        np.linalg.eigvalsh,
        ((3, 3),),
        primal=lambda x: np.linalg.eigvalsh(sym(x)),
        make=spread(3),
        oracle="difference",
    ),
    Case(
        "eigvalsh",
        np.linalg.eigvalsh,
        ((2, 3, 3),),
        primal=lambda x: np.linalg.eigvalsh(sym(x)),
        make=spread(3, 2),
        oracle="difference",
        id="batch",
    ),
    Case(
        "eigh",
        lambda x: np.linalg.eigh(x).eigenvalues,
        ((3, 3),),
        primal=lambda x: np.linalg.eigvalsh(sym(x)),
        make=spread(3),
        oracle="difference",
        id="values",
    ),
    Case(
        "eigh",
        lambda x: np.linalg.eigh(x)[1],
        ((2, 3, 3),),
        primal=eigenvectors,
        make=spread(3, 2),
        oracle="difference",
        id="vectors",
    ),
    *(
        Case(
            "svd",
            lambda x, k=k: np.linalg.svd(x, full_matrices=False)[k],
            (shape,),
            oracle="difference",
            primal=lambda x, k=k: np.linalg.svd(x)[1] if k == 1 else singular_vectors(x, k),
            make=make,
            id=f"{name}-{which}",
        )
        for name, shape, make in [
            ("tall", (4, 2), tall(4, 2)),
            ("wide", (2, 4), lambda rng: (T(tall(4, 2)(rng)[0]),)),
            ("batch", (2, 3, 3), tall(3, 3, 2)),
        ]
        for k, which in enumerate(("u", "s", "vt"))
    ),
    Case(
        "svd",
        lambda x: np.linalg.svd(x)[2],
        ((4, 2),),
        primal=lambda x: singular_vectors(x, 2),
        make=tall(4, 2),
        oracle="difference",
        id="full-vt",
    ),
    Case(
        "svd",
        lambda x: np.linalg.svd(x).U,
        ((3, 3),),
        primal=lambda x: singular_vectors(x, 0),
        make=tall(3, 3),
        oracle="difference",
        id="full-u",
    ),
    Case(
        "svd",
        lambda x: np.linalg.svd(x, compute_uv=False),
        ((3, 2),),
        make=tall(3, 2),
        oracle="difference",
        id="values",
    ),
    Case(
        "svdvals",
        np.linalg.svdvals,
        ((2, 3, 4),),
        make=lambda rng: (T(tall(4, 3, 2)(rng)[0]),),
        oracle="difference",
    ),
    Case("qr", lambda x: np.linalg.qr(x).Q, ((4, 2),), primal=lambda x: qr(x)[0], make=tall(4, 2), id="q"),
    Case(
        "qr",
        lambda x: np.linalg.qr(x, mode="r"),
        ((4, 2),),
        primal=lambda x: qr(x)[1],
        make=tall(4, 2),
        id="r",
    ),
    Case(
        "qr",
        lambda x: np.linalg.qr(x)[0],
        ((2, 3, 3),),
        primal=lambda x: qr(x)[0],
        make=tall(3, 3, 2),
        id="q-batch",
    ),
    Case(
        "qr",
        lambda x: np.linalg.qr(x)[1],
        ((2, 4),),
        oracle="difference",
        make=lambda rng: (T(tall(4, 2)(rng)[0]),),
        id="r-wide",
    ),
    Case("expm", expm, ((3, 3),), order=3),
    Case("expm", expm, ((2, 3, 3),), domain=(-4.0, 4.0), id="batch"),
]
