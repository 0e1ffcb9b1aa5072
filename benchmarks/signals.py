"""How right the numbers of a channel's signal are: true and measured clipping and signal-to-noise ratio.

    python benchmarks/signals.py clipping     # shares of cut-off sound, after codecs, resampling and filters
    python benchmarks/signals.py unclipped    # loud, compressed, limited, coded sound that is not cut off
    python benchmarks/signals.py snr          # white, pink and car noise, babble, hold music
    python benchmarks/signals.py loudness     # what is no speech does to LUFS; and pyloudnorm's number
    python benchmarks/signals.py speed        # what quality costs of `measure`

The voices are those of `made_calls.py` (`espeak-ng` and `flite` have to be installed) and the demo's; codecs and
compressors are those of `ffmpeg`, which has to be installed too. The tables are Markdown.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyloudnorm
import soundfile as sf
import soxr
from made_calls import make_call
from scipy import signal

import kataven_notebook.demo
from kataven_notebook.numbers.measures import measure
from kataven_notebook.numbers.quality import measure_quality
from kataven_notebook.sound.recording import Recording

Sound = npt.NDArray[np.float64]
Change = Callable[[Sound, int], tuple[Sound, int]]

SHARES = (0.001, 0.01, 0.05, 0.12, 0.2)
DEMO_CALLS = Path(kataven_notebook.demo.__file__).parent / "calls"
SNRS_DB = (0, 5, 10, 20, 30, 40)


@dataclass(frozen=True)
class Voice:
    """One channel of a clean call."""

    samples: Sound
    rate: int
    speech: list[tuple[float, float]]


def voices(count: int) -> list[Voice]:
    """Return the channels of some made calls, in seven languages."""
    found = []
    languages = ("en", "de", "es", "fr", "hi", "cmn", "pl")
    for number in range(count):
        samples, truth = make_call(np.random.default_rng([5, number]), language=languages[number % len(languages)])
        for channel in (0, 1):
            turns = [turn for turn in truth["turns"] if turn["channel"] == channel]
            speech = [(start, end) for turn in turns for start, end in turn["segments"]]
            found.append(Voice(samples[:, channel].astype(np.float64), truth["sample_rate"], speech))
    return found


def demo_channels() -> Iterator[Voice]:
    """Yield the channels of the demo's calls."""
    # Call 11 is left out: it was cut off on purpose before it was coded.
    for path in sorted(p for p in DEMO_CALLS.glob("call_*") if p.suffix != ".json" and "11" not in p.stem):
        recording = Recording.from_file(path)
        for channel in recording.samples.T.astype(np.float64):
            yield Voice(channel, recording.sample_rate, [])


def kept(sound: Sound, rate: int) -> tuple[Sound, int]:
    """Keep the sound as it is, in 16 bits."""
    return np.round(sound * 32_767) / 32_768, rate


def resampled(sound: Sound, rate: int, *, to: int, scale: float = 0.9) -> tuple[Sound, int]:
    """Bring the sound to another rate, first to 16 or 48 kHz where it is to go down, as if it had come so."""
    return soxr.resample(sound * scale, rate, to), to


def mulaw(sound: Sound, rate: int) -> tuple[Sound, int]:
    """Encode and decode as G.711 mu-law does."""
    magnitude = np.minimum(np.abs(sound) * 32_768, 32_635).astype(int) + 132
    step = 2.0 ** (np.floor(np.log2(magnitude)) - 4)
    return np.sign(sound) * ((np.floor(magnitude / step) + 0.5) * step - 132) / 32_768, rate


def telephone_band(sound: Sound, rate: int) -> tuple[Sound, int]:
    """Take 300 to 3400 Hz."""
    sections = signal.butter(4, [300, 3400], "bandpass", fs=rate, output="sos")
    return np.asarray(signal.sosfilt(sections, sound * 0.7)), rate


def low_cut(sound: Sound, rate: int, *, hz: float) -> tuple[Sound, int]:
    """Take the lowest frequencies out, as an input's capacitor or a filter against hum does."""
    return np.asarray(signal.sosfilt(signal.butter(2, hz, "high", fs=rate, output="sos"), sound * 0.7)), rate


def through_ffmpeg(sound: Sound, rate: int, *, suffix: str, options: tuple[str, ...] = ()) -> tuple[Sound, int]:
    """Encode with ffmpeg, and decode again."""
    with tempfile.TemporaryDirectory() as folder:
        first, coded, last = (str(Path(folder) / name) for name in ("a.wav", f"b{suffix}", "c.wav"))
        sf.write(first, (sound * 0.8).astype(np.float32), rate, subtype="FLOAT")
        quiet = ["ffmpeg", "-loglevel", "error", "-i"]
        subprocess.run([*quiet, first, *options, coded], check=True)
        subprocess.run([*quiet, coded, "-c:a", "pcm_f32le", last], check=True)
        samples, decoded_rate = sf.read(last)
    return np.asarray(samples, dtype=np.float64), int(decoded_rate)


def effect(name: str) -> Change:
    """Return one of ffmpeg's filters of dynamics."""
    return partial(through_ffmpeg, suffix=".wav", options=("-af", name, "-c:a", "pcm_f32le"))


CODED: dict[str, Change] = {
    "none": kept,
    "mu-law": mulaw,
    "8 to 16 kHz": partial(resampled, to=16_000),
    "16 to 8 kHz": partial(resampled, to=8_000),
    "48 to 8 kHz": partial(resampled, to=8_000),
    "8 to 16 kHz, -30 dB": partial(resampled, to=16_000, scale=10 ** (-30 / 20)),
    "MP3 32 kbit/s": partial(through_ffmpeg, suffix=".mp3", options=("-b:a", "32k")),
    "Opus 16 kbit/s": partial(through_ffmpeg, suffix=".ogg", options=("-c:a", "libopus", "-b:a", "16k")),
    "GSM": partial(through_ffmpeg, suffix=".gsm", options=("-ar", "8000", "-c:a", "libgsm")),
    "16 kHz, then mu-law": lambda sound, rate: mulaw(*resampled(sound, rate, to=16_000)),
    "high-pass 10 Hz": partial(low_cut, hz=10),
    "high-pass 60 Hz": partial(low_cut, hz=60),
    "300 to 3400 Hz": telephone_band,
}
DYNAMICS: dict[str, Change] = {
    "compressor 8:1": effect("acompressor=threshold=0.05:ratio=8:attack=5:release=50:makeup=4"),
    "limiter, 12 dB, 5 ms": effect("alimiter=level_in=4:limit=0.7:attack=5:release=50:level=0"),
    "limiter, 18 dB, 1 ms": effect("alimiter=level_in=8:limit=0.7:attack=1:release=5:level=0"),
    "automatic gain": effect("dynaudnorm=f=150:g=5"),
    "automatic gain per wave": effect("speechnorm=e=12.5:r=0.001"),
    "companding": effect("compand=attacks=0.005:decays=0.1:points=-80/-80|-50/-15|0/-6"),
    "8 bits": lambda sound, rate: (np.round(sound * 128) / 128, rate),
    "peak at -40 dBFS": lambda sound, rate: kept(sound * 0.01, rate),
}
NATIVE_HZ = {"16 to 8 kHz": 16_000, "48 to 8 kHz": 48_000}


def clipping_ratio(sound: Sound, rate: int) -> float:
    """Return what is measured."""
    return measure_quality([sound[:, None].astype(np.float32)], rate, [[]])[0].clipping_ratio


def clipping() -> None:
    """Print measured shares of cut-off sound: median [10th, 90th percentile], how often missing, and 0."""
    found = voices(7)
    print("| after | " + " | ".join(f"true {100 * share:g} %" for share in SHARES) + " |")
    print("| --- |" + " --- |" * len(SHARES))
    for name, change in CODED.items():
        cells = []
        for share in SHARES:
            measured = []
            for voice in found:
                rate = NATIVE_HZ.get(name, voice.rate)
                sound = soxr.resample(voice.samples, voice.rate, rate)
                ceiling = np.quantile(np.abs(sound), 1 - share)
                measured.append(clipping_ratio(*change(np.clip(sound / ceiling, -1, 1), rate)))
            cells.append(_cell(np.array(measured)))
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def _cell(measured: npt.NDArray[np.float64]) -> str:
    numbers = measured[np.isfinite(measured) & (measured > 0)]
    parts = []
    if len(numbers):
        low, median, high = 100 * np.quantile(numbers, [0.1, 0.5, 0.9])
        parts.append(f"{median:.2g} [{low:.2g}, {high:.2g}]")
    for count, what in ((int(np.isnan(measured).sum()), "missing"), (int((measured == 0).sum()), "0")):
        if count:
            parts.append(f"{what}: {count} of {len(measured)}")
    return "; ".join(parts)


def unclipped() -> None:
    """Print how many channels of sound that is not cut off read 0, are missing, and read more than 0."""
    channels = [*voices(7), *demo_channels()]
    print("| sound | 0 | missing | more, % |\n| --- | --- | --- | --- |")
    changes = CODED | DYNAMICS
    for name, change in changes.items():
        measured = []
        for voice in channels:
            rate = NATIVE_HZ.get(name, voice.rate)
            sound = soxr.resample(voice.samples, voice.rate, rate)
            if len(sound) > rate and np.abs(sound).max() > 0:
                measured.append(clipping_ratio(*change(sound * (0.95 / np.abs(sound).max()), rate)))
        ratio = np.array(measured)
        more = ", ".join(f"{100 * one:.2g}" for one in ratio[ratio > 0])
        print(f"| {name} | {(ratio == 0).sum()} | {np.isnan(ratio).sum()} | {more} |", flush=True)
    time_s = np.arange(10 * 8_000) / 8_000
    rng = np.random.default_rng(0)
    for name, sound in {
        "tone, 1000 Hz": np.sin(2 * np.pi * 1000 * time_s),
        "tone, 100 Hz": np.sin(2 * np.pi * 100 * time_s),
        "digits": np.sin(2 * np.pi * 697 * time_s) + np.sin(2 * np.pi * 1209 * time_s),
        "ringback": np.sin(2 * np.pi * 440 * time_s) + np.sin(2 * np.pi * 480 * time_s),
        "white noise": rng.standard_normal(len(time_s)),
        "hold music": hold_music(len(time_s), rng),
    }.items():
        ratio = np.array([clipping_ratio(*kept(0.9 * sound / np.abs(sound).max(), 8_000))])
        more = ", ".join(f"{100 * one:.2g}" for one in ratio[ratio > 0])
        print(f"| {name} | {(ratio == 0).sum()} | {np.isnan(ratio).sum()} | {more} |", flush=True)


def hold_music(count: int, rng: np.random.Generator) -> Sound:
    """Return chords of decaying notes, RMS 1, at 8 kHz."""
    t = np.arange(count) / 8_000
    beat_s = 0.6
    note = rng.choice([196.0, 220.0, 262.0, 294.0, 330.0], int(t[-1] / beat_s) + 1)[(t / beat_s).astype(int)]
    swell = np.exp(-2 * (t % beat_s)) * np.minimum(1, (t % beat_s) / 0.02)
    phase = 2 * np.pi * np.cumsum(note) / 8_000
    parts = [np.sin(phase * ratio * h) / h**1.5 for ratio in (1, 1.25, 1.5, 2) for h in (1, 2, 3)]
    tones = np.sum(parts, axis=0) * swell
    return np.asarray(tones / tones.std(), dtype=np.float64)


def coloured(count: int, colour: str, rng: np.random.Generator) -> Sound:
    """Return noise of RMS 1 at 8 kHz: "white", "pink" (3 dB an octave) or "car" (12 dB an octave above 60 Hz)."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hz = np.maximum(np.fft.rfftfreq(count, 1 / 8_000), 20.0)
    slope = {"white": np.ones_like(hz), "pink": hz**-0.5, "car": 1 / (1 + (hz / 60) ** 2)}[colour]
    noise = np.fft.irfft(spectrum * slope, count)
    return np.asarray(noise / noise.std(), dtype=np.float64)


def babble(count: int, rng: np.random.Generator) -> Sound:
    """Return four voices at once, RMS 1, at 8 kHz."""
    total = np.zeros(count)
    for _ in range(2):
        samples, _truth = make_call(rng, exchanges=30)
        for channel in samples.T.astype(np.float64):
            voice = channel[np.abs(channel) > 1e-4]
            total += np.roll(np.resize(voice / voice.std(), count), int(rng.integers(count)))
    return np.asarray(total / total.std())


def background(kind: str, count: int, rng: np.random.Generator) -> Sound:
    """Return noise of one kind, RMS 1, at 8 kHz."""
    if kind == "hold music":
        return hold_music(count, rng)
    if kind == "babble":
        return babble(count, rng)
    if kind == "hum":
        t = np.arange(count) / 8_000
        return np.asarray(np.sqrt(2) * np.sin(2 * np.pi * 50 * t))
    return coloured(count, kind, rng)


def snr() -> None:
    """Print the error of the signal-to-noise ratio: median [lowest, highest], dB, and how often it is missing.

    The truth is the mean power of speech where there is speech over that of the noise. Speech is given as it is
    true, and as it is found. Behind hold music lies white noise, which is the noise; music is none.
    """
    found = [voice for voice in voices(4) if voice.speech]
    print("| noise | speech | " + " | ".join(f"{db} dB" for db in SNRS_DB) + " |")
    print("| --- | --- |" + " --- |" * len(SNRS_DB))
    for kind in ("white", "pink", "car", "hum", "babble", "hold music"):
        for given in (True, False):
            cells = []
            for wanted_db in SNRS_DB:
                errors = [_snr_error(voice, kind, wanted_db, seed, given=given) for seed, voice in enumerate(found)]
                known = [one for one in errors if np.isfinite(one)]
                cell = f"{np.median(known):+.1f} [{min(known):+.1f}, {max(known):+.1f}]" if known else ""
                missing = len(errors) - len(known)
                cells.append(f"{cell} missing: {missing} of {len(errors)}" if missing else cell)
            print(f"| {kind} | {'true' if given else 'found'} | " + " | ".join(cells) + " |", flush=True)


def _snr_error(voice: Voice, kind: str, wanted_db: float, seed: int, *, given: bool) -> float:
    rng = np.random.default_rng([seed, int(wanted_db)])
    speaking = np.zeros(len(voice.samples), dtype=bool)
    for start, end in voice.speech:
        speaking[round(start * voice.rate) : round(end * voice.rate)] = True
    power = float((voice.samples[speaking] ** 2).mean())
    noise = background("white" if kind == "hold music" else kind, len(speaking), rng)
    noise *= np.sqrt(power / (noise**2).mean()) * 10 ** (-wanted_db / 20)
    sound = voice.samples + noise
    if kind == "hold music":
        # Music plays while nobody speaks on the channel, as loud as speech.
        sound = sound + np.where(speaking, 0.0, np.sqrt(power) * hold_music(len(speaking), rng))
    true_db = 10 * np.log10(power / (noise**2).mean())
    both = np.column_stack([sound, np.zeros(len(sound))]).astype(np.float32)
    if given:
        quality = measure_quality([both], voice.rate, [voice.speech, []])[0]
    else:
        quality = measure(Recording.from_samples(np.clip(both, -1, 1), voice.rate)).quality[0]
    return float(quality.snr_db - true_db)


def loudness() -> None:
    """Print by how much LUFS moves where something else is heard between the words, and how far pyloudnorm is off."""
    found = [voice for voice in voices(4) if voice.speech]
    print("| between the words | level against speech | LUFS moves by | most against pyloudnorm |")
    print("| --- | --- | --- | --- |")
    for kind, levels_db in (("white", (-40, -20, -10)), ("hold music", (-20, -10, -5, 0)), ("tone", (-20, -10, -5, 0))):
        for level_db in levels_db:
            moved, apart = zip(*(_moved(voice, kind, level_db) for voice in found), strict=True)
            cells = f"{np.median(moved):+.1f} [{min(moved):+.1f}, {max(moved):+.1f}] | {max(apart):.3f}"
            print(f"| {kind} | {level_db} dB | {cells} |", flush=True)


def _moved(voice: Voice, kind: str, level_db: float) -> tuple[float, float]:
    speaking = np.zeros(len(voice.samples), dtype=bool)
    for start, end in voice.speech:
        speaking[round(start * voice.rate) : round(end * voice.rate)] = True
    t = np.arange(len(speaking)) / voice.rate
    tone = np.sqrt(2) * np.sin(2 * np.pi * 440 * t)
    other = tone if kind == "tone" else background(kind, len(speaking), np.random.default_rng(0))
    rms = np.sqrt((voice.samples[speaking] ** 2).mean()) * 10 ** (level_db / 20)
    sound = voice.samples + np.where(speaking, 0.0, rms * other)
    alone, beside = (
        measure_quality([one[:, None].astype(np.float32)], voice.rate, [[]])[0].lufs for one in (voice.samples, sound)
    )
    expected = pyloudnorm.Meter(voice.rate).integrated_loudness(sound)
    return beside - alone, abs(beside - float(expected))


def speed() -> None:
    """Print what `measure` takes of a call, and how much of it is quality; the best of several runs."""
    samples, truth = make_call(np.random.default_rng(1), exchanges=60)
    recording = Recording.from_samples(samples, truth["sample_rate"])
    spans = [[(0.0, 1.0)], [(0.0, 1.0)]]
    whole_s, quality_s = [], []
    for _ in range(7):
        start_s = time.perf_counter()
        measure(Recording.from_samples(samples, truth["sample_rate"]))
        whole_s.append(time.perf_counter() - start_s)
        start_s = time.perf_counter()
        measure_quality(recording.blocks(), recording.sample_rate, spans)
        quality_s.append(time.perf_counter() - start_s)
    print(f"| measure | {recording.duration_s / min(whole_s):.0f} x real time |")
    print(f"| quality alone | {100 * min(quality_s) / min(whole_s):.0f} % of it |")


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=["clipping", "unclipped", "snr", "loudness", "speed"])
    tables: dict[str, Callable[[], Any]] = {
        "clipping": clipping,
        "unclipped": unclipped,
        "snr": snr,
        "loudness": loudness,
        "speed": speed,
    }
    tables[parser.parse_args().table]()


if __name__ == "__main__":
    main()
