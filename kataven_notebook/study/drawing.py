"""Which calls or moments to listen to: `sample`, a draw in which each had a known chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from kataven_notebook.arguments import check_count
from kataven_notebook.defaults import with_configured_names
from kataven_notebook.errors import ConfigurationError, FrameError
from kataven_notebook.frame.columns import check_prefix
from kataven_notebook.frame.options import check_choice
from kataven_notebook.frame.sessions import session_column
from kataven_notebook.notices import warn_caller
from kataven_notebook.stats.sampling import allocation as allocated
from kataven_notebook.stats.sampling import drawn, inclusion_probabilities, own_numbers
from kataven_notebook.study.units import find_groups, find_units

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    import numpy.typing as npt

    from kataven_notebook.study.units import Groups, Units

    Doubles = npt.NDArray[np.float64]

PROBABILITY = "inclusion_probability"
STRATUM = "sampling_stratum"


@with_configured_names
def sample(
    calls: pd.DataFrame,
    n: int,
    *,
    by: Hashable | Sequence[Hashable] | None = None,
    allocation: Literal["proportional", "equal"] = "proportional",
    favour: Hashable | None = None,
    seed: int = 0,
    session: str = "session_id",
    prefix: str = "",
) -> pd.DataFrame:
    """Return calls or moments to listen to, each with the chance that it had to be drawn.

    A frame with a column `moment_id`, as `moments` returns, is one of moments; any other is one of calls. Each call
    or moment is drawn at most once, however many rows name it, and stands in the result with its first row. All must
    be worth listening to: leave calls without a recording out before.

    The same seed draws the same, whatever the order of the rows and in any process. Without `favour`, a larger `n`
    with the same seed adds to what was drawn before, so that listening can go on.

    Parameters
    ----------
    calls
        The whole frame that the sample is to speak for.
    n
        How many calls or moments to draw, from 1. Where there are fewer, all are drawn, with a warning.
    by
        A column, or a list of columns, whose groups are strata: each is drawn from by itself, so that none is left
        out. Missing values are a group too.
    allocation
        "proportional" takes of each group in proportion to its size, at least two where `n` allows it; "equal" takes
        the same number of each, which compares groups best.
    favour
        A column of scores from 0 on: chances are in proportion to them (a score of NaN, or below a tenth of the mean,
        counts as a tenth of the mean, since what can't be drawn can't be spoken for). None gives equal chances.
    seed
        A whole number from 0.
    session
        The column, or the level of the index, with the session ids.
    prefix
        Stands before the names of the new columns.

    Returns
    -------
    pandas.DataFrame
        Rows of `calls` in their order, with all columns and the index, and `inclusion_probability` (float64, above 0
        to 1); with `by` also `sampling_stratum` (Int64, from 0 in the groups' sorting order). `estimate` needs both.

    Raises
    ------
    FrameError
        There is no such column, a score is negative, infinite or no number, or the frame has a column of these names
        already: a sample of a sample has chances that this function does not know.
    ConfigurationError
        `n`, `allocation` or `seed` is no such value, or there are more groups than `n`.

    Examples
    --------
    >>> calls = pd.DataFrame({"session_id": [f"c-{i}" for i in range(100)], "prompt": ["v1"] * 80 + ["v2"] * 20})
    >>> chosen = sample(calls, 20, by="prompt", allocation="equal")
    >>> chosen.groupby("prompt")["inclusion_probability"].agg(["size", "first"]).values.tolist()
    [[10.0, 0.125], [10.0, 0.5]]
    """
    check_count("n", n)
    check_count("seed", seed, least=0)
    check_choice("allocation", allocation, ("proportional", "equal"))
    check_prefix(prefix)
    units = find_units(calls, session, "calls")
    names = [prefix + PROBABILITY, *([] if by is None else [prefix + STRATUM])]
    if taken := [each for each in names if each in calls.columns]:
        raise FrameError(
            f"the frame has a column {taken[0]!r}, as a sample has: draw from the whole frame, or rename the column"
        )
    if n > len(units.ids):
        warn_caller(f"there are {units.named(len(units.ids))} with an id, fewer than n={n:,}: all are drawn")
    rows = calls.iloc[units.rows]
    groups = find_groups(rows, by, keep_missing=True)
    scores = None if favour is None else _scores(rows, favour)
    chosen, chances = _draw(units, groups, scores, n=int(n), seed=int(seed), allocation=allocation)
    # In the order of the rows: which order they are listened to in is the player's choice.
    result = rows.iloc[chosen].copy()
    result[names[0]] = chances[chosen]
    if by is not None:
        result[names[1]] = pd.array(groups.codes[chosen], dtype="Int64")
    return result


def _draw(
    units: Units,
    groups: Groups,
    scores: Doubles | None,
    *,
    n: int,
    seed: int,
    allocation: Literal["proportional", "equal"],
) -> tuple[npt.NDArray[np.intp], Doubles]:
    """Return the positions of what is drawn, and every unit's chance."""
    sizes = np.bincount(groups.codes, minlength=len(groups.keys))
    if len(units.ids) and len(sizes) > n:
        raise ConfigurationError(
            f"by= makes {len(sizes):,} groups, and n={n:,} can't take one of each: draw more, or take fewer groups"
        )
    numbers = own_numbers(units.ids, seed)
    chances, chosen = np.zeros(len(units.ids)), [np.empty(0, dtype=np.intp)]
    for group, count in enumerate(allocated(sizes, n, allocation)):
        members = np.flatnonzero(groups.codes == group)
        equal = np.ones(len(members)) if scores is None else scores[members]
        chances[members] = inclusion_probabilities(equal, int(count))
        start = float(own_numbers([f"start of {groups.text(group)}"], seed)[0])
        chosen.append(members[drawn(chances[members], numbers[members], start)])
    return np.sort(np.concatenate(chosen)), chances


def _scores(rows: pd.DataFrame, favour: Any) -> Doubles:
    column = session_column(rows, favour, option="favour")
    # Arrow's booleans are no numbers to pandas.
    if not (pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype)):
        raise FrameError(
            f"favour={favour!r} is a column of dtype {column.dtype}, not of scores; pd.to_numeric makes numbers of text"
        )
    scores: Doubles = column.to_numpy(dtype="float64", na_value=np.nan)
    wrong = np.flatnonzero((scores < 0) | np.isinf(scores))
    if len(wrong):
        raise FrameError(
            f"favour={favour!r} has the score {scores[wrong[0]]:g}, and {len(wrong):,} such in all: chances are in "
            "proportion to scores, which must be from 0 on and finite"
        )
    return scores
