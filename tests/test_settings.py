"""Settings: where they come from, and what can't work is found before any request."""

from __future__ import annotations

from pathlib import Path

import pytest

import kataven_notebook as kn
from kataven_notebook.settings import current_settings

pytestmark = pytest.mark.core

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln"


def test_arguments_come_before_the_environment_and_the_defaults(monkeypatch) -> None:
    """`configure` wins over the environment, which wins over the defaults."""
    monkeypatch.setenv("KATAVEN_API_KEY", "sk_live_env_1")
    monkeypatch.setenv("KATAVEN_ACCOUNT_ID", "acme")
    monkeypatch.setenv("KATAVEN_BASE_URL", "https://eu.kataven.ai/v1/")
    monkeypatch.setenv("KATAVEN_STATE_DIR", "/somewhere")
    found = current_settings()
    assert (found.api_key, found.account_id, found.base_url, found.state_dir) == (
        "sk_live_env_1", "acme", "https://eu.kataven.ai/v1", Path("/somewhere"),
    )  # fmt: skip
    kn.configure(api_key="sk_live_mine_1", request_timeout_s=3)
    found = current_settings()
    assert (found.api_key, found.account_id, found.request_timeout_s) == ("sk_live_mine_1", "acme", 3)


def test_configure_keeps_what_is_not_given_and_changes_nothing_when_it_fails() -> None:
    """A second call adds to the first; a refused one leaves all as it was."""
    kn.configure(api_key="sk_live_a_1", account_id="acme")
    kn.configure(store="calls/")
    with pytest.raises(kn.errors.ConfigurationError):
        kn.configure(store="other/", base_url="ftp://x")
    assert (current_settings().store, current_settings().account_id) == ("calls/", "acme")


def test_a_blank_environment_variable_counts_as_unset(monkeypatch) -> None:
    """`KATAVEN_BASE_URL=` in a shell is no base URL."""
    monkeypatch.setenv("KATAVEN_BASE_URL", "  ")
    assert current_settings().base_url == "https://api.kataven.ai/v1"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "KATAVEN_API_KEY"),
        ({"api_key": "pk_live_123"}, "public identifier"),
        ({"api_key": JWT}, "KATAVEN_ACCOUNT_ID"),
        ({"api_key": "sk_live_a b"}, "spaces"),
        ({"api_key": "sk_live_ä"}, "characters"),
    ],
)
def test_credentials_that_cannot_work_are_found_before_a_request(hub, given, says) -> None:
    """No request leaves for a key that is none, public, or a token without its account."""
    settings = kn.Settings(base_url=hub.base_url, **given)
    with pytest.raises(kn.errors.ConfigurationError, match=says):
        kn.audio(hub.sessions, settings=settings, progress=False)
    assert hub.requests.count() == 0


@pytest.mark.parametrize(
    "given",
    [
        {"base_url": "http://api.kataven.ai/v1"},
        {"base_url": "api.kataven.ai/v1"},
        {"base_url": "https://user:word@api.kataven.ai/v1"},
        {"base_url": "https://api.kataven.ai/v1?x=1"},
        {"base_url": "https://[::1/v1"},
        {"account_id": "Acme"},
        {"account_id": "-acme"},
        {"account_id": "a" * 64},
        {"request_timeout_s": 0},
        {"request_timeout_s": float("nan")},
        {"request_timeout_s": float("inf")},
        {"request_timeout_s": 10**400},
        {"limits": 60},
    ],
)
def test_settings_that_cannot_work_are_refused_at_once(given) -> None:
    """Each bad value is one ConfigurationError, which is a ValueError too."""
    with pytest.raises(ValueError) as caught:
        kn.Settings(api_key="sk_live_a_1", **given)
    assert isinstance(caught.value, kn.errors.ConfigurationError)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000/v1", "http://localhost:1", "http://[::1]:2/v1", "https://x.org"]
)
def test_plain_http_is_for_loopback_alone(url) -> None:
    """Loopback may be plain http; a slash at the end makes no difference."""
    assert kn.Settings(base_url=url + "/").base_url == url


@pytest.mark.parametrize("bad", [{"per_minute": 0}, {"per_hour": 1.5}, {"in_flight": True}, {"minute_s": 0}])
def test_limits_are_whole_numbers_from_one(bad) -> None:
    """A limit of nothing would wait for ever."""
    with pytest.raises(kn.errors.ConfigurationError, match="="):
        kn.Limits(**bad)


def test_no_repr_shows_a_key() -> None:
    """A key of any shape is taken out of the repr."""
    for key in ("sk_live_acme_secret", "pk_live_secret", JWT, "secret-of-another-shape"):
        shown = repr(kn.Settings(api_key=key))
        assert "secret" not in shown
        assert JWT[3:] not in shown


def test_a_key_of_unknown_shape_is_tried(hub) -> None:
    """Whether a key is good is the service's to say."""
    settings = kn.Settings(api_key="another-kind-of-key", base_url=hub.base_url)
    found = kn.recordings(hub.sessions, settings=settings, progress=False)
    assert found["recording_status"].value_counts()["refused"] == 1
    assert hub.requests.count("api") == 1
