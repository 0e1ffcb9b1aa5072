"""What both HTTP clients share: deadlines on every way out, bounded bodies, and errors without addresses."""

from __future__ import annotations

import gzip
import zlib

import httpx
import pytest

from kataven_notebook.service.transport import explain, read_bounded, unpacked

pytestmark = pytest.mark.core


def answer(body: bytes, encoding: str) -> httpx.Response:
    """An answer that is read as it comes from a connection."""
    return httpx.Response(200, headers={"Content-Encoding": encoding}, stream=httpx.ByteStream(body))


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("identity", bytes), ("gzip", gzip.compress), ("X-GZIP", gzip.compress), ("deflate", zlib.compress)],
    ids=["as it is", "gzip", "upper case", "deflate"],
)
def test_a_body_that_a_host_compressed_unasked_is_unpacked(encoding, pack) -> None:
    """Names of encodings are in any case."""
    assert b"".join(unpacked(answer(pack(b"sound" * 1_000), encoding))) == b"sound" * 1_000


@pytest.mark.parametrize(
    ("body", "encoding", "says"),
    [
        (b"abc", "br", "encoded as 'br'"),
        (b"no gzip", "gzip", "can't be unpacked"),
        (gzip.compress(b"sound" * 1_000)[:-20], "gzip", "ends in the middle"),
    ],
    ids=["unknown", "damaged", "cut short"],
)
def test_a_body_that_can_not_be_unpacked_is_one_error(body, encoding, says) -> None:
    """Unknown, damaged, or cut short: never half of it taken for the whole."""
    with pytest.raises(ValueError, match=says):
        b"".join(unpacked(answer(body, encoding)))
    assert read_bounded(answer(body, encoding), 10_000, timeout_s=5.0) is None


def test_a_few_bytes_unpack_to_no_more_than_is_read() -> None:
    """A gigabyte of zeros is a megabyte packed: each piece is bounded, and so is the sum."""
    packed = gzip.compress(bytes(20 << 20))
    assert max(map(len, unpacked(answer(packed, "gzip")))) <= 1 << 20
    assert read_bounded(answer(packed, "gzip"), 1 << 20, timeout_s=5.0) is None
    assert read_bounded(answer(gzip.compress(b"{}"), "gzip"), 2, timeout_s=5.0) == b"{}"


def test_an_error_of_a_connection_is_words_without_its_address() -> None:
    """The more exact class decides, and a query that httpx quotes is removed."""
    assert explain(httpx.ConnectTimeout("")) == "no connection within the timeout"
    assert explain(httpx.ReadTimeout("timed out.")) == "no answer within the timeout (timed out)"
    assert "Signature=0f" not in explain(httpx.ConnectError("https://host/a?X-Amz-Signature=0f refused"))
