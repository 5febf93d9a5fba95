"""`jacobians bench` and what it refuses: files, numbers, options that do not fit, all before measuring."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from jacobians import cli, threads
from jacobians.bench import suites
from jacobians.bench.suites import libraries, table
from jacobians.bench.suites.measure import Row
from jacobians.commands import bench, bench_graphs
from jacobians.errors import JacobiansError, UnknownNameError

PRODUCT = ["z=A@x", "A:3,4", "x:4"]
GRAPH = '{"graphs": {"g": {"edges": [["x", "u"], ["u", "y"]], "inputs": ["x"], "outputs": ["y"]}}}'


def never(*args: object, **options: object) -> None:
    raise AssertionError("it was measured")


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever measures or searches fails."""
    monkeypatch.setattr(bench, "compare", never)
    monkeypatch.setattr(bench_graphs, "named_costs", never)
    monkeypatch.setattr(suites, "measured", never)


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    """The lines of the error, which has three parts."""
    status = cli.main(["bench", *words])
    out, err = capsys.readouterr()
    assert (status, out) == (2, ""), err
    lines = err.splitlines()
    assert len(lines) >= 3, err
    assert lines[0].startswith("error: ")
    assert lines[-1].startswith("  try: ")
    return lines


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize(
    ("words", "what", "where"),
    [
        ([*PRODUCT, "--order-in", "/nope.json"], "/nope.json cannot be opened", "No such file"),
        (["--graph", "/nope.json"], "/nope.json cannot be opened", "No such file"),
        (["--graph", "{folder}"], "{folder} cannot be opened", "Is a directory"),
        (["--graph", "{graph}", "--order-in", "/nope.json"], "/nope.json cannot be opened", "No such file"),
        ([*PRODUCT, "--order-out", "/nonexist/o.json"], "--order-out /nonexist/o.json", "No such file"),
        ([*PRODUCT, "--order-out", "{folder}"], "--order-out {folder} cannot", "Is a directory"),
        (["--graph", "{graph}", "--order-out", "/nonexist/o.json"], "cannot be written", "No such file"),
    ],
)
def test_files_are_looked_at_before_anything_is_measured(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: list[str], what: str, where: str
) -> None:
    graph = tmp_path / "g.json"
    graph.write_text(GRAPH)
    put = {"{folder}": str(tmp_path), "{graph}": str(graph)}
    lines = refused(capsys, *(put.get(word, word) for word in words))
    assert what.replace("{folder}", str(tmp_path)) in lines[0]
    assert where in lines[1]


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="matplotlib is not installed")
@pytest.mark.parametrize(
    "way", [PRODUCT, ["--peers", "micro"], [*PRODUCT[:1], "A:M,4", "x:4", "--sweep", "M=1"]]
)
def test_pictures_are_looked_at_before_anything_is_measured(
    capsys: pytest.CaptureFixture[str], way: list[str]
) -> None:
    lines = refused(capsys, *way, "--plot", "/nonexist/a.png")
    assert lines[0] == "error: --plot /nonexist/a.png cannot be written"
    lines = refused(capsys, *way, "--plot", "a.foo")
    assert lines[0] == "error: no picture is written as .foo"
    assert "png" in lines[1]


def test_looking_whether_a_file_can_be_written_leaves_none(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    new, old = tmp_path / "new.json", tmp_path / "old.json"
    old.write_text("kept")
    for place in (new, old):
        refused(capsys, *PRODUCT, "--wrt", "B", "--order-out", str(place))
    assert not new.exists()
    assert old.read_text() == "kept"


def test_errors_of_the_system_have_three_parts_in_every_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(args: object) -> int:
        raise PermissionError(13, "Permission denied", "/some/file")

    monkeypatch.setattr(bench, "main", broken)
    lines = refused(capsys, *PRODUCT)
    assert lines[:2] == ["error: /some/file cannot be opened", "  Permission denied"]
    with pytest.raises(PermissionError):
        cli.main(["bench", *PRODUCT, "--debug"])


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize(
    ("option", "value", "what"),
    [
        ("--batch", "-1", "a batch of -1 holds no sample"),
        ("--batch", "0", "a batch of 0 holds no sample"),
        ("--seed", "-1", "a seed is a whole number that is not negative"),
        ("--limit", "-5", "nothing takes as little as --limit -5"),
        ("--limit", "0", "nothing takes as little as --limit 0"),
        ("--limit", "inf", "--limit 'inf' is no number of bytes"),
        ("--seconds", "nan", "the search cannot take so many seconds"),
        ("--seconds", "-1", "the search cannot take so many seconds"),
        ("--repeat", "0", "repeat is 0: nothing would be measured"),
        ("--sweep", "M=inf", "--sweep 'M=inf' names no sizes"),
    ],
)
def test_numbers_out_of_range(capsys: pytest.CaptureFixture[str], option: str, value: str, what: str) -> None:
    lines = refused(capsys, *PRODUCT, option, value)
    assert lines[0] == f"error: {what}"
    if option in ("--batch", "--seed", "--seconds"):
        assert lines[1] == f"  {option} {value}"


@pytest.mark.parametrize(
    "words",
    [
        ["--peers", "micro", "matrix", "--json"],
        ["--peers", "--json", "micro", "matrix"],
        ["--json", "--peers", "micro", "--repeat", "1", "matrix"],
    ],
)
def test_words_beside_peers_are_suites(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    seen = []
    monkeypatch.setattr(suites, "peers_main", lambda named, json, **rest: seen.append((named, json)))
    assert cli.main(["bench", *words]) == 0
    ((named, json),) = seen
    assert (sorted(named), json) == (["matrix", "micro"], True)


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--peers", "--json", "micro", "extra"], "suite 'extra' is not known"),
        (["--peers", "micro", "--csv"], "--peers does not use --csv"),
        (["--peers", "micro", "--seed", "0"], "--peers does not use --seed"),
        (["--peers", "--sweep", "N=1", "--graph", "g", "--order-in", "i"], "--graph, --sweep, --order-in"),
        (["--peers", "--order-out", "o"], "--peers does not use --order-out"),
        (["--peers", "micro", "--repeat", "0"], "repeat is 0: nothing would be measured"),
        ([*PRODUCT, "--csv", "--json"], "CSV and JSON are two forms of one output"),
        (["--graph", "g.json", "--csv"], "--graph does not use --csv"),
        ([*PRODUCT, "--graph", "g.json"], "--graph does not use z=A@x, A:3,4 x:4"),
        (["--problem", "heart-dipole", "--sweep", "N=1"], "--sweep does not use --problem"),
        ([*PRODUCT, "--sweep", "N=1", "--order-out", "o"], "--sweep does not use --order-out"),
    ],
)
def test_options_that_do_not_fit(capsys: pytest.CaptureFixture[str], words: list[str], what: str) -> None:
    assert what in refused(capsys, *words)[0]


@pytest.mark.usefixtures("unmeasured")
def test_a_sweep_of_a_size_that_occurs_nowhere(capsys: pytest.CaptureFixture[str]) -> None:
    lines = refused(capsys, *PRODUCT, "--sweep", "N=1,2")
    assert lines[0] == "error: --sweep N=1,2: no shape and no statement has the size N"
    assert lines[1] == "  sizes: none, all are numbers"
    lines = refused(capsys, "z=A@x", "A:M,K", "x:K", "M=3", "--sweep", "N=1,2")
    assert lines[1:] == ["  sizes: M, K", "  try: --sweep K=1,2"]
    lines = refused(capsys, "z=A@x", "A:M,4", "x:4", "M=3", "--sweep", "N=1,2")
    assert lines[2] == "  try: --sweep M=1,2, without M=3"


@pytest.mark.parametrize("statement", ["z=A@x", "z=A@x*N"])
def test_a_sweep_of_a_size_in_a_shape_or_a_statement(
    capsys: pytest.CaptureFixture[str], statement: str
) -> None:
    shape = "A:N,4" if statement == "z=A@x" else "A:3,4"
    words = [statement, shape, "x:4", "--wrt", "A", "--sweep", "N=2,3", "--repeat", "1", "--csv"]
    assert cli.main(["bench", *words]) == 0
    assert capsys.readouterr().out.startswith("N,name,")


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize(
    ("content", "what", "where"),
    [
        (b"x", "is not JSON", "line 1, column 1: Expecting value"),
        (b"[1,\n 2", "is not JSON", "line 2, column 3: "),
        (b"\xff\xfe", "is not JSON", "byte 0 is not UTF-8"),
    ],
)
def test_files_that_are_no_json(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes, what: str, where: str
) -> None:
    place = tmp_path / "bad.json"
    place.write_bytes(content)
    for words, example in (
        (["--graph", str(place)], '{"graphs": {"name": {"edges": '),
        ([*PRODUCT, "--order-in", str(place)], '["z", "f"]'),
    ):
        lines = refused(capsys, *words)
        assert lines[0] == f"error: the file {what}"
        assert lines[1].startswith(f"  {place}, ")
        assert where in lines[1]
        assert lines[2].startswith(f"  try: {example}")


def test_a_graph_of_another_form(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    place = tmp_path / "bad.json"
    place.write_text('{"graphs": {"g": {"edges": [5], "inputs": [], "outputs": []}}}')
    assert refused(capsys, "--graph", str(place))[0] == "error: the file holds graphs of another form"


def test_the_table_says_which_threads_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    row = Row("layer", "a case", {"dense": [1.0], "torch": [2.0]}, {}, {}, {}, 8, 8)
    ours = f"our elementwise work {threads.count()}."
    free = f"threads: torch {libraries.THREADS}, numpy's BLAS as many as it chooses, {ours}"
    assert free in table.text([row])
    monkeypatch.setitem(os.environ, "OPENBLAS_NUM_THREADS", "1")
    shown = table.text([row])
    assert f"threads: torch {libraries.THREADS}, numpy's BLAS OPENBLAS_NUM_THREADS=1, {ours}" in shown
    assert "two threads" not in shown
    assert table.threads(["dense"]) == f"threads: numpy's BLAS OPENBLAS_NUM_THREADS=1, {ours}"


def test_a_string_is_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert {row.suite for row in suites.run("micro", peers=(), repeat=1)} == {"micro"}
    with pytest.raises(UnknownNameError, match="peer 'tensorflow' is not known"):
        suites.run("micro", peers="tensorflow")
    with pytest.raises(UnknownNameError, match="suite 'nowhere' is not known"):
        suites.peers_main("nowhere")


@pytest.mark.usefixtures("unmeasured")
def test_numbers_of_the_suites() -> None:
    for scale in (0, -1.0, float("nan"), float("inf")):
        with pytest.raises(JacobiansError, match="sizes are multiplied by it") as caught:
            suites.run("micro", peers=(), scale=scale)
        assert caught.value.instead == "a number above 0: scale=0.1"
    with pytest.raises(JacobiansError, match="nothing would be measured"):
        suites.run("micro", peers=(), repeat=0)
