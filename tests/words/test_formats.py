"""A transcript is known by its content, in whatever form it comes, and nothing that is none breaks anything."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
from collections import namedtuple
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kataven_notebook.errors import FrameError
from kataven_notebook.words.formats import is_known, words_of

pytestmark = pytest.mark.core

WORD = {"word": "Hi", "start": 0.5, "end": 1.0}
ONE_OF_EACH: dict[str, Any] = {
    "whisper": {"segments": [{"text": "Hi", "start": 0.5, "end": 1.0, "words": [WORD]}]},
    "deepgram": {"results": {"channels": [{"alternatives": [{"transcript": "Hi", "words": [WORD]}]}]}},
    "assemblyai": {"status": "completed", "words": [{"text": "Hi", "start": 500, "end": 1000}]},
    "aws": {
        "results": {
            "transcripts": [],
            "items": [
                {"type": "pronunciation", "start_time": "0.5", "end_time": "1", "alternatives": [{"content": "Hi"}]}
            ],
        }
    },
    "call analytics": {"Transcript": [{"Content": "Hi", "BeginOffsetMillis": 500, "EndOffsetMillis": 1000}]},
    "google": {"results": [{"alternatives": [{"words": [{"word": "Hi", "startTime": "0.500s", "endTime": "1s"}]}]}]},
}


@pytest.mark.parametrize("name", ONE_OF_EACH)
def test_each_format_is_known_by_its_content(name) -> None:
    """As an object, as text, and as bytes with or without a byte order mark."""
    document = ONE_OF_EACH[name]
    text = json.dumps(document)
    assert is_known(document)
    forms = [document, text, text.encode(), b"\xef\xbb\xbf" + text.encode(), text.encode("utf-16"), "\n " + text]
    for form in forms:
        assert [each[:3] for each in words_of(form)] == [("Hi", 0.5, 1.0)]


def test_captions_are_known_with_a_mark_and_without_a_first_line() -> None:
    """A byte order mark is no part of it."""
    cue = "00:00:00.500 --> 00:00:01.000\r\nHi\r\n"
    for form in (f"\ufeffWEBVTT\r\n\r\n{cue}".encode(), f"1\r\n{cue}", f"\ufeff1\r\n{cue}".encode("utf-16")):
        assert [each[:3] for each in words_of(form)] == [("Hi", 0.5, 1.0)]


def test_lines_of_json_are_the_messages_of_a_stream() -> None:
    """As a log holds them."""
    message = {"channel_index": [0, 2], "is_final": True, "channel": {"alternatives": [{"words": [WORD]}]}}
    assert [each.word for each in words_of(f"{json.dumps(message)}\n\n{json.dumps(message)}\n")] == ["Hi", "Hi"]


@dataclasses.dataclass
class Segment:
    """As of faster-whisper."""

    text: str
    start: float
    end: float
    words: list[Any]


Word = namedtuple("Word", ["start", "end", "word", "probability"])  # noqa: PYI024 - as it is there


class Message:
    """As of Google's libraries: made plain by its class."""

    class _Meta(type):
        def to_dict(cls, message: Message) -> dict[str, Any]:
            return dict(message.__dict__)

    class Answer(metaclass=_Meta):
        """An answer."""


def test_objects_of_the_tools_own_libraries_are_read() -> None:
    """Segments with what is known of the call, models of pydantic, answers of SDKs, messages, arrays of Parquet."""
    segments = [Segment(" Hi", 0.5, 1.0, [Word(0.5, 1.0, " Hi", 0.9)])]
    message = Message.Answer()
    message.__dict__.update(ONE_OF_EACH["google"])
    forms = [
        segments,
        (iter(segments), SimpleNamespace(language="en")),
        iter(segments),
        SimpleNamespace(model_dump=lambda: ONE_OF_EACH["whisper"]),
        SimpleNamespace(to_dict=lambda: ONE_OF_EACH["deepgram"]),
        SimpleNamespace(json_response=ONE_OF_EACH["assemblyai"]),
        message,
        {"segments": np.array([{"words": np.array([{**WORD, "start": np.float64(0.5)}])}])},
    ]
    for form in forms:
        assert [each[:3] for each in words_of(form)] == [("Hi", 0.5, 1.0)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        ('{"segments": [', "is broken JSON (Expecting value: line 1 column 15 (char 14)): it may be cut short"),
        ("{" * 3 + "\n{", "is broken JSON"),
        ("[" * 100_000, "is nested too deeply"),
        ("Hello there", "is no transcript that is known (Deepgram, "),
        (b"caf\xe9\n1", "is not UTF-8 text (line 1)"),
        ({"a": 1, "b": 2}, "it holds 'a', 'b'"),
        ({}, "it holds nothing"),
        ([], "it is a list of nothing"),
        ("[1, 2]", "it is a list of int"),
        (7, "it is of type int"),
    ],
)
def test_what_is_none_says_what_it_is(content, said) -> None:
    """In a sentence that goes on from its name, and without what may be private in it."""
    with pytest.raises(FrameError, match=re.escape(said)) as error:
        words_of(content)
    assert "Hello" not in str(error.value)


PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
VALUES = st.recursive(
    PLAIN, lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=5), each, max_size=3)
)


def changed(document: Any, draw: Any) -> Any:
    """The document with anything in some of its places."""
    if draw(st.integers(0, 9)) == 0:
        return draw(VALUES)
    if isinstance(document, dict):
        return {key: changed(each, draw) for key, each in document.items()}
    if isinstance(document, list):
        return [changed(each, draw) for each in document]
    return document


@settings(max_examples=100, deadline=None)
@given(st.data(), st.sampled_from(sorted(ONE_OF_EACH)))
def test_anything_in_any_place_is_words_or_a_sentence(data, name) -> None:
    """No other error comes of it."""
    try:
        found = words_of(changed(ONE_OF_EACH[name], data.draw))
    except FrameError:
        return
    assert all(isinstance(each.word, str) and isinstance(each.start_s, float) for each in found)


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="0123456789:.,-> \n\r<>v/uWEBTaé[]{}\\", max_size=80))
def test_any_text_is_words_or_a_sentence(text) -> None:
    """No other error comes of it."""
    for each in (text, f"WEBVTT\n\n{text}", f"00:01.0 --> 00:02.0\n{text}"):
        with contextlib.suppress(FrameError):
            words_of(each)
