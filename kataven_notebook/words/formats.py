"""Recognises a transcript by its content, and reads its words."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from typing import TYPE_CHECKING, Any

from kataven_notebook.errors import FrameError
from kataven_notebook.redact import one_line
from kataven_notebook.words import assemblyai, aws, captions, deepgram, google, whisper

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kataven_notebook.words.spoken import Spoken

# What each of them holds is in no other's documents, so that their order says nothing.
_OF_JSON = (deepgram, aws, google, assemblyai, whisper)
KNOWN = ", ".join(each.NAME for each in (*_OF_JSON, captions))
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


def is_known(document: object) -> bool:
    """Whether an object is one transcript, and no collection of them."""
    return any(each.is_it(document) for each in _OF_JSON)


def words_of(content: object) -> list[Spoken]:
    r"""Return the words of a transcript, as they stand in it.

    Parameters
    ----------
    content
        The bytes or the text of a file, or an object as `json` or the tool's own library gives it.

    Raises
    ------
    FrameError
        It is no transcript that is known, or a broken one; the message goes on from its name.

    Examples
    --------
    >>> [(each.word, each.start_s) for each in words_of(b"WEBVTT\n\n00:01.500 --> 00:02.000\nHello")]
    [('Hello', 1.5)]
    """
    if isinstance(content, bytes):
        content = _decoded(content)
    if isinstance(content, str):
        text = content.lstrip("\ufeff \t\r\n")
        if not text.startswith(("{", "[")):
            return list(_of_text(text))
        content = _parsed(text)
    try:
        document = _plain(content)
        found = next((each for each in _OF_JSON if each.is_it(document)), None)
        if found is None:
            raise FrameError(f"is no transcript that is known ({KNOWN}): it {_held(document)}")
        return list(found.words_of(document))
    except RecursionError:
        raise FrameError("is nested too deeply for a transcript") from None


def _of_text(text: str) -> Iterable[Spoken]:
    if not text:
        raise FrameError("is empty")
    if not captions.is_it(text):
        # Not a letter of it: it may be what somebody said.
        raise FrameError(f"is no transcript that is known ({KNOWN}): it is text without times")
    return captions.words_of(text)


def _decoded(content: bytes) -> str:
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FrameError(f"is not UTF-8 text (line {line}): save it as UTF-8") from None


def _parsed(text: str) -> object:
    """Return what a JSON text holds; a list where each line is a text of its own, as of a stream's messages."""
    try:
        return json.loads(text)
    except RecursionError:
        raise FrameError("is nested too deeply for a transcript") from None
    except ValueError as error:
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) > 1 and lines[0].rstrip().endswith("}"):
            try:
                return [json.loads(line) for line in lines]
            except ValueError:
                pass
        raise FrameError(f"is broken JSON ({one_line(str(error))}): it may be cut short") from None


def _plain(value: Any) -> Any:
    """Return what a tool's library gives as plain dicts and lists."""
    if value is None or isinstance(value, str | int | float | dt.timedelta):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, tuple) and not hasattr(value, "_asdict"):
        # faster-whisper returns its segments and, beside them, what it knows of the call.
        value = value[0] if len(value) == 2 and hasattr(value[0], "__next__") else list(value)
    if isinstance(value, list) or hasattr(value, "__next__"):
        return [_plain(each) for each in value]
    return _of_library(value)


def _of_library(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(getattr(value, "json_response", None), dict):
        return _plain(value.json_response)
    for name in ("model_dump", "to_dict", "_asdict"):
        if callable(getattr(value, name, None)):
            return _plain(getattr(value, name)())
    # The messages of Google's libraries are made plain by their class.
    if callable(getattr(type(value), "to_dict", None)):
        return _plain(type(value).to_dict(value))
    # Arrays of numpy, as a column of a Parquet file holds them.
    return _plain(value.tolist()) if callable(getattr(value, "tolist", None)) else value


def _held(document: object) -> str:
    if isinstance(document, dict):
        names = ", ".join(one_line(repr(each), most_chars=40) for each in list(document)[:8])
        return f"holds {names or 'nothing'}" + (", ..." if len(document) > 8 else "")
    if isinstance(document, list):
        return "is a list of " + (type(document[0]).__name__ if document else "nothing")
    return f"is of type {type(document).__name__}"
