"""Work shared by threads, and products that leave the cores to them: the results stay what they are."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
import warnings
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import product
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import threads
from jacobians.threads import apart, apart_einsum, in_blocks, stacked, together

RANDOM = np.random.default_rng(13)


@pytest.mark.parametrize("number", [1, 2, 3, 7])
@pytest.mark.parametrize(
    "shapes", [((5, 4), (5, 4)), ((5, 1), (4,)), ((), (5, 4)), ((1, 4), (5, 4)), ((5, 4), (1, 1))]
)
def test_stretches_make_the_whole(number: int, shapes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "count", lambda: number)
    a, b = (RANDOM.normal(size=shape) for shape in shapes)
    out = np.full((5, 4), np.nan)
    assert apart(np.multiply, a, b, out) is out
    assert np.array_equal(out, a * b)


@pytest.mark.parametrize("number", [1, 2, 5])
@pytest.mark.parametrize("block", [1, 8, 1000])
def test_blocks_of_several_calls_make_the_whole(
    number: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "count", lambda: number)
    monkeypatch.setattr(threads, "BLOCK", block)
    a, b = RANDOM.normal(size=(7, 4)), RANDOM.normal(size=4)
    first, second = np.full((7, 4), np.nan), np.full((7, 4), np.nan)
    together((np.multiply, a, b, first), (np.tanh, first, second), (np.subtract, 1, second, second))
    assert np.array_equal(first, a * b)
    assert np.array_equal(second, 1 - np.tanh(a * b))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((4, 3), (7, 3, 5)),
        ((7, 4, 3), (7, 3, 5)),
        ((1, 4, 3), (7, 3, 5)),
        ((4, 3), (3, 5)),
        ((2, 1, 4, 3), (7, 3, 5)),
    ],
)
@pytest.mark.parametrize("small", [1, 1000])
def test_stacks_of_matrices(first: Any, second: Any, small: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "count", lambda: 3)
    monkeypatch.setattr(threads, "SMALL", small)
    a, b = RANDOM.normal(size=first), RANDOM.normal(size=second)
    out = np.full((a @ b).shape, np.nan)
    assert stacked(a, b, out) is out
    assert np.allclose(out, a @ b, rtol=1e-14)


@pytest.mark.parametrize(
    "equation", ["i,j->ij", "j,i->ij", "ij,ik->jik", "ij,k->ijk", "ii,j->ij", "iij,ik->ijk"]
)
def test_stretches_of_an_outer_product(equation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "count", lambda: 3)
    sizes = {"i": 5, "j": 4, "k": 3}
    first, second = equation.partition("->")[0].split(",")
    a, b = (RANDOM.normal(size=[sizes[x] for x in term]) for term in (first, second))
    out = np.full([sizes[x] for x in equation.partition("->")[2]], np.nan)
    assert np.array_equal(apart_einsum(equation, a, b, out), np.einsum(equation, a, b))


def test_an_error_in_a_stretch_comes_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "count", lambda: 2)
    with pytest.raises(TypeError):
        apart(np.multiply, np.ones((4, 2)), np.ones((4, 2)), np.ones((4, 2), int))


def test_errstate_reaches_every_stretch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "count", lambda: 2)
    for row in (0, 5):
        a = np.ones((6, 2))
        a[row] = -1.0
        with np.errstate(invalid="raise"), pytest.raises(FloatingPointError):
            apart(np.log, a, np.empty_like(a))
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("error")
            apart(np.log, a, np.empty_like(a))


@pytest.mark.parametrize("raiser", ["caller", "helper"])
def test_an_error_leaves_when_no_helper_writes_any_more(raiser: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "count", lambda: 2)
    caller, begun, ended = threading.current_thread(), list[float](), list[float]()
    both = threading.Barrier(2)

    def act(a: np.ndarray, out: np.ndarray) -> None:
        begun.append(a[0, 0])
        if len(begun) <= 2:
            both.wait(10)  # the caller and the helper hold a part each
        if (threading.current_thread() is caller) == (raiser == "caller"):
            raise ZeroDivisionError
        time.sleep(0.05)
        ended.append(a[0, 0])

    a = np.arange(16.0)[:, None]
    with pytest.raises(ZeroDivisionError):
        apart(act, a, a.copy())
    assert len(begun) == 2  # what was left is not begun
    assert len(ended) == 1  # and what was begun is waited for


def test_a_helper_that_never_comes_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its core may be busy: the caller then does all of the work, and what it leaves behind is let go."""
    busy = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(busy.wait)
        monkeypatch.setattr(threads, "count", lambda: 2)
        monkeypatch.setattr(threads, "_helpers", lambda process: pool)
        a, out = RANDOM.normal(size=(40, 3)), np.full((40, 3), np.nan)
        try:
            apart(np.tanh, a, out)
            assert np.array_equal(out, np.tanh(a))
            held = weakref.ref(out)
            del out
            assert held() is None
        finally:
            busy.set()


def test_an_error_holds_no_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "count", lambda: 2)
    caller, both = threading.current_thread(), threading.Barrier(2)

    def act(a: np.ndarray, out: np.ndarray) -> None:
        both.wait(10)
        if threading.current_thread() is not caller:
            raise ZeroDivisionError

    gc.collect()
    gc.disable()
    try:
        a = np.ones((2, 3))
        held = weakref.ref(a)
        with suppress(ZeroDivisionError):
            apart(act, a, np.empty((2, 3)))
        del a
        assert held() is None
    finally:
        gc.enable()


def test_a_helper_that_comes_late_finds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool that cannot start a thread keeps what it was asked for all the same, and does it one day."""
    asked: list[Any] = []

    class Full:
        def submit(self, *call: Any) -> None:
            asked.append(call)
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads, "count", lambda: 3)
    monkeypatch.setattr(threads, "_helpers", lambda process: Full())
    parts: list[int] = []
    threads._each(parts.append, range(9))
    assert parts == [*range(9)]
    assert len(asked) == 2
    for run, *rest in asked:
        run(*rest)
    assert parts == [*range(9)]


def test_a_slow_helper_takes_less_of_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "count", lambda: 2)
    caller, done = threading.current_thread(), {True: 0, False: 0}

    both, begun = threading.Barrier(2), list[float]()

    def act(a: np.ndarray, out: np.ndarray) -> None:
        here = threading.current_thread() is caller
        begun.append(a[0, 0])
        if len(begun) <= 2:
            both.wait(10)  # the helper has come
        time.sleep(0.004 if here else 0.02)
        np.negative(a, out)
        done[here] += len(a)

    a = RANDOM.normal(size=(32, 2))
    assert np.array_equal(apart(act, a, np.full_like(a, np.nan)), -a)
    assert done[True] > 2 * done[False] > 0


@pytest.mark.parametrize(
    ("rows", "inner", "columns"),
    [(50, 8, 40), (50, 8, None), (7, 200, 9), (33, 70, 45), (5, 0, 4), (1, 1, 1), (64, 64, 1)],
)
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("most", [10, 3000, 90_000])
@pytest.mark.parametrize("many", [0, 1 << 40])
def test_a_product_in_blocks_is_the_product(
    rows: int,
    inner: int,
    columns: int | None,
    turned: bool,
    most: int,
    many: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = {"SMALL": most, "VECTOR": most, "ROWS": 4, "MANY": many, "count": lambda: 2}
    for name, value in known.items():
        monkeypatch.setattr(threads, name, value)
    a = RANDOM.normal(size=(inner, rows)).T if turned else RANDOM.normal(size=(rows, inner))
    b = RANDOM.normal(size=(inner, columns) if columns else inner)
    np.testing.assert_allclose(in_blocks(a, b), a @ b, rtol=1e-12, atol=1e-14)
    out = np.full((a @ b).shape, np.nan)
    assert in_blocks(a, b, out) is out
    np.testing.assert_allclose(out, a @ b, rtol=1e-12, atol=1e-14)
    half = in_blocks(a.astype(np.float32), b.astype(np.float32))
    assert half.dtype == np.float32
    assert in_blocks(a.astype(np.float32), b).dtype == np.float64


def test_many_multiplications_are_shared_and_few_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    shared: list[int] = []
    each = threads._each
    monkeypatch.setattr(threads, "count", lambda: 2)
    monkeypatch.setattr(
        threads, "_each", lambda act, parts: each(act, [shared.append(1) or part for part in parts])
    )
    a, b = RANDOM.normal(size=(400, 64)), RANDOM.normal(size=(64, 300))
    np.testing.assert_allclose(in_blocks(a, b), a @ b, rtol=1e-12, atol=1e-12)
    assert not shared  # 7.7 million
    b = RANDOM.normal(size=(64, 350))
    np.testing.assert_allclose(in_blocks(a, b), a @ b, rtol=1e-12, atol=1e-12)
    assert len(shared) > 30


def test_a_matrix_and_a_vector_have_blocks_of_their_own() -> None:
    matrix = np.broadcast_to(0.0, (1000, 90))
    assert threads._block(matrix, np.broadcast_to(0.0, 90)) == (threads.VECTOR // 90, 1)
    assert threads._block(matrix[:100], np.broadcast_to(0.0, 90)) == (0, 0)  # 9,000: BLAS is alone with it
    thick = np.broadcast_to(0.0, (100, 1000)), np.broadcast_to(0.0, (1000, 16))
    assert threads._block(*thick) == (threads.SMALL // 16_000, 16)  # 16 rows: as few as are worth it
    assert threads._block(thick[0], np.broadcast_to(0.0, (1000, 18))) == (0, 0)


def test_no_block_of_a_product_is_one_that_blas_shares() -> None:
    sizes = [2**k for k in range(13)] + [3, 100, 255, 257]
    for m, k, n in product(sizes, repeat=3):
        rows, columns = threads._block(np.broadcast_to(0.0, (m, k)), np.broadcast_to(0.0, (k, n)))
        assert rows * columns * k <= threads.SMALL
        assert not rows or columns >= min(n, threads.ROWS)  # and none is thin


def test_products_leave_the_cores_to_what_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where more is written than multiplied: threads of BLAS are faster otherwise."""
    monkeypatch.setattr(threads, "LARGE", 10_000)
    A, B = RANDOM.normal(size=(2, 12, 12))
    x = RANDOM.normal(size=12)
    net = jac.jacobian(lambda A, B, x: np.tanh(B @ np.tanh(A @ x)), "A").compile(A, B, x, dense=True)
    assert "in_blocks(" in net.source
    np.testing.assert_allclose(
        net(A, B, x), np.asarray(jac.jacobian(net.f, "A")(A, B, x)), rtol=1e-12, atol=1e-14
    )
    X = RANDOM.normal(size=(12, 400))
    loss = jac.jacobian(lambda A, X: np.sum(np.tanh(A @ X) ** 2), "A").compile(A, X, dense=True)
    assert "apart(" in loss.source
    assert "in_blocks(" not in loss.source


def test_threads_work_to_the_end_of_the_process() -> None:
    code = (
        "import atexit, threading, time, numpy as np; from jacobians import threads\n"
        "threads.count = lambda: 2\n"
        "a = np.ones((6, 2)); threads.apart(np.add, a, a, a)\n"
        "def late(): time.sleep(0.3); threads.apart(np.add, a, a, a); print(a[0, 0])\n"
        "threading.Thread(target=late).start()"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)
    assert found.stdout.split() == [b"4.0"]


def test_the_environment_limits_threads() -> None:
    code = "from jacobians import threads; print(threads.count())"
    for limit in ("1", "2"):
        found = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "OMP_NUM_THREADS": limit},
            check=True,
            capture_output=True,
        )
        assert int(found.stdout) <= int(limit)
