"""A polynomial fitted by gradient descent and by least squares, and what overfitting looks like.

Lecture: "Scenario 1", "Linear Regression with Polynomials".  Run: python examples/polynomial_fit.py
"""

from __future__ import annotations

import numpy as np

import jacobians as jac

x = np.array([-1.0, -0.78, -0.56, -0.33, -0.11, 0.11, 0.33, 0.56, 0.78, 1.0])
y = np.array([0.15, -0.55, -1.2, -0.65, -0.45, 0.5, 0.7, 1.15, 0.45, 0.1])  # sin(pi x) and noise
x_test = np.linspace(-0.9, 0.9, 9)
y_test = np.sin(np.pi * x_test)


def features(x, degree):
    """[1, x, ..., x^degree] for each x."""
    return np.vander(x, degree + 1, increasing=True)


def loss(theta, V, y):
    """L(theta) = sum_i (y_i - theta^T x_i)^2."""
    return np.sum((y - V @ theta) ** 2)


def rmse(theta, x, y):
    """Root mean squared error."""
    return np.sqrt(loss(theta, features(x, len(theta) - 1), y) / len(x))


# Gradient descent on degree 3: the gradient is the 1 x (D + 1) Jacobian of the loss.
V = features(x, 3)
theta = np.zeros(4)
gradient = jac.jacobian(loss, wrt="theta").compile(theta, V, y, dense=True)
assert np.allclose(gradient(theta, V, y), -2 * (y - V @ theta) @ V)
for _ in range(3000):
    theta = theta - 0.05 * gradient(theta, V, y)
best = np.linalg.lstsq(V, y, rcond=None)[0]
print("gradient descent:", theta.round(4), f"loss {loss(theta, V, y):.6f}")
print("least squares:   ", best.round(4), f"loss {loss(best, V, y):.6f}")
assert np.allclose(theta, best, atol=1e-4)

# The Hessian 2 V^T V does not depend on theta: the loss is a bowl, with one minimum.
H = np.asarray(jac.hessian(loss, wrt="theta")(theta, V, y))
assert np.allclose(H, 2 * V.T @ V)

print("\ndegree  training error  test error")
for degree in (1, 3, 5, 7, 9):
    fit = np.linalg.lstsq(features(x, degree), y, rcond=None)[0]
    print(f"{degree:6}{rmse(fit, x, y):16.4f}{rmse(fit, x_test, y_test):12.4f}")
assert rmse(fit, x, y) < 1e-10  # degree 9 goes through all ten points ...
assert rmse(fit, x_test, y_test) > 5 * rmse(best, x_test, y_test)  # ... and misses what lies between
