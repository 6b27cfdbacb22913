"""How much of what it is asked a pocket language model gets right, in one forward pass a conversation.

An answer counts where every token of it is the model's first choice given the right ones before: what greedy decoding
gives, measured without decoding.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence

import torch
from torch import Tensor

from blip2.pocket.dialogue import CAPTION_PROMPTS, dialogue
from blip2.pocket.language_batches import encoder, exam_chunk
from blip2.pocket.language_data import IGNORE, caption_turn, turns_of
from blip2.pocket.speaker import Speaker
from blip2.pocket.symbols import slot_labels
from blip2.pocket.world import Scene

__all__ = ["measure"]


def measure(
    speaker: Speaker, scenes: Sequence[Scene], slots: Tensor, split: str = "train", turns: int = 6
) -> dict[str, float]:
    """Share of answers whose every token is the model's first choice, by type and `all`, given the right history."""
    encode = encoder(speaker.family)
    right: dict[str, list[bool]] = defaultdict(list)
    labels = slot_labels(scenes)
    for first in range(0, len(scenes), 16):
        part = range(first, min(first + 16, len(scenes)))
        said = [dialogue(scenes[at], random.Random(f"{at} {split}"), turns, split) for at in part]
        talks = [turns_of(qas, encode) for qas in said]
        if split == "train":
            talks += [[caption_turn(scenes[at], CAPTION_PROMPTS[at % 2], encode)] for at in part]
        about, batch = exam_chunk(speaker.family, talks)
        about = first + about % len(part)
        with torch.no_grad():
            output = speaker(slots[about], labels[about], batch)
        wrong = torch.zeros_like(batch.labels, dtype=torch.bool)
        wrong[batch.labels != IGNORE] = output.chosen != output.right
        for kind, row, start, end, turn in batch.answers:
            right[kind].append(not bool(wrong[row, start:end].any()))
            right[f"turn {turn + 1}"].append(right[kind][-1])
    scores = {kind: sum(values) / len(values) for kind, values in sorted(right.items())}
    everything = [value for kind, values in right.items() if not kind.startswith("turn ") for value in values]
    return {"all": sum(everything) / len(everything), **scores}
