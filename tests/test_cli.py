"""The command line: what is printed, where errors go, exit statuses, ASCII, JSON, pipes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jacobians.cli import COMMANDS, available, main
from jacobians.commands.output import bar
from jacobians.explanations import EXPLANATIONS

LAYER = ["z = A @ x + b; f = tanh(z)", "A:M,N", "x:N", "b:M"]
LOSS = ["z = A @ x + b; f = tanh(z); L = 0.5*sum((f - y)**2)", "A:M,N", "x:N", "b:M", "y:M"]


def run(capsys: pytest.CaptureFixture[str], *words: Any) -> Any:
    status = main(words)
    printed = capsys.readouterr()
    return status, printed.out, printed.err


# Command, the error as printed, word for word: what, where, what to do instead.
MESSAGES = {
    "shapes that do not fit": (
        ["shapes", "z = A @ x + b", "A:3,4", "x:3", "b:3"],
        "error: shapes do not fit in A @ x\n  z = A @ x + b\n      ^^^^^  "
        "A is 3 × 4, x is 3: the inner sizes 4 and 3 differ\n"
        "  try: A.T @ x gives 4, or declare x:4\n",
    ),
    "unknown name": (
        ["shapes", "z = A @ x; f = W @ z", "A:3,4", "x:4"],
        "error: unknown name 'W' in statement 2\n  statement 2: f = W @ z\n"
        "                   ^  known: A, x, z\n"
        "  try: declare W:rows,cols\n",
    ),
    "misspelled operation": (
        ["show", "z = sofmax(x)", "x:4"],
        "error: 'sofmax' is not an operation\n  z = sofmax(x)\n      ^^^^^^\n"
        "  try: softmax (operations: jacobians ops)\n",
    ),
    "a quote is not transpose": (
        ["shapes", "z = x'", "x:4"],
        "error: cannot read \"x'\": a quote is not transpose\n  z = x'\n       ^\n"
        "  try: write x.T (matrixcalculus.org syntax: * is ⊙ here, @ is the product)\n",
    ),
    "sizes with an x": (
        ["shapes", "z = A @ x", "A:3x4", "x:4"],
        "error: A:3x4 – sizes are separated by commas\n  A:3x4\n    ^^^\n  try: A:3,4\n",
    ),
    "no shape at all": (
        ["shapes", "z = A @ x"],
        "error: no input has a shape\n  statements: z = A @ x\n  try: A:M,N x:N b:M after the statements\n",
    ),
    "unknown layout": (
        ["shapes", "z = A @ x", "A:3,4", "x:4", "--layout", "numerater"],
        "error: layout 'numerater' is not known\n"
        "  layouts: tensor, numerator, denominator, vec, vec-row, gradient\n  try: numerator\n",
    ),
    "unknown command": (
        ["shape", "z = A @ x"],
        "error: 'shape' is no command\n"
        "  commands: lecture, shapes, show, check, bench, report, identities, explain, ops\n"
        "  try: did you mean: jacobians shapes\n",
    ),
    "unknown target": (
        ["show", "z = A @ x", "A:3,4", "x:4", "--target", "f"],
        "error: 'f' is no named value of this function\n  names: A, x, z\n  try: one of A, x, z\n",
    ),
    "numbers needed": (
        ["show", "z = A @ x", "A:3,N", "x:N", "--as", "numpy"],
        "error: A:3,N – N has no size yet, and a numpy program needs one\n  try: add N=4\n",
    ),
    "unknown explanation": (
        ["explain", "layuot"],
        "error: 'layuot' is not explained here\n"
        "  explained: delta, jacobian, layout, vec, einsum, chain, elimination-order, contraction-path, "
        "flop, jvp, wiring, kink, batch, hessian, materialize, selection\n"
        "  try: did you mean: layout\n",
    ),
    "unknown operation": (
        ["ops", "softmx"],
        "error: 'softmx' is not an operation\n"
        "  232 operations: jacobians ops\n"
        "  try: did you mean: softmax\n",
    ),
    "an attribute walk": (
        ["shapes", "z = x.__class__", "x:4"],
        "error: '.__class__' is not an attribute that is read\n"
        "  z = x.__class__\n"
        "      ^^^^^^^^^^^\n"
        "  try: a function such as np.sum(x)\n",
    ),
    "an import": (
        ["shapes", "__import__('os').system('true')", "x:4"],
        "error: '.system' is not an attribute that is read\n"
        "  __import__('os').system('true')\n"
        "  ^^^^^^^^^^^^^^^^^^^^^^^\n"
        "  try: a function such as np.sum(x)\n",
    ),
    "a huge power": (
        ["shapes", "z = 10**10**10 * x", "x:4"],
        "error: the result of ** has more than 4096 bits\n"
        "  z = 10**10**10 * x\n"
        "      ^^^^^^^^^^\n"
        "  try: a smaller exponent, or a float such as 10.0\n",
    ),
    "deep brackets": (
        ["shapes", "z = " + "(" * 200 + "x" + ")" * 200, "x:4"],
        "error: brackets nest deeper than 50\n"
        "  ...((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((...\n"
        "                                   ^\n"
        "  try: name the inner parts: z = ...; f = ...\n",
    ),
    "one letter, two sizes": (
        ["shapes", "z = A @ x", "A:M,N", "x:N", "M=3", "M=4"],
        "error: M is declared twice\n  M=4\n  ^\n  try: one declaration for each name\n",
    ),
    "an empty text": (
        ["shapes", "", "x:4"],
        'error: there is no statement to read\n  try: a text such as "z = A @ x + b"\n',
    ),
    "not an assignment": (
        ["shapes", "for i in x: pass", "x:4"],
        "error: a loop cannot be read\n"
        "  for i in x: pass\n"
        "  ^^^^^^^^^^^^^^^^\n"
        "  try: a list comprehension, or sum(... for i in range(n))\n",
    ),
    "a claims file that is not there": (
        ["lecture", "--claims", "no-such-file.json"],
        "error: cannot read the claims file no-such-file.json\n"
        "  No such file or directory\n"
        "  try: the path of a JSON file\n",
    ),
    "an unknown option": (["shapes", "z = A @ x", "A:3,4", "x:4", "--layuot", "all"], None),
    "a formula that begins with a sign": (
        ["show", "-log(det(X))", "X:n,n"],
        "error: unrecognized arguments: -log(det(X))\n"
        "  a formula that begins with - is taken for an option\n"
        '  try: "(-log(det(X)))", in brackets\n',
    ),
    "a size that a step needs": (
        ["show", "sum([x[i] for i in range(N)])", "x:N"],
        "error: this step needs a number: size N has none yet\n"
        "  sum([x[i] for i in range(N)])\n"
        "                     ^^^^^^^^\n"
        "  try: add N=3\n",
    ),
    "a name that is a variable": (
        ["show", "tanh = exp(x); f = tanh(tanh)", "x:N"],
        "error: 'tanh' is a variable here, not a function\n"
        "  statement 2: f = tanh(tanh)\n"
        "                   ^^^^\n"
        "  try: np.tanh(...)\n",
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_errors_have_three_parts_exit_status_2_and_no_traceback(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words, wanted = MESSAGES[name]
    status, out, err = run(capsys, *words)
    assert status == 2
    assert out == ""
    assert err.startswith("error: ")
    assert "\n  try: " in err
    assert "Traceback" not in err
    if wanted is not None:
        assert err == wanted


def test_a_misspelled_option_has_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    for words, close in ((["--layuot", "all"], "--layout"), (["--wtr=x"], "--wrt"), (["--jsn"], "--json")):
        assert run(capsys, "shapes", "x", "x:N", *words)[2].endswith(f"  try: did you mean: {close}\n")
    assert run(capsys, "shapes", "x", "x:N", "--frobnicate")[2].endswith("  try: jacobians shapes --help\n")


def test_debug_keeps_the_traceback() -> None:
    with pytest.raises(Exception, match="is not an operation"):
        main(["show", "z = sofmax(x)", "x:4", "--debug"])


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for name in available():
        with pytest.raises(SystemExit) as caught:
            main([name, "--help"])
        assert caught.value.code == 0
        assert f"jacobians {name}" in capsys.readouterr().out


def test_all_commands_of_the_design_are_there() -> None:
    assert list(COMMANDS) == [
        "lecture",
        "shapes",
        "show",
        "check",
        "bench",
        "report",
        "identities",
        "explain",
        "ops",
    ]


def test_without_words_the_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys)
    assert status == 0
    for name in available():
        assert f"  {name}" in out


def test_shapes_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "shapes", *LAYER)
    assert (status, err) == (0, "")
    assert "∂z/∂A            M × (M × N)      M²N       δ_im x_n" in out


def test_show_prints_the_chain(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "show", *LOSS, "M=3", "N=4", "--wrt", "A")
    assert status == 0
    assert "matrix form   ((f − y) ⊙ (1 − f²)) xᵀ" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize("form", ["text", "latex", "numpy", "slides", "html", "svg"])
def test_show_in_every_form(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    if form == "html":
        pytest.importorskip("jacobians.report")
    status, out, _ = run(capsys, "show", *LOSS, "M=3", "N=4", "--wrt", "A", "--as", form)
    assert status == 0
    assert {
        "text": "index form",
        "latex": "\\underbrace",
        "numpy": "import numpy",
        "slides": "np.einsum",
        "html": "<math",
        "svg": "<svg",
    }[form] in out


def test_show_writes_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "f.tex"
    status, out, _ = run(capsys, "show", *LAYER, "--as", "latex", "-o", str(path))
    assert (status, out) == (0, "")
    assert "\\underbrace" in path.read_text(encoding="utf-8")


def test_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "shapes", *LAYER, "--json")
    rows = json.loads(out)
    assert rows[0]["title"] == "∂z/∂A"
    assert rows[0]["layouts"]["vec"].startswith("M × MN")
    assert set(rows[0]) == {
        "title",
        "kind",
        "target_shape",
        "input_shape",
        "shape",
        "entries",
        "nonzero",
        "index_form",
        "layouts",
        "recipes",
    }
    _, out, _ = run(capsys, "show", *LAYER, "--json")
    assert json.loads(out)["shape"] == "M × (M × N)"
    _, out, _ = run(capsys, "ops", "tanh", "--json")
    assert json.loads(out)[0]["name"] == "tanh"


def test_matrix_calculus_syntax(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "show", "x'*A*x", "A:n,n", "x:n", "--syntax", "matrixcalculus", "--wrt", "x")
    assert status == 0
    assert "A x" in out
    assert "Aᵀ x" in out


def test_ops_lists_every_operation(capsys: pytest.CaptureFixture[str]) -> None:
    from jacobians.operation import OPERATIONS

    _, out, _ = run(capsys, "ops")
    assert f"{len(OPERATIONS)} operations." in out
    assert max(map(len, out.splitlines())) <= 80


def test_explain_prints_ten_lines(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "explain", "kronecker", "delta")
    assert status == 0
    assert "shared index" in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    "words",
    [
        ["shapes", *LAYER],
        ["shapes", *LAYER, "--layout", "all"],
        ["show", *LOSS],
        ["show", "h = x + tanh(W @ x); k = h + tanh(W @ h)", "x:N", "W:N,N", "--wrt", "W"],
        *(["explain", term] for term in EXPLANATIONS),
        ["ops"],
        ["identities"],
        ["lecture"],
    ],
    ids=lambda w: " ".join(w[:2]),
)
def test_an_ascii_pipe_gets_ascii(words: Any) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "jacobians", *words], capture_output=True, env=environment, check=False
    )
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert b" ? " not in done.stdout


def test_an_error_on_an_ascii_pipe_is_ascii() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    words = [sys.executable, "-m", "jacobians", "shapes", "z = A @ x + b", "A:3,4", "x:3", "b:3"]
    done = subprocess.run(words, capture_output=True, env=environment, check=False)
    assert done.returncode == 2
    assert b"\n      ^^^^^  A is 3 x 4, x is 3: the inner sizes 4 and 3 differ\n" in done.stderr


def test_a_closed_pipe_is_no_error() -> None:
    done = subprocess.run(
        f'"{sys.executable}" -m jacobians ops | head -1', shell=True, capture_output=True, check=False
    )
    assert done.stderr == b""


def test_wide_and_narrow(capsys: pytest.CaptureFixture[str]) -> None:
    for width in (60, 200):
        _, out, _ = run(capsys, "explain", "delta", "--width", str(width))
        assert max(map(len, out.splitlines())) <= width


def test_colour_is_for_terminals_and_for_who_asks(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rich")
    _, plain, _ = run(capsys, "show", *LAYER)
    _, coloured, _ = run(capsys, "show", *LAYER, "--color", "always")
    _, refused, _ = run(capsys, "show", *LAYER, "--color", "never")
    assert "\x1b[" not in plain + refused
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain


def test_json_has_every_line_of_detail(capsys: pytest.CaptureFixture[str]) -> None:
    details = json.loads(run(capsys, "show", *LAYER, "--wrt", "A", "--json")[1])["details"]
    put_in = [row["text"] for row in details if row["label"] == "put in"]
    assert put_in == ["∂f/∂z = δ_ij (1 − f_i²)", "∂z/∂A = δ_jm x_n"]
    assert sum(row["label"] == "matrix form" for row in details) == 2


@pytest.mark.parametrize("more", [[], ["--json"], ["--as", "latex"]])
def test_a_file_that_cannot_be_written_is_an_error(
    more: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    place = tmp_path / "missing" / "x.txt"
    status, out, err = run(capsys, "show", *LAYER, "--wrt", "A", *more, "-o", str(place))
    assert (status, out) == (2, "")
    assert not place.parent.exists()
    assert err.startswith(f"error: cannot write {place}\n")
    assert "\n  try: " in err


def test_a_picture_needs_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "show", *LAYER, "--wrt", "A", "--as", "svg")
    assert (status, out) == (2, "")
    assert "a picture needs one" in err
    assert "try: add M=4" in err
    assert run(capsys, "show", *LAYER, "M=3", "N=4", "--wrt", "A", "--as", "svg")[1].startswith("<svg")


def test_colour_without_rich_says_how_to_install_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    status, out, err = run(capsys, "show", *LAYER, "--wrt", "A", "--color", "always")
    assert (status, err) == (0, "note: colour needs rich: pip install 'jacobians[cli]'\n")
    assert (out, "") == run(capsys, "show", *LAYER, "--wrt", "A", "--color", "never")[1:]


RECORDS = '[{"id": "a", "func": "A @ x", "wrt": "x", "claim": "A", "sizes": {"m": 3, "n": 4}, "inputs": ' + (
    '[{"name": "A", "shape": ["m", "n"]}, {"name": "x", "shape": ["n"]}]}]'
)
DOCUMENTS: dict[str, tuple[str, ...]] = {
    "lecture": ("lecture", "--only", "50"),
    "shapes": ("shapes", *LAYER),
    "show": ("show", *LAYER, "--wrt", "A"),
    "check": ("check", "A @ x", "A:m,n", "x:n", "--wrt", "x", "--claim", "2*A"),
    "check --file": ("check", "--file", "RECORDS"),
    "bench": ("bench", *LAYER, "M=3", "N=4", "--wrt", "A", "--repeat", "1"),
    "identities": ("identities", "det"),
    "identities --check": ("identities", "det", "--check"),
    "explain": ("explain", "delta"),
    "ops": ("ops", "tanh"),
}


def documented() -> dict[str, str]:
    """The keys of every document, by command, as docs/reference/json.md lists them."""
    page = (Path(__file__).parents[1] / "docs" / "reference" / "json.md").read_text("utf-8")
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| `")]
    return {command.strip("`"): keys for command, _, keys in rows}


def test_the_page_lists_every_command_that_prints_json() -> None:
    assert list(documented()) == list(DOCUMENTS)
    assert {words[0] for words in DOCUMENTS.values()} == set(COMMANDS) - {"report"}


@pytest.mark.parametrize("command", DOCUMENTS)
def test_json_has_the_keys_of_the_page(
    command: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    table = tmp_path / "claims.json"
    table.write_text(RECORDS, "utf-8")
    words = [str(table) if word == "RECORDS" else word for word in DOCUMENTS[command]]
    document = json.loads(run(capsys, *words, "--json")[1])
    first = document[0] if isinstance(document, list) else document
    assert ", ".join(f"`{key}`" for key in first) == documented()[command]


def test_the_terms_are_a_list_in_json_and_lines_of_the_width_in_text(
    capsys: pytest.CaptureFixture[str],
) -> None:
    terms = json.loads(run(capsys, "explain", "--json")[1])
    text = run(capsys, "explain")[1]
    assert "delta" in terms
    assert " ".join(text.split()) == f"Explained: {', '.join(terms)}"
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("rich", [True, False])
def test_a_bar_is_for_terminals(
    rich: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with bar("judging") as shown:
        assert shown is None
    assert capsys.readouterr().err == ""
    if rich:
        pytest.importorskip("rich")
    else:
        monkeypatch.setitem(sys.modules, "rich.progress", None)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with bar("judging") as shown:
        assert shown is not None
        shown(3, 4)
    err = capsys.readouterr().err
    assert ("judging" if rich else "[######################........] 3 of 4\n") in err
