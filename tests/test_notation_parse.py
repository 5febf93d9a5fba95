"""Printing a Jacobian as a claim and reading it back gives the same Terms."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import jacobians as jac
from jacobians.axes import symbol
from jacobians.errors import ReadingError
from jacobians.expr import Node, constant, variable
from jacobians.notation.index import claim_form
from jacobians.notation.parse import parse_term
from jacobians.plan import evaluate
from jacobians.terms import TermSum, assemble, canonical, term
from jacobians.wiring import Affine, Table, labels_of, plain

SIZES = (2, 3, 4, 5, 7)


def held(name, shape, seed):
    """A factor's node with its array."""
    array = np.random.default_rng(seed).normal(size=shape)
    return Node("variable", (), None, shape, array.dtype, name, array)


@st.composite
def jacobians(draw, selections=True):
    """A random TermSum of one to three Terms of one shape."""
    kinds = st.sampled_from(["label", "affine", "table"] if selections else ["label"])
    target, given_ = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    shape = [None] * (target + given_)
    terms = []
    for number in range(draw(st.integers(1, 3))):
        labels, slots = [], []
        sizes = {}
        for place in range(len(shape)):
            fitting = [k for k in labels if shape[place] in (None, sizes[k])]
            kind = draw(kinds) if shape[place] is None else "label"
            if fitting and draw(st.booleans()):
                label = draw(st.sampled_from(fitting))
            else:
                label = len(sizes)
                sizes[label] = shape[place] or draw(st.sampled_from(SIZES))
                labels.append(label)
            slot = label
            shape[place] = shape[place] or sizes[label]
            if kind == "affine" and number == 0:
                stride, offset = draw(st.sampled_from([1, 2, -1])), draw(st.integers(0, 2))
                low = min(0, stride * (sizes[label] - 1))
                slot = Affine(offset - low, ((label, stride),))
                shape[place] = offset + abs(stride) * (sizes[label] - 1) + 1 + draw(st.integers(0, 1))
            elif kind == "table" and number == 0:
                shape[place] = sizes[label] + 2
                table = np.random.default_rng(place).integers(0, shape[place], sizes[label])
                slot = Table((label,), constant(table))
            slots.append(slot)
        for extra in range(draw(st.integers(0, 1))):
            sizes[len(sizes)] = SIZES[extra]
        factors = []
        for k in range(draw(st.integers(0, 3))):
            own = draw(st.lists(st.sampled_from(sorted(sizes)), max_size=3)) if sizes else []
            factors.append((held("xyz"[k], tuple(sizes[one] for one in own), 10 * number + k), tuple(own)))
        order = [sizes[k] for k in sorted(sizes)]
        slots = [plain(slot, size, order) for slot, size in zip(slots, shape, strict=True)]
        coefficient = draw(st.sampled_from([1, -1, 2, 0.5, -0.25]))
        terms.append(canonical(coefficient, factors, slots[:target], slots[target:], order))
    return TermSum(tuple(shape[:target]), tuple(shape[target:]), tuple(terms))


@settings(max_examples=150, deadline=None)
@given(jacobians(selections=False))
def test_print_then_parse_is_the_same_terms(J):
    claim = claim_form(J)
    assert parse_term(claim.text, claim.nodes, J.target_shape, J.input_shape) == J


@settings(max_examples=150, deadline=None)
@given(jacobians())
def test_with_selections_it_is_the_same_tensor(J):
    claim = claim_form(J)
    back = parse_term(claim.text, claim.nodes, J.target_shape, J.input_shape)
    assert claim_form(back).text == claim.text
    np.testing.assert_allclose(evaluate([assemble(back)])[0], evaluate([assemble(J)])[0])


ENV = {"A": np.ones((3, 4)), "X": np.eye(4), "x": np.arange(1.0, 5.0), "b": np.ones(3)}
FUNCTIONS = [
    ("A", lambda A, x: A @ x, "i|m n: delta[i,m] * x[n]"),
    ("x", lambda A, x: A @ x, "i|j: A[i,j]"),
    ("b", lambda b: 3 * b, "i|j: 3 * delta[i,j]"),
    ("X", lambda X: np.linalg.inv(X), "i j|m n: -u[i,m] * u[n,j]"),
    ("x", lambda x: x[1:] - x[:-1], "i|j: -delta[i,j] + delta[j,i+1]"),
    ("A", lambda A: A.ravel(), "i|m n: delta[i,4*m+n]"),
    ("x", lambda x: x[np.array([2, 0, 3])], "i|j: delta[j,T[i]]"),
    (
        "x",
        lambda x: np.roll(x, 1),
        "i|j: sum[k:3] * delta[i,k+1] * delta[j,k] + sum[k:1] * delta[i,k] * delta[j,k+3]",
    ),
    ("x", lambda x: x.sum() * 2, "|i: 2"),
    ("x", lambda x: np.sign(x), "i|j: 0"),
]


@pytest.mark.parametrize(("wrt", "f", "text"), FUNCTIONS, ids=[text for _, _, text in FUNCTIONS])
def test_claims(wrt, f, text):
    terms = jac.jacobian(f, wrt)(**{name: ENV[name] for name in inspect.signature(f).parameters}).terms
    claim = claim_form(terms)
    assert claim.text == text
    assert parse_term(text, claim.nodes, terms.target_shape, terms.input_shape) == terms


def test_shapes_come_from_factors():
    A = variable("A", (3, 4))
    found = parse_term("i|j: A[i,j]", {"A": A})
    assert (found.target_shape, found.input_shape) == ((3,), (4,))
    found = parse_term("i k|j: delta[i,k] * A[i,j]", {"A": A})
    assert (found.target_shape, found.input_shape) == ((3, 3), (4,))


def test_symbolic_sizes_and_coefficients():
    M, N = symbol("M"), symbol("N")
    J = TermSum((M,), (M,), (term(M * N + 2, [], "i", "i", {"i": M}),))
    claim = claim_form(J)
    assert claim.text == "i|j: (M*N + 2) * delta[i,j]"
    assert parse_term(claim.text, claim.nodes, (M,), (M,)) == J


def test_a_different_text_is_a_different_term():
    x = {"x": variable("x", (4,))}
    right = parse_term("i|m n: delta[i,m] * x[n]", x, (4,), (4, 4))
    wrong = parse_term("i|m n: delta[i,n] * x[m]", x, (4,), (4, 4))
    assert right != wrong


def test_factors_of_one_name_are_told_apart():
    a, b = held("x", (3,), 0), held("x", (3,), 1)
    J = TermSum((3,), (), (canonical(1, [(a, (0,)), (b, (0,))], (0,), (), (3,)),))
    claim = claim_form(J)
    assert claim.text == "i|: x[i] * x2[i]"
    assert parse_term(claim.text, claim.nodes, (3,), ()) == J


BAD = [
    ("x[n]", "a term starts with its axes"),
    ("i|i: x[i]", "a letter stands twice among the axes"),
    ("i|n: y[n]", "unknown name 'y'"),
    ("i|n: x[n", "this is no product of entries"),
    ("i|n: x[n] / 2", "this is no entry and no number"),
    ("i|n: __import__('os')", "this is no entry and no number"),
    ("i|n: x[n+1]", "a factor's index is a letter"),
    ("i|n: x[n,n]", "2 letters for 1 axes"),
    ("i|n: delta[2,n] * x[n]", "a delta starts with an axis"),
    ("i|n: x[n]", "axis i has no size"),
    ("i|n: x[i] * delta[i,n+1]", "axis i is given by a delta"),
]


@pytest.mark.parametrize(("text", "what"), BAD, ids=[text for text, _ in BAD])
def test_what_cannot_be_read(text, what):
    with pytest.raises(ReadingError) as caught:
        parse_term(text, {"x": variable("x", (4,))}, None if "size" in what else (4,), (4,))
    assert caught.value.what.startswith(what)
    assert caught.value.instead


def test_the_caret_stands_under_the_place():
    with pytest.raises(ReadingError) as caught:
        parse_term("i|n:  delta[i,n] * y[n]", {"x": variable("x", (4,))}, (4,), (4,))
    line, mark = caught.value.where.splitlines()
    assert line[mark.index("^")] == "y"


def test_long_text_is_refused():
    with pytest.raises(ReadingError, match="too long"):
        parse_term("i|n: " + "x[n] + " * 3000, {}, (4,), (4,))


def test_deep_text_is_refused():
    with pytest.raises(ReadingError):
        parse_term("i|n: " + "(" * 2000 + "1" + ")" * 2000, {}, (4,), (4,))


def test_every_slot_label_is_printed():
    J = TermSum((9,), (3,), (canonical(1, [], [Affine(0, ((0, 3), (1, 1)))], [0], (3, 3)),))
    claim = claim_form(J)
    assert claim.text == "i|j: sum[k:3] * delta[i,3*j+k]"
    back = parse_term(claim.text, claim.nodes, (9,), (3,))
    assert {label for slot in back.terms[0].target for label in labels_of(slot)} == {0, 1}
    assert back == J
