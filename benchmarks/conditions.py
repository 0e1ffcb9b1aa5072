"""Conditions of telephony, made from clean two-party calls: echoes, leaks, rooms, noise, voices behind, codecs, tones.

`every_condition` names them; each takes a `Call` and returns (frames, 2) sound at 8 kHz whose speech is where the
clean call has it. Random parts come from the call's own generator, so that a run can be repeated.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile as sf
from scipy import signal

Sound = npt.NDArray[np.float64]

RATE = 8_000


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A clean call, who is its agent, and what others say elsewhere.

    `sound` is (frames, 2), `speech` holds per channel its (start_s, end_s), `voices` are other people's speech,
    each (frames,), for what is heard behind a party.
    """

    sound: Sound
    agent: int
    speech: list[list[tuple[float, float]]]
    voices: list[Sound]
    rng: np.random.Generator

    @property
    def caller(self) -> int:
        """The other channel."""
        return 1 - self.agent

    def level(self, channel: int) -> float:
        """RMS of a channel where its party speaks."""
        spoken = np.zeros(len(self.sound), bool)
        for start, end in self.speech[channel]:
            spoken[int(start * RATE) : int(end * RATE)] = True
        return float(np.sqrt(np.mean(self.sound[spoken, channel] ** 2)))

    def noise(self) -> Sound:
        """White noise of the call's shape, standard deviation 1."""
        return self.rng.standard_normal(self.sound.shape)


Condition = Callable[[Call], Sound]


def amplitude(level_db: float) -> float:
    """Turn decibels into a factor."""
    return float(10 ** (level_db / 20))


def rms(sound: Sound) -> float:
    """Return the root of the mean square."""
    return float(np.sqrt(np.mean(sound**2)))


def later(sound: Sound, delay_s: float) -> Sound:
    """Delay sound, (frames, ...), by whole samples; the length stays."""
    frames = round(delay_s * RATE)
    return np.concatenate([np.zeros((frames, *sound.shape[1:])), sound])[: len(sound)]


def room(sound: Sound, rng: np.random.Generator, *, decay_s: float, direct_db: float = 0.0) -> Sound:
    """Put one channel into a room: `decay_s` until the tail has fallen by 60 dB, `direct_db` above it."""
    tail = rng.standard_normal(int(1.2 * decay_s * RATE)) * 10 ** (
        -3 * np.arange(int(1.2 * decay_s * RATE)) / RATE / decay_s
    )
    tail[: int(0.004 * RATE)] = 0
    tail *= amplitude(-direct_db) / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    wet: Sound = signal.oaconvolve(sound, tail)[: len(sound)]
    return wet


def loudspeaker(sound: Sound) -> Sound:
    """Play one channel through a small loudspeaker, driven too hard."""
    scale = float(np.abs(sound).max()) or 1.0
    driven = np.tanh(4 * sound / scale) + 0.3 * (sound / scale) ** 2
    band = signal.butter(2, [500, 3000], "bandpass", fs=RATE, output="sos")
    played: Sound = signal.sosfilt(band, driven)
    return played * (rms(sound) / max(rms(played), 1e-6))


def clean(call: Call) -> Sound:
    """Return the sound as it is."""
    return call.sound


def leak(
    call: Call, *, level_db: float, delay_s: float, both: bool = False, path: Callable[[Sound], Sound] | None = None
) -> Sound:
    """Let the agent be heard in the caller's channel, and with `both` the caller in the agent's."""
    result = call.sound + amplitude(-75) * call.noise() * 0.1
    for source, target in [(call.agent, call.caller), *([(call.caller, call.agent)] if both else [])]:
        heard = call.sound[:, source] if path is None else path(call.sound[:, source])
        result[:, target] += amplitude(level_db) * later(heard, delay_s)
    return result


def reverberant_leak(call: Call, *, level_db: float, delay_s: float, decay_s: float) -> Sound:
    """Let the agent be heard in the caller's channel through a room."""

    def path(sound: Sound) -> Sound:
        wet = room(sound, call.rng, decay_s=decay_s, direct_db=0.0)
        return wet * (rms(sound) / rms(wet))

    return leak(call, level_db=level_db, delay_s=delay_s, path=path)


def caller_in_room(call: Call, *, decay_s: float, direct_db: float) -> Sound:
    """Put the caller into a reverberant room."""
    result = call.sound + amplitude(-70) * call.noise()
    result[:, call.caller] = room(call.sound[:, call.caller], call.rng, decay_s=decay_s, direct_db=direct_db)
    return result


def noisy(call: Call, *, snr_db: float, colour: str, caller_only: bool = False) -> Sound:
    """Add steady noise, white, pink or that of a car."""
    noise = call.noise()
    if colour == "pink":
        noise = signal.lfilter(
            [0.049922, -0.095994, 0.050612, -0.004408], [1, -2.494956, 2.017265, -0.522189], noise, axis=0
        )
    elif colour == "car":
        noise = signal.lfilter([1.0], [1.0, -1.8, 0.82], noise, axis=0)
    band = signal.butter(2, 90, "highpass", fs=RATE, output="sos")
    noise = signal.sosfilt(band, noise, axis=0)
    noise /= noise.std(axis=0)
    levels = np.array([call.level(0), call.level(1)]) * amplitude(-snr_db)
    if caller_only:
        levels[call.agent] *= amplitude(-40)
    result: Sound = call.sound + noise * levels
    return result


def voice_behind(call: Call, *, level_db: float, count: int = 1, distant: bool = True) -> Sound:
    """Let others be heard behind the caller: one voice as of a television, or many."""
    behind = np.zeros(len(call.sound))
    for number in range(count):
        voice = call.voices[number % len(call.voices)]
        start = int(call.rng.integers(len(voice)))
        behind += np.resize(np.roll(voice, -start), len(behind))
    if distant:
        behind = room(behind, call.rng, decay_s=0.4, direct_db=0.0)
    loud = np.abs(behind) > 0.05 * np.abs(behind).max()
    behind *= call.level(call.caller) * amplitude(level_db) / np.sqrt(np.mean(behind[loud] ** 2))
    result = call.sound + amplitude(-70) * call.noise()
    result[:, call.caller] += behind
    return result


def music(call: Call, *, level_dbfs: float, where: str) -> Sound:
    """Play chords on the agent's channel: "between" its words, or "under" the whole call."""
    times_s = np.arange(len(call.sound)) / RATE
    beat_s = 0.55
    notes = call.rng.choice([196.0, 220.0, 262.0, 294.0, 330.0, 392.0], int(times_s[-1] / beat_s) + 1)
    phase = 2 * np.pi * np.cumsum(notes[(times_s / beat_s).astype(int)]) / RATE
    swell = np.exp(-2 * (times_s % beat_s)) * np.minimum(1, (times_s % beat_s) / 0.02)
    played = sum(np.sin(phase * ratio * h) / h**1.4 for ratio in (1, 1.25, 1.5) for h in (1, 2, 3, 4)) * swell
    played *= amplitude(level_dbfs) / played.std()
    if where == "between":
        for start, end in call.speech[call.agent]:
            played[int((start - 0.2) * RATE) if start > 0.2 else 0 : int((end + 0.2) * RATE)] = 0
    result = call.sound + amplitude(-75) * call.noise()
    result[:, call.agent] += played
    return result


def bursts(call: Call, *, kind: str) -> Sound:
    """Add keys, tones, coughs or breaths to both channels, where they happen to fall."""
    result = call.sound + amplitude(-70) * call.noise()
    for channel in (0, 1):
        at_s = 1.0
        while at_s < len(result) / RATE - 3:
            sound = _burst(kind, call.rng) * call.level(channel) * 2
            first = int(at_s * RATE)
            result[first : first + len(sound), channel] += sound[: len(result) - first]
            at_s += float(call.rng.uniform(2.5, 7.0))
    return result


def _burst(kind: str, rng: np.random.Generator) -> Sound:
    if kind == "dtmf":
        t = np.arange(int(0.2 * RATE)) / RATE
        low, high = rng.choice([697, 770, 852, 941]), rng.choice([1209, 1336, 1477])
        return np.asarray(0.5 * (np.sin(2 * np.pi * low * t) + np.sin(2 * np.pi * high * t)))
    if kind == "ring":
        t = np.arange(int(1.0 * RATE)) / RATE
        return np.asarray(0.4 * (np.sin(2 * np.pi * 440 * t) + np.sin(2 * np.pi * 480 * t)))
    if kind == "keys":
        clicks = np.zeros(int(0.5 * RATE))
        for _ in range(4):
            at = int(rng.integers(len(clicks) - 240))
            clicks[at : at + 240] += rng.standard_normal(240) * np.exp(-np.arange(240) / 40)
        return clicks
    length = int({"cough": 0.25, "breath": 0.5}[kind] * RATE)
    noise = signal.lfilter([1.0], [1, -0.6], rng.standard_normal(length))
    shape = (
        np.exp(-np.arange(length) / length * 4) if kind == "cough" else np.hanning(length) * 0.03
    )  # 24 dB below speech
    return np.asarray(noise * shape / np.std(noise))


def mulaw(call: Call) -> Sound:
    """Pass the band of telephones and G.711."""
    band = signal.butter(4, [300, 3400], "bandpass", fs=RATE, output="sos")
    return coded(call.sound * 0 + signal.sosfiltfilt(band, call.sound, axis=0), format="WAV", subtype="ULAW")


def coded(sound: Sound, **form: Any) -> Sound:
    """Encode and decode each channel alone, its delay taken out."""
    columns = []
    for column in np.clip(sound, -1, 1).T:
        file = io.BytesIO()
        sf.write(file, column, RATE, **form)
        file.seek(0)
        back, _ = sf.read(file)
        if np.any(column) and form["format"] in ("MP3", "OGG"):
            lags = signal.correlate(back[: 20 * RATE], column[: 20 * RATE], "full", method="fft")
            back = np.roll(back, -(int(lags.argmax()) - min(len(column), 20 * RATE) + 1))
        columns.append(np.pad(back, (0, max(0, len(sound) - len(back))))[: len(sound)])
    return np.stack(columns, axis=1)


def lossy(call: Call, *, share: float) -> Sound:
    """Lose packets of 20 ms, in bursts of up to three."""
    result = call.sound.copy()
    for channel in (0, 1):
        at = 0
        while at < len(result):
            if call.rng.random() < share / 2:
                gone = int(call.rng.integers(1, 4)) * 160
                result[at : at + gone, channel] = 0
                at += gone
            at += 160
    return result


def gated(call: Call) -> Sound:
    """Mute what is 30 dB below speech, as noise gates do."""
    result = call.sound + amplitude(-55) * call.noise()
    for channel in (0, 1):
        power = signal.oaconvolve(result[:, channel] ** 2, np.full(400, 1 / 400), mode="same")
        result[power < (call.level(channel) * amplitude(-30)) ** 2, channel] = 0
    return result


def gain_control(call: Call) -> Sound:
    """Bring every stretch to the same level, noise included, as automatic gain control does."""
    result = call.sound + amplitude(-58) * call.noise()
    for channel in (0, 1):
        power = signal.lfilter([1 / 4000], [1, -1 + 1 / 4000], result[:, channel] ** 2)
        result[:, channel] *= np.minimum(0.1 / np.sqrt(power + 1e-9), 8.0)
    return np.clip(result, -1, 1)


def clipped(call: Call) -> Sound:
    """Cut the waves off at half of their loudest."""
    top = 0.35 * np.abs(call.sound).max(axis=0)
    return np.clip(call.sound, -top, top)


def one_sound(call: Call, *, gain_db: float = 0.0, noise_dbfs: float | None = None, delay_s: float = 0.0) -> Sound:
    """Store the sum of both parties as two channels: equal, scaled, delayed, or with a codec's noise."""
    mono = call.sound.sum(axis=1)
    second = amplitude(gain_db) * later(mono, delay_s)
    if noise_dbfs is not None:
        second = coded(np.stack([second, second], axis=1), format="WAV", subtype="ULAW")[:, 0]
        second = second + amplitude(noise_dbfs) * call.noise()[:, 0]
    return np.stack([mono, second], axis=1)


def whispering(call: Call) -> Sound:
    """Let the agent whisper: noise in the place of the voice, with the same spectrum."""
    result = call.sound + amplitude(-75) * call.noise()
    _, _, spectra = signal.stft(call.sound[:, call.agent], RATE, nperseg=160)
    magnitude = signal.convolve2d(np.abs(spectra), np.full((7, 1), 1 / 7), mode="same")
    phase = np.exp(2j * np.pi * call.rng.random(spectra.shape))
    _, whisper = signal.istft(magnitude * phase, RATE, nperseg=160)
    result[:, call.agent] += (
        np.pad(whisper, (0, max(0, len(result) - len(whisper))))[: len(result)] - call.sound[:, call.agent]
    )
    return result


def faint(call: Call, *, level_dbfs: float) -> Sound:
    """Turn the call down."""
    scale = amplitude(level_dbfs) / np.array([call.level(0), call.level(1)])
    return np.round(call.sound * scale * 32768) / 32768


def empty(call: Call) -> Sound:
    """Leave the caller's channel without any sound."""
    result = call.sound.copy()
    result[:, call.caller] = 0
    return result


def every_condition() -> Mapping[str, Condition]:
    """Return all conditions by name."""
    echo = {
        f"echo {ms} ms {level} dB": partial(leak, level_db=level, delay_s=ms / 1000)
        for ms, level in ((60, -25), (150, -20), (350, -20), (350, -25), (500, -22), (700, -25), (900, -22))
    }
    return {
        "clean": clean,
        "mu-law": mulaw,
        "GSM": lambda call: coded(call.sound, format="WAV", subtype="GSM610"),
        "Opus 6k": lambda call: coded(call.sound, format="OGG", subtype="OPUS", compression_level=1.0),
        "MP3": lambda call: coded(call.sound, format="MP3", subtype="MPEG_LAYER_III", compression_level=0.9),
        "packet loss 10 %": partial(lossy, share=0.1),
        "gated": gated,
        "gain control": gain_control,
        "clipped": clipped,
        "faint -60 dBFS": partial(faint, level_dbfs=-60.0),
        "DTMF": partial(bursts, kind="dtmf"),
        "ring": partial(bursts, kind="ring"),
        "keys": partial(bursts, kind="keys"),
        "coughs": partial(bursts, kind="cough"),
        "breaths": partial(bursts, kind="breath"),
        "music between": partial(music, level_dbfs=-28.0, where="between"),
        "music under": partial(music, level_dbfs=-38.0, where="under"),
        "white 20 dB": partial(noisy, snr_db=20.0, colour="white"),
        "white 10 dB": partial(noisy, snr_db=10.0, colour="white"),
        "white 5 dB": partial(noisy, snr_db=5.0, colour="white"),
        "white 0 dB": partial(noisy, snr_db=0.0, colour="white"),
        "pink 10 dB": partial(noisy, snr_db=10.0, colour="pink"),
        "pink 5 dB": partial(noisy, snr_db=5.0, colour="pink"),
        "pink 0 dB": partial(noisy, snr_db=0.0, colour="pink"),
        "car 5 dB": partial(noisy, snr_db=5.0, colour="car"),
        "babble 20 dB": partial(voice_behind, level_db=-20.0, count=6),
        "babble 10 dB": partial(voice_behind, level_db=-10.0, count=6),
        "television -25 dB": partial(voice_behind, level_db=-25.0),
        "television -15 dB": partial(voice_behind, level_db=-15.0),
        "colleague -10 dB": partial(voice_behind, level_db=-10.0, distant=False),
        **echo,
        "echo both 350 ms -20 dB": partial(leak, level_db=-20.0, delay_s=0.35, both=True),
        "leak both 30 ms -12 dB": partial(leak, level_db=-12.0, delay_s=0.03, both=True),
        "leak both 0 ms -10 dB": partial(leak, level_db=-10.0, delay_s=0.0, both=True),
        "leak 60 ms -8 dB": partial(leak, level_db=-8.0, delay_s=0.06),
        "leak 60 ms -15 dB": partial(leak, level_db=-15.0, delay_s=0.06),
        "leak both 20 ms -35 dB": partial(leak, level_db=-35.0, delay_s=0.02, both=True),
        "leak distorted -20 dB": partial(leak, level_db=-20.0, delay_s=0.08, path=loudspeaker),
        "leak distorted -12 dB": partial(leak, level_db=-12.0, delay_s=0.2, path=loudspeaker),
        "leak reverberant -18 dB": partial(reverberant_leak, level_db=-18.0, delay_s=0.06, decay_s=0.5),
        "leak reverberant -12 dB": partial(reverberant_leak, level_db=-12.0, delay_s=0.12, decay_s=0.9),
        "caller in a room": partial(caller_in_room, decay_s=0.6, direct_db=0.0),
        "caller in a hall": partial(caller_in_room, decay_s=1.2, direct_db=-3.0),
        "agent whispers": whispering,
        "one sound, equal": one_sound,
        "one sound, -3 dB and noise": partial(one_sound, gain_db=-3.0, noise_dbfs=-60.0),
        "one sound, 5 ms later": partial(one_sound, gain_db=-6.0, delay_s=0.005, noise_dbfs=-65.0),
        "caller's channel empty": empty,
    }
