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
        (["x @ x", "x:n", "--claim", "x"], "error: check needs --wrt"),
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
