"""What the documentation generates while it is built, so that it is written nowhere twice.

`operations_page()` is the table of all operations, from the registry; `module_map()` the modules by layer,
as the layering test states them; `module_figure()` the same as a picture.  A page asks for one with a line
such as `<!-- generated: operations -->`.  `as_rst(lines)` turns a docstring into what autodoc can read.
"""

from __future__ import annotations

import ast
import html
import inspect
import re
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

from jacobians import ops
from jacobians.operation import OPERATIONS, Operation

ROOT = Path(inspect.getfile(ops)).parents[1]
FIGURES = Path(__file__).parent / "figures"
LAYERING = Path(__file__).parents[1] / "tests" / "test_layering.py"
DERIVED = "[](../derivations/{}.md)"
FAMILIES = {
    "multilinear": ("Each is an einsum: its local Jacobian is derived once for all.", ["multilinear"]),
    "pointwise": ("Entry by entry: a delta for each axis, and one factor.", ["pointwise"]),
    "index map": ("Entries are moved, not computed.", ["index-maps"]),
    "written out": ("A few Terms for each.", ["reductions", "softmax"]),
    "matrix": ("Functions of matrices; leading axes are a batch.", ["matrices", "factorizations"]),
    "no derivative": ("Whole numbers and truths: their derivative is zero.", []),
}


# ---- operations


def operations_page() -> str:
    """All operations by family, as Markdown: documentation, local Jacobian, kink, numpy's names."""
    known = sorted(OPERATIONS.values(), key=lambda op: (_rank(op.family), op.name))
    parts = [f"There are {len(known)} operations."]
    for family, members in groupby(known, key=lambda op: op.family):
        about, pages = FAMILIES.get(family, ("", []))
        derived = " Derived in " + " and ".join(DERIVED.format(page) for page in pages) + "." if pages else ""
        parts += [f"## {family.capitalize()}", about + derived]
        parts += [_entry(op) for op in members]
    return "\n\n".join(parts)


def identities_page() -> str:
    """Every shipped identity by section, as Markdown tables; known errors with what is right."""
    from jacobians.identities import library

    sections: dict[tuple[str, str], list[str]] = {}
    for one in library():
        sign = "is" if one.truth == "true" else "is **not**"
        by = ", ".join(one.wrt)
        note = f" {_escaped(one.note)}." if one.note else ""
        cells = (
            f"`{one.id}`",
            f"`{one.func}`",
            f"`{by}`",
            f"{sign} `{one.claim}`{note}",
            one.layout,
            _escaped(one.ref),
        )
        sections.setdefault((one.section, one.source), []).append(
            "| " + " | ".join(_cell(c) for c in cells) + " |"
        )
    head = "| id | function | by | derivative | layout | reference |\n|---|---|---|---|---|---|\n"
    parts = [f"There are {len(library())} identities."]
    parts += [
        f"## {title}\n\n{source}\n\n{head}" + "\n".join(rows) for (title, source), rows in sections.items()
    ]
    return "\n\n".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _rank(family: str) -> tuple[int, str]:
    return (list(FAMILIES).index(family) if family in FAMILIES else len(FAMILIES), family)


def _entry(op: Operation) -> str:
    facts = [
        ("Local Jacobian", op.formula and f"`{op.formula}`"),
        ("Kink", op.kink and _escaped(op.kink)),
        ("By", ", ".join(f"`{name}`" for name in op.arguments)),
        ("numpy", ", ".join(f"`{_called(name)}`" for name in op.serves)),
    ]
    rows = "\n".join(f"- {label}: {text}" for label, text in facts if text)
    return f"### {op.name}\n\n{_markdown(op.doc)}\n\n{rows}"


def _called(name: str) -> str:
    return f"scipy.{name}" if name.startswith("special.") or name == "linalg.expm" else f"np.{name}"


def _markdown(doc: str) -> str:
    """A docstring as Markdown: code in backticks as it is, examples as blocks."""
    blocks = inspect.cleandoc(doc).split("\n\n")
    return "\n\n".join(f"```python\n{b}\n```" if b.startswith(">>>") else _escaped(b) for b in blocks)


def _escaped(text: str) -> str:
    """Markdown in which nothing but `code` is markup."""
    pieces = re.split(r"(`[^`]+`)", text)
    return "".join(p if k % 2 else re.sub(r"([\\*_<>\[\]#|])", r"\\\1", p) for k, p in enumerate(pieces))


# ---- modules


def modules() -> dict[str, str]:
    """Every module of the top level, a package counting as one, and the first sentence of its docstring."""
    found = {}
    for path in sorted(ROOT.iterdir()):
        source = path / "__init__.py" if path.is_dir() else path
        if source.suffix == ".py" and source.exists() and path.stem not in ("__init__", "__main__"):
            found[path.stem] = _first_sentence(ast.get_docstring(ast.parse(source.read_text("utf-8"))) or "")
    return found


def _first_sentence(doc: str) -> str:
    text = " ".join(doc.split("\n\n")[0].split())
    return re.split(r"(?<=\w)\.(?:\s|$)", text)[0].rstrip(".")


def _stated(name: str) -> Any:
    """A constant of the layering test, read without running it."""
    for node in ast.parse(LAYERING.read_text("utf-8")).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id == name:
            return ast.literal_eval(node.value)
    raise ValueError(f"{LAYERING.name} states no {name}")


def layers() -> list[list[str]]:
    """The module map: rows of names, each importing only from the rows above it and from its left."""
    rows = [row.split() for row in _stated("MAP").strip().splitlines()]
    return [[name for name in row if not name.startswith("__")] for row in rows]


def late_imports() -> str:
    """A table of the imports that point the other way, and why."""
    rows = [f"| `{name}` | `{used}` | {_escaped(why)} |" for (name, used), why in _stated("LATE").items()]
    return "\n".join(["| module | imports late | for |", "|---|---|---|", *rows])


def module_map() -> str:
    """A table of the modules, in reading order."""
    about = modules()
    rows = [f"| {k} | `{name}` | {_escaped(about[name])} |" for k, row in enumerate(layers()) for name in row]
    return "\n".join(["| row | module | what it is |", "|---|---|---|", *rows])


def module_figure() -> str:
    """The rows as a picture, the lowest layer first."""
    packages = {name for name in modules() if (ROOT / name).is_dir()}
    lines, y = [], 0
    for k, row in enumerate(layers()):
        x = 36
        lines.append(f'<text x="8" y="{y + 20}" class="number">{k}</text>')
        for name in row:
            label = name + ("/" if name in packages else "")
            width = 8 * len(label) + 16
            if x + width > 720:
                x, y = 36, y + 32
            lines.append(f'<rect x="{x}" y="{y + 2}" width="{width}" height="26" rx="4"/>')
            lines.append(f'<text x="{x + width / 2}" y="{y + 20}" class="name">{html.escape(label)}</text>')
            x += width + 8
        y += 40
    return _svg("\n".join(lines), 728, y, "The modules by layer: each imports only from what stands above")


def _scrolling(svg: str) -> str:
    """A figure that keeps its size on a narrow screen, where it can be moved sideways."""
    return f'<div class="scroll">\n{svg}\n</div>'


def _svg(body: str, width: int, height: int, title: str) -> str:
    head = f'<svg class="figure" viewBox="0 0 {width} {height}" role="img" aria-label="{html.escape(title)}"'
    return _scrolling(f'{head} xmlns="http://www.w3.org/2000/svg">\n{body}\n</svg>')


# ---- docstrings


def as_rst(lines: list[str]) -> list[str]:
    """A docstring as reStructuredText in which nothing but `code` and examples is markup.

    >>> as_rst(["`J @ K` composes x*_y."])
    ['``J @ K`` composes x\\\\*\\\\_y.']
    """
    made: list[str] = []
    inside = False
    for line in lines:
        if line.lstrip().startswith(">>>"):
            inside = True
        elif not line.strip():
            inside = False
        if inside:
            made.append(line)
            continue
        pieces = re.split(r"(`[^`]+`)", line)
        made.append(
            "".join(f"`{p}`" if k % 2 else re.sub(r"([\\*_|`])", r"\\\1", p) for k, p in enumerate(pieces))
        )
    return made


# ---- Sphinx

PARTS: dict[str, Callable[[], str]] = {
    "operations": operations_page,
    "identities": identities_page,
    "modules": module_map,
    "late-imports": late_imports,
    "module-figure": module_figure,
}


def filled(text: str) -> str:
    """A page's text with every `<!-- generated: name -->` replaced by what it asks for.

    A figure in a file, `<!-- figure: deltas.svg -->`, is put in line, so that it takes the page's colours.
    """
    text = re.sub(r"<!-- generated: (\S+) -->", lambda m: PARTS[m[1]](), text)
    return re.sub(r"<!-- figure: (\S+) -->", lambda m: _scrolling((FIGURES / m[1]).read_text("utf-8")), text)


def setup(app: Any) -> dict[str, bool]:
    """Sphinx calls this: pages are filled when read, docstrings translated."""

    def read(app: Any, name: str, source: list[str]) -> None:
        source[0] = filled(source[0])

    def docstring(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
        lines[:] = as_rst(lines)

    app.connect("source-read", read)
    app.connect("autodoc-process-docstring", docstring)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
