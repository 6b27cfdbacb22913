"""A stand-in of the Hub's HTTP API for Spaces, as far as its own client uses it: one server, its Spaces in memory.

It keeps what was sent, so that tests can say what the client really did. `fail` answers a path with a status.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from hubroutes import ROUTES, TOKEN, Hub, Sent, read

BAD_TOKEN = "Invalid credentials in Authorization header"


class Handler(BaseHTTPRequestHandler):
    """Answers each request from the server's `Hub`."""

    hub: Hub

    def log_message(self, *_: Any) -> None:
        pass

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        data = body if parts.path.startswith("/lfs/") else read(body)
        self.hub.sent.append(Sent(self.command, self.path, data))
        for pattern, (status, problem) in self.hub.fail.items():
            if re.search(pattern, f"{self.command} {parts.path}"):
                self._send(status, problem)
                return
        if not parts.path.startswith("/lfs/") and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._send(401, {"error": "Invalid credentials"}, {"X-Error-Message": BAD_TOKEN})
            return
        for method, pattern, answer in ROUTES:
            found = re.fullmatch(pattern, unquote(parts.path))
            if found and method == self.command:
                groups = found.groupdict()
                if "repo" in groups:
                    groups["name"] = groups.pop("repo")
                    space = self.hub.spaces.get(groups["name"])
                    if space is None:
                        self._send(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
                        return
                    groups["space"] = space
                self._send(*answer(self.hub, data=data, query=parse_qs(parts.query), **groups))
                return
        self._send(404, {"error": f"the stand-in has no {self.command} {self.path}"})

    do_GET = do_POST = do_PUT = do_DELETE = _answer

    def _send(self, status: int, data: Any = None, headers: dict[str, str] | None = None) -> None:
        body = b"" if data is None else json.dumps(data).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serving(**state: Any) -> Iterator[Hub]:
    """The stand-in on a free port; its `endpoint` is where it listens."""
    hub = Hub(**state)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Here", (Handler,), {"hub": hub}))
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
