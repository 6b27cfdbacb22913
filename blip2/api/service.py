"""What every route is given: the backend, the settings, and the state of one server. It knows no HTTP.

Blocking calls of the backend run on threads of the service, never on the event loop; as many answers at once as there
are threads for, one more is refused as busy.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from pathlib import Path
from time import time
from typing import Any, Literal, TypeVar

from blip2.api.failures import Refusal
from blip2.api.keys import KeyFile
from blip2.api.lifecycle import Lifecycle, Phase, Pulse
from blip2.api.limits import RateLimiter
from blip2.api.metrics import Metrics
from blip2.backends.base import Backend
from blip2.errors import Blip2Error, Busy, UnknownModel
from blip2.settings import Settings
from blip2.values import ModelInfo
from blip2.zoo import NAMES, ROWS, TYPES

T = TypeVar("T")
Kind = Literal["write", "match"]
log = logging.getLogger("blip2.api")
HELPERS = 32  # threads for opening and fetching pictures, and for counting tokens
MATCHERS = 4  # threads for matching and features: slow, so apart, lest questions wait behind them


class Service:
    """One server's state. Make one for each backend; `warm` loads the models, `drain` and `close` end it."""

    def __init__(self, backend: Backend, settings: Settings) -> None:
        self.backend = backend
        self.settings = settings
        self.started = int(time())
        self.lifecycle = Lifecycle()
        self.pulse = Pulse()
        self.metrics = Metrics(backend, lambda: self.lifecycle.generating)
        self.limiter = RateLimiter()
        self.keys = KeyFile(Path(settings.api_keys_file)) if settings.api_keys_file else None
        self._at_once = settings.at_once
        self._answers = ThreadPoolExecutor(self._at_once, "api answer")
        self._helpers = ThreadPoolExecutor(HELPERS, "api helper")
        self._matchers = ThreadPoolExecutor(MATCHERS, "api matcher")
        self._warming = threading.Lock()
        self._warm: threading.Thread | None = None

    def warm(self) -> threading.Thread:
        """Begin to load the models, once; what cannot be loaded is remembered for `readyz`."""
        with self._warming:
            if self._warm is None:
                self._warm = threading.Thread(target=self._load, name="api warm-up", daemon=True)
                self._warm.start()
            return self._warm

    def drain(self, seconds: float | None = None) -> bool:
        """Finish or end what is being answered, within `seconds` (the settings' by default). Blocks."""
        return self.lifecycle.drain(self.settings.drain if seconds is None else seconds)

    def close(self) -> None:
        """Let the threads go. The backend is the caller's."""
        self._answers.shutdown(wait=False, cancel_futures=True)
        self._helpers.shutdown(wait=False, cancel_futures=True)
        self._matchers.shutdown(wait=False, cancel_futures=True)

    async def call(self, work: Callable[..., T], *arguments: Any) -> T:
        """A blocking call, on a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._helpers, copy_context().run, work, *arguments)

    async def match(self, work: Callable[..., T], *arguments: Any) -> T:
        """A blocking call that uses a matching model, on a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._matchers, copy_context().run, work, *arguments)

    def spawn(self, work: Callable[..., None], *arguments: Any) -> None:
        """Start iterating over an answer, on a thread."""
        self._answers.submit(copy_context().run, work, *arguments)

    @contextmanager
    def admitted(self, id: str) -> Iterator[None]:
        """A place for one answer. Raises `Busy` when there is none."""
        if self.lifecycle.generating >= self._at_once:
            raise Busy(f"{self._at_once} answers are being written already; please try again in a moment.")
        with self.lifecycle.generation(id, lambda: self.backend.cancel(id)):
            yield

    def names(self) -> list[str]:
        """The models that requests may name, the default first."""
        return list(dict.fromkeys([*map(canonical, self.settings.models), *self.backend.stats().loaded]))

    def check_open(self) -> None:
        """Raises `Refusal` 503 while the models are being loaded or the server is stopping."""
        phase = self.lifecycle.phase
        if phase is Phase.LOADING:
            raise Refusal(503, "The models are being loaded; try again in a moment.", None, "loading", retry(5))
        if phase is Phase.DRAINING:
            raise Refusal(503, "The server is stopping; try again in a moment.", None, "stopping", retry(5))

    def model(self, name: str | None, kind: Kind, param: str = "model") -> ModelInfo:
        """The model a request names, by any name the zoo has for it, or the first that does what is wanted. Blocks.

        Raises `UnknownModel` where none does, and a `Refusal` of `param`: 404, or 400 for the other kind of model.
        """
        if name is None:
            for each in self.names():
                try:
                    info = self.backend.describe(each)
                except UnknownModel:  # unloaded by hand
                    continue
                if (info.family == "itm") == (kind == "match"):
                    return info
            what = "compares pictures with texts" if kind == "match" else "writes answers"
            raise UnknownModel(f"No model that {what} is served here; its administrator can add one.")
        info = self.backend.describe(self._known(name, param))
        if kind == "match" and info.family != "itm":
            raise Refusal(400, f"The model {name} writes answers; this needs one that matches.", param, "wrong_kind")
        if kind == "write" and info.family == "itm":
            raise Refusal(400, f"The model {name} matches pictures with texts; it cannot write.", param, "wrong_kind")
        return info

    def _known(self, name: str, param: str) -> str:
        names = self.names()
        if name in names:
            return name
        for each in names:
            if canonical(each) == canonical(name):
                return each
        message = f"The model {name!r:.100} is not served here; choose one of {', '.join(names)}."
        raise Refusal(404, message, param, "model_not_found")

    def _load(self) -> None:
        for name in map(canonical, self.settings.models):
            try:
                self.backend.describe(name)
            except Blip2Error as error:
                log.error("the model %s cannot be loaded: %s", name, error)
                self.lifecycle.failures[name] = str(error)
            except Exception as error:
                log.error("the model %s cannot be loaded", name, exc_info=error)
                self.lifecycle.failures[name] = f"{type(error).__name__} while loading"
        self.lifecycle.loaded()


def canonical(name: str) -> str:
    """A zoo row's key for any of its names; other names as they are. Looks at no file: clients name what they like."""
    first, _, second = name.partition("/")
    key = f"{NAMES.get(first, first)}/{TYPES.get(second, second)}"
    return next((row.key for row in ROWS if key == row.key or name in (row.hub, row.type)), name)


def retry(seconds: int) -> dict[str, str]:
    return {"Retry-After": str(seconds)}
