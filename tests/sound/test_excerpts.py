"""Parts of one recording: the same samples as each part alone, decoded once, in few bytes."""

from __future__ import annotations

import numpy as np
import pytest
from tones import RATE, encoded, tone

from kataven_notebook import Recording
from kataven_notebook.errors import RecordingCorrupt
from kataven_notebook.sound import decode
from kataven_notebook.sound.excerpts import packed, read_spans

pytestmark = pytest.mark.core

SPANS = [(4_000, 8_000), (0, 400), (7_000, 12_000), (4_000, 8_000), (100, 101)]


@pytest.mark.parametrize(("container", "subtype"), [("WAV", "PCM_16"), ("FLAC", "PCM_24"), ("WAV", "GSM610")])
def test_parts_are_what_each_is_alone(container, subtype) -> None:
    """In the order in which they are asked for, overlapping, nested or twice."""
    data = encoded(tone(2.0)[:, : 1 if subtype == "GSM610" else 2], container, subtype)
    recording = Recording.from_bytes(data)
    found = dict(read_spans(recording, SPANS))
    assert sorted(found) == list(range(len(SPANS)))
    for at, part in found.items():
        first, last = SPANS[at]
        assert np.array_equal(part, recording.slice(first / RATE, last / RATE).samples)


def test_nothing_is_decoded_twice(monkeypatch) -> None:
    """Parts that lie near each other are read in one go, and what lies between far ones is not read."""
    recording = Recording.from_bytes(encoded(np.tile(tone(2.0), (30, 1)), "WAV", "PCM_16"))
    read: list[tuple[int, int]] = []
    true = decode.read_part

    def counted(source, info, first, last, **options):
        read.append((first, last))
        return true(source, info, first, last, **options)

    monkeypatch.setattr(decode, "read_part", counted)
    assert len(list(read_spans(recording, [(0, 800), (400, 1_600), (2_400, 3_200), (400_000, 400_800)]))) == 4
    assert read == [(0, 3_200), (400_000, 400_800)]


def test_long_chains_of_parts_do_not_fill_memory(monkeypatch) -> None:
    """What is read together is ten minutes at most."""
    recording = Recording.from_bytes(encoded(np.zeros((1_500, 1)), "WAV", "PCM_16", rate=1))
    lengths: list[int] = []
    true = decode.read_part

    def counted(source, info, first, last, **options):
        lengths.append(last - first)
        return true(source, info, first, last, **options)

    monkeypatch.setattr(decode, "read_part", counted)
    found = read_spans(recording, [(at, at + 60) for at in range(0, 1_400, 30)])
    assert {len(samples) for _, samples in found} == {60}
    assert max(lengths) <= 600
    assert len(lengths) == 3


@pytest.mark.parametrize(
    ("container", "subtype", "codec", "format_"),
    [
        ("WAV", "PCM_U8", "pcm_s8", "flac"),
        ("WAV", "PCM_16", "pcm_16", "flac"),
        ("WAV", "PCM_24", "pcm_24", "flac"),
        ("WAV", "ULAW", "pcm_16", "flac"),
        ("WAV", "PCM_32", "pcm_32", "wav"),
        ("WAV", "FLOAT", "float", "wav"),
        ("MP3", "MPEG_LAYER_III", "pcm_16", "flac"),
    ],
)
def test_a_part_is_kept_without_loss_in_few_bytes(container, subtype, codec, format_) -> None:
    """What a lossy codec decodes to is worth 16 bits; what FLAC can't hold is WAV."""
    recording = Recording.from_bytes(encoded(tone(2.0), container, subtype), session_id="a")
    samples = recording.slice(0.5, 1.0).samples
    found = packed(samples, recording)
    assert (found.format, found.codec, found.session_id, found.is_derived) == (format_, codec, "a", True)
    if container == "MP3":
        assert np.abs(found.samples - samples).max() <= 2**-16
    else:
        assert np.array_equal(found.samples, samples)
    if format_ == "flac":
        assert found.size_bytes < samples.size * 2


def test_a_file_that_ends_before_a_part_is_said(tmp_path) -> None:
    """As by `slice`."""
    path = tmp_path / "a.wav"
    path.write_bytes(encoded(tone(2.0), "WAV", "PCM_16"))
    recording = Recording.from_file(path)
    path.write_bytes(encoded(tone(1.0), "WAV", "PCM_16"))
    with pytest.raises(RecordingCorrupt, match=r"ends before 1\.5 s|breaks off"):
        list(read_spans(recording, [(12_000, 14_000)]))
