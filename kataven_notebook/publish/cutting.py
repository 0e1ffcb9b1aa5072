"""`clips`: moments of calls cut out as recordings of their own."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kataven_notebook.arguments import is_number
from kataven_notebook.defaults import with_configured_names
from kataven_notebook.errors import ConfigurationError, DecodeError
from kataven_notebook.frame.job import FrameJob
from kataven_notebook.frame.options import sound_plan
from kataven_notebook.frame.sessions import find_sessions, session_column
from kataven_notebook.frame.side_tables import checked_table
from kataven_notebook.frame.silences import Silences
from kataven_notebook.notices import warn_caller
from kataven_notebook.publish.clip_frames import Clip, check_clip_names, clips_frame, frame_of_calls
from kataven_notebook.redact import one_line
from kataven_notebook.run.plan import DEFAULT_MAX_BYTES
from kataven_notebook.run.work import working
from kataven_notebook.sound.excerpts import packed, read_spans
from kataven_notebook.status import Status, status_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt
    import pandas as pd

    from kataven_notebook.frame.options import Duration
    from kataven_notebook.frame.sessions import Sessions
    from kataven_notebook.run.plan import Outcome
    from kataven_notebook.settings import Settings
    from kataven_notebook.sound.recording import Recording
    from kataven_notebook.sound.silencing import Intervals
    from kataven_notebook.store.opening import StoreLike


@with_configured_names
def clips(
    moments: pd.DataFrame,
    calls: pd.DataFrame | None = None,
    *,
    pad_s: float = 1.0,
    silence: pd.DataFrame | None = None,
    session: str = "session_id",
    store: StoreLike = None,
    max_bytes: int = DEFAULT_MAX_BYTES,
    max_wait: Duration = None,
    in_flight: int | None = None,
    prefix: str = "",
    progress: bool | None = None,
    settings: Settings | None = None,
) -> pd.DataFrame:
    """Return the moments with the sound of each cut out, as a recording of its own.

    To be listened to side by side, exported or passed on without the rest of the call:
    `player(clips, session="clip_id")`, `to_audiofolder(clips, folder, session="clip_id")`, or
    `clips["audio"].iloc[0].save("clip.mp3")`. Each call is fetched once and not kept, and no second of it
    is decoded twice.

    Parameters
    ----------
    moments
        One row a moment: the table of `moments()`, or any other with the session column, `start_s` and
        perhaps `end_s` in seconds, such as words, marks or disagreements. Left as it is.
    calls
        The frame whose `audio` column has the calls' sound. What it lacks comes from the store; where there
        is no store it has to have all. By default, the sound comes from the moments' own `audio` column
        if they have one, else from the store, else from the service, within limits, as for `audio`.
    pad_s
        How much before the start and after the end is part of the clip, in seconds, from 0; cut off at the
        call's ends. 1 s by default, which is enough to hear what a response answers.
    silence
        What is taken out of the sound, at equal length, such as spoken names and numbers: a table with
        the session column, `start_s`, `end_s` (in seconds of the call), and perhaps `channel` (from 0;
        missing for all), as for `to_audiofolder`. Texts in other columns stay as they are.
    session
        The session column, or the index level of this name, of all three tables.
    store, max_bytes, max_wait, in_flight, prefix, progress, settings
        As for `audio`.

    Returns
    -------
    pandas.DataFrame
        A new frame, same rows and order, with `clip_id` (string; the `moment_id` where there is one, else
        made of session and place; no two rows have the same), `clip_start_s` and `clip_end_s` (float64,
        where in the call the clip lies), `audio` (`recording`), `recording_status` (categorical; "missing"
        too where nothing of the moment lies in the call) and `recording_error` (string). Clips are in
        memory as FLAC of as many bits as the call (16 where it is lossy; sound of floats is WAV): 10,000
        clips of 5 s of the demo's calls, most of them stereo, take 0.85 GB.

    Raises
    ------
    FrameError
        The session column or `start_s` can't be found, a time is no number, a column of the moments has
        one of the names, or a row of `silence` would take nothing out.
    ConfigurationError
        `pad_s` is no number of seconds from 0, or as for `audio`.
    StoreError, MissingExtra
        As for `audio`.
    Interrupted
        Somebody pressed stop; carries the frame with what is finished.

    Examples
    --------
    >>> import kataven_notebook as kn, pandas as pd
    >>> call = kn.Recording.from_samples([[0.1, 0.2]] * 80_000, 8_000)
    >>> calls = pd.DataFrame({"session_id": ["a"], "audio": [call]})
    >>> found = pd.DataFrame({"session_id": ["a"], "start_s": [4.0], "end_s": [4.5], "word": ["refund"]})
    >>> heard = kn.clips(found, calls, progress=False)
    >>> heard[["word", "clip_start_s", "clip_end_s"]].values.tolist(), heard["audio"][0].duration_s
    ([['refund', 3.0, 5.5]], 2.5)
    """
    if not is_number(pad_s) or not pad_s >= 0:  # NaN too
        raise ConfigurationError(f"pad_s={pad_s!r}: pass a number of seconds from 0")
    places = _places(moments, session, float(pad_s))
    check_clip_names(moments, session, prefix)
    silences = _silences(silence, session, places, calls)
    frame, strangers = frame_of_calls(places.sessions.ids, moments, calls, session=session, prefix=prefix)
    if strangers and len(strangers) == len(frame):
        warn_caller(
            f"calls= has none of the sessions of the moments ({one_line(repr(min(strangers)), most_chars=60)} is one): "
            "compare how the ids are written in both"
        )
    job = FrameJob(frame, session, prefix=prefix)
    plan = sound_plan(
        settings,
        store,
        max_bytes=max_bytes,
        verify="quick",
        poll_pending=None,
        max_wait=max_wait,
        in_flight=in_flight,
        keep_sound=False,
    )
    job.split(plan, for_work=True, progress=progress)
    rows = {
        task.session_id: {"session_id": task.session_id, "spans": places.of_session(at)}
        for at, task in job.tasks.items()
    }

    def build(outcomes: list[Outcome]) -> pd.DataFrame:
        found = [
            _clips_of(outcome, len(places.rows_of(at)), is_stranger=job.sessions.ids[at] in strangers)
            for at, outcome in enumerate(outcomes)
        ]
        return clips_frame(moments, places.flat, places.sessions, places.spread(found), prefix=prefix)

    with working(plan, functools.partial(_cut, silences), rows=rows) as ready:
        return build(job.run(ready, label="Cutting", progress=progress, build=build))


@dataclass(frozen=True, slots=True)
class _Places:
    """Where in which call the moments lie.

    Parameters
    ----------
    flat
        The caller's table with its session as a column and its times as numbers.
    sessions
        Which session each row names.
    spans
        Start and end of each row's clip, in seconds.
    rows
        The rows of each session, by its position in `sessions.ids`.
    """

    flat: pd.DataFrame
    sessions: Sessions
    spans: npt.NDArray[np.float64]
    rows: Mapping[int, npt.NDArray[np.intp]]

    def rows_of(self, position: int) -> npt.NDArray[np.intp]:
        return self.rows[position]

    def of_session(self, position: int) -> list[list[float]]:
        """Return the spans of a session's rows."""
        spans: list[list[float]] = self.spans[self.rows[position]].tolist()
        return spans

    def spread(self, clips: list[list[Clip]]) -> list[Clip]:
        """Turn the clips of each session, in the order of its rows, into one a row."""
        found: list[Clip | None] = [None] * len(self.flat)
        for position, of_session in enumerate(clips):
            for row, clip in zip(self.rows[position].tolist(), of_session, strict=True):
                found[row] = clip
        return [each for each in found if each is not None]


def _places(moments: pd.DataFrame, session: str, pad_s: float) -> _Places:
    session_column(moments, session)  # refuses what is no frame, or has names in several levels
    # Channels and the like are not needed: what they hold is the caller's.
    used = [name for name in dict.fromkeys((session, "start_s", "end_s")) if name in moments.columns]
    flat = checked_table(moments[used], session, "moments", ("start_s",))
    sessions = find_sessions(flat, session)
    start = flat["start_s"].to_numpy(dtype="float64")
    end = flat["end_s"].to_numpy(dtype="float64") if "end_s" in flat.columns else start
    # A moment without an end is the place where it begins.
    spans = np.column_stack([start - pad_s, np.where(np.isnan(end), start, end) + pad_s]).reshape(-1, 2)
    order = np.argsort(sessions.codes, kind="stable")
    ends = np.searchsorted(sessions.codes[order], np.arange(len(sessions.ids)), side="right")
    rows = dict(enumerate(np.split(order, ends[:-1]))) if len(ends) else {}
    return _Places(flat, sessions, spans, rows)


def _silences(table: pd.DataFrame | None, session: str, places: _Places, calls: pd.DataFrame | None) -> Silences:
    """Return what is to be taken out; a table of all calls may go with the moments of a few."""
    silences = Silences(table, session)
    ids = {each for each in places.sessions.ids if isinstance(each, str)}
    if silences.session_ids and ids and not ids & set(silences.session_ids):
        first = one_line(repr(next(iter(silences.session_ids))), most_chars=60)
        warn_caller(
            f"silence= names no session of these moments ({first} is its first): nothing is taken out of their sound; "
            "compare how the ids are written in both"
        )
    elif silences.session_ids and calls is not None:
        silences.check([*ids, *find_sessions(calls, session).ids])
    return silences


def _cut(silences: Silences, recording: Recording, row: Mapping[str, Any]) -> list[Clip]:
    """Return the clips of one call; what can't be cut says why."""
    rate, session_id = recording.sample_rate, row["session_id"]
    spans = [_frames(recording, *span) for span in row["spans"]]
    wanted = [span for span in spans if not isinstance(span, Clip)]
    try:
        # Before anything is read: of a call whose silence can't be had, nothing goes out.
        quiet = [silences.of_part(recording, session_id, first / rate, last / rate) for first, last in wanted]
        cut = {at: _clip(recording, wanted[at], quiet[at], samples) for at, samples in read_spans(recording, wanted)}
        found = iter([cut[at] for at in range(len(wanted))])
        return [span if isinstance(span, Clip) else next(found) for span in spans]
    except DecodeError as error:
        return [Clip(status_of(error), error.message)] * len(spans)
    except ValueError as error:
        return [Clip(Status.FAILED, f"{error}: nothing of this call was cut out")] * len(spans)


def _clip(
    recording: Recording, span: tuple[int, int], quiet: list[Intervals] | None, samples: npt.NDArray[np.float32]
) -> Clip:
    rate, first = recording.sample_rate, span[0]
    if not len(samples):
        return Clip(Status.CORRUPT, f"the file ends before {first / rate:.1f} s of {recording.duration_s:.1f} s")
    audio = packed(samples, recording, quiet)
    return Clip(Status.DOWNLOADED, None, audio, first / rate, (first + len(samples)) / rate)


def _frames(recording: Recording, start_s: float, end_s: float) -> tuple[int, int] | Clip:
    """Return the first frame of a clip and the one after its last, or why there is none."""
    if math.isnan(start_s):
        return Clip(Status.MISSING, "the row has no start_s: there is no clip of it")
    rate, duration_s = recording.sample_rate, recording.duration_s
    first, last = (round(min(max(0.0, at_s), duration_s) * rate) for at_s in (start_s, end_s))
    if first < last:
        return first, last
    where = f"{start_s:.1f} to {end_s:.1f} s"
    if end_s > start_s:
        return Clip(Status.MISSING, f"nothing of {where} lies in the call, which is {duration_s:.1f} s long")
    return Clip(Status.MISSING, f"nothing lies between its start and its end ({where}): pass pad_s=")


def _clips_of(outcome: Outcome, count: int, *, is_stranger: bool) -> list[Clip]:
    """Return the clips of a session, or for each why there is none."""
    if outcome.value is not None:
        found: list[Clip] = outcome.value
        return found
    if outcome.work_error is not None:
        return [Clip(Status.FAILED, outcome.work_error)] * count
    status, error = outcome.status, outcome.error
    if status.is_good:
        # A signed URL beside other calls' sound: nothing is asked for then.
        status, error = Status.SKIPPED, "there is no sound in the audio column: call audio()"
    if is_stranger and status == Status.SKIPPED:
        error = "calls= has no row of this session: add it, or pass store="
    return [Clip(status, error)] * count
