"""Judging claims: points, exact numbers, layouts, structures, verdicts and their texts."""

from __future__ import annotations

import pickle
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jacobians as jac
from jacobians.checking import REASONS, Verdict, check
from jacobians.checking.exact import PRIME, Jet, NotRational, decimal, residue
from jacobians.checking.formulas import formula
from jacobians.checking.oracle import NotAnalytic, by_complex, by_interval
from jacobians.checking.placing import arranged, gap, layouts_of, restored
from jacobians.checking.points import WORDS, draw, draw_whole
from jacobians.checking.problem import Input, Problem
from jacobians.checking.proof import prove
from jacobians.checking.structure import shared
from jacobians.errors import JacobiansError, LayoutError, ReadingError, ShapeError, UnknownNameError
from jacobians.layouts import to_layout

RNG = np.random.default_rng(0)
PROPERTIES: dict[str, Any] = {
    "positive": lambda a: np.all(a > 0),
    "nonzero": lambda a: np.all(a != 0),
    "open01": lambda a: np.all((a > 0) & (a < 1)),
    "small": lambda a: np.linalg.norm(a, 2) < 0.5,
    "invertible": lambda a: np.linalg.cond(a) < 1e3,
    "posdet": lambda a: np.linalg.det(a) > 0,
    "spd": lambda a: np.allclose(a, a.T) and np.linalg.eigvalsh(a)[0] > 0.05,
    "symmetric": lambda a: np.allclose(a, a.T),
    "antisymmetric": lambda a: np.allclose(a, -a.T),
    "symtensor": lambda a: np.allclose(a, a.T),
    "gapped": lambda a: np.min(np.diff(np.linalg.eigvalsh(a))) > 0.1,
    "orthogonal": lambda a: np.allclose(a.T @ a, np.eye(4)),
    "unit": lambda a: np.isclose(np.sum(a**2), 1),
    "rowunit": lambda a: np.allclose(np.sum(a**2, axis=1), 1),
    "diagonal": lambda a: np.array_equal(a, np.diag(np.diag(a))),
    "lower": lambda a: np.array_equal(a, np.tril(a)),
    "upper": lambda a: np.array_equal(a, np.triu(a)),
    "toeplitz": lambda a: np.array_equal(a[1:, 1:], a[:-1, :-1]),
    "symtoeplitz": lambda a: np.array_equal(a, a.T) and np.array_equal(a[1:, 1:], a[:-1, :-1]),
    "onehot": lambda a: np.sum(a) == 1 and np.sum(a != 0) == 1,
    "onehotrows": lambda a: np.array_equal(np.sum(a, axis=1), np.ones(4)) and set(np.unique(a)) == {0, 1},
    "binary": lambda a: set(np.unique(a)) == {0, 1},
    "signs": lambda a: set(np.unique(a)) <= {-1, 1},
    "simplex": lambda a: np.allclose(np.sum(a, axis=-1), 1) and np.all(a > 0),
    "zero": lambda a: not np.any(a),
}


@pytest.mark.parametrize("word", sorted(PROPERTIES))
def test_values_satisfy_their_assumptions(word: str) -> None:
    """Random values, and small whole numbers where there are any, are what the word says."""
    rng = np.random.default_rng(1)
    for _ in range(5):
        assert PROPERTIES[word](draw((4, 4), [word], rng)), word
        whole = draw_whole((4, 4), [word], rng)
        if whole is not None:
            assert np.array_equal(whole, np.round(whole))
            assert PROPERTIES[word](whole) or word == "invertible", word


def test_every_word_is_tested_or_is_about_sizes() -> None:
    """The table above is complete."""
    assert set(WORDS) - set(PROPERTIES) == {"wide", "tall", "square", "scalar", "distinct", "real"}


@pytest.mark.parametrize(
    "structure", ["symmetric", "diagonal", "lower", "upper", "toeplitz", "symtoeplitz", "antisymmetric"]
)
def test_shared_parameters_against_the_definition(structure: str) -> None:
    """`shared` is the derivative of the entries by the parameter that stands at a place, by differences."""
    size, entries = 4, RNG.normal(size=(4, 4))
    rows, columns = np.indices((size, size))
    classes = {
        "symmetric": np.minimum(rows, columns) * size + np.maximum(rows, columns),
        "toeplitz": rows - columns,
        "symtoeplitz": abs(rows - columns),
    }.get(structure, rows * size + columns)
    kept = {"diagonal": rows == columns, "lower": rows >= columns, "upper": rows <= columns}.get(
        structure, rows == rows
    )
    for i, j in np.ndindex(size, size):
        moved = (classes == classes[i, j]) & kept & kept[i, j]
        expected = np.sum(entries[moved])
        if structure == "antisymmetric":
            expected = entries[i, j] - entries[j, i]
        assert np.isclose(shared(entries, structure)[i, j], expected)


# -- exact numbers ------------------------------------------------------------------------------------------

numbers = st.integers(min_value=1, max_value=PRIME - 1)


@given(numbers, numbers, numbers, numbers)
def test_jets_obey_the_product_and_quotient_rules(a: int, da: int, b: int, db: int) -> None:
    """`(xy)' = x'y + xy'`, `(x/y) y = x`, `x^3 = x x x`, all modulo the prime."""
    x, y = Jet((a, da)), Jet((b, db))
    assert (x * y).parts == (a * b % PRIME, (a * db + da * b) % PRIME)
    assert (x / y * y).parts == x.parts
    assert (x**3).parts == (x * x * x).parts
    assert (x**-2 * x * x).parts == (1, 0)
    assert (2 - x + x).parts == (2, 0)


@given(numbers, numbers, numbers, numbers)
def test_third_derivatives_of_jets(a: int, u: int, v: int, w: int) -> None:
    """The coefficient of three infinitesimals of x^3 is 6 u v w."""
    x = Jet((a, u, v, 0, w, 0, 0, 0))
    assert (x * x * x).parts[7] == 6 * u * v * w % PRIME


@pytest.mark.parametrize("value", [0.1, 2.5, -3.0])
def test_short_decimals_are_exact(value: float) -> None:
    """0.1 is a tenth, not the float next to it."""
    assert decimal(value) == Fraction(str(value))
    assert residue(value) * Fraction(str(value)).denominator % PRIME == Fraction(str(value)).numerator % PRIME


def test_what_is_not_exact_is_refused() -> None:
    """Rounded numbers, comparisons and roots."""
    with pytest.raises(NotRational):
        decimal(1 / 3)
    with pytest.raises(NotRational):
        bool(Jet((1,)) < 2)
    with pytest.raises(NotRational):
        Jet((4,)) ** 0.5


def problem(f: str, claim: str, wrt: str, layout: str, order: int = 1, **inputs: str) -> Problem:
    """A problem from short texts; `X="n,n:symmetric"`."""
    made = []
    for name, text in inputs.items():
        shape, _, words = text.partition(":")
        made.append(Input(name, tuple(filter(None, shape.split(","))), tuple(filter(None, words.split(",")))))
    return Problem(formula(f), formula(claim), tuple(made), (wrt,), order, layout)


@pytest.mark.parametrize(
    ("made", "holds"),
    [
        (
            problem(
                "np.linalg.inv(X)", "-np.linalg.inv(X) @ dX @ np.linalg.inv(X)", "X", "differential", X="n,n"
            ),
            True,
        ),
        (
            problem(
                "np.linalg.inv(X)",
                "-np.linalg.inv(X) @ dX.T @ np.linalg.inv(X)",
                "X",
                "differential",
                X="n,n",
            ),
            False,
        ),
        (problem("np.linalg.det(X)", "np.linalg.det(X)*np.linalg.inv(X).T", "X", "gradient", X="n,n"), True),
        (problem("np.sum(x**3)", "np.diag(6*x)", "x", "hessian", 2, x="n"), True),
        (problem("np.sum(x**3)", "np.diag(6.000001*x)", "x", "hessian", 2, x="n"), False),
        (problem("x @ A @ x", "2*A @ x", "x", "gradient", A="n,n:symmetric", x="n"), True),
        (problem("x @ A @ x", "2*A @ x", "x", "gradient", A="n,n", x="n"), False),
    ],
)
def test_proofs(made: Problem, holds: bool) -> None:
    """Rational claims are decided exactly, with a bound where they hold."""
    found = prove(made, made.trial_sizes(), made.layout, np.random.default_rng(3))
    assert found is not None
    assert found.holds is holds
    assert found.bound < 1e-30 if holds else "certain" in found.sentence


def test_no_proof_of_what_is_not_rational() -> None:
    """exp has no exact numbers."""
    made = problem("np.sum(np.exp(x))", "np.exp(x)", "x", "gradient", x="n")
    assert prove(made, made.trial_sizes(), "gradient", np.random.default_rng(3)) is None


# -- derivatives from values alone --------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, 2, 3])
def test_oracles_know_the_derivatives_of_a_sine(order: int) -> None:
    """By complex values to rounding, by real ones nearly so."""
    expected = [np.cos(0.3), -np.sin(0.3), -np.cos(0.3)][order - 1]
    assert abs(by_complex(lambda t: np.sin(0.3 + t), order) - expected) < 1e-11
    assert abs(by_interval(lambda t: np.sin(0.3 + t), order, 0.03) - expected) < 1e-7


def test_complex_values_may_be_refused() -> None:
    """A function that takes real numbers alone."""
    with pytest.raises(NotAnalytic):
        by_complex(lambda t: np.asarray(np.floor(t)), 1)


# -- layouts ------------------------------------------------------------------------------------------------


@given(
    st.sampled_from([((), (3,)), ((2,), (3,)), ((2,), ()), ((), (2, 3)), ((2, 3), (4,)), ((2, 4), (3, 5))])
)
@settings(max_examples=30, deadline=None)
def test_layouts_round_trip(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    """`restored` undoes `arranged`, which is `to_layout` for first derivatives."""
    target, wrt = shapes
    tensor = RNG.normal(size=(*target, *wrt))
    for name in layouts_of(target, (wrt,)):
        array = arranged(tensor, name, target, (wrt,))
        assert array is not None
        assert np.array_equal(array, to_layout(tensor, name, target, wrt))
        back = restored(array, name, target, (wrt,))
        assert np.array_equal(np.asarray(back), tensor)


def test_hessian_vec_stacks_columns() -> None:
    """Entry (i + m j, k + m l) is the second derivative by (i, j) and (k, l)."""
    tensor = RNG.normal(size=(2, 3, 2, 3))
    stacked = arranged(tensor, "hessian-vec", (), ((2, 3), (2, 3)))
    assert stacked is not None
    assert stacked[1 + 2 * 2, 0 + 2 * 1] == tensor[1, 2, 0, 1]


def test_nothing_compared_is_no_agreement() -> None:
    """NaN, empty arrays and other shapes never agree."""
    assert gap(np.array([np.nan]), np.array([np.nan])) == np.inf
    assert gap(np.zeros((0,)), np.zeros((0,))) == np.inf
    assert gap(np.ones((1, 3)), np.ones(3)) == np.inf
    assert gap(np.ones(3), np.ones(3)) == 0


# -- check --------------------------------------------------------------------------------------------------

SQUARE = {"A": "n,n", "x": "n"}


def test_claims_in_every_form() -> None:
    """Texts of three kinds, a callable, an array at a point."""
    f = "x @ A @ x"
    for claim in ("(A + A.T) @ x", "A*x + A'*x", "|i: A[i,k]*x[k] + A[k,i]*x[k]", lambda A, x: (A + A.T) @ x):
        found = check(f, claim, wrt="x", inputs=SQUARE)
        assert found, claim
        assert found.layout == "gradient"
    A, x = RNG.normal(size=(3, 3)), RNG.normal(size=3)
    assert check(f, (A + A.T) @ x, wrt="x", inputs={"A": A, "x": x})
    assert not check(f, A @ x, wrt="x", inputs={"A": A, "x": x})


def test_functions_in_every_form() -> None:
    """A callable and matrix-calculus text."""
    assert check(
        lambda A, x: np.tanh(A @ x), "(1 - tanh(A @ x)**2)[:, None]*A", wrt="x", inputs={"A": "m,n", "x": "n"}
    )
    assert check("x'*A*x", "A*x + A'*x", wrt="x", inputs=SQUARE)


@pytest.mark.parametrize(
    ("f", "inputs", "claim", "layout"),
    [
        ("A @ x", {"A": "m,n", "x": "n"}, "A", "numerator"),
        ("A @ x", {"A": "m,n", "x": "n"}, "A.T", "denominator"),
        ("v @ x", {"v": "n", "x": "n"}, "v", "gradient"),
        ("v @ x", {"v": "n", "x": "n"}, "v[None, :]", "numerator"),
        ("v @ x", {"v": "n", "x": "n"}, "v[:, None]", "denominator"),
        ("np.outer(x, v)", {"v": "m", "x": "n"}, "np.kron(v[:, None], np.eye(x.shape[0]))", "vec"),
        ("np.outer(x, v)", {"v": "m", "x": "n"}, "np.kron(np.eye(x.shape[0]), v[:, None])", "vec-row"),
        ("x**2", {"x": ""}, "2*x", "tensor"),
    ],
)
def test_the_layout_is_found(f: str, inputs: dict[str, str], claim: str, layout: str) -> None:
    """Without `layout=` a right claim is true, and its layout named; asked for another, it is false."""
    assert check(f, claim, wrt="x", inputs=inputs).layout == layout
    for other in {"numerator", "denominator", "vec", "vec-row"} - {layout}:
        if "outer" in f and other in ("numerator", "denominator"):
            with pytest.raises(LayoutError, match=f"{other} layout has no place for ∂f/∂x: rank 3"):
                check(f, claim, wrt="x", inputs=inputs, layout=other)
            continue
        found = check(f, claim, wrt="x", inputs=inputs, layout=other)
        assert found.verdict == "true" or (found.reason, bool(found.layout)) == ("layout", True), other


def test_a_verdict_tells_everything() -> None:
    """Reason, assumption, correction, counterexample of small whole numbers, evidence, plain data."""
    found = check("u @ A @ x", "A @ u", wrt="x", inputs={"u": "n", **SQUARE}, layout="gradient")
    assert (found.verdict, found.reason, found.assumption) == ("false", "assumption", "symmetric A")
    assert found.correct == "A.T @ u"
    assert found.counterexample is not None
    A, u = (np.array(found.counterexample[name]) for name in "Au")
    assert np.any(A @ u != A.T @ u)
    assert all(float(entry).is_integer() for entry in A.ravel())
    assert found.as_json()["counterexample"] == found.counterexample
    assert pickle.loads(pickle.dumps(found)) == found


def test_the_correction_is_right() -> None:
    """What is given as correct is judged right itself."""
    wrong = [
        ("x @ A @ x", "2*A @ x", "x", {"A": "n,n", "x": "n"}),
        ("np.tanh(A @ x)", "A.T @ np.diag(1 - np.tanh(A @ x)**2)", "x", {"A": "m,n", "x": "n"}),
        ("np.trace(A @ X @ B)", "A @ B", "X", {"A": "p,m", "X": "m,n", "B": "n,p"}),
        ("np.linalg.norm(A @ x - b)**2", "2*(A @ x - b)", "x", {"A": "m,n", "x": "n", "b": "m"}),
    ]
    for f, claim, wrt, inputs in wrong:
        found = check(f, claim, wrt=wrt, inputs=inputs, layout="numerator" if "tanh" in f else "gradient")
        assert found.verdict == "false"
        assert check(f, found.correct, wrt=wrt, inputs=inputs), found.correct


def test_a_factor_that_is_a_size() -> None:
    """n, not 3."""
    found = check(
        "np.mean(x)", "np.ones(x.shape)", wrt="x", inputs={"x": "n"}, sizes={"n": 3}, layout="gradient"
    )
    assert found.reason == "factor"
    assert found.sentence == "The claim is n times the derivative."


@pytest.mark.parametrize(
    ("f", "claim", "wrt", "factor", "times", "correct"),
    [
        ("A @ x", "2*A", "x", 0.5, "2", "A"),
        ("A @ x", "3*A", "x", 1 / 3, "3", "A"),
        ("A @ x", "A/2", "x", 2, "1/2", "A"),
        ("x @ A.T @ A @ x", "A.T @ A", "x x", 2, "1/2", "2 * A.T @ A"),
        ("x @ x", "x", "x", 2, "1/2", "2 * x"),
        ("x @ x", "3*x", "x", 2 / 3, "3/2", "2 * x"),
    ],
)
def test_a_plain_factor(f: str, claim: str, wrt: str, factor: float, times: str, correct: str) -> None:
    """A factor of the whole is told as one, before terms and the product rule."""
    found = check(f, claim, wrt=wrt.split(), inputs={"A": "m,n", "x": "n"})
    assert (found.reason, found.sentence) == ("factor", f"The claim is {times} times the derivative.")
    assert found.factor == pytest.approx(factor)
    assert found.correct == correct


def test_the_product_rule_is_named_where_a_part_is_missing() -> None:
    """Not where only sums are: there every occurrence has its term; not for another factor of one term."""
    inputs = {"A": "n,n", "x": "n"}
    assert "product rule has a part" in check("x @ A @ x", "A @ x", wrt="x", inputs=inputs).sentence
    found = check("np.sum(x) + x @ x", "2*x", wrt="x", inputs={"x": "n"})
    assert found.reason == "missing-term"
    assert "product rule" not in found.sentence
    found = check("x @ A @ x", "3*A @ x + A.T @ x", wrt="x", inputs=inputs)
    assert found.reason == "factor"
    assert "product rule" not in found.sentence


@pytest.mark.parametrize(
    ("f", "claim", "inputs"),
    [
        ("A @ x", "2*A", {"A": "m,n", "x": "n"}),
        ("x**3", "np.diag(3*x)", {"x": "n"}),
        ("np.exp(A @ x)", "A", {"A": "m,n", "x": "n"}),
    ],
)
def test_the_numbers_are_those_at_the_counterexample(f: str, claim: str, inputs: dict[str, str]) -> None:
    """claim[..] and result[..] are the values at the inputs printed under them."""
    found = check(f, claim, wrt="x", inputs=inputs)
    assert found.counterexample is not None
    point = {name: np.array(value, dtype=float) for name, value in found.counterexample.items()}
    there = {"np": np, **point}
    truth = {
        "A @ x": lambda: point["A"],
        "x**3": lambda: np.diag(3 * point["x"] ** 2),
        "np.exp(A @ x)": lambda: np.exp(point["A"] @ point["x"])[:, None] * point["A"],
    }[f]()
    stated = {
        "2*A": lambda: 2 * point["A"],
        "np.diag(3*x)": lambda: np.diag(3 * point["x"]),
        "A": lambda: there["A"],
    }[claim]()
    for line, array in zip(found.details, (stated, truth), strict=True):
        label, number = line.split("]")
        place = tuple(map(int, label.partition("[")[2].split(",")))
        assert float(number) == pytest.approx(array[place], rel=1e-5)


def test_given_sizes_at_which_it_cannot_fail() -> None:
    """At n=1 the claim holds, and the verdict says that it does nowhere else; no such words where it does."""
    words: dict[str, Any] = {"wrt": "x", "inputs": {"x": "n"}}
    found = check("x*np.sum(x)", "2*x", sizes={"n": 1}, **words)
    assert found
    assert "at n=1 only: not right (or not evaluable) at other sizes" in str(found)
    assert "caution: n=1" in str(found)
    assert "only" not in str(check("x @ x", "2*x", sizes={"n": 3}, **words))
    assert "caution" not in str(check("x @ x", "2*x", sizes={"n": 3}, **words))
    assert not check("x*np.sum(x)", "2*x", **words)


def test_a_headline_never_denies_its_sentence() -> None:
    """What is explained is not said to be unexplained; what is not, is."""
    told = str(check("x**3", "np.diag(3*x)", wrt="x", inputs={"x": "n"}))
    assert "must be squared" in told
    assert "no error of the other kinds" not in told
    assert "no error of the other kinds" in str(
        check("np.exp(x)", "np.diag(x**5 + 2)", wrt="x", inputs={"x": "n"})
    )


def test_kron_in_the_order_of_another_layout() -> None:
    """Without a layout asked for, an order that is right in one of them is not blamed."""
    inputs = {"W": "m,n", "x": "n"}
    found = check("f = tanh(W @ x)", "kron(diag(1 + f**2), x)", wrt="W", inputs=inputs)
    assert found.reason == "sign"
    assert "order" not in found.sentence
    found = check("f = tanh(W @ x)", "kron(diag(1 - f**2), x)", wrt="W", inputs=inputs, layout="vec")
    assert not found


def test_python_functions_at_given_arrays() -> None:
    """The right index form, or the right values, and where it was looked at."""
    A, x = np.arange(6.0).reshape(2, 3), np.array([0.1, 0.2, 0.3])
    found = check(lambda A, x: np.tanh(A @ x), A, wrt="x", inputs={"A": A, "x": x})
    assert "A_ij" in found.correct
    assert "the given point" in str(found)
    assert "random" not in str(found)
    found = check(lambda x: np.array([v * v for v in x.tolist()]), np.eye(3), wrt="x", inputs={"x": x})
    assert found.correct == "[[0.2, 0.0, 0.0], [0.0, 0.4, 0.0], [0.0, 0.0, 0.6]]"


def test_corrections_are_tidy() -> None:
    """No double signs and transposes."""
    inputs = {"A": "m,n", "x": "n"}
    assert check("x @ x", "-2*x", wrt="x", inputs=inputs).correct == "2 * x"
    assert check("A @ x", "A.T", wrt="x", inputs=inputs, layout="numerator").correct == "A"


def test_zero_by_bad_luck_is_no_proof() -> None:
    """relu(w @ x) is flat at half of all points: 0 is still wrong; a derivative that is 0 is right."""
    inputs = {"w": "n", "x": "n"}
    assert not check("np.maximum(w @ x, 0)", "0*w", wrt="x", inputs=inputs)
    found = check("np.sum(x) - np.sum(x)", "0*x", wrt="x", inputs={"x": "n"})
    assert found
    assert any("zero at every point" in line for line in found.evidence)


def test_a_claim_without_numbers_is_not_true() -> None:
    """NaN everywhere, or at half of the points."""
    assert not check("x**2", "np.sqrt(-1 - x**2)", wrt="x", inputs={"x": ""})
    found = check("x**2", "2*np.exp(np.log(x))", wrt="x", inputs={"x": ""})
    assert (found.verdict, found.reason, found.assumption) == ("false", "assumption", "positive x")


def test_a_kink_under_an_assumption_is_undecided() -> None:
    """|x| at 0: engine and differences disagree, which is said."""
    found = check("np.abs(x)", "np.ones(())", wrt="x", inputs={"x": ""}, assume={"x": "zero"})
    assert found.verdict in ("undecided", "false")
    assert not found


def test_differential_of_symmetric_input_is_not_guessed() -> None:
    """Right for symmetric directions only, where none are asked for: undecided, not true."""
    found = check("np.trace(X @ A @ X)", "2*np.trace(A @ X @ dX)", wrt="X", inputs={"X": "n,n", "A": "n,n"},
                  layout="differential", assume={"X": "symmetric", "A": "diagonal"})  # fmt: skip
    assert not found


def test_same_function() -> None:
    """Equal, equal but for sign or factor, and different functions."""
    inputs = {"x": "n"}
    assert check("x @ x", "np.sum(x**2)", inputs=inputs)
    assert check("x @ x", "-np.sum(x**2)", inputs=inputs).reason == "sign"
    assert check("x @ x", "3*np.sum(x**2)", inputs=inputs).reason == "factor"
    assert check("x @ x", "np.sum(x)", inputs=inputs).reason == "unrelated"
    assert check("x @ x", "x*x", inputs=inputs).reason == "shape"


def test_undecided_is_not_true() -> None:
    """Only a claim that is known to be true is."""
    assert not Verdict("undecided", "")
    assert Verdict("true", "")
    assert len(REASONS) == 16


@pytest.mark.parametrize(
    ("words", "kind", "text"),
    [
        ({"wrt": "y"}, UnknownNameError, "wrt 'y' is not an input"),
        ({"wrt": "x", "layout": "jacobian"}, UnknownNameError, "layout 'jacobian' is not known"),
        ({"wrt": "x", "assume": {"x": "smooth"}}, ReadingError, "the assumption 'smooth' is not known"),
        ({"wrt": "x", "assume": {"q": "spd"}}, UnknownNameError, "assume: 'q' is not an input"),
        ({"wrt": "x", "structure": {"x": "round"}}, UnknownNameError, "structure 'round' is not known"),
        ({"wrt": "x", "inputs": {}}, ReadingError, "the inputs have no shapes"),
        (
            {"wrt": "x", "sizes": {"n": 0}},
            ShapeError,
            "size n is 0: a claim is judged at sizes of 1 and more",
        ),
        ({"wrt": "x", "inputs": {"x": "0"}}, ShapeError, "x has no entries: there is nothing to judge"),
        ({"wrt": "x", "order": 5}, ReadingError, "order 5 is not judged"),
        (
            {"wrt": "x", "sizes": {"n": 10**6}},
            ReadingError,
            "x has 1000000 entries; a check needs no more than 4000",
        ),
    ],
)
def test_questions_that_make_no_sense(words: dict[str, Any], kind: type[JacobiansError], text: str) -> None:
    """Errors name what is wrong and what to do instead."""
    with pytest.raises(kind) as caught:
        check("x @ x", "2*x", **{"inputs": {"x": "n"}, **words})
    assert caught.value.what == text


def test_arrays_that_do_not_fit_the_declarations() -> None:
    """One letter has one size."""
    f = jac.read("A @ x + b", A="M,N", x="N", b="M")
    arrays = {"A": np.ones((3, 4)), "x": np.ones(4), "b": np.ones(5)}
    with pytest.raises(ShapeError, match="size M is 3 from A and 5 from b"):
        check(f, "A", wrt="x", inputs=arrays)
    assert check(f, "A", wrt="x", inputs={**arrays, "A": np.ones((5, 4))})


def test_functions_of_whole_matrices_in_index_claims() -> None:
    """`inv(X)[i,k]` and `X.T[i,k]` are entries of what is computed first."""
    words: dict[str, Any] = {"wrt": "X", "inputs": {"X": "n,n"}, "assume": {"X": "invertible"}}
    right = "i j|k l: -inv(X)[i,k] * np.linalg.inv(X)[l,j]"
    assert check("np.linalg.inv(X)", right, **words)
    assert not check("np.linalg.inv(X)", right.replace("i,k", "k,i"), **words)
    assert check("np.trace(X @ X)", "|i j: 2*X.T[i,j]", wrt="X", inputs={"X": "n,n"})
    with pytest.raises(UnknownNameError, match="unknown name 'Q'"):
        check("np.linalg.inv(X)", "i j|k l: inv(Q)[i,k] * X[l,j]", **words)


def test_one_array_used_twice_and_two_arrays_are_told_apart() -> None:
    """A derivative that is kept by its structure is not reused for another structure."""
    a, b, X = np.arange(1.0, 4), np.array([2.0, -1, 5]), np.eye(3)
    assert np.array_equal(np.asarray(jac.jacobian(lambda X: a @ X @ a)(X)), np.outer(a, a))
    assert np.array_equal(np.asarray(jac.jacobian(lambda X: a @ X @ b)(X)), np.outer(a, b))
