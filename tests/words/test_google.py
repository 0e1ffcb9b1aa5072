"""Google Speech-to-Text: durations as text, what is nothing is left out, words that come twice."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest

from kataven_notebook.words.google import is_it, words_of

pytestmark = pytest.mark.core


def result(*words: dict[str, object], **more: object) -> dict[str, object]:
    """A result with one alternative."""
    return {"alternatives": [{"transcript": "...", "confidence": 0.8, "words": list(words)}], **more}


def test_version_1_has_times_and_tags() -> None:
    """A start of nothing is left out, and a confidence of 0 is none."""
    answer = {
        "results": [
            result(
                {"endTime": "0.400s", "word": "Hello", "confidence": 0.9},
                {"startTime": "0.400s", "endTime": "1s", "word": "there.", "confidence": 0.0},
                channelTag=2,
            )
        ]
    }
    assert is_it(answer)
    hello, there = words_of(answer)
    assert hello == ("Hello", 0.0, 0.4, 1, None, 0.9, False)
    assert there[:5] == ("there.", 0.4, 1.0, 1, None)
    assert math.isnan(there.confidence)


def test_version_2_has_offsets_and_labels() -> None:
    """Also inside of the answer of a batch, where each file has a name."""
    word = {"startOffset": "1.500s", "endOffset": "2s", "word": "Yes", "speakerLabel": "1"}
    answer = {"results": [result(word)]}
    batch = {"response": {"results": {"gs://bucket/a.wav": {"transcript": answer}}}}
    inline = {"results": {"gs://bucket/a.wav": {"inlineResult": {"transcript": answer}}}}
    for each in (answer, batch, inline):
        assert is_it(each)
        assert [(said.word, said.start_s, said.end_s, said.speaker) for said in words_of(each)] == [
            ("Yes", 1.5, 2.0, "1")
        ]


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ({"seconds": "1", "nanos": 500_000_000}, {"seconds": 2}),
        (dt.timedelta(seconds=1.5), dt.timedelta(seconds=2)),
        ("1.5s", "2.000s"),
    ],
)
def test_durations_have_several_forms(start, end) -> None:
    """In the letters of the libraries too."""
    (said,) = words_of({"results": [result({"start_time": start, "end_time": end, "word": "Yes"})]})
    assert (said.start_s, said.end_s) == (1.5, 2.0)


def test_words_that_come_twice_are_there_once_with_their_speaker() -> None:
    """Version 1 repeats all words in its last result, where speakers are told apart."""
    word = {"startTime": "1s", "endTime": "2s", "word": "Yes"}
    answer = {"results": [result(word), result({**word, "speakerTag": 2})]}
    assert [(each.word, each.speaker) for each in words_of(answer)] == [("Yes", "2")]


def test_a_result_without_words_is_an_utterance_that_follows_the_one_before() -> None:
    """On its channel; and what is not final is passed over."""
    said = [
        {"alternatives": [{"transcript": text}], "channelTag": 1, "resultEndTime": end}
        for text, end in (("a b", "2s"), ("c", "3.5s"))
    ]
    interim = {"alternatives": [{"transcript": "c d"}], "isFinal": False}
    found = [
        (each.word, each.start_s, each.end_s, each.is_utterance) for each in words_of({"results": [*said, interim]})
    ]
    assert found == [("a b", 0.0, 2.0, True), ("c", 2.0, 3.5, True)]
    del said[0]["resultEndTime"]
    times = [(each.start_s, each.end_s) for each in words_of({"results": said})]
    assert np.isnan(times).tolist() == [[True, True], [True, False]], "nobody says when the first one ends"
    word = {"startTime": "0.5s", "endTime": "1.5s", "word": "Yes"}
    after = list(words_of({"results": [result(word, channelTag=1), said[1]]}))
    assert [each.start_s for each in after] == [0.5, 1.5]


@pytest.mark.parametrize(
    "other",
    [
        {},
        [],
        {"results": {"channels": []}},
        {"results": [1]},
        {"results": {"a": 1, "b": 2}},
        {"results": [{"alternatives": [{"transcript": "a", "timestamps": [["a", 0.1, 0.5]]}]}]},
        {"results": [{"start_time": 0.1, "alternatives": [{"content": "a"}]}]},
    ],
)
def test_other_documents_are_not_its(other) -> None:
    """Other services call things `results` too."""
    assert not is_it(other)
