"""The suites on vectors and matrices: `layer`, `mlp`, `loss`, `matmul`, `elementwise`, `matrix`, `hessian`.

`cases(scale)` makes them; a `scale` below 1 shrinks every size, for a quick look or a test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import rivals
from .cases import Case, Inputs

Rng = np.random.Generator


def layer(ns: Any) -> Callable[..., Any]:
    """`tanh(Ax + b)`."""
    return lambda A, x, b: ns.tanh(A @ x + b)


def affine(ns: Any) -> Callable[..., Any]:
    """`Ax + b`."""
    return lambda A, x, b: A @ x + b


def net(ns: Any) -> Callable[..., Any]:
    """K layers `tanh(A_k f + b_k)` on one vector."""

    def f(x: Any, A: Any, b: Any) -> Any:
        for matrix, shift in zip(A, b, strict=True):
            x = ns.tanh(matrix @ x + shift)
        return x

    return f


def loss(ns: Any) -> Callable[..., Any]:
    """`0.5 |net(x) - y|^2` of a batch in rows."""

    def f(x: Any, y: Any, A: Any, b: Any) -> Any:
        for matrix, shift in zip(A, b, strict=True):
            x = ns.tanh(x @ matrix.T + shift)
        return 0.5 * ns.sum((x - y) ** 2)

    return f


def matmul(ns: Any) -> Callable[..., Any]:
    """`A @ B`."""
    return lambda A, B: A @ B


def elementwise(ns: Any) -> Callable[..., Any]:
    """`sin(X) exp(X)`."""
    return lambda X: ns.sin(X) * ns.exp(X)


def inverse(ns: Any) -> Callable[..., Any]:
    """`inv(X)`."""
    return lambda X: ns.linalg.inv(X)


def gram(ns: Any) -> Callable[..., Any]:
    """`X^T X`."""
    return lambda X: X.T @ X


def logistic(ns: Any) -> Callable[..., Any]:
    """The logistic loss of labels y in -1, 1."""
    return lambda w, X, y: ns.sum(ns.log1p(ns.exp(-y * (X @ w))))


def factorization(ns: Any) -> Callable[..., Any]:
    """`|T - U V^T|^2`."""
    return lambda U, V, T: ns.sum((T - U @ V.T) ** 2)


def two_layers(ns: Any) -> Callable[..., Any]:
    """`sum_b v . tanh(W x_b)`, samples in rows."""
    return lambda W, v, X: ns.sum(ns.tanh(X @ W.T) @ v)


def _layer_inputs(m: int, n: int) -> Callable[[Rng], Inputs]:
    return lambda rng: (rng.normal(size=(m, n)) / np.sqrt(n), rng.normal(size=n), rng.normal(size=m))


def weights(rng: Rng, width: int, depth: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Square matrices and shifts, scaled so that values keep their size."""
    A = [rng.normal(size=(width, width)) / np.sqrt(width) for _ in range(depth)]
    return A, [0.1 * rng.normal(size=width) for _ in range(depth)]


def _net_inputs(width: int, depth: int) -> Callable[[Rng], Inputs]:
    return lambda rng: (rng.normal(size=width), *weights(rng, width, depth))


def _loss_inputs(width: int, depth: int, batch: int) -> Callable[[Rng], Inputs]:
    return lambda rng: (
        rng.normal(size=(batch, width)),
        rng.normal(size=(batch, width)),
        *weights(rng, width, depth),
    )


def _matrices(*shapes: tuple[int, ...]) -> Callable[[Rng], Inputs]:
    return lambda rng: tuple(rng.normal(size=shape) for shape in shapes)


def _regular(n: int) -> Callable[[Rng], Inputs]:
    return lambda rng: (rng.normal(size=(n, n)) + n * np.eye(n),)


def _logistic_inputs(m: int, n: int) -> Callable[[Rng], Inputs]:
    return lambda rng: (rng.normal(size=n) / np.sqrt(n), rng.normal(size=(m, n)), np.sign(rng.normal(size=m)))


def cases(scale: float = 1.0) -> list[Case]:
    """Every case of these suites."""

    def n(size: int) -> int:
        return max(2, round(size * scale))

    found = [
        Case(
            "layer",
            f"tanh(Ax+b), {m} x {k}, by all",
            layer,
            _layer_inputs(m, k),
            (0, 1, 2),
            rival=rivals.layer,
            view=m > 400,
        )
        for m, k in [(3, 2), (n(50), n(40)), (n(500), n(400))]
    ]
    m, k = n(500), n(400)
    found += [
        Case(
            "layer",
            f"Ax+b by A, {m} x {k}",
            affine,
            _layer_inputs(m, k),
            (0,),
            rival=rivals.affine,
            view=True,
        ),
        Case(
            "layer", f"tanh(Ax+b) by A, {m} x {k}", layer, _layer_inputs(m, k), (0,), rival=rivals.layer_by_A
        ),
        Case(
            "mlp", f"net of 8 layers, width {n(256)}, lazily", net, _net_inputs(n(256), 8), (1, 2), lazy=True
        ),
    ]
    found += [
        Case(
            "mlp",
            f"net of {depth} layers, width {n(width)}, by all A, b",
            net,
            _net_inputs(n(width), depth),
            (1, 2),
            rival=rivals.net,
        )
        for width, depth in [(256, 4), (128, 4), (128, 8)]
    ]
    found.append(
        Case(
            "loss",
            f"loss gradient, 4 layers, width {n(512)}, batch {n(128)}",
            loss,
            _loss_inputs(n(512), 4, n(128)),
            (2, 3),
            "gradient",
            rivals.backpropagation,
        )
    )
    k = n(80)
    found += [
        Case(
            "matmul",
            f"C = AB by A, n = {k}",
            matmul,
            _matrices((k, k), (k, k)),
            (0,),
            rival=rivals.matrix_product_left,
            view=True,
        ),
        Case(
            "matmul",
            f"C = AB by A and B, n = {k}",
            matmul,
            _matrices((k, k), (k, k)),
            (0, 1),
            rival=rivals.matrix_product,
            view=True,
        ),
        Case(
            "elementwise",
            f"sin(X) exp(X), {k} x {k}",
            elementwise,
            _matrices((k, k)),
            (0,),
            rival=rivals.elementwise,
        ),
        Case("matrix", f"inv(X), n = {n(50)}", inverse, _regular(n(50)), (0,), rival=rivals.inverse),
        Case("matrix", f"X^T X, n = {n(50)}", gram, _matrices((n(50), n(50))), (0,), rival=rivals.gram),
    ]
    found += [
        Case(
            "hessian",
            f"logistic, {m} x {k}",
            logistic,
            _logistic_inputs(m, k),
            (0,),
            "hessian",
            rivals.logistic,
        )
        for m, k in [(n(1000), n(500)), (n(2000), n(1000))]
    ]
    found += [
        Case(
            "hessian",
            f"|T - UV^T|^2 by U, {m} x {r}",
            factorization,
            _matrices((m, r), (m, r), (m, m)),
            (0,),
            "hessian",
            rivals.factorization,
            view=True,
        )
        for m, r in [(n(100), max(2, n(5))), (n(200), max(2, n(10)))]
    ]
    found += [
        Case(
            "hessian",
            f"two layers by W, {m} x {m}, {b} samples",
            two_layers,
            _two_inputs(m, b),
            (0,),
            "hessian",
            rivals.two_layers,
        )
        for m, b in [(n(60), 1), (n(30), n(50))]
    ]
    return found


def _two_inputs(n: int, batch: int) -> Callable[[Rng], Inputs]:
    return lambda rng: (rng.normal(size=(n, n)) / np.sqrt(n), rng.normal(size=n), rng.normal(size=(batch, n)))
