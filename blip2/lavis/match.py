"""`Blip2ITM` and `Blip2Qformer` as LAVIS has them: matching, features, ranking scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from blip2.engine.matcher import Matcher
from blip2.errors import BadInput
from blip2.lavis.model import LavisModel, Samples
from blip2.loading import LoadedModel

RANK_TEXT = 35  # tokens of a text in compute_sim_matrix


@dataclass(frozen=True, slots=True, eq=False)
class BlipOutputFeatures:
    """Features as LAVIS names them; shapes as in `blip2.values.Features`."""

    image_embeds: Tensor | None = None
    image_embeds_proj: Tensor | None = None
    text_embeds: Tensor | None = None
    text_embeds_proj: Tensor | None = None
    multimodal_embeds: Tensor | None = None


class LavisMatcher(LavisModel):
    """`Blip2ITM` and `Blip2Qformer`: matching, features and the similarity matrix of its retrieval evaluation."""

    def __init__(self, loaded: LoadedModel) -> None:
        super().__init__(loaded)
        self.matcher = Matcher(loaded)

    def __call__(self, samples: Samples, match_head: str = "itm") -> Tensor:
        """Picture i with text i: "itm" logits [B, 2] (softmax, column 1 is the probability), "itc" cosines [B, 1]."""
        vision = self.matcher.vision(samples["image"])
        ids, mask = self.matcher.tokens(as_texts(samples["text_input"]))
        if match_head == "itm":
            return self.matcher.itm_logits(vision, ids, mask)
        if match_head == "itc":
            images = self.matcher.project_image(self.matcher.queries(vision))
            texts = self.matcher.project_text(self.matcher.texts(ids, mask))[:, 0]
            return self.matcher.itc(images, texts).diagonal()[:, None]
        raise BadInput(f"match_head is {match_head!r}; it must be 'itm' or 'itc'.")

    def extract_features(self, samples: Samples, mode: str = "multimodal") -> BlipOutputFeatures:
        """Features of pictures, texts or pairs; texts are not cut. `mode` is image, text or multimodal."""
        if mode not in ("image", "text", "multimodal"):
            raise BadInput(f"mode is {mode!r}; it must be 'image', 'text' or 'multimodal'.")
        if mode == "image":
            queries = self.matcher.queries(self.matcher.vision(samples["image"]))
            return BlipOutputFeatures(image_embeds=queries, image_embeds_proj=self.matcher.project_image(queries))
        ids, mask = self.matcher.tokens(as_texts(samples["text_input"]), limit=None)
        if mode == "text":
            states = self.matcher.texts(ids, mask)
            return BlipOutputFeatures(text_embeds=states, text_embeds_proj=self.matcher.project_text(states))
        vision = self.matcher.vision(samples["image"])
        return BlipOutputFeatures(multimodal_embeds=self.matcher.multimodal(vision, ids, mask))

    def compute_sim_matrix(
        self, images: Tensor, texts: Sequence[str], k_test: int = 128
    ) -> tuple["np.ndarray[Any, Any]", "np.ndarray[Any, Any]"]:
        """LAVIS's ranking scores, images x texts and texts x images: ITC finds the best `k_test`, which get their ITM
        logit of class 1 plus the ITC cosine; all others get -100 (`blip2.py`, `compute_sim_matrix`)."""
        matcher = self.matcher
        vision = matcher.vision(images)
        ids, mask = matcher.tokens(list(texts), limit=RANK_TEXT)
        vectors = matcher.project_text(matcher.texts(ids, mask))[:, 0]
        cosines = matcher.itc(matcher.project_image(matcher.queries(vision)), vectors)  # [images, texts]
        scores = []
        for by_image, sims in ((True, cosines), (False, cosines.T)):
            matrix = torch.full(sims.shape, -100.0)
            for i, row in enumerate(sims):
                best, at = row.topk(min(k_test, len(row)))
                same = torch.full_like(at, i)
                picture, text = (same, at) if by_image else (at, same)
                logits = matcher.itm_logits(vision[picture], ids[text], mask[text])
                matrix[i, at.cpu()] = (logits[:, 1] + best).cpu()
            scores.append(matrix.numpy())
        return scores[0], scores[1]


def as_texts(texts: str | Sequence[str]) -> list[str]:
    return [texts] if isinstance(texts, str) else list(texts)
