"""What one scene is asked in a report: a `Sheet` of questions, drawn from a seed or read from the committed scenes.

A sheet holds a short conversation, wordings and words that training never saw, one question that cannot be answered,
an eight-turn conversation on some sheets, and sentences to match. It knows no model and draws no picture.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from blip2.pocket.dialogue import CAPTION_PROMPTS, UNKNOWABLE_TYPES, dialogue, lots
from blip2.pocket.negatives import Pair, pairs
from blip2.pocket.world import EVAL_SEEDS, Scene, scene_at, scene_from_json, scene_to_json

__all__ = ["Ask", "Sheet", "draw_sheets", "sheet", "sheet_from_json", "sheet_to_json"]

TALK, UNSEEN, LONG = 4, 2, 8  # turns of the short, the newly worded and the long conversation
LONG_EVERY = 4  # one sheet in so many holds a long conversation
_UNANSWERABLE = lots(dict.fromkeys(UNKNOWABLE_TYPES, 1000.0))


@dataclass(frozen=True)
class Ask:
    """A question, the one right answer, its type, and whether only the turns before it make it clear."""

    question: str
    answer: str
    type: str
    needs_history: bool = False


@dataclass(frozen=True)
class Sheet:
    """What one scene is asked. Conversations are in order; each turn may need those before it.

    `talk`: wordings of training. `unseen`: wordings and unknown words kept out of training. `unknowable`: one question
    that has no answer, so worded. `long`: eight turns, or none. `caption_prompt`: what its caption is asked for with.
    """

    scene: Scene
    talk: tuple[Ask, ...]
    unseen: tuple[Ask, ...]
    unknowable: Ask
    long: tuple[Ask, ...]
    caption_prompt: str
    pairs: tuple[Pair, ...]


def _asks(scene: Scene, rng: random.Random, turns: int, split: str) -> tuple[Ask, ...]:
    made = dialogue(scene, rng, turns, split)
    return tuple(Ask(turn.question, turn.answer, turn.type, turn.needs_history) for turn in made)


def sheet(scene: Scene, rng: random.Random, long: bool) -> Sheet:
    """The questions of one scene, drawn at random."""
    found = pairs(scene, rng)  # first, so that they do not depend on how the questions are drawn
    hidden = dialogue(scene, rng, 1, "test", drawn_from=_UNANSWERABLE)[0]
    while hidden.type not in UNKNOWABLE_TYPES:
        hidden = dialogue(scene, rng, 1, "test", drawn_from=_UNANSWERABLE)[0]
    return Sheet(
        scene,
        _asks(scene, rng, TALK, "train"),
        _asks(scene, rng, UNSEEN, "test"),
        Ask(hidden.question, hidden.answer, hidden.type),
        _asks(scene, rng, LONG, "train") if long else (),
        rng.choice(CAPTION_PROMPTS),
        tuple(found),
    )


def draw_sheets(scenes: int, seed: int) -> Iterator[Sheet]:
    """Sheets of fresh scenes: scenes and questions follow from `seed`, and no scene is one of training."""
    rng = random.Random(f"report {seed}")
    for index in range(scenes):
        scene = scene_at(rng.randrange(EVAL_SEEDS.start, EVAL_SEEDS.stop))
        # Its own source for each sheet: a change in how one is asked changes neither the next nor the scenes.
        yield sheet(scene, random.Random(f"report {seed} {index}"), index % LONG_EVERY == 0)


def _to_json(ask: Ask) -> dict[str, Any]:
    return {"question": ask.question, "answer": ask.answer, "type": ask.type, "needs_history": ask.needs_history}


def sheet_to_json(value: Sheet) -> dict[str, Any]:
    """The sheet as plain JSON values."""
    return {
        "scene": scene_to_json(value.scene),
        "talk": [_to_json(ask) for ask in value.talk],
        "unseen": [_to_json(ask) for ask in value.unseen],
        "unknowable": _to_json(value.unknowable),
        "long": [_to_json(ask) for ask in value.long],
        "caption_prompt": value.caption_prompt,
        "pairs": [{"true": pair.true, "false": pair.false, "kind": pair.kind} for pair in value.pairs],
    }


def sheet_from_json(value: dict[str, Any]) -> Sheet:
    """The sheet that `sheet_to_json` wrote."""
    return Sheet(
        scene_from_json(value["scene"]),
        tuple(Ask(**ask) for ask in value["talk"]),
        tuple(Ask(**ask) for ask in value["unseen"]),
        Ask(**value["unknowable"]),
        tuple(Ask(**ask) for ask in value["long"]),
        value["caption_prompt"],
        tuple(Pair(**pair) for pair in value["pairs"]),
    )
