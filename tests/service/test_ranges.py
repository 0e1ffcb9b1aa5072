"""Ranges of a recording, from storages on loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from troubled_storage import TroubledStorage

from kataven_notebook.errors import DownloadFailed
from kataven_notebook.service.ranges import RangeReader, look

if TYPE_CHECKING:
    from collections.abc import Iterator

_DATA = b"RIFF" + bytes(range(256)) * 40


@pytest.fixture
def storage() -> Iterator[TroubledStorage]:
    """A storage in all kinds of trouble."""
    with TroubledStorage(_DATA) as running:
        yield running


def test_a_look_costs_a_few_bytes(storage: TroubledStorage) -> None:
    """It tells sound from refusals, pages and silence, and never raises."""
    good = look(storage.url("good"), timeout_s=5)
    assert (good.status, good.head) == (206, _DATA[:64])
    assert storage.sent_bytes["good"] == 64
    assert look(storage.url("whole"), timeout_s=5).head == _DATA[:64]
    assert look(storage.url("absent"), timeout_s=5).status == 404
    assert look(storage.url("expired"), timeout_s=5).is_expired
    assert not look(storage.url("refused"), timeout_s=5).is_expired
    assert look(storage.url("page"), timeout_s=5).is_page
    assert look(storage.url("silent"), timeout_s=0.3).is_silent
    nobody = look("http://127.0.0.1:1/call?X-Amz-Signature=0123456789abcdef", timeout_s=5)
    assert nobody.status is None
    assert "no connection" in nobody.problem
    assert "X-Amz" not in nobody.problem


def test_ranges_together_are_the_recording(storage: TroubledStorage) -> None:
    """Each byte is sent once; the last range is shorter."""
    with RangeReader(timeout_s=5) as reader:
        parts = [reader.read(storage.url("good"), at, 4000, max_whole_bytes=0) for at in range(0, len(_DATA), 4000)]
    assert b"".join(part.data for part in parts) == _DATA
    assert {part.total_bytes for part in parts} == {len(_DATA)}
    assert storage.sent_bytes["good"] == len(_DATA)


def test_a_storage_without_ranges_sends_all_up_to_a_bound(storage: TroubledStorage) -> None:
    """Above it nothing is kept."""
    with RangeReader(timeout_s=5) as reader:
        whole = reader.read(storage.url("whole"), 4000, 100, max_whole_bytes=1 << 20)
        assert (whole.first_byte, whole.data) == (0, _DATA)
        with pytest.raises(DownloadFailed, match="no ranges"):
            reader.read(storage.url("whole"), 0, 100, max_whole_bytes=100)


@pytest.mark.parametrize("name", ["absent", "failing", "cut-2"])
def test_what_does_not_come_is_an_error_without_the_url(storage: TroubledStorage, name: str) -> None:
    """Refused, failing, or cut in the middle."""
    with RangeReader(timeout_s=5) as reader, pytest.raises(DownloadFailed) as caught:
        reader.read(storage.url(name), 0, len(_DATA), max_whole_bytes=1 << 20)
    assert "X-Amz" not in str(caught.value)
