"""The lecture: every row there, every verdict as expected, and a changed claim changes its verdict."""

from __future__ import annotations

import argparse
import copy
import dataclasses
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jacobians import lecture
from jacobians.errors import JacobiansError
from jacobians.lecture import command, judging, rows, setting
from jacobians.lecture.networks import executed

IDS = [*map(str, range(1, 89)), *(f"E{k}" for k in range(1, 14)), *(f"N{k}" for k in range(1, 6))]
FAIL = {"13", "67", "74", "76", "79", "80", "82"}  # claims of the slides that are wrong as they stand
KEYS = ["id", "slide", "claim", "formula", "shape_stated", "shape_found", "verdict", "evidence"]
DATA = json.loads((files("jacobians.lecture") / "claims.json").read_text(encoding="utf-8"))

# For every row: where its claim is changed, and to what.  A claim that holds becomes a false one, a known
# erratum becomes what it should have been; several changes where the slide's statement has several parts.
LITERAL = "checks", 0
MUTATIONS: dict[str, list[tuple[tuple[Any, ...], Any]]] = {
    "1": [((*LITERAL, "equals"), "2")],
    "2": [(("given", "values", "joint"), [["1/12", "1/6"], ["1/4", "1/6"], ["1/6", "1/4"]])],
    "3": [(("given", "values", "conditional", 0, 1), "2/5")],
    "4": [(("given", "values", "conditional", 1, 2), "1/2")],
    "5": [(("given", "values", "prior", 1), "1/3")],
    "6": [(("given", "values", "likelihood"), ["3/5", "4/5"])],
    "7": [(("checks", 0, "terms", 2), "2/5")],
    "8": [(("checks", 0, "terms", 1), "2/3")],
    "9": [((*LITERAL, "terms", 1), "likelihood * prior * evidence")],
    "10": [(("shape_stated",), "D")],
    "11": [((*LITERAL, "claimed"), "2 * (y - V @ theta) @ V")],
    "12": [((*LITERAL, "reaches"), "0")],
    "13": [((*LITERAL, "shapes", "A"), "3, 2")],
    "14": [(("checks", 1, "claimed"), "diag(1 - y)")],
    "15": [((*LITERAL, "reaches"), "1")],
    "16": [(("checks", 2, "text"), "max(abs(P @ Q - Q @ P)) < 0.001")],
    "17": [(("shape_stated",), "m x n")],
    "18": [((*LITERAL, "terms", 2), "np.einsum('ji, j', A.T @ A, x)")],
    "19": [((*LITERAL, "terms", 2), "np.einsum('kj, ik', B, A).T")],
    "20": [(("shape_stated",), "1 x 2")],
    "21": [(("shape_stated",), "N x 1")],
    "22": [(("shape_stated",), "N x M")],
    "23": [(("shape_stated",), "(M x N) x (P x Q)")],
    "24": [((*LITERAL, "claimed"), "df_dx * dg_dx")],
    "25": [((*LITERAL, "claimed"), "df_dx * dg_dx")],
    "26": [((*LITERAL, "claimed"), "df_dx")],
    "27": [((*LITERAL, "claimed"), "(f * dg_dx - df_dx * g) / g**2")],
    "28": [((*LITERAL, "quotient"), "(f_moved - f) / (2 * h)")],
    "29": [((*LITERAL, "claimed"), "n * x**n")],
    "30": [((*LITERAL, "claimed"), "-cos(x)")],
    "31": [((*LITERAL, "claimed"), "1 - tanh(x**2)")],
    "32": [((*LITERAL, "claimed"), "x * exp(x - 1)")],
    "33": [((*LITERAL, "claimed"), "1 / x**2")],
    "34": [((*LITERAL, "claimed"), "12")],
    "35": [((*LITERAL, "claimed"), "(1 - tanh(x)**2) * n * x**(n - 1)")],
    "36": [((*LITERAL, "quotient"), "(f_moved - f) / h**2")],
    "37": [(("shape_stated",), "N x 1")],
    "38": [((*LITERAL, "claimed"), "array([2 * x[0] * x[1] + x[1]**3, x[0]**2 + x[0] * x[1]**2])")],
    "39": [((*LITERAL, "claimed"), "array([2 * (x[0] + 2 * x[1]**3), 6 * (x[0] + 2 * x[1]**3) * x[1]**2])")],
    "40": [((*LITERAL, "claimed"), "df_dx - dg_dx")],
    "41": [((*LITERAL, "claimed"), "df_dx * dg_dx")],
    "42": [((*LITERAL, "chain"), ["f/x"])],
    "43": [((*LITERAL, "claimed"), "(df_dx * g + f * dg_dx) / g**2")],
    "44": [((*LITERAL, "claimed"), "2 * e")],
    "45": [((*LITERAL, "claimed"), "A")],
    "46": [((*LITERAL, "claimed"), "(y - A @ x) @ A")],
    "47": [((*LITERAL, "claimed"), "stack([df1_dx, df3_dx, df2_dx, df4_dx])")],
    "48": [((*LITERAL, "claimed"), "A.T")],
    "49": [((*LITERAL, "claimed"), "df_dx.T @ dg_df.T")],
    "50": [(("shape_stated",), "1 x 2, 1 x 2")],
    "51": [((*LITERAL, "claimed", 2), "2 * sin(t) * (cos(t) + 1)")],
    "52": [(("shape_stated",), "D x E")],
    "53": [(("checks", 1, "claimed"), "df14_dX[0, 2]")],
    "54": [((*LITERAL, "claimed"), "stack([df1_dA, df2_dA, df4_dA, df3_dA])")],
    "55": [((*LITERAL, "claimed"), "x[1]")],
    "56": [(("shape_stated",), "1 x N x 1")],
    "57": [((*LITERAL, "claimed"), "x.reshape(1, N)")],
    "58": [((*LITERAL, "claimed"), "stack([x, 0 * x, 0 * x, 0 * x])")],
    "59": [((*LITERAL, "claimed", 0), "stack([dA_dx1, dA_dx3, dA_dx2], axis=2)")],
    "60": [(("shape_stated",), "M, N")],
    "61": [((*LITERAL, "claimed"), "1 - tanh(z)**2")],
    "62": [((*LITERAL, "claimed"), "ones((M, M))")],
    "63": [((*LITERAL, "claimed", 0), "stack([outer(ones(M), x) for i in range(M)])")],
    "64": [((*LITERAL, "chain"), ["z/b"])],
    "65": [((*LITERAL, "claimed"), "einsum('il,ijk->ljk', df_dz, dz_dA) + dz_dA")],
    "66": [((*LITERAL, "claimed", 1), "einsum('il,lj->ij', df_dz, 2 * A)")],
    "67": [((*LITERAL, "code", 2), "dfdz = np.diag(1-f**2)")],
    "68": [(("checks", 2, "code", 4), "for i in range(M): dzdA[i,i,:] = 2 * x.T")],
    "69": [(("checks", 2, "claimed"), "np.einsum('li, ijk', df_dz, dz_dA.swapaxes(0, 1))")],
    "70": [((*LITERAL, "claimed"), "-e")],
    "71": [((*LITERAL, "claimed"), "eye(M)")],
    "72": [((*LITERAL, "chain"), ["L/e", "f/z", "z/A"])],
    "73": [((*LITERAL, "chain"), ["L/e", "e/f", "z/b"])],
    "74": [(("given", "values", "Sigma"), [[4.0, 0.0], [0.0, 4.0]])],
    "75": [((*LITERAL, "update"), "theta + gamma * gradient")],
    "76": [((*LITERAL, "ends"), "stationary point")],
    "77": [(("shape_stated",), "3, 4, 5, 2")],
    "78": [(("checks", 4, "chain"), ["L/f3", "f3/f2", "f1/A0"])],
    "79": [(("given", "steps", "multi"), "0.5 * sum((y - f)**2)")],
    "80": [((*LITERAL, "claimed"), "values")],
    "81": [((*LITERAL, "terms", 1), "sum(p)")],
    "82": [((*LITERAL, "terms", 1), "-M/2 * log(2 * pi) - 1/2 * sum((Y - F)**2, axis=1)")],
    "83": [(("checks", 1, "claimed", 0), "dL_dtheta")],
    "84": [((*LITERAL, "test"), "falls")],
    "85": [(("shape_stated",), "M")],
    "86": [((*LITERAL, "claimed"), "dL_dtheta / s**2")],
    "87": [((*LITERAL, "train"), "rises")],
    "88": [(("shape_stated",), "4 x 3 x 2")],
    "E1": [((*LITERAL, "shapes", "A"), "3, 2"), (("shape_stated",), "3 x 2")],
    "E2": [
        ((*LITERAL, "code", 3), "dfdz = np.diag((1-f**2).reshape(M))"),
        ((*LITERAL, "arguments", "x"), "x.reshape(N)"),
        ((*LITERAL, "arguments", "b"), "b"),
    ],
    "E3": [((*LITERAL, "equals"), "(2 * pi)**4")],
    "E4": [((*LITERAL, "terms", 1), "sum(-M/2 * log(2 * pi) - 1/2 * squares)")],
    "E5": [((*LITERAL, "terms", 1), "2 * dsingle_df")],
    "E6": [((*LITERAL, "ends"), "saddle point")],
    "E7": [((*LITERAL, "text"), "A - gamma * dL_dA")],
    "E8": [(("given", "values", "Sigma"), [[2.0, 0.0], [0.0, 2.0]])],
    "E9": [((*LITERAL, "terms", 1), "-M/2 * log(2 * pi) - 1/2 * sum((Y - F)**2, axis=1)")],
    "E10": [((*LITERAL, "claimed"), "g.reshape(M, 1) * df_dx + f.reshape(M, 1) * dg_dx")],
    "E11": [((*LITERAL, "shapes", "theta"), "D + 1"), (("shape_stated",), "1 x (D + 1)")],
    "E12": [((*LITERAL, "text"), "max(abs(A @ B - B @ A)) < 1e-9")],
    "E13": [(("checks", 0, "written"), "straight"), (("checks", 1, "written"), "straight")],
    "N1": [((*LITERAL, "claimed"), "array([[0.12041293, 0], [0, 0.10161478]])")],
    "N2": [((*LITERAL, "claimed"), "einsum('i,ij->ij', 1 - f**2, A)")],
    "N3": [((*LITERAL, "claimed"), "zeros(N)")],
    "N4": [(("checks", 0, "claimed"), "A"), (("checks", 1, "claimed"), "einsum('ij,k->ijk', eye(3), x)")],
    "N5": [(("shape_stated",), "2 x 1")],
}  # fmt: skip

# Changes inside `right`: an erratum is confirmed only where what should be there is right itself.
WRONG_RIGHT: dict[str, tuple[tuple[Any, ...], Any]] = {
    "67": (("right", "checks", 0, "code", 2), "dfdz = np.diag(f**2)"),
    "82": (("right", "checks", 0, "terms", 1), "-N/2 * log(2 * pi) - 1/2 * sum((Y - F)**2, axis=1)"),
    "E1": (("right", "checks", 0, "claimed"), "2 * A"),
    "E5": (("right", "checks", 0, "terms", 1), "3 * dsingle_df"),
    "N1": (("right", "checks", 1, "prints", "dfdb", 0, 0), 0.2),
}


@pytest.fixture(scope="module")
def judged() -> dict[str, lecture.Row]:
    return {row.id: row for row in lecture.run()}


def changed(row: str, *changes: tuple[tuple[Any, ...], Any]) -> rows.Claim:
    """The packaged claim `row` with the data at some paths replaced."""
    data = copy.deepcopy(next(claim for claim in DATA if claim["id"] == row))
    for path, value in changes:
        place = data
        for key in path[:-1]:
            place = place[key]
        assert place[path[-1]] != value, "the change changes nothing"
        place[path[-1]] = value
    return rows.claim_of(data, 1)


def test_every_row_of_the_list_is_there_in_order() -> None:
    assert [row.id for row in lecture.run()] == IDS


def test_verdicts_are_as_the_list_of_claims_says(judged: dict[str, lecture.Row]) -> None:
    fails = {name for name, row in judged.items() if row.verdict == "fails (known erratum)"}
    assert fails == FAIL | set(IDS[88:])
    assert {row.verdict for name, row in judged.items() if name not in fails} == {"holds"}


@pytest.mark.parametrize("row", IDS)
def test_a_changed_claim_changes_its_verdict(row: str) -> None:
    found = judging.judge(changed(row, *MUTATIONS[row]))
    assert found.verdict == "unexpected"
    expected = "found to fail" if row not in FAIL | set(IDS[88:]) else "found to hold"
    assert expected in found.evidence


@pytest.mark.parametrize("row", WRONG_RIGHT)
def test_an_erratum_is_confirmed_only_by_what_is_right(row: str) -> None:
    found = judging.judge(changed(row, WRONG_RIGHT[row]))
    assert found.verdict == "unexpected"
    assert "so does what should be right" in found.evidence


def test_what_is_expected_does_not_make_the_verdict() -> None:
    true_claim = dataclasses.replace(rows.packaged()[29], expected="fails")
    false_claim = dataclasses.replace(rows.packaged()[66], expected="holds")
    assert judging.judge(true_claim).verdict == judging.judge(false_claim).verdict == "unexpected"


def test_an_engine_that_disagrees_with_the_complex_step_is_unexpected(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(setting, "differenced", lambda function, at: np.zeros((3,)))
    [row] = lecture.run("44")
    assert row.verdict == "unexpected"
    assert "the engine and the complex step differ" in row.evidence


@pytest.mark.parametrize(
    ("row", "shape"),
    [
        ("21", "1 x N"), ("23", "(P x Q) x (M x N)"), ("50", "1 x 2, 2 x 1"), ("53", "(P x Q) x (M x N)"),
        ("56", "1 x (1 x N)"), ("59", "(4 x 2) x 3"), ("62", "M x M"), ("63", "M x (M x N)"),
        ("65", "M x (M x N)"), ("72", "1 x (M x N)"), ("E1", "3 x 2"), ("N4", "3 x 2, 3 x (3 x 2)"),
        ("N5", "2 x 1"),
    ],
)  # fmt: skip
def test_shapes_found(judged: dict[str, lecture.Row], row: str, shape: str) -> None:
    assert judged[row].shape_found == shape


@pytest.mark.parametrize(
    ("row", "numbers"),
    [
        ("7", ["3/5"]),
        ("8", ["1/3", "[1/3, 2/3]"]),
        ("18", ["[9, 8, 16]"]),
        ("34", ["-12"]),
        ("67", ["dfdz has the shape 4"]),
        ("E2", ["einsum", "too many subscripts for operand 0"]),
        ("E3", ["1559", "7.352"]),
        ("E5", ["2 times"]),
        ("E6", ["[-4, 2]", "saddle point"]),
        ("E8", ["0.5", "0.002494"]),
        ("E12", ["e-17"]),
        ("N5", ["2 x 1"]),
    ],
)
def test_the_numbers_that_prove_it(judged: dict[str, lecture.Row], row: str, numbers: list[str]) -> None:
    for number in numbers:
        assert number in judged[row].evidence


def test_every_derivative_is_checked_by_complex_step(judged: dict[str, lecture.Row]) -> None:
    for claim in rows.packaged():
        kinds = {check["kind"] for check in (*claim.checks, *claim.right_checks)}
        if kinds & {"derivative", "limit", "descent", "minimum", "stored"}:
            assert "engine = complex step" in judged[claim.id].evidence


def test_every_known_erratum_says_what_is_right_and_checks_it() -> None:
    for claim in rows.packaged():
        assert (claim.expected == "fails") == bool(claim.right) == bool(claim.right_checks)


def test_choosing_rows() -> None:
    assert [row.id for row in lecture.run("50-52, e1,7")] == ["7", "50", "51", "52", "E1"]
    assert [row.id for row in lecture.run("88-E2")] == ["88", "E1", "E2"]
    assert [row.id for row in lecture.run("E12-13")] == ["E12", "E13"]


@pytest.mark.parametrize(
    ("only", "what"),
    [("99", "there is no claim 99"), ("x", "cannot read the choice 'x'"), ("", "cannot read the choice ''"),
     ("8-5", "the choice '8-5' runs backwards"), ("E14", "there is no claim E14")],
)  # fmt: skip
def test_choices_that_cannot_be_read(only: str, what: str) -> None:
    with pytest.raises(JacobiansError) as caught:
        lecture.run(only)
    assert what in caught.value.what
    assert caught.value.instead


def run_command(*words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.main(parser.parse_args(words))


def test_exit_status_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command("--only", "60-61,E1", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [list(row) for row in found] == [KEYS] * 3
    assert all(isinstance(value, str) and value for row in found for value in row.values())
    assert [row["verdict"] for row in found] == ["holds", "holds", "fails (known erratum)"]


def test_an_altered_list_is_judged_and_exits_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    altered = copy.deepcopy(DATA[60:64])
    altered[0]["checks"][0]["claimed"] = "1 - tanh(z)**2"
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(altered))
    assert run_command("--claims", str(file)) == 1
    printed = capsys.readouterr().out
    assert "Unexpected: 61." in printed
    assert "claimed is 4, the engine has 4" in printed


def listing(*checks: Any, **more: Any) -> str:
    """A claims file of one claim."""
    return json.dumps([{"id": "1", "slide": "s", "claim": "c", "checks": list(checks), **more}])


@pytest.mark.parametrize(
    ("text", "what", "where"),
    [
        ("{", "no JSON", "line 1, column 2"),
        ("{}", "lists no claims", "it holds a dict"),
        ("[3]", "a claim is an object", "claim number 1"),
        ('[{"id": "1", "slide": "s", "claim": "c"}]', "the key 'checks' is missing", "claim 1"),
        (listing(formla="x"), "the key 'formla' is not known", "claim 1"),
        (listing(expected="maybe"), "expected is 'maybe'", "claim 1"),
        (listing(right={"claim": 3}), "right is no object with a claim", "claim 1"),
        (listing(), "there is nothing to check", "claim 1"),
        (listing(3), "no list of objects with a kind", "claim 1"),
        (listing({"kind": "derivativ"}), "the kind 'derivativ' is not known", "claim 1"),
        (listing({"kind": "true"}), "cannot be judged", "key 'text'"),
        (listing({"kind": "true", "text": "1 +"}), "cannot read", "1 +"),
        (listing({"kind": "true", "text": "q > 1"}), "the name 'q' is not known", "claim 1"),
        (listing({"kind": "true", "text": "__import__('os')"}), "import", "claim 1"),
        (
            listing({"kind": "value", "text": "ones(2)"}, shape_stated="Q"),
            "the size 'Q' has no value",
            "claim 1",
        ),
        (listing({"kind": "value", "text": "x", "values": {"x": "two"}}), "'two' is no number", "claim 1"),
        (
            listing({"kind": "value", "text": "x", "values": {"x": [[1], [2, 3]]}}),
            "cannot be judged",
            "claim 1",
        ),
    ],
)
def test_a_wrong_claims_file_gives_an_error_in_three_parts(
    tmp_path: Path, text: str, what: str, where: str
) -> None:
    file = tmp_path / "claims.json"
    file.write_text(text)
    with pytest.raises(JacobiansError) as caught:
        lecture.run(claims=file)
    assert what in caught.value.what
    assert where in caught.value.where
    assert caught.value.instead


def test_a_missing_claims_file(tmp_path: Path) -> None:
    with pytest.raises(JacobiansError, match="cannot read the claims file"):
        lecture.run(claims=tmp_path / "none.json")


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("ascii", [False, True])
def test_no_line_is_too_long_and_ascii_is_ascii(
    judged: dict[str, lecture.Row], width: int, ascii: bool
) -> None:
    page = lecture.text(list(judged.values()), width=width, ascii=ascii)
    assert max(map(len, page.splitlines())) <= width
    assert page.isascii() == ascii


def test_the_page_groups_by_slide_and_sums_up(judged: dict[str, lecture.Row]) -> None:
    page = lecture.text(list(judged.values()))
    assert page.count("Gradients of a Single-Layer Neural Network ──") == 1
    assert "88 claims: 81 hold, 7 fail as known (13, 67, 74, 76, 79, 80, 82)." in page
    assert "18 errata of 18 confirmed: E1 to E13, N1 to N5." in page
    assert page.endswith("Nothing unexpected.")
    for row in judged.values():
        assert f" {row.id} " in page


def test_colour_changes_nothing_else(judged: dict[str, lecture.Row]) -> None:
    plain, colored = (lecture.text([judged["1"]], color=color) for color in (False, True))
    assert "\033[32m" in colored
    assert plain == colored.replace("\033[32m", "").replace("\033[1m", "").replace("\033[0m", "")


def test_the_notebook_printout_is_what_the_slide_code_computes() -> None:
    lines = [
        "z = A.dot(x) + b",
        "f = np.tanh(z)",
        "dfdz = 1-f**2",
        "dzdb = np.eye(2)",
        "dfdb = np.einsum('il, lj', dfdz, dzdb)",
    ]
    A = np.array([[1.1, -2.5, 0.3], [-2.1, 0.2, -1.1]])
    x, b = np.array([[-1.0], [0.1], [2.1]]), np.array([[-1.0], [2.0]])
    found = executed(setting.setting({}), lines, {"x": x, "A": A, "b": b})["dfdb"]
    assert np.allclose(found, [[0.12041293, 0.12041293], [0.10161478, 0.10161478]], atol=1e-8)
    assert not np.allclose(found, np.diag(1 - np.tanh(A @ x[:, 0] + b[:, 0]) ** 2), atol=1e-3)


def test_differences_where_no_complex_step_is_possible() -> None:
    def real_only(x: np.ndarray) -> np.ndarray:
        if np.iscomplexobj(x):
            raise TypeError("real numbers only")
        return x**3

    assert np.allclose(setting.differenced(real_only, np.array([1.0, 2.0])), np.diag([3.0, 12.0]), rtol=1e-9)


def test_steps_out_of_order_are_refused() -> None:
    with pytest.raises(JacobiansError, match="step 'f' uses 'z', which comes after it"):
        setting.setting({"steps": {"f": "tanh(z)", "z": "2 * x"}, "values": {"x": 1.0}})


@pytest.mark.parametrize("name", ["999", "E99"])
def test_the_hint_for_a_wrong_id_sorts_numbers_as_numbers(name: str) -> None:
    ids = [claim.id for claim in rows.packaged()]
    last = max(
        (one for one in ids if one[:1].isalpha() == name[:1].isalpha() and one[:1] != "N"), key=_number
    )
    with pytest.raises(JacobiansError, match=f" to {last}$"):
        rows.select(rows.packaged(), name)


def _number(name: str) -> int:
    return int(name.lstrip("E"))
