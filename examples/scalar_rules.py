"""The rules of differentiation for f: R -> R: difference quotients, sum, product, chain and quotient rule.

Lecture: "Rules" to "Example: Scalar Chain Rule".  Run: python examples/scalar_rules.py
"""

from __future__ import annotations

import numpy as np

import jacobians as jac


def d(f, x):
    """The derivative of a scalar function at x: a Jacobian of shape ()."""
    return float(jac.jacobian(f)(x))


x = 0.8

# The derivative is the limit of the difference quotient: the error shrinks like h.
for h in (0.1, 0.01, 0.001):
    quotient = (np.sin(x + h) - np.sin(x)) / h
    print(f"h = {h:<6} quotient {quotient:.6f}, error {abs(quotient - d(np.sin, x)):.1e}")

# A table of derivatives.
n = 5
table = {
    "x^5": (lambda x: x**n, n * x ** (n - 1)),
    "sin x": (np.sin, np.cos(x)),
    "tanh x": (np.tanh, 1 - np.tanh(x) ** 2),
    "exp x": (np.exp, np.exp(x)),
    "log x": (np.log, 1 / x),
}
print()
for name, (function, claimed) in table.items():
    print(f"d/dx {name:7} = {d(function, x):.6f}, the slide says {claimed:.6f}")
    assert np.isclose(d(function, x), claimed, rtol=1e-14)


# The rules, for two functions.
def f(x):
    """sin x."""
    return np.sin(x)


def g(x):
    """x^3 + 2."""
    return x**3 + 2


df, dg = d(f, x), d(g, x)
assert np.isclose(d(lambda x: f(x) + g(x), x), df + dg)
assert np.isclose(d(lambda x: f(x) * g(x), x), df * g(x) + f(x) * dg)
assert np.isclose(d(lambda x: f(x) / g(x), x), (df * g(x) - f(x) * dg) / g(x) ** 2)
assert np.isclose(d(lambda x: g(f(x)), x), d(g, f(x)) * df)

print(f"\ng(z) = 6z + 3, z = -2x + 5: (6)(-2) = {d(lambda x: 6 * (-2 * x + 5) + 3, x):.0f}")
assert d(lambda x: 6 * (-2 * x + 5) + 3, x) == -12
assert np.isclose(d(lambda x: np.tanh(x**4), x), (1 - np.tanh(x**4) ** 2) * 4 * x**3)
