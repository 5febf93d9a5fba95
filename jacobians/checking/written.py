"""The right formula in the engine's words: `engine_formula(case)`.

The matrix form as numpy text where there is one (held against the truth before it is shown), else the index
form of the derivative.
"""

from __future__ import annotations

import inspect

from ..derivative import Jacobian
from ..verbs import jacobian
from .case import Case


def engine_formula(case: Case) -> str:
    """A right formula for the layout of the case, or "" where none can be written."""
    problem = case.problem
    if problem.order != 1 or len(problem.wrt) != 1 or problem.layout == "differential":
        return ""
    if problem.input(problem.wrt[0]).structure or problem.function.program is None:
        return ""
    try:
        found = _traced(case)
        text = _matrix_text(case, found)
        return text or f"{_axes(case, found)}{found.index_form()}"
    except Exception:  # notation is a service: a formula that cannot be written is left out
        return ""


def _traced(case: Case) -> Jacobian:
    problem, point = case.problem, case.samples[0].point
    names = [entry.name for entry in problem.inputs]

    def f(*args: object) -> object:
        return problem.function.run({**point, **dict(zip(names, args, strict=True))})

    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    f.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in names])  # type: ignore[attr-defined]
    found = jacobian(f, problem.wrt[0])(*(point[name] for name in names))
    assert isinstance(found, Jacobian)
    return found


def _matrix_text(case: Case, found: Jacobian) -> str:
    from ..notation.matrix import matrix_form

    layout = "tensor" if case.layout not in ("tensor", "numerator", "denominator", "gradient", "vec", "vec-row") else case.layout
    form = matrix_form(found.view().whole.terms, layout)
    if form is None:
        return ""
    for text in (form.numpy, f"np.reshape({form.numpy}, {case.expected[0].shape})"):
        if case.repaired(text):
            return text
    return ""


def _axes(case: Case, found: Jacobian) -> str:
    return ""
