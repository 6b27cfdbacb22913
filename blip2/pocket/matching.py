"""The matching model of the pocket: `Blip2ForImageTextRetrieval` with a Q-Former of six layers.

`matching_model` builds it from the trained eyes; `layers_of` runs its Q-Former layer by layer, giving what supervises
the middle layers; `save_matching` writes the checkpoint that any BLIP-2 code loads.
"""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from torch import Tensor
from transformers import (
    Blip2Config,
    Blip2ForImageTextRetrieval,
    Blip2Processor,
    BlipImageProcessorPil,
    OPTConfig,
)

from blip2.pocket.matching_words import matching_tokenizer, vocabulary
from blip2.pocket.vision import IMAGE_SIZE, MEAN, QUERIES, STD, SlotModel, qformer_config, vision_config
from blip2.pocket.world import COLOURS, KINDS, SIZES

LAYERS = 6
SHARED = 128  # width of the space in which pictures and captions are compared


def matching_config() -> Blip2Config:
    """The whole configuration; its language model is never built."""
    words = vocabulary()
    nothing = OPTConfig(
        vocab_size=8, hidden_size=8, word_embed_proj_dim=8, num_hidden_layers=1, ffn_dim=8, num_attention_heads=1
    )
    return Blip2Config(
        vision_config=vision_config().to_dict(),
        qformer_config=qformer_config(text=True, vocabulary=len(words), layers=LAYERS).to_dict(),
        text_config=nothing.to_dict(),
        num_query_tokens=QUERIES,
        image_text_hidden_size=SHARED,
        image_token_index=words["<image>"],
    )


def matching_model(eyes: SlotModel) -> Blip2ForImageTextRetrieval:
    """A model to train: ViT, queries and the first layers from the eyes, words from what the slot heads know."""
    model = Blip2ForImageTextRetrieval._from_config(matching_config(), attn_implementation="eager")
    model.vision_model.load_state_dict(eyes.vision.state_dict())
    model.vision_model.requires_grad_(False)
    model.qformer.load_state_dict(eyes.qformer.state_dict(), strict=False)
    head, words = eyes.slot_head.weight.detach(), vocabulary()
    known = [(kind.name, row) for row, kind in enumerate(KINDS)] + [(k.plural, row) for row, k in enumerate(KINDS)]
    known += [(name, len(KINDS) + 1 + row) for row, name in enumerate((*SIZES, *COLOURS))]
    with torch.no_grad():
        model.query_tokens.copy_(eyes.query_tokens)
        for layer in model.qformer.encoder.layer[len(eyes.qformer.encoder.layer) :]:
            for part in (layer.attention.output, layer.crossattention.output, layer.output, layer.output_query):
                part.dense.weight.mul_(0.3)
        table = model.embeddings.word_embeddings.weight
        table.normal_(0, 0.5)
        model.embeddings.position_embeddings.weight.normal_(0, 0.15)
        for word, row in known:
            table[words[word]] = head[row] / head[row].std() * 0.4 + 0.3 * table[words[word]]
    return model


def layers_of(
    model: Blip2ForImageTextRetrieval, image: Tensor | None, ids: Tensor | None, mask: Tensor | None
) -> list[Tensor]:
    """The states after each Q-Former layer [n, queries + t, 128]; queries are there if `image` is, words if `ids` are.

    Equal to what the model's own forward computes; gives the middle layers as well.
    """
    count = len(image if image is not None else ids)  # type: ignore[arg-type]
    queries = model.query_tokens.expand(count, -1, -1) if image is not None else None
    state = model.qformer.layernorm(model.embeddings(input_ids=ids, query_embeds=queries))
    bias = None
    if mask is not None:
        seen = mask if queries is None else torch.cat([mask.new_ones(count, QUERIES), mask], 1)
        bias = (1.0 - seen.to(state.dtype))[:, None, None] * -1e4
    states = []
    for layer in model.qformer.encoder.layer:
        state = layer(
            state,
            attention_mask=bias,
            encoder_hidden_states=image,
            query_length=QUERIES if queries is not None else 0,
        )
        states.append(state)
    return states


def save_matching(model: Blip2ForImageTextRetrieval, folder: Path) -> None:
    """Write weights in half precision, configuration, tokenizer and processor."""
    copy.deepcopy(model).half().save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    pictures = BlipImageProcessorPil(
        size={"height": IMAGE_SIZE, "width": IMAGE_SIZE}, image_mean=list(MEAN), image_std=list(STD)
    )
    Blip2Processor(pictures, matching_tokenizer(), num_query_tokens=QUERIES).save_pretrained(folder)
