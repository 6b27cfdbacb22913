"""Who runs next: a bounded queue, fair between visitors, with cancels and deadlines. Knows no tensors and no model."""

import math
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import monotonic
from typing import Generic, TypeVar

from blip2.errors import Busy, Closed
from blip2.values import Finish

T = TypeVar("T")


@dataclass(eq=False, slots=True)
class Ticket(Generic[T]):
    """A request as the scheduler sees it: rows it will hold, tokens to read first, whose it is, when it must end
    (monotonic seconds), memory it will take."""

    id: str
    item: T
    rows: int = 1
    tokens: int = 1
    visitor: str = ""
    expires: float | None = None
    bytes: int = 0
    submitted: float = field(default_factory=monotonic)
    started: float | None = None


class Scheduler(Generic[T]):
    """Tickets wait until there is room. `max_rows` bounds the running rows, `max_waiting` the queue, and `max_reading`
    the prompt tokens read at once, so that newcomers do not hold up those whose answers are being written. `room` says
    how many bytes are free."""

    def __init__(
        self,
        max_rows: int = 64,
        max_waiting: int = 256,
        max_reading: int = 2048,
        clock: Callable[[], float] = monotonic,
        room: Callable[[], float] = lambda: math.inf,
    ) -> None:
        self.max_rows = max_rows
        self.max_waiting = max_waiting
        self.max_reading = max_reading
        self.clock = clock
        self.room = room
        self.running: list[Ticket[T]] = []
        self._waiting: list[Ticket[T]] = []
        self._cancelled: set[str] = set()
        self._changed = threading.Condition()
        self._closed = False

    def submit(self, ticket: Ticket[T]) -> None:
        """Queue a ticket. Raises `Busy` when the queue is full, and `Closed`."""
        with self._changed:
            if self._closed:  # nobody would take it out any more
                raise Closed("The model was unloaded; please load it again.")
            if len(self._waiting) >= self.max_waiting:
                raise Busy(f"{len(self._waiting)} requests are waiting already; please try again in a moment.")
            self._waiting.append(ticket)
            self._changed.notify_all()

    def cancel(self, id: str) -> None:
        """Have a waiting or running ticket leave before the next step. Ids not here are ignored."""
        with self._changed:
            if any(ticket.id == id for ticket in (*self.running, *self._waiting)):
                self._cancelled.add(id)
                self._changed.notify_all()

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def wait(self, also: Callable[[], bool] = lambda: False) -> bool:
        """Block until there is something to do, or `also()` says so; False when closed."""
        with self._changed:
            while not (self._closed or self.running or self._waiting or also()):
                self._changed.wait()
            return not self._closed

    def leaving(self) -> list[tuple[Ticket[T], Finish]]:
        """Take out what was cancelled or has run out of time, running or waiting, and say why."""
        with self._changed:
            now = self.clock()
            out = []
            for ticket in (*self.running, *self._waiting):
                if ticket.id in self._cancelled:
                    out.append((ticket, Finish.CANCELLED))
                elif ticket.expires is not None and now >= ticket.expires:
                    out.append((ticket, Finish.DEADLINE))
            self._cancelled.clear()
            self._remove(ticket for ticket, _ in out)
            return out

    def admit(self) -> list[Ticket[T]]:
        """Start waiting tickets while their rows and bytes fit: who has least running goes first, then who came first.

        A ticket too large for the room left makes those behind it wait, so that wide requests are not starved; one
        larger than the whole batch runs alone.
        """
        with self._changed:
            started: list[Ticket[T]] = []
            free = self.room() if self._waiting else 0.0
            while self._waiting:
                held: dict[str, int] = {}
                for ticket in self.running:
                    held[ticket.visitor] = held.get(ticket.visitor, 0) + ticket.rows
                chosen = min(self._waiting, key=lambda t: held.get(t.visitor, 0) if t.visitor else 0)
                room = self.max_rows - sum(held.values())
                reading = sum(ticket.tokens for ticket in started) + chosen.tokens
                too_much = chosen.rows > room or chosen.bytes > free or (started and reading > self.max_reading)
                if self.running and too_much:
                    break
                free -= chosen.bytes
                self._waiting.remove(chosen)
                chosen.started = self.clock()
                self.running.append(chosen)
                started.append(chosen)
            return started

    def shrink(self) -> bool:
        """Memory ran out: put what runs back at the head of the queue and run half as much from now on. False when a
        single ticket was running, so that less is not possible."""
        with self._changed:
            if len(self.running) <= 1:
                return False
            self.max_rows = max(1, sum(ticket.rows for ticket in self.running) // 2)
            self._waiting = self.running + self._waiting
            self.running = []
            return True

    def finish(self, tickets: Iterable[Ticket[T]]) -> None:
        """Take out tickets that came to their end."""
        with self._changed:
            self._remove(tickets)

    def drain(self) -> list[Ticket[T]]:
        """Take out everything, running and waiting."""
        with self._changed:
            out = [*self.running, *self._waiting]
            self._remove(out)
            return out

    def line(self) -> list[Ticket[T]]:
        """The waiting tickets as they came; fairness between visitors may let a later one go first."""
        with self._changed:
            return list(self._waiting)

    def counts(self) -> tuple[int, int]:
        """Tickets running and waiting."""
        with self._changed:
            return len(self.running), len(self._waiting)

    def _remove(self, tickets: Iterable[Ticket[T]]) -> None:
        gone = set(tickets)
        self.running = [t for t in self.running if t not in gone]
        self._waiting = [t for t in self._waiting if t not in gone]
