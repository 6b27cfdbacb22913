"""Training data of the pocket language models: conversations as token ids, with what each position should attend to.

A `Turn` is tokenised once and used by both families: OPT packs several conversations about one picture into a row
(`opt_batch`), T5 reads one prompt a row (`t5_batch`). Labels are the answers' tokens alone. `nouns` and `parts` say
for some positions which slots of the picture the words there mean, or the next words rest on.

`Symbols` stands in for the eyes before there are any: a fixed random code for what is in each cell, plus noise.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from blip2.pocket.asker import QA
from blip2.pocket.captions import BACKGROUND_SLOT
from blip2.pocket.dialogue import CAPTION_PROMPTS, caption
from blip2.pocket.tokenizer import Encoder
from blip2.pocket.world import BACKGROUND, COLOURS, KINDS, SIZES, Scene

__all__ = [
    "IGNORE",
    "SLOTS",
    "Batch",
    "Symbols",
    "Turn",
    "caption_turn",
    "opt_batch",
    "slot_labels",
    "t5_batch",
    "turns_of",
]

IGNORE = -100
QUERIES, SLOTS, WIDTH = 16, BACKGROUND_SLOT + 1, 128
LONGEST_TEXT = 236  # ids of one conversation
Talker = Callable[[Scene, random.Random, int], list[QA]]
Marks = list[tuple[int, tuple[int, ...]]]
_KIND = {kind.name: number for number, kind in enumerate(KINDS)}
_COLOUR = {colour: number for number, colour in enumerate(COLOURS)}
_PLACE = {name: number for number, name in enumerate(BACKGROUND)}


@dataclass(frozen=True)
class Turn:
    """A question as the prompt writes it and its answer, as ids; positions count from the first id of each."""

    prompt: list[int]
    answer: list[int]  # as it follows a space
    bare: list[int]  # as it begins a text
    nouns: Marks
    parts: Marks
    type: str


def _noun_marks(question: str, mentions: Sequence[tuple[str, tuple[int, ...]]], encode: Encoder) -> Marks:
    """For each mention the place of its last token among the question's ids (which follow a space)."""
    words = question.lower().split(" ")
    marks: Marks = []
    for mention, slots in mentions:
        wanted = mention.lower().split(" ")
        for at in range(len(words) - len(wanted), -1, -1):
            last = words[at + len(wanted) - 1]
            stem = last.rstrip("?,").removesuffix("'s")
            if stem == wanted[-1] and words[at : at + len(wanted) - 1] == wanted[:-1]:
                before = sum(len(encode(word, True)) for word in words[: at + len(wanted) - 1])
                marks.append((before + len(encode(stem, True)) - 1, slots))
                break
    return marks


def turns_of(said: Sequence[QA], encode: Encoder) -> list[Turn]:
    """A conversation as turns; the first prompt begins the text, later ones follow the last answer's full stop."""
    label = encode("question:"), encode("question:", True), encode("answer:", True)
    turns = []
    for number, qa in enumerate(said):
        start = label[number > 0]
        prompt = start + encode(qa.question, True) + label[2]
        nouns = [(at + len(start), slots) for at, slots in _noun_marks(qa.question, qa.mentions, encode)]
        parts = [(len(encode(qa.answer[:at].rstrip(), True)) if at else 0, slots) for at, slots in qa.evidence]
        turns.append(Turn(prompt, encode(qa.answer, True), encode(qa.answer), nouns, parts, qa.type))
    return turns


def caption_turn(scene: Scene, prompt: str, encode: Encoder) -> Turn:
    """The caption after one of the caption prompts."""
    text = caption(scene)
    parts = [(len(encode(text.text[:at].rstrip(), True)) if at else 0, slots) for at, slots in text.marks]
    return Turn(encode(prompt) if prompt else [], encode(text.text, True), encode(text.text), [], parts, "caption")


class Symbols:
    """Slots [n, 16, 128] made from a scene instead of seen in its picture."""

    def __init__(self, noise: float = 0.35) -> None:
        rng = np.random.default_rng(7)
        self.kind = rng.normal(size=(len(KINDS) + 1, WIDTH))
        self.size = rng.normal(size=(len(SIZES), WIDTH)) * 0.7
        self.colour = rng.normal(size=(len(COLOURS), WIDTH)) * 0.7
        self.place = rng.normal(size=(len(BACKGROUND), WIDTH))
        self.noise = noise

    def __call__(self, scenes: Sequence[Scene], seed: int) -> Tensor:
        """The slots of these scenes; `seed` fixes the noise."""
        slots = np.random.default_rng(seed).standard_normal((len(scenes), QUERIES, WIDTH)) * self.noise
        slots[:, :BACKGROUND_SLOT] += self.kind[-1]
        for row, scene in enumerate(scenes):
            slots[row, BACKGROUND_SLOT] += self.place[_PLACE[scene.background]]
            for thing in scene.things:
                slots[row, thing.cell] += (
                    self.kind[_KIND[thing.kind]] - self.kind[-1] + self.size[SIZES.index(thing.size)]
                )
                if thing.colour:
                    slots[row, thing.cell] += self.colour[_COLOUR[thing.colour]]
        return torch.from_numpy(slots).float()


def slot_labels(scenes: Sequence[Scene]) -> Tensor:
    """What each slot holds, [n, 10, 3]: kind, size and colour of cells (IGNORE where there is none); place in slot 9."""
    labels = np.full((len(scenes), SLOTS, 3), IGNORE)
    for row, scene in enumerate(scenes):
        labels[row, BACKGROUND_SLOT, 0] = _PLACE[scene.background]
        for thing in scene.things:
            colour = _COLOUR[thing.colour] if thing.colour else IGNORE
            labels[row, thing.cell] = (_KIND[thing.kind], SIZES.index(thing.size), colour)
    return torch.from_numpy(labels)


@dataclass
class Batch:
    """Rows of ids (without the picture's), labels, and marks as (row, position, mask of slots)."""

    ids: Tensor  # [B, L]
    group: Tensor  # [B, L] conversation of each id within its row from 1, 0 for padding
    position: Tensor  # [B, L] place within the conversation, without the picture
    labels: Tensor  # [B, L] OPT: next id; T5: [B, A] the answer's ids
    nouns: tuple[Tensor, Tensor, Tensor]  # rows, positions, masks [m, 10]
    parts: tuple[Tensor, Tensor, Tensor]
    answers: list[tuple[str, int, int, int, int]] = field(default_factory=list)  # type, row, first, last + 1, turn


def _masks(marks: list[tuple[int, int, tuple[int, ...]]]) -> tuple[Tensor, Tensor, Tensor]:
    masks = np.zeros((len(marks), SLOTS), np.float32)
    for number, (_, _, slots) in enumerate(marks):
        masks[number, list(slots)] = 1
    places = np.array([(row, at) for row, at, _ in marks], np.int64).reshape(-1, 2)
    return torch.from_numpy(places[:, 0]), torch.from_numpy(places[:, 1]), torch.from_numpy(masks)


def opt_batch(rows: Sequence[Sequence[Sequence[Turn]]], begin: int, end: int, stop: int) -> Batch:
    """Rows of conversations packed one after another: `begin` starts each, `end` ends an answer, `stop` is the "."."""
    made: list[tuple[list[int], list[int], list[int], list[int]]] = []
    nouns: list[tuple[int, int, tuple[int, ...]]] = []
    parts: list[tuple[int, int, tuple[int, ...]]] = []
    answers: list[tuple[str, int, int, int, int]] = []
    for row, conversations in enumerate(rows):
        ids: list[int] = []
        group: list[int] = []
        position: list[int] = []
        labels: list[int] = []
        for number, turns in enumerate(conversations, 1):
            first = len(ids)
            ids.append(begin)
            labels.append(IGNORE)
            for place, turn in enumerate(turns):
                start = len(ids)
                nouns += [(row, start + at, slots) for at, slots in turn.nouns]
                ids += turn.prompt
                labels += [IGNORE] * len(turn.prompt)
                answer = len(ids)
                parts += [(row, answer + at - 1, slots) for at, slots in turn.parts]
                labels[answer - 1] = turn.answer[0]
                ids += turn.answer
                labels += [*turn.answer[1:], end]
                answers.append((turn.type, row, answer - 1, len(ids), place))
                if turn is not turns[-1]:
                    ids.append(stop)
                    labels.append(IGNORE)
            group += [number] * (len(ids) - first)
            position += range(len(ids) - first)
        made.append((ids, group, position, labels))
    width = max(len(ids) for ids, _, _, _ in made)
    table = np.zeros((4, len(made), width), np.int64)
    table[0], table[3] = 1, IGNORE
    for row, columns in enumerate(made):
        table[:, row, : len(columns[0])] = columns
    ids_, group_, position_, labels_ = torch.from_numpy(table)
    return Batch(ids_, group_, position_, labels_, _masks(nouns), _masks(parts), answers)


def t5_batch(rows: Sequence[Sequence[Turn]], end: int, stop: int) -> Batch:
    """A conversation a row: the encoder reads all but the last answer, which the decoder is to give."""
    nouns: list[tuple[int, int, tuple[int, ...]]] = []
    parts: list[tuple[int, int, tuple[int, ...]]] = []
    answers: list[tuple[str, int, int, int, int]] = []
    prompts: list[list[int]] = []
    for row, turns in enumerate(rows):
        ids: list[int] = []
        for turn in turns[:-1]:
            nouns += [(row, len(ids) + at, slots) for at, slots in turn.nouns]
            ids += [*turn.prompt, *turn.answer, stop]
        last = turns[-1]
        nouns += [(row, len(ids) + at, slots) for at, slots in last.nouns]
        parts += [(row, at, slots) for at, slots in last.parts]
        prompts.append([*ids, *last.prompt, end])
        answers.append((last.type, row, 0, len(last.bare) + 1, len(turns) - 1))
    table = np.zeros((3, len(rows), max(map(len, prompts))), np.int64)
    labels = np.full((len(rows), max(len(turns[-1].bare) for turns in rows) + 1), IGNORE)
    for row, ids in enumerate(prompts):
        table[:, row, : len(ids)] = ids, [1] * len(ids), range(len(ids))
        target = [*rows[row][-1].bare, end]
        labels[row, : len(target)] = target
    ids_, group_, position_ = torch.from_numpy(table)
    return Batch(ids_, group_, position_, torch.from_numpy(labels), _masks(nouns), _masks(parts), answers)


def conversations(
    scene: Scene, rng: random.Random, lengths: Sequence[int], tokens: int, encode: Encoder, ask: Talker
) -> list[list[Turn]]:
    """Conversations about one scene of lengths drawn from `lengths`, about `tokens` ids in all, a caption first."""
    made = [[caption_turn(scene, rng.choice(CAPTION_PROMPTS), encode)]]
    used = 0
    while used < tokens:
        turns = turns_of(ask(scene, rng, rng.choice(lengths)), encode)
        size, kept = 1, 0
        for turn in turns:
            size += len(turn.prompt) + len(turn.answer) + 1
            kept += size <= LONGEST_TEXT
        made.append(turns[:kept])
        used += size
    return made
