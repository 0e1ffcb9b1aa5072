"""Transcripts of Whisper's family: WhisperX, faster-whisper, openai-whisper, OpenAI's service, whisper.cpp."""

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
    from collections.abc import Iterator

NAME = "Whisper (WhisperX, faster-whisper, openai-whisper)"
# What each of them calls how sure it is of a word.
_CONFIDENCES = ("score", "probability", "confidence")


def is_it(document: object) -> bool:
    """Whether a document is of this family: an object with `segments`, or the segments or words themselves."""
    if isinstance(document, list):
        first = first_object(document)
        return {"start", "end"} <= first.keys() and bool({"text", "word", "words"} & first.keys())
    if not isinstance(document, dict):
        return False
    if any(isinstance(document.get(name), list) for name in ("segments", "word_segments")):
        return True
    if isinstance(document.get("transcription"), list):
        return "offsets" in first_object(document["transcription"])
    return "word" in first_object(document.get("words"))


def words_of(document: Any) -> Iterator[Spoken]:
    """Yield the words; an utterance where a segment has none with times."""
    if isinstance(document, list):
        document = {"segments": document}
    if isinstance(document.get("transcription"), list):
        yield from _of_whisper_cpp(document["transcription"])
        return
    segments = list(objects(document.get("segments")))
    if not any(_has_words(each) for each in segments):
        # OpenAI's service gives the words beside the segments, WhisperX gives them twice.
        beside = [*objects(document.get("words"))] or [*objects(document.get("word_segments"))]
        if beside:
            yield from (_word(each, {}) for each in beside)
            return
    for segment in segments:
        if _has_words(segment):
            yield from (_word(each, segment) for each in objects(segment["words"]))
        else:
            # A list of words, without segments, stands here as well.
            yield _word(segment, {}, is_utterance="word" not in segment)


def _has_words(segment: dict[str, Any]) -> bool:
    return any(objects(segment.get("words")))


def _word(word: dict[str, Any], segment: dict[str, Any], *, is_utterance: bool = False) -> Spoken:
    sure = next((word[name] for name in _CONFIDENCES if name in word), None)
    return Spoken(
        text_from(word.get("word", word.get("text"))),
        number(word.get("start")),
        number(word.get("end")),
        channel=channel_from(word.get("channel", segment.get("channel"))),
        speaker=name_from(word.get("speaker", segment.get("speaker"))),
        confidence=number(sure),
        is_utterance=is_utterance,
    )


def _of_whisper_cpp(segments: list[Any]) -> Iterator[Spoken]:
    for segment in objects(segments):
        offsets = segment.get("offsets")
        times = offsets if isinstance(offsets, dict) else {}
        start_s, end_s = milliseconds(times.get("from")), milliseconds(times.get("to"))
        speaker = name_from(segment.get("speaker"))
        yield Spoken(text_from(segment.get("text")), start_s, end_s, speaker=speaker, is_utterance=True)
