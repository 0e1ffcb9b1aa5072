"""A still picture of one call: what a saved or exported notebook shows of a player, without its sound."""

from __future__ import annotations

import contextlib
import threading
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np

from kataven_notebook.clock import duration_text
from kataven_notebook.desk.peaks import peak_blocks
from kataven_notebook.errors import KatavenError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from kataven_notebook.desk.contents import Contents
    from kataven_notebook.desk.sources import CallSource
    from kataven_notebook.sound.recording import Recording

_WIDTH_PX = 960
_BARS = 320
_LANE_PX = 48
_TOP_PX = 18
_AXIS_PX = 16
_MAX_LANES = 4
_MAX_MARKS = 100
# On white and on black they have at least three to one: a picture does not know the notebook's theme.
_ROLES = {"agent": "#3a7fdc", "caller": "#d9730d"}
_LANES = ("#1f8a8a", "#9a6a9a")
_INK = "#767f89"
_MARK = "#b3722a"
_TICKS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 86400)
_MOST_TICKS = 8
# Marks that stand for a point or a judgement are named; of the others the colour is enough.
_NAMED = ("mark", "label")


class Still:
    """Makes the pictures of a player's calls; keeps how loud the last one was.

    Parameters
    ----------
    contents
        What the page shows of them.
    source
        Where the sound comes from; a call that only the page can play has no picture.
    """

    def __init__(self, contents: Contents, source: CallSource) -> None:
        self._contents, self._source = contents, source
        self._reading = threading.Lock()
        self._last: tuple[int, float, npt.NDArray[np.float64]] | None = None

    def of(self, key: int | None, *, patience_s: float | None = None) -> str:
        """Return a call's picture as HTML; empty where it has none, or where its sound takes longer to read."""
        if key is None or self._contents.why_silent(key):
            return ""
        # An hour takes a third of a second, and a bucket as long as it likes.
        reading = threading.Thread(target=self._read, args=(key,), name="kataven-player-still", daemon=True)
        reading.start()
        reading.join(patience_s)
        last = self._last
        if last is None or last[0] != key:
            return ""
        shown = self._contents.about(key)
        regions = [{**each, "kind": "label"} for each in shown["labels"] if each["start_s"] is not None]
        marks = [*shown["marks"], *regions]
        picture = still(last[2], last[1], marks=marks, roles=shown["roles"], title=shown["title"])
        # The page hides it while the player itself is there.
        return f'<div class="kn-still-{self._contents.token}">{picture}</div>'

    def _read(self, key: int) -> None:
        with self._reading, contextlib.suppress(KatavenError, OSError):
            if self._last is None or self._last[0] != key:
                recording = self._source.sound(self._contents.calls.session_id(key))
                if recording is not None:
                    self._last = key, recording.duration_s, bars(recording)


def bars(recording: Recording) -> npt.NDArray[np.float64]:
    """Return how loud a recording is along its length.

    Parameters
    ----------
    recording
        Read block by block.

    Returns
    -------
    numpy.ndarray
        `(channels, bars)` float64 from 0 to 1, each channel's loudest bar 1; silent channels are 0.

    Raises
    ------
    DecodeError
        The sound breaks off.
    """
    blocks = [block.peaks for block in peak_blocks(recording, block_s=60.0)]
    if not blocks:
        return np.zeros((recording.channels, 0))
    peaks = np.concatenate(blocks, axis=1)
    starts = np.unique(np.linspace(0, peaks.shape[1], min(_BARS, peaks.shape[1]), endpoint=False).astype(int))
    highest = np.maximum.reduceat(peaks, starts, axis=1)
    # A peak of 1 stands for silence.
    loud = np.where(highest > 1, (highest / 255.0) ** 2, 0.0)
    largest = loud.max(axis=1, keepdims=True)
    levels: npt.NDArray[np.float64] = np.divide(loud, largest, out=np.zeros_like(loud), where=largest > 0)
    return levels


def still(
    levels: npt.NDArray[np.float64],
    duration_s: float,
    *,
    marks: Sequence[Mapping[str, Any]] = (),
    roles: Sequence[str] = (),
    title: str = "",
) -> str:
    """Return a picture of a call as an `<img>` whose source is the picture itself.

    Parameters
    ----------
    levels
        As `bars` gives them; no more than four channels are drawn.
    duration_s
        How long the call is.
    marks
        As the page draws them: `kind`, `label`, `start_s`, `end_s`.
    roles
        Who speaks on each channel, "agent" or "caller", where that is known: each has its colour in every call.
    title
        How the call is named, for those who do not see the picture.

    Examples
    --------
    >>> import numpy as np
    >>> picture = still(np.array([[0.2, 1.0, 0.4]]), 65.0, title="a-1")
    >>> picture[:23], 'alt="Waveform of a-1, 1:05"' in picture
    ('<img alt="Waveform of a', True)
    """
    levels = levels[:_MAX_LANES]
    height = _TOP_PX + _LANE_PX * len(levels) + _AXIS_PX
    parts = [_lane(each, lane, _colour(lane, roles)) for lane, each in enumerate(levels)]
    parts += _marks([each for each in marks if 0 <= each["start_s"] <= duration_s][:_MAX_MARKS], duration_s, height)
    parts += _axis(duration_s, height)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH_PX} {height}" '
        f'font-family="sans-serif" font-size="11">{"".join(parts)}</svg>'
    )
    alt = escape(f"Waveform of {title}, {duration_text(duration_s)}")
    source = quote(svg, safe=" ='/:;,()@!*-._~")
    return f'<img alt="{alt}" width="{_WIDTH_PX}" style="max-width:100%;height:auto" src="data:image/svg+xml,{source}">'


def _colour(lane: int, roles: Sequence[str]) -> str:
    role = roles[lane] if lane < len(roles) else ""
    return _ROLES.get(role, _LANES[lane % 2])


def _lane(levels: npt.NDArray[np.float64], lane: int, colour: str) -> str:
    """Return one lane as a path: moves between bars are relative, which takes the fewest characters."""
    middle = _TOP_PX + (lane + 0.5) * _LANE_PX
    step = _WIDTH_PX / max(1, len(levels))
    path = []
    for number, level in enumerate(levels.tolist()):
        half = max(0.5, level * (_LANE_PX / 2 - 3))
        path.append(f"M{(number + 0.5) * step:.1f} {middle - half:.1f}v{2 * half:.1f}")
    wide = max(1.0, step - 1)
    return f'<path d="{"".join(path)}" stroke="{colour}" stroke-width="{wide:.1f}"/>'


def _marks(marks: Sequence[Mapping[str, Any]], duration_s: float, height: int) -> list[str]:
    parts = []
    free = 0.0
    for each in marks:
        left = _x(each["start_s"], duration_s)
        end_s = each["end_s"] if each["end_s"] is not None and each["end_s"] > each["start_s"] else each["start_s"]
        wide = max(2.0, _x(min(end_s, duration_s), duration_s) - left)
        parts.append(
            f'<rect x="{left:.0f}" y="{_TOP_PX - 4}" width="{wide:.0f}" height="{height - _TOP_PX - _AXIS_PX + 4}" '
            f'fill="{_MARK}" fill-opacity=".18"/><rect x="{left:.0f}" y="{_TOP_PX - 4}" width="{wide:.0f}" '
            f'height="4" fill="{_MARK}"/>'
        )
        name = str(each["label"])[:24]
        if each["kind"] in _NAMED and name and left >= free:
            parts.append(f'<text x="{left:.0f}" y="10" fill="{_MARK}">{escape(name)}</text>')
            free = left + 7.0 * len(name) + 8
    return parts


def _axis(duration_s: float, height: int) -> list[str]:
    tick_s = next((each for each in _TICKS_S if duration_s / each <= _MOST_TICKS), _TICKS_S[-1])
    parts = []
    for number in range(min(_MOST_TICKS, int(duration_s / tick_s)) + 1):
        left, text = _x(number * tick_s, duration_s), duration_text(number * tick_s)
        anchor = "start" if not number else "end" if left > _WIDTH_PX - 30 else "middle"
        parts.append(f'<text x="{left:.0f}" y="{height - 4}" text-anchor="{anchor}" fill="{_INK}">{text}</text>')
    return parts


def _x(seconds: float, duration_s: float) -> float:
    return _WIDTH_PX * seconds / duration_s if duration_s > 0 else 0.0
