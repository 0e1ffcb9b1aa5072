"""Recordings as files: names, conversion, and what is there already."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from exports import IDS, export, sound

from kataven_notebook import Recording, demo, errors
from kataven_notebook.exchange.audiofolder import read_audiofolder, to_audiofolder
from kataven_notebook.exchange.sound_files import Written, hashed_stem
from kataven_notebook.machine.folders import part_prefix


@pytest.mark.core
def test_file_names_are_safe_for_any_id(frame, tmp_path) -> None:
    """No reserved names, no letters that a file system lacks, no words that mean a split of the data."""
    folder = export(frame, tmp_path / "calls")
    names = sorted(path.name for path in (folder / "audio").iterdir())
    assert "007.wav" in names
    assert all(name.isascii() and " " not in name and ":" not in name for name in names)
    assert not any(name.startswith("con.") or "test" in name for name in names)
    assert len(names) == len(IDS)


@pytest.mark.core
def test_sound_is_converted_as_asked(frame, tmp_path) -> None:
    """Sample rate, mono and a file a channel; lengths stay."""
    mono = read_audiofolder(export(frame, tmp_path / "mono", format="flac", sample_rate=16_000, channels="mono"))
    assert {(r.format, r.sample_rate, r.channels) for r in mono["audio"]} == {("flac", 16_000, 1)}
    assert mono["audio"][1].duration_s == pytest.approx(frame["audio"][1].duration_s, abs=0.001)
    split = read_audiofolder(export(frame, tmp_path / "split", channels="split"))
    assert split["channel"].tolist() == [0, 1] * len(IDS)
    assert split["session_id"].tolist() == [each for each in IDS for _ in range(2)]
    for channel in (0, 1):
        samples = split["audio"][channel].samples[:, 0]
        peak_hz = np.argmax(np.abs(np.fft.rfft(samples))) * 8_000 / len(samples)
        assert peak_hz == pytest.approx(200 * (channel + 1), abs=10)


@pytest.mark.core
@pytest.mark.parametrize("options", [{}, {"format": "flac"}, {"channels": "split"}])
def test_sound_that_has_changed_is_written_again(tmp_path, options) -> None:
    """Also where it is as long as before."""
    calls = pd.DataFrame({"session_id": ["a"], "audio": [sound(0.5)]})
    to_audiofolder(calls, tmp_path / "calls", progress=False, **options)
    quiet = sound(0.5).samples / 4
    calls["audio"] = [Recording.from_samples(quiet, 8_000)]
    back = read_audiofolder(to_audiofolder(calls, tmp_path / "calls", progress=False, **options))
    np.testing.assert_allclose(back["audio"][0].samples[:, 0], quiet[:, 0], atol=1e-3)


@pytest.mark.core
def test_no_two_sessions_share_a_file(tmp_path) -> None:
    """Not a channel of one and the whole of another, not two that case alone tells apart, not one without an id."""
    ids = ["a", "a_0", "A_0", "a_1", None]
    sounds = [sound(0.1 + number / 10, channels=2 if each == "a" else 1) for number, each in enumerate(ids)]
    calls = pd.DataFrame({"session_id": ids, "audio": sounds})
    for options in ({}, {"channels": "split"}, {"format": "flac", "channels": "split"}):
        folder = to_audiofolder(calls, tmp_path / str(len(options)), progress=False, **options)
        names = [file.name.casefold() for file in (folder / "audio").iterdir()]
        back = read_audiofolder(folder)
        assert len(set(names)) == len(names) == len(back)
        lengths = back.assign(frames=[each.frames for each in back["audio"]]).groupby("session_id", dropna=False)[
            "frames"
        ]
        assert lengths.nunique().eq(1).all()
        assert lengths.first().to_dict() == {
            each: recording.frames for each, recording in zip(ids, sounds, strict=True) if each
        } | {key: sounds[-1].frames for key in lengths.first().index if not isinstance(key, str)}


@pytest.mark.core
def test_rates_that_a_codec_cant_hold_are_refused(tmp_path) -> None:
    """Beforehand: one codec takes the whole process along."""
    calls = pd.DataFrame({"session_id": ["a"], "audio": [sound()]})
    for kind, rate in (("ogg", 384_000), ("mp3", 3_000)):
        with pytest.raises(errors.ConfigurationError, match=f"{kind} can't hold"):
            to_audiofolder(calls, tmp_path / kind, format=kind, sample_rate=rate, progress=False)
    fast = pd.DataFrame({"session_id": ["a"], "audio": [Recording.from_samples(np.zeros(2_100), 210_000)]})
    with pytest.warns(UserWarning, match="ogg can't hold 210,000 Hz"):
        to_audiofolder(fast, tmp_path / "fast", format="ogg", progress=False)


@pytest.mark.core
def test_sound_above_full_scale_is_limited(tmp_path) -> None:
    """As an integer it would wrap around, from the loudest to the other end."""
    loud = Recording.from_samples(np.array([[1.5], [-1.5], [0.5]] * 400), 8_000)
    frame = pd.DataFrame({"session_id": ["a"], "audio": [loud]})
    back = read_audiofolder(to_audiofolder(frame, tmp_path, format="flac", progress=False))["audio"][0].samples
    np.testing.assert_allclose(back[:3, 0], [1.0, -1.0, 0.5], atol=1e-4)


def silences(*rows: tuple) -> pd.DataFrame:
    """What is to be taken out: session, start and end."""
    return pd.DataFrame(rows, columns=["session_id", "start_s", "end_s"])


@pytest.mark.core
@pytest.mark.parametrize(
    "options", [{}, {"format": "wav"}, {"channels": "split"}, {"channels": "mono"}, {"format": "ogg"}]
)
def test_no_file_has_what_is_to_be_taken_out(tmp_path, options) -> None:
    """Bytes as they were recorded are kept for calls of which nothing is, and for no other."""
    calls = pd.DataFrame({"session_id": ["a", "b"], "audio": [sound(1.0), sound(1.0)]})
    folder = to_audiofolder(calls, tmp_path / "calls", silence=silences(("a", 0.25, 0.5)), progress=False, **options)
    back = read_audiofolder(folder)
    for session_id, part in zip(back["session_id"], back["audio"], strict=True):
        heard = np.abs(part.samples[2_100:3_900]).max() > 0.05
        assert heard == (session_id == "b")
        assert part.duration_s == pytest.approx(1.0, abs=0.01)
    if not options:
        assert (folder / "audio" / "b.wav").read_bytes() == calls["audio"][1].encoded()
    assert {each.is_derived for each in back["audio"]} == {True}


@pytest.mark.core
def test_what_is_to_be_taken_out_now_is_in_no_file_of_an_earlier_export(tmp_path) -> None:
    """A call whose intervals change is written again, and no file stays that has what they were made for."""
    mp3 = Recording.from_file(sound(1.0).save(tmp_path / "a.mp3"), session_id="a")
    calls = pd.DataFrame({"session_id": ["a", "b"], "audio": [mp3, sound(1.0)]})
    folder = tmp_path / "calls"

    def files(*rows: tuple, of: pd.DataFrame = calls) -> dict[str, bytes]:
        to_audiofolder(of, folder, silence=silences(*rows), progress=False)
        return {each.name: each.read_bytes() for each in (folder / "audio").iterdir()}

    first = files(("b", 0.25, 0.5))
    assert sorted(first) == ["a.mp3", "b.wav"]
    assert files(("b", 0.25, 0.5)) == first
    both = files(("b", 0.25, 0.5), ("a", 0.5, 0.75))
    assert sorted(both) == ["a.wav", "b.wav"], "the file as it was recorded has all that was said"
    assert both["b.wav"] == first["b.wav"]
    other = files(("b", 0.25, 0.6), ("a", 0.5, 0.75))
    assert other["a.wav"] == both["a.wav"]
    assert other["b.wav"] != both["b.wav"]
    (folder / "audio" / "b.mp3").write_bytes(b"written before a kill, and noted nowhere")
    (folder / "audio" / "note.txt").write_text("somebody else's")
    (folder / "audio" / f".{part_prefix().partition('~')[0]}~1~0.00~x.part").write_bytes(b"written until a kill")
    assert sorted(files(("b", 0.25, 0.6), ("a", 0.5, 0.75))) == ["a.wav", "b.wav", "note.txt"]
    (folder / "audio" / "note.txt").unlink()
    # A call that is no longer in the frame, and one that can't be silenced as asked.
    with pytest.warns(UserWarning, match="silence= names 1 session that the frame does not have"):
        assert sorted(files(("a", 0.5, 0.75), ("b", 0.1, 0.2), of=calls.iloc[:1])) == ["a.wav"]
    with pytest.warns(UserWarning, match=r"1 of 2 sessions have no sound that can be written.*lies outside"):
        assert sorted(files(("a", 500.0, 900.0), ("b", 0.1, 0.2))) == ["b.wav"]


@pytest.mark.core
def test_a_file_of_another_name_goes_too(tmp_path) -> None:
    """Beside an id that case alone tells apart, a call's file is called otherwise."""
    calls = pd.DataFrame({"session_id": ["a", "A"], "audio": [sound(1.0), sound(1.0)]})
    folder = tmp_path / "calls"

    def names(of: pd.DataFrame, *rows: tuple) -> set[str]:
        to_audiofolder(of, folder, silence=silences(*rows), progress=False)
        return {each.stem for each in (folder / "audio").iterdir()}

    assert names(calls[:1]) == {"a"}
    assert names(calls, ("a", 0.5, 0.9)) == {hashed_stem("a"), hashed_stem("A")}
    assert names(calls[:1], ("a", 0.5, 0.8)) == {"a", hashed_stem("A")}


@pytest.mark.core
def test_what_was_silenced_is_not_fetched_again(tmp_path) -> None:
    """Only a call whose intervals have changed is."""
    with demo.hub() as hub:
        ids = hub.sessions["session_id"].tolist()[:2]
        calls = pd.DataFrame({"session_id": ids})

        def fetched(*rows: tuple) -> int:
            hub.requests.clear()
            to_audiofolder(calls, tmp_path / "calls", silence=silences(*rows), settings=hub.settings, progress=False)
            return hub.requests.count("api")

        assert fetched((ids[0], 1.0, 2.0)) == 2
        assert fetched((ids[0], 1.0, 2.0)) == 0
        assert fetched((ids[0], 1.0, 2.5)) == 1
        assert fetched((ids[0], 1.0, 2.5), (ids[1], 1.0, 2.0)) == 1


@pytest.mark.core
def test_an_export_is_silenced_or_it_is_not(tmp_path) -> None:
    """One folder never holds both, not even by mistake; a table that names nobody stops before anything is made."""
    calls = pd.DataFrame({"session_id": ["a"], "audio": [sound(1.0)]})
    to_audiofolder(calls, tmp_path / "calls", progress=False)
    with pytest.raises(errors.ConfigurationError, match="other options"):
        to_audiofolder(calls, tmp_path / "calls", silence=silences(("a", 0.25, 0.5)), progress=False)
    to_audiofolder(calls, tmp_path / "silent", silence=silences(("a", 0.25, 0.5)), progress=False)
    with pytest.raises(errors.ConfigurationError, match="'silenced': True"):
        to_audiofolder(calls, tmp_path / "silent", progress=False)
    with pytest.raises(errors.FrameError, match="names no session that the frame has"):
        to_audiofolder(calls, tmp_path / "new", silence=silences(("A", 0.25, 0.5)), progress=False)
    assert not (tmp_path / "new").exists()


@pytest.mark.core
def test_files_are_there_only_with_the_same_taken_out_of_them(tmp_path) -> None:
    """Also where a folder is read anew, and for entries that know nothing of it."""
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio" / "a.wav").write_bytes(b"sound")
    Written(tmp_path).note("a", "source", ["audio/a.wav"])
    assert Written(tmp_path).files("a", "source") == ["audio/a.wav"]
    assert Written(tmp_path).files("a", "source", silence="x") is None
    Written(tmp_path).note("a", "source", ["audio/a.wav"], silence="x")
    assert Written(tmp_path).files("a") is None
    assert Written(tmp_path).files("a", silence="x") == ["audio/a.wav"]
