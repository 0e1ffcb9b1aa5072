"""An install without extras: everything that needs none works, and what needs one says which."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import wave

import numpy as np
import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook import demo

pytestmark = pytest.mark.core

# What no declared dependency of the package brings, by the extra that does.
EXTRAS = {
    "av": ["av"],
    "dask": ["dask", "distributed"],
    "lab": ["jupyterlab", "notebook"],
    "parquet": ["pyarrow"],
    "plots": ["matplotlib"],
    "s3": ["s3fs", "botocore", "boto3", "aiobotocore"],
    "socks": ["socksio"],
}
# Absence is simulated where the extra is installed: in a child, so that nothing of it is there already.
HIDE = """
import importlib.abc, importlib.util, json, sys
hidden = {json.dumps}
class Hide(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hide())
found = importlib.util.find_spec
def find_spec(name, package=None):
    return None if name.partition(".")[0] in hidden else found(name, package)
importlib.util.find_spec = find_spec
import warnings; warnings.simplefilter("error")
"""


def without_extras(script: str, *arguments: str) -> str:
    """Run a script in a process to which all extras are missing; return what it prints."""
    hidden = sorted(name for names in EXTRAS.values() for name in names)
    hide = HIDE.replace("{json.dumps}", json.dumps(hidden))
    done = subprocess.run(
        [sys.executable, "-c", hide + script, *arguments], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    return done.stdout


def test_the_main_job_needs_no_extra(tmp_path) -> None:
    """Import, fetch, keep, measure, list turns, export, read again, show: on the demo Hub."""
    told = without_extras(
        """
import pandas as pd, kataven_notebook as kn
folder = sys.argv[1]
with kn.demo.hub() as hub:
    calls = kn.audio(hub.sessions, store=folder + "/calls", settings=hub.settings, progress=False)
    counts = calls["recording_status"].value_counts()
    assert counts["downloaded"] == 12, counts
    calls = calls[calls["recording_status"] == "downloaded"].head(4)
    measured = calls.kataven.metrics(agent_channel=0, progress=False)
    assert measured["agent_talk_s"].notna().all()
    assert len(kn.turns(calls, agent_channel=0, progress=False))
    back = kn.read_audiofolder(kn.to_audiofolder(calls, folder + "/out", progress=False))
    assert len(back) == 4
    kn.apply(calls, lambda recording: recording.mono().resample(16_000).frames, progress=False)
    kn.player(calls).close()
    assert not set(hidden) & set(sys.modules)
    print("done")
""",
        str(tmp_path),
    )
    assert told.strip() == "done"


NEEDS = {
    "lab": "from kataven_notebook.command_line import open_lab; open_lab()",
    "plots": "kn.plots.timeline(one['audio'][0])",
    "s3": "kn.Store('s3://bucket/calls').to_frame()",
    "parquet": "kn.to_audiofolder(one, folder, metadata='parquet', progress=False)",
}


@pytest.mark.parametrize("extra", NEEDS)
def test_a_missing_extra_is_named_by_what_needs_it(extra, tmp_path) -> None:
    """With the command that installs it, as an error that is an ImportError too."""
    told = without_extras(
        f"""
import numpy as np, pandas as pd, kataven_notebook as kn
folder = sys.argv[1]
one = pd.DataFrame({{"session_id": ["s1"], "audio": [kn.Recording.from_samples(np.zeros(800), 8000)]}})
try:
    {NEEDS[extra]}
except ImportError as error:
    assert isinstance(error, kn.errors.KatavenError), type(error)
    print(error)
""",
        str(tmp_path / "out"),
    )
    assert f"kataven-notebook[{extra}]" in told, told


@pytest.mark.parametrize("name", ["ALL_PROXY", "HTTPS_PROXY"])
def test_a_socks_proxy_names_its_extra_and_leaves_loopback_alone(name) -> None:
    """Once, before any row; a demo needs no proxy."""
    told = without_extras(
        f"""
import os, pandas as pd, kataven_notebook as kn
for other in ("all_proxy", "https_proxy", "no_proxy"):
    os.environ.pop(other, None), os.environ.pop(other.upper(), None)
os.environ["{name}"] = "socks5://alice:s3cret@127.0.0.1:1080"
with kn.demo.hub() as hub:
    print(kn.audio(hub.sessions[:1], settings=hub.settings, progress=False)["recording_status"][0])
try:
    kn.audio(hub.sessions, settings=kn.Settings(api_key=hub.api_key), progress=False)
except ImportError as error:
    assert isinstance(error, kn.errors.KatavenError), type(error)
    print(error)
"""
    )
    status, error = told.splitlines()
    assert status == "downloaded"
    assert error.startswith(f"the proxy socks5://127.0.0.1:1080 ({name}) needs the extra [socks]: pip install ")


def test_a_format_that_needs_an_extra_is_unsupported_and_says_so() -> None:
    """m4a, webm, amr: a status of the row, not a failed run."""
    heads = {"m4a": b"\0\0\0 ftypM4A " + bytes(40), "webm": b"\x1aE\xdf\xa3" + bytes(60), "amr": b"#!AMR\n" + bytes(60)}
    told = without_extras(
        f"""
import pandas as pd, kataven_notebook as kn
sounds = {heads!r}
with kn.demo.hub(sessions=sounds) as hub:
    calls = kn.audio(pd.DataFrame({{"session_id": list(sounds)}}), settings=hub.settings, progress=False)
print(calls[["recording_status", "recording_error"]].astype(object).to_json(orient="values"))
"""
    )
    for status, error in json.loads(told):
        assert status == "unsupported"
        assert "kataven-notebook[av]" in error


def test_the_main_job_works_in_this_environment_too(tmp_path) -> None:
    """Whatever is installed here: this file is run with the package and pytest alone in CI."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((2, 2, 8_000, 0, "NONE", ""))
        sound.writeframes((np.random.default_rng(0).normal(0, 3_000, (8_000, 2))).astype("<i2").tobytes())
    with demo.hub(sessions={"s1": file.getvalue()}) as hub:
        calls = pd.DataFrame({"session_id": ["s1", "nobody"]})
        got = kn.audio(calls, store=tmp_path / "calls", settings=hub.settings, progress=False)
    assert got["recording_status"].tolist() == ["downloaded", "missing"]
    assert got["audio"][0].samples.shape == (8_000, 2)
