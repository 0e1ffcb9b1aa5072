"""The card that stays in a saved notebook: what the player was, and how to get it back."""

from __future__ import annotations

from html import escape


def card(*, calls: int, title: str, statuses: dict[str, int], labels: int) -> dict[str, str]:
    """Return the card as a MIME bundle: a line of text, and the same in HTML.

    It is an output of its own, before the widget's: a reopened notebook without its kernel shows
    "model not found" in place of any widget, whatever else its bundle holds.

    Examples
    --------
    >>> card(calls=2, title="a-1", statuses={"downloaded": 2}, labels=0)["text/plain"]
    "Call player: 2 calls (2 downloaded), opened on 'a-1'. Run this cell again to get the player back."
    """
    plural = "" if calls == 1 else "s"
    parts = ", ".join(f"{count:,} {status.replace('_', ' ')}" for status, count in statuses.items())
    labelled = f", {labels:,} labels" if labels else ""
    opened = f", opened on {title!r}" if title else ""
    what = f"{calls:,} call{plural} ({parts}){labelled}{opened}." if parts else f"{calls:,} calls."
    back = "Run this cell again to get the player back."
    style = "font-size:12px;opacity:.75;margin:2px 0 4px"
    html = f'<div style="{style}"><b>Call player</b>: {escape(what)} {back}</div>'
    return {"text/plain": f"Call player: {what} {back}", "text/html": html}
