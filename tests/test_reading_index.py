"""Index notation: axes, deltas, and where a sum stands."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from jacobians.errors import JacobiansError, ReadingError, ShapeError, UnknownNameError
from jacobians.reading import is_index_claim, parse_index_claim

RNG = np.random.default_rng(3)
A = RNG.normal(size=(3, 4))
B = RNG.normal(size=(4, 5))
S = RNG.normal(size=(3, 3))
x = RNG.normal(size=4)
b = RNG.normal(size=3)
f = RNG.normal(size=3)
VALUES: dict[str, Any] = dict(A=A, B=B, S=S, x=x, b=b, f=f, c=2.0)
I3 = np.eye(3)
SIZES = {"i": 3, "m": 3}

TABLE: list[tuple[str, Any]] = [
    ("i|m n: delta[i,m] * x[n]", np.einsum("im,n->imn", I3, x)),
    ("n i m: x[n] * delta[i,m]", np.einsum("im,n->nim", I3, x)),
    ("i | m, n : δ[m,i] * x[n]", np.einsum("im,n->imn", I3, x)),
    ("i|mn: delta[i,m]*(1 - f[i]**2)*x[n]", np.einsum("im,i,n->imn", I3, 1 - f**2, x)),
    ("i|j: delta[i,j]*f[i] - f[i]*f[j]", np.diag(f) - np.outer(f, f)),
    ("i|n: A[i,n]", A),
    ("n|i: A[i,n]", A.T),
    ("i: A[i,k]*x[k]", A @ x),
    ("i l: A[i,k]*B[k,l]", A @ B),
    (": b[i]*A[i,k]*x[k]", b @ A @ x),
    (": S[k,k]", np.trace(S)),
    ("i: S[i,i]", np.diag(S)),
    (": x[k]", x.sum()),
    (": x[k]**2", (x**2).sum()),
    (": (x[k] - c)**2", ((x - 2) ** 2).sum()),
    (": (A[i,k]*x[k] - b[i])**2", ((A @ x - b) ** 2).sum()),
    ("i: tanh(A[i,k]*x[k])", np.tanh(A @ x)),
    ("i: np.tanh(A[i,k]*x[k] + b[i])", np.tanh(A @ x + b)),
    (
        "i|m n: delta[i,m]*(1 - tanh(A[i,k]*x[k])**2)*x[n]",
        np.einsum("im,i,n->imn", I3, 1 - np.tanh(A @ x) ** 2, x),
    ),
    (": log(exp(x[k]))", x.sum()),
    ("i m: delta[i,m]*(A[i,k]*x[k] + b[i])", np.diag(A @ x + b)),
    ("i: x[0]*b[i]/c - 2*b[i]", x[0] * b / 2 - 2 * b),
    ("i: A[i,-1] + A[i,1]", A[:, -1] + A[:, 1]),
    ("i k: A[i,k]*A[i,k]", A * A),
    ("i: A[i,k]*A[i,k]", (A * A).sum(1)),
    ("i m: delta[i,k]*delta[k,m]", I3),
    (": delta[i,m]*delta[i,m]", 3.0),
    ("i: b[i]/f[i]", b / f),
    ("i: b[i]/(f[k]*f[k])", b / (f @ f)),
    ("i: maximum(b[i], 0)", np.maximum(b, 0)),
    ("i m: b[i]", np.outer(b, np.ones(3))),
    ("i m: 1", np.ones((3, 3))),
    ("i: -b[i] + +f[i]", f - b),
    ("row|col: A[row,k]*B[k,col]", A @ B),
    ("i: b[i]**2/2**0.5", b**2 / 2**0.5),
]


@pytest.mark.parametrize(("text", "expected"), TABLE, ids=[text for text, _ in TABLE])
def test_dense_value(text: str, expected: Any) -> None:
    found = parse_index_claim(text).run(VALUES, SIZES)
    assert isinstance(found, np.ndarray)
    assert found.shape == np.shape(expected)
    assert np.allclose(found, expected, rtol=1e-13, atol=1e-13)


def test_the_table_can_fail() -> None:
    found = parse_index_claim("i|m n: delta[i,m] * x[n]").run(VALUES, SIZES)
    assert not np.allclose(found, np.einsum("im,n->imn", I3, x + 1))


def test_axes_are_told() -> None:
    claim = parse_index_claim("i|m n: delta[i,m] * A[k,n] * x[n] * c")
    assert claim.axes == ("i", "m", "n")
    assert (claim.target_axes, claim.input_axes) == (("i",), ("m", "n"))
    assert claim.names == ("A", "x", "c")
    assert (claim.letters(), claim.summed()) == (("i", "m", "n", "k"), ("k",))
    bare = parse_index_claim("n i m: x[n] * delta[i,m]")
    assert (bare.axes, bare.target_axes, bare.input_axes) == (("n", "i", "m"), None, None)
    scalar = parse_index_claim("|n: x[n]")
    assert (scalar.target_axes, scalar.input_axes) == ((), ("n",))


def test_a_size_travels_through_deltas() -> None:
    found = parse_index_claim("i|m n: delta[i,m] * delta[m,p] * b[p] * x[n]").run(VALUES)
    assert np.allclose(found, np.einsum("im,m,n->imn", I3, b, x))


def test_fractions_stay_exact() -> None:
    values = {"x": np.array([Fraction(1, 3), Fraction(1, 7)], dtype=object)}
    found = parse_index_claim("i: x[i]*x[k]*x[k]/3").run(values)
    assert found[0] == Fraction(1, 9) * (Fraction(1, 9) + Fraction(1, 49))


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("i|m n: delta[i,m] * x[n]", True),
        ("n i m: x[n]", True),
        (": x[k]", True),
        ("|n: x[n]", True),
        ("i | m, n : x[n]", True),
        ("x[:, None] * y", False),
        ("lambda t: t", False),
        ("A.T + 0*x", False),
        ("z = A[:, 0]; z", False),
        ("(lambda t: t)(x)", False),
    ],
)
def test_is_index_claim(text: str, is_one: bool) -> None:
    assert is_index_claim(text) is is_one


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        (
            "i|m n: delta[i,m]*x[n]",
            ShapeError,
            "axis i has no size: no factor but a delta carries it\n  i|m n: delta[i,m]*x[n]\n"
            "  try: sizes={'i': 3}",
        ),
        (
            "i: b[i]*x[i]",
            ShapeError,
            "size i is 3 from b and 4 from x\n  i: b[i]*x[i]\n          ^^^^\n  try: one letter, one size",
        ),
        (
            "i n: delta[i,n]*b[i]*x[n]",
            ShapeError,
            "delta[i,n] joins axes of sizes 3 and 4\n  i n: delta[i,n]*b[i]*x[n]\n  try: axes of one size",
        ),
        (
            "i: A[i]",
            ShapeError,
            "A has 1 indices and its value has 2 axes (3 × 4)\n  i: A[i]\n     ^^^^\n"
            "  try: one index for each axis",
        ),
        (
            "i: A*b[i]",
            ShapeError,
            "A has no indices and its value is 3 × 4\n  i: A*b[i]\n     ^\n  try: A[i,j]",
        ),
        (
            "i: q[i]",
            UnknownNameError,
            "unknown name 'q'\n  i: q[i]\n     ^  known: A, B, S, x, b, f, c\n"
            "  try: one of A, B, S, b, c, f, x",
        ),
        (
            "i: b[9]*b[i]",
            ShapeError,
            "index 9 is out of bounds for size 3\n  i: b[9]*b[i]\n     ^^^^\n  try: a smaller index",
        ),
        (
            "i i: b[i]",
            ReadingError,
            "axis i stands twice before the colon\n  i i: b[i]\n  ^^^\n  try: a delta: i j: delta[i,j]",
        ),
        ("b[i]", ReadingError, "the axes before the colon are missing\n  b[i]\n  ^\n  try: i|m n: b[i]"),
        (
            "i: b[i+1]",
            ReadingError,
            "an index is a letter or a number\n  i: b[i+1]\n       ^^^\n  try: A[i,k]",
        ),
        (
            "i: delta[i]",
            ReadingError,
            "a delta has two letters\n  i: delta[i]\n     ^^^^^^^^\n  try: delta[i,m]",
        ),
        (
            "i: sigmod(b[i])",
            ReadingError,
            "'sigmod' is not a function of single entries\n  i: sigmod(b[i])\n     ^^^^^^\n  try: sigmoid",
        ),
        (
            "α|β: b[β].T",
            ReadingError,
            "this cannot stand in index notation\n  α|β: b[β].T\n       ^^^^^^\n"
            "  try: products of indexed names: delta[i,m] * x[n]",
        ),
        (
            "i: b[i]*",
            ReadingError,
            "cannot read the formula: invalid syntax\n  i: b[i]*\n          ^\n  try: delta[i,m] * x[n]",
        ),
    ],
)
def test_messages(text: str, kind: type[JacobiansError], message: str) -> None:
    with pytest.raises(kind) as caught:
        parse_index_claim(text).run(VALUES)
    assert str(caught.value) == message


def test_given_sizes_are_checked() -> None:
    with pytest.raises(ShapeError, match="size i is 3 by the factors and 5 as given"):
        parse_index_claim("i: b[i]").run(VALUES, {"i": 5})
