"""The colours of the style sheet, as people see them who don't see all colours."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

_STYLE = Path(__file__).parents[2] / "kataven_notebook" / "desk" / "static" / "player.css"
Triple = npt.NDArray[np.float64]

_MARKS = ("overlap", "interruption", "silence", "slow", "clipping", "moment", "mark", "label")
_CHANNELS = ("agent", "caller", "channel0", "channel1")
# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
_SEEN_BY = {
    "all colours": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def _colours(theme: str) -> dict[str, Triple]:
    """Return the colours of a theme as linear RGB."""
    text = _STYLE.read_text(encoding="utf-8")
    pairs = re.findall(r"--([\w-]+): (?:var\(--[\w-]+, )?light-dark\((#\w+), (#\w+)\)", text)
    found = {name: _linear(light if theme == "light" else dark) for name, light, dark in pairs}
    found |= {name: found[other] for name, other in re.findall(r"--([\w-]+): var\(--([\w-]+)\);", text)}
    return found


def _linear(code: str) -> Triple:
    digits = code[1:] if len(code) == 7 else "".join(2 * each for each in code[1:])
    value = np.array([int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)])
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _lab(linear: Triple) -> Triple:
    relative = _XYZ @ np.clip(linear, 0, 1) / np.array([0.95047, 1.0, 1.08883])
    root = np.where(relative > 216 / 24389, np.cbrt(relative), (24389 / 27 * relative + 16) / 116)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])


def _difference(one: Triple, other: Triple) -> float:
    """Return the CIEDE2000 difference of two colours in CIELAB."""
    lightness = (one[0], other[0])
    mean_chroma = (np.hypot(*one[1:]) + np.hypot(*other[1:])) / 2
    stretch = 1.5 - 0.5 * np.sqrt(mean_chroma**7 / (mean_chroma**7 + 25.0**7))
    reds, yellows = np.array([one[1], other[1]]) * stretch, np.array([one[2], other[2]])
    chroma = np.hypot(reds, yellows)
    hue = np.degrees(np.arctan2(yellows, reds)) % 360
    turn = (hue[1] - hue[0] + 180) % 360 - 180
    by_hue = 2 * np.sqrt(chroma.prod()) * np.sin(np.radians(turn / 2))
    middle, mean_hue, full = np.mean(lightness), (hue[0] + turn / 2) % 360, np.mean(chroma)
    weight = (
        1
        - 0.17 * np.cos(np.radians(mean_hue - 30))
        + 0.24 * np.cos(np.radians(2 * mean_hue))
        + 0.32 * np.cos(np.radians(3 * mean_hue + 6))
        - 0.20 * np.cos(np.radians(4 * mean_hue - 63))
    )
    scaled = (
        (lightness[1] - lightness[0]) / (1 + 0.015 * (middle - 50) ** 2 / np.sqrt(20 + (middle - 50) ** 2)),
        (chroma[1] - chroma[0]) / (1 + 0.045 * full),
        by_hue / (1 + 0.015 * full * weight),
    )
    rotation = (
        -2 * np.sqrt(full**7 / (full**7 + 25.0**7)) * np.sin(np.radians(60 * np.exp(-(((mean_hue - 275) / 25) ** 2))))
    )
    return float(np.sqrt(sum(each**2 for each in scaled) + rotation * scaled[1] * scaled[2]))


def _contrast(one: Triple, other: Triple) -> float:
    light, dark = sorted((float(_XYZ[1] @ one), float(_XYZ[1] @ other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_the_difference_of_colours_is_the_published_one() -> None:
    """Two pairs of the test data of Sharma, Wu and Dalal (2005)."""
    pairs = (
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    )
    for one, other, expected in pairs:
        assert _difference(np.array(one), np.array(other)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("eyes", _SEEN_BY)
def test_marks_and_parties_differ_for_all_eyes(theme: str, eyes: str) -> None:
    """All pairs of marks by 12 in CIEDE2000, of channels by 7; agent and caller by 20."""
    seen = {name: _lab(_SEEN_BY[eyes] @ value) for name, value in _colours(theme).items()}
    for group, least in ((_MARKS, 12), (_CHANNELS, 7), (_CHANNELS[:2], 20)):
        for one, other in itertools.combinations(group, 2):
            assert _difference(seen[one], seen[other]) >= least, (one, other)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_marks_and_parties_stand_out_and_parties_differ_in_grey(theme: str) -> None:
    """3 : 1 on the page, and 10 in lightness between agent and caller."""
    colours = _colours(theme)
    for name in (*_MARKS, *_CHANNELS):
        assert _contrast(colours[name], colours["back"]) >= 3, name
    agent, caller = (_lab(colours[name])[0] for name in ("agent", "caller"))
    assert abs(agent - caller) >= 10
