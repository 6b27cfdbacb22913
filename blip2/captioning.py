"""Captions for pictures: one, or as many as there are files, in order, with a few under way at once.

A file that cannot be read becomes a row with its reason and the rest goes on. No more than a handful of pictures are
held in memory, however many there are. It knows the seam and the prompt; no tensors and no page.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from blip2 import prompts
from blip2.backends.base import Backend, answer
from blip2.errors import BadInput, Busy
from blip2.images import SUFFIXES, open_picture
from blip2.values import Candidate, Decoding, Finish, Picture, Request

AT_ONCE = 8  # pictures in the batch at a time


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


@dataclass(frozen=True, slots=True)
class Captioner:
    """How pictures are captioned. `prompt` None takes the model's own; `matcher` names a model that ranks by ITM."""

    backend: Backend
    model: str
    prompt: str | None = None
    decoding: Decoding = field(default_factory=Decoding)
    matcher: str = ""
    seed: int = 0
    deadline: float | None = None

    def caption(self, picture: Picture, source: str = "") -> Captioned:
        """The captions of one picture; `decoding.num_return` of them by beam search.

        Raises `BadPrompt`, `UnknownModel`, `ModelUnusable` or `Busy`; `BadInput` where the time ran out at once.
        """
        info = self.backend.describe(self.model)
        prompt = prompts.build(
            info.default_prompt if self.prompt is None else self.prompt,
            count=lambda text: self.backend.count_tokens(self.model, text),
            budget=info.prompt_budget,
            mode="raw",
        )
        request = Request(self.model, picture, prompt.text, self.decoding, self.seed, self.deadline)
        last = answer(self.backend, request)
        if last.finish is Finish.DEADLINE and not last.text.strip():
            raise BadInput("The time limit was reached before the first word; allow more time.")
        made = Captioned(source, picture.digest, last.candidates, seconds=last.usage.total)
        return self._ranked(made, picture) if self.matcher else made

    def caption_files(self, paths: Iterable[Path]) -> Iterator[Captioned]:
        """A row for each file, in order. Closing the iterator waits for the few that are under way and starts no more.

        Raises what concerns the model; what concerns a file is in its row.
        """
        with ThreadPoolExecutor(AT_ONCE, "caption") as threads:
            waiting: deque[Future[Captioned]] = deque()
            left = iter(paths)
            try:
                while True:
                    with suppress(StopIteration):
                        while len(waiting) < AT_ONCE:
                            waiting.append(threads.submit(self._file, next(left)))
                    if not waiting:
                        return
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def _file(self, path: Path) -> Captioned:
        try:
            return self.caption(open_picture(path), str(path))
        except (BadInput, Busy) as error:
            return Captioned(str(path), error=str(error))

    def _ranked(self, made: Captioned, picture: Picture) -> Captioned:
        match = self.backend.match(self.matcher, [picture], [each.text for each in made.captions])
        pairs = sorted(zip(match.itm[0].tolist(), made.captions, strict=True), key=lambda pair: -pair[0])
        return replace(made, captions=tuple(c for _, c in pairs), itm=tuple(float(p) for p, _ in pairs))


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
