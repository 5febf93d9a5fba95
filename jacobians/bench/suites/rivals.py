"""Derivatives by hand, in structured numpy: what a careful author would write, zeros never multiplied.

They are the measure for generated code: `layer`, `net`, `backpropagation`, `matrix_product`, `elementwise`,
`inverse`, `gram`, `logistic`, `factorization`, `two_layers`, `net_by_samples`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ... import pages

Array = np.ndarray
Arrays = Sequence[np.ndarray]


def diagonal(shape: tuple[int, ...], places: Sequence[str], fraction: float = 0.01) -> tuple[Array, Array]:
    """Zeros of a shape whose axes are named by letters, and the view in which equal letters run together."""
    out = pages.zeros(shape, float, fraction)
    letters = list(dict.fromkeys(places))
    sizes = [shape[places.index(letter)] for letter in letters]
    steps = [sum(s for s, p in zip(out.strides, places, strict=True) if p == letter) for letter in letters]
    return out, np.ndarray(sizes, float, out, 0, steps)


def layer(A: Array, x: Array, b: Array) -> Arrays:
    """`tanh(Ax + b)` by A, x and b: `δ_im d_i x_n`, `d_i A_ij`, `δ_im d_i`."""
    f = np.tanh(A @ x + b)
    d = 1 - f * f
    by_A, through = diagonal((*d.shape, *A.shape), "iin")
    np.multiply(d[:, None], x, through)
    by_b, through = diagonal(d.shape * 2, "ii")
    through[...] = d
    return [by_A, d[:, None] * A, by_b]


def layer_by_A(A: Array, x: Array, b: Array) -> Arrays:
    """The first of them alone."""
    f = np.tanh(A @ x + b)
    by_A, through = diagonal((*f.shape, *A.shape), "iin")
    np.multiply((1 - f * f)[:, None], x, through)
    return [by_A]


def affine(A: Array, x: Array, b: Array) -> Arrays:
    """`Ax + b` by A: `δ_im x_n`."""
    by_A, through = diagonal((len(A), *A.shape), "iin")
    through[...] = x
    return [by_A]


def net(x: Array, A: Arrays, b: Arrays) -> Arrays:
    """K layers by every A_k and b_k: `G_k[:, m] x_n`, where G_k is the Jacobian by what layer k adds up."""
    values = [x]
    for matrix, shift in zip(A, b, strict=True):
        values.append(np.tanh(matrix @ values[-1] + shift))
    by_b: list[Array] = []
    slopes = [1 - f * f for f in values[1:]]
    G = np.diag(slopes[-1])
    by_b.append(G)
    for k in range(len(A) - 1, 0, -1):
        G = (slopes[-1][:, None] * A[k] if k == len(A) - 1 else G @ A[k]) * slopes[k - 1]
        by_b.append(G)
    by_b.reverse()
    last, through = diagonal((*slopes[-1].shape, *A[-1].shape), "iin")
    np.multiply(slopes[-1][:, None], values[-2], through)
    by_A = [g[:, :, None] * value for g, value in zip(by_b[:-1], values[:-2], strict=True)]
    return [*by_A, last, *by_b]


def backpropagation(x: Array, y: Array, A: Arrays, b: Arrays) -> Arrays:
    """The gradient of `0.5 sum (net(x) - y)^2` of a batch in rows, by every A_k and b_k."""
    values = [x]
    for matrix, shift in zip(A, b, strict=True):
        values.append(np.tanh(values[-1] @ matrix.T + shift))
    by_A: list[Array] = []
    by_b: list[Array] = []
    back = values[-1] - y
    for k in range(len(A) - 1, -1, -1):
        f = values[k + 1]
        back = back * (1 - f * f)
        by_A.append(back.T @ values[k])
        by_b.append(back.sum(0))
        if k:
            back = back @ A[k]
    return [*by_A[::-1], *by_b[::-1]]


def matrix_product(A: Array, B: Array) -> Arrays:
    """`C = AB` by A and B: `δ_im B_jk` and `A_ij δ_kl`."""
    shape = (len(A), B.shape[1])
    by_A, through = diagonal((*shape, *A.shape), "ikij")
    through[...] = B.T
    by_B, through = diagonal((*shape, *B.shape), "ikjk", 1.0)
    through[...] = A[:, None]
    return [by_A, by_B]


def matrix_product_left(A: Array, B: Array) -> Arrays:
    """`C = AB` by A alone."""
    by_A, through = diagonal((len(A), B.shape[1], *A.shape), "ikij")
    through[...] = B.T
    return [by_A]


def elementwise(X: Array) -> Arrays:
    """`sin(X) exp(X)`, entry by entry: `(sin + cos) exp` on the diagonal."""
    out, through = diagonal(X.shape * 2, "ijij")
    np.multiply(np.sin(X) + np.cos(X), np.exp(X), through)
    return [out]


def inverse(X: Array) -> Arrays:
    """`Y = inv(X)`: `-Y_ik Y_lj`."""
    Y = np.linalg.inv(X)
    return [np.multiply((-Y)[:, None, :, None], Y.T[None, :, None, :])]


def gram(X: Array) -> Arrays:
    """`X^T X`: `δ_il X_kj + δ_jl X_ki`."""
    n = X.shape[1]
    out, first = diagonal((n, n, *X.shape), "ijki", 1.0)
    _, second = diagonal((0, 0, 0, 0), "ijkj")
    steps = out.strides
    second = np.ndarray((n, n, len(X)), float, out, 0, (steps[0], steps[1] + steps[3], steps[2]))
    first[...] = X.T
    second += X.T[:, None]
    return [out]


def logistic(w: Array, X: Array, y: Array) -> Arrays:
    """The Hessian of the logistic loss, `X^T D X` as the half of a symmetric product."""
    p = 1 / (1 + np.exp(-y * (X @ w)))
    half = X * np.sqrt(p * (1 - p) * y * y)[:, None]
    return [half.T @ half]


def factorization(U: Array, V: Array, T: Array) -> Arrays:
    """The Hessian of `|T - U V^T|^2` by U: `2 δ_ij (V^T V)_rs`."""
    out, through = diagonal(U.shape * 2, "iris", 0.01)
    through[...] = 2 * (V.T @ V)
    return [out]


def two_layers(W: Array, v: Array, X: Array) -> Arrays:
    """The Hessian of `sum_b v . tanh(W x_b)` by W: `δ_ik sum_b c_bi x_bj x_bl`."""
    f = np.tanh(X @ W.T)
    c = -2 * v * f * (1 - f * f)
    out, through = diagonal(W.shape * 2, "ijil", 0.05)
    np.matmul((c[:, :, None] * X[:, None, :]).transpose(1, 2, 0), X, through) if len(X) > 1 else np.multiply(
        (c[0][:, None] * X[0])[:, :, None], X[0], through
    )
    return [out]


def net_by_samples(X: Array, A: Arrays) -> tuple[Array, list[Array], list[Array]]:
    """The values of every layer and, by sample, the Jacobian of the last by what each layer adds up."""
    values = [X]
    for matrix in A:
        values.append(np.tanh(values[-1] @ matrix.T))
    slopes = [1 - f * f for f in values[1:]]
    G = slopes[-1][:, :, None] * A[-1]
    for k in range(len(A) - 2, -1, -1):
        G *= slopes[k][:, None, :]
        if k:
            G = (G.reshape(-1, G.shape[-1]) @ A[k]).reshape(*G.shape[:2], -1)
    return G, values, slopes


def samples_by_x(X: Array, A: Arrays) -> Arrays:
    """Sample by sample, the last layer by the sample."""
    G, _, _ = net_by_samples(X, A)
    return [(G.reshape(math.prod(G.shape[:2]), -1) @ A[0]).reshape(*G.shape[:2], -1)]


def samples_by_first(X: Array, A: Arrays) -> Arrays:
    """Sample by sample, the last layer by the first matrix: `G[b, i, m] x[b, n]`."""
    G, _, _ = net_by_samples(X, A)
    return [G[..., None] * X[:, None, None, :]]
