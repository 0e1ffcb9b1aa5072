"""Which format the first bytes of a file indicate, and what is known of each format."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MAGIC: tuple[tuple[Callable[[bytes], bool], str], ...] = (
    (lambda h: h[:4] in (b"RIFF", b"RF64", b"RIFX") and h[8:12] == b"WAVE", "wav"),
    (lambda h: h[:4] == b"fLaC", "flac"),
    (lambda h: h[:4] == b"OggS", "ogg"),
    (lambda h: h[:3] == b"ID3", "mp3"),
    (lambda h: h[:4] == b"FORM" and h[8:12] in (b"AIFF", b"AIFC"), "aiff"),
    (lambda h: h[:4] in (b".snd", b"dns."), "au"),
    (lambda h: h[:4] == b"caff", "caf"),
    (lambda h: h[:4] == b"riff" and h[24:28] == b"wave", "w64"),
    (lambda h: h[4:8] == b"ftyp", "m4a"),
    (lambda h: h[:4] == b"\x1aE\xdf\xa3", "webm"),
    (lambda h: h[:5] == b"#!AMR", "amr"),
    (lambda h: h[:4] == b"0&\xb2u", "wma"),
    # An MPEG frame starts with eleven set bits; AAC has no layer bits set, MP3 has.
    (lambda h: len(h) > 1 and h[0] == 0xFF and h[1] & 0xF6 == 0xF0, "aac"),
    (lambda h: len(h) > 1 and h[0] == 0xFF and h[1] & 0xE0 == 0xE0 and h[1] & 0x06 != 0, "mp3"),
)
# Formats whose header counts frames exactly, and that take no time to decode.
LOSSLESS = frozenset({"wav", "flac", "aiff", "au", "w64", "caf"})
NEEDS_AV = frozenset({"m4a", "webm", "amr", "wma", "aac"})
FORMATS = frozenset(name for _, name in _MAGIC)


def sniff(head: bytes) -> str | None:
    """Return the format that the first bytes of a file (64 are enough) indicate, or None."""
    return next((name for matches, name in _MAGIC if matches(head)), None)


def describe(head: bytes) -> str:
    """Return in a few words what bytes that are not audio look like."""
    if not head:
        return "the file is empty"
    start = head.lstrip()[:16].lower()
    if start.startswith((b"<!doctype", b"<html")):
        return "the file is an HTML page, not audio"
    if start.startswith((b"<?xml", b"<error")):
        return "the file is an XML document, not audio"
    if start.startswith((b"{", b"[")):
        return "the file is JSON, not audio"
    if not any(head):
        return "the file is nothing but zero bytes"
    return "the file is not audio of a known format"
