"""The backgrounds of the pocket world, drawn by code: gradients, horizons, stars, a skyline, dunes, waves, a wall.

`backdrop(name, variant, pixels)` gives one of `VARIANTS` looks of a place; the same arguments give the same pixels.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

VARIANTS = 48  # looks of each place; a scene's seed chooses one
Colour = tuple[int, int, int]


class _Canvas:
    """A square picture in unit coordinates: (0, 0) is the top left, (1, 1) the bottom right."""

    def __init__(self, pixels: int, rng: random.Random) -> None:
        self.size, self.rng = pixels, rng
        self.image = Image.new("RGB", (pixels, pixels))
        self.pen = ImageDraw.Draw(self.image)

    def fade(self, top: Colour, bottom: Colour, start: float = 0.0, end: float = 1.0) -> None:
        """A vertical gradient from `top` to `bottom` between two heights."""
        first, last = round(start * self.size), round(end * self.size)
        share = np.linspace(0, 1, max(last - first, 1))[:, None, None]
        rows = np.asarray(top) * (1 - share) + np.asarray(bottom) * share
        band = np.broadcast_to(rows, (rows.shape[0], self.size, 3)).astype(np.uint8)
        self.image.paste(Image.fromarray(np.ascontiguousarray(band)), (0, first))

    def shape(self, points: list[tuple[float, float]], colour: Colour) -> None:
        self.pen.polygon([(x * self.size, y * self.size) for x, y in points], fill=colour)

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        self.pen.rectangle([v * self.size for v in (left, top, right, bottom)], fill=colour)

    def disc(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        self.pen.ellipse([v * self.size for v in (x - rx, y - ry, x + rx, y + ry)], fill=colour)

    def hills(self, height: float, swing: float, colour: Colour, waves: float = 1.5) -> None:
        """A rolling outline at about `height`, filled down to the bottom edge."""
        phase, second = self.rng.uniform(0, 6.3), self.rng.uniform(0, 6.3)
        xs = np.linspace(0, 1, 60)
        ys = height + swing * (np.sin(xs * 6.3 * waves + phase) + 0.4 * np.sin(xs * 6.3 * waves * 2.3 + second))
        self.shape([(float(x), float(y)) for x, y in zip(xs, ys, strict=True)] + [(1.0, 1.0), (0.0, 1.0)], colour)

    def tint(self, colour: Colour, spread: int = 8) -> Colour:
        """The colour, a little off."""
        red, green, blue = (max(0, min(255, c + self.rng.randint(-spread, spread))) for c in colour)
        return red, green, blue

    def soft_clouds(self, count: int, lowest: float) -> None:
        """Faint white wisps; far paler than the cloud that is a thing."""
        layer = Image.new("L", self.image.size)
        pen = ImageDraw.Draw(layer)
        for _ in range(count):
            x, y, w = self.rng.random(), self.rng.uniform(0.03, lowest), self.rng.uniform(0.08, 0.2)
            pen.ellipse([v * self.size for v in (x - w, y - w * 0.12, x + w, y + w * 0.12)], fill=70)
        layer = layer.filter(ImageFilter.GaussianBlur(self.size * 0.02))
        self.image.paste((255, 255, 255), (0, 0), layer)


def _stars(c: _Canvas, count: int, lowest: float) -> None:
    for _ in range(count):
        x, y, r = c.rng.random(), c.rng.uniform(0, lowest), c.rng.uniform(0.0012, 0.0032)
        c.disc(x, y, r, r, c.tint((235, 235, 225), 20))


def _beach(c: _Canvas) -> None:
    horizon, shore = c.rng.uniform(0.36, 0.46), c.rng.uniform(0.56, 0.64)
    c.fade(c.tint((120, 195, 240)), c.tint((205, 235, 250)), 0, horizon)
    c.soft_clouds(4, 0.25)
    c.fade(c.tint((32, 120, 180)), c.tint((70, 180, 205)), horizon, shore + 0.03)
    c.hills(shore - 0.012, 0.006, (240, 250, 250), 2)
    c.hills(shore, 0.006, c.tint((240, 220, 170)), 2)
    c.hills(shore + 0.16, 0.012, c.tint((228, 205, 150)), 1)


def _meadow(c: _Canvas) -> None:
    horizon = c.rng.uniform(0.24, 0.36)
    c.fade(c.tint((150, 210, 245)), c.tint((220, 240, 250)), 0, horizon + 0.06)
    c.soft_clouds(4, 0.2)
    c.hills(horizon - 0.02, 0.03, c.tint((140, 195, 120)))
    c.hills(horizon + 0.08, 0.02, c.tint((122, 186, 98)))
    c.hills(horizon + 0.3, 0.02, c.tint((108, 172, 84)))
    for _ in range(40):
        x, y = c.rng.random(), c.rng.uniform(horizon + 0.15, 1)
        c.disc(x, y, 0.004, 0.004, c.rng.choice([(250, 250, 240), (250, 230, 120), (245, 190, 210)]))


def _night(c: _Canvas) -> None:
    ground = c.rng.uniform(0.64, 0.74)
    c.fade(c.tint((8, 12, 42), 4), c.tint((34, 44, 98)), 0, ground + 0.05)
    _stars(c, 90, ground)
    c.hills(ground, 0.025, c.tint((24, 34, 58), 5), 1)
    c.hills(ground + 0.1, 0.015, c.tint((18, 40, 36), 5), 1)


def _snow(c: _Canvas) -> None:
    horizon = c.rng.uniform(0.32, 0.44)
    c.fade(c.tint((165, 190, 215)), c.tint((214, 226, 238)), 0, horizon + 0.06)
    c.hills(horizon, 0.035, c.tint((214, 224, 236), 4))
    for _ in range(7):
        x, h = c.rng.random(), c.rng.uniform(0.05, 0.1)
        c.shape(
            [(x, horizon - h), (x - h * 0.3, horizon + 0.05), (x + h * 0.3, horizon + 0.05)], c.tint((96, 130, 128))
        )
    c.hills(horizon + 0.07, 0.02, c.tint((232, 239, 246), 4))
    c.hills(horizon + 0.3, 0.02, c.tint((242, 246, 250), 4), 1)
    for _ in range(50):
        r = c.rng.uniform(0.002, 0.005)
        c.disc(c.rng.random(), c.rng.random(), r, r, (255, 255, 255))


def _skyline(c: _Canvas, ground: float, walls: list[Colour], window: Colour, lit: float) -> None:
    x = -0.02
    while x < 1:
        width, height = c.rng.uniform(0.1, 0.17), c.rng.uniform(0.18, 0.45)
        top = ground - height
        c.box(x, top, x + width, ground, c.tint(c.rng.choice(walls), 6))
        for row in range(int(height / 0.055)):
            for column in range(int(width / 0.035)):
                if c.rng.random() < lit:
                    left, y = x + 0.012 + column * 0.035, top + 0.018 + row * 0.055
                    c.box(left, y, left + 0.016, y + 0.026, window)
        x += width + c.rng.uniform(0, 0.012)


def _city(c: _Canvas) -> None:
    ground = c.rng.uniform(0.58, 0.66)
    c.fade(c.tint((165, 205, 235)), c.tint((226, 236, 242)), 0, ground)
    _skyline(c, ground, [(168, 172, 184), (186, 178, 172), (150, 162, 180), (196, 186, 168)], (222, 234, 242), 0.8)
    c.box(0, ground, 1, ground + 0.07, c.tint((196, 196, 194)))
    c.fade(c.tint((128, 130, 136)), c.tint((112, 114, 120)), ground + 0.07, 1)
    for column in range(5):
        c.box(column * 0.22 + 0.03, ground + 0.19, column * 0.22 + 0.14, ground + 0.203, (226, 226, 220))


def _street(c: _Canvas) -> None:
    ground = c.rng.uniform(0.58, 0.66)
    c.fade(c.tint((20, 18, 48), 4), c.tint((70, 52, 96)), 0, ground)
    _stars(c, 25, 0.2)
    _skyline(c, ground, [(40, 40, 62), (50, 46, 70), (34, 40, 58)], (250, 214, 120), 0.45)
    c.box(0, ground, 1, ground + 0.07, c.tint((78, 76, 92), 5))
    c.fade(c.tint((58, 58, 72), 5), c.tint((46, 46, 60), 5), ground + 0.07, 1)
    for column in range(5):
        c.box(column * 0.22 + 0.03, ground + 0.19, column * 0.22 + 0.14, ground + 0.203, (190, 180, 120))


def _desert(c: _Canvas) -> None:
    horizon = c.rng.uniform(0.34, 0.46)
    c.fade(c.tint((250, 205, 140)), c.tint((253, 232, 190)), 0, horizon + 0.05)
    c.hills(horizon, 0.03, c.tint((226, 166, 104)), 1)
    c.hills(horizon + 0.14, 0.03, c.tint((217, 152, 88)), 1)
    c.hills(horizon + 0.34, 0.03, c.tint((206, 140, 78)), 1)


def _sea(c: _Canvas) -> None:
    horizon = c.rng.uniform(0.24, 0.36)
    c.fade(c.tint((170, 215, 240)), c.tint((228, 242, 248)), 0, horizon)
    c.soft_clouds(4, 0.2)
    c.fade(c.tint((60, 140, 190)), c.tint((20, 80, 140)), horizon, 1)
    for _ in range(46):
        y = c.rng.uniform(horizon + 0.02, 1)
        x, w = c.rng.random(), 0.02 + 0.05 * (y - horizon)
        c.box(x, y, x + w, y + 0.004, c.tint((130, 190, 220)))


def _room(c: _Canvas) -> None:
    floor, wall = (
        c.rng.uniform(0.66, 0.74),
        c.rng.choice([(238, 224, 200), (214, 226, 214), (226, 216, 232), (240, 214, 204)]),
    )
    wall = c.tint(wall, 5)
    c.fade(wall, c.tint(wall, 4), 0, floor)
    stripe: Colour = (wall[0] - 8, wall[1] - 8, wall[2] - 8)
    for column in range(10):
        c.box(column / 10, 0, column / 10 + 0.04, floor, stripe)
    c.fade(c.tint((186, 138, 94)), c.tint((164, 118, 78)), floor, 1)
    for row in range(5):
        y = floor + row * 0.075
        c.box(0, y, 1, y + 0.004, (140, 98, 62))
    c.box(0, floor - 0.022, 1, floor, (250, 248, 242))
    left = c.rng.uniform(0.1, 0.6)
    c.box(left, 0.1, left + 0.28, 0.4, (250, 250, 246))
    c.box(left + 0.015, 0.115, left + 0.132, 0.385, (190, 222, 240))
    c.box(left + 0.148, 0.115, left + 0.265, 0.385, (190, 222, 240))


def _forest(c: _Canvas) -> None:
    ground = c.rng.uniform(0.58, 0.68)
    c.fade(c.tint((176, 206, 180)), c.tint((120, 160, 128)), 0, ground + 0.04)
    for shade, count in (((88, 128, 96), 9), ((62, 102, 74), 8)):
        for _ in range(count):
            x, w, top = c.rng.random(), c.rng.uniform(0.07, 0.12), c.rng.uniform(0.02, 0.24)
            c.box(x - 0.012, ground - 0.1, x + 0.012, ground + 0.02, (86, 70, 58))
            colour = c.tint(shade, 6)
            for step in range(3):
                y = top + step * (ground - top) / 4
                c.shape([(x, y), (x - w * (0.6 + 0.2 * step), y + 0.2), (x + w * (0.6 + 0.2 * step), y + 0.2)], colour)
    c.hills(ground, 0.012, c.tint((84, 116, 70)), 1)
    c.hills(ground + 0.16, 0.012, c.tint((102, 92, 62)), 1)


_PAINTERS: dict[str, Callable[[_Canvas], None]] = {
    "beach": _beach,
    "meadow": _meadow,
    "night": _night,
    "snow": _snow,
    "city": _city,
    "street": _street,
    "desert": _desert,
    "sea": _sea,
    "room": _room,
    "forest": _forest,
}


@lru_cache(maxsize=600)
def backdrop(name: str, variant: int, pixels: int) -> Image.Image:
    """The place as an RGB picture of `pixels` a side. Copy it before drawing on it: the picture is shared."""
    canvas = _Canvas(2 * pixels, random.Random(f"{name} {variant}"))
    _PAINTERS[name](canvas)
    return canvas.image.resize((pixels, pixels), Image.Resampling.BOX)
