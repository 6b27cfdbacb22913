"""The queue of the scripted backend: so many at once, the rest one after the other. Knows ids only."""

import threading
from collections.abc import Callable, Iterator
from time import monotonic

from blip2.errors import Busy


class Line:
    """At most `slots` ids are in and at most `most` wait; those that wait are told their place."""

    def __init__(self, slots: int, most: int) -> None:
        self._slots = slots
        self._most = most
        self._inside: set[str] = set()
        self._waiting: list[str] = []
        self._changed = threading.Condition()

    def waiting(self) -> list[str]:
        with self._changed:
            return list(self._waiting)

    def enter(self, id: str, given_up: Callable[[], bool], until: float | None) -> Iterator[int]:
        """Wait for a slot, yielding the place whenever it changes; without one once `given_up`, or at `until`.

        Raises `Busy` when the line is full.
        """
        told = 0
        with self._changed:
            if len(self._inside) + len(self._waiting) >= self._slots + self._most:
                raise Busy(f"{len(self._waiting)} requests are waiting already; please try again in a moment.")
            self._waiting.append(id)
        while True:
            with self._changed:
                place = self._waiting.index(id) + 1
                left = None if until is None else until - monotonic()
                if len(self._inside) + place <= self._slots or given_up() or (left is not None and left <= 0):
                    self._waiting.remove(id)
                    self._inside.add(id)
                    self._changed.notify_all()
                    return
                if place == told:
                    self._changed.wait(left)
                    continue
            told = place
            yield place

    def leave(self, id: str) -> None:
        with self._changed:
            self._inside.discard(id)
            if id in self._waiting:
                self._waiting.remove(id)
            self._changed.notify_all()

    def wake(self) -> None:
        """Have everyone look again whether to give up."""
        with self._changed:
            self._changed.notify_all()
