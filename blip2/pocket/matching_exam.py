"""Marks of the matching model: hard negatives for ITM, retrieval among a hundred scenes for ITC.

ITM: each scene comes with pairs of a right sentence and the same with one word swapped; a sentence is judged rightly
if its probability is on the right side of one half. ITC: a caption finds its scene among `GROUP` scenes of different
captions; the score is the largest cosine between the caption and the picture's queries, as in BLIP-2.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from blip2.backends.base import Backend
from blip2.pocket.captions import caption
from blip2.pocket.exam import Sheet
from blip2.pocket.marking import Share
from blip2.values import Picture

__all__ = ["GROUP", "Matching"]

GROUP = 100  # scenes that a caption is held against
_Array = np.ndarray[Any, Any]


class Matching:
    """Collects the marks of the matching model while a report runs."""

    def __init__(self, backend: Backend, model: str) -> None:
        self.backend, self.model = backend, model
        self.kinds: dict[str, Share] = defaultdict(Share)
        self.ranked = Share()
        self.text_to_image, self.image_to_text = Share(), Share()
        self._images: list[_Array] = []
        self._texts: list[str] = []

    def add(self, block: Sequence[tuple[Sheet, Picture]]) -> None:
        """Judge the pairs of these scenes, and hold the scenes ready for retrieval."""
        for sheet, picture in block:
            self._judge(sheet, picture)
        features = self.backend.embed(self.model, [picture for _, picture in block], [], "image").image_embeds_proj
        assert features is not None, "image features come with their projection"
        for (sheet, _), queries in zip(block, features, strict=True):
            self._retrieve(caption(sheet.scene).text, queries)

    def _judge(self, sheet: Sheet, picture: Picture) -> None:
        if not sheet.pairs:
            return
        texts = [text for pair in sheet.pairs for text in (pair.true, pair.false)]
        chances = self.backend.match(self.model, [picture], texts).itm[0]
        for at, pair in enumerate(sheet.pairs):
            true, false = float(chances[2 * at]), float(chances[2 * at + 1])
            self.kinds[pair.kind].add(true >= 0.5)
            self.kinds[pair.kind].add(false < 0.5)
            self.ranked.add(true > false)

    def _retrieve(self, text: str, queries: _Array) -> None:
        """Gather scenes until a group is full, then rank it."""
        if text in self._texts:  # two scenes of one caption: neither would be the right one alone
            return
        self._texts.append(text)
        self._images.append(queries)
        if len(self._texts) == GROUP:
            self.rank()

    def rank(self) -> None:
        """Rank the scenes gathered so far, and start a new group."""
        if not self._texts:
            return
        vectors = self.backend.embed(self.model, [], self._texts, "text").text_embeds_proj
        assert vectors is not None, "text features come with their projection"
        images, texts = np.stack(self._images), vectors[:, 0]  # [n, Q, P], [n, P]
        images = images / np.linalg.norm(images, axis=-1, keepdims=True)
        texts = texts / np.linalg.norm(texts, axis=-1, keepdims=True)
        cosines = np.einsum("iqp,tp->itq", images, texts).max(-1)  # [images, texts]
        for place in range(len(self._texts)):
            self.text_to_image.add(int(cosines[:, place].argmax()) == place)
            self.image_to_text.add(int(cosines[place].argmax()) == place)
        self._images, self._texts = [], []

    @property
    def judged(self) -> Share:
        """Sentences judged rightly so far, of all kinds."""
        return Share(sum(s.hits for s in self.kinds.values()), sum(s.n for s in self.kinds.values()))

    def figures(self) -> dict[str, dict[str, Any]]:
        """`itm` and `itc` of the report. A last group that is not full is ranked only if there was no full one."""
        if not self.text_to_image.n:
            self.rank()
        total, kinds = self.judged, sorted(self.kinds)
        return {
            "itm": {
                "hard_negatives": total.value,
                "by_kind": {kind: self.kinds[kind].value for kind in kinds},
                "true_ranked_first": self.ranked.value,
                "n": {"hard_negatives": total.n, "by_kind": {kind: self.kinds[kind].n for kind in kinds}},
            },
            "itc": {
                "r1_of_100": self.text_to_image.value,
                "r1_image_to_text": self.image_to_text.value,
                "n": self.text_to_image.n,
                "group": GROUP if self.text_to_image.n >= GROUP else self.text_to_image.n,
            },
        }
