"""Hard negatives differ in one word, and that word makes them false."""

from __future__ import annotations

import random

from blip2.pocket.captions import caption
from blip2.pocket.negatives import SWAPS, Sentence, describe, full, pairs, spoil, swap
from blip2.pocket.properties import holds
from blip2.pocket.world import KIND, Scene, Thing, scene_at

SCENES = [scene_at(seed) for seed in range(600)]


def _words(text: str) -> list[str]:
    return text.replace(",", " ,").split()


def test_pairs_differ_in_one_word() -> None:
    for scene in SCENES:
        for pair in pairs(scene, random.Random(scene.seed)):
            true, false = _words(pair.true), _words(pair.false)
            assert len(true) == len(false)
            assert sum(a != b for a, b in zip(true, false, strict=True)) == 1


def test_every_kind_of_swap_occurs_often() -> None:
    kinds = [pair.kind for scene in SCENES for pair in pairs(scene, random.Random(scene.seed))]
    assert set(kinds) == set(SWAPS)
    assert all(kinds.count(kind) > len(SCENES) / 5 for kind in SWAPS)


def test_full_is_the_caption() -> None:
    assert all(full(scene).text == caption(scene).text for scene in SCENES)


def test_swapped_things_are_not_in_the_scene() -> None:
    for scene in SCENES:
        pair = swap(scene, "thing", random.Random(1))
        assert pair is not None
        there = {word for thing in scene.things for word in (thing.kind, KIND[thing.kind].plural)}
        gone = set(_words(pair.false)) - set(_words(pair.true))
        assert not gone & there


def test_relations_are_true_and_their_opposites_false() -> None:
    names = {"left of": "left", "right of": "right", "above": "above", "below": "below"}
    found = 0
    for scene in SCENES:
        cells = {thing.cell: thing for thing in scene.things}
        sentence = describe(scene, random.Random(scene.seed))
        if sentence.relation:
            found += 1
            first, second = (cells[part.cells[0]] for part in sentence.parts)
            assert holds(names[sentence.relation], first, second)
            spoilt = spoil(sentence, "relation", scene, random.Random(0))
            assert spoilt is not None
            assert not holds(names[spoilt.relation or ""], first, second)
    assert found > 50


def test_words_know_their_cells() -> None:
    things = (Thing("dog", None, "big", 0, 0), Thing("ball", "red", "small", 0, 2), Thing("dog", None, "big", 2, 1))
    sentence = full(Scene("beach", things, seed=0))
    assert sentence.tokens() == [
        ("two", (0, 7), False),
        ("dogs", (0, 7), False),
        ("and", None, False),
        ("a", (2,), False),
        ("red", (2,), False),
        ("ball", (2,), False),
        ("on", None, False),
        ("a", None, False),
        ("beach", None, False),
    ]


def test_a_spoilt_sentence_marks_its_wrong_word() -> None:
    for scene in SCENES[:200]:
        sentence = describe(scene, random.Random(scene.seed))
        for kind in ("colour", "thing", "count"):
            spoilt: Sentence | None = spoil(sentence, kind, scene, random.Random(0))
            assert spoilt is None or sum(bad for _, _, bad in spoilt.tokens()) == 1
