"""Numpy syntax: every text gives what Python and numpy give for the same formula."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from jacobians.errors import ReadingError
from jacobians.reading import Budget, parse, read

RNG = np.random.default_rng(7)
A = RNG.normal(size=(3, 4))
B = RNG.normal(size=(3, 4))
X = RNG.normal(size=(4, 2))
S = RNG.normal(size=(3, 3)) + 4 * np.eye(3)
P = S @ S.T
T = RNG.normal(size=(2, 3, 4))
x = RNG.normal(size=4)
u = RNG.normal(size=4)
b = RNG.normal(size=3)
p = RNG.uniform(0.1, 0.9, size=4)
s = np.float64(1.7)
VALUES: dict[str, Any] = dict(A=A, B=B, X=X, S=S, P=P, T=T, x=x, u=u, b=b, p=p, s=s, k=3, n=4)
k, n = 3, 4

TABLE: list[tuple[str, Callable[[], Any]]] = [
    # arithmetic
    ("A @ x + b", lambda: A @ x + b),
    ("z = A @ x + b; tanh(z)", lambda: np.tanh(A @ x + b)),
    (
        "z = A @ x + b\nf = np.tanh(z)\nL = 0.5*sum((f - b)**2)",
        lambda: 0.5 * np.sum((np.tanh(A @ x + b) - b) ** 2),
    ),
    ("-x**2", lambda: -(x**2)),
    ("2**-1", lambda: 0.5),
    ("2**3**2", lambda: 512),
    ("7 // 2 + 7 % 4 + 7 / 2", lambda: 9.5),
    ("+x - -x", lambda: 2 * x),
    ("x**k", lambda: x**3),
    ("k*x**(k-1)", lambda: 3 * x**2),
    ("p**0.5", lambda: p**0.5),
    ("2**x", lambda: 2**x),
    ("s", lambda: s),
    ("-12.0", lambda: -12.0),
    ("x % 1", lambda: x % 1),
    ("x // 0.5", lambda: x // 0.5),
    ("(x > 0) * x", lambda: (x > 0) * x),
    ("((x > 0) & (u > 0)) | ~(x > 0)", lambda: ((x > 0) & (u > 0)) | ~(x > 0)),
    ("x*u*x/u", lambda: x * x),
    # names with and without prefix
    ("numpy.exp(x) + np.exp(x) + exp(x)", lambda: 3 * np.exp(x)),
    ("np.linalg.inv(S) + linalg.inv(S) + inv(S)", lambda: 3 * np.linalg.inv(S)),
    ("np.pi + pi + math.pi + np.e + math.e", lambda: 3 * math.pi + 2 * math.e),
    ("math.sqrt(s) + math.factorial(4) + math.comb(5, 2)", lambda: math.sqrt(1.7) + 24 + 10),
    ("norm(x)", lambda: np.linalg.norm(x)),
    ("det(S) * trace(S)", lambda: np.linalg.det(S) * np.trace(S)),
    # methods and attributes
    ("A.T @ b", lambda: A.T @ b),
    ("A.mT", lambda: A.T),
    ("A.sum() + A.sum(0)[0] + A.sum(axis=1)[0]", lambda: A.sum() + A.sum(0)[0] + A.sum(1)[0]),
    ("A.mean(axis=1, keepdims=True)", lambda: A.mean(1, keepdims=True)),
    ("A.reshape(4, 3)", lambda: A.reshape(4, 3)),
    ("A.reshape(-1, order='F')", lambda: A.reshape(-1, order="F")),
    ("A.ravel('F') + A.flatten(order=\"F\")", lambda: 2 * A.ravel("F")),
    ("A.dot(x)", lambda: A.dot(x)),
    ("S.trace() + S.diagonal().sum()", lambda: 2 * np.trace(S)),
    ("T.transpose(2, 0, 1)", lambda: T.transpose(2, 0, 1)),
    ("T.swapaxes(0, 2).squeeze()", lambda: T.swapaxes(0, 2)),
    ("x.copy().prod() + x.max() - x.min()", lambda: x.prod() + x.max() - x.min()),
    ("x.cumsum() + x.cumprod()", lambda: x.cumsum() + x.cumprod()),
    ("(x > 0).astype(float)", lambda: (x > 0).astype(float)),
    ("A.shape[0] + A.ndim + A.size + len(A)", lambda: 3 + 2 + 12 + 3),
    ("np.ones(x.shape)", lambda: np.ones(4)),
    # constructors
    ("2*np.eye(x.shape[0])", lambda: 2 * np.eye(4)),
    ("np.eye(3, 4, k=1)", lambda: np.eye(3, 4, k=1)),
    ("np.zeros((2, n)) + np.full((2, 1), 3.0)", lambda: np.zeros((2, 4)) + 3.0),
    ("np.ones_like(A) + np.zeros_like(A)", lambda: np.ones((3, 4))),
    ("np.array([[2*x[0], x[1]], [s, 1]])", lambda: np.array([[2 * x[0], x[1]], [s, 1]])),
    ("np.array([1, 2], dtype=float)", lambda: np.array([1.0, 2.0])),
    ("np.arange(n)**2 + np.linspace(0, 1, n)", lambda: np.arange(4) ** 2 + np.linspace(0, 1, 4)),
    ("np.vander(x, 3, increasing=True)", lambda: np.vander(x, 3, increasing=True)),
    ("np.identity(3) + np.tri(3)", lambda: np.identity(3) + np.tri(3)),
    # algebra
    ("np.einsum('ia,b->iab', np.eye(A.shape[0]), x)", lambda: np.einsum("ia,b->iab", np.eye(3), x)),
    ("np.einsum('ij,j', A, x)", lambda: A @ x),
    ("np.einsum('...ij,j->...i', T, x)", lambda: T @ x),
    ("np.einsum(A, [0, 1], x, [1], [0])", lambda: A @ x),
    ("np.kron(np.eye(2), A)", lambda: np.kron(np.eye(2), A)),
    ("np.outer(b, x) + np.tensordot(b, x, axes=0)", lambda: 2 * np.outer(b, x)),
    ("np.tensordot(T, X, axes=([2], [0]))", lambda: T @ X),
    ("np.inner(A, B) + np.vdot(x, u) + dot(x, u)", lambda: A @ B.T + 2 * (x @ u)),
    ("np.cross(b, S[0])", lambda: np.cross(b, S[0])),
    ("np.diag(x) + np.diag(x[:3], k=1)", lambda: np.diag(x) + np.diag(x[:3], 1)),
    ("np.tril(S) - np.triu(S, 1)", lambda: np.tril(S) - np.triu(S, 1)),
    ("np.moveaxis(T, 0, -1) + np.transpose(T, (1, 2, 0))", lambda: 2 * np.moveaxis(T, 0, -1)),
    ("np.broadcast_to(x, (3, 4)) * np.expand_dims(b, 1)", lambda: np.outer(b, x)),
    # index maps
    ("x[0]**2*x[1] + x[-1]", lambda: x[0] ** 2 * x[1] + x[-1]),
    ("x[1:] - x[:-1]", lambda: x[1:] - x[:-1]),
    ("A[:, None, ::2]", lambda: A[:, None, ::2]),
    ("T[..., 0] + T[:, :, 0]", lambda: 2 * T[..., 0]),
    ("x[np.newaxis, :] + x[None]", lambda: 2 * x[None]),
    ("x[[0, 2, 2]]", lambda: x[[0, 2, 2]]),
    ("A[np.array([0, 2]), np.array([1, 3])]", lambda: A[[0, 2], [1, 3]]),
    ("A[np.ix_([0, 2], [1, 3])]", lambda: A[np.ix_([0, 2], [1, 3])]),
    ("S[np.tril_indices(3)]", lambda: S[np.tril_indices(3)]),
    ("x[p > 0.5]", lambda: x[p > 0.5]),
    ("np.delete(np.delete(S, 0, axis=0), 1, axis=1)", lambda: np.delete(np.delete(S, 0, 0), 1, 1)),
    ("np.concatenate([x, u]) + np.hstack((x, u))", lambda: 2 * np.concatenate([x, u])),
    ("np.stack([x, u], axis=1)", lambda: np.stack([x, u], axis=1)),
    (
        "np.block([[S, b[:, None]], [b[None, :], np.zeros((1, 1))]])",
        lambda: np.block([[S, b[:, None]], [b[None, :], np.zeros((1, 1))]]),
    ),
    ("np.where(x > 0, x, 0.1*x)", lambda: np.where(x > 0, x, 0.1 * x)),
    ("np.roll(x, 1) + np.flip(x) + x[::-1]", lambda: np.roll(x, 1) + 2 * x[::-1]),
    (
        "np.pad(x, (1, 2)) [1:5] + np.repeat(b[:2], 2) + np.tile(b[:2], 2)",
        lambda: x + np.repeat(b[:2], 2) + np.tile(b[:2], 2),
    ),
    ("np.take(x, [1, 0]) + np.sort(x)[:2]", lambda: x[[1, 0]] + np.sort(x)[:2]),
    ("np.reshape(A, (2, 6), order='F')", lambda: np.reshape(A, (2, 6), order="F")),
    # reductions
    ("np.sum(A*B) + sum(A*B)", lambda: 2 * np.sum(A * B)),
    ("max(x) + min(x) + np.max(x) + abs(-2) + round(2.4)", lambda: 2 * x.max() + x.min() + 2 + 2),
    (
        "np.cumsum(A, axis=1) + np.var(x) + np.std(x, ddof=1)",
        lambda: np.cumsum(A, axis=1) + np.var(x) + np.std(x, ddof=1),
    ),
    ("np.maximum(x, 0) + np.clip(x, -1, 1)", lambda: np.maximum(x, 0) + np.clip(x, -1, 1)),
    ("np.all(p > 0) and not np.any(p > 1)", lambda: True),
    # linear algebra
    ("np.linalg.solve(S, b)", lambda: np.linalg.solve(S, b)),
    ("np.linalg.slogdet(S)[1]", lambda: np.linalg.slogdet(S)[1]),
    ("sign, logdet = np.linalg.slogdet(S); logdet", lambda: np.linalg.slogdet(S)[1]),
    ("U, d, Vt = np.linalg.svd(A, full_matrices=False); U * d @ Vt", lambda: A),
    ("w, V = np.linalg.eigh(P); V @ np.diag(w) @ V.T", lambda: P),
    ("np.linalg.eigvalsh(P)", lambda: np.linalg.eigvalsh(P)),
    ("np.linalg.cholesky(P)", lambda: np.linalg.cholesky(P)),
    ("np.linalg.norm(A, 'fro') + np.linalg.norm(A, ord=2)", lambda: np.linalg.norm(A) + np.linalg.norm(A, 2)),
    (
        "np.linalg.pinv(A) + np.linalg.matrix_power(S, 3)[0, 0]",
        lambda: np.linalg.pinv(A) + np.linalg.matrix_power(S, 3)[0, 0],
    ),
    # lists, loops, conditions, lambdas
    ("np.array([x[i]**2 for i in range(len(x))])", lambda: x**2),
    ("sum(x[i]*u[i] for i in range(n))", lambda: x @ u),
    ("sum(a*c for a, c in zip(x, u))", lambda: x @ u),
    ("np.sum(x[i] for i in range(n))", lambda: x.sum()),
    ("np.array([[x[i] if i == j else 0 for j in range(n)] for i in range(n)])", lambda: np.diag(x)),
    ("sum(i*v for i, v in enumerate(x) if i != 2)", lambda: x[1] + 3 * x[3]),
    (
        "np.array([[sum(A[i, j]*X[j, l] for j in range(4)) for l in range(2)] for i in range(3)])",
        lambda: A @ X,
    ),
    ("np.array([i + j for i in range(3) for j in range(i)])", lambda: np.array([1, 2, 3])),
    ("x if n > 3 else u", lambda: x),
    ("x if 2 < n < 4 or k == 5 else u", lambda: u),
    ("g = lambda t: t**2 + 1; g(x) + g(u)", lambda: x**2 + u**2 + 2),
    ("c = 2; g = lambda t, m=c: m*t; c = 5; g(x) + g(x, 1)", lambda: 3 * x),
    ("(lambda t: t*(1 - t))(p)", lambda: p * (1 - p)),
    ("m = A.shape[0]; float(m)/int(2.0)", lambda: 1.5),
    ("max(k, n) + min(k, n) + max(s, 0)", lambda: 7 + 1.7),
    ("all(i >= 0 for i in range(3)) + any(i > 2 for i in range(3))", lambda: 1),
    ("[1, 2] + [3]", lambda: [1, 2, 3]),
    ("sorted([3, 1, 2])[0] + list(reversed(range(4)))[0] + tuple(x[:2])[0]", lambda: 1 + 3 + x[0]),
    ("np.concatenate([*[x, u]])", lambda: np.concatenate([x, u])),
    ("a = c = x; a + c", lambda: 2 * x),
    # variables win over functions of the same name
    ("diag = x; diag * 2", lambda: 2 * x),
    ("f = lambda e: e + 1  # comment; with a semicolon\nf(x)", lambda: x + 1),
    ("(x\n + u)", lambda: x + u),
]


@pytest.mark.parametrize(("text", "expected"), TABLE, ids=[text[:40] for text, _ in TABLE])
def test_value_is_that_of_python(text: str, expected: Callable[[], Any]) -> None:
    found, wanted = parse(text).run(VALUES), expected()
    assert np.shape(found) == np.shape(wanted)
    assert np.allclose(
        np.asarray(found, dtype=float), np.asarray(wanted, dtype=float), rtol=1e-13, atol=1e-13
    )


def test_the_table_can_fail() -> None:
    assert not np.allclose(parse("A @ x - b").run(VALUES), A @ x + b)


@pytest.mark.parametrize(
    ("text", "names", "assigned"),
    [
        ("z = A @ x + b; f = tanh(z)", ("A", "x", "b"), ("z", "f")),
        ("b + A @ x", ("b", "A", "x"), ()),
        ("U, s, V = np.linalg.svd(X); s", ("X",), ("U", "s", "V")),
        ("sum(x[i] for i in range(n)) + i", ("n", "x", "i"), ()),
        ("g = lambda t: t*c; g(x) + np.pi + pi", ("c", "x"), ("g",)),
        ("diag * diag(v)", ("diag", "v"), ()),
    ],
)
def test_names_are_free_names_in_order(text: str, names: tuple[str, ...], assigned: tuple[str, ...]) -> None:
    program = parse(text)
    assert (program.names, program.assigned, program.text) == (names, assigned, text)


def test_an_argument_keeps_its_name() -> None:
    with pytest.raises(ReadingError) as caught:
        parse("y = A @ x; x = y * x; x")
    assert str(caught.value).split("\n") == [
        "x is an argument and is given a new value",
        "  statement 2: x = y * x",
        "               ^",
        "  try: another name: x_new = y * x",
    ]
    assert parse("z = A @ x; z = np.tanh(z); z").assigned == ("z",)


def test_run_all_gives_every_assigned_name_and_the_result() -> None:
    found = parse("z = A @ x; g = lambda t: t + 1; f = g(z); 2*f").run_all(VALUES)
    assert list(found) == ["z", "f", ""]
    assert np.array_equal(found["f"], A @ x + 1)
    assert np.array_equal(found[""], 2 * (A @ x + 1))


def test_assigned_names_are_told() -> None:
    told: list[str] = []

    def name_value(value: Any, name: str) -> Any:
        told.append(name)
        return value + 1 if name == "z" else value

    result = parse("z = 2*x; m = 3; U, d = A, x; w = [x]; z + m").run({"x": x, "A": A}, name_value=name_value)
    assert told == ["z", "U", "d"]
    assert np.array_equal(result, 2 * x + 1 + 3)


def test_fractions_stay_exact() -> None:
    half = np.array([Fraction(1, 3), Fraction(2)], dtype=object)
    values = {"x": half, "A": np.array([[Fraction(1), Fraction(1, 7)]], dtype=object)}
    program = parse("0.5*(A @ x) + 1/3 + np.ones(1) + np.eye(2)[0, :1] + np.sum(x**2)*2**-1")
    found = program.run(values, number=Fraction)
    wanted = Fraction(1, 2) * (Fraction(1, 3) + Fraction(2, 7)) + Fraction(1, 3) + 2 + Fraction(37, 18)
    assert found[0] == wanted
    assert isinstance(found[0], Fraction)
    assert not isinstance(program.run(values)[0], Fraction)  # without `number` a float comes in


def test_complex_values_keep_their_imaginary_part() -> None:
    step = x + 1e-30j
    found = parse("y = x.astype(float); np.tanh(y) * float(y[0]) + np.array([y[1]], dtype=float)").run(
        {"x": step}
    )
    wanted = np.tanh(step) * step[0] + step[1]
    assert np.array_equal(found, wanted)
    assert np.all(found.imag != 0)


def test_single_precision_stays_single() -> None:
    assert parse("0.5*tanh(A @ x) + 1").run({"A": A.astype("f4"), "x": x.astype("f4")}).dtype == np.float32


def test_arguments_cannot_be_written_into() -> None:
    given = x.copy()
    for text in ("np.clip(x, 0, 1, x)", "x.clip(0, 1, x)", "np.sum(A, 0, float, x)", "x.cumsum(0, float, x)"):
        with pytest.raises(Exception, match="read-only"):
            parse(text).run({"x": given, "A": np.ones((4, 4))})
    assert np.array_equal(given, x)
    assert given.flags.writeable


class Traced(np.lib.mixins.NDArrayOperatorsMixin):
    """A stand-in for traced values: it may be computed with, and never be converted or looked into."""

    def __init__(self, value: Any) -> None:
        self.value = np.asarray(value)
        self.shape, self.ndim = self.value.shape, self.value.ndim

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a traced value was converted")

    def __bool__(self) -> bool:
        raise AssertionError("a branch was taken on a traced value")

    def __iter__(self) -> Any:
        raise AssertionError("a traced value was iterated")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return Traced(getattr(ufunc, method)(*(plain(value) for value in inputs), **kwargs))

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        result = function(*plain(list(args)), **kwargs)
        return tuple(map(Traced, result)) if isinstance(result, tuple) else Traced(result)

    def __getitem__(self, index: Any) -> Any:
        return Traced(self.value[index])

    def __getattr__(self, name: str) -> Any:
        method = getattr(np.ndarray, name)
        if not callable(method):
            return Traced(getattr(self.value, name))
        return lambda *args, **kwargs: Traced(method(self.value, *plain(list(args)), **kwargs))


def plain(value: Any) -> Any:
    """The arrays within."""
    if isinstance(value, list | tuple):
        return type(value)(plain(part) for part in value)
    return value.value if isinstance(value, Traced) else value


TRACEABLE = [
    "np.tanh(A @ x + b)",
    "z = A @ x; L = 0.5*sum((z - b)**2); L",
    "np.array([[2*x[0], x[1]], [1.0, x[2]]])",
    "np.array([x[i]**2 for i in range(len(x))])",
    "sum(a*c for a, c in zip(x, u))",
    "np.sum([x, u])",
    "np.einsum('ij,j->i', A, x) + A.T.sum(axis=0) + A.mean()",
    "np.concatenate([x, u]).reshape(2, -1) @ u",
    "np.where(x > 0, x, 0.1*x)",
    "x[0] if x[0] > 0 else 0.1*x[0]",
    "max(x) + max(x[0], 0) + abs(x[0])",
    "sign, l = np.linalg.slogdet(S); l",
    "a, c = A[:2]; a + c",
    "-x + np.linalg.norm(x) + float(x[0]) + np.outer(x, u)[0]",
    "U, d, V = np.linalg.svd(A); d",
]


@pytest.mark.parametrize("text", TRACEABLE)
def test_traced_values_pass_through(text: str) -> None:
    arrays = {name: value for name, value in VALUES.items() if isinstance(value, np.ndarray)}
    traced = parse(text).run({name: Traced(value) for name, value in arrays.items()})
    assert isinstance(traced, Traced)
    assert np.allclose(traced.value, parse(text).run(arrays))


def test_the_stand_in_notices_a_conversion() -> None:
    with pytest.raises(Exception, match="cannot compute"):
        parse("x[0] > 0 and x[1] > 0").run({"x": Traced(x)})


def test_programs_travel_between_processes() -> None:
    program = pickle.loads(pickle.dumps(parse("z = A @ x; tanh(z)")))
    assert np.array_equal(program.run(VALUES), np.tanh(A @ x))
    matrix = pickle.loads(pickle.dumps(parse("b'*A*x", "matrixcalculus")))
    assert np.allclose(matrix.run(VALUES), b @ A @ x)


def test_budget_can_be_set_and_grows_with_the_values() -> None:
    program = parse("sum(i for i in range(1000))")
    assert program.run({}) == 499_500
    with pytest.raises(MemoryError, match="more than 100 steps"):
        program.run({}, Budget(steps=100))
    large = np.ones((500, 4000))
    assert parse("np.sum(sum(a + 1 for i in range(20)))").run({"a": large}) == 8e7
    assert read("a @ a.T", a="M,N")(large).shape == (500, 500)


def test_a_long_sum_is_no_deep_one() -> None:
    assert parse("+".join(["k"] * 600)).run({"k": 1}) == 600
    assert parse("+".join(["k"] * 600), "matrixcalculus").run({"k": 1}) == 600
