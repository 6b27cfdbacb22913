"""One worker thread per generative model: submit, stream, cancel, stats, close.

The caller's thread opens the picture, resizes it and counts the prompt; the worker encodes, batches and steps.
"""

import itertools
import logging
import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import monotonic

import torch
from torch import Tensor

from blip2.engine.answers import finished, partial, usage
from blip2.engine.batch import Batch, Job, make_job
from blip2.engine.cache import ByteLRU
from blip2.engine.pace import Pace
from blip2.engine.prefixes import Prefixes
from blip2.engine.room import cost, free
from blip2.engine.runner import Runner
from blip2.engine.scheduler import Scheduler, Ticket
from blip2.engine.stream import Detokenizer
from blip2.errors import BadPrompt, Blip2Error, Closed, WillNotFit
from blip2.images import preprocess
from blip2.loading import LoadedModel
from blip2.values import Chunk, Finish, Request

logger = logging.getLogger(__name__)
TOO_LARGE = "The memory does not suffice for this answer from {title}; use fewer beams or a shorter prompt."
SMALL = 100 << 20  # bytes of a model that one core runs fastest
FAULT = "The answer was broken off by a fault of the model's worker ({fault}); please ask again."


@dataclass(eq=False, slots=True)
class Work:
    """A submitted request on its way through the engine."""

    request: Request
    picture: tuple[str, str, str]  # its key: digest, model, dtype
    seen: Tensor | None  # encoded, where it was known when asked
    pixels: Tensor | None  # [3, S, S] where it was not
    ids: Sequence[int]
    out: "queue.SimpleQueue[Chunk | Blip2Error]"
    job: Job | None = None
    image_cached: bool = False
    shown: str = ""
    place: int = 0  # in the queue, as last told


class Engine:
    """Runs one loaded OPT or FlanT5 model. All methods may be called from any thread."""

    def __init__(
        self,
        loaded: LoadedModel,
        images: ByteLRU | None = None,
        max_rows: int = 64,
        max_waiting: int = 256,
        prefix_bytes: int = 256 << 20,
    ) -> None:
        self.loaded = loaded
        self.prefixes = Prefixes(prefix_bytes)
        self.runner = Runner(loaded, self.prefixes)
        self.images = images if images is not None else ByteLRU(256 << 20)
        self.scheduler: Scheduler[Work] = Scheduler(max_rows, max_waiting, room=lambda: free(loaded.device))
        self.text = Detokenizer(loaded.tokenizer)
        self._tokenizing = threading.Lock()
        self._batch = Batch(self.runner)
        self._steps = itertools.count(1)
        self.steps = 0
        self.pace = Pace()
        self.shrunk = 0  # times that memory ran out and less was run from then on
        self._closed = False
        self._thread = threading.Thread(target=self._work, name=f"engine {loaded.info.name}", daemon=True)
        self._thread.start()

    def tokens(self, prompt: str) -> list[int]:
        """The prompt's ids as the model reads them, BOS or end token included."""
        with self._tokenizing:
            return self.runner.tokens(prompt)

    def submit(self, request: Request) -> Iterator[Chunk]:
        """Queue a request now and return its stream; closing the stream cancels it.

        Raises `BadPrompt` when prompt and longest answer exceed what the model can read, and `Busy`.
        """
        if self._closed:
            raise Closed("The model was unloaded; please load it again.")
        ids = self.tokens(request.prompt)
        self._check(request, ids)
        info = self.loaded.info
        key = (request.picture.digest, info.name, info.dtype)
        seen = self.images.get(key)
        pixels = preprocess(request.picture.image, info.image_size) if seen is None else None
        work = Work(request, key, seen, pixels, ids, queue.SimpleQueue())
        expires = monotonic() + request.deadline if request.deadline is not None else None
        tokens, memory = info.image_tokens + len(ids), cost(self.loaded, len(ids), request.decoding)
        ticket = Ticket(request.id, work, request.decoding.width, tokens, request.visitor, expires, memory)
        self.scheduler.submit(ticket)
        return self._stream(work)

    def cancel(self, request_id: str) -> None:
        self.scheduler.cancel(request_id)

    def close(self) -> None:
        """Stop the worker; what is running or waiting ends with `Closed`."""
        self._closed = True
        self.scheduler.close()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=30)

    def _check(self, request: Request, ids: Sequence[int]) -> None:
        info = self.loaded.info
        room = info.prompt_budget
        if info.family == "opt":
            positions = self.runner.lm.config.max_position_embeddings
            room = min(room, positions - info.image_tokens - request.decoding.max_new_tokens)
        if len(ids) > room:
            raise BadPrompt(
                f"The prompt has {len(ids)} tokens, but {info.title} can read {max(room, 0)} beside the picture and an "
                f"answer of {request.decoding.max_new_tokens}; please shorten the question or the answer's length."
            )

    def _stream(self, work: Work) -> Iterator[Chunk]:
        ended = False
        try:
            while not ended:
                item = work.out.get()
                if isinstance(item, Blip2Error):
                    ended = True
                    raise item
                ended = item.final
                yield item
        finally:
            if not ended:
                self.cancel(work.request.id)

    def _work(self) -> None:
        if self.loaded.info.memory_bytes < SMALL:
            torch.set_num_threads(1)  # this thread's: sharing so little work costs more than doing it
        while self.scheduler.wait():
            try:
                self._round()
            except torch.OutOfMemoryError:
                self._make_room()
            except Exception as fault:
                logger.exception("the worker of %s failed", self.loaded.info.name)
                # The worker outlives any fault: everyone waiting is told, and the batch starts afresh.
                self._fail_all(Blip2Error(FAULT.format(fault=type(fault).__name__)))
                self._batch = Batch(self.runner)
        self._fail_all(Closed("The model was unloaded before the answer was ready; please load it again."))

    def _make_room(self) -> None:
        """Memory ran out in a step: what was running starts again, half at a time; it gives the same answers."""
        self._batch = Batch(self.runner)
        self.prefixes.clear()
        self.images.clear()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if self.scheduler.shrink():
            self.shrunk += 1
            logger.warning(
                "memory ran out: %s runs %d rows at most now", self.loaded.info.name, self.scheduler.max_rows
            )
        else:
            self._fail_all(WillNotFit(TOO_LARGE.format(title=self.loaded.info.title)))

    def _round(self) -> None:
        """Whoever stops leaves, newcomers join, and everybody takes one step."""
        gone = self.scheduler.leaving()
        if gone:
            self._batch.drop(t.item.job for t, _ in gone if t.item.job is not None)
            for ticket, why in gone:
                self._finish(ticket, why)
        started = self.scheduler.admit()
        for place, ticket in enumerate(self.scheduler.line(), 1):
            if ticket.item.place != place:
                ticket.item.place = place
                ticket.item.out.put(Chunk(ticket.id, ticket.item.shown, waiting=place))
        if started:
            self._start(started)
        if self._batch.jobs:
            self._batch.step()
            self.steps = next(self._steps)
            self._report()

    def _start(self, tickets: Sequence[Ticket[Work]]) -> None:
        pictures = self._encode([ticket.item for ticket in tickets])
        for ticket, picture in zip(tickets, pictures, strict=True):
            request = ticket.item.request
            ticket.item.job = make_job(
                self.runner,
                request.id,
                picture,
                ticket.item.ids,
                request.decoding,
                request.seed,
                key=request.picture.digest,
            )
        self._batch.join([ticket.item.job for ticket in tickets if ticket.item.job is not None])

    def _encode(self, works: Sequence[Work]) -> list[Tensor]:
        """Each work's picture, encoded: from the cache, or all new ones in one batch."""
        found: dict[tuple[str, str, str], Tensor] = {}
        new: dict[tuple[str, str, str], Tensor] = {}
        for work in works:
            # One that waited may find its picture encoded by now, for another.
            cached = work.seen if work.seen is not None else found.get(work.picture, self.images.peek(work.picture))
            work.image_cached = cached is not None
            if cached is not None:
                found[work.picture] = cached
            elif work.pixels is not None:
                new[work.picture] = work.pixels
        if new:
            for key, picture in zip(new, self.runner.encode(torch.stack(list(new.values()))), strict=True):
                found[key] = picture.clone()
                self.images.put(key, found[key])
        return [found[work.picture] for work in works]

    def _report(self) -> None:
        """Tell each running request what its answer is now; stop strings end it here."""
        stopped: list[Ticket[Work]] = []
        for ticket in list(self.scheduler.running):
            job = ticket.item.job
            if job is None:
                continue
            if job.done:
                self.scheduler.finish([ticket])
                self._finish(ticket, None)
                continue
            text, hit = partial(job, self.text)
            if hit:
                stopped.append(ticket)
            elif text != ticket.item.shown:
                ticket.item.shown = text
                ticket.item.out.put(Chunk(ticket.id, text))
        if stopped:
            self._batch.drop(t.item.job for t in stopped if t.item.job is not None)
            self.scheduler.finish(stopped)
            for ticket in stopped:
                self._finish(ticket, Finish.STOP)

    def _finish(self, ticket: Ticket[Work], why: Finish | None) -> None:
        job, work = ticket.item.job, ticket.item
        candidates, finish = finished(job, self.text, why)
        costs = usage(ticket, job, self.loaded.info.image_tokens, len(work.ids), candidates, work.image_cached)
        if ticket.started is not None:
            self.pace.add(ticket.started, costs.new_tokens)
        work.out.put(Chunk(ticket.id, candidates[0].text, finish, costs, candidates))

    def _fail_all(self, error: Blip2Error) -> None:
        for ticket in self.scheduler.drain():
            ticket.item.out.put(error)
