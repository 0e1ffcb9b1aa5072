"""One JupyterLab, one Chromium, one page and one kernel for all tests of the player."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browsing import Lab, chromium_page, jupyter, needed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def chromium() -> Iterator[Page]:
    """A page in a browser that all tests share: there can be no second one beside it."""
    with chromium_page() as page:
        yield page


@pytest.fixture(scope="session")
def lab(chromium: Page, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A running JupyterLab in a browser."""
    folder = tmp_path_factory.mktemp("lab")
    with jupyter(folder, "jupyterlab") as address:
        yield Lab(chromium, address, folder / "notebooks")


@pytest.fixture(scope="session")
def npm_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pinned npm packages are, in a folder that is kept between runs."""
    npm = needed(shutil.which("npm"), "npm")
    cache = Path(os.environ.get("KATAVEN_TESTS_NPM_DIR", tmp_path_factory.getbasetemp().parent / "kataven-npm"))
    cache.mkdir(parents=True, exist_ok=True)
    wanted = (HERE / "package.json").read_text()
    marker = cache / "installed.json"
    if not marker.exists() or marker.read_text() != wanted:
        (cache / "package.json").write_text(wanted)
        command = [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--prefix", str(cache)]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        marker.write_text(wanted)
    return cache / "node_modules"
