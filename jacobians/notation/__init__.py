"""Notation: a Jacobian as index text, matrix form, LaTeX, a chain under braces, MathML and pictures."""
