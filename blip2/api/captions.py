"""`POST /v1/captions`: captions for many pictures, a line of JSON for each as it is done, in order.

A picture that cannot be used becomes a line with its error, and the rest goes on.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from typing import Any

from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from blip2 import prompts
from blip2.api import examples
from blip2.api.failures import Refusal, json_response, refusal
from blip2.api.fields import AnswerFields, Text, decoding
from blip2.api.generation import Outcome, plan, run
from blip2.api.http import service_of, visitor_of
from blip2.api.running import until_gone
from blip2.api.service import Service
from blip2.api.sse import sent_lines
from blip2.api.uploads import Source, read_body
from blip2.errors import Blip2Error
from blip2.values import ModelInfo, Picture


class Lines(Response):
    """What the route gives unless told otherwise, for its description."""

    media_type = "application/x-ndjson"


router = APIRouter(tags=["BLIP-2"])
AT_ONCE = 8  # pictures in the batch at a time, for one client
MOST = 1000


class CaptionRequest(AnswerFields):
    """Pictures, and how their captions are searched for."""

    images: list[Text] = Field(
        [], max_length=MOST, description="Data URLs, or addresses where the server allows those."
    )
    prompt: Text | None = Field(None, description="What the caption begins with; left out, the model's default prompt.")
    matcher: Text | None = Field(None, description="A matching model; the captions are then ranked by its ITM score.")
    stream: bool | None = Field(
        None, description="Lines of JSON, one a picture, as left out; false: one object at the end."
    )
    model_config = ConfigDict(json_schema_extra={"examples": [examples.CAPTIONS]})


@router.post(
    "/captions",
    summary="Caption pictures",
    response_class=Lines,
    openapi_extra=examples.json_or_form(CaptionRequest),
    responses=examples.answers(examples.CAPTION_LINE, "application/x-ndjson"),
)
async def captions(request: Request) -> Response:
    """Caption one or many pictures, sent as JSON or as a form with files."""
    service = service_of(request)
    body, sources = await read_body(request, CaptionRequest)
    body.check_extras()
    if not sources:
        raise Refusal(400, "There is no picture; send at least one in the field images.", "images", "no_picture")
    decoding(body)  # what is wrong with it is wrong for every picture
    info = await service.call(service.model, body.model, "write")
    matcher = await service.call(service.model, body.matcher, "match", "matcher") if body.matcher else None
    request.state.model = info.name
    lines = _lines(service, body, sources, info, matcher, visitor_of(request))
    if body.stream is not False:
        return await sent_lines(request, lines)
    return json_response(await until_gone(request.receive, _gathered(info, lines)))


async def _gathered(info: ModelInfo, lines: AsyncGenerator[dict[str, Any], None]) -> dict[str, Any]:
    return {"object": "list", "model": info.name, "data": [line async for line in lines]}


async def _lines(
    service: Service, body: CaptionRequest, sources: list[Source], info: ModelInfo, matcher: ModelInfo | None, who: str
) -> AsyncGenerator[dict[str, Any], None]:
    """A line for each picture, in order, with a few under way at once. Closing it stops them all."""
    waiting: deque[asyncio.Task[dict[str, Any]]] = deque()
    left = deque(enumerate(sources))
    try:
        while left or waiting:
            while left and len(waiting) < AT_ONCE:
                index, source = left.popleft()
                waiting.append(asyncio.ensure_future(_line(service, body, index, source, info, matcher, who)))
            line = await waiting[0]
            waiting.popleft()
            yield line | {"total": len(sources)}
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def _line(
    service: Service,
    body: CaptionRequest,
    index: int,
    source: Source,
    info: ModelInfo,
    matcher: ModelInfo | None,
    who: str,
) -> dict[str, Any]:
    begun: dict[str, Any] = {"index": index, "name": source.name, "model": info.name}
    try:
        picture = await service.call(source.open, service)
        text = info.default_prompt if body.prompt is None else body.prompt
        prompt = await service.call(
            lambda: prompts.build(
                text, count=lambda t: service.backend.count_tokens(info.name, t), budget=info.prompt_budget, mode="raw"
            )
        )
        job = await service.call(plan, service, body, info, picture, prompt, who)
        made = await run(job, body.n)
        scores = await _itm(service, matcher, picture, made)
    except (Refusal, Blip2Error) as error:
        return begun | {"captions": [], **refusal(error, source.param).to_json()}
    found = [
        {
            "text": choice.candidate.text,
            "score": choice.candidate.score,
            "confidence": choice.candidate.confidence,
            "itm": score,
            "finish_reason": choice.reason,
        }
        for choice, score in zip(made.choices, scores, strict=True)
    ]
    if matcher is not None:
        found.sort(key=lambda each: -float(each["itm"] or 0))
    return begun | {
        "picture": picture.digest,
        "captions": found,
        "error": None,
        "notices": list(job.notices),
        "seed": job.seed,
        "seconds": round(made.usage.total, 6),
    }


async def _itm(
    service: Service, matcher: ModelInfo | None, picture: Picture, made: Outcome
) -> list[float] | list[None]:
    """Each choice's probability of matching the picture; nothing without a matching model."""
    if matcher is None:
        return [None for _ in made.choices]
    texts = [choice.candidate.text for choice in made.choices]
    match = await service.match(service.backend.match, matcher.name, [picture], texts)
    return [float(value) for value in match.itm[0]]
