"""How many barge-ins, backchannels, answers and cut-ins the conversation's definitions tell apart.

    python benchmarks/conversation.py                 # drawn calls: speech times alone, without sound
    python benchmarks/conversation.py --calls DIR     # DIR/call_NN.json, as `made_calls.py` writes them

The first command draws exchanges whose truth is known, far enough apart not to touch each other, and prints how many
of each kind are counted as what, with the median of what is measured on those counted. The agent's turns pause as
synthetic speech does, 0.2 to 0.6 s between sentences. Yields are log-normal, from 0.2 to 3 s. When the agent has
stopped, half of the callers go on with the rest of the sentence after 0.3 s (median, log-normal); else the agent
replies after 0.6 to 1.6 s.

The second compares counts with the kinds that the calls were made with, from their true speech times.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kataven_notebook.numbers.conversation import find_turns, interruptions
from kataven_notebook.numbers.responses import response_latencies

if TYPE_CHECKING:
    from collections.abc import Callable

    from kataven_notebook.numbers.conversation import Interruption, Turn

APART_S = 20.0
AGENT, CALLER = 0, 1


@dataclass
class Drawn:
    """Speech of both parties as it is drawn, and where the utterances in question begin."""

    rng: np.random.Generator
    speech: tuple[list[tuple[float, float]], list[tuple[float, float]]] = field(default_factory=lambda: ([], []))
    starts: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    now_s: float = 1.0

    def say(self, channel: int, start_s: float, end_s: float) -> None:
        """Add speech without a pause."""
        self.speech[channel].append((start_s, end_s))
        self.now_s = max(self.now_s, end_s)

    def sentences(self, start_s: float, end_s: float) -> None:
        """Add speech of the agent with a pause of 0.2 to 0.6 s every 1.5 to 3.5 s."""
        while end_s - start_s > 4.0:
            until_s = start_s + float(self.rng.uniform(1.5, 3.5))
            self.say(AGENT, start_s, until_s)
            start_s = until_s + float(self.rng.uniform(0.2, 0.6))
        self.say(AGENT, start_s, end_s)

    def ask(self, start_s: float, value: float) -> None:
        """Note an utterance in question, and what is true of it."""
        self.starts.append(start_s)
        self.values.append(value)
        self.now_s += APART_S


def barge_ins(rng: np.random.Generator, count: int, *, word_s: tuple[float, float], yield_s: float) -> Drawn:
    """Draw callers who say one word of `word_s` while the agent speaks, which stops after `yield_s` (median)."""
    drawn = Drawn(rng)
    for _ in range(count):
        start_s, barge_s = drawn.now_s, drawn.now_s + float(rng.uniform(1.5, 8.0))
        length_s = float(rng.uniform(*word_s))
        stops_s = float(np.clip(rng.lognormal(np.log(yield_s), 0.5), 0.2, 2.99))
        drawn.sentences(start_s, barge_s + 0.1)
        # The agent is in the middle of a sentence when the caller begins.
        drawn.say(AGENT, barge_s, barge_s + stops_s)
        drawn.say(CALLER, barge_s, barge_s + length_s)
        over_s = barge_s + max(stops_s, length_s)
        if rng.random() < 0.5:
            rest_s = over_s + float(np.clip(rng.lognormal(np.log(0.3), 0.5), 0.05, 1.0))
            drawn.say(CALLER, rest_s, rest_s + float(rng.uniform(1.0, 3.0)))
            over_s = drawn.now_s
        reply_s = over_s + float(rng.uniform(0.6, 1.6))
        drawn.say(AGENT, reply_s, reply_s + 3.0)
        drawn.ask(barge_s, stops_s)
    return drawn


def pieces(rng: np.random.Generator, count: int) -> Drawn:
    """Draw callers who say "no, stop, wait a moment", with pauses of 0.2 to 0.4 s, until the agent stops."""
    drawn = Drawn(rng)
    for _ in range(count):
        barge_s = drawn.now_s + float(rng.uniform(1.5, 5.0))
        stops_s = float(np.clip(rng.lognormal(np.log(1.2), 0.5), 0.2, 2.99))
        drawn.say(AGENT, drawn.now_s, barge_s + stops_s)
        at_s = barge_s
        for length_s in rng.uniform([0.2, 0.3, 0.7], [0.4, 0.5, 1.1]):
            drawn.say(CALLER, at_s, at_s + float(length_s))
            at_s += float(length_s) + float(rng.uniform(0.2, 0.4))
        reply_s = drawn.now_s + float(rng.uniform(0.6, 1.6))
        drawn.say(AGENT, reply_s, reply_s + 3.0)
        drawn.ask(barge_s, stops_s)
    return drawn


def backchannels(rng: np.random.Generator, count: int, *, word_s: tuple[float, float]) -> Drawn:
    """Draw "mm-hm" anywhere in turns of 4 to 14 s, which the caller answers when they are over."""
    drawn = Drawn(rng)
    for _ in range(count):
        start_s, turn_s = drawn.now_s, float(rng.uniform(4.0, 14.0))
        length_s = float(rng.uniform(*word_s))
        said_s = start_s + float(rng.uniform(1.0, turn_s - length_s - 0.4))
        drawn.sentences(start_s, start_s + turn_s)
        drawn.say(CALLER, said_s, said_s + length_s)
        answer_s = start_s + turn_s + float(np.clip(rng.lognormal(-0.5, 0.6), 0.15, 3.0))
        drawn.say(CALLER, answer_s, answer_s + float(rng.uniform(1.0, 3.0)))
        drawn.ask(said_s, np.nan)
    return drawn


def answers(rng: np.random.Generator, count: int) -> Drawn:
    """Draw "yes" after 0.2 s (median), after which the agent goes on within a second."""
    drawn = Drawn(rng)
    for _ in range(count):
        asked_s = drawn.now_s + float(rng.uniform(2.0, 4.0))
        drawn.say(AGENT, drawn.now_s, asked_s)
        answer_s = float(np.clip(rng.lognormal(np.log(0.2), 0.5), 0.05, 0.8))
        said_s, over_s = asked_s + answer_s, asked_s + answer_s + float(rng.uniform(0.25, 0.6))
        drawn.say(CALLER, said_s, over_s)
        next_s = over_s + float(rng.uniform(0.05, 0.8))
        drawn.say(AGENT, next_s, next_s + 3.0)
        drawn.ask(said_s, answer_s)
    return drawn


def cut_ins(rng: np.random.Generator, count: int) -> Drawn:
    """Draw agents that begin 0.6 s into a caller's pause of 0.7 to 1.2 s, and stop when the caller goes on."""
    drawn = Drawn(rng)
    for _ in range(count):
        pause_s = drawn.now_s + float(rng.uniform(1.5, 3.0))
        drawn.say(CALLER, drawn.now_s, pause_s)
        on_s = pause_s + float(rng.uniform(0.7, 1.2))
        drawn.say(CALLER, on_s, on_s + float(rng.uniform(1.0, 3.0)))
        drawn.say(AGENT, pause_s + 0.6, on_s + float(rng.uniform(0.3, 1.0)))
        drawn.ask(pause_s + 0.6, 0.6)
    return drawn


def counted(
    drawn: Drawn, found: list[float], values: list[float], *, tolerance_s: float = 0.05
) -> tuple[int, list[float]]:
    """Return how many of the utterances in question are among `found`, and their values."""
    at = np.array(found)
    hits = [int(np.abs(at - start_s).argmin()) for start_s in drawn.starts if len(at)]
    right = [i for start_s, i in zip(drawn.starts, hits, strict=False) if abs(at[i] - start_s) < tolerance_s]
    return len(right), [values[i] for i in right]


def of_interruptions(drawn: Drawn) -> str:
    """Return how many utterances are interruptions, and the median time to yield beside the true one."""
    found: list[Interruption] = [one for one in interruptions(find_turns(*drawn.speech)) if one.channel == CALLER]
    count, _ = counted(drawn, [one.start_s for one in found], [0.0] * len(found))
    yielded = [one for one in found if one.yielded_by == AGENT]
    with_yield, values = counted(drawn, [one.start_s for one in yielded], [one.time_to_yield_s for one in yielded])
    turns = [turn.start_s for turn in find_turns(*drawn.speech) if turn.channel == CALLER and turn.kind == "turn"]
    others, _ = counted(drawn, turns, [0.0] * len(turns))
    return f"{count} of {len(drawn.starts)} | {others} | {with_yield} | {_median(values)} | {_median(drawn.values)}"


def of_turns(drawn: Drawn) -> str:
    """Return how many utterances are turns, and the median gap before them beside the true one."""
    found: list[Turn] = [turn for turn in find_turns(*drawn.speech) if turn.channel == CALLER]
    turns = [turn for turn in found if turn.kind != "backchannel"]
    count, values = counted(drawn, [turn.start_s for turn in turns], [turn.gap_before_s for turn in turns])
    return f"{count} of {len(drawn.starts)} | {_median(values)} | {_median(drawn.values)}"


def of_responses(drawn: Drawn) -> str:
    """Return how many of the agent's starts are responses, and their median latency."""
    found = response_latencies(drawn.speech[CALLER], drawn.speech[AGENT]).tolist()
    count, values = counted(drawn, [start for start, _ in found], [latency for _, latency in found])
    return f"{count} of {len(drawn.starts)} | {_median(values)}"


def _median(values: list[float]) -> str:
    return "-" if np.isnan(values).all() else f"{np.nanmedian(values):.2f}"


def simulate(count: int, seed: int) -> None:
    """Print the tables of drawn exchanges."""
    words: dict[str, Callable[[np.random.Generator], Drawn]] = {
        f'barge-in, "stop" of 0.5 s, yield {median_s} s': partial(
            barge_ins, count=count, word_s=(0.5, 0.5), yield_s=median_s
        )
        for median_s in (0.4, 0.8, 1.2, 2.0)
    }
    words |= {
        "barge-in, 0.45 to 0.8 s": lambda rng: barge_ins(rng, count, word_s=(0.45, 0.8), yield_s=1.2),
        "barge-in, 0.8 to 2.5 s": lambda rng: barge_ins(rng, count, word_s=(0.8, 2.5), yield_s=1.2),
        "barge-in, 0.3 to 0.45 s": lambda rng: barge_ins(rng, count, word_s=(0.3, 0.45), yield_s=1.2),
        'barge-in, "no, stop, wait a moment"': lambda rng: pieces(rng, count),
        "backchannel, 0.2 to 0.45 s": lambda rng: backchannels(rng, count, word_s=(0.2, 0.45)),
        "backchannel, 0.45 to 0.8 s": lambda rng: backchannels(rng, count, word_s=(0.45, 0.8)),
    }
    print("| said while the agent speaks | interruptions | other turns | yielded to | median, s | true, s |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, draw in words.items():
        print(f"| {name} | {of_interruptions(draw(np.random.default_rng(seed)))} |")
    print("\n| after the agent's question | turns | median gap, s | true |\n| --- | --- | --- | --- |")
    print(f'| a fast "yes" | {of_turns(answers(np.random.default_rng(seed), count))} |')
    print("\n| the agent begins in the caller's pause | responses | median latency, s |\n| --- | --- | --- |")
    print(f"| and the caller goes on | {of_responses(cut_ins(np.random.default_rng(seed), count))} |")


def compare(folder: Path) -> None:
    """Print how counts from true speech times compare with the kinds that calls were made with."""
    labelled = counts = apart = responses = 0
    kinds = {"interruption": [0, 0], "backchannel": [0, 0]}
    paths = sorted(folder.glob("call_*.json"))
    for path in paths:
        truth: dict[str, Any] = json.loads(path.read_text())
        if sorted(truth["channels"]) != ["agent", "caller"]:
            continue
        speech = {
            role: [tuple(s) for turn in truth["turns"] if turn["role"] == role for s in turn["segments"]]
            for role in ("agent", "caller")
        }
        found = [one for one in interruptions(find_turns(speech["agent"], speech["caller"])) if one.channel == CALLER]
        responses += len(response_latencies(speech["caller"], speech["agent"]))
        theirs = [turn for turn in truth["turns"] if turn["role"] == "caller"]
        wanted = sum(turn["kind"] == "interruption" for turn in theirs)
        labelled, counts, apart = labelled + wanted, counts + len(found), apart + abs(wanted - len(found))
        for turn in theirs:
            if turn["kind"] in kinds:
                kinds[turn["kind"]][0] += any(abs(one.start_s - turn["segments"][0][0]) < 0.05 for one in found)
                kinds[turn["kind"]][1] += 1
    print(f"{len(paths)} calls: {counts} interruptions by the caller, {labelled} labelled; differences {apart}")
    for kind, (hits, of) in kinds.items():
        print(f"labelled {kind}: {hits} of {of} counted as interruptions")
    print(f"responses of the agent: {responses}")


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=Path)
    parser.add_argument("--count", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.calls:
        compare(options.calls)
    else:
        simulate(options.count, options.seed)


if __name__ == "__main__":
    main()
