"""Who runs next, without any model."""

import threading

import pytest

from blip2.engine.scheduler import Scheduler, Ticket
from blip2.errors import Busy
from blip2.values import Finish


def ids(tickets: list[Ticket[str]]) -> list[str]:
    return [ticket.id for ticket in tickets]


def make(*names: str, rows: int = 1, visitor: str = "") -> list[Ticket[str]]:
    return [Ticket(name, name, rows, visitor=visitor) for name in names]


def test_rows_bound_what_runs_and_the_rest_waits() -> None:
    scheduler: Scheduler[str] = Scheduler(max_rows=10)
    for ticket in make("a", "b", "c", rows=5):
        scheduler.submit(ticket)
    assert ids(scheduler.admit()) == ["a", "b"]
    assert scheduler.counts() == (2, 1)
    scheduler.finish(scheduler.running[:1])
    assert ids(scheduler.admit()) == ["c"]


def test_a_request_wider_than_the_batch_runs_alone() -> None:
    scheduler: Scheduler[str] = Scheduler(max_rows=4)
    for ticket in make("wide", rows=9) + make("small"):
        scheduler.submit(ticket)
    assert ids(scheduler.admit()) == ["wide"]
    assert scheduler.admit() == []


def test_a_wide_request_is_not_overtaken_for_ever() -> None:
    scheduler: Scheduler[str] = Scheduler(max_rows=6)
    for ticket in make("a", "b", rows=3) + make("wide", rows=6) + make("late"):
        scheduler.submit(ticket)
    assert ids(scheduler.admit()) == ["a", "b"]
    scheduler.finish(scheduler.running[:1])
    assert scheduler.admit() == [], "the narrow one behind the wide one waits"


def test_a_visitor_with_many_requests_does_not_hold_up_another() -> None:
    scheduler: Scheduler[str] = Scheduler(max_rows=3)
    for ticket in make("a1", "a2", "a3", "a4", visitor="ann") + make("b1", visitor="bob"):
        scheduler.submit(ticket)
    assert ids(scheduler.admit()) == ["a1", "b1", "a2"]


def test_newcomers_are_read_a_few_at_a_time() -> None:
    scheduler: Scheduler[str] = Scheduler(max_reading=100)
    for name in "abc":
        scheduler.submit(Ticket(name, name, tokens=60))
    assert [ids(scheduler.admit()) for _ in range(3)] == [["a"], ["b"], ["c"]]


def test_when_memory_runs_out_half_as_much_runs_and_nothing_is_lost() -> None:
    scheduler: Scheduler[str] = Scheduler(max_rows=20)
    for ticket in make("a", "b", "c", "d", rows=5) + make("later"):
        scheduler.submit(ticket)
    assert len(scheduler.admit()) == 4
    assert scheduler.shrink()
    assert ids(scheduler.admit()) == ["a", "b"]
    scheduler.finish(scheduler.running)
    assert ids(scheduler.admit()) == ["c", "d"]
    scheduler.finish(scheduler.running[1:])
    assert not scheduler.shrink(), "one alone cannot be halved"


def test_a_full_queue_says_busy() -> None:
    scheduler: Scheduler[str] = Scheduler(max_waiting=2)
    for ticket in make("a", "b"):
        scheduler.submit(ticket)
    with pytest.raises(Busy, match="2 requests are waiting"):
        scheduler.submit(make("c")[0])


def test_cancelled_and_expired_tickets_leave_running_or_waiting() -> None:
    now = [100.0]
    scheduler: Scheduler[str] = Scheduler(max_rows=2, clock=lambda: now[0])
    running, waiting, slow = make("running", rows=2) + make("waiting") + make("slow")
    slow.expires = 105.0
    for ticket in (running, waiting, slow):
        scheduler.submit(ticket)
    scheduler.admit()
    scheduler.cancel("running")
    scheduler.cancel("nobody")
    assert [(t.id, why) for t, why in scheduler.leaving()] == [("running", Finish.CANCELLED)]
    now[0] = 105.0
    assert [(t.id, why) for t, why in scheduler.leaving()] == [("slow", Finish.DEADLINE)]
    assert ids(scheduler.admit()) == ["waiting"]


def test_waiting_ends_with_work_or_with_the_end() -> None:
    scheduler: Scheduler[str] = Scheduler()
    answers: list[bool] = []

    def worker() -> None:
        answers.append(scheduler.wait())
        scheduler.drain()
        answers.append(scheduler.wait())

    thread = threading.Thread(target=worker)
    thread.start()
    scheduler.submit(make("a")[0])
    while len(answers) < 1:
        thread.join(0.01)
    scheduler.close()
    thread.join(5)
    assert answers == [True, False]
