"""Makes the synthetic calls that the demo Hub serves, from the dialogues in ``calls/dialogues.json``.

Run ``python -m kataven_notebook.demo.make_calls`` where the program ``flite`` is installed (on Debian and its
kin ``apt install flite``); it writes ``calls/call_NN.*`` (sound), ``calls/call_NN.json`` (true speech times)
and ``calls/sessions.json``. The same versions of flite and libsndfile give the same bytes.

The voices are flite's own (slt, rms, awb, kal16), by Carnegie Mellon University, whose licence lets anybody
use, copy, modify, distribute and sell them, and sets no condition for the speech that they produce; the
dialogues were written for this project. No sound of a real call is in here.

True speech times are measured on each clean utterance, before noise, mixing and coding: 10 ms frames no
more than 40 dB below the utterance's loudest; pauses of 0.1 s and more are left out, and bursts under 0.03 s.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import soundfile as sf
import soxr

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Sound = npt.NDArray[np.float64]
CALLS = Path(__file__).with_name("calls")
ROLES = ("agent", "caller")
LEVEL_DBFS = {"agent": -21.0, "caller": -24.0}
MUSIC_DBFS = -30.0
CLIP_GAIN_DB = 22.0
FRAME_S = 0.01
SPEECH_RANGE_DB = 40.0
PAUSE_S = 0.1
SHORTEST_S = 0.03
TAIL_S = 0.6
FADE_S = 0.03
# From 16 kHz up an MP3 notes the coder's delay, and decoders undo it; below, the sound comes this much later.
MP3_DELAY_FRAMES = 1_105
# Agents fall silent this long after the caller has begun to interrupt them.
YIELD_S = 0.45

# Sessions that have no usable recording: what `state` says, and for a truncated one what is cut.
OTHERS = [
    ("agent_01JX7C4V13", None, "missing", "restaurant", "v2", "2026-03-05T11:20:00Z", "no_answer"),
    ("agent_01JX7C4V14", None, "pending", "clinic", "v2", "2026-03-05T16:55:31Z", "booked"),
    ("agent_01JX7C4V15", "call_02.wav", "truncated", "restaurant", "v1", "2026-03-05T17:01:12Z", "booked"),
    ("agent_01JX7C4V16", "call_02.wav", "not_audio", "delivery", "v1", "2026-03-05T17:30:45Z", "answered"),
]


def db(value_db: float) -> float:
    """Turn decibels into a factor of amplitude."""
    return float(10 ** (value_db / 20))


def speak(text: str, voice: str, sample_rate: int) -> Sound:
    """Have flite say a text; mono, without the silence at both ends."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "speech.wav"
        # Our own texts, and flite wherever it is installed.
        command = ["flite", "-voice", voice, "-t", text, "-o", str(path)]
        subprocess.run(command, check=True)  # noqa: S603 - see above
        samples, rate = sf.read(path)
    sound: Sound = soxr.resample(samples, rate, sample_rate)
    loud = np.flatnonzero(np.abs(sound) > db(-50.0) * np.abs(sound).max())
    return sound[loud[0] : loud[-1] + 1]


def segments(sound: Sound, sample_rate: int) -> list[list[float]]:
    """Find where an utterance has speech, in seconds from its start."""
    step = round(FRAME_S * sample_rate)
    count = -(-len(sound) // step)
    frames = np.pad(sound, (0, count * step - len(sound))).reshape(count, step)
    level_db = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-12)
    spoken = np.concatenate([[False], level_db > level_db.max() - SPEECH_RANGE_DB, [False]]).astype(int)
    edges = np.diff(spoken)
    starts_s = np.flatnonzero(edges > 0) * FRAME_S
    ends_s = np.flatnonzero(edges < 0) * FRAME_S
    joined: list[list[float]] = []
    for start_s, end_s in zip(starts_s.tolist(), ends_s.tolist(), strict=True):
        if joined and start_s - joined[-1][1] < PAUSE_S - 1e-9:
            joined[-1][1] = end_s
        else:
            joined.append([start_s, end_s])
    length_s = len(sound) / sample_rate
    return [[start_s, min(end_s, length_s)] for start_s, end_s in joined if end_s - start_s >= SHORTEST_S - 1e-9]


def music(duration_s: float, sample_rate: int) -> Sound:
    """Play a slow broken chord, as hold music does."""
    times_s = np.arange(round(duration_s * sample_rate)) / sample_rate
    notes_hz = (262.0, 330.0, 392.0, 523.0, 392.0, 330.0)
    note = (times_s / 0.4).astype(int) % len(notes_hz)
    within_s = times_s % 0.4
    pitch_hz = np.asarray(notes_hz)[note]
    tone = np.sin(2 * np.pi * pitch_hz * within_s) + 0.3 * np.sin(4 * np.pi * pitch_hz * within_s)
    return _at_level(tone * np.exp(-3 * within_s) * np.minimum(1, within_s / 0.01), MUSIC_DBFS)


def _at_level(sound: Sound, level_dbfs: float) -> Sound:
    factor = db(level_dbfs) / float(np.sqrt(np.mean(sound**2)))
    return np.multiply(sound, factor)


def _silenced_from(sound: Sound, frame: int, sample_rate: int) -> Sound:
    fade = round(FADE_S * sample_rate)
    kept = sound[: frame + fade].copy()
    kept[frame:] *= np.linspace(1, 0, len(kept) - frame)
    return kept


class Dialogue:
    """One call being put together: what each role says, and when.

    Parameters
    ----------
    plan
        An entry of ``dialogues.json``. Each of its lines is a role, the gap in seconds to the end of the turn
        before (negative: overlapping it), a text, and the kind where it is not a plain turn. A line of the
        role ``"music"`` has seconds in place of a text.
    """

    def __init__(self, plan: Mapping[str, Any]) -> None:
        self._plan = plan
        self._rate: int = plan["sample_rate"]
        self._said: list[tuple[str, str, int, Sound]] = []
        self._music: list[tuple[int, Sound]] = []
        self._floor_end = 0
        for line in plan["lines"]:
            self._add(*line)

    def _add(self, role: str, gap_s: float, what: str | float, kind: str = "turn") -> None:
        start = self._floor_end + round(gap_s * self._rate)
        if role == "music":
            sound = music(float(what), self._rate)
            self._music.append((start, sound))
            self._floor_end = start + len(sound)
            return
        sound = _at_level(speak(str(what), self._plan["voices"][role], self._rate), LEVEL_DBFS[role])
        if kind == "interruption":
            self._yield_at(start + round(YIELD_S * self._rate))
        self._said.append((role, kind, start, sound))
        if kind != "backchannel":
            self._floor_end = start + len(sound)

    def _yield_at(self, frame: int) -> None:
        role, kind, start, sound = self._said[-1]
        if start + len(sound) > frame:
            self._said[-1] = (role, kind, start, _silenced_from(sound, frame - start, self._rate))

    def samples(self) -> Sound:
        """Mix everything: (frames, channels), noise included."""
        ends = [start + len(sound) for _, _, start, sound in self._said]
        frames = max(ends) + round(TAIL_S * self._rate)
        rng = np.random.default_rng(zlib.crc32(self._plan["session_id"].encode()))
        tracks = {role: rng.standard_normal(frames) * db(self._plan["noise_dbfs"][role]) for role in ROLES}
        for role, _, start, sound in self._said:
            tracks[role][start : start + len(sound)] += sound
        for start, sound in self._music:
            tracks["agent"][start : start + len(sound)] += sound
        if "clipped" in self._plan:
            # Far too loud for the converter: the tops of the waves are cut off.
            loud = tracks[self._plan["clipped"]] * db(CLIP_GAIN_DB)
            tracks[self._plan["clipped"]] = np.clip(loud, -1, 1)
        columns = [
            tracks["agent"] + tracks["caller"] if role == "mixed" else tracks[role] for role in self._plan["layout"]
        ]
        return np.clip(np.stack(columns, axis=1), -1, 32_767 / 32_768)

    def truth(self, frames: int) -> dict[str, Any]:
        """Give the true speech times of a recording of that many frames."""
        layout = self._plan["layout"]
        turns = []
        for role, kind, start, sound in sorted(self._said, key=lambda said: said[2]):
            spans = [[round(start / self._rate + edge_s, 5) for edge_s in span] for span in segments(sound, self._rate)]
            channel = layout.index(role) if role in layout else 0
            turns.append({"role": role, "channel": channel, "kind": kind, "segments": spans})
        return {
            "sample_rate": self._rate,
            "duration_s": round(frames / self._rate, 5),
            "channels": layout,
            "turns": turns,
        }


def encode(samples: Sound, plan: Mapping[str, Any]) -> bytes:
    """Give the bytes of a sound file in the plan's format."""
    extension = plan["file"].rpartition(".")[2]
    buffer = io.BytesIO()
    extra: dict[str, Any] = {}
    if plan["subtype"] == "MPEG_LAYER_III":
        extra = {"compression_level": 0.9, "bitrate_mode": "CONSTANT"}
        if plan["sample_rate"] < 16_000:
            samples = samples[MP3_DELAY_FRAMES:]
    elif plan["subtype"] == "OPUS":
        extra = {"compression_level": 0.97}
    sf.write(buffer, samples, plan["sample_rate"], format=extension.upper(), subtype=plan["subtype"], **extra)
    data = buffer.getvalue()
    return _with_serial(data, 1) if extension == "ogg" else data


def _with_serial(data: bytes, serial: int) -> bytes:
    # libsndfile draws a random stream serial: a fixed one, and checksums to match, make the file repeatable.
    pages = []
    while data:
        count = data[26]
        size = 27 + count + sum(data[27 : 27 + count])
        page = bytearray(data[:size])
        page[14:18] = serial.to_bytes(4, "little")
        page[22:26] = bytes(4)
        page[22:26] = _ogg_checksum(page).to_bytes(4, "little")
        pages.append(bytes(page))
        data = data[size:]
    return b"".join(pages)


def _ogg_checksum(page: bytes | bytearray) -> int:
    checksum = 0
    for byte in page:
        checksum ^= byte << 24
        for _ in range(8):
            checksum = (checksum << 1) ^ (0x04C11DB7 if checksum & 0x80000000 else 0)
        checksum &= 0xFFFFFFFF
    return checksum


def make(folder: Path) -> int:
    """Write all calls, their truth and the list of sessions; give the bytes of sound written."""
    plans: list[dict[str, Any]] = json.loads((CALLS / "dialogues.json").read_text(encoding="utf-8"))
    names = ("session_id", "file", "state", "agent", "agent_version", "started_at", "outcome")
    rows = [{**{name: plan.get(name) for name in names}, "state": "ready"} for plan in plans]
    rows += [dict(zip(names, other, strict=True)) for other in OTHERS]
    total_bytes = 0
    for plan in plans:
        dialogue = Dialogue(plan)
        samples = dialogue.samples()
        data = encode(samples, plan)
        (folder / plan["file"]).write_bytes(data)
        truth = json.dumps(dialogue.truth(sf.info(io.BytesIO(data)).frames))
        (folder / plan["file"]).with_suffix(".json").write_text(truth + "\n", encoding="utf-8")
        total_bytes += len(data)
    lines = ",\n".join(json.dumps(row) for row in rows)
    (folder / "sessions.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    return total_bytes


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the calls from the command line."""
    parser = argparse.ArgumentParser(description="Make the demo Hub's synthetic calls; needs flite.")
    parser.add_argument("--folder", type=Path, default=CALLS, help="where to write (default: beside this script)")
    options = parser.parse_args(arguments)
    total_bytes = make(options.folder)
    print(f"{total_bytes / 1e6:.2f} MB of sound in {options.folder}")  # noqa: T201 - a script's result


if __name__ == "__main__":
    main()
