"""Memory used again by compiled calls, and work shared by threads: the results stay what they are."""

from __future__ import annotations

import functools
import gc
import re
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import codegen, recycling, threads
from jacobians.containers import flatten
from jacobians.overwriting import overwritten
from jacobians.recycling import Recycler

from .cases import Case
from .op_cases import CASES
from .test_operations import argnums_of, jacobians_of

RANDOM = np.random.default_rng(11)
KINDS = {"a": "6x4", "b": "6x4", "c": "6x4", "d": "6x4", "row": "4"}


# ---- lines


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["a = x @ y", "b = a + row[None]"], "b = np.add(a, row[None], a)"),
        (["a = x @ y", "b = 1 - a"], "b = np.subtract(1, a, a)"),
        (["a = x @ y", "b = x * a"], "b = np.multiply(x, a, a)"),
        (["a = x @ y", "b = np.tanh(a)"], "b = np.tanh(a, a)"),
        (["a = x @ y", "b = -a"], "b = np.negative(a, a)"),
        (["a = x @ y", "b = a * a"], "b = np.multiply(a, a, a)"),
        (['a = np.einsum("ij,jk->ik", x, y)', "b = a / x"], "b = np.divide(a, x, a)"),
        (["a = (x.reshape(6, 2) @ y).reshape(6, 4)", "c = a * x"], "c = np.multiply(a, x, a)"),
    ],
)  # fmt: skip
def test_an_operand_that_is_free_is_overwritten(lines: list[str], expected: str) -> None:
    assert overwritten(lines, KINDS, "b + c")[-1] == expected


@pytest.mark.parametrize(
    ("lines", "result"),
    [
        (["a = x @ y", "b = a * x"], "(a, b)"),  # returned as well
        (["a = x @ y", "b = a * x", "c = a + b"], "c + b"),  # a is needed again: only c may overwrite it
        (["b = a * x"], "b"),  # made elsewhere
        (["a = x.T", "b = a * x"], "b"),  # a view of something
        (["a = x @ y", "d = a.T", "b = a * x", "c = d + x"], "(b, c)"),  # d is a view of a
        (["a = x @ y", "d = helper(a)", "b = a * x"], "(b, d)"),  # who knows what a helper returns
        (["row = x.sum(axis=0)", "b = row * x"], "b"),  # broadcast: another shape
        (["a = x @ y", "b = a.T * x"], "b"),  # not whole
        (["a = x @ y", "b = np.arctan2(a, x)"], "b"),  # not a form that is known
    ],
)
def test_what_is_still_needed_is_not(lines: list[str], result: str) -> None:
    found = overwritten(lines, KINDS, result)
    assert [line for line in found if line.startswith("b = ")] == [
        line for line in lines if line[:4] == "b = "
    ]


def test_a_wide_line_is_shared_unless_it_reads_its_place_in_another_order() -> None:
    lines = ["a = x @ y", "b = a * row[None]", "c = x @ y", "d = c * c.T"]
    assert overwritten(lines, KINDS, "b, d", wide=lambda name: True) == [
        "a = x @ y",
        "b = apart(np.multiply, a, row[None], a)",
        "c = x @ y",
        "d = np.multiply(c, c.T, c)",
    ]


def test_wide_lines_that_follow_one_another_are_one_call() -> None:
    lines = ["a = x * y", "b = np.tanh(a)", "c = 1 - b", "d = c * x[None]", "row = x * x"]
    assert overwritten(lines, KINDS, "d, row", lambda name: f"new_{name}()", lambda name: True) == [
        "a = new_a()",
        "b = a",
        "c = b",
        "d = c",
        "together((np.multiply, x, y, a), (np.tanh, a, b), "
        "(np.subtract, 1, b, c), (np.multiply, c, x[None], d))",
        "row = apart(np.multiply, x, x, new_row())",
    ]


def test_a_call_that_reads_another_stretch_begins_a_new_run() -> None:
    lines = ["a = x * y", "b = a.T * a", "c = b * x"]
    assert overwritten(lines, KINDS, "(a, b, c)", lambda name: f"new_{name}()", lambda name: True) == [
        "a = apart(np.multiply, x, y, new_a())",
        "b = new_b()",
        "c = new_c()",
        "together((np.multiply, a.T, a, b), (np.multiply, b, x, c))",
    ]


def test_a_call_that_overwrites_what_the_run_reads_across_begins_a_new_run() -> None:
    lines = ["a = x @ y", "b = a.T * x", "c = a * x"]
    assert overwritten(lines, KINDS, "(b, c)", lambda name: f"new_{name}()", lambda name: True) == [
        "a = stacked(x, y, new_a())",
        "b = apart(np.multiply, a.T, x, new_b())",
        "c = apart(np.multiply, a, x, a)",
    ]


@pytest.mark.usefixtures("everywhere")
def test_a_matrix_and_its_transpose_in_one_elementwise_run() -> None:
    def f(A: Any, B: Any) -> Any:
        C = A @ B
        return np.tanh(C.T * A) * (C * B) - C

    arrays = RANDOM.normal(size=(5, 5)), RANDOM.normal(size=(5, 5))
    found = jac.jacobian(f).compile(*arrays, dense=True)(*arrays)
    for key, want in jac.jacobian(f)(*arrays).items():
        np.testing.assert_allclose(found[key], np.asarray(want), rtol=1e-11, atol=1e-12)


def test_what_overwrites_nothing_takes_memory_that_waits() -> None:
    lines = [
        "a = x @ y",
        "b = (x.reshape(3, 2) @ y).reshape(6, 4)",
        "c = x * y",
        "d = x.T",
        'row = np.einsum("i,j->ij", x, y)',
    ]
    assert overwritten(lines, KINDS, "a, b, c, d, row", lambda name: f"new({name})") == [
        "a = np.matmul(x, y, new(a))",
        "b = np.matmul(x.reshape(3, 2), y, new(b)).reshape(6, 4)",
        "c = np.multiply(x, y, new(c))",
        "d = x.T",
        'row = np.einsum("i,j->ij", x, y, out=new(row))',
    ]


# ---- blocks


def test_a_block_comes_back_when_the_last_view_is_gone() -> None:
    memory = Recycler()
    new = memory.maker((300, 100), np.dtype(float))
    assert new is not None
    array = new()
    array[...] = 1.0
    view = array[3:].T[::2]
    del array
    gc.collect()
    other = new()
    other[...] = 2.0
    assert (view == 1).all()
    assert memory.waiting == 0
    del view, other
    assert memory.waiting == 2 * 240_000
    assert not memory.lent


def test_small_and_huge_arrays_are_numpy_s_own() -> None:
    memory = Recycler()
    assert memory.maker((10,), float) is None
    assert memory.maker((1 << 28,), float) is None
    assert memory.maker((1 << 20,), object) is None


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recycling, "KEPT", 500_000)
    memory = Recycler()
    new = memory.maker((30_000,), float)
    assert new is not None
    held = [new() for _ in range(5)]
    del held
    gc.collect()
    assert memory.waiting == 480_000


def test_threads_never_share_a_block() -> None:
    call = jac.jacobian(lambda A, B: np.tanh(A @ B) * 2, "A").compile(
        np.ones((150, 150)), np.ones((150, 150))
    )
    inputs = [(RANDOM.normal(size=(150, 150)), RANDOM.normal(size=(150, 150))) for _ in range(4)]
    wanted = [call(*pair).core()[0][0].copy() for pair in inputs]
    wrong: list[int] = []

    def work(k: int) -> None:
        for _ in range(20):
            if not np.array_equal(call(*inputs[k]).core()[0][0], wanted[k]):
                wrong.append(k)

    callers = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in callers:
        thread.start()
    for thread in callers:
        thread.join()
    assert not wrong


def test_products_of_several_types_keep_their_precision() -> None:
    a, b = (RANDOM.normal(size=size).astype(np.float32) for size in ((60, 70), (70, 80)))
    z = RANDOM.normal(size=(60, 80))
    k = np.argsort(RANDOM.normal(size=(5, 60, 80)), axis=0)
    for f in (
        lambda z: np.sum(np.sin(np.einsum("ik,kj,ij->ij", a, b, z))),
        lambda z: np.sum(np.sin(np.einsum("kij,ij->ij", k, z))),
    ):
        found = jac.jacobian(f).compile(z, dense=True)(z)
        np.testing.assert_allclose(found, np.asarray(jac.jacobian(f)(z)), rtol=1e-12)


def test_a_forked_process_has_threads_of_its_own() -> None:
    code = (
        "import os, numpy as np; from jacobians import threads; threads.count = lambda: 2\n"
        "a = np.ones((6, 2)); threads.apart(np.add, a, a, a)\n"
        "pid = os.fork()\n"
        "threads.apart(np.add, a, a, a)\n"
        "assert (a == 4).all()\n"
        "os._exit(0) if pid == 0 else print(os.waitpid(pid, 0)[1])"
    )
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], check=True, capture_output=True, timeout=60
    )
    assert found.stdout.strip() == b"0"


# ---- whole calls, with every array however small used again


@pytest.fixture
def everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codegen, "LARGE", 2)
    monkeypatch.setattr(recycling, "LEAST", 1)
    monkeypatch.setattr(threads, "LARGE", 1)
    monkeypatch.setattr(threads, "count", lambda: 3)


def moved(arrays: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(a * 1.0625 if getattr(a, "dtype", np.dtype(int)).kind == "f" else a for a in arrays)


@pytest.mark.usefixtures("everywhere")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", CASES, ids=[case.label for case in CASES])
def test_every_operation_between_others_in_memory_used_again(case: Case) -> None:
    """tanh(3 u) * u of u = case: results agree, survive the next call, and arguments stay as they are."""
    arrays, argnums = case.arrays(), argnums_of(case, case.arrays())

    @functools.wraps(case.call)
    def f(*given: Any) -> Any:
        found = case.call(*given)
        return [np.tanh(3 * u) * u for _, u in flatten(found)[0]]

    kept = [np.array(a) for a in arrays]
    plain = jac.jacobian(f, wrt=argnums)
    call = plain.compile(*arrays, dense=True)
    first, second = call(*arrays), call(*moved(arrays))
    for found, given in ((first, arrays), (second, moved(arrays))):
        want = [np.asarray(J) for row in jacobians_of(Bare(f, argnums), given) for J in row]
        got = [leaf for _, leaf in flatten(found)[0]]
        for one, other in zip(got, want, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)
    for a, b in zip(arrays, kept, strict=True):
        assert np.array_equal(np.array(a), b, equal_nan=np.array(a).dtype.kind == "f")


class Bare:
    """What `jacobians_of` asks of a row."""

    def __init__(self, call: Any, argnums: tuple[int, ...]) -> None:
        self.call, self.argnums = call, argnums


@pytest.mark.usefixtures("everywhere")
def test_the_forced_programs_do_use_memory_again() -> None:
    call = jac.jacobian(lambda A, x: np.tanh(3 * (A @ x)) * (A @ x), "x").compile(np.ones((4, 3)), np.ones(3))
    assert re.search(r"(v\d+) = (v\d+)\n", call.source)
    assert "together((np." in call.source
    assert "empty" in call.source
    assert "apart(np." in call.source


def test_networks_of_real_size_agree_with_plain_calls() -> None:
    def f(X: Any, A: Any, B: Any) -> Any:
        return 0.5 * np.sum(np.tanh(np.tanh(X @ A.T) @ B.T) ** 2)

    arrays = (
        RANDOM.normal(size=(130, 140)),
        RANDOM.normal(size=(150, 140)) / 12,
        RANDOM.normal(size=(160, 150)) / 12,
    )
    call = jac.jacobian(f, ("A", "B")).compile(*arrays, dense=True)
    first = call(*arrays)
    kept = {key: value.copy() for key, value in first.items()}
    second = call(*moved(arrays))
    for key, want in jac.jacobian(f, ("A", "B"))(*arrays).items():
        np.testing.assert_allclose(first[key], np.asarray(want), rtol=1e-12)
        assert np.array_equal(first[key], kept[key])
        assert not np.shares_memory(first[key], second[key])
        assert first[key].flags.writeable
