"""What a notebook shows of a recording: its description, and no sound."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from kataven_notebook.clock import duration_text
from kataven_notebook.redact import one_line

if TYPE_CHECKING:
    from kataven_notebook.sound.described import DescribedSound

# Colours are those of the page, whatever its theme is.
_BOX = "display:inline-block;padding:6px 10px;border:1px solid rgba(128,128,128,.5);border-radius:4px;line-height:1.5"
_MOST_CHARS = 200


def card(sound: DescribedSound) -> str:
    """Return a recording's card as HTML: whose it is, length, rate, channels, format, size, and where it lies.

    Examples
    --------
    >>> from kataven_notebook.sound.recording import Recording
    >>> text = card(Recording.from_samples([0.0] * 8000, 8000, session_id="a<b"))
    >>> "a&lt;b" in text, "0:01" in text, "<audio" in text
    (True, True, False)
    """
    title = "Recording" if sound.session_id is None else _shown(sound.session_id)
    coding = sound.format if sound.codec == sound.format else f"{sound.format} ({sound.codec})"
    facts = [
        duration_text(sound.duration_s) if sound.duration_s >= 1 else f"{sound.duration_s * 1_000:.0f} ms",
        f"{sound.sample_rate:,} Hz",
        f"{sound.channels} channel" + ("" if sound.channels == 1 else "s"),
        coding,
        size_text(sound.size_bytes),
    ]
    return (
        f'<div style="{_BOX}"><b>{title}</b><br>{" · ".join(map(_shown, facts))}'
        f'<br><span style="opacity:.7">{_shown(_where(sound))}</span></div>'
    )


def size_text(size_bytes: int) -> str:
    """Return a size as people read it.

    Examples
    --------
    >>> size_text(512), size_text(464_044), size_text(12_300_000)
    ('512 bytes', '464 kB', '12.3 MB')
    """
    if size_bytes < 1_000:
        return f"{size_bytes} bytes"
    return f"{size_bytes / 1e3:,.0f} kB" if size_bytes < 1_000_000 else f"{size_bytes / 1e6:,.1f} MB"


def _where(sound: DescribedSound) -> str:
    if sound.path is not None:
        return str(sound.path)
    return "in memory" if sound.is_in_memory else "in object storage"


def _shown(text: object) -> str:
    # Ids and paths come from elsewhere.
    return escape(one_line(str(text), most_chars=_MOST_CHARS))
