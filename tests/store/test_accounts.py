"""Whose store it is: bound by an answer that proves the account, and by nothing else."""

from __future__ import annotations

import uuid

import pandas as pd
import pytest

import kataven_notebook as kn
from kataven_notebook import errors
from kataven_notebook.store.accounts import account_mark, is_anonymous, is_proved, refuse_other

pytestmark = pytest.mark.core
FRAME = pd.DataFrame({"session_id": ["s0", "s1", "gone"]})


@pytest.fixture(params=["folder", "bucket"])
def place(request, tmp_path) -> str:
    """A place where no store is yet."""
    return str(tmp_path / "calls") if request.param == "folder" else f"memory://{uuid.uuid4().hex}"


def test_a_renewed_key_has_the_mark_of_its_account() -> None:
    """The last part of a key is random; an account that is named is named by it."""
    first, second = (kn.Settings(api_key=f"sk_live_acme_{each * 16}") for each in "ab")
    assert account_mark(first) == account_mark(second)
    assert account_mark(kn.Settings(api_key="sk_live_other_0123456789")) != account_mark(first)
    assert "sk_live" not in account_mark(first)
    assert account_mark(kn.Settings(api_key="eyJ.a.b", account_id="acme")) == "account:acme"
    assert is_anonymous(kn.Settings())
    assert not is_anonymous(first)


def test_a_store_of_nobody_refuses_nobody() -> None:
    """And one of another account says what to do."""
    settings = kn.Settings(api_key="sk_live_acme_0123456789")
    refuse_other(None, settings, "calls")
    refuse_other(account_mark(settings), settings, "calls")
    with pytest.raises(errors.StoreError, match=r"store calls holds .* another account.*adopt\(\)"):
        refuse_other("account:other", settings, "calls")


@pytest.mark.parametrize(
    "key", ["sk_live_typo_0123456789abcdef", "pk_live_acme_0123456789abcdef", "eyJhbGciOi.eyJzdWI.x"]
)
def test_a_key_that_never_worked_binds_nothing(hub, place, key) -> None:
    """A typo, a widget's identifier, a token without its account: the right key is not told that it is a stranger."""
    wrong = kn.Settings(api_key=key, base_url=hub.base_url)
    try:
        refused = kn.audio(FRAME, store=place, settings=wrong, progress=False)
        assert set(refused["recording_status"]) == {"refused", "skipped"}
    except errors.ConfigurationError:
        assert hub.requests.count() == 0
    heard = kn.audio(FRAME, store=place, settings=hub.settings, progress=False)
    assert heard["recording_status"].tolist() == ["downloaded", "downloaded", "missing"]


@pytest.mark.parametrize("session_id", ["s0", "gone", "later"])
def test_the_first_answer_about_a_session_binds(hub, place, session_id) -> None:
    """Sound, no recording, not uploaded yet: each proves the key. Then others are refused before anything is sent."""
    hub.add("later", state="pending")
    kn.audio(pd.DataFrame({"session_id": [session_id]}), store=place, settings=hub.settings, progress=False)
    other = kn.Settings(api_key="sk_live_other_0123456789abcdef", base_url=hub.base_url)
    hub.requests.clear()
    with pytest.raises(errors.StoreError, match="another account"):
        kn.audio(FRAME, store=place, settings=other, progress=False)
    assert hub.requests.count() == 0


def test_a_server_that_fails_binds_nothing(hub, place, monkeypatch) -> None:
    """It has not looked at the key."""
    hub.faults.add("s0", "api:server_error")
    hub.faults.add("s1", "api:no_url")
    monkeypatch.setattr("kataven_notebook.store.accounts._proved", set())
    failed = kn.audio(FRAME[:2], store=place, settings=hub.settings, progress=False)
    assert failed["recording_status"].tolist() == ["failed", "failed"]
    kn.Store(place).check_account(kn.Settings(api_key="sk_live_other_0123456789abcdef"))


def test_two_accounts_that_start_together_do_not_mix(hub, place) -> None:
    """Both found the store free; the second proof ends its run before sound is kept."""
    store = kn.Store(place)
    other = kn.Settings(api_key="sk_live_other_0123456789abcdef", base_url=hub.base_url)
    store.check_account(other)
    store.check_account(hub.settings)
    store.bind(other)
    with pytest.raises(errors.StoreError, match="another account"):
        store.bind(hub.settings)


def test_a_store_that_is_filled_from_a_frame_is_the_accounts_too(hub, place) -> None:
    """No request is sent for it: the key was shown to be good when the frame was fetched."""
    frame = kn.audio(FRAME[:2], settings=hub.settings, progress=False)
    hub.requests.clear()
    kn.audio(frame, store=place, settings=hub.settings, progress=False)
    assert hub.requests.count() == 0
    other = kn.Settings(api_key="sk_live_other_0123456789abcdef", base_url=hub.base_url)
    with pytest.raises(errors.StoreError, match="another account"):
        kn.audio(FRAME, store=place, settings=other, progress=False)
    assert not is_proved(other)
