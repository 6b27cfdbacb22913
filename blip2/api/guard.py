"""The guard before every route: foreign pages and names are refused, bodies bounded, the browser told what to load.

Gradio answers any origin with credentials allowed, takes pictures inside JSON past its own size limit, and lets markup
in an answer load pictures from elsewhere. This pure ASGI middleware closes the three; it knows no gradio and no model.
Uploads go through a sieve, so that only what the page can use is taken up. The API, under `API`, has a limit of its own
and may be called from the origins that the settings name.
"""

import json
from collections.abc import Awaitable, Callable, Collection, MutableMapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from blip2.api import hosts
from blip2.api.allowance import Allowance, Refused, forwarded
from blip2.api.request_id import HEADER, request_id
from blip2.api.sieve import Sieve, Unreadable

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
UNKNOWN = (
    "The studio does not answer to the name {name!r:.80}; open it as localhost, or start it with --hosts and the name."
)
HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
]


UNREADABLE = "The upload cannot be read; send it again, as a form with files."


class TooLarge(Exception):
    """The body grew past the limit while it was being read."""


class TooMuch(Exception):
    """The address has sent more than it may; holds what is to be said."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.sentence)
        self.refused = refused


class Gone(Exception):
    """The client left in the middle of an upload."""


class Guard:
    """ASGI middleware. `max_body` is in bytes and bounds every request's body, declared or streamed.

    Uploads of files may take `max_upload` bytes, if it is given. Under `API`, bodies are the API's to bound, and
    `origins` may call. `allowance` bounds what an address may send in a while. `names` are the server's own, None any.
    """

    def __init__(
        self, app: App, max_body: int, origins: Collection[str] = (), max_upload: int = 0,
        allowance: Allowance | None = None, trust_proxy: bool = False, names: Collection[str] | None = None,
    ) -> None:  # fmt: skip
        self.app = app
        self.max_body = max_body
        self.max_upload = max(max_upload, max_body)
        self.allowance = allowance or Allowance({})
        self.trust_proxy = trust_proxy
        self.names = names
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
        if refused_for := self._unwanted(headers, is_api):
            await (_refuse_api(send, headers, *refused_for) if is_api else _refuse(send, *refused_for[:2]))
        elif is_api:
            await self._pass_on(scope, receive, send, None)
        elif (declared(headers) or 0) > limit:
            await _refuse(send, 413, _too_large(limit))
        elif signs_in and (refused := self.allowance.take("sign-ins", address, 1)):
            await _refuse_for_now(send, refused)
        else:
            await self._pass_on(scope, receive, send, limit, address if uploads else None)

    def _unwanted(self, headers: dict[bytes, str], is_api: bool) -> tuple[int, str, str] | None:
        """Why a request is turned away before anything of it is read: status, sentence, and the API's code."""
        name = hosts.name_in(headers.get(b"host", ""))
        if not hosts.answers_to(name, self.names):
            return 403, UNKNOWN.format(name=name), "unknown_host"
        if is_foreign(headers) and not (is_api and headers[b"origin"] in self.origins):
            return 403, FOREIGN, "foreign_origin"
        if declared(headers) is None:
            return 400, f"The Content-Length {headers[b'content-length'][:40]!r} is no number.", "bad_length"
        return None

    async def _pass_on(
        self, scope: Scope, receive: Receive, send: Send, limit: int | None, sender: str | None = None
    ) -> None:
        """Let the request through, its body counted; `sender` is the address whose files it carries."""
        body = _Body(limit, self.allowance, sender)
        started = False

        async def marked(message: Message) -> None:
            nonlocal started
            if body.fault is not None and sender is not None:
                return  # what the app says of a body that was broken off here
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message.get("headers", []), *HEADERS]
            await send(message)

        try:
            if sender is not None:
                kind = dict(scope["headers"]).get(b"content-type", b"").decode("latin-1")
                body.sieve = Sieve(kind)
            await self.app(scope, body.counted(receive), marked)
        except (TooLarge, TooMuch, Unreadable) as fault:
            body.fault = fault
        if body.fault is not None and not started:
            await _refuse_body(send, body.fault, limit or 0)


class _Body:
    """A request's body on its way in: counted, and sifted where it is an upload; `fault` is why it was broken off."""

    def __init__(self, limit: int | None, allowance: Allowance, sender: str | None) -> None:
        self.limit = limit
        self.allowance = allowance
        self.sender = sender
        self.sieve: Sieve | None = None
        self.fault: Exception | None = None
        self._taken = 0

    def counted(self, receive: Receive) -> Receive:
        async def counted() -> Message:
            if self.fault is not None:
                return {"type": "http.disconnect"}
            message = await receive()
            try:
                return {**message, **self._checked(message)}
            except (TooLarge, TooMuch, Unreadable, Gone) as fault:
                if self.sieve is None:
                    raise
                # An end that no parser takes: what is behind removes the files it has begun, which it would not if the
                # reading failed, or if the client had left.
                self.fault = fault
                return {"type": "http.request", "body": self.sieve.broken(), "more_body": False}

        return counted

    def _checked(self, message: Message) -> Message:
        """What is to be changed of a message."""
        if message["type"] == "http.disconnect" and self.sieve is not None:
            raise Gone
        body = message.get("body", b"")
        self._taken += len(body)
        if self.limit is not None and self._taken > self.limit:
            raise TooLarge
        if self.sieve is None or self.sender is None:
            return {}
        before = self.sieve.files
        sifted = self.sieve.sift(body)
        for what, amount in (("bytes", len(body)), ("files", self.sieve.files - before)):
            if refused := self.allowance.take(what, self.sender, amount):
                raise TooMuch(refused)
        return {"body": sifted}


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


async def _refuse_body(send: Send, fault: Exception, limit: int) -> None:
    """Why a body was broken off; a client that has left is told nothing."""
    if isinstance(fault, TooLarge):
        await _refuse(send, 413, _too_large(limit))
    elif isinstance(fault, TooMuch):
        await _refuse_for_now(send, fault.refused)
    elif isinstance(fault, Unreadable):
        await _refuse(send, 400, UNREADABLE)


async def _refuse_api(send: Send, headers: dict[bytes, str], status: int, sentence: str, code: str) -> None:
    """The sentence in OpenAI's form, which the API's clients read, with the request's id."""
    kind = "permission_error" if status == 403 else "invalid_request_error"
    error = {"message": sentence, "type": kind, "param": None, "code": code}
    named = (HEADER.encode(), request_id(headers.get(HEADER.encode(), "")).encode())
    await _refuse(send, status, json.dumps({"error": error}), b"application/json", [named])


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
