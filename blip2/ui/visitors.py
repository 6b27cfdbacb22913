"""Each visitor's share: how many requests at a time, and how many a minute. It knows no gradio.

Every handler that makes a model work does so inside `admitted`, so that no visitor can take the machine for themselves.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from blip2.api.limits import RateLimiter
from blip2.errors import Busy


class Visitors:
    """What each visitor has under way. `waiting` at a time, `rate` a minute (0: no limit). Any thread may ask."""

    def __init__(self, waiting: int, rate: int = 0) -> None:
        self._waiting = waiting
        self._rate = rate
        self._limiter = RateLimiter()
        self._running: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def admitted(self, visitor: str) -> Iterator[None]:
        """A place for one request of `visitor`, given back at the end. Raises `Busy` with what to wait for."""
        verdict = self._limiter.take(visitor, self._rate)
        if not verdict.allowed:
            raise Busy(
                f"You made {self._rate} requests within a minute, as many as one visitor may; "
                f"please try again in {verdict.retry} s."
            )
        with self._lock:
            if self._running[visitor] >= self._waiting:
                raise Busy(
                    f"{self._waiting} of your requests are under way already; wait for one of them, or stop it, "
                    "and try again."
                )
            self._running[visitor] += 1
        try:
            yield
        finally:
            with self._lock:
                self._running[visitor] -= 1
                if self._running[visitor] <= 0:
                    del self._running[visitor]
