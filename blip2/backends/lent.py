"""What is done while a GPU is lent: functions at a module's top, plain values in and out.

ZeroGPU runs them in a process forked from the one that serves, where `HELD` is full of models; a process that started
otherwise loads what it lacks. Each such process has a `LocalBackend` of its own, since threads and locks do not live
through a fork. What is foreseen to go wrong is given back as a value: an exception's type would not come through.
"""

import logging
import os
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

from blip2.backends.local import LocalBackend
from blip2.engine.engine import FAULT
from blip2.errors import Blip2Error
from blip2.loading import LoadedModel, load, moved
from blip2.values import Attention, Chunk, EmbedMode, Features, Match, Picture, Request

logger = logging.getLogger(__name__)
BLINK = 0.02  # seconds between two looks whether to stop


@dataclass(frozen=True, slots=True)
class Order:
    """Which model is wanted, as it was loaded, and the bytes that encoded pictures may take."""

    name: str
    dtype: str
    device: str
    cache_bytes: int


class Held:
    """A model that waits in main memory for a GPU.

    The host's own way, which is to pretend a GPU and to move all models at each call, does not reach the threads that
    read weights; so the model that is wanted is moved, and no other.
    """

    def __init__(self, loaded: LoadedModel) -> None:
        self.loaded = loaded


HELD: "weakref.WeakValueDictionary[tuple[str, str, str], Held]" = weakref.WeakValueDictionary()
BACKENDS: dict[tuple[int, str, str], LocalBackend] = {}  # by process, dtype and device


def write(
    order: Order, request: Request, asked: float, until: float | None, seconds: float, stop: str
) -> Iterator[Chunk | Blip2Error]:
    """The request's chunks, or the error that ended them.

    `asked` and `until` are times of the machine's monotonic clock: when the answer was asked for, and must be there.
    `seconds` of them may pass in here. The file `stop`, once it is there, ends the answer.
    """
    waited = monotonic() - asked
    left = seconds if until is None else min(seconds, until - monotonic())
    try:
        backend = _backend(order)
        with _watched(stop, backend, request.id):
            for chunk in backend.generate(replace(request, model=order.name, deadline=max(left, 0.0))):
                yield _shifted(chunk, waited) if chunk.final else chunk
    except Blip2Error as error:
        yield error
    except Exception as fault:
        logger.exception("an answer of %s failed", order.name)
        yield Blip2Error(FAULT.format(fault=type(fault).__name__))


def compare(order: Order, images: Sequence[Picture], texts: Sequence[str]) -> Match | Blip2Error:
    """As `Backend.match`."""
    try:
        return _backend(order).match(order.name, images, texts)
    except Blip2Error as error:
        return error


def extract(order: Order, images: Sequence[Picture], texts: Sequence[str], mode: EmbedMode) -> Features | Blip2Error:
    """As `Backend.embed`."""
    try:
        return _backend(order).embed(order.name, images, texts, mode)
    except Blip2Error as error:
        return error


def look(order: Order, picture: Picture, text: str) -> Attention | Blip2Error:
    """As `Backend.attend`."""
    try:
        return _backend(order).attend(order.name, picture, text)
    except Blip2Error as error:
        return error


def _backend(order: Order) -> LocalBackend:
    """This process's own."""
    key = (os.getpid(), order.dtype, order.device)
    if key not in BACKENDS:
        BACKENDS[key] = LocalBackend(
            [order.name], order.dtype, order.device, any_model=True, cache_bytes=order.cache_bytes, loader=_held
        )
    return BACKENDS[key]


def _held(name: str, dtype: str, device: str) -> LoadedModel:
    held = HELD.get((name, dtype, device))
    return moved(held.loaded) if held is not None else load(name, dtype, device)


@contextmanager
def _watched(stop: str, backend: LocalBackend, id: str) -> Iterator[None]:
    """Cancel the request as soon as the file is there: no event or lock would come through to this process."""
    path, over = Path(stop), threading.Event()

    def watch() -> None:
        while not over.wait(BLINK):
            if path.exists():
                backend.cancel(id)

    thread = threading.Thread(target=watch, name="stop", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _shifted(chunk: Chunk, waited: float) -> Chunk:
    """The times of the last chunk counted from when the answer was asked for, the wait for a GPU included."""
    usage = chunk.usage
    times = {name: getattr(usage, name) + waited for name in ("queued", "first_token", "total")}
    return replace(chunk, usage=replace(usage, **times))
