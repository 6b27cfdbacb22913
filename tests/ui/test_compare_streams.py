"""Streams merged: nothing lost, one that waits holds up no other, and closing ends them."""

import threading
from collections.abc import Generator
from contextvars import ContextVar

import pytest

from blip2.ui.compare_streams import merged


def counting(count: int) -> Generator[int, None, None]:
    yield from range(count)


def test_everything_arrives_and_in_each_streams_order() -> None:
    came = [item for batch in merged([(0, counting(50)), (1, counting(3))], lambda: None) for item in batch]
    assert [value for number, value in came if number == 0] == list(range(50))
    assert [value for number, value in came if number == 1] == [0, 1, 2]
    assert list(merged([(0, counting(0))], lambda: None)) == []


def test_one_that_waits_does_not_hold_up_the_other() -> None:
    gate = threading.Event()

    def waiting() -> Generator[int, None, None]:
        gate.wait()
        yield 7

    stream = merged([(0, waiting()), (1, counting(3))], lambda: None)
    came = []
    while len(came) < 3:
        came += next(stream)
    assert came == [(1, 0), (1, 1), (1, 2)]
    gate.set()
    assert [item for batch in stream for item in batch] == [(0, 7)]


def test_closing_gives_up_and_closes_each_stream() -> None:
    gate, ended = threading.Event(), threading.Semaphore(0)

    def endless() -> Generator[int, None, None]:
        try:
            yield 1
            gate.wait()
            yield 2
            pytest.fail("it went on after it was given up")
        finally:
            ended.release()

    stream = merged([(0, endless()), (1, endless())], gate.set)
    while not next(stream):
        pass
    stream.close()
    assert gate.is_set()
    assert ended.acquire(timeout=60)
    assert ended.acquire(timeout=60)


def test_an_error_ends_its_own_stream_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    hooked: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: hooked.append(args.exc_type))

    def failing() -> Generator[int, None, None]:
        yield 1
        raise RuntimeError("wires crossed")

    came = [item for batch in merged([(0, failing()), (1, counting(3))], lambda: None) for item in batch]
    assert sorted(came) == [(0, 1), (1, 0), (1, 1), (1, 2)]
    assert hooked == [RuntimeError]


def test_where_nothing_comes_it_can_still_be_closed() -> None:
    gate, ended = threading.Event(), threading.Event()

    def silent() -> Generator[int, None, None]:
        try:
            gate.wait()
            yield 1
        finally:
            ended.set()

    stream = merged([(0, silent())], gate.set)
    assert next(stream) == []
    stream.close()
    assert ended.wait(60)


def test_each_stream_knows_whose_request_it_is() -> None:
    whose: ContextVar[str] = ContextVar("whose")
    whose.set("ann")

    def asking() -> Generator[str, None, None]:
        yield whose.get("nobody")

    assert [item for batch in merged([(0, asking())], lambda: None) for item in batch] == [(0, "ann")]
