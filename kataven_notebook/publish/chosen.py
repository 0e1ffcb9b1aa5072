"""Which moments a report plays, and their sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from kataven_notebook.frame.analysis import moments
from kataven_notebook.frame.columns import AUDIO, CLIP_END, CLIP_START, ERROR
from kataven_notebook.publish.cutting import clips as cut

if TYPE_CHECKING:
    from collections.abc import Mapping


def chosen_clips(
    df: pd.DataFrame,
    wanted: int | pd.DataFrame,
    *,
    session: str,
    prefix: str,
    pad_s: float,
    silence: pd.DataFrame | None,
    sound: Mapping[str, Any],
) -> pd.DataFrame:
    """Return the clips of a report, the session ids in a column `session`, and our columns without the prefix.

    Parameters
    ----------
    df
        The calls.
    wanted
        How many, the worst first, or the moments themselves.
    session, prefix, pad_s, silence
        As in `report`.
    sound
        Store, progress and settings, where the sound is not in the frame.

    Raises
    ------
    FrameError, ConfigurationError, StoreError, SessionError, MissingExtra, Interrupted
        As in `moments` and `clips`.
    """
    if isinstance(wanted, pd.DataFrame):
        found = wanted
    else:
        # The agent that the frame's numbers are of.
        agent = prefix + "agent_channel"
        channel = agent if agent in df.columns else "infer"
        found = moments(df, session=session, prefix=prefix, agent_channel=channel, **sound).head(int(wanted))
    calls = df if prefix + AUDIO in df.columns else None
    heard = cut(found, calls, session=session, prefix=prefix, pad_s=pad_s, silence=silence, **sound)
    if session not in heard.columns:
        heard = heard.reset_index(session)
    return heard.rename(columns={prefix + name: name for name in (AUDIO, ERROR, CLIP_START, CLIP_END)})
