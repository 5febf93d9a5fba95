"""Matrix-calculus syntax: natural numpy ranks, constants that find their size, and the sample's own texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from jacobians.errors import JacobiansError, ReadingError, ShapeError, UnknownNameError
from jacobians.reading import parse

RNG = np.random.default_rng(11)
A = RNG.normal(size=(3, 4))
B = RNG.normal(size=(3, 4))
C = RNG.normal(size=(4, 2))
X = RNG.normal(size=(4, 3))
S = RNG.normal(size=(3, 3)) + 4 * np.eye(3)
x = RNG.normal(size=4)
y = RNG.normal(size=3)
w = RNG.normal(size=4)
s = np.float64(0.7)
VALUES: dict[str, Any] = dict(A=A, B=B, C=C, X=X, S=S, x=x, y=y, w=w, s=s, k=3)
I3, ones3, ones4 = np.eye(3), np.ones(3), np.ones(4)

TABLE: list[tuple[str, Callable[[], Any]]] = [
    ("y'*A*x", lambda: y @ A @ x),
    ("A*x", lambda: A @ x),
    ("y'*A", lambda: y @ A),
    ("(y'*A)'", lambda: y @ A),
    ("x*y'", lambda: np.outer(x, y)),
    ("x'*w", lambda: x @ w),
    ("s*x + x*s - x/s", lambda: 2 * s * x - x / s),
    ("A*C", lambda: A @ C),
    ("A'", lambda: A.T),
    ("x'", lambda: x),
    ("x''", lambda: x),
    ("x.'*w", lambda: x @ w),
    ("A.*B - A./B", lambda: A * B - A / B),
    ("x.*w", lambda: x * w),
    ("x'.*w'", lambda: x * w),
    ("x.^2 + 2.^x", lambda: x**2 + 2**x),
    ("x.^k", lambda: x**3),
    ("s^2 + s^-1 + s^(-2)", lambda: s**2 + 1 / s + s**-2.0),
    ("-s^2", lambda: -(s**2)),
    ("2^3^2", lambda: 64),
    ("S^2*y + S^-1*y", lambda: S @ S @ y + np.linalg.solve(S, y)),
    ("2.*x", lambda: 2 * x),
    ("1./x", lambda: 1 / x),
    ("1.5e0*x", lambda: 1.5 * x),
    ("2*-x", lambda: -2 * x),
    ("tr(A*X) + trace(X*A)", lambda: 2 * np.trace(A @ X)),
    ("log(det(S)) + logdet(S)", lambda: 2 * np.log(np.linalg.det(S))),
    ("inv(S)*y", lambda: np.linalg.solve(S, y)),
    ("inv(s)", lambda: 1 / s),
    ("adj(S)", lambda: np.linalg.det(S) * np.linalg.inv(S)),
    ("pinv(A)*y", lambda: np.linalg.pinv(A) @ y),
    ("norm1(x) + norm2(x) + norm2(A)", lambda: np.abs(x).sum() + np.linalg.norm(x) + np.linalg.norm(A)),
    ("norm2(A*x-y)^2", lambda: np.sum((A @ x - y) ** 2)),
    ("sum(x) + sum(A)", lambda: x.sum() + A.sum()),
    ("diag(x)*w", lambda: x * w),
    ("diag(S)", lambda: np.diag(S)),
    (
        "exp(x) + sin(x) + tanh(x) + abs(x) + sign(x)",
        lambda: np.exp(x) + np.sin(x) + np.tanh(x) + abs(x) + np.sign(x),
    ),
    ("sqrt(exp(A)) + arctan(A) + atan(A)", lambda: np.exp(A / 2) + 2 * np.arctan(A)),
    ("exp(y'*A)", lambda: np.exp(y @ A)),
    ("exp(-x'*w/2)", lambda: np.exp(-(x @ w) / 2)),
    ("max(x) - min(x) + mean(x)", lambda: x.max() - x.min() + x.mean()),
    ("vec(A)", lambda: A.ravel(order="F")),
    ("kron(A, S)", lambda: np.kron(A, S)),
    ("maximum(x, 0)", lambda: np.maximum(x, 0)),
    # constants that take their size from around
    ("vector(1)'*x", lambda: x.sum()),
    ("x'*vector(2)", lambda: 2 * x.sum()),
    ("A*vector(1)", lambda: A.sum(1)),
    ("vector(1)'*A", lambda: A.sum(0)),
    ("vector(1)'*A*vector(1)", lambda: A.sum()),
    ("x + vector(1)", lambda: x + 1),
    ("vector(1) - x", lambda: 1 - x),
    ("x' + vector(3)'", lambda: x + 3),
    ("s*vector(1) - x", lambda: s - x),
    ("log(vector(1) + exp(x))", lambda: np.log1p(np.exp(x))),
    ("exp(vector(1)) + x", lambda: np.e + x),
    ("A + matrix(1)", lambda: A + 1),
    ("A.*matrix(2)", lambda: A * 2),
    ("y'*matrix(1)*x", lambda: y.sum() * x.sum()),
    ("matrix(1)*x + y", lambda: x.sum() + y),
    ("A - y*vector(1)'", lambda: A - y[:, None]),
    ("A - vector(1)*x'", lambda: A - x),
    ("(y*vector(1)')*x", lambda: y * x.sum()),
    ("S*(y*vector(1)') + A", lambda: (S @ y)[:, None] + A),
    ("eye*x", lambda: x),
    ("x'*eye*w", lambda: x @ w),
    ("S + eye", lambda: S + I3),
    ("S - s*eye", lambda: S - s * I3),
    ("inv(S + 2*eye)*y", lambda: np.linalg.solve(S + 2 * I3, y)),
    ("inv(2*eye)*y", lambda: y / 2),
    ("eye' + S", lambda: S + I3),
    ("(eye - y*y')*y", lambda: y - y * (y @ y)),
    ("eye(3) + matrix(1, 3) + matrix(0, 3, 3)", lambda: I3 + 1),
    ("A*vector(1, 4) + ones(2, 3)", lambda: A.sum(1) + 2),
    # statements
    ("z = A*x; f = tanh(z); f'*f", lambda: np.tanh(A @ x) @ np.tanh(A @ x)),
    ("r = y'*A; r*x", lambda: y @ A @ x),
    ("one = vector(1); one'*x", lambda: x.sum()),
    ("eye = s; eye*x", lambda: s * x),
]


@pytest.mark.parametrize(("text", "expected"), TABLE, ids=[text[:40] for text, _ in TABLE])
def test_value_and_rank(text: str, expected: Callable[[], Any]) -> None:
    found, wanted = parse(text, "matrixcalculus").run(VALUES), expected()
    assert np.shape(found) == np.shape(wanted)
    assert np.allclose(found, wanted, rtol=1e-12, atol=1e-12)


def test_the_two_syntaxes_differ_where_they_should() -> None:
    assert np.shape(parse("S*S").run(VALUES)) == (3, 3)
    assert not np.allclose(parse("S*S").run(VALUES), parse("S*S", "matrixcalculus").run(VALUES))


@pytest.mark.parametrize(
    ("matrix", "numpy", "values"),
    [
        ("x^3", "x**k", {"x": s, "k": 3}),
        ("6*(-2*x+5)+3", "6*(-2*x + 5) + 3", {"x": s}),
        ("0.5*(y-A*x)'*(y-A*x)", "0.5*(y - A @ x) @ (y - A @ x)", {"y": y, "A": A, "x": x}),
        ("sin(t)^2+2*cos(t)", "np.sin(t)**2 + 2*np.cos(t)", {"t": s}),
        ("v'*x+c", "v @ x + c", {"v": w, "x": x, "c": s}),
        ("sum(A.*X)", "np.sum(A*X)", {"A": A, "X": B}),
        ("t*A+B", "t*A + B", {"t": s, "A": A, "B": B}),
        ("2*x*v'", "np.outer(2*x, v)", {"x": y, "v": x}),
        ("sum(a.*x.*x)", "np.sum(a*x*x)", {"a": x, "x": w}),
        ("u'*A*x", "u @ A @ x", {"u": y, "A": A, "x": x}),
    ],
)
def test_both_syntaxes_agree(matrix: str, numpy: str, values: dict[str, Any]) -> None:
    one, two = parse(matrix, "matrixcalculus").run(values), parse(numpy).run(values)
    assert np.shape(one) == np.shape(two)
    assert np.allclose(one, two)


def test_names_and_assigned() -> None:
    program = parse("z = A*x + eye*b; pi*tr(z*z')", "matrixcalculus")
    assert (program.names, program.assigned) == (("A", "x", "b"), ("z",))


def test_assigned_rows_are_named_by_their_arrays() -> None:
    told: dict[str, Any] = {}

    def name_value(value: Any, name: str) -> Any:
        told[name] = value
        return value

    program = parse("r = y'*A; e = eye; r*x", "matrixcalculus")
    program.run(VALUES, name_value=name_value)
    assert list(told) == ["r"]
    assert np.allclose(told["r"], y @ A)
    assert list(program.run_all(VALUES)) == ["r", ""]


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (
            "x*w",
            ShapeError,
            "a column of 4 times a column of 4 has no meaning\n  x*w\n  ^^^\n"
            "  try: x'*y (inner), x*y' (outer) or x.*y (elementwise)",
        ),
        (
            "s + A*y",
            ShapeError,
            "a matrix of 3 × 4 times a column of 3: the inner sizes 4 and 3 differ\n  s + A*y\n      ^^^\n"
            "  try: a transpose: A'*x",
        ),
        (
            "A + x",
            ShapeError,
            "a matrix of 3 × 4 and a column of 4 are not of one shape\n  A + x\n  ^^^^^\n"
            "  try: x*vector(1)' to repeat a column",
        ),
        (
            "x^2",
            ShapeError,
            "^ takes a scalar or a square matrix\n  x^2\n  ^^^\n  try: .^ for an elementwise power",
        ),
        (
            "1/x",
            ShapeError,
            "/ divides by a scalar\n  1/x\n  ^^^\n"
            "  try: ./ for elementwise division, inv(A)*b for a solution",
        ),
        (
            "det(A)",
            ShapeError,
            "det takes a square matrix, not a matrix of 3 × 4\n  det(A)\n  ^^^^^^\n  try: det(X'*X)",
        ),
        (
            "z = eye; z",
            ShapeError,
            "the size of a constant such as vector(1) or eye cannot be known here\n  statement 2: z\n"
            "               ^\n  try: vector(1, n), matrix(1, m, n) or eye(n)",
        ),
        ("A @ x", ReadingError, "'@' cannot stand here\n  A @ x\n    ^\n  try: * is the matrix product"),
        ("2x", ReadingError, "'x' cannot stand here\n  2x\n   ^\n  try: an operator between two values: 2*x"),
        ("A*", ReadingError, "the statement ends too early\n  A*\n    ^\n  try: A*x + b"),
        ("sofmax(x)", ReadingError, "'sofmax' is not an operation\n  sofmax(x)\n  ^^^^^^\n  try: softmax"),
        (
            "A*x + q",
            UnknownNameError,
            "unknown name 'q' in statement 1\n  A*x + q\n        ^  known: A, B, C, X, S, x, y, w, s, k\n"
            "  try: declare q:rows,cols",
        ),
        (
            "A[1]",
            ReadingError,
            "'[' is not read in matrix-calculus syntax\n  A[1]\n   ^\n  try: + - * / ^ .* ./ .^ ' ( )",
        ),
        (
            "x; y",
            ReadingError,
            "statement 1 is computed and not used\n  statement 1: x\n               ^\n"
            "  try: give it a name: z = x",
        ),
        ("(x", ReadingError, "'(' is never closed\n  (x\n  ^\n  try: close it"),
    ],
)
def test_messages(text: str, kind: type[JacobiansError], message: str) -> None:
    with pytest.raises(kind) as caught:
        parse(text, "matrixcalculus").run(VALUES)
    assert str(caught.value) == message
