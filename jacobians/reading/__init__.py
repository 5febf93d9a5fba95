"""Text to function: numpy syntax, matrix-calculus syntax, index notation, and declarations of shapes."""
