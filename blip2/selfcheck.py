"""What a checkpoint must be for its answers to be right: each check finds a fault that would raise no error.

Checks of the files run before the weights are read, checks of the weights after. They know the model's classes and
BLIP-2's conventions, no prompt and no device. A failed check raises `FailedSelfCheck`: what is wrong, and the remedy.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from blip2.errors import FailedSelfCheck
from blip2.memory import Family

VISION_EPS = 1e-6  # LAVIS's EVA-CLIP ViT-g; the transformers classes once defaulted to 1e-5
PROBE = "a photo of"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What the checks look at: `preprocessor` is preprocessor_config.json; `model` is None for the files alone."""

    title: str
    family: Family
    config: Any  # Blip2Config
    tokenizer: Any
    preprocessor: Mapping[str, Any] = field(default_factory=dict)
    model: Any = None
    missing: tuple[str, ...] = ()  # weights that the loader had to make up
    saved: Mapping[str, torch.Tensor] = field(default_factory=dict)  # some tensors as the file has them, by name


def check_files(checkpoint: Checkpoint) -> tuple[str, ...]:
    """Run the checks that need no weights; the names of those passed. Raises `FailedSelfCheck`."""
    return _run(checkpoint, FILE_CHECKS)


def check_weights(checkpoint: Checkpoint) -> tuple[str, ...]:
    """Run the checks of the loaded weights, a forward pass included; the names of those passed."""
    return _run(checkpoint, WEIGHT_CHECKS)


def _run(checkpoint: Checkpoint, checks: "Iterable[tuple[str, Check, frozenset[Family]]]") -> tuple[str, ...]:
    passed = []
    for name, check, families in checks:
        fault = check(checkpoint) if checkpoint.family in families else ""
        if fault:
            raise FailedSelfCheck(f"{checkpoint.title} would answer wrongly without any error: {fault}")
        passed += [name] if checkpoint.family in families else []
    return tuple(passed)


def _vision_eps(c: Checkpoint) -> str:
    eps = c.config.vision_config.layer_norm_eps
    if abs(eps - VISION_EPS) < VISION_EPS / 100:
        return ""
    return f"its vision layer_norm_eps is {eps:g}; set it to 1e-06 in vision_config of config.json."


def _image_size(c: Checkpoint) -> str:
    size = c.preprocessor.get("size") or {}
    side = size if isinstance(size, int) else size.get("height", size.get("shortest_edge"))
    wanted = c.config.vision_config.image_size
    if side is None or side == wanted:
        return ""
    return (
        f"preprocessor_config.json says {side} pixels and its position table is for {wanted}; "
        "make both the size that the model was trained at."
    )


def _normalisation(c: Checkpoint) -> str:
    mean = c.preprocessor.get("image_mean")
    if mean is None or (
        len(mean) == 3 and all(abs(a - b) < 1e-3 for a, b in zip(mean, (0.4815, 0.4578, 0.4082), strict=True))
    ):
        return ""
    return f"its image_mean is {mean}, not CLIP's; take preprocessor_config.json from the original."


def _activation(c: Checkpoint) -> str:
    if not c.config.text_config.is_gated_act or c.config.text_config.dense_act_fn == "gelu":
        return ""
    return (
        f"its FlanT5 would use {c.config.text_config.dense_act_fn} where BLIP-2 was trained with exact gelu; "
        'put "dense_act_fn": "gelu" into text_config of config.json.'
    )


def _start_and_end(c: Checkpoint) -> str:
    ids = c.tokenizer(PROBE).input_ids
    if c.family == "opt":
        bos = c.config.text_config.bos_token_id
        if not ids or ids[0] != bos:
            return f"its tokenizer does not put the start token {bos} before a prompt; use the original tokenizer.json."
        if ids[-1] == c.config.text_config.bos_token_id:
            return "its tokenizer puts an end token after a prompt; use the original tokenizer.json."
        return ""
    words = c.tokenizer.get_vocab()
    if c.family == "itm" and (not ids or ids[0] != words.get("[CLS]", -1)):
        return "its tokenizer does not put [CLS] before a text, as BERT's does; use the original tokenizer.json."
    last = words.get("[SEP]", -1) if c.family == "itm" else _t5_end(c)
    if not ids or ids[-1] != last:
        return f"its tokenizer does not put the end token {last} after a text; use the original tokenizer.json."
    return ""


def _t5_end(c: Checkpoint) -> int:
    end = c.config.text_config.eos_token_id
    return int(end[0] if isinstance(end, list) else end)


def _line_break(c: Checkpoint) -> str:
    ids = c.tokenizer("\n", add_special_tokens=False).input_ids
    if len(ids) == 1:
        return ""
    return f"a line break, which ends OPT's answers, is {len(ids)} tokens, not one; use the original tokenizer.json."


def _vocabulary(c: Checkpoint) -> str:
    rows = c.config.qformer_config.vocab_size if c.family == "itm" else c.config.text_config.vocab_size
    image = c.config.image_token_index
    highest = max(index for word, index in c.tokenizer.get_vocab().items() if word != "<image>" and index != image)
    if highest < rows:
        return ""
    return (
        f"its tokenizer has the token {highest} and its embeddings end at {rows - 1}; use the original tokenizer.json."
    )


def _queries_declared(c: Checkpoint) -> str:
    queries = c.config.num_query_tokens
    return "" if queries and queries > 0 else f"its num_query_tokens is {queries}, so no picture would reach the text."


def _nothing_made_up(c: Checkpoint) -> str:
    if not c.missing:
        return ""
    some = ", ".join(c.missing[:3]) + (" …" if len(c.missing) > 3 else "")
    return (
        f"{len(c.missing)} of its weights are missing, or have another shape than config.json says, and would be "
        f"random ({some}); use a complete checkpoint with its own config.json."
    )


def _finite(c: Checkpoint) -> str:
    for name, value in c.model.named_parameters():
        if value.is_floating_point() and not bool(torch.isfinite(value).all()):
            return f"its weight {name} has values that are no numbers (NaN or infinite); download it anew."
    return ""


def _queries_alive(c: Checkpoint) -> str:
    queries = c.model.query_tokens[0].float()  # [Q, D]
    if len(queries) != c.config.num_query_tokens:
        return (
            f"it has {len(queries)} query tokens and config.json says {c.config.num_query_tokens}; correct config.json."
        )
    if len(queries) > 1 and bool((queries - queries[0]).abs().max() == 0):
        return "its query tokens are all the same, so they were never trained; use a trained checkpoint."
    return ""


def _head_as_saved(c: Checkpoint) -> str:
    """FlanT5's head is its own; a loader that ties it to the embeddings, or scales its input, answers nonsense."""
    head = c.model.language_model.get_output_embeddings().weight
    for name, value in c.saved.items():
        if not torch.equal(value.to(head.dtype), head[: len(value)].cpu()):
            return f"its head was not loaded as {name} has it; set tie_word_embeddings false in text_config."
    if c.family != "t5":
        return ""
    tied = head.data_ptr() == c.model.language_model.get_input_embeddings().weight.data_ptr()
    same = any(name.endswith("lm_head.weight") for name in c.saved)  # saved equal to the embeddings
    if tied == bool(c.config.text_config.scale_decoder_outputs) or (tied and same):
        return ""
    return "its FlanT5's head is " + (
        "tied to the embeddings, and config.json says it is its own; use a checkpoint with lm_head.weight."
        if tied
        else "its own, and config.json says it is tied; set tie_word_embeddings false in text_config."
    )


@torch.inference_mode()
def _sees(c: Checkpoint) -> str:
    """Two pictures must give two different, finite readings."""
    side, weight = c.config.vision_config.image_size, c.model.query_tokens
    shade = torch.linspace(-2, 2, side, device=weight.device)
    pictures = torch.stack([shade.expand(3, side, side), -shade[:, None].expand(3, side, side)])  # [2, 3, S, S]
    if c.family == "itm":
        vision = c.model.vision_model(pictures).last_hidden_state
        queries = c.model.query_tokens.expand(2, -1, -1)
        read = c.model.qformer(query_embeds=queries.to(vision.dtype), encoder_hidden_states=vision).last_hidden_state
    else:
        read = c.model.get_image_features(pictures).pooler_output  # [2, Q, D]
    read = read.float()
    if not bool(torch.isfinite(read).all()):
        return "a picture gives values that are no numbers (NaN or infinite); choose a wider dtype."
    if bool((read[0] - read[1]).abs().max() <= 1e-6 * read.abs().max()):
        return "two different pictures read the same; its image encoder was never trained or is not connected."
    return ""


@torch.inference_mode()
def _speaks(c: Checkpoint) -> str:
    """The language model's first logits must be finite: float16 overflow shows here."""
    language = c.model.language_model
    words = language.get_input_embeddings()
    ids = torch.tensor([c.tokenizer(PROBE).input_ids], device=words.weight.device)
    extra = (
        {"decoder_input_ids": ids.new_full((1, 1), c.config.text_config.decoder_start_token_id)}
        if c.family == "t5"
        else {}
    )
    logits = language(inputs_embeds=words(ids), attention_mask=torch.ones_like(ids), **extra).logits
    if bool(torch.isfinite(logits.float()).all()):
        return ""
    return "its language model gives values that are no numbers in this dtype; choose bfloat16 or float32."


Check = Callable[[Checkpoint], str]
ALL: frozenset[Family] = frozenset({"opt", "t5", "itm"})
FILE_CHECKS: tuple[tuple[str, Check, frozenset[Family]], ...] = (
    ("vision layer_norm_eps is 1e-06", _vision_eps, ALL),
    ("picture size agrees with the position table", _image_size, ALL),
    ("pictures are normalised as CLIP's", _normalisation, ALL),
    ("FlanT5 uses exact gelu", _activation, frozenset({"t5"})),
    ("start and end tokens are put around a text", _start_and_end, ALL),
    ("a line break is one token", _line_break, frozenset({"opt"})),
    ("every token has an embedding", _vocabulary, ALL),
    ("query tokens are declared", _queries_declared, ALL),
)
WEIGHT_CHECKS: tuple[tuple[str, Check, frozenset[Family]], ...] = (
    ("no weight is missing", _nothing_made_up, ALL),
    ("all weights are numbers", _finite, ALL),
    ("query tokens are trained", _queries_alive, ALL),
    ("the language model's head is the saved one", _head_as_saved, ALL - {"itm"}),
    ("pictures are told apart", _sees, ALL),
    ("the language model's logits are numbers", _speaks, ALL - {"itm"}),
)
