"""What `metric_definitions` says of the columns of `metrics`, held against the columns themselves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook.sound.recording import Recording

pytestmark = pytest.mark.core


def test_every_column_that_metrics_adds_is_defined_once_with_its_dtype() -> None:
    """In the order of the columns; also where a call has no number at all."""
    calls = pd.DataFrame({"session_id": ["a"], "audio": [Recording.from_samples(np.zeros(8_000), 8_000)]})
    measured = kn.metrics(calls, speech=lambda _samples, _rate: [], progress=False)
    added = [name for name in measured.columns if name not in (*calls.columns, "recording_status", "recording_error")]
    definitions = kn.metric_definitions()
    assert definitions["name"].tolist() == added
    assert definitions["dtype"].tolist() == [str(measured[name].dtype) for name in added]


def test_every_definition_has_a_sentence_and_a_source() -> None:
    """And is text throughout, so that the table can be published as it is."""
    definitions = kn.metric_definitions()
    assert definitions.columns.tolist() == ["name", "dtype", "unit", "definition", "source"]
    assert set(definitions.dtypes.astype(str)) == {"string"}
    assert definitions["definition"].str.fullmatch(r"[A-Za-z0-9].*\.").all()
    assert definitions["source"].str.len().gt(0).all()
