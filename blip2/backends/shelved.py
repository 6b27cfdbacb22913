"""What backends have in common whose models stand on a shelf: they are listed, described, loaded and unloaded alike."""

from typing import Generic

from blip2.backends.shelf import Own, Shelf
from blip2.values import Fit, ModelInfo


class Shelved(Generic[Own]):
    """The part of the seam that concerns models and no requests; a subclass makes the `shelf`."""

    shelf: Shelf[Own]

    def models(self) -> list[ModelInfo]:
        return self.shelf.infos()

    def describe(self, model: str) -> ModelInfo:
        return self.shelf.get(model).loaded.info

    def note(self, model: str) -> str:
        """What `auto` picked for this model, and why."""
        return self.shelf.get(model).loaded.note

    def loadable(self) -> list[str]:
        return self.shelf.loadable()

    def fits(self, model: str) -> Fit:
        return self.shelf.fits(model)

    def load(self, model: str) -> ModelInfo:
        return self.shelf.load(model).loaded.info

    def unload(self, model: str) -> None:
        self.shelf.unload(model)
