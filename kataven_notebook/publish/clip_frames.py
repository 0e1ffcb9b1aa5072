"""The frames around `clips`: which call each moment is of, and the columns that are added to the moments."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook.arguments import is_number
from kataven_notebook.errors import FrameError
from kataven_notebook.frame.columns import (
    AUDIO,
    CLIP_END,
    CLIP_ID,
    CLIP_START,
    DTYPES,
    ERROR,
    EXPIRES_AT,
    SOUND,
    STATUS,
    URL,
    as_array,
    check_names,
    recordings_of,
    refuse_clips,
    statuses,
    texts,
    with_columns,
)
from kataven_notebook.frame.sessions import find_sessions
from kataven_notebook.numbers.moment_ids import short_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kataven_notebook.frame.sessions import Sessions
    from kataven_notebook.sound.recording import Recording
    from kataven_notebook.status import Status

_OF_CALLS = (AUDIO, STATUS, ERROR, URL, EXPIRES_AT)
# What tells own marks and words of one place from each other.
_NAMING = ("kind", "label", "word", "channel", "start_s", "end_s")


@dataclass(frozen=True, slots=True)
class Clip:
    """One moment cut out, or why it could not be.

    Parameters
    ----------
    status, error
        As of a row.
    audio
        The sound.
    start_s, end_s
        Where in the call it lies.
    """

    status: Status
    error: str | None = None
    audio: Recording | None = None
    start_s: float | None = None
    end_s: float | None = None


def check_clip_names(moments: pd.DataFrame, session: str, prefix: str) -> None:
    """Refuse to overwrite a column of the caller's; a frame that `clips` returned may come in again.

    Raises
    ------
    FrameError
        A column has one of our names, and is not ours.
    """
    check_names(moments, (AUDIO, STATUS, ERROR), prefix=prefix, own_session=session)
    ours = [prefix + name for name in (CLIP_ID, CLIP_START, CLIP_END)]
    taken = [name for name in ours if name in moments.columns]
    if session in ours or (taken and len(taken) < len(ours)):
        raise FrameError(
            f"the moments have a column {(taken or [session])[0]!r}, which this would overwrite: rename it, or pass "
            "prefix='kataven_'"
        )


def frame_of_calls(
    ids: Sequence[Any], moments: pd.DataFrame, calls: pd.DataFrame | None, *, session: str, prefix: str
) -> tuple[pd.DataFrame, set[str]]:
    """Return a frame with one row for each session of the moments: what is known of its sound, and nothing else.

    With it come the sessions that `calls` has no row of. Without `calls` it is made of the moments' own columns, but
    where their sound is clips already.

    Raises
    ------
    FrameError
        `calls` is no frame with that session column, holds clips, or has a column of ours twice.
    """
    # As objects: ids that can't be sent are not to fail here.
    frame = pd.DataFrame({session: pd.Series(as_array(ids, "object"), dtype=object)})
    if calls is None and (prefix + AUDIO not in moments.columns or prefix + CLIP_ID in moments.columns):
        return frame, set()
    given = moments if calls is None else calls
    sessions = find_sessions(given, session)
    refuse_clips(given, session, prefix=prefix)
    names = [prefix + name for name in _OF_CALLS if prefix + name in given.columns]
    known = given[names]
    if not known.columns.is_unique:
        twice = known.columns[known.columns.duplicated()][0]
        raise FrameError(f"calls= has several columns {twice!r}: rename all but one")
    # The row that knows most speaks for a session that stands in several.
    has_status, has_sound = (
        np.array([each is not None for each in values], dtype=np.bool_)
        for values in (statuses(given, prefix), recordings_of(given, prefix))
    )
    rows = sessions.first_rows(has_status, has_sound)
    position = {each: rows[at] for at, each in enumerate(sessions.ids) if isinstance(each, str)}
    wanted = [position.get(each, -1) if isinstance(each, str) else -1 for each in ids]
    # A label that is not there gives a row of missing values.
    taken = known.reset_index(drop=True).reindex(pd.Index(wanted, dtype="int64")).reset_index(drop=True)
    strangers = {each for each in ids if isinstance(each, str) and each not in position}
    return pd.concat([frame, taken], axis=1), strangers


def clips_frame(
    moments: pd.DataFrame, flat: pd.DataFrame, sessions: Sessions, clips: Sequence[Clip], *, prefix: str
) -> pd.DataFrame:
    """Return the moments with the clip of each.

    Parameters
    ----------
    moments
        The caller's table.
    flat, sessions
        Its places, and whose they are.
    clips
        One a row.
    """
    values: dict[str, tuple[list[Any], str]] = {
        CLIP_ID: (_clip_ids(moments, flat, sessions), "string"),
        CLIP_START: ([each.start_s for each in clips], "float64"),
        CLIP_END: ([each.end_s for each in clips], "float64"),
        AUDIO: ([each.audio for each in clips], DTYPES[AUDIO]),
        STATUS: ([each.status for each in clips], DTYPES[STATUS]),
        ERROR: ([each.error for each in clips], DTYPES[ERROR]),
    }
    if prefix + AUDIO in moments.columns:
        # The call's length and format, where they stand beside its sound, would be taken for the clip's.
        for name, attribute in SOUND.items():
            if prefix + name in moments.columns:
                found = [None if each.audio is None else getattr(each.audio, attribute) for each in clips]
                values[name] = (found, DTYPES[name])
    # A URL would play the whole call.
    frame = moments.drop(columns=[prefix + name for name in (URL, EXPIRES_AT)], errors="ignore")
    arrays = {name: as_array(each, dtype) for name, (each, dtype) in values.items()}
    return with_columns(frame, arrays, prefix=prefix)


def _clip_ids(moments: pd.DataFrame, flat: pd.DataFrame, sessions: Sessions) -> list[str]:
    """Return a name for each row, no two the same: the moment's id, else one made of session and place."""
    own = texts(moments, "moment_id")
    naming = [flat[name] if name in flat.columns else moments[name] for name in _NAMING if name in moments.columns]
    parts = zip(sessions.spread(sessions.ids), *(column.astype(object) for column in naming), strict=True)
    ids = [
        moment_id if isinstance(moment_id, str) and moment_id else short_name("c", *map(_said, named))
        for moment_id, named in zip(own, parts, strict=True)
    ]
    given, seen = set(ids), Counter[str]()
    found = []
    for each in ids:
        seen[each] += 1
        name = each if seen[each] == 1 else f"{each}-{seen[each]}"
        while seen[each] > 1 and name in given:
            seen[each] += 1
            name = f"{each}-{seen[each]}"
        found.append(name)
    return found


def _said(value: object) -> str:
    """Return a value as text, the same for a number that a file has made a float."""
    if is_number(value):
        return "" if math.isnan(value) else f"{float(value):.3f}"
    return "" if value is None or value is pd.NA else str(value)
