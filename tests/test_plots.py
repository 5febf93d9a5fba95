"""The matplotlib pictures: what they draw, how axes are named, and that nothing is materialized."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians.errors import MissingExtraError, UnknownNameError, UnsupportedError

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def layer(A: Any, x: Any, b: Any) -> Any:
    z = A @ x + b
    f = np.tanh(z)
    return f


A, X, B = np.arange(12.0).reshape(3, 4) / 12, np.arange(1.0, 5.0), np.ones(3)


def layer_jacobian() -> Any:
    return jac.jacobian(layer, wrt="A")(A, X, B)


def test_structure_shows_the_blocks_of_a_small_jacobian() -> None:
    J = layer_jacobian()
    ax = J.plot()
    (image,) = ax.get_images()
    expected = np.asarray(J).reshape(3, 12) != 0
    assert expected.sum() == 12
    assert np.array_equal(image.get_array() > 0, expected)
    assert not np.array_equal(image.get_array() > 0, expected[::-1])
    assert ax.get_ylabel() == "layer, i: 3"
    assert ax.get_xlabel() == "A, m n: 3 × 4"
    assert "12 of 36 entries can be nonzero" in ax.get_title()
    assert "3 × (3 × 4)" in ax.get_title()


def test_structure_draws_into_the_axes_given() -> None:
    _, ax = plt.subplots()
    assert jac.plots.structure(layer_jacobian(), ax=ax) is ax
    ax.figure.canvas.draw()


def test_structure_of_a_huge_jacobian_materializes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    J = jac.jacobian(lambda A, x: A @ x, wrt="A")(np.broadcast_to(np.ones(1), (10**4, 10**4)), np.ones(10**4))
    monkeypatch.setattr("jacobians.derivative.write", None)
    ax = J.plot()
    shown = ax.get_images()[0].get_array()
    assert max(shown.shape) <= jac.plots.PIXELS
    rows, columns = np.nonzero(shown)
    assert np.abs(rows / shown.shape[0] - columns / shown.shape[1]).max() < 0.02  # block diagonal
    assert ax.get_xlim()[1] == 10**8 - 0.5
    assert "100,000,000 of 1,000,000,000,000" in ax.get_title()


def test_structure_knows_index_tables() -> None:
    J = jac.jacobian(np.sort)(np.array([3.0, 1.0, 2.0]))
    shown = J.plot().get_images()[0].get_array() > 0
    assert np.array_equal(shown, np.asarray(J) != 0)


def test_structure_needs_numbers_for_sizes() -> None:
    symbolic = jac.show("z = A @ x", wrt="A", A="M,N", x="N").jacobian
    with pytest.raises(UnsupportedError) as caught:
        symbolic.plot()
    assert "M × (M × N)" in str(caught.value)
    assert "numbers" in str(caught.value)


def test_graph_draws_every_named_value_with_its_shape() -> None:
    g = jac.trace(layer)(A, X, B)
    ax = jac.plots.graph(g)
    texts = {text.get_text() for text in ax.texts if text.get_text()}
    assert texts == {"A\n3 × 4", "x\n4", "b\n3", "z\n3", "f\n3"}
    arrows = [text for text in ax.texts if not text.get_text()]
    assert len(arrows) == 4  # three into z, one into f
    assert ax.get_title() == "from A, x, b to f"
    ax.figure.canvas.draw()


def test_graph_places_values_to_the_right_of_what_they_are_made_from() -> None:
    g = jac.trace(layer)(A, X, B)
    ax = jac.plots.graph(g)
    place = {text.get_text().split("\n")[0]: text.get_position()[0] for text in ax.texts if text.get_text()}
    assert place["A"] < place["z"] < place["f"]
    assert place["A"] == place["x"] == place["b"]


def test_heatmap_shows_the_core_with_its_wiring() -> None:
    J = layer_jacobian()
    _, ax = plt.subplots()
    assert jac.plots.heatmap(J, ax=ax) is ax
    ((array, _),) = J.core()
    np.testing.assert_array_equal(ax.get_images()[0].get_array(), array)
    assert ax.get_title() == "core of ∂layer/∂A: wiring (i | i n)"
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("i", "n")
    ax.figure.canvas.draw()


def test_heatmap_of_one_term_of_several() -> None:
    J = jac.jacobian(lambda x: np.outer(x, x))(X)
    assert len(J.terms.terms) == 2
    titles = [jac.plots.heatmap(J, term=k).get_title() for k in range(2)]
    assert "term 1 of 2" in titles[0]
    assert "term 2 of 2" in titles[1]
    assert titles[0] != titles[1]


def test_heatmap_flattens_and_takes_vectors_and_numbers() -> None:
    vector = jac.jacobian(lambda A, x: A @ x, wrt="A")(A, X)
    assert jac.plots.heatmap(vector).get_images()[0].get_array().shape == (1, 4)
    number = jac.jacobian(np.sin)(1.0)
    assert jac.plots.heatmap(number).get_images()[0].get_array().shape == (1, 1)


def test_heatmap_refuses_a_term_that_is_not_there() -> None:
    with pytest.raises(UnknownNameError, match="there is no term 1"):
        jac.plots.heatmap(layer_jacobian(), term=1)


def test_plots_without_matplotlib_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    for draw in (jac.plots.structure, jac.plots.heatmap):
        with pytest.raises(MissingExtraError) as caught:
            draw(layer_jacobian())
        assert "jacobians[plot]" in str(caught.value)
    with pytest.raises(MissingExtraError):
        jac.plots.graph(jac.trace(layer)(A, X, B))
