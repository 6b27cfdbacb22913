"""The table of facts: complete where it must be, free of contradictions, and true in spot checks."""

from __future__ import annotations

import random

import pytest

from blip2.pocket.asker import Asker
from blip2.pocket.facts import MAKERS
from blip2.pocket.kinds import CATEGORIES, KIND, KINDS
from blip2.pocket.knowledge import CLASSES, FACTS, LOOKS, fact, is_a, why_fact
from blip2.pocket.world import scene_at


def test_every_kind_without_a_colour_has_a_look() -> None:
    assert all(kind.colour or kind.paints or kind.name in LOOKS for kind in KINDS)


def test_animals_have_the_facts_visitors_ask_for() -> None:
    animals = [kind.name for kind in KINDS if kind.category == "animal"]
    for topic in ("eats", "lives", "alive", "fly"):
        missing = [name for name in animals if fact(topic, name) is None]
        assert missing in ([], ["rooster"]), topic


@pytest.mark.parametrize(
    ("topic", "kind", "answer"),
    [
        ("eats", "cow", "grass"),
        ("eats", "panda", "bamboo"),
        ("sound", "dog", "woof"),
        ("lives", "camel", "in the desert"),
        ("legs", "octopus", "eight"),
        ("wheels", "bicycle", "two"),
        ("baby", "cat", "a kitten"),
        ("fly", "penguin", "no"),
        ("fly", "helicopter", "yes"),
        ("alive", "tree", "yes"),
        ("alive", "car", "no"),
        ("edible", "pizza", "yes"),
        ("edible", "hammer", "no"),
        ("use", "hammer", "hitting nails"),
    ],
)
def test_spot_checks(topic: str, kind: str, answer: str) -> None:
    assert fact(topic, kind) == answer


def test_classes_and_categories() -> None:
    assert is_a("whale", "mammal") == "yes"
    assert is_a("owl", "mammal") == "no"
    assert is_a("car", "mammal") is None
    assert is_a("banana", "fruit") == "yes"
    assert is_a("banana", "food") == "yes"
    assert is_a("pizza", "fruit") == "no"
    for kind in KINDS:
        assert sum(is_a(kind.name, group) == "yes" for group in CLASSES) <= 1
        own = KIND[kind.name].category
        assert own in CATEGORIES
        assert own == "thing" or is_a(kind.name, own) == "yes"


def test_reasons_do_not_contradict_answers() -> None:
    for kind in KINDS:
        reason = why_fact("fly", kind.name)
        if reason == "because it has wings":
            assert fact("fly", kind.name) == "yes"
        if reason == "because it has no wings":
            assert fact("fly", kind.name) == "no"


@pytest.mark.parametrize("topic", sorted(MAKERS))
def test_questions_about_facts_are_answered_from_the_table(topic: str) -> None:
    names = {word: kind.name for kind in KINDS for word in (kind.name, kind.plural)}
    checked = 0
    for seed in range(150):
        qa = MAKERS[topic](Asker(scene_at(seed), random.Random(seed)))
        if qa is None or topic not in FACTS:
            continue
        words = qa.question.lower().rstrip("?").replace("'s", "").split()
        asked = {names[word] for word in words if word in names}
        if len(asked) == 1:
            assert qa.answer == fact(topic, asked.pop())
            checked += 1
    assert topic not in FACTS or checked > 20
