"""A crowd of visitors at once, and a backend with a small queue whose answers come one by one when they are let go."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from blip2.backends.scripted import ScriptedBackend
from blip2.values import ModelInfo

T = TypeVar("T")
PATIENCE = 60.0  # seconds after which a visitor who hears nothing counts as forgotten
SAID = "a dog"


class SmallQueue(ScriptedBackend):
    """`slots` questions are answered at a time and `max_waiting` wait; an answer comes once `let_go` has let it."""

    def __init__(self, slots: int, max_waiting: int, models: tuple[ModelInfo, ...]) -> None:
        self._gate = threading.Semaphore(0)
        super().__init__(self._held, models=models, slots=slots, max_waiting=max_waiting)

    def let_go(self, answers: int) -> None:
        for _ in range(answers):
            self._gate.release()

    def close(self) -> None:
        self.let_go(10_000)  # nobody is kept by a test that failed
        super().close()

    def _held(self, prompt: str) -> str:
        assert self._gate.acquire(timeout=PATIENCE)
        return SAID

    @property
    def under_way(self) -> tuple[int, int]:
        """How many questions are being answered, and how many wait."""
        stats = self.stats()
        return sum(stats.running.values()), sum(stats.waiting.values())


class Crowd:
    """`count` visitors, each in a thread of their own; what each was told."""

    def __init__(self, count: int, visit: Callable[[int], T]) -> None:
        self._pool = ThreadPoolExecutor(count)
        self.visits: list[Future[T]] = [self._pool.submit(visit, number) for number in range(count)]

    @property
    def gone(self) -> int:
        """How many have their answer."""
        return sum(visit.done() for visit in self.visits)

    def told(self) -> list[T]:
        """What each was told, once all are done; nobody may be forgotten."""
        _, forgotten = wait(self.visits, PATIENCE)
        assert not forgotten, f"{len(forgotten)} visitors were told nothing."
        self._pool.shutdown()
        return [visit.result() for visit in self.visits]
