"""`metric_definitions`: what the columns of numbers mean."""

from __future__ import annotations

import pandas as pd

from kataven_notebook.numbers.definitions import ALL_COLUMNS


def metric_definitions() -> pd.DataFrame:
    """Return what each number of `metrics` means: dtype, unit, definition and source.

    For looking a column up, and for the table of definitions beside published numbers.

    Returns
    -------
    pandas.DataFrame
        One row per column that `metrics` adds beside status and error, in the order of the columns.
        `name`, `dtype` (as pandas calls it), `unit` ("s", "count", "1" for shares and ratios, "dBFS",
        "dB", "LUFS", missing for text and channel numbers), `definition` (one sentence) and `source`
        (the standard or paper that defines the number, or the module of this package that does), all
        of dtype string. With a prefix the columns of `metrics` have it before these names.

    Examples
    --------
    >>> import kataven_notebook as kn
    >>> definitions = kn.metric_definitions().set_index("name")
    >>> definitions.loc["talk_ratio", "definition"]
    'agent_talk_s over agent_talk_s + caller_talk_s, 0 to 1.'
    >>> definitions.loc["agent_lufs", ["unit", "source"]].tolist()
    ['LUFS', 'ITU-R BS.1770-4 (2015)']
    """
    rows = [(name, each.dtype, each.unit, each.definition, each.source) for name, each in ALL_COLUMNS.items()]
    return pd.DataFrame(rows, columns=["name", "dtype", "unit", "definition", "source"], dtype="string")
