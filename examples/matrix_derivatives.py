"""Derivatives by matrices and of matrices: df/dA of shape M x (M x N), dA/dx of shape (4 x 2) x 3.

Lecture: "Derivatives with respect to Matrices", examples 1 to 3.  Run: python examples/matrix_derivatives.py
"""

from __future__ import annotations

import numpy as np

import jacobians as jac

rng = np.random.default_rng(0)
M, N = 4, 3
A, x = rng.normal(size=(M, N)), rng.normal(size=N)

# Examples 1 and 2: f = Ax by A.  Row i of f sees only row i of A, so df/dA is x^T on a diagonal of blocks.
df_dA = jac.jacobian(lambda A, x: A @ x, wrt="A")(A, x)
print(df_dA)
assert df_dA.shape == (M, M, N)  # target axes, then (input axes)
i, k, q = 1, 2, 0
assert df_dA[i, i, q] == x[q]  # df_i/dA_iq = x_q
assert np.array_equal(np.asarray(df_dA[i, i]), x)  # df_i/dA_(i,:) = x^T
assert not np.asarray(df_dA[i, k]).any()  # df_i/dA_(k,:) = 0^T
assert np.array_equal(np.asarray(df_dA), np.einsum("im,n->imn", np.eye(M), x))
# Flattened, with A's rows one after another, it is the Kronecker product I (x) x^T.
assert np.array_equal(np.asarray(df_dA).reshape(M, M * N), np.kron(np.eye(M), x[None, :]))
# The zeros are never stored: the core is x itself, and a wiring says where it goes.
[(core, wiring)] = df_dA.core()
print("core", core.shape, "wiring", wiring)
assert np.array_equal(core, x)

# A matrix by a matrix: (P x Q) x (M x N).
B, C, X = rng.normal(size=(2, M)), rng.normal(size=(N, 5)), rng.normal(size=(M, N))
dF_dX = jac.jacobian(lambda X: B @ X @ C)(X)
print("\nd(BXC)/dX:", dF_dX.shape)
assert np.allclose(dF_dX, np.einsum("pm,nq->pqmn", B, C))

# Example 3: A(x) is 4 x 2 and x in R^3, dA/dx two equivalent ways.
T = rng.normal(size=(4, 2, 3))


def matrix(x):
    """A 4 x 2 matrix whose entries depend on x."""
    return np.tanh(T @ x) * x[1]


h = 1e-30  # partial derivatives by a complex step, exact to rounding
first = np.stack([matrix(x + 1j * h * unit).imag / h for unit in np.eye(3)], axis=2)  # 1: stack the partials
flat = jac.jacobian(lambda x: matrix(x).reshape(8))(x)  # 2: flatten A, 8 x 3 Jacobian, reshape
second = np.asarray(flat).reshape(4, 2, 3)
dA_dx = jac.jacobian(matrix)(x)
print("dA/dx:", dA_dx.shape)
assert np.allclose(first, dA_dx, rtol=1e-13)
assert np.array_equal(second, np.asarray(dA_dx))
