"""The README's recipe for words, with the real recogniser: `nox -s recipes` installs what it needs."""

from __future__ import annotations

import difflib
import functools
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import kataven_notebook as kn
import kataven_notebook.demo

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
CALLS = Path(kataven_notebook.demo.__file__).parent / "calls"
TWO_CHANNELS = ["call_01.wav", "call_02.wav", "call_04.ogg", "call_05.flac", "call_09.flac"]


@functools.cache
def recognised() -> dict[str, Any]:
    """What the README's block leaves behind, run on demo calls."""
    (code,) = (block for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "pocketsphinx" in block)
    sounds = [kn.Recording.from_file(CALLS / name) for name in TWO_CHANNELS]
    names: dict[str, Any] = {"kn": kn, "pd": pd, "calls": pd.DataFrame({"session_id": TWO_CHANNELS, "audio": sounds})}
    code = code.replace(', store="calls/", keep="pocketsphinx"', "").replace(', store="calls/"', "")
    exec(code, names)  # noqa: S102 - our own text
    return names


def spoken() -> dict[tuple[str, str], list[str]]:
    """The words that the demo's calls are made of, by call and role."""
    found: dict[tuple[str, str], list[str]] = {}
    for call in json.loads((CALLS / "dialogues.json").read_text(encoding="utf-8")):
        for role, _, text, *_ in (line for line in call["lines"] if isinstance(line[2], str)):
            found.setdefault((call["file"], role), []).extend(re.findall(r"[\w']+", text.lower()))
    return found


def test_the_words_of_each_party_are_recognised() -> None:
    """Most of them in their order, in a frame that the other functions take."""
    words = recognised()["words"]
    assert words["word"].notna().all()
    assert (words["end_s"] > words["start_s"]).all()
    assert words["confidence"].between(0, 1).all()
    truth = spoken()
    right = total = 0
    for (call, role), said in words.groupby(["session_id", "speaker"]):
        wanted = truth[call, role]
        matcher = difflib.SequenceMatcher(None, wanted, said["word"].str.lower().tolist(), autojunk=False)
        right += sum(block.size for block in matcher.get_matching_blocks())
        total += len(wanted)
    print(f"{right} of {total} words are right, in their order")  # noqa: T201 - what the README states
    assert right > 0.6 * total


@pytest.mark.filterwarnings("error")
def test_each_turn_has_its_text_beside_its_latency() -> None:
    """No word is lost between them."""
    talk, words = recognised()["talk"], recognised()["words"]
    assert talk["word_count"].sum() == len(words)
    answered = talk[(talk["role"] == "agent") & talk["gap_before_s"].notna()]
    assert (answered["text"] != "").mean() > 0.9
    assert talk["text"].iloc[0].startswith("green")


def test_what_is_said_is_found() -> None:
    """As moments that lie in the turn that says it."""
    moments = kn.words.find(recognised()["words"], "table for|dentist")
    assert set(moments["session_id"]) >= {"call_01.wav", "call_04.ogg"}
    assert (moments["role"] == "caller").all()
