"""Gradient descent: the update with its shapes, steps that fall and steps that do not, and a saddle.

Lecture: "Gradient descent for neural network optimisation".  Run: python examples/gradient_descent.py
"""

from __future__ import annotations

import numpy as np

import jacobians as jac


def descend(loss, theta, gamma, rounds):
    """theta <- theta - gamma (dL/dtheta)^T; the losses on the way and the last theta."""
    step = jac.value_and_jacobian(loss).compile(theta, dense=True)
    losses = []
    for _ in range(rounds):
        value, gradient = step(theta)
        losses.append(float(value))
        theta = theta - gamma * gradient
    return np.array([*losses, float(step(theta)[0])]), theta


# A single-layer network, its parameters {A, b} stacked to one column theta.
x, y = np.array([0.5, -1.0, 0.3]), np.array([0.3, -0.5])


def network_loss(theta):
    """1/2 ||y - tanh(Ax + b)||^2."""
    A, b = theta[:6].reshape(2, 3), theta[6:]
    return 0.5 * np.sum((y - np.tanh(A @ x + b)) ** 2)


start = np.random.default_rng(0).normal(size=8)
for gamma in (0.1, 0.5, 6.0):
    losses, _ = descend(network_loss, start, gamma, 60)
    falls = bool(np.all(np.diff(losses) <= 0))
    print(f"gamma = {gamma}: L {losses[0]:.4f} -> {losses[-1]:.2e}, never increasing: {falls}")
    assert falls == (gamma < 1)

# For A kept as a matrix the gradient is M x N already: no transpose.
A, b = start[:6].reshape(2, 3), start[6:]
J = jac.jacobian(lambda A: 0.5 * np.sum((y - np.tanh(A @ x + b)) ** 2))(A)
assert J.shape == A.shape
assert np.allclose(np.asarray(J).ravel(), np.asarray(jac.jacobian(network_loss)(start))[:6])


# "... converges to a local minimum": not always.  This loss never increases, and ends on a saddle.
def saddle(theta):
    """x^2 + (y^2 - 1)^2: minima at (0, 1) and (0, -1)."""
    return theta[0] ** 2 + (theta[1] ** 2 - 1) ** 2


losses, end = descend(saddle, np.array([1.0, 0.0]), 0.05, 200)
eigenvalues = np.linalg.eigvalsh(np.asarray(jac.hessian(saddle)(end)))
print(f"\nsaddle: ends at {end.round(6)}, L = {losses[-1]:.6f}, Hessian eigenvalues {eigenvalues.round(6)}")
assert np.all(np.diff(losses) <= 0)
assert eigenvalues[0] < 0 < eigenvalues[1]
