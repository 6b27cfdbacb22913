"""Scenes are drawn the same every time, at any size, and the model's fast view is close to the product's path."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageChops

from blip2.errors import Blip2Error
from blip2.pocket import sprites
from blip2.pocket.places import backdrop
from blip2.pocket.scenes import SHOWN, photo, render, view
from blip2.pocket.world import BACKGROUNDS, KINDS, Scene, Thing, scene_at

HAS_FONT = any(Path(name).is_file() for name in sprites.FONT_FILES)
if not HAS_FONT:
    warnings.warn("SKIPPED: drawing tests need fonts-noto-color-emoji, which is not installed", stacklevel=1)
needs_font = pytest.mark.skipif(not HAS_FONT, reason="needs the font: apt-get install fonts-noto-color-emoji")


def _distance(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, np.float32) - np.asarray(other, np.float32)).mean())


def test_the_missing_font_is_a_sentence_that_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sprites, "FONT_FILES", ("/nowhere/NotoColorEmoji.ttf",))
    with pytest.raises(sprites.FontMissing, match="apt-get install fonts-noto-color-emoji") as caught:
        sprites.font_file()
    assert isinstance(caught.value, Blip2Error)


def test_every_place_looks_different() -> None:
    pictures = [backdrop(place.name, 0, 64) for place in BACKGROUNDS]
    assert all(_distance(a, b) > 5 for i, a in enumerate(pictures) for b in pictures[:i])


def test_a_place_has_many_looks() -> None:
    assert len({backdrop("beach", variant, 64).tobytes() for variant in range(10)}) == 10


def test_a_shape_is_drawn_where_the_scene_says() -> None:
    empty = Scene("room", (), seed=3)
    circle = Scene("room", (Thing("circle", "red", "big", row=2, col=0),), seed=3)
    left, top, right, bottom = ImageChops.difference(render(empty, 300), render(circle, 300)).getbbox() or (0, 0, 0, 0)
    assert 0 <= left < right <= 104
    assert 196 <= top < bottom <= 300
    assert render(circle, 300).getpixel((50, 250)) == sprites.PAINT_RGB["red"]


@needs_font
def test_drawing_repeats_itself() -> None:
    assert render(scene_at(5), 224).tobytes() == render(scene_at(5), 224).tobytes()
    assert render(scene_at(5)).size == (SHOWN, SHOWN)


@needs_font
def test_the_fast_view_is_close_to_the_products_path() -> None:
    for seed in range(12):
        scene = scene_at(seed)
        exact = photo(scene, 112)
        assert _distance(view(scene, 112, 2), exact) < 4
        assert _distance(view(scene, 112), exact) < 9
        assert _distance(photo(scene, 112, jpeg=85), exact) < 4


@needs_font
def test_every_kind_has_its_own_look() -> None:
    small = [sprites.sprite(k.name, k.paints[0] if k.paints else None).resize((24, 24)) for k in KINDS]
    grey = Image.new("RGBA", (24, 24), (128, 128, 128, 255))
    pictures = [np.asarray(Image.alpha_composite(grey, s).convert("RGB"), np.float32) for s in small]
    stack = np.stack(pictures).reshape(len(pictures), -1)
    distance = np.abs(stack[:, None] - stack[None]).mean(-1) + 1000 * np.eye(len(stack))
    assert distance.min() > 6


@needs_font
def test_repainting_gives_the_colour_asked_for() -> None:
    for kind in ("car", "balloon", "ball", "umbrella", "book"):
        red, blue = (np.asarray(sprites.sprite(kind, colour), np.float32) for colour in ("red", "blue"))
        solid = red[..., 3] > 200
        assert (red[solid][:, 0] - red[solid][:, 2]).mean() > 40
        assert (blue[solid][:, 2] - blue[solid][:, 0]).mean() > 40
