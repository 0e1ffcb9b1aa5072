"""Calls for a study: two prompts whose response times differ by a known amount, and callers who call again.

What the parties say is cut from the sample calls; when they say it is drawn anew for each call, from its number alone:
the first calls of a longer series are those of a shorter one, on every machine.
"""

from __future__ import annotations

import io
import json
import random
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import soundfile as sf
import soxr

from kataven_notebook.demo._world import StoredSession

if TYPE_CHECKING:
    import numpy.typing as npt

    Sound = npt.NDArray[np.float64]

MOST_CALLS = 1_000
# How much later prompt A answers than prompt B, in every call; all else of their response times is of one distribution.
A_IS_LATER_S = 0.3
# How many of a prompt's answers to a longer sentence begin while the caller still speaks.
INTERRUPTS = {"A": 0.05, "B": 0.3}
_RESPONSE_S, _LEAST_RESPONSE_S = 0.95, 0.2
_OF_CALLER_S, _OF_CALL_S, _OF_ANSWER_S = 0.12, 0.1, 0.15
# At noon the service is busy, and now and then a look-up takes time, whatever the prompt.
_BUSY_HOURS, _BUSY_S = (12, 13), 0.25
_LOOKUPS, _LOOKUP_S = 0.06, 1.6
_CALLS_A_DAY, _FIRST_DAY = 12, datetime(2026, 3, 9, 9, tzinfo=UTC)
_CALLS_AGAIN = 0.35
_OUTCOMES = ("booked", "booked", "booked", "answered", "transferred", "abandoned")

_RATE = 8_000
_LAYOUT = ("caller", "agent")
# Dialogues with one agent's voice, by the voice of the caller: a caller who calls again has the same one.
_DIALOGUES = (("call_01.wav", "call_04.ogg", "call_09.flac"), ("call_02.wav",))
_AGENTS = {"call_04.ogg": "clinic"}
_NOISE = {"agent": 10 ** (-70 / 20), "caller": 10 ** (-58 / 20)}
_EDGE_S, _FADE_S, _LEAD_S, _TAIL_S = 0.03, 0.01, 0.6, 0.6
# An interruption begins so long before the caller would have ended, who yields after so long.
_EARLY_S, _YIELD_S, _SHORTEST_S = 0.9, 0.45, 1.8


class _Utterance(NamedTuple):
    """What one party says in one go; its segments are in seconds from the start of its sound."""

    role: str
    sound: Sound
    segments: list[list[float]]

    @property
    def end_s(self) -> float:
        return self.segments[-1][1]

    def until(self, end_s: float) -> _Utterance:
        """Give the same, broken off."""
        kept = self.sound[: round(end_s * _RATE)].copy()
        kept[-240:] *= np.linspace(1, 0, 240)
        return _Utterance(self.role, kept, [[a, min(b, end_s)] for a, b in self.segments if a < end_s - _EDGE_S])


@lru_cache(maxsize=8)
def _dialogue(name: str) -> list[_Utterance]:
    folder = files(__package__) / "calls"
    samples, rate = sf.read(io.BytesIO((folder / name).read_bytes()), always_2d=True)
    truth = json.loads((folder / f"{name.rpartition('.')[0]}.json").read_text(encoding="utf-8"))
    said = []
    for turn in truth["turns"]:
        first_s, last_s = turn["segments"][0][0] - _EDGE_S, turn["segments"][-1][1] + _EDGE_S
        cut = samples[round(first_s * rate) : round(last_s * rate), turn["channel"]]
        sound = soxr.resample(cut, rate, _RATE)
        fade = np.minimum(1, np.arange(len(sound)) / (_FADE_S * _RATE))
        segments = [[a - first_s, b - first_s] for a, b in turn["segments"]]
        said.append(_Utterance(turn["role"], sound * fade * fade[::-1], segments))
    return said


def _normal(draw: random.Random, spread: float) -> float:
    # `random()` alone gives the same numbers in every version of Python.
    return NormalDist(0.0, spread).inv_cdf(min(max(draw.random(), 1e-9), 1 - 1e-9))


def _callers(count: int) -> list[int]:
    """Give the caller of each call: some call again."""
    callers: list[int] = []
    for number in range(count):
        draw = random.Random(f"caller of {number}")  # noqa: S311 - a design, not cryptography
        known = len(set(callers))
        again = bool(known) and draw.random() < _CALLS_AGAIN
        callers.append(callers[int(draw.random() * number)] if again else known)
    return callers


def _details(number: int, caller: int, name: str) -> dict[str, Any]:
    draw = random.Random(f"details of {number}")  # noqa: S311 - a design, not cryptography
    day, slot = divmod(number, _CALLS_A_DAY)
    started_at = _FIRST_DAY + timedelta(days=day + 2 * (day // 5), minutes=45 * slot + int(40 * draw.random()))
    first = random.Random(f"pair {number // 2}").random() < 0.5  # noqa: S311 - as above
    return {
        "agent": _AGENTS.get(name, "restaurant"),
        "agent_version": "v2",
        "started_at": started_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "outcome": _OUTCOMES[int(draw.random() * len(_OUTCOMES))],
        "prompt": "A" if first is (number % 2 == 0) else "B",
        "caller_id": f"caller-{caller + 1:03d}",
    }


def _responses(number: int, caller: int, prompt: str, hour: int) -> tuple[random.Random, float]:
    """Give what an answer's delay is drawn with, and what it is on average in this call."""
    draw = random.Random(f"timing of {number}")  # noqa: S311 - a design, not cryptography
    base_s = _RESPONSE_S + (A_IS_LATER_S if prompt == "A" else 0.0) + (_BUSY_S if hour in _BUSY_HOURS else 0.0)
    of_caller_s = _normal(random.Random(f"caller {caller}"), _OF_CALLER_S)  # noqa: S311 - as above
    return draw, base_s + of_caller_s + _normal(draw, _OF_CALL_S)


def _timed(said: list[_Utterance], prompt: str, draw: random.Random, response_s: float) -> list[tuple[float, Any]]:
    """Give each utterance with its start in seconds, and the ends of those that are interrupted."""
    placed: list[tuple[float, Any]] = []
    floor_s = _LEAD_S
    for utterance in said:
        # As many draws for each, so that a call differs by its prompt in nothing else.
        chance, late, lookup = draw.random(), _normal(draw, _OF_ANSWER_S), draw.random()
        before = placed[-1] if placed else None
        if before is None:
            start_s = floor_s
        elif utterance.role == "caller":
            start_s = floor_s + 0.4 + 0.5 * chance
        elif chance < INTERRUPTS[prompt] and before[1].role == "caller" and before[1].end_s > _SHORTEST_S:
            start_s = floor_s - _EARLY_S
            placed[-1] = before[0], before[1].until(start_s + _YIELD_S - before[0])
        else:
            start_s = floor_s + max(_LEAST_RESPONSE_S, response_s + late) + (_LOOKUP_S if lookup < _LOOKUPS else 0.0)
        # A sound begins a little before its first segment.
        start_s -= utterance.segments[0][0]
        placed.append((start_s, utterance))
        floor_s = start_s + utterance.end_s
    return placed


def _mixed(placed: list[tuple[float, Any]]) -> Sound:
    frames = max(round(start_s * _RATE) + len(said.sound) for start_s, said in placed) + round(_TAIL_S * _RATE)
    noise = np.random.default_rng(frames)
    tracks = {role: noise.standard_normal(frames) * _NOISE[role] for role in _LAYOUT}
    for start_s, said in placed:
        at = round(start_s * _RATE)
        tracks[said.role][at : at + len(said.sound)] += said.sound
    return np.stack([tracks[role] for role in _LAYOUT], axis=1)


def _truth(placed: list[tuple[float, Any]], frames: int) -> dict[str, Any]:
    turns = [
        {
            "role": said.role,
            "channel": _LAYOUT.index(said.role),
            "kind": "interruption" if place and start_s + said.segments[0][0] < _end_s(placed[place - 1]) else "turn",
            "segments": [[round(start_s + edge_s, 5) for edge_s in segment] for segment in said.segments],
        }
        for place, (start_s, said) in enumerate(placed)
    ]
    about = {"sample_rate": _RATE, "duration_s": round(frames / _RATE, 5), "channels": list(_LAYOUT)}
    return {**about, "turns": turns}


def _end_s(placed: tuple[float, Any]) -> float:
    end_s: float = placed[0] + placed[1].end_s
    return end_s


def study_calls(count: int) -> tuple[dict[str, StoredSession], dict[str, dict[str, Any]]]:
    """Give so many sessions by id, in the order in which they were held, and the true speech times of each."""
    sessions: dict[str, StoredSession] = {}
    truth: dict[str, dict[str, Any]] = {}
    for number, caller in enumerate(_callers(count)):
        choice = random.Random(f"dialogue of {number}").random()  # noqa: S311 - a design, not cryptography
        names = _DIALOGUES[1 if caller % 4 == 3 else 0]
        name = names[int(choice * len(names))]
        details = _details(number, caller, name)
        draw, response_s = _responses(number, caller, details["prompt"], int(details["started_at"][11:13]))
        placed = _timed(_dialogue(name), details["prompt"], draw, response_s)
        samples = _mixed(placed)
        file = io.BytesIO()
        sf.write(file, samples, _RATE, format="WAV", subtype="ULAW")
        session_id = f"agent_01K2D{number + 1:05d}"
        sessions[session_id] = StoredSession(session_id, file.getvalue(), details=details)
        truth[session_id] = _truth(placed, len(samples))
    return sessions, truth
