"""The README's Python is run as it stands: the first example, and the recipes without their models."""

from __future__ import annotations

import functools
import re
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook import demo

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCKS = re.findall(r"```python\n(.*?)```", (Path(__file__).parents[2] / "README.md").read_text("utf-8"), re.DOTALL)
# What stands in for libraries that bring models of their own: modules, so that worker processes have them too.
MODELS = {
    "pocketsphinx": """
from types import SimpleNamespace
class Decoder:
    def __init__(self, samprate, loglevel): assert samprate == 16_000
    def start_utt(self): pass
    def process_raw(self, sound, full_utt): self.frames = len(sound) // 320
    def end_utt(self): pass
    def seg(self):
        words = (("<s>", 0, 19), ("hello(2)", 20, 40), ("[NOISE]", 41, 45), ("there", 46, self.frames - 20))
        return [SimpleNamespace(word=word, start_frame=a, end_frame=b, prob=1.0001) for word, a, b in words]
""",
    "librosa": """
import numpy as np
def pyin(sound, *, fmin, fmax, sr):
    assert sound.ndim == 1 and sr == 8_000
    return np.array([100.0, np.nan, 120.0]), np.array([True, False, True]), None
""",
    "speechmos": """
from types import SimpleNamespace
def run(sound, sample_rate):
    assert sound.ndim == 1 and abs(sound).max() <= 1 and sample_rate == 16_000
    return {"ovrl_mos": 3.5}
dnsmos = SimpleNamespace(run=run)
""",
}


class Encoder:
    """Stands in for a speaker embedding."""

    def embed_utterance(self, sound: np.ndarray) -> np.ndarray:
        """Return a vector for sound of one channel."""
        assert sound.ndim == 1
        return np.ones(3)


@pytest.fixture
def names(tmp_path, monkeypatch) -> Iterator[dict[str, Any]]:
    """What a notebook has in sight, with a file of sessions beside it and an account in the environment."""
    for name, text in MODELS.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with demo.hub() as hub:
        monkeypatch.setenv("KATAVEN_API_KEY", hub.api_key)
        monkeypatch.setenv("KATAVEN_BASE_URL", hub.base_url)
        calls = hub.sessions[["session_id"]].head(6)  # so many that it is certain which channel is the agent
        calls.to_csv("sessions.csv", index=False)
        yield {
            "__name__": "a_notebook",
            "kn": kn,
            "np": np,
            "pd": pd,
            "functools": functools,
            "ProcessPoolExecutor": ProcessPoolExecutor,
            "encoder": Encoder,
            "calls": calls.tail(2),
        }


def run(word: str, names: dict[str, Any]) -> Any:
    """Run the one block that has a word in it, and return the frame that it leaves."""
    (block,) = (each for each in BLOCKS if word in each)
    exec(block, names)  # noqa: S102 - our own text
    return names["calls"]


def test_the_first_example_runs_on_an_account_of_the_environment(names) -> None:
    """With the columns that its comments name."""
    calls = run("import pandas as pd", names)
    (block,) = (each for each in BLOCKS if "import pandas as pd" in each)
    named = [name for line in re.findall(r"# \+ (.*), \.\.\.", block) for name in line.split(", ")]
    assert len(named) >= 5
    assert set(named) <= set(calls.columns)
    assert calls["recording_status"].eq("downloaded").all()
    assert calls[["agent_talk_s", "response_latency_p50_s"]].notna().all(axis=None)
    assert Path("calls").is_dir()


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("encoder", {"embedding": pytest.approx(np.ones(3))}),
        ("import librosa", {"pitch_hz": 110.0, "voiced_ratio": pytest.approx(2 / 3)}),
        ("speechmos", {"channel_0_mos": 3.5, "channel_1_mos": 3.5}),
    ],
)
def test_a_recipe_runs(names, word, found) -> None:
    """On a demo call, with the columns that it promises."""
    calls = run(word, names)
    assert calls["apply_error"].isna().all(), calls["apply_error"].tolist()
    assert {name: calls[name].tolist()[0] for name in found} == found


@pytest.mark.filterwarnings("ignore:for . of 2 calls it is uncertain")
def test_the_recipe_for_words_gives_each_turn_its_text(names) -> None:
    """With the frame of words that the player and the other functions take."""
    run("pocketsphinx", names)
    words, talk = names["words"], names["talk"]
    assert {"session_id", "start_s", "end_s", "word", "channel", "speaker", "confidence"} <= set(words.columns)
    assert len(talk) > 8
    assert talk["text"].eq("hello there").all()
    assert words["confidence"].max() == 1


def test_all_python_of_the_readme_is_run() -> None:
    """A block that is added needs a line here."""
    assert len(BLOCKS) == 5
