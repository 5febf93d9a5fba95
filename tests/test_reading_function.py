"""Declarations of shapes, `read`, and the exact messages a user sees."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jacobians.errors import BudgetError, JacobiansError, ReadingError, ShapeError, UnknownNameError
from jacobians.reading import (
    Declarations,
    bindings_from_values,
    declarations,
    declarations_from_keywords,
    read,
)

RNG = np.random.default_rng(5)
A = RNG.normal(size=(3, 4))
x = RNG.normal(size=4)
b = RNG.normal(size=3)
LAYER = "z = A @ x + b; f = tanh(z)"


def layer() -> Any:
    """The lecture's single layer."""
    return read(LAYER, A="M,N", x="N", b="M")


def test_read_gives_a_function() -> None:
    f = layer()
    assert f.inputs == ("A", "x", "b")
    assert f.assigned == ("z", "f")
    assert f.text == LAYER
    assert f.__name__ == "f"
    assert list(inspect.signature(f).parameters) == ["A", "x", "b"]
    assert repr(f) == "<read A:M,N x:N b:M: z = A @ x + b; f = tanh(z)>"
    assert np.array_equal(f(A, x, b), np.tanh(A @ x + b))
    assert np.array_equal(f(b=b, A=A, x=x), f(A, x, b))
    assert np.array_equal(f.all_values(A, x, b)["z"], A @ x + b)


def test_inputs_are_in_the_order_of_declaration_or_of_first_use() -> None:
    assert read("A @ x", x="N", A="M,N").inputs == ("x", "A")
    assert read("A @ x + c", x="N", A="M,N", c=2.0, k=3)(x, A).shape == (3,)
    assert read("b + A @ x").inputs == ("b", "A", "x")
    assert read("b + n*x", n=3).inputs == ("b", "x")


def test_an_input_that_is_not_used_stays_an_argument() -> None:
    assert read("2*x", x="N", c="K").inputs == ("x", "c")


def test_sizes_are_numbers_in_the_text() -> None:
    assert read("sum(x)/N", x="N")(x) == x.sum() / 4
    assert read("np.eye(M) * k", x="N", M=2, k=3)(x).tolist() == [[3, 0], [0, 3]]
    assert read("x / N", x="2*N")(x)[0] == x[0] / 2


def test_names_are_told_to_the_hook() -> None:
    told: list[str] = []

    def name_value(value: Any, name: str) -> Any:
        told.append(name)
        return value

    read(LAYER, A="M,N", x="N", b="M", name_value=name_value)(A, x, b)
    layer().with_name_value(name_value)(A, x, b)
    assert told == ["z", "f", "z", "f"]


def test_matrix_syntax() -> None:
    f = read("x'*A*x", syntax="matrixcalculus", A="N,N", x="N")
    assert np.isclose(f(np.eye(4), x), x @ x)


@pytest.mark.parametrize(
    ("text", "shapes", "sizes"),
    [
        ("A:M,N x:N s: M=3 N=4", {"A": ("M", "N"), "x": ("N",), "s": ()}, {"M": 3, "N": 4}),
        ("A:3,4", {"A": (3, 4)}, {}),
        ("A:N+1,2*N x: N=2", {"A": ("N+1", "2*N"), "x": ()}, {"N": 2}),
        ("u:n; A:n,n:symmetric; x:n", {"u": ("n",), "A": ("n", "n"), "x": ("n",)}, {}),
        ("A:(3,4) x:[n] y:n,", {"A": (3, 4), "x": ("n",), "y": ("n",)}, {}),
    ],
)
def test_declarations(text: str, shapes: dict[str, Any], sizes: dict[str, int]) -> None:
    found = declarations(text)
    assert (dict(found.shapes), dict(found.sizes)) == (shapes, sizes)
    assert declarations(text.split(" ")) == found


def test_declarations_from_keywords() -> None:
    found = declarations_from_keywords(A="M,N", x=("N",), y=(3, "N+1"), s="", M=3, c=0.5)
    assert dict(found.shapes) == {"A": ("M", "N"), "x": ("N",), "y": (3, "N+1"), "s": ()}
    assert (dict(found.sizes), dict(found.constants)) == ({"M": 3}, {"c": 0.5})
    assert found.symbols == ("M", "N")


def test_assumptions_are_kept() -> None:
    assert declarations("A:n,n:symmetric,invertible x:n").assumptions == {"A": ("symmetric", "invertible")}


def test_shape_of() -> None:
    found = declarations("A:M,N+1 M=3")
    assert found.shape_of("A") == ("M", "N+1")
    assert found.with_sizes({"N": 4}).shape_of("A", require_numbers=True) == (3, 5)


@given(st.integers(0, 50), st.integers(0, 50))
def test_bindings_invert_declarations(m: int, n: int) -> None:
    declared = declarations("A:M,N x:2*N+M s:")
    arrays = {"A": np.empty((m, n)), "x": np.empty(2 * n + m), "s": 1.0}
    assert bindings_from_values(declared, arrays) == {"M": m, "N": n}
    with pytest.raises(ShapeError):
        bindings_from_values(declared, {**arrays, "x": np.empty(2 * n + m + 1)})


def test_a_size_alone_in_a_sum_is_found() -> None:
    assert bindings_from_values(declarations("x:2*N+1"), {"x": np.empty(9)}) == {"N": 4}
    with pytest.raises(ShapeError, match="axis 0 of x is 8"):
        bindings_from_values(declarations("x:2*N+1"), {"x": np.empty(8)})


MESSAGES: list[tuple[str, Callable[[], Any], type[JacobiansError], str]] = [
    (
        "inner sizes",
        lambda: read("z = A @ x + b", A="M,N", x="M", b="M")(A, b, b),
        ShapeError,
        """\
shapes do not fit in A @ x
  z = A @ x + b
      ^^^^^  A is 3 × 4, x is 3: the inner sizes 4 and 3 differ
  sizes so far: M=3 N=4
  try: A.T @ x gives 4, or declare x:4""",
    ),
    (
        "broadcast",
        lambda: read("z = A + b; z", A="M,N", b="M")(A, b),
        ShapeError,
        """\
shapes do not fit in A + b
  statement 1: z = A + b
                   ^^^^^  A is 3 × 4, b is 3: the sizes 4 and 3 differ
  sizes so far: M=3 N=4
  try: A + b[:, None]""",
    ),
    (
        "unknown name",
        lambda: read("z = A @ x + b; L = W @ z", A="M,N", b="M", x="N"),
        UnknownNameError,
        """\
unknown name 'W' in statement 2
  statement 2: L = W @ z
                   ^  known: A, b, x, M, N, z
  try: declare W:rows,cols""",
    ),
    (
        "unknown operation",
        lambda: read("f = sofmax(x)"),
        ReadingError,
        """\
'sofmax' is not an operation
  f = sofmax(x)
      ^^^^^^
  try: softmax (operations: jacobians ops)""",
    ),
    (
        "quote",
        lambda: read("x'*A*x"),
        ReadingError,
        """\
cannot read "x'": a quote is not transpose
  x'*A*x
   ^
  try: write x.T (matrixcalculus.org syntax: * is ⊙ here, @ is the product)""",
    ),
    (
        "quote after a bracket",
        lambda: read("z = (A @ x - b)'; z"),
        ReadingError,
        """\
cannot read "(A @ x - b)'": a quote is not transpose
  statement 1: z = (A @ x - b)'
                              ^
  try: write (A @ x - b).T (matrixcalculus.org syntax: * is ⊙ here, @ is the product)""",
    ),
    (
        "commas",
        lambda: declarations("A:3x4"),
        ReadingError,
        """\
A:3x4 – sizes are separated by commas
  A:3x4
    ^^^
  try: A:3,4""",
    ),
    (
        "no size yet",
        lambda: declarations("A:3,N").shape_of("A", require_numbers=True, purpose="bench"),
        ReadingError,
        """\
A:3,N – N has no size yet, and bench needs one
  try: add N=4""",
    ),
    (
        "two sizes",
        lambda: layer()(A, x, x),
        ShapeError,
        """\
size M is 3 from A and 4 from b
  try: one letter, one size""",
    ),
    (
        "number of axes",
        lambda: layer()(A, A, b),
        ShapeError,
        """\
x is declared with 1 axis (x:N) and its value has 2
  the value is 3 × 4
  try: a value of the declared shape""",
    ),
    (
        "declared number",
        lambda: read("A @ x", A="3,N", x="5")(A, x),
        ShapeError,
        """\
axis 0 of x is 4, its declaration says 5
  x:5
  try: a value of the declared shape, or another declaration""",
    ),
    (
        "missing argument",
        lambda: layer()(A, x),
        ReadingError,
        """\
f: missing a required argument: 'b'
  try: f(A, x, b)""",
    ),
    (
        "syntax name",
        lambda: read("x", syntax="tex"),
        UnknownNameError,
        """\
syntax 'tex' is not known
  try: one of matrixcalculus, numpy""",
    ),
    (
        "caret operator",
        lambda: read("x^2"),
        ReadingError,
        """\
'^' is not a power
  x^2
  ^^^
  try: ** (matrixcalculus.org syntax has ^)""",
    ),
    (
        "dotted operator",
        lambda: read("A .* B"),
        ReadingError,
        """\
an operator with a dot is not numpy syntax
  A .* B
    ^^
  try: * / ** are elementwise (or syntax='matrixcalculus')""",
    ),
    (
        "entry written",
        lambda: read("x[0] = 1; x"),
        ReadingError,
        """\
an entry cannot be written into
  statement 1: x[0] = 1
               ^^^^
  try: np.where, np.concatenate or np.stack""",
    ),
    (
        "a word",
        lambda: read("lambda * x"),
        ReadingError,
        """\
'lambda' is a word of the language
  lambda * x
  ^^^^^^
  try: another name, such as lam""",
    ),
    (
        "import",
        lambda: read("import numpy as np; x"),
        ReadingError,
        """\
an import cannot be read
  statement 1: import numpy as np
               ^^^^^^^^^^^^^^^^^^
  try: np, linalg, scipy.special and math are known already""",
    ),
    (
        "attribute",
        lambda: read("x.__class__"),
        ReadingError,
        """\
'.__class__' is not an attribute that is read
  x.__class__
  ^^^^^^^^^^^
  try: a function such as np.sum(x)""",
    ),
    (
        "method without a call",
        lambda: read("x.sum"),
        ReadingError,
        """\
'.sum' is a method
  x.sum
  ^^^^^
  try: x.sum()""",
    ),
    (
        "written result",
        lambda: read("np.add(x, x, out=x)"),
        ReadingError,
        """\
the argument 'out=' is not read
  np.add(x, x, out=x)
               ^^^^^
  try: leave it out""",
    ),
    (
        "exponent",
        lambda: read("10**10**10")(),
        BudgetError,
        """\
the result of ** has more than 4096 bits
  10**10**10
  ^^^^^^^^^^
  try: a smaller exponent, or a float such as 10.0""",
    ),
    (
        "size of an array",
        lambda: read("x + np.eye(10**6)", x="N")(x),
        BudgetError,
        """\
the text makes 10^12 array entries, the limit is 20 million
  x + np.eye(10**6)
      ^^^^^^^^^^^^^
  try: smaller sizes, or a larger budget""",
    ),
    (
        "singular matrix",
        lambda: read("np.linalg.inv(A)", A="N,N")(np.zeros((2, 2))),
        ReadingError,
        """\
cannot compute np.linalg.inv(A)
  np.linalg.inv(A)
  ^^^^^^^^^^^^^^^^  Singular matrix
  try: other values: the matrix does not allow it""",
    ),
    (
        "bracket",
        lambda: read("z = 1; tanh(A @ x"),
        ReadingError,
        """\
'(' is never closed
  statement 2: tanh(A @ x
                   ^
  try: close it""",
    ),
    (
        "unused statement",
        lambda: read("A @ x; x"),
        ReadingError,
        """\
statement 1 is computed and not used
  statement 1: A @ x
               ^^^^^
  try: give it a name: z = A @ x""",
    ),
    (
        "nothing",
        lambda: read(" ; "),
        ReadingError,
        """\
there is no statement to read
  try: a text such as "z = A @ x + b\"""",
    ),
    (
        "declared twice",
        lambda: declarations("A:N A:M"),
        ReadingError,
        """\
A is declared twice
  A:M
  ^
  try: one declaration for each name""",
    ),
    (
        "no shape",
        lambda: declarations("A"),
        ReadingError,
        """\
cannot read the declaration A
  A
  ^
  try: A: for a scalar, A:M,N for a shape, A=3 for a size""",
    ),
]


@pytest.mark.parametrize(
    ("call", "kind", "message"), [row[1:] for row in MESSAGES], ids=[row[0] for row in MESSAGES]
)
def test_messages(call: Callable[[], Any], kind: type[JacobiansError], message: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value) == message


def test_a_long_line_is_cropped_around_the_place() -> None:
    with pytest.raises(JacobiansError) as caught:
        read("x + " * 60 + "sofmax(x) + " + "x + " * 60 + "x")
    line, carets = caught.value.where.split("\n")
    assert len(line) < 100
    assert line[carets.index("^") : carets.rindex("^") + 1] == "sofmax"


def test_places_are_right_beside_letters_of_many_bytes() -> None:
    with pytest.raises(JacobiansError) as caught:
        read("σ = 2; σ*sofmax(σ)")
    line, carets = caught.value.where.split("\n")
    assert line[carets.index("^") : carets.rindex("^") + 1] == "sofmax"


def test_the_cause_of_a_numpy_error_is_kept() -> None:
    with pytest.raises(ReadingError) as caught:
        read("np.linalg.inv(A)", A="N,N")(np.zeros((2, 2)))
    assert isinstance(caught.value.__cause__, np.linalg.LinAlgError)


def test_empty_declarations() -> None:
    assert Declarations().names == ()
    assert declarations("") == Declarations()
