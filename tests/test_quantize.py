from pathlib import Path

import pytest
import torch
from transformers import BitsAndBytesConfig, Blip2Config

from blip2 import zoo
from blip2.errors import BadSetting, MissingHardware, WillNotFit
from blip2.memory import Family, Parts, parts_in
from blip2.quantize import Place, Plan, choose, free_memory, loader_arguments, parts_of, place_of

GB = 1_000_000_000
OPT, XL, XXL, ITM = (
    zoo.find(name).parts or Parts(0, 0)
    for name in ("pretrain_opt2.7b", "pretrain_flant5xl", "pretrain_flant5xxl", "blip2/pretrain")
)


def gpu(free: float, bfloat16: bool = True) -> Place:
    return Place("cuda", (round(free * GB),), bfloat16)


@pytest.mark.parametrize(
    ("family", "parts", "place", "picked"),
    [
        ("opt", OPT, gpu(24), "float16"),
        ("opt", OPT, gpu(7), "int8"),
        ("opt", OPT, gpu(5), "nf4"),
        ("t5", XL, gpu(24), "bfloat16"),
        ("t5", XL, gpu(24, bfloat16=False), "float32"),
        ("t5", XL, gpu(15, bfloat16=False), "int8"),
        ("t5", XXL, gpu(24), "int8"),
        ("itm", ITM, gpu(24), "float16"),
        ("opt", OPT, Place("cpu", (32 * GB,)), "float32"),
        ("opt", OPT, Place("cpu", (12 * GB,)), "bfloat16"),
        ("opt", OPT, Place("mps", (32 * GB,), bfloat16=False), "float16"),
        ("t5", XL, Place("mps", (32 * GB,), bfloat16=False), "float32"),
        ("t5", Parts(10**6, 10**6, 10**6, 10**5, 10**5), gpu(24), "float32"),
    ],
)
def test_auto_picks_the_first_dtype_that_is_safe_and_fits(
    family: Family, parts: Parts, place: Place, picked: str
) -> None:
    plan = choose("it", family, parts, "auto", place)
    assert plan.dtype == picked
    assert plan.need <= place.room
    assert plan.note.startswith(f"auto picked {picked} on {place.kind}: ")


@pytest.mark.parametrize("free", [1, 3, 6, 9, 16, 20, 30, 60, 200])
@pytest.mark.parametrize("bfloat16", [True, False])
def test_auto_never_picks_plain_float16_for_flant5(free: int, bfloat16: bool) -> None:
    for place in (gpu(free, bfloat16), Place("cpu", (free * GB,)), Place("mps", (free * GB,), bfloat16)):
        for parts in (XL, XXL):
            try:
                plan = choose("it", "t5", parts, "auto", place)
            except WillNotFit:
                continue
            assert "float16" not in (plan.dtype, plan.companion)


def test_a_model_that_does_not_fit_says_how_much_is_short_and_what_would_fit() -> None:
    with pytest.raises(WillNotFit) as caught:
        choose("FlanT5 xxl", "t5", XXL, "float32", gpu(20))
    assert str(caught.value) == (
        "FlanT5 xxl needs 53.2 GB in float32, and 20.0 GB are free on cuda: 33.2 GB short. It would fit in int8 or nf4."
    )
    with pytest.raises(WillNotFit, match="No dtype would fit; choose a smaller model"):
        choose("FlanT5 xxl", "t5", XXL, "auto", gpu(2))
    with pytest.raises(WillNotFit, match="It would fit in int8 or nf4"):
        choose("OPT", "opt", OPT, "float16", gpu(8))


@pytest.mark.parametrize(
    ("family", "dtype", "place", "error", "sentence"),
    [
        ("t5", "float16", gpu(80), BadSetting, "overflows in float16; choose bfloat16"),
        ("itm", "int8", gpu(80), BadSetting, "shrinks language models"),
        ("opt", "float8", gpu(80), BadSetting, "dtype 'float8' is unknown"),
        ("opt", "int8", Place("cpu", (80 * GB,)), MissingHardware, "int8 needs an NVIDIA GPU, and none was found"),
        ("opt", "nf4", Place("mps", (80 * GB,), asked=True), MissingHardware, "nf4 needs an NVIDIA GPU"),
        ("t5", "bfloat16", gpu(80, bfloat16=False), MissingHardware, "no bfloat16; choose float32"),
    ],
)
def test_what_is_unsafe_or_needs_other_hardware_is_refused(
    family: Family, dtype: str, place: Place, error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        choose("it", family, OPT, dtype, place)


def test_int8_on_the_cpu_needs_the_cpu_to_be_named() -> None:
    plan = choose("it", "opt", OPT, "int8", Place("cpu", (80 * GB,), asked=True))
    assert (plan.dtype, plan.companion) == ("int8", "float32")


def test_quantising_leaves_vision_projection_and_head_alone() -> None:
    for dtype in ("int8", "nf4"):
        arguments = loader_arguments(choose("it", "t5", XL, dtype, gpu(80)))
        config = arguments["quantization_config"]
        assert isinstance(config, BitsAndBytesConfig)
        assert config.llm_int8_skip_modules == ["vision_model", "language_projection", "lm_head"]
        assert (config.load_in_8bit, config.load_in_4bit) == (dtype == "int8", dtype == "nf4")
        assert arguments["dtype"] is torch.bfloat16
    assert loader_arguments(Plan("float16", "float16", 0, "")) == {"dtype": torch.float16}


def test_the_zoos_counts_are_those_of_the_classes(opt_folder: Path, t5_folder: Path, itm_folder: Path) -> None:
    from transformers import Blip2ForConditionalGeneration, Blip2ForImageTextRetrieval

    folders: tuple[tuple[Path, Family], ...] = ((opt_folder, "opt"), (t5_folder, "t5"), (itm_folder, "itm"))
    for folder, family in folders:
        config = Blip2Config.from_pretrained(folder)
        kind = Blip2ForImageTextRetrieval if family == "itm" else Blip2ForConditionalGeneration
        parts = parts_of(config, family)
        assert parts.total == sum(value.numel() for value in kind(config).parameters())
        assert (parts.linear > 0) == (family != "itm")
        assert (parts.wide > 0) == (family == "t5")
        assert parts_in(folder / "model.safetensors").total >= parts.total  # type: ignore[union-attr]  # tied heads twice


def test_a_real_rows_parameters_are_counted_without_memory() -> None:
    text = {
        "model_type": "opt",
        "hidden_size": 2560,
        "word_embed_proj_dim": 2560,
        "ffn_dim": 10240,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "vocab_size": 50304,
    }
    assert parts_of(Blip2Config(text_config=text), "opt") == OPT


def test_devices_that_are_not_there_are_named() -> None:
    for name in ("tpu", "cpu:1", "cuda:one", ""):
        with pytest.raises(BadSetting, match=f"'{name}' is unknown"):
            place_of(name)
    assert place_of("cpu") == Place("cpu", place_of("cpu").free, asked=True)
    if not torch.cuda.is_available():
        with pytest.raises(MissingHardware, match="No NVIDIA GPU"):
            place_of("cuda")
        with pytest.raises(MissingHardware, match="No Apple GPU"):
            place_of("mps")
        assert place_of("auto").kind == "cpu"


def test_a_containers_limit_counts(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("400000\n")
    (tmp_path / "memory.stat").write_text("anon 5\ninactive_file 100000\n")
    assert free_memory(cgroup=tmp_path) == 700_000
    (tmp_path / "memory.max").write_text("max\n")
    assert free_memory(cgroup=tmp_path) > 700_000
