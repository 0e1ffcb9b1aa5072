"""Measures of one recording as bytes, and back: JSON and plain arrays, so that reading them runs nobody's code."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from kataven_notebook.numbers.measures import CallMeasures
from kataven_notebook.numbers.quality import ChannelQuality
from kataven_notebook.speech.voice import Voice
from kataven_notebook.speech.voice_windows import VoiceWindows

if TYPE_CHECKING:
    import numpy.typing as npt

_CLASSES = {each.__name__: each for each in (CallMeasures, ChannelQuality, Voice, VoiceWindows)}
_DTYPES = frozenset({"float16", "float32", "float64", "int32"})
_QUALITY_NUMBERS = tuple(each.name for each in fields(ChannelQuality) if each.type == "float")
_VOICE_SHAPE = (13,)
# 30 years, and as many of anything as 32 bits count: beyond, arithmetic fails.
_LONGEST_S = 1e9
_LARGEST_COUNT = 2**31


def to_bytes(measures: CallMeasures) -> bytes:
    """Return measures as bytes for `from_bytes`: a line of JSON, and the arrays that it describes.

    Examples
    --------
    >>> from kataven_notebook.numbers.measures import measure
    >>> from kataven_notebook.sound.recording import Recording
    >>> silence = measure(Recording.from_samples([[0.0, 0.0]] * 8_000, 8_000))
    >>> from_bytes(to_bytes(silence)).duration_s
    1.0
    """
    arrays: list[npt.NDArray[Any]] = []
    head = json.dumps(_plain(measures, arrays), separators=(",", ":"))
    return b"\n".join([head.encode(), b"".join(each.tobytes() for each in arrays)])


def from_bytes(data: bytes) -> CallMeasures:
    """Return the measures in bytes that `to_bytes` made.

    Raises
    ------
    ValueError
        These are other bytes.
    """
    head, _, rest = data.partition(b"\n")
    try:
        found = _object(json.loads(head), _Arrays(rest))
    except (LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        raise ValueError(f"no measures: {type(error).__name__}") from None
    if not isinstance(found, CallMeasures) or not _is_possible(found):
        raise ValueError("no measures of a recording")
    return found


def _plain(value: Any, arrays: list[npt.NDArray[Any]]) -> Any:
    if isinstance(value, np.ndarray):
        arrays.append(np.ascontiguousarray(value))
        return {"array": str(value.dtype), "shape": value.shape}
    if is_dataclass(value):
        kept = [field.name for field in fields(value) if field.metadata.get("is_kept", True)]
        of_fields = [_plain(getattr(value, name), arrays) for name in kept]
        return {"class": type(value).__name__, "fields": of_fields}
    if isinstance(value, tuple):
        return [_plain(each, arrays) for each in value]
    return value.item() if isinstance(value, np.generic) else value


def _object(value: Any, arrays: _Arrays) -> Any:
    if isinstance(value, list):
        return tuple([_object(each, arrays) for each in value])
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays.take(value["array"], value["shape"])
    return _CLASSES[value["class"]](*(_object(each, arrays) for each in value["fields"]))


class _Arrays:
    """Hands out the arrays in the order in which they were written."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, dtype: str, shape: list[int]) -> npt.NDArray[Any]:
        if dtype not in _DTYPES or not all(isinstance(each, int) and each >= 0 for each in shape):
            raise ValueError("an array of another kind")
        count = int(np.prod(shape, dtype=object))
        found = np.frombuffer(self._data, dtype, count, self._at).reshape(shape)
        self._at += found.nbytes
        return found


def _is_possible(measures: CallMeasures) -> bool:
    """Whether every part is what it should be and they fit together, so that what is made of them can't fail later."""
    of_channels = (measures.speech, measures.quality, measures.voices, measures.doubts)
    return (
        all(isinstance(each, tuple) for each in of_channels)
        and isinstance(measures.speech_method, str)
        and measures.checksum == ""
        and _is_number(measures.duration_s)
        and 0 <= measures.duration_s < _LONGEST_S
        and all(_is_count(each) for each in (measures.sample_rate, measures.channels))
        and all(len(each) == measures.channels for each in of_channels[:2])
        and all(len(each) in (0, measures.channels) for each in of_channels[2:])
        and all(_are_intervals(each) for each in measures.speech)
        and all(_is_quality(each) for each in measures.quality)
        and all(each is None or _is_voice(each) for each in measures.voices)
        and all(isinstance(each, str | None) for each in measures.doubts)
        and (measures.voice_windows is None or _are_windows(measures.voice_windows, measures.speech[0]))
    )


def _is_number(found: Any) -> bool:
    return isinstance(found, float)


def _is_count(found: Any) -> bool:
    return type(found) is int and 0 < found < _LARGEST_COUNT


def _is_quality(found: Any) -> bool:
    return (
        isinstance(found, ChannelQuality)
        and all(_is_number(getattr(found, name)) for name in _QUALITY_NUMBERS)
        and isinstance(found.silent, bool)
        and _are_intervals(found.clipped)
        and isinstance(found.reasons, tuple)
        and all(
            isinstance(each, tuple) and len(each) == 2 and all(isinstance(text, str) for text in each)
            for each in found.reasons
        )
    )


def _is_voice(found: Any) -> bool:
    return (
        isinstance(found, Voice)
        and all(_is_array(each, "f", _VOICE_SHAPE) for each in (found.mean, found.spread))
        and _is_count(found.blocks)
        and _is_number(found.still_after_speech)
    )


def _are_windows(found: Any, speech: Any) -> bool:
    if not isinstance(found, VoiceWindows) or not _is_array(found.stretch, "i", np.shape(found.stretch)[:1]):
        return False
    cells = found.stretch.shape
    return (
        all(_is_array(each, "f", cells) for each in (found.start_s, found.end_s, found.weight))
        and _is_array(found.vectors, "f", (*cells, *np.shape(found.vectors)[1:2]))
        and (not found.stretch.size or 0 <= int(found.stretch.min()) <= int(found.stretch.max()) < len(speech))
        and (type(found.reach) is int and 0 <= found.reach < _LARGEST_COUNT)
        and isinstance(found.by_function, bool)
    )


def _is_array(found: Any, kind: str, shape: tuple[int, ...]) -> bool:
    return isinstance(found, np.ndarray) and found.dtype.kind == kind and found.shape == shape


def _are_intervals(found: Any) -> bool:
    is_table = _is_array(found, "f", (*np.shape(found)[:1], 2))
    return is_table and bool((np.abs(found) < _LONGEST_S).all()) and bool((np.diff(found.ravel()) >= 0).all())
