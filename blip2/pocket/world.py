"""The small world of the pocket models: what can be in a picture, where, and how a picture is drawn at random.

Pure data: no tensors, no drawing. A `Scene` is a background and one to five `Thing`s in different cells of a 3x3
grid; `scenes.render` draws it, `dialogue` talks about it. A scene follows from one integer:

    scene_at(seed)                      # the same scene every time

Training uses only seeds of `TRAIN_SEEDS`; reports and committed scenes use only seeds of `EVAL_SEEDS`. The two
ranges are disjoint, so a figure measured on evaluation seeds is measured on pictures never trained on.
"""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from typing import Any

from blip2.pocket.kinds import (
    CATEGORIES,
    CATEGORY_PLURALS,
    COLOURS,
    EMOJI_KINDS,
    HUES,
    KIND,
    KINDS,
    PAINTS,
    SHAPE_NAMES,
    SHAPES,
    SKY_KINDS,
    Kind,
)

__all__ = [
    "BACKGROUND",
    "BACKGROUNDS",
    "CATEGORIES",
    "CATEGORY_PLURALS",
    "COLOURS",
    "EMOJI_KINDS",
    "EVAL_SEEDS",
    "GRID",
    "HUES",
    "KIND",
    "KINDS",
    "MOST_THINGS",
    "PAINTS",
    "SHAPES",
    "SHAPE_NAMES",
    "SIZES",
    "TRAIN_SEEDS",
    "Background",
    "Kind",
    "Scene",
    "Thing",
    "sample_scene",
    "scene_at",
    "scene_from_json",
    "scene_to_json",
]

TRAIN_SEEDS = range(1_000_000_000)
EVAL_SEEDS = range(1_000_000_000, 2_000_000_000)

SIZES = ("small", "big")
GRID = 3  # rows and columns; row 0 is the top, column 0 the left
MOST_THINGS = 5


@dataclass(frozen=True)
class Background:
    """One place: `phrase` ends a caption ("two dogs on a beach"), `place` answers "what place is this?"."""

    name: str
    phrase: str
    place: str
    night: bool = False
    outdoors: bool = True


@dataclass(frozen=True)
class Thing:
    """One thing in a scene. Offsets are in cells, the angle in degrees, scale about 1."""

    kind: str
    colour: str | None  # painted colour, else the kind's natural one, else None
    size: str
    row: int
    col: int
    dx: float = 0.0
    dy: float = 0.0
    angle: float = 0.0
    scale: float = 1.0

    @property
    def cell(self) -> int:
        """The cell's number in reading order, 0 to 8."""
        return self.row * GRID + self.col


@dataclass(frozen=True)
class Scene:
    """A picture to draw, things in reading order. `seed` fixes what the drawing leaves open: clouds, stars, grain."""

    background: str
    things: tuple[Thing, ...]
    seed: int
    light: float = 1.0  # brightness
    warmth: float = 0.0  # -1 cold to +1 warm
    noise: float = 0.0  # grain, in units of 255


BACKGROUNDS = (
    Background("beach", "on a beach", "a beach"),
    Background("meadow", "in a meadow", "a meadow"),
    Background("night", "under a night sky", "a night sky", night=True),
    Background("snow", "in the snow", "snow"),
    Background("city", "in a city", "a city"),
    Background("desert", "in a desert", "a desert"),
    Background("sea", "on the sea", "the sea"),
    Background("room", "in a room", "a room", outdoors=False),
    Background("forest", "in a forest", "a forest"),
    Background("street", "on a street at night", "a street", night=True),
)
BACKGROUND = {background.name: background for background in BACKGROUNDS}
_BY_CATEGORY = {c: tuple(kind for kind in KINDS if kind.category == c) for c in CATEGORIES}


def _kinds(rng: random.Random, count: int) -> list[Kind]:
    """`count` kinds: about half the time several of one kind or of one category, a quarter of the things shapes."""

    def any_kind() -> Kind:
        return rng.choice(SHAPES if rng.random() < 0.25 else EMOJI_KINDS)

    kinds: list[Kind] = []
    draw = rng.random()
    if count >= 2 and draw < 0.45:
        kinds = [any_kind()] * min(count, rng.choice((2, 2, 2, 3, 3, 4)))
    elif count >= 2 and draw < 0.65:
        group = _BY_CATEGORY[any_kind().category]
        kinds = [rng.choice(group) for _ in range(min(count, rng.choice((2, 3))))]
    while len(kinds) < count:
        kinds.append(any_kind())
    return kinds


def _cell(rng: random.Random, kind: Kind, free: list[int]) -> int:
    """A free cell; things of the sky are in the top row more often than not."""
    top = [cell for cell in free if cell < GRID]
    cell = rng.choice(top if top and kind.name in SKY_KINDS and rng.random() < 0.4 else free)
    free.remove(cell)
    return cell


def _thing(rng: random.Random, kind: Kind, cell: int, paint: str | None) -> Thing:
    """A thing of this kind in this cell, of random size, offset and turn."""
    colour = (paint if paint in kind.paints else rng.choice(kind.paints)) if kind.paints else kind.colour
    jitter = (rng.uniform(-0.07, 0.07), rng.uniform(-0.07, 0.07), rng.uniform(-10, 10), rng.uniform(0.94, 1.06))
    return Thing(kind.name, colour, rng.choice(SIZES), cell // GRID, cell % GRID, *(round(x, 3) for x in jitter))


def sample_scene(rng: random.Random, counts: tuple[int, ...] = (1, 2, 2, 3, 3, 3, 4, 4, 5)) -> Scene:
    """A random scene, with as many things as one draw from `counts` says (at most 9)."""
    background = rng.choice(BACKGROUNDS)
    free = list(range(GRID * GRID))
    paint = rng.choice(PAINTS) if rng.random() < 0.5 else None  # several shapes of one colour happen often
    things = []
    for kind in _kinds(rng, rng.choice(counts)):
        if kind.name == "sun" and background.night:
            kind = KIND["moon"]
        things.append(_thing(rng, kind, _cell(rng, kind, free), paint if rng.random() < 0.6 else None))
    light = (rng.uniform(0.85, 1.1), rng.uniform(-1, 1), rng.uniform(0, 6))
    ordered = tuple(sorted(things, key=lambda thing: thing.cell))
    return Scene(background.name, ordered, rng.getrandbits(31), *(round(x, 3) for x in light))


def scene_at(seed: int) -> Scene:
    """The scene of this seed: a member of `TRAIN_SEEDS` for training, of `EVAL_SEEDS` for measuring."""
    return sample_scene(random.Random(seed))


def scene_to_json(scene: Scene) -> dict[str, Any]:
    """The scene as plain JSON values."""
    return asdict(scene) | {"things": [asdict(thing) for thing in scene.things]}


def scene_from_json(value: dict[str, Any]) -> Scene:
    """The scene that `scene_to_json` wrote."""
    things = tuple(Thing(**thing) for thing in value["things"])
    return Scene(**(value | {"things": things}))
