"""The notebooks are documentation that runs, and what is saved in them is nobody's secret."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
import pytest
from browsing import wait_for
from nbclient import NotebookClient

from kataven_notebook import demo

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
SECRETS = re.compile(r"X-Amz-|sk_live_|eyJ[A-Za-z0-9]|https?://127\.0\.0\.1|RIFF|OggS|fLaC|UklGR|T2dnU|/home/")


def saved_text(path: Path) -> str:
    """All that a notebook's outputs hold, pictures left out."""
    notebook = nbformat.read(path, as_version=4)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    for output in outputs:
        output.get("data", {}).pop("image/png", None)
    return str(outputs) + str(notebook.metadata)


def test_there_is_one_for_each_question() -> None:
    """Quickstart, bulk, metrics, player, scale, a comparison."""
    assert [path.name[:3] for path in NOTEBOOKS] == ["01_", "02_", "03_", "04_", "05_", "06_"]


# They wait for limits, start a cluster, and measure sixty calls.
LONG = ("02_", "05_", "06_")
RUN = [
    pytest.param(path, marks=[pytest.mark.long] if path.name.startswith(LONG) else [], id=path.stem)
    for path in NOTEBOOKS
]


@pytest.mark.parametrize("path", RUN)
def test_it_runs_from_top_to_bottom(path: Path, tmp_path: Path) -> None:
    """In a fresh kernel, without an account; what it leaves behind stays in a temporary folder."""
    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=where).execute()


def test_one_line_switches_the_quickstart_to_an_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line in its comment in place of the three above it, credentials from the environment, nothing else."""
    notebook = nbformat.read(FOLDER / "01_quickstart.ipynb", as_version=4)
    cell = next(cell for cell in notebook.cells if cell.cell_type == "code")
    others = [line for line in cell.source.splitlines() if not re.match(r"hub = |kn\.configure|calls = ", line)]
    assert len(cell.source.splitlines()) - len(others) == 3
    cell.source = "\n".join(others).replace("# calls = ", "calls = ")
    with demo.hub() as hub:
        monkeypatch.setenv("KATAVEN_API_KEY", hub.api_key)
        monkeypatch.setenv("KATAVEN_BASE_URL", hub.base_url)
        monkeypatch.setenv("KATAVEN_STATE_DIR", str(tmp_path / "state"))
        hub.sessions[["session_id"]].to_csv(tmp_path / "sessions.csv", index=False)
        where = {"metadata": {"path": str(tmp_path)}}
        NotebookClient(notebook, timeout=120, kernel_name="python3", resources=where).execute()
        assert hub.requests.count("api") >= len(hub.sessions)


def content_type_at(address: str) -> str | None:
    """What lies at an address of the server, which may not listen yet: it writes its page first."""
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 - our own server on loopback
            return json.load(answer)["type"]
    except urllib.error.URLError:
        return None


@pytest.mark.skipif(os.name == "nt", reason="ends a group of processes")
def test_the_demo_opens_the_quickstart_in_jupyterlab(tmp_path: Path) -> None:
    """A real server; the page that it would open in a browser is that of the notebook, which it has."""
    pytest.importorskip("jupyterlab")
    shutil.copytree(FOLDER, tmp_path / "notebooks")
    environment = os.environ | {
        f"JUPYTER_{kind}_DIR": str(tmp_path / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")
    }
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "jupyter_server_config.json").write_text('{"ServerApp": {"allow_root": true}}')
    command = [sys.executable, "-m", "kataven_notebook", "demo", "--lab"]
    environment["BROWSER"] = "true"  # the command that does nothing
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        page = wait_for(lambda: next((tmp_path / "runtime").glob("jpserver-file-to-run-*.html"), None), timeout_s=60)
        opened = wait_for(lambda: re.search(r'href="(http[^"]+)"', page.read_text(encoding="utf-8")))[1]
        address, _, token = opened.partition("lab/tree/01_quickstart.ipynb")
        assert token.startswith("?token=")
        known = f"{address}api/contents/01_quickstart.ipynb{token}"
        assert wait_for(lambda: content_type_at(known), timeout_s=60) == "notebook"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_nothing_of_the_demo_is_counted_for_an_account(path: Path) -> None:
    """Whoever has an account in the environment would else spend its budget on loopback."""
    text = "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code")
    assert "kn.configure(" not in text or "state_dir=hub.settings.state_dir" in text


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_its_saved_outputs_hold_no_secret_and_no_sound(path: Path) -> None:
    """No signed URL, key, sound or path of a machine, and every code cell was run in order."""
    text = saved_text(path)
    assert not SECRETS.search(text), SECRETS.search(text)
    notebook = nbformat.read(path, as_version=4)
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    errors = [o for c in notebook.cells if c.cell_type == "code" for o in c.outputs if o.output_type == "error"]
    assert all(error.ename in ("Interrupted", "KeyboardInterrupt") for error in errors)
