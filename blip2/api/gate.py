"""The gate before the API's routes: a request's id, key, rate, size and type; its line in the log, its count.

Pure ASGI, so that streams pass through it piece by piece and a closed connection is seen at once.
"""

from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from blip2.api.allowance import forwarded
from blip2.api.failures import Refusal, refusal
from blip2.api.guard import declared
from blip2.api.journal import request_line
from blip2.api.keys import Holder
from blip2.api.request_id import HEADER, current, request_id
from blip2.api.service import Service

OPEN = ("/openapi.json",)  # what needs no key
FORMS = ("/captions", "/match", "/features")  # what takes files as well as JSON
NO_KEYS = "This studio asks for a sign-in, so its API needs keys; its administrator sets --api-keys-file to open it."
OUTCOMES = {400: "client_error", 401: "refused", 403: "refused", 429: "refused", 500: "server_error"}


@dataclass
class Passage:
    """One request's way through the gate."""

    id: str
    begun: float = field(default_factory=monotonic)
    status: int = 0
    taken: int = 0
    too_large: bool = False


class Gate:
    """ASGI middleware around the API's application."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app = app
        self.service = service
        self.limit = service.settings.api_body_mb * 1_000_000

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self.service.warm()
        headers = Headers(scope=scope)
        passage = Passage(request_id(headers.get(HEADER, "")))
        current.set(passage.id)
        state = scope.setdefault("state", {})
        scope["state"] = state = dict(state) | {"request_id": passage.id, "client": "", "model": "", "told": {}}
        with self.service.lifecycle.request():
            try:
                await self._pass(scope, headers, passage, receive, send)
            finally:
                self._leave(scope, passage, state)

    async def _pass(self, scope: Scope, headers: Headers, passage: Passage, receive: Receive, send: Send) -> None:
        extra: dict[str, str] = {}

        async def counted() -> Message:
            message = await receive()
            passage.taken += len(message.get("body", b""))
            if passage.taken > self.limit:
                passage.too_large = True
                return {"type": "http.disconnect"}
            return message

        async def marked(message: Message) -> None:
            if passage.too_large and (message["type"] != "http.response.start" or passage.status):
                return
            if message["type"] == "http.response.start":
                passage.status = 413 if passage.too_large else message["status"]
                if passage.too_large:
                    await self._too_large().response()(scope, receive, self._named(passage, extra, send))
                    return
                MutableHeaders(scope=message).update({HEADER: passage.id, **extra})
            await send(message)

        try:
            extra |= self._checked(scope, headers)
            await self.app(scope, counted, marked)
        except Exception as error:
            # Routes turn their errors into responses; what arrives here was refused at the gate, or unforeseen.
            if passage.status:
                raise
            told = self._too_large() if passage.too_large else refusal(error)
            passage.status = told.status
            await told.response()(scope, receive, self._named(passage, extra, send))

    def _named(self, passage: Passage, extra: dict[str, str], send: Send) -> Send:
        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update({HEADER: passage.id, **extra})
            await send(message)

        return named

    def _checked(self, scope: Scope, headers: Headers) -> dict[str, str]:
        """Who it is, whether it may, and whether the body can be read; headers for the response."""
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path in OPEN or scope["method"] == "OPTIONS":
            return {}
        holder = self._holder(headers)
        connected = (scope.get("client") or ("unknown",))[0]
        address = forwarded(connected, headers.get("x-forwarded-for", ""), self.service.settings.trust_proxy)
        client = scope["state"]["client"] = f"key {holder.name}" if holder else f"address {address}"
        rate = holder.rate if holder and holder.rate is not None else self.service.settings.api_rate
        verdict = self.service.limiter.take(client, rate)
        if not verdict.allowed:
            message = f"More than {verdict.limit} requests a minute; try again in {verdict.retry} seconds."
            raise Refusal(429, message, None, "rate_limit_exceeded", verdict.headers())
        if scope["method"] == "POST":  # nothing else has a body that a route reads
            self._check_body(path, headers)
        return verdict.headers() if rate else {}

    def _check_body(self, path: str, headers: Headers) -> None:
        if (declared({b"content-length": headers.get("content-length", "")}) or 0) > self.limit:
            raise self._too_large()
        kind = headers.get("content-type", "").split(";")[0].strip().lower()
        is_json = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
        if not is_json and not (kind == "multipart/form-data" and path in FORMS):
            also = " or a multipart/form-data form" if path in FORMS else ""
            sent = f"{kind!r:.60}" if kind else "no type"
            message = f"The body came with {sent}; send JSON with the header Content-Type: application/json{also}."
            raise Refusal(415, message, None, "unsupported_type")

    def _holder(self, headers: Headers) -> Holder | None:
        """Whose key the request carries; None where no keys are asked for. Raises `Refusal` 401."""
        keys = self.service.keys
        if keys is None:
            if self.service.settings.auth_file:
                raise Refusal(401, NO_KEYS, None, "no_keys", {"WWW-Authenticate": "Bearer"})
            return None
        scheme, _, key = headers.get("authorization", "").partition(" ")
        holder = keys.holder(key.strip()) if scheme.lower() == "bearer" and key.strip() else None
        if holder is None:
            what = "The API key is not known here; check it" if key else "This server asks for an API key; send one"
            message = f"{what}: the header is `Authorization: Bearer blip2-…`."
            raise Refusal(401, message, None, "invalid_api_key", {"WWW-Authenticate": "Bearer"})
        return holder

    def _too_large(self) -> Refusal:
        limit = self.service.settings.api_body_mb
        return Refusal(
            413, f"The request is larger than {limit} MB; send smaller or fewer pictures.", None, "too_large"
        )

    def _leave(self, scope: Scope, passage: Passage, state: dict[str, Any]) -> None:
        route = "/v1" + getattr(scope.get("route"), "path", "/unmatched")
        seconds = monotonic() - passage.begun
        outcome = state.get("outcome") or outcome_of(passage.status)
        self.service.metrics.request(route, str(state["model"]), outcome, seconds)
        request_line(
            {
                "request_id": passage.id,
                "client": state["client"],
                "method": scope["method"],
                "route": route,
                "model": state["model"],
                "status": passage.status,
                "outcome": outcome,
                "seconds": round(seconds, 4),
                **state["told"],
            }
        )


def outcome_of(status: int) -> str:
    """The metrics' word for a status; 0 is a client that left before there was one."""
    if status == 0:
        return "gone"
    if status == 504:
        return "deadline"
    if status < 400:
        return "ok"
    return OUTCOMES.get(status, "server_error" if status >= 500 else "client_error")
