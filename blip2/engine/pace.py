"""How fast a model writes now: over its answers of the last minutes. Knows no model."""

import threading
from collections import deque
from collections.abc import Callable
from time import monotonic

WINDOW = 120.0  # seconds that count as now


class Pace:
    """Answers as (begun, ended, tokens), those of the last `window` seconds. Safe from any thread."""

    def __init__(self, window: float = WINDOW, clock: Callable[[], float] = monotonic) -> None:
        self.window = window
        self.clock = clock
        self.tokens = 0  # all that were ever written
        self._answers: deque[tuple[float, float, int]] = deque()
        self._lock = threading.Lock()

    def add(self, begun: float, tokens: int) -> None:
        """An answer that ended now; `begun` on the same clock."""
        with self._lock:
            self.tokens += tokens
            self._answers.append((begun, self.clock(), tokens))
            self._forget()

    def rate(self) -> float:
        """Tokens a second, all answers together, of the time in which any was being written; 0 without one."""
        with self._lock:
            self._forget()
            busy, reached = 0.0, float("-inf")
            for begun, ended, _ in sorted(self._answers):
                busy += max(0.0, ended - max(begun, reached))
                reached = max(reached, ended)
            return sum(tokens for *_, tokens in self._answers) / busy if busy else 0.0

    def _forget(self) -> None:
        while self._answers and self._answers[0][1] < self.clock() - self.window:
            self._answers.popleft()
