"""Captions for pictures: one, or as many as there are files, in order, with a few under way at once.

A file that cannot be read becomes a row with its reason and the rest goes on. No more than a handful of pictures are
held in memory, however many there are. It knows the seam and the prompt; no tensors and no page.
"""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing, suppress
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from blip2 import prompts
from blip2.backends.base import Backend
from blip2.errors import BadInput, Busy, Halted
from blip2.images import SUFFIXES, open_picture
from blip2.values import Candidate, Chunk, Decoding, Finish, Picture, Request

AT_ONCE = 8  # pictures in the batch at a time
PAUSE = 0.5  # seconds before asking again where too many were waiting
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Captioned:
    """A picture's captions, best first; `itm` holds their matching probabilities where a matcher ranked them.

    `source` is the file's path as given, `error` the reason where there are none, `seconds` the time it took.
    """

    source: str
    digest: str = ""
    captions: tuple[Candidate, ...] = ()
    itm: tuple[float, ...] = ()
    error: str = ""
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """The best caption, or nothing."""
        return self.captions[0].text if self.captions else ""

    def to_json(self) -> dict[str, Any]:
        ranked = self.itm or (None,) * len(self.captions)
        return {
            "file": self.source,
            "caption": self.text,
            "captions": [
                {"text": each.text, "score": each.score, "confidence": each.confidence, "itm": itm}
                for each, itm in zip(self.captions, ranked, strict=True)
            ],
            "picture": self.digest,
            "error": self.error or None,
            "seconds": round(self.seconds, 4),
        }


class Halt:
    """The wish to give up: set by anyone, seen by all that was begun under it. `backend` is told of what is running."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._event = threading.Event()
        self._running: set[str] = set()

    def set(self) -> None:
        """Give up; requests under way leave their batch before the next step."""
        self._event.set()
        for request in tuple(self._running):
            self._backend.cancel(request)

    def is_set(self) -> bool:
        """Whether to give up."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise `Halted` once it is set."""
        if self._event.is_set():
            raise Halted("The work was stopped; start it again to go on.")

    def wait(self, seconds: float) -> None:
        """Sleep, unless it is set; then as `check`."""
        self._event.wait(seconds)
        self.check()

    def answer(self, request: Request) -> Chunk:
        """The last chunk of a request. Raises `Halted` as soon as it is set."""
        last = Chunk(request.id, "", Finish.CANCELLED)
        self._running.add(request.id)
        chunks: Iterator[Chunk] = iter(())
        try:
            self.check()  # after it is among those running: who sets it later finds it there
            chunks = self._backend.generate(request)
            for chunk in chunks:
                last = chunk
                self.check()  # the backend may not have known the request when it was to be given up
        finally:
            if isinstance(chunks, Generator):
                chunks.close()
            self._running.discard(request.id)
        return last


@dataclass(frozen=True, slots=True)
class Captioner:
    """How pictures are captioned. `prompt` None takes the model's own; `matcher` names a model that ranks by ITM.

    `decoding.num_return` captions by beam search; `draws` of them, with consecutive seeds, where they are drawn by lot.
    """

    backend: Backend
    model: str
    prompt: str | None = None
    decoding: Decoding = field(default_factory=Decoding)
    matcher: str = ""
    seed: int = 0
    deadline: float | None = None
    draws: int = 1
    visitor: str = ""

    def caption(self, picture: Picture, source: str = "", halt: Halt | None = None) -> Captioned:
        """The captions of one picture, best first; equal ones that were drawn count once.

        Raises `BadPrompt`, `UnknownModel`, `ModelUnusable` or `Busy`; `BadInput` where the time ran out at once;
        `Halted`.
        """
        halt = halt or Halt(self.backend)
        info = self.backend.describe(self.model)
        prompt = prompts.build(
            info.default_prompt if self.prompt is None else self.prompt,
            count=lambda text: self.backend.count_tokens(self.model, text),
            budget=info.prompt_budget,
            mode="raw",
        )
        found: list[Candidate] = []
        seconds = 0.0
        is_drawn = self.decoding.method == "nucleus"
        for draw in range(self.draws if is_drawn else 1):
            request = Request(
                self.model, picture, prompt.text, self.decoding, self.seed + draw, self.deadline, self.visitor
            )
            last = halt.answer(request)
            if last.finish is Finish.DEADLINE and not last.text.strip():
                raise BadInput("The time limit was reached before the first word; allow more time.")
            seconds += last.usage.total
            found += last.candidates
        if is_drawn:
            found = sorted({each.text: each for each in found}.values(), key=lambda each: -each.confidence)
        made = Captioned(source, picture.digest, tuple(found), seconds=seconds)
        return self._ranked(made, picture) if self.matcher else made

    def caption_files(self, paths: Iterable[Path]) -> Iterator[Captioned]:
        """A row for each file, in order. Closing the iterator gives up those under way and starts no more.

        Raises what concerns the model; what concerns a file is in its row.
        """
        halt = Halt(self.backend)

        def work(path: Path) -> Captioned:
            try:
                return self.patiently(open_picture(path), str(path), halt)
            except BadInput as error:
                return Captioned(str(path), error=str(error))

        with closing(in_order(work, paths, halt)) as rows:
            yield from (row for row in rows if row is not None)

    def patiently(self, picture: Picture, source: str, halt: Halt) -> Captioned:
        """As `caption`, but while too many requests are waiting it waits too."""
        while True:
            try:
                return self.caption(picture, source, halt)
            except Busy:
                halt.wait(PAUSE)

    def _ranked(self, made: Captioned, picture: Picture) -> Captioned:
        match = self.backend.match(self.matcher, [picture], [each.text for each in made.captions])
        pairs = sorted(zip(match.itm[0].tolist(), made.captions, strict=True), key=lambda pair: -pair[0])
        return replace(made, captions=tuple(c for _, c in pairs), itm=tuple(float(p) for p, _ in pairs))


def in_order(
    work: Callable[[T], R], items: Iterable[T], halt: Halt, at_once: int = AT_ONCE, beat: float | None = None
) -> Generator[R | None, None, None]:
    """What `work` makes of each item, in order, with a few under way at once; none after `halt` is set.

    With `beat` it gives None after so many seconds without a result, so that the reader can look around. Closing the
    iterator sets `halt`. Raises what `work` raises, but for `Halted`.
    """
    with ThreadPoolExecutor(at_once, "caption") as threads:
        waiting: deque[Future[R]] = deque()
        left = iter(items)
        try:
            while True:
                with suppress(StopIteration):
                    while len(waiting) < at_once:
                        item = next(left)
                        # With the context, which says whose request this is: a host that lends GPUs asks.
                        waiting.append(threads.submit(copy_context().run, work, item))
                if not waiting:
                    return
                wait([waiting[0]], beat)
                if halt.is_set():
                    halt.set()  # once more: the backend may have come to know a request since
                yield waiting.popleft().result() if waiting[0].done() else None
        except Halted:
            return
        finally:
            halt.set()
            for future in waiting:
                future.cancel()


def named_pictures(paths: Iterable[Path]) -> list[Path]:
    """What `find_pictures` finds, each once. Raises `BadInput` where that is nothing, too."""
    found = list(dict.fromkeys(find_pictures(paths)))
    if not found:
        raise BadInput("There is no picture in what was named; name a folder with pictures, or a picture's file.")
    return found


def find_pictures(paths: Iterable[Path]) -> Iterator[Path]:
    """The files named, and the pictures in the folders named, sorted, folders within folders included.

    Raises `BadInput` for a path that is not there.
    """
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        elif path.exists():
            yield path
        else:
            raise BadInput(f"There is no file or folder {str(path)!r}; check the path.")
