"""Figures that stand in a page."""

from __future__ import annotations

import re
import sys
import warnings
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kataven_notebook.publish import figures
from kataven_notebook.publish.findings import Finding, Span
from kataven_notebook.publish.quantities import Quantity

mpl = pytest.importorskip("matplotlib")
plt = pytest.importorskip("matplotlib.pyplot")

LATENCY = Quantity("response_latency_p50_s", "Response latency", "s")
FRAME = pd.DataFrame({"response_latency_p50_s": [0.5, 0.6, 1.5, 1.7]})


def distributed(names: list[str], level: float = 0.95) -> str:
    """A figure of groups of two calls, all compared with the first."""
    findings = [
        Finding(LATENCY, each, "p90", 2, 0, 2, Span(0.6, 0.5, 0.7), Span(0.1, -0.11, 0.31), names[0] if at else "")
        for at, each in enumerate(names)
    ]
    calls = [(each, np.array([0.5, 0.6 + at])) for at, each in enumerate(names)]
    return figures.distribution(findings, calls, metric=LATENCY.column, by="p", level=level, name="figure0", label="x")


def clipped(figure: Any) -> None:
    """A small drawing, with what has ids: a clip path and markers."""
    figure.subplots().plot([0, 1], [0, 2], marker="o", linestyle="")


def painted(paint: Any, name: str = "one") -> str:
    """What is drawn, with its colours."""
    return figures.draw(paint, name=name, label="a &lt;label&gt;", height_in=2.0)


def test_a_figure_follows_the_theme_of_the_reader() -> None:
    """Each colour is a variable, which has one value on a light page and another on a dark screen."""
    svg = distributed(["v1", "v2"])
    style, _, drawing = svg.partition("</style>")
    assert not re.findall(r"#[0-9a-f]{6}\b", drawing)
    light, dark = style.split("@media screen and (prefers-color-scheme: dark)")
    names = set(re.findall(r"var\((--figure0-\d+)\)", drawing))
    assert names
    for part in (light, dark):
        assert names == set(re.findall(r"(--figure0-\d+):#", part))
    assert "#1f2328" in light
    assert "#e6e9ed" in dark


def test_a_figure_says_what_was_found() -> None:
    """The statistic, the level and the ends of the table, not another estimate of the same calls."""
    svg = distributed(["v1", "v2"], level=0.9)
    assert "90th percentile, 90 % interval" in svg
    assert "0.60,  Δ 0.10 [\N{MINUS SIGN}0.11, 0.31]" in svg


def test_a_drawing_that_depends_on_the_theme_keeps_its_paper() -> None:
    """Light on white, where the two differ in more than colours."""

    def paint(figure: Any) -> None:
        figure.text(0.1, 0.1, mpl.rcParams["text.color"].upper())

    svg = painted(paint)
    assert svg.startswith('<div class="paper"><svg ')


def test_the_same_drawing_is_the_same_text_and_ids_are_its_own() -> None:
    """Two figures of a page share none."""
    first, again, other = (painted(clipped, name) for name in ("a", "a", "b"))
    assert first == again
    ids = [re.findall(r' id="([^"]*)"', each) for each in (first, other)]
    assert ids[0]
    assert not set(ids[0]) & set(ids[1])
    assert set(re.findall(r'(?:href="|url\()#([^")]+)', first)) == set(ids[0])


def test_nothing_of_a_file_is_left_in_a_figure() -> None:
    """No date, no program, no style for the whole page; a label for those who don't see it."""
    svg = figures.at_a_glance(FRAME, name="g", label="all calls").partition("</style>")[2]
    root = ET.fromstring(svg.replace("xlink:", ""))  # noqa: S314 - our own
    assert (root.get("role"), root.get("aria-label")) == ("img", "all calls")
    assert not re.search(r"metadata|<style|<!--|<\?xml|Matplotlib|\d{4}-\d\d-\d\d", svg)
    assert root.get("width") is None


def test_texts_are_texts_in_the_fonts_of_the_page() -> None:
    """They can be found, and take no shapes."""
    svg = painted(lambda figure: figure.text(0, 0, "v1"))
    assert ">v1</text>" in svg
    assert "DejaVu" not in svg


def test_names_of_groups_are_no_formulas_and_no_markup() -> None:
    """Dollars, tags, and letters that matplotlib's font has not; without a warning."""
    names = ["$x_1$ and $", "<script>alert(1)</script>", "提示", "{\\frac"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = distributed(names)
    assert "$x_1$ and $" in svg
    assert "&lt;script&gt;" in svg
    assert "提示" in svg


def test_the_users_own_style_is_neither_used_nor_changed() -> None:
    """A notebook in a dark style sends the same page, and shows no figure of the report's."""
    open_figures = plt.get_fignums()
    plain = painted(clipped)
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black", "text.color": "red"}):
        before = dict(mpl.rcParams)
        assert painted(clipped) == plain
        assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == open_figures


def test_figures_of_two_threads_are_those_of_one() -> None:
    """And leave matplotlib as it was: its defaults are one for all threads."""
    plain, before = painted(clipped), dict(mpl.rcParams)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: painted(clipped), range(12))) == {plain}
    assert dict(mpl.rcParams) == before


def test_without_matplotlib_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    assert figures.is_possible()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert not figures.is_possible()
