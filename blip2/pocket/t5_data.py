"""Conversations as a T5 reads and answers them: rows for `packed_t5`, or single prompts as Hugging Face has them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from blip2.pocket.language_data import ASKED, IGNORE, PART, SLOTS, Batch, Turn, masks, traced, weights_of

__all__ = ["t5_batch"]


class _Row:
    """One T5 row in the making: columns of the encoder's text and of the decoder's answers."""

    def __init__(self) -> None:
        self.text: list[tuple[int, int, int, int, bool]] = []  # id, group, place, turn, private
        self.answers: list[tuple[int, int, int, int]] = []  # id before, label, group, turn

    def put(self, ids: Sequence[int], group: int, place: int, turn: int, private: bool = False) -> None:
        self.text += [(id_, group, place + at, turn, private) for at, id_ in enumerate(ids)]

    def answer(self, ids: Sequence[int], start: int, end: int, group: int, turn: int) -> None:
        pairs = zip([start, *ids], [*ids, end], strict=True)
        self.answers += [(before, label, group, turn) for before, label in pairs]


def t5_batch(rows: Sequence[Sequence[Sequence[Turn]]], start: int, end: int, stop: int, open_: bool = False) -> Batch:
    """Rows of conversations; `start` begins an answer, `end` ends it and a question, `stop` is the ".".

    With `open_` a row is one conversation, only its last question is answered, and nothing is hidden from anything.
    """
    marks: tuple[list[tuple[int, int, tuple[int, ...]]], ...] = ([], [], [])  # nouns, parts, asked
    answers: list[tuple[str, int, int, int, int]] = []
    trace: list[tuple[int, int, float]] = []
    made = [_Row() for _ in rows]
    for at, (row, conversations_) in enumerate(zip(made, rows, strict=True)):
        for group, turns in enumerate(conversations_, 1):
            place = 0
            for number, turn in enumerate(turns):
                block = 0 if open_ else number
                here = len(row.text)
                marks[0].extend((at, here + spot, slots) for spot, slots in turn.nouns)
                row.put(turn.prompt, group, place, block)
                trace += [(at, spot, 1.0) for spot in range(here, len(row.text))]
                place += len(turn.prompt)
                if turn.prompt and turn.parts:
                    marks[2].append((at, len(row.text) - 1, turn.parts[0][1]))
                last = number == len(turns) - 1
                if last or not open_:
                    trace.append((at, len(row.text), ASKED))
                    row.put([end], group, place, block, True)
                    first = len(row.answers)
                    marks[1].extend((at, first + spot, slots) for spot, slots in turn.parts)
                    row.answer(turn.bare, start, end, group, block)
                    answers.append((turn.type, at, first, len(row.answers), number))
                if not last:
                    trace += [(at, len(row.text) + spot, 1.0) for spot in range(len(turn.answer))]
                    row.put([*turn.answer, stop], group, place, 0 if open_ else number + 1)
                    place += len(turn.answer) + 1
    text = np.zeros((5, len(rows), max(len(row.text) for row in made)), np.int64)
    said = np.zeros((4, len(rows), max(len(row.answers) for row in made)), np.int64)
    said[1] = IGNORE
    for at, row in enumerate(made):
        text[:, at, : len(row.text)] = np.array(row.text).T
        said[:, at, : len(row.answers)] = np.array(row.answers).T
    ids, groups, places, turns_, private = torch.from_numpy(text)
    before, labels, answer_group, answer_turn = torch.from_numpy(said)
    marked = (masks(marks[0], SLOTS), masks(marks[1], PART), masks(marks[2], PART))
    found = (ids, groups, places, labels, weights_of(answers, labels))
    batch = Batch(*found, *marked, answers, turns_, private.bool(), before, answer_group, answer_turn, open_)
    return traced(batch, trace)
