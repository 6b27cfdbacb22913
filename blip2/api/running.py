"""The backend's streams, which block, as async streams; and the rule that a client who leaves frees the model.

A thread iterates over the backend and leaves the newest chunk in a mailbox: a slow client skips chunks, whose text is
the whole answer so far, and never piles them up. Leaving the async stream cancels by id before the model's next step.
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine
from time import monotonic
from typing import Any, TypeVar

from starlette.background import BackgroundTask
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from blip2.api.failures import Refusal
from blip2.api.service import Service
from blip2.values import Chunk, Finish, Request

T = TypeVar("T")
STOPPING = "The server is stopping and the answer was broken off; please ask again in a moment."


class Gone(Exception):
    """The client closed the connection; there is no one to answer."""


class Mailbox:
    """Holds the newest chunk, or the error, for one async reader. `put` is called from another thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._filled = asyncio.Event()
        self._item: Chunk | BaseException | None = None

    def put(self, item: Chunk | BaseException) -> None:
        with contextlib.suppress(RuntimeError):  # the loop was closed: nobody reads any more
            self._loop.call_soon_threadsafe(self._set, item)

    def _set(self, item: Chunk | BaseException) -> None:
        self._item = item
        self._filled.set()

    async def get(self) -> Chunk:
        await self._filled.wait()
        self._filled.clear()
        if isinstance(self._item, BaseException):
            raise self._item
        assert self._item is not None
        return self._item


async def chunks(service: Service, request: Request) -> AsyncGenerator[Chunk, None]:
    """The request's chunks, the last one final. Closing the generator cancels the request.

    Raises what the backend raises, `Refusal` 503 where the server ended the answer because it stops.
    """
    box, gone = Mailbox(), threading.Event()
    with service.admitted(request.id):
        service.spawn(_pump, service, request, box, gone)
        try:
            while True:
                chunk = await box.get()
                if chunk.finish is Finish.CANCELLED and service.lifecycle.ended:
                    raise Refusal(503, STOPPING, None, "stopping", {"Retry-After": "5"})
                yield chunk
                if chunk.final:
                    return
        finally:
            gone.set()
            service.backend.cancel(request.id)


def _pump(service: Service, request: Request, box: Mailbox, gone: threading.Event) -> None:
    """Iterate over the backend until the end, or until the reader has left."""
    steady = request.decoding.method != "beam"  # what beams show may change: it has no time between tokens
    last: float | None = None
    try:
        if gone.is_set():
            return
        stream = service.backend.generate(request)
        for chunk in stream:
            now = monotonic()
            if last is not None and steady and not chunk.final:
                service.metrics.token(request.model, now - last)
            last = now if not chunk.waiting else None
            if chunk.final and chunk.finish is not Finish.CANCELLED:
                service.metrics.turn(request.model, chunk.usage)
            box.put(chunk)
            if gone.is_set():  # also when `cancel` came before the backend knew the request
                service.backend.cancel(request.id)
                _close(stream)
                return
            if chunk.final:
                return
        box.put(Refusal(500, "The model ended without an answer; please ask again."))
    except BaseException as error:
        box.put(error)


def _close(stream: Any) -> None:
    close = getattr(stream, "close", None)
    if close is not None:
        close()


async def whole(service: Service, request: Request) -> Chunk:
    """The last chunk of the stream."""
    async with contextlib.aclosing(chunks(service, request)) as stream:
        async for chunk in stream:
            if chunk.final:
                return chunk
    raise AssertionError("a stream ends with its final chunk or an error")


async def until_gone(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """Await `work`, but cancel it as soon as the client closes the connection. Raises `Gone` then.

    The request's body must have been read: what comes after it is the disconnect.
    """
    task = asyncio.ensure_future(work)
    watch = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Gone
        return task.result()
    finally:
        for each in (task, watch):
            each.cancel()
        await asyncio.gather(task, watch, return_exceptions=True)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class Streamed(Response):
    """A streaming response that stops its source when the client leaves, whichever version of ASGI the server speaks.

    `source` is closed in every case, so that its `finally` runs at once and not when it is collected. A generator that
    was never started has no `finally` to run: `cleanup` is awaited at the end, started or not.
    """

    def __init__(
        self,
        source: AsyncGenerator[bytes, None],
        media_type: str,
        cleanup: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.source = source
        self.cleanup = cleanup
        self.status_code = 200
        self.media_type = media_type
        self.background: BackgroundTask | None = None
        # Proxies such as nginx would gather the pieces.
        self.init_headers({"cache-control": "no-store", "x-accel-buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await until_gone(receive, self._send_all(send))
        except Gone:
            scope.setdefault("state", {})["outcome"] = "gone"
        finally:
            if self.cleanup is not None:
                await self.cleanup()

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with contextlib.aclosing(self.source) as source:
            async for piece in source:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def merged(streams: list[AsyncGenerator[T, None]]) -> AsyncIterator[tuple[int, T]]:
    """What the streams yield, as it comes, each with its stream's index. Leaving closes all of them."""
    queue: asyncio.Queue[tuple[int, T] | BaseException | None] = asyncio.Queue(maxsize=1)
    tasks = [asyncio.ensure_future(_feed(queue, index, stream)) for index, stream in enumerate(streams)]
    left = len(tasks)
    try:
        while left:
            item = await queue.get()
            if isinstance(item, BaseException):
                raise item
            if item is None:
                left -= 1
            else:
                yield item
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _feed(
    queue: "asyncio.Queue[tuple[int, T] | BaseException | None]", index: int, stream: AsyncGenerator[T, None]
) -> None:
    put: Callable[[tuple[int, T] | BaseException | None], Awaitable[None]] = queue.put
    try:
        async with contextlib.aclosing(stream) as opened:
            async for item in opened:
                await put((index, item))
        await put(None)
    except Exception as error:
        await put(error)
