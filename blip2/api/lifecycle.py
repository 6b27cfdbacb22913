"""Loading, ready, draining: what the server can take now, and how it stops. It knows no HTTP and no model.

`drain` lets what is being answered finish within a set time and then ends the rest; both kinds of end are told apart
by `ended`, so that a cut stream can say why.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from time import monotonic

GRACE = 3.0  # seconds for streams to write their last event after they were ended
STALL = 60.0  # seconds without a step, while requests run, after which a worker counts as stuck


class Phase(StrEnum):
    LOADING = "loading"
    READY = "ready"
    DRAINING = "draining"


class Lifecycle:
    """The phase, and the requests under way. May be called from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._phase = Phase.LOADING
        self._open = 0
        self._generations: dict[str, Callable[[], None]] = {}
        self.ended = False
        self.failures: dict[str, str] = {}

    @property
    def phase(self) -> Phase:
        return self._phase

    def loaded(self) -> None:
        """The models are there."""
        with self._changed:
            if self._phase is Phase.LOADING:
                self._phase = Phase.READY

    @contextmanager
    def request(self) -> Iterator[None]:
        """A request under way, from its first byte to its last: draining waits for it."""
        with self._changed:
            self._open += 1
        try:
            yield
        finally:
            with self._changed:
                self._open -= 1
                self._changed.notify_all()

    @contextmanager
    def generation(self, id: str, cancel: Callable[[], None]) -> Iterator[None]:
        """An answer being written, which `cancel` ends."""
        with self._changed:
            self._generations[id] = cancel
            late = self.ended
        try:
            if late:
                cancel()
            yield
        finally:
            with self._changed:
                self._generations.pop(id, None)

    @property
    def generating(self) -> int:
        return len(self._generations)

    def drain(self, seconds: float) -> bool:
        """Take nothing new, wait for what is under way, then end it. Whether all of it finished by itself."""
        with self._changed:
            self._phase = Phase.DRAINING
            if self._changed.wait_for(lambda: not self._open, seconds):
                return True
            self.ended = True
            left = list(self._generations.values())
        for cancel in left:
            cancel()
        with self._changed:
            self._changed.wait_for(lambda: not self._open, GRACE)
        return False


class Pulse:
    """Whether every worker that has something to do goes on stepping, judged from one look to the next."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._seen: dict[str, tuple[int, float]] = {}
        self._lock = threading.Lock()

    def stalled(self, running: dict[str, int], steps: dict[str, int]) -> list[str]:
        """The models with requests running and no step for `STALL` seconds."""
        now = self._clock()
        stuck = []
        with self._lock:
            for model, count in running.items():
                step = steps.get(model, 0)
                last, since = self._seen.get(model, (step, now))
                if not count or step != last:
                    since = now
                self._seen[model] = (step, since)
                if now - since >= STALL:
                    stuck.append(model)
        return stuck
