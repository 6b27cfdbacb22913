"""Telling a photograph, or any other foreign picture, from a scene of the pocket world: by a measure of its pixels.

A scene is one of the world's places with a few things on it, so its place explains most of its pixels. `explain` draws
every look of every place, small, finds the one that fits best - up to a common brightness and colour cast, and up to a
slight crop - and measures the share of pixels it explains. Photographs, screenshots, paintings, noise and plain
surfaces have no such place. Nothing is learnt from photographs: the only fitted number, the threshold in
`assets/pocket/photos.json`, is a low quantile of scenes (`blip2.pocket.photos_fit` fits it again).

It knows no model and needs no font.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from blip2.pocket.places import VARIANTS, backdrop
from blip2.pocket.world import BACKGROUNDS
from blip2.values import Picture

Pixels = np.ndarray[Any, np.dtype[np.float32]]
Hits = np.ndarray[Any, np.dtype[np.bool_]]

PARAMETERS = Path(__file__).resolve().parents[2] / "assets" / "pocket" / "photos.json"
THRESHOLD = 0.5  # novelty above it is no scene; the fitted value is in PARAMETERS
COARSE, FINE, DRAWN = 16, 48, 96  # pixels a side: to choose a place, to measure its fit, and as drawn for cropping
GAINS = (0.76, 1.22)  # light times warmth, a little wider than the world's
SHORTLIST, CROPPED = 24, 4  # places measured finely, and of these tried with crops
STEPS = (0.0, 0.02, 0.04, 0.06, 0.08)  # cut from one edge, in shares of the side
HOPELESS, CLEAR = 0.2, 0.72  # coarse share below which, and fit above which, no crop is tried
FLAT = 4.0  # how fast a picture that one colour explains stops being a scene

_DRAWING = threading.Lock()  # a crowd of first visitors must not draw all places once for each
NOTICE = (
    "This does not look like one of the drawn scenes the pocket models know - a few everyday things in one of ten "
    "places - so their answers about it would be guesses. For photographs, start a real checkpoint: "
    "`python -m blip2 serve --models blip2_opt/pretrain_opt2.7b`."
)


@dataclass(frozen=True)
class Fit:
    """How well the best place explains a picture. Shares are of pixels, in [0, 1]; `place` is its name.

    `share` counts the whole picture, `third` the worst-explained of its three horizontal bands, `plain` what a single
    colour explains.
    """

    place: str
    share: float
    third: float
    plain: float

    @property
    def novelty(self) -> float:
        """0 for a picture explained in full, 1 for one not at all. No scene is flat."""
        return 1 - min((self.share + self.third) / 2, FLAT * (1 - self.plain), 1.0)


def _small(image: Image.Image, side: int) -> Pixels:
    """The picture as float32 [side, side, 3], each pixel the mean of an area; squashed to a square as models see it."""
    return np.asarray(image.resize((side, side), Image.Resampling.BOX), np.float32)


def _hits(pixels: Pixels, place: Pixels, slack: float, share: float) -> Hits:
    """Which pixels the place explains, [..., n, n], within `slack` + `share` of the value in every channel."""
    gain = np.clip(np.median((pixels + 1) / (place + 1), axis=(-3, -2), keepdims=True), *GAINS)
    expected = np.minimum(255, gain * place)
    return np.asarray((np.abs(pixels - expected) < slack + share * expected).all(-1))


def _thirds(hits: Hits) -> float:
    side = hits.shape[-1]
    return float(hits.reshape(3, side // 3, side).mean((1, 2)).min())


def _score(hits: Hits) -> float:
    return (float(hits.mean()) + _thirds(hits)) / 2


def _draw(number: int, side: int) -> Image.Image:
    """A place by its number, past the cache that drawing scenes lives on."""
    name, variant = BACKGROUNDS[number // VARIANTS].name, number % VARIANTS
    return backdrop.__wrapped__(name, variant, side)


@lru_cache(maxsize=1)
def _bank() -> Pixels:
    """Every look of every place, small: [places x VARIANTS, COARSE, COARSE, 3]."""
    looks = [_draw(number, 2 * COARSE).reduce(2) for number in range(len(BACKGROUNDS) * VARIANTS)]
    return np.stack([np.asarray(look, np.float32) for look in looks])


@lru_cache(maxsize=len(BACKGROUNDS) * VARIANTS)
def _look(number: int) -> Image.Image:
    """A place by its number, `DRAWN` pixels a side; all together take 13 MB."""
    return _draw(number, DRAWN)


class _Fitting:
    """One picture being held against places; keeps the best fit found."""

    def __init__(self, image: Image.Image) -> None:
        self.pixels = _small(image, FINE)

    def at(self, look: Image.Image, cut: list[float]) -> Hits:
        """The hits of a place drawn `DRAWN` wide with its left, top, right and bottom edges cut by these shares."""
        left, top, right, bottom = cut
        box = (left * DRAWN, top * DRAWN, (1 - right) * DRAWN, (1 - bottom) * DRAWN)
        place = look.resize((FINE, FINE), Image.Resampling.BOX, box=box)
        return _hits(self.pixels, np.asarray(place, np.float32), 5, 0.04)

    def cropped(self, look: Image.Image, hits: Hits) -> Hits:
        """The hits after a search, edge by edge, for the crop that fits best."""
        cut, best = [0.0] * 4, _score(hits)
        for _ in range(2):
            for edge in (1, 3, 0, 2):  # heights first: places are made of bands
                for step in STEPS:
                    tried = [*cut[:edge], step, *cut[edge + 1 :]]
                    found = self.at(look, tried)
                    if _score(found) > best:
                        hits, best, cut = found, _score(found), tried
        return hits


def explain(image: Image.Image) -> Fit:
    """The place that explains the picture best. Takes about 30 ms, up to 150 ms where crops are tried."""
    image = image.convert("RGB")
    with _DRAWING:
        bank = _bank()
    coarse = _hits(_small(image, COARSE), bank, 10, 0.05).mean((1, 2))
    fitting = _Fitting(image)
    found = []
    for number in np.argsort(-coarse, kind="stable")[:SHORTLIST].tolist():
        with _DRAWING:
            look = _look(number)
        hits = fitting.at(look, [0.0] * 4)
        found.append((_score(hits), number, look, hits))
    found.sort(key=lambda entry: -entry[0])
    if found[0][0] < CLEAR and coarse.max() > HOPELESS:
        tried = [(number, look, fitting.cropped(look, hits)) for _, number, look, hits in found[:CROPPED]]
        found = [(_score(hits), number, look, hits) for number, look, hits in tried]
    _, number, _, hits = max(found, key=lambda entry: entry[0])
    plain = np.median(fitting.pixels, axis=(0, 1), keepdims=True)
    flat = (np.abs(fitting.pixels - plain) < 5 + 0.04 * plain).all(-1)
    return Fit(BACKGROUNDS[number // VARIANTS].name, float(hits.mean()), _thirds(hits), float(flat.mean()))


def novelty(image: Image.Image) -> float:
    """How foreign a picture is to the pocket world, in [0, 1]; scenes are mostly under .4, photographs over .7."""
    return explain(image).novelty


@lru_cache(maxsize=1)
def threshold() -> float:
    """The novelty above which a picture is taken for no scene."""
    if not PARAMETERS.is_file():
        return THRESHOLD
    return float(json.loads(PARAMETERS.read_text("utf-8"))["threshold"])


def is_photograph(picture: Picture) -> bool:
    """Whether a picture is a photograph, or anything else that is no scene of the pocket world."""
    return novelty(picture.image) > threshold()
