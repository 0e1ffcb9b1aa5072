"""Jupyter on loopback and a page of Chromium, for tests and benchmarks of the player."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Locator, Page, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_SETTINGS = {
    # Cells out of sight keep their outputs, and widget state is saved as by people who switch it on.
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
    "@jupyter-widgets/jupyterlab-manager/plugin": {"saveState": True},
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}

# Sound that reaches the speakers is measured beside them; the product knows nothing of it.
LISTEN_AT_THE_SPEAKERS = """
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (target, ...rest) {
  if (target instanceof AudioDestinationNode) {
    const splitter = target.context.createChannelSplitter(2);
    connect.call(this, splitter);
    window.speakers = [0, 1].map((channel) => {
      const analyser = target.context.createAnalyser();
      connect.call(splitter, analyser, channel);
      return analyser;
    });
  }
  return connect.call(this, target, ...rest);
};
const sounds = [];
window.Audio = class extends Audio { constructor(...a) { super(...a); sounds.push(this); } };
window.sounding = () => sounds.filter((each) => each.src && !each.paused);
window.allSounds = sounds;
"""


def needed(path: str | None, what: str) -> str:
    """Return the path of a program; without it the test is left out, or fails where everything is required."""
    if path:
        return path
    if os.environ.get("KATAVEN_TESTS_REQUIRE_ALL"):
        pytest.fail(f"{what} is not installed")
    pytest.skip(f"{what} is not installed")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], Any], *, timeout_s: float = 20.0, what: str = "") -> Any:
    """Return the first true value of `condition`."""
    ends = time.monotonic() + timeout_s
    while not (value := condition()):
        if time.monotonic() > ends:
            pytest.fail(f"not within {timeout_s} s: {what or condition}")
        time.sleep(0.03)
    return value


@contextmanager
def jupyter(folder: Path, application: str) -> Iterator[str]:
    """Run JupyterLab or Notebook on loopback in a folder of its own; yield its address."""
    for name, value in _SETTINGS.items():
        file = folder / "settings" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(value))
    root = folder / "notebooks"
    root.mkdir(exist_ok=True)
    port = _free_port()
    options = (
        f"--no-browser --ServerApp.ip=127.0.0.1 --ServerApp.port={port} --ServerApp.port_retries=0 "
        f"--IdentityProvider.token= --ServerApp.root_dir={root} --allow-root "
        "--LabApp.extension_manager=readonly --LabApp.expose_app_in_browser=True "
        "--JupyterNotebookApp.expose_app_in_browser=True"
    ).split()
    address = f"http://127.0.0.1:{port}"
    with _serving([sys.executable, "-m", application, *options], f"{address}/api", folder):
        yield address


@contextmanager
def voila(folder: Path, cells: list[str]) -> Iterator[str]:
    """Serve a notebook as Voila shows it; yield its address."""
    file = folder / "shown.ipynb"
    file.write_text(json.dumps(_notebook(cells)))
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    options = ["--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1", str(file)]
    with _serving([sys.executable, "-m", "voila", *options], f"{address}/voila/static/voila.js", folder):
        yield address


@contextmanager
def marimo(folder: Path, cells: list[str]) -> Iterator[str]:
    """Serve an app of marimo whose cells are these functions; yield its address."""
    file = folder / "app.py"
    joined = "\n\n".join(f"@app.cell\n{cell}" for cell in cells)
    file.write_text(f"import marimo\n\napp = marimo.App()\n\n{joined}\n")
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    options = ["run", "--headless", "--no-token", "--host=127.0.0.1", f"--port={port}", str(file)]
    with _serving([sys.executable, "-m", "marimo", "--yes", *options], f"{address}/health", folder):
        yield address


@contextmanager
def _serving(command: list[str], answers_at: str, folder: Path) -> Iterator[None]:
    """Run a server until it is no longer needed, with all that it keeps in a folder of its own."""
    environment = {
        **os.environ,
        **{f"JUPYTER_{kind}_DIR": str(folder / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")},
        **{f"XDG_{kind}_HOME": str(folder / f"xdg-{kind.lower()}") for kind in ("CONFIG", "STATE", "CACHE")},
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
    }
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(
            command, env=environment, cwd=folder, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        try:
            wait_for(lambda: _answers(answers_at), timeout_s=60, what=f"{command[2]} answers")
            yield
        finally:
            signal.signal(signal.SIGTERM, before)
            os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait(10)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own server on loopback
            return bool(answer.status == 200)
    except OSError:
        return False


def _notebook(cells: list[str]) -> dict[str, Any]:
    """A notebook of code cells, as a file holds it."""
    return {
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{i}",
                "metadata": {},
                "outputs": [],
                "execution_count": None,
                "source": cell,
            }
            for i, cell in enumerate(cells)
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


@contextmanager
def chromium_page() -> Iterator[Page]:
    """Open a page in Debian's Chromium, with a measuring point at the speakers."""
    found = next((each for each in _CHROMIUM if Path(each).exists()), None) or shutil.which("chromium")
    path = needed(found, "chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.add_init_script(LISTEN_AT_THE_SPEAKERS)
        page.set_default_timeout(20_000)
        yield page
        browser.close()


@contextmanager
def new_page(lab: Lab) -> Iterator[Page]:
    """Open another page in the browser of `lab`."""
    browser = lab.page.context.browser
    assert browser is not None
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.add_init_script(LISTEN_AT_THE_SPEAKERS)
    page.set_default_timeout(20_000)
    yield page
    page.close()


class Lab:
    """A page of JupyterLab, or of Notebook 7 with `tree="notebooks"`, with one notebook and its kernel."""

    def __init__(self, page: Page, address: str, folder: Path, tree: str = "lab/tree") -> None:
        self.page = page
        self.address = address
        self.folder = folder
        self.tree = tree

    def open(self, name: str, cells: list[str]) -> None:
        """Write a notebook, open it and wait until its kernel is there and idle."""
        (self.folder / name).write_text(json.dumps(_notebook(cells)))
        self.page.goto(f"{self.address}/{self.tree}/{name}?reset")
        self.wait_for_kernel(name)

    def wait_for_kernel(self, name: str) -> None:
        """Wait until the notebook is the open one, and its kernel there and idle."""
        self.page.wait_for_function(
            """(name) => {
              const context = window.jupyterapp?.shell.currentWidget?.context;
              return context?.path === name && context.sessionContext.isReady
                && context.sessionContext.session?.kernel?.status === "idle";
            }""",
            arg=name,
            timeout=60_000,
        )

    def run_all(self) -> None:
        """Run all cells, without waiting for them."""
        self.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")

    def execute(self, command: str, **arguments: object) -> None:
        """Execute a command of JupyterLab and wait for it."""
        self.page.evaluate(
            "async ([command, given]) => { await window.jupyterapp.commands.execute(command, given); }",
            [command, arguments],
        )

    def kernel(self, code: str) -> Any:
        """Run code in the notebook's kernel; return what its last line printed as JSON."""
        result = self.page.evaluate(
            """async (code) => {
              const kernel = window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel;
              const future = kernel.requestExecute({ code, store_history: false });
              let text = "";
              future.onIOPub = ({ header, content }) => {
                if (header.msg_type === "stream" && content.name === "stdout") text += content.text;
                if (header.msg_type === "error") text += "\\nERROR " + content.traceback.join("\\n");
              };
              await future.done;
              return text;
            }""",
            code,
        )
        assert "ERROR" not in result, result
        lines = result.strip().splitlines()
        return json.loads(lines[-1]) if lines else None

    def notebook(self) -> dict[str, Any]:
        """Return what keys could change of the notebook: its cells, its kernel, and the dialogs that ask for more."""
        state: dict[str, Any] = self.page.evaluate(
            """() => {
              const { content, context } = window.jupyterapp.shell.currentWidget;
              const cells = content.widgets.map(({ model }, i) => [
                model.type, model.id, model.sharedModel.getSource(), model.outputs?.length ?? 0,
                model.executionCount ?? null, content.isSelected(content.widgets[i]),
                Boolean(content.widgets[i].outputHidden), Boolean(content.widgets[i].inputHidden),
              ]);
              const { id, status } = context.sessionContext.session.kernel;
              return {
                cells, active: content.activeCellIndex, mode: content.mode, kernel: id,
                restarts: status === "restarting", dialogs: document.querySelectorAll(".jp-Dialog").length,
              };
            }"""
        )
        return state

    def kernel_later(self, code: str) -> None:
        """Run code in the kernel without waiting for it."""
        self.page.evaluate(
            """(code) => { window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel
              .requestExecute({ code, store_history: false }); }""",
            code,
        )

    def player(self, title: str) -> Locator:
        """Return the player that stands under the cell whose source begins with `# title`."""
        cell = self.page.locator(".jp-CodeCell", has=self.page.locator(".cm-line", has_text=f"# {title}"))
        return cell.locator(".kn-player")
