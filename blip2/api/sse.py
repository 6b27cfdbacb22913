"""Server-sent events and lines of JSON out of a source of values; failures become a status or a last event.

What fails within the first second (a full queue, a prompt too long) is still an ordinary error response. Later the
status is sent already, and the error is the stream's last event.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

from starlette.requests import Request

from blip2.api.failures import json_bytes, refusal
from blip2.api.running import Streamed, until_gone

FIRST = 1.0  # seconds that an error may take to become the response's status
BEAT = 15.0  # seconds of silence after which a comment keeps proxies from closing the connection
Values = AsyncGenerator[dict[str, Any], None]


async def sent_events(request: Request, source: Values) -> Streamed:
    """The values as server-sent events, closed by `[DONE]`."""
    return await _streamed(request, source, "text/event-stream", _event, b": waiting\n\n", b"data: [DONE]\n\n")


async def sent_lines(request: Request, source: Values) -> Streamed:
    """The values as newline-delimited JSON."""
    return await _streamed(request, source, "application/x-ndjson", _line, b"", b"")


async def _streamed(
    request: Request, source: Values, kind: str, form: Callable[[dict[str, Any]], bytes], beat: bytes, end: bytes
) -> Streamed:
    first = asyncio.ensure_future(anext(source))
    try:
        await until_gone(request.receive, _settled(first))
    except BaseException:
        await _abandon(first, source)
        raise
    if first.done() and first.exception() is not None:
        await source.aclose()
        first.result()
    return Streamed(_pieces(request, first, source, form, beat, end), kind, lambda: _abandon(first, source))


async def _settled(first: "asyncio.Future[dict[str, Any]]") -> None:
    await asyncio.wait({first}, timeout=FIRST)


async def _pieces(
    request: Request,
    first: "asyncio.Future[dict[str, Any]]",
    source: Values,
    form: Callable[[dict[str, Any]], bytes],
    beat: bytes,
    end: bytes,
) -> AsyncGenerator[bytes, None]:
    following = first
    try:
        while True:
            done, _ = await asyncio.wait({following}, timeout=BEAT)
            if not done:
                if beat:
                    yield beat
                continue
            try:
                value = following.result()
            except StopAsyncIteration:
                break
            yield form(value)
            following = asyncio.ensure_future(anext(source))
        yield end
    except Exception as error:
        told = refusal(error)
        request.state.outcome = "server_error" if told.status >= 500 else "client_error"
        yield form(told.to_json()) + end
    finally:
        await _abandon(following, source)


async def _abandon(following: "asyncio.Future[dict[str, Any]]", source: Values) -> None:
    """Close the source, which cannot be closed while it is being waited for."""
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await source.aclose()


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + json_bytes(value) + b"\n\n"


def _line(value: dict[str, Any]) -> bytes:
    return json_bytes(value) + b"\n"
