"""Quick figures for the matching model while it trains, on evaluation scenes; the report measures the real path."""

from __future__ import annotations

import random
from collections import defaultdict

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import Blip2ForImageTextRetrieval

from blip2.pocket.matching import layers_of
from blip2.pocket.matching_words import matching_tokenizer
from blip2.pocket.negatives import full, pairs
from blip2.pocket.scenes import view
from blip2.pocket.vision import IMAGE_SIZE, QUERIES, to_pixels
from blip2.pocket.world import EVAL_SEEDS, Scene, scene_at

GROUP = 100


def _read(texts: list[str]) -> tuple[Tensor, Tensor]:
    read = matching_tokenizer()(texts, padding=True, return_tensors="pt")
    return read.input_ids, read.attention_mask


def hard_negatives(model: Blip2ForImageTextRetrieval, scenes: list[Scene], images: Tensor) -> dict[str, float]:
    """Share of sentences judged rightly, by what was swapped; half of them are true."""
    right: dict[str, list[float]] = defaultdict(list)
    for scene, image in zip(scenes, images, strict=True):
        found = pairs(scene, random.Random(scene.seed))
        ids, mask = _read([text for pair in found for text in (pair.true, pair.false)])
        last = layers_of(model, image.expand(len(ids), -1, -1), ids, mask)[-1]
        said = model.itm_head(last[:, :QUERIES]).mean(1).argmax(-1)
        for pair, (true, false) in zip(found, said.view(-1, 2).tolist(), strict=True):
            right[pair.kind] += [float(true == 1), float(false == 0)]
    every = [value for values in right.values() for value in values]
    shares = {kind: round(sum(values) / len(values), 4) for kind, values in sorted(right.items())}
    return {"itm": round(sum(every) / len(every), 4), **shares}


def retrieval(model: Blip2ForImageTextRetrieval, scenes: list[Scene], images: Tensor) -> float:
    """Text-to-image R@1 in groups of a hundred scenes of different captions."""
    hits = []
    for start in range(0, len(scenes), GROUP):
        group, part = scenes[start : start + GROUP], images[start : start + GROUP]
        captions = [full(scene).text for scene in group]
        kept = [index for index, caption in enumerate(captions) if captions.index(caption) == index]
        ids, mask = _read([captions[index] for index in kept])
        pictures = F.normalize(model.vision_projection(layers_of(model, part[kept], None, None)[-1]), dim=-1)
        words = F.normalize(model.text_projection(layers_of(model, None, ids, mask)[-1][:, 0]), dim=-1)
        scores = torch.einsum("iqp,tp->tiq", pictures, words).amax(-1)
        hits += (scores.argmax(-1) == torch.arange(len(kept))).float().tolist()
    return round(float(sum(hits)) / len(hits), 4)


@torch.no_grad()
def evaluate(model: Blip2ForImageTextRetrieval, count: int, first: int = 100_000) -> dict[str, float]:
    """ITM by kind of swap and ITC R@1 of a hundred, on `count` evaluation scenes."""
    model.eval()
    scenes = [scene_at(EVAL_SEEDS.start + first + index) for index in range(count)]
    pixels = to_pixels([view(scene, IMAGE_SIZE, 2) for scene in scenes])
    images = torch.cat([model.vision_model(pixel_values=part).last_hidden_state for part in torch.split(pixels, 64)])
    figures = {**hard_negatives(model, scenes, images), "itc": retrieval(model, scenes, images)}
    model.train()
    return figures
