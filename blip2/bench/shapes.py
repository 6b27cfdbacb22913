"""Models to measure: the bundled ones, and real architectures with random weights, which need no download.

Random weights run as fast as trained ones. Their answers mean nothing, so every workload fixes the answers' length, and
a speed counts only beside the proof that both sides wrote the same tokens.
"""

from dataclasses import dataclass
from typing import Any, Literal

import torch
from transformers import (
    AutoTokenizer,
    Blip2Config,
    Blip2ForConditionalGeneration,
    Blip2ForImageTextRetrieval,
    Blip2QFormerConfig,
    Blip2VisionConfig,
    OPTConfig,
    T5Config,
)

from blip2.loading import LoadedModel, load
from blip2.values import ModelInfo
from blip2.zoo import find

Family = Literal["opt", "t5", "itm"]
VOCABULARY = {"opt": 50304, "t5": 32128}
POCKET: dict[Family, str] = {"opt": "blip2_opt/pocket_opt", "t5": "blip2_t5/pocket_flant5", "itm": "blip2/pocket"}


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of an image encoder (width, layers, heads, ffn, patch) and a language model (width, layers, heads, ffn)."""

    family: Family
    vision: tuple[int, int, int, int, int]
    text: tuple[int, int, int, int] = (0, 0, 0, 0)


VIT_B, VIT_G = (768, 12, 12, 3072, 16), (1408, 39, 16, 6144, 14)
SHAPES: dict[str, Shape] = {
    "bench-opt": Shape("opt", VIT_B, (768, 12, 12, 3072)),  # the sizes of OPT-125m
    "bench-t5": Shape("t5", VIT_B, (768, 12, 12, 2048)),  # the sizes of FlanT5-base
    "bench-itm": Shape("itm", VIT_B),
    "tiny-opt": Shape("opt", (64, 2, 4, 128, 56), (64, 2, 4, 128)),  # for the tests
    "tiny-t5": Shape("t5", (64, 2, 4, 128, 56), (64, 2, 4, 128)),
    "tiny-itm": Shape("itm", (64, 2, 4, 128, 56)),
    "opt2.7b": Shape("opt", VIT_G, (2560, 32, 32, 10240)),
    "opt6.7b": Shape("opt", VIT_G, (4096, 32, 32, 16384)),
    "flant5xl": Shape("t5", VIT_G, (2048, 24, 32, 5120)),
    "flant5xxl": Shape("t5", VIT_G, (4096, 24, 64, 10240)),
    "itm-vit-g": Shape("itm", VIT_G),
}


def make(name: str, dtype: torch.dtype = torch.float32, device: str = "cpu", seed: int = 0) -> LoadedModel:
    """A loaded model of a shape by name, or a zoo row (`pocket-opt`, `pocket-t5` and `pocket-itm` for short)."""
    if name.startswith("pocket-"):
        return load(POCKET[name.removeprefix("pocket-")], "float32", device)  # type: ignore[index]
    if name not in SHAPES:
        return load(name, str(dtype).removeprefix("torch."), device)
    shape = SHAPES[name]
    torch.manual_seed(seed)
    config = config_of(shape)
    model_class = Blip2ForImageTextRetrieval if shape.family == "itm" else Blip2ForConditionalGeneration
    with torch.device(device):
        model = model_class._from_config(config, dtype=dtype).eval()
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.data.normal_(0, 0.02)
        model.query_tokens.data.normal_(0, 0.5)
    tokenizer = tokenizer_of(shape.family)
    info = ModelInfo(
        name=name,
        title=name,
        family=shape.family,
        source="random weights",
        dtype=str(dtype).removeprefix("torch."),
        device=device,
        image_size=224,
        image_tokens=32,
        prompt_budget=1024 if shape.family == "opt" else 512,
        memory_bytes=int(model.get_memory_footprint()),
    )
    text = config.text_config
    ends = {"opt": (text.eos_token_id,), "t5": (1,), "itm": ()}[shape.family]
    start = {"opt": 2, "t5": 0, "itm": 0}[shape.family]
    return LoadedModel(info, model, tokenizer, torch.device(device), ends, start)


def config_of(shape: Shape) -> Blip2Config:
    """The architecture as the real checkpoints have it: 32 queries, a 12-layer Q-Former (2 for tiny encoders)."""
    width, layers, heads, ffn, patch = shape.vision
    vision = Blip2VisionConfig(
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=ffn,
        patch_size=patch,
        image_size=224,
        layer_norm_eps=1e-6,
        initializer_range=0.02,
    )
    small = width < 256
    qformer = Blip2QFormerConfig(
        hidden_size=64 if small else 768,
        num_hidden_layers=2 if small else 12,
        num_attention_heads=4 if small else 12,
        intermediate_size=128 if small else 3072,
        encoder_hidden_size=width,
        use_qformer_text_input=shape.family == "itm",
    )
    return Blip2Config(
        vision_config=vision, qformer_config=qformer, text_config=text_config(shape), num_query_tokens=32
    )


def text_config(shape: Shape) -> Any:
    """OPT's or FlanT5's configuration with the shape's sizes."""
    if shape.family == "itm":
        return None
    width, layers, heads, ffn = shape.text
    if shape.family == "opt":
        return OPTConfig(
            hidden_size=width,
            word_embed_proj_dim=width,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            ffn_dim=ffn,
            vocab_size=VOCABULARY["opt"],
            eos_token_id=50118,
        )
    text = T5Config(
        d_model=width,
        num_layers=layers,
        num_decoder_layers=layers,
        num_heads=heads,
        d_ff=ffn,
        d_kv=width // heads if width < 256 else 64,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        vocab_size=VOCABULARY["t5"],
        decoder_start_token_id=0,
    )
    text.dense_act_fn = "gelu"
    return text


def tokenizer_of(family: Family) -> Any:
    """The bundled model's tokenizer: a few hundred words, whose ids every vocabulary here has."""
    folder = find(POCKET[family]).folder
    return AutoTokenizer.from_pretrained(folder, local_files_only=True)


def lm_bytes(loaded: LoadedModel) -> int:
    """Bytes of weights that one decoding step reads: T5's decoder and head without the cross keys, or all of OPT."""
    lm = loaded.model.language_model
    if loaded.info.family == "opt":
        return int(sum(p.nbytes for p in lm.model.decoder.layers.parameters()) + lm.lm_head.weight.nbytes)
    cross = [getattr(b.layer[1].EncDecAttention, n).weight.nbytes for b in lm.decoder.block for n in ("k", "v")]
    return int(sum(p.nbytes for p in lm.decoder.block.parameters()) - sum(cross) + lm.lm_head.weight.nbytes)
