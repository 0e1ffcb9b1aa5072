"""How often the inferred channel of the agent is right, against the confidence that is stated for it.

    python benchmarks/roles.py                      # the voices that are held back
    python benchmarks/roles.py --voices tuning      # those that the likelihoods were chosen on

Makes short calls (`made_calls`; needs espeak-ng and flite), measures each once, and draws frames of 1, 3, 10 and 30
of them: inbound, outbound, both; channels in one order, in ten to one, in equal shares; one agent's voice or two. An
agent has one voice, level and line in all of its calls. What a frame's lines are like:

separate    a caller's voice, level, room and handset are drawn per call, G.711; the agent's side has no noise
comfort     the same, with constant comfort noise on the agent's side
ambience    the same, with office noise on the agent's side, louder than most callers' rooms
one line    both sides through the same noisy G.711 line: stillness says nothing
gated       callers have their pauses silenced to digital zero as well; the agent has no noise
reversed    callers have their pauses silenced, and the agent has comfort noise
regulars    as `separate`, with three callers who call again and again
tester      as `separate`, with one caller in all calls

Every kind of frame is drawn equally often. Two cores that others used as well took nine minutes, nearly all of them to
make and measure 1,440 calls. The tables are Markdown: the share of calls whose likelier channel is the
agent's, per bin of stated confidence, and per kind how many calls have a channel, and how many of these are right.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from made_calls import RATE, Voice, make_call
from scipy import signal

from kataven_notebook.numbers.measures import CallMeasures, measure
from kataven_notebook.numbers.roles import MIN_CONFIDENCE, infer_agent_channels
from kataven_notebook.sound.recording import Recording

Sound = npt.NDArray[np.float64]
Pool: TypeAlias = dict[tuple[int, str, bool], list[CallMeasures]]

LINES = ("separate", "comfort", "ambience", "one line", "gated", "reversed", "regulars", "tester")
SIZES = (1, 3, 10, 30)
DIRECTIONS = ("inbound", "outbound", "both")
ORDERS = {"one order": 0.0, "ten to one": 0.1, "equal": 0.5}  # how many calls have their channels turned
BINS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0001)
POOL = 30
AGENTS = {
    "tuning": (
        Voice("flite", "slt", "en"),
        Voice("espeak-ng", "en+m3", "en", 170, 45),
        Voice("espeak-ng", "de+f2", "de", 160, 55),
    ),
    "held back": (
        Voice("flite", "rms", "en"),
        Voice("espeak-ng", "es+f4", "es", 165, 60),
        Voice("espeak-ng", "fr+m7", "fr", 155, 40),
    ),
}
SEEDS = {"tuning": 11, "held back": 12}
VARIANTS = [f"{sex}{number}" for sex, count in (("f", 5), ("m", 8)) for number in range(1, count + 1)]


@dataclasses.dataclass(frozen=True)
class Party:
    """What is constant about one side of a call."""

    voice: Voice
    level_dbfs: float
    floor_dbfs: float
    band_hz: tuple[float, float] | None = None
    tilt: float = 0.0


def draw_caller(rng: np.random.Generator, agent: Voice) -> Party:
    """Return a caller of the agent's language in another voice, with a room and a handset."""
    while True:
        name = f"{agent.language}+{rng.choice(VARIANTS)}"
        voice = Voice("espeak-ng", name, agent.language, int(rng.integers(130, 200)), int(rng.integers(20, 80)))
        if agent.language == "en" and rng.random() < 0.4:
            voice = Voice("flite", str(rng.choice(["awb", "kal16", "slt", "rms"])), "en")
        if voice.name != agent.name:
            break
    band_hz = (float(rng.uniform(120, 400)), float(rng.uniform(2_900, 3_700)))
    return Party(voice, float(rng.normal(-25, 4)), float(rng.uniform(-72, -42)), band_hz, float(rng.uniform(-0.4, 0.4)))


def mulaw(sound: Sound) -> Sound:
    """Return what G.711 leaves of the sound: 8 bits on a logarithmic scale."""
    mu = 255.0
    packed = np.sign(sound) * np.log1p(mu * np.minimum(np.abs(sound), 1)) / np.log1p(mu)
    steps = np.round(packed * 127) / 127
    return np.asarray(np.sign(steps) * np.expm1(np.abs(steps) * np.log1p(mu)) / mu)


def noise(rng: np.random.Generator, frames: int, level_dbfs: float, tilt: float = 0.0) -> Sound:
    """Return noise whose spectrum leans to one side."""
    white = rng.standard_normal(frames)
    leant = signal.lfilter([1.0], [1.0, -0.5 - tilt], white)
    return np.asarray(leant * 10 ** (level_dbfs / 20) / leant.std())


def handset(sound: Sound, party: Party) -> Sound:
    """Pass the sound through a band and a tilt."""
    if party.band_hz is None:
        return sound
    sections = signal.butter(2, party.band_hz, "bandpass", fs=RATE, output="sos")
    return np.asarray(signal.lfilter([1.0, party.tilt], [1.0], signal.sosfilt(sections, sound)))


def gated(sound: Sound, spoken: Sound, hangover_s: float) -> Sound:
    """Set what lies this far from speech to digital zero, as silence suppression does."""
    near = np.convolve(np.abs(spoken) > 1e-3, np.ones(2 * round(hangover_s * RATE)), "same") > 0.5
    return np.where(near, sound, 0.0)


def transmitted(clean: Sound, line: str, caller: Party, rng: np.random.Generator) -> Sound:
    """Return a (frames, 2) call, caller and agent, as the line brings it."""
    heard, spoken = clean[:, 0], clean[:, 1]
    heard = handset(heard, caller)
    heard = heard + noise(rng, len(heard), caller.floor_dbfs, caller.tilt)
    if line in ("gated", "reversed"):
        heard = gated(heard, clean[:, 0], float(rng.uniform(0.15, 0.45)))
    if line in ("comfort", "reversed"):
        spoken = spoken + noise(rng, len(spoken), -63.0)
    if line == "ambience":
        spoken = spoken + noise(rng, len(spoken), -45.0, 0.3)
    if line == "one line":
        both = [mulaw(one + noise(rng, len(one), -44.0)) for one in (heard, spoken)]
        return np.column_stack(both)
    return np.column_stack([mulaw(heard), spoken])


def measured_call(which: str, agent_number: int, line: str, *, outbound: bool, number: int) -> CallMeasures:
    """Return the measures of one call: the caller on channel 0, the agent on channel 1."""
    voice = AGENTS[which][agent_number]
    fixed = np.random.default_rng([SEEDS[which], agent_number])
    agent_dbfs = float(fixed.normal(-22, 2))
    rng = np.random.default_rng([SEEDS[which], agent_number, LINES.index(line), int(outbound), number])
    known = {"regulars": 3, "tester": 1}.get(line)
    if known is None:
        caller = draw_caller(rng, voice)
    else:
        again = np.random.default_rng([SEEDS[which], agent_number, 99, int(rng.integers(known))])
        caller = draw_caller(again, voice)
        caller = dataclasses.replace(caller, level_dbfs=caller.level_dbfs + float(rng.normal(0, 1.5)))
    levels = (caller.level_dbfs, agent_dbfs)
    clean, _ = make_call(rng, voices=(voice, caller.voice), exchanges=2, outbound=outbound, level_dbfs=levels)
    sound = transmitted(clean.astype(np.float64), line, caller, rng)
    return measure(Recording.from_samples(sound.astype(np.float32), RATE))


def _job(job: tuple[str, int, str, bool, int]) -> CallMeasures:
    which, agent, line, outbound, number = job
    return measured_call(which, agent, line, outbound=outbound, number=number)


def make_pool(which: str, workers: int) -> Pool:
    """Return the measured calls per agent, line and direction."""
    kinds = list(itertools.product(range(len(AGENTS[which])), LINES, (False, True)))
    jobs = [(which, *kind, number) for kind in kinds for number in range(POOL)]
    with ProcessPoolExecutor(workers) as pool:
        found = list(pool.map(_job, jobs, chunksize=POOL))
    return {kind: found[index * POOL : (index + 1) * POOL] for index, kind in enumerate(kinds)}


def turned(call: CallMeasures) -> CallMeasures:
    """Return the call with its channels in the other order."""
    return dataclasses.replace(call, speech=call.speech[::-1], quality=call.quality[::-1], voices=call.voices[::-1])


@dataclasses.dataclass(frozen=True)
class Kind:
    """What a frame is like."""

    line: str
    size: int
    direction: str
    order: str
    agents: int


def draw_frame(pool: Pool, kind: Kind, rng: np.random.Generator) -> tuple[list[CallMeasures], list[int]]:
    """Return the calls of a frame, none of them twice, and the agent's channel in each."""
    voices = rng.permutation(sorted({agent for agent, _, _ in pool}))[: kind.agents]
    which = {"inbound": (False,), "outbound": (True,), "both": (False, True)}[kind.direction]
    source = [call for agent, outbound in itertools.product(voices, which) for call in pool[agent, kind.line, outbound]]
    chosen = rng.permutation(len(source))[: kind.size]
    rare = rng.random(len(chosen)) < ORDERS[kind.order]
    agent = np.where(rare, 0, 1) if rng.random() < 0.5 else np.where(rare, 1, 0)
    calls = [source[index] if channel else turned(source[index]) for index, channel in zip(chosen, agent, strict=True)]
    return calls, agent.tolist()


@dataclasses.dataclass
class Score:
    """What was said of calls, and whether it is so."""

    confidence: list[float] = dataclasses.field(default_factory=list)
    right: list[bool] = dataclasses.field(default_factory=list)
    named: list[bool] = dataclasses.field(default_factory=list)
    weight: list[float] = dataclasses.field(default_factory=list)

    def add(self, frame: list[CallMeasures], truth: list[int]) -> None:
        """Infer one frame; its calls together weigh as much as those of any other."""
        # Below the default as well, so that what would have been named is known.
        for found, agent in zip(infer_agent_channels(frame, min_confidence=0.5), truth, strict=True):
            self.confidence.append(found.confidence)
            self.right.append(found.channel == agent)
            self.named.append(found.confidence >= MIN_CONFIDENCE)
            self.weight.append(1 / len(frame))

    def extend(self, other: Score) -> None:
        """Take in what another one has."""
        for name in ("confidence", "right", "named", "weight"):
            getattr(self, name).extend(getattr(other, name))

    def bins(self) -> list[tuple[float, float]]:
        """Return per bin of confidence the share of calls, and the share of right ones among them."""
        confidence, right, weight = np.array(self.confidence), np.array(self.right), np.array(self.weight)
        rows = []
        for low, high in itertools.pairwise(BINS):
            among = (confidence >= low) & (confidence < high)
            share = weight[among].sum()
            rows.append((share / weight.sum(), (weight[among] * right[among]).sum() / share if share else float("nan")))
        return rows

    def decided(self) -> tuple[float, float]:
        """Return the share of calls whose channel is named, and the share of right ones among them."""
        named, right, weight = np.array(self.named), np.array(self.right), np.array(self.weight)
        share = weight[named].sum()
        return share / weight.sum(), (weight[named] * right[named]).sum() / share if share else float("nan")


def score_frames(pool: Pool, repeats: int, seed: int) -> dict[Kind, Score]:
    """Draw frames of every kind, and infer each."""
    rng = np.random.default_rng(seed)
    scores = {}
    for values in itertools.product(LINES, SIZES, DIRECTIONS, ORDERS, (1, 2)):
        kind = Kind(*values)
        score = scores[kind] = Score()
        # Small frames differ more.
        for _ in range(repeats * (3 if kind.size < 10 else 1)):
            score.add(*draw_frame(pool, kind, rng))
    return scores


def report(scores: dict[Kind, Score]) -> None:
    """Print the tables."""
    print("\n| stated confidence | " + " | ".join(f"{n} call{'s' * (n > 1)}" for n in SIZES) + " | all |")
    print("| --- |" + " --- |" * (len(SIZES) + 1))
    tables = [_joined(scores, size=size).bins() for size in SIZES] + [_joined(scores).bins()]
    for row, (low, high) in enumerate(itertools.pairwise(BINS)):
        cells = [
            f"{100 * right:.0f} % right of {100 * share:.0f} %" if share else ""
            for share, right in (table[row] for table in tables)
        ]
        print(f"| {low:.2f} to {min(high, 1):.2f} | " + " | ".join(cells) + " |")
    print("\n| frames | " + " | ".join(f"{n} named, right" for n in SIZES) + " |")
    print("| --- |" + " --- |" * len(SIZES))
    rows: list[tuple[str, dict[str, Any]]] = [(line, {"line": line}) for line in LINES]
    rows += [(direction, {"direction": direction}) for direction in DIRECTIONS]
    rows += [(order, {"order": order}) for order in ORDERS]
    rows += [
        (f"{agents} agent's voice" if agents == 1 else "2 agents' voices", {"agents": agents}) for agents in (1, 2)
    ]
    for name, where in rows:
        cells = []
        for size in SIZES:
            named, right = _joined(scores, size=size, **where).decided()
            cells.append(f"{100 * named:.0f} %, {100 * right:.1f} %" if named else "0 %")
        print(f"| {name} | " + " | ".join(cells) + " |")


def _joined(scores: dict[Kind, Score], **where: Any) -> Score:
    joined = Score()
    for kind, score in scores.items():
        if all(getattr(kind, name) == value for name, value in where.items()):
            joined.extend(score)
    return joined


def main() -> None:
    """Make the calls, draw the frames, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voices", choices=sorted(AGENTS), default="held back")
    parser.add_argument("--repeats", type=int, default=6, help="frames of each kind")
    parser.add_argument("--workers", type=int, default=2, help="processes that make calls")
    options = parser.parse_args()
    started = time.perf_counter()
    pool = make_pool(options.voices, options.workers)
    print(f"{sum(map(len, pool.values()))} calls made and measured in {time.perf_counter() - started:.0f} s")
    scores = score_frames(pool, options.repeats, SEEDS[options.voices])
    print(f"{options.repeats} to {3 * options.repeats} frames of each of {len(scores)} kinds")
    report(scores)


if __name__ == "__main__":
    main()
