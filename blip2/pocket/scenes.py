"""Drawing scenes of the pocket world.

    render(scene_at(7), 448).save("scene.png")

`render` draws at any size; the product shows `SHOWN` pixels. `photo` takes the product's path to what a model of
`pixels` a side sees: drawn at `SHOWN`, perhaps sent as JPEG, resized by the processor. `view` is nearly that at a tenth
of the cost, for training: drawn at the model's size, or at twice that size and halved.
"""

from __future__ import annotations

import io
import math
from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops

from blip2.pocket.places import VARIANTS, backdrop
from blip2.pocket.sprites import FontMissing, reduced, sprite
from blip2.pocket.world import GRID, Scene, Thing

__all__ = ["SHOWN", "FontMissing", "photo", "render", "view"]

SHOWN = 448
SIZE_OF = {"big": 0.92, "small": 0.6}  # longer side, in cells


@lru_cache(maxsize=64)
def _grain(pixels: int, strength: float) -> Image.Image:
    """A field of noise around 128, twice as large as the picture, from which each scene takes a window."""
    field = np.random.default_rng(pixels).standard_normal((2 * pixels, 2 * pixels)) * strength + 128
    return Image.fromarray(np.clip(field.round(), 0, 255).astype(np.uint8)).convert("RGB")


def _draw(canvas: Image.Image, thing: Thing) -> None:
    """Scale, turn and place the thing's sprite in one resampling, antialiased."""
    cell = canvas.width / GRID
    side = SIZE_OF[thing.size] * thing.scale * cell  # of the visible part
    whole = sprite(thing.kind, thing.colour)
    factor = max(1, int((whole.width - 8) / side))
    small = reduced(thing.kind, thing.colour, factor)
    zoom = (whole.width - 8) / side / factor  # source pixels for one of the canvas
    x, y = (thing.col + 0.5 + thing.dx) * cell, (thing.row + 0.5 + thing.dy) * cell
    half = math.ceil(side * 0.62 + 2)
    left, top = math.floor(x) - half, math.floor(y) - half
    cos, sin = math.cos(math.radians(thing.angle)) * zoom, math.sin(math.radians(thing.angle)) * zoom
    u, v = x - left, y - top
    middle = small.width / 2
    matrix = (cos, sin, middle - cos * u - sin * v, -sin, cos, middle + sin * u - cos * v)
    filtering = Image.Resampling.BICUBIC if canvas.width >= 300 else Image.Resampling.BILINEAR
    patch = small.transform((2 * half, 2 * half), Image.Transform.AFFINE, matrix, filtering)
    canvas.paste(patch, (left, top), patch)


def _light(canvas: Image.Image, scene: Scene) -> Image.Image:
    """Brightness, warmth and grain of the scene."""
    pixels = canvas.width
    gains = [scene.light * (1 + scene.warmth * tint) for tint in (0.05, 0.0, -0.05)]
    table = np.minimum(np.outer(gains, np.arange(256)).round(), 255).astype(int).ravel()
    lit = canvas.point(table.tolist())
    averaged = min(1.0, 2 * pixels / SHOWN)  # grain averages out where a larger picture is reduced
    strength = round(2 * scene.noise * averaged) / 2
    if not strength:
        return lit
    left, top = scene.seed % pixels, scene.seed // 7 % pixels
    window = _grain(pixels, strength).crop((left, top, left + pixels, top + pixels))
    return ImageChops.add(lit, window, 1, -128)


def render(scene: Scene, pixels: int = SHOWN) -> Image.Image:
    """The scene as an RGB picture of `pixels` a side.

    Raises:
        FontMissing: the scene holds an emoji and the font is not installed.
    """
    canvas = backdrop(scene.background, scene.seed % VARIANTS, pixels).copy()
    for thing in scene.things:
        _draw(canvas, thing)
    return _light(canvas, scene)


def view(scene: Scene, pixels: int, over: int = 1) -> Image.Image:
    """About what a model of this image size sees, drawn fast: at `over` times its size, then reduced."""
    drawn = render(scene, over * pixels)
    return drawn if over == 1 else drawn.resize((pixels, pixels), Image.Resampling.BICUBIC)


def photo(scene: Scene, pixels: int, jpeg: int | None = None) -> Image.Image:
    """What a model sees on the product's path: drawn at `SHOWN`, sent as JPEG of this quality if any, resized."""
    shown = render(scene, SHOWN)
    if jpeg is not None:
        packed = io.BytesIO()
        shown.save(packed, "JPEG", quality=jpeg)
        shown = Image.open(packed).convert("RGB")
    return shown.resize((pixels, pixels), Image.Resampling.BICUBIC)
