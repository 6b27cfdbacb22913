"""A stand-in of the package `spaces`, which lends GPUs to functions on ZeroGPU.

As there, a function runs in a process forked from this one, arguments and results are pickled on the way, generators
stream, an error comes through as the name of its class, and an idle process is used again.
"""

import functools
import inspect
import multiprocessing
import signal
import threading
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

FORK = multiprocessing.get_context("fork")


class GpuError(Exception):
    """What the lender raises: it carries a message for a page, with tags in it."""

    def __init__(self, message: str) -> None:
        super().__init__("a title")
        self.message = message


@dataclass
class Spaces:
    """The module. `refusal` makes the next loans fail, `durations` are those that were asked for."""

    refusal: str = ""
    durations: list[int] = field(default_factory=list)
    workers: list["Worker"] = field(default_factory=list)

    def GPU(self, task: Callable[..., Any] | None = None, *, duration: int = 60) -> Any:
        if task is None:
            return functools.partial(self.GPU, duration=duration)
        self.durations.append(duration)
        made, idle, lock = task, [], threading.Lock()  # type: ignore[var-annotated]

        def borrow() -> Worker:
            if self.refusal:
                raise GpuError(self.refusal)
            with lock:
                if idle:
                    return idle.pop()  # type: ignore[no-any-return]
            worker = Worker(made)  # threads may fork at once
            with lock:
                self.workers.append(worker)
            return worker

        def give_back(worker: Worker) -> None:
            with lock:
                idle.append(worker)

        @functools.wraps(task)
        def stream(*arguments: Any) -> Iterator[Any]:
            worker = borrow()
            yield from worker.run(arguments)
            give_back(worker)

        @functools.wraps(task)
        def call(*arguments: Any) -> Any:
            worker = borrow()
            (value,) = worker.run(arguments)
            give_back(worker)
            return value

        return stream if inspect.isgeneratorfunction(task) else call

    def module(self) -> types.ModuleType:
        made = types.ModuleType("spaces")
        made.GPU = self.GPU  # type: ignore[attr-defined]
        return made

    def close(self) -> None:
        for worker in self.workers:
            worker.process.kill()
            worker.process.join()


class Worker:
    """A process forked now, which knows what was in memory then."""

    def __init__(self, task: Callable[..., Any]) -> None:
        self._here, there = FORK.Pipe()
        self._stop = FORK.Event()
        self.process = FORK.Process(target=_serve, args=(task, there, self._stop), daemon=True)
        self.process.start()
        there.close()

    def run(self, arguments: tuple[Any, ...]) -> Iterator[Any]:
        """What the function yields, or the one value it returns."""
        self._stop.clear()
        self._here.send(arguments)
        ended = False
        try:
            while True:
                try:
                    kind, value = self._here.recv()
                except EOFError:
                    ended = True
                    raise GpuError("GPU task aborted") from None
                if kind != "value":
                    ended = True
                if kind == "error":
                    raise GpuError(f"<b>{value}</b> was raised")
                if kind == "end":
                    return
                yield value
        finally:
            if not ended:  # the reader left: the function is told after its next value
                self._stop.set()
                while self._here.recv()[0] == "value":
                    pass


def _serve(task: Callable[..., Any], pipe: Any, stop: Any) -> None:
    import torch

    torch.set_num_threads(1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # not what the process before did with it
    while True:
        try:
            arguments = pipe.recv()
        except EOFError:
            return
        try:
            made = task(*arguments)
            if not inspect.isgeneratorfunction(task):
                made = iter([made])
            for value in made:
                if stop.is_set():
                    made.close()
                    break
                pipe.send(("value", value))
        except Exception as error:
            pipe.send(("error", type(error).__name__))
        else:
            pipe.send(("end", None))
