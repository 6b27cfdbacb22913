"""Sentences for training the matching model: true and false ones, with what every word and query should know.

A batch holds, for each scene, one true sentence and one made false by a swap (or, at times, taken from another scene).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from blip2.pocket.matching_words import vocabulary
from blip2.pocket.negatives import SWAPS, Sentence, describe, full, spoil
from blip2.pocket.world import BACKGROUND, COLOURS, KIND, Scene

IGNORE = -100
LENGTH = 40  # most tokens of a training sentence
EMPTY, NAMED, UNNAMED, WRONG = range(4)  # what a query may know of its cell and the sentence
_FACTS = (*KIND, *COLOURS, *BACKGROUND)
SUMMARY = len(_FACTS) + 8
RELATING = frozenset({"left", "right", "above", "over", "below", "under"})
_WEIGHT = {"colour": 1.6, "thing": 1.0, "count": 2.0, "relation": 3.0, "place": 0.3}


@dataclass(frozen=True)
class Texts:
    """Sentences as ids, and what supervises them.

    `ids`, `mask` [n, t]; `true` [n]; `cells` [n, t, 9] the cells a word speaks of, with `speaks` [n, t] where it speaks
    of any thing; `wrong` [n, t] 1 for the words that make it false, `IGNORE` for glue; `states` [n, 9] for the queries;
    `lies` [n, t, 2] for the words of a relation: 0 left, 1 level, 2 right, and 0 above, 1 level, 2 below, as it is.
    """

    ids: Tensor
    mask: Tensor
    true: Tensor
    cells: Tensor
    speaks: Tensor
    wrong: Tensor
    states: Tensor
    lies: Tensor


def plain_ids(sentences: Sequence[Sentence]) -> tuple[Tensor, Tensor]:
    """Ids and mask [n, t] of sentences, as the tokenizer gives them."""
    words = vocabulary()
    rows = [[words["[CLS]"], *(words[w] for w, _, _ in s.tokens()), words["[SEP]"]] for s in sentences]
    width = max(map(len, rows))
    ids = torch.tensor([row + [words["[PAD]"]] * (width - len(row)) for row in rows])
    return ids, (ids != words["[PAD]"]).long()


def _states(scene: Scene, sentence: Sentence) -> list[int]:
    """What the query of each cell should know."""
    states = [EMPTY] * 9
    named = {cell for part in sentence.parts for cell in part.cells}
    wrong = {cell for part in sentence.parts if part.wrong for cell in part.cells}
    if sentence.wrong_relation:
        wrong = named
    for thing in scene.things:
        states[thing.cell] = WRONG if thing.cell in wrong else NAMED if thing.cell in named else UNNAMED
    return states


def _lies(sentence: Sentence) -> list[int]:
    """How the first thing lies to the second, across and down; `IGNORE` where that cannot be said."""
    if not sentence.relation or not all(part.cells for part in sentence.parts):
        return [IGNORE, IGNORE]
    first, second = (part.cells[0] for part in sentence.parts)
    across, down = first % 3 - second % 3, first // 3 - second // 3
    return [(across > 0) - (across < 0) + 1, (down > 0) - (down < 0) + 1]


def texts_of(scenes: Sequence[Scene], sentences: Sequence[Sentence | None], others: Sequence[Sentence]) -> Texts:
    """Supervision for a sentence a scene; where it is None, the one of `others` is used, which is of another scene."""
    chosen = [mine or other for mine, other in zip(sentences, others, strict=True)]
    ids, mask = plain_ids(chosen)
    cells, speaks = torch.zeros(*ids.shape, 9), torch.zeros(ids.shape, dtype=torch.bool)
    wrong, states = torch.full(ids.shape, IGNORE), torch.full((len(ids), 9), IGNORE)
    true, lies = torch.zeros(len(ids), dtype=torch.long), torch.full((*ids.shape, 2), IGNORE)
    for row, (scene, sentence) in enumerate(zip(scenes, sentences, strict=True)):
        if sentence is None:
            continue
        tokens = sentence.tokens()
        true[row] = int(not any(bad for _, _, bad in tokens))
        states[row] = torch.tensor(_states(scene, sentence))
        lying = torch.tensor(_lies(sentence))
        for at, (word, where, bad) in enumerate(tokens, start=1):
            if where is not None:
                speaks[row, at] = True
                cells[row, at, list(where)] = 1
            if where is not None or bad or sentence.relation:
                wrong[row, at] = int(bad)
            if word in RELATING:
                lies[row, at] = lying
    return Texts(ids, mask, true, cells, speaks, wrong, states, lies)


def _false(sentence: Sentence, scene: Scene, rng: random.Random) -> Sentence | None:
    """The sentence spoilt in one of the ways it allows, the rarer ways preferred."""
    if rng.random() < 0.05:
        return None
    kinds = [*SWAPS, "place"]
    while kinds:
        kind = rng.choices(kinds, [_WEIGHT[k] for k in kinds])[0]
        spoilt = spoil(sentence, kind, scene, rng)
        if spoilt:
            return spoilt
        kinds.remove(kind)
    return None


def pairs_batch(scenes: Sequence[Scene], rng: random.Random) -> Texts:
    """Sentences for the scenes twice over: first the true ones, then the false ones, [2n, ...]."""
    true = [describe(scene, rng) for scene in scenes]
    false = [_false(sentence, scene, rng) for sentence, scene in zip(true, scenes, strict=True)]
    strange = [true[index - 1] for index in range(len(true))]
    return texts_of([*scenes, *scenes], [*true, *false], [*true, *strange])


def summary(sentence: Sentence) -> Tensor:
    """What a whole caption says [SUMMARY], ones and zeros: kinds, colours, the place, at least so many things."""
    said = torch.zeros(SUMMARY)
    for part in sentence.parts:
        said[_FACTS.index(part.kind)] = 1
        if part.colour:
            said[_FACTS.index(part.colour)] = 1
    if sentence.place:
        said[_FACTS.index(sentence.place)] = 1
    said[len(_FACTS) : len(_FACTS) + sum(part.count for part in sentence.parts)] = 1
    return said


def captions_batch(scenes: Sequence[Scene], rng: random.Random) -> tuple[Tensor, Tensor, Tensor]:
    """Ids and mask [2n, t] for contrast: the scenes' captions, then each with a word swapped; and their summaries."""
    captions = [full(scene) for scene in scenes]
    spoilt = [_false(caption, scene, rng) or caption for caption, scene in zip(captions, scenes, strict=True)]
    ids, mask = plain_ids([*captions, *spoilt])
    return ids, mask, torch.stack([summary(caption) for caption in (*captions, *spoilt)])
