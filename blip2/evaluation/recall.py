"""Recall at 1, 5 and 10 of retrieval, as LAVIS reports it (`tasks/retrieval.py`, `_report_metrics`).

Only ranks are needed: the place of the best right text of each picture, and of the right picture of each text. They are
computed a row at a time, so a matrix may be a memory map. It knows no files and no models.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from blip2.nearest import best as best

Array = np.ndarray[Any, Any]
AT = (1, 5, 10)
OUT = -100.0  # LAVIS's score of what was not among the best k by ITC
MISSED = 1 << 30  # the rank of what was not ranked at all


@dataclass(frozen=True, slots=True)
class Pairs:
    """Which texts belong to which pictures, by their places: `texts_of[image]`, `image_of[text]`."""

    texts_of: tuple[tuple[int, ...], ...]
    image_of: tuple[int, ...]

    @classmethod
    def of(cls, texts_of: Iterable[Sequence[int]]) -> "Pairs":
        rows = tuple(tuple(row) for row in texts_of)
        owner = {text: image for image, row in enumerate(rows) for text in row}
        return cls(rows, tuple(owner[text] for text in range(len(owner))))


def rank(scores: Array, right: Sequence[int]) -> int:
    """How many candidates stand before the best right one, from 0. A tie counts against it.

    A model that scores all alike must not look perfect; LAVIS leaves ties to an unstable sort.
    """
    if not len(right):
        return MISSED
    own = scores[list(right)]
    best = own.max()
    if best <= OUT:
        return MISSED
    return int((scores >= best).sum()) - int((own >= best).sum())


def ranks(matrix: Array, right: Sequence[Sequence[int]]) -> Array:
    """`rank` of each row of a matrix [queries, candidates]: int64 [queries]."""
    return np.array([rank(np.asarray(row), own) for row, own in zip(matrix, right, strict=True)], np.int64)


def figures(text_ranks: Array, image_ranks: Array) -> dict[str, float]:
    """LAVIS's figures, in percent: `txt_` finds texts by picture (TR), `img_` pictures by text (IR)."""
    made = {f"txt_r{k}": _share(text_ranks, k) for k in AT} | {f"img_r{k}": _share(image_ranks, k) for k in AT}
    made["txt_r_mean"] = sum(made[f"txt_r{k}"] for k in AT) / len(AT)
    made["img_r_mean"] = sum(made[f"img_r{k}"] for k in AT) / len(AT)
    made["r_mean"] = (made["txt_r_mean"] + made["img_r_mean"]) / 2
    made["agg_metrics"] = made["txt_r_mean"]
    return made


def of_matrices(by_image: Array, by_text: Array, pairs: Pairs) -> dict[str, float]:
    """Figures of two score matrices, [images, texts] and [texts, images]."""
    return figures(ranks(by_image, pairs.texts_of), ranks(by_text, [(image,) for image in pairs.image_of]))


def reranked(first: Array, second: Array, k: int) -> Array:
    """LAVIS's two stages on one row: the best `k` by `first` score `first + second`, all others -100."""
    places = best(first, k)
    out = np.full(len(first), OUT, np.result_type(first, second))
    out[places] = first[places] + second[places]
    return out


def _share(places: Array, k: int) -> float:
    return 100.0 * int((places < k).sum()) / len(places) if len(places) else 0.0
