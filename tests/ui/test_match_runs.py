"""Work in a thread of its own: its steps come through, its failures too, and a stop is minded between two steps."""

import threading
from collections.abc import Iterator

import pytest

from blip2.errors import Busy
from blip2.ui.match_runs import Runs, patiently


def test_steps_come_in_order_and_failures_as_they_are() -> None:
    def steps() -> Iterator[int]:
        yield 1
        yield 2
        raise Busy("Later.")

    found = filter(None, patiently(steps(), threading.Event()))
    assert [next(found), next(found)] == [1, 2]
    with pytest.raises(Busy, match="Later"):
        next(found)


def test_a_stop_ends_the_wait_at_once_and_the_work_after_its_step() -> None:
    gate, ended, halt = threading.Event(), threading.Event(), threading.Event()

    def steps() -> Iterator[int]:
        try:
            yield 1
            gate.wait()
            yield 2
            yield 3
        finally:
            ended.set()

    work = patiently(steps(), halt, beat=0.01)
    assert next(work) == 1
    assert next(work) is None
    halt.set()
    assert list(work) == []
    assert not ended.is_set()
    gate.set()
    assert ended.wait(30)


def test_closing_it_stops_the_work() -> None:
    halt = threading.Event()
    work = patiently(iter([1, 2]), halt)
    next(work)
    work.close()
    assert halt.is_set()


def test_a_new_run_drops_the_one_before_and_ends_only_itself() -> None:
    runs = Runs()
    first = runs.begin("me")
    other = runs.begin("you")
    second = runs.begin("me")
    assert first.is_dropped
    assert first.halt.is_set()
    assert not other.halt.is_set()
    runs.end("me", first)
    assert runs.of("me") is second
    runs.end("me", second)
    assert runs.of("me") is None
    assert not second.is_stopped
