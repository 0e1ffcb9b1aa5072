"""How often the intervals of `kataven_notebook.study` hold the truth, and how right its plans are.

    python benchmarks/study.py coverage     # estimate(), of samples of four designs
    python benchmarks/study.py agreement    # Cohen's kappa and Krippendorff's alpha
    python benchmarks/study.py plan         # numbers of calls, from pilots of several sizes

coverage    frames of 1,000 and 200 calls, of which 2, 10, 30 or 50 % have a label; 60 or 200 of them are heard
            (`--draws` samples of each). "random" has equal chances; "strata" takes the same number of each of four
            groups, in which the label is 0.2 to 2.2 times as frequent; "favour, unlike" favours a score that has
            nothing to do with the label, "favour, alike" one that has much to do with it, "favour, zeros" one
            that is 0 for seven calls in ten and has nothing to do with it; "half heard" is random with
            half of the drawn calls not heard
agreement   listeners who are right nine times in ten, and more often, on 30, 60 and 200 calls
plan        pilots of 15, 40 and 200 calls beside what the truth would take: the middle of the numbers, the range that
            eight in ten are in, and how often the range that is stated holds the truth

The tables are Markdown.
"""

from __future__ import annotations

import argparse
import itertools
from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.stats.agreement import Resampling, cohens_kappa, krippendorffs_alpha
from kataven_notebook.stats.pilot import Pilot
from kataven_notebook.stats.power import Aim, needed
from kataven_notebook.stats.sampling import allocation, drawn, inclusion_probabilities
from kataven_notebook.stats.shares import share

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Doubles = npt.NDArray[np.float64]
    Whole = npt.NDArray[np.intp]

DESIGNS = ("random", "half heard", "strata", "favour, unlike", "favour, alike", "favour, zeros")
SIZES = ((1_000, 60), (1_000, 200), (200, 60))
SHARES = (0.02, 0.1, 0.3, 0.5)


def sampled(
    design: str, group: Whole, score: Doubles, n: int, random: np.random.Generator
) -> tuple[Whole, Doubles, Whole]:
    """Return which calls are heard, their chances and strata, as `sample` draws and `estimate` weighs them."""
    count = len(group)
    is_favoured, strata = design.startswith("favour"), group if design == "strata" else np.zeros(count, dtype=np.intp)
    sizes = np.bincount(strata)
    numbers, chances, chosen = random.random(count), np.zeros(count), []
    for at, part in enumerate(allocation(sizes, n, "equal")):
        members = np.flatnonzero(strata == at)
        chances[members] = inclusion_probabilities(score[members] if is_favoured else np.ones(len(members)), int(part))
        chosen.append(members[drawn(chances[members], numbers[members], random.random())])
    heard = np.concatenate(chosen)
    if design == "half heard":
        heard, chances = random.choice(heard, n // 2, replace=False), chances * (n // 2) / n
    return heard, chances[heard], strata[heard]


def coverage(draws: int) -> None:
    """Print how often the interval of 95 % holds the share of the frame, and how long it is."""
    print("| design | calls | heard | share | held | below the truth | above it | length |\n" + "| --- " * 8 + "|")
    random = np.random.default_rng(1)
    for design, (count, n), share_of_label in itertools.product(DESIGNS, SIZES, SHARES):
        found = []
        for _ in range(draws // 20):
            # Several frames of each kind: what one of them has is no matter.
            group, score = random.integers(0, 4, count), random.gamma(1.5, 1.0, count)
            if design == "favour, zeros":
                score *= random.random(count) < 0.3
            lean = {"strata": np.array([0.2, 0.6, 1.0, 2.2])[group], "favour, alike": score}.get(design, np.ones(count))
            has_label = (random.random(count) < share_of_label * lean / lean.mean()).astype(float)
            for _ in range(20):
                heard, chances, strata = sampled(design, group, score, n, random)
                one = share(has_label[heard], chances, strata=strata)
                found.append((one.low, one.high, has_label.mean()))
        low, high, truth = np.array(found).T
        held = ((low <= truth) & (truth <= high)).mean()
        shown = n // 2 if design == "half heard" else n
        start = f"| {design} | {count:,} | {shown} | {share_of_label:.0%} | {held:.1%} "
        print(f"{start}| {(high < truth).mean():.1%} | {(low > truth).mean():.1%} | {(high - low).mean():.3f} |")


def agreement(draws: int) -> None:
    """Print how often the intervals of coefficients hold what endless calls give."""
    print("| listeners | right | share | calls | coefficient | truth | held |\n" + "| --- " * 7 + "|")
    random = np.random.default_rng(2)
    resampling = Resampling(resamples=2_000)

    def judged(judges: int, right: float, rate: float, count: int) -> npt.NDArray[np.bool_]:
        answer: npt.NDArray[np.bool_] = random.random(count) < rate
        return answer ^ (random.random((judges, count)) > right)

    kinds = ((0.9, 0.3), (0.95, 0.1), (0.98, 0.5))
    for judges, (right, rate), count in itertools.product((2, 3), kinds, (30, 60, 200)):
        one, other = judged(2, right, rate, 2_000_000)
        said_yes = (one.mean() + other.mean()) / 2
        chance = said_yes**2 + (1 - said_yes) ** 2
        truth, held = ((one == other).mean() - chance) / (1 - chance), 0
        for _ in range(draws):
            said = judged(judges, right, rate, count).astype(int)
            if judges == 2:
                found = cohens_kappa(said[0], said[1], resampling)
            else:
                found = krippendorffs_alpha(np.stack([(said == 0).sum(0), (said == 1).sum(0)], axis=1), resampling)
            held += found.low <= truth <= found.high
        name = "Cohen's kappa" if judges == 2 else "Krippendorff's alpha"
        print(
            f"| {judges} | {right:.0%} | {rate:.0%} | {count} | {name} | {truth:.2f} | {held / draws:.1%} |",
            flush=True,
        )


def plan(draws: int) -> None:
    """Print what pilots say, beside what the textbook says of the distribution that they are drawn from."""
    random = np.random.default_rng(3)
    cases: dict[str, tuple[Callable[[int], Doubles], Aim, int]] = {
        "mean, normal": (lambda n: random.normal(1.0, 0.5, n), Aim("mean", 0.2), 99),
        "median, normal": (lambda n: random.normal(1.0, 0.5, n), Aim("median", 0.2), 154),
    }
    print("| statistic | truth | pilot | middle | eight in ten | range holds the truth |\n" + "| --- " * 6 + "|")
    for (name, (make, aim, truth)), count in itertools.product(cases.items(), (15, 40, 200)):
        rows = []
        for _ in range(draws):
            pilot = Pilot(make(count))
            found = needed(pilot, pilot, aim)
            rows.append((found.n, found.low, found.high))
        n, low, high = np.array(rows).T
        inside = ((low <= truth) & (truth <= high)).mean()
        few, many = np.nanquantile(n, [0.1, 0.9])
        print(
            f"| {name} | {truth} | {count} | {np.nanmedian(n):.0f} | {few:.0f} to {many:.0f} | {inside:.0%} |",
            flush=True,
        )


def main() -> None:
    """Run one of the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("coverage", "agreement", "plan"))
    parser.add_argument("--draws", type=int, help="data sets of each row (2,000; for agreement 500, for plans 25)")
    asked = parser.parse_args()
    usual = {"coverage": (coverage, 2_000), "agreement": (agreement, 500), "plan": (plan, 25)}
    function, draws = usual[asked.what]
    function(asked.draws or draws)


if __name__ == "__main__":
    main()
