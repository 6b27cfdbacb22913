"""Several streams read at once, each in a thread of its own, merged into one. It knows nothing of what they carry."""

import queue
import threading
from collections.abc import Callable, Generator, Iterable
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")
_END = object()
BEAT = 0.5  # seconds after which a reader hears of nothing new


def merged(
    streams: Iterable[tuple[int, Generator[T, None, None]]], give_up: Callable[[], None]
) -> Generator[list[tuple[int, T]], None, None]:
    """What arrives from the streams, each item with its stream's number; what came meanwhile comes together.

    Where nothing comes for a while it gives an empty list, since only between two items can a generator be closed.
    Closing it calls `give_up`, which must make streams that wait for something end soon; each stream is then closed by
    its own thread, and nothing waits for them. An error in a stream ends that one alone, and goes to the thread's hook.
    """
    arrived: queue.SimpleQueue[tuple[int, object]] = queue.SimpleQueue()
    abandoned = threading.Event()

    def pump(number: int, stream: Generator[T, None, None]) -> None:
        try:
            for item in stream:
                arrived.put((number, item))
                if abandoned.is_set():
                    return
        finally:
            stream.close()
            arrived.put((number, _END))

    # Each with a copy of the context, which says whose request this is: a host that lends GPUs asks for that.
    threads = [threading.Thread(target=copy_context().run, args=(pump, *each), daemon=True) for each in streams]
    for thread in threads:
        thread.start()
    left = len(threads)
    try:
        while left:
            try:
                came = [arrived.get(timeout=BEAT)]
            except queue.Empty:
                yield []
                continue
            while not arrived.empty():
                came.append(arrived.get())
            items: list[tuple[int, T]] = [(number, item) for number, item in came if item is not _END]  # type: ignore[misc]
            left -= len(came) - len(items)
            if items:
                yield items
    finally:
        abandoned.set()
        if left:
            give_up()
