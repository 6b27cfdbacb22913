"""`POST /v1/match`: how well texts match pictures, as ITM probabilities and ITC cosines."""

from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from blip2.api import examples
from blip2.api.failures import Refusal, json_response
from blip2.api.fields import Fields, Text
from blip2.api.http import service_of
from blip2.api.running import until_gone
from blip2.api.service import Service
from blip2.api.uploads import Source, read_body
from blip2.values import Match, ModelInfo

router = APIRouter(tags=["BLIP-2"])
PAIRS = 20_000
SLICE = 8  # pictures matched between two looks at whether the client is still there


class MatchRequest(Fields):
    """Pictures and texts; every picture is compared with every text."""

    model: Text | None = Field(None, description="A matching model; left out, the default one.")
    images: list[Text] = Field(
        [], max_length=1000, description="Data URLs, or addresses where the server allows those."
    )
    texts: list[Text] = Field(min_length=1, max_length=1000)
    model_config = ConfigDict(json_schema_extra={"examples": [examples.MATCH]})


@router.post(
    "/match",
    summary="Match pictures with texts",
    openapi_extra=examples.json_or_form(MatchRequest),
    responses=examples.answers(examples.MATCH_ANSWER),
)
async def match(request: Request) -> Response:
    """Compare pictures with texts. `itm` are probabilities, `itc` cosines, a row for each picture."""
    service = service_of(request)
    body, sources = await read_body(request, MatchRequest)
    body.check_extras()
    if not sources:
        raise Refusal(400, "There is no picture; send at least one in the field images.", "images", "no_picture")
    if len(sources) * len(body.texts) > PAIRS:
        raise Refusal(400, f"At most {PAIRS} pairs of picture and text are compared at once; send fewer.", "images")
    info = await service.call(service.model, body.model, "match")
    request.state.model = info.name
    return json_response(await until_gone(request.receive, _matched(service, info, sources, body.texts)))


async def _matched(service: Service, info: ModelInfo, sources: list[Source], texts: list[str]) -> dict[str, Any]:
    pictures = [await service.call(source.open, service) for source in sources]
    parts: list[Match] = []
    for start in range(0, len(pictures), SLICE):
        part = pictures[start : start + SLICE]
        parts.append(await service.match(service.backend.match, info.name, part, texts))
    named = [{"name": source.name, "digest": each.digest} for source, each in zip(sources, pictures, strict=True)]
    return {
        "object": "match",
        "model": info.name,
        "images": named,
        "texts": texts,
        "itm": np.concatenate([part.itm for part in parts]).astype(float).tolist(),
        "itc": np.concatenate([part.itc for part in parts]).astype(float).tolist(),
    }
