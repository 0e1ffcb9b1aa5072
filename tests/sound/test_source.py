"""Where encoded sound is: bytes, a file or another place, and seeks that damaged headers demand."""

from __future__ import annotations

from pathlib import Path

import pytest

from kataven_notebook.sound.source import open_bytes, readable

pytestmark = pytest.mark.core


class Elsewhere:
    """Sound in a place of its own."""

    def read(self) -> bytes:
        """Return it."""
        return b"RIFF"


def test_every_source_is_bytes_or_a_path() -> None:
    """Text is a path; another place is read."""
    assert readable(b"RIFF") == readable(Elsewhere()) == b"RIFF"
    assert readable("calls/a.wav") == readable(Path("calls/a.wav")) == Path("calls/a.wav")


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_a_seek_before_the_beginning_changes_nothing(tmp_path, kind) -> None:
    """Libsndfile calls it from C, where an exception would only be printed."""
    (tmp_path / "a.wav").write_bytes(b"RIFFWAVE")
    with open_bytes(b"RIFFWAVE" if kind == "memory" else tmp_path / "a.wav") as file:
        assert file.seek(4) == 4
        assert file.seek(-9) == 4
        assert file.read() == b"WAVE"
