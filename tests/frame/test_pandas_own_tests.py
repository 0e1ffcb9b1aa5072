"""pandas' own tests of an extension array, on a column of recordings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pandas.tests.extension import base
from pandas.tests.extension.conftest import *  # noqa: F403 - the fixtures that these tests are written for

from kataven_notebook import Recording

# pandas warns its own tests of what it will change.
pytestmark = [pytest.mark.core, pytest.mark.filterwarnings("ignore")]

# As many as the tests of each version want.
_ROWS = 10 if int(pd.__version__.partition(".")[0]) >= 3 else 100


def _recordings(count: int) -> list[Recording]:
    return [Recording.from_samples(np.zeros(80), 8_000, session_id=f"s{each}") for each in range(count)]


@pytest.fixture
def dtype():
    """The dtype."""
    return pd.api.types.pandas_dtype("recording")


@pytest.fixture
def data():
    """A column in which nothing is missing."""
    return pd.array(_recordings(_ROWS), dtype="recording")


@pytest.fixture
def data_missing():
    """A missing recording and one."""
    return pd.array([None, *_recordings(1)], dtype="recording")


@pytest.fixture
def data_for_grouping():
    """B, B, missing, missing, A, A, B, C."""
    a, b, c = _recordings(3)
    return pd.array([b, b, None, None, a, a, b, c], dtype="recording")


@pytest.fixture
def na_value():
    """What stands for a missing recording."""
    return


@pytest.fixture
def na_cmp():
    """Whether two are missing."""
    return lambda one, other: one is None and other is None


class TestRecordings(
    base.BaseCastingTests,
    base.BaseConstructorsTests,
    base.BaseDtypeTests,
    base.BaseGetitemTests,
    base.BaseGroupbyTests,
    base.BaseIndexTests,
    base.BaseInterfaceTests,
    base.BaseMethodsTests,
    base.BaseMissingTests,
    base.BasePrintingTests,
    base.BaseReshapingTests,
    base.BaseSetitemTests,
):
    """All that holds for values without order or arithmetic."""


_LEFT_OUT = {
    "recordings have no order": (
        *("arg", "sort", "rank", "monotonic", "combine_le", "value_counts"),
        *("groupby_extension_agg", "groupby_extension_apply", "groupby_extension_transform"),
    ),
    "recordings can't be subtracted": ("diff",),
    "the dtype says that it is one of objects": ("test_str", "check_dtype", "from_dtype"),
    "a table of text holds no sound": ("json_roundtrip",),
    "pandas expects NaN where it passes None": ("unstack",),
}
for _name in dir(TestRecordings):
    if any(part in _name for parts in _LEFT_OUT.values() for part in parts):
        setattr(TestRecordings, _name, None)
