"""How one party responds to the other: response latencies, and starts before the other has finished.

*Response latency* and *floor-transfer offset* are two quantities. The latency is measured on responses alone, which
begin in silence, and is never negative; the offset is measured on every change of the floor. What voice-agent tools
report as latency is the first. The offset is the one of research on conversation; where many turns begin in overlap,
its median is far lower.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from kataven_notebook.numbers.conversation import MAX_PAUSE_S, MIN_BARGE_IN_S
from kataven_notebook.numbers.turn_taking import check_seconds
from kataven_notebook.speech.intervals import Intervals, join, tidy

if TYPE_CHECKING:
    import numpy.typing as npt

MAX_HESITATION_S = 1.5
"""A caller who pauses for less, while the agent begins, may not have finished. A later start of the agent is a
slow response, whatever follows."""
MAX_CUT_IN_S = 0.7
"""Who goes on so soon after the other's start does not answer it: that takes 0.2 s, and a few words to answer."""


def response_latencies(before: npt.ArrayLike, after: npt.ArrayLike, *, max_pause_s: float = MAX_PAUSE_S) -> Intervals:
    """Return the responses of one party to the other: `(n, 2)`, when each starts and its latency, seconds.

    A response is a turn of `after` (pauses under `max_pause_s` don't end it) that begins once the last
    speech of `before` since the previous turn of `after` has ended. Its latency is the time between the
    two and never negative: turns that begin in overlap are no responses (`conversation.floor_transfer_offsets`
    has them). A turn that nobody spoke before, or that continues one's own after silence, is none either, and
    neither is a premature cut-in (`premature_cut_ins`): the other had not finished.

    Parameters
    ----------
    before, after
        Speech of the party that is answered and of the one that answers, `(n, 2)`, seconds.
    max_pause_s
        Pauses of less are inside a turn; 1.0 by default, as hesitations rarely last longer.

    Raises
    ------
    ValueError
        An array that is not `(n, 2)`, or a time that is negative or no number.

    Examples
    --------
    The caller speaks until 3 s, with a breath at 2 s; the agent begins at 3.5 s: one response, after 0.5 s. At 5 s
    the caller is still speaking when the agent begins: no response.

    >>> response_latencies([(0, 2), (2.25, 3), (4.5, 5.5)], [(3.5, 4), (5.25, 7)]).tolist()
    [[3.5, 0.5]]
    """
    starts = _starts_in_silence(before, after, max_pause_s)
    return _as_rows([(start, latency) for start, latency, cuts_in in starts if not cuts_in])


def premature_cut_ins(before: npt.ArrayLike, after: npt.ArrayLike, *, max_pause_s: float = MAX_PAUSE_S) -> Intervals:
    """Return where `after` begins in a pause of `before`, who goes on: `(n, 2)`, start and time since the last word.

    What would be a response (`response_latencies`) is a premature cut-in where the other party goes on
    within `MAX_CUT_IN_S` of its start, while it still speaks, after a pause of under `MAX_HESITATION_S`.
    A quick "mm-hm" (under `MIN_BARGE_IN_S`) is no going on. The error is that of endpointing: the end of
    the caller's turn is declared too early (the cut-ins of Raux & Eskenazi 2008, "Optimizing endpointing
    thresholds using dialogue features in a spoken dialogue system").

    Parameters
    ----------
    before, after, max_pause_s
        As for `response_latencies`.

    Raises
    ------
    ValueError
        As for `response_latencies`.

    Examples
    --------
    The caller pauses from 2 to 3 s and goes on. The agent, who begins at 2.6 s, cuts in:

    >>> premature_cut_ins([(0, 2), (3, 5)], [(2.6, 3.5)]).round(2).tolist()
    [[2.6, 0.6]]

    It doesn't where the caller only says "mm-hm", or barges in 1.4 s later:

    >>> len(premature_cut_ins([(0, 2), (3, 3.3)], [(2.6, 6)])), len(premature_cut_ins([(0, 2), (4, 5)], [(2.6, 6)]))
    (0, 0)
    """
    starts = _starts_in_silence(before, after, max_pause_s)
    return _as_rows([(start, latency) for start, latency, cuts_in in starts if cuts_in])


def _starts_in_silence(
    before: npt.ArrayLike, after: npt.ArrayLike, max_pause_s: float
) -> list[tuple[float, float, bool]]:
    """Return start, time since the other's last word, and whether the other had not finished."""
    check_seconds("max_pause_s", max_pause_s)
    asked, turns = tidy(before), join(tidy(after), max_pause_s)
    # The other's turns play no part: who answered must not depend on who was thought to interrupt.
    found = []
    previous_end = 0.0
    for start, end in turns.tolist():
        # 50 ms and 200 ms: what a detector may be wrong about who started or stopped first.
        spoken = asked[(asked[:, 0] < start - 0.05) & (asked[:, 1] > previous_end - 0.2)]
        if len(spoken) and spoken[-1, 1] <= start:
            said_until = float(spoken[-1, 1])
            more = join(asked[asked[:, 0] >= start], max_pause_s / 2)
            cuts_in = len(more) > 0 and _goes_on(more[0], start, end, said_until)
            found.append((start, start - said_until, cuts_in))
        previous_end = end
    return found


def _goes_on(more: npt.NDArray[np.float64], start_s: float, end_s: float, said_until_s: float) -> bool:
    again, until = more
    soon = again < end_s and again - start_s < MAX_CUT_IN_S and again - said_until_s < MAX_HESITATION_S
    return bool(soon and until - again >= MIN_BARGE_IN_S)


def _as_rows(pairs: list[tuple[float, float]]) -> Intervals:
    return np.array(pairs, dtype=np.float64).reshape(-1, 2)
