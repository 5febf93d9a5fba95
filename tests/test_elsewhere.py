"""What is refused or silently wrong elsewhere comes out right here: shown, and held against differences.

`WRONG` are answers of SymPy 1.14 (`derive_by_array`, `matrix derivatives`) that lack a term or are zero;
`REFUSED` are results of third and fourth order, of which matrixcalculus.org says that it cannot show them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians.cli import main
from tests.oracles import assert_close, complex_step, differences, listed

SIZES = {"k": 2, "m": 3, "n": 4, "p": 5}


def at_random(shapes: dict[str, str], sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Positive entries; square matrices are well away from singular ones."""
    rng = np.random.default_rng(5)
    made = {}
    for name, shape in shapes.items():
        one = rng.uniform(0.5, 1.5, [sizes[size] for size in shape.split(",") if size])
        square = one.ndim == 2 and one.shape[0] == one.shape[1]
        made[name] = one / 2 + np.eye(len(one)) if square else one
    return made


def logdet(X: Any) -> Any:
    return np.log(np.linalg.det(X))


WRONG: dict[str, tuple[Any, str, str, str]] = {
    # what, by what it is differentiated: its matrix form, its index form; what SymPy says of it
    "log det X, said to be 0": (logdet, "n,n", "X⁻ᵀ", "inv(X)_nm"),
    "exp tr X, said to be 0": (lambda X: np.exp(np.trace(X)), "n,n", "f I_n", "δ_mn f"),
    "det(X)^2, said to be 0": (
        lambda X: np.linalg.det(X) ** 2,
        "n,n",
        "2 det(X) cof(X)",
        "2 det(X) cof(X)_mn",
    ),
    "tr(X) det(X), a term lost": (
        lambda X: np.trace(X) * np.linalg.det(X),
        "n,n",
        "tr(X) cof(X) + det(X) I_n",
        "Σ_k X_kk cof(X)_mn + δ_mn det(X)",
    ),
    "softmax, said to be diagonal": (
        lambda X: np.exp(X) / np.sum(np.exp(X)),
        "n",
        "diag(exp(X)) / u − f exp(X)ᵀ / u",
        "δ_in exp(X_i)/u − f_i exp(X_n)/u",
    ),
    "softmax by name": (jac.functions.softmax, "n", "diag(f) − f fᵀ", "δ_in f_i − f_i f_n"),
}


def renamed(f: Any) -> Any:
    """The function with X for its argument's name, and f for its result's."""

    def named(X: Any) -> Any:
        return f(X)

    named.__name__ = "f"
    return named


@pytest.mark.parametrize("name", WRONG)
def test_what_is_silently_wrong_elsewhere_has_its_textbook_form(name: str) -> None:
    f, shape, matrix, index = WRONG[name]
    d = jac.show(renamed(f), X=shape)
    assert d.index_form() == index
    assert d.jacobian.matrix_form() == matrix
    assert matrix in d.text()
    assert "= 0" not in d.text()


@pytest.mark.parametrize("name", WRONG)
def test_what_is_silently_wrong_elsewhere_has_the_right_values(name: str) -> None:
    f, shape, _, _ = WRONG[name]
    X = at_random({"X": shape}, SIZES)["X"]
    J = np.asarray(jac.jacobian(f)(X))
    if "by name" not in name:  # written out: numpy computes it of complex numbers too
        assert_close(J, complex_step(listed(f), [X], 0)[0], 1e-12, name)
    assert_close(J, differences(listed(f), [X], 0)[0], 1e-8, name)
    assert np.count_nonzero(J) == (len(X) if "exp tr" in name else J.size)


@pytest.mark.parametrize(
    ("text", "claim", "right"),
    [
        ("log(det(X))", "0 * X", "right: np.linalg.inv(X).T"),
        ("exp(trace(X))", "0 * X", "right: np.exp(np.trace(X)) * np.eye(n)"),
        ("det(X)**2", "0 * X", "right: 2 * np.linalg.det(X) * (np.linalg.det(X) * np.linalg.inv(X).T)"),
        ("trace(X) * det(X)", "det(X) * eye(n)", "a term is missing"),
        ("softmax(X)", "diag(softmax(X))", "The term -np.outer(softmax(X), softmax(X)) is missing"),
    ],
)
def test_the_wrong_answers_are_judged_false(text: str, claim: str, right: str) -> None:
    found = jac.check(text, claim, wrt="X", inputs={"X": "n" if "softmax" in text else "n,n"})
    assert found.verdict == "false"
    assert right in str(found)


REFUSED = {  # text, by: shapes, shape of the result, matrix form in the vec layout
    "A*x": ("A", {"A": "m,n", "x": "n"}, "m × (m × n)", "xᵀ ⊗ I_m"),
    "A'*x": ("A", {"A": "m,n", "x": "m"}, "n × (m × n)", "I_n ⊗ xᵀ"),
    "x'*X": ("X", {"x": "m", "X": "m,n"}, "n × (m × n)", "I_n ⊗ xᵀ"),
    "X*vector(1)": ("X", {"X": "m,n"}, "m × (m × n)", "1_nᵀ ⊗ I_m"),
    "inv(X)*b": ("X", {"X": "n,n", "b": "n"}, "n × (n × n)", "−(bᵀ X⁻ᵀ ⊗ X⁻¹)"),
    "tanh(A*x+b)": ("A", {"A": "m,n", "x": "n", "b": "m"}, "m × (m × n)", "xᵀ ⊗ diag(1 − f²)"),
    "diag(X)": ("X", {"X": "n,n"}, "n × (n × n)", None),
    "x*y'": ("x", {"x": "m", "y": "n"}, "(m × n) × m", "y ⊗ I_m"),
    "x*x'": ("x", {"x": "n"}, "(n × n) × n", "x ⊗ I_n + I_n ⊗ x"),
    "diag(x)": ("x", {"x": "n"}, "(n × n) × n", None),
    "diag(x)*A": ("x", {"x": "m", "A": "m,n"}, "(m × n) × m", "diag(vec(A)) (1_n ⊗ I_m)"),
    "A*X": ("X", {"A": "k,m", "X": "m,n"}, "(k × n) × (m × n)", "I_n ⊗ A"),
    "X*A": ("X", {"X": "m,n", "A": "n,k"}, "(m × k) × (m × n)", "Aᵀ ⊗ I_m"),
    "A*X*B": ("X", {"A": "k,m", "X": "m,n", "B": "n,p"}, "(k × p) × (m × n)", "Bᵀ ⊗ A"),
    "X'": ("X", {"X": "m,n"}, "(n × m) × (m × n)", "K_{m,n}"),
    "X'*X": ("X", {"X": "m,n"}, "(n × n) × (m × n)", "I_n ⊗ Xᵀ + (Xᵀ ⊗ I_n) K_{m,n}"),
    "X*X'": ("X", {"X": "m,n"}, "(m × m) × (m × n)", "X ⊗ I_m + (I_m ⊗ X) K_{m,n}"),
    "X*A*X'": ("X", {"X": "m,n", "A": "n,n"}, "(m × m) × (m × n)", "(I_m ⊗ X A) K_{m,n} + X Aᵀ ⊗ I_m"),
    "X^2": ("X", {"X": "n,n"}, "(n × n) × (n × n)", "Xᵀ ⊗ I_n + I_n ⊗ X"),
    "X^3": ("X", {"X": "n,n"}, "(n × n) × (n × n)", "Xᵀ Xᵀ ⊗ I_n + Xᵀ ⊗ X + I_n ⊗ X X"),
    "inv(X)": ("X", {"X": "n,n"}, "(n × n) × (n × n)", "−(fᵀ ⊗ f)"),
    "A*inv(X)*B": ("X", {"A": "k,n", "X": "n,n", "B": "n,p"}, "(k × p) × (n × n)", "−(Bᵀ X⁻ᵀ ⊗ A X⁻¹)"),
    "inv(X*X')": ("X", {"X": "m,n"}, "(m × m) × (m × n)", "−fᵀ X ⊗ f − (fᵀ ⊗ f X) K_{m,n}"),
    "adj(X)": ("X", {"X": "n,n"}, "(n × n) × (n × n)", "vec(X⁻¹) vec(cof(X))ᵀ − X⁻ᵀ ⊗ f"),
    "A.*X": ("X", {"A": "m,n", "X": "m,n"}, "(m × n) × (m × n)", "diag(vec(A))"),
    "A./X": ("X", {"A": "m,n", "X": "m,n"}, "(m × n) × (m × n)", "−diag(vec(f / X))"),
    "X.^2": ("X", {"X": "m,n"}, "(m × n) × (m × n)", "2 diag(vec(X))"),
    "exp(X)": ("X", {"X": "m,n"}, "(m × n) × (m × n)", "diag(vec(f))"),
    "log(X)": ("X", {"X": "m,n"}, "(m × n) × (m × n)", "diag(vec(1 / X))"),
    "sin(X)": ("X", {"X": "m,n"}, "(m × n) × (m × n)", "diag(vec(cos(X)))"),
    "tanh(X)": ("X", {"X": "m,n"}, "(m × n) × (m × n)", "diag(vec(1 − f^(⊙2)))"),
    "relu(X)": ("X", {"X": "m,n"}, "(m × n) × (m × n)", "diag(vec([X > 0]))"),
    "exp(A*X)": ("X", {"A": "k,m", "X": "m,n"}, "(k × n) × (m × n)", "diag(vec(f)) (I_n ⊗ A)"),
    "s*X": ("X", {"s": "", "X": "m,n"}, "(m × n) × (m × n)", "s I_mn"),
    "tr(X)*X": ("X", {"X": "n,n"}, "(n × n) × (n × n)", "tr(X) I_{n²} + vec(X) vec(I_n)ᵀ"),
    "det(X)*X": ("X", {"X": "n,n"}, "(n × n) × (n × n)", "det(X) I_{n²} + vec(X) vec(cof(X))ᵀ"),
    "X/tr(X)": ("X", {"X": "n,n"}, "(n × n) × (n × n)", "I_{n²} / tr(X) − vec(f) vec(I_n)ᵀ / tr(X)"),
    "eye - X": ("X", {"X": "n,n"}, "(n × n) × (n × n)", "−I_{n²}"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_results_of_order_three_and_four_are_displayed(text: str) -> None:
    wrt, shapes, shape, matrix = REFUSED[text]
    d = jac.show(text, wrt=wrt, syntax="matrixcalculus", **shapes)
    assert d.shape == shape
    assert d.jacobian.ndim in (3, 4)
    assert d.jacobian.matrix_form("vec") == matrix
    printed = d.text()
    assert "index form" in printed
    assert "entries can be nonzero" in printed
    assert max(map(len, printed.splitlines())) <= 80
    assert d.text(ascii=True).isascii()
    assert r"\underbrace" in d.latex()
    assert "<math" in d.html()


@pytest.mark.parametrize("text", REFUSED)
def test_results_of_order_three_and_four_have_the_right_values(text: str) -> None:
    wrt, shapes, _, _ = REFUSED[text]
    f = jac.read(text, syntax="matrixcalculus", **shapes)
    given = at_random(shapes, SIZES)
    arrays = [given[name] for name in f.inputs]
    if text == "inv(X*X')":
        arrays[0][:, :3] += 2 * np.eye(3)  # well away from singular
    J = jac.jacobian(f, wrt=wrt)(*arrays)
    assert_close(J, differences(listed(f), arrays, f.inputs.index(wrt))[0], 1e-8, text)


@pytest.mark.parametrize("text", REFUSED)
def test_the_command_line_displays_them(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    wrt, shapes, _, matrix = REFUSED[text]
    declared = [f"{name}:{shape}" for name, shape in shapes.items()]
    assert main(["show", text, *declared, "--wrt", wrt, "--syntax", "matrixcalculus"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert matrix is None or matrix in " ".join(printed.out.split())
