"""Pictures and labels for training the pocket models' eyes.

A batch mixes *crowded* pictures (a thing in nearly every cell: many labels a picture) with scenes as they will be met.
Both follow from training seeds, so a batch follows from its number.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from blip2.pocket.scenes import SIZE_OF, photo, view
from blip2.pocket.vision import CELLS, IMAGE_SIZE, PATCHES, to_pixels
from blip2.pocket.world import (
    BACKGROUND,
    BACKGROUNDS,
    COLOURS,
    EMOJI_KINDS,
    GRID,
    KINDS,
    SHAPES,
    SIZES,
    Scene,
    Thing,
    scene_at,
)

IGNORE = -100
NOTHING = len(KINDS)
_KIND_ID = {kind.name: index for index, kind in enumerate(KINDS)}
_PLACE_ID = {name: index for index, name in enumerate(BACKGROUND)}


@dataclass(frozen=True)
class Labels:
    """Targets: [n, 9] for cells, [n, 64] for patches, [n] for places. `IGNORE` where there is nothing to say."""

    kind: Tensor
    size: Tensor
    colour: Tensor
    place: Tensor
    patch_kind: Tensor
    patch_size: Tensor
    patch_colour: Tensor
    patch_cell: Tensor


def crowded_scene(seed: int) -> Scene:
    """A scene with a thing in almost every cell, all kinds alike often."""
    rng = random.Random(f"crowd {seed}")
    things = []
    for cell in range(CELLS):
        if rng.random() < 0.12:
            continue
        kind = rng.choice(SHAPES if rng.random() < 0.15 else EMOJI_KINDS)
        colour = rng.choice(kind.paints) if kind.paints else kind.colour
        jitter = (rng.uniform(-0.07, 0.07), rng.uniform(-0.07, 0.07), rng.uniform(-10, 10), rng.uniform(0.94, 1.06))
        things.append(Thing(kind.name, colour, rng.choice(SIZES), cell // GRID, cell % GRID, *jitter))
    light = (rng.uniform(0.85, 1.1), rng.uniform(-1, 1), rng.uniform(0, 6))
    return Scene(rng.choice(BACKGROUNDS).name, tuple(things), rng.getrandbits(31), *light)


def _names(thing: Thing) -> tuple[int, int, int]:
    """Kind, size and colour as class numbers."""
    colour = COLOURS.index(thing.colour) if thing.colour else IGNORE
    return _KIND_ID[thing.kind], SIZES.index(thing.size), colour


def _patches(scene: Scene) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """For each patch [64, 4]: kind, size, colour and cell of the nearest thing whose box holds its middle."""
    labels = np.tile(np.array([NOTHING, IGNORE, IGNORE, CELLS]), (PATCHES * PATCHES, 1))
    nearest = np.full(PATCHES * PATCHES, np.inf)
    middles = (np.arange(PATCHES) + 0.5) * GRID / PATCHES
    ys, xs = np.repeat(middles, PATCHES), np.tile(middles, PATCHES)
    for thing in scene.things:
        reach = np.maximum(abs(xs - (thing.col + 0.5 + thing.dx)), abs(ys - (thing.row + 0.5 + thing.dy)))
        inside = (reach < SIZE_OF[thing.size] * thing.scale / 2) & (reach < nearest)
        nearest[inside] = reach[inside]
        labels[inside] = (*_names(thing), thing.cell)
    return labels


def labels_of(scenes: list[Scene]) -> Labels:
    """The targets of these scenes."""
    cells = torch.full((len(scenes), CELLS, 3), IGNORE)
    cells[..., 0] = NOTHING
    for index, scene in enumerate(scenes):
        for thing in scene.things:
            cells[index, thing.cell] = torch.tensor(_names(thing))
    places = torch.tensor([_PLACE_ID[scene.background] for scene in scenes])
    patches = torch.from_numpy(np.stack([_patches(scene) for scene in scenes]))
    kind, size, colour = cells.unbind(-1)
    return Labels(kind, size, colour, places, *patches.unbind(-1))


def _picture(scene: Scene, rng: random.Random, care: float) -> Image.Image:
    """One of the ways a scene may reach the model: the fastest, or with probability `care` a better one."""
    draw = rng.random()
    if draw < care / 10:
        return photo(scene, IMAGE_SIZE, jpeg=rng.choice((None, 70, 85, 95)))
    return view(scene, IMAGE_SIZE, 2 if draw < care else 1)


def batch_at(number: int, size: int, crowded: float, care: float, base: int) -> tuple[Tensor, Labels]:
    """Batch `number`: pixels [size, 3, 112, 112] and labels, a share `crowded` of it crowded pictures.

    `care` is the share of pictures drawn better than fast.
    """
    seeds = range(base + number * size, base + (number + 1) * size)
    rng = random.Random(f"batch {base} {number}")
    scenes = [crowded_scene(seed) if rng.random() < crowded else scene_at(seed) for seed in seeds]
    return to_pixels([_picture(scene, rng, care) for scene in scenes]), labels_of(scenes)
