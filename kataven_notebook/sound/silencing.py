"""Takes parts of sound out at equal length: silence or a tone in their place, and no click at their edges."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy.typing as npt

    Samples = npt.NDArray[np.float32]
    Intervals = npt.NDArray[np.float64]

FADE_S = 0.01
"""How long the sound takes to fade before and after what is taken out; shorter is heard as a click."""
BEEP_HZ = 1_000.0
# Transcripts' last words end a little after the call; what lies further out is in milliseconds, or of another call.
_BEYOND_S = 1.0
# A tone is as loud as the channel's speech elsewhere, within what is neither lost nor a shock.
_BEEP_DBFS = (-36.0, -16.0)
_SPEECH_PERCENTILE = 95
_FRAME_S = 0.02


def intervals_per_channel(intervals: Any, channels: int, duration_s: float) -> list[Intervals]:
    """Return what is to be taken out of each channel: `(n, 2)` float64 seconds, sorted and disjoint.

    Parameters
    ----------
    intervals
        `(n, 2)` seconds for all channels, or a sequence of such arrays, one a channel, None or empty for nothing.
    channels, duration_s
        Of the recording.

    Raises
    ------
    ValueError
        Another shape, something that is no number, an end that is not after its start, or an interval that lies
        outside of the recording.

    Examples
    --------
    >>> [each.tolist() for each in intervals_per_channel([(2, 3), (0.5, 1), (0.75, 1.5)], 1, 4.0)]
    [[[0.5, 1.5], [2.0, 3.0]]]
    >>> [each.tolist() for each in intervals_per_channel([[], [(1, 2)]], 2, 4.0)]
    [[], [[1.0, 2.0]]]
    """
    listed = list(intervals.to_numpy() if hasattr(intervals, "to_numpy") else _iterated(intervals))
    pairs = [_is_pair(each) for each in listed]
    if all(pairs):
        return [_united(_checked(listed, duration_s, ""))] * channels
    if any(pairs) or len(listed) != channels or not all(each is None or np.iterable(each) for each in listed):
        raise ValueError(
            f"intervals={intervals!r:.80} are no pairs of start and end: pass (n, 2) seconds, such as [(12.5, 14.0)], "
            f"or a list of such, one for each of the {channels} channels"
        )
    return [
        _united(_checked([] if each is None else list(each), duration_s, f" of channel {channel}"))
        for channel, each in enumerate(listed)
    ]


def silence(
    samples: Samples, sample_rate: int, intervals: Sequence[Intervals], *, beep: bool, bits: int | None
) -> Samples:
    """Return a copy of the samples without what lies in the intervals, of which nothing is left.

    Parameters
    ----------
    samples
        `(frames, channels)` float32.
    sample_rate
        Frames a second, Hz.
    intervals
        Per channel, as `intervals_per_channel` returns them.
    beep
        A tone instead of silence.
    bits
        Of a sample; what is computed is rounded to them, so that the rest stays in its width. None for floats.
    """
    made = samples.copy()
    for channel, wanted in enumerate(intervals):
        lane = made[:, channel]
        spans = list(_spans(wanted, sample_rate, len(lane)))
        for first, last in spans:
            _fade(lane, first, last, sample_rate, bits)
        # After all fades, and set, not multiplied: no factor makes silence of NaN.
        for first, last in spans:
            lane[first:last] = 0.0
        if beep and spans:
            level = _speech_level_dbfs(lane, spans, sample_rate)
            for first, last in spans:
                lane[first:last] = _rounded(_tone(last - first, sample_rate, level), bits)
    return made


def _iterated(intervals: Any) -> Iterable[Any]:
    try:
        return list(intervals)
    except TypeError:
        raise ValueError(f"intervals={intervals!r}: pass (n, 2) seconds, such as [(12.5, 14.0)]") from None


def _is_pair(value: Any) -> bool:
    try:
        return len(value) == 2 and all(np.ndim(each) == 0 and each is not None for each in value)
    except (TypeError, ValueError):
        return False


def _checked(pairs: list[Any], duration_s: float, of_channel: str) -> Intervals:
    found = np.empty((len(pairs), 2))
    for number, pair in enumerate(pairs):
        if not _is_pair(pair):
            raise ValueError(f"interval {number}{of_channel} is {pair!r:.80}: pass start and end, in seconds")
        try:
            start_s, end_s = (float(each) for each in pair)
        except (TypeError, ValueError):
            raise ValueError(f"interval {number}{of_channel} is {pair!r:.80}: pass numbers, in seconds") from None
        named = f"interval {number}{of_channel} ({start_s:g} to {end_s:g} s)"
        if not start_s < end_s:  # NaN too
            raise ValueError(f"{named} takes nothing out: its end must lie after its start, both in seconds")
        if start_s > duration_s + _BEYOND_S or end_s < -_BEYOND_S:
            raise ValueError(
                f"{named} lies outside of the recording of {duration_s:.1f} s: pass seconds from its beginning"
            )
        found[number] = start_s, end_s
    return found


def _united(intervals: Intervals) -> Intervals:
    """Return intervals sorted, those that overlap or touch as one."""
    joined: list[list[float]] = []
    for start_s, end_s in sorted(intervals.tolist()):
        if joined and start_s <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], end_s)
        else:
            joined.append([start_s, end_s])
    return np.array(joined, dtype=np.float64).reshape(-1, 2)


def _spans(intervals: Intervals, sample_rate: int, frames: int) -> Iterator[tuple[int, int]]:
    """Yield first and last frame of what is taken out: every frame that an interval touches."""
    for start_s, end_s in intervals.tolist():
        first = math.floor(max(0.0, start_s) * sample_rate)
        last = frames if math.isinf(end_s) else math.ceil(end_s * sample_rate)
        if first < min(last, frames):
            yield first, min(last, frames)


def _fade(lane: Samples, first: int, last: int, sample_rate: int, bits: int | None) -> None:
    length = max(1, round(FADE_S * sample_rate))
    # From nearly 1 to nearly 0, half a cosine.
    down = 0.5 + 0.5 * np.cos(np.pi * np.arange(1, length + 1) / (length + 1))
    before = lane[max(0, first - length) : first]
    before[:] = _rounded(before * down[length - len(before) :], bits)
    after = lane[last : last + length]
    after[:] = _rounded(after * down[::-1][: len(after)], bits)


def _rounded(values: npt.NDArray[np.floating[Any]], bits: int | None) -> Samples:
    if bits is None:
        return values.astype(np.float32)
    scale = 2.0 ** (bits - 1)
    return (np.rint(values.astype(np.float64) * scale) / scale).astype(np.float32)


def _tone(frames: int, sample_rate: int, level_dbfs: float) -> npt.NDArray[np.float64]:
    """Return a tone that swells and dies away within its length."""
    hz = min(BEEP_HZ, sample_rate / 4)
    time = np.arange(frames) / sample_rate
    edge = max(1, min(round(FADE_S * sample_rate), frames // 2))
    from_edge = np.minimum(np.arange(1, frames + 1), np.arange(frames, 0, -1))
    swell = 0.5 - 0.5 * np.cos(np.pi * np.minimum(from_edge / (edge + 1), 1.0))
    loud: npt.NDArray[np.float64] = math.sqrt(2) * 10 ** (level_dbfs / 20) * swell * np.sin(2 * np.pi * hz * time)
    return loud


def _speech_level_dbfs(lane: Samples, spans: list[tuple[int, int]], sample_rate: int) -> float:
    """Return how loud a channel's speech is, of what is left: the level that 5 in 100 of its 20 ms exceed."""
    length = max(1, round(_FRAME_S * sample_rate))
    left = np.ones(len(lane), dtype=np.bool_)
    for first, last in spans:
        left[first:last] = False
    kept = np.nan_to_num(lane[left], nan=0.0, posinf=1.0, neginf=-1.0)
    whole = kept[: len(kept) // length * length].reshape(-1, length)
    if not len(whole):
        return _BEEP_DBFS[0]
    power = float(np.percentile(np.mean(whole.astype(np.float64) ** 2, axis=1), _SPEECH_PERCENTILE))
    return float(np.clip(10 * math.log10(power) if power > 0 else -math.inf, *_BEEP_DBFS))
