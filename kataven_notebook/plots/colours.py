"""Colours: agent and caller as in the player; groups in the style's colours; all told apart in grey."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt
    from matplotlib.axes import Axes

    Doubles = npt.NDArray[np.float64]

ROLES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "agent": ("#1560bd", "#7db8ff"),
        "caller": ("#d9730d", "#cf6f14"),
        "channel0": ("#0f5c66", "#4fa9b3"),
        "channel1": ("#846089", "#dcc0e4"),
        "overlap": ("#c2780a", "#b1da0b"),
        "interruption": ("#913f08", "#da0b0b"),
        "bad": ("#c62a2f", "#ff7b7b"),
    }
)
"""What has one colour everywhere: on a light page and on a dark one. The player's style sheet has the same."""

HATCHES: Mapping[str, str] = MappingProxyType({"agent": "", "caller": "////"})
"""Beside their lightness, what tells the bars of agent and caller apart in grey."""

LINES = ("-", (0, (4, 1.5)), (0, (1, 1)), (0, (5, 1.5, 1, 1.5)), (0, (8, 2)), (0, (1, 3)))
"""Kinds of lines, so that groups are told apart without colour; a figure has as many groups at most."""

MARKS = ("o", "^", "s", "D", "v", "P")
"""One for each kind of line."""

_NEAR = 0.33
"""Colours closer than this, of the cube's edge, would be taken for a party's."""
_SEEN = 2.5
"""A line has at least this contrast to the page."""


def is_dark(ax: Axes) -> bool:
    """Whether what is drawn on these axes stands on a dark page."""
    from matplotlib import rcParams  # noqa: PLC0415 - an extra
    from matplotlib.colors import to_rgba  # noqa: PLC0415 - an extra

    for colour in (ax.get_facecolor(), ax.figure.get_facecolor()):
        if to_rgba(colour)[3] > 0.5:
            return _luminance(colour) < 0.18
    # Nothing is behind: the text's colour was chosen for the page that will be.
    return _luminance(rcParams["text.color"]) > 0.5


def role(ax: Axes, name: str) -> str:
    """Return the colour of what has the same colour everywhere, such as the agent."""
    return ROLES[name][is_dark(ax)]


def ink() -> str:
    """Return the current style's colour of text."""
    from matplotlib import rcParams  # noqa: PLC0415 - an extra

    return str(rcParams["text.color"])


def neutral(ax: Axes, share: float = 0.5) -> tuple[float, float, float]:
    """Return a mixture of the page's colour and the text's, which is nobody's colour."""
    from matplotlib.colors import to_rgb  # noqa: PLC0415 - an extra

    page = (0.0, 0.0, 0.0) if is_dark(ax) else (1.0, 1.0, 1.0)
    red, green, blue = (share * a + (1 - share) * b for a, b in zip(to_rgb(ink()), page, strict=True))
    return red, green, blue


def of_groups(ax: Axes, count: int) -> list[str]:
    """Return a colour for each group: the text's, then those of the style that differ most to colour-blind eyes.

    Colours that could be taken for the agent's or the caller's are left out, and those too pale to be seen.
    """
    from matplotlib import rcParams  # noqa: PLC0415 - an extra
    from matplotlib.colors import to_hex, to_rgb  # noqa: PLC0415 - an extra

    parties = [to_rgb(role(ax, name)) for name in ("agent", "caller")]
    page = "black" if is_dark(ax) else "white"
    cycle = [to_hex(colour) for colour in rcParams["axes.prop_cycle"].by_key().get("color", [])]
    free = [
        colour
        for colour in dict.fromkeys(cycle)
        if contrast(colour, page) >= _SEEN
        and min(float(np.linalg.norm(np.subtract(to_rgb(colour), party))) for party in parties) >= _NEAR
    ]
    chosen = [to_hex(ink())]
    while free and len(chosen) < count:
        best = max(free, key=lambda colour: min(_apart(colour, other) for other in chosen))
        chosen.append(best)
        free.remove(best)
    # A style of few colours has its kinds of lines.
    return [chosen[index % len(chosen)] for index in range(count)]


def contrast(colour: Any, other: Any) -> float:
    """Return how much lighter one colour is than the other, 1 to 21, as WCAG 2 defines it; so they differ in grey."""
    low, high = sorted((_luminance(colour), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _linear(colour: Any) -> Doubles:
    from matplotlib.colors import to_rgb  # noqa: PLC0415 - an extra

    values = np.asarray(to_rgb(colour))
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _luminance(colour: Any) -> float:
    return float(_linear(colour) @ [0.2126, 0.7152, 0.0722])


def _apart(colour: str, other: str) -> float:
    """Return the distance of two colours in CIELAB without its axis from green to red, which many don't see."""
    return float(np.hypot(*np.subtract(_lightness_and_blue(colour), _lightness_and_blue(other))))


def _lightness_and_blue(colour: str) -> tuple[float, float]:
    linear = _linear(colour)
    roots = np.cbrt([linear @ [0.2126, 0.7152, 0.0722], linear @ [0.0193, 0.1192, 0.9505] / 1.089])
    return float(116 * roots[0] - 16), float(200 * (roots[0] - roots[1]))
