"""A backend that replays given answers: for tests, for trying the page without weights, and as the seam's example.

It streams word by word, counts tokens by words, and minds cancelling, deadlines, lengths and stop strings as a backend
with models does. Matches and features are numbers made from the digests of what is compared: always the same, and
meaningless. It knows no tensors.
"""

import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from blip2.backends.base import NOT_ALLOWED, NOT_LOADED, ONLY_ONE
from blip2.backends.line import Line
from blip2.backends.made_up import features, last, maps, numbers
from blip2.engine.stream import cut, visible
from blip2.errors import BadInput, BadPrompt, BadSetting, Blip2Error, Closed, UnknownModel
from blip2.stats import Fit, ModelStats, Stats
from blip2.values import (
    Attention,
    Chunk,
    EmbedMode,
    Features,
    Finish,
    Match,
    ModelInfo,
    Picture,
    Request,
    Usage,
)

Answers = Mapping[str, str | Blip2Error] | Callable[[str], str]

MODELS = (
    ModelInfo("scripted/opt", "Scripted OPT", "opt", "scripted", "1"),
    ModelInfo("scripted/t5", "Scripted T5", "t5", "scripted", "1"),
    ModelInfo("scripted/itm", "Scripted matching", "itm", "scripted", "1"),
)
QUERIES, WIDTH, PROJECTED = 4, 16, 8


class ScriptedBackend:
    """Answers prompts from `answers`: a mapping from the exact prompt, or a function of it; `default` is for the rest.

    An answer that is a `Blip2Error` (or a function that raises one) fails the request. `delay` is the pause before each
    word, in seconds. `allow` may be loaded by hand besides `models`; of more than `slots` requests `max_waiting` wait.
    """

    def __init__(
        self,
        answers: Answers | None = None,
        *,
        default: str = "",
        delay: float = 0.0,
        models: Sequence[ModelInfo] = MODELS,
        allow: Sequence[ModelInfo] = (),
        slots: int = 1_000_000,
        max_waiting: int = 1_000_000,
    ) -> None:
        self._answers: Answers = {} if answers is None else answers
        self._default = default
        self._delay = delay
        self._models = {info.name: info for info in models}  # those offered
        self._known = {info.name: info for info in (*models, *allow)}
        self._line = Line(slots, max_waiting)
        self._running: dict[str, tuple[str, threading.Event]] = {}  # those that wait too
        self._seen: set[tuple[str, str]] = set()
        self._hits = 0
        self._steps, self._words = dict.fromkeys(self._known, 0), dict.fromkeys(self._known, 0)
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
            until = None if request.deadline is None else begun + request.deadline
            for place in self._line.enter(request.id, lambda: stop.is_set() or self._gone(request.model), until):
                yield Chunk(request.id, "", waiting=place)
            queued = time.monotonic() - begun
            # Who was stopped while waiting is asked nothing; the loop's first look ends the answer.
            for word in re.findall(r"\s*\S+", "-" if stop.is_set() else self._answer(request.prompt)):
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
            self._line.leave(request.id)
            with self._lock:
                self._running.pop(request.id, None)
                self._words[info.name] += len(written)
        total = time.monotonic() - begun
        usage = Usage(info.image_tokens, tokens, len(written), queued, times[0] if times else total, total, cached)
        yield last(request, written, finish, usage)

    def match(self, model: str, images: Sequence[Picture], texts: Sequence[str]) -> Match:
        self.describe(model)
        cosines = [[float(numbers(f"{image.digest} {text}", 1)[0]) for text in texts] for image in images]
        itc = np.asarray(cosines, np.float32).reshape(len(images), len(texts))
        return Match(itm=(itc + 1) / 2, itc=itc)

    def embed(self, model: str, images: Sequence[Picture], texts: Sequence[str], mode: EmbedMode) -> Features:
        self.describe(model)
        pictures = [image.digest for image in images]
        if mode == "image":
            return Features(
                image_embeds=features(pictures, QUERIES, WIDTH),
                image_embeds_proj=features(pictures, QUERIES, PROJECTED),
            )
        if mode == "text":
            longest = max((len(text.split()) for text in texts), default=0)
            return Features(
                text_embeds=features(texts, longest, WIDTH), text_embeds_proj=features(texts, longest, PROJECTED)
            )
        pairs = [f"{digest} {text}" for digest, text in zip(pictures, texts, strict=True)]
        return Features(multimodal_embeds=features(pairs, QUERIES, WIDTH))

    def attend(self, model: str, picture: Picture, text: str = "") -> Attention:
        if text.strip() and self.describe(model).family != "itm":
            raise BadInput(f"{model} looks at the picture before it reads; words belong to a matching model.")
        words = ("", *re.findall(r"\w+", text))
        return Attention(maps([f"{self.describe(model).name} {picture.digest} {word}" for word in words]), words)

    def cancel(self, request_id: str) -> None:
        with self._lock:
            _, stop = self._running.get(request_id, ("", None))
        if stop is not None:
            stop.set()
            self._line.wake()

    def stats(self) -> Stats:
        with self._lock:
            waiting = Counter(self._running[id][0] for id in self._line.waiting() if id in self._running)
            running = Counter(model for model, _ in self._running.values()) - waiting
            return Stats(
                running={model: running[model] for model in self._models},
                waiting={model: waiting[model] for model in self._models},
                steps={model: self._steps[model] for model in self._models},
                loaded=tuple(self._models),
                image_hits=self._hits,
                image_misses=len(self._seen),
                models={
                    name: ModelStats(i.title, i.family, i.device, i.dtype, i.memory_bytes, self._words[name])
                    for name, i in self._models.items()
                },
            )

    def loadable(self) -> list[str]:
        return list(self._known)

    def fits(self, model: str) -> Fit:
        info = self._allowed(model)
        said = "is loaded" if model in self._models else "fits: it needs no memory to speak of"
        return Fit(model, True, f"{info.title} {said}.", info.memory_bytes, 0, info.dtype, info.device)

    def load(self, model: str) -> ModelInfo:
        with self._lock:
            self._models[model] = self._allowed(model)
        return self._models[model]

    def unload(self, model: str) -> None:
        with self._lock:
            if model not in self._models:
                raise UnknownModel(NOT_LOADED.format(model))
            if len(self._models) == 1:
                raise BadInput(ONLY_ONE.format(model))
            del self._models[model]
        self._line.wake()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for _, stop in self._running.values():
                stop.set()
        self._line.wake()

    def _allowed(self, model: str) -> ModelInfo:
        if model not in self._known:
            raise UnknownModel(NOT_ALLOWED.format(model, ", ".join(self._known)))
        return self._known[model]

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

    def _gone(self, model: str) -> bool:
        return self._closed or model not in self._models

    def _answer(self, prompt: str) -> str:
        answer = self._answers(prompt) if callable(self._answers) else self._answers.get(prompt, self._default)
        if isinstance(answer, Blip2Error):
            raise answer
        return answer

    def _ended(self, request: Request, written: int, stop: threading.Event, begun: float) -> Finish | None:
        """Wait for the next word's time; why there will be none, or None."""
        stopped = stop.wait(self._delay)
        if self._gone(request.model):
            what = "backend was closed" if self._closed else "model was unloaded"
            raise Closed(f"The {what} before the answer was ready; please load it again.")
        if stopped:
            return Finish.CANCELLED
        if request.deadline is not None and time.monotonic() - begun >= request.deadline:
            return Finish.DEADLINE
        if written >= request.decoding.max_new_tokens:
            return Finish.LENGTH
        with self._lock:
            self._steps[request.model] += 1
        return None
