"""Each visitor's share: how many requests at a time, and how many a minute. It knows no gradio.

Every handler that makes a model work does so inside `admitted`, so that no visitor can take the machine for themselves.
A session's name is chosen by the client, so that the person or the network address behind it is counted too.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from blip2.api.limits import RateLimiter
from blip2.errors import Busy


@dataclass(frozen=True, slots=True)
class Behind:
    """Who makes the present request: the name they signed in with, or empty, and their network address, or empty."""

    person: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """One name that is counted, with its places at a time and requests a minute (0: no limit)."""

    name: str
    waiting: int
    rate: int
    whose: str  # as a sentence says it: "your", "your address's"


class Visitors:
    """What each visitor has under way. Any thread may ask.

    `waiting` requests at a time and `rate` a minute (0: no limit) for a visitor, who is the person where people sign in
    and the session elsewhere; `of_address` the same two for a network address. `behind` tells who is asking; `most` is
    how many requests there may be of all visitors together (0: no limit).
    """

    def __init__(
        self,
        waiting: int,
        rate: int = 0,
        of_address: tuple[int, int] = (0, 0),
        behind: Callable[[], Behind] = Behind,
        most: int = 0,
    ) -> None:
        self._waiting = waiting
        self._rate = rate
        self._of_address = of_address
        self._behind = behind
        self._most = most
        self._total = 0
        self._limiter = RateLimiter()
        self._running: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def admitted(self, visitor: str) -> Iterator[None]:
        """A place for one request of `visitor`, given back at the end. Raises `Busy` with what to wait for."""
        shares = self._shares(visitor)
        with self._lock:
            for share in shares:
                if share.waiting and self._running[share.name] >= share.waiting:
                    raise Busy(
                        f"{share.waiting} of {share.whose} requests are under way already; wait for one of them, or "
                        "stop it, and try again."
                    )
            if self._most and self._total >= self._most:
                raise Busy(f"{self._total} requests are under way here already; please try again in a moment.")
            self._total += 1
            for share in shares:
                self._running[share.name] += 1
        try:
            for share in shares:
                verdict = self._limiter.take(share.name, share.rate)
                if not verdict.allowed:
                    raise Busy(
                        f"{share.rate} of {share.whose} requests came within a minute, as many as may; please try "
                        f"again in {verdict.retry} s."
                    )
            yield
        finally:
            with self._lock:
                self._total -= 1
                for share in shares:
                    self._running[share.name] -= 1
                    if self._running[share.name] <= 0:
                        del self._running[share.name]

    def _shares(self, visitor: str) -> list[Share]:
        behind = self._behind()
        if behind.person:
            return [Share(f"person {behind.person}", self._waiting, self._rate, "your")]
        shares = []
        if visitor or not behind.address:
            shares.append(Share(f"session {visitor}", self._waiting, self._rate, "your"))
        if behind.address:
            shares.append(Share(f"address {behind.address}", *self._of_address, "your address's"))
        return shares
