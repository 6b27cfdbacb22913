"""`POST /v1/completions`: raw prompts about a picture, as the language model reads them, to the letter."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from blip2 import prompts
from blip2.api import examples
from blip2.api.failures import json_response
from blip2.api.fields import AnswerFields, Text
from blip2.api.generation import Choice, Job, Outcome, closing, grow, plan, run
from blip2.api.http import note, service_of, visitor_of
from blip2.api.pictures import picture_at
from blip2.api.running import until_gone
from blip2.api.service import Service
from blip2.api.sse import sent_events
from blip2.values import Token

router = APIRouter(tags=["OpenAI"])


class CompletionRequest(AnswerFields):
    """A prompt and a picture. `prompt` is what the model reads after the picture's tokens."""

    image: Text = Field(description="The picture: a data URL, or an address where the server allows those.")
    prompt: Text | None = Field(None, description="Empty describes the picture; left out, the model's default prompt.")
    logprobs: int | None = Field(
        None, ge=0, le=5, description="Tell each token's log-probability; others are not kept."
    )
    echo: bool = Field(False, description="Begin the text with the prompt.")
    model_config = ConfigDict(json_schema_extra={"examples": [examples.COMPLETION]})


@router.post("/completions", summary="Continue a prompt", responses=examples.answers(examples.COMPLETION_ANSWER))
async def completions(body: CompletionRequest, request: Request) -> Response:
    """Continue a raw prompt about a picture; `stream` sends the text as server-sent events."""
    body.check_extras()
    service = service_of(request)
    job = await service.call(_planned, service, body, visitor_of(request))
    note(request, job)
    if body.stream:
        return await sent_events(request, _stream(job, body, request))
    made = await until_gone(request.receive, run(job, body.n))
    note(request, job, made)
    choices = [_choice(job, body, index, each) for index, each in enumerate(made.choices)]
    return json_response({**_head(job), "choices": choices, **_totals(job, made)})


def _planned(service: Service, body: CompletionRequest, visitor: str) -> Job:
    info = service.model(body.model, "write")
    picture = picture_at(service, body.image, "image")
    text = info.default_prompt if body.prompt is None else body.prompt
    prompt = prompts.build(
        text, count=lambda words: service.backend.count_tokens(info.name, words), budget=info.prompt_budget, mode="raw"
    )
    return plan(service, body, info, picture, prompt, visitor)


async def _stream(job: Job, body: CompletionRequest, request: Request) -> AsyncGenerator[dict[str, Any], None]:
    echoed: set[int] = set()
    held: dict[str, Any] | None = None  # a choice's last chunk, until it is known whether it is the stream's last
    async with aclosing(grow(job, body.n)) as pieces:
        async for piece in pieces:
            if held is not None and piece.outcome is None:
                yield held
                held = None
            if piece.outcome is not None:
                note(request, job, piece.outcome)
                for data in closing(held, _head(job), _totals(job, piece.outcome), body):
                    yield data
            elif piece.text or piece.choice is not None:
                before = job.prompt.text if body.echo and piece.index not in echoed else ""
                echoed.add(piece.index)
                tokens = piece.choice.candidate.tokens if piece.choice and body.logprobs is not None else None
                reason = piece.choice.reason if piece.choice else None
                choice = _form(piece.index, before + piece.text, reason, _logprobs(tokens, len(before)))
                data = {**_head(job), "choices": [choice]}
                if piece.choice is None:
                    yield data
                else:
                    held = data


def _choice(job: Job, body: CompletionRequest, index: int, choice: Choice) -> dict[str, Any]:
    before = job.prompt.text if body.echo else ""
    tokens = choice.candidate.tokens if body.logprobs is not None else None
    return _form(index, before + choice.candidate.text, choice.reason, _logprobs(tokens, len(before)))


def _form(index: int, text: str, reason: str | None, logprobs: dict[str, Any] | None) -> dict[str, Any]:
    return {"index": index, "text": text, "finish_reason": reason, "logprobs": logprobs}


def _head(job: Job) -> dict[str, Any]:
    return {"id": f"cmpl-{job.id}", "object": "text_completion", "created": job.created, "model": job.info.name}


def _totals(job: Job, made: Outcome) -> dict[str, Any]:
    best = made.choices[0]
    return {"usage": made.tokens(), "blip2": job.told(made.usage, best.finish, best.candidate.confidence)}


def _logprobs(tokens: Sequence[Token] | None, start: int) -> dict[str, Any] | None:
    """OpenAI's older form; `start` is where the answer begins in the text."""
    if tokens is None:
        return None
    offsets = []
    for token in tokens:
        offsets.append(start)
        start += len(token.text)
    return {
        "tokens": [token.text for token in tokens],
        "token_logprobs": [token.logprob for token in tokens],
        "top_logprobs": None,
        "text_offset": offsets,
    }
