"""Ranks and recalls from the rows that the second pass of retrieval wrote. It knows no model.

The rows hold, for each picture, the pairs that either direction wanted: the picture's best texts, and the texts that
have the picture among their best. A pair's score is ITM logit + ITC cosine.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from blip2.evaluation import recall
from blip2.evaluation.caption_files import pairs_of
from blip2.evaluation.examples import Example
from blip2.evaluation.ranking_rows import BY_IMAGE, BY_TEXT, Found, found
from blip2.evaluation.recall import AT, Array
from blip2.evaluation.scores import Scores, Value

SURE = 10  # best texts of a picture whose ITM probability is held against the truth


def score_pairs(examples: Sequence[Example], rows: Mapping[str, Mapping[str, Any]]) -> Scores:
    """Recall both ways, in LAVIS's names and percents, and calibration of ITM among each picture's ten best texts."""
    pairs = pairs_of(examples)
    seen = [None if "error" in rows[example.id] else found(rows[example.id]) for example in examples]
    text_ranks, sure = [], []
    for at, each in enumerate(seen):
        text_ranks.append(_rank_texts(each, pairs.texts_of[at]))
        sure += _sure(each, pairs.texts_of[at])
    image_ranks = _rank_images(seen, pairs)
    ranks = np.array(text_ranks, np.int64)
    values: dict[str, dict[str, Value]] = {}
    for at, example in enumerate(examples):
        own = image_ranks[list(pairs.texts_of[at])]
        values[example.id] = {f"txt_r{k}": float(ranks[at] < k) for k in AT}
        values[example.id] |= {f"img_r{k}": (float((own < k).sum()), len(own)) for k in AT}
    figures = recall.figures(ranks, image_ranks)
    return Scores(figures, "txt_r1", {}, values, tuple(sure), "a match (ITM), among each picture's ten best texts")


def best_texts(row: Mapping[str, Any], count: int = 5) -> list[int]:
    """The places of a picture's best texts, best first."""
    each = found(row)
    mine = np.flatnonzero(each.flags & BY_IMAGE)
    return [int(each.texts[at]) for at in mine[np.argsort(-each.scores[mine], kind="stable")][:count]]


def _rank_texts(each: Found | None, right: Sequence[int]) -> int:
    if each is None:
        return recall.MISSED
    mine = (each.flags & BY_IMAGE) > 0
    scores, texts = each.scores[mine], each.texts[mine]
    return recall.rank(scores, np.flatnonzero(np.isin(texts, list(right))).tolist())


def _rank_images(seen: Sequence[Found | None], pairs: recall.Pairs) -> Array:
    """The rank of each text's own picture among those it wanted."""
    texts, images, scores = [], [], []
    for at, each in enumerate(seen):
        if each is not None:
            wanted = (each.flags & BY_TEXT) > 0
            texts.append(each.texts[wanted])
            images.append(np.full(int(wanted.sum()), at, np.int64))
            scores.append(each.scores[wanted])
    ranks = np.full(len(pairs.image_of), recall.MISSED, np.int64)
    if not texts:
        return ranks
    text, image, score = (np.concatenate(part) for part in (texts, images, scores))
    order = np.argsort(text, kind="stable")
    text, image, score = text[order], image[order], score[order]
    edges = np.searchsorted(text, np.arange(len(ranks) + 1))
    for at, (low, high) in enumerate(pairwise(edges)):
        own = np.flatnonzero(image[low:high] == pairs.image_of[at]).tolist()
        ranks[at] = recall.rank(score[low:high], own)
    return ranks


def _sure(each: Found | None, right: Sequence[int]) -> list[tuple[float, float]]:
    if each is None:
        return []
    mine = np.flatnonzero(each.flags & BY_IMAGE)
    top = mine[np.argsort(-each.scores[mine], kind="stable")][:SURE]
    return [(float(each.chance[at]), float(int(each.texts[at]) in right)) for at in top]
