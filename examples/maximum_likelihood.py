"""Training is maximum likelihood: the constant that the slide has wrong, and when the squared loss is right.

Lecture: "Training NNs as Maximum Likelihood Estimation".  Run: python examples/maximum_likelihood.py
"""

from __future__ import annotations

import numpy as np

import jacobians as jac

rng = np.random.default_rng(0)
N, D, M = 5, 2, 3  # data, inputs, outputs
X, Y = rng.normal(size=(N, D)), rng.normal(size=(N, M))
A, b = rng.normal(size=(M, D)), rng.normal(size=M)


def outputs(A, b):  # f(x_n) for all n: N x M
    return np.tanh(X @ A.T + b)


def log_density(F):  # log N(y_n | f(x_n), I) for each n, as the product of M one-dimensional densities
    return np.log(np.prod(np.exp(-0.5 * (Y - F) ** 2) / np.sqrt(2 * np.pi), axis=1))


F = outputs(A, b)
half_squares = 0.5 * np.sum((Y - F) ** 2, axis=1)
literal = N / 2 * np.log(2 * np.pi) - half_squares  # the slide
right = -M / 2 * np.log(2 * np.pi) - half_squares  # minus, and M = dim(y), not N
print("log density ", log_density(F).round(4))
print("slide       ", literal.round(4), f" off by {(literal - log_density(F))[0]:.4f} = (N + M)/2 log(2 pi)")
print("-M/2 log 2pi", right.round(4))
assert np.allclose(log_density(F), right)
assert np.allclose(literal - log_density(F), (N + M) / 2 * np.log(2 * np.pi))

# The constant does not depend on the parameters: same gradient, same minimiser.
negative = jac.jacobian(lambda A, b: -np.sum(log_density(outputs(A, b))))(A, b)
squares = jac.jacobian(lambda A, b: 0.5 * np.sum((Y - outputs(A, b)) ** 2))(A, b)
no_half = jac.jacobian(lambda A, b: np.sum((Y - outputs(A, b)) ** 2))(A, b)
for name in ("A", "b"):
    assert np.allclose(negative[name], squares[name])
    assert np.allclose(no_half[name], 2 * np.asarray(squares[name]))  # the multi-layer slide has no 1/2
print("\nd(-log p)/dA = d(1/2 squares)/dA:", negative["A"].shape)

# With noise N(0, Sigma) the squared loss is maximum likelihood only for Sigma = s^2 I.
y, direction, Sigma = np.array([1.0, 0.0]), np.array([1.0, 1.0]), np.diag([4.0, 0.01])


def minimiser(weights):
    """The a that minimises 1/2 e^T W e, e = y - a (1, 1): one Newton step, the loss being quadratic."""

    loss = lambda a: 0.5 * (y - a * direction) @ weights @ (y - a * direction)  # noqa: E731
    return -float(jac.jacobian(loss)(0.0)) / float(jac.hessian(loss)(0.0))


squared, likely = minimiser(np.eye(2)), minimiser(np.linalg.inv(Sigma))
print(f"squared loss: a = {squared:.3f}; maximum likelihood: a = {likely:.5f}")
assert np.isclose(squared, 0.5)
assert np.isclose(likely, 0.25 / 100.25)
