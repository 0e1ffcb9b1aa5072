"""Colours that are the same everywhere, and told apart by everybody."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

import kataven_notebook
from kataven_notebook.plots import colours

STYLES = ["default", "dark_background", "ggplot", "seaborn-v0_8", "grayscale", "bmh", "tableau-colorblind10"]
# Machado, Oliveira & Fernandes (2009), IEEE TVCG 15: full deuteranopia, protanopia and tritanopia, on linear light.
BLIND = {
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def lab(colour: str, matrix: list[list[float]]) -> np.ndarray:
    """Return the colour as somebody sees it, in CIELAB."""
    values = np.asarray(to_rgb(colour))
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.asarray(matrix) @ linear, 0, 1)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    ratios = (to_xyz @ seen) / to_xyz.sum(axis=1)
    roots = np.where(ratios > 0.008856, np.cbrt(ratios), 7.787 * ratios + 16 / 116)
    return np.array([116 * roots[1] - 16, 500 * (roots[0] - roots[1]), 200 * (roots[1] - roots[2])])


def test_the_players_style_sheet_has_the_same_colours() -> None:
    """Agent and caller are the same two in every figure and in the player, on light pages and on dark ones."""
    sheet = (Path(kataven_notebook.__file__).parent / "desk" / "static" / "player.css").read_text(encoding="utf-8")
    found = dict(re.findall(r"--(\w+): light-dark\(([^()]+)\)", sheet))
    for name, shades in colours.ROLES.items():
        assert [shade.strip() for shade in found[name].split(",")] == list(shades), name


@pytest.mark.parametrize("dark", [False, True])
def test_agent_and_caller_are_told_apart_by_everybody(dark: bool) -> None:  # noqa: FBT001 - a case
    """By colour-blind readers, and in grey by lightness; both are seen on the page."""
    agent, caller = (colours.ROLES[name][dark] for name in ("agent", "caller"))
    for matrix in [*BLIND.values(), np.eye(3).tolist()]:
        assert np.linalg.norm(lab(agent, matrix) - lab(caller, matrix)) > 40
    assert colours.contrast(agent, caller) > 1.5
    for colour in (agent, caller):
        assert colours.contrast(colour, "#16191d" if dark else "white") >= 3


@pytest.mark.parametrize("style", STYLES)
def test_groups_are_told_apart_from_each_other_and_from_the_parties(style: str) -> None:
    """By colour or by kind of line; no group has a colour that is taken for the agent's or the caller's."""
    with plt.style.context(style):
        _, ax = plt.subplots()
        shades = colours.of_groups(ax, len(colours.LINES))
        looks = list(zip(shades, map(str, colours.LINES), colours.MARKS, strict=True))
        assert len(set(looks)) == len({line for _, line, _ in looks}) == len({mark for _, _, mark in looks}) == 6
        for shade in shades[1:]:
            for name in ("agent", "caller"):
                assert np.linalg.norm(np.subtract(to_rgb(shade), to_rgb(colours.role(ax, name)))) > 0.3
            assert colours.contrast(shade, "black" if colours.is_dark(ax) else "white") > 2
        plt.close("all")


def test_the_page_decides_which_of_two_colours_is_taken() -> None:
    """A page that isn't there is known by the text that is to be read on it."""
    for options, dark in (({}, False), ({"facecolor": "#202020"}, True)):
        assert colours.is_dark(plt.figure().add_subplot(**options)) is dark
    with plt.style.context("dark_background"):
        ax = plt.figure(facecolor="none").add_subplot(facecolor="none")
        assert colours.is_dark(ax)
        plt.close("all")
