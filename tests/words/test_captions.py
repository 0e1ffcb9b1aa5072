"""Captions: times of any form, speakers, and words with times of their own."""

from __future__ import annotations

import pytest

from kataven_notebook.errors import FrameError
from kataven_notebook.words.captions import is_it, words_of

pytestmark = pytest.mark.core


def read(text: str) -> list[tuple[str, float, float, str | None]]:
    """Return word, times and speaker of each."""
    assert is_it(text)
    return [(each.word, each.start_s, each.end_s, each.speaker) for each in words_of(text)]


def test_vtt_has_voices_notes_and_settings() -> None:
    """Tags, comments, styles and the settings of a cue are no words; entities are their letters."""
    text = """WEBVTT - a call
Kind: captions

NOTE
nothing --> of this

STYLE
::cue { color: red }

intro
00:01.000 --> 00:02.500 align:start position:0%
<v.loud Ann Lee>Tom &amp; <i>Sue</i></v>
<v Bob>Yes?

01:00:00.000 --> 01:00:01.000
<c.yellow>Late</c>
"""
    assert read(text) == [
        ("Tom & Sue", 1.0, 2.5, "Ann Lee"),
        ("Yes?", 1.0, 2.5, "Bob"),
        ("Late", 3600.0, 3601.0, None),
    ]
    assert all(each.is_utterance for each in words_of(text))


def test_times_within_a_cue_are_those_of_its_words() -> None:
    """Each lasts until the next."""
    text = "WEBVTT\n\n00:01.000 --> 00:03.000\nWell <00:01.500><c>hello</c><00:02.250> <c>you</c>\n"
    assert read(text) == [("Well", 1.0, 1.5, None), ("hello", 1.5, 2.25, None), ("you", 2.25, 3.0, None)]
    assert not any(each.is_utterance for each in words_of(text))


def test_captions_that_roll_say_each_word_once() -> None:
    """A line that is shown once more is passed over."""
    text = """WEBVTT

00:01.000 --> 00:02.000
so<00:01.500><c> well</c>

00:02.000 --> 00:02.010
so well

00:02.010 --> 00:03.000
so well
I<00:02.500><c> think</c>
"""
    assert [word for word, *_ in read(text)] == ["so", "well", "I", "think"]


def test_srt_has_commas_and_numbers() -> None:
    """With any end of line, without empty lines between cues, for more than 99 hours, and overlapping."""
    text = """1
00:00:01,500 --> 00:00:02,000
Hello
<b>there</b>
2
00:00:01,000 --> 00:00:04,000
{\\an8}Room 12

3
100:00:00,000 --> 100:00:00,500
7
"""
    for each in (text, text.replace("\n", "\r\n"), text.replace("\n", "\r")):
        assert read(each) == [
            ("Hello there", 1.5, 2.0, None),
            ("Room 12", 1.0, 4.0, None),
            ("7", 360_000.0, 360_000.5, None),
        ]


@pytest.mark.parametrize(
    ("line", "speaker", "said"),
    [
        ("[SPEAKER_01]: Hi there", "SPEAKER_01", "Hi there"),
        ("Agent: Hi there", "Agent", "Hi there"),
        ("[speaker 0]\nHi there", "speaker 0", "Hi there"),
        ("[music] Hi there", None, "[music] Hi there"),
        ("Speaker 2: Hi", "Speaker 2", "Hi"),
        ("Note: the time is 10:30", None, "Note: the time is 10:30"),
        ("It is 7: 30 sharp", None, "It is 7: 30 sharp"),
    ],
)
def test_a_speaker_may_stand_before_what_is_said(line, speaker, said) -> None:
    """Only where it is one for certain: anything else is said."""
    assert read(f"1\n00:00:01,000 --> 00:00:02,000\n{line}\n") == [(said, 1.0, 2.0, speaker)]


def test_lines_of_one_cue_may_be_of_two_speakers() -> None:
    """Each line that begins with a name is of that speaker, and goes on until the next."""
    lines = "Hello\nAgent: Yes,\nplease\n[SPEAKER_01]:\nNo: never"
    assert read(f"1\n00:00:01,000 --> 00:00:02,000\n{lines}\n") == [
        ("Hello", 1.0, 2.0, None),
        ("Yes, please", 1.0, 2.0, "Agent"),
        ("No: never", 1.0, 2.0, "SPEAKER_01"),
    ]


def test_lines_that_underline_each_word_say_each_once() -> None:
    """As whisper's `--highlight_words` writes them, with pauses in which none is underlined."""
    cues = ["<u>Hi</u> you", "Hi you", "Hi <u>you</u>", "Next one"]
    text = "".join(f"{n}\n00:00:0{n},000 --> 00:00:0{n},900\n{each}\n\n" for n, each in enumerate(cues))
    assert read(text) == [("Hi", 0.0, 0.9, None), ("you", 2.0, 2.9, None), ("Next one", 3.0, 3.9, None)]


@pytest.mark.parametrize("times", ["00:00:01:12 --> 00:00:02:00", "-00:00:01,500 --> 00:00:02,000", "1.5 --> 2.5"])
def test_no_cue_is_lost_because_of_its_times(times) -> None:
    """Times of frames, or before the start, are no times that are known; more than 99 minutes are."""
    with pytest.raises(FrameError, match="times that can't be read in line 4"):
        read(f"00:00:01.000 --> 00:00:02.000\nHi\n\n{times}\nyou\n")
    assert read("120:30.000 --> 120:32.000\nHi --> you\n") == [("Hi --> you", 7_230.0, 7_232.0, None)]


@pytest.mark.parametrize("text", ["", "Hello there", "a --> b", "1\n2\n3"])
def test_other_texts_are_no_captions(text) -> None:
    """An arrow alone makes none."""
    assert not is_it(text)


def test_captions_without_cues_hold_nothing() -> None:
    """As of a silent call."""
    assert read("WEBVTT\n\nNOTE nobody speaks\n") == []
