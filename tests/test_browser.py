"""The report and a notebook's output in headless Chromium: requests, contrast, widths, mathematics, pictures.

These run where Chromium and playwright are installed (extra `browser`), and are skipped elsewhere.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import jacobians as jac

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")]
sync_api = pytest.importorskip("playwright.sync_api")

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
ARGS += ["--disable-component-update", "--disable-sync"]
SHAPES = {"A": "M,N", "x": "N", "b": "M", "y": "M"}
NETWORK = "z = A @ x + b; f = tanh(z); L = 0.5*sum((f - y)**2)"
SHOWN = ("M × (M × N)", "3 × (3 × 4)", "M × N", "1 × 12", "4 × 3", "3 × 12", "none, rank 3")
ENOUGH = 4.5  # WCAG AA, text of normal size

CONTRASTS = """() => {
  const channels = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = c => c.slice(0, 3).map(v => v / 255)
    .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, k) => sum + v * [.2126, .7152, .0722][k], 0);
  const behind = e => { for (; e; e = e.parentElement) {
    const c = channels(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] > 0) return c; } return [255, 255, 255]; };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || ["TITLE", "title", "STYLE"].includes(e.tagName)) continue;
    const style = getComputedStyle(e), svg = e instanceof SVGElement;
    const [a, b] = [light(channels(svg ? style.fill : style.color)), light(behind(e))];
    found.push([(Math.max(a, b) + .05) / (Math.min(a, b) + .05), e.tagName, e.textContent.slice(0, 30)]);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from jacobians.report.page import report_page

    place = tmp_path_factory.mktemp("report") / "f.html"
    place.write_text(report_page(jac.show(NETWORK, wrt="A", **SHAPES, M=3, N=4)), encoding="utf-8")
    return place


def opened(browser: Any, place: Path, width: int = 1200, scheme: str = "light", script: bool = False) -> Any:
    """The page, every request but that of a file refused; what was asked for is in `page.seen`."""
    context = browser.new_context(
        color_scheme=scheme, java_script_enabled=script, viewport={"width": width, "height": 800}
    )
    page = context.new_page()
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    page.route(
        "**/*", lambda route: route.continue_() if route.request.url.startswith("file:") else route.abort()
    )
    page.goto(place.as_uri())
    return page, seen


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_one_request_and_none_elsewhere(browser: Any, report: Path, scheme: str) -> None:
    page, seen = opened(browser, report, scheme=scheme)
    assert seen == [report.as_uri()]
    assert page.title() == "∂L/∂A · (M × N)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast(browser: Any, report: Path, scheme: str) -> None:
    page, _ = opened(browser, report, scheme=scheme, script=True)
    found = page.evaluate(CONTRASTS)
    assert len(found) > 300
    low = [one for one in found if one[0] < ENOUGH]
    assert low == []
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    dark = max(int(part) for part in re.findall(r"\d+", background)[:3]) < 60
    assert dark == (scheme == "dark")


def test_the_contrast_check_finds_pale_text(browser: Any, report: Path) -> None:
    page, _ = opened(browser, report, script=True)
    page.evaluate("document.querySelector('p').style.color = '#bbb'")
    assert [one for one in page.evaluate(CONTRASTS) if one[0] < ENOUGH]


@pytest.mark.parametrize("width", [320, 360, 768, 1200])
def test_the_page_never_scrolls_sideways(browser: Any, report: Path, width: int) -> None:
    page, _ = opened(browser, report, width=width, script=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    outside = page.evaluate(
        """() => [...document.querySelectorAll("body *")].filter(e => {
          if (e.closest(".scroll, pre, .eq, .chain") || !e.getClientRects().length) return false;
          return e.getBoundingClientRect().right > innerWidth + 1;
        }).map(e => e.tagName + "." + e.className)"""
    )
    assert outside == []


def test_tables_scroll_by_themselves_where_they_are_wide(browser: Any, report: Path) -> None:
    page, _ = opened(browser, report, width=360, script=True)
    inner = page.evaluate('[...document.querySelectorAll(".scroll")].map(e => e.scrollWidth > e.clientWidth)')
    assert any(inner)
    assert page.evaluate('[...document.querySelectorAll("table")].every(e => e.closest(".scroll"))')


def test_mathematics_and_braces_are_laid_out(browser: Any, report: Path) -> None:
    page, _ = opened(browser, report)
    factors = page.locator("p.chain > math")
    assert factors.count() == 4
    for k in range(4):
        under, brace = factors.nth(k).locator("munder"), factors.nth(k).locator("svg")
        box, drawn = under.bounding_box(), brace.bounding_box()
        assert box["height"] > 60  # a fraction, a brace, two shapes and letters
        assert 5 < drawn["height"] < 30
        assert 0.5 * box["width"] < drawn["width"] <= box["width"] + 1  # as wide as what it embraces
        assert box["y"] < drawn["y"] < box["y"] + box["height"]
    tops = [factors.nth(k).locator("mfrac").bounding_box()["y"] for k in range(4)]
    assert max(tops) - min(tops) < 6  # the fractions stand on one line


def test_a_chain_wraps_where_the_page_is_narrow(browser: Any, report: Path) -> None:
    page, _ = opened(browser, report, width=360)
    tops = {round(page.locator("p.chain > math mfrac").nth(k).bounding_box()["y"] / 40) for k in range(4)}
    assert len(tops) == 2


def test_every_entry_has_its_rectangle(browser: Any, report: Path) -> None:
    page, _ = opened(browser, report)
    pictures = page.locator("svg.blocks")
    assert [pictures.nth(k).locator("rect").count() for k in range(pictures.count())] == [3, 9, 36, 12]
    assert pictures.nth(2).locator(".h rect").count() == 4 * 3
    assert page.locator("svg.graph rect").count() == 7
    assert page.locator("svg.graph path").count() == 6


def test_the_text_without_style_has_every_shape(browser: Any, report: Path) -> None:
    page, _ = opened(browser, report, script=True)
    page.evaluate(
        """() => { document.querySelectorAll("style").forEach(e => e.remove());
          document.querySelectorAll("[style]").forEach(e => e.removeAttribute("style")); }"""
    )
    said = page.evaluate("document.body.innerText")
    assert [shape for shape in SHOWN if shape not in said] == []


def test_the_page_prints(browser: Any, report: Path) -> None:
    page, _ = opened(browser, report)
    page.emulate_media(media="print")
    assert page.locator("nav").is_hidden()
    assert not page.locator("h1").is_hidden()
    pages = len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4")))
    assert 3 <= pages <= 7


def test_a_keyboard_reaches_what_scrolls(browser: Any, report: Path) -> None:
    page, _ = opened(browser, report, script=True)
    boxes = page.evaluate(
        '[...document.querySelectorAll(".scroll, pre")].map(e => [e.tabIndex, e.getAttribute("aria-label")])'
    )
    assert len(boxes) > 5
    assert all(index == 0 and label for index, label in boxes)


CELLS = (
    "import numpy as np, jacobians as jac\n"
    "J = jac.jacobian(lambda A, x: np.tanh(A @ x), wrt='A')(np.ones((3, 4)), np.ones(4))\nJ",
    f"jac.show({NETWORK!r}, wrt='A', A='M,N', x='N', b='M', y='M', M=3, N=4)",
)


def test_a_notebook_shows_both(browser: Any, tmp_path: Path) -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    nbconvert = pytest.importorskip("nbconvert")
    pytest.importorskip("ipykernel")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    for cell in notebook.cells:
        (output,) = cell.outputs
        assert "<math" in output["data"]["text/html"]
        assert "∂" in output["data"]["text/plain"] or "Jacobian" in output["data"]["text/plain"]
    exported, _ = nbconvert.HTMLExporter(template_name="basic").from_notebook_node(notebook)
    place = tmp_path / "notebook.html"
    place.write_text(
        f'<!DOCTYPE html><meta charset="utf-8"><title>notebook</title>{exported}', encoding="utf-8"
    )
    page, seen = opened(browser, place, width=900)
    assert seen == [place.as_uri()]
    assert page.locator("svg rect").count() == 36 + 36
    assert page.locator("math munder svg").count() == 4
    assert page.locator("munder:has(svg)").first.bounding_box()["height"] > 30
    assert "3 × (3 × 4)" in page.locator("body").inner_text()
