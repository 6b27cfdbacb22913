"""A backend that replays given answers: for tests, for trying the page without weights, and as the seam's example.

It streams word by word, counts tokens by words, and minds cancelling, deadlines, lengths and stop strings as a backend
with models does. Matches and features are numbers made from the digests of what is compared: always the same, and
meaningless. It knows no tensors.
"""

import hashlib
import math
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from blip2.engine.stream import cut, visible
from blip2.errors import BadPrompt, BadSetting, Blip2Error, Closed, UnknownModel
from blip2.values import (
    Candidate,
    Chunk,
    EmbedMode,
    Features,
    Finish,
    Match,
    ModelInfo,
    Picture,
    Request,
    Stats,
    Token,
    Usage,
)

Answers = Mapping[str, str | Blip2Error] | Callable[[str], str]

MODELS = (
    ModelInfo("scripted/opt", "Scripted OPT", "opt", "scripted", "1"),
    ModelInfo("scripted/t5", "Scripted T5", "t5", "scripted", "1"),
    ModelInfo("scripted/itm", "Scripted matching", "itm", "scripted", "1"),
)
PROBABILITY = 0.5  # of every scripted token
QUERIES, WIDTH, PROJECTED = 4, 16, 8


class ScriptedBackend:
    """Answers prompts from `answers`: a mapping from the exact prompt, or a function of it; `default` is for the rest.

    An answer that is a `Blip2Error` (or a function that raises one) fails the request. `delay` is the pause before each
    word, in seconds.
    """

    def __init__(
        self,
        answers: Answers | None = None,
        *,
        default: str = "",
        delay: float = 0.0,
        models: Sequence[ModelInfo] = MODELS,
    ) -> None:
        self._answers: Answers = {} if answers is None else answers
        self._default = default
        self._delay = delay
        self._models = {info.name: info for info in models}
        self._running: dict[str, tuple[str, threading.Event]] = {}
        self._seen: set[tuple[str, str]] = set()
        self._hits = 0
        self._steps = dict.fromkeys(self._models, 0)
        self._lock = threading.Lock()
        self._closed = False

    def models(self) -> list[ModelInfo]:
        return list(self._models.values())

    def describe(self, model: str) -> ModelInfo:
        if model not in self._models:
            raise UnknownModel(f"There is no model {model!r}; choose one of {', '.join(self._models)}.")
        return self._models[model]

    def count_tokens(self, model: str, text: str) -> int:
        self.describe(model)
        return len(text.split())

    def generate(self, request: Request) -> Iterator[Chunk]:
        begun = time.monotonic()
        info = self.describe(request.model)
        if info.family == "itm":
            raise BadSetting(f"The model {info.name} compares pictures with texts; it writes no answers.")
        tokens = self.count_tokens(info.name, request.prompt)
        if tokens > info.prompt_budget:
            raise BadPrompt(f"The prompt takes {tokens} tokens and {info.name} reads at most {info.prompt_budget}.")
        stop = threading.Event()
        cached = self._admit(request, stop)
        written: list[str] = []
        times: list[float] = []  # seconds since submission, of each word
        finish = Finish.END
        try:
            for word in re.findall(r"\s*\S+", self._answer(request.prompt)):
                ended = self._ended(request, len(written), stop, begun)
                if ended is not None:
                    finish = ended
                    break
                written.append(word)
                times.append(time.monotonic() - begun)
                text, found = cut("".join(written).strip(), request.decoding.stop)
                if found:
                    finish = Finish.STOP
                    break
                yield Chunk(request.id, visible(text, request.decoding.stop))
        finally:
            with self._lock:
                self._running.pop(request.id, None)
        total = time.monotonic() - begun
        usage = Usage(info.image_tokens, tokens, len(written), 0.0, times[0] if times else total, total, cached)
        yield _last(request, written, finish, usage)

    def match(self, model: str, images: Sequence[Picture], texts: Sequence[str]) -> Match:
        self.describe(model)
        cosines = [[float(_numbers(f"{image.digest} {text}", 1)[0]) for text in texts] for image in images]
        itc = np.asarray(cosines, np.float32).reshape(len(images), len(texts))
        return Match(itm=(itc + 1) / 2, itc=itc)

    def embed(self, model: str, images: Sequence[Picture], texts: Sequence[str], mode: EmbedMode) -> Features:
        self.describe(model)
        pictures = [image.digest for image in images]
        if mode == "image":
            return Features(
                image_embeds=_features(pictures, QUERIES, WIDTH),
                image_embeds_proj=_features(pictures, QUERIES, PROJECTED),
            )
        if mode == "text":
            longest = max((len(text.split()) for text in texts), default=0)
            return Features(
                text_embeds=_features(texts, longest, WIDTH), text_embeds_proj=_features(texts, longest, PROJECTED)
            )
        pairs = [f"{digest} {text}" for digest, text in zip(pictures, texts, strict=True)]
        return Features(multimodal_embeds=_features(pairs, QUERIES, WIDTH))

    def cancel(self, request_id: str) -> None:
        with self._lock:
            _, stop = self._running.get(request_id, ("", None))
        if stop is not None:
            stop.set()

    def stats(self) -> Stats:
        with self._lock:
            running = Counter(model for model, _ in self._running.values())
            return Stats(
                running={model: running[model] for model in self._models},
                waiting=dict.fromkeys(self._models, 0),
                steps=dict(self._steps),
                loaded=tuple(self._models),
                image_hits=self._hits,
                image_misses=len(self._seen),
            )

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for _, stop in self._running.values():
                stop.set()

    def _admit(self, request: Request, stop: threading.Event) -> bool:
        """Count the request among the running ones; whether its picture was seen before."""
        with self._lock:
            if self._closed:
                raise Closed("The backend was closed; start it again to go on.")
            self._running[request.id] = (request.model, stop)
            key = (request.model, request.picture.digest)
            cached = key in self._seen
            self._seen.add(key)
            self._hits += cached
        return cached

    def _answer(self, prompt: str) -> str:
        answer = self._answers(prompt) if callable(self._answers) else self._answers.get(prompt, self._default)
        if isinstance(answer, Blip2Error):
            raise answer
        return answer

    def _ended(self, request: Request, written: int, stop: threading.Event, begun: float) -> Finish | None:
        """Wait for the next word's time; why there will be none, or None."""
        stopped = stop.wait(self._delay)
        if self._closed:
            raise Closed("The backend was closed while it was answering; start it again and ask anew.")
        if stopped:
            return Finish.CANCELLED
        if request.deadline is not None and time.monotonic() - begun >= request.deadline:
            return Finish.DEADLINE
        if written >= request.decoding.max_new_tokens:
            return Finish.LENGTH
        with self._lock:
            self._steps[request.model] += 1
        return None


def _last(request: Request, written: Sequence[str], finish: Finish, usage: Usage) -> Chunk:
    text, _ = cut("".join(written).strip(), request.decoding.stop)
    tokens = tuple(Token(word, math.log(PROBABILITY)) for word in written)
    score = math.log(PROBABILITY) * len(tokens)
    best = Candidate(text, tokens, score, PROBABILITY if tokens else 0.0)
    return Chunk(request.id, text, finish, usage, (best,) * request.decoding.num_return)


def _numbers(key: str, count: int) -> "np.ndarray[Any, Any]":
    """`count` numbers in [-1, 1) that depend on `key` alone."""
    seed = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
    return np.random.default_rng(seed).uniform(-1, 1, count).astype(np.float32)


def _features(keys: Sequence[str], rows: int, width: int) -> "np.ndarray[Any, Any]":
    """Unit vectors, [keys, rows, width]."""
    made = np.stack([_numbers(key, rows * width).reshape(rows, width) for key in keys]) if keys else None
    if made is None:
        return np.zeros((0, rows, width), np.float32)
    return np.asarray(made / np.linalg.norm(made, axis=-1, keepdims=True), np.float32)
