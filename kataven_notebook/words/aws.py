"""Transcripts of Amazon Transcribe: batch, with speakers or channels, and its Call Analytics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kataven_notebook.words.spoken import (
    Spoken,
    channel_from,
    first_object,
    milliseconds,
    name_from,
    number,
    objects,
    text_from,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NAME = "Amazon Transcribe"
# Punctuation that stands before its word.
_OPENING = frozenset("¿¡([{«“„")


def is_it(document: object) -> bool:
    """Whether a document is of Amazon Transcribe: `results.items`, or `Transcript` of Call Analytics."""
    if not isinstance(document, dict):
        return False
    results = document.get("results")
    if isinstance(results, dict) and isinstance(results.get("transcripts"), list):
        return True
    if isinstance(results, dict) and isinstance(results.get("items"), list):
        return True
    return "BeginOffsetMillis" in first_object(document.get("Transcript"))


def words_of(document: dict[str, Any]) -> Iterator[Spoken]:
    """Yield the words, each with the punctuation that follows it; an utterance where Call Analytics has no items."""
    if "Transcript" in document:
        yield from _of_call_analytics(document)
        return
    results = document["results"]
    labels = results.get("channel_labels")
    channels = list(objects(labels.get("channels"))) if isinstance(labels, dict) else []
    if channels:
        for channel in channels:
            position = channel_from(channel.get("channel_label"))
            yield from _joined(_item(each, {}, position) for each in objects(channel.get("items")))
        return
    whose = _speakers(results.get("speaker_labels"))
    by_channel: dict[int | None, list[dict[str, Any]]] = {}
    for item in objects(results.get("items")):
        by_channel.setdefault(channel_from(item.get("channel_label")), []).append(item)
    # A mark belongs to the word before it on its own channel.
    for position, items in by_channel.items():
        yield from _joined(_item(each, whose, position) for each in items)


def _speakers(labels: object) -> dict[str, str | None]:
    """Return who speaks, by when a word starts: older answers say so beside the words."""
    found: dict[str, str | None] = {}
    for segment in objects(labels.get("segments")) if isinstance(labels, dict) else ():
        for item in objects(segment.get("items")):
            speaker = name_from(item.get("speaker_label")) or name_from(segment.get("speaker_label"))
            found[str(item.get("start_time"))] = speaker
    return found


def _item(item: dict[str, Any], whose: dict[str, str | None], channel: int | None) -> tuple[Spoken, bool]:
    best = first_object(item.get("alternatives"))
    speaker = name_from(item.get("speaker_label")) or whose.get(str(item.get("start_time")))
    word = Spoken(
        text_from(best.get("content")),
        number(item.get("start_time")),
        number(item.get("end_time")),
        channel=channel,
        speaker=speaker,
        confidence=number(best.get("confidence")),
    )
    return word, item.get("type") == "punctuation"


def _joined(items: Iterable[tuple[Spoken, bool]]) -> Iterator[Spoken]:
    """Yield the words with their punctuation: a mark has no time, and its confidence is none."""
    before = ""
    last: Spoken | None = None
    for item, is_mark in items:
        if is_mark and (item.word in _OPENING or last is None):
            before += item.word
        elif is_mark and last is not None:
            last = last._replace(word=last.word + item.word)
        else:
            if last is not None:
                yield last
            last, before = item._replace(word=before + item.word), ""
    if last is not None:
        yield last._replace(word=last.word + before)


def _of_call_analytics(document: dict[str, Any]) -> Iterator[Spoken]:
    people = {
        each.get("ParticipantId"): name_from(each.get("ParticipantRole"))
        for each in objects(document.get("Participants"))
    }
    for turn in objects(document.get("Transcript")):
        speaker = name_from(turn.get("ParticipantRole")) or people.get(turn.get("ParticipantId"))
        speaker = speaker or name_from(turn.get("ParticipantId"))
        items = list(objects(turn.get("Items")))
        if items:
            yield from _joined(_timed(each, speaker) for each in items)
        else:
            yield _timed({**turn, "Type": "turn"}, speaker)[0]._replace(is_utterance=True)


def _timed(item: dict[str, Any], speaker: str | None) -> tuple[Spoken, bool]:
    word = Spoken(
        text_from(item.get("Content")),
        milliseconds(item.get("BeginOffsetMillis")),
        milliseconds(item.get("EndOffsetMillis")),
        speaker=speaker,
        confidence=number(item.get("Confidence")),
    )
    return word, item.get("Type") == "punctuation"
