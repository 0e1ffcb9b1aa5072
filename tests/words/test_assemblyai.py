"""AssemblyAI: milliseconds, channels from 1, and transcripts that failed."""

from __future__ import annotations

import math
import re

import pytest

from kataven_notebook.errors import FrameError
from kataven_notebook.words.assemblyai import is_it, words_of

pytestmark = pytest.mark.core

WORD = {"text": "Smoke", "start": 250, "end": 650, "confidence": 0.97, "speaker": "A"}


def test_words_have_seconds() -> None:
    """And the speaker's letter."""
    answer = {"id": "t", "status": "completed", "text": "Smoke", "words": [WORD]}
    assert is_it(answer)
    assert list(words_of(answer)) == [("Smoke", 0.25, 0.65, None, "A", 0.97, False)]


def test_channels_are_counted_from_nought() -> None:
    """A speaker that is called by the number of the channel is nobody known; one with a letter behind it is."""
    words = [{**WORD, "channel": "2", "speaker": "2"}, {**WORD, "channel": "1", "speaker": "1B"}]
    found = list(words_of({"status": "completed", "audio_channels": 2, "words": words}))
    assert [(each.channel, each.speaker) for each in found] == [(1, None), (0, "1B")]


def test_words_of_utterances_are_read_where_there_are_no_others() -> None:
    """With who says the utterance; and the utterances themselves where they have none."""
    said = {"speaker": "B", "text": "Smoke", "start": 250, "end": 650, "confidence": 0.9}
    word = {name: WORD[name] for name in ("text", "start", "end", "confidence")}
    (one,) = words_of({"words": None, "utterances": [{**said, "words": [word]}]})
    assert (one.speaker, one.is_utterance) == ("B", False)
    (one,) = words_of({"utterances": [said]})
    assert (one.word, one.start_s, one.is_utterance) == ("Smoke", 0.25, True)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"status": "error", "error": "File is\nempty", "words": None}, "could not make it (File is empty)"),
        ({"status": "processing", "audio_url": "x", "words": None}, "has not finished it, its status is 'processing'"),
    ],
)
def test_what_is_no_transcript_yet_says_so(answer, said) -> None:
    """With the service's own reason."""
    assert is_it(answer)
    with pytest.raises(FrameError, match=re.escape(said)):
        list(words_of(answer))


def test_a_call_without_speech_has_no_words() -> None:
    """It is complete all the same."""
    assert list(words_of({"status": "completed", "words": []})) == []


def test_times_that_are_none_are_missing() -> None:
    """As anywhere."""
    (word,) = words_of({"words": [{**WORD, "start": None}]})
    assert math.isnan(word.start_s)


def test_a_list_of_its_words_or_utterances_has_milliseconds_too() -> None:
    """As `answer["words"]` is."""
    for listed in ([WORD], [{**WORD, "words": [WORD]}]):
        assert is_it(listed)
        assert [(each.start_s, each.is_utterance) for each in words_of(listed)] == [(0.25, False)]


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"words": [{"word": "a", "start": 0, "end": 1}]},
        {"status": "ok"},
        {"words": [{"text": "a", "start": 0.0, "end": 0.25}]},
        {"words": [{"text": "a", "start": 0, "end": 1}, {"text": "b", "start": 1.119, "end": 1.3}]},
        [{**WORD, "start": 0.0, "end": 1.0}],
        [{"text": "a", "start": 0, "end": 1}],
    ],
)
def test_other_documents_are_not_its(other) -> None:
    """Whisper's words are called otherwise, and others' of the same names have seconds."""
    assert not is_it(other)
