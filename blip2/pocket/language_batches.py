"""What the pocket language models train on, step by step: scenes, their slots and packed conversations about them.

A batch follows from the plan's seed and the step.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from blip2.pocket.asker import QA
from blip2.pocket.dialogue import dialogue, lots
from blip2.pocket.features import load_features
from blip2.pocket.language_data import Batch, Talker, Turn, conversations, opt_batch
from blip2.pocket.speaker import newline
from blip2.pocket.symbols import Symbols
from blip2.pocket.t5_data import t5_batch
from blip2.pocket.tokenizer import Encoder, special_ids
from blip2.pocket.world import Scene, scene_at

__all__ = ["Chunk", "Plan", "Source", "chunks", "encoder", "exam_chunk", "pictured", "symbolic"]

# Asked more often in training than by visitors: what is slow to learn.
_EMPHASIS = {"at": 3.0, "relation": 5.0, "beside": 4.0, "next": 3.5, "count_kind": 2.4, "exist": 2.4, "other": 8.0}
_EMPHASIS |= {"size": 3.0, "color": 1.8, "bigger": 3.0, "what": 2.0, "which": 2.0, "of_color": 6.0, "is_place": 2.0}
_EMPHASIS |= {"unknown_thing": 1.6, "unknown_fact": 1.4, "it_fact": 1.8, "and": 2.5, "it_next": 1.5, "it_size": 1.5}
_EMPHASIS |= {"absent": 1.2, "else": 1.2, "it_beside": 2.0, "count_category": 1.8}

Source = Callable[[int, int], tuple[list[Scene], Tensor]]  # (step, how many) -> scenes and their slots [n, 16, 128]


@dataclass(frozen=True)
class Plan:
    """How to train. Lengths of conversations grow in three phases that begin at `phases` of the steps."""

    family: str
    steps: int
    rows: int
    tokens: int = 120  # of conversation a row
    rate: float = 1.2e-3
    seed: int = 0
    decay: float = 0.45  # share of the steps in which the rate falls to nothing
    alone: int = 0  # steps in which only the projection learns
    phases: tuple[float, float] = (0.5, 0.78)
    warm_up: int = 100
    often: tuple[tuple[str, float], ...] = ()  # types to ask still more often
    taught: bool = False  # T5: whether an OPT teaches it
    opened: tuple[float, float, float] = (0.0, 0.0, 0.0)  # T5: share of pictures whose prompts are not packed, by phase


Chunk = tuple[Tensor, Batch]  # which of the pictures each row is about [B], and the rows
CHUNKS = 2  # in which prompts of like length go together
_LENGTHS = ((1, 1, 2, 2, 2, 3), (1, 2, 2, 3, 4, 6), (1, 2, 3, 4, 8, 14))


@lru_cache(maxsize=2)
def _talker(often: tuple[tuple[str, float], ...]) -> Talker:
    """Conversations as training asks them."""
    drawn_from = lots(_EMPHASIS | dict(often))

    def ask(scene: Scene, rng: random.Random, turns: int) -> list[QA]:
        return dialogue(scene, rng, turns, follow=0.65, drawn_from=drawn_from)

    return ask


@lru_cache(maxsize=2)
def encoder(family: str) -> Encoder:
    """The family's encoder, one for all, as it remembers words."""
    return Encoder(family)


def symbolic(plan: Plan) -> Source:
    """Fresh scenes of the training seeds as symbols."""
    symbols = Symbols()

    def draw(step: int, count: int) -> tuple[list[Scene], Tensor]:
        scenes = [scene_at(plan.seed * 50_000_000 + step * count + at) for at in range(count)]
        return scenes, symbols(scenes, step)

    return draw


def pictured(path: Path, plan: Plan) -> Source:
    """Training scenes as the eyes saw them: what `features` cached."""
    cached = load_features(path)

    def draw(step: int, count: int) -> tuple[list[Scene], Tensor]:
        chosen = random.Random(f"{plan.seed} {step} pictures").sample(range(len(cached.scenes)), count)
        return [cached.scenes[at] for at in chosen], cached.queries[chosen].float()

    return draw


def _opt_chunks(plan: Plan, scenes: Sequence[Scene], rng: random.Random, phase: int) -> list[Chunk]:
    """One chunk: a row a picture, its conversations packed."""
    encode, ids = encoder("opt"), special_ids("opt")
    rows = [conversations(scene, rng, _LENGTHS[phase], plan.tokens, encode, _talker(plan.often)) for scene in scenes]
    return [(torch.arange(len(scenes)), opt_batch(rows, ids["</s>"], newline(), encode(".")[0]))]


def _t5_chunks(plan: Plan, scenes: Sequence[Scene], rng: random.Random, phase: int) -> list[Chunk]:
    """Packed rows as for OPT, and for a share of the pictures single prompts as T5 will meet them."""
    opened = round(plan.opened[phase] * len(scenes))
    chunks: list[Chunk] = []
    talks = [
        conversations(scene, rng, _LENGTHS[phase], plan.tokens, encoder("t5"), _talker(plan.often)) for scene in scenes
    ]
    if opened < len(scenes):
        chunks.append((torch.arange(opened, len(scenes)), _t5_rows(talks[opened:], False, plan.taught)))
    rows: list[tuple[int, list[Turn]]] = []
    for at, talk in enumerate(talks[:opened]):
        for turns in talk:
            ends = range(1, len(turns) + 1) if len(turns) < 4 else (rng.randrange(1, len(turns)), len(turns))
            rows += [(at, turns[:end]) for end in ends]
    rows.sort(key=lambda row: sum(len(turn.prompt) + len(turn.answer) for turn in row[1]))
    size = max(1, -(-len(rows) // CHUNKS))
    for first in range(0, len(rows), size):
        part = rows[first : first + size]
        chunks.append(
            (torch.tensor([at for at, _ in part]), _t5_rows([[turns] for _, turns in part], True, plan.taught))
        )
    return chunks


def _t5_rows(rows: Sequence[Sequence[Sequence[Turn]]], open_: bool, twin: bool = False) -> Batch:
    """Rows for T5; with `twin` also as an OPT reads them (all ids but the special ones are the same)."""
    ids, stop = special_ids("t5"), encoder("t5")(".")[0]
    batch = t5_batch(rows, ids["<pad>"], ids["</s>"], stop, open_)
    return replace(batch, twin=opt_batch(rows, special_ids("opt")["</s>"], newline(), stop, open_)) if twin else batch


def chunks(plan: Plan, step: int, scenes: Sequence[Scene]) -> list[Chunk]:
    """The conversations of a step about these scenes."""
    phase = sum(step >= share * plan.steps for share in plan.phases)
    make = _opt_chunks if plan.family == "opt" else _t5_chunks
    return make(plan, scenes, random.Random(f"{plan.seed} {step}"), phase)


def exam_chunk(family: str, talks: Sequence[list[Turn]]) -> Chunk:
    """Whole conversations, the right answers as history: which row of the pictures each row is about, and the rows."""
    if family == "opt":
        ids = special_ids("opt")
        batch = opt_batch([[talk] for talk in talks], ids["</s>"], newline(), encoder("opt")(".")[0])
        return torch.arange(len(talks)), batch
    rows = [(at, talk[:end]) for at, talk in enumerate(talks) for end in range(1, len(talk) + 1)]
    return torch.tensor([at for at, _ in rows]), _t5_rows([[turns] for _, turns in rows], True)
