"""What rows cannot say of matrix operations: structure, laws, third order, singular points, errors."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jacobians as jac
from jacobians.axes import symbol
from jacobians.errors import JacobiansError, ShapeError, SingularMatrixError, UnsupportedError
from jacobians.graph import linearize
from jacobians.ops import determinant
from jacobians.ops import exponential as exponential_module
from jacobians.ops.determinant import cofactors
from jacobians.ops.exponential import exponential, frechet
from jacobians.traces import symbolic_variable
from jacobians.tracing import Traced

from .cases.matrix import expm
from .oracles import differences, listed

T = np.matrix_transpose
linalg = np.linalg
seeds = st.integers(0, 10_000)


def random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def regular(n: int, seed: int = 0) -> Any:
    """A square matrix with singular values between 1 and about n + 1."""
    u, _, vt = linalg.svd(random(n, n, seed=seed))
    return (u * (1.0 + np.arange(n))) @ vt


def dense(f: Callable[..., Any], *args: Any, **options: Any) -> np.ndarray:
    return np.asarray(jac.jacobian(f, **options)(*args))


def delta(*shape: int) -> np.ndarray:
    """The derivative of an array by itself."""
    return np.eye(int(np.prod(shape))).reshape(*shape, *shape)


def close(found: Any, expected: Any, tolerance: float = 1e-10) -> bool:
    scale = max(1.0, float(np.max(np.abs(expected), initial=0)))
    return np.shape(found) == np.shape(expected) and bool(
        np.max(np.abs(found - expected), initial=0) <= tolerance * scale
    )


# ---- structure: factors are kept apart, a batch is a shared label


KEPT = [
    ("inv", linalg.inv, 1),
    ("cholesky", lambda x: linalg.cholesky(x @ x.T), 6),
    ("pinv", linalg.pinv, 4),
    ("square", lambda x: linalg.matrix_power(x, 2), 2),
    ("eigh", lambda x: linalg.eigh(x)[1], 4),
    ("svd", lambda x: linalg.svd(x)[0], 6),
    ("qr", lambda x: linalg.qr(x)[0], 6),
]


@pytest.mark.parametrize(("name", "f", "matrices"), KEPT, ids=[name for name, *_ in KEPT])
def test_factors_are_matrices_and_never_the_tensor(name: str, f: Callable[..., Any], matrices: int) -> None:
    n = 60
    J = jac.jacobian(f)(random(n, n) + n * np.eye(n))
    assert J.shape == (n, n, n, n)
    assert J.nbytes <= matrices * n * n * 8  # the tensor has n^4 = 104 MB
    assert J.jvp(np.ones((n, n))).shape == J.vjp(np.ones((n, n))).shape == (n, n)


def test_the_tensor_itself_is_refused_where_it_is_too_large() -> None:
    J = jac.jacobian(linalg.inv)(np.eye(200))
    with pytest.raises(JacobiansError, match=r"needs 12\.8 GB"):
        np.asarray(J)
    assert J[3, 4, 3, 4] == -1.0
    assert J[3, 4, 4, 3] == 0.0


def test_solve_keeps_a_matrix_and_a_vector() -> None:
    n = 50
    J = jac.jacobian(linalg.solve, wrt="a")(random(n, n) + n * np.eye(n), random(n))
    assert J.nbytes == 8 * (n * n + n)


BATCHED = [
    (linalg.inv, "baj"),
    (linalg.det, "b"),
    (lambda x: linalg.slogdet(x)[1], "b"),
    (linalg.cholesky, "b"),
    (linalg.eigvalsh, "b"),
    (linalg.svdvals, "b"),
    (linalg.pinv, "b"),
    (expm, "b"),
]


@pytest.mark.parametrize("f", [f for f, _ in BATCHED])
def test_a_batch_is_a_shared_label(f: Callable[..., Any]) -> None:
    """The core runs over the batch once: per-sample Jacobians, of which the dense tensor is the diagonal."""
    x = np.stack([regular(3, seed=k) + 6 * np.eye(3) for k in range(5)])
    J = jac.jacobian(f)(x)
    assert J.nnz * 5 == J.size
    total = np.zeros((*J.target_shape, 3, 3))
    for array, text in J.core():
        carried, _, wiring = text.replace(" ", "").partition(":")
        target, _, given = wiring.partition("|")
        assert array.shape[0] == 5
        assert carried[0] == target[0] == given[0]
        assert wiring.count(target[0]) == 2
        total += np.einsum(f"{carried}->{target + given[1:]}", array)
    for k in range(5):
        assert close(total[k], dense(f, x[k]), 1e-12)


# ---- laws: putting a factorization together again gives the identity's Jacobian


def rebuilt_svd(x: Any) -> Any:
    u, s, vt = linalg.svd(x, full_matrices=False)
    return u * s @ vt


def rebuilt_eigh(x: Any) -> Any:
    w, v = linalg.eigh(x)
    return v * w @ v.T


def rebuilt_qr(x: Any) -> Any:
    q, r = linalg.qr(x)
    return q @ r


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
@pytest.mark.parametrize("rebuilt", [rebuilt_svd, rebuilt_qr])
@given(seed=seeds)
@settings(max_examples=8, deadline=None)
def test_factors_multiply_back_to_x(rebuilt: Callable[..., Any], shape: tuple[int, int], seed: int) -> None:
    x = random(*shape, seed=seed) + 2 * np.eye(*shape)
    assert close(dense(rebuilt, x), delta(*shape), 1e-7)


@pytest.mark.parametrize("rebuilt", [rebuilt_eigh, lambda x: linalg.cholesky(x) @ linalg.cholesky(x).T])
@given(seed=seeds)
@settings(max_examples=8, deadline=None)
def test_symmetric_factors_multiply_back_to_the_symmetric_part(
    rebuilt: Callable[..., Any], seed: int
) -> None:
    x = np.diag([4.0, 7.0, 10.0]) + random(3, 3, seed=seed) / 4
    symmetrised = (delta(3, 3) + delta(3, 3).swapaxes(2, 3)) / 2
    assert close(dense(rebuilt, x), symmetrised, 1e-9)
    assert not close(dense(rebuilt, x), delta(3, 3), 1e-2)


@given(seed=seeds)
@settings(max_examples=10, deadline=None)
def test_inverse_laws(seed: int) -> None:
    x, y = regular(3, seed), regular(3, seed + 1)
    assert close(dense(lambda x: linalg.inv(linalg.inv(x)), x), delta(3, 3), 1e-9)
    assert close(dense(lambda x: linalg.inv(x) @ x, x), np.zeros((3, 3, 3, 3)), 1e-11)
    assert close(dense(lambda x: linalg.det(x @ y), x), linalg.det(y) * dense(linalg.det, x), 1e-9)
    assert close(dense(lambda x: linalg.solve(x, y), x), dense(lambda x: linalg.inv(x) @ y, x), 1e-9)
    assert close(dense(lambda x: linalg.matrix_power(x, -2), x), dense(lambda x: linalg.inv(x @ x), x), 1e-9)
    assert close(dense(lambda x: linalg.pinv(x), x), dense(linalg.inv, x), 1e-9)


@given(seed=seeds)
@settings(max_examples=10, deadline=None)
def test_exponential_laws(seed: int) -> None:
    x = random(3, 3, seed=seed)
    assert close(dense(lambda x: expm(x) @ expm(-x), x), np.zeros((3, 3, 3, 3)), 1e-9)
    assert close(dense(lambda x: linalg.slogdet(expm(x))[1], x), np.eye(3), 1e-9)  # det exp x = exp tr x
    assert close(dense(lambda t: expm(t * x), 0.7), x @ exponential(0.7 * x), 1e-11)


# ---- what a symbolic system got silently wrong


def matrix_identities() -> list[tuple[str, Callable[[Any], Any], Callable[[np.ndarray], np.ndarray]]]:
    def log_sum(x: np.ndarray) -> np.ndarray:
        return T(linalg.inv(x))

    return [
        ("log det X", lambda X: np.log(linalg.det(X)), log_sum),
        ("exp tr X", lambda X: np.exp(np.trace(X)), lambda X: np.exp(np.trace(X)) * np.eye(3)),
        ("det(X)^2", lambda X: linalg.det(X) ** 2, lambda X: 2 * linalg.det(X) ** 2 * T(linalg.inv(X))),
        ("tr(X) det(X)", lambda X: np.trace(X) * linalg.det(X),
         lambda X: linalg.det(X) * np.eye(3) + np.trace(X) * linalg.det(X) * T(linalg.inv(X))),
        ("tr X^-1", lambda X: np.trace(linalg.inv(X)), lambda X: -T(linalg.inv(X) @ linalg.inv(X))),
        ("log|det X|", lambda X: linalg.slogdet(X).logabsdet, log_sum),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "f", "claim"), matrix_identities(), ids=lambda v: v if isinstance(v, str) else ""
)
def test_textbook_derivatives(
    name: str, f: Callable[[Any], Any], claim: Callable[[np.ndarray], np.ndarray]
) -> None:
    X = regular(3, seed=4)
    X *= np.sign(linalg.det(X))
    found = dense(f, X)
    assert close(found, claim(X))
    assert name == "exp tr X" or not close(found, T(claim(X)), 1e-3)  # the transpose is noticed


def test_softmax_written_in_numpy() -> None:
    x = random(4)
    s = np.exp(x) / np.exp(x).sum()
    found = dense(lambda x: np.exp(x) / np.sum(np.exp(x)), x)
    assert close(found, np.diag(s) - np.outer(s, s))
    assert not close(found, np.diag(s), 1e-3)


# ---- determinants where there is no inverse


def minor(x: np.ndarray, rows: tuple[int, ...], columns: tuple[int, ...]) -> float:
    return float(linalg.det(np.delete(np.delete(x, rows, 0), columns, 1)))


def by_minors(x: np.ndarray, order: int) -> np.ndarray:
    """The derivatives of det from minors of the matrix with rows and columns left out, signs by position."""
    n = len(x)
    made = np.zeros((n,) * (2 * order))
    for place in product(range(n), repeat=2 * order):
        rows, columns = place[::2], place[1::2]
        if len(set(rows)) == order == len(set(columns)):
            sign = inversions(rows) * inversions(columns) * (-1) ** (sum(rows) + sum(columns))
            made[place] = sign * minor(x, rows, columns)
    return made


def inversions(places: tuple[int, ...]) -> int:
    return int(np.prod([np.sign(b - a) for k, a in enumerate(places) for b in places[k + 1 :]]))


@pytest.mark.parametrize("rank", [0, 1, 2, 3, 4])
def test_det_at_every_rank(rank: int) -> None:
    x = random(4, rank, seed=1) @ random(rank, 4, seed=2)
    assert close(dense(linalg.det, x), by_minors(x, 1))
    assert close(dense(jac.jacobian(linalg.det), x), by_minors(x, 2))
    if rank >= 2:
        assert not close(dense(jac.jacobian(linalg.det), x), 0 * by_minors(x, 2), 1e-3)


def test_det_at_third_order_where_the_matrix_is_singular() -> None:
    x = random(3, 1, seed=1) @ random(1, 3, seed=2)
    third = dense(jac.jacobian(jac.jacobian(linalg.det)), x)
    assert close(third, by_minors(x, 3))
    assert np.count_nonzero(third.round(12)) == 36  # 3! choices of rows times 3! of columns


def test_the_way_through_the_inverse_is_only_an_optimisation(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.stack([regular(4, seed=k) for k in range(3)])
    fast = [cofactors(order, x) for order in (1, 2, 3)]
    monkeypatch.setattr(determinant, "_from_inverse", lambda order, x: None)
    for order, found in enumerate(fast, 1):
        assert close(found, cofactors(order, x), 1e-12)
        assert close(found[1], by_minors(x[1], order))


def test_cofactors_next_to_a_singular_matrix() -> None:
    x = random(3, 2, seed=1) @ random(2, 3, seed=2)
    for distance in (1e-4, 1e-8, 1e-12, 1e-15):
        near = x + distance * np.eye(3)
        assert close(dense(linalg.det, near), by_minors(near, 1), 1e-9)
        assert close(dense(jac.jacobian(linalg.det), near), by_minors(near, 2), 1e-9)


def test_det_of_no_rows_and_of_one() -> None:
    assert dense(linalg.det, np.zeros((0, 0))).shape == (0, 0)
    assert close(dense(linalg.det, np.array([[5.0]])), np.array([[1.0]]))
    assert dense(jac.jacobian(linalg.det), np.array([[5.0]])).tolist() == [[[[0.0]]]]


# ---- third derivatives by nesting


@pytest.mark.parametrize(
    "f", [linalg.inv, linalg.det, lambda x: linalg.slogdet(x)[1], lambda x: np.log(linalg.det(x)), expm],
    ids=["inv", "det", "slogdet", "log det", "expm"],
)  # fmt: skip
def test_third_order(f: Callable[..., Any]) -> None:
    x = np.array([[2.0, 0.3, 0.1], [-0.4, 1.5, 0.2], [0.3, -0.5, 1.0]])
    second = jac.jacobian(jac.jacobian(f))
    (expected,) = differences(listed(lambda x: np.asarray(second(x))), [x], 0)
    found = dense(second, x)
    assert close(found, expected, 1e-8)
    assert close(found, found.swapaxes(-4, -2).swapaxes(-3, -1), 1e-9)  # orders of differentiation commute
    assert np.abs(found).max() > 1e-2


# ---- several outputs: numpy's named tuples


def test_results_are_numpys_named_tuples() -> None:
    x = regular(3)
    results: list[tuple[Any, tuple[str, ...]]] = [
        (linalg.eigh, ("eigenvalues", "eigenvectors")),
        (linalg.slogdet, ("sign", "logabsdet")),
        (linalg.svd, ("U", "S", "Vh")),
        (linalg.qr, ("Q", "R")),
    ]
    for function, fields in results:
        J = jac.jacobian(function)(x)
        assert type(J) is type(function(x))
        assert J._fields == fields
        assert all(getattr(J, name) is J[k] for k, name in enumerate(fields))


def test_outputs_by_name_by_index_and_unpacked() -> None:
    x = regular(3) + T(regular(3))

    def unpacked(x: Any) -> Any:
        w, v = linalg.eigh(x)
        return v * w

    def by_name(x: Any) -> Any:
        return linalg.eigh(x).eigenvectors * linalg.eigh(x).eigenvalues

    def by_index(x: Any) -> Any:
        return linalg.eigh(x)[1] * linalg.eigh(x)[0]

    assert close(dense(unpacked, x), dense(by_name, x), 1e-13)
    assert close(dense(unpacked, x), dense(by_index, x), 1e-13)


@pytest.mark.parametrize("shape", [(4, 2), (2, 4), (3, 3)])
def test_full_svd_is_one_decomposition(shape: tuple[int, int]) -> None:
    """u, s and vt belong together, though only two of them have a derivative where the sides differ."""
    x, r = random(*shape), min(shape)
    held: dict[str, Any] = {}

    def whole(x: Any, c: Any) -> Any:
        u, s, vt = linalg.svd(x)
        held["shapes"] = u.shape, s.shape, vt.shape
        return c * (u[:, :r] * s @ vt[:r])

    value, J = jac.value_and_jacobian(whole, wrt="c")(x, 1.0)
    assert held["shapes"] == (shape[:1] * 2, (r,), shape[1:] * 2)
    assert close(value, x)
    assert close(np.asarray(J), x)


@pytest.mark.parametrize("seed", range(5))
def test_signs_are_fixed(seed: int) -> None:
    x = random(4, 4, seed=seed)
    (_, v), _ = jac.value_and_jacobian(lambda x: tuple(linalg.eigh(x)))(x)
    (u, s, vt), _ = jac.value_and_jacobian(lambda x: tuple(linalg.svd(x)))(x)
    for vectors in (v, u):
        assert (np.take_along_axis(vectors, np.abs(vectors).argmax(0)[None], 0) > 0).all()
    assert close(u * s @ vt, x)


# ---- conventions


def test_symmetric_functions_of_equal_eigenvalues_are_right() -> None:
    x = np.diag([2.0, 2.0, 5.0])
    assert close(dense(lambda x: np.sum(linalg.eigvalsh(x) ** 2), x), 2 * x)
    assert close(dense(lambda x: np.sum(linalg.svdvals(x) ** 2), x), 2 * x)


def test_a_zero_singular_value_has_derivative_zero() -> None:
    x = np.outer([1.0, 2.0, 2.0], [0.6, 0.8])
    J = dense(linalg.svdvals, x)
    assert close(J[0], x / 3)
    assert not J[1].any()
    assert not dense(linalg.svdvals, np.zeros((2, 3))).any()


def test_symmetric_functions_do_not_read_one_triangle() -> None:
    x = np.array([[3.0, 1.0], [0.0, 2.0]])  # numpy would read the lower triangle: 3 and 2
    value, J = jac.value_and_jacobian(linalg.eigvalsh)(x)
    assert close(value, linalg.eigvalsh((x + x.T) / 2))
    assert close(np.asarray(J), T(np.asarray(J)))


def test_least_squares_as_numpy_gives_it() -> None:
    a, b = random(5, 2), random(5, 3, seed=1)

    def fit(a: Any, b: Any) -> Any:
        z, residuals, rank, s = linalg.lstsq(a, b)
        assert rank == 2
        return z, residuals, s

    value, _ = jac.value_and_jacobian(fit)(a, b)
    z, residuals, _, s = linalg.lstsq(a, b)
    for mine, theirs in zip(value, (z, residuals, s), strict=True):
        assert close(mine, theirs)


def test_rank_is_an_integer_without_derivative() -> None:
    assert not dense(lambda x: x * linalg.matrix_rank(x), np.ones((2, 3)))[0, 0, 1].any()
    assert dense(lambda x: x * linalg.matrix_rank(x), np.ones((2, 3)))[0, 0, 0, 0] == 1.0


# ---- the exponential itself


def test_exponential_against_closed_forms() -> None:
    t = 0.8
    assert close(
        exponential(np.array([[0.0, t], [-t, 0.0]])),
        np.array([[np.cos(t), np.sin(t)], [-np.sin(t), np.cos(t)]]),
    )
    assert close(
        exponential(np.array([[0.0, 2.0, 3.0], [0, 0, 4.0], [0, 0, 0]])),
        np.array([[1, 2, 7.0], [0, 1, 4], [0, 0, 1]]),
    )
    far = np.diag([-30.0, 1.0, 40.0])
    assert np.allclose(np.diag(exponential(far)), np.exp(np.diag(far)), rtol=1e-12)
    assert exponential(np.zeros((0, 0))).shape == (0, 0)
    assert close(exponential(np.array([[1j * np.pi]])), np.array([[-1.0]]))


def test_frechet_tensor_against_the_series() -> None:
    """sum over p, q of x^p E x^q / (p + q + 1)! in every unit direction E."""
    x = random(3, 3) / 2
    powers = [linalg.matrix_power(x, p) for p in range(25)]
    factorial = np.cumprod([1.0, *range(1, 60)])
    expected = sum(
        np.einsum("ik,lj->ijkl", powers[p], powers[q]) / factorial[p + q + 1]
        for p in range(25)
        for q in range(25)
    )
    assert close(frechet(1, x), expected, 1e-13)
    assert not close(frechet(1, x), np.swapaxes(expected, 2, 3), 1e-3)


# ---- errors


FIT, DEGENERATE, LIMIT = ShapeError, SingularMatrixError, UnsupportedError
ONES = np.ones((2, 2))
HALF: Any = 0.5
ERRORS: list[tuple[Callable[..., Any], np.ndarray, type, str, str]] = [
    (linalg.inv, np.ones((2, 3)), FIT, "inv needs a square matrix", "a is 2 x 3: sizes 2 and 3 differ"),
    (lambda x: linalg.det(x), np.ones(3), FIT, "det needs a matrix", "x is 3"),
    (linalg.inv, ONES, DEGENERATE, "singular: it has no inverse", "x is 2 x 2"),
    (linalg.inv, np.ones((3, 2, 2)), DEGENERATE, "it has no inverse", "x is 3 x 2 x 2"),
    (lambda x: linalg.slogdet(x)[1], ONES, DEGENERATE, "it has no inverse", "x is 2 x 2"),
    (lambda x: linalg.solve(x, np.ones(2)), ONES, DEGENERATE, "the system is singular", "x is 2 x 2"),
    (linalg.cholesky, -np.eye(2), DEGENERATE, "needs a positive definite matrix", "x is 2 x 2"),
    (lambda x: linalg.eigh(x)[1], np.eye(3), DEGENERATE, "equal eigenvalues", "numbers 0 and 1 are"),
    (lambda x: linalg.svd(x)[0], np.eye(3), DEGENERATE, "equal singular values", "numbers 0 and 1 are"),
    (linalg.pinv, np.ones((3, 2)), DEGENERATE, "pinv has no derivative", "x is 3 x 2, rank 1"),
    (lambda x: linalg.lstsq(x, np.ones(3))[0], np.ones((3, 2)), DEGENERATE, "rank is not full", "rank 1"),
    (lambda x: linalg.svd(x, full_matrices=False)[0], np.outer([1.0, 2, 3], [1.0, 1]), DEGENERATE,
     "singular vectors have no derivative", "the smallest singular value"),
    (lambda x: linalg.svd(x)[0], random(3, 2), LIMIT, "u has no derivative", "beyond min(m, n)"),
    (lambda x: linalg.svd(x)[2], random(2, 3), LIMIT, "vt has no derivative", "beyond min(m, n)"),
    (lambda x: linalg.qr(x, mode="complete")[0], random(3, 2), LIMIT, "mode='complete'", "any basis"),
    (lambda x: linalg.qr(x)[0], np.ones((3, 2)) * [1.0, 0.0], DEGENERATE, "singular", "x is 2 x 2"),
    (linalg.svdvals, np.full((2, 2), np.nan), DEGENERATE, "did not converge", "holds NaN or inf"),
    (expm, np.full((2, 2), np.inf), DEGENERATE, "expm failed", "holds NaN or inf"),
    (lambda x: linalg.solve(x, np.ones((3, 1))), np.eye(2), FIT, "a and b do not fit", "2 x 2, b is 3 x 1"),
    (lambda x: linalg.solve(x, np.ones((4, 2, 1))), np.ones((3, 2, 2)), FIT, "batch axes of solve", "differ"),
    (lambda x: linalg.lstsq(x, np.ones(2)), np.ones((3, 2)), FIT, "as it has rows", "a is 3 x 2, b is 2"),
    (lambda x: linalg.matrix_power(x, HALF), np.eye(2), LIMIT, "needs an integer power", "n is 0.5"),
    (lambda x: linalg.multi_dot([x, x, x]), np.ones((2, 3)), FIT, "multi_dot", "sizes 3 and 2"),
    (lambda x: linalg.multi_dot([x]), np.ones((2, 3)), FIT, "two or more matrices", "2 x 3"),
    (lambda x: linalg.cond(x, 1), np.eye(2), LIMIT, "cond(p=1)", "norm(x, p)"),
    (lambda x: linalg.pinv(x, hermitian=True), np.eye(2), LIMIT, "hermitian=True", "pinv(x)"),
    (lambda x: linalg.svd(x, hermitian=True)[1], np.eye(2), LIMIT, "hermitian=True", "eigh"),
]  # fmt: skip


@pytest.mark.parametrize(("f", "x", "kind", "what", "more"), ERRORS)
def test_errors(
    f: Callable[..., Any], x: np.ndarray, kind: type[JacobiansError], what: str, more: str
) -> None:
    with pytest.raises(kind) as caught:
        np.asarray(jac.jacobian(f)(x))
    assert what in caught.value.what
    assert more in str(caught.value)
    assert caught.value.instead


@pytest.mark.parametrize(
    ("f", "what"), [(jac.jacobian(linalg.det), "order 2 of det"), (expm, "order 1 of expm")]
)
def test_tensors_that_do_not_fit_are_refused_before_they_are_computed(
    f: Callable[..., Any], what: str
) -> None:
    with pytest.raises(
        JacobiansError, match=rf"{what} is a tensor of 4\.62 GB, limit 4\.3 GB\n  x is 155 x 155"
    ):
        jac.jacobian(f)(np.eye(155))


def test_unit_directions_are_taken_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    x = random(2, 3, 3)
    whole = frechet(1, x), frechet(2, x)
    monkeypatch.setattr(exponential_module, "AT_ONCE", 200)
    assert close(frechet(1, x), whole[0], 1e-14)
    assert close(frechet(2, x), whole[1], 1e-14)


def test_singular_matrices_are_numpys_error_too() -> None:
    with pytest.raises(linalg.LinAlgError, match="singular"):
        jac.jacobian(linalg.inv)(np.zeros((2, 2)))


def test_values_exist_where_derivatives_do_not() -> None:
    """The pseudo-inverse and the vectors have values at these points: only what is asked for can fail."""
    with pytest.raises(SingularMatrixError):
        jac.jacobian(linalg.pinv)(np.ones((3, 2)))
    J = jac.jacobian(lambda c, x: c * linalg.pinv(x), wrt="c")(2.0, np.ones((3, 2)))
    assert close(np.asarray(J), np.full((2, 3), 1 / 6))
    assert close(dense(lambda x: linalg.eigh(x)[0].sum(), np.eye(3)), np.eye(3))


# ---- sizes without numbers


@pytest.mark.parametrize(
    ("f", "shape"),
    [
        (linalg.inv, "NNNN"),
        (linalg.det, "NN"),
        (linalg.cholesky, "NNNN"),
        (linalg.eigvalsh, "NNN"),
        (linalg.svdvals, "NNN"),
        (linalg.pinv, "NNNN"),
        (lambda x: linalg.qr(x)[1], "NNNN"),
        (lambda x: linalg.matrix_power(x, 3), "NNNN"),
        (lambda x: linalg.slogdet(x)[1], "NN"),
        (expm, "NNNN"),
    ],
)
def test_symbolic_sizes(f: Callable[..., Any], shape: str) -> None:
    N = symbol("N")
    x = symbolic_variable("x", (N, N))
    ((J,),) = linearize([f(Traced(x)).node], [x]).eliminate()
    assert J.shape == (N,) * len(shape)
    assert J.terms


def test_sizes_that_cannot_be_ordered_are_refused() -> None:
    x = symbolic_variable("x", (symbol("M"), symbol("N")))
    with pytest.raises(ShapeError, match="which of the sizes M and N is larger"):
        linalg.svd(Traced(x))
