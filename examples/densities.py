"""Probability densities: a Gaussian integrates to 1, and what its logarithm's derivatives are.

Lecture: "Probability density functions", "Sum & Product Rules".  Run: python examples/densities.py
"""

from __future__ import annotations

import numpy as np

import jacobians as jac


def normal(x, mean, deviation):
    """The density of N(mean, deviation^2) at x."""
    return np.exp(-0.5 * ((x - mean) / deviation) ** 2) / (np.sqrt(2 * np.pi) * deviation)


# 1. A density is nowhere negative and integrates to 1 (trapezoid rule, far beyond the tails).
x = np.linspace(-9, 9, 721)
p = normal(x, 0.3, 0.7)
print(f"integral of N(0.3, 0.7^2): {np.trapezoid(p, x):.12f}, smallest value {p.min():.1e}")
assert p.min() >= 0
assert abs(np.trapezoid(p, x) - 1) < 1e-12

# 2. Sum rule and product rule for two dependent variables: y given x is N(r x, 1 - r^2).
r = 0.6
y = np.linspace(-9, 9, 601)[:, None]
joint = normal(y, r * x, np.sqrt(1 - r**2)) * normal(x, 0, 1)  # p(y|x) p(x), an array y by x
marginal = np.trapezoid(joint, y[:, 0], axis=0)  # integrate y away
print(f"sum rule: largest error of p(x) = int p(x, y) dy: {np.abs(marginal - normal(x, 0, 1)).max():.1e}")
assert np.allclose(marginal, normal(x, 0, 1), atol=1e-12)

# 3. Bayes: the conditional the other way round is N(r y, 1 - r^2).
posterior = joint / np.trapezoid(joint, x, axis=1)[:, None]
near = np.abs(y[:, 0]) < 4
assert np.allclose(posterior[near], normal(x, r * y, np.sqrt(1 - r**2))[near], atol=1e-10)


# 4. Derivatives of the log-density of one point: by the point (the score), and by the parameters.
def log_density(x, mean, deviation):
    """log N(x | mean, deviation^2)."""
    return np.log(normal(x, mean, deviation))


J = jac.jacobian(log_density)(1.5, 0.3, 0.7)
z = (1.5 - 0.3) / 0.7
for name in J:
    print(f"d log p / d {name} = {float(J[name]):.6f}")
assert np.isclose(float(J["x"]), -z / 0.7)
assert np.isclose(float(J["mean"]), z / 0.7)
assert np.isclose(float(J["deviation"]), (z**2 - 1) / 0.7)
