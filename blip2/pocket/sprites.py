"""The things of the pocket world as small pictures: emoji from the Noto font, repainted where wanted, and shapes.

`sprite(kind, colour)` is an RGBA picture whose longer side is `SPRITE` pixels, cut to what is visible. The font is
needed only for drawing new scenes; without it `FontMissing` says how to get it.
"""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from blip2.errors import Blip2Error
from blip2.pocket.kinds import KIND

SPRITE = 128
FONT_FILES = (
    "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf",
    "/usr/share/fonts/noto/NotoColorEmoji.ttf",
    "/usr/share/fonts/google-noto-color-emoji-fonts/NotoColorEmoji.ttf",
    "/usr/share/fonts/noto-emoji/NotoColorEmoji.ttf",
    "/opt/homebrew/share/fonts/NotoColorEmoji.ttf",
)
_BITMAP = 109  # the only size the font's pictures come in
PAINT_RGB = {
    "red": (222, 44, 44),
    "orange": (245, 140, 28),
    "yellow": (250, 215, 48),
    "green": (52, 168, 72),
    "blue": (44, 98, 222),
    "purple": (140, 60, 180),
    "pink": (248, 140, 186),
    "black": (38, 38, 42),
    "white": (250, 250, 250),
}


class FontMissing(Blip2Error):
    """Raised when a new scene is to be drawn on a machine without the emoji font."""


def font_file() -> Path:
    """Where the emoji font lies.

    Raises:
        FontMissing: it is in none of the places where systems put it.
    """
    for name in FONT_FILES:
        if Path(name).is_file():
            return Path(name)
    raise FontMissing(
        "Drawing new scenes needs the Noto Color Emoji font, which is not installed here; "
        "get it with `apt-get install fonts-noto-color-emoji`."
    )


@lru_cache(maxsize=1)
def _font() -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(font_file()), _BITMAP)


def _fit(image: Image.Image) -> Image.Image:
    """Cut to what is visible, the longer side made `SPRITE` pixels, in a transparent square with a thin margin."""
    cut = image.crop(image.getchannel("A").point(lambda a: 255 if a > 24 else 0).getbbox())
    share = SPRITE / max(cut.size)
    cut = cut.resize((max(1, round(cut.width * share)), max(1, round(cut.height * share))), Image.Resampling.LANCZOS)
    square = Image.new("RGBA", (SPRITE + 8, SPRITE + 8))
    square.paste(cut, ((square.width - cut.width) // 2, (square.height - cut.height) // 2))
    return square


def _emoji(text: str) -> Image.Image:
    canvas = Image.new("RGBA", (160, 160))
    ImageDraw.Draw(canvas).text((10, 10), text, font=_font(), embedded_color=True)
    return canvas


def _repaint(image: Image.Image, colour: str) -> Image.Image:
    """The picture with its saturated parts (or, if it has hardly any, its bright parts) in another colour."""
    pixels = np.asarray(image).astype(np.float32)
    rgb, alpha = pixels[..., :3], pixels[..., 3:]
    high, low = rgb.max(-1, keepdims=True), rgb.min(-1, keepdims=True)
    saturation = (high - low) / np.maximum(high, 1)
    visible = alpha[..., 0] > 128
    target = np.asarray(PAINT_RGB[colour], np.float32)
    if float(saturation[visible].mean()) < 0.2:
        tinted, weight = high / 255 * target, (high > 90).astype(np.float32)
    else:
        scale = high / max(float(np.percentile(high[visible & (saturation[..., 0] > 0.4)], 60)), 1)
        tinted, weight = np.minimum(scale, 1.25) * target, np.clip((saturation - 0.3) / 0.2, 0, 1)
    mixed = np.clip(rgb * (1 - weight) + tinted * weight, 0, 255)
    return Image.fromarray(np.concatenate([mixed, alpha], -1).astype(np.uint8))


def _outline(name: str) -> list[tuple[float, float]]:
    """The corners of a shape in a square from -1 to 1."""
    turn = [2 * math.pi * step / 72 for step in range(72)]
    if name == "circle":
        return [(math.cos(t), math.sin(t)) for t in turn]
    if name == "square":
        return [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)]
    if name == "triangle":
        return [(0, -0.9), (1, 0.85), (-1, 0.85)]
    if name == "diamond":
        return [(0, -1), (0.72, 0), (0, 1), (-0.72, 0)]
    if name == "star":
        ray = [(1.0 if step % 2 == 0 else 0.42, math.pi * step / 5 - math.pi / 2) for step in range(10)]
        return [(r * math.cos(a), r * math.sin(a)) for r, a in ray]
    return [
        (math.sin(t) ** 3, -(13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)) / 16)
        for t in turn
    ]


def _shape(name: str, colour: str) -> Image.Image:
    """A shape in one colour, with a darker edge (a lighter one around black)."""
    size = 4 * SPRITE
    fill = PAINT_RGB[colour]
    edge = tuple(round(c * 0.6) for c in fill) if colour != "black" else (110, 110, 116)
    image = Image.new("RGBA", (size, size))
    points = [(size / 2 + 0.46 * size * x, size / 2 + 0.46 * size * y) for x, y in _outline(name)]
    pen = ImageDraw.Draw(image)
    pen.polygon(points, fill=fill)
    pen.line([*points, *points[:2]], fill=edge, width=size // 26, joint="curve")
    return image


@lru_cache(maxsize=400)
def sprite(kind: str, colour: str | None) -> Image.Image:
    """The thing as an RGBA square: visible part at most `SPRITE` pixels wide and high.

    Raises:
        FontMissing: the thing is an emoji and the font is not installed.
    """
    row = KIND[kind]
    if not row.emoji:
        return _fit(_shape(kind, colour or "red"))
    image = _emoji(row.emoji)
    return _fit(_repaint(image, colour) if row.paints and colour else image)


@lru_cache(maxsize=1200)
def reduced(kind: str, colour: str | None, factor: int) -> Image.Image:
    """The sprite, smaller by a whole factor, for drawing at small sizes without jagged edges."""
    whole = sprite(kind, colour)
    return whole if factor == 1 else whole.reduce(factor)
