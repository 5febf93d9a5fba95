"""f: R^N -> R: partial derivatives, the gradient as a 1 x N row, and the rules once more.

Lecture: "Multivariate differentiation" and its rules.  Run: python examples/multivariate_rules.py
"""

from __future__ import annotations

import numpy as np

import jacobians as jac


def beginner(x):
    """x1^2 x2 + x1 x2^3."""
    return x[0] ** 2 * x[1] + x[0] * x[1] ** 3


def advanced(x):
    """(x1 + 2 x2^3)^2."""
    return (x[0] + 2 * x[1] ** 3) ** 2


x = np.array([0.7, -1.2])
a, b = x
print("beginner:", np.asarray(jac.jacobian(beginner)(x)))
print("advanced:", np.asarray(jac.jacobian(advanced)(x)))
assert np.allclose(jac.jacobian(beginner)(x), [2 * a * b + b**3, a**2 + 3 * a * b**2])
assert np.allclose(jac.jacobian(advanced)(x), [2 * (a + 2 * b**3), 12 * (a + 2 * b**3) * b**2])

# Partial derivatives change one coordinate at a time.
h = 1e-6
for i, step in enumerate(np.eye(2) * h):
    quotient = (beginner(x + step) - beginner(x)) / h
    assert np.isclose(quotient, jac.jacobian(beginner)(x)[i], rtol=1e-4)

# Product and quotient rule hold for scalar-valued f and g, entry by entry of the row.
f, g = beginner, advanced
df, dg = np.asarray(jac.jacobian(f)(x)), np.asarray(jac.jacobian(g)(x))
assert np.allclose(jac.jacobian(lambda x: f(x) * g(x))(x), df * g(x) + f(x) * dg)
assert np.allclose(jac.jacobian(lambda x: f(x) / g(x))(x), (df * g(x) - f(x) * dg) / g(x) ** 2)

# The multivariate chain rule: L(e) = 1/2 ||e||^2 with e = y - Ax.
rng = np.random.default_rng(0)
A, x, y = rng.normal(size=(4, 3)), rng.normal(size=3), rng.normal(size=4)
e = y - A @ x
dL_de = jac.jacobian(lambda e: 0.5 * e @ e)(e)  # e^T, 1 x M
de_dx = jac.jacobian(lambda x: y - A @ x)(x)  # -A, M x N
dL_dx = jac.chain(dL_de, de_dx)  # 1 x N
print("\ndL/de", dL_de.shape, "  de/dx", de_dx.shape, "  dL/dx", dL_dx.shape)
assert np.allclose(dL_de, e)
assert np.allclose(de_dx, -A)
assert np.allclose(dL_dx, -(y - A @ x) @ A)
