"""The documentation runs: every code block of README.md and docs/ prints what the page shows.

A page is one program, its blocks in order.  In a `python` block, `>>>` lines are doctests; elsewhere,
comment lines right under a statement that prints are its output.  In a `console` block every
`$ jacobians ...` line runs, and the lines under it are its output; `$ echo $?` shows the exit status.
`...` stands for what differs from run to run.  `<!-- needs: torch -->` before a block says that it is left
out where that module is not installed.  A `numpy` block quotes lines of the package.
"""

from __future__ import annotations

import ast
import contextlib
import doctest
import io
import re
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from jacobians.cli import main
from jacobians.operation import OPERATIONS

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted(p for p in (ROOT / "docs").rglob("*.md") if "_build" not in p.parts)]
FENCE = re.compile(
    r"(?:<!-- needs: (?P<needs>[\w, ]+) -->\n+)?^```(?P<language>[^\n]*)\n(?P<body>.*?)^```$", re.M | re.S
)
SHOWN = {"text", "sh", "numpy", "{toctree}", "{literalinclude}", "{eval-rst}"}  # these are looked at, not run
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
CHECK = doctest.OutputChecker()


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, text, first line, and the modules that it needs."""

    language: str
    body: str
    line: int
    needs: tuple[str, ...]


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a Markdown page, in order."""
    for found in FENCE.finditer(text):
        needs = tuple(re.findall(r"\w+", found["needs"] or ""))
        yield Block(
            found["language"].split(" ")[0],
            found["body"],
            text.count("\n", 0, found.start("body")) + 1,
            needs,
        )


def run_page(text: str, name: str = "page") -> list[str]:
    """Runs a page; raises AssertionError where a block prints something else; returns what was left out."""
    namespace: dict[str, Any] = {"__name__": "page"}
    left_out = []
    for block in blocks(text):
        missing = [module for module in block.needs if find_spec(module) is None]
        if missing:
            left_out.append(f"{name}:{block.line} needs {', '.join(missing)}")
        elif block.language == "python":
            run = run_examples if ">>>" in block.body else run_program
            run(block, namespace, name)
        elif block.language == "console":
            run_commands(block, name)
    return left_out


def run_examples(block: Block, namespace: dict[str, Any], name: str) -> None:
    """Runs a block of `>>>` lines in the page's namespace."""
    examples = doctest.DocTestParser().get_examples(block.body, name)
    test = doctest.DocTest(examples, namespace, name, name, block.line - 1, block.body)
    said = io.StringIO()
    failed = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=said.write, clear_globs=False).failed
    assert not failed, said.getvalue()
    namespace.update(test.globs)


def run_program(block: Block, namespace: dict[str, Any], name: str) -> None:
    """Runs a block's statements; comment lines right under one that prints are compared with its output."""
    tree, lines = ast.parse(block.body), block.body.splitlines()
    for statement in tree.body:
        before = "\n" * (block.line + statement.lineno - 2)  # so that a traceback names the page's line
        code = compile(before + _source(statement, lines), name, "exec")
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(code, namespace)
        wanted = []
        for line in lines[statement.end_lineno or 0 :]:
            if not line.startswith("#"):
                break
            wanted.append(line.removeprefix("#").removeprefix(" "))
        if printed.getvalue() and wanted:
            compare(
                "\n".join(wanted), printed.getvalue(), f"{name}:{block.line + (statement.end_lineno or 0)}"
            )


def _source(statement: ast.stmt, lines: list[str]) -> str:
    first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))])
    return "\n".join(lines[first - 1 : statement.end_lineno])


def run_commands(block: Block, name: str) -> None:
    """Runs every `$ jacobians ...` line of a block and compares what it prints with the lines under it."""
    status = 0
    for piece in re.split(r"^\$ ", block.body.replace("\\\n", " "), flags=re.M)[1:]:
        command, _, wanted = piece.partition("\n")
        words = shlex.split(command, comments=True)
        if words[0] == "jacobians":
            status, printed = run_command(words[1:])
        elif command.strip() == "echo $?":
            printed = f"{status}\n"
        else:
            continue
        if wanted.strip():
            compare(wanted, printed, f"{name}:{block.line}: {command}")


def run_command(words: list[str]) -> tuple[int, str]:
    """A command's exit status and what it prints on both outputs."""
    printed = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n")
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        status = main(words)
    printed.flush()
    return status, printed.buffer.getvalue().decode("utf-8")  # type: ignore[attr-defined]


def compare(wanted: str, printed: str, where: str) -> None:
    """Raises AssertionError unless `printed` is `wanted`, up to blanks and `...`."""
    wanted, printed = wanted.strip() + "\n", printed.strip() + "\n"
    assert CHECK.check_output(wanted, printed, FLAGS), (
        f"{where}\n--- the page shows\n{wanted}--- it prints\n{printed}"
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(page.parent))
    monkeypatch.setenv("NO_COLOR", "1")
    left_out = run_page(page.read_text("utf-8"), str(page.relative_to(ROOT)))
    if left_out:
        pytest.skip("; ".join(left_out))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_is_run_or_said_to_be_shown(page: Path) -> None:
    languages = {block.language for block in blocks(page.read_text("utf-8"))}
    assert languages <= SHOWN | {"python", "console"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_quoted_code_is_in_the_package(page: Path) -> None:
    quoted = [_lines(block.body) for block in blocks(page.read_text("utf-8")) if block.language == "numpy"]
    assert [body for body in quoted if not any(body in source for source in SOURCES)] == []


def _lines(text: str) -> str:
    return "\n".join(line.strip() for line in text.splitlines())


SOURCES = [_lines(path.read_text("utf-8")) for path in sorted((ROOT / "jacobians").rglob("*.py"))]


def test_a_quotation_of_what_is_not_there_is_found() -> None:
    assert not any(_lines("    spelled = nowhere(1)\n") in source for source in SOURCES)


def test_pages_are_found() -> None:
    assert len(PAGES) > 15


WRONG = {
    "doctest": "```python\n>>> 1 + 1\n3\n```\n",
    "printed": "```python\nprint('one')\n# two\n```\n",
    "raises": "```python\nassert False\n```\n",
    "command": "```console\n$ jacobians --version\njacobians of another version\n```\n",
    "status": "```console\n$ jacobians nonsense\n$ echo $?\n0\n```\n",
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_page_fails(kind: str) -> None:
    with pytest.raises(AssertionError):
        run_page(WRONG[kind])


def test_a_right_page_passes() -> None:
    page = "```python\nx = 1\nprint(x)\n# 1\n\n# and a remark\n```\n"
    page += "```python\n>>> x + 1\n2\n```\n```console\n$ jacobians nonsense\n$ echo $?\n2\n```\n"
    page += "<!-- needs: no_such_module -->\n```python\nimport no_such_module\n```\n"
    assert run_page(page) == ["page:19 needs no_such_module"]


def generated() -> Any:
    """The module docs/generated.py."""
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        import generated
    finally:
        sys.path.remove(str(ROOT / "docs"))
    return generated


def test_the_operations_page_names_every_operation() -> None:
    page = generated().operations_page()
    assert {name for name in re.findall(r"^### (\S+)$", page, re.M)} == set(OPERATIONS)


def test_the_module_map_of_the_architecture_page_names_every_module() -> None:
    docs = generated()
    assert {name for row in docs.layers() for name in row} == set(docs.modules())
    assert all(f"| `{name}` |" in docs.module_map() for name in docs.modules())
    assert docs.module_figure().count("<rect") == len(docs.modules())


def test_every_operation_of_the_families_that_state_a_jacobian_is_derived() -> None:
    derived = "".join(page.read_text("utf-8") for page in (ROOT / "docs" / "derivations").glob("*.md"))
    wanted = "matmul einsum tanh softmax logsumexp norm inv solve det slogdet cholesky eigvalsh eigh svd"
    wanted += " reshape cumsum cumprod max prod"
    assert [name for name in wanted.split() if f"`{name}`" not in derived] == []
