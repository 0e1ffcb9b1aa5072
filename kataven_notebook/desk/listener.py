"""Where the listener is in the open call, and whether there is still a listener."""

from __future__ import annotations

import time

# A listener who did nothing for so long may have left.
_ATTENTION_S = 600.0
# A view that plays reports each second: one that has not for so long is gone.
_SILENCE_S = 5.0
# A view whose position differs less from what it reported before was not moved by anybody.
_MOVED_S = 0.05


class Listener:
    """What the kernel knows of the listener between two reports of the page."""

    def __init__(self) -> None:
        self._is_playing, self.speed = False, 1.0
        self._position_s, self._position_at = 0.0, time.monotonic()
        self._active_at = time.monotonic()
        # The view whose reports count: the one that played or moved last; and what each has reported.
        self._view = ""
        self._reported: dict[str, tuple[float, float]] = {}
        self._opened_at_s = 0.0

    def act(self) -> None:
        """Note that the listener does something now."""
        self._active_at = time.monotonic()

    def move(self, position_s: float) -> None:
        """Note a position, in seconds from the start of the call."""
        self._position_s, self._position_at = position_s, time.monotonic()

    def open(self, position_s: float) -> None:
        """Note that another call is opened at a position: it does not play yet."""
        self._is_playing = False
        self._opened_at_s = position_s
        self._reported.clear()
        self.move(position_s)

    def play(self, position_s: float, *, is_playing: bool, speed: float, view: str = "") -> None:
        """Note what a view reports, if it is the one that plays, or the listener did something in it.

        Parameters
        ----------
        position_s, is_playing, speed
            Where it is in the call, seconds; whether it plays, and how many times as fast.
        view
            Which of the views of the player.
        """
        was_at_s, had_speed = self._reported.get(view, (self._opened_at_s, self.speed))
        self._reported[view] = position_s, speed
        if self._view and view != self._view and not is_playing:
            other_plays = self._is_playing and time.monotonic() - self._position_at < _SILENCE_S
            if other_plays or (abs(position_s - was_at_s) < _MOVED_S and speed == had_speed):
                return
        self._view = view
        self._is_playing, self.speed = is_playing, speed
        self.move(position_s)

    def position_s(self, duration_s: float | None) -> float:
        """Return the position; while the page plays it is reckoned from the last report, up to the call's end."""
        if not self._is_playing:
            return self._position_s
        position_s = self._position_s + (time.monotonic() - self._position_at) * self.speed
        return min(position_s, duration_s or position_s)

    def listens(self, duration_s: float | None) -> bool:
        """Return whether the listener did something in the last ten minutes, or a call plays."""
        if time.monotonic() - self._active_at < _ATTENTION_S:
            return True
        return self._is_playing and (duration_s is None or self.position_s(duration_s) < duration_s)
