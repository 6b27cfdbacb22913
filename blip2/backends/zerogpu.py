"""A backend whose models run in `blip2.backends.lent`, on a GPU that is borrowed for each call, as ZeroGPU lends them.

This process loads the models and never computes: it has no GPU. The host's queue decides who waits for one.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import Any, TypeVar

import psutil

from blip2.backends import lent
from blip2.backends.lending import Lender, one_fork_at_a_time
from blip2.backends.lent import HELD, Held, Order
from blip2.backends.loans import Counts, Loans
from blip2.backends.local import POCKET
from blip2.backends.shelf import Shelf, key_of
from blip2.backends.shelved import Shelved
from blip2.errors import Blip2Error, Busy, Closed, UnknownModel
from blip2.loading import LoadedModel, load
from blip2.values import (
    Attention,
    Chunk,
    EmbedMode,
    Features,
    Match,
    ModelStats,
    Picture,
    Request,
    Stats,
)

T = TypeVar("T")
STAGED = partial(load, staged=True)
SPARE = 10.0  # seconds of a loan kept for moving the models there, so that an answer ends before the loan does
WRITES = "The model {} matches pictures with texts; it cannot write answers."
MATCHES = "The model {} writes answers; matching needs one such as blip2/pretrain."
NO_GPU = "No GPU could be borrowed for this ({}); please try again later."
UNLOADED = "The model was unloaded before the answer was ready; please load it again."


class ZeroGpuBackend(Shelved[Held]):
    """Serves `names`, loaded at once, since only what is there before the page starts is ready when a GPU is lent.

    `lend` makes a function run on a GPU for at most `seconds`; the rest as in `LocalBackend`.
    """

    def __init__(
        self,
        lend: Lender,
        names: Sequence[str] = POCKET,
        dtype: str = "auto",
        device: str = "auto",
        *,
        seconds: int = 60,
        allow: Sequence[str] = (),
        cache_bytes: int = 256 << 20,
        max_waiting: int = 256,
        loader: Callable[[str, str, str], LoadedModel] = STAGED,
    ) -> None:
        one_fork_at_a_time()
        self._seconds = max(seconds - SPARE, 1.0)
        self._order = Order("", dtype, device, cache_bytes)
        self._write, self._compare = lend(lent.write), lend(lent.compare)
        self._extract, self._look = lend(lent.extract), lend(lent.look)
        self._loans = Loans(max_waiting)
        self.shelf = Shelf(names, allow, False, (dtype, device), loader, self._hold)
        for name in self.shelf.names:
            self.shelf.get(name)

    def _hold(self, loaded: LoadedModel) -> Held:
        held = Held(loaded)
        HELD[loaded.info.name, self._order.dtype, self._order.device] = held
        self._loans.loaded(loaded.info.name)
        return held

    def unload(self, model: str) -> None:
        super().unload(model)
        self._loans.unloaded(key_of(model))

    def generate(self, request: Request) -> Iterator[Chunk]:
        asked = monotonic()
        info = self.describe(request.model)
        if info.family == "itm":
            raise UnknownModel(WRITES.format(info.name))
        until = None if request.deadline is None else asked + request.deadline
        order = replace(self._order, name=info.name)
        with self._loans.taken(request.id, info.name) as run:
            stream = self._write(order, request, asked, until, self._seconds, str(run.stop))
            last: Chunk | None = None
            try:
                for piece in _borrowed(stream):
                    if isinstance(piece, Blip2Error):
                        raise piece
                    self._loans.count(info.name, piece)
                    if piece.final:
                        last = piece  # told once the GPU is given back
                    else:
                        yield piece
            finally:
                run.end()
                stream.close()
            if run.closed:
                raise Closed(UNLOADED)
        if last is not None:
            yield last

    def match(self, model: str, images: Sequence[Picture], texts: Sequence[str]) -> Match:
        made: Match = self._on_gpu(self._compare, self._matcher(model), tuple(images), tuple(texts))
        return made

    def embed(self, model: str, images: Sequence[Picture], texts: Sequence[str], mode: EmbedMode) -> Features:
        made: Features = self._on_gpu(self._extract, self._matcher(model), tuple(images), tuple(texts), mode)
        return made

    def attend(self, model: str, picture: Picture, text: str = "") -> Attention:
        order = replace(self._order, name=self.describe(model).name)
        made: Attention = self._on_gpu(self._look, order, picture, text)
        return made

    def count_tokens(self, model: str, text: str) -> int:
        held = self.shelf.get(model)
        # As `Runner.tokens` reads a prompt: special tokens typed into it are the characters they are.
        options = {} if held.loaded.info.family == "itm" else {"split_special_tokens": True}
        with self.shelf.lock(held):
            return len(held.loaded.tokenizer(text, **options).input_ids)

    def cancel(self, request_id: str) -> None:
        self._loans.cancel(request_id)

    def stats(self) -> Stats:
        held, running = self.shelf.loaded(), self._loans.running()
        counts = {name: self._loans.counts(name) for name in held}
        return Stats(
            running={name: running[name] for name in held},
            waiting=dict.fromkeys(held, 0),
            steps={name: each.steps for name, each in counts.items()},
            loaded=tuple(held),
            models={name: _standing(each.loaded, counts[name]) for name, each in held.items()},
            loading=self.shelf.loading,
            rss_bytes=int(psutil.Process().memory_info().rss),
        )

    def close(self) -> None:
        self._loans.close()
        for name in self.shelf.loaded():
            self.shelf.put_away(name)

    def _matcher(self, model: str) -> Order:
        info = self.describe(model)
        if info.family != "itm":
            raise UnknownModel(MATCHES.format(info.name))
        return replace(self._order, name=info.name)

    def _on_gpu(self, function: Callable[..., Any], *arguments: Any) -> Any:
        try:
            made = function(*arguments)
        except Exception as error:
            raise _refused(error) from error
        if isinstance(made, Blip2Error):
            raise made
        return made


def _borrowed(stream: Iterator[T]) -> Iterator[T]:
    """The stream; what it raises comes from the lender, since the function gives its errors back as values."""
    try:
        yield from stream
    except Exception as error:
        raise _refused(error) from error


def _refused(error: Exception) -> Busy:
    """The lender's reason in one line: a quota that is used up, no GPU free, a loan that ran out."""
    words = re.sub(r"<[^>]*>", " ", str(getattr(error, "message", "") or error)).split()
    return Busy(NO_GPU.format(" ".join(words)[:200].rstrip(".") or type(error).__name__))


def _standing(loaded: LoadedModel, counts: Counts) -> ModelStats:
    info = loaded.info
    return ModelStats(
        info.title,
        info.family,
        info.device,
        info.dtype,
        info.memory_bytes,
        tokens=counts.tokens,
        since=monotonic() - counts.since,
        note=loaded.note,
        checks=loaded.checks,
    )
