"""Conversations about a scene, made from what the scene holds: questions, the one right answer to each, the evidence.

    dialogue(scene, random.Random(0), turns=8, split="test") -> [QA, ...]
    prompt([("what is this?", "a dog")], "what color is it?")
    caption(scene).text, CAPTION_PROMPTS

`split="train"` uses the wordings and unknown words of training, `split="test"` only those kept out of it.
Run `python -m blip2.pocket.dialogue [SEED]` to read a few.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterable, Mapping

from blip2.pocket import facts, followups, presence, questions, strays
from blip2.pocket.asker import QA, Asker
from blip2.pocket.captions import caption
from blip2.pocket.world import Scene, scene_at

__all__ = ["CAPTION_PROMPTS", "HISTORY_TYPES", "QA", "TYPES", "UNKNOWABLE_TYPES", "caption", "dialogue", "prompt"]

CAPTION_PROMPTS = ("", "a photo of")
UNKNOWABLE_TYPES = ("unknown_thing", "unknown_fact", "no_history")
HISTORY_TYPES = tuple(followups.MAKERS)
_FRESH: dict[str, Callable[[Asker], QA | None]] = {
    **questions.MAKERS,
    **presence.MAKERS,
    **facts.MAKERS,
    **strays.MAKERS,
}
TYPES = (*_FRESH, *followups.MAKERS, "no_history")

# How often each type is asked, before what the scene allows.
_WEIGHTS = {
    "what": 1.2,
    "where": 1.3,
    "next": 1.4,
    "at": 2.0,
    "count_kind": 1.8,
    "count_category": 1.3,
    "beside": 2.0,
    "relation": 2.0,
    "exist": 2.0,
    "which": 1.3,
    "of_color": 4.0,
    "bigger": 1.5,
    "absent": 0.8,
    "place": 0.7,
    "is_place": 0.6,
    "daytime": 0.5,
    "indoors": 0.4,
    "unknown_thing": 1.2,
    "unknown_fact": 1.2,
    "talk": 0.3,
    **dict.fromkeys(facts.MAKERS, 0.35),
    "is_a": 1.0,
    "category": 0.5,
}
_FOLLOW_WEIGHTS = {"it_fact": 1.6, "and": 2.0, "other": 6.0, "why": 0.6, "how_many": 1.0, "else": 0.8, "it_beside": 1.2}


class _Lot:
    """Draws names by weight, without building anything per draw."""

    def __init__(self, names: Iterable[str], weights: Mapping[str, float]) -> None:
        self.names = tuple(names)
        self.ends: list[float] = []
        for name in self.names:
            self.ends.append((self.ends[-1] if self.ends else 0.0) + weights.get(name, 1.0))

    def draw(self, rng: random.Random) -> str:
        return rng.choices(self.names, cum_weights=self.ends)[0]


_FRESH_LOT = _Lot(_FRESH, _WEIGHTS)
_FOLLOW_LOT = _Lot(followups.MAKERS, _FOLLOW_WEIGHTS)


def lots(weights: Mapping[str, float]) -> tuple[_Lot, _Lot]:
    """Other weights for training: (of fresh questions, of follow-ups)."""
    return _Lot(_FRESH, _WEIGHTS | dict(weights)), _Lot(followups.MAKERS, _FOLLOW_WEIGHTS | dict(weights))


def dialogue(
    scene: Scene,
    rng: random.Random,
    turns: int,
    split: str = "train",
    *,
    follow: float = 0.5,
    drawn_from: tuple[_Lot, _Lot] = (_FRESH_LOT, _FOLLOW_LOT),
) -> list[QA]:
    """A conversation of so many turns; `follow` is how often a turn follows up, where it can."""
    asker = Asker(scene, rng, split)
    said: list[QA] = []
    while len(said) < turns:
        said.append(_turn(asker, bool(said), follow, drawn_from))
    return said


def _turn(asker: Asker, begun: bool, follow: float, drawn_from: tuple[_Lot, _Lot]) -> QA:
    fresh, follows = drawn_from
    if not begun and asker.rng.random() < 0.04:
        turn = followups.no_history(asker)
        if turn:
            return turn
    if begun and asker.rng.random() < follow:
        for _ in range(6):
            turn = followups.MAKERS[follows.draw(asker.rng)](asker)
            if turn:
                return turn
    while True:
        turn = _FRESH[fresh.draw(asker.rng)](asker)
        if turn:
            return turn


def prompt(history: Iterable[tuple[str, str]], question: str) -> str:
    """BLIP-2's prompt: `Question: {q} Answer: {a}.` for each past turn, then `Question: {q} Answer:`."""
    past = "".join(f"Question: {q} Answer: {a if a.endswith('.') else a + '.'} " for q, a in history)
    return f"{past}Question: {question.strip()} Answer:"


def _show(seed: int) -> None:
    for number in range(seed, seed + 3):
        scene = scene_at(number)
        print(f"\n{caption(scene).text}")
        for turn in dialogue(scene, random.Random(number), 8):
            print(f"  {turn.type:16s} {'*' if turn.needs_history else ' '} {turn.question}  ->  {turn.answer}")


if __name__ == "__main__":
    _show(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
