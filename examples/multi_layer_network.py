"""K layers: the stored chain of Jacobians gives every gradient, and gradient descent trains the network.

Lecture: "Gradients of a Multi-Layer Neural Network".  Run: python examples/multi_layer_network.py
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

import jacobians as jac

rng = np.random.default_rng(1)
sizes = [3, 4, 2, 5]  # f_0 = x in R^3, then K = 3 layers
K = len(sizes) - 1
A = [rng.normal(size=(m, n)) / np.sqrt(n) for n, m in pairwise(sizes)]
b = [np.zeros(m) for m in sizes[1:]]
x, y = rng.normal(size=3), np.array([0.3, -0.5, 0.2, 0.6, -0.1])


def loss(A, b, x, y):
    """L = ||y - f_K||^2 with f_i = tanh(A_(i-1) f_(i-1) + b_(i-1))."""
    f = x
    for weights, bias in zip(A, b, strict=True):
        f = np.tanh(weights @ f + bias)
    return np.sum((y - f) ** 2)


# Forward pass: store df_(i+1)/df_i, and df_(i+1)/dtheta_i for both parameters of the layer.
f, by_value, by_parameter = x, [], []
for weights, bias in zip(A, b, strict=True):
    z, dz = jac.ops.affine(weights, f, bias)
    f, df = jac.ops.tanh(z)
    by_value.append(jac.chain(df["x"], dz["x"]))
    by_parameter.append({name: jac.chain(df["x"], dz[name]) for name in ("A", "b")})

# Backward pass: dL/dtheta_i = dL/df_K df_K/df_(K-1) ... df_(i+1)/dtheta_i.
row = jac.jacobian(lambda f: np.sum((y - f) ** 2))(f)
gradients = [{} for _ in range(K)]
for i in reversed(range(K)):
    gradients[i] = {name: jac.chain(row, stored) for name, stored in by_parameter[i].items()}
    row = jac.chain(row, by_value[i])

# The same from the whole function, all parameters at once (lists are mirrored).
whole = jac.jacobian(loss, wrt=["A", "b"])(A, b, x, y)
for i in range(K):
    print(f"dL/dA_{i}: 1 x ({' x '.join(map(str, gradients[i]['A'].shape))})   dL/db_{i}: 1 x {sizes[i + 1]}")
    assert np.allclose(gradients[i]["A"], whole["A"][i])
    assert np.allclose(gradients[i]["b"], whole["b"][i])

losses = [loss(A, b, x, y)]
for _ in range(60):
    J = jac.jacobian(loss, wrt=["A", "b"])(A, b, x, y)
    A = [weights - 0.05 * np.asarray(g) for weights, g in zip(A, J["A"], strict=True)]
    b = [bias - 0.05 * np.asarray(g) for bias, g in zip(b, J["b"], strict=True)]
    losses.append(loss(A, b, x, y))
print(f"\ngradient descent: L {losses[0]:.4f} -> {losses[20]:.4f} -> {losses[-1]:.6f}")
assert losses[-1] < 1e-2 * losses[0]
