"""Fetching by address: nothing that is not public, nothing that is not a small picture, whatever a host tries."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from apiserver import ask
from starlette.testclient import TestClient

from blip2.api import remote
from blip2.api.failures import Refusal
from blip2.api.remote import Fetcher, is_public

Answer = tuple[int, dict[str, str], bytes]
PICTURE: Answer = (200, {"Content-Type": "image/png"}, b"pixels")


@contextmanager
def site(pages: dict[str, Answer]) -> Iterator[int]:
    """A web site on this machine; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = pages[self.path]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def fetcher(port: int, **changes: Any) -> Fetcher:
    """One that takes this machine for a public host."""
    return Fetcher(**({"limit": 1000, "public": lambda _: True, "ports": frozenset({port})} | changes))


def refused(fetch: Fetcher, url: str) -> Refusal:
    with pytest.raises(Refusal) as error:
        fetch.fetch(url, "image")
    assert error.value.param == "image"
    return error.value


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "::127.0.0.1",
        "::ffff:0:7f00:1",
        "64:ff9b:1::7f00:1",
        "fec0::1",
        "5f00::1",
        "3fff::1",
        "192.0.0.8",
        "192.88.99.1",
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"])
def test_addresses_that_are(address: str) -> None:
    assert is_public(address)


def test_a_picture_is_fetched_and_a_redirect_followed() -> None:
    with site({"/a.png": PICTURE, "/old": (302, {"Location": "/a.png"}, b"")}) as port:
        assert fetcher(port).fetch(f"http://127.0.0.1:{port}/a.png", "image") == b"pixels"
        assert fetcher(port).fetch(f"http://localhost:{port}/old", "image") == b"pixels"


def test_this_machine_is_refused_by_name_and_by_number_without_a_connection() -> None:
    with site({"/a.png": PICTURE}) as port:
        for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]"):
            assert refused(fetcher(port, public=is_public), f"http://{host}:{port}/a.png").code == "not_public"


def test_a_name_inside_and_a_name_nowhere_are_told_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(host: str, *_: Any, **__: Any) -> Any:
        if host == "nowhere.lan":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 80))]

    monkeypatch.setattr(remote.socket, "getaddrinfo", resolve)
    inside, nowhere = (refused(Fetcher(1000), f"http://{host}/") for host in ("inside.lan", "nowhere.lan"))
    assert inside.message.replace("inside.lan", "nowhere.lan") == nowhere.message
    assert (inside.to_json()["error"] | {"message": ""}) == (nowhere.to_json()["error"] | {"message": ""})
    assert (inside.status, inside.headers) == (nowhere.status, nowhere.headers)
    assert "send the picture itself" in nowhere.message
    label = "x" * 5000  # longer than any name may be
    assert len(refused(Fetcher(1000), f"http://{label}.lan/").message) < 300


def test_a_redirect_to_a_private_host_is_refused() -> None:
    def public(address: str) -> bool:
        seen.append(address)
        return len(seen) == 1

    seen: list[str] = []
    with site({"/": (302, {"Location": "http://127.0.0.1/latest/meta-data"}, b""), "/a": PICTURE}) as port:
        fetch = fetcher(port, public=public, ports=frozenset({port, 80}))
        assert refused(fetch, f"http://127.0.0.1:{port}/").code == "not_public"
    assert len(seen) == 2


def test_a_name_with_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 80)) for ip in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(remote.socket, "getaddrinfo", lambda *_, **__: found)
    assert refused(Fetcher(1000), "http://two.example/").code == "not_public"


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    with site({"/a.png": PICTURE}) as port:
        answers = iter(["127.0.0.1", "10.0.0.1"])

        def resolve(*_: Any, **__: Any) -> Any:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

        monkeypatch.setattr(remote.socket, "getaddrinfo", resolve)
        real, went = socket.create_connection, []

        def connect(address: Any, *rest: Any) -> socket.socket:
            went.append(address[0])
            monkeypatch.undo()
            return real(address, *rest)

        monkeypatch.setattr(remote.socket, "create_connection", connect)
        assert fetcher(port).fetch(f"http://changing.example:{port}/a.png", "image") == b"pixels"
    assert went == ["127.0.0.1"]


def test_redirects_without_end_are_cut() -> None:
    with site({"/": (302, {"Location": "/"}, b"")}) as port:
        assert "leads on" in refused(fetcher(port), f"http://127.0.0.1:{port}/").message


@pytest.mark.parametrize(
    ("page", "status"),
    [
        ((200, {"Content-Type": "text/html"}, b"<html>"), 415),
        ((200, {"Content-Type": "image/png"}, b"x" * 1001), 413),
        ((404, {"Content-Type": "image/png"}, b""), 400),
    ],
)
def test_what_is_no_small_picture_is_refused(page: Answer, status: int) -> None:
    with site({"/": page}) as port:
        assert refused(fetcher(port), f"http://127.0.0.1:{port}/").status == status


def test_a_host_that_dribbles_is_hung_up_on() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def dribble() -> None:
        connection, _ = listener.accept()
        while not stop.wait(0.05):
            try:
                connection.sendall(b"H")
            except OSError:
                return

    thread = threading.Thread(target=dribble)
    thread.start()
    port = listener.getsockname()[1]
    assert refused(fetcher(port, seconds=0.3), f"http://127.0.0.1:{port}/").status == 400
    stop.set()
    thread.join(10)
    listener.close()


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/a.png",
        "http://",
        "http://host:22/a.png",
        "http://user:pw@93.184.216.34/a.png",
        "http://host/a b",
        "http://host/\r\nX: y",
        "http://[::1/",
        "http://host:99999/",
        "http://höst/",
    ],
)
def test_addresses_of_other_forms_are_refused(url: str) -> None:
    assert refused(Fetcher(1000), url).status == 400


def test_addresses_are_off_unless_the_settings_allow_them(client_for: Callable[..., TestClient]) -> None:
    body = ask()
    body["messages"][0]["content"][1]["image_url"]["url"] = "http://127.0.0.1/a.png"
    off = client_for().post("/v1/chat/completions", json=body)
    assert (off.status_code, off.json()["error"]["code"]) == (400, "addresses_off")
    on = client_for(image_urls=True).post("/v1/chat/completions", json=body)
    assert (on.status_code, on.json()["error"]["code"]) == (400, "not_public")
    assert on.json()["error"]["param"] == "messages[0].content[1].image_url.url"
