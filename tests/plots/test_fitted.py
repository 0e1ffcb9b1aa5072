"""Texts that keep to their room."""

from __future__ import annotations

import pickle

import matplotlib.pyplot as plt
import pytest
from drawn_texts import check_texts

from kataven_notebook.plots.fitted import AxisLabel, FittedText, fitted_name, set_key, set_labels, text_width

LONG = "response latency of the agent in the northern region, median (s)"


def test_an_axis_label_is_broken_where_its_axis_ends() -> None:
    """At spaces, into lines of about one length, anew when the figure changes; its text stays whole."""
    figure, ax = plt.subplots(figsize=(3.35, 3.0), layout="constrained")
    set_labels(ax, x=LONG, y=LONG)
    check_texts(figure)
    assert isinstance(ax.xaxis.label, AxisLabel)
    assert ax.get_xlabel() == ax.get_ylabel() == LONG
    small = ax.xaxis.label.get_window_extent()
    assert small.width <= ax.bbox.width
    assert ax.yaxis.label.get_window_extent().height <= ax.bbox.height
    figure.set_size_inches(9.0, 5.0)
    check_texts(figure)
    assert ax.xaxis.label.get_window_extent().height < small.height


def test_a_unit_does_not_stand_alone_on_a_line() -> None:
    """Lines are about equally long."""
    figure, ax = plt.subplots(figsize=(2.6, 3.0))
    set_labels(ax, x="response latency, median (s)")
    figure.canvas.draw()
    assert ax.xaxis.label._get_wrapped_text().split("\n")[-1] == "median (s)"


def test_a_text_takes_the_first_wording_that_fits() -> None:
    """Within the axes' width and its own height, moved in where it would stand out; none where none fits."""
    figure, ax = plt.subplots(figsize=(4.0, 3.0))
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 3)
    right = FittedText(ax, 1.0, 1.0, ["a" * 200, "a wording that fits", "short"], height=1.0)
    low = FittedText(ax, 0.5, 2.0, ["one", "two"], height=0.01)
    figure.canvas.draw()
    assert (right.get_text(), low.get_text()) == ("a wording that fits", "")
    assert right.get_window_extent().x1 <= ax.bbox.x1 + 0.1
    figure.set_size_inches(1.2, 3.0)
    figure.canvas.draw()
    assert right.get_text() == "short"


def test_a_figure_with_fitted_texts_can_be_pickled_and_saved_elsewhere() -> None:
    """As figures are by executors and by other backends."""
    figure, ax = plt.subplots(layout="constrained")
    set_labels(ax, x=LONG)
    FittedText(ax, 0.5, 0.5, ["text"], height=1.0)
    copy = pickle.loads(pickle.dumps(figure))  # noqa: S301 - its own
    check_texts(copy)


@pytest.mark.parametrize("width", [3.35, 7.0])
def test_a_key_has_as_many_columns_as_there_is_room(width: float) -> None:
    """And stays within the figure."""
    figure, ax = plt.subplots(figsize=(width, 2.5), layout="constrained")
    (line,) = ax.plot([0, 1], [0, 1])
    set_key(ax, {f"entry number {index} of the key": line for index in range(4)})
    check_texts(figure)
    assert ax.get_legend()._ncols == (1 if width < 4 else 3)


def test_names_are_broken_at_spaces_and_cut_where_no_room_is_left() -> None:
    """What is left fits."""
    name = "clinic of the northern region, first floor"
    for lines in (1, 2, 3):
        shown = fitted_name(name, 70, lines, 10)
        assert shown.count("\n") == lines - 1
        assert text_width(shown, 10) <= 72
    assert fitted_name("v1", 70, 2, 10) == "v1"
    assert fitted_name("x" * 80, 40, 2, 10).endswith("…")
