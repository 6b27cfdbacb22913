"""`POST /v1/chat/completions`: OpenAI's chat, about a picture, whole or as server-sent events."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from blip2 import prompts
from blip2.api import examples
from blip2.api.conversation import Message, Talk, read
from blip2.api.failures import json_response, refusal
from blip2.api.fields import AnswerFields
from blip2.api.generation import Job, Outcome, closing, grow, plan, run
from blip2.api.http import note, service_of, visitor_of
from blip2.api.pictures import picture_at
from blip2.api.running import until_gone
from blip2.api.service import Service
from blip2.api.sse import sent_events
from blip2.errors import BadPrompt
from blip2.values import Token

router = APIRouter(tags=["OpenAI"])
CHUNK = "chat.completion.chunk"


class ChatCompletionRequest(AnswerFields):
    """A conversation about one picture. The prompt is LAVIS's: `Question: … Answer: ….` for each past turn."""

    messages: list[Message] = Field(min_length=1, max_length=2000)
    max_completion_tokens: int | None = Field(None, ge=1, le=512, description="OpenAI's newer name of max_tokens.")
    logprobs: bool | None = Field(None, description="Tell each token's log-probability under the raw distribution.")
    prompt_mode: Literal["chat", "raw"] = Field(
        "chat", description="raw sends the last text as it stands, without history and question form; empty describes."
    )
    stream_drafts: bool = Field(False, description="Beam search: send its best hypothesis so far in `blip2.draft`.")
    model_config = ConfigDict(json_schema_extra={"examples": [examples.CHAT]})


@router.post("/chat/completions", summary="Ask about a picture", responses=examples.answers(examples.CHAT_ANSWER))
async def chat_completions(body: ChatCompletionRequest, request: Request) -> Response:
    """Answer the last message of a conversation about a picture; `stream` sends it as server-sent events."""
    body.check_extras()
    service = service_of(request)
    job = await service.call(_planned, service, body, visitor_of(request))
    note(request, job)
    if body.stream:
        return await sent_events(request, _stream(job, body, request))
    made = await until_gone(request.receive, run(job, body.n))
    note(request, job, made)
    return json_response(_whole(job, body, made))


def _planned(service: Service, body: ChatCompletionRequest, visitor: str) -> Job:
    """Open the picture and build the prompt. Blocks."""
    if body.max_completion_tokens is not None:
        body = body.model_copy(update={"max_tokens": body.max_completion_tokens})
    info = service.model(body.model, "write")
    talk = read(body.messages, service.settings.system_text)
    picture = picture_at(service, talk.picture, talk.where)
    count = lambda text: service.backend.count_tokens(info.name, text)  # noqa: E731
    prompt = _prompt(talk, count, info.prompt_budget, body.prompt_mode)
    job = plan(service, body, info, picture, prompt, visitor)
    return replace(job, notices=talk.notices + job.notices)


def _prompt(talk: Talk, count: Callable[[str], int], budget: int, mode: prompts.Mode) -> prompts.Prompt:
    """The page's prompt, after the system text where there is one."""
    before = prompts.defuse(prompts.fold(talk.prefix))[0]
    prefixed = f"{before} " if before else ""
    try:
        built = prompts.build(
            talk.question, talk.past, count=lambda text: count(prefixed + text), budget=budget, mode=mode
        )
    except BadPrompt as error:
        raise refusal(error, "messages") from error
    return replace(built, text=prefixed + built.text)


def _whole(job: Job, body: ChatCompletionRequest, made: Outcome) -> dict[str, Any]:
    return {
        **_head(job, "chat.completion"),
        "choices": [
            {
                "index": index,
                "message": {"role": "assistant", "content": choice.candidate.text, "refusal": None},
                "finish_reason": choice.reason,
                "logprobs": _logprobs(choice.candidate.tokens) if body.logprobs else None,
            }
            for index, choice in enumerate(made.choices)
        ],
        **_totals(job, made),
    }


async def _stream(job: Job, body: ChatCompletionRequest, request: Request) -> AsyncGenerator[dict[str, Any], None]:
    """The chunks, as OpenAI sends them: a role, pieces, reasons, and the usage in the last."""
    held: dict[str, Any] | None = None  # a choice's last chunk, until it is known whether it is the stream's last
    begun = False
    async with aclosing(grow(job, body.n)) as pieces:
        async for piece in pieces:
            for index in range(0 if begun else body.n):
                yield _chunk(job, index, {"role": "assistant", "content": ""})
            begun = True
            if held is not None and piece.outcome is None:
                yield held
                held = None
            if piece.outcome is not None:
                note(request, job, piece.outcome)
                for data in closing(held, _head(job, CHUNK), _totals(job, piece.outcome), body):
                    yield data
            elif piece.draft:
                if body.stream_drafts:
                    yield _chunk(job, piece.index, {}) | {"blip2": {"draft": piece.draft}}
            elif piece.text:
                yield _chunk(job, piece.index, {"content": piece.text})
            if piece.choice is not None:
                held = _chunk(job, piece.index, {}, piece.choice.reason)
                held["choices"][0]["logprobs"] = _logprobs(piece.choice.candidate.tokens) if body.logprobs else None


def _totals(job: Job, made: Outcome) -> dict[str, Any]:
    best = made.choices[0]
    return {"usage": made.tokens(), "blip2": job.told(made.usage, best.finish, best.candidate.confidence)}


def _chunk(job: Job, index: int, delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    choice = {"index": index, "delta": delta, "finish_reason": reason, "logprobs": None}
    return {**_head(job, CHUNK), "choices": [choice]}


def _head(job: Job, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{job.id}", "object": kind, "created": job.created, "model": job.info.name}


def _logprobs(tokens: Sequence[Token]) -> dict[str, Any]:
    """OpenAI's form. Only the token that was chosen is known, so the lists of others are empty."""
    return {
        "content": [
            {"token": each.text, "logprob": each.logprob, "bytes": list(each.text.encode()), "top_logprobs": []}
            for each in tokens
        ],
        "refusal": None,
    }
