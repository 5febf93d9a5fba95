"""Two cartons of fruit and one banana: sum and product rule as einsum contractions, and their Jacobians.

Lecture: "Illustration: Bayesian Inference".  Run: python examples/bayes_cartons.py
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

import jacobians as jac

# Exact numbers first.  x is the carton (c1, c2), y the fruit (banana, apple).
half, fifth = Fraction(1, 2), Fraction(1, 5)
prior = np.array([half, half])  # p(x)
likelihood = np.array([[2 * fifth, 4 * fifth], [3 * fifth, 1 * fifth]])  # p(y|x), rows y, columns x

joint = np.einsum("yx,x->yx", likelihood, prior)  # product rule: p(x, y) = p(y|x) p(x)
evidence = np.einsum("yx->y", joint)  # sum rule: p(y) = sum_x p(x, y)
posterior = joint[0] / evidence[0]  # Bayes: p(x|banana) = p(banana, x) / p(banana)

print(f"p(banana)    = {evidence[0]}")
print(f"p(c1|banana) = {posterior[0]}, p(c2|banana) = {posterior[1]}")
assert evidence[0] == Fraction(3, 5)
assert posterior[0] == Fraction(1, 3)
assert joint.sum() == 1


# How does the posterior move when the prior or the likelihood of a banana does?
def bayes(prior, banana):
    """p(x|banana) from p(x) and p(banana|x)."""
    return banana * prior / (banana @ prior)


J = jac.jacobian(bayes)(prior.astype(float), likelihood[0].astype(float))
print("\nd posterior / d prior\n", np.asarray(J["prior"]).round(4))
print("d posterior / d likelihood\n", np.asarray(J["banana"]).round(4))

# The quotient rule, exactly, with v = p(banana|x), p the prior and E the evidence.
v, E = likelihood[0], evidence[0]
by_prior = np.diag(v) / E - np.outer(v * prior, v) / E**2
by_likelihood = np.diag(prior) / E - np.outer(v * prior, prior) / E**2
assert by_prior.tolist() == [[Fraction(4, 9), Fraction(-4, 9)], [Fraction(-4, 9), Fraction(4, 9)]]
assert np.allclose(J["prior"], by_prior.astype(float), rtol=1e-14)
assert np.allclose(J["banana"], by_likelihood.astype(float), rtol=1e-14)
# The posterior always sums to 1, so every column of its Jacobian sums to 0.
assert np.allclose(np.asarray(J["prior"]).sum(axis=0), 0)
