"""Problems on vectors and matrices, as plain numpy functions: networks, chains, regressions.

`perceptron`, `encoder` (a small transformer), `layers` (the lecture's network of K layers), `width_chain`,
`logistic`, `factorization`, `relu_network`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..functions import log_softmax, relu, softmax

Weights = Mapping[str, Any]


def perceptron(W1: Any, b1: Any, W2: Any, b2: Any, x: Any, y: Any) -> Any:
    """The squared error of a network with one hidden layer: 0.5 |W2 tanh(W1 x + b1) + b2 - y|^2."""
    hidden = np.tanh(W1 @ x + b1)
    return 0.5 * np.sum((W2 @ hidden + b2 - y) ** 2)


def layer_norm(X: Any, gain: Any, shift: Any) -> Any:
    """Every row brought to mean 0 and variance 1, then scaled and shifted."""
    centred = X - np.mean(X, axis=-1, keepdims=True)
    return gain * centred / np.sqrt(np.mean(centred**2, axis=-1, keepdims=True) + 1e-5) + shift


def encoder(X: Any, p: Weights, target: Any) -> Any:
    """A transformer encoder block with cross-entropy: attention, residuals, layer norms, a tied output.

    X is tokens x width, `target` tokens x width, each row a distribution; the embedding p["E"] is used twice.
    """
    H = X @ p["E"]
    Q, K, V = H @ p["Q"], H @ p["K"], H @ p["V"]
    attention = softmax(Q @ K.T / np.sqrt(Q.shape[-1]), axis=-1)
    H = layer_norm(H + (attention @ V) @ p["O"], p["g1"], p["s1"])
    H = layer_norm(H + relu(H @ p["U"]) @ p["D"], p["g2"], p["s2"])
    return -np.mean(np.sum(target * log_softmax(H @ p["E"].T, axis=-1), axis=-1))


def layers(x: Any, A: Sequence[Any], b: Sequence[Any]) -> Any:
    """The lecture's network of K layers: f_k = tanh(A_k f_(k-1) + b_k)."""
    for matrix, shift in zip(A, b, strict=True):
        x = np.tanh(matrix @ x + shift)
    return x


def width_chain(x: Any, A: Sequence[Any]) -> Any:
    """Matrices and diagonals in turn: the Jacobian by x is D_n A_n ... D_1 A_1."""
    for matrix in A:
        x = np.sin(matrix @ x)
    return x


def logistic(w: Any, X: Any, y: Any) -> Any:
    """The logistic loss of labels y in -1, 1: sum log(1 + exp(-y X w)); its Hessian is X^T D X."""
    return np.sum(np.logaddexp(0.0, -y * (X @ w)))


def factorization(U: Any, V: Any, T: Any) -> Any:
    """The squared error of a factorization, |T - U V^T|^2."""
    return np.sum((T - U @ V.T) ** 2)


def relu_network(W1: Any, rest: Sequence[Any], x: Any) -> Any:
    """A network of relu layers, its outputs squared and summed; twice differentiated by the first layer."""
    x = relu(W1 @ x)
    for matrix in rest:
        x = relu(matrix @ x)
    return np.sum(x**2)


def random_layers(widths: Sequence[int], rng: np.random.Generator) -> list[np.ndarray]:
    """Matrices from each width to the next, scaled so that values keep their size."""
    return [rng.normal(size=(m, n)) / np.sqrt(n) for n, m in pairwise(widths)]


def chain_inputs(widths: Sequence[int]) -> Callable[[np.random.Generator], dict[str, Any]]:
    """Inputs of `width_chain` for these widths."""
    return lambda rng: {"x": rng.normal(size=widths[0]), "A": random_layers(widths, rng)}


def encoder_inputs(
    rng: np.random.Generator, tokens: int = 3, words: int = 5, width: int = 4
) -> dict[str, Any]:
    """Inputs of `encoder`: one-hot words, small weights, a distribution for every token."""
    shapes = {"E": (words, width), "Q": (width, 2), "K": (width, 2), "V": (width, 2), "O": (2, width)}
    shapes |= {"U": (width, 6), "D": (6, width)}
    p = {name: rng.normal(size=shape) * 0.5 for name, shape in shapes.items()}
    p |= {"g1": np.ones(width), "s1": np.zeros(width), "g2": np.ones(width), "s2": np.zeros(width)}
    target = rng.random(size=(tokens, words))
    return {"X": rng.normal(size=(tokens, words)), "p": p, "target": target / target.sum(-1, keepdims=True)}
