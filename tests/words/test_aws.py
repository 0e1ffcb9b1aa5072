"""Amazon Transcribe: numbers as text, punctuation without times, speakers and channels beside the words."""

from __future__ import annotations

import pytest

from kataven_notebook.words.aws import is_it, words_of

pytestmark = pytest.mark.core


def item(text: str, start: float | None = None, **more: object) -> dict[str, object]:
    """A word as the service writes it; punctuation where it has no time."""
    if start is None:
        return {"alternatives": [{"confidence": "0.0", "content": text}], "type": "punctuation", **more}
    times = {"start_time": f"{start}", "end_time": f"{start + 0.5}"}
    return {**times, "alternatives": [{"confidence": "0.99", "content": text}], "type": "pronunciation", **more}


def job(**results: object) -> dict[str, object]:
    """The file of a job."""
    return {"jobName": "j", "accountId": "1", "results": {"transcripts": [{"transcript": "..."}], **results}}


def test_punctuation_joins_the_word_before_it() -> None:
    """What opens joins the word behind it, and neither makes a row or changes a confidence."""
    answer = job(items=[item("¿"), item("Cuánto", 0.5), item("?"), item("Ya", 1.5), item("."), item(".")])
    assert is_it(answer)
    assert list(words_of(answer)) == [
        ("¿Cuánto?", 0.5, 1.0, None, None, 0.99, False),
        ("Ya..", 1.5, 2.0, None, None, 0.99, False),
    ]


def test_speakers_stand_beside_the_words_or_in_them() -> None:
    """Older and newer answers."""
    label = {"start_time": "0.5", "end_time": "1.0", "speaker_label": "spk_1"}
    labels = {"speakers": 2, "segments": [{**label, "items": [label]}]}
    older = job(items=[item("Hello", 0.5), item("there", 1.5)], speaker_labels=labels)
    newer = job(items=[item("Hello", 0.5, speaker_label="spk_1"), item(".", speaker_label="spk_1")])
    assert [each.speaker for each in words_of(older)] == ["spk_1", None]
    assert [(each.word, each.speaker) for each in words_of(newer)] == [("Hello.", "spk_1")]


def test_channels_have_their_own_words() -> None:
    """The words of both are there a second time, and read once."""
    channels = [
        {"channel_label": "ch_0", "items": [item("Hello", 0.5), item(".")]},
        {"channel_label": "ch_1", "items": [item("Hi", 1.5)]},
    ]
    answer = job(
        items=[item("Hello", 0.5), item("Hi", 1.5)], channel_labels={"channels": channels, "number_of_channels": 2}
    )
    assert [(each.word, each.channel) for each in words_of(answer)] == [("Hello.", 0), ("Hi", 1)]


def test_punctuation_joins_the_word_of_its_own_channel() -> None:
    """Also where the words of both stand in one list."""
    first, second = {"channel_label": "ch_0"}, {"channel_label": "ch_1"}
    answer = job(items=[item("Hello", 0.5, **first), item("Hi", 0.7, **second), item(".", **first)])
    assert [(each.word, each.channel) for each in words_of(answer)] == [("Hello.", 0), ("Hi", 1)]


def test_call_analytics_names_agent_and_customer() -> None:
    """With words where there are any, else with turns."""
    mark = {
        "Type": "punctuation",
        "Content": ".",
        "Confidence": "0.0",
        "BeginOffsetMillis": 700,
        "EndOffsetMillis": 700,
    }
    word = {
        "Type": "pronunciation",
        "Content": "Hello",
        "Confidence": "0.9",
        "BeginOffsetMillis": 500,
        "EndOffsetMillis": 700,
    }
    turn = {"BeginOffsetMillis": 500, "EndOffsetMillis": 900, "Content": "Hello.", "ParticipantRole": "AGENT"}
    assert is_it({"Transcript": [turn]})
    words = list(words_of({"Transcript": [{**turn, "Items": [word, mark]}, turn]}))
    assert words[0] == ("Hello.", 0.5, 0.7, None, "AGENT", 0.9, False)
    assert words[1][:3] == ("Hello.", 0.5, 0.9)
    assert words[1].is_utterance
    people = [{"ParticipantId": "p1", "ParticipantRole": "CUSTOMER"}]
    named = {name: turn[name] for name in turn if name != "ParticipantRole"} | {"ParticipantId": "p1"}
    assert [each.speaker for each in words_of({"Transcript": [named], "Participants": people})] == ["CUSTOMER"]


@pytest.mark.parametrize("other", [{}, [], {"results": []}, {"results": {"channels": []}}, {"Transcript": "text"}])
def test_other_documents_are_not_its(other) -> None:
    """Other services call things `results` too."""
    assert not is_it(other)
