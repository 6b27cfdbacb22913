"""Complete BLIP-2 checkpoints of a few hundred kilobytes, with random weights, in Hugging Face's layout.

`make_opt(folder, seed)`, `make_t5(folder, seed)` and `make_itm(folder, seed)` write one each. The weights are large
enough that answers vary with the picture and with the prompt, and end by themselves now and then. Every width is at
least 64, so that int8 and nf4 work too.
"""

import json
import math
import re
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    Blip2Config,
    Blip2ForConditionalGeneration,
    Blip2ForImageTextRetrieval,
    Blip2QFormerConfig,
    Blip2VisionConfig,
    OPTConfig,
    T5Config,
)

IMAGE_SIZE, QUERIES, WIDTH = 56, 8, 64
CORPUS = [
    "a dog and a red ball on a beach. two cats sleep in the snow at night. Question: what is it? Answer: a green tree.",
    "Question: which city is this? Answer: singapore. Question: why? Answer: it has a statue of a merlion.",
    "Question: where is the name merlion coming from? Answer: a mermaid and a lion. Short answer: yes. no.",
    "a photo of three apples left of a blue car. how many birds are there? four. what colour is it? it's not pink.",
    "a woman sitting on the beach with her dog, a fountain above the sea! i don't know.",
]
WORDS = sorted({word for line in CORPUS for word in re.findall(r"[a-zA-Z]+", line)})


def make_opt(folder: Path, seed: int = 0) -> Path:
    """An OPT checkpoint: BOS is `</s>`, an answer ends at a line break."""
    tokenizer = _byte_level()
    text = OPTConfig(
        vocab_size=tokenizer.get_vocab_size() + 4,
        hidden_size=WIDTH,
        word_embed_proj_dim=WIDTH,
        ffn_dim=2 * WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=320,
        bos_token_id=2,
        eos_token_id=tokenizer.token_to_id("Ċ"),
        pad_token_id=1,
    )
    config = _config(text, image_token_index=tokenizer.token_to_id("<image>"))
    state = _weights(Blip2ForConditionalGeneration(config), seed)
    embeddings = state["language_model.model.decoder.embed_tokens.weight"]
    end = embeddings[tokenizer.token_to_id("Ċ")]
    state["language_model.model.decoder.final_layer_norm.bias"].copy_(6 * end / end.norm() ** 2)  # its logit, plus 6
    state["language_model.lm_head.weight"] = embeddings.clone()
    special = {"bos_token": "</s>", "eos_token": "</s>", "unk_token": "</s>", "pad_token": "<pad>"}
    return _write(folder, config, state, tokenizer, special | {"tokenizer_class": "GPT2Tokenizer"})


def make_t5(folder: Path, seed: int = 0) -> Path:
    """A FlanT5 checkpoint: gated exact gelu, and a head of its own (untied), as the real ones have."""
    tokenizer = _unigram()
    text = T5Config(
        vocab_size=tokenizer.get_vocab_size() + 4,
        d_model=WIDTH,
        d_kv=16,
        d_ff=2 * WIDTH,
        num_layers=2,
        num_decoder_layers=2,
        num_heads=4,
        feed_forward_proj="gated-gelu",
        dense_act_fn="gelu",
        tie_word_embeddings=False,
        decoder_start_token_id=0,
        bos_token_id=1,
        eos_token_id=1,
        pad_token_id=0,
    )
    text.dense_act_fn = "gelu"
    config = _config(text, image_token_index=tokenizer.token_to_id("<image>"))
    state = _weights(Blip2ForConditionalGeneration(config), seed)
    head = torch.randn(state["language_model.lm_head.weight"].shape, generator=torch.Generator().manual_seed(seed + 1))
    head[1] *= 3
    state["language_model.lm_head.weight"] = head * 0.4
    special = {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>", "tokenizer_class": "T5Tokenizer"}
    return _write(folder, config, state, tokenizer, special)


def make_itm(folder: Path, seed: int = 0) -> Path:
    """A matching checkpoint (ITM, ITC, features) with a lower-casing WordPiece tokenizer."""
    tokenizer = _word_piece()
    config = _config(None, text_vocabulary=tokenizer.get_vocab_size())
    state = _weights(Blip2ForImageTextRetrieval(config), seed)
    special = {"cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "unk_token": "[UNK]"}
    extra = {"mask_token": "[MASK]", "bos_token": "[DEC]", "tokenizer_class": "BertTokenizer"}
    return _write(folder, config, state, tokenizer, special | extra)


def _config(text: Any, text_vocabulary: int | None = None, image_token_index: int | None = None) -> Blip2Config:
    vision = Blip2VisionConfig(
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=IMAGE_SIZE,
        patch_size=14,
        layer_norm_eps=1e-6,
        initializer_range=0.02,
    )
    qformer = Blip2QFormerConfig(
        vocab_size=text_vocabulary or 30522,
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        encoder_hidden_size=WIDTH,
        cross_attention_frequency=1,
        max_position_embeddings=96,
        use_qformer_text_input=text_vocabulary is not None,
    )
    config = Blip2Config(
        vision_config=vision,
        qformer_config=qformer,
        text_config=text,
        num_query_tokens=QUERIES,
        image_text_hidden_size=32,
        image_token_index=image_token_index,
    )
    config.architectures = ["Blip2ForConditionalGeneration" if text else "Blip2ForImageTextRetrieval"]
    return config


def _weights(model: torch.nn.Module, seed: int) -> dict[str, torch.Tensor]:
    """The model's state with every matrix drawn anew, wide enough to be lively; norms and biases as they are."""
    generator = torch.Generator().manual_seed(seed)
    state = {name: value.detach().clone().contiguous() for name, value in model.state_dict().items()}
    for name, value in sorted(state.items()):
        if not value.is_floating_point() or (value.ndim < 2) or "relative_attention_bias" in name:
            continue
        fan_in = math.prod(value.shape[1:])
        scale = 1.5 / math.sqrt(fan_in)
        if "embed" in name or "shared" in name or "query_tokens" in name:
            scale = 0.4
        if "SelfAttention.q." in name or "EncDecAttention.q." in name:
            scale /= 4  # T5 does not divide by the root of the head's width
        if "decoder.layers" in name and ("fc2" in name or "out_proj" in name):
            scale *= 3  # else the tied embeddings repeat the last token for ever
        value.copy_(torch.randn(value.shape, generator=generator) * scale)
    for tied in ("encoder.embed_tokens", "decoder.embed_tokens"):
        if f"language_model.{tied}.weight" in state:
            state[f"language_model.{tied}.weight"] = state["language_model.shared.weight"].clone()
    return state


def _write(
    folder: Path, config: Blip2Config, state: dict[str, Any], tokenizer: Tokenizer, special: dict[str, str]
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    config.save_pretrained(folder)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(special))
    (folder / "processor_config.json").write_text(
        json.dumps({"processor_class": "Blip2Processor", "num_query_tokens": QUERIES})
    )
    size = {"height": IMAGE_SIZE, "width": IMAGE_SIZE}
    (folder / "preprocessor_config.json").write_text(
        json.dumps({"image_processor_type": "BlipImageProcessor", "size": size, "resample": 3})
    )
    return folder


def _byte_level() -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<image>"]
    trainer = trainers.BpeTrainer(
        vocab_size=360, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="</s> $A", pair="</s> $A </s>:1 $B:1", special_tokens=[("</s>", 2)]
    )
    return tokenizer


def _unigram() -> Tokenizer:
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("<image>", 0.0), ("▁", -6.0)]
    pieces += [(chr(code), -8.0) for code in range(33, 127)]
    pieces += [(f"▁{word}", -4.0) for word in WORDS if len(word) > 1]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(["<pad>", "</s>", "<unk>", "<image>"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    return tokenizer


def _word_piece() -> Tokenizer:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[DEC]"]
    letters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    words = sorted({word.lower() for word in WORDS if len(word) > 1})
    pieces = [*special, *letters, *(f"##{letter}" for letter in letters), *words]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(special)
    ids = [(name, tokenizer.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=ids
    )
    return tokenizer


def edit_json(path: Path, **changes: Any) -> None:
    """Change a JSON file's keys; `a__b` is key b of the object a, and `...` removes a key."""
    data = json.loads(path.read_text())
    for name, value in changes.items():
        *parents, key = name.split("__")
        place = data
        for parent in parents:
            place = place[parent]
        if value is ...:
            place.pop(key, None)
        else:
            place[key] = value
    path.write_text(json.dumps(data))
