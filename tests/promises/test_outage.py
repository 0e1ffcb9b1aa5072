"""The network goes away in the middle of a run: the run waits as one, and every recording comes."""

from __future__ import annotations

import _thread
import logging
import multiprocessing
import threading
import time
from concurrent.futures import ProcessPoolExecutor

import pytest
import stamina
from frames import FREE, statuses
from relay import CUTTING, REFUSING, relayed

import kataven_notebook as kn
from kataven_notebook import demo

pytestmark = pytest.mark.core
ROWS = 60


@pytest.fixture(autouse=True)
def with_real_pauses():
    """Let the pauses between attempts be: they outlast what came before the network went, and is read after it."""
    with stamina.set_testing(False):
        yield


@pytest.fixture
def service(wav):
    """A Hub whose URLs live as long as an outage of these tests, and the relays before it."""
    sessions = {f"s{number:02d}": wav for number in range(ROWS)}
    with demo.hub(sessions=sessions, limits=FREE, api_latency_s=0.02, storage_latency_s=0.02) as hub:
        api, storage, base_url = relayed(hub)
        with api, storage:
            settings = kn.Settings(
                api_key=hub.api_key,
                base_url=base_url,
                limits=FREE,
                state_dir=hub.settings.state_dir,
                request_timeout_s=2.0,
            )
            yield hub, {"api": api, "storage": storage}, settings


def said(caplog, text: str) -> bool:
    """Whether a message has been logged."""
    return any(text in record.getMessage() for record in caplog.records)


def outage(hub, relays, caplog, *, how: str, until=lambda: True) -> threading.Thread:
    """Let the network go away after ten recordings, and come back once the run has said so."""

    def run() -> None:
        while hub.requests.count("storage") < 10:
            time.sleep(0.001)
        for relay in relays:
            relay.go_away(how)
        while not (said(caplog, "no connection to") and until()):
            time.sleep(0.01)
        for relay in relays:
            relay.come_back()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.parametrize("how", [REFUSING, CUTTING])
@pytest.mark.parametrize("sides", [("api",), ("storage",), ("api", "storage")])
def test_every_recording_comes_when_the_network_is_back(service, caplog, tmp_path, how, sides) -> None:
    """The API alone, the storage alone, or both; what is asked for twice is what was under way."""
    hub, relays, settings = service
    caplog.set_level(logging.WARNING, "kataven_notebook")
    ends = outage(hub, [relays[side] for side in sides], caplog, how=how)
    found = kn.audio(hub.sessions, settings=settings, store=tmp_path / "calls", progress=False)
    ends.join()
    assert statuses(found) == {"downloaded": ROWS}
    assert hub.requests.count("api") <= ROWS + 40
    assert hub.requests.refused == 0
    assert sum("the run waits and goes on by itself" in each.getMessage() for each in caplog.records) <= 2


def test_urls_that_die_in_an_outage_are_signed_again(service, caplog) -> None:
    """The storage refuses them when it is back."""
    hub, relays, settings = service
    caplog.set_level(logging.WARNING, "kataven_notebook")

    def is_late() -> bool:
        # By the service's clock, so that no test waits for five minutes.
        hub.options.clock_offset_s = 400.0
        return True

    ends = outage(hub, [relays["storage"]], caplog, how=REFUSING, until=is_late)
    found = kn.audio(hub.sessions, settings=settings, progress=False)
    ends.join()
    assert statuses(found) == {"downloaded": ROWS}
    assert any(request.status == 403 for request in hub.requests.storage)


@pytest.mark.long
def test_no_url_is_signed_while_nobody_gets_sound(service, caplog) -> None:
    """They would only grow old."""
    hub, relays, settings = service
    # Long beside the time in which the outage is seen: what is being signed then is the last.
    hub.options.api_latency_s = 1.0
    caplog.set_level(logging.WARNING, "kataven_notebook")
    asked = []

    def is_quiet() -> bool:
        asked.append(hub.requests.count("api"))
        return len(asked) > 100

    ends = outage(hub, [relays["storage"]], caplog, how=REFUSING, until=is_quiet)
    kn.audio(hub.sessions, settings=settings, progress=False)
    ends.join()
    # What was being signed when it was seen comes yet.
    assert asked[-1] - asked[50] <= 20
    assert asked[-1] < ROWS


def test_max_wait_ends_the_waiting(service, caplog) -> None:
    """Rows that are left say since when nobody answers; the same call goes on when the network is back."""
    hub, relays, settings = service
    caplog.set_level(logging.WARNING, "kataven_notebook")
    is_over = threading.Event()
    ends = outage(hub, relays.values(), caplog, how=REFUSING, until=is_over.is_set)
    found = kn.audio(hub.sessions, settings=settings, max_wait=1, progress=False)
    is_over.set()
    ends.join()
    counts = statuses(found)
    assert 1 <= counts["downloaded"] < ROWS
    assert counts == {"downloaded": counts["downloaded"], "failed": ROWS - counts["downloaded"]}
    reasons = found["recording_error"].dropna()
    assert reasons[~reasons.str.contains("has not answered since .* max_wait is over")].tolist() == []
    assert statuses(kn.audio(found, settings=settings, progress=False)) == {"downloaded": ROWS}


def test_the_stop_button_ends_the_waiting(service, caplog) -> None:
    """What has come is in the frame, the rest is skipped."""
    hub, relays, settings = service
    caplog.set_level(logging.WARNING, "kataven_notebook")
    is_over = threading.Event()

    def stopped() -> bool:
        _thread.interrupt_main()
        return is_over.wait()

    ends = outage(hub, relays.values(), caplog, how=REFUSING, until=stopped)
    with pytest.raises(kn.errors.Interrupted) as caught:
        kn.audio(hub.sessions, settings=settings, progress=False)
    is_over.set()
    ends.join()
    counts = statuses(caught.value.frame)
    assert 1 <= counts["downloaded"] < ROWS
    others = caught.value.frame[~caught.value.frame["recording_status"].isin(["downloaded", "skipped"])]
    assert others["recording_error"].tolist() == []


@pytest.mark.long
def test_a_storage_that_has_never_answered_ends_the_run(service) -> None:
    """A firewall or a proxy between: one reason that names the host, and no URL signed for nothing afterwards."""
    hub, relays, settings = service
    relays["storage"].go_away(REFUSING)
    found = kn.audio(hub.sessions, settings=settings, in_flight=5, progress=False)
    counts = statuses(found)
    assert set(counts) == {"failed", "skipped"}
    assert 3 <= counts["failed"] <= 10
    assert hub.requests.count("api") <= 15
    name = f"127.0.0.1:{relays['storage'].port} has never answered on this machine: check the proxy and the VPN"
    assert found["recording_error"].str.contains(name, regex=False).all()


def test_a_dead_host_in_one_url_is_that_rows_trouble(service) -> None:
    """Nobody waits for a host that has never answered."""
    hub, _, settings = service
    hub.faults.add("s05", "storage:redirect", location="http://127.0.0.1:9/nowhere")
    found = kn.audio(hub.sessions, settings=settings, progress=False)
    assert statuses(found) == {"downloaded": ROWS - 1, "failed": 1}


@pytest.mark.long
def test_workers_of_this_machine_wait_too(service, caplog) -> None:
    """What they could not fetch they are asked for again when the storage is back."""

    def size(recording: kn.Recording) -> int:  # sent as it is: workers don't know the tests' modules
        return recording.size_bytes

    hub, relays, settings = service
    caplog.set_level(logging.WARNING, "kataven_notebook")
    ends = outage(hub, [relays["storage"]], caplog, how=REFUSING)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        found = kn.apply(hub.sessions, size, settings=settings, executor=executor, progress=False)
    ends.join()
    assert found["apply_error"].dropna().tolist() == found["recording_error"].dropna().tolist() == []
    assert found["size"].notna().all()
