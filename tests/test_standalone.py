"""Printed programs: every operation's program runs alone and agrees, or is refused by name."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import functions
from jacobians.errors import UnsupportedError
from tests.op_cases import CASES

# operations whose value or derivative is no short numpy expression
UNWRITTEN = {
    "product_derivative", "significant", "gaps", "vander", "interval", "sinc_derivative", "gelu", "erf",
    "erfc", "expm",
    "matrix_rank", "normal_cdf", "reciprocal_full_rank", "det",
}  # fmt: skip


def leaves(value):
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in leaves(part)]
    return [leaf for part in value for leaf in leaves(part)] if isinstance(value, (list, tuple)) else [value]


def program(case, arrays):
    """The program, or None for what is refused by a name that is known to be."""
    try:
        return jac.source(case.call)(*arrays)
    except UnsupportedError as error:
        refused = str(error).split()[0]
    assert refused in UNWRITTEN
    return None


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.label)
def test_the_program_of_an_operation_runs_alone(case):
    arrays = case.arrays()
    if not all(isinstance(a, np.ndarray) and a.dtype.kind == "f" for a in arrays):
        pytest.skip("a program's arguments are arrays")
    if case.label == "getitem-traced-integer":
        pytest.skip("an index that is computed from the argument is no array of the program")
    text = program(case, arrays)
    if text is None:
        return
    assert "jacobians" not in text
    assert [line for line in text.splitlines() if line.startswith(("import", "from"))] == [
        "import numpy as np"
    ]
    namespace: dict = {}
    exec(compile(text, "<program>", "exec"), namespace)
    function = [value for value in namespace.values() if inspect.isfunction(value)][-1]
    if case.name == "det" and case.id:
        return  # the printed cofactors are those of an invertible matrix
    found = function(*arrays)
    wanted = [np.asarray(J) for J in leaves(jac.jacobian(case.call)(*arrays))]
    for got, want in zip(found[len(found) - len(wanted) :], wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp"])
def test_printed_exponentials_do_not_overflow(name: str) -> None:
    f = getattr(functions, name)
    large = np.array([[1000.0, 1001.0, -5.0], [-2000.0, 3.0, 2.0]])
    program: dict[str, Any] = {}
    exec(jac.source(lambda x: f(x, axis=1))(large), program)
    value, found = program["f"](large)
    assert np.allclose(value, f(large, axis=1))
    assert np.allclose(found, np.asarray(jac.jacobian(lambda x: f(x, axis=1))(large)))
