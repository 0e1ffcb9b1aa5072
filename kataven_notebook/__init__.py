"""From a DataFrame of voice-agent sessions to sound, numbers and ears, inside the notebook.

>>> import kataven_notebook as kn
>>> with kn.demo.hub() as hub:                                # a whole service on loopback
...     calls = kn.audio(hub.sessions, settings=hub.settings, progress=False)
>>> kn.summary(calls).columns.tolist()
['recording_status', 'rows', 'share', 'what_to_do']
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from kataven_notebook import accessor as _accessor  # noqa: F401 - registers df.kataven
from kataven_notebook import errors
from kataven_notebook._version import __version__
from kataven_notebook.desk.open import player
from kataven_notebook.exchange.audiofolder import read_audiofolder, to_audiofolder
from kataven_notebook.exchange.rttm import to_rttm
from kataven_notebook.frame.analysis import metrics, moments, turns
from kataven_notebook.frame.apply import apply
from kataven_notebook.frame.definitions import metric_definitions
from kataven_notebook.frame.fetch import audio, interrupted, iter_recordings, recordings, summary
from kataven_notebook.frame.from_files import from_files
from kataven_notebook.frame.groups import compare_groups
from kataven_notebook.publish.cutting import clips
from kataven_notebook.publish.reporting import report
from kataven_notebook.settings import Limits, Settings, configure
from kataven_notebook.sound.recording import Recording
from kataven_notebook.speech.detect import speech_intervals
from kataven_notebook.status import Status
from kataven_notebook.store.folder import Store

if TYPE_CHECKING:
    from kataven_notebook import demo, plots, study, words
    from kataven_notebook.desk.widget import Player

# Widgets, figures and servers are slow to import: they come when they are asked for.
_LAZY = {
    "Player": "kataven_notebook.desk.widget",
    "demo": "",
    "plots": "",
    "study": "",
    "words": "",
}

__all__ = [
    "Limits",
    "Player",
    "Recording",
    "Settings",
    "Status",
    "Store",
    "__version__",
    "apply",
    "audio",
    "clips",
    "compare_groups",
    "configure",
    "demo",
    "errors",
    "from_files",
    "interrupted",
    "iter_recordings",
    "metric_definitions",
    "metrics",
    "moments",
    "player",
    "plots",
    "read_audiofolder",
    "recordings",
    "report",
    "speech_intervals",
    "study",
    "summary",
    "to_audiofolder",
    "to_rttm",
    "turns",
    "words",
]


def _player_of(recording: Recording) -> Player:
    from kataven_notebook.desk.widget import play_one  # noqa: PLC0415 - ipywidgets only when shown

    return play_one(recording)


# `sound` lies below the desk and must not import it; here both are known.
Recording._player_of = staticmethod(_player_of)  # noqa: SLF001 - this is the place that sets it


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(_LAZY[name] or f"{__name__}.{name}")
    value = getattr(module, name) if _LAZY[name] else module
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
