"""Matching and indexing, measured: one picture against many texts, and many pictures into vectors."""

from collections.abc import Sequence
from time import perf_counter
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from blip2.bench.workloads import Row, picture
from blip2.engine.matcher import Matcher
from blip2.images import preprocess
from blip2.loading import LoadedModel

LEAST = 6  # texts that the naive way is timed on
TEXTS = [f"a photo of {n} dogs and a red ball on a beach" for n in ("one", "two", "three", "four", "five")]


def itm(loaded: LoadedModel, stock: LoadedModel, texts: int, naive_texts: int) -> Row:
    """ITM of one picture against `texts` texts. Naive: the stock class once a text, the picture encoded each time.

    Best: the picture encoded once with the stock modules, all texts in one Q-Former call.
    """
    row = Row(f"itm_1x{texts}")
    matcher = Matcher(loaded)
    words = [f"{TEXTS[i % len(TEXTS)]} {i}" for i in range(texts)]
    pixels = preprocess(picture(0), loaded.info.image_size)[None]
    ids, mask = matcher.tokens(words)
    matcher.itm_logits(matcher.vision(pixels), ids[:1], mask[:1])  # lazy set-up, for all three
    _stock_once(stock.model, pixels.to(loaded.device), ids[:1], mask[:1])
    _stock(stock.model, pixels.to(loaded.device), ids[:1], mask[:1])
    naive_texts = min(max(naive_texts, LEAST), texts)
    begun = perf_counter()
    ours = matcher.itm_logits(matcher.vision(pixels), ids, mask)
    row.rate["ours"] = texts / (perf_counter() - begun)
    begun = perf_counter()
    best = _stock_once(stock.model, pixels.to(loaded.device), ids, mask)
    row.rate["best"] = texts / (perf_counter() - begun)
    begun = perf_counter()
    naive = torch.cat(
        [_stock(stock.model, pixels.to(loaded.device), ids[i : i + 1], mask[i : i + 1]) for i in range(naive_texts)]
    )
    row.rate["naive"] = naive_texts / (perf_counter() - begun)
    row.correct = close(ours, best) and close(ours[:naive_texts], naive)
    row.notes["naive_texts"] = naive_texts
    return row


def index(loaded: LoadedModel, stock: LoadedModel, pictures: int, naive_pictures: int) -> Row:
    """`pictures` pictures to projected query vectors; naive one at a time, best in batches, both with stock modules."""
    row = Row(f"index{pictures}")
    matcher = Matcher(loaded)
    images = [picture(40_000 + i) for i in range(pictures)]
    size = loaded.info.image_size

    def stacked(batch: Sequence[Any]) -> Tensor:
        return torch.stack([preprocess(image, size) for image in batch]).to(loaded.device)

    def ours(batch: Sequence[Any]) -> Tensor:
        return matcher.project_image(matcher.queries(matcher.vision(stacked(batch))))

    def plain(batch: Sequence[Any]) -> Tensor:
        return _stock_vectors(stock.model, stacked(batch))

    for encode in (ours, plain):  # lazy set-up
        encode(images[:1])
    made = {}
    for name, encode, count, step in (
        ("ours", ours, pictures, 16),
        ("best", plain, pictures, 16),
        ("naive", plain, naive_pictures, 1),
    ):
        begun = perf_counter()
        made[name] = torch.cat([encode(images[at : at + step]) for at in range(0, count, step)])
        row.rate[name] = count / (perf_counter() - begun)
    row.correct = close(made["best"], made["ours"]) and close(made["naive"], made["ours"][:naive_pictures])
    return row


@torch.inference_mode()
def _stock(model: Any, pixels: Tensor, ids: Tensor, mask: Tensor) -> Tensor:
    out = model(pixel_values=pixels, input_ids=ids, attention_mask=mask, use_image_text_matching_head=True)
    return out.logits_per_image.float()  # type: ignore[no-any-return]


@torch.inference_mode()
def _stock_once(model: Any, pixels: Tensor, ids: Tensor, mask: Tensor) -> Tensor:
    seen = model.vision_model(pixels).last_hidden_state.expand(len(ids), -1, -1)
    queries = model.query_tokens.expand(len(ids), -1, -1)
    ones = torch.ones(queries.shape[:2], dtype=torch.long, device=ids.device)
    out = model.qformer(
        query_embeds=model.embeddings(input_ids=ids, query_embeds=queries),
        query_length=queries.shape[1],
        attention_mask=torch.cat([ones, mask], 1),
        encoder_hidden_states=seen,
    ).last_hidden_state
    return model.itm_head(out[:, : queries.shape[1]].to(model.itm_head.weight.dtype)).mean(1).float()  # type: ignore[no-any-return]


@torch.inference_mode()
def _stock_vectors(model: Any, pixels: Tensor) -> Tensor:
    seen = model.vision_model(pixels).last_hidden_state
    out = model.qformer(query_embeds=model.query_tokens.expand(len(seen), -1, -1), encoder_hidden_states=seen)
    projection = model.vision_projection
    return normalize(projection(out.last_hidden_state.to(projection.weight.dtype)).float(), dim=-1)


def close(a: Tensor, b: Tensor) -> bool:
    """Equal but for the last digits of float32."""
    return bool(torch.allclose(a.float(), b.float(), atol=1e-3, rtol=1e-3))
