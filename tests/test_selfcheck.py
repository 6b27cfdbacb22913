"""Each fault that a checkpoint can have in silence is refused, and the sound checkpoint it was made from is not."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny import edit_json

from blip2.errors import FailedSelfCheck
from blip2.loading import load


def edit_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], None]) -> None:
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def drop(*names: str) -> Callable[[dict[str, torch.Tensor]], None]:
    def change(weights: dict[str, torch.Tensor]) -> None:
        for name in [n for n in weights if n.startswith(names)]:
            del weights[name]

    return change


def poison(name: str, value: float) -> Callable[[dict[str, torch.Tensor]], None]:
    def change(weights: dict[str, torch.Tensor]) -> None:
        weights[name].view(-1)[3] = value

    return change


def fill(name: str, value: float) -> Callable[[dict[str, torch.Tensor]], None]:
    def change(weights: dict[str, torch.Tensor]) -> None:
        weights[name].fill_(value)

    return change


def without_template(folder: Path) -> None:
    edit_json(folder / "tokenizer.json", post_processor=None)


def without_line_break(folder: Path) -> None:
    """A tokenizer that writes a line break as two tokens."""
    data = json.loads((folder / "tokenizer.json").read_text())
    data["normalizer"] = {"type": "Replace", "pattern": {"String": "\n"}, "content": "||"}
    (folder / "tokenizer.json").write_text(json.dumps(data))


def config(**changes: object) -> Callable[[Path], None]:
    return lambda folder: edit_json(folder / "config.json", **changes)


def preprocessor(**changes: object) -> Callable[[Path], None]:
    return lambda folder: edit_json(folder / "preprocessor_config.json", **changes)


def weights(change: Callable[[dict[str, torch.Tensor]], None]) -> Callable[[Path], None]:
    return lambda folder: edit_weights(folder, change)


FAULTS: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "eps": ("opt", config(vision_config__layer_norm_eps=1e-5), "layer_norm_eps is 1e-05; set it to 1e-06"),
    "eps of t5": ("t5", config(vision_config__layer_norm_eps=1e-5), "layer_norm_eps is 1e-05"),
    "eps of itm": ("itm", config(vision_config__layer_norm_eps=1e-5), "layer_norm_eps is 1e-05"),
    "picture size": ("opt", preprocessor(size={"height": 70, "width": 70}), "says 70 pixels .* is for 56"),
    "position table": ("opt", config(vision_config__image_size=70), "is for 70|missing"),
    "mean": ("opt", preprocessor(image_mean=[0.5, 0.5, 0.5]), "not CLIP's"),
    "no start token": ("opt", without_template, "does not put the start token 2 before a prompt"),
    "no end token": ("t5", without_template, "does not put the end token 1 after a text"),
    "no cls token": ("itm", without_template, "does not put \\[CLS\\] before a text"),
    "line break": ("opt", without_line_break, "a line break, which ends OPT's answers, is 2 tokens"),
    "gelu": ("t5", config(text_config__dense_act_fn=...), "gelu_new where BLIP-2 was trained with exact gelu"),
    "vocabulary": ("opt", config(text_config__vocab_size=100), "its embeddings end at 99"),
    "no queries": ("opt", config(num_query_tokens=0), "num_query_tokens is 0"),
    "queries missing": ("opt", weights(drop("query_tokens")), "1 of its weights are missing"),
    "queries zero": ("opt", weights(fill("query_tokens", 0.0)), "query tokens are all the same"),
    "queries miscounted": (
        "opt",
        config(num_query_tokens=4),
        "another shape than config.json says, and would be random",
    ),
    "random ITM head": ("itm", weights(drop("itm_head")), "2 of its weights are missing"),
    "random projection": ("t5", weights(drop("language_projection")), "random .language_projection.bias, "),
    "NaN": ("opt", weights(poison("qformer.layernorm.weight", float("nan"))), "no numbers"),
    "infinite": ("t5", weights(poison("language_model.shared.weight", float("inf"))), "no numbers"),
    "blind": ("opt", weights(fill("language_projection.weight", 0.0)), "two different pictures read the same"),
    "blind encoder": ("itm", weights(fill("vision_model.embeddings.patch_embedding.weight", 0.0)), "read the same"),
    "head lost": ("t5", weights(drop("language_model.lm_head")), "head|missing"),
    "head scaled": (
        "t5",
        config(text_config__tie_word_embeddings=True, text_config__scale_decoder_outputs=True),
        "its own, and config.json says it is tied",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_checkpoint_that_would_answer_wrongly_in_silence_is_refused(
    name: str, opt_folder: Path, t5_folder: Path, itm_folder: Path, tmp_path: Path
) -> None:
    family, spoil, sentence = FAULTS[name]
    sound = {"opt": opt_folder, "t5": t5_folder, "itm": itm_folder}[family]
    folder = shutil.copytree(sound, tmp_path / "spoilt")
    spoil(folder)
    with pytest.raises(FailedSelfCheck, match=sentence) as caught:
        load(str(folder))
    assert str(caught.value).startswith("spoilt would answer wrongly without any error: ")
    assert str(caught.value).endswith(".")


def test_a_language_model_checkpoint_is_no_matching_one(opt_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(opt_folder, tmp_path / "wrong")
    edit_json(folder / "config.json", architectures=["Blip2ForImageTextRetrieval"])
    with pytest.raises(FailedSelfCheck, match=r"does not put \[CLS\]"):
        load(str(folder))


def test_a_tied_head_that_is_meant_to_be_tied_passes(t5_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(t5_folder, tmp_path / "tied")
    edit_weights(folder, drop("language_model.lm_head"))
    edit_json(folder / "config.json", text_config__tie_word_embeddings=True, text_config__scale_decoder_outputs=True)
    language = load(str(folder)).model.language_model
    assert torch.equal(language.lm_head.weight, language.shared.weight)


def test_a_checkpoint_without_the_optional_files_passes(t5_folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(t5_folder, tmp_path / "bare")
    for name in ("preprocessor_config.json", "processor_config.json", "tokenizer_config.json"):
        (folder / name).unlink()
    assert load(str(folder)).end_ids == (1,)
