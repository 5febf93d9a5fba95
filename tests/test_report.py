"""The report page and the notebook fragments: what they say, how they are made, and what they never do."""

from __future__ import annotations

import html
import re
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import jacobians as jac
from jacobians import plan
from jacobians.cli import main
from jacobians.derivations import Derivation
from jacobians.errors import JacobiansError
from jacobians.report.code import highlighted
from jacobians.report.costs import counted, logarithms
from jacobians.report.graphs import graph_picture
from jacobians.report.mathematics import chain, entry, title
from jacobians.report.page import report_page, write_whole
from jacobians.report.pictures import block_picture, structure_picture
from jacobians.report.raster import cells_of, raster
from jacobians.report.subject import source_of, subject_of

NETWORK = "z = A @ x + b; f = tanh(z); L = 0.5*sum((f - y)**2)"
SHAPES = {"A": "M,N", "x": "N", "b": "M", "y": "M"}
VOID = {"meta", "br", "mspace", "rect", "path"}


def network(**sizes: int) -> Derivation:
    return jac.show(NETWORK, wrt="A", **SHAPES, **sizes)


def layer(A: Any, x: Any, b: Any) -> Any:
    z = A @ x + b
    return np.tanh(z)


def layer_jacobian() -> Any:
    A = np.arange(12.0).reshape(3, 4) / 12
    return jac.jacobian(layer, wrt="A")(A, np.ones(4), np.zeros(3))


def stripped(page: str) -> str:
    """What is left without tags, style and head."""
    body = re.sub(r"<(style|title)\b.*?</\1>", " ", page, flags=re.S)
    return html.unescape(re.sub(r"<[^>]*>", "", body))


class Balance(HTMLParser):
    """Collects tags that are closed in the wrong order or never."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.ids += [str(known["id"])] if "id" in known else []
        self.links += [str(known["href"])] if "href" in known else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def balance(markup: str) -> Balance:
    found = Balance()
    found.feed(markup)
    found.close()
    return found


def check_markup(markup: str) -> None:
    found = balance(markup)
    assert (found.wrong, found.open) == ([], [])


def test_the_balance_check_finds_what_is_wrong() -> None:
    assert balance("<p><b>x</p></b>").wrong
    assert balance("<p><b>x</b>").open == ["p"]


# ---- the page


def test_the_page_says_every_shape_without_style() -> None:
    said = stripped(report_page(network(M=3, N=4)))
    for shape in (
        "M × (M × N)",
        "3 × (3 × 4)",
        "M × N",
        "3 × 12",
        "1 × 12",
        "4 × 3",
        "none, rank 3",
        "M×(M×N)",
    ):
        assert shape in said, shape
    for user in (
        "PyTorch",
        "Magnus & Neudecker",
        "numpy ravel",
        "Jacobian formulation",
        "Hessian formulation",
    ):
        assert user in said, user
    for recipe in ("J.transpose(0, 2, 1).reshape(3, 12)", "J.reshape(3, 12)", "J.transpose(1, 0)"):
        assert recipe in said, recipe
    assert 'np.einsum("i,ij,jmn->mn", dL_df, df_dz, dz_dA)' in said
    assert "(fm−ym)(1−fm2)xn" in said
    assert "((f−y)⊙(1−f2))xT" in said
    assert "12 of 36 entries can be nonzero" in said
    assert "dLdA = np.einsum(" in said  # the slides' program
    assert "def L(A, x, b, y):" in said


def test_the_page_needs_nothing_but_itself() -> None:
    page = report_page(network(M=3, N=4))
    assert "http" not in page
    for part in ("<script", "<link", "<img", "<iframe", "@import", "url(", "javascript:", "onclick"):
        assert part not in page, part
    assert page.count("<style>") == 1
    assert 'font-family:"STIX Two Math","Cambria Math"' in page
    assert len(page.encode()) < 100_000


def test_the_page_is_accessible_markup() -> None:
    page = report_page(network(M=3, N=4))
    check_markup(page)
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert "<title>∂L/∂A · (M × N)</title>" in page
    assert page.count("<h1>") == 1
    assert page.count("<h2 ") == 7
    found = balance(page)
    assert len(set(found.ids)) == len(found.ids)
    assert {link.removeprefix("#") for link in found.links} == set(found.ids)
    assert page.count("<table") == page.count("<caption>") == page.count("<thead>")
    assert page.count('role="img"') == page.count("<svg ") - page.count('aria-hidden="true"')
    assert page.count('role="img"') == len(re.findall(r'role="img"[^>]*><title>[^<]', page))


def test_the_same_input_gives_the_same_page() -> None:
    assert report_page(network(M=3, N=4)) == report_page(network(M=3, N=4))
    assert report_page(network(M=3, N=4)) != report_page(network(M=3, N=5))


def test_text_of_the_user_is_escaped() -> None:
    derivation = jac.show("z = where(x < 1, x, x*x)", wrt="x", x="N")
    page = report_page(derivation)
    check_markup(page)
    assert "where(x &lt; <span" in page


def test_symbolic_sizes_say_what_is_missing() -> None:
    page = stripped(report_page(network(M=3)))
    assert "Costs are counted for numbers: N has none yet. Add N=3." in page
    assert "A program is written for numbers" in page
    assert "Drawn at M = 3, N = 4." in page
    assert "have none yet" in stripped(report_page(network()))
    assert "none yet" not in stripped(report_page(network(M=3, N=4)))


def test_large_sizes_are_drawn_small() -> None:
    page = report_page(network(M=100, N=784))
    assert "Drawn at M = 3, N = 4." in stripped(page)
    assert "100 × (100 × 784)" in stripped(page)
    assert len(page.encode()) < 100_000


@pytest.mark.parametrize(
    ("text", "wrt", "shapes"),
    [
        ("f = sin(x)", "x", {"x": ""}),  # a scalar by a scalar
        ("z = A @ x; f = b * 2", "A", {"A": "3,4", "x": "4", "b": "3"}),  # no dependence at all
        (
            "h = tanh(W @ x); z = V @ h + x; p = softmax(z); L = -sum(y*log(p))",
            "x",
            {"x": "N", "W": "H,N", "V": "N,H", "y": "N"},
        ),
        ("C = A @ B; L = log(det(C))", "A", {"A": "3,4", "B": "4,3"}),
        ("Y = inv(X)", "X", {"X": "3,3"}),
        ("d = x[1:] - x[:-1]", "x", {"x": "6"}),
        ("y = sort(x)", "x", {"x": "5"}),
        ("f = x", "x", {"x": "3"}),
    ],
)
def test_every_derivation_has_a_page_and_a_fragment(text: str, wrt: str, shapes: dict[str, str]) -> None:
    derivation = jac.show(text, wrt=wrt, **shapes)
    page, fragment = report_page(derivation), derivation.html()
    check_markup(page)
    check_markup(fragment)
    assert derivation.shape in stripped(page)
    assert derivation.shape in stripped(fragment)
    assert len(fragment.encode()) <= 15_000


def test_eight_layers_stay_readable() -> None:
    steps = "; ".join(f"h{k + 1} = tanh(W @ h{k})" for k in range(8))
    page = report_page(jac.show(steps + "; L = sum(h8*h8)", wrt="W", W="N,N", h0="N", N=5))
    check_markup(page)
    assert "Path 6 of 8" in page
    assert "2 are not written out" in page
    assert len(page.encode()) < 250_000


# ---- Jacobians with numbers


def test_report_of_a_jacobian_writes_one_file(tmp_path: Path) -> None:
    place = tmp_path / "f.html"
    assert layer_jacobian().report(str(place)) == str(place)
    page = place.read_text("utf-8")
    check_markup(page)
    assert [file.name for file in tmp_path.iterdir()] == ["f.html"]
    said = stripped(page)
    assert "return np.tanh(z)" in said
    assert "∂layer/∂z" in said
    assert "held as factors56 B" in said
    assert "3 × (3 × 4)" in said


def test_jacobians_without_a_graph_have_a_page(tmp_path: Path) -> None:
    X = np.eye(3) + 0.1
    inverse = jac.jacobian(np.linalg.inv)(X)
    hessian = jac.hessian(lambda x: np.sum(np.tanh(x) ** 2), wrt="x")(np.ones(4))
    for k, J in enumerate((inverse, inverse @ inverse, hessian, inverse[0])):
        place = tmp_path / f"{k}.html"
        J.report(str(place))
        check_markup(place.read_text("utf-8"))


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "f.html"
    write_whole(str(place), "old")
    write_whole(str(place), "new")
    assert place.read_text() == "new"

    def fails(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fails)
    with pytest.raises(JacobiansError, match="cannot write"):
        write_whole(str(place), "half")
    assert place.read_text() == "new"
    assert [file.name for file in tmp_path.iterdir()] == ["f.html"]


def test_a_folder_that_is_not_there_is_an_error_in_three_parts(tmp_path: Path) -> None:
    with pytest.raises(JacobiansError) as caught:
        write_whole(str(tmp_path / "no" / "f.html"), "x")
    assert "cannot write" in caught.value.what
    assert "No such file" in caught.value.where
    assert "folder that exists" in caught.value.instead


# ---- fragments


def test_the_fragment_reads_without_style_and_script() -> None:
    for markup in (network(M=3, N=4).html(), layer_jacobian()._repr_html_()):
        check_markup(markup)
        for part in ("<script", "<style", "http", "<link"):
            assert part not in markup, part
        assert len(markup.encode()) <= 15_000
        assert "3 × (3 × 4)" in stripped(markup)
    said = stripped(network(M=3, N=4).html())
    assert "M×(M×N)" in said
    assert "1×(3×4)" in said
    assert "δ_im x_n" in said  # the shape table, last of all, was not left out


def test_the_fragment_of_a_jacobian_weighs_held_against_dense() -> None:
    said = stripped(layer_jacobian()._repr_html_())
    assert said.startswith("∂layer/∂A∈ℝ3×(3×4)")
    assert "δim(1−" in said
    assert "12 of 36 entries can be nonzero" in said
    assert "56 B" in said
    assert "288 B" in said


def test_a_repr_runs_no_function_and_computes_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def counted_layer(A: Any, x: Any) -> Any:
        calls.append(1)
        return np.tanh(A @ x)

    J = jac.jacobian(counted_layer, wrt="A")(np.ones((3, 4)), np.ones(4))
    before = len(calls)

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("a number was computed")

    for place in ("jacobians.plan.evaluate", "jacobians.derivative.evaluate", "jacobians.derivative.write"):
        monkeypatch.setattr(place, never)
    J._repr_html_()
    assert len(calls) == before
    with pytest.raises(AssertionError, match="a number was computed"):
        J.materialize()
    assert plan.evaluate is never


def best_of(repeats: int, act: Any) -> float:
    def once() -> float:
        start = time.perf_counter()
        act()
        return time.perf_counter() - start

    return min(once() for _ in range(repeats))


def huge() -> Any:
    A = np.broadcast_to(np.ones(1), (10**4, 10**4))
    return jac.jacobian(lambda A, x: A @ x, wrt="A")(A, np.ones(10**4))


def deep() -> Any:
    def f(x: Any) -> Any:
        for _ in range(300):
            x = np.tanh(x) + 0.01 * x * x
        return x

    return jac.jacobian(f)(np.ones(5))


@pytest.mark.parametrize("make", [huge, deep, lambda: jac.jacobian(lambda X: X @ X.T)(np.ones((40, 30)))])
def test_a_repr_takes_less_than_ten_milliseconds(make: Any) -> None:
    J = make()
    assert best_of(5, J._repr_html_) < 0.010
    assert best_of(5, lambda: repr(J)) < 0.010
    assert len(J._repr_html_().encode()) <= 15_000


def test_what_does_not_fit_into_a_fragment_is_said_to_be_elsewhere() -> None:
    steps = "; ".join(f"h{k + 1} = tanh(W @ h{k})" for k in range(16))
    markup = jac.show(steps + "; L = sum(h16*h16)", wrt="W", W="N,N", h0="N").html()
    check_markup(markup)
    assert len(markup.encode()) <= 15_000
    assert "the whole is in the report" in markup


# ---- parts


def test_letters_show_their_roles() -> None:
    view = network().views[0]
    made = chain(view)
    assert made.count("<munder>") == 4
    assert '<mi class="n">m</mi><mi class="n">n</mi>' in made
    assert '<mi class="s">j</mi><mi class="n">m</mi>' in made
    assert stripped(entry(view)) == "(∂L/∂A)mn= (fm−ym)(1−fm2)xn"
    assert stripped(title(view.whole, view)) == "∂L/∂A∈ℝM×N"


def test_blocks_have_one_rectangle_an_entry() -> None:
    drawn = block_picture(network(M=3, N=4).pictured)
    assert drawn is not None
    assert drawn.count("<rect") == 36
    hits = re.search(r'<g class="h"[^>]*>(.*?)</g>', drawn)
    assert hits is not None
    assert hits.group(1).count("<rect") == 4
    assert len(re.findall(r">x[₁₂₃₄]<", drawn)) == 12
    assert block_picture(network(M=3, N=4).pictured, most=35) is None
    assert block_picture(network().views[0].links[-1]) is None


def test_a_graph_has_a_box_for_each_value_and_a_curve_for_each_edge() -> None:
    edges = [("x", "z"), ("A", "z"), ("z", "f"), ("x", "f")]
    drawn = graph_picture(dict.fromkeys("xAzf", "3"), edges, {("x", "z"): "∂z/∂x", ("z", "f"): ""})
    assert drawn.count("<rect") == 4
    assert drawn.count("<path") == 4
    assert drawn.count('class="chain" d=') == 2
    assert "∂z/∂x" in drawn


@pytest.mark.parametrize(
    "source",
    ["x = 1  # one\nif x:\n    y = 'a < b'\n", "f = (", "a = 'é' * 2", "", "def f(x):\n  return x\n"],
)
def test_highlighting_changes_no_letter(source: str) -> None:
    assert stripped(highlighted(source)) == source


def test_the_source_of_a_function() -> None:
    assert source_of(jac.read("z = A @ x; f = tanh(z)", A="M,N", x="N")) == "z = A @ x\nf = tanh(z)"
    assert source_of(layer).startswith("def layer(")
    assert source_of(lambda x: x + 1) == "lambda x: x + 1"
    assert source_of(np.sin) == ""


def test_costs_are_those_of_the_chain() -> None:
    M, N = 3, 4
    subject = subject_of(network(M=M, N=N))
    assert subject.numeric is not None
    found = counted(subject.numeric(), "L", "A")
    reverse = next(row for row in found.brackets if row.name.startswith("reverse"))
    assert reverse.flop == (2 * M * M - M) + (2 * M - 1) * M * N  # (1 × M)(M × M), then by (M × MN)
    lazy = {row.name: row.flop for row in found.orders if row.mode == "lazy"}
    dense = {row.name: row.flop for row in found.orders if row.mode == "materialized"}
    assert set(lazy) == set(dense) == {"reverse", "forward", "markowitz"}
    assert all(lazy[name] < dense[name] for name in lazy)
    assert dense["reverse"] < dense["forward"]
    assert logarithms([1, 1000]) == [0.0, 1.0]


# ---- the raster


def reached(J: Any, rows: int, columns: int) -> np.ndarray:
    """Shares of nonzero entries, from the dense tensor at arrays without accidental zeros."""
    dense = np.asarray(J).reshape(int(np.prod(J.target_shape)), -1) != 0
    grid = np.zeros((rows, columns))
    area = np.zeros((rows, columns))
    for (i, j), hit in np.ndenumerate(dense):
        cell = i * rows // dense.shape[0], j * columns // dense.shape[1]
        grid[cell] += hit
        area[cell] += 1
    return grid / area


SAMPLE = np.linspace(0.3, 1.7, 42)
MAPS = {
    "product": lambda: jac.jacobian(lambda A, x: A @ x, wrt="A")(SAMPLE.reshape(6, 7), SAMPLE[:7]),
    "inverse": lambda: jac.jacobian(np.linalg.inv)(np.eye(4) + SAMPLE[:16].reshape(4, 4) / 10),
    "difference": lambda: jac.jacobian(lambda x: x[1:] - x[:-1])(SAMPLE),
    "flip": lambda: jac.jacobian(lambda x: x[::-1] * 2)(SAMPLE),
    "gather": lambda: jac.jacobian(lambda x: x[np.array([5, 0, 3])])(SAMPLE),
    "reshape": lambda: jac.jacobian(lambda A: A.reshape(-1))(SAMPLE.reshape(6, 7)),
    "sum": lambda: jac.jacobian(lambda A: A.sum(axis=0))(SAMPLE.reshape(6, 7)),
    "cumulative": lambda: jac.jacobian(lambda x: np.outer(x, x))(SAMPLE[:5]),
}


@pytest.mark.parametrize("name", MAPS)
def test_the_raster_is_the_share_of_nonzero_entries(name: str) -> None:
    J = MAPS[name]()
    grid = raster(J.bound(), 9, 11)
    assert grid is not None
    expected = reached(J, *grid.shape)
    if name in ("cumulative",):  # two Terms that overlap on a diagonal
        assert np.all(grid <= np.minimum(1, 1.5 * expected + 1e-12))
        assert np.array_equal(grid > 0, expected > 0)
    else:
        np.testing.assert_allclose(grid, expected, atol=1e-12)


def test_the_raster_finds_a_wrong_wiring() -> None:
    wrong = raster(MAPS["flip"]().bound(), 9, 11)
    right = raster(MAPS["gather"]().bound(), 9, 11)
    assert wrong is not None
    assert right is not None
    assert wrong.shape != right.shape or not np.allclose(wrong, right)


def test_the_raster_of_a_huge_tensor_counts_what_can_be_nonzero() -> None:
    J = huge()
    grid = raster(J.bound(), 20, 50)
    assert grid is not None
    total = grid.mean() * float(J.size)
    assert total == pytest.approx(float(J.nnz), rel=0.02)
    assert raster(network().jacobian.terms, 5, 5) is None
    assert structure_picture(network().views[0].whole) is None


@pytest.mark.parametrize(
    ("size", "most", "cells"), [(12, 5, 4), (7, 5, 5), (3, 8, 3), (100, 24, 20), (1, 9, 1)]
)
def test_cells_are_equal_groups_where_they_can_be(size: int, most: int, cells: int) -> None:
    assert cells_of(size, most) == cells


# ---- the command


def test_the_command_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["report", NETWORK, "A:M,N", "x:N", "b:M", "y:M", "M=3", "N=4", "--wrt", "A"]
    place = tmp_path / "f.html"
    assert main([*words, "-o", str(place)]) == 0
    assert capsys.readouterr().out == f"{place}\n"
    assert main(words) == 0
    assert capsys.readouterr().out == place.read_text("utf-8")
    assert "<h1>" in place.read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["z = A @ x"], "no input has a shape"),
        (["z = A @ x", "A:3,4", "x:3"], "shapes do not fit"),
        (["z = A @ x", "A:M,N", "x:N", "--wrt", "b"], "'b' is no named value"),
        (["z = A @ x", "A:M,N", "x:N", "-o", "/no/such/folder/f.html"], "cannot write"),
    ],
)
def test_the_command_refuses_in_three_parts(
    words: list[str], what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert what in err
    assert "try: " in err
    assert "Traceback" not in err
