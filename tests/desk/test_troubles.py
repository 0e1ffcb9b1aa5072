"""Sentences on storages in trouble."""

from __future__ import annotations

import pytest

from kataven_notebook.desk.troubles import plays, sentence, was_refused
from kataven_notebook.service.ranges import Look

pytestmark = pytest.mark.core

_WAV = b"RIFF\x24\x00\x00\x00WAVEfmt "


@pytest.mark.parametrize(
    ("look", "words"),
    [
        (Look("calls.example", is_silent=True, problem="no answer within the timeout"), "has not answered yet"),
        (Look("calls.example", problem="no connection"), "No connection to calls.example: no connection. Check"),
        (Look("calls.example", 403), "refuses the signed URL (403)"),
        (Look("calls.example", 403, is_expired=True), "has expired: run audio()"),
        (Look("calls.example", 410), "no such recording (410)"),
        (Look("calls.example", 503), "fails (status 503)"),
        (Look("calls.example", 200, head=b"<html>", is_page=True), "A web page"),
        (Look("calls.example", 200, head=b"{}"), "JSON, not audio"),
        (Look("calls.example", 206), "the file is empty"),
    ],
)
def test_a_sentence_says_what_happened_and_what_to_do(look: Look, words: str) -> None:
    """Each names Play, or the function that helps."""
    text = sentence(look)
    assert words in text
    assert "Play" in text or "audio()" in text
    assert not plays(look)


def test_the_beginning_of_a_sound_file_plays() -> None:
    """Whether the storage knows ranges or not."""
    assert plays(Look("calls.example", 206, head=_WAV))
    assert plays(Look("calls.example", 200, head=_WAV))


def test_only_a_refusal_makes_a_new_url_worth_a_request() -> None:
    """A storage that is away or fails does so for every URL."""
    assert was_refused(Look("calls.example", 403))
    assert not any(was_refused(Look("calls.example", status)) for status in (None, 200, 404, 500))
