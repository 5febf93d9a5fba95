"""Matrix forms, checked against the dense Jacobian in every layout that has a place."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import jacobians as jac
from jacobians.axes import symbol
from jacobians.expr import topological, variable
from jacobians.layouts import LAYOUTS, has_place, to_layout
from jacobians.notation.matrix import default_layout, matrix_form
from jacobians.notation.naming import name_values
from jacobians.notation.reader import factor_nodes
from jacobians.plan import evaluate
from jacobians.terms import TermSum, term

rng = np.random.default_rng(3)
ENV = {
    "A": rng.normal(size=(3, 4)),
    "B": rng.normal(size=(5, 3)),
    "C": rng.normal(size=(4, 2)),
    "D": rng.normal(size=(3, 4)),
    "X": rng.normal(size=(4, 4)) + 4 * np.eye(4),
    "b": rng.normal(size=3),
    "x": rng.uniform(0.5, 2.0, size=4),
    "y": rng.normal(size=3),
    "np": np,
}

# (by, function, matrix form): by hand, from the textbooks
FORMS = [
    ("x", lambda A, x: A @ x, "A"),
    ("b", lambda A, x, b: A @ x + b, "I_3"),
    ("b", lambda A, x, b: np.tanh(A @ x + b), "diag(1 − u²)"),
    ("x", lambda A, x, b: np.tanh(A @ x + b), "diag(1 − u²) A"),
    ("A", lambda A, x: A @ x, "xᵀ ⊗ I_3"),
    ("A", lambda A, x, b: np.tanh(A @ x + b), "xᵀ ⊗ diag(1 − u²)"),
    ("A", lambda A, x, b, y: 0.5 * np.sum((np.tanh(A @ x + b) - y) ** 2), "((u − y) ⊙ (1 − u²)) xᵀ"),
    ("x", lambda A, x, b, y: 0.5 * np.sum((np.tanh(A @ x + b) - y) ** 2), "Aᵀ ((u − y) ⊙ (1 − u²))"),
    ("X", lambda X, x: x @ X @ x, "x xᵀ"),
    ("x", lambda X, x: x @ X @ x, "Xᵀ x + X x"),
    ("X", lambda X: np.linalg.slogdet(X)[1], "X⁻ᵀ"),
    ("X", lambda X: np.linalg.inv(X), "−(X⁻ᵀ ⊗ X⁻¹)"),
    ("X", lambda X: np.trace(X @ X @ X), "3 Xᵀ Xᵀ"),
    ("X", lambda X: np.trace(X), "I_4"),
    ("X", lambda X, C: np.trace(C.T @ X @ C), "C Cᵀ"),
    ("A", lambda A, B, C: B @ A @ C, "Cᵀ ⊗ B"),
    ("A", lambda A: A.T, "K_{3,4}"),
    ("A", lambda A: A @ A.T, "A ⊗ I_3 + (I_3 ⊗ A) K_{3,4}"),
    ("A", lambda A: np.tanh(A), "diag(vec(1 − tanh(A)^(⊙2)))"),
    ("A", lambda A, D: np.sum(A * D), "D"),
    ("A", lambda A: np.sum(A, axis=0), "I_4 ⊗ 1_3ᵀ"),
    ("A", lambda A: np.sum(A) * A, "sum(A) I_12 + vec(A) vec(1_3 1_4ᵀ)ᵀ"),
    ("x", lambda x: np.exp(x) / np.sum(np.exp(x)), "diag(exp(x)) / u − exp(x) exp(x)ᵀ / u²"),
    ("x", lambda x: np.sqrt(x @ x), "x / sqrt(xᵀ x)"),
    ("x", lambda x: x / np.sqrt(x @ x), "I_4 / sqrt(xᵀ x) − x xᵀ / sqrt(xᵀ x)³"),
    ("x", lambda x: 1 / x, "−diag(1 / x²)"),
    ("x", lambda x: np.outer(x, x), "x ⊗ I_4 + I_4 ⊗ x"),
    ("x", lambda x: np.where(x > 1, x, 0.0), "diag([x > 1])"),
    ("x", lambda x: np.cumsum(x), "tri(4, 4)"),
    ("X", lambda X, x: np.linalg.solve(X, x), "−(solve(X, x)ᵀ ⊗ X⁻¹)"),
    ("A", lambda A: np.linalg.norm(A), "A / norm(A)"),
    ("x", lambda x: x.mean(), "0.25 1_4"),
    ("x", lambda x, A, b: A @ (x * x * (A.T @ b)), "2 A diag(x ⊙ Aᵀ b)"),
    ("x", lambda x, A: np.diag(x) @ A.T, "diag(vec(Aᵀ)) (1_3 ⊗ I_4)"),
    ("C", lambda X, C: np.exp(X @ C / 9), "1/9 diag(vec(u)) (I_2 ⊗ X)"),
    ("X", lambda X, C: np.exp(X / 9) @ C, "1/9 (Cᵀ ⊗ I_4) diag(vec(exp(1/9 X)))"),
    ("X", lambda X: X / np.trace(X), "I_16 / tr(X) − vec(X) vec(I_4)ᵀ / tr(X)²"),
    ("X", lambda X: np.log(np.linalg.det(X)) ** 2, "2 log(det(X)) X⁻ᵀ"),
    ("x", lambda A, x, b: np.linalg.norm(A @ x - b) ** 2, "2 Aᵀ u"),
    ("X", lambda X, C: np.log(np.linalg.det(C.T @ X @ C)), "C u⁻ᵀ Cᵀ"),
]


def number_of(node):
    """The value of a node at this file's arrays."""
    given = {leaf.serial: ENV[leaf.name] for leaf in topological([node]) if leaf.op == "variable"}
    return evaluate([node], given)[0]


def derivative(f, wrt):
    return jac.jacobian(f, wrt)(**{name: ENV[name] for name in inspect.signature(f).parameters})


@pytest.mark.parametrize(("wrt", "f", "wanted"), FORMS, ids=[form for _, _, form in FORMS])
def test_matrix_form(wrt, f, wanted):
    found = matrix_form(derivative(f, wrt).terms)
    assert found is not None
    assert found.text == wanted


@pytest.mark.parametrize(("wrt", "f", "wanted"), FORMS, ids=[form for _, _, form in FORMS])
def test_the_numpy_source_is_the_jacobian_in_every_layout(wrt, f, wanted):
    J = derivative(f, wrt)
    names = name_values(factor_nodes(J.terms))
    values = {**ENV, **{name: number_of(node) for name, node in names.where}}
    checked = 0
    for layout in LAYOUTS:
        found = matrix_form(J.terms, layout, names)
        if found is None or not has_place(layout, J.target_shape, J.input_shape):
            continue
        dense = to_layout(np.asarray(J), layout, J.target_shape, J.input_shape)
        got = eval(found.numpy, {}, values)
        assert np.shape(got) == dense.shape == found.shape
        np.testing.assert_allclose(got, dense, atol=1e-12)
        checked += 1
    assert checked >= 2


def test_both_vec_layouts_of_the_affine_map():
    J = derivative(FORMS[4][1], "A")
    assert matrix_form(J.terms, "vec").text == "xᵀ ⊗ I_3"
    assert matrix_form(J.terms, "vec-rows").text == "I_3 ⊗ xᵀ"
    assert matrix_form(J.terms, "vec").shape == (3, 12)


def test_ascii():
    assert matrix_form(derivative(FORMS[6][1], "A").terms).ascii == "((u - y) .* (1 - u^2)) x'"
    assert matrix_form(derivative(FORMS[11][1], "X").terms).ascii == "-(X^-T kron X^-1)"
    assert matrix_form(derivative(FORMS[18][1], "A").terms).ascii.isascii()


def test_symbolic_sizes():
    M, N = symbol("M"), symbol("N")
    dz_dA = TermSum((M,), (M, N), (term(1, [(variable("x", (N,)), "n")], "i", "in", {"i": M, "n": N}),))
    found = matrix_form(dz_dA)
    assert (found.text, found.layout, found.shape) == ("xᵀ ⊗ I_M", "vec", (M, M * N))


@pytest.mark.parametrize(
    ("wrt", "f"),
    [
        ("x", lambda x: x[1:] - x[:-1]),  # a selection
        ("x", lambda x: np.diag(x)),  # columns of a Kronecker product, not all of them
        ("x", lambda x, A: np.einsum("ij,ik,il,i->jkl", A.T, A.T, A.T, x)),  # rank 4
    ],
)
def test_where_there_is_none(wrt, f):
    assert matrix_form(derivative(f, wrt).terms) is None


def test_no_matrix_form_where_the_layout_has_no_place():
    assert matrix_form(derivative(FORMS[4][1], "A").terms, "numerator") is None
    assert matrix_form(derivative(FORMS[0][1], "x").terms, "gradient") is None
    assert matrix_form(TermSum((3,), (4,))) is None


def test_default_layouts():
    shapes = [
        ((), (3, 4)),
        ((), (3,)),
        ((3,), (4,)),
        ((3,), ()),
        ((3,), (3, 4)),
        ((2, 3), (4,)),
        ((2, 3, 4), (5,)),
    ]
    found = [default_layout(TermSum(*shape)) for shape in shapes]
    assert found == ["gradient", "gradient", "numerator", "numerator", "vec", "vec", None]


def test_a_wrong_form_would_be_seen():
    """The negative control: the form of one layout is not the form of the other."""
    J = derivative(FORMS[4][1], "A")
    columns = eval(matrix_form(J.terms, "vec").numpy, {}, ENV)
    rows = to_layout(np.asarray(J), "vec-row", J.target_shape, J.input_shape)
    assert columns.shape == rows.shape
    assert not np.allclose(columns, rows)
