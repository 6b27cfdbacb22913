"""What went wrong, as a client reads it: OpenAI's error object, with the status that fits. It knows no route."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from blip2.api.request_id import current
from blip2.errors import BadImage, BadInput, BadPrompt, Blip2Error, Busy, Closed, ModelUnusable, UnknownModel

log = logging.getLogger("blip2.api")
RETRY = 2  # seconds after which a busy server is worth another try
UNEXPECTED = "The server failed to answer; please try again, and report it with the request's id if it happens again."


@dataclass(eq=False)
class Refusal(Exception):
    """A request that ends in an error. `message` says what was wrong and what to do; `param` names the field."""

    status: int
    message: str
    param: str | None = None
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        kind = KINDS.get(self.status, "server_error" if self.status >= 500 else "invalid_request_error")
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}

    def response(self) -> Response:
        return json_response(self.to_json(), self.status, self.headers)


KINDS = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def refusal(error: BaseException, param: str | None = None) -> Refusal:
    """The answer to any exception; one that nobody foresaw is logged and told without its inside."""
    if isinstance(error, Refusal):
        return error
    text = str(error)
    if isinstance(error, BadImage):
        return Refusal(422, text, param, "bad_image")
    if isinstance(error, BadPrompt):
        return Refusal(400, text, param, "bad_prompt")
    if isinstance(error, BadInput):
        return Refusal(400, text, param, "bad_value")
    if isinstance(error, UnknownModel):
        return Refusal(404, text, "model", "model_not_found")
    if isinstance(error, Busy):
        return Refusal(429, text, None, "busy", {"Retry-After": str(RETRY)})
    if isinstance(error, Closed):
        return Refusal(503, text, None, "closed", {"Retry-After": str(RETRY)})
    if isinstance(error, ModelUnusable):
        return Refusal(503, text, "model", "model_unusable")
    if isinstance(error, Blip2Error):
        return Refusal(500, text, None, "failed")
    id = current.get()
    log.error("the request %s failed", id, exc_info=error, extra={"fields": {"request_id": id}})
    return Refusal(500, UNEXPECTED, None, "failed")


def json_bytes(data: Any) -> bytes:
    """Compact JSON. Half of a surrogate pair, which UTF-8 cannot hold, stays an escape."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "backslashreplace")


def json_response(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(json_bytes(data), status, dict(headers or {}), "application/json")
