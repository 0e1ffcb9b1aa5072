"""Transcripts as captions: WebVTT and SubRip (SRT), with speakers and with times of words where they are."""

from __future__ import annotations

import html
import itertools
import re
from typing import TYPE_CHECKING, NamedTuple

from kataven_notebook.errors import FrameError
from kataven_notebook.frame.side_tables import role_named
from kataven_notebook.words.spoken import Spoken, name_from, text_from

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NAME = "captions (VTT, SRT)"
_TIME = r"(?:(?P<{0}h>\d+):)?(?P<{0}m>\d{{1,3}}):(?P<{0}s>\d{{1,2}})(?:[.,](?P<{0}f>\d{{1,9}}))?"
_TIMING = re.compile(rf"^[ \t]*{_TIME.format('a')}[ \t]*-->[ \t]*{_TIME.format('b')}(?:[ \t].*)?$")
_LIKE_TIMING = re.compile(r"^[ \t]*-?\d[\d:;.,]*[ \t]*-->")
_INNER_TIME = re.compile(rf"<{_TIME.format('a')}>")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)*[ \t]+(?P<name>[^>]*)>|</v>")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|\{\\[^{}]*\}")
_UNDERLINED = re.compile(r"<u>(.*?)</u>", re.DOTALL)
# A speaker before what is said: in brackets, or by one of the usual names.
_BRACKETED = re.compile(r"^\[(?P<name>[^\[\]\n]{1,80})\](?P<colon>:?)\s*")
_NAMED = re.compile(r"^(?P<name>[A-Za-z][\w ]{0,40}?):\s+(?=\S)")
_NUMBERED = re.compile(r"(?i)(speaker|spk|channel)[ _]?\d+")


class _Cue(NamedTuple):
    start_s: float
    end_s: float
    lines: tuple[str, ...]

    @property
    def plain(self) -> str:
        return _plain(" ".join(self.lines))


def is_it(text: str) -> bool:
    """Whether a text is captions: its first line says so, or one of its lines holds two times and an arrow."""
    return text.startswith("WEBVTT") or any(map(_TIMING.match, _lines(text)))


def words_of(text: str) -> Iterator[Spoken]:
    """Yield what each cue says: one for each speaker in it, or one for each time in it.

    Where the cues repeat a line and underline its words one after the other, each word once.

    Raises
    ------
    FrameError
        A cue has times of another form, and what it says would be lost.
    """
    cues = list(_cues(text))
    has_times = any(_INNER_TIME.search(line) for cue in cues for line in cue.lines)
    has_underlines = any("<u>" in line for cue in cues for line in cue.lines)
    if has_underlines and not has_times:
        yield from _underlined(cues)
        return
    shown: tuple[str, ...] = ()
    for cue in cues:
        # Captions that roll show the line before once more.
        fresh = tuple(each for each in cue.lines if not has_times or _plain(each) not in shown)
        shown = tuple(map(_plain, cue.lines))
        yield from _spoken(cue._replace(lines=fresh))


def _cues(text: str) -> Iterator[_Cue]:
    lines = _lines(text)
    timings = [_TIMING.match(line) for line in lines]
    for number, (line, timing) in enumerate(zip(lines, timings, strict=True), start=1):
        if timing is None and _LIKE_TIMING.match(line):
            raise FrameError(
                f"has times that can't be read in line {number}: write them as 00:01:02.345 --> 00:01:03.456"
            )
    position = 0
    while position < len(lines):
        timing = timings[position]
        position += 1
        if timing is None:
            continue
        first = position
        while position < len(lines) and lines[position].strip() and timings[position] is None:
            position += 1
        ends = position
        # Where no empty line parts two cues, the number of the next is no text.
        if position < len(lines) and timings[position] is not None and lines[position - 1].strip().isdecimal():
            ends -= 1
        yield _Cue(_seconds(timing, "a"), _seconds(timing, "b"), tuple(lines[first : max(first, ends)]))


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _seconds(found: re.Match[str], name: str) -> float:
    hours, minutes, seconds, fraction = (found[name + part] or "0" for part in "hmsf")
    return int(hours) * 3600 + int(minutes) * 60 + float(f"{seconds}.{fraction}")


def _spoken(cue: _Cue) -> Iterator[Spoken]:
    """Yield what a cue says, by speaker and then by the times in it."""
    for speaker, text in _by_speaker("\n".join(cue.lines)):
        parts = _INNER_TIME.split(text)
        if len(parts) == 1:
            yield Spoken(_plain(text), cue.start_s, cue.end_s, speaker=speaker, is_utterance=True)
            continue
        starts = [cue.start_s, *(_seconds(found, "a") for found in _INNER_TIME.finditer(text)), cue.end_s]
        # Each time has four groups of its own.
        for part, (start_s, end_s) in zip(parts[::5], itertools.pairwise(starts), strict=True):
            yield Spoken(_plain(part), start_s, end_s, speaker=speaker)


def _by_speaker(text: str) -> Iterator[tuple[str | None, str]]:
    """Yield the parts of a cue, each with its speaker: a line that begins with a name is said by another."""
    for voice, whole in _by_voice(text):
        if voice is not None or _INNER_TIME.search(whole):
            yield _named_before(whole) if voice is None else (voice, whole)
            continue
        lines = whole.split("\n")
        named = [at for at in range(1, len(lines)) if _named_before("\n".join(lines[at:]))[0] is not None]
        for first, last in itertools.pairwise([0, *named, len(lines)]):
            yield _named_before("\n".join(lines[first:last]))


def _by_voice(text: str) -> Iterator[tuple[str | None, str]]:
    """Yield the parts of a cue between its voice tags, each with its speaker."""
    speaker: str | None = None
    at = 0
    for found in _VOICE.finditer(text):
        if _plain(text[at : found.start()]):
            yield speaker, text[at : found.start()]
        speaker = name_from(html.unescape(found["name"] or ""))
        at = found.end()
    if _plain(text[at:]):
        yield speaker, text[at:]


def _named_before(text: str) -> tuple[str | None, str]:
    """Return the speaker that stands before what is said, and what is said."""
    found = _BRACKETED.match(text) or _NAMED.match(text)
    if found is None:
        return None, text
    name = found["name"]
    # What is in brackets alone may be a sound, such as [music].
    is_name = found.groupdict().get("colon") or role_named(name) or _NUMBERED.fullmatch(name)
    return (name_from(name), text[found.end() :]) if is_name else (None, text)


def _underlined(cues: Sequence[_Cue]) -> Iterator[Spoken]:
    for _, group in itertools.groupby(cues, key=lambda cue: cue.plain):
        repeated = list(group)
        marked = [each for each in repeated if "<u>" in "".join(each.lines)]
        if not marked:
            yield from (said for cue in repeated for said in _spoken(cue))
        for cue in marked:
            text = "\n".join(cue.lines)
            speaker, _ = _named_before(_plain(text))
            for found in _UNDERLINED.finditer(text):
                yield Spoken(_plain(found[1]), cue.start_s, cue.end_s, speaker=speaker)


def _plain(text: str) -> str:
    return text_from(html.unescape(_TAG.sub("", _INNER_TIME.sub(" ", text))))
