"""Training data of the pocket language models: conversations as token ids, with what each position should attend to.

A `Turn` is tokenised once and used by both families: OPT packs several conversations about one picture into a row
(`opt_batch`), T5 reads one prompt a row (`t5_batch`). Labels are the answers' tokens alone. `nouns` and `parts` say
for some positions which slots of the picture the words there mean, or the next words rest on.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from blip2.pocket.asker import QA
from blip2.pocket.captions import BACKGROUND_SLOT
from blip2.pocket.dialogue import CAPTION_PROMPTS, caption
from blip2.pocket.tokenizer import Encoder
from blip2.pocket.world import Scene

__all__ = [
    "ASKED",
    "IGNORE",
    "PART",
    "SLOTS",
    "Batch",
    "Talker",
    "Turn",
    "caption_turn",
    "masks",
    "opt_batch",
    "traced",
    "turns_of",
    "weights_of",
]

IGNORE = -100
QUERIES, SLOTS = 16, BACKGROUND_SLOT + 1
PART = 3 * SLOTS
LONGEST_TEXT = 236  # ids of one conversation
Talker = Callable[[Scene, random.Random, int], list[QA]]
Marks = list[tuple[int, tuple[int, ...]]]


@dataclass(frozen=True)
class Turn:
    """A question as the prompt writes it and its answer, as ids; positions count from the first id of each.

    `parts` holds the slots that a part of the answer rests on and, from `SLOTS` on, those that the question is about
    and, from `2 * SLOTS` on, those where it looks.
    """

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
        about = tuple(slot + SLOTS for slot in (nouns[0][1] if nouns else ()))
        about += tuple(slot + 2 * SLOTS for slot in qa.region)
        parts = [(len(encode(qa.answer[:at].rstrip(), True)) if at else 0, slots + about) for at, slots in qa.evidence]
        turns.append(Turn(prompt, encode(qa.answer, True), encode(qa.answer), nouns, parts, qa.type))
    return turns


def caption_turn(scene: Scene, prompt: str, encode: Encoder) -> Turn:
    """The caption after one of the caption prompts."""
    text = caption(scene)
    parts = [(len(encode(text.text[:at].rstrip(), True)) if at else 0, slots) for at, slots in text.marks]
    return Turn(encode(prompt) if prompt else [], encode(text.text, True), encode(text.text), [], parts, "caption")


_NONE = torch.empty(0)


@dataclass
class Batch:
    """Rows of ids (without the picture's), labels, and marks as (row, position, mask of slots)."""

    ids: Tensor  # [B, L]
    group: Tensor  # [B, L] conversation of each id within its row from 1, 0 for padding
    position: Tensor  # [B, L] place within the conversation, without the picture
    labels: Tensor  # [B, L] OPT: next id; T5: [B, A] the answers' ids
    weights: Tensor  # like labels
    nouns: tuple[Tensor, Tensor, Tensor]  # rows, positions, masks [m, 10], for parts [m, 30]
    parts: tuple[Tensor, Tensor, Tensor]
    asked: tuple[Tensor, Tensor, Tensor]  # T5: where the encoder has read a question, what its answer rests on
    answers: list[tuple[str, int, int, int, int]] = field(default_factory=list)  # type, row, first, last + 1, turn
    # T5 alone. An id's turn; ids that their own turn alone sees; the decoder's input and whose answer each id is.
    turn: Tensor = _NONE  # [B, L]
    private: Tensor = _NONE  # [B, L]
    before: Tensor = _NONE  # [B, A]
    answer_group: Tensor = _NONE  # [B, A]
    answer_turn: Tensor = _NONE  # [B, A]
    open_: bool = False  # one prompt a row, in which everything sees everything
    # For a pupil: (row, place) of the text's ids in an order that both families share, their weights, the same
    # conversations as the teacher reads them, and what the teacher's states are there.
    trace: Tensor = _NONE  # [m, 2]
    trace_weights: Tensor = _NONE  # [m]
    twin: Batch | None = None
    lesson: tuple[Tensor, Tensor] | None = None  # [m, d] each


def masks(marks: list[tuple[int, int, tuple[int, ...]]], width: int) -> tuple[Tensor, Tensor, Tensor]:
    table = np.zeros((len(marks), width), np.float32)
    for number, (_, _, slots) in enumerate(marks):
        table[number, list(slots)] = 1
    places = np.array([(row, at) for row, at, _ in marks], np.int64).reshape(-1, 2)
    return torch.from_numpy(places[:, 0]), torch.from_numpy(places[:, 1]), torch.from_numpy(table)


def weights_of(answers: Sequence[tuple[str, int, int, int, int]], labels: Tensor) -> Tensor:
    """What each label counts: a long answer counts more than a short one, but less than by its length."""
    weights = torch.zeros(labels.shape)
    for _, row, first, end, _ in answers:
        weights[row, first:end] = (end - first) ** -0.5
    return weights


ASKED = 6.0  # what the place counts, in a trace, from which an answer is given


def opt_batch(rows: Sequence[Sequence[Sequence[Turn]]], begin: int, end: int, stop: int, open_: bool = False) -> Batch:
    """Rows of conversations packed one after another: `begin` starts each, `end` ends an answer, `stop` is the ".".

    `open_` is for the trace: whether T5's twin of the batch is open.
    """
    trace: list[tuple[int, int, float]] = []
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
                trace += [(row, at, 1.0) for at in range(start, answer)]
                if turn is turns[-1] or not open_:
                    trace.append((row, answer - 1, ASKED))
                if turn is not turns[-1]:
                    trace += [(row, at, 1.0) for at in range(answer, len(ids))]
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
    found = (ids_, group_, position_, labels_, weights_of(answers, labels_))
    batch = Batch(*found, masks(nouns, SLOTS), masks(parts, PART), masks([], PART), answers)
    return traced(batch, trace)


def traced(batch: Batch, trace: list[tuple[int, int, float]]) -> Batch:
    places = torch.tensor([(row, at) for row, at, _ in trace])
    return replace(batch, trace=places, trace_weights=torch.tensor([weight for _, _, weight in trace]))


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
