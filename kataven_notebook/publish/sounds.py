"""A clip as a page holds it: as MP3, which every browser plays, and as a small drawing with its moment marked."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.sound.encode import write

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from kataven_notebook.sound.recording import Recording

RATE_HZ = 16_000
"""MP3 of 8 kHz is of a later standard than some players know, and speech of telephones has nothing above 8 kHz."""
MOST_S = 60.0
"""A longer clip is cut: twelve of this length are 3.9 MB in the page."""
# What libsndfile makes 32 kbit/s of at this rate.
_COMPRESSION = 0.85
_BARS = 240
_WIDTH, _LANE = 720, 36
_MOST_LANES = 2


def data_url(recording: Recording) -> str:
    """Return a recording as an address that holds its sound: MP3 of 32 kbit/s, two channels at most.

    Examples
    --------
    >>> from kataven_notebook.sound.recording import Recording
    >>> data_url(Recording.from_samples([0.0] * 8_000, 8_000))[:23]
    'data:audio/mpeg;base64,'
    """
    sound = recording if recording.channels <= _MOST_LANES else recording.mono()
    sound = sound.resample(RATE_HZ)
    file = io.BytesIO()
    write(file, sound.blocks(), "mp3", RATE_HZ, sound.channels, bits=None, compression=_COMPRESSION)
    return "data:audio/mpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")


def drawing(
    recording: Recording, moment: tuple[float, float], *, roles: Sequence[str] = (), start_s: float = 0.0
) -> str:
    """Return a clip's waveform as HTML: a lane a channel, the moment marked, the call's time below.

    Parameters
    ----------
    recording
        The clip.
    moment
        When the moment starts and ends, in seconds of the clip.
    roles
        Who speaks on each channel: "agent", "caller", or "" where that isn't known.
    start_s
        When the clip starts, in seconds of the call.
    """
    levels = _levels(recording)[:_MOST_LANES]
    length = max(recording.duration_s, 1e-9)
    height = _LANE * len(levels)
    left, right = (_WIDTH * min(max(each, 0.0), length) / length for each in moment)
    parts = [f'<rect class="moment" x="{left:.1f}" y="0" width="{max(right - left, 2.0):.1f}" height="{height}"/>']
    for lane, each in enumerate(levels):
        role = roles[lane] if lane < len(roles) else ""
        parts.append(f'<path class="{role or f"channel{lane}"}" d="{_bars(each, (lane + 0.5) * _LANE)}"/>')
    times = [("", start_s), ("", start_s + length)]
    if 0.2 * _WIDTH < left < 0.8 * _WIDTH:
        times.insert(1, (f' style="left:{100 * left / _WIDTH:.1f}%"', start_s + moment[0]))
    clocks = "".join(f"<span{style}>{clock(at_s)}</span>" for style, at_s in times)
    kind = f'class="wave lanes{len(levels)}" viewBox="0 0 {_WIDTH} {height}" preserveAspectRatio="none"'
    return (
        f'<svg {kind} aria-hidden="true" focusable="false">{"".join(parts)}</svg>'
        f'<p class="times" aria-hidden="true">{clocks}</p>'
    )


def clock(at_s: float) -> str:
    """Return a place in a call: minutes, and seconds to the tenth.

    Examples
    --------
    >>> clock(9.96), clock(75.25)
    ('0:10.0', '1:15.2')
    """
    tenths = round(max(at_s, 0.0) * 10)
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"


def _levels(recording: Recording) -> npt.NDArray[np.float64]:
    """Return how loud each channel is, `(channels, bars)` from 0 to 1; all share one scale."""
    samples = np.abs(np.nan_to_num(recording.samples, nan=0.0, posinf=1.0, neginf=1.0)).astype(np.float64)
    count = min(_BARS, len(samples))
    starts = np.linspace(0, len(samples), count, endpoint=False).astype(np.intp)
    highest: npt.NDArray[np.float64] = np.maximum.reduceat(samples, starts, axis=0).T
    return highest / max(float(highest.max(initial=0.0)), 1e-3)


def _bars(levels: npt.NDArray[np.float64], middle: float) -> str:
    step = _WIDTH / max(1, len(levels))
    half = np.maximum(levels * (_LANE / 2 - 2), 0.5)
    return "".join(f"M{(at + 0.5) * step:.1f} {middle - h:.1f}v{2 * h:.1f}" for at, h in enumerate(half.tolist()))
