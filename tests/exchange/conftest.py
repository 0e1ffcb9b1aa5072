"""The frame that the tests of `exchange` share."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from exports import IDS, sound


@pytest.fixture
def frame() -> pd.DataFrame:
    """Sessions with awkward ids, labels of every dtype, and one row without sound."""
    count = len(IDS) + 1
    return pd.DataFrame(
        {
            "session_id": [*IDS, "silent"],
            "label": pd.Categorical(["good", "bad"] * (count // 2) + ["good"]),
            "score": pd.array([1, None, 3, 4, 5, 6, 7], dtype="Int64"),
            "latency_s": np.linspace(0.1, 0.9, count),
            "resolved": pd.array([True, False, None] * 2 + [True], dtype="boolean"),
            "started_at": pd.date_range("2026-01-01", periods=count, tz="UTC").as_unit("us"),
            "note": ['a "quoted", thing', "two\nlines", "ü", "NA", "x", "y", "z"],
            "audio": [*[sound(0.2 + number / 10) for number in range(len(IDS))], None],
            "recording_url": ["https://b.s3.amazonaws.com/x?X-Amz-Signature=secret"] * count,
        }
    )
