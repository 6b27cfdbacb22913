"""The eyes of the pocket models: a small ViT and a Q-Former in Hugging Face's BLIP-2 classes, with training heads.

`SlotModel` adds the heads that teach them: every patch says what lies under it, query k < 9 says what is in grid cell
k, query 9 says which place it is; the remaining queries are free. The heads are dropped in the published checkpoints:

    model = load_vision("vision/final.pt")
    encode_scenes(model, [scene_at(1)])         # query outputs [1, 16, 128], what the language models read
    export_vision_into(blip2_for_generation, model)

`vision_train` trains it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from transformers import Blip2QFormerConfig, Blip2QFormerModel, Blip2VisionConfig, Blip2VisionModel, PreTrainedModel

from blip2.pocket.scenes import photo, view
from blip2.pocket.world import BACKGROUNDS, COLOURS, GRID, KINDS, Scene

IMAGE_SIZE, PATCH = 112, 14
PATCHES = IMAGE_SIZE // PATCH  # a side
VISION_WIDTH, WIDTH, QUERIES = 160, 128, 16
CELLS = GRID * GRID
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
# Sizes of the heads: kinds and "nothing", sizes, colours; and on patches also the cell and the patch's own place.
SLOT_SPLIT = (len(KINDS) + 1, 2, len(COLOURS))
PATCH_SPLIT = (*SLOT_SPLIT, CELLS + 1, PATCHES, PATCHES)


def vision_config() -> Blip2VisionConfig:
    """Four layers of width 160 on 112 px: 65 tokens, 1.3 M parameters."""
    return Blip2VisionConfig(
        hidden_size=VISION_WIDTH,
        intermediate_size=4 * VISION_WIDTH,
        num_hidden_layers=4,
        num_attention_heads=4,
        image_size=IMAGE_SIZE,
        patch_size=PATCH,
        hidden_act="gelu",
        layer_norm_eps=1e-6,  # as LAVIS's image encoder: a checkpoint with another one is refused
        initializer_range=0.05,
    )


def qformer_config(text: bool = False, vocabulary: int = 32, layers: int = 2) -> Blip2QFormerConfig:
    """A Q-Former of width 128 with cross-attention in every layer; `text` adds the text branch that matching needs."""
    return Blip2QFormerConfig(
        vocab_size=vocabulary,
        hidden_size=WIDTH,
        intermediate_size=4 * WIDTH,
        num_hidden_layers=layers,
        num_attention_heads=4,
        cross_attention_frequency=1,
        encoder_hidden_size=VISION_WIDTH,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        max_position_embeddings=64,
        layer_norm_eps=1e-5,
        initializer_range=0.05,
        use_qformer_text_input=text,
    )


class SlotModel(nn.Module):
    """ViT, Q-Former and query tokens, with the heads that supervise patches and queries."""

    def __init__(self) -> None:
        super().__init__()
        self.vision = Blip2VisionModel._from_config(vision_config(), attn_implementation="eager")
        self.qformer = Blip2QFormerModel._from_config(qformer_config(), attn_implementation="eager")
        self.query_tokens = nn.Parameter(torch.randn(1, QUERIES, WIDTH) * 0.5)
        self.patch_head = nn.Linear(VISION_WIDTH, sum(PATCH_SPLIT))
        self.slot_head = nn.Linear(WIDTH, sum(SLOT_SPLIT))
        self.place_head = nn.Linear(WIDTH, len(BACKGROUNDS))

    def see(self, pixels: Tensor) -> Tensor:
        """Pixels [n, 3, 112, 112] to image tokens [n, 65, 160]."""
        tokens: Tensor = self.vision(pixel_values=pixels).last_hidden_state
        return tokens

    def query(self, image: Tensor) -> Tensor:
        """Image tokens [n, 65, 160] to query outputs [n, 16, 128]."""
        queries = self.query_tokens.expand(image.shape[0], -1, -1)
        outputs: Tensor = self.qformer(query_embeds=queries, encoder_hidden_states=image).last_hidden_state
        return outputs

    def patch_logits(self, image: Tensor) -> tuple[Tensor, ...]:
        """What each of the 64 patches says, one tensor [n, 64, classes] for each entry of `PATCH_SPLIT`."""
        return torch.split(self.patch_head(image[:, 1:]), list(PATCH_SPLIT), -1)

    def slot_logits(self, queries: Tensor) -> tuple[Tensor, ...]:
        """What queries 0-8 say of their cells, [n, 9, classes] each: kind, size, colour."""
        return torch.split(self.slot_head(queries[:, :CELLS]), list(SLOT_SPLIT), -1)


def start_well(model: SlotModel, images: Tensor) -> None:
    """Position embeddings of sines, and patch filters along the principal components of pixel patches [n, 3, h, w]."""
    places = torch.arange(PATCHES)
    waves = torch.exp(torch.arange(VISION_WIDTH // 4) * (-math.log(100.0) / (VISION_WIDTH // 4)))
    angles = places[:, None] * waves
    line = torch.cat([angles.sin(), angles.cos()], -1)
    table = torch.cat([line[:, None].expand(-1, PATCHES, -1), line[None].expand(PATCHES, -1, -1)], -1)
    embeddings = model.vision.embeddings
    patches = images.unfold(2, PATCH, PATCH).unfold(3, PATCH, PATCH).permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(0, 2)
    patches = patches - patches.mean(0)
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    count = 3 * VISION_WIDTH // 4  # the rest stay random
    filters = (vectors[:, -count:] / (values[-count:] + 0.01 * values.max()).sqrt()).T * 0.7
    with torch.no_grad():
        embeddings.position_embedding[0, 1:] = 0.3 * table.flatten(0, 1)
        embeddings.patch_embedding.weight[:count] = filters.view(count, 3, PATCH, PATCH)


def to_pixels(images: Sequence[Image.Image]) -> Tensor:
    """RGB pictures of `IMAGE_SIZE` to normalised pixels [n, 3, 112, 112]."""
    values = (
        torch.from_numpy(np.stack([np.asarray(image) for image in images])).permute(0, 3, 1, 2).contiguous().float()
    )
    mean, std = torch.tensor(MEAN).view(1, 3, 1, 1), torch.tensor(STD).view(1, 3, 1, 1)
    return values.mul_(1 / (255 * std)).sub_(mean / std)


def load_vision(path: str | Path) -> SlotModel:
    """A trained model, frozen and in evaluation mode."""
    model = SlotModel()
    model.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["model"])
    return model.eval().requires_grad_(False)


@torch.no_grad()
def encode_scenes(model: SlotModel, scenes: Sequence[Scene], exact: bool = False, batch: int = 64) -> Tensor:
    """Query outputs [n, 16, 128] of scenes; `exact` draws them on the product's path instead of the fast one."""
    outputs = []
    for first in range(0, len(scenes), batch):
        part = scenes[first : first + batch]
        images = [photo(s, IMAGE_SIZE) if exact else view(s, IMAGE_SIZE, 2) for s in part]
        outputs.append(model.query(model.see(to_pixels(images))))
    return torch.cat(outputs)


def export_vision_into(target: PreTrainedModel, source: SlotModel) -> None:
    """Copy ViT, Q-Former and query tokens into a `Blip2ForConditionalGeneration` made with the configs above.

    Its `config.vision_config` must equal `vision_config()`, its `config.qformer_config` `qformer_config()` and its
    `num_query_tokens` `QUERIES`; anything else raises.
    """
    vision = target.get_submodule("model.vision_model" if hasattr(target, "model") else "vision_model")
    qformer = target.get_submodule("model.qformer" if hasattr(target, "model") else "qformer")
    vision.load_state_dict(source.vision.state_dict())
    qformer.load_state_dict(source.qformer.state_dict())
    owner = target.get_submodule("model") if hasattr(target, "model") else target
    tokens = owner.get_parameter("query_tokens")
    with torch.no_grad():
        tokens.copy_(source.query_tokens)
