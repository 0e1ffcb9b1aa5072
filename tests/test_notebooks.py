"""The notebooks are documentation that runs, and what is saved in them is nobody's secret."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parent.parent / "notebooks"
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
    """Quickstart, bulk, metrics, player, scale."""
    assert [path.name[:3] for path in NOTEBOOKS] == ["01_", "02_", "03_", "04_", "05_"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_from_top_to_bottom(path: Path, tmp_path: Path) -> None:
    """In a fresh kernel, without an account; what it leaves behind stays in a temporary folder."""
    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=where).execute()


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
