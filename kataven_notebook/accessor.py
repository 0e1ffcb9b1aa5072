"""`df.kataven`: the same functions as methods of a frame."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

import pandas as pd

from kataven_notebook import analysis, applying, comparison, exchange, frames, listening

if TYPE_CHECKING:
    from collections.abc import Callable


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make a method of a function whose first parameter is the frame: same signature, same docstring."""

    @functools.wraps(function)
    def method(self: KatavenAccessor, *args: Any, **options: Any) -> Any:
        return function(self._frame, *args, **options)

    signature = inspect.signature(function)
    first, *rest = signature.parameters.values()
    own = [first.replace(name="self", annotation=inspect.Parameter.empty), *rest]
    setattr(method, "__signature__", signature.replace(parameters=own))  # noqa: B010 - no attribute that types know
    return method


@pd.api.extensions.register_dataframe_accessor("kataven")
class KatavenAccessor:
    """The functions of `kataven_notebook` as methods of a frame of sessions.

    It keeps nothing but the frame: every method is the module's function of the same name.

    Examples
    --------
    >>> import kataven_notebook
    >>> calls = pd.DataFrame({"recording_status": ["missing"]})
    >>> calls.kataven.summary()["rows"].tolist()
    [1]
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        # Nothing may fail here: an AttributeError would run this twice, others escape hasattr.
        self._frame = frame

    recordings = _method(frames.recordings)
    audio = _method(frames.audio)
    metrics = _method(analysis.metrics)
    turns = _method(analysis.turns)
    moments = _method(analysis.moments)
    compare_groups = _method(comparison.compare_groups)
    apply = _method(applying.apply)
    summary = _method(frames.summary)
    iter_recordings = _method(frames.iter_recordings)
    to_audiofolder = _method(exchange.to_audiofolder)
    player = _method(listening.player)
