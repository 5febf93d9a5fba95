"""The notebooks of examples/ run, and print what is stored in them.

Every notebook is run twice: its cells as one plain program, and by Jupyter itself where nbclient and
ipykernel are installed (the extra `docs`).  `python -m tests.test_notebooks` stores the outputs anew.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "examples").glob("*.ipynb"))
pages = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> dict[str, Any]:
    """A notebook as plain data."""
    return json.loads(path.read_text("utf-8"))  # type: ignore[no-any-return]


def code(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """The cells that hold code."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def shown(cell: dict[str, Any]) -> str:
    """What a cell printed, then the text of its value."""
    printed = "".join("".join(out["text"]) for out in cell["outputs"] if out["output_type"] == "stream")
    values = ["".join(out["data"]["text/plain"]) for out in cell["outputs"] if "data" in out]
    return "\n".join([printed.rstrip("\n"), *values]).strip("\n")


def run_cell(source: str, namespace: dict[str, Any]) -> str:
    """Runs a cell in a namespace: what it prints, then the text of its last line's value."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(tree, "cell", "exec"), namespace)
        value = None
        if last is not None:
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), namespace)
    text = printed.getvalue().rstrip("\n")
    return "\n".join([text, *([] if value is None else [repr(value)])]).strip("\n")


@pages
def test_cells_run_and_print_what_is_stored(path: Path) -> None:
    namespace: dict[str, Any] = {"__name__": "notebook"}
    for cell in code(read(path)):
        source = "".join(cell["source"])
        assert plain(run_cell(source, namespace)) == plain(shown(cell)), source


def plain(text: str) -> str:
    """Text without blanks at line ends, and with numbers of many digits cut to eight."""
    text = re.sub(r"(\d\.\d{8})\d+", r"\1", text)
    return "\n".join(line.rstrip() for line in text.splitlines())


@pages
def test_jupyter_runs_it(path: Path) -> None:
    client, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    client.NotebookClient(notebook, timeout=120).execute()


@pages
def test_nothing_of_a_machine_is_stored(path: Path) -> None:
    text, notebook = path.read_text("utf-8"), read(path)
    assert not re.search(r"/(home|root|tmp|Users)/|[A-Z]:\\\\", text)
    assert notebook["metadata"].keys() == {"kernelspec", "language_info"}
    assert all(not cell["metadata"] for cell in notebook["cells"])
    assert [cell["execution_count"] for cell in code(notebook)] == list(range(1, len(code(notebook)) + 1))


@pages
def test_pictures_are_stored_as_html_without_script(path: Path) -> None:
    data = [out.get("data", {}) for cell in code(read(path)) for out in cell["outputs"]]
    pictures = [found["text/html"] for found in data if "text/html" in found]
    assert not any("<script" in "".join(html) for html in pictures)


def test_there_are_notebooks() -> None:
    assert 3 <= len(NOTEBOOKS) <= 5
    assert any("text/html" in path.read_text("utf-8") for path in NOTEBOOKS)


def test_a_cell_that_prints_something_else_is_found() -> None:
    cell = {"outputs": [{"output_type": "stream", "text": ["2\n"]}]}
    assert run_cell("print(1)", {}) != shown(cell) == run_cell("print(1)\nprint(2)", {}).splitlines()[1]


def refresh() -> None:
    """Runs every notebook by Jupyter and stores what it shows, without traces of the machine."""
    import nbformat
    from nbclient import NotebookClient

    for path in NOTEBOOKS:
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(notebook, timeout=120).execute()
        for cell in notebook.cells:
            cell.metadata = {}
        notebook.metadata = {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        }
        path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    refresh()
