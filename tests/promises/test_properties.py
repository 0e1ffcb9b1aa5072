"""The whole chain against a model of the service: whatever the mix, every row ends as the model says.

Hypothesis makes sessions, faults, interruptions and restarts; a real demo Hub with windows of
fractions of a second answers. The model knows for each session how it must end and how many API
requests that costs.
"""

from __future__ import annotations

import itertools
import re
import shutil
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import kataven_notebook as kn
from kataven_notebook import demo
from kataven_notebook.service import budget as budget_module

pytestmark = pytest.mark.core

LIMITS = kn.Limits(per_minute=12, per_hour=60, per_day=None, in_flight=4, minute_s=0.12, hour_s=0.7)
SETTLED = ("downloaded", "missing", "corrupt")
SOUND = kn.Recording.from_samples([0.0, 0.1, -0.1, 0.2] * 400, 8_000).encoded()


@dataclass(frozen=True)
class Kind:
    """A kind of session: how the service treats it, how its row ends, and what that costs in API requests."""

    status: str
    requests: int
    state: str = "ready"
    data: bytes = SOUND
    fault: str | None = None
    times: int | None = None


KINDS = {
    "good": Kind("downloaded", 1),
    "gone": Kind("missing", 1, "missing"),
    "pending": Kind("pending", 1, "pending"),
    "html": Kind("corrupt", 1, data=b"<html>no sound</html>"),
    "cut": Kind("corrupt", 1, data=SOUND[:500]),
    "denied": Kind("failed", 1, fault="storage:denied"),
    "object gone": Kind("failed", 1, fault="storage:missing"),
    "dead url": Kind("expired", 2, fault="storage:expired"),
    "down": Kind("failed", 4, fault="api:server_error"),
    "no json": Kind("failed", 1, fault="api:not_json"),
    "stumbles": Kind("downloaded", 2, fault="api:bad_gateway", times=1),
    "unconnected": Kind("downloaded", 3, fault="api:reset_before", times=2),
    "breaks off": Kind("downloaded", 1, fault="storage:reset_middle", times=1),
    "slow down": Kind("downloaded", 1, fault="storage:slow_down", times=2),
    "expires once": Kind("downloaded", 2, fault="storage:expired", times=1),
    "never sent": Kind("invalid", 0),
}


def threads_have_ended() -> None:
    """Wait until a run that was left has let go of everything; the test's time-out ends it otherwise."""
    pause = threading.Event()
    while any(re.fullmatch(r"kataven-\d+", each.name) for each in threading.enumerate()):
        pause.wait(0.005)


class Service(RuleBasedStateMachine):
    """Sessions come, runs are made, left in the middle and made again by a new kernel."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="kataven-model-"))
        self.hub = demo.hub(sessions={}, limits=LIMITS)
        self.kinds: dict[str, Kind] = {}
        # What a run has settled, or may have: after an interruption the model knows less, never more.
        self.settled: dict[str, str] = {}
        self.touched: set[str] = set()
        self.number = itertools.count()
        self.store = kn.Store(self.folder / "calls")

    def teardown(self) -> None:
        """Close all, and remove the folder."""
        threads_have_ended()
        self.store.close()
        self.hub.close()
        shutil.rmtree(self.folder)

    @initialize(kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=3, max_size=8))
    def begin(self, kinds: list[str]) -> None:
        """Some sessions are there from the start."""
        self.add(kinds)

    @rule(kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=5))
    def add(self, kinds: list[str]) -> None:
        """New sessions."""
        for name in kinds:
            kind = KINDS[name]
            session_id = f"{'../' if name == 'never sent' else ''}{name} {next(self.number)}"
            self.kinds[session_id] = kind
            if kind.status != "invalid":
                self.hub.add(session_id, kind.data if kind.state == "ready" else b"", state=kind.state)
            if kind.fault is not None:
                self.hub.faults.add(session_id, kind.fault, times=kind.times)

    def frame(self) -> pd.DataFrame:
        """All sessions, some of them twice."""
        ids = list(self.kinds)
        return pd.DataFrame({"session_id": ids + ids[:2]})

    @rule(refresh=st.booleans())
    def run(self, refresh: bool) -> None:  # noqa: FBT001 - Hypothesis gives it by name
        """A run to its end: statuses and requests are exactly what the model says."""
        self.hub.requests.clear()
        got = kn.audio(self.frame(), store=self.store, settings=self.hub.settings, refresh=refresh, progress=False)
        for session_id, status, error, recording in got[
            ["session_id", "recording_status", "recording_error", "audio"]
        ].itertuples(index=False):
            expected = self.kinds[session_id].status
            assert status == expected, (session_id, status, error)
            assert pd.isna(error) == (status == "downloaded")
            assert (recording is not None) == (status == "downloaded")
        for session_id, kind in self.kinds.items():
            asked = self.hub.requests.count("api", session_id)
            if session_id in self.settled and not refresh:
                assert asked == 0, session_id
            elif session_id not in self.touched:
                assert asked == kind.requests, (session_id, asked)
            else:
                # Faults that come a few times only may be used up by an earlier run.
                assert asked <= max(kind.requests, 1), (session_id, asked)
            self.touched.add(session_id)
            if kind.status in SETTLED:
                self.settled[session_id] = kind.status

    @precondition(lambda self: any(kind.status == "downloaded" for kind in self.kinds.values()))
    @rule(after=st.integers(1, 4))
    def leave_in_the_middle(self, after: int) -> None:
        """A run that somebody leaves: what it has handed over is in the store for good."""
        running = kn.iter_recordings(self.frame(), store=self.store, settings=self.hub.settings)
        taken = [session_id for session_id, _ in itertools.islice(running, after)]
        running.close()
        threads_have_ended()
        self.touched |= set(self.kinds)
        kept = self.store.load()
        for session_id in taken:
            assert kept[session_id].file is not None
        self.settled |= {session_id: entry.status for session_id, entry in kept.items() if entry.is_settled}

    @rule()
    def restart(self) -> None:
        """A new kernel: nothing is known but what the store and the table of the budget hold."""
        self.store.close()
        for key in [each for each in budget_module._budgets if each[1] == self.hub.settings.state_path]:
            budget_module._budgets.pop(key).close()
        self.store = kn.Store(self.folder / "calls")

    @precondition(lambda self: any(kind.status == "pending" for kind in self.kinds.values()))
    @rule()
    def upload(self) -> None:
        """What was pending is there now."""
        for session_id, kind in self.kinds.items():
            if kind.status == "pending":
                self.hub.add(session_id, SOUND)
                self.kinds[session_id] = KINDS["good"]

    @invariant()
    def no_limit_was_passed(self) -> None:
        """The service refused nothing, and never saw more at once than it allows."""
        assert self.hub.requests.refused == 0
        assert self.hub.requests.most_in_flight("api") <= LIMITS.in_flight

    @invariant()
    def nothing_finished_is_lost(self) -> None:
        """All that was ever settled is in the store, and its sound is the service's."""
        kept = self.store.load()
        for session_id, status in self.settled.items():
            assert kept[session_id].status == status
            if status == "downloaded":
                assert self.store.recording(kept[session_id]).encoded() == SOUND


TestTheWholeChain = Service.TestCase
TestTheWholeChain.settings = settings(
    max_examples=30, stateful_step_count=8, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate],
)  # fmt: skip


@settings(max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(kinds=st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=14), stranger=st.integers(0, 20))
def test_one_run_in_memory_ends_as_the_model_says(kinds: list[str], stranger: int) -> None:
    """Also while a stranger on the account spends part of the budget: then 429s come, and no row suffers."""
    with demo.hub(sessions={}, limits=LIMITS) as hub:
        expected = []
        for number, name in enumerate(kinds):
            kind = KINDS[name]
            session_id = f"{'..//' if name == 'never sent' else ''}{name} {number}"
            expected.append((session_id, kind.status))
            if kind.status != "invalid":
                hub.add(session_id, kind.data if kind.state == "ready" else b"", state=kind.state)
            if kind.fault is not None:
                hub.faults.add(session_id, kind.fault, times=kind.times)
        hub.spend(stranger)
        got = kn.audio(
            pd.DataFrame({"session_id": [each for each, _ in expected]}), settings=hub.settings, progress=False
        )
        assert list(zip(got["session_id"], got["recording_status"], strict=True)) == expected
        if not stranger:
            assert hub.requests.refused == 0
            assert hub.requests.count("api") == sum(KINDS[name].requests for name in kinds)
