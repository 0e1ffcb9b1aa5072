"""Which hosts answer: an outage is nobody's fault, a session's trouble is its own."""

from __future__ import annotations

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

import httpx
import pytest
from relay import CUTTING, REFUSING, SILENT, Relay

import kataven_notebook as kn
from kataven_notebook import errors
from kataven_notebook.service.client import HubClient
from kataven_notebook.service.hosts import ConnectionLost, Hosts, StillAway, origin_of
from kataven_notebook.signals import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.core


@pytest.fixture
def relay(hub):
    """A relay before the Hub's API."""
    with Relay(int(origin_of(hub.base_url).rpartition(":")[2])) as running:
        yield running


@pytest.fixture
def settings(hub, relay):
    """Settings that lead to the relay."""
    return kn.Settings(api_key=hub.api_key, base_url=f"http://127.0.0.1:{relay.port}/v1", request_timeout_s=2.0)


def seen(hosts: Hosts) -> None:
    """Wait until an outage is seen."""
    while hosts.outage() is None:
        time.sleep(0.01)


def suppressed(call: Callable[[], object]) -> None:
    """Call until stopped."""
    with contextlib.suppress(Stopped):
        call()


def lost(url: str) -> None:
    """Get no answer."""
    raise ConnectionLost(url, "gone", time.monotonic())


def test_a_request_that_meets_an_outage_is_sent_again_when_it_is_over(settings, relay, hub) -> None:
    """One probe at a time meanwhile, at growing intervals; no attempt is spent."""
    hosts = Hosts(settings)
    with HubClient(settings, hosts=hosts) as client:
        client.sign("s0")
        relay.go_away(CUTTING)
        answers = []
        asking = [
            threading.Thread(target=lambda each=each: answers.append(client.sign(each))) for each in ("s1", "s2", "s3")
        ]
        for thread in asking:
            thread.start()
        while hosts.outage() is None or relay.attempts < 6:
            time.sleep(0.01)
        assert f"no connection to 127.0.0.1:{relay.port} since " in hosts.outage()
        assert "next try at" in hosts.outage()
        while hosts._host(settings.base_url).pause_s <= 0.5:
            time.sleep(0.01)
        # Each thread's own request, what told the outage from their own trouble, and a probe, of one connection or
        # two, each half second for four seconds: a third of what comes where each thread probes.
        assert relay.attempts <= 3 * 3 + 2 * 9
        relay.come_back()
        for thread in asking:
            thread.join()
        assert len(answers) == 3
        assert hosts.outage() is None
    hosts.close()


def test_a_session_whose_answers_break_is_its_own_trouble(settings, hub) -> None:
    """The host answers others, so nobody waits."""
    hosts = Hosts(settings)
    hub.faults.add("s1", "api:reset_before")
    with HubClient(settings, hosts=hosts) as client:
        client.sign("s0")
        with pytest.raises(errors.ServiceFailed, match="broke off"):
            client.sign("s1")
        assert hosts.outage() is None
    hosts.close()


def test_a_gateway_that_answers_for_a_service_that_does_not_is_an_outage(settings, hub) -> None:
    """Its root is there, and no session gets an answer, not even one that did before."""
    hosts = Hosts(settings)
    with HubClient(settings, hosts=hosts) as client:
        client.sign("s0")
        hub.faults.add("*", "api:reset_before")
        answers = []
        asking = [
            threading.Thread(target=lambda each=each: answers.append(client.sign(each))) for each in ("s1", "s2", "s3")
        ]
        for thread in asking:
            thread.start()
        seen(hosts)
        hub.faults.clear()
        for thread in asking:
            thread.join()
        assert len(answers) >= 2
    hosts.close()


class Answering(BaseHTTPRequestHandler):
    """Answers what is not in `broken`, and breaks off the rest."""

    broken: ClassVar[set[str]] = set()

    def do_GET(self) -> None:
        """Answer, or break off."""
        if self.path not in self.broken:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def service():
    """A service of its own, and its address."""
    Answering.broken = set()
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def ask(hosts: Hosts, url: str, stop: threading.Event) -> None:
    """Ask as the clients do."""

    def send() -> None:
        began_at = time.monotonic()
        try:
            httpx.get(url, timeout=2.0)
        except httpx.HTTPError:
            raise ConnectionLost(url, "gone", began_at, session_id=url) from None
        hosts.answered(url, ask_again=lambda: ask_once(url))

    hosts.through(url, send, stop)


def ask_once(url: str) -> None:
    """Repeat a request that was answered."""
    try:
        httpx.get(url, timeout=2.0)
    except httpx.HTTPError:
        raise ConnectionLost(url, "gone", time.monotonic()) from None


def test_a_host_that_never_answers_for_its_root_is_there_all_the_same(settings, service) -> None:
    """Some web servers break off what they have no page for: nobody waits for that to end."""
    hosts = Hosts(settings)
    Answering.broken = {"/", "/bad"}
    ask(hosts, f"{service}/good", threading.Event())
    with pytest.raises(ConnectionLost):
        ask(hosts, f"{service}/bad", threading.Event())
    assert hosts.outage() is None
    hosts.close()


def test_what_broke_off_after_its_head_is_not_what_is_asked_again(settings, service) -> None:
    """Two sessions that break for good at the end of a run would be an outage without end."""
    hosts, bad = Hosts(settings), [f"{service}/bad", f"{service}/worse"]
    ask(hosts, f"{service}/good", threading.Event())
    for url in bad:
        hosts.answered(url)  # its head, and no more
    Answering.broken = {"/bad", "/worse"}
    for _ in range(2):
        for url in bad:
            with pytest.raises(ConnectionLost):
                ask(hosts, url, threading.Event())
    assert hosts.outage() is None
    hosts.close()


def test_those_that_wait_send_their_own_where_nothing_else_can_be_asked(settings, service) -> None:
    """The first request of a run breaks, and so does the root: the second one shows that the host is there."""
    first = Hosts(settings)
    ask(first, f"{service}/good", threading.Event())
    first.close()
    Answering.broken = {"/", "/bad"}
    hosts, stop, ended = Hosts(settings), threading.Event(), []

    def run(path: str) -> None:
        try:
            ask(hosts, f"{service}{path}", stop)
        except (ConnectionLost, Stopped) as error:
            ended.append(type(error))
        else:
            ended.append(path)

    threads = [threading.Thread(target=run, args=("/bad",))]
    threads[0].start()
    seen(hosts)
    threads.append(threading.Thread(target=run, args=("/good",)))
    threads[1].start()
    for thread in threads:
        thread.join(timeout=10.0)
    stop.set()
    assert ended == ["/good", ConnectionLost]
    hosts.close()


def test_a_gateway_before_a_service_that_is_away_is_an_outage_from_the_first_request_on(settings, service) -> None:
    """Its root is there and nothing has been answered yet: that eight sessions get nothing is no coincidence."""
    first = Hosts(settings)
    ask(first, f"{service}/good", threading.Event())
    first.close()
    paths = [f"/{number}" for number in range(12)]
    Answering.broken = set(paths)
    hosts, stop, tried_again, answered = Hosts(settings), threading.Event(), threading.Event(), []

    def run(path: str) -> None:
        for _ in range(2):
            with contextlib.suppress(ConnectionLost):
                ask(hosts, f"{service}{path}", stop)
                return answered.append(path)
            # A run pauses before it tries again; were none to, seven could use up theirs before the eighth begins.
            tried_again.wait(timeout=10.0)
        return None

    threads = [threading.Thread(target=run, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    while hosts.outage() is None and any(thread.is_alive() for thread in threads):
        time.sleep(0.01)
    Answering.broken = set()
    tried_again.set()
    for thread in threads:
        thread.join(timeout=10.0)
    stop.set()
    assert sorted(answered) == sorted(paths)
    hosts.close()


def test_a_host_that_has_never_answered_is_not_waited_for(settings, relay) -> None:
    """It says so, and what to check."""
    relay.go_away(REFUSING)
    hosts = Hosts(settings)
    with HubClient(settings, hosts=hosts) as client, pytest.raises(errors.ServiceFailed) as caught:
        client.sign("s0")
    assert f"127.0.0.1:{relay.port} has never answered on this machine: check KATAVEN_BASE_URL" in str(caught.value)
    hosts.close()


def test_a_silent_host_that_has_never_answered_is_judged_once_for_all(settings, relay) -> None:
    """Eight requests wait in vain together; were each to ask on its own account, the last would wait eight times."""
    relay.go_away(SILENT)
    hosts = Hosts(settings)
    began_at = time.monotonic()

    def get_nothing() -> None:
        raise ConnectionLost(settings.base_url, "the connection timed out", began_at)

    def ask(_: int) -> None:
        with pytest.raises(ConnectionLost):
            hosts.through(settings.base_url, get_nothing, threading.Event())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(8)))
    assert relay.attempts == 1
    hosts.close()


def test_another_process_remembers_who_has_answered(settings, relay) -> None:
    """A run that starts while the network is away waits for a host that was there last week."""
    first = Hosts(settings)
    with HubClient(settings, hosts=first) as client:
        client.sign("s0")
    first.close()
    relay.go_away(REFUSING)
    second, stop = Hosts(settings), threading.Event()
    assert not second.is_unknown(settings.base_url)
    with HubClient(settings, hosts=second) as client:
        ends = threading.Thread(target=lambda: (seen(second), stop.set()))
        ends.start()
        with pytest.raises(Stopped):
            client.sign("s1", stop=stop)
        ends.join()
    second.close()


def test_max_wait_bounds_the_wait(settings, relay) -> None:
    """And the message says since when there was no answer."""
    with HubClient(settings, hosts=Hosts(settings)) as client:
        client.sign("s0")
    relay.go_away(REFUSING)
    hosts = Hosts(settings, deadline=time.time() + 0.3)
    with (
        HubClient(settings, hosts=hosts) as client,
        pytest.raises(errors.ServiceFailed, match=r"has not answered since .*max_wait is over; call again"),
    ):
        client.sign("s1")
    hosts.close()


def test_max_wait_is_not_spent_on_probes(settings, relay) -> None:
    """Two seconds show that a Hub takes connections and says nothing."""
    hosts = Hosts(replace(settings, request_timeout_s=8.0), deadline=time.time())
    relay.go_away(SILENT)
    hosts.answered(settings.base_url, ask_again=lambda: pytest.fail("no time is left for this"))
    began = time.monotonic()
    with pytest.raises(StillAway):
        hosts.through(settings.base_url, lambda: lost(settings.base_url), threading.Event())
    assert time.monotonic() - began < 5.0
    hosts.close()


def test_a_stop_ends_the_wait(settings, relay) -> None:
    """At once, whatever the interval."""
    hosts, stop = Hosts(settings), threading.Event()
    with HubClient(settings, hosts=hosts) as client:
        client.sign("s0")
    relay.go_away(REFUSING)
    threading.Timer(0.1, stop.set).start()
    with pytest.raises(Stopped):
        hosts.through(settings.base_url, lambda: lost(settings.base_url), stop)
    hosts.close()


def test_hosts_are_told_apart_by_scheme_host_and_port(settings, relay, hub) -> None:
    """One that is away holds nobody up at another."""
    hosts = Hosts(settings, deadline=0.0)
    for url in (settings.base_url, hub.base_url):
        hosts.answered(url, ask_again=lambda: None)
    relay.go_away(REFUSING)
    with pytest.raises(StillAway):
        hosts.through(settings.base_url, lambda: lost(settings.base_url), threading.Event())
    assert hosts.through(hub.base_url, lambda: "there", threading.Event()) == "there"
    hosts.close()


def test_others_are_held_up_only_while_somebody_waits_for_a_host(settings, relay, hub) -> None:
    """Who waits asks again; where nobody does, nobody would learn that it is back."""
    hosts, stop = Hosts(settings), threading.Event()
    hosts.answered(settings.base_url, ask_again=lambda: None)
    relay.go_away(REFUSING)
    waiting = threading.Thread(
        target=suppressed, args=(lambda: hosts.through(settings.base_url, lambda: lost(settings.base_url), stop),)
    )
    waiting.start()
    while not hosts.is_any_away(but=hub.base_url):
        time.sleep(0.01)
    assert not hosts.is_any_away(but=settings.base_url)
    stop.set()
    waiting.join()
    assert not hosts.is_any_away(but=hub.base_url)
    hosts.close()


def test_one_session_goes_ahead_now_and_then(settings, relay, hub, monkeypatch) -> None:
    """All that have begun may have their sound on the host that is away, and the next one on another."""
    monkeypatch.setattr("kataven_notebook.service.hosts._AHEAD_S", 0.5)
    hosts, stop = Hosts(settings), threading.Event()
    hosts.answered(settings.base_url, ask_again=lambda: None)
    relay.go_away(REFUSING)
    waiting = threading.Thread(
        target=suppressed, args=(lambda: hosts.through(settings.base_url, lambda: lost(settings.base_url), stop),)
    )
    waiting.start()
    for _ in range(2):
        while not hosts.is_any_away(but=hub.base_url):
            time.sleep(0.01)
        while hosts.is_any_away(but=hub.base_url):
            time.sleep(0.01)
        hosts.go_ahead()
    stop.set()
    waiting.join()
    hosts.close()


def test_what_is_remembered_may_be_damaged(settings, tmp_path) -> None:
    """Then nothing is remembered, and nothing is raised."""
    damaged = kn.Settings(api_key="sk_live_a_1", base_url=settings.base_url, state_dir=tmp_path)
    (tmp_path / "hosts-1.sqlite3").write_bytes(b"no database" * 1_000)
    hosts = Hosts(damaged)
    assert hosts.is_unknown(damaged.base_url)
    hosts.answered(damaged.base_url, ask_again=lambda: None)
    assert not hosts.is_unknown(damaged.base_url)
