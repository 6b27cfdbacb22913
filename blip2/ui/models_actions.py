"""What a visitor can do on the models tab: look at what is loaded, load, unload, have a model checked.

Values in, values out, and no gradio. Nothing is raised but what a visitor's share is raised for: whatever goes wrong
is a sentence in the value given back.
"""

import platform
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

import blip2
from blip2 import checkup
from blip2.backends.base import Backend
from blip2.checkup import Progress
from blip2.errors import UnknownModel, WillNotFit
from blip2.memory import gigabytes
from blip2.ui.visit import Notice, told
from blip2.values import Fit, Stats
from blip2.zoo import Row, find

CLOSED = (
    "Loading and unloading are switched off here; the administrator switches them on with --manage yes, or with "
    "BLIP2_MANAGE=yes."
)
State = Literal["loaded", "loading", "not loaded"]


@dataclass(frozen=True, slots=True)
class Card:
    """One model: what it is, and, while it is loaded, how it does. `reused` is the share of its prompts' tokens that
    did not have to be read again, None before there were any; `sizes` are bytes by dtype where they are known."""

    name: str
    title: str
    family: str
    source: str
    state: State
    device: str = ""
    dtype: str = ""
    memory_bytes: int = 0
    pace: float = 0.0
    tokens: int = 0
    running: int = 0
    waiting: int = 0
    reused: float | None = None
    sizes: tuple[tuple[str, int], ...] = ()
    note: str = ""

    @property
    def writes(self) -> bool:
        return self.family != "itm"


@dataclass(frozen=True, slots=True)
class Overview:
    """All models, and what they share: encoded pictures kept, and the memory of the program and of the GPUs."""

    cards: tuple[Card, ...]
    stats: Stats

    def to_json(self) -> dict[str, Any]:
        shared = ("image_hits", "image_misses", "image_bytes", "rss_bytes", "gpu_allocated", "gpu_total")
        cards = [asdict(card) | {"sizes": dict(card.sizes)} for card in self.cards]
        return {"models": cards} | {name: getattr(self.stats, name) for name in shared}


class ModelsActions:
    """The models of a backend. `manage` lets visitors load and unload them."""

    def __init__(self, backend: Backend, manage: bool) -> None:
        self.backend = backend
        self.manage = manage

    def overview(self) -> Overview:
        """How everything is now."""
        stats = self.backend.stats()
        names = dict.fromkeys([*self.backend.loadable(), *stats.loaded])
        return Overview(tuple(_card(name, stats) for name in names), stats)

    def fits(self, name: str | None) -> Fit | None:
        """Whether a model would fit, in a sentence; None where none is chosen."""
        if not name:
            return None
        try:
            return self.backend.fits(name)
        except Exception as error:
            return Fit(name, False, told(error))

    def load(self, name: str | None) -> Iterator[Notice]:
        """Load a model: first that it is being loaded, then how it went."""
        yield from self._managed(name, "Loading", self._load)

    def unload(self, name: str | None) -> Iterator[Notice]:
        """Unload a model: first that it is being unloaded, then how it went."""
        yield from self._managed(name, "Unloading", self._unload)

    def check(self, name: str | None) -> Iterator[Progress]:
        """Have a loaded model say what is known; the last progress has the share 1."""
        found = {"model": name or "", "ok": False}
        if name not in self.backend.stats().loaded:
            yield Progress(1.0, "", found | {"error": f"Choose a model that is loaded; {name or 'none'} is not."})
            return
        try:
            yield from checkup.running(self.backend, name)
        except Exception as error:
            yield Progress(1.0, "", found | {"error": told(error)})

    def _managed(self, name: str | None, doing: str, act: Callable[[str], str]) -> Iterator[Notice]:
        if not self.manage:
            yield Notice(CLOSED, failed=True)
            return
        if not name:
            yield Notice("Choose a model first.", failed=True)
            return
        yield Notice(f"{doing} {title_of(name)}; this may take a while.")
        try:
            yield Notice(act(name))
        except Exception as error:
            yield Notice(told(error), failed=True)

    def _load(self, name: str) -> str:
        fit = self.backend.fits(name)  # said before gigabytes are read
        if not fit.fits:
            raise WillNotFit(fit.sentence)
        info = self.backend.load(name)
        held = f"{gigabytes(info.memory_bytes)} in {info.dtype} on {info.device}"
        return f"{info.title} is loaded: {held}. Visitors who open the page from now on can choose it."

    def _unload(self, name: str) -> str:
        held = self.backend.stats().models.get(name)
        self.backend.unload(name)
        return f"{held.title if held else name} is unloaded; visitors cannot choose it until it is loaded again."


def versions() -> dict[str, str]:
    """What the studio runs on; a package that is not there is left out."""
    found = {"BLIP-2 Studio": blip2.__version__, "Python": platform.python_version()}
    for title, package in (("PyTorch", "torch"), ("Transformers", "transformers"), ("Gradio", "gradio")):
        try:
            found[title] = version(package)
        except PackageNotFoundError:
            continue
    return found


def title_of(name: str) -> str:
    row = _row(name)
    return (row.title if row else "") or name


def _row(name: str) -> Row | None:
    try:
        return find(name)
    except UnknownModel:
        return None


def _card(name: str, stats: Stats) -> Card:
    row = _row(name)
    sizes = tuple(row.memory.items()) if row else ()
    source = (row.hub or ("bundled" if row.pocket else str(row.folder.name if row.folder else ""))) if row else ""
    family = (row.family or "") if row else ""
    state: State = "loading" if stats.loading == name else "not loaded"
    card = Card(name, title_of(name), family, source, state, sizes=sizes)
    held = stats.models.get(name)
    if held is None:
        return card
    read = held.prompt_read + held.prompt_reused
    return replace(
        card,
        title=held.title,
        family=held.family,
        state="loaded",
        device=held.device,
        dtype=held.dtype,
        memory_bytes=held.memory_bytes,
        pace=held.pace,
        tokens=held.tokens,
        running=stats.running.get(name, 0),
        waiting=stats.waiting.get(name, 0),
        reused=held.prompt_reused / read if read else None,
        note=held.note,
    )
