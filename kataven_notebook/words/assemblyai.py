"""Transcripts of AssemblyAI: times in milliseconds, channels from 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kataven_notebook.errors import FrameError
from kataven_notebook.redact import one_line
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

NAME = "AssemblyAI"
_STATUSES = ("queued", "processing", "completed", "error")


def is_it(document: object) -> bool:
    """Whether a document is of AssemblyAI: its status, or words or utterances with a `text` and whole milliseconds."""
    if isinstance(document, list):
        # Lists of segments that others write have seconds, with fractions.
        return "confidence" in first_object(document) and _are_its(document, int)
    if not isinstance(document, dict) or "segments" in document:
        return False
    is_answer = document.get("status") in _STATUSES and bool({"audio_url", "words", "error"} & document.keys())
    return is_answer or any(_are_its(document.get(name), int | float) for name in ("words", "utterances"))


def _are_its(said: object, numbers: Any) -> bool:
    """Whether words or utterances have a text and times in whole milliseconds: the same names with seconds are not."""
    listed = list(objects(said))
    times = [each.get(name) for each in listed for name in ("start", "end")]
    return (
        bool(listed)
        and all({"text", "start", "end"} <= each.keys() for each in listed)
        and all(each is None or (isinstance(each, numbers) and each % 1 == 0) for each in times)
    )


def words_of(document: Any) -> Iterator[Spoken]:
    """Yield the words; the utterances where there are no words.

    Raises
    ------
    FrameError
        The transcript failed, or is not ready yet.
    """
    if isinstance(document, list):
        document = {"utterances" if "words" in first_object(document) else "words": document}
    status = document.get("status", "completed")
    if status == "error":
        reason = one_line(text_from(document.get("error")) or "no reason is given")
        raise FrameError(f"AssemblyAI could not make it ({reason})")
    if status in ("queued", "processing"):
        raise FrameError(f"AssemblyAI has not finished it, its status is {status!r}: ask for it again")
    words = list(objects(document.get("words")))
    utterances = list(objects(document.get("utterances")))
    if not words:
        words = [{**_whose(each), **word} for each in utterances for word in objects(each.get("words"))]
    yield from (_word(each, is_utterance=not words) for each in words or utterances)


def _whose(utterance: dict[str, Any]) -> dict[str, Any]:
    return {name: utterance[name] for name in ("speaker", "channel") if name in utterance}


def _word(word: dict[str, Any], *, is_utterance: bool) -> Spoken:
    channel = channel_from(word.get("channel"), first=1)
    speaker = name_from(word.get("speaker"))
    # With a channel each, speakers are numbered as their channels are, which says nothing more.
    is_channel = channel is not None and speaker == str(channel + 1)
    return Spoken(
        text_from(word.get("text")),
        milliseconds(word.get("start")),
        milliseconds(word.get("end")),
        channel=channel,
        speaker=None if is_channel else speaker,
        confidence=number(word.get("confidence")),
        is_utterance=is_utterance,
    )
