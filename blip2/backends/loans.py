"""The answers under way on borrowed GPUs, and what each model has done; how one is told to stop. Knows no tensors."""

import contextlib
import tempfile
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic

from blip2.errors import Busy
from blip2.values import Chunk

FULL = "{} answers are under way already; please ask again in a moment."


@dataclass
class Running:
    """An answer under way in another process, which looks whether the file `stop` is there; `closed`: unloaded."""

    model: str
    stop: Path
    closed: bool = False

    def end(self) -> None:
        with contextlib.suppress(OSError):  # the folder is gone once the backend is closed
            self.stop.touch()


@dataclass
class Counts:
    """What a model has done since it was loaded; `since` is a time of the monotonic clock."""

    steps: int = 0
    tokens: int = 0
    since: float = field(default_factory=monotonic)


class Loans:
    """At most `most` at once. All methods may be called from any thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._folder = tempfile.TemporaryDirectory(prefix="blip2-stop-")
        self._running: dict[str, Running] = {}
        self._counts: dict[str, Counts] = {}
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def taken(self, id: str, model: str) -> Iterator[Running]:
        """One answer; at the end it is stopped, if it has not ended. Raises `Busy` where too many are under way."""
        run = Running(model, Path(self._folder.name) / uuid.uuid4().hex)
        with self._lock:
            if len(self._running) >= self._most:
                raise Busy(FULL.format(len(self._running)))
            self._running[id] = run
        try:
            yield run
        finally:
            with self._lock:
                self._running.pop(id, None)
            with contextlib.suppress(OSError):
                run.stop.unlink(missing_ok=True)

    def loaded(self, model: str) -> None:
        """Count anew."""
        with self._lock:
            self._counts[model] = Counts()

    def count(self, model: str, chunk: Chunk) -> None:
        with self._lock:
            self._counts[model].steps += 1
            self._counts[model].tokens += chunk.usage.new_tokens

    def cancel(self, id: str) -> None:
        with self._lock:
            run = self._running.get(id)
        if run is not None:
            run.end()

    def unloaded(self, model: str | None = None) -> None:
        """End the answers of a model, or all of them."""
        with self._lock:
            ending = [run for run in self._running.values() if model in (None, run.model)]
        for run in ending:
            run.closed = True
            run.end()

    def running(self) -> Counter[str]:
        """Answers under way by model."""
        with self._lock:
            return Counter(run.model for run in self._running.values())

    def counts(self, model: str) -> Counts:
        with self._lock:
            return self._counts[model]

    def close(self) -> None:
        self.unloaded()
        self._folder.cleanup()
