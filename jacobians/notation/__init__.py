"""Notation: a Jacobian as index text, matrix form, LaTeX, a chain under braces, MathML and pictures.

Every renderer takes Terms, or the records of `records` (`Link`, `ChainView`) that hold Terms with names and
shapes, and none computes a number.  In reading order:

- `letters`, `naming`: letters for axes, names for values;
- `entries`, `reader`, `printers`: one entry as an expression, read from nodes, printed;
- `index`, `parse`: index form, einsum, claims, and reading a claim back;
- `forms`, `numpy_forms`, `contract`, `arrays`, `matrix`: whole arrays, and the matrix form;
- `records`, `blocks`: what is shown of a chain, and of the zeros in a tensor;
- `text`, `latex`, `mathml`, `svg`: the four outputs.
"""
