"""The closed vocabulary of outcomes."""

from __future__ import annotations

import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook import errors
from kataven_notebook.status import Status, status_of

pytestmark = pytest.mark.core


def test_the_vocabulary_is_closed() -> None:
    """These and no others; each has an advice."""
    assert [str(each) for each in Status] == [
        "ready", "downloaded", "missing", "pending", "invalid", "refused", "unconfigured", "limited", "expired",
        "corrupt", "unsupported", "too_large", "failed", "skipped",
    ]  # fmt: skip
    assert all(each.advice for each in Status)
    with pytest.raises(ValueError, match="lost"):
        Status("lost")


def test_final_statuses_are_those_that_asking_again_cannot_change() -> None:
    """`audio` leaves these alone."""
    assert {each for each in Status if each.is_final} == {
        Status.DOWNLOADED, Status.MISSING, Status.CORRUPT, Status.INVALID,
    }  # fmt: skip
    assert {each for each in Status if each.is_good} == {Status.READY, Status.DOWNLOADED}


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (errors.InvalidSessionId, "invalid"),
        (errors.RecordingMissing, "missing"),
        (errors.RecordingPending, "pending"),
        (errors.AccessRefused, "refused"),
        (errors.PlaybackUnconfigured, "unconfigured"),
        (errors.RateLimited, "limited"),
        (errors.WaitTooLong, "limited"),
        (errors.UrlExpired, "expired"),
        (errors.RecordingTooLarge, "too_large"),
        (errors.RecordingCorrupt, "corrupt"),
        (errors.FormatUnsupported, "unsupported"),
        (errors.ServiceFailed, "failed"),
        (errors.DownloadFailed, "failed"),
    ],
)
def test_each_error_means_one_status(kind, status) -> None:
    """The table of the design."""
    assert status_of(kind("x")) == status


def test_the_column_compares_with_text_and_with_members() -> None:
    """It holds plain strings, so both kinds of comparison work."""
    column = pd.Series(pd.Categorical(["missing", "ready"], [str(each) for each in kn.Status]))
    assert (column == "missing").tolist() == (column == Status.MISSING).tolist() == [True, False]
