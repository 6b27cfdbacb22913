"""Writes a trained language model with the eyes as a checkpoint in Hugging Face's BLIP-2 layout.

    python -m blip2.pocket.language_export --family opt --language work/pocket/language/opt.pt \\
        --vision work/pocket/vision/final.pt --out assets/pocket/pocket_opt

Weights are stored in half precision; `Blip2ForConditionalGeneration`, `AutoProcessor` and `AutoTokenizer` load the
folder as they load any BLIP-2. What was written is read back and compared before this returns.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import (
    AutoProcessor,
    Blip2Config,
    Blip2ForConditionalGeneration,
    Blip2Processor,
    BlipImageProcessorPil,
    GenerationConfig,
    PreTrainedTokenizerFast,
)

from blip2.pocket.language import load_speaker
from blip2.pocket.speaker import Speaker, text_config
from blip2.pocket.tokenizer import IMAGE, build, save, special_ids
from blip2.pocket.vision import (
    IMAGE_SIZE,
    QUERIES,
    SlotModel,
    export_vision_into,
    load_vision,
    qformer_config,
    vision_config,
)

__all__ = ["assemble", "write"]


def _text(family: str) -> dict[str, object]:
    """The language model's part of the configuration, as plain values."""
    values: dict[str, object] = text_config(family).to_dict()
    return values


def assemble(speaker: Speaker, eyes: SlotModel) -> Blip2ForConditionalGeneration:
    """The whole model in single precision, without the heads that only training needs."""
    config = Blip2Config(
        vision_config=vision_config().to_dict(),
        qformer_config=qformer_config().to_dict(),
        text_config=_text(speaker.family),
        num_query_tokens=QUERIES,
        image_text_hidden_size=128,
        image_token_index=build(speaker.family).token_to_id(IMAGE),
    )
    model = Blip2ForConditionalGeneration(config).eval()
    export_vision_into(model, eyes)
    if speaker.family == "t5":  # the configuration ties the head to the embeddings; FlanT5's is its own
        model.language_model.lm_head.weight = nn.Parameter(speaker.lm.lm_head.weight.detach().clone())
    model.language_model.load_state_dict(speaker.lm.state_dict())
    model.get_submodule(_path(model, "language_projection")).load_state_dict(speaker.projection.state_dict())
    return model


def _untie(folder: Path, head: Tensor) -> None:
    """Write FlanT5's own head out, which Hugging Face leaves away, and say that a reader must not tie or scale."""
    weights = load_file(folder / "model.safetensors")
    weights["language_model.lm_head.weight"] = head.detach().half().contiguous()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    config["text_config"] |= {"tie_word_embeddings": False, "scale_decoder_outputs": False}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def _path(model: Blip2ForConditionalGeneration, name: str) -> str:
    found: str = next(path for path, _ in model.named_modules() if path.split(".")[-1] == name)
    return found


def write(speaker: Speaker, eyes: SlotModel, folder: Path) -> None:
    """Write model, tokenizer and processor into `folder`, and check what was written."""
    family, model = speaker.family, assemble(speaker, eyes)
    ids = special_ids(family)
    end = text_config(family).eos_token_id
    start = {"decoder_start_token_id": ids["<pad>"]} if family == "t5" else {}
    generation = GenerationConfig(bos_token_id=ids["</s>"], eos_token_id=end, pad_token_id=ids["<pad>"], **start)
    model.generation_config = generation
    folder.mkdir(parents=True, exist_ok=True)
    model.half().save_pretrained(folder)
    if family == "t5":
        _untie(folder, speaker.lm.lm_head.weight)
    save(family, folder)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    pictures = BlipImageProcessorPil(size={"height": IMAGE_SIZE, "width": IMAGE_SIZE})
    Blip2Processor(pictures, tokenizer, num_query_tokens=QUERIES).save_pretrained(folder)
    pictures.save_pretrained(folder)  # also where older code looks for it
    for path in folder.iterdir():
        path.chmod(0o644)
    _check(assemble(speaker, eyes), folder)


def _check(model: Blip2ForConditionalGeneration, folder: Path) -> None:
    """Raise unless what the folder holds is the model, to half precision, and its tokenizer reads as it should."""
    read, told = Blip2ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    if any(told[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys")):
        raise ValueError(f"{folder} does not load whole: {told}")
    for (name, wanted), (_, found) in zip(model.state_dict().items(), read.state_dict().items(), strict=True):
        if not torch.allclose(wanted, found, atol=2e-3, rtol=2e-3):
            raise ValueError(f"{name} changed by {(wanted - found).abs().max():.3g} on its way through {folder}")
    processor, text = AutoProcessor.from_pretrained(folder), "Question: What is  a flomp's hat? Answer:"
    family = "opt" if read.config.text_config.model_type == "opt" else "t5"
    if processor.tokenizer(text).input_ids != build(family).encode(text).ids:
        raise ValueError(f"the tokenizer in {folder} reads differently from the one that trained the model")


def main(argv: Sequence[str] | None = None) -> None:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(description="Write a pocket language model in BLIP-2's layout.")
    parser.add_argument("--family", choices=("opt", "t5"), required=True)
    parser.add_argument("--language", type=Path, required=True)
    parser.add_argument("--vision", type=Path, default=Path("work/pocket/vision/final.pt"))
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args(argv)
    write(load_speaker(asked.language, asked.family), load_vision(asked.vision), asked.out)
    print(asked.out, sum(path.stat().st_size for path in asked.out.iterdir()), "bytes")


if __name__ == "__main__":
    main()
