"""Searching an index of pictures: ITC finds, ITM re-ranks the best. It knows the seam and the index, no page.

By words, the score of a picture is its ITC cosine (its best query counts); of the best of them, ITM's log-odds of a
match are added to it, as LAVIS adds its ITM logit. By picture, the score is how alike the pictures' queries are.
"""

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from blip2.backends.base import Backend
from blip2.errors import BadImage, BadInput
from blip2.images import open_picture
from blip2.indexes import Index, Row
from blip2.lavis.text import blip_caption
from blip2.nearest import Array, best, by_queries, by_vector
from blip2.values import Picture

POOL = 32  # pictures that ITM reads; LAVIS takes 128, which costs four times as much
SLICE = 8  # pictures between two looks at whether anyone still wants the result
SURE = 1e-7  # probabilities nearer to 0 or 1 than this are not told apart
OTHER_MODEL = "The index was made with {}, not the model asked for; choose that one, or index the pictures anew."
Opener = Callable[[Row], Picture | None]


@dataclass(frozen=True, slots=True)
class Hit:
    """A picture that was found: its place `at` in the index, its `score`, and its rank now and `before` the re-rank.

    Ranks begin at 1. `itc` is the cosine (by picture: the likeness); `itm` the probability of a match, if ITM read it.
    """

    at: int
    name: str
    itc: float
    itm: float | None
    score: float
    rank: int
    before: int


@dataclass(frozen=True, slots=True)
class Results:
    """The best pictures so far. ITM has read `read` of `pool`; when `read == pool` the order is final."""

    hits: tuple[Hit, ...]
    read: int = 0
    pool: int = 0

    @property
    def final(self) -> bool:
        return self.read == self.pool


def by_words(
    backend: Backend,
    model: str,
    index: Index,
    words: str,
    k: int = 10,
    *,
    rerank: bool = True,
    pool: int = POOL,
    opened: Opener | None = None,
) -> Generator[Results, None, None]:
    """The best `k` pictures for some words: at once by ITC, and again, after each few that ITM has read.

    ITM reads max(pool, k) pictures: as `opened` gives them, by default their files, or else their thumbnails.
    Raises `BadInput` for no words, a bad `k`, or another model than the index's.
    """
    _check(backend, model, index, k)
    text = blip_caption(words)
    if not text:
        raise BadInput("There are no words to search for; describe a picture, such as: a dog on a beach.")
    vector = _only(backend.embed(model, [], [text], "text").text_embeds_proj, index)[0]
    scores = by_vector(index.features, vector)
    places = best(scores, max(k, pool if rerank else 0))
    found = [_hit(index, int(at), float(scores[at]), rank) for rank, at in enumerate(places, 1)]
    if not rerank or not found:
        yield Results(tuple(found[:k]))
        return
    yield Results(tuple(found[:k]), 0, len(found))
    opened = opened or from_file
    for start in range(0, len(found), SLICE):
        part = found[start : start + SLICE]
        pictures = [_picture(index, hit, opened) for hit in part]
        seen = [picture for picture in pictures if picture is not None]
        odds = iter(backend.match(model, seen, [text]).itm[:, 0].tolist() if seen else ())
        part = [hit if picture is None else _read(hit, next(odds)) for hit, picture in zip(part, pictures, strict=True)]
        found[start : start + SLICE] = part
        read = start + len(part)
        yield Results(_ranked(found, k) if read == len(found) else tuple(found[:k]), read, len(found))


def by_picture(backend: Backend, model: str, index: Index, picture: Picture, k: int = 10) -> Results:
    """The `k` pictures most like one. Raises `BadInput` for a bad `k`, or another model than the index's."""
    _check(backend, model, index, k)
    queries = _only(backend.embed(model, [picture], [], "image").image_embeds_proj, index)
    return like(index, queries, k)


def like(index: Index, queries: Array, k: int = 10, leave_out: int | None = None) -> Results:
    """The `k` pictures most like one with the projected queries [Q, P], but for that at place `leave_out`."""
    scores = by_queries(index.features, queries)
    places = [int(at) for at in best(scores, k + 1) if at != leave_out][:k]
    return Results(tuple(_hit(index, at, float(scores[at]), rank) for rank, at in enumerate(places, 1)))


def more_like(index: Index, at: int, k: int = 10) -> Results:
    """The `k` pictures most like picture `at` of the index, without asking a model. Raises `BadInput` for no place."""
    if not 0 <= at < len(index):
        raise BadInput(f"There is no picture {at} in the index; it has {len(index)}.")
    return like(index, np.asarray(index.features[at], np.float32), k, leave_out=at)


def from_file(row: Row) -> Picture | None:
    """The picture's own file, or nothing where it is not there any more or was changed since."""
    if not row.file:
        return None
    try:
        return open_picture(row.file, row.name)
    except BadImage:
        return None


def _check(backend: Backend, model: str, index: Index, k: int) -> None:
    if not 1 <= k <= 1000:
        raise BadInput(f"{k} results were asked for; ask for 1 to 1000.")
    if not index.model.is_same(backend.describe(model)):
        raise BadInput(OTHER_MODEL.format(index.model.name))


def _only(features: Array | None, index: Index) -> Array:
    """The one picture's or text's features [rows, P], float32. Raises `BadInput` where they do not fit the index."""
    assert features is not None
    if len(index) and features.shape[-1] != index.features.shape[-1]:
        raise BadInput(OTHER_MODEL.format(index.model.name))
    return np.asarray(features[0], np.float32)


def _hit(index: Index, at: int, score: float, rank: int) -> Hit:
    return Hit(at, index.rows[at].name, score, None, score, rank, rank)


def _picture(index: Index, hit: Hit, opened: Opener) -> Picture | None:
    """The picture, or its thumbnail, or nothing where that is damaged too."""
    picture = opened(index.rows[hit.at])
    if picture is not None:
        return picture
    try:
        return open_picture(index.thumbnail(hit.at), hit.name)
    except BadImage:
        return None


def _read(hit: Hit, itm: float) -> Hit:
    sure = min(max(itm, SURE), 1 - SURE)
    return replace(hit, itm=itm, score=hit.itc + math.log(sure / (1 - sure)))


def _ranked(found: Sequence[Hit], k: int) -> tuple[Hit, ...]:
    """By score; what ITM could not read comes last, as LAVIS ranks it."""
    order = sorted(found, key=lambda hit: (hit.itm is None, -hit.score, hit.before))
    return tuple(replace(hit, rank=rank) for rank, hit in enumerate(order[:k], 1))
