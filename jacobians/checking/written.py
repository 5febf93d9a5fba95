"""The right formula in the engine's words: `engine_formula(case)`.

The matrix form as numpy text where there is one (held against the truth before it is shown), with the
correction for tied entries; the sum over replaced occurrences for the differential of a product; else the
index form of the derivative.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ..derivative import Jacobian
from ..layouts import LAYOUTS
from ..verbs import hessian, jacobian
from .case import Case
from .pieces import HOLE, occurrences

SHOWN = 24  # entries of an array that are shown in place of a formula
_TIES: Mapping[str, str] = {
    "symmetric": "G + G.T - np.diag(np.diag(G))",
    "diagonal": "np.diag(np.diag(G))",
    "lower": "np.tril(G)",
    "upper": "np.triu(G)",
    "antisymmetric": "G - G.T",
    "toeplitz": "np.array([[np.trace(G, offset=j - i) for j in range(G.shape[1])] "
    "for i in range(G.shape[0])])",
    "symtoeplitz": "np.array([[np.trace(G, offset=j - i) + (np.trace(G, offset=i - j) if i != j else 0) "
    "for j in range(G.shape[1])] for i in range(G.shape[0])])",
}


def engine_formula(case: Case) -> str:
    """A right formula for the layout of the case, or "" where none can be written."""
    problem = case.problem
    if not problem.order:
        return ""
    if problem.function.program is None:
        return _of_callable(case)
    try:
        if problem.layout == "differential":
            return _differential(case)
        found = _traced(case)
        structure = problem.input(problem.wrt[0]).structure
        if structure:
            return _tied(case, found, structure)
        text = _matrix_text(case, found)
        return text or _index_text(found)
    except Exception:  # notation is a service: a formula that cannot be written is left out
        return ""


def _of_callable(case: Case) -> str:
    """The index form of a Python function's derivative where it can be traced, else its values."""
    try:
        return _index_text(_traced(case))
    except Exception:  # notation is a service
        given = all(entry.value is not None for entry in case.problem.inputs)
        small = case.expected[0].size <= SHOWN
        return str((np.round(case.expected[0], 6) + 0.0).tolist()) if given and small else ""


def _traced(case: Case) -> Jacobian:
    """The derivative with all inputs traced, so that they keep their names."""
    problem, point = case.problem, case.samples[0].point
    names = [entry.name for entry in problem.inputs]

    def f(*args: object) -> object:
        return problem.function.run({**point, **dict(zip(names, args, strict=True))})

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    f.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in names])  # type: ignore[attr-defined]
    slots = problem.slots
    derive = jacobian(f, slots[0]) if len(slots) == 1 else hessian(f, (slots[0], slots[1]))
    found = (jacobian(derive, slots[2]) if len(slots) == 3 else derive)(*(point[name] for name in names))
    assert isinstance(found, Jacobian)
    return found


def _index_text(found: Jacobian) -> str:
    """The index form, and what the letters in it stand for that are no inputs."""
    from ..notation.index import where_lines
    from ..notation.records import names

    where = where_lines(names(found.view()))
    return found.index_form() + (f" where {', '.join(where)}" if where else "")


def _forms(case: Case, found: Jacobian, layout: str) -> list[str]:
    from ..notation.matrix import matrix_form

    form = matrix_form(found.view().whole.terms, layout)
    if form is None:
        return []
    named = {size: name for name, size in reversed([*case.samples[0].sizes.items()])}
    general = re.sub(
        r"(np\.(?:eye|ones)\()(\d+)\)", lambda m: f"{m[1]}{named.get(int(m[2]), m[2])})", form.numpy
    )
    return list(dict.fromkeys([form.numpy, general]))


def _matrix_text(case: Case, found: Jacobian) -> str:
    layout = case.layout if case.layout in LAYOUTS else "tensor"
    for text in _forms(case, found, layout):
        for shaped in (text, f"np.reshape({text}, {case.expected[0].shape})"):
            if case.repaired(shaped):
                return shaped
    return ""


def _tied(case: Case, found: Jacobian, structure: str) -> str:
    """`G = ...; G + G.T - np.diag(np.diag(G))`, or the right end of it with G in index form."""
    for text in _forms(case, found, "gradient" if case.layout == "gradient" else "tensor"):
        whole = f"G = {text}; {_TIES[structure]}"
        if case.repaired(whole):
            return whole
    return f"{_TIES[structure]} where G[i, j] is {_index_text(found)}"


def _differential(case: Case) -> str:
    """The function with one occurrence after another replaced by the direction, where that is right."""
    problem = case.problem
    if len(problem.wrt) == 1 and problem.order == 1:
        assert problem.function.program is not None
        name = problem.wrt[0]
        texts = [text.replace(HOLE, "d" + name) for text in occurrences(problem.function.program, name)]
        whole = " + ".join(texts)
        if "; " not in whole and case.repaired(whole):
            return whole
        free = replace(case, problem=replace(problem, layout="tensor"))
        return f"the sum over the axes of {name} of d{name} times {_index_text(_traced(free))}"
    return ""
