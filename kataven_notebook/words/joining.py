"""`join`: each turn with what was said in it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.arguments import is_number
from kataven_notebook.defaults import with_configured_names
from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.frame.columns import as_array, check_prefix, with_columns
from kataven_notebook.frame.side_tables import as_listed, checked_table, role_named
from kataven_notebook.notices import counted, warn_caller
from kataven_notebook.redact import one_line
from kataven_notebook.words.placing import Span, placed
from kataven_notebook.words.table import said_in

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import pandas as pd

    from kataven_notebook.words.placing import Places

_TEXT, _COUNT = "text", "word_count"


@with_configured_names
def join(
    turns: pd.DataFrame,
    words: pd.DataFrame,
    *,
    session: str = "session_id",
    tolerance_s: float = 0.25,
    prefix: str = "",
) -> pd.DataFrame:
    """Return each turn with what was said in it, so that response latency stands beside the words.

    A word belongs to the turn that it overlaps most, among those of its channel; where its channel is not known, of
    its role, as its speaker's name says ("agent", "assistant", "bot", "caller", "customer", "user", ...); where neither
    is known, among all turns of the call.

    Parameters
    ----------
    turns
        The table of `turns()`, or part of it: session column, `start_s`, `end_s`, and perhaps `channel` and `role`.
        Left as it is.
    words
        What `words.read` returned, or a frame of such columns: session column, `start_s`, `end_s`, `word`, and perhaps
        `channel` and `speaker`. A word without a time belongs to the turn of the word before it.
    session
        The session column of both.
    tolerance_s
        How far beside a turn a word may lie and still belong to it, in seconds, 0 or more: transcribers and `turns`
        differ in where speech begins and ends, most often by less than a quarter of a second.
    prefix
        In front of the names of the columns that are added.

    Returns
    -------
    pandas.DataFrame
        The turns in their order, with `text` (string) and `word_count` (Int64). Both are missing where a call has no
        words at all; a turn without words in a call that has some has an empty text and 0. Words in no turn, and words
        of calls that have no turns, are counted in a `UserWarning`.

    Raises
    ------
    FrameError
        One of the two is no frame, lacks a column, has something else than numbers as times, or `turns` has a column
        of its own with one of our names.
    ConfigurationError
        `tolerance_s` is no number of seconds.

    Examples
    --------
    >>> import pandas as pd
    >>> talk = pd.DataFrame({"session_id": "a", "role": ["agent", "caller"], "channel": [0, 1],
    ...                      "start_s": [0.5, 2.0], "end_s": [1.4, 3.0], "gap_before_s": [None, 0.6]})
    >>> said = pd.DataFrame({"session_id": "a", "word": ["Hello,", "hi"], "start_s": [0.5, 2.1],
    ...                      "end_s": [1.0, 2.4], "channel": [0, 1]})
    >>> join(talk, said)[["role", "gap_before_s", "text", "word_count"]].values.tolist()
    [['agent', nan, 'Hello,', 1], ['caller', 0.6, 'hi', 1]]
    """
    if not is_number(tolerance_s) or not 0 <= tolerance_s < math.inf:
        raise ConfigurationError(f"tolerance_s={tolerance_s!r}: pass seconds, 0 or more")
    _check_names(turns, session, prefix)
    flat = checked_table(turns, session, "turns", ("start_s", "end_s"), quiet=True)
    said = said_in(words, session)
    ids = as_listed(flat, session)
    spans = _spans(flat, ids)
    first = _first_rows(spans, len(ids))
    turn_of = placed(said, spans, float(tolerance_s))
    _tell(said, turn_of, ids)
    texts = _texts(said, turn_of, ids)
    texts = [texts[row] for row in first]
    counts = [None if each is None else len(each.split()) for each in texts]
    return with_columns(turns, {_TEXT: as_array(texts, "string"), _COUNT: as_array(counts, "Int64")}, prefix=prefix)


def _check_names(turns: object, session: str, prefix: str) -> None:
    """Refuse to overwrite a column of the caller's; both of ours together are from an earlier call."""
    check_prefix(prefix)
    ours = [prefix + _TEXT, prefix + _COUNT]
    if session in ours:
        raise FrameError(f"the session ids stand in {session!r}, which this would overwrite: pass prefix=")
    taken = [each for each in ours if each in getattr(turns, "columns", ())]
    if len(taken) == 1:
        raise FrameError(
            f"turns= has a column {taken[0]!r} of its own, which would be overwritten: pass prefix='said_'"
        )


def _spans(flat: pd.DataFrame, ids: Sequence[str]) -> dict[Hashable, list[Span]]:
    """Return the turns of each session, those with a start; one without an end lasts no time."""
    starts = flat["start_s"].to_numpy(dtype="float64")
    ends = np.where(np.isnan(flat["end_s"]), starts, flat["end_s"])
    channels = flat["channel"].to_numpy(dtype="float64") if "channel" in flat.columns else np.full(len(flat), np.nan)
    roles = [role_named(each) for each in as_listed(flat, "role")] if "role" in flat.columns else [""] * len(flat)
    found: dict[Hashable, list[Span]] = {}
    for row, (session_id, start_s, end_s, channel, role) in enumerate(
        zip(ids, starts.tolist(), ends.tolist(), channels.tolist(), roles, strict=True)
    ):
        if session_id and not math.isnan(start_s):
            found.setdefault(session_id, []).append(Span(row, start_s, end_s, channel, role))
    return found


def _first_rows(spans: dict[Hashable, list[Span]], count: int) -> list[int]:
    """Return for each row the first one of the same turn: a merge makes several rows of one."""
    first = list(range(count))
    for session_id, of_call in spans.items():
        seen: dict[str, int] = {}
        for span in of_call:
            first[span.row] = seen.setdefault(repr(span[1:]), span.row)
        spans[session_id] = [span for span in of_call if first[span.row] == span.row]
    return first


def _texts(said: pd.DataFrame, turn_of: Places, ids: Sequence[str]) -> list[str | None]:
    """Return what is said in each turn; None where nothing is known of its call."""
    heard = set(said["session_id"])
    parts: list[list[str]] = [[] for _ in ids]
    for turn, word in zip(turn_of.tolist(), said["word"], strict=True):
        if turn >= 0:
            parts[turn].append(word)
    return [" ".join(each) if session_id in heard else None for each, session_id in zip(parts, ids, strict=True)]


def _tell(said: pd.DataFrame, turn_of: Places, ids: Sequence[str]) -> None:
    """Warn of words that are in no turn's text, and of those of other sessions."""
    is_known = said["session_id"].isin(set(ids)).to_numpy(dtype=bool)
    strange = said.loc[~is_known, "session_id"]
    if len(strange) and not is_known.any():
        shown = one_line(strange.iloc[0], most_chars=60)
        warn_caller(
            f"words= names no session that turns= has ({shown!r} is its first), so that no turn has a text: compare "
            "how the ids are written in both"
        )
    elif len(strange):
        names = list(dict.fromkeys(strange))
        warn_caller(
            f"turns= lacks {len(names):,} of the {said['session_id'].nunique():,} sessions in words=, such as "
            f"{one_line(names[0], most_chars=60)!r}: what is said there is left out ({counted(len(strange), 'word')})"
        )
    lost = said.loc[is_known & (turn_of < 0), "session_id"]
    if len(lost):
        counts = lost.value_counts()
        most = f"most of them in session {one_line(str(counts.index[0]), most_chars=60)!r}, {counts.iloc[0]:,}"
        warn_caller(
            f"of {counted(int(is_known.sum()), 'word')} {len(lost):,} lie in no turn of their channel or role, and in "
            f"no text ({most}): where turns() hears speech and the transcript's times differ, a larger "
            "tolerance_s= takes more"
        )
