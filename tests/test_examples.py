"""Every program in examples/ runs on its own, is short, and says something."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
LECTURE = {
    "bayes_cartons": ["p(banana)    = 3/5", "p(c1|banana) = 1/3"],
    "densities": ["1.000000000000"],
    "gradient_descent": ["Hessian eigenvalues [-4.  2.]"],
    "matrix_derivatives": ["4 x (4 x 3)", "dA/dx: (4, 2, 3)"],
    "maximum_likelihood": ["off by 7.3515", "a = 0.500", "a = 0.00249"],
    "multi_layer_network": ["1 x (4 x 3)"],
    "multivariate_rules": ["dL/dx (3,)"],
    "polynomial_fit": ["least squares"],
    "scalar_rules": ["(6)(-2) = -12"],
    "single_layer_network": ["too many subscripts", "all three right"],
    "vector_field": ["(2 x 4)(4 x 3) = 2 x 3"],
}


def test_every_part_of_the_lecture_has_its_program() -> None:
    assert set(LECTURE) <= {path.stem for path in EXAMPLES.glob("*.py")}


@pytest.mark.parametrize("name", LECTURE)
def test_a_program_runs_and_its_assertions_hold(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    printed = capsys.readouterr().out
    for words in LECTURE[name]:
        assert words in printed
    assert max(map(len, printed.splitlines())) <= 120


@pytest.mark.parametrize("name", LECTURE)
def test_a_program_is_short_and_asserts_its_claims(name: str) -> None:
    text = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 60
    assert "\nassert " in text
    assert f"python examples/{name}.py" in text
