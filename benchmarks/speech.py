"""How well and how fast speech is found: ours, the model alone, the level alone, and `call-ai-metrics`.

    python benchmarks/speech.py                    # the demo Hub's stereo calls, in conditions made here
    python benchmarks/speech.py --calls DIR ...    # DIR/call_NN.json with DIR/call_NN.<condition>.flac

Truth, per call: `{"duration_s", "channels": ["caller", "agent"], "turns": [{"channel", "segments": [[start_s,
end_s], ...]}]}`; segments less than 0.25 s apart are merged before scoring.

F1        of 10 ms frames, both channels, x 100
talk      mean absolute error of talk time per channel, %
latency   absolute error of the response latency, median / 90th percentile, ms
responses missed + spurious, of the true ones. A response is an agent turn (agent speech merged over pauses under
          1 s) that begins after the end of the last caller speech since the agent's previous turn

The tables are Markdown. Speed is the best of several runs, in multiples of real time for both channels together,
with the process bound to one core where the system can do that.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import signal

import kataven_notebook.demo
from kataven_notebook.sound.recording import Recording
from kataven_notebook.speech.detect import SpeechOption, speech_intervals

Samples = npt.NDArray[np.floating[Any]]
Segments = list[tuple[float, float]]
Detector = Callable[[Recording], list[Segments]]

FRAME_S = 0.01
MERGE_S = 0.25
DEMO_CALLS = Path(kataven_notebook.demo.__file__).parent / "calls"


@dataclass
class Truth:
    """Who really speaks when."""

    duration_s: float
    agent: int
    speech: list[Segments]

    @classmethod
    def read(cls, path: Path) -> Truth | None:
        """Return the truth of a call with one party per channel, None for another."""
        raw = json.loads(path.read_text())
        if sorted(raw["channels"]) != ["agent", "caller"]:
            return None
        speech = [
            merge([(s[0], s[1]) for turn in raw["turns"] if turn["channel"] == c for s in turn["segments"]], MERGE_S)
            for c in (0, 1)
        ]
        return cls(raw["duration_s"], raw["channels"].index("agent"), speech)


@dataclass
class Score:
    """Sums over calls; `row` makes them a line of the table."""

    both: int = 0
    either: int = 0
    talk: list[float] = field(default_factory=list)
    latency_ms: list[float] = field(default_factory=list)
    wrong: int = 0
    true: int = 0

    def add(self, truth: Truth, found: list[Segments]) -> None:
        """Count one call."""
        count = int(truth.duration_s / FRAME_S)
        for wanted, had in zip(truth.speech, found, strict=True):
            a, b = frames(wanted, count), frames(had, count)
            self.both += 2 * int((a & b).sum())
            self.either += int(a.sum()) + int(b.sum())
            self.talk.append(abs(int(b.sum()) - int(a.sum())) / max(int(a.sum()), 1))
        caller, agent = 1 - truth.agent, truth.agent
        expected = responses(truth.speech[caller], truth.speech[agent])
        open_ = responses(found[caller], found[agent])
        self.true += len(expected)
        for start_s, latency_s in expected:
            near = min(open_, key=lambda other: abs(other[0] - start_s), default=None)
            if near is None or abs(near[0] - start_s) >= 0.5:
                self.wrong += 1
                continue
            open_.remove(near)
            self.latency_ms.append(1000 * abs(near[1] - latency_s))
        self.wrong += len(open_)

    def row(self) -> str:
        """Return F1, talk time, latency and responses as cells."""
        half, most = np.percentile(self.latency_ms or [float("nan")], [50, 90])
        return (
            f"{100 * self.both / max(self.either, 1):.1f} | {100 * np.mean(self.talk):.1f} | "
            f"{half:.0f} / {most:.0f} | {self.wrong} of {self.true}"
        )


def merge(segments: Segments, gap_s: float) -> Segments:
    """Join segments less than `gap_s` apart."""
    merged: Segments = []
    for start, end in sorted(segments):
        if merged and start - merged[-1][1] < gap_s:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def frames(segments: Segments, count: int) -> npt.NDArray[np.bool_]:
    """Return which of `count` frames of 10 ms are speech."""
    mask = np.zeros(count, bool)
    for start, end in segments:
        mask[max(0, round(start / FRAME_S)) : max(0, round(end / FRAME_S))] = True
    return mask


def responses(caller: Segments, agent: Segments) -> list[tuple[float, float]]:
    """Return start and latency, in seconds, of the agent turns that answer the caller."""
    found, before_s = [], 0.0
    for start, end in merge(agent, 1.0):
        spoken = [e for s, e in caller if s < start - 0.05 and e > before_s - 0.2]
        if spoken and max(spoken) <= start:
            found.append((start, start - max(spoken)))
        before_s = end
    return found


def ours(option: SpeechOption, recording: Recording) -> list[Segments]:
    """Run one of our methods."""
    return [[(s, e) for s, e in one.tolist()] for one in speech_intervals(recording, speech=option).intervals]


def peer(recording: Recording) -> list[Segments]:
    """Run `call-ai-metrics` on the two channels."""
    import call_ai_metrics  # noqa: PLC0415 - optional, and without types

    samples = recording.samples
    report = call_ai_metrics.analyze(
        [samples[:, 0], samples[:, 1]], sample_rate=recording.sample_rate, speakers=["first", "second"]
    )
    return [[(s.start_s, s.end_s) for s in report.segments if s.speaker == name] for name in ("first", "second")]


def detectors() -> dict[str, Detector]:
    """Return what is compared, by name; say what is left out."""
    found: dict[str, Detector] = {
        "kataven-notebook": partial(ours, "auto"),
        "Silero alone": partial(ours, "silero"),
        "level alone": partial(ours, "energy"),
    }
    try:
        import call_ai_metrics  # noqa: F401, PLC0415 - optional
    except ImportError:
        print("call-ai-metrics is left out: pip install call-ai-metrics\n")
    else:
        found["call-ai-metrics"] = peer
    return found


def demo_cases() -> Iterator[tuple[str, Truth, Recording]]:
    """Yield the demo calls in each condition, made here from a fixed seed."""
    for seed, path in enumerate(sorted(DEMO_CALLS.glob("call_*.json"))):
        truth = Truth.read(path)
        if truth is None:
            continue
        sound = next(p for p in path.parent.glob(f"{path.stem}.*") if p.suffix != ".json")
        recording = Recording.from_file(sound).resample(8_000)
        for name, samples in conditions(recording.samples, truth, np.random.default_rng(seed)).items():
            yield name, truth, Recording.from_samples(np.clip(samples, -1, 1), 8_000)


def folder_cases(folders: list[Path]) -> Iterator[tuple[str, Truth, Recording]]:
    """Yield the calls of folders that hold `call_NN.<condition>.flac` beside `call_NN.json`."""
    for folder in folders:
        for path in sorted(folder.glob("call_*.json")):
            truth = Truth.read(path)
            if truth is None:
                continue
            for sound in sorted(folder.glob(f"{path.stem}.*.flac")):
                yield sound.name.split(".")[1], truth, Recording.from_file(sound)


def conditions(clean: Samples, truth: Truth, rng: np.random.Generator) -> dict[str, Samples]:
    """Make the conditions of telephony from sound at 8 kHz: (frames, 2) each."""
    noise = rng.standard_normal(clean.shape)
    return {
        "clean": clean,
        "mulaw": mulaw(
            signal.sosfiltfilt(signal.butter(4, [300, 3400], "bandpass", fs=8_000, output="sos"), clean, axis=0)
        ),
        "noise10": clean + pink(noise) * active_rms(clean) * 10 ** (-10 / 20),
        "bleed25": clean + clean[:, ::-1] * 10 ** (-25 / 20) + noise * 10 ** (-65 / 20),
        "music": clean + hold_music(len(clean), truth, rng) + noise * 10 ** (-68 / 20),
        "cng": clean + comfort_noise(clean, noise, rng),
    }


def mulaw(samples: Samples) -> Samples:
    """Encode and decode as G.711 mu-law does, 8 bits a sample."""
    squeezed = np.sign(samples) * np.log1p(255 * np.abs(samples)) / np.log(256)
    squeezed = np.round(squeezed * 127) / 127
    restored: Samples = np.sign(squeezed) * (256 ** np.abs(squeezed) - 1) / 255
    return restored


def pink(white: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Shape noise like that of rooms and cars, most of it below 500 Hz; standard deviation 1."""
    shaped = signal.lfilter([1.0], [1.0, -0.9], white, axis=0)
    result: npt.NDArray[np.float64] = shaped / shaped.std(axis=0)
    return result


def active_rms(samples: Samples) -> npt.NDArray[np.float64]:
    """Return the RMS of each channel where it is not quiet: what a signal-to-noise ratio refers to."""
    power = signal.oaconvolve(np.square(samples.astype(float)), np.full((240, 1), 1 / 240), mode="same", axes=0)
    return np.array([np.sqrt(one[one > one.max() * 1e-3].mean()) for one in power.T])


def hold_music(count: int, truth: Truth, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Play chords on the agent's channel while the agent is silent, at about the level of speech."""
    t = np.arange(count) / 8_000
    beat_s = 0.6
    chord = rng.choice([196.0, 220.0, 262.0, 294.0, 330.0], int(t[-1] / beat_s) + 1)[(t / beat_s).astype(int)]
    swell = np.exp(-2 * (t % beat_s)) * np.minimum(1, (t % beat_s) / 0.02)
    phase = 2 * np.pi * np.cumsum(chord) / 8_000
    tones = sum(np.sin(phase * ratio * h) / h**1.5 for ratio in (1, 1.25, 1.5, 2) for h in (1, 2, 3)) * swell
    for start, end in merge(truth.speech[truth.agent], 1.0):
        tones[int(start * 8_000) : int(end * 8_000)] = 0
    music = np.zeros((count, 2))
    music[:, truth.agent] = tones / tones.std() * 10 ** (-26 / 20)
    return music


def comfort_noise(clean: Samples, noise: npt.NDArray[np.float64], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Fill silence with noise whose level steps, as gateways do, now and then with none."""
    steps = rng.choice([-48.0, -51.0, -57.0, -63.0, -200.0], (len(clean) // 8_000 + 1, 2))
    level = np.repeat(10 ** (steps / 20), 8_000, axis=0)[: len(clean)]
    silent = np.abs(clean) < 1e-4
    filled: npt.NDArray[np.float64] = noise * level * silent
    return filled


def accuracy(cases: Iterator[tuple[str, Truth, Recording]]) -> None:
    """Print one row for each condition and detector."""
    compared = detectors()
    scores: defaultdict[tuple[str, str], Score] = defaultdict(Score)
    for condition, truth, recording in cases:
        for name, detect in compared.items():
            scores[condition, name].add(truth, detect(recording))
    print("| condition | detector | F1 | talk, % | latency, ms | responses wrong |")
    print("| --- | --- | --- | --- | --- | --- |")
    for (condition, name), score in scores.items():
        print(f"| {condition} | {name} | {score.row()} |")


def speed(recording: Recording, threads: int) -> float:
    """Return multiples of real time, the best of seven runs."""
    speech_intervals(recording)
    best_s = float("inf")
    for _ in range(7):
        start_s = time.perf_counter()
        speech_intervals(recording, threads=threads)
        best_s = min(best_s, time.perf_counter() - start_s)
    return recording.duration_s / best_s


def child(arguments: list[str], *, one_core: bool = False) -> str:
    """Run this script in a process of its own and return what it prints.

    A core is chosen before the child starts: libraries of linear algebra count cores when they are loaded.
    """
    cores = os.sched_getaffinity(0) if one_core and hasattr(os, "sched_setaffinity") else set()
    if cores:
        os.sched_setaffinity(0, {min(cores)})
    try:
        done = subprocess.run(
            [sys.executable, __file__, *arguments],
            check=True,
            capture_output=True,
            text=True,
            # As in the workers of `executor=`: two processes that take both cores each wait for each other.
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )
    finally:
        if cores:
            os.sched_setaffinity(0, cores)
    return done.stdout.strip()


# A process that has loaded no more than it needs, unlike this one.
_PEAK = """
import sys
from pathlib import Path
from kataven_notebook.sound.recording import Recording
from kataven_notebook.speech.detect import speech_intervals
speech_intervals(Recording.from_file(sys.argv[1]))
# A child's `ru_maxrss` begins with its parent's.
print(f"{int(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0]) * 1024 / 1e6:.0f}")
"""


def performance(sound: Path, folder: Path) -> None:
    """Print speed on one core and on two, and the memory that an hour needs."""
    recording = Recording.from_file(sound)
    samples = np.tile(recording.samples, (-(-240 // int(recording.duration_s)), 1))
    minutes = folder / "minutes.wav"
    minutes.write_bytes(Recording.from_samples(samples, recording.sample_rate).encoded())
    hour = folder / "hour.wav"
    copies = -(-3600 * recording.sample_rate // len(samples))
    hour.write_bytes(Recording.from_samples(np.tile(samples, (copies, 1)), recording.sample_rate).encoded())
    one = child(["--speed", str(minutes)], one_core=True)
    print(f"\n| measure | value |\n| --- | --- |\n| one core | {one} x real time |")
    print(f"| two threads | {speed(Recording.from_file(minutes), 2):.0f} x real time |")
    with ThreadPoolExecutor(2) as both:
        found = both.map(lambda _: int(child(["--speed", str(minutes)])), range(2))
        print(f"| two processes, a call each | {sum(found)} x real time |")
    if sys.platform == "linux":
        peak = subprocess.run([sys.executable, "-c", _PEAK, str(hour)], check=True, capture_output=True, text=True)
        print(f"| an hour of two channels | {peak.stdout.strip()} MB at most in the whole process |")


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=Path, nargs="+", help="folders of calls with truth")
    parser.add_argument("--speed", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.speed:
        print(f"{speed(Recording.from_file(options.speed), 1):.0f}")
        return
    if options.calls:
        accuracy(folder_cases(options.calls))
        sound = min(options.calls[0].glob("call_*.mulaw.flac"))
    else:
        accuracy(demo_cases())
        sound = DEMO_CALLS / "call_02.wav"
    with tempfile.TemporaryDirectory() as folder:
        performance(sound, Path(folder))


if __name__ == "__main__":
    main()
