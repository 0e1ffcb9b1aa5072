"""Deadlines: they end an exchange whose single reads all come in time."""

from __future__ import annotations

import socket
import threading
import time

import httpcore
import pytest

from kataven_notebook.service.deadline import DeadlineBackend, until

pytestmark = pytest.mark.core


@pytest.fixture
def streams():
    """A connection on loopback, from both ends; something has already been sent."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        backend = DeadlineBackend(httpcore.SyncBackend())
        stream = backend.connect_tcp("127.0.0.1", listening.getsockname()[1], timeout=5.0)
        theirs, _ = listening.accept()
        with theirs:
            theirs.sendall(b"abc")
            yield backend, stream
        stream.close()


def test_nothing_goes_on_after_the_deadline(streams) -> None:
    """Neither to connect, nor to read what is there, nor to write."""
    backend, stream = streams
    with until(time.monotonic() - 1):
        with pytest.raises(httpcore.ConnectTimeout, match="not complete at its deadline"):
            backend.connect_tcp("127.0.0.1", 9, timeout=5.0)
        with pytest.raises(httpcore.ReadTimeout):
            stream.read(1, timeout=5.0)
        with pytest.raises(httpcore.WriteTimeout):
            stream.write(b"x", timeout=5.0)
    assert stream.read(3, timeout=5.0) == b"abc"


def test_an_earlier_deadline_stays(streams) -> None:
    """The head of an answer has less time than the whole; what is within can't give it more."""
    _, stream = streams
    with until(time.monotonic() - 1), until(time.monotonic() + 60), pytest.raises(httpcore.ReadTimeout):
        stream.read(1, timeout=5.0)


def test_a_deadline_is_its_threads_alone(streams) -> None:
    """Connections are shared: another thread's exchange goes on."""
    _, stream = streams
    read: list[bytes] = []
    with until(time.monotonic() - 1):
        other = threading.Thread(target=lambda: read.append(stream.read(3, timeout=5.0)))
        other.start()
        other.join()
    assert read == [b"abc"]
