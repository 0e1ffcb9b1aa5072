"""Deepgram: a channel's words, their punctuation and speakers; the messages of a stream."""

from __future__ import annotations

import pytest

from kataven_notebook.words.deepgram import is_it, words_of

pytestmark = pytest.mark.core


def word(text: str, start: float, **more: object) -> dict[str, object]:
    """A word as Deepgram writes it."""
    return {
        "word": text.lower().strip("."),
        "punctuated_word": text,
        "start": start,
        "end": start + 0.5,
        "confidence": 0.9,
        **more,
    }


def answer(*channels: list[dict[str, object]]) -> dict[str, object]:
    """An answer of so many channels."""
    alternatives = [{"alternatives": [{"transcript": "...", "confidence": 0.9, "words": words}]} for words in channels]
    return {"metadata": {"request_id": "r", "channels": len(channels)}, "results": {"channels": alternatives}}


def test_each_channel_has_its_words() -> None:
    """With their punctuation, and the speaker as text."""
    found = list(words_of(answer([word("Hello.", 0.5, speaker=0)], [word("Hi.", 1.5)])))
    assert found == [("Hello.", 0.5, 1.0, 0, "0", 0.9, False), ("Hi.", 1.5, 2.0, 1, None, 0.9, False)]


def test_one_channel_alone_is_not_called_the_first() -> None:
    """It may be both channels of the recording, mixed."""
    assert [each.channel for each in words_of(answer([word("Hello.", 0.5)]))] == [None]


def test_words_without_punctuation_and_transcripts_without_words_are_read() -> None:
    """The latter as one utterance without a time."""
    plain = answer([{"word": "hello", "start": 0.5, "end": 1.0, "confidence": 0.5}])
    assert [each.word for each in words_of(plain)] == ["hello"]
    (whole,) = words_of({"results": {"channels": [{"alternatives": [{"transcript": "hello there", "words": []}]}]}})
    assert (whole.word, whole.is_utterance) == ("hello there", True)


def test_utterances_alone_are_read() -> None:
    """With their channels."""
    (one,) = words_of({"results": {"utterances": [{"start": 0.4, "end": 5.4, "channel": 1, "transcript": "a b"}]}})
    assert (one.word, one.start_s, one.end_s, one.channel, one.is_utterance) == ("a b", 0.4, 5.4, 1, True)


def test_a_stream_counts_what_is_final() -> None:
    """Interim results are sent again, and other messages hold no words."""
    (channel,) = answer([word("Hello.", 0.5)])["results"]["channels"]
    messages = [
        {"type": "Results", "channel_index": [1, 2], "is_final": False, "channel": channel},
        {"type": "Results", "channel_index": [1, 2], "is_final": True, "channel": channel},
        {"type": "Metadata", "duration": 2.0},
    ]
    assert is_it(messages)
    assert [(each.word, each.channel) for each in words_of(messages)] == [("Hello.", 1)]


@pytest.mark.parametrize("other", [{}, [], {"results": []}, {"results": {"items": []}}, [{"channel": 0}]])
def test_other_documents_are_not_its(other) -> None:
    """Other services call things `results` too."""
    assert not is_it(other)
