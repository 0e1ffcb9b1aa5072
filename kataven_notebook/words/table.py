"""The frame of words that a caller passes: checked, in order, with who says each word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kataven_notebook.frame.columns import as_text
from kataven_notebook.frame.side_tables import checked_table, holds_names, role_named

if TYPE_CHECKING:
    from collections.abc import Hashable


def said_in(words: pd.DataFrame, session: Hashable) -> pd.DataFrame:
    """Return what is said in a frame of words, as `read` returns it or the caller has made it.

    Parameters
    ----------
    words
        The session column, `start_s`, `end_s` and `word`; perhaps `channel` (from 0, or names), `speaker` or `role`.
    session
        The name of the session column.

    Returns
    -------
    pandas.DataFrame
        `session_id` (object, text), `start_s`, `end_s`, `channel` (float64, NaN where unknown), `word`, `speaker` and
        `role` (object, text, empty where unknown). By session in the order of `words`, then by start; a word without
        a start stays behind the one before it in its session. Rows without a word or session are left out, and what
        one voice says at one time is there once, as after a merge that made rows of one several.

    Raises
    ------
    FrameError
        It is no frame, lacks a column, or has something else than numbers as times or channels.
    """
    named = next((each for each in ("speaker", "role") if each in getattr(words, "columns", ())), None)
    if named is None and "channel" in getattr(words, "columns", ()) and holds_names(words["channel"]):
        words, named = words.rename(columns={"channel": "speaker"}), "speaker"
    flat = checked_table(words, session, "words", ("start_s", "end_s", "word"), quiet=True)
    speakers = _texts(flat[named]) if named is not None else [""] * len(flat)
    said = pd.DataFrame(
        {
            "session_id": np.array(as_text(flat[session]).astype(object), dtype=object),
            "start_s": flat["start_s"].to_numpy(dtype="float64"),
            "end_s": flat["end_s"].to_numpy(dtype="float64"),
            "channel": flat["channel"].to_numpy(dtype="float64") if "channel" in flat.columns else np.nan,
            "word": np.array(_texts(flat["word"]), dtype=object),
            "speaker": np.array(speakers, dtype=object),
        }
    )
    # Who somebody else has found out to speak comes before how a tool calls it.
    stated = _texts(flat["role"]) if "role" in flat.columns else speakers
    roles = {each: role_named(each) for each in {*speakers, *stated}}
    said["role"] = [roles[role] or roles[speaker] for role, speaker in zip(stated, speakers, strict=True)]
    said["role"] = said["role"].astype(object)
    is_again = said.duplicated() & said["start_s"].notna()
    said = said[(said["session_id"].notna() & (said["word"] != "") & ~is_again).to_numpy()]
    place = said.groupby("session_id", sort=False)["start_s"].ffill().fillna(-np.inf)
    codes = pd.factorize(said["session_id"])[0]
    return said.iloc[np.lexsort((np.arange(len(said)), place.to_numpy(), codes))].reset_index(drop=True)


def _texts(column: pd.Series[str]) -> list[str]:
    """Return a column as texts without space around them, empty where missing."""
    return [" ".join(each.split()) for each in as_text(column).fillna("").tolist()]
