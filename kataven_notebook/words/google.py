"""Transcripts of Google Speech-to-Text, versions 1 and 2: durations as text, channels from 1."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import TYPE_CHECKING, Any

from kataven_notebook.words.spoken import Spoken, channel_from, first_object, name_from, number, objects, text_from

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "Google Speech-to-Text"
_OF_ALTERNATIVE = {"transcript", "confidence", "words"}


def is_it(document: object) -> bool:
    """Whether a document is of Google: a list `results` of `alternatives`, by itself or in a job's answer."""
    results = _results(document)
    if results is None:
        return False
    found = [first_object(each["alternatives"]) for each in objects(results) if "alternatives" in each]
    # Others too list alternatives, with other things in them.
    return not results or (bool(found) and all(each.keys() <= _OF_ALTERNATIVE for each in found))


def words_of(document: object) -> Iterator[Spoken]:
    """Yield the words; an utterance where a result has no words, from the end of the one before it.

    With speakers told apart, version 1 repeats all words in its last result: each is yielded once, with its speaker.
    """
    found: dict[Any, Spoken] = {}
    ends: dict[int | None, float] = {}
    for result in objects(_results(document)):
        best = first_object(result.get("alternatives"))
        channel = channel_from(_field(result, "channelTag"), first=1)
        end_s = _duration(_field(result, "resultEndTime", "resultEndOffset"))
        if _field(result, "isFinal") is False:
            continue
        words = list(objects(best.get("words")))
        if not words and (text := text_from(best.get("transcript"))):
            start_s = ends.get(channel, 0.0) if math.isfinite(end_s) else math.nan
            utterance = Spoken(text, start_s, end_s, channel, confidence=_sure(best), is_utterance=True)
            found[len(found), "utterance"] = utterance
        for word in words:
            said = _word(word, channel)
            key = (said.word, said.start_s, said.end_s, channel) if math.isfinite(said.start_s) else len(found)
            known = found.get(key)
            found[key] = said if known is None or known.speaker is None else known
        if words and not math.isfinite(end_s):
            end_s = _word(words[-1], channel).end_s
        # Where nobody says when this ends, nobody says when the next begins.
        ends[channel] = end_s
    yield from found.values()


def _results(document: object) -> list[Any] | None:
    """Return the list of results, wherever an answer has it."""
    if not isinstance(document, dict):
        return None
    for name in ("response", "transcript", "inlineResult", "inline_result"):
        if isinstance(document.get(name), dict):
            return _results(document[name])
    results = document.get("results")
    if isinstance(results, list):
        return results
    if isinstance(results, dict) and len(results) == 1:
        # A batch names each of its files.
        return _results(next(iter(results.values())))
    return None


def _field(value: dict[str, Any], *names: str) -> Any:
    """Return a field, in the letters of JSON or, with underscores, of the libraries."""
    for name in names:
        for spelled in (name, re.sub("([A-Z])", r"_\1", name).lower()):
            if value.get(spelled) is not None:
                return value[spelled]
    return None


def _word(word: dict[str, Any], channel: int | None) -> Spoken:
    start = _field(word, "startTime", "startOffset")
    end_s = _duration(_field(word, "endTime", "endOffset"))
    # A duration of nothing is left out of an answer.
    start_s = 0.0 if start is None and math.isfinite(end_s) else _duration(start)
    speaker = name_from(_field(word, "speakerLabel")) or name_from(_field(word, "speakerTag") or None)
    return Spoken(text_from(word.get("word")), start_s, end_s, channel, speaker, _sure(word))


def _sure(value: dict[str, Any]) -> float:
    # 0 says that it was not set.
    return number(value.get("confidence")) or math.nan


def _duration(value: object) -> float:
    """Return seconds of "1.500s", of seconds and nanoseconds, or of a timedelta; NaN for anything else."""
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, dict):
        return number(value.get("seconds", 0)) + number(value.get("nanos", 0)) / 1e9
    return number(value.removesuffix("s")) if isinstance(value, str) else number(value)
