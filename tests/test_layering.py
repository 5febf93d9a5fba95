"""The module map as data: modules import only what stands above them and are small; importing is cheap."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import jacobians

ROOT = Path(jacobians.__file__).parent
LINES = 400
MILLISECONDS = 30.0  # that `import jacobians` may cost over numpy and opt_einsum
EXTRAS = {
    "rich",
    "matplotlib",
    "scipy",
    "cotengra",
    "torch",
    "jax",
    "dask",
    "sphinx",
    "IPython",
    "hypothesis",
}

# A module (or package) imports those of the rows above it and those further left in its own row.
MAP = """
errors explanations pages budget containers
axes expr layouts
wiring collapsing meeting terms spelling
operation presentation
contraction ops
serving tracing graph orders notation reading
plan recycling threads overwriting counting codegen readable traces dense factoring simplify scalars batching
vertex_orders writing toeplitz arguments
picking derivative prepared expression inline sparse backends results frozen verbs
steps standalone symbolic functions slides cost_table chain_costs costing shapetables
checking identities derivations questions report plots bench
commands lecture cli __init__ __main__
"""
LAYERS = [row.split() for row in MAP.strip().splitlines()]
POSITION = {name: (row, column) for row, names in enumerate(LAYERS) for column, name in enumerate(names)}

LAST = (len(LAYERS), 0)  # a module that the map does not name yet

# Imports inside functions that point the other way: (module, what it imports late), and why.
LATE: dict[tuple[str, str], str] = {
    ("derivative", "backends"): "J.jvp and J.core on torch and jax arrays; an extra",
    ("presentation", "counting"): "J.cost()",
    ("presentation", "derivations"): "J.chain()",
    ("presentation", "notation"): "J.einsum(), J.index_form(), J.matrix_form(), J.latex()",
    ("presentation", "plots"): "J.plot(); an extra",
    ("presentation", "questions"): "J.check(claim), J.orders()",
    ("presentation", "report"): "J.report(path), _repr_html_",
    ("presentation", "shapetables"): "J.layouts()",
    ("presentation", "sparse"): "J.to_scipy(); an extra",
    ("presentation", "verbs"): "the repr of a Hessian: what it is the derivative of",
    ("ops", "steps"): "jac.ops.tanh(z) is a step over the operation",
    ("derivations", "report"): "_repr_html_ of a derivation",
    ("standalone", "slides"): "a program in the style of the slides",
    ("frozen", "verbs"): "results mirror the arguments as those of plain calls do",
    ("backends", "verbs"): "the derivative is traced on the shapes of the other library's arrays",
}
VERSION = {"cli", "report"}  # read the version, which stands in the package itself


def unit(dotted: str) -> str:
    """The module or package of the map that a dotted name inside `jacobians` belongs to."""
    return dotted.split(".")[0] if dotted else "__init__"


def modules() -> dict[str, Path]:
    """Every module by its dotted name inside the package."""
    found = {}
    for path in ROOT.rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(dotted: str, text: str, package: bool) -> Iterator[tuple[str, bool]]:
    """What a module imports from `jacobians` (as dotted names), and whether inside a function."""
    stack: list[tuple[ast.AST, bool]] = [(ast.parse(text), False)]
    while stack:
        node, late = stack.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "jacobians":
                    yield alias.name.removeprefix("jacobians").lstrip("."), late
        if isinstance(node, ast.ImportFrom):
            source = _source(dotted, node, package)
            for alias in node.names if source is not None else ():
                whole = f"{source}.{alias.name}".strip(".")
                yield (whole if whole in MODULES else source or ""), late
        inside = late or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if isinstance(node, ast.stmt | ast.mod | ast.excepthandler | ast.match_case):
            stack += [(child, inside) for child in ast.iter_child_nodes(node)]


def _source(dotted: str, node: ast.ImportFrom, package: bool) -> str | None:
    if node.level == 0:
        first, _, rest = (node.module or "").partition(".")
        return rest if first == "jacobians" else None
    here = [] if dotted == "__init__" else dotted.split(".")
    here = here if package else here[:-1]
    here = here[: len(here) - (node.level - 1)]
    return ".".join([*here, *([node.module] if node.module else [])])


def upward() -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Imports that do not point to what stands above: at the top of modules, and inside functions."""
    top: set[tuple[str, str]] = set()
    late: set[tuple[str, str]] = set()
    for dotted, path in MODULES.items():
        mine = unit(dotted)
        for target, inside in imports(dotted, path.read_text(), path.name == "__init__.py"):
            theirs = unit(target)
            if theirs == mine or (theirs == "__init__" and mine in VERSION):
                continue
            if POSITION.get(theirs, LAST) >= POSITION.get(mine, LAST):
                (late if inside else top).add((mine, theirs))
    return top, late


def test_every_module_has_its_place() -> None:
    units = {unit(dotted) for dotted in MODULES}
    assert units - set(POSITION) == set(), "modules that the map does not name"
    assert set(POSITION) - units == set(), "names in the map that are no modules"
    assert len(POSITION) == sum(map(len, LAYERS)), "a name stands twice"


def test_modules_import_only_what_stands_above_them() -> None:
    top, late = upward()
    assert top == set(), "imports that point down the map"
    assert late - set(LATE) == set(), "late imports that are not listed"
    assert set(LATE) - late == set(), "listed late imports that are gone"


def test_the_check_sees_every_form_of_import() -> None:
    """The control: each way to import the verbs from inside the package is found, late or not."""
    for text in (
        "from .verbs import jacobian",
        "from . import verbs",
        "import jacobians.verbs",
        "from jacobians.verbs import hessian",
        "from jacobians import verbs",
    ):
        assert list(imports("axes", text, False)) == [("verbs", False)], text
    assert list(imports("ops.pointwise", "def f():\n    from ..verbs import hessian", False)) == [
        ("verbs", True)
    ]
    assert list(imports("ops", "from ..verbs import hessian", True)) == [("verbs", False)]
    assert list(imports("axes", "if TYPE_CHECKING:\n    from .verbs import hessian", False)) == []
    assert list(imports("axes", "import numpy as np\nfrom numpy import linalg", False)) == []
    assert POSITION["verbs"] > POSITION["axes"]


@pytest.mark.parametrize("dotted", sorted(MODULES))
def test_modules_are_small_and_say_what_they_are_for(dotted: str) -> None:
    text = MODULES[dotted].read_text()
    lines = text.count("\n")
    assert lines <= LINES, f"{lines} lines"
    assert ast.get_docstring(ast.parse(text)), "no module docstring"


def _run(code: str, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout.strip()


def test_importing_loads_no_extra() -> None:
    loaded = set(_run("import sys, jacobians; print(*{name.split('.')[0] for name in sys.modules})").split())
    assert "numpy" in loaded
    assert loaded & EXTRAS == set()


def test_importing_loads_no_use_of_the_engine() -> None:
    """Checking, benchmarks, reports and plots are loaded when first used."""
    loaded = _run(
        "import sys, jacobians; print(*(n for n in sys.modules if n.startswith('jacobians.')))"
    ).split()
    assert {unit(name.removeprefix("jacobians.")) for name in loaded} & {
        "checking",
        "bench",
        "report",
        "plots",
        "lecture",
        "cli",
    } == set()


@pytest.mark.parametrize(
    "code",
    [
        "J = F(A, x, b); [np.asarray(J[k]) for k in 'Axb']",
        "[J.materialize() for J in F.compile(A, x, b)(A, x, b).values()]",
        "F.compile(A, x, b, dense=True)(A, x, b)",
    ],
)
def test_a_first_result_loads_no_words_about_it(code: str) -> None:
    """Notation, tables of shapes and the readers of text take longer to load than the result to compute."""
    loaded = _run(
        "import sys, numpy as np, jacobians as jac; A, x, b = np.ones((3, 2)), np.ones(2), np.ones(3);"
        f"F = jac.jacobian(lambda A, x, b: np.tanh(A @ x + b)); {code};"
        "print(*(n for n in sys.modules if n.startswith('jacobians.')), *sys.modules)"
    ).split()
    words = {"notation", "reading", "shapetables", "layouts", "explanations", "costing", "orders"}
    assert {unit(name.removeprefix("jacobians.")) for name in loaded} & words == set()
    assert "opt_einsum" not in loaded  # it plans contractions, and there is none to plan


def test_importing_is_cheap(tmp_path: Path) -> None:
    """Seconds of the process on byte code, the least of many runs: other load only adds to them."""
    code = (
        "import time, numpy, opt_einsum; start = time.process_time(); import jacobians;"
        "print(1000 * (time.process_time() - start))"
    )
    compiled = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path)}
    compiled.pop("PYTHONDONTWRITEBYTECODE", None)
    _run(code, compiled)  # the first run writes the byte code
    spent: list[float] = []
    while len(spent) < 40 and min(spent, default=1e9) > MILLISECONDS:
        spent.append(float(_run(code, compiled)))
    assert min(spent) <= MILLISECONDS, f"milliseconds over numpy and opt_einsum: {sorted(spent)}"
