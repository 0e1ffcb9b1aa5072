"""A page without a browser, and sound to open in it."""

from __future__ import annotations

import base64
import io
import re
import threading
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import soundfile as sf

from kataven_notebook.sound.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from kataven_notebook.desk.widget import Player

SECRET_URL = "https://bucket.example/call.wav?X-Amz-Signature=0123456789abcdef"


def sound(seconds: float = 1.0, *, sample_rate: int = 8000, channels: int = 2, **options: Any) -> Recording:
    """Return a wave in a sound file, WAV of 16 bits unless `options` say otherwise."""
    wave = 0.5 * np.sin(np.arange(round(seconds * sample_rate)) / 5)
    file = io.BytesIO()
    settings = {"format": "WAV", "subtype": "PCM_16", **options}
    sf.write(file, np.column_stack([wave] * channels), sample_rate, **settings)
    return Recording.from_bytes(file.getvalue())


class Page:
    """Stands for the page: keeps what it is sent, and says what a page says."""

    def __init__(self, desk: Player, monkeypatch: pytest.MonkeyPatch) -> None:
        self.messages: list[tuple[dict[str, Any], list[Any]]] = []
        self._arrived = threading.Condition()
        self._desk = desk
        monkeypatch.setattr(self._desk, "send", self._receive)

    def _receive(self, content: dict[str, Any], buffers: list[Any] | None = None) -> None:
        with self._arrived:
            self.messages.append((content, buffers or []))
            self._arrived.notify_all()

    def say(self, kind: str, **content: Any) -> None:
        """Send a message to the kernel."""
        self._desk._on_message(self._desk, {"type": kind, **content}, [])

    def wait(
        self, kind: str, accepts: Callable[[dict[str, Any]], bool] = lambda _: True
    ) -> tuple[dict[str, Any], list[Any]]:
        """Return the first message of a kind, when it has come."""

        def found() -> tuple[dict[str, Any], list[Any]] | None:
            return next((each for each in self.messages if each[0]["type"] == kind and accepts(each[0])), None)

        with self._arrived:
            assert self._arrived.wait_for(found, timeout=10), f"no {kind!r} came"
            message = found()
        assert message is not None
        return message


def unpacked(script: str) -> str:
    """Return the script that a packed one holds, as the page finds it."""
    data = re.search(r'atob\("([^"]*)"\)', script)
    assert data is not None
    return zlib.decompress(base64.b64decode(data[1])).decode()
