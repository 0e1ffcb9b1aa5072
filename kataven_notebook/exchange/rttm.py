"""Turns as RTTM, the text format of the diarization field."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook.arguments import absolute_path
from kataven_notebook.defaults import with_configured_names
from kataven_notebook.errors import FrameError, StoreError
from kataven_notebook.hints import SESSION_NAMES, did_you_mean, no_frame
from kataven_notebook.machine.folders import atomic
from kataven_notebook.redact import encodable

if TYPE_CHECKING:
    import os

_TIMES = ("start_s", "end_s")


@with_configured_names
def to_rttm(turns: pd.DataFrame, path: str | os.PathLike[str] | None = None, *, session: str = "session_id") -> str:
    r"""Return turns as RTTM, the text format in which diarization tools speak of who spoke when.

    Parameters
    ----------
    turns
        What `turns` returned (or part of it): `start_s`, `end_s`, `channel`, and `role` where it is
        known. Rows without length are passed over.
    path
        Where to write it as well, atomically.
    session
        The column that names the call; white space in it, which RTTM can't hold, becomes `_`.

    Returns
    -------
    str
        One line a turn, `SPEAKER <call> <channel> <start> <length> <NA> <NA> <speaker> <NA> <NA>`,
        times in seconds to the millisecond, channels from 1, speakers "agent", "caller", or
        "channel_1" where the role is not known.

    Raises
    ------
    FrameError
        A column is not there, or times or channels are no numbers.
    ConfigurationError
        `path` is no path.
    StoreError
        The file can't be written.

    Examples
    --------
    >>> talk = pd.DataFrame(
    ...     {"session_id": ["a"], "channel": [0], "role": ["agent"], "start_s": [0.5], "end_s": [2.0]}
    ... )
    >>> to_rttm(talk)
    'SPEAKER a 1 0.500 1.500 <NA> <NA> agent <NA> <NA>\n'
    """
    if not isinstance(turns, pd.DataFrame):
        raise FrameError(no_frame("a table of turns, as turns() returns it,", turns))
    lacking = [name for name in (session, "channel", "start_s", "end_s") if name not in turns.columns]
    if lacking:
        near = did_you_mean(lacking[0], turns.columns, known_as=SESSION_NAMES if lacking[0] == session else ())
        raise FrameError(
            f"there is no column {lacking[0]!r}{near}: pass what turns() returned, and session= where it differs"
        )
    try:
        starts, ends, channels = (
            pd.to_numeric(turns[name]).to_numpy(dtype="float64", na_value=np.nan) for name in (*_TIMES, "channel")
        )
    except (ValueError, TypeError) as error:
        raise FrameError(
            f"start_s and end_s must be seconds, and channel a number ({error}): pass what turns() returned"
        ) from None
    roles = turns["role"] if "role" in turns.columns else pd.Series([None] * len(turns), dtype=object)
    lines = []
    for call, channel, role, start_s, end_s in zip(turns[session], channels, roles, starts, ends, strict=True):
        if not end_s > start_s:
            continue
        number = int(channel) + 1 if np.isfinite(channel) else 1
        speaker = f"channel_{number}" if pd.isna(role) else _word(role)
        lines.append(
            f"SPEAKER {_word(call)} {number} {start_s:.3f} {end_s - start_s:.3f} <NA> <NA> {speaker} <NA> <NA>\n"
        )
    text = "".join(lines)
    if path is not None:
        try:
            with atomic(absolute_path("path", path)) as file:
                file.write(text.encode())
        except OSError as error:
            raise StoreError(f"{path} can't be written ({error}): choose another place") from None
    return text


def _word(value: Any) -> str:
    return re.sub(r"\s+", "_", encodable(str(value)).strip()) or "_"
