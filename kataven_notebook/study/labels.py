"""Frames of labels as a player gives them or its file holds them: checked, and each decision as it stands now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook.errors import FrameError
from kataven_notebook.frame.columns import as_text
from kataven_notebook.frame.sessions import find_sessions, session_column
from kataven_notebook.hints import no_frame
from kataven_notebook.notices import warn_caller
from kataven_notebook.redact import encodable
from kataven_notebook.study.units import MOMENT

if TYPE_CHECKING:
    import numpy.typing as npt

_ACTIONS = frozenset({"add", "change", "remove"})
_TEXTS = ("label", "note", "annotator")


def decisions_of(labels: pd.DataFrame, session: str, name: str) -> pd.DataFrame:
    """Return the decisions of a frame of labels: session, moment_id, label, start_s, end_s, note, annotator.

    A frame read from a label file has a record a change: the last record of each decision counts, and what was taken
    back is gone. Of a player's `frame`, rows on which nothing was decided are no decisions.

    Parameters
    ----------
    labels
        As `Player.labels`; needed are the session column and `label`.
    session
        The name of the session column.
    name
        The argument that the frame was passed as, for messages.

    Returns
    -------
    pandas.DataFrame
        Texts are str, or missing, in columns of objects, `start_s` and `end_s` float64: NaN for a decision on the whole
        call, equal for a point. `moment_id` is missing where the frame has none.

    Raises
    ------
    FrameError
        No frame, no such column, or times that are no numbers.
    """
    table = _checked(labels, session, name)
    found = pd.DataFrame({"session": _texts(session_column(table, session)).to_numpy()}, dtype=object)
    found[MOMENT] = _texts(table[MOMENT]).to_numpy() if MOMENT in table.columns else None
    for each in _TEXTS:
        found[each] = _texts(table[each]).to_numpy() if each in table.columns else None
    for each in ("start_s", "end_s"):
        found[each] = _times(table, each, name)
    lengthless = ~(found["end_s"] >= found["start_s"])
    found.loc[lengthless, "end_s"] = found.loc[lengthless, "start_s"]
    if "label_regions" in table.columns:
        found = _of_a_frame_of_calls(found, table)
    else:
        # A sample that labels were merged into has such rows too: nobody decides nothing.
        found = found[found["label"].notna() | found["note"].notna()]
    lost = found["session"].isna()
    if lost.any():
        warn_caller(f"{name} has {int(lost.sum()):,} row(s) without an id in {session!r}: they are left out")
    return found[~lost].reset_index(drop=True)


def _checked(labels: pd.DataFrame, session: str, name: str) -> pd.DataFrame:
    given: object = labels
    if not isinstance(given, pd.DataFrame):
        # A player has them, and this wing knows no player.
        if isinstance(getattr(given, "labels", None), pd.DataFrame):
            raise FrameError(f"{name} takes the labels of a player and not the player: pass player.labels")
        raise FrameError(no_frame(f"{name} takes a frame of labels, as player.labels: a DataFrame", given))
    find_sessions(labels, session)
    session_column(labels, "label", option=f"{name}: label")
    names = list(labels.columns)
    used = [MOMENT, *_TEXTS, "start_s", "end_s", "label_regions", "action", "decision_id"]
    if twice := [each for each in used if names.count(each) > 1]:
        raise FrameError(f"{name} has several columns named {twice[0]!r}: rename all but one")
    levels = [each for each in labels.index.names if each in used and each not in names]
    table = labels if not levels else labels.reset_index(level=[*levels])
    if not {"action", "decision_id"} <= set(names):
        return table
    # Two players that began a file at once may both have written its header.
    records = table[as_text(table["action"]).isin(_ACTIONS).to_numpy(dtype=bool)]
    last = records[~records["decision_id"].duplicated(keep="last").to_numpy()]
    return last[(as_text(last["action"]) != "remove").to_numpy(dtype=bool)]


def _texts(column: pd.Series[Any]) -> pd.Series[Any]:
    text = as_text(column).astype(object).reset_index(drop=True)
    plain = [encodable(each) if isinstance(each, str) and each.strip() else None for each in text]
    return pd.Series(plain, dtype=object)


def _times(table: pd.DataFrame, column: str, name: str) -> npt.NDArray[np.float64]:
    if column not in table.columns:
        return np.full(len(table), np.nan)
    try:
        numbers = pd.to_numeric(table[column]).to_numpy(dtype="float64", na_value=np.nan)
    except (TypeError, ValueError):
        raise FrameError(
            f"{name} has something in {column!r} that is no number: pass seconds from the start of the call"
        ) from None
    finite: npt.NDArray[np.float64] = np.where(np.isfinite(numbers), numbers, np.nan)
    return finite


def _of_a_frame_of_calls(found: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Return the decisions of `Player.frame`: a row a call, its labels in one text, most rows undecided."""
    regions = pd.to_numeric(table["label_regions"]).to_numpy(dtype="float64", na_value=0) > 0
    noted = np.zeros(len(table), dtype=np.bool_)
    if "label_note" in table.columns:
        found["note"] = _texts(table["label_note"]).to_numpy()
        noted = found["note"].notna().to_numpy()
    found = found[found["label"].notna().to_numpy() | regions | noted]
    several = found["label"].map(lambda text: text.split(", ") if isinstance(text, str) else [None])
    return found.assign(label=several).explode("label", ignore_index=True)
