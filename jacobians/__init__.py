"""Explicit Jacobians of vectors, matrices and tensors."""
