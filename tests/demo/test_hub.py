"""The demo Hub's API: every documented answer, both kinds of credentials, fixed windows, faults."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing, suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest
import soundfile as sf

from kataven_notebook import demo
from kataven_notebook.demo._limits import Limiter
from kataven_notebook.demo._server import listen
from kataven_notebook.settings import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kataven_notebook.demo import Hub

UNLIMITED = Limits(None, None, None, None)
DATA = b"RIFF" + bytes(996)


@pytest.fixture(scope="module")
def running() -> Iterator[Hub]:
    """One hub for the module, with the sample sessions and no limits."""
    with demo.hub(limits=UNLIMITED) as hub:
        hub.add("call-1", DATA)
        yield hub


@pytest.fixture
def hub(running: Hub) -> Iterator[Hub]:
    """Give the module's hub as it was, whatever the test before did."""
    running.faults.clear()
    running.requests.clear()
    yield running
    running.faults.clear()
    running.limiter.limits = UNLIMITED
    running.limiter.reset()
    running.options.nested = False
    running.options.url_field = "url"
    running.options.expiry_field = None
    running.options.api_latency_s = 0.0


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """Give a client with a short patience."""
    with httpx.Client(timeout=5.0, trust_env=False) as opened:
        yield opened


def ask(client: httpx.Client, hub: Hub, session_id: str = "call-1", **headers: str) -> httpx.Response:
    """Ask for a recording, with the hub's key unless other headers are given."""
    headers = headers or {"Authorization": f"Bearer {hub.api_key}"}
    return client.get(f"{hub.base_url}/sessions/{session_id}/recording", headers=headers)


def test_every_mount_answers(hub: Hub, client: httpx.Client) -> None:
    """The same route is under /v1, /api/v1 and /hub-api."""
    root = hub.base_url.removesuffix("/v1")
    headers = {"Authorization": f"Bearer {hub.api_key}"}
    for mount in ("/v1", "/api/v1", "/hub-api", "/hub-api/v1"):
        response = client.get(f"{root}{mount}/sessions/call-1/recording", headers=headers)
        assert client.get(response.json()["url"]).content == DATA


def test_settings_fit_the_hub(hub: Hub) -> None:
    """The settings carry the hub's address, key, limits and a private directory."""
    assert hub.settings.base_url == hub.base_url
    assert hub.settings.api_key == hub.api_key
    assert hub.settings.limits == UNLIMITED
    assert hub.settings.state_dir is not None
    assert hub.settings.state_dir.is_dir()
    if os.name == "posix":
        assert hub.settings.state_dir.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("headers", "status", "text"),
    [
        ({"X-Nothing": "1"}, 401, "missing bearer"),
        ({"Authorization": "Basic abc"}, 401, "missing bearer"),
        ({"Authorization": "Bearer sk_live_demo_wrong"}, 401, "invalid or revoked"),
        ({"Authorization": "Bearer pk_live_widget"}, 401, "invalid or revoked"),
        ({"Authorization": "Bearer eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.bad"}, 401, "invalid token"),
        ({"Authorization": "JWT"}, 400, "X-Account-ID header is missing"),
        ({"Authorization": "JWT", "X-Account-ID": "No Name"}, 400, "invalid account name"),
        ({"Authorization": "JWT", "X-Account-ID": "admin"}, 403, "reserved"),
        ({"Authorization": "JWT", "X-Account-ID": "strangers"}, 403, "not a member"),
        ({"Authorization": "EXPIRED JWT", "X-Account-ID": "demo"}, 401, "expired"),
        ({"Authorization": "JWT", "X-Account-ID": "demo"}, 200, "url"),
        ({"Authorization": "JWT", "X-Account-ID": "a_b-9"}, 200, "url"),
    ],
)
def test_credentials(hub: Hub, client: httpx.Client, headers: dict[str, str], status: int, text: str) -> None:
    """Both kinds of credentials, and each way in which they can be wrong, are answered as documented."""
    hub.accounts.forbidden.add("strangers")
    tokens = {"JWT": f"Bearer {hub.jwt()}", "EXPIRED JWT": f"Bearer {hub.jwt(life_s=-1)}"}
    sent = {name: tokens.get(value, value) for name, value in headers.items()}
    response = ask(client, hub, **sent)
    assert (response.status_code, text in response.text) == (status, True)
    if status != 200:
        assert response.headers["Content-Type"].startswith("text/plain")


def test_revoked_keys_and_further_accounts(hub: Hub, client: httpx.Client) -> None:
    """A further account's key works until it is revoked; without configuration the account gets 503."""
    key = hub.accounts.add("other_account")
    assert ask(client, hub, Authorization=f"Bearer {key}").status_code == 200
    assert hub.requests.api[-1].account == "other_account"
    hub.accounts.unconfigured.add("other_account")
    response = ask(client, hub, Authorization=f"Bearer {key}")
    assert (response.status_code, "not configured" in response.text) == (503, True)
    hub.accounts.revoke(key)
    assert ask(client, hub, Authorization=f"Bearer {key}").status_code == 401


def test_missing_and_pending_sessions(hub: Hub, client: httpx.Client) -> None:
    """404 for no recording, 409 until it is uploaded, then 200."""
    assert ask(client, hub, "nobody").status_code == 404
    assert ask(client, hub, "a%2Fb").status_code == 404
    hub.add("late", state="pending")
    assert ask(client, hub, "late").status_code == 409
    hub.add("late", DATA)
    assert ask(client, hub, "late").status_code == 200
    hub.remove("late")
    assert ask(client, hub, "late").status_code == 404


def test_ids_are_one_percent_encoded_segment(hub: Hub, client: httpx.Client) -> None:
    """Ids that need encoding reach their own session."""
    for session_id, encoded in [("a b", "a%20b"), ("50%", "50%25"), ("ü?#", "%C3%BC%3F%23"), ("..x", "..x")]:
        hub.add(session_id, session_id.encode())
        response = ask(client, hub, encoded)
        assert client.get(response.json()["url"]).content == session_id.encode()
        assert hub.requests.count("api", session_id) == 1


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("expiry_field", [None, "expires_at", "expires_at_epoch", "expires_in"])
def test_shapes_of_the_body(hub: Hub, client: httpx.Client, nested: bool, expiry_field: Any) -> None:  # noqa: FBT001 - a parameter of the test
    """The field of the URL, its place and the expiry beside it can be chosen."""
    hub.options.url_field = "playback_url"
    hub.options.nested = nested
    hub.options.expiry_field = expiry_field
    body = ask(client, hub).json()
    fields = body["data"] if nested else body
    assert fields["playback_url"].startswith(hub.storage_url)
    expected = {"expires_at_epoch": "expires_at"}.get(expiry_field, expiry_field)
    assert set(fields) - {"playback_url"} == ({expected} if expected else set())
    if expiry_field == "expires_in":
        assert fields["expires_in"] == 300
    elif expiry_field == "expires_at":
        assert datetime.fromisoformat(fields["expires_at"]) > datetime.now(UTC) + timedelta(seconds=200)
    elif expiry_field == "expires_at_epoch":
        assert fields["expires_at"] > time.time() + 200


class Clock:
    """Seconds that a test sets."""

    now_s = 1_000.0

    def __call__(self) -> float:
        """Give them."""
        return self.now_s


def test_windows_are_fixed_and_opened_by_their_first_request() -> None:
    """A full burst, refusals that count too, and the next burst exactly a window after the first request."""
    clock = Clock()
    limiter = Limiter(Limits(3, None, None, None), clock)
    assert [limiter.enter("a") for _ in range(3)] == [None] * 3
    clock.now_s += 20.5
    refused = limiter.enter("a")
    assert refused is not None
    assert (refused.limit, refused.allowed, refused.retry_after_s) == ("per-minute", 3, 40)
    assert limiter.used("a") == {"per-minute": 4, "per-hour": 4, "per-day": 4}
    clock.now_s += 39.4
    assert limiter.enter("a") is not None
    clock.now_s += 0.1
    assert [limiter.enter("a") for _ in range(3)] == [None] * 3
    assert limiter.enter("a") is not None


def test_longest_full_window_decides() -> None:
    """When the hour and the minute are both full, the answer names the hour."""
    clock = Clock()
    limiter = Limiter(Limits(2, 4, 100, None), clock)
    for _ in range(2):
        assert limiter.enter("a") is None
    clock.now_s += 60
    for _ in range(2):
        assert limiter.enter("a") is None
    refused = limiter.enter("a")
    assert refused is not None
    assert (refused.limit, refused.retry_after_s) == ("per-hour", 3_540)


def test_accounts_have_windows_of_their_own() -> None:
    """What one account uses is not taken from another; a stranger on the same account is counted."""
    limiter = Limiter(Limits(2, None, None, None), Clock())
    limiter.spend("a", 2)
    assert limiter.enter("a") is not None
    assert limiter.enter("b") is None


def test_refusal_over_http(hub: Hub, client: httpx.Client) -> None:
    """A spent limit is a 429 with Retry-After and the documented text, and is counted as refused."""
    hub.limiter.limits = Limits(2, None, None, None, minute_s=30.0)
    hub.limiter.reset()
    answers = [ask(client, hub) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].text == "rate_limited: per-minute (2) exceeded\n"
    assert 28 <= int(answers[-1].headers["Retry-After"]) <= 30
    assert hub.requests.refused == 1
    assert ask(client, hub, Authorization="Bearer sk_live_demo_wrong").status_code == 401
    assert hub.limiter.used("demo")["per-minute"] == 3


def test_requests_in_flight_are_limited(hub: Hub, client: httpx.Client) -> None:
    """While as many requests as allowed are under way the next is refused, and after they ended it is not."""
    hub.limiter.limits = Limits(None, None, None, 2)
    hub.faults.add("call-1", "api:stall", times=2)

    def hang() -> None:
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(
                f"{hub.base_url}/sessions/call-1/recording",
                headers={"Authorization": f"Bearer {hub.api_key}"},
                timeout=1.0,
            )

    threads = [threading.Thread(target=hang) for _ in range(2)]
    for thread in threads:
        thread.start()
    wait_for(lambda: hub.requests.in_flight("api") == 2)
    refused = ask(client, hub)
    assert (refused.status_code, refused.text) == (429, "rate_limited: in-flight (2) exceeded\n")
    for thread in threads:
        thread.join()
    wait_for(lambda: hub.requests.in_flight("api") == 0)
    assert ask(client, hub).status_code == 200
    assert hub.requests.most_in_flight("api") == 3


def wait_for(condition: Any) -> None:
    """Wait until something is so."""
    deadline_s = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline_s, "it did not come about in 10 s"
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("name", "status", "text"),
    [
        ("unauthorized", 401, "unauthorized"),
        ("forbidden", 403, "forbidden"),
        ("missing", 404, "not found"),
        ("pending", 409, "not uploaded"),
        ("server_error", 500, "internal error"),
        ("bad_gateway", 502, "bad gateway"),
        ("unavailable", 503, "unavailable"),
        ("unconfigured", 503, "not configured"),
        ("html", 200, "<!doctype html>"),
        ("xml", 200, "<Error>"),
        ("empty", 200, ""),
        ("not_json", 200, '{"url": "https'),
        ("json_list", 200, "["),
        ("json_null", 200, "null"),
        ("no_url", 200, '"id"'),
        ("relative_url", 200, '"/recordings/'),
        ("file_url", 200, '"file:///'),
        ("url_not_text", 200, "42"),
    ],
)
def test_api_faults(hub: Hub, client: httpx.Client, name: str, status: int, text: str) -> None:
    """Each answer on demand has its status and text, and is over after as many times as asked."""
    hub.faults.add("call-1", f"api:{name}", times=2)
    for _ in range(2):
        response = ask(client, hub)
        assert (response.status_code, text in response.text) == (status, True)
    assert ask(client, hub).json()["url"].startswith(hub.storage_url)


@pytest.mark.parametrize("value", ["7", "0", "junk", "-3", None])
def test_any_retry_after(hub: Hub, client: httpx.Client, value: str | None) -> None:
    """Retry-After is sent as it is given, or not at all."""
    hub.faults.add("call-1", "api:rate_limited", retry_after=value)
    response = ask(client, hub)
    assert (response.status_code, response.headers.get("Retry-After")) == (429, value)


def test_retry_after_as_a_date(hub: Hub, client: httpx.Client) -> None:
    """A timedelta becomes an HTTP date by the service's clock."""
    hub.faults.add("call-1", "api:rate_limited", retry_after=timedelta(seconds=90))
    response = ask(client, hub)
    dates = [parsedate_to_datetime(response.headers[name]) for name in ("Date", "Retry-After")]
    assert 89 <= (dates[1] - dates[0]).total_seconds() <= 91


def test_huge_json_is_huge(hub: Hub, client: httpx.Client) -> None:
    """The body grows as large as asked, and is valid JSON that holds the URL."""
    hub.faults.add("call-1", "api:huge_json", size_bytes=2_000_000)
    response = ask(client, hub)
    assert len(response.content) > 1_900_000
    assert response.json()["url"].startswith(hub.storage_url)


def test_api_connections_break(hub: Hub, client: httpx.Client) -> None:
    """Faults below HTTP happen on the API too."""
    hub.faults.add("call-1", "api:reset_before", times=1)
    hub.faults.add("call-1", "api:truncated", times=1)
    with pytest.raises(httpx.ReadError):
        ask(client, hub)
    with pytest.raises(httpx.RemoteProtocolError):
        ask(client, hub)
    assert [(entry.status, entry.fault) for entry in hub.requests.api] == [
        (None, "api:reset_before"),
        (200, "api:truncated"),
    ]


def test_redirect_leads_to_another_host(hub: Hub, client: httpx.Client) -> None:
    """A redirect from the API goes to another host name; what is sent there is in the log."""
    hub.faults.add("call-1", "api:redirect", times=1)
    response = ask(client, hub)
    assert (response.status_code, "localhost" in response.headers["Location"]) == (307, True)
    assert "authorization" in hub.requests.api[0].headers
    client.get(response.headers["Location"])
    assert "authorization" not in hub.requests.api[1].headers


def test_faults_skip_and_are_taken_in_order(hub: Hub, client: httpx.Client) -> None:
    """`skip` lets requests pass first, a session's own faults come before those of all."""
    hub.faults.add("*", "api:unauthorized", skip=2, times=1)
    hub.add("call-2", DATA)
    hub.faults.add("call-2", "api:server_error", times=1)
    statuses = [ask(client, hub, session_id).status_code for session_id in ("call-1", "call-2", "call-1", "call-1")]
    assert statuses == [200, 500, 200, 401]
    hub.faults.add("call-2", "api:server_error")
    hub.faults.clear("call-2")
    assert ask(client, hub, "call-2").status_code == 200


def test_unknown_faults_are_refused(hub: Hub) -> None:
    """A wrong name, side or option is an error that lists what there is."""
    with pytest.raises(ValueError, match="storage:truncated"):
        hub.faults.add("call-1", "storage:wobble")
    with pytest.raises(ValueError, match="no fault 'api:slow_down'"):
        hub.faults.add("call-1", "api:slow_down")
    with pytest.raises(ValueError, match="its options: at_bytes"):
        hub.faults.add("call-1", "storage:truncated", at=1)
    with pytest.raises(ValueError, match="whole seconds"), demo.hub(url_life_s=0.5):
        pass


def test_all_faults_can_be_had(hub: Hub, client: httpx.Client) -> None:
    """No kind of fault on either side fails for a reason of its own: the next request is answered."""
    headers = {"Authorization": f"Bearer {hub.api_key}"}
    for name in demo.fault_names():
        url = hub.sign("call-1") if name.startswith("storage") else f"{hub.base_url}/sessions/call-1/recording"
        hub.faults.add("call-1", name, times=1, **({"size_bytes": 1_000_000} if "bomb" in name else {}))
        sent = {} if name.startswith("storage") else headers
        try:
            with client.stream("GET", url, headers=sent, timeout=httpx.Timeout(5.0, read=0.2)) as response:
                next(response.iter_raw(), b"")
        except httpx.TransportError:
            pass
        assert client.get(url, headers=sent).status_code == 200, name


def test_sample_calls_are_what_they_claim(hub: Hub) -> None:
    """Twelve readable calls in five formats whose true speech lies within them, and four sessions without."""
    frame = hub.sessions[lambda rows: rows["session_id"].str.startswith("agent_")]
    assert list(frame.columns) == ["session_id", "agent", "agent_version", "started_at", "outcome"]
    assert len(frame) == 16
    formats, rates, layouts, kinds = set(), set(), set(), set()
    for session_id, truth in hub.truth.items():
        info = sf.info(io.BytesIO(hub.data(session_id)))
        formats.add((info.format, info.subtype))
        rates.add(info.samplerate)
        layouts.add(tuple(truth["channels"]))
        assert info.samplerate == truth["sample_rate"]
        assert info.channels == len(truth["channels"])
        assert info.frames / info.samplerate == pytest.approx(truth["duration_s"], abs=1e-4)
        for turn in truth["turns"]:
            kinds.add(turn["kind"])
            edges = [edge_s for segment in turn["segments"] for edge_s in segment]
            assert edges == sorted(edges)
            assert 0 <= edges[0] < edges[-1] <= truth["duration_s"]
            assert all(later[0] - earlier[1] > 0.099 for earlier, later in pairwise(turn["segments"]))
    assert formats == {
        ("WAV", "PCM_16"),
        ("WAV", "ULAW"),
        ("MP3", "MPEG_LAYER_III"),
        ("OGG", "OPUS"),
        ("FLAC", "PCM_16"),
    }
    assert rates == {8_000, 16_000}
    assert layouts == {("caller", "agent"), ("agent", "caller"), ("mixed",)}
    assert kinds == {"turn", "backchannel", "interruption"}
    assert sum(len(hub.data(session_id)) for session_id in hub.truth) < 2_500_000


def test_sound_is_where_the_truth_says(hub: Hub) -> None:
    """In every call, each channel is far louder where its truth has speech than where nobody speaks."""
    for session_id, truth in hub.truth.items():
        samples, rate = sf.read(io.BytesIO(hub.data(session_id)), always_2d=True)
        for channel in range(samples.shape[1]):
            power = samples[:, channel] ** 2
            spoken = [
                power[int(start_s * rate) : int(end_s * rate)].mean()
                for turn in truth["turns"]
                if turn["channel"] == channel
                for start_s, end_s in turn["segments"]
            ]
            quiet = power[: int(0.4 * rate)].mean()
            assert min(spoken) > 10 * quiet, (session_id, channel)


def test_slow_version_is_slower(hub: Hub) -> None:
    """Agents of version v1 answer later than those of v2, in every call."""
    versions = dict(zip(hub.sessions["session_id"], hub.sessions["agent_version"], strict=True))
    waits: dict[str, list[float]] = {"v1": [], "v2": []}
    for session_id, truth in hub.truth.items():
        for before, after in pairwise(turn for turn in truth["turns"] if turn["kind"] == "turn"):
            gap_s = after["segments"][0][0] - before["segments"][-1][1]
            if (before["role"], after["role"]) == ("caller", "agent"):
                waits[versions[session_id]].append(gap_s)
    assert min(waits["v1"]) > max(waits["v2"])


def test_broken_samples_are_broken(hub: Hub, client: httpx.Client) -> None:
    """The last four samples: none, pending, cut off, not audio."""
    ids = [session_id for session_id in hub.sessions["session_id"] if session_id.startswith("agent_")][12:]
    assert [ask(client, hub, session_id).status_code for session_id in ids] == [404, 409, 200, 200]
    cut = hub.data(ids[2])
    assert int.from_bytes(cut[4:8], "little") > len(cut)
    assert hub.data(ids[3]).startswith(b"<!doctype html>")


def test_hub_stops_at_once_and_leaves_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """With stalled, endless, waiting and idle connections, closing ends thread, ports and directory."""
    before = set(threading.enumerate())
    with httpx.Client(trust_env=False) as client, demo.hub(sessions={"a": DATA, "b": DATA}) as hub:
        hub.faults.add("a", "storage:stall", after_bytes=3)
        hub.faults.add("b", "storage:endless")
        url, state_dir = hub.sign("a"), hub.settings.state_dir
        port = int(hub.storage_url.rpartition(":")[2])
        with (
            socket.create_connection(("127.0.0.1", port), timeout=5.0) as idle,
            socket.create_connection(("127.0.0.1", port), timeout=5.0) as waiting,
            client.stream("GET", url) as stalled,
            client.stream("GET", hub.sign("b")) as endless,
        ):
            assert (stalled.status_code, endless.status_code) == (200, 200)
            hub.options.storage_latency_s = 1_000.0
            waiting.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            wait_for(lambda: hub.requests.in_flight("storage") == 3)
            hub.close()
            assert set(threading.enumerate()) == before
            assert idle.recv(1) == waiting.recv(1) == b""
        hub.close()
        with pytest.raises(httpx.ConnectError):
            client.get(url)
    assert state_dir is not None
    assert not state_dir.exists()
    assert caplog.records == []


def test_a_hub_that_stops_while_clients_arrive_leaves_no_socket() -> None:
    """Connections that were accepted but not yet set up are closed too."""

    def arrive(port: int) -> None:
        with ExitStack() as held, suppress(OSError):
            for _ in range(60):
                held.enter_context(closing(socket.create_connection(("127.0.0.1", port), timeout=5.0)))

    ports = set()
    for _ in range(12):
        with demo.hub(sessions={}) as hub:
            port = int(hub.storage_url.rpartition(":")[2])
            ports.add(port)
            clients = [threading.Thread(target=arrive, args=(port,)) for _ in range(3)]
            for client in clients:
                client.start()
        for client in clients:
            client.join()
    open_now = {each.laddr.port for each in psutil.Process().net_connections("tcp4") if each.status == "ESTABLISHED"}
    assert not ports & open_now


def test_a_taken_port_is_an_error_and_frees_the_other() -> None:
    """A hub that can't have its storage port doesn't keep the API's."""
    with demo.hub(sessions={}) as hub:
        taken = int(hub.storage_url.rpartition(":")[2])
        with pytest.raises(OSError), demo.hub(sessions={}, storage_port=taken):
            pass


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send to a child")
def test_hub_in_a_process_of_its_own() -> None:
    """It says where it is, can be changed and asked from outside, and ends on SIGTERM with status 0."""
    command = [sys.executable, "-m", "kataven_notebook.demo", "--serve", "--per-minute", "5"]
    command += ["--synthetic", "2", "--synthetic-bytes", "1000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            about = json.loads(process.stdout.readline())
            headers = {"Authorization": f"Bearer {about['api_key']}"}
            root = about["base_url"].removesuffix("/v1")
            with httpx.Client(headers=headers, trust_env=False) as client:
                new = {"session_ids": ["x", "y"], "data": "UklGRg=="}
                assert client.post(f"{root}/_demo/sessions", json=new).json() == {"sessions": 4}
                fault = {"session_ids": "y", "name": "api:server_error"}
                assert client.post(f"{root}/_demo/faults", json=fault).status_code == 204
                assert client.post(f"{root}/_demo/faults", json={"name": "api:none"}).status_code == 400
                assert client.patch(f"{root}/_demo/options", json={"url_life_s": 7}).status_code == 204
                ids = ["call-00000", "call-00001", "x", "y", "x", "x"]
                answers = [client.get(f"{about['base_url']}/sessions/{name}/recording") for name in ids]
                assert [answer.status_code for answer in answers] == [200, 200, 200, 500, 200, 429]
                assert "X-Amz-Expires=7&" in answers[0].json()["url"]
                assert len(httpx.get(answers[0].json()["url"]).content) == 1_000
                stats = client.get(f"{root}/_demo/stats").json()
                assert (stats["refused"], stats["api"]["requests"], stats["storage"]["requests"]) == (1, 6, 1)
            assert httpx.get(f"{root}/_demo/stats").status_code == 401
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)
    assert process.returncode == 0


def test_answers_do_not_wait_for_acknowledgements() -> None:
    """The listener names its protocol: only then does asyncio switch Nagle's algorithm off (40 ms an answer)."""
    with closing(listen()) as listener:
        assert listener.proto == socket.IPPROTO_TCP
