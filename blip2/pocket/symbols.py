"""Slots that stand in for the eyes before there are any, and what each slot of a scene holds.

`Symbols` gives every cell a fixed random code for its thing's kind, size and colour, plus noise: enough to learn the
whole logic of the conversations without a picture.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from blip2.pocket.captions import BACKGROUND_SLOT
from blip2.pocket.language_data import IGNORE, QUERIES, SLOTS
from blip2.pocket.world import BACKGROUND, COLOURS, KINDS, SIZES, Scene

__all__ = ["Symbols", "slot_labels"]

WIDTH = 128
_KIND = {kind.name: number for number, kind in enumerate(KINDS)}
_COLOUR = {colour: number for number, colour in enumerate(COLOURS)}
_PLACE = {name: number for number, name in enumerate(BACKGROUND)}


class Symbols:
    """Slots [n, 16, 128] made from a scene instead of seen in its picture."""

    def __init__(self, noise: float = 0.35) -> None:
        rng = np.random.default_rng(7)
        self.kind = rng.normal(size=(len(KINDS) + 1, WIDTH))
        self.size = rng.normal(size=(len(SIZES), WIDTH)) * 0.7
        self.colour = rng.normal(size=(len(COLOURS), WIDTH)) * 0.7
        self.place = rng.normal(size=(len(BACKGROUND), WIDTH))
        self.noise = noise

    def __call__(self, scenes: Sequence[Scene], seed: int) -> Tensor:
        """The slots of these scenes; `seed` fixes the noise."""
        slots = np.random.default_rng(seed).standard_normal((len(scenes), QUERIES, WIDTH)) * self.noise
        slots[:, :BACKGROUND_SLOT] += self.kind[-1]
        for row, scene in enumerate(scenes):
            slots[row, BACKGROUND_SLOT] += self.place[_PLACE[scene.background]]
            for thing in scene.things:
                slots[row, thing.cell] += (
                    self.kind[_KIND[thing.kind]] - self.kind[-1] + self.size[SIZES.index(thing.size)]
                )
                if thing.colour:
                    slots[row, thing.cell] += self.colour[_COLOUR[thing.colour]]
        return torch.from_numpy(slots).float()


def slot_labels(scenes: Sequence[Scene]) -> Tensor:
    """What each slot holds, [n, 10, 3]: kind, size, colour of cells (IGNORE where there is none); place in slot 9."""
    labels = np.full((len(scenes), SLOTS, 3), IGNORE)
    for row, scene in enumerate(scenes):
        labels[row, BACKGROUND_SLOT, 0] = _PLACE[scene.background]
        for thing in scene.things:
            colour = _COLOUR[thing.colour] if thing.colour else IGNORE
            labels[row, thing.cell] = (_KIND[thing.kind], SIZES.index(thing.size), colour)
    return torch.from_numpy(labels)
