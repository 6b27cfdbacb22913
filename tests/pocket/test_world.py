"""The pocket world's tables and scenes keep their promises."""

from __future__ import annotations

import json
from collections import Counter

from blip2.pocket.world import (
    BACKGROUND,
    BACKGROUNDS,
    COLOURS,
    EMOJI_KINDS,
    EVAL_SEEDS,
    KIND,
    KINDS,
    MOST_THINGS,
    SHAPES,
    SIZES,
    TRAIN_SEEDS,
    scene_at,
    scene_from_json,
    scene_to_json,
)


def test_there_are_a_hundred_kinds_and_eight_places() -> None:
    assert len(EMOJI_KINDS) >= 100
    assert len(BACKGROUNDS) >= 8
    assert {"beach", "meadow", "night", "snow", "city", "desert", "sea", "room"} <= set(BACKGROUND)


def test_names_are_single_words_and_unique() -> None:
    assert len(KIND) == len(KINDS) == len({kind.plural for kind in KINDS})
    assert all(name.isalpha() and name.islower() for kind in KINDS for name in (kind.name, kind.plural))
    assert len({kind.emoji for kind in EMOJI_KINDS}) == len(EMOJI_KINDS)


def test_colours_are_known() -> None:
    assert all(kind.colour in (None, *COLOURS) and set(kind.paints) <= set(COLOURS) for kind in KINDS)


def test_scenes_follow_from_their_seed() -> None:
    assert scene_at(11) == scene_at(11)
    assert len({scene_at(seed).seed for seed in range(200)}) == 200


def test_training_and_evaluation_seeds_are_disjoint() -> None:
    assert TRAIN_SEEDS.stop <= EVAL_SEEDS.start


def test_scenes_survive_json() -> None:
    for seed in range(100):
        scene = scene_at(seed)
        assert scene_from_json(json.loads(json.dumps(scene_to_json(scene)))) == scene


def test_scenes_are_well_formed() -> None:
    for seed in range(500):
        things = scene_at(seed).things
        cells = [thing.cell for thing in things]
        assert 1 <= len(things) <= MOST_THINGS
        assert cells == sorted(set(cells))
        for thing in things:
            kind = KIND[thing.kind]
            assert thing.size in SIZES
            assert thing.colour in kind.paints if kind.paints else thing.colour == kind.colour


def test_half_of_the_scenes_hold_a_group_and_a_quarter_of_the_things_are_shapes() -> None:
    scenes = [scene_at(seed) for seed in range(2000)]
    shapes = {shape.name for shape in SHAPES}
    groups = sum(max(Counter(KIND[thing.kind].category for thing in s.things).values()) > 1 for s in scenes)
    names = [thing.kind for scene in scenes for thing in scene.things]
    assert 0.4 < groups / len(scenes) < 0.8
    assert 0.2 < sum(name in shapes for name in names) / len(names) < 0.35
    assert set(names) == set(KIND)


def test_no_sun_shines_at_night() -> None:
    nights = [s for s in (scene_at(seed) for seed in range(3000)) if BACKGROUND[s.background].night]
    assert nights
    assert not any(thing.kind == "sun" for scene in nights for thing in scene.things)
