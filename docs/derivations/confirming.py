"""How the derivations are confirmed: against the engine, and against differences of values alone."""

import numpy as np


def differences(f, x, h=1e-6):
    """All entries of ∂f/∂x by central differences of f's values, shape target x input."""
    moved = []
    for k in range(x.size):
        e = np.zeros(x.size)
        e[k] = h
        e = e.reshape(x.shape)
        moved.append((f(x + e) - f(x - e)) / (2 * h))
    return np.stack(moved, axis=-1).reshape(np.shape(f(x)) + x.shape)


def confirmed(J, formula, f, x):
    """Whether engine, formula and differences agree on every entry, and on the shape."""
    dense, numbers = np.asarray(J), differences(f, x)
    same_shape = dense.shape == np.shape(formula) == numbers.shape
    return (
        same_shape and np.allclose(dense, formula, 1e-12, 1e-12) and np.allclose(dense, numbers, 1e-6, 1e-6)
    )
