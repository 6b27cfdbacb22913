"""A client that leaves frees the model before its next step, whichever way it was being answered."""

import asyncio
import json
import socket
import threading
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from apiserver import PNG, ask, listening, made, soon

from blip2.api.running import Gone, Streamed, merged, until_gone
from blip2.api.service import Service
from blip2.backends.local import LocalBackend
from blip2.backends.scripted import ScriptedBackend


def opened(address: str, path: str, body: dict[str, Any]) -> socket.socket:
    """A connection on which the request has been sent."""
    parts = urlsplit(address)
    data = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
    connection = socket.create_connection((parts.hostname, parts.port), 10)
    connection.sendall(f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data)
    return connection


def busy(service: Service) -> int:
    stats = service.backend.stats()
    return sum(stats.running.values()) + sum(stats.waiting.values())


@pytest.fixture(scope="module")
def tiny(opt_folder: Path) -> Iterator[LocalBackend]:
    backend = LocalBackend([str(opt_folder)])
    yield backend
    backend.close()


LONG = {"max_tokens": 200, "min_tokens": 200}
WAYS = [
    ask(stream=True, temperature=0, **LONG),
    ask(stream=True, num_beams=4, **LONG),
    ask(stream=True, temperature=1, n=3, **LONG),
    ask(**LONG),
]


@pytest.mark.parametrize("body", WAYS, ids=["greedy stream", "beam stream", "samples stream", "whole"])
def test_a_dropped_connection_empties_the_batch_of_a_real_model(tiny: LocalBackend, body: dict[str, Any]) -> None:
    service = made(tiny, models=tuple(tiny.loadable()))
    before = sum(tiny.stats().steps.values())
    with listening(service) as address:
        connection = opened(address, "/v1/chat/completions", body)
        assert soon(lambda: busy(service) == body.get("n", 1))
        if body.get("stream") and not body.get("num_beams"):
            assert b"data: " in connection.recv(65536)
        connection.close()
        assert soon(lambda: not busy(service))
        steps = sum(tiny.stats().steps.values())
        assert steps - before < 200
        assert soon(lambda: not service.lifecycle.generating)
    assert sum(tiny.stats().steps.values()) == steps


def test_who_leaves_before_the_first_word_is_noticed_at_once() -> None:
    service = made(ScriptedBackend(default="a b c", delay=30.0))
    with listening(service) as address:
        connection = opened(address, "/v1/chat/completions", ask(stream=True))
        assert soon(lambda: busy(service) == 1)
        connection.close()
        assert soon(lambda: not busy(service))


def test_captions_stop_with_the_connection() -> None:
    service = made(ScriptedBackend(default="a b c d e f", delay=0.05))
    with listening(service) as address:
        connection = opened(address, "/v1/captions", {"images": [PNG] * 50})
        assert soon(lambda: busy(service) > 1)
        connection.close()
        assert soon(lambda: not busy(service))
        assert soon(lambda: not service.lifecycle.generating)


def test_one_more_answer_than_there_are_places_is_refused_as_busy() -> None:
    service = made(ScriptedBackend(default="a " * 50, delay=0.1), max_waiting=1)
    held = [service.admitted(f"id {index}") for index in range(65)]
    for each in held:
        each.__enter__()
    with listening(service) as address:
        connection = opened(address, "/v1/chat/completions", ask())
        answer = connection.recv(65536).decode()
        connection.close()
    assert " 429 " in answer.splitlines()[0]
    assert "retry-after: " in answer.lower()
    for each in held:
        each.__exit__(None, None, None)


def test_work_that_is_done_first_is_returned_and_its_errors_raised() -> None:
    async def never() -> Any:
        await asyncio.Event().wait()

    async def now() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def three() -> int:
        return 3

    async def wrong() -> int:
        raise ValueError("wrong")

    assert asyncio.run(until_gone(never, three())) == 3
    with pytest.raises(ValueError, match="wrong"):
        asyncio.run(until_gone(never, wrong()))
    with pytest.raises(Gone):
        asyncio.run(until_gone(now, never()))


def test_a_streamed_response_closes_its_source_when_the_client_leaves() -> None:
    closed = threading.Event()

    async def source() -> AsyncGenerator[bytes, None]:
        try:
            yield b"one"
            await asyncio.Event().wait()
        finally:
            closed.set()

    async def run() -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []
        first = asyncio.Event()

        async def send(message: Any) -> None:
            sent.append(message)
            if message.get("body"):
                first.set()

        async def receive() -> dict[str, str]:
            await first.wait()
            return {"type": "http.disconnect"}

        await Streamed(source(), "text/plain")({"type": "http"}, receive, send)
        return sent

    sent = asyncio.run(run())
    assert [message.get("body") for message in sent] == [None, b"one"]
    assert closed.is_set()


def test_a_source_that_was_never_started_is_cleaned_up_too() -> None:
    async def source() -> AsyncGenerator[bytes, None]:
        yield b"never asked for"

    async def run() -> list[str]:
        done: list[str] = []

        async def send(_: Any) -> None:
            await asyncio.Event().wait()  # the client takes nothing

        async def receive() -> dict[str, str]:
            return {"type": "http.disconnect"}

        async def cleanup() -> None:
            done.append("cleaned")

        await Streamed(source(), "text/plain", cleanup)({"type": "http"}, receive, send)
        return done

    assert asyncio.run(run()) == ["cleaned"]


def test_merged_streams_all_arrive_and_all_close() -> None:
    closed = []

    async def count(name: int, upto: int) -> AsyncGenerator[int, None]:
        try:
            for value in range(upto):
                await asyncio.sleep(0)
                yield value
        finally:
            closed.append(name)

    async def run() -> list[tuple[int, int]]:
        return [pair async for pair in merged([count(0, 3), count(1, 2)])]

    assert sorted(asyncio.run(run())) == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]
    assert sorted(closed) == [0, 1]
