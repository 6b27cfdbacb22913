"""How many requests a client may make: a bucket of tokens for each, refilled evenly over a minute."""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

KEPT = 10_000  # clients remembered; the one unseen for longest is forgotten first


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may go on. `remaining` more may follow at once; `retry` is seconds until the next may."""

    allowed: bool
    limit: int
    remaining: int
    retry: int = 0

    def headers(self) -> dict[str, str]:
        made = {
            "x-ratelimit-limit-requests": str(self.limit),
            "x-ratelimit-remaining-requests": str(self.remaining),
        }
        return made if self.allowed else made | {"Retry-After": str(self.retry)}


class RateLimiter:
    """Buckets by client. May be called from any thread."""

    def __init__(self, clock: Callable[[], float] = monotonic, kept: int = KEPT) -> None:
        self._clock = clock
        self._kept = kept
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # client -> (tokens, when)
        self._lock = threading.Lock()

    def take(self, client: str, rate: int) -> Verdict:
        """One request of `client`, who may make `rate` a minute (0: as many as it likes)."""
        if rate <= 0:
            return Verdict(True, 0, 0)
        with self._lock:
            now = self._clock()
            tokens, since = self._buckets.pop(client, (float(rate), now))
            tokens = min(float(rate), tokens + (now - since) * rate / 60)
            allowed = tokens >= 1
            self._buckets[client] = (tokens - 1 if allowed else tokens, now)
            while len(self._buckets) > self._kept:
                self._buckets.popitem(last=False)
        if allowed:
            return Verdict(True, rate, int(tokens - 1))
        return Verdict(False, rate, 0, max(1, math.ceil((1 - tokens) * 60 / rate)))
