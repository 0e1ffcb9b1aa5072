"""What is said in each call: words with their times, as the page shows them by turn and by speaker.

Transcripts are private: the words of a call go to the page in messages when it is opened, and are in no trait, so that
none is saved with a notebook.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kataven_notebook.frame.side_tables import (
    as_listed,
    checked_table,
    holds_names,
    numbers_of,
    role_named,
    tell_of_strangers,
)
from kataven_notebook.redact import encodable

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    import numpy.typing as npt

    Doubles = npt.NDArray[np.float64]
    Positions = npt.NDArray[np.intp]

# A turn of one speaker ends with such a pause; with a shorter one where somebody else speaks in it.
_PAUSE_S, _TAKEN_PAUSE_S = 1.5, 0.3
# No turn is longer: the page makes elements of the words of those in sight.
_MAX_TURN_WORDS = 150
_BLOCK_WORDS = 5_000
_MAX_WORD_CHARS = 2_000
_COUNTED = re.compile(r"(?i)(?:(?:speaker|spk)[ _-]?0*)?(\d+|[a-z])")
# Below this confidence a word is shown as unsure.
_SURE = 0.5


@dataclass(frozen=True, slots=True)
class _Said:
    """The words of one call as they are read: position of each, times (NaN where unknown) and speaker."""

    row: Positions
    start: Doubles
    end: Doubles
    who: Positions


class Words:
    """The words of all calls; those of one are put in order when it is opened.

    Parameters
    ----------
    session_column
        The caller's name of the session column.
    words
        A frame with the session column, `start_s`, `end_s`, `word`, and perhaps `channel` (from 0), `speaker` or
        `role`, and `confidence`. A word without `start_s` stays where it is in the frame.
    is_known
        Whether the player's frame has a session.

    Raises
    ------
    FrameError
        It is no frame, lacks a column, or has something else than numbers as times, channels or confidence.
    """

    def __init__(
        self,
        session_column: Hashable,
        words: pd.DataFrame | None = None,
        *,
        is_known: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self.are_there = words is not None
        if words is None:
            return
        named = next((each for each in ("speaker", "role") if each in getattr(words, "columns", ())), None)
        if named is None and "channel" in getattr(words, "columns", ()) and holds_names(words["channel"]):
            words, named = words.rename(columns={"channel": "speaker"}), "speaker"
        flat = checked_table(words, session_column, "words", ("start_s", "end_s", "word"))
        # Arrays of its own: the caller may go on with the frame.
        self._ids = as_listed(flat, session_column)
        tell_of_strangers({"words": self._ids}, is_known)
        self._start, self._end = flat["start_s"].to_numpy(), flat["end_s"].to_numpy()
        self._words = np.array(flat["word"].astype(object), dtype=object)
        self._channel = flat["channel"].to_numpy() if "channel" in flat.columns else None
        self._speaker = None if named is None else np.array(flat[named].astype(object), dtype=object)
        if self._speaker is not None and "role" in flat.columns:
            # Who somebody else has found out to speak comes before how a tool calls it.
            stated = [role_named(_text(each)) for each in flat["role"].astype(object)]
            self._speaker = np.where(np.array(stated, dtype=object) != "", stated, self._speaker)
        self._confidence = numbers_of(flat["confidence"], "words") if "confidence" in flat.columns else None

    def blocks(self, session_id: str, *, roles: Sequence[str], duration_s: float | None) -> Iterator[dict[str, Any]]:
        """Yield the words of a call as the page takes them: at least one block, with a sentence where there are none.

        Each has `first` (how many words came before), `total`, `speakers` (name, role, channel), `turns` (speaker, how
        many words), `word`, `start` and `end` (-1 where unknown), and `unsure` (which of them).
        """
        if not self.are_there:
            return
        at = self._groups.get(session_id, np.empty(0, dtype=np.intp))
        texts = {place: text for place in at.tolist() if (text := _text(self._words[place]))}
        at = np.fromiter(texts, dtype=np.intp, count=len(texts))
        speakers, who = self._speakers(at, roles)
        said, turns = _by_turn(_Said(at, self._start[at], self._end[at], who))
        about = {"total": len(at), "speakers": speakers, "note": _note(said, duration_s)}
        first = 0
        for ends in _cuts(turns):
            block = slice(first, first + sum(count for _, count in ends))
            places = said.row[block].tolist()
            yield {
                **about,
                "first": first,
                "turns": ends,
                "word": [texts[place] for place in places],
                "start": _for_page(said.start[block]),
                "end": _for_page(said.end[block]),
                "unsure": [] if self._confidence is None else _unsure(self._confidence[said.row[block]]),
            }
            first = block.stop

    @functools.cached_property
    def _groups(self) -> dict[str, Positions]:
        codes, ids = pd.factorize(np.array(self._ids, dtype=object))
        order = np.argsort(codes, kind="stable")
        ends = np.searchsorted(codes[order], np.arange(len(ids)), side="right")
        return dict(zip(map(encodable, ids), np.split(order, ends[:-1]), strict=True)) if len(ids) else {}

    def _speakers(self, at: Positions, roles: Sequence[str]) -> tuple[list[tuple[str, str, int]], Positions]:
        """Return name, role and channel (-1 where unknown) of each who speaks, and who says each word."""
        channels = np.full(len(at), -1.0) if self._channel is None else np.nan_to_num(self._channel[at], nan=-1.0)
        names = [""] * len(at) if self._speaker is None else [_text(each) for each in self._speaker[at]]
        pairs = list(zip(names, channels.astype(int).tolist(), strict=True))
        # In the order of the lanes.
        found = {pair: i for i, pair in enumerate(sorted(dict.fromkeys(pairs), key=lambda pair: pair[1]))}
        who = np.fromiter((found[pair] for pair in pairs), dtype=np.intp, count=len(at))
        speakers = []
        for name, channel in found:
            role = role_named(name) or (roles[channel] if 0 <= channel < len(roles) and not name else "")
            # Many transcribers count speakers, or give them a letter; what tells them apart has to fit in.
            count = _COUNTED.fullmatch(name)
            named = f"Speaker {count[1]}" if count else name[:1].upper() + name[1:]
            shown = named or role.capitalize() or (f"Channel {channel}" if channel >= 0 else "")
            speakers.append((shown, role, channel))
        return speakers, who


def _text(value: Any) -> str:
    # A list of words, or an array, has no one answer to whether it is missing.
    if not isinstance(value, str) and pd.api.types.is_scalar(value) and pd.isna(value):
        return ""
    return encodable(" ".join(str(value).split()))[:_MAX_WORD_CHARS]


def _by_turn(said: _Said) -> tuple[_Said, list[tuple[int, int]]]:
    """Return the words as they are read, one turn after the other, and of each turn the speaker and its length.

    By start; a word without one follows the word that it follows in the frame. While two speak at once, the words of
    each stay together.
    """
    place = pd.Series(said.start).ffill().fillna(-np.inf).to_numpy()
    order = np.argsort(place, kind="stable")
    turn = np.zeros(len(order), dtype=np.intp)
    begins = np.zeros(len(order))
    count = 0
    for speaker in np.unique(said.who):
        mine = np.flatnonzero(said.who[order] == speaker)
        starts = place[order][mine]
        ends = np.fmax(starts, np.nan_to_num(said.end[order][mine], nan=-np.inf))
        with np.errstate(invalid="ignore"):
            pause = starts[1:] - ends[:-1]
        is_new = (pause > _PAUSE_S) | ((np.diff(mine) > 1) & (pause > _TAKEN_PAUSE_S))
        number = np.concatenate([[0], np.cumsum(is_new)])
        part = (np.arange(len(mine)) - np.searchsorted(number, number)) // _MAX_TURN_WORDS
        number = np.cumsum(np.diff(number, prepend=0) + (np.diff(part, prepend=0) > 0))
        turn[mine] = count + number
        begins[mine] = starts[np.searchsorted(number, number)]
        count += int(number[-1]) + 1
    read = np.lexsort((np.arange(len(order)), turn, begins))
    order = order[read]
    whose = turn[read]
    edges = np.flatnonzero(np.diff(whose)) + 1
    firsts = np.concatenate([[0], edges]) if len(whose) else np.empty(0, dtype=np.intp)
    lengths = np.diff(np.append(firsts, len(whose)))
    speakers = said.who[order][firsts]
    turns = list(zip(speakers.tolist(), lengths.tolist(), strict=True))
    return _Said(said.row[order], said.start[order], said.end[order], said.who[order]), turns


def _cuts(turns: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """Yield the turns in parts of about as many words, at least one part."""
    part: list[tuple[int, int]] = []
    words = 0
    for each in turns:
        part.append(each)
        words += each[1]
        if words >= _BLOCK_WORDS:
            yield part
            part, words = [], 0
    if part or not turns:
        yield part


def _for_page(seconds: Doubles) -> list[float]:
    return [float(each) for each in np.round(np.nan_to_num(seconds, nan=-1.0), 3)]


def _unsure(confidence: Doubles) -> list[int]:
    return [int(each) for each in np.flatnonzero(confidence < _SURE)]


def _note(said: _Said, duration_s: float | None) -> str:
    """Return what the listener should know of the words of this call, in one sentence."""
    if not len(said.row):
        return "There are no words of this call."
    untimed = int(np.isnan(said.start).sum())
    outside = int((said.start < 0).sum())
    if duration_s is not None:
        outside += int((said.start > duration_s).sum())
    parts = [f"{untimed:,} {'has' if untimed == 1 else 'have'} no time"] * bool(untimed)
    parts += [f"{outside:,} lie{'s' if outside == 1 else ''} outside the call"] * bool(outside)
    return f"Of {len(said.row):,} words {' and '.join(parts)}: a click on such a word does nothing." if parts else ""
