"""Fixtures that all tests share."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile as sf
import stamina
from weed import seaweed  # noqa: F401 - the fixture

from kataven_notebook import Limits, demo
from kataven_notebook import settings as settings_module

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kataven_notebook.demo._hub import Hub

NO_WINDOWS = Limits(None, None, None, 20)


@pytest.fixture(autouse=True)
def on_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep each test from the others' settings and budget, and retries from waiting."""
    for name in [name for name in os.environ if name.startswith("KATAVEN_") and not name.startswith("KATAVEN_TESTS_")]:
        monkeypatch.delenv(name)
    state = str(tmp_path_factory.mktemp("state"))
    monkeypatch.setenv("KATAVEN_STATE_DIR", state)
    # Settings that a test makes by hand read no environment: their state is the platform's own.
    monkeypatch.setattr(settings_module.platformdirs, "user_state_dir", lambda _: state)
    monkeypatch.setattr(settings_module, "_configured", {})
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


@pytest.fixture(scope="session")
def wav() -> bytes:
    """Half a second of quiet stereo noise as WAV, 16 kB."""
    file = io.BytesIO()
    sf.write(file, np.random.default_rng(0).normal(0, 0.1, (4_000, 2)), 8_000, format="WAV")
    return file.getvalue()


@pytest.fixture
def hub(wav: bytes) -> Iterator[Hub]:
    """A Hub of the test's own: ten good sessions s0 to s9, no limits but 20 in flight."""
    with demo.hub(sessions={f"s{number}": wav for number in range(10)}, limits=NO_WINDOWS) as running:
        yield running


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes long where neither a file nor a marker asks for it."""
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS or config.option.markexpr:
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    if left_out:
        items[:] = [item for item in items if item not in set(left_out)]
        config.hook.pytest_deselected(items=left_out)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let nothing be skipped where everything is required, as in continuous integration."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("KATAVEN_TESTS_REQUIRE_ALL") and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("KATAVEN_TESTS_REQUIRE_ALL is set, and tests were skipped", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
