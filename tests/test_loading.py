import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny import edit_json

from blip2 import zoo
from blip2.errors import BadSetting, MissingHardware, NotACheckpoint, UnknownModel
from blip2.loading import LoadedModel, load, prompt_budget


@pytest.fixture(scope="module")
def opt(opt_folder: Path) -> LoadedModel:
    return load(str(opt_folder))


@pytest.fixture(scope="module")
def t5(t5_folder: Path) -> LoadedModel:
    return load(str(t5_folder))


def test_what_is_loaded_says_what_it_is(opt: LoadedModel, t5: LoadedModel, opt_folder: Path) -> None:
    assert (opt.info.name, opt.info.source) == (str(opt_folder), "tiny_opt")
    assert (opt.info.family, opt.info.image_size, opt.info.image_tokens) == ("opt", 56, 8)
    assert (opt.info.dtype, opt.info.device, opt.device) == ("float32", "cpu", torch.device("cpu"))
    assert opt.info.revision.startswith("sha256:")
    assert opt.info.memory_bytes == pytest.approx(4 * sum(value.numel() for value in opt.model.parameters()), rel=0.01)
    assert opt.note.startswith("auto picked float32 on cpu")
    assert not opt.model.training
    assert opt.start_id == 2
    assert opt.tokenizer.decode(opt.end_ids) == "\n"
    assert (t5.info.family, t5.start_id, t5.end_ids) == ("t5", 0, (1,))
    assert "a line break is one token" in opt.checks


def test_a_matching_checkpoint_has_no_language_model(itm_folder: Path) -> None:
    loaded = load(str(itm_folder))
    assert (loaded.info.family, loaded.end_ids) == ("itm", ())
    assert loaded.tokenizer("A Dog").input_ids == loaded.tokenizer("a dog").input_ids


def test_the_tokenizer_gives_the_ids_of_tokenizer_json(opt_folder: Path, t5_folder: Path, itm_folder: Path) -> None:
    from tokenizers import Tokenizer

    for folder in (opt_folder, t5_folder, itm_folder):
        wanted, loaded = Tokenizer.from_file(str(folder / "tokenizer.json")), load(str(folder)).tokenizer
        for text in ("", "a photo of", "two  spaces", " leading", "a\nb", "Question: why? Answer:", "naïve café 日本"):
            assert loaded(text).input_ids == wanted.encode(text).ids, (folder.name, text)


def test_the_weights_are_those_of_the_file(t5: LoadedModel, t5_folder: Path) -> None:
    saved = load_file(t5_folder / "model.safetensors")
    state = t5.model.state_dict()
    assert all(torch.equal(state[name], value) for name, value in saved.items())
    head, embeddings = t5.model.language_model.lm_head.weight, t5.model.language_model.shared.weight
    assert not torch.equal(head, embeddings)


@pytest.mark.parametrize("family", ["opt", "t5"])
@pytest.mark.parametrize("dtype", ["int8", "nf4", "bfloat16"])
def test_narrower_dtypes_load_and_answer_nearly_alike(
    family: str, dtype: str, opt: LoadedModel, t5: LoadedModel
) -> None:
    exact = opt if family == "opt" else t5
    loaded = load(exact.info.name, dtype, "cpu")
    assert loaded.info.dtype == dtype
    assert loaded.info.memory_bytes < exact.info.memory_bytes
    pixels = torch.linspace(-2, 2, 3 * 56 * 56).reshape(1, 3, 56, 56)
    with torch.inference_mode():
        wanted, got = (m.model.get_image_features(pixels).pooler_output.float() for m in (exact, loaded))
    assert torch.nn.functional.cosine_similarity(wanted, got, dim=-1).min() > 0.99
    vision = loaded.model.vision_model.encoder.layers[0].mlp.fc1.weight
    assert vision.dtype == (torch.bfloat16 if dtype == "bfloat16" else torch.float32)  # never quantised
    if dtype != "bfloat16":
        names = {type(module).__name__ for module in loaded.model.language_model.modules()}
        assert ("Linear8bitLt" if dtype == "int8" else "Linear4bit") in names


def test_float16_keeps_the_qformer_in_float32(opt_folder: Path) -> None:
    model = load(str(opt_folder), "float16", "cpu").model
    assert model.query_tokens.dtype == torch.float32
    assert {value.dtype for value in model.qformer.parameters()} == {torch.float32}
    assert model.language_projection.weight.dtype == torch.float16


def test_an_old_checkpoint_without_image_tokens_gives_the_same_answers(
    opt: LoadedModel, opt_folder: Path, tmp_path: Path
) -> None:
    old = shutil.copytree(opt_folder, tmp_path / "old")
    edit_json(old / "config.json", image_token_index=None, num_query_tokens=...)
    edit_json(old / "processor_config.json", num_query_tokens=...)
    config = old / "config.json"
    assert "num_query_tokens" not in config.read_text()
    loaded = load(str(old))
    assert loaded.info.image_tokens == 8
    ids = torch.tensor([opt.tokenizer("a photo of").input_ids])
    with torch.inference_mode():
        wanted, got = (m.model.language_model(input_ids=ids).logits for m in (opt, loaded))
    assert torch.equal(wanted, got)


def test_a_checkpoint_saved_as_bin_loads(opt: LoadedModel, opt_folder: Path, tmp_path: Path) -> None:
    old = shutil.copytree(opt_folder, tmp_path / "bin")
    torch.save(load_file(old / "model.safetensors"), old / "pytorch_model.bin")
    (old / "model.safetensors").unlink()
    assert torch.equal(load(str(old)).model.query_tokens, opt.model.query_tokens)


def test_folders_that_are_no_checkpoint(tmp_path: Path, opt_folder: Path) -> None:
    with pytest.raises(NotACheckpoint, match=r"no config\.json in it"):
        load(str(tmp_path))
    other = tmp_path / "bert"
    other.mkdir()
    (other / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(NotACheckpoint, match=r"its config\.json says 'bert'"):
        load(str(other))
    (other / "config.json").write_text("{not json")
    with pytest.raises(NotACheckpoint, match="no readable JSON"):
        load(str(other))
    for missing, sentence in (("tokenizer.json", "no usable tokenizer"), ("model.safetensors", "cannot be loaded")):
        broken = shutil.copytree(opt_folder, tmp_path / f"without_{missing}")
        (broken / missing).unlink()
        with pytest.raises(NotACheckpoint, match=sentence):
            load(str(broken))
    torn = shutil.copytree(opt_folder, tmp_path / "torn")
    (torn / "model.safetensors").write_bytes((opt_folder / "model.safetensors").read_bytes()[:5000])
    with pytest.raises(NotACheckpoint, match="cannot be loaded"):
        load(str(torn))


def test_what_cannot_be_had_is_said_in_a_sentence(
    opt_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("blip2.checkpoint._reachable", lambda: False)
    with pytest.raises(NotACheckpoint, match=r"someone/blip2-tuned is not on this machine.*cannot be reached"):
        load("someone/blip2-tuned")
    with pytest.raises(UnknownModel):
        load("pretrain_opt2.8b")
    with pytest.raises(BadSetting, match="dtype 'half' is unknown"):
        load(str(opt_folder), "half")
    if not torch.cuda.is_available():
        with pytest.raises(MissingHardware, match="int8 needs an NVIDIA GPU"):
            load(str(opt_folder), "int8")
        with pytest.raises(MissingHardware, match="No NVIDIA GPU"):
            load(str(opt_folder), device="cuda")
    absent = zoo.Row("blip2_opt", "pocket_gone", "opt", folder=tmp_path / "gone", pocket=True)
    with pytest.raises(NotACheckpoint, match=r"bundled model .* is missing"):
        load(absent)


def test_the_prompt_budget_leaves_room_for_the_picture_and_the_answer(opt: LoadedModel, t5: LoadedModel) -> None:
    opt.model.config.text_config.max_position_embeddings, before = 2048, 320
    try:
        opt.model.config.num_query_tokens, queries = 32, 8
        assert prompt_budget("opt", opt.model.config) == 2048 - 32 - 512
    finally:
        opt.model.config.text_config.max_position_embeddings, opt.model.config.num_query_tokens = before, queries
    assert opt.info.prompt_budget == 320 - 8 - 104
    assert t5.info.prompt_budget == 512


def test_a_folders_revision_changes_with_its_weights(opt: LoadedModel, opt_folder: Path, tmp_path: Path) -> None:
    other = shutil.copytree(opt_folder, tmp_path / "other")
    weights = load_file(other / "model.safetensors")
    weights["language_projection.bias"] += 0.5
    save_file(weights, other / "model.safetensors", metadata={"format": "pt"})
    assert load(str(other)).info.revision != opt.info.revision == load(str(opt_folder)).info.revision
