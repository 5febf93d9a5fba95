"""The four outputs: text for 80 columns, LaTeX, MathML, SVG; nothing computed, everything readable."""

from __future__ import annotations

import re
import time
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import numpy as np
import pytest

from jacobians.axes import symbol
from jacobians.expr import constant, variable
from jacobians.graph import linearize
from jacobians.notation.blocks import counted, density, picture
from jacobians.notation.latex import (
    chain_latex,
    index_latex,
    latex_name,
    matrix_latex,
    shape_latex,
    view_latex,
)
from jacobians.notation.mathml import chain_mathml, index_mathml
from jacobians.notation.matrix import matrix_form
from jacobians.notation.records import ChainView, Link, alone, names, places
from jacobians.notation.svg import Vertex, block_svg, graph_svg
from jacobians.notation.text import (
    block_text,
    brace,
    chain_text,
    detail_lines,
    fold,
    plain_text,
    show_text,
)
from jacobians.terms import Term, TermSum, term
from jacobians.tracing import Traced
from jacobians.wiring import Affine, Table

M, N = symbol("M"), symbol("N")


def network(m, n, shown=(M, N)):
    """The lecture's chain dL/df df/dz dz/dA of L = 1/2 |tanh(A x + b) - y|^2."""
    A, x, b, y = variable("A", (m, n)), variable("x", (n,)), variable("b", (m,)), variable("y", (m,))
    z = Traced(A) @ Traced(x) + Traced(b)
    f = np.tanh(z)
    L = 0.5 * np.sum((f - Traced(y)) ** 2)
    for value, name in ((z, "z"), (f, "f"), (L, "L")):
        value.node.name = name
    p, q = shown

    def link(target, given, target_shape, input_shape):
        terms = linearize([target], [given]).eliminate("reverse")[0][0]
        return Link(target.name, given.name, target_shape, input_shape, terms)

    links = (
        link(L.node, f.node, (), (p,)),
        link(f.node, z.node, (p,), (p,)),
        link(z.node, A, (p,), (p, q)),
    )
    return ChainView(links, link(L.node, A, (), (p, q)), {"M": 3, "N": 4})


CHAIN = """\
   ∂L       ∂L      ∂f       ∂z
  ────  =  ──── ·  ──── ·   ────
   ∂A       ∂f      ∂z       ∂A
╰──┬──╯   ╰─┬─╯   ╰─┬─╯   ╰──┬──╯
1×(M×N)    1×M     M×M    M×(M×N)
1×(3×4)    1×3     3×3    3×(3×4)
   mn       i       ij      jmn"""

ASCII_CHAIN = r"""
  d L      d L     d f      d z
  ----  =  ---- .  ---- .   ----
  d A      d f     d z      d A
\_____/   \___/   \___/   \_____/
1x(MxN)    1xM     MxM    Mx(MxN)
1x(3x4)    1x3     3x3    3x(3x4)
   mn       i       ij      jmn"""

DETAILS = [
    ("index form", "(∂L/∂A)_mn = Σ_i Σ_j (∂L/∂f)_i (∂f/∂z)_ij (∂z/∂A)_jmn"),
    ("einsum", 'np.einsum("i,ij,jmn->mn", dL_df, df_dz, dz_dA)'),
    ("put in", "∂L/∂f = f_i − y_i"),
    ("", "∂f/∂z = δ_ij (1 − f_i²)"),
    ("", "∂z/∂A = δ_jm x_n"),
    ("sum over δ", "(∂L/∂A)_mn = (f_m − y_m)(1 − f_m²) x_n"),
    ("numpy", 'np.einsum("m,m,n->mn", f - y, 1 - f**2, x)'),
    ("matrix form", "((f − y) ⊙ (1 − f²)) xᵀ   (gradient layout, 3 × 4)"),
]

BLOCKS = """\
∂z/∂A ∈ R^{3×(3×4)}  one block per target entry; 12 of 36 entries can be nonzero
           ∂z₁/∂A            ∂z₂/∂A            ∂z₃/∂A
  m=1 │ x₁ x₂ x₃ x₄ │   │ ·  ·  ·  ·  │   │ ·  ·  ·  ·  │
  m=2 │ ·  ·  ·  ·  │   │ x₁ x₂ x₃ x₄ │   │ ·  ·  ·  ·  │
  m=3 │ ·  ·  ·  ·  │   │ ·  ·  ·  ·  │   │ x₁ x₂ x₃ x₄ │"""


def test_the_chain():
    assert chain_text(network(3, 4)) == CHAIN


def test_the_chain_in_ascii():
    assert chain_text(network(3, 4), ascii=True) == ASCII_CHAIN[1:]


def test_the_chain_with_symbols_alone():
    view = network(M, N)
    bare = ChainView(view.links, view.whole)
    assert chain_text(bare) == "\n".join(line for line in CHAIN.splitlines() if "3×" not in line)


def test_the_details():
    assert detail_lines(network(3, 4)) == DETAILS


def test_the_blocks():
    assert block_text(network(3, 4).links[2]) == BLOCKS


def test_a_matrix_picture():
    assert block_text(network(3, 4).links[1]).splitlines() == [
        "∂f/∂z ∈ R^{3×3}      3 of 9 entries can be nonzero",
        "  │ 1−f₁² ·     ·     │",
        "  │ ·     1−f₂² ·     │",
        "  │ ·     ·     1−f₃² │",
    ]


def test_symbolic_sizes_have_a_count_and_no_picture():
    link = network(M, N).links[2]
    assert block_text(link) == "∂z/∂A ∈ R^{M×(M×N)}      MN of M²N entries can be nonzero"
    assert picture(link) is None
    assert density(link.terms, 9, 9) is None


def test_a_selection_picture():
    """x[1:] - x[:-1]: two bands."""
    bands = (
        Term(1, (), (0,), (Affine(1, ((0, 1),)),), (3,)),
        Term(-1, (), (0,), (Affine(0, ((0, 1),)),), (3,)),
    )
    link = Link("d", "x", (3,), (4,), TermSum((3,), (4,), bands))
    assert block_text(link).splitlines()[1:] == [
        "  │ −1 1  ·  ·  │",
        "  │ ·  −1 1  ·  │",
        "  │ ·  ·  −1 1  │",
    ]


def test_a_gather_picture():
    gathered = Term(1, (), (0,), (Table((0,), constant(np.array([2, 0]))),), (2,))
    link = Link("y", "x", (2,), (3,), TermSum((2,), (3,), (gathered,)))
    assert block_text(link).splitlines()[1:] == ["  │ · · 1 │", "  │ 1 · · │"]


def test_terms_that_cancel_leave_no_mark():
    up, down = (Term(c, (), (0,), (0,), (2,)) for c in (1, -1))
    link = Link("y", "x", (2,), (2,), TermSum((2,), (2,), (up, down)))
    assert picture(link).cells == {}


def test_large_pictures_are_shaded():
    link = network(30, 40, (30, 40)).links[2]
    lines = block_text(link).splitlines()
    assert lines[0] == "∂z/∂A ∈ R^{30×(30×40)}      1200 of 36000 entries can be nonzero"
    assert len(lines) == 2 + 15  # 30 target entries in equal groups
    assert max(map(len, lines)) <= 100
    grid = density(link.terms, 30, 30)
    np.testing.assert_array_equal(grid, np.eye(30))


def test_density_counts_every_entry():
    dense = TermSum((4,), (6,), (Term(1, ((variable("A", (4, 6)), (0, 1)),), (0,), (1,), (4, 6)),))
    np.testing.assert_array_equal(density(dense, 2, 3), np.ones((2, 3)))


def deep():
    """An 8-layer chain."""
    values = [variable("x", (9,))]
    h = Traced(values[0])
    weights = []
    for k in range(8):
        weights.append(variable(f"W{k + 1}", (k + 10, k + 9)))
        h = np.tanh(Traced(weights[-1]) @ h)
        h.node.name = f"f{k + 1}"
        values.append(h.node)
    nodes = [*values[:1:-1], values[1], weights[0]]
    made = []
    for target, given in pairwise(nodes):
        terms = linearize([target], [given]).eliminate("reverse")[0][0]
        made.append(Link(target.name, given.name, target.shape, given.shape, terms))
    whole = linearize([nodes[0]], [nodes[-1]]).eliminate("reverse")[0][0]
    return ChainView(tuple(made), Link("f8", "W1", nodes[0].shape, nodes[-1].shape, whole))


@pytest.mark.parametrize("width", [80, 120, 200])
@pytest.mark.parametrize("view", [network(3, 4), network(M, N), deep()])
def test_lines_keep_to_the_width(view, width):
    text = show_text(view, width, blocks=False)
    assert max(map(len, text.splitlines())) <= width


def test_a_long_chain_is_wrapped_between_factors():
    lines = chain_text(deep(), 60).splitlines()
    assert lines.count("") == 1
    assert max(map(len, lines)) <= 60
    assert sum(len(re.findall("─{4,}", line)) for line in lines) == 9  # fraction bars


@pytest.mark.parametrize("view", [network(3, 4), network(M, N), deep()])
def test_ascii_is_ascii(view):
    assert show_text(view, ascii=True).isascii()
    assert not show_text(view).isascii()


def test_plain_text_loses_no_letter():
    assert plain_text("δ_ij (1 − f_i²) ⊙ xᵀ ∈ ≤") == "delta_ij (1 - f_i^2) .* x' in <="


def test_braces():
    assert brace(5) == "╰─┬─╯"
    assert [len(brace(k)) for k in range(5, 20)] == list(range(5, 20))


def test_folding_keeps_every_word():
    text = " + ".join(f"a_{k} x_{k}" for k in range(40))
    lines = fold("index form", text, 60)
    assert max(map(len, lines)) <= 60
    assert " ".join(" ".join(lines).split()[2:]) == text


def test_every_axis_has_one_letter():
    view = deep()
    pairs, whole = places(view)
    for (_, given), (target, _) in pairwise(pairs):
        assert given == target
    letters = [letter for target, _ in pairs for letter in target] + list(pairs[-1][1])
    assert len(set(letters)) == len(letters)
    assert whole == (pairs[0][0], pairs[-1][1])


def test_a_single_jacobian():
    link = network(3, 4).links[2]
    lines = show_text(alone(link)).splitlines()
    assert lines[:6] == ["   ∂z", "  ────", "   ∂A", "╰──┬──╯", "M×(M×N)", "  imn"]
    assert detail_lines(alone(link))[:2] == [
        ("index form", "(∂z/∂A)_imn = δ_im x_n"),
        ("einsum", "x   # at J[i, i, n]"),
    ]


def test_zero():
    link = Link("f", "c", (3,), (4, 5), TermSum((3,), (4, 5)))
    text = show_text(alone(link))
    assert "(∂f/∂c)_imn = 0" in text
    assert "0 of 60 entries can be nonzero" in text


def test_a_scalar():
    x = variable("x", ())
    link = Link("y", "x", (), (), TermSum((), (), (term(2, [(x, "")], "", "", {}),)))
    assert "∂y/∂x = 2 x" in show_text(alone(link))
    assert counted(link) == "1 of 1 entry can be nonzero"


def test_nothing_is_computed_however_large():
    """A Jacobian of 10^12 entries is shown at once."""
    big = 10**4
    x = variable("x", (big,))
    dz_dA = Term(1, ((x, (1,)),), (0,), (0, 1), (big, big))
    link = Link("z", "A", (big,), (big, big), TermSum((big,), (big, big), (dz_dA,)))
    show_text(alone(link))
    start = time.perf_counter()
    text = show_text(alone(link))
    assert time.perf_counter() - start < 0.05
    assert "100000000 of 1000000000000 entries can be nonzero" in text


# ---- LaTeX


def balanced(text):
    """Whether braces, \\left and \\right, and environments pair up, and every command is a known one."""
    depth = 0
    for char in re.sub(r"\\[{}]", "", text):
        depth += (char == "{") - (char == "}")
        if depth < 0:
            return False
    pairs = text.count("\\left") == text.count("\\right")
    ends = re.findall(r"\\begin\{(\w+)\}", text) == re.findall(r"\\end\{(\w+)\}", text)
    return depth == 0 and pairs and ends and set(re.findall(r"\\([A-Za-z]+)", text)) <= KNOWN


KNOWN = {
    "begin", "end", "underbrace", "frac", "partial", "times", "left", "right", "odot", "otimes", "top",
    "delta", "sum", "operatorname", "tanh", "mathrm", "sqrt",
}  # fmt: skip


def test_the_chain_in_latex():
    assert chain_latex(network(3, 4)) == (
        r"\underbrace{\frac{\partial L}{\partial A}}_{1 \times (M \times N)} = "
        r"\underbrace{\frac{\partial L}{\partial f}}_{1 \times M} \, "
        r"\underbrace{\frac{\partial f}{\partial z}}_{M \times M} \, "
        r"\underbrace{\frac{\partial z}{\partial A}}_{M \times (M \times N)}"
    )


def test_forms_in_latex():
    view = network(3, 4)
    known = names(view)
    assert index_latex(view.links[1], known) == r"\delta_{ij} \left(1 - f_{i}^{2}\right)"
    matrix = matrix_form(view.whole.terms, None, known)
    wanted = r"\left(\left(f - y\right) \odot \left(1 - f^{2}\right)\right) x^{\top}"
    assert matrix_latex(matrix) == wanted
    assert shape_latex((3,), (3, 4)) == r"3 \times (3 \times 4)"


@pytest.mark.parametrize("view", [network(3, 4), network(M, N), deep(), alone(network(3, 4).links[2])])
def test_latex_is_balanced(view):
    assert balanced(view_latex(view))
    assert balanced(chain_latex(view, mathtext=True))
    assert "underbrace" not in chain_latex(view, mathtext=True)


def test_the_checker_can_fail():
    assert not balanced(r"\underbrace{x")
    assert not balanced(r"\underbrase{x}")
    assert not balanced(r"\left(x")


@pytest.mark.parametrize("view", [network(3, 4), network(M, N), deep(), alone(network(3, 4).links[2])])
def test_mathtext_reads_it(view):
    mathtext = pytest.importorskip("matplotlib.mathtext")
    parser = mathtext.MathTextParser("path")
    known = names(view)
    texts = [chain_latex(view, mathtext=True)]
    for link in (*view.links, view.whole):
        texts.append(index_latex(link, known))
        forms = [matrix_form(link.terms, layout, known) for layout in (None, "vec", "vec-row")]
        texts += [matrix_latex(form) for form in forms if form is not None]
    for text in texts:
        parser.parse(f"${text}$")
    with pytest.raises(ValueError, match="Expected"):  # so the parser does refuse something
        parser.parse("$\\frac{$")


def test_names_in_latex():
    given = ("x", "theta", "A1", "loss", "x_new", "inv(X)", "softmax(z)", "λ", "Σ2", "delta", "δ")
    found = [latex_name(name) for name in given]
    assert found == [
        "x", "\\theta", "A_{1}", "\\mathrm{loss}", "x_{\\mathrm{new}}", "(X^{-1})",
        "\\operatorname{softmax}(z)", "\\lambda", "\\Sigma_{2}", "\\mathrm{delta}", "\\mathrm{delta}",
    ]  # fmt: skip


# ---- MathML and SVG


@pytest.mark.parametrize("view", [network(3, 4), network(M, N), deep(), alone(network(3, 4).links[2])])
def test_mathml_is_one_well_formed_element(view):
    for text in (chain_mathml(view), index_mathml(view)):
        root = ElementTree.fromstring(text)
        assert root.tag.endswith("math")
        assert "script" not in text


def test_mathml_says_every_shape():
    words = "".join(ElementTree.fromstring(chain_mathml(network(3, 4))).itertext())
    for shape in ("1×(M×N)", "1×M", "M×M", "M×(M×N)", "3×(3×4)"):
        assert shape in words
    assert chain_mathml(network(3, 4)).count("border-radius") == 4  # one brace for each fraction


def test_one_rectangle_for_each_entry():
    for link, count in zip(network(3, 4).links, (3, 9, 36), strict=True):
        root = ElementTree.fromstring(block_svg(link))
        assert sum(one.tag.endswith("rect") for one in root.iter()) == count
    words = "".join(ElementTree.fromstring(block_svg(network(3, 4).links[2])).itertext())
    assert words.count("x₁") == 3
    assert "∂z/∂A, 3 × (3 × 4): 12 of 36 entries can be nonzero" in words


def test_pictures_have_no_colour_of_their_own():
    for text in (block_svg(network(3, 4).links[2]), block_svg(network(30, 40, (30, 40)).links[2])):
        assert "currentColor" in text
        assert not re.search(r"#[0-9a-f]{3,6}\b|rgb\(|style=\"[^\"]*color", text)
        assert len(text) < 15_000


def test_no_picture_of_symbolic_sizes():
    assert block_svg(network(M, N).links[2]) is None


def test_the_graph():
    vertices = [Vertex("A", "3 × 4"), Vertex("x", "4"), Vertex("z", "3"), Vertex("f <tanh>", "3")]
    root = ElementTree.fromstring(graph_svg(vertices, [("A", "z"), ("x", "z"), ("z", "f <tanh>")]))
    tags = [one.tag.rpartition("}")[2] for one in root.iter()]
    assert (tags.count("rect"), tags.count("path")) == (4, 3)
    assert "f <tanh>" in "".join(root.itertext())
