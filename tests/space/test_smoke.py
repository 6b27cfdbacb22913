"""The smoke test asks an app that is really there, and says what was wrong with its answer."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from blip2.errors import SpaceUnusable
from blip2.space.smoke import Tried, try_out
from blip2.space.spacefile import Smoke
from tests.space.spacefiles import project

SMOKE = Smoke("assets/examples/beach.jpg", "Which animal?", ("cat", "DOG"), seconds=10)


def tried(url: str, folder: Path, smoke: Smoke = SMOKE, token: str = "") -> Tried:
    """The trial, with a clock that only waiting moves."""
    now = [0.0]
    project(folder)

    def sleep(seconds: float) -> None:
        now[0] += seconds

    return try_out(url, smoke, folder, token, sleep, lambda: now[0])


@contextmanager
def answering(answer: Callable[[str, str], tuple[int, bytes]]) -> Iterator[str]:
    """A server that answers a path and a token with a status and a body."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, body = answer(self.path, self.headers.get("Authorization") or "")
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def chat(text: str) -> bytes:
    return json.dumps({"choices": [{"message": {"content": text}}]}).encode()


def test_a_right_answer_from_a_real_app(app: str, tmp_path: Path) -> None:
    assert tried(app, tmp_path) == Tried("Which animal?", "a dog", 0.0)


def test_a_wrong_answer_is_shown(app: str, tmp_path: Path) -> None:
    with pytest.raises(SpaceUnusable, match=r"asked 'Which animal\?' and got 'a dog', which has none of cat, owl"):
        tried(app, tmp_path, replace(SMOKE, answers=("cat", "owl")))


def test_a_refusal_is_passed_on(app: str, tmp_path: Path) -> None:
    with pytest.raises(SpaceUnusable, match=r"answered with status 404 \(.*no/such"):
        tried(app, tmp_path, replace(SMOKE, model="no/such"))


def test_it_waits_until_the_app_is_alive(tmp_path: Path) -> None:
    statuses = iter([404, 503, 502, 200])
    with answering(lambda path, _: (next(statuses), b"") if path == "/healthz" else (200, chat("a dog"))) as url:
        assert tried(url, tmp_path).answer == "a dog"
    assert next(statuses, None) is None


def test_an_app_that_never_comes_alive_is_given_up(tmp_path: Path) -> None:
    asked: list[str] = []
    with (
        answering(lambda path, _: (asked.append(path), (503, b""))[1]) as url,
        pytest.raises(SpaceUnusable, match="was not alive within 10 s"),
    ):
        tried(url, tmp_path)
    assert len(asked) == 6  # every two seconds
    with pytest.raises(SpaceUnusable, match="was not alive within 10 s"):
        tried("http://127.0.0.1:9", tmp_path)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (500, b"<html>", "answered with status 500."),
        (200, b"<html>", "something that is no answer"),
        (200, b"{}", "something that is no answer"),
    ],
)
def test_what_is_no_answer_is_said(tmp_path: Path, status: int, body: bytes, said: str) -> None:
    with (
        answering(lambda path, _: (200, b"") if path == "/healthz" else (status, body)) as url,
        pytest.raises(SpaceUnusable, match=said),
    ):
        tried(url, tmp_path)


def test_a_fault_of_the_app_is_said_at_once(tmp_path: Path) -> None:
    with answering(lambda *_: (500, b"")) as url, pytest.raises(SpaceUnusable, match="/healthz with status 500"):
        tried(url, tmp_path)


def test_the_token_goes_along_only_where_one_is_given(tmp_path: Path) -> None:
    seen: list[str] = []

    def answer(path: str, token: str) -> tuple[int, bytes]:
        seen.append(token)
        return 200, chat("a dog")

    with answering(answer) as url:
        tried(url, tmp_path)
        tried(url, tmp_path, token="hf_x")
    assert seen == ["", "", "Bearer hf_x", "Bearer hf_x"]
