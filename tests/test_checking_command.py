"""`jacobians check`: what is printed, JSON, tables, exit status."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jacobians.checking.records import TEMPLATE
from jacobians.checking.tables import judge_table, read_table, summary
from jacobians.cli import main
from jacobians.errors import JacobiansError

LAYER = ["z = A @ x + b", "A:3,4", "x:4", "b:3", "--wrt", "A"]


def run(capsys: Any, *words: str) -> tuple[int, str, str]:
    """Exit status, output and errors of `jacobians check`."""
    status = main(["check", *words])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_wrong_axis_order(capsys: Any) -> None:
    """The example of the documentation, line by line."""
    status, out, _ = run(capsys, *LAYER, "--claim", "n i m: x[n] * delta[i,m]")
    assert status == 1
    assert out.splitlines()[:5] == [
        "  ✗ ∂z/∂A: right numbers, wrong axis order",
        "      claim    4 × 3 × 3      n i m",
        "      result   3 × (3 × 4)    i | m n",
        "    Moving the claim's axes to (i, m, n) makes it equal at 3 random points.",
        "    right: i | m n: x[n] * delta[i,m]",
    ]


def test_a_right_claim(capsys: Any) -> None:
    """Exit status 0, and the layout."""
    status, out, _ = run(capsys, *LAYER, "--claim", "i|m n: x[n] * delta[i,m]")
    assert status == 0
    assert out.startswith("  ✓ ∂z/∂A: right, in tensor layout")


def test_only_symmetric_is_the_headline(capsys: Any) -> None:
    """True for symmetric A: the first line says so; with the assumption the claim is right."""
    words = ["u @ A @ x", "u:n", "A:n,n", "x:n", "--wrt", "x", "--claim", "A @ u"]
    status, out, _ = run(capsys, *words)
    assert (status, out.splitlines()[0]) == (1, "  ✗ ∂f/∂x: true for symmetric A, and only then")
    assert run(capsys, *words, "--assume", "A=symmetric")[0] == 0
    assert run(capsys, "u @ A @ x", "u:n", "A:n,n:symmetric", "x:n", *words[4:])[0] == 0


def test_structure_and_layout(capsys: Any) -> None:
    """`--structure` ties entries; `--layout` asks for one."""
    words = ["trace(A @ X)", "A:n,n", "X:n,n", "--wrt", "X", "--claim"]
    tied = [*words, "A + A.T - np.diag(np.diag(A))", "--structure", "X=symmetric"]
    assert run(capsys, *tied)[0] == 0
    status, out, _ = run(capsys, *words, "A", "--layout", "gradient", "--json")
    found = json.loads(out)
    assert (status, found["reason"], found["layout"]) == (1, "layout", "numerator")


def test_mixed_and_matrix_calculus(capsys: Any) -> None:
    """Two `--wrt`, and texts in the other syntax."""
    mixed = ["x'*A*y", "x:m", "A:m,n", "y:n", "--wrt", "x", "--wrt", "y", "--claim", "A"]
    assert run(capsys, *mixed)[0] == 0
    assert run(capsys, "x'*A*x", "A:n,n", "x:n", "--wrt", "x", "--claim", "(A + A')*x")[0] == 0


def test_same(capsys: Any) -> None:
    """Two formulas: equal, and equal but for a factor."""
    assert run(capsys, "--same", "tanh(x)", "1 - 2/(exp(2*x) + 1)", "x:n")[0] == 0
    status, out, _ = run(capsys, "--same", "x @ x", "2*sum(x*x)", "x:n", "--json")
    assert (status, json.loads(out)["factor"]) == (1, 0.5)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["x @ x"], "error: check needs statements and a claim"),
        (["A @ x", "A:m,n", "x:n", "--claim", "A"], "error: check needs --wrt"),
        (["A @ x", "A:m,n", "x:n", "--wrt", "x", "--claim", "-A"], "error: --claim has no value; one that"),
        (["-x@x", "x:n", "--wrt", "x", "--claim", "1"], "error: unrecognized arguments: -x@x"),
        (
            ["z = A @ x", "A:M,N", "x:N", "--wrt", "A", "--claim", "A", "--layout", "numerator"],
            "error: numerator layout has no place for ∂z/∂A: rank 3, M × (M × N)\n",
        ),
        (
            ["z = A @ x", "A:M,N", "x:N", "--wrt", "x", "--claim", "A", "--layout", "gradient"],
            "error: gradient layout needs a scalar target; z has M entries",
        ),
        (["x @ x", "x:n", "--claim", "2*x", "--order", "5"], "error: order 5 is not judged"),
        (["x @ x", "x:n", "n=0", "--claim", "2*x"], "error: size n is 0: a claim is judged at sizes of 1"),
        (["A @ x", "A:m,n", "x:n", "--wrt", "A", "--claim", "i|m n: A[i,j]*q[j]"], "error: unknown name 'q'"),
        (
            ["A @ x", "A:m,n", "x:n", "--wrt", "A", "--claim", "δ_im x_n"],
            "error: an index form needs its axes before a colon, and brackets\n  δ_im x_n\n"
            "  try: write it as: i|m n: delta[i,m] * x[n]",
        ),
        (["x @ x", "x:n", "--wrt", "y", "--claim", "x"], "error: wrt 'y' is not an input"),
        (["x @ x", "x:n", "--wrt", "x", "--claim", "x + q"], "error: unknown name 'q' in statement 1"),
        (
            ["x @ x", "x:n", "--wrt", "x", "--claim", "x", "--layout", "nominator"],
            "error: layout 'nominator' is not known",
        ),
        (
            ["x @ x", "x:n", "--wrt", "x", "--claim", "x", "--assume", "x=spdd"],
            "error: the assumption 'spdd' is not known",
        ),
        (
            ["x @ x", "x:n", "--wrt", "x", "--claim", "x", "--assume", "x"],
            "error: --assume x: NAME=WORD is expected",
        ),
        (["--file", "no-such-file.json"], "error: no-such-file.json cannot be opened"),
    ],
)
def test_usage_errors(capsys: Any, words: list[str], error: str) -> None:
    """Exit status 2 and an error in three parts."""
    status, _, err = run(capsys, *words)
    assert status == 2
    assert err.startswith(error)
    assert "  try: " in err


def test_template_is_a_table_that_runs(capsys: Any, tmp_path: Path) -> None:
    """What `--template` prints can be judged."""
    status, out, _ = run(capsys, "--template")
    assert status == 0
    assert json.loads(out) == TEMPLATE
    path = tmp_path / "claims.json"
    path.write_text(out)
    assert run(capsys, "--file", str(path))[0] == 0


def table(tmp_path: Path) -> Path:
    """A table with a right, a wrong and two malformed records."""
    good = dict(TEMPLATE["records"][0])
    records = [good, {**good, "id": "wrong", "claim": "2*A @ x"}, {"id": "empty"}, 17]
    path = tmp_path / "claims.json"
    path.write_text(json.dumps({"records": records}))
    return path


def test_table(capsys: Any, tmp_path: Path) -> None:
    """Every record gets a row; malformed ones are told by their ids and stop nothing."""
    status, out, _ = run(capsys, "--file", str(table(tmp_path)), "--json")
    rows = json.loads(out)
    assert status == 1
    assert [row["id"] for row in rows] == ["example-1", "wrong", "empty", "record 4"]
    assert [row["verdict"] for row in rows] == ["true", "false", "undecided", "undecided"]
    assert rows[1]["reason"] == "assumption"
    assert rows[2]["error"].startswith("the record has neither func nor text")
    assert all({"id", "verdict", "reason", "layout", "correct", "seconds"} <= row.keys() for row in rows)


def test_summary(capsys: Any, tmp_path: Path) -> None:
    """Counts by source and kind, and a line for what is not true."""
    _, out, _ = run(capsys, "--file", str(table(tmp_path)))
    assert "✗ wrong: true for symmetric A, and only then" in out
    assert "? record 4: not judged: a record is a mapping, not a int" in out
    assert "4 claims: 1 true, 1 false, 2 undecided" in out
    assert summary(judge_table(read_table(str(table(tmp_path)))))["kind"]["scalar-by-vector"]["true"] == 1


def test_processes_give_the_same_rows(tmp_path: Path) -> None:
    """Two processes and one find the same, in the same order."""
    records = read_table(str(table(tmp_path))) * 5
    one, two = (judge_table(records, workers=count) for count in (1, 2))
    assert [(row.id, row.verdict.verdict, row.verdict.reason) for row in one] == [
        (row.id, row.verdict.verdict, row.verdict.reason) for row in two
    ]


def test_tables_that_are_none(tmp_path: Path) -> None:
    """Bad files are errors, not crashes."""
    for text in ("[", "{}", '"text"', '{"records": 3}', "[" * 100_000):
        path = tmp_path / "bad.json"
        path.write_text(text)
        with pytest.raises(JacobiansError):
            read_table(str(path))


def test_toml(tmp_path: Path) -> None:
    """A table in TOML."""
    path = tmp_path / "claims.toml"
    path.write_text(
        '[[records]]\nid = "a"\nfunc = "x @ x"\nclaim = "2*x"\nwrt = ["x"]\n'
        'inputs = [{name = "x", shape = ["n"]}]\n'
    )
    (row,) = judge_table(read_table(str(path)))
    assert row.verdict


def test_ascii(capsys: Any) -> None:
    """`--ascii` prints nothing else."""
    _, out, _ = run(capsys, *LAYER, "--claim", "i|m n: delta[i,m]", "--ascii")
    assert out.isascii()


def test_lines_stay_within_the_width(capsys: Any) -> None:
    """Evidence and counterexamples are broken between words; the formula stays on one line."""
    words = ["A @ x", "A:m,n", "x:n", "--wrt", "x", "--claim", "2*A"]
    _, out, _ = run(capsys, *words)
    assert max(map(len, out.splitlines())) <= 80
    _, wide, _ = run(capsys, *words, "--width", "200")
    assert out.split() == wide.split()
    assert len(wide.splitlines()) < len(out.splitlines())


def test_what_same_says(capsys: Any) -> None:
    """Both formulas are named in the headline."""
    _, out, _ = run(capsys, "--same", "x @ x", "sum(x**2)", "x:n")
    assert out.splitlines()[0] == "  ✓ the first and the second formula are the same function"
    _, out, _ = run(capsys, "--same", "x @ x", "2*sum(x**2)", "x:n")
    assert out.splitlines()[:2] == [
        "  ✗ the first and the second formula are different functions",
        "    The first is 0.5 times the second.",
    ]


def test_the_only_input_and_differentials_are_understood(capsys: Any) -> None:
    """`--wrt` is not needed for one input; `dx` in a claim means its differential."""
    assert run(capsys, "x @ x", "x:n", "--claim", "2*x")[0] == 0
    status, out, _ = run(capsys, "x @ x", "x:n", "--claim", "2*x @ dx")
    assert status == 0
    assert "right, in differential layout" in out
    assert "differential layout, because the claim uses dx" in out
    assert run(capsys, "x @ dx", "x:n", "dx:n", "--wrt", "x", "--claim", "dx")[0] == 0


def test_a_layout_without_place_in_a_table(capsys: Any, tmp_path: Path) -> None:
    """The record is false, with the reason; the others are judged."""
    good = dict(TEMPLATE["records"][0])
    inputs = [{"name": "A", "shape": ["m", "n"]}, {"name": "x", "shape": ["n"]}]
    bad = {**good, "func": "A @ x", "claim": "A", "wrt": ["A"], "layout": "numerator"}
    path = tmp_path / "claims.json"
    path.write_text(json.dumps([{**bad, "inputs": inputs, "sizes": {}}, good]))
    rows = json.loads(run(capsys, "--file", str(path), "--json")[1])
    assert [row["verdict"] for row in rows] == ["false", "true"]
    assert rows[0]["reason"] == "layout"
    assert rows[0]["sentence"] == "Numerator layout has no place for ∂f/∂A: rank 3, m × (m × n)."
