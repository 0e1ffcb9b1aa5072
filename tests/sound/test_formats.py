"""Formats by their first bytes: each is known, and what is none is named for what it is."""

from __future__ import annotations

import fuzzing
import pytest

from kataven_notebook import Recording
from kataven_notebook.errors import RecordingCorrupt
from kataven_notebook.sound.formats import FORMATS, LOSSLESS, NEEDS_AV, sniff

pytestmark = pytest.mark.core

HEADS = {
    "m4a": b"\0\0\0 ftypM4A ",
    "webm": b"\x1aE\xdf\xa3",
    "amr": b"#!AMR\n",
    "wma": b"0&\xb2u",
    "aac": b"\xff\xf1",
}


def test_each_format_is_known_by_its_first_bytes() -> None:
    """64 of them, of real files where libsndfile writes such."""
    found = {sniff(data[:64]) for data in fuzzing.sound_seeds().values()} | {sniff(head) for head in HEADS.values()}
    assert found == FORMATS
    assert {name: sniff(head) for name, head in HEADS.items()} == {name: name for name in HEADS}
    assert set(HEADS) == NEEDS_AV
    assert LOSSLESS < FORMATS - NEEDS_AV


def test_an_mp3_is_told_from_aac_by_its_layer() -> None:
    """Both begin with an MPEG frame; nothing does that has no such beginning."""
    assert [sniff(head) for head in (b"\xff\xfb\x90", b"\xff\xf9\x50", b"\xff", b"")] == ["mp3", "aac", None, None]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"<html><body>Not found</body></html>", "HTML"),
        (b'<?xml version="1.0"?><Error/>', "XML"),
        (b'{"error": 1}', "JSON"),
        (bytes(4_000), "zero bytes"),
        (b"hello, this is no sound at all", "not audio"),
    ],
)
def test_what_is_no_audio_is_named_for_what_it_is(data: bytes, says: str) -> None:
    """The error says what the bytes look like."""
    with pytest.raises(RecordingCorrupt, match=says):
        Recording.from_bytes(data)
