"""How much of what is said of one-channel calls is right, withheld, or fiction.

    python benchmarks/mono.py                      # made calls: cohort sizes, then conditions
    python benchmarks/mono.py --seeds 200 201 202  # other voices and calls than those the thresholds were chosen on
    python benchmarks/mono.py --calls DIR ...      # DIR/call_NN.json with DIR/call_NN.clean.flac, a cohort a folder

Calls with a party on each channel and known truth are mixed to one channel; `metrics(..., mono="estimate")` is held
against the truth of the two. Made calls (`made_calls.py`; `espeak-ng` and `flite` have to be installed) have one agent
voice a cohort, callers of other voices and languages, each with a telephone line of its own.

found     calls of those with two parties in which the agent is named, and rightly (its voice is mostly the agent's)
error     diarization error of those calls: time missed, invented or given to the wrong party, over time of speech
r/w/f     calls in which a number is right, withheld, or fiction: further from the truth than talk ratio 0.10, talk
          time 15 % + 1 s (and 10 % + 0.5 s, not promised), responses 15 % + 1, median latency 10 % + 0.15 s
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from made_calls import FLITE, RATE, SENTENCES, Voice, make_call
from scipy import signal
from speech import FRAME_S, Segments, Truth, active_rms, frames, hold_music, merge, mulaw, pink, responses

from kataven_notebook.numbers.measures import CallMeasures, measure
from kataven_notebook.numbers.mono import Parties, estimate_parties
from kataven_notebook.numbers.rows import call_row
from kataven_notebook.sound.recording import Recording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Sound = npt.NDArray[np.float64]

CALLER, AGENT = 0, 1
VARIANTS = [f"{sex}{n}" for sex, count in (("f", 5), ("m", 7)) for n in range(1, count + 1)]
AGENTS = (
    Voice("flite", "slt", "en"),
    Voice("espeak-ng", "en+f2", "en", 165, 50),
    Voice("flite", "awb", "en"),
    Voice("espeak-ng", "de+m1", "de", 160, 50),
    Voice("flite", "rms", "en"),
    Voice("espeak-ng", "es+f4", "es", 160, 60),
)
OTHER_AGENTS = (
    Voice("espeak-ng", "en+m7", "en", 170, 55),
    Voice("espeak-ng", "fr+f5", "fr", 155, 45),
    Voice("flite", "kal16", "en"),
    Voice("espeak-ng", "pl+m4", "pl", 160, 60),
    Voice("espeak-ng", "en+f3", "en", 175, 40),
    Voice("espeak-ng", "cmn+f1", "cmn", 150, 50),
)
SIZES = (1, 5, 14, 30)
CONDITIONS = (
    "clean",
    "mulaw",
    "noise 20 dB",
    "noise 10 dB",
    "hold music",
    "hold music -10 dB",
    "one sex",
    "alike",
    "moods",
    "one voice",
    "third voice",
    "two agents",
)  # fmt: skip - a row of the table each
NUMBERS = ("agent talk", "caller talk", "agent talk 10 %", "caller talk 10 %", "ratio", "responses", "latency")


@dataclass(frozen=True)
class Moody:
    """A voice that speaks each sentence with another pitch, pace and level."""

    voice: Voice
    program: str = "moody"

    @property
    def language(self) -> str:
        """The voice's."""
        return self.voice.language

    @property
    def name(self) -> str:
        """The voice's."""
        return self.voice.name

    def says(self, text: str) -> Sound:
        """Return a text at 8 kHz."""
        rng = np.random.default_rng([self.voice.pitch, *text.encode()])
        pitch = int(np.clip(self.voice.pitch + rng.integers(-12, 13), 0, 99))
        said = replace(self.voice, words_per_minute=int(rng.integers(130, 200)), pitch=pitch).says(text)
        result: Sound = said * 10 ** (rng.uniform(-4, 4) / 20)
        return result


@dataclass(frozen=True)
class Two:
    """Two people at one telephone, who speak by turns."""

    voices: tuple[Any, Any]
    program: str = "two"
    name: str = "two"

    @property
    def language(self) -> str:
        """That of the first."""
        return str(self.voices[0].language)

    def says(self, text: str) -> Sound:
        """Return a text at 8 kHz."""
        said: Sound = self.voices[len(text) % 2].says(text)
        return said


@dataclass
class Call:
    """One channel, and who really speaks."""

    recording: Recording
    speech: list[Segments]
    duration_s: float
    measures: CallMeasures = field(init=False)

    def __post_init__(self) -> None:
        self.measures = measure(self.recording, mono="estimate")


def draw_caller(rng: np.random.Generator, agent: Voice, condition: str) -> Any:
    """Return another voice than the agent's, as the condition wants it."""
    if condition == "alike":
        return replace(agent, pitch=agent.pitch + int(rng.integers(-6, 7)))
    while True:
        language = str(rng.choice([*SENTENCES])) if rng.random() < 0.5 else "en"
        voice = Voice(
            "espeak-ng",
            f"{language}+{rng.choice(VARIANTS)}",
            language,
            int(rng.integers(140, 190)),
            int(rng.integers(30, 70)),
        )
        if rng.random() < 0.25:
            voice = Voice("flite", str(rng.choice(FLITE)), "en")
        same_sex = is_female(voice) == is_female(agent)
        if voice.name != agent.name and (same_sex or condition != "one sex"):
            break
    if condition == "third voice":
        other = f"{voice.language}+{rng.choice([each for each in VARIANTS if not voice.name.endswith(each)])}"
        return Two((voice, Voice("espeak-ng", other, voice.language, 165, int(rng.integers(30, 70)))))
    return Moody(voice) if condition == "moods" and voice.program == "espeak-ng" else voice


def is_female(voice: Voice) -> bool:
    """Say whether a voice is a woman's."""
    return voice.name == "slt" or "+f" in voice.name


def line(sound: Sound, rng: np.random.Generator) -> Sound:
    """Send the caller through a telephone line of its own: band, tilt and noise, at the same level."""
    band = signal.butter(2, [rng.uniform(100, 350), rng.uniform(3_000, 3_800)], "bandpass", fs=RATE, output="sos")
    sent = signal.lfilter([1, rng.uniform(-0.3, 0.3)], [1], signal.sosfilt(band, sound))
    level = float(np.sqrt(np.mean(sound**2) / max(float(np.mean(sent**2)), 1e-12)))
    result: Sound = sent * level + rng.normal(0, 10 ** (rng.uniform(-75, -50) / 20), len(sent))
    return result


def made_call(rng: np.random.Generator, agents: list[Voice], condition: str) -> Call:
    """Return one call of a cohort."""
    agent = agents[int(rng.integers(len(agents)))]
    caller = draw_caller(rng, agent, condition)
    levels = (float(rng.uniform(-30, -20)), float(rng.uniform(-24, -21)))
    exchanges, outbound = int(rng.integers(3, 10)), bool(rng.random() < 0.3)
    made, truth = make_call(
        rng, voices=(agent, caller), exchanges=exchanges, outbound=outbound, level_dbfs=levels
    )  # fmt: skip - one call
    clean = made.astype(float)
    parts = [[(s[0], s[1]) for t in truth["turns"] if t["channel"] == c for s in t["segments"]] for c in (0, 1)]
    speech = [merge(one, 0.25) for one in parts]
    if condition == "one voice" and rng.random() < 0.5:
        gone = int(rng.random() < 0.4)
        clean[:, gone], speech[gone] = 0, []
    clean[:, CALLER] = line(clean[:, CALLER], rng)
    mixed = spoilt(clean, Truth(truth["duration_s"], AGENT, speech), condition, rng).mean(axis=1)
    mixed += rng.normal(0, 1e-4, len(mixed))
    return Call(Recording.from_samples(np.clip(mixed, -1, 1), RATE), speech, truth["duration_s"])


def spoilt(clean: Sound, truth: Truth, condition: str, rng: np.random.Generator) -> Sound:
    """Put both channels through the condition."""
    if condition == "mulaw":
        band = signal.butter(4, [300, 3400], "bandpass", fs=RATE, output="sos")
        return np.asarray(mulaw(signal.sosfiltfilt(band, clean, axis=0)), np.float64)
    if condition.startswith("noise"):
        level_db = -float(condition.split()[1])
        return clean + pink(rng.standard_normal(clean.shape)) * active_rms(clean) * 10 ** (level_db / 20)
    if condition.startswith("hold music"):
        return clean + hold_music(len(clean), truth, rng) * (10**-0.5 if condition.endswith("dB") else 1)
    return clean


def made_cohort(seed: int, size: int, condition: str) -> list[Call]:
    """Return the calls of one agent, or of two."""
    pool = AGENTS if seed < 100 else OTHER_AGENTS
    number = seed + CONDITIONS.index(condition)
    agents = [pool[number % len(pool)]]
    if condition == "two agents":
        agents.append(pool[(number + 2) % len(pool)])
    return [made_call(np.random.default_rng([seed, number, index]), agents, condition) for index in range(size)]


def folder_cohort(folder: Path) -> list[Call]:
    """Return the calls of a folder, mixed to one channel."""
    found = []
    for path in sorted(folder.glob("call_*.json")):
        truth = Truth.read(path)
        if truth is None:
            continue
        speech = truth.speech if json.loads(path.read_text())["channels"][AGENT] == "agent" else truth.speech[::-1]
        mixed = Recording.from_file(path.with_suffix(".clean.flac")).mono()
        found.append(Call(mixed, speech, truth.duration_s))
    return found


@dataclass
class Score:
    """Counts over calls; `row` makes them a line of the table."""

    calls: int = 0
    named: int = 0
    found: int = 0
    errors: list[float] = field(default_factory=list)
    judged: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, cohort: list[Call]) -> None:
        """Judge the calls of one cohort."""
        for call, parties in zip(cohort, estimate_parties([one.measures for one in cohort]), strict=True):
            self._count(call, parties or Parties.unknown("nothing was measured"))

    def _count(self, call: Call, parties: Parties) -> None:
        row = call_row(call.measures, None, parties)
        truth = numbers_of(*(call.speech[side] for side in (AGENT, CALLER)))
        said = dict(zip(NUMBERS, (row[name] for name in _COLUMNS), strict=True))
        for name, tolerance in TOLERANCES.items():
            self.judged[name, verdict(said[name], truth[name], tolerance)] += 1
        if parties.reason is not None:
            self.reasons[parties.reason] += 1
        if not all(call.speech):
            return
        self.calls += 1
        if parties.reason is None:
            error, confused = diarization_error(call, parties)
            self.named += 1
            self.found += confused < 0.5
            self.errors.append(error)

    def row(self) -> str:
        """Return the cells."""
        found = f"{self.found} of {self.named} ({self.calls})"
        error = f"{100 * np.mean(self.errors):.1f}" if self.errors else ""
        cells = ["/".join(str(self.judged[name, kind]) for kind in "rwf") for name in NUMBERS]
        return " | ".join([found, error, *cells])


_COLUMNS = (
    "agent_talk_s",
    "caller_talk_s",
    "agent_talk_s",
    "caller_talk_s",
    "talk_ratio",
    "response_count",
    "response_latency_p50_s",
)  # fmt: skip - as `NUMBERS`
TOLERANCES: dict[str, Callable[[float], float]] = {
    "agent talk": lambda truth: 0.15 * truth + 1,
    "caller talk": lambda truth: 0.15 * truth + 1,
    "agent talk 10 %": lambda truth: 0.10 * truth + 0.5,
    "caller talk 10 %": lambda truth: 0.10 * truth + 0.5,
    "ratio": lambda _: 0.10,
    "responses": lambda truth: 0.15 * truth + 1,
    "latency": lambda truth: 0.10 * truth + 0.15,
}


def numbers_of(agent: Segments, caller: Segments) -> dict[str, float]:
    """Return the true numbers."""
    talk = [sum(end - start for start, end in one) for one in (agent, caller)]
    latencies = [latency for _, latency in responses(caller, agent)]
    middle = float(np.median(latencies)) if latencies else float("nan")
    ratio = talk[0] / sum(talk) if sum(talk) else float("nan")
    return dict(zip(NUMBERS, [*talk, *talk, ratio, len(latencies), middle], strict=True))


def verdict(said: Any, truth: float, tolerance: Callable[[float], float]) -> str:
    """Return "r", "w" or "f"."""
    if said is None or said != said:  # noqa: PLR0124 - NaN differs from itself
        return "w"
    return "r" if abs(said - truth) <= tolerance(truth) else "f"


def diarization_error(call: Call, parties: Parties) -> tuple[float, float]:
    """Return time missed, invented or confused, and that confused alone, over the time of speech."""
    count = int(call.duration_s / FRAME_S) + 100
    true = [frames(call.speech[side], count) for side in (AGENT, CALLER)]
    said = [frames([(s, e) for s, e in one], count) for one in (parties.agent, parties.caller)]
    spoken, heard = true[0].astype(int) + true[1], said[0].astype(int) + said[1]
    right = (true[0] & said[0]).astype(int) + (true[1] & said[1])
    both = float(spoken.sum())
    return (np.maximum(spoken, heard) - right).sum() / both, (np.minimum(spoken, heard) - right).sum() / both


def tables(rows: Iterator[tuple[str, Iterator[list[Call]]]], *, head: str) -> None:
    """Print a row for each name and its cohorts, the sum, and why numbers were withheld."""
    print(f"| {head} | agent found of named (calls) | error, % | {' | '.join(f'{name}, r/w/f' for name in NUMBERS)} |")
    print("|" + " --- |" * (len(NUMBERS) + 3))
    total = Score()
    for name, cohorts in rows:
        score = Score()
        for cohort in cohorts:
            score.add(cohort)
            total.add(cohort)
        print(f"| {name} | {score.row()} |", flush=True)
    print(f"| all | {total.row()} |\n")
    for reason, count in total.reasons.most_common():
        print(f"withheld {count}: {reason}")
    print()


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="one cohort a row each")
    parser.add_argument("--conditions", nargs="+", choices=CONDITIONS, help="these alone, and no cohort sizes")
    parser.add_argument("--calls", type=Path, nargs="+", help="folders of calls with truth")
    options = parser.parse_args()
    if options.calls:
        tables(((str(folder), iter([folder_cohort(folder)])) for folder in options.calls), head="folder")
        return

    def by_size() -> Iterator[tuple[str, Iterator[list[Call]]]]:
        for size in SIZES:
            yield f"{size}", (made_cohort(seed, size, "clean") for seed in options.seeds)

    def by_condition() -> Iterator[tuple[str, Iterator[list[Call]]]]:
        for condition in options.conditions or CONDITIONS:
            yield condition, (made_cohort(seed, 14, condition) for seed in options.seeds)

    if not options.conditions:
        tables(by_size(), head="calls a cohort")
    tables(by_condition(), head="condition, 14 calls")


if __name__ == "__main__":
    main()
