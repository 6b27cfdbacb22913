"""Work that a visitor can stop at once: it goes on in a thread of its own, and the page looks at it now and then.

Between two steps of the work the thread minds the stop; a step under way is let finish, and what it gives is dropped.
It knows no gradio and no model.
"""

import queue
import threading
from collections.abc import Generator, Iterator
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")
BEAT = 0.3  # seconds between two looks at whether anyone still wants the results


class Run:
    """One piece of work. `stop` ends it and leaves what is done; `drop` ends it because something else is shown now."""

    def __init__(self) -> None:
        self.halt = threading.Event()
        self.is_stopped = False
        self.is_dropped = False

    def stop(self) -> None:
        self.is_stopped = True
        self.halt.set()

    def drop(self) -> None:
        self.is_dropped = True
        self.halt.set()


class Runs:
    """Each visitor's run. Any thread may ask."""

    def __init__(self) -> None:
        self._running: dict[str, Run] = {}
        self._lock = threading.Lock()

    def begin(self, visitor: str) -> Run:
        """A new run, in place of one that is under way."""
        made = Run()
        with self._lock:
            before = self._running.get(visitor)
            self._running[visitor] = made
        if before is not None:
            before.drop()
        return made

    def end(self, visitor: str, run: Run) -> None:
        """Forget a run, and end it if it is not over."""
        run.halt.set()
        with self._lock:
            if self._running.get(visitor) is run:
                del self._running[visitor]

    def of(self, visitor: str) -> Run | None:
        """What is under way."""
        with self._lock:
            return self._running.get(visitor)


def patiently(steps: Iterator[T], halt: threading.Event, beat: float = BEAT) -> Generator[T | None, None, None]:
    """The `steps` as they are made, and None while there is nothing new. Ends when `halt` is set; closing it sets it.

    Raises what the steps raise.
    """
    made: queue.SimpleQueue[tuple[str, T | BaseException | None]] = queue.SimpleQueue()

    def work() -> None:
        try:
            for step in steps:
                made.put(("step", step))
                if halt.is_set():
                    break
            made.put(("end", None))
        except BaseException as error:  # handed over whole: the one who waits says what it means
            made.put(("error", error))

    # With the context, which says whose request this is: a host that lends GPUs asks for that.
    threading.Thread(target=copy_context().run, args=(work,), name="matching", daemon=True).start()
    try:
        while not halt.is_set():
            try:
                kind, value = made.get(timeout=beat)
            except queue.Empty:
                yield None
                continue
            if kind == "end":
                return
            if isinstance(value, BaseException):
                raise value
            yield value
    finally:
        halt.set()
