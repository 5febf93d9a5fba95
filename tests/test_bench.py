"""`compare` and `jacobians bench`: counts asserted, seconds only looked at, messages and files."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import cli
from jacobians.bench import Comparison, compare, problem
from jacobians.bench.comparing import batched_inputs
from jacobians.bench.measuring import Timing, environment, interleaved, peak_memory, show_seconds
from jacobians.bench.pictures import point_labels
from jacobians.bench.running import deviation
from jacobians.errors import MissingExtraError, UnknownNameError

LOSS = "z = A @ x + b; f = tanh(z); L = 0.5*sum((f - y)**2)"
SHAPES = ["A:M,N", "x:N", "b:M", "y:M"]
RANDOM = np.random.default_rng(11)


def layer(A: Any, x: Any, b: Any) -> Any:
    z = A @ x + b
    return np.tanh(z)


ARRAYS = (RANDOM.normal(size=(3, 4)), RANDOM.normal(size=4), RANDOM.normal(size=3))


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = cli.main(["bench", *words])
    out = capsys.readouterr()
    return status, out.out, out.err


def test_every_row_is_measured_and_agrees() -> None:
    found = compare(layer, "A", repeat=2)(*ARRAYS)
    assert {one.row.mode for one in found.rows} == {"lazy", "materialized"}
    for one in (*found.rows, *found.paths):
        assert one.timing is not None
        assert 0 < one.timing.seconds < 5
        assert one.timing.repeat == 2
        assert one.peak_bytes is not None
        assert one.peak_bytes > 0
    assert found.agreement < 1e-12
    assert found["auto"].row.name.startswith("auto: ")
    assert jac.bench.compare is compare


def test_a_deviation_is_seen() -> None:
    """Negative control: a result that is wrong in one entry of a thousand is not called equal."""
    right = np.ones(1000)
    wrong = right.copy()
    wrong[17] += 1e-3
    assert deviation([wrong], [right]) == pytest.approx(1e-3)
    assert deviation([right], [right]) == 0
    assert deviation([right[:2]], [right]) == float("inf")


def test_rows_over_the_limit_are_counted_and_not_run() -> None:
    found = compare(layer, "A", repeat=1, limit=700, orders=["reverse"])(*ARRAYS)
    lazy, dense = found.rows
    assert lazy.timing is not None
    assert dense.timing is None
    assert dense.skipped == "over --limit"
    assert dense.row.flop > lazy.row.flop
    assert "over --limit" in found.text()


def test_rows_that_are_not_to_be_run_say_so() -> None:
    found = compare(layer, "A", run=False, against="jax", orders=["reverse"])(*ARRAYS)
    assert {one.skipped for one in found.rows} == {"not run"}
    assert "over --limit" not in found.text()


def test_measured_memory_is_what_was_allocated() -> None:
    peak, (array,) = peak_memory(lambda: [np.zeros((300, 400))])
    assert array.nbytes <= peak < 1.1 * array.nbytes


def test_measured_memory_of_a_materialized_row_is_as_counted() -> None:
    """Peak bytes are counted with the arguments, measured without."""
    f = jac.read(LOSS, A="M,N", x="N", b="M", y="M")
    arrays = [np.ones((60, 50)), np.ones(50), np.ones(60), np.zeros(60)]
    found = compare(f, "A", repeat=1, orders=["reverse"], modes=["materialized"])(*arrays)
    (row,) = found.rows
    assert row.peak_bytes is not None
    assert (
        0.8 * row.row.peak_bytes < row.peak_bytes + sum(a.nbytes for a in arrays) < 1.3 * row.row.peak_bytes
    )


def test_interleaved_takes_turns() -> None:
    seen: list[str] = []
    interleaved([lambda: seen.append("a"), lambda: seen.append("b")], 3)
    text = "".join(seen)
    assert text.lstrip("a").lstrip("b").startswith("a")
    assert text.endswith("b")


def test_a_batch_shares_what_is_no_array() -> None:
    made, shared = batched_inputs({"x": np.ones(3), "n": 4, "s": 2.0}, 5)
    assert made["x"].shape == (5, 3)
    assert made["s"].shape == (5,)
    assert (made["n"], shared) == (4, ["n"])
    found = compare(layer, "A", repeat=1, batch=8, orders=["reverse", "forward"])(*ARRAYS)
    assert found.batch == 8
    assert found.rows[1].deviation is not None
    assert found.agreement < 1e-12
    single = compare(layer, "A", repeat=1, orders=["reverse"], modes=["lazy"])(*ARRAYS).rows[0].row
    assert found.rows[0].row.structured == 8 * (single.structured or 0)


def test_problems_run() -> None:
    one = problem("heart-dipole")
    found = compare(one.f, one.wrt, repeat=1, orders=["reverse", "auto"], modes=["lazy"])(**one.inputs())
    assert found.agreement < 1e-12


def test_unknown_backend_and_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnknownNameError, match="backend 'cupy' is not known"):
        compare(layer, backend="cupy")
    with pytest.raises(UnknownNameError, match="peer 'flax' is not known"):
        compare(layer, "A", against=["flax"])(*ARRAYS)
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(MissingExtraError) as error:
        compare(layer, "A", against=["jax"], repeat=1)(*ARRAYS)
    assert error.value.instead == "pip install 'jacobians[jax]'"


@pytest.mark.peers
@pytest.mark.parametrize("name", ["jax", "torch"])
@pytest.mark.parametrize("batch", [None, 4])
def test_peers_agree(name: str, batch: int | None) -> None:
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed")
    found = compare(layer, "A", against=[name], repeat=1, orders=["reverse"], modes=["lazy"], batch=batch)(
        *ARRAYS
    )
    assert len(found.peers) == 2
    for one in found.peers:
        assert ("vmap(jac" in one.how) == (batch is not None)
        assert one.compile_seconds >= 0
        assert batch is not None or (one.deviation is not None and one.deviation < 1e-12)
    assert "theirs / ours" in found.text()


def test_rank_correlation_by_hand() -> None:
    """Flop 1, 2, 3 with times 1, 3, 2: Spearman's 1 - 6 * 2 / (3 * 8) = 0.5."""
    row = compare(layer, "A", repeat=1, orders=["reverse"], modes=["lazy"])(*ARRAYS).rows[0]
    rows = [
        replace(
            row, row=replace(row.row, order=(str(k),), multiplications=m, additions=0), timing=Timing(t, 0, 1)
        )
        for k, (m, t) in enumerate([(1, 1.0), (2, 3.0), (3, 2.0)])
    ]
    assert Comparison("", tuple(rows)).rank_correlation == pytest.approx(0.5)
    assert Comparison("", tuple(rows[:2])).rank_correlation is None


def test_the_environment_is_in_every_result() -> None:
    known = environment()
    assert known["versions"]["numpy"] == np.__version__
    assert known["cores"] >= 1
    found = compare(layer, "A", repeat=1, orders=["reverse"])(*ARRAYS)
    assert json.loads(found.json())["environment"]["python"] == known["python"]


def test_csv_has_a_line_for_each_row() -> None:
    found = compare(layer, "A", repeat=1, orders=["reverse"])(*ARRAYS)
    lines = found.csv().splitlines()
    assert len(lines) == 1 + len(found.rows) + len(found.paths)
    assert lines[0].startswith("name,path,mode,flop")


@pytest.mark.parametrize(
    ("seconds", "text"), [(4e-5, "0.04 ms"), (0.015, "15.0  ms"), (0.152, "152    ms"), (2.847, "2847    ms")]
)
def test_times_are_written_as_in_the_table(seconds: float, text: str) -> None:
    assert show_seconds(seconds) == text


def test_command_prints_the_brackets(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(
        capsys, LOSS, *SHAPES, "M=10", "N=20", "--wrt", "A", "--repeat", "1", "--limit", "100kB"
    )
    assert (status, err) == (0, "")
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "∂L/∂A, (10 × 20)"
    assert lines[2].split() == ["order", "flop", "largest", "result", "largest", "tensor", "time"]
    assert lines[3].startswith("  δ summed first           210          1.6 kB          1.6 kB")
    assert lines[4].startswith("  reverse   (L·f)·A       4200          1.6 kB         16.0 kB")
    outside = next(line for line in lines if "outside" in line)
    assert outside.endswith("over --limit")
    assert "All run orders agree to" in out
    assert "3 factors have 3 orders; 4 have 15; 5 have 105; 6 have 945." in out


def test_command_in_ascii_json_and_csv(capsys: pytest.CaptureFixture[str]) -> None:
    words = [LOSS, *SHAPES, "M=3", "N=4", "--wrt", "A", "--repeat", "1", "--order", "reverse"]
    assert run(capsys, *words, "--ascii")[1].isascii()
    found = json.loads(run(capsys, *words, "--json")[1])
    assert found["paths"][1]["multiplications"] == 3 * 3 + 3 * 3 * 4
    assert found["rows"][0]["seconds"] > 0
    assert run(capsys, *words, "--csv")[1].startswith("name,path,mode,flop")


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["z = A @ x", "A:3,N", "x:N"], ["A:3,N – N has no size yet, and bench needs one", "add N=4"]),
        (["z = A @ x", "A:3,4", "x:4", "--order", "fastest"], ["order 'fastest' is not known", "greedy"]),
        (["z = A @ x", "A:3,4", "x:4", "--wrt", "B"], ["'B'", "A, x"]),
        (["z = A @ x", "A:3,4", "x:4", "--limit", "much"], ["--limit 'much' is no number of bytes"]),
        (["--problem", "nope"], ["problem 'nope' is not known"]),
        ([], ["nothing to compare"]),
        (["z = A @ x"], ["no input has a shape"]),
        (["z = A @ x", "A:M,4", "x:4", "--sweep", "M=a"], ["names no sizes"]),
    ],
)
def test_usage_errors(capsys: pytest.CaptureFixture[str], words: list[str], parts: list[str]) -> None:
    status, out, err = run(capsys, *words)
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    for part in parts:
        assert part in err


def test_orders_go_out_and_come_in(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = [LOSS, *SHAPES, "M=3", "N=4", "--wrt", "A", "--repeat", "1"]
    file = tmp_path / "order.json"
    assert run(capsys, *words, "--order", "forward", "--order-out", str(file))[0] == 0
    order = json.loads(file.read_text())
    assert {"z", "f", "L"} <= set(order)
    found = json.loads(run(capsys, *words, "--order", "forward", "--order-in", str(file), "--json")[1])
    given = [row for row in found["rows"] if row["name"] == "given"]
    forward = [row for row in found["rows"] if row["name"] == "forward"]
    assert [row["order"] for row in given] == [row["order"] for row in forward] == [order, order]


def test_sweep_shows_growth(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["z = A @ x", "A:M,N", "x:N", "N=4", "--wrt", "A", "--sweep", "M=2,20", "--repeat", "1", "--json"]
    found = json.loads(run(capsys, *words)[1])
    small, large = (one["rows"][0] for one in found["comparisons"])
    assert found["sizes"] == [2, 20]
    assert large["largest_result"] == 100 * small["largest_result"]
    assert "elimination order" in run(capsys, *words[:-1])[1]


GRAPH = {
    "edges": [["x", "u"], ["u", "v"], ["u", "w"], ["v", "y"], ["w", "y"]],
    "inputs": ["x"],
    "outputs": ["y"],
}


def test_bare_graphs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file, order = tmp_path / "g.json", tmp_path / "order.json"
    file.write_text(json.dumps({"graphs": {"diamond": GRAPH}}))
    status, out, _ = run(capsys, "--graph", str(file), "--seconds", "1", "--order-out", str(order))
    assert status == 0
    assert "optimal" in out
    assert max(map(len, out.splitlines())) <= 80
    found = json.loads(
        run(capsys, "--graph", str(file), "--seconds", "1", "--json", "--order-in", str(order))[1]
    )
    (one,) = found["graphs"]
    assert one["costs"]["forward"] == 4
    assert one["search"]["cost"] == one["costs"]["given"] == one["search"]["lower_bound"] == 3


def test_pictures(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if importlib.util.find_spec("matplotlib") is None:
        pytest.skip("matplotlib is not installed")
    graph, picture = tmp_path / "g.json", tmp_path / "f.png"
    graph.write_text(json.dumps({"graphs": {"diamond": GRAPH}}))
    words = [
        "z = A @ x",
        "A:M,4",
        "x:4",
        "M=3",
        "--repeat",
        "1",
        "--order",
        "reverse",
        "--plot",
        str(picture),
    ]
    for command in (
        words,
        [*(word for word in words if word != "M=3"), "--sweep", "M=2,5"],
        ["--graph", str(graph), "--seconds", "1", *words[-2:]],
    ):
        assert run(capsys, *command)[0] == 0
        assert picture.stat().st_size > 5000
        picture.unlink()
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    status, _, err = run(capsys, *words)
    assert status == 2
    assert "plots need matplotlib" in err


def test_inputs_over_the_limit_are_costed_and_never_made(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["z = A @ x", "A:M,N", "x:N", "M=100000", "N=100000", "--wrt", "A"]
    status, out, err = run(capsys, *words)
    assert (status, err) == (0, "")
    assert "The inputs alone take 80.0 GB: they were not made." in out
    assert "over --limit" in out
    found = json.loads(run(capsys, *words, "--json")[1])
    assert found["input_bytes"] == 8 * (10**10 + 10**5)
    assert all(row["seconds"] is None for row in found["rows"])
    assert "they were not made" not in run(capsys, *words[:3], "M=3", "N=4", "--repeat", "1")[1]


def test_a_sweep_as_csv_has_a_line_for_each_size_and_row(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["z = A @ x", "A:M,N", "x:N", "N=4", "--wrt", "A", "--repeat", "1", "--sweep", "M=2,3", "--csv"]
    head, *lines = run(capsys, *words)[1].splitlines()
    assert head.startswith("M,name,")
    assert [line.split(",")[0] for line in lines] == ["2", "2", "3", "3"]


@pytest.mark.parametrize(
    ("more", "parts"),
    [
        (["M=4", "--sweep", "M=10,100"], ["M has a size and is swept", "--sweep M=4,10,100"]),
        (["M=4", "--repeat", "0"], ["nothing would be measured", "1 or more"]),
        (
            ["M=4", "--batch", "1000000000"],
            ["the inputs of a batch of 1000000000 take", "over --limit 1.0 GB"],
        ),
    ],
)
def test_what_cannot_be_measured_is_refused(
    capsys: pytest.CaptureFixture[str], more: list[str], parts: list[str]
) -> None:
    status, out, err = run(capsys, "z = A @ x", "A:M,N", "x:N", "N=4", "--wrt", "A", *more)
    assert (status, out) == (2, "")
    assert all(part in err for part in parts), err


def test_an_order_with_a_wrong_name_lists_the_vertices(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ["z = A @ x; f = tanh(z); g = 3 * f", "A:M,N", "x:N", "M=3", "N=4", "--wrt", "A", "--repeat", "1"]
    file = tmp_path / "order.json"
    run(capsys, *words, "--order-out", str(file))
    known = json.loads(file.read_text())
    file.write_text('["nowhere"]')
    status, _, err = run(capsys, *words, "--order-in", str(file))
    assert status == 2
    assert "the order names 'nowhere'" in err
    listed = err.split("--order-out writes them: ")[1].splitlines()[0].split(", ")
    assert known
    assert sorted(listed) == sorted(known)


def test_columns_are_explained_under_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, *["z=A@x", "A:M,N", "x:N", "M=3", "N=4", "--wrt", "A", "--repeat", "1"])[1]
    for word in ("plain: ", "unit-free: ", "dense: ", "structured: ", "random: "):
        assert word in out
    assert all(len(line) <= 80 for line in out.splitlines())


def test_a_picture_labels_each_place_once_and_leaves_zero_flop_out() -> None:
    found = compare(layer, "A", repeat=1)(*ARRAYS)
    labels = point_labels(found)
    points = {(one.row.flop, one.row.peak_bytes) for one in found.rows}
    assert labels.keys() <= {*points, *((one.row.flop, one.row.peak_bytes) for one in found.paths)}
    assert 0 < len(labels) < len(found.rows)
    nothing = compare(lambda A, x: A @ x, "A", repeat=1, orders=["reverse"], modes=["lazy"])(*ARRAYS[:2])
    assert [one.row.flop for one in nothing.rows] == [0]
    assert point_labels(nothing) == {}


def test_the_place_of_a_picture_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    place = str(tmp_path / "p.png")
    words = ["z=A@x", "A:M,N", "x:N", "M=3", "N=4", "--wrt", "A", "--repeat", "1", "--plot", place]
    assert f"picture in {place}" in run(capsys, *words)[2]


def test_peers_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "--peers", "nowhere")
    assert (status, out) == (2, "")
    assert "suite 'nowhere' is not known" in err
    status, out, err = run(capsys, "--peers", "micro", "--against", "nobody")
    assert (status, out) == (2, "")
    assert "peer 'nobody' is not known" in err
