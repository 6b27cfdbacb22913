"""Draining waits, then ends; a worker that does not step is noticed."""

import threading

import pytest

from blip2.api import lifecycle
from blip2.api.lifecycle import Lifecycle, Phase, Pulse


def test_it_loads_once_and_never_leaves_draining() -> None:
    life = Lifecycle()
    assert life.phase is Phase.LOADING
    life.loaded()
    assert life.phase is Phase.READY
    assert life.drain(0)
    life.loaded()
    assert life.phase is Phase.DRAINING


def test_draining_waits_for_what_finishes_in_time() -> None:
    life = Lifecycle()
    inside, leave = threading.Event(), threading.Event()

    def work() -> None:
        with life.request(), life.generation("one", leave.set):
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait(10)
    threading.Timer(0.05, leave.set).start()
    assert life.drain(10)
    assert not life.ended
    thread.join(10)


def test_draining_ends_what_does_not_finish(monkeypatch: pytest.MonkeyPatch) -> None:
    life = Lifecycle()
    inside, cancelled = threading.Event(), threading.Event()

    def work() -> None:
        with life.request(), life.generation("one", cancelled.set):
            inside.set()
            cancelled.wait(10)

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait(10)
    assert life.generating == 1
    assert not life.drain(0.01)
    assert life.ended
    thread.join(10)
    assert cancelled.is_set()
    assert life.generating == 0
    late = threading.Event()
    with life.generation("late", late.set):
        assert late.is_set()
    monkeypatch.setattr(lifecycle, "GRACE", 0.01)
    with life.request():
        assert not life.drain(0)


def test_a_pulse_is_judged_from_look_to_look() -> None:
    now = [0.0]
    pulse = Pulse(lambda: now[0])
    assert pulse.stalled({"m": 1}, {"m": 5}) == []
    now[0] = lifecycle.STALL
    assert pulse.stalled({"m": 1}, {"m": 5}) == ["m"]
    assert pulse.stalled({"m": 1}, {"m": 6}) == []
    now[0] += lifecycle.STALL
    assert pulse.stalled({"m": 0}, {"m": 6}) == []
    now[0] += lifecycle.STALL - 1
    assert pulse.stalled({"m": 1}, {"m": 6}) == []
