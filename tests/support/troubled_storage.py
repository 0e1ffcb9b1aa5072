"""A storage on loopback that fails in the ways that storages and networks do, and counts what it is asked."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

SLOW_S = 5.0


class TroubledStorage:
    """Serves one sound file by many names, of which most are in trouble.

    `good` has ranges, `whole` none; `silent` never answers, `slow` after five seconds, `cut` ends its connections in
    the middle; `absent`, `refused`, `expired` and `failing` are refusals; `page` is a web page. What stands behind a
    dash in the name only makes it another call. `others` are files of their own by name.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.others: dict[str, bytes] = {}
        self.asked: Counter[str] = Counter()
        self.sent_bytes: Counter[str] = Counter()
        self.closing = threading.Event()
        storage = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                storage._answer(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def base(self) -> str:
        """The address in front of a name."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def url(self, name: str) -> str:
        """Return the signed URL of a name."""
        return f"{self.base}/{name}?X-Amz-Signature=0123456789abcdef"

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        name = request.path.partition("?")[0].strip("/")
        self.asked[name] += 1
        kind = name.partition("-")[0]
        statuses = {"absent": 404, "refused": 403, "expired": 403, "failing": 500}
        try:
            if kind == "silent":
                self.closing.wait(60)
            elif kind in statuses:
                said = "Request has expired" if kind == "expired" else "No"
                self._send(request, name, statuses[kind], f"<Error><Message>{said}</Message></Error>".encode())
            elif kind == "page":
                self._send(request, name, 200, b"<!doctype html><html>Sign in</html>", content_type="text/html")
            else:
                self._sound(request, name, kind)
        except OSError:
            pass  # the page, or the kernel, has heard enough

    def _sound(self, request: BaseHTTPRequestHandler, name: str, kind: str) -> None:
        if kind == "slow":
            time.sleep(SLOW_S)
        data = self.others.get(name, self.data)
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
        if asked is None or kind == "whole":
            self._send(request, name, 200, data, is_cut=kind == "cut")
            return
        first = int(asked[1])
        last = min(int(asked[2] or len(data)), len(data) - 1)
        about = {"Content-Range": f"bytes {first}-{last}/{len(data)}"}
        self._send(request, name, 206, data[first : last + 1], is_cut=kind == "cut", **about)

    def _send(
        self,
        request: BaseHTTPRequestHandler,
        name: str,
        status: int,
        body: bytes,
        *,
        content_type: str = "audio/wav",
        is_cut: bool = False,
        **headers: str,
    ) -> None:
        request.send_response(status)
        stated = {"Content-Type": content_type, "Content-Length": str(len(body)), "Accept-Ranges": "bytes", **headers}
        for key, value in stated.items():
            request.send_header(key, value)
        request.end_headers()
        if is_cut:
            # No further than a third of the file, from wherever it is asked.
            body = body[: max(0, len(self.data) // 3 - (len(self.data) - len(body)))]
            request.close_connection = True
        # Before it is sent: whoever has it all may look at once.
        self.sent_bytes[name] += len(body)
        request.wfile.write(body)
