"""The guard before every route: foreign pages are refused, bodies are bounded, and the browser is told what to load.

Gradio answers any origin with credentials allowed, takes pictures inside JSON past its own size limit, and lets markup
in an answer load pictures from elsewhere. This pure ASGI middleware closes the three; it knows no gradio and no model.
The API, under `API`, has a limit of its own and may be called from the origins that the settings name.
"""

import json
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

API = "/v1/"
UPLOAD = "/gradio_api/upload"  # where the page sends files, many in one body
# Gradio's templates need 'unsafe-eval' and its page inline scripts; nothing may come from, or go to, another host.
POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self' https://huggingface.co",
    ]
)
FOREIGN = "This request comes from another site's page; open the studio itself."
HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
]


class TooLarge(Exception):
    """The body grew past the limit while it was being read."""


class Guard:
    """ASGI middleware. `max_body` is in bytes and bounds every request's body, declared or streamed.

    Uploads of files may take `max_upload` bytes, if it is given. Under `API`, bodies are the API's to bound, and
    `origins` may call.
    """

    def __init__(self, app: App, max_body: int, origins: Collection[str] = (), max_upload: int = 0) -> None:
        self.app = app
        self.max_body = max_body
        self.max_upload = max(max_upload, max_body)
        self.origins = frozenset(origin.rstrip("/") for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        path, root = str(scope.get("path", "")), str(scope.get("root_path", ""))
        is_api = path.startswith(root + API)
        limit = self.max_upload if path.rstrip("/") == root + UPLOAD else self.max_body
        if is_foreign(headers) and not (is_api and headers[b"origin"] in self.origins):
            await (_refuse_api if is_api else _refuse)(send, 403, FOREIGN)
        elif declared(headers) is None:
            await _refuse(send, 400, f"The Content-Length {headers[b'content-length'][:40]!r} is no number.")
        elif is_api:
            await self._pass_on(scope, receive, send, None)
        elif (declared(headers) or 0) > limit:
            await _refuse(send, 413, _too_large(limit))
        else:
            await self._pass_on(scope, receive, send, limit)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send, limit: int | None) -> None:
        taken, started = 0, False

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if limit is not None and taken > limit:
                raise TooLarge
            return message

        async def marked(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message.get("headers", []), *HEADERS]
            await send(message)

        try:
            await self.app(scope, counted, marked)
        except TooLarge:
            if not started:
                await _refuse(send, 413, _too_large(limit or 0))


def is_foreign(headers: dict[bytes, str]) -> bool:
    """Whether a browser says that a page of another host made the request. Without an Origin there is no such page."""
    origin = headers.get(b"origin")
    if origin is None:
        return False
    hosts = {headers.get(b"host"), headers.get(b"x-forwarded-host")} - {None}
    return urlsplit(origin).netloc not in hosts


def declared(headers: dict[bytes, str]) -> int | None:
    """The body's size as the client gives it, 0 where it gives none; None if it is no number."""
    length = headers.get(b"content-length") or "0"
    return int(length) if length.isascii() and length.isdecimal() else None


def _too_large(limit: int) -> str:
    return f"The request is larger than {limit / 1e6:.0f} MB; send a smaller file, or fewer at a time."


async def _refuse_api(send: Send, status: int, sentence: str) -> None:
    """The sentence in OpenAI's form, which the API's clients read."""
    error = {"message": sentence, "type": "permission_error", "param": None, "code": "foreign_origin"}
    await _refuse(send, status, json.dumps({"error": error}), b"application/json")


async def _refuse(send: Send, status: int, text: str, kind: bytes = b"text/plain; charset=utf-8") -> None:
    body = text.encode()
    start = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*start, *HEADERS]})
    await send({"type": "http.response.body", "body": body})
