"""The frame of calls that most tests of the desk open."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pages import sound


@pytest.fixture
def calls() -> pd.DataFrame:
    """Five calls: three with sound, one missing, one corrupt; the first stands in two rows."""
    recording = sound()
    status = ["downloaded", "downloaded", "missing", "corrupt", "downloaded", "downloaded"]
    return pd.DataFrame(
        {
            "call": ["b", "a", "d", "e", "c", "b"],
            "recording_status": status,
            "audio": [recording if each == "downloaded" else None for each in status],
            "recording_error": [None, None, "no recording", "truncated", None, None],
            "score": [2.5, 1.0, np.nan, 10.0, 3.0, 2.5],
        },
        index=[7, 7, 8, 9, 10, 11],
    )
