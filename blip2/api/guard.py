"""The guard before every route: foreign pages are refused, bodies are bounded, and the browser is told what to load.

Gradio answers any origin with credentials allowed, takes pictures inside JSON past its own size limit, and lets markup
in an answer load pictures from elsewhere. This pure ASGI middleware closes the three; it knows no gradio and no model.
The API, under `API`, has a limit of its own and may be called from the origins that the settings name.
"""

import json
from collections.abc import Awaitable, Callable, Collection, MutableMapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from blip2.api.allowance import Allowance, Refused, forwarded

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

API = "/v1/"
SIGN_IN = "/login"
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


FILE = b'filename="'  # stands before each file of a form


class TooLarge(Exception):
    """The body grew past the limit while it was being read."""


class TooMuch(Exception):
    """The address has sent more than it may; holds what is to be said."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.sentence)
        self.refused = refused


class Guard:
    """ASGI middleware. `max_body` is in bytes and bounds every request's body, declared or streamed.

    Uploads of files may take `max_upload` bytes, if it is given. Under `API`, bodies are the API's to bound, and
    `origins` may call. `allowance` bounds what an address may send in a while.
    """

    def __init__(
        self, app: App, max_body: int, origins: Collection[str] = (), max_upload: int = 0,
        allowance: Allowance | None = None, trust_proxy: bool = False,
    ) -> None:  # fmt: skip
        self.app = app
        self.max_body = max_body
        self.max_upload = max(max_upload, max_body)
        self.allowance = allowance or Allowance({})
        self.trust_proxy = trust_proxy
        self.origins = frozenset(origin.rstrip("/") for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        path, root = str(scope.get("path", "")), str(scope.get("root_path", ""))
        is_api = path.startswith(root + API)
        uploads = path.rstrip("/") == root + UPLOAD
        limit = self.max_upload if uploads else self.max_body
        client = str((scope.get("client") or ("unknown",))[0])
        address = forwarded(client, headers.get(b"x-forwarded-for", ""), self.trust_proxy)
        signs_in = scope["method"] == "POST" and path.rstrip("/") == root + SIGN_IN
        if is_foreign(headers) and not (is_api and headers[b"origin"] in self.origins):
            await (_refuse_api if is_api else _refuse)(send, 403, FOREIGN)
        elif declared(headers) is None:
            await _refuse(send, 400, f"The Content-Length {headers[b'content-length'][:40]!r} is no number.")
        elif is_api:
            await self._pass_on(scope, receive, send, None)
        elif (declared(headers) or 0) > limit:
            await _refuse(send, 413, _too_large(limit))
        elif signs_in and (refused := self.allowance.take("sign-ins", address, 1)):
            await _refuse_for_now(send, refused)
        else:
            await self._pass_on(scope, receive, send, limit, address if uploads else None)

    async def _pass_on(
        self, scope: Scope, receive: Receive, send: Send, limit: int | None, sender: str | None = None
    ) -> None:
        """Let the request through, its body counted; `sender` is the address whose files it carries."""
        taken, started, tail = 0, False, b""

        async def counted() -> Message:
            nonlocal taken, tail
            message = await receive()
            body = message.get("body", b"")
            taken += len(body)
            if limit is not None and taken > limit:
                raise TooLarge
            if sender is not None:
                seen = tail + body
                tail = seen[-len(FILE) + 1 :]
                for what, amount in (("bytes", len(body)), ("files", seen.count(FILE))):
                    if refused := self.allowance.take(what, sender, amount):
                        raise TooMuch(refused)
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
        except TooMuch as error:
            if not started:
                await _refuse_for_now(send, error.refused)


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


async def _refuse_for_now(send: Send, refused: Refused) -> None:
    """429; as JSON, whose `detail` the sign-in and the page read."""
    body = json.dumps({"detail": refused.sentence})
    await _refuse(send, 429, body, b"application/json", [(b"retry-after", str(refused.retry).encode())])


async def _refuse(
    send: Send, status: int, text: str, kind: bytes = b"text/plain; charset=utf-8",
    extra: Sequence[tuple[bytes, bytes]] = (),
) -> None:  # fmt: skip
    body = text.encode()
    start = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *extra]
    await send({"type": "http.response.start", "status": status, "headers": [*start, *HEADERS]})
    await send({"type": "http.response.body", "body": body})
