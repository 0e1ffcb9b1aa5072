"""Measures survive being written and read, and bytes from anywhere run nothing."""

from __future__ import annotations

import functools
import json
import operator
import pickle
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_calls import FIRST, SECOND, measured, sound
from spoken_voices import mono_call

from kataven_notebook import demo
from kataven_notebook.numbers.archive import from_bytes, to_bytes
from kataven_notebook.numbers.measures import VERSION, CallMeasures, measure
from kataven_notebook.numbers.moments import moment_rows
from kataven_notebook.numbers.mono import estimate_parties
from kataven_notebook.numbers.roles import infer_agent_channels
from kataven_notebook.numbers.rows import call_row, turn_rows
from kataven_notebook.sound.recording import Recording

pytestmark = pytest.mark.core


def same(one: object, other: object) -> bool:
    """Whether two values are equal throughout, missing numbers included."""
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if hasattr(one, "__dataclass_fields__"):
        return type(one) is type(other) and all(
            same(getattr(one, each.name), getattr(other, each.name)) for each in fields(one)
        )
    return type(one) is type(other) and (one == other or (one != one and other != other))  # noqa: PLR0124 - NaN


@pytest.mark.parametrize("speech", ["auto", "energy"])
def test_all_of_it_comes_back(speech) -> None:
    """And what is made of it is the same, to the last bit."""
    found = measure(mono_call(0), speech=speech, mono="estimate")
    again = from_bytes(to_bytes(found))
    assert same(again, found)
    both = measured(sound(FIRST, SECOND))
    again = from_bytes(to_bytes(both))
    assert same(again, both)
    assert json.dumps(call_row(again, 0)) == json.dumps(call_row(both, 0))
    assert json.dumps(turn_rows(again, 0)) == json.dumps(turn_rows(both, 0))


def test_it_is_small() -> None:
    """A few kilobytes a call."""
    assert len(to_bytes(measured(sound(FIRST, SECOND)))) < 4_000


def test_bytes_that_are_something_else_are_refused() -> None:
    """Never run: a pickle is no measures."""
    found = measured(sound(FIRST, SECOND))
    data = to_bytes(found)
    head = json.loads(data.partition(b"\n")[0])
    strange = [
        b"",
        b"null",
        b"[" * 100_000,
        pickle.dumps(found),
        data[:-8],
        b'{"class":"CallMeasures","fields":[]}\n',
        b'{"class":"open","fields":["/etc/passwd"]}\n',
        b'{"array":"object","shape":[1]}\n' + b"\0" * 8,
        b'{"array":"float64","shape":[1000000000,1000000000]}\n',
        json.dumps({**head, "fields": ["long", *head["fields"][1:]]}).encode() + b"\n" + data.partition(b"\n")[2],
        to_bytes(replace(found, channels=3)),
        to_bytes(replace(found, speech=(np.array([[2.0, 1.0]]), found.speech[1]))),
        to_bytes(replace(found, speech=(np.array([[0.0, np.nan]]), found.speech[1]))),
    ]
    for each in strange:
        with pytest.raises(ValueError):
            from_bytes(each)


def places(value: object, above: tuple = ()) -> list[tuple]:
    """Where something stands in JSON."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [above] * bool(above) + [place for key, each in inner for place in places(each, (*above, key))]


ODD = [None, True, -1, 10**30, "long", [], [0, 10**30], {}, {"array": "float64", "shape": [0, 2]}, "float32"]


@pytest.mark.parametrize("mono", ["withhold", "estimate"])
def test_odd_parts_are_refused_or_do_no_harm(mono) -> None:
    """Of a call that others wrote into a store: one that fails later would take the whole frame down."""
    found = measure(mono_call(0), speech="energy", mono=mono) if mono == "estimate" else measured(sound(FIRST, SECOND))
    line, _, arrays = to_bytes(found).partition(b"\n")
    for place in places(json.loads(line)):
        for odd in ODD:
            head = json.loads(line)
            functools.reduce(operator.getitem, place[:-1], head)[place[-1]] = odd
            try:
                changed = from_bytes(json.dumps(head).encode() + b"\n" + arrays)
            except ValueError:
                continue
            infer_agent_channels([changed])
            estimate_parties([changed])
            call_row(changed, 0)
            turn_rows(changed, 0)
            moment_rows(changed, 0)


@given(st.data())
def test_any_changed_byte_gives_measures_or_a_refusal(data) -> None:
    """Nothing else is raised, and what comes back can be made into a row."""
    whole = bytearray(to_bytes(measured(sound([(0.5, 1.0)], [(1.5, 2.0)], duration_s=3.0))))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = from_bytes(bytes(whole))
    except ValueError:
        return
    assert isinstance(found, CallMeasures)


EXPECTED = Path(__file__).with_name("expected_numbers.json")
CALLS = Path(demo.__file__).parent / "calls"


def numbers_now() -> dict[str, object]:
    """What is measured today on the demo's uncompressed calls, by two detectors and for both sides of the agent."""
    found: dict[str, object] = {"version": VERSION}
    for path in sorted(CALLS.glob("*.wav")):
        for speech in ("auto", "energy"):
            call = measure(Recording.from_file(path), speech=speech)
            for agent in (0, 1):
                row = {name: value for name, value in call_row(call, agent).items() if isinstance(value, int | float)}
                rounded = {name: round(float(value), 3) for name, value in row.items() if np.isfinite(value)}
                found[f"{path.name}, {speech}, agent on {agent}"] = rounded
    return found


def test_numbers_have_not_changed_without_a_new_version() -> None:
    """Or stores would go on with the old ones: raise VERSION, and write the file anew as CONTRIBUTING.md says."""
    expected, found = json.loads(EXPECTED.read_text(encoding="utf-8")), numbers_now()
    assert found.pop("version") == expected.pop("version"), "a new version: write the expected numbers anew"
    assert found.keys() == expected.keys()
    for name, row in expected.items():
        assert found[name] == pytest.approx(row, rel=0.01, abs=0.02), name


if __name__ == "__main__":
    EXPECTED.write_text(json.dumps(numbers_now(), indent=1) + "\n", encoding="utf-8")
