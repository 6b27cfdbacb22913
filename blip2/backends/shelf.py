"""Which models are loaded: on demand, by hand, and the least recently used put away when memory is short.

Finding a loaded model never waits for another that is being loaded; loading and unloading wait for each other. It knows
no requests.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Generic, Protocol, TypeVar

import torch

from blip2.backends.base import NOT_ALLOWED, NOT_LOADED, ONLY_ONE
from blip2.engine.engine import Engine
from blip2.errors import BadInput, UnknownModel, WillNotFit
from blip2.loading import LoadedModel, fit
from blip2.memory import gigabytes
from blip2.values import Fit, ModelInfo
from blip2.zoo import find


class Owner(Protocol):
    """What holds a loaded model."""

    @property
    def loaded(self) -> LoadedModel: ...


Own = TypeVar("Own", bound=Owner)


class Shelf(Generic[Own]):
    """`names` are offered and loaded when first asked for; `allow` may be loaded by hand besides; `any_model`: any
    name may be asked for. `loader` loads a name with `dtype` and `device`, `make` wraps what it gives."""

    def __init__(
        self,
        names: Sequence[str],
        allow: Sequence[str],
        any_model: bool,
        placed: tuple[str, str],
        loader: Callable[[str, str, str], LoadedModel],
        make: Callable[[LoadedModel], Own],
    ) -> None:
        self._alias = {name: key_of(name) for name in (*names, *allow)}
        self.names = [self._alias[name] for name in names]
        self.allow, self.any_model = [self._alias[name] for name in allow], any_model
        self.placed = placed
        self.loading = ""
        self.since: dict[str, float] = {}
        self._loader = loader
        self._make = make
        self._owners: OrderedDict[str, Own] = OrderedDict()
        self._known: dict[str, ModelInfo] = {}  # the facts of every model that was loaded once
        self._off: set[str] = set()  # unloaded by hand: not offered until loaded by hand
        self._table = threading.Lock()  # held for moments only
        self._work = threading.RLock()  # held while a model is loaded or put away
        self._locks: dict[str, threading.Lock] = {}

    def offered(self) -> list[str]:
        """The models a visitor may choose: those named, then those loaded by hand besides."""
        with self._table:
            return [name for name in dict.fromkeys([*self.names, *self._owners]) if name not in self._off]

    def infos(self) -> list[ModelInfo]:
        """The facts of the models offered. One that was put away is not loaded again only to be described."""
        found = []
        for name in self.offered():
            with self._table:
                info = self._known.get(name)
            found.append(info or self.get(name).loaded.info)
        return found

    def loadable(self) -> list[str]:
        return list(dict.fromkeys([*self.names, *self.allow]))

    def loaded(self) -> dict[str, Own]:
        with self._table:
            return dict(self._owners)

    def lock(self, owner: Own) -> threading.Lock:
        """What to hold while using a model outside its worker."""
        with self._table:
            return self._locks.setdefault(owner.loaded.info.name, threading.Lock())

    def get(self, name: str) -> Own:
        """A model, loaded if need be. Raises `UnknownModel` for one that is not offered, and what loading raises."""
        name = self._alias.get(name, name)
        found = self._find(name)
        if found is None:
            with self._work:
                found = self._find(name) or self._load(name)
        return found

    def load(self, name: str) -> Own:
        """Load a model by hand; it is offered from then on. Raises `UnknownModel` for one that may not be loaded."""
        name = self._alias.get(name, name)
        self._check(name)
        with self._work:
            with self._table:
                found = self._owners.get(name)
            found = found or self._load(name)
            with self._table:
                self._off.discard(name)
            return found

    def unload(self, name: str) -> None:
        """Free a model and offer it no longer; requests it is serving end with a sentence.

        Raises `UnknownModel` for one that is not loaded, and `BadInput` for the last one offered.
        """
        name = self._alias.get(name, name)
        with self._work:
            if name not in self.loaded():
                raise UnknownModel(NOT_LOADED.format(name))
            if self.offered() == [name]:
                raise BadInput(ONLY_ONE.format(name))
            with self._table:
                self._off.add(name)
            self.put_away(name)

    def put_away(self, name: str) -> None:
        """Free a model; it is loaded again when it is asked for."""
        with self._work:
            with self._table:
                owner = self._owners.pop(name, None)
                self.since.pop(name, None)
            if isinstance(owner, Engine):
                owner.close()
            if owner is not None:
                with self.lock(owner):  # whoever is matching with it comes to his end first
                    pass
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def fits(self, name: str) -> Fit:
        """Whether a model would fit now, beside what is loaded or in place of idle models, which are put away."""
        name = self._alias.get(name, name)
        if not self.any_model:
            self._check(name)
        owners = self.loaded()
        if name in owners:
            info = owners[name].loaded.info
            said = f"{info.title} is loaded: {gigabytes(info.memory_bytes)} in {info.dtype} on {info.device}."
            return Fit(name, True, said, info.memory_bytes, 0, info.dtype, info.device)
        found = fit(name, *self.placed)
        idle = [owner.loaded.info for owner in owners.values() if not is_busy(owner)]
        spare = sum(info.memory_bytes for info in idle)
        if found.fits or not found.need_bytes or found.need_bytes > found.free_bytes + spare:
            return found
        titles = " and ".join(info.title for info in idle)
        said = f"{found.sentence} Unloading {titles}, idle now, would make room; loading does that by itself."
        return Fit(name, True, said, found.need_bytes, found.free_bytes, found.dtype, found.device)

    def _check(self, name: str) -> None:
        """Whether the model may be loaded by hand. Raises `UnknownModel` with those that may."""
        named = self.loadable()
        if name not in named:
            raise UnknownModel(NOT_ALLOWED.format(name, ", ".join(named)))

    def _find(self, name: str) -> Own | None:
        with self._table:
            if name in self._off:
                raise UnknownModel(f"The model {name} was unloaded; choose another one, or have it loaded again.")
            if name in self._owners:
                self._owners.move_to_end(name)
                return self._owners[name]
        if name not in self.names and not self.any_model:
            raise UnknownModel(f"The model {name!r} is not served here; choose one of {', '.join(self.offered())}.")
        return None

    def _load(self, name: str) -> Own:
        """Load, putting idle models away, least recently used first, while it will not fit."""
        self.loading = name
        try:
            while True:
                try:
                    made = self._make(self._loader(name, *self.placed))
                    break
                except WillNotFit:
                    idle = [n for n, owner in self.loaded().items() if not is_busy(owner)]
                    if not idle:
                        raise
                    self.put_away(idle[0])
        finally:
            self.loading = ""
        with self._table:
            self._owners[name] = made
            self._known[name] = made.loaded.info
            self.since[name] = monotonic()
        return made


def key_of(name: str) -> str:
    """The name that a model has in requests: the zoo's for any of its names; what the zoo does not know stays."""
    try:
        return find(name).key
    except UnknownModel:
        return name


def is_busy(owner: Owner) -> bool:
    """Whether someone is waiting for this model."""
    return isinstance(owner, Engine) and any(owner.scheduler.counts())
