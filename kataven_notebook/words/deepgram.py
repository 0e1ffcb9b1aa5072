"""Transcripts of Deepgram: the answer to a recording, and the messages of a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kataven_notebook.words.spoken import Spoken, channel_from, first_object, name_from, number, objects, text_from

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "Deepgram"


def is_it(document: object) -> bool:
    """Whether a document is of Deepgram: `results.channels`, or a list of a stream's messages."""
    if isinstance(document, list):
        return any("channel_index" in each and isinstance(each.get("channel"), dict) for each in objects(document))
    results = document.get("results") if isinstance(document, dict) else None
    if not isinstance(results, dict):
        return False
    return isinstance(results.get("channels"), list) or isinstance(results.get("utterances"), list)


def words_of(document: Any) -> Iterator[Spoken]:
    """Yield the words of all channels, one channel after the other."""
    if isinstance(document, list):
        yield from _of_stream(document)
        return
    channels = list(objects(document["results"].get("channels")))
    for position, channel in enumerate(channels):
        # A transcript of one channel may be of all the recording's, mixed.
        yield from _of_channel(channel, position if len(channels) > 1 else None)
    if not channels:
        for utterance in objects(document["results"].get("utterances")):
            yield _word(utterance, channel_from(utterance.get("channel")), is_utterance=True)


def _of_stream(messages: list[Any]) -> Iterator[Spoken]:
    for message in objects(messages):
        # What is not final is sent again.
        if not isinstance(message.get("channel"), dict) or message.get("is_final") is False:
            continue
        index = message.get("channel_index")
        position, count = index if isinstance(index, list) and len(index) == 2 else (None, 1)
        yield from _of_channel(message["channel"], channel_from(position) if number(count) > 1 else None)


def _of_channel(channel: dict[str, Any], position: int | None) -> Iterator[Spoken]:
    best = first_object(channel.get("alternatives"))
    words = list(objects(best.get("words")))
    yield from (_word(each, position) for each in words)
    if not words and text_from(best.get("transcript")):
        yield _word(best, position, is_utterance=True)


def _word(word: dict[str, Any], channel: int | None, *, is_utterance: bool = False) -> Spoken:
    return Spoken(
        text_from(word.get("punctuated_word") or word.get("word") or word.get("transcript")),
        number(word.get("start")),
        number(word.get("end")),
        channel=channel,
        speaker=name_from(word.get("speaker")),
        confidence=number(word.get("confidence")),
        is_utterance=is_utterance,
    )
