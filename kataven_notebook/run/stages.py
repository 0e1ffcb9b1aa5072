"""How far the sessions of a run have come, and whether one more may begin.

The service counts requests and not downloads, so these have bounds of their own: a session that waits for the
storage's first byte holds nobody up.
"""

from __future__ import annotations

from collections import Counter
from enum import Enum, auto

from kataven_notebook.machine.process import most_open_files

# Where the service states no limit for requests under way.
_SIGNING = 64
# Sound that arrives shares one line and one memory: more at once would only make each slower.
_ARRIVING = 32
_THREADS = 512
# The part file and the connection of a session; and what else is open, such as files that are being verified.
_FILES_A_SESSION = 2
_OTHER_FILES = 128
_FEWEST_THREADS = 8


class Stage(Enum):
    """Where a session is: none is bound by how long the ones after it take."""

    SIGNING = auto()
    """It waits for the limits, or for the service's answer."""
    AWAITED = auto()
    """It has its URL, and the storage has not begun to answer."""
    ARRIVING = auto()
    """Its sound arrives, is verified, kept or worked on."""


class Stages:
    """The stages of the sessions that are under way. Not locked: a run's lock holds for it.

    Parameters
    ----------
    in_flight
        How many sessions may be under way at most; None for as many as are of use.
    signing
        How many requests the service allows at once; None for any number.
    """

    def __init__(self, *, in_flight: int | None, signing: int | None) -> None:
        self.most = in_flight or _most_threads()
        self._bounds = {
            Stage.SIGNING: signing or _SIGNING,
            Stage.AWAITED: self.most,
            # A caller's own number is taken at its word.
            Stage.ARRIVING: in_flight or _ARRIVING,
        }
        self._of: dict[str, Stage] = {}
        self._counts: Counter[Stage] = Counter()

    def may_begin(self, stage: Stage) -> bool:
        """Return whether one more session may begin at `stage`."""
        if len(self._of) >= self.most or self._counts[stage] >= self._bounds[stage]:
            return False
        # Sound comes after each URL: none is signed while more arrives than can be taken in.
        return self._counts[Stage.ARRIVING] < self._bounds[Stage.ARRIVING]

    def enter(self, session_id: str, stage: Stage) -> None:
        """Note that a session has come to `stage`; it never goes back."""
        before = self._of.get(session_id)
        if before is not None:
            if before.value >= stage.value:
                return
            self._counts[before] -= 1
        self._of[session_id] = stage
        self._counts[stage] += 1

    def leave(self, session_id: str) -> None:
        """Note that a session has its outcome, or was put off."""
        stage = self._of.pop(session_id, None)
        if stage is not None:
            self._counts[stage] -= 1


def _most_threads() -> int:
    limit = most_open_files()
    if limit is None:
        return _THREADS
    return max(_FEWEST_THREADS, min(_THREADS, (limit - _OTHER_FILES) // _FILES_A_SESSION))
