"""Scenes pass, everything else is noticed: on pictures made here, none of which the threshold was fitted on."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from blip2.images import picture_from
from blip2.pocket import photos
from blip2.pocket.examples import load_examples
from blip2.pocket.photos import NOTICE, explain, is_photograph, novelty, threshold
from blip2.pocket.places import backdrop
from blip2.pocket.world import BACKGROUNDS

EXAMPLES = [pytest.param(example.path, id=example.path.stem) for example in load_examples()]


def refused(image: Image.Image) -> bool:
    return is_photograph(picture_from(image))


def as_jpeg(image: Image.Image, quality: int) -> Image.Image:
    packed = io.BytesIO()
    image.save(packed, "JPEG", quality=quality)
    return Image.open(packed).convert("RGB")


def clouds(seed: int, side: int = 240) -> Image.Image:
    """Noise with the spectrum of natural pictures, 1/f, the channels alike but not the same."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None])
    frequency[0, 0] = 1 / side
    shared = rng.standard_normal((side, side))
    planes = []
    for _ in range(3):
        mixed = 0.8 * shared + 0.4 * rng.standard_normal((side, side))
        field = np.fft.ifft2(np.fft.fft2(mixed) / frequency).real
        planes.append((field - field.mean()) / field.std() * rng.uniform(30, 60) + rng.uniform(70, 180))
    return Image.fromarray(np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8))


def leaves(seed: int, side: int = 240) -> Image.Image:
    """Discs of all sizes and colours over one another, the other usual model of natural pictures."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (side, side))
    pen = ImageDraw.Draw(image)
    for _ in range(900):
        x, y, radius = *rng.uniform(0, side, 2), 3 * rng.pareto(1.5) + 3
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=tuple(rng.integers(20, 236, 3).tolist()))
    return image


def screenshot(dark: bool) -> Image.Image:
    image = Image.new("RGB", (640, 480), (24, 26, 30) if dark else (255, 255, 255))
    pen = ImageDraw.Draw(image)
    for y in range(12, 470, 16):
        pen.text(
            (16, y), f"{y:03d}  the quick brown fox jumps over the lazy dog", fill=(210,) * 3 if dark else (20,) * 3
        )
    return image


@pytest.mark.parametrize("path", EXAMPLES)
def test_scenes_pass_however_they_are_sent(path: str) -> None:
    scene = Image.open(path).convert("RGB")
    width, height = scene.size
    for sent in (
        scene,
        scene.resize((224, 224), Image.Resampling.BILINEAR),
        scene.resize((331, 331), Image.Resampling.LANCZOS),
        as_jpeg(scene, 60),
        scene.crop((round(0.04 * width), round(0.03 * height), round(0.96 * width), round(0.95 * height))),
    ):
        assert not refused(sent)


def test_the_place_found_is_the_scenes_place() -> None:
    for example in load_examples():
        assert explain(Image.open(example.path)).place == example.scene.background


@pytest.mark.parametrize("place", [place.name for place in BACKGROUNDS])
def test_an_empty_place_is_explained(place: str) -> None:
    fit = explain(backdrop(place, 5, 256))
    assert fit.place == place
    assert fit.share > 0.85  # stars and windows fall between the pixels at other sizes


@pytest.mark.parametrize(
    "image",
    [
        *(pytest.param(clouds(seed), id=f"clouds{seed}") for seed in range(6)),
        *(pytest.param(leaves(seed), id=f"leaves{seed}") for seed in range(4)),
        pytest.param(screenshot(dark=False), id="screenshot"),
        pytest.param(screenshot(dark=True), id="dark screenshot"),
        pytest.param(Image.effect_noise((300, 300), 80).convert("RGB"), id="grey noise"),
        pytest.param(Image.linear_gradient("L").convert("RGB"), id="gradient"),
    ],
)
def test_other_pictures_are_noticed(image: Image.Image) -> None:
    assert refused(image)


def test_plain_surfaces_are_noticed_even_in_a_places_own_colours() -> None:
    for place in BACKGROUNDS:
        looks = backdrop(place.name, 0, 64)
        for y in (8, 32, 60):
            assert refused(Image.new("RGB", (200, 200), looks.getpixel((32, y))))


def test_a_scene_turned_upside_down_or_into_its_negative_is_none_of_the_world() -> None:
    for example in load_examples():
        scene = Image.open(example.path).convert("RGB")
        assert refused(ImageOps.invert(scene))
        assert refused(ImageOps.flip(scene))


def test_novelty_is_a_share_and_orders_pictures() -> None:
    scene = Image.open(load_examples()[0].path)
    foreign = novelty(clouds(1))
    assert 0 <= novelty(scene) < threshold() < foreign <= 1


def test_the_notice_says_what_to_do() -> None:
    assert "python -m blip2 serve --models" in NOTICE


def test_a_crowd_of_first_visitors_has_the_places_drawn_once(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[tuple[str, int, int]] = []
    draw = backdrop.__wrapped__

    def counted(name: str, variant: int, side: int) -> Image.Image:
        drawn.append((name, variant, side))
        return draw(name, variant, side)

    monkeypatch.setattr(backdrop, "__wrapped__", counted)
    photos._bank.cache_clear()
    photos._look.cache_clear()
    picture = Image.open(load_examples()[0].path).convert("RGB")
    start = threading.Barrier(8)

    def visit(_: int) -> float:
        start.wait()
        return novelty(picture)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(visit, range(8)))) == 1
    assert len(drawn) > len(BACKGROUNDS)
    assert len(set(drawn)) == len(drawn)
