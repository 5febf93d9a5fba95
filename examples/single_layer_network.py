"""One layer, f = tanh(Ax + b): every partial of the slides, the slide's code, and what is wrong with it.

Lecture: "Gradients of a Single-Layer Neural Network".  Run: python examples/single_layer_network.py
"""

from __future__ import annotations

import numpy as np

import jacobians as jac

rng = np.random.default_rng(0)
M, N = 4, 3
A, x, b = rng.normal(size=(M, N)), rng.normal(size=N), rng.normal(size=M)

# Step by step, as on the slides: each operation gives its value and its local Jacobians.
z, dz = jac.ops.affine(A, x, b)
f, df = jac.ops.tanh(z)
print("df/dz", df["x"].shape, " dz/dA", dz["A"].shape, " dz/dx", dz["x"].shape, " dz/db", dz["b"].shape)
assert np.allclose(df["x"], np.diag(1 - np.tanh(z) ** 2))
assert np.array_equal(np.asarray(dz["x"]), A)
assert np.array_equal(np.asarray(dz["b"]), np.eye(M))

# The chain rule, and the whole function at once.
whole = jac.jacobian(lambda A, x, b: np.tanh(A @ x + b))(A, x, b)
for name in ("A", "x", "b"):
    composed = jac.chain(df["x"], dz[name])
    print(f"df/d{name}:", composed)
    assert np.allclose(composed, whole[name])


def NN(x, A, b, diagonal):
    """The slide's code; with `diagonal` the correction that it needs."""
    M, N = A.shape
    z = A.dot(x) + b
    f = np.tanh(z)
    dfdz = np.diag(1 - f**2) if diagonal else 1 - f**2
    dzdA = np.zeros((M, M, N))
    for i in range(M):
        dzdA[i, i, :] = x.T
    dfdx, dfdb = np.einsum("il, lj", dfdz, A), np.einsum("il, lj", dfdz, np.eye(M))
    return dfdx, dfdb, np.einsum("il, ljk", dfdz, dzdA)


# df/dz is an M x M diagonal.  As a vector, einsum refuses it; as a column, einsum stretches it and is wrong.
try:
    NN(x, A, b, diagonal=False)
    raise AssertionError("einsum took a vector for a matrix")
except ValueError as error:
    print("\nvectors:", error)
dfdx, _, _ = NN(x[:, None], A, b[:, None], diagonal=False)
right = np.asarray(whole["x"])
print(f"columns: relative error of df/dx {np.linalg.norm(dfdx - right) / np.linalg.norm(right):.2f}")
assert not np.allclose(dfdx, right, rtol=0.1)
for computed, name in zip(NN(x, A, b, diagonal=True), ("x", "b", "A"), strict=True):
    assert np.allclose(computed, whole[name])
print("with np.diag(1 - f**2): all three right")
