"""The pocket conversations say what is true of the scene, checked by other means than those that made them."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest

from blip2.pocket.asker import QA
from blip2.pocket.captions import NUMBERS, POSITIONS
from blip2.pocket.dialogue import HISTORY_TYPES, TYPES, UNKNOWABLE_TYPES, caption, dialogue, prompt
from blip2.pocket.kinds import CATEGORIES, KIND, KINDS
from blip2.pocket.knowledge import LOOKS, SYNONYMS
from blip2.pocket.unknowable import HIDDEN, UNTAUGHT, made_up
from blip2.pocket.wordings import SEEN
from blip2.pocket.wordings_facts import FOLLOW, KNOWN, TALK
from blip2.pocket.world import Scene, scene_at

TABLES = {**SEEN, **KNOWN, **FOLLOW, **TALK}


def conversations(count: int, turns: int = 6, split: str = "train") -> list[tuple[Scene, list[QA]]]:
    return [(scene_at(s), dialogue(scene_at(s), random.Random(s), turns, split)) for s in range(count)]


def phrases(text: str) -> list[tuple[int, str | None, str]]:
    """ "two red balls and a cat" read back as (count, colour, kind)."""
    singular = {kind.name: kind.name for kind in KINDS} | {kind.plural: kind.name for kind in KINDS}
    found = []
    for part in re.split(r", | and ", text):
        count, *rest = part.split()
        number = 1 if count in ("a", "an", "the") else NUMBERS.index(count)
        found.append((number, rest[0] if len(rest) == 2 else None, singular[rest[-1]]))
    return found


def counted(scene: Scene) -> Counter[tuple[str | None, str]]:
    return Counter((t.colour if KIND[t.kind].paints else None, t.kind) for t in scene.things)


def test_a_caption_names_exactly_the_things_with_their_colours_and_counts() -> None:
    for seed in range(300):
        scene = scene_at(seed)
        said = caption(scene).text
        things = re.sub(r" (on|in|under) (a|the) .*$", "", said)
        assert {(c, k): n for n, c, k in phrases(things)} == dict(counted(scene))
        assert said.startswith(things)


def test_every_type_is_asked_and_every_question_is_text() -> None:
    said = [qa for _, talk in conversations(1500) for qa in talk]
    assert {qa.type for qa in said} == set(TYPES)
    for qa in said:
        assert qa.question == qa.question.strip()
        assert "{" not in qa.question + qa.answer
        assert "  " not in qa.question + qa.answer
        assert qa.answer
        assert not qa.answer.endswith(".")


def test_counts_and_places_are_those_of_the_scene() -> None:
    checked = Counter[str]()
    for scene, talk in conversations(800):
        for qa in talk:
            words = set(re.findall(r"[a-z]+", qa.question.lower()))
            if qa.type == "count":
                assert qa.answer == NUMBERS[len(scene.things)]
            elif qa.type == "count_category":
                asked = [c for c in CATEGORIES if c in words or c + "s" in words]
                if len(asked) == 1:  # none where a letter slipped
                    assert NUMBERS.index(qa.answer) == sum(KIND[t.kind].category == asked[0] for t in scene.things)
            elif qa.type == "where":
                named = [t for t in scene.things if t.kind in words and (t.colour in words or t.colour is None)]
                if len(named) == 1:
                    assert qa.answer == POSITIONS[named[0].row * 3 + named[0].col]
            elif qa.type == "color":
                named = [t for t in scene.things if t.kind in words]
                if named:
                    assert qa.answer in {t.colour or LOOKS[t.kind] for t in named}
            checked[qa.type] += 1
    assert min(checked[kind] for kind in ("count", "count_category", "where", "color")) > 30


def test_relations_hold_in_the_grid() -> None:
    above, checked = {"above", "over", "higher"}, 0
    for scene, talk in conversations(1500, 3):
        for qa in talk:
            words = re.findall(r"[a-z]+", qa.question.lower())
            named = [(words.index(t.kind), t) for t in scene.things if words.count(t.kind) == 1]
            kinds = Counter(t.kind for t in scene.things)
            if qa.type != "relation" or len(named) != 2 or any(kinds[t.kind] > 1 for _, t in named):
                continue
            (_, first), (_, second) = sorted(named, key=lambda pair: pair[0])
            if "left" in words:
                truth = first.col < second.col
            elif words.count("right") and not qa.question.rstrip("?").endswith(", right"):
                truth = first.col > second.col
            elif above & set(words):
                truth = first.row < second.row
            elif {"below", "under", "lower"} & set(words):
                truth = first.row > second.row
            else:
                continue
            assert qa.answer == ("yes" if truth else "no"), (qa.question, scene.things)
            checked += 1
    assert checked > 20


def test_yes_and_no_are_asked_alike_often() -> None:
    said = [qa for _, talk in conversations(1500, 4) for qa in talk]
    for kind in ("exist", "relation", "is_place", "is_a"):
        answers = Counter(qa.answer for qa in said if qa.type == kind)
        assert 0.3 < answers["yes"] / answers.total() < 0.7, (kind, answers)


def test_evidence_lies_where_things_are_and_starts_words() -> None:
    for scene, talk in conversations(500):
        cells = {thing.cell for thing in scene.things} | {9}
        for qa in talk:
            for at, slots in qa.evidence:
                assert set(slots) <= cells
                assert at == 0 or qa.answer[at - 1] == " "
            for words, slots in qa.mentions:
                assert words.lower() in qa.question.lower()
                assert set(slots) <= cells


def test_follow_ups_come_with_history_and_say_so() -> None:
    for scene, talk in conversations(800):
        assert not talk[0].needs_history
        for qa in talk:
            if qa.needs_history:
                assert qa.type in HISTORY_TYPES
            if qa.type in ("and", "other", "why", "how_many"):
                assert qa.needs_history
            if qa.type in UNKNOWABLE_TYPES:
                assert qa.answer == "i don't know"
        assert len(scene.things) > 1 or talk[0].type != "no_history"


@pytest.mark.parametrize("kind", sorted(TABLES))
def test_each_type_has_ten_wordings_and_two_kept_out(kind: str) -> None:
    train, test = TABLES[kind]
    assert len(set(train)) >= 10
    assert len(set(test)) >= 2
    assert not set(train) & set(test)


def test_what_is_kept_out_never_occurs_in_training() -> None:
    assert not set(UNTAUGHT["train"]) & set(UNTAUGHT["test"])
    assert not set(HIDDEN["train"]) & set(HIDDEN["test"])
    rng = random.Random(0)
    assert not {made_up(rng, "train") for _ in range(3000)} & {made_up(rng, "test") for _ in range(3000)}
    taught = {k.name for k in KINDS} | {k.plural for k in KINDS}
    taught |= {word for pairs in SYNONYMS.values() for pair in pairs for word in pair}
    assert not taught & (set(UNTAUGHT["train"]) | set(UNTAUGHT["test"]))


def test_the_same_seed_gives_the_same_conversation() -> None:
    scene = scene_at(5)
    assert dialogue(scene, random.Random(3), 8) == dialogue(scene, random.Random(3), 8)
    assert dialogue(scene, random.Random(3), 8) != dialogue(scene, random.Random(4), 8)


def test_the_prompt_is_blip2s() -> None:
    history = [("which city is this?", "singapore"), ("why?", "it has a statue.")]
    expected = (
        "Question: which city is this? Answer: singapore. Question: why? Answer: it has a statue. Question: ok? Answer:"
    )
    assert prompt(history, " ok? ") == expected
