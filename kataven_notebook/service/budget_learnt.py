"""What refusals teach: how long to wait, and which limits are other than those believed.

After a refusal requests go one at a time until the service grants one. What it refused and granted
meanwhile shows which limit it was. A limit that was learnt is kept, and a little more is tried at
growing intervals, so that neither a disturbance nor an old limit slows the account down for long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kataven_notebook.clock import clock_text
from kataven_notebook.service.budget_window import (
    A_WINDOW,
    CLOCK_STEP_S,
    IN_FLIGHT,
    UNLIMITED,
    Permit,
    Refusal,
    Wait,
    Window,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kataven_notebook.settings import Limits

# All of these are parts of a minute's window, so that scaled limits scale them too.
# The first pause where the service names none; each further refusal in a row doubles it, up to the longest.
_FIRST_PAUSE = 1 / 120
_LONGEST_PAUSE = 5.0
# A service that granted nothing for so long, and refused so often in a row, is given up.
_HOPELESS = 10.0
_HOPELESS_REFUSALS = 4
# When more than a learnt number in flight is tried first: one that the service stated, and one that was counted.
_IN_FLIGHT_STATED = 1.0
_IN_FLIGHT_COUNTED = 1 / 30
# The same for windows, in lengths of the window itself.
_WINDOW_STATED = 4.0
_WINDOW_COUNTED = 1.0
# Below this part of a window's limit, more is tried at once.
_TOO_LITTLE = 0.25
# The intervals between tries double up to so many lengths of the window (in flight: of the minute).
_LONGEST_GAP = 16.0


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that is known of an account: a value, since when, and until when it is not to be questioned."""

    value: float
    noted_at: float
    until: float


@dataclass(frozen=True, slots=True)
class Finding:
    """What one refusal shows.

    Parameters
    ----------
    others_granted
        Whether the service granted another request since the refusal before this one.
    reason
        Which limit it was, as far as the evidence says.
    until
        When the next request is allowed, in seconds since the epoch.
    """

    others_granted: bool
    reason: str
    until: float


class Learnt:
    """What is known of one account's limits beside the settings.

    Parameters
    ----------
    notes
        As they were kept.
    limits
        What the settings say.
    """

    def __init__(self, notes: Mapping[str, Note], limits: Limits) -> None:
        self.notes = dict(notes)
        self.changed: set[str] = set()
        self._limits = limits
        self._unit_s = limits.minute_s

    def set_back(self, now: float) -> None:
        """Let what was noted in the future hold its length from now: the clock was set back."""
        for name, note in list(self.notes.items()):
            if note.noted_at > now + CLOCK_STEP_S:
                self._note(name, note.value, now, now + (note.until - note.noted_at))

    def pause(self, now: float) -> Wait | None:
        """Return the pause that is in force, if there is one."""
        note = self.notes.get("pause")
        if note is None or note.until <= now:
            return None
        refused = self.notes.get("refused")
        if refused is None or refused.value <= 1:
            return Wait("the service asked for a pause", note.until)
        # Where the service says that a window is used up, that window may well last longer.
        named_until = max((each.until for name, each in self.notes.items() if name.startswith("named:")), default=now)
        is_given_up = (
            refused.value >= _HOPELESS_REFUSALS
            and now - refused.noted_at >= _HOPELESS * self._unit_s
            and now >= named_until
        )
        reason = f"the service has refused every request since {clock_text(refused.noted_at, now=now)} (429)"
        return Wait(reason, note.until, given_up_at=refused.until if is_given_up else None)

    def crowded(self, in_flight: int, now: float) -> Wait | None:
        """Return why no request may be added to those in flight, or None."""
        if in_flight and self._in_a_row():
            return Wait("after a refusal, requests go one at a time", None)
        limit = self._limits.in_flight
        note = self.notes.get(_limit(IN_FLIGHT))
        if note is not None:
            most = max(1, int(note.value)) + (note.until <= now)
            limit = most if limit is None else min(most, limit)
        return Wait(f"{in_flight} requests are under way", None) if limit is not None and in_flight >= limit else None

    def apply(self, windows: Iterable[Window], now: float) -> None:
        """Lower the limits of windows to what was learnt, or mark from where on to be careful."""
        for window in windows:
            note = self.notes.get(_limit(window.name))
            if note is None:
                continue
            most = max(1, min(window.limit, int(note.value)))
            if note.until > now:
                window.limit = most
            else:
                window.careful_from = most

    def refuse(self, refusal: Refusal, permit: Permit, now: float, *, in_flight: int, windows: list[Window]) -> Finding:
        """Take a 429: write the pause, and what may have caused it.

        Parameters
        ----------
        refusal, permit, now
            What the answer says, the request's permit, and the time.
        in_flight
            How many other requests are under way.
        windows
            As they are; they are not changed.
        """
        seen = {window.name: window.used - 1 for window in windows}
        seen[IN_FLIGHT] = max(permit.in_flight - 1, in_flight)
        before = self.notes.get("refused")
        # A request that was sent before the last refusal was known is of the same burst.
        if before is None or permit.sent_at > before.until:
            since = before.noted_at if before is not None and before.value else now
            self._note("refused", self._in_a_row() + 1, since, now)
            self._suspect(refusal.limit, seen, now)
        elif before.value:
            self._count_down()
        ends = {each.name: end for each in windows if (end := each.ends_at(in_flight=0)) is not None and each.granted}
        if refusal.limit in seen and self._in_a_row():
            self._note(f"named:{refusal.limit}", refusal.stated_limit or 0, now, ends.get(refusal.limit, now))
            if f"suspect:{refusal.limit}" not in self.notes:
                self._note(f"suspect:{refusal.limit}", seen[refusal.limit], now, now)
        known = [name for name in ends if name == refusal.limit or self._is_tried(name, seen[name], now)]
        until = self._pause(refusal.retry_after_s, now, ends, known)
        return Finding(self._in_a_row() <= 1, self._reason(refusal, seen), until)

    def grant(self, permit: Permit, now: float, windows: list[Window]) -> None:
        """Take an answer that is no 429: it ends the refusals, and shows what they were about."""
        refused = self.notes.get("refused")
        if refused is not None and refused.value and permit.sent_at > refused.until:
            self._judge(refused, now, windows)
            self._note("refused", 0, refused.noted_at, refused.until)
        note = self.notes.get(_limit(IN_FLIGHT))
        if note is not None and note.until <= now and permit.in_flight > note.value:
            # More than believed: go on trying more.
            self._note(_limit(IN_FLIGHT), permit.in_flight, now - _IN_FLIGHT_COUNTED * self._unit_s, now)
            if self._limits.in_flight is not None and permit.in_flight >= self._limits.in_flight:
                self._forget(_limit(IN_FLIGHT))
        for window in windows:
            note = self.notes.get(_limit(window.name))
            if note is not None and note.until <= now and window.granted >= window.limit:
                self._forget(_limit(window.name))

    def _suspect(self, named: str | None, seen: Mapping[str, int], now: float) -> None:
        """Note what was granted of each limit that may have caused the first refusal of a series."""
        if self._in_a_row() > 1:
            return
        for name, count in seen.items():
            # A request that was alone was not one too many.
            if name == named or (named is None and (name != IN_FLIGHT or count)):
                self._note(f"suspect:{name}", count, now, now)

    def _count_down(self) -> None:
        """Take a further refusal of a burst from what the burst was granted."""
        for name in [name for name in self.notes if name.startswith("suspect:")]:
            note = self.notes[name]
            self._note(name, note.value - 1, note.noted_at, note.until)

    def _judge(self, refused: Note, now: float, windows: list[Window]) -> None:
        """Decide which limit a series of refusals was about, now that a request was granted."""
        suspects = {name: note for name, note in self.notes.items() if name.startswith("suspect:")}
        named = {name: note for name, note in self.notes.items() if name.startswith("named:")}
        for name in (*suspects, *named):
            self._forget(name)
        guilty = [name.removeprefix("named:") for name in named]
        if not named:
            # Granted in the same windows: it was the number at once. If a window has ended since, it may have been
            # either; to take the number for lower than it is costs seconds, and not to, another burst of refusals.
            turned = [window for window in windows if window.began_at > refused.noted_at]
            guilty = [IN_FLIGHT, *(window.name for window in sorted(turned, key=lambda each: each.length_s)[-1:])]
        for name in guilty:
            suspect = suspects.get(f"suspect:{name}")
            if suspect is not None:
                stated = named[f"named:{name}"].value if named else 0
                self._learn(name, suspect.value, stated or None, now)

    def _learn(self, name: str, seen: float, stated: float | None, now: float) -> None:
        """Keep a limit that is lower than the settings say, for longer where trying more was refused before."""
        is_stated = stated is not None and stated <= seen
        value = max(1.0, min(seen, stated or seen))
        limits = {window: (limit, length_s) for window, limit, length_s in self._limits.windows}
        limit, length_s = limits.get(name, (self._limits.in_flight, self._unit_s))
        if limit is not None and value >= limit:
            self._forget(_limit(name))
            return
        if name == IN_FLIGHT:
            gap_s = length_s * (_IN_FLIGHT_STATED if is_stated else _IN_FLIGHT_COUNTED)
        else:
            gap_s = length_s * (_WINDOW_STATED if is_stated else _WINDOW_COUNTED)
        old = self.notes.get(_limit(name))
        if old is not None and old.until <= now and value <= old.value:
            gap_s = max(gap_s, min(2 * (old.until - old.noted_at), length_s * _LONGEST_GAP))
        # Too little to live on is never taken for granted: from there on the service is asked with care.
        is_little = name != IN_FLIGHT and not is_stated and (limit is None or value < limit * _TOO_LITTLE)
        until = now if is_little else now + gap_s
        self._note(_limit(name), value, until - gap_s, until)

    def _pause(self, retry_after_s: float, now: float, ends: Mapping[str, float], known: list[str]) -> float:
        """Write the pause that holds for everybody, and return its end.

        `ends` says when windows are over in which requests were granted, and `known` names those that
        are used up as far as the service or an earlier refusal says.
        """
        doublings = min(max(self._in_a_row() - 1, 0), 20)
        pause_s = min(_FIRST_PAUSE * 2**doublings, _LONGEST_PAUSE) * self._unit_s
        if not retry_after_s and not doublings:
            # The service need not say when a window ends: it was counted here. But not for hours on its word alone.
            left_s = [ends[name] - now for name in known if ends[name] - now <= _LONGEST_PAUSE * self._unit_s]
            pause_s = max([pause_s, *left_s])
        # A pause of our own need not be longer than to a window's end.
        soonest = min([now + pause_s, *(end for end in ends.values() if end > now)])
        until: float = max(now + retry_after_s, soonest)
        note = self.notes.get("pause")
        if note is not None:
            until = max(until, note.until)
        self._note("pause", 0, now, until)
        return until

    def _is_tried(self, window: str, used: int, now: float) -> bool:
        """Return whether a request was one more than a window is known to allow."""
        note = self.notes.get(_limit(window))
        return note is not None and note.until <= now and used >= note.value

    def _reason(self, refusal: Refusal, seen: Mapping[str, int]) -> str:
        name, stated = refusal.limit, refusal.stated_limit
        if name is None or name not in seen:
            return "it does not say which limit is used up"
        count = seen[name]
        limit = {window: limit for window, limit, _ in self._limits.windows}.get(name, self._limits.in_flight)
        most = min((each for each in (stated, limit) if each is not None), default=UNLIMITED)
        at_once = name == IN_FLIGHT
        if count < most:
            mine = f"{count} of this machine's were under way" if at_once else f"{count} requests of this machine"
            whose = "another program uses the account" if stated else "it grants less, or another program uses it"
            return (
                f"{mine}, and it granted no more at once: {whose}"
                if at_once
                else (f"its limit per {name} was used up after {mine}: {whose}")
            )
        if stated is not None and (limit is None or stated < limit):
            return f"it grants {stated:,} requests {'at once' if at_once else A_WINDOW[name]}"
        return f"its limit {'of requests at once' if at_once else f'per {name}'} is used up"

    def _in_a_row(self) -> int:
        note = self.notes.get("refused")
        return 0 if note is None else max(0, int(note.value))

    def _note(self, name: str, value: float, noted_at: float, until: float) -> None:
        self.notes[name] = Note(value, noted_at, until)
        self.changed.add(name)

    def _forget(self, name: str) -> None:
        if self.notes.pop(name, None) is not None:
            self.changed.add(name)


def _limit(name: str) -> str:
    return f"limit:{name}"
