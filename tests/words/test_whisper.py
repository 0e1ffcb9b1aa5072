"""Whisper's family: words of segments, or beside them, or none."""

from __future__ import annotations

import math

import pytest

from kataven_notebook.words.spoken import Spoken
from kataven_notebook.words.whisper import is_it, words_of

pytestmark = pytest.mark.core

WHISPERX = {
    "segments": [
        {
            "start": 0.1,
            "end": 1.4,
            "text": " Seat 14 please.",
            "speaker": "SPEAKER_00",
            "words": [
                {"word": "Seat", "start": 0.1, "end": 0.4, "score": 0.9, "speaker": "SPEAKER_01"},
                {"word": "14"},
                {"word": "please.", "start": 1.0, "end": 1.4, "score": 0.8},
            ],
        },
        {"start": 2.0, "end": 3.0, "text": " Thanks a lot.", "words": []},
    ],
    "word_segments": [{"word": "Seat", "start": 0.1, "end": 0.4, "score": 0.9}],
    "language": "en",
}


def test_words_of_whisperx_have_score_and_speaker() -> None:
    """What was not aligned has no time, a word without a speaker that of its segment, and none is there twice."""
    seat, number, please, thanks = words_of(WHISPERX)
    assert seat == ("Seat", 0.1, 0.4, None, "SPEAKER_01", 0.9, False)
    assert number.word == "14"
    assert math.isnan(number.start_s)
    assert math.isnan(number.confidence)
    assert please.speaker == "SPEAKER_00"
    assert thanks == Spoken("Thanks a lot.", 2.0, 3.0, None, None, thanks.confidence, is_utterance=True)


@pytest.mark.parametrize("name", ["probability", "score", "confidence"])
def test_how_sure_it_is_has_several_names(name) -> None:
    """Of faster-whisper and openai-whisper, of WhisperX, of whisper-timestamped."""
    (word,) = words_of({"text": " Hi", "segments": [{"words": [{"word": " Hi", "start": 0, "end": 1, name: 0.7}]}]})
    assert word == ("Hi", 0.0, 1.0, None, None, 0.7, False)


def test_words_beside_the_segments_are_read() -> None:
    """As OpenAI's service gives them."""
    answer = {
        "task": "transcribe",
        "text": "Hi you",
        "segments": [{"id": 0, "start": 0.0, "end": 1.0, "text": "Hi you"}],
        "words": [{"word": "Hi", "start": 0.0, "end": 0.4}, {"word": "you", "start": 0.5, "end": 1.0}],
    }
    assert is_it(answer)
    assert [(each.word, each.start_s, each.is_utterance) for each in words_of(answer)] == [
        ("Hi", 0.0, False),
        ("you", 0.5, False),
    ]
    assert [each.word for each in words_of({"word_segments": WHISPERX["word_segments"]})] == ["Seat"]


def test_segments_and_words_may_be_a_list() -> None:
    """As `list(segments)` of faster-whisper, or words that somebody has gathered."""
    assert is_it(WHISPERX["segments"])
    assert len(list(words_of(WHISPERX["segments"]))) == 4
    gathered = [{"word": "Hi", "start": 0.0, "end": 0.4, "channel": 1, "speaker": "agent"}]
    assert is_it(gathered)
    assert next(words_of(gathered))[:6:1][3:5] == (1, "agent")
    assert not next(words_of(gathered)).is_utterance


def test_whisper_cpp_counts_milliseconds() -> None:
    """And has utterances alone."""
    answer = {"transcription": [{"offsets": {"from": 1_500, "to": 2_000}, "text": " Hello there."}]}
    assert is_it(answer)
    (word,) = words_of(answer)
    assert (word.word, word.start_s, word.end_s, word.is_utterance) == ("Hello there.", 1.5, 2.0, True)


@pytest.mark.parametrize("other", [{}, [], None, {"transcription": []}, [{"start": 1}], {"words": [{"text": "a"}]}])
def test_other_documents_are_not_its(other) -> None:
    """A list needs a start, an end and words."""
    assert not is_it(other)
