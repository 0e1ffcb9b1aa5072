"""One party a channel: what leaks in and who speaks behind is taken out, or a doubt says that it can't be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.speech.cancel import cancelled
from kataven_notebook.speech.echo import find_echoes
from kataven_notebook.speech.edges import EdgeFinder
from kataven_notebook.speech.foreground import find_behind
from kataven_notebook.speech.leak import Leak, find_leak
from kataven_notebook.speech.level import decibels, loud, marked, regions, runs, smoothed, switched
from kataven_notebook.speech.reverberation import tail_s
from kataven_notebook.speech.spectrum import FRAME_S, FRAMES_PER_WINDOW
from kataven_notebook.speech.tracks import read_tracks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from kataven_notebook.sound.recording import Recording
    from kataven_notebook.speech.echo import Echo
    from kataven_notebook.speech.intervals import Intervals
    from kataven_notebook.speech.tracks import Track

    Mask = NDArray[np.bool_]
    Frames = NDArray[np.intp]

# Probabilities of speech at which the model switches. Its own 0.5 and 0.35 gave one point of F1 less
# and 46 ms more error. The level finds the edges beside it; where it is alone, it is heard to the end of a word.
_ON, _OFF, _OFF_ALONE = 0.40, 0.30, 0.25
# By how much the model is late: these are taken off where its own edges are used.
_ONSET_LAG_S, _OFFSET_LAG_S, _OFFSET_LAG_ALONE_S = 0.03, 0.08, 0.05
_LEVEL_SMOOTHING = 25  # frames, 0.2 s
# Of the loudest tenth of speech over the noise, noise included: it is 8 to 9 where the noise is 5 dB below speech, with
# all numbers right, and 4 to 6 at 0 dB, where one number in five was wrong.
_MIN_SNR_DB = 6.5
# Of a window's power that is left when copies are taken out, if hardly any was in it; and how loud it is for that to
# show: against the channel's loudest, and over its floor, in which a copy may hide.
_UNTOUCHED, _LOUD_RATIO, _OVER_FLOOR = 0.7, 10 ** (-20 / 10), 4.0
# What is left of a copy is this far below it, `Leak`'s own gate added: where the other party speaks too, and where it
# never does.
_RESIDUE_DB, _ALONE_DB = 22.0, 2.0
_MIN_ALONE_S = 0.3  # the model hears a copy for a while after it has ended
# Nobody speaks only while another does, and again so much later: that is a copy of which nothing was subtracted.
_TOGETHER, _COPIED, _COPY_LAG_S, _MIN_COPIED_S = 0.7, 0.9, 0.5, 2.0
# Where next to no speech is heard, noise that loud may be why.
_HIDING_DBFS, _MIN_HEARD_S = -45.0, 1.0
ONE_SOUND = "holds the same sound as another channel"


@dataclass(frozen=True, slots=True, eq=False)
class Party:
    """What is known of one channel's party: when it speaks, in seconds, and what stands against that."""

    intervals: Intervals
    leak_db: float
    doubt: str | None


def model_intervals(track: Track) -> Intervals:
    """Return where the model alone hears speech, in seconds, its lag taken off."""
    return _without_lag(regions(_model_mask(track, _OFF_ALONE)), _OFFSET_LAG_ALONE_S)


def find_parties(recording: Recording, tracks: list[Track], threads: int) -> list[Party]:
    """Return each channel's party; reads the recording again where one channel is heard in another.

    Raises
    ------
    DecodeError
        The sound can't be decoded.
    """
    echoes = find_echoes(recording, [track.level_db for track in tracks], [_heard(track, [], 0.0) for track in tracks])
    same = {channel for echo in echoes if echo.is_one_sound for channel in (echo.source, echo.target)}
    # Taking one sound out of itself would leave nothing.
    echoes = [echo for echo in echoes if not same & {echo.source, echo.target}]
    clean = _without(echoes, recording, tracks, threads)
    leaks = [[] if channel in same else _leaks(clean, channel) for channel in range(len(clean))]
    alone = {echo.target for echo in echoes if echo.is_all}
    masks = [
        _heard(track, [*some, *_residues(echoes, clean, channel)], _MIN_ALONE_S if channel in alone else 0.0)
        for channel, (track, some) in enumerate(zip(clean, leaks, strict=True))
    ]
    parties = []
    for channel, track in enumerate(clean):
        others = np.logical_or.reduce([np.zeros_like(masks[0]), *(m for i, m in enumerate(masks) if i != channel)])
        mask, doubt = (masks[channel], None) if channel in same else _foreground(track, masks[channel], others)
        # What is left of an echo is a leak as well, of a lower level.
        levels = [echo.level_db for echo in echoes if echo.target == channel]
        levels = levels or [leak.level_db for leak in leaks[channel]]
        parties.append(
            Party(
                intervals=_placed(track, mask, leaks[channel]),
                leak_db=max(levels, default=float("nan")),
                doubt=ONE_SOUND if channel in same else doubt or _why_hidden(track, mask),
            )
        )
    return [
        party if party.doubt else replace(party, doubt=_why_copied(channel, parties, len(masks[channel])))
        for channel, party in enumerate(parties)
    ]


def _why_copied(channel: int, parties: Sequence[Party], frames: int) -> str | None:
    """Return which other channel's copy a channel may hold, of which nothing was subtracted, or None."""
    own, *others = (_spoken(party, frames) for party in [parties[channel], *parties])
    if own.sum() * FRAME_S < _MIN_COPIED_S:
        return None
    for other, theirs in enumerate(others):
        if other == channel or own[theirs].sum() < _TOGETHER * own.sum():
            continue
        lags = range(0, min(round(_COPY_LAG_S / FRAME_S), frames - 1) + 1, 4)
        if max(own[lag:][theirs[: frames - lag]].sum() for lag in lags) >= _COPIED * own.sum():
            return f"what is heard follows channel {other} as a copy of it would"
    return None


def _spoken(party: Party, frames: int) -> Mask:
    return marked(np.rint(party.intervals / FRAME_S).astype(int), frames)


def _model_mask(track: Track, off: float = _OFF) -> Mask:
    return np.repeat(switched(track.probability, _ON, off), FRAMES_PER_WINDOW)


def _without_lag(frames: Frames, offset_lag_s: float = _OFFSET_LAG_S) -> Intervals:
    found = (frames * FRAME_S).astype(np.float64)
    found[:, 0] = np.maximum(found[:, 0] - _ONSET_LAG_S, 0)
    found[:, 1] -= offset_lag_s
    return found


def _without(echoes: Sequence[Echo], recording: Recording, tracks: list[Track], threads: int) -> list[Track]:
    """Return the tracks with the echoes taken out of those that hold some; reads the sound again for it."""
    targets = sorted({echo.target for echo in echoes})
    if not targets:
        return tracks
    again, _ = read_tracks(
        recording,
        threads,
        with_model=len(tracks[0].probability) > 0,
        channels=len(targets),
        change=partial(cancelled, echoes=echoes, channels=targets),
    )
    return [_judged(again[targets.index(i)], track) if i in targets else track for i, track in enumerate(tracks)]


def _judged(clean: Track, before: Track) -> Track:
    """Return a track from which copies were taken, with the model's first opinion where nothing was taken.

    What the model makes of a word depends on what it heard long before it: without the copies it may miss words
    that were found beside them, although they are the same.
    """
    windows = len(clean.probability)
    if not windows:
        return clean
    left, had = (one.total[: windows * FRAMES_PER_WINDOW].reshape(windows, -1).mean(axis=1) for one in (clean, before))
    floor, high = np.percentile(left, [20, 95])
    loud_power = max(high * _LOUD_RATIO, floor * _OVER_FLOOR)
    same = (left > _UNTOUCHED * had) & (left > loud_power)
    return replace(
        clean, probability=np.where(same, np.maximum(clean.probability, before.probability), clean.probability)
    )


def _leaks(tracks: Sequence[Track], channel: int) -> list[Leak]:
    leaks = []
    for other, source in enumerate(tracks):
        if other != channel and (found := find_leak(tracks[channel].level_db, source.level_db)):
            leaks.append(Leak(source.bands, source.total, *found))
    return leaks


def _residues(echoes: Sequence[Echo], tracks: Sequence[Track], channel: int) -> list[Leak]:
    """Return what may be left of copies: little, but where a party never speaks it is all that is heard."""
    return [
        Leak(
            tracks[echo.source].bands,
            tracks[echo.source].total,
            max(round(echo.lag_s / FRAME_S), 0),
            echo.level_db - (_ALONE_DB if echo.is_all else _RESIDUE_DB),
        )
        for echo in echoes
        if echo.target == channel
    ]


def _heard(track: Track, leaks: Sequence[Leak], least_s: float) -> Mask:
    """Return where speech is heard that is louder than the leaks, short pauses included."""
    mask = _model_mask(track) if len(track.probability) else loud(track.level_db)
    for leak in leaks:
        mask &= ~leak.covers(track.total)
    for start, end in runs(mask) if least_s else ():
        mask[start:end] = (end - start) * FRAME_S >= least_s
    return marked(regions(mask), len(mask))


def _foreground(track: Track, mask: Mask, others: Mask) -> tuple[Mask, str | None]:
    """Return where the party itself speaks, and what is in doubt about that."""
    # The level alone has no idea what a voice is.
    behind = find_behind(track.total, mask, others) if len(track.probability) else None
    if behind is None:
        return mask, None
    if behind.foreground is None:
        return mask, f"another voice is heard behind the party, about {-behind.level_db:.0f} dB below"
    return behind.foreground, None


def _placed(track: Track, mask: Mask, leaks: Sequence[Leak]) -> Intervals:
    decided = regions(mask)
    by_model = len(track.probability) > 0
    decided_s = _without_lag(decided) if by_model else (decided * FRAME_S).astype(np.float64)
    return EdgeFinder(track.bands, leaks, decided, tail_s(track.level_db, decided)).edges(decided_s)


def _why_hidden(track: Track, mask: Mask) -> str | None:
    """Return why noise may hide speech, or None."""
    quiet = ~mask
    if not quiet.any():
        return None
    noise_dbfs = float(np.median(track.level_db[: len(mask)][quiet]))
    if mask.sum() * FRAME_S < _MIN_HEARD_S:
        return f"noise of {noise_dbfs:.0f} dBFS may hide speech" if noise_dbfs > _HIDING_DBFS else None
    level_db = decibels(smoothed(track.total, _LEVEL_SMOOTHING))[: len(mask)]
    above_db = float(np.percentile(level_db[mask], 90)) - noise_dbfs
    return f"speech is only {above_db:.0f} dB above the noise" if above_db < _MIN_SNR_DB else None
