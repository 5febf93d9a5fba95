"""f: R^N -> R^M: the Jacobian matrix, M x N, and the chain rule as a product of Jacobians.

Lecture: "Vector field differentiation" to "Combined Chain Rule".  Run: python examples/vector_field.py
"""

from __future__ import annotations

import numpy as np

import jacobians as jac

rng = np.random.default_rng(0)
A, B, x = rng.normal(size=(4, 3)), rng.normal(size=(2, 4)), rng.normal(size=3)

# f(x) = Ax: df_i/dx_j = A_ij, so the Jacobian is A itself.
J = jac.jacobian(lambda x: A @ x)(x)
print(J)
assert J.shape == (4, 3)  # M x N: target, then input
assert np.array_equal(np.asarray(J), A)


# The Jacobian of a composition is the product of the Jacobians.
def f(x):
    """R^3 -> R^4."""
    return np.tanh(A @ x)


def g(u):
    """R^4 -> R^2."""
    return np.sin(B @ u)


dg_df = jac.jacobian(g)(f(x))  # 2 x M
df_dx = jac.jacobian(f)(x)  # M x N
whole = jac.jacobian(lambda x: g(f(x)))(x)  # 2 x N
print("(2 x 4)(4 x 3) =", " x ".join(map(str, jac.chain(dg_df, df_dx).shape)))
assert np.allclose(jac.chain(dg_df, df_dx), whole)
assert np.allclose(np.asarray(dg_df) @ np.asarray(df_dx), whole)


# A curve inside a field: f = x1^2 + 2 x2 along x(t) = (sin t, cos t).
def curve(t):
    """R -> R^2."""
    return np.stack([np.sin(t), np.cos(t)])


def field(x):
    """R^2 -> R."""
    return x[0] ** 2 + 2 * x[1]


t = 0.7
df_dx, dx_dt = jac.jacobian(field)(curve(t)), jac.jacobian(curve)(t)
df_dt = jac.chain(df_dx, dx_dt)
print("df/dx =", np.asarray(df_dx), "  dx/dt =", np.asarray(dx_dt))
print("df/dt =", float(df_dt), "= 2 sin t (cos t - 1) =", 2 * np.sin(t) * (np.cos(t) - 1))
assert np.isclose(float(df_dt), 2 * np.sin(t) * np.cos(t) - 2 * np.sin(t))
assert np.isclose(float(df_dt), float(jac.jacobian(lambda t: field(curve(t)))(t)))
