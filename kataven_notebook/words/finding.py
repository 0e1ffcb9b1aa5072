"""`find`: where something is said, as moments to be listened to."""

from __future__ import annotations

import bisect
import functools
import itertools
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from kataven_notebook.arguments import is_whole
from kataven_notebook.defaults import with_configured_names
from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.frame.columns import as_array
from kataven_notebook.notices import warn_caller
from kataven_notebook.numbers.moment_ids import moment_ids
from kataven_notebook.words.folding import folded, folded_pattern
from kataven_notebook.words.table import said_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_COLUMNS = {
    "moment_id": "string",
    "kind": "string",
    "role": "string",
    "channel": "Int64",
    "speaker": "string",
    "start_s": "float64",
    "end_s": "float64",
    "match": "string",
    "text": "string",
}
KIND = "said"
# A longer pause ends a line: what "." does not go beyond.
_PAUSE_S = 3.0
_EDGES = re.compile(r"^\W+|\W+$")


@with_configured_names
def find(
    words: pd.DataFrame,
    pattern: str,
    *,
    literal: bool = False,
    context_words: int = 6,
    session: str = "session_id",
) -> pd.DataFrame:
    r"""Return the moments at which something is said, to be listened to: for `player(moments=...)` and `clips`.

    The words of each speaker are searched as running text, so that what is looked for may be a phrase. Case and
    accents make no difference: "strasse" finds "Straße". Punctuation at the edges of words is there for a pattern that
    names it, and in nobody's way: "yes please" finds "Yes, please.".

    Parameters
    ----------
    words
        What `words.read` returned, or a frame of such columns: session column, `start_s`, `end_s`, `word`, and perhaps
        `channel` and `speaker`. Left as it is.
    pattern
        A regular expression, as of `re`: "refund|cancel", r"\bart\b". A space is one between two words of a line; a
        pause of more than 3 s ends a line: ``.`` does not go beyond it, ``^`` and ``$`` are where lines begin and end.
    literal
        True takes `pattern` as the text itself.
    context_words
        How many words before and after are shown in `text`, 0 or more.
    session
        The session column.

    Returns
    -------
    pandas.DataFrame
        One row a place: the session column, `moment_id` (string, as of `moments()`, but made of the session id, the
        words that are found, their channel and their place), `kind` ("said"), `role` ("agent", "caller", or missing),
        `channel` (Int64), `speaker` (string), `start_s` and `end_s` (float64: of the words that are found), `match`
        (string: these words) and `text` (string: with those around them). By session in the order of `words`, then by
        start. A word without times, as numbers are in some transcripts, lies between those of its speaker beside it.
        Where there is none before it, `start_s` is missing, which one `UserWarning` counts; where there is none after
        it, `end_s`.

    Raises
    ------
    FrameError
        It is no frame, lacks a column, or has something else than numbers as times or channels.
    ConfigurationError
        `pattern` is no regular expression, or is empty; or `context_words` is no number.

    Examples
    --------
    >>> said = pd.DataFrame({"session_id": "a", "word": ["I", "want", "a", "Refund!"],
    ...                      "start_s": [1.0, 1.2, 1.5, 1.6], "end_s": [1.1, 1.4, 1.6, 2.1]})
    >>> find(said, "a refund|cancel")[["kind", "start_s", "end_s", "match", "text"]].values.tolist()
    [['said', 1.5, 2.1, 'a Refund!', 'I want a Refund!']]
    """
    expression = _compiled(pattern, literal=literal)
    if not is_whole(context_words) or context_words < 0:
        raise ConfigurationError(f"context_words={context_words!r}: pass a whole number, 0 or more")
    if session in _COLUMNS:
        raise FrameError(f"the result has a column {session!r} of its own: rename the column of the session ids")
    said = said_in(words, session)
    rows: list[dict[str, Any]] = []
    placed = _placed(said)
    for part in placed.groupby("voice").indices.values():
        voice = _Voice(placed.iloc[part])
        rows += [voice.moment(first, last, int(context_words)) for first, last in voice.matches(expression)]
    order = {each: at for at, each in enumerate(dict.fromkeys(said["session_id"]))}
    rows.sort(key=lambda row: (order[row["session"]], math.inf if math.isnan(row["start_s"]) else row["start_s"]))
    if untimed := sum(math.isnan(row["start_s"]) for row in rows):
        warn_caller(
            f"{untimed:,} of {len(rows):,} moments have no time, as their words have none: they can't be played"
        )
    ids = _ids(rows)
    rows = [{"moment_id": each, **row} for each, row in zip(ids, rows, strict=True)]
    columns: dict[str, Any] = {session: as_array([row["session"] for row in rows], "string")}
    columns |= {name: as_array([row[name] for row in rows], dtype) for name, dtype in _COLUMNS.items()}
    return pd.DataFrame(columns)


def _ids(rows: Sequence[dict[str, Any]]) -> list[str | None]:
    """Return the name of each moment, the same in every run; None where it has no time."""
    found: list[str | None] = [None] * len(rows)
    calls: dict[str, list[int]] = {}
    for at, row in enumerate(rows):
        if not math.isnan(row["start_s"]):
            calls.setdefault(row["session"], []).append(at)
    for session_id, places in calls.items():
        about = [(f"{KIND} {folded(rows[at]['match'])}", rows[at]["channel"], rows[at]["start_s"]) for at in places]
        for at, each in zip(places, moment_ids(session_id, about), strict=True):
            found[at] = each
    return found


def _compiled(pattern: object, *, literal: bool) -> re.Pattern[str]:
    if isinstance(pattern, re.Pattern):
        pattern = pattern.pattern
    if not isinstance(pattern, str) or not pattern.strip():
        raise ConfigurationError(f'pattern={pattern!r}: pass what to look for, as text, such as "refund|cancel"')
    if literal:
        # As words are: any space between them is one.
        return re.compile(" ".join(re.escape(each) for each in folded(pattern).split()))
    try:
        return re.compile(folded_pattern(pattern), re.IGNORECASE | re.MULTILINE)
    except (re.error, RecursionError, OverflowError) as error:
        raise ConfigurationError(
            f"pattern={pattern!r} is no regular expression ({error}): correct it, or pass literal=True for the text "
            "itself"
        ) from None


@dataclass(frozen=True, slots=True)
class _Line:
    """Running text to be searched, and which of the voice's words stands where in it."""

    text: str
    begins: list[int]
    words: list[int]

    @classmethod
    def of(cls, parts: Sequence[tuple[int, str]], pauses: set[int]) -> _Line:
        """Join words to a text; in front of those in `pauses` a new line begins."""
        texts = [("\n" if at in pauses else " ") + each for at, each in parts]
        begins = [0, *itertools.accumulate(map(len, texts))][:-1]
        # The first word has nothing in front.
        return cls("".join(texts)[1:], begins, [at for at, _ in parts])

    def matches(self, expression: re.Pattern[str]) -> Iterator[tuple[int, int]]:
        """Yield the first and last word of each place that matches."""
        for found in expression.finditer(self.text):
            start = found.start() + len(found[0]) - len(found[0].lstrip())
            end = found.end() - len(found[0]) + len(found[0].rstrip())
            if start < end:
                first, last = (bisect.bisect_right(self.begins, each) - 1 for each in (start, end - 1))
                yield self.words[first], self.words[last]


def _placed(said: pd.DataFrame) -> pd.DataFrame:
    """Return the words with their voice and from when to when each may be heard; NaN where that has no bound.

    One without times lies between those beside it: what is taken out of the sound by these times is to be all of it.
    `heard_s` is until when the voice is known to have been heard, which says where it paused.
    """
    said = said.assign(channel=said["channel"].fillna(-1))
    voice = said.groupby(["session_id", "channel", "speaker"], sort=False).ngroup()
    start, end = said["start_s"], said["end_s"]
    heard = end.fillna(start).groupby(voice).ffill()
    from_s = start.fillna(heard.groupby(voice).shift())
    to_s = end.fillna(start.groupby(voice).shift(-1).groupby(voice).bfill())
    # The words beside it may overlap.
    is_crossed = from_s > to_s
    places = {"from_s": from_s.mask(is_crossed, to_s), "to_s": to_s.mask(is_crossed, from_s)}
    return said.assign(**places, heard_s=heard, voice=voice)


class _Voice:
    """The words of one speaker of one call, in order; what stands in one row may be several words.

    Parameters
    ----------
    said
        Its rows of what `_placed` returned.
    """

    def __init__(self, said: pd.DataFrame) -> None:
        parts = [(row, each) for row, word in enumerate(said["word"]) for each in word.split()]
        self._words = [each for _, each in parts]
        rows = [row for row, _ in parts]
        self._starts, self._ends, self._heard_s = (
            said[name].to_numpy()[rows].tolist() for name in ("from_s", "to_s", "heard_s")
        )
        first = said.iloc[0]
        self._about = {
            "session": first["session_id"],
            "kind": KIND,
            "role": first["role"] or None,
            "channel": None if first["channel"] < 0 else int(first["channel"]),
            "speaker": first["speaker"] or None,
        }

    def matches(self, expression: re.Pattern[str]) -> list[tuple[int, int]]:
        """Return the first and last word of each place, as written and, where nothing is found there, without marks."""
        plain = [folded(each) for each in self._words]
        bare = [(at, text) for at, each in enumerate(plain) if (text := _EDGES.sub("", each))]
        found = list(_Line.of(list(enumerate(plain)), self._pauses).matches(expression))
        taken = {at for first, last in found for at in range(first, last + 1)}
        found += [
            (first, last)
            for first, last in _Line.of(bare, self._pauses).matches(expression)
            if not any(at in taken for at in range(first, last + 1))
        ]
        # Two places within one word are one to listen to.
        return sorted(set(found))

    @functools.cached_property
    def _pauses(self) -> set[int]:
        """The words in front of which it is quiet for long."""
        pairs = enumerate(zip(self._heard_s, self._starts[1:], strict=False), start=1)
        return {at for at, (end_s, start_s) in pairs if start_s - end_s > _PAUSE_S}

    def moment(self, first: int, last: int, context_words: int) -> dict[str, Any]:
        """Return the row of a place."""
        begin, end = max(0, first - context_words), min(len(self._words), last + 1 + context_words)
        around = " ".join(self._words[begin:end])
        ends = self._ends[first : last + 1]
        return {
            **self._about,
            "start_s": self._starts[first],
            "end_s": math.nan if any(map(math.isnan, ends)) else max(ends),
            "match": " ".join(self._words[first : last + 1]),
            "text": "… " * (begin > 0) + around + " …" * (end < len(self._words)),
        }
