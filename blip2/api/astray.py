"""Requests without the /v1 that a client's base URL should end with: told so, in the form that the client reads."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from blip2.api.failures import Refusal
from blip2.api.request_id import HEADER, request_id

PATHS = ("/chat/completions", "/completions", "/embeddings", "/models")  # what OpenAI's clients add to a base URL
SENTENCE = "The API is under /v1; let the client's base URL end with /v1."


def routes() -> list[BaseRoute]:
    return [Route(path, _told, methods=["GET", "POST"], include_in_schema=False) for path in PATHS]


async def _told(request: Request) -> Response:
    named = {HEADER: request_id(request.headers.get(HEADER, ""))}
    return Refusal(404, SENTENCE, None, "no_route", named).response()
