"""A planned answer: the model, the prompt, the search; run whole or as text that only grows. It knows no route.

Clients of OpenAI's streams append what they get, so nothing is sent that could change later. Beams change their mind
until they are done: their text is sent at the end, and their best hypothesis so far as a draft to those who ask.
"""

import asyncio
import re
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from time import time
from typing import Any

from blip2.api.failures import Refusal
from blip2.api.fields import AnswerFields, decoding, samples, seed_of
from blip2.api.running import chunks, merged, whole
from blip2.api.service import Service
from blip2.pocket.photos import NOTICE, is_photograph
from blip2.prompts import Prompt
from blip2.values import Candidate, Chunk, Decoding, Finish, ModelInfo, Picture, Request, Usage

# The clean-up joins " n't", " 's" and the like to the word before: such an ending is not final yet.
UNSETTLED = re.compile(r"\s(?:n'?|'\w*)$")
OUT_OF_TIME = "The time limit was reached before the first word; allow more time, or ask for a shorter answer."
REASONS = {Finish.END: "stop", Finish.STOP: "stop"}


@dataclass(frozen=True)
class Job:
    """One API request's generation: `requests` are its samples, or the one search whose candidates are the choices."""

    service: Service
    info: ModelInfo
    prompt: Prompt
    picture: Picture
    decoding: Decoding
    seed: int
    requests: tuple[Request, ...]
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    notices: tuple[str, ...] = ()
    created: int = field(default_factory=lambda: int(time()))

    def told(self, usage: Usage, finish: Finish | None, confidence: float) -> dict[str, Any]:
        """Our own field of the response: all that is needed to repeat the answer, and what it cost."""
        info = self.info
        return {
            "prompt": self.prompt.text,
            "dropped_turns": self.prompt.dropped,
            "notices": [*self.notices, *filter(None, [self.prompt.notice])],
            "source": info.source,
            "revision": info.revision,
            "dtype": info.dtype,
            "picture": self.picture.digest,
            "decoding": self.decoding.to_json(),
            "seed": self.seed,
            "finish": finish.value if finish else None,
            "confidence": round(confidence, 6),
            "image_cached": usage.image_cached,
            "seconds": {
                "queued": round(usage.queued, 6),
                "first_token": round(usage.first_token, 6),
                "total": round(usage.total, 6),
            },
        }


def plan(
    service: Service,
    fields: AnswerFields,
    info: ModelInfo,
    picture: Picture,
    prompt: Prompt,
    visitor: str,
) -> Job:
    """What to run for the fields. Sampling n answers takes n requests, with seeds that follow each other. Blocks."""
    search, seed = decoding(fields), seed_of(fields)
    limit = service.settings.deadline
    deadline = min(fields.timeout, limit) if fields.timeout is not None else limit
    each = Request(info.name, picture, prompt.text, search, seed, deadline, visitor)
    count = fields.n if samples(fields) and search.method == "nucleus" else 1
    requests = tuple(replace(each, seed=(seed + index) % 2**63, id=uuid.uuid4().hex) for index in range(count))
    foreign = (NOTICE,) if info.pocket and is_photograph(picture) else ()
    return Job(service, info, prompt, picture, search, seed, requests, notices=foreign)


@dataclass(frozen=True)
class Choice:
    """One finished answer."""

    candidate: Candidate
    finish: Finish

    @property
    def reason(self) -> str:
        """OpenAI's word for why it ended; running out of time is a length to them."""
        return REASONS.get(self.finish, "length")


@dataclass(frozen=True)
class Outcome:
    """All choices and what they cost together."""

    choices: tuple[Choice, ...]
    usage: Usage

    def tokens(self) -> dict[str, Any]:
        """OpenAI's usage: the picture's tokens count as prompt, as the model reads them."""
        read = self.usage.image_tokens + self.usage.prompt_tokens
        return {
            "prompt_tokens": read,
            "completion_tokens": self.usage.new_tokens,
            "total_tokens": read + self.usage.new_tokens,
            "prompt_tokens_details": {"image_tokens": self.usage.image_tokens, "cached_tokens": 0},
        }


def outcome(lasts: Sequence[Chunk], wanted: int) -> Outcome:
    """The choices of the last chunks. Raises `Refusal` 504 where time ran out before there was a word."""
    choices = []
    for last in lasts:
        if last.finish is Finish.DEADLINE and not last.text.strip():
            raise Refusal(504, OUT_OF_TIME, "timeout", "timeout")
        found = last.candidates or (Candidate(last.text),)
        choices += [Choice(each, last.finish or Finish.END) for each in found]
    first = lasts[0].usage
    usage = replace(
        first,
        new_tokens=sum(len(choice.candidate.tokens) for choice in choices[:wanted]),
        total=max(last.usage.total for last in lasts),
    )
    return Outcome(tuple(choices[:wanted]), usage)


async def run(job: Job, wanted: int) -> Outcome:
    """The whole answer; all samples at once."""
    tasks = [asyncio.ensure_future(whole(job.service, request)) for request in job.requests]
    try:
        return outcome(await asyncio.gather(*tasks), wanted)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(frozen=True)
class Piece:
    """A step of a stream. `text` is to be appended to choice `index`; `draft` is what beams think of now.

    `choice` is set when the choice is finished, `outcome` on the very last piece, which carries nothing else.
    """

    index: int = 0
    text: str = ""
    draft: str = ""
    choice: Choice | None = None
    outcome: Outcome | None = None


async def grow(job: Job, wanted: int) -> AsyncGenerator[Piece, None]:
    """The answer as pieces; the last has the outcome."""
    sent = [""] * wanted
    lasts: dict[int, Chunk] = {}
    streams: list[AsyncGenerator[Chunk, None]] = [chunks(job.service, request) for request in job.requests]
    async with aclosing(_together(streams)) as together:
        async for index, chunk in together:
            if chunk.final:
                lasts[index] = chunk
                for place, choice in enumerate(outcome([chunk], wanted).choices, index):
                    yield Piece(place, rest(sent[place], choice.candidate.text), choice=choice)
            elif job.decoding.method == "beam":
                yield Piece(index, draft=chunk.text)
            else:
                text = rest(sent[index], settled(chunk.text))
                sent[index] += text
                if text:
                    yield Piece(index, text)
    yield Piece(outcome=outcome([lasts[index] for index in sorted(lasts)], wanted))


async def _together(streams: list[AsyncGenerator[Chunk, None]]) -> AsyncGenerator[tuple[int, Chunk], None]:
    if len(streams) == 1:
        async with aclosing(streams[0]) as only:
            async for chunk in only:
                yield 0, chunk
        return
    many: AsyncIterator[tuple[int, Chunk]] = merged(streams)
    async for pair in many:
        yield pair


def closing(
    held: dict[str, Any] | None, head: dict[str, Any], totals: dict[str, Any], fields: AnswerFields
) -> list[dict[str, Any]]:
    """A stream's last chunks. The totals go into `held`, the last choice's chunk, or into one of their own without
    choices, which only clients that asked for it expect."""
    apart = bool((fields.stream_options or {}).get("include_usage"))
    if held is None or apart:
        alone = {**head, "choices": [], **totals}
        return [alone] if held is None else [held, alone]
    return [held | totals]


def settled(text: str) -> str:
    """`text` without an ending that the next token may change."""
    found = UNSETTLED.search(text)
    return text[: found.start()] if found else text


def rest(sent: str, text: str) -> str:
    """What to append to `sent` to get `text`; nothing while `text` does not begin with it."""
    return text[len(sent) :] if text.startswith(sent) else ""
