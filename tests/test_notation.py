"""Index notation: letters, names, entries and their printers, einsum calls, wirings."""

from __future__ import annotations

import inspect
import itertools

import numpy as np
import pytest

import jacobians as jac
from jacobians.axes import symbol
from jacobians.expr import constant, topological, variable
from jacobians.notation.entries import (
    ONE,
    ZERO,
    Call,
    Delta,
    Entry,
    Index,
    Number,
    Plus,
    Power,
    Product,
    Quotient,
    Total,
    letter,
    plus,
    power,
    quotient,
    times,
    total,
)
from jacobians.notation.index import core_wiring, einsum_call, index_form, where_lines
from jacobians.notation.letters import label_letters, place_letters
from jacobians.notation.naming import name_values
from jacobians.notation.printers import ASCII, CODE, UNICODE, number_text
from jacobians.notation.reader import factor_nodes, read_terms
from jacobians.plan import evaluate
from jacobians.terms import Term, TermSum, term
from jacobians.wiring import Affine, Table

rng = np.random.default_rng(5)
ENV = {
    "A": rng.normal(size=(3, 4)),
    "B": rng.normal(size=(5, 3)),
    "C": rng.normal(size=(4, 2)),
    "D": rng.normal(size=(3, 4)),
    "X": rng.normal(size=(4, 4)) + 4 * np.eye(4),
    "b": rng.normal(size=3),
    "x": rng.uniform(0.5, 2.0, size=4),
    "y": rng.normal(size=3),
}

# (by, function, index form): the forms are written by hand
FORMS = [
    ("A", lambda A, x: A @ x, "δ_im x_n"),
    ("x", lambda A, x: A @ x, "A_ij"),
    ("b", lambda A, x, b: A @ x + b, "δ_ij"),
    ("b", lambda A, x, b: np.tanh(A @ x + b), "δ_ij (1 − u_i²)"),
    ("A", lambda A, x, b: np.tanh(A @ x + b), "δ_im (1 − u_i²) x_n"),
    ("x", lambda A, x, b: np.tanh(A @ x + b), "(1 − u_i²) A_ij"),
    ("A", lambda A, x, b, y: 0.5 * np.sum((np.tanh(A @ x + b) - y) ** 2), "(u_m − y_m)(1 − u_m²) x_n"),
    ("X", lambda X: np.linalg.inv(X), "−inv(X)_im inv(X)_nj"),
    ("X", lambda X: np.trace(X @ X), "2 X_nm"),
    ("X", lambda X, C: np.trace(C.T @ X @ C), "Σ_k C_nk C_mk"),
    ("X", lambda X: np.linalg.slogdet(X)[1], "inv(X)_nm"),
    ("A", lambda A: A.T, "δ_in δ_jm"),
    ("A", lambda A: np.tanh(A), "δ_im δ_jn (1 − tanh(A_ij)²)"),
    ("A", lambda A, D: np.sum(A * A * D), "2 D_mn A_mn"),
    ("A", lambda A: np.sum(A, axis=0), "δ_in"),
    ("A", lambda A: A.ravel(), "δ_{i,4m+n}"),
    ("x", lambda x: x[1:] - x[:-1], "δ_{j,i+1} − δ_ij"),
    ("x", lambda x: np.exp(x) / np.sum(np.exp(x)), "δ_ij exp(x_i)/u − exp(x_i) exp(x_j)/u²"),
    ("x", lambda x: np.sqrt(x @ x), "x_i/sqrt(Σ_k x_k²)"),
    ("x", lambda x: 1 / x, "−δ_ij/x_i²"),
    ("x", lambda x: x**3, "3 δ_ij x_i²"),
    ("x", lambda x: np.where(x > 1, x, 0.0), "δ_ij [x_i > 1]"),
    ("x", lambda x: np.outer(x, x), "δ_ik x_j + δ_jk x_i"),
    ("x", lambda x: x.mean(), "0.25"),
    ("x", lambda x: np.sum(x) * 2, "2"),
    ("x", lambda x: np.concatenate([x, 2 * x]), "δ_ij + 2 δ_{i,j+4}"),
]


def number_of(node):
    """The value of a node at this file's arrays."""
    given = {leaf.serial: ENV[leaf.name] for leaf in topological([node]) if leaf.op == "variable"}
    return evaluate([node], given)[0]


def derivative(f, wrt):
    return jac.jacobian(f, wrt)(**{name: ENV[name] for name in inspect.signature(f).parameters})


@pytest.mark.parametrize(("wrt", "f", "wanted"), FORMS, ids=[form for _, _, form in FORMS])
def test_index_form(wrt, f, wanted):
    assert index_form(derivative(f, wrt).terms) == wanted


FUNCTIONS = {
    "exp": np.exp, "tanh": np.tanh, "sqrt": np.sqrt, "log": np.log, "holds": float, "greater": np.greater,
}  # fmt: skip


def value(expr, at, values):
    """The number of an expression at an assignment of its letters: this file's own evaluator."""
    match expr:
        case Number(number):
            return number
        case Entry(name, index):
            array = eval(name, {"inv": np.linalg.inv, **values})
            return np.asarray(array)[tuple(position(one, at) for one in index)]
        case Delta(left, right):
            return float(position(left, at) == position(right, at))
        case Call(function, args):
            return FUNCTIONS[function](*(value(arg, at, values) for arg in args))
        case Power(base, exponent):
            return value(base, at, values) ** exponent
        case Quotient(top, bottom):
            return value(top, at, values) / value(bottom, at, values)
        case Product(coefficient, factors):
            return coefficient * np.prod([value(factor, at, values) for factor in factors])
        case Plus(terms):
            return sum(value(one, at, values) for one in terms)
        case Total(letters, body):
            ranges = [range(size) for size in bound_sizes(body, letters, values)]
            return sum(
                value(body, {**at, **dict(zip(letters, point, strict=True))}, values)
                for point in itertools.product(*ranges)
            )
    raise TypeError(expr)


def position(index, at):
    return index.offset + sum(stride * at[name] for name, stride in index.strides)


def bound_sizes(body, letters, values):
    """The range of every letter, from the arrays that carry it."""
    found = {}

    def visit(expr):
        if isinstance(expr, Entry):
            shape = np.shape(eval(expr.name, {"inv": np.linalg.inv, **values}))
            for one, size in zip(expr.index, shape, strict=True):
                for name, _ in one.strides:
                    found[name] = size
        for part in ("factors", "terms", "args"):
            for inner in getattr(expr, part, ()):
                visit(inner)
        for part in ("base", "body", "top", "bottom"):
            if hasattr(expr, part):
                visit(getattr(expr, part))

    visit(body)
    return [found[name] for name in letters]


@pytest.mark.parametrize(("wrt", "f", "wanted"), FORMS, ids=[form for _, _, form in FORMS])
def test_the_index_form_is_the_jacobian(wrt, f, wanted):
    J = derivative(f, wrt)
    names = name_values(factor_nodes(J.terms))
    places = place_letters(len(J.target_shape), len(J.input_shape), avoid=names.taken())
    expr = read_terms(J.terms, places, names)
    values = {**ENV, **{name: number_of(node) for name, node in names.where}}
    dense = np.zeros(J.shape)
    for at in np.ndindex(*J.shape):
        dense[at] = value(expr, dict(zip((*places[0], *places[1]), at, strict=True)), values)
    np.testing.assert_allclose(dense, np.asarray(J), atol=1e-12)


def test_the_evaluator_can_fail():
    J = derivative(FORMS[0][1], "A")
    wrong = read_terms(J.terms, (("i",), ("n", "m")))  # axes of A in the wrong order
    assert value(wrong, {"i": 0, "m": 1, "n": 0}, ENV) != np.asarray(J)[0, 1, 0]


def test_symbolic_sizes_name_the_axes():
    M, N = symbol("M"), symbol("N")
    x = variable("x", (N,))
    dz_dA = TermSum((M,), (M, N), (term(1, [(x, "n")], "i", "in", {"i": M, "n": N}),))
    assert index_form(dz_dA) == "δ_im x_n"
    assert index_form(dz_dA, (("i",), ("r", "c"))) == "δ_ir x_c"


def test_letters():
    assert place_letters(1, 2) == (("i",), ("m", "n"))
    assert place_letters(1, 1) == (("i",), ("j",))
    assert place_letters(2, 2, axes=("P", "Q")) == (("i", "j"), ("p", "q"))
    assert place_letters(1, 1, axes=("in",)) == (("i",), ("j",))  # i is taken
    assert place_letters(1, 2, avoid=("i", "m")) == (("j",), ("n", "p"))


def test_no_letter_serves_twice():
    first, second = place_letters(30, 30)
    assert len({*first, *second}) == 60
    whole = Term(1, ((variable("T", (2, 3, 5, 7)), (2, 3, 4, 0)),), (0, 1), (1, 2), (2, 3, 5, 7, 11))
    letters = label_letters(whole, place_letters(2, 2))
    assert len(set(letters.values())) == 5


def test_a_letter_is_no_name():
    i = variable("i", (4,))
    J = TermSum((4,), (), (Term(1, ((i, (0,)),), (0,), (), (4,)),))
    assert index_form(J) == "i_j"


def test_entries_tidy_up():
    f, g = Entry("f", (letter("i"),)), Entry("g", (letter("i"),))
    assert times(2, f, 0.5, f) == Power(f, 2)
    assert times(f, 0) == ZERO
    assert plus([f, times(-1, f)]) == ZERO
    assert plus([f, ONE, f, Number(2)]) == Plus((Product(2, (f,)), Number(3)))
    assert power(power(f, 2), 3) == Power(f, 6)
    assert quotient(times(2, f), times(4, g)) == Quotient(Product(0.5, (f,)), g)
    assert times(quotient(ONE, f), quotient(g, f)) == Quotient(g, Power(f, 2))
    assert times(quotient(g, f), f) == g
    summed = total(["k"], times(Entry("A", (letter("i"), letter("k"))), Entry("x", (letter("k"),))))
    again = total(["l"], times(Entry("x", (letter("l"),)), Entry("A", (letter("i"), letter("l")))))
    assert plus([summed, again]) == times(2, summed)
    assert plus([summed, total(["l"], Entry("A", (letter("l"), letter("i"))))]) != times(2, summed)


def test_printers():
    i, j = letter("i"), letter("j")
    f, x = Entry("f", (i,)), Entry("x", (Index(1, (("j", 2),)),))
    expr = plus([times(Delta(i, j), plus([ONE, times(-1, power(f, 2))])), times(-0.5, x), Number(-3)])
    assert UNICODE.print(expr) == "δ_ij (1 − f_i²) − 0.5 x_{2j+1} − 3"
    assert ASCII.print(expr) == "delta_ij (1 - f_i^2) - 0.5 x_{2j+1} - 3"
    assert CODE.print(expr) == "delta[i,j] * (1 - f[i]**2) - 0.5 * x[2*j+1] - 3"
    assert UNICODE.print(quotient(plus([f, ONE]), plus([f, x]))) == "(f_i + 1)/(f_i + x_{2j+1})"
    assert UNICODE.print(power(f, -1)) == "f_i⁻¹"
    assert UNICODE.print(power(plus([f, x]), 0.5)) == "(f_i + x_{2j+1})^(0.5)"
    assert (
        UNICODE.print(Call("where", (Call("less_equal", (f, x)), f, ONE))) == "where(f_i ≤ x_{2j+1}, f_i, 1)"
    )
    assert ASCII.print(Call("less_equal", (f, x))) == "f_i <= x_{2j+1}"
    assert UNICODE.print(total(["k"], times(3, f))) == "3 Σ_k f_i"
    assert UNICODE.print(Call("abs", (f,))) == "|f_i|"


def test_numbers():
    assert [number_text(n) for n in (2.0, -1, 0.25, 1 / 3, 2 / 7)] == ["2", "-1", "0.25", "1/3", "2/7"]
    assert number_text(symbol("M") * symbol("N")) == "MN"


def test_zero():
    assert index_form(TermSum((3,), (4,))) == "0"


def test_core_wiring():
    x = variable("x", (4,))
    dz_dA = term(1, [(x, "n")], "i", "in", {"i": 3, "n": 4})
    assert core_wiring(dz_dA, (1,)) == "n: i|i n"
    assert core_wiring(term(1, [], "i", "i", {"i": 3}), ()) == ": i|i"
    shifted = Term(1, (), (0,), (Affine(1, ((0, 1),)),), (3,))
    assert core_wiring(shifted, ()) == ": i|i+1"
    gathered = Term(1, (), (0,), (Table((0,), constant(np.array([2, 0, 1]))),), (3,))
    assert core_wiring(gathered, ()) == ": i|T[i]"


CALLS = [
    (FORMS[1], "A"),
    (FORMS[4], 'np.einsum("i,n->in", 1 - u**2, x)   # at J[i, i, n]'),
    (FORMS[5], 'np.einsum("i,ij->ij", 1 - u**2, A)'),
    (FORMS[6], 'np.einsum("m,m,n->mn", u - y, 1 - u**2, x)'),
    (FORMS[7], '-1 * np.einsum("im,nj->ijmn", np.linalg.inv(X), np.linalg.inv(X))'),
    (FORMS[2], "1   # at J[i, i]"),
]


@pytest.mark.parametrize(("form", "wanted"), CALLS)
def test_einsum_call(form, wanted):
    (only,) = derivative(form[1], form[0]).terms.terms
    assert einsum_call(only).text == wanted


@pytest.mark.parametrize(("form", "wanted"), CALLS)
def test_einsum_call_runs(form, wanted):
    J = derivative(form[1], form[0])
    (only,) = J.terms.terms
    names = name_values(factor_nodes(J.terms))
    call = einsum_call(only, names=names)
    values = {**ENV, **{name: number_of(node) for name, node in names.where}, "np": np}
    source, _, at = call.text.partition("   # at J")
    dense = np.zeros(J.shape)
    if at:
        letters = at.strip("[]").split(", ")
        out = call.subscripts.partition("->")[2]
        core = np.broadcast_to(
            eval(source, values), [dict(zip(letters, J.shape, strict=False))[k] for k in out]
        )
        for point in np.ndindex(*J.shape):
            where = dict(zip(letters, point, strict=True))
            if tuple(where[k] for k in letters) == point:
                dense[point] = core[tuple(where[k] for k in out)]
    else:
        dense += eval(source, values)
    np.testing.assert_allclose(dense, np.asarray(J))


def test_where_lines():
    J = derivative(FORMS[4][1], "A")
    assert where_lines(name_values(factor_nodes(J.terms))) == ["u = tanh(A x + b)"]


def test_options_are_never_lost():
    """A call with an option gets a letter: `std(x)` would be another number."""
    x = np.array([1.0, 2.0, 4.0, 8.0])
    for f, plain in ((lambda x: np.round(x) * x, True), (lambda x: np.round(x, 1) * x, False)):
        terms = jac.jacobian(f)(x).terms
        lines = where_lines(name_values(factor_nodes(terms)))
        assert any(" with " in line for line in lines) is not plain
    one = jac.jacobian(lambda x: np.std(x, ddof=1) * np.std(x) * x)(x)
    assert "with" in " ".join(where_lines(name_values(factor_nodes(one.terms))))


def test_two_calls_with_other_options_are_not_one_value():
    x = np.array([0.12, 0.27])
    terms = jac.jacobian(lambda x: (np.round(x, 1) + np.round(x)) * x)(x).terms
    assert index_form(terms) in ("δ_ij (u_i + round(x_i))", "δ_ij (u_i + rint(x_i))")


def test_a_letter_made_here_is_no_name_of_the_users():
    u = variable("u", (4, 4))
    v = jac.tracing.Traced(variable("v", (4,)))
    z = np.tanh(jac.tracing.Traced(u) @ v + v).node
    assert [name for name, _ in name_values([z]).where] == ["w"]
    assert [name for name, _ in name_values([z], avoid=["w", "g"]).where] == ["h"]


def test_two_values_of_one_name_are_told_apart():
    a, b = variable("x", (3,)), variable("x", (3,))
    J = TermSum((3,), (), (Term(1, ((a, (0,)), (b, (0,))), (0,), (), (3,)),))
    assert index_form(J) == "x_i x2_i"


def test_no_expression_swell():
    """An 8-layer network: the entry stays short, every activation is one symbol."""
    h = jac.tracing.Traced(variable("x", (2,)))
    weights = []
    for k in range(8):
        weights.append(variable(f"W{k}", (k + 3, k + 2)))
        bias = jac.tracing.Traced(variable(f"b{k}", (k + 3,)))
        h = np.tanh(jac.tracing.Traced(weights[-1]) @ h + bias)
    from jacobians.graph import linearize

    J = linearize([h.node], weights[:1]).eliminate("reverse")[0][0]
    names = name_values(factor_nodes(J))
    assert len(index_form(J, names=names)) < 40
    lines = where_lines(names)
    assert sum("tanh" in line for line in lines) == 8
    assert max(map(len, lines)) < 80
