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
    except (LookupError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"no measures: {type(error).__name__}") from None
    if not isinstance(found, CallMeasures) or not _is_possible(found):
        raise ValueError("no measures of a recording")
    return found


def _plain(value: Any, arrays: list[npt.NDArray[Any]]) -> Any:
    if isinstance(value, np.ndarray):
        arrays.append(np.ascontiguousarray(value))
        return {"array": str(value.dtype), "shape": value.shape}
    if is_dataclass(value):
        of_fields = [_plain(getattr(value, field.name), arrays) for field in fields(value)]
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
    """Whether the parts fit together, so that what is made of them later can't fail halfway."""
    of_channels = (measures.speech, measures.quality)
    return (
        isinstance(measures.duration_s, int | float)
        and isinstance(measures.sample_rate, int)
        and all(len(each) == measures.channels for each in of_channels)
        and all(len(each) in (0, measures.channels) for each in (measures.voices, measures.doubts))
        and all(_are_intervals(each) for each in measures.speech)
        and all(isinstance(each, ChannelQuality) and _are_intervals(each.clipped) for each in measures.quality)
        and all(each is None or isinstance(each, Voice) for each in measures.voices)
        and isinstance(measures.voice_windows, VoiceWindows | None)
    )


def _are_intervals(found: Any) -> bool:
    is_table = isinstance(found, np.ndarray) and found.ndim == 2 and found.shape[1] == 2
    return is_table and bool(np.isfinite(found).all()) and bool((np.diff(found.ravel()) >= 0).all())
