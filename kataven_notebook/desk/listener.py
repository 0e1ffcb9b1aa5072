"""Where the listener is in the open call, and whether there is still a listener."""

from __future__ import annotations

import time

# A listener who did nothing for so long may have left.
_ATTENTION_S = 600.0


class Listener:
    """What the kernel knows of the listener between two reports of the page."""

    def __init__(self) -> None:
        self._is_playing, self._speed = False, 1.0
        self._position_s, self._position_at = 0.0, time.monotonic()
        self._active_at = time.monotonic()

    def act(self) -> None:
        """Note that the listener does something now."""
        self._active_at = time.monotonic()

    def move(self, position_s: float) -> None:
        """Note a position, in seconds from the start of the call."""
        self._position_s, self._position_at = position_s, time.monotonic()

    def open(self, position_s: float) -> None:
        """Note that another call is opened at a position: it does not play yet."""
        self._is_playing = False
        self.move(position_s)

    def play(self, position_s: float, *, is_playing: bool, speed: float) -> None:
        """Note what the page reports."""
        self._is_playing, self._speed = is_playing, speed
        self.move(position_s)

    def position_s(self, duration_s: float | None) -> float:
        """Return the position; while the page plays it is reckoned from the last report, up to the call's end."""
        if not self._is_playing:
            return self._position_s
        position_s = self._position_s + (time.monotonic() - self._position_at) * self._speed
        return min(position_s, duration_s or position_s)

    def listens(self, duration_s: float | None) -> bool:
        """Return whether the listener did something in the last ten minutes, or a call plays."""
        if time.monotonic() - self._active_at < _ATTENTION_S:
            return True
        return self._is_playing and (duration_s is None or self.position_s(duration_s) < duration_s)
