"""How often the intervals of `compare_groups` hold the truth, and how often it finds a difference that is there.

    python benchmarks/coverage.py estimates      # one group, each row its own cluster
    python benchmarks/coverage.py differences    # two groups, and their ratio
    python benchmarks/coverage.py clusters       # rows of one session that are alike, and callers in both groups
    python benchmarks/coverage.py power          # against the textbook's tests
    python benchmarks/coverage.py speed          # how long a comparison takes

Each line is over 500 simulated data sets (`--sets`), by a seed of its own, so that it says the same again. The tables
are Markdown. Of 500 intervals of 95 %, between 93 and 97 % hold the truth in 96 of 100 lines by chance alone.
"""

from __future__ import annotations

import argparse
import sys
import time
import zlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special, stats

import kataven_notebook as kn
from kataven_notebook.stats.estimates import Estimate, difference, estimate

if TYPE_CHECKING:
    from collections.abc import Callable

Doubles = npt.NDArray[np.float64]
Random = np.random.Generator
RESAMPLES = 1_000
"""For functions; the default of 5,000 would take five times as long and change the ends by a hundredth."""


@dataclass(frozen=True)
class Kind:
    """A kind of values, and what is true of all of them."""

    name: str
    draw: Callable[[Random, int], Any]
    quantile: Callable[[float], float]
    mean: float


def _latency(random: Random, size: int) -> Doubles:
    return random.lognormal(0, 0.5, size)


def _long_tail(random: Random, size: int) -> Doubles:
    return random.lognormal(0, 0.8, size)


def _counts(random: Random, size: int) -> Any:
    return random.poisson(0.4, size)


def _clumped(random: Random, size: int) -> Any:
    """Return counts of which most are 0 and a few are many: Poisson ones of rates that differ by call."""
    return random.poisson(random.gamma(0.5, 1.6, size))


def _none(_: float) -> float:
    return float("nan")


NORMAL = Kind("normal", lambda random, size: random.normal(5, 1, size), lambda p: 5 + float(special.ndtri(p)), 5.0)
LATENCY = Kind("latency (lognormal, 0.5)", _latency, lambda p: float(np.exp(0.5 * special.ndtri(p))), np.exp(0.125))
LONG = Kind("long tail (lognormal, 0.8)", _long_tail, lambda p: float(np.exp(0.8 * special.ndtri(p))), np.exp(0.32))
COUNTS = Kind("counts, 0.4 a call", _counts, _none, 0.4)
CLUMPED = Kind("clumped counts, 0.8 a call", _clumped, _none, 0.8)
RARE = Kind("1 in 20", lambda random, size: random.random(size) < 0.05, _none, 0.05)
OFTEN = Kind("3 in 10", lambda random, size: random.random(size) < 0.3, _none, 0.3)
KINDS = {
    "median": (NORMAL, LATENCY, LONG),
    "p90": (NORMAL, LATENCY, LONG),
    "mean": (NORMAL, LATENCY, LONG, COUNTS, CLUMPED),
    "rate": (COUNTS, CLUMPED),
    "share": (RARE, OFTEN),
}


def spread(values: Doubles) -> float:
    """Return the standard deviation: a function, for the bootstrap."""
    return float(np.std(values, ddof=1))


def seeded(*names: object) -> Random:
    """Return random numbers of a line's own."""
    return np.random.default_rng(zlib.crc32(repr(names).encode()))


def truth_of(kind: Kind, statistic: Any) -> float:
    """Return what is true of all values."""
    if statistic == "median":
        return kind.quantile(0.5)
    if statistic == "p90":
        return kind.quantile(0.9)
    if callable(statistic):
        return 1.0
    # Calls last 2 minutes on average, independently of what is counted.
    return kind.mean / 2 if statistic == "rate" else kind.mean


def exposure(random: Random, size: int, counts: Any, statistic: Any) -> dict[str, Any]:
    """Return lengths of calls, for rates alone."""
    del counts
    return {"exposure_s": random.uniform(30, 210, size)} if statistic == "rate" else {}


class Line:
    """Counts how often intervals hold the truth."""

    def __init__(self, *cells: str) -> None:
        self.cells = cells
        self.held: list[bool] = []
        self.sets = 0

    def add(self, found: Estimate, truth: float) -> None:
        """Count one data set."""
        self.sets += 1
        if np.isfinite([found.low, found.high]).all():
            self.held.append(found.low <= truth <= found.high)

    def show(self) -> None:
        """Print the line of the table."""
        share = f"{100 * np.mean(self.held):.1f}" if self.held else ""
        missing = f"{100 * (1 - len(self.held) / self.sets):.1f}"
        print("| " + " | ".join((*self.cells, share, missing)) + " |", flush=True)


def head(*names: str) -> None:
    """Print the head of a table."""
    print("\n| " + " | ".join((*names, "holds the truth, %", "no interval, %")) + " |")
    print("| " + " | ".join(["---"] * (len(names) + 2)) + " |")


def with_rate(random: Random, kind: Kind, size: int, statistic: Any) -> tuple[Any, dict[str, Any]]:
    """Return values, for rates with lengths: a longer call counts more."""
    if statistic != "rate":
        return kind.draw(random, size), {}
    minutes = random.uniform(0.5, 3.5, size)
    rate = kind.mean / 2 * minutes
    if kind is CLUMPED:
        rate = rate * random.gamma(0.5, 2, size)
    return random.poisson(rate), {"exposure_s": minutes * 60}


def estimates(sets: int) -> None:
    """One group, each row its own cluster."""
    head("statistic", "values", "calls")
    cases: list[tuple[Any, tuple[Kind, ...]]] = [*KINDS.items(), (spread, (NORMAL,))]
    for statistic, kinds in cases:
        for kind in kinds:
            for size in (10, 30, 200, 1000):
                if callable(statistic) and size > 200:
                    continue
                line = Line(_name(statistic), kind.name, str(size))
                random = seeded("estimates", _name(statistic), kind.name, size)
                for _ in range(sets):
                    values, options = with_rate(random, kind, size, statistic)
                    found = estimate(values, statistic, resamples=RESAMPLES, **options)
                    line.add(found, truth_of(kind, statistic))
                line.show()


def differences(sets: int) -> None:
    """Two groups, the second with other numbers of calls."""
    head("statistic", "effect", "values", "calls")
    for statistic, kinds in KINDS.items():
        for kind in kinds:
            for sizes in ((10, 10), (30, 30), (200, 200), (20, 200)):
                for effect, factor in (("difference", 1.0), ("ratio", 1.0)):
                    line = Line(statistic, effect, kind.name, "{} and {}".format(*sizes))
                    random = seeded("differences", statistic, effect, kind.name, sizes)
                    for _ in range(sets):
                        values, options = with_rate(random, kind, sizes[0], statistic)
                        others, other = with_rate(random, kind, sizes[1], statistic)
                        options |= {f"other_{name}": each for name, each in other.items()}
                        found = difference(values, others, statistic, effect=effect, **options)
                        line.add(found, 0.0 if effect == "difference" else factor)
                    line.show()


@dataclass(frozen=True)
class Design:
    """How rows come in clusters."""

    name: str
    clusters: int
    rows: Callable[[Random, int], npt.NDArray[np.intp]]
    alike: float


def _same(count: int) -> Callable[[Random, int], npt.NDArray[np.intp]]:
    return lambda _, clusters: np.full(clusters, count)


def _unequal(random: Random, clusters: int) -> npt.NDArray[np.intp]:
    return 1 + random.geometric(0.12, clusters)


DESIGNS = (
    Design("every row five times, 40 calls", 40, _same(5), 1.0),
    Design("every row five times, 200 calls", 200, _same(5), 1.0),
    Design("20 turns a call, alike by 0.3, 40 calls", 40, _same(20), 0.3),
    Design("2 to 40 turns a call, alike by 0.3, 40 calls", 40, _unequal, 0.3),
    Design("2 to 40 turns a call, alike by 0.3, 200 calls", 200, _unequal, 0.3),
    Design("10 turns a call, alike by 0.3, 10 calls", 10, _same(10), 0.3),
    Design("10 turns a call, not alike, 30 calls", 30, _same(10), 0.0),
)


def clustered(random: Random, design: Design, shared: Doubles | None = None) -> tuple[Doubles, npt.NDArray[np.intp]]:
    """Return normal values, alike within clusters, and their clusters."""
    codes = np.repeat(np.arange(design.clusters), design.rows(random, design.clusters))
    common = random.normal(size=design.clusters) if shared is None else shared
    own = random.normal(size=len(codes))
    return np.sqrt(design.alike) * common[codes] + np.sqrt(1 - design.alike) * own, codes


MADE: dict[str, tuple[Any, Callable[[Doubles], Any], float]] = {
    "median of latencies": ("median", lambda x: np.exp(0.5 * x), 1.0),
    "p90 of latencies": ("p90", lambda x: np.exp(0.5 * x), float(np.exp(0.5 * special.ndtri(0.9)))),
    "mean of latencies": ("mean", lambda x: np.exp(0.5 * x), float(np.exp(0.125))),
    "mean of counts": ("mean", lambda x: stats.poisson.ppf(special.ndtr(x), 0.4), 0.4),
    "share, 3 in 10": ("share", lambda x: special.ndtr(x) < 0.3, 0.3),
    "share, 1 in 20": ("share", lambda x: special.ndtr(x) < 0.05, 0.05),
    "function (mean)": (np.mean, lambda x: 5 + x, 5.0),
}
"""Statistics, how their values are made of normal ones, and what is true."""


def clusters(sets: int) -> None:
    """Rows that are alike: what is told with their clusters, and what without."""
    head("statistic", "rows", "effect")
    for name, (statistic, make, truth) in MADE.items():
        for design in DESIGNS:
            _clusters_line(sets, (name, statistic, make, truth), design)


def _clusters_line(sets: int, made: tuple[str, Any, Callable[[Doubles], Any], float], design: Design) -> None:
    name, statistic, make, truth = made
    lines = [Line(name, design.name, each) for each in ("none", "none, not told of clusters", "difference")]
    shared = Line(name, design.name, "difference, same callers in both groups")
    random = seeded("clusters", name, design.name)
    fast = 200 if callable(statistic) else sets
    for _ in range(min(sets, fast)):
        common = random.normal(size=design.clusters)
        first, codes = clustered(random, design, common)
        second, others = clustered(random, design)
        third, again = clustered(random, design, common)
        lines[0].add(estimate(make(first), statistic, clusters=codes, resamples=400), truth)
        lines[1].add(estimate(make(first), statistic, resamples=400), truth)
        apart = partial(difference, make(first), clusters=codes, resamples=400)
        found = apart(make(second), statistic, other_clusters=design.clusters + others)
        lines[2].add(found, 0.0)
        if design.alike < 1:
            found = apart(make(third), statistic, other_clusters=again)
            shared.add(found, 0.0)
    for line in (*lines, *([shared] if shared.sets else [])):
        line.show()


def power(sets: int) -> None:
    """How often a difference is found at 5 %, and how often where there is none."""
    print("\n| values | calls | groups | test | found, % | found by compare_groups, % |")
    print("| --- | --- | --- | --- | --- | --- |")
    cases: tuple[tuple[str, str, Callable[[Random, int, bool], Any], Any], ...] = (
        ("0.3 and 0.6 interruptions a call", "auto", lambda r, n, b: r.poisson(0.6 if b else 0.3, n), _poisson_test),
        ("shares of 0.2 and 0.35", "auto", lambda r, n, b: r.random(n) < (0.35 if b else 0.2), _share_test),
        ("normal, apart by 0.4", "mean", lambda r, n, b: r.normal(0.4 * b, 1, n), _welch),
        ("latencies, apart by a quarter", "median", lambda r, n, b: r.lognormal(0.223 * b, 0.5, n), _rank_test),
        ("latencies, apart by a quarter", "mean", lambda r, n, b: r.lognormal(0.223 * b, 0.5, n), _welch),
    )
    for name, statistic, draw, test in cases:
        for size in (50, 200):
            for is_there in (True, False):
                random = seeded("power", name, statistic, size, is_there)
                mine = known = 0
                for _ in range(sets):
                    first, second = draw(random, size, False), draw(random, size, is_there)
                    frame = pd.DataFrame({"group": np.repeat(["a", "b"], size), "m": np.concatenate([first, second])})
                    found = kn.compare_groups(frame, by="group", metric="m", statistic=statistic).iloc[1]
                    mine += bool(found["difference_low"] > 0 or found["difference_high"] < 0)
                    known += bool(test(first, second) < 0.05)
                groups = "apart" if is_there else "the same"
                label = f"{name} ({found['statistic']})"
                shares = (f"{100 * each / sets:.1f}" for each in (known, mine))
                print("| " + " | ".join((label, str(size), groups, test.__doc__ or "", *shares)) + " |", flush=True)


def _poisson_test(a: Any, b: Any) -> float:
    """Poisson rates, exact"""  # noqa: D400 - the name in the table
    return float(stats.binomtest(int(a.sum()), int(a.sum() + b.sum())).pvalue) if (a.sum() + b.sum()) else 1.0


def _share_test(a: Any, b: Any) -> float:
    """two shares, z"""  # noqa: D400, D403 - the name in the table
    table = [[a.sum(), (~a).sum()], [b.sum(), (~b).sum()]]
    return float(stats.chi2_contingency(table, correction=False).pvalue)


def _welch(a: Any, b: Any) -> float:
    """Welch's t"""  # noqa: D400 - the name in the table
    return float(stats.ttest_ind(a, b, equal_var=False).pvalue)


def _rank_test(a: Any, b: Any) -> float:
    """Mood's median test"""  # noqa: D400 - the name in the table
    return float(stats.median_test(a, b, correction=False).pvalue)


def speed(_: int) -> None:
    """How long a comparison takes, the best of five."""
    print("\n| rows | clusters | statistic | groups | ms |\n| --- | --- | --- | --- | --- |")
    random = np.random.default_rng(0)
    for rows, each in ((20_000, 1), (100_000, 1), (100_000, 5)):
        frame = pd.DataFrame(
            {
                "session_id": [f"call-{n // each}" for n in range(rows)],
                "prompt": random.choice(["v1", "v2"], rows),
                "latency_s": random.lognormal(0, 0.5, rows),
                "interruptions": random.poisson(0.4, rows),
                "booked": random.random(rows) < 0.3,
                "group": np.arange(rows) % 10_000,
            }
        )
        for metric, statistic in (("latency_s", "median"), ("latency_s", "p90"), ("latency_s", "mean"),
                                  ("interruptions", "mean"), ("booked", "share")):  # fmt: skip
            _timed(frame, "prompt", metric, statistic, each)
        _timed(frame, "group", "latency_s", "median", each)


def _timed(frame: pd.DataFrame, by: str, metric: str, statistic: str, each: int) -> None:
    took = []
    for _ in range(5 if by == "prompt" else 1):
        started = time.perf_counter()
        kn.compare_groups(frame, by=by, metric=metric, statistic=statistic)
        took.append(time.perf_counter() - started)
    groups = frame[by].nunique()
    print(
        f"| {len(frame):,} | {len(frame) // each:,} | {statistic} | {groups:,} | {1000 * min(took):.1f} |", flush=True
    )


def _name(statistic: Any) -> str:
    return statistic if isinstance(statistic, str) else f"function ({statistic.__name__})"


def main() -> None:
    """Run what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("estimates", "differences", "clusters", "power", "speed"))
    parser.add_argument("--sets", type=int, default=500)
    given = parser.parse_args()
    started = time.perf_counter()
    {"estimates": estimates, "differences": differences, "clusters": clusters, "power": power, "speed": speed}[
        given.what
    ](given.sets)
    print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
