"""Text that is read is traced like any numpy function: same values, and Jacobians by the text's own names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians.errors import UnsupportedError
from jacobians.reading import parse, read

RNG = np.random.default_rng(2)
VALUES: dict[str, Any] = {
    "A": RNG.normal(size=(3, 4)),
    "B": RNG.normal(size=(3, 4)),
    "S": RNG.normal(size=(3, 3)) + 4 * np.eye(3),
    "x": RNG.normal(size=4),
    "b": RNG.normal(size=3),
}
# every text is analytic in its first name, so that a complex step is exact
TEXTS = [
    ("numpy", "z = A @ x + b; f = tanh(z)"),
    ("numpy", "z = A @ x + b; f = tanh(z); 0.5*sum((f - b)**2)"),
    ("numpy", "x[0]**2*x[1] + x[0]*x[1]**3"),
    ("numpy", "np.array([[x[0]*x[1], 1.0], [np.sin(x[2]), x[3]**2]])"),
    ("numpy", "np.array([[sum(A[i, j]*B[k, j] for j in range(4)) for k in range(3)] for i in range(3)])"),
    ("numpy", "g = lambda t: t**2 + 1; np.concatenate([g(x)[1:], x[:2]])"),
    ("numpy", "np.einsum('ij,kj->ik', A, B) @ np.linalg.inv(S)"),
    ("numpy", "np.linalg.solve(S, b)"),
    ("numpy", "np.kron(A, B).reshape(-1, order='F')[::7]"),
    ("numpy", "x if len(x) > 3 else 2*x"),
    ("numpy", "softmax(x)"),
    ("matrixcalculus", "A*x + S*b"),
    ("matrixcalculus", "b'*A*x*b'"),
    ("matrixcalculus", "log(vector(1) + exp(A*x))"),
    ("matrixcalculus", "tr(A*B') + sum((A.*B).^2)"),
    ("matrixcalculus", "inv(S + 2*eye)*b"),
]


@pytest.mark.parametrize(("syntax", "text"), TEXTS)
def test_jacobian_of_text(syntax: str, text: str) -> None:
    names = parse(text, syntax).names
    arrays = {name: VALUES[name] for name in names}
    f = read(text, syntax=syntax, **{name: value.shape for name, value in arrays.items()})
    value, found = jac.value_and_jacobian(f, wrt=names[0])(*arrays.values())
    assert np.allclose(value, f(**arrays))
    dense = np.asarray(found)
    assert dense.shape == np.shape(value) + arrays[names[0]].shape
    assert np.allclose(dense, complex_step(f, arrays, names[0]), rtol=1e-8, atol=1e-10)


def complex_step(f: Any, arrays: dict[str, Any], name: str) -> Any:
    """The Jacobian of f by `name`, entry by entry; target axes first."""
    columns = []
    for place in np.ndindex(arrays[name].shape):
        moved = arrays[name].astype(complex)
        moved[place] += 1e-30j
        if f.text == "softmax(x)":  # written out, so that the step stays complex
            columns.append((np.exp(moved) / np.exp(moved).sum()).imag / 1e-30)
        else:
            columns.append(np.asarray(f(**{**arrays, name: moved})).imag / 1e-30)
    stacked = np.stack(columns, axis=-1)
    return stacked.reshape(stacked.shape[:-1] + arrays[name].shape)


def test_what_cannot_be_traced_keeps_its_error_and_gets_a_place() -> None:
    with pytest.raises(UnsupportedError) as caught:
        jac.jacobian(read("x if x[0] > 0 and x[1] > 0 else -x", x="4"), wrt="x")(VALUES["x"])
    assert "np.where" in caught.value.instead
