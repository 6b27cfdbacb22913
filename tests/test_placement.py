from pathlib import Path

import pytest
import torch
from transformers import Blip2Config, Blip2ForConditionalGeneration

from blip2.placement import device_map, spread
from blip2.quantize import Place, Plan


def plan(need: int) -> Plan:
    return Plan("float16", "float16", need, "")


def test_one_device_that_is_large_enough_takes_all(opt_folder: Path) -> None:
    config = Blip2Config.from_pretrained(opt_folder)
    assert device_map(config, "opt", plan(10), Place("cpu", (100,))) == {"": torch.device("cpu")}
    assert device_map(config, "opt", plan(10), Place("cuda", (100, 100))) == {"": torch.device("cuda", 0)}


@pytest.mark.parametrize("free", [(100, 100), (60, 140), (70, 70, 70)])
def test_layers_fill_the_devices_in_order_and_in_proportion(free: tuple[int, ...]) -> None:
    layers, fixed = [5.0] * 24, 30.0
    where = spread(layers, fixed, free)
    assert where == sorted(where)
    assert set(where) == set(range(len(free)))
    share = (sum(layers) + fixed) / sum(free)
    for device, room in enumerate(free):
        used = 5.0 * where.count(device) + (fixed if device == 0 else 0)
        assert abs(used - share * room) <= 5.0 * len(free)
        assert used <= room


def test_a_first_device_full_of_the_fixed_part_gets_no_layer() -> None:
    assert spread([5.0, 5.0], 90.0, (90, 100)) == [1, 1]


@pytest.mark.parametrize("family", ["opt", "t5"])
def test_a_spread_model_keeps_its_ends_on_the_first_gpu(family: str, opt_folder: Path, t5_folder: Path) -> None:
    folder = opt_folder if family == "opt" else t5_folder
    config = Blip2Config.from_pretrained(folder)
    placed = device_map(config, family, plan(1000), Place("cuda", (600, 600)))  # type: ignore[arg-type]
    assert {device for name, device in placed.items() if "layers." not in name and "block." not in name} == {0}
    assert 1 in placed.values()
    # accelerate accepts the map only if it covers every weight: load with every part sent to the CPU
    model = Blip2ForConditionalGeneration.from_pretrained(folder, device_map=dict.fromkeys(placed, "cpu"))
    assert {str(value.device) for value in model.parameters()} == {"cpu"}
