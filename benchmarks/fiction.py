"""Right, missing or wrong: seven key numbers a call, in some fifty conditions, ours beside the model and the level.

    python benchmarks/fiction.py                          # the demo Hub's stereo calls
    python benchmarks/fiction.py --calls DIR ...          # DIR/call_NN.json with DIR/call_NN.clean.flac
    python benchmarks/fiction.py --calls DIR --only echo  # conditions whose names have a word

Calls in other voices are made by `made_calls.py`. The numbers are both parties' talk time, talk ratio, overlap,
interruptions by the caller, how many responses, and their median latency. Each is *right* (talk time within
10 % + 0.5 s, ratio 0.05, overlap 25 % + 1 s, interruptions 1 + 25 %, responses 1 + 15 %, latency 0.15 s + 10 %),
*withheld* (missing, with a reason), or *fiction*: wrong, and given all the same. Truth is what the same definitions
make of the true speech.

F1        of 10 ms frames, both channels, x 100
latency   absolute error of the response latency, median / 90th percentile, ms
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from conditions import RATE, Call, every_condition
from speech import DEMO_CALLS, Score, Truth

from kataven_notebook.numbers.measures import CallMeasures, measure
from kataven_notebook.numbers.rows import call_row
from kataven_notebook.sound.recording import Recording

METHODS = {"ours": "auto", "Silero": "silero", "level": "energy"}


@dataclass(frozen=True)
class Tolerance:
    """How far a number may be from the truth."""

    share: float
    absolute: float

    def holds(self, value: float, truth: float) -> bool:
        """Whether `value` is right."""
        return abs(value - truth) <= self.share * abs(truth) + self.absolute + 1e-9


KEY_NUMBERS = {
    "agent_talk_s": Tolerance(0.10, 0.5),
    "caller_talk_s": Tolerance(0.10, 0.5),
    "talk_ratio": Tolerance(0.0, 0.05),
    "overlap_s": Tolerance(0.25, 1.0),
    "interruptions_by_caller": Tolerance(0.25, 1.0),
    "response_count": Tolerance(0.15, 1.0),
    "response_latency_p50_s": Tolerance(0.10, 0.15),
}


@dataclass
class Tally:
    """What became of the key numbers in one condition, by one method."""

    verdicts: Counter[str] = field(default_factory=Counter)
    by_name: Counter[tuple[str, str]] = field(default_factory=Counter)
    score: Score = field(default_factory=Score)
    reasons: Counter[str] = field(default_factory=Counter)

    def share(self, verdict: str) -> float:
        """Per cent of the numbers."""
        return 100 * self.verdicts[verdict] / max(self.verdicts.total(), 1)


def verdicts(row: dict[str, Any], true: dict[str, Any]) -> dict[str, str]:
    """Return for each key number "right", "withheld" or "fiction"."""
    found = {}
    for name, tolerance in KEY_NUMBERS.items():
        value, truth = row[name], true[name]
        absent, unknown = _missing(value), _missing(truth)
        if absent:
            found[name] = "right" if unknown else "withheld"
        else:
            found[name] = "right" if not unknown and tolerance.holds(float(value), float(truth)) else "fiction"
    return found


def _missing(value: Any) -> bool:
    return value is None or value != value  # noqa: PLR0124 - NaN alone differs from itself


def true_row(truth: Truth, measures: CallMeasures) -> dict[str, Any]:
    """Return the row that the call's true speech gives."""
    speech = tuple(np.array(one, dtype=np.float64).reshape(-1, 2) for one in truth.speech)
    return dict(call_row(replace(measures, speech=speech, duration_s=truth.duration_s), truth.agent))


@dataclass
class Case:
    """One clean call."""

    name: str
    truth: Truth
    sound: Any


def cases(folders: list[Path] | None) -> list[Case]:
    """Return the calls with one party a channel."""
    found = []
    for folder in folders or [DEMO_CALLS]:
        for path in sorted(folder.glob("call_*.json")):
            truth = Truth.read(path)
            if truth is None:
                continue
            clean = folder / f"{path.stem}.clean.flac"
            sound = clean if clean.exists() else next(p for p in folder.glob(f"{path.stem}.*") if p.suffix != ".json")
            recording = Recording.from_file(sound).resample(RATE)
            found.append(Case(f"{folder.name}/{path.stem}", truth, recording.samples.astype(np.float64)))
    return found


def work(known: list[Case], methods: list[str], job: tuple[str, int]) -> tuple[str, int, dict[str, Any]]:
    """Measure one call in one condition by each method."""
    condition, number = job
    case = known[number]
    others = [one.sound.sum(axis=1) for one in known if one is not case] or [case.sound[::-1].sum(axis=1)]
    rng = np.random.default_rng([number, *condition.encode()])
    call = Call(case.sound, case.truth.agent, case.truth.speech, [others[i] for i in rng.permutation(len(others))], rng)
    sound = np.clip(every_condition()[condition](call), -1, 1).astype(np.float32)
    recording = Recording.from_samples(sound, RATE)
    clean = measure(Recording.from_samples(case.sound.astype(np.float32), RATE), speech="energy")
    found = {}
    for method in methods:
        measures = measure(recording, speech=METHODS[method])  # type: ignore[arg-type]  # a dict loses the literals
        truth = case.truth
        if condition == "caller's channel empty":
            truth = replace(truth, speech=[one if c == truth.agent else [] for c, one in enumerate(truth.speech)])
        row = dict(call_row(measures, truth.agent))
        found[method] = (
            verdicts(row, true_row(truth, clean)),
            [one.tolist() for one in measures.speech],
            truth,
            row["metrics_error"],
        )
    return condition, number, found


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=Path, nargs="+", help="folders of calls with truth")
    parser.add_argument("--only", nargs="+", default=[""], help="conditions with one of these in their names")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--verbose", action="store_true", help="list what is fiction, call by call, and reasons")
    options = parser.parse_args()
    known = cases(options.calls)
    names = [name for name in every_condition() if any(word in name for word in options.only)]
    jobs = [(name, number) for name in names for number in range(len(known))]
    tallies: defaultdict[tuple[str, str], Tally] = defaultdict(Tally)
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    with multiprocessing.get_context("fork").Pool() as pool:
        for condition, number, found in pool.imap(partial(work, known, options.methods), jobs, chunksize=4):
            for method, (verdict, speech, truth, why) in found.items():
                tally = tallies[condition, method]
                tally.verdicts.update(verdict.values())
                tally.by_name.update(verdict.items())
                tally.score.add(truth, [[(s, e) for s, e in one] for one in speech])
                if "withheld" in verdict.values():
                    tally.reasons[why] += 1
                wrong = [name for name, one in verdict.items() if one == "fiction"]
                if options.verbose and method == "ours" and wrong:
                    print(f"{condition}, {known[number].name}: {', '.join(wrong)}")
    report(tallies, names, options.methods, verbose=options.verbose)


def report(tallies: dict[tuple[str, str], Tally], names: list[str], methods: list[str], *, verbose: bool) -> None:
    """Print one row for each condition: F1, latency, and the three shares of each method."""
    print("| condition |" + "".join(f" {m} F1 | latency, ms | right | withheld | fiction |" for m in methods))
    print("| --- |" + " --- | --- | --- | --- | --- |" * len(methods))
    sums = {method: Tally() for method in methods}
    for name in names:
        cells = []
        for method in methods:
            tally = tallies[name, method]
            sums[method].verdicts.update(tally.verdicts)
            half, most = np.percentile(tally.score.latency_ms or [float("nan")], [50, 90])
            shares = " | ".join(f"{tally.share(v):.0f}" for v in ("right", "withheld", "fiction"))
            cells.append(
                f"{100 * tally.score.both / max(tally.score.either, 1):.1f} | {half:.0f} / {most:.0f} | {shares}"
            )
        print(f"| {name} | {' | '.join(cells)} |")
    totals = [
        f" | | {' | '.join(f'{sums[m].share(v):.1f}' for v in ('right', 'withheld', 'fiction'))}" for m in methods
    ]
    print(f"| all | {' | '.join(totals)} |")
    if verbose:
        for name in names:
            for why, count in tallies[name, "ours"].reasons.most_common(3):
                print(f"{name}: {count} x {why}")


if __name__ == "__main__":
    main()
