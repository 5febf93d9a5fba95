"""What a lecturer sees: steps, chains, shape tables, derivations, layouts, explanations."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians.errors import (
    JacobiansError,
    LayoutError,
    ReadingError,
    ShapeError,
    UnknownNameError,
    UnsupportedError,
)
from jacobians.explanations import ALIASES, EXPLANATIONS
from jacobians.notation.index import einsum_text
from jacobians.notation.records import names, places

rng = np.random.default_rng(11)
A, x, b, y = rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=3), rng.normal(size=3)
LAYER = {"A": "M,N", "x": "N", "b": "M"}
LOSS = "z = A @ x + b; f = tanh(z); L = 0.5*sum((f - y)**2)"


def loss(A: Any, x: Any, b: Any, y: Any) -> Any:
    z = A @ x + b
    f = np.tanh(z)
    L = 0.5 * np.sum((f - y) ** 2)
    return L


# ---- step by step


def test_a_lecturer_goes_step_by_step() -> None:
    z, dz = jac.ops.affine(A, x, b)
    f, df = jac.ops.tanh(z)
    np.testing.assert_allclose(z, A @ x + b)
    np.testing.assert_allclose(f, np.tanh(z))
    assert list(dz) == ["A", "x", "b"]
    dfdA = jac.chain(df["x"], dz["A"])
    np.testing.assert_allclose(np.asarray(dfdA), np.einsum("i,im,n->imn", 1 - f**2, np.eye(3), x))


def test_arrays_join_a_chain_with_their_split() -> None:
    _, df = jac.ops.tanh(A @ x)
    found = jac.chain((np.ones(3), 0), df["x"], (A, 1))
    np.testing.assert_allclose(np.asarray(found), (1 - np.tanh(A @ x) ** 2) @ A)


def test_the_error_of_a_broken_chain_reads_as_in_a_lecture() -> None:
    dL_df = jac.jacobian(lambda f: np.sum(f**2))(np.ones(3))
    dL_df.target_name, dL_df.input_name = "L", "f"
    dz_dA = jac.jacobian(lambda A: A @ x)(rng.normal(size=(5, 4)))
    dz_dA.target_name, dz_dA.input_name = "z", "A"
    with pytest.raises(ShapeError) as caught:
        jac.chain(dL_df, dz_dA)
    assert str(caught.value).splitlines() == [
        "cannot contract ∂L/∂f with ∂z/∂A: input axes f (3) against target axes z (5)",
        "  neighbours of a chain share their middle axes",
        "  try: the step ∂f/∂z is missing",
    ]


def test_an_array_without_its_split_is_no_link() -> None:
    with pytest.raises(UnsupportedError, match="a link of the chain is ndarray"):
        jac.chain(A, x)


# ---- graphs and chains


def test_a_graph_names_the_function_s_own_variables() -> None:
    g = jac.trace(loss)(A, x, b, y)
    assert g.nodes == ("A", "x", "b", "y", "z", "f", "L")
    assert repr(g.chain("L", "A")) == "∂L/∂A = ∂L/∂f · ∂f/∂z · ∂z/∂A"
    assert g.chain("L", "A").shapes == (((3,), (3, 3), (3, 3, 4)),)
    np.testing.assert_allclose(g.value("f"), np.tanh(A @ x + b))
    np.testing.assert_allclose(np.asarray(g.local("f", "z")), np.diag(1 - np.tanh(A @ x + b) ** 2))


def test_paths_of_a_residual_add_up() -> None:
    def net(x: Any, W: Any) -> Any:
        h = x + np.tanh(W @ x)
        k = h + np.tanh(W @ h)
        return k

    W = rng.normal(size=(4, 4))
    chain = jac.trace(net)(x, W).chain("k", "W")
    total = sum(np.asarray(jac.chain(*path)) for path in chain.paths)
    assert len(chain.paths) == 2
    np.testing.assert_allclose(total, np.asarray(chain.whole))


def test_jac_name_names_an_intermediate() -> None:
    g = jac.trace(lambda x: np.exp(jac.name(x * x, "square")))(x)
    assert "square" in g.nodes


def test_an_unknown_name_lists_those_there_are() -> None:
    with pytest.raises(UnknownNameError, match="'q' is no named value") as caught:
        jac.trace(loss)(A, x, b, y).local("L", "q")
    assert "A, x, b, y, z, f, L" in str(caught.value)


# ---- symbolic shapes


def test_sizes_stay_symbols() -> None:
    rows = {row.title: row for row in jac.shapes("z = A @ x + b; f = tanh(z)", **LAYER).rows}
    assert rows["∂z/∂A"].shape == "M × (M × N)"
    assert str(rows["∂z/∂A"].entries) == "M**2*N"
    assert str(rows["∂f/∂A"].nonzero) == "M*N"
    assert rows["∂f/∂A"].index == "δ_im (1 − f_i²) x_n"


def test_the_shape_table_is_the_mock_up_s() -> None:
    text = jac.shapes("z = A @ x + b; f = tanh(z)", **LAYER).text()
    lines = [line.split() for line in text.splitlines()]
    assert ["∂z/∂A", "M", "×", "(M", "×", "N)", "M²N", "δ_im", "x_n", "MN"] in lines
    assert "  Read a shape as: target axes first, then (input axes)." in text.splitlines()
    assert max(map(len, text.splitlines())) <= 80 + 8


def test_numbers_are_put_in_where_they_are_known() -> None:
    table = jac.shapes("z = A @ x + b; L = sum(z**2)", layout="all", M=3, N=4, **LAYER)
    rows = {row.title: row for row in table.rows}
    assert rows["∂z/∂A"].layout("vec").startswith("3 × 12  xᵀ⊗I")
    assert rows["∂L/∂A"].layout("numerator") == "4 × 3"
    assert rows["∂L/∂A"].layout("gradient") == "3 × 4"
    assert rows["∂z/∂A"].layout("numerator") == "none, rank 3"
    assert max(map(len, table.text().splitlines())) <= 90


@pytest.mark.parametrize(
    ("text", "shapes", "index"),
    [
        ("Y = inv(X)", {"X": "n,n"}, "−Y_im Y_nj"),
        ("y = softmax(x)", {"x": "N"}, "δ_in y_i − y_i y_n"),
        ("z = x[1:] - x[:-1]", {"x": "N"}, "δ_{n,i+1} − δ_in"),
        ("Y = A @ X @ B", {"A": "k,n", "X": "n,p", "B": "p,q", "wrt": "X"}, "B_pj A_in"),
    ],
)
def test_index_forms(text: Any, shapes: Any, index: Any) -> None:
    assert jac.show(text, **shapes).index_form() == index


@pytest.mark.parametrize(
    ("text", "shapes", "index"),
    [
        ("sum((A @ x - b)**2)/M", {"b": "M", "A": "M,N", "x": "N"}, "−2 (Σ_k A_mk x_k − b_m)/M"),
        ("1/N*sum(x)", {"x": "N"}, "1/N"),
        ("mean(A*A)", {"A": "M,N"}, "2 A_mn/(M N)"),
        ("var(x)", {"x": "N"}, "2 (x_n − u/N)/N, u = sum(x)"),
        ("std(x, ddof=1)", {"x": "N"}, "(x_n − u/N)/((N − 1) f), u = sum(x)"),
        ("sqrt(N + 1)*x", {"x": "N"}, "δ_in sqrt(N + 1)"),
        ("A @ ones(N)", {"A": "M,N"}, "δ_im"),
        ("s*(A + 0.1*np.eye(N))", {"s": "", "A": "N,N"}, "A_ij + 0.1 δ_ij"),
        ("zeros((M, N)) + full((M, N), 2.0)*A", {"A": "M,N"}, "2 δ_im δ_jn"),
        ("2*x[:N]", {"x": "N"}, "2 δ_in"),
    ],
)
def test_a_text_computes_with_sizes_that_have_no_number(text: Any, shapes: Any, index: Any) -> None:
    assert repr(jac.show(text, **shapes)).split(": ")[1].endswith(f", {index}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x[:N - 1]", "a slice ends at a traced value"),
        ("range(N)", "size N has none yet"),
        ("sum([x[i] for i in range(N)])", "size N has none yet"),
    ],
)
def test_a_step_that_needs_the_number_of_a_size_says_so(text: str, said: str) -> None:
    with pytest.raises(JacobiansError, match=said) as caught:
        jac.show(text, x="N")
    assert "N=" in str(caught.value)
    if text != "range(N)":
        assert jac.show(text, x="N", N=3).jacobian.nnz in (2, 3)


def test_a_sum_of_one_entry_is_that_entry() -> None:
    assert jac.show("var(x)", x="N").jacobian.matrix_form() == "2 ((x − u / N) / N)"
    assert jac.show("var(x)", x="5").jacobian.matrix_form() == "0.4 (x − 0.2 u)"
    assert "f N" in str(jac.show("std(x)", x="N").jacobian.matrix_form())


def test_a_function_computes_with_its_sizes_too() -> None:
    assert jac.show(lambda x: np.sum(x**2) / x.size, x="N").index_form() == "2 x_n/N"
    assert jac.show(lambda x: x.shape[0] * x, x="N").index_form() == "δ_in N"
    with pytest.raises(ShapeError, match=r"1 / \(N\) needs a number: size N has none yet"):
        jac.show(lambda x: 1 / x.shape[0] * x, x="N")


@pytest.mark.parametrize(
    ("text", "wrt", "index"),
    [
        ("A*vector(1)", "A", "δ_im"),
        ("vector(1)'*A*vector(2)", "A", "2"),
        ("x*vector(1)' + A", "x", "δ_in"),
        ("A*(x*vector(1, n)')", "A", "δ_im x_n"),
        ("sum(log(exp(-x.*(A*x)) + vector(1)))", "A", "−u_m x_m x_n/(u_m + 1), u = exp(−(x ⊙ A x))"),
        ("log(det(A + eye))", "A", "inv(u)_nm, u = A + I_n"),
        ("tr(inv(A + s*eye))", "A", "−Σ_k inv(u)_km inv(u)_nk, u = A + s I_n"),
        ("A*vector(3, n)", "A", "3 δ_im"),
        ("A + matrix(1, n, n).*eye(n)", "A", "δ_im δ_jn"),
    ],
)
def test_constants_of_matrix_calculus_need_no_numbers(text: str, wrt: str, index: str) -> None:
    found = jac.show(text, wrt=wrt, syntax="matrixcalculus", A="n,n", x="n", s="")
    assert repr(found).split(": ")[1].endswith(f", {index}")


def test_latex_says_what_its_letters_stand_for_and_repeats_nothing() -> None:
    text = "sum(log(exp(-y.*(X*w)) + vector(1)))"
    lines = jac.show(text, wrt="w", syntax="matrixcalculus", X="m,n", w="n", y="m").latex().split("\n")
    assert lines[1] == r"\underbrace{\frac{\partial f}{\partial w}}_{1 \times n} \\"
    assert lines[-2] == r"u &= \exp\left(-\left(y \odot X w\right)\right)"
    held = jac.show(lambda A: A @ np.arange(3.0), A="M,3").latex()
    assert r"C &\in \mathbb{R}^{3}" in held
    assert (
        r"\frac{\partial f}{\partial \operatorname{vec}\left(A\right)^{\top}} &= C^{\top} \otimes I_{M}"
        in held
    )


def test_a_derivation_prints_every_step_of_the_mock_up() -> None:
    text = jac.show(LOSS, wrt="A", y="M", M=3, N=4, **LAYER).text()
    for line in (
        "    index form    (∂L/∂A)_mn = Σ_i Σ_j (∂L/∂f)_i (∂f/∂z)_ij (∂z/∂A)_jmn",
        '    einsum        np.einsum("i,ij,jmn->mn", dL_df, df_dz, dz_dA)',
        "    sum over δ    (∂L/∂A)_mn = (f_m − y_m)(1 − f_m²) x_n",
        "    matrix form   ((f − y) ⊙ (1 − f²)) xᵀ   (gradient layout, M × N)",
        "  1×(M×N)    1×M     M×M    M×(M×N)",
        "  1×(3×4)    1×3     3×3    3×(3×4)",
    ):
        assert line in text.splitlines()
    assert "12 of 36 entries can be nonzero" in text
    assert max(map(len, text.splitlines())) <= 80


def test_ascii_has_no_other_symbol() -> None:
    d = jac.show(LOSS, wrt="A", y="M", M=3, N=4, **LAYER)
    assert d.text(ascii=True).isascii()
    assert jac.shapes(LOSS, layout="all", y="M", M=3, N=4, **LAYER).text(ascii=True).isascii()


def test_the_latex_has_braces_with_shapes() -> None:
    assert (
        r"\underbrace{\frac{\partial z}{\partial A}}_{M \times (M \times N)}"
        in jac.show("z = A @ x", wrt="A", A="M,N", x="N").latex()
    )


def test_a_derivation_s_program_needs_numbers_and_then_runs() -> None:
    with pytest.raises(ReadingError, match="a numpy program needs one"):
        jac.show("z = A @ x", wrt="A", A="M,N", x="N").numpy()
    text = jac.show("z = A @ x", wrt="A", A="M,N", x="N", M=3, N=4).numpy()
    namespace: dict[str, Any] = {}
    exec(compile(text, "<program>", "exec"), namespace)
    found = namespace["z"](A, x)[-1]
    np.testing.assert_allclose(found, np.einsum("im,n->imn", np.eye(3), x))


def test_no_dependence_is_said() -> None:
    assert "z does not depend on c" in jac.show("z = A @ x", wrt="c", A="M,N", x="N", c="K").text()


def test_a_python_function_needs_no_numbers_either() -> None:
    d = jac.show(loss, wrt="A", y="M", **LAYER)
    assert d.shape == "(M × N)"
    assert [k.input_name for k in d.chain.paths[0]] == ["f", "z", "A"]


def test_an_undeclared_argument_is_named() -> None:
    with pytest.raises(JacobiansError, match="y has no shape"):
        jac.show(loss, wrt="A", **LAYER)


# ---- a Jacobian shows itself


def test_a_jacobian_s_notation_uses_the_function_s_names() -> None:
    J = jac.jacobian(loss, "A")(A, x, b, y)
    assert J.index_form() == "(f_m − y_m)(1 − f_m²) x_n"
    assert J.einsum() == 'np.einsum("m,m,n->mn", f - y, 1 - f**2, x)'
    assert J.matrix_form() == "((f − y) ⊙ (1 − f²)) xᵀ"
    assert "\\odot" in J.latex()
    assert "1×(3×4)" in str(J.chain())


@pytest.mark.parametrize("name", ["tensor", "vec", "vec-row"])
def test_layouts_of_a_tensor(name: str) -> None:
    J = jac.jacobian(lambda A, x: A @ x, "A")(A, x)
    dense = np.asarray(J)
    wanted = {
        "tensor": dense,
        "vec": np.kron(x[None, :], np.eye(3)),
        "vec-row": np.kron(np.eye(3), x[None, :]),
    }
    np.testing.assert_allclose(J.layout(name), wanted[name])


def test_a_layout_without_a_place_says_why() -> None:
    J = jac.jacobian(lambda A, x: A @ x, "A")(A, x)
    with pytest.raises(LayoutError, match="numerator layout has no place"):
        J.layout("numerator")
    with pytest.raises(LayoutError, match="gradient layout needs a scalar target"):
        J.layout("gradient")


def test_scipy_gets_the_sparse_matrix_and_the_operator() -> None:
    pytest.importorskip("scipy")
    for f, wrt in (
        (lambda A, x: np.tanh(A @ x), "A"),
        (lambda A, x: A.T @ A, "A"),
        (lambda A, x: x[1:] * x[:-1], "x"),
    ):
        J = jac.jacobian(f, wrt)(A, x)
        for vec, layout in (("rows", "vec-row"), ("columns", "vec")):
            dense = J.layout(layout)
            np.testing.assert_allclose(J.to_scipy(vec).toarray(), dense)
            operator = J.as_linear_operator(vec)
            v, u = rng.normal(size=dense.shape[1]), rng.normal(size=dense.shape[0])
            np.testing.assert_allclose(operator @ v, dense @ v)
            np.testing.assert_allclose(operator.rmatvec(u), dense.T @ u)


def test_a_flattening_must_say_which() -> None:
    J = jac.jacobian(lambda x: x * x)(x)
    pytest.importorskip("scipy")
    with pytest.raises(UnsupportedError, match="vec='cols' is not known"):
        J.to_scipy("cols")


# ---- explanations


@pytest.mark.parametrize("term", EXPLANATIONS)
def test_explanations_are_about_ten_lines(term: str) -> None:
    assert 4 <= len(EXPLANATIONS[term].splitlines()) <= 14


def test_aliases_lead_somewhere() -> None:
    assert set(ALIASES.values()) <= set(EXPLANATIONS)


def test_a_jacobian_has_no_transpose_and_says_why() -> None:
    J = jac.jacobian(lambda A, x: A @ x, "A")(A, x)
    with pytest.raises(UnsupportedError, match=r"a Jacobian has no \.T") as caught:
        _ = J.T
    assert 'J.layout("denominator")' in str(caught.value)
    assert not hasattr(J, "T")


def cubes(A: Any, x: Any) -> Any:
    return np.sum((A @ x) ** 3)


SECOND = {
    "one argument": (lambda A, x: jac.hessian(cubes, "x")(A, x), "∂²f/∂x²", "{\\partial^2 f}{\\partial x^2}"),
    "mixed": (
        lambda A, x: jac.jacobian(jac.jacobian(cubes, "A"), "x")(A, x),
        "∂²f/∂x∂A",
        "{\\partial^2 f}{\\partial x \\, \\partial A}",
    ),
    "all": (
        lambda A, x: jac.hessian(cubes)(A, x)["A"]["x"],
        "∂²f/∂x∂A",
        "{\\partial^2 f}{\\partial x \\, \\partial A}",
    ),
}


@pytest.mark.parametrize("case", SECOND)
def test_second_derivatives_are_titled_as_such(case: str, tmp_path: Any) -> None:
    make, title, latex = SECOND[case]
    H = make(np.ones((3, 4)), np.ones(4))
    title, latex = title.replace("f", "cubes"), latex.replace(" f", r" \mathrm{cubes}")
    assert H.view().whole.title == title == H.layouts().rows[0].title
    assert latex in H.latex()
    assert "\\frac{\\partial \\mathrm" not in H.latex()
    top, bottom = title.split("/")
    assert top in str(H.chain())
    assert bottom in str(H.chain())
    page = Path(H.report(str(tmp_path / "h.html"))).read_text()
    assert f"<title>{title} · " in page
    first = "∂cubes/∂A" if title.endswith("∂A") else "∂cubes/∂x"  # the value of the graph, and no title
    assert f"<i>{first}</i>" in page
    assert first not in re.sub(r"<(i|text|title)\b[^>]*>[^<]*</\1>", "", page)
    assert H.view().whole.nonzero == H.nnz  # the view is of this very Jacobian


def test_first_derivatives_keep_their_titles() -> None:
    J = jac.jacobian(cubes, "x")(np.ones((3, 4)), np.ones(4))
    assert J.view().whole.title == "∂cubes/∂x"
    assert "^2" not in J.latex().split("\n")[1]


def test_sizes_of_several_terms_are_in_brackets() -> None:
    made = jac.show("y = x[1:] - x[:-1]", wrt="x", x="n")
    assert "(n−1)×n" in made.text()
    assert "(n - 1) \\times n" in made.latex()
    assert "  n×n" in jac.show("y = tanh(x)", wrt="x", x="n").text()


def test_a_table_in_one_layout_reads_as_that_layout() -> None:
    table = jac.shapes("z = A @ x", layout="vec", A="M,N", x="N", M=3)
    assert "target axes first" not in str(table)
    assert "vec layout" in str(table)
    assert "I₃" in str(table)
    assert "I_M" not in str(table)
    assert "target axes first" in str(jac.shapes("z = A @ x", A="M,N", x="N"))


def test_the_legend_of_the_layouts_is_aligned() -> None:
    lines = str(jac.shapes("z = A @ x", layout="all", A="M,N", x="N")).splitlines()
    starts = {line.index(word) for line in lines for word in ("numpy ravel", "left to right") if word in line}
    assert len(starts) == 1


def test_numbers_stand_before_the_array_and_formulas_in_brackets() -> None:
    assert "0.5 * (1 / (b + 1))   # at J[i, i]" in jac.show("y = x/(b+1)/2", wrt="x", x="N", b="N").text()


def test_every_letter_is_defined() -> None:
    text = "p = exp(A @ x); L = log(sum(p*p) + 1) * norm(A @ x)"
    made = jac.show(text, wrt="A", A="M,N", x="N")
    found = made.as_json()
    letters = {line.split(" = ")[0] for line in found["where"]}
    assert letters
    assert all(f"{letter} = " in made.text() for letter in letters)
    assert all(f", {line}" in repr(made) for line in found["where"])
    known = names(made.view)
    lines = einsum_text(made.jacobian.terms, places(made.view, known)[1], known).splitlines()
    assert [line.removeprefix("# ") for line in lines if line.startswith("# ")] == found["where"]
    for row in jac.shapes(text, A="M,N", x="N").rows:  # an index form with a letter has its meaning beside it
        assert "u" not in row.index.split() or "u = " in row.index


# ---- reprs and chains


def test_a_repr_says_of_which_order_and_by_what() -> None:
    H = jac.hessian(cubes, "x")
    assert repr(H(A, x)).startswith("Hessian of cubes of shape 4 x 4 by x: ")
    assert repr(H.compile(A, x)(A, x)).startswith("Hessian of cubes of shape 4 x 4 by x: ")
    assert repr(jac.hessian(cubes, 1).compile(A, x)(A, x)).startswith("Hessian of cubes of shape 4 x 4 by x")
    mixed = jac.hessian(cubes, wrt=("x", "A"))(A, x)
    assert repr(mixed).startswith("Hessian of cubes of shape 4 x (3 x 4) by x, A: ")
    for both in (jac.hessian(cubes)(A, x), jac.hessian(cubes).compile(A, x)(A, x)):
        assert repr(both["A"]["A"]).startswith("Hessian of cubes of shape (3 x 4) x (3 x 4) by A: ")
        assert repr(both["x"]["A"]).startswith("Hessian of cubes of shape 4 x (3 x 4) by x, A: ")
    third = jac.jacobian(jac.hessian(cubes, "x"), "A")(A, x)
    assert repr(third).startswith("Third derivative of cubes of shape (4 x 4) x (3 x 4) by x, x, A: ")
    assert repr(jac.jacobian(cubes, "A")(A, x)).startswith("Jacobian of cubes of shape (3 x 4) by A: ")


def test_one_name_of_an_argument_is_what_a_chain_ends_at() -> None:
    g = jac.trace(loss)(A, x, b, y)
    assert repr(g.chain("x")) == "∂L/∂x = ∂L/∂f · ∂f/∂z · ∂z/∂x"
    assert repr(g.chain("A")) == repr(g.chain(input="A")) == repr(g.chain("L", "A"))
    assert repr(g.chain("z")) == "∂z/∂A = ∂z/∂A"
    assert repr(g.chain("A", "A")) == "∂A/∂A = 1"
    assert repr(g.chain("z", "f")) == "∂z/∂f = 0"
    np.testing.assert_allclose(np.asarray(g.chain("x", "x").whole), np.eye(4))


# ---- tables by some inputs, and their width


def test_a_table_by_one_input_shows_its_chain_alone() -> None:
    text = "z = A @ x + b; f = tanh(z); L = 0.5*sum((f - y)**2)"
    titles = [row.title for row in jac.shapes(text, wrt="A", y="M", **LAYER).rows]
    assert titles == ["∂z/∂A", "∂f/∂z", "∂L/∂f", "∂L/∂A"]
    both = [row.title for row in jac.shapes(text, wrt=["A", "y"], y="M", **LAYER).rows]
    assert both == ["∂z/∂A", "∂f/∂z", "∂L/∂y", "∂L/∂f", "∂L/∂A"]
    assert [row.title for row in jac.shapes("A @ X @ B", wrt="X", A="m,n", X="n,p", B="p,q").rows] == [
        "∂f/∂X"
    ]
    assert [row.index for row in jac.shapes("A @ x", wrt="c", A="m,n", x="n", c="k").rows] == ["0"]


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("layout", ["tensor", "vec", "numerator", "all"])
def test_a_table_keeps_to_the_width_and_loses_no_column(width: int, layout: str) -> None:
    table = jac.shapes("first = A @ x + b; second = exp(x @ A.T @ A) * x", layout=layout, **LAYER)
    lines = table.text(width).splitlines()
    assert max(map(len, lines)) <= width
    assert not any(line != line.rstrip() for line in lines)
    for word in ("∂second/∂A", "numpy ravel") if layout == "all" else ("entries", "in indices", "nonzero"):
        assert word in table.text(width)


def test_products_in_a_table_keep_their_blanks() -> None:
    rows = jac.shapes("A @ X @ B", layout="vec", A="m,n", X="n,p", B="p,q").rows
    assert [row.layout("vec").split("  ")[1] for row in rows] == ["Bᵀ Xᵀ ⊗ I_m", "Bᵀ⊗A", "I_q ⊗ A X"]


# ---- values that are named like functions


NAMED_LIKE_FUNCTIONS = {
    "sigmoid = sigmoid(z)": ({"z": "M"}, "δ_im sigmoid_i (1 − sigmoid_i)", "\\mathrm{sigmoid}_{i}"),
    "tanh = tanh(A @ x); L = sum(tanh**2)": (
        {"A": "M,N", "x": "N"},
        "2 tanh_m (1 − tanh_m²) x_n",
        "\\frac{\\partial \\mathrm{tanh}}{\\partial A}",
    ),
    "inv = inv(X); f = det(inv)": ({"X": "n,n"}, "−Σ_k Σ_l cof(inv)_kl inv_km inv_nl", "\\mathrm{inv}_{km}"),
    "det = det(X); f = det**2": ({"X": "n,n"}, "2 det cof(X)_mn", "2 \\mathrm{det} "),
    "delta = x*x": ({"x": "N"}, "2 δ_in x_i", "\\partial \\mathrm{delta}"),
    "f = x*delta": ({"x": "N", "delta": "N"}, "δ_in delta_i", "\\delta_{in} \\mathrm{delta}_{i}"),
}


@pytest.mark.parametrize("text", NAMED_LIKE_FUNCTIONS)
def test_a_value_may_be_named_like_a_function(text: str) -> None:
    shapes, index, latex = NAMED_LIKE_FUNCTIONS[text]
    d = jac.show(text, **shapes)
    assert d.index_form() == index
    assert latex in d.latex()
    assert "index form" in d.text()
    assert jac.shapes(text, **shapes).rows


def test_a_value_named_like_a_function_is_a_value_from_then_on() -> None:
    with pytest.raises(ReadingError, match="'tanh' is a variable here, not a function") as caught:
        jac.show("tanh = exp(x); f = tanh(tanh)", x="N")
    assert "try: np.tanh(...)" in str(caught.value)
    assert jac.show("tanh = exp(x); f = np.tanh(tanh)", x="N").index_form() == "δ_in (1 − f_i²) tanh_i"
    assert jac.check("sigmoid = sigmoid(z)", "diag(sigmoid*(1 - sigmoid))", wrt="z", inputs={"z": "M"})


# ---- several paths


def residual(x: Any, W: Any) -> Any:
    h = x + np.tanh(W @ x)
    k = h + np.tanh(W @ h)
    return k


def test_no_path_of_several_is_said_to_be_the_whole() -> None:
    """Each path is a term of the sum; the direct one holds fixed what the others go through."""
    d = jac.show(residual, wrt="W", x="N", W="N,N")
    latex = d.latex().split("\n")
    direct = r"\underbrace{\frac{\partial k}{\partial W}}_{N \times (N \times N)}"
    assert latex[1] == rf"{direct} &= \left. {direct} \right|_{{h}} \\"
    assert latex[2].startswith(r"&\quad + \underbrace{\frac{\partial k}{\partial h}}_{N \times N} \, ")
    assert sum("&= " in line for line in latex) == 1 + 2 + 2  # the chain, two forms, two letters
    for shown in (d.text(), str(jac.jacobian(residual, wrt="W")(x, np.eye(4)).chain())):
        assert "path 1 of 2 (h held fixed)" in shown
        assert "path 2 of 2\n" in shown
        assert "=  " not in shown.split("sum over all paths")[0]
    html = d.html()
    assert "The sum over 2 paths:" in html
    assert "(h held fixed)" in html


def test_one_path_keeps_its_left_side() -> None:
    d = jac.show(LOSS, wrt="A", y="M", **LAYER)
    assert "=  " in d.text()
    assert not any(view.part for view in d.views)


def test_a_table_has_the_whole_beside_a_direct_link() -> None:
    """∂k/∂W with h held fixed is not ∂k/∂W."""
    rows = jac.shapes(residual, x="N", W="N,N").rows
    assert [(row.title, row.kind) for row in rows] == [
        ("∂h/∂x", "local"), ("∂h/∂W", "local"), ("∂k/∂W |h", "local"), ("∂k/∂h", "local"),
        ("∂k/∂x", "composed"), ("∂k/∂W", "composed"),
    ]  # fmt: skip
    assert [str(row.nonzero) for row in rows if "k/∂W" in row.title] == ["N**2", "N**3"]
