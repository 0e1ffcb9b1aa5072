"""A word or utterance as a transcript has it, and how the values of transcripts are read: never trusted."""

from __future__ import annotations

import math
import numbers
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAN = math.nan


class Spoken(NamedTuple):
    """What is said in one go of a transcript: a word, or an utterance where its words have no times.

    Attributes
    ----------
    word : str
        As the transcript writes it, with its punctuation.
    start_s, end_s : float
        Seconds from the start of the call; NaN where the transcript does not say.
    channel : int, optional
        Counted from 0; None where the transcript does not say.
    speaker : str, optional
        As the transcript calls who speaks.
    confidence : float
        From 0 to 1; NaN where the transcript does not say.
    is_utterance : bool
        It is more than a word.
    """

    word: str
    start_s: float = _NAN
    end_s: float = _NAN
    channel: int | None = None
    speaker: str | None = None
    confidence: float = _NAN
    is_utterance: bool = False


def number(value: object) -> float:
    """Return a number that a transcript writes as one or as text; NaN for anything else.

    Examples
    --------
    >>> number("12.282"), number(None), number(True), number("1e999")
    (12.282, nan, nan, inf)
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real | str):
        return _NAN
    try:
        return float(value)
    except (ValueError, OverflowError):
        return _NAN


def milliseconds(value: object) -> float:
    """Return milliseconds as seconds.

    Examples
    --------
    >>> milliseconds(250)
    0.25
    """
    return number(value) / 1000


def channel_from(value: object, *, first: int = 0) -> int | None:
    """Return a channel counted from 0; None for anything else.

    Parameters
    ----------
    value
        A whole number, or text that ends in one, such as "ch_1".
    first
        The number of the first channel.

    Examples
    --------
    >>> channel_from("ch_1"), channel_from("2", first=1), channel_from(0, first=1), channel_from("left")
    (1, 1, None, None)
    """
    if isinstance(value, str):
        value = value.rpartition("_")[2]
    found = number(value)
    if not math.isfinite(found) or found % 1 or found < first:
        return None
    return int(found) - first


def name_from(value: object) -> str | None:
    """Return how a transcript calls a speaker, as text; None where it does not.

    Examples
    --------
    >>> name_from(0), name_from("SPEAKER_00"), name_from(None), name_from("")
    ('0', 'SPEAKER_00', None, None)
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return " ".join(str(value).split()) or None


def text_from(value: object) -> str:
    """Return text without space around and inside of it; empty for what is no text.

    Examples
    --------
    >>> text_from("  so,  yes "), text_from(None), text_from(7)
    ('so, yes', '', '7')
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float) or value != value:  # noqa: PLR0124 - NaN
        return ""
    return " ".join(str(value).split())


def objects(value: object) -> Iterator[dict[str, Any]]:
    """Yield the objects of a JSON array, and nothing of what is none."""
    if isinstance(value, list):
        yield from (each for each in value if isinstance(each, dict))


def first_object(value: object) -> dict[str, Any]:
    """Return the first object of a JSON array, or an empty one."""
    return next(objects(value), {})
