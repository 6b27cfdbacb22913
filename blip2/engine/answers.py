"""From a job's tokens to what its visitor sees: the text so far, the finished candidates, and what it cost."""

import math
from collections.abc import Sequence
from time import monotonic
from typing import Any

from blip2.engine.batch import Job
from blip2.engine.scheduler import Ticket
from blip2.engine.stream import Detokenizer, cut, visible
from blip2.values import Candidate, Finish, Token, Usage


def partial(job: Job, text: Detokenizer) -> tuple[str, bool]:
    """The answer so far, and whether a stop string ended it. Beams show their best hypothesis and look for stop
    strings only once they are done, since a better one may still come."""
    stops = job.decoding.stop
    if job.beams:
        return visible(cut(text.text(job.beams.leader().tokens), stops)[0], stops), False
    now = text.text(job.tokens)
    _, hit = cut(now, stops)
    return visible(now, stops), hit


def finished(job: Job | None, text: Detokenizer, why: Finish | None) -> tuple[tuple[Candidate, ...], Finish]:
    """The candidates, best first, and why the answer ended; `why` is given when something else ended it."""
    if job is None:
        return (Candidate(""),), why or Finish.CANCELLED
    if not job.beams:
        made, hit = candidate(job.tokens, job.logprobs, sum(job.logprobs), job, text)
        natural = Finish.END if job.ended else Finish.LENGTH
        return (made,), why or (Finish.STOP if hit else natural)
    if not job.beams.done:
        job.beams.abandon()
    best = job.beams.best()[: job.decoding.num_return]
    pairs = [candidate(row.tokens, row.logprobs, score, job, text) for score, row, _ in best]
    natural = Finish.END if best[0][2] else Finish.LENGTH
    return tuple(made for made, _ in pairs), why or (Finish.STOP if pairs[0][1] else natural)


def candidate(
    ids: Sequence[int], logprobs: Sequence[float], score: float, job: Job, text: Detokenizer
) -> tuple[Candidate, bool]:
    """One answer, cut at a stop string, and whether there was one. `logprobs` may hold the end token's as well."""
    words, hit = cut(text.text(ids), job.decoding.stop)
    tokens = tuple(Token(piece, logprob) for piece, logprob in zip(text.pieces(ids), logprobs, strict=False))
    confidence = math.exp(sum(logprobs) / len(logprobs)) if logprobs else 0.0
    return Candidate(words, tokens, score, confidence, tuple(ids)), hit


def usage(
    ticket: Ticket[Any],
    job: Job | None,
    image_tokens: int,
    prompt_tokens: int,
    candidates: Sequence[Candidate],
    image_cached: bool,
) -> Usage:
    """Tokens and seconds since submission."""
    now = monotonic()
    first = job.first_token_at - ticket.submitted if job and job.first_token_at else 0.0
    return Usage(
        image_tokens=image_tokens,
        prompt_tokens=prompt_tokens,
        new_tokens=len(candidates[0].ids),
        queued=(ticket.started or now) - ticket.submitted,
        first_token=first,
        total=now - ticket.submitted,
        image_cached=image_cached,
    )
