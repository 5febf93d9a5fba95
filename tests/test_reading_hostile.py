"""Hostile text is refused: a clear error, within a second, in bounded memory, and nothing else happens."""

from __future__ import annotations

import ast
import random
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jacobians.errors import JacobiansError
from jacobians.reading import declarations, is_index_claim, parse, parse_index_claim

VALUES: dict[str, Any] = {
    "A": np.arange(12.0).reshape(3, 4) / 7,
    "x": np.arange(4.0) - 1.5,
    "b": np.arange(3.0) + 0.5,
    "s": np.float64(0.3),
    "n": 4,
}
MOST_SECONDS = 1.0
MOST_BYTES = 400 * 2**20


def refused(read_and_run: Callable[[], object]) -> JacobiansError:
    """The error that is raised, within a second and in bounded memory."""
    with pytest.raises(JacobiansError) as caught:
        timed(read_and_run)
    tracemalloc.start()
    try:
        with pytest.raises(JacobiansError):
            read_and_run()
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()
    return caught.value


def timed(call: Callable[[], object]) -> None:
    """Calls, and fails if that takes too long, whatever comes of it."""
    start = time.perf_counter()
    try:
        call()
    finally:
        taken = time.perf_counter() - start
        assert taken < 1.5 * MOST_SECONDS, f"{taken:.2f} s"  # a busy machine has some slack


HOSTILE = [
    "__import__('os').system('true')",
    "().__class__.__bases__[0].__subclasses__()",
    "x.__class__",
    "x.__array_interface__",
    "x.base",
    "x.data.obj",
    "x.tofile('f')",
    "np.save('f', x)",
    "np.load('f')",
    "np.fromfile('f')",
    "np.__dict__",
    "np.linalg.__builtins__",
    "np.core.multiarray",
    "np.lib.npyio",
    "np.ctypeslib.os",
    "np.random.normal(size=3)",
    "scipy.io.loadmat('f')",
    "open('f')",
    "eval('1')",
    "exec('1')",
    "compile('1', '', 'eval')",
    "getattr(x, 'T')",
    "globals()",
    "vars()",
    "type(x)",
    "(lambda: 0).__globals__",
    "(lambda t: t).__code__",
    "f'{x.__class__}'",
    "'%s' % x",
    "'{0.__class__}'.format(x)",
    "x.sum.__self__",
    "[c for c in ().__class__.__mro__]",
    "import os",
    "from os import system",
    "def f(): pass",
    "class C: pass",
    "while 1: pass",
    "x[0] = 1",
    "x += 1",
    "del x",
    "global x",
    "np.add(x, x, out=x)",
    "np.add(x, x, x)",
    "np.vectorize(lambda t: t)(x)",
    "x.astype('O')",
    "np.zeros(3, dtype='U9999999')",
    "np.array([1], dtype=object)",
    # recursion
    "f = lambda n: f(n - 1); f(3)",
    "f = lambda g, n: g(g, n + 1); f(f, 0)",
    "f = lambda g: g(g); f(f)",
    "(lambda g: g(g))(lambda g: g(g))",
    "; ".join(
        [
            "f0 = lambda t: [t, t]",
            *(f"f{i} = lambda t: f{i - 1}(f{i - 1}(t))" for i in range(1, 30)),
            "f29(x)",
        ]
    ),
    # bombs
    "10**10**10",
    "9**9**9**9",
    "(10**1000)**1000",
    "; ".join(["a0 = 10**30", *(f"a{i} = a{i - 1}*a{i - 1}" for i in range(1, 40)), "a39"]),
    "2.0**10**9",
    "1" * 5000,
    "1" + "*1" * 9000 + "**",
    "[0]*10**9",
    "[[0]*10**4]*10**4",
    "; ".join(["a0 = [x]*100", *(f"a{i} = [a{i - 1}]*100" for i in range(1, 12)), "np.array(a11)"]),
    "; ".join(["a0 = [0]", *(f"a{i} = [a{i - 1}, a{i - 1}]" for i in range(1, 200)), "a199 == a198"]),
    "; ".join(["a0 = [0]", *(f"a{i} = a{i - 1} + a{i - 1}" for i in range(1, 60)), "a59"]),
    "; ".join(["a0 = x", *(f"a{i} = np.concatenate([a{i - 1}, a{i - 1}])" for i in range(1, 60)), "a59"]),
    "; ".join(["a0 = x", *(f"a{i} = np.kron(a{i - 1}, a{i - 1})" for i in range(1, 9)), "a8"]),
    "; ".join(["a0 = x", *(f"a{i} = a{i - 1}[..., None] + x" for i in range(1, 30)), "a29"]),
    "'a'*10**9",
    "[i for i in range(10**9)]",
    "sum(i for i in range(10**6) for j in range(10**6))",
    "[[[[k for k in range(99)] for j in range(99)] for i in range(99)] for h in range(99)]",
    "range(10**100)",
    "list(range(10**18))",
    "math.factorial(10**6)",
    "math.comb(10**6, 10**5)",
    "np.arange(10**12)",
    "np.arange(0, 1, 1e-12)",
    "np.linspace(0, 1, 10**10)",
    "np.eye(10**6)",
    "np.eye(10**30)",
    "np.zeros((10**5, 10**5))",
    "np.ones(10**5)[:, None] + np.ones(10**5)",
    "np.ones((10**4, 1)) @ np.ones((1, 10**4))",
    "np.full((10**4, 10**4), 1)",
    "np.broadcast_to(1, (10**9, 10**9))",
    "np.tile(x, 10**9)",
    "np.repeat(x, 10**9)",
    "np.repeat(x, np.array([10**9, 1, 1, 1]))",
    "x.repeat(10**9)",
    "np.pad(x, 10**9)",
    "np.pad(A, ((0, 10**9), (0, 0)))",
    "np.vander(x, 10**9)",
    "np.diag(x, 10**6)",
    "np.diag(np.ones(10**5))",
    "np.diagflat(np.ones(10**5))",
    "np.kron(np.eye(1000), np.eye(1000))",
    "np.outer(np.ones(10**5), np.ones(10**5))",
    "np.meshgrid(np.ones(10**4), np.ones(10**4))",
    "np.indices((10**4, 10**4))",
    "np.tril_indices(10**5)",
    "np.tri(10**5)",
    "np.ones_like(x, shape=(10**5, 10**5))",
    "np.tensordot(np.ones(10**5), np.ones(10**5), axes=0)",
    "np.inner(np.ones((10**5, 1)), np.ones((10**5, 1)))",
    "np.einsum('i,j->ij', np.ones(10**5), np.ones(10**5))",
    "np.einsum('ij,jk,kl,lm->', *[np.ones((99, 99))]*4)",
    "np.einsum(np.ones(10**5), [0], np.ones(10**5), [1], [0, 1])",
    "np.einsum('a,b,c,d,e,f,g,h,i,j,k,l->', *[x]*12, optimize='optimal')",
    "np.linalg.svd(np.ones((3000, 3000)))",
    "np.linalg.matrix_power(np.eye(2), 10**2000)",
    "[v for v in np.ones(10**7)]",
    "list(np.ones(10**7))",
    "sum(zip(np.ones(10**7), np.ones(10**7)))",
    "a, c = np.ones(10**7)",
    "np.block([*np.ones(10**7)])",
    "x[np.zeros(10**9)]",
    "A[:, [0]*10**7]",
    "np.ones((2000, 2000))[[0]*10**5]",
    "np.max([[0]*10**4]*10**4)",
    # size of the text
    "(" * 10**6,
    "[" * 10**6 + "]" * 10**6,
    "(" * 51 + "x" + ")" * 51,
    "-" * 10_000 + "x",
    "not " * 3_000 + "x",
    "+".join(["x"] * 9_000),
    "**".join(["x"] * 3_000),
    "x" + ".T" * 5_000,
    "x" + "[0]" * 3_000,
    "x" + "()" * 3_000,
    "lambda:" * 3_000 + "x",
    "x if x else " * 1_000 + "x",
    "x" * 10**6,
    "x;" * 9_000,
    "a=" * 5_000 + "b = c d",
    "\0",
    "x\0y",
    "\ud800",
    "\\",
    "x\\\ny",
    "'" * 999,
    '"""' + "x" * 99,
    "",
    "   ",
    "# only a comment",
    ";;;",
    "x'",
    "𝐱 + 1j",
    "b'x'",
    "...",
    "None",
    "yield x",
    "await x",
    "*x",
    "x: int = 3",
    "(y := x)",
    "{1: 2}",
    "{1, 2}",
    "x @ @ x",
    "[x for i in range(1)if 1else x]",
    "x =",
    "= x",
    "1 = x",
    "f(x) = x",
    "np = 3",
    "a, (c, d) = x, x",
]


@pytest.mark.parametrize("text", HOSTILE, ids=[ascii(text[:30]) for text in HOSTILE])
def test_hostile_text_is_refused(text: str) -> None:
    check_message(refused(lambda: parse(text).run(VALUES)))


def check_message(error: JacobiansError) -> None:
    """Three short parts."""
    assert error.what
    assert error.instead
    assert len(str(error)) < 1_200


MATRIX_HOSTILE = [
    "10^10^10^10^10",
    "2^(10^10)",
    "(" * 10**6,
    "(" * 51 + "x",
    "x" + "'" * 9_000,
    "-" * 9_000 + "x",
    "x^" * 5_000,
    "exp(" * 1_000 + "x",
    "x'*",
    "x*y'",
    "eye(10^9)",
    "matrix(1, 10^9, 10^9)",
    "vector(1, 10^12)",
    "vec(vector(1, 10^7)*vector(1, 10^7)')",
    "kron(eye(10^3), eye(10^3))",
    "inv(eye(10^4))",
    "diag(vector(1, 10^6))",
    "x.__class__",
    "__import__(x)",
    "x[0]",
    "'a'",
    "\0",
    "",
    "eye",
    "tr(eye)",
    "vector(1)'*vector(1)",
    "A*A",
    "x*x",
    "A^x",
    "1/x",
    "det(A)",
    "A + x",
    "sin()",
    "sin(x, x, x, x)",
]


@pytest.mark.parametrize("text", MATRIX_HOSTILE, ids=[text[:30] for text in MATRIX_HOSTILE])
def test_hostile_matrix_text_is_refused(text: str) -> None:
    check_message(refused(lambda: parse(text, "matrixcalculus").run(VALUES)))


def test_hostile_matrix_text_names_what_is_missing() -> None:
    with pytest.raises(JacobiansError, match="unknown name 'y'"):
        parse("x*y'", "matrixcalculus").run(VALUES)


@pytest.mark.parametrize(
    "text",
    [
        "i: " + "(" * 10**6,
        "i: " + "-" * 9_000 + "x[i]",
        "i: " + "x[i]+" * 4_000 + "x[i]",
        "i: " + "x[i]**" * 3_000 + "2",
        " ".join(f"a{i}" for i in range(3_000)) + ": x[i]",
        "a b c d e f g h: x[a]*x[b]*x[c]*x[d]*x[e]*x[f]*x[g]*x[h]*x[a]**2*delta[a,b]"
        + "*x[q]*x[r]*x[w]*x[z]",
        "a b c d e f g h i j k l m: x[a]*x[b]*x[c]*x[d]*x[e]*x[f]*x[g]*x[h]*x[i]*x[j]*x[k]*x[l]*x[m]",
        "i: x[i].__class__",
        "i: __import__('os')",
        "i: x[__import__('os')]",
        "i: (lambda: 0)()",
        "i: 10**10**10 * x[i]",
        "i: x[10**9]",
        "i: x[i] for i in x",
        "i|j|k: x[i]",
        "i i: x[i]",
        ": ",
        ":",
        "",
        "x",
        "i: x[i]; j: x[j]",
        "\0: x[i]",
    ],
)
def test_hostile_index_claims_are_refused(text: str) -> None:
    check_message(refused(lambda: parse_index_claim(text).run(VALUES)))


@pytest.mark.parametrize(
    "text",
    [
        "A:" + "(" * 1_000,
        "A:" + "N*" * 10_000 + "N",
        "A:10**10**10",
        "A:__import__",
        "A:" + "3," * 1_000,
        "A:x()",
        "A=10**10",
        "A=" + "9" * 10_000,
        "A:1e9",
        "=3",
        ":3",
        "A B",
        " ".join(f"a{i}:3" for i in range(10_000)),
        "A:N A:N",
        "A:-3",
        "A:3x4",
        "\0",
    ],
)
def test_hostile_declarations_are_refused(text: str) -> None:
    refused(lambda: declarations(text).shape_of("A", require_numbers=True))


def only_our_errors(read_and_run: Callable[[], object]) -> None:
    """Runs; lets no exception but our own pass, and no second."""
    with np.errstate(all="ignore"), suppress(JacobiansError):
        timed(read_and_run)


FUZZ = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
PIECES = [
    *"()[]{}'\";:,.+-*/%@^~<>=!|& \n\\#",
    *["**", "==", "<=", "//", "->", "np.", "A", "x", "b", "s", "n", "z", "0", "1", "2", "10", "1e9", "0.5"],
    *["sum(", "eye(", "range(", "np.einsum(", "lambda t:", " for i in ", " if ", " else ", "not ", " and "],
    *[
        ".T",
        ".sum()",
        ".shape",
        "[0]",
        "[:]",
        "[None]",
        "axis=0",
        "...",
        "x'",
        ".*",
        "./",
        ".^",
        "tr(",
        "inv(",
    ],
    *["__class__", "delta[i,k]", "x[k]", "i|m n:", "vector(1)", "z = "],
]


@FUZZ
@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=25).map("".join)))
def test_fuzzed_text_raises_only_our_errors(text: str) -> None:
    only_our_errors(lambda: parse(text).run(VALUES))
    only_our_errors(lambda: parse(text, "matrixcalculus").run(VALUES))
    only_our_errors(lambda: parse_index_claim(text).run(VALUES, {"i": 3, "m": 3}))
    only_our_errors(lambda: declarations(text).shape_of("A", require_numbers=True))
    is_index_claim(text)


SEEDS = [
    "z = A @ x + b; f = np.tanh(z); 0.5*sum((f - b)**2)",
    "np.array([[x[i]*x[j] if i != j else 0 for j in range(n)] for i in range(n)])",
    "g = lambda t: t**2; np.einsum('ij,j->i', A, g(x))[:, None] + np.eye(3)",
    "U, d, V = np.linalg.svd(A, full_matrices=False); np.concatenate([d, x[1:]])[::-1]",
    "x if n > 3 and n < 10 else -x",
    "np.kron(np.eye(2), A).reshape(-1, order='F').sum()",
]
HUGE = [0, 1, -1, 2, 10**6, 10**9, 10**30, 0.5, 1e308, None, Ellipsis, True, "F", "ij->i"]


class Mutation(ast.NodeTransformer):
    """Exchanges names, numbers, operators and attributes of a tree at random."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def visit(self, node: ast.AST) -> Any:
        node = super().generic_visit(node)
        if self.random.random() > 0.12:
            return node
        if isinstance(node, ast.Constant):
            return ast.Constant(self.random.choice(HUGE))
        if isinstance(node, ast.Name):
            return ast.Name(
                self.random.choice(["A", "x", "n", "np", "range", "eye", "f", "__import__"]), node.ctx
            )
        if isinstance(node, ast.BinOp):
            kinds = [ast.Pow, ast.Mult, ast.MatMult, ast.Add, ast.LShift, ast.BitXor, ast.Mod]
            return ast.BinOp(node.right, self.random.choice(kinds)(), node.left)
        if isinstance(node, ast.Attribute):
            return ast.Attribute(
                node.value, self.random.choice(["T", "eye", "ones", "kron", "__dict__", "sum"]), node.ctx
            )
        if isinstance(node, ast.expr) and self.random.random() < 0.3:
            return ast.List([node, node], ast.Load())
        return node


@FUZZ
@given(st.sampled_from(SEEDS), st.integers(0, 10**9))
def test_mutated_programs_raise_only_our_errors(text: str, seed: int) -> None:
    try:
        mutated = ast.unparse(ast.fix_missing_locations(Mutation(seed).visit(ast.parse(text))))
    except Exception:
        return  # no text to try
    only_our_errors(lambda: parse(mutated).run(VALUES))


def test_mutations_do_run_sometimes() -> None:
    """The fuzz would say nothing if every mutation were refused."""
    ran = 0
    for seed in range(60):
        mutated = ast.unparse(ast.fix_missing_locations(Mutation(seed).visit(ast.parse(SEEDS[0]))))
        with np.errstate(all="ignore"), suppress(JacobiansError):
            parse(mutated).run(VALUES)
            ran += 1
    assert 0 < ran < 60
