"""The card that stays in a saved notebook: what the player was, and how to get it back."""

from __future__ import annotations

import threading
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# Who runs through a list of calls waits for none of their pictures.
_QUIET_S = 1.5
# The player itself waits for no more than this.
_PATIENCE_S = 0.2


class Card:
    """The card of one player, wherever it is shown; it follows the call that is open.

    Parameters
    ----------
    made
        Returns the card as it is now, as a MIME bundle, after so many seconds at most; with None, in a thread, it
        takes its time.
    """

    def __init__(self, made: Callable[[float | None], dict[str, str]]) -> None:
        self._made = made
        self._lock = threading.Lock()
        self._shown: list[Any] = []
        self._timer: threading.Timer | None = None

    def show(self) -> None:
        """Show the card as an output of its own."""
        from IPython.display import display  # noqa: PLC0415 - needed only where it is shown

        self._shown.append(display(self._made(_PATIENCE_S), raw=True, display_id=True))  # type: ignore[no-untyped-call]  # IPython has no types
        # The picture of a long call is not there yet.
        self.refresh_soon()

    def refresh_soon(self) -> None:
        """Make the card anew once the listener stays where they are."""
        with self._lock:
            self._cancel()
            if self._shown:
                self._timer = threading.Timer(_QUIET_S, self._refresh)
                self._timer.name, self._timer.daemon = "kataven-player-card", True
                self._timer.start()

    def close(self) -> None:
        """Leave the card as it is."""
        with self._lock:
            self._shown.clear()
            self._cancel()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refresh(self) -> None:
        bundle = self._made(None)
        with self._lock:
            for each in filter(None, self._shown):
                each.update(bundle, raw=True)


def card(*, calls: int, title: str, statuses: dict[str, int], labels: int, picture: str = "") -> dict[str, str]:
    """Return the card as a MIME bundle: a line of text, and the same in HTML.

    It is an output of its own, before the widget's: a reopened notebook without its kernel shows
    "model not found" in place of any widget, whatever else its bundle holds. `picture` is HTML that
    stands below the words.

    Examples
    --------
    >>> card(calls=2, title="a-1", statuses={"downloaded": 2}, labels=0)["text/plain"]
    "Call player: 2 calls (2 downloaded), opened on 'a-1'. Run this cell again to get the player back."
    """
    plural = "" if calls == 1 else "s"
    parts = ", ".join(f"{count:,} {status.replace('_', ' ')}" for status, count in statuses.items())
    labelled = f", {labels:,} label{'' if labels == 1 else 's'}" if labels else ""
    opened = f", opened on {title!r}" if title else ""
    what = f"{calls:,} call{plural}{f' ({parts})' if parts else ''}{labelled}{opened}."
    back = "Run this cell again to get the player back."
    style = "font-size:12px;opacity:.75;margin:2px 0 4px"
    html = f'<div style="{style}"><b>Call player</b>: {escape(what)} {back}{picture}</div>'
    return {"text/plain": f"Call player: {what} {back}", "text/html": html}
